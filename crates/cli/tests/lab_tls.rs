//! The whole program against TLS servers limited to one version or to old suites, each with a site behind: exactly the
//! expected findings, those about the site included, which is read whatever the server speaks. SSL 3.0 is not read.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;

use bartizan_test_support::lab::certificates::{Authority, Identity, Key, Leaf};
use bartizan_test_support::lab::dns::{DnsLab, Zone};
use bartizan_test_support::lab::tls::{Plan, Server, Stack, Version};
use bartizan_test_support::lab::web::{Over, Request, serve, sites};
use common::{run_in, stderr};
use serde_json::{Value, json};

/// The good site without two of its headers.
const BAD: [&str; 3] = ["csp.missing", "frame.unprotected", "hsts.missing"];

fn bad(request: &Request) -> bartizan_test_support::lab::web::Answer {
    let mut answer = sites::good(request);
    answer.headers.retain(|(name, _)| name != "Strict-Transport-Security" && name != "Content-Security-Policy");
    answer
}

/// One server: its name, what it is like, and what is found about its TLS.
type Case = (&'static str, fn(Identity) -> Plan, &'static [&'static str]);

fn old(identity: Identity, version: Version, cipher: &str, exchange: &str) -> Plan {
    let settings = json!({"cipherNames": [cipher], "keyExchangeNames": [exchange], "macNames": ["sha"]});
    Plan { stack: Stack::Tlslite, settings, minimum: version, maximum: version, ..Plan::good(identity) }
}

const CASES: [Case; 9] = [
    ("ssl3", |identity| Plan::only(identity, Version::Ssl3), &["tls.sslv3"]),
    ("tls10", |identity| Plan::only(identity, Version::Tls10), &["tls.v10"]),
    ("tls11", |identity| Plan::only(identity, Version::Tls11), &["tls.v11"]),
    ("tls12", |identity| Plan::only(identity, Version::Tls12), &["tls.no13"]),
    ("tls13", |identity| Plan::only(identity, Version::Tls13), &[]),
    ("rsa10", |identity| old(identity, Version::Tls10, "aes128", "rsa"), &["tls.suite.no_pfs", "tls.v10"]),
    ("des11", |identity| old(identity, Version::Tls11, "3des", "dhe_rsa"), &["tls.suite.rc4_des", "tls.v11"]),
    (
        "des12",
        |identity| old(identity, Version::Tls12, "3des", "rsa"),
        &["tls.no13", "tls.suite.cbc_only", "tls.suite.no_pfs", "tls.suite.rc4_des"],
    ),
    (
        "rsa12",
        |identity| old(identity, Version::Tls12, "aes256", "rsa"),
        &["tls.no13", "tls.suite.cbc_only", "tls.suite.no_pfs"],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_one_version_or_of_old_suites_get_exactly_their_findings_and_those_of_their_site() {
    let authority = Authority::new();
    let sites = [serve(Over::Plain, sites::good).await, serve(Over::Plain, bad).await];
    let mut servers: Vec<(String, Server, BTreeSet<&str>)> = Vec::new();
    for (label, plan, expected) in CASES {
        for (site, kind) in sites.iter().zip(["good", "bad"]) {
            let name = format!("{kind}-{label}.lab.test");
            let identity = authority.leaf(&Leaf { key: Key::Rsa(2048), ..Leaf::good(&name) });
            let server = Server::start(&Plan { backend: Some(site.address), ..plan(identity) });
            let read = kind == "bad" && label != "ssl3";
            servers.push((name, server, expected.iter().chain(BAD.iter().filter(|_| read)).copied().collect()));
        }
    }
    let records: String =
        servers.iter().map(|(name, ..)| format!("{} IN A 127.0.0.1\n", name.trim_end_matches(".lab.test"))).collect();
    let dns = DnsLab::start(&[Zone::good("lab.test").with(&records)]);
    let folder = tempfile::tempdir().unwrap();
    let targets: String = servers.iter().map(|(name, server, _)| target(name, server.address)).collect();
    fs::write(folder.path().join("targets"), targets).unwrap();
    let resolver = dns.resolver.to_string();
    let root = authority.root_file().to_str().unwrap().to_owned();
    let checks = "tls.*,cert.*,hsts.*,csp.*,frame.*,cookie.*,cors.*,disclosure.*,exposed.*,http.*,sri.*";
    let arguments = ["scan", "@targets", "--checks", checks, "--ca-file", &root, "--resolver", &resolver];
    let output = run_in(folder.path(), &[&arguments[..], &["-o", "json", "--quiet", "--timeout", "20"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |key: &str| document[key].as_array().unwrap().clone();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in list("findings") {
        found.entry(text(&finding, "asset")).or_default().insert(text(&finding, "check_id"));
    }
    let mut wrong = Vec::new();
    for (name, server, expected) in &servers {
        let ids = found.remove(name).unwrap_or_default();
        if !ids.iter().map(String::as_str).eq(expected.iter().copied()) {
            wrong.push(format!("{name}: expected {expected:?}, found {ids:?}: {}", server.output()));
        }
        let open: Vec<Value> = list("verdicts")
            .into_iter()
            .filter(|verdict| text(verdict, "asset") == *name)
            .filter(|verdict| matches!(text(verdict, "verdict").as_str(), "error" | "not_tested"))
            .collect();
        if name.contains("ssl3") {
            let says = open.iter().any(|verdict| text(verdict, "reason").contains("SSLv3"));
            if !says || open.iter().any(|verdict| text(verdict, "check_id").starts_with("tls.")) {
                wrong.push(format!("{name} is not read for its version: {open:?}"));
            }
        } else if !open.is_empty() {
            wrong.push(format!("{name} is not judged in full: {open:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found.is_empty(), "findings of nobody: {found:?}");
}

fn target(name: &str, address: SocketAddr) -> String {
    format!("{name}:{}\n", address.port())
}
