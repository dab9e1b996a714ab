//! Mail: the settings of the installation's mail server, and a test of them.
//!
//! There is one mail server for the installation. Whoever sets it sees the links that others are sent, so its settings
//! are for members of the organisation that setup made and of no other. Where the operator gives a mail server in the
//! configuration file or the environment, that one holds and cannot be changed here.
//!
//! What is sent, and when, is in [`crate::mail_jobs`].

use std::time::Duration;

use bartizan_domain::{Error, Permission, Result};
use bartizan_notify::{Delivery, Letter, Server, Subject, deliver};
pub use bartizan_notify::{SendError, Stage};
use bartizan_outbound::tls_verified::certificates_of;
use bartizan_storage::installation::{self, InstallationSetting};
use bartizan_storage::{Db, StorageError, users};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::installation::require as of_the_installation;
use crate::mutation::{Change, Mutation};
use crate::secrets::{self, SecretScope};
use crate::settings::Versioned;
use crate::validate::{Fields, check_email};
use crate::{OpContext, Services};

const SETTING: &str = "mail";
const PASSWORD: (SecretScope, &str) = (SecretScope::Installation, "mail.password");
/// How long each step of a delivery may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same while somebody waits for the answer.
const SHORT_PATIENCE: Duration = Duration::from_secs(8);
/// Bytes of a trusted certificate.
const MAX_CERTIFICATE: usize = 64 * 1024;

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS after `STARTTLS`, without which nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; a name and password are not sent then.
    None,
}

impl From<Security> for bartizan_notify::Security {
    fn from(security: Security) -> Self {
        match security {
            Security::Starttls => Self::StartTls,
            Security::Tls => Self::Tls,
            Security::None => Self::Plain,
        }
    }
}

/// The mail server, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailSettings {
    /// Whether mail is sent at all.
    pub enabled: bool,
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Name to sign in with; empty for none.
    pub username: String,
    /// Address of the sender of every mail.
    pub from_address: String,
    /// Name of the sender.
    pub from_name: String,
    /// Address of the server as people reach it: links begin with it.
    pub base_url: String,
    /// Certificates in PEM to be believed beside the public ones, for a server with one of a private authority.
    pub ca_certificate: String,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            host: String::new(),
            port: 587,
            security: Security::default(),
            username: String::new(),
            from_address: String::new(),
            from_name: "Bartizan".to_owned(),
            base_url: String::new(),
            ca_certificate: String::new(),
        }
    }
}

/// A mail server given in the configuration file or the environment.
#[derive(Debug, Clone)]
pub struct GivenMail {
    /// The settings.
    pub settings: MailSettings,
    /// The password, where the server asks for one.
    pub password: Option<SecretString>,
}

/// Where the settings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The configuration file or the environment.
    File,
    /// Settings.
    Settings,
}

/// The settings as shown: whether there is a password, never which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailView {
    /// The settings and their version.
    pub settings: Versioned<MailSettings>,
    /// Whether a password is set.
    pub password_set: bool,
    /// Where they come from; `None` while nothing is set.
    pub source: Option<Source>,
}

/// A change. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct MailPatch {
    /// Whether mail is sent at all.
    pub enabled: Option<bool>,
    /// Name or address of the server.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Option<Security>,
    /// Name to sign in with.
    pub username: Option<String>,
    /// Password; empty removes it.
    pub password: Option<SecretString>,
    /// Address of the sender.
    pub from_address: Option<String>,
    /// Name of the sender.
    pub from_name: Option<String>,
    /// Address of the server as people reach it.
    pub base_url: Option<String>,
    /// Trusted certificates in PEM; empty removes them.
    pub ca_certificate: Option<String>,
}

/// The settings of the mail server.
///
/// # Errors
/// [`Error::Forbidden`] but for members of the first organisation with `config.view`.
pub async fn get(cx: &OpContext, services: &Services) -> Result<MailView> {
    of_the_installation(cx, services, Permission::ConfigView).await?;
    view(services, services.store.read()).await
}

