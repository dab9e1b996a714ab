//! Distributions: Ubuntu's CVE tracker record by record, and Greenbone's Notus list on a real host.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bartizan_accuracy::{Store, corpus, unpack};
use bartizan_inventory::os::Os;
use bartizan_inventory::{Collector, Limits};
use bartizan_matching::model::{Ecosystem, Package, VendorState};
use bartizan_matching::{Dialect, Options, correlate};

const RELEASES: [(&str, &str); 3] = [("trusty", "14.04"), ("xenial", "16.04"), ("bionic", "18.04")];

/// What the tracker says: state, and the version that fixes it.
type Said = (VendorState, Option<String>);

/// `release_package: status (detail)` lines of one record, read here on their own.
fn statuses(text: &str) -> Vec<(&'static str, &str, Said)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((target, status)) = line.split_once(':') else {
            continue;
        };
        let Some((codename, package)) = target.split_once('_') else {
            continue;
        };
        let Some((_, release)) = RELEASES.iter().find(|(name, _)| *name == codename) else {
            continue;
        };
        let status = status.trim();
        let (word, detail) = status.split_once(' ').unwrap_or((status, ""));
        let written = detail.trim().trim_start_matches('(').trim_end_matches(')');
        let detail = written.to_lowercase();
        let over = ["end-of-life", "end of life", "out of standard support", "eol"];
        let state = match word {
            "released" => VendorState::Affected,
            "not-affected" => VendorState::NotAffected,
            "needed" | "active" | "deferred" | "pending" => VendorState::NoFixYet,
            "needs-triage" => VendorState::UnderInvestigation,
            "ignored" if over.iter().any(|word| detail.contains(word)) => VendorState::EndOfLife,
            "ignored" => VendorState::WillNotFix,
            _ => continue,
        };
        let version = written.split([',', ' ']).next().unwrap_or("").to_owned();
        let fixed = (word == "released" && Dialect::Dpkg.key(&version).is_ok()).then_some(version);
        found.push((*release, package, (state, fixed)));
    }
    found
}

#[test]
fn every_status_of_ubuntus_tracker_is_reproduced() {
    let Some(corpus) = corpus() else { return };
    let archive = corpus.join("ubuntu/ubuntu-cve-tracker-2020-06.tar.zst");
    let folder = tempfile::tempdir().unwrap();
    unpack(&archive, folder.path()).unwrap();
    let store = Store::new().unwrap();
    store.import(&[archive]).unwrap();
    let snapshot = store.open().unwrap();

    let mut said: BTreeMap<(&'static str, String), BTreeMap<String, Said>> = BTreeMap::new();
    let (mut records, mut rejected) = (0, 0);
    for part in ["active", "retired"] {
        for entry in std::fs::read_dir(folder.path().join(part)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let id = path.file_name().unwrap().to_string_lossy().into_owned();
            records += usize::from(id.starts_with("CVE-"));
            // A rejected record matches nothing.
            if text.contains("** REJECT **") {
                rejected += 1;
                continue;
            }
            for (release, package, status) in statuses(&text) {
                said.entry((release, package.to_owned())).or_default().insert(id.clone(), status);
            }
        }
    }
    assert_eq!(records, 6713);
    let (mut compared, mut complaints) = (0, Vec::new());
    for ((release, package), by_id) in &said {
        // Below every version, and at each version that fixes something.
        let mut versions: BTreeSet<String> = by_id.values().filter_map(|(_, fixed)| fixed.clone()).collect();
        versions.insert("0~~~".to_owned());
        let packages: Vec<Package> = versions
            .iter()
            .map(|version| {
                let mut found = Package::new(Ecosystem::Ubuntu, package.as_str(), version.as_str());
                found.release = (*release).into();
                found
            })
            .collect();
        let correlation = correlate(&snapshot, &packages, &Options::default()).unwrap();
        let mut ours: BTreeMap<(usize, &str), BTreeSet<VendorState>> = BTreeMap::new();
        for one in &correlation.matches {
            // What is said about another pocket (extended maintenance) is compared with nothing here.
            for evidence in one
                .evidence
                .iter()
                .filter(|evidence| !evidence.notes.iter().any(|note| note.contains("the statement is about")))
            {
                ours.entry((one.package as usize, &one.ids[0])).or_default().insert(evidence.state);
            }
        }
        for (at, version) in versions.iter().enumerate() {
            for (id, (state, fixed)) in by_id {
                compared += 1;
                let found = ours.get(&(at, id.as_str()));
                let newer = |fixed: &String| Dialect::Dpkg.compare(version, fixed).unwrap().is_ge();
                let expected = match (state, fixed) {
                    (VendorState::NotAffected, _) => None,
                    (VendorState::Affected, None) => continue,
                    (VendorState::Affected, Some(fixed)) if newer(fixed) => None,
                    (state, _) => Some(*state),
                };
                let agrees = match expected {
                    Some(state) => found.is_some_and(|found| found.contains(&state)),
                    None => found.is_none_or(|found| !found.contains(&VendorState::Affected)),
                };
                if !agrees {
                    complaints.push(format!("{id} {release} {package} {version}: {state:?} {fixed:?}, here {found:?}"));
                }
            }
        }
    }
    eprintln!(
        "Ubuntu: {records} records ({rejected} rejected), {compared} statuses compared, {} differ",
        complaints.len()
    );
    assert!(complaints.is_empty(), "{} differ: {:#?}", complaints.len(), &complaints[..complaints.len().min(20)]);
}

#[test]
fn a_real_host_has_what_notus_says() {
    let Some(corpus) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in ["inventory/lockfiles-and-dpkg.tar.zst", "greenbone/notus-ubuntu-14.04.tar.zst"] {
        unpack(&corpus.join(name), folder.path()).unwrap();
    }
    let mut collector = Collector::new(Limits::default(), Some(Os::of_id("ubuntu", "14.04")));
    collector.add(&folder.path().join("dpkg/openvas-victim-image/status")).unwrap();
    let packages = collector.finish().packages();
    // Of 629 entries one is of a removed package.
    assert_eq!(packages.len(), 628);
    let store = Store::new().unwrap();
    store.import(&[corpus.join("greenbone/notus-ubuntu-14.04.tar.zst")]).unwrap();
    let found = correlate(&store.open().unwrap(), &packages, &Options::default()).unwrap();
    let ours: BTreeSet<(String, String)> = found
        .matches
        .iter()
        .filter(|one| one.is_finding())
        .flat_map(|one| {
            one.evidence
                .iter()
                .map(|evidence| (packages[one.package as usize].name.to_string(), evidence.advisory.to_string()))
        })
        .collect();
    let mut expected = BTreeSet::new();
    for file in files(folder.path(), "notus") {
        let list: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for advisory in list["advisories"].as_array().unwrap() {
            for fixed in advisory["fixed_packages"].as_array().unwrap() {
                assert_eq!(fixed["specifier"], ">=");
                let (name, version) = (fixed["name"].as_str().unwrap(), fixed["full_version"].as_str().unwrap());
                for package in packages.iter().filter(|package| package.name.as_str() == name) {
                    let older = std::process::Command::new("dpkg")
                        .args(["--compare-versions", &package.version, "lt", version])
                        .status()
                        .unwrap();
                    if older.success() {
                        expected.insert((name.to_owned(), advisory["oid"].as_str().unwrap().to_owned()));
                    }
                }
            }
        }
    }
    eprintln!("Notus: {} statements hold for the host, here {}", expected.len(), ours.len());
    assert!(!expected.is_empty());
    assert_eq!(ours, expected);
}

fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found
}
