//! Writing a segment: records are gathered, sorted with a bound of memory, and written table by table.
//!
//! The layout is that of [`super::segment`], which reads it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _};
use std::path::Path;

use bartizan_matching::cpe::Node;
use bartizan_matching::model::{Advisory, Ecosystem};
use sha2::{Digest as _, Sha256};

use super::codec::{Decoder, Encoder};
use super::segment::{MAGIC, SameId, Summary, TABLES, decode_advisory};
use super::sorter::Sorter;
use super::table::{Counted, TableIndex, TableWriter};
use crate::error::{FeedError, Result};
use crate::formats::cpenames;
use crate::record::{Record, merge_advisories, merge_signals};

const LEVEL: i32 = 5;
/// Releases of one record that is put together from several documents.
const MAX_RELEASES: usize = 2000;
const RECORD_BLOCK: usize = 32 << 10;
const TEXT_BLOCK: usize = 64 << 10;
const INDEX_BLOCK: usize = 16 << 10;
const SIGNAL_BLOCK: usize = 16 << 10;

/// A segment that is being written.
pub struct Draft {
    same_id: SameId,
    /// Whether what is added was in the store before.
    held: bool,
    records: Sorter,
    signals: Sorter,
    names: Sorter,
    lifecycles: BTreeMap<String, Vec<u8>>,
    folder: std::path::PathBuf,
    memory: usize,
    scratch: Encoder,
}

impl Draft {
    /// A draft that keeps about `memory` bytes in memory and spills to `folder`.
    #[must_use]
    pub fn new(folder: &Path, memory: usize, same_id: SameId) -> Self {
        Self {
            same_id,
            held: false,
            records: Sorter::new(folder, memory),
            signals: Sorter::new(folder, memory / 4),
            names: Sorter::new(folder, memory / 4),
            lifecycles: BTreeMap::new(),
            folder: folder.to_owned(),
            memory,
            scratch: Encoder::default(),
        }
    }

