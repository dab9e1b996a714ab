//! Frameworks as data: controls and the checks that inform them. No check knows a framework.

use bartizan_domain::CheckId;
use serde::{Deserialize, Serialize};

/// How far automation can speak about a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automation {
    /// Technical: checks decide.
    Technical,
    /// Checks give part of the answer.
    Partial,
    /// Organisational: checks give weak signals at most.
    Organisational,
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Id inside the framework: `21.2.h`, `9.2`.
    pub id: String,
    /// Short title in our words.
    pub title: String,
    /// How far checks can speak about it.
    pub automation: Automation,
    /// Controls of other frameworks it corresponds to: `eu-2024-2690:9.2`.
    #[serde(default)]
    pub related: Vec<String>,
    /// Checks that inform it: ids, or groups written `tls.*`.
    #[serde(default)]
    pub checks: Vec<String>,
}

impl Control {
    /// Whether `check` informs this control.
    #[must_use]
    pub fn selects(&self, check: &CheckId) -> bool {
        self.checks.iter().any(|selector| matches(selector, check))
    }
}

/// A framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Short id: `nis2`.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Position in listings and among the controls of a check.
    #[serde(default)]
    pub order: u32,
    /// Version of the mapping.
    pub version: String,
    /// Where the text is published.
    pub source: String,
    /// Controls in order.
    pub controls: Vec<Control>,
}

/// Whether a selector (`tls.v10` or `tls.*`) matches a check id.
#[must_use]
pub fn matches(selector: &str, check: &CheckId) -> bool {
    match selector.strip_suffix('*') {
        Some(prefix) => prefix.is_empty() || (prefix.ends_with('.') && check.as_str().starts_with(prefix)),
        None => check.as_str() == selector,
    }
}
