//! One source in one immutable file.
//!
//! ```text
//! magic · blocks of: records, texts, index, signals, lifecycles · footer (zstd) · offset, length · magic
//! ```
//!
//! `records` holds the matching parts in ascending order of id, so the number of a record is its place in that order.
//! `texts` holds the reading parts by the same numbers. `index` leads from a key to the numbers of records:
//! `i`+id for ids and aliases, `d`+id for what a bulletin addresses, `p`+ecosystem+NUL+name for packages,
//! `c`+vendor+NUL+product for CPE criteria that can make a product vulnerable (`c` alone for patterns). The file is a
//! function of the records alone: the same records give the same bytes whatever their order or the memory bound.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bartizan_matching::cpe::Node;
use bartizan_matching::model::Advisory;
use sha2::{Digest as _, Sha256};

use super::codec::{Decoder, Encoder};
use super::sorter::Sorter;
use super::table::{Block, Counted, TableIndex, TableWriter};
use crate::error::{FeedError, Result};
use crate::record::{Lifecycle, Record, merge_advisories, merge_signals};

const MAGIC: &[u8; 8] = b"BZFEED\0\x01";
const LEVEL: i32 = 5;
const RECORD_BLOCK: usize = 32 << 10;
const TEXT_BLOCK: usize = 64 << 10;
const INDEX_BLOCK: usize = 16 << 10;
const SIGNAL_BLOCK: usize = 16 << 10;
/// The tables in their order in the file.
pub(super) const TABLES: usize = 5;

/// The tables of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Records,
    Texts,
    Index,
    Signals,
    Lifecycles,
}

/// What two records of one id come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameId {
    /// The one that was changed last, of equals the one that came last.
    Latest,
    /// Their statements add up.
    Union,
}

/// What a segment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Advisories.
    pub advisories: u64,
    /// Of these, withdrawn.
    pub withdrawn: u64,
    /// Vulnerabilities with signals.
    pub signals: u64,
    /// Products with a life cycle.
    pub lifecycles: u64,
    /// Ecosystem and release, with the number of statements.
    pub scopes: BTreeMap<(String, String), u64>,
}

impl Summary {
    /// Everything that can be looked up by an id of its own.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.advisories + self.signals + self.lifecycles
    }
}

