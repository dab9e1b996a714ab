//! Passwords: changing one's own, setting a new one with a link from a mail, and what happens when somebody guesses.
//!
//! Failures count twice (addresses have a limit of their own beside, in `http`):
//!
//! - for the account and the network they come from: after a few, that network waits, and nobody else. So a stranger
//!   cannot keep the owner out by failing on purpose;
//! - for the account wherever they come from, with many more free: a guesser with many addresses is slowed down as well.
//!   Clients in a network in which the account was lately used do not wait for that.
//!
//! An account that does not exist counts alike, so that the answers do not tell which exist.

use std::net::IpAddr;

use bartizan_auth::password::check_rules;
use bartizan_domain::id::{OrganizationId, UserId};
use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::passwords::{self as storage, Failures, PasswordReset};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Db, sessions};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::api_keys::{self, ApiKeysThen};
use crate::mutation::{Change, Mutation};
use crate::validate::check_email;
use crate::{OpContext, Services, auth, mail, mail_jobs};

/// Failures in a row from one network that cost nothing.
const FREE: i32 = 5;
/// Failures in a row of an account, from wherever, that cost nothing.
const FREE_ANYWHERE: i32 = 100;
/// How long ago a session may have been used for its network to be known.
const AT_HOME: TimeDelta = TimeDelta::days(30);
/// Seconds the first failure beyond costs; each further one doubles it.
const FIRST_BLOCK: i64 = 30;
/// Seconds a failure costs at most.
const LONGEST_BLOCK: i64 = 15 * 60;
/// How long the link of a mail for a new password is good.
const RESET_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Links an account may be sent within [`RESETS_WITHIN`]: whoever knows an address must not be able to fill its mailbox.
const RESETS: u64 = 3;
/// See [`RESETS`].
const RESETS_WITHIN: TimeDelta = TimeDelta::hours(1);
/// A failure older than this is forgotten.
pub(crate) const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

/// Counts the failures of one account.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    account: String,
    user: Option<User>,
    /// Name that was given, where the user is not looked up beforehand.
    login: Option<String>,
    method: &'static str,
}

impl Guard {
    /// For the user found, or for a name that nobody has.
    pub(crate) fn of(user: Option<&User>, login: &str) -> Self {
        let account = match user {
            Some(user) => user.id.to_string(),
            // Hashed, since people type passwords into the field for names.
            None => hex::encode(Sha256::digest(login.trim().to_lowercase().as_bytes())),
        };
        Self { account, user: user.cloned(), login: None, method: "internal" }
    }

    /// For a name that is looked up in the directory.
    pub(crate) fn of_directory(login: &str) -> Self {
        let name = format!("ldap:{}", login.trim().to_lowercase());
        let account = hex::encode(Sha256::digest(name.as_bytes()));
        Self { account, user: None, login: Some(login.to_owned()), method: "ldap" }
    }

    /// For the codes of a second factor of somebody who is signed in.
    pub(crate) fn of_codes(user: &User) -> Self {
        Self { method: "second_factor", ..Self::of(Some(user), &user.username) }
    }

    /// Whether an attempt is looked at now.
    ///
    /// # Errors
    /// [`Error::RateLimited`] while it is not.
    pub(crate) async fn check(&self, cx: &OpContext, services: &Services) -> Result<()> {
        let db = services.store.read();
        let mut left = self.left(cx, db, &self.place(cx)).await?;
        if left <= 0 {
            left = self.left(cx, db, &self.account).await?;
            if left <= 0 || self.is_at_home(cx, services).await? {
                return Ok(());
            }
        }
        Err(Error::RateLimited { retry_after: u64::try_from(left).unwrap_or(1).div_ceil(1000) })
    }

    /// Milliseconds for which nothing counted under this name is looked at.
    async fn left(&self, cx: &OpContext, db: Db<'_>, name: &str) -> Result<i64> {
        let until = storage::failures(db, name).await?.and_then(|found| found.blocked_until);
        Ok(until.map_or(0, |until| (until - cx.now()).num_milliseconds()))
    }

