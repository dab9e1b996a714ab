//! The store: it answers what the store in memory answers, replaces sources all or nothing, and is a function of its records.

#![allow(clippy::unwrap_used, reason = "a test: a failed unwrap is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bartizan_feeds::import::{Mode, Options, Report, import};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::manifest::Manifest;
use bartizan_feeds::store::segment::{SameId, Segment};
use bartizan_feeds::store::writer::{Provenance, Shrinking, StoreWriter};
use bartizan_feeds::{FeedError, Record};
use bartizan_matching::memory::MemoryStore;
use bartizan_matching::model::{Advisory, Ecosystem};
use bartizan_matching::store::{AdvisoryRef, AdvisoryStore, Coverage};
use chrono::{DateTime, Utc};

const MEMORY: usize = 1 << 20;

fn now() -> DateTime<Utc> {
    "2031-01-01T00:00:00Z".parse().unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn run(store: &Path, paths: &[PathBuf], options: &Options) -> Report {
    let mut writer = StoreWriter::open(store, MEMORY).unwrap();
    import(&mut writer, paths, options, now(), &mut |_| {}).unwrap()
}

/// Every file of the store with its content.
fn content(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in [store.to_owned(), store.join("segments")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                files.push((path.strip_prefix(store).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn all_advisories(snapshot: &Snapshot) -> Vec<Advisory> {
    (0..snapshot.advisories()).map(|number| (*snapshot.advisory(AdvisoryRef(number)).unwrap()).clone()).collect()
}

#[test]
fn it_answers_what_the_store_in_memory_answers() {
    let store = tempfile::tempdir().unwrap();
    let report = run(store.path(), &[fixtures()], &Options { complete: true, ..Options::default() });
    assert!(report.is_complete(), "{report:#?}");
    let snapshot = Snapshot::open_with(store.path(), 4096).unwrap();
    let advisories = all_advisories(&snapshot);
    assert!(advisories.len() > 30, "{}", advisories.len());
    let memory = MemoryStore::new(advisories.clone());
    let mut names = BTreeSet::new();
    let mut ids = BTreeSet::from(["CVE-0000-0000".to_owned()]);
    for advisory in &advisories {
        ids.extend(advisory.head.aliases.iter().map(ToString::to_string));
        ids.insert(advisory.head.id.to_string());
        for affected in &advisory.affected {
            names.insert((affected.package.ecosystem.clone(), affected.package.name.to_string()));
        }
    }
    names.insert((Ecosystem::Npm, "nobody-wrote-this".to_owned()));
    for (ecosystem, name) in &names {
        let key = |store: &dyn AdvisoryStore| -> Vec<(AdvisoryRef, String)> {
            let found = store.statements(ecosystem, name).unwrap();
            found.into_iter().map(|found| (found.advisory, format!("{:?}{:?}", found.head, found.affected))).collect()
        };
        assert_eq!(key(&snapshot), key(&memory), "{ecosystem} {name}");
    }
    for id in &ids {
        assert_eq!(snapshot.by_id(id).unwrap(), memory.by_id(id).unwrap(), "{id}");
    }
    for (vendor, product) in [("example", "server"), ("example", "other"), ("example", "plc_9"), ("nobody", "nothing")]
    {
        assert_eq!(snapshot.by_product(vendor, product).unwrap(), memory.by_product(vendor, product).unwrap());
    }
    for number in (0..snapshot.advisories()).map(AdvisoryRef) {
        assert_eq!(snapshot.head(number).unwrap(), memory.head(number).unwrap());
    }
    assert!(snapshot.advisory(AdvisoryRef(snapshot.advisories())).is_err());
    assert_eq!(snapshot.coverage(&Ecosystem::Debian, "3").unwrap(), Coverage::ReleaseNotCovered);
    let signals = snapshot.signals("CVE-2031-20070").unwrap();
    assert_eq!(signals.exploits.len(), 4, "{signals:?}");
    let exploited = snapshot.signals("CVE-2031-10004").unwrap();
    assert_eq!(exploited.kev.len(), 2);
    assert!(exploited.epss.is_some() && exploited.ssvc.is_some());
    assert_eq!(snapshot.lifecycle("example-os").unwrap().unwrap().cycles.len(), 2);
    assert!(snapshot.lifecycles().unwrap().iter().any(|lifecycle| lifecycle.product == "example-os"));
    assert!(!snapshot.addressing("CVE-2031-20040").unwrap().is_empty());
}

#[test]
fn withdrawn_records_are_kept_as_withdrawn() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), &[fixtures().join("osv")], &Options::default());
    let snapshot = Snapshot::open(store.path()).unwrap();
    let found = snapshot.statements(&Ecosystem::Go, "example.com/Mod").unwrap();
    assert!(found[0].head.withdrawn.is_some());
    assert_eq!(snapshot.manifest().sources.values().map(|source| source.withdrawn).sum::<u64>(), 1);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    run(folders[0].path(), &[fixtures()], &Options::default());
    // Another order of files, another bound of memory, and an import over an import.
    let mut paths: Vec<PathBuf> = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let options = Options { memory: 1, ..Options::default() };
    run(folders[1].path(), &[fixtures()], &options);
    run(folders[1].path(), &[fixtures()], &options);
    assert_eq!(content(folders[0].path()), content(folders[1].path()));
}

fn osv(ids: std::ops::Range<u32>, version: &str) -> String {
    ids.map(|id| {
        format!(
            "{{\"id\":\"X-{id}\",\"modified\":\"2031-01-01T00:00:00Z\",\"affected\":[{{\"package\":{{\"ecosystem\":\"npm\",\"name\":\"p{id}\"}},\
             \"ranges\":[{{\"type\":\"SEMVER\",\"events\":[{{\"introduced\":\"0\"}},{{\"fixed\":\"{version}\"}}]}}]}}]}}\n"
        )
    })
    .collect()
}

#[test]
fn a_source_that_loses_half_or_is_damaged_stays_as_it_was() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("feed.jsonl");
    let good = osv(0..100, "1.0.0");
    fs::write(&file, &good).unwrap();
    let paths = [file.clone()];
    assert!(run(store.path(), &paths, &Options::default()).is_complete());
    let before = content(store.path()).into_iter().filter(|(path, _)| path.starts_with("segments")).collect::<Vec<_>>();

    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let packed = gzip(good.as_bytes());
    let mut corrupt = packed.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0xff;
    let unreadable: String = (0..100).map(|id| format!("{{\"id\":{id},\"modified\":\"x\"}}\n")).collect();
    let nested = good.clone() + &"[".repeat(1000);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("fewer than half", osv(0..49, "1.0.0").into_bytes(), "fewer than half"),
        ("cut in a record", good.as_bytes()[..good.len() - 10].to_vec(), "cut short"),
        ("cut compressed", packed[..packed.len() - 20].to_vec(), "cut short"),
        ("corrupt compressed", corrupt, "feed"),
        ("nested", nested.into_bytes(), "nesting"),
        ("not records", unreadable.into_bytes(), "cannot be read"),
        ("one in ten unreadable", (osv(0..90, "1.0.0") + &broken(90..100)).into_bytes(), "cannot be read"),
        ("cut between two lines", osv(0..99, "1.0.0").trim_end().as_bytes().to_vec(), "cut short"),
        ("another ecosystem", good.replace("npm", "PyPI").into_bytes(), "speaks of PyPI where it spoke of npm"),
    ];
    for (what, bytes, reason) in cases {
        fs::write(&file, bytes).unwrap();
        let options = Options { source: Some("osv-feed".to_owned()), ..Options::default() };
        let report = run(store.path(), &paths, &options);
        let said = report.sources.first().and_then(|source| source.outcome.as_ref().err().cloned()).unwrap_or_default();
        assert!(said.contains(reason), "{what}: {report:?}");
        let manifest = Manifest::read(store.path()).unwrap();
        let entry = &manifest.sources["osv-feed"];
        assert_eq!((entry.advisories, entry.failure.as_ref().map(|failure| failure.reason.clone())), (100, Some(said)));
        let after =
            content(store.path()).into_iter().filter(|(path, _)| path.starts_with("segments")).collect::<Vec<_>>();
        assert_eq!(before, after, "{what}");
        assert_eq!(Snapshot::open(store.path()).unwrap().by_id("X-99").unwrap().len(), 1);
    }
    // All records are there although the last line has no end: it is said, and taken.
    fs::write(&file, good.trim_end()).unwrap();
    let report = run(store.path(), &paths, &Options::default());
    assert!(report.is_complete(), "{report:?}");
    assert!(report.sources[0].warning.as_ref().unwrap().contains("has no end"), "{report:?}");
    // Half is enough, and shrinking may be accepted.
    fs::write(&file, osv(0..50, "1.0.0")).unwrap();
    assert!(run(store.path(), &paths, &Options::default()).is_complete());
    fs::write(&file, osv(0..2, "1.0.0")).unwrap();
    let options = Options { shrinking: Shrinking::Accepted, ..Options::default() };
    assert!(run(store.path(), &paths, &options).is_complete());
    assert!(Manifest::read(store.path()).unwrap().sources["osv-feed"].failure.is_none());
}

