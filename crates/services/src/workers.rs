//! The processes that run background work: servers and workers.

use bartizan_domain::{Permission, Result};
pub use bartizan_jobs::{Process, ProcessKind};
use bartizan_storage::workers as storage;
use bartizan_storage::{Listed, Page, jobs};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{OpContext, Services};

/// How long a process that was lost is still shown.
pub(crate) const SHOWN: TimeDelta = TimeDelta::days(1);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name, as jobs show it.
    pub name: String,
    /// What it is.
    pub kind: ProcessKind,
    /// Name of its machine.
    pub host: String,
    /// Its number there.
    pub process_id: u32,
    /// Version of the program.
    pub version: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Its last sign of life.
    pub last_heartbeat_at: DateTime<Utc>,
    /// Until when that sign holds: as long as the lease of a job.
    pub alive_until: DateTime<Utc>,
    /// Whether it holds now.
    pub alive: bool,
    /// Jobs it runs, of all organisations.
    pub running_jobs: u64,
    /// How many it runs at a time, of all kinds together.
    pub slots: u32,
}

/// One page of the processes that run background work, the living first. One that ended in order is not among them; one
/// that was lost is, for a day.
///
/// # Errors
/// [`bartizan_domain::Error::Forbidden`] but for members of the first organisation with `system.view`; if the database
/// fails.
pub async fn list(cx: &OpContext, services: &Services, page: Page) -> Result<Listed<Worker>> {
    crate::installation::require(cx, services, Permission::SystemView).await?;
    let (db, now) = (services.store.read(), cx.now());
    let found = storage::list(db, now, page).await?;
    let running = jobs::running_by_owner(db).await?;
    Ok(found.map(|worker| Worker {
        running_jobs: running.get(&worker.name).copied().unwrap_or(0),
        kind: ProcessKind::of(&worker.kind),
        name: worker.name,
        host: worker.host,
        process_id: worker.process_id,
        version: worker.version,
        started_at: worker.started_at,
        last_heartbeat_at: worker.heartbeat_at,
        alive_until: worker.lease_until,
        alive: worker.lease_until > now,
        slots: worker.slots,
    }))
}
