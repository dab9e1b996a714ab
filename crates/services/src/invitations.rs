//! Invitations: how people join an organisation by themselves.
//!
//! An invitation is a token in a link, good once and for some days; only its hash is stored, so that the link is shown
//! (or sent) when it is made and never again. Somebody new makes an account with it, somebody with an account joins.

use bartizan_domain::id::{InvitationId, OrganizationId};
use bartizan_domain::{Error, Permission, Result, RoleName};
use bartizan_storage::invitations::{self as storage};
pub use bartizan_storage::invitations::{Invitation, MailState};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Db, Listed, Page, StorageError, members, organizations};
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::auth::{SignedIn, membership_of, open_session, password_error, profile_of, token_hash};
use crate::mutation::{Change, Mutation};
use crate::users::{account, check_account, taken};
use crate::validate::check_email;
use crate::{OpContext, Services, mail, mail_jobs, roles};

/// How long an invitation is good.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// State of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

/// An invitation with its secret, which is shown once.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The invitation.
    pub invitation: Invitation,
    /// What proves it.
    pub token: SecretString,
}

/// How the link of an invitation gets to whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// By mail, where a mail server is set; else by whoever invites.
    #[default]
    Mail,
    /// By whoever invites.
    Hand,
}

/// What somebody who holds the link is told before accepting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Name of the organisation.
    pub organization: String,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: RoleName,
    /// Whether there is an account with the address: then its owner signs in and joins.
    pub has_account: bool,
}

/// Where an invitation stands now.
#[must_use]
pub fn status(cx: &OpContext, invitation: &Invitation) -> InvitationStatus {
    if invitation.accepted_at.is_some() {
        InvitationStatus::Accepted
    } else if invitation.revoked_at.is_some() {
        InvitationStatus::Revoked
    } else if invitation.expires_at <= cx.now() {
        InvitationStatus::Expired
    } else {
        InvitationStatus::Pending
    }
}

/// One page of invitations, newest first.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services, page: Page) -> Result<Listed<Invitation>> {
    let organization = cx.require(Permission::MembersManage)?;
    Ok(storage::list(services.store.read(), organization, page).await?)
}

/// One invitation.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such invitation.
pub async fn get(cx: &OpContext, services: &Services, id: InvitationId) -> Result<Invitation> {
    let organization = cx.require(Permission::MembersManage)?;
    found(services.store.read(), organization, id).await
}

/// Invites somebody. [`Invitation::mail`] says whether the link is on its way by mail.
///
/// # Errors
/// [`Error::Conflict`] if the address is a member's or invited already, [`Error::Forbidden`] for a role that may do more
/// than the caller, [`Error::Invalid`] for fields that break a rule.
pub async fn create(cx: &OpContext, services: &Services, email: &str, role: RoleName, by: By) -> Result<Issued> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    let email = email.trim().to_owned();
    check_email(&email).map_err(|message| Error::invalid("body -> email", message))?;
    // The lock keeps the role from being removed in between, and one address from being invited twice.
    members::lock(change.db(), organization).await?;
    roles::grantable(cx, change.db(), organization, &role).await?;
    if let Some(user) = users::by_email(change.db(), &email).await?
        && members::membership(change.db(), organization, user.id).await?.is_some()
    {
        return Err(Error::Conflict(format!("{email} is a member already")));
    }
    if storage::open_of(change.db(), organization, &email, cx.now()).await?.is_some() {
        return Err(Error::Conflict(format!("{email} is invited already; send that invitation again or take it back")));
    }
    let token = new_token(cx);
    let invitation = Invitation {
        id: cx.new_id(),
        organization_id: organization,
        email,
        role,
        token_hash: token_hash(token.expose_secret()),
        invited_by: cx.actor().user_id(),
        invited_by_name: cx.actor().name().to_owned(),
        created_at: cx.now(),
        expires_at: cx.now() + LIFETIME,
        accepted_at: None,
        accepted_by: None,
        revoked_at: None,
        mail: mail_of(services, by).await?,
        mail_error: None,
    };
    storage::insert(change.db(), &invitation).await?;
    if invitation.mail.is_some() {
        mail_jobs::invitation(cx, services, change.db(), &invitation, &token).await?;
    }
    let entry = Change::new("invitation.create", "invitation", invitation.id).after(recorded(&invitation));
    change.commit(entry).await?;
    services.queue.wake();
    Ok(Issued { invitation, token })
}

/// Makes a new link for an invitation that was not accepted; the old link is worth nothing any more.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it was accepted or taken back.
pub async fn resend(cx: &OpContext, services: &Services, id: InvitationId, by: By) -> Result<Issued> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    let mut invitation = found(change.db(), organization, id).await?;
    roles::grantable(cx, change.db(), organization, &invitation.role).await?;
    if !matches!(status(cx, &invitation), InvitationStatus::Pending | InvitationStatus::Expired) {
        return Err(Error::Conflict("The invitation was accepted or taken back".to_owned()));
    }
    let token = new_token(cx);
    invitation.token_hash = token_hash(token.expose_secret());
    invitation.expires_at = cx.now() + LIFETIME;
    (invitation.mail, invitation.mail_error) = (mail_of(services, by).await?, None);
    storage::renew(change.db(), &invitation).await?;
    if invitation.mail.is_some() {
        mail_jobs::invitation(cx, services, change.db(), &invitation, &token).await?;
    }
    change.commit(Change::new("invitation.resend", "invitation", id).after(recorded(&invitation))).await?;
    services.queue.wake();
    Ok(Issued { invitation, token })
}