#[test]
fn what_changed_is_known_and_a_delta_gives_the_same_state() {
    let files = tempfile::tempdir().unwrap();
    let [day1, day2, delta] = ["day1", "day2", "delta"].map(|name| files.path().join(format!("{name}.jsonl")));
    fs::write(&day1, osv(0..10, "1.0.0")).unwrap();
    // One gone, two different, three new.
    let changed = osv(7..9, "2.0.0") + &osv(10..13, "1.0.0");
    fs::write(&day2, osv(1..7, "1.0.0") + &changed + &osv(9..10, "1.0.0")).unwrap();
    fs::write(&delta, &changed).unwrap();
    let named = |mode| Options { source: Some("x".to_owned()), mode, ..Options::default() };

    let stepwise = tempfile::tempdir().unwrap();
    run(stepwise.path(), &[day1], &named(Mode::Replace));
    let report = run(stepwise.path(), &[delta], &named(Mode::Update));
    let (_, changes) = report.sources[0].outcome.as_ref().unwrap();
    assert_eq!((changes.added, changes.changed, changes.removed), (3, 2, 0));
    let mut writer = StoreWriter::open(stepwise.path(), MEMORY).unwrap();
    let draft = writer.draft_from("x", SameId::Latest, &BTreeSet::from(["X-0".into()])).unwrap();
    let (_, changes) = writer.replace("x", draft, Provenance::default(), Shrinking::Refused, now()).unwrap();
    assert_eq!(changes.ids.unwrap(), ["X-0"]);
    drop(writer);

    let scratch = tempfile::tempdir().unwrap();
    run(scratch.path(), &[day2], &named(Mode::Replace));
    let segments = |folder: &Path| -> Vec<_> {
        content(folder).into_iter().filter(|(path, _)| path.starts_with("segments")).collect()
    };
    assert_eq!(segments(stepwise.path()), segments(scratch.path()));
}

