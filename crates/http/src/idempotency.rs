//! `Idempotency-Key`: a POST that launches or creates happens once, however often it is sent.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bartizan_domain::Error;
use bartizan_services::idempotency::{Attempt, StoredResponse, Ticket, begin};
use http_body_util::BodyExt as _;
use utoipa::IntoParams;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};

use crate::AppState;
use crate::caller::{self, Seen};
use crate::error::ApiError;
use crate::extract::MAX_BODY;

/// The request header.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks an answer that was stored.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The paths whose POST reads the header: those whose documentation says so.
pub(crate) fn paths(document: &OpenApi) -> Arc<HashSet<String>> {
    let reads = |operation: &Operation| {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        parameters
            .iter()
            .any(|parameter| matches!(parameter, RefOr::T(own) if own.name.eq_ignore_ascii_case(KEY.as_str())))
    };
    let posts = document.paths.paths.iter().filter(|(_, item)| item.post.as_ref().is_some_and(reads));
    Arc::new(posts.map(|(path, _)| path.clone()).collect())
}

/// Headers that are part of an answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// The header, as documented on each operation that reads it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its OpenAPI form is used")]
pub(crate) struct IdempotencyHeader {
    /// A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
    /// gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
    /// request still runs, 409. A request that was broken off without effect may be sent again after five minutes; one
    /// whose effect lasts but whose answer was lost stays 409, and `detail` says what was done.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255)]
    key: String,
}

/// Answers a repeated request from memory, and remembers the answer to a first one.
///
/// An answer is remembered if the request was understood and decided on; what was refused before anything happened
/// (no permission, too many requests) or failed on our side may be tried again under the same key.
pub(crate) async fn replay(
    State((state, paths)): State<(AppState, Arc<HashSet<String>>)>,
    request: Request,
    next: Next,
) -> Response {
    let applies = request.method() == Method::POST
        && request.extensions().get::<MatchedPath>().is_some_and(|path| paths.contains(path.as_str()));
    if !applies || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match first_or_replay(&state, request).await {
        Ok(Outcome::Replay(response)) => response,
        Ok(Outcome::First(ticket, request)) => remember(&state, ticket, next.run(*request).await).await,
        Err(error) => error.into_response(),
    }
}

enum Outcome {
    First(Ticket, Box<Request>),
    Replay(Response),
}

async fn first_or_replay(state: &AppState, request: Request) -> Result<Outcome, ApiError> {
    let (mut parts, body) = request.into_parts();
    let caller = caller::authenticate(&parts, state).await?;
    if let Some(seen) = parts.extensions.get::<Seen>() {
        // Set once: a request has one caller.
        let _ = seen.0.set(caller.cx.clone());
    }
    // Here and not with the work, since a repetition costs as well.
    state.limits().write(caller.profile.user_id, caller.cx.now()).await?;
    let limit = crate::assets::body_limit(parts.uri.path()).unwrap_or(MAX_BODY);
    let body =
        to_bytes(body, limit).await.map_err(|_| Error::TooLarge(format!("the body is larger than {limit} bytes")))?;
    let key = parts.headers.get(KEY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = format!("{} {}", parts.method, parts.uri);
    match begin(&caller.cx, state.services(), &path, key, &without_boundary(&parts, &body)).await? {
        Attempt::First(ticket) => {
            parts.extensions.insert(ticket.claim());
            Ok(Outcome::First(ticket, Box::new(Request::from_parts(parts, Body::from(body)))))
        }
        Attempt::Replay(stored) => Ok(Outcome::Replay(restore(stored))),
    }
}

/// What is the same whenever the same form is sent: clients make up a new boundary between its parts each time.
fn without_boundary<'a>(parts: &Parts, body: &'a [u8]) -> Cow<'a, [u8]> {
    let boundary = parts.headers.get(header::CONTENT_TYPE).and_then(|value| {
        let kind = value.to_str().ok()?.parse::<mime::Mime>().ok()?;
        let boundary = kind.get_param(mime::BOUNDARY)?.as_str().to_owned();
        (kind.type_() == mime::MULTIPART && !boundary.is_empty()).then_some(boundary)
    });
    let Some(boundary) = boundary else { return Cow::Borrowed(body) };
    let delimiter = format!("--{boundary}");
    let mut same = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(body, delimiter.as_bytes()) {
        same.extend_from_slice(&body[from..at]);
        same.extend_from_slice(b"--");
        from = at + delimiter.len();
    }
    same.extend_from_slice(&body[from..]);
    Cow::Owned(same)
}

async fn remember(state: &AppState, ticket: Ticket, response: Response) -> Response {
    if !response.status().is_success() {
        return match ticket.release(state.services()).await {
            Ok(()) => response,
            Err(error) => ApiError::from(error).into_response(),
        };
    }
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => return ApiError::from(Error::internal(error)).into_response(),
    };
    let headers: serde_json::Map<String, serde_json::Value> = KEPT
        .iter()
        .filter_map(|name| Some((name.as_str().to_owned(), parts.headers.get(name)?.to_str().ok()?.into())))
        .collect();
    let stored = StoredResponse { status: parts.status.as_u16().into(), headers: headers.into(), body: body.to_vec() };
    if let Err(error) = ticket.complete(state.services(), &stored).await {
        return ApiError::from(error).into_response();
    }
    Response::from_parts(parts, Body::from(body))
}

fn restore(stored: StoredResponse) -> Response {
    let status = u16::try_from(stored.status).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut response = (status.unwrap_or(StatusCode::OK), stored.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for name in KEPT {
        if let Some(value) = stored.headers.get(name.as_str()).and_then(|value| value.as_str())
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
