//! Sets of versions: ranges as advisories state them, turned once into intervals of [`SortKey`]s.
//!
//! Start at [`Statement::compile`]. Asking whether a version is in a statement costs one `memcmp` a bound.

mod requirement;
mod set;
mod statement;

pub use requirement::{Requirement, RequirementError};
pub use set::{Bound, Interval, VersionSet};
pub use statement::{Membership, Statement, describe};
