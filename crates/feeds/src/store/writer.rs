//! Writing to the store: one process at a time, one source at a time, all or nothing.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use bartizan_matching::model::Text;
use chrono::{DateTime, NaiveDate, Utc};

use super::draft::Draft;
use super::manifest::{self, Failure, HttpState, Manifest, SourceEntry};
use super::segment::{Kind, SameId, Segment, Summary};
use crate::coverage::{claimed, in_parts, scope};
use crate::error::{FeedError, Result};
use crate::formats::Format;
use crate::record::Record;

/// Ids of changed records that are listed at most; beyond it everything counts as changed.
const MAX_LISTED: usize = 200_000;

/// Sources of a store: a reader holds a file open for each of them.
const MAX_SOURCES: usize = 700;

/// Whether a source may lose more than half of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrinking {
    /// No: such an import is a failure and the old data stays. Nor may it fall back to an earlier day.
    Refused,
    /// Yes: somebody looked at it and wants it.
    Accepted,
}

/// What is to be remembered with a source.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The format it was read from.
    pub format: String,
    /// Names of files, or the address.
    pub origin: Vec<String>,
    /// Records that were left out.
    pub rejected: u64,
    /// Validators of the response it came in.
    pub http: Option<HttpState>,
    /// Whether whoever imports it calls it complete for the ecosystems it speaks of ([`crate::coverage`]).
    pub complete: bool,
    /// Whether a file of it may have been cut between two lines ([`crate::formats::Stats::unterminated`]).
    pub unterminated: bool,
    /// Repositories that its documents are of ([`crate::formats::Stats::parts`]).
    pub parts: BTreeSet<String>,
    /// The day that the data is of ([`crate::formats::Stats::day`]).
    pub day: Option<NaiveDate>,
}

/// What an import changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Records that were not there.
    pub added: u64,
    /// Records that are different.
    pub changed: u64,
    /// Records that are gone.
    pub removed: u64,
    /// Ids of all of these in ascending order; none if there are too many to list or all are new.
    pub ids: Option<Vec<Text>>,
}

/// The store, open for writing.
#[derive(Debug)]
pub struct StoreWriter {
    folder: PathBuf,
    manifest: Manifest,
    memory: usize,
    _lock: File,
}

