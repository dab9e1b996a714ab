//! OpenVEX 0.2.0: one statement a vulnerability, package and status.
//!
//! An open finding is `affected` with what to do about it; a risk that was accepted stays `affected`, never `not_affected`.
//! The format wants at least one statement, so the document of an audit without findings is not valid: there is nothing
//! to state.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::document::{AuditDocument, AuditMatch, Decision, VexStatus};

const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";
/// Justifications of the format, and those of CycloneDX and CSAF that mean the same.
const JUSTIFICATIONS: [(&str, &str); 9] = [
    ("component_not_present", "component_not_present"),
    ("vulnerable_code_not_present", "vulnerable_code_not_present"),
    ("code_not_present", "vulnerable_code_not_present"),
    ("vulnerable_code_not_in_execute_path", "vulnerable_code_not_in_execute_path"),
    ("code_not_reachable", "vulnerable_code_not_in_execute_path"),
    ("vulnerable_code_cannot_be_controlled_by_adversary", "vulnerable_code_cannot_be_controlled_by_adversary"),
    ("inline_mitigations_already_exist", "inline_mitigations_already_exist"),
    ("protected_by_compiler", "inline_mitigations_already_exist"),
    ("protected_at_runtime", "inline_mitigations_already_exist"),
];

pub(super) fn document(document: &AuditDocument) -> Value {
    let mut statements: BTreeMap<String, Value> = BTreeMap::new();
    let mut order = Vec::new();
    let open = document.matches.iter().map(|found| (found, open(found)));
    let denied = document.not_affected.iter().map(|found| {
        (found, json!({ "status": "not_affected", "impact_statement": "The vendor says: not affected." }))
    });
    let decided = document.suppressed.iter().map(|suppressed| (&suppressed.finding, decided(suppressed)));
    for (found, rest) in open.chain(denied).chain(decided) {
        let mut statement = json!({
            "vulnerability": vulnerability(found),
            "products": [product(found)],
        });
        if let (Some(into), Some(from)) = (statement.as_object_mut(), rest.as_object()) {
            into.extend(from.clone());
        }
        // The same package in several files is one product.
        let key = statement.to_string();
        if statements.insert(key.clone(), statement).is_none() {
            order.push(key);
        }
    }
    let statements: Vec<Value> = order.iter().filter_map(|key| statements.remove(key)).collect();
    let timestamp = document.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let digest = Sha256::digest(format!("{timestamp}{}", Value::from(statements.clone())).as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    json!({
        "@context": CONTEXT,
        "@id": format!("https://openvex.dev/docs/public/vex-{hex}"),
        "author": "Bartizan",
        "role": "Vulnerability scanner",
        "timestamp": timestamp,
        "version": 1,
        "tooling": format!("bartizan {}", document.tool_version),
        "statements": statements,
    })
}

fn vulnerability(found: &AuditMatch) -> Value {
    let mut vulnerability = json!({ "name": found.id() });
    if found.ids.len() > 1 {
        vulnerability["aliases"] = json!(found.ids[1..]);
    }
    if !found.title.is_empty() {
        vulnerability["description"] = json!(found.title);
    }
    vulnerability
}

fn product(found: &AuditMatch) -> Value {
    json!({ "@id": found.purl, "identifiers": { "purl": found.purl } })
}

fn open(found: &AuditMatch) -> Value {
    let is_open_question = found.state == "under_investigation"
        || found.vex.as_ref().is_some_and(|vex| vex.status == "under_investigation");
    if is_open_question {
        return json!({ "status": "under_investigation" });
    }
    json!({ "status": "affected", "action_statement": found.action() })
}

fn decided(suppressed: &super::document::Suppressed) -> Value {
    match &suppressed.by {
        Decision::Vex(vex) if vex.status == "fixed" => json!({ "status": "fixed" }),
        Decision::Vex(vex) => not_affected(vex),
        Decision::Ignore { reason, expires, .. } => {
            let until = expires.map(|day| format!(" until {day}")).unwrap_or_default();
            json!({ "status": "affected", "action_statement": format!("Risk accepted{until}: {reason}") })
        }
    }
}

/// The format wants a justification or an impact statement, and not both.
fn not_affected(vex: &VexStatus) -> Value {
    let justification = vex.justification.as_deref();
    let known = justification.and_then(|word| JUSTIFICATIONS.iter().find(|(known, _)| *known == word));
    match known {
        Some((_, justification)) => json!({ "status": "not_affected", "justification": justification }),
        None => {
            let why = vex.note.as_deref().or(justification).unwrap_or("No reason is stated.");
            json!({ "status": "not_affected", "impact_statement": why })
        }
    }
}
