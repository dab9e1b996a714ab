//! Vulnerability sources: bounded parsers of every format, and the compact local store.
//!
//! A source is untrusted input. Every parser is streaming, is bounded in size, depth, count and ratio ([`Limits`]), and
//! gives records or an error, never a panic. What a file is, is recognised by its content ([`formats::Format`]); each
//! format is one file below [`formats`], which names the source of its rules, what is not supported and its cost. The
//! records go into a [`store`] that is replaced source by source, all or nothing.
//!
//! Start reading at [`import`] (files to store), [`store::Snapshot`] (what the correlation core reads).
//!
//! Not here: how advisories are matched (`bartizan-matching`), a clock (the caller says what time it is), sockets
//! (downloads go through `bartizan-outbound`).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod coverage;
pub mod error;
pub mod fetch;
pub mod formats;
pub mod import;
pub mod input;
pub mod json;
pub mod limits;
pub mod record;
pub mod sources;
pub mod store;

pub use error::FeedError;
pub use limits::Limits;
pub use record::Record;
