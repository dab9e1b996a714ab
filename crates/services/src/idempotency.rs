//! Repeated requests: the same key and body get the same answer, and the work is done once.

use bartizan_domain::{Error, Result};
use bartizan_storage::idempotency as storage;
use bartizan_storage::idempotency::IdempotencyKey;
pub use bartizan_storage::idempotency::StoredResponse;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use crate::{OpContext, Services};

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// What to do with a request that carries a key.
#[derive(Debug)]
pub enum Attempt {
    /// Do it, then tell [`Ticket::complete`] or [`Ticket::release`].
    First(Ticket),
    /// It was done; this was the answer.
    Replay(StoredResponse),
}

/// The right to answer for a key.
#[derive(Debug)]
#[must_use = "complete or release the ticket, or its key stays taken for a day"]
pub struct Ticket {
    key: IdempotencyKey,
}

/// Looks a key up, and takes it if it is new. `path` is method and path.
///
/// # Errors
/// [`Error::Invalid`] if the key is malformed or was used with another body, [`Error::Conflict`] if the first request
/// is still running.
pub async fn begin(cx: &OpContext, services: &Services, path: &str, key: &str, body: &[u8]) -> Result<Attempt> {
    const HEADER: &str = "header -> Idempotency-Key";
    if key.is_empty() || key.len() > 255 || !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::invalid(HEADER, "an Idempotency-Key has 1 to 255 visible ASCII characters"));
    }
    let organization_id = cx.organization()?;
    let principal = cx.actor().user_id().map_or_else(|| cx.actor().name().to_owned(), |id| id.to_string());
    let key = IdempotencyKey { organization_id, principal, path: path.to_owned(), key: key.to_owned() };
    let hash = Sha256::digest(body).to_vec();
    let now = cx.now();
    let tx = services.store.begin().await?;
    if let Some(found) = storage::get(tx.db(), &key).await? {
        if found.created_at + KEPT <= now {
            storage::release(tx.db(), &key).await?;
        } else if found.request_hash != hash {
            return Err(Error::invalid(HEADER, "this key was used for a request with another body"));
        } else {
            return found.response.map(Attempt::Replay).ok_or_else(running);
        }
    }
    let free = storage::claim(tx.db(), &key, &hash, now).await?;
    tx.commit().await?;
    if free { Ok(Attempt::First(Ticket { key })) } else { Err(running()) }
}

fn running() -> Error {
    Error::Conflict("The first request with this Idempotency-Key is still running".to_owned())
}

impl Ticket {
    /// Keeps the answer for repetitions.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn complete(self, services: &Services, response: &StoredResponse) -> Result<()> {
        let tx = services.store.begin().await?;
        storage::complete(tx.db(), &self.key, response).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the key back, because the request failed without effect and may be tried again.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn release(self, services: &Services) -> Result<()> {
        let tx = services.store.begin().await?;
        storage::release(tx.db(), &self.key).await?;
        Ok(tx.commit().await?)
    }
}
