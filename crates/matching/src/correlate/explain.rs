//! Why a vulnerability does, or does not, hold for a package.

use serde::{Deserialize, Serialize};

use super::examine::{why_not, words};
use super::judge::Judge;
use super::listed::Listed;
use super::subjects::subjects;
use super::{Options, products};
use crate::cpe::{CompiledConfiguration, Cpe, Product};
use crate::model::{
    Advisory, AdvisoryEvidence, Authority, Ecosystem, GapReason, Match, NoMatch, NoMatchReason, Package, Text,
    VendorState,
};
use crate::store::{AdvisoryStore, StoreError};

/// Reasons that are given for one record at most.
const MAX_REASONS: usize = 12;

/// The answer to "why" and "why not".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// All names of the vulnerability.
    pub ids: Vec<Text>,
    /// The match, if there is one (also one that is no finding).
    pub matched: Option<Match>,
    /// Whether it is a lead for want of knowledge: the package is the vulnerable part of a configuration that asks for something
    /// besides, which is not known to be there.
    pub is_incomplete: bool,
    /// Every record that speaks of it and does not apply, with the reason.
    pub against: Vec<NoMatch>,
    /// What cannot be said about the package at all.
    pub gaps: Vec<GapReason>,
}

/// Explains one vulnerability, by any of its names, for `packages[index]`.
///
/// # Errors
/// If the store cannot be read, or `index` is not a package.
pub fn explain<S: AdvisoryStore + ?Sized>(
    store: &S,
    packages: &[Package],
    index: u32,
    id: &str,
    options: &Options,
) -> Result<Explanation, StoreError> {
    let package =
        packages.get(index as usize).ok_or_else(|| StoreError(format!("there is no package number {index}")))?;
    let written = spelt(store, id)?;
    let id = written.as_str();
    let mut judge = Judge::new(store);
    let group = judge.groups.of(store, &Text::from(id))?;
    let carried = products(packages, &options.platform);
    let verdict = judge.judge(package, &carried)?;
    let matched = match verdict.decided.iter().find(|decided| {
        decided.group.primary() == group.primary() || decided.read.iter().any(|read| read.head.id.as_str() == id)
    }) {
        Some(decided) if !decided.restricted => Some(judge.expand(index, decided, &options.weights)?),
        _ => None,
    };
    let applied: Vec<Text> =
        matched.iter().flat_map(|found| found.evidence.iter().map(|one| one.advisory.clone())).collect();
    let mut against = Vec::new();
    let mut push = |entry: NoMatch| {
        if !applied.contains(&entry.advisory) && !against.contains(&entry) {
            against.push(entry);
        }
    };
    let speaks = |head: &crate::model::AdvisoryHead| {
        std::iter::once(&head.id)
            .chain(&head.aliases)
            .chain(&head.addresses)
            .any(|name| group.ids.contains(name) || name.as_str() == id)
    };
    let mut names: Vec<(Ecosystem, Text)> =
        subjects(package).into_iter().map(|subject| (package.ecosystem.clone(), subject.name)).collect();
    names.dedup();
    names.extend(words(package).into_iter().map(|words| (Ecosystem::Generic, words)));
    let mut seen = Vec::new();
    for (ecosystem, name) in &names {
        for compiled in judge
            .statements(ecosystem, name)?
            .iter()
            .filter(|compiled| speaks(&compiled.head))
            .filter(|compiled| compiled.is_about(&group.ids) || compiled.head.id.as_str() == id)
        {
            seen.push(compiled.advisory);
            let (advisory, source) = (compiled.head.id.clone(), compiled.head.source.clone());
            if compiled.head.withdrawn.is_some() {
                push(NoMatch { advisory, source, reason: NoMatchReason::Withdrawn, evidence: None });
            } else if judge.outdated(compiled)? {
                push(NoMatch { advisory, source, reason: NoMatchReason::Outdated, evidence: None });
            } else if let Some((reason, evidence)) = why_not(package, compiled) {
                push(NoMatch { advisory, source, reason, evidence: Some(evidence) });
            } else if compiled.affected.state == crate::model::VendorState::NotAffected {
                push(NoMatch { advisory, source, reason: NoMatchReason::NotAffected, evidence: None });
            }
        }
    }
    let restricted =
        verdict.decided.iter().filter(|decided| decided.restricted && decided.group.primary() == group.primary());
    let is_incomplete = matched.is_none() && restricted.clone().next().is_some();
    for read in restricted.flat_map(|decided| &decided.read) {
        let (advisory, source) = (read.head.id.clone(), read.head.source.clone());
        let mut evidence = read.evidence();
        for record in store.by_id(&read.head.id)? {
            let advisory = store.advisory(record)?;
            if advisory.head.source == read.head.source
                && let Some(lacking) = shortfall(store, package, &carried, &advisory)?
            {
                evidence.notes.extend(lacking.notes);
            }
        }
        let evidence = Some(evidence);
        push(NoMatch { advisory, source, reason: NoMatchReason::ConfigurationFails, evidence });
        seen.extend(store.by_id(&read.head.id)?);
    }
    let mut records = store.by_id(id)?;
    records.extend(&group.records);
    records.sort_unstable();
    records.dedup();
    for record in records.into_iter().filter(|record| !seen.contains(record)) {
        let advisory = store.advisory(record)?;
        let mut evidence = None;
        let reason = if advisory.head.withdrawn.is_some() {
            NoMatchReason::Withdrawn
        } else if !advisory.configurations.is_empty() && advisory.affected.is_empty() {
            if package.ecosystem.authority() == Authority::Cpe {
                let lacking = shortfall(store, package, &carried, &advisory)?;
                if lacking.is_some() || package.cpes.is_empty() {
                    evidence = lacking;
                    NoMatchReason::ConfigurationFails
                } else {
                    NoMatchReason::OtherPackage
                }
            } else {
                NoMatchReason::DecidedByAuthority
            }
        } else if advisory.affected.iter().any(|affected| affected.package.ecosystem != package.ecosystem) {
            NoMatchReason::OtherEcosystem
        } else {
            NoMatchReason::OtherPackage
        };
        push(NoMatch { advisory: advisory.head.id.clone(), source: advisory.head.source.clone(), reason, evidence });
    }
    Ok(Explanation { ids: group.ids.clone(), matched, is_incomplete, against, gaps: verdict.gaps })
}

