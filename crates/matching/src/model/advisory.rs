//! One record of one source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Affected, Text};
use crate::cpe::Configuration;

/// One record of one source, as that source states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// What the core reads of every candidate.
    #[serde(flatten)]
    pub head: AdvisoryHead,
    /// When it was first published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<DateTime<Utc>>,
    /// When it was last changed, by the source's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<DateTime<Utc>>,
    /// One line.
    #[serde(default)]
    pub summary: Text,
    /// The description; a store may cut or leave it out.
    #[serde(default)]
    pub details: Text,
    /// Weaknesses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwes: Vec<Cwe>,
    /// Links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Statements about packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<Affected>,
    /// CPE configurations; a product is affected if any one of them holds. Empty never matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<Configuration>,
}

/// The part of a record that the core reads for every candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdvisoryHead {
    /// Its identifier (`CVE-2024-1`, `GHSA-…`, `RUSTSEC-…`, `DSA-…`).
    pub id: Text,
    /// The source, by its slug: `nvd`, `cve`, `osv:crates.io`, `ghsa`, `debian`, `ubuntu`, `alpine`, `rustsec` ….
    pub source: Text,
    /// What the source calls the same vulnerability.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Text>,
    /// Vulnerabilities a bulletin addresses (`DSA-…`, `RHSA-…`, `ALSA-…`, `USN-…`): the record is not another name for any
    /// of them, so they do not become one group. A record with exactly one (`UBUNTU-CVE-…`, `DEBIAN-CVE-…`) says the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Text>,
    /// When the source withdrew or rejected it; such a record matches nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<DateTime<Utc>>,
    /// What kind of record it is.
    #[serde(default)]
    pub kind: AdvisoryKind,
    /// Scores and vectors, as each asserter states them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<SeverityScore>,
    /// A revision of this record's content (hash in hex, `modified`): appears in explanations.
    #[serde(default)]
    pub revision: Text,
}

/// What a record warns of, the worst first: where records of one vulnerability differ, the worst kind is the match's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvisoryKind {
    /// The package is malicious.
    Malicious,
    /// A vulnerability.
    #[default]
    Vulnerability,
    /// The package is unsound (RustSec informational).
    Unsound,
    /// The package is not maintained (RustSec informational).
    Unmaintained,
    /// Any other notice.
    Notice,
}

/// A severity as one asserter states it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityScore {
    /// The system.
    pub system: ScoreSystem,
    /// The vector; empty for a bare score or word.
    #[serde(default)]
    pub vector: Text,
    /// The base score as stated, 0.0 to 10.0; the core computes it from the vector where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// The word a vendor uses (`important`, `HIGH`), empty if none.
    #[serde(default)]
    pub label: Text,
    /// Who says so (`nvd@nist.gov`, `CISA-ADP`, `redhat`).
    #[serde(default)]
    pub asserter: Text,
}

/// How a severity is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSystem {
    /// CVSS 2.
    CvssV2,
    /// CVSS 3.0.
    CvssV30,
    /// CVSS 3.1.
    CvssV31,
    /// CVSS 4.0.
    CvssV4,
    /// A vendor's own word.
    Vendor,
}

/// A weakness, by its number in the Common Weakness Enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cwe(pub u32);

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// What it leads to.
    #[serde(default)]
    pub kind: ReferenceKind,
    /// The address.
    pub url: Text,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// Anything.
    #[default]
    Web,
    /// An advisory.
    Advisory,
    /// A report or discussion.
    Report,
    /// A fix.
    Fix,
    /// An exploit or proof of concept.
    Exploit,
    /// The package.
    Package,
}
