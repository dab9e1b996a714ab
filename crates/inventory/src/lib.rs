//! What is installed or locked: reads lock files, SBOM documents and package databases into packages of
//! [`bartizan_matching::model`].
//!
//! Every reader is a function from bytes to a [`Reading`]: packages, and what the file names but cannot be matched. They
//! are linear in their input, bounded in size, depth and count, and never panic, because the files come from anywhere.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod component;
pub mod lock;
mod xml;
mod yaml;

pub use component::{Gap, MAX_PACKAGES, ReadError, Reading};
