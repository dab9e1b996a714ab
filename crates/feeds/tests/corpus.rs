//! Real data: runs where `BARTIZAN_CORPUS` names the folder of it, and says so where it does not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a failed unwrap is a failure, and it says what it skips"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bartizan_feeds::formats::{Format, Output, PEEK, parse, recognise};
use bartizan_feeds::import::{Mode, Options, Report, import};
use bartizan_feeds::input::visit;
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::segment::SameId;
use bartizan_feeds::store::writer::{Provenance, Shrinking, StoreWriter};
use bartizan_feeds::{Limits, Record};
use bartizan_matching::cpe::{Configuration, Operator};
use bartizan_matching::model::{Advisory, Affected, Condition, Ecosystem, VendorState};
use bartizan_matching::store::AdvisoryStore as _;
use chrono::{DateTime, Utc};

fn corpus() -> Option<PathBuf> {
    match std::env::var_os("BARTIZAN_CORPUS").filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(folder.into()),
        None => {
            eprintln!("skipped: BARTIZAN_CORPUS is not set, so there is no corpus to read");
            None
        }
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-22T00:00:00Z".parse().unwrap()
}

fn import_into(folder: &Path, paths: &[PathBuf], options: &Options) -> Report {
    let mut writer = StoreWriter::open(folder, options.memory).unwrap();
    import(&mut writer, paths, options, now(), &mut |_| {}).unwrap()
}

/// Imports and compares the number of entries of every source.
fn counts(folders: &[&str], expected: &[(&str, u64)], skipped: u64) -> Option<(tempfile::TempDir, Snapshot)> {
    let corpus = corpus()?;
    let store = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = folders.iter().map(|folder| corpus.join(folder)).collect();
    let report = import_into(store.path(), &paths, &Options::default());
    assert!(report.is_complete(), "{report:#?}");
    let found: BTreeMap<&str, u64> = report
        .sources
        .iter()
        .map(|source| (source.name.as_str(), source.outcome.as_ref().map_or(0, |(summary, _)| summary.entries())))
        .collect();
    assert_eq!(found, expected.iter().copied().collect());
    assert_eq!(report.skipped, skipped, "documents passed over");
    let snapshot = Snapshot::open(store.path()).unwrap();
    Some((store, snapshot))
}

#[test]
fn osv_files_are_read_whole() {
    let expected = [
        ("osv-almalinux", 5637),
        ("osv-bitnami", 7444),
        ("osv-crates.io", 714),
        ("osv-ghsa-and-distro-from-test-suites", 532),
        ("osv-go", 4291),
        ("osv-pypi", 7080),
    ];
    let Some((_store, snapshot)) = counts(&["osv"], &expected, 0) else { return };
    let tough = snapshot.statements(&Ecosystem::CratesIo, "tough").unwrap();
    assert!(tough.iter().any(|found| found.head.id == "RUSTSEC-2020-0024"));
    assert!(tough.iter().all(|found| found.head.source == "rustsec"));
    let alma = snapshot.statements(&Ecosystem::AlmaLinux, "python3-kdcproxy").unwrap();
    assert!(alma.iter().any(|found| found.affected.package.release == "10" && found.head.addresses.len() == 2));
}

#[test]
fn distributions_are_read_whole() {
    let expected = [
        ("notus-ubuntu-14.04", 2251),
        ("secdb-alpine-secdb-2020-06", 2564),
        ("ubuntu-tracker-ubuntu-cve-tracker-2020-06", 6713),
    ];
    let Some((_store, snapshot)) = counts(&["alpine", "greenbone", "ubuntu"], &expected, 0) else { return };
    let openssl = snapshot.statements(&Ecosystem::Ubuntu, "openssl").unwrap();
    let of = |release: &str| -> Vec<&Affected> {
        openssl
            .iter()
            .filter(|found| found.head.id == "CVE-2018-0734" && found.affected.package.release == release)
            .map(|found| &found.affected)
            .collect()
    };
    assert!(of("16.04").iter().any(|affected| format!("{:?}", affected.ranges).contains("1.0.2g-1ubuntu4.14")));
    assert!(of("12.04").iter().any(|affected| affected.state == VendorState::NoFixYet));
}

#[test]
fn languages_lifecycles_and_indexes_are_read_whole() {
    let expected = [
        ("csaf-cisa-ics-2024", 344),
        ("endoflife-products", 464),
        ("endoflife-releases-endoflife-release-data", 136),
        ("node-security-wg-nodejs-security-wg", 638),
        ("poc-index", 167_093),
        ("ruby-advisory-db", 1306),
    ];
    // Passed over: three licences, two files of a JavaScript scanner, seven notes about parts of Node without versions,
    // and the index that repeats the npm advisories.
    let Some((_store, snapshot)) = counts(&["csaf", "eol", "npm", "exploits", "rubygems"], &expected, 13) else {
        return;
    };
    let debian = snapshot.lifecycle("debian").unwrap().unwrap();
    assert!(debian.cycles.iter().any(|cycle| cycle.name == "12"));
}

