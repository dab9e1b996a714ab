//! Scans: what was asked for, how far it is, how it ended.

use bartizan_domain::id::{AssetId, OrganizationId, ScanId, UserId};
use bartizan_domain::{ScanKind, ScanProfile, ScanStatus};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query, SimpleExpr};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::NotSet, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _,
    IntoSimpleExpr as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use serde_json::Value;

use crate::counts::{signed, unsigned};
use crate::error::parse;
use crate::{BATCH, Db, Listed, Page, Result, SeverityCounts, SortDir, StorageError, page};

/// One scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Number, global over all organisations.
    pub id: ScanId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Kind.
    pub kind: ScanKind,
    /// Profile.
    pub profile: ScanProfile,
    /// State.
    pub status: ScanStatus,
    /// Targets with the asset each stands for; `services` owns the shape.
    pub targets: Value,
    /// Resolved settings, frozen; `services` owns the shape.
    pub options: Value,
    /// Whether results have gaps.
    pub partial: bool,
    /// One sentence a gap.
    pub partial_reasons: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Last reported progress; `services` owns the shape.
    pub progress: Value,
    /// Hosts planned.
    pub hosts_total: u64,
    /// Hosts committed.
    pub hosts_finished: u64,
    /// Verdicts by outcome, once it has ended; `services` owns the shape.
    pub outcomes: Value,
    /// Failed checks by severity over all committed hosts.
    pub findings: SeverityCounts,
    /// Score, once it has ended and something was assessed.
    pub score: Option<f64>,
    /// The score's parts.
    pub score_detail: Option<Value>,
    /// The compliance matrix, once it has ended.
    pub compliance_matrix: Option<Value>,
    /// Version of the catalogue that judges.
    pub catalogue: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its worker last gave a sign of life.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub started_by: Option<UserId>,
    /// Name at that time.
    pub started_by_name: String,
    /// Whether it is demonstration data.
    pub demo: bool,
}

/// Which scans a list shows. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanFilter {
    /// States; empty for all.
    pub statuses: Vec<ScanStatus>,
    /// Kind.
    pub kind: Option<ScanKind>,
    /// Profiles; empty for all.
    pub profiles: Vec<ScanProfile>,
    /// Ended at this instant or later.
    pub finished_after: Option<DateTime<Utc>>,
    /// Looked at this asset.
    pub asset: Option<AssetId>,
    /// Demonstration data, or not.
    pub demo: Option<bool>,
    /// Part of the targets, whatever the case.
    pub q: Option<String>,
}

/// What a list of scans may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanSort {
    /// Number.
    #[default]
    Id,
    /// State.
    Status,
    /// Profile.
    Profile,
    /// When it was asked for.
    CreatedAt,
    /// When it began.
    StartedAt,
    /// When it ended.
    FinishedAt,
    /// Score.
    Score,
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "scans")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub organization_id: Uuid,
        pub kind: String,
        pub profile: String,
        pub status: String,
        pub targets: Json,
        pub options: Json,
        pub partial: bool,
        pub partial_reasons: Json,
        pub error: Option<String>,
        pub progress: Json,
        pub hosts_total: i64,
        pub hosts_finished: i64,
        pub outcomes: Json,
        pub findings_critical: i64,
        pub findings_high: i64,
        pub findings_medium: i64,
        pub findings_low: i64,
        pub findings_info: i64,
        pub score: Option<f64>,
        pub score_detail: Option<Json>,
        pub compliance_matrix: Option<Json>,
        pub catalogue: String,
        pub created_at: DateTimeUtc,
        pub started_at: Option<DateTimeUtc>,
        pub finished_at: Option<DateTimeUtc>,
        pub heartbeat_at: Option<DateTimeUtc>,
        pub cancel_requested_at: Option<DateTimeUtc>,
        pub started_by: Option<Uuid>,
        pub started_by_name: String,
        pub demo: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod scan_asset {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "scan_assets")]
    pub struct Model {
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scan_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub asset_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

fn kind_of(text: &str) -> Result<ScanKind> {
    [ScanKind::Surface, ScanKind::Ports, ScanKind::Cloud]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| StorageError::Corrupt(format!("scan kind `{text}`")))
}

