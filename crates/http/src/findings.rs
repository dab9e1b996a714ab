//! Findings: what failed, where, since when, and what people decided about it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use bartizan_domain::id::{AssetId, FindingEventId, FindingId, ScanId};
use bartizan_domain::{CheckId, Confidence, FindingStatus, Fingerprint, Location, ResolutionReason, Severity};
use bartizan_services::{assets, findings};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::checks::{FixExample, examples_of};
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, Instant, List, Listing, NoFilter, PageParams, Path, Query};
use crate::wire::{PageOf, Person, SeverityCounts};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_findings))
        .routes(routes!(get_finding_stats))
        .routes(routes!(bulk_update_findings))
        .routes(routes!(get_finding, update_finding))
        .routes(routes!(list_finding_history))
}

/// A finding: one check that fails on one asset at one place, across scans.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55",
    "fingerprint": "v1:0123456789abcdef0123456789abcdef", "check_id": "hsts.missing",
    "title": "HTTPS site sends no Strict-Transport-Security header", "severity": "medium", "confidence": "confirmed",
    "category": "web", "status": "open", "resolution_reason": null, "status_note": null, "accepted_until": null,
    "asset": "shop.example.com", "asset_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c66", "asset_name": "Shop",
    "location": "tcp/443", "controls": ["nis2:21.2.e"], "first_seen_at": "2026-11-01T08:00:00Z",
    "last_seen_at": "2026-11-20T09:31:00Z", "first_scan_id": 3, "last_scan_id": 17, "occurrences": 5,
    "reopened": 0, "resolved_at": null, "demo": false}))]
pub struct Finding {
    /// The finding.
    pub id: FindingId,
    /// Identity across scans, the same in every export.
    pub fingerprint: Fingerprint,
    /// Which check.
    pub check_id: CheckId,
    /// What is wrong.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Category of the check.
    #[schema(example = "web")]
    pub category: String,
    /// Workflow status.
    pub status: FindingStatus,
    /// Why it is resolved.
    pub resolution_reason: Option<ResolutionReason>,
    /// Note of the last change of status.
    pub status_note: Option<String>,
    /// When an accepted risk ends and the finding reopens.
    pub accepted_until: Option<DateTime<Utc>>,
    /// The domain or address.
    pub asset: String,
    /// The asset it belongs to, if there is one.
    pub asset_id: Option<AssetId>,
    /// Its name.
    pub asset_name: Option<String>,
    /// Where on it: `tcp/443`, `tcp/443/path`, `dns`, `host`, `registration`.
    pub location: Location,
    /// Controls it speaks about: `nis2:21.2.h`, `eu-2024-2690:9.2`.
    pub controls: Vec<String>,
    /// When it was first seen.
    pub first_seen_at: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen_at: DateTime<Utc>,
    /// Scan that saw it first.
    pub first_scan_id: ScanId,
    /// Scan that saw it last.
    pub last_scan_id: ScanId,
    /// Scans that saw it.
    pub occurrences: u64,
    /// Times it came back after it was resolved.
    pub reopened: u64,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// From demo data, not about anything real.
    pub demo: bool,
}

/// A finding with everything needed to understand and fix it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingDetail {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The facts it rests on, redacted.
    #[schema(value_type = Object, example = json!({"status": 200, "header": null}))]
    pub evidence: serde_json::Value,
    /// Scans that saw it, newest first, at most 50.
    pub sightings: Vec<Sighting>,
    /// What is checked, exactly.
    pub description: String,
    /// Why it matters.
    pub risk: String,
    /// What to do, step by step.
    pub remediation: Vec<String>,
    /// Copyable excerpts.
    pub examples: Vec<FixExample>,
    /// Sources of the rule.
    pub references: Vec<String>,
    /// CWE numbers.
    pub cwe: Vec<u32>,
}

/// A scan that saw a finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"scan_id": 17, "severity": "medium", "seen_at": "2026-11-20T09:31:00Z"}))]
pub struct Sighting {
    /// The scan.
    pub scan_id: ScanId,
    /// Severity then.
    pub severity: Severity,
    /// When.
    pub seen_at: DateTime<Utc>,
}

