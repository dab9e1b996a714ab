//! Users, as the administrator of an organisation sees them: the accounts of its members.
//!
//! An account may have places in several organisations. Deactivating a user ends the place in this one; the name, the
//! address and the password of somebody who works elsewhere as well are that person's own.

use bartizan_auth::password::check_rules;
use bartizan_domain::id::UserId;
use bartizan_domain::{Error, Permission, Result, RoleName};
use bartizan_storage::members::{self, Member, MemberFilter, Membership};
use bartizan_storage::users::{self as storage, User};
use bartizan_storage::{Listed, Page, StorageError};
use secrecy::SecretString;

use crate::members::MemberPatch;
use crate::mutation::{Change, Mutation};
use crate::validate::{Fields, check_email, check_username};
use crate::{OpContext, Services, roles};

/// A user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Name to sign in with.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// First password; `None` for one that nobody knows, until its owner sets another with a link.
    pub password: Option<SecretString>,
    /// Role in the organisation.
    pub role: RoleName,
}

/// A change of a user. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// Mail address.
    pub email: Option<String>,
    /// Role in the organisation.
    pub role: Option<RoleName>,
    /// Whether the user may work in the organisation.
    pub is_active: Option<bool>,
}

/// One page of users, by name.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services, filter: &MemberFilter, page: Page) -> Result<Listed<Member>> {
    let organization = cx.require(Permission::UsersManage)?;
    Ok(members::list(services.store.read(), organization, filter, page).await?)
}

/// One user.
///
/// # Errors
/// [`Error::NotFound`] if the user is no member of the organisation.
pub async fn get(cx: &OpContext, services: &Services, id: UserId) -> Result<Member> {
    let organization = cx.require(Permission::UsersManage)?;
    crate::members::found(services.store.read(), organization, id).await
}

/// Adds a user, with a password or without.
///
/// # Errors
/// [`Error::Conflict`] if the name or the address is taken, [`Error::Invalid`] for fields that break a rule,
/// [`Error::Forbidden`] for a role that may do more than the caller.
pub async fn create(cx: &OpContext, services: &Services, new: NewUser) -> Result<Member> {
    let organization = cx.require(Permission::UsersManage)?;
    let password = new.password.unwrap_or_else(|| hex::encode(cx.random_bytes::<32>()).into());
    let (username, email) = check_account(&new.username, &new.email, &password)?;
    roles::grantable(cx, services.store.read(), organization, &new.role).await?;
    let password_hash = services.passwords.hash(password).await.map_err(crate::auth::password_error)?;
    let user = account(cx, (username, email), Some(password_hash), "internal");
    let membership = Membership {
        organization_id: organization,
        user_id: user.id,
        role: new.role,
        is_active: true,
        created_at: cx.now(),
    };
    let (_, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    members::lock(change.db(), organization).await?;
    roles::grantable(cx, change.db(), organization, &membership.role).await?;
    match storage::insert(change.db(), &user).await {
        Err(StorageError::Unique(_)) => return Err(taken()),
        other => other?,
    }
    members::insert(change.db(), &membership).await?;
    let member = Member { membership, user };
    let entry = Change::new("user.create", "user", member.user.id).after(crate::members::recorded(&member));
    change.commit(entry).await?;
    Ok(member)
}

/// Changes a user.
///
/// # Errors
/// As [`crate::members::update`]; [`Error::Conflict`] as well if the address is taken, or belongs to somebody who is a
/// member elsewhere.
pub async fn update(cx: &OpContext, services: &Services, id: UserId, patch: UserPatch) -> Result<Member> {
    let (organization, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    let place = MemberPatch { role: patch.role, is_active: patch.is_active };
    let (before, mut after) = crate::members::apply(cx, change.db(), organization, id, &place).await?;
    if let Some(email) = patch.email {
        let email = email.trim().to_owned();
        check_email(&email).map_err(|message| Error::invalid("body -> email", message))?;
        // Whoever sets the address can have the password reset: elsewhere that would be another's account.
        if members::of_user(change.db(), id).await?.len() > 1 {
            let text = "The user belongs to other organisations as well and changes the address in person";
            return Err(Error::Conflict(text.to_owned()));
        }
        match storage::set_email(change.db(), id, &email, cx.now()).await {
            Err(StorageError::Unique(_)) => return Err(taken()),
            other => other?,
        }
        after.user.email = email;
    }
    let entry = Change::new("user.update", "user", id)
        .before(crate::members::recorded(&before))
        .after(crate::members::recorded(&after));
    change.commit(entry).await?;
    Ok(after)
}

/// Deactivates a user: the account stays, with what it did, and may be activated again.
///
/// # Errors
/// As [`crate::members::update`].
pub async fn deactivate(cx: &OpContext, services: &Services, id: UserId) -> Result<Member> {
    let (organization, change) = Mutation::begin(cx, services, Permission::UsersManage).await?;
    let place = MemberPatch { role: None, is_active: Some(false) };
    let (before, after) = crate::members::apply(cx, change.db(), organization, id, &place).await?;
    let entry = Change::new("user.deactivate", "user", id)
        .before(crate::members::recorded(&before))
        .after(crate::members::recorded(&after));
    change.commit(entry).await?;
    Ok(after)
}

/// A new account, not yet stored.
pub(crate) fn account(
    cx: &OpContext,
    (username, email): (String, String),
    password_hash: Option<String>,
    provider: &str,
) -> User {
    let now = cx.now();
    User {
        id: cx.new_id(),
        username,
        email,
        password_hash,
        auth_provider: provider.to_owned(),
        is_active: true,
        theme_preference: "system".to_owned(),
        created_at: now,
        updated_at: now,
        last_login_at: None,
    }
}

/// The rules of an account: name and address in normal form.
pub(crate) fn check_account(username: &str, email: &str, password: &SecretString) -> Result<(String, String)> {
    let mut fields = Fields::default();
    let account = account_fields(&mut fields, username, email, password);
    fields.finish()?;
    Ok(account)
}

pub(crate) fn account_fields(
    fields: &mut Fields,
    username: &str,
    email: &str,
    password: &SecretString,
) -> (String, String) {
    let username = fields.text("username", username, 64);
    if let Err(message) = check_username(&username) {
        fields.error("username", message);
    }
    let email = email.trim().to_owned();
    if let Err(message) = check_email(&email) {
        fields.error("email", message);
    }
    if let Err(message) = check_rules(password, &[&username, &email]) {
        fields.error("password", message);
    }
    (username, email)
}

pub(crate) fn taken() -> Error {
    Error::Conflict("The user name or the e-mail address is taken".to_owned())
}
