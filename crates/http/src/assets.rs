//! Assets: what can be scanned.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::id::{AssetId, ScanId};
use bartizan_domain::{AssetKind, Error, Permission, RiskZone};
use bartizan_services::{OpContext, asset_import, assets};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiError, ApiResult, ChangeErrors, CreateErrors, ItemErrors, ReadErrors};
use crate::extract::{Body, List, Listing, PageParams, Path, file_part};
use crate::wire::{PageOf, SeverityCounts, location};

/// Largest CSV file.
const MAX_IMPORT: usize = 5 * 1024 * 1024;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_assets, create_asset))
        .routes(routes!(bulk_update_assets))
        .merge(OpenApiRouter::new().routes(routes!(import_assets)).layer(DefaultBodyLimit::max(MAX_IMPORT)))
        .routes(routes!(list_asset_tags))
        .routes(routes!(get_asset, update_asset, delete_asset))
}

/// Something that can be scanned.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Shop", "kind": "domain",
    "target_type": "domain", "target_value": "shop.example.com", "hostname": null, "os_distro": null,
    "os_version": null, "risk_zone": "production", "criticality": 3, "tags": ["pci"],
    "open_findings": {"critical": 0, "high": 1, "medium": 2, "low": 4, "info": 1}, "score": 79,
    "last_seen_at": "2026-11-20T09:30:00Z", "last_scan_id": 17, "stale": false, "demo": false,
    "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-20T09:30:00Z"}))]
pub struct Asset {
    /// The asset.
    pub id: AssetId,
    /// Name for people; the target value unless one was given.
    pub name: String,
    /// Kind of asset.
    pub kind: AssetKind,
    /// Kind of target, the same as `kind`; null for a `host`, which comes from inventory.
    pub target_type: Option<AssetKind>,
    /// The domain, address or network, in normal form.
    pub target_value: String,
    /// Host name known from inventory.
    pub hostname: Option<String>,
    /// Operating system known from inventory.
    pub os_distro: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// Where it stands in the landscape.
    pub risk_zone: RiskZone,
    /// Weight in the organisation's score, 1 to 5.
    pub criticality: u8,
    /// Free labels, sorted.
    pub tags: Vec<String>,
    /// Findings that are not resolved, by severity.
    pub open_findings: SeverityCounts,
    /// 0 to 100 from the last scan; null when nothing was assessed.
    pub score: Option<u8>,
    /// When something last answered there.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The last scan that included it.
    pub last_scan_id: Option<ScanId>,
    /// Not seen for 30 days.
    pub stale: bool,
    /// Part of the demo data, not of anything real.
    pub demo: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Columns the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetSort {
    /// By name.
    Name,
    /// By kind of target.
    TargetType,
    /// By target.
    TargetValue,
    /// By risk zone.
    RiskZone,
    /// By criticality.
    Criticality,
    /// By score; assets without one come last.
    Score,
    /// By when it was last seen.
    LastSeenAt,
    /// By when it was added.
    CreatedAt,
}

/// Filters of the asset list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AssetFilter {
    /// Text in name, target or host name.
    #[param(max_length = 200)]
    pub search: Option<String>,
    /// Kinds of target.
    #[param(value_type = Option<Vec<AssetKind>>, style = Form, explode = false)]
    pub target_type: List<AssetKind>,
    /// Tags; an asset with any of them matches.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub tag: List<String>,
    /// Risk zones.
    #[param(value_type = Option<Vec<RiskZone>>, style = Form, explode = false)]
    pub risk_zone: List<RiskZone>,
    /// Not seen for 30 days.
    pub stale: Option<bool>,
    /// Operating system, exact.
    pub os_distro: Option<String>,
    /// Version of the operating system, exact.
    pub os_version: Option<String>,
    /// Text in the host name.
    pub hostname: Option<String>,
}

/// A new asset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Shop", "target_type": "domain", "target_value": "shop.example.com",
    "risk_zone": "production", "tags": ["pci"]}))]
