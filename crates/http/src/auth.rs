//! Setup, sign-in, the current user.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_auth::Identity;
use bartizan_auth::access::ACCESS_LIFETIME;
use bartizan_domain::RoleName;
use bartizan_domain::id::{OrganizationId, SessionId, UserId};
use bartizan_services::settings::ScanSettings;
use bartizan_services::{OpContext, auth, auth_config, demo, installation, mail};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::{Anyone, Caller, RefreshAttempt, SignInAttempt, names_this_machine};
use crate::error::{ApiError, ApiResult, ChangeErrors, CreateErrors, Problem, PublicErrors, ReadErrors};
use crate::extract::Body;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_auth_providers))
        .routes(routes!(setup_server))
        .routes(routes!(login_user))
        .routes(routes!(refresh_session))
        .routes(routes!(logout_user))
        .routes(routes!(get_current_user, update_current_user))
        .routes(routes!(switch_organization))
}

/// Which ways to sign in exist, and whether the server still waits for its first user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"internal_enabled": true, "ldap_enabled": false, "ldap_label": null, "oidc_enabled": true,
    "oidc_provider_name": "Example login", "oidc_label": "Example login", "password_reset": true, "setup_required": false, "setup_token_required": false, "allow_private_default": true}))]
pub struct AuthProviders {
    /// User name and password.
    pub internal_enabled: bool,
    /// LDAP.
    pub ldap_enabled: bool,
    /// OpenID Connect.
    pub oidc_enabled: bool,
    /// Name of the OpenID provider, while it is on.
    pub oidc_provider_name: Option<String>,
    /// What the button for the OpenID provider says, while it is on.
    pub oidc_label: Option<String>,
    /// What the directory is called, while it is on.
    pub ldap_label: Option<String>,
    /// No user exists yet: `POST /api/auth/setup` creates the first.
    pub setup_required: bool,
    /// Setup needs the one-time token printed at the start of the server.
    pub setup_token_required: bool,
    /// What setup proposes for scanning private addresses: on when the server is bound to loopback.
    pub allow_private_default: bool,
    /// Whether a forgotten password is replaced with a link sent by mail: whether mail is set.
    pub password_reset: bool,
}

/// The first administrator and the first settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "admin", "email": "admin@example.com", "password": "correct horse battery",
    "organization_name": "Example Ltd", "allow_private": true, "demo": false}))]
pub struct SetupRequest {
    /// Name to sign in with.
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// E-mail address.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// Password: at least 8 characters, not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 1024)]
    pub password: SecretString,
    /// Name of the organisation. Left out: `My organisation`.
    #[schema(max_length = 100)]
    pub organization_name: Option<String>,
    /// Whether private, loopback and link-local addresses may be scanned. Left out: on when bound to loopback.
    pub allow_private: Option<bool>,
    /// Whether to load demo data.
    #[serde(default)]
    #[schema(required = false, default = false)]
    pub demo: bool,
    /// The one-time token, where the server asks for it; the header `X-Setup-Token` does as well.
    #[schema(value_type = Option<String>)]
    pub setup_token: Option<SecretString>,
}

/// User name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"username": "admin", "password": "correct horse battery"}))]
pub struct LoginRequest {
    /// User name or e-mail address.
    #[schema(max_length = 254)]
    pub username: String,
    /// Password.
    #[schema(value_type = String, format = "password", max_length = 1024)]
    pub password: SecretString,
    /// A code of the second factor, or a recovery code, for who has one. Without it the answer is a 401 of the type
    /// `urn:bartizan:problem:second_factor_required`.
    #[schema(value_type = Option<String>, max_length = 40)]
    pub code: Option<SecretString>,
    /// Whose password it is. Left out: an account that is known decides, and other names are looked up in the directory
    /// if there is one.
    pub method: Option<PasswordOf>,
}

/// Whose passwords are asked for.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordOf {
    /// This program.
    Internal,
    /// The directory.
    Ldap,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "b1n7…"}))]