impl TryFrom<entity::Model> for Scan {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        Ok(Self {
            id: ScanId(row.id),
            organization_id: row.organization_id.into(),
            kind: kind_of(&row.kind)?,
            profile: parse(&row.profile)?,
            status: parse(&row.status)?,
            targets: row.targets,
            options: row.options,
            partial: row.partial,
            partial_reasons: serde_json::from_value(row.partial_reasons)
                .map_err(|error| StorageError::Corrupt(error.to_string()))?,
            error: row.error,
            progress: row.progress,
            hosts_total: unsigned(row.hosts_total),
            hosts_finished: unsigned(row.hosts_finished),
            outcomes: row.outcomes,
            findings: SeverityCounts {
                critical: unsigned(row.findings_critical),
                high: unsigned(row.findings_high),
                medium: unsigned(row.findings_medium),
                low: unsigned(row.findings_low),
                info: unsigned(row.findings_info),
            },
            score: row.score,
            score_detail: row.score_detail,
            compliance_matrix: row.compliance_matrix,
            catalogue: row.catalogue,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            heartbeat_at: row.heartbeat_at,
            cancel_requested_at: row.cancel_requested_at,
            started_by: row.started_by.map(Into::into),
            started_by_name: row.started_by_name,
            demo: row.demo,
        })
    }
}

/// Adds a scan with the assets it looks at; its number is given by the database, `scan.id` is not read.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, scan: &Scan, assets: &[AssetId]) -> Result<ScanId> {
    let row = entity::ActiveModel {
        id: NotSet,
        organization_id: Set(scan.organization_id.0),
        kind: Set(scan.kind.as_str().to_owned()),
        profile: Set(scan.profile.as_str().to_owned()),
        status: Set(scan.status.as_str().to_owned()),
        targets: Set(scan.targets.clone()),
        options: Set(scan.options.clone()),
        partial: Set(scan.partial),
        partial_reasons: Set(scan.partial_reasons.clone().into()),
        error: Set(scan.error.clone()),
        progress: Set(scan.progress.clone()),
        hosts_total: Set(signed(scan.hosts_total)),
        hosts_finished: Set(signed(scan.hosts_finished)),
        outcomes: Set(scan.outcomes.clone()),
        findings_critical: Set(signed(scan.findings.critical)),
        findings_high: Set(signed(scan.findings.high)),
        findings_medium: Set(signed(scan.findings.medium)),
        findings_low: Set(signed(scan.findings.low)),
        findings_info: Set(signed(scan.findings.info)),
        score: Set(scan.score),
        score_detail: Set(scan.score_detail.clone()),
        compliance_matrix: Set(scan.compliance_matrix.clone()),
        catalogue: Set(scan.catalogue.clone()),
        created_at: Set(scan.created_at),
        started_at: Set(scan.started_at),
        finished_at: Set(scan.finished_at),
        heartbeat_at: Set(scan.heartbeat_at),
        cancel_requested_at: Set(scan.cancel_requested_at),
        started_by: Set(scan.started_by.map(|id| id.0)),
        started_by_name: Set(scan.started_by_name.clone()),
        demo: Set(scan.demo),
    };
    let id = ScanId(row.insert(&db.conn()).await?.id);
    for chunk in assets.chunks(BATCH) {
        let rows = chunk.iter().map(|asset| scan_asset::ActiveModel {
            organization_id: Set(scan.organization_id.0),
            scan_id: Set(id.0),
            asset_id: Set(asset.0),
        });
        scan_asset::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([scan_asset::Column::ScanId, scan_asset::Column::AssetId]).do_nothing().to_owned(),
            )
            .exec_without_returning(&db.conn())
            .await?;
    }
    Ok(id)
}

