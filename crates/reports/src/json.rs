//! The native document, whole or as JSON Lines, and back from those.

use std::io::Write;

use bartizan_domain::ScanStatus;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{FindingRecord, HostResult, SCAN_SCHEMA, ScanDocument, ScanSummary, VerdictRecord};
use bartizan_domain::score::{AssetScore, Score, scan_score};
use serde::{Deserialize, Serialize};

use crate::ReportError;

/// One line of the JSON Lines form; `type` tells the record apart. `scan` comes first and `summary` last, so that a
/// stream without `summary` was cut short.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonLine<'a> {
    /// Head: the schema and what was asked for.
    Scan {
        /// Schema of the document the lines make up.
        schema: &'a str,
        /// The head.
        scan: &'a ScanSummary,
    },
    /// One asset.
    Host(&'a HostResult),
    /// One finding.
    Finding(&'a FindingRecord),
    /// One verdict.
    Verdict(&'a VerdictRecord),
    /// Score and coverage; the last line.
    Summary {
        /// Final state of the head.
        scan: &'a ScanSummary,
        /// Score.
        score: &'a Score,
        /// Verdict counts.
        coverage: &'a OutcomeCounts,
    },
}

/// Writes one line, newline included.
///
/// # Errors
/// If `out` fails.
pub fn json_line(line: &JsonLine<'_>, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")?;
    Ok(())
}

pub(crate) fn render(document: &ScanDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    out.write_all(b"\n")?;
    Ok(())
}

pub(crate) fn render_lines(document: &ScanDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    json_line(&JsonLine::Scan { schema: &document.schema, scan: &document.scan }, out)?;
    for host in &document.hosts {
        json_line(&JsonLine::Host(host), out)?;
    }
    for finding in &document.findings {
        json_line(&JsonLine::Finding(finding), out)?;
    }
    for verdict in &document.verdicts {
        json_line(&JsonLine::Verdict(verdict), out)?;
    }
    json_line(&JsonLine::Summary { scan: &document.scan, score: &document.score, coverage: &document.coverage }, out)
}

/// The same record as it is read. A record of a kind that is not known says nothing to this version.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Record {
    Scan {
        schema: String,
        scan: ScanSummary,
    },
    Host(HostResult),
    Finding(FindingRecord),
    Verdict(VerdictRecord),
    Summary {
        scan: ScanSummary,
        score: Score,
        coverage: OutcomeCounts,
    },
    #[serde(other)]
    Unknown,
}

/// What JSON Lines were read to.
#[derive(Debug, Clone, PartialEq)]
pub struct FromLines {
    /// The document. If the lines were cut short it is marked partial, and counts and score are of what is there.
    pub document: ScanDocument,
    /// Why nothing more was read, if the lines were cut short.
    pub cut: Option<String>,
}

/// Why JSON Lines could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The first record is not the head of a scan.
    #[error("line 1 is not the head of a scan: expected \"type\":\"scan\" with \"schema\":\"{SCAN_SCHEMA}\"")]
    NoHead,
    /// Written by another version.
    #[error("the schema is `{0}`: this program reads {SCAN_SCHEMA}")]
    Schema(String),
    /// A line is no record.
    #[error("line {number}: {why}")]
    Line {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        why: serde_json::Error,
    },
}

/// Whether `text` begins as the JSON Lines of a scan do.
#[must_use]
pub fn is_json_lines(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    matches!(serde_json::from_slice(first), Ok(Record::Scan { .. }))
}

/// Reads JSON Lines back into the document they were made from.
///
/// # Errors
/// [`LinesError`], naming the line. A missing end is none: see [`FromLines::cut`].
pub fn from_json_lines(text: &[u8]) -> Result<FromLines, LinesError> {
    let mut records = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let Some(Ok(Record::Scan { schema, scan })) = records.next().map(|(_, line)| serde_json::from_slice(line)) else {
        return Err(LinesError::NoHead);
    };
    if schema != SCAN_SCHEMA {
        return Err(LinesError::Schema(schema));
    }
    let (mut hosts, mut findings, mut verdicts, mut ending) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut cut = None;
    for (index, line) in records {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(Record::Host(host)) => hosts.push(host),
            Ok(Record::Finding(finding)) => findings.push(finding),
            Ok(Record::Verdict(verdict)) => verdicts.push(verdict),
            Ok(Record::Summary { scan, score, coverage }) => ending = Some((scan, score, coverage)),
            Ok(Record::Scan { .. } | Record::Unknown) => {}
            // The writer was stopped in the middle of a line; only the last one can lack its end.
            Err(_) if !line.ends_with(b"\n") => cut = Some(format!("line {} breaks off", index + 1)),
            Err(why) => return Err(LinesError::Line { number: index + 1, why }),
        }
    }
    let (scan, score, coverage) = if let Some(ending) = ending {
        ending
    } else {
        let why = cut.get_or_insert_with(|| "the last line, \"type\":\"summary\", is missing".to_owned());
        unfinished(scan, why, &hosts, &verdicts)
    };
    let mut document = ScanDocument { schema, scan, hosts, findings, verdicts, score, coverage };
    document.sort();
    Ok(FromLines { document, cut })
}

/// The end of a scan whose end is not there.
fn unfinished(
    mut scan: ScanSummary,
    why: &str,
    hosts: &[HostResult],
    verdicts: &[VerdictRecord],
) -> (ScanSummary, Score, OutcomeCounts) {
    scan.status = ScanStatus::Failed;
    scan.partial = true;
    scan.partial_reasons.push(format!("the JSON Lines are cut: {why}"));
    let mut counts = OutcomeCounts::default();
    for verdict in verdicts {
        counts.add(verdict.verdict);
    }
    let assets = hosts.iter().map(|host| AssetScore { asset: host.asset.clone(), value: host.score }).collect();
    (scan, scan_score(assets, counts), counts)
}
