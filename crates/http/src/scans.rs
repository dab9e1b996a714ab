//! Scans: launching, watching, reading and removing them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::id::{AssetId, ScanId};
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::{Error, ScanKind, ScanProfile, ScanStatus, Severity, Transport};
use bartizan_services::scans;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::compliance::MatrixRow;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, Problem, ReadErrors};
use crate::extract::{Body, List, Listing, PageParams, Path};
use crate::wire::{PageOf, Person, SeverityCounts, location};

mod convert;
mod download;
mod progress;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_scans, create_scan))
        .routes(routes!(get_scan, delete_scan))
        .routes(routes!(list_scan_results))
        .merge(progress::router())
        .routes(routes!(cancel_scan))
        .merge(download::router())
}

/// What to scan, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "surface", "asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"],
    "targets": ["192.0.2.10"], "scan_type": "full",
    "features": {"port_scan": true, "web_checks": true, "dns_checks": true, "whois_checks": false},
    "concurrency": 20, "timeout_seconds": 10}))]
pub struct ScanCreate {
    /// Kind of scan. Left out: `surface`.
    pub kind: Option<ScanKind>,
    /// Assets to scan, at most 500.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub asset_ids: Vec<AssetId>,
    /// Targets that are not assets: domain, `https://` URL, address, CIDR, range or `host:port`; at most 500.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub targets: Vec<String>,
    /// How deep. Left out: `quick`.
    pub scan_type: Option<ScanProfile>,
    /// What to switch off. Left out: all on.
    pub features: Option<FeatureToggles>,
    /// TCP ports instead of the profile's: `22,80,443`, `1-1024`, `top:100`.
    #[schema(max_length = 4096)]
    pub ports: Option<String>,
    /// UDP ports instead of the profile's, the same notation.
    #[schema(max_length = 4096)]
    pub udp_ports: Option<String>,
    /// Only these checks: ids or groups such as `tls.*`.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub checks: Vec<String>,
    /// Not these checks: ids or groups such as `tls.*`.
    #[serde(default)]
    #[schema(required = false, max_items = 500)]
    pub skip: Vec<String>,
    /// Probes in flight at once. Left out: 20.
    #[schema(minimum = 1, maximum = 200)]
    pub concurrency: Option<u32>,
    /// Seconds a single probe may take. Left out: 10. `timeout` is read as an alias.
    #[schema(minimum = 1, maximum = 120)]
    #[serde(alias = "timeout")]
    pub timeout_seconds: Option<u32>,
    /// Hosts to scan at most; 0 or left out: all.
    pub max_hosts: Option<u32>,
}

/// A scan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "kind": "surface", "scan_type": "full", "status": "completed", "partial": false,
    "partial_reasons": [], "error": null, "targets": ["shop.example.com"],
    "asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"],
    "features": {"port_scan": true, "web_checks": true, "dns_checks": true, "whois_checks": true},
    "ports": "1-1024", "udp_ports": "", "check_count": 120, "concurrency": 20, "timeout_seconds": 10,
    "hosts_total": 1, "hosts_finished": 1,
    "findings": {"critical": 0, "high": 1, "medium": 2, "low": 4, "info": 1},
    "outcomes": {"planned": 120, "passed": 80, "failed": 8, "error": 2, "not_applicable": 20, "not_tested": 10},
    "score": 79.0, "coverage": 0.9, "catalogue": "5f1d2c9a", "demo": false,
    "started_by": {"id": "550e8400-e29b-41d4-a716-446655440000", "username": "admin"},
    "created_at": "2026-11-20T09:29:00Z", "started_at": "2026-11-20T09:29:01Z", "finished_at": "2026-11-20T09:31:12Z"}))]
