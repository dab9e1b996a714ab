//! State of the server, for people who run it and for probes.

use bartizan_domain::{Permission, Result};
use bartizan_storage::{Backend, Page, SortDir, jobs, scans};

use crate::{OpContext, Services};

/// State of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Version of the check catalogue.
    pub catalogue: &'static str,
    /// Checks in it.
    pub checks: u64,
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// Background jobs.
    pub jobs: Jobs,
    /// Whether demonstration data is loaded.
    pub demo: bool,
}

/// Background jobs of the whole installation by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Waiting.
    pub waiting: u64,
    /// Running.
    pub running: u64,
    /// Given up.
    pub failed: u64,
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
        jobs: jobs_of(services).await?,
        demo: scans::list(db, organization, &demo, sort, Page::first(1)).await?.total > 0,
    })
}

/// Jobs that wait or run, for the health of the service: anybody may ask. It fails where the database does.
///
/// # Errors
/// If the database fails.
pub async fn pending_jobs(services: &Services) -> Result<u64> {
    services.ping().await?;
    let jobs = jobs_of(services).await?;
    Ok(jobs.waiting + jobs.running)
}

async fn jobs_of(services: &Services) -> Result<Jobs> {
    let mut found = Jobs::default();
    for (state, count) in jobs::counts(services.store.read()).await? {
        match state.as_str() {
            "queued" => found.waiting = count,
            "running" => found.running = count,
            "failed" => found.failed = count,
            _ => {}
        }
    }
    Ok(found)
}
