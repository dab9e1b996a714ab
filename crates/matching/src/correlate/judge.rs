//! The judge: what holds for one package.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::groups::{Group, Groups};
use super::id_order;
use crate::cpe::{Applicability, CompiledConfiguration, Cpe, Product, Satisfied, vendor_and_product};
use crate::model::{
    AdvisoryEvidence, AdvisoryHead, AdvisoryKind, Affected, Authority, Condition, Confidence, Ecosystem, Event,
    GapReason, Match, MatchState, Method, NameKind, NoMatchReason, Origin, Ownership, Package, Range, Signals, Text,
    VendorState,
};
use crate::range::{Membership, Statement, describe};
use crate::score::{Score, Weights, cvss_of};
use crate::store::{AdvisoryRef, AdvisoryStore, Candidate, Coverage, StoreError};
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

/// A statement that was read and applies.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) head: Arc<AdvisoryHead>,
    source: ReadSource,
    pub(super) state: VendorState,
    confidence: Confidence,
    method: Method,
    name: Text,
    version: Text,
    notes: Vec<Text>,
    weight: Weight,
}

/// What a statement counts for beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It is about the pocket the package comes from, or there are no pockets.
    Own,
    /// The fix of the package's own pocket is installed, whatever other pockets say.
    Fixed,
    /// It is about the archive, and the package is from a pocket.
    Archive,
    /// It is about extended maintenance, and the package is from the archive.
    Extended,
    /// It is about another pocket.
    Elsewhere,
}

#[derive(Debug, Clone)]
enum ReadSource {
    Statement(Arc<Compiled>),
    Criterion(String),
}

/// A statement with its versions compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) advisory: AdvisoryRef,
    pub(super) head: Arc<AdvisoryHead>,
    pub(super) affected: Affected,
    pub(super) statement: Statement,
    /// Whether its fixes are packages outside every module stream, of a distribution that has streams.
    outside_modules: bool,
}

impl Compiled {
    fn new(candidate: Candidate) -> Self {
        let Candidate { advisory, head, affected } = candidate;
        let statement = Statement::compile(&affected);
        let outside_modules = has_modules(&affected.package.ecosystem) && is_plain(&affected);
        Self { advisory, head, affected, statement, outside_modules }
    }

    /// The vulnerabilities of the record it is about; none if about all of them.
    fn about(&self) -> Option<&[Text]> {
        self.affected.conditions.iter().find_map(|condition| match condition {
            Condition::About(ids) => Some(&ids[..]),
            _ => None,
        })
    }

    /// Whether it is about one of these names of a vulnerability.
    pub(super) fn is_about(&self, ids: &[Text]) -> bool {
        self.about().is_none_or(|about| about.iter().any(|id| ids.contains(id)))
    }

    fn pocket(&self) -> Pocket {
        let named = self.affected.conditions.iter().find_map(|condition| match condition {
            Condition::Pocket(pocket) => Some(Pocket::named(pocket)),
            _ => None,
        });
        named.unwrap_or(Pocket::Archive)
    }
}

/// Whether the distribution builds streams of modules beside its ordinary packages.
const fn has_modules(ecosystem: &Ecosystem) -> bool {
    matches!(ecosystem, Ecosystem::RedHat | Ecosystem::AlmaLinux | Ecosystem::RockyLinux | Ecosystem::OracleLinux)
}

/// Whether a statement names fixes, and none of them is of a module stream.
fn is_plain(affected: &Affected) -> bool {
    let mut fixes = affected.ranges.iter().filter_map(|range| match range {
        Range::Events { events, .. } => Some(events),
        _ => None,
    });
    let mut named = false;
    let plain = fixes.all(|events| {
        events.iter().all(|event| match event {
            Event::Fixed(version) => {
                named = true;
                !version.contains(MODULE_MARK)
            }
            _ => true,
        })
    });
    named && plain && !affected.conditions.iter().any(|condition| matches!(condition, Condition::Module(_)))
}

/// What the release of a package of a module stream holds (`12.22-9.module_el8.10.0+4094+3bb7cf19`).
const MODULE_MARK: &str = ".module";

fn is_modular(package: &Package) -> bool {
    !package.module.is_empty() || package.version.contains(MODULE_MARK)
}

/// Where a package of Ubuntu comes from, and what a statement is about. Other distributions have the archive only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pocket {
    Archive,
    /// Extended maintenance (`esm-infra`, `pro`).
    Extended,
    /// Certified builds, which are versions of their own.
    Fips,
    /// Any other.
    Other,
}

