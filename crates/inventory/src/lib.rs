//! What is installed or locked: reads lock files, SBOM documents and package databases into packages of
//! [`bartizan_matching::model`].
//!
//! Every reader is a function from bytes to a [`Reading`]: packages, and what the file names but cannot be matched. They
//! are linear in their input, bounded in size, depth and count, and never panic, because the files come from anywhere.
//!
//! Start reading at [`collect`] (folders and files), [`Format`] (which reader), then one file a format in [`lock`], [`sbom`]
//! and [`os`]; each names the source of its rules and what it does not support.
//!
//! Not here: whether a package is vulnerable, and sources that need a network.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod collect;
mod component;
mod format;
pub mod lock;
pub mod os;
pub mod ownership;
pub mod sbom;
pub mod triage;
mod xml;
mod yaml;

pub use collect::{CollectError, Collector, Inventory, Limits};
pub use component::{Gap, MAX_PACKAGES, ReadError, Reading};
pub use format::Format;
