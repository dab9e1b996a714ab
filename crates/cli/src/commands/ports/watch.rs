//! What may end a port scan before its end: signals and the time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::reporter::Reporter;
use crate::exit::Exit;
use crate::signals::Interrupts;

/// Why a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    ByItself,
    /// The time limit.
    OutOfTime,
    /// A signal.
    Interrupted,
    /// Nobody takes results any more.
    Unread,
}

/// Watches from before the first file is made until everything is written.
#[derive(Debug)]
pub struct Watch {
    task: JoinHandle<()>,
    interrupted: Arc<AtomicBool>,
    out_of_time: Arc<AtomicBool>,
}

impl Watch {
    /// Begins to watch; the limit runs from now.
    pub fn begin(cancel: &CancellationToken, limit: Option<Duration>, reporter: &Reporter) -> Result<Self> {
        let (interrupted, out_of_time) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let mut signals = Interrupts::listen()?;
        let notes = reporter.notes();
        let (cancel, by_signal, by_time) = (cancel.clone(), Arc::clone(&interrupted), Arc::clone(&out_of_time));
        let task = tokio::spawn(async move {
            let time_is_up = async {
                match limit {
                    Some(limit) => tokio::time::sleep(limit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::pin!(time_is_up);
            let mut timed = limit.is_some();
            loop {
                tokio::select! {
                    () = &mut time_is_up, if timed => {
                        timed = false;
                        by_time.store(true, SeqCst);
                        cancel.cancel();
                    }
                    () = signals.next() => {
                        if by_signal.swap(true, SeqCst) {
                            notes.say("stopped; nothing more is written");
                            crate::io::remove_unfinished();
                            std::process::exit(i32::from(Exit::Interrupted.code()));
                        }
                        notes.say("stopping: writing what was found; interrupt again to stop at once");
                        cancel.cancel();
                    }
                }
            }
        });
        Ok(Self { task, interrupted, out_of_time })
    }

    /// What has ended the scan by now.
    pub fn so_far(&self) -> Ended {
        match () {
            () if self.interrupted.load(SeqCst) => Ended::Interrupted,
            () if self.out_of_time.load(SeqCst) => Ended::OutOfTime,
            () => Ended::ByItself,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
