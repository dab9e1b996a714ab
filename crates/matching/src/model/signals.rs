//! Facts about a vulnerability that have nothing to do with packages: exploitation, prediction, decision support.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Text;

/// All that is known about one vulnerability beyond its advisories, looked up through any of its ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// Known to be exploited, one entry an asserter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kev: Vec<Kev>,
    /// The exploit prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<Epss>,
    /// Where exploits are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploits: Vec<ExploitIndex>,
    /// CISA's decision points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssvc: Option<Ssvc>,
}

/// An entry of a catalogue of exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kev {
    /// Whose catalogue (`cisa`, `cisa-adp`).
    pub asserter: Text,
    /// When it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<NaiveDate>,
    /// Until when federal agencies must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<NaiveDate>,
    /// Whether it is known to be used by ransomware.
    #[serde(default)]
    pub ransomware: bool,
}

/// An EPSS score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation within 30 days, 0 to 1.
    pub score: f32,
    /// Share of vulnerabilities scored at most as high, 0 to 1.
    pub percentile: f32,
    /// The day of the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
}

/// A list of exploits that names the vulnerability. The order is the weight: a module that anybody can run first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExploitIndex {
    /// A Metasploit module.
    Metasploit,
    /// A Nuclei template.
    Nuclei,
    /// An entry of ExploitDB.
    ExploitDb,
    /// A published proof of concept.
    Poc,
}

/// Stakeholder-specific vulnerability categorisation, as CISA publishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ssvc {
    /// `none`, `poc`, `active`.
    pub exploitation: Text,
    /// `yes`, `no`.
    pub automatable: Text,
    /// `partial`, `total`.
    pub technical_impact: Text,
}
