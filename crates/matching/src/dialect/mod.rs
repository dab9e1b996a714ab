//! The dialects and their common entry point.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::MAX_VERSION;
use crate::{SortKey, VersionError};

mod apk;
mod bitnami;
mod composer;
mod conan;
mod dpkg;
mod gem;
mod generic;
mod go;
mod maven;
mod nuget;
mod pacman;
pub(crate) mod pep440;
mod rpm;
mod semver;

/// A way to order versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Debian and Ubuntu packages.
    Dpkg,
    /// RPM packages: epoch, version, release.
    Rpm,
    /// Alpine packages.
    Apk,
    /// Arch Linux packages.
    Pacman,
    /// Semantic Versioning 2.0.0: crates.io.
    Semver,
    /// Semantic versions as tags of repositories write them, with or without `v`: Swift, GitHub Actions.
    Tag,
    /// Semantic versions as Dart's `pub` compares them, build metadata too.
    Pub,
    /// Semantic versions as npm reads them (leading `v` and `=` allowed).
    Npm,
    /// Python packages.
    Pep440,
    /// Maven artifacts.
    Maven,
    /// Go modules and the Go toolchain.
    Go,
    /// RubyGems.
    Gem,
    /// NuGet packages.
    Nuget,
    /// Composer (Packagist) packages.
    Composer,
    /// Hex packages.
    Hex,
    /// Conan packages.
    Conan,
    /// Applications packaged by Bitnami.
    Bitnami,
    /// Versions of no known ecosystem; a comparison in it is rough.
    Generic,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 18] = [
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Pacman,
        Self::Semver,
        Self::Tag,
        Self::Pub,
        Self::Npm,
        Self::Pep440,
        Self::Maven,
        Self::Go,
        Self::Gem,
        Self::Nuget,
        Self::Composer,
        Self::Hex,
        Self::Conan,
        Self::Bitnami,
        Self::Generic,
    ];

    /// The dialect of an OSV ecosystem name (the part before the first colon decides: `Debian:12` is `Debian`), or
    /// `None` for an ecosystem whose order is not known.
    #[must_use]
    pub fn of_ecosystem(ecosystem: &str) -> Option<Self> {
        crate::model::Scope::of_osv(ecosystem).ecosystem.dialect()
    }

    /// The short name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Semver => "semver",
            Self::Tag => "tag",
            Self::Pub => "pub",
            Self::Npm => "npm",
            Self::Pep440 => "pep440",
            Self::Maven => "maven",
            Self::Go => "go",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Hex => "hex",
            Self::Conan => "conan",
            Self::Bitnami => "bitnami",
            Self::Generic => "generic",
        }
    }

    /// The key of a version. Linear in its length.
    ///
    /// # Errors
    /// Names the version, the dialect and the rule.
    pub fn key(self, version: &str) -> Result<SortKey, VersionError> {
        let trimmed = version.trim();
        let read = if trimmed.is_empty() {
            Err("it is empty")
        } else if trimmed.len() > MAX_VERSION {
            Err("it is longer than 512 bytes")
        } else if trimmed.bytes().any(|byte| byte == 0 || byte.is_ascii_whitespace()) {
            Err("it contains white space")
        } else {
            match self {
                Self::Dpkg => dpkg::key(trimmed),
                Self::Rpm => rpm::key(trimmed),
                Self::Apk => apk::key(trimmed),
                Self::Pacman => pacman::key(trimmed),
                Self::Semver => semver::key(trimmed, semver::Prefix::None),
                Self::Tag => semver::key(trimmed, semver::Prefix::Tag),
                Self::Pub => semver::key_with_build(trimmed),
                Self::Npm => semver::key(trimmed, semver::Prefix::Npm),
                Self::Pep440 => pep440::key(trimmed),
                Self::Maven => maven::key(trimmed),
                Self::Go => go::key(trimmed),
                Self::Gem => gem::key(trimmed),
                Self::Nuget => nuget::key(trimmed),
                Self::Composer => composer::key(trimmed),
                Self::Hex => semver::key(trimmed, semver::Prefix::None),
                Self::Conan => conan::key(trimmed),
                Self::Bitnami => bitnami::key(trimmed),
                Self::Generic => generic::key(trimmed),
            }
        };
        read.map_err(|rule| VersionError { version: version.chars().take(80).collect(), dialect: self, rule })
    }

    /// Compares two versions.
    ///
    /// # Errors
    /// If either is not a version of this dialect.
    pub fn compare(self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(self.key(a)?.cmp(&self.key(b)?))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a dialect's reader returns: the key, or the rule that is broken.
type Read = Result<SortKey, &'static str>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asserts that the versions of `ascending` grow strictly.
    pub(super) fn assert_ascending(dialect: Dialect, ascending: &[&str]) {
        for (index, low) in ascending.iter().enumerate() {
            for high in &ascending[index + 1..] {
                assert_eq!(dialect.compare(low, high).unwrap(), Ordering::Less, "{dialect}: {low} < {high}");
                assert_eq!(dialect.compare(high, low).unwrap(), Ordering::Greater, "{dialect}: {high} > {low}");
            }
        }
    }

    /// Asserts that all versions are equal.
    pub(super) fn assert_equal(dialect: Dialect, equal: &[&str]) {
        for pair in equal.windows(2) {
            assert_eq!(
                dialect.compare(pair[0], pair[1]).unwrap(),
                Ordering::Equal,
                "{dialect}: {} = {}",
                pair[0],
                pair[1]
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,60}", dialect in proptest::sample::select(&Dialect::ALL[..])) {
            let _ = dialect.key(&text);
        }

        #[test]
        fn version_like_text_is_never_a_panic(text in "[0-9a-z.+~^_:-]{1,30}", dialect in proptest::sample::select(&Dialect::ALL[..])) {
            let _ = dialect.key(&text);
        }
    }
}
