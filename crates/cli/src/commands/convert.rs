//! `bartizan convert`: a saved scan rendered to other formats, or its evidence judged again.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use bartizan_catalog::Catalog;
use bartizan_checks::judge;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{SCAN_SCHEMA, ScanDocument};
use bartizan_domain::port_document::PORTS_SCHEMA;
use bartizan_domain::score::{AssetScore, scan_score};
use bartizan_domain::{Outcome, ScanStatus, Severity, Target};
use bartizan_engine::{NamedPorts, ScanSettings, document};
use bartizan_evidence::file::{Ending as FileEnding, Header, MAGIC, Reader};
use bartizan_reports::audit::AUDIT_SCHEMA;
use bartizan_reports::{from_json_lines, is_json_lines};

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
    let mut text = Vec::new();
    input.take(MAX_DOCUMENT + 1).read_to_end(&mut text).with_context(|| format!("cannot read `{name}`"))?;
    if text.len() as u64 > MAX_DOCUMENT {
        bail!("`{name}` is larger than the {MAX_DOCUMENT} bytes allowed");
    }
    let (document, cut) = if is_json_lines(&text) {
        let read = from_json_lines(&text).with_context(|| format!("`{name}` is damaged"))?;
        (read.document, read.cut)
    } else {
        (document_of(name, &text)?, None)
    };
    drop(text);
    if args.rejudge || args.print_evidence {
        bail!("`{name}` holds results: only evidence (-o evidence=FILE) can be judged again or printed");
    }
    if let Some(why) = &cut {
        complain(&format!("`{name}` is cut ({why}): {} hosts were read", document.hosts.len()));
    }
    write_document(&args.results, &document, Catalog::builtin())?;
    let found = reaches(args.results.fail_on, document.findings.iter().map(|finding| finding.severity));
    Ok(match (found, cut) {
        (true, _) => Exit::Findings,
        (false, Some(_)) => Exit::Incomplete,
        (false, None) => Exit::Done,
    })
}

/// Reads a whole document; what cannot be read is called by its name, with what could be.
fn document_of(name: &str, text: &[u8]) -> Result<ScanDocument> {
    let error = match serde_json::from_slice::<ScanDocument>(text) {
        Ok(document) if document.schema == SCAN_SCHEMA => return Ok(document),
        Ok(document) => bail!("`{name}` has the schema `{}`: this program reads {SCAN_SCHEMA}", document.schema),
        Err(error) => error,
    };
    match what_it_is(text, &error) {
        Given::Scan => bail!("`{name}` is a damaged result document: {error}"),
        Given::Other(what) => bail!("`{name}` is {what}. {READABLE}"),
    }
}

/// What `convert` reads.
const READABLE: &str = "convert reads what holds a whole scan: the files of -o json, -o jsonl and -o evidence, each as `bartizan scan` wrote it";

enum Given {
    /// A result document with something wrong in it.
    Scan,
    /// Something else, in words.
    Other(String),
}

/// Names what a file is that cannot be read.
fn what_it_is(text: &[u8], error: &serde_json::Error) -> Given {
    #[derive(serde::Deserialize)]
    struct Marks {
        schema: Option<serde_json::Value>,
        #[serde(rename = "$schema")]
        sarif: Option<String>,
        runs: Option<serde::de::IgnoredAny>,
    }
    let other = |what: &str| Given::Other(what.to_owned());
    let start = text.trim_ascii_start();
    let begins = |with: &str| start.get(..with.len()).is_some_and(|s| s.eq_ignore_ascii_case(with.as_bytes()));
    if start.is_empty() {
        return other("empty");
    }
    if let Ok(marks) = serde_json::from_slice::<Marks>(text) {
        return match marks.schema.as_ref().and_then(serde_json::Value::as_str) {
            Some(SCAN_SCHEMA) => Given::Scan,
            Some(PORTS_SCHEMA) => other("a port scan, which `bartizan ports` writes in every format it has"),
            Some(AUDIT_SCHEMA) => other("a package audit, which `bartizan audit` writes in every format it has"),
            Some(schema) => Given::Other(format!("JSON with the schema `{schema}`")),
            None if marks.runs.is_some() || marks.sarif.is_some_and(|schema| schema.contains("sarif")) => {
                other("SARIF, which holds findings only")
            }
            None => other("JSON without a `schema`"),
        };
    }
    // A document that breaks off is no JSON, but still shows what it was.
    let head = &start[..start.len().min(200)];
    if begins("{") && String::from_utf8_lossy(head).contains(SCAN_SCHEMA) {
        Given::Scan
    } else if begins("severity,check_id,") {
        other("CSV, which holds findings only")
    } else if begins("<!doctype html") || begins("<html") {
        other("an HTML page, which is for reading only")
    } else if begins("<") {
        other("XML")
    } else if begins("{") || begins("[") {
        Given::Other(format!("no result of a scan: {error}"))
    } else {
        other("no format that is known here")
    }
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
