//! Runs a selection of checks over one asset's evidence.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_catalog::{Catalog, CheckMeta, framework};
use bartizan_domain::coverage::{Coverage, CoverageEntry};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, PortsEvidence};
use bartizan_domain::{AssetRef, CheckId, Location, Outcome, Verdict};

use crate::{CHECKS, Check, JudgeSettings, Verdicts, declarative};

/// Which checks a plan contains.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Selection {
    ids: BTreeSet<CheckId>,
}

impl Selection {
    /// The checks of `catalog` for which `keep` says yes.
    pub fn filter(catalog: &Catalog, keep: impl Fn(&CheckMeta) -> bool) -> Self {
        Self { ids: catalog.checks().filter(|meta| keep(meta)).map(|meta| meta.id.clone()).collect() }
    }

    /// Resolves selectors (`tls.v10`, `cert.*`, former ids) to the checks they name.
    ///
    /// # Errors
    /// Names the first selector that matches no check.
    pub fn resolve(catalog: &Catalog, selectors: &[String]) -> Result<Self, String> {
        let mut ids = BTreeSet::new();
        for selector in selectors {
            let direct = catalog.check(selector).map(|meta| meta.id.clone());
            let before = ids.len();
            let found =
                catalog.checks().filter(|meta| framework::matches(selector, &meta.id)).map(|meta| meta.id.clone());
            ids.extend(found.chain(direct));
            if ids.len() == before
                && !catalog.checks().any(|meta| framework::matches(selector, &meta.id))
                && catalog.check(selector).is_none()
            {
                let group = format!("{}.*", selector.trim_end_matches(['.', '*']));
                let is_group = catalog.checks().any(|meta| framework::matches(&group, &meta.id));
                return Err(if is_group {
                    format!("unknown check `{selector}`: the group is `{group}`")
                } else {
                    format!("unknown check `{selector}`: see `bartizan checks list`")
                });
            }
        }
        Ok(Self { ids })
    }

    /// Both selections.
    #[must_use]
    pub fn intersect(mut self, other: &Self) -> Self {
        self.ids.retain(|id| other.ids.contains(id));
        self
    }

    /// This selection less the other.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        self.ids.retain(|id| !other.ids.contains(id));
        self
    }

    /// Whether `id` is selected.
    #[must_use]
    pub fn contains(&self, id: &CheckId) -> bool {
        self.ids.contains(id)
    }

    /// The selected ids in order.
    pub fn iter(&self) -> impl Iterator<Item = &CheckId> {
        self.ids.iter()
    }

    /// How many checks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The evidence the selected checks need, and so the probes a plan runs.
    #[must_use]
    pub fn needs(&self, catalog: &Catalog) -> BTreeSet<EvidenceKind> {
        let coded = rust_checks()
            .filter(|check| self.ids.iter().any(|id| id.as_str() == check.id()))
            .flat_map(|check| check.needs().iter().copied());
        let declared = catalog
            .checks()
            .filter(|meta| self.contains(&meta.id))
            .filter_map(|meta| meta.declaration.as_ref())
            .map(|d| d.evidence);
        coded.chain(declared).collect()
    }
}

/// Verdicts of the selected checks on one asset, ordered by check and location, one per check and location.
#[must_use]
pub fn judge(
    catalog: &Catalog,
    selection: &Selection,
    evidence: &HostEvidence,
    settings: &JudgeSettings,
) -> Vec<Verdict> {
    let mut merged: BTreeMap<(CheckId, Location), Verdict> = BTreeMap::new();
    let mut add = |verdicts: Vec<Verdict>| {
        for verdict in verdicts {
            let key = (verdict.check_id.clone(), verdict.location.clone());
            match merged.entry(key) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(verdict);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => merge(slot.get_mut(), verdict),
            }
        }
    };
    for check in rust_checks() {
        if let Some(meta) = catalog.check(check.id()).filter(|meta| selection.contains(&meta.id)) {
            let mut out = Verdicts::new(meta, &evidence.asset);
            check.judge(evidence, settings, &mut out);
            add(out.finish());
        }
    }
    for meta in catalog.checks().filter(|meta| selection.contains(&meta.id)) {
        if let Some(declaration) = &meta.declaration {
            let mut out = Verdicts::new(meta, &evidence.asset);
            declarative::judge(declaration, evidence, &mut out);
            add(out.finish());
        }
    }
    let mut verdicts: Vec<Verdict> = merged.into_values().collect();
    exclude(catalog, &mut verdicts);
    verdicts
}

/// The coverage record of a judged asset.
#[must_use]
pub fn coverage(catalog: &Catalog, evidence: &HostEvidence, verdicts: &[Verdict]) -> Coverage {
    Coverage {
        asset: evidence.asset.clone(),
        catalogue: catalog.version().to_owned(),
        closed_ports: evidence.ports.observed().map(PortsEvidence::closed_on_every_address).unwrap_or_default(),
        entries: verdicts.iter().map(CoverageEntry::from).collect(),
    }
}

fn rust_checks() -> impl Iterator<Item = &'static dyn Check> {
    CHECKS.iter().flat_map(|group| group.iter().copied())
}

/// The same port on several addresses of a name is one location; the worse outcome and severity stand.
fn merge(kept: &mut Verdict, other: Verdict) {
    let rank = |verdict: &Verdict| (verdict.outcome.precedence(), verdict.severity, verdict.confidence);
    if rank(&other) > rank(kept) {
        *kept = other;
    }
}

/// One cause, one finding: a failure that another failure at the same place explains is not applicable.
fn exclude(catalog: &Catalog, verdicts: &mut [Verdict]) {
    let failed: BTreeSet<(AssetRef, Location, CheckId)> = verdicts
        .iter()
        .filter(|v| v.outcome == Outcome::Fail)
        .map(|v| (v.asset.clone(), v.location.clone(), v.check_id.clone()))
        .collect();
    for verdict in verdicts.iter_mut().filter(|v| v.outcome == Outcome::Fail) {
        let Some(meta) = catalog.check(verdict.check_id.as_str()) else { continue };
        let explained_by = meta
            .excluded_by
            .iter()
            .find(|other| failed.contains(&(verdict.asset.clone(), verdict.location.clone(), (*other).clone())));
        if let Some(other) = explained_by {
            verdict.outcome = Outcome::NotApplicable;
            verdict.reason = Some(format!("explained by {other}"));
            verdict.severity = None;
            verdict.confidence = None;
            verdict.evidence = serde_json::Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_metadata_and_every_metadata_a_check() {
        let catalog = Catalog::parse_builtin().unwrap();
        let mut coded = BTreeSet::new();
        for check in rust_checks() {
            assert!(coded.insert(check.id()), "{} is registered twice", check.id());
            let meta = catalog.check(check.id()).unwrap_or_else(|| panic!("{} has no metadata", check.id()));
            assert!(meta.declaration.is_none(), "{} is declared and coded", check.id());
            assert!(!check.needs().is_empty(), "{} needs no evidence", check.id());
        }
        for meta in catalog.checks().filter(|meta| meta.declaration.is_none()) {
            assert!(coded.contains(meta.id.as_str()), "{} has metadata and no judgement", meta.id);
        }
    }
}
