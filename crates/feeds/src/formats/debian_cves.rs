//! Debian's own list of vulnerabilities, `data/CVE/list` of the security tracker's repository.
//!
//! Source of the rules: the tracker's documentation ("Security Tracker", `doc/security-team.d.o/security_tracker` of that
//! repository) and its parser `lib/python/bugs.py`. An entry is a line with the name, then indented lines: `- package
//! version (notes)` speaks of unstable, `[release] - package version` of one release, `{DSA-… DLA-…}` names bulletins,
//! `REJECTED`, `RESERVED`, `NOT-FOR-US:` and notes stand for themselves. Between entries there may be rulers (`--`),
//! `begin claimed by …`, `end claimed by …` and `STOP:`.
//!
//! What is said of unstable holds in every release whose own line says nothing else, as the tracker itself evaluates it: a
//! version below the fix contains the flaw, and has no fix of its release. The releases are [`RELEASES`]; older ones get nothing here. Where a bulletin
//! is named, the fix of a stable release is in that bulletin (`data/DSA/list`, `data/DLA/list`, a format of its own) and
//! not in this list: then the word about unstable is a lead there, and the bulletin decides. `<no-dsa>` and
//! `<postponed>` have no fix yet, `<ignored>` and *unimportant* will not be fixed, `<itp>` is not in the archive.
//!
//! Not supported: entries without a number (`CVE-2031-XXXX`), whose names the tracker makes anew each day: they are
//! counted and passed over; `NOTE` lines; experimental. Linear; memory of one entry.

use std::io::Read;

use bartizan_matching::model::{Advisory, Affected, Condition, Ecosystem, NameKind, PackageKey, Text, VendorState};

use super::Output;
use super::common;
use super::debian::Lines;
use crate::error::{FeedError, Result};
use crate::limits::Limits;
use crate::record::Record;

const SOURCE: &str = "debian";

/// The releases that a word about unstable is applied to.
const RELEASES: [&str; 9] = ["sid", "forky", "trixie", "bookworm", "bullseye", "buster", "stretch", "jessie", "wheezy"];
/// Lines of one entry that are kept.
const MAX_LINES: usize = 2000;

/// One line about a package.
struct Line {
    /// None: unstable.
    release: Option<Text>,
    package: Text,
    version: Text,
    unimportant: bool,
    urgency: Option<&'static str>,
}

struct Entry {
    advisory: Advisory,
    bulletins: Vec<Text>,
    lines: Vec<Line>,
    /// Whether its name may be that of another tomorrow.
    nameless: bool,
}

/// Reads the list.
pub(super) fn list(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let mut lines = Lines::new(reader, limits);
    let mut current: Option<Entry> = None;
    while let Some(line) = lines.next()? {
        if line.starts_with([' ', '\t']) {
            if let Some(entry) = &mut current {
                entry.read(line.trim());
            }
        } else if !line.trim().is_empty() {
            finish(current.take(), out)?;
            if is_between_entries(&line) {
                continue;
            }
            match Entry::begin(&line) {
                Some(entry) => current = Some(entry),
                None => out.take(Err(FeedError::record(
                    common::cut(&line, 60).to_string(),
                    "an entry begins with the name of a vulnerability",
                )))?,
            }
        }
    }
    out.stats.unterminated |= lines.is_unterminated();
    finish(current, out)
}

/// Lines that belong to no entry: rulers, who works on which part, and the mark behind which everything is old.
pub(super) fn is_between_entries(line: &str) -> bool {
    ["--", "STOP:", "begin claim", "end claim"].iter().any(|begin| line.starts_with(begin))
}

fn finish(entry: Option<Entry>, out: &mut Output<'_>) -> Result<()> {
    match entry {
        Some(entry) if entry.nameless || (entry.lines.is_empty() && entry.advisory.head.withdrawn.is_none()) => {
            out.count()
        }
        Some(entry) => out.take(Ok(Record::Advisory(Box::new(entry.into_advisory())))),
        None => Ok(()),
    }
}

impl Entry {
    /// `CVE-2031-1 (description …)`, `CVE-2031-2 [name given by Debian]`
    fn begin(line: &str) -> Option<Self> {
        let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbered = common::is_cve(id);
        if !(numbered || id.starts_with("CVE-") || id.starts_with("TEMP-")) {
            return None;
        }
        let mut advisory = common::advisory(&common::cut(id, 40), SOURCE);
        advisory.details = common::details(rest.trim().trim_matches(['(', ')', '[', ']']));
        Some(Self { advisory, bulletins: Vec::new(), lines: Vec::new(), nameless: !numbered })
    }

