//! What a parser gives: one thing that a source says.

use bartizan_matching::model::{Advisory, Signals, Text};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One record of a source.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A record about a vulnerability and what it affects.
    Advisory(Box<Advisory>),
    /// Facts about a vulnerability: exploitation, prediction, decision support.
    Signals {
        /// Its identifier, in upper case.
        id: Text,
        /// The facts.
        signals: Signals,
    },
    /// How long the releases of a product are supported.
    Lifecycle(Box<Lifecycle>),
    /// The CPE names that a dictionary lists for a criterion.
    Names(Box<CpeNames>),
}

/// The CPE names that a dictionary lists for a criterion with bounds (NVD's CPE match strings).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpeNames {
    /// The criterion and its bounds, as [`bartizan_matching::cpe::CpeMatch::text`] writes them.
    pub criterion: Text,
    /// The names, in the order of the source; none if the criterion is not used any more.
    pub names: Vec<Text>,
}

/// The life cycle of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Its name, as in an address: `debian`, `nodejs`.
    pub product: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// `os`, `lang`, `framework` ….
    #[serde(default)]
    pub category: String,
    /// Package URLs and CPE names that mean it.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// Its releases, newest first as the source has them.
    #[serde(default)]
    pub cycles: Vec<Cycle>,
}

/// One line of releases of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Its name: `12`, `3.18`, `22.04`.
    pub name: String,
    /// Code name or label, empty if none.
    #[serde(default)]
    pub label: String,
    /// When it came out.
    #[serde(default)]
    pub released: Option<NaiveDate>,
    /// End of active support.
    #[serde(default)]
    pub active_support: Ends,
    /// End of life: no security fixes for everybody afterwards.
    #[serde(default)]
    pub end_of_life: Ends,
    /// End of paid or extended security fixes.
    #[serde(default)]
    pub extended_support: Ends,
    /// Newest version of the line, empty if not stated.
    #[serde(default)]
    pub latest: String,
    /// When the newest version came out.
    #[serde(default)]
    pub latest_released: Option<NaiveDate>,
    /// Whether it is supported for long.
    #[serde(default)]
    pub long_term: bool,
}

/// When something ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// The source does not say.
    #[default]
    Unknown,
    /// It has ended, no date given.
    Ended,
    /// It has not ended, no date given.
    NotYet,
    /// On this day.
    On(NaiveDate),
}

/// Takes over what `other` knows and `into` does not.
pub(crate) fn merge_signals(into: &mut Signals, other: Signals) {
    for kev in other.kev {
        match into.kev.iter_mut().find(|known| known.asserter == kev.asserter) {
            // The later entry of one asserter is the one that holds.
            Some(known) => *known = kev,
            None => into.kev.push(kev),
        }
    }
    into.kev.sort_by(|a, b| a.asserter.cmp(&b.asserter));
    if other.epss.is_some() {
        into.epss = other.epss;
    }
    into.exploits.extend(other.exploits);
    into.exploits.sort_unstable();
    into.exploits.dedup();
    if other.ssvc.is_some() {
        into.ssvc = other.ssvc;
    }
}

/// Joins two records of one id whose statements add up: a source that is divided by release or by package.
pub(crate) fn merge_advisories(into: &mut Advisory, other: Advisory) {
    fn add<T: PartialEq>(into: &mut Vec<T>, other: Vec<T>) {
        for item in other {
            if !into.contains(&item) {
                into.push(item);
            }
        }
    }
    add(&mut into.affected, other.affected);
    add(&mut into.configurations, other.configurations);
    add(&mut into.references, other.references);
    add(&mut into.cwes, other.cwes);
    add(&mut into.head.aliases, other.head.aliases);
    add(&mut into.head.addresses, other.head.addresses);
    add(&mut into.head.severities, other.head.severities);
    into.published = match (into.published, other.published) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    into.modified = into.modified.max(other.modified);
    if into.summary.is_empty() {
        into.summary = other.summary;
    }
    if into.details.is_empty() {
        into.details = other.details;
    }
    if other.head.revision > into.head.revision {
        into.head.revision = other.head.revision;
    }
    // Withdrawn is what is withdrawn everywhere.
    into.head.withdrawn = into.head.withdrawn.and(other.head.withdrawn);
}
