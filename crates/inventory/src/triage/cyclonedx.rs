//! VEX in CycloneDX: `vulnerabilities[].analysis` of a BOM of its own or of the components' BOM.
//!
//! Rules: the CycloneDX specification, 1.4 and later. `affects[].ref` is a `bom-ref` of the same document, or a BOM-Link
//! (`urn:cdx:serial/version#bom-ref`); a reference that is a package URL itself, as most tools write them, names the package. A
//! BOM-Link speaks of one document, so what it says holds for what is audited by that document ([`super::product`]).
//!
//! Where `affects[].versions` lists versions, the statement is about these alone, each with its own `status`, which is
//! `affected` unless said otherwise: a version that is `unaffected` is cleared whatever the state, and one that is
//! `affected` is never cleared.
//!
//! Not supported: XML; a BOM-Link whose reference is no package URL (the other document is not read); version ranges in
//! `affects[].versions`, which are reported as not usable.

use std::collections::HashMap;

use serde_json::Value;

use super::product::decoded;
use super::{Product, Statement, Status, Subject, Vex, list, subject_of_purl, text, time};

/// Levels of nested components.
const MAX_DEPTH: usize = 64;

pub(super) fn read(document: &Value) -> Vex {
    let mut components = HashMap::new();
    index(document, 0, &mut components);
    if let Some(about) = document.pointer("/metadata/component") {
        index_one(about, 0, &mut components);
    }
    let mut vex = Vex::default();
    for vulnerability in list(document, "vulnerabilities") {
        let Some(analysis) = vulnerability.get("analysis") else { continue };
        let id = text(vulnerability, "id").unwrap_or_default();
        let status = match text(analysis, "state") {
            Some("not_affected" | "false_positive") => Status::NotAffected,
            Some("resolved" | "resolved_with_pedigree") => Status::Fixed,
            Some("exploitable") => Status::Affected,
            Some("in_triage") => Status::UnderInvestigation,
            _ => {
                vex.unusable(id, "its state is missing or not known");
                continue;
            }
        };
        let mut ids: Vec<String> =
            list(vulnerability, "references").filter_map(|r| text(r, "id")).map(str::to_owned).collect();
        ids.insert(0, id.to_owned());
        ids.retain(|id| !id.is_empty());
        for affected in list(vulnerability, "affects") {
            let reference = text(affected, "ref").unwrap_or_default();
            let Some(subject) = subject(reference, &components) else {
                vex.unusable(reference, "it names no package of this document");
                continue;
            };
            let within = reference.strip_prefix("urn:cdx:").map(|link| {
                let serial = link.split(['/', '#']).next().unwrap_or_default();
                Product(vec![format!("urn:uuid:{}", serial.to_ascii_lowercase())])
            });
            let statement = |subject: Subject, status: Status| Statement {
                ids: ids.clone(),
                subject,
                within: within.clone(),
                status,
                justification: text(analysis, "justification").map(str::to_owned),
                note: text(analysis, "detail").map(str::to_owned),
                timestamp: time(analysis, "lastUpdated")
                    .or_else(|| time(vulnerability, "updated"))
                    .or_else(|| document.get("metadata").and_then(|metadata| time(metadata, "timestamp"))),
            };
            let mut versions = list(affected, "versions").peekable();
            if versions.peek().is_none() {
                vex.push(statement(subject, status));
                continue;
            }
            for listed in versions {
                match narrowed(&subject, status, listed) {
                    Ok((subject, status)) => vex.push(statement(subject, status)),
                    Err(reason) => vex.unusable(reference, reason),
                }
            }
        }
    }
    vex
}

/// What is said of one entry of `affects[].versions`, or why it cannot be used.
fn narrowed(subject: &Subject, status: Status, listed: &Value) -> Result<(Subject, Status), &'static str> {
    let Some(version) = text(listed, "version") else {
        return Err("it is about a range of versions, which is not read");
    };
    let Subject::Package(package) = subject else {
        return Err("it is about a version of something that is named by CPE");
    };
    let status = match (text(listed, "status").unwrap_or("affected"), status) {
        ("unaffected", Status::Fixed) => Status::Fixed,
        ("unaffected", _) => Status::NotAffected,
        ("affected", Status::NotAffected | Status::Fixed) => {
            return Err("its state clears what its list of versions calls affected");
        }
        ("affected", status) => status,
        _ => return Err("the status of a version is unknown"),
    };
    let mut package = package.clone();
    package.version = version.into();
    Ok((Subject::Package(package), status))
}

fn index<'v>(parent: &'v Value, depth: usize, into: &mut HashMap<&'v str, &'v Value>) {
    for component in list(parent, "components") {
        index_one(component, depth, into);
    }
}

fn index_one<'v>(component: &'v Value, depth: usize, into: &mut HashMap<&'v str, &'v Value>) {
    if let Some(reference) = text(component, "bom-ref") {
        into.insert(reference, component);
    }
    if depth < MAX_DEPTH {
        index(component, depth + 1, into);
    }
}

