//! How the product looks to an organisation.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission};
use bartizan_services::branding::{self, AssetKind, Texts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::{Anyone, Caller};
use crate::error::{ApiError, ApiResult, ChangeErrors, Problem, PublicErrors};
use crate::extract::{Body, Path, Query, file_part, nullable};
use crate::settings::{etag, if_match};

/// A picture of the largest size and the form around it.
const MAX_FORM: usize = branding::MAX_FILE + 16 * 1024;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_branding, update_branding)).merge(
        OpenApiRouter::new()
            .routes(routes!(download_branding_asset, update_branding_asset, delete_branding_asset))
            .layer(DefaultBodyLimit::max(MAX_FORM)),
    )
}

/// How the product looks to an organisation. What is null is as it comes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"product_name": "Perimeter", "company_name": "Example Ltd", "footer_text": null,
    "accent_color": "#0b62c4", "accent_color_dark": "#6fb1ff",
    "logo_light": "/api/branding/assets/logo_light?organization_id=01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55&v=5f2b9f3a91c0d6e4",
    "logo_dark": null, "favicon": null}))]
pub struct Branding {
    /// Name shown in place of the product's.
    pub product_name: Option<String>,
    /// Name of whoever runs it, on reports.
    pub company_name: Option<String>,
    /// Line at the foot of reports.
    pub footer_text: Option<String>,
    /// Colour of buttons and links in the light theme and on reports, `#rrggbb`.
    pub accent_color: Option<String>,
    /// Colour of buttons and links in the dark theme, `#rrggbb`.
    pub accent_color_dark: Option<String>,
    /// Path of the logo on light ground. It changes with the picture.
    pub logo_light: Option<String>,
    /// Path of the logo on dark ground.
    pub logo_dark: Option<String>,
    /// Path of the icon.
    pub favicon: Option<String>,
}

impl From<branding::Branding> for Branding {
    fn from(found: branding::Branding) -> Self {
        let path = |kind: AssetKind| {
            let organization = found.organization?;
            let (kind, hash) = found.assets.iter().find(|(name, _)| name == kind.as_str())?;
            let version = hash.get(..16).unwrap_or(hash);
            Some(format!("/api/branding/assets/{kind}?organization_id={organization}&v={version}"))
        };
        Self {
            logo_light: path(AssetKind::LogoLight),
            logo_dark: path(AssetKind::LogoDark),
            favicon: path(AssetKind::Favicon),
            product_name: found.texts.value.product_name,
            company_name: found.texts.value.company_name,
            footer_text: found.texts.value.footer_text,
            accent_color: found.texts.value.accent_color,
            accent_color_dark: found.texts.value.accent_color_dark,
        }
    }
}

/// What to change; what is left out stays, null takes back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"product_name": "Perimeter", "accent_color": "#0b62c4", "footer_text": null}))]
pub struct BrandingUpdate {
    /// Name shown in place of the product's.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 60)]
    pub product_name: Option<Option<String>>,
    /// Name of whoever runs it, on reports.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub company_name: Option<Option<String>>,
    /// Line at the foot of reports.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 300)]
    pub footer_text: Option<Option<String>>,
    /// Colour of buttons and links in the light theme and on reports, with a contrast of at least 4.5 on `#FAFAF9`.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    pub accent_color: Option<Option<String>>,
    /// Colour of buttons and links in the dark theme, with a contrast of at least 4.5 on `#1A1D20`.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    pub accent_color_dark: Option<Option<String>>,
}

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrandingAssetType {
    /// Logo on light ground.
    LogoLight,
    /// Logo on dark ground.
    LogoDark,
    /// Icon of the page.
    Favicon,
}

impl From<BrandingAssetType> for AssetKind {
    fn from(kind: BrandingAssetType) -> Self {
        match kind {
            BrandingAssetType::LogoLight => Self::LogoLight,
            BrandingAssetType::LogoDark => Self::LogoDark,
            BrandingAssetType::Favicon => Self::Favicon,
        }
    }
}

/// Whose.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct BrandingOf {
    /// The organisation; the one that setup made when left out, whose looks the sign-in page has.
    pub organization_id: Option<OrganizationId>,
}

/// Whose, and as of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct BrandingAssetOf {
    /// The organisation; the one that setup made when left out.
    pub organization_id: Option<OrganizationId>,
    /// Says nothing to the server: it differs from picture to picture, so that browsers ask anew for a new one.
    #[param(max_length = 64)]
    pub v: Option<String>,
}

/// The picture to be uploaded.
#[derive(ToSchema)]
#[schema(example = json!({"file": "(the bytes of the picture)"}))]
#[expect(dead_code, reason = "only its OpenAPI form is used")]
struct BrandingForm {
    /// A PNG of at most 2 MB and 2048 pixels a side.
    #[schema(value_type = String, format = Binary, content_media_type = "image/png")]
    file: Vec<u8>,
}

/// Reads how the product looks to an organisation.
///
/// Public: the sign-in page shows it.
#[utoipa::path(get, path = "/api/branding", operation_id = "get_branding", tag = "branding", security(()),
    params(BrandingOf),
    responses((status = 200, body = Branding, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 404, body = Problem, description = "No such organisation."), PublicErrors))]