pub struct Scan {
    /// Number, shown as `#17`.
    pub id: ScanId,
    /// Kind of scan.
    pub kind: ScanKind,
    /// How deep it goes.
    pub scan_type: ScanProfile,
    /// State.
    pub status: ScanStatus,
    /// Whether the results have gaps.
    pub partial: bool,
    /// One sentence a gap.
    pub partial_reasons: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Targets as they were given; those of assets included.
    pub targets: Vec<String>,
    /// Assets it was launched for and that still exist.
    pub asset_ids: Vec<AssetId>,
    /// What is switched on.
    pub features: FeatureToggles,
    /// TCP ports it tries.
    pub ports: String,
    /// UDP ports it tries; empty for none.
    pub udp_ports: String,
    /// Checks it runs.
    pub check_count: u64,
    /// Probes in flight at once.
    pub concurrency: u32,
    /// Seconds a single probe may take.
    pub timeout_seconds: u32,
    /// Hosts it covers; 0 until it is planned.
    pub hosts_total: u64,
    /// Hosts done.
    pub hosts_finished: u64,
    /// Failed checks so far, by severity.
    pub findings: SeverityCounts,
    /// Verdicts so far, by outcome.
    pub outcomes: OutcomeCounts,
    /// 0 to 100; null while running and when nothing was assessed.
    pub score: Option<f64>,
    /// Share of planned verdicts that are conclusive, 0 to 1.
    pub coverage: Option<f64>,
    /// Version of the check catalogue that judged.
    pub catalogue: String,
    /// Recorded demo data, not a scan of anything real.
    pub demo: bool,
    /// Who launched it.
    pub started_by: Person,
    /// When it was launched.
    pub created_at: DateTime<Utc>,
    /// When a worker took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A scan with its compliance matrix.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanDetail {
    /// The scan.
    #[serde(flatten)]
    pub scan: Scan,
    /// How the scan bears on each measure of NIS2 Art. 21(2); empty until it has ended.
    pub compliance_matrix: Vec<MatrixRow>,
}

/// Columns the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanSort {
    /// By number.
    Id,
    /// By state.
    Status,
    /// By depth.
    ScanType,
    /// By score; scans without one come last.
    Score,
    /// By launch.
    CreatedAt,
    /// By when a worker took it; scans that wait come last.
    StartedAt,
    /// By end; scans without one come last.
    FinishedAt,
}

/// Filters of the scan list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ScanFilter {
    /// States.
    #[param(value_type = Option<Vec<ScanStatus>>, style = Form, explode = false)]
    pub status: List<ScanStatus>,
    /// Depths.
    #[param(value_type = Option<Vec<ScanProfile>>, style = Form, explode = false)]
    pub scan_type: List<ScanProfile>,
    /// Scans that include this asset.
    pub asset_id: Option<AssetId>,
    /// Text in a target.
    #[param(max_length = 200)]
    pub search: Option<String>,
}

/// One host of a scan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"asset": "shop.example.com", "asset_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
    "interrupted": false, "address": "192.0.2.10", "addresses": ["192.0.2.10"], "names": ["shop.example.com"], "reached": true,
    "ports": [{"address": "192.0.2.10", "port": 443, "protocol": "tcp", "state": "open", "reason": "syn-ack",
        "service": "http", "product": "nginx", "version": "1.26.2", "tls": true}],
    "summarised": [{"address": "192.0.2.10", "protocol": "tcp", "state": "closed", "reason": "conn-refused", "count": 999}],
    "score": 79, "findings": {"critical": 0, "high": 1, "medium": 2, "low": 4, "info": 1},
    "outcomes": {"planned": 120, "passed": 80, "failed": 8, "error": 2, "not_applicable": 20, "not_tested": 10},
    "finished_at": "2026-11-20T09:31:12Z"}))]
