//! Setup, sign-in, sessions.
//!
//! Passwords are hashed by `bartizan-auth`; access tokens are signed by `http`. What is decided here: who may sign
//! in, which session a refresh token belongs to, and that a refresh token is used once.

use bartizan_auth::PasswordError;
use bartizan_auth::password::check_rules;
use bartizan_domain::id::{OrganizationId, SessionId, UserId};
use bartizan_domain::{Error, Result, Role};
use bartizan_storage::Db;
use bartizan_storage::organizations::{self, Organization};
use bartizan_storage::sessions::{self, RefreshToken, Session};
use bartizan_storage::users::{self, Membership, User};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::mutation::{Change, Mutation};
use crate::settings::{self, ScanSettings, Versioned};
use crate::validate::Fields;
use crate::{Actor, OpContext, Origin, Services};

/// How long a refresh token may wait for its use.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(7);

/// Whether the product still has to be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupState {
    /// No user exists yet.
    pub needed: bool,
    /// Setup asks for the one-time token printed at start.
    pub token_required: bool,
}

/// What setup is given.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The one-time token, where one is required.
    pub token: Option<SecretString>,
    /// Name of the first user, an administrator.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// Password.
    pub password: SecretString,
    /// Name of the organisation; a default is used if left out.
    pub organization_name: Option<String>,
    /// Scan settings to start with.
    pub scan: ScanSettings,
}

/// A user in an organisation, as shown to that user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub user_id: UserId,
    /// Name.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// Role in the organisation.
    pub role: Role,
    /// The organisation.
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// `light`, `dark` or `system`.
    pub theme_preference: String,
    /// When the user was added.
    pub created_at: DateTime<Utc>,
    /// The sign-in before or at this one.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A fresh sign-in or refresh.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub profile: Profile,
    /// The session, for the access token.
    pub session: SessionId,
    /// The next refresh token. It is not stored and cannot be shown again.
    pub refresh_token: SecretString,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
}

/// Whether setup is open.
///
/// # Errors
/// If the database fails.
pub async fn setup_state(_cx: &OpContext, services: &Services) -> Result<SetupState> {
    let needed = users::count(services.store.read()).await? == 0;
    Ok(SetupState { needed, token_required: needed && services.config.setup_token.is_some() })
}

/// Creates the first user, an administrator, and the organisation, and signs the user in.
///
/// # Errors
/// [`Error::Conflict`] once there is a user, [`Error::Forbidden`] with a wrong one-time token, [`Error::Invalid`] for
/// fields that break a rule.
pub async fn setup(cx: &OpContext, services: &Services, input: Setup) -> Result<SignedIn> {
    if users::count(services.store.read()).await? > 0 {
        return Err(already_set_up());
    }
    check_setup_token(services, input.token.as_ref())?;
    let (username, email, organization_name) = check_setup(&input)?;
    let password_hash = services.passwords.hash(input.password).await.map_err(password_error)?;
    let now = cx.now();
    let organization = Organization { id: cx.new_id(), name: organization_name, created_at: now };
    let user = User {
        id: cx.new_id(),
        username,
        email,
        password_hash: Some(password_hash),
        auth_provider: "internal".to_owned(),
        is_active: true,
        theme_preference: "system".to_owned(),
        created_at: now,
        updated_at: now,
        last_login_at: Some(now),
    };
    let membership =
        Membership { organization_id: organization.id, user_id: user.id, role: Role::Admin, created_at: now };

    let change = Mutation::begin_open(cx, services, Some(organization.id)).await?;
    users::lock_setup(change.db()).await?;
    if users::count(change.db()).await? > 0 {
        return Err(already_set_up());
    }
    organizations::insert(change.db(), &organization).await?;
    users::insert(change.db(), &user).await?;
    users::insert_membership(change.db(), &membership).await?;
    let scan = Versioned { value: input.scan, version: 1 };
    settings::write_scan(cx, change.db(), organization.id, scan).await?;
    let signed_in = open_session(cx, change.db(), profile_of(&user, &membership, &organization)).await?;
    let entry = Change::new("auth.setup", "user", user.id);
    change
        .commit(entry.after(json!({
            "username": user.username, "email": user.email, "organization": organization.name,
            "allow_private": input.scan.allow_private,
        })))
        .await?;
    Ok(signed_in)
}