    /// Says that what is added from here on was in the store before, or that it is new.
    pub(super) const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If a temporary file cannot be written.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        match record {
            Record::Advisory(advisory) => {
                self.scratch.0.clear();
                encode_whole(&mut self.scratch, advisory, self.held);
                let mut key = record_key(advisory);
                if self.same_id == SameId::LatestByRelease {
                    // The newest of one key comes first.
                    key.push(0);
                    key.extend((u64::MAX - changed(advisory)).to_be_bytes());
                }
                self.records.push(&key, &self.scratch.0)
            }
            Record::Signals { id, signals } => {
                self.scratch.0.clear();
                self.scratch.signals(signals);
                self.signals.push(id.as_bytes(), &self.scratch.0)
            }
            Record::Names(listed) => {
                self.scratch.0.clear();
                self.scratch.size(listed.names.len());
                for name in &listed.names {
                    self.scratch.text(name);
                }
                self.names.push(listed.criterion.as_bytes(), &self.scratch.0)
            }
            Record::Lifecycle(lifecycle) => {
                let json = serde_json::to_vec(lifecycle)
                    .map_err(|error| FeedError::record(lifecycle.product.clone(), error))?;
                self.lifecycles.insert(lifecycle.product.clone(), json);
                Ok(())
            }
        }
    }

    /// Bytes it holds in memory.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.records.buffered() + self.signals.buffered() + self.names.buffered()
    }

    /// Moves what it holds in memory to temporary files.
    ///
    /// # Errors
    /// If a temporary file cannot be written.
    pub fn spill(&mut self) -> Result<()> {
        self.records.spill()?;
        self.signals.spill()?;
        self.names.spill()
    }

    /// Writes the segment to `path`, which must not exist, and makes it durable. Gives what it holds and the hash of
    /// the file.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(self, path: &Path) -> Result<(Summary, String)> {
        let failed = |error: std::io::Error| FeedError::io("writing", path, error);
        let file = File::options().write(true).create_new(true).open(path).map_err(failed)?;
        let mut out = Counted::new(Hashing { inner: BufWriter::with_capacity(1 << 20, file), hash: Sha256::new() });
        out.put(MAGIC)?;
        let mut summary = Summary::default();
        let mut index_entries = Sorter::new(&self.folder, self.memory / 2);

        let spare = |error: std::io::Error| FeedError::io("writing a temporary file in", &self.folder, error);
        let texts_file = tempfile::tempfile_in(&self.folder).map_err(spare)?;
        let mut texts_out = Counted::new(BufWriter::with_capacity(1 << 20, texts_file));
        let mut texts = TableWriter::new(TEXT_BLOCK, LEVEL)?;
        let mut records = TableWriter::new(RECORD_BLOCK, LEVEL)?;
        {
            let mut write = |key: &[u8], value: &[u8]| -> Result<()> {
                let whole = Whole::read(value)?;
                let number = records.next_entry().to_be_bytes();
                for name in &whole.keys {
                    index_entries.push(name, &number)?;
                }
                for (ecosystem, release) in whole.scopes {
                    *summary.scopes.entry((ecosystem.to_owned(), release.to_owned())).or_default() += 1;
                }
                summary.advisories += 1;
                summary.withdrawn += u64::from(whole.withdrawn);
                records.push(key, whole.matching, &mut out)?;
                texts.push(&[], whole.reading, &mut texts_out)
            };
            let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
            let same_id = self.same_id;
            self.records.drain(|key, value| {
                let key = match same_id {
                    SameId::LatestByRelease => key.split_last_chunk::<9>().map_or(key, |(key, _)| key),
                    SameId::Latest | SameId::Union => key,
                };
                match &mut pending {
                    Some((pending_key, pending_value)) if pending_key == key => join(same_id, pending_value, value)?,
                    _ => {
                        if let Some((key, value)) = pending.replace((key.to_vec(), value.to_vec())) {
                            write(&key, &value)?;
                        }
                    }
                }
                Ok(())
            })?;
            if let Some((key, value)) = pending {
                write(&key, &value)?;
            }
        }
        let mut tables = Vec::with_capacity(TABLES);
        tables.push(records.finish(&mut out)?);

        let mut text_index = texts.finish(&mut texts_out)?;
        let mut texts_file = texts_out.into_inner().into_inner().map_err(|error| spare(error.into_error()))?;
        texts_file.rewind().map_err(spare)?;
        for block in &mut text_index.blocks {
            block.offset += out.written;
        }
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = texts_file.read(&mut buffer).map_err(spare)?;
            if read == 0 {
                break;
            }
            out.put(&buffer[..read])?;
        }
        tables.push(text_index);
        tables.push(write_index(index_entries, &mut out)?);
        let (signal_index, count) = write_signals(self.signals, &mut out)?;
        tables.push(signal_index);
        summary.signals = count;
        let mut lifecycles = TableWriter::new(TEXT_BLOCK, LEVEL)?;
        for (product, json) in &self.lifecycles {
            lifecycles.push(product.as_bytes(), json, &mut out)?;
        }
        summary.lifecycles = self.lifecycles.len() as u64;
        tables.push(lifecycles.finish(&mut out)?);
        let (name_index, count) = write_names(self.names, &mut out)?;
        tables.push(name_index);
        summary.names = count;

        let footer = encode_footer(&tables, &summary)?;
        let offset = out.written;
        out.put(&footer)?;
        out.put(&offset.to_le_bytes())?;
        out.put(&(footer.len() as u64).to_le_bytes())?;
        out.put(MAGIC)?;
        let hashing = out.into_inner();
        let file = hashing.inner.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        let hash: String = hashing.hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok((summary, hash))
    }
}

/// Writes through and hashes.
struct Hashing {
    inner: BufWriter<File>,
    hash: Sha256,
}

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// A record on its way through the sorter: what the index needs, then both parts.
struct Whole<'b> {
    changed: u64,
    /// Whether the store held it before.
    held: bool,
    withdrawn: bool,
    keys: Vec<&'b [u8]>,
    scopes: Vec<(&'b str, &'b str)>,
    matching: &'b [u8],
    reading: &'b [u8],
}

impl<'b> Whole<'b> {
    fn read(bytes: &'b [u8]) -> Result<Self> {
        let mut decoder = Decoder::new(bytes);
        let changed = decoder.number()?;
        let held = decoder.number()? != 0;
        let withdrawn = decoder.number()? != 0;
        let mut keys = Vec::new();
        for _ in 0..decoder.size()? {
            keys.push(decoder.bytes()?);
        }
        let mut scopes = Vec::new();
        for _ in 0..decoder.size()? {
            scopes.push((decoder.text()?, decoder.text()?));
        }
        Ok(Self { changed, held, withdrawn, keys, scopes, matching: decoder.bytes()?, reading: decoder.bytes()? })
    }

    fn advisory(&self) -> Result<Advisory> {
        decode_advisory(self.matching, self.reading)
    }
}

/// When a record was changed, in seconds; before 1970 counts as never.
fn changed(advisory: &Advisory) -> u64 {
    advisory.modified.map_or(0, |time| u64::try_from(time.timestamp()).unwrap_or(0))
}

