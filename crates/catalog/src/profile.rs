//! Scan profiles: selectors over modes, categories and ids, never lists in code.

use bartizan_domain::ScanProfile;
use serde::{Deserialize, Serialize};

use crate::framework::matches;
use crate::{CheckMeta, Mode};

/// A profile: `content/profiles/<name>.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Which profile this is.
    pub name: ScanProfile,
    /// Position in listings.
    pub order: u32,
    /// One sentence.
    pub description: String,
    /// Modes whose checks run.
    pub modes: Vec<Mode>,
    /// TCP ports: `top:100`, `top:1000`, or a port specification.
    pub ports: String,
    /// UDP ports, the same notation; empty for none.
    #[serde(default)]
    pub udp_ports: String,
    /// Selectors of checks that do not run.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether paths below the root of a web site are requested (exposed files, security.txt, …).
    pub path_probes: bool,
}

impl Profile {
    /// Whether the profile runs `check`.
    #[must_use]
    pub fn includes(&self, check: &CheckMeta) -> bool {
        self.modes.contains(&check.mode) && !self.exclude.iter().any(|selector| matches(selector, &check.id))
    }
}
