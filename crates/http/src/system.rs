//! Health, state of the server, demo data.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_domain::id::ScanId;
use bartizan_services::{demo, log_level, maintenance, system};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, Problem, ReadErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_liveness))
        .routes(routes!(get_readiness))
        .routes(routes!(get_system_status))
        .routes(routes!(update_maintenance))
        .routes(routes!(get_log_level, update_log_level))
        .routes(routes!(load_demo_data, delete_demo_data))
}

/// Health of the service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok", "version": "0.1.0", "database": "connected", "redis": "not_configured",
    "scheduler_jobs": 0, "uptime_seconds": 86432.15}))]
pub struct Health {
    /// `ok`, `degraded` (Redis down) or `unhealthy` (database down).
    pub status: HealthStatus,
    /// Version of the program.
    pub version: String,
    /// `connected` or `disconnected`.
    pub database: Connection,
    /// `connected`, `degraded` (configured and unreachable) or `not_configured`.
    pub redis: SharedState,
    /// What the scheduler has to do: schedules that are enabled, and timers of the program itself.
    pub scheduler_jobs: u64,
    /// Seconds since the start.
    pub uptime_seconds: f64,
}

/// Overall state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All well.
    Ok,
    /// Works, with less.
    Degraded,
    /// Does not work.
    Unhealthy,
}

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// It answers.
    Connected,
    /// It does not.
    Disconnected,
}

/// State of what several servers share beside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharedState {
    /// It answers.
    Connected,
    /// It is configured and does not answer; each server works on its own meanwhile.
    Degraded,
    /// There is none, which is fine.
    NotConfigured,
}

/// State of the server, for people who run it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"version": "0.1.0", "catalogue": "5f1d2c9a", "check_count": 120, "database": "sqlite",
    "uptime_seconds": 86432.15, "jobs": {"waiting": 2, "running": 1, "failed": 0, "by_kind": [
        {"kind": "scan", "waiting": 2, "running": 1, "failed": 0, "waiting_since": "2026-11-22T08:00:00Z",
            "next_due_at": "2026-11-22T08:00:00Z"}]}, "demo": false,
    "redis": "not_configured", "maintenance": {"enabled": false, "reason": null, "since": null, "by": null}}))]
pub struct SystemStatus {
    /// Version of the program.
    pub version: String,
    /// Version of the check catalogue.
    pub catalogue: String,
    /// Checks in it.
    pub check_count: u64,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// Seconds since the start.
    pub uptime_seconds: f64,
    /// Background jobs.
    pub jobs: JobCounts,
    /// Whether demo data is loaded.
    pub demo: bool,
    /// `connected`, `degraded` or `not_configured`.
    pub redis: SharedState,
    /// Whether maintenance mode is on.
    pub maintenance: Maintenance,
}

/// Maintenance mode.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": true, "reason": "Moving to a larger machine until 14:00 UTC",
    "since": "2026-11-20T12:00:00Z", "by": "admin"}))]
pub struct Maintenance {
    /// Whether it is on: writes are answered 503, no new work is begun, what runs goes on, reads go on.
    pub enabled: bool,
    /// What people are told.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who switched it on; told in the first organisation of the server.
    pub by: Option<String>,
}

impl From<maintenance::Maintenance> for Maintenance {
    fn from(present: maintenance::Maintenance) -> Self {
        Self { enabled: present.enabled, reason: present.reason, since: present.since, by: present.by }
    }
}

/// Maintenance mode as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": false}))]
pub struct MaintenanceUpdate {
    /// Whether it is to be on.
    pub enabled: bool,
    /// What people are told.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What may need attention.
    Warn,
    /// What failed.
    Error,
}

impl From<log_level::LogLevel> for LogLevel {
    fn from(level: log_level::LogLevel) -> Self {
        match level {
            log_level::LogLevel::Debug => Self::Debug,
            log_level::LogLevel::Info => Self::Info,
            log_level::LogLevel::Warn => Self::Warn,
            log_level::LogLevel::Error => Self::Error,
        }
    }
}

