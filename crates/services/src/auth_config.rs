//! How people sign in: passwords of this program, an OpenID provider, a directory.
//!
//! Sign-in happens before it is known where somebody works, so these settings are of the whole installation and belong
//! to the administrators of its first organisation, which is also where people from outside become members. A provider
//! that the configuration file describes cannot be changed here. Secrets are sealed ([`crate::secrets`]) and never shown.
//!
//! Nobody can lock everybody out from here: password sign-in can be off only as long as the one who saves signs in by a
//! method that stays on. `bartizan admin enable-password-sign-in` is the way back in.

use bartizan_auth::external::Step;
use bartizan_auth::ldap::Directory;
use bartizan_auth::oidc::Provider;
use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result, Role, RoleName};
use bartizan_outbound::tls_verified;
use bartizan_storage::installation::{self, InstallationSetting};
use bartizan_storage::{Db, StorageError, organizations, users};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::secrets::{self, SecretScope};
use crate::{OpContext, Services, roles};

mod check;
mod patch;

pub use patch::{LdapPatch, OidcPatch, Patch};

const KEY: &str = "sign_in";
pub(crate) const CLIENT_SECRET: &str = "oidc.client_secret";
pub(crate) const BIND_PASSWORD: &str = "ldap.bind_password";

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInSettings {
    /// With passwords of this program.
    pub internal: InternalSettings,
    /// With an OpenID provider.
    pub oidc: OidcSettings,
    /// With a directory.
    pub ldap: LdapSettings,
}

/// Sign-in with passwords of this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternalSettings {
    /// Whether it is on.
    pub enabled: bool,
}

impl Default for InternalSettings {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The role that a group of the provider has here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleMapping {
    /// Name of the group; of a directory also its distinguished name.
    pub group: String,
    /// The role.
    pub role: RoleName,
}

/// Sign-in with an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OidcSettings {
    /// Whether it is on.
    pub enabled: bool,
    /// The issuer, exactly as the provider names itself.
    pub issuer: String,
    /// What the provider calls this program.
    pub client_id: String,
    /// Where the provider sends browsers back to: this server's `/ui/login/oidc`.
    pub redirect_uri: String,
    /// Scopes asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What the sign-in page calls it.
    pub label: String,
    /// Role of people in no mapped group; `None` keeps them out.
    pub default_role: Option<RoleName>,
    /// Claim with a name to sign in with.
    pub username_claim: String,
    /// Claim with the groups, by name or as a path with dots.
    pub groups_claim: String,
    /// Roles of groups; the first that fits counts.
    pub role_mapping: Vec<RoleMapping>,
    /// Certificate authorities beside those of the system, in PEM.
    pub ca_certificates: String,
}

impl Default for OidcSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            issuer: String::new(),
            client_id: String::new(),
            redirect_uri: String::new(),
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            label: "Single sign-on".to_owned(),
            default_role: Some(Role::ReadOnly.into()),
            username_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            role_mapping: Vec::new(),
            ca_certificates: String::new(),
        }
    }
}

/// Sign-in with a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LdapSettings {
    /// Whether it is on.
    pub enabled: bool,
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Whether an `ldap:` connection becomes TLS before anything else.
    pub start_tls: bool,
    /// Whom to search as; empty for anonymous.
    pub bind_dn: String,
    /// Where people are.
    pub user_base: String,
    /// Which entry is meant by `{username}`.
    pub user_filter: String,
    /// Where groups are; empty to read `memberOf` only.
    pub group_base: String,
    /// Which groups `{dn}` or `{username}` is in.
    pub group_filter: String,
    /// Role of people in no mapped group; `None` keeps them out.
    pub default_role: Option<RoleName>,
    /// Roles of groups; the first that fits counts.
    pub role_mapping: Vec<RoleMapping>,
    /// What the sign-in page calls it.
    pub label: String,
    /// Certificate authorities beside those of the system, in PEM.
    pub ca_certificates: String,
}