    /// The account as seen from the client's network.
    fn place(&self, cx: &OpContext) -> String {
        format!("{}@{}", self.account, network_of(cx.origin().ip.as_deref()))
    }

    /// Whether the account has been used lately from where the attempt comes: strangers that fail elsewhere must not
    /// keep its owner out.
    async fn is_at_home(&self, cx: &OpContext, services: &Services) -> Result<bool> {
        let db = services.store.read();
        let user = match (&self.user, &self.login) {
            (Some(user), _) => Some(user.id),
            (None, Some(login)) => users::by_login(db, login).await?.map(|user| user.id),
            (None, None) => None,
        };
        let Some(user) = user else { return Ok(false) };
        let network = network_of(cx.origin().ip.as_deref());
        let lately = sessions::of_lately(db, user, cx.now() - AT_HOME).await?;
        Ok(lately.iter().any(|session| network_of(Some(&session.ip)) == network))
    }

    /// Counts a failure, and puts it on record.
    pub(crate) async fn failed(&self, cx: &OpContext, services: &Services) -> Result<()> {
        let organization = match &self.user {
            Some(user) => home_of(services, user.id).await?,
            None => None,
        };
        let change = Mutation::begin_open(cx, services, organization).await?;
        storage::lock_failures(change.db(), &self.account).await?;
        count(cx, change.db(), self.account.clone(), FREE_ANYWHERE).await?;
        let failures = count(cx, change.db(), self.place(cx), FREE).await?;
        let name = self.user.as_ref().map_or_else(|| "unknown".to_owned(), |user| user.id.to_string());
        let entry = Change::new("auth.login_failed", "user", name);
        let username = self.user.as_ref().map(|user| user.username.as_str());
        let after = json!({"method": self.method, "reason": "credentials", "username": username, "failures": failures});
        change.commit(entry.after(after)).await
    }

    /// Forgets the failures from the client's network, since the right password was given. Those from elsewhere count on.
    pub(crate) async fn clear(&self, cx: &OpContext, db: Db<'_>) -> Result<()> {
        Ok(storage::clear_failures(db, &self.place(cx)).await?)
    }
}

/// Counts a failure under a name; the first `free` ones in a row cost nothing. Says how many there were.
async fn count(cx: &OpContext, db: Db<'_>, name: String, free: i32) -> Result<i32> {
    let now = cx.now();
    let before = storage::failures(db, &name).await?;
    let before = before.filter(|found| found.last_at + FORGOTTEN_AFTER > now).map_or(0, |found| found.failures);
    let failures = before.saturating_add(1);
    let blocked_until = block(failures, free).map(|time| now + time);
    storage::put_failures(db, &Failures { account: name, failures, last_at: now, blocked_until }).await?;
    Ok(failures)
}

/// What holds the addresses one client is likely to have: a /24 of IPv4, a /64 of IPv6.
fn network_of(address: Option<&str>) -> String {
    match address.and_then(|address| address.parse::<IpAddr>().ok()).map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        None => "nowhere".to_owned(),
    }
}

fn block(failures: i32, free: i32) -> Option<TimeDelta> {
    let beyond = u32::try_from(failures.saturating_sub(free)).ok()?;
    let seconds = FIRST_BLOCK.saturating_mul(2_i64.saturating_pow(beyond)).min(LONGEST_BLOCK);
    Some(TimeDelta::seconds(seconds))
}

