//! The OpenAPI document and two pages that show it, all from the program itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

use crate::error::ApiError;

#[derive(OpenApi)]
#[openapi(
    info(title = "Bartizan", license(name = "Apache-2.0", identifier = "Apache-2.0"), contact(),
        description = "The API of Bartizan, the attack surface scanner. Lists answer \
            `{data, total, page, page_size, total_pages}`; errors answer `{detail, errors, type, title, status, \
            request_id}`, as `application/problem+json` when asked. Times are RFC 3339 in UTC. A path works with and \
            without a trailing slash. Unknown fields and parameters are refused."),
    tags((name = "auth", description = "Setup, sign-in, the current user, sessions, password, second factor"),
        (name = "users", description = "Accounts of the organisation's members"),
        (name = "members", description = "The organisation, its members, roles and invitations"),
        (name = "audit", description = "What was done, by whom"),
        (name = "api_keys", description = "Keys for programs that call the API"),
        (name = "assets", description = "What can be scanned"),
        (name = "scans", description = "Scans and their results"),
        (name = "schedules", description = "Scans that are launched again and again"),
        (name = "findings", description = "What failed, and what people decided about it"),
        (name = "compliance", description = "How findings bear on NIS2 Art. 21(2)"),
        (name = "checks", description = "Checks and profiles"),
        (name = "summary", description = "Totals"),
        (name = "config", description = "Settings"),
        (name = "branding", description = "How the product looks to an organisation"),
        (name = "system", description = "Health and state of the server")),
    security(("bearer" = []), ("api_key" = [])),
    modifiers(&Schemes)
)]
pub(crate) struct ApiDoc;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token from `POST /api/auth/login`, valid for 30 minutes."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let key = ApiKeyValue::with_description("X-API-Key", "A key from `POST /api/api-keys`.");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// Names every property of what is only ever sent as required: an absent value is sent as null, never left out.
/// (`Problem` is the exception: it leaves out what does not apply.)
pub(crate) fn require_what_is_always_sent(openapi: &mut utoipa::openapi::OpenApi) {
    let mut received = BTreeSet::new();
    for operation in openapi.paths.paths.values().flat_map(operations_of) {
        if let Some(body) = &operation.request_body {
            collect_references(&serde_json::to_value(body).unwrap_or_default(), &mut received);
        }
    }
    let Some(components) = &mut openapi.components else { return };
    let mut open: Vec<String> = received.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let mut found = BTreeSet::new();
        if let Some(schema) = components.schemas.get(&name) {
            collect_references(&serde_json::to_value(schema).unwrap_or_default(), &mut found);
        }
        open.extend(found.into_iter().filter(|found| received.insert(found.clone())));
    }
    for (name, schema) in &mut components.schemas {
        if !received.contains(name) && name != "Problem" {
            require_all(schema);
        }
    }
}

/// Every operation of a path.
pub(crate) fn operations_of(item: &PathItem) -> impl Iterator<Item = &Operation> {
    [&item.get, &item.post, &item.put, &item.patch, &item.delete].into_iter().flatten()
}

fn require_all(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.required = object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(require_all),
        _ => {}
    }
}

fn collect_references(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(|target| target.as_str()?.rsplit('/').next()) {
                found.insert(name.to_owned());
            }
            members.values().for_each(|member| collect_references(member, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// What both pages may load: their own files, and nothing from anywhere else.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// ReDoc makes its style elements and its search worker at run time.
const REDOC_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router<S: Clone + Send + Sync + 'static>(document: String) -> Router<S> {
    let document = Bytes::from(document);
    let config = Arc::new(
        Config::from("/api/openapi.json")
            .use_base_layout()
            .deep_linking(true)
            .display_operation_id(true)
            .validator_url("none"),
    );
    let files = Arc::clone(&config);
    Router::new()
        .route(
            "/api/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document).into_response() }),
        )
        .route("/api/docs", get(move || async move { swagger("index.html", config) }))
        .route("/api/docs/{file}", get(move |Path(file): Path<String>| async move { swagger(&file, files) }))
        .route("/api/redoc", get(|| async { page(include_str!("../assets/redoc.html").into(), REDOC_POLICY) }))
        .route(
            "/api/redoc/redoc.standalone.js",
            get(|| async {
                let script = include_bytes!("../assets/redoc.standalone.js").as_slice();
                let headers = [
                    (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
                    (header::CACHE_CONTROL, "public, max-age=86400"),
                ];
                (headers, script).into_response()
            }),
        )
}

fn page(html: String, policy: &'static str) -> Response {
    let mut response = axum::response::Html(html).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn swagger(path: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(file)) if path == "index.html" => {
            // Without the slash at its end, relative links would miss the folder.
            page(
                String::from_utf8_lossy(&file.bytes)
                    .replace("\"./", "\"/api/docs/")
                    .replace("\"index.css\"", "\"/api/docs/index.css\""),
                SWAGGER_POLICY,
            )
        }
        Ok(Some(file)) => {
            let headers = [
                (header::CONTENT_TYPE, file.content_type),
                (header::CACHE_CONTROL, "public, max-age=86400".to_owned()),
            ];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) => ApiError::NoRoute.into_response(),
        Err(error) => ApiError::from(bartizan_domain::Error::internal(error)).into_response(),
    }
}
