//! SARIF 2.1.0 (OASIS standard): one rule a check, one result a finding.
//!
//! A network finding has no source file. Consumers that demand a physical location get a synthetic relative URI
//! (`asset/location`), and the logical location says the same in SARIF's own terms. `partialFingerprints` carries
//! our identity, so that code-scanning services recognise the finding in the next run.

use std::collections::BTreeMap;
use std::io::Write;

use bartizan_catalog::{Catalog, CheckMeta};
use bartizan_domain::document::{FindingRecord, ScanDocument};
use bartizan_domain::{FindingStatus, ScanStatus, Severity};
use serde_json::{Value, json};

use crate::ReportError;

pub(crate) const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(crate) fn render(document: &ScanDocument, catalog: &Catalog, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut ids: Vec<&str> = document.findings.iter().map(|finding| finding.check_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let index: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(position, id)| (*id, position)).collect();
    let rules: Vec<Value> = ids.iter().map(|id| rule(id, catalog.check(id), catalog)).collect();
    let results: Vec<Value> = document.findings.iter().map(|finding| result(finding, &index)).collect();
    let sarif = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Bartizan",
                "semanticVersion": document.scan.tool_version,
                "informationUri": "https://github.com/bartizan/bartizan",
                "rules": rules,
            }},
            "automationDetails": { "id": format!("bartizan/{}/", document.scan.profile) },
            "invocations": [invocation(document)],
            "results": results,
            "columnKind": "unicodeCodePoints",
            "properties": { "score": document.score.value, "coverage": document.coverage, "demo": document.scan.demo },
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &sarif)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn invocation(document: &ScanDocument) -> Value {
    let notifications: Vec<Value> = document
        .scan
        .partial_reasons
        .iter()
        .map(|reason| json!({ "level": "warning", "message": { "text": reason } }))
        .collect();
    let mut invocation = json!({
        "executionSuccessful": document.scan.status == ScanStatus::Completed,
        "startTimeUtc": document.scan.started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "toolExecutionNotifications": notifications,
    });
    if let Some(finished) = document.scan.finished_at {
        invocation["endTimeUtc"] = json!(finished.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    }
    invocation
}

fn rule(id: &str, meta: Option<&CheckMeta>, catalog: &Catalog) -> Value {
    // A document may come from a later version that knows more checks; its findings stay readable.
    let Some(meta) = meta else {
        return json!({ "id": id, "shortDescription": { "text": id } });
    };
    let mut tags = vec!["security".to_owned(), meta.category.to_string()];
    tags.extend(meta.cwe.iter().map(|number| format!("external/cwe/cwe-{number:03}")));
    tags.extend(catalog.controls_of(&meta.id));
    json!({
        "id": id,
        "name": pascal_case(id),
        "shortDescription": { "text": meta.title },
        "fullDescription": { "text": meta.description.trim() },
        "help": { "text": help_text(meta), "markdown": help_markdown(meta) },
        "helpUri": meta.references.first(),
        "defaultConfiguration": { "level": level(meta.severity) },
        "properties": { "tags": tags, "security-severity": security_severity(meta.severity), "precision": "high" },
    })
}

fn result(finding: &FindingRecord, index: &BTreeMap<&str, usize>) -> Value {
    let place = format!("{}/{}", finding.asset, finding.location);
    let mut result = json!({
        "ruleId": finding.check_id,
        "ruleIndex": index.get(finding.check_id.as_str()),
        "level": level(finding.severity),
        "message": { "text": format!("{} on {} ({}).", finding.title, finding.asset, finding.location) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri_path(&place) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": place, "kind": "resource" }],
        }],
        "partialFingerprints": { "bartizan/v1": finding.fingerprint },
        "properties": {
            "severity": finding.severity,
            "security-severity": security_severity(finding.severity),
            "confidence": finding.confidence,
            "status": finding.status,
            "evidence": finding.evidence,
        },
    });
    if finding.status == FindingStatus::AcceptedRisk {
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": "accepted risk" }]);
    }
    result
}

pub(crate) const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The number code-scanning services sort by; inside the bands of CVSS 3.1's severity rating scale.
pub(crate) const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
        Severity::Info => "0.0",
    }
}

fn help_text(meta: &CheckMeta) -> String {
    let steps: Vec<String> = meta.remediation.iter().map(|step| format!("- {step}")).collect();
    format!("{}\n\n{}\n\nWhat to do:\n{}", meta.description.trim(), meta.risk.trim(), steps.join("\n"))
}

fn help_markdown(meta: &CheckMeta) -> String {
    let mut text =
        format!("{}\n\n**Why it matters.** {}\n\n**What to do**\n\n", meta.description.trim(), meta.risk.trim());
    for step in &meta.remediation {
        text.push_str(&format!("1. {step}\n"));
    }
    for example in &meta.examples {
        text.push_str(&format!("\n{}\n\n```\n{}\n```\n", example.label, example.text.trim_end()));
    }
    text.push_str("\n**References**\n\n");
    for reference in &meta.references {
        text.push_str(&format!("- <{reference}>\n"));
    }
    text
}

fn pascal_case(id: &str) -> String {
    id.split(['.', '_'])
        .flat_map(|word| {
            let mut characters = word.chars();
            characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters.collect::<Vec<_>>())
        })
        .collect()
}

/// Percent-encodes what RFC 3986 does not allow in a path, and the colons of IPv6 addresses, which would read as a
/// scheme in a relative reference.
pub(crate) fn uri_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