/// Columns the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSort {
    /// By severity; ascending is from info to critical.
    Severity,
    /// By status, in workflow order.
    Status,
    /// By check.
    CheckId,
    /// By title.
    Title,
    /// By category.
    Category,
    /// By asset.
    Asset,
    /// By when it was first seen.
    FirstSeenAt,
    /// By when it was last seen.
    LastSeenAt,
    /// By number of scans that saw it.
    Occurrences,
}

/// Filters of the finding list and of the statistics.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct FindingFilter {
    /// Text in title, check, asset or location.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Severities.
    #[param(value_type = Option<Vec<Severity>>, style = Form, explode = false)]
    pub severity: List<Severity>,
    /// Workflow statuses.
    #[param(value_type = Option<Vec<FindingStatus>>, style = Form, explode = false)]
    pub status: List<FindingStatus>,
    /// Categories of check.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub category: List<String>,
    /// Checks.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub check_id: List<String>,
    /// One asset.
    pub asset_id: Option<AssetId>,
    /// One domain or address, exact.
    pub asset: Option<String>,
    /// Assets with any of these tags.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub tag: List<String>,
    /// Findings this scan saw.
    pub scan_id: Option<i64>,
    /// Seen first at or after this instant.
    #[param(value_type = Option<DateTime<Utc>>)]
    pub first_seen_from: Option<Instant>,
    /// Whether it came back after it was resolved.
    pub reopened: Option<bool>,
}

/// Totals over findings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"total": 11, "by_severity": {"critical": 1, "high": 2, "medium": 5, "low": 3, "info": 0},
    "by_status": {"open": 9, "acknowledged": 1, "in_progress": 0, "resolved": 1, "accepted_risk": 0},
    "by_category": [{"category": "web", "count": 11}], "by_check": [{"check_id": "hsts.missing", "count": 3}]}))]
pub struct FindingStats {
    /// Findings that match.
    pub total: u64,
    /// By severity.
    pub by_severity: SeverityCounts,
    /// By workflow status.
    pub by_status: StatusCounts,
    /// By category, most first.
    pub by_category: Vec<CategoryCount>,
    /// By check, most first, at most 200.
    pub by_check: Vec<CheckCount>,
}

/// A check and its count.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckCount {
    /// The check.
    pub check_id: String,
    /// Findings.
    pub count: u64,
}

/// Counts by workflow status.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct StatusCounts {
    /// Nobody has looked yet.
    pub open: u64,
    /// Seen.
    pub acknowledged: u64,
    /// Being fixed.
    pub in_progress: u64,
    /// Gone or void.
    pub resolved: u64,
    /// Lived with.
    pub accepted_risk: u64,
}

/// A category and its count.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryCount {
    /// Category of check.
    pub category: String,
    /// Findings.
    pub count: u64,
}

/// A change of status.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "accepted_risk", "status_note": "Isolated network, replaced in March",
    "accepted_until": "2027-03-31"}))]
pub struct FindingUpdate {
    /// New status.
    pub status: FindingStatus,
    /// Why; required for `accepted_risk`.
    #[schema(max_length = 2000)]
    pub status_note: Option<String>,
    /// With `resolved` only; left out: `fixed`.
    pub resolution_reason: Option<ResolutionReason>,
    /// With `accepted_risk` only: last day of the acceptance, after which the finding reopens.
    pub accepted_until: Option<NaiveDate>,
}

/// A change of status for several findings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"finding_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "status": "acknowledged",
    "status_note": "Ticket OPS-17"}))]
pub struct FindingBulkUpdate {
    /// The findings, 1 to 500.
    #[schema(min_items = 1, max_items = 500)]
    pub finding_ids: Vec<FindingId>,
    /// New status.
    pub status: FindingStatus,
    /// Why; required for `accepted_risk`.
    #[schema(max_length = 2000)]
    pub status_note: Option<String>,
    /// With `resolved` only; left out: `fixed`.
    pub resolution_reason: Option<ResolutionReason>,
    /// With `accepted_risk` only: last day of the acceptance.
    pub accepted_until: Option<NaiveDate>,
}

