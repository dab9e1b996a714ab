//! Sign-in sessions: the caller's own, and those of members, which their administrators may end.

use bartizan_domain::id::{SessionId, UserId};
use bartizan_domain::{Error, Permission, Result};
pub use bartizan_storage::sessions::Session;
use bartizan_storage::sessions::{self as storage};
use serde_json::json;

use crate::api_keys::{ApiKeysThen, revoke_with};
use crate::mutation::{Change, Mutation};
use crate::{Listed, OpContext, Page, Services};

/// One page of the caller's open sessions, last used first.
///
/// # Errors
/// If nobody is signed in in person.
pub async fn list(cx: &OpContext, services: &Services, page: Page) -> Result<Listed<Session>> {
    let (user, _) = cx.person()?;
    Ok(storage::open_of(services.store.read(), user, cx.now(), page).await?)
}

/// Ends one of the caller's own sessions.
///
/// # Errors
/// [`Error::NotFound`] if the caller has no such open session.
pub async fn revoke(cx: &OpContext, services: &Services, session: SessionId) -> Result<()> {
    let (user, _) = cx.person()?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    if !storage::end(change.db(), user, session, cx.now(), "revoked").await? {
        return Err(Error::not_found("session", session));
    }
    change.commit(Change::new("auth.session_revoke", "session", session)).await
}

/// Ends every session of the caller's but the one of the request. Says how many.
///
/// # Errors
/// If nobody is signed in in person.
pub async fn revoke_others(cx: &OpContext, services: &Services) -> Result<u64> {
    let (user, session) = cx.person()?;
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let ended = storage::end_all(change.db(), user, None, Some(session), (cx.now(), "revoked")).await?;
    let entry = Change::new("auth.session_revoke", "session", format!("{ended} sessions"));
    change.commit(entry.after(json!({"ended": ended}))).await?;
    Ok(ended)
}

/// Ends every session of a member in the organisation, and if so wished revokes the member's API keys there. Sessions and
/// keys elsewhere are not this administrator's.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such member, [`Error::Forbidden`] if the member may do what the caller
/// may not.
pub async fn end_of(cx: &OpContext, services: &Services, id: UserId, keys: ApiKeysThen) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    let member = crate::members::found(change.db(), organization, id).await?;
    crate::members::manageable(cx, change.db(), &member.membership).await?;
    let ended =
        storage::end_all(change.db(), id, Some(organization), None, (cx.now(), "ended_by_administrator")).await?;
    let revoked = revoke_with(&change, keys, (id, Some(organization)), cx.now()).await?;
    let after = json!({"username": member.user.username, "sessions_ended": ended, "api_keys_revoked": revoked});
    change.commit(Change::new("user.sessions_end", "user", id).after(after)).await
}
