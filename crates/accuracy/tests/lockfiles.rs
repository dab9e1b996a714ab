//! Lock files: cargo-audit and Trivy on the same input.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bartizan_accuracy::{Store, against_table, corpus, packages, rows, text, unpack};
use bartizan_matching::model::{AdvisoryKind, Confidence, VendorState};
use bartizan_matching::store::AdvisoryStore;
use bartizan_matching::{Options, correlate};

/// target, package, version, advisory.
type Row = [String; 4];

struct Found {
    rows: BTreeSet<Row>,
    kinds: BTreeMap<Row, AdvisoryKind>,
    /// Matches that are no findings.
    leads: BTreeSet<Row>,
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Go writes versions with and without `v`.
fn plain(version: &str) -> String {
    version.strip_prefix('v').unwrap_or(version).to_owned()
}

fn audit<S: AdvisoryStore>(store: &S, folder: &Path, names: impl Fn(&str) -> bool) -> Found {
    let mut found = Found { rows: BTreeSet::new(), kinds: BTreeMap::new(), leads: BTreeSet::new() };
    for file in files(folder) {
        let target = file.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        if !names(&target) {
            continue;
        }
        let packages = packages(&file).unwrap();
        let correlation = correlate(store, &packages, &Options::default()).unwrap();
        for one in &correlation.matches {
            let package = &packages[one.package as usize];
            for evidence in one.evidence.iter().filter(|evidence| evidence.state != VendorState::NotAffected) {
                let row =
                    [target.clone(), package.name.to_string(), plain(&package.version), evidence.advisory.to_string()];
                if one.is_finding() {
                    let record = store.by_id(&evidence.advisory).unwrap();
                    let head = record
                        .into_iter()
                        .map(|record| store.head(record).unwrap())
                        .find(|head| head.id == evidence.advisory)
                        .unwrap();
                    found.kinds.insert(row.clone(), head.kind);
                    found.rows.insert(row);
                } else {
                    assert!(one.confidence < Confidence::FINDING);
                    found.leads.insert(row);
                }
            }
        }
    }
    found
}

fn unpacked(corpus: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["lockfiles-and-dpkg", "lockfiles-older-revisions"] {
        unpack(&corpus.join(format!("inventory/{name}.tar.zst")), folder.path()).unwrap();
    }
    folder
}

#[test]
fn cargo_locks_equal_cargo_audit() {
    let Some(corpus) = corpus() else { return };
    let store = Store::new().unwrap();
    store.import(&[corpus.join("osv/crates.io.jsonl.zst")]).unwrap();
    let folder = unpacked(&corpus);
    let found = audit(&store.open().unwrap(), folder.path(), |target| target.ends_with("Cargo.lock"));
    let expected = rows(&text(&corpus.join("expected/cargo-audit-0.22.2-on-cargo-locks.csv")).unwrap()).unwrap();
    let expected: BTreeMap<Row, String> = expected
        .iter()
        .map(|row| {
            let field = |name: &str| row[name].clone();
            ([field("target"), field("package"), field("version"), field("advisory_id")], field("kind"))
        })
        .collect();
    let missing: Vec<&Row> = expected.keys().filter(|row| !found.rows.contains(*row)).collect();
    let extra: Vec<&Row> = found.rows.iter().filter(|row| !expected.contains_key(*row)).collect();
    eprintln!("cargo-audit: {} rows, here {}", expected.len(), found.rows.len());
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, extra {extra:#?}");
    assert_eq!(expected.len(), 487);
    for (row, kind) in &expected {
        let ours = match found.kinds[row] {
            AdvisoryKind::Unmaintained => "unmaintained",
            AdvisoryKind::Unsound => "unsound",
            _ => "vulnerability",
        };
        assert_eq!(ours, kind, "{row:?}");
    }
}

#[test]
fn lock_files_differ_from_trivy_only_as_the_table_says() {
    let Some(corpus) = corpus() else { return };
    let store = Store::new().unwrap();
    store.import(&["crates.io", "go", "pypi"].map(|name| corpus.join(format!("osv/{name}.jsonl.zst")))).unwrap();
    let folder = unpacked(&corpus);
    let expected = rows(&text(&corpus.join("expected/trivy-0.76.0-on-lockfiles.csv.zst")).unwrap()).unwrap();
    let theirs: BTreeSet<Row> = expected
        .iter()
        .map(|row| [row["target"].clone(), row["package"].clone(), plain(&row["version"]), row["advisory_id"].clone()])
        .collect();
    let known = ["Cargo.lock", "Pipfile.lock", "go.mod", "poetry.lock", "requirements.txt", "uv.lock"];
    let snapshot = store.open().unwrap();
    let found = audit(&snapshot, folder.path(), |target| known.iter().any(|name| target.ends_with(name)));
    // Python names are written in more ways than one.
    let normal = |rows: &BTreeSet<Row>| -> BTreeSet<Row> {
        rows.iter()
            .map(|[target, name, version, id]| {
                let name = if target.ends_with("go.mod") || target.ends_with("Cargo.lock") {
                    name.clone()
                } else {
                    bartizan_matching::model::Ecosystem::PyPi.normalise(name)
                };
                [target.clone(), name, version.clone(), id.clone()]
            })
            .collect()
    };
    let (ours, leads, theirs) = (normal(&found.rows), normal(&found.leads), normal(&theirs));
    let mut differences = Vec::new();
    for row in ours.difference(&theirs) {
        differences.push([&row[..], &["only here".to_owned()]].concat());
    }
    for row in theirs.difference(&ours) {
        let side = if leads.contains(row) { "a lead here" } else { "only there" };
        differences.push([&row[..], &[side.to_owned()]].concat());
    }
    differences.sort();
    eprintln!("Trivy: {} rows, here {}, {} differences", theirs.len(), ours.len(), differences.len());
    let complaints =
        against_table("lockfiles-trivy.csv", "target,package,version,advisory,side", &differences).unwrap();
    assert!(complaints.is_empty(), "{} complaints: {:#?}", complaints.len(), &complaints[..complaints.len().min(40)]);
}