async fn get_branding(
    State(state): State<AppState>,
    Anyone(cx): Anyone,
    Query(of): Query<BrandingOf>,
) -> ApiResult<(HeaderMap, Json<Branding>)> {
    Ok(answer(branding::get(&cx, state.services(), of.organization_id).await?))
}

/// Changes how the product looks to the caller's organisation.
///
/// Needs `branding.manage`. With `If-Match`, only if nobody changed it meanwhile.
#[utoipa::path(patch, path = "/api/branding", operation_id = "update_branding", tag = "branding",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the change is based on.")),
    request_body = BrandingUpdate,
    responses((status = 200, body = Branding, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 412, body = Problem, description = "Somebody changed it meanwhile."), ChangeErrors))]
async fn update_branding(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(update): Body<BrandingUpdate>,
) -> ApiResult<(HeaderMap, Json<Branding>)> {
    let before = branding::own(&caller.cx, state.services()).await?.texts;
    let expected = if_match(&headers, before.version)?;
    let before = before.value;
    let texts = Texts {
        product_name: update.product_name.unwrap_or(before.product_name),
        company_name: update.company_name.unwrap_or(before.company_name),
        footer_text: update.footer_text.unwrap_or(before.footer_text),
        accent_color: update.accent_color.unwrap_or(before.accent_color),
        accent_color_dark: update.accent_color_dark.unwrap_or(before.accent_color_dark),
    };
    match branding::update(&caller.cx, state.services(), texts, expected).await {
        Ok(changed) => Ok(answer(changed)),
        Err(Error::Conflict(_)) => Err(ApiError::PreconditionFailed),
        Err(error) => Err(error.into()),
    }
}

/// Uploads a picture.
///
/// Needs `branding.manage`. It is decoded and written anew, so that nothing but its pixels is kept, and takes the place
/// of the one before.
#[utoipa::path(post, path = "/api/branding/assets/{asset_type}", operation_id = "update_branding_asset",
    tag = "branding", params(("asset_type" = inline(BrandingAssetType), Path, description = "Which picture.")),
    request_body(content = inline(BrandingForm), content_type = "multipart/form-data"),
    responses((status = 204, description = "Stored."),
        (status = 400, body = Problem, description = "The form cannot be read."), ChangeErrors))]
async fn update_branding_asset(
    State(state): State<AppState>,
    caller: Caller,
    Path(kind): Path<BrandingAssetType>,
    form: Result<Multipart, MultipartRejection>,
) -> ApiResult<StatusCode> {
    caller.cx.require(Permission::BrandingManage)?;
    let form = form.map_err(|_| ApiError::UnsupportedMediaType("multipart/form-data"))?;
    let file = file_part(form, branding::MAX_FILE).await?;
    branding::put_asset(&caller.cx, state.services(), kind.into(), file.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a picture.
///
/// Needs `branding.manage`.
#[utoipa::path(delete, path = "/api/branding/assets/{asset_type}", operation_id = "delete_branding_asset",
    tag = "branding", params(("asset_type" = inline(BrandingAssetType), Path, description = "Which picture.")),
    responses((status = 204, description = "Removed."), ChangeErrors))]
async fn delete_branding_asset(
    State(state): State<AppState>,
    caller: Caller,
    Path(kind): Path<BrandingAssetType>,
) -> ApiResult<StatusCode> {
    branding::remove_asset(&caller.cx, state.services(), kind.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a picture.
///
/// Public, and kept by browsers for an hour.
#[utoipa::path(get, path = "/api/branding/assets/{asset_type}", operation_id = "download_branding_asset",
    tag = "branding", security(()),
    params(("asset_type" = inline(BrandingAssetType), Path, description = "Which picture."), BrandingAssetOf,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the picture one has.")),
    responses((status = 200, body = Vec<u8>, content_type = "image/png", description = "The picture.",
            headers(("ETag" = String, description = "Differs from picture to picture."),
                ("Cache-Control" = String, description = "`public, max-age=3600`"))),
        (status = 304, description = "The picture is the one that `If-None-Match` names."),
        (status = 404, body = Problem, description = "None was uploaded."), PublicErrors))]
async fn download_branding_asset(
    State(state): State<AppState>,
    Anyone(cx): Anyone,
    headers: HeaderMap,
    Path(kind): Path<BrandingAssetType>,
    Query(of): Query<BrandingAssetOf>,
) -> ApiResult<Response> {
    let (bytes, hash) = branding::asset(&cx, state.services(), of.organization_id, kind.into()).await?;
    let tag = format!("\"{hash}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag);
    let kept = [(header::CACHE_CONTROL, "public, max-age=3600".to_owned()), (header::ETAG, tag)];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(header::CONTENT_TYPE, "image/png")], bytes).into_response())
}

fn answer(found: branding::Branding) -> (HeaderMap, Json<Branding>) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&etag(found.texts.version)) {
        headers.insert(header::ETAG, value);
    }
    (headers, Json(found.into()))
}
