//! DNS facts of a domain.

use serde::{Deserialize, Serialize};

/// DNS facts of a domain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DnsEvidence {}
