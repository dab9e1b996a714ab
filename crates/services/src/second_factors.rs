//! The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes for the day it is lost.
//!
//! A code is good once. The secret is sealed like every other; recovery codes are random and stored as hashes.

use bartizan_auth::Totp;
use bartizan_domain::id::UserId;
use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::second_factors::{self as storage, SecondFactor};
use bartizan_storage::{Db, users};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::mutation::{Change, Mutation};
use crate::secrets::{self, SecretScope};
use crate::{OpContext, Services, passwords};

/// Recovery codes a user has.
const CODES: usize = 10;

/// Letters and digits of recovery codes: those that are not taken for one another (Crockford).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// State of the caller's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Since when codes are asked for; `None` if they are not.
    pub enabled_at: Option<DateTime<Utc>>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u64,
}

/// What an authenticator is told. It is shown once.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret in base32, for typing.
    pub secret: SecretString,
    /// The same as an `otpauth:` address, for a QR code.
    pub url: SecretString,
}

/// The caller's second factor.
///
/// # Errors
/// If nobody is signed in in person.
pub async fn state(cx: &OpContext, services: &Services) -> Result<State> {
    let (user, _) = cx.person()?;
    let db = services.store.read();
    Ok(State {
        enabled_at: storage::get(db, user).await?.and_then(|factor| factor.confirmed_at),
        recovery_codes_left: storage::count_codes(db, user).await?,
    })
}

/// Begins a second factor: makes a secret, which counts from the first right code on.
///
/// # Errors
/// [`Error::Conflict`] if the caller has one already or signs in elsewhere, [`Error::Invalid`] if the password is wrong.
pub async fn begin(cx: &OpContext, services: &Services, password: SecretString) -> Result<Enrolment> {
    let (id, _) = cx.person()?;
    let username = check_password(cx, services, id, password).await?;
    let totp = Totp::from_bytes(&cx.random_bytes::<20>());
    let secret = totp.secret();
    let url = totp.url(&username).map_err(Error::internal)?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    if is_on(change.db(), id).await? {
        return Err(Error::Conflict("You have a second factor already; remove it first".to_owned()));
    }
    let factor = SecondFactor { user_id: id, created_at: cx.now(), confirmed_at: None, last_step: 0 };
    storage::put(change.db(), &factor).await?;
    secrets::put(cx, services, change.db(), (SecretScope::Installation, &place(id)), &secret).await?;
    change.commit(Change::new("auth.second_factor_begin", "user", id)).await?;
    Ok(Enrolment { secret, url })
}

/// Turns the begun second factor on with a first code, and hands out recovery codes, which are shown once.
///
/// # Errors
/// [`Error::Conflict`] if none was begun, [`Error::Invalid`] if the code is wrong, [`Error::RateLimited`] after several
/// wrong ones in a row.
pub async fn confirm(cx: &OpContext, services: &Services, code: &SecretString) -> Result<Vec<SecretString>> {
    let (id, _) = cx.person()?;
    let guard = guard_of(services, id).await?;
    guard.check(cx, services).await?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let factor = storage::get(change.db(), id).await?.filter(|factor| factor.confirmed_at.is_none());
    let Some(factor) = factor else {
        return Err(Error::Conflict("No second factor was begun".to_owned()));
    };
    let step = totp(services, change.db(), id).await?.and_then(|totp| totp.check(code, cx.now()));
    let Some(step) = step else {
        drop(change);
        guard.failed(cx, services).await?;
        return Err(wrong());
    };
    guard.clear(cx, change.db()).await?;
    storage::put(change.db(), &SecondFactor { confirmed_at: Some(cx.now()), last_step: step, ..factor }).await?;
    let codes = new_codes(cx, change.db(), id).await?;
    change.commit(Change::new("auth.second_factor_enable", "user", id)).await?;
    Ok(codes)
}

/// Replaces the caller's recovery codes; the new ones are shown once.
///
/// # Errors
/// [`Error::Conflict`] without a second factor, [`Error::Invalid`] if the code is wrong, [`Error::RateLimited`] after
/// several wrong ones in a row.
pub async fn renew_codes(cx: &OpContext, services: &Services, code: &SecretString) -> Result<Vec<SecretString>> {
    let (id, _) = cx.person()?;
    let guard = guard_of(services, id).await?;
    guard.check(cx, services).await?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    must_be_on(change.db(), id).await?;
    if !accept(cx, services, change.db(), id, Some(code)).await? {
        drop(change);
        guard.failed(cx, services).await?;
        return Err(wrong());
    }
    guard.clear(cx, change.db()).await?;
    let codes = new_codes(cx, change.db(), id).await?;
    change.commit(Change::new("auth.recovery_codes", "user", id)).await?;
    Ok(codes)
}

