//! Counts over findings: facets of the list, totals by severity, asset and check, and how findings came and went.

use std::collections::BTreeMap;

use bartizan_domain::id::{AssetId, OrganizationId};
use bartizan_domain::{CheckId, FindingStatus, Severity};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, TryGetableMany,
};

use super::search::{Use, column};
use super::{Column, FindingFilter, Wanted, entity, select, tally};
use crate::counts::unsigned;
use crate::{BATCH, Db, Result, SeverityCounts, StorageError, codes};

/// What is neither resolved nor accepted as a risk.
const UNRESOLVED: [FindingStatus; 3] = [FindingStatus::Open, FindingStatus::Acknowledged, FindingStatus::InProgress];

/// Most values of a facet.
const MOST_VALUES: usize = 200;

/// What findings are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// By severity.
    Severity,
    /// By status.
    Status,
    /// By category.
    Category,
    /// By check id.
    Check,
}

/// Findings that came or went on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCount {
    /// The day, UTC, as `2026-11-22`.
    pub day: String,
    /// Severity they have now.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// What a trend is added up from. Findings whose risk is accepted are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movements {
    /// Unresolved at the beginning.
    pub before: SeverityCounts,
    /// First seen since, by day.
    pub appeared: Vec<DayCount>,
    /// Resolved since, by day.
    pub resolved: Vec<DayCount>,
}

/// How findings came and went since an instant.
///
/// # Errors
/// If the database fails.
pub async fn movements(
    db: Db<'_>,
    organization: OrganizationId,
    demo: bool,
    since: DateTime<Utc>,
) -> Result<Movements> {
    let rows = || {
        entity::Entity::find()
            .filter(Column::OrganizationId.eq(organization.0))
            .filter(Column::Demo.eq(demo))
            .filter(Column::Status.ne(codes::status(FindingStatus::AcceptedRisk)))
    };
    let mut moved = Vec::with_capacity(2);
    for (column, name) in [(Column::FirstSeenAt, "first_seen_at"), (Column::ResolvedAt, "resolved_at")] {
        // The two databases keep time in different types.
        let day = match db.conn().get_database_backend() {
            DbBackend::Postgres => format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
            _ => format!("substr({name}, 1, 10)"),
        };
        let counted: Vec<(String, i32, i64)> = rows()
            .filter(column.gte(since))
            .select_only()
            .expr(Expr::cust(day.clone()))
            .column(Column::Severity)
            .expr(Expr::col(Asterisk).count())
            .group_by(Expr::cust(day))
            .group_by(Column::Severity)
            .into_tuple()
            .all(&db.conn())
            .await?;
        let counts = counted.into_iter().map(|(day, code, count)| {
            Ok(DayCount { day, severity: codes::to_severity(code)?, count: unsigned(count) })
        });
        moved.push(counts.collect::<Result<Vec<_>>>()?);
    }
    let resolved = moved.pop().unwrap_or_default();
    let appeared = moved.pop().unwrap_or_default();
    // What is unresolved now, less what has appeared since, and what has been resolved since.
    let now = FindingFilter { statuses: UNRESOLVED.to_vec(), demo: Some(demo), ..FindingFilter::default() };
    let mut before = by_severity(db, organization, &now).await?;
    for day in &resolved {
        before.add(day.severity, day.count);
    }
    for day in &appeared {
        before.remove(day.severity, day.count);
    }
    Ok(Movements { before, appeared, resolved })
}

/// How the findings that `filter` lets through divide by `facet`: value in its wire form and count, greatest count
/// first, at most 200 values.
///
/// # Errors
/// If the database fails.
pub async fn facet(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &FindingFilter,
    facet: Facet,
) -> Result<Vec<(String, u64)>> {
    let wanted = Wanted::of(db, organization, filter).await?;
    if matches!(facet, Facet::Severity | Facet::Status) {
        let rows: Vec<(i32, u64)> = divided(db, organization, &wanted, facet).await?;
        return rows
            .into_iter()
            .map(|(code, count)| {
                let value = match facet {
                    Facet::Severity => codes::to_severity(code)?.as_str(),
                    _ => codes::to_status(code)?.as_str(),
                };
                Ok((value.to_owned(), count))
            })
            .collect();
    }
    divided(db, organization, &wanted, facet).await
}

