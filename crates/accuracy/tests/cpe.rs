//! CPE configurations: cve-bin-tool on seven products, over the records of 2022.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; counts are printed")]

use std::collections::{BTreeMap, BTreeSet};

use bartizan_accuracy::{Store, against_table, corpus, rows, text};
use bartizan_matching::model::{Ecosystem, NoMatchReason, Package};
use bartizan_matching::{Options, correlate, explain};

#[test]
fn every_hit_of_the_peer_is_matched_or_explained() {
    let Some(corpus) = corpus() else { return };
    let store = Store::new().unwrap();
    store.import(&[corpus.join("nvd/nvd-api2-shape-2022.jsonl.zst")]).unwrap();
    let snapshot = store.open().unwrap();
    let table = corpus.join("expected/cve-bin-tool-3.4-on-nvd2022-7-products.csv");
    let mut theirs: BTreeMap<[String; 3], BTreeSet<String>> = BTreeMap::new();
    for row in rows(&text(&table).unwrap()).unwrap() {
        let product = ["vendor", "product", "version"].map(|name| row[name].clone());
        theirs.entry(product).or_default().insert(row["cve"].clone());
    }
    let (mut matched, mut restricted, mut differences) = (0, 0, Vec::new());
    for ([vendor, product, version], cves) in &theirs {
        // The peer knows no parts: a product is looked up as an application and as an operating system.
        let package = |part: &str| {
            let mut package = Package::new(Ecosystem::Generic, product.as_str(), version.as_str());
            package.cpes = vec![format!("cpe:2.3:{part}:{vendor}:{product}:{version}:*:*:*:*:*:*:*").into()];
            package
        };
        let packages = if vendor == "linux" { vec![package("o")] } else { vec![package("a")] };
        let found = correlate(&snapshot, &packages, &Options::default()).unwrap();
        let ours: BTreeSet<String> =
            found.matches.iter().filter(|one| one.is_finding()).map(|one| one.ids[0].to_string()).collect();
        for cve in cves.union(&ours) {
            let side = match (ours.contains(cve), cves.contains(cve)) {
                (true, true) => {
                    matched += 1;
                    continue;
                }
                (true, false) => "only here".to_owned(),
                _ => {
                    let why = explain(&snapshot, &packages, 0, cve, &Options::default()).unwrap();
                    let lead = why.matched.map(|one| format!("a lead here: confidence {}", one.confidence.0));
                    let against = why.against.first();
                    assert!(lead.is_some() || against.is_some(), "{cve} is neither matched nor explained");
                    lead.unwrap_or_else(|| {
                        let against = against.unwrap();
                        let named = against.evidence.as_ref().map(|one| one.range.to_string());
                        match (against.reason, named) {
                            (NoMatchReason::ConfigurationFails, Some(criterion)) => {
                                restricted += 1;
                                format!("AND not given: {criterion}")
                            }
                            (reason, _) => format!("{reason:?}"),
                        }
                    })
                }
            };
            differences.push(vec![vendor.clone(), product.clone(), version.clone(), cve.clone(), side]);
        }
    }
    let all: usize = theirs.values().map(BTreeSet::len).sum();
    eprintln!(
        "cve-bin-tool: {all} hits; {matched} matched here, {restricted} fail an AND, {} differences",
        differences.len()
    );
    let complaints = against_table("cpe-cve-bin-tool.csv", "vendor,product,version,cve,side", &differences).unwrap();
    assert!(complaints.is_empty(), "{} complaints: {:#?}", complaints.len(), &complaints[..complaints.len().min(40)]);
}