/// Changes the caller's own password and ends the caller's other sessions; `keys` says what becomes of the API keys.
///
/// # Errors
/// [`Error::Invalid`] if the present password is wrong or the new one breaks a rule, [`Error::Conflict`] for users whose
/// password is kept elsewhere, [`Error::RateLimited`] after several failures in a row.
pub async fn change(
    cx: &OpContext,
    services: &Services,
    current: SecretString,
    new: SecretString,
    keys: ApiKeysThen,
) -> Result<()> {
    let (id, session) = cx.person()?;
    let user = users::get(services.store.read(), id).await?.ok_or_else(|| Error::not_found("user", id))?;
    let Some(hash) = user.password_hash.clone() else {
        return Err(Error::Conflict("Your password is kept by the directory you sign in with".to_owned()));
    };
    confirm(cx, services, &user, hash, current).await?;
    check_rules(&new, &[&user.username, &user.email]).map_err(|text| Error::invalid("body -> new_password", text))?;
    let hash = services.passwords.hash(new).await.map_err(auth::password_error)?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    users::set_password(change.db(), id, &hash, cx.now()).await?;
    let ended = sessions::end_all(change.db(), id, None, Some(session), (cx.now(), "password_changed")).await?;
    let revoked = api_keys::revoke_with(&change, keys, (id, None), cx.now()).await?;
    tell_of_change(cx, services, change.db(), (cx.organization_if_any(), id)).await?;
    let entry = Change::new("auth.password_change", "user", id);
    change.commit(entry.after(json!({"sessions_ended": ended, "api_keys_revoked": revoked}))).await?;
    services.queue.wake();
    Ok(())
}

/// Has a link for a new password sent to the owner of an address, if it is somebody's whose password is kept here.
///
/// The caller learns nothing of that, from the answer or from the time it takes: the work is the same for each address,
/// and what follows is a job's.
///
/// # Errors
/// [`Error::Invalid`] for what is no address.
pub async fn forgot(cx: &OpContext, services: &Services, email: &str) -> Result<()> {
    check_email(email.trim()).map_err(|message| Error::invalid("body -> email", message))?;
    if mail::is_on(services).await? {
        mail_jobs::password_forgotten(cx, services, email).await?;
    }
    Ok(())
}

/// Makes a token for a new password and has it sent, if the address is that of an active account with a password here,
/// and not too many were made lately.
pub(crate) async fn issue_reset(cx: &OpContext, services: &Services, email: &str) -> Result<()> {
    let found = users::by_email(services.store.read(), email).await?;
    let Some(user) = found.filter(may_reset) else { return Ok(()) };
    let home = home_of(services, user.id).await?;
    let change = Mutation::begin_open(cx, services, home).await?;
    storage::lock_failures(change.db(), &user.id.to_string()).await?;
    if storage::count_resets(change.db(), user.id, cx.now() - RESETS_WITHIN).await? >= RESETS {
        tracing::warn!(user = %user.id, "a new password was asked for too often; no further mail is sent for now");
        return Ok(());
    }
    let (token, reset) = new_reset(cx, user.id);
    storage::insert_reset(change.db(), &reset).await?;
    mail_jobs::password_reset(cx, services, change.db(), (home, user.id), &token).await?;
    let entry = Change::new("auth.password_reset_request", "user", user.id);
    change.commit(entry.after(json!({"username": user.username, "expires_at": reset.expires_at}))).await?;
    services.queue.wake();
    Ok(())
}

