//! The asynchronous way in: the run goes on in a thread of its own and events come through a bounded channel.

use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::{Control, Error, Event, Job, Outcome, run};

/// Events on their way to the caller; a caller who does not read slows the run down instead of filling the memory.
const CHANNEL: usize = 4096;

/// A run in progress. Dropping it cancels the run.
#[derive(Debug)]
pub struct Scan {
    control: Control,
    events: mpsc::Receiver<Event>,
    outcome: oneshot::Receiver<Result<Outcome, Error>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a job. Steer it with clones of `control`.
///
/// # Errors
/// [`Error::Start`] if the system gives no thread. Everything else is told by [`Scan::outcome`].
pub fn scan(job: Job, control: &Control) -> Result<Scan, Error> {
    let (event_sender, events) = mpsc::channel(CHANNEL);
    let (outcome_sender, outcome) = oneshot::channel();
    let steering = control.clone();
    let thread = std::thread::Builder::new().name("portscan-run".into()).spawn(move || {
        let result = run(&job, &steering, |event| {
            if event_sender.blocking_send(event).is_err() {
                // Nobody listens any more.
                steering.cancel();
            }
        });
        // A caller who is gone does not miss the outcome.
        let _ = outcome_sender.send(result);
    })?;
    Ok(Scan { control: control.clone(), events, outcome, thread: Some(thread) })
}

impl Scan {
    /// Ends the run soon; what was found stands.
    pub fn cancel(&self) {
        self.control.cancel();
    }

    /// The next event; `None` when the run has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Drops the events that are left and waits for the end.
    ///
    /// # Errors
    /// What [`run`] says; [`Error::Start`] if the run broke off without saying anything.
    pub async fn outcome(mut self) -> Result<Outcome, Error> {
        while self.events.recv().await.is_some() {}
        let outcome = (&mut self.outcome).await;
        if let Some(thread) = self.thread.take() {
            // It has sent its last word; this wait is for its stack to go.
            let _ = thread.join();
        }
        outcome.unwrap_or_else(|_| Err(Error::Start(std::io::Error::other("the run broke off"))))
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.control.cancel();
        }
    }
}
