//! The judge: what holds for one package.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::copies::Copies;
use super::examine::{
    Compiled, Pocket, Read, ReadSource, Weight, examine, examine_words, fixed, fixed_elsewhere, fixed_of, weight, words,
};
use super::extended::Extended;
use super::groups::{Group, Groups};
use super::id_order;
use super::listed::Listed;
use super::subjects::subjects;
use crate::cpe::{
    Applicability, CompiledConfiguration, Configuration, Cpe, Node, Product, Satisfied, vendor_and_product,
};
use crate::model::{
    AdvisoryHead, AdvisoryKind, Authority, Confidence, Ecosystem, GapReason, Match, MatchState, Method, NoMatchReason,
    Origin, Ownership, Package, Signals, Text, VendorState,
};
use crate::score::{Rating, Score, Weights, rating_of};
use crate::store::{AdvisoryStore, Coverage, StoreError};
use crate::{Dialect, SortKey};

/// How many names and products are kept compiled. Packages come ordered by name, so a few are enough.
const KEPT: usize = 256;

/// What holds for one package.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// One entry a vulnerability, in the order of the groups' names.
    pub(super) decided: Vec<Decided>,
    /// Why nothing, or not everything, can be said.
    pub(super) gaps: Vec<GapReason>,
}

/// One vulnerability of one package.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) group: Arc<Group>,
    pub(super) state: MatchState,
    pub(super) kind: AdvisoryKind,
    pub(super) method: Method,
    pub(super) confidence: Confidence,
    /// The statements that apply, the deciding one first.
    pub(super) read: Vec<Read>,
    /// Holds only on assets that carry what these records ask for besides.
    pub(super) restricted: bool,
}

type Configured = (Arc<AdvisoryHead>, Vec<(CompiledConfiguration, Negation)>);

/// Whether a configuration asks for something that must not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Negation {
    None,
    Some,
}

impl Negation {
    fn of(configuration: &Configuration) -> Self {
        let mut open: Vec<&Node> = configuration.nodes.iter().collect();
        let mut found = configuration.negate;
        while let Some(node) = open.pop() {
            found |= node.negate;
            open.extend(&node.children);
        }
        if found { Self::Some } else { Self::None }
    }
}

/// How much of the asset the judge sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// All of it.
    Whole,
    /// The package alone: what depends on something else, present or absent, is restricted.
    Alone,
}

/// Judges packages; keeps what it compiled for the next one.
pub(super) struct Judge<'s, S: ?Sized> {
    store: &'s S,
    pub(super) groups: Groups,
    statements: HashMap<(Ecosystem, String), Arc<Vec<Arc<Compiled>>>>,
    products: HashMap<(String, String), Arc<Vec<Configured>>>,
    coverage: HashMap<(Ecosystem, Text), Coverage>,
    facts: HashMap<Text, (Signals, Option<Rating>)>,
    copies: Copies,
}

impl<'s, S: AdvisoryStore + ?Sized> Judge<'s, S> {
    pub(super) fn new(store: &'s S) -> Self {
        Self {
            store,
            groups: Groups::default(),
            statements: HashMap::new(),
            products: HashMap::new(),
            coverage: HashMap::new(),
            facts: HashMap::new(),
            copies: Copies::default(),
        }
    }

    /// What holds for a package on an asset that carries `products`.
    pub(super) fn judge(&mut self, package: &Package, products: &[Product]) -> Result<Verdict, StoreError> {
        self.look(package, products, Sight::Whole)
    }

    /// What holds for a package whatever else the asset carries; the rest is restricted.
    pub(super) fn judge_alone(&mut self, package: &Package, products: &[Product]) -> Result<Verdict, StoreError> {
        self.look(package, products, Sight::Alone)
    }

