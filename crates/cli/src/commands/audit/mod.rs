//! `bartizan audit`: what is installed or locked, against the vulnerability store.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bartizan_domain::Clock as _;
use bartizan_feeds::store::Snapshot;
use bartizan_inventory::collect::Limits;
use bartizan_inventory::triage::{self, Decisions};
use bartizan_inventory::{Collector, Inventory};
use bartizan_matching::correlate::{Options, correlate};
use bartizan_matching::cpe::Cpe;
use bartizan_matching::model::DependencyScope;
use bartizan_matching::score::Weights;
use bartizan_reports::ReportError;
use bartizan_reports::audit::{AuditDocument, AuditFormat, render};

use crate::args::{AuditArgs, AuditOutput, InventoryArgs};
use crate::exit::Exit;
use crate::io::{self, Needed, Sink, complain, read_bounded, say, settle};
use crate::terminal::{Destination, SystemClock, render_options};

mod baseline;
mod document;
mod end_of_life;
pub mod explain;
mod gaps;

/// Bytes of an earlier result at most.
const MAX_BASELINE: u64 = 512 << 20;

/// Refuses to write results over what is read. An earlier result may be replaced by the new one, which is a common way to keep
/// the last one.
fn refuse_second_role(args: &AuditArgs) -> Result<()> {
    let paths = args.paths.iter().map(|path| (path.as_path(), path.display().to_string()));
    let vex = args.vex.iter().map(|file| (file.as_path(), format!("--vex {}", file.display())));
    let ignore = args.ignore_file.iter().map(|file| (file.as_path(), format!("--ignore-file {}", file.display())));
    refuse_as_outputs(paths.chain(vex).chain(ignore), &args.output)
}

fn refuse_as_outputs<'a>(read: impl Iterator<Item = (&'a Path, String)>, outputs: &[AuditOutput]) -> Result<()> {
    if outputs.iter().all(|output| output.file.is_none()) {
        return Ok(());
    }
    read.into_iter()
        .try_for_each(|(file, named_by)| Needed::new(named_by, io::input(file), &[]).refuse_as_output(outputs))
}

/// Runs the command.
pub fn run(args: &AuditArgs) -> Result<Exit> {
    let outputs = settle(&args.output)?;
    refuse_second_role(args)?;
    let clock = SystemClock;
    let now = clock.now();
    let mut decisions = Decisions::new(now.date_naive());
    for file in &args.vex {
        let name = file.display().to_string();
        let bytes = read_bounded(file, "VEX document", triage::MAX_SIZE)?;
        decisions.add_vex(&name, &bytes).with_context(|| format!("the VEX document `{name}` cannot be read"))?;
    }
    for file in &args.ignore_file {
        let name = file.display().to_string();
        let bytes = read_bounded(file, "ignore file", triage::MAX_SIZE)?;
        decisions.add_ignore(&name, &bytes).with_context(|| format!("the ignore file `{name}` cannot be read"))?;
    }
    let earlier = match &args.baseline {
        Some(file) => {
            let name = file.display().to_string();
            let earlier = baseline::read(&name, &read_bounded(file, "the earlier result", MAX_BASELINE)?)?;
            Some((name, earlier))
        }
        None => None,
    };
    let store = open_store(&args.inventory.store.store)?;
    let mut sinks = Vec::new();
    for output in outputs {
        let sink = Sink::open(&output)?;
        sinks.push((output, sink));
    }
    let inventory = collect(&args.paths, &args.inventory)?;
    if inventory.sources.is_empty() {
        complain("no lock file, SBOM or package database found: nothing to audit");
        return Ok(Exit::Nothing);
    }
    let found = inventory.sources.iter().map(|source| (Path::new(&source.path), source.path.clone()));
    refuse_as_outputs(found, &args.output)?;
    decisions.audits("", args.vex_product.iter().cloned().chain(inventory.platform()));
    for source in &inventory.sources {
        let about = source.reading.iter().flat_map(|reading| &reading.about);
        decisions.audits(&source.path, about.cloned());
    }
    let mut packages = inventory.packages();
    if args.no_dev {
        packages.retain(|package| package.scope != DependencyScope::Development);
    }
    if !args.quiet {
        say(&format!("{} packages in {} files", packages.len(), inventory.sources.len()));
    }
    let replaced = store.add_successors(&mut packages)?;
    if replaced > 0 && !args.quiet {
        say(&format!(
            "{replaced} packages have CPE names that NVD has replaced; they are looked up under the new ones too"
        ));
    }
    let options = options(&inventory, &store, &args.inventory);
    let correlation = correlate(&store, &packages, &options)?;
    let gaps = gaps::Gaps::new(&store, &args.inventory.store.store);
    let mut assembled = document::assemble(document::Parts {
        inventory: &inventory,
        packages: &packages,
        correlation,
        store: &store,
        gaps: &gaps,
        manifest: store.manifest(),
        decisions: &mut decisions,
        weights: options.weights,
        now,
    })?;
    assembled.document.end_of_life = end_of_life::list(&inventory, &packages, &store, now)?;
    if let Some((name, earlier)) = earlier {
        let now = baseline::Now {
            inventory: &inventory,
            packages: &packages,
            store: &store,
            gaps: &gaps,
            options: &options,
            document: &assembled.document,
        };
        assembled.document.baseline = Some(baseline::compare(&name, &earlier, &now)?);
    }
    write(sinks, &assembled.document, args)?;
    Ok(exit(args, &assembled))
}

