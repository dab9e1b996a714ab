//! Schedules: scans that are launched again and again.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::id::{AssetId, ScanId, ScheduleId};
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::schedule::{CatchUp, DayRule, Overlap, RunCause, RunOutcome};
use bartizan_domain::{Error, Permission, ScanProfile};
use bartizan_services::scans::NewScan;
use bartizan_services::schedules::{self, NewSchedule};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, Problem, ReadErrors};
use crate::extract::{Body, Listing, PageParams, Path, Query};
use crate::wire::{PageOf, Person, location};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_schedules, create_schedule))
        .routes(routes!(preview_schedule))
        .routes(routes!(get_schedule, update_schedule, delete_schedule))
        .routes(routes!(run_schedule))
        .routes(routes!(list_schedule_runs))
}

/// The scan a schedule launches.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "targets": [], "scan_type": "full",
    "features": {"port_scan": true, "web_checks": true, "dns_checks": true, "whois_checks": true}, "ports": null,
    "udp_ports": null, "checks": [], "skip": [], "concurrency": 20, "timeout_seconds": 10, "max_hosts": 0}))]
pub struct ScheduledScan {
    /// Assets to scan, at most 500. Those that are removed later are left out.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub asset_ids: Vec<AssetId>,
    /// Targets that are not assets, at most 500.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub targets: Vec<String>,
    /// How deep.
    #[serde(default)]
    #[schema(required = false)]
    pub scan_type: ScanProfile,
    /// What is switched on.
    #[serde(default)]
    #[schema(required = false)]
    pub features: FeatureToggles,
    /// TCP ports instead of the profile's.
    #[serde(default)]
    #[schema(required = false, max_length = 4096)]
    pub ports: Option<String>,
    /// UDP ports instead of the profile's.
    #[serde(default)]
    #[schema(required = false, max_length = 4096)]
    pub udp_ports: Option<String>,
    /// Only these checks.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub checks: Vec<String>,
    /// Not these checks.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub skip: Vec<String>,
    /// Probes in flight at once.
    #[serde(default)]
    #[schema(required = false, minimum = 1, maximum = 200)]
    pub concurrency: Option<u32>,
    /// Seconds a single probe may take.
    #[serde(default, alias = "timeout")]
    #[schema(required = false, minimum = 1, maximum = 120)]
    pub timeout_seconds: Option<u32>,
    /// Hosts to scan at most; 0 for all.
    #[serde(default)]
    #[schema(required = false)]
    pub max_hosts: u32,
}

impl From<ScheduledScan> for NewScan {
    fn from(scan: ScheduledScan) -> Self {
        Self {
            asset_ids: scan.asset_ids,
            targets: scan.targets,
            profile: scan.scan_type,
            toggles: scan.features,
            ports: scan.ports,
            udp_ports: scan.udp_ports,
            checks: scan.checks,
            skip: scan.skip,
            concurrency: scan.concurrency,
            timeout_seconds: scan.timeout_seconds,
            max_hosts: scan.max_hosts,
            ..Self::default()
        }
    }
}

impl From<NewScan> for ScheduledScan {
    fn from(scan: NewScan) -> Self {
        Self {
            asset_ids: scan.asset_ids,
            targets: scan.targets,
            scan_type: scan.profile,
            features: scan.toggles,
            ports: scan.ports,
            udp_ports: scan.udp_ports,
            checks: scan.checks,
            skip: scan.skip,
            concurrency: scan.concurrency,
            timeout_seconds: scan.timeout_seconds,
            max_hosts: scan.max_hosts,
        }
    }
}

/// A schedule to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Weekly perimeter", "cron": "0 2 * * 1", "time_zone": "Europe/Berlin",
    "jitter_seconds": 300, "scan": {"asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "scan_type": "full"}}))]
pub struct ScheduleCreate {
    /// Name, unique in the organisation.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Cron expression of five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).
    #[schema(max_length = 200)]
    pub cron: String,
    /// IANA name of the time zone. Left out: `UTC`.
    #[schema(max_length = 64)]
    pub time_zone: Option<String>,
    /// Whether it fires. Left out: true.
    pub enabled: Option<bool>,
    /// What holds when both days are restricted. Left out: `or`, as cron has it.
    pub day_rule: Option<DayRule>,
    /// Seconds by which it may start late, to spread load; drawn once. Left out: 0.
    #[schema(maximum = 86400)]
    pub jitter_seconds: Option<u32>,
    /// What happens with instants that pass while no server runs. Left out: `once`.
    pub catch_up: Option<CatchUp>,
    /// What happens while the scan before still runs. Left out: `skip`.
    pub overlap: Option<Overlap>,
    /// The scan it launches.
    pub scan: ScheduledScan,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"enabled": false}))]