    fn look(&mut self, package: &Package, products: &[Product], sight: Sight) -> Result<Verdict, StoreError> {
        let mut verdict = Verdict::default();
        let authority = package.ecosystem.authority();
        let mut read = Vec::new();
        let mut by_cpe = authority == Authority::Cpe;
        if authority != Authority::Cpe {
            let gap = self.gap(package)?;
            verdict.gaps.extend(gap);
            match gap {
                None | Some(GapReason::PartlyCovered { .. }) => {
                    read = self.read(package, &mut verdict.gaps)?;
                    let by_source = matches!(package.ecosystem.purl_type(), "deb" | "apk");
                    if by_source
                        && package.source.is_none()
                        && self.statements(&package.ecosystem, &package.name)?.is_empty()
                    {
                        verdict.gaps.push(GapReason::SourceUnknown);
                    }
                    if let Some((limit, note)) = self.owned(&package.ownership)? {
                        for one in &mut read {
                            one.confidence = one.confidence.min(limit);
                            one.notes.push(note.clone());
                        }
                    }
                }
                // A language package of an ecosystem without a source may still be known by its CPE.
                Some(GapReason::EcosystemNotCovered) => by_cpe = authority == Authority::Ecosystem,
                Some(_) => {}
            }
            let origin = package.true_origin();
            if !matches!(origin, Origin::Registry | Origin::Local) && gap.is_none() {
                verdict.gaps.push(GapReason::ForeignOrigin);
            }
        }
        let mut restricted = Vec::new();
        if by_cpe {
            if authority == Authority::Cpe {
                let gap = if package.cpes.is_empty() {
                    Some(GapReason::Unidentified)
                } else {
                    self.uncovered(Ecosystem::Generic, &Text::default())?
                };
                verdict.gaps.extend(gap);
            }
            self.read_configurations(package, products, sight, &mut read, &mut restricted)?;
            self.read_words(package, &mut read)?;
        }
        verdict.decided = self.decide(read, false)?;
        let maybe = self.decide(restricted, true)?;
        let surer: Vec<Decided> = maybe
            .into_iter()
            .filter(|maybe| {
                let mut sure = verdict.decided.iter();
                sure.find(|sure| sure.group.primary() == maybe.group.primary())
                    .is_none_or(|sure| sure.confidence < maybe.confidence)
            })
            .collect();
        verdict.decided.extend(surer);
        verdict.decided.sort_by(|a, b| id_order(a.group.primary(), b.group.primary()));
        Ok(verdict)
    }

    fn gap(&mut self, package: &Package) -> Result<Option<GapReason>, StoreError> {
        if package.version.is_empty() {
            return Ok(Some(GapReason::VersionMissing));
        }
        let ecosystem = package.ecosystem.advised_by().clone();
        if ecosystem.has_releases() && package.release.is_empty() {
            return Ok(Some(GapReason::ReleaseUnknown));
        }
        self.uncovered(ecosystem, &package.release)
    }

    fn uncovered(&mut self, ecosystem: Ecosystem, release: &Text) -> Result<Option<GapReason>, StoreError> {
        Ok(match self.coverage(ecosystem, release)? {
            Coverage::Covered => None,
            Coverage::PartlyCovered { records } => Some(GapReason::PartlyCovered { records }),
            Coverage::ReleaseNotCovered => Some(GapReason::ReleaseNotCovered),
            Coverage::EcosystemNotCovered => Some(GapReason::EcosystemNotCovered),
        })
    }

    fn coverage(&mut self, ecosystem: Ecosystem, release: &Text) -> Result<Coverage, StoreError> {
        let key = (ecosystem, release.clone());
        if let Some(known) = self.coverage.get(&key) {
            return Ok(*known);
        }
        let asked = self.store.coverage(&key.0, &key.1)?;
        self.coverage.insert(key, asked);
        Ok(asked)
    }

    /// How sure a statement of an ecosystem can be about a package with such an owner, and why.
    ///
    /// What a covered distribution owns is judged under the owner's name. Of one that is not covered nobody speaks: then
    /// the ecosystem's statement is all there is, and stays a finding.
    fn owned(&mut self, ownership: &Ownership) -> Result<Option<(Confidence, Text)>, StoreError> {
        let owner = match ownership {
            Ownership::Own => return Ok(None),
            Ownership::Unclear => {
                let note = "lies in a system beside packages of a distribution, one of which may contain it fixed";
                return Ok(Some((Confidence::UNCLEAR_OWNER, note.into())));
            }
            Ownership::Distribution(owner) => owner,
        };
        let name = match (&*owner.name, &*owner.version) {
            ("", _) => format!("a package of {}", owner.ecosystem),
            (name, version) => format!("{name} {version} of {}", owner.ecosystem),
        };
        let known = !owner.ecosystem.has_releases() || !owner.release.is_empty();
        let covered =
            known && self.coverage(owner.ecosystem.advised_by().clone(), &owner.release)? == Coverage::Covered;
        Ok(Some(if covered {
            (Confidence::FOREIGN, format!("is a part of {name}, whose own advisories decide").into())
        } else {
            let note =
                format!("is a part of {name}, which may have fixed it; no advisories of that release are at hand");
            (Confidence::UNCLEAR_OWNER, note.into())
        }))
    }

