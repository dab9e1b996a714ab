//! Organisations: the one of the request, and those the caller may switch to.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_domain::RoleName;
use bartizan_domain::id::OrganizationId;
use bartizan_services::organizations;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ReadErrors};
use crate::extract::{Body, Listing, NoFilter, PageParams};
use crate::wire::PageOf;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_organization, update_organization))
        .routes(routes!(list_organizations, create_organization))
}

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Example Ltd",
    "created_at": "2026-11-01T08:00:00Z"}))]
pub struct Organization {
    /// The organisation.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
}

/// An organisation of the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Example Ltd", "role": "admin",
    "current": true}))]
pub struct OwnOrganization {
    /// The organisation.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// The caller's role there.
    pub role: RoleName,
    /// Whether it is the one of this request.
    pub current: bool,
}

/// A name for an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Example Ltd"}))]
pub struct OrganizationName {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

impl From<organizations::Organization> for Organization {
    fn from(found: organizations::Organization) -> Self {
        Self { id: found.id, name: found.name, created_at: found.created_at }
    }
}

/// Reads the current organisation.
///
/// Any member may.
#[utoipa::path(get, path = "/api/organization", operation_id = "get_organization", tag = "members",
    responses((status = 200, body = Organization), ReadErrors))]
async fn get_organization(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<Organization>> {
    Ok(Json(organizations::current(&caller.cx, state.services()).await?.into()))
}

/// Renames the current organisation.
///
/// Needs `config.manage`.
#[utoipa::path(patch, path = "/api/organization", operation_id = "update_organization", tag = "members",
    request_body = OrganizationName, responses((status = 200, body = Organization), ChangeErrors))]
async fn update_organization(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<OrganizationName>,
) -> ApiResult<Json<Organization>> {
    Ok(Json(organizations::rename(&caller.cx, state.services(), &body.name).await?.into()))
}

/// Lists the organisations the caller is a member of.
///
/// `POST /api/auth/switch` changes to another one. By name.
#[utoipa::path(get, path = "/api/organizations", operation_id = "list_organizations", tag = "members",
    params(PageParams), responses((status = 200, body = PageOf<OwnOrganization>), ReadErrors))]
async fn list_organizations(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<OwnOrganization>>> {
    let current = caller.cx.organization()?;
    let places = organizations::mine(&caller.cx, state.services()).await?;
    let shown = |place: organizations::Place| OwnOrganization {
        current: place.organization.id == current,
        id: place.organization.id,
        name: place.organization.name,
        role: place.membership.role,
    };
    Ok(Json(PageOf::cut(places, list.page, shown)))
}

/// Adds an organisation.
///
/// Needs `system.manage`, in the first organisation of the server. The caller becomes its first administrator.
#[utoipa::path(post, path = "/api/organizations", operation_id = "create_organization", tag = "members",
    request_body = OrganizationName, params(crate::idempotency::IdempotencyHeader),
    responses((status = 201, body = Organization), CreateErrors))]
async fn create_organization(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<OrganizationName>,
) -> ApiResult<(StatusCode, Json<Organization>)> {
    let organization = organizations::create(&caller.cx, state.services(), &body.name).await?;
    Ok((StatusCode::CREATED, Json(organization.into())))
}
