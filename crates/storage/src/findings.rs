//! Findings: one row for each identity of an organisation, across scans, and the history of each.
//!
//! What a verdict does to a finding is decided in `domain::finding::Lifecycle`; here it is only stored.

use bartizan_domain::id::{AssetId, FindingId, OrganizationId, ScanId, UserId};
use bartizan_domain::{CheckId, Confidence, FindingStatus, Fingerprint, Location, ResolutionReason, Severity};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};
use serde_json::Value;

use crate::counts::{signed, unsigned};
use crate::error::parse;
use crate::{BATCH, Db, Listed, Page, Result, SortDir, StorageError, codes, page};

mod events;
mod search;
mod stretch;
mod tally;
mod totals;

use search::{Use, Wanted, column};
use stretch::Stretch;

pub use events::{EventKind, FindingEvent, append_events, history};
pub use tally::compact;
pub use totals::{DayCount, Facet, Movements, by_severity, facet, movements, open_by_asset, open_by_check};

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id.
    pub id: FindingId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Identity across scans.
    pub fingerprint: Fingerprint,
    /// Which check.
    pub check_id: CheckId,
    /// Category of the check.
    pub category: String,
    /// Title of the check when it was last seen.
    pub title: String,
    /// Severity when last seen.
    pub severity: Severity,
    /// Confidence when last seen.
    pub confidence: Confidence,
    /// Canonical text of the asset.
    pub asset: String,
    /// The asset row, while there is one.
    pub asset_id: Option<AssetId>,
    /// Where on it.
    pub location: Location,
    /// Workflow status.
    pub status: FindingStatus,
    /// Why it is resolved.
    pub resolution_reason: Option<ResolutionReason>,
    /// What a person wrote with the last change of status.
    pub status_note: Option<String>,
    /// When the status last changed.
    pub status_changed_at: DateTime<Utc>,
    /// Until when the risk is accepted.
    pub accepted_until: Option<DateTime<Utc>>,
    /// Who accepted it.
    pub accepted_by: Option<UserId>,
    /// The facts when last seen.
    pub evidence: Value,
    /// First scan's time.
    pub first_seen_at: DateTime<Utc>,
    /// Last scan's time in which it failed.
    pub last_seen_at: DateTime<Utc>,
    /// First scan.
    pub first_scan_id: ScanId,
    /// Last scan in which it failed.
    pub last_scan_id: ScanId,
    /// Scans in which it failed.
    pub occurrences: u64,
    /// How often it came back after it was resolved.
    pub reopened: u64,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The scan whose passing check resolved it.
    pub resolved_scan_id: Option<ScanId>,
    /// Whether it belongs to the demonstration data.
    pub demo: bool,
    /// Last change of the row.
    pub updated_at: DateTime<Utc>,
}

/// Which findings a list shows. Everything given must hold; of a list of values one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Severities; empty for all.
    pub severities: Vec<Severity>,
    /// Statuses; empty for all.
    pub statuses: Vec<FindingStatus>,
    /// Categories; empty for all.
    pub categories: Vec<String>,
    /// Check ids; empty for all.
    pub checks: Vec<String>,
    /// Asset row.
    pub asset_id: Option<AssetId>,
    /// Canonical asset text, exactly.
    pub asset: Option<String>,
    /// Failed in this scan.
    pub scan: Option<ScanId>,
    /// Part of the title, the asset, the check id or the location, whatever the case.
    pub q: Option<String>,
    /// These ids, at most [`BATCH`].
    pub ids: Option<Vec<FindingId>>,
    /// Acceptance ended at this instant or before.
    pub accepted_until_before: Option<DateTime<Utc>>,
    /// First seen at this instant or later.
    pub first_seen_after: Option<DateTime<Utc>>,
    /// On an asset with one of these tags; empty for any.
    pub tags: Vec<String>,
    /// Came back after it was resolved, or never did.
    pub reopened: Option<bool>,
    /// Demonstration data, or real.
    pub demo: Option<bool>,
}

