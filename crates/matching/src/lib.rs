//! Version order of every package ecosystem.
//!
//! A version is turned once into a [`SortKey`], bytes whose plain order is the order of the dialect; after that a
//! comparison is a `memcmp`, whatever the dialect, and ranges over millions of versions need no parser. Start reading
//! at [`Dialect`]; one file a dialect, each naming the source of its rules and what it does not support.
//!
//! Not here: which package an advisory is about, and where versions come from.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod dialect;
mod key;

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