impl Default for LdapSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            url: String::new(),
            start_tls: true,
            bind_dn: String::new(),
            user_base: String::new(),
            user_filter: "(&(objectClass=person)(uid={username}))".to_owned(),
            group_base: String::new(),
            group_filter: "(member={dn})".to_owned(),
            default_role: Some(Role::ReadOnly.into()),
            role_mapping: Vec::new(),
            label: "Directory".to_owned(),
            ca_certificates: String::new(),
        }
    }
}

/// Providers that the configuration file describes, with their secrets.
#[derive(Debug, Clone, Default)]
pub struct FromFile {
    /// An OpenID provider.
    pub oidc: Option<(OidcSettings, Option<SecretString>)>,
    /// A directory.
    pub ldap: Option<(LdapSettings, Option<SecretString>)>,
}

impl FromFile {
    /// Whether what the file says can be used.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each setting that breaks a rule.
    pub fn check(&self) -> Result<()> {
        let settings = SignInSettings {
            internal: InternalSettings::default(),
            oidc: self.oidc.as_ref().map(|(settings, _)| settings.clone()).unwrap_or_default(),
            ldap: self.ldap.as_ref().map(|(settings, _)| settings.clone()).unwrap_or_default(),
        };
        check::settings(&settings)
    }
}

/// Where the settings of a provider come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The configuration file or the environment; they cannot be changed here.
    File,
    /// These settings.
    Settings,
}

/// The settings as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthConfig {
    /// What is in force.
    pub settings: SignInSettings,
    /// 0 while nothing was ever changed, one more for each change.
    pub version: i64,
    /// Whether there is a client secret.
    pub client_secret_set: bool,
    /// Whether there is a password to search the directory with.
    pub bind_password_set: bool,
    /// Where the OpenID provider is described.
    pub oidc_source: Source,
    /// Where the directory is described.
    pub ldap_source: Source,
}

/// What the sign-in page offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Passwords of this program.
    pub internal: bool,
    /// Name of the OpenID provider.
    pub oidc: Option<String>,
    /// Name of the directory.
    pub ldap: Option<String>,
}

/// What is to be tried.
#[derive(Debug, Clone)]
pub enum Trial {
    /// The OpenID provider, as it would be with this change.
    Oidc(Option<OidcPatch>),
    /// The directory, as it would be with this change; with a name and a password, to the end of a sign-in.
    Ldap(Option<LdapPatch>, Option<(String, SecretString)>),
}

/// Which ways to sign in there are. Anybody may know.
///
/// # Errors
/// If the database fails.
pub async fn offered(_: &OpContext, services: &Services) -> Result<Offered> {
    let settings = in_force(services, services.store.read()).await?.0;
    Ok(Offered {
        internal: settings.internal.enabled,
        oidc: settings.oidc.enabled.then_some(settings.oidc.label),
        ldap: settings.ldap.enabled.then_some(settings.ldap.label),
    })
}

/// The settings.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn get(cx: &OpContext, services: &Services) -> Result<AuthConfig> {
    let db = services.store.read();
    home(cx, db, Permission::ConfigManage).await?;
    shown(services, db).await
}

