//! Which targets a run has that goes on from a state file: those of the run that began it.
//!
//! The rule:
//!
//! 1. The targets are numbered in the file, and what was done is known by their numbers; so the earlier run's list stands.
//! 2. An address that must not be contacted any more ([`crate::Job::never`]) is left out: it is asked nothing, nothing is told of
//!    it, and its pairs count as done.
//! 3. Names have to be the same, and keep the addresses they had: name servers that give others in turn are no reason to
//!    begin anew, nor to scan a list that is neither the one nor the other.
//! 4. Every other difference is another job.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::job::Prepared;
use crate::{Never, zone};

/// Addresses that are named in a sentence.
const NAMED: usize = 3;

/// What taking up means for the targets.
#[derive(Debug, Default)]
pub struct Taken {
    /// By number, whether a target is left out.
    pub withheld: Vec<bool>,
    /// What to tell the caller.
    pub notes: Vec<String>,
}

/// Gives a job the targets of the earlier run.
///
/// # Errors
/// What differs, if it is another job.
pub fn take_up(
    prepared: &mut Prepared,
    before: &[IpAddr],
    names_before: &BTreeMap<String, Vec<IpAddr>>,
    never: &Never,
) -> Result<Taken, String> {
    for name in names_before.keys() {
        if !prepared.names.contains_key(name) {
            return Err(format!("it was begun with the name {name}, which is none of the targets now"));
        }
    }
    for name in prepared.names.keys() {
        if !names_before.contains_key(name) {
            return Err(format!("the name {name} is one of the targets now, and it was begun without"));
        }
    }
    let of_names =
        |names: &BTreeMap<String, Vec<IpAddr>>| -> BTreeSet<IpAddr> { names.values().flatten().copied().collect() };
    let (named_before, named_now) = (of_names(names_before), of_names(&prepared.names));
    let withheld: Vec<bool> = before.iter().map(|target| never(*target)).collect();
    let is_target = |target: &IpAddr| prepared.targets.binary_search(target).is_ok();
    let gone: Vec<IpAddr> = (before.iter().zip(&withheld))
        .filter(|(target, withheld)| !**withheld && !is_target(target) && !named_before.contains(target))
        .map(|(target, _)| *target)
        .collect();
    if !gone.is_empty() {
        return Err(format!(
            "it was begun with {}; exclude what is not to be asked any more",
            listed(&gone, "a target", "targets")
        ));
    }
    let new = prepared.targets.iter().filter(|target| before.binary_search(target).is_err());
    let (moved, new): (Vec<IpAddr>, Vec<IpAddr>) = new.copied().partition(|target| named_now.contains(target));
    if !new.is_empty() {
        return Err(format!("it was begun without {}", listed(&new, "a target", "targets")));
    }
    let mut notes = Vec::new();
    if !moved.is_empty() {
        notes.push(format!(
            "names lead elsewhere than when this scan was begun, which goes on with the addresses they had: {} not asked",
            match moved.len() {
                1 => format!("{} is", zone::text(moved[0])),
                _ => format!("{} are", some(&moved)),
            }
        ));
    }
    let left_out: Vec<IpAddr> =
        before.iter().zip(&withheld).filter(|(_, withheld)| **withheld).map(|(target, _)| *target).collect();
    if !left_out.is_empty() {
        notes.push(format!("left out from now on, because excluded: {}", some(&left_out)));
    }
    prepared.refused.extend(left_out);
    prepared.refused.sort_unstable();
    prepared.refused.dedup();
    prepared.certain.extend(named_before);
    prepared.targets = before.to_vec();
    prepared.total = before.len() as u64 * prepared.ports_each();
    Ok(Taken { withheld, notes })
}

fn listed(addresses: &[IpAddr], one: &str, several: &str) -> String {
    match addresses {
        [address] => format!("{} as {one}, and that differs now", zone::text(*address)),
        _ => format!("{} as {several}, and that differs now", some(addresses)),
    }
}