/// What a list of findings may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FindingSort {
    /// Severity.
    #[default]
    Severity,
    /// First seen.
    FirstSeen,
    /// Last seen.
    LastSeen,
    /// Workflow order.
    Status,
    /// Check id.
    Check,
    /// Title.
    Title,
    /// Asset.
    Asset,
    /// Category of the check.
    Category,
    /// Number of scans that saw it.
    Occurrences,
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "findings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub fingerprint: String,
        pub check_id: String,
        pub category: String,
        pub title: String,
        pub severity: i32,
        pub confidence: i32,
        pub asset: String,
        pub asset_id: Option<Uuid>,
        pub location: String,
        pub status: i32,
        pub resolution_reason: Option<String>,
        pub status_note: Option<String>,
        pub status_changed_at: DateTimeUtc,
        pub accepted_until: Option<DateTimeUtc>,
        pub accepted_by: Option<Uuid>,
        pub evidence: Json,
        pub first_seen_at: DateTimeUtc,
        pub last_seen_at: DateTimeUtc,
        pub first_scan_id: i64,
        pub last_scan_id: i64,
        pub occurrences: i64,
        pub reopened: i64,
        pub resolved_at: Option<DateTimeUtc>,
        pub resolved_scan_id: Option<i64>,
        pub demo: bool,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl TryFrom<entity::Model> for Finding {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            fingerprint: fingerprint_of(&row.fingerprint)?,
            check_id: CheckId::parse(&row.check_id).map_err(StorageError::Corrupt)?,
            category: row.category,
            title: row.title,
            severity: codes::to_severity(row.severity)?,
            confidence: codes::to_confidence(row.confidence)?,
            asset: row.asset,
            asset_id: row.asset_id.map(Into::into),
            location: Location::from_stored(row.location),
            status: codes::to_status(row.status)?,
            resolution_reason: row.resolution_reason.as_deref().map(parse).transpose()?,
            status_note: row.status_note,
            status_changed_at: row.status_changed_at,
            accepted_until: row.accepted_until,
            accepted_by: row.accepted_by.map(Into::into),
            evidence: row.evidence,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            first_scan_id: ScanId(row.first_scan_id),
            last_scan_id: ScanId(row.last_scan_id),
            occurrences: unsigned(row.occurrences),
            reopened: unsigned(row.reopened),
            resolved_at: row.resolved_at,
            resolved_scan_id: row.resolved_scan_id.map(ScanId),
            demo: row.demo,
            updated_at: row.updated_at,
        })
    }
}

/// So many rows are sorted as quickly as the page is found that is wanted of them.
const SORTED_AT_ONCE: u64 = 5_000;

fn fingerprint_of(text: &str) -> Result<Fingerprint> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|error| StorageError::Corrupt(error.to_string()))
}

fn active(finding: &Finding) -> entity::ActiveModel {
    entity::ActiveModel {
        id: Set(finding.id.0),
        organization_id: Set(finding.organization_id.0),
        fingerprint: Set(finding.fingerprint.as_str().to_owned()),
        check_id: Set(finding.check_id.as_str().to_owned()),
        category: Set(finding.category.clone()),
        title: Set(finding.title.clone()),
        severity: Set(codes::severity(finding.severity)),
        confidence: Set(codes::confidence(finding.confidence)),
        asset: Set(finding.asset.clone()),
        asset_id: Set(finding.asset_id.map(|id| id.0)),
        location: Set(finding.location.as_str().to_owned()),
        status: Set(codes::status(finding.status)),
        resolution_reason: Set(finding.resolution_reason.map(|reason| reason.as_str().to_owned())),
        status_note: Set(finding.status_note.clone()),
        status_changed_at: Set(finding.status_changed_at),
        accepted_until: Set(finding.accepted_until),
        accepted_by: Set(finding.accepted_by.map(|id| id.0)),
        evidence: Set(finding.evidence.clone()),
        first_seen_at: Set(finding.first_seen_at),
        last_seen_at: Set(finding.last_seen_at),
        first_scan_id: Set(finding.first_scan_id.0),
        last_scan_id: Set(finding.last_scan_id.0),
        occurrences: Set(signed(finding.occurrences)),
        reopened: Set(signed(finding.reopened)),
        resolved_at: Set(finding.resolved_at),
        resolved_scan_id: Set(finding.resolved_scan_id.map(|id| id.0)),
        demo: Set(finding.demo),
        updated_at: Set(finding.updated_at),
    }
}

/// The findings that are wanted, as they come.
fn select(db: Db<'_>, organization: OrganizationId, wanted: &Wanted) -> Select<entity::Entity> {
    // Where a text is searched or the last days are looked at, their index is to serve; SQLite, which knows nothing of
    // how many rows have a value, would take any other.
    let rest = if wanted.searches() || wanted.filter.first_seen_after.is_some() { Use::beside(db) } else { Use::Index };
    matching(wanted.condition(db, organization, Use::Index), &wanted.filter, (rest, rest))
}

