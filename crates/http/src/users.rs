//! Users: the accounts of the members of the organisation.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::id::UserId;
use bartizan_domain::{Role, RoleName};
use bartizan_services::{members, passwords, second_factors, sessions, users};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, Listing, PageParams, Path, Query};
use crate::members::MemberFilter;
use crate::passwords::ApiKeysThen;
use crate::wire::{PageOf, location};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, update_user, delete_user))
        .routes(routes!(delete_user_second_factor))
        .routes(routes!(delete_user_sessions))
        .routes(routes!(create_password_link))
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "username": "analyst1",
    "email": "analyst1@example.com", "role": "analyst", "auth_provider": "internal", "is_active": true,
    "theme_preference": "dark", "created_at": "2026-11-01T08:00:00Z", "last_login_at": null}))]
pub struct UserDetail {
    /// The user.
    pub id: UserId,
    /// Name to sign in with.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Role in the organisation.
    pub role: RoleName,
    /// How the user signs in: `internal`, `ldap` or `oidc`.
    pub auth_provider: String,
    /// Whether the user may work in the organisation.
    pub is_active: bool,
    /// `system`, `light` or `dark`.
    pub theme_preference: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// Last sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
}

impl From<members::Member> for UserDetail {
    fn from(member: members::Member) -> Self {
        Self {
            id: member.user.id,
            username: member.user.username,
            email: member.user.email,
            role: member.membership.role,
            auth_provider: member.user.auth_provider,
            is_active: member.membership.is_active && member.user.is_active,
            theme_preference: member.user.theme_preference,
            created_at: member.user.created_at,
            last_login_at: member.user.last_login_at,
        }
    }
}

/// A new user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "analyst1", "email": "analyst1@example.com",
    "password": "correct horse battery", "role": "analyst"}))]
pub struct UserCreate {
    /// Name to sign in with, without spaces and `@`.
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// E-mail address.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// First password: at least 8 characters, not a common one. Left out: the user sets one with a link, as
    /// `POST /api/users/{user_id}/password-link` makes them.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password", min_length = 8, max_length = 1024)]
    pub password: Option<SecretString>,
    /// Role in the organisation. Left out: `read_only`.
    #[serde(default = "least")]
    #[schema(value_type = String, required = false, default = "read_only")]
    pub role: RoleName,
}

fn least() -> RoleName {
    Role::ReadOnly.into()
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"role": "auditor", "is_active": true}))]
pub struct UserUpdate {
    /// E-mail address.
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// Role in the organisation.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleName>,
    /// Whether the user may work in the organisation.
    pub is_active: Option<bool>,
}

/// Lists the users of the organisation by name.
///
/// Needs `users.manage`.
#[utoipa::path(get, path = "/api/users", operation_id = "list_users", tag = "users",
    params(PageParams, MemberFilter), responses((status = 200, body = PageOf<UserDetail>), ReadErrors))]
async fn list_users(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<MemberFilter>,
) -> ApiResult<Json<PageOf<UserDetail>>> {
    let found = users::list(&caller.cx, state.services(), &list.filter.into(), list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, UserDetail::from)))
}

/// Adds a user.
///
/// Needs `users.manage`, and every permission of the new user's role.
#[utoipa::path(post, path = "/api/users", operation_id = "create_user", tag = "users", request_body = UserCreate,
    params(crate::idempotency::IdempotencyHeader),
    responses((status = 201, body = UserDetail, headers(("Location" = String, description = "The new user."))),
        CreateErrors))]
async fn create_user(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<UserCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<UserDetail>)> {
    let new = users::NewUser { username: body.username, email: body.email, password: body.password, role: body.role };
    let user = UserDetail::from(users::create(&caller.cx, state.services(), new).await?);
    Ok((StatusCode::CREATED, location(&format!("/api/users/{}", user.id)), Json(user)))
}

/// Reads a user.
///
/// Needs `users.manage`.
#[utoipa::path(get, path = "/api/users/{user_id}", operation_id = "get_user", tag = "users",
    params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 200, body = UserDetail), ItemErrors))]
