//! The check catalogue and the scan profiles, for listings and explanations.

pub use bartizan_catalog::CheckMeta;
use bartizan_catalog::Profile;
use bartizan_domain::{Error, Permission, Result};

use crate::{OpContext, Services};

/// A check with the controls it informs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckView {
    /// Texts and metadata.
    pub meta: &'static CheckMeta,
    /// Control references over all frameworks: `nis2:21.2.h`.
    pub controls: Vec<String>,
}

/// A profile with what it selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileView {
    /// The profile.
    pub profile: &'static Profile,
    /// How many checks it runs.
    pub checks: usize,
}

/// Every check, by id.
///
/// # Errors
/// If the caller may not see findings.
pub fn list(cx: &OpContext, services: &Services) -> Result<Vec<CheckView>> {
    cx.require(Permission::FindingsView)?;
    Ok(services.catalog.checks().map(|meta| view(services, meta)).collect())
}

/// One check, by its id or a former id.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub fn get(cx: &OpContext, services: &Services, id: &str) -> Result<CheckView> {
    cx.require(Permission::FindingsView)?;
    let meta = services.catalog.check(id).ok_or_else(|| Error::not_found("check", id))?;
    Ok(view(services, meta))
}

/// Every profile, in listing order.
///
/// # Errors
/// If the caller may not see scans.
pub fn profiles(cx: &OpContext, services: &Services) -> Result<Vec<ProfileView>> {
    cx.require(Permission::ScansView)?;
    let checks = |profile: &Profile| services.catalog.checks().filter(|check| profile.includes(check)).count();
    let profiles = services.catalog.profiles().iter();
    Ok(profiles.map(|profile| ProfileView { profile, checks: checks(profile) }).collect())
}

fn view(services: &Services, meta: &'static CheckMeta) -> CheckView {
    CheckView { meta, controls: services.catalog.controls_of(&meta.id) }
}
