//! What changed between two runs over the same packages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Options, explain};
use crate::model::{Match, NoMatchReason, Package, Text};
use crate::store::{AdvisoryStore, StoreError};

/// A difference between two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Index of the package.
    pub package: u32,
    /// Names of the vulnerability, of the newer run where it is in both.
    pub ids: Vec<Text>,
    /// What happened, and why.
    pub reason: ChangeReason,
}

/// What happened to a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeReason {
    /// It is new.
    Appeared,
    /// State, confidence, fix or score differ.
    Changed,
    /// It is gone; the records that no longer apply, each with its reason (withdrawn, outside the range, not affected …).
    /// None means that no record of the store speaks of it any more.
    Disappeared {
        /// Advisory and reason.
        because: Vec<(Text, NoMatchReason)>,
    },
}

/// Compares two runs over the same packages; `store` is the one of the newer run. Matches are the same if they share
/// the package and any name. Ascending by package and name.
///
/// # Errors
/// If the store cannot be read.
pub fn compare<S: AdvisoryStore + ?Sized>(
    store: &S,
    packages: &[Package],
    before: &[Match],
    after: &[Match],
    options: &Options,
) -> Result<Vec<Change>, StoreError> {
    let index = |matches: &[Match]| {
        let mut by_name: BTreeMap<(u32, Text), usize> = BTreeMap::new();
        for (at, one) in matches.iter().enumerate() {
            for id in &one.ids {
                by_name.entry((one.package, id.clone())).or_insert(at);
            }
        }
        by_name
    };
    let (old, new) = (index(before), index(after));
    let find = |map: &BTreeMap<(u32, Text), usize>, one: &Match| {
        one.ids.iter().find_map(|id| map.get(&(one.package, id.clone())).copied())
    };
    let mut changes = Vec::new();
    for one in after {
        let reason = match find(&old, one) {
            None => ChangeReason::Appeared,
            Some(at) if before[at] != *one => ChangeReason::Changed,
            Some(_) => continue,
        };
        changes.push(Change { package: one.package, ids: one.ids.clone(), reason });
    }
    for one in before.iter().filter(|one| find(&new, one).is_none()) {
        let mut because = Vec::new();
        for id in &one.ids {
            for against in explain(store, packages, one.package, id, options)?.against {
                because.push((against.advisory, against.reason));
            }
        }
        because.sort();
        because.dedup();
        changes.push(Change {
            package: one.package,
            ids: one.ids.clone(),
            reason: ChangeReason::Disappeared { because },
        });
    }
    changes.sort_by(|a, b| (a.package, &a.ids).cmp(&(b.package, &b.ids)));
    Ok(changes)
}
