//! What the core concluded.

use serde::{Deserialize, Serialize};

use super::{AdvisoryKind, Text, VendorState};
use crate::Dialect;
use crate::score::Score;

/// One vulnerability (an alias group) of one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Index of the package in the list that was correlated.
    pub package: u32,
    /// Every id of the group, the one to show first: CVE, then GHSA, then others, each in ascending order.
    pub ids: Vec<Text>,
    /// What holds for this package.
    pub state: MatchState,
    /// What kind of record the deciding one is.
    pub kind: AdvisoryKind,
    /// How it was found.
    pub method: Method,
    /// How sure it is.
    pub confidence: Confidence,
    /// Versions that contain the fix, ascending.
    #[serde(default)]
    pub fixed: Vec<Text>,
    /// The score and its parts.
    pub score: Score,
    /// Why: the deciding statement first, then every other one that was read.
    pub evidence: Vec<AdvisoryEvidence>,
}

impl GapReason {
    /// The wire form of its kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcosystemNotCovered => "ecosystem_not_covered",
            Self::PartlyCovered { .. } => "partly_covered",
            Self::ReleaseNotCovered => "release_not_covered",
            Self::ReleaseUnknown => "release_unknown",
            Self::Unidentified => "unidentified",
            Self::VersionMissing => "version_missing",
            Self::VersionUnreadable => "version_unreadable",
            Self::ForeignOrigin => "foreign_origin",
            Self::SourceUnknown => "source_unknown",
        }
    }
}

impl Match {
    /// Whether it is a finding: the package is held to be affected, with enough confidence.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        self.state.is_finding() && self.confidence >= Confidence::FINDING
    }
}

/// What holds for a package. The states are never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchState {
    /// Affected; a fix may be known.
    Affected,
    /// Affected, and no fix exists yet.
    NoFixYet,
    /// Affected, and the vendor will not fix it.
    WillNotFix,
    /// Affected, and the release gets no fixes any more.
    EndOfLife,
    /// The vendor has not decided whether it is affected.
    UnderInvestigation,
    /// The vendor says that this version is not affected although another record says otherwise. Not a finding.
    NotAffected,
}

impl MatchState {
    /// Whether the package is held to be affected.
    #[must_use]
    pub const fn is_affected(self) -> bool {
        !matches!(self, Self::NotAffected)
    }

    /// Whether it can be a finding: somebody says that the package is affected. What is under investigation is a lead.
    #[must_use]
    pub const fn is_finding(self) -> bool {
        !matches!(self, Self::NotAffected | Self::UnderInvestigation)
    }

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NoFixYet => "no_fix_yet",
            Self::WillNotFix => "will_not_fix",
            Self::EndOfLife => "end_of_life",
            Self::UnderInvestigation => "under_investigation",
            Self::NotAffected => "not_affected",
        }
    }
}

impl From<VendorState> for MatchState {
    fn from(state: VendorState) -> Self {
        match state {
            VendorState::Affected => Self::Affected,
            VendorState::NoFixYet => Self::NoFixYet,
            VendorState::WillNotFix => Self::WillNotFix,
            VendorState::EndOfLife => Self::EndOfLife,
            VendorState::UnderInvestigation => Self::UnderInvestigation,
            VendorState::NotAffected => Self::NotAffected,
        }
    }
}

/// How a match was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A distribution's advisory for its own release.
    Vendor,
    /// An advisory of the package ecosystem.
    Ecosystem,
    /// A CPE configuration of a CVE record.
    Cpe,
    /// Vendor and product as a CVE record writes them, which the asset's CPE name happens to use too. Always a lead.
    Words,
}

/// How sure a match is, 0 to 100. The named values are the only ones the core gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(pub u8);

