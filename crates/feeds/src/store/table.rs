//! A sorted table: compressed blocks, and the first key of each.
//!
//! A block holds about as many bytes as it was asked to, is a zstd frame with a checksum, and is the unit of reading and
//! caching. The list of blocks (first key, place, number of the first entry) is what a reader keeps in memory: some tens of
//! bytes for tens of kilobytes. A look-up is a binary search, one read, one decompression.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt as _;

use super::codec::{Decoder, Encoder};
use crate::error::{FeedError, Result};

/// Bytes of one block before compression at most, however large an entry is.
const MAX_BLOCK: usize = 256 << 20;

/// Where a block lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlace {
    /// First key in it.
    pub first_key: Box<[u8]>,
    /// Number of its first entry.
    pub first_entry: u32,
    /// Offset in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub length: u32,
    /// Bytes after decompression.
    pub raw: u32,
}

/// The list of blocks of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableIndex {
    /// The blocks in order.
    pub blocks: Vec<BlockPlace>,
    /// Entries in all of them.
    pub entries: u32,
}

impl TableIndex {
    /// The block that holds the entry of this number.
    #[must_use]
    pub fn block_of_entry(&self, entry: u32) -> Option<usize> {
        (entry < self.entries)
            .then(|| self.blocks.partition_point(|block| block.first_entry <= entry))
            .and_then(|after| after.checked_sub(1))
    }

    /// The block that would hold this key.
    #[must_use]
    pub fn block_of_key(&self, key: &[u8]) -> Option<usize> {
        self.blocks.partition_point(|block| *block.first_key <= *key).checked_sub(1)
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.number(self.entries.into());
        encoder.size(self.blocks.len());
        for block in &self.blocks {
            encoder.bytes(&block.first_key);
            encoder.number(block.first_entry.into());
            encoder.number(block.offset);
            encoder.number(block.length.into());
            encoder.number(block.raw.into());
        }
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Self> {
        let narrow = |number: u64| u32::try_from(number).map_err(|_| FeedError::Store("a list of blocks".to_owned()));
        let entries = narrow(decoder.number()?)?;
        let count = decoder.size()?;
        let mut blocks = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            blocks.push(BlockPlace {
                first_key: decoder.bytes()?.into(),
                first_entry: narrow(decoder.number()?)?,
                offset: decoder.number()?,
                length: narrow(decoder.number()?)?,
                raw: narrow(decoder.number()?)?,
            });
        }
        Ok(Self { blocks, entries })
    }
}

/// Writes a table. Keys must come in ascending order.
pub struct TableWriter {
    block: Encoder,
    first_key: Box<[u8]>,
    first_entry: u32,
    in_block: u32,
    target: usize,
    compressor: zstd::bulk::Compressor<'static>,
    index: TableIndex,
}

impl TableWriter {
    /// A writer of blocks of about `target` bytes before compression.
    ///
    /// # Errors
    /// If the compressor cannot be set up.
    pub fn new(target: usize, level: i32) -> Result<Self> {
        let broken = |error: std::io::Error| FeedError::Store(format!("the compressor: {error}"));
        let mut compressor = zstd::bulk::Compressor::new(level).map_err(broken)?;
        compressor.include_checksum(true).map_err(broken)?;
        Ok(Self {
            block: Encoder::default(),
            first_key: Box::default(),
            first_entry: 0,
            in_block: 0,
            target,
            compressor,
            index: TableIndex::default(),
        })
    }

    /// Number of the next entry.
    pub const fn next_entry(&self) -> u32 {
        self.index.entries
    }

    /// Adds an entry; `out` gets a block now and then.
    pub fn push(&mut self, key: &[u8], value: &[u8], out: &mut Counted<impl Write>) -> Result<()> {
        if self.in_block == 0 {
            self.first_key = key.into();
            self.first_entry = self.index.entries;
        }
        self.block.bytes(key);
        self.block.bytes(value);
        self.in_block += 1;
        self.index.entries = self
            .index
            .entries
            .checked_add(1)
            .ok_or(FeedError::Limit { what: "the number of entries of a table", limit: u32::MAX.into() })?;
        if self.block.0.len() >= self.target { self.flush(out) } else { Ok(()) }
    }

