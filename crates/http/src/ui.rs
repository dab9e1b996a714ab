//! The web interface, embedded: `/ui` and everything below it.
//!
//! `index.html` is sent with a fresh nonce over the placeholder `__CSP_NONCE__`, which is what allows the style
//! elements the component library makes; scripts come from files only. Hashed files are cached for ever, the rest
//! is asked for each time. A program built without the interface says so on its pages.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_embed::{EmbeddedFile, RustEmbed};
use uuid::Uuid;

use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Dist;

const NONCE_PLACEHOLDER: &str = "__CSP_NONCE__";

/// Folder whose file names carry a hash of their content.
const HASHED: &str = "assets/";

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/ui/") }))
        .route("/ui", get(|headers| async move { serve("", &headers) }))
        .route("/ui/{*path}", get(|Path(path): Path<String>, headers| async move { serve(&path, &headers) }))
}

// axum needs the handler's arguments typed; this is the shape of both routes.
fn serve(path: &str, headers: &HeaderMap) -> Response {
    respond(path, headers, Dist::get)
}

fn respond(path: &str, headers: &HeaderMap, file: impl Fn(&str) -> Option<EmbeddedFile>) -> Response {
    let Some(index) = file("index.html") else {
        let page = Html(include_str!("../assets/ui-missing.html"));
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let hidden = path.split('/').any(|segment| segment.starts_with('.'));
    if !path.is_empty()
        && path != "index.html"
        && !hidden
        && let Some(found) = file(path)
    {
        return send_file(path, found, headers);
    }
    // A missing file is missing; any other path is a page of the application, which routes itself.
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    if path.starts_with(HASHED) || hidden || (is_file && path != "index.html") {
        return ApiError::NoRoute.into_response();
    }
    send_index(&index)
}

fn send_index(index: &EmbeddedFile) -> Response {
    // 122 random bits: more than a page lives to be guessed.
    let nonce = STANDARD.encode(Uuid::new_v4().as_bytes());
    let page = String::from_utf8_lossy(&index.data).replace(NONCE_PLACEHOLDER, &nonce);
    let policy = format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    let mut response = Html(page).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn send_file(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        ([(header::CONTENT_TYPE, kind.to_string())], file.data.into_owned()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use http_body_util::BodyExt as _;

    use super::*;

    fn dist(path: &str) -> Option<EmbeddedFile> {
        let text: &[u8] = match path {
            "index.html" => b"<meta property=\"csp-nonce\" nonce=\"__CSP_NONCE__\"><script nonce=\"__CSP_NONCE__\">",
            "assets/main-1234.js" => b"1",
            "theme-init.js" => b"2",
            ".vite/manifest.json" => b"{}",
            _ => return None,
        };
        Some(EmbeddedFile {
            data: Cow::Borrowed(text),
            metadata: rust_embed::Metadata::__rust_embed_new([7; 32], None, None, "x"),
        })
    }

    async fn text(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn pages_get_the_index_with_a_nonce_of_their_own() {
        let headers = HeaderMap::new();
        let mut nonces = Vec::new();
        for path in ["", "findings", "scans/17", "index.html"] {
            let response = respond(path, &headers, dist);
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers()["cache-control"], "no-cache");
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
            let page = text(response).await;
            assert!(!page.contains(NONCE_PLACEHOLDER) && page.matches(&nonce).count() == 2, "{page}");
            assert!(!policy.contains("unsafe"));
            nonces.push(nonce);
        }
        nonces.dedup();
        assert_eq!(nonces.len(), 4);
    }

    #[test]
    fn files_are_files_and_missing_ones_are_missing() {
        let headers = HeaderMap::new();
        let hashed = respond("assets/main-1234.js", &headers, dist);
        assert_eq!(hashed.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(hashed.headers()["content-type"], "text/javascript");
        let plain = respond("theme-init.js", &headers, dist);
        assert_eq!(plain.headers()["cache-control"], "no-cache");
        for missing in ["assets/gone.js", "gone.css", ".vite/manifest.json", "../Cargo.toml"] {
            assert_eq!(respond(missing, &headers, dist).status(), 404, "{missing}");
        }
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, plain.headers()["etag"].clone());
        assert_eq!(respond("theme-init.js", &again, dist).status(), 304);
    }

    #[tokio::test]
    async fn without_the_interface_the_page_says_how_to_build_it() {
        let response = respond("findings", &HeaderMap::new(), |_| None);
        assert_eq!(response.status(), 404);
        assert!(text(response).await.contains("npm run build"));
    }
}