/// Records of one id and of different publishers are different records: each says what it says.
fn record_key(advisory: &Advisory) -> Vec<u8> {
    [advisory.head.id.as_bytes(), b"\0", advisory.head.source.as_bytes()].concat()
}

fn encode_whole(encoder: &mut Encoder, advisory: &Advisory, held: bool) {
    encoder.number(changed(advisory));
    encoder.number(u64::from(held));
    encoder.number(u64::from(advisory.head.withdrawn.is_some()));
    let keys = index_keys(advisory);
    encoder.size(keys.len());
    for key in &keys {
        encoder.bytes(key);
    }
    let scopes: BTreeSet<(&str, &str)> = advisory
        .affected
        .iter()
        .map(|affected| (affected.package.ecosystem.as_str(), affected.package.release.as_str()))
        .collect();
    encoder.size(scopes.len());
    for (ecosystem, release) in scopes {
        encoder.text(ecosystem);
        encoder.text(release);
    }
    let mut part = Encoder::default();
    part.matching_part(advisory);
    encoder.bytes(&part.0);
    part.0.clear();
    part.reading_part(advisory);
    encoder.bytes(&part.0);
}

/// Joins two records of one key; of [`SameId::LatestByRelease`] they come the newest first, of equals in the order of the input.
fn join(same_id: SameId, pending: &mut Vec<u8>, value: &[u8]) -> Result<()> {
    match same_id {
        SameId::Latest => {
            if Whole::read(value)?.changed >= Whole::read(pending)?.changed {
                value.clone_into(pending);
            }
        }
        SameId::LatestByRelease => {
            let as_new = Whole::read(value)?.changed >= Whole::read(pending)?.changed;
            let (newer, older) = if as_new { (value, &pending[..]) } else { (&pending[..], value) };
            *pending = with_other_releases(newer, older)?;
        }
        SameId::Union => {
            let mut joined = Whole::read(pending)?.advisory()?;
            merge_advisories(&mut joined, Whole::read(value)?.advisory()?);
            let mut encoder = Encoder::default();
            encode_whole(&mut encoder, &joined, false);
            *pending = encoder.0;
        }
    }
    Ok(())
}

/// A record with what an older one of the same key says about releases that it does not speak of: distributions publish a
/// bulletin in parts, a document for each release. What is withdrawn is withdrawn everywhere. What the store held before is
/// replaced by a new record that shares a release with it: then the publisher took back what is missing there.
fn with_other_releases(newer: &[u8], older: &[u8]) -> Result<Vec<u8>> {
    let (new, old) = (Whole::read(newer)?, Whole::read(older)?);
    let taken: HashSet<(&str, &str)> = new.scopes.iter().copied().collect();
    let is_other = |ecosystem: &str, release: &str| {
        !release.is_empty() && Ecosystem::of_name(ecosystem).has_releases() && !taken.contains(&(ecosystem, release))
    };
    let adds = old.scopes.iter().any(|(ecosystem, release)| is_other(ecosystem, release));
    let took_back = old.held && !new.held && old.scopes.iter().any(|scope| taken.contains(scope));
    let too_many = new.scopes.len() + old.scopes.len() > MAX_RELEASES;
    if new.withdrawn || old.withdrawn || new.scopes.is_empty() || !adds || took_back || too_many {
        return Ok(newer.to_vec());
    }
    let (mut joined, mut other) = (new.advisory()?, old.advisory()?);
    other.affected.retain(|one| is_other(one.package.ecosystem.as_str(), &one.package.release));
    joined.affected.append(&mut other.affected);
    for id in other.head.addresses {
        if !joined.head.addresses.contains(&id) {
            joined.head.addresses.push(id);
        }
    }
    let mut encoder = Encoder::default();
    encode_whole(&mut encoder, &joined, new.held && old.held);
    Ok(encoder.0)
}

/// The keys under which a record is found.
fn index_keys(advisory: &Advisory) -> BTreeSet<Vec<u8>> {
    let mut keys = BTreeSet::new();
    for id in std::iter::once(&advisory.head.id).chain(&advisory.head.aliases) {
        keys.insert(super::id_key(id));
    }
    for id in &advisory.head.addresses {
        keys.insert(super::addressed_key(id));
    }
    for affected in &advisory.affected {
        keys.insert(super::package_key(affected.package.ecosystem.as_str(), &affected.package.name));
    }
    for configuration in &advisory.configurations {
        for node in &configuration.nodes {
            product_keys(node, &mut keys);
        }
    }
    keys
}

