//! What a scan found on each host. A row is written once, in the transaction that commits the host: it is the
//! checkpoint from which an interrupted scan goes on.

use bartizan_domain::Severity;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::HostResult;
use bartizan_domain::id::{AssetId, OrganizationId, ScanId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};

use crate::counts::{signed, unsigned};
use crate::{Db, Listed, Page, Result, SeverityCounts, SortDir, StorageError, page};

/// One host of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanHost {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Which scan.
    pub scan_id: ScanId,
    /// Order of finishing, from 1.
    pub position: u64,
    /// Canonical text of the asset.
    pub asset: String,
    /// The asset row whose target it came from.
    pub asset_id: Option<AssetId>,
    /// Whether the host was finished.
    pub status: HostStatus,
    /// The host as results show it.
    pub result: HostResult,
    /// Verdicts by outcome.
    pub outcomes: OutcomeCounts,
    /// Failed checks by severity.
    pub findings: SeverityCounts,
    /// Name of the evidence blob.
    pub evidence_hash: String,
    /// Encoded coverage record.
    pub coverage: Vec<u8>,
    /// When it was committed.
    pub finished_at: DateTime<Utc>,
}

/// Whether a host was finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostStatus {
    /// Everything planned was asked.
    Finished,
    /// The scan was stopped in the middle; what is there is true but not all.
    Interrupted,
}

impl HostStatus {
    /// The stored and wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Which hosts a list shows. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFilter {
    /// Part of the asset, whatever the case.
    pub q: Option<String>,
    /// Whether anything answered.
    pub reached: Option<bool>,
    /// Has a finding of this severity or a worse one.
    pub min_severity: Option<Severity>,
}

/// What a list of hosts may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostSort {
    /// Order of finishing.
    #[default]
    Position,
    /// Asset text.
    Asset,
    /// Score.
    Score,
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "scan_hosts")]
    pub struct Model {
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scan_id: i64,
        pub position: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub asset: String,
        pub asset_id: Option<Uuid>,
        pub status: String,
        pub reached: bool,
        pub score: Option<i32>,
        pub result: Json,
        pub outcomes: Json,
        pub findings_critical: i64,
        pub findings_high: i64,
        pub findings_medium: i64,
        pub findings_low: i64,
        pub findings_info: i64,
        pub evidence_hash: String,
        pub coverage: Vec<u8>,
        pub finished_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl TryFrom<entity::Model> for ScanHost {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        let corrupt = |error: serde_json::Error| StorageError::Corrupt(error.to_string());
        Ok(Self {
            organization_id: row.organization_id.into(),
            scan_id: ScanId(row.scan_id),
            position: unsigned(row.position),
            asset: row.asset,
            asset_id: row.asset_id.map(Into::into),
            status: if row.status == HostStatus::Finished.as_str() {
                HostStatus::Finished
            } else {
                HostStatus::Interrupted
            },
            result: serde_json::from_value(row.result).map_err(corrupt)?,
            outcomes: serde_json::from_value(row.outcomes).map_err(corrupt)?,
            findings: SeverityCounts {
                critical: unsigned(row.findings_critical),
                high: unsigned(row.findings_high),
                medium: unsigned(row.findings_medium),
                low: unsigned(row.findings_low),
                info: unsigned(row.findings_info),
            },
            evidence_hash: row.evidence_hash,
            coverage: row.coverage,
            finished_at: row.finished_at,
        })
    }
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| StorageError::Corrupt(error.to_string()))
}

/// Commits a host. A host that was interrupted before is replaced; one that was finished stays.
/// Says whether the row was written.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, host: &ScanHost) -> Result<bool> {
    entity::Entity::delete_many()
        .filter(Column::ScanId.eq(host.scan_id.0))
        .filter(Column::Asset.eq(host.asset.as_str()))
        .filter(Column::Status.eq(HostStatus::Interrupted.as_str()))
        .exec(&db.conn())
        .await?;
    let row = entity::ActiveModel {
        organization_id: Set(host.organization_id.0),
        scan_id: Set(host.scan_id.0),
        position: Set(signed(host.position)),
        asset: Set(host.asset.clone()),
        asset_id: Set(host.asset_id.map(|id| id.0)),
        status: Set(host.status.as_str().to_owned()),
        reached: Set(host.result.reached),
        score: Set(host.result.score.map(i32::from)),
        result: Set(json(&host.result)?),
        outcomes: Set(json(&host.outcomes)?),
        findings_critical: Set(signed(host.findings.critical)),
        findings_high: Set(signed(host.findings.high)),
        findings_medium: Set(signed(host.findings.medium)),
        findings_low: Set(signed(host.findings.low)),
        findings_info: Set(signed(host.findings.info)),
        evidence_hash: Set(host.evidence_hash.clone()),
        coverage: Set(host.coverage.clone()),
        finished_at: Set(host.finished_at),
    };
    let written = entity::Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::ScanId, Column::Asset]).do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    Ok(written == 1)
}

