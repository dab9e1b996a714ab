//! Accounts of people whom somebody else vouches for.
//!
//! What ties an account to a person is the issuer and the subject it gave, and never a name or a mail address: whoever
//! can have an address at a provider must not get the account of the same address here. The first sign-in makes the
//! account and a member of the first organisation. Where groups are mapped to roles, they decide at every sign-in: the
//! first entry whose group the person is in, else the default role, else the person is kept out. The last active
//! administrator keeps the role whatever the groups say. Without a mapping, the role is given once and is then a matter
//! of the administrators here.

use bartizan_auth::ExternalIdentity;
use bartizan_auth::ldap::normal;
use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Result, Role, RoleName};
use bartizan_storage::external_identities::{self as storage, ExternalIdentity as Tie};
use bartizan_storage::members::{self, Membership};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Db, StorageError, roles};
use serde_json::{Value, json};

use crate::auth_config::{RoleMapping, home_organization};
use crate::context::Actor;
use crate::mutation::{Change, Mutation};
use crate::validate::{check_email, check_username, may_name};
use crate::{OpContext, Services};

/// Names that are tried when the one a person brings is taken.
const NAMES: usize = 50;
/// Most characters of a user's name.
const NAME_LENGTH: usize = 64;

/// By which method somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Oidc,
    Ldap,
}

impl Method {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Ldap => "ldap",
        }
    }
}

/// How roles are decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) default_role: Option<&'a RoleName>,
    pub(crate) mapping: &'a [RoleMapping],
}

/// The account of somebody whom the provider vouches for, made or brought up to date.
///
/// # Errors
/// [`Error::Forbidden`] for who is deactivated, is no member any more or has no role; [`Error::Conflict`] if another
/// account has the address. Each is on record.
pub(crate) async fn account(
    cx: &OpContext,
    services: &Services,
    method: Method,
    who: &ExternalIdentity,
    rules: Rules<'_>,
) -> Result<User> {
    let home = home_organization(services.store.read()).await?;
    let actor = Actor::System("sign-in");
    let system = OpContext::new(actor, Some(home), [], cx.origin().clone(), services.sources());
    let change = Mutation::begin_open(&system, services, Some(home)).await?;
    storage::lock(change.db(), method.as_str(), &who.issuer, &who.subject).await?;
    match storage::get(change.db(), method.as_str(), &who.issuer, &who.subject).await? {
        Some(tie) => known(cx, services, change, (method, home), (tie, who), rules).await,
        None => first(cx, services, &system, change, (method, home), who, rules).await,
    }
}

