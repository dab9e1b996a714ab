//! Findings and their lifecycle across scans.
//!
//! One record per identity ([`crate::Fingerprint`]). What a new verdict does to it is decided here and nowhere
//! else: [`Lifecycle::observe`]. What a person may do to it: [`FindingStatus::check_change`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{FieldError, Outcome};

/// Workflow status of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// Nobody has looked yet.
    #[default]
    Open,
    /// Somebody has seen it.
    Acknowledged,
    /// Being fixed.
    InProgress,
    /// Gone, or declared void with a [`ResolutionReason`].
    Resolved,
    /// Lived with, for a reason and perhaps for a time.
    AcceptedRisk,
}

impl FindingStatus {
    /// Every status, in workflow order.
    pub const ALL: [Self; 5] = [Self::Open, Self::Acknowledged, Self::InProgress, Self::Resolved, Self::AcceptedRisk];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::InProgress => "in_progress",
            Self::Resolved => "resolved",
            Self::AcceptedRisk => "accepted_risk",
        }
    }

    /// Checks a change of status that a person asks for. Any status may follow any other; what is needed beside
    /// it differs.
    ///
    /// # Errors
    /// The missing or superfluous field.
    pub fn check_change(self, note: Option<&str>, resolution: Option<ResolutionReason>) -> Result<(), FieldError> {
        let note_given = note.is_some_and(|text| !text.trim().is_empty());
        if self == Self::AcceptedRisk && !note_given {
            return Err(FieldError::new("body -> status_note", "accepted_risk needs a status_note that says why"));
        }
        if self != Self::Resolved && resolution.is_some() {
            return Err(FieldError::new(
                "body -> resolution_reason",
                "resolution_reason goes with status resolved only",
            ));
        }
        Ok(())
    }
}

impl fmt::Display for FindingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FindingStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            format!("unknown status `{text}`: expected open, acknowledged, in_progress, resolved or accepted_risk")
        })
    }
}

/// Why a finding is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResolutionReason {
    /// Repaired; set by a later passing check as well.
    Fixed,
    /// The check was wrong.
    FalsePositive,
    /// The rule does not concern this asset.
    NotApplicable,
    /// The asset is gone.
    AssetRemoved,
}

impl ResolutionReason {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::FalsePositive => "false_positive",
            Self::NotApplicable => "not_applicable",
            Self::AssetRemoved => "asset_removed",
        }
    }
}

impl FromStr for ResolutionReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Fixed, Self::FalsePositive, Self::NotApplicable, Self::AssetRemoved]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| {
                format!("unknown resolution_reason `{text}`: expected fixed, false_positive, not_applicable or asset_removed")
            })
    }
}

/// What is known of a finding before a new verdict arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    /// Present status.
    pub status: FindingStatus,
    /// Present resolution, if resolved.
    pub resolution: Option<ResolutionReason>,
}

/// What a new verdict does to a finding record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// No record exists and the check fails: create it, open.
    Create,
    /// Seen again: last seen moves, occurrences grow, status stays.
    SeenAgain,
    /// Seen again after it was resolved: open, `reopened` grows.
    Reopen,
    /// The check passed: resolved as fixed, whatever the status was.
    Resolve,
    /// Nothing changes: the verdict says nothing (error, not tested), or there is nothing to say it about.
    Keep,
}

impl Lifecycle {
    /// Decides what `outcome`, judged at the place of this record, does to it. `record` is `None` when no record
    /// exists yet.
    ///
    /// A finding that a person resolved as false positive or not applicable stays resolved when it is seen again:
    /// seeing it is exactly what that person expected. `NotApplicable` resolves like a pass only when the rule
    /// *provably* cannot apply any more, which is what that outcome means.
    #[must_use]
    pub const fn observe(record: Option<Self>, outcome: Outcome) -> Transition {
        match (record, outcome) {
            (None, Outcome::Fail) => Transition::Create,
            (None, _) | (Some(_), Outcome::Error | Outcome::NotTested) => Transition::Keep,
            (Some(Self { status: FindingStatus::Resolved, resolution }), Outcome::Fail) => match resolution {
                Some(ResolutionReason::FalsePositive | ResolutionReason::NotApplicable) => Transition::SeenAgain,
                _ => Transition::Reopen,
            },
            (Some(_), Outcome::Fail) => Transition::SeenAgain,
            (Some(Self { status: FindingStatus::Resolved, .. }), Outcome::Pass | Outcome::NotApplicable) => {
                Transition::Keep
            }
            (Some(_), Outcome::Pass | Outcome::NotApplicable) => Transition::Resolve,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn record(status: FindingStatus, resolution: Option<ResolutionReason>) -> Option<Lifecycle> {
        Some(Lifecycle { status, resolution })
    }

    #[test]
    fn inconclusive_verdicts_change_nothing() {
        for status in FindingStatus::ALL {
            for outcome in [Outcome::Error, Outcome::NotTested] {
                assert_eq!(Lifecycle::observe(record(status, None), outcome), Transition::Keep);
            }
        }
        for outcome in [Outcome::Error, Outcome::NotTested, Outcome::Pass, Outcome::NotApplicable] {
            assert_eq!(Lifecycle::observe(None, outcome), Transition::Keep);
        }
    }

    #[test]
    fn a_pass_resolves_even_accepted_risk_and_a_fail_reopens() {
        assert_eq!(Lifecycle::observe(record(FindingStatus::AcceptedRisk, None), Outcome::Pass), Transition::Resolve);
        assert_eq!(
            Lifecycle::observe(record(FindingStatus::Resolved, Some(ResolutionReason::Fixed)), Outcome::Fail),
            Transition::Reopen
        );
        assert_eq!(Lifecycle::observe(record(FindingStatus::Acknowledged, None), Outcome::Fail), Transition::SeenAgain);
        assert_eq!(
            Lifecycle::observe(record(FindingStatus::Resolved, Some(ResolutionReason::FalsePositive)), Outcome::Fail),
            Transition::SeenAgain
        );
    }

    #[test]
    fn accepted_risk_needs_a_reason() {
        assert!(FindingStatus::AcceptedRisk.check_change(Some("  "), None).is_err());
        assert!(FindingStatus::AcceptedRisk.check_change(Some("legacy, isolated"), None).is_ok());
        assert!(FindingStatus::Open.check_change(None, Some(ResolutionReason::Fixed)).is_err());
    }
}
