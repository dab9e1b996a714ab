//! One audit document through every format.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_domain::Severity;
use bartizan_reports::audit::{
    AUDIT_SCHEMA, AuditDocument, AuditEpss, AuditEvidence, AuditFormat, AuditKev, AuditMatch, AuditSource, Baseline,
    Decision, DecisionNote, EndOfLife, Gone, GoneReason, NotCovered, PassedOver, ScorePart, StoreSource, Suppressed,
    VexStatus, render,
};
use bartizan_reports::{Colour, RenderOptions};
use serde_json::Value;

fn finding(id: &str, package: &str, severity: Severity) -> AuditMatch {
    let path = "app/package-lock.json".to_owned();
    let purl = format!("pkg:npm/{package}@1.0.0");
    AuditMatch {
        fingerprint: AuditMatch::fingerprint(&path, &purl, id),
        path,
        ecosystem: "npm".to_owned(),
        package: package.to_owned(),
        version: "1.0.0".to_owned(),
        source_package: None,
        purl,
        scope: "runtime".to_owned(),
        origin: "registry".to_owned(),
        ids: vec![id.to_owned(), format!("GHSA-{id}")],
        title: "A flaw\u{1b}[31m that an attacker described".to_owned(),
        kind: "vulnerability".to_owned(),
        state: "affected".to_owned(),
        severity,
        severity_stated: true,
        method: "ecosystem".to_owned(),
        confidence: 100,
        fixed: vec!["1.0.1".to_owned()],
        score: 7.25,
        score_parts: vec![ScorePart { source: "kev".to_owned(), value: 10.0, weight: 2.0 }],
        score_unknown: Vec::new(),
        cvss: Some(9.8),
        epss: Some(AuditEpss { score: 0.5, percentile: 0.98, date: "2026-01-01".parse().ok() }),
        kev: vec![AuditKev { asserter: "cisa".to_owned(), added: None, due: None, ransomware: true }],
        exploits: vec!["metasploit".to_owned()],
        vex: None,
        evidence: vec![AuditEvidence {
            advisory: format!("GHSA-{id}"),
            source: "ghsa".to_owned(),
            revision: "r1".to_owned(),
            name: package.to_owned(),
            version: "1.0.0".to_owned(),
            range: "<1.0.1".to_owned(),
            dialect: "npm".to_owned(),
            state: "affected".to_owned(),
            notes: Vec::new(),
        }],
    }
}