impl From<LogLevel> for log_level::LogLevel {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::Debug,
            LogLevel::Info => Self::Info,
            LogLevel::Warn => Self::Warn,
            LogLevel::Error => Self::Error,
        }
    }
}

/// The log level.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": "info"}))]
pub struct LogLevelBody {
    /// How much is logged.
    pub level: LogLevel,
}

/// Background jobs by state: those of the caller's organisation, in the first one those of the whole installation.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobCounts {
    /// Waiting.
    pub waiting: u64,
    /// Running.
    pub running: u64,
    /// Given up after their retries.
    pub failed: u64,
    /// The same by kind, in order of the kinds; those of which none waits, runs or was given up are left out.
    pub by_kind: Vec<JobQueue>,
}

/// Background jobs of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobQueue {
    /// What they do, as in `GET /api/jobs`.
    pub kind: String,
    /// Waiting.
    pub waiting: u64,
    /// Running.
    pub running: u64,
    /// Given up after their retries.
    pub failed: u64,
    /// When the one that waits for longest was added; null if none waits.
    pub waiting_since: Option<DateTime<Utc>>,
    /// When the first of those that wait is to be begun, which is past if it only waits for its turn; null if none waits.
    pub next_due_at: Option<DateTime<Utc>>,
}

impl From<Vec<system::Queue>> for JobCounts {
    fn from(queues: Vec<system::Queue>) -> Self {
        Self {
            waiting: queues.iter().map(|queue| queue.waiting).sum(),
            running: queues.iter().map(|queue| queue.running).sum(),
            failed: queues.iter().map(|queue| queue.failed).sum(),
            by_kind: queues.into_iter().map(JobQueue::from).collect(),
        }
    }
}

impl From<system::Queue> for JobQueue {
    fn from(queue: system::Queue) -> Self {
        Self {
            kind: queue.kind,
            waiting: queue.waiting,
            running: queue.running,
            failed: queue.failed,
            waiting_since: queue.waiting_since,
            next_due_at: queue.next_due_at,
        }
    }
}

/// Result of loading demo data.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"scan_id": 1}))]
pub struct DemoLoaded {
    /// The scan with the recorded results.
    pub scan_id: ScanId,
}

/// Health of the service.
///
/// Public. 503 when the database is down.
#[utoipa::path(get, path = "/health", operation_id = "get_health", tag = "system", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health, description = "Unhealthy.")))]
async fn get_health(State(state): State<AppState>) -> (StatusCode, Json<Health>) {
    let (jobs, redis) = futures::join!(system::scheduler_jobs(state.services()), redis_of(&state));
    let (code, status, database) = match &jobs {
        Ok(_) if redis == SharedState::Degraded => (StatusCode::OK, HealthStatus::Degraded, Connection::Connected),
        Ok(_) => (StatusCode::OK, HealthStatus::Ok, Connection::Connected),
        Err(error) => {
            tracing::error!(context = error.internal_context().unwrap_or_default(), "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, HealthStatus::Unhealthy, Connection::Disconnected)
        }
    };
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database,
        redis,
        scheduler_jobs: jobs.unwrap_or(0),
        uptime_seconds: state.uptime(),
    };
    (code, Json(health))
}

async fn redis_of(state: &AppState) -> SharedState {
    match state.limits().shared() {
        None => SharedState::NotConfigured,
        Some(shared) if shared.answers().await => SharedState::Connected,
        Some(_) => SharedState::Degraded,
    }
}

/// Whether the process answers.
///
/// Public. For a supervisor that restarts it.
#[utoipa::path(get, path = "/livez", operation_id = "get_liveness", tag = "system", security(()),
    responses((status = 200, body = String, content_type = "text/plain", example = "ok")))]
async fn get_liveness() -> &'static str {
    "ok"
}

/// Whether requests can be served.
///
/// Public. For a load balancer: 503 while the database is down.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", tag = "system", security(()),
    responses((status = 200, body = String, content_type = "text/plain", example = "ok"),
        (status = 503, body = String, content_type = "text/plain", description = "The database is down.")))]