fn select(organization: OrganizationId, scan: ScanId, filter: &HostFilter) -> Select<entity::Entity> {
    let mut all = Condition::all().add(Column::OrganizationId.eq(organization.0)).add(Column::ScanId.eq(scan.0));
    if let Some(q) = &filter.q {
        all = all.add(page::contains(Column::Asset, q));
    }
    if let Some(reached) = filter.reached {
        all = all.add(Column::Reached.eq(reached));
    }
    if let Some(least) = filter.min_severity {
        let columns = [
            (Severity::Critical, Column::FindingsCritical),
            (Severity::High, Column::FindingsHigh),
            (Severity::Medium, Column::FindingsMedium),
            (Severity::Low, Column::FindingsLow),
            (Severity::Info, Column::FindingsInfo),
        ];
        let bad_enough = columns.into_iter().filter(|(severity, _)| *severity >= least);
        all = all.add(bad_enough.fold(Condition::any(), |any, (_, column)| any.add(column.gt(0))));
    }
    entity::Entity::find().filter(all)
}

/// One page of the hosts of a scan.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    scan: ScanId,
    filter: &HostFilter,
    sort: (HostSort, SortDir),
    page: Page,
) -> Result<Listed<ScanHost>> {
    let column = match sort.0 {
        HostSort::Position => Column::Position,
        HostSort::Asset => Column::Asset,
        HostSort::Score => Column::Score,
    };
    let sort = (column.into_simple_expr(), sort.1);
    let listed = page::page(&db.conn(), select(organization, scan, filter), sort, Column::Asset, page).await?;
    let rows = listed.rows.into_iter().map(ScanHost::try_from).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// The results of the assets that are finished in a scan.
///
/// # Errors
/// If the database fails or a row is not as written.
pub async fn finished(db: Db<'_>, organization: OrganizationId, scan: ScanId) -> Result<Vec<HostResult>> {
    let results: Vec<serde_json::Value> = select(organization, scan, &HostFilter::default())
        .select_only()
        .column(Column::Result)
        .filter(Column::Status.eq(HostStatus::Finished.as_str()))
        .order_by_asc(Column::Position)
        .into_tuple()
        .all(&db.conn())
        .await?;
    let read = |result| serde_json::from_value(result).map_err(|error| StorageError::Corrupt(error.to_string()));
    results.into_iter().map(read).collect()
}

/// The highest position given out in a scan, 0 for none.
///
/// # Errors
/// If the database fails.
pub async fn last_position(db: Db<'_>, organization: OrganizationId, scan: ScanId) -> Result<u64> {
    use sea_orm::sea_query::ExprTrait as _;
    let last: Option<Option<i64>> = select(organization, scan, &HostFilter::default())
        .select_only()
        .expr(Expr::col(Column::Position).max())
        .into_tuple()
        .one(&db.conn())
        .await?;
    Ok(last.flatten().map_or(0, unsigned))
}

/// Hosts of a scan after `asset` in order of asset text, at most `limit`: for walking over all of them in bounded
/// memory.
///
/// # Errors
/// If the database fails.
pub async fn after(
    db: Db<'_>,
    organization: OrganizationId,
    scan: ScanId,
    asset: Option<&str>,
    limit: u64,
) -> Result<Vec<ScanHost>> {
    let mut hosts = select(organization, scan, &HostFilter::default());
    if let Some(asset) = asset {
        hosts = hosts.filter(Column::Asset.gt(asset));
    }
    let rows = hosts.order_by_asc(Column::Asset).limit(limit).all(&db.conn()).await?;
    rows.into_iter().map(ScanHost::try_from).collect()
}
