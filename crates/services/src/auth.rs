//! Setup, sign-in, the session of a request.
//!
//! Passwords are hashed by `bartizan-auth`; access tokens are signed by `http`. What is decided here: who may sign
//! in, which session a refresh token belongs to, that a refresh token is used once, and what the bearer of a token or
//! key may do at this moment.

use std::collections::BTreeSet;

use bartizan_auth::{Identity, PasswordError};
use bartizan_domain::id::{OrganizationId, SessionId, UserId};
use bartizan_domain::{Error, Permission, Result, Role, RoleName};
use bartizan_storage::Db;
use bartizan_storage::members::{self, Membership};
use bartizan_storage::organizations::{self, Organization};
use bartizan_storage::sessions::{self, RefreshToken, Session};
use bartizan_storage::users::{self, User};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::external_accounts::Method;
use crate::mutation::{Change, Mutation};
use crate::settings::{self, ScanSettings, Versioned};
use crate::users::account_fields;
use crate::validate::Fields;
use crate::{Actor, OpContext, Origin, Services, api_keys, auth_config, ldap, passwords, roles, second_factors};

/// How long a refresh token may wait for its use.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(7);
/// How long after its first exchange a refresh token may be presented again, if its successor was never used.
pub const REPLAY_GRACE: TimeDelta = TimeDelta::seconds(30);

/// How long a session may go on, however often it is refreshed: then one signs in again.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);

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
    pub role: RoleName,
    /// What the role may do now.
    pub permissions: BTreeSet<Permission>,
    /// The organisation.
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// `internal`, `ldap` or `oidc`.
    pub auth_provider: String,
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
        last_login_at: Some(now),
        ..crate::users::account(cx, (username, email), Some(password_hash), "internal")
    };
    let membership = membership_of(organization.id, user.id, Role::Admin.into(), now);

    let change = Mutation::begin_open(cx, services, Some(organization.id)).await?;
    users::lock_setup(change.db()).await?;
    if users::count(change.db()).await? > 0 {
        return Err(already_set_up());
    }
    organizations::insert(change.db(), &organization).await?;
    users::insert(change.db(), &user).await?;
    members::insert(change.db(), &membership).await?;
    let scan = Versioned { value: input.scan, version: 1 };
    settings::write_scan(cx, change.db(), organization.id, scan).await?;
    let profile = profile_of(change.db(), &user, &membership, &organization).await?;
    let signed_in = open_session(cx, change.db(), profile).await?;
    let entry = Change::new("auth.setup", "user", user.id);
    change
        .commit(entry.after(json!({
            "username": user.username, "email": user.email, "organization": organization.name,
            "allow_private": input.scan.allow_private,
        })))
        .await?;
    Ok(signed_in)
}

/// Whose passwords are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordOf {
    /// This program.
    Internal,
    /// The directory.
    Directory,
}

/// Signs in with a name (or mail address), a password and, for who has a second factor, a code of it.
///
/// # Errors
/// [`Error::Unauthenticated`], with one text for every reason; [`Error::SecondFactorRequired`] if only the code is
/// missing; [`Error::RateLimited`] after several failures in a row.
pub async fn login(
    cx: &OpContext,
    services: &Services,
    login: &str,
    password: SecretString,
    code: Option<&SecretString>,
) -> Result<SignedIn> {
    sign_in(cx, services, (login, password), code, None).await
}

/// The same where it may be said whose password it is. Left open, an account that is known here decides; a name that is
/// not is looked up in the directory, if there is one.
///
/// # Errors
/// As [`login`]; [`Error::Unavailable`] if the directory cannot be asked.
pub async fn sign_in(
    cx: &OpContext,
    services: &Services,
    (login, password): (&str, SecretString),
    code: Option<&SecretString>,
    whose: Option<PasswordOf>,
) -> Result<SignedIn> {
    if login.len() > 320 {
        return Err(refused());
    }
    let settings = auth_config::in_force(services, services.store.read()).await?.0;
    let user = users::by_login(services.store.read(), login).await?;
    let whose = whose.unwrap_or(match &user {
        Some(user) if user.auth_provider == "ldap" => PasswordOf::Directory,
        None if settings.ldap.enabled => PasswordOf::Directory,
        _ => PasswordOf::Internal,
    });
    match whose {
        PasswordOf::Directory if settings.ldap.enabled => {
            return ldap::sign_in(cx, services, &settings.ldap, (login, password), code).await;
        }
        PasswordOf::Internal if settings.internal.enabled => {}
        // Passwords that are not asked for are not tried: it is no guess.
        _ => return Err(refused()),
    }
    let guard = passwords::Guard::of(user.as_ref(), login);
    guard.check(cx, services).await?;
    let hash = user.as_ref().filter(|user| user.is_active).and_then(|user| user.password_hash.clone());
    let matches = services.passwords.verify(password, hash).await.map_err(password_error)?;
    match user.filter(|user| matches && user.is_active) {
        Some(user) => enter(cx, services, user, &guard, Proof::Password(code)).await,
        None => {
            guard.failed(cx, services).await?;
            Err(refused())
        }
    }
}

