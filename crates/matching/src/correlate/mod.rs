//! The correlation core: packages and a store of advisories in, matches and gaps out.
//!
//! [`correlate`] answers for the packages of one asset, with everything a reader wants to see. [`fleet`] answers for
//! many assets at once: each distinct package is judged once and fanned out. [`explain`] says why or why not. All of
//! them call the same judge, so that they cannot disagree.
//!
//! Who decides (see [`Authority`]): for a package of a distribution the distribution's own statements about its own
//! release; for a language package the statements of its ecosystem; CPE configurations only for what has neither. An
//! express "not affected" of whoever decides outweighs the others. One match stands for one vulnerability: records that
//! are aliases of each other, directly or through a third, are one group.
//!
//! Results depend on nothing but the arguments: no clock, no thread count, no order of a hash map.

mod changes;
mod copies;
mod examine;
mod explain;
mod extended;
pub mod fleet;
mod groups;
mod judge;
mod listed;
mod subjects;

use std::collections::HashMap;

pub use changes::{Change, ChangeReason, compare};
pub use explain::{Explanation, explain};
pub use groups::{Group, id_order};

use crate::cpe::{Cpe, Product};
use crate::model::{Authority, Confidence, CoverageGap, Match, Package};
use crate::score::{Weights, priority};
use crate::store::{AdvisoryStore, StoreError};
use judge::{Decided, Judge, Verdict};

/// Leads of one package that ask for something besides.
const MAX_INCOMPLETE: usize = 200;

/// What a run may be told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Weights of the composite score.
    pub weights: Weights,
    /// What else the asset carries, as CPE names (operating system, hardware): restricting members of configurations
    /// are looked up here and among the packages.
    pub platform: Vec<Cpe>,
}

/// What a run concluded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Correlation {
    /// Matches, what to fix first at the head ([`priority`]); includes those that are no findings.
    pub matches: Vec<Match>,
    /// Packages nothing can be said about, ascending.
    pub gaps: Vec<CoverageGap>,
}

/// Correlates the packages of one asset.
///
/// Equal packages at several places are judged once. Cost: one look-up a distinct name, one comparison a statement.
///
/// # Errors
/// If the store cannot be read.
pub fn correlate<S: AdvisoryStore + ?Sized>(
    store: &S,
    packages: &[Package],
    options: &Options,
) -> Result<Correlation, StoreError> {
    let mut judge = Judge::new(store);
    let products = products(packages, &options.platform);
    let mut judged: HashMap<Identity<'_>, Verdict> = HashMap::new();
    let mut correlation = Correlation::default();
    for (index, package) in packages.iter().enumerate() {
        let index = u32::try_from(index).map_err(|_| StoreError("there are more than 2^32 packages".to_owned()))?;
        let identity = Identity::of(package);
        if !judged.contains_key(&identity) {
            let verdict = judge.judge(package, &products)?;
            judged.insert(identity.clone(), verdict);
        }
        let verdict = &judged[&identity];
        correlation.gaps.extend(verdict.gaps.iter().map(|reason| CoverageGap { package: index, reason: *reason }));
        for decided in verdict.decided.iter().filter(|decided| !decided.restricted) {
            correlation.matches.push(judge.expand(index, decided, &options.weights)?);
        }
        // What asks for something besides that is not known to be there is a lead, the newest names first.
        let is_decided = |one: &Decided| {
            verdict.decided.iter().any(|sure| !sure.restricted && sure.group.primary() == one.group.primary())
        };
        let restricted = verdict.decided.iter().rev().filter(|decided| decided.restricted && !is_decided(decided));
        let more = restricted.clone().count().saturating_sub(MAX_INCOMPLETE);
        for decided in restricted.take(MAX_INCOMPLETE) {
            let mut lead = judge.expand(index, decided, &options.weights)?;
            lead.confidence = lead.confidence.min(Confidence::INCOMPLETE);
            if let Some(evidence) = lead.evidence.first_mut() {
                evidence.notes.extend(explain::lacking(
                    store,
                    package,
                    &products,
                    &evidence.advisory,
                    &evidence.source,
                )?);
            }
            if more > 0
                && let Some(evidence) = lead.evidence.first_mut()
            {
                let note =
                    format!("{more} older records that ask for something besides are not listed for this package");
                evidence.notes.push(note.into());
            }
            correlation.matches.push(lead);
        }
    }
    correlation.matches.sort_by(priority);
    Ok(correlation)
}

/// What a package's judgement depends on; where it was found and what needs it do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity<'p> {
    text: [&'p str; 8],
    origin: crate::model::Origin,
    ownership: &'p crate::model::Ownership,
    cpes: &'p [crate::model::Text],
    epoch_unknown: bool,
}

impl<'p> Identity<'p> {
    pub(crate) fn of(package: &'p Package) -> Self {
        let source = package.source.as_ref();
        Self {
            text: [
                package.ecosystem.as_str(),
                // Packages of one source stand together, so that its statements are compiled once.
                source.map_or(&*package.name, |source| &*source.name),
                &package.name,
                &package.release,
                &package.version,
                source.map_or("", |source| &source.version),
                &package.arch,
                &package.module,
            ],
            origin: package.origin,
            ownership: &package.ownership,
            cpes: &package.cpes,
            epoch_unknown: package.is_epoch_unknown(),
        }
    }
}

/// Everything an asset carries, as products.
fn products(packages: &[Package], platform: &[Cpe]) -> Vec<Product> {
    let stated = packages.iter().flat_map(|package| {
        let version = if package.ecosystem.authority() == Authority::Cpe { package.version.as_str() } else { "" };
        package.cpes.iter().filter_map(move |name| Some(Product::new(Cpe::parse(name).ok()?, version)))
    });
    stated.chain(platform.iter().map(|cpe| Product::new(cpe.clone(), ""))).collect()
}

#[cfg(test)]
mod tests;