async fn get_user(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<UserDetail>> {
    Ok(Json(users::get(&caller.cx, state.services(), id).await?.into()))
}

/// Changes a user's e-mail address, role or state.
///
/// Needs `users.manage`, and every permission of the user's role before and after. The last active administrator
/// stays one; the address of somebody who belongs to other organisations as well stays.
#[utoipa::path(patch, path = "/api/users/{user_id}", operation_id = "update_user", tag = "users",
    params(("user_id" = UserId, Path, description = "The user.")), request_body = UserUpdate,
    responses((status = 200, body = UserDetail), ChangeErrors))]
async fn update_user(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
    Body(body): Body<UserUpdate>,
) -> ApiResult<Json<UserDetail>> {
    let patch = users::UserPatch { email: body.email, role: body.role, is_active: body.is_active };
    Ok(Json(users::update(&caller.cx, state.services(), id, patch).await?.into()))
}

/// Deactivates a user.
///
/// Needs `users.manage`. The account stays and can be activated again; its sessions in the organisation end.
#[utoipa::path(delete, path = "/api/users/{user_id}", operation_id = "delete_user", tag = "users",
    params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 200, body = UserDetail), ChangeErrors))]
async fn delete_user(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<UserDetail>> {
    Ok(Json(users::deactivate(&caller.cx, state.services(), id).await?.into()))
}

/// Removes the second factor of a user who lost it.
///
/// Needs `users.manage`, and every permission of the user's role. Not for somebody who belongs to other organisations
/// as well.
#[utoipa::path(delete, path = "/api/users/{user_id}/second-factor", operation_id = "delete_user_second_factor",
    tag = "users", params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_user_second_factor(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<StatusCode> {
    second_factors::remove_of(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What becomes of the API keys as well.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SessionsEnd {
    /// What becomes of the user's API keys in the organisation. Left out: `keep`.
    pub api_keys: Option<ApiKeysThen>,
}

/// Ends every session of a user.
///
/// Needs `users.manage`, and every permission of the user's role. Those in this organisation, at once; sessions and API
/// keys of other organisations stay. Whoever knows the password can sign in again.
#[utoipa::path(delete, path = "/api/users/{user_id}/sessions", operation_id = "delete_user_sessions", tag = "users",
    params(("user_id" = UserId, Path, description = "The user."), SessionsEnd),
    responses((status = 204, description = "They are over."), ChangeErrors))]
async fn delete_user_sessions(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
    Query(wish): Query<SessionsEnd>,
) -> ApiResult<StatusCode> {
    sessions::end_of(&caller.cx, state.services(), id, wish.api_keys.unwrap_or(ApiKeysThen::Keep).into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link for a new password.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"link": "/ui/reset-password#token=6f1c…", "expires_at": "2026-11-22T10:00:00Z"}))]
pub struct PasswordLink {
    /// The page where its holder sets a new password, once; put the server's address in front. Shown this once. `null` if
    /// it is on its way by mail.
    pub link: Option<String>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Makes a link for a new password.
///
/// Needs `users.manage`, and every permission of the user's role; not for API keys. Where mail is sent the link goes to
/// the user's address, three an hour at most; elsewhere it is in the answer, for the administrator to hand over, but not
/// for people who belong to other organisations as well (409). Good once and for an hour, and earlier links are worth
/// nothing any more. Not for users of a directory (409).
#[utoipa::path(post, path = "/api/users/{user_id}/password-link", operation_id = "create_password_link", tag = "users",
    params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 200, body = PasswordLink), ChangeErrors))]
async fn create_password_link(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<PasswordLink>> {
    let made = passwords::link_for(&caller.cx, state.services(), id).await?;
    let link = made.token.map(|token| format!("/ui/reset-password#token={}", token.expose_secret()));
    Ok(Json(PasswordLink { link, expires_at: made.expires_at }))
}