/// Takes an invitation back.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it was accepted or taken back before.
pub async fn revoke(cx: &OpContext, services: &Services, id: InvitationId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    let invitation = found(change.db(), organization, id).await?;
    if !storage::revoke(change.db(), organization, id, cx.now()).await? {
        return Err(Error::Conflict("The invitation was accepted or taken back".to_owned()));
    }
    change.commit(Change::new("invitation.revoke", "invitation", id).before(recorded(&invitation))).await
}

/// Tells who holds a link what it is to.
///
/// # Errors
/// [`Error::NotFound`] if the link is not good, for whatever reason.
pub async fn preview(cx: &OpContext, services: &Services, token: &SecretString) -> Result<Preview> {
    let db = services.store.read();
    let invitation = pending(cx, db, token).await?;
    let organization = organizations::get(db, invitation.organization_id).await?.ok_or_else(not_good)?;
    let has_account = users::by_email(db, &invitation.email).await?.is_some();
    Ok(Preview { organization: organization.name, email: invitation.email, role: invitation.role, has_account })
}

/// Makes an account with an invitation, and signs it in.
///
/// # Errors
/// [`Error::NotFound`] if the link is not good, [`Error::Conflict`] if the address has an account (its owner joins
/// instead) or the name is taken, [`Error::Invalid`] for fields that break a rule.
pub async fn accept(
    cx: &OpContext,
    services: &Services,
    token: &SecretString,
    username: &str,
    password: SecretString,
) -> Result<SignedIn> {
    let invitation = pending(cx, services.store.read(), token).await?;
    let names = check_account(username, &invitation.email, &password)?;
    let hash = services.passwords.hash(password).await.map_err(password_error)?;
    let user = User { last_login_at: Some(cx.now()), ..account(cx, names, Some(hash), "internal") };

    let change = Mutation::begin_open(cx, services, Some(invitation.organization_id)).await?;
    match users::insert(change.db(), &user).await {
        Err(StorageError::Unique(_)) => return Err(taken()),
        other => other?,
    }
    enrol(cx, change.db(), &invitation, &user).await?;
    let organization = organizations::get(change.db(), invitation.organization_id).await?.ok_or_else(not_good)?;
    let membership = membership_of(organization.id, user.id, invitation.role.clone(), cx.now());
    let profile = profile_of(change.db(), &user, &membership, &organization).await?;
    let signed_in = open_session(cx, change.db(), profile).await?;
    let entry = Change::new("invitation.accept", "invitation", invitation.id);
    change.commit(entry.after(json!({"user_id": user.id, "username": user.username, "role": invitation.role}))).await?;
    Ok(signed_in)
}

/// Makes the caller a member with an invitation to the caller's own address.
///
/// # Errors
/// [`Error::NotFound`] if the link is not good or to another address.
pub async fn join(cx: &OpContext, services: &Services, token: &SecretString) -> Result<OrganizationId> {
    let (id, _) = cx.person()?;
    let user = users::get(services.store.read(), id).await?.ok_or_else(not_good)?;
    let invitation = pending(cx, services.store.read(), token).await?;
    if user.email.trim().to_lowercase() != invitation.email.trim().to_lowercase() {
        return Err(not_good());
    }
    let change = Mutation::begin_open(cx, services, Some(invitation.organization_id)).await?;
    enrol(cx, change.db(), &invitation, &user).await?;
    let entry = Change::new("invitation.accept", "invitation", invitation.id);
    change.commit(entry.after(json!({"user_id": id, "username": user.username, "role": invitation.role}))).await?;
    Ok(invitation.organization_id)
}

async fn enrol(cx: &OpContext, db: Db<'_>, invitation: &Invitation, user: &User) -> Result<()> {
    let organization = invitation.organization_id;
    members::lock(db, organization).await?;
    if !storage::accept(db, invitation.id, user.id, cx.now()).await? {
        return Err(not_good());
    }
    let membership = membership_of(organization, user.id, invitation.role.clone(), cx.now());
    match members::insert(db, &membership).await {
        Err(StorageError::Unique(_)) => Err(Error::Conflict("You are a member already".to_owned())),
        other => Ok(other?),
    }
}

async fn pending(cx: &OpContext, db: Db<'_>, token: &SecretString) -> Result<Invitation> {
    let found = storage::by_token(db, &token_hash(token.expose_secret())).await?;
    found.filter(|found| status(cx, found) == InvitationStatus::Pending).ok_or_else(not_good)
}

async fn found(db: Db<'_>, organization: OrganizationId, id: InvitationId) -> Result<Invitation> {
    storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("invitation", id))
}

fn not_good() -> Error {
    Error::not_found("invitation", "of this link")
}

async fn mail_of(services: &Services, by: By) -> Result<Option<MailState>> {
    Ok((by == By::Mail && mail::is_on(services).await?).then_some(MailState::Queued))
}

fn new_token(cx: &OpContext) -> SecretString {
    hex::encode(cx.random_bytes::<32>()).into()
}

fn recorded(invitation: &Invitation) -> Value {
    json!({"email": invitation.email, "role": invitation.role, "expires_at": invitation.expires_at,
        "by_mail": invitation.mail.is_some()})
}