fn product_keys(node: &Node, keys: &mut BTreeSet<Vec<u8>>) {
    for criterion in node.matches.iter().filter(|criterion| criterion.vulnerable) {
        keys.insert(super::criterion_key(&criterion.criteria));
    }
    for child in &node.children {
        product_keys(child, keys);
    }
}

fn write_index(entries: Sorter, out: &mut Counted<Hashing>) -> Result<TableIndex> {
    let mut writer = TableWriter::new(INDEX_BLOCK, LEVEL)?;
    let mut key: Vec<u8> = Vec::new();
    let mut numbers = Encoder::default();
    let mut last = None;
    entries.drain(|next, number| {
        let number = u32::from_be_bytes(number.try_into().map_err(|_| FeedError::Store("an index".to_owned()))?);
        if key != next {
            if last.is_some() {
                writer.push(&key, &numbers.0, out)?;
            }
            next.clone_into(&mut key);
            numbers.0.clear();
            last = None;
        }
        // Numbers of one key ascend, so their differences are small.
        numbers.number(u64::from(number - last.unwrap_or(0)));
        last = Some(number);
        Ok(())
    })?;
    if last.is_some() {
        writer.push(&key, &numbers.0, out)?;
    }
    writer.finish(out)
}

fn write_signals(entries: Sorter, out: &mut Counted<Hashing>) -> Result<(TableIndex, u64)> {
    let mut writer = TableWriter::new(SIGNAL_BLOCK, LEVEL)?;
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    entries.drain(|id, value| {
        match &mut pending {
            Some((pending_id, pending_value)) if pending_id == id => {
                let mut signals = Decoder::new(pending_value).signals()?;
                merge_signals(&mut signals, Decoder::new(value).signals()?);
                let mut encoder = Encoder::default();
                encoder.signals(&signals);
                *pending_value = encoder.0;
            }
            Some((pending_id, pending_value)) => {
                writer.push(pending_id, pending_value, out)?;
                id.clone_into(pending_id);
                value.clone_into(pending_value);
            }
            None => pending = Some((id.to_vec(), value.to_vec())),
        }
        Ok(())
    })?;
    if let Some((id, value)) = pending {
        writer.push(&id, &value, out)?;
    }
    let index = writer.finish(out)?;
    let entries = index.entries.into();
    Ok((index, entries))
}

/// What a dictionary lists; of two lists for one criterion the one that came last.
fn write_names(entries: Sorter, out: &mut Counted<Hashing>) -> Result<(TableIndex, u64)> {
    let mut writer = TableWriter::new(TEXT_BLOCK, LEVEL)?;
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    entries.drain(|criterion, names| {
        match &mut pending {
            Some((known, value)) if known == criterion && cpenames::adds_up(criterion) => {
                *value = joined(value, names)?;
            }
            Some((known, value)) if known == criterion => names.clone_into(value),
            _ => {
                if let Some((criterion, names)) = pending.replace((criterion.to_vec(), names.to_vec())) {
                    writer.push(&criterion, &names, out)?;
                }
            }
        }
        Ok(())
    })?;
    if let Some((criterion, names)) = pending {
        writer.push(&criterion, &names, out)?;
    }
    let index = writer.finish(out)?;
    let entries = index.entries.into();
    Ok((index, entries))
}

/// Both lists of names as one.
fn joined(names: &[u8], more: &[u8]) -> Result<Vec<u8>> {
    let mut all = super::segment::names(names)?;
    for name in super::segment::names(more)? {
        if all.len() < cpenames::MAX_SUCCESSORS && !all.contains(&name) {
            all.push(name);
        }
    }
    let mut encoder = Encoder::default();
    encoder.size(all.len());
    for name in &all {
        encoder.text(name);
    }
    Ok(encoder.0)
}

fn encode_footer(tables: &[TableIndex], summary: &Summary) -> Result<Vec<u8>> {
    let mut encoder = Encoder::default();
    for table in tables {
        table.encode(&mut encoder);
    }
    for count in [summary.advisories, summary.withdrawn, summary.signals, summary.lifecycles, summary.names] {
        encoder.number(count);
    }
    encoder.size(summary.scopes.len());
    for ((ecosystem, release), count) in &summary.scopes {
        encoder.text(ecosystem);
        encoder.text(release);
        encoder.number(*count);
    }
    let broken = |error: std::io::Error| FeedError::Store(format!("the compressor: {error}"));
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(broken)?;
    compressor.include_checksum(true).map_err(broken)?;
    let mut framed = (encoder.0.len() as u64).to_le_bytes().to_vec();
    framed.extend(compressor.compress(&encoder.0).map_err(broken)?);
    Ok(framed)
}
