//! What happens around every request: its id, its log line, the body of its error, the headers of its answer.

use std::any::Any;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bartizan_domain::Error;
use bartizan_services::{Origin, audit};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::AppState;
use crate::caller::Seen;
use crate::error::ApiError;
use crate::server::Client;

/// Header with the id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Id of the request, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub String);

/// Path of the operation that answered, with its parameters by name: what measurements are kept by.
#[derive(Debug, Clone)]
struct Route(MatchedPath);

/// Innermost: notes which operation answers, for the layers outside the router.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(matched) = matched {
        response.extensions_mut().insert(Route(matched));
    }
    response
}

/// What goes on while maintenance mode is on: switching it off, signing in and out, and what guards an account or ends
/// somebody's access, which must not have to wait.
fn goes_on(method: &Method, path: &str) -> bool {
    const EXACTLY: [&str; 6] = [
        "/api/system/maintenance",
        "/api/auth/login",
        "/api/auth/oidc/callback",
        "/api/auth/refresh",
        "/api/auth/logout",
        "/api/auth/switch",
    ];
    const BELOW: [&str; 3] = ["/api/auth/sessions", "/api/auth/password", "/api/auth/second-factor"];
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // What an administrator does for a user whose account is in other hands.
    let of_somebody = |path: &str| path.starts_with("/api/users/") && path.ends_with("/sessions");
    EXACTLY.contains(&path)
        || BELOW.into_iter().any(below)
        || (*method == Method::DELETE && (path.starts_with("/api/api-keys/") || of_somebody(path)))
}

/// Refuses writes while maintenance mode is on, but for what [`goes_on`].
pub(crate) async fn maintenance(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if writes && !goes_on(request.method(), request.uri().path()) {
        let cx = state.services().anonymous(Origin::default());
        match bartizan_services::maintenance::present(&cx, state.services()).await {
            Ok(present) if present.enabled => {
                let reason = present.reason.unwrap_or_else(|| "Maintenance is under way; try again later".to_owned());
                return ApiError::Maintenance(reason).into_response();
            }
            Ok(_) => {}
            Err(error) => return ApiError::from(error).into_response(),
        }
    }
    next.run(request).await
}

/// Whether people reach the server by `https:`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Https(pub bool);

/// The outermost layer.
pub(crate) async fn finish(State(Https(https)): State<Https>, request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    // Known to whoever sent the request through several services; written by anybody, so that its form is checked.
    let trace = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(trace_id);
    let span = tracing::info_span!("request", request_id = %id, trace_id = trace.map(tracing::field::display));
    let secure = https || request.extensions().get::<Client>().is_some_and(|client| client.secure);
    let mut response = answer(request, next, id).instrument(span).await;
    if secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

/// Header of W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A year of nothing but TLS, for this host; its subdomains are not ours to speak for.
const HSTS: &str = "max-age=31536000";

/// The trace of a `traceparent`: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, not all zeros.
fn trace_id(value: &str) -> Option<&str> {
    let mut parts = value.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let known = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let nothing = |text: &str| text.bytes().all(|byte| byte == b'0');
    // Later versions may say more; what version 00 says more is wrong.
    let complete = version != "00" || parts.next().is_none();
    (known && complete && !nothing(trace) && !nothing(parent)).then_some(trace)
}

async fn answer(mut request: Request, next: Next, id: String) -> Response {
    let started = Instant::now();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let wants_problem = wants_problem(request.headers());

    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<ApiError>().or_else(|| {
        // The router itself answers a wrong method, with an empty body.
        (response.status() == StatusCode::METHOD_NOT_ALLOWED).then_some(ApiError::MethodNotAllowed)
    });
    if let Some(error) = error {
        let status = response.status();
        if let Some(context) = error.internal_context() {
            tracing::error!(%method, path, status = status.as_u16(), context, "request failed");
        }
        let body = serde_json::to_vec(&error.problem(&id)).unwrap_or_default();
        let media = if wants_problem { "application/problem+json" } else { "application/json" };
        *response.body_mut() = body.into();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    let route = response.extensions_mut().remove::<Route>();
    let route = route.as_ref().map_or("none", |route| route.0.as_str()).to_owned();
    metrics::histogram!("bartizan_http_request_duration_seconds", "route" => route, "method" => method_label(&method),
        "status" => response.status().as_str().to_owned())
    .record(started.elapsed());
    tracing::debug!(
        %method, path, status = response.status().as_u16(),
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), "request"
    );
    secure(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Anybody can send any word as a method; measurements are kept by those there are.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Puts on record that a signed-in caller was refused for want of a permission.
pub(crate) async fn record_refusals(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let seen = Seen::default();
    request.extensions_mut().insert(seen.clone());
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let operation = format!("{} {}", request.method(), path.unwrap_or_else(|| request.uri().path().to_owned()));
    let response = next.run(request).await;
    let refused = match response.extensions().get::<ApiError>() {
        Some(ApiError::Domain(error)) => match error.as_ref() {
            Error::Forbidden(why) => Some(why.clone()),
            _ => None,
        },
        _ => None,
    };
    if let (Some(why), Some(cx)) = (refused, seen.0.get())
        && let Ok(user) = cx.user()
        && state.refusal_limit().check(user, cx.now()).is_ok()
        && let Err(error) = audit::denied(cx, state.services(), &operation, &why).await
    {
        tracing::error!(%error, context = error.internal_context(), "recording a refusal");
    }
    response
}

/// A panic in a handler: logged, answered like any internal error.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands over the box")]
pub(crate) fn on_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::from(Error::internal(format!("panic: {text}"))).into_response()
}

fn wants_problem(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/problem+json"))
}

/// Headers every answer has, unless its handler chose otherwise.
fn secure(headers: &mut HeaderMap) {
    let defaults = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::trace_id;

    #[test]
    fn a_trace_is_known_by_its_form() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(trace_id(good), Some("0af7651916cd43dd8448eb211c80319c"));
        assert!(trace_id(&good.replace("00-0", "cc-0").replace("-01", "-01-later")).is_some());
        for bad in [
            "",
            "rubbish",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
