//! Settings of sign-in: passwords, OpenID Connect, LDAP.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use bartizan_domain::{Error, RoleName};
use bartizan_services::auth_config::{self, LdapPatch, OidcPatch, Patch, Source, Trial};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiError, ApiResult, ChangeErrors, Problem, ReadErrors};
use crate::extract::{Body, nullable};

/// Where the OpenID provider sends browsers back to, on this server.
const CALLBACK_PAGE: &str = "/ui/login/oidc";

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_auth_config, update_auth_config)).routes(routes!(test_auth_config))
}

/// How people sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthConfig {
    /// With passwords of this program.
    pub internal: InternalConfig,
    /// With an OpenID provider.
    pub oidc: OidcConfig,
    /// With a directory.
    pub ldap: LdapConfig,
}

/// Sign-in with passwords of this program.
#[derive(Debug, Serialize, ToSchema)]
pub struct InternalConfig {
    /// Whether it is on.
    pub enabled: bool,
}

/// The role that a group of the provider has here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"group": "security-admins", "role": "admin"}))]
pub struct RoleMapping {
    /// Name of the group; of a directory also its distinguished name.
    #[schema(min_length = 1, max_length = 500)]
    pub group: String,
    /// The role.
    pub role: RoleName,
}

/// Where settings come from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigSource {
    /// The configuration file or the environment: they cannot be changed here.
    File,
    /// These settings.
    Settings,
}

impl From<Source> for ConfigSource {
    fn from(source: Source) -> Self {
        match source {
            Source::File => Self::File,
            Source::Settings => Self::Settings,
        }
    }
}

/// Sign-in with an OpenID provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct OidcConfig {
    /// Whether it is on.
    pub enabled: bool,
    /// The issuer, exactly as the provider names itself.
    pub issuer: String,
    /// What the provider calls this program.
    pub client_id: String,
    /// Whether there is a client secret; it is never shown.
    pub client_secret_set: bool,
    /// Where the provider sends browsers back to; to be registered there.
    pub redirect_uri: String,
    /// Scopes asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What the sign-in page calls it.
    pub label: String,
    /// Role of people in no mapped group; null keeps them out.
    pub default_role: Option<RoleName>,
    /// Claim with a name to sign in with.
    pub username_claim: String,
    /// Claim with the groups, by name or as a path with dots.
    pub groups_claim: String,
    /// Roles of groups; the first that fits counts. With none, a role is given once.
    pub role_mapping: Vec<RoleMapping>,
    /// Certificate authorities beside those of the system, in PEM.
    pub ca_certificates: String,
    /// Where these settings come from.
    pub source: ConfigSource,
}

/// Sign-in with a directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct LdapConfig {
    /// Whether it is on.
    pub enabled: bool,
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Whether an `ldap:` connection becomes TLS before anything else is sent.
    pub start_tls: bool,
    /// Whom to search as; empty for anonymous.
    pub bind_dn: String,
    /// Whether there is a password for that; it is never shown.
    pub bind_password_set: bool,
    /// Where people are.
    pub user_base: String,
    /// Which entry is meant by `{username}`.
    pub user_filter: String,
    /// Where groups are; empty to read `memberOf` only.
    pub group_base: String,
    /// Which groups `{dn}` or `{username}` is in.
    pub group_filter: String,
    /// Role of people in no mapped group; null keeps them out.
    pub default_role: Option<RoleName>,
    /// Roles of groups; the first that fits counts. With none, a role is given once.
    pub role_mapping: Vec<RoleMapping>,
    /// What the sign-in page calls it.
    pub label: String,
    /// Certificate authorities beside those of the system, in PEM.
    pub ca_certificates: String,
    /// Where these settings come from.
    pub source: ConfigSource,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"oidc": {"label": "Example login"}}))]
