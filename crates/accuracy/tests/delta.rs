//! Signals: a day's KEV and EPSS on top of an older day is the state of the newer day from scratch.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use bartizan_accuracy::{Store, corpus};
use bartizan_feeds::store::Snapshot;
use bartizan_matching::Options;
use bartizan_matching::correlate::fleet::{Fleet, FleetRun};
use bartizan_matching::model::{Ecosystem, Package};

/// Every signal as text, by id.
fn state(snapshot: &Snapshot) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    snapshot
        .each_signals(|id, signals| {
            all.entry(id.to_owned()).or_default().push(serde_json::to_string(&signals).unwrap());
            Ok(())
        })
        .unwrap();
    all
}

#[test]
fn one_day_and_the_next_equal_the_next_from_scratch() {
    let Some(corpus) = corpus() else { return };
    let file = |name: &str| corpus.join(name);
    let advisories = file("osv/pypi.jsonl.zst");
    let first = [file("kev/kev-2025-08-25.json"), file("epss/epss_scores-2026-05-10.csv.zst")];
    let second = [file("kev/kev-2026-07-29.csv"), file("epss/epss_scores-2026-08-16.csv.zst")];

    let step = Store::new().unwrap();
    step.import(std::slice::from_ref(&advisories)).unwrap();
    step.import(&first).unwrap();
    let before = step.open().unwrap();
    let packages: Vec<Package> = ["django", "pillow", "jinja2", "requests", "tensorflow", "ansible", "salt", "airflow"]
        .into_iter()
        .flat_map(|name| ["0.1", "1.0", "2.0", "3.2"].map(|version| Package::new(Ecosystem::PyPi, name, version)))
        .collect();
    let count = u32::try_from(packages.len()).unwrap();
    let fleet = Fleet::new(packages, [(0..count).collect()]).unwrap();
    let options = Options::default();
    let mut run = FleetRun::new(&before, &fleet, &options, NonZeroUsize::MIN).unwrap();
    let scores = |run: &FleetRun| -> Vec<(String, [u8; 4])> {
        let groups = 0..u32::try_from(run.groups()).unwrap();
        groups.map(|at| (run.group(at)[0].to_string(), run.score(at).to_le_bytes())).collect()
    };
    let old = scores(&run);
    step.import(&second).unwrap();
    let stepped = step.open().unwrap();

    let fresh = Store::new().unwrap();
    fresh.import(&[advisories]).unwrap();
    fresh.import(&second).unwrap();
    let scratch = fresh.open().unwrap();
    let (a, b) = (state(&stepped), state(&scratch));
    eprintln!("signals of {} ids", b.len());
    assert!(b.len() > 360_000);
    assert_eq!(a, b);

    run.rescore(&stepped, NonZeroUsize::MIN).unwrap();
    let again = FleetRun::new(&scratch, &fleet, &options, NonZeroUsize::MIN).unwrap();
    assert_eq!(scores(&run), scores(&again));
    assert_ne!(scores(&run), old);
}
