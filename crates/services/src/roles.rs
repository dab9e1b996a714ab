//! Roles: sets of permissions. Built-in ones are the same everywhere; an organisation may make more of its own.

use std::collections::BTreeSet;

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result, Role, RoleName};
use bartizan_storage::roles::{self as storage, CustomRole};
use bartizan_storage::{Db, StorageError, invitations, members};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::mutation::{Change, Mutation};
use crate::validate::Fields;
use crate::{OpContext, Services};

/// Most roles an organisation may make.
const MOST: usize = 100;

/// A role as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    /// Its name.
    pub name: RoleName,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: BTreeSet<Permission>,
    /// Whether it comes with the product and cannot be changed.
    pub builtin: bool,
    /// Members who have it.
    pub members: u64,
    /// When it was made; `None` for a built-in one.
    pub created_at: Option<DateTime<Utc>>,
    /// Last change; `None` for a built-in one.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A role to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: RoleName,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

/// A change of a role. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolePatch {
    /// What it is for.
    pub description: Option<String>,
    /// What it may do.
    pub permissions: Option<Vec<Permission>>,
}

/// Every role a member can have: the built-in ones, greatest first, then the organisation's own by name.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(cx: &OpContext, services: &Services) -> Result<Vec<RoleView>> {
    let organization = cx.require(Permission::MembersManage)?;
    let db = services.store.read();
    let mut views = Vec::new();
    for role in [Role::Admin, Role::Analyst, Role::Auditor, Role::ReadOnly] {
        views.push(view_of_builtin(db, organization, role).await?);
    }
    for role in storage::all(db, organization).await? {
        views.push(view_of(db, role).await?);
    }
    Ok(views)
}

/// One role.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such role.
pub async fn get(cx: &OpContext, services: &Services, name: &RoleName) -> Result<RoleView> {
    let organization = cx.require(Permission::MembersManage)?;
    let db = services.store.read();
    match name.builtin() {
        Some(role) => view_of_builtin(db, organization, role).await,
        None => view_of(db, found(db, organization, name).await?).await,
    }
}

/// Makes a role.
///
/// # Errors
/// [`Error::Conflict`] if the name is taken, [`Error::Forbidden`] for permissions that the caller does not hold,
/// [`Error::Invalid`] for fields that break a rule.
pub async fn create(cx: &OpContext, services: &Services, new: NewRole) -> Result<RoleView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    if new.name.builtin().is_some() {
        return Err(Error::Conflict(format!("{} is a built-in role", new.name)));
    }
    let mut fields = Fields::default();
    let description = describe(&mut fields, &new.description);
    if new.permissions.is_empty() {
        fields.error("permissions", "a role holds at least one permission");
    }
    fields.finish()?;
    let permissions: BTreeSet<Permission> = new.permissions.into_iter().collect();
    may_grant(cx, &permissions)?;
    if storage::all(change.db(), organization).await?.len() >= MOST {
        return Err(Error::Conflict(format!("An organisation has at most {MOST} roles of its own")));
    }
    let role = CustomRole {
        organization_id: organization,
        name: new.name,
        description,
        permissions: permissions.into_iter().collect(),
        created_at: cx.now(),
        updated_at: cx.now(),
    };
    match storage::insert(change.db(), &role).await {
        Err(StorageError::Unique(_)) => return Err(Error::Conflict(format!("There is a role {} already", role.name))),
        other => other?,
    }
    change.commit(Change::new("role.create", "role", &role.name).after(recorded(&role))).await?;
    view_of(services.store.read(), role).await
}

/// Changes a role; it acts on its members' next request.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] for a built-in role, [`Error::Forbidden`] if the role holds or would hold
/// permissions that the caller does not.
pub async fn update(cx: &OpContext, services: &Services, name: &RoleName, patch: RolePatch) -> Result<RoleView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    not_builtin(name)?;
    let before = found(change.db(), organization, name).await?;
    may_grant(cx, &before.permissions.iter().copied().collect())?;
    let mut after = before.clone();
    let mut fields = Fields::default();
    if let Some(description) = &patch.description {
        after.description = describe(&mut fields, description);
    }
    if let Some(permissions) = patch.permissions {
        let permissions: BTreeSet<Permission> = permissions.into_iter().collect();
        if permissions.is_empty() {
            fields.error("permissions", "a role holds at least one permission");
        }
        may_grant(cx, &permissions)?;
        after.permissions = permissions.into_iter().collect();
    }
    fields.finish()?;
    after.updated_at = cx.now();
    storage::update(change.db(), &after).await?;
    let entry = Change::new("role.update", "role", name).before(recorded(&before)).after(recorded(&after));
    change.commit(entry).await?;
    view_of(services.store.read(), after).await
}