/// Sets a new password with the token of a mail or of a link that was handed over, once. Every session of the user ends;
/// `keys` says what becomes of the API keys.
///
/// # Errors
/// [`Error::Invalid`] if the token is not good or the password breaks a rule; the token stays good in the latter case.
pub async fn reset(
    cx: &OpContext,
    services: &Services,
    token: &SecretString,
    new: SecretString,
    keys: ApiKeysThen,
) -> Result<()> {
    let hash = auth::token_hash(token.expose_secret());
    let db = services.store.read();
    let found = storage::reset(db, &hash).await?;
    let found = found.filter(|found| found.used_at.is_none() && found.expires_at > cx.now()).ok_or_else(not_good)?;
    let user = users::get(db, found.user_id).await?;
    let user = user.filter(may_reset).ok_or_else(not_good)?;
    check_rules(&new, &[&user.username, &user.email]).map_err(|text| Error::invalid("body -> new_password", text))?;
    let password = services.passwords.hash(new).await.map_err(auth::password_error)?;
    let home = home_of(services, user.id).await?;
    let change = Mutation::begin_open(cx, services, home).await?;
    if !storage::use_reset(change.db(), &hash, cx.now()).await? {
        return Err(not_good());
    }
    storage::use_resets(change.db(), user.id, cx.now()).await?;
    users::set_password(change.db(), user.id, &password, cx.now()).await?;
    storage::clear_all_failures(change.db(), &user.id.to_string()).await?;
    let ended = sessions::end_all(change.db(), user.id, None, None, (cx.now(), "password_reset")).await?;
    let revoked = api_keys::revoke_with(&change, keys, (user.id, None), cx.now()).await?;
    tell_of_change(cx, services, change.db(), (home, user.id)).await?;
    let entry = Change::new("auth.password_reset", "user", user.id);
    let after = json!({"username": user.username, "sessions_ended": ended, "api_keys_revoked": revoked});
    change.commit(entry.after(after)).await?;
    services.queue.wake();
    Ok(())
}

