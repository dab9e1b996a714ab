//! The processes that run background work.

use axum::Json;
use axum::extract::State;
use bartizan_services::workers::{self, ProcessKind};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ReadErrors};
use crate::extract::{Listing, NoFilter, PageParams};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_workers))
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerKind {
    /// It answers requests and runs jobs: `bartizan serve`.
    Server,
    /// It runs jobs: `bartizan worker`.
    Worker,
}

impl From<ProcessKind> for WorkerKind {
    fn from(kind: ProcessKind) -> Self {
        match kind {
            ProcessKind::Server => Self::Server,
            ProcessKind::Worker => Self::Worker,
        }
    }
}

/// A process that runs background work.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "scanner-1:4711:5f1d2c9a", "kind": "worker", "host": "scanner-1", "process_id": 4711,
    "version": "0.1.0", "started_at": "2026-11-20T08:00:00Z", "last_heartbeat_at": "2026-11-20T09:30:00Z",
    "alive_until": "2026-11-20T09:31:00Z", "alive": true, "running_jobs": 1, "slots": 4}))]
pub struct Worker {
    /// Its name, as in `worker` of a job.
    pub id: String,
    /// What it is.
    pub kind: WorkerKind,
    /// Name of its machine.
    pub host: String,
    /// Its number there.
    pub process_id: u32,
    /// Version of the program.
    pub version: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Its last sign of life.
    pub last_heartbeat_at: DateTime<Utc>,
    /// Until when that sign holds: as long as the lease of a job, 60 seconds unless set otherwise.
    pub alive_until: DateTime<Utc>,
    /// Whether it holds now. The jobs of a process that was lost go to the others then.
    pub alive: bool,
    /// Jobs it runs.
    pub running_jobs: u64,
    /// Jobs it runs at a time at most, of all kinds together.
    pub slots: u32,
}

impl From<workers::Worker> for Worker {
    fn from(worker: workers::Worker) -> Self {
        Self {
            id: worker.name,
            kind: worker.kind.into(),
            host: worker.host,
            process_id: worker.process_id,
            version: worker.version,
            started_at: worker.started_at,
            last_heartbeat_at: worker.last_heartbeat_at,
            alive_until: worker.alive_until,
            alive: worker.alive,
            running_jobs: worker.running_jobs,
            slots: worker.slots,
        }
    }
}

/// Lists the processes that run background work.
///
/// Needs `system.view`, in the first organisation of the server. Servers and workers; the living first, then by name. A
/// process that ends in order leaves the list at once; one that is lost is shown as not alive when its last sign of life
/// has run out, and leaves the list a day later.
#[utoipa::path(get, path = "/api/system/workers", operation_id = "list_workers", tag = "system",
    params(PageParams), responses((status = 200, body = PageOf<Worker>), ReadErrors))]
async fn list_workers(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<Worker>>> {
    let found = workers::list(&caller.cx, state.services(), list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Worker::from)))
}
