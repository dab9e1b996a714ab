//! Why a feed was not taken.

use std::path::PathBuf;

/// Why an input, or the store, could not be read or written. The texts name the rule, never the content.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file system failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as in `reading`.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The input ends in the middle of something.
    #[error("the input is cut short: it ends {0}")]
    Truncated(&'static str),
    /// A bound of [`crate::Limits`] was reached.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What exceeds it.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The input breaks the syntax of its format.
    #[error("byte {at}: {rule}")]
    Syntax {
        /// Offset in the decompressed input, as near as the reader knows it.
        at: u64,
        /// The rule it breaks.
        rule: String,
    },
    /// A compressed file or an archive is damaged.
    #[error("the {kind} data is damaged: {detail}")]
    Damaged {
        /// Which encoding.
        kind: &'static str,
        /// What the decoder said.
        detail: String,
    },
    /// No format of this crate looks like this.
    #[error("the content is no format that is known here")]
    Unrecognised,
    /// A record does not have the shape that its format prescribes.
    #[error("record {id}: {rule}")]
    Record {
        /// Its id, as far as it could be read.
        id: String,
        /// The rule it breaks.
        rule: String,
    },
    /// The new state of a source is not plausible, so the old one stays.
    #[error("{0}")]
    Implausible(String),
    /// A file of the store is not what the store wrote.
    #[error("the store is damaged: {0}")]
    Store(String),
    /// Another process is writing to the store.
    #[error("the store is being written by another process")]
    Busy,
}

impl FeedError {
    /// An error of the file system.
    pub(crate) fn io(doing: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// A record that breaks a rule of its format.
    pub(crate) fn record(id: impl Into<String>, rule: impl std::fmt::Display) -> Self {
        let mut id: String = id.into();
        truncate(&mut id, 80);
        let mut rule = rule.to_string();
        truncate(&mut rule, 200);
        Self::Record { id, rule }
    }

    /// The id of the record it is about, empty if that could not be read.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Record { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether this concerns one record only, so that the others may still be good.
    #[must_use]
    pub const fn is_of_one_record(&self) -> bool {
        matches!(self, Self::Record { .. })
    }
}

/// Shortens a text of unknown origin at a character boundary.
pub(crate) fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        let mut end = max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// Shorthand of this crate.
pub type Result<T, E = FeedError> = std::result::Result<T, E>;
