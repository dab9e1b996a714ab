//! Checks of the registration groups.

use crate::Check;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[];