/// Findings that are wanted in order, of which there are `total`.
fn in_order(
    db: Db<'_>,
    organization: OrganizationId,
    wanted: &Wanted,
    sort: FindingSort,
    total: u64,
) -> Select<entity::Entity> {
    // Of many rows SQLite would collect and sort all for the sake of one condition. Instead, the index of the order is
    // walked until the page is full.
    let walk = !db.is_postgres()
        && total > SORTED_AT_ONCE
        && (wanted.searches() || tally::select(organization, &wanted.filter).is_some());
    if !walk {
        return select(db, organization, wanted);
    }
    // The findings of one check have an index in that order.
    let of_check = sort == FindingSort::Severity && wanted.filter.checks.len() == 1;
    let check = if of_check { Use::Index } else { Use::Check };
    matching(wanted.condition(db, organization, Use::Check), &wanted.filter, (Use::Check, check))
}

fn matching(mut all: Condition, filter: &FindingFilter, (how, check): (Use, Use)) -> Select<entity::Entity> {
    all = Condition::all().add(all);
    if !filter.severities.is_empty() {
        let codes = filter.severities.iter().map(|severity| codes::severity(*severity));
        all = all.add(column(Column::Severity, how).is_in(codes));
    }
    if !filter.statuses.is_empty() {
        let codes = filter.statuses.iter().map(|status| codes::status(*status));
        all = all.add(column(Column::Status, how).is_in(codes));
    }
    if !filter.categories.is_empty() {
        all = all.add(column(Column::Category, how).is_in(filter.categories.iter().map(String::as_str)));
    }
    if !filter.checks.is_empty() {
        all = all.add(column(Column::CheckId, check).is_in(filter.checks.iter().map(String::as_str)));
    }
    if let Some(asset) = filter.asset_id {
        all = all.add(Column::AssetId.eq(asset.0));
    }
    if let Some(asset) = &filter.asset {
        all = all.add(Column::Asset.eq(asset.as_str()));
    }
    if let Some(scan) = filter.scan {
        all = all.add(seen_in(scan));
    }
    if let Some(ids) = &filter.ids {
        all = all.add(Column::Id.is_in(ids.iter().map(|id| id.0)));
    }
    if let Some(at) = filter.accepted_until_before {
        all = all.add(Column::AcceptedUntil.lte(at));
    }
    if let Some(at) = filter.first_seen_after {
        all = all.add(Column::FirstSeenAt.gte(at));
    }
    if !filter.tags.is_empty() {
        all = all.add(on_tagged(&filter.tags));
    }
    if let Some(demo) = filter.demo {
        all = all.add(Column::Demo.eq(demo));
    }
    match filter.reopened {
        Some(true) => all = all.add(Column::Reopened.gt(0)),
        Some(false) => all = all.add(Column::Reopened.eq(0)),
        None => {}
    }
    entity::Entity::find().filter(all)
}

fn on_tagged(tags: &[String]) -> SimpleExpr {
    use crate::assets::tag;
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(tag::Entity)
            .and_where(
                Expr::col((tag::Entity, tag::Column::OrganizationId)).equals((entity::Entity, Column::OrganizationId)),
            )
            .and_where(tag::Column::Tag.is_in(tags.iter().map(String::as_str)))
            .and_where(Expr::col((tag::Entity, tag::Column::AssetId)).equals((entity::Entity, Column::AssetId)))
            .take(),
    )
}

fn seen_in(scan: ScanId) -> SimpleExpr {
    use crate::observations::entity as observation;
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(observation::Entity)
            .and_where(observation::Column::ScanId.eq(scan.0))
            .and_where(
                Expr::col((observation::Entity, observation::Column::FindingId)).equals((entity::Entity, Column::Id)),
            )
            .take(),
    )
}

const fn sort_column(sort: FindingSort) -> Column {
    match sort {
        FindingSort::Severity => Column::Severity,
        FindingSort::FirstSeen => Column::FirstSeenAt,
        FindingSort::LastSeen => Column::LastSeenAt,
        FindingSort::Status => Column::Status,
        FindingSort::Check => Column::CheckId,
        FindingSort::Title => Column::Title,
        FindingSort::Asset => Column::Asset,
        FindingSort::Category => Column::Category,
        FindingSort::Occurrences => Column::Occurrences,
    }
}

/// What a list is ordered by. Where few rows are wanted that an index finds, SQLite would still rather walk the index of
/// the order: a plus sign keeps it from that, and the few are sorted.
fn order_by(db: Db<'_>, sort: FindingSort, wanted: &Wanted, total: u64) -> SimpleExpr {
    let narrow = wanted.searches() || wanted.filter.asset_id.is_some() || wanted.filter.asset.is_some();
    if db.is_postgres() || !narrow || total > SORTED_AT_ONCE {
        return sort_column(sort).into_simple_expr();
    }
    column(sort_column(sort), Use::Check)
}

