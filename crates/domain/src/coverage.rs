//! What was planned and how each planned check ended: the second record a scan leaves, beside the evidence.
//!
//! Coverage is what makes a score honest, an auto-resolve safe and a comparison possible, so it is kept for every
//! asset, compactly, however long the evidence itself is retained.

use serde::{Deserialize, Serialize};

use crate::{AssetRef, CheckId, Location, Outcome, PortSet, Verdict};

/// Version of the coverage record.
pub const COVERAGE_VERSION: u32 = 1;

/// Coverage of one asset in one scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The asset.
    pub asset: AssetRef,
    /// Version of the check catalogue that judged, so that a later change of rules can be told from a change of
    /// the asset.
    pub catalogue: String,
    /// TCP ports that answered as closed on every address of the asset: a finding on one of them is gone, which the
    /// entries cannot say, since nothing is judged at a closed port.
    #[serde(default)]
    pub closed_ports: PortSet,
    /// Every planned check at every location it was judged at, ordered by check and location.
    pub entries: Vec<CoverageEntry>,
}

/// How one check ended at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageEntry {
    /// Which check.
    pub check_id: CheckId,
    /// Where.
    pub location: Location,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, for everything but pass and fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<&Verdict> for CoverageEntry {
    fn from(verdict: &Verdict) -> Self {
        Self {
            check_id: verdict.check_id.clone(),
            location: verdict.location.clone(),
            outcome: verdict.outcome,
            reason: verdict.reason.clone(),
        }
    }
}

/// Counts of verdicts by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutcomeCounts {
    /// Verdicts in all: planned checks times locations.
    pub planned: u64,
    /// Evaluated and fine.
    pub passed: u64,
    /// Evaluated and not fine.
    pub failed: u64,
    /// Probed without the needed answer.
    pub error: u64,
    /// Not applicable.
    pub not_applicable: u64,
    /// Not probed.
    pub not_tested: u64,
}

impl OutcomeCounts {
    /// Adds one verdict.
    pub const fn add(&mut self, outcome: Outcome) {
        self.planned += 1;
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Error => self.error += 1,
            Outcome::NotApplicable => self.not_applicable += 1,
            Outcome::NotTested => self.not_tested += 1,
        }
    }

    /// Planned verdicts to which the rule applies: what coverage is a share of.
    #[must_use]
    pub const fn applicable(&self) -> u64 {
        self.planned - self.not_applicable
    }

    /// [`Self::ratio`] in whole per cent, rounded down so that a gap never reads as 100.
    #[must_use]
    pub const fn percent(&self) -> Option<u64> {
        (self.passed + self.failed).saturating_mul(100).checked_div(self.applicable())
    }

    /// Share of the applicable verdicts that are pass or fail, 0 to 1; `None` when no rule applied.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn ratio(&self) -> Option<f64> {
        (self.applicable() > 0).then(|| (self.passed + self.failed) as f64 / self.applicable() as f64)
    }
}

impl FromIterator<Outcome> for OutcomeCounts {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.add(outcome);
        }
        counts
    }
}
