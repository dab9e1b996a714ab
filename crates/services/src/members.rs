//! Members: who belongs to the organisation, and as what.

use bartizan_domain::id::{OrganizationId, UserId};
use bartizan_domain::{Error, Permission, Result, Role, RoleName};
use bartizan_storage::members::{self as storage};
pub use bartizan_storage::members::{Member, MemberFilter, Membership};
use bartizan_storage::{Db, Listed, Page, sessions};
use serde_json::{Value, json};

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services, roles};

/// A change of a membership. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPatch {
    /// As what.
    pub role: Option<RoleName>,
    /// Whether the member may work in the organisation.
    pub is_active: Option<bool>,
}

/// One page of members, by name.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services, filter: &MemberFilter, page: Page) -> Result<Listed<Member>> {
    let organization = cx.require(Permission::MembersManage)?;
    Ok(storage::list(services.store.read(), organization, filter, page).await?)
}

/// One member.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such member.
pub async fn get(cx: &OpContext, services: &Services, id: UserId) -> Result<Member> {
    let organization = cx.require(Permission::MembersManage)?;
    found(services.store.read(), organization, id).await
}

/// Changes a member's role, or keeps a member out for a while. It acts on the member's next request.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] if the member may or would do what the caller may not, [`Error::Conflict`]
/// if no administrator would be left.
pub async fn update(cx: &OpContext, services: &Services, id: UserId, patch: MemberPatch) -> Result<Member> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    let (before, after) = apply(cx, change.db(), organization, id, &patch).await?;
    let entry = Change::new("member.update", "user", id).before(recorded(&before)).after(recorded(&after));
    change.commit(entry).await?;
    Ok(after)
}

/// Ends a membership. The person's account stays, with its places in other organisations.
///
/// # Errors
/// As [`update`].
pub async fn remove(cx: &OpContext, services: &Services, id: UserId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    let leave = MemberPatch { is_active: Some(false), role: None };
    let (before, _) = apply(cx, change.db(), organization, id, &leave).await?;
    storage::remove(change.db(), organization, id).await?;
    change.commit(Change::new("member.remove", "user", id).before(recorded(&before))).await
}

/// Checks and makes a change within a transaction; says what was and what is.
pub(crate) async fn apply(
    cx: &OpContext,
    db: Db<'_>,
    organization: OrganizationId,
    id: UserId,
    patch: &MemberPatch,
) -> Result<(Member, Member)> {
    storage::lock(db, organization).await?;
    let before = found(db, organization, id).await?;
    manageable(cx, db, &before.membership).await?;
    let mut after = before.clone();
    if let Some(role) = &patch.role {
        roles::grantable(cx, db, organization, role).await?;
        after.membership.role = role.clone();
    }
    if let Some(active) = patch.is_active {
        after.membership.is_active = active;
    }
    let admin = RoleName::from(Role::Admin);
    let rules = |membership: &Membership| membership.is_active && membership.role == admin;
    let last = rules(&before.membership)
        && !rules(&after.membership)
        && storage::count_active(db, organization, &admin).await? <= 1;
    if last {
        return Err(Error::Conflict("This is the last active administrator; make another one first".to_owned()));
    }
    storage::update(db, &after.membership).await?;
    if !after.membership.is_active {
        sessions::end_all(db, id, Some(organization), None, (cx.now(), "deactivated")).await?;
    }
    Ok((before, after))
}

/// A member who may do more than the caller is not the caller's to change.
pub(crate) async fn manageable(cx: &OpContext, db: Db<'_>, membership: &Membership) -> Result<()> {
    let held = roles::permissions(db, membership.organization_id, &membership.role).await?;
    roles::may_grant(cx, &held)
}

pub(crate) async fn found(db: Db<'_>, organization: OrganizationId, id: UserId) -> Result<Member> {
    storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("user", id))
}

pub(crate) fn recorded(member: &Member) -> Value {
    json!({
        "username": member.user.username, "email": member.user.email, "role": member.membership.role,
        "is_active": member.membership.is_active,
    })
}
