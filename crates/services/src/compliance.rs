//! The compliance matrix: ten rows, one for each measure of Article 21(2) of the NIS2 directive.
//!
//! A row never says "compliant": at best it says that no technical finding is open in scope.

use std::collections::BTreeMap;

use bartizan_catalog::framework::Automation;
use bartizan_catalog::{Catalog, Control};
use bartizan_domain::coverage::Coverage;
use bartizan_domain::id::FindingId;
use bartizan_domain::{CheckId, FindingStatus, Outcome, Permission, Result, Severity};
use bartizan_storage::findings::Brief;
use bartizan_storage::scans as storage;
use serde::{Deserialize, Serialize};

use crate::{OpContext, Services};

/// The framework of the matrix.
pub const FRAMEWORK: &str = "nis2";

/// Finding ids listed in a row; the counts are of all.
const LISTED: usize = 100;

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// No check of the row came to a conclusion.
    NotAssessed,
    /// The measure is organisational; a person has to say.
    ManualRequired,
    /// Checks ran, and nothing is open.
    NoOpenFindings,
    /// Something is open.
    OpenFindings,
    /// A person has stated how the measure is met.
    Attested,
}

impl RowStatus {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAssessed => "not_assessed",
            Self::ManualRequired => "manual_required",
            Self::NoOpenFindings => "no_open_findings",
            Self::OpenFindings => "open_findings",
            Self::Attested => "attested",
        }
    }
}

/// Checks of a row by how they ended, each at its worst place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCounts {
    /// Checks that were planned.
    pub planned: u64,
    /// Evaluated and fine everywhere.
    pub passed: u64,
    /// Broken somewhere.
    pub failed: u64,
    /// Without the needed answer somewhere.
    pub error: u64,
    /// Not applicable anywhere.
    pub not_applicable: u64,
    /// Not probed somewhere.
    pub not_tested: u64,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// `a` to `j`.
    pub letter: String,
    /// Control id in the framework: `21.2.h`.
    pub control: String,
    /// Title in our words.
    pub title: String,
    /// How far checks can speak about it.
    pub automation: Automation,
    /// How it stands.
    pub status: RowStatus,
    /// Checks by outcome.
    pub checks: CheckCounts,
    /// Share of planned checks that came to a conclusion, 0 to 1; null if none was planned.
    pub coverage: Option<f64>,
    /// Unresolved findings seen in the scan.
    pub open_findings: u64,
    /// The worst of them.
    pub worst_open_severity: Option<Severity>,
    /// Findings seen in the scan whose risk is accepted.
    pub accepted_risks: u64,
    /// Ids of unresolved findings, worst first, at most 100.
    pub finding_ids: Vec<FindingId>,
    /// Points of the annex of Implementing Regulation (EU) 2024/2690: `2024/2690:9.2`.
    pub annex_points: Vec<String>,
    /// What a person has stated, if anybody has.
    pub attestation: Option<String>,
}

/// The matrix of the completed scan that ended last, with its number; `None` before there is one. Demonstration scans
/// count only while there is nothing real.
///
/// # Errors
/// If the caller may not see it, or the database fails.
pub async fn matrix(
    cx: &OpContext,
    services: &Services,
) -> Result<Option<(bartizan_domain::id::ScanId, Vec<MatrixRow>)>> {
    let organization = cx.require(Permission::ComplianceView)?;
    let db = services.store.read();
    let demo = crate::summary::shows_demo(db, organization).await?;
    let Some(scan) = storage::latest_completed(db, organization, Some(demo)).await? else { return Ok(None) };
    Ok(Some((scan.id, rows_of(scan.compliance_matrix.as_ref())?)))
}

/// Reads a stored matrix.
pub(crate) fn rows_of(stored: Option<&serde_json::Value>) -> Result<Vec<MatrixRow>> {
    match stored {
        None => Ok(Vec::new()),
        Some(value) => {
            serde_json::from_value(value.clone()).map_err(|error| bartizan_domain::Error::internal(error.to_string()))
        }
    }
}

/// Each check at its worst place over all assets.
#[derive(Debug, Default)]
pub(crate) struct CheckOutcomes {
    worst: BTreeMap<CheckId, Outcome>,
}

impl CheckOutcomes {
    pub(crate) fn add(&mut self, coverage: &Coverage) {
        for entry in &coverage.entries {
            match self.worst.get_mut(&entry.check_id) {
                Some(kept) if entry.outcome.precedence() > kept.precedence() => *kept = entry.outcome,
                Some(_) => {}
                None => {
                    self.worst.insert(entry.check_id.clone(), entry.outcome);
                }
            }
        }
    }
}

/// The matrix of a scan.
pub(crate) fn build(catalog: &Catalog, outcomes: &CheckOutcomes, findings: &[Brief]) -> Vec<MatrixRow> {
    let framework = catalog.frameworks().iter().find(|framework| framework.id == FRAMEWORK);
    framework.map(|f| f.controls.iter().map(|c| row(c, outcomes, findings)).collect()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52 checks")]
fn row(control: &Control, outcomes: &CheckOutcomes, findings: &[Brief]) -> MatrixRow {
    let mut checks = CheckCounts::default();
    for (_, outcome) in outcomes.worst.iter().filter(|(check, _)| control.selects(check)) {
        checks.planned += 1;
        match outcome {
            Outcome::Pass => checks.passed += 1,
            Outcome::Fail => checks.failed += 1,
            Outcome::Error => checks.error += 1,
            Outcome::NotApplicable => checks.not_applicable += 1,
            Outcome::NotTested => checks.not_tested += 1,
        }
    }
    let of_row = || findings.iter().filter(|finding| control.selects(&finding.check_id));
    let open: Vec<&Brief> =
        of_row().filter(|f| !matches!(f.status, FindingStatus::Resolved | FindingStatus::AcceptedRisk)).collect();
    let accepted = of_row().filter(|finding| finding.status == FindingStatus::AcceptedRisk).count();
    let conclusive = checks.passed + checks.failed + checks.not_applicable;
    let status = if !open.is_empty() {
        RowStatus::OpenFindings
    } else if control.automation == Automation::Organisational {
        RowStatus::ManualRequired
    } else if checks.passed + checks.failed == 0 {
        RowStatus::NotAssessed
    } else {
        RowStatus::NoOpenFindings
    };
    MatrixRow {
        letter: control.id.rsplit('.').next().unwrap_or(&control.id).to_owned(),
        control: control.id.clone(),
        title: control.title.clone(),
        automation: control.automation,
        status,
        checks,
        coverage: (checks.planned > 0).then(|| conclusive as f64 / checks.planned as f64),
        open_findings: open.len() as u64,
        worst_open_severity: open.iter().map(|finding| finding.severity).max(),
        accepted_risks: accepted as u64,
        finding_ids: open.iter().take(LISTED).map(|finding| finding.id).collect(),
        annex_points: control.related.clone(),
        attestation: None,
    }
}