    fn flush(&mut self, out: &mut Counted<impl Write>) -> Result<()> {
        if self.in_block == 0 {
            return Ok(());
        }
        let too_large = || FeedError::Limit { what: "the size of a block", limit: MAX_BLOCK as u64 };
        if self.block.0.len() > MAX_BLOCK {
            return Err(too_large());
        }
        let compressed = self
            .compressor
            .compress(&self.block.0)
            .map_err(|error| FeedError::Store(format!("the compressor: {error}")))?;
        self.index.blocks.push(BlockPlace {
            first_key: std::mem::take(&mut self.first_key),
            first_entry: self.first_entry,
            offset: out.written,
            length: u32::try_from(compressed.len()).map_err(|_| too_large())?,
            raw: u32::try_from(self.block.0.len()).map_err(|_| too_large())?,
        });
        out.put(&compressed)?;
        self.block.0.clear();
        self.in_block = 0;
        Ok(())
    }

    /// Ends the table.
    pub fn finish(mut self, out: &mut Counted<impl Write>) -> Result<TableIndex> {
        self.flush(out)?;
        Ok(self.index)
    }
}

/// A writer that knows how much it has written.
pub struct Counted<W> {
    inner: W,
    /// Bytes written so far.
    pub written: u64,
}

impl<W: Write> Counted<W> {
    /// Counts from zero.
    pub const fn new(inner: W) -> Self {
        Self { inner, written: 0 }
    }

    /// Writes all of it.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.inner.write_all(bytes).map_err(|error| FeedError::Store(format!("writing: {error}")))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

/// A block in memory.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// Offset of each entry.
    entries: Vec<u32>,
    first_entry: u32,
}

impl Block {
    /// Reads and checks a block.
    pub fn read(file: &File, place: &BlockPlace) -> Result<Self> {
        let damaged = |what: &str| FeedError::Store(format!("a block at {}: {what}", place.offset));
        if place.raw as usize > MAX_BLOCK + (64 << 20) {
            return Err(damaged("its size is not plausible"));
        }
        let mut compressed = vec![0; place.length as usize];
        file.read_exact_at(&mut compressed, place.offset).map_err(|error| damaged(&error.to_string()))?;
        let bytes =
            zstd::bulk::decompress(&compressed, place.raw as usize).map_err(|error| damaged(&error.to_string()))?;
        let mut entries = Vec::new();
        let mut decoder = Decoder::new(&bytes);
        let mut left = bytes.len();
        while !decoder.is_at_end() {
            entries.push(u32::try_from(bytes.len() - left).map_err(|_| damaged("it is too large"))?);
            decoder.bytes()?;
            decoder.bytes()?;
            left = decoder.left();
        }
        Ok(Self { bytes, entries, first_entry: place.first_entry })
    }

    /// Bytes it takes.
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<u32>() + size_of::<Self>()
    }

    fn at(&self, position: usize) -> Result<(&[u8], &[u8])> {
        let offset = *self.entries.get(position).ok_or_else(|| FeedError::Store("a missing entry".to_owned()))?;
        let mut decoder = Decoder::new(&self.bytes[offset as usize..]);
        Ok((decoder.bytes()?, decoder.bytes()?))
    }

    /// Key and value of the entry with this number.
    pub fn entry(&self, entry: u32) -> Result<(&[u8], &[u8])> {
        self.at(entry.wrapping_sub(self.first_entry) as usize)
    }

    /// The value of the entry with this number.
    pub fn by_number(&self, entry: u32) -> Result<&[u8]> {
        self.entry(entry).map(|(_, value)| value)
    }

    /// The entry with this key.
    pub fn by_key(&self, key: &[u8]) -> Result<Option<(u32, &[u8])>> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low.midpoint(high);
            let (found, value) = self.at(middle)?;
            match found.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let number = u32::try_from(middle).map_err(|_| FeedError::Store("a block".to_owned()))?;
                    return Ok(Some((self.first_entry + number, value)));
                }
            }
        }
        Ok(None)
    }

    /// Its entries in order, with their numbers.
    pub fn entries(&self) -> impl Iterator<Item = Result<(u32, &[u8], &[u8])>> {
        (0..self.entries.len())
            .zip(self.first_entry..)
            .map(|(position, number)| self.at(position).map(|(key, value)| (number, key, value)))
    }
}
