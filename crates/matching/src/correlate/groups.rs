//! Alias groups: all names of one vulnerability.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::{AdvisoryHead, Text};
use crate::store::{AdvisoryRef, AdvisoryStore, StoreError};

/// Most names of one group. More means that a source names unrelated things as aliases; the rest is left out.
const MAX_IDS: usize = 256;

/// All names of one vulnerability, and the records that carry them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The names, the one to show first at the head ([`id_order`]).
    pub ids: Vec<Text>,
    /// The records that carry one of them, ascending; withdrawn ones are left out.
    pub records: Vec<AdvisoryRef>,
}

impl Group {
    /// The name to show.
    #[must_use]
    pub fn primary(&self) -> &Text {
        // A group begins with the id it was looked up by.
        &self.ids[0]
    }
}

/// CVE first, then GHSA, then all others; each by number, so that CVE-2024-9 comes before CVE-2024-10.
#[must_use]
pub fn id_order(a: &str, b: &str) -> Ordering {
    let rank = |id: &str| match id.split('-').next() {
        Some("CVE") => 0,
        Some("GHSA") => 1,
        _ => 2,
    };
    let natural = |id: &str| -> (String, u64, u64) {
        let mut parts = id.split('-');
        let prefix = parts.next().unwrap_or("").to_owned();
        let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(u64::MAX);
        (prefix, number(), number())
    };
    rank(a).cmp(&rank(b)).then_with(|| natural(a).cmp(&natural(b))).then_with(|| a.cmp(b))
}

/// Finds groups and remembers them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_id: HashMap<Text, Arc<Group>>,
}

impl Groups {
    /// The group of a name: the closure over "is an alias of", in both directions. Bulletins are no aliases of what
    /// they address, so they do not join groups.
    pub(super) fn of<S: AdvisoryStore + ?Sized>(&mut self, store: &S, id: &Text) -> Result<Arc<Group>, StoreError> {
        if let Some(known) = self.by_id.get(id) {
            return Ok(Arc::clone(known));
        }
        let mut ids = BTreeSet::from([id.clone()]);
        let mut records = BTreeSet::new();
        let mut open = vec![id.clone()];
        while let Some(next) = open.pop() {
            for record in store.by_id(&next)? {
                if !records.insert(record) {
                    continue;
                }
                let head = store.head(record)?;
                if head.withdrawn.is_some() {
                    continue;
                }
                for name in names(&head) {
                    if ids.len() < MAX_IDS && ids.insert(name.clone()) {
                        open.push(name.clone());
                    }
                }
            }
        }
        let mut live = Vec::with_capacity(records.len());
        for record in records {
            if store.head(record)?.withdrawn.is_none() {
                live.push(record);
            }
        }
        let mut ordered: Vec<Text> = ids.into_iter().collect();
        ordered.sort_by(|a, b| id_order(a, b));
        let group = Arc::new(Group { ids: ordered, records: live });
        for name in &group.ids {
            self.by_id.insert(name.clone(), Arc::clone(&group));
        }
        Ok(group)
    }

    /// The groups a record speaks of: its own, or those of everything it addresses.
    pub(super) fn of_record<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        head: &AdvisoryHead,
    ) -> Result<Vec<Arc<Group>>, StoreError> {
        if head.addresses.is_empty() {
            return Ok(vec![self.of(store, &head.id)?]);
        }
        head.addresses.iter().map(|id| self.of(store, id)).collect()
    }
}

/// The names a record gives to its vulnerability.
fn names(head: &AdvisoryHead) -> impl Iterator<Item = &Text> {
    // The id of a bulletin is no name of a vulnerability.
    head.addresses.is_empty().then_some(&head.id).into_iter().chain(&head.aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_kind_and_number() {
        let mut ids = vec!["RUSTSEC-2020-1", "GHSA-b", "CVE-2024-10", "CVE-2024-9", "CVE-2023-99999", "GHSA-a"];
        ids.sort_by(|a, b| id_order(a, b));
        assert_eq!(ids, ["CVE-2023-99999", "CVE-2024-9", "CVE-2024-10", "GHSA-a", "GHSA-b", "RUSTSEC-2020-1"]);
    }
}