/// One page of the findings that `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &FindingFilter,
    (sort, dir): (FindingSort, SortDir),
    page: Page,
) -> Result<Listed<Finding>> {
    let mut wanted = Wanted::of(db, organization, filter).await?;
    let stretch = match sort {
        FindingSort::Severity => Stretch::of(db, organization, &wanted, dir, page).await?,
        _ => None,
    };
    let (total, part) = match &stretch {
        Some(stretch) => (stretch.total, stretch.part),
        None => {
            let total = total(db, organization, &wanted).await?;
            (total, page::Part { offset: page.offset(), size: page.size, total })
        }
    };
    if stretch.as_ref().is_some_and(Stretch::is_one) {
        wanted.filter.severities.clear();
    }
    let by = page::SortBy::never_null(order_by(db, sort, &wanted, part.total), dir);
    let mut select = in_order(db, organization, &wanted, sort, part.total);
    if let Some(stretch) = stretch {
        select = select.filter(stretch.condition());
    }
    let rows = page::rows(&db.conn(), select, by, Column::Id, part).await?;
    Ok(Listed { rows: rows.into_iter().map(Finding::try_from).collect::<Result<_>>()?, total })
}

/// The findings that follow `after` in the order of a list, at most `size`: as quick at the end of a long list as at
/// its begin. `after` itself need not pass the filter.
///
/// # Errors
/// If the database fails.
pub async fn list_after(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &FindingFilter,
    (sort, dir): (FindingSort, SortDir),
    (after, size): (&Finding, u64),
) -> Result<Listed<Finding>> {
    let wanted = Wanted::of(db, organization, filter).await?;
    let total = total(db, organization, &wanted).await?;
    let here = Expr::tuple([order_by(db, sort, &wanted, total), Column::Id.into_simple_expr()]);
    let there = Expr::tuple([sort_value(after, sort), Expr::value(after.id.0)]);
    let rest = match dir {
        SortDir::Asc => here.gt(there),
        SortDir::Desc => here.lt(there),
    };
    let rows = in_order(db, organization, &wanted, sort, total)
        .filter(rest)
        .order_by(order_by(db, sort, &wanted, total), dir.into())
        .order_by(Column::Id, dir.into())
        .limit(size)
        .all(&db.conn())
        .await?;
    Ok(Listed { rows: rows.into_iter().map(Finding::try_from).collect::<Result<_>>()?, total })
}

fn sort_value(finding: &Finding, sort: FindingSort) -> SimpleExpr {
    match sort {
        FindingSort::Severity => Expr::value(codes::severity(finding.severity)),
        FindingSort::FirstSeen => Expr::value(finding.first_seen_at),
        FindingSort::LastSeen => Expr::value(finding.last_seen_at),
        FindingSort::Status => Expr::value(codes::status(finding.status)),
        FindingSort::Check => Expr::value(finding.check_id.as_str()),
        FindingSort::Title => Expr::value(finding.title.as_str()),
        FindingSort::Asset => Expr::value(finding.asset.as_str()),
        FindingSort::Category => Expr::value(finding.category.as_str()),
        FindingSort::Occurrences => Expr::value(signed(finding.occurrences)),
    }
}

/// How many findings `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>, organization: OrganizationId, filter: &FindingFilter) -> Result<u64> {
    total(db, organization, &Wanted::of(db, organization, filter).await?).await
}

async fn total(db: Db<'_>, organization: OrganizationId, wanted: &Wanted) -> Result<u64> {
    if let Some(kept) = wanted.kept(organization) {
        return tally::total(db, kept).await;
    }
    if let Some((kept, rest)) = wanted.parts(organization) {
        return Ok(tally::total(db, kept).await? + page::count(&db.conn(), &select(db, organization, &rest)).await?);
    }
    page::count(&db.conn(), &select(db, organization, wanted)).await
}

/// Ids that `filter` lets through, in order of id, at most `limit`.
///
/// # Errors
/// If the database fails.
pub async fn ids(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &FindingFilter,
    limit: u64,
) -> Result<Vec<FindingId>> {
    let wanted = Wanted::of(db, organization, filter).await?;
    let rows: Vec<uuid::Uuid> = select(db, organization, &wanted)
        .select_only()
        .column(Column::Id)
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What the compliance matrix needs of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Id.
    pub id: FindingId,
    /// Which check.
    pub check_id: CheckId,
    /// Severity.
    pub severity: Severity,
    /// Workflow status.
    pub status: FindingStatus,
}

