//! Schedules of scans, and what became of each of their runs.

use bartizan_domain::ScanStatus;
use bartizan_domain::id::{OrganizationId, ScanId, ScheduleId, UserId};
use bartizan_domain::schedule::{CatchUp, DayRule, Overlap, RunCause, RunOutcome};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use serde_json::Value;
use uuid::Uuid;

use crate::error::parse;
use crate::page::{self, contains};
use crate::{Db, Listed, Page, Result, SortDir, StorageError};

/// A schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Id.
    pub id: ScheduleId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Name, unique in the organisation whatever its case.
    pub name: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Cron expression of five fields.
    pub cron: String,
    /// What two restricted days mean.
    pub day_rule: DayRule,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Seconds by which it may be late on purpose.
    pub jitter_seconds: i32,
    /// Seconds by which it is, drawn once, below `jitter_seconds`.
    pub jitter_offset_seconds: i32,
    /// What happens with instants that were missed.
    pub catch_up: CatchUp,
    /// What happens while the scan before still runs.
    pub overlap: Overlap,
    /// The scan it launches, as `services` writes it.
    pub scan: Value,
    /// The next instant of its expression; none while it is paused or if there is no further one.
    pub next_fire_at: Option<DateTime<Utc>>,
    /// That instant with the offset: when it is acted on.
    pub due_at: Option<DateTime<Utc>>,
    /// An instant whose scan waits for another to end.
    pub waiting_fire_at: Option<DateTime<Utc>>,
    /// When it last ran.
    pub last_run_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub last_outcome: Option<RunOutcome>,
    /// The scan it last launched.
    pub last_scan_id: Option<ScanId>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Name of who made it.
    pub created_by_name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// 1, and one more for each change.
    pub version: i64,
}

/// One run of a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRun {
    /// Id.
    pub id: Uuid,
    /// The instant of the expression it was for; for a run on request, when that was made.
    pub fire_at: DateTime<Utc>,
    /// When it was acted on.
    pub at: DateTime<Utc>,
    /// Why.
    pub cause: RunCause,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why it did not start, or what was left out.
    pub reason: Option<String>,
    /// The scan it launched.
    pub scan_id: Option<ScanId>,
}

/// What a list of schedules may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScheduleSort {
    /// By name.
    #[default]
    Name,
    /// By next run; paused ones come last.
    NextRun,
    /// By last run.
    LastRun,
    /// By when they were made.
    Created,
}