impl StoreWriter {
    /// Opens, or creates, the store in `folder`. Sorting uses about `memory` bytes.
    ///
    /// # Errors
    /// [`FeedError::Busy`] if another process writes to it.
    pub fn open(folder: &Path, memory: usize) -> Result<Self> {
        fs::create_dir_all(manifest::segments(folder)).map_err(|error| FeedError::io("creating", folder, error))?;
        let path = folder.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| FeedError::io("opening", &path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FeedError::Busy),
            Err(TryLockError::Error(error)) => return Err(FeedError::io("locking", &path, error)),
        }
        let writer = Self { folder: folder.to_owned(), manifest: Manifest::read(folder)?, memory, _lock: lock };
        writer.remove_left_overs()?;
        Ok(writer)
    }

    /// What is in the store.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A new, empty state of a source.
    #[must_use]
    pub fn draft(&self, same_id: SameId) -> Draft {
        Draft::new(&manifest::segments(&self.folder), self.memory, same_id)
    }

    /// A new state of a source that begins with what it holds now, without the records of these ids.
    ///
    /// # Errors
    /// If the present state cannot be read.
    pub fn draft_from(&self, source: &str, same_id: SameId, without: &BTreeSet<Text>) -> Result<Draft> {
        let mut draft = self.draft(same_id);
        if let Some(segment) = self.segment(source)? {
            draft.hold(true);
            segment.each_record(|record| {
                let gone = match &record {
                    Record::Advisory(advisory) => without.contains(&advisory.head.id),
                    Record::Signals { id, .. } => without.contains(id),
                    Record::Lifecycle(lifecycle) => without.contains(lifecycle.product.as_str()),
                    Record::Names(listed) => without.contains(&listed.criterion),
                };
                if gone { Ok(()) } else { draft.add(&record) }
            })?;
            draft.hold(false);
        }
        Ok(draft)
    }

    /// Takes the records of these ids over from what the source holds now: the input has them, and they cannot be read.
    ///
    /// # Errors
    /// If the present state cannot be read.
    pub fn keep(&self, source: &str, draft: &mut Draft, ids: &BTreeSet<Text>) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let Some(segment) = self.segment(source)? else { return Ok(()) };
        segment.each_record(|record| match &record {
            Record::Advisory(advisory) if ids.contains(&advisory.head.id) => draft.add(&record),
            Record::Signals { id, .. } if ids.contains(id) => draft.add(&record),
            _ => Ok(()),
        })
    }

    fn segment(&self, source: &str) -> Result<Option<Segment>> {
        let name = self.manifest.sources.get(source).and_then(|entry| entry.segment.as_ref());
        name.map(|name| Segment::open(&manifest::segment_path(&self.folder, name))).transpose()
    }

    /// Makes a draft the state of a source.
    ///
    /// # Errors
    /// [`FeedError::Implausible`] if it is empty or has fewer than half as many entries as before; the old state then
    /// stays, as it does on every other error.
    pub fn replace(
        &mut self,
        source: &str,
        draft: Draft,
        provenance: Provenance,
        shrinking: Shrinking,
        now: DateTime<Utc>,
    ) -> Result<(Summary, Changes)> {
        check_name(source)?;
        if !self.manifest.sources.contains_key(source) && self.manifest.sources.len() >= MAX_SOURCES {
            return Err(FeedError::Limit { what: "the number of sources in the store", limit: MAX_SOURCES as u64 });
        }
        let folder = manifest::segments(&self.folder);
        let temporary = tempfile::Builder::new()
            .prefix(".draft")
            .tempdir_in(&folder)
            .map_err(|error| FeedError::io("creating a folder in", &folder, error))?;
        let path = temporary.path().join("segment");
        let (summary, hash) = draft.finish(&path)?;
        let format = Format::ALL.iter().find(|format| format.slug() == provenance.format).copied();
        plausible(source, self.manifest.sources.get(source), &summary, format, &provenance, shrinking)?;
        let new = Segment::open(&path)?;
        let old = match self.segment(source) {
            Ok(old) => old,
            // A damaged old state must not keep a good new one out.
            Err(FeedError::Store(_) | FeedError::Io { .. }) => None,
            Err(error) => return Err(error),
        };
        if shrinking == Shrinking::Refused
            && let Some(old) = &old
        {
            same_ecosystems(source, &old.summary, &summary)?;
            whole_records(source, &old.summary, &summary, &provenance)?;
        }
        let changes = match &old {
            None => Changes { added: summary.entries(), ..Changes::default() },
            Some(old) => changes(old, &new)?,
        };
        let bytes = fs::metadata(&path).map_err(|error| FeedError::io("reading", &path, error))?.len();
        let name = format!("{source}-{hash}");
        let place = manifest::segment_path(&self.folder, &name);
        fs::rename(&path, &place).map_err(|error| FeedError::io("writing", &place, error))?;
        manifest::sync_folder(&folder)?;
        let covers = format.map(|format| claimed(format, &summary, provenance.complete)).unwrap_or_default();
        let covers = in_parts(covers, &provenance.parts);
        let entry = SourceEntry {
            segment: Some(name),
            bytes,
            format: provenance.format,
            advisories: summary.advisories,
            withdrawn: summary.withdrawn,
            signals: summary.signals,
            lifecycles: summary.lifecycles,
            names: summary.names,
            rejected: provenance.rejected,
            imported_at: Some(now),
            day: provenance.day,
            covers,
            origin: provenance.origin,
            http: provenance.http,
            failure: None,
            checked_at: Some(now),
        };
        let mut manifest = self.manifest.clone();
        manifest.sources.insert(source.to_owned(), entry);
        manifest.write(&self.folder)?;
        self.manifest = manifest;
        self.remove_left_overs()?;
        Ok((summary, changes))
    }

    /// Remembers that an attempt changed nothing, and why.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn failed(&mut self, source: &str, reason: &str, now: DateTime<Utc>) -> Result<()> {
        check_name(source)?;
        let mut manifest = self.manifest.clone();
        let entry = manifest.sources.entry(source.to_owned()).or_default();
        entry.failure = Some(Failure { at: now, reason: reason.to_owned() });
        entry.checked_at = Some(now);
        manifest.write(&self.folder)?;
        self.manifest = manifest;
        Ok(())
    }

    /// Remembers that a source was asked for and has not changed.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn unchanged(&mut self, source: &str, now: DateTime<Utc>) -> Result<()> {
        let mut manifest = self.manifest.clone();
        if let Some(entry) = manifest.sources.get_mut(source) {
            entry.checked_at = Some(now);
            entry.failure = None;
            manifest.write(&self.folder)?;
            self.manifest = manifest;
        }
        Ok(())
    }

    /// Removes a source. Says whether there was one.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn remove(&mut self, source: &str) -> Result<bool> {
        let mut manifest = self.manifest.clone();
        if manifest.sources.remove(source).is_none() {
            return Ok(false);
        }
        manifest.write(&self.folder)?;
        self.manifest = manifest;
        self.remove_left_overs()?;
        Ok(true)
    }

    /// Removes what no source needs: replaced segments, and what a killed process left.
    fn remove_left_overs(&self) -> Result<()> {
        let wanted: BTreeSet<&str> =
            self.manifest.sources.values().filter_map(|source| source.segment.as_deref()).collect();
        let folder = manifest::segments(&self.folder);
        let failed = |error: std::io::Error| FeedError::io("tidying", &folder, error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| wanted.contains(name)) {
                continue;
            }
            let path = entry.path();
            let gone = if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            gone.map_err(|error| FeedError::io("removing", &path, error))?;
        }
        Ok(())
    }
}