/// What the configurations of a record ask for besides, and the asset lacks.
pub(super) fn lacking<S: AdvisoryStore + ?Sized>(
    store: &S,
    package: &Package,
    carried: &[Product],
    id: &str,
    source: &str,
) -> Result<Vec<Text>, StoreError> {
    let mut notes = Vec::new();
    for record in store.by_id(id)? {
        let advisory = store.advisory(record)?;
        if *advisory.head.id == *id
            && *advisory.head.source == *source
            && let Some(lacking) = shortfall(store, package, carried, &advisory)?
        {
            notes.extend(lacking.notes);
        }
    }
    Ok(notes)
}

/// What each configuration of a record that is about a product of the package fails on; none if they are all about others.
fn shortfall<S: AdvisoryStore + ?Sized>(
    store: &S,
    package: &Package,
    carried: &[Product],
    advisory: &Advisory,
) -> Result<Option<AdvisoryEvidence>, StoreError> {
    let listed = Listed::new(store);
    let mut notes: Vec<Text> = Vec::new();
    let mut about = Text::default();
    for name in &package.cpes {
        let Ok(cpe) = Cpe::parse(name) else { continue };
        let subject = Product::new(cpe, &package.version);
        for configuration in &advisory.configurations {
            let lacking = CompiledConfiguration::compile(configuration).shortfall(&subject, carried, &listed);
            if !lacking.is_empty() {
                about = name.clone();
            }
            for reason in lacking {
                if !notes.iter().any(|known| **known == *reason) && notes.len() < MAX_REASONS {
                    notes.push(reason.into());
                }
            }
        }
    }
    listed.finish()?;
    Ok((!notes.is_empty()).then(|| AdvisoryEvidence {
        advisory: advisory.head.id.clone(),
        source: advisory.head.source.clone(),
        revision: advisory.head.revision.clone(),
        name: about,
        version: package.version.clone(),
        range: Text::default(),
        dialect: Some(crate::Dialect::Generic),
        state: VendorState::Affected,
        notes,
    }))
}

/// An id as the store spells it: `cve-2024-1` is `CVE-2024-1`, `ghsa-JFH8-…` is `GHSA-jfh8-…`. What is in the store as it is
/// written stays.
fn spelt<S: AdvisoryStore + ?Sized>(store: &S, id: &str) -> Result<String, StoreError> {
    let upper = id.to_ascii_uppercase();
    let ghsa = format!("GHSA-{}", id.get(5..).unwrap_or_default().to_ascii_lowercase());
    let other = if upper.starts_with("GHSA-") { ghsa } else { upper };
    Ok(if store.by_id(id)?.is_empty() && !store.by_id(&other)?.is_empty() { other } else { id.to_owned() })
}
