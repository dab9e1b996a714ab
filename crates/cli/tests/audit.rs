//! `bartizan audit` and `bartizan explain` as their users see them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod program;

use std::fs;
use std::path::Path;

use program::{run_in, stderr, stdout};
use serde_json::{Value, json};

/// Advisories as their sources publish them (OSV, CISA's catalogue, EPSS).
fn data(folder: &Path) {
    let osv = |id: &str, aliases: &[&str], ecosystem: &str, name: &str, fixed: &str, vector: Option<&str>| {
        json!({
            "schema_version": "1.6.0", "id": id, "aliases": aliases, "modified": "2024-01-02T00:00:00Z",
            "summary": format!("{name} has a flaw"),
            "severity": vector.map(|vector| vec![json!({ "type": "CVSS_V3", "score": vector })]).unwrap_or_default(),
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": name },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }],
        })
    };
    let critical = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let low = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    fs::create_dir_all(folder.join("feeds")).unwrap();
    let npm = [
        osv("GHSA-aaaa-aaaa-aaaa", &["CVE-2099-1001"], "npm", "alpha", "2.0.0", Some(low)),
        osv("GHSA-bbbb-bbbb-bbbb", &["CVE-2099-1002"], "npm", "beta", "1.5.0", Some(critical)),
    ];
    let lines: String = npm.iter().map(|record| record.to_string() + "\n").collect();
    fs::write(folder.join("feeds/npm.jsonl"), lines).unwrap();
    let kev = json!({
        "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2099.01.01",
        "dateReleased": "2099-01-01T00:00:00.0000Z", "count": 1,
        "vulnerabilities": [{
            "cveID": "CVE-2099-1001", "vendorProject": "Alpha", "product": "alpha", "vulnerabilityName": "Alpha flaw",
            "dateAdded": "2099-01-01", "shortDescription": "x", "requiredAction": "Update", "dueDate": "2099-01-22",
            "knownRansomwareCampaignUse": "Known", "notes": "", "cwes": [],
        }],
    });
    fs::write(folder.join("feeds/known_exploited_vulnerabilities.json"), kev.to_string()).unwrap();
    let output = run_in(folder, &["feeds", "import", "--complete", "--store", "store", "feeds"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

fn lock(packages: &[(&str, &str)]) -> String {
    let places: serde_json::Map<String, Value> = packages
        .iter()
        .map(|(name, version)| (format!("node_modules/{name}"), json!({ "version": version })))
        .collect();
    json!({ "name": "app", "lockfileVersion": 3, "packages": places }).to_string()
}

/// A project with two vulnerable packages, and one nobody knows.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    fs::create_dir(folder.path().join("app")).unwrap();
    let packages = [("alpha", "1.0.0"), ("beta", "1.4.9"), ("gamma", "3.0.0")];
    fs::write(folder.path().join("app/package-lock.json"), lock(&packages)).unwrap();
    folder
}

fn audit(folder: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let mut all = vec!["audit", "--store", "store", "-o", "json"];
    all.extend(arguments);
    let output = run_in(folder, &all);
    let document = serde_json::from_str(&stdout(&output)).unwrap_or(Value::Null);
    (output.status.code().unwrap(), document, stderr(&output))
}

#[test]
fn help_is_stable() {
    for arguments in [&["audit", "--help"][..], &["explain", "--help"]] {
        let output = run_in(Path::new("."), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        insta::assert_snapshot!(arguments.join("_").replace("--", ""), stdout(&output));
    }
}

#[test]
fn matches_come_in_the_order_to_fix_them() {
    let folder = project();
    let (code, document, said) = audit(folder.path(), &["app"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(document["schema"], "bartizan.audit/1");
    assert_eq!(document["packages"], 3);
    let matches = document["matches"].as_array().unwrap();
    assert_eq!(matches.len(), 2);
    // Exploited comes before a higher CVSS score.
    let first = &matches[0];
    assert_eq!(first["ids"], json!(["CVE-2099-1001", "GHSA-aaaa-aaaa-aaaa"]));
    assert_eq!(first["path"], "app/package-lock.json");
    assert_eq!(
        (&first["ecosystem"], &first["package"], &first["version"]),
        (&json!("npm"), &json!("alpha"), &json!("1.0.0"))
    );
    assert_eq!(
        (&first["state"], &first["method"], &first["confidence"]),
        (&json!("affected"), &json!("ecosystem"), &json!(100))
    );
    assert_eq!(first["fixed"], json!(["2.0.0"]));
    assert_eq!(first["severity"], "low");
    assert_eq!(first["kev"][0]["ransomware"], true);
    assert_eq!(first["title"], "alpha has a flaw");
    assert_eq!(first["evidence"][0]["advisory"], "GHSA-aaaa-aaaa-aaaa");
    let parts: Vec<&str> =
        first["score_parts"].as_array().unwrap().iter().map(|p| p["source"].as_str().unwrap()).collect();
    // The store has no index of exploits: that it names none says nothing.
    assert_eq!(parts, ["kev", "cvss"]);
    assert_eq!(matches[1]["severity"], "critical");
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = project();
    let code = |arguments: &[&str]| audit(folder.path(), arguments).0;
    assert_eq!(code(&["app"]), 0);
    assert_eq!(code(&["app", "--fail-on", "critical"]), 1);
    fs::write(folder.path().join("app/Cargo.lock"), "not [ toml").unwrap();
    assert_eq!(code(&["app"]), 3, "a file cannot be read");
    assert_eq!(code(&["app", "--allow-partial"]), 0);
    assert_eq!(code(&["app", "--fail-on", "low"]), 1);
    assert_eq!(code(&["app", "--fail-on", "low", "--strict"]), 3);
    fs::write(folder.path().join("app/Cargo.lock"), "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n").unwrap();
    let (code, document, _) = audit(folder.path(), &["app"]);
    assert_eq!(code, 3, "no data for crates.io");
    assert_eq!(document["not_covered"][0]["ecosystem"], "crates.io");
    assert_eq!(document["not_covered"][0]["packages"], json!(["x 1.0.0"]));
    assert_eq!(document["matches"].as_array().unwrap().len(), 2);
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(audit(folder.path(), &["empty"]).0, 4);
    // A few records that nobody calls complete say nothing about the others.
    fs::remove_file(folder.path().join("app/Cargo.lock")).unwrap();
    assert_eq!(audit(folder.path(), &["app"]).0, 0);
    let output = run_in(folder.path(), &["feeds", "import", "--store", "store", "feeds"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (code, document, _) = audit(folder.path(), &["app"]);
    assert_eq!(code, 3);
    assert_eq!(document["not_covered"][0]["count"], 3);
    assert!(document["not_covered"][0]["reason"].as_str().unwrap().contains("only 2 records"), "{document}");
    assert_eq!(document["matches"].as_array().unwrap().len(), 2);
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let folder = project();
    fs::write(folder.path().join("no-reason.toml"), "[[ignore]]\nid = \"CVE-2099-1001\"\n").unwrap();
    fs::write(folder.path().join("vex.json"), "{}").unwrap();
    fs::create_dir(folder.path().join("fresh")).unwrap();
    for (arguments, part) in [
        (&["audit"][..], "PATH"),
        (&["audit", "--store", "store", "missing"], "missing"),
        (&["audit", "--store", "store", "feeds/npm.jsonl"], "neither a lock file"),
        (&["audit", "--store", "fresh", "app", "-o", "json=out.json"], "is empty"),
        (&["audit", "--store", "store", "app", "-o", "yaml"], "unknown format `yaml`"),
        (&["audit", "--store", "store", "app", "-o", "json", "-o", "csv"], "only one format"),
        (&["audit", "--store", "store", "app", "-o", "json=no/out.json"], "no/out.json"),
        (&["audit", "--store", "store", "app", "--os", "amiga:3"], "amiga"),
        (&["audit", "--store", "store", "app", "--ignore-file", "no-reason.toml", "-o", "json=out.json"], "`reason`"),
        (&["audit", "--store", "store", "app", "--vex", "vex.json", "-o", "json=out.json"], "neither OpenVEX"),
        (&["audit", "--store", "store", "app", "--vex", "vex.json", "-o", "openvex=app/../vex.json"], "write over"),
        (&["audit", "--store", "store", "feeds/npm.jsonl", "-o", "json=feeds/npm.jsonl"], "write over"),
        (&["audit", "--store", "store", "app", "-o", "json=app/package-lock.json"], "write over"),
        (&["explain", "--store", "store", "lodash", "CVE-2099-1001"], "add a PATH"),
        (&["explain", "--store", "store", "pkg:npm", "CVE-2099-1001"], "package URL"),
    ] {
        let output = run_in(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(!folder.path().join("out.json").exists(), "{arguments:?}");
    }
}

#[test]
fn decisions_take_matches_out_and_stay_visible() {
    let folder = project();
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex", "author": "us",
        "timestamp": "2024-01-01T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": { "name": "GHSA-aaaa-aaaa-aaaa" }, "products": [{ "@id": "pkg:npm/alpha@1.0.0" }],
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
        }],
    });
    fs::write(folder.path().join("vex.json"), vex.to_string()).unwrap();
    let ignore = "[[ignore]]\nid = \"CVE-2099-1002\"\nwhere = \"app/**\"\nreason = \"build only\"\nexpires = 2999-12-31\n\
                  [[ignore]]\nid = \"CVE-2099-1001\"\nreason = \"late\"\nexpires = 2000-01-01\n";
    fs::write(folder.path().join("ignore.toml"), ignore).unwrap();
    let (code, document, said) =
        audit(folder.path(), &["app", "--vex", "vex.json", "--ignore-file", "ignore.toml", "--fail-on", "info"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(document["matches"], json!([]));
    let by: Vec<(&str, &str)> = document["suppressed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["package"].as_str().unwrap(), entry["by"]["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(by, [("alpha", "vex"), ("beta", "ignore")]);
    let note = &document["decision_notes"][0];
    assert!(note["problem"].as_str().unwrap().contains("2000-01-01"), "{note}");
}

#[test]
fn every_format_goes_to_a_file_whole() {
    let folder = project();
    let output = run_in(
        folder.path(),
        &[
            "audit",
            "--store",
            "store",
            "app",
            "-o",
            "table",
            "-o",
            "json=a.json",
            "-o",
            "csv=a.csv",
            "-o",
            "sarif=a.sarif",
            "-o",
            "cyclonedx-vex=a.cdx.json",
            "-o",
            "openvex=a.vex.json",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("CVE-2099-1001"));
    for (file, pointer) in [
        ("a.json", "/matches/0/ids/0"),
        ("a.sarif", "/runs/0/results/0/ruleId"),
        ("a.cdx.json", "/vulnerabilities/0/id"),
        ("a.vex.json", "/statements/0/vulnerability/name"),
    ] {
        let document: Value = serde_json::from_slice(&fs::read(folder.path().join(file)).unwrap()).unwrap();
        assert_eq!(document.pointer(pointer), Some(&json!("CVE-2099-1001")), "{file}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap().lines().count(), 3);
    // What we say, we understand: our own VEX of `affected` matches clears nothing.
    let (_, document, _) = audit(folder.path(), &["app", "--vex", "a.vex.json", "--vex", "a.cdx.json"]);
    assert_eq!(document["matches"].as_array().unwrap().len(), 2);
    assert_eq!(document["matches"][0]["vex"]["status"], "affected");
}

#[test]
fn the_same_input_gives_the_same_result() {
    let folder = project();
    let bytes = || {
        let output = run_in(folder.path(), &["audit", "--store", "store", "app", "-o", "csv"]);
        output.stdout
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn explanations_say_why_and_why_not() {
    let folder = project();
    let explain = |package: &str, id: &str| {
        let output = run_in(folder.path(), &["explain", "--store", "store", package, id, "app"]);
        (output.status.code().unwrap(), stdout(&output))
    };
    let (code, text) = explain("alpha", "CVE-2099-1001");
    assert_eq!(code, 0);
    for part in
        ["alpha 1.0.0 (npm) in app/package-lock.json", "AFFECTED, fixed in 2.0.0", "GHSA-aaaa-aaaa-aaaa", "score"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (_, text) = explain("gamma", "CVE-2099-1001");
    assert!(text.contains("DOES NOT APPLY"), "{text}");
    assert!(text.contains("another name") || text.contains("package of this name"), "{text}");
    assert_eq!(explain("delta", "CVE-2099-1001").0, 4);
    let output = run_in(
        folder.path(),
        &["explain", "--store", "store", "pkg:npm/beta@1.5.0", "CVE-2099-1002", "--format", "json"],
    );
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["packages"][0]["explanation"]["matched"], Value::Null);
    assert_eq!(document["packages"][0]["explanation"]["against"][0]["reason"], "outside_range");
}

#[test]
fn this_machine_can_be_read() {
    let folder = project();
    let (code, document, said) = audit(folder.path(), &["--host"]);
    // The store of this test has npm only, so that every package is not covered, and the result incomplete.
    assert_eq!(code, 3, "{said}");
    assert!(document["packages"].as_u64().unwrap() > 50, "{}", document["sources"]);
    assert!(document["sources"][0]["os"].as_str().unwrap().contains("os-release"));
    assert_eq!(document["matches"], json!([]));
}

/// Imports `feeds/npm.jsonl` with other records.
fn import(folder: &Path, records: &[Value]) {
    let lines: String = records.iter().map(|record| record.to_string() + "\n").collect();
    fs::write(folder.join("feeds/npm.jsonl"), lines).unwrap();
    let arguments = ["feeds", "import", "--complete", "--accept-shrinking", "--store", "store", "feeds"];
    let output = run_in(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn what_is_gone_since_an_earlier_result_has_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    let record = |name: &str, number: u32, fixed: &str, withdrawn: bool| {
        let mut record = json!({
            "schema_version": "1.6.0", "id": format!("GHSA-{name}"), "aliases": [format!("CVE-2099-{number}")],
            "modified": "2024-01-02T00:00:00Z", "summary": "a flaw",
            "affected": [{
                "package": { "ecosystem": "npm", "name": name },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }],
        });
        if withdrawn {
            record["withdrawn"] = json!("2024-02-02T00:00:00Z");
        }
        record
    };
    let names = ["withdrawn", "narrowed", "updated", "removed", "accepted", "forgotten", "stays", "elsewhere"];
    let at_first: Vec<Value> = (3001..).zip(names).map(|(number, name)| record(name, number, "9.0.0", false)).collect();
    import(folder.path(), &at_first);
    for place in ["app", "other"] {
        fs::create_dir_all(folder.path().join(place)).unwrap();
    }
    let installed: Vec<(&str, &str)> = names[..7].iter().map(|name| (*name, "1.0.0")).collect();
    fs::write(folder.path().join("app/package-lock.json"), lock(&installed)).unwrap();
    fs::write(folder.path().join("other/package-lock.json"), lock(&[("elsewhere", "1.0.0")])).unwrap();
    let (_, before, said) = audit(folder.path(), &["app", "other"]);
    assert_eq!(before["matches"].as_array().unwrap().len(), 8, "{said}");
    assert_eq!(before["baseline"], Value::Null);
    fs::write(folder.path().join("before.json"), before.to_string()).unwrap();

    let mut later = at_first;
    later[0] = record("withdrawn", 3001, "9.0.0", true);
    later[1] = record("narrowed", 3002, "0.5.0", false);
    later.remove(5);
    later.push(record("fresh", 3999, "9.0.0", false));
    import(folder.path(), &later);
    let mut installed = installed;
    installed[2].1 = "9.1.0";
    installed.remove(3);
    installed.push(("fresh", "1.0.0"));
    fs::write(folder.path().join("app/package-lock.json"), lock(&installed)).unwrap();
    fs::write(folder.path().join("ignore.toml"), "[[ignore]]\npackage = \"accepted\"\nreason = \"never called\"\n")
        .unwrap();
    let arguments = ["app", "--baseline", "before.json", "--ignore-file", "ignore.toml"];
    let (code, after, said) = audit(folder.path(), &arguments);
    assert_eq!(code, 0, "{said}");
    let mut gone: Vec<(&str, &str)> = after["baseline"]["gone"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gone| (gone["package"].as_str().unwrap(), gone["reason"].as_str().unwrap()))
        .collect();
    gone.sort_unstable();
    let expected = [
        ("accepted", "decided"),
        ("elsewhere", "not_looked_at"),
        ("forgotten", "record_gone"),
        ("narrowed", "record_changed"),
        ("removed", "package_gone"),
        ("updated", "package_changed"),
        ("withdrawn", "withdrawn"),
    ];
    assert_eq!(gone, expected, "{}", after["baseline"]);
    let fresh = after["matches"].as_array().unwrap().iter().find(|found| found["package"] == "fresh").unwrap();
    assert_eq!(after["baseline"]["new"], json!([fresh["fingerprint"]]));
    let table = run_in(folder.path(), &["audit", "--store", "store", "app", "--baseline", "before.json"]);
    assert!(stdout(&table).contains("GHSA-withdrawn (ghsa) is withdrawn"), "{}", stdout(&table));
    let (code, ..) = audit(folder.path(), &["app", "--baseline", "app/package-lock.json"]);
    assert_eq!(code, 2);
}

#[test]
fn what_gets_no_fixes_any_more_is_told() {
    let folder = project();
    let cycles = json!([
        { "cycle": "13", "releaseDate": "2025-08-09", "eol": "2999-08-09", "latest": "13.1" },
        { "cycle": "9", "releaseDate": "2017-06-17", "eol": "2020-07-18", "extendedSupport": "2999-06-30", "latest": "9.13" },
    ]);
    fs::create_dir(folder.path().join("eol")).unwrap();
    fs::write(folder.path().join("eol/debian.json"), cycles.to_string()).unwrap();
    let output = run_in(folder.path(), &["feeds", "import", "--store", "store", "eol"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let status = "Package: bash\nStatus: install ok installed\nVersion: 4.4-5\nArchitecture: amd64\n\n";
    for release in ["9", "13"] {
        fs::create_dir_all(folder.path().join(release)).unwrap();
        fs::write(folder.path().join(release).join("status"), status).unwrap();
    }
    let over = |release: &str| {
        let system = format!("debian:{release}");
        audit(folder.path(), &[&format!("{release}/status"), "--os", &system]).1["end_of_life"].clone()
    };
    assert_eq!(over("13"), json!([]));
    assert_eq!(
        over("9"),
        json!([{
            "path": "9/status", "subject": "Debian:9", "product": "debian", "cycle": "9", "ended": "2020-07-18",
            "extended_until": "2999-06-30",
        }])
    );
}
