//! Settings.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::error::{ApiResult, ChangeErrors, Problem, ReadErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_scanning_settings, update_scanning_settings))
}

/// How scans may be used.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(example = json!({"allow_private": true}))]
pub struct ScanningSettings {
    /// Whether private, loopback and link-local addresses may be scanned. Addresses of cloud metadata services are
    /// refused always.
    pub allow_private: bool,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"allow_private": false}))]
pub struct ScanningSettingsUpdate {
    /// Whether private, loopback and link-local addresses may be scanned.
    pub allow_private: Option<bool>,
}

/// Reads the scan settings.
///
/// Needs `config.view`.
#[utoipa::path(get, path = "/api/config/scanning", operation_id = "get_scanning_settings", tag = "config",
    responses((status = 200, body = ScanningSettings, headers(("ETag" = String, description = "For `If-Match`."))),
        ReadErrors))]
async fn get_scanning_settings(State(_state): State<AppState>) -> ApiResult<(HeaderMap, Json<ScanningSettings>)> {
    Err(crate::pending())
}

/// Changes the scan settings.
///
/// Needs `config.manage`. With `If-Match`, only if nobody changed them meanwhile.
#[utoipa::path(patch, path = "/api/config/scanning", operation_id = "update_scanning_settings", tag = "config",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the change is based on.")),
    request_body = ScanningSettingsUpdate,
    responses((status = 200, body = ScanningSettings, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 412, body = Problem, description = "Somebody changed the settings meanwhile."), ChangeErrors))]
async fn update_scanning_settings(
    State(_state): State<AppState>,
    _headers: HeaderMap,
    Body(_body): Body<ScanningSettingsUpdate>,
) -> ApiResult<(HeaderMap, Json<ScanningSettings>)> {
    Err(crate::pending())
}
