//! OSV: the common format of ecosystem advisories. GHSA, RustSec, PyPA, Go, Bitnami, AlmaLinux, Rocky, Red Hat, SUSE,
//! Ubuntu, Debian, Alpine and malicious-package records all come in it.
//!
//! Source of the rules: the OSV schema 1.7 (`ossf.github.io/osv-schema`). Ecosystems are kept whatever they are; one that
//! is not known is stored under its own name and never compared. `upstream`, and `related` of distributions that use it
//! so, become the vulnerabilities the record addresses. An entry is affected if the version is in `versions` or in a
//! range; evaluation is not here. `informational` of RustSec and the prefix `MAL-` set the kind. Where a distribution
//! lists the binary packages of a source package, statements are about these. The format has no module streams: where a
//! fix is a package of a stream (`.module` in its release) the stream is what the summary names (`nodejs:18`), else unknown.
//! An entry with neither versions nor ranges is a lead about every version. A repository behind the name of an ecosystem
//! without releases (`Maven:https://…`) is a condition in words. Debian's `urgency` of what has no fix says, as in the
//! tracker, that none will come (`unimportant`) or that the release is over (`end-of-life`).
//!
//! Not supported: `credits`; symbols beyond fifty a statement. YAML of the same shape (PyPA) is read too. Linear in the
//! bytes; memory of one record.

use bartizan_matching::model::{
    Advisory, AdvisoryKind, Affected, Condition, Ecosystem, Event, NameKind, PackageKey, Range, ReferenceKind, Scope,
    ScoreSystem, Text, VendorState,
};
use serde::Deserialize;
use serde_json::Value;

use super::common::{self, MAX_REFERENCES, Str, nullable};
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

/// Functions of one statement that are kept.
const MAX_FUNCTIONS: usize = 50;

#[derive(Deserialize)]
struct Osv<'a> {
    #[serde(borrow)]
    id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    modified: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published: Str<'a>,
    #[serde(borrow, default)]
    withdrawn: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    aliases: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    related: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    upstream: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    summary: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    details: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    affected: Vec<AffectedJson<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<ReferenceJson<'a>>,
    #[serde(default, deserialize_with = "nullable")]
    database_specific: DatabaseSpecific,
}

#[derive(Deserialize)]
struct Severity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    score: Str<'a>,
}

#[derive(Deserialize)]
struct ReferenceJson<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "nullable")]
    kind: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    url: Str<'a>,
}

#[derive(Deserialize, Default)]
struct DatabaseSpecific {
    #[serde(default)]
    severity: Value,
    #[serde(default)]
    cwe_ids: Value,
}

#[derive(Deserialize)]
struct AffectedJson<'a> {
    #[serde(borrow, default)]
    package: Option<PackageJson<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    severity: Vec<Severity<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    ranges: Vec<RangeJson<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    versions: Vec<Str<'a>>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Deserialize)]
struct PackageJson<'a> {
    #[serde(borrow)]
    ecosystem: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    purl: Str<'a>,
}

#[derive(Deserialize)]
struct RangeJson<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    repo: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    events: Vec<EventJson<'a>>,
}

#[derive(Deserialize)]
struct EventJson<'a> {
    #[serde(borrow, default)]
    introduced: Option<Str<'a>>,
    #[serde(borrow, default)]
    fixed: Option<Str<'a>>,
    #[serde(borrow, default)]
    last_affected: Option<Str<'a>>,
    #[serde(borrow, default)]
    limit: Option<Str<'a>>,
}

impl EventJson<'_> {
    fn events(&self) -> impl Iterator<Item = Event> {
        [
            self.introduced.as_ref().map(|text| Event::Introduced(text.trim().into())),
            self.fixed.as_ref().map(|text| Event::Fixed(text.trim().into())),
            self.last_affected.as_ref().map(|text| Event::LastAffected(text.trim().into())),
            self.limit.as_ref().map(|text| Event::Limit(text.trim().into())),
        ]
        .into_iter()
        .flatten()
    }
}