fn document() -> AuditDocument {
    let mut unfixed = finding("CVE-2024-2", "beta", Severity::Medium);
    unfixed.state = "will_not_fix".to_owned();
    unfixed.fixed.clear();
    unfixed.kev.clear();
    unfixed.exploits.clear();
    unfixed.epss = None;
    unfixed.cvss = None;
    let mut denied = finding("CVE-2024-3", "=gamma", Severity::Low);
    denied.state = "not_affected".to_owned();
    let vex = |status: &str, justification: Option<&str>| VexStatus {
        file: "vex.json".to_owned(),
        status: status.to_owned(),
        justification: justification.map(str::to_owned),
        note: Some("never called".to_owned()),
    };
    AuditDocument {
        schema: AUDIT_SCHEMA.to_owned(),
        tool_version: "0.1.0".to_owned(),
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        partial: true,
        partial_reasons: vec!["broken/Cargo.lock: expected a key".to_owned()],
        store: vec![StoreSource {
            name: "ghsa".to_owned(),
            records: 3,
            imported_at: "2026-01-01T00:00:00Z".parse().ok(),
            failure: None,
        }],
        sources: vec![AuditSource {
            path: "app/package-lock.json".to_owned(),
            format: "npm-lock".to_owned(),
            packages: 5,
            os: None,
            error: None,
        }],
        packages: 5,
        not_covered: vec![NotCovered {
            path: "conan.lock".to_owned(),
            ecosystem: "ConanCenter".to_owned(),
            code: "ecosystem_not_covered".to_owned(),
            reason: "no imported source speaks of ConanCenter".to_owned(),
            remedy: Some("import records about ConanCenter".to_owned()),
            count: 1,
            packages: vec!["zlib 1.2.11".to_owned()],
        }],
        passed_over: vec![PassedOver {
            path: "Cargo.lock".to_owned(),
            reason: "a symbolic link to `a/Cargo.lock`, which is read there".to_owned(),
        }],
        matches: vec![finding("CVE-2024-1", "alpha", Severity::Critical), unfixed],
        leads: Vec::new(),
        not_affected: vec![denied],
        suppressed: vec![
            Suppressed {
                finding: finding("CVE-2024-4", "delta", Severity::High),
                by: Decision::Vex(vex("not_affected", Some("vulnerable_code_not_in_execute_path"))),
            },
            Suppressed {
                finding: finding("CVE-2024-5", "delta", Severity::High),
                by: Decision::Vex(vex("not_affected", Some("a word of its own"))),
            },
            Suppressed {
                finding: finding("CVE-2024-6", "delta", Severity::High),
                by: Decision::Vex(vex("fixed", None)),
            },
            Suppressed {
                finding: finding("CVE-2024-7", "delta", Severity::High),
                by: Decision::Ignore {
                    file: "ignore.toml".to_owned(),
                    reason: "build tool".to_owned(),
                    expires: "2026-12-31".parse().ok(),
                },
            },
        ],
        decision_notes: vec![DecisionNote {
            file: "ignore.toml".to_owned(),
            entry: "CVE-2020-1".to_owned(),
            problem: "it speaks of nothing that was found".to_owned(),
        }],
        end_of_life: vec![EndOfLife {
            path: "var/lib/dpkg/status".to_owned(),
            subject: "Debian:9".to_owned(),
            product: "debian".to_owned(),
            cycle: "9".to_owned(),
            ended: "2020-07-18".parse().ok(),
            extended_until: "2027-06-30".parse().ok(),
        }],
        baseline: Some(Baseline {
            file: "before.json".to_owned(),
            created_at: "2025-12-01T00:00:00Z".parse().unwrap(),
            new: vec!["v1:0".to_owned()],
            gone: vec![Gone {
                fingerprint: "v1:1".to_owned(),
                path: "app/package-lock.json".to_owned(),
                ecosystem: "npm".to_owned(),
                package: "epsilon".to_owned(),
                version: "1.0.0".to_owned(),
                ids: vec!["CVE-2024-8".to_owned()],
                reason: GoneReason::Withdrawn,
                detail: "GHSA-8 is withdrawn".to_owned(),
            }],
        }),
    }
}

fn empty() -> AuditDocument {
    AuditDocument {
        matches: Vec::new(),
        not_affected: Vec::new(),
        suppressed: Vec::new(),
        not_covered: Vec::new(),
        passed_over: Vec::new(),
        partial: false,
        partial_reasons: Vec::new(),
        end_of_life: Vec::new(),
        baseline: None,
        ..document()
    }
}

