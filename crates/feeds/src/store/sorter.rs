//! Sorting more than memory should hold.
//!
//! Entries are gathered up to a bound, sorted and spilled to a temporary file in the store's folder; at the end the runs
//! are merged. Entries of one key come out in the order in which they went in. Time O(n log n), memory the bound.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::codec::Encoder;
use crate::error::{FeedError, Result};

/// Longest single entry a run may hold.
const MAX_ENTRY: u64 = 1 << 30;

/// Gathers entries.
pub struct Sorter {
    folder: PathBuf,
    bound: usize,
    bytes: Vec<u8>,
    /// Offset and length of key, length of value; the value follows the key.
    entries: Vec<(usize, u32, u32)>,
    runs: Vec<File>,
}

impl Sorter {
    /// A sorter that holds about `bound` bytes in memory and spills to temporary files in `folder`.
    pub fn new(folder: &Path, bound: usize) -> Self {
        Self { folder: folder.to_owned(), bound, bytes: Vec::new(), entries: Vec::new(), runs: Vec::new() }
    }

    /// Adds an entry.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let limit = || FeedError::Limit { what: "the size of an entry", limit: MAX_ENTRY };
        let (key_length, value_length) =
            (u32::try_from(key.len()).map_err(|_| limit())?, u32::try_from(value.len()).map_err(|_| limit())?);
        if !self.entries.is_empty() && self.bytes.len() + key.len() + value.len() > self.bound {
            self.spill()?;
        }
        self.entries.push((self.bytes.len(), key_length, value_length));
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |entry: &(usize, u32, u32)| &bytes[entry.0..entry.0 + entry.1 as usize];
        // Stable, so that entries of one key keep the order in which they came.
        self.entries.sort_by(|a, b| key(a).cmp(key(b)));
    }

    /// Bytes held in memory.
    pub fn buffered(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<(usize, u32, u32)>()
    }

    /// Writes what is held to a temporary file.
    pub fn spill(&mut self) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.sort();
        let failed = |error: std::io::Error| FeedError::io("writing a temporary file in", &self.folder, error);
        let file = tempfile::tempfile_in(&self.folder).map_err(failed)?;
        let mut encoder =
            zstd::stream::write::Encoder::new(BufWriter::with_capacity(1 << 20, file), 1).map_err(failed)?;
        let mut head = Encoder::default();
        for &(offset, key, value) in &self.entries {
            head.0.clear();
            head.number(key.into());
            head.number(value.into());
            encoder.write_all(&head.0).map_err(failed)?;
            encoder.write_all(&self.bytes[offset..offset + key as usize + value as usize]).map_err(failed)?;
        }
        let buffered = encoder.finish().map_err(failed)?;
        let mut file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        self.runs.push(file);
        self.entries = Vec::new();
        self.bytes = Vec::new();
        Ok(())
    }

    /// Calls `each` with every entry in ascending order of keys, entries of one key in the order in which they came.
    pub fn drain(mut self, mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            self.sort();
            for &(offset, key, value) in &self.entries {
                let middle = offset + key as usize;
                each(&self.bytes[offset..middle], &self.bytes[middle..middle + value as usize])?;
            }
            return Ok(());
        }
        self.spill()?;
        (self.bytes, self.entries) = (Vec::new(), Vec::new());
        let folder = self.folder.clone();
        let mut runs = Vec::new();
        for file in self.runs {
            let decoder = zstd::stream::read::Decoder::new(file)
                .map_err(|error| FeedError::io("reading a temporary file in", &folder, error))?;
            runs.push(Run { reader: BufReader::with_capacity(128 << 10, decoder), key: Vec::new(), value: Vec::new() });
        }
        let mut heap = BinaryHeap::new();
        for (number, mut run) in runs.into_iter().enumerate() {
            if run.next(&folder)? {
                heap.push(Reverse(Head { number, run }));
            }
        }
        while let Some(Reverse(mut head)) = heap.pop() {
            each(&head.run.key, &head.run.value)?;
            if head.run.next(&folder)? {
                heap.push(Reverse(head));
            }
        }
        Ok(())
    }
}

/// A sorted run on disk, at its next entry.
struct Run {
    reader: BufReader<zstd::stream::read::Decoder<'static, BufReader<File>>>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Run {
    fn next(&mut self, folder: &Path) -> Result<bool> {
        let failed = |error: std::io::Error| FeedError::io("reading a temporary file in", folder, error);
        let Some(key) = self.number().map_err(failed)? else { return Ok(false) };
        let value = self.number().map_err(failed)?.ok_or_else(|| failed(std::io::ErrorKind::UnexpectedEof.into()))?;
        for (buffer, length) in [(&mut self.key, key), (&mut self.value, value)] {
            buffer.clear();
            let read = (&mut self.reader).take(length.min(MAX_ENTRY)).read_to_end(buffer).map_err(failed)?;
            if read as u64 != length {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(true)
    }

    fn number(&mut self) -> std::io::Result<Option<u64>> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            if self.reader.read(&mut byte)? == 0 {
                return Ok(None);
            }
            value |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        Ok(Some(value))
    }
}

struct Head {
    number: usize,
    run: Run,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.run.key.cmp(&other.run.key).then(self.number.cmp(&other.number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bound_changes_nothing(
            entries in proptest::collection::vec(("[a-c]{0,3}", "[a-z]{0,9}"), 0..60), bound in 1..400_usize
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(folder.path(), bound);
            for (key, value) in &entries {
                sorter.push(key.as_bytes(), value.as_bytes()).unwrap();
            }
            let mut found = Vec::new();
            sorter.drain(|key, value| {
                found.push((key.to_vec(), value.to_vec()));
                Ok(())
            }).unwrap();
            let mut expected: Vec<_> =
                entries.iter().map(|(key, value)| (key.clone().into_bytes(), value.clone().into_bytes())).collect();
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(found, expected);
        }
    }
}