/// A segment that is being written.
pub struct Draft {
    same_id: SameId,
    records: Sorter,
    signals: Sorter,
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
            records: Sorter::new(folder, memory),
            signals: Sorter::new(folder, memory / 4),
            lifecycles: BTreeMap::new(),
            folder: folder.to_owned(),
            memory,
            scratch: Encoder::default(),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If a temporary file cannot be written.
    pub fn add(&mut self, record: &Record) -> Result<()> {
        match record {
            Record::Advisory(advisory) => {
                self.scratch.0.clear();
                encode_whole(&mut self.scratch, advisory);
                self.records.push(advisory.head.id.as_bytes(), &self.scratch.0)
            }
            Record::Signals { id, signals } => {
                self.scratch.0.clear();
                self.scratch.signals(signals);
                self.signals.push(id.as_bytes(), &self.scratch.0)
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
        self.records.buffered() + self.signals.buffered()
    }

    /// Moves what it holds in memory to temporary files.
    ///
    /// # Errors
    /// If a temporary file cannot be written.
    pub fn spill(&mut self) -> Result<()> {
        self.records.spill()?;
        self.signals.spill()
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
            let mut write = |id: &[u8], value: &[u8]| -> Result<()> {
                let whole = Whole::read(value)?;
                let number = records.next_entry().to_be_bytes();
                for key in &whole.keys {
                    index_entries.push(key, &number)?;
                }
                for (ecosystem, release) in whole.scopes {
                    *summary.scopes.entry((ecosystem.to_owned(), release.to_owned())).or_default() += 1;
                }
                summary.advisories += 1;
                summary.withdrawn += u64::from(whole.withdrawn);
                records.push(id, whole.matching, &mut out)?;
                texts.push(&[], whole.reading, &mut texts_out)
            };
            let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
            let same_id = self.same_id;
            self.records.drain(|id, value| {
                match &mut pending {
                    Some((pending_id, pending_value)) if pending_id == id => join(same_id, pending_value, value)?,
                    _ => {
                        if let Some((id, value)) = pending.replace((id.to_vec(), value.to_vec())) {
                            write(&id, &value)?;
                        }
                    }
                }
                Ok(())
            })?;
            if let Some((id, value)) = pending {
                write(&id, &value)?;
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
        let withdrawn = decoder.number()? != 0;
        let mut keys = Vec::new();
        for _ in 0..decoder.size()? {
            keys.push(decoder.bytes()?);
        }
        let mut scopes = Vec::new();
        for _ in 0..decoder.size()? {
            scopes.push((decoder.text()?, decoder.text()?));
        }
        Ok(Self { changed, withdrawn, keys, scopes, matching: decoder.bytes()?, reading: decoder.bytes()? })
    }

    fn advisory(&self) -> Result<Advisory> {
        decode_advisory(self.matching, self.reading)
    }
}

/// Both parts of a record, put together.
pub(super) fn decode_advisory(matching: &[u8], reading: &[u8]) -> Result<Advisory> {
    let mut decoder = Decoder::new(matching);
    let head = decoder.head()?;
    let affected = decoder.statements()?;
    let configurations = decoder.configurations()?;
    Decoder::new(reading).reading_part(head, affected, configurations)
}

fn encode_whole(encoder: &mut Encoder, advisory: &Advisory) {
    // Before 1970 counts as never changed.
    let changed = advisory.modified.map_or(0, |time| u64::try_from(time.timestamp()).unwrap_or(0));
    encoder.number(changed);
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

fn join(same_id: SameId, pending: &mut Vec<u8>, value: &[u8]) -> Result<()> {
    match same_id {
        SameId::Latest => {
            if Whole::read(value)?.changed >= Whole::read(pending)?.changed {
                value.clone_into(pending);
            }
        }
        SameId::Union => {
            let mut joined = Whole::read(pending)?.advisory()?;
            merge_advisories(&mut joined, Whole::read(value)?.advisory()?);
            let mut encoder = Encoder::default();
            encode_whole(&mut encoder, &joined);
            *pending = encoder.0;
        }
    }
    Ok(())
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

/// The numbers of records behind an index key.
pub(super) fn numbers(value: &[u8]) -> Result<Vec<u32>> {
    let mut decoder = Decoder::new(value);
    let mut found = Vec::new();
    let mut last = 0_u32;
    while !decoder.is_at_end() {
        let step = u32::try_from(decoder.number()?).map_err(|_| FeedError::Store("an index".to_owned()))?;
        last = last.checked_add(step).ok_or_else(|| FeedError::Store("an index".to_owned()))?;
        found.push(last);
    }
    Ok(found)
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

fn encode_footer(tables: &[TableIndex], summary: &Summary) -> Result<Vec<u8>> {
    let mut encoder = Encoder::default();
    for table in tables {
        table.encode(&mut encoder);
    }
    for count in [summary.advisories, summary.withdrawn, summary.signals, summary.lifecycles] {
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

/// A segment open for reading. Only its lists of blocks are in memory.
#[derive(Debug)]
pub struct Segment {
    file: File,
    tables: Vec<TableIndex>,
    /// What it holds.
    pub summary: Summary,
}

impl Segment {
    /// Opens a segment and reads its footer.
    ///
    /// # Errors
    /// If it cannot be read or is not what was written.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let damaged = |what: &str| FeedError::Store(format!("{name}: {what}"));
        let file = File::open(path).map_err(|error| FeedError::io("opening", path, error))?;
        let length = file.metadata().map_err(|error| FeedError::io("reading", path, error))?.len();
        let mut head = [0; 8];
        let mut tail = [0; 24];
        let tail_at = length.checked_sub(24).ok_or_else(|| damaged("it is too short"))?;
        file.read_exact_at(&mut head, 0).map_err(|error| FeedError::io("reading", path, error))?;
        file.read_exact_at(&mut tail, tail_at).map_err(|error| FeedError::io("reading", path, error))?;
        if head != *MAGIC || tail[16..] != *MAGIC {
            return Err(damaged("it is no segment of this version, or cut short"));
        }
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
        let (offset, size) = (number(&tail[..8]), number(&tail[8..16]));
        if offset.checked_add(size) != Some(tail_at) || !(8..1 << 30).contains(&size) {
            return Err(damaged("its footer is misplaced"));
        }
        let mut footer = vec![0; usize::try_from(size).map_err(|_| damaged("its footer is too large"))?];
        file.read_exact_at(&mut footer, offset).map_err(|error| FeedError::io("reading", path, error))?;
        let raw = usize::try_from(number(&footer[..8])).ok().filter(|raw| *raw < 1 << 31);
        let bytes = zstd::bulk::decompress(&footer[8..], raw.ok_or_else(|| damaged("its footer is too large"))?)
            .map_err(|error| damaged(&error.to_string()))?;
        let mut decoder = Decoder::new(&bytes);
        let tables = (0..TABLES).map(|_| TableIndex::decode(&mut decoder)).collect::<Result<Vec<_>>>()?;
        let mut summary = Summary {
            advisories: decoder.number()?,
            withdrawn: decoder.number()?,
            signals: decoder.number()?,
            lifecycles: decoder.number()?,
            scopes: BTreeMap::new(),
        };
        for _ in 0..decoder.size()? {
            let scope = (decoder.text()?.to_owned(), decoder.text()?.to_owned());
            summary.scopes.insert(scope, decoder.number()?);
        }
        Ok(Self { file, tables, summary })
    }

    pub(super) fn table(&self, kind: Kind) -> &TableIndex {
        &self.tables[kind as usize]
    }

    pub(super) fn block(&self, kind: Kind, number: usize) -> Result<Block> {
        let place = self
            .table(kind)
            .blocks
            .get(number)
            .ok_or_else(|| FeedError::Store("a block that is not there".to_owned()))?;
        Block::read(&self.file, place)
    }

    /// Calls `each` with every advisory in ascending order of id.
    ///
    /// # Errors
    /// If the segment cannot be read; what `each` returns.
    pub fn each_advisory(&self, mut each: impl FnMut(Advisory) -> Result<()>) -> Result<()> {
        let mut texts = Cursor::new(self, Kind::Texts);
        for block in 0..self.table(Kind::Records).blocks.len() {
            for entry in self.block(Kind::Records, block)?.entries() {
                let (number, _, matching) = entry?;
                each(texts.with(number, |reading| decode_advisory(matching, reading))?)?;
            }
        }
        Ok(())
    }

    /// Calls `each` with the id and the matching part of every advisory, in ascending order of id.
    pub(super) fn each_entry(
        &self,
        kind: Kind,
        mut each: impl FnMut(u32, &[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        for block in 0..self.table(kind).blocks.len() {
            for entry in self.block(kind, block)?.entries() {
                let (number, key, value) = entry?;
                each(number, key, value)?;
            }
        }
        Ok(())
    }

    /// Calls `each` with every record of the segment.
    ///
    /// # Errors
    /// If the segment cannot be read; what `each` returns.
    pub fn each_record(&self, mut each: impl FnMut(Record) -> Result<()>) -> Result<()> {
        self.each_advisory(|advisory| each(Record::Advisory(Box::new(advisory))))?;
        self.each_entry(Kind::Signals, |_, id, value| {
            let signals = Decoder::new(value).signals()?;
            each(Record::Signals { id: String::from_utf8_lossy(id).as_ref().into(), signals })
        })?;
        self.each_entry(Kind::Lifecycles, |_, _, value| {
            each(Record::Lifecycle(Box::new(lifecycle(value)?)))
        })
    }
}

/// A life cycle as stored.
pub(super) fn lifecycle(value: &[u8]) -> Result<Lifecycle> {
    serde_json::from_slice(value).map_err(|error| FeedError::Store(format!("a life cycle: {error}")))
}

/// Reads entries of a table by ascending numbers, one block in memory.
pub(super) struct Cursor<'s> {
    segment: &'s Segment,
    kind: Kind,
    current: Option<(usize, Block)>,
}

impl<'s> Cursor<'s> {
    pub(super) const fn new(segment: &'s Segment, kind: Kind) -> Self {
        Self { segment, kind, current: None }
    }

    pub(super) fn with<T>(&mut self, number: u32, read: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let wanted = self
            .segment
            .table(self.kind)
            .block_of_entry(number)
            .ok_or_else(|| FeedError::Store("an entry that is not there".to_owned()))?;
        let block = match self.current.take() {
            Some((at, block)) if at == wanted => block,
            _ => self.segment.block(self.kind, wanted)?,
        };
        let result = block.by_number(number).and_then(read);
        self.current = Some((wanted, block));
        result
    }
}

/// Walks a table entry by entry, with the reading part behind the matching part where asked for.
pub(super) struct Walk<'s> {
    segment: &'s Segment,
    kind: Kind,
    texts: Option<Cursor<'s>>,
    block: Option<Block>,
    next: u32,
    /// The entry it stands at.
    pub(super) current: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'s> Walk<'s> {
    pub(super) fn new(segment: &'s Segment, kind: Kind, texts: bool) -> Result<Self> {
        let texts = texts.then(|| Cursor::new(segment, Kind::Texts));
        let mut walk = Self { segment, kind, texts, block: None, next: 0, current: None };
        walk.advance()?;
        Ok(walk)
    }

    pub(super) fn advance(&mut self) -> Result<()> {
        let table = self.segment.table(self.kind);
        self.current = None;
        let Some(position) = table.block_of_entry(self.next) else { return Ok(()) };
        let block = match self.block.take() {
            Some(block) if table.blocks[position].first_entry != self.next => block,
            _ => self.segment.block(self.kind, position)?,
        };
        let (key, value) = block.entry(self.next)?;
        let mut value = value.to_vec();
        if let Some(texts) = &mut self.texts {
            texts.with(self.next, |reading| {
                value.extend_from_slice(reading);
                Ok(())
            })?;
        }
        self.current = Some((key.to_vec(), value));
        self.block = Some(block);
        self.next += 1;
        Ok(())
    }
}
