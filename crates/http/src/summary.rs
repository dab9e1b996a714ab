//! Totals for the overview page.

use axum::Json;
use axum::extract::State;
use bartizan_domain::id::{AssetId, ScanId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::error::{ApiResult, ReadErrors};
use crate::extract::Query;
use crate::wire::SeverityCounts;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_summary)).routes(routes!(get_summary_trend))
}

/// Totals of the organisation. The counts are of findings that are not resolved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"total_assets": 150, "total_vulns": 34, "critical_count": 1, "high_count": 4,
    "medium_count": 12, "low_count": 14, "info_count": 3, "kev_count": 0, "new_24h": 2, "new_7d": 9,
    "stale_assets": 3, "source_health": [], "accepted_risk_count": 2, "score": 82.5, "coverage": 0.91,
    "scored_assets": 120, "running_scans": 1, "failed_scans_7d": 0,
    "last_scan": {"id": 17, "finished_at": "2026-11-20T09:31:12Z"},
    "riskiest_assets": [{"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Shop", "score": 49,
        "open_findings": {"critical": 1, "high": 2, "medium": 0, "low": 0, "info": 0}}], "demo": false}))]
pub struct Summary {
    /// Assets.
    pub total_assets: u64,
    /// Findings that are not resolved.
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
    /// Findings lived with; part of the totals.
    pub accepted_risk_count: u64,
    /// Mean of the assets' scores, weighted by criticality; null when no asset has one.
    pub score: Option<f64>,
    /// Share of planned verdicts of each asset's last scan that are conclusive, 0 to 1.
    pub coverage: Option<f64>,
    /// Assets with a score.
    pub scored_assets: u64,
    /// Scans that wait or run.
    pub running_scans: u64,
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
async fn get_summary(State(_state): State<AppState>) -> ApiResult<Json<Summary>> {
    Err(crate::pending())
}

/// Open findings by day and severity.
///
/// Needs `dashboard.view`.
#[utoipa::path(get, path = "/api/summary/trend", operation_id = "get_summary_trend", tag = "summary",
    params(TrendOptions), responses((status = 200, body = Trend), ReadErrors))]
async fn get_summary_trend(
    State(_state): State<AppState>,
    Query(_options): Query<TrendOptions>,
) -> ApiResult<Json<Trend>> {
    Err(crate::pending())
}