async fn get_readiness(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match state.services().ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is down"),
    }
}

/// State of the server.
///
/// Needs `system.view`.
#[utoipa::path(get, path = "/api/system/status", operation_id = "get_system_status", tag = "system",
    responses((status = 200, body = SystemStatus), ReadErrors))]
async fn get_system_status(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<SystemStatus>> {
    let status = system::status(&caller.cx, state.services()).await?;
    Ok(Json(SystemStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: status.catalogue.to_owned(),
        check_count: status.checks,
        database: status.database.to_owned(),
        uptime_seconds: state.uptime(),
        jobs: status.queues.into(),
        demo: status.demo,
        redis: redis_of(&state).await,
        maintenance: maintenance::told(&caller.cx, state.services()).await?.into(),
    }))
}

/// Switches maintenance mode.
///
/// Needs `system.manage`, in the first organisation of the server. While it is on, writes are answered 503 with the reason, no new work is begun and schedules
/// wait; running work goes on to its end and everything can be read.
#[utoipa::path(patch, path = "/api/system/maintenance", operation_id = "update_maintenance", tag = "system",
    request_body = MaintenanceUpdate, responses((status = 200, body = Maintenance), ChangeErrors))]
async fn update_maintenance(
    State(state): State<AppState>,
    caller: Caller,
    Body(update): Body<MaintenanceUpdate>,
) -> ApiResult<Json<Maintenance>> {
    Ok(Json(maintenance::set(&caller.cx, state.services(), update.enabled, update.reason).await?.into()))
}

/// Reads the log level.
///
/// Needs `system.manage`, in the first organisation of the server. Of the process that answers.
#[utoipa::path(get, path = "/api/system/log-level", operation_id = "get_log_level", tag = "system",
    responses((status = 200, body = LogLevelBody), ReadErrors))]
async fn get_log_level(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<LogLevelBody>> {
    Ok(Json(LogLevelBody { level: log_level::present(&caller.cx, state.services()).await?.into() }))
}

/// Changes the log level.
///
/// Needs `system.manage`, in the first organisation of the server. Of every server and worker that runs, until it ends: they follow
/// within seconds, without a restart. One that starts later goes by its own setting.
#[utoipa::path(put, path = "/api/system/log-level", operation_id = "update_log_level", tag = "system",
    request_body = LogLevelBody, responses((status = 200, body = LogLevelBody), ChangeErrors))]
async fn update_log_level(
    State(state): State<AppState>,
    caller: Caller,
    Body(wanted): Body<LogLevelBody>,
) -> ApiResult<Json<LogLevelBody>> {
    let level = log_level::set(&caller.cx, state.services(), wanted.level.into()).await?;
    Ok(Json(LogLevelBody { level: level.into() }))
}

/// Loads demo data.
///
/// Needs `assets.manage` and `scans.run`. Recorded evidence, judged by the real checks, marked as demo everywhere. Loading it again
/// changes nothing.
#[utoipa::path(post, path = "/api/demo", operation_id = "load_demo_data", tag = "system",
    params(crate::idempotency::IdempotencyHeader),
    responses((status = 201, body = DemoLoaded),
        (status = 404, body = Problem, description = "This program ships no recording."), CreateErrors))]
async fn load_demo_data(State(state): State<AppState>, caller: Caller) -> ApiResult<(StatusCode, Json<DemoLoaded>)> {
    let scan_id = demo::load(&caller.cx, state.services()).await?;
    Ok((StatusCode::CREATED, Json(DemoLoaded { scan_id })))
}

/// Removes demo data.
///
/// Needs `assets.manage` and `scans.delete`. What is real stays.
#[utoipa::path(delete, path = "/api/demo", operation_id = "delete_demo_data", tag = "system",
    responses((status = 204, description = "Removed."), CreateErrors))]
async fn delete_demo_data(State(state): State<AppState>, caller: Caller) -> ApiResult<StatusCode> {
    demo::remove(&caller.cx, state.services()).await?;
    Ok(StatusCode::NO_CONTENT)
}
