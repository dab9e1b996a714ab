//! One self-contained page: no script, no request, readable in light, dark and on paper.

use std::collections::HashMap;
use std::io::Write;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::document::{FindingRecord, HostResult, ScanDocument, VerdictRecord};
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::{Outcome, Severity};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use crate::ReportError;
use crate::evidence;
use crate::view::{confidence, coverage_text, duration_text, glyph, nothing_found, score_text, severity_counts};

/// Places of one check that are unfolded; the others are a click away, and on paper.
const SHOWN_PLACES: usize = 10;
/// Rows of the "not conclusive" list; the rest is counted, since a wide scan has many of the same kind.
const MAX_GAPS: usize = 500;

#[derive(Serialize)]
struct Page<'a> {
    look: Look<'a>,
    title: String,
    demo: bool,
    partial: bool,
    partial_reasons: &'a [String],
    targets: &'a [String],
    profile: String,
    status: String,
    started: String,
    duration: Option<String>,
    tool_version: &'a str,
    catalogue: &'a str,
    score: String,
    score_value: Option<f64>,
    formula: &'a str,
    coverage: String,
    severities: Vec<SeverityCount>,
    findings: usize,
    groups: Vec<Group<'a>>,
    shown: usize,
    hosts: Vec<Host<'a>>,
    gaps: Vec<Gap<'a>>,
    gaps_left_out: usize,
    nothing_found: String,
}

#[derive(Serialize)]
struct SeverityCount {
    name: &'static str,
    glyph: &'static str,
    count: usize,
    /// Share of the bar, per mille, so that widths add up without rounding to nothing.
    per_mille: usize,
}

/// What one check found: its texts once, then every place.
#[derive(Serialize)]
struct Group<'a> {
    number: usize,
    severity: &'static str,
    glyph: &'static str,
    title: &'a str,
    check_id: &'a str,
    category: &'a str,
    controls: &'a [String],
    description: Option<&'a str>,
    risk: Option<&'a str>,
    remediation: &'a [String],
    examples: Vec<Example<'a>>,
    references: &'a [String],
    places: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    asset: &'a str,
    location: &'a str,
    severity: &'static str,
    glyph: &'static str,
    confidence: &'static str,
    status: String,
    /// HTML, everything from outside in it escaped.
    evidence: Option<String>,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct Example<'a> {
    label: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Host<'a> {
    asset: String,
    addresses: String,
    reached: bool,
    score: Option<u8>,
    open: Vec<Port<'a>>,
    other: usize,
}

#[derive(Serialize)]
struct Port<'a> {
    port: u16,
    protocol: &'static str,
    address: String,
    service: &'a str,
    tls: bool,
    product: String,
}

#[derive(Serialize)]
struct Gap<'a> {
    check_id: &'a str,
    asset: &'a str,
    location: &'a str,
    verdict: &'static str,
    reason: &'a str,
}

/// How whoever hands a report on wants it to look. What is `None` is as it comes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brand {
    /// Name in place of the product's.
    pub product_name: Option<String>,
    /// Name of whoever hands it on.
    pub company_name: Option<String>,
    /// Line at its foot.
    pub footer_text: Option<String>,
    /// Colour of links on light ground, `#rrggbb`; anything else is left out.
    pub accent_color: Option<String>,
    /// The same on dark ground.
    pub accent_color_dark: Option<String>,
    /// Logo, a PNG.
    pub logo_png: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct Look<'a> {
    product: &'a str,
    company: Option<&'a str>,
    footer: Option<&'a str>,
    accent: Option<&'a str>,
    accent_dark: Option<&'a str>,
    logo: Option<String>,
}

impl<'a> Look<'a> {
    fn of(brand: &'a Brand) -> Self {
        Self {
            product: brand.product_name.as_deref().unwrap_or("Bartizan"),
            company: brand.company_name.as_deref(),
            footer: brand.footer_text.as_deref(),
            accent: brand.accent_color.as_deref().filter(|colour| is_colour(colour)),
            accent_dark: brand.accent_color_dark.as_deref().filter(|colour| is_colour(colour)),
            logo: brand.logo_png.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes)),
        }
    }
}

/// Escaping as HTML does not make a text safe inside a style sheet, so nothing but a colour gets there.
fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Writes `document` as an HTML page that looks like `brand`.
///
/// # Errors
/// [`ReportError::Io`] if `out` fails.
pub fn render_html(
    document: &ScanDocument,
    catalog: &Catalog,
    brand: &Brand,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let page = page(document, catalog, Look::of(brand));
    let template = environment().get_template("scan.html").map_err(|error| ReportError::Render(error.to_string()))?;
    let html =
        template.render(minijinja::value::Serde(&page)).map_err(|error| ReportError::Render(error.to_string()))?;
    out.write_all(seen(&html).as_bytes())?;
    Ok(())
}

/// The same with control characters of targets, which a browser would swallow, replaced by their symbols.
fn seen(html: &str) -> String {
    html.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
            '\u{7f}' => '\u{2421}',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment
            .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default());
        // The template is part of the program and a test renders it, so that it cannot fail to parse in use.
        if let Err(error) = environment.add_template("scan.html", include_str!("../templates/scan.html")) {
            unreachable!("the embedded template is tested: {error}");
        }
        environment
    })
}