pub struct RefreshRequest {
    /// The newest refresh token of the session. Each is good for one use.
    #[schema(value_type = String)]
    pub refresh_token: SecretString,
}

/// What requests are made with for a while.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ…", "token_type": "bearer", "expires_in": 1800}))]
pub struct AccessToken {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token ends.
    pub expires_in: u64,
}

/// Tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"access_token": "eyJ…", "refresh_token": "b1n7…", "token_type": "bearer", "expires_in": 1800}))]
pub struct TokenPair {
    /// For requests.
    #[serde(flatten)]
    pub access: AccessToken,
    /// For `POST /api/auth/refresh`, once.
    pub refresh_token: String,
}

/// Tokens and who they are for.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginResponse {
    /// The tokens.
    #[serde(flatten)]
    pub tokens: TokenPair,
    /// The user who signed in.
    pub user: CurrentUser,
}

/// The user behind a token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "550e8400-e29b-41d4-a716-446655440000", "username": "admin",
    "email": "admin@example.com", "role": "admin",
    "organization": {"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "name": "Example Ltd", "first": true},
    "permissions": ["assets.view", "scans.run"], "auth_provider": "internal", "theme_preference": "system"}))]
pub struct CurrentUser {
    /// The user.
    pub id: UserId,
    /// Name to sign in with.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Role in the current organisation.
    pub role: RoleName,
    /// The current organisation.
    pub organization: OrganizationRef,
    /// What the role may do.
    pub permissions: Vec<String>,
    /// How the user signs in: `internal`, `ldap` or `oidc`.
    pub auth_provider: String,
    /// `system`, `light` or `dark`.
    pub theme_preference: String,
}

/// What to change of oneself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"theme_preference": "dark"}))]
pub struct CurrentUserUpdate {
    /// `system`, `light` or `dark`.
    pub theme_preference: String,
}

/// Where to work from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organization_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"}))]
pub struct SwitchRequest {
    /// One of the caller's organisations.
    pub organization_id: OrganizationId,
}

/// An access token for another organisation. The session and its refresh token stay.
#[derive(Debug, Serialize, ToSchema)]
pub struct SwitchResponse {
    /// For requests there.
    #[serde(flatten)]
    pub access: AccessToken,
    /// The caller there.
    pub user: CurrentUser,
}

/// The organisation somebody works in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationRef {
    /// The organisation.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Whether it is the first organisation of the server, which sets what belongs to the whole installation.
    pub first: bool,
}

/// Says which ways to sign in exist.
///
/// Public. The sign-in page asks this first; `setup_required` sends it to the setup page.
#[utoipa::path(get, path = "/api/auth/providers", operation_id = "get_auth_providers", tag = "auth", security(()),
    responses((status = 200, body = AuthProviders), PublicErrors))]
async fn get_auth_providers(State(state): State<AppState>, Anyone(cx): Anyone) -> ApiResult<Json<AuthProviders>> {
    let setup = auth::setup_state(&cx, state.services()).await?;
    let offered = auth_config::offered(&cx, state.services()).await?;
    Ok(Json(AuthProviders {
        internal_enabled: offered.internal,
        ldap_enabled: offered.ldap.is_some(),
        oidc_enabled: offered.oidc.is_some(),
        oidc_provider_name: offered.oidc.clone(),
        oidc_label: offered.oidc,
        ldap_label: offered.ldap,
        setup_required: setup.needed,
        setup_token_required: setup.token_required,
        allow_private_default: state.config().loopback_only,
        password_reset: offered.internal && mail::is_on(state.services()).await?,
    }))
}

