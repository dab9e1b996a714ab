//! The job queue's table. What a job does is no business of this crate, nor of `jobs`.
//!
//! A job is `queued`, `running`, `done`, `failed` or `cancelled`. Whoever runs it holds a lease that must be renewed;
//! a lease that ran out makes the job claimable again.

use std::collections::HashMap;

use bartizan_domain::id::{JobId, OrganizationId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QuerySelect as _,
};
use serde_json::Value;

use crate::{Db, Listed, Page, Result, SortDir, StorageError};

mod claims;
mod fires;
mod queues;

pub use claims::{
    Attempt, AttemptEnd, Renewal, any_due, claim, end, holds, release_all, release_lost, renew, stop_requests,
};
pub use fires::{record_fire, remove_fires};
pub use queues::{Queue, queues};

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// For whom, where it is for somebody.
    pub organization_id: Option<OrganizationId>,
    /// What is to be done.
    pub kind: String,
    /// While a job of the kind with the same key is queued or running, another one is not added.
    pub dedupe_key: Option<String>,
    /// Greater is sooner among the organisation's jobs of the kind; 0 is ordinary.
    pub priority: i32,
    /// Turn among the jobs of the kind: organisations take turns, whoever added more and whatever the priority.
    pub rank: i64,
    /// What the handler needs to know.
    pub payload: Value,
    /// State.
    pub status: JobStatus,
    /// How often it was begun.
    pub attempts: i32,
    /// How often it may be begun.
    pub max_attempts: i32,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// Who runs it.
    pub owner: Option<String>,
    /// Until when the owner has it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Whether it is asked to stop.
    pub cancel_requested: bool,
    /// What the handler last reported.
    pub progress: Option<Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// Waits.
    Queued,
    /// Somebody has it.
    Running,
    /// Ended well.
    Done,
    /// Ended after its last attempt failed.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl JobStatus {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The stored and wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "jobs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Option<Uuid>,
        pub kind: String,
        pub dedupe_key: Option<String>,
        pub priority: i32,
        pub rank: i64,
        pub payload: Json,
        pub status: String,
        pub attempts: i32,
        pub max_attempts: i32,
        pub run_at: DateTimeUtc,
        pub owner: Option<String>,
        pub lease_until: Option<DateTimeUtc>,
        pub cancel_requested: bool,
        pub progress: Option<Json>,
        pub error: Option<String>,
        pub created_at: DateTimeUtc,
        pub started_at: Option<DateTimeUtc>,
        pub finished_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl TryFrom<entity::Model> for Job {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.map(Into::into),
            kind: row.kind,
            dedupe_key: row.dedupe_key,
            priority: row.priority,
            rank: row.rank,
            payload: row.payload,
            status: JobStatus::ALL
                .into_iter()
                .find(|status| status.as_str() == row.status)
                .ok_or_else(|| StorageError::Corrupt(format!("job status `{}`", row.status)))?,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            run_at: row.run_at,
            owner: row.owner,
            lease_until: row.lease_until,
            cancel_requested: row.cancel_requested,
            progress: row.progress,
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

/// Adds a job, unless one of its kind with its key is queued or running. Says whether it was added. The rank is set
/// here: behind the organisation's own waiting jobs of the kind with at least its priority, and not before the turn that
/// is being served; those with less priority are put back by one turn.
///
/// On PostgreSQL every listening process hears of it when the transaction is committed.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, job: &Job) -> Result<bool> {
    let row = entity::ActiveModel {
        id: Set(job.id.0),
        organization_id: Set(job.organization_id.map(|id| id.0)),
        kind: Set(job.kind.clone()),
        dedupe_key: Set(job.dedupe_key.clone()),
        priority: Set(job.priority),
        rank: Set(rank_of(db, job).await?),
        payload: Set(job.payload.clone()),
        status: Set(job.status.as_str().to_owned()),
        attempts: Set(job.attempts),
        max_attempts: Set(job.max_attempts),
        run_at: Set(job.run_at),
        owner: Set(job.owner.clone()),
        lease_until: Set(job.lease_until),
        cancel_requested: Set(job.cancel_requested),
        progress: Set(job.progress.clone()),
        error: Set(job.error.clone()),
        created_at: Set(job.created_at),
        started_at: Set(job.started_at),
        finished_at: Set(job.finished_at),
    };
    let written = entity::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    if written == 1 {
        crate::listen::announce(db).await?;
    }
    Ok(written == 1)
}

