//! Claims jobs and runs them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bartizan_domain::Clock;
use bartizan_domain::id::JobId;
use bartizan_storage::jobs::{self, Attempt, AttemptEnd, Job, Renewal};
use bartizan_storage::{Backend, StorageError, Store, workers};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::process::Heartbeat;
use crate::{Process, Queue, Timer};

/// Delay before the first retry; it doubles with each.
const FIRST_RETRY: TimeDelta = TimeDelta::seconds(5);
/// Longest delay before a retry.
const LAST_RETRY: TimeDelta = TimeDelta::minutes(10);

/// Longest wait before listening is tried again after the database was lost.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// How a runner measures time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a claimed job is its owner's without a renewal; it is renewed six times as often.
    pub lease: Duration,
    /// How often the table is looked at when nothing wakes the runner: for due retries, timers, and lost leases.
    pub look_every: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lease: Duration::from_secs(60), look_every: Duration::from_secs(1) }
    }
}

impl Timing {
    fn lease(self) -> TimeDelta {
        // Leases are far below the bound of the type.
        TimeDelta::from_std(self.lease).unwrap_or(TimeDelta::MAX)
    }

    fn renew_every(self) -> Duration {
        (self.lease / 6).max(Duration::from_millis(50))
    }
}

/// Something that is done at every look at the table, by every runner: it must itself see to being done once.
#[async_trait]
pub trait Ticker: Send + Sync {
    /// Does what is due.
    async fn tick(&self);
}

/// How a handler ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Stopped on request.
    Cancelled,
    /// Failed for good.
    Failed(String),
    /// Failed, and may be tried again.
    Retry(String),
    /// Stopped because the process stops, or the lease was lost; somebody else takes it up.
    Released,
}

/// Why a handler is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody asked for it.
    Cancelled,
    /// The process stops.
    Shutdown,
    /// Another process has the job now; nothing more may be written for it.
    LeaseLost,
}

/// What a handler hears from the runner and tells it.
#[derive(Debug, Clone, Default)]
pub struct Control {
    token: CancellationToken,
    state: Arc<Mutex<ControlState>>,
}

#[derive(Debug, Default)]
struct ControlState {
    reason: Option<StopReason>,
    progress: Option<Value>,
}

impl Control {
    /// Fires when the handler is asked to stop.
    #[must_use]
    pub const fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Why it is asked to stop, if it is.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.with(|state| state.reason)
    }

    /// Reports progress; it is stored with the next renewal.
    pub fn progress(&self, progress: Value) {
        self.with(|state| state.progress = Some(progress));
    }

    pub(crate) fn stop(&self, reason: StopReason) {
        self.with(|state| state.reason.get_or_insert(reason).to_owned());
        self.token.cancel();
    }

    fn take_progress(&self) -> Option<Value> {
        self.with(|state| state.progress.take())
    }

    fn with<T>(&self, work: impl FnOnce(&mut ControlState) -> T) -> T {
        // A panic while the lock is held leaves two independent values, both of them valid.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does one kind of job.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Which kind.
    fn kind(&self) -> &'static str;

    /// How many at a time in this process.
    fn concurrency(&self) -> usize {
        1
    }

    /// Does it. Called again for the same job after a crash, so it must take up where it was stopped.
    async fn run(&self, job: &Job, control: &Control) -> Outcome;
}

/// Claims jobs from the table and gives them to their handlers.
pub struct Runner {
    store: Store,
    queue: Queue,
    clock: Arc<dyn Clock>,
    new_id: Arc<dyn Fn() -> JobId + Send + Sync>,
    process: Process,
    handlers: HashMap<&'static str, Slot>,
    timers: Vec<Timer>,
    tickers: Vec<Arc<dyn Ticker>>,
    timing: Timing,
}