pub struct AssetCreate {
    /// Name for people. Left out: the target value.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// `domain`, `ip` or `cidr`. Left out: read from the target value.
    pub target_type: Option<AssetKind>,
    /// A domain, address or network.
    #[schema(max_length = 2048)]
    pub target_value: String,
    /// Free labels, at most 50.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub tags: Vec<String>,
    /// Where it stands in the landscape. Left out: `dev`.
    pub risk_zone: Option<RiskZone>,
    /// Weight in the organisation's score, 1 to 5. Left out: 3.
    #[schema(minimum = 1, maximum = 5)]
    pub criticality: Option<u8>,
}

/// What of an asset to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"tags": ["pci", "shop"], "risk_zone": "production"}))]
pub struct AssetUpdate {
    /// Name for people.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// All labels it has from now on.
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    /// Where it stands in the landscape.
    pub risk_zone: Option<RiskZone>,
    /// Weight in the organisation's score, 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub criticality: Option<u8>,
}

/// A change to several assets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "risk_zone": "production",
    "add_tags": ["pci-scope"], "remove_tags": ["legacy"]}))]
pub struct AssetBulkUpdate {
    /// The assets, at most 500.
    #[serde(default)]
    #[schema(required = true, min_items = 1, max_items = 500)]
    pub asset_ids: Vec<AssetId>,
    /// New risk zone: `dev`, `staging`, `production`, `dmz`, `internal` or `restricted`.
    #[schema(value_type = Option<RiskZone>)]
    pub risk_zone: Option<String>,
    /// Labels to add.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub add_tags: Vec<String>,
    /// Labels to remove.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub remove_tags: Vec<String>,
}

/// How a change to several assets went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"updated": 2, "not_found": []}))]
pub struct AssetBulkResult {
    /// Assets changed.
    pub updated: u64,
    /// Ids that do not exist here.
    pub not_found: Vec<AssetId>,
}

/// A CSV file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its OpenAPI form is used; the parts are read as a stream")]
struct ImportForm {
    /// CSV with a header line: `name,target_type,target_value,tags`, and if wanted `risk_zone` and `criticality`.
    /// Tags are separated by semicolons. All but type and value may be left out.
    /// At most 10,000 rows and 5 MiB.
    #[schema(content_media_type = "text/csv", value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// How an import went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rows": 3, "created": 1, "duplicates": 1, "invalid": 1,
    "errors": [{"row": 4, "kind": "invalid", "field": "target_value", "message": "`300.1.1.1` is not an address"}]}))]
pub struct ImportResult {
    /// Data rows in the file.
    pub rows: u64,
    /// Assets created.
    pub created: u64,
    /// Rows whose target exists already, here or earlier in the file.
    pub duplicates: u64,
    /// Rows that break a rule.
    pub invalid: u64,
    /// Each row that was left out.
    pub errors: Vec<ImportRowError>,
}

/// What kept a row from being imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportProblem {
    /// The target exists already.
    Duplicate,
    /// It breaks a rule.
    Invalid,
}

/// A row of an import that was left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportRowError {
    /// Line of the file; the header is line 1.
    pub row: u64,
    /// Why.
    pub kind: ImportProblem,
    /// Column, when one is to blame.
    pub field: Option<String>,
    /// The value and the rule.
    pub message: String,
}

/// A label and how often it is used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"tag": "pci", "count": 12}))]
pub struct TagCount {
    /// The label.
    pub tag: String,
    /// Assets that carry it.
    pub count: u64,
}

/// Which labels to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct TagFilter {
    /// Text the label begins with.
    #[param(max_length = 64)]
    pub search: Option<String>,
}

/// Lists assets.
///
/// Needs `assets.view`.
#[utoipa::path(get, path = "/api/assets", operation_id = "list_assets", tag = "assets",
    params(PageParams, AssetFilter,
        ("sort" = inline(Option<AssetSort>), Query, description = "Column to sort by; `name` when left out.")), responses((status = 200, body = PageOf<Asset>), ReadErrors))]
async fn list_assets(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<AssetFilter, AssetSort>,
) -> ApiResult<Json<PageOf<Asset>>> {
    let filter = list.filter.resolve(&caller.cx);
    let sort = (list.sort.unwrap_or(AssetSort::Name).into(), list.page.sort_dir.into());
    let found = assets::list(&caller.cx, state.services(), &filter, sort, list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, Asset::from)))
}

