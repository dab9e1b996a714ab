//! Configurations: the AND/OR/negate trees of CVE records (NVD API 2.0, NVD 1.1 feeds, CVE 5.x `cpeApplicability`).

use serde::{Deserialize, Serialize};

use crate::model::Text;

/// One configuration. It holds if its nodes, joined by `operator`, hold (and `negate` reverses that).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// How the nodes are joined; OR where the source says nothing.
    #[serde(default)]
    pub operator: Operator,
    /// Whether the result is reversed.
    #[serde(default)]
    pub negate: bool,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node: criteria and further nodes (NVD 1.1 `children`), joined by one operator.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Node {
    /// How its members are joined.
    #[serde(default)]
    pub operator: Operator,
    /// Whether the result is reversed.
    #[serde(default)]
    pub negate: bool,
    /// The criteria.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<CpeMatch>,
    /// Nodes within it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
}

/// How members are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operator {
    /// Any.
    #[default]
    Or,
    /// All.
    And,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CpeMatch {
    /// Whether the product named is the vulnerable one; `false` only restricts ("running on").
    pub vulnerable: bool,
    /// The CPE 2.3 name.
    pub criteria: Text,
    /// Lowest version, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_including: Option<Text>,
    /// Lowest version, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_excluding: Option<Text>,
    /// Highest version, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_including: Option<Text>,
    /// Highest version, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_excluding: Option<Text>,
}

impl CpeMatch {
    /// The criterion with its bounds, as one text: what explanations show and dictionaries list names under.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.criteria.to_string();
        for (sign, bound) in [
            (">=", &self.start_including),
            (">", &self.start_excluding),
            ("<=", &self.end_including),
            ("<", &self.end_excluding),
        ] {
            if let Some(bound) = bound {
                text.push(' ');
                text.push_str(sign);
                text.push_str(bound);
            }
        }
        text
    }
}
