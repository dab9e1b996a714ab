//! Labels: people's verdicts on findings of other tools, as far as the corpus holds the advisory.
//!
//! A label is compared if a record of the corpus carries its id (or CVE) and speaks of the labelled package in the
//! ecosystem and release the package is from. The release of a distribution's package is read from its version
//! (`…ubuntu0.18.04.1`, `…+deb10u1`); where the version does not tell, the label is not compared.
//!
//! Most false positives among them are files of a language package that a distribution's package owns (`urllib3` of an
//! RPM). Labels name no paths, but all labels of one image together are a part of its inventory: what the packages of the
//! distribution among them tell about owners is concluded as of any bill of materials. What remains unclear is reported,
//! and not with high confidence. (A document of a real scanner states paths, and what lies apart from the distribution is
//! then reported with full confidence.)

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::BTreeMap;
use std::path::Path;

use bartizan_accuracy::{Store, corpus, text};
use bartizan_feeds::store::Snapshot;
use bartizan_inventory::ownership::{self, Placed};
use bartizan_matching::model::{Authority, Confidence, Ecosystem, Event, Package, Range};
use bartizan_matching::store::AdvisoryStore;
use bartizan_matching::{Options, correlate};
use serde_json::Value;

/// Digits behind `mark`, and what `mark` says.
fn after<'v>(version: &'v str, mark: &str) -> Option<&'v str> {
    let rest = &version[version.find(mark)? + mark.len()..];
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    Some(rest[..length].trim_end_matches('.'))
}

/// The distribution and release a version tells, or that it is no distribution's.
fn place(version: &str) -> Option<Option<(Ecosystem, String)>> {
    if let Some(number) = after(version, "ubuntu0.").filter(|number| number.len() >= 5) {
        return Some(Some((Ecosystem::Ubuntu, number[..5].to_owned())));
    }
    if let Some(number) = after(version, "+deb").filter(|number| !number.is_empty()) {
        return Some(Some((Ecosystem::Debian, number.to_owned())));
    }
    let distribution =
        ["ubuntu", "dfsg", ".el", ".amzn", ".fc", ".cm", ".mga"].iter().any(|mark| version.contains(mark))
            || version.rsplit_once('-').is_some_and(|(_, revision)| {
                revision.starts_with(|c: char| c.is_ascii_digit()) || revision.starts_with('r')
            });
    (!distribution).then_some(None)
}

/// The packages of distributions among the labels of an image.
fn system(labels: &[&Value]) -> Vec<Package> {
    let mut found: BTreeMap<(String, String), Package> = BTreeMap::new();
    for label in labels {
        let (name, version) =
            (label["package"]["name"].as_str().unwrap(), label["package"]["version"].as_str().unwrap());
        let (ecosystem, release) = match place(version) {
            Some(Some(known)) => known,
            Some(None) => continue,
            None if version.contains(".el") => {
                (Ecosystem::RedHat, after(version, ".el").unwrap_or_default().to_owned())
            }
            None if version.rsplit_once('-').is_some_and(|(_, revision)| revision.starts_with('r')) => {
                (Ecosystem::Alpine, String::new())
            }
            None => (Ecosystem::Debian, String::new()),
        };
        let mut package = Package::new(ecosystem, name, version);
        package.release = release.into();
        found.insert((name.to_owned(), version.to_owned()), package);
    }
    found.into_values().collect()
}

/// The packages with what the rest of their image tells about their owners.
fn owned(packages: Vec<Package>, system: &[Package]) -> Vec<Package> {
    let count = packages.len();
    let all = packages.into_iter().chain(system.iter().cloned());
    let mut placed: Vec<Placed> = all.map(|package| Placed { package, paths: Vec::new(), owner: None }).collect();
    ownership::settle(&mut placed);
    placed.into_iter().take(count).map(|placed| placed.package).collect()
}

/// The package a label is about, once for each ecosystem in which a record of the vulnerability names it.
fn packages(snapshot: &Snapshot, label: &Value) -> Vec<Package> {
    let (name, version) = (label["package"]["name"].as_str().unwrap(), label["package"]["version"].as_str().unwrap());
    let Some(place) = place(version) else {
        return Vec::new();
    };
    let mut found: BTreeMap<(Ecosystem, String), Package> = BTreeMap::new();
    for id in ["vulnerability_id", "effective_cve"].iter().filter_map(|field| label[*field].as_str()) {
        for record in snapshot.by_id(id).unwrap() {
            let advisory = snapshot.advisory(record).unwrap();
            if advisory.head.withdrawn.is_some() {
                continue;
            }
            for affected in &advisory.affected {
                let ecosystem = &affected.package.ecosystem;
                let last = |name: &str| name.rsplit(':').next().unwrap_or(name).to_owned();
                // Labels name Maven artifacts without their group.
                let same = affected.package.name.as_str() == ecosystem.normalise(name)
                    || *ecosystem == Ecosystem::Maven && last(&affected.package.name) == last(name);
                let here = match &place {
                    Some((distribution, release)) => {
                        ecosystem == distribution && affected.package.release.as_str() == release
                    }
                    None => ecosystem.authority() == Authority::Ecosystem && *ecosystem != Ecosystem::Bitnami,
                };
                if same && here {
                    let written = if *ecosystem == Ecosystem::Maven { affected.package.name.as_str() } else { name };
                    let mut package = Package::new(ecosystem.clone(), written, version);
                    package.release = affected.package.release.clone();
                    found.insert((ecosystem.clone(), written.to_owned()), package);
                }
            }
        }
    }
    found.into_values().collect()
}