/// Puts on record that somebody did not get in, and why.
pub(crate) async fn refused(
    cx: &OpContext,
    services: &Services,
    method: Method,
    (user, reason, detail): (Option<&User>, &'static str, Option<&str>),
) -> Result<()> {
    let organization = home_organization(services.store.read()).await.ok();
    let change = Mutation::begin_open(cx, services, organization).await?;
    let noun_id = user.map_or_else(|| "unknown".to_owned(), |user| user.id.to_string());
    let username = user.map(|user| user.username.as_str());
    let after = json!({"method": method.as_str(), "reason": reason, "username": username, "detail": detail});
    change.commit(Change::new("auth.login_failed", "user", noun_id).after(after)).await
}

async fn known(
    cx: &OpContext,
    services: &Services,
    change: Mutation<'_>,
    (method, home): (Method, OrganizationId),
    (tie, who): (Tie, &ExternalIdentity),
    rules: Rules<'_>,
) -> Result<User> {
    let db = change.db();
    let Some(before) = users::get(db, tie.user_id).await? else { return Err(Error::internal("a tie to no user")) };
    let places = members::of_user(db, before.id).await?;
    if !before.is_active || !places.iter().any(|place| place.is_active) {
        let reason = if places.is_empty() { "not_a_member" } else { "deactivated" };
        drop(change);
        refused(cx, services, method, (Some(&before), reason, None)).await?;
        return Err(kept_out());
    }
    members::lock(db, home).await?;
    let place = members::membership(db, home, before.id).await?.filter(|place| place.is_active);
    let mut was = json!({});
    let mut is = json!({});
    if let Some(place) = place
        && !rules.mapping.is_empty()
    {
        let Some(role) = role_for(db, home, rules, who, method).await? else {
            drop(change);
            refused(cx, services, method, (Some(&before), "no_role", None)).await?;
            return Err(no_role());
        };
        if role != place.role && !is_last_admin(db, &place).await? {
            members::update(db, &Membership { role: role.clone(), ..place.clone() }).await?;
            (was["role"], is["role"]) = (json!(place.role), json!(role));
        } else if role != place.role {
            tracing::warn!(user = %before.username, %role, "the last administrator keeps the role whatever the groups say");
        }
    }
    let mut user = before.clone();
    if let Some(email) = address(who).filter(|email| !email.eq_ignore_ascii_case(&before.email))
        && users::by_email(db, &email).await?.is_none()
    {
        users::set_email(db, before.id, &email, cx.now()).await?;
        (was["email"], is["email"]) = (json!(before.email), json!(email));
        user.email = email;
    }
    if tie.name != who.name {
        storage::set_name(db, &tie, &shortened(&who.name)).await?;
        (was["name"], is["name"]) = (json!(tie.name), json!(shortened(&who.name)));
    }
    if is != json!({}) {
        is["by"] = json!(method.as_str());
        change.commit(Change::new("user.update", "user", user.id).before(was).after(is)).await?;
    }
    Ok(user)
}

async fn first(
    cx: &OpContext,
    services: &Services,
    system: &OpContext,
    change: Mutation<'_>,
    (method, home): (Method, OrganizationId),
    who: &ExternalIdentity,
    rules: Rules<'_>,
) -> Result<User> {
    let db = change.db();
    let Some(role) = role_for(db, home, rules, who, method).await? else {
        drop(change);
        refused(cx, services, method, (None, "no_role", Some(&who.name))).await?;
        return Err(no_role());
    };
    let username = free_name(db, who, method).await?;
    let email = match address(who) {
        Some(email) if users::by_email(db, &email).await?.is_some() => {
            drop(change);
            refused(cx, services, method, (None, "email_taken", Some(&who.name))).await?;
            let text = "Another account has the e-mail address of your sign-in; ask an administrator";
            return Err(Error::Conflict(text.to_owned()));
        }
        Some(email) => email,
        // A user has an address, and mail to this one goes nowhere (RFC 2606).
        None => format!("{username}@no-address.invalid"),
    };
    let user = crate::users::account(system, (username, email), None, method.as_str());
    match users::insert(db, &user).await {
        Err(StorageError::Unique(_)) => return Err(crate::users::taken()),
        other => other?,
    }
    let membership = crate::auth::membership_of(home, user.id, role, cx.now());
    members::insert(db, &membership).await?;
    let tie = Tie {
        provider: method.as_str().to_owned(),
        issuer: who.issuer.clone(),
        subject: who.subject.clone(),
        user_id: user.id,
        name: shortened(&who.name),
        created_at: cx.now(),
    };
    storage::insert(db, &tie).await?;
    let after = recorded(&user, &membership, &tie);
    change.commit(Change::new("user.create", "user", user.id).after(after)).await?;
    Ok(user)
}

fn recorded(user: &User, membership: &Membership, tie: &Tie) -> Value {
    json!({
        "username": user.username, "email": user.email, "role": membership.role, "auth_provider": tie.provider,
        "issuer": tie.issuer, "subject": tie.subject, "name": tie.name,
    })
}

/// The role that the groups give, or else the default. Roles that are gone are passed over.
async fn role_for(
    db: Db<'_>,
    home: OrganizationId,
    rules: Rules<'_>,
    who: &ExternalIdentity,
    method: Method,
) -> Result<Option<RoleName>> {
    let mapped = rules.mapping.iter().filter(|entry| is_in(who, &entry.group, method)).map(|entry| &entry.role);
    for role in mapped.chain(rules.default_role) {
        if role.builtin().is_some() || roles::get(db, home, role).await?.is_some() {
            return Ok(Some(role.clone()));
        }
        tracing::warn!(%role, "groups are mapped to a role that does not exist");
    }
    Ok(None)
}

/// Names of an OpenID provider are compared as they are; those of a directory without regard to case.
fn is_in(who: &ExternalIdentity, group: &str, method: Method) -> bool {
    match method {
        Method::Oidc => who.groups.contains(group),
        Method::Ldap => who.groups.iter().any(|own| normal(own) == normal(group)),
    }
}

async fn is_last_admin(db: Db<'_>, place: &Membership) -> Result<bool> {
    let admin = RoleName::from(Role::Admin);
    Ok(place.role == admin && members::count_active(db, place.organization_id, &admin).await? <= 1)
}

fn address(who: &ExternalIdentity) -> Option<String> {
    who.email.as_deref().map(str::trim).filter(|email| check_email(email).is_ok()).map(str::to_owned)
}

/// A name that nobody has: the one the person brings, or it with the method, or with a number.
async fn free_name(db: Db<'_>, who: &ExternalIdentity, method: Method) -> Result<String> {
    let base = plain_name(who.username.as_deref().unwrap_or(&who.subject));
    for attempt in 0..NAMES {
        let name = match attempt {
            0 => base.clone(),
            1 => format!("{base}-{}", method.as_str()),
            more => format!("{base}-{more}"),
        };
        if users::by_login(db, &name).await?.is_none() {
            return Ok(name);
        }
    }
    Err(crate::users::taken())
}

/// A name by the rules of this program: no `@`, no space, nothing that deceives, not too long.
fn plain_name(text: &str) -> String {
    let local = text.trim().split('@').next().unwrap_or_default();
    let with = |may: fn(char) -> bool| -> String {
        local.chars().map(|c| if may(c) { c } else { '-' }).take(NAME_LENGTH - 5).collect()
    };
    let name = with(may_name);
    let name = if check_username(&name).is_ok() { name } else { with(|c| c.is_ascii_graphic()) };
    if name.is_empty() { "user".to_owned() } else { name }
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn kept_out() -> Error {
    Error::Forbidden("Your account is switched off here; ask an administrator".to_owned())
}

fn no_role() -> Error {
    Error::Forbidden("You are in no group that may sign in here; ask an administrator".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_follow_the_rules_here() {
        assert_eq!(plain_name("ada@corp.example"), "ada");
        assert_eq!(plain_name(" Ada Lovelace "), "Ada-Lovelace");
        assert_eq!(plain_name("@"), "user");
        assert_eq!(plain_name(&"x".repeat(200)).len(), NAME_LENGTH - 5);
    }
}
