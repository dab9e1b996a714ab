//! What an inventory reader found.

use serde::{Deserialize, Serialize};

use super::{Ecosystem, Text};

/// One installed or declared package at one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// The release of the distribution in normal form ([`Ecosystem::normalise_release`]); empty for language packages,
    /// and for a distribution whose release is not known, which makes the package "not covered".
    #[serde(default)]
    pub release: Text,
    /// The name as the inventory writes it.
    pub name: Text,
    /// The version as the inventory writes it; of RPM packages `[epoch:]version-release`. Empty if not known: then
    /// nothing can be concluded and the package is reported as a gap.
    pub version: Text,
    /// The source package, where the distribution's advisories may speak of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// The architecture, empty if not stated.
    #[serde(default)]
    pub arch: Text,
    /// The module stream it was built for (`nodejs:18`), empty for none.
    #[serde(default)]
    pub module: Text,
    /// The package URL, empty if the inventory has none.
    #[serde(default)]
    pub purl: Text,
    /// CPE 2.3 names the inventory states (SBOM, banner, Windows registry reader); used only where neither vendor nor
    /// ecosystem speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpes: Vec<Text>,
    /// Where it was found: a path relative to the audited root, with `/`.
    #[serde(default)]
    pub location: Text,
    /// Where it was taken from.
    #[serde(default)]
    pub origin: Origin,
    /// What it is needed for.
    #[serde(default)]
    pub scope: DependencyScope,
}

impl Package {
    /// A package with everything optional left empty.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, name: impl Into<Text>, version: impl Into<Text>) -> Self {
        Self {
            ecosystem,
            release: Text::default(),
            name: name.into(),
            version: version.into(),
            source: None,
            arch: Text::default(),
            module: Text::default(),
            purl: Text::default(),
            cpes: Vec::new(),
            location: Text::default(),
            origin: Origin::default(),
            scope: DependencyScope::default(),
        }
    }
}

/// The source package a binary package was built from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: Text,
    /// Its version, which differs from the binary's for rebuilds and packages with a version of their own.
    pub version: Text,
}

/// Where a package was taken from. Advisories speak about the ecosystem's own registry or the distribution's own
/// archive; the same name from elsewhere is another thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The public registry of the ecosystem, or the distribution's archive.
    #[default]
    Registry,
    /// A repository of somebody else (PPA, sury, a vendor's apt or yum repository).
    ThirdParty,
    /// A version-control repository.
    Vcs,
    /// A path in the same tree: the audited project itself or a member of its workspace.
    Local,
}

/// What a dependency is needed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DependencyScope {
    /// Running, or not known.
    #[default]
    Runtime,
    /// Development or tests only.
    Development,
    /// Optional at run time.
    Optional,
}
