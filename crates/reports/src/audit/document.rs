//! What an audit found.

use bartizan_domain::Severity;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The schema of the document. The number changes when a field goes or changes its meaning.
pub const AUDIT_SCHEMA: &str = "bartizan.audit/1";

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditDocument {
    /// [`AUDIT_SCHEMA`].
    pub schema: String,
    /// Version of the program.
    pub tool_version: String,
    /// When the audit was made.
    pub created_at: DateTime<Utc>,
    /// Whether something that was to be read could not be.
    pub partial: bool,
    /// What, and why.
    pub partial_reasons: Vec<String>,
    /// The sources of the vulnerability store, and how old they are.
    pub store: Vec<StoreSource>,
    /// The files that were read, by path.
    pub sources: Vec<AuditSource>,
    /// Packages read, the same package at two places counted twice.
    pub packages: usize,
    /// Packages about which nothing can be said. Never the same as "no vulnerability".
    pub not_covered: Vec<NotCovered>,
    /// Symbolic links that were not followed without anything being lost by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
    /// Findings, what to fix first at the head.
    pub matches: Vec<AuditMatch>,
    /// Matches of low confidence (another repository, a version compared roughly): to look at, not to count.
    pub leads: Vec<AuditMatch>,
    /// Vulnerabilities that a record finds and the authority about the package denies.
    pub not_affected: Vec<AuditMatch>,
    /// Findings that a VEX document or an ignore file has decided.
    pub suppressed: Vec<Suppressed>,
    /// What is odd about VEX documents and ignore files: entries without effect, past their end, unusable.
    pub decision_notes: Vec<DecisionNote>,
    /// Operating systems and packages of a line of releases that gets no security fixes any more.
    #[serde(default)]
    pub end_of_life: Vec<EndOfLife>,
    /// What is otherwise than in an earlier result, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
}

/// An operating system or a package without security fixes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EndOfLife {
    /// The file.
    pub path: String,
    /// The package, or the operating system, with its version.
    pub subject: String,
    /// The product, as the source of life cycles names it.
    pub product: String,
    /// The line of releases.
    pub cycle: String,
    /// Since when; none if the source only says that it is over.
    pub ended: Option<NaiveDate>,
    /// Until when there are fixes for those who pay, if the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<NaiveDate>,
}

/// Differences to an earlier result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The file of the earlier result.
    pub file: String,
    /// When that was made.
    pub created_at: DateTime<Utc>,
    /// Fingerprints of the matches that it does not have.
    pub new: Vec<String>,
    /// Its matches that are gone, each with the reason.
    pub gone: Vec<Gone>,
}

/// A match of an earlier result that this one does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Its fingerprint there.
    pub fingerprint: String,
    /// The file.
    pub path: String,
    /// The ecosystem.
    pub ecosystem: String,
    /// The package.
    pub package: String,
    /// The version it had.
    pub version: String,
    /// The names of the vulnerability.
    pub ids: Vec<String>,
    /// Why.
    pub reason: GoneReason,
    /// The same for readers, with what is now.
    pub detail: String,
}

/// Why a match is gone. The last four are no good news: nothing says that the package is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneReason {
    /// The package is not there any more.
    PackageGone,
    /// The package is there in another version, or from another release.
    PackageChanged,
    /// The record was withdrawn.
    Withdrawn,
    /// The record speaks of other versions, of another name or under another condition now.
    RecordChanged,
    /// The authority about the package says that it is not affected.
    NotAffected,
    /// A VEX document or an ignore file has decided it.
    Decided,
    /// It is a lead only: less is known for sure.
    Lead,
    /// The file was not read this time.
    NotLookedAt,
    /// The store does not cover the package any more, or its version cannot be compared.
    NotCovered,
    /// No record of the store speaks of it any more.
    RecordGone,
}

/// A source of the vulnerability store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreSource {
    /// Its name.
    pub name: String,
    /// Its records.
    pub records: u64,
    /// When they were imported.
    pub imported_at: Option<DateTime<Utc>>,
    /// Why the last import failed, if it did; the records are those of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditSource {
    /// Its path.
    pub path: String,
    /// Its format (`cargo-lock`, `dpkg-status`, `cyclonedx-json` …).
    pub format: String,
    /// Packages in it.
    pub packages: usize,
    /// The operating system of a package database, and how it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A symbolic link that was not followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// The link.
    pub path: String,
    /// Where it leads, and why it was not followed.
    pub reason: String,
}

/// Packages of one file about which nothing can be said, for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotCovered {
    /// The file.
    pub path: String,
    /// The ecosystem and release, empty if not known.
    pub ecosystem: String,
    /// Which kind of gap: `ecosystem_not_covered`, `release_not_covered`, `partly_covered`, `release_unknown`,
    /// `unidentified`, `version_missing`, `version_unreadable`, `source_unknown`, `foreign_origin`, or `inventory` (the
    /// file itself does not say enough about it).
    #[serde(default)]
    pub code: String,
    /// Why, and what there is instead.
    pub reason: String,
    /// What closes the gap, if something can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// How many packages.
    pub count: usize,
    /// The first of them, `name version`.
    pub packages: Vec<String>,
}