/// The findings seen in a scan, worst first.
///
/// # Errors
/// If the database fails.
pub async fn briefs_of_scan(db: Db<'_>, organization: OrganizationId, scan: ScanId) -> Result<Vec<Brief>> {
    let seen = FindingFilter { scan: Some(scan), ..FindingFilter::default() };
    let wanted = Wanted::of(db, organization, &seen).await?;
    let rows: Vec<(uuid::Uuid, String, i32, i32)> = select(db, organization, &wanted)
        .select_only()
        .columns([Column::Id, Column::CheckId, Column::Severity, Column::Status])
        .order_by_desc(Column::Severity)
        .order_by_asc(Column::CheckId)
        .order_by_asc(Column::Id)
        .into_tuple()
        .all(&db.conn())
        .await?;
    rows.into_iter()
        .map(|(id, check, severity, status)| {
            Ok(Brief {
                id: id.into(),
                check_id: CheckId::parse(&check).map_err(StorageError::Corrupt)?,
                severity: codes::to_severity(severity)?,
                status: codes::to_status(status)?,
            })
        })
        .collect()
}

/// One finding.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: FindingId) -> Result<Option<Finding>> {
    let row =
        entity::Entity::find_by_id(id.0).filter(Column::OrganizationId.eq(organization.0)).one(&db.conn()).await?;
    row.map(Finding::try_from).transpose()
}

/// The findings with these ids, in order of id; unknown and foreign ones are left out.
///
/// # Errors
/// If the database fails.
pub async fn many(db: Db<'_>, organization: OrganizationId, ids: &[FindingId]) -> Result<Vec<Finding>> {
    let mut findings = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(BATCH) {
        let rows = entity::Entity::find()
            .filter(Column::OrganizationId.eq(organization.0))
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.0)))
            .order_by_asc(Column::Id)
            .all(&db.conn())
            .await?;
        for row in rows {
            findings.push(row.try_into()?);
        }
    }
    Ok(findings)
}

/// Every finding of one asset, whatever its status: what a new judgement of that asset is compared with.
///
/// # Errors
/// If the database fails.
pub async fn of_asset(db: Db<'_>, organization: OrganizationId, asset: &str) -> Result<Vec<Finding>> {
    let rows = entity::Entity::find()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Asset.eq(asset))
        .order_by_asc(Column::Id)
        .all(&db.conn())
        .await?;
    rows.into_iter().map(Finding::try_from).collect()
}

/// Every unresolved finding that belongs to an asset row.
///
/// # Errors
/// If the database fails.
pub async fn unresolved_of(db: Db<'_>, organization: OrganizationId, asset: AssetId) -> Result<Vec<Finding>> {
    let rows = entity::Entity::find()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::AssetId.eq(asset.0))
        .filter(Column::Status.ne(codes::status(FindingStatus::Resolved)))
        .order_by_asc(Column::Id)
        .all(&db.conn())
        .await?;
    rows.into_iter().map(Finding::try_from).collect()
}

/// Writes findings: new identities are added, known ones replaced except for their id, first sighting and organisation.
///
/// # Errors
/// If the database fails.
pub async fn upsert(db: Db<'_>, findings: &[Finding]) -> Result<()> {
    for chunk in findings.chunks(BATCH) {
        entity::Entity::insert_many(chunk.iter().map(active))
            .on_conflict(
                OnConflict::columns([Column::OrganizationId, Column::Fingerprint])
                    .update_columns([
                        Column::Category,
                        Column::Title,
                        Column::Severity,
                        Column::Confidence,
                        Column::AssetId,
                        Column::Status,
                        Column::ResolutionReason,
                        Column::StatusNote,
                        Column::StatusChangedAt,
                        Column::AcceptedUntil,
                        Column::AcceptedBy,
                        Column::Evidence,
                        Column::LastSeenAt,
                        Column::LastScanId,
                        Column::Occurrences,
                        Column::Reopened,
                        Column::ResolvedAt,
                        Column::ResolvedScanId,
                        Column::Demo,
                        Column::UpdatedAt,
                    ])
                    .to_owned(),
            )
            .exec_without_returning(&db.conn())
            .await?;
    }
    Ok(())
}

/// Keeps other transactions from judging the same asset until this one ends, so that what was read stays true.
/// SQLite has one writer anyway.
///
/// # Errors
/// If the database fails.
pub async fn lock_asset(db: Db<'_>, organization: OrganizationId, asset: &str) -> Result<()> {
    db.lock(&format!("findings/{organization}/{asset}")).await
}

/// Removes the findings that are demonstration data. Says how many.
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
