//! Debian: the security tracker's JSON, and the text lists of DSA and DLA.
//!
//! Sources of the rules: the tracker's JSON (`security-tracker.debian.org/tracker/data/json`), read with the tracker's
//! documentation of its states; `data/DSA/list` and `data/DLA/list` of the tracker's repository.
//!
//! JSON: package → vulnerability → `releases` → `status`. `resolved` with `fixed_version` "0" says that the release never
//! had the flaw. `open` with `nodsa_reason` *ignored* or urgency *unimportant* will not be fixed, urgency *end-of-life*
//! gets no fixes any more, all other `open` has no fix yet; `undetermined` is under investigation. All names are those of
//! source packages. Records are about one package each; the store joins those of one vulnerability.
//!
//! Lists: `[29 Mar 2023] DSA-5380-1 xorg-server - security update`, a line of CVE ids in braces, and a line a release.
//!
//! Not here: `data/CVE/list` ([`super::debian_cves`]). Not supported: `NOTE` lines. Linear; JSON takes the memory of the largest package (the kernel, some
//! megabytes), lists that of one entry.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use bartizan_matching::model::{Advisory, Affected, Ecosystem, NameKind, PackageKey, VendorState};
use chrono::NaiveDate;
use serde::Deserialize;

use super::Output;
use super::common::{self, Str, nullable};
use crate::error::{FeedError, Result};
use crate::input::damaged;
use crate::json::JsonStream;
use crate::limits::Limits;
use crate::record::Record;

const SOURCE: &str = "debian";

#[derive(Deserialize)]
struct Issue<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    releases: BTreeMap<Str<'a>, Release<'a>>,
}

#[derive(Deserialize)]
struct Release<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default)]
    fixed_version: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    urgency: Str<'a>,
    #[serde(borrow, default)]
    nodsa_reason: Option<Str<'a>>,
}

impl Release<'_> {
    fn statement(&self, package: PackageKey) -> Affected {
        let statement = |state| common::statement(package, NameKind::Source, state);
        match (&*self.status, self.fixed_version.as_deref()) {
            ("resolved", Some("0")) => statement(VendorState::NotAffected),
            ("resolved", Some(version)) => {
                let mut statement = statement(VendorState::Affected);
                statement.ranges.push(common::before(version));
                statement
            }
            ("resolved", None) => statement(VendorState::NotAffected),
            ("open", _) => statement(match (self.nodsa_reason.as_deref(), &*self.urgency) {
                (_, "end-of-life") => VendorState::EndOfLife,
                (Some("ignored"), _) | (_, "unimportant") => VendorState::WillNotFix,
                _ => VendorState::NoFixYet,
            }),
            _ => statement(VendorState::UnderInvestigation),
        }
    }
}

/// The tracker's JSON.
pub(super) fn tracker(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.object(|stream, package| {
        if package.len() > 200 {
            return Err(FeedError::Limit { what: "the length of a package name", limit: 200 });
        }
        stream.object(|stream, id| {
            let issue: std::result::Result<Issue<'_>, _> = serde_json::from_slice(stream.value()?);
            let parsed = issue.map_err(|error| FeedError::record(id, error)).map(|issue| {
                let mut advisory = common::advisory(id, SOURCE);
                advisory.details = common::details(&issue.description);
                for (release, state) in &issue.releases {
                    advisory.affected.push(state.statement(PackageKey::new(Ecosystem::Debian, release, package)));
                    let urgency = common::label(state.urgency.trim_end_matches('*'), SOURCE)
                        .filter(|label| !matches!(&*label.label, "not yet assigned" | "unimportant" | "end-of-life"))
                        .filter(|label| !advisory.head.severities.contains(label));
                    advisory.head.severities.extend(urgency);
                }
                Record::Advisory(Box::new(advisory))
            });
            out.take(parsed)
        })
    })?;
    stream.finish()
}