pub struct ScanHost {
    /// The domain or address, as findings name it.
    pub asset: String,
    /// The asset it belongs to, if there is one.
    pub asset_id: Option<AssetId>,
    /// Whether the scan was stopped while it looked at this host, so that results are incomplete.
    pub interrupted: bool,
    /// First address; null when the name did not resolve.
    pub address: Option<String>,
    /// All addresses.
    pub addresses: Vec<String>,
    /// Names it was scanned under.
    pub names: Vec<String>,
    /// Whether anything answered.
    pub reached: bool,
    /// Why nothing answered, where nothing did.
    pub why_unreached: Option<String>,
    /// Ports with a state of their own.
    pub ports: Vec<ScanPort>,
    /// The other ports, counted by state.
    pub summarised: Vec<ScanPorts>,
    /// 0 to 100; null when nothing was assessed.
    pub score: Option<u8>,
    /// Failed checks by severity.
    pub findings: SeverityCounts,
    /// Verdicts by outcome.
    pub outcomes: OutcomeCounts,
    /// When it was done.
    pub finished_at: DateTime<Utc>,
}

/// Ports of a host that share a state and are not listed one by one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanPorts {
    /// The address, for hosts with several.
    pub address: String,
    /// Transport.
    pub protocol: Transport,
    /// `closed`, `filtered`, …
    #[schema(example = "closed")]
    pub state: String,
    /// What the state was seen by.
    pub reason: String,
    /// How many ports.
    pub count: u32,
}

/// One port of a host.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanPort {
    /// The address, for hosts with several.
    pub address: String,
    /// Port number.
    pub port: u16,
    /// Transport.
    pub protocol: Transport,
    /// `open`, `closed`, `filtered`, …
    #[schema(example = "open")]
    pub state: String,
    /// What the state was seen by.
    pub reason: String,
    /// Protocol spoken.
    pub service: Option<String>,
    /// Product name.
    pub product: Option<String>,
    /// Product version.
    pub version: Option<String>,
    /// Whether the service runs inside TLS.
    pub tls: bool,
}

/// Columns the results can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanHostSort {
    /// In the order of the targets.
    Position,
    /// By name or address.
    Asset,
    /// By score; hosts without one come last.
    Score,
}

/// Filters of the results.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct ScanHostFilter {
    /// Text in name or address.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Whether anything answered.
    pub reached: Option<bool>,
    /// Hosts with a finding of this severity or worse.
    #[param(inline)]
    pub min_severity: Option<Severity>,
}

/// A launched scan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "scan_id": 17, "status": "pending"}))]
pub struct ScanLaunched {
    /// Number.
    pub id: ScanId,
    /// The same number, under the name cloud scans use.
    pub scan_id: ScanId,
    /// State.
    pub status: ScanStatus,
}

/// Lists scans.
///
/// Needs `scans.view`.
#[utoipa::path(get, path = "/api/scans", operation_id = "list_scans", tag = "scans",
    params(PageParams, ScanFilter,
        ("sort" = inline(Option<ScanSort>), Query, description = "Column to sort by; left out: newest first.")), responses((status = 200, body = PageOf<Scan>), ReadErrors))]
async fn list_scans(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<ScanFilter, ScanSort>,
) -> ApiResult<Json<PageOf<Scan>>> {
    let filter = scans::ScanFilter {
        statuses: list.filter.status.0,
        kind: None,
        profiles: list.filter.scan_type.0,
        finished_after: None,
        demo: None,
        asset: list.filter.asset_id,
        q: list.filter.search,
    };
    // Without a wish the newest come first, whatever the direction says.
    let sort = match list.sort {
        Some(column) => (column.into(), list.page.sort_dir.into()),
        None => (scans::ScanSort::Id, bartizan_services::SortDir::Desc),
    };
    let found = scans::list(&caller.cx, state.services(), &filter, sort, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Scan::from)))
}

/// Launches a scan.
///
/// Needs `scans.run`. The scan is queued; `Location` names it, `/progress` and `/events` tell how far it is.
#[utoipa::path(post, path = "/api/scans", operation_id = "create_scan", tag = "scans",
    params(crate::idempotency::IdempotencyHeader), request_body = ScanCreate,
    responses((status = 202, body = ScanLaunched, headers(("Location" = String, description = "The scan."))),
        (status = 404, body = Problem, description = "An asset that is named does not exist."), CreateErrors))]
