//! Package databases of operating systems, and which system it is.
//!
//! The readers of databases take the [`Os`] they belong to: advisories of a distribution speak about one release of it.

pub mod apk;
pub mod dpkg;
mod release;
pub mod rpm;

pub use release::Os;
