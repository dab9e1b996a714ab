//! What a check says about a piece of evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AssetRef, Location, Severity};

/// Stable id of a check, `group.rule`: lower case, dots between segments, snake_case inside. It names what is
/// wrong and never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct CheckId(String);

impl CheckId {
    /// Wraps an id after checking its form.
    ///
    /// # Errors
    /// Names the id and the rule if the form is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let segment_ok = |segment: &str| {
            !segment.is_empty()
                && segment.starts_with(|c: char| c.is_ascii_lowercase())
                && segment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if text.len() <= 80 && text.contains('.') && text.split('.').all(segment_ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{text}` is not a check id: expected lower-case `group.rule`"))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment: `hsts` of `hsts.missing`.
    #[must_use]
    pub fn group(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The five ways a check can end. Missing evidence, a time-out or a denied permission is never `Pass`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The rule was evaluated on evidence and holds.
    Pass,
    /// The rule was evaluated on evidence and is broken.
    Fail,
    /// The probe was made and did not yield what the check needs.
    Error,
    /// The rule cannot apply here.
    NotApplicable,
    /// The probe was not made.
    NotTested,
}

impl Outcome {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::NotApplicable => "not_applicable",
            Self::NotTested => "not_tested",
        }
    }

    /// Which of two outcomes at the same check, asset and location stands: the same port on two addresses of a
    /// name is one location, and one bad address is enough. Greater wins.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Self::Fail => 4,
            Self::Error => 3,
            Self::NotTested => 2,
            Self::Pass => 1,
            Self::NotApplicable => 0,
        }
    }

    /// Whether the rule was really evaluated (or provably does not apply): what coverage counts.
    #[must_use]
    pub const fn is_conclusive(self) -> bool {
        matches!(self, Self::Pass | Self::Fail | Self::NotApplicable)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure a `fail` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Points that way.
    Hint,
    /// Very likely.
    Probable,
    /// Proven by the evidence.
    #[default]
    Confirmed,
}

/// One verdict: a check, a place, an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which check.
    pub check_id: CheckId,
    /// About which asset.
    pub asset: AssetRef,
    /// Where on it.
    pub location: Location,
    /// `verdict` on the wire.
    #[serde(rename = "verdict")]
    pub outcome: Outcome,
    /// Why: required for everything but `pass` and `fail`, one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only on `fail`: severity after any raise or lowering by the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only on `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Only on `fail`: the facts the judgement rests on, already redacted at the probe. A JSON object.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub evidence: serde_json::Value,
}
