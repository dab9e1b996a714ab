//! Findings for people at a terminal.

use std::io::Write;

use bartizan_domain::Severity;
use bartizan_domain::document::ScanDocument;
use bartizan_domain::evidence::ports::PortState;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use crate::view::{coverage_text, duration_text, glyph, nothing_found, score_text, severity_counts};
use crate::{Colour, RenderOptions, ReportError};

const DEFAULT_WIDTH: u16 = 120;

/// A rule under the header and nothing else: dense, and easy to copy from.
const PLAIN: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

pub(crate) fn render(document: &ScanDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    if document.scan.demo {
        writeln!(out, "DEMO DATA: recorded evidence, not a scan of anything real.\n")?;
    }
    services(document, options, out)?;
    findings(document, options, out)?;
    summary(document, out)?;
    Ok(())
}

fn services(document: &ScanDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut table = new_table(options);
    table.set_header(["Asset", "Port", "Service", "Product"]);
    let mut rows = 0;
    for host in &document.hosts {
        let asset = printable(&host.asset.to_string());
        for port in host.ports.iter().filter(|port| port.state == PortState::Open) {
            let place = if host.addresses.len() > 1 {
                format!("{}/{} on {}", port.port, port.protocol, port.address)
            } else {
                format!("{}/{}", port.port, port.protocol)
            };
            let service = match (port.service.as_deref(), port.tls) {
                (Some(service), true) => format!("{service} over TLS"),
                (Some(service), false) => service.to_owned(),
                (None, true) => "unknown over TLS".to_owned(),
                (None, false) => "unknown".to_owned(),
            };
            let product =
                [port.product.as_deref(), port.version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            table.add_row([asset.clone(), place, printable(&service), printable(&product)]);
            rows += 1;
        }
    }
    if rows > 0 {
        writeln!(out, "{table}\n")?;
    }
    for host in document.hosts.iter().filter(|host| !host.reached) {
        writeln!(out, "{}: not reached; nothing about it was assessed.\n", printable(&host.asset.to_string()))?;
    }
    Ok(())
}

fn findings(document: &ScanDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    if document.findings.is_empty() {
        writeln!(out, "{}\n", nothing_found(document))?;
        return Ok(());
    }
    let mut table = new_table(options);
    table.set_header(["Severity", "Finding", "Asset", "Where", "Check"]);
    for finding in &document.findings {
        let severity = Cell::new(format!("{} {}", glyph(finding.severity), finding.severity));
        table.add_row([
            paint(severity, finding.severity, options.colour),
            Cell::new(printable(&finding.title)),
            Cell::new(printable(&finding.asset)),
            Cell::new(printable(finding.location.as_str())),
            Cell::new(&finding.check_id),
        ]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(12)));
    }
    writeln!(out, "{table}\n")?;
    Ok(())
}

fn summary(document: &ScanDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let counts: Vec<String> = severity_counts(document)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let total = document.findings.len();
    let noun = if total == 1 { "finding" } else { "findings" };
    let breakdown = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    writeln!(out, "{total} {noun}{breakdown}")?;
    let reached = document.hosts.iter().filter(|host| host.reached).count();
    let duration = duration_text(&document.scan).map(|text| format!(" in {text}")).unwrap_or_default();
    writeln!(
        out,
        "{reached} of {} assets reached{duration}. Score: {}. Coverage: {}.",
        document.hosts.len(),
        score_text(document),
        coverage_text(document)
    )?;
    if document.scan.partial {
        writeln!(out, "INCOMPLETE: {}", document.scan.partial_reasons.join("; "))?;
    }
    Ok(())
}

pub(crate) fn new_table(options: RenderOptions) -> Table {
    let mut table = Table::new();
    table
        .load_style(PLAIN)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(options.width.unwrap_or(DEFAULT_WIDTH).max(60));
    match options.colour {
        Colour::Never => table.force_no_tty(),
        Colour::Ansi => table.enforce_styling(),
    };
    table
}

pub(crate) fn paint(cell: Cell, severity: Severity, colour: Colour) -> Cell {
    if colour == Colour::Never {
        return cell;
    }
    match severity {
        Severity::Critical => cell.fg(Color::Magenta).add_attribute(Attribute::Bold),
        Severity::High => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Severity::Medium => cell.fg(Color::Yellow),
        Severity::Low => cell.fg(Color::Cyan),
        Severity::Info => cell,
    }
}

/// Text from a target must not drive the terminal: control characters become spaces.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
