//! What an earlier result has that this one has not, and why.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result, bail};
use bartizan_inventory::Inventory;
use bartizan_matching::correlate::{Options, explain};
use bartizan_matching::model::{NoMatch, NoMatchReason, Package};
use bartizan_matching::store::AdvisoryStore;
use bartizan_reports::audit::{AUDIT_SCHEMA, AuditDocument, AuditMatch, Baseline, Decision, Gone, GoneReason};

use super::document::ecosystem;
use super::gaps::Gaps;

/// Reads an earlier result in JSON.
pub fn read(name: &str, bytes: &[u8]) -> Result<AuditDocument> {
    let document: AuditDocument =
        serde_json::from_slice(bytes).with_context(|| format!("`{name}` is no result of `bartizan audit -o json`"))?;
    if document.schema != AUDIT_SCHEMA {
        bail!("`{name}` is of the schema {}, not {AUDIT_SCHEMA}", document.schema);
    }
    Ok(document)
}

/// What the reasons are looked up in.
pub struct Now<'n, S: ?Sized> {
    pub inventory: &'n Inventory,
    pub packages: &'n [Package],
    pub store: &'n S,
    pub gaps: &'n Gaps<'n>,
    pub options: &'n Options,
    pub document: &'n AuditDocument,
}

/// Compares.
pub fn compare<S: AdvisoryStore + ?Sized>(file: &str, earlier: &AuditDocument, now: &Now<'_, S>) -> Result<Baseline> {
    let (before, after) = (Known::of(&earlier.matches), Known::of(&now.document.matches));
    let mut by_place: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (at, package) in now.packages.iter().enumerate() {
        by_place.entry((&package.location, &package.name)).or_default().push(at);
    }
    let mut others = Others::of(now.document);
    let mut gone = Vec::new();
    for found in earlier.matches.iter().filter(|found| !after.has(found)) {
        let places = by_place.get(&(found.path.as_str(), found.package.as_str())).map_or(&[][..], Vec::as_slice);
        let (reason, detail) = match others.reason(found) {
            Some(told) => told,
            None => why(found, places, now)?,
        };
        gone.push(Gone {
            fingerprint: found.fingerprint.clone(),
            path: found.path.clone(),
            ecosystem: found.ecosystem.clone(),
            package: found.package.clone(),
            version: found.version.clone(),
            ids: found.ids.clone(),
            reason,
            detail,
        });
    }
    let new = now.document.matches.iter().filter(|found| !before.has(found));
    Ok(Baseline {
        file: file.to_owned(),
        created_at: earlier.created_at,
        new: new.map(|found| found.fingerprint.clone()).collect(),
        gone,
    })
}

/// Where a match is, and of what: the same if any name of the vulnerability is.
type Key<'k> = (&'k str, &'k str, &'k str, &'k str, &'k str);

fn keys(found: &AuditMatch) -> impl Iterator<Item = Key<'_>> {
    found.ids.iter().map(|id| (&*found.path, &*found.ecosystem, &*found.package, &*found.version, &**id))
}

struct Known<'k>(BTreeSet<Key<'k>>);

impl<'k> Known<'k> {
    fn of(matches: &'k [AuditMatch]) -> Self {
        Self(matches.iter().flat_map(keys).collect())
    }

    fn has(&self, found: &AuditMatch) -> bool {
        keys(found).any(|key| self.0.contains(&key))
    }
}

/// What is in the document beside the matches.
struct Others<'d>(BTreeMap<Key<'d>, (GoneReason, String)>);

impl<'d> Others<'d> {
    fn of(document: &'d AuditDocument) -> Self {
        let mut others = BTreeMap::new();
        let mut add = |found: &'d AuditMatch, reason, detail: String| {
            for key in keys(found) {
                others.entry(key).or_insert_with(|| (reason, detail.clone()));
            }
        };
        for suppressed in &document.suppressed {
            let detail = match &suppressed.by {
                Decision::Vex(vex) => format!("{} says {}", vex.file, vex.status),
                Decision::Ignore { file, reason, .. } => format!("{file} accepts it: {reason}"),
            };
            add(&suppressed.finding, GoneReason::Decided, detail);
        }
        for found in &document.not_affected {
            let by = found
                .evidence
                .first()
                .map_or_else(String::new, |by| format!("{} ({}) says so", by.advisory, by.source));
            add(found, GoneReason::NotAffected, format!("not affected: {by}"));
        }
        for found in &document.leads {
            let notes = found.evidence.first().map_or_else(String::new, |first| first.notes.join("; "));
            add(found, GoneReason::Lead, format!("a lead of confidence {} now: {notes}", found.confidence));
        }
        Self(others)
    }

    fn reason(&mut self, found: &AuditMatch) -> Option<(GoneReason, String)> {
        keys(found).find_map(|key| self.0.get(&key).cloned())
    }
}

