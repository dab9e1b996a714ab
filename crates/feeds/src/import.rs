//! From files to the store.
//!
//! [`import`] takes files and folders, recognises every document in them by its content, and replaces the sources they
//! belong to. A source is replaced as a whole or not at all: if one of its documents is damaged, cut short or exceeds a
//! bound, or if the whole is not plausible, its old state stays, the reason is remembered in the store and reported.
//!
//! Which source a document belongs to: [`Format::files`] says whether it is a whole source, a source named after its file,
//! or one record of a source named after its archive or the folder that the caller named; [`Options::source`] overrides it.
//! A repository of Alpine is named by its release and its own name, whatever the file is called.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::error::{FeedError, Result};
use crate::formats::{Files, Format, Output, PEEK, Stats, parse, recognise, refused};
use crate::input::{self, damaged, fill};
use crate::limits::Limits;
use crate::store::draft::Draft;
use crate::store::manifest::{HttpState, SourceEntry};
use crate::store::segment::{SameId, Summary};
use crate::store::writer::{Changes, Provenance, Shrinking, StoreWriter, check_name};

mod naming;

/// Deepest nesting of folders that is walked.
const MAX_FOLDERS: usize = 32;
/// Files of one import at most.
const MAX_FILES: usize = 2_000_000;
/// Sources that one import may make; more are not what anybody wants, and a reader opens a file for each.
const MAX_SOURCES: usize = 400;
/// Of so many records one may be left out; if more are, the source is held to be broken.
const TOLERATED: u64 = 20;
/// So many may be left out of a source that nothing is held of yet.
const TOLERATED_AT_FIRST: u64 = 20;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bounds on the input.
    pub limits: Limits,
    /// The source that everything belongs to, instead of what content and name say.
    pub source: Option<String>,
    /// What becomes of the records that the source has already.
    pub mode: Mode,
    /// Whether a source may shrink below half.
    pub shrinking: Shrinking,
    /// Memory for sorting, in bytes, all sources together.
    pub memory: usize,
    /// Validators of the response the input came in.
    pub http: Option<HttpState>,
    /// What to remember as origin instead of names of files.
    pub origin: Option<String>,
    /// Whether the input is complete for the ecosystems it speaks of, whatever its size ([`crate::coverage`]).
    pub complete: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            source: None,
            mode: Mode::Replace,
            shrinking: Shrinking::Refused,
            memory: 96 << 20,
            http: None,
            origin: None,
            complete: false,
        }
    }
}

/// What becomes of the records that a source has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They go: the input is the whole source.
    Replace,
    /// They stay unless the input has the same id: the input is what changed.
    Update,
}

/// What is happening.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'p> {
    /// A file is read, the so-manieth of so many.
    File {
        /// The file.
        path: &'p Path,
        /// Its number from one.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// So many records of the file were read.
    Records(u64),
    /// A source is written.
    Writing {
        /// The source.
        source: &'p str,
    },
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// The sources in order of their names.
    pub sources: Vec<SourceReport>,
    /// Files named by the caller that hold nothing known, or cannot be read, and why.
    pub failed_files: Vec<(PathBuf, String)>,
    /// Documents in archives and folders that are no known format.
    pub skipped: u64,
}

impl Report {
    /// Whether everything that was asked for was done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed_files.is_empty() && self.sources.iter().all(|source| source.outcome.is_ok())
    }
}

/// What came of one source.
#[derive(Debug)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// The format it was read from; of several, the last.
    pub format: Format,
    /// What was read.
    pub stats: Stats,
    /// What is odd about it although it was taken.
    pub warning: Option<String>,
    /// What the store holds now and what changed, or why the old state stays.
    pub outcome: std::result::Result<(Summary, Changes), String>,
}

/// A source that is being gathered.
struct Pending {
    draft: Draft,
    format: Format,
    stats: Stats,
    origin: Vec<String>,
    failure: Option<String>,
    documents: u64,
    /// What another document of the same whole source gave before; the newer of both is kept.
    before: Option<Box<Pending>>,
    /// The day of an edition that was left out for a newer one.
    left_out: Option<NaiveDate>,
}

impl Pending {
    fn new(draft: Draft, format: Format) -> Self {
        let (stats, origin) = (Stats::default(), Vec::new());
        Self { draft, format, stats, origin, failure: None, documents: 0, before: None, left_out: None }
    }

