//! Totals for the overview page.

use axum::Json;
use axum::extract::State;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::id::{AssetId, ScanId};
use bartizan_domain::{Error, FieldError};
use bartizan_services::summary;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ReadErrors};
use crate::extract::Query;
use crate::wire::SeverityCounts;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_summary)).routes(routes!(get_summary_trend))
}

/// Longest trend.
const MAX_DAYS: u32 = 365;

/// Totals of the organisation. The counts are of unresolved findings; accepted risks are counted by themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"total_assets": 150, "total_vulns": 34, "critical_count": 1, "high_count": 4,
    "medium_count": 12, "low_count": 14, "info_count": 3, "kev_count": 0, "new_24h": 2, "new_7d": 9,
    "stale_assets": 3, "source_health": [], "accepted_risk_count": 2, "score": 82.5, "coverage": 0.91,
    "scored_assets": 120, "running_scans": 1, "total_scans": 17, "failed_scans_7d": 0,
    "last_scan": {"id": 17, "score": 79.0, "finished_at": "2026-11-20T09:31:12Z"},
    "riskiest_assets": [{"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Shop", "score": 49,
        "open_findings": {"critical": 1, "high": 2, "medium": 0, "low": 0, "info": 0}}], "demo": false}))]
pub struct Summary {
    /// Assets.
    pub total_assets: u64,
    /// Unresolved findings.
    pub total_vulns: u64,
    /// Critical ones.
    pub critical_count: u64,
    /// High ones.
    pub high_count: u64,
    /// Medium ones.
    pub medium_count: u64,
    /// Low ones.
    pub low_count: u64,
    /// Informational ones.
    pub info_count: u64,
    /// Known to be exploited.
    pub kev_count: u64,
    /// First seen in the last 24 hours.
    pub new_24h: u64,
    /// First seen in the last 7 days.
    pub new_7d: u64,
    /// Assets not seen for 30 days.
    pub stale_assets: u64,
    /// State of the intelligence sources.
    pub source_health: Vec<SourceHealth>,
    /// Findings whose risk is accepted; not part of the other counts.
    pub accepted_risk_count: u64,
    /// Mean of the assets' scores, weighted by criticality; null when no asset has one.
    pub score: Option<f64>,
    /// Share of planned verdicts of the last completed scan that are conclusive, 0 to 1.
    pub coverage: Option<f64>,
    /// Assets with a score.
    pub scored_assets: u64,
    /// Scans that wait or run.
    pub running_scans: u64,
    /// Scans in all.
    pub total_scans: u64,
    /// Scans that failed in the last 7 days.
    pub failed_scans_7d: u64,
    /// The last scan that completed.
    pub last_scan: Option<LastScan>,
    /// The five assets with the lowest scores.
    pub riskiest_assets: Vec<RiskyAsset>,
    /// Whether demo data is loaded.
    pub demo: bool,
}

/// State of an intelligence source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceHealth {
    /// Short name.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Last time it was read.
    pub last_crawled_at: Option<DateTime<Utc>>,
    /// How that went.
    pub last_crawl_status: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// The last scan that completed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastScan {
    /// Number.
    pub id: ScanId,
    /// Its score; null when nothing was assessed.
    pub score: Option<f64>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// An asset with a low score.
#[derive(Debug, Serialize, ToSchema)]
pub struct RiskyAsset {
    /// The asset.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// Its score.
    pub score: u8,
    /// Its findings that are not resolved.
    pub open_findings: SeverityCounts,
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct TrendOptions {
    /// Days back from today.
    #[param(default = 30, minimum = 1, maximum = 365)]
    pub days: u32,
}

impl Default for TrendOptions {
    fn default() -> Self {
        Self { days: 30 }
    }
}

/// Findings that were open, by day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"days": 30, "trend": [{"date": "2026-11-20", "critical": 1, "high": 4, "medium": 12,
    "low": 14, "info": 3, "total": 34}]}))]
pub struct Trend {
    /// Days asked for.
    pub days: u32,
    /// One entry a day, oldest first.
    pub trend: Vec<TrendDay>,
}

/// One day of the trend: what was open at its end, UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrendDay {
    /// The day.
    pub date: NaiveDate,
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Informational ones.
    pub info: u64,
    /// All.
    pub total: u64,
}

/// Totals for the overview.
///
/// Needs `dashboard.view`.
#[utoipa::path(get, path = "/api/summary", operation_id = "get_summary", tag = "summary",
    responses((status = 200, body = Summary), ReadErrors))]
async fn get_summary(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Summary>> {
    let now = summary::overview(&caller.cx, state.services()).await?;
    let open = now.open_findings;
    let last_scan = now.latest_scan.as_ref();
    let outcomes: Option<OutcomeCounts> = last_scan.and_then(|scan| serde_json::from_value(scan.outcomes.clone()).ok());
    let risky = now.riskiest_assets.into_iter().filter_map(|view| {
        let score = view.asset.score.and_then(|score| u8::try_from(score).ok())?;
        let open_findings = view.open_findings.into();
        Some(RiskyAsset { id: view.asset.id, name: view.asset.name, score, open_findings })
    });
    Ok(Json(Summary {
        total_assets: now.total_assets,
        total_vulns: open.critical + open.high + open.medium + open.low + open.info,
        critical_count: open.critical,
        high_count: open.high,
        medium_count: open.medium,
        low_count: open.low,
        info_count: open.info,
        kev_count: 0,
        new_24h: now.new_24h,
        new_7d: now.new_7d,
        stale_assets: now.stale_assets,
        source_health: Vec::new(),
        accepted_risk_count: now.accepted_risks,
        score: now.scores.mean,
        coverage: outcomes.and_then(|counts| counts.ratio()),
        scored_assets: now.scores.scored,
        running_scans: now.active_scans,
        total_scans: now.total_scans,
        failed_scans_7d: now.failed_scans_7d,
        last_scan: last_scan
            .and_then(|scan| Some(LastScan { id: scan.id, score: scan.score, finished_at: scan.finished_at? })),
        riskiest_assets: risky.collect(),
        demo: now.demo,
    }))
}

/// Open findings by day and severity.
///
/// Needs `dashboard.view`.
#[utoipa::path(get, path = "/api/summary/trend", operation_id = "get_summary_trend", tag = "summary",
    params(TrendOptions), responses((status = 200, body = Trend), ReadErrors))]
async fn get_summary_trend(
    State(state): State<AppState>,
    caller: Caller,
    Query(options): Query<TrendOptions>,
) -> ApiResult<Json<Trend>> {
    let days = options.days;
    if !(1..=MAX_DAYS).contains(&days) {
        let message = format!("days {days} is out of range: expected 1 to {MAX_DAYS}");
        let error = FieldError { field: "query -> days".to_owned(), message, kind: "out_of_range".into() };
        return Err(Error::Invalid(vec![error]).into());
    }
    let day = |day: summary::TrendDay| TrendDay {
        date: day.date,
        critical: day.open.critical,
        high: day.open.high,
        medium: day.open.medium,
        low: day.open.low,
        info: day.open.info,
        total: day.open.critical + day.open.high + day.open.medium + day.open.low + day.open.info,
    };
    let trend = summary::trend(&caller.cx, state.services(), days).await?;
    Ok(Json(Trend { days, trend: trend.into_iter().map(day).collect() }))
}
