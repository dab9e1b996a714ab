//! Checks and profiles: what a scan can look at.

use axum::Json;
use axum::extract::State;
use bartizan_domain::{CheckId, ScanProfile, Severity};
use bartizan_services::checks;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ItemErrors, ReadErrors};
use crate::extract::{List, Listing, NoFilter, PageParams, Path, SortDir};
use crate::wire::{PageOf, text_of};

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
/// Needs `findings.view`.
#[utoipa::path(get, path = "/api/checks", operation_id = "list_checks", tag = "checks",
    params(PageParams, CheckFilter,
        ("sort" = inline(Option<CheckSort>), Query, description = "Column to sort by; `id` when left out.")), responses((status = 200, body = PageOf<CheckSummary>), ReadErrors))]
async fn list_checks(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<CheckFilter, CheckSort>,
) -> ApiResult<Json<PageOf<CheckSummary>>> {
    let filter = list.filter;
    let search = filter.search.unwrap_or_default().to_lowercase();
    let profiles = match filter.profile {
        Some(_) => checks::profiles(&caller.cx, state.services())?,
        None => Vec::new(),
    };
    let profile = profiles.iter().find(|view| Some(view.profile.name) == filter.profile);
    let mut found = checks::list(&caller.cx, state.services())?;
    found.retain(|view| {
        let meta = view.meta;
        (search.is_empty() || meta.id.as_str().contains(&search) || meta.title.to_lowercase().contains(&search))
            && (filter.severity.0.is_empty() || filter.severity.0.contains(&meta.severity))
            && (filter.category.0.is_empty() || filter.category.0.iter().any(|name| name == meta.category.as_str()))
            && profile.is_none_or(|view| view.profile.includes(meta))
    });
    match list.sort.unwrap_or(CheckSort::Id) {
        CheckSort::Id => {}
        CheckSort::Title => found.sort_by_key(|view| view.meta.title.to_lowercase()),
        CheckSort::Severity => found.sort_by_key(|view| view.meta.severity),
        CheckSort::Category => found.sort_by_key(|view| view.meta.category),
    }
    if list.page.sort_dir == SortDir::Desc {
        found.reverse();
    }
    Ok(Json(PageOf::cut(found, list.page, CheckSummary::from)))
}

/// Reads a check.
///
/// Needs `findings.view`. Former ids work as well.
#[utoipa::path(get, path = "/api/checks/{check_id}", operation_id = "get_check", tag = "checks",
    params(("check_id" = String, Path, description = "Id of the check.", example = "hsts.missing")),
    responses((status = 200, body = CheckDetail), ItemErrors))]
async fn get_check(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Json<CheckDetail>> {
    let view = checks::get(&caller.cx, state.services(), &id)?;
    let meta = view.meta;
    Ok(Json(CheckDetail {
        summary: view.into(),
        description: meta.description.clone(),
        risk: meta.risk.clone(),
        remediation: meta.remediation.clone(),
        examples: examples_of(meta),
        references: meta.references.clone(),
        cwe: meta.cwe.clone(),
    }))
}

/// Lists the scan profiles.
///
/// Needs `scans.view`. The quickest first.
#[utoipa::path(get, path = "/api/profiles", operation_id = "list_profiles", tag = "checks",
    params(PageParams), responses((status = 200, body = PageOf<Profile>), ReadErrors))]
async fn list_profiles(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<Profile>>> {
    let profiles = checks::profiles(&caller.cx, state.services())?;
    let wire = |view: checks::ProfileView| Profile {
        name: view.profile.name,
        description: view.profile.description.clone(),
        ports: view.profile.ports.clone(),
        udp_ports: view.profile.udp_ports.clone(),
        path_probes: view.profile.path_probes,
        check_count: view.checks as u64,
    };
    Ok(Json(PageOf::cut(profiles, list.page, wire)))
}

impl From<checks::CheckView> for CheckSummary {
    fn from(view: checks::CheckView) -> Self {
        let meta = view.meta;
        Self {
            id: meta.id.clone(),
            title: meta.title.clone(),
            severity: meta.severity,
            category: meta.category.as_str().to_owned(),
            mode: meta.mode.as_str().to_owned(),
            maturity: text_of(&meta.maturity),
            since: meta.since.clone(),
            controls: view.controls,
        }
    }
}

/// The copyable excerpts of a check.
pub(crate) fn examples_of(meta: &checks::CheckMeta) -> Vec<FixExample> {
    let excerpt = |label: &String, text: &String| FixExample { label: label.clone(), text: text.clone() };
    meta.examples.iter().map(|example| excerpt(&example.label, &example.text)).collect()
}
