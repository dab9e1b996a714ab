//! The local store: every source in one immutable file, and a manifest that says which files hold.
//!
//! ```text
//! DIR/manifest.json            which segment each source has, its counts, when and from what it was imported
//! DIR/segments/<source>-<hash> one source (see [`segment`])
//! DIR/lock                     held by the one process that writes
//! ```
//!
//! **Reading** takes a snapshot: the manifest is read once, the segments it names are opened, and the answers do not
//! change whatever is imported meanwhile (an open file outlives its removal). Opening reads the footers only; memory is
//! the lists of blocks and a bounded cache. **Writing** a source writes a new segment, makes it durable, and replaces
//! the manifest by a rename: a reader sees the old source or the new one, and a crash at any point leaves the old one.
//! Segment names hold the hash of the content, so the same records give the same store, byte for byte.
//!
//! Start reading at [`Snapshot`] (reading) and [`writer::StoreWriter`] (writing).

mod cache;
mod codec;
pub mod draft;
pub mod manifest;
pub mod segment;
mod sorter;
mod successors;
mod table;
pub mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bartizan_matching::cpe::{vendor_and_product, wildcard};
use bartizan_matching::model::{Advisory, AdvisoryHead, Ecosystem, Signals, Text};
use bartizan_matching::store::{AdvisoryRef, AdvisoryStore, Candidate, Coverage, StoreError};

use crate::error::{FeedError, Result};
use crate::record::{Lifecycle, merge_signals};
use cache::Cache;
use codec::Decoder;
pub(crate) use codec::max_node_depth;
use manifest::Manifest;
use segment::{Kind, Segment};
use table::Block;

/// Version of everything in the folder. A store of another version is imported anew.
pub const FORMAT: u32 = 3;

/// Memory for blocks that were read, if nothing else is said.
const CACHE: usize = 48 << 20;

fn prefixed(prefix: u8, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len() + 1);
    key.push(prefix);
    key.extend_from_slice(text.as_bytes());
    key
}

fn id_key(id: &str) -> Vec<u8> {
    prefixed(b'i', id)
}

fn addressed_key(id: &str) -> Vec<u8> {
    prefixed(b'd', id)
}

fn package_key(ecosystem: &str, name: &str) -> Vec<u8> {
    let mut key = prefixed(b'p', ecosystem);
    key.push(0);
    key.extend_from_slice(name.as_bytes());
    key
}

fn product_key(prefix: u8, vendor: &str, product: &str) -> Vec<u8> {
    let mut key = prefixed(prefix, vendor);
    key.push(0);
    key.extend_from_slice(product.as_bytes());
    key
}

/// `c` for a product by its name, `w` for a pattern. A criterion that is no CPE name is a pattern of nothing.
fn criterion_key(criteria: &str) -> Vec<u8> {
    match vendor_and_product(criteria) {
        Some((vendor, product)) if vendor.contains(['*', '?']) || product.contains(['*', '?']) => {
            product_key(b'w', &vendor, &product)
        }
        Some((vendor, product)) => product_key(b'c', &vendor, &product),
        None => product_key(b'w', "", ""),
    }
}

/// A source as it is open for reading.
#[derive(Debug)]
struct Open {
    name: String,
    segment: Segment,
    /// Ecosystems it speaks for as a whole.
    covers: Vec<String>,
    /// Number of its first record among all.
    base: u32,
    /// Patterns of vendor and product, read when first asked for.
    patterns: OnceLock<Vec<(String, String, Vec<u32>)>>,
}

/// One consistent view of the store.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    sources: Vec<Open>,
    cache: Cache,
}