/// The counts by facet as they are stored, greatest first: of the kept counts, of the rows, or of both.
async fn divided<V>(db: Db<'_>, organization: OrganizationId, wanted: &Wanted, facet: Facet) -> Result<Vec<(V, u64)>>
where
    V: Ord + Send,
    (V, i64): TryGetableMany,
{
    let mut sums: BTreeMap<V, u64> = BTreeMap::new();
    let (kept, rest) = match (wanted.kept(organization), wanted.parts(organization)) {
        (Some(kept), _) => (Some(kept), None),
        (None, Some((kept, rest))) => (Some(kept), Some(select(db, organization, &rest))),
        (None, None) => (None, Some(select(db, organization, wanted))),
    };
    if let Some(kept) = kept {
        use tally::entity::Column;
        let column = match facet {
            Facet::Severity => Column::Severity,
            Facet::Status => Column::Status,
            Facet::Category => Column::Category,
            Facet::Check => Column::CheckId,
        };
        let grouped = kept.select_only().column(column).expr(tally::sum()).group_by(column).having(tally::some());
        for (value, count) in grouped.into_tuple::<(V, i64)>().all(&db.conn()).await? {
            *sums.entry(value).or_default() += unsigned(count);
        }
    }
    if let Some(rest) = rest {
        let column = match facet {
            Facet::Severity => Column::Severity,
            Facet::Status => Column::Status,
            Facet::Category => Column::Category,
            Facet::Check => Column::CheckId,
        };
        let grouped = rest.select_only().column(column).expr(Expr::col(Column::Id).count()).group_by(column);
        for (value, count) in grouped.into_tuple::<(V, i64)>().all(&db.conn()).await? {
            *sums.entry(value).or_default() += unsigned(count);
        }
    }
    let mut sums: Vec<(V, u64)> = sums.into_iter().collect();
    // Stable: equal counts stay in the order of their values.
    sums.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sums.truncate(MOST_VALUES);
    Ok(sums)
}

/// Counts by severity of the findings that `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn by_severity(db: Db<'_>, organization: OrganizationId, filter: &FindingFilter) -> Result<SeverityCounts> {
    let wanted = Wanted::of(db, organization, filter).await?;
    let rows: Vec<(i32, u64)> = divided(db, organization, &wanted, Facet::Severity).await?;
    let mut counts = SeverityCounts::default();
    for (code, count) in rows {
        counts.add(codes::to_severity(code)?, count);
    }
    Ok(counts)
}

/// Unresolved findings of each of these assets, by severity. Accepted risks are not counted.
///
/// # Errors
/// If the database fails.
pub async fn open_by_asset(
    db: Db<'_>,
    organization: OrganizationId,
    assets: &[AssetId],
) -> Result<BTreeMap<AssetId, SeverityCounts>> {
    let open = UNRESOLVED.map(codes::status);
    let mut counts: BTreeMap<AssetId, SeverityCounts> = BTreeMap::new();
    // SQLite would walk every open finding of the organisation for the few assets.
    let own = column(Column::OrganizationId, Use::beside(db));
    for chunk in assets.chunks(BATCH) {
        let rows: Vec<(uuid::Uuid, i32, i64)> = entity::Entity::find()
            .select_only()
            .column(Column::AssetId)
            .column(Column::Severity)
            .expr(Expr::col(Column::Id).count())
            .filter(own.clone().eq(organization.0))
            .filter(Column::AssetId.is_in(chunk.iter().map(|id| id.0)))
            .filter(Column::Status.is_in(open))
            .group_by(Column::AssetId)
            .group_by(Column::Severity)
            .into_tuple()
            .all(&db.conn())
            .await?;
        for (asset, code, count) in rows {
            counts.entry(asset.into()).or_default().add(codes::to_severity(code)?, unsigned(count));
        }
    }
    Ok(counts)
}

/// Unresolved findings by check: worst severity and count. Accepted risks are not counted.
///
/// # Errors
/// If the database fails.
pub async fn open_by_check(db: Db<'_>, organization: OrganizationId) -> Result<Vec<(CheckId, Severity, u64)>> {
    use tally::entity::Column;
    let open = UNRESOLVED.map(codes::status);
    // Severities of one check whose counts are down to nothing must not be taken for the worst.
    let rows: Vec<(String, i32, i64)> = tally::entity::Entity::find()
        .select_only()
        .column(Column::CheckId)
        .column(Column::Severity)
        .expr(tally::sum())
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Status.is_in(open))
        .group_by(Column::CheckId)
        .group_by(Column::Severity)
        .having(tally::some())
        .order_by_asc(Column::CheckId)
        .order_by_desc(Column::Severity)
        .into_tuple()
        .all(&db.conn())
        .await?;
    let mut checks: Vec<(CheckId, Severity, u64)> = Vec::new();
    for (check, code, count) in rows {
        let check = CheckId::parse(&check).map_err(StorageError::Corrupt)?;
        match checks.last_mut() {
            Some((last, _, sum)) if *last == check => *sum += unsigned(count),
            _ => checks.push((check, codes::to_severity(code)?, unsigned(count))),
        }
    }
    Ok(checks)
}