fn rendered(format: AuditFormat, document: &AuditDocument) -> String {
    let mut out = Vec::new();
    render(format, document, RenderOptions { colour: Colour::Never, width: Some(140) }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(format: AuditFormat, document: &AuditDocument) -> Value {
    serde_json::from_str(&rendered(format, document)).unwrap()
}

fn assert_valid(schema: &str, instance: &Value) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn json_is_lossless() {
    let again: AuditDocument = serde_json::from_str(&rendered(AuditFormat::Json, &document())).unwrap();
    assert_eq!(again, document());
}

#[test]
fn table_reads_well_and_neutralises_control_characters() {
    let text = rendered(AuditFormat::Table, &document());
    assert!(!text.contains('\u{1b}'), "an escape sequence of a file reached the terminal");
    insta::assert_snapshot!(text);
    let text = rendered(AuditFormat::Table, &empty());
    assert!(text.contains("0 vulnerabilities\n"), "{text}");
}

#[test]
fn csv_cells_cannot_become_formulas() {
    let text = rendered(AuditFormat::Csv, &document());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().any(|row| &row[3] == "'=gamma"));
    for cell in rows.iter().flat_map(|row| row.iter()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
}

#[test]
fn sarif_validates_against_the_schema_of_the_standard() {
    for document in [document(), empty()] {
        assert_valid(include_str!("schemas/sarif-2.1.0.json"), &json(AuditFormat::Sarif, &document));
    }
    let sarif = json(AuditFormat::Sarif, &document());
    let results = sarif.pointer("/runs/0/results").unwrap().as_array().unwrap();
    assert_eq!(results.len(), 6);
    assert_eq!(results.iter().filter(|result| result.get("suppressions").is_some()).count(), 4);
    let rules = sarif.pointer("/runs/0/tool/driver/rules").unwrap().as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn cyclonedx_validates_against_the_schema_of_the_standard() {
    for document in [document(), empty()] {
        assert_valid(include_str!("schemas/cyclonedx-1.5.json"), &json(AuditFormat::CyclonedxVex, &document));
    }
    let bom = json(AuditFormat::CyclonedxVex, &document());
    let references: Vec<&str> =
        bom["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    let mut states = Vec::new();
    for vulnerability in bom["vulnerabilities"].as_array().unwrap() {
        states.push((vulnerability["id"].as_str().unwrap(), vulnerability["analysis"]["state"].as_str().unwrap()));
        for affected in vulnerability["affects"].as_array().unwrap() {
            assert!(references.contains(&affected["ref"].as_str().unwrap()));
        }
    }
    states.sort_unstable();
    assert_eq!(
        states,
        [
            ("CVE-2024-1", "exploitable"),
            ("CVE-2024-2", "exploitable"),
            ("CVE-2024-3", "not_affected"),
            ("CVE-2024-4", "not_affected"),
            ("CVE-2024-5", "not_affected"),
            ("CVE-2024-6", "resolved"),
            ("CVE-2024-7", "exploitable"),
        ]
    );
}

/// The rules of the OpenVEX specification 0.2.0 and its schema, spelled out: which members there are, which are needed for
/// which status.
#[test]
fn openvex_follows_the_rules_of_its_specification() {
    let vex = json(AuditFormat::Openvex, &document());
    let allowed = |value: &Value, names: &[&str]| {
        for name in value.as_object().unwrap().keys() {
            assert!(names.contains(&name.as_str()), "`{name}` is not a member of the format");
        }
    };
    allowed(
        &vex,
        &["@context", "@id", "author", "role", "timestamp", "last_updated", "version", "tooling", "statements"],
    );
    assert_eq!(vex["@context"], "https://openvex.dev/ns/v0.2.0");
    assert!(vex["@id"].as_str().unwrap().starts_with("https://"));
    assert!(chrono::DateTime::parse_from_rfc3339(vex["timestamp"].as_str().unwrap()).is_ok());
    assert_eq!(vex["version"], 1);
    let statements = vex["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 7);
    for statement in statements {
        allowed(
            statement,
            &["vulnerability", "products", "status", "justification", "impact_statement", "action_statement"],
        );
        allowed(&statement["vulnerability"], &["name", "aliases", "description"]);
        assert!(statement["vulnerability"]["name"].is_string());
        for product in statement["products"].as_array().unwrap() {
            allowed(product, &["@id", "identifiers"]);
            assert!(product["@id"].as_str().unwrap().starts_with("pkg:"));
        }
        let has = |name: &str| statement.get(name).is_some();
        match statement["status"].as_str().unwrap() {
            "affected" => assert!(has("action_statement")),
            "not_affected" => assert!(has("justification") != has("impact_statement"), "one of the two: {statement}"),
            "fixed" | "under_investigation" => {}
            other => panic!("`{other}` is not a status"),
        }
    }
    let of = |id: &str| statements.iter().find(|s| s["vulnerability"]["name"] == id).unwrap();
    assert_eq!(of("CVE-2024-4")["justification"], "vulnerable_code_not_in_execute_path");
    assert_eq!(of("CVE-2024-5")["impact_statement"], "never called");
    assert_eq!(of("CVE-2024-7")["status"], "affected", "an accepted risk is not `not_affected`");
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    for format in AuditFormat::ALL {
        assert_eq!(rendered(format, &document()), rendered(format, &document()), "{format}");
    }
}
