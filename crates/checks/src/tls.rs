//! Checks of the tls groups.

use crate::Check;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[];
