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
    /// Whose files it consists of.
    #[serde(default, skip_serializing_if = "Ownership::is_own")]
    pub ownership: Ownership,
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
            ownership: Ownership::default(),
        }
    }
}

/// Marks that archives of third parties put into versions of Debian packages.
const FOREIGN_DEB: [&str; 8] = ["sury", "ppa", "nodesource", "pgdg", "docker", "~mozilla", "dotdeb", "-percona"];
/// Marks that repositories of third parties put into releases of RPM packages.
const FOREIGN_RPM: [&str; 10] =
    [".remi", ".ius", ".elrepo", "pgdg", "nodesource", ".ngx", ".art", ".codeit", ".gf", ".rpmfusion"];

impl Package {
    /// Where it comes from: as the inventory says, or by its version where only a third party writes such versions.
    /// Inventories that are made of package URLs do not say. Linear in the version.
    #[must_use]
    pub fn true_origin(&self) -> Origin {
        if self.origin == Origin::Registry && self.is_version_of_third_party() {
            Origin::ThirdParty
        } else {
            self.origin
        }
    }

    /// Whether the epoch is not known: that of an RPM package whose package URL has no `epoch`. The databases of packages
    /// state it; many writers of bills of materials leave it out.
    #[must_use]
    pub fn is_epoch_unknown(&self) -> bool {
        self.purl.starts_with("pkg:rpm/") && !self.version.contains(':') && !self.purl.contains("epoch=")
    }

    fn is_version_of_third_party(&self) -> bool {
        match self.ecosystem.purl_type() {
            "deb" => {
                let version = self.version.to_ascii_lowercase();
                FOREIGN_DEB.iter().any(|mark| version.contains(mark))
                    // Sury builds with git-buildpackage: `8.2.10-2+0~20230904.14+debian12~1.gbp6a0d5d`.
                    || ["+debian", "+ubuntu"].iter().any(|mark| version.contains(mark)) && version.contains(".gbp")
            }
            "rpm" => {
                let version = self.version.to_ascii_lowercase();
                let release = version.rsplit_once('-').map_or("", |(_, release)| release);
                // A mark is a word of the release: `.remi`, `.remi.8.2`, `1pgdg.rhel8`.
                FOREIGN_RPM.iter().any(|mark| {
                    release.match_indices(mark).any(|(at, _)| {
                        let rest = &release[at + mark.len()..];
                        !rest.starts_with(|next: char| next.is_ascii_alphabetic())
                    })
                })
            }
            _ => false,
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

/// Whose files a language package consists of. Distributions ship language packages inside packages of their own and fix
/// them without a new version of the language package: then their advisories speak, and the ecosystem's mislead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// Its own: it was installed or is declared as what it is.
    #[default]
    Own,
    /// Not known: it lies in a system beside packages of a distribution, one of which may contain it.
    Unclear,
    /// A package of the distribution contains it.
    Distribution(Box<Owner>),
}

impl Ownership {
    /// Whether nothing speaks for an owner.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Own)
    }
}

/// The package of a distribution that contains a language package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The distribution.
    pub ecosystem: Ecosystem,
    /// Its release, as in [`Package::release`].
    #[serde(default)]
    pub release: Text,
    /// The package, empty if only the place of the files tells that there is one.
    #[serde(default)]
    pub name: Text,
    /// The package's version.
    #[serde(default)]
    pub version: Text,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_of_third_parties() {
        let origin = |ecosystem: &Ecosystem, version: &str| Package::new(ecosystem.clone(), "p", version).true_origin();
        for version in [
            "8.2.10-1+0~20230831.23+debian12~1.gbp6a0d5d+sury",
            "8.2.10-2+0~20230904.14+debian12~1.gbp6a0d5d",
            "8.1.2-1+ubuntu22.04.1+deb.sury.org+1",
            "18.19.0-1nodesource1",
            "15.5-1.pgdg120+1",
        ] {
            assert_eq!(origin(&Ecosystem::Debian, version), Origin::ThirdParty, "{version}");
        }
        for version in ["3.0.11-1~deb12u2", "1.2+debian-3", "2.36-9+deb12u4", "1:5.1+b1~x"] {
            assert_eq!(origin(&Ecosystem::Debian, version), Origin::Registry, "{version}");
        }
        for version in ["7.4.33-1.el8.remi", "8.2.1-1.el9.remi.8.2", "1:15.5-1PGDG.rhel8", "1.24.0-1.el8.ngx"] {
            assert_eq!(origin(&Ecosystem::RockyLinux, version), Origin::ThirdParty, "{version}");
        }
        for version in ["8.0.28-1.el8", "1-2.artful.el8", "1.ngx-3.el8"] {
            assert_eq!(origin(&Ecosystem::RockyLinux, version), Origin::Registry, "{version}");
        }
        assert_eq!(origin(&Ecosystem::Npm, "1.0.0-ppa"), Origin::Registry);
    }
}