/// Signs in with a name (or mail address) and a password.
///
/// # Errors
/// [`Error::Unauthenticated`], with one text for every reason.
pub async fn login(cx: &OpContext, services: &Services, login: &str, password: SecretString) -> Result<SignedIn> {
    let refused = || Error::Unauthenticated("Invalid username or password".to_owned());
    if login.len() > 320 {
        return Err(refused());
    }
    let user = users::by_login(services.store.read(), login).await?;
    let hash = user.as_ref().filter(|user| user.is_active).and_then(|user| user.password_hash.clone());
    let matches = services.passwords.verify(password, hash).await.map_err(password_error)?;
    let Some(user) = user.filter(|user| matches && user.is_active) else { return Err(refused()) };
    let memberships = users::memberships(services.store.read(), user.id).await?;
    let Some(membership) = memberships.first() else { return Err(refused()) };
    let Some(organization) = organizations::get(services.store.read(), membership.organization_id).await? else {
        return Err(refused());
    };

    let cx = &signed_in_as(cx, services, &user, membership, None);
    let change = Mutation::begin_open(cx, services, Some(organization.id)).await?;
    users::note_login(change.db(), user.id, cx.now()).await?;
    let signed_in = open_session(cx, change.db(), profile_of(&user, membership, &organization)).await?;
    change.commit(Change::new("auth.login", "session", signed_in.session)).await?;
    Ok(signed_in)
}

/// Exchanges a refresh token for the next one. A token that was exchanged before ends its whole session: either its
/// owner or a thief is holding a copy.
///
/// # Errors
/// [`Error::Unauthenticated`] for a token that is unknown, used, expired, or of an ended session.
pub async fn refresh(cx: &OpContext, services: &Services, token: &SecretString) -> Result<SignedIn> {
    let refused = || Error::Unauthenticated("Invalid refresh token".to_owned());
    let hash = token_hash(token.expose_secret());
    let now = cx.now();
    let change = Mutation::begin_open(cx, services, None).await?;
    let Some((stored, session)) = sessions::by_token(change.db(), &hash).await? else { return Err(refused()) };
    if session.ended_at.is_some() || stored.expires_at <= now {
        return Err(refused());
    }
    if stored.used_at.is_some() || !sessions::use_token(change.db(), &hash, now).await? {
        sessions::end(change.db(), session.user_id, session.id, now, "refresh_token_reused").await?;
        change.commit(Change::new("auth.refresh_token_reused", "session", session.id)).await?;
        return Err(refused());
    }
    let Some((user, membership, organization)) = identity(change.db(), &session).await? else {
        return Err(refused());
    };
    let profile = profile_of(&user, &membership, &organization);
    let signed_in = next_token(cx, change.db(), profile, session.id).await?;
    sessions::touch(change.db(), session.id, now, signed_in.refresh_expires_at).await?;
    change.commit(Change::new("auth.refresh", "session", session.id)).await?;
    Ok(signed_in)
}

/// The context of a request with a valid access token: the session must still be open, the user active, and the
/// permissions are those of the role held now.
///
/// # Errors
/// [`Error::Unauthenticated`] if the session has ended or the user may no longer sign in.
pub async fn authenticate(
    services: &Services,
    origin: Origin,
    user: UserId,
    session: SessionId,
) -> Result<(OpContext, Profile)> {
    let ended = || Error::Unauthenticated("The session has ended".to_owned());
    let cx = services.anonymous(origin);
    let db = services.store.read();
    let session = sessions::get(db, session).await?.filter(|found| found.user_id == user).ok_or_else(ended)?;
    if session.ended_at.is_some() {
        return Err(ended());
    }
    let (user, membership, organization) = identity(db, &session).await?.ok_or_else(ended)?;
    let profile = profile_of(&user, &membership, &organization);
    Ok((signed_in_as(&cx, services, &user, &membership, Some(session.id)), profile))
}

/// Ends the session of the request.
///
/// # Errors
/// If nobody is signed in.
pub async fn logout(cx: &OpContext, services: &Services) -> Result<()> {
    let Actor::User { session: Some(session), .. } = cx.actor() else {
        return Err(Error::Unauthenticated("Not authenticated".to_owned()));
    };
    end_session(cx, services, *session, "logout").await
}

/// The caller's open sessions, last used first.
///
/// # Errors
/// If nobody is signed in.
pub async fn sessions(cx: &OpContext, services: &Services) -> Result<Vec<Session>> {
    let user = own_id(cx)?;
    Ok(sessions::open_of(services.store.read(), user, cx.now()).await?)
}

/// Ends one of the caller's own sessions.
///
/// # Errors
/// [`Error::NotFound`] if the caller has no such open session.
pub async fn revoke_session(cx: &OpContext, services: &Services, session: SessionId) -> Result<()> {
    end_session(cx, services, session, "revoked").await
}

async fn end_session(cx: &OpContext, services: &Services, session: SessionId, because: &'static str) -> Result<()> {
    let user = own_id(cx)?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    if !sessions::end(change.db(), user, session, cx.now(), because).await? {
        return Err(Error::not_found("session", session));
    }
    let action = if because == "logout" { "auth.logout" } else { "auth.session_revoke" };
    change.commit(Change::new(action, "session", session)).await
}

