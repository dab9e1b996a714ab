//! What sources come to together, from files through the store to the core.

#![allow(clippy::unwrap_used, reason = "a test: a failed unwrap is a failure")]

use std::path::{Path, PathBuf};

use bartizan_feeds::import::{Options, import};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::writer::StoreWriter;
use bartizan_matching::model::{Confidence, Ecosystem, MatchState, Package, SourcePackage};
use bartizan_matching::{correlate, explain};

fn store(files: &[(&str, &str)]) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        paths.push(path);
    }
    let snapshot = opened(&folder.path().join("store"), &paths);
    (folder, snapshot)
}

fn opened(store: &Path, paths: &[PathBuf]) -> Snapshot {
    let now = "2031-01-01T00:00:00Z".parse().unwrap();
    let mut writer = StoreWriter::open(store, 1 << 20).unwrap();
    let report = import(&mut writer, paths, &Options { complete: true, ..Options::default() }, now, &mut |_| {});
    let report = report.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    Snapshot::open(store).unwrap()
}

const CVES: &str = "CVE-2031-0001 (Reads too far ...)\n\t{DSA-9001-1}\n\t- example 2.1-1\n\
    CVE-2031-0002 (Writes too far ...)\n\t- example 2.2-1\n\t[bookworm] - example 2.0-3+deb12u2\n";
const DSAS: &str =
    "[01 Feb 2031] DSA-9001-1 example - security update\n\t{CVE-2031-0001}\n\t[bookworm] - example 2.0-3+deb12u1\n";

#[test]
fn debians_list_and_its_bulletins_complete_each_other() {
    let (_folder, snapshot) = store(&[("cves", CVES), ("dsa-list", DSAS)]);
    let found = |version: &str| -> Vec<(String, bool)> {
        let mut package = Package::new(Ecosystem::Debian, "libexample1", version);
        package.release = "12".into();
        package.source = Some(SourcePackage { name: "example".into(), version: version.into() });
        let found = correlate(&snapshot, &[package], &bartizan_matching::Options::default()).unwrap();
        assert_eq!(found.gaps, []);
        let mut all: Vec<(String, bool)> =
            found.matches.iter().map(|one| (one.ids[0].to_string(), one.is_finding())).collect();
        all.sort();
        all
    };
    let is = |id: &str, finding: bool| (id.to_owned(), finding);
    assert_eq!(found("2.0-3"), [is("CVE-2031-0001", true), is("CVE-2031-0002", true)]);
    // The bulletin's fix is installed: the list alone cannot know, and gives a lead.
    assert_eq!(found("2.0-3+deb12u1"), [is("CVE-2031-0001", false), is("CVE-2031-0002", true)]);
    assert_eq!(found("2.0-3+deb12u2"), [is("CVE-2031-0001", false)]);
    assert_eq!(found("2.2-1"), []);
}

#[test]
fn a_fix_in_unstable_is_no_fix_of_the_release() {
    let (_folder, snapshot) = store(&[("cves", "CVE-2031-0003 (x)\n\t- example 2.2-1\n")]);
    let state = |release: &str| {
        let mut package = Package::new(Ecosystem::Debian, "example", "2.0-1");
        package.release = release.into();
        let found = correlate(&snapshot, &[package], &bartizan_matching::Options::default()).unwrap();
        found.matches[0].state
    };
    assert_eq!(state("12"), MatchState::NoFixYet);
    assert_eq!(state("unstable"), MatchState::Affected);
}

const CVE: &str = r#"{"id":"CVE-2031-0004","sourceIdentifier":"x","vulnStatus":"Analyzed","published":"2031-01-01T00:00:00.000",
    "lastModified":"2031-01-01T00:00:00.000","configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[
    {"vulnerable":true,"criteria":"cpe:2.3:a:example:gateway:*:*:*:*:*:*:*:*","versionEndExcluding":"12.5\\(1\\)su8",
    "matchCriteriaId":"AAAAAAAA-0000-4000-8000-000000000001"}]}]}]}"#;

#[test]
fn the_names_of_the_dictionary_decide() {
    let listed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/nvd-cpematch-2.0/page.json");
    let (folder, without) = store(&[("cve.json", CVE)]);
    let with = opened(&folder.path().join("with"), &[folder.path().join("cve.json"), listed]);
    let package = |version: &str| {
        let mut package = Package::new(Ecosystem::Generic, "gateway", version);
        package.cpes = vec!["cpe:2.3:a:example:gateway:*:*:*:*:*:*:*:*".into()];
        [package]
    };
    let options = bartizan_matching::Options::default();
    // The order of versions does not know what a spring is; the dictionary does.
    assert_eq!(correlate(&without, &package("31.spring"), &options).unwrap().matches, []);
    let found = correlate(&with, &package("31.spring"), &options).unwrap();
    assert_eq!(found.matches[0].confidence, Confidence::CPE);
    let notes = format!("{:?}", found.matches[0].evidence[0].notes);
    assert!(notes.contains("among the 4 names"), "{notes}");
    let why = explain(&with, &package("31.autumn"), 0, "CVE-2031-0004", &options).unwrap();
    let notes = format!("{:?}", why.against[0].evidence.as_ref().unwrap().notes);
    assert!(notes.contains("is not <") && notes.contains("nor is it among the 4 names"), "{notes}");
}

