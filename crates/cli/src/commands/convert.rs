//! `bartizan convert`: a saved scan rendered to other formats, or its evidence judged again.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use bartizan_catalog::Catalog;
use bartizan_checks::judge;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{SCAN_SCHEMA, ScanDocument};
use bartizan_domain::score::{AssetScore, scan_score};
use bartizan_domain::{Outcome, ScanStatus, Severity, Target};
use bartizan_engine::{NamedPorts, ScanSettings, document};
use bartizan_evidence::file::{Ending as FileEnding, Header, MAGIC, Reader};

use super::outputs::{Ending, Outputs, write_document};
use super::scan::reaches;
use crate::args::ConvertArgs;
use crate::exit::Exit;
use crate::io::{OutputFormat, complain};

/// Bytes of a result document.
const MAX_DOCUMENT: u64 = 2 * 1024 * 1024 * 1024;

/// Runs the command.
pub fn run(args: &ConvertArgs) -> Result<Exit> {
    let name = args.file.display().to_string();
    let mut input: Box<dyn BufRead> = if name == "-" {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(&args.file).with_context(|| format!("cannot read `{name}`"))?))
    };
    let is_evidence = input.fill_buf().with_context(|| format!("cannot read `{name}`"))?.starts_with(&MAGIC[..8]);
    if is_evidence { from_evidence(args, &name, input) } else { from_document(args, &name, input) }
}

fn from_document(args: &ConvertArgs, name: &str, input: Box<dyn BufRead>) -> Result<Exit> {
    if args.rejudge || args.print_evidence {
        bail!("`{name}` is a result document: only evidence (-o evidence=FILE) can be judged again or printed");
    }
    let document: ScanDocument = serde_json::from_reader(input.take(MAX_DOCUMENT))
        .with_context(|| format!("`{name}` is neither a result document ({SCAN_SCHEMA}) nor an evidence file"))?;
    if document.schema != SCAN_SCHEMA {
        bail!("`{name}` has schema `{}`: this program reads {SCAN_SCHEMA}", document.schema);
    }
    write_document(&args.results, &document, Catalog::builtin())?;
    let found = reaches(args.results.fail_on, document.findings.iter().map(|finding| finding.severity));
    Ok(if found { Exit::Findings } else { Exit::Done })
}

fn from_evidence(args: &ConvertArgs, name: &str, input: Box<dyn BufRead>) -> Result<Exit> {
    let catalog = Catalog::builtin();
    let damaged = || format!("reading `{name}`");
    let mut reader = Reader::new(input).with_context(damaged)?;
    let mut scan = reader.header().scan.clone();
    if args.print_evidence {
        while let Some(record) = reader.next_record().with_context(damaged)? {
            let mut out = std::io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, &record.evidence)?;
            writeln!(out)?;
        }
        return Ok(Exit::Done);
    }
    let settings: ScanSettings = serde_json::from_value(reader.header().settings.clone())
        .with_context(|| format!("`{name}`: the settings of the scan cannot be read"))?;
    let same_checks = scan.catalogue == catalog.version();
    if !args.rejudge && !same_checks {
        bail!(
            "`{name}` was judged with catalogue {} and this program has {}: add --rejudge to judge it again",
            scan.catalogue,
            catalog.version()
        );
    }
    let (mut outputs, evidence) = Outputs::open(&args.results, catalog)?;
    if args.rejudge {
        catalog.version().clone_into(&mut scan.catalogue);
    }
    let header = Header::new(scan.clone(), reader.header().settings.clone());
    outputs.begin(&scan, &header, evidence)?;
    // Targets were written as they are parsed; one that is not readable names no port.
    let targets: Vec<Target> = scan.targets.iter().filter_map(|text| text.parse().ok()).collect();
    let named_ports = NamedPorts::new(&targets);
    let mut counts = OutcomeCounts::default();
    let mut scores = Vec::new();
    let mut worst: Option<Severity> = None;
    while let Some(record) = reader.next_record().with_context(damaged)? {
        // A pure function of evidence and settings: with the same catalogue these are the verdicts of the scan.
        let verdicts = judge::judge(catalog, &settings.selection, &record.evidence, &settings.judge);
        for verdict in &verdicts {
            counts.add(verdict.outcome);
            if verdict.outcome == Outcome::Fail {
                worst = worst.max(verdict.severity);
            }
        }
        let mut result = document::host_result(&record.evidence, &verdicts);
        result.gaps.extend(named_ports.gap(&result));
        scores.push(AssetScore { asset: result.asset.clone(), value: result.score });
        if args.results.output.iter().any(|output| output.format == OutputFormat::Evidence) {
            let coverage = judge::coverage(catalog, &record.evidence, &verdicts);
            outputs.record(&bartizan_evidence::encode(&record.evidence)?, &coverage)?;
        }
        outputs.host(result, &verdicts)?;
    }
    let mut exit = Exit::Done;
    match reader.ending() {
        Some(FileEnding::Complete(trailer)) => {
            let catalogue = scan.catalogue.clone();
            scan = trailer.scan.clone();
            scan.catalogue = catalogue;
        }
        Some(FileEnding::Truncated { good_bytes, why }) => {
            let hosts = scores.len();
            complain(&format!("`{name}` is cut after {good_bytes} bytes ({why}): {hosts} hosts were read"));
            scan.status = ScanStatus::Failed;
            scan.partial = true;
            scan.partial_reasons.push(format!("the evidence file is cut: {why}"));
            exit = Exit::Incomplete;
        }
        None => bail!("`{name}` was not read to its end"),
    }
    let score = scan_score(scores, counts);
    outputs.finish(&Ending { scan, score: &score, coverage: &counts })?;
    let found = reaches(args.results.fail_on, worst.into_iter());
    Ok(if found { Exit::Findings } else { exit })
}