/// How a change of several findings went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"updated": 1, "results": [{"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "outcome": "updated"}]}))]
pub struct FindingBulkResult {
    /// Findings whose status changed.
    pub updated: u64,
    /// One entry a finding, in the order given.
    pub results: Vec<FindingBulkItem>,
}

/// How it went for one finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingBulkItem {
    /// The finding.
    pub id: FindingId,
    /// What happened.
    pub outcome: BulkOutcome,
}

/// What a bulk change did to one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkOutcome {
    /// Changed.
    Updated,
    /// It was like that already.
    Unchanged,
    /// No such item here.
    NotFound,
}

/// One entry of a finding's history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c77", "kind": "status_changed",
    "from_status": "open", "to_status": "acknowledged", "resolution_reason": null, "note": "Ticket OPS-17",
    "scan_id": null, "actor": {"id": "550e8400-e29b-41d4-a716-446655440000", "username": "admin"},
    "at": "2026-11-20T10:00:00Z"}))]
pub struct FindingEvent {
    /// The entry.
    pub id: FindingEventId,
    /// `created`, `reopened`, `auto_resolved`, `status_changed`, `acceptance_expired`, `asset_removed`.
    pub kind: String,
    /// Status before.
    pub from_status: Option<FindingStatus>,
    /// Status after.
    pub to_status: FindingStatus,
    /// Why it is resolved.
    pub resolution_reason: Option<ResolutionReason>,
    /// Note of who did it.
    pub note: Option<String>,
    /// Scan that caused it.
    pub scan_id: Option<ScanId>,
    /// Who did it.
    pub actor: Person,
    /// When.
    pub at: DateTime<Utc>,
}

/// Lists findings.
///
/// Needs `findings.view`. Nothing is hidden: without a filter, resolved findings are in the list. Whoever reads a long
/// list to its end gives the id of the last finding as `after` instead of counting pages up: that is as quick at the end
/// as at the begin, and leaves nothing out when findings come or go meanwhile.
#[utoipa::path(get, path = "/api/findings", operation_id = "list_findings", tag = "findings",
    params(PageParams, FindingFilter,
        ("after" = Option<FindingId>, Query, description = "The finding that those wanted follow in the order of the list; `page` is left aside."),
        ("sort" = inline(Option<FindingSort>), Query, description = "Column to sort by; left out: what to fix first comes first.")), responses((status = 200, body = PageOf<Finding>), ReadErrors))]
async fn list_findings(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<FindingFilter, FindingSort, true>,
) -> ApiResult<Json<PageOf<Finding>>> {
    // Without a wish the worst come first, whatever the direction says.
    let sort = match list.sort {
        Some(column) => (column.into(), list.page.sort_dir.into()),
        None => (findings::FindingSort::Severity, bartizan_services::SortDir::Desc),
    };
    let (services, filter) = (state.services(), list.filter.into());
    let found = match list.after {
        Some(id) => findings::list_after(&caller.cx, services, &filter, sort, (id.into(), list.page.page_size)).await?,
        None => findings::list(&caller.cx, services, &filter, sort, list.page.into()).await?,
    };
    let ids: Vec<AssetId> = found.rows.iter().filter_map(|finding| finding.asset_id).collect();
    let names = assets::names(&caller.cx, state.services(), &ids).await?;
    Ok(Json(PageOf::of(found, list.page, |finding| wire(&state, finding, &names))))
}

/// Counts findings.
///
/// Needs `findings.view`. Takes the filters of the list, so that a number and the table behind it agree. Each
/// division leaves its own filter out: it says what choosing another value would show.
#[utoipa::path(get, path = "/api/findings/stats", operation_id = "get_finding_stats", tag = "findings",
    params(FindingFilter), responses((status = 200, body = FindingStats), ReadErrors))]
