//! API keys: for programs that work on behalf of the user who made them.
//!
//! A key may do what its owner may do at that moment, narrowed to the permissions it was given; it never gains what the
//! owner gains beyond them, and ends with the owner's membership. Keys cannot make keys.

use std::collections::BTreeSet;

use bartizan_domain::id::{ApiKeyId, OrganizationId, UserId};
use bartizan_domain::{Error, Permission, Result};
pub use bartizan_storage::api_keys::ApiKey;
use bartizan_storage::api_keys::{self as storage};
use bartizan_storage::{Listed, Page, users};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::auth::{Profile, identity, profile_of, token_hash};
use crate::mutation::{Change, Mutation};
use crate::validate::Fields;
use crate::{Actor, OpContext, Origin, Services};

/// What every key begins with, so that scanners of leaked secrets recognise it.
pub const BEGINNING: &str = "btz_";

/// Most keys of a user in an organisation.
const MOST: u64 = 100;

/// Longest life of a key that ends.
const LONGEST: TimeDelta = TimeDelta::days(3650);

/// Uses closer together than this are one.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A key to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewApiKey {
    /// What it is for.
    pub name: String,
    /// Permissions it is narrowed to; `None` for all of the caller's.
    pub permissions: Option<Vec<Permission>>,
    /// When it ends, if it does.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyView {
    /// The key.
    pub key: ApiKey,
    /// Name of its owner.
    pub owner: String,
    /// Whether it ended.
    pub expired: bool,
}

/// One page of keys, newest first: the caller's own, or with `members.manage` and `all` those of every member.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services, whose: Whose, page: Page) -> Result<Listed<ApiKeyView>> {
    let (organization, owner) = match whose {
        Whose::Own => (cx.organization()?, Some(cx.user()?)),
        Whose::Everybody => (cx.require(Permission::MembersManage)?, None),
    };
    let db = services.store.read();
    let listed = storage::list(db, organization, owner, page).await?;
    let owners: Vec<UserId> = listed.rows.iter().map(|key| key.user_id).collect();
    let owners = users::many(db, &owners).await?;
    let name = |id: UserId| owners.iter().find(|user| user.id == id).map(|user| user.username.clone());
    Ok(listed.map(|key| view(cx, name(key.user_id).unwrap_or_default(), key)))
}

/// Whose keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The caller's.
    Own,
    /// Every member's.
    Everybody,
}

/// One key: the caller's own, or anybody's for who manages members.
///
/// # Errors
/// [`Error::NotFound`] if there is none the caller may see.
pub async fn get(cx: &OpContext, services: &Services, id: ApiKeyId) -> Result<ApiKeyView> {
    let organization = cx.organization()?;
    let db = services.store.read();
    let key = storage::get(db, organization, id).await?.filter(|key| visible(cx, key));
    let key = key.ok_or_else(|| Error::not_found("API key", id))?;
    let owner = users::get(db, key.user_id).await?.map(|user| user.username).unwrap_or_default();
    Ok(view(cx, owner, key))
}

/// Makes a key of the caller's. Its text is returned once and stored nowhere.
///
/// # Errors
/// [`Error::Forbidden`] for keys and for permissions that the caller does not hold, [`Error::Invalid`] for fields that
/// break a rule.
pub async fn create(cx: &OpContext, services: &Services, new: NewApiKey) -> Result<(ApiKeyView, SecretString)> {
    let (user, _) = cx.person()?;
    let organization = cx.organization()?;
    let mut fields = Fields::default();
    let name = fields.text("name", &new.name, 100);
    if let Some(expires_at) = new.expires_at
        && (expires_at <= cx.now() || expires_at > cx.now() + LONGEST)
    {
        fields.error("expires_at", "expires_at must lie in the future, ten years at most");
    }
    if new.permissions.as_ref().is_some_and(Vec::is_empty) {
        fields.error("permissions", "a key without permissions could do nothing; leave the field out for all of yours");
    }
    fields.finish()?;
    let permissions: Option<BTreeSet<Permission>> = new.permissions.map(|list| list.into_iter().collect());
    if let Some(permissions) = &permissions {
        crate::roles::may_grant(cx, permissions)?;
    }
    let change = Mutation::begin_open(cx, services, Some(organization)).await?;
    if storage::count_of(change.db(), organization, user).await? >= MOST {
        return Err(Error::Conflict(format!("You have {MOST} API keys already; revoke some first")));
    }
    let text = format!("{BEGINNING}{}", hex::encode(cx.random_bytes::<32>()));
    let key = ApiKey {
        id: cx.new_id(),
        organization_id: organization,
        user_id: user,
        name,
        prefix: text.chars().take(BEGINNING.len() + 8).collect(),
        hash: token_hash(&text),
        permissions: permissions.map(|set| set.into_iter().collect()),
        created_at: cx.now(),
        expires_at: new.expires_at,
        last_used_at: None,
        last_used_ip: None,
        revoked_at: None,
    };
    storage::insert(change.db(), &key).await?;
    change.commit(Change::new("api_key.create", "api_key", key.id).after(recorded(&key))).await?;
    Ok((view(cx, cx.actor().name().to_owned(), key), text.into()))
}

