//! Roles: built-in ones and those of the organisation.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::{Error, Permission, RoleName};
use bartizan_services::roles;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, Listing, NoFilter, PageParams, Path};
use crate::wire::{PageOf, location};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_roles, create_role)).routes(routes!(get_role, update_role, delete_role))
}

/// A role: a set of permissions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "scan_operator", "description": "Starts scans", "builtin": false, "members": 2,
    "permissions": ["assets.view", "scans.run", "scans.view"], "created_at": "2026-11-01T08:00:00Z",
    "updated_at": "2026-11-01T08:00:00Z"}))]
pub struct RoleDetail {
    /// Its name, by which members and invitations refer to it.
    pub name: RoleName,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Whether it comes with the product and cannot be changed.
    pub builtin: bool,
    /// Members who have it.
    pub members: u64,
    /// When it was made; null for a built-in one.
    pub created_at: Option<DateTime<Utc>>,
    /// Last change; null for a built-in one.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A new role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "scan_operator", "description": "Starts scans",
    "permissions": ["assets.view", "scans.view", "scans.run"]}))]
pub struct RoleCreate {
    /// Lower-case letters, digits and underscores.
    #[schema(value_type = String, min_length = 1, max_length = 40, pattern = "^[a-z][a-z0-9_]*$")]
    pub name: RoleName,
    /// What it is for.
    #[serde(default)]
    #[schema(required = false, max_length = 500)]
    pub description: String,
    /// What it may do: dotted permissions, such as `scans.run`.
    #[schema(min_items = 1)]
    pub permissions: Vec<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"permissions": ["scans.view", "scans.run", "scans.cancel"]}))]
pub struct RoleUpdate {
    /// What it is for.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// Everything it may do from now on.
    #[schema(min_items = 1)]
    pub permissions: Option<Vec<String>>,
}

impl From<roles::RoleView> for RoleDetail {
    fn from(role: roles::RoleView) -> Self {
        Self {
            name: role.name,
            description: role.description,
            permissions: role.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
            builtin: role.builtin,
            members: role.members,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

/// Reads permissions as they are written on the wire.
pub(crate) fn permissions(texts: &[String]) -> Result<Vec<Permission>, Error> {
    texts
        .iter()
        .map(|text| text.parse().map_err(|message: String| Error::invalid("body -> permissions", message)))
        .collect::<Result<_, Error>>()
}

/// Lists the roles a member can have.
///
/// Needs `members.manage`. Built-in roles first, then those of the organisation by name.
#[utoipa::path(get, path = "/api/roles", operation_id = "list_roles", tag = "members",
    params(PageParams), responses((status = 200, body = PageOf<RoleDetail>), ReadErrors))]
async fn list_roles(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<RoleDetail>>> {
    let found = roles::list(&caller.cx, state.services()).await?;
    Ok(Json(PageOf::cut(found, list.page, RoleDetail::from)))
}

/// Makes a role.
///
/// Needs `members.manage`, and every permission that the role is to hold.
#[utoipa::path(post, path = "/api/roles", operation_id = "create_role", tag = "members", request_body = RoleCreate,
    params(crate::idempotency::IdempotencyHeader),
    responses((status = 201, body = RoleDetail, headers(("Location" = String, description = "The new role."))),
        CreateErrors))]
async fn create_role(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<RoleCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<RoleDetail>)> {
    let new =
        roles::NewRole { name: body.name, description: body.description, permissions: permissions(&body.permissions)? };
    let role = RoleDetail::from(roles::create(&caller.cx, state.services(), new).await?);
    Ok((StatusCode::CREATED, location(&format!("/api/roles/{}", role.name)), Json(role)))
}

/// Reads a role.
///
/// Needs `members.manage`.
#[utoipa::path(get, path = "/api/roles/{role}", operation_id = "get_role", tag = "members",
    params(("role" = RoleName, Path, description = "Name of the role.")),
    responses((status = 200, body = RoleDetail), ItemErrors))]
async fn get_role(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<RoleName>,
) -> ApiResult<Json<RoleDetail>> {
    Ok(Json(roles::get(&caller.cx, state.services(), &name).await?.into()))
}

/// Changes a role.
///
/// Needs `members.manage`, and every permission that the role holds or is to hold. It acts on the next request of
/// everybody who has the role. Built-in roles cannot be changed.
#[utoipa::path(patch, path = "/api/roles/{role}", operation_id = "update_role", tag = "members",
    params(("role" = RoleName, Path, description = "Name of the role.")), request_body = RoleUpdate,
    responses((status = 200, body = RoleDetail), ChangeErrors))]
async fn update_role(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<RoleName>,
    Body(body): Body<RoleUpdate>,
) -> ApiResult<Json<RoleDetail>> {
    let patch = roles::RolePatch {
        description: body.description,
        permissions: body.permissions.as_deref().map(permissions).transpose()?,
    };
    Ok(Json(roles::update(&caller.cx, state.services(), &name, patch).await?.into()))
}

/// Removes a role.
///
/// Needs `members.manage`. A role that somebody has cannot be removed.
#[utoipa::path(delete, path = "/api/roles/{role}", operation_id = "delete_role", tag = "members",
    params(("role" = RoleName, Path, description = "Name of the role.")),
    responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_role(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<RoleName>,
) -> ApiResult<StatusCode> {
    roles::delete(&caller.cx, state.services(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
