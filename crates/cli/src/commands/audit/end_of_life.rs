//! Operating systems and packages whose line of releases gets no security fixes any more, by endoflife.date.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use bartizan_feeds::record::{Cycle, Ends, Lifecycle};
use bartizan_feeds::store::Snapshot;
use bartizan_inventory::Inventory;
use bartizan_inventory::sbom::purl;
use bartizan_matching::model::{Authority, Ecosystem, Package};
use bartizan_reports::audit::EndOfLife;
use chrono::{DateTime, NaiveDate, Utc};

/// What is over at `now`, by file.
pub fn list(
    inventory: &Inventory,
    packages: &[Package],
    store: &Snapshot,
    now: DateTime<Utc>,
) -> Result<Vec<EndOfLife>> {
    let lifecycles = store.lifecycles()?;
    if lifecycles.is_empty() {
        return Ok(Vec::new());
    }
    let today = now.date_naive();
    let mut by_name: HashMap<&str, &Lifecycle> = HashMap::new();
    let mut by_purl: HashMap<&str, &Lifecycle> = HashMap::new();
    for lifecycle in lifecycles.iter().filter(|lifecycle| !lifecycle.cycles.is_empty()) {
        by_name.entry(&lifecycle.product).or_insert(lifecycle);
        for identifier in lifecycle.identifiers.iter().filter(|identifier| identifier.starts_with("pkg:")) {
            by_purl.entry(identifier).or_insert(lifecycle);
        }
    }
    let mut found = BTreeSet::new();
    for source in &inventory.sources {
        let Some((os, _)) = &source.os else { continue };
        let known = products(&os.ecosystem).iter().find_map(|name| by_name.get(name).copied());
        if let Some(lifecycle) = known {
            let release = line(&os.ecosystem, &os.release);
            found.extend(over(&source.path, &os.ecosystem_and_release(), lifecycle, &release, today));
        }
    }
    // What a distribution ships it also looks after.
    for package in packages.iter().filter(|package| package.ecosystem.authority() != Authority::Vendor) {
        let name = purl::of(package);
        let bare = name.split(['@', '?', '#']).next().unwrap_or_default();
        if let Some(lifecycle) = by_purl.get(bare) {
            let subject = format!("{} {}", package.name, package.version);
            found.extend(over(&package.location, &subject, lifecycle, &package.version, today));
        }
    }
    Ok(found.into_iter().collect())
}

/// The names endoflife.date gives to a distribution.
const fn products(ecosystem: &Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Debian => &["debian"],
        Ecosystem::Ubuntu => &["ubuntu"],
        Ecosystem::Alpine => &["alpine-linux", "alpine"],
        Ecosystem::AlmaLinux => &["almalinux"],
        Ecosystem::RockyLinux => &["rocky-linux"],
        Ecosystem::RedHat => &["rhel", "redhat"],
        Ecosystem::OracleLinux => &["oracle-linux", "oraclelinux"],
        Ecosystem::CentOs => &["centos"],
        Ecosystem::AmazonLinux => &["amazon-linux", "amazonlinux"],
        Ecosystem::Fedora => &["fedora"],
        Ecosystem::OpenSuse => &["opensuse"],
        Ecosystem::Suse => &["sles"],
        _ => &[],
    }
}

/// The release of a distribution as endoflife.date writes it: service pack 5 of SUSE's 15 is `15.5`.
fn line(ecosystem: &Ecosystem, release: &str) -> String {
    match ecosystem {
        Ecosystem::Suse => release.replacen("-SP", ".", 1),
        _ => release.to_owned(),
    }
}

fn over(path: &str, subject: &str, lifecycle: &Lifecycle, version: &str, today: NaiveDate) -> Option<EndOfLife> {
    let cycle = cycle_of(lifecycle, version)?;
    let ended = match cycle.end_of_life {
        Ends::Ended => None,
        Ends::On(day) if day < today => Some(day),
        Ends::On(_) | Ends::NotYet | Ends::Unknown => return None,
    };
    let extended_until = match cycle.extended_support {
        Ends::On(day) if day >= today => Some(day),
        _ => None,
    };
    Some(EndOfLife {
        path: path.to_owned(),
        subject: subject.to_owned(),
        product: lifecycle.product.clone(),
        cycle: cycle.name.clone(),
        ended,
        extended_until,
    })
}

/// The line of releases a version belongs to: the longest name that begins it at a boundary (`3.1` is not of `3.18`).
fn cycle_of<'l>(lifecycle: &'l Lifecycle, version: &str) -> Option<&'l Cycle> {
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let begins = |cycle: &&Cycle| {
        version
            .strip_prefix(cycle.name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| !c.is_ascii_alphanumeric()))
    };
    lifecycle.cycles.iter().filter(begins).max_by_key(|cycle| cycle.name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_belongs_to_the_longest_line_that_begins_it() {
        let cycle = |name: &str| Cycle { name: name.to_owned(), ..Cycle::default() };
        let lifecycle = Lifecycle { cycles: ["3", "3.1", "3.18", "22.04"].map(cycle).to_vec(), ..Lifecycle::default() };
        let of = |version: &str| cycle_of(&lifecycle, version).map(|cycle| cycle.name.as_str());
        assert_eq!(of("3.18.4"), Some("3.18"));
        assert_eq!(of("3.1"), Some("3.1"));
        assert_eq!(of("v3.19"), Some("3"));
        assert_eq!(of("4.0"), None);
        assert_eq!(of("31"), None);
    }

    #[test]
    fn service_packs_of_suse_are_lines_of_their_own() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let cycle = |name: &str, ends: Ends| Cycle { name: name.to_owned(), end_of_life: ends, ..Cycle::default() };
        let cycles =
            vec![cycle("15.6", Ends::NotYet), cycle("15.5", Ends::On(day("2030-12-31"))), cycle("12.5", Ends::Ended)];
        let lifecycle = Lifecycle { product: "sles".to_owned(), cycles, ..Lifecycle::default() };
        let ended = |release: &str| {
            let release = line(&Ecosystem::Suse, release);
            over("p", "os", &lifecycle, &release, day("2031-01-01")).map(|over| over.cycle)
        };
        assert_eq!(ended("15-SP5").as_deref(), Some("15.5"));
        assert_eq!(ended("12-SP5").as_deref(), Some("12.5"));
        assert_eq!(ended("15-SP6"), None);
        assert_eq!(ended("15-SP7"), None);
        assert_eq!(line(&Ecosystem::Debian, "12"), "12");
    }

    #[test]
    fn the_last_day_is_a_day_with_fixes() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let cycle = Cycle { name: "9".to_owned(), end_of_life: Ends::On(day("2031-06-30")), ..Cycle::default() };
        let lifecycle = Lifecycle { product: "os".to_owned(), cycles: vec![cycle], ..Lifecycle::default() };
        assert_eq!(over("p", "os 9", &lifecycle, "9", day("2031-06-30")), None);
        let ended = over("p", "os 9", &lifecycle, "9.4", day("2031-07-01")).unwrap();
        assert_eq!((ended.cycle.as_str(), ended.ended), ("9", Some(day("2031-06-30"))));
    }
}
