//! The clocks: the machine's, and the database's where several machines share one.
//!
//! Leases of jobs, the times of schedules and the ends of sessions are compared by whichever machine looks. Machines
//! whose clocks differ would take each other's jobs away, fire early, or let a session live on; so all of them go by the
//! clock of the PostgreSQL server they share.

use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bartizan_domain::Clock;
use bartizan_storage::Store;
use chrono::{DateTime, TimeDelta, Utc};

use crate::terminal::SystemClock;

/// How often the database is asked for the time.
const EVERY: Duration = Duration::from_secs(10);
/// An answer that took longer says too little about the time.
const SLOW: Duration = Duration::from_secs(1);
/// A difference to the machine's own clock that its operator hears of.
const NOTABLE: TimeDelta = TimeDelta::seconds(5);

/// The clock that everything on this database goes by.
///
/// # Errors
/// If the database does not answer.
pub async fn of(store: &Store) -> Result<Arc<dyn Clock>> {
    let Some(anchor) = ask(store).await? else { return Ok(Arc::new(SystemClock)) };
    let apart = anchor.now() - SystemClock.now();
    if apart.abs() > NOTABLE {
        tracing::warn!(
            seconds = apart.num_seconds(),
            "this machine's clock differs from that of the database, which is used: check its time synchronisation"
        );
    }
    let clock = Arc::new(DatabaseClock(RwLock::new(anchor)));
    tokio::spawn(keep_right(Arc::downgrade(&clock), store.clone()));
    Ok(clock)
}

/// The database's time at an instant of this machine's monotonic clock, which nobody sets.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    database: DateTime<Utc>,
    here: Instant,
    took: Duration,
}

impl Anchor {
    fn now(&self) -> DateTime<Utc> {
        self.database + TimeDelta::from_std(self.here.elapsed()).unwrap_or(TimeDelta::zero())
    }
}

/// The time of the database server, asked now and then and carried on by the monotonic clock in between, so that
/// setting this machine's clock changes nothing.
#[derive(Debug)]
struct DatabaseClock(RwLock<Anchor>);

impl Clock for DatabaseClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).now()
    }
}

/// Asks for the time; `None` where the database is a file of this machine.
async fn ask(store: &Store) -> Result<Option<Anchor>> {
    let begun = Instant::now();
    let Some(database) = store.time().await.context("the time of the database")? else { return Ok(None) };
    let took = begun.elapsed();
    // The answer was made somewhere between question and arrival.
    Ok(Some(Anchor { database, here: begun + took / 2, took }))
}

async fn keep_right(clock: Weak<DatabaseClock>, store: Store) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(clock) = clock.upgrade() else { return };
        // Without an answer the monotonic clock carries on; it strays by less than a second a day.
        if let Ok(Some(anchor)) = ask(&store).await
            && anchor.took <= SLOW
        {
            *clock.0.write().unwrap_or_else(PoisonError::into_inner) = anchor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_between_two_answers() {
        let database: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
        let earlier = Instant::now().checked_sub(Duration::from_secs(7)).unwrap();
        let clock = DatabaseClock(RwLock::new(Anchor { database, here: earlier, took: Duration::ZERO }));
        let first = clock.now();
        assert!((TimeDelta::seconds(7)..TimeDelta::seconds(60)).contains(&(first - database)), "{first}");
        assert!(clock.now() >= first);
    }
}