struct Slot {
    handler: Arc<dyn Handler>,
    permits: Arc<Semaphore>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("process", &self.process.name).finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner without handlers.
    #[must_use]
    pub fn new(
        store: Store,
        queue: Queue,
        clock: Arc<dyn Clock>,
        new_id: Arc<dyn Fn() -> JobId + Send + Sync>,
        process: Process,
    ) -> Self {
        Self {
            store,
            queue,
            clock,
            new_id,
            process,
            handlers: HashMap::new(),
            timers: Vec::new(),
            tickers: Vec::new(),
            timing: Timing::default(),
        }
    }

    /// Adds a handler.
    #[must_use]
    pub fn handler(mut self, handler: Arc<dyn Handler>) -> Self {
        let permits = Arc::new(Semaphore::new(handler.concurrency().max(1)));
        self.handlers.insert(handler.kind(), Slot { handler, permits });
        self
    }

    /// Measures time in another way.
    #[must_use]
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Adds something to be done at every look.
    #[must_use]
    pub fn ticker(mut self, ticker: Arc<dyn Ticker>) -> Self {
        self.tickers.push(ticker);
        self
    }

    /// Adds a timer.
    #[must_use]
    pub fn timer(mut self, timer: Timer) -> Self {
        self.timers.push(timer);
        self
    }