/// NVD has moved its criteria to the new name; the inventory has the one of two owners ago.
#[test]
fn a_name_that_is_replaced_is_looked_up_under_the_new_ones() {
    let cve = r#"{"id":"CVE-2031-0005","sourceIdentifier":"x","vulnStatus":"Analyzed","published":"2031-01-01T00:00:00.000",
        "lastModified":"2031-01-01T00:00:00.000","configurations":[{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[
        {"vulnerable":true,"criteria":"cpe:2.3:a:buyer:gateway:*:*:*:*:*:*:*:*","versionEndExcluding":"1.20.0",
        "matchCriteriaId":"AAAAAAAA-0000-4000-8000-000000000009"}]}]}]}"#;
    let dictionary = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/nvd-cpe-2.0/page.json");
    let (folder, without) = store(&[("cve.json", cve)]);
    let with = opened(&folder.path().join("with"), &[folder.path().join("cve.json"), dictionary]);
    let options = bartizan_matching::Options::default();
    let found = |snapshot: &Snapshot, version: &str, name: &str| {
        let mut packages = [Package::new(Ecosystem::Generic, "gateway", version)];
        packages[0].cpes = vec![name.into()];
        let replaced = snapshot.add_successors(&mut packages).unwrap();
        (replaced, correlate(snapshot, &packages, &options).unwrap().matches)
    };
    let old = "cpe:2.3:a:first_author:gateway:1.18.0:*:*:*:*:*:*:*";
    assert_eq!(found(&without, "1.18.0", old), (0, vec![]));
    let (replaced, matches) = found(&with, "1.18.0", old);
    assert_eq!((replaced, matches.len()), (1, 1));
    assert_eq!(matches[0].ids[0], "CVE-2031-0005");
    assert!(matches[0].evidence[0].name.contains(":buyer:gateway:"), "{:?}", matches[0].evidence);
    // The version may stand beside the name, the name may have an update of none; another version is not spoken of.
    assert_eq!(found(&with, "1.18.0", "cpe:2.3:a:first_author:gateway:*:*:*:*:*:*:*:*").1.len(), 1);
    assert_eq!(found(&with, "1.18.0", "cpe:2.3:a:first_author:gateway:1.18.0:-:*:*:*:*:*:*").1.len(), 1);
    assert_eq!(found(&with, "1.17.0", "cpe:2.3:a:first_author:gateway:1.17.0:*:*:*:*:*:*:*"), (0, vec![]));
    let suite = "cpe:2.3:a:example:suite:2.0\\(1\\):sp1:*:*:*:*:*:*";
    assert_eq!(with.successors(suite, "2.0(1)").unwrap().len(), 2);
    assert_eq!(with.successors("cpe:2.3:a:buyer:gateway:1.18.0:*:*:*:*:*:*:*", "").unwrap(), [""; 0]);
}

/// The entry of the old name is not at hand; two others say that they have replaced it.
#[test]
fn successors_that_speak_for_themselves_add_up() {
    let entry = |name: &str| {
        format!(
            r#"{{"cpe":{{"deprecated":false,"cpeName":"cpe:2.3:a:new:{name}:1.0:*:*:*:*:*:*:*","cpeNameId":"x",
            "deprecates":[{{"cpeName":"cpe:2.3:a:old:suite:1.0:*:*:*:*:*:*:*","cpeNameId":"y"}}]}}}}"#
        )
    };
    let page = format!(
        r#"{{"resultsPerPage":2,"format":"NVD_CPE","products":[{},{},{}]}}"#,
        entry("server"),
        entry("client"),
        entry("server")
    );
    let (_folder, snapshot) = store(&[("page.json", &page)]);
    let mut found = snapshot.successors("cpe:2.3:a:old:suite:1.0:*:*:*:*:*:*:*", "").unwrap();
    found.sort();
    assert_eq!(found, ["cpe:2.3:a:new:client:1.0:*:*:*:*:*:*:*", "cpe:2.3:a:new:server:1.0:*:*:*:*:*:*:*"]);
}
