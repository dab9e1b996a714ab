//! A TLS endpoint: versions, suites, certificates.

use serde::{Deserialize, Serialize};

/// A TLS endpoint: versions, suites, certificates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TlsEvidence {}