async fn get_finding_stats(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<FindingFilter>,
) -> ApiResult<Json<FindingStats>> {
    let stats = findings::stats(&caller.cx, state.services(), &filter.into()).await?;
    let status = |name: FindingStatus| {
        stats.by_status.iter().find(|(found, _)| found == name.as_str()).map_or(0, |(_, count)| *count)
    };
    Ok(Json(FindingStats {
        total: stats.total,
        by_severity: stats.by_severity.into(),
        by_status: StatusCounts {
            open: status(FindingStatus::Open),
            acknowledged: status(FindingStatus::Acknowledged),
            in_progress: status(FindingStatus::InProgress),
            resolved: status(FindingStatus::Resolved),
            accepted_risk: status(FindingStatus::AcceptedRisk),
        },
        by_category: stats.by_category.into_iter().map(|(category, count)| CategoryCount { category, count }).collect(),
        by_check: stats.by_check.into_iter().map(|(check_id, count)| CheckCount { check_id, count }).collect(),
    }))
}

/// Reads a finding.
///
/// Needs `findings.view`. With the evidence of its last sighting and the texts of its check.
#[utoipa::path(get, path = "/api/findings/{finding_id}", operation_id = "get_finding", tag = "findings",
    params(("finding_id" = FindingId, Path, description = "The finding.")),
    responses((status = 200, body = FindingDetail), ItemErrors))]
async fn get_finding(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<FindingId>,
) -> ApiResult<Json<FindingDetail>> {
    let found = findings::get(&caller.cx, state.services(), id).await?;
    Ok(Json(detail(&state, &caller, found).await?))
}

/// Changes the status of a finding.
///
/// Needs `findings.triage`. Any status may follow any other; `accepted_risk` needs a note.
#[utoipa::path(patch, path = "/api/findings/{finding_id}", operation_id = "update_finding", tag = "findings",
    params(("finding_id" = FindingId, Path, description = "The finding.")), request_body = FindingUpdate,
    responses((status = 200, body = FindingDetail), ChangeErrors))]
async fn update_finding(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    Body(body): Body<FindingUpdate>,
) -> ApiResult<Json<FindingDetail>> {
    let change = findings::StatusChange {
        status: body.status,
        note: body.status_note,
        resolution_reason: body.resolution_reason,
        accepted_until: body.accepted_until.and_then(end_of),
    };
    let changed = findings::update(&caller.cx, state.services(), id, change).await?;
    Ok(Json(detail(&state, &caller, changed).await?))
}

/// Changes the status of several findings.
///
/// Needs `findings.triage`. Each id is answered for by itself; unknown ones do not stop the others.
#[utoipa::path(post, path = "/api/findings/bulk", operation_id = "bulk_update_findings", tag = "findings",
    request_body = FindingBulkUpdate, responses((status = 200, body = FindingBulkResult), CreateErrors))]
async fn bulk_update_findings(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<FindingBulkUpdate>,
) -> ApiResult<Json<FindingBulkResult>> {
    let order = body.finding_ids.clone();
    let change = findings::StatusChange {
        status: body.status,
        note: body.status_note,
        resolution_reason: body.resolution_reason,
        accepted_until: body.accepted_until.and_then(end_of),
    };
    let selection = findings::Selection::Ids(body.finding_ids);
    let items = findings::bulk(&caller.cx, state.services(), selection, change).await?;
    let mut results: Vec<FindingBulkItem> = items.into_iter().map(FindingBulkItem::from).collect();
    results.sort_by_key(|item| order.iter().position(|id| *id == item.id));
    let updated = results.iter().filter(|item| item.outcome == BulkOutcome::Updated).count() as u64;
    Ok(Json(FindingBulkResult { updated, results }))
}

/// Lists what happened to a finding.
///
/// Needs `findings.view`. Newest first.
#[utoipa::path(get, path = "/api/findings/{finding_id}/history", operation_id = "list_finding_history", tag = "findings",
    params(("finding_id" = FindingId, Path, description = "The finding."), PageParams),
    responses((status = 200, body = PageOf<FindingEvent>), ItemErrors))]
async fn list_finding_history(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<FindingId>,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<FindingEvent>>> {
    let history = findings::get(&caller.cx, state.services(), id).await?.history;
    Ok(Json(PageOf::cut(history, list.page, FindingEvent::from)))
}

/// The end of a day, which is when an acceptance that names it as its last day ends.
fn end_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    day.succ_opt().map(|next| next.and_time(NaiveTime::MIN).and_utc())
}