/// Changes the settings of the mail server. With `expected`, only if they are still at that version.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] for fields that break a rule and for another server without its password,
/// [`Error::Conflict`] if somebody else changed them meanwhile, [`Error::BadRequest`] where the operator gave the mail
/// server.
pub async fn update(cx: &OpContext, services: &Services, patch: MailPatch, expected: Option<i64>) -> Result<MailView> {
    of_the_installation(cx, services, Permission::ConfigManage).await?;
    if services.config.mail.is_some() {
        let text = "The mail server is given in the configuration of the server and is changed there";
        return Err(Error::BadRequest(text.to_owned()));
    }
    let (_, change) = Mutation::begin(cx, services, Permission::ConfigManage).await?;
    let before = view(services, change.db()).await?;
    if expected.is_some_and(|version| version != before.settings.version) {
        return Err(changed_meanwhile());
    }
    let mut after = before.settings.value.clone();
    let password = patch.password.clone();
    apply(&mut after, patch);
    let password_set = password.as_ref().map_or(before.password_set, |password| !password.expose_secret().is_empty());
    check(&after, password_set)?;
    if before.password_set && password.is_none() && is_elsewhere(&before.settings.value, &after) {
        // Whoever may change the settings must not be able to have the password sent to a server of his own.
        return Err(Error::invalid("body -> password", "the server changed: enter its password again"));
    }
    match &password {
        Some(password) if password_set => secrets::put(cx, services, change.db(), PASSWORD, password).await?,
        Some(_) => {
            secrets::remove(change.db(), PASSWORD.0, PASSWORD.1).await?;
        }
        None => {}
    }
    let version = before.settings.version + 1;
    let row = InstallationSetting {
        key: SETTING.to_owned(),
        value: serde_json::to_value(&after).map_err(Error::internal)?,
        version,
        updated_at: cx.now(),
        updated_by_name: cx.actor().name().to_owned(),
    };
    if !installation::put(change.db(), &row).await? {
        return Err(changed_meanwhile());
    }
    let mut recorded = recorded(&after, password_set);
    recorded["password_changed"] = json!(password.is_some());
    let entry = Change::new("settings.update", "settings", SETTING)
        .before(self::recorded(&before.settings.value, before.password_set))
        .after(recorded);
    change.commit(entry).await?;
    Ok(MailView { settings: Versioned { value: after, version }, password_set, source: Some(Source::Settings) })
}

/// What the audit log keeps: the password is `password_set` and no more.
fn recorded(settings: &MailSettings, password_set: bool) -> Value {
    let mut value = serde_json::to_value(settings).unwrap_or_default();
    value["password_set"] = json!(password_set);
    value
}

/// Sends a mail, to try the settings; they need not be switched on yet. Without `to`, it goes to the caller.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] for an address that is none, [`Error::Conflict`] while no mail server is set.
pub async fn test(
    cx: &OpContext,
    services: &Services,
    to: Option<String>,
) -> Result<std::result::Result<(), SendError>> {
    of_the_installation(cx, services, Permission::ConfigTest).await?;
    let to = match to {
        Some(to) => to.trim().to_owned(),
        None => {
            let user = users::get(services.store.read(), cx.user()?).await?;
            user.ok_or_else(|| Error::Unauthenticated("Not authenticated".to_owned()))?.email
        }
    };
    check_email(&to).map_err(|message| Error::invalid("body -> to", message))?;
    let view = view(services, services.store.read()).await?;
    if view.settings.value.host.is_empty() || view.settings.value.from_address.is_empty() {
        return Err(Error::Conflict("No mail server is set: it needs a host and a sender's address".to_owned()));
    }
    let post = post(services, view.settings.value, SHORT_PATIENCE).await?;
    let id = cx.new_id::<uuid::Uuid>().to_string();
    let outcome = post.send(&to, Letter::new(&Subject::Test), &id, cx.now()).await;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let stage = outcome.as_ref().err().map(|error| error.stage.as_str());
    let entry = Change::new("settings.test", "settings", SETTING);
    change.commit(entry.after(json!({"to": to, "delivered": outcome.is_ok(), "stage": stage}))).await?;
    Ok(outcome)
}

/// Whether mail can be sent.
///
/// # Errors
/// If the database fails.
pub async fn is_on(services: &Services) -> Result<bool> {
    Ok(view(services, services.store.read()).await?.settings.value.enabled)
}

/// The way to the mail server.
pub(crate) struct Post {
    server: Server,
    settings: MailSettings,
}

impl Post {
    /// A page of the web interface as people reach it; `path` begins with a slash.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_url)
    }

    /// Delivers a letter. `id` is the same for each repetition.
    pub(crate) async fn send(
        &self,
        to: &str,
        letter: Letter,
        id: &str,
        at: chrono::DateTime<chrono::Utc>,
    ) -> std::result::Result<(), SendError> {
        let delivery = Delivery {
            from_address: self.settings.from_address.clone(),
            from_name: self.settings.from_name.clone(),
            to: to.to_owned(),
            letter,
            id: id.to_owned(),
            at: at.into(),
        };
        deliver(&self.server, &delivery).await
    }
}

/// The way to the mail server; `None` while mail is off.
pub(crate) async fn post_if_on(services: &Services) -> Result<Option<Post>> {
    let settings = view(services, services.store.read()).await?.settings.value;
    if settings.enabled { Ok(Some(post(services, settings, PATIENCE).await?)) } else { Ok(None) }
}

