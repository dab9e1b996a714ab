//! State of the server, for people who run it and for probes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bartizan_domain::{FindingStatus, Permission, Result, Severity};
pub use bartizan_storage::jobs::Queue;
use bartizan_storage::{Backend, Page, SortDir, jobs, metrics, scans, schedules};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{OpContext, Services, installation};

/// State of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Version of the check catalogue.
    pub catalogue: &'static str,
    /// Checks in it.
    pub checks: u64,
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// Background jobs by kind: of one organisation, for members of the first one of the whole installation.
    pub queues: Vec<Queue>,
    /// Whether demonstration data is loaded.
    pub demo: bool,
}

/// State of the server.
///
/// # Errors
/// If the caller may not see it, or the database fails.
pub async fn status(cx: &OpContext, services: &Services) -> Result<Status> {
    let organization = cx.require(Permission::SystemView)?;
    let sort = (scans::ScanSort::Id, SortDir::Asc);
    let demo = scans::ScanFilter { demo: Some(true), ..scans::ScanFilter::default() };
    let db = services.store.read();
    Ok(Status {
        catalogue: services.catalog.version(),
        checks: services.catalog.checks().count() as u64,
        database: match services.store.backend() {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        },
        queues: jobs::queues(db, (!installation::is_first(db, organization).await?).then_some(organization)).await?,
        demo: scans::list(db, organization, &demo, sort, Page::first(1)).await?.total > 0,
    })
}

/// What the scheduler has to do, for the health of the service: schedules that are enabled, and the timers of the program
/// itself. Anybody may ask. It fails where the database does.
///
/// # Errors
/// If the database fails.
pub async fn scheduler_jobs(services: &Services) -> Result<u64> {
    services.ping().await?;
    Ok(schedules::count_enabled(services.store.read()).await? + Services::TIMERS)
}

/// What monitoring wants to know beside what is counted as it happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Waiting jobs by kind, for every kind there is: a queue that ran empty is 0, not absent.
    pub queues: Vec<(String, u64)>,
    /// Scans that run.
    pub scans_running: u64,
    /// Findings by severity and status, for every pair there is.
    pub findings: Vec<(Severity, FindingStatus, u64)>,
    /// Connections in use.
    pub connections_in_use: u64,
}

/// Counts of findings, which take long to count where there are many.
#[derive(Debug, Default)]
pub(crate) struct Numbers(Mutex<Option<(DateTime<Utc>, FindingCounts)>>);

type FindingCounts = Vec<(Severity, FindingStatus, u64)>;

/// How old the count of findings may be.
const NUMBERS_FRESH: TimeDelta = TimeDelta::seconds(60);

/// Whether the caller may see [`gauges`].
///
/// # Errors
/// [`Error::Forbidden`] but for members of the first organisation with `system.view`.
pub async fn may_measure(cx: &OpContext, services: &Services) -> Result<()> {
    installation::require(cx, services, Permission::SystemView).await.map(drop)
}

/// The numbers of the whole installation. Whether the one who asks may know is decided by how the question came in: by
/// the listener for monitoring, with its token, or from somebody whom [`may_measure`] lets.
///
/// # Errors
/// If the database fails.
pub async fn gauges(services: &Services) -> Result<Gauges> {
    let db = services.store.read();
    let now = services.anonymous(crate::Origin::default()).now();
    let lock = || services.numbers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock().as_ref().filter(|(at, _)| now - *at < NUMBERS_FRESH).map(|(_, counts)| counts.clone());
    let findings = match known {
        Some(counts) => counts,
        None => {
            let counts = metrics::findings(db).await?;
            *lock() = Some((now, counts.clone()));
            counts
        }
    };
    let waiting = metrics::queue_depths(db).await?;
    // What was measured once stays in the answer until it is measured again.
    let mut queues: BTreeMap<String, u64> =
        Services::job_kinds().into_iter().map(|kind| (kind.to_owned(), 0)).collect();
    queues.extend(waiting);
    let pairs = Severity::ALL.into_iter().flat_map(|severity| FindingStatus::ALL.map(|status| (severity, status)));
    let count = |pair| findings.iter().filter(|(s, t, _)| (*s, *t) == pair).map(|(.., count)| count).sum();
    let findings = pairs.map(|pair| (pair.0, pair.1, count(pair))).collect();
    Ok(Gauges {
        queues: queues.into_iter().collect(),
        scans_running: metrics::running_scans(db).await?,
        findings,
        connections_in_use: services.store.pool_use().0,
    })
}
