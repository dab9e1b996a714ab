//! The job queue's table. What a job does is no business of this crate, nor of `jobs`.
//!
//! A job is `queued`, `running`, `done`, `failed` or `cancelled`. Whoever runs it holds a lease that must be renewed;
//! a lease that ran out makes the job claimable again.

use bartizan_domain::id::{JobId, OrganizationId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::Value;

use crate::{Db, Result, StorageError};

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
    /// Greater is sooner; 0 is ordinary.
    pub priority: i32,
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

mod entity {
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

mod fire {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cron_fires")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub fire_at: DateTimeUtc,
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

/// Adds a job, unless one of its kind with its key is queued or running. Says whether it was added.
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
    Ok(written == 1)
}

/// Takes up to `limit` jobs of `kinds` that are due, or whose lease ran out, in order of priority and age.
///
/// # Errors
/// If the database fails.
pub async fn claim(
    db: Db<'_>,
    kinds: &[&str],
    owner: &str,
    (now, lease_until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<Job>> {
    let due = Condition::all().add(Column::Status.eq(JobStatus::Queued.as_str())).add(Column::RunAt.lte(now));
    let lost = Condition::all().add(Column::Status.eq(JobStatus::Running.as_str())).add(Column::LeaseUntil.lt(now));
    let mut ready = Query::select()
        .column(Column::Id)
        .from(entity::Entity)
        .cond_where(
            Condition::all().add(Column::Kind.is_in(kinds.iter().copied())).add(Condition::any().add(due).add(lost)),
        )
        .order_by(Column::Priority, Order::Desc)
        .order_by(Column::RunAt, Order::Asc)
        .order_by(Column::Id, Order::Asc)
        .limit(limit)
        .take();
    if db.is_postgres() {
        ready.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let rows = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Running.as_str()))
        .col_expr(Column::Owner, Expr::value(owner))
        .col_expr(Column::LeaseUntil, Expr::value(lease_until))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(
            Column::StartedAt,
            sea_orm::sea_query::Func::coalesce([Expr::col(Column::StartedAt), Expr::value(now)]).into(),
        )
        .filter(Column::Id.in_subquery(ready))
        .exec_with_returning(&db.conn())
        .await?;
    let mut jobs = rows.into_iter().map(Job::try_from).collect::<Result<Vec<_>>>()?;
    jobs.sort_by_key(|job| (std::cmp::Reverse(job.priority), job.run_at, job.id));
    Ok(jobs)
}

fn held(id: JobId, owner: &str) -> Condition {
    Condition::all()
        .add(Column::Id.eq(id.0))
        .add(Column::Owner.eq(owner))
        .add(Column::Status.eq(JobStatus::Running.as_str()))
}

/// What a renewal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The job is still the owner's.
    Held,
    /// The job is still the owner's, and is asked to stop.
    StopAsked,
    /// The job is no longer the owner's.
    Lost,
}

/// Renews a lease and stores progress.
///
/// # Errors
/// If the database fails.
pub async fn renew(
    db: Db<'_>,
    id: JobId,
    owner: &str,
    lease_until: DateTime<Utc>,
    progress: Option<Value>,
) -> Result<Renewal> {
    let mut update = entity::Entity::update_many().col_expr(Column::LeaseUntil, Expr::value(lease_until));
    if let Some(progress) = progress {
        update = update.col_expr(Column::Progress, Expr::value(progress));
    }
    let rows = update.filter(held(id, owner)).exec_with_returning(&db.conn()).await?;
    Ok(match rows.first() {
        None => Renewal::Lost,
        Some(row) if row.cancel_requested => Renewal::StopAsked,
        Some(_) => Renewal::Held,
    })
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Well.
    Done,
    /// On request.
    Cancelled,
    /// For good, with the reason.
    Failed(String),
    /// To be tried again at the instant, with the reason.
    Retry(DateTime<Utc>, String),
    /// Given back untouched, to be taken up at once: the owner is stopping. Does not count as an attempt.
    Released,
}

/// Ends an attempt of its owner. Says whether the job was still the owner's.
///
/// # Errors
/// If the database fails.
pub async fn end(db: Db<'_>, id: JobId, owner: &str, end: &AttemptEnd, now: DateTime<Utc>) -> Result<bool> {
    let status = match end {
        AttemptEnd::Done => JobStatus::Done,
        AttemptEnd::Cancelled => JobStatus::Cancelled,
        AttemptEnd::Failed(_) => JobStatus::Failed,
        AttemptEnd::Retry(..) | AttemptEnd::Released => JobStatus::Queued,
    };
    let mut update = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(status.as_str()))
        .col_expr(Column::Owner, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None));
    match end {
        AttemptEnd::Done | AttemptEnd::Cancelled => update = update.col_expr(Column::FinishedAt, Expr::value(now)),
        AttemptEnd::Failed(why) => {
            update = update
                .col_expr(Column::FinishedAt, Expr::value(now))
                .col_expr(Column::Error, Expr::value(why.as_str()));
        }
        AttemptEnd::Retry(at, why) => {
            update =
                update.col_expr(Column::RunAt, Expr::value(*at)).col_expr(Column::Error, Expr::value(why.as_str()));
        }
        AttemptEnd::Released => update = update.col_expr(Column::Attempts, Expr::col(Column::Attempts).sub(1)),
    }
    Ok(update.filter(held(id, owner)).exec(&db.conn()).await?.rows_affected == 1)
}

/// Gives back every running job, whoever holds it: for the start of the only process that works on this database.
/// Says how many.
///
/// # Errors
/// If the database fails.
pub async fn release_all(db: Db<'_>) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Queued.as_str()))
        .col_expr(Column::Owner, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Status.eq(JobStatus::Running.as_str()))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
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
    let this = Condition::all().add(Column::Kind.eq(kind)).add(Column::DedupeKey.eq(dedupe_key));
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
    Ok(if running.rows_affected > 0 { CancelOutcome::Running } else { CancelOutcome::NoJob })
}

/// One job.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, id: JobId) -> Result<Option<Job>> {
    entity::Entity::find_by_id(id.0).one(&db.conn()).await?.map(Job::try_from).transpose()
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

/// How many jobs are in each state.
///
/// # Errors
/// If the database fails.
pub async fn counts(db: Db<'_>) -> Result<Vec<(String, u64)>> {
    let rows: Vec<(String, i64)> = entity::Entity::find()
        .select_only()
        .column(Column::Status)
        .expr(Expr::col(Column::Id).count())
        .group_by(Column::Status)
        .order_by_asc(Column::Status)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(|(status, count)| (status, crate::counts::unsigned(count))).collect())
}

/// Removes jobs that ended before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_ended(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(entity::Entity::delete_many().filter(Column::FinishedAt.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}

/// Records that the timer `name` fired for the instant. Says whether nobody had recorded it before.
///
/// # Errors
/// If the database fails.
pub async fn record_fire(db: Db<'_>, name: &str, fire_at: DateTime<Utc>) -> Result<bool> {
    let row = fire::ActiveModel { name: Set(name.to_owned()), fire_at: Set(fire_at) };
    let written = fire::Entity::insert(row)
        .on_conflict(OnConflict::columns([fire::Column::Name, fire::Column::FireAt]).do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    Ok(written == 1)
}

/// Forgets fires before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_fires(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(fire::Entity::delete_many().filter(fire::Column::FireAt.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
