//! Organisations: the tenants. A user works in one at a time and may belong to several.

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result, Role};
use bartizan_storage::members::{self, Membership};
pub use bartizan_storage::organizations::Organization;
use bartizan_storage::organizations::{self as storage};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::validate::Fields;
use crate::{OpContext, Services};

/// An organisation of the caller, and the caller's role there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The organisation.
    pub organization: Organization,
    /// The caller's membership.
    pub membership: Membership,
}

/// The organisation of the request.
///
/// # Errors
/// If nobody is signed in, or the database fails.
pub async fn current(cx: &OpContext, services: &Services) -> Result<Organization> {
    found(cx.organization()?, services).await
}

/// The organisations the caller is an active member of, by name.
///
/// # Errors
/// If nobody is signed in, or the database fails.
pub async fn mine(cx: &OpContext, services: &Services) -> Result<Vec<Place>> {
    let user = cx.user()?;
    let db = services.store.read();
    let mut places: Vec<Membership> = members::of_user(db, user).await?;
    places.retain(|membership| membership.is_active);
    let ids: Vec<OrganizationId> = places.iter().map(|membership| membership.organization_id).collect();
    let found = storage::many(db, &ids).await?;
    let place = |organization: Organization| {
        let membership = places.iter().find(|membership| membership.organization_id == organization.id)?.clone();
        Some(Place { organization, membership })
    };
    Ok(found.into_iter().filter_map(place).collect())
}

/// Renames the organisation of the request.
///
/// # Errors
/// If the caller may not, or the name breaks a rule.
pub async fn rename(cx: &OpContext, services: &Services, name: &str) -> Result<Organization> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ConfigManage).await?;
    let name = checked(name)?;
    let Some(before) = storage::get(change.db(), organization).await? else {
        return Err(Error::not_found("organization", organization));
    };
    storage::rename(change.db(), organization, &name).await?;
    let entry = Change::new("organization.update", "organization", organization)
        .before(json!({"name": before.name}))
        .after(json!({"name": name}));
    change.commit(entry).await?;
    Ok(Organization { name, ..before })
}

/// Adds an organisation, with the caller as its first administrator.
///
/// # Errors
/// If the caller may not, or the name breaks a rule.
pub async fn create(cx: &OpContext, services: &Services, name: &str) -> Result<Organization> {
    let user = cx.user()?;
    crate::installation::require(cx, services, Permission::SystemManage).await?;
    let (_, change) = Mutation::begin(cx, services, Permission::SystemManage).await?;
    let name = checked(name)?;
    let now = cx.now();
    let organization = Organization { id: cx.new_id(), name, created_at: now };
    storage::insert(change.db(), &organization).await?;
    let membership = Membership {
        organization_id: organization.id,
        user_id: user,
        role: Role::Admin.into(),
        is_active: true,
        created_at: now,
    };
    members::insert(change.db(), &membership).await?;
    let entry = Change::new("organization.create", "organization", organization.id);
    change.commit(entry.after(json!({"name": organization.name}))).await?;
    Ok(organization)
}

async fn found(id: OrganizationId, services: &Services) -> Result<Organization> {
    storage::get(services.store.read(), id).await?.ok_or_else(|| Error::not_found("organization", id))
}

fn checked(name: &str) -> Result<String> {
    let mut fields = Fields::default();
    let name = fields.text("name", name, 100);
    fields.finish()?;
    Ok(name)
}