#[test]
fn nvd_and_cve_files_are_read_whole() {
    let expected = [
        ("cve-vulnrichment-shared", 35_287 + 35_208),
        ("nvd-api2-fixtures", 34),
        ("nvd-api2-shape-2022", 15_913),
        ("nvd-cpe-nvd-api2-fixtures", 7),
        ("nvd-cpematch-nvd-api2-fixtures", 45),
        ("nvd-nvdcve-1.1-2022", 15_454),
        ("nvd-nvdcve-1.1-modified", 1664),
        ("nvd-overrides-upto2025", 19_350),
    ];
    // Passed over: pages of the history of changes, the CPE dictionary as XML and of version 1, and empty files.
    let Some((_store, snapshot)) = counts(&["nvd", "cve5"], &expected, 30) else { return };
    assert!(!snapshot.by_product("google", "chrome").unwrap().is_empty());
    let signals = snapshot.signals("CVE-2016-1285").unwrap();
    assert!(signals.ssvc.is_some());
}

fn read(path: &Path, wanted: impl Fn(&str, Format) -> bool) -> Vec<Advisory> {
    let limits = Limits::default();
    let mut found = Vec::new();
    visit(path, &limits, &mut |member| {
        let mut head = Vec::new();
        // Some archives of test data hold members that are damaged on purpose.
        if std::io::Read::read_to_end(&mut std::io::Read::take(&mut *member.reader, PEEK as u64), &mut head).is_err() {
            return Ok(());
        }
        let Some(format) = recognise(&head).filter(|format| wanted(member.name, *format)) else { return Ok(()) };
        let mut sink = |record| {
            if let Record::Advisory(advisory) = record {
                found.push(*advisory);
            }
            Ok(())
        };
        let mut whole = std::io::Read::chain(&head[..], member.reader);
        parse(format, member.name, &mut whole, &limits, &mut Output::new(&mut sink, &limits))
    })
    .unwrap();
    found
}

/// One configuration for each alternative, however the source groups them.
fn alternatives(advisory: &Advisory) -> Vec<Configuration> {
    let mut flat = Vec::new();
    for configuration in &advisory.configurations {
        if configuration.operator == Operator::Or && !configuration.negate {
            flat.extend(configuration.nodes.iter().map(|node| Configuration {
                operator: Operator::Or,
                negate: false,
                nodes: vec![node.clone()],
            }));
        } else {
            flat.push(configuration.clone());
        }
    }
    flat
}

#[test]
fn the_old_feeds_give_what_the_api_gives() {
    let Some(corpus) = corpus() else { return };
    let nvd = corpus.join("nvd");
    let by_id = |advisories: Vec<Advisory>| -> BTreeMap<String, Advisory> {
        advisories.into_iter().map(|advisory| (advisory.head.id.to_string(), advisory)).collect()
    };
    let api = by_id(read(&nvd.join("nvd-api2-shape-2022.jsonl.zst"), |_, _| true));
    let mut old = by_id(read(&nvd.join("nvdcve-1.1-2022.json.gz"), |_, _| true));
    old.extend(by_id(read(&nvd.join("nvdcve-1.1-modified.json.gz"), |_, _| true)));
    let mut compared = 0;
    for (id, new) in &api {
        let old = &old[id];
        if new.modified != old.modified {
            continue;
        }
        compared += 1;
        assert_eq!(alternatives(new), alternatives(old), "{id}");
        assert_eq!((&new.cwes, &new.published), (&old.cwes, &old.published), "{id}");
        let vectors = |advisory: &Advisory| -> Vec<(String, Option<f32>)> {
            advisory.head.severities.iter().map(|severity| (severity.vector.to_string(), severity.score)).collect()
        };
        assert_eq!(vectors(new), vectors(old), "{id}");
    }
    assert!(compared > 15_000, "{compared}");
}

#[test]
fn csaf_advisories_give_what_their_osv_form_gives() {
    let Some(corpus) = corpus() else { return };
    let archive = corpus.join("redhat/rhsa-csaf-and-osv.tar.zst");
    let osv = read(&archive, |_, format| format == Format::Osv);
    let csaf = read(&archive, |_, format| format == Format::Csaf);
    assert_eq!(osv.len(), 2);
    for expected in &osv {
        let found = csaf.iter().find(|advisory| advisory.head.id == expected.head.id).unwrap();
        let statements = |advisory: &Advisory| -> BTreeSet<(String, String, String)> {
            advisory
                .affected
                .iter()
                .map(|affected| {
                    // An epoch of zero is no epoch, and the OSV form does not tell source from binary names.
                    let ranges = format!("{:?}", affected.ranges).replace("\"0:", "\"");
                    // Nor does it state module streams.
                    let conditions: Vec<_> =
                        affected.conditions.iter().filter(|other| !matches!(other, Condition::Module(_))).collect();
                    let conditions = format!("{conditions:?}");
                    (format!("{:?}", affected.package), ranges, conditions)
                })
                .collect()
        };
        let (expected_statements, found_statements) = (statements(expected), statements(found));
        assert!(
            expected_statements == found_statements,
            "{}: missing {:#?}, unexpected {:#?}",
            expected.head.id,
            expected_statements.difference(&found_statements).take(5).collect::<Vec<_>>(),
            found_statements.difference(&expected_statements).take(5).collect::<Vec<_>>()
        );
        assert_eq!(expected.head.addresses, found.head.addresses);
        let vectors = |advisory: &Advisory| -> BTreeSet<String> {
            advisory
                .head
                .severities
                .iter()
                .map(|severity| severity.vector.to_string())
                .filter(|v| !v.is_empty())
                .collect()
        };
        assert_eq!(vectors(expected), vectors(found));
    }
}

