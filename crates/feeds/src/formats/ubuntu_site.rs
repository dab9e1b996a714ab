//! Ubuntu's JSON: notices and vulnerabilities of the security site, and the database of notices.
//!
//! Sources of the rules: the API of `ubuntu.com/security` (`/security/notices.json`, `/security/cves.json`) and
//! `usn.ubuntu.com/usn-db/database-all.json`. A notice (`USN-…`) is a bulletin: it addresses its vulnerabilities and states
//! fixed versions of source packages a release. Where a notice lists no source package its binary packages are taken.
//! Statuses of vulnerabilities mean what they mean in the CVE tracker's text (see `ubuntu_tracker`).
//!
//! Not supported: binary packages beside source packages; `LSN` live patches without versions. Linear; memory of one
//! notice.

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, NameKind, PackageKey, VendorState};
use serde::Deserialize;

use super::common::{self, Str, nullable};
use super::{Output, Parsed, ubuntu_tracker};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

const SOURCE: &str = "ubuntu";

#[derive(Deserialize)]
struct Notice<'a> {
    #[serde(borrow)]
    id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cves_ids: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    title: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    release_packages: BTreeMap<Str<'a>, Vec<NoticePackage<'a>>>,
}

#[derive(Deserialize)]
struct NoticePackage<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    version: Str<'a>,
    #[serde(default, deserialize_with = "nullable")]
    is_source: bool,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pocket: Str<'a>,
}

fn notice(bytes: &[u8]) -> Parsed {
    let notice: Notice<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let mut advisory = common::advisory(&common::cut(&notice.id, 60), SOURCE);
    advisory.summary = common::line(&notice.title);
    advisory.details = common::details(&notice.description);
    advisory.published = common::time(&notice.published);
    common::revise(&mut advisory, &notice.published);
    advisory.head.addresses = addresses(&notice.cves_ids);
    for (release, packages) in &notice.release_packages {
        let Some((release, pocket)) = common::ubuntu_target(release) else { continue };
        let by_source = packages.iter().any(|package| package.is_source && !package.version.is_empty());
        for package in packages.iter().filter(|package| package.is_source == by_source && !package.version.is_empty()) {
            let kind = if by_source { NameKind::Source } else { NameKind::Binary };
            let key = PackageKey::new(Ecosystem::Ubuntu, release, &package.name);
            let mut statement = common::statement(key, kind, VendorState::Affected);
            statement.ranges.push(common::before(&package.version));
            statement.conditions.extend(common::pocket(if pocket.is_empty() { &package.pocket } else { &pocket }));
            advisory.affected.push(statement);
        }
    }
    Ok(Record::Advisory(Box::new(advisory)))
}

fn addresses(ids: &[Str<'_>]) -> Vec<bartizan_matching::model::Text> {
    ids.iter().filter(|id| common::is_cve(id)).map(|id| (&**id).into()).collect()
}

/// Pages of notices.
pub(super) fn notices(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    below(stream, "notices", out, notice)
}

#[derive(Deserialize)]
struct Cve<'a> {
    #[serde(borrow)]
    id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    priority: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    updated_at: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    packages: Vec<CvePackage<'a>>,
}

#[derive(Deserialize)]
struct CvePackage<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    statuses: Vec<Status<'a>>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    release_codename: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pocket: Str<'a>,
}

fn cve(bytes: &[u8]) -> Parsed {
    let cve: Cve<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let mut advisory = common::advisory(&common::cut(&cve.id, 60), SOURCE);
    advisory.details = common::details(&cve.description);
    advisory.published = common::time(&cve.published);
    common::revise(&mut advisory, if cve.updated_at.is_empty() { &cve.published } else { &cve.updated_at });
    advisory.head.severities.extend(common::label(&cve.priority, SOURCE));
    if cve.status.eq_ignore_ascii_case("rejected") {
        advisory.head.withdrawn = advisory.modified.or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    for package in &cve.packages {
        for status in &package.statuses {
            let Some((release, pocket)) = common::ubuntu_target(&status.release_codename) else { continue };
            let key = PackageKey::new(Ecosystem::Ubuntu, release, &package.name);
            if let Some(mut statement) = ubuntu_tracker::state(&status.status, &status.description, key) {
                statement.conditions.extend(common::pocket(if pocket.is_empty() { &status.pocket } else { &pocket }));
                advisory.affected.push(statement);
            }
        }
    }
    Ok(Record::Advisory(Box::new(advisory)))
}

/// Pages of vulnerabilities.
pub(super) fn cves(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    below(stream, "cves", out, cve)
}

fn below(stream: &mut JsonStream<'_>, wanted: &str, out: &mut Output<'_>, read: fn(&[u8]) -> Parsed) -> Result<()> {
    while stream.peek()?.is_some() {
        stream.object(|stream, key| {
            if key == wanted { stream.array(|stream| out.take(read(stream.value()?))) } else { stream.skip() }
        })?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct DatabaseNotice<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    cves: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    title: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(default)]
    timestamp: Option<f64>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    releases: BTreeMap<Str<'a>, DatabaseRelease<'a>>,
}

#[derive(Deserialize)]
struct DatabaseRelease<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    sources: BTreeMap<Str<'a>, DatabasePackage<'a>>,
}

#[derive(Deserialize)]
struct DatabasePackage<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    version: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pocket: Str<'a>,
}

fn database_notice(number: &str, bytes: &[u8]) -> Parsed {
    let notice: DatabaseNotice<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record(number, error))?;
    let mut advisory = common::advisory(&format!("USN-{}", common::cut(number, 40)), SOURCE);
    advisory.summary = common::line(&notice.title);
    advisory.details = common::details(&notice.description);
    #[expect(clippy::cast_possible_truncation, reason = "a time in whole seconds; what does not fit is no time")]
    let published = notice.timestamp.and_then(|seconds| chrono::DateTime::from_timestamp(seconds as i64, 0));
    advisory.published = published;
    advisory.modified = published;
    advisory.head.revision = published.map(|time| time.to_rfc3339().into()).unwrap_or_default();
    advisory.head.addresses = addresses(&notice.cves);
    for (release, packages) in &notice.releases {
        let Some((release, pocket)) = common::ubuntu_target(release) else { continue };
        for (name, package) in packages.sources.iter().filter(|(_, package)| !package.version.is_empty()) {
            let key = PackageKey::new(Ecosystem::Ubuntu, release, name);
            let mut statement = common::statement(key, NameKind::Source, VendorState::Affected);
            statement.ranges.push(common::before(&package.version));
            statement.conditions.extend(common::pocket(if pocket.is_empty() { &package.pocket } else { &pocket }));
            advisory.affected.push(statement);
        }
    }
    Ok(Record::Advisory(Box::new(advisory)))
}

/// The database of notices.
pub(super) fn database(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.object(|stream, number| out.take(database_notice(number, stream.value()?)))?;
    stream.finish()
}
