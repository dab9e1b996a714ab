//! One's own password.

use axum::extract::State;
use axum::http::StatusCode;
use bartizan_services::passwords;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(update_password))
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
}

/// Changes one's own password.
///
/// One's other sessions end. Not for API keys, nor for users of a directory.
#[utoipa::path(post, path = "/api/auth/password", operation_id = "update_password", tag = "auth",
    request_body = PasswordChange, responses((status = 204, description = "Changed."), ChangeErrors))]
async fn update_password(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<PasswordChange>,
) -> ApiResult<StatusCode> {
    passwords::change(&caller.cx, state.services(), body.current_password, body.new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}
