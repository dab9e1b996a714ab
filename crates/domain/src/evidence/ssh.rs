//! An SSH server's offer.

use serde::{Deserialize, Serialize};

/// An SSH server's offer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SshEvidence {}
