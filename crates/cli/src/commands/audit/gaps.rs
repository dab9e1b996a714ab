//! What nothing can be said about: which data is missing, and what to do about it.
//!
//! Not here: which packages those are (`bartizan_matching::correlate`, and the readers of inventories).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bartizan_feeds::coverage::remedy;
use bartizan_feeds::store::Snapshot;
use bartizan_inventory::Inventory;
use bartizan_matching::correlate::Correlation;
use bartizan_matching::model::{Authority, Ecosystem, GapReason, Package, Text};
use bartizan_reports::audit::NotCovered;

/// Packages named in one row.
const MAX_NAMES: usize = 50;
/// Releases and sources named in one sentence.
const MAX_LISTED: usize = 6;

/// A gap in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Which kind.
    pub code: &'static str,
    /// What is missing, and what there is instead.
    pub reason: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// Words for gaps of one store.
pub struct Gaps<'s> {
    store: &'s Snapshot,
    /// The store as a command line names it.
    folder: String,
}

impl<'s> Gaps<'s> {
    /// For the store in `folder`.
    pub fn new(store: &'s Snapshot, folder: &Path) -> Self {
        Self { store, folder: folder.display().to_string() }
    }

    /// Why nothing can be said about a package, or not everything.
    pub fn tell(&self, package: &Package, gap: GapReason) -> Gap {
        let reason_and_remedy = match gap {
            GapReason::EcosystemNotCovered | GapReason::ReleaseNotCovered | GapReason::PartlyCovered { .. } => {
                self.missing(package, gap)
            }
            GapReason::ReleaseUnknown => (
                format!("the release of {} is not known", package.ecosystem),
                Some(
                    "name it with --os, such as --os debian:12, or audit the folder that also holds etc/os-release"
                        .to_owned(),
                ),
            ),
            GapReason::Unidentified => (
                "the inventory names it neither by a package URL nor by a CPE name, so there is nothing to look up"
                    .to_owned(),
                Some("have the tool that writes the SBOM add `purl` or `cpe`".to_owned()),
            ),
            GapReason::VersionMissing => (
                "no version is stated".to_owned(),
                Some("lock the version, or have the tool that writes the inventory state it".to_owned()),
            ),
            GapReason::VersionUnreadable => (
                format!("its version, or a version that a record compares it with, is none of {}", package.ecosystem),
                Some("`bartizan explain PACKAGE ID` shows which record".to_owned()),
            ),
            GapReason::SourceUnknown => (
                format!(
                    "its source package is not known, and the advisories of {} name source packages",
                    package.ecosystem
                ),
                Some("have the tool that writes the SBOM state the source (`upstream` in the package URL)".to_owned()),
            ),
            GapReason::ForeignOrigin => {
                let whose = match package.ecosystem.authority() {
                    Authority::Vendor => format!("the archive of {}", package.ecosystem),
                    _ => format!("the registry of {}", package.ecosystem),
                };
                (
                    format!(
                        "it is not from {whose}, of which alone the advisories speak; what they say of its name is a lead"
                    ),
                    Some("follow the announcements of whoever publishes it".to_owned()),
                )
            }
        };
        let (reason, remedy) = reason_and_remedy;
        Gap { code: gap.as_str(), reason, remedy }
    }

    fn missing(&self, package: &Package, gap: GapReason) -> (String, Option<String>) {
        // CentOS is judged by what Red Hat says.
        let ecosystem = package.ecosystem.advised_by();
        let release = if ecosystem.has_releases() { package.release.as_str() } else { "" };
        let scope = if release.is_empty() { ecosystem.to_string() } else { format!("{ecosystem} {release}") };
        let held = self.store.holdings(ecosystem, release);
        let for_whom = if *ecosystem == package.ecosystem {
            String::new()
        } else {
            format!(", whose advisories speak for {}", package.ecosystem)
        };
        let others = match (listed(&held.claimed), listed(&held.mentioned)) {
            (claimed, _) if !claimed.is_empty() => format!("; the store covers {ecosystem} {claimed}"),
            (_, mentioned) if !mentioned.is_empty() => {
                format!("; it has single records about {ecosystem} {mentioned}")
            }
            _ => String::new(),
        };
        let reason = match gap {
            GapReason::PartlyCovered { records } => {
                let count = if records == 1 { "only one record".to_owned() } else { format!("only {records} records") };
                let sources: Vec<String> = held.sources.iter().map(|(name, _)| format!("`{name}`")).collect();
                let sources = if sources.is_empty() { String::new() } else { format!(", of {}", listed(&sources)) };
                let claims = if held.claimed.is_empty() {
                    "no source is the whole of it".to_owned()
                } else {
                    format!("what is whole is {ecosystem} {}", listed(&held.claimed))
                };
                format!("partly covered: the store has {count} about {scope}{for_whom}{sources}, and {claims}")
            }
            _ => match ecosystem {
                Ecosystem::Other(_) => {
                    format!("`{scope}` is no ecosystem that is known here, and no imported source speaks of it")
                }
                Ecosystem::Generic => "no imported source judges products by their CPE names".to_owned(),
                _ => format!("no imported source speaks of {scope}{for_whom}{others}"),
            },
        };
        (reason, Some(self.import(ecosystem, release, gap)))
    }