/// A list of DSA or DLA.
pub(super) fn list(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let mut lines = Lines::new(reader, limits);
    let mut current: Option<Advisory> = None;
    while let Some(line) = lines.next()? {
        if line.starts_with('[') {
            if let Some(done) = current.take() {
                out.take(Ok(Record::Advisory(Box::new(done))))?;
            }
            match head(&line) {
                Some(advisory) => current = Some(advisory),
                None => out.take(Err(FeedError::record(line, "an entry begins `[day] DSA-number package`")))?,
            }
        } else if let Some(advisory) = &mut current {
            body(line.trim(), advisory);
        }
    }
    out.stats.unterminated |= lines.is_unterminated();
    match current {
        Some(done) => out.take(Ok(Record::Advisory(Box::new(done)))),
        None => Ok(()),
    }
}

/// `[29 Mar 2023] DSA-5380-1 xorg-server - security update`
fn head(line: &str) -> Option<Advisory> {
    let (day, rest) = line.strip_prefix('[')?.split_once(']')?;
    let mut words = rest.trim().splitn(2, ' ');
    let id = words.next().filter(|id| id.starts_with("DSA-") || id.starts_with("DLA-") || id.starts_with("DTSA-"))?;
    let mut advisory = common::advisory(id, SOURCE);
    advisory.summary = common::line(words.next().unwrap_or(""));
    let date = NaiveDate::parse_from_str(day.trim(), "%d %b %Y").ok();
    advisory.published = date.and_then(|date| date.and_hms_opt(0, 0, 0)).map(|time| time.and_utc());
    advisory.head.revision = common::cut(day, 40);
    Some(advisory)
}

fn body(line: &str, advisory: &mut Advisory) {
    if line.starts_with('{') {
        for id in line.trim_matches(['{', '}']).split_whitespace() {
            if id.starts_with("CVE-") && id.len() < 40 && !advisory.head.addresses.iter().any(|known| known == id) {
                advisory.head.addresses.push(id.into());
            }
        }
        return;
    }
    // `[bullseye] - xorg-server 2:1.20.11-1+deb11u6`
    let Some((release, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("] - ")) else { return };
    let mut words = rest.split_whitespace();
    let (Some(package), Some(version)) = (words.next(), words.next()) else { return };
    let key = PackageKey::new(Ecosystem::Debian, release, package);
    let state = match version {
        "<not-affected>" => VendorState::NotAffected,
        "<unfixed>" => VendorState::NoFixYet,
        "<end-of-life>" => VendorState::EndOfLife,
        "<ignored>" => VendorState::WillNotFix,
        "<undetermined>" => VendorState::UnderInvestigation,
        other if other.starts_with('<') => return,
        _ => VendorState::Affected,
    };
    let mut statement = common::statement(key, NameKind::Source, state);
    if state == VendorState::Affected {
        statement.ranges.push(common::before(version));
    }
    if !advisory.affected.contains(&statement) {
        advisory.affected.push(statement);
    }
}

/// Bounded lines of UTF-8 text; what is not UTF-8 is replaced.
pub(super) struct Lines<'r> {
    reader: BufReader<&'r mut dyn Read>,
    bound: usize,
    buffer: Vec<u8>,
    unterminated: bool,
}

impl<'r> Lines<'r> {
    pub(super) fn new(reader: &'r mut dyn Read, limits: &Limits) -> Self {
        let bound = limits.max_record.min(1 << 20);
        Self { reader: BufReader::with_capacity(128 << 10, reader), bound, buffer: Vec::new(), unterminated: false }
    }

    /// Whether the line read last has no end: the text may have been cut there.
    pub(super) const fn is_unterminated(&self) -> bool {
        self.unterminated
    }

    /// The next line without its end.
    pub(super) fn next(&mut self) -> Result<Option<String>> {
        self.buffer.clear();
        let read = (&mut self.reader)
            .take(self.bound as u64 + 1)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| damaged("plain", &error))?;
        if read == 0 {
            return Ok(None);
        }
        if read > self.bound {
            return Err(FeedError::Limit { what: "the length of a line", limit: self.bound as u64 });
        }
        self.unterminated = self.buffer.last() != Some(&b'\n');
        Ok(Some(String::from_utf8_lossy(&self.buffer).trim_end_matches(['\n', '\r']).to_owned()))
    }
}
