//! `bartizan feeds`: the local store of vulnerability data.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_domain::Clock as _;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_feeds::fetch::{Fetched, Way, fetch};
use bartizan_feeds::import::{Mode, Options, Progress, Report, SourceReport, import};
use bartizan_feeds::sources::{self, Source};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::manifest::{Manifest, SourceEntry};
use bartizan_feeds::store::writer::{Shrinking, StoreWriter};
use bartizan_outbound::http::Trust;
use bartizan_outbound::{Outbound, Policy, Settings};
use chrono::{DateTime, Datelike as _, SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::profiles::{plain_table, trimmed};
use crate::args::{FeedsCommand, FetchArgs, ImportArgs, ListFormat};
use crate::exit::Exit;

use crate::io::{self, read_text};
use crate::terminal::SystemClock;

/// Bytes for sorting while a source is imported.
const MEMORY: usize = 96 << 20;
/// Largest list of sources of one's own.
const MAX_LIST: u64 = 1 << 20;

/// Runs the command.
pub fn run(command: &FeedsCommand) -> Result<Exit> {
    match command {
        FeedsCommand::Import(args) => import_files(args),
        FeedsCommand::Fetch(args) => fetch_sources(args),
        FeedsCommand::List { store, list } => list_sources(&store.store, list.format),
        FeedsCommand::Status { store, list, max_age } => status(&store.store, list.format, *max_age),
        FeedsCommand::Sources { list, sources } => known_sources(list.format, sources.as_deref()),
        FeedsCommand::Remove { sources, store } => remove(sources, &store.store),
    }
}

fn shrinking(accepted: bool) -> Shrinking {
    if accepted { Shrinking::Accepted } else { Shrinking::Refused }
}

fn import_files(args: &ImportArgs) -> Result<Exit> {
    let mut writer = open(&args.store.store)?;
    let options = Options {
        source: args.source.clone(),
        mode: if args.update { Mode::Update } else { Mode::Replace },
        shrinking: shrinking(args.accept_shrinking),
        complete: args.complete,
        memory: MEMORY,
        ..Options::default()
    };
    let bar = Bar::new(args.quiet);
    let report = import(&mut writer, &args.paths, &options, SystemClock.now(), &mut |step| bar.show(step))
        .with_context(|| format!("importing into {}", args.store.store.display()))?;
    bar.end();
    if report.sources.is_empty() && report.failed_files.is_empty() {
        io::complain("nothing there is a known format");
        return Ok(Exit::Nothing);
    }
    if !report.sources.is_empty() {
        io::print(&summary(&report))?;
    }
    for (path, reason) in &report.failed_files {
        io::complain(&format!("{}: {reason}", path.display()));
    }
    Ok(if report.is_complete() { Exit::Done } else { Exit::Incomplete })
}

fn open(folder: &Path) -> Result<StoreWriter> {
    StoreWriter::open(folder, MEMORY).with_context(|| format!("opening the store {}", folder.display()))
}

/// A line a source, then what was left out and why.
fn summary(report: &Report) -> String {
    let mut table = plain_table(["SOURCE", "FORMAT", "RECORDS", "NEW", "CHANGED", "GONE", "LEFT OUT", "OUTCOME"]);
    for source in &report.sources {
        let [entries, added, changed, removed] = match &source.outcome {
            Ok((summary, changes)) => {
                [summary.entries(), changes.added, changes.changed, changes.removed].map(|number| number.to_string())
            }
            Err(_) => [source.stats.records.to_string(), "-".into(), "-".into(), "-".into()],
        };
        table.add_row([
            source.name.clone(),
            source.format.to_string(),
            entries,
            added,
            changed,
            removed,
            source.stats.rejected.to_string(),
            if source.outcome.is_ok() { "imported".to_owned() } else { "kept as it was".to_owned() },
        ]);
    }
    let mut text = trimmed(&table);
    for source in &report.sources {
        if let Err(reason) = &source.outcome {
            text.push_str(&format!("\n{}: {reason}\n", source.name));
        }
        if let Some(warning) = &source.warning {
            text.push_str(&format!("\nlook at this: {warning}\n"));
        }
        for reason in &source.stats.reasons {
            text.push_str(&format!("{}: left out: {reason}\n", source.name));
        }
    }
    if report.skipped > 0 {
        text.push_str(&format!("\n{} documents are no known format and were passed over\n", report.skipped));
    }
    text
}

/// Progress: a spinner on a terminal, nothing elsewhere.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    fn show(&self, step: Progress<'_>) {
        let Some(bar) = &self.0 else { return };
        match step {
            Progress::File { path, number, of } => {
                bar.set_prefix(format!("{number}/{of}"));
                bar.set_message(path.display().to_string());
            }
            Progress::Records(_) => {}
            Progress::Writing { source } => bar.set_message(format!("writing {source}")),
        }
        bar.tick();
    }

    fn download(&self, source: &str, bytes: u64, length: Option<u64>) {
        let Some(bar) = &self.0 else { return };
        let mib = |bytes: u64| bytes / (1 << 20);
        bar.set_prefix(source.to_owned());
        bar.set_message(match length {
            Some(length) => format!("{} of {} MiB", mib(bytes), mib(length)),
            None => format!("{} MiB", mib(bytes)),
        });
        bar.tick();
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn known(path: Option<&Path>) -> Result<Vec<Source>> {
    let year = SystemClock.now().year();
    let Some(path) = path else { return Ok(sources::builtin(year)) };
    let text = read_text(path, "list of sources", MAX_LIST)?;
    sources::parse(&text, year).with_context(|| format!("reading {}", path.display()))
}

fn fetch_sources(args: &FetchArgs) -> Result<Exit> {
    let chosen = sources::choose(&known(args.sources.as_deref())?, &args.names)?;
    let mut writer = open(&args.store.store)?;
    let extra = args.ca_file.as_deref().map(super::scan::certificates).transpose()?.unwrap_or_default();
    let trust = Trust::public_roots_and(&extra);
    let outbound = Outbound::new(Settings {
        policy: Policy { allow_private: args.allow_private },
        connect_timeout: Duration::from_secs(15),
        ..Settings::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bar = Bar::new(args.quiet);
    let mut report = Report::default();
    let mut unchanged = Vec::new();
    let mut failures = Vec::new();
    for source in &chosen {
        let held = writer.manifest().sources.get(&source.slug).filter(|entry| entry.segment.is_some());
        let http = held.and_then(|entry| entry.http.clone());
        let way = Way {
            outbound: &outbound,
            resolve: &|name| Box::pin(resolve(name)),
            trust: trust.clone(),
            pause: &|time| Box::pin(tokio::time::sleep(time)),
        };
        let folder = args.store.store.clone();
        let mut progress = |bytes, length| bar.download(&source.slug, bytes, length);
        let fetched = runtime.block_on(fetch(source, http.as_ref(), &way, &folder, &mut progress));
        match fetched {
            Ok(Fetched::NotModified) => {
                writer.unchanged(&source.slug, SystemClock.now())?;
                unchanged.push(source.slug.clone());
            }
            Ok(Fetched::Body { file, http, .. }) => {
                let options = Options {
                    source: Some(source.slug.clone()),
                    shrinking: shrinking(args.accept_shrinking),
                    memory: MEMORY,
                    http: Some(http),
                    origin: Some(source.url.clone()),
                    ..Options::default()
                };
                let path: PathBuf = file.path().to_owned();
                let mut one = import(&mut writer, &[path], &options, SystemClock.now(), &mut |step| bar.show(step))?;
                for (_, reason) in one.failed_files.drain(..) {
                    writer.failed(&source.slug, &reason, SystemClock.now())?;
                    failures.push(format!("{}: {reason}", source.slug));
                }
                report.sources.append(&mut one.sources);
                report.skipped += one.skipped;
            }
            Err(error) => {
                writer.failed(&source.slug, &error.to_string(), SystemClock.now())?;
                failures.push(error.to_string());
            }
        }
    }
    bar.end();
    let mut text = if report.sources.is_empty() { String::new() } else { summary(&report) };
    if !unchanged.is_empty() {
        text.push_str(&format!("not changed since they were last fetched: {}\n", unchanged.join(", ")));
    }
    io::print(&text)?;
    for failure in &failures {
        io::complain(failure);
    }
    let complete = failures.is_empty() && report.sources.iter().all(|source: &SourceReport| source.outcome.is_ok());
    Ok(if complete { Exit::Done } else { Exit::Incomplete })
}

/// The system's resolver; `outbound` vets every address it gives.
async fn resolve(name: String) -> std::result::Result<Vec<std::net::IpAddr>, ProbeFailure> {
    match tokio::net::lookup_host((name.as_str(), 0)).await {
        Ok(found) => Ok(found.map(|address| address.ip()).collect()),
        Err(error) => Err(ProbeFailure::new(FailureKind::Resolution, format!("resolving {name}: {error}"))),
    }
}

fn day(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn as_json(name: &str, entry: &SourceEntry) -> Value {
    json!({
        "source": name, "format": entry.format, "advisories": entry.advisories, "withdrawn": entry.withdrawn,
        "signals": entry.signals, "lifecycles": entry.lifecycles, "cpe_names": entry.names, "left_out": entry.rejected, "bytes": entry.bytes,
        "imported_at": entry.imported_at, "checked_at": entry.checked_at, "origin": entry.origin,
        "failure": entry.failure.as_ref().map(|failure| json!({ "at": failure.at, "reason": failure.reason })),
    })
}

fn list_sources(folder: &Path, format: ListFormat) -> Result<Exit> {
    // Opening it proves that the segments are there and whole.
    let snapshot = Snapshot::open(folder).with_context(|| format!("opening the store {}", folder.display()))?;
    let manifest = snapshot.manifest();
    let text = match format {
        ListFormat::Json => {
            let sources: Vec<Value> = manifest.sources.iter().map(|(name, entry)| as_json(name, entry)).collect();
            let scopes: Vec<Value> = snapshot
                .scopes()
                .iter()
                .map(|((ecosystem, release), count)| {
                    json!({ "ecosystem": ecosystem, "release": release, "statements": count })
                })
                .collect();
            serde_json::to_string_pretty(&json!({ "sources": sources, "coverage": scopes }))? + "\n"
        }
        ListFormat::Table => {
            let mut table =
                plain_table(["SOURCE", "FORMAT", "ADVISORIES", "WITHDRAWN", "SIGNALS", "PRODUCTS", "KIB", "IMPORTED"]);
            for (name, entry) in &manifest.sources {
                let numbers =
                    [entry.advisories, entry.withdrawn, entry.signals, entry.lifecycles, entry.bytes.div_ceil(1024)];
                let [advisories, withdrawn, signals, products, size] = numbers.map(|number| number.to_string());
                table.add_row([
                    name.clone(),
                    entry.format.clone(),
                    advisories,
                    withdrawn,
                    signals,
                    products,
                    size,
                    day(entry.imported_at),
                ]);
            }
            trimmed(&table)
        }
    };
    io::print(&text)?;
    Ok(if manifest.sources.is_empty() { Exit::Nothing } else { Exit::Done })
}

/// What is wrong with a source, if anything.
fn trouble(entry: &SourceEntry, now: DateTime<Utc>, max_age: u32) -> Option<String> {
    if let Some(failure) = &entry.failure {
        return Some(format!("failed {}: {}", day(Some(failure.at)), failure.reason));
    }
    let checked = entry.checked_at.or(entry.imported_at)?;
    let hours = now.signed_duration_since(checked).num_hours();
    (hours > i64::from(max_age)).then(|| format!("not checked for {hours} hours"))
}

fn status(folder: &Path, format: ListFormat, max_age: u32) -> Result<Exit> {
    let manifest = Manifest::read(folder).with_context(|| format!("opening the store {}", folder.display()))?;
    let opened = Snapshot::open(folder);
    let now = SystemClock.now();
    let troubles: Vec<(&String, &SourceEntry, Option<String>)> =
        manifest.sources.iter().map(|(name, entry)| (name, entry, trouble(entry, now, max_age))).collect();
    let text = match format {
        ListFormat::Json => {
            let sources: Vec<Value> = troubles
                .iter()
                .map(|(name, entry, trouble)| {
                    let mut value = as_json(name, entry);
                    value["trouble"] = json!(trouble);
                    value
                })
                .collect();
            serde_json::to_string_pretty(&sources)? + "\n"
        }
        ListFormat::Table => {
            let mut table = plain_table(["SOURCE", "RECORDS", "IMPORTED", "CHECKED", "STATE"]);
            for (name, entry, trouble) in &troubles {
                table.add_row([
                    (*name).clone(),
                    entry.entries().to_string(),
                    day(entry.imported_at),
                    day(entry.checked_at),
                    trouble.clone().unwrap_or_else(|| "good".to_owned()),
                ]);
            }
            trimmed(&table)
        }
    };
    io::print(&text)?;
    if let Err(error) = &opened {
        io::complain(&error.to_string());
    }
    Ok(if manifest.sources.is_empty() {
        Exit::Nothing
    } else if opened.is_err() || troubles.iter().any(|(.., trouble)| trouble.is_some()) {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

fn known_sources(format: ListFormat, path: Option<&Path>) -> Result<Exit> {
    let sources = known(path)?;
    let text = match format {
        ListFormat::Json => {
            let items: Vec<Value> = sources
                .iter()
                .map(|source| {
                    json!({
                        "source": source.slug, "name": source.name, "url": source.url, "licence": source.licence,
                        "group": source.group, "default": source.default,
                    })
                })
                .collect();
            serde_json::to_string_pretty(&items)? + "\n"
        }
        ListFormat::Table => {
            let mut table = plain_table(["SOURCE", "GROUP", "DEFAULT", "WHAT IT IS"]);
            for source in &sources {
                let default = if source.default { "yes" } else { "no" };
                table.add_row([source.slug.as_str(), &source.group, default, &source.name]);
            }
            trimmed(&table)
        }
    };
    io::print(&text)?;
    Ok(Exit::Done)
}

fn remove(sources: &[String], folder: &Path) -> Result<Exit> {
    let mut writer = open(folder)?;
    let mut exit = Exit::Done;
    for source in sources {
        if !writer.remove(source)? {
            io::complain(&format!("the store has no source `{source}`"));
            exit = Exit::Failure;
        }
    }
    Ok(exit)
}
