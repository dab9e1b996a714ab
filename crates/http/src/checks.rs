//! Checks and profiles: what a scan can look at.

use axum::Json;
use axum::extract::State;
use bartizan_domain::{CheckId, ScanProfile, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::error::{ApiResult, ItemErrors, ReadErrors};
use crate::extract::{List, Listing, PageParams, Path};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_checks)).routes(routes!(get_check)).routes(routes!(list_profiles))
}

/// A check, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "hsts.missing", "title": "HTTPS site sends no Strict-Transport-Security header",
    "severity": "medium", "category": "web", "mode": "safe", "maturity": "stable", "since": "0.1.0",
    "controls": ["nis2:21.2.e"]}))]
pub struct CheckSummary {
    /// Stable id.
    pub id: CheckId,
    /// What is wrong when it fails.
    pub title: String,
    /// Severity unless the check raises or lowers it.
    pub severity: Severity,
    /// Subject: `tls`, `certificate`, `web`, `dns`, `mail`, `registration`, `service`, `ssh`.
    pub category: String,
    /// What it does to its target: `passive`, `safe`, `intrusive`.
    pub mode: String,
    /// `preview`, `stable`, `deprecated`.
    pub maturity: String,
    /// Version that introduced it.
    pub since: String,
    /// Controls it informs.
    pub controls: Vec<String>,
}

/// A check, in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckDetail {
    /// The check in short.
    #[serde(flatten)]
    pub summary: CheckSummary,
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

/// A copyable command or configuration excerpt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"label": "nginx", "text": "add_header Strict-Transport-Security \"max-age=63072000\" always;"}))]
pub struct FixExample {
    /// Where it goes.
    pub label: String,
    /// The text.
    pub text: String,
}

/// Columns the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSort {
    /// By id.
    Id,
    /// By title.
    Title,
    /// By severity.
    Severity,
    /// By category.
    Category,
}

/// Filters of the check list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct CheckFilter {
    /// Text in id or title.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Severities.
    #[param(value_type = Option<Vec<Severity>>, style = Form, explode = false)]
    pub severity: List<Severity>,
    /// Categories.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub category: List<String>,
    /// Checks this profile runs.
    pub profile: Option<ScanProfile>,
}

/// A scan profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "quick", "description": "Public records, the front page, certificates and the 100 most exposed ports",
    "ports": "top:100", "udp_ports": "", "path_probes": false, "check_count": 87}))]
pub struct Profile {
    /// `scan_type` of `POST /api/scans`.
    pub name: ScanProfile,
    /// One sentence.
    pub description: String,
    /// TCP ports it tries.
    pub ports: String,
    /// UDP ports it tries; empty for none.
    pub udp_ports: String,
    /// Whether paths below the front page are requested.
    pub path_probes: bool,
    /// Checks it runs.
    pub check_count: u64,
}

/// Lists checks.
///
/// Needs `scans.view`.
#[utoipa::path(get, path = "/api/checks", operation_id = "list_checks", tag = "checks",
    params(PageParams, CheckFilter,
        ("sort" = inline(Option<CheckSort>), Query, description = "Column to sort by; `id` when left out.")), responses((status = 200, body = PageOf<CheckSummary>), ReadErrors))]
async fn list_checks(
    State(_state): State<AppState>,
    _list: Listing<CheckFilter, CheckSort>,
) -> ApiResult<Json<PageOf<CheckSummary>>> {
    Err(crate::pending())
}

/// Reads a check.
///
/// Needs `scans.view`. Former ids work as well.
#[utoipa::path(get, path = "/api/checks/{check_id}", operation_id = "get_check", tag = "checks",
    params(("check_id" = String, Path, description = "Id of the check.", example = "hsts.missing")),
    responses((status = 200, body = CheckDetail), ItemErrors))]
async fn get_check(State(_state): State<AppState>, Path(_id): Path<String>) -> ApiResult<Json<CheckDetail>> {
    Err(crate::pending())
}

/// Lists the scan profiles.
///
/// Needs `scans.view`.
#[utoipa::path(get, path = "/api/profiles", operation_id = "list_profiles", tag = "checks",
    responses((status = 200, body = Vec<Profile>), ReadErrors))]
async fn list_profiles(State(_state): State<AppState>) -> ApiResult<Json<Vec<Profile>>> {
    Err(crate::pending())
}
