//! Advisories of Node's security working group: of npm packages (until 2018) and of Node itself.
//!
//! Source of the rules: the README of `nodejs/security-wg` and the JSON schema beside its data. `vulnerable_versions` and
//! `vulnerable` are npm ranges; `patched_versions` is not needed to decide and is kept as a fixed version where it is a plain
//! one. Ids are those the group gave out: `NSWG-ECO-<n>` and `NSWG-COR-<n>`. Node itself is the npm package `node`, whose
//! versions are Node's. `index.json` holds all core advisories by number.
//!
//! Not supported: `vuln/deps` (no versions). Linear; memory of one record.

use bartizan_matching::model::{Condition, Ecosystem, NameKind, PackageKey, Range, ReferenceKind, Text, VendorState};
use serde::Deserialize;
use serde_json::Value;

use super::common::{self, Str, nullable};
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

#[derive(Deserialize)]
struct Package<'a> {
    id: u64,
    #[serde(borrow, default, deserialize_with = "nullable")]
    updated_at: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    title: Str<'a>,
    #[serde(borrow)]
    module_name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    publish_date: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cves: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerable_versions: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    patched_versions: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    overview: Str<'a>,
    #[serde(default)]
    references: Value,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cvss_vector: Str<'a>,
    #[serde(default)]
    cvss_score: Option<f32>,
}

fn package(bytes: &[u8]) -> Parsed {
    let read: Package<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let mut advisory = common::advisory(&format!("NSWG-ECO-{}", read.id), "node-security-wg");
    advisory.summary = common::line(&read.title);
    advisory.details = common::details(&read.overview);
    advisory.published = common::time(&read.publish_date);
    common::revise(&mut advisory, &read.updated_at);
    advisory.head.aliases = cves(&read.cves);
    advisory.head.severities.extend(common::vector(&read.cvss_vector, read.cvss_score, "node-security-wg"));
    for url in read.references.as_array().into_iter().flatten().filter_map(Value::as_str).take(20) {
        advisory.references.extend(common::reference(ReferenceKind::Web, url));
    }
    let range = read.vulnerable_versions.trim();
    if range.is_empty() {
        return Err(FeedError::record(&*advisory.head.id, "an advisory states vulnerable versions"));
    }
    let key = PackageKey::new(Ecosystem::Npm, "", &read.module_name);
    let mut statement = common::statement(key, NameKind::Binary, VendorState::Affected);
    statement.ranges.push(Range::Requirement { text: common::cut(range, 500) });
    let fixed = read.patched_versions.trim();
    if let Some(version) = fixed.strip_prefix(">=").map(str::trim).filter(|rest| !rest.contains([' ', '|'])) {
        statement.fixed.push(common::cut(version, 100));
    }
    advisory.affected.push(statement);
    Ok(Record::Advisory(Box::new(advisory)))
}

fn cves(ids: &[Str<'_>]) -> Vec<Text> {
    ids.iter().filter(|id| common::is_cve(id.trim())).map(|id| id.trim().into()).collect()
}

/// npm packages, one after the other.
pub(super) fn packages(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(package(bytes)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Core<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    cve: Vec<Str<'a>>,
    #[serde(borrow, rename = "ref", default, deserialize_with = "nullable")]
    link: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerable: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    overview: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    affected_environments: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    severity: Str<'a>,
}

fn core(number: &str, bytes: &[u8]) -> Parsed {
    let read: Core<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record(number, error))?;
    let mut advisory = common::advisory(&format!("NSWG-COR-{}", common::cut(number, 20)), "node-security-wg");
    advisory.summary = common::line(&read.description);
    advisory.details = common::details(&read.overview);
    advisory.head.aliases = cves(&read.cve);
    advisory.head.severities.extend(common::label(&read.severity, "node-security-wg"));
    advisory.references.extend(common::reference(ReferenceKind::Advisory, &read.link));
    let range = read.vulnerable.trim();
    if range.is_empty() {
        return Err(FeedError::record(&*advisory.head.id, "an advisory states vulnerable versions"));
    }
    let key = PackageKey::new(Ecosystem::Npm, "", "node");
    let mut statement = common::statement(key, NameKind::Binary, VendorState::Affected);
    statement.ranges.push(Range::Requirement { text: common::cut(range, 500) });
    let systems: Vec<Text> = read
        .affected_environments
        .iter()
        .filter(|system| !system.eq_ignore_ascii_case("all"))
        .map(|system| common::cut(&system.to_lowercase(), 40))
        .collect();
    if !systems.is_empty() {
        statement.conditions.push(Condition::Os(systems));
    }
    advisory.affected.push(statement);
    Ok(Record::Advisory(Box::new(advisory)))
}

/// One advisory of Node itself; its number is its file name.
pub(super) fn core_file(name: &str, stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let number = file.strip_suffix(".json").unwrap_or(file);
    let parsed = core(number, stream.value()?);
    out.take(parsed)?;
    stream.finish()
}

/// All advisories of Node itself by number.
pub(super) fn core_index(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.object(|stream, number| out.take(core(number, stream.value()?)))?;
    stream.finish()
}