async fn rank_of(db: Db<'_>, job: &Job) -> Result<i64> {
    let of = |status: JobStatus| {
        entity::Entity::find()
            .select_only()
            .filter(Column::Kind.eq(job.kind.as_str()))
            .filter(Column::Status.eq(status.as_str()))
    };
    let ours = match job.organization_id {
        Some(id) => Column::OrganizationId.eq(id.0),
        None => Column::OrganizationId.is_null(),
    };
    let own = of(JobStatus::Queued)
        .filter(ours.clone())
        .filter(Column::Priority.gte(job.priority))
        .expr(Expr::col(Column::Rank).max());
    let own: Option<Option<i64>> = own.into_tuple().one(&db.conn()).await?;
    let first = of(JobStatus::Queued).expr(Expr::col(Column::Rank).min());
    let first: Option<Option<i64>> = first.into_tuple().one(&db.conn()).await?;
    let served = match first.flatten() {
        Some(first) => first,
        None => {
            let last = of(JobStatus::Running).expr(Expr::col(Column::Rank).max());
            let last: Option<Option<i64>> = last.into_tuple().one(&db.conn()).await?;
            last.flatten().map_or(0, |last| last.saturating_add(1))
        }
    };
    let rank = own.flatten().map_or(served, |own| Ord::max(own.saturating_add(1), served));
    entity::Entity::update_many()
        .col_expr(Column::Rank, Expr::col(Column::Rank).add(1))
        .filter(Column::Kind.eq(job.kind.as_str()))
        .filter(Column::Status.eq(JobStatus::Queued.as_str()))
        .filter(ours)
        .filter(Column::Priority.lt(job.priority))
        .filter(Column::Rank.gte(rank))
        .exec(&db.conn())
        .await?;
    Ok(rank)
}

/// Which jobs a list shows. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// States.
    pub statuses: Vec<JobStatus>,
    /// Kind.
    pub kind: Option<String>,
}

/// One page of jobs, newest first.
///
/// # Errors
/// If the database fails.
pub async fn list(db: Db<'_>, whose: Whose, filter: &JobFilter, page: Page) -> Result<Listed<Job>> {
    let mut query = entity::Entity::find().filter(whose.condition());
    if !filter.statuses.is_empty() {
        query = query.filter(Column::Status.is_in(filter.statuses.iter().map(|status| status.as_str())));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(Column::Kind.eq(kind.as_str()));
    }
    let sort = (Column::CreatedAt.into_simple_expr(), SortDir::Desc);
    let listed = crate::page::page(&db.conn(), query, sort, Column::Id, page).await?;
    let rows = listed.rows.into_iter().map(Job::try_from).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// One job, if it is one of those.
///
/// # Errors
/// If the database fails.
pub async fn find(db: Db<'_>, whose: Whose, id: JobId) -> Result<Option<Job>> {
    let row = entity::Entity::find_by_id(id.0).filter(whose.condition()).one(&db.conn()).await?;
    row.map(Job::try_from).transpose()
}

/// Whose jobs are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// An organisation's.
    Organization(OrganizationId),
    /// An organisation's, and those that are nobody's.
    AndInstallation(OrganizationId),
}

impl Whose {
    fn condition(self) -> Condition {
        match self {
            Self::Organization(id) => Condition::all().add(Column::OrganizationId.eq(id.0)),
            Self::AndInstallation(id) => {
                Condition::any().add(Column::OrganizationId.eq(id.0)).add(Column::OrganizationId.is_null())
            }
        }
    }
}

