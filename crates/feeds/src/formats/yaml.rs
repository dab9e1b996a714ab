//! YAML as bounded values.
//!
//! Read with a budget of nodes, depth and bytes, and with anchors and aliases refused, so that a small document cannot
//! become a large one. Scalars are those of YAML 1.2; a day stays the text it is.

use std::io::Read;

use serde_json::Value;

use super::Output;
use crate::error::{FeedError, Result};
use crate::input::damaged;
use crate::limits::Limits;

/// Largest YAML document. Real ones have kilobytes, a secdb a few hundred.
const MAX_YAML: usize = 16 << 20;

/// The whole stream as text. A beginning of YAML is YAML too: that the last line has no end is noted.
pub(super) fn text(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<String> {
    let bound = limits.max_record.min(MAX_YAML);
    let mut bytes = Vec::new();
    reader.take(bound as u64 + 1).read_to_end(&mut bytes).map_err(|error| damaged("plain", &error))?;
    if bytes.len() > bound {
        return Err(FeedError::Limit { what: "the size of a YAML document in bytes", limit: bound as u64 });
    }
    out.stats.unterminated |= bytes.last().is_some_and(|last| *last != b'\n');
    String::from_utf8(bytes).map_err(|error| FeedError::Syntax {
        at: error.utf8_error().valid_up_to() as u64,
        rule: "it is not UTF-8".into(),
    })
}

/// The document in `text`.
pub(super) fn value(text: &str, limits: &Limits) -> Result<Value> {
    read(text, limits)
}

/// The document in `text` as `T`.
pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str, limits: &Limits) -> Result<T> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: limits.max_depth,
            max_aliases: 0,
            max_anchors: 0,
            max_nodes: 2_000_000,
            max_events: 8_000_000,
            max_documents: 1,
        },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| FeedError::Syntax {
        at: 0,
        rule: error.to_string().lines().next().unwrap_or("it is no YAML").chars().take(200).collect(),
    })
}