/// Removes the caller's second factor.
///
/// # Errors
/// [`Error::Conflict`] without one, [`Error::Invalid`] if the password is wrong.
pub async fn remove(cx: &OpContext, services: &Services, password: SecretString) -> Result<()> {
    let (id, _) = cx.person()?;
    must_be_on(services.store.read(), id).await?;
    check_password(cx, services, id, password).await?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    forget(change.db(), id).await?;
    change.commit(Change::new("auth.second_factor_disable", "user", id)).await
}

/// Removes the second factor of a user who lost it. Not for people who belong to other organisations as well: there it
/// guards what is not this administrator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], or [`Error::Conflict`] for such people.
pub async fn remove_of(cx: &OpContext, services: &Services, id: UserId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    let member = crate::members::found(change.db(), organization, id).await?;
    crate::members::manageable(cx, change.db(), &member.membership).await?;
    if bartizan_storage::members::of_user(change.db(), id).await?.len() > 1 {
        return Err(Error::Conflict("The user belongs to other organisations as well".to_owned()));
    }
    must_be_on(change.db(), id).await?;
    forget(change.db(), id).await?;
    change.commit(Change::new("user.second_factor_remove", "user", id)).await
}

/// Removes the second factor of any user: for who runs the program, when nobody else can.
///
/// # Errors
/// [`Error::NotFound`] if nobody has the name or address, [`Error::Conflict`] without a second factor.
pub async fn remove_for(cx: &OpContext, services: &Services, login: &str) -> Result<()> {
    let user = users::by_login(services.store.read(), login).await?;
    let id = user.ok_or_else(|| Error::not_found("user", login))?.id;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    must_be_on(change.db(), id).await?;
    forget(change.db(), id).await?;
    change.commit(Change::new("user.second_factor_remove", "user", id)).await
}

/// Whether codes are asked of a user.
pub(crate) async fn is_on(db: Db<'_>, user: UserId) -> Result<bool> {
    Ok(storage::get(db, user).await?.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Uses a code or a recovery code up. Says whether it was right.
pub(crate) async fn accept(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    user: UserId,
    code: Option<&SecretString>,
) -> Result<bool> {
    let Some(code) = code else { return Ok(false) };
    let step = totp(services, db, user).await?.and_then(|totp| totp.check(code, cx.now()));
    match step {
        Some(step) => Ok(storage::use_step(db, user, step).await?),
        None => Ok(storage::use_code(db, user, &code_hash(user, code.expose_secret()), cx.now()).await?),
    }
}

async fn totp(services: &Services, db: Db<'_>, user: UserId) -> Result<Option<Totp>> {
    let Some(secret) = secrets::get(services, db, SecretScope::Installation, &place(user)).await? else {
        return Ok(None);
    };
    Totp::from_base32(&secret).map(Some).map_err(Error::internal)
}

async fn new_codes(cx: &OpContext, db: Db<'_>, user: UserId) -> Result<Vec<SecretString>> {
    let codes: Vec<String> = (0..CODES).map(|_| new_code(cx)).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code_hash(user, code)).collect();
    storage::replace_codes(db, user, &hashes).await?;
    Ok(codes.into_iter().map(Into::into).collect())
}

/// 80 random bits as `xxxx-xxxx-xxxx-xxxx`.
fn new_code(cx: &OpContext) -> String {
    let mut code = String::with_capacity(19);
    for (index, byte) in cx.random_bytes::<16>().into_iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    code
}

fn code_hash(user: UserId, code: &str) -> Vec<u8> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Sha256::digest(format!("{user}:{plain}").as_bytes()).to_vec()
}

async fn forget(db: Db<'_>, user: UserId) -> Result<()> {
    storage::remove(db, user).await?;
    secrets::remove(db, SecretScope::Installation, &place(user)).await?;
    Ok(())
}

/// Guesses at codes count like guesses at the password.
async fn guard_of(services: &Services, id: UserId) -> Result<passwords::Guard> {
    let user = users::get(services.store.read(), id).await?.ok_or_else(|| Error::not_found("user", id))?;
    Ok(passwords::Guard::of_codes(&user))
}

async fn check_password(cx: &OpContext, services: &Services, id: UserId, given: SecretString) -> Result<String> {
    let user = users::get(services.store.read(), id).await?.ok_or_else(|| Error::not_found("user", id))?;
    let Some(hash) = user.password_hash.clone() else {
        let text = "Your second factor is a matter of the directory you sign in with";
        return Err(Error::Conflict(text.to_owned()));
    };
    passwords::confirm(cx, services, &user, hash, given).await?;
    Ok(user.username)
}

async fn must_be_on(db: Db<'_>, user: UserId) -> Result<()> {
    if is_on(db, user).await? { Ok(()) } else { Err(Error::Conflict("There is no second factor".to_owned())) }
}

fn wrong() -> Error {
    Error::invalid("body -> code", "the code is wrong or was used before")
}

fn place(user: UserId) -> String {
    format!("totp/{user}")
}