    /// The compiled statements about a name.
    pub(super) fn statements(
        &mut self,
        ecosystem: &Ecosystem,
        name: &str,
    ) -> Result<Arc<Vec<Arc<Compiled>>>, StoreError> {
        let key = (ecosystem.advised_by().clone(), ecosystem.normalise(name));
        if let Some(known) = self.statements.get(&key) {
            return Ok(Arc::clone(known));
        }
        let candidates = self.store.statements(&key.0, &key.1)?;
        let compiled: Vec<Arc<Compiled>> =
            candidates.into_iter().map(|candidate| Arc::new(Compiled::new(candidate))).collect();
        let compiled = Arc::new(compiled);
        if self.statements.len() >= KEPT {
            self.statements.clear();
        }
        self.statements.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }

    fn read(&mut self, package: &Package, gaps: &mut Vec<GapReason>) -> Result<Vec<Read>, StoreError> {
        let mut read = Vec::new();
        let mut unreadable = false;
        let pocket = Pocket::of(package);
        for subject in subjects(package) {
            let statements = self.statements(&package.ecosystem, &subject.name)?;
            let extended = Extended::of(package, &subject, &statements);
            let mut keys: [Option<(Dialect, Option<SortKey>)>; 2] = [None, None];
            for compiled in statements.iter() {
                if compiled.head.withdrawn.is_some() {
                    continue;
                }
                let found = match &extended {
                    Some(extended) => extended.read(package, &subject, compiled),
                    None => match examine(package, &subject, compiled, &mut keys) {
                        Ok(mut found) => {
                            found.weight = weight(compiled.pocket(), pocket);
                            Some(found)
                        }
                        Err(NoMatchReason::VersionUnreadable) => {
                            unreadable = true;
                            None
                        }
                        Err(NoMatchReason::OutsideRange)
                            if pocket != Pocket::Archive && compiled.pocket() == pocket =>
                        {
                            let note = "the installed version contains the fix of the pocket it comes from";
                            Some(fixed_elsewhere(&subject, compiled, note.into()))
                        }
                        Err(_) => None,
                    },
                };
                if let Some(found) = found
                    && !self.outdated(compiled)?
                {
                    read.push(found);
                }
            }
        }
        if unreadable {
            gaps.push(GapReason::VersionUnreadable);
        }
        Ok(read)
    }

    /// Whether a newer copy of the same record speaks in a statement's place.
    pub(super) fn outdated(&mut self, compiled: &Compiled) -> Result<bool, StoreError> {
        self.copies.outdated(self.store, compiled.advisory, &compiled.head, Some(&compiled.affected))
    }

    fn read_configurations(
        &mut self,
        package: &Package,
        products: &[Product],
        sight: Sight,
        read: &mut Vec<Read>,
        restricted: &mut Vec<Read>,
    ) -> Result<(), StoreError> {
        let listed = Listed::new(self.store);
        for name in &package.cpes {
            let (Some((vendor, product)), Ok(cpe)) = (vendor_and_product(name), Cpe::parse(name)) else { continue };
            let subject = Product::new(cpe, &package.version);
            let configured = self.configured(&vendor, &product)?;
            for (head, configurations) in configured.iter() {
                let mut hit: Option<Satisfied> = None;
                let mut limited: Option<Satisfied> = None;
                for (configuration, negation) in configurations {
                    let (slot, satisfied) = match configuration.applies(&subject, products, &listed) {
                        Applicability::Hit(satisfied) if sight == Sight::Alone && *negation == Negation::Some => {
                            (&mut limited, satisfied)
                        }
                        Applicability::Hit(satisfied) => (&mut hit, satisfied),
                        Applicability::Restricted(satisfied) => (&mut limited, satisfied),
                        Applicability::No => continue,
                    };
                    if slot.as_ref().is_none_or(|known| known.confidence < satisfied.confidence) {
                        *slot = Some(satisfied);
                    }
                }
                if let Some(hit) = hit.as_mut().filter(|hit| hit.confidence == Confidence::ROUGH) {
                    let editions: Vec<_> =
                        configurations.iter().flat_map(|(one, _)| one.editions(&subject, &listed)).collect();
                    hit.if_every_edition(&editions);
                }
                let make = |satisfied: Satisfied| Read {
                    head: Arc::clone(head),
                    state: VendorState::Affected,
                    confidence: satisfied.confidence,
                    notes: satisfied.notes.clone(),
                    source: ReadSource::Criterion(satisfied),
                    method: Method::Cpe,
                    name: name.clone(),
                    version: package.version.clone(),
                    weight: Weight::Own,
                };
                // A surer criterion that depends on the rest of the asset is kept beside the one that does not.
                let limited =
                    limited.filter(|limited| hit.as_ref().is_none_or(|hit| hit.confidence < limited.confidence));
                read.extend(hit.map(make));
                restricted.extend(limited.map(make));
            }
        }
        listed.finish()
    }

