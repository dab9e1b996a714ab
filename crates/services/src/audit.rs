//! The audit log: reading, exporting, sealing and verifying it. Writing it is the business of [`crate::mutation`].
//!
//! Entries are chained by hashes after they are committed: each organisation's entries form a chain, and a link is the
//! SHA-256 of the link before it and of the entry as it is stored. Whoever changes, removes or inserts a sealed entry
//! breaks the chain; whoever cuts its end off contradicts the head, which is worth noting down elsewhere. Entries that
//! are not sealed yet (the tail, seconds old) are counted and told apart.

use std::collections::BTreeMap;

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::audit::{self as storage, Head, Scope};
pub use bartizan_storage::audit::{AuditEntry, AuditFilter, Seal};
use bartizan_storage::{Db, Listed, Page, organizations};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services};

/// Entries sealed in one transaction, and read at once when a chain is verified.
const BATCH: u64 = 500;
/// Entries of an export at most.
pub const EXPORT_LIMIT: u64 = 100_000;
/// How long the sealer waits for a word before it looks by itself: for entries of other processes.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// One page of entries, newest first, with their places in the chain.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(
    cx: &OpContext,
    services: &Services,
    filter: &AuditFilter,
    page: Page,
) -> Result<Listed<(AuditEntry, Option<Seal>)>> {
    let organization = cx.require(Permission::AuditView)?;
    let db = services.store.read();
    Ok(storage::search(db, scope(db, organization).await?, filter, page).await?)
}

/// Every entry that is wanted, newest first, at most [`EXPORT_LIMIT`]; the export is put on record.
///
/// # Errors
/// If the caller may not, or there are more ([`Error::TooLarge`]).
pub async fn export(
    cx: &OpContext,
    services: &Services,
    filter: &AuditFilter,
) -> Result<Vec<(AuditEntry, Option<Seal>)>> {
    let organization = cx.require(Permission::AuditView)?;
    cx.require(Permission::ExportsRun)?;
    let db = services.store.read();
    let scope = scope(db, organization).await?;
    let found = storage::search(db, scope, filter, Page::first(EXPORT_LIMIT)).await?;
    if found.total > EXPORT_LIMIT {
        let text = format!("{} entries: an export has at most {EXPORT_LIMIT}; narrow the dates", found.total);
        return Err(Error::TooLarge(text));
    }
    exported(cx, services, ("audit_log", "all"), json!({"entries": found.rows.len()})).await?;
    Ok(found.rows)
}

/// Puts on record that data left the product as a file.
///
/// # Errors
/// If the database fails.
pub async fn exported(cx: &OpContext, services: &Services, what: (&'static str, &str), detail: Value) -> Result<()> {
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    change.commit(Change::new("export.run", what.0, what.1).after(detail)).await
}

/// Puts on record that somebody was refused for want of a permission.
///
/// # Errors
/// If the database fails.
pub async fn denied(cx: &OpContext, services: &Services, operation: &str, why: &str) -> Result<()> {
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    change.commit(Change::new("auth.denied", "operation", operation).after(json!({"reason": why}))).await
}

/// Entries that belong to no organisation (attempts under unknown names) are shown where the installation is run from.
async fn scope(db: Db<'_>, organization: OrganizationId) -> Result<Scope> {
    let first = organizations::first(db).await?.is_some_and(|first| first.id == organization);
    Ok(if first { Scope::OrganizationAndNone(organization) } else { Scope::Organization(organization) })
}

/// What verifying a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The organisation's name; `None` for what belongs to none.
    pub organization: Option<String>,
    /// Entries that are linked.
    pub sealed: u64,
    /// Entries that are not linked yet.
    pub unsealed: u64,
    /// The last link: note it down elsewhere, and a chain cut short is found out as well.
    pub head: Option<Head>,
    /// The first thing that is wrong.
    pub broken: Option<Broken>,
}

impl Verification {
    /// The hash of the last link in hexadecimal.
    #[must_use]
    pub fn head_hash(&self) -> Option<String> {
        self.head.as_ref().map(|head| hex::encode(&head.seal.hash))
    }
}

