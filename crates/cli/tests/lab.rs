//! The whole program against the lab: a private DNS tree and one TLS server with many certificates.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bartizan_test_support::lab::certificates::{Authority, Issuer, Leaf, Sends};
use bartizan_test_support::lab::dns::{DnsLab, Zone};
use bartizan_test_support::lab::tls::{Plan, Server};
use common::{run_in, stderr};
use serde_json::Value;

#[test]
fn names_of_one_address_get_exactly_their_certificate_findings() {
    let authority = Authority::new();
    let days = chrono::Duration::days;
    let cases: Vec<(&str, Leaf, &[&str])> = vec![
        ("good.lab.test", Leaf::good("good.lab.test"), &[]),
        ("wrong.lab.test", Leaf::good("other.lab.test"), &["cert.name_mismatch"]),
        (
            "expired.lab.test",
            Leaf { begins: days(-90), ends: days(-1), ..Leaf::good("expired.lab.test") },
            &["cert.expired"],
        ),
        ("self.lab.test", Leaf { issuer: Issuer::Itself, ..Leaf::good("self.lab.test") }, &["cert.self_signed"]),
        ("short.lab.test", Leaf { sends: Sends::LeafOnly, ..Leaf::good("short.lab.test") }, &["cert.chain_incomplete"]),
    ];
    let certificates = cases.iter().map(|(name, leaf, _)| (authority.leaf(leaf), vec![(*name).to_owned()])).collect();
    let server = Server::start(&Plan { certificates, ..Plan::good(authority.leaf(&Leaf::good("good.lab.test"))) });
    let records: String =
        cases.iter().map(|(name, ..)| format!("{} IN A 127.0.0.1\n", name.trim_end_matches(".lab.test"))).collect();
    let dns = DnsLab::start(&[Zone::good("lab.test").with(&records)]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("anchors"), dns.trust_anchors.join("\n")).unwrap();
    let targets: String = cases.iter().map(|(name, ..)| format!("{name}:{}\n", server.address.port())).collect();
    fs::write(folder.path().join("targets"), targets).unwrap();
    let resolver = dns.resolver.to_string();
    let authoritative = dns.authoritative_port.to_string();
    let output = run_in(
        folder.path(),
        &[
            "scan",
            "@targets",
            "--checks",
            "tls.*,cert.*,dnssec.*",
            "--ca-file",
            authority.root_file().to_str().unwrap(),
            "--resolver",
            &resolver,
            "--authoritative-port",
            &authoritative,
            "--trust-anchor",
            "anchors",
            "--no-whois",
            "-o",
            "json",
            "-o",
            "evidence=scan.evidence",
            "--fail-on",
            "high",
            "--quiet",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in document["findings"].as_array().unwrap() {
        let asset = finding["asset"].as_str().unwrap().to_owned();
        found.entry(asset).or_default().insert(finding["check_id"].as_str().unwrap().to_owned());
    }
    for (name, _, expected) in &cases {
        let expected: BTreeSet<String> = expected.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(found.get(*name).cloned().unwrap_or_default(), expected, "{name}");
    }
    let not_judged: Vec<&Value> = document["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| matches!(verdict["verdict"].as_str(), Some("error" | "not_tested")))
        .collect();
    assert!(not_judged.is_empty(), "{not_judged:?}");
    let again = run_in(folder.path(), &["convert", "scan.evidence", "--rejudge", "-o", "json"]);
    assert_eq!(again.stdout, output.stdout, "judged again, the evidence gives the very same document");
}
