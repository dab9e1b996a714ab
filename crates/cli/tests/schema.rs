//! The published schema of the native document, held against real scans and against every field there is.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;

use std::collections::BTreeSet;

use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{
    FindingRecord, Gap, HostResult, PortResult, SCAN_SCHEMA, ScanDocument, ScanSummary, VerdictRecord,
};
use bartizan_domain::evidence::ports::{PortState, PortSummary};
use bartizan_domain::score::{AssetScore, scan_score};
use bartizan_domain::{
    AssetRef, CheckId, Confidence, FindingStatus, Fingerprint, Location, Outcome, ScanProfile, ScanStatus, Severity,
    Transport,
};
use common::{Peer, run, stderr};
use serde_json::{Value, json};

/// The schema, but with no room for fields it does not name.
fn strict() -> Value {
    fn close(schema: &mut Value) {
        match schema {
            Value::Object(object) => {
                object.values_mut().for_each(close);
                if object.get("properties").is_some_and(Value::is_object) && object.contains_key("required") {
                    object.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut schema = serde_json::from_str(include_str!("../../../docs/bartizan.scan-1.schema.json")).unwrap();
    close(&mut schema);
    schema
}

fn problems(document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&strict()).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn assert_documented(document: &Value) {
    let problems = problems(document);
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Names of fields of objects, wherever they are; what is inside of evidence is none of the schema's.
fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                into.insert(name.clone());
                if name != "evidence" {
                    fields(inner, into);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, into)),
        _ => {}
    }
}

/// Names of fields that the schema describes.
fn described(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                into.extend(properties.keys().cloned());
            }
            object.values().for_each(|inner| described(inner, into));
        }
        Value::Array(items) => items.iter().for_each(|item| described(item, into)),
        _ => {}
    }
}

/// A document in which every field there is has a value.
fn full() -> ScanDocument {
    let asset = AssetRef::Domain("shop.example.com".to_owned());
    let address = [192, 0, 2, 1].into();
    let check = CheckId::parse("cert.expired").unwrap();
    let at = "2026-11-22T03:00:00Z".parse().unwrap();
    let states = [
        PortState::Open,
        PortState::Closed,
        PortState::Filtered,
        PortState::OpenFiltered,
        PortState::Unreachable,
        PortState::Error,
    ];
    let places = [
        Location::host(),
        Location::port(Transport::Udp, 53),
        Location::path(Transport::Tcp, 443, "/.git/HEAD"),
        Location::dns(),
        Location::dns_name("ns.example.com"),
        Location::registration(),
    ];
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Error, Outcome::NotApplicable, Outcome::NotTested];
    let findings = Severity::ALL.into_iter().zip(FindingStatus::ALL).zip(&places).map(|((severity, status), place)| {
        FindingRecord {
            fingerprint: Fingerprint::of(&check, &asset, place),
            check_id: check.clone(),
            severity,
            status,
            confidence: Confidence::Hint,
            asset: asset.to_string(),
            location: place.clone(),
            title: "The certificate has expired".to_owned(),
            category: "certificate".to_owned(),
            evidence: json!({ "anything": [1] }),
            remediation: vec!["Renew it.".to_owned()],
            controls: vec!["nis2:21.2.h".to_owned()],
        }
    });
    let verdicts = outcomes.iter().zip(&places).map(|(outcome, place)| VerdictRecord {
        check_id: check.clone(),
        asset: asset.to_string(),
        location: place.clone(),
        verdict: *outcome,
        reason: Some("why".to_owned()),
    });
    let coverage: OutcomeCounts = outcomes.into_iter().collect();
    ScanDocument {
        schema: SCAN_SCHEMA.to_owned(),
        scan: ScanSummary {
            id: Some(7),
            targets: vec!["shop.example.com".to_owned()],
            profile: ScanProfile::Full,
            status: ScanStatus::Completed,
            partial: true,
            partial_reasons: vec!["a sentence".to_owned()],
            started_at: at,
            finished_at: Some(at),
            tool_version: "1.2.3".to_owned(),
            catalogue: "abcdef012345".to_owned(),
            demo: true,
        },
        hosts: vec![HostResult {
            asset: asset.clone(),
            address: Some(address),
            addresses: vec![address],
            names: vec!["shop.example.com".to_owned()],
            reached: true,
            ports: (1..)
                .zip(states)
                .map(|(port, state)| PortResult {
                    address,
                    port,
                    protocol: Transport::Tcp,
                    state,
                    reason: "syn-ack".to_owned(),
                    service: Some("http".to_owned()),
                    product: Some("nginx".to_owned()),
                    version: Some("1.26".to_owned()),
                    tls: true,
                })
                .collect(),
            summarised: vec![PortSummary {
                address,
                protocol: Transport::Udp,
                state: PortState::OpenFiltered,
                reason: "no-response".to_owned(),
                count: 30,
            }],
            score: Some(79),
            why_unreached: Some("no port answered".to_owned()),
            gaps: vec![
                Gap::LocalResources,
                Gap::NothingJudged,
                Gap::NamedPortsNotOpen { ports: [80, 81, 443].into_iter().collect() },
            ],
        }],
        findings: findings.collect(),
        verdicts: verdicts.collect(),
        score: scan_score(vec![AssetScore { asset, value: Some(79) }], coverage),
        coverage,
    }
}