impl RangeJson<'_> {
    fn model(&self) -> Range {
        let events: Vec<Event> = self.events.iter().flat_map(EventJson::events).collect();
        if self.kind.eq_ignore_ascii_case("GIT") {
            return Range::Git { repo: common::cut(&self.repo, 300), events };
        }
        Range::Events { semver: self.kind.eq_ignore_ascii_case("SEMVER"), events }
    }
}

/// The source of a record, told by its id, or by its ecosystem where the id says nothing.
fn source(id: &str, affected: &[AffectedJson<'_>]) -> Text {
    const PREFIXES: [(&str, &str); 22] = [
        ("GHSA-", "ghsa"),
        ("RUSTSEC-", "rustsec"),
        ("PYSEC-", "pypa"),
        ("GO-", "go"),
        ("MAL-", "malicious"),
        ("BIT-", "bitnami"),
        ("USN-", "ubuntu"),
        ("LSN-", "ubuntu"),
        ("UBUNTU-", "ubuntu"),
        ("DSA-", "debian"),
        ("DLA-", "debian"),
        ("DEBIAN-", "debian"),
        ("ALPINE-", "alpine"),
        ("ALSA-", "almalinux"),
        ("ALBA-", "almalinux"),
        ("ALEA-", "almalinux"),
        ("RLSA-", "rocky"),
        ("RLBA-", "rocky"),
        ("RLEA-", "rocky"),
        ("RHSA-", "redhat"),
        ("RHBA-", "redhat"),
        ("RHEA-", "redhat"),
    ];
    if let Some((_, source)) = PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix)) {
        return (*source).into();
    }
    let package = affected.iter().find_map(|affected| affected.package.as_ref());
    match package {
        Some(package) => {
            let name = package.ecosystem.split(':').next().unwrap_or("");
            common::cut(&format!("osv:{name}"), 60)
        }
        None => "osv".into(),
    }
}

/// Whether the record's `related` are the vulnerabilities it addresses: errata of distributions from before `upstream`.
fn is_bulletin(source: &str) -> bool {
    matches!(source, "almalinux" | "rocky" | "redhat" | "ubuntu" | "debian")
        || source.starts_with("osv:SUSE")
        || source.starts_with("osv:openSUSE")
        || source.starts_with("osv:Mageia")
}

fn name_kind(ecosystem: &Ecosystem, purl: &str) -> NameKind {
    let by_source = matches!(
        ecosystem,
        Ecosystem::Debian
            | Ecosystem::Ubuntu
            | Ecosystem::Alpine
            | Ecosystem::Echo
            | Ecosystem::Suse
            | Ecosystem::OpenSuse
            | Ecosystem::Mageia
            | Ecosystem::OpenEuler
            | Ecosystem::AzureLinux
            | Ecosystem::RockyLinux
            | Ecosystem::Wolfi
            | Ecosystem::Chainguard
            | Ecosystem::MinimOs
            | Ecosystem::Alpaquita
            | Ecosystem::BellSoft
    );
    if by_source || purl.contains("arch=src") || purl.contains("arch=source") {
        NameKind::Source
    } else {
        NameKind::Binary
    }
}

fn texts(value: &Value) -> Vec<Text> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).take(MAX_FUNCTIONS).map(|text| common::cut(text, 300)).collect()
}