    /// Whether its only document may have been cut short. One of many texts that has no end to its last line was written so.
    fn is_cut(&self) -> bool {
        let loose = matches!(
            self.format,
            Format::UbuntuTracker | Format::Ruby | Format::OsvYaml | Format::EolPage | Format::SecdbYaml
        );
        self.stats.unterminated && (self.documents == 1 || !loose)
    }

    /// Goes back to the edition that was read before if that is the newer one.
    fn prefer_newest(&mut self) {
        let Some(before) = self.before.take() else { return };
        let older = match (self.stats.day, before.stats.day) {
            (Some(day), Some(newest)) if day < newest && before.failure.is_none() => Some(day),
            (_, day) => {
                self.left_out = self.left_out.max(day.filter(|day| Some(*day) < self.stats.day)).max(before.left_out);
                None
            }
        };
        if let Some(day) = older {
            let left_out = before.left_out.max(Some(day));
            let documents = self.documents;
            *self = *before;
            (self.left_out, self.documents) = (left_out, documents);
        }
    }
}

/// Imports files and folders.
///
/// # Errors
/// If the store cannot be written. What is wrong with an input is in the report.
pub fn import(
    writer: &mut StoreWriter,
    paths: &[PathBuf],
    options: &Options,
    now: DateTime<Utc>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report> {
    if let Some(source) = &options.source {
        check_name(source)?;
    }
    let mut report = Report::default();
    let files = list(paths, &mut report);
    let mut pending: BTreeMap<String, Pending> = BTreeMap::new();
    let mut unread: BTreeMap<String, (Format, String)> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        progress(Progress::File { path: &file.path, number: index + 1, of: files.len() });
        let mut gather = Gather {
            writer,
            options,
            file,
            pending: &mut pending,
            progress,
            known: 0,
            unknown: 0,
            refused: None,
            touched: Vec::new(),
            told: None,
        };
        let outcome = input::visit(&file.path, &options.limits, &mut |member| gather.member(member));
        let Gather { known, unknown, refused, touched, .. } = gather;
        report.skipped += if known > 0 || file.folder.is_some() { unknown } else { 0 };
        match outcome {
            // Trouble with our own files ends the import, whatever it was reading.
            Err(error @ (FeedError::Store(_) | FeedError::Busy)) => return Err(error),
            Err(error) => {
                let reason = format!("{}: {error}", file.path.display());
                for source in &touched {
                    if let Some(source) = pending.get_mut(source) {
                        source.failure.get_or_insert_with(|| reason.clone());
                    }
                }
                if touched.is_empty() {
                    unreadable(&mut unread, file, options, writer, &error.to_string(), &mut report);
                }
            }
            Ok(()) if known == 0 && file.folder.is_none() => {
                let why = refused.map_or_else(|| FeedError::Unrecognised.to_string(), |name| format!("it is {name}"));
                unreadable(&mut unread, file, options, writer, &why, &mut report);
            }
            Ok(()) => {}
        }
    }
    for (name, (format, reason)) in unread.into_iter().filter(|(name, _)| !pending.contains_key(name)) {
        writer.failed(&name, &reason, now)?;
        let stats = Stats::default();
        report.sources.push(SourceReport { name, format, stats, warning: None, outcome: Err(reason) });
    }
    for (name, source) in pending {
        progress(Progress::Writing { source: &name });
        let unterminated = source.is_cut();
        let Pending { mut draft, format, stats, origin, failure, left_out, .. } = source;
        let held = writer.manifest().sources.get(&name).filter(|held| held.segment.is_some());
        let before = held.map_or(0, SourceEntry::entries);
        let outcome = match failure.or_else(|| too_many_rejected(&name, &stats, held)) {
            Some(reason) => Err(reason),
            None => {
                if options.mode == Mode::Replace && format.same_id() != SameId::Union {
                    writer.keep(&name, &mut draft, &stats.rejected_ids)?;
                }
                let provenance = Provenance {
                    format: format.slug().to_owned(),
                    origin: options.origin.clone().map_or(origin, |origin| vec![origin]),
                    rejected: stats.rejected,
                    http: options.http.clone(),
                    complete: options.complete,
                    unterminated,
                    parts: stats.parts.clone(),
                    day: stats.day,
                };
                match writer.replace(&name, draft, provenance, options.shrinking, now) {
                    Ok(done) => Ok(done),
                    Err(FeedError::Implausible(reason)) => Err(reason),
                    Err(error @ FeedError::Limit { .. }) => Err(error.to_string()),
                    Err(error) => return Err(error),
                }
            }
        };
        if let Err(reason) = &outcome {
            writer.failed(&name, reason, now)?;
        }
        let after = outcome.as_ref().map_or(before, |(summary, _)| summary.entries());
        let warning = if after.saturating_mul(10) < before.saturating_mul(9) {
            Some(format!("{name} has {after} records where it had {before}"))
        } else if outcome.is_ok() && unterminated {
            Some(format!("the last line of {name} has no end: its file may have been cut there"))
        } else {
            left_out
                .map(|day| format!("{name} was given in several editions: that of {day} was left out for a newer one"))
        };
        report.sources.push(SourceReport { name, format, stats, warning, outcome });
    }
    report.sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(report)
}