/// Removes a role that nobody has.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it is built in or somebody has it or is invited to it.
pub async fn delete(cx: &OpContext, services: &Services, name: &RoleName) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::MembersManage).await?;
    not_builtin(name)?;
    // The lock keeps the role from being given to somebody in between.
    members::lock(change.db(), organization).await?;
    let role = found(change.db(), organization, name).await?;
    may_grant(cx, &role.permissions.iter().copied().collect())?;
    if members::count_with(change.db(), organization, name).await? > 0
        || invitations::count_open_with(change.db(), organization, name, cx.now()).await? > 0
    {
        return Err(Error::Conflict(format!(
            "Members or invitations have the role {name}; give them another one first"
        )));
    }
    storage::remove(change.db(), organization, name).await?;
    change.commit(Change::new("role.delete", "role", name).before(recorded(&role))).await
}

/// What a role may do in an organisation. A role that is gone may do nothing.
pub(crate) async fn permissions(
    db: Db<'_>,
    organization: OrganizationId,
    name: &RoleName,
) -> Result<BTreeSet<Permission>> {
    match name.builtin() {
        Some(role) => Ok(role.permissions().collect()),
        None => {
            let role = storage::get(db, organization, name).await?;
            Ok(role.map(|role| role.permissions.into_iter().collect()).unwrap_or_default())
        }
    }
}

/// The role of this name, for giving it to somebody: it must exist and hold nothing that the caller does not.
pub(crate) async fn grantable(cx: &OpContext, db: Db<'_>, organization: OrganizationId, name: &RoleName) -> Result<()> {
    if name.builtin().is_none() && storage::get(db, organization, name).await?.is_none() {
        return Err(Error::invalid("body -> role", format!("there is no role {name}")));
    }
    may_grant(cx, &permissions(db, organization, name).await?)
}

/// Nobody hands out, or takes away, what they do not hold themselves.
pub(crate) fn may_grant(cx: &OpContext, permissions: &BTreeSet<Permission>) -> Result<()> {
    match permissions.iter().find(|permission| !cx.may(**permission)) {
        None => Ok(()),
        Some(missing) => Err(Error::Forbidden(format!("This needs {missing}, which you do not hold yourself"))),
    }
}

fn not_builtin(name: &RoleName) -> Result<()> {
    match name.builtin() {
        Some(_) => Err(Error::Conflict(format!("{name} is a built-in role and cannot be changed"))),
        None => Ok(()),
    }
}

async fn found(db: Db<'_>, organization: OrganizationId, name: &RoleName) -> Result<CustomRole> {
    storage::get(db, organization, name).await?.ok_or_else(|| Error::not_found("role", name))
}

fn describe(fields: &mut Fields, text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { fields.text("description", text, 500) }
}

async fn view_of_builtin(db: Db<'_>, organization: OrganizationId, role: Role) -> Result<RoleView> {
    let description = match role {
        Role::Admin => "Everything, members and settings included.",
        Role::Analyst => "Triages findings, keeps assets, and all an auditor may.",
        Role::Auditor => "Runs scans, reads everything, generates reports, reads the audit log.",
        Role::ReadOnly => "Reads.",
    };
    let name = RoleName::from(role);
    Ok(RoleView {
        description: description.to_owned(),
        permissions: role.permissions().collect(),
        builtin: true,
        members: members::count_with(db, organization, &name).await?,
        created_at: None,
        updated_at: None,
        name,
    })
}

async fn view_of(db: Db<'_>, role: CustomRole) -> Result<RoleView> {
    Ok(RoleView {
        members: members::count_with(db, role.organization_id, &role.name).await?,
        name: role.name,
        description: role.description,
        permissions: role.permissions.into_iter().collect(),
        builtin: false,
        created_at: Some(role.created_at),
        updated_at: Some(role.updated_at),
    })
}

fn recorded(role: &CustomRole) -> Value {
    let permissions: Vec<&str> = role.permissions.iter().map(|permission| permission.as_str()).collect();
    json!({"name": role.name, "description": role.description, "permissions": permissions})
}
