//! What speaks on an open port, found by talking to it and not by its number.

use serde::{Deserialize, Serialize};

/// Identification of one open port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceEvidence {
    /// Protocol name: `http`, `ssh`, `smtp`, `redis` …; `None` when nothing that we know answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Whether the protocol runs inside TLS from the first byte.
    #[serde(default)]
    pub tls: bool,
}