/// What an audit came to.
pub struct Assembled {
    /// The document.
    pub document: AuditDocument,
    /// Whether something could not be read, or is not covered by the store.
    pub incomplete: bool,
}

fn exit(args: &AuditArgs, assembled: &Assembled) -> Exit {
    let found =
        args.fail_on.is_some_and(|least| assembled.document.matches.iter().any(|found| found.severity >= least));
    let incomplete = assembled.incomplete && !args.allow_partial;
    match (incomplete, found) {
        (true, true) if !args.strict => Exit::Findings,
        (true, _) => Exit::Incomplete,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Done,
    }
}

fn write(sinks: Vec<(AuditOutput, Sink)>, document: &AuditDocument, args: &AuditArgs) -> Result<()> {
    for (output, mut sink) in sinks {
        if output.format == AuditFormat::Openvex && document.states_nothing() && !args.quiet {
            say("the OpenVEX document states nothing; the format wants at least one statement");
        }
        let destination = if output.file.is_none() { Destination::Stdout } else { Destination::File };
        render(output.format, document, render_options(args.color, destination), &mut sink).map_err(
            |error| match error {
                ReportError::Io(error) => anyhow::Error::new(error).context(format!("writing -o {output}")),
                other => other.into(),
            },
        )?;
        sink.commit()?;
    }
    Ok(())
}

/// What a run is told: what the packages run on, and the weights of the score.
pub fn options(inventory: &Inventory, store: &Snapshot, args: &InventoryArgs) -> Options {
    let holds = |formats: &[&str]| {
        store.manifest().sources.values().any(|source| source.segment.is_some() && formats.contains(&&*source.format))
    };
    let weights = Weights {
        kev_at_hand: holds(&["kev-json", "kev-csv"]),
        exploits_at_hand: holds(&["exploitdb-csv", "metasploit-modules", "nuclei-cves", "poc-index"]),
        ..args.weights.unwrap_or_default()
    };
    let platform = inventory.platform();
    Options { weights, platform: platform.iter().filter_map(|name| Cpe::parse(name).ok()).collect() }
}

/// Opens the store; an empty one is an error, because nothing would be found in it.
pub fn open_store(folder: &Path) -> Result<Snapshot> {
    let name = folder.display();
    let store = Snapshot::open(folder).with_context(|| format!("the store `{name}` cannot be opened"))?;
    if store.manifest().sources.values().all(|source| source.segment.is_none()) {
        bail!(
            "the store `{name}` is empty: fill it with `bartizan feeds import --store {name} PATH…`, or name another with --store"
        );
    }
    Ok(store)
}

/// Reads what the arguments name.
pub fn collect(paths: &[PathBuf], args: &InventoryArgs) -> Result<Inventory> {
    let mut collector = Collector::new(Limits::default(), args.os.clone());
    if args.host {
        collector.add_system(Path::new("/"));
    }
    for path in paths {
        collector.add(path)?;
    }
    Ok(collector.finish())
}