#[test]
fn a_reader_keeps_its_snapshot_and_one_process_writes() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("feed.jsonl");
    fs::write(&file, osv(0..10, "1.0.0")).unwrap();
    run(store.path(), std::slice::from_ref(&file), &Options::default());
    let old = Snapshot::open_with(store.path(), 0).unwrap();
    fs::write(&file, osv(5..20, "1.0.0")).unwrap();
    run(store.path(), &[file], &Options::default());
    assert_eq!(old.by_id("X-0").unwrap().len(), 1);
    assert!(old.advisory(old.by_id("X-0").unwrap()[0]).is_ok());
    let new = Snapshot::open(store.path()).unwrap();
    assert!(new.by_id("X-0").unwrap().is_empty() && new.by_id("X-19").unwrap().len() == 1);

    let first = StoreWriter::open(store.path(), MEMORY).unwrap();
    assert!(matches!(StoreWriter::open(store.path(), MEMORY), Err(FeedError::Busy)));
    drop(first);
    assert!(StoreWriter::open(store.path(), MEMORY).is_ok());
}

#[test]
fn what_a_killed_import_leaves_is_removed_and_nothing_else() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), &[fixtures().join("osv")], &Options::default());
    let before = content(store.path());
    // A segment that no manifest names, a draft folder, and a manifest that was never renamed.
    fs::write(store.path().join("segments/osv-0123"), b"half").unwrap();
    fs::create_dir(store.path().join("segments/.draft1")).unwrap();
    fs::write(store.path().join("segments/.draft1/segment"), b"half").unwrap();
    assert!(!Snapshot::open(store.path()).unwrap().by_id("RUSTSEC-2031-0001").unwrap().is_empty());
    drop(StoreWriter::open(store.path(), MEMORY).unwrap());
    assert_eq!(content(store.path()), before);
}