fn wire(state: &AppState, finding: findings::Finding, names: &BTreeMap<AssetId, String>) -> Finding {
    Finding {
        id: finding.id,
        fingerprint: finding.fingerprint,
        controls: state.services().catalog().controls_of(&finding.check_id),
        check_id: finding.check_id,
        title: finding.title,
        severity: finding.severity,
        confidence: finding.confidence,
        category: finding.category,
        status: finding.status,
        resolution_reason: finding.resolution_reason,
        status_note: finding.status_note,
        accepted_until: finding.accepted_until,
        asset: finding.asset,
        asset_name: finding.asset_id.and_then(|id| names.get(&id).cloned()),
        asset_id: finding.asset_id,
        location: finding.location,
        first_seen_at: finding.first_seen_at,
        last_seen_at: finding.last_seen_at,
        first_scan_id: finding.first_scan_id,
        last_scan_id: finding.last_scan_id,
        occurrences: finding.occurrences,
        reopened: finding.reopened,
        resolved_at: finding.resolved_at,
        demo: finding.demo,
    }
}

async fn detail(state: &AppState, caller: &Caller, found: findings::FindingDetail) -> ApiResult<FindingDetail> {
    let ids: Vec<AssetId> = found.finding.asset_id.into_iter().collect();
    let names = assets::names(&caller.cx, state.services(), &ids).await?;
    let evidence = found.finding.evidence.clone();
    let sightings = found.sightings.iter().map(|seen| Sighting {
        scan_id: seen.scan_id,
        severity: seen.severity,
        seen_at: seen.seen_at,
    });
    let meta = found.check;
    Ok(FindingDetail {
        sightings: sightings.collect(),
        evidence,
        description: meta.map(|meta| meta.description.clone()).unwrap_or_default(),
        risk: meta.map(|meta| meta.risk.clone()).unwrap_or_default(),
        remediation: meta.map(|meta| meta.remediation.clone()).unwrap_or_default(),
        examples: meta.map(examples_of).unwrap_or_default(),
        references: meta.map(|meta| meta.references.clone()).unwrap_or_default(),
        cwe: meta.map(|meta| meta.cwe.clone()).unwrap_or_default(),
        finding: wire(state, found.finding, &names),
    })
}

impl From<FindingFilter> for findings::FindingFilter {
    fn from(filter: FindingFilter) -> Self {
        Self {
            severities: filter.severity.0,
            statuses: filter.status.0,
            categories: filter.category.0,
            checks: filter.check_id.0,
            asset_id: filter.asset_id,
            asset: filter.asset,
            scan: filter.scan_id.map(ScanId),
            q: filter.search,
            first_seen_after: filter.first_seen_from.map(|at| at.0),
            tags: filter.tag.0,
            reopened: filter.reopened,
            ..Self::default()
        }
    }
}

impl From<FindingSort> for findings::FindingSort {
    fn from(sort: FindingSort) -> Self {
        match sort {
            FindingSort::Severity => Self::Severity,
            FindingSort::Status => Self::Status,
            FindingSort::CheckId => Self::Check,
            FindingSort::Title => Self::Title,
            FindingSort::Category => Self::Category,
            FindingSort::Asset => Self::Asset,
            FindingSort::FirstSeenAt => Self::FirstSeen,
            FindingSort::LastSeenAt => Self::LastSeen,
            FindingSort::Occurrences => Self::Occurrences,
        }
    }
}

impl From<findings::BulkItem> for FindingBulkItem {
    fn from(item: findings::BulkItem) -> Self {
        let outcome = match item.result {
            findings::BulkResult::Updated => BulkOutcome::Updated,
            findings::BulkResult::Unchanged => BulkOutcome::Unchanged,
            findings::BulkResult::NotFound => BulkOutcome::NotFound,
        };
        Self { id: item.id, outcome }
    }
}

impl From<findings::FindingEvent> for FindingEvent {
    fn from(event: findings::FindingEvent) -> Self {
        Self {
            id: event.id,
            kind: event.kind.as_str().to_owned(),
            from_status: event.from_status,
            to_status: event.to_status,
            resolution_reason: event.resolution_reason,
            note: event.note,
            scan_id: event.scan_id,
            actor: Person { id: event.actor_id, username: event.actor_name },
            at: event.at,
        }
    }
}