    fn read(&mut self, line: &str) {
        if let Some(names) = line.strip_prefix('{') {
            let names = names.trim_end_matches('}').split_whitespace();
            let known = names.filter(|name| name.starts_with("DSA-") || name.starts_with("DLA-"));
            self.bulletins.extend(known.take(100).map(|name| common::cut(name, 40)));
        } else if line.starts_with("REJECTED")
            || line.strip_prefix("NOTE:").is_some_and(|note| note.trim() == "rejected")
        {
            self.advisory.head.withdrawn = Some(chrono::DateTime::UNIX_EPOCH);
        } else if self.lines.len() < MAX_LINES {
            self.lines.extend(package_line(line));
        }
    }

    fn into_advisory(mut self) -> Advisory {
        for line in &self.lines {
            let word = line.urgency.and_then(|word| common::label(word, SOURCE));
            let word = word.filter(|word| !self.advisory.head.severities.contains(word));
            self.advisory.head.severities.extend(word);
        }
        for line in &self.lines {
            let found: Vec<Affected> = match &line.release {
                Some(release) => {
                    // Of unstable's word the version remains: from there on the flaw is gone in any release.
                    let general =
                        self.lines.iter().find(|other| other.release.is_none() && other.package == line.package);
                    statement(release, line, general).into_iter().collect()
                }
                None => {
                    let own = |release: &str| {
                        let named = |name: &Text| {
                            Ecosystem::Debian.normalise_release(name) == Ecosystem::Debian.normalise_release(release)
                        };
                        self.lines
                            .iter()
                            .any(|other| other.package == line.package && other.release.as_ref().is_some_and(named))
                    };
                    let general = RELEASES.iter().filter(|release| !own(release));
                    general
                        .filter_map(|release| {
                            let mut found = statement(release, line, None)?;
                            if *release != "sid"
                                && !self.bulletins.is_empty()
                                && found.state != VendorState::NotAffected
                            {
                                found.state = VendorState::Affected;
                                let names = self.bulletins.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
                                let text = format!("the fix of the release may be that of {names}");
                                found.conditions.push(Condition::Unevaluated(text.into()));
                            }
                            Some(found)
                        })
                        .collect()
                }
            };
            for statement in found {
                if !self.advisory.affected.contains(&statement) {
                    self.advisory.affected.push(statement);
                }
            }
        }
        self.advisory
    }
}

/// `- curl 8.0-1 (bug #1; low)`, `[bookworm] - curl <no-dsa> (Minor issue)`
fn package_line(line: &str) -> Option<Line> {
    let (release, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (release, rest) = rest.split_once(']')?;
            (Some(common::cut(release.trim(), 40)), rest.trim_start())
        }
        None => (None, line),
    };
    let mut words = rest.strip_prefix("- ")?.splitn(3, char::is_whitespace);
    let (package, version) = (words.next()?, words.next()?);
    let notes = words.next().unwrap_or("").trim().trim_start_matches('(').trim_end_matches(')');
    let note = |word: &str| notes.split(';').any(|note| note.trim() == word);
    let fits = |text: &str| !text.is_empty() && text.len() <= 200;
    let elsewhere = release.as_deref() == Some("experimental");
    (fits(package) && fits(version) && !elsewhere).then(|| Line {
        release,
        package: package.into(),
        version: version.into(),
        unimportant: note("unimportant"),
        urgency: ["high", "medium", "low"].into_iter().find(|word| note(word)),
    })
}

/// What a line says about a release; `general` is what the list says of unstable. None where the package is not there.
fn statement(release: &str, line: &Line, general: Option<&Line>) -> Option<Affected> {
    let state = match &*line.version {
        "<not-affected>" => VendorState::NotAffected,
        "<end-of-life>" => VendorState::EndOfLife,
        "<ignored>" => VendorState::WillNotFix,
        "<undetermined>" => VendorState::UnderInvestigation,
        "<unfixed>" | "<removed>" | "<no-dsa>" | "<postponed>" if line.unimportant => VendorState::WillNotFix,
        "<unfixed>" | "<removed>" | "<no-dsa>" | "<postponed>" => VendorState::NoFixYet,
        other if other.starts_with('<') => return None,
        _ if line.release.is_none() && release != "sid" && line.unimportant => VendorState::WillNotFix,
        // The fix is in unstable; the release has none that anybody speaks of.
        _ if line.release.is_none() && release != "sid" => VendorState::NoFixYet,
        _ => VendorState::Affected,
    };
    let key = PackageKey::new(Ecosystem::Debian, release, &line.package);
    let mut found = common::statement(key, NameKind::Source, state);
    let fixed = Some(&line.version).filter(|version| !version.starts_with('<')).or_else(|| {
        let fixed_in_unstable = general.map(|general| &general.version).filter(|version| !version.starts_with('<'));
        fixed_in_unstable.filter(|_| state != VendorState::NotAffected)
    });
    found.ranges.extend(fixed.map(|version| common::before(version)));
    Some(found)
}
