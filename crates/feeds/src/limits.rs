//! Bounds on everything that is read from a feed.
//!
//! A feed is untrusted input: it comes over the network, from a mirror, or on a stick. Every reader of this crate takes
//! its bounds from one [`Limits`], so that what is refused is refused everywhere by the same numbers.

/// Bounds on one input. The defaults admit the largest real feeds with room to spare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file after decompression, all its archive members together.
    pub max_bytes: u64,
    /// Bytes of one record (one advisory, one line, one XML element with its children).
    pub max_record: usize,
    /// Nesting of JSON, YAML and XML.
    pub max_depth: usize,
    /// Records in one input.
    pub max_records: u64,
    /// Members in one archive.
    pub max_members: u64,
    /// Bytes that come out of a decompressor for each byte that goes in, beyond [`Self::ratio_grace`].
    pub max_ratio: u64,
    /// Bytes that may come out of a decompressor before the ratio is looked at: small files compress absurdly well.
    pub ratio_grace: u64,
    /// Layers of compression around one archive or document.
    pub max_layers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 16 << 30,
            max_record: 64 << 20,
            max_depth: 64,
            max_records: 20_000_000,
            max_members: 2_000_000,
            max_ratio: 400,
            ratio_grace: 64 << 20,
            max_layers: 3,
        }
    }
}