#[test]
fn every_field_there_is_is_described_and_every_field_described_is_there() {
    let document = serde_json::to_value(full()).unwrap();
    assert_documented(&document);
    let (mut there, mut told) = (BTreeSet::new(), BTreeSet::new());
    fields(&document, &mut there);
    described(&strict(), &mut told);
    assert_eq!(there, told);
    let page = include_str!("../../../docs/formats.md");
    let page = page.split("## Port scans").next().unwrap();
    let untold: Vec<&String> = told
        .iter()
        .filter(|name| {
            let marks = [format!("`{name}`"), format!("`{name}[]`"), format!(".{name}`"), format!(".{name}[]`")];
            let asset = ["kind", "value"].contains(&name.as_str()) && page.contains("`{kind, value}`");
            !asset && !marks.iter().any(|mark| page.contains(mark))
        })
        .collect();
    assert!(untold.is_empty(), "docs/formats.md does not tell of {untold:?}");

    let mut unknown = document.clone();
    unknown["hosts"][0]["news"] = json!(1);
    assert_eq!(problems(&unknown).len(), 1, "a field that is not described is found");
    let mut wrong = document;
    wrong["findings"][0]["location"] = json!("somewhere");
    assert_eq!(problems(&wrong).len(), 1, "a value of another form is found");
}

#[test]
fn real_scans_are_as_the_schema_says() {
    let (site, closing) = (Peer::site(), Peer::closing());
    let resolver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = resolver.local_addr().unwrap().to_string();
    let site_port = site.target().rsplit(':').next().unwrap().to_owned();
    let ports = format!("{site_port},1-40");
    let cases: [(&[&str], i32, &[&str]); 3] = [
        // Findings, and closed ports enough to be counted rather than listed.
        (&["127.0.0.1", "--ports", &ports], 0, &["/findings/0", "/hosts/0/summarised/0", "/score/worst/asset"]),
        // A port that speaks nothing, and one that is not open.
        (&[&closing.target(), "127.0.0.1:1"], 3, &["/hosts/0/gaps/0/gap", "/hosts/0/gaps/1/ports"]),
        // A name that does not resolve.
        (&["gone.example.com", "--resolver", &silent], 3, &["/hosts/0/why_unreached", "/scan/partial_reasons/0"]),
    ];
    for (arguments, code, there) in cases {
        let base = ["scan", "--timeout", "1", "--no-whois", "-o", "json", "--quiet"];
        let output = run(&[&base[..], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_documented(&document);
        for pointer in there {
            assert!(document.pointer(pointer).is_some_and(|value| !value.is_null()), "{pointer} in {document:#}");
        }
    }
}
