//! API keys.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::id::{ApiKeyId, UserId};
use bartizan_services::api_keys::{self, Whose};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, Listing, PageParams, Path};
use crate::roles::permissions;
use crate::wire::{PageOf, Person, location};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_api_keys, create_api_key)).routes(routes!(get_api_key, delete_api_key))
}

/// A key, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "pipeline", "prefix": "btz_9f86d081",
    "owner": {"id": "550e8400-e29b-41d4-a716-446655440000", "username": "ada"}, "permissions": ["scans.run"],
    "created_at": "2026-11-01T08:00:00Z", "expires_at": "2027-11-01T08:00:00Z", "expired": false,
    "last_used_at": "2026-11-20T08:00:00Z", "last_used_ip": "192.0.2.7"}))]
pub struct ApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// Its first characters, for telling keys apart.
    pub prefix: String,
    /// Whose permissions it has.
    pub owner: Person,
    /// What it is narrowed to; null for everything its owner may do.
    pub permissions: Option<Vec<String>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; null for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it ended.
    pub expired: bool,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From where.
    pub last_used_ip: Option<String>,
}

/// A new key with its text, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyCreated {
    /// The key, for the header `X-API-Key`. It cannot be shown again.
    #[schema(example = "btz_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub key: String,
    /// The rest about it.
    #[serde(flatten)]
    pub detail: ApiKey,
}

/// A new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "pipeline", "permissions": ["scans.view"], "expires_at": null}))]
pub struct ApiKeyCreate {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What to narrow it to. Left out: everything its owner may do.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
    /// When it ends. Left out: never.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Filters of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ApiKeyFilter {
    /// Every member's keys, which needs `members.manage`. Left out: one's own.
    pub all: Option<bool>,
}

impl From<api_keys::ApiKeyView> for ApiKey {
    fn from(view: api_keys::ApiKeyView) -> Self {
        let owner: UserId = view.key.user_id;
        Self {
            id: view.key.id,
            name: view.key.name,
            prefix: view.key.prefix,
            owner: Person { id: Some(owner), username: view.owner },
            permissions: view.key.permissions.map(|list| list.iter().map(|p| p.as_str().to_owned()).collect()),
            created_at: view.key.created_at,
            expires_at: view.key.expires_at,
            expired: view.expired,
            last_used_at: view.key.last_used_at,
            last_used_ip: view.key.last_used_ip,
        }
    }
}

/// Lists API keys, newest first.
///
/// One's own, or with `members.manage` and `all=true` every member's. Revoked keys are not listed.
#[utoipa::path(get, path = "/api/api-keys", operation_id = "list_api_keys", tag = "api_keys",
    params(PageParams, ApiKeyFilter), responses((status = 200, body = PageOf<ApiKey>), ReadErrors))]
async fn list_api_keys(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<ApiKeyFilter>,
) -> ApiResult<Json<PageOf<ApiKey>>> {
    let whose = if list.filter.all == Some(true) { Whose::Everybody } else { Whose::Own };
    let found = api_keys::list(&caller.cx, state.services(), whose, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, ApiKey::from)))
}

/// Makes an API key of one's own.
///
/// It may do what its owner may do at the moment of each request, narrowed to `permissions`. API keys cannot make keys.
#[utoipa::path(post, path = "/api/api-keys", operation_id = "create_api_key", tag = "api_keys",
    params(crate::idempotency::IdempotencyHeader), request_body = ApiKeyCreate,
    responses((status = 201, body = ApiKeyCreated, headers(("Location" = String, description = "The new key."))),
        CreateErrors))]
async fn create_api_key(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<ApiKeyCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<ApiKeyCreated>)> {
    let new = api_keys::NewApiKey {
        name: body.name,
        permissions: body.permissions.as_deref().map(permissions).transpose()?,
        expires_at: body.expires_at,
    };
    let (view, text) = api_keys::create(&caller.cx, state.services(), new).await?;
    let detail = ApiKey::from(view);
    let headers = location(&format!("/api/api-keys/{}", detail.id));
    Ok((StatusCode::CREATED, headers, Json(ApiKeyCreated { key: text.expose_secret().to_owned(), detail })))
}

/// Reads an API key.
///
/// One's own, or anybody's with `members.manage`.
#[utoipa::path(get, path = "/api/api-keys/{api_key_id}", operation_id = "get_api_key", tag = "api_keys",
    params(("api_key_id" = ApiKeyId, Path, description = "The key.")),
    responses((status = 200, body = ApiKey), ItemErrors))]
async fn get_api_key(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<Json<ApiKey>> {
    Ok(Json(api_keys::get(&caller.cx, state.services(), id).await?.into()))
}

/// Revokes an API key.
///
/// One's own, or anybody's with `members.manage`. It stops working at once. Not for API keys.
#[utoipa::path(delete, path = "/api/api-keys/{api_key_id}", operation_id = "delete_api_key", tag = "api_keys",
    params(("api_key_id" = ApiKeyId, Path, description = "The key.")),
    responses((status = 204, description = "Revoked."), ChangeErrors))]
async fn delete_api_key(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> ApiResult<StatusCode> {
    api_keys::revoke(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
