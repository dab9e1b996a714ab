//! How far a scan is: asked for, or streamed.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use bartizan_domain::id::ScanId;
use bartizan_domain::{Error, ScanStatus};
use bartizan_services::scans;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ItemErrors, Problem};
use crate::extract::Path;
use crate::wire::SeverityCounts;

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_scan_progress)).routes(routes!(stream_scan_events))
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"scan_id": 17, "status": "running", "phase": "checking services", "current": "192.0.2.10",
    "hosts_total": 20, "hosts_finished": 14, "ports_total": 20000, "ports_finished": 14200,
    "checks_total": 2400, "checks_finished": 1650,
    "findings": {"critical": 0, "high": 1, "medium": 2, "low": 4, "info": 1},
    "elapsed_seconds": 90, "eta_seconds": 41, "partial": false}))]
pub struct ScanProgress {
    /// The scan.
    pub scan_id: ScanId,
    /// State.
    pub status: ScanStatus,
    /// What is being done, for people.
    pub phase: String,
    /// What it is being done to.
    pub current: Option<String>,
    /// Hosts in all; 0 until planned.
    pub hosts_total: u64,
    /// Hosts done.
    pub hosts_finished: u64,
    /// Ports to try in all.
    pub ports_total: u64,
    /// Ports tried.
    pub ports_finished: u64,
    /// Checks planned in all.
    pub checks_total: u64,
    /// Checks done.
    pub checks_finished: u64,
    /// Failed checks so far.
    pub findings: SeverityCounts,
    /// Seconds since the start.
    pub elapsed_seconds: u64,
    /// Seconds left, when that can be said honestly.
    pub eta_seconds: Option<u64>,
    /// Whether the results have gaps already.
    pub partial: bool,
}

/// Tells how far a scan is.
///
/// Needs `scans.view`. For clients that poll; `/events` sends the same when it changes.
#[utoipa::path(get, path = "/api/scans/{scan_id}/progress", operation_id = "get_scan_progress", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan.")),
    responses((status = 200, body = ScanProgress), ItemErrors))]
async fn get_scan_progress(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> ApiResult<Json<ScanProgress>> {
    Ok(Json(scans::progress(&caller.cx, state.services(), id).await?.into()))
}

/// Streams the progress of a scan.
///
/// Needs `scans.view`. Server-sent events: `progress` with a `ScanProgress` as data whenever it changes, beginning
/// with the present one, and `finished` with the last one, after which the stream ends. It also ends, within seconds, when
/// the caller may no longer see the scan or the session is over. At most 32 streams a user at once.
#[utoipa::path(get, path = "/api/scans/{scan_id}/events", operation_id = "stream_scan_events", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan.")),
    responses((status = 200, body = String, content_type = "text/event-stream",
        example = json!("event: progress\ndata: {\"scan_id\":17,\"status\":\"running\"}\n\n")),
        (status = 429, body = Problem, description = "Too many streams; `Retry-After` says for how long."), ItemErrors))]
async fn stream_scan_events(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> ApiResult<Response> {
    let subscription = scans::subscribe(&caller.cx, state.services(), id).await?;
    let open = state.streams().open(caller.profile.user_id)?;
    let events = stream::unfold((subscription, open), |(mut subscription, open)| async move {
        match subscription.next().await {
            Ok(Some(progress)) => Some((event_of(progress), (subscription, open))),
            Ok(None) | Err(Error::Unauthenticated(_) | Error::Forbidden(_)) => None,
            Err(error) => {
                // The stream has begun, so that no status can tell; its end makes the client come back and ask.
                tracing::error!(context = error.internal_context().unwrap_or_default(), "scan events ended");
                None
            }
        }
    });
    // While the server stops, a stream must not hold it up.
    let events = events.take_until(state.stopping());
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    // Tells buffering proxies (nginx) to pass events on as they come.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// How often a silent stream says that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

fn event_of(progress: scans::ScanProgress) -> Result<Event, axum::Error> {
    let progress = ScanProgress::from(progress);
    let name = if progress.status.is_final() { "finished" } else { "progress" };
    Event::default().event(name).json_data(&progress)
}