impl Snapshot {
    /// Opens the store in `folder`. A folder without a manifest is an empty store.
    ///
    /// # Errors
    /// If the manifest or a segment cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, CACHE)
    }

    /// The same with so many bytes of cache.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(folder: &Path, cache: usize) -> Result<Self> {
        // A writer may remove a segment between our reading of the manifest and our opening of the file: then the
        // manifest is a new one, and the second try sees it.
        let mut last = None;
        for _ in 0..4 {
            let manifest = Manifest::read(folder)?;
            match open_all(folder, &manifest) {
                Ok(sources) => return Ok(Self { manifest, sources, cache: Cache::new(cache) }),
                Err(FeedError::Io { source, doing, path }) if source.kind() == std::io::ErrorKind::NotFound => {
                    last = Some(FeedError::Io { doing, path, source });
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| FeedError::Store("its segments change faster than they can be opened".to_owned())))
    }

    /// What the manifest says about the sources.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How many advisories there are: their references are the numbers below this.
    #[must_use]
    pub fn advisories(&self) -> u32 {
        self.sources.last().map_or(0, |source| source.base + source.segment.table(Kind::Records).entries)
    }

    /// Calls `each` with every advisory, in ascending order of its reference, without what only people read. The
    /// quickest way to load everything.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn each_matching(&self, mut each: impl FnMut(AdvisoryRef, Advisory) -> Result<()>) -> Result<()> {
        for source in &self.sources {
            source.segment.each_entry(Kind::Records, |number, _, matching| {
                let mut decoder = Decoder::new(matching);
                let advisory = Advisory {
                    head: decoder.head()?,
                    published: None,
                    modified: None,
                    summary: "".into(),
                    details: "".into(),
                    cwes: Vec::new(),
                    references: Vec::new(),
                    affected: decoder.statements()?,
                    configurations: decoder.configurations()?,
                };
                each(AdvisoryRef(source.base + number), advisory)
            })?;
        }
        Ok(())
    }

    /// Calls `each` with every vulnerability that has signals, source by source.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn each_signals(&self, mut each: impl FnMut(&str, Signals) -> Result<()>) -> Result<()> {
        for source in &self.sources {
            source.segment.each_entry(Kind::Signals, |_, id, value| {
                each(&String::from_utf8_lossy(id), Decoder::new(value).signals()?)
            })?;
        }
        Ok(())
    }

    /// Records that address `id` without being another name for it (bulletins).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn addressing(&self, id: &str) -> Result<Vec<AdvisoryRef>> {
        self.numbers(&addressed_key(id))
    }

    /// Calls `each` with every criterion that names are listed for, and the names, source by source.
    ///
    /// # Errors
    /// If a segment cannot be read; what `each` returns.
    pub fn each_names(&self, mut each: impl FnMut(&str, Vec<Text>) -> Result<()>) -> Result<()> {
        for source in &self.sources {
            source.segment.each_entry(Kind::Names, |_, criterion, value| {
                each(&String::from_utf8_lossy(criterion), segment::names(value)?)
            })?;
        }
        Ok(())
    }

    /// The life cycle of a product, by its name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn lifecycle(&self, product: &str) -> Result<Option<Lifecycle>> {
        for (number, source) in self.sources.iter().enumerate() {
            let found = self
                .by_key(number, source, Kind::Lifecycles, product.as_bytes(), |_, value| segment::lifecycle(value))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Every life cycle, by source and name; a product that two sources know comes twice.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn lifecycles(&self) -> Result<Vec<Lifecycle>> {
        let mut all = Vec::new();
        for source in &self.sources {
            source.segment.each_entry(Kind::Lifecycles, |_, _, value| {
                all.push(segment::lifecycle(value)?);
                Ok(())
            })?;
        }
        Ok(all)
    }

    /// The name of the source that a record is from, as `bartizan feeds list` shows it.
    #[must_use]
    pub fn source_of(&self, advisory: AdvisoryRef) -> Option<&str> {
        self.locate(advisory).ok().map(|(_, source, _)| source.name.as_str())
    }

    fn block(&self, number: usize, source: &Open, kind: Kind, block: usize) -> Result<Arc<Block>> {
        self.cache.get((number, kind as u8, block), || source.segment.block(kind, block))
    }

    fn by_key<T>(
        &self,
        number: usize,
        source: &Open,
        kind: Kind,
        key: &[u8],
        read: impl FnOnce(u32, &[u8]) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(block) = source.segment.table(kind).block_of_key(key) else { return Ok(None) };
        let block = self.block(number, source, kind, block)?;
        block.by_key(key)?.map(|(entry, value)| read(entry, value)).transpose()
    }

    fn by_number<T>(
        &self,
        number: usize,
        source: &Open,
        kind: Kind,
        entry: u32,
        read: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let missing = || FeedError::Store(format!("there is no record {entry} in {}", source.name));
        let block = source.segment.table(kind).block_of_entry(entry).ok_or_else(missing)?;
        let block = self.block(number, source, kind, block)?;
        block.by_number(entry).and_then(read)
    }

    fn numbers(&self, key: &[u8]) -> Result<Vec<AdvisoryRef>> {
        let mut found = Vec::new();
        for (number, source) in self.sources.iter().enumerate() {
            if let Some(numbers) = self.by_key(number, source, Kind::Index, key, |_, value| segment::numbers(value))? {
                found.extend(numbers.into_iter().map(|entry| AdvisoryRef(source.base + entry)));
            }
        }
        Ok(found)
    }

    fn locate(&self, advisory: AdvisoryRef) -> Result<(usize, &Open, u32)> {
        let after = self.sources.partition_point(|source| source.base <= advisory.0);
        // Sources without advisories share their base with the next one; the last of them holds the record.
        let number = after.checked_sub(1).ok_or_else(|| FeedError::Store("an empty store".to_owned()))?;
        let source = &self.sources[number];
        Ok((number, source, advisory.0 - source.base))
    }

    fn patterns<'s>(&'s self, number: usize, source: &'s Open) -> Result<&'s [(String, String, Vec<u32>)]> {
        if let Some(known) = source.patterns.get() {
            return Ok(known);
        }
        let index = source.segment.table(Kind::Index);
        let mut found = Vec::new();
        let first = index.blocks.partition_point(|block| &block.first_key[..] < b"w".as_slice()).saturating_sub(1);
        for (position, place) in index.blocks.iter().enumerate().skip(first) {
            if &place.first_key[..] >= b"x".as_slice() {
                break;
            }
            let block = self.block(number, source, Kind::Index, position)?;
            for entry in block.entries() {
                let (_, key, value) = entry?;
                let Some((b'w', rest)) = key.split_first() else { continue };
                let text = String::from_utf8_lossy(rest);
                let (vendor, product) = text.split_once('\0').unwrap_or((&text, ""));
                if !vendor.is_empty() {
                    found.push((vendor.to_owned(), product.to_owned(), segment::numbers(value)?));
                }
            }
        }
        Ok(source.patterns.get_or_init(|| found))
    }
}

