//! What belongs to the whole installation and not to one organisation: who may see and command it.
//!
//! Maintenance mode, the log, organisations, monitoring, jobs of nobody in particular, mail and sign-in are the business
//! of the organisation that setup made: an administrator of another one is a tenant. What is done is in the audit log of
//! that first organisation, since nobody else may do it.

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::{Db, organizations};

use crate::{OpContext, Services};

/// Whether the caller may, with `permission`, act for the whole installation.
///
/// # Errors
/// [`Error::Forbidden`] but for members of the first organisation with `permission`.
pub async fn require(cx: &OpContext, services: &Services, permission: Permission) -> Result<OrganizationId> {
    let organization = cx.require(permission)?;
    if is_first(services.store.read(), organization).await? {
        return Ok(organization);
    }
    Err(Error::Forbidden("This belongs to the whole installation and is set in its first organisation".to_owned()))
}

/// Whether it is the organisation that setup made, whose members may command the installation.
///
/// # Errors
/// If the database fails.
pub async fn belongs_to(services: &Services, organization: OrganizationId) -> Result<bool> {
    is_first(services.store.read(), organization).await
}

/// Whether it is the organisation that setup made.
pub(crate) async fn is_first(db: Db<'_>, organization: OrganizationId) -> Result<bool> {
    Ok(organizations::first(db).await?.is_some_and(|first| first.id == organization))
}