/// Why the document says nothing of a match. `places` are the packages of its name in its file.
fn why<S: AdvisoryStore + ?Sized>(
    found: &AuditMatch,
    places: &[usize],
    now: &Now<'_, S>,
) -> Result<(GoneReason, String)> {
    let same = places.iter().copied().find(|at| {
        let package = &now.packages[*at];
        *package.version == *found.version && ecosystem(package) == found.ecosystem
    });
    let Some(at) = same else { return Ok(absent(found, places, now)) };
    let number = u32::try_from(at)?;
    let mut gaps = Vec::new();
    let mut against: Vec<NoMatch> = Vec::new();
    for id in &found.ids {
        let told = explain(now.store, now.packages, number, id, now.options)?;
        for one in told.against {
            if !against.contains(&one) {
                against.push(one);
            }
        }
        gaps = told.gaps;
    }
    // Of several records the one that tells most.
    let rank = |reason: NoMatchReason| match reason {
        NoMatchReason::NotAffected => 0,
        NoMatchReason::OutsideRange => 1,
        NoMatchReason::Withdrawn => 2,
        NoMatchReason::OtherPackage | NoMatchReason::OtherEcosystem => 9,
        _ => 5,
    };
    against.sort_by_key(|one| rank(one.reason));
    if let Some(gap) = gaps.first().filter(|_| against.iter().all(|one| rank(one.reason) == 9)) {
        return Ok((GoneReason::NotCovered, format!("not covered: {}", now.gaps.tell(&now.packages[at], *gap).reason)));
    }
    let Some(first) = against.first() else {
        return Ok((GoneReason::RecordGone, "no record of the store speaks of it any more".to_owned()));
    };
    let record = format!("{} ({})", first.advisory, first.source);
    Ok(match first.reason {
        NoMatchReason::Withdrawn => (GoneReason::Withdrawn, format!("{record} is withdrawn")),
        NoMatchReason::NotAffected => (GoneReason::NotAffected, format!("not affected: {record} says so")),
        NoMatchReason::OutsideRange => {
            let range = first.evidence.as_ref().map_or("", |evidence| evidence.range.as_str());
            (GoneReason::RecordChanged, format!("{record} speaks of other versions now: {range}"))
        }
        NoMatchReason::VersionUnreadable => {
            (GoneReason::NotCovered, format!("the version cannot be compared with what {record} says"))
        }
        NoMatchReason::ConditionFails | NoMatchReason::ConfigurationFails => {
            (GoneReason::RecordChanged, format!("what {record} asks for besides is not given"))
        }
        NoMatchReason::Outdated => {
            (GoneReason::RecordChanged, format!("a newer copy of {record} says otherwise or withdraws it"))
        }
        NoMatchReason::DecidedByAuthority => {
            (GoneReason::RecordChanged, format!("a source with more authority than {record} decides now"))
        }
        NoMatchReason::OtherPackage | NoMatchReason::OtherEcosystem | NoMatchReason::OtherRelease => {
            (GoneReason::RecordChanged, format!("{record} does not speak of this package any more"))
        }
    })
}

/// The package of that version is not there.
fn absent<S: ?Sized>(found: &AuditMatch, places: &[usize], now: &Now<'_, S>) -> (GoneReason, String) {
    if !places.is_empty() {
        let present: BTreeSet<String> = places
            .iter()
            .map(|at| &now.packages[*at])
            .map(|package| match ecosystem(package) {
                same if same == found.ecosystem => package.version.to_string(),
                other => format!("{} of {other}", package.version),
            })
            .collect();
        let present: Vec<String> = present.into_iter().take(5).collect();
        return (GoneReason::PackageChanged, format!("the package is there as {}", present.join(", ")));
    }
    let source = now.inventory.sources.iter().find(|source| source.path == found.path);
    match source.map(|source| &source.reading) {
        Some(Ok(_)) => (GoneReason::PackageGone, "the package is not there any more".to_owned()),
        Some(Err(error)) => (GoneReason::NotLookedAt, format!("the file could not be read: {error}")),
        None => (GoneReason::NotLookedAt, "the file was not read this time".to_owned()),
    }
}