/// Changes the settings. With `expected`, only if they are still at that version.
///
/// # Errors
/// [`Error::Invalid`] for settings that break a rule, [`Error::Forbidden`] for a mapped role that may do more than the
/// caller, [`Error::Conflict`] if nobody could sign in any more, if the file describes what is to be changed, or if
/// somebody else changed the settings meanwhile.
pub async fn update(cx: &OpContext, services: &Services, patch: Patch, expected: Option<i64>) -> Result<AuthConfig> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ConfigManage).await?;
    home(cx, change.db(), Permission::ConfigManage).await?;
    let (before, version) = stored(change.db()).await?;
    if expected.is_some_and(|expected| expected != version) {
        return Err(changed_meanwhile());
    }
    let file = &services.config.sign_in;
    if (patch.oidc.is_some() && file.oidc.is_some()) || (patch.ldap.is_some() && file.ldap.is_some()) {
        return Err(Error::Conflict("The configuration file describes this provider; change it there".to_owned()));
    }
    let mut after = before.clone();
    let mut secrets_changed = Vec::new();
    if let Some(enabled) = patch.internal_enabled {
        after.internal.enabled = enabled;
    }
    if let Some(oidc) = patch.oidc {
        oidc.apply(&mut after.oidc);
        let moved = before.oidc.issuer != after.oidc.issuer;
        if put_secret(cx, services, change.db(), ("oidc.client_secret", CLIENT_SECRET), oidc.client_secret, moved)
            .await?
        {
            secrets_changed.push(CLIENT_SECRET);
        }
    }
    if let Some(ldap) = patch.ldap {
        ldap.apply(&mut after.ldap);
        let moved = before.ldap.url != after.ldap.url;
        if put_secret(cx, services, change.db(), ("ldap.bind_password", BIND_PASSWORD), ldap.bind_password, moved)
            .await?
        {
            secrets_changed.push(BIND_PASSWORD);
        }
    }
    check::settings(&after)?;
    for role in after.roles() {
        roles::grantable(cx, change.db(), organization, role).await?;
    }
    not_locked_out(cx, services, change.db(), &after).await?;
    write(cx, change.db(), &after, version + 1).await?;
    let entry = Change::new("settings.update", "settings", KEY).before(json(&before)?);
    let recorded = json!({"settings": json(&after)?, "secrets_changed": secrets_changed});
    change.commit(entry.after(recorded)).await?;
    shown(services, services.store.read()).await
}

/// Tries a provider out, as it is or as it would be, step by step. Nothing is stored.
///
/// # Errors
/// If the caller may not, or the settings break a rule.
pub async fn test(cx: &OpContext, services: &Services, trial: Trial) -> Result<Vec<Step>> {
    let db = services.store.read();
    home(cx, db, Permission::ConfigTest).await?;
    let (mut settings, _) = in_force(services, db).await?;
    let (method, steps) = match trial {
        Trial::Oidc(patch) => {
            let mut given = None;
            if let Some(patch) = patch {
                let before = settings.oidc.issuer.clone();
                patch.apply(&mut settings.oidc);
                given = secret_for(&patch.client_secret, before != settings.oidc.issuer);
            }
            settings.oidc.enabled = true;
            check::settings(&settings)?;
            let mut provider = provider(services, db, &settings.oidc).await?;
            if let Some(given) = given {
                provider.client_secret = given;
            }
            ("oidc", services.oidc.examine(&provider, cx.now()).await)
        }
        Trial::Ldap(patch, who) => {
            let mut given = None;
            if let Some(patch) = patch {
                let before = settings.ldap.url.clone();
                patch.apply(&mut settings.ldap);
                given = secret_for(&patch.bind_password, before != settings.ldap.url);
            }
            settings.ldap.enabled = true;
            check::settings(&settings)?;
            let mut directory = directory(services, db, &settings.ldap).await?;
            if let Some(given) = given {
                directory.bind_password = given;
            }
            let who = who.as_ref().map(|(name, password)| (name.as_str(), password));
            ("ldap", services.directories.examine(&directory, who).await)
        }
    };
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let ok = steps.iter().all(|step| step.ok);
    change.commit(Change::new("settings.test", "settings", KEY).after(json!({"method": method, "ok": ok}))).await?;
    Ok(steps)
}