/// Puts a job that failed or was cancelled back into the queue, with all its attempts. Says whether it was in such a
/// state and no other job has its key.
///
/// # Errors
/// If the database fails.
pub async fn requeue(db: Db<'_>, id: JobId, now: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Queued.as_str()))
        .col_expr(Column::Attempts, Expr::value(0))
        .col_expr(Column::RunAt, Expr::value(now))
        .col_expr(Column::CancelRequested, Expr::value(false))
        .col_expr(Column::FinishedAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Id.eq(id.0))
        .filter(Column::Status.is_in([JobStatus::Failed.as_str(), JobStatus::Cancelled.as_str()]))
        .exec(&db.conn())
        .await;
    match done.map_err(StorageError::from) {
        Ok(done) => {
            crate::listen::announce(db).await?;
            Ok(done.rows_affected == 1)
        }
        Err(StorageError::Unique(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a request to stop found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// No live job.
    NoJob,
    /// It was waiting and is cancelled now; nobody will run it.
    WasWaiting,
    /// Somebody runs it and will be told.
    Running,
}

/// Asks the live job of a kind with this key to stop; one that waits ends at once.
///
/// # Errors
/// If the database fails.
pub async fn request_cancel(db: Db<'_>, kind: &str, dedupe_key: &str, now: DateTime<Utc>) -> Result<CancelOutcome> {
    cancel(db, Condition::all().add(Column::Kind.eq(kind)).add(Column::DedupeKey.eq(dedupe_key)), now).await
}

/// Asks one job to stop; one that waits ends at once.
///
/// # Errors
/// If the database fails.
pub async fn cancel_one(db: Db<'_>, id: JobId, now: DateTime<Utc>) -> Result<CancelOutcome> {
    cancel(db, Condition::all().add(Column::Id.eq(id.0)), now).await
}

/// Cancels every job of a kind that has not ended, whoever seems to run it: for a database that nobody works on. Says how
/// many.
///
/// # Errors
/// If the database fails.
pub async fn cancel_every(db: Db<'_>, kind: &str, now: DateTime<Utc>) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Cancelled.as_str()))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(Column::Kind.eq(kind))
        .filter(Column::Status.is_in([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}

async fn cancel(db: Db<'_>, this: Condition, now: DateTime<Utc>) -> Result<CancelOutcome> {
    let waiting = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Cancelled.as_str()))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(this.clone())
        .filter(Column::Status.eq(JobStatus::Queued.as_str()))
        .exec(&db.conn())
        .await?;
    if waiting.rows_affected > 0 {
        return Ok(CancelOutcome::WasWaiting);
    }
    let running = entity::Entity::update_many()
        .col_expr(Column::CancelRequested, Expr::value(true))
        .filter(this)
        .filter(Column::Status.eq(JobStatus::Running.as_str()))
        .exec(&db.conn())
        .await?;
    if running.rows_affected == 0 {
        return Ok(CancelOutcome::NoJob);
    }
    crate::listen::announce(db).await?;
    Ok(CancelOutcome::Running)
}

/// One job.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, id: JobId) -> Result<Option<Job>> {
    entity::Entity::find_by_id(id.0).one(&db.conn()).await?.map(Job::try_from).transpose()
}

/// What the handlers of a kind's jobs need to know, of every job that may still be run.
///
/// # Errors
/// If the database fails.
pub async fn payloads(db: Db<'_>, kind: &str) -> Result<Vec<Value>> {
    let rows = entity::Entity::find()
        .select_only()
        .column(Column::Payload)
        .filter(Column::Kind.eq(kind))
        .filter(Column::Status.ne(JobStatus::Done.as_str()))
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows)
}

/// Whether a job of a kind with this key is queued or running.
///
/// # Errors
/// If the database fails.
pub async fn is_live(db: Db<'_>, kind: &str, dedupe_key: &str) -> Result<bool> {
    let live = entity::Entity::find()
        .filter(Column::Kind.eq(kind))
        .filter(Column::DedupeKey.eq(dedupe_key))
        .filter(Column::Status.is_in([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]));
    Ok(crate::page::count(&db.conn(), &live).await? > 0)
}

/// How many jobs each owner runs.
///
/// # Errors
/// If the database fails.
pub async fn running_by_owner(db: Db<'_>) -> Result<HashMap<String, u64>> {
    let rows: Vec<(Option<String>, i64)> = entity::Entity::find()
        .select_only()
        .column(Column::Owner)
        .expr(Expr::col(Column::Id).count())
        .filter(Column::Status.eq(JobStatus::Running.as_str()))
        .group_by(Column::Owner)
        .into_tuple()
        .all(&db.conn())
        .await?;
    let count = |(owner, count): (Option<String>, i64)| Some((owner?, crate::counts::unsigned(count)));
    Ok(rows.into_iter().filter_map(count).collect())
}

/// Removes jobs that ended before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_ended(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(entity::Entity::delete_many().filter(Column::FinishedAt.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
