//! Passwords: changing one's own, and what happens when somebody guesses.
//!
//! Failures count for the account and not for the address they come from (which has a limit of its own in `http`):
//! a guesser with many addresses is slowed down as well. An account that does not exist counts alike, so that the
//! answers do not tell which exist.

use bartizan_auth::password::check_rules;
use bartizan_domain::{Error, Result};
use bartizan_storage::passwords::{self as storage, Failures};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Db, sessions};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services, auth};

/// Failures in a row that cost nothing.
const FREE: i32 = 5;
/// Seconds the first failure beyond costs; each further one doubles it.
const FIRST_BLOCK: i64 = 30;
/// Seconds a failure costs at most.
const LONGEST_BLOCK: i64 = 15 * 60;
/// A failure older than this is forgotten.
pub(crate) const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

/// Counts the failures of one account.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    account: String,
    user: Option<User>,
}

impl Guard {
    /// For the user found, or for a name that nobody has.
    pub(crate) fn of(user: Option<&User>, login: &str) -> Self {
        let account = match user {
            Some(user) => user.id.to_string(),
            // Hashed, since people type passwords into the field for names.
            None => hex::encode(Sha256::digest(login.trim().to_lowercase().as_bytes())),
        };
        Self { account, user: user.cloned() }
    }

    /// Whether an attempt is looked at now.
    ///
    /// # Errors
    /// [`Error::RateLimited`] while it is not.
    pub(crate) async fn check(&self, cx: &OpContext, services: &Services) -> Result<()> {
        let found = storage::failures(services.store.read(), &self.account).await?;
        let Some(until) = found.and_then(|found| found.blocked_until) else { return Ok(()) };
        let left = (until - cx.now()).num_milliseconds();
        if left <= 0 {
            return Ok(());
        }
        Err(Error::RateLimited { retry_after: u64::try_from(left).unwrap_or(1).div_ceil(1000) })
    }

    /// Counts a failure, and puts it on record.
    pub(crate) async fn failed(&self, cx: &OpContext, services: &Services) -> Result<()> {
        let organization = match &self.user {
            Some(user) => {
                let places = bartizan_storage::members::of_user(services.store.read(), user.id).await?;
                places.first().map(|place| place.organization_id)
            }
            None => None,
        };
        let change = Mutation::begin_open(cx, services, organization).await?;
        storage::lock_failures(change.db(), &self.account).await?;
        let now = cx.now();
        let before = storage::failures(change.db(), &self.account).await?;
        let before = before.filter(|found| found.last_at + FORGOTTEN_AFTER > now).map_or(0, |found| found.failures);
        let failures = before.saturating_add(1);
        let blocked_until = block(failures).map(|time| now + time);
        let row = Failures { account: self.account.clone(), failures, last_at: now, blocked_until };
        storage::put_failures(change.db(), &row).await?;
        let name = self.user.as_ref().map_or_else(|| "unknown".to_owned(), |user| user.id.to_string());
        let entry = Change::new("auth.login_failed", "user", name);
        let username = self.user.as_ref().map(|user| user.username.as_str());
        change.commit(entry.after(json!({"username": username, "failures": failures}))).await
    }

    /// Forgets failures, since the right password was given.
    pub(crate) async fn clear(&self, db: Db<'_>) -> Result<()> {
        Ok(storage::clear_failures(db, &self.account).await?)
    }
}

fn block(failures: i32) -> Option<TimeDelta> {
    let beyond = u32::try_from(failures - FREE).ok()?;
    let seconds = FIRST_BLOCK.saturating_mul(2_i64.saturating_pow(beyond)).min(LONGEST_BLOCK);
    Some(TimeDelta::seconds(seconds))
}

/// Changes the caller's own password and ends the caller's other sessions.
///
/// # Errors
/// [`Error::Invalid`] if the present password is wrong or the new one breaks a rule, [`Error::Conflict`] for users whose
/// password is kept elsewhere, [`Error::RateLimited`] after several failures in a row.
pub async fn change(cx: &OpContext, services: &Services, current: SecretString, new: SecretString) -> Result<()> {
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
    change.commit(Change::new("auth.password_change", "user", id).after(json!({"sessions_ended": ended}))).await
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
        let seconds = |failures| block(failures).map_or(0, |time| time.num_seconds());
        assert_eq!([1, 4, 5, 6, 7].map(seconds), [0, 0, 30, 60, 120]);
        assert_eq!(seconds(40), LONGEST_BLOCK);
        assert_eq!(seconds(i32::MAX), LONGEST_BLOCK);
    }
}