fn select(organization: OrganizationId, filter: &ScanFilter) -> Select<entity::Entity> {
    let mut all = Condition::all().add(Column::OrganizationId.eq(organization.0));
    if !filter.statuses.is_empty() {
        all = all.add(Column::Status.is_in(filter.statuses.iter().map(|status| status.as_str())));
    }
    if let Some(kind) = filter.kind {
        all = all.add(Column::Kind.eq(kind.as_str()));
    }
    if !filter.profiles.is_empty() {
        all = all.add(Column::Profile.is_in(filter.profiles.iter().map(|profile| profile.as_str())));
    }
    if let Some(demo) = filter.demo {
        all = all.add(Column::Demo.eq(demo));
    }
    if let Some(at) = filter.finished_after {
        all = all.add(Column::FinishedAt.gte(at));
    }
    if let Some(asset) = filter.asset {
        all = all.add(looked_at(asset));
    }
    if let Some(q) = &filter.q {
        all = all.add(page::contains(Expr::col(Column::Targets).cast_as("text"), q));
    }
    entity::Entity::find().filter(all)
}

fn looked_at(asset: AssetId) -> SimpleExpr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(scan_asset::Entity)
            .and_where(scan_asset::Column::AssetId.eq(asset.0))
            .and_where(Expr::col((scan_asset::Entity, scan_asset::Column::ScanId)).equals((entity::Entity, Column::Id)))
            .take(),
    )
}

/// One page of the scans that `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &ScanFilter,
    sort: (ScanSort, SortDir),
    page: Page,
) -> Result<Listed<Scan>> {
    let column = match sort.0 {
        ScanSort::Id => Column::Id,
        ScanSort::Status => Column::Status,
        ScanSort::Profile => Column::Profile,
        ScanSort::CreatedAt => Column::CreatedAt,
        ScanSort::StartedAt => Column::StartedAt,
        ScanSort::FinishedAt => Column::FinishedAt,
        ScanSort::Score => Column::Score,
    };
    let sort = (column.into_simple_expr(), sort.1);
    let listed = page::page(&db.conn(), select(organization, filter), sort, Column::Id, page).await?;
    let rows = listed.rows.into_iter().map(Scan::try_from).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// How many scans `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>, organization: OrganizationId, filter: &ScanFilter) -> Result<u64> {
    page::count(&db.conn(), &select(organization, filter)).await
}

/// One scan.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: ScanId) -> Result<Option<Scan>> {
    let row =
        entity::Entity::find_by_id(id.0).filter(Column::OrganizationId.eq(organization.0)).one(&db.conn()).await?;
    row.map(Scan::try_from).transpose()
}

/// The completed scan that ended last.
///
/// # Errors
/// If the database fails.
pub async fn latest_completed(db: Db<'_>, organization: OrganizationId, demo: Option<bool>) -> Result<Option<Scan>> {
    let completed = ScanFilter { statuses: vec![ScanStatus::Completed], demo, ..ScanFilter::default() };
    let row = select(organization, &completed)
        .order_by_desc(Column::FinishedAt)
        .order_by_desc(Column::Id)
        .limit(1)
        .one(&db.conn())
        .await?;
    row.map(Scan::try_from).transpose()
}

