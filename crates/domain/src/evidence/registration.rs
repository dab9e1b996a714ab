//! Registration data of a domain.

use serde::{Deserialize, Serialize};

/// Registration data of a domain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RegistrationEvidence {}
