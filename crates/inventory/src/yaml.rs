//! YAML with bounds: the formats that use it need mappings, lists and scalars, no anchors and no tags.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::component::ReadError;

/// Reads one document. A lock file of ten thousand packages has some two hundred thousand nodes.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 10_000_000,
            max_nodes: 5_000_000,
            max_depth: 64,
            max_anchors: 0,
            max_aliases: 0,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        merge_keys: serde_saphyr::MergeKeyPolicy::AsOrdinary,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(ReadError::syntax)
}

/// A scalar that may look like a number (`version: 1.10`) and is wanted as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scalar(String);

impl Scalar {
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
