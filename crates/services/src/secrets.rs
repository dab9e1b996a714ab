//! Secrets at rest: passwords and tokens that the program itself must be able to use.
//!
//! A secret is put and taken by the module whose setting it is, in the transaction of that setting's change. It leaves
//! this crate only to the client that presents it to its server: no endpoint returns it, and neither logs nor audit
//! entries hold it (they say *that* it changed). Passwords of people are not secrets in this sense: they are hashed.

use bartizan_auth::KeyRing;
use bartizan_auth::keyring::sealed_with;
use bartizan_domain::{Error, Result};
use bartizan_storage::Db;
pub use bartizan_storage::secrets::SecretScope;
use bartizan_storage::secrets::{self as storage, SealedSecret};
use secrecy::SecretString;
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services};

/// What an endpoint shows in place of a secret that is set.
pub const MASK: &str = "********";

/// Secrets sealed anew in one transaction.
const BATCH: u64 = 200;

/// Seals a secret and stores it in the caller's transaction, in place of the one that may be there.
///
/// # Errors
/// If there is no key, or the database fails.
pub async fn put(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    (scope, name): (SecretScope, &str),
    secret: &SecretString,
) -> Result<()> {
    let sealed = ring(services)?.seal(secret, &place(&scope.key(), name)).map_err(Error::internal)?;
    let key = key_of(&sealed)?;
    Ok(storage::put(db, scope, name, (&key, &sealed), cx.now()).await?)
}

/// A secret, for the client that presents it to its server; `None` if it is not set.
///
/// # Errors
/// If its key is missing, or the database fails.
pub async fn get(services: &Services, db: Db<'_>, scope: SecretScope, name: &str) -> Result<Option<SecretString>> {
    let Some(sealed) = storage::get(db, scope, name).await? else { return Ok(None) };
    let place = place(&scope.key(), name);
    let opened = ring(services)?.open(&sealed, &place).map_err(|error| unopened(&place, &error))?;
    Ok(Some(opened))
}

/// Whether a secret is set.
///
/// # Errors
/// If the database fails.
pub async fn is_set(db: Db<'_>, scope: SecretScope, name: &str) -> Result<bool> {
    Ok(storage::get(db, scope, name).await?.is_some())
}

/// Removes a secret in the caller's transaction. Says whether it was set.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, scope: SecretScope, name: &str) -> Result<bool> {
    Ok(storage::remove(db, scope, name).await?)
}

/// Seals a text that is kept somewhere else than among the secrets, for the place it is kept at.
pub(crate) fn seal_text(services: &Services, secret: &SecretString, place: &str) -> Result<String> {
    Ok(hex::encode(ring(services)?.seal(secret, place).map_err(Error::internal)?))
}

/// Opens what [`seal_text`] sealed for the same place.
pub(crate) fn open_text(services: &Services, sealed: &str, place: &str) -> Result<SecretString> {
    let sealed = hex::decode(sealed).map_err(Error::internal)?;
    ring(services)?.open(&sealed, place).map_err(|error| unopened(place, &error))
}

/// Letters of a sealed text that name its key: those of a version and an id.
pub(crate) const NAMES_KEY: u32 = 18;

/// The keys that something is sealed with that is not among the secrets and ends by itself within days: kept answers
/// and letters on their way.
async fn in_passing(services: &Services) -> Result<Vec<String>> {
    let db = services.store.read();
    let mut texts = crate::idempotency::beginnings(db).await?;
    texts.extend(crate::mail_jobs::sealed(db).await?);
    let mut keys: Vec<String> =
        texts.iter().filter_map(|text| sealed_with(&hex::decode(text.get(..NAMES_KEY as usize)?).ok()?)).collect();
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// What a change of key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Id of the key that seals now.
    pub key_id: String,
    /// Secrets sealed anew.
    pub resealed: u64,
    /// Ids of the keys that are still in the ring, the one that seals first.
    pub keys: Vec<String>,
}

/// Takes a new key into use and seals every secret with it. For keys in a file the new key is made here; for keys in
/// the environment the one who runs the program has put it first.
///
/// The key used before stays in the file until the next rotation: a server that read the file just before may still
/// seal with it. So do keys that kept answers and letters on their way are sealed with. Servers go on meanwhile.
///
/// # Errors
/// If a secret cannot be opened with any key of the ring; every other one is sealed anew all the same.
pub async fn rotate(cx: &OpContext, services: &Services) -> Result<Rotation> {
    let ring = ring(services)?;
    let before = ring.current().map_err(Error::internal)?;
    let in_file = match ring.add_key() {
        Ok(_) => true,
        Err(bartizan_auth::KeyRingError::NotAFile) => false,
        Err(error) => return Err(Error::internal(error)),
    };
    let key_id = ring.current().map_err(Error::internal)?;
    let (resealed, stuck) = reseal_all(cx, services, ring, &key_id).await?;
    if let Some(stuck) = stuck {
        return Err(stuck);
    }
    if in_file {
        let mut kept = in_passing(services).await?;
        kept.push(before.clone());
        ring.keep_only(&kept).map_err(Error::internal)?;
    }
    let keys = ring.ids().map_err(Error::internal)?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let entry = Change::new("secret_key.rotate", "secret_key", &key_id);
    let entry = entry.before(json!({ "key_id": before })).after(json!({ "key_id": key_id, "resealed": resealed }));
    change.commit(entry).await?;
    Ok(Rotation { key_id, resealed, keys })
}

async fn reseal_all(cx: &OpContext, services: &Services, ring: &KeyRing, key_id: &str) -> Result<(u64, Option<Error>)> {
    let mut resealed = 0;
    let mut stuck = None;
    let mut after: Option<SealedSecret> = None;
    loop {
        let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
        let from = after.as_ref().map(|row| (row.scope.as_str(), row.name.as_str()));
        let rows = storage::sealed_otherwise(change.db(), key_id, from, BATCH).await?;
        let Some(last) = rows.last().cloned() else { break };
        for row in &rows {
            let place = place(&row.scope, &row.name);
            let sealed = ring.open(&row.sealed, &place).and_then(|secret| ring.seal(&secret, &place));
            match sealed {
                Ok(sealed) => {
                    let done = storage::reseal(change.db(), row, (&key_of(&sealed)?, &sealed)).await?;
                    // Of ours, and not worth a word.
                    resealed += u64::from(done && row.name != crate::key_check::CHECK.1);
                }
                Err(error) => stuck = Some(unopened(&place, &error)),
            }
        }
        change
            .commit(Change::new("secret.reseal", "secret_key", key_id).after(json!({ "secrets": rows.len() })))
            .await?;
        after = Some(last);
    }
    Ok((resealed, stuck))
}

pub(crate) fn ring(services: &Services) -> Result<&KeyRing> {
    let missing = || Error::internal("no key for secrets was given to this process");
    services.config.secret_keys.as_ref().ok_or_else(missing)
}

pub(crate) fn place(scope: &str, name: &str) -> String {
    format!("secrets/{scope}/{name}")
}

fn key_of(sealed: &[u8]) -> Result<String> {
    sealed_with(sealed).ok_or_else(|| Error::internal("a sealed secret names no key"))
}

pub(crate) fn unopened(place: &str, error: &bartizan_auth::KeyRingError) -> Error {
    Error::internal(format!("the secret at {place}: {error}"))
}