/// A file of which nothing could be recognised. The sources that were last imported from a file of its name, or the one
/// that the caller named, keep what they have and remember why; otherwise it is only reported.
fn unreadable(
    unread: &mut BTreeMap<String, (Format, String)>,
    file: &File,
    options: &Options,
    writer: &StoreWriter,
    reason: &str,
    report: &mut Report,
) {
    let label = member_label(file);
    let concerned = writer.manifest().sources.iter().filter(|(name, entry)| match &options.source {
        Some(source) => source == *name,
        None => entry.origin.contains(&label),
    });
    let before = unread.len();
    for (name, entry) in concerned {
        if let Some(format) = Format::ALL.iter().find(|format| format.slug() == entry.format) {
            unread.insert(name.clone(), (*format, format!("{}: {reason}", file.path.display())));
        }
    }
    if unread.len() == before {
        report.failed_files.push((file.path.clone(), reason.to_owned()));
    }
}

/// Whether more of a source cannot be read than the odd record. Where data is held that would be lost, no more may be
/// than already could not be read of that; where nothing is held, a few good records are better than none.
fn too_many_rejected(name: &str, stats: &Stats, held: Option<&SourceEntry>) -> Option<String> {
    let tolerated = held.map_or(TOLERATED_AT_FIRST, |held| held.rejected);
    (stats.rejected > tolerated && stats.rejected.saturating_mul(TOLERATED) > stats.records).then(|| {
        format!(
            "{} of {} records of {name} cannot be read, so {}; the first: {}",
            stats.rejected,
            stats.records,
            if held.is_some() { "the old data stays" } else { "nothing of it is taken" },
            stats.reasons.first().map_or("", String::as_str)
        )
    })
}

/// A file to read, and what the folder that the caller gave is called, if it was found in one.
struct File {
    path: PathBuf,
    folder: Option<Arc<str>>,
}

/// The files in order; folders are walked by name, links are not followed.
fn list(paths: &[PathBuf], report: &mut Report) -> Vec<File> {
    fn walk(path: &Path, folder: &Arc<str>, depth: usize, files: &mut Vec<File>, report: &mut Report) {
        if depth > MAX_FOLDERS || files.len() >= MAX_FILES {
            report.failed_files.push((path.to_owned(), "too many files, or folders nested too deep".to_owned()));
            return;
        }
        let mut entries: Vec<PathBuf> = match fs::read_dir(path) {
            Ok(entries) => entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect(),
            Err(error) => {
                report.failed_files.push((path.to_owned(), error.to_string()));
                return;
            }
        };
        entries.sort();
        for entry in entries {
            match fs::symlink_metadata(&entry) {
                Ok(metadata) if metadata.is_dir() => walk(&entry, folder, depth + 1, files, report),
                Ok(metadata) if metadata.is_file() => {
                    files.push(File { path: entry, folder: Some(Arc::clone(folder)) });
                }
                Ok(_) => {}
                Err(error) => report.failed_files.push((entry, error.to_string())),
            }
        }
    }
    let mut files = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk(path, &naming::given_name(path).into(), 0, &mut files, report),
            Ok(_) => files.push(File { path: path.clone(), folder: None }),
            Err(error) => report.failed_files.push((path.clone(), error.to_string())),
        }
    }
    files
}

/// Reads the documents of one file into the sources they belong to.
struct Gather<'g> {
    writer: &'g StoreWriter,
    options: &'g Options,
    file: &'g File,
    pending: &'g mut BTreeMap<String, Pending>,
    progress: &'g mut dyn FnMut(Progress<'_>),
    known: u64,
    unknown: u64,
    /// What the first document is that is known by name and not read.
    refused: Option<&'static str>,
    touched: Vec<String>,
    /// What a file whose name says nothing is called by: the ecosystem that its first record names, or its folder.
    told: Option<String>,
}

