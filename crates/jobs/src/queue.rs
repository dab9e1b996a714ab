//! Adding jobs, and telling the runner of this process about it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_domain::id::{JobId, OrganizationId};
use bartizan_storage::jobs::{self, CancelOutcome, Job, JobStatus};
use bartizan_storage::{Db, StorageError};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Notify;

use crate::runner::{Control, StopReason};

/// A job to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which handler does it.
    pub kind: &'static str,
    /// For whom, where it is for somebody.
    pub organization_id: Option<OrganizationId>,
    /// While a job of the kind with the same key is queued or running, this one is not added.
    pub dedupe_key: Option<String>,
    /// Greater is sooner; 0 is ordinary.
    pub priority: i32,
    /// What the handler needs to know.
    pub payload: Value,
    /// How often it may be begun, at least 1.
    pub max_attempts: i32,
    /// Not before; `None` for at once.
    pub run_at: Option<DateTime<Utc>>,
}

impl NewJob {
    /// A job of ordinary priority, tried five times.
    #[must_use]
    pub const fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, organization_id: None, dedupe_key: None, priority: 0, payload, max_attempts: 5, run_at: None }
    }
}

/// Adds a job in the caller's transaction. Says whether it was added, or one with its key is live already.
///
/// Call [`Queue::wake`] after the transaction is committed, or the job waits for the next look at the table.
///
/// # Errors
/// If the database fails.
pub async fn enqueue(db: Db<'_>, id: JobId, job: NewJob, now: DateTime<Utc>) -> Result<bool, StorageError> {
    let row = Job {
        id,
        organization_id: job.organization_id,
        kind: job.kind.to_owned(),
        dedupe_key: job.dedupe_key,
        priority: job.priority,
        rank: 0,
        payload: job.payload,
        status: JobStatus::Queued,
        attempts: 0,
        max_attempts: job.max_attempts.max(1),
        run_at: job.run_at.unwrap_or(now),
        owner: None,
        lease_until: None,
        cancel_requested: false,
        progress: None,
        error: None,
        created_at: now,
        started_at: None,
        finished_at: None,
    };
    jobs::insert(db, &row).await
}

/// Whether new jobs are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// The link between those who add jobs and the runner of the same process. Cheap to clone; works without a runner.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    wake: Notify,
    paused: AtomicBool,
    running: Mutex<HashMap<(String, String), Control>>,
}

impl Queue {
    /// Makes the runner look at the table now.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Whether the runner of this process begins new jobs from now on. What runs goes on.
    pub fn pause(&self, pause: Pause) {
        let paused = pause == Pause::On;
        if self.shared.paused.swap(paused, Ordering::Relaxed) && !paused {
            self.wake();
        }
    }

    /// Whether no new jobs are begun.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.shared.paused.load(Ordering::Relaxed)
    }

    /// Asks the live job of a kind with this key to stop: in the caller's transaction for whoever runs it, and call
    /// [`Queue::stop_here`] after the commit.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn request_cancel(
        &self,
        db: Db<'_>,
        kind: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<CancelOutcome, StorageError> {
        jobs::request_cancel(db, kind, key, now).await
    }

    /// Stops the job at once if this process runs it; otherwise its owner learns of the request when it renews.
    pub fn stop_here(&self, kind: &str, key: &str) {
        if let Some(control) = self.running().get(&(kind.to_owned(), key.to_owned())) {
            control.stop(StopReason::Cancelled);
        }
    }

    pub(crate) async fn woken(&self) {
        self.shared.wake.notified().await;
    }

    pub(crate) fn started(&self, job: &Job, control: &Control) {
        if let Some(key) = &job.dedupe_key {
            self.running().insert((job.kind.clone(), key.clone()), control.clone());
        }
    }

    pub(crate) fn ended(&self, job: &Job) {
        if let Some(key) = &job.dedupe_key {
            self.running().remove(&(job.kind.clone(), key.clone()));
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<(String, String), Control>> {
        // Nothing is left half done by a panic while the lock is held: it guards single map operations.
        self.shared.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