fn open_all(folder: &Path, manifest: &Manifest) -> Result<Vec<Open>> {
    let mut sources: Vec<Open> = Vec::new();
    let mut base = 0_u32;
    for (name, entry) in &manifest.sources {
        let Some(file) = &entry.segment else { continue };
        let segment = Segment::open(&manifest::segment_path(folder, file))?;
        let records = segment.table(Kind::Records).entries;
        let next = base
            .checked_add(records)
            .ok_or(FeedError::Limit { what: "the number of advisories in the store", limit: u32::MAX.into() })?;
        let covers = entry.covers.clone();
        sources.push(Open { name: name.clone(), segment, covers, base, patterns: OnceLock::new() });
        base = next;
    }
    Ok(sources)
}

impl AdvisoryStore for Snapshot {
    fn statements(&self, ecosystem: &Ecosystem, name: &str) -> std::result::Result<Vec<Candidate>, StoreError> {
        let key = package_key(ecosystem.as_str(), name);
        let mut found = Vec::new();
        for (number, source) in self.sources.iter().enumerate() {
            let entries = self.by_key(number, source, Kind::Index, &key, |_, value| segment::numbers(value))?;
            for entry in entries.unwrap_or_default() {
                self.by_number(number, source, Kind::Records, entry, |matching| {
                    let mut decoder = Decoder::new(matching);
                    let head = Arc::new(decoder.head()?);
                    for affected in decoder.statements_about(ecosystem, name)? {
                        let advisory = AdvisoryRef(source.base + entry);
                        found.push(Candidate { advisory, head: Arc::clone(&head), affected });
                    }
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }

    fn by_product(&self, vendor: &str, product: &str) -> std::result::Result<Vec<AdvisoryRef>, StoreError> {
        let mut found = self.numbers(&product_key(b'c', vendor, product))?;
        for (number, source) in self.sources.iter().enumerate() {
            for (its_vendor, its_product, numbers) in self.patterns(number, source)? {
                if wildcard(its_vendor, vendor) && wildcard(its_product, product) {
                    found.extend(numbers.iter().map(|entry| AdvisoryRef(source.base + entry)));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn by_id(&self, id: &str) -> std::result::Result<Vec<AdvisoryRef>, StoreError> {
        Ok(self.numbers(&id_key(id))?)
    }

    fn head(&self, advisory: AdvisoryRef) -> std::result::Result<Arc<AdvisoryHead>, StoreError> {
        let (number, source, entry) = self.locate(advisory)?;
        let head = self.by_number(number, source, Kind::Records, entry, |matching| Decoder::new(matching).head())?;
        Ok(Arc::new(head))
    }

    fn advisory(&self, advisory: AdvisoryRef) -> std::result::Result<Arc<Advisory>, StoreError> {
        let (number, source, entry) = self.locate(advisory)?;
        let reading = self.by_number(number, source, Kind::Texts, entry, |reading| Ok(reading.to_vec()))?;
        let advisory = self
            .by_number(number, source, Kind::Records, entry, |matching| segment::decode_advisory(matching, &reading))?;
        Ok(Arc::new(advisory))
    }

    fn signals(&self, id: &str) -> std::result::Result<Signals, StoreError> {
        let mut all = Signals::default();
        for (number, source) in self.sources.iter().enumerate() {
            let found =
                self.by_key(number, source, Kind::Signals, id.as_bytes(), |_, value| Decoder::new(value).signals())?;
            if let Some(signals) = found {
                merge_signals(&mut all, signals);
            }
        }
        Ok(all)
    }

    fn names(&self, criterion: &str) -> std::result::Result<Option<Arc<[Text]>>, StoreError> {
        for (number, source) in self.sources.iter().enumerate() {
            let found = self.by_key(number, source, Kind::Names, criterion.as_bytes(), |_, value| {
                Ok(segment::names(value)?.into_iter().collect::<Arc<[Text]>>())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn coverage(&self, ecosystem: &Ecosystem, release: &str) -> std::result::Result<Coverage, StoreError> {
        let mut other_release = false;
        let mut records = 0_u64;
        for source in &self.sources {
            let claims = |scope: &str| source.covers.iter().any(|claimed| claimed == scope);
            // Products are spoken of by configurations, which have no scope.
            if *ecosystem == Ecosystem::Generic && claims(ecosystem.as_str()) {
                return Ok(Coverage::Covered);
            }
            let first = (ecosystem.as_str().to_owned(), String::new());
            for ((known, its_release), count) in source.segment.summary.scopes.range(first..) {
                if known != ecosystem.as_str() {
                    break;
                }
                let whole = claims(&crate::coverage::scope(known, its_release));
                match (whole, its_release.is_empty() || its_release == release) {
                    (true, true) => return Ok(Coverage::Covered),
                    (false, true) => records += count,
                    (_, false) => other_release = true,
                }
            }
        }
        if self.is_covered_in_parts(ecosystem, release) {
            return Ok(Coverage::Covered);
        }
        Ok(match (records, other_release) {
            (1.., _) => Coverage::PartlyCovered { records: u32::try_from(records).unwrap_or(u32::MAX) },
            (0, true) => Coverage::ReleaseNotCovered,
            (0, false) => Coverage::EcosystemNotCovered,
        })
    }
}

impl From<FeedError> for StoreError {
    fn from(error: FeedError) -> Self {
        Self(error.to_string())
    }
}

/// What a store holds about an ecosystem, for saying what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// The sources that speak of the release, with the number of their records about it.
    pub sources: Vec<(String, u64)>,
    /// Other releases of the ecosystem that some source claims as a whole.
    pub claimed: Vec<String>,
    /// Other releases that are spoken of without being claimed.
    pub mentioned: Vec<String>,
}

/// Ecosystems and releases of all sources, with the number of statements.
impl Snapshot {
    /// What there is about an ecosystem, seen from one of its releases (empty for an ecosystem without releases).
    #[must_use]
    pub fn holdings(&self, ecosystem: &Ecosystem, release: &str) -> Holdings {
        let mut holdings = Holdings::default();
        let first = (ecosystem.as_str().to_owned(), String::new());
        for source in &self.sources {
            let mut records = 0;
            for ((known, its_release), count) in source.segment.summary.scopes.range(first.clone()..) {
                if known != ecosystem.as_str() {
                    break;
                }
                if its_release.is_empty() || its_release == release {
                    records += count;
                } else if source.covers.contains(&crate::coverage::scope(known, its_release))
                    || self.is_covered_in_parts(ecosystem, its_release)
                {
                    holdings.claimed.push(its_release.clone());
                } else {
                    holdings.mentioned.push(its_release.clone());
                }
            }
            if records > 0 {
                holdings.sources.push((source.name.clone(), records));
            }
        }
        for list in [&mut holdings.claimed, &mut holdings.mentioned] {
            list.sort();
            list.dedup();
        }
        let claimed = &holdings.claimed;
        holdings.mentioned.retain(|release| !claimed.contains(release));
        holdings
    }

    /// Whether several sources together hold every repository of a release of Alpine.
    fn is_covered_in_parts(&self, ecosystem: &Ecosystem, release: &str) -> bool {
        let is_held = |repository: &&str| {
            let part = crate::coverage::part(ecosystem.as_str(), release, repository);
            self.sources.iter().any(|source| source.covers.contains(&part))
        };
        *ecosystem == Ecosystem::Alpine && crate::coverage::ALPINE_REPOSITORIES.iter().all(is_held)
    }

    /// What the store speaks about.
    #[must_use]
    pub fn scopes(&self) -> BTreeMap<(String, String), u64> {
        let mut all = BTreeMap::new();
        for source in &self.sources {
            for (scope, count) in &source.segment.summary.scopes {
                *all.entry(scope.clone()).or_default() += count;
            }
        }
        all
    }
}
