//! Findings for people at a terminal.

use std::io::Write;

use bartizan_domain::Severity;
use comfy_table::{Cell, ColumnConstraint, Width};

use super::document::{AuditDocument, AuditMatch, Decision};
use crate::table::{new_table, paint, printable};
use crate::view::glyph;
use crate::{RenderOptions, ReportError};

/// Longest id that is not wrapped.
const MAX_ID: u16 = 28;
/// Blanks beside the content of a cell.
const PADDING: u16 = 2;
/// Lines of a list beside the table of findings.
const MAX_LINES: usize = 30;

pub(super) fn render(document: &AuditDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    findings(document, options, out)?;
    decisions(document, out)?;
    not_covered(document, out)?;
    end_of_life(document, out)?;
    baseline(document, out)?;
    summary(document, out)
}

/// A row: the same vulnerability of the same package at one or more places.
struct Row<'d> {
    found: &'d AuditMatch,
    places: usize,
}

fn findings(document: &AuditDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for found in &document.matches {
        let key = (found.id(), &found.ecosystem, &found.package, &found.version, &found.state);
        let at = *known.entry(key).or_insert_with(|| {
            rows.push(Row { found, places: 0 });
            rows.len() - 1
        });
        rows[at].places += 1;
    }
    if rows.is_empty() {
        return Ok(());
    }
    // Ids are searched for and copied: they stay in one piece.
    let ids = rows.iter().map(|row| printable(row.found.id()).chars().count()).max().unwrap_or(0);
    let ids = u16::try_from(ids).unwrap_or(u16::MAX).clamp(13, MAX_ID);
    let mut table = new_table(options);
    table.set_header(["Severity", "Vulnerability", "Package", "Installed", "Fixed in", "Score", "Why", "Where"]);
    for Row { found, places } in rows {
        let severity = Cell::new(format!("{} {}", glyph(found.severity), found.severity));
        let place = match places {
            1 => printable(&found.path),
            more => format!("{} and {} more", printable(&found.path), more - 1),
        };
        table.add_row([
            paint(severity, found.severity, options.colour),
            Cell::new(printable(found.id())),
            Cell::new(printable(&format!("{} ({})", found.package, found.ecosystem))),
            Cell::new(printable(&found.version)),
            Cell::new(printable(&fixed(found))),
            Cell::new(format!("{:.1}", found.score)),
            Cell::new(printable(&why(found))),
            Cell::new(place),
        ]);
    }
    for (column, width) in [(0, 12), (1, ids + PADDING), (5, 5 + PADDING)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
    }
    writeln!(out, "{table}\n")?;
    Ok(())
}

fn fixed(found: &AuditMatch) -> String {
    match found.state.as_str() {
        "will_not_fix" => "will not be fixed".to_owned(),
        "end_of_life" => "end of life".to_owned(),
        "under_investigation" => "not decided yet".to_owned(),
        _ if found.kind == "unmaintained" => "not maintained".to_owned(),
        _ if found.fixed.is_empty() => "no fix yet".to_owned(),
        _ => found.fixed.join(", "),
    }
}

/// The parts of the score, strongest first.
fn why(found: &AuditMatch) -> String {
    let mut parts = Vec::new();
    if let Some(kev) = found.kev.first() {
        let ransomware = found.kev.iter().any(|kev| kev.ransomware);
        parts.push(format!("exploited ({}{})", kev.asserter, if ransomware { ", ransomware" } else { "" }));
    }
    if !found.exploits.is_empty() {
        parts.push(format!("exploit ({})", found.exploits.join(", ")));
    }
    if let Some(epss) = &found.epss {
        parts.push(format!("EPSS {:.1}%", epss.score * 100.0));
    } else if found.score_unknown.iter().any(|part| part == "epss") {
        parts.push("EPSS unknown".to_owned());
    }
    if let Some(cvss) = found.cvss {
        parts.push(format!("CVSS {cvss:.1}"));
    }
    match found.kind.as_str() {
        "vulnerability" => {}
        other => parts.push(other.to_owned()),
    }
    if found.confidence < 100 {
        parts.push(format!("confidence {}", found.confidence));
    }
    if found.scope == "development" {
        parts.push("development".to_owned());
    }
    parts.join(", ")
}

fn decisions(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    if !document.suppressed.is_empty() {
        writeln!(out, "Decided, not counted:")?;
        for suppressed in document.suppressed.iter().take(MAX_LINES) {
            let found = &suppressed.finding;
            let by = match &suppressed.by {
                Decision::Vex(vex) => {
                    let why = vex.justification.as_deref().or(vex.note.as_deref()).unwrap_or_default();
                    format!("{} by {}: {why}", vex.status, vex.file)
                }
                Decision::Ignore { file, reason, expires } => {
                    let until = expires.map(|day| format!(" until {day}")).unwrap_or_default();
                    format!("ignored{until} by {file}: {reason}")
                }
            };
            writeln!(out, "  {}", printable(&format!("{} {} {}: {by}", found.id(), found.package, found.version)))?;
        }
        more(document.suppressed.len(), out)?;
    }
    for note in document.decision_notes.iter().take(MAX_LINES) {
        writeln!(out, "NOTE {}", printable(&format!("{}: {}: {}", note.file, note.entry, note.problem)))?;
    }
    more(document.decision_notes.len(), out)?;
    Ok(())
}

