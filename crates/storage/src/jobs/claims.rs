//! Who runs which job: claims, leases, ends of attempts.

use bartizan_domain::id::JobId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, Order, QueryFilter as _, QuerySelect as _};
use serde_json::Value;

use super::entity::{self, Column};
use super::{Job, JobStatus};
use crate::{Db, Result};

/// Whether a job of one of these kinds is due.
///
/// # Errors
/// If the database fails.
pub async fn any_due(db: Db<'_>, kinds: &[&str], now: DateTime<Utc>) -> Result<bool> {
    let found: Option<uuid::Uuid> = entity::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Kind.is_in(kinds.iter().copied()))
        .filter(Column::Status.eq(JobStatus::Queued.as_str()))
        .filter(Column::RunAt.lte(now))
        .limit(1)
        .into_tuple()
        .one(&db.conn())
        .await?;
    Ok(found.is_some())
}

/// Takes up to `limit` jobs of a kind that are due, in order of their organisations' turns, within one of priority, and of
/// age. Priority orders the jobs of one organisation and puts none of it before another's turn.
///
/// # Errors
/// If the database fails.
pub async fn claim(
    db: Db<'_>,
    kind: &str,
    owner: &str,
    (now, lease_until): (DateTime<Utc>, DateTime<Utc>),
    limit: u64,
) -> Result<Vec<Job>> {
    let due = Condition::all()
        .add(Column::Kind.eq(kind))
        .add(Column::Status.eq(JobStatus::Queued.as_str()))
        .add(Column::RunAt.lte(now));
    let mut ready = Query::select()
        .column(Column::Id)
        .from(entity::Entity)
        .cond_where(due)
        .order_by(Column::Rank, Order::Asc)
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
    jobs.sort_by_key(|job| (job.rank, std::cmp::Reverse(job.priority), job.run_at, job.id));
    Ok(jobs)
}

/// One attempt at a job. A process that stood still for longer than its lease may have taken up its own lost job again:
/// the number tells the two attempts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Which job.
    pub job: JobId,
    /// Who makes it.
    pub owner: &'a str,
    /// Its number, from 1.
    pub number: i32,
}

fn held(attempt: Attempt<'_>) -> Condition {
    Condition::all()
        .add(Column::Id.eq(attempt.job.0))
        .add(Column::Owner.eq(attempt.owner))
        .add(Column::Attempts.eq(attempt.number))
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
    attempt: Attempt<'_>,
    lease_until: DateTime<Utc>,
    progress: Option<Value>,
) -> Result<Renewal> {
    let mut update = entity::Entity::update_many().col_expr(Column::LeaseUntil, Expr::value(lease_until));
    if let Some(progress) = progress {
        update = update.col_expr(Column::Progress, Expr::value(progress));
    }
    let rows = update.filter(held(attempt)).exec_with_returning(&db.conn()).await?;
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

/// Ends an attempt. Says whether the job was still the owner's.
///
/// # Errors
/// If the database fails.
pub async fn end(db: Db<'_>, attempt: Attempt<'_>, end: &AttemptEnd, now: DateTime<Utc>) -> Result<bool> {
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
    Ok(update.filter(held(attempt)).exec(&db.conn()).await?.rows_affected == 1)
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

/// Gives back running jobs whose lease ran out: their owner died or lost the database. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn release_lost(db: Db<'_>, now: DateTime<Utc>) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Status, Expr::value(JobStatus::Queued.as_str()))
        .col_expr(Column::Owner, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Status.eq(JobStatus::Running.as_str()))
        .filter(Column::LeaseUntil.lt(now))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}

/// The running jobs of an owner that are asked to stop.
///
/// # Errors
/// If the database fails.
pub async fn stop_requests(db: Db<'_>, owner: &str) -> Result<Vec<JobId>> {
    let ids: Vec<uuid::Uuid> = entity::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Status.eq(JobStatus::Running.as_str()))
        .filter(Column::Owner.eq(owner))
        .filter(Column::CancelRequested.eq(true))
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Whether the job is still the owner's; its row is locked until the end of the transaction, so that it stays so.
/// What a handler writes in such a transaction cannot be written twice by two owners.
///
/// # Errors
/// If the database fails.
pub async fn holds(db: Db<'_>, attempt: Attempt<'_>) -> Result<bool> {
    let mut query = entity::Entity::find().select_only().column(Column::Id).filter(held(attempt));
    if db.is_postgres() {
        query = query.lock_exclusive();
    }
    let found: Option<uuid::Uuid> = query.into_tuple().one(&db.conn()).await?;
    Ok(found.is_some())
}