impl Pocket {
    fn named(text: &str) -> Self {
        if text.contains("fips") {
            Self::Fips
        } else if text.contains("esm") || text == "pro" {
            Self::Extended
        } else {
            Self::Other
        }
    }

    /// By the marks that Ubuntu puts into versions.
    fn of(package: &Package) -> Self {
        if package.ecosystem != Ecosystem::Ubuntu {
            return Self::Archive;
        }
        let marked = |mark: &str| {
            package.version.contains(mark)
                || package
                    .source
                    .as_ref()
                    .is_some_and(|source| source.version.contains(mark) || mark == "fips" && source.name.contains(mark))
        };
        if marked("fips") {
            Self::Fips
        } else if marked("esm") {
            Self::Extended
        } else {
            Self::Archive
        }
    }
}

type Configured = (Arc<AdvisoryHead>, Vec<CompiledConfiguration>);

/// Judges packages; keeps what it compiled for the next one.
pub(super) struct Judge<'s, S: ?Sized> {
    store: &'s S,
    pub(super) groups: Groups,
    statements: HashMap<(Ecosystem, String), Arc<Vec<Arc<Compiled>>>>,
    products: HashMap<(String, String), Arc<Vec<Configured>>>,
    coverage: HashMap<(Ecosystem, Text), Coverage>,
    facts: HashMap<Text, (Signals, Option<f32>)>,
}