/// A link for a new password, as an administrator has it made for a member.
#[derive(Debug, Clone)]
pub struct PasswordLink {
    /// What the link carries, for the administrator to hand over. It is shown once; `None` if it is on its way by mail.
    pub token: Option<SecretString>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Makes a link for a new password of a member: sent to the member's address where mail is sent, else for the
/// administrator to hand over. The latter is not for people who belong to other organisations as well: there it opens
/// what is not this administrator's.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Conflict`] for such people and for those whose password is not kept
/// here, [`Error::RateLimited`] if too many letters were sent to the member lately.
pub async fn link_for(cx: &OpContext, services: &Services, id: UserId) -> Result<PasswordLink> {
    cx.require(Permission::UsersManage)?;
    cx.person()?;
    let sends = mail::is_on(services).await?;
    let (organization, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    let member = crate::members::found(change.db(), organization, id).await?;
    crate::members::manageable(cx, change.db(), &member.membership).await?;
    let conflict = |text: &str| Err(Error::Conflict(text.to_owned()));
    if !may_reset(&member.user) {
        return conflict("The user's password is kept elsewhere, or the user is not active");
    }
    let (token, reset) = new_reset(cx, id);
    if sends {
        storage::lock_failures(change.db(), &id.to_string()).await?;
        if storage::count_resets(change.db(), id, cx.now() - RESETS_WITHIN).await? >= RESETS {
            let retry_after = u64::try_from(RESETS_WITHIN.num_seconds()).unwrap_or(1);
            return Err(Error::RateLimited { retry_after });
        }
        mail_jobs::password_reset(cx, services, change.db(), (Some(organization), id), &token).await?;
    } else if bartizan_storage::members::of_user(change.db(), id).await?.len() > 1 {
        return conflict("The user belongs to other organisations as well");
    }
    storage::use_resets(change.db(), id, cx.now()).await?;
    storage::insert_reset(change.db(), &reset).await?;
    let entry = Change::new("user.password_link", "user", id);
    let after = json!({"username": member.user.username, "expires_at": reset.expires_at, "by_mail": sends});
    change.commit(entry.after(after)).await?;
    if sends {
        services.queue.wake();
    }
    Ok(PasswordLink { token: (!sends).then_some(token), expires_at: reset.expires_at })
}

/// Sets a new password of any user whose password is kept here: for who runs the program, when nobody else can. The
/// account's sessions end, and it waits for nothing; `keys` says what becomes of its API keys.
///
/// # Errors
/// [`Error::NotFound`] if nobody has the name or address, [`Error::Conflict`] if the password is kept elsewhere,
/// [`Error::Invalid`] if it breaks a rule.
pub async fn set_for(
    cx: &OpContext,
    services: &Services,
    login: &str,
    new: SecretString,
    keys: ApiKeysThen,
) -> Result<()> {
    let user = users::by_login(services.store.read(), login).await?;
    let user = user.ok_or_else(|| Error::not_found("user", login))?;
    if user.password_hash.is_none() {
        return Err(Error::Conflict("The user's password is kept by the provider the user signs in with".to_owned()));
    }
    check_rules(&new, &[&user.username, &user.email]).map_err(|text| Error::invalid("password", text))?;
    let hash = services.passwords.hash(new).await.map_err(auth::password_error)?;
    let change = Mutation::begin_open(cx, services, home_of(services, user.id).await?).await?;
    users::set_password(change.db(), user.id, &hash, cx.now()).await?;
    storage::use_resets(change.db(), user.id, cx.now()).await?;
    storage::clear_all_failures(change.db(), &user.id.to_string()).await?;
    let ended = sessions::end_all(change.db(), user.id, None, None, (cx.now(), "password_reset")).await?;
    let revoked = api_keys::revoke_with(&change, keys, (user.id, None), cx.now()).await?;
    let entry = Change::new("user.password_set", "user", user.id);
    let after = json!({"username": user.username, "sessions_ended": ended, "api_keys_revoked": revoked});
    change.commit(entry.after(after)).await
}

fn new_reset(cx: &OpContext, user_id: UserId) -> (SecretString, PasswordReset) {
    let token: SecretString = hex::encode(cx.random_bytes::<32>()).into();
    let reset = PasswordReset {
        token_hash: auth::token_hash(token.expose_secret()),
        user_id,
        created_at: cx.now(),
        expires_at: cx.now() + RESET_LIFETIME,
        used_at: None,
    };
    (token, reset)
}

/// Users of a directory have their password there.
fn may_reset(user: &User) -> bool {
    user.is_active && user.auth_provider == "internal" && user.password_hash.is_some()
}

async fn tell_of_change(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    whose: (Option<OrganizationId>, UserId),
) -> Result<()> {
    if mail::is_on(services).await? { mail_jobs::password_changed(cx, db, whose).await } else { Ok(()) }
}

fn not_good() -> Error {
    Error::invalid("body -> token", "the link is not good: unknown, used or too old; ask for a new one")
}

/// An organisation whose audit log tells of what happens to an account.
async fn home_of(services: &Services, user: UserId) -> Result<Option<OrganizationId>> {
    let places = bartizan_storage::members::of_user(services.store.read(), user).await?;
    Ok(places.first().map(|place| place.organization_id))
}

/// Whether the caller knows the account's password: asked before what guards the account is changed.
///
/// # Errors
/// [`Error::Invalid`] if it is wrong, [`Error::RateLimited`] after several failures in a row.
pub(crate) async fn confirm(
    cx: &OpContext,
    services: &Services,
    user: &User,
    hash: String,
    given: SecretString,
) -> Result<()> {
    let guard = Guard::of(Some(user), &user.username);
    guard.check(cx, services).await?;
    if services.passwords.verify(given, Some(hash)).await.map_err(auth::password_error)? {
        return Ok(());
    }
    guard.failed(cx, services).await?;
    Err(Error::invalid("body -> current_password", "the password is wrong"))
}

/// Removes what is too old to matter.
pub(crate) async fn remove_old(db: Db<'_>, now: DateTime<Utc>) -> Result<()> {
    Ok(storage::remove_old(db, now - FORGOTTEN_AFTER).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_after_some_free_attempts_and_ends_somewhere() {
        let seconds = |failures| block(failures, FREE).map_or(0, |time| time.num_seconds());
        assert_eq!([1, 4, 5, 6, 7].map(seconds), [0, 0, 30, 60, 120]);
        assert_eq!(seconds(40), LONGEST_BLOCK);
        assert_eq!(seconds(i32::MAX), LONGEST_BLOCK);
    }

    #[test]
    fn neighbours_are_one_network() {
        let network = |address| network_of(Some(address));
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.200"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("rubbish"), network("192.0.2.7"));
    }
}
