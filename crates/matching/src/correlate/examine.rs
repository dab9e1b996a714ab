//! Whether one statement of a record speaks of one package: names, versions, and the conditions beside them.

use std::sync::Arc;

use super::subjects::{Subject, foreign, subjects};
use crate::cpe::{Satisfied, vendor_and_product};
use crate::model::{
    AdvisoryEvidence, AdvisoryHead, Affected, Authority, Condition, Confidence, Ecosystem, Event, Method, NameKind,
    NoMatchReason, Package, Range, Text, VendorState,
};
use crate::range::{Membership, Statement, describe};
use crate::store::{AdvisoryRef, Candidate};
use crate::{Dialect, SortKey};

/// A statement that was read and applies.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) head: Arc<AdvisoryHead>,
    pub(super) source: ReadSource,
    pub(super) state: VendorState,
    pub(super) confidence: Confidence,
    pub(super) method: Method,
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) notes: Vec<Text>,
    pub(super) weight: Weight,
}

/// What a statement counts for beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
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
pub(super) enum ReadSource {
    Statement(Arc<Compiled>),
    Criterion(Satisfied),
}

/// A statement with its versions compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) advisory: AdvisoryRef,
    pub(super) head: Arc<AdvisoryHead>,
    pub(super) affected: Affected,
    pub(super) statement: Statement,
    /// Whether its fixes are packages outside every module stream, of a distribution that has streams.
    pub(super) outside_modules: bool,
}

impl Compiled {
    pub(super) fn new(candidate: Candidate) -> Self {
        let Candidate { advisory, head, affected } = candidate;
        let statement = Statement::compile(&affected);
        let outside_modules = has_modules(&affected.package.ecosystem) && is_plain(&affected);
        Self { advisory, head, affected, statement, outside_modules }
    }

    /// The vulnerabilities of the record it is about; none if about all of them.
    pub(super) fn about(&self) -> Option<&[Text]> {
        self.affected.conditions.iter().find_map(|condition| match condition {
            Condition::About(ids) => Some(&ids[..]),
            _ => None,
        })
    }

    /// Whether it is about one of these names of a vulnerability.
    pub(super) fn is_about(&self, ids: &[Text]) -> bool {
        self.about().is_none_or(|about| about.iter().any(|id| ids.contains(id)))
    }

    pub(super) fn pocket(&self) -> Pocket {
        let named = self.affected.conditions.iter().find_map(|condition| match condition {
            Condition::Pocket(pocket) => Some(Pocket::named(pocket)),
            _ => None,
        });
        named.unwrap_or(Pocket::Archive)
    }
}

/// Whether the distribution builds streams of modules beside its ordinary packages.
pub(super) const fn has_modules(ecosystem: &Ecosystem) -> bool {
    matches!(ecosystem, Ecosystem::RedHat | Ecosystem::AlmaLinux | Ecosystem::RockyLinux | Ecosystem::OracleLinux)
}

/// Whether a statement names fixes, and none of them is of a module stream.
pub(super) fn is_plain(affected: &Affected) -> bool {
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

pub(super) fn is_modular(package: &Package) -> bool {
    !package.module.is_empty() || package.version.contains(MODULE_MARK)
}

/// Where a package of Ubuntu comes from, and what a statement is about. Other distributions have the archive only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pocket {
    Archive,
    /// Extended maintenance (`esm-infra`, `pro`).
    Extended,
    /// Certified builds, which are versions of their own.
    Fips,
    /// Any other.
    Other,
}

impl Pocket {
    pub(super) fn named(text: &str) -> Self {
        if text.contains("fips") {
            Self::Fips
        } else if text.contains("esm") || text == "pro" {
            Self::Extended
        } else {
            Self::Other
        }
    }

