//! The pure heart of vulnerability management: which advisories hold for which packages.
//!
//! A version is turned once into a [`SortKey`], bytes whose plain order is the order of its [`Dialect`]; after that a
//! comparison is a `memcmp`, whatever the dialect, and ranges over millions of versions need no parser.
//!
//! Start reading at [`model`] (package, advisory, match), then [`store`] (what the core reads), [`dialect`] (one file
//! a version order, each naming the source of its rules and what it does not support) and [`cpe`].
//!
//! Not here: parsing of sources and inventories, storage, sockets, clocks.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod correlate;
pub mod cpe;
pub mod dialect;
mod key;
pub mod memory;
pub mod model;
pub mod range;
pub mod score;
pub mod store;

pub use correlate::{Correlation, Options, correlate, explain};
pub use dialect::Dialect;
pub use key::SortKey;

/// Why a text is not a version of its dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a {dialect} version: {rule}")]
pub struct VersionError {
    /// The text.
    pub version: String,
    /// The dialect it was read as.
    pub dialect: Dialect,
    /// The rule it breaks.
    pub rule: &'static str,
}