fn not_covered(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    if document.not_covered.is_empty() {
        return Ok(());
    }
    writeln!(out, "Not covered, so nothing is known about it:")?;
    for gap in document.not_covered.iter().take(MAX_LINES) {
        let names: Vec<&str> = gap.packages.iter().take(3).map(String::as_str).collect();
        let dots = if gap.count > names.len() { ", …" } else { "" };
        let ecosystem = if gap.ecosystem.is_empty() { String::new() } else { format!(" ({})", gap.ecosystem) };
        let noun = if gap.count == 1 { "package" } else { "packages" };
        let line = format!("{}: {} {noun}{ecosystem}: {}: {}{dots}", gap.path, gap.count, gap.reason, names.join(", "));
        writeln!(out, "  {}", printable(&line))?;
    }
    more(document.not_covered.len(), out)?;
    let mut remedies: Vec<&str> = document.not_covered.iter().filter_map(|gap| gap.remedy.as_deref()).collect();
    remedies.sort_unstable();
    remedies.dedup();
    for remedy in remedies.iter().take(MAX_LINES) {
        writeln!(out, "  → {}", printable(remedy))?;
    }
    writeln!(out)?;
    Ok(())
}

fn end_of_life(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    if document.end_of_life.is_empty() {
        return Ok(());
    }
    writeln!(out, "Without security fixes:")?;
    for over in document.end_of_life.iter().take(MAX_LINES) {
        let since = over.ended.map_or_else(|| "not any more".to_owned(), |day| format!("since {day}"));
        let paid = over.extended_until.map(|day| format!(", extended support until {day}")).unwrap_or_default();
        let line = format!("{}: {} ({} {}): {since}{paid}", over.path, over.subject, over.product, over.cycle);
        writeln!(out, "  {}", printable(&line))?;
    }
    more(document.end_of_life.len(), out)?;
    writeln!(out)?;
    Ok(())
}

fn baseline(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let Some(baseline) = &document.baseline else { return Ok(()) };
    let since = format!("Since {} of {}", baseline.file, baseline.created_at.format("%Y-%m-%d"));
    let (new, gone) = (baseline.new.len(), baseline.gone.len());
    writeln!(out, "{}: {new} new, {gone} gone{}", printable(&since), if gone == 0 { "" } else { ":" })?;
    for gone in baseline.gone.iter().take(MAX_LINES) {
        let id = gone.ids.first().map_or("", String::as_str);
        let line = format!("{id} {} {} in {}: {}", gone.package, gone.version, gone.path, gone.detail);
        writeln!(out, "  {}", printable(&line))?;
    }
    more(gone, out)?;
    writeln!(out)?;
    Ok(())
}

fn more(count: usize, out: &mut dyn Write) -> Result<(), ReportError> {
    if count > MAX_LINES {
        writeln!(out, "  … and {} more; -o json lists them all", count - MAX_LINES)?;
    }
    Ok(())
}

fn summary(document: &AuditDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let total = document.matches.len();
    let counts: Vec<String> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, document.matches.iter().filter(|found| found.severity == severity).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let breakdown = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let noun = if total == 1 { "vulnerability" } else { "vulnerabilities" };
    writeln!(out, "{total} {noun}{breakdown}")?;
    let exploited = document.matches.iter().filter(|found| !found.kev.is_empty()).count();
    let fixable = document.matches.iter().filter(|found| !found.fixed.is_empty()).count();
    let uncovered: usize = document.not_covered.iter().map(|gap| gap.count).sum();
    let files = document.sources.len();
    writeln!(
        out,
        "{} packages in {files} {}; {uncovered} not covered. {exploited} exploited, {fixable} with a fix, {} decided.",
        document.packages,
        if files == 1 { "file" } else { "files" },
        document.suppressed.len(),
    )?;
    if !document.leads.is_empty() {
        let count = document.leads.len();
        writeln!(out, "{count} leads of low confidence are not counted; -o json lists them.")?;
    }
    if !document.passed_over.is_empty() {
        let count = document.passed_over.len();
        let noun = if count == 1 { "symbolic link was" } else { "symbolic links were" };
        writeln!(out, "{count} {noun} not followed; -o json says where they lead.")?;
    }
    if let Some(oldest) = document.store.iter().filter_map(|source| Some((source.imported_at?, &source.name))).min() {
        let days = (document.created_at - oldest.0).num_days();
        let sources = document.store.len();
        writeln!(out, "Data: {sources} sources, the oldest ({}) imported {}.", printable(oldest.1), age(days))?;
    }
    for source in document.store.iter().filter(|source| source.failure.is_some()) {
        let why = source.failure.as_deref().unwrap_or_default();
        writeln!(out, "WARNING {}", printable(&format!("{}: the last import failed: {why}", source.name)))?;
    }
    if document.partial {
        writeln!(out, "INCOMPLETE: {}", printable(&document.partial_reasons.join("; ")))?;
    }
    Ok(())
}

fn age(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}