/// Adds an asset.
///
/// Needs `assets.manage`. A target that exists already is a 409.
#[utoipa::path(post, path = "/api/assets", operation_id = "create_asset", tag = "assets",
    params(crate::idempotency::IdempotencyHeader), request_body = AssetCreate,
    responses((status = 201, body = Asset, headers(("Location" = String, description = "The new asset."))), CreateErrors))]
async fn create_asset(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<AssetCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<Asset>)> {
    let new = assets::NewAsset {
        name: body.name,
        target_type: body.target_type,
        target_value: body.target_value,
        tags: body.tags,
        risk_zone: body.risk_zone,
        criticality: body.criticality.map(i32::from),
    };
    let asset = Asset::from(assets::create(&caller.cx, state.services(), new).await?);
    Ok((StatusCode::CREATED, location(&format!("/api/assets/{}", asset.id)), Json(asset)))
}

/// Reads an asset.
///
/// Needs `assets.view`.
#[utoipa::path(get, path = "/api/assets/{asset_id}", operation_id = "get_asset", tag = "assets",
    params(("asset_id" = AssetId, Path, description = "The asset.")),
    responses((status = 200, body = Asset), ItemErrors))]
async fn get_asset(State(state): State<AppState>, caller: Caller, Path(id): Path<AssetId>) -> ApiResult<Json<Asset>> {
    Ok(Json(assets::get(&caller.cx, state.services(), id).await?.into()))
}

/// Changes an asset.
///
/// Needs `assets.manage`. The target itself cannot change: that would be another asset.
#[utoipa::path(patch, path = "/api/assets/{asset_id}", operation_id = "update_asset", tag = "assets",
    params(("asset_id" = AssetId, Path, description = "The asset.")), request_body = AssetUpdate,
    responses((status = 200, body = Asset), ChangeErrors))]
async fn update_asset(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Body(body): Body<AssetUpdate>,
) -> ApiResult<Json<Asset>> {
    let patch = assets::AssetPatch {
        name: body.name,
        tags: body.tags,
        risk_zone: body.risk_zone,
        criticality: body.criticality.map(i32::from),
    };
    Ok(Json(assets::update(&caller.cx, state.services(), id, patch).await?.into()))
}

/// Removes an asset.
///
/// Needs `assets.manage`. Its open findings are resolved as `asset_removed`; scans keep their results.
#[utoipa::path(delete, path = "/api/assets/{asset_id}", operation_id = "delete_asset", tag = "assets",
    params(("asset_id" = AssetId, Path, description = "The asset.")),
    responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_asset(State(state): State<AppState>, caller: Caller, Path(id): Path<AssetId>) -> ApiResult<StatusCode> {
    assets::delete(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes risk zone and labels of several assets.
///
/// Needs `assets.manage`. At least one of `risk_zone`, `add_tags`, `remove_tags` must be given.
#[utoipa::path(patch, path = "/api/assets/bulk", operation_id = "bulk_update_assets", tag = "assets",
    request_body = AssetBulkUpdate, responses((status = 200, body = AssetBulkResult),
        (status = 400, body = crate::error::Problem,
            description = "No `asset_ids`, an unknown `risk_zone`, or nothing to change."),
        ChangeErrors))]
async fn bulk_update_assets(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<AssetBulkUpdate>,
) -> ApiResult<Json<AssetBulkResult>> {
    // A bad zone is a 400 here, unlike elsewhere: the reference says so.
    let risk_zone = body.risk_zone.as_deref().map(str::parse).transpose().map_err(Error::BadRequest)?;
    let change = assets::BulkChange {
        asset_ids: body.asset_ids,
        risk_zone,
        add_tags: body.add_tags,
        remove_tags: body.remove_tags,
    };
    let done = assets::bulk(&caller.cx, state.services(), change).await?;
    Ok(Json(AssetBulkResult { updated: done.updated.len() as u64, not_found: done.not_found }))
}

/// Imports assets from a CSV file.
///
/// Needs `assets.manage`. Rows that break a rule are reported by line; the others are imported.
#[utoipa::path(post, path = "/api/assets/import", operation_id = "import_assets", tag = "assets",
    params(crate::idempotency::IdempotencyHeader),
    request_body(content = inline(ImportForm), content_type = "multipart/form-data"),
    responses((status = 200, body = ImportResult), CreateErrors))]