/// A source's name becomes part of a file name.
pub(crate) fn check_name(source: &str) -> Result<()> {
    let fits = !source.is_empty()
        && source.len() <= 120
        && !source.starts_with(['.', '-'])
        && source.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
    if fits {
        Ok(())
    } else {
        Err(FeedError::Implausible(format!(
            "`{}` is no name for a source: letters, digits, dots, dashes, at most 120",
            source.escape_debug()
        )))
    }
}

/// A source does not turn into another: two files of one name are two sources, also where they are of two releases of one
/// distribution.
fn same_ecosystems(source: &str, old: &Summary, new: &Summary) -> Result<()> {
    let names = |summary: &Summary| -> BTreeSet<String> {
        summary.scopes.keys().map(|(ecosystem, release)| scope(ecosystem, release)).collect()
    };
    let (before, after) = (names(old), names(new));
    if before.is_empty() || after.is_empty() || !before.is_disjoint(&after) {
        return Ok(());
    }
    let some = |names: BTreeSet<String>| names.into_iter().take(3).collect::<Vec<_>>().join(", ");
    Err(FeedError::Implausible(format!(
        "{source} speaks of {} where it spoke of {}: the old data stays; name the new source otherwise",
        some(after),
        some(before)
    )))
}

/// A text that was cut within its only record says less about as many records.
fn whole_records(source: &str, old: &Summary, new: &Summary, provenance: &Provenance) -> Result<()> {
    let count = |summary: &Summary| summary.scopes.values().sum::<u64>();
    let (before, after) = (count(old), count(new));
    if !provenance.unterminated || after >= before {
        return Ok(());
    }
    Err(FeedError::Implausible(format!(
        "{source} is cut short: its last line has no end, and it speaks of {after} packages and releases where it spoke of \
         {before}, so the old data stays"
    )))
}

