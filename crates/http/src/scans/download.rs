//! The results of a scan as a file.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bartizan_domain::id::ScanId;
use bartizan_services::scans;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ItemErrors, Problem};
use crate::extract::{Path, Query};

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(download_scan))
}

/// Formats of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DownloadFormat {
    /// The native document, `bartizan.scan/1`.
    #[default]
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Findings as CSV.
    Csv,
    /// SARIF 2.1.0.
    Sarif,
    /// A page that needs no network.
    Html,
    /// Plain text.
    Table,
}

/// Options of a download.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct DownloadOptions {
    /// Format.
    #[param(inline)]
    pub format: DownloadFormat,
}

/// Downloads the results of a scan.
///
/// Needs `scans.view` and `exports.run`. A scan that runs gives what it has so far, marked incomplete.
#[utoipa::path(get, path = "/api/scans/{scan_id}/download", operation_id = "download_scan", tag = "scans",
    params(("scan_id" = ScanId, Path, description = "Number of the scan."), DownloadOptions),
    responses((status = 200, description = "The file.", content((serde_json::Value = "application/json"),
        (String = "application/jsonl"), (String = "text/csv"), (serde_json::Value = "application/sarif+json"),
        (String = "text/html"), (String = "text/plain")),
        headers(("Content-Disposition" = String, description = "`attachment` with a file name."))),
        (status = 429, body = Problem, description = "Too many exports; `Retry-After` says for how long."), ItemErrors))]
async fn download_scan(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ScanId>,
    Query(options): Query<DownloadOptions>,
) -> ApiResult<Response> {
    let bytes = scans::download(&caller.cx, state.services(), id, options.format.into()).await?;
    let (media, extension) = options.format.media();
    let disposition = format!("attachment; filename=\"scan-{id}.{extension}\"");
    let mut response = ([(header::CONTENT_TYPE, media)], bytes).into_response();
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

impl DownloadFormat {
    const fn media(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application/json", "json"),
            Self::Jsonl => ("application/jsonl", "jsonl"),
            Self::Csv => ("text/csv; charset=utf-8", "csv"),
            Self::Sarif => ("application/sarif+json", "sarif"),
            Self::Html => ("text/html; charset=utf-8", "html"),
            Self::Table => ("text/plain; charset=utf-8", "txt"),
        }
    }
}
