//! Which documents make up a source: publishers, releases, repositories, folders, editions, and texts that were cut.

#![allow(clippy::unwrap_used, reason = "a test: a failed unwrap is a failure")]

use std::fs;
use std::path::{Path, PathBuf};

use bartizan_feeds::import::{Mode, Options, Report, import};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::manifest::Manifest;
use bartizan_feeds::store::writer::StoreWriter;
use bartizan_matching::correlate;
use bartizan_matching::model::{Ecosystem, MatchState, Package, SourcePackage};
use bartizan_matching::store::{AdvisoryStore, Coverage};
use serde_json::{Value, json};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn import_with(&self, paths: &[PathBuf], options: &Options) -> Report {
        let mut writer = StoreWriter::open(&self.store(), 1 << 20).unwrap();
        import(&mut writer, paths, options, "2031-01-01T00:00:00Z".parse().unwrap(), &mut |_| {}).unwrap()
    }

    fn import(&self, paths: &[PathBuf]) -> Report {
        self.import_with(paths, &Options::default())
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::open(&self.store()).unwrap()
    }

    fn sources(&self) -> Vec<String> {
        Manifest::read(&self.store()).unwrap().sources.into_keys().collect()
    }
}

fn installed(ecosystem: Ecosystem, release: &str, name: &str, source: &str, version: &str) -> Package {
    let mut package = Package::new(ecosystem, name, version);
    package.release = release.into();
    package.source = Some(SourcePackage { name: source.into(), version: version.into() });
    package
}

fn states(snapshot: &Snapshot, package: Package) -> Vec<MatchState> {
    let found = correlate(snapshot, &[package], &bartizan_matching::Options::default()).unwrap();
    found.matches.iter().map(|one| one.state).collect()
}

#[test]
fn advisories_of_rocky_name_sources() {
    let place = Place::new();
    let record = json!({"id": "RLSA-2031:0001", "modified": "2031-01-01T00:00:00Z", "related": ["CVE-2031-0001"], "affected": [
        {"package": {"ecosystem": "Rocky Linux:8", "name": "java-11-openjdk"},
         "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:11.0.25.0.9-2.el8"}]}]}]});
    let file = place.write("rocky.json", record.to_string());
    place.import_with(&[file], &Options { complete: true, ..Options::default() });
    let java = |name: &str, version: &str| {
        states(&place.snapshot(), installed(Ecosystem::RockyLinux, "8", name, "java-11-openjdk", version))
    };
    assert_eq!(java("java-11-openjdk-headless", "1:11.0.20.0.8-3.el8"), [MatchState::Affected]);
    assert_eq!(java("java-11-openjdk", "1:11.0.20.0.8-3.el8"), [MatchState::Affected]);
    assert_eq!(java("java-11-openjdk-headless", "1:11.0.25.0.9-2.el8"), []);
}

/// A VEX document of CSAF about one package of one release.
fn vex(publisher: &str, day: &str, release: u8, status: &str) -> Value {
    json!({"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "publisher": {"name": publisher, "category": "vendor", "namespace": "https://example.com"},
            "tracking": {"id": "CVE-2031-0002", "current_release_date": format!("{day}T00:00:00Z"),
                "initial_release_date": "2031-01-01T00:00:00Z", "status": "final", "version": "1", "revision_history": []}},
        "product_tree": {"branches": [{"category": "vendor", "name": "Red Hat", "branches": [
                {"category": "product_name", "name": "OS", "product": {"product_id": "os", "name": "OS",
                    "product_identification_helper": {"cpe": format!("cpe:/o:redhat:enterprise_linux:{release}")}}},
                {"category": "product_version", "name": "nghttp2", "product": {"product_id": "p", "name": "nghttp2"}}]}],
            "relationships": [{"category": "default_component_of", "product_reference": "p",
                "relates_to_product_reference": "os", "full_product_name": {"product_id": "os:p", "name": "x"}}]},
        "vulnerabilities": [{"cve": "CVE-2031-0002", "product_status": {status: ["os:p"]}}]})
}

#[test]
fn records_of_one_id_and_different_publishers_are_kept() {
    let place = Place::new();
    let files: Vec<PathBuf> =
        [("a.json", "Red Hat Product Security"), ("b.json", "ACME PSIRT"), ("c.json", "Other PSIRT")]
            .iter()
            .map(|(name, publisher)| {
                place.write(&format!("vex/{name}"), vex(publisher, "2031-01-01", 8, "known_affected").to_string())
            })
            .collect();
    let report = place.import(&[files[0].parent().unwrap().to_owned()]);
    assert!(report.is_complete(), "{report:?}");
    let snapshot = place.snapshot();
    let mut sources: Vec<String> = snapshot
        .by_id("CVE-2031-0002")
        .unwrap()
        .into_iter()
        .map(|record| snapshot.head(record).unwrap().source.to_string())
        .collect();
    sources.sort();
    assert_eq!(sources, ["csaf:acme psirt", "csaf:other psirt", "redhat"]);
}

