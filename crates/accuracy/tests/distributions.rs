//! Distributions: Ubuntu's CVE tracker record by record, and Greenbone's Notus list on a real host.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bartizan_accuracy::{Store, against_table, corpus, unpack};
use bartizan_inventory::os::Os;
use bartizan_inventory::{Collector, Limits};
use bartizan_matching::model::{Ecosystem, GapReason, Match, MatchState, Package, VendorState};
use bartizan_matching::{Dialect, Options, correlate};

const RELEASES: [(&str, &str); 3] = [("trusty", "14.04"), ("xenial", "16.04"), ("bionic", "18.04")];

/// What the tracker says: state, and the version that fixes it.
type Said = (VendorState, Option<String>);

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pocket {
    Archive,
    /// Extended maintenance: `release/esm_package`.
    Extended,
}

/// What is said about one package of one release, by vulnerability.
type ById = BTreeMap<String, BTreeMap<Pocket, Said>>;

/// `release_package: status (detail)` lines of one record, read here on their own.
fn statuses(text: &str) -> Vec<(Pocket, &'static str, &str, Said)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((target, status)) = line.split_once(':') else {
            continue;
        };
        let Some((codename, package)) = target.split_once('_') else {
            continue;
        };
        let (codename, pocket) = match codename.strip_suffix("/esm") {
            Some(codename) => (codename, Pocket::Extended),
            None => (codename, Pocket::Archive),
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
        found.push((pocket, *release, package, (state, fixed)));
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

    let mut said: BTreeMap<(&'static str, String), ById> = BTreeMap::new();
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
            for (pocket, release, package, status) in statuses(&text) {
                let by_id = said.entry((release, package.to_owned())).or_default();
                by_id.entry(id.clone()).or_default().insert(pocket, status);
            }
        }
    }
    assert_eq!(records, 6713);
    let (mut compared, mut nowhere) = (0, 0);
    let mut complaints = Vec::new();
    // Where both pockets speak: installed from, what each says, and what is decided.
    let mut joined: BTreeMap<[&'static str; 4], u32> = BTreeMap::new();
    for ((release, package), by_id) in &said {
        // Below every version, and at each version that fixes something.
        let mut versions: BTreeSet<String> =
            by_id.values().flat_map(BTreeMap::values).filter_map(|(_, fixed)| fixed.clone()).collect();
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
        let decided: BTreeMap<(usize, &str), &Match> =
            correlation.matches.iter().map(|one| ((one.package as usize, one.ids[0].as_str()), one)).collect();
        for (at, version) in versions.iter().enumerate() {
            let gap = correlation
                .gaps
                .iter()
                .any(|gap| gap.package as usize == at && gap.reason == GapReason::VersionUnreadable);
            for (id, pockets) in by_id {
                compared += 1;
                let ours = decided.get(&(at, id.as_str()));
                // That something is not affected is said only where something else says that it is.
                let state = ours.map_or(MatchState::NotAffected, |found| found.state);
                let agrees = match expected(version, pockets) {
                    Some(expected) => state == expected,
                    // Fixed at a version that nobody says.
                    None => {
                        nowhere += 1;
                        gap && ours.is_none()
                    }
                };
                if !agrees {
                    complaints.push(format!("{id} {release} {package} {version}: {pockets:?}, here {ours:?}"));
                }
                if let [archive, extended] = [Pocket::Archive, Pocket::Extended].map(|pocket| pockets.get(&pocket))
                    && let (Some((archive, _)), Some((extended, _))) = (archive, extended)
                {
                    let from = if version.contains("esm") { "esm" } else { "archive" };
                    let [archive, extended] = [archive, extended].map(|state| MatchState::from(*state).as_str());
                    *joined.entry([from, archive, extended, state.as_str()]).or_default() += 1;
                }
            }
        }
    }
    eprintln!(
        "Ubuntu: {records} records ({rejected} rejected), {compared} states compared, {} differ; {} where two pockets speak, {nowhere} gaps",
        complaints.len(),
        joined.values().sum::<u32>()
    );
    let joined: Vec<Vec<String>> = joined
        .into_iter()
        .map(|(states, count)| states.map(str::to_owned).into_iter().chain([count.to_string()]).collect())
        .collect();
    complaints.extend(against_table("ubuntu-pockets.csv", "installed,archive,esm,decided,count", &joined).unwrap());
    assert!(complaints.is_empty(), "{} differ: {:#?}", complaints.len(), &complaints[..complaints.len().min(20)]);
}

/// The state of an installed version by what the pockets say, worked out here on its own. None if it is said to be fixed
/// and not where.
fn expected(version: &str, pockets: &BTreeMap<Pocket, Said>) -> Option<MatchState> {
    let [archive, extended] = [Pocket::Archive, Pocket::Extended].map(|pocket| pockets.get(&pocket));
    let older = |fixed: &String| Dialect::Dpkg.compare(version, fixed).unwrap().is_lt();
    // By the pocket it is installed from; the other one where that says nothing.
    let (own, other) = if version.contains("esm") { (extended, archive) } else { (archive, extended) };
    let (state, fixed) = own.or(other)?;
    let stated = match (state, fixed) {
        (VendorState::Affected, None) => None,
        (VendorState::Affected, Some(fixed)) if !older(fixed) => Some(MatchState::NotAffected),
        (state, _) => Some(MatchState::from(*state)),
    };
    // Extended maintenance goes on where the archive is not looked at any more: what it denies does not hold, and what
    // it fixes has a fix.
    let over = matches!(stated, Some(MatchState::EndOfLife | MatchState::WillNotFix));
    match extended {
        Some((VendorState::NotAffected, _)) if over => Some(MatchState::NotAffected),
        Some((VendorState::Affected, Some(fixed))) if over && older(fixed) => Some(MatchState::Affected),
        _ => stated,
    }
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
