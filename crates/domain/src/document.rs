//! The native result document, `bartizan.scan/1`: what `bartizan scan -o json` writes, what the server serves for
//! download, and what every other format is rendered from. The schema is documented in `docs/formats.md`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::coverage::OutcomeCounts;
use crate::evidence::ports::{PortState, PortSummary};
use crate::score::Score;
use crate::{
    AssetRef, CheckId, Confidence, Fingerprint, Location, PortSet, ScanProfile, ScanStatus, Severity, Transport,
    Verdict,
};

/// Name and version of the document.
pub const SCAN_SCHEMA: &str = "bartizan.scan/1";

/// A whole scan as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanDocument {
    /// [`SCAN_SCHEMA`].
    pub schema: String,
    /// What was asked for and how it went.
    pub scan: ScanSummary,
    /// Every asset scanned, in order.
    pub hosts: Vec<HostResult>,
    /// Failed checks, most severe first, then by check, asset, location.
    pub findings: Vec<FindingRecord>,
    /// Every verdict, by asset, check, location. Evidence is left out here; findings carry it.
    pub verdicts: Vec<VerdictRecord>,
    /// The score and its parts; `score.value` is null when nothing was assessed.
    pub score: Score,
    /// Verdict counts over the whole scan.
    pub coverage: OutcomeCounts,
}

impl ScanDocument {
    /// Puts everything into canonical order, whatever order it was found in, so that the same results give the same
    /// bytes.
    pub fn sort(&mut self) {
        self.hosts.sort_by(|a, b| a.asset.cmp(&b.asset));
        self.score.assets.sort_by(|a, b| a.asset.cmp(&b.asset));
        self.verdicts.sort_by(|a, b| (&a.asset, &a.check_id, &a.location).cmp(&(&b.asset, &b.check_id, &b.location)));
        sort_findings(&mut self.findings);
    }
}

/// Head of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanSummary {
    /// Number on the server; absent for a scan without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Targets as the user wrote them.
    pub targets: Vec<String>,
    /// Profile used.
    pub profile: ScanProfile,
    /// Final state.
    pub status: ScanStatus,
    /// Whether results have gaps (unreached targets, time-outs, interruption).
    pub partial: bool,
    /// One sentence per gap.
    #[serde(default)]
    pub partial_reasons: Vec<String>,
    /// Start, UTC.
    pub started_at: DateTime<Utc>,
    /// End, UTC.
    pub finished_at: Option<DateTime<Utc>>,
    /// Version of the program.
    pub tool_version: String,
    /// Version of the check catalogue.
    pub catalogue: String,
    /// Whether the evidence is recorded demo data and not a scan of anything real.
    #[serde(default)]
    pub demo: bool,
}

/// One asset and its open ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostResult {
    /// The asset as identified in findings.
    pub asset: AssetRef,
    /// The first address, or null if the name did not resolve.
    pub address: Option<IpAddr>,
    /// All addresses.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// Names the asset was scanned under.
    pub names: Vec<String>,
    /// Whether anything answered.
    pub reached: bool,
    /// Ports with a state of their own.
    pub ports: Vec<PortResult>,
    /// Ports without an entry of their own, counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub summarised: Vec<PortSummary>,
    /// Score of the asset, null when nothing was assessed.
    pub score: Option<u8>,
    /// Why nothing answered, where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_unreached: Option<String>,
    /// What is missing although something answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Something that is missing from the results of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub enum Gap {
    /// Something could not be asked for want of resources on the scanning machine.
    LocalResources,
    /// Checks ended in errors and not one could be judged.
    NothingJudged,
    /// Ports that a target named are not open, so nothing of what was meant was seen.
    NamedPortsNotOpen {
        /// The ports.
        ports: PortSet,
    },
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortResult {
    /// The address, where an asset has several.
    pub address: IpAddr,
    /// Port number.
    pub port: u16,
    /// Transport.
    pub protocol: Transport,
    /// State.
    pub state: PortState,
    /// What the state was seen by.
    pub reason: String,
    /// Protocol spoken.
    pub service: Option<String>,
    /// Product name.
    pub product: Option<String>,
    /// Product version.
    pub version: Option<String>,
    /// Whether the service runs inside TLS.
    pub tls: bool,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Identity across scans.
    pub fingerprint: Fingerprint,
    /// Which check.
    pub check_id: CheckId,
    /// Severity.
    pub severity: Severity,
    /// Workflow status; `open` without a server.
    pub status: crate::FindingStatus,
    /// How sure.
    pub confidence: Confidence,
    /// Asset, canonical text.
    pub asset: String,
    /// Where on it.
    pub location: Location,
    /// Title of the check.
    pub title: String,
    /// Category of the check.
    pub category: String,
    /// The facts it rests on.
    pub evidence: serde_json::Value,
    /// What to do, one step a line.
    pub remediation: Vec<String>,
    /// Control references: `nis2:21.2.h`, `2024/2690:9.2`.
    #[serde(default)]
    pub controls: Vec<String>,
}

/// One verdict, without evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// Which check.
    pub check_id: CheckId,
    /// Asset, canonical text.
    pub asset: String,
    /// Where on it.
    pub location: Location,
    /// `pass | fail | error | not_applicable | not_tested`.
    pub verdict: crate::Outcome,
    /// Why, for everything but pass and fail.
    pub reason: Option<String>,
}

impl From<&Verdict> for VerdictRecord {
    fn from(verdict: &Verdict) -> Self {
        Self {
            check_id: verdict.check_id.clone(),
            asset: verdict.asset.to_string(),
            location: verdict.location.clone(),
            verdict: verdict.outcome,
            reason: verdict.reason.clone(),
        }
    }
}

/// Sorts findings the way every listing shows them: what to fix first comes first.
pub fn sort_findings(findings: &mut [FindingRecord]) {
    findings.sort_by(|a, b| {
        (b.severity, &a.check_id, &a.asset, &a.location).cmp(&(a.severity, &b.check_id, &b.asset, &b.location))
    });
}

/// The asset's canonical text and its names.
#[must_use]
pub fn names_of(asset: &AssetRef) -> Vec<String> {
    asset.domain().map(|name| vec![name.to_owned()]).unwrap_or_default()
}