impl Confidence {
    /// Name and version compared in the ecosystem's own order, by the source that decides.
    pub const EXACT: Self = Self(100);
    /// As exact, but the package comes from a place the advisory does not speak of (another repository, a path, a version
    /// control system), is a companion of the one it speaks of (the headers of a kernel), or is a part of a distribution's
    /// package whose own advisories are at hand.
    pub const FOREIGN: Self = Self(20);
    /// Vendor, product and version by CPE, in an order that fits the version's form.
    pub const CPE: Self = Self(80);
    /// The version could not be read in the ecosystem's order and was compared roughly, or a condition of the advisory
    /// could not be evaluated.
    pub const ROUGH: Self = Self(40);
    /// As exact, but the files may belong to a package of a distribution, which may have fixed them under the same version.
    pub const UNCLEAR_OWNER: Self = Self(60);
    /// Vendor and product only.
    pub const NAME_ONLY: Self = Self(10);
    /// A CPE configuration whose other members are not known to be there: what the product runs on, or beside.
    pub const INCOMPLETE: Self = Self(5);
    /// From here on a match is a finding; below it is a lead that only a listing of everything shows.
    pub const FINDING: Self = Self(50);
    /// From here on nothing is known that speaks against it.
    pub const HIGH: Self = Self(80);
}

/// One statement that was read for a match, and what it came to. Serves the explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdvisoryEvidence {
    /// The record.
    pub advisory: Text,
    /// Its source.
    pub source: Text,
    /// The revision of it that was read.
    pub revision: Text,
    /// The name that was compared (source or binary package, or the CPE criterion).
    pub name: Text,
    /// The version that was compared.
    pub version: Text,
    /// The range, list or configuration as text, as the source states it.
    pub range: Text,
    /// The order used, if versions were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// What the vendor says of the versions described.
    pub state: VendorState,
    /// Remarks: conditions, origin, why this statement did not decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Text>,
}

/// A package about which nothing can be said. Never the same as "no vulnerability".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGap {
    /// Index of the package in the list that was correlated.
    pub package: u32,
    /// Why.
    pub reason: GapReason,
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The store holds no source for the ecosystem.
    EcosystemNotCovered,
    /// The store holds some records about the ecosystem, of no source that speaks for the whole of it: what they say is
    /// said, what they do not say is not known.
    PartlyCovered {
        /// How many there are.
        records: u32,
    },
    /// The store holds the ecosystem, but not this release of it.
    ReleaseNotCovered,
    /// The release of the distribution is not known.
    ReleaseUnknown,
    /// The inventory names it by words alone: neither as a package of an ecosystem nor by a CPE name.
    Unidentified,
    /// The inventory names no version.
    VersionMissing,
    /// The version cannot be read in the ecosystem's order, and records about the name exist.
    VersionUnreadable,
    /// The package comes from elsewhere than the distribution's archive or the registry.
    ForeignOrigin,
    /// The distribution's advisories name source packages, the inventory does not say from which the package was built, and
    /// none is known by the package's own name.
    SourceUnknown,
}

/// Why a vulnerability does not match a package: the other half of the explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoMatch {
    /// The record.
    pub advisory: Text,
    /// Its source.
    pub source: Text,
    /// Why not.
    pub reason: NoMatchReason,
    /// The statement that was compared, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<AdvisoryEvidence>,
}

/// Why a record does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMatchReason {
    /// It says nothing about a package of this name.
    OtherPackage,
    /// It speaks of the name in another ecosystem.
    OtherEcosystem,
    /// It speaks of the name in another release.
    OtherRelease,
    /// The version lies outside its ranges.
    OutsideRange,
    /// A condition (architecture, module stream, operating system) does not hold.
    ConditionFails,
    /// The vendor says: not affected.
    NotAffected,
    /// The record is withdrawn.
    Withdrawn,
    /// A newer copy of the record, from another source of the store, says otherwise or withdraws it.
    Outdated,
    /// A source with more authority about this package decides.
    DecidedByAuthority,
    /// The version cannot be compared.
    VersionUnreadable,
    /// The CPE configuration does not hold.
    ConfigurationFails,
}