/// Moves a scan from one of `from` to `to`. Says whether it was in one of them. The first start is kept.
///
/// # Errors
/// If the database fails.
pub async fn transition(
    db: Db<'_>,
    organization: OrganizationId,
    id: ScanId,
    (from, to): (&[ScanStatus], ScanStatus),
    at: DateTime<Utc>,
) -> Result<bool> {
    let mut update = entity::Entity::update_many().col_expr(Column::Status, Expr::value(to.as_str()));
    if to == ScanStatus::Running {
        update = update
            .col_expr(
                Column::StartedAt,
                SimpleExpr::from(sea_orm::sea_query::Func::coalesce([Expr::col(Column::StartedAt), Expr::value(at)])),
            )
            .col_expr(Column::HeartbeatAt, Expr::value(at));
    }
    if to.is_final() {
        update = update.col_expr(Column::FinishedAt, Expr::value(at));
    }
    let done = update
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .filter(Column::Status.is_in(from.iter().map(|status| status.as_str())))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes that somebody asked a scan to stop. Says whether it had not ended.
///
/// # Errors
/// If the database fails.
pub async fn request_cancel(db: Db<'_>, organization: OrganizationId, id: ScanId, at: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::CancelRequestedAt, Expr::value(at))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .filter(Column::Status.is_in([ScanStatus::Pending.as_str(), ScanStatus::Running.as_str()]))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Stores the last progress and a sign of life.
///
/// # Errors
/// If the database fails.
pub async fn progress(
    db: Db<'_>,
    organization: OrganizationId,
    id: ScanId,
    progress: &Value,
    at: DateTime<Utc>,
) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::Progress, Expr::value(progress.clone()))
        .col_expr(Column::HeartbeatAt, Expr::value(at))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Adds a committed host to the counts of its scan.
///
/// # Errors
/// If the database fails.
pub async fn add_host(
    db: Db<'_>,
    organization: OrganizationId,
    id: ScanId,
    findings: SeverityCounts,
    at: DateTime<Utc>,
) -> Result<()> {
    let plus = |column: Column, by: u64| Expr::col(column).add(signed(by));
    entity::Entity::update_many()
        .col_expr(Column::HostsFinished, plus(Column::HostsFinished, 1))
        .col_expr(Column::FindingsCritical, plus(Column::FindingsCritical, findings.critical))
        .col_expr(Column::FindingsHigh, plus(Column::FindingsHigh, findings.high))
        .col_expr(Column::FindingsMedium, plus(Column::FindingsMedium, findings.medium))
        .col_expr(Column::FindingsLow, plus(Column::FindingsLow, findings.low))
        .col_expr(Column::FindingsInfo, plus(Column::FindingsInfo, findings.info))
        .col_expr(Column::HeartbeatAt, Expr::value(at))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanEnd {
    /// Completed, failed or cancelled.
    pub status: ScanStatus,
    /// Whether results have gaps.
    pub partial: bool,
    /// One sentence a gap.
    pub partial_reasons: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Verdicts by outcome.
    pub outcomes: Value,
    /// Score.
    pub score: Option<f64>,
    /// The score's parts.
    pub score_detail: Value,
    /// The compliance matrix.
    pub compliance_matrix: Value,
    /// When.
    pub finished_at: DateTime<Utc>,
}

/// Ends a scan that has not ended. Says whether it had not.
///
/// # Errors
/// If the database fails.
pub async fn end(db: Db<'_>, organization: OrganizationId, id: ScanId, end: ScanEnd) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(end.status.as_str()))
        .col_expr(Column::Partial, Expr::value(end.partial))
        .col_expr(Column::PartialReasons, Expr::value(Value::from(end.partial_reasons)))
        .col_expr(Column::Error, Expr::value(end.error))
        .col_expr(Column::Outcomes, Expr::value(end.outcomes))
        .col_expr(Column::Score, Expr::value(end.score))
        .col_expr(Column::ScoreDetail, Expr::value(end.score_detail))
        .col_expr(Column::ComplianceMatrix, Expr::value(end.compliance_matrix))
        .col_expr(Column::FinishedAt, Expr::value(end.finished_at))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .filter(Column::Status.is_in([ScanStatus::Pending.as_str(), ScanStatus::Running.as_str()]))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Removes a scan with its hosts and observations. Findings stay. Says whether it existed.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, id: ScanId) -> Result<bool> {
    let done = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Removes the scans that are demonstration data. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_demo(db: Db<'_>, organization: OrganizationId) -> Result<u64> {
    let removed = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Demo.eq(true))
        .exec(&db.conn())
        .await?;
    Ok(removed.rows_affected)
}
