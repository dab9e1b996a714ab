//! An HTTP site.

use serde::{Deserialize, Serialize};

/// An HTTP site.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WebEvidence {}
