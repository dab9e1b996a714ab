//! Settings of the mail server, and a test of them.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use bartizan_domain::Error;
use bartizan_services::mail;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiError, ApiResult, ChangeErrors, Problem, ReadErrors};
use crate::extract::Body;
use crate::settings::{etag_header, if_match};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_mail_settings, update_mail_settings)).routes(routes!(test_mail_settings))
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS after `STARTTLS`, without which nothing is sent.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; a name and password are not sent then.
    None,
}

impl From<mail::Security> for MailSecurity {
    fn from(security: mail::Security) -> Self {
        match security {
            mail::Security::Starttls => Self::Starttls,
            mail::Security::Tls => Self::Tls,
            mail::Security::None => Self::None,
        }
    }
}

impl From<MailSecurity> for mail::Security {
    fn from(security: MailSecurity) -> Self {
        match security {
            MailSecurity::Starttls => Self::Starttls,
            MailSecurity::Tls => Self::Tls,
            MailSecurity::None => Self::None,
        }
    }
}

/// Where settings come from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingsSource {
    /// The configuration file or the environment of the server; they are changed there.
    File,
    /// Settings.
    Settings,
}

/// The mail server of the installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"enabled": true, "host": "mail.example.com", "port": 587, "security": "starttls",
    "username": "bartizan", "password_set": true, "from_address": "bartizan@example.com", "from_name": "Bartizan",
    "base_url": "https://bartizan.example.com", "ca_certificate": "", "source": "settings"}))]
pub struct MailSettings {
    /// Whether mail is sent at all.
    pub enabled: bool,
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Name to sign in with; empty for none.
    pub username: String,
    /// Whether a password is set. It is never shown.
    pub password_set: bool,
    /// Address of the sender of every mail.
    pub from_address: String,
    /// Name of the sender.
    pub from_name: String,
    /// Address of the server as people reach it: links begin with it.
    pub base_url: String,
    /// Certificates in PEM to be believed beside the public ones; empty for none.
    pub ca_certificate: String,
    /// Where the settings come from; `null` while nothing is set.
    pub source: Option<SettingsSource>,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"host": "mail.example.com", "port": 587, "security": "starttls"}))]
pub struct MailSettingsUpdate {
    /// Whether mail is sent at all. It needs `host`, `from_address` and `base_url`.
    pub enabled: Option<bool>,
    /// Name or address of the server.
    #[schema(max_length = 253)]
    pub host: Option<String>,
    /// Its port.
    #[schema(minimum = 1)]
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Option<MailSecurity>,
    /// Name to sign in with; empty for none.
    #[schema(max_length = 254)]
    pub username: Option<String>,
    /// Password; empty removes it.
    #[schema(value_type = Option<String>, format = "password", max_length = 1024)]
    pub password: Option<SecretString>,
    /// Address of the sender of every mail.
    #[schema(max_length = 254)]
    pub from_address: Option<String>,
    /// Name of the sender.
    #[schema(max_length = 100)]
    pub from_name: Option<String>,
    /// Address of the server as people reach it, `https://bartizan.example.com`.
    #[schema(max_length = 500)]
    pub base_url: Option<String>,
    /// Certificates in PEM to be believed beside the public ones; empty removes them.
    #[schema(max_length = 65536)]
    pub ca_certificate: Option<String>,
}

/// Where to send a test.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "ada@example.com"}))]
pub struct MailTestRequest {
    /// An address. Left out: the caller's own.
    #[schema(format = "email", max_length = 254)]
    pub to: Option<String>,
}

/// How far a delivery came.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailStage {
    /// Looking up the address of the server.
    Resolve,
    /// Connecting and greeting.
    Connect,
    /// Protecting the connection.
    Tls,
    /// Signing in.
    Auth,
    /// Handing over the letter.
    Send,
}

impl From<mail::Stage> for MailStage {
    fn from(stage: mail::Stage) -> Self {
        match stage {
            mail::Stage::Resolve => Self::Resolve,
            mail::Stage::Connect => Self::Connect,
            mail::Stage::Tls => Self::Tls,
            mail::Stage::Auth => Self::Auth,
            mail::Stage::Send => Self::Send,
        }
    }
}