/// The first of some addresses, and how many more there are.
fn some(addresses: &[IpAddr]) -> String {
    let first: Vec<String> = addresses.iter().take(NAMED).map(|address| zone::text(*address)).collect();
    match addresses.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Job;

    type Names<'a> = &'a [(&'a str, &'a [&'a str])];

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn names(list: Names<'_>) -> BTreeMap<String, Vec<IpAddr>> {
        list.iter().map(|(name, texts)| ((*name).to_owned(), addresses(texts))).collect()
    }

    /// A job now, and what it takes up of one that was begun with `before`.
    fn taken(now: (&[&str], Names<'_>, &[&str]), before: (&[&str], Names<'_>)) -> Result<(Prepared, Taken), String> {
        let (targets, named, excluded) = now;
        let mut job = Job::new(addresses(targets), vec![80, 443]);
        job.targets.extend(named.iter().flat_map(|(_, texts)| addresses(texts)));
        job.names = names(named);
        let excluded = addresses(excluded);
        job.never = Arc::new(move |address| excluded.contains(&address));
        // A caller may take away himself what must not be contacted.
        job.targets.retain(|target| !(job.never)(*target));
        let mut prepared = Prepared::new(&job).unwrap();
        let taken = take_up(&mut prepared, &addresses(before.0), &names(before.1), &job.never)?;
        Ok((prepared, taken))
    }

    #[test]
    fn the_same_targets_are_the_same_job() {
        let (prepared, taken) =
            taken((&["192.0.2.1", "192.0.2.2"], &[], &[]), (&["192.0.2.1", "192.0.2.2"], &[])).unwrap();
        assert_eq!((prepared.targets.len(), prepared.total, taken.withheld), (2, 4, vec![false; 2]));
        assert!(taken.notes.is_empty() && prepared.refused.is_empty());
    }

    #[test]
    fn what_is_excluded_now_is_left_out() {
        let before = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let (prepared, taken) = taken((&before, &[], &["192.0.2.2"]), (&before, &[])).unwrap();
        assert_eq!(prepared.targets, addresses(&before), "numbers stay what they were");
        assert_eq!(
            (taken.withheld, prepared.refused, prepared.total),
            (vec![false, true, false], addresses(&["192.0.2.2"]), 6)
        );
        assert!(taken.notes[0].contains("192.0.2.2"), "{:?}", taken.notes);
    }

    #[test]
    fn a_name_keeps_the_addresses_it_had() {
        let before: (&[&str], Names<'_>) =
            (&["192.0.2.1", "198.51.100.1", "198.51.100.2"], &[("a.example", &["198.51.100.1", "198.51.100.2"])]);
        for now in [&["198.51.100.2", "198.51.100.9"][..], &["198.51.100.9"], &[]] {
            let (prepared, taken) = taken((&["192.0.2.1"], &[("a.example", now)], &[]), before).unwrap();
            assert_eq!(prepared.targets, addresses(before.0));
            assert!(prepared.certain.contains(&"198.51.100.1".parse().unwrap()), "it is still one that was named");
            assert_eq!(taken.notes.len(), usize::from(!now.is_empty()), "{:?}", taken.notes);
            assert!(taken.notes.iter().all(|note| note.contains("198.51.100.9 is not asked")), "{:?}", taken.notes);
        }
        let excluded: &[&str] = &["198.51.100.1"];
        let (_, taken) = taken((&["192.0.2.1"], &[("a.example", &["198.51.100.1"])], excluded), before).unwrap();
        assert_eq!(taken.withheld, [false, true, false], "an exclusion is honoured whatever a name says");
    }

    #[test]
    fn anything_else_is_another_job() {
        let none: Names<'_> = &[];
        let why = |now: &[&str], before: &[&str]| taken((now, none, &[]), (before, none)).map(|_| ()).unwrap_err();
        let error = why(&["192.0.2.1"], &["192.0.2.1", "192.0.2.2"]);
        assert!(error.contains("begun with 192.0.2.2") && error.contains("exclude"), "{error}");
        let error = why(&["192.0.2.1", "192.0.2.2"], &["192.0.2.1"]);
        assert!(error.contains("begun without 192.0.2.2"), "{error}");
        let many: Vec<String> = (1..=9).map(|last| format!("192.0.2.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let error = why(&many, &["192.0.2.1"]);
        assert!(error.contains("192.0.2.2, 192.0.2.3, 192.0.2.4 and 5 more"), "{error}");
        let named: Names<'_> = &[("a.example", &["192.0.2.1"])];
        let error = taken((&[], named, &[]), (&["192.0.2.1"], none)).map(|_| ()).unwrap_err();
        assert!(error.contains("a.example") && error.contains("without"), "{error}");
        let error = taken((&["192.0.2.1"], none, &[]), (&["192.0.2.1"], named)).map(|_| ()).unwrap_err();
        assert!(error.contains("the name a.example"), "{error}");
    }
}