/// Conditions in the fields of single databases.
fn conditions(specific: &Value) -> Vec<Condition> {
    let mut conditions = Vec::new();
    if let Some(affects) = specific.get("affects") {
        // RustSec.
        for (field, make) in [("os", Condition::Os as fn(Vec<Text>) -> Condition), ("arch", Condition::Arch)] {
            let values = affects.get(field).map(texts).unwrap_or_default();
            if !values.is_empty() {
                conditions.push(make(values));
            }
        }
        let functions = affects.get("functions").map(texts).unwrap_or_default();
        if !functions.is_empty() {
            conditions.push(Condition::Functions(functions));
        }
    }
    if let Some(imports) = specific.get("imports").and_then(Value::as_array) {
        // Go: packages and symbols.
        let mut functions = Vec::new();
        for import in imports {
            let path = import.get("path").and_then(Value::as_str).unwrap_or("");
            let symbols = import.get("symbols").map(texts).unwrap_or_default();
            if symbols.is_empty() {
                functions.push(common::cut(path, 300));
            }
            functions.extend(symbols.iter().map(|symbol| common::cut(&format!("{path}.{symbol}"), 300)));
        }
        functions.truncate(MAX_FUNCTIONS);
        if !functions.is_empty() {
            conditions.push(Condition::Functions(functions));
        }
    }
    conditions
}

/// Binary packages that the entry lists, with their versions: a list of objects with one pair each (SUSE), or with
/// name and version (Ubuntu).
fn binaries(specific: &Value) -> Vec<(Text, Text)> {
    let mut found = Vec::new();
    for item in specific.get("binaries").and_then(Value::as_array).into_iter().flatten() {
        let Some(item) = item.as_object() else { continue };
        if item.contains_key("binary_name") {
            continue;
        }
        for (name, version) in item {
            if let Some(version) = version.as_str() {
                found.push((common::cut(name, 200), common::cut(version, 200)));
            }
        }
    }
    found
}

/// `name:stream` words of a summary (`Important: virt:rhel and virt-devel:rhel security update`), divided by blanks. A
/// word before a blank (`Important:`) is no stream. A record of several streams does not say which package is in which.
fn streams(summary: &str) -> Text {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+'))
    };
    let mut found = String::new();
    for word in summary.split([' ', ',', ';']).map(|word| word.trim_end_matches(['.', ':'])) {
        let named = word.split_once(':').is_some_and(|(name, stream)| is_part(name) && is_part(stream));
        if named && !found.split(' ').any(|known| known == word) && found.len() < 200 {
            if !found.is_empty() {
                found.push(' ');
            }
            found.push_str(word);
        }
    }
    if found.is_empty() { Condition::UNKNOWN_STREAM.into() } else { found.into() }
}

/// Whether a statement's fix is a package of a module stream, by the mark in its release.
fn is_modular(statement: &Affected) -> bool {
    statement.package.ecosystem.purl_type() == "rpm"
        && statement.ranges.iter().any(|range| {
            matches!(range, Range::Events { events, .. } if events.iter().any(
                |event| matches!(event, Event::Fixed(version) if version.contains(".module")),
            ))
        })
}

fn statements(affected: &AffectedJson<'_>, summary: &str, into: &mut Vec<Affected>) {
    let Some(package) = &affected.package else { return };
    let Scope { ecosystem, release, pocket } = Scope::of_osv(&package.ecosystem);
    let mut conditions = conditions(&affected.ecosystem_specific);
    if !pocket.is_empty() {
        conditions.push(if ecosystem.has_releases() {
            Condition::Pocket(pocket)
        } else {
            Condition::Unevaluated(common::cut(&format!("only of the repository {pocket}"), 200))
        });
    }
    let kind = name_kind(&ecosystem, &package.purl);
    let rpm = matches!(ecosystem, Ecosystem::Suse | Ecosystem::OpenSuse);
    let listed = if rpm { binaries(&affected.ecosystem_specific) } else { Vec::new() };
    let key = |name: &str| PackageKey::new(ecosystem.clone(), &release, name);
    if !listed.is_empty() {
        for (name, version) in listed {
            let mut statement = common::statement(key(&name), NameKind::Binary, VendorState::Affected);
            statement.ranges.push(common::before(&version));
            statement.conditions.clone_from(&conditions);
            into.push(statement);
        }
        return;
    }
    let mut statement = common::statement(key(&package.name), kind, VendorState::Affected);
    statement.ranges = affected.ranges.iter().map(RangeJson::model).collect();
    statement.versions = affected.versions.iter().map(|version| version.trim().into()).collect();
    let vendor = matches!(ecosystem.authority(), bartizan_matching::model::Authority::Vendor);
    let fixed = statement.ranges.iter().any(
        |range| matches!(range, Range::Events { events, .. } if events.iter().any(|event| matches!(event, Event::Fixed(_)))),
    );
    if vendor && !fixed && !statement.ranges.is_empty() {
        // Debian's records carry the tracker's urgency.
        let urgency = affected.ecosystem_specific.get("urgency").and_then(Value::as_str).unwrap_or("");
        statement.state = match urgency {
            "end-of-life" if statement.package.ecosystem == Ecosystem::Debian => VendorState::EndOfLife,
            "unimportant" if statement.package.ecosystem == Ecosystem::Debian => VendorState::WillNotFix,
            _ => VendorState::NoFixYet,
        };
    }
    statement.conditions = conditions;
    // By the evaluation of the schema no version is affected then; the record is about the package all the same.
    if statement.ranges.is_empty() && statement.versions.is_empty() {
        statement.conditions.push(Condition::Unevaluated("the record names no versions".into()));
    }
    if is_modular(&statement) {
        statement.conditions.push(Condition::Module(streams(summary)));
    }
    into.push(statement);
}