#[test]
fn verdicts_of_people_are_met() {
    let Some(corpus) = corpus() else { return };
    let store = Store::new().unwrap();
    let names = [
        "osv/crates.io.jsonl.zst",
        "osv/go.jsonl.zst",
        "osv/pypi.jsonl.zst",
        "osv/ghsa-and-distro-from-test-suites.jsonl.zst",
        "rubygems/ruby-advisory-db.tar.zst",
        "ubuntu/ubuntu-cve-tracker-2020-06.tar.zst",
        "debian/security-tracker-2023-03.tar.zst",
    ];
    store.import(&names.map(|name| corpus.join(name))).unwrap();
    let snapshot = store.open().unwrap();
    let mut corrections = 0;
    let (mut counts, mut lines) = (BTreeMap::<(&str, bool), usize>::new(), Vec::new());
    let labels: Vec<Value> = text(&corpus.join("labels/match-labels-shared.jsonl.zst"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut by_image: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for label in &labels {
        by_image.entry(label["image"]["exact"].as_str().unwrap()).or_default().push(label);
    }
    let systems: BTreeMap<&str, Vec<Package>> =
        by_image.into_iter().map(|(image, labels)| (image, system(&labels))).collect();
    for label in &labels {
        let verdict = match label["label"].as_str().unwrap() {
            "TP" => "TP",
            "FP" => "FP",
            _ => continue,
        };
        let packages = packages(&snapshot, label);
        if packages.is_empty() {
            continue;
        }
        let packages = owned(packages, &systems[label["image"]["exact"].as_str().unwrap()]);
        let wanted: Vec<&str> =
            ["vulnerability_id", "effective_cve"].iter().filter_map(|field| label[*field].as_str()).collect();
        let found = correlate(&snapshot, &packages, &Options::default()).unwrap();
        let about = found.matches.iter().filter(|one| one.ids.iter().any(|id| wanted.contains(&id.as_str())));
        let confidence = about.filter(|one| one.is_finding()).map(|one| one.confidence).max();
        let reported = confidence.is_some();
        let high = confidence >= Some(Confidence::HIGH);
        // The advisory has been corrected since people judged: it names the very version as the fixed one.
        let corrected = !reported && verdict == "TP" && is_fixed(&snapshot, &packages, &wanted);
        if corrected {
            corrections += 1;
        } else {
            *counts.entry((verdict, if verdict == "FP" { high } else { reported })).or_default() += 1;
        }
        lines.push(format!(
            "{},{verdict},{},{},{},{}",
            label["ID"].as_str().unwrap(),
            packages[0].ecosystem,
            packages[0].name,
            packages[0].version,
            match (reported, corrected) {
                (true, _) if high => "reported",
                (true, _) => "reported with less confidence",
                (false, true) => "named as fixed by the advisory",
                (false, false) => "not reported",
            }
        ));
    }
    lines.sort();
    if let Some(folder) = std::env::var_os("BARTIZAN_WRITE_DIFFERENCES") {
        std::fs::write(Path::new(&folder).join("labels.csv"), lines.join("\n") + "\n").unwrap();
    }
    let count = |verdict, reported| counts.get(&(verdict, reported)).copied().unwrap_or(0);
    let (hit, missed) = (count("TP", true), count("TP", false));
    let (wrong, right) = (count("FP", true), count("FP", false));
    eprintln!(
        "labels compared: {} (TP {hit} of {}, {corrections} more on versions that the advisory names as fixed by now; FP not reported with high confidence {right} of {})",
        lines.len(),
        hit + missed,
        wrong + right
    );
    // The subset is part of the repository, so that it does not shrink unseen.
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/labels.csv");
    assert_eq!(std::fs::read_to_string(table).unwrap(), lines.join("\n") + "\n");
    assert!(hit * 100 >= (hit + missed) * 95, "recall {hit} of {}", hit + missed);
    assert!(right * 100 >= (wrong + right) * 80, "of {} false positives {right} are not sure", wrong + right);
}

/// Whether a record of the vulnerability names the package's version as one that contains the fix.
fn is_fixed(snapshot: &Snapshot, packages: &[Package], ids: &[&str]) -> bool {
    ids.iter().flat_map(|id| snapshot.by_id(id).unwrap()).any(|record| {
        snapshot.advisory(record).unwrap().affected.iter().any(|affected| {
            affected.ranges.iter().any(|range| match range {
                Range::Events { events, .. } => events.iter().any(|event| {
                    matches!(event, Event::Fixed(version) if packages.iter().any(|package| {
                        affected.package.name.as_str() == package.ecosystem.normalise(&package.name)
                            && package.version == *version
                    }))
                }),
                _ => false,
            })
        })
    })
}