/// Creates the first user, who is an administrator, and signs them in.
///
/// Works while no user exists. When the server listens on anything but loopback, the one-time token it printed at
/// its start is needed, in `setup_token` or the header `X-Setup-Token`.
#[utoipa::path(post, path = "/api/auth/setup", operation_id = "setup_server", tag = "auth", security(()),
    params(("X-Setup-Token" = Option<String>, Header, description = "The one-time token printed at the start.")),
    request_body = SetupRequest,
    responses((status = 201, body = LoginResponse),
        (status = 403, body = Problem, description = "The one-time token is missing or wrong."),
        (status = 409, body = Problem, description = "A user exists already."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        (status = 421, body = Problem, description = "On loopback, the request names a host that is not this machine."),
        PublicErrors))]
async fn setup_server(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    headers: HeaderMap,
    Body(body): Body<SetupRequest>,
) -> ApiResult<(StatusCode, Json<LoginResponse>)> {
    if state.config().loopback_only && !names_this_machine(&headers) {
        return Err(ApiError::Misdirected);
    }
    let header = headers.get("x-setup-token").and_then(|value| value.to_str().ok()).map(SecretString::from);
    let input = auth::Setup {
        token: body.setup_token.or(header),
        username: body.username,
        email: body.email,
        password: body.password,
        organization_name: body.organization_name,
        scan: ScanSettings { allow_private: body.allow_private.unwrap_or(state.config().loopback_only) },
    };
    let signed_in = auth::setup(&cx, state.services(), input).await?;
    if body.demo {
        let profile = &signed_in.profile;
        let cx = auth::authenticate(state.services(), cx.origin().clone(), &identity_of(profile, signed_in.session))
            .await?
            .0;
        if let Err(error) = demo::load(&cx, state.services()).await {
            // The account exists and must not be lost with the answer; demo data can be loaded later.
            tracing::error!(%error, context = error.internal_context().unwrap_or_default(), "demo data not loaded");
        }
    }
    Ok((StatusCode::CREATED, Json(login_response(&state, &cx, signed_in).await?)))
}

/// Signs in with user name and password.
///
/// Ten attempts a minute and address; an account that failed several times in a row waits as well. The answer does not
/// tell an unknown user from a wrong password.
#[utoipa::path(post, path = "/api/auth/login", operation_id = "login_user", tag = "auth", security(()),
    request_body = LoginRequest,
    responses((status = 200, body = LoginResponse),
        (status = 401, body = Problem, description = "Wrong user name, password or code, or the code is missing."),
        (status = 403, body = Problem, description = "Of the directory: the account is switched off here, or no group of it may sign in."),
        (status = 409, body = Problem, description = "Of the directory: another account has the e-mail address."),
        (status = 503, body = Problem, description = "The directory cannot be asked; the log says why."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        PublicErrors))]
async fn login_user(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Body(body): Body<LoginRequest>,
) -> ApiResult<Json<LoginResponse>> {
    let whose = body.method.map(|method| match method {
        PasswordOf::Internal => auth::PasswordOf::Internal,
        PasswordOf::Ldap => auth::PasswordOf::Directory,
    });
    let given = (body.username.as_str(), body.password);
    let signed_in = auth::sign_in(&cx, state.services(), given, body.code.as_ref(), whose).await?;
    Ok(Json(login_response(&state, &cx, signed_in).await?))
}

/// Exchanges a refresh token for new tokens.
///
/// The refresh token is replaced; using an old one again ends the session. One whose answer was lost may be presented
/// again for 30 seconds, until its successor is used; the successor that was lost is withdrawn. At most 120 exchanges
/// a minute and address.
#[utoipa::path(post, path = "/api/auth/refresh", operation_id = "refresh_session", tag = "auth", security(()),
    request_body = RefreshRequest,
    responses((status = 200, body = TokenPair),
        (status = 401, body = Problem, description = "The refresh token is unknown, expired, withdrawn or was used before."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        PublicErrors))]
async fn refresh_session(
    State(state): State<AppState>,
    RefreshAttempt(cx): RefreshAttempt,
    Body(body): Body<RefreshRequest>,
) -> ApiResult<Json<TokenPair>> {
    let signed_in = auth::refresh(&cx, state.services(), &body.refresh_token).await?;
    Ok(Json(tokens(&state, &cx, &signed_in)))
}