    /// Runs until `shutdown` fires, then asks every handler to stop and waits for it.
    ///
    /// # Errors
    /// If the database fails at the start. Later failures are logged and tried again.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), StorageError> {
        // One process owns a SQLite file, so whatever is running belonged to a process that is gone.
        if self.store.backend() == Backend::Sqlite {
            let tx = self.store.begin().await?;
            let released = jobs::release_all(tx.db()).await?;
            workers::remove_all(tx.db()).await?;
            tx.commit().await?;
            if released > 0 {
                tracing::info!(jobs = released, "took up the jobs of the process before");
            }
        }
        for timer in &self.timers {
            timer.start(&self.store, self.now(), (self.new_id)()).await?;
        }
        let runner = Arc::new(self);
        let (heart, stop_heart) = (runner.heartbeat(), CancellationToken::new());
        let beating = tokio::spawn(heart.go_on(stop_heart.clone()));
        let listening = tokio::spawn(listen(runner.store.clone(), runner.queue.clone(), shutdown.clone()));
        let mut tasks = JoinSet::new();
        let controls: Controls = Arc::default();
        let mut fired_until = runner.now();
        let mut looked: Option<tokio::time::Instant> = None;
        while !shutdown.is_cancelled() {
            if looked.is_none_or(|at| at.elapsed() >= runner.timing.look_every) {
                looked = Some(tokio::time::Instant::now());
                runner.look(&mut fired_until, &controls).await;
            }
            let claimed = match runner.claim().await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(%error, "jobs cannot be claimed");
                    Vec::new()
                }
            };
            let more = !claimed.is_empty();
            for (job, permit) in claimed {
                let runner = Arc::clone(&runner);
                let control = Control::default();
                lock(&controls).insert(job.id, control.clone());
                let controls = Arc::clone(&controls);
                tasks.spawn(async move {
                    runner.work(&job, &control).await;
                    lock(&controls).remove(&job.id);
                    drop(permit);
                    // A permit is free again.
                    runner.queue.wake();
                });
            }
            while tasks.try_join_next().is_some() {}
            if !more {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = runner.queue.woken() => {}
                    () = tokio::time::sleep(runner.timing.look_every) => {}
                }
            }
        }
        for control in lock(&controls).values() {
            control.stop(StopReason::Shutdown);
        }
        while tasks.join_next().await.is_some() {}
        listening.abort();
        stop_heart.cancel();
        // A sign of life after the last word would put the process back on the list.
        if beating.await.is_ok()
            && let Err(error) = Heartbeat::leave(&runner.store, &runner.process.name).await
        {
            tracing::warn!(%error, "this process is still on the list of workers");
        }
        Ok(())
    }

    fn heartbeat(&self) -> Heartbeat {
        let slots: usize = self.handlers.values().map(|slot| slot.handler.concurrency().max(1)).sum();
        Heartbeat {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            process: self.process.clone(),
            slots: u32::try_from(slots).unwrap_or(u32::MAX),
            lease: self.timing.lease(),
            every: self.timing.renew_every(),
        }
    }

    /// What is due now and then, whether or not there is work.
    async fn look(&self, fired_until: &mut DateTime<Utc>, controls: &Controls) {
        for ticker in &self.tickers {
            ticker.tick().await;
        }
        if !self.queue.is_paused() {
            self.fire_timers(fired_until).await;
        }
        if self.store.backend() == Backend::Postgres
            && let Err(error) = self.release_lost().await
        {
            tracing::error!(%error, "lost leases cannot be given back");
        }
        if lock(controls).is_empty() {
            return;
        }
        match jobs::stop_requests(self.store.read(), &self.process.name).await {
            Ok(asked) => {
                let controls = lock(controls);
                for control in asked.iter().filter_map(|id| controls.get(id)) {
                    control.stop(StopReason::Cancelled);
                }
            }
            Err(error) => tracing::error!(%error, "requests to stop cannot be read"),
        }
    }

    async fn release_lost(&self) -> Result<(), StorageError> {
        let tx = self.store.begin().await?;
        let released = jobs::release_lost(tx.db(), self.now()).await?;
        tx.commit().await?;
        if released > 0 {
            tracing::warn!(jobs = released, "took jobs back whose worker was lost");
        }
        Ok(())
    }

    async fn fire_timers(&self, fired_until: &mut DateTime<Utc>) {
        let now = self.now();
        for timer in &self.timers {
            let Some(fire_at) = timer.next(*fired_until).filter(|fire_at| *fire_at <= now) else { continue };
            if let Err(error) = timer.fire(&self.store, fire_at, now, (self.new_id)()).await {
                tracing::error!(%error, "a timer could not add its job");
            }
        }
        *fired_until = now.max(*fired_until);
    }

    async fn claim(&self) -> Result<Vec<(Job, OwnedSemaphorePermit)>, StorageError> {
        if self.queue.is_paused() {
            return Ok(Vec::new());
        }
        let mut permits: HashMap<&'static str, Vec<OwnedSemaphorePermit>> = HashMap::new();
        for (kind, slot) in &self.handlers {
            while let Ok(permit) = Arc::clone(&slot.permits).try_acquire_owned() {
                permits.entry(*kind).or_default().push(permit);
            }
        }
        let kinds: Vec<&'static str> = permits.keys().copied().collect();
        let now = self.now();
        // Reading first spares an idle server a write a second.
        if kinds.is_empty() || !jobs::any_due(self.store.read(), &kinds, now).await? {
            return Ok(Vec::new());
        }
        let mut claimed = Vec::new();
        let tx = self.store.begin().await?;
        for kind in kinds {
            let Some(permits) = permits.get_mut(kind) else { continue };
            let until = now + self.timing.lease();
            let found = jobs::claim(tx.db(), kind, &self.process.name, (now, until), permits.len() as u64).await?;
            // No more are found than there are permits.
            claimed.extend(found.into_iter().zip(permits.drain(..)));
        }
        tx.commit().await?;
        Ok(claimed)
    }

    async fn work(self: &Arc<Self>, job: &Job, control: &Control) {
        let Some(slot) = self.handlers.get(job.kind.as_str()) else { return };
        if job.attempts > job.max_attempts {
            let why = job.error.clone().unwrap_or_else(|| "the process running it died each time".to_owned());
            self.end(job, &AttemptEnd::Failed(why)).await;
            return;
        }
        if job.cancel_requested {
            control.stop(StopReason::Cancelled);
        }
        self.queue.started(job, control);
        let begun = tokio::time::Instant::now();
        let handler = Arc::clone(&slot.handler);
        let (its_job, its_control) = (job.clone(), control.clone());
        let mut work = tokio::spawn(async move { handler.run(&its_job, &its_control).await });
        let mut renewal = tokio::time::interval(self.timing.renew_every());
        renewal.tick().await;
        let outcome = loop {
            tokio::select! {
                ended = &mut work => break ended.unwrap_or_else(|error| {
                    tracing::error!(job = %job.id, kind = job.kind, %error, "a job panicked");
                    Outcome::Retry("the job ended by a defect of the program; see its log".to_owned())
                }),
                _ = renewal.tick() => self.renew(job, control).await,
            }
        };
        self.queue.ended(job);
        let how = match &outcome {
            Outcome::Done => "done",
            Outcome::Cancelled => "cancelled",
            Outcome::Failed(_) => "failed",
            Outcome::Retry(_) => "retry",
            Outcome::Released => "released",
        };
        metrics::histogram!("bartizan_job_duration_seconds", "job" => job.kind.clone(), "outcome" => how)
            .record(begun.elapsed());
        let end = match outcome {
            _ if control.stop_reason() == Some(StopReason::LeaseLost) => return,
            Outcome::Done => AttemptEnd::Done,
            Outcome::Cancelled => AttemptEnd::Cancelled,
            Outcome::Failed(why) => AttemptEnd::Failed(why),
            Outcome::Released => AttemptEnd::Released,
            Outcome::Retry(why) if job.attempts >= job.max_attempts => AttemptEnd::Failed(why),
            Outcome::Retry(why) => AttemptEnd::Retry(self.now() + retry_delay(job.attempts), why),
        };
        self.end(job, &end).await;
    }

    async fn renew(&self, job: &Job, control: &Control) {
        let renewed = async {
            let tx = self.store.begin().await?;
            let until = self.now() + self.timing.lease();
            let renewal = jobs::renew(tx.db(), self.attempt(job), until, control.take_progress()).await?;
            tx.commit().await?;
            Ok::<_, StorageError>(renewal)
        };
        match renewed.await {
            Ok(Renewal::Held) => {}
            Ok(Renewal::StopAsked) => control.stop(StopReason::Cancelled),
            Ok(Renewal::Lost) => control.stop(StopReason::LeaseLost),
            Err(error) => tracing::warn!(job = %job.id, %error, "a lease could not be renewed"),
        }
    }

    async fn end(&self, job: &Job, end: &AttemptEnd) {
        let ended = async {
            let tx = self.store.begin().await?;
            let ours = jobs::end(tx.db(), self.attempt(job), end, self.now()).await?;
            tx.commit().await?;
            Ok::<_, StorageError>(ours)
        };
        match ended.await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(job = %job.id, kind = job.kind, "a job ended after its lease was lost"),
            Err(error) => tracing::error!(job = %job.id, %error, "the end of a job could not be stored"),
        }
    }

    fn attempt(&self, job: &Job) -> Attempt<'_> {
        Attempt { job: job.id, owner: &self.process.name, number: job.attempts }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }
}