/// Revokes a key: the caller's own, or anybody's for who manages members. It stops working at once.
///
/// # Errors
/// [`Error::NotFound`] if there is none the caller may see.
pub async fn revoke(cx: &OpContext, services: &Services, id: ApiKeyId) -> Result<()> {
    let organization = cx.organization()?;
    cx.person()?;
    let change = Mutation::begin_open(cx, services, Some(organization)).await?;
    let key = storage::get(change.db(), organization, id).await?.filter(|key| visible(cx, key));
    let key = key.ok_or_else(|| Error::not_found("API key", id))?;
    storage::revoke(change.db(), organization, id, cx.now()).await?;
    change.commit(Change::new("api_key.revoke", "api_key", id).before(recorded(&key))).await
}

/// What becomes of somebody's keys when their sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeysThen {
    /// They stay: programs do not notice.
    Keep,
    /// They are revoked: whoever had the account may have made some.
    Revoke,
}

/// Revokes the keys of a user as part of a change, those in one organisation or all of them, each on record where it was
/// good. Says how many.
pub(crate) async fn revoke_with(
    change: &Mutation<'_>,
    then: ApiKeysThen,
    (owner, organization): (UserId, Option<OrganizationId>),
    now: DateTime<Utc>,
) -> Result<usize> {
    if then == ApiKeysThen::Keep {
        return Ok(0);
    }
    let keys = storage::revoke_all(change.db(), owner, organization, now).await?;
    for key in &keys {
        let entry = Change::new("api_key.revoke", "api_key", key.id).before(recorded(key));
        change.record(Some(key.organization_id), entry).await?;
    }
    Ok(keys.len())
}

/// The context of a request with an API key.
///
/// # Errors
/// [`Error::Unauthenticated`] for a key that is unknown, revoked or over, or whose owner may no longer work there.
pub async fn authenticate(services: &Services, origin: Origin, text: &str) -> Result<(OpContext, Profile)> {
    if !text.starts_with(BEGINNING) || text.len() > 200 {
        return Err(invalid());
    }
    let key = storage::by_hash(services.store.read(), &token_hash(text)).await?.ok_or_else(invalid)?;
    with(services, origin, key).await
}

/// The same for a key that was good when something began that still goes on.
///
/// # Errors
/// As [`authenticate`].
pub(crate) async fn again(
    services: &Services,
    origin: Origin,
    organization: OrganizationId,
    key: ApiKeyId,
) -> Result<(OpContext, Profile)> {
    let key = storage::get(services.store.read(), organization, key).await?;
    with(services, origin, key.ok_or_else(invalid)?).await
}

async fn with(services: &Services, origin: Origin, key: ApiKey) -> Result<(OpContext, Profile)> {
    let (db, now) = (services.store.read(), services.anonymous(origin.clone()).now());
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(invalid());
    }
    let place = identity(db, key.user_id, key.organization_id).await?.ok_or_else(invalid)?;
    let mut profile = profile_of(db, &place.0, &place.1, &place.2).await?;
    if let Some(narrowed) = &key.permissions {
        profile.permissions.retain(|permission| narrowed.contains(permission));
    }
    if key.last_used_at.is_none_or(|last| last + USE_NOTED_EVERY <= now) {
        crate::housekeeping::note_key_use(services, key.id, (now, origin.ip.as_deref()), now - USE_NOTED_EVERY).await?;
    }
    let actor =
        Actor::User { id: profile.user_id, username: profile.username.clone(), session: None, key: Some(key.id) };
    let permissions = profile.permissions.iter().copied();
    let cx = OpContext::new(actor, Some(key.organization_id), permissions, origin, services.sources());
    Ok((cx, profile))
}

fn invalid() -> Error {
    Error::Unauthenticated("Invalid API key".to_owned())
}

fn visible(cx: &OpContext, key: &ApiKey) -> bool {
    cx.actor().user_id() == Some(key.user_id) || cx.may(Permission::MembersManage)
}

fn view(cx: &OpContext, owner: String, key: ApiKey) -> ApiKeyView {
    ApiKeyView { expired: key.expires_at.is_some_and(|end| end <= cx.now()), owner, key }
}

fn recorded(key: &ApiKey) -> Value {
    let permissions = key.permissions.as_ref().map(|list| list.iter().map(|p| p.as_str()).collect::<Vec<_>>());
    json!({"name": key.name, "prefix": key.prefix, "permissions": permissions, "expires_at": key.expires_at})
}
