//! The process a runner works in, and its signs of life.

use std::sync::Arc;
use std::time::Duration;

use bartizan_domain::Clock;
use bartizan_storage::workers::{self, Worker};
use bartizan_storage::{StorageError, Store};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

/// Who runs jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Names the process in leases, and must be its own.
    pub name: String,
    /// What it is.
    pub kind: ProcessKind,
    /// Name of its machine.
    pub host: String,
    /// Its number there.
    pub id: u32,
    /// Version of the program.
    pub version: String,
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessKind {
    /// It answers requests and runs jobs.
    Server,
    /// It runs jobs.
    Worker,
}

impl ProcessKind {
    /// The stored and wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Worker => "worker",
        }
    }

    /// From the stored form; what a later version may have stored runs jobs in any case.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text == Self::Server.as_str() { Self::Server } else { Self::Worker }
    }
}

/// Gives signs of life for one process until it stops.
pub(crate) struct Heartbeat {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) process: Process,
    /// How many jobs it runs at a time.
    pub(crate) slots: u32,
    /// How long a sign holds.
    pub(crate) lease: TimeDelta,
    /// How often one is given.
    pub(crate) every: Duration,
}

impl Heartbeat {
    /// Gives the first sign now and more until `shutdown` fires.
    pub(crate) async fn go_on(self, shutdown: CancellationToken) {
        let started_at = self.now();
        let mut interval = tokio::time::interval(self.every);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = interval.tick() => {
                    if let Err(error) = self.beat(started_at).await {
                        tracing::warn!(%error, "a sign of life could not be stored");
                    }
                }
            }
        }
    }

    /// Takes the process off the list: it has ended in order.
    pub(crate) async fn leave(store: &Store, name: &str) -> Result<(), StorageError> {
        let tx = store.begin().await?;
        workers::remove(tx.db(), name).await?;
        tx.commit().await
    }

    async fn beat(&self, started_at: DateTime<Utc>) -> Result<(), StorageError> {
        let now = self.now();
        let worker = Worker {
            name: self.process.name.clone(),
            kind: self.process.kind.as_str().to_owned(),
            host: self.process.host.clone(),
            process_id: self.process.id,
            version: self.process.version.clone(),
            slots: self.slots,
            started_at,
            heartbeat_at: now,
            lease_until: now + self.lease,
        };
        let tx = self.store.begin().await?;
        workers::beat(tx.db(), &worker).await?;
        tx.commit().await
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }
}