    /// By the marks that Ubuntu puts into versions.
    pub(super) fn of(package: &Package) -> Self {
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

/// Compares one statement with one name of a package.
pub(super) fn examine(
    package: &Package,
    subject: &Subject,
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
    let with_epoch = epoch_of(affected).filter(|_| package.is_epoch_unknown() && !subject.version.contains(':'));
    if let Some(epoch) = with_epoch {
        // Without its epoch the version would be older than every one that has one.
        let version: Text = format!("{epoch}:{}", subject.version).into();
        let subject = Subject { version, name: subject.name.clone(), kind: subject.kind };
        let known = Package { version: subject.version.clone(), ..package.clone() };
        let mut read = examine(&known, &subject, compiled, &mut [None, None])?;
        read.confidence = read.confidence.min(Confidence::ROUGH);
        read.notes.push("the inventory states no epoch; that of the statement was taken for it".into());
        return Ok(read);
    }
    let slot = usize::from(keys[0].as_ref().is_some_and(|(known, _)| *known != dialect));
    let (_, key) = match &mut keys[slot] {
        Some(known) if known.0 == dialect => &*known,
        other => &*other.insert((dialect, dialect.key(&subject.version).ok())),
    };
    match compiled.statement.membership(&subject.version, key.as_ref()) {
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

/// `vendor:product` of the CPE names of a package, as [`Ecosystem::Generic`] writes them.
pub(super) fn words(package: &Package) -> Vec<Text> {
    let mut words: Vec<Text> = package
        .cpes
        .iter()
        .filter_map(|name| vendor_and_product(name))
        .map(|(vendor, product)| format!("{vendor}:{product}").into())
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Compares a statement about vendor and product in words with a package whose CPE name uses the same. The words are not
/// a name that anybody guards, so that it is a lead at most, and what cannot be compared is nothing.
pub(super) fn examine_words(package: &Package, words: &Text, compiled: &Arc<Compiled>) -> Option<Read> {
    let subject = Subject { name: words.clone(), version: package.version.clone(), kind: NameKind::Binary };
    let mut read = examine(package, &subject, compiled, &mut [None, None]).ok()?;
    read.method = Method::Words;
    read.confidence =
        read.confidence.min(if package.version.is_empty() { Confidence::NAME_ONLY } else { Confidence::ROUGH });
    read.notes.push("the record names vendor and product in words and no CPE".into());
    Some(read)
}

/// Whether `release` is the operating system that a package's subscription (`rhel_eus:8.8`) is of. Its fixes are other
/// builds, so that what is said about it is a lead there.
fn is_base_of(release: &str, package: &Package) -> bool {
    let Some((product, number)) = package.release.split_once(':') else { return false };
    product.starts_with("rhel_") && number.split('.').next() == Some(release)
}

/// What a statement about one pocket counts for a package of another.
pub(super) fn weight(statement: Pocket, package: Pocket) -> Weight {
    match (statement, package) {
        (statement, package) if statement == package => Weight::Own,
        (Pocket::Archive, _) => Weight::Archive,
        (Pocket::Extended, Pocket::Archive) => Weight::Extended,
        _ => Weight::Elsewhere,
    }
}

/// What is about the package's own pocket or build says that the installed version contains the fix.
pub(super) fn fixed_elsewhere(subject: &Subject, compiled: &Arc<Compiled>, note: Text) -> Read {
    Read {
        head: Arc::clone(&compiled.head),
        source: ReadSource::Statement(Arc::clone(compiled)),
        state: VendorState::NotAffected,
        confidence: Confidence::EXACT,
        method: Method::Vendor,
        name: subject.name.clone(),
        version: subject.version.clone(),
        notes: vec![note],
        weight: Weight::Fixed,
    }
}

/// The epoch of an RPM statement's bounds, where they have one.
fn epoch_of(affected: &Affected) -> Option<&str> {
    if affected.package.ecosystem.purl_type() != "rpm" {
        return None;
    }
    affected.ranges.iter().find_map(|range| match range {
        Range::Events { events, .. } => events.iter().find_map(|event| match event {
            Event::Fixed(version) | Event::LastAffected(version) => {
                version.split_once(':').map(|(epoch, _)| epoch).filter(|epoch| *epoch != "0")
            }
            _ => None,
        }),
        _ => None,
    })
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

/// Fixed versions that one statement names.
pub(super) fn fixed_of(read: &Read) -> Vec<&Text> {
    match &read.source {
        ReadSource::Statement(compiled) => fixed_versions(&compiled.affected, &compiled.statement, &read.version),
        ReadSource::Criterion(satisfied) => satisfied.fixed.iter().collect(),
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
pub(super) fn fixed(read: &[Read]) -> Vec<Text> {
    let mut all: Vec<(Option<SortKey>, Text)> = Vec::new();
    for one in read.iter().filter(|one| one.state != VendorState::NotAffected) {
        let dialect = match &one.source {
            ReadSource::Statement(compiled) => compiled.statement.dialect(),
            ReadSource::Criterion(_) => Dialect::Generic,
        };
        all.extend(fixed_of(one).into_iter().map(|version| (dialect.key(version).ok(), version.clone())));
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
            ReadSource::Criterion(satisfied) => (satisfied.criterion.as_str().into(), Some(Dialect::Generic)),
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
        if compiled.affected.package.name.as_str() != package.ecosystem.normalise(&subject.name) {
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
    for words in words(package).iter().filter(|words| **words == compiled.affected.package.name) {
        let subject = Subject { name: words.clone(), version: package.version.clone(), kind: NameKind::Binary };
        match examine(package, &subject, compiled, &mut [None, None]) {
            Ok(_) => return None,
            // The general order is not known to be theirs, but both sides can be read in it.
            Err(NoMatchReason::VersionUnreadable)
                if compiled.statement.unreadable().is_empty()
                    && compiled.statement.dialect().key(&package.version).is_ok() =>
            {
                reason = NoMatchReason::OutsideRange;
            }
            Err(other) => reason = other,
        }
        compared = (words.clone(), package.version.clone());
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
