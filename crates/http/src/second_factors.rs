//! One's own second factor.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_services::second_factors;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, ReadErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_second_factor, create_second_factor))
        .routes(routes!(confirm_second_factor))
        .routes(routes!(delete_second_factor))
        .routes(routes!(create_recovery_codes))
}

/// State of one's second factor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": true, "enabled_at": "2026-11-20T08:00:00Z", "recovery_codes_left": 10}))]
pub struct SecondFactor {
    /// Whether codes are asked for.
    pub enabled: bool,
    /// Since when.
    pub enabled_at: Option<DateTime<Utc>>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u64,
}

/// One's password, once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery"}))]
pub struct PasswordConfirmation {
    /// The password.
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub current_password: SecretString,
}

/// What the authenticator is told. Shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "url": "otpauth://totp/Bartizan:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Bartizan"}))]
pub struct SecondFactorEnrolment {
    /// The secret in base32, for typing.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub url: String,
}

/// A code of the authenticator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "287082"}))]
pub struct SecondFactorCode {
    /// Six digits, or a recovery code.
    #[schema(value_type = String, max_length = 40)]
    pub code: SecretString,
}

/// Recovery codes. Shown once; each is good once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"recovery_codes": ["7k2m-9q4x-b8wn-3hdt"]}))]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

impl From<Vec<SecretString>> for RecoveryCodes {
    fn from(codes: Vec<SecretString>) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.expose_secret().to_owned()).collect() }
    }
}

/// Says whether one has a second factor.
///
/// Not for API keys.
#[utoipa::path(get, path = "/api/auth/second-factor", operation_id = "get_second_factor", tag = "auth",
    responses((status = 200, body = SecondFactor), ReadErrors))]
async fn get_second_factor(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<SecondFactor>> {
    let found = second_factors::state(&caller.cx, state.services()).await?;
    Ok(Json(SecondFactor {
        enabled: found.enabled_at.is_some(),
        enabled_at: found.enabled_at,
        recovery_codes_left: found.recovery_codes_left,
    }))
}

/// Begins a second factor.
///
/// It counts from the first right code on: `POST /api/auth/second-factor/confirm`. Not for API keys.
#[utoipa::path(post, path = "/api/auth/second-factor", operation_id = "create_second_factor", tag = "auth",
    request_body = PasswordConfirmation, responses((status = 200, body = SecondFactorEnrolment), ChangeErrors))]
async fn create_second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<PasswordConfirmation>,
) -> ApiResult<Json<SecondFactorEnrolment>> {
    let begun = second_factors::begin(&caller.cx, state.services(), body.current_password).await?;
    Ok(Json(SecondFactorEnrolment {
        secret: begun.secret.expose_secret().to_owned(),
        url: begun.url.expose_secret().to_owned(),
    }))
}

/// Turns the begun second factor on.
///
/// Answers with recovery codes for the day the authenticator is lost. Not for API keys.
#[utoipa::path(post, path = "/api/auth/second-factor/confirm", operation_id = "confirm_second_factor", tag = "auth",
    request_body = SecondFactorCode, responses((status = 200, body = RecoveryCodes), ChangeErrors))]
async fn confirm_second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<SecondFactorCode>,
) -> ApiResult<Json<RecoveryCodes>> {
    Ok(Json(second_factors::confirm(&caller.cx, state.services(), &body.code).await?.into()))
}

/// Removes one's second factor.
///
/// Its recovery codes are worth nothing any more. Not for API keys.
#[utoipa::path(post, path = "/api/auth/second-factor/disable", operation_id = "delete_second_factor", tag = "auth",
    request_body = PasswordConfirmation, responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<PasswordConfirmation>,
) -> ApiResult<StatusCode> {
    second_factors::remove(&caller.cx, state.services(), body.current_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces one's recovery codes.
///
/// The old ones are worth nothing any more. Not for API keys.
#[utoipa::path(post, path = "/api/auth/second-factor/recovery-codes", operation_id = "create_recovery_codes",
    tag = "auth", request_body = SecondFactorCode, responses((status = 200, body = RecoveryCodes), ChangeErrors))]
async fn create_recovery_codes(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<SecondFactorCode>,
) -> ApiResult<Json<RecoveryCodes>> {
    Ok(Json(second_factors::renew_codes(&caller.cx, state.services(), &body.code).await?.into()))
}