fn reference_kind(kind: &str) -> ReferenceKind {
    match kind {
        "ADVISORY" => ReferenceKind::Advisory,
        "REPORT" | "DISCUSSION" | "ARTICLE" => ReferenceKind::Report,
        "FIX" => ReferenceKind::Fix,
        "EVIDENCE" => ReferenceKind::Exploit,
        "PACKAGE" => ReferenceKind::Package,
        _ => ReferenceKind::Web,
    }
}

fn add_severity(advisory: &mut Advisory, severity: &Severity<'_>, asserter: &str) {
    let read = if severity.kind.starts_with("CVSS") {
        common::vector(&severity.score, None, asserter)
    } else {
        common::label(&severity.score, asserter)
    };
    if let Some(read) = read.filter(|read| !advisory.head.severities.contains(read)) {
        advisory.head.severities.push(read);
    }
}

fn convert(osv: &Osv<'_>) -> Result<Advisory> {
    let id = osv.id.trim();
    if id.is_empty() || id.len() > 200 {
        return Err(FeedError::record(id, "an OSV record has an id of at most 200 characters"));
    }
    let source = source(id, &osv.affected);
    let mut advisory = common::advisory(id, &source);
    advisory.published = common::time(&osv.published);
    common::revise(&mut advisory, &osv.modified);
    if let Some(withdrawn) = osv.withdrawn.as_ref().filter(|text| !text.trim().is_empty()) {
        advisory.head.withdrawn = common::time(withdrawn).or(advisory.modified).or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    let ids = |list: &[Str<'_>]| -> Vec<Text> {
        let mut ids: Vec<Text> = Vec::new();
        for other in list.iter().map(|other| other.trim()) {
            if !other.is_empty() && other.len() <= 200 && other != id && !ids.iter().any(|known| known == other) {
                ids.push(other.into());
            }
        }
        ids
    };
    advisory.head.aliases = ids(&osv.aliases);
    advisory.head.addresses = ids(&osv.upstream);
    if advisory.head.addresses.is_empty() && is_bulletin(&source) {
        advisory.head.addresses = ids(&osv.related).into_iter().filter(|id| common::is_cve(id)).collect();
    }
    advisory.summary = common::line(&osv.summary);
    advisory.details = common::details(&osv.details);
    for severity in &osv.severity {
        add_severity(&mut advisory, severity, &source);
    }
    if let Some(word) = osv.database_specific.severity.as_str() {
        advisory.head.severities.extend(common::label(word, &source));
    }
    for cwe in texts(&osv.database_specific.cwe_ids).iter().filter_map(|text| common::cwe(text)) {
        advisory.cwes.push(cwe);
    }
    if id.starts_with("MAL-") {
        advisory.head.kind = AdvisoryKind::Malicious;
    }
    for affected in &osv.affected {
        for severity in &affected.severity {
            add_severity(&mut advisory, severity, &source);
        }
        match affected.database_specific.get("informational").and_then(Value::as_str) {
            Some("unmaintained") => advisory.head.kind = AdvisoryKind::Unmaintained,
            Some("unsound") => advisory.head.kind = AdvisoryKind::Unsound,
            Some(_) => advisory.head.kind = AdvisoryKind::Notice,
            None => {}
        }
        statements(affected, &osv.summary, &mut advisory.affected);
    }
    advisory.references = osv
        .references
        .iter()
        .filter_map(|reference| common::reference(reference_kind(&reference.kind), &reference.url))
        .take(MAX_REFERENCES)
        .collect();
    // A vector and its word say the same twice only if the word is by the same asserter: kept, the core prefers vectors.
    advisory.head.severities.sort_by_key(|severity| severity.system == ScoreSystem::Vendor);
    Ok(advisory)
}

fn record(bytes: &[u8]) -> Parsed {
    let osv: Osv<'_> =
        serde_json::from_slice(bytes).map_err(|error| FeedError::record(common::id_in(bytes, "id"), error))?;
    Ok(Record::Advisory(Box::new(convert(&osv)?)))
}

/// Records one after the other, or in an array, or below `vulns`.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(record(bytes)))
}