async fn create_scan(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<ScanCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<ScanLaunched>)> {
    match body.kind {
        None | Some(ScanKind::Surface) => {}
        Some(other) => {
            let message = format!("kind `{}` cannot be launched by this version: expected surface", other.as_str());
            return Err(Error::invalid("body -> kind", message).into());
        }
    }
    let new = scans::NewScan {
        asset_ids: body.asset_ids,
        targets: body.targets,
        profile: body.scan_type.unwrap_or_default(),
        toggles: body.features.unwrap_or_default(),
        ports: body.ports,
        udp_ports: body.udp_ports,
        checks: body.checks,
        skip: body.skip,
        concurrency: body.concurrency,
        timeout_seconds: body.timeout_seconds,
        max_hosts: body.max_hosts.unwrap_or_default(),
        ..scans::NewScan::default()
    };
    let scan = scans::create(&caller.cx, state.services(), new).await?.scan;
    let launched = ScanLaunched { id: scan.id, scan_id: scan.id, status: scan.status };
    Ok((StatusCode::ACCEPTED, location(&format!("/api/scans/{}", scan.id)), Json(launched)))
}

/// Reads a scan.
///
/// Needs `scans.view`.
#[utoipa::path(get, path = "/api/scans/{scan_id}", operation_id = "get_scan", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan.")),
    responses((status = 200, body = ScanDetail), ItemErrors))]
async fn get_scan(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> ApiResult<Json<ScanDetail>> {
    let view = scans::get(&caller.cx, state.services(), id).await?;
    let compliance_matrix = view.matrix.iter().map(MatrixRow::from).collect();
    Ok(Json(ScanDetail { scan: view.into(), compliance_matrix }))
}

/// Lists the hosts of a scan.
///
/// Needs `scans.view`. Hosts appear as they are done, while the scan still runs.
#[utoipa::path(get, path = "/api/scans/{scan_id}/results", operation_id = "list_scan_results", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan."), PageParams, ScanHostFilter,
        ("sort" = inline(Option<ScanHostSort>), Query, description = "Column to sort by; `position` when left out.")),
    responses((status = 200, body = PageOf<ScanHost>), ItemErrors))]
async fn list_scan_results(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
    list: Listing<ScanHostFilter, ScanHostSort>,
) -> ApiResult<Json<PageOf<ScanHost>>> {
    let filter = scans::HostFilter {
        q: list.filter.search,
        reached: list.filter.reached,
        min_severity: list.filter.min_severity,
    };
    let sort = match list.sort {
        None | Some(ScanHostSort::Position) => scans::HostSort::Position,
        Some(ScanHostSort::Asset) => scans::HostSort::Asset,
        Some(ScanHostSort::Score) => scans::HostSort::Score,
    };
    let sort = (sort, list.page.sort_dir.into());
    let found = scans::hosts(&caller.cx, state.services(), id, &filter, sort, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, ScanHost::from)))
}

/// Cancels a scan.
///
/// Needs `scans.cancel`. What was found is kept and marked incomplete. A scan that has ended is a 409.
#[utoipa::path(post, path = "/api/scans/{scan_id}/cancel", operation_id = "cancel_scan", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan.")),
    responses((status = 202, body = Scan), ChangeErrors))]
async fn cancel_scan(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
) -> ApiResult<(StatusCode, Json<Scan>)> {
    let scan = scans::cancel(&caller.cx, state.services(), id).await?;
    Ok((StatusCode::ACCEPTED, Json(scan.into())))
}

/// Deletes a scan and its results.
///
/// Needs `scans.delete`. Findings stay. A scan that runs must be cancelled first: 409.
#[utoipa::path(delete, path = "/api/scans/{scan_id}", operation_id = "delete_scan", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan.")),
    responses((status = 204, description = "Deleted."), ChangeErrors))]
async fn delete_scan(State(state): State<AppState>, caller: Caller, Path(id): Path<ScanId>) -> ApiResult<StatusCode> {
    scans::delete(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