#[test]
fn damage_to_the_store_is_an_error_and_never_an_empty_answer() {
    let store = tempfile::tempdir().unwrap();
    run(store.path(), &[fixtures().join("osv")], &Options::default());
    let name = Manifest::read(store.path()).unwrap().sources["osv-records"].segment.clone().unwrap();
    let path = store.path().join("segments").join(&name);
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        fs::write(&path, &bad).unwrap();
        if let Ok(segment) = Segment::open(&path) {
            let mut seen = 0;
            let outcome = segment.each_record(|_: Record| {
                seen += 1;
                Ok(())
            });
            // A flipped bit is either noticed, or lies where these records do not.
            assert!(outcome.is_err() || seen == 8, "byte {at}");
        }
    }
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(matches!(Snapshot::open(store.path()), Err(FeedError::Store(_))));
    fs::remove_file(&path).unwrap();
    assert!(Snapshot::open(store.path()).is_err());
    fs::write(store.path().join("manifest.json"), b"{\"format\":99,\"sources\":{}}").unwrap();
    assert!(matches!(Snapshot::open(store.path()), Err(FeedError::Store(_))));
}

#[test]
fn an_empty_folder_is_an_empty_store() {
    let store = tempfile::tempdir().unwrap();
    let snapshot = Snapshot::open(&store.path().join("not-there")).unwrap();
    assert_eq!(snapshot.advisories(), 0);
    assert_eq!(snapshot.coverage(&Ecosystem::Npm, "").unwrap(), Coverage::EcosystemNotCovered);
    assert!(snapshot.signals("CVE-2031-1").unwrap().kev.is_empty());
    assert!(snapshot.head(AdvisoryRef(0)).is_err());
}

#[test]
fn a_few_records_cover_no_ecosystem() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("npm.jsonl");
    let coverage = |ecosystem: &Ecosystem| Snapshot::open(store.path()).unwrap().coverage(ecosystem, "").unwrap();
    fs::write(&file, osv(0..3, "1.0.0")).unwrap();
    run(store.path(), std::slice::from_ref(&file), &Options::default());
    assert_eq!(coverage(&Ecosystem::Npm), Coverage::PartlyCovered { records: 3 });
    assert_eq!(coverage(&Ecosystem::PyPi), Coverage::EcosystemNotCovered);
    // Whoever imports them may say that they are all there are.
    run(store.path(), std::slice::from_ref(&file), &Options { complete: true, ..Options::default() });
    assert_eq!(coverage(&Ecosystem::Npm), Coverage::Covered);
    // As many as a whole export has speak for themselves.
    fs::write(&file, osv(0..1000, "1.0.0")).unwrap();
    run(store.path(), &[file], &Options::default());
    assert_eq!(coverage(&Ecosystem::Npm), Coverage::Covered);
    // Products are covered by sources of configurations only.
    assert_eq!(coverage(&Ecosystem::Generic), Coverage::EcosystemNotCovered);
}

/// Records whose identity can be told and whose content cannot be read.
fn broken(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| format!("{{\"id\":\"X-{id}\",\"modified\":\"2031-01-02T00:00:00Z\",\"affected\":7}}\n")).collect()
}