pub struct AuthConfigUpdate {
    /// Sign-in with passwords of this program.
    pub internal: Option<InternalConfigUpdate>,
    /// Sign-in with an OpenID provider.
    pub oidc: Option<OidcConfigUpdate>,
    /// Sign-in with a directory.
    pub ldap: Option<LdapConfigUpdate>,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InternalConfigUpdate {
    /// Whether it is on. It can be switched off by somebody who signs in by another method.
    pub enabled: Option<bool>,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcConfigUpdate {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// The issuer, exactly as the provider names itself. With another one the client secret must be given again.
    #[schema(max_length = 500)]
    pub issuer: Option<String>,
    /// What the provider calls this program.
    #[schema(max_length = 500)]
    pub client_id: Option<String>,
    /// The client secret; empty removes it. It is never shown.
    #[schema(value_type = Option<String>, format = "password", max_length = 4096)]
    pub client_secret: Option<SecretString>,
    /// Where the provider sends browsers back to. Never set: `/ui/login/oidc` where the settings page is.
    #[schema(max_length = 500)]
    pub redirect_uri: Option<String>,
    /// Scopes asked for beside `openid`.
    pub scopes: Option<Vec<String>>,
    /// What the sign-in page calls it.
    #[schema(min_length = 1, max_length = 60)]
    pub label: Option<String>,
    /// Role of people in no mapped group; null keeps them out.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RoleName>)]
    pub default_role: Option<Option<RoleName>>,
    /// Claim with a name to sign in with.
    #[schema(max_length = 200)]
    pub username_claim: Option<String>,
    /// Claim with the groups, by name or as a path with dots.
    #[schema(max_length = 200)]
    pub groups_claim: Option<String>,
    /// Roles of groups, in order.
    pub role_mapping: Option<Vec<RoleMapping>>,
    /// Certificate authorities beside those of the system, in PEM.
    #[schema(max_length = 65536)]
    pub ca_certificates: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LdapConfigUpdate {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// `ldap://host[:port]` or `ldaps://host[:port]`. With another one the password must be given again.
    #[schema(max_length = 500)]
    pub url: Option<String>,
    /// Whether an `ldap:` connection becomes TLS before anything else is sent.
    pub start_tls: Option<bool>,
    /// Whom to search as; empty for anonymous.
    #[schema(max_length = 500)]
    pub bind_dn: Option<String>,
    /// The password for that; empty removes it. It is never shown.
    #[schema(value_type = Option<String>, format = "password", max_length = 4096)]
    pub bind_password: Option<SecretString>,
    /// Where people are.
    #[schema(max_length = 500)]
    pub user_base: Option<String>,
    /// Which entry is meant by `{username}`.
    #[schema(max_length = 1000)]
    pub user_filter: Option<String>,
    /// Where groups are; empty to read `memberOf` only.
    #[schema(max_length = 500)]
    pub group_base: Option<String>,
    /// Which groups `{dn}` or `{username}` is in.
    #[schema(max_length = 1000)]
    pub group_filter: Option<String>,
    /// Role of people in no mapped group; null keeps them out.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RoleName>)]
    pub default_role: Option<Option<RoleName>>,
    /// Roles of groups, in order.
    pub role_mapping: Option<Vec<RoleMapping>>,
    /// What the sign-in page calls it.
    #[schema(min_length = 1, max_length = 60)]
    pub label: Option<String>,
    /// Certificate authorities beside those of the system, in PEM.
    #[schema(max_length = 65536)]
    pub ca_certificates: Option<String>,
}

/// Which method a test is about.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestedMethod {
    /// The OpenID provider.
    Oidc,
    /// The directory.
    Ldap,
}

/// What to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "ldap", "ldap": {"url": "ldap://127.0.0.1:9", "user_base": "dc=example,dc=com"}}))]
pub struct AuthConfigTest {
    /// Which method.
    pub method: TestedMethod,
    /// Changes of the provider to try before they are saved. A stored secret is not sent to another server.
    pub oidc: Option<OidcConfigUpdate>,
    /// Changes of the directory to try before they are saved. A stored password is not sent to another server.
    pub ldap: Option<LdapConfigUpdate>,
    /// For the directory: somebody to sign in as.
    #[schema(max_length = 256)]
    pub username: Option<String>,
    /// The password for that.
    #[schema(value_type = Option<String>, format = "password", max_length = 1024)]
    pub password: Option<SecretString>,
}

/// How the test went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"ok": false, "steps": [{"name": "connect", "ok": false, "detail": "connection refused"}]}))]
pub struct AuthConfigTestResult {
    /// Whether every step went well.
    pub ok: bool,
    /// The steps, in order; the first that fails ends the test.
    pub steps: Vec<AuthConfigTestStep>,
}

/// One step of a test.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthConfigTestStep {
    /// What was tried: `discovery`, `keys`, `client`; `connect`, `bind`, `search`, `user`, `password`, `groups`.
    pub name: &'static str,
    /// Whether it went well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

/// Reads the settings of sign-in.
///
/// Needs `config.manage`, in the first organisation of the server. Secrets are never shown.
#[utoipa::path(get, path = "/api/config/auth", operation_id = "get_auth_config", tag = "config",
    responses((status = 200, body = AuthConfig, headers(("ETag" = String, description = "For `If-Match`."))),
        ReadErrors))]
