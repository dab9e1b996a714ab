//! Who calls: the extractors that turn credentials into a context.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use bartizan_domain::Error;
use bartizan_services::auth::Profile;
use bartizan_services::idempotency::Claim;
use bartizan_services::{OpContext, Origin};

use crate::AppState;
use crate::error::ApiError;
use crate::middleware::RequestId;
use crate::server::Client;

/// Header with an API key.
const API_KEY: &str = "x-api-key";

/// A signed-in caller. Writes count against the caller's limit.
pub(crate) struct Caller {
    /// Who asks, with which permissions.
    pub cx: OpContext,
    /// The user behind it.
    pub profile: Profile,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = authenticate(parts, state).await?;
        if let Some(seen) = parts.extensions.get::<Seen>() {
            // Set once: a request has one caller.
            let _ = seen.0.set(caller.cx.clone());
        }
        // After that: what is put on record about a request is no part of its work.
        let caller = match parts.extensions.get::<Claim>() {
            Some(claim) => Self { cx: caller.cx.under(claim.clone()), ..caller },
            None => caller,
        };
        let (user, now) = (caller.profile.user_id, caller.cx.now());
        if parts.extensions.get::<Claim>().is_some() {
            // Counted when the key was claimed.
        } else if !matches!(parts.method, Method::GET | Method::HEAD) {
            state.limits().write(user, now).await?;
        } else if is_export(parts) {
            state.limits().export(user, now).await?;
        }
        Ok(caller)
    }
}

/// Whether a request asks for a whole result as a file.
fn is_export(parts: &Parts) -> bool {
    let path = parts.extensions.get::<MatchedPath>().map_or_else(|| parts.uri.path(), MatchedPath::as_str);
    path.starts_with("/api/export/") || path.ends_with("/download") || path.ends_with("/export")
}

/// Who made the request, for what happens after the handler.
#[derive(Clone, Default)]
pub(crate) struct Seen(pub Arc<OnceLock<OpContext>>);

/// Looks the caller up without counting the request: by its access token, or else by its API key. A token that is not
/// accepted is not made up for by a key.
pub(crate) async fn authenticate(parts: &Parts, state: &AppState) -> Result<Caller, ApiError> {
    let key = parts.headers.get(API_KEY);
    if let (None, Some(key)) = (parts.headers.get(header::AUTHORIZATION), key) {
        let key = key.to_str().map_err(|_| Error::Unauthenticated("Invalid API key".to_owned()))?;
        let (cx, profile) = bartizan_services::api_keys::authenticate(state.services(), origin(parts), key).await?;
        return Ok(Caller { cx, profile });
    }
    let token = bearer(&parts.headers)?;
    let now = state.services().anonymous(Origin::default()).now();
    let identity = state.tokens().verify(token, now).map_err(|error| Error::Unauthenticated(error.to_string()))?;
    let (cx, profile) = bartizan_services::auth::authenticate(state.services(), origin(parts), &identity).await?;
    Ok(Caller { cx, profile })
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let refuse = |text: &str| Error::Unauthenticated(text.to_owned());
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(refuse("authentication required"));
    };
    let text = value.to_str().map_err(|_| refuse("invalid Authorization header"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(refuse("the Authorization header must be `Bearer` and an access token")),
    }
}

/// Somebody who need not be signed in; counted by address as a sign-in attempt.
pub(crate) struct SignInAttempt(pub OpContext);

impl FromRequestParts<AppState> for SignInAttempt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let cx = state.services().anonymous(origin(parts));
        // Without an address the request did not come over a network.
        let address = peer(parts).unwrap_or(IpAddr::from([0, 0, 0, 0]));
        state.limits().sign_in(address, cx.now()).await?;
        Ok(Self(cx))
    }
}

/// Somebody with a refresh token; counted by address.
pub(crate) struct RefreshAttempt(pub OpContext);

impl FromRequestParts<AppState> for RefreshAttempt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let cx = state.services().anonymous(origin(parts));
        let address = peer(parts).unwrap_or(IpAddr::from([0, 0, 0, 0]));
        state.limits().refresh(address, cx.now()).await?;
        Ok(Self(cx))
    }
}

/// Anybody, uncounted.
pub(crate) struct Anyone(pub OpContext);

impl FromRequestParts<AppState> for Anyone {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self(state.services().anonymous(origin(parts))))
    }
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<Client>().map(|client| client.address)
}

fn origin(parts: &Parts) -> Origin {
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        ip: peer(parts).map(|address| address.to_canonical().to_string()),
        user_agent: agent.map(str::to_owned),
    }
}

/// Whether a request names this machine as its host: `localhost` or an address. A page of another site that has its
/// own name resolve to a loopback address (DNS rebinding) cannot do that.
pub(crate) fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|value| value.to_str().ok()) else { return false };
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        let host = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, text.parse().unwrap());
            names_this_machine(&headers)
        };
        for own in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "app.localhost"] {
            assert!(host(own), "{own}");
        }
        for foreign in ["evil.example", "localhost.evil.example:8000", "127.0.0.1.evil.example", ""] {
            assert!(!host(foreign), "{foreign}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
