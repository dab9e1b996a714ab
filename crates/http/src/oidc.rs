//! Sign-in with an OpenID provider.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use bartizan_services::oidc;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::auth::{LoginResponse, login_response};
use crate::caller::SignInAttempt;
use crate::error::{ApiResult, Problem, PublicErrors};
use crate::extract::{Body, Query};

/// Holds what only the browser that began a sign-in knows. Sent to the two operations below and nowhere else.
const COOKIE: &str = "bartizan_sign_in";

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(authorize_oidc)).routes(routes!(exchange_oidc_code))
}

/// Where to go afterwards.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OidcStartQuery {
    /// A path of this server, to be answered when the sign-in is finished.
    #[param(max_length = 512)]
    pub return_to: Option<String>,
}

/// Where to send the browser.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"authorization_url": "https://id.example.com/authorize?response_type=code&…",
    "state": "9f2c…", "nonce": "51ab…"}))]
pub struct OidcStart {
    /// Address of the provider. It sends the browser back to `/ui/login/oidc` with `code` and `state`.
    pub authorization_url: String,
    /// Comes back with the browser. Good once, for ten minutes.
    pub state: String,
    /// Proves that the same browser finishes, where the cookie set by this answer is not kept.
    pub nonce: String,
}

/// What the browser came back with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "SplxlOBeZQQYbYS6WxSbIA", "state": "9f2c…"}))]
pub struct OidcCallback {
    /// The provider's code.
    #[schema(value_type = String, max_length = 8192)]
    pub code: SecretString,
    /// The provider's state.
    #[schema(max_length = 8192)]
    pub state: String,
    /// The state this page remembers. Left out: what the server kept is enough.
    pub expected_state: Option<String>,
    /// The nonce this page remembers. Left out: the cookie of the browser that began is needed.
    pub nonce: Option<String>,
}

/// Tokens, who they are for, and where to go.
#[derive(Debug, Serialize, ToSchema)]
pub struct OidcLogin {
    /// As by `POST /api/auth/login`.
    #[serde(flatten)]
    pub login: LoginResponse,
    /// The `return_to` the sign-in began with.
    pub return_to: Option<String>,
}

/// Begins a sign-in with the OpenID provider.
///
/// Public. Send the browser to `authorization_url`. State, nonce and the PKCE verifier are kept on the server.
#[utoipa::path(get, path = "/api/auth/oidc/authorize", operation_id = "authorize_oidc", tag = "auth", security(()),
    params(OidcStartQuery),
    responses((status = 200, body = OidcStart),
        (status = 409, body = Problem, description = "Sign-in by OpenID Connect is not switched on."),
        (status = 502, body = Problem, description = "The provider cannot be used; the log says why."),
        PublicErrors))]
async fn authorize_oidc(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Query(query): Query<OidcStartQuery>,
) -> ApiResult<(HeaderMap, Json<OidcStart>)> {
    let start = oidc::begin(&cx, state.services(), query.return_to).await?;
    let cookie = cookie(start.browser.expose_secret(), oidc::LIFETIME.num_seconds(), start.over_tls);
    let body = OidcStart { authorization_url: start.authorization_url, state: start.state, nonce: start.nonce };
    Ok((cookie, Json(body)))
}

/// Finishes a sign-in with the OpenID provider.
///
/// Public. The browser must be the one that began: it sends the cookie set then, or the `nonce` it was given. The first
/// sign-in makes the account.
#[utoipa::path(post, path = "/api/auth/oidc/callback", operation_id = "exchange_oidc_code", tag = "auth", security(()),
    request_body = OidcCallback,
    responses((status = 200, body = OidcLogin),
        (status = 401, body = Problem,
            description = "The state is unknown, used, expired or of another browser, or code or token do not hold."),
        (status = 403, body = Problem, description = "The account is switched off here, or no group of it may sign in."),
        (status = 409, body = Problem,
            description = "Not switched on, or another account has the e-mail address."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        (status = 502, body = Problem, description = "The provider cannot be used; the log says why."),
        PublicErrors))]
async fn exchange_oidc_code(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    headers: HeaderMap,
    Body(body): Body<OidcCallback>,
) -> ApiResult<(HeaderMap, Json<OidcLogin>)> {
    let back = oidc::Return {
        code: body.code,
        state: body.state,
        expected_state: body.expected_state,
        nonce: body.nonce,
        browser: cookie_of(&headers),
    };
    let (signed_in, return_to) = oidc::finish(&cx, state.services(), back).await?;
    let login = login_response(&state, &cx, signed_in).await?;
    Ok((cookie("", 0, false), Json(OidcLogin { login, return_to })))
}

fn cookie(value: &str, seconds: i64, over_tls: bool) -> HeaderMap {
    let secure = if over_tls { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/api/auth/oidc; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(header::SET_COOKIE, value);
    }
    headers
}

fn cookie_of(headers: &HeaderMap) -> Option<SecretString> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; x"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=d;bartizan_sign_in=1234; e=f"));
        assert_eq!(cookie_of(&headers).unwrap().expose_secret(), "1234");
        assert!(cookie_of(&HeaderMap::new()).is_none());
        let set = cookie("1", 600, true);
        assert!(set[header::SET_COOKIE].to_str().unwrap().ends_with("; HttpOnly; SameSite=Strict; Secure"));
    }
}