async fn get_auth_config(State(state): State<AppState>, caller: Caller) -> ApiResult<(HeaderMap, Json<AuthConfig>)> {
    Ok(answer(auth_config::get(&caller.cx, state.services()).await?))
}

/// Changes the settings of sign-in.
///
/// Needs `config.manage`, in the first organisation of the server. With `If-Match`, only if nobody changed them
/// meanwhile. Password sign-in is switched off by somebody who signs in by another method; `bartizan admin
/// enable-password-sign-in` switches it on again.
#[utoipa::path(patch, path = "/api/config/auth", operation_id = "update_auth_config", tag = "config",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the change is based on.")),
    request_body = AuthConfigUpdate,
    responses((status = 200, body = AuthConfig, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 412, body = Problem, description = "Somebody changed the settings meanwhile."), ChangeErrors))]
async fn update_auth_config(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(update): Body<AuthConfigUpdate>,
) -> ApiResult<(HeaderMap, Json<AuthConfig>)> {
    let present = auth_config::get(&caller.cx, state.services()).await?;
    if let Some(value) = headers.get(header::IF_MATCH)
        && value != "*"
        && *value != etag(present.version)
    {
        return Err(ApiError::PreconditionFailed);
    }
    let mut oidc = update.oidc.map(OidcPatch::from);
    if let Some(oidc) = &mut oidc
        && oidc.redirect_uri.is_none()
        && present.settings.oidc.redirect_uri.is_empty()
    {
        // The administrator's browser says where it has this server.
        let page = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        oidc.redirect_uri = page.filter(|origin| *origin != "null").map(|origin| format!("{origin}{CALLBACK_PAGE}"));
    }
    let patch = Patch {
        internal_enabled: update.internal.and_then(|internal| internal.enabled),
        oidc,
        ldap: update.ldap.map(LdapPatch::from),
    };
    let expected = headers.contains_key(header::IF_MATCH).then_some(present.version);
    match auth_config::update(&caller.cx, state.services(), patch, expected).await {
        Ok(changed) => Ok(answer(changed)),
        Err(error) => Err(error.into()),
    }
}

/// Tries the OpenID provider or the directory out.
///
/// Needs `config.test`, in the first organisation of the server. Nothing is stored; with settings in the body, those are
/// tried. For the provider: discovery, keys, and whether it knows the client. For the directory: connecting, binding,
/// searching, and with a name and a password a whole sign-in.
#[utoipa::path(post, path = "/api/config/auth/test", operation_id = "test_auth_config", tag = "config",
    request_body = AuthConfigTest, responses((status = 200, body = AuthConfigTestResult), ChangeErrors))]
