//! The native document, whole or as JSON Lines.

use std::io::Write;

use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{FindingRecord, HostResult, ScanDocument, ScanSummary, VerdictRecord};
use bartizan_domain::score::Score;
use serde::Serialize;

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
