//! Timers: jobs that are added again and again, by a cron expression in UTC.

use std::str::FromStr as _;

use bartizan_domain::id::JobId;
use bartizan_storage::{StorageError, Store, jobs};
use chrono::{DateTime, Utc};
use croner::Cron;

use crate::queue::{NewJob, enqueue};

/// A cron expression that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{expression}` is not a cron expression: {why}")]
pub struct BadSchedule {
    expression: String,
    why: String,
}

/// A job that is added at every instant of a cron expression. However many servers run the same timer, each instant
/// adds one job.
#[derive(Debug, Clone)]
pub struct Timer {
    name: &'static str,
    schedule: Cron,
    job: NewJob,
    at_start: bool,
}

impl Timer {
    /// A timer. The name must be the same on every server.
    ///
    /// # Errors
    /// If the expression cannot be parsed.
    pub fn new(name: &'static str, expression: &str, job: NewJob) -> Result<Self, BadSchedule> {
        let schedule = Cron::from_str(expression)
            .map_err(|error| BadSchedule { expression: expression.to_owned(), why: error.to_string() })?;
        Ok(Self { name, schedule, job, at_start: false })
    }

    /// Adds the job when a runner starts, too, whatever the time is.
    #[must_use]
    pub const fn at_start(mut self) -> Self {
        self.at_start = true;
        self
    }

    /// The first instant after `after`; `None` if there is none any more.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.find_next_occurrence(&after, false).ok()
    }

    /// Adds the job if it is wanted at the start of a runner.
    pub(crate) async fn start(&self, store: &Store, now: DateTime<Utc>, id: JobId) -> Result<(), StorageError> {
        if self.at_start {
            let tx = store.begin().await?;
            enqueue(tx.db(), id, self.job.clone(), now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Adds the job for `fire_at` unless another server has. Says whether it was added.
    pub(crate) async fn fire(
        &self,
        store: &Store,
        fire_at: DateTime<Utc>,
        now: DateTime<Utc>,
        id: JobId,
    ) -> Result<bool, StorageError> {
        let tx = store.begin().await?;
        let first = jobs::record_fire(tx.db(), self.name, fire_at).await?;
        let added = first && enqueue(tx.db(), id, self.job.clone(), now).await?;
        tx.commit().await?;
        Ok(added)
    }
}