/// Formats whose documents are the whole state of the world: what is gone from one day to the next is hardly anything.
const fn is_whole_state(format: Format) -> bool {
    matches!(format, Format::Epss | Format::KevJson | Format::KevCsv)
}

fn plausible(
    source: &str,
    old: Option<&SourceEntry>,
    new: &Summary,
    format: Option<Format>,
    provenance: &Provenance,
    shrinking: Shrinking,
) -> Result<()> {
    let before = old.filter(|old| old.segment.is_some()).map_or(0, SourceEntry::entries);
    if new.entries() == 0 {
        return Err(FeedError::Implausible(format!("{source} yields no record")));
    }
    if shrinking == Shrinking::Refused && new.entries().saturating_mul(2) < before {
        return Err(FeedError::Implausible(format!(
            "{source} yields {} records where it had {before}: fewer than half, so the old data stays",
            new.entries()
        )));
    }
    if shrinking == Shrinking::Refused
        && let (Some(day), Some(held)) = (provenance.day, old.and_then(|old| old.day))
        && day < held
    {
        return Err(FeedError::Implausible(format!(
            "{source} is of {day}, and the store has that of {held}: the newer data stays; --accept-shrinking takes the older"
        )));
    }
    if shrinking == Shrinking::Refused && provenance.unterminated && new.entries() < before {
        return Err(FeedError::Implausible(format!(
            "{source} is cut short: its last line has no end, and it yields {} entries where it had {before}, so the old data stays",
            new.entries()
        )));
    }
    let whole_state = format.is_some_and(is_whole_state);
    if shrinking == Shrinking::Refused && whole_state && new.entries().saturating_mul(20) < before.saturating_mul(19) {
        return Err(FeedError::Implausible(format!(
            "{source} yields {} entries where it had {before}: more than one in twenty is gone, so the old data stays",
            new.entries()
        )));
    }
    Ok(())
}

/// Compares two states of a source in one pass over both.
fn changes(old: &Segment, new: &Segment) -> Result<Changes> {
    let mut changes = Changes { ids: Some(Vec::new()), ..Changes::default() };
    let kinds = [(Kind::Records, true), (Kind::Signals, false), (Kind::Lifecycles, false), (Kind::Names, false)];
    for (kind, texts) in kinds {
        let mut old_entries = super::segment::Walk::new(old, kind, texts)?;
        let mut new_entries = super::segment::Walk::new(new, kind, texts)?;
        loop {
            let order = match (&old_entries.current, &new_entries.current) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((old_key, _)), Some((new_key, _))) => old_key.cmp(new_key),
            };
            let mut list = |entry: &Option<(Vec<u8>, Vec<u8>)>| {
                if let (Some(ids), Some((key, _))) = (&mut changes.ids, entry) {
                    // The key of a record is its id and its publisher.
                    let id = key.split(|byte| *byte == 0).next().unwrap_or_default();
                    ids.push(String::from_utf8_lossy(id).as_ref().into());
                    if ids.len() > MAX_LISTED {
                        changes.ids = None;
                    }
                }
            };
            match order {
                std::cmp::Ordering::Less => {
                    list(&old_entries.current);
                    changes.removed += 1;
                    old_entries.advance()?;
                }
                std::cmp::Ordering::Greater => {
                    list(&new_entries.current);
                    changes.added += 1;
                    new_entries.advance()?;
                }
                std::cmp::Ordering::Equal => {
                    if old_entries.current != new_entries.current {
                        list(&new_entries.current);
                        changes.changed += 1;
                    }
                    old_entries.advance()?;
                    new_entries.advance()?;
                }
            }
        }
    }
    if old.summary.names + new.summary.names > 0 && changes.added + changes.changed + changes.removed > 0 {
        // Which records use the criteria is not told by their ids.
        changes.ids = None;
    }
    if let Some(ids) = &mut changes.ids {
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(changes)
}
