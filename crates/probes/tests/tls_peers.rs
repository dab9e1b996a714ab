//! The same servers through our probe and checks, `sslscan` and `testssl.sh`: versions, suites and certificate
//! verdicts agree, or the difference is a row of `tls_peers.tsv` with the rule that decides it.
//!
//! testssl.sh takes half a minute a server, so an ordinary run asks it about four of them; with `BARTIZAN_TEST_LONG=1`
//! (`make test-long`) it is asked about all.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use bartizan_domain::evidence::Observation;
use bartizan_domain::evidence::tls::{TlsEvidence, TlsVersion};
use bartizan_test_support::lab::certificates::{Issuer, Key, Leaf, Sends};
use bartizan_test_support::lab::tls::{Plan, Server, Stack, Version, WeakDh};
use regex::Regex;
use serde_json::{Value, json};

mod tls_support;

use tls_support::{HOST, Lab, gather};

/// What somebody says about a server: subject to answer. Subjects are `SSLv3` … (yes or no), `suites TLSv1.2` …
/// (numbers), and `trusted`, `self-signed`, `expired`, `name`, `signature`, `key` of the certificate (ok or bad).
type Opinion = BTreeMap<String, String>;

/// Protocols, suites of each protocol, server defaults with the certificate.
const ALL: [&str; 3] = ["-p", "-E", "-S"];

struct Subject {
    name: &'static str,
    plan: Plan,
    /// What testssl.sh is asked about it in an ordinary run, as its options; nothing if empty.
    sections: &'static [&'static str],
}

fn subjects(lab: &Lab) -> Vec<Subject> {
    let days = chrono::Duration::days;
    let rsa = lab.authority.leaf(&Leaf { key: Key::Rsa(2048), ..Leaf::good(HOST) });
    let with = |leaf: Leaf| Plan::good(lab.authority.leaf(&leaf));
    let old = json!({"cipherNames": ["3des", "aes128"], "keyExchangeNames": ["rsa"], "macNames": ["sha"]});
    let tlslite = Plan { stack: Stack::Tlslite, settings: old, maximum: Version::Tls12, ..Plan::good(rsa.clone()) };
    let everything = Plan {
        minimum: Version::Tls10,
        ciphers: Some("ALL:!eNULL:!aNULL:!PSK:!SRP:@SECLEVEL=0".to_owned()),
        weak_dh: WeakDh::Loaded,
        ..Plan::good(rsa.clone())
    };
    let subject = |name, sections, plan| Subject { name, plan, sections };
    vec![
        subject("good", &ALL, Plan::good(rsa.clone())),
        subject("everything", &[], everything),
        subject("ssl3", &[], Plan::only(rsa.clone(), Version::Ssl3)),
        subject("tls10", &["-p", "-E"], Plan::only(rsa.clone(), Version::Tls10)),
        subject("tls11", &[], Plan::only(rsa.clone(), Version::Tls11)),
        subject("tls12", &[], Plan::only(rsa.clone(), Version::Tls12)),
        subject("tls13", &[], Plan::only(rsa, Version::Tls13)),
        subject("3des-static-rsa", &[], tlslite),
        subject("expired", &[], with(Leaf { begins: days(-90), ends: days(-1), ..Leaf::good(HOST) })),
        subject("wrong-name", &[], with(Leaf::good("other.lab.example"))),
        subject("self-signed", &["-S"], with(Leaf { issuer: Issuer::Itself, ..Leaf::good(HOST) })),
        subject("incomplete", &["-S"], with(Leaf { sends: Sends::LeafOnly, ..Leaf::good(HOST) })),
        subject("stranger", &[], with(Leaf { issuer: Issuer::Stranger, ..Leaf::good(HOST) })),
        subject("sha1", &[], with(Leaf { digest: "sha1", ..Leaf::good(HOST) })),
        subject("rsa1024", &[], with(Leaf { key: Key::Rsa(1024), ..Leaf::good(HOST) })),
    ]
}

fn yes(accepted: bool) -> String {
    if accepted { "yes" } else { "no" }.to_owned()
}

fn ok(fine: bool) -> String {
    if fine { "ok" } else { "bad" }.to_owned()
}

fn list(ids: &BTreeSet<u16>) -> String {
    ids.iter().map(|id| format!("{id:04x}")).collect::<Vec<_>>().join(" ")
}