fn subject(reference: &str, components: &HashMap<&str, &Value>) -> Option<Subject> {
    if let Some(component) = components.get(reference) {
        return text(component, "purl")
            .and_then(subject_of_purl)
            .or_else(|| text(component, "cpe").map(|name| Subject::Cpe(name.to_owned())));
    }
    let linked = match reference.strip_prefix("urn:cdx:") {
        // The fragment is percent-encoded; the package URL in it is decoded once more when it is read.
        Some(link) => decoded(link.split_once('#')?.1),
        None => reference.to_owned(),
    };
    subject_of_purl(&linked)
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::{Ecosystem, Package};
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2024-01-01T00:00:00Z"},
        "components":[{"type":"library","bom-ref":"c1","name":"lodash","version":"4.17.20","purl":"pkg:npm/lodash@4.17.20"}],
        "vulnerabilities":[
        {"id":"CVE-2021-1","references":[{"id":"GHSA-a","source":{"name":"GitHub"}}],"analysis":{"state":"false_positive","detail":"not our code"},"affects":[{"ref":"c1"}]},
        {"id":"CVE-2021-2","analysis":{"state":"resolved"},"affects":[{"ref":"pkg:cargo/time","versions":[{"version":"0.1.45","status":"unaffected"}]}]},
        {"id":"CVE-2021-3","analysis":{"state":"in_triage"},"affects":[{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Anpm%2Fx%401.0.0"}]},
        {"id":"CVE-2021-4","affects":[{"ref":"c1"}]},
        {"id":"CVE-2021-5","analysis":{"state":"exploitable"},"affects":[{"ref":"unknown"}]}]}"#;

    #[test]
    fn references_lead_to_packages() {
        let vex = Vex::read(DOCUMENT.as_bytes()).unwrap();
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4.17.20");
        assert!(vex.statements[0].speaks_of(&lodash, &["GHSA-a".into()]));
        assert_eq!(vex.statements[0].status, Status::NotAffected);
        let crate_time = |version: &str| Package::new(Ecosystem::CratesIo, "time", version);
        assert!(vex.statements[1].speaks_of(&crate_time("0.1.45"), &["CVE-2021-2".into()]));
        assert!(!vex.statements[1].speaks_of(&crate_time("0.1.44"), &["CVE-2021-2".into()]));
        let linked = Package::new(Ecosystem::Npm, "x", "1.0.0");
        assert!(vex.statements[2].speaks_of(&linked, &["CVE-2021-3".into()]));
        assert_eq!(vex.statements.len(), 3);
        assert_eq!(vex.unusable.len(), 1);
    }

    #[test]
    fn versions_are_never_widened() {
        let left = |version: &str| Package::new(Ecosystem::Npm, "left", version);
        let statuses = |state: &str, versions: &str, version: &str| {
            let document = format!(
                r#"{{"bomFormat":"CycloneDX","vulnerabilities":[{{"id":"CVE-1","analysis":{{"state":"{state}"}},
                "affects":[{{"ref":"pkg:npm/left","versions":{versions}}}]}}]}}"#
            );
            let vex = Vex::read(document.as_bytes()).unwrap();
            let of: Vec<Status> = vex
                .statements
                .iter()
                .filter(|statement| statement.speaks_of(&left(version), &["CVE-1".into()]))
                .map(|statement| statement.status)
                .collect();
            (of, vex.unusable.len())
        };
        assert_eq!(statuses("not_affected", r#"[{"range":"vers:npm/<1.0.0"}]"#, "1.5.0"), (vec![], 1));
        let two = r#"[{"version":"0.1.0","status":"unaffected"},{"version":"0.2.0","status":"unaffected"}]"#;
        assert_eq!(statuses("not_affected", two, "1.5.0"), (vec![], 0));
        assert_eq!(statuses("not_affected", two, "0.2.0"), (vec![Status::NotAffected], 0));
        assert_eq!(statuses("not_affected", r#"[{"version":"1.5.0"}]"#, "1.5.0"), (vec![], 1));
        assert_eq!(statuses("not_affected", r#"[{"version":"1.5.0","status":"unknown"}]"#, "1.5.0"), (vec![], 1));
        let mixed = r#"[{"version":"1.5.0","status":"unaffected"},{"version":"1.4.0"}]"#;
        assert_eq!(statuses("exploitable", mixed, "1.5.0"), (vec![Status::NotAffected], 0));
        assert_eq!(statuses("exploitable", mixed, "1.4.0"), (vec![Status::Affected], 0));
        assert_eq!(statuses("exploitable", "[]", "1.4.0"), (vec![Status::Affected], 0));
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..DOCUMENT.len(), byte in any::<u8>()) {
            let mut bytes = DOCUMENT.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Vex::read(&bytes);
        }
    }
}