pub struct ScheduleUpdate {
    /// Name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Cron expression.
    #[schema(max_length = 200)]
    pub cron: Option<String>,
    /// IANA name of the time zone.
    #[schema(max_length = 64)]
    pub time_zone: Option<String>,
    /// Whether it fires; false pauses it.
    pub enabled: Option<bool>,
    /// What holds when both days are restricted.
    pub day_rule: Option<DayRule>,
    /// Seconds by which it may start late.
    #[schema(maximum = 86400)]
    pub jitter_seconds: Option<u32>,
    /// What happens with instants that pass while no server runs.
    pub catch_up: Option<CatchUp>,
    /// What happens while the scan before still runs.
    pub overlap: Option<Overlap>,
    /// The scan it launches, as a whole.
    pub scan: Option<ScheduledScan>,
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c66", "name": "Weekly perimeter", "enabled": true,
    "cron": "0 2 * * 1", "cadence": "At 02:00, on Monday.", "day_rule": "or", "time_zone": "Europe/Berlin",
    "jitter_seconds": 300, "jitter_offset_seconds": 117, "catch_up": "once", "overlap": "skip",
    "scan": {"asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "targets": [], "scan_type": "full",
        "features": {"port_scan": true, "web_checks": true, "dns_checks": true, "whois_checks": true}, "ports": null,
        "udp_ports": null, "checks": [], "skip": [], "concurrency": null, "timeout_seconds": null, "max_hosts": 0},
    "next_run_at": "2026-11-23T01:01:57Z", "waiting": false, "last_run_at": "2026-11-16T01:01:57Z",
    "last_outcome": "started", "last_scan_id": 17,
    "created_by": {"id": "550e8400-e29b-41d4-a716-446655440000", "username": "admin"},
    "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z"}))]
pub struct Schedule {
    /// The schedule.
    pub id: ScheduleId,
    /// Name.
    pub name: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Cron expression.
    pub cron: String,
    /// The expression in words.
    pub cadence: String,
    /// What holds when both days are restricted.
    pub day_rule: DayRule,
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Seconds by which it may start late.
    pub jitter_seconds: u32,
    /// Seconds by which it does.
    pub jitter_offset_seconds: u32,
    /// What happens with instants that pass while no server runs.
    pub catch_up: CatchUp,
    /// What happens while the scan before still runs.
    pub overlap: Overlap,
    /// The scan it launches.
    pub scan: ScheduledScan,
    /// When it runs next, jitter included; null while paused.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Whether a scan waits for the one before to end.
    pub waiting: bool,
    /// When it last ran, or should have.
    pub last_run_at: Option<DateTime<Utc>>,
    /// What became of that.
    pub last_outcome: Option<RunOutcome>,
    /// The scan it last launched.
    pub last_scan_id: Option<ScanId>,
    /// Who made it.
    pub created_by: Person,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<schedules::ScheduleView> for Schedule {
    fn from(view: schedules::ScheduleView) -> Self {
        let schedule = view.schedule;
        Self {
            id: schedule.id,
            name: schedule.name,
            enabled: schedule.enabled,
            cron: schedule.cron,
            cadence: view.cadence,
            day_rule: schedule.day_rule,
            time_zone: schedule.time_zone,
            jitter_seconds: u32::try_from(schedule.jitter_seconds).unwrap_or(0),
            jitter_offset_seconds: u32::try_from(schedule.jitter_offset_seconds).unwrap_or(0),
            catch_up: schedule.catch_up,
            overlap: schedule.overlap,
            scan: view.scan.into(),
            next_run_at: schedule.due_at,
            waiting: schedule.waiting_fire_at.is_some(),
            last_run_at: schedule.last_run_at,
            last_outcome: schedule.last_outcome,
            last_scan_id: schedule.last_scan_id,
            created_by: Person { id: schedule.created_by, username: schedule.created_by_name },
            created_at: schedule.created_at,
            updated_at: schedule.updated_at,
        }
    }
}

/// One run of a schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c77", "fire_at": "2026-11-16T01:00:00Z",
    "at": "2026-11-16T01:01:57Z", "cause": "cron", "outcome": "started", "reason": null, "scan_id": 17}))]
pub struct ScheduleRun {
    /// The run.
    pub id: Uuid,
    /// The instant of the expression it was for.
    pub fire_at: DateTime<Utc>,
    /// When it was acted on.
    pub at: DateTime<Utc>,
    /// Why.
    pub cause: RunCause,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why no scan was launched, or what was left out.
    pub reason: Option<String>,
    /// The scan.
    pub scan_id: Option<ScanId>,
}

impl From<schedules::ScheduleRun> for ScheduleRun {
    fn from(run: schedules::ScheduleRun) -> Self {
        Self {
            id: run.id,
            fire_at: run.fire_at,
            at: run.at,
            cause: run.cause,
            outcome: run.outcome,
            reason: run.reason,
            scan_id: run.scan_id,
        }
    }
}