/// Outcome of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"ok": false, "stage": "auth", "detail": "the server answers 535 Authentication failed"}))]
pub struct MailTestResult {
    /// Whether the server took the mail.
    pub ok: bool,
    /// Where it ended, if it was not taken.
    pub stage: Option<MailStage>,
    /// What happened.
    pub detail: String,
}

/// Reads the settings of the mail server.
///
/// Needs `config.view`, in the organisation that setup made.
#[utoipa::path(get, path = "/api/config/mail", operation_id = "get_mail_settings", tag = "config",
    responses((status = 200, body = MailSettings, headers(("ETag" = String, description = "For `If-Match`."))),
        ReadErrors))]
async fn get_mail_settings(
    State(state): State<AppState>,
    caller: Caller,
) -> ApiResult<(HeaderMap, Json<MailSettings>)> {
    Ok(answer(mail::get(&caller.cx, state.services()).await?))
}

/// Changes the settings of the mail server.
///
/// Needs `config.manage`, in the organisation that setup made. With `If-Match`, only if nobody changed them meanwhile.
#[utoipa::path(patch, path = "/api/config/mail", operation_id = "update_mail_settings", tag = "config",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the change is based on.")),
    request_body = MailSettingsUpdate,
    responses((status = 200, body = MailSettings, headers(("ETag" = String, description = "For `If-Match`."))),
        (status = 400, body = Problem, description = "The mail server is given in the server's configuration."),
        (status = 412, body = Problem, description = "Somebody changed the settings meanwhile."), ChangeErrors))]
async fn update_mail_settings(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<MailSettingsUpdate>,
) -> ApiResult<(HeaderMap, Json<MailSettings>)> {
    let present = mail::get(&caller.cx, state.services()).await?;
    let expected = if_match(&headers, present.settings.version)?;
    let patch = mail::MailPatch {
        enabled: body.enabled,
        host: body.host,
        port: body.port,
        security: body.security.map(Into::into),
        username: body.username,
        password: body.password,
        from_address: body.from_address,
        from_name: body.from_name,
        base_url: body.base_url,
        ca_certificate: body.ca_certificate,
    };
    match mail::update(&caller.cx, state.services(), patch, Some(expected)).await {
        Ok(changed) => Ok(answer(changed)),
        Err(Error::Conflict(_)) => Err(ApiError::PreconditionFailed),
        Err(error) => Err(error.into()),
    }
}

/// Sends a mail, to try the settings.
///
/// Needs `config.test`, in the organisation that setup made. A server that refuses is a 200 with `ok: false`. The settings
/// need not be switched on.
#[utoipa::path(post, path = "/api/config/mail/test", operation_id = "test_mail_settings", tag = "config",
    request_body = MailTestRequest, responses((status = 200, body = MailTestResult), ChangeErrors))]
async fn test_mail_settings(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<MailTestRequest>,
) -> ApiResult<Json<MailTestResult>> {
    let outcome = mail::test(&caller.cx, state.services(), body.to).await?;
    Ok(Json(match outcome {
        Ok(()) => MailTestResult { ok: true, stage: None, detail: "The mail server took the mail.".to_owned() },
        Err(error) => MailTestResult { ok: false, stage: Some(error.stage.into()), detail: error.detail },
    }))
}

fn answer(view: mail::MailView) -> (HeaderMap, Json<MailSettings>) {
    let headers = etag_header(view.settings.version);
    let settings = view.settings.value;
    let body = MailSettings {
        enabled: settings.enabled,
        host: settings.host,
        port: settings.port,
        security: settings.security.into(),
        username: settings.username,
        password_set: view.password_set,
        from_address: settings.from_address,
        from_name: settings.from_name,
        base_url: settings.base_url,
        ca_certificate: settings.ca_certificate,
        source: view.source.map(|source| match source {
            mail::Source::File => SettingsSource::File,
            mail::Source::Settings => SettingsSource::Settings,
        }),
    };
    (headers, Json(body))
}
