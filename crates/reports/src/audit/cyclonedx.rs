//! CycloneDX 1.5 with the vulnerable packages as components and an analysis of each vulnerability.
//!
//! An open finding is `exploitable` in the words of the format, which means: it applies; an accepted risk is that too, with
//! the response `will_not_fix`.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_domain::Severity;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::document::{AuditDocument, AuditMatch, Decision};

/// Justifications of the format, and those of OpenVEX and CSAF that mean the same.
const JUSTIFICATIONS: [(&str, &str); 14] = [
    ("code_not_present", "code_not_present"),
    ("component_not_present", "code_not_present"),
    ("vulnerable_code_not_present", "code_not_present"),
    ("code_not_reachable", "code_not_reachable"),
    ("vulnerable_code_not_in_execute_path", "code_not_reachable"),
    ("vulnerable_code_cannot_be_controlled_by_adversary", "code_not_reachable"),
    ("inline_mitigations_already_exist", "protected_by_mitigating_control"),
    ("requires_configuration", "requires_configuration"),
    ("requires_dependency", "requires_dependency"),
    ("requires_environment", "requires_environment"),
    ("protected_by_compiler", "protected_by_compiler"),
    ("protected_at_runtime", "protected_at_runtime"),
    ("protected_at_perimeter", "protected_at_perimeter"),
    ("protected_by_mitigating_control", "protected_by_mitigating_control"),
];

/// One vulnerability with one analysis; it may concern several packages.
struct Entry<'d> {
    found: &'d AuditMatch,
    analysis: Value,
    components: BTreeSet<&'d str>,
}

pub(super) fn document(document: &AuditDocument) -> Value {
    let mut components: BTreeMap<&str, &AuditMatch> = BTreeMap::new();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut position: BTreeMap<(String, String), usize> = BTreeMap::new();
    let open = document.matches.iter().map(|found| (found, open(found)));
    let denied = document
        .not_affected
        .iter()
        .map(|found| (found, json!({ "state": "not_affected", "detail": "The vendor says: not affected." })));
    let decided = document.suppressed.iter().map(|suppressed| (&suppressed.finding, decided(&suppressed.by)));
    for (found, analysis) in open.chain(denied).chain(decided) {
        components.insert(&found.purl, found);
        let key = (found.id().to_owned(), analysis.to_string());
        let at = *position.entry(key).or_insert_with(|| {
            entries.push(Entry { found, analysis, components: BTreeSet::new() });
            entries.len() - 1
        });
        entries[at].components.insert(&found.purl);
    }
    let components: Vec<Value> = components.values().map(|found| component(found)).collect();
    let vulnerabilities: Vec<Value> = entries.iter().map(vulnerability).collect();
    let timestamp = document.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": serial(&timestamp, &vulnerabilities),
        "version": 1,
        "metadata": {
            "timestamp": timestamp,
            "tools": { "components": [
                { "type": "application", "name": "bartizan", "version": document.tool_version },
            ]},
        },
        "components": components,
        "vulnerabilities": vulnerabilities,
    })
}

/// A UUID of the content, so that the same result has the same number.
fn serial(timestamp: &str, vulnerabilities: &[Value]) -> String {
    let mut hash = Sha256::new();
    hash.update(timestamp.as_bytes());
    for vulnerability in vulnerabilities {
        hash.update(vulnerability.to_string().as_bytes());
    }
    let digest = hash.finalize();
    let mut bytes: Vec<u8> = digest.iter().take(16).copied().collect();
    // Version 8 (RFC 9562: a form of one's own), variant 10.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn component(found: &AuditMatch) -> Value {
    json!({
        "type": "library",
        "bom-ref": found.purl,
        "name": found.package,
        "version": found.version,
        "purl": found.purl,
    })
}

fn vulnerability(entry: &Entry<'_>) -> Value {
    let found = entry.found;
    let mut value = json!({
        "bom-ref": format!("{}/{}", found.id(), &hex_of(&entry.analysis)),
        "id": found.id(),
        "recommendation": found.action(),
        "analysis": entry.analysis,
        "affects": entry.components.iter().map(|purl| json!({ "ref": purl })).collect::<Vec<_>>(),
        "properties": [
            { "name": "bartizan:score", "value": format!("{:.2}", found.score) },
            { "name": "bartizan:state", "value": found.state },
            { "name": "bartizan:confidence", "value": found.confidence.to_string() },
            { "name": "bartizan:kev", "value": (!found.kev.is_empty()).to_string() },
        ],
    });
    if !found.title.is_empty() {
        value["description"] = json!(found.title);
    }
    if found.severity_stated {
        let mut rating = json!({ "severity": severity(found.severity) });
        if let Some(score) = found.cvss {
            rating["score"] = json!((f64::from(score) * 10.0).round() / 10.0);
        }
        value["ratings"] = json!([rating]);
    }
    if found.ids.len() > 1 {
        value["references"] =
            found.ids[1..].iter().map(|id| json!({ "id": id, "source": { "name": source_of(id) } })).collect();
    }
    value
}

fn hex_of(value: &Value) -> String {
    Sha256::digest(value.to_string().as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Who gives names of that form.
fn source_of(id: &str) -> &str {
    match id.split('-').next().unwrap_or_default() {
        "CVE" => "NVD",
        "GHSA" => "GitHub",
        "RUSTSEC" => "RustSec",
        "PYSEC" => "PyPA",
        "GO" => "Go",
        other => other,
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Info => "info",
    }
}

fn open(found: &AuditMatch) -> Value {
    let is_open_question = found.state == "under_investigation"
        || found.vex.as_ref().is_some_and(|vex| vex.status == "under_investigation");
    if is_open_question {
        return json!({ "state": "in_triage" });
    }
    let response = match found.state.as_str() {
        "will_not_fix" => Some("will_not_fix"),
        "end_of_life" | "no_fix_yet" => Some("can_not_fix"),
        _ if !found.fixed.is_empty() => Some("update"),
        _ => None,
    };
    let mut analysis = json!({ "state": "exploitable" });
    if let Some(response) = response {
        analysis["response"] = json!([response]);
    }
    analysis
}

fn decided(by: &Decision) -> Value {
    match by {
        Decision::Ignore { reason, .. } => {
            json!({ "state": "exploitable", "response": ["will_not_fix"], "detail": format!("Risk accepted: {reason}") })
        }
        Decision::Vex(vex) => {
            let state = if vex.status == "fixed" { "resolved" } else { "not_affected" };
            let mut analysis = json!({ "state": state });
            let word = vex.justification.as_deref();
            let known = word.and_then(|word| JUSTIFICATIONS.iter().find(|(known, _)| *known == word));
            if let (Some((_, justification)), "not_affected") = (known, state) {
                analysis["justification"] = json!(justification);
            }
            if let Some(detail) = vex.note.as_deref().or(word) {
                analysis["detail"] = json!(detail);
            }
            analysis
        }
    }
}