/// Which schedules a list shows. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// Part of the name, whatever the case.
    pub q: Option<String>,
    /// Whether it fires.
    pub enabled: Option<bool>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "schedules")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub name: String,
        pub name_key: String,
        pub enabled: bool,
        pub cron: String,
        pub day_rule: String,
        pub time_zone: String,
        pub jitter_seconds: i32,
        pub jitter_offset_seconds: i32,
        pub catch_up: String,
        pub overlap: String,
        pub scan: Json,
        pub next_fire_at: Option<DateTimeUtc>,
        pub due_at: Option<DateTimeUtc>,
        pub waiting_fire_at: Option<DateTimeUtc>,
        pub last_run_at: Option<DateTimeUtc>,
        pub last_outcome: Option<String>,
        pub last_scan_id: Option<i64>,
        pub created_by: Option<Uuid>,
        pub created_by_name: String,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod run {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "schedule_runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub schedule_id: Uuid,
        pub fire_at: DateTimeUtc,
        pub at: DateTimeUtc,
        pub cause: String,
        pub outcome: String,
        pub reason: Option<String>,
        pub scan_id: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl TryFrom<entity::Model> for Schedule {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            name: row.name,
            enabled: row.enabled,
            cron: row.cron,
            day_rule: parse(&row.day_rule)?,
            time_zone: row.time_zone,
            jitter_seconds: row.jitter_seconds,
            jitter_offset_seconds: row.jitter_offset_seconds,
            catch_up: parse(&row.catch_up)?,
            overlap: parse(&row.overlap)?,
            scan: row.scan,
            next_fire_at: row.next_fire_at,
            due_at: row.due_at,
            waiting_fire_at: row.waiting_fire_at,
            last_run_at: row.last_run_at,
            last_outcome: row.last_outcome.as_deref().map(parse).transpose()?,
            last_scan_id: row.last_scan_id.map(ScanId),
            created_by: row.created_by.map(Into::into),
            created_by_name: row.created_by_name,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

fn active(schedule: &Schedule) -> entity::ActiveModel {
    entity::ActiveModel {
        id: Set(schedule.id.0),
        organization_id: Set(schedule.organization_id.0),
        name: Set(schedule.name.clone()),
        name_key: Set(schedule.name.to_lowercase()),
        enabled: Set(schedule.enabled),
        cron: Set(schedule.cron.clone()),
        day_rule: Set(schedule.day_rule.as_str().to_owned()),
        time_zone: Set(schedule.time_zone.clone()),
        jitter_seconds: Set(schedule.jitter_seconds),
        jitter_offset_seconds: Set(schedule.jitter_offset_seconds),
        catch_up: Set(schedule.catch_up.as_str().to_owned()),
        overlap: Set(schedule.overlap.as_str().to_owned()),
        scan: Set(schedule.scan.clone()),
        next_fire_at: Set(schedule.next_fire_at),
        due_at: Set(schedule.due_at),
        waiting_fire_at: Set(schedule.waiting_fire_at),
        last_run_at: Set(schedule.last_run_at),
        last_outcome: Set(schedule.last_outcome.map(|outcome| outcome.as_str().to_owned())),
        last_scan_id: Set(schedule.last_scan_id.map(|id| id.0)),
        created_by: Set(schedule.created_by.map(|id| id.0)),
        created_by_name: Set(schedule.created_by_name.clone()),
        created_at: Set(schedule.created_at),
        updated_at: Set(schedule.updated_at),
        version: Set(schedule.version),
    }
}

/// Adds a schedule.
///
/// # Errors
/// [`StorageError::Unique`] if the organisation has one of that name.
pub async fn insert(db: Db<'_>, schedule: &Schedule) -> Result<()> {
    entity::Entity::insert(active(schedule)).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// Stores everything about a schedule that was read in the same transaction.
///
/// # Errors
/// [`StorageError::Unique`] if the organisation has another one of that name.
pub async fn update(db: Db<'_>, schedule: &Schedule) -> Result<()> {
    entity::Entity::update_many()
        .set(active(schedule))
        .filter(Column::Id.eq(schedule.id.0))
        .filter(Column::OrganizationId.eq(schedule.organization_id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Removes a schedule with its history. Says whether it existed.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<bool> {
    let done = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// One schedule.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<Option<Schedule>> {
    let row = of(organization).filter(Column::Id.eq(id.0)).one(&db.conn()).await?;
    row.map(Schedule::try_from).transpose()
}

/// One schedule, locked until the end of the transaction; `None` as well while another transaction has it.
///
/// # Errors
/// If the database fails.
pub async fn lock(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<Option<Schedule>> {
    let mut query = of(organization).filter(Column::Id.eq(id.0));
    if db.is_postgres() {
        query = query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    query.one(&db.conn()).await?.map(Schedule::try_from).transpose()
}

fn of(organization: OrganizationId) -> sea_orm::Select<entity::Entity> {
    entity::Entity::find().filter(Column::OrganizationId.eq(organization.0))
}

/// One page of schedules.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &ScheduleFilter,
    sort: (ScheduleSort, SortDir),
    page: Page,
) -> Result<Listed<Schedule>> {
    let mut query = of(organization);
    if let Some(q) = &filter.q {
        query = query.filter(contains(Column::Name, q));
    }
    if let Some(enabled) = filter.enabled {
        query = query.filter(Column::Enabled.eq(enabled));
    }
    let column = match sort.0 {
        ScheduleSort::Name => Column::NameKey,
        ScheduleSort::NextRun => Column::DueAt,
        ScheduleSort::LastRun => Column::LastRunAt,
        ScheduleSort::Created => Column::CreatedAt,
    };
    let sort = (column.into_simple_expr(), sort.1);
    let listed = page::page(&db.conn(), query, sort, Column::Id, page).await?;
    let rows = listed.rows.into_iter().map(Schedule::try_from).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// Schedules of all organisations that are due, or whose waiting scan may start now; at most `limit`.
///
/// # Errors
/// If the database fails.
pub async fn due(db: Db<'_>, now: DateTime<Utc>, limit: u64) -> Result<Vec<(OrganizationId, ScheduleId)>> {
    let busy = Query::select()
        .column(run::Column::ScheduleId)
        .from(run::Entity)
        .inner_join(
            crate::scans::entity::Entity,
            Expr::col((run::Entity, run::Column::ScanId))
                .equals((crate::scans::entity::Entity, crate::scans::entity::Column::Id)),
        )
        .and_where(crate::scans::entity::Column::Status.is_in(live()))
        .take();
    let waiting = Condition::all().add(Column::WaitingFireAt.is_not_null()).add(Column::Id.not_in_subquery(busy));
    let rows: Vec<(Uuid, Uuid)> = entity::Entity::find()
        .select_only()
        .column(Column::OrganizationId)
        .column(Column::Id)
        .filter(Column::Enabled.eq(true))
        .filter(Condition::any().add(Column::DueAt.lte(now)).add(waiting))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(|(organization, id)| (organization.into(), id.into())).collect())
}

/// Schedules of all organisations that are enabled.
///
/// # Errors
/// If the database fails.
pub async fn count_enabled(db: Db<'_>) -> Result<u64> {
    crate::page::count(&db.conn(), &entity::Entity::find().filter(Column::Enabled.eq(true))).await
}

fn live() -> [&'static str; 2] {
    [ScanStatus::Pending.as_str(), ScanStatus::Running.as_str()]
}

/// The scans of a schedule that wait or run, newest first.
///
/// # Errors
/// If the database fails.
pub async fn live_scans(db: Db<'_>, organization: OrganizationId, id: ScheduleId) -> Result<Vec<ScanId>> {
    let ours = Query::select()
        .column(run::Column::ScanId)
        .from(run::Entity)
        .and_where(run::Column::ScheduleId.eq(id.0))
        .and_where(run::Column::ScanId.is_not_null())
        .take();
    let rows: Vec<i64> = crate::scans::entity::Entity::find()
        .select_only()
        .column(crate::scans::entity::Column::Id)
        .filter(crate::scans::entity::Column::OrganizationId.eq(organization.0))
        .filter(crate::scans::entity::Column::Status.is_in(live()))
        .filter(crate::scans::entity::Column::Id.in_subquery(ours))
        .order_by_desc(crate::scans::entity::Column::Id)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(ScanId).collect())
}

/// Adds a run to the history of a schedule.
///
/// # Errors
/// [`StorageError::Unique`] if the instant was acted on already.
pub async fn add_run(db: Db<'_>, organization: OrganizationId, id: ScheduleId, run: &ScheduleRun) -> Result<()> {
    let row = run::ActiveModel {
        id: Set(run.id),
        organization_id: Set(organization.0),
        schedule_id: Set(id.0),
        fire_at: Set(run.fire_at),
        at: Set(run.at),
        cause: Set(run.cause.as_str().to_owned()),
        outcome: Set(run.outcome.as_str().to_owned()),
        reason: Set(run.reason.clone()),
        scan_id: Set(run.scan_id.map(|id| id.0)),
    };
    run::Entity::insert(row).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// One page of the history of a schedule, newest first.
///
/// # Errors
/// If the database fails.
pub async fn runs(db: Db<'_>, organization: OrganizationId, id: ScheduleId, page: Page) -> Result<Listed<ScheduleRun>> {
    let query = run::Entity::find()
        .filter(run::Column::OrganizationId.eq(organization.0))
        .filter(run::Column::ScheduleId.eq(id.0));
    let sort = (run::Column::At.into_simple_expr(), SortDir::Desc);
    let listed = page::page(&db.conn(), query, sort, run::Column::Id, page).await?;
    let rows = listed
        .rows
        .into_iter()
        .map(|row| {
            Ok(ScheduleRun {
                id: row.id,
                fire_at: row.fire_at,
                at: row.at,
                cause: parse(&row.cause)?,
                outcome: parse(&row.outcome)?,
                reason: row.reason,
                scan_id: row.scan_id.map(ScanId),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// Forgets runs before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_runs(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(run::Entity::delete_many().filter(run::Column::At.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