/// Ends the current session.
///
/// Its access and refresh tokens stop working at once.
#[utoipa::path(post, path = "/api/auth/logout", operation_id = "logout_user", tag = "auth",
    responses((status = 204, description = "The session is over."), CreateErrors))]
async fn logout_user(State(state): State<AppState>, caller: Caller) -> ApiResult<StatusCode> {
    auth::logout(&caller.cx, state.services()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Describes the signed-in user.
///
/// Permissions are those of the role in the current organisation, at this moment.
#[utoipa::path(get, path = "/api/auth/me", operation_id = "get_current_user", tag = "auth",
    responses((status = 200, body = CurrentUser), ReadErrors))]
async fn get_current_user(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<CurrentUser>> {
    Ok(Json(CurrentUser::of(&state, caller.profile).await?))
}

/// Changes how the web interface looks to the signed-in user.
///
/// Everybody may, for themselves.
#[utoipa::path(patch, path = "/api/auth/me", operation_id = "update_current_user", tag = "auth",
    request_body = CurrentUserUpdate, responses((status = 200, body = CurrentUser), ChangeErrors))]
async fn update_current_user(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<CurrentUserUpdate>,
) -> ApiResult<Json<CurrentUser>> {
    auth::set_theme(&caller.cx, state.services(), &body.theme_preference).await?;
    let profile = auth::Profile { theme_preference: body.theme_preference, ..caller.profile };
    Ok(Json(CurrentUser::of(&state, profile).await?))
}

/// Switches to another organisation of the caller's.
///
/// The session stays, its next tokens are for that organisation. Not for API keys.
#[utoipa::path(post, path = "/api/auth/switch", operation_id = "switch_organization", tag = "auth",
    request_body = SwitchRequest, responses((status = 200, body = SwitchResponse), ChangeErrors))]
async fn switch_organization(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<SwitchRequest>,
) -> ApiResult<Json<SwitchResponse>> {
    let (profile, session) = auth::switch(&caller.cx, state.services(), body.organization_id).await?;
    let access = access(&state, &caller.cx, &profile, session);
    Ok(Json(SwitchResponse { access, user: CurrentUser::of(&state, profile).await? }))
}

impl CurrentUser {
    async fn of(state: &AppState, profile: auth::Profile) -> ApiResult<Self> {
        let first = installation::belongs_to(state.services(), profile.organization_id).await?;
        Ok(Self {
            id: profile.user_id,
            username: profile.username,
            email: profile.email,
            role: profile.role,
            organization: OrganizationRef { id: profile.organization_id, name: profile.organization_name, first },
            permissions: profile.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
            auth_provider: profile.auth_provider,
            theme_preference: profile.theme_preference,
        })
    }
}

pub(crate) async fn login_response(
    state: &AppState,
    cx: &OpContext,
    signed_in: auth::SignedIn,
) -> ApiResult<LoginResponse> {
    let tokens = tokens(state, cx, &signed_in);
    Ok(LoginResponse { tokens, user: CurrentUser::of(state, signed_in.profile).await? })
}

fn identity_of(profile: &auth::Profile, session: SessionId) -> Identity {
    Identity { user: profile.user_id, session, organization: profile.organization_id }
}

fn access(state: &AppState, cx: &OpContext, profile: &auth::Profile, session: SessionId) -> AccessToken {
    let issued = state.tokens().issue(&identity_of(profile, session), cx.now());
    let expires_in = u64::try_from(ACCESS_LIFETIME.num_seconds()).unwrap_or(0);
    AccessToken { access_token: issued.token, token_type: "bearer", expires_in }
}

fn tokens(state: &AppState, cx: &OpContext, signed_in: &auth::SignedIn) -> TokenPair {
    TokenPair {
        access: access(state, cx, &signed_in.profile, signed_in.session),
        refresh_token: signed_in.refresh_token.expose_secret().to_owned(),
    }
}
