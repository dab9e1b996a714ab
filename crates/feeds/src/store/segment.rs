//! One source in one immutable file.
//!
//! ```text
//! magic · blocks of: records, texts, index, signals, lifecycles, names · footer (zstd) · offset, length · magic
//! ```
//!
//! `records` holds the matching parts in ascending order of id and publisher (`id`+NUL+source), so the number of a record is its place in that order.
//! `texts` holds the reading parts by the same numbers. `index` leads from a key to the numbers of records:
//! `i`+id for ids and aliases, `d`+id for what a bulletin addresses, `p`+ecosystem+NUL+name for packages,
//! `c`+vendor+NUL+product for CPE criteria that can make a product vulnerable (`c` alone for patterns). `names` leads from
//! the text of a criterion to the CPE names listed for it. The file is a
//! function of the records alone: the same records give the same bytes whatever their order or the memory bound. Written by
//! [`super::draft`].

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bartizan_matching::model::{Advisory, Text};

use super::codec::Decoder;
use super::table::{Block, TableIndex};
use crate::error::{FeedError, Result};
use crate::record::{CpeNames, Lifecycle, Record};

pub(super) const MAGIC: &[u8; 8] = b"BZFEED\0\x02";
/// The tables in their order in the file.
pub(super) const TABLES: usize = 6;

/// The tables of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Records,
    Texts,
    Index,
    Signals,
    Lifecycles,
    Names,
}

/// What two records of one id and one publisher come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameId {
    /// The one that was changed last, of equals the one that came last.
    Latest,
    /// As [`Self::Latest`], with what others say about releases of distributions that it does not speak of: a bulletin may
    /// come in a document for each release.
    LatestByRelease,
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
    /// Criteria with listed names.
    pub names: u64,
    /// Ecosystem and release, with the number of statements.
    pub scopes: BTreeMap<(String, String), u64>,
}

impl Summary {
    /// Everything that can be looked up by an id of its own.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.advisories + self.signals + self.lifecycles + self.names
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
            names: decoder.number()?,
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
    pub(super) fn each_entry(&self, kind: Kind, mut each: impl FnMut(u32, &[u8], &[u8]) -> Result<()>) -> Result<()> {
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
        self.each_entry(Kind::Lifecycles, |_, _, value| each(Record::Lifecycle(Box::new(lifecycle(value)?))))?;
        self.each_entry(Kind::Names, |_, criterion, value| {
            let criterion = String::from_utf8_lossy(criterion).as_ref().into();
            each(Record::Names(Box::new(CpeNames { criterion, names: names(value)? })))
        })
    }
}

/// A life cycle as stored.
pub(super) fn lifecycle(value: &[u8]) -> Result<Lifecycle> {
    serde_json::from_slice(value).map_err(|error| FeedError::Store(format!("a life cycle: {error}")))
}

/// Listed names as stored.
pub(super) fn names(value: &[u8]) -> Result<Vec<Text>> {
    let mut decoder = Decoder::new(value);
    (0..decoder.size()?).map(|_| Ok(decoder.text()?.into())).collect()
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