/// A name and version of the package under which statements may speak of it.
struct Subject<'p> {
    name: &'p Text,
    version: &'p Text,
    kind: NameKind,
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
        }
    }

    /// What holds for a package on an asset that carries `products`.
    pub(super) fn judge(&mut self, package: &Package, products: &[Product]) -> Result<Verdict, StoreError> {
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
            if package.origin != Origin::Registry && gap.is_none() && package.origin != Origin::Local {
                verdict.gaps.push(GapReason::ForeignOrigin);
            }
        }
        let mut restricted = Vec::new();
        if by_cpe {
            if authority == Authority::Cpe {
                let gap = if package.cpes.is_empty() {
                    Some(GapReason::EcosystemNotCovered)
                } else {
                    self.uncovered(Ecosystem::Generic, &Text::default())?
                };
                verdict.gaps.extend(gap);
            }
            self.read_configurations(package, products, &mut read, &mut restricted)?;
        }
        verdict.decided = self.decide(read, false)?;
        let sure: Vec<Text> = verdict.decided.iter().map(|decided| decided.group.primary().clone()).collect();
        let maybe = self.decide(restricted, true)?;
        verdict.decided.extend(maybe.into_iter().filter(|decided| !sure.contains(decided.group.primary())));
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
            let statements = self.statements(&package.ecosystem, subject.name)?;
            let mut keys: [Option<(Dialect, Option<SortKey>)>; 2] = [None, None];
            for compiled in statements.iter() {
                if compiled.head.withdrawn.is_some() {
                    continue;
                }
                match examine(package, &subject, compiled, &mut keys) {
                    Ok(mut found) => {
                        found.weight = weight(compiled.pocket(), pocket);
                        read.push(found);
                    }
                    Err(NoMatchReason::VersionUnreadable) => unreadable = true,
                    Err(NoMatchReason::OutsideRange) if pocket != Pocket::Archive && compiled.pocket() == pocket => {
                        read.push(fixed_in_pocket(&subject, compiled));
                    }
                    Err(_) => {}
                }
            }
        }
        if unreadable {
            gaps.push(GapReason::VersionUnreadable);
        }
        Ok(read)
    }

    fn read_configurations(
        &mut self,
        package: &Package,
        products: &[Product],
        read: &mut Vec<Read>,
        restricted: &mut Vec<Read>,
    ) -> Result<(), StoreError> {
        for name in &package.cpes {
            let (Some((vendor, product)), Ok(cpe)) = (vendor_and_product(name), Cpe::parse(name)) else { continue };
            let subject = Product::new(cpe, &package.version);
            let configured = self.configured(&vendor, &product)?;
            for (head, configurations) in configured.iter() {
                let mut hit: Option<Satisfied> = None;
                let mut limited: Option<Satisfied> = None;
                for configuration in configurations {
                    let (slot, satisfied) = match configuration.applies(&subject, products) {
                        Applicability::Hit(satisfied) => (&mut hit, satisfied),
                        Applicability::Restricted(satisfied) => (&mut limited, satisfied),
                        Applicability::No => continue,
                    };
                    if slot.as_ref().is_none_or(|known| known.confidence < satisfied.confidence) {
                        *slot = Some(satisfied);
                    }
                }
                let make = |satisfied: Satisfied| Read {
                    head: Arc::clone(head),
                    source: ReadSource::Criterion(satisfied.criterion),
                    state: VendorState::Affected,
                    confidence: satisfied.confidence,
                    method: Method::Cpe,
                    name: name.clone(),
                    version: package.version.clone(),
                    notes: Vec::new(),
                    weight: Weight::Own,
                };
                match (hit, limited) {
                    (Some(hit), _) => read.push(make(hit)),
                    (None, Some(limited)) => restricted.push(make(limited)),
                    (None, None) => {}
                }
            }
        }
        Ok(())
    }

    /// Live records with configurations for a product, compiled.
    pub(super) fn configured(&mut self, vendor: &str, product: &str) -> Result<Arc<Vec<Configured>>, StoreError> {
        let key = (vendor.to_owned(), product.to_owned());
        if let Some(known) = self.products.get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut configured = Vec::new();
        for record in self.store.by_product(vendor, product)? {
            let advisory = self.store.advisory(record)?;
            if advisory.head.withdrawn.is_none() {
                let compiled = advisory.configurations.iter().map(CompiledConfiguration::compile).collect();
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
        let (signals, cvss) = self.facts(&decided.group)?;
        let own = cvss_of(decided.read.iter().map(|read| &*read.head).filter(|head| head.addresses.len() <= 1));
        let score = Score::of(&signals, cvss.or(own), weights);
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
    pub(super) fn facts(&mut self, group: &Group) -> Result<(Signals, Option<f32>), StoreError> {
        if let Some(known) = self.facts.get(group.primary()) {
            return Ok(known.clone());
        }
        let mut merged = Signals::default();
        for id in &group.ids {
            merge(&mut merged, self.store.signals(id)?);
        }
        let heads = group.records.iter().map(|record| self.store.head(*record)).collect::<Result<Vec<_>, _>>()?;
        let facts = (merged, cvss_of(heads.iter().map(|head| &**head)));
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

/// The names under which statements may speak of a package.
fn subjects(package: &Package) -> Vec<Subject<'_>> {
    let own = |kind| Subject { name: &package.name, version: &package.version, kind };
    match &package.source {
        Some(source) => {
            vec![
                own(NameKind::Binary),
                Subject { name: &source.name, version: &source.version, kind: NameKind::Source },
            ]
        }
        None => vec![own(NameKind::Binary), own(NameKind::Source)],
    }
}

/// Compares one statement with one name of a package.
fn examine(
    package: &Package,
    subject: &Subject<'_>,
    compiled: &Arc<Compiled>,
    keys: &mut [Option<(Dialect, Option<SortKey>)>; 2],
) -> Result<Read, NoMatchReason> {
    let affected = &compiled.affected;
    if affected.name_kind != subject.kind {
        return Err(NoMatchReason::OtherPackage);
    }
    let mut notes = Vec::new();
    let mut confidence = Confidence::EXACT;
    if !affected.package.release.is_empty() && affected.package.release != package.release {
        if !is_base_of(&affected.package.release, package) {
            return Err(NoMatchReason::OtherRelease);
        }
        notes.push("the statement is about the release without extended support".into());
        confidence = Confidence::ROUGH;
    }
    if compiled.outside_modules && is_modular(package) {
        return Err(NoMatchReason::ConditionFails);
    }
    for condition in &affected.conditions {
        match holds(package, condition) {
            Held::Yes => {}
            Held::No => return Err(NoMatchReason::ConditionFails),
            Held::Noted(note) => notes.push(note.into()),
            Held::Unknown(note) => {
                notes.push(note.into());
                confidence = confidence.min(Confidence::ROUGH);
            }
        }
    }
    let dialect = compiled.statement.dialect();
    let slot = usize::from(keys[0].as_ref().is_some_and(|(known, _)| *known != dialect));
    let (_, key) = match &mut keys[slot] {
        Some(known) if known.0 == dialect => &*known,
        other => &*other.insert((dialect, dialect.key(subject.version).ok())),
    };
    match compiled.statement.membership(subject.version, key.as_ref()) {
        Membership::Inside => {}
        Membership::Roughly => {
            confidence = confidence.min(Confidence::ROUGH);
            notes.push("the version was compared roughly".into());
        }
        Membership::Outside => return Err(NoMatchReason::OutsideRange),
        Membership::Unknown => return Err(NoMatchReason::VersionUnreadable),
    }
    if let Some(note) = foreign(package, subject) {
        notes.push(note.into());
        confidence = confidence.min(Confidence::FOREIGN);
    }
    let method = match package.ecosystem.authority() {
        Authority::Vendor => Method::Vendor,
        _ => Method::Ecosystem,
    };
    Ok(Read {
        head: Arc::clone(&compiled.head),
        source: ReadSource::Statement(Arc::clone(compiled)),
        state: affected.state,
        confidence,
        method,
        name: subject.name.clone(),
        version: subject.version.clone(),
        notes,
        weight: Weight::Own,
    })
}

/// Whether `release` is the operating system that a package's subscription (`rhel_eus:8.8`) is of. Its fixes are other
/// builds, so that what is said about it is a lead there.
fn is_base_of(release: &str, package: &Package) -> bool {
    let Some((product, number)) = package.release.split_once(':') else { return false };
    product.starts_with("rhel_") && number.split('.').next() == Some(release)
}

/// What a statement about one pocket counts for a package of another.
fn weight(statement: Pocket, package: Pocket) -> Weight {
    match (statement, package) {
        (statement, package) if statement == package => Weight::Own,
        (Pocket::Archive, _) => Weight::Archive,
        (Pocket::Extended, Pocket::Archive) => Weight::Extended,
        _ => Weight::Elsewhere,
    }
}

/// The package's own pocket says that the installed version contains the fix.
fn fixed_in_pocket(subject: &Subject<'_>, compiled: &Arc<Compiled>) -> Read {
    Read {
        head: Arc::clone(&compiled.head),
        source: ReadSource::Statement(Arc::clone(compiled)),
        state: VendorState::NotAffected,
        confidence: Confidence::EXACT,
        method: Method::Vendor,
        name: subject.name.clone(),
        version: subject.version.clone(),
        notes: vec!["the installed version contains the fix of the pocket it comes from".into()],
        weight: Weight::Fixed,
    }
}

/// Why a statement made about the package's name may not be about this package.
fn foreign(package: &Package, subject: &Subject<'_>) -> Option<&'static str> {
    match package.origin {
        Origin::ThirdParty => return Some("the package comes from another repository than the distribution's"),
        Origin::Vcs => return Some("the package comes from a version control system, not from the registry"),
        Origin::Local => return Some("the package is a local path, not the one of the registry"),
        Origin::Registry => {}
    }
    let kernel_source = subject.kind == NameKind::Source
        && (&**subject.name == "linux" || subject.name.starts_with("linux-") || &**subject.name == "kernel");
    let runs = ["linux-image", "linux-modules", "linux-signed", "kernel", "kernel-core", "kernel-modules"];
    let is_companion = package.source.is_some()
        && kernel_source
        && (!runs.iter().any(|prefix| package.name.starts_with(prefix))
            || package.name.contains("headers")
            || package.name.contains("-doc")
            || package.name.contains("tools"));
    is_companion.then_some("the package accompanies a kernel and contains no code that runs in it")
}

enum Held {
    Yes,
    No,
    Noted(String),
    Unknown(String),
}

fn holds(package: &Package, condition: &Condition) -> Held {
    let list = |texts: &[Text]| texts.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
    match condition {
        Condition::Arch(all) if package.arch.is_empty() || matches!(&*package.arch, "all" | "noarch" | "any") => {
            Held::Noted(format!("only on {}; the inventory states no architecture", list(all)))
        }
        Condition::Arch(all) => {
            if all.iter().any(|arch| *arch == package.arch || matches!(&**arch, "all" | "noarch" | "any")) {
                Held::Yes
            } else {
                Held::No
            }
        }
        Condition::Module(streams) => in_stream(package, streams),
        Condition::Pocket(pocket) => match (Pocket::named(pocket), Pocket::of(package)) {
            (Pocket::Fips, Pocket::Archive | Pocket::Extended | Pocket::Other) => Held::No,
            _ => Held::Noted(format!("the statement is about {pocket}")),
        },
        Condition::About(_) => Held::Yes,
        Condition::Functions(names) => Held::Noted(format!("only {} affected", list(names))),
        Condition::Os(names) => Held::Noted(format!("only on {}", list(names))),
        Condition::Unevaluated(text) => Held::Unknown(format!("not evaluated: {text}")),
    }
}

fn in_stream(package: &Package, streams: &str) -> Held {
    match (is_modular(package), streams) {
        (modular, "") => {
            if modular {
                Held::No
            } else {
                Held::Yes
            }
        }
        (false, _) => Held::No,
        (true, Condition::UNKNOWN_STREAM) => {
            Held::Unknown("only in a module stream that the source does not name".to_owned())
        }
        (true, _) if package.module.is_empty() => {
            Held::Unknown(format!("only in module stream {streams}; the inventory does not name the stream"))
        }
        (true, _) => {
            // A stream may carry version, context and architecture behind it.
            let same = |stream: &str| {
                package.module.strip_prefix(stream).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            };
            if streams.split(' ').any(same) { Held::Yes } else { Held::No }
        }
    }
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
    let rank = |one: &Read| {
        let fixed = !fixed_of(one).is_empty();
        match one.state {
            VendorState::NotAffected if one.weight != Weight::Elsewhere => 0,
            VendorState::NotAffected => 9,
            VendorState::Affected if fixed => 1,
            VendorState::WillNotFix => 2,
            VendorState::EndOfLife => 3,
            VendorState::NoFixYet => 4,
            VendorState::Affected => 5,
            VendorState::UnderInvestigation => 6,
        }
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

/// Fixed versions that one statement names.
fn fixed_of(read: &Read) -> Vec<&Text> {
    match &read.source {
        ReadSource::Statement(compiled) => fixed_versions(&compiled.affected, &compiled.statement, &read.version),
        ReadSource::Criterion(_) => Vec::new(),
    }
}

/// Fixed versions newer than the installed one.
fn fixed_versions<'a>(affected: &'a Affected, statement: &Statement, version: &str) -> Vec<&'a Text> {
    let dialect = statement.dialect();
    let installed = dialect.key(version).ok();
    let stated = affected.ranges.iter().filter_map(|range| match range {
        Range::Events { events, .. } => Some(events.iter().filter_map(|event| match event {
            Event::Fixed(version) => Some(version),
            _ => None,
        })),
        _ => None,
    });
    stated
        .flatten()
        .chain(&affected.fixed)
        .filter(|fixed| match (&installed, dialect.key(fixed)) {
            (Some(installed), Ok(fixed)) => fixed > *installed,
            _ => true,
        })
        .collect()
}

/// Fixed versions of all statements, ascending.
fn fixed(read: &[Read]) -> Vec<Text> {
    let mut all: Vec<(Option<SortKey>, Text)> = Vec::new();
    for one in read.iter().filter(|one| one.state != VendorState::NotAffected) {
        if let ReadSource::Statement(compiled) = &one.source {
            let dialect = compiled.statement.dialect();
            all.extend(fixed_of(one).into_iter().map(|version| (dialect.key(version).ok(), version.clone())));
        }
    }
    all.sort();
    all.dedup();
    all.into_iter().map(|(_, version)| version).collect()
}

impl Read {
    pub(super) fn evidence(&self) -> AdvisoryEvidence {
        let (range, dialect) = match &self.source {
            ReadSource::Statement(compiled) => {
                (describe(&compiled.affected).into(), Some(compiled.statement.dialect()))
            }
            ReadSource::Criterion(criterion) => (Text::from(criterion), Some(Dialect::Generic)),
        };
        AdvisoryEvidence {
            advisory: self.head.id.clone(),
            source: self.head.source.clone(),
            revision: self.head.revision.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            range,
            dialect,
            state: self.state,
            notes: self.notes.clone(),
        }
    }
}

/// Why a statement does not apply to a package, with what was compared; `None` if it applies.
pub(super) fn why_not(package: &Package, compiled: &Arc<Compiled>) -> Option<(NoMatchReason, AdvisoryEvidence)> {
    let mut reason = NoMatchReason::OtherPackage;
    let mut compared = (package.name.clone(), package.version.clone());
    for subject in subjects(package) {
        if compiled.affected.package.name.as_str() != package.ecosystem.normalise(subject.name) {
            continue;
        }
        match examine(package, &subject, compiled, &mut [None, None]) {
            Ok(_) => return None,
            Err(NoMatchReason::OtherPackage) => {}
            Err(other) => {
                reason = other;
                compared = (subject.name.clone(), subject.version.clone());
            }
        }
    }
    let evidence = AdvisoryEvidence {
        advisory: compiled.head.id.clone(),
        source: compiled.head.source.clone(),
        revision: compiled.head.revision.clone(),
        name: compared.0,
        version: compared.1,
        range: describe(&compiled.affected).into(),
        dialect: Some(compiled.statement.dialect()),
        state: compiled.affected.state,
        notes: compiled.statement.unreadable().iter().map(|text| format!("`{text}` cannot be read").into()).collect(),
    };
    Some((reason, evidence))
}
