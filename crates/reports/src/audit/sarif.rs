//! SARIF 2.1.0: one rule a vulnerability, one result a package with it; the location is the file that names the package.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::document::{AuditDocument, AuditMatch, Decision};
use crate::sarif::{SCHEMA, level, security_severity, uri_path};

pub(super) fn document(document: &AuditDocument) -> Value {
    let all: Vec<(&AuditMatch, Option<&Decision>)> = document
        .matches
        .iter()
        .map(|found| (found, None))
        .chain(document.suppressed.iter().map(|suppressed| (&suppressed.finding, Some(&suppressed.by))))
        .collect();
    // The rule of a vulnerability is described by the worst of its matches.
    let mut rules: BTreeMap<&str, &AuditMatch> = BTreeMap::new();
    for (found, _) in &all {
        let rule = rules.entry(found.id()).or_insert(found);
        if found.severity > rule.severity {
            *rule = found;
        }
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(position, id)| (*id, position)).collect();
    let notifications: Vec<Value> = document
        .partial_reasons
        .iter()
        .map(String::clone)
        .chain(document.not_covered.iter().map(|gap| {
            let remedy = gap.remedy.as_ref().map(|remedy| format!(": {remedy}")).unwrap_or_default();
            format!("{}: {} packages not covered ({}): {}{remedy}", gap.path, gap.count, gap.ecosystem, gap.reason)
        }))
        .map(|text| json!({ "level": "warning", "message": { "text": text } }))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Bartizan",
                "semanticVersion": document.tool_version,
                "informationUri": "https://github.com/bartizan/bartizan",
                "rules": rules.values().map(|found| rule(found)).collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": "bartizan/audit/" },
            "invocations": [{
                "executionSuccessful": !document.partial,
                "endTimeUtc": document.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                "toolExecutionNotifications": notifications,
            }],
            "results": all.iter().map(|(found, by)| result(found, *by, &index)).collect::<Vec<_>>(),
            "columnKind": "unicodeCodePoints",
            "properties": { "packages": document.packages },
        }],
    })
}

fn rule(found: &AuditMatch) -> Value {
    let id = found.id();
    let title = if found.title.is_empty() { format!("{id} in {}", found.package) } else { found.title.clone() };
    let names = found.ids.join(", ");
    let mut tags = vec!["security".to_owned(), "vulnerability".to_owned(), found.ecosystem.clone()];
    tags.extend(found.ids.iter().skip(1).cloned());
    let cvss = found.cvss.map_or_else(|| security_severity(found.severity).to_owned(), |score| format!("{score:.1}"));
    json!({
        "id": id,
        "name": "VulnerablePackage",
        "shortDescription": { "text": title },
        "fullDescription": { "text": format!("{title} ({names})") },
        "help": { "text": format!("{title}\n\nNames: {names}\n\nWhat to do: {}", found.action()) },
        "helpUri": link(id),
        "defaultConfiguration": { "level": level(found.severity) },
        "properties": { "tags": tags, "security-severity": cvss, "precision": precision(found.confidence) },
    })
}

/// A page about a vulnerability.
fn link(id: &str) -> Option<String> {
    let safe = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_'));
    if !safe {
        return None;
    }
    Some(if id.starts_with("CVE-") {
        format!("https://nvd.nist.gov/vuln/detail/{id}")
    } else {
        format!("https://osv.dev/vulnerability/{id}")
    })
}

const fn precision(confidence: u8) -> &'static str {
    match confidence {
        90.. => "very-high",
        70..=89 => "high",
        30..=69 => "medium",
        _ => "low",
    }
}

fn result(found: &AuditMatch, by: Option<&Decision>, index: &BTreeMap<&str, usize>) -> Value {
    let place = format!("{} {}", found.package, found.version);
    let mut result = json!({
        "ruleId": found.id(),
        "ruleIndex": index.get(found.id()),
        "level": level(found.severity),
        "message": { "text": format!("{place} in {} has {}. {}", found.path, found.id(), found.action()) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri_path(found.path.trim_start_matches('/')) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": found.purl, "name": place, "kind": "module" }],
        }],
        "partialFingerprints": { "bartizan/v1": found.fingerprint },
        "properties": {
            "severity": found.severity,
            "security-severity": found.cvss.map_or_else(|| security_severity(found.severity).to_owned(), |score| format!("{score:.1}")),
            "score": found.score,
            "state": found.state,
            "method": found.method,
            "confidence": found.confidence,
            "fixed": found.fixed,
            "ids": found.ids,
            "kev": !found.kev.is_empty(),
        },
    });
    if let Some(by) = by {
        let justification = match by {
            Decision::Vex(vex) => {
                let why = vex.justification.as_deref().or(vex.note.as_deref()).unwrap_or("no reason stated");
                format!("{} by {}: {why}", vex.status, vex.file)
            }
            Decision::Ignore { file, reason, .. } => format!("accepted by {file}: {reason}"),
        };
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": justification }]);
    }
    result
}