    fn import(&self, ecosystem: &Ecosystem, release: &str, gap: GapReason) -> String {
        let remedy = remedy(ecosystem, release);
        let store = &self.folder;
        let fetch = if remedy.fetch.is_empty() {
            String::new()
        } else {
            format!(", or `bartizan feeds fetch --store {store} {}`", remedy.fetch.join(" "))
        };
        let complete = match gap {
            // A release of Alpine is whole with both of its repositories, and with nothing less.
            GapReason::PartlyCovered { .. } if *ecosystem != Ecosystem::Alpine => {
                "; if what is imported is the whole of it, say --complete"
            }
            _ => "",
        };
        let scope = if release.is_empty() { ecosystem.to_string() } else { format!("{ecosystem} {release}") };
        format!("for {scope} import {}: `bartizan feeds import --store {store} FILE`{fetch}{complete}", remedy.import)
    }
}

/// `11, 12 and 3 more`.
fn listed(items: &[String]) -> String {
    let first = items.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(MAX_LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The rows of the document, grouped by file and reason; and whether the store is the cause of any of it.
pub fn rows(
    inventory: &Inventory,
    packages: &[Package],
    correlation: &Correlation,
    gaps: &Gaps<'_>,
) -> (Vec<NotCovered>, bool) {
    let mut groups: BTreeMap<(String, String, Gap), (usize, Vec<String>)> = BTreeMap::new();
    let mut uncovered = false;
    let mut add = |key: (String, String, Gap), name: String| {
        let (count, names) = groups.entry(key).or_default();
        *count += 1;
        if names.len() < MAX_NAMES {
            names.push(name);
        }
    };
    let mut told: HashMap<(Ecosystem, Text, GapReason), Gap> = HashMap::new();
    for gap in &correlation.gaps {
        let package = &packages[gap.package as usize];
        uncovered |= matches!(
            gap.reason,
            GapReason::EcosystemNotCovered
                | GapReason::PartlyCovered { .. }
                | GapReason::ReleaseNotCovered
                | GapReason::ReleaseUnknown
                | GapReason::Unidentified
        );
        let what = (package.ecosystem.clone(), package.release.clone(), gap.reason);
        let words = told.entry(what).or_insert_with(|| gaps.tell(package, gap.reason)).clone();
        let key = (package.location.to_string(), super::document::ecosystem(package), words);
        add(key, format!("{} {}", package.name, package.version));
    }
    let by_file = |reason: String| Gap { code: "inventory", reason, remedy: None };
    for source in &inventory.sources {
        for gap in source.reading.iter().flat_map(|reading| &reading.gaps) {
            add((source.path.clone(), String::new(), by_file(gap.reason.to_string())), gap.subject.clone());
        }
    }
    let row = |path: String, ecosystem: String, gap: Gap, count: usize, packages: Vec<String>| NotCovered {
        path,
        ecosystem,
        code: gap.code.to_owned(),
        reason: gap.reason,
        remedy: gap.remedy,
        count,
        packages,
    };
    let mut rows: Vec<NotCovered> = groups
        .into_iter()
        .map(|((path, ecosystem, gap), (count, packages))| row(path, ecosystem, gap, count, packages))
        .collect();
    for source in &inventory.sources {
        if let Ok(reading) = &source.reading
            && reading.more_gaps > 0
        {
            let gap = by_file("further entries without a version".to_owned());
            rows.push(row(source.path.clone(), String::new(), gap, reading.more_gaps, Vec::new()));
        }
    }
    (rows, uncovered)
}
