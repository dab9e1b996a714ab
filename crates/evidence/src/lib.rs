//! What a scan leaves behind, in its stored form.
//!
//! Two immutable records per asset: *evidence* ([`encode`], [`decode`]), one content-addressed compressed document
//! with its schema version inside, and *coverage* ([`coverage`]), one compact record of what was planned and how it
//! ended. A whole scan is an evidence file ([`file`]). Server, command line, demo data and fixtures share these forms.
//!
//! Not here: any I/O beyond the `Read` and `Write` that a caller hands in, the meaning of the evidence
//! (`domain::evidence`), and how long a record is kept (only its [`RetentionClass`]).
//!
//! Start reading at [`blob`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod blob;
pub mod coverage;
pub mod file;
mod upgrade;
mod wire;

pub use blob::{Blob, BlobHash, RetentionClass, decode, encode, fit, hash_of};

/// Why a stored record cannot be written or read. The texts are for the reader of a log or a terminal and carry
/// no evidence.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The record is larger than the format allows.
    #[error("{what} of {size} bytes is larger than the {limit} bytes allowed")]
    TooLarge {
        /// What was measured: `the evidence document`.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// The bytes are no record of this format.
    #[error("damaged record: {0}")]
    Damaged(String),
    /// The record was written by a later version of the program.
    #[error("{what} has format version {found}, and this program reads up to version {newest}: use a newer bartizan")]
    Newer {
        /// What was read: `the evidence document`.
        what: &'static str,
        /// Version found.
        found: u64,
        /// Newest version this program knows.
        newest: u32,
    },
    /// Reading or writing the underlying stream failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl CodecError {
    #[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err as it is")]
    fn damaged(why: impl ToString) -> Self {
        Self::Damaged(why.to_string())
    }
}