/// A scan launched by request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"scan_id": 18}))]
pub struct ScheduleLaunched {
    /// The scan.
    pub scan_id: ScanId,
}

/// Columns the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleSort {
    /// By name.
    Name,
    /// By next run; paused ones come last.
    NextRunAt,
    /// By last run; those without one come last.
    LastRunAt,
    /// By when they were made.
    CreatedAt,
}

impl From<ScheduleSort> for schedules::ScheduleSort {
    fn from(sort: ScheduleSort) -> Self {
        match sort {
            ScheduleSort::Name => Self::Name,
            ScheduleSort::NextRunAt => Self::NextRun,
            ScheduleSort::LastRunAt => Self::LastRun,
            ScheduleSort::CreatedAt => Self::Created,
        }
    }
}

/// Filters of the schedule list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleFilter {
    /// Text in the name.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Whether it fires.
    pub enabled: Option<bool>,
}

/// An expression to be explained.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PreviewParams {
    /// Cron expression. Left out: `0 2 * * *`.
    #[param(max_length = 200, example = "0 2 * * 1")]
    pub cron: Option<String>,
    /// IANA name of the time zone. Left out: `UTC`.
    #[param(max_length = 64)]
    pub time_zone: Option<String>,
    /// What holds when both days are restricted.
    #[param(inline)]
    pub day_rule: Option<DayRule>,
    /// Instants to show, at most 50. Left out: 5.
    #[param(minimum = 1, maximum = 50)]
    pub count: Option<u32>,
}

/// What an expression means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"cadence": "At 02:00, on Monday.", "next": ["2026-11-23T02:00:00Z"]}))]
pub struct SchedulePreview {
    /// In words.
    pub cadence: String,
    /// The next instants, without jitter; empty if it never comes.
    pub next: Vec<DateTime<Utc>>,
}

/// Lists schedules.
///
/// Needs `schedules.view`.
#[utoipa::path(get, path = "/api/schedules", operation_id = "list_schedules", tag = "schedules",
    params(PageParams, ScheduleFilter,
        ("sort" = inline(Option<ScheduleSort>), Query, description = "Column to sort by; `name` when left out.")),
    responses((status = 200, body = PageOf<Schedule>), ReadErrors))]
async fn list_schedules(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<ScheduleFilter, ScheduleSort>,
) -> ApiResult<Json<PageOf<Schedule>>> {
    let filter = schedules::ScheduleFilter { q: list.filter.search, enabled: list.filter.enabled };
    let sort = (list.sort.map(Into::into).unwrap_or_default(), list.page.sort_dir.into());
    let found = schedules::list(&caller.cx, state.services(), &filter, sort, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Schedule::from)))
}

/// Makes a schedule.
///
/// Needs `schedules.manage`.
#[utoipa::path(post, path = "/api/schedules", operation_id = "create_schedule", tag = "schedules",
    params(crate::idempotency::IdempotencyHeader), request_body = ScheduleCreate,
    responses((status = 201, body = Schedule, headers(("Location" = String, description = "The schedule."))),
        (status = 404, body = Problem, description = "An asset does not exist."), CreateErrors))]
async fn create_schedule(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<ScheduleCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<Schedule>)> {
    let new = NewSchedule {
        name: body.name,
        enabled: body.enabled.unwrap_or(true),
        cron: body.cron,
        day_rule: body.day_rule.unwrap_or_default(),
        time_zone: body.time_zone.unwrap_or_else(|| "UTC".to_owned()),
        jitter_seconds: body.jitter_seconds.unwrap_or(0),
        catch_up: body.catch_up.unwrap_or_default(),
        overlap: body.overlap.unwrap_or_default(),
        scan: body.scan.into(),
    };
    let view = schedules::create(&caller.cx, state.services(), new).await?;
    let place = location(&format!("/api/schedules/{}", view.schedule.id));
    Ok((StatusCode::CREATED, place, Json(view.into())))
}

/// Explains a cron expression.
///
/// Needs `schedules.view`. Says it in words and shows when it comes next.
#[utoipa::path(get, path = "/api/schedules/preview", operation_id = "preview_schedule", tag = "schedules",
    params(PreviewParams), responses((status = 200, body = SchedulePreview), ReadErrors))]
async fn preview_schedule(caller: Caller, Query(params): Query<PreviewParams>) -> ApiResult<Json<SchedulePreview>> {
    let zone = params.time_zone.as_deref().unwrap_or("UTC");
    let cron = params.cron.as_deref().unwrap_or("0 2 * * *");
    let count = usize::try_from(params.count.unwrap_or(5)).unwrap_or(usize::MAX);
    if !(1..=schedules::PREVIEW_LIMIT).contains(&count) {
        let message = format!("count must be 1 to {}, not {count}", schedules::PREVIEW_LIMIT);
        return Err(Error::invalid("query -> count", message).into());
    }
    let preview = schedules::preview(&caller.cx, cron, params.day_rule.unwrap_or_default(), zone, count);
    let preview = preview.map_err(in_query)?;
    Ok(Json(SchedulePreview { cadence: preview.cadence, next: preview.next }))
}

