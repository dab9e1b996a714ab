//! Members of the organisation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_domain::RoleName;
use bartizan_domain::id::UserId;
use bartizan_services::members;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, Listing, PageParams, Path};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_members)).routes(routes!(get_member, update_member, delete_member))
}

/// Somebody's place in the organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_id": "550e8400-e29b-41d4-a716-446655440000", "username": "ada",
    "email": "ada@example.com", "role": "analyst", "is_active": true, "auth_provider": "internal",
    "joined_at": "2026-11-01T08:00:00Z", "last_login_at": "2026-11-20T08:15:00Z"}))]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// Name to sign in with.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Role in the organisation.
    pub role: RoleName,
    /// Whether the member may work in the organisation.
    pub is_active: bool,
    /// How the user signs in: `internal`, `ldap` or `oidc`.
    pub auth_provider: String,
    /// Member since.
    pub joined_at: DateTime<Utc>,
    /// Last sign-in, wherever.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// Filters of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MemberFilter {
    /// Part of the name or the e-mail address.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// With this role.
    #[param(value_type = Option<String>)]
    pub role: Option<RoleName>,
    /// Active, or deactivated.
    pub is_active: Option<bool>,
}

impl From<MemberFilter> for members::MemberFilter {
    fn from(filter: MemberFilter) -> Self {
        Self { search: filter.search, role: filter.role, is_active: filter.is_active }
    }
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"role": "auditor"}))]
pub struct MemberUpdate {
    /// Role in the organisation.
    #[schema(value_type = Option<String>)]
    pub role: Option<RoleName>,
    /// Whether the member may work in the organisation.
    pub is_active: Option<bool>,
}

impl From<members::Member> for Member {
    fn from(member: members::Member) -> Self {
        Self {
            user_id: member.user.id,
            username: member.user.username,
            email: member.user.email,
            role: member.membership.role,
            is_active: member.membership.is_active && member.user.is_active,
            auth_provider: member.user.auth_provider,
            joined_at: member.membership.created_at,
            last_login_at: member.user.last_login_at,
        }
    }
}

/// Lists the members of the organisation by name.
///
/// Needs `members.manage`.
#[utoipa::path(get, path = "/api/members", operation_id = "list_members", tag = "members",
    params(PageParams, MemberFilter), responses((status = 200, body = PageOf<Member>), ReadErrors))]
async fn list_members(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<MemberFilter>,
) -> ApiResult<Json<PageOf<Member>>> {
    let found = members::list(&caller.cx, state.services(), &list.filter.into(), list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Member::from)))
}

/// Reads a member.
///
/// Needs `members.manage`.
#[utoipa::path(get, path = "/api/members/{user_id}", operation_id = "get_member", tag = "members",
    params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 200, body = Member), ItemErrors))]
async fn get_member(State(state): State<AppState>, caller: Caller, Path(id): Path<UserId>) -> ApiResult<Json<Member>> {
    Ok(Json(members::get(&caller.cx, state.services(), id).await?.into()))
}

/// Changes a member's role, or keeps a member out for a while.
///
/// Needs `members.manage`, and every permission of the member's role before and after. It acts on the member's next
/// request. The last active administrator stays one.
#[utoipa::path(patch, path = "/api/members/{user_id}", operation_id = "update_member", tag = "members",
    params(("user_id" = UserId, Path, description = "The user.")), request_body = MemberUpdate,
    responses((status = 200, body = Member), ChangeErrors))]
async fn update_member(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UserId>,
    Body(body): Body<MemberUpdate>,
) -> ApiResult<Json<Member>> {
    let patch = members::MemberPatch { role: body.role, is_active: body.is_active };
    Ok(Json(members::update(&caller.cx, state.services(), id, patch).await?.into()))
}

/// Ends a membership.
///
/// Needs `members.manage`. The account stays, with its places in other organisations.
#[utoipa::path(delete, path = "/api/members/{user_id}", operation_id = "delete_member", tag = "members",
    params(("user_id" = UserId, Path, description = "The user.")),
    responses((status = 204, description = "No member any more."), ChangeErrors))]
async fn delete_member(State(state): State<AppState>, caller: Caller, Path(id): Path<UserId>) -> ApiResult<StatusCode> {
    members::remove(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