/// The segment of the only source, and its bytes.
fn segment(folder: &Path) -> (String, Vec<u8>) {
    let mut entries = std::fs::read_dir(folder.join("segments")).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
}

/// State of the first day with the delta to the second is the state of the second day from nothing, byte for byte.
fn delta(source: &str, first: &Path, second: &Path) {
    let [stepwise, scratch] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let named = |mode| Options { source: Some(source.to_owned()), mode, ..Options::default() };
    assert!(import_into(scratch.path(), &[second.to_owned()], &named(Mode::Replace)).is_complete());
    assert!(import_into(stepwise.path(), &[first.to_owned()], &named(Mode::Replace)).is_complete());
    // What is gone on the second day, as a change of the source reports it.
    let scratch_ids: BTreeSet<String> = {
        let mut ids = BTreeSet::new();
        Snapshot::open(scratch.path())
            .unwrap()
            .each_signals(|id, _| {
                ids.insert(id.to_owned());
                Ok(())
            })
            .unwrap();
        ids
    };
    let mut gone = BTreeSet::new();
    Snapshot::open(stepwise.path())
        .unwrap()
        .each_signals(|id, _| {
            if !scratch_ids.contains(id) {
                gone.insert(id.into());
            }
            Ok(())
        })
        .unwrap();
    let mut writer = StoreWriter::open(stepwise.path(), 1 << 24).unwrap();
    let mut draft = writer.draft_from(source, SameId::Latest, &gone).unwrap();
    Snapshot::open(scratch.path())
        .unwrap()
        .each_signals(|id, signals| draft.add(&Record::Signals { id: id.into(), signals }))
        .unwrap();
    let (_, changes) = writer.replace(source, draft, Provenance::default(), Shrinking::Refused, now()).unwrap();
    drop(writer);
    eprintln!("{source}: {} new, {} different, {} gone", changes.added, changes.changed, changes.removed);
    assert_eq!(changes.removed, gone.len() as u64);
    assert_eq!(segment(stepwise.path()), segment(scratch.path()));
}

#[test]
fn a_day_and_its_delta_give_the_next_day() {
    let Some(corpus) = corpus() else { return };
    delta("kev", &corpus.join("kev/kev-2025-08-25.json"), &corpus.join("kev/kev-2026-07-29.csv"));
    delta(
        "epss",
        &corpus.join("epss/epss_scores-2026-05-10.csv.zst"),
        &corpus.join("epss/epss_scores-2026-08-16.csv.zst"),
    );
}

#[test]
fn fixtures_of_other_tools_are_read() {
    let Some(corpus) = corpus() else { return };
    let store = tempfile::tempdir().unwrap();
    let report = import_into(store.path(), &[corpus.join("debian")], &Options::default());
    assert!(report.is_complete(), "{report:#?}");
    let snapshot = Snapshot::open(store.path()).unwrap();
    let xorg = snapshot.statements(&Ecosystem::Debian, "xorg-server").unwrap();
    assert!(xorg.iter().any(|found| found.head.id == "DSA-5380-1" && found.affected.package.release == "11"));

    let archive = corpus.join("redhat/oval-csaf-vex-fixtures.tar.zst");
    let oval = read(&archive, |_, format| format == Format::Oval);
    let states = |ecosystem: &Ecosystem, state: VendorState| {
        let affected = oval.iter().flat_map(|advisory| &advisory.affected);
        affected.filter(|affected| affected.package.ecosystem == *ecosystem && affected.state == state).count()
    };
    for ecosystem in [Ecosystem::RedHat, Ecosystem::OracleLinux, Ecosystem::AlmaLinux, Ecosystem::OpenSuse] {
        assert!(states(&ecosystem, VendorState::Affected) > 0, "{ecosystem}");
    }
    let firefox =
        oval.iter().flat_map(|advisory| &advisory.affected).filter(|affected| affected.package.name == "firefox");
    assert!(firefox.clone().any(|affected| format!("{:?}", affected.ranges).contains("91.9.1-1.el9_0")));
    let csaf = read(&archive, |_, format| format == Format::Csaf);
    assert!(csaf.iter().any(|advisory| advisory.head.source == "redhat" && !advisory.affected.is_empty()));
}
