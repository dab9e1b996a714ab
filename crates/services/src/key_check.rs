//! Whether the keys at hand are those of the installation.

use bartizan_auth::KeyRingError;
use bartizan_domain::Result;
use bartizan_storage::secrets::{self as stored, SecretScope};
use secrecy::ExposeSecret;

use crate::secrets::{place, put, ring, unopened};
use crate::{OpContext, Services};

/// Sealed at the first start: whether it can be opened tells whether the keys of the installation are at hand. It holds the
/// fingerprint of the signing key, or nothing while only workers have started.
pub(crate) const CHECK: (SecretScope, &str) = (SecretScope::Installation, "key.check");

/// What the keys at hand are to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyCheck {
    /// Those it is used with.
    Known,
    /// Its secrets are sealed with others; the id of one of them.
    ForeignSecretKey(String),
    /// Its servers sign with another key.
    ForeignSigningKey,
}

/// What to do with keys that are not those the database is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKeys {
    /// Nothing, but to say so.
    Refused,
    /// They are the keys from now on. What only the others open must be entered again.
    Accepted,
}

/// Whether the keys at hand are those of the servers and workers on this database. The first to start decides.
///
/// Two servers with different keys would each store secrets that the other cannot open, and refuse the other's tokens.
/// `signing_key` is the fingerprint of the key that this process signs with, if it signs.
///
/// # Errors
/// If there is no key, or the database fails.
pub async fn check(
    cx: &OpContext,
    services: &Services,
    signing_key: Option<&str>,
    foreign: ForeignKeys,
) -> Result<KeyCheck> {
    let fingerprint = signing_key.unwrap_or_default();
    let tx = services.store.begin().await?;
    let known = match stored::get(tx.db(), CHECK.0, CHECK.1).await? {
        None => None,
        Some(sealed) => match ring(services)?.open(&sealed, &place(&CHECK.0.key(), CHECK.1)) {
            Ok(known) => Some(known),
            Err(KeyRingError::UnknownKey(id)) if foreign == ForeignKeys::Refused => {
                return Ok(KeyCheck::ForeignSecretKey(id));
            }
            Err(KeyRingError::UnknownKey(_)) => None,
            Err(error) => return Err(unopened(CHECK.1, &error)),
        },
    };
    let known = known.as_ref().map(ExposeSecret::expose_secret);
    match known {
        Some(known) if known == fingerprint || signing_key.is_none() => return Ok(KeyCheck::Known),
        Some(known) if !known.is_empty() && foreign == ForeignKeys::Refused => return Ok(KeyCheck::ForeignSigningKey),
        _ => {}
    }
    put(cx, services, tx.db(), CHECK, &fingerprint.into()).await?;
    tx.commit().await?;
    Ok(KeyCheck::Known)
}
