//! Checks of the dns groups.

use crate::Check;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[];