    /// What records say about vendor and product in words, where they name no CPE.
    fn read_words(&mut self, package: &Package, read: &mut Vec<Read>) -> Result<(), StoreError> {
        for words in words(package) {
            let statements = self.statements(&Ecosystem::Generic, &words)?;
            for compiled in statements.iter().filter(|compiled| compiled.head.withdrawn.is_none()) {
                read.extend(examine_words(package, &words, compiled));
            }
        }
        Ok(())
    }

    /// Live records with configurations for a product, compiled.
    fn configured(&mut self, vendor: &str, product: &str) -> Result<Arc<Vec<Configured>>, StoreError> {
        let key = (vendor.to_owned(), product.to_owned());
        if let Some(known) = self.products.get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut configured = Vec::new();
        for record in self.store.by_product(vendor, product)? {
            let advisory = self.store.advisory(record)?;
            if advisory.head.withdrawn.is_none() && !self.copies.outdated(self.store, record, &advisory.head, None)? {
                let compiled = advisory
                    .configurations
                    .iter()
                    .map(|one| (CompiledConfiguration::compile(one), Negation::of(one)))
                    .collect();
                configured.push((self.store.head(record)?, compiled));
            }
        }
        let configured = Arc::new(configured);
        if self.products.len() >= KEPT {
            self.products.clear();
        }
        self.products.insert(key, Arc::clone(&configured));
        Ok(configured)
    }

    /// One decision a group.
    fn decide(&mut self, read: Vec<Read>, restricted: bool) -> Result<Vec<Decided>, StoreError> {
        let mut by_group: BTreeMap<Text, (Arc<Group>, Vec<Read>)> = BTreeMap::new();
        for one in read {
            for group in self.groups.of_record(self.store, &one.head)? {
                if matches!(&one.source, ReadSource::Statement(compiled) if !compiled.is_about(&group.ids)) {
                    continue;
                }
                let entry = by_group.entry(group.primary().clone()).or_insert_with(|| (group, Vec::new()));
                entry.1.push(one.clone());
            }
        }
        Ok(by_group.into_values().filter_map(|(group, read)| decide(group, read, restricted)).collect())
    }

    /// The whole match, with ids, fixes, score and evidence.
    pub(super) fn expand(&mut self, package: u32, decided: &Decided, weights: &Weights) -> Result<Match, StoreError> {
        let mut ids = decided.group.ids.clone();
        for read in &decided.read {
            if !ids.contains(&read.head.id) {
                ids.push(read.head.id.clone());
            }
        }
        ids.sort_by(|a, b| id_order(a, b));
        let (signals, rating) = self.facts(&decided.group)?;
        let own = rating_of(decided.read.iter().map(|read| &*read.head).filter(|head| head.addresses.len() <= 1));
        let score = Score::of(&signals, Rating::preferred(rating, own), weights);
        Ok(Match {
            package,
            ids,
            state: decided.state,
            kind: decided.kind,
            method: decided.method,
            confidence: decided.confidence,
            fixed: fixed(&decided.read),
            score,
            evidence: decided.read.iter().map(Read::evidence).collect(),
        })
    }

    /// Signals and CVSS of a group, over all of its names and records.
    pub(super) fn facts(&mut self, group: &Group) -> Result<(Signals, Option<Rating>), StoreError> {
        if let Some(known) = self.facts.get(group.primary()) {
            return Ok(known.clone());
        }
        let mut merged = Signals::default();
        for id in &group.ids {
            merge(&mut merged, self.store.signals(id)?);
        }
        let heads = group.records.iter().map(|record| self.store.head(*record)).collect::<Result<Vec<_>, _>>()?;
        let facts = (merged, rating_of(heads.iter().map(|head| &**head)));
        self.facts.insert(group.primary().clone(), facts.clone());
        Ok(facts)
    }
}

