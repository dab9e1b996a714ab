//! What running scans of this process are doing right now, and who wants to know when it changes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bartizan_domain::id::{OrganizationId, ScanId};
use bartizan_engine::Progress;
use tokio::sync::broadcast;

/// A scan changed: its progress, its state, its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) organization: OrganizationId,
    pub(crate) scan: ScanId,
}

#[derive(Debug)]
pub(crate) struct Live {
    progress: Mutex<HashMap<ScanId, Progress>>,
    changes: broadcast::Sender<Changed>,
}

impl Default for Live {
    fn default() -> Self {
        Self { progress: Mutex::default(), changes: broadcast::channel(256).0 }
    }
}

impl Live {
    pub(crate) fn progress(&self, scan: ScanId) -> Option<Progress> {
        self.lock().get(&scan).cloned()
    }

    pub(crate) fn set(&self, changed: Changed, progress: Progress) {
        self.lock().insert(changed.scan, progress);
        self.tell(changed);
    }

    pub(crate) fn end(&self, changed: Changed) {
        self.lock().remove(&changed.scan);
        self.tell(changed);
    }

    pub(crate) fn tell(&self, changed: Changed) {
        // An error means that nobody is listening.
        let _ = self.changes.send(changed);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ScanId, Progress>> {
        // Single map operations leave nothing half done.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
