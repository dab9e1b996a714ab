//! Repeated requests: the same key and body get the same answer, and the work is done once.
//!
//! A key is claimed before the work begins, marked as carried out in the very transaction of the work, and given its
//! answer afterwards. So a process that dies leaves one of two states, and they can be told apart:
//!
//! - nothing was committed: once the claim is older than [`LEASE`], the same request may be tried again under its key. An
//!   attempt that was only slow and comes to its commit after that finds the key taken over, and is undone;
//! - it was committed, and the answer is lost: the request is never carried out again under its key. The caller is told
//!   what was done, and where to look.
//!
//! What is kept is sealed, since answers hold what is shown once (keys, links) and requests hold passwords.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::Db;
use bartizan_storage::idempotency as storage;
use bartizan_storage::idempotency::IdempotencyKey;
pub use bartizan_storage::idempotency::StoredResponse;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::{Actor, OpContext, Services, secrets};

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// How long a request that gave no answer is taken to be still running. No request runs as long.
pub const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Member of what is kept of the headers, no header's name: what [`Claim::needs`] noted.
const NEEDED: &str = ":permissions";

const HEADER: &str = "header -> Idempotency-Key";

/// What to do with a request that carries a key.
#[derive(Debug)]
pub enum Attempt {
    /// Do it, with [`OpContext::under`] the ticket's claim, then tell [`Ticket::complete`] or [`Ticket::release`].
    First(Ticket),
    /// It was done; this was the answer.
    Replay(StoredResponse),
}

/// The right to answer for a key.
#[derive(Debug)]
#[must_use = "complete or release the ticket, or its key stays taken for minutes"]
pub struct Ticket {
    claim: Claim,
}

/// A claimed key, known by the instant of the claim: what is done under it is noted in the same transaction.
#[derive(Debug, Clone)]
pub struct Claim {
    key: IdempotencyKey,
    leased_at: DateTime<Utc>,
    needed: Needed,
}

/// The permissions that a request was asked for: whoever wants its answer again must hold them still.
#[derive(Debug, Clone, Default)]
struct Needed(Arc<Mutex<BTreeSet<Permission>>>);

impl Needed {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Permission>> {
        // A set is never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks a key up, and takes it if it is new, or if the attempt that had it died without effect. `path` is method and path.
///
/// # Errors
/// [`Error::Invalid`] if the key is malformed or was used with another body, [`Error::Conflict`] if the first request
/// is still running, or was carried out and its answer is lost.
pub async fn begin(cx: &OpContext, services: &Services, path: &str, key: &str, body: &[u8]) -> Result<Attempt> {
    if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::invalid(HEADER, "an Idempotency-Key has 1 to 255 visible ASCII characters"));
    }
    let organization_id = cx.organization()?;
    let principal = principal(cx.actor());
    let key = IdempotencyKey { organization_id, principal, path: path.to_owned(), key: key.to_owned() };
    let hash = hex::encode(Sha256::digest(body));
    let now = cx.now();
    // A repetition is answered without waiting for who writes.
    if let Some(found) = storage::get(services.store.read(), &key).await?
        && found.created_at + KEPT > now
        && kept(services, &key, &found.request_hash)?.expose_secret() == hash
        && let Some(response) = found.response
    {
        return again(cx, services, &key, response);
    }
    let tx = services.store.begin().await?;
    if let Some(found) = storage::get(tx.db(), &key).await? {
        if found.created_at + KEPT <= now {
            storage::forget(tx.db(), &key).await?;
        } else if kept(services, &key, &found.request_hash)?.expose_secret() != hash {
            return Err(Error::invalid(HEADER, "this key was used for a request with another body"));
        } else if let Some(response) = found.response {
            return again(cx, services, &key, response);
        } else if found.leased_at + LEASE > now {
            return Err(running());
        } else if let Some(done) = found.applied {
            return Err(answer_lost(&done));
        } else {
            let ours = storage::take_over(tx.db(), &key, found.leased_at, now).await?;
            tx.commit().await?;
            return if ours { Ok(first(key, now)) } else { Err(running()) };
        }
    }
    let sealed = sealed(services, &key, hash)?;
    let free = storage::claim(tx.db(), &key, &sealed, now).await?;
    tx.commit().await?;
    if free { Ok(first(key, now)) } else { Err(running()) }
}

/// Whose key it is: a person, whatever the session, or one API key of a person. They are told apart because a key may do
/// less, and what a person was shown once is not for it.
fn principal(actor: &Actor) -> String {
    match actor {
        Actor::User { id, key: Some(key), .. } => format!("{id}/{key}"),
        Actor::User { id, key: None, .. } => id.to_string(),
        other => other.name().to_owned(),
    }
}