async fn test_auth_config(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<AuthConfigTest>,
) -> ApiResult<Json<AuthConfigTestResult>> {
    let trial = match body.method {
        TestedMethod::Oidc => {
            let mut patch = body.oidc.map(OidcPatch::from).unwrap_or_default();
            let present = auth_config::get(&caller.cx, state.services()).await?;
            if patch.redirect_uri.is_none() && present.settings.oidc.redirect_uri.is_empty() {
                // A provider answers about the client before it looks at where browsers go.
                patch.redirect_uri = Some(format!("https://localhost{CALLBACK_PAGE}"));
            }
            Trial::Oidc(Some(patch))
        }
        TestedMethod::Ldap => {
            let who = match (body.username, body.password) {
                (Some(username), Some(password)) => Some((username, password)),
                (None, None) => None,
                _ => {
                    return Err(
                        Error::invalid("body -> password", "give a user name and a password, or neither").into()
                    );
                }
            };
            Trial::Ldap(body.ldap.map(LdapPatch::from), who)
        }
    };
    let steps = auth_config::test(&caller.cx, state.services(), trial).await?;
    Ok(Json(AuthConfigTestResult {
        ok: steps.iter().all(|step| step.ok),
        steps: steps
            .into_iter()
            .map(|step| AuthConfigTestStep { name: step.name, ok: step.ok, detail: step.detail })
            .collect(),
    }))
}

fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

fn answer(config: auth_config::AuthConfig) -> (HeaderMap, Json<AuthConfig>) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&etag(config.version)) {
        headers.insert(header::ETAG, value);
    }
    (headers, Json(config.into()))
}

fn to_wire(mapping: Vec<auth_config::RoleMapping>) -> Vec<RoleMapping> {
    mapping.into_iter().map(|one| RoleMapping { group: one.group, role: one.role }).collect()
}

fn from_wire(mapping: Vec<RoleMapping>) -> Vec<auth_config::RoleMapping> {
    mapping.into_iter().map(|one| auth_config::RoleMapping { group: one.group, role: one.role }).collect()
}

impl From<auth_config::AuthConfig> for AuthConfig {
    fn from(config: auth_config::AuthConfig) -> Self {
        let (oidc, ldap) = (config.settings.oidc, config.settings.ldap);
        Self {
            internal: InternalConfig { enabled: config.settings.internal.enabled },
            oidc: OidcConfig {
                enabled: oidc.enabled,
                issuer: oidc.issuer,
                client_id: oidc.client_id,
                client_secret_set: config.client_secret_set,
                redirect_uri: oidc.redirect_uri,
                scopes: oidc.scopes,
                label: oidc.label,
                default_role: oidc.default_role,
                username_claim: oidc.username_claim,
                groups_claim: oidc.groups_claim,
                role_mapping: to_wire(oidc.role_mapping),
                ca_certificates: oidc.ca_certificates,
                source: config.oidc_source.into(),
            },
            ldap: LdapConfig {
                enabled: ldap.enabled,
                url: ldap.url,
                start_tls: ldap.start_tls,
                bind_dn: ldap.bind_dn,
                bind_password_set: config.bind_password_set,
                user_base: ldap.user_base,
                user_filter: ldap.user_filter,
                group_base: ldap.group_base,
                group_filter: ldap.group_filter,
                default_role: ldap.default_role,
                role_mapping: to_wire(ldap.role_mapping),
                label: ldap.label,
                ca_certificates: ldap.ca_certificates,
                source: config.ldap_source.into(),
            },
        }
    }
}

impl From<OidcConfigUpdate> for OidcPatch {
    fn from(update: OidcConfigUpdate) -> Self {
        Self {
            enabled: update.enabled,
            issuer: update.issuer,
            client_id: update.client_id,
            redirect_uri: update.redirect_uri,
            scopes: update.scopes,
            label: update.label,
            default_role: update.default_role,
            username_claim: update.username_claim,
            groups_claim: update.groups_claim,
            role_mapping: update.role_mapping.map(from_wire),
            ca_certificates: update.ca_certificates,
            client_secret: update.client_secret,
        }
    }
}

impl From<LdapConfigUpdate> for LdapPatch {
    fn from(update: LdapConfigUpdate) -> Self {
        Self {
            enabled: update.enabled,
            url: update.url,
            start_tls: update.start_tls,
            bind_dn: update.bind_dn,
            user_base: update.user_base,
            user_filter: update.user_filter,
            group_base: update.group_base,
            group_filter: update.group_filter,
            default_role: update.default_role,
            role_mapping: update.role_mapping.map(from_wire),
            label: update.label,
            ca_certificates: update.ca_certificates,
            bind_password: update.bind_password,
        }
    }
}