fn own_id(cx: &OpContext) -> Result<UserId> {
    cx.actor().user_id().ok_or_else(|| Error::Unauthenticated("Not authenticated".to_owned()))
}

async fn identity(db: Db<'_>, session: &Session) -> Result<Option<(User, Membership, Organization)>> {
    let Some(user) = users::get(db, session.user_id).await?.filter(|user| user.is_active) else { return Ok(None) };
    let Some(membership) = users::membership(db, session.organization_id, user.id).await? else { return Ok(None) };
    let Some(organization) = organizations::get(db, session.organization_id).await? else { return Ok(None) };
    Ok(Some((user, membership, organization)))
}

async fn open_session(cx: &OpContext, db: Db<'_>, profile: Profile) -> Result<SignedIn> {
    let now = cx.now();
    let session = Session {
        id: cx.new_id(),
        organization_id: profile.organization_id,
        user_id: profile.user_id,
        user_agent: cx.origin().user_agent.clone().unwrap_or_default().chars().take(300).collect(),
        ip: cx.origin().ip.clone().unwrap_or_default(),
        created_at: now,
        last_used_at: now,
        expires_at: now + REFRESH_LIFETIME,
        ended_at: None,
        ended_because: None,
    };
    sessions::insert(db, &session).await?;
    next_token(cx, db, profile, session.id).await
}

async fn next_token(cx: &OpContext, db: Db<'_>, profile: Profile, session: SessionId) -> Result<SignedIn> {
    let token = hex::encode(cx.random_bytes::<32>());
    let expires_at = cx.now() + REFRESH_LIFETIME;
    let stored =
        RefreshToken { hash: token_hash(&token), session_id: session, issued_at: cx.now(), expires_at, used_at: None };
    sessions::insert_token(db, &stored).await?;
    Ok(SignedIn { profile, session, refresh_token: token.into(), refresh_expires_at: expires_at })
}

// A refresh token is 256 random bits, so a fast hash is enough: there is nothing to guess.
fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn signed_in_as(
    cx: &OpContext,
    services: &Services,
    user: &User,
    membership: &Membership,
    session: Option<SessionId>,
) -> OpContext {
    let actor = Actor::User { id: user.id, username: user.username.clone(), session };
    let permissions = membership.role.permissions();
    OpContext::new(actor, Some(membership.organization_id), permissions, cx.origin().clone(), services.sources())
}

fn profile_of(user: &User, membership: &Membership, organization: &Organization) -> Profile {
    Profile {
        user_id: user.id,
        username: user.username.clone(),
        email: user.email.clone(),
        role: membership.role,
        organization_id: organization.id,
        organization_name: organization.name.clone(),
        theme_preference: user.theme_preference.clone(),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

fn password_error(error: PasswordError) -> Error {
    match error {
        PasswordError::Busy => Error::RateLimited { retry_after: 1 },
        PasswordError::Hash(_) => Error::internal(error),
    }
}

fn already_set_up() -> Error {
    Error::Conflict("Setup has already been completed".to_owned())
}

fn check_setup_token(services: &Services, given: Option<&SecretString>) -> Result<()> {
    let Some(expected) = &services.config.setup_token else { return Ok(()) };
    // Comparing digests takes the same time wherever the first difference is.
    let digest = |secret: &SecretString| Sha256::digest(secret.expose_secret().as_bytes());
    match given {
        Some(token) if digest(token) == digest(expected) => Ok(()),
        _ => Err(Error::Forbidden("Setup needs the one-time token that the server printed at start".to_owned())),
    }
}

fn check_setup(input: &Setup) -> Result<(String, String, String)> {
    let mut fields = Fields::default();
    let username = fields.text("username", &input.username, 64);
    if username.chars().any(char::is_whitespace) {
        fields.error("username", "username must not contain spaces");
    }
    let email = input.email.trim().to_owned();
    if let Err(message) = check_email(&email) {
        fields.error("email", message);
    }
    if let Err(message) = check_rules(&input.password, &[&username, &email]) {
        fields.error("password", message);
    }
    let organization = input.organization_name.as_deref().unwrap_or("My organisation");
    let organization = fields.text("organization_name", organization, 200);
    fields.finish()?;
    Ok((username, email, organization))
}

/// Checks the form of a mail address: one `@` with something sensible on both sides. Whether it works is only known
/// after a message was delivered.
fn check_email(email: &str) -> Result<(), String> {
    let rule = || "value is not a valid email address".to_owned();
    let (local, domain) = email.rsplit_once('@').ok_or_else(rule)?;
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
    let bad_domain = domain.is_empty() || domain.starts_with(['.', '-']) || domain.ends_with(['.', '-']);
    if local.is_empty()
        || local.len() > 64
        || email.len() > 254
        || email.chars().filter(|c| bad(*c)).count() > 1
        || bad_domain
    {
        return Err(rule());
    }
    Ok(())
}
