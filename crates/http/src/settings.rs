//! Settings.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use bartizan_domain::Error;
use bartizan_services::settings::{self, ScanSettings, Versioned};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiError, ApiResult, ChangeErrors, Problem, ReadErrors};
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
async fn get_scanning_settings(
    State(state): State<AppState>,
    caller: Caller,
) -> ApiResult<(HeaderMap, Json<ScanningSettings>)> {
    Ok(answer(settings::scan(&caller.cx, state.services()).await?))
}

/// Changes the scan settings.
///
/// Needs `config.manage`. With `If-Match`, only if nobody changed them meanwhile. Private addresses can be allowed in
/// another organisation only where the first organisation of the server allows them.
#[utoipa::path(patch, path = "/api/config/scanning", operation_id = "update_scanning_settings", tag = "config",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the change is based on.")),
    request_body = ScanningSettingsUpdate,
    responses((status = 200, body = ScanningSettings, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 412, body = Problem, description = "Somebody changed the settings meanwhile."), ChangeErrors))]
async fn update_scanning_settings(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(update): Body<ScanningSettingsUpdate>,
) -> ApiResult<(HeaderMap, Json<ScanningSettings>)> {
    let present = settings::scan(&caller.cx, state.services()).await?;
    let expected = if_match(&headers, present.version)?;
    let value = ScanSettings { allow_private: update.allow_private.unwrap_or(present.value.allow_private) };
    match settings::set_scan(&caller.cx, state.services(), value, Some(expected)).await {
        Ok(changed) => Ok(answer(changed)),
        Err(Error::Conflict(_)) => Err(ApiError::PreconditionFailed),
        Err(error) => Err(error.into()),
    }
}

/// The version a change is based on: the one the caller names, or else the present one.
pub(crate) fn if_match(headers: &HeaderMap, present: i64) -> ApiResult<i64> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(present) };
    if value == "*" || *value == etag(present) {
        return Ok(present);
    }
    Err(ApiError::PreconditionFailed)
}

pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version of settings, as a header.
pub(crate) fn etag_header(version: i64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&etag(version)) {
        headers.insert(header::ETAG, value);
    }
    headers
}

fn answer(settings: Versioned<ScanSettings>) -> (HeaderMap, Json<ScanningSettings>) {
    (etag_header(settings.version), Json(ScanningSettings { allow_private: settings.value.allow_private }))
}
