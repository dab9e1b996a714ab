//! Matches as CSV (RFC 4180), one a row.

use std::io::Write;

use super::document::{AuditDocument, AuditMatch, Decision};
use crate::ReportError;
use crate::csv::{csv_error, neutralise};

const COLUMNS: [&str; 19] = [
    "severity",
    "score",
    "ids",
    "package",
    "version",
    "fixed",
    "state",
    "ecosystem",
    "path",
    "method",
    "confidence",
    "cvss",
    "epss",
    "epss_percentile",
    "kev",
    "exploits",
    "kind",
    "decision",
    "title",
];

pub(super) fn render(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS).map_err(csv_error)?;
    let open = document.matches.iter().chain(&document.not_affected).map(|found| (found, String::new()));
    let decided = document.suppressed.iter().map(|suppressed| (&suppressed.finding, decision(&suppressed.by)));
    for (found, decision) in open.chain(decided) {
        let cells = cells(found, decision);
        writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
    }
    writer.flush()?;
    Ok(())
}

fn cells(found: &AuditMatch, decision: String) -> [String; 19] {
    let number = |value: Option<f32>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        found.severity.to_string(),
        format!("{:.2}", found.score),
        found.ids.join(" "),
        found.package.clone(),
        found.version.clone(),
        found.fixed.join(" "),
        found.state.clone(),
        found.ecosystem.clone(),
        found.path.clone(),
        found.method.clone(),
        found.confidence.to_string(),
        number(found.cvss),
        number(found.epss.as_ref().map(|epss| epss.score)),
        number(found.epss.as_ref().map(|epss| epss.percentile)),
        found.kev.iter().map(|kev| kev.asserter.as_str()).collect::<Vec<_>>().join(" "),
        found.exploits.join(" "),
        found.kind.clone(),
        decision,
        found.title.clone(),
    ]
}

fn decision(by: &Decision) -> String {
    match by {
        Decision::Vex(vex) => format!("{} by {}", vex.status, vex.file),
        Decision::Ignore { reason, file, .. } => format!("ignored by {file}: {reason}"),
    }
}
