//! Mail policy of a domain.

use serde::{Deserialize, Serialize};

/// Mail policy of a domain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MailEvidence {}