#[test]
fn a_record_that_cannot_be_read_any_more_stays_as_it_was() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("feed.jsonl");
    fs::write(&file, osv(0..100, "1.0.0")).unwrap();
    run(store.path(), std::slice::from_ref(&file), &Options::default());
    fs::write(&file, osv(0..97, "2.0.0") + &broken(97..99)).unwrap();
    let report = run(store.path(), &[file], &Options::default());
    assert!(report.is_complete(), "{report:?}");
    let snapshot = Snapshot::open(store.path()).unwrap();
    for (id, there) in [("X-96", 1), ("X-97", 1), ("X-98", 1), ("X-99", 0)] {
        assert_eq!(snapshot.by_id(id).unwrap().len(), there, "{id}");
    }
    assert!(report.sources[0].stats.reasons[0].contains("X-97"), "{report:?}");
}

#[test]
fn archives_of_one_name_are_sources_of_their_own() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    for (folder, text) in [("a", osv(0..3, "1")), ("b", osv(0..3, "1").replace("npm", "PyPI"))] {
        let folder = files.path().join(folder);
        fs::create_dir(&folder).unwrap();
        let mut zip = zip::ZipWriter::new(fs::File::create(folder.join("all.zip")).unwrap());
        zip.start_file("X-0.json", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        zip.finish().unwrap();
        run(store.path(), &[folder.join("all.zip")], &Options::default());
    }
    let manifest = Manifest::read(store.path()).unwrap();
    assert_eq!(manifest.sources.keys().collect::<Vec<_>>(), ["osv-npm", "osv-pypi"]);
}

#[test]
fn a_source_of_the_whole_state_hardly_shrinks() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("epss.csv");
    let table = |count: u32| {
        let rows: String = (0..count).map(|id| format!("CVE-2031-{:05},0.1,0.2\n", 10_000 + id)).collect();
        format!("#model_version:v1,score_date:2031-01-01T00:00:00+0000\ncve,epss,percentile\n{rows}")
    };
    let import = |text: String| {
        fs::write(&file, text).unwrap();
        let mut report = run(store.path(), std::slice::from_ref(&file), &Options::default());
        report.sources.pop().unwrap().outcome.map(|_| ())
    };
    assert_eq!(import(table(100)), Ok(()));
    assert_eq!(import(table(95)), Ok(()));
    assert!(import(table(90)).unwrap_err().contains("one in twenty"));
    assert!(import(table(94).trim_end().to_owned()).unwrap_err().contains("cut short"));
}

#[test]
fn an_older_day_does_not_replace_a_newer_one() {
    let store = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("epss.csv");
    let import = |day: &str, score: &str, shrinking: Shrinking| {
        let rows = format!("CVE-2031-10000,{score},0.2\n");
        fs::write(&file, format!("#model_version:v1,score_date:{day}T00:00:00+0000\ncve,epss,percentile\n{rows}"))
            .unwrap();
        let options = Options { shrinking, ..Options::default() };
        let mut report = run(store.path(), std::slice::from_ref(&file), &options);
        let outcome = report.sources.pop().unwrap().outcome.map(|_| ());
        let held = Snapshot::open(store.path()).unwrap().signals("CVE-2031-10000").unwrap().epss.unwrap().score;
        (outcome, held.to_string())
    };
    assert_eq!(import("2031-02-02", "0.5", Shrinking::Refused), (Ok(()), "0.5".to_owned()));
    let (refused, held) = import("2031-02-01", "0.4", Shrinking::Refused);
    let why = refused.unwrap_err();
    assert!(why.contains("is of 2031-02-01") && why.contains("that of 2031-02-02"), "{why}");
    assert_eq!(held, "0.5");
    assert_eq!(import("2031-02-02", "0.6", Shrinking::Refused), (Ok(()), "0.6".to_owned()));
    assert_eq!(import("2031-02-01", "0.4", Shrinking::Accepted), (Ok(()), "0.4".to_owned()));
}