fn ours(lab: &Lab, evidence: &TlsEvidence) -> Opinion {
    let mut opinion = Opinion::new();
    for version in TlsVersion::ALL {
        let accepted = evidence.accepted().find(|result| result.version == version);
        opinion.insert(version.to_string(), yes(accepted.is_some()));
        if let Some(Observation::Observed(suites)) = accepted.map(|result| &result.suites) {
            assert_eq!(suites.incomplete, None);
            let ids = suites.accepted.iter().map(|suite| suite.id).collect();
            opinion.insert(format!("suites {version}"), list(&ids));
        }
    }
    let findings = lab.findings(HOST, evidence.clone());
    for (subject, ids) in [
        ("trusted", &["cert.self_signed", "cert.untrusted", "cert.chain_incomplete"][..]),
        ("self-signed", &["cert.self_signed"]),
        ("expired", &["cert.expired"]),
        ("name", &["cert.name_mismatch"]),
        ("signature", &["cert.sig_weak"]),
        ("key", &["cert.key_weak"]),
    ] {
        opinion.insert(subject.to_owned(), ok(!findings.iter().any(|id| ids.contains(&id.as_str()))));
    }
    opinion
}

fn run(mut command: Command, package: &str) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started ({error}): install the package {package}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn sslscan(server: &Server) -> Opinion {
    let mut command = Command::new("sslscan");
    command.args(["--no-colour", "--no-groups", "--no-heartbleed", "--xml=-"]);
    command.arg(format!("--sni-name={HOST}")).arg(server.address.to_string());
    let xml = run(command, "sslscan");
    assert!(xml.contains("<ssltest"), "sslscan says: {xml}");
    let mut opinion = Opinion::new();
    let protocol = Regex::new(r#"<protocol type="(ssl|tls)" version="([0-9.]+)" enabled="([01])""#).unwrap();
    for found in protocol.captures_iter(&xml) {
        let name = if &found[1] == "ssl" { format!("SSLv{}", &found[2]) } else { format!("TLSv{}", &found[2]) };
        opinion.insert(name, yes(&found[3] == "1"));
    }
    let cipher = Regex::new(r#"<cipher status="[a-z]+" sslversion="([^"]+)"[^>]* id="0x([0-9A-Fa-f]+)""#).unwrap();
    let mut suites: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for found in cipher.captures_iter(&xml) {
        let id = u16::from_str_radix(&found[2], 16).unwrap();
        suites.entry(format!("suites {}", &found[1])).or_default().insert(id);
    }
    opinion.extend(suites.into_iter().map(|(version, ids)| (version, list(&ids))));
    let element = |name: &str| {
        Regex::new(&format!("<{name}>([^<]*)</{name}>")).unwrap().captures(&xml).map(|found| found[1].to_owned())
    };
    if let Some(value) = element("self-signed") {
        opinion.insert("self-signed".to_owned(), ok(value == "false"));
    }
    if let Some(value) = element("expired") {
        opinion.insert("expired".to_owned(), ok(value == "false"));
    }
    if let Some(value) = element("signature-algorithm") {
        opinion.insert("signature".to_owned(), ok(!value.to_lowercase().contains("sha1")));
    }
    let key = Regex::new(r#"<pk [^>]*type="RSA" bits="(\d+)""#).unwrap();
    if let Some(found) = key.captures(&xml) {
        opinion.insert("key".to_owned(), ok(found[1].parse::<u32>().unwrap() >= 2048));
    }
    opinion
}

fn testssl(server: &Server, root: &Path, sections: &[&str]) -> Opinion {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.json");
    let mut command = Command::new("testssl");
    command.args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip"]);
    command.arg(server.address.ip().to_string()).arg("--add-ca").arg(root).arg("--jsonfile").arg(&file);
    command.args(sections).arg(format!("{HOST}:{}", server.address.port()));
    let said = run(command, "testssl.sh");
    let text =
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("testssl.sh wrote nothing ({error}): {said}"));
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut opinion = Opinion::new();
    let mut suites: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let size = Regex::new(r"(\d+) bits").unwrap();
    for row in &rows {
        let (id, finding) = (row["id"].as_str().unwrap(), row["finding"].as_str().unwrap());
        let version = match id {
            "SSLv2" | "SSLv3" => Some(id.to_owned()),
            "TLS1" => Some("TLSv1.0".to_owned()),
            "TLS1_1" | "TLS1_2" | "TLS1_3" => Some(id.replace("TLS", "TLSv").replace('_', ".")),
            _ => None,
        };
        if let Some(version) = version {
            opinion.insert(version, yes(finding.starts_with("offered")));
        }
        if let Some((version, suite)) = id.strip_prefix("cipher-").and_then(|rest| rest.rsplit_once("_x")) {
            let version = match version {
                "ssl3" | "sslv3" => "SSLv3".to_owned(),
                "tls1" => "TLSv1.0".to_owned(),
                other => other.replace("tls", "TLSv").replace('_', "."),
            };
            // Suites of SSL 2.0 have three bytes and belong to another registry.
            if suite.len() <= 4 {
                let number = u16::from_str_radix(suite, 16).unwrap();
                suites.entry(format!("suites {version}")).or_default().insert(number);
            }
        }
        let verdict = match id {
            "cert_chain_of_trust" => Some(("trusted", finding.starts_with("passed"))),
            "cert_trust" => Some(("name", !finding.contains("does not match"))),
            "cert_expirationStatus" => Some(("expired", !finding.starts_with("expired"))),
            "cert_signatureAlgorithm" => Some(("signature", !finding.starts_with("SHA1"))),
            "cert_keySize" => {
                let bits = size.captures(finding).unwrap()[1].parse::<u32>().unwrap();
                Some(("key", !finding.starts_with("RSA") || bits >= 2048))
            }
            _ => None,
        };
        if let Some((subject, fine)) = verdict {
            opinion.insert(subject.to_owned(), ok(fine));
        }
    }
    opinion.extend(suites.into_iter().map(|(version, ids)| (version, list(&ids))));
    opinion
}

/// What the peer says and we do not: `server`, `peer`, `subject`, what it says, what we say.
fn differences(server: &str, peer: &str, theirs: &Opinion, ours: &Opinion) -> Vec<[String; 5]> {
    let mut found = Vec::new();
    // A peer that found no suite of a version says nothing about it, which differs from our list of some.
    let suites = ours.keys().filter(|subject| subject.starts_with("suites "));
    let lists_suites = theirs.keys().any(|subject| subject.starts_with("suites ") || subject == "SSLv3");
    let subjects: BTreeSet<&String> = theirs.keys().chain(suites.filter(|_| lists_suites)).collect();
    for subject in subjects {
        let say = |opinion: &Opinion| opinion.get(subject).cloned().unwrap_or_else(|| "nothing".to_owned());
        let (they, we) = (say(theirs), say(ours));
        if they != we {
            found.push([server.to_owned(), peer.to_owned(), subject.clone(), they, we]);
        }
    }
    found
}

fn table() -> Vec<Vec<String>> {
    include_str!("tls_peers.tsv")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
            assert!(row.len() == 6 && !row[5].trim().is_empty(), "a row of tls_peers.tsv lacks its rule: {line}");
            row
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_agree_or_the_difference_is_explained() {
    let long = std::env::var_os("BARTIZAN_TEST_LONG").is_some();
    let lab = Lab::new();
    let root = lab.authority.root_file().to_owned();
    let mut found = Vec::new();
    let mut asked: BTreeSet<(String, &str)> = BTreeSet::new();
    let mut pending = Vec::new();
    for subject in subjects(&lab) {
        let server = Server::start(&subject.plan);
        let evidence = gather(&server, Some(HOST)).await;
        let ours = ours(&lab, &evidence);
        found.extend(differences(subject.name, "sslscan", &sslscan(&server), &ours));
        asked.insert((subject.name.to_owned(), "sslscan"));
        let sections = if long { &ALL[..] } else { subject.sections };
        if !sections.is_empty() {
            asked.insert((subject.name.to_owned(), "testssl"));
            pending.push((subject.name, server, ours, sections));
        }
    }
    // Two at a time: the machine has two cores, and testssl.sh is a shell script.
    while !pending.is_empty() {
        let batch: Vec<_> = pending.drain(..pending.len().min(2)).collect();
        let running = batch.into_iter().map(|(name, server, ours, sections)| {
            let root = root.clone();
            tokio::task::spawn_blocking(move || differences(name, "testssl", &testssl(&server, &root, sections), &ours))
        });
        for task in running.collect::<Vec<_>>() {
            found.extend(task.await.unwrap());
        }
    }
    let table = table();
    let matches = |row: &[String], difference: &[String; 5]| {
        (row[0] == "*" || row[0] == difference[0]) && row[1..5] == difference[1..]
    };
    let new: Vec<String> = found
        .iter()
        .filter(|difference| !table.iter().any(|row| matches(row, difference)))
        .map(|difference| difference.join("\t"))
        .collect();
    assert!(new.is_empty(), "{} differences without a rule:\n{}", new.len(), new.join("\n"));
    let stale: Vec<String> = table
        .iter()
        .filter(|row| asked.iter().any(|(server, peer)| *peer == row[1] && (row[0] == "*" || *server == row[0])))
        .filter(|row| !found.iter().any(|difference| matches(row, difference)))
        .map(|row| row.join("\t"))
        .collect();
    assert!(stale.is_empty(), "rows that no longer occur:\n{}", stale.join("\n"));
}
