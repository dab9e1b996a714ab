//! Ubuntu's CVE tracker: one text file a vulnerability.
//!
//! Source of the rules: `README` of `ubuntu-cve-tracker` (`git.launchpad.net/ubuntu-cve-tracker`). Fields stand at the start
//! of a line, their further lines are indented. `<target>_<source package>: <status> (<detail>)` is the status of a
//! package in a release:
//!
//! | status | becomes |
//! |---|---|
//! | `released (version)` | affected before the version; without a version nothing can be compared, which is a gap |
//! | `not-affected` | not affected |
//! | `needed`, `active`, `deferred`, `pending` | no fix yet (the pending version is named as fixed) |
//! | `needs-triage` | under investigation |
//! | `ignored` | will not be fixed; end of life where the detail says so |
//! | `DNE` | no statement: the package is not in that release |
//!
//! Not supported: targets that are no release (`upstream`, `devel`, `snap`, products). Linear; memory of one file.

use std::io::Read;

use bartizan_matching::model::{Affected, Ecosystem, NameKind, PackageKey, ReferenceKind, VendorState};

use super::Output;
use super::common::{self, MAX_REFERENCES};
use super::debian::Lines;
use crate::error::{FeedError, Result};
use crate::limits::Limits;
use crate::record::Record;

const SOURCE: &str = "ubuntu";

/// One file.
pub(super) fn file(name: &str, reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let mut lines = Lines::new(reader, limits);
    let mut advisory = common::advisory("", SOURCE);
    let mut field = String::new();
    let mut description = String::new();
    while let Some(line) = lines.next()? {
        if line.starts_with('#') {
            continue;
        }
        if let Some(more) = line.strip_prefix([' ', '\t']) {
            let more = more.trim();
            match &*field {
                "Description" if description.len() < 8192 => {
                    description.push_str(more);
                    description.push(' ');
                }
                "References" if advisory.references.len() < MAX_REFERENCES => {
                    advisory.references.extend(common::reference(ReferenceKind::Web, more));
                }
                "CVSS" => {
                    if let Some((asserter, vector)) = more.split_once(':') {
                        let vector = vector.split_whitespace().next().unwrap_or("");
                        advisory.head.severities.extend(common::vector(vector, None, asserter));
                    }
                }
                _ => {}
            }
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        field.clear();
        field.push_str(key);
        match key {
            "Candidate" => advisory.head.id = common::cut(value, 60),
            "PublicDate" => {
                advisory.published = common::time(value);
                advisory.head.revision = common::cut(value, 40);
            }
            "Priority" => {
                let word = value.split_whitespace().next().unwrap_or("");
                advisory.head.severities.extend(common::label(word, SOURCE).filter(|_| word != "untriaged"));
            }
            "Description" => description.push_str(value),
            _ if key.starts_with("Patches_") || key.starts_with("Tags") => {}
            _ => {
                if let Some((target, package)) = key.split_once('_') {
                    advisory.affected.extend(status(target, package, value));
                }
            }
        }
    }
    out.stats.unterminated |= lines.is_unterminated();
    if advisory.head.id.is_empty() {
        return out.take(Err(FeedError::record(name, "a record names its candidate")));
    }
    let description = description.trim();
    advisory.details = common::details(description);
    if description.contains("** REJECT **") || description.starts_with("Rejected reason") {
        advisory.head.withdrawn = advisory.published.or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    out.take(Ok(Record::Advisory(Box::new(advisory))))
}

fn status(target: &str, package: &str, value: &str) -> Option<Affected> {
    let (release, pocket) = common::ubuntu_target(target)?;
    let (word, detail) = value.split_once(' ').unwrap_or((value, ""));
    state(word, detail.trim().trim_matches(['(', ')']), PackageKey::new(Ecosystem::Ubuntu, release, package)).map(
        |mut statement| {
            statement.conditions.extend(common::pocket(&pocket));
            statement
        },
    )
}

/// What a status word and its detail come to; shared with the JSON of the security site.
pub(super) fn state(word: &str, detail: &str, key: PackageKey) -> Option<Affected> {
    let statement = |state| common::statement(key, NameKind::Source, state);
    let version = detail.split([' ', ',']).next().filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    Some(match word {
        "released" => match version {
            Some(version) => {
                let mut statement = statement(VendorState::Affected);
                statement.ranges.push(common::before(version));
                statement
            }
            // Released, but where is not said: a bound that no version can be compared with, which is a gap.
            None => {
                let mut statement = statement(VendorState::Affected);
                statement.ranges.push(common::before(""));
                statement
            }
        },
        "not-affected" => statement(VendorState::NotAffected),
        "needed" | "active" | "deferred" => statement(VendorState::NoFixYet),
        "pending" => {
            let mut statement = statement(VendorState::NoFixYet);
            statement.fixed.extend(version.map(Into::into));
            statement
        }
        "needs-triage" => statement(VendorState::UnderInvestigation),
        "ignored" => {
            let detail = detail.to_ascii_lowercase();
            let over = ["end of life", "end-of-life", "end of standard support", "out of standard support", "eol"]
                .iter()
                .any(|words| detail.contains(words));
            statement(if over { VendorState::EndOfLife } else { VendorState::WillNotFix })
        }
        _ => return None,
    })
}
