//! One's own password: changing it, and setting a new one with a link from a mail.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_services::{api_keys, passwords};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::{Caller, SignInAttempt};
use crate::error::{ApiResult, ChangeErrors, Problem, PublicErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(update_password))
        .routes(routes!(request_password_reset))
        .routes(routes!(reset_password))
}

/// What becomes of somebody's API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeysThen {
    /// They stay.
    Keep,
    /// They are refused from now on.
    Revoke,
}

impl From<ApiKeysThen> for api_keys::ApiKeysThen {
    fn from(then: ApiKeysThen) -> Self {
        match then {
            ApiKeysThen::Keep => Self::Keep,
            ApiKeysThen::Revoke => Self::Revoke,
        }
    }
}

/// The present and the new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "correct horse battery", "new_password": "a longer sentence, please"}))]
pub struct PasswordChange {
    /// The password so far.
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub current_password: SecretString,
    /// The password from now on: at least 8 characters, not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 1024)]
    pub new_password: SecretString,
    /// What becomes of one's API keys in every organisation. Left out: `keep`.
    pub api_keys: Option<ApiKeysThen>,
}

/// Changes one's own password.
///
/// One's other sessions end; API keys stay unless the body says otherwise. Not for API keys, nor for users of a directory.
#[utoipa::path(post, path = "/api/auth/password", operation_id = "update_password", tag = "auth",
    request_body = PasswordChange, responses((status = 204, description = "Changed."), ChangeErrors))]
async fn update_password(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<PasswordChange>,
) -> ApiResult<StatusCode> {
    let keys = body.api_keys.unwrap_or(ApiKeysThen::Keep).into();
    passwords::change(&caller.cx, state.services(), body.current_password, body.new_password, keys).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who forgot a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com"}))]
pub struct PasswordForgot {
    /// E-mail address of the account.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
}

/// What happens now, whether or not there is such an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"message": "If there is an account with this address, a mail with a link is on its way."}))]
pub struct PasswordForgotten {
    /// For whoever asked.
    pub message: &'static str,
}

/// A new password, and what proves the right to set it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "6f1c", "new_password": "a longer sentence, please"}))]
pub struct PasswordReset {
    /// The part of the link after `#token=`.
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
    /// The password from now on: at least 8 characters, not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 1024)]
    pub new_password: SecretString,
    /// What becomes of the user's API keys in every organisation. Left out: `revoke`, since whoever had the account until
    /// now may have made some.
    pub api_keys: Option<ApiKeysThen>,
}

/// Has a link for a new password sent by mail.
///
/// Public, and counted like a sign-in. The answer is the same whether or not there is such an account, whether or not its
/// password is kept here, and whether or not mail is sent at all; an account is sent three links an hour at most.
#[utoipa::path(post, path = "/api/auth/password/forgot", operation_id = "request_password_reset", tag = "auth", security(()),
    request_body = PasswordForgot,
    responses((status = 202, body = PasswordForgotten),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        (status = 503, body = Problem, description = "Maintenance mode is on, and `detail` says why."),
        PublicErrors))]
async fn request_password_reset(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Body(body): Body<PasswordForgot>,
) -> ApiResult<(StatusCode, Json<PasswordForgotten>)> {
    passwords::forgot(&cx, state.services(), &body.email).await?;
    let message = "If there is an account with this address, a mail with a link is on its way.";
    Ok((StatusCode::ACCEPTED, Json(PasswordForgotten { message })))
}

/// Sets a new password with the link of a mail.
///
/// Public, and counted like a sign-in. The link works once and for an hour; every session of the user ends, and so do the
/// API keys unless the body says otherwise. A second factor stays as it is.
#[utoipa::path(post, path = "/api/auth/password/reset", operation_id = "reset_password", tag = "auth", security(()),
    request_body = PasswordReset,
    responses((status = 204, description = "Changed; sign in with the new password."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        (status = 503, body = Problem, description = "Maintenance mode is on, and `detail` says why."),
        PublicErrors))]
async fn reset_password(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Body(body): Body<PasswordReset>,
) -> ApiResult<StatusCode> {
    let keys = body.api_keys.unwrap_or(ApiKeysThen::Revoke).into();
    passwords::reset(&cx, state.services(), &body.token, body.new_password, keys).await?;
    Ok(StatusCode::NO_CONTENT)
}
