//! The composite score and its parts.

use serde::{Deserialize, Serialize};

/// What to fix first, 0 to 10, with the parts it was made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The weighted mean of the parts that are known, 0.0 to 10.0.
    pub composite: f32,
    /// The parts.
    pub parts: Vec<ScorePart>,
}

/// One part of a composite score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// What it is.
    pub source: ScoreSource,
    /// Scaled to 0.0 to 10.0.
    pub value: f32,
    /// Its weight.
    pub weight: f32,
}

/// A source of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// In a catalogue of exploited vulnerabilities: 10 or 0.
    Kev,
    /// An exploit is published.
    Exploit,
    /// EPSS.
    Epss,
    /// CVSS.
    Cvss,
}