/// The rules are those of a schedule's body; here the values stand in the query.
fn in_query(error: Error) -> Error {
    match error {
        Error::Invalid(mut errors) => {
            for error in &mut errors {
                error.field = error.field.replacen("body", "query", 1);
            }
            Error::Invalid(errors)
        }
        other => other,
    }
}

/// Reads a schedule.
///
/// Needs `schedules.view`.
#[utoipa::path(get, path = "/api/schedules/{schedule_id}", operation_id = "get_schedule", tag = "schedules",
    params(("schedule_id" = ScheduleId, Path, description = "The schedule.")),
    responses((status = 200, body = Schedule), ItemErrors))]
async fn get_schedule(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
) -> ApiResult<Json<Schedule>> {
    Ok(Json(schedules::get(&caller.cx, state.services(), id).await?.into()))
}

/// Changes a schedule.
///
/// Needs `schedules.manage`. `{"enabled": false}` pauses it. A change of its times sets the next run anew.
#[utoipa::path(patch, path = "/api/schedules/{schedule_id}", operation_id = "update_schedule", tag = "schedules",
    params(("schedule_id" = ScheduleId, Path, description = "The schedule.")), request_body = ScheduleUpdate,
    responses((status = 200, body = Schedule), ChangeErrors))]
async fn update_schedule(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Body(update): Body<ScheduleUpdate>,
) -> ApiResult<Json<Schedule>> {
    caller.cx.require(Permission::SchedulesManage)?;
    let present = schedules::get(&caller.cx, state.services(), id).await?;
    let version = present.schedule.version;
    let before = present.schedule;
    let new = NewSchedule {
        name: update.name.unwrap_or(before.name),
        enabled: update.enabled.unwrap_or(before.enabled),
        cron: update.cron.unwrap_or(before.cron),
        day_rule: update.day_rule.unwrap_or(before.day_rule),
        time_zone: update.time_zone.unwrap_or(before.time_zone),
        jitter_seconds: update.jitter_seconds.unwrap_or(u32::try_from(before.jitter_seconds).unwrap_or(0)),
        catch_up: update.catch_up.unwrap_or(before.catch_up),
        overlap: update.overlap.unwrap_or(before.overlap),
        scan: update.scan.map_or(present.scan, Into::into),
    };
    Ok(Json(schedules::update(&caller.cx, state.services(), id, new, Some(version)).await?.into()))
}

/// Removes a schedule.
///
/// Needs `schedules.manage`. Scans it launched stay.
#[utoipa::path(delete, path = "/api/schedules/{schedule_id}", operation_id = "delete_schedule", tag = "schedules",
    params(("schedule_id" = ScheduleId, Path, description = "The schedule.")),
    responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_schedule(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
) -> ApiResult<StatusCode> {
    schedules::delete(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a schedule now.
///
/// Needs `schedules.view` and `scans.run`. Works while it is paused and whatever else runs; the next run stays.
#[utoipa::path(post, path = "/api/schedules/{schedule_id}/run", operation_id = "run_schedule", tag = "schedules",
    params(crate::idempotency::IdempotencyHeader, ("schedule_id" = ScheduleId, Path, description = "The schedule.")),
    responses((status = 202, body = ScheduleLaunched, headers(("Location" = String, description = "The scan."))),
        ChangeErrors))]
async fn run_schedule(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
) -> ApiResult<(StatusCode, HeaderMap, Json<ScheduleLaunched>)> {
    let scan_id = schedules::run_now(&caller.cx, state.services(), id).await?;
    Ok((StatusCode::ACCEPTED, location(&format!("/api/scans/{scan_id}")), Json(ScheduleLaunched { scan_id })))
}

/// Lists the runs of a schedule.
///
/// Needs `schedules.view`. Newest first, with those that were skipped or missed and why.
#[utoipa::path(get, path = "/api/schedules/{schedule_id}/runs", operation_id = "list_schedule_runs",
    tag = "schedules", params(("schedule_id" = ScheduleId, Path, description = "The schedule."), PageParams),
    responses((status = 200, body = PageOf<ScheduleRun>), ItemErrors))]
async fn list_schedule_runs(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    list: Listing<crate::extract::NoFilter>,
) -> ApiResult<Json<PageOf<ScheduleRun>>> {
    let found = schedules::runs(&caller.cx, state.services(), id, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, ScheduleRun::from)))
}