/// How a user proved to be the one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// With a password, and this code of a second factor.
    Password(Option<&'a SecretString>),
    /// A provider vouches, who asks for a second factor by itself; and this code, for an account with one here.
    Vouched(Method, Option<&'a SecretString>),
}

/// Opens a session for a user whose first proof is right.
pub(crate) async fn enter(
    cx: &OpContext,
    services: &Services,
    user: User,
    guard: &passwords::Guard,
    proof: Proof<'_>,
) -> Result<SignedIn> {
    let places = members::of_user(services.store.read(), user.id).await?;
    let Some(membership) = places.into_iter().find(|membership| membership.is_active) else { return Err(refused()) };
    let Some(organization) = organizations::get(services.store.read(), membership.organization_id).await? else {
        return Err(refused());
    };
    let (method, code) = match proof {
        Proof::Password(code) => (user.auth_provider.as_str(), code),
        Proof::Vouched(method, code) => (method.as_str(), code),
    };
    if second_factors::is_on(services.store.read(), user.id).await? && code.is_none() {
        return Err(Error::SecondFactorRequired);
    }
    let profile = profile_of(services.store.read(), &user, &membership, &organization).await?;
    let cx = &context_of(cx, services, &profile, None);
    let change = Mutation::begin_open(cx, services, Some(organization.id)).await?;
    if second_factors::is_on(change.db(), user.id).await?
        && !second_factors::accept(cx, services, change.db(), user.id, code).await?
    {
        drop(change);
        guard.failed(cx, services).await?;
        return Err(refused());
    }
    guard.clear(cx, change.db()).await?;
    users::note_login(change.db(), user.id, cx.now()).await?;
    let signed_in = open_session(cx, change.db(), profile).await?;
    let entry = Change::new("auth.login", "session", signed_in.session).after(json!({"method": method}));
    change.commit(entry).await?;
    Ok(signed_in)
}

/// The one answer to every failed attempt.
pub(crate) fn refused() -> Error {
    Error::Unauthenticated("Invalid username or password".to_owned())
}

/// Exchanges a refresh token for the next one.
///
/// Tokens rotate, and a replay ends the session (RFC 9700, section 4.14.2): a token that comes back after its successor
/// was used is held by two, and nobody can tell which of them is the thief. An answer that never arrived looks the same
/// from here: a page that is reloaded while it waits has the old token only and presents it again. So a token that
/// comes back within [`REPLAY_GRACE`] of its first exchange, *while its successor was never used*, gets a fresh
/// successor, and the unused one is withdrawn.
///
/// What a thief gains by that is nothing: whoever holds a copy of an unused token can exchange it anyway, and is found
/// out when the owner presents the other one. It is the same here, since a withdrawn token that comes back ends the
/// session like a used one: of two parties that go on, whoever comes second after the other's use ends it for both. The
/// grace is counted from the first exchange and not from the last replay, so that it cannot be drawn out.
///
/// # Errors
/// [`Error::Unauthenticated`] for a token that is unknown, used, withdrawn, expired, or of an ended session.
pub async fn refresh(cx: &OpContext, services: &Services, token: &SecretString) -> Result<SignedIn> {
    let refused = || Error::Unauthenticated("Invalid refresh token".to_owned());
    let hash = token_hash(token.expose_secret());
    // Whose it is does not change, so it may be read ahead: the change is to be the user's, not nobody's.
    let Some((_, found)) = sessions::by_token(services.store.read(), &hash).await? else { return Err(refused()) };
    let Some(owner) = users::get(services.store.read(), found.user_id).await? else { return Err(refused()) };
    let actor = Actor::User { id: owner.id, username: owner.username, session: Some(found.id), key: None };
    let organization = Some(found.organization_id);
    let cx = &OpContext::new(actor, organization, [], cx.origin().clone(), services.sources());
    let change = Mutation::begin_open(cx, services, organization).await?;
    sessions::lock_tokens(change.db(), found.id).await?;
    let Some((stored, session)) = sessions::by_token(change.db(), &hash).await? else { return Err(refused()) };
    let now = cx.now();
    if !session.is_open(now) || stored.expires_at <= now {
        return Err(refused());
    }
    let unused = match lost_answer(change.db(), &stored, now).await? {
        _ if stored.is_fresh() => None,
        Some(unused) => Some(unused),
        None => {
            sessions::end(change.db(), session.user_id, session.id, now, "refresh_token_reused").await?;
            change.commit(Change::new("auth.refresh_token_reused", "session", session.id)).await?;
            return Err(refused());
        }
    };
    let place = identity(change.db(), session.user_id, session.organization_id).await?;
    let Some((user, membership, organization)) = place else {
        return Err(refused());
    };
    let profile = profile_of(change.db(), &user, &membership, &organization).await?;
    let signed_in = next_token(cx, change.db(), profile, (session.id, session.created_at)).await?;
    let successor = token_hash(signed_in.refresh_token.expose_secret());
    sessions::exchange(change.db(), &hash, &successor, now).await?;
    let mut entry = Change::new("auth.refresh", "session", session.id);
    if let Some(unused) = unused {
        sessions::withdraw(change.db(), &unused, now).await?;
        entry = entry.after(json!({ "repeated": true }));
    }
    sessions::touch(change.db(), session.id, now, signed_in.refresh_expires_at).await?;
    change.commit(entry).await?;
    Ok(signed_in)
}

/// The successor of a used token, if its answer may have been lost: it was exchanged a moment ago, and what it was
/// exchanged for has been used by nobody.
async fn lost_answer(db: Db<'_>, token: &RefreshToken, now: DateTime<Utc>) -> Result<Option<Vec<u8>>> {
    let (Some(used_at), Some(successor), None) = (token.used_at, &token.successor, token.withdrawn_at) else {
        return Ok(None);
    };
    if now - used_at > REPLAY_GRACE {
        return Ok(None);
    }
    let successor = sessions::token(db, successor).await?.filter(RefreshToken::is_fresh);
    Ok(successor.map(|successor| successor.hash))
}

/// The context of a request with a valid access token: the session must still be open, the user active, and the
/// permissions are those of the role held now in the organisation the token names.
///
/// # Errors
/// [`Error::Unauthenticated`] if the session has ended or the user may no longer work there.
pub async fn authenticate(services: &Services, origin: Origin, identity: &Identity) -> Result<(OpContext, Profile)> {
    let ended = || Error::Unauthenticated("The session has ended".to_owned());
    let cx = services.anonymous(origin);
    let db = services.store.read();
    let session =
        sessions::get(db, identity.session).await?.filter(|found| found.user_id == identity.user).ok_or_else(ended)?;
    if !session.is_open(cx.now()) {
        return Err(ended());
    }
    let place = self::identity(db, identity.user, identity.organization).await?.ok_or_else(ended)?;
    let profile = profile_of(db, &place.0, &place.1, &place.2).await?;
    Ok((context_of(&cx, services, &profile, Some(session.id)), profile))
}

/// Whether what a request was allowed to begin may go on: its session or key is still good, its user still works in the
/// organisation, and holds the permission there.
///
/// # Errors
/// [`Error::Unauthenticated`] or [`Error::Forbidden`] if not.
pub(crate) async fn still(cx: &OpContext, services: &Services, permission: Permission) -> Result<()> {
    let Actor::User { id, session, key, .. } = cx.actor() else { return cx.require(permission).map(drop) };
    let (origin, organization) = (cx.origin().clone(), cx.organization()?);
    let (now, _) = match (session, key) {
        (_, Some(key)) => api_keys::again(services, origin, organization, *key).await?,
        (Some(session), None) => {
            let identity = Identity { user: *id, session: *session, organization };
            authenticate(services, origin, &identity).await?
        }
        (None, None) => return cx.require(permission).map(drop),
    };
    now.require(permission).map(drop)
}

/// Moves the session of the request to another organisation of the caller's.
///
/// # Errors
/// [`Error::NotFound`] if the caller does not belong there.
pub async fn switch(cx: &OpContext, services: &Services, to: OrganizationId) -> Result<(Profile, SessionId)> {
    let (user, session) = cx.person()?;
    let change = Mutation::begin_open(cx, services, Some(to)).await?;
    let place = identity(change.db(), user, to).await?.ok_or_else(|| Error::not_found("organization", to))?;
    let profile = profile_of(change.db(), &place.0, &place.1, &place.2).await?;
    sessions::set_organization(change.db(), session, to).await?;
    change.commit(Change::new("auth.switch", "session", session).after(json!({"organization": to}))).await?;
    Ok((profile, session))
}

/// Changes how the web interface looks to the caller.
///
/// # Errors
/// [`Error::Invalid`] for a theme that does not exist.
pub async fn set_theme(cx: &OpContext, services: &Services, theme: &str) -> Result<()> {
    let user = cx.user()?;
    if !matches!(theme, "system" | "light" | "dark") {
        return Err(Error::invalid("body -> theme_preference", "expected system, light or dark"));
    }
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    users::set_theme(change.db(), user, theme, cx.now()).await?;
    change.commit(Change::new("user.profile", "user", user).after(json!({"theme_preference": theme}))).await
}

/// Ends the session of the request.
///
/// # Errors
/// If nobody is signed in.
pub async fn logout(cx: &OpContext, services: &Services) -> Result<()> {
    let (user, session) = cx.person()?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    if !sessions::end(change.db(), user, session, cx.now(), "logout").await? {
        return Err(Error::not_found("session", session));
    }
    change.commit(Change::new("auth.logout", "session", session)).await
}

/// A user's active place in an organisation.
pub(crate) async fn identity(
    db: Db<'_>,
    user: UserId,
    organization: OrganizationId,
) -> Result<Option<(User, Membership, Organization)>> {
    let Some(user) = users::get(db, user).await?.filter(|user| user.is_active) else { return Ok(None) };
    let membership = members::membership(db, organization, user.id).await?.filter(|membership| membership.is_active);
    let Some(membership) = membership else { return Ok(None) };
    let Some(organization) = organizations::get(db, organization).await? else { return Ok(None) };
    Ok(Some((user, membership, organization)))
}

pub(crate) async fn open_session(cx: &OpContext, db: Db<'_>, profile: Profile) -> Result<SignedIn> {
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
    next_token(cx, db, profile, (session.id, session.created_at)).await
}

/// A refresh token of a session that was opened at a time, never for longer than [`SESSION_LIFETIME`] from then.
async fn next_token(
    cx: &OpContext,
    db: Db<'_>,
    profile: Profile,
    (session, opened_at): (SessionId, DateTime<Utc>),
) -> Result<SignedIn> {
    let token = hex::encode(cx.random_bytes::<32>());
    let expires_at = (cx.now() + REFRESH_LIFETIME).min(opened_at + SESSION_LIFETIME);
    let stored = RefreshToken {
        hash: token_hash(&token),
        session_id: session,
        issued_at: cx.now(),
        expires_at,
        used_at: None,
        successor: None,
        withdrawn_at: None,
    };
    sessions::insert_token(db, &stored).await?;
    Ok(SignedIn { profile, session, refresh_token: token.into(), refresh_expires_at: expires_at })
}

/// The stored form of a token of 256 random bits: a fast hash is enough, since there is nothing to guess.
pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The context of a signed-in user.
pub(crate) fn context_of(
    cx: &OpContext,
    services: &Services,
    profile: &Profile,
    session: Option<SessionId>,
) -> OpContext {
    let actor = Actor::User { id: profile.user_id, username: profile.username.clone(), session, key: None };
    let permissions = profile.permissions.iter().copied();
    OpContext::new(actor, Some(profile.organization_id), permissions, cx.origin().clone(), services.sources())
}

pub(crate) async fn profile_of(
    db: Db<'_>,
    user: &User,
    membership: &Membership,
    organization: &Organization,
) -> Result<Profile> {
    Ok(Profile {
        user_id: user.id,
        username: user.username.clone(),
        email: user.email.clone(),
        role: membership.role.clone(),
        permissions: roles::permissions(db, organization.id, &membership.role).await?,
        organization_id: organization.id,
        organization_name: organization.name.clone(),
        auth_provider: user.auth_provider.clone(),
        theme_preference: user.theme_preference.clone(),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    })
}

pub(crate) fn membership_of(
    organization_id: OrganizationId,
    user_id: UserId,
    role: RoleName,
    created_at: DateTime<Utc>,
) -> Membership {
    Membership { organization_id, user_id, role, is_active: true, created_at }
}

pub(crate) fn password_error(error: PasswordError) -> Error {
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
    let (username, email) = account_fields(&mut fields, &input.username, &input.email, &input.password);
    let organization = input.organization_name.as_deref().unwrap_or("My organisation");
    let organization = fields.text("organization_name", organization, 100);
    fields.finish()?;
    Ok((username, email, organization))
}
