//! Jobs counted by kind, for people who watch the queue.

use std::collections::BTreeMap;

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::JobStatus;
use super::entity::{Column, Entity};
use crate::{Db, Result};

/// Jobs of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// What they do.
    pub kind: String,
    /// Waiting.
    pub waiting: u64,
    /// Running.
    pub running: u64,
    /// Given up.
    pub failed: u64,
    /// When the one that waits for longest was added.
    pub waiting_since: Option<DateTime<Utc>>,
    /// When the first of those that wait is to be begun; the past, if it could be begun already.
    pub next_due_at: Option<DateTime<Utc>>,
}

/// Kind, state, how many, the earliest addition, the earliest turn.
type Counted = (String, String, i64, DateTime<Utc>, DateTime<Utc>);

/// Jobs by kind, in order of the kinds: of an organisation, or of all. Kinds of which none waits, runs or was given up
/// are left out.
///
/// # Errors
/// If the database fails.
pub async fn queues(db: Db<'_>, organization: Option<OrganizationId>) -> Result<Vec<Queue>> {
    const QUEUED: &str = JobStatus::Queued.as_str();
    const RUNNING: &str = JobStatus::Running.as_str();
    const FAILED: &str = JobStatus::Failed.as_str();
    let mut query = Entity::find().filter(Column::Status.is_in([QUEUED, RUNNING, FAILED]));
    if let Some(id) = organization {
        query = query.filter(Column::OrganizationId.eq(id.0));
    }
    let rows: Vec<Counted> = query
        .select_only()
        .column(Column::Kind)
        .column(Column::Status)
        .expr(Expr::col(Column::Id).count())
        .expr(Expr::col(Column::CreatedAt).min())
        .expr(Expr::col(Column::RunAt).min())
        .group_by(Column::Kind)
        .group_by(Column::Status)
        .into_tuple()
        .all(&db.conn())
        .await?;
    let mut found: BTreeMap<String, Queue> = BTreeMap::new();
    for (kind, status, count, created_at, run_at) in rows {
        let queue = found.entry(kind.clone()).or_insert_with(|| Queue { kind, ..Queue::default() });
        let count = crate::counts::unsigned(count);
        match status.as_str() {
            QUEUED => {
                queue.waiting = count;
                queue.waiting_since = Some(created_at);
                queue.next_due_at = Some(run_at);
            }
            RUNNING => queue.running = count,
            _ => queue.failed = count,
        }
    }
    Ok(found.into_values().collect())
}
