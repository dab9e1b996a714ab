//! Background jobs as people see them: what waits, what runs, what became of the rest.

use bartizan_domain::id::{JobId, OrganizationId};
use bartizan_domain::{Error, Permission, Result};
pub use bartizan_jobs::{Job, JobFilter, JobStatus};
use bartizan_storage::jobs::{self as storage, Whose};
use bartizan_storage::{Db, Listed, Page};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services, installation, scan_job, scans};

/// One page of the organisation's jobs, for members of the first one also of those of the installation, newest first.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services, filter: &JobFilter, page: Page) -> Result<Listed<Job>> {
    let whose = whose(services.store.read(), cx.require(Permission::SystemView)?).await?;
    Ok(storage::list(services.store.read(), whose, filter, page).await?)
}

/// One job.
///
/// # Errors
/// [`Error::NotFound`] if there is no such job for the organisation.
pub async fn get(cx: &OpContext, services: &Services, id: JobId) -> Result<Job> {
    let organization = cx.require(Permission::SystemView)?;
    found(services.store.read(), organization, id).await
}

/// Asks a job to stop; one that waits ends at once. The job of a scan is stopped by cancelling the scan.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it has ended.
pub async fn cancel(cx: &OpContext, services: &Services, id: JobId) -> Result<Job> {
    let organization = cx.require(Permission::SystemManage)?;
    let job = found(services.store.read(), organization, id).await?;
    if let Some(scan) = scan_job::scan_of(&job) {
        scans::cancel(cx, services, scan).await?;
    } else {
        let (_, change) = Mutation::begin(cx, services, Permission::SystemManage).await?;
        if storage::cancel_one(change.db(), id, cx.now()).await? == bartizan_jobs::CancelOutcome::NoJob {
            return Err(ended(&job));
        }
        change.commit(Change::new("job.cancel", "job", id).before(json!({ "kind": job.kind }))).await?;
    }
    services.queue.wake();
    found(services.store.read(), organization, id).await
}

/// Puts a job that failed or was cancelled back into the queue. A scan is not tried again this way, because it has
/// ended for everybody who watched it: launch it anew.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it cannot be tried again.
pub async fn retry(cx: &OpContext, services: &Services, id: JobId) -> Result<Job> {
    let (organization, change) = Mutation::begin(cx, services, Permission::SystemManage).await?;
    let job = found(change.db(), organization, id).await?;
    if scan_job::scan_of(&job).is_some() {
        return Err(Error::Conflict("A scan that has ended is not run again: launch a new one".to_owned()));
    }
    if !storage::requeue(change.db(), id, cx.now()).await? {
        let message = format!("Job {id} is {}, or another one like it waits already", job.status.as_str());
        return Err(Error::Conflict(message));
    }
    change.commit(Change::new("job.retry", "job", id).before(json!({ "kind": job.kind }))).await?;
    services.queue.wake();
    found(services.store.read(), organization, id).await
}

/// Jobs that are nobody's belong to the whole installation.
async fn whose(db: Db<'_>, organization: OrganizationId) -> Result<Whose> {
    let first = installation::is_first(db, organization).await?;
    Ok(if first { Whose::AndInstallation(organization) } else { Whose::Organization(organization) })
}

async fn found(db: Db<'_>, organization: OrganizationId, id: JobId) -> Result<Job> {
    let whose = whose(db, organization).await?;
    storage::find(db, whose, id).await?.ok_or_else(|| Error::not_found("job", id))
}

fn ended(job: &Job) -> Error {
    Error::Conflict(format!("Job {} has ended already: it is {}", job.id, job.status.as_str()))
}