/// Joins what is known under two names of one vulnerability.
pub(super) fn merge(into: &mut Signals, other: Signals) {
    for entry in other.kev {
        if !into.kev.contains(&entry) {
            into.kev.push(entry);
        }
    }
    into.exploits.extend(other.exploits);
    into.exploits.sort_unstable();
    into.exploits.dedup();
    into.epss = match (into.epss, other.epss) {
        (Some(a), Some(b)) => Some(if b.score > a.score { b } else { a }),
        (a, b) => a.or(b),
    };
    into.ssvc = into.ssvc.take().or(other.ssvc);
}

/// Whether a denial counts among what is read about one vulnerability. It does for the pocket it is about. The word
/// about the archive holds in pockets that say nothing else; that of extended maintenance holds in the archive where
/// the archive is not looked at any more. A rough one does not outweigh a sure finding.
fn counts(denial: &Read, read: &[Read]) -> bool {
    let asserts =
        |weight: Weight| read.iter().any(|other| other.weight == weight && other.state != VendorState::NotAffected);
    let in_force = match denial.weight {
        Weight::Own => true,
        Weight::Fixed | Weight::Archive => !asserts(Weight::Own),
        Weight::Extended => read.iter().any(|other| {
            other.weight == Weight::Own && matches!(other.state, VendorState::EndOfLife | VendorState::WillNotFix)
        }),
        Weight::Elsewhere => false,
    };
    in_force
        && (denial.confidence >= Confidence::FINDING
            || !read
                .iter()
                .any(|other| other.state != VendorState::NotAffected && other.confidence >= Confidence::FINDING))
}

/// Joins the statements about one vulnerability of one package.
fn decide(group: Arc<Group>, mut read: Vec<Read>, restricted: bool) -> Option<Decided> {
    let idle: Vec<usize> = (0..read.len())
        .filter(|at| read[*at].state == VendorState::NotAffected && !counts(&read[*at], &read))
        .collect();
    for at in idle {
        read[at].weight = Weight::Elsewhere;
        read[at].notes.push("this does not decide for the installed package".into());
    }
    let denies = |one: &Read| one.state == VendorState::NotAffected && one.weight != Weight::Elsewhere;
    let denied = read.iter().any(denies);
    let asserted = read.iter().any(|one| one.state != VendorState::NotAffected);
    // That something is not affected is news only where a record says that it is.
    if !asserted {
        return None;
    }
    // A denial in force, then a known fix, then the rest; in each the pocket the package comes from goes first.
    let rank = |one: &Read| {
        let part = match one.state {
            // Words decide nothing that anything else says.
            _ if one.method == Method::Words => 4,
            VendorState::NotAffected if one.weight != Weight::Elsewhere => 0,
            VendorState::NotAffected => 3,
            VendorState::Affected if !fixed_of(one).is_empty() => 1,
            _ => 2,
        };
        let state = match one.state {
            VendorState::WillNotFix => 0,
            VendorState::EndOfLife => 1,
            VendorState::NoFixYet => 2,
            VendorState::Affected | VendorState::NotAffected => 3,
            VendorState::UnderInvestigation => 4,
        };
        (part, one.weight != Weight::Own, state)
    };
    read.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then_with(|| b.confidence.cmp(&a.confidence))
            .then_with(|| a.head.kind.cmp(&b.head.kind))
            .then_with(|| id_order(&a.head.id, &b.head.id))
            .then_with(|| a.head.source.cmp(&b.head.source))
    });
    let agrees = |one: &&Read| if denied { denies(one) } else { one.state != VendorState::NotAffected };
    let confidence = read.iter().filter(agrees).map(|one| one.confidence).max()?;
    let deciding = &read[0];
    let (state, method, kind) = (MatchState::from(deciding.state), deciding.method, deciding.head.kind);
    // Of several that agree the surest gives the confidence; a vulnerability outweighs a notice.
    let kind = read.iter().map(|one| one.head.kind).min().unwrap_or(kind);
    Some(Decided { group, state, kind, method, confidence, read, restricted })
}