/// Wakes the queue of this process when another one announces work, until the process stops.
async fn listen(store: Store, queue: Queue, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match store.listen().await {
            Ok(None) => return,
            Ok(Some(mut listener)) => {
                while listener.next().await.is_ok() {
                    queue.wake();
                }
            }
            Err(error) => tracing::warn!(%error, "cannot listen for jobs; the table is looked at regularly"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(LISTEN_AGAIN) => {}
        }
    }
}

type Controls = Arc<Mutex<HashMap<JobId, Control>>>;

fn lock(controls: &Mutex<HashMap<JobId, Control>>) -> std::sync::MutexGuard<'_, HashMap<JobId, Control>> {
    controls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn retry_delay(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(10);
    (FIRST_RETRY * (1 << doublings)).min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_back_off_to_a_bound() {
        assert_eq!(retry_delay(1), TimeDelta::seconds(5));
        assert_eq!(retry_delay(2), TimeDelta::seconds(10));
        assert_eq!(retry_delay(30), LAST_RETRY);
    }

    #[test]
    fn the_first_reason_to_stop_stands() {
        let control = Control::default();
        control.stop(StopReason::Cancelled);
        control.stop(StopReason::Shutdown);
        assert_eq!(control.stop_reason(), Some(StopReason::Cancelled));
        assert!(control.token().is_cancelled());
    }
}