/// The answer again, for who may still do what it answered.
fn again(cx: &OpContext, services: &Services, key: &IdempotencyKey, stored: StoredResponse) -> Result<Attempt> {
    let needed = stored.headers.get(NEEDED).and_then(|value| value.as_array()).into_iter().flatten();
    for name in needed.filter_map(|name| name.as_str()) {
        // A permission that does not exist any more is nobody's.
        match Permission::ALL.iter().find(|permission| permission.as_str() == name) {
            Some(permission) => cx.require(*permission).map(drop)?,
            None => return Err(Error::Forbidden(format!("Missing permission {name}"))),
        }
    }
    let body = kept(services, key, &stored.body)?.expose_secret().as_bytes().to_vec();
    Ok(Attempt::Replay(StoredResponse { body, ..stored }))
}

fn first(key: IdempotencyKey, leased_at: DateTime<Utc>) -> Attempt {
    Attempt::First(Ticket { claim: Claim { key, leased_at, needed: Needed::default() } })
}

fn running() -> Error {
    Error::Conflict("The first request with this Idempotency-Key is still running".to_owned())
}

fn answer_lost(done: &str) -> Error {
    Error::Conflict(format!(
        "The first request with this Idempotency-Key was carried out ({done}), but its answer was lost; it is not carried out again"
    ))
}

fn place(key: &IdempotencyKey) -> String {
    format!("idempotency_keys/{}/{}/{}/{}", key.organization_id, key.principal, key.path, key.key)
}

fn sealed(services: &Services, key: &IdempotencyKey, text: String) -> Result<Vec<u8>> {
    Ok(secrets::seal_text(services, &text.into(), &place(key))?.into_bytes())
}

/// The beginning of everything sealed that is kept here, as far as it names the key.
pub(crate) async fn beginnings(db: Db<'_>) -> Result<Vec<String>> {
    let found = storage::beginnings(db, secrets::NAMES_KEY).await?;
    Ok(found.into_iter().filter_map(|text| String::from_utf8(text).ok()).collect())
}

/// What was kept, or the refusal to do the work again because it cannot be opened any more.
fn kept(services: &Services, key: &IdempotencyKey, sealed: &[u8]) -> Result<SecretString> {
    opened(services, key, sealed).map_err(|error| {
        tracing::warn!(context = error.internal_context(), "an answer under an Idempotency-Key cannot be opened");
        let text = "The first request with this Idempotency-Key was taken up, but what is kept of it cannot be opened any more; it is not carried out again";
        Error::Conflict(text.to_owned())
    })
}

fn opened(services: &Services, key: &IdempotencyKey, sealed: &[u8]) -> Result<SecretString> {
    let sealed = std::str::from_utf8(sealed).map_err(Error::internal)?;
    secrets::open_text(services, sealed, &place(key))
}

impl Claim {
    /// Notes that the request was asked for a permission, and had it.
    pub(crate) fn needs(&self, permission: Permission) {
        self.needed.lock().insert(permission);
    }

    /// Notes what is about to be committed.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the key was taken over meanwhile: then nothing may be committed.
    pub(crate) async fn apply(&self, db: Db<'_>, what: &str) -> Result<()> {
        if storage::apply(db, &self.key, self.leased_at, what).await? {
            return Ok(());
        }
        let text = "The request took so long that its Idempotency-Key was taken over by another; nothing of it was carried out";
        Err(Error::Conflict(text.to_owned()))
    }
}

impl Ticket {
    /// What the work is done under.
    #[must_use]
    pub fn claim(&self) -> Claim {
        self.claim.clone()
    }

    /// Keeps the answer for repetitions.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn complete(self, services: &Services, response: &StoredResponse) -> Result<()> {
        let Claim { key, leased_at, needed } = self.claim;
        let needed: Vec<&str> = needed.lock().iter().map(|permission| permission.as_str()).collect();
        let text = String::from_utf8(response.body.clone()).map_err(Error::internal)?;
        let mut response = StoredResponse { body: sealed(services, &key, text)?, ..response.clone() };
        response.headers[NEEDED] = needed.into();
        let tx = services.store.begin().await?;
        storage::complete(tx.db(), &key, leased_at, &response).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the key back, because the request failed without effect and may be tried again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn release(self, services: &Services) -> Result<()> {
        let tx = services.store.begin().await?;
        storage::release(tx.db(), &self.claim.key, self.claim.leased_at).await?;
        Ok(tx.commit().await?)
    }
}
