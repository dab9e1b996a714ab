//! Fleets: fan-out, updates, and that an update gives what a run from scratch gives.

use std::num::NonZeroUsize;

use super::super::fleet::{Fleet, FleetRun, Row, RowChange};
use super::*;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

fn store(fixed: &str) -> MemoryStore {
    let mut records: Vec<Advisory> = (0..400)
        .map(|at| {
            let name = format!("p{}", at % 97);
            let fixed = format!("1.{}.0", at % 7);
            advisory(&format!("CVE-2024-{at}"), &[], vec![affected(Ecosystem::Npm, "", &name, "0", Some(&fixed))])
        })
        .collect();
    records.push(advisory("GHSA-x", &["CVE-2024-1"], vec![affected(Ecosystem::Npm, "", "p1", "0", Some(fixed))]));
    MemoryStore::new(records)
}

fn packages() -> Vec<Package> {
    (0..500)
        .map(|at| Package::new(Ecosystem::Npm, format!("p{}", at % 100), format!("1.{}.{}", at % 6, at / 100)))
        .collect()
}

fn fleet() -> Fleet {
    Fleet::new(packages(), (0..50_u32).map(|asset| (0..40).map(|at| (asset * 7 + at * 11) % 500).collect())).unwrap()
}

#[test]
fn a_fleet_has_the_findings_of_its_assets_whatever_the_threads() {
    let (store, fleet) = (store("9"), fleet());
    let run = FleetRun::new(&store, &fleet, &Options::default(), ONE).unwrap();
    let rows = run.rows(&store, &fleet).unwrap();
    assert!(rows.len() > 1000);
    for threads in [2, 5] {
        let other = FleetRun::new(&store, &fleet, &Options::default(), NonZeroUsize::new(threads).unwrap()).unwrap();
        assert_eq!(other.rows(&store, &fleet).unwrap(), rows);
        assert_eq!(other.groups(), run.groups());
    }
    for asset in [0, 17, 49] {
        let members = fleet.members(asset);
        let carried: Vec<Package> = members.iter().map(|at| fleet.packages()[*at as usize].clone()).collect();
        let alone = correlate(&store, &carried, &Options::default()).unwrap();
        let mut expected: Vec<(u32, Text)> = alone
            .matches
            .iter()
            .filter(|one| one.is_finding())
            .map(|one| (members[one.package as usize], one.ids[0].clone()))
            .collect();
        expected.sort();
        let mut found: Vec<(u32, Text)> = rows
            .iter()
            .filter(|row| row.asset == asset)
            .map(|row| (row.package, run.group(row.group)[0].clone()))
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn updates_equal_a_run_from_scratch() {
    let fleet = fleet();
    let (old, new) = (store("9"), store("1.0.1"));
    let mut run = FleetRun::new(&old, &fleet, &Options::default(), ONE).unwrap();
    let before = run.rows(&old, &fleet).unwrap();
    let changes = run.update_advisories(&new, &fleet, &["GHSA-x".into()], ONE).unwrap();
    let after = run.rows(&new, &fleet).unwrap();
    let fresh = FleetRun::new(&new, &fleet, &Options::default(), ONE).unwrap();
    let named = |run: &FleetRun, rows: &[Row]| {
        let mut rows: Vec<_> =
            rows.iter().map(|row| (row.asset, row.package, run.group(row.group)[0].clone())).collect();
        rows.sort();
        rows
    };
    assert_eq!(named(&run, &after), named(&fresh, &fresh.rows(&new, &fleet).unwrap()));
    assert!(!changes.is_empty());
    let mut applied: std::collections::BTreeSet<Row> = before.into_iter().collect();
    for change in changes {
        match change {
            RowChange::Gone(row) => assert!(applied.remove(&row)),
            RowChange::New(row) => assert!(applied.insert(row)),
        }
    }
    assert!(applied.into_iter().eq(after));
}

#[test]
fn a_changed_asset_is_judged_alone() {
    let (store, mut fleet) = (store("9"), fleet());
    let mut run = FleetRun::new(&store, &fleet, &Options::default(), ONE).unwrap();
    let mut packages: Vec<Package> =
        fleet.members(3).iter().skip(1).map(|at| fleet.packages()[*at as usize].clone()).collect();
    packages.push(Package::new(Ecosystem::Npm, "p5", "0.0.1"));
    let changes = run.update_asset(&store, &mut fleet, 3, packages).unwrap();
    assert!(changes.iter().any(|change| matches!(change, RowChange::New(row) if row.package == 500)));
    let rows = run.rows(&store, &fleet).unwrap();
    let fresh = FleetRun::new(&store, &fleet, &Options::default(), ONE).unwrap().rows(&store, &fleet).unwrap();
    assert_eq!(rows.len(), fresh.len());
    assert_eq!(fleet.holders(500), [3]);
}

#[test]
fn restricted_hits_are_decided_by_the_whole_asset() {
    let app = "cpe:2.3:a:acme:app:*:*:*:*:*:*:*:*";
    let os = "cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*";
    let store = MemoryStore::new([configured("CVE-2024-2", &[(true, app), (false, os)])]);
    let with = |name: &str| {
        let mut package = Package::new(Ecosystem::Generic, name, "1.0");
        package.cpes = vec![name.into()];
        package
    };
    let fleet = Fleet::new(vec![with(app), with(os)], [vec![0], vec![0, 1], vec![1]]).unwrap();
    let run = FleetRun::new(&store, &fleet, &Options::default(), ONE).unwrap();
    let rows = run.rows(&store, &fleet).unwrap();
    assert_eq!(rows, [Row { asset: 1, package: 0, group: 0 }]);
}

/// What a record of the small world below says; changing one of these is a change of the record.
#[derive(Debug, Clone)]
struct Said {
    aliases: u8,
    addresses: u8,
    withdrawn: bool,
    package: u8,
    fixed: u8,
    tree: u8,
}

const NAMES: [&str; 7] = ["CVE-1", "CVE-2", "CVE-3", "GHSA-a", "GHSA-b", "ALSA-1", "ALSA-2"];
const APP: &str = "cpe:2.3:a:acme:app:*:*:*:*:*:*:*:*";
const TOOL: &str = "cpe:2.3:a:acme:tool:*:*:*:*:*:*:*:*";
const WINDOWS: &str = "cpe:2.3:o:acme:windows:*:*:*:*:*:*:*:*";

fn world(said: &[Said]) -> MemoryStore {
    let chosen = |mask: u8, but: &str| -> Vec<&str> {
        let names = NAMES[..5].iter().enumerate();
        names.filter(|(at, name)| mask >> at & 1 == 1 && **name != but).map(|(_, name)| *name).collect()
    };
    MemoryStore::new(said.iter().zip(NAMES).map(|(said, id)| {
        let bulletin = id.starts_with("ALSA");
        let aliases = if bulletin { Vec::new() } else { chosen(said.aliases, id) };
        let fixed = format!("{}.0.0", said.fixed % 4);
        let name = ["left", "right"].get(usize::from(said.package % 3));
        let statements = name.map(|name| affected(Ecosystem::Npm, "", name, "0", Some(&fixed)));
        let mut record = advisory(id, &aliases, statements.into_iter().collect());
        if bulletin {
            record.head.addresses = chosen(said.addresses, "").into_iter().map(Text::from).collect();
        }
        record.head.withdrawn = said.withdrawn.then(|| DateTime::from_timestamp(0, 0).unwrap());
        let tree: &[(bool, &str)] = match said.tree % 5 {
            0 => &[],
            1 => &[(true, APP)],
            2 | 3 => &[(true, APP), (false, WINDOWS)],
            _ => &[(true, TOOL), (false, APP)],
        };
        if !tree.is_empty() {
            record.configurations = configured(id, tree).configurations;
            // APP and not Windows.
            if said.tree % 5 == 3 {
                let node = &mut record.configurations[0].nodes[0];
                let matches = node.matches.split_off(1);
                node.children.push(Node { operator: Operator::Or, negate: true, matches, children: Vec::new() });
            }
        }
        record
    }))
}

fn small_fleet() -> Fleet {
    let product = |name: &str| {
        let mut package = Package::new(Ecosystem::Generic, name, "1.0");
        package.cpes = vec![name.into()];
        package
    };
    let mut packages = vec![product(APP), product(TOOL), product(WINDOWS)];
    packages.extend(["left", "right"].map(|name| Package::new(Ecosystem::Npm, name, "1.0.0")));
    Fleet::new(packages, [vec![0, 3], vec![0, 2, 3, 4], vec![1, 4], vec![0, 1, 2], vec![1, 2, 3]]).unwrap()
}

type Named = Vec<(u32, u32, Vec<Text>)>;

fn named_rows(run: &FleetRun, rows: impl IntoIterator<Item = Row>) -> Named {
    let mut named: Named =
        rows.into_iter().map(|row| (row.asset, row.package, run.group(row.group).to_vec())).collect();
    named.sort();
    named
}

proptest::proptest! {
    #[test]
    fn any_changes_give_what_a_run_from_scratch_gives(
        first in proptest::collection::vec(proptest::prelude::any::<[u8; 6]>(), 7),
        steps in proptest::collection::vec((0..7_usize, proptest::prelude::any::<[u8; 6]>()), 1..12),
    ) {
        let said = |[aliases, addresses, withdrawn, package, fixed, tree]: [u8; 6]| Said {
            // Few aliases, so that groups stay apart and join and part again.
            aliases: 1_u8.checked_shl(u32::from(aliases % 9)).unwrap_or(0),
            addresses,
            withdrawn: withdrawn % 4 == 0,
            package,
            fixed,
            tree,
        };
        let mut world_said: Vec<Said> = first.into_iter().map(said).collect();
        let fleet = small_fleet();
        let options = Options::default();
        let store = world(&world_said);
        let mut run = FleetRun::new(&store, &fleet, &options, ONE).unwrap();
        let mut rows: std::collections::BTreeSet<Row> = run.rows(&store, &fleet).unwrap().into_iter().collect();
        for (which, change) in steps {
            world_said[which] = said(change);
            let store = world(&world_said);
            let changes = run.update_advisories(&store, &fleet, &[NAMES[which].into()], ONE).unwrap();
            for change in &changes {
                if let RowChange::Gone(row) = change {
                    rows.remove(row);
                }
            }
            for change in changes {
                if let RowChange::New(row) = change {
                    rows.insert(row);
                }
            }
            let after = run.rows(&store, &fleet).unwrap();
            proptest::prop_assert!(rows.iter().copied().eq(after.iter().copied()), "{rows:?} {after:?}");
            let fresh = FleetRun::new(&store, &fleet, &options, ONE).unwrap();
            let scratch = named_rows(&fresh, fresh.rows(&store, &fleet).unwrap());
            proptest::prop_assert_eq!(named_rows(&run, after), scratch.clone());
            let mut alone: Named = Vec::new();
            for asset in 0..fleet.assets() {
                let members = fleet.members(asset);
                let carried: Vec<Package> =
                    members.iter().map(|at| fleet.packages()[*at as usize].clone()).collect();
                for one in correlate(&store, &carried, &options).unwrap().matches {
                    if one.is_finding() {
                        // A match also names the bulletins it was read from.
                        let ids = one.ids.into_iter().filter(|id| !id.starts_with("ALSA")).collect();
                        alone.push((asset, members[one.package as usize], ids));
                    }
                }
            }
            alone.sort();
            let of_vulnerabilities: Named = scratch
                .into_iter()
                .map(|(asset, package, ids)| {
                    (asset, package, ids.into_iter().filter(|id| !id.starts_with("ALSA")).collect())
                })
                .collect();
            proptest::prop_assert_eq!(of_vulnerabilities, alone);
        }
    }
}