/// A record in YAML, turned into JSON by the caller.
pub(super) fn yaml(json: &Value, out: &mut Output<'_>) -> Result<()> {
    let bytes = serde_json::to_vec(json).map_err(|error| FeedError::record("", error))?;
    out.take(record(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Advisory {
        match record(text.as_bytes()).unwrap() {
            Record::Advisory(advisory) => *advisory,
            _ => unreachable!("OSV gives advisories"),
        }
    }

    #[test]
    fn urgencies_of_debian_are_states() {
        let state = |urgency: &str, events: &str| {
            let text = format!(
                r#"{{"id":"DEBIAN-CVE-2031-1","affected":[{{"package":{{"ecosystem":"Debian:12","name":"p"}},
                "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{events}]}}],
                "ecosystem_specific":{{"urgency":"{urgency}"}}}}]}}"#
            );
            read(&text).affected[0].state
        };
        assert_eq!(state("unimportant", ""), VendorState::WillNotFix);
        assert_eq!(state("end-of-life", ""), VendorState::EndOfLife);
        assert_eq!(state("not yet assigned", ""), VendorState::NoFixYet);
        assert_eq!(state("unimportant", r#",{"fixed":"2-1"}"#), VendorState::Affected);
    }

    #[test]
    fn a_repository_is_no_release() {
        let advisory = read(
            r#"{"id":"GHSA-x","affected":[{"package":{"ecosystem":"Packagist:https://packages.drupal.org/8","name":"drupal/x"},
            "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#,
        );
        let statement = &advisory.affected[0];
        assert_eq!((statement.package.ecosystem.as_str(), &*statement.package.release), ("Packagist", ""));
        let Condition::Unevaluated(words) = &statement.conditions[0] else { panic!("{:?}", statement.conditions) };
        assert!(words.contains("packages.drupal.org"));
    }

    #[test]
    fn summaries_name_module_streams() {
        let is = |summary: &str, expected: &str| assert_eq!(streams(summary), expected, "{summary}");
        is("Important: postgresql:12 security update", "postgresql:12");
        is(
            "Moderate: virt:rhel and virt-devel:rhel security, bug fix, and enhancement update",
            "virt:rhel virt-devel:rhel",
        );
        is("container-tools:rhel8 bug fix update", "container-tools:rhel8");
        is("Moderate: pki-core:10.6 and pki-deps:10.6, and more", "pki-core:10.6 pki-deps:10.6");
        is("criu bug fix and enhancement update", "?");
        is("", "?");
    }
}
