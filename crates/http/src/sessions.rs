//! The caller's own sign-in sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_domain::id::SessionId;
use bartizan_services::sessions;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, ReadErrors};
use crate::extract::{Listing, NoFilter, PageParams, Path};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_sessions, delete_other_sessions)).routes(routes!(delete_session))
}

/// A sign-in that has not ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "current": true, "ip": "192.0.2.7",
    "user_agent": "Mozilla/5.0", "created_at": "2026-11-20T08:00:00Z", "last_used_at": "2026-11-22T08:30:00Z",
    "expires_at": "2026-11-29T08:30:00Z"}))]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Whether it is the one of this request.
    pub current: bool,
    /// Where it was opened from.
    pub ip: String,
    /// What the client called itself.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When its tokens were last renewed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends unless it is used.
    pub expires_at: DateTime<Utc>,
}

/// Lists one's own open sessions, last used first.
///
/// Not for API keys.
#[utoipa::path(get, path = "/api/auth/sessions", operation_id = "list_sessions", tag = "auth",
    params(PageParams), responses((status = 200, body = PageOf<Session>), ReadErrors))]
async fn list_sessions(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<Session>>> {
    let (_, current) = caller.cx.person()?;
    let found = sessions::list(&caller.cx, state.services(), list.page.into()).await?;
    let shown = |session: sessions::Session| Session {
        id: session.id,
        current: session.id == current,
        ip: session.ip,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    };
    Ok(Json(PageOf::of(found, list.page, shown)))
}

/// Ends one's other sessions.
///
/// The one of this request stays. Not for API keys.
#[utoipa::path(delete, path = "/api/auth/sessions", operation_id = "delete_other_sessions", tag = "auth",
    responses((status = 204, description = "They are over."), ChangeErrors))]
async fn delete_other_sessions(State(state): State<AppState>, caller: Caller) -> ApiResult<StatusCode> {
    sessions::revoke_others(&caller.cx, state.services()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of one's own sessions.
///
/// Its tokens stop working at once. Not for API keys.
#[utoipa::path(delete, path = "/api/auth/sessions/{session_id}", operation_id = "delete_session", tag = "auth",
    params(("session_id" = SessionId, Path, description = "The session.")),
    responses((status = 204, description = "It is over."), ChangeErrors))]
async fn delete_session(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> ApiResult<StatusCode> {
    sessions::revoke(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