async fn post(services: &Services, settings: MailSettings, patience: Duration) -> Result<Post> {
    let password = match &services.config.mail {
        Some(given) => given.password.clone(),
        None => secrets::get(services, services.store.read(), PASSWORD.0, PASSWORD.1).await?,
    };
    let hello = Url::parse(&settings.base_url).ok().and_then(|url| url.domain().map(str::to_owned));
    let server = Server {
        host: settings.host.clone(),
        port: settings.port,
        security: settings.security.into(),
        credentials: (!settings.username.is_empty()).then(|| (settings.username.clone(), password.unwrap_or_default())),
        roots: (!settings.ca_certificate.is_empty()).then(|| settings.ca_certificate.clone()),
        hello: hello.unwrap_or_default(),
        patience,
    };
    Ok(Post { server, settings })
}

async fn view(services: &Services, db: Db<'_>) -> Result<MailView> {
    if let Some(given) = &services.config.mail {
        let settings = Versioned { value: given.settings.clone(), version: 0 };
        return Ok(MailView { settings, password_set: given.password.is_some(), source: Some(Source::File) });
    }
    let Some(row) = installation::get(db, SETTING).await? else {
        let settings = Versioned { value: MailSettings::default(), version: 0 };
        return Ok(MailView { settings, password_set: false, source: None });
    };
    let value = serde_json::from_value(row.value)
        .map_err(|error| StorageError::Corrupt(format!("setting {SETTING}: {error}")))?;
    Ok(MailView {
        settings: Versioned { value, version: row.version },
        password_set: secrets::is_set(db, PASSWORD.0, PASSWORD.1).await?,
        source: Some(Source::Settings),
    })
}

/// Whether the stored password would go to another server, or on a connection that another authority vouches for.
fn is_elsewhere(before: &MailSettings, after: &MailSettings) -> bool {
    let server = |settings: &MailSettings| {
        (settings.host.to_ascii_lowercase(), settings.port, settings.security, settings.ca_certificate.clone())
    };
    server(before) != server(after)
}

fn apply(settings: &mut MailSettings, patch: MailPatch) {
    let set = |field: &mut String, value: Option<String>| {
        if let Some(value) = value {
            *field = value.trim().to_owned();
        }
    };
    set(&mut settings.host, patch.host);
    set(&mut settings.username, patch.username);
    set(&mut settings.from_address, patch.from_address);
    set(&mut settings.from_name, patch.from_name);
    set(&mut settings.base_url, patch.base_url.map(|url| url.trim().trim_end_matches('/').to_owned()));
    set(&mut settings.ca_certificate, patch.ca_certificate);
    settings.security = patch.security.unwrap_or(settings.security);
    settings.port = patch.port.unwrap_or(settings.port);
    settings.enabled = patch.enabled.unwrap_or(settings.enabled);
}

/// The rules of the settings, whoever gives them.
///
/// # Errors
/// [`Error::Invalid`] naming each field that breaks one.
pub fn check(settings: &MailSettings, password_set: bool) -> Result<()> {
    let mut fields = Fields::default();
    if settings.security == Security::None && (password_set || !settings.username.is_empty()) {
        fields
            .error("security", "a name and password are not sent without TLS: choose starttls or tls, or remove them");
    }
    if settings.port == 0 {
        fields.error("port", "expected 1 to 65535");
    }
    let bad_host = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '"');
    if settings.host.len() > 253 || settings.host.contains(bad_host) {
        fields.error("host", "expected a name or an address");
    }
    for (field, text, most) in [("username", &settings.username, 254), ("from_name", &settings.from_name, 100)] {
        if text.chars().count() > most || text.chars().any(char::is_control) {
            fields.error(field, format!("expected at most {most} characters, and no control characters"));
        }
    }
    if !settings.from_address.is_empty()
        && let Err(message) = check_email(&settings.from_address)
    {
        fields.error("from_address", message);
    }
    if !settings.base_url.is_empty() && !is_base(&settings.base_url) {
        fields.error(
            "base_url",
            "expected http:// or https://, a host and no more than a path, such as https://bartizan.example.com",
        );
    }
    if settings.ca_certificate.len() > MAX_CERTIFICATE {
        fields.error("ca_certificate", format!("expected at most {MAX_CERTIFICATE} bytes"));
    } else if !settings.ca_certificate.is_empty()
        && let Err(why) = certificates_of(&settings.ca_certificate)
    {
        fields.error("ca_certificate", format!("expected certificates in PEM: {why}"));
    }
    if settings.enabled {
        let needed =
            [("host", &settings.host), ("from_address", &settings.from_address), ("base_url", &settings.base_url)];
        for (field, _) in needed.iter().filter(|(_, value)| value.is_empty()) {
            fields.error(field, format!("mail cannot be sent without {field}"));
        }
    }
    fields.finish()
}

fn is_base(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && text.len() <= 500
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn changed_meanwhile() -> Error {
    Error::Conflict("The settings were changed meanwhile; read them again".to_owned())
}