/// Turns sign-in with passwords on again: for who runs the program, when no other way in is left.
///
/// # Errors
/// If the database fails.
pub async fn enable_passwords(cx: &OpContext, services: &Services) -> Result<()> {
    let organization = organizations::first(services.store.read()).await?.map(|first| first.id);
    let change = Mutation::begin_open(cx, services, organization).await?;
    let (before, version) = stored(change.db()).await?;
    let after = SignInSettings { internal: InternalSettings { enabled: true }, ..before.clone() };
    write(cx, change.db(), &after, version + 1).await?;
    let entry = Change::new("settings.update", "settings", KEY);
    change.commit(entry.before(json(&before.internal)?).after(json(&after.internal)?)).await
}

impl SignInSettings {
    fn roles(&self) -> impl Iterator<Item = &RoleName> {
        let mapped = self.oidc.role_mapping.iter().chain(&self.ldap.role_mapping).map(|mapping| &mapping.role);
        mapped.chain(&self.oidc.default_role).chain(&self.ldap.default_role)
    }

    fn is_on(&self, method: &str) -> bool {
        match method {
            "oidc" => self.oidc.enabled,
            "ldap" => self.ldap.enabled,
            _ => self.internal.enabled,
        }
    }
}

/// What is in force: the file wins. With the version of what is stored.
pub(crate) async fn in_force(services: &Services, db: Db<'_>) -> Result<(SignInSettings, i64)> {
    let (mut settings, version) = stored(db).await?;
    let file = &services.config.sign_in;
    if let Some((oidc, _)) = &file.oidc {
        settings.oidc = oidc.clone();
    }
    if let Some((ldap, _)) = &file.ldap {
        settings.ldap = ldap.clone();
    }
    Ok((settings, version))
}

/// The organisation that people from outside become members of.
pub(crate) async fn home_organization(db: Db<'_>) -> Result<OrganizationId> {
    let first = organizations::first(db).await?;
    first.map(|first| first.id).ok_or_else(|| Error::Conflict("The server is not set up yet".to_owned()))
}

/// The provider, with its secret.
pub(crate) async fn provider(services: &Services, db: Db<'_>, settings: &OidcSettings) -> Result<Provider> {
    let client_secret = match &services.config.sign_in.oidc {
        Some((_, secret)) => secret.clone(),
        None => secrets::get(services, db, SecretScope::Installation, CLIENT_SECRET).await?,
    };
    Ok(Provider {
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        client_secret,
        redirect_uri: settings.redirect_uri.clone(),
        scopes: settings.scopes.clone(),
        username_claim: settings.username_claim.clone(),
        groups_claim: settings.groups_claim.clone(),
        roots: roots(&settings.ca_certificates)?,
    })
}

/// The directory, with its secret.
pub(crate) async fn directory(services: &Services, db: Db<'_>, settings: &LdapSettings) -> Result<Directory> {
    let bind_password = match &services.config.sign_in.ldap {
        Some((_, secret)) => secret.clone(),
        None => secrets::get(services, db, SecretScope::Installation, BIND_PASSWORD).await?,
    };
    Ok(Directory {
        url: settings.url.clone(),
        start_tls: settings.start_tls && settings.url.starts_with("ldap:"),
        bind_dn: settings.bind_dn.clone(),
        bind_password,
        user_base: settings.user_base.clone(),
        user_filter: settings.user_filter.clone(),
        group_base: settings.group_base.clone(),
        group_filter: settings.group_filter.clone(),
        roots: roots(&settings.ca_certificates)?,
    })
}

fn roots(pem: &str) -> Result<Vec<Vec<u8>>> {
    if pem.trim().is_empty() { Ok(Vec::new()) } else { tls_verified::certificates(pem).map_err(Error::internal) }
}

/// Settings of the installation are the business of where it is run from.
async fn home(cx: &OpContext, db: Db<'_>, permission: Permission) -> Result<()> {
    let organization = cx.require(permission)?;
    if home_organization(db).await? == organization {
        return Ok(());
    }
    Err(Error::Forbidden("Sign-in is set up by the administrators of the first organisation".to_owned()))
}

