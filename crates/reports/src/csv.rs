//! Findings as CSV (RFC 4180), one a row.

use std::borrow::Cow;
use std::io::Write;

use bartizan_domain::document::ScanDocument;

use crate::ReportError;

const COLUMNS: [&str; 14] = [
    "severity",
    "check_id",
    "title",
    "asset",
    "location",
    "status",
    "confidence",
    "category",
    "controls",
    "evidence",
    "remediation",
    "fingerprint",
    "scan_started_at",
    "demo",
];

/// Makes a cell safe for spreadsheets: text that one would evaluate as a formula gets a leading apostrophe (OWASP,
/// "CSV Injection"). Applied to every cell of every CSV the product writes, since any of them may carry text that
/// an attacker chose.
#[must_use]
pub fn neutralise(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

pub(crate) fn render(document: &ScanDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS).map_err(csv_error)?;
    let started = document.scan.started_at.to_rfc3339_opts(chrono_seconds(), true);
    for finding in &document.findings {
        let evidence = if finding.evidence.is_null() { String::new() } else { finding.evidence.to_string() };
        let cells = [
            finding.severity.as_str().to_owned(),
            finding.check_id.to_string(),
            finding.title.clone(),
            finding.asset.clone(),
            finding.location.to_string(),
            finding.status.to_string(),
            crate::view::confidence(finding.confidence).to_owned(),
            finding.category.clone(),
            finding.controls.join("; "),
            evidence,
            finding.remediation.join("\n"),
            finding.fingerprint.to_string(),
            started.clone(),
            document.scan.demo.to_string(),
        ];
        writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
    }
    writer.flush()?;
    Ok(())
}

pub(crate) fn csv_error(error: csv::Error) -> ReportError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ReportError::Io(error),
        other => ReportError::Render(format!("{other:?}")),
    }
}

const fn chrono_seconds() -> chrono::SecondsFormat {
    chrono::SecondsFormat::Secs
}