/// Where a chain breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The position at which it does.
    pub position: i64,
    /// How.
    pub reason: String,
}

/// Verifies the chain of the caller's organisation, and for members of the first one also that of what belongs to none.
/// With `expected`, a link of the organisation's chain that was noted down elsewhere, that it is still there: a chain cut
/// short together with its head is intact in itself.
///
/// # Errors
/// If the caller may not see the log, or the database fails.
pub async fn verify(
    cx: &OpContext,
    services: &Services,
    expected: Option<&Seal>,
) -> Result<(Verification, Option<Verification>)> {
    let organization = cx.require(Permission::AuditView)?;
    let db = services.store.read();
    let name = organizations::get(db, organization).await?.map(|found| found.name);
    let mut own = verify_chain(db, Some(organization), name).await?;
    if let Some(expected) = expected
        && own.broken.is_none()
        && !holds(db, Some(organization), expected).await?
    {
        let reason = "the link that was noted down is not in the chain: it was cut short or written anew".to_owned();
        own.broken = Some(Broken { position: expected.position, reason });
    }
    let none = match crate::installation::is_first(db, organization).await? {
        true => Some(verify_chain(db, None, None).await?),
        false => None,
    };
    Ok((own, none))
}

/// Whether a link that was noted down is still in a chain of the installation: for who runs it.
///
/// # Errors
/// If the database fails.
pub async fn is_linked(services: &Services, seal: &Seal) -> Result<bool> {
    let db = services.store.read();
    for organization in organizations::all(db).await? {
        if holds(db, Some(organization.id), seal).await? {
            return Ok(true);
        }
    }
    holds(db, None, seal).await
}

async fn holds(db: Db<'_>, organization: Option<OrganizationId>, seal: &Seal) -> Result<bool> {
    let before = seal.position.saturating_sub(1);
    let found = storage::sealed_after(db, organization, before, 1).await?;
    Ok(found.first().is_some_and(|(_, found)| found == seal))
}

/// Verifies every chain of the installation: for who runs it.
///
/// # Errors
/// If the database fails.
pub async fn verify_all(services: &Services) -> Result<Vec<Verification>> {
    let db = services.store.read();
    let mut found = Vec::new();
    for organization in organizations::all(db).await? {
        found.push(verify_chain(db, Some(organization.id), Some(organization.name)).await?);
    }
    found.push(verify_chain(db, None, None).await?);
    Ok(found)
}

async fn verify_chain(db: Db<'_>, organization: Option<OrganizationId>, name: Option<String>) -> Result<Verification> {
    let chain = storage::chain_of(organization);
    // The head first: what is sealed while we read lies behind it and is left to the next time.
    let head = storage::head(db, &chain).await?;
    let end = head.as_ref().map_or(0, |head| head.seal.position);
    let mut last = Seal { position: 0, hash: Vec::new() };
    let mut broken = None;
    'chain: loop {
        let links = storage::sealed_after(db, organization, last.position, BATCH).await?;
        for (entry, seal) in &links {
            if seal.position > end && head.is_some() {
                break 'chain;
            }
            if let Some(reason) = mismatch(&chain, &last, entry, seal) {
                broken = Some(Broken { position: last.position + 1, reason });
                break 'chain;
            }
            last = seal.clone();
        }
        if (links.len() as u64) < BATCH {
            break;
        }
    }
    if broken.is_none() {
        broken = match &head {
            Some(head) if head.seal != last => Some(Broken {
                position: last.position + 1,
                reason: format!("the chain ends at {}, its head says {}", last.position, head.seal.position),
            }),
            // Asked again: the first entries may have been sealed since.
            None if last.position > 0 && storage::head(db, &chain).await?.is_none() => {
                Some(Broken { position: last.position, reason: "the head of the chain is missing".to_owned() })
            }
            _ => None,
        };
    }
    let sealed = storage::count_sealed(db, organization).await?;
    let unsealed = storage::count_unsealed(db, organization).await?;
    if broken.is_none()
        && sealed + unsealed == 0
        && let Some(organization) = organization
        && crate::installation::is_first(db, organization).await?
    {
        // Setup is its first entry. Other organisations begin with nothing: that they were made is on record here.
        broken = Some(Broken { position: 1, reason: "the log is empty: not even setup is in it".to_owned() });
    }
    Ok(Verification { organization: name, sealed, unsealed, head, broken })
}