/// One vulnerability of one package at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditMatch {
    /// Identity over runs: `v1:` and 32 hex digits over path, package and vulnerability.
    pub fingerprint: String,
    /// The file the package was found in.
    pub path: String,
    /// The ecosystem, with the release of a distribution: `npm`, `Debian:12`.
    pub ecosystem: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The source package, where the advisory speaks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_package: Option<String>,
    /// Its package URL.
    pub purl: String,
    /// `runtime`, `development` or `optional`.
    pub scope: String,
    /// `registry`, `third_party`, `vcs` or `local`.
    pub origin: String,
    /// Every name of the vulnerability, CVE first.
    pub ids: Vec<String>,
    /// What it is, in one line; empty if no record says.
    pub title: String,
    /// `vulnerability`, `malicious`, `unmaintained`, `unsound` or `notice`.
    pub kind: String,
    /// `affected`, `no_fix_yet`, `will_not_fix`, `end_of_life`, `under_investigation` or `not_affected`.
    pub state: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether a record states a severity; without one, `severity` is an assumption.
    pub severity_stated: bool,
    /// `vendor`, `ecosystem`, `cpe` or `words` (vendor and product as a record writes them, never more than a lead).
    pub method: String,
    /// 0 to 100.
    pub confidence: u8,
    /// Versions with the fix.
    pub fixed: Vec<String>,
    /// The composite score, 0 to 10.
    pub score: f32,
    /// What it is made of.
    pub score_parts: Vec<ScorePart>,
    /// Parts that have a weight and of which nothing is known, and which the score leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub score_unknown: Vec<String>,
    /// The CVSS base score, if any record states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<f32>,
    /// EPSS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<AuditEpss>,
    /// Catalogues of exploited vulnerabilities that list it.
    pub kev: Vec<AuditKev>,
    /// Lists of exploits that name it: `metasploit`, `nuclei`, `exploit_db`, `poc`.
    pub exploits: Vec<String>,
    /// What a VEX document says that does not clear it (`affected`, `under_investigation`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexStatus>,
    /// Why: the deciding statement first.
    pub evidence: Vec<AuditEvidence>,
}

/// A part of a composite score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// `kev`, `exploit`, `epss`, `cvss`, or `severity` (a word, where no CVSS is stated).
    pub source: String,
    /// 0 to 10.
    pub value: f32,
    /// Its weight.
    pub weight: f32,
}

/// An EPSS score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEpss {
    /// Probability, 0 to 1.
    pub score: f32,
    /// Percentile, 0 to 1.
    pub percentile: f32,
    /// The day of the score.
    pub date: Option<NaiveDate>,
}

/// An entry of a catalogue of exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditKev {
    /// Whose catalogue.
    pub asserter: String,
    /// When it was added.
    pub added: Option<NaiveDate>,
    /// Until when federal agencies must act.
    pub due: Option<NaiveDate>,
    /// Whether ransomware uses it.
    pub ransomware: bool,
}

/// A statement that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvidence {
    /// The record.
    pub advisory: String,
    /// Its source.
    pub source: String,
    /// The revision that was read.
    pub revision: String,
    /// The name compared.
    pub name: String,
    /// The version compared.
    pub version: String,
    /// The range, as the source states it.
    pub range: String,
    /// The order of versions used, empty if none was.
    pub dialect: String,
    /// What the source says of the versions described.
    pub state: String,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A finding that somebody has decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The finding.
    #[serde(flatten)]
    pub finding: AuditMatch,
    /// The decision.
    pub by: Decision,
}

/// A decision about a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision {
    /// A statement of a VEX document.
    Vex(VexStatus),
    /// An entry of an ignore file: the risk is accepted.
    Ignore {
        /// The file.
        file: String,
        /// Why.
        reason: String,
        /// The last day it holds.
        expires: Option<NaiveDate>,
    },
}

/// What a VEX document says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VexStatus {
    /// The file.
    pub file: String,
    /// `not_affected`, `fixed`, `affected` or `under_investigation`.
    pub status: String,
    /// The justification, in the words of its format.
    pub justification: Option<String>,
    /// Impact or action.
    pub note: Option<String>,
}

/// Something odd about a VEX document or an ignore file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DecisionNote {
    /// The file.
    pub file: String,
    /// The entry or statement.
    pub entry: String,
    /// What is odd.
    pub problem: String,
}

impl AuditDocument {
    /// Whether a VEX document made of it would have no statement.
    #[must_use]
    pub const fn states_nothing(&self) -> bool {
        self.matches.is_empty() && self.not_affected.is_empty() && self.suppressed.is_empty()
    }
}

impl AuditMatch {
    /// The name to show: the first id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// The identity of a finding.
    #[must_use]
    pub fn fingerprint(path: &str, purl: &str, id: &str) -> String {
        let mut hash = Sha256::new();
        for part in [path, purl, id] {
            // Length-prefixed, so that no two different triples concatenate to the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("v1:{hex}")
    }

    /// What to do, in one sentence.
    #[must_use]
    pub fn action(&self) -> String {
        match (self.state.as_str(), self.kind.as_str()) {
            (_, "malicious") => format!("Remove {}: this release is malicious.", self.package),
            (_, "unmaintained") => format!("Replace {}: it is not maintained any more.", self.package),
            ("will_not_fix", _) => "The vendor will not fix it: replace the package or mitigate.".to_owned(),
            ("end_of_life", _) => "This release gets no fixes any more: upgrade the system.".to_owned(),
            ("under_investigation", _) => "The vendor has not decided yet: watch the advisory.".to_owned(),
            _ if self.fixed.is_empty() => "No fix is known yet: mitigate, and watch the advisory.".to_owned(),
            _ => format!("Update {} to {} or later.", self.package, self.fixed.join(" or ")),
        }
    }
}