async fn shown(services: &Services, db: Db<'_>) -> Result<AuthConfig> {
    let (settings, version) = in_force(services, db).await?;
    let file = &services.config.sign_in;
    let client_secret_set = match &file.oidc {
        Some((_, secret)) => secret.is_some(),
        None => secrets::is_set(db, SecretScope::Installation, CLIENT_SECRET).await?,
    };
    let bind_password_set = match &file.ldap {
        Some((_, secret)) => secret.is_some(),
        None => secrets::is_set(db, SecretScope::Installation, BIND_PASSWORD).await?,
    };
    let source = |in_file: bool| if in_file { Source::File } else { Source::Settings };
    Ok(AuthConfig {
        settings,
        version,
        client_secret_set,
        bind_password_set,
        oidc_source: source(file.oidc.is_some()),
        ldap_source: source(file.ldap.is_some()),
    })
}

async fn stored(db: Db<'_>) -> Result<(SignInSettings, i64)> {
    match installation::get(db, KEY).await? {
        None => Ok((SignInSettings::default(), 0)),
        Some(row) => {
            let value = serde_json::from_value(row.value)
                .map_err(|error| StorageError::Corrupt(format!("setting {KEY}: {error}")))?;
            Ok((value, row.version))
        }
    }
}

async fn write(cx: &OpContext, db: Db<'_>, settings: &SignInSettings, version: i64) -> Result<()> {
    let row = InstallationSetting {
        key: KEY.to_owned(),
        value: json(settings)?,
        version,
        updated_at: cx.now(),
        updated_by_name: cx.actor().name().to_owned(),
    };
    if installation::put(db, &row).await? { Ok(()) } else { Err(changed_meanwhile()) }
}

/// Stores, keeps or removes a secret. One that was meant for another server is not sent to a new one: it must be entered
/// again. Says whether it changed.
async fn put_secret(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    (field, name): (&str, &str),
    given: Option<SecretString>,
    moved: bool,
) -> Result<bool> {
    match given {
        Some(secret) if secret.expose_secret().is_empty() => secrets::remove(db, SecretScope::Installation, name).await,
        Some(secret) if secret.expose_secret().len() > 4096 => {
            Err(Error::invalid(format!("body -> {field}"), "at most 4096 bytes"))
        }
        Some(secret) => {
            secrets::put(cx, services, db, (SecretScope::Installation, name), &secret).await?;
            Ok(true)
        }
        None if moved && secrets::is_set(db, SecretScope::Installation, name).await? => {
            Err(Error::invalid(format!("body -> {field}"), "the server changed: enter its secret again"))
        }
        None => Ok(false),
    }
}

/// The secret a trial uses in place of the stored one, if it does: the one given, or none for another server.
fn secret_for(given: &Option<SecretString>, moved: bool) -> Option<Option<SecretString>> {
    match given {
        Some(secret) => Some(Some(secret.clone()).filter(|secret| !secret.expose_secret().is_empty())),
        None => moved.then_some(None),
    }
}

async fn not_locked_out(cx: &OpContext, services: &Services, db: Db<'_>, after: &SignInSettings) -> Result<()> {
    if after.internal.enabled {
        return Ok(());
    }
    let mut present = after.clone();
    if let Some((oidc, _)) = &services.config.sign_in.oidc {
        present.oidc = oidc.clone();
    }
    if let Some((ldap, _)) = &services.config.sign_in.ldap {
        present.ldap = ldap.clone();
    }
    let caller = users::get(db, cx.user()?).await?;
    if caller.is_some_and(|caller| caller.auth_provider != "internal" && present.is_on(&caller.auth_provider)) {
        return Ok(());
    }
    let text =
        "Without passwords you could not sign in any more: sign in by the other method first, then switch them off";
    Err(Error::Conflict(text.to_owned()))
}

fn changed_meanwhile() -> Error {
    Error::Conflict("The settings were changed meanwhile; read them again".to_owned())
}

fn json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(Error::internal)
}