impl Gather<'_> {
    fn member(&mut self, member: input::Member<'_>) -> Result<()> {
        let mut head = vec![0; PEEK];
        let read = fill(member.reader, &mut head).map_err(|error| damaged("plain", &error))?;
        head.truncate(read);
        let Some(format) = recognise(&head) else {
            self.unknown += 1;
            self.refused = self.refused.or_else(|| refused(&head));
            return Ok(());
        };
        self.known += 1;
        let source = match &self.options.source {
            Some(source) => source.clone(),
            None => naming::source(format, self.file, member.archived, &head, &mut self.told),
        };
        self.start(&source, format)?;
        if !self.touched.contains(&source) {
            self.touched.push(source.clone());
        }
        let Some(pending) = self.pending.get_mut(&source) else {
            unreachable!("the source was started in the statement before");
        };
        let draft = &mut pending.draft;
        let progress = &mut *self.progress;
        let mut added = 0_u64;
        let mut sink = |record| {
            added += 1;
            if added.is_multiple_of(5000) {
                progress(Progress::Records(added));
            }
            draft.add(&record)
        };
        let mut output = Output::new(&mut sink, &self.options.limits);
        let mut whole = Cursor::new(head).chain(member.reader);
        let outcome = parse(format, member.name, &mut whole, &self.options.limits, &mut output);
        let stats = std::mem::take(&mut output.stats);
        pending.stats.add(stats);
        if outcome.is_err()
            && let Some(before) = pending.before.take()
        {
            // The damaged edition is a failure of the source, which keeps what was read before it no longer than this run.
            *pending = *before;
        }
        // The parser may have stopped before the end of the document, but a damaged tail must be seen.
        outcome.map_err(|error| in_member(error, &member_name(&member_label(self.file), member.name)))?;
        pending.prefer_newest();
        self.keep_within_memory()
    }

    /// Begins a source, or begins it anew where a document is the whole of it.
    fn start(&mut self, source: &str, format: Format) -> Result<()> {
        let name = self.file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if let Some(pending) = self.pending.get_mut(source) {
            pending.documents += 1;
            pending.format = format;
            let again = format.files() == Files::Whole && self.options.mode == Mode::Replace;
            if again {
                let draft = self.writer.draft(format.same_id());
                // A damaged edition is not forgotten for a good one behind it: which of both is meant is not known.
                let failure = pending.failure.clone();
                let next = Pending { documents: pending.documents, failure, ..Pending::new(draft, format) };
                pending.before = Some(Box::new(std::mem::replace(pending, next)));
            }
            if pending.origin.last() != Some(&name) && pending.origin.len() < 100 {
                pending.origin.push(name);
            }
            return Ok(());
        }
        if self.pending.len() >= MAX_SOURCES {
            return Err(FeedError::Limit { what: "the number of sources of one import", limit: MAX_SOURCES as u64 });
        }
        let draft = match self.options.mode {
            Mode::Replace => self.writer.draft(format.same_id()),
            Mode::Update => self.writer.draft_from(source, format.same_id(), &std::collections::BTreeSet::new())?,
        };
        let pending = Pending { origin: vec![name], documents: 1, ..Pending::new(draft, format) };
        self.pending.insert(source.to_owned(), pending);
        Ok(())
    }

    /// Many small sources together must not take more memory than one large one.
    fn keep_within_memory(&mut self) -> Result<()> {
        let total: usize = self.pending.values().map(|pending| pending.draft.buffered()).sum();
        if total > self.options.memory
            && let Some(largest) = self.pending.values_mut().max_by_key(|pending| pending.draft.buffered())
        {
            largest.draft.spill()?;
        }
        Ok(())
    }
}

fn member_label(file: &File) -> String {
    file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn member_name(file: &str, member: &str) -> String {
    if file == member { String::new() } else { member.chars().take(200).collect() }
}

/// Names the archive member in the error, where it is one.
fn in_member(error: FeedError, member: &str) -> FeedError {
    match error {
        FeedError::Syntax { at, rule } if !member.is_empty() => {
            FeedError::Syntax { at, rule: format!("in `{}`: {rule}", member.escape_debug()) }
        }
        other => other,
    }
}