#[test]
fn a_bulletin_in_a_document_for_each_release_is_kept_whole() {
    let document = |day: &str, release: u8, status: &str| vex("Red Hat", day, release, status).to_string();
    let texts = [
        document("2031-01-03", 8, "known_not_affected"),
        document("2031-01-01", 8, "known_affected"),
        document("2031-01-02", 9, "known_affected"),
    ];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let place = Place::new();
        for (at, which) in order.iter().enumerate() {
            place.write(&format!("vex/{at}.json"), &texts[*which]);
        }
        place.import(&[place.folder.path().join("vex")]);
        let snapshot = place.snapshot();
        let record = snapshot.by_id("CVE-2031-0002").unwrap();
        let statements: Vec<(String, String)> = snapshot
            .advisory(record[0])
            .unwrap()
            .affected
            .iter()
            .map(|one| (one.package.release.to_string(), format!("{:?}", one.state)))
            .collect();
        let expected = [("8", "NotAffected"), ("9", "NoFixYet")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!((record.len(), statements), (1, expected.to_vec()), "{order:?}");
    }
}

#[test]
fn an_update_takes_back_what_its_publisher_took_back() {
    let debian = |day: &str, releases: &[&str]| {
        let affected: Vec<Value> = releases
            .iter()
            .map(|release| {
                json!({"package": {"ecosystem": format!("Debian:{release}"), "name": "p"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2-1"}]}]})
            })
            .collect();
        json!({"id": "DSA-1-1", "modified": format!("{day}T00:00:00Z"), "affected": affected}).to_string()
    };
    let released = |snapshot: &Snapshot, id: &str| -> Vec<String> {
        let record = snapshot.by_id(id).unwrap();
        let advisory = snapshot.advisory(record[0]).unwrap();
        advisory.affected.iter().map(|one| one.package.release.to_string()).collect()
    };
    let update = Options { mode: Mode::Update, ..Options::default() };
    let place = Place::new();
    place.import(&[place.write("feed.jsonl", debian("2031-01-01", &["11", "12"]))]);
    place.import_with(&[place.write("feed.jsonl", debian("2031-01-02", &["12"]))], &update);
    assert_eq!(released(&place.snapshot(), "DSA-1-1"), ["12"]);
    // Documents of one bulletin: what shares no release stays, what does is replaced.
    let document = |day: &str, releases: &[u8]| {
        let mut first = vex("Red Hat", day, releases[0], "known_affected");
        for release in &releases[1..] {
            let other = vex("Red Hat", day, *release, "known_affected").to_string();
            let other: Value = serde_json::from_str(&other.replace("\"os", "\"os2")).unwrap();
            for (path, at) in [("/product_tree/branches", 0), ("/product_tree/relationships", 0)] {
                let more = other.pointer(path).unwrap()[at].clone();
                first.pointer_mut(path).unwrap().as_array_mut().unwrap().push(more);
            }
            let known = first.pointer_mut("/vulnerabilities/0/product_status/known_affected").unwrap();
            known.as_array_mut().unwrap().push(json!("os2:p"));
        }
        first.to_string()
    };
    for (second, expected) in [([9].as_slice(), vec!["8", "9"]), ([8].as_slice(), vec!["8"])] {
        let place = Place::new();
        let first = if expected.len() == 1 { document("2031-01-01", &[8, 9]) } else { document("2031-01-01", &[8]) };
        place.import(&[place.write("bulletin.json", first)]);
        place.import_with(&[place.write("bulletin.json", document("2031-01-02", second))], &update);
        let mut found = released(&place.snapshot(), "CVE-2031-0002");
        found.sort();
        assert_eq!(found, expected);
    }
}

fn osv(id: &str, package: &str) -> String {
    json!({"id": id, "modified": "2031-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "npm", "name": package}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]})
    .to_string()
}

#[test]
fn a_folder_of_records_is_one_source() {
    let place = Place::new();
    for number in 0..30 {
        place.write(
            &format!("advisory-database/advisories/reviewed/2031/{number:02}/GHSA-{number}.json"),
            osv(&format!("GHSA-{number}"), "p"),
        );
    }
    place.import(&[place.folder.path().join("advisory-database")]);
    assert_eq!(place.sources(), ["osv-advisory-database"]);
    // The folder inside is the same source: its own name says nothing.
    place.import(&[place.folder.path().join("advisory-database/advisories")]);
    assert_eq!(place.sources(), ["osv-advisory-database"]);
}

#[test]
fn an_import_makes_a_bounded_number_of_sources() {
    let place = Place::new();
    for number in 0..405 {
        place.write(&format!("many/s{number}.jsonl"), osv(&format!("X-{number}"), "p"));
    }
    let report = place.import(&[place.folder.path().join("many")]);
    assert_eq!((report.sources.len(), report.failed_files.len()), (400, 5));
    assert!(report.failed_files[0].1.contains("number of sources"), "{:?}", report.failed_files[0]);
}

#[test]
fn texts_that_were_cut_do_not_replace_what_is_held() {
    let list: String = (1..20)
        .map(|n| format!("[01 Feb 2031] DSA-90{n:02}-1 example - security update\n\t{{CVE-2031-{n:04}}}\n\t[bookworm] - example 2.0-{n}\n"))
        .collect();
    let cves: String = (1..20).map(|n| format!("CVE-2031-{n:04} (x)\n\t- example 2.{n}-1\n")).collect();
    let tracker = "Candidate: CVE-2031-0001\nPublicDate: 2031-01-01 00:00:00 UTC\nDescription:\n x\n\
        jammy_example: needed\nnoble_example: needed\n";
    let secdb: String = (1..20)
        .map(|n| {
            format!("  - pkg:\n      name: p{n}\n      secfixes:\n        1.{n}-r0:\n          - CVE-2031-{n:04}\n")
        })
        .collect();
    let secdb = format!("distroversion: v3.18\nreponame: main\npackages:\n{secdb}");
    for (name, text, cut) in [
        ("dsa-list", list.as_str(), list.rfind("\n[").unwrap() - 3),
        ("cves", cves.as_str(), cves.rfind("\nCVE").unwrap() - 2),
        ("CVE-2031-0001", tracker, tracker.rfind("noble").unwrap() - 1),
        ("main.yaml", secdb.as_str(), secdb.rfind("\n  - pkg").unwrap() - 1),
    ] {
        let place = Place::new();
        let file = place.write(name, text);
        assert!(place.import(std::slice::from_ref(&file)).is_complete(), "{name}");
        fs::write(&file, &text[..cut]).unwrap();
        let report = place.import(std::slice::from_ref(&file));
        let why = report.sources[0].outcome.as_ref().unwrap_err();
        assert!(why.contains("cut short"), "{name}: {why}");
    }
}

/// One repository of one release of Alpine.
fn repository(release: &str, repository: &str) -> String {
    let packages: Vec<Value> = (0..250)
        .map(|n| json!({"pkg": {"name": format!("{repository}{n}"), "secfixes": {"1.2-r0": [format!("CVE-2031-{n:05}")]}}}))
        .collect();
    json!({"apkurl": "{{urlprefix}}/{{distroversion}}/{{reponame}}/x", "archs": ["x86_64"], "reponame": repository,
        "urlprefix": "https://example.com", "distroversion": release, "packages": packages})
    .to_string()
}

#[test]
fn repositories_of_alpine_stand_beside_each_other() {
    let place = Place::new();
    let file = |release: &str, name: &str| place.write(&format!("{release}/{name}.json"), repository(release, name));
    let coverage = || place.snapshot().coverage(&Ecosystem::Alpine, "3.18").unwrap();
    place.import_with(&[file("v3.18", "main")], &Options { complete: true, ..Options::default() });
    assert!(matches!(coverage(), Coverage::PartlyCovered { .. }), "{:?}", coverage());
    place.import(&[file("v3.19", "community"), file("v3.19", "main")]);
    assert!(matches!(coverage(), Coverage::PartlyCovered { .. }), "{:?}", coverage());
    place.import(&[file("v3.18", "community")]);
    assert_eq!(
        place.sources(),
        ["secdb-v3.18-community", "secdb-v3.18-main", "secdb-v3.19-community", "secdb-v3.19-main"]
    );
    assert_eq!(coverage(), Coverage::Covered);
    // By whatever name it goes, one release does not take the place of another.
    let options = Options { source: Some("secdb-v3.18-main".to_owned()), ..Options::default() };
    let report = place.import_with(&[file("v3.19", "main")], &options);
    assert!(report.sources[0].outcome.as_ref().unwrap_err().contains("Alpine:3.19 where it spoke of Alpine:3.18"));
}

#[test]
fn of_several_editions_the_newest_is_kept() {
    let table = |day: &str, score: &str| {
        format!("#model_version:v1,score_date:{day}T00:00:00+0000\ncve,epss,percentile\nCVE-2031-10000,{score},0.2\n")
    };
    let score = |store: &Path| {
        Snapshot::open(store).unwrap().signals("CVE-2031-10000").unwrap().epss.unwrap().score.to_string()
    };
    for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"], ["a", "c", "b"]] {
        let place = Place::new();
        place.write("a.csv", table("2031-02-01", "0.1"));
        place.write("b.csv", table("2031-02-02", "0.2"));
        place.write("c.csv", table("2031-02-03", "0.3"));
        let paths: Vec<PathBuf> = order.iter().map(|name| place.folder.path().join(format!("{name}.csv"))).collect();
        let report = place.import(&paths);
        assert_eq!(score(&place.store()), "0.3", "{order:?}");
        let warning = report.sources[0].warning.as_ref().unwrap();
        assert!(warning.contains("that of 2031-02-02 was left out"), "{order:?}: {warning}");
    }
}

/// A VEX document about npm's `minimist`, alone or as a part of an appliance.
fn about_minimist(joined: bool) -> String {
    let relationships = json!([{"category": "default_component_of", "product_reference": "p",
        "relates_to_product_reference": "os", "full_product_name": {"product_id": "os:p", "name": "x"}}]);
    json!({"document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "publisher": {"name": "ACME PSIRT", "category": "vendor", "namespace": "https://acme.example"},
            "tracking": {"id": "ACME-1", "current_release_date": "2031-01-01T00:00:00Z",
                "initial_release_date": "2031-01-01T00:00:00Z", "status": "final", "version": "1", "revision_history": []}},
        "product_tree": {"branches": [{"category": "vendor", "name": "ACME", "branches": [
                {"category": "product_name", "name": "Appliance", "product": {"product_id": "os", "name": "Appliance"}},
                {"category": "product_version", "name": "1.2.0", "product": {"product_id": "p", "name": "minimist",
                    "product_identification_helper": {"purl": "pkg:npm/minimist@1.2.0"}}}]}],
            "relationships": if joined { relationships } else { json!([]) }},
        "vulnerabilities": [{"cve": "CVE-2031-0003",
            "product_status": {"known_not_affected": [if joined { "os:p" } else { "p" }]}}]})
    .to_string()
}

#[test]
fn a_supplier_does_not_acquit_a_package_of_the_registry() {
    let advisory = json!({"id": "GHSA-xxxx", "aliases": ["CVE-2031-0003"], "modified": "2031-01-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "npm", "name": "minimist"},
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.6"}]}]}]});
    for joined in [true, false] {
        let place = Place::new();
        let files = [place.write("osv.json", advisory.to_string()), place.write("acme.json", about_minimist(joined))];
        place.import_with(&files, &Options { complete: true, ..Options::default() });
        let found = states(&place.snapshot(), Package::new(Ecosystem::Npm, "minimist", "1.2.0"));
        assert_eq!(found, [MatchState::Affected], "joined: {joined}");
    }
}

#[test]
fn components_of_modules_without_a_version_are_found() {
    let place = Place::new();
    let text = vex("Red Hat", "2031-01-01", 8, "known_affected")
        .to_string()
        .replace("\"name\":\"nghttp2\"", "\"name\":\"nodejs:16/nodejs\"");
    let file = place.write("vex.json", text);
    place.import_with(&[file], &Options { complete: true, ..Options::default() });
    let node = |stream: &str| {
        let version = "1:16.20.2-4.module+el8.9.0+21536+8fdee1fb";
        let mut package = installed(Ecosystem::RedHat, "8", "nodejs-full-i18n", "nodejs", version);
        package.module = stream.into();
        states(&place.snapshot(), package)
    };
    assert_eq!(node("nodejs:16"), [MatchState::NoFixYet]);
    assert_eq!(node("nodejs:18"), []);
}

#[test]
fn a_damaged_edition_is_a_failure_wherever_it_stands() {
    let table = |day: &str| {
        format!("#model_version:v1,score_date:{day}T00:00:00+0000\ncve,epss,percentile\nCVE-2031-10000,0.1,0.2\n")
    };
    let place = Place::new();
    let bad = place.write("bad.csv", table("2031-02-04").replace("0.1,0.2", "x\"y"));
    let files = [place.write("a.csv", table("2031-02-03")), bad, place.write("c.csv", table("2031-02-01"))];
    for order in [[0, 1, 2], [1, 0, 2], [2, 0, 1]] {
        let report = place.import(&order.map(|at| files[at].clone()));
        assert!(!report.is_complete(), "{order:?}: {report:?}");
    }
}