fn page<'a>(document: &'a ScanDocument, catalog: &'a Catalog, look: Look<'a>) -> Page<'a> {
    let scan = &document.scan;
    let total = document.findings.len().max(1);
    let severities = severity_counts(document)
        .into_iter()
        .map(|(severity, count)| SeverityCount {
            name: severity.as_str(),
            glyph: glyph(severity),
            count,
            per_mille: count * 1000 / total,
        })
        .collect();
    let gaps: Vec<&VerdictRecord> =
        document.verdicts.iter().filter(|v| matches!(v.verdict, Outcome::Error | Outcome::NotTested)).collect();
    Page {
        look,
        title: title(document),
        demo: scan.demo,
        partial: scan.partial,
        partial_reasons: &scan.partial_reasons,
        targets: &scan.targets,
        profile: scan.profile.to_string(),
        status: scan.status.to_string(),
        started: scan.started_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        duration: duration_text(scan),
        tool_version: &scan.tool_version,
        catalogue: &scan.catalogue,
        score: score_text(document),
        score_value: document.score.value,
        formula: &document.score.formula,
        coverage: coverage_text(document),
        severities,
        findings: document.findings.len(),
        groups: groups(&document.findings, catalog),
        shown: SHOWN_PLACES,
        hosts: document.hosts.iter().map(host_view).collect(),
        gaps_left_out: gaps.len().saturating_sub(MAX_GAPS),
        gaps: gaps.into_iter().take(MAX_GAPS).map(gap_view).collect(),
        nothing_found: nothing_found(document),
    }
}

fn title(document: &ScanDocument) -> String {
    match document.scan.targets.as_slice() {
        [] => "Scan".to_owned(),
        [only] => format!("Scan of {only}"),
        [first, rest @ ..] => format!("Scan of {first} and {} more", rest.len()),
    }
}

/// Findings by check, in the order of the document: a check stands where the worst of its findings does.
fn groups<'a>(findings: &'a [FindingRecord], catalog: &'a Catalog) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for finding in findings {
        let index = *known.entry((finding.check_id.as_str(), &finding.title)).or_insert_with(|| {
            groups.push(group(groups.len() + 1, finding, catalog));
            groups.len() - 1
        });
        groups[index].places.push(place(finding));
    }
    groups
}

fn group<'a>(number: usize, finding: &'a FindingRecord, catalog: &'a Catalog) -> Group<'a> {
    let meta = catalog.check(finding.check_id.as_str());
    Group {
        number,
        severity: finding.severity.as_str(),
        glyph: glyph(finding.severity),
        title: &finding.title,
        check_id: finding.check_id.as_str(),
        category: &finding.category,
        controls: &finding.controls,
        description: meta.map(|meta| meta.description.trim()),
        risk: meta.map(|meta| meta.risk.trim()),
        remediation: &finding.remediation,
        examples: meta
            .map(|meta| meta.examples.iter().map(|e| Example { label: &e.label, text: e.text.trim_end() }).collect())
            .unwrap_or_default(),
        references: meta.map(|meta| meta.references.as_slice()).unwrap_or_default(),
        places: Vec::new(),
    }
}

fn place(finding: &FindingRecord) -> Place<'_> {
    Place {
        asset: &finding.asset,
        location: finding.location.as_str(),
        severity: finding.severity.as_str(),
        glyph: glyph(finding.severity),
        confidence: confidence(finding.confidence),
        status: finding.status.to_string(),
        evidence: evidence::html(&finding.evidence),
        fingerprint: finding.fingerprint.as_str(),
    }
}

fn host_view(host: &HostResult) -> Host<'_> {
    let open = host.ports.iter().filter(|port| port.state == PortState::Open);
    Host {
        asset: host.asset.to_string(),
        addresses: host.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        reached: host.reached,
        score: host.score,
        open: open
            .map(|port| Port {
                port: port.port,
                protocol: port.protocol.as_str(),
                address: port.address.to_string(),
                service: port.service.as_deref().unwrap_or("unknown"),
                tls: port.tls,
                product: [port.product.as_deref(), port.version.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
            })
            .collect(),
        other: host.ports.iter().filter(|port| port.state != PortState::Open).count(),
    }
}

fn gap_view(verdict: &VerdictRecord) -> Gap<'_> {
    Gap {
        check_id: verdict.check_id.as_str(),
        asset: &verdict.asset,
        location: verdict.location.as_str(),
        verdict: match verdict.verdict {
            Outcome::Error => "error",
            _ => "not tested",
        },
        reason: verdict.reason.as_deref().unwrap_or(""),
    }
}

// Severity is ordered in the template by `Severity::ALL`; a new one must get a colour there.
const _: () = assert!(Severity::ALL.len() == 5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_seen() {
        assert_eq!(
            seen("x\u{1b}[2J\u{0}\u{7f}\u{9b}\r\n\tB: ü"),
            "x\u{241b}[2J\u{2400}\u{2421}\u{fffd}\u{240d}\n\tB: ü"
        );
    }
}
