//! Background jobs.

use axum::Json;
use axum::extract::State;
use bartizan_domain::id::JobId;
use bartizan_services::jobs;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, ItemErrors, ReadErrors};
use crate::extract::{List, Listing, PageParams, Path};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_jobs))
        .routes(routes!(get_job))
        .routes(routes!(cancel_job))
        .routes(routes!(retry_job))
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits.
    Queued,
    /// A worker has it.
    Running,
    /// Ended well.
    Done,
    /// Given up after its last attempt.
    Failed,
    /// Ended on request.
    Cancelled,
}

impl std::str::FromStr for JobStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "queued" => Ok(Self::Queued),
            "running" => Ok(Self::Running),
            "done" => Ok(Self::Done),
            "failed" => Ok(Self::Failed),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err(format!("unknown status `{text}`: expected queued, running, done, failed or cancelled")),
        }
    }
}

impl From<JobStatus> for jobs::JobStatus {
    fn from(status: JobStatus) -> Self {
        match status {
            JobStatus::Queued => Self::Queued,
            JobStatus::Running => Self::Running,
            JobStatus::Done => Self::Done,
            JobStatus::Failed => Self::Failed,
            JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<jobs::JobStatus> for JobStatus {
    fn from(status: jobs::JobStatus) -> Self {
        match status {
            jobs::JobStatus::Queued => Self::Queued,
            jobs::JobStatus::Running => Self::Running,
            jobs::JobStatus::Done => Self::Done,
            jobs::JobStatus::Failed => Self::Failed,
            jobs::JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// A background job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "kind": "scan", "subject": "17",
    "status": "running", "priority": 0, "attempts": 1, "max_attempts": 100, "run_at": "2026-11-20T09:29:00Z",
    "worker": "scanner-1:4711:5f1d2c9a", "lease_until": "2026-11-20T09:31:00Z", "cancel_requested": false,
    "progress": null, "error": null, "created_at": "2026-11-20T09:29:00Z", "started_at": "2026-11-20T09:29:01Z",
    "finished_at": null}))]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// What is done: `scan`, `housekeeping`.
    pub kind: String,
    /// What it is done to, for instance the number of a scan. While such a job waits or runs, another one is not added.
    pub subject: Option<String>,
    /// State.
    pub status: JobStatus,
    /// Greater is sooner; 0 is ordinary.
    pub priority: i32,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Not before.
    pub run_at: DateTime<Utc>,
    /// The process that has it.
    pub worker: Option<String>,
    /// Until when that process has it without a sign of life.
    pub lease_until: Option<DateTime<Utc>>,
    /// Whether it is asked to stop.
    pub cancel_requested: bool,
    /// What it last reported.
    #[schema(value_type = Option<Object>)]
    pub progress: Option<Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was first begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<jobs::Job> for Job {
    fn from(job: jobs::Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            subject: job.dedupe_key,
            status: job.status.into(),
            priority: job.priority,
            attempts: u32::try_from(job.attempts).unwrap_or(0),
            max_attempts: u32::try_from(job.max_attempts).unwrap_or(0),
            run_at: job.run_at,
            worker: job.owner,
            lease_until: job.lease_until,
            cancel_requested: job.cancel_requested,
            progress: job.progress,
            error: job.error,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// Filters of the job list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct JobFilter {
    /// States.
    #[param(value_type = Option<Vec<JobStatus>>, style = Form, explode = false)]
    pub status: List<JobStatus>,
    /// Kind.
    #[param(max_length = 100)]
    pub kind: Option<String>,
}

/// Lists background jobs.
///
/// Needs `system.view`. Newest first: what waits, what runs, and for 30 days what became of the rest.
#[utoipa::path(get, path = "/api/jobs", operation_id = "list_jobs", tag = "system",
    params(PageParams, JobFilter), responses((status = 200, body = PageOf<Job>), ReadErrors))]
async fn list_jobs(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<JobFilter>,
) -> ApiResult<Json<PageOf<Job>>> {
    let statuses = list.filter.status.0.into_iter().map(Into::into).collect();
    let filter = jobs::JobFilter { statuses, kind: list.filter.kind };
    let found = jobs::list(&caller.cx, state.services(), &filter, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Job::from)))
}

/// Reads a background job.
///
/// Needs `system.view`.
#[utoipa::path(get, path = "/api/jobs/{job_id}", operation_id = "get_job", tag = "system",
    params(("job_id" = JobId, Path, description = "The job.")), responses((status = 200, body = Job), ItemErrors))]
async fn get_job(State(state): State<AppState>, caller: Caller, Path(id): Path<JobId>) -> ApiResult<Json<Job>> {
    Ok(Json(jobs::get(&caller.cx, state.services(), id).await?.into()))
}

/// Cancels a background job.
///
/// Needs `system.manage`. One that waits ends at once; one that runs is asked to stop. 409 when it has ended.
#[utoipa::path(post, path = "/api/jobs/{job_id}/cancel", operation_id = "cancel_job", tag = "system",
    params(("job_id" = JobId, Path, description = "The job.")), responses((status = 200, body = Job), ChangeErrors))]
async fn cancel_job(State(state): State<AppState>, caller: Caller, Path(id): Path<JobId>) -> ApiResult<Json<Job>> {
    Ok(Json(jobs::cancel(&caller.cx, state.services(), id).await?.into()))
}

/// Tries a background job again.
///
/// Needs `system.manage`. For jobs that failed or were cancelled, except scans, which are launched anew.
#[utoipa::path(post, path = "/api/jobs/{job_id}/retry", operation_id = "retry_job", tag = "system",
    params(crate::idempotency::IdempotencyHeader, ("job_id" = JobId, Path, description = "The job.")), responses((status = 200, body = Job), ChangeErrors))]
async fn retry_job(State(state): State<AppState>, caller: Caller, Path(id): Path<JobId>) -> ApiResult<Json<Job>> {
    Ok(Json(jobs::retry(&caller.cx, state.services(), id).await?.into()))
}