fn mismatch(chain: &str, before: &Seal, entry: &AuditEntry, seal: &Seal) -> Option<String> {
    if seal.position != before.position + 1 {
        return Some(format!("after {} comes {}: an entry is missing or doubled", before.position, seal.position));
    }
    let expected = link(chain, before, entry);
    (expected != seal.hash).then(|| format!("the entry {} is not what was sealed", entry.id))
}

/// The hash of an entry that follows `before`.
fn link(chain: &str, before: &Seal, entry: &AuditEntry) -> Vec<u8> {
    let fields = json!([
        chain,
        before.position + 1,
        hex::encode(&before.hash),
        entry.id,
        entry.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.ip,
        entry.request_id,
        entry.action,
        entry.noun,
        entry.noun_id,
        entry.before,
        entry.after,
    ]);
    let mut text = String::new();
    canonical(&fields, &mut text);
    Sha256::digest(text.as_bytes()).to_vec()
}

/// JSON with the members of objects in order: databases do not keep the order they were given.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            text.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(member, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Links what is committed and not linked yet. Says how much it was. Several processes may try at once: one does, and
/// the others wait for its transaction, which ends with the process as well.
///
/// # Errors
/// If the database fails.
pub async fn seal(services: &Services) -> Result<u64> {
    // Reading first spares an idle process a write every few seconds.
    if storage::unsealed(services.store.read(), 1).await?.is_empty() {
        return Ok(0);
    }
    let mut sealed = 0;
    loop {
        let batch = crate::housekeeping::seal_batch(services, BATCH).await?;
        sealed += batch;
        if batch < BATCH {
            return Ok(sealed);
        }
    }
}

/// Links a batch within a transaction.
pub(crate) async fn seal_in(db: Db<'_>, now: DateTime<Utc>, limit: u64) -> Result<u64> {
    storage::lock_chains(db).await?;
    let entries = storage::unsealed(db, limit).await?;
    let mut heads: BTreeMap<String, Seal> = BTreeMap::new();
    for entry in &entries {
        let chain = storage::chain_of(entry.organization_id);
        let before = match heads.remove(&chain) {
            Some(before) => before,
            None => match storage::head(db, &chain).await? {
                Some(head) => head.seal,
                None => Seal { position: 0, hash: Vec::new() },
            },
        };
        let seal = Seal { position: before.position + 1, hash: link(&chain, &before, entry) };
        if !storage::seal(db, entry.id, &seal).await? {
            return Err(Error::internal(format!("the audit entry {} was sealed by somebody else meanwhile", entry.id)));
        }
        heads.insert(chain, seal);
    }
    for (chain, seal) in heads {
        storage::put_head(db, &chain, &Head { seal, sealed_at: now }).await?;
    }
    Ok(entries.len() as u64)
}

/// Seals whenever something was committed, until `stop` fires. Every process that writes entries does this, servers and
/// workers alike, so that none depends on another one being up; each also seals what others left.
pub async fn keep_sealing(services: Services, stop: CancellationToken) {
    loop {
        if let Err(error) = seal(&services).await {
            tracing::error!(%error, context = error.internal_context(), "sealing the audit log");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = services.sealing.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter_and_every_value_does() {
        let text = |value: &Value| {
            let mut text = String::new();
            canonical(value, &mut text);
            text
        };
        let one: Value = serde_json::from_str(r#"{"b": [1, {"y": 1.5, "x": null}], "a": "\"é"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a": "\"é", "b": [1, {"x": null, "y": 1.5}]}"#).unwrap();
        assert_eq!(text(&one), text(&two));
        assert_eq!(text(&one), r#"{"a":"\"é","b":[1,{"x":null,"y":1.5}]}"#);
        assert_ne!(text(&json!(["a", "b"])), text(&json!(["a,b"])));
    }
}
