//! What an advisory says about one package.

use serde::{Deserialize, Serialize};

use super::{Ecosystem, Text};

/// The key under which statements about a package are indexed and looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageKey {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The release in normal form; empty if the statement holds for every release of the ecosystem.
    #[serde(default)]
    pub release: Text,
    /// The name in normal form ([`Ecosystem::normalise`]).
    pub name: Text,
}

impl PackageKey {
    /// The key of a name as written.
    #[must_use]
    pub fn new(ecosystem: Ecosystem, release: &str, name: &str) -> Self {
        let release = ecosystem.normalise_release(release).into();
        let name = ecosystem.normalise(name).into();
        Self { ecosystem, release, name }
    }
}

/// One statement of an advisory about one package.
///
/// A version is affected if it is in `versions`, or in one of `ranges`; a statement with neither is about every
/// version. `state` says what the vendor makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Affected {
    /// The package.
    pub package: PackageKey,
    /// Whether the name is that of a source or of a binary package.
    #[serde(default)]
    pub name_kind: NameKind,
    /// What the vendor says about the versions described.
    #[serde(default)]
    pub state: VendorState,
    /// Ranges; a version in any of them is meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// Single versions, as written by the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Text>,
    /// Fixed versions the source names that its ranges do not already state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<Text>,
    /// What must hold besides; all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// Which name a statement uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// The name of the package as it is installed or declared.
    #[default]
    Binary,
    /// The name of the source package (Debian, Ubuntu tracker, Alpine): compared with the package's source name and
    /// version, or with its own where it has none.
    Source,
}

/// What a vendor says about the versions an entry describes. The states are kept apart to the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorState {
    /// Affected; a fix is what the ranges or `fixed` say.
    #[default]
    Affected,
    /// Affected, and no fix exists yet (needed, deferred, postponed).
    NoFixYet,
    /// Affected, and the vendor has decided not to fix it (minor, ignored).
    WillNotFix,
    /// Affected or unknown, and the release gets no fixes any more.
    EndOfLife,
    /// Not known yet whether it is affected (needs triage, undetermined).
    UnderInvestigation,
    /// Expressly not affected: the package, or the versions described, do not contain the flaw.
    NotAffected,
}

/// A set of versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Range {
    /// OSV events in the order of the ecosystem's dialect, or of SemVer if `semver`. A version is in the range by the
    /// evaluation of the OSV schema: sorted events, affected from an `introduced` to the next `fixed` (exclusive) or
    /// `last_affected` (inclusive).
    Events {
        /// Whether the source declares SemVer order (`SEMVER`) rather than the ecosystem's own (`ECOSYSTEM`).
        #[serde(default)]
        semver: bool,
        /// The events.
        events: Vec<Event>,
    },
    /// Versions that satisfy a requirement written in the ecosystem's own syntax: npm `>=1.2 <1.4 || ^2`, RubyGems
    /// `~> 1.2, != 1.2.3`, Composer, PEP 440 specifiers, Maven or NuGet intervals.
    Requirement {
        /// The requirement.
        text: Text,
    },
    /// Versions that satisfy none of these requirements: how ruby-advisory-db and Node's working group state what
    /// is patched or never was affected.
    Except {
        /// The requirements.
        texts: Vec<Text>,
    },
    /// Commits. Kept for display and explanation; a package version is never compared with it.
    Git {
        /// The repository.
        repo: Text,
        /// The events, commits as versions.
        events: Vec<Event>,
    },
}

/// An event on the line of versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Affected from here on, inclusive; `0` is before every version.
    Introduced(Text),
    /// Not affected from here on.
    Fixed(Text),
    /// Affected up to and including this one.
    LastAffected(Text),
    /// Nothing is said from here on.
    Limit(Text),
}

/// What must hold besides name and version for a statement to apply.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Condition {
    /// The architecture is one of these (binary spelling of the distribution).
    Arch(Vec<Text>),
    /// The package belongs to this module stream (`nodejs:18`), or to one of several divided by blanks
    /// (`virt:rhel virt-devel:rhel`); [`Condition::UNKNOWN_STREAM`] where the source tells that it is one and not which;
    /// the empty text means to no module.
    Module(Text),
    /// The statement is about this pocket of Ubuntu (`pro`, `esm-infra`, `fips-updates`).
    Pocket(Text),
    /// Only these functions, imports or features are affected: shown, lowers nothing by itself.
    Functions(Vec<Text>),
    /// The operating systems it is limited to (`windows`, `linux`).
    Os(Vec<Text>),
    /// A condition in words, which cannot be evaluated: shown, and lowers the confidence.
    Unevaluated(Text),
    /// Of the vulnerabilities the record addresses the statement is about these only. Without it, about all of them.
    About(Vec<Text>),
}

impl Condition {
    /// A module stream that the source does not name.
    pub const UNKNOWN_STREAM: &'static str = "?";
}