async fn import_assets(
    State(state): State<AppState>,
    caller: Caller,
    form: Result<Multipart, MultipartRejection>,
) -> ApiResult<Json<ImportResult>> {
    caller.cx.require(Permission::AssetsManage)?;
    let form = form.map_err(|_| ApiError::UnsupportedMediaType("multipart/form-data"))?;
    let file = file_part(form, MAX_IMPORT).await?;
    let report = asset_import::import_csv(&caller.cx, state.services(), &file).await?;
    Ok(Json(report.into()))
}

impl From<asset_import::ImportReport> for ImportResult {
    fn from(report: asset_import::ImportReport) -> Self {
        let row = |problem: asset_import::RowProblem| ImportRowError {
            row: problem.line,
            kind: match problem.kind {
                asset_import::RowProblemKind::Duplicate => ImportProblem::Duplicate,
                asset_import::RowProblemKind::Invalid => ImportProblem::Invalid,
            },
            field: problem.column,
            message: problem.message,
        };
        Self {
            rows: report.total as u64,
            created: report.created as u64,
            duplicates: report.duplicates as u64,
            invalid: report.invalid as u64,
            errors: report.problems.into_iter().map(row).collect(),
        }
    }
}

/// Largest body of an operation of this file that takes more than others.
pub(crate) fn body_limit(path: &str) -> Option<usize> {
    (path == "/api/assets/import").then_some(MAX_IMPORT)
}

/// Lists the labels in use.
///
/// Needs `assets.view`. The most used first.
#[utoipa::path(get, path = "/api/assets/tags", operation_id = "list_asset_tags", tag = "assets",
    params(PageParams, TagFilter), responses((status = 200, body = PageOf<TagCount>), ReadErrors))]
async fn list_asset_tags(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<TagFilter>,
) -> ApiResult<Json<PageOf<TagCount>>> {
    let begin = list.filter.search.unwrap_or_default();
    let tags = assets::tags(&caller.cx, state.services(), &begin, list.page.into()).await?;
    Ok(Json(PageOf::of(tags, list.page, |(tag, count)| TagCount { tag, count })))
}

impl AssetFilter {
    fn resolve(self, cx: &OpContext) -> assets::AssetFilter {
        assets::AssetFilter {
            q: self.search,
            target_types: self.target_type.0,
            risk_zones: self.risk_zone.0,
            tags: self.tag.0,
            hostname: self.hostname,
            os_distro: self.os_distro,
            os_version: self.os_version,
            seen: self.stale.map(|stale| assets::seen(cx, stale)),
            demo: None,
            ids: None,
        }
    }
}

impl From<AssetSort> for assets::AssetSort {
    fn from(sort: AssetSort) -> Self {
        match sort {
            AssetSort::Name => Self::Name,
            AssetSort::TargetType => Self::TargetType,
            AssetSort::TargetValue => Self::TargetValue,
            AssetSort::RiskZone => Self::RiskZone,
            AssetSort::Criticality => Self::Criticality,
            AssetSort::Score => Self::Score,
            AssetSort::LastSeenAt => Self::LastSeen,
            AssetSort::CreatedAt => Self::CreatedAt,
        }
    }
}

impl From<assets::AssetView> for Asset {
    fn from(view: assets::AssetView) -> Self {
        let asset = view.asset;
        Self {
            id: asset.id,
            name: asset.name,
            kind: asset.target_type,
            target_type: (asset.target_type != AssetKind::Host).then_some(asset.target_type),
            target_value: asset.target_value,
            hostname: asset.hostname,
            os_distro: asset.os_distro,
            os_version: asset.os_version,
            risk_zone: asset.risk_zone,
            criticality: u8::try_from(asset.criticality).unwrap_or(0),
            tags: asset.tags,
            open_findings: view.open_findings.into(),
            score: asset.score.and_then(|score| u8::try_from(score).ok()),
            last_seen_at: asset.last_seen_at,
            last_scan_id: asset.last_scan_id,
            stale: view.stale,
            demo: asset.demo,
            created_at: asset.created_at,
            updated_at: asset.updated_at,
        }
    }
}
