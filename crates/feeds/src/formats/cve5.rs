//! CVE records 5.x: what the numbering authority says and what others add.
//!
//! Source of the rules: the CVE record format 5.1/5.2 (`github.com/CVEProject/cve-schema`). Read are the `cna` container
//! and every `adp` container as equals:
//!
//! * `cpeApplicability` becomes configurations as it stands;
//! * `affected` with `cpes` becomes one configuration an entry: its names with the version ranges put in;
//! * `affected` with a package of a known registry becomes a statement about that package;
//! * other `affected` becomes a statement about the words `vendor:product` (lower case, blanks as underscores), which an
//!   asset's CPE names may happen to use: a lead and never a finding. No CPE name is ever made up from them;
//! * CISA's SSVC decision points and KEV flag become signals.
//!
//! The versions are worked out as [`versions`] says. Where what is affected by default cannot be told from its
//! exceptions, a statement in words holds an unevaluated condition with them.
//!
//! Not supported: `programFiles`, `platforms` with free text (kept as an unevaluated condition), `git` versions (kept for
//! display). Linear in the bytes; memory of one record.

mod versions;

use bartizan_matching::Dialect;
use bartizan_matching::cpe::{Configuration, CpeMatch, Node, Operator};
use bartizan_matching::model::{
    Advisory, Affected, Condition, Ecosystem, Event, Kev, NameKind, PackageKey, Range, Signals, Ssvc, Text, VendorState,
};
use serde::Deserialize;
use serde_json::Value;

use self::versions::{Bound, Interval, Status, is_no_version};
use super::Output;
use super::common::{self, MAX_REFERENCES, Str, nullable};
use super::cvss::CvssData;
use super::nvd::{self, ConfigurationJson, LangText, ReferenceJson};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CveRecord<'a> {
    #[serde(borrow)]
    cve_metadata: Metadata<'a>,
    #[serde(borrow, default)]
    containers: Containers<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    cve_id: Str<'a>,
    #[serde(borrow, default)]
    state: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    date_published: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    date_updated: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    date_rejected: Str<'a>,
}

#[derive(Deserialize, Default)]
struct Containers<'a> {
    #[serde(borrow, default)]
    cna: Option<Container<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    adp: Vec<Container<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    #[serde(borrow, default)]
    provider_metadata: Provider<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    title: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    descriptions: Vec<LangText<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    rejected_reasons: Vec<LangText<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    affected: Vec<Product<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cpe_applicability: Vec<ConfigurationJson<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    metrics: Vec<Metric<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    problem_types: Vec<ProblemType<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<ReferenceJson<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Provider<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    short_name: Str<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    vendor: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    product: Str<'a>,
    #[serde(borrow, default, rename = "collectionURL", deserialize_with = "nullable")]
    collection: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    package_name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cpes: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    default_status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    versions: Vec<Version<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    platforms: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    repo: Str<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    version: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    version_type: Str<'a>,
    #[serde(borrow, default)]
    less_than: Option<Str<'a>>,
    #[serde(borrow, default)]
    less_than_or_equal: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow, default)]
    at: Str<'a>,
    #[serde(borrow, default)]
    status: Str<'a>,
}

#[derive(Deserialize)]
struct Metric<'a> {
    #[serde(borrow, default, rename = "cvssV4_0")]
    v40: Option<CvssData<'a>>,
    #[serde(borrow, default, rename = "cvssV3_1")]
    v31: Option<CvssData<'a>>,
    #[serde(borrow, default, rename = "cvssV3_0")]
    v30: Option<CvssData<'a>>,
    #[serde(borrow, default, rename = "cvssV2_0")]
    v20: Option<CvssData<'a>>,
    #[serde(borrow, default)]
    other: Option<Other<'a>>,
}

#[derive(Deserialize)]
struct Other<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Str<'a>,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    descriptions: Vec<Problem<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    cwe_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
}

/// Registries by the address that `collectionURL` names.
fn registry(collection: &str) -> Option<Ecosystem> {
    const REGISTRIES: [(&str, Ecosystem); 12] = [
        ("registry.npmjs.org", Ecosystem::Npm),
        ("www.npmjs.com", Ecosystem::Npm),
        ("pypi.org", Ecosystem::PyPi),
        ("pypi.python.org", Ecosystem::PyPi),
        ("crates.io", Ecosystem::CratesIo),
        ("rubygems.org", Ecosystem::RubyGems),
        ("repo.maven.apache.org", Ecosystem::Maven),
        ("repo1.maven.org", Ecosystem::Maven),
        ("pkg.go.dev", Ecosystem::Go),
        ("packagist.org", Ecosystem::Packagist),
        ("www.nuget.org", Ecosystem::NuGet),
        ("hex.pm", Ecosystem::Hex),
    ];
    let host = collection.split_once("://").map_or(collection, |(_, rest)| rest).split('/').next().unwrap_or("");
    REGISTRIES.iter().find(|(known, _)| host.eq_ignore_ascii_case(known)).map(|(_, ecosystem)| ecosystem.clone())
}

/// Whether a product has CPE names that became a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configured {
    Yes,
    No,
}

impl Version<'_> {
    fn is_git(&self) -> bool {
        self.version_type.eq_ignore_ascii_case("git")
    }
}

impl Product<'_> {
    /// The entries that speak of versions.
    fn entries(&self) -> impl Iterator<Item = &Version<'_>> {
        self.versions.iter().filter(|version| !version.is_git())
    }

    /// The versions that are affected; `Err` with what is not in words if they cannot be worked out.
    fn intervals(&self, dialect: Dialect) -> std::result::Result<Vec<Interval>, String> {
        if !self.versions.is_empty() && self.entries().next().is_none() {
            return Ok(Vec::new());
        }
        versions::affected(self.entries(), Status::of(&self.default_status), dialect)
    }

    /// The criterion of one interval, and of one name.
    fn criterion(cpe: &str, interval: &Interval) -> CpeMatch {
        let Interval { low, high, .. } = interval;
        let bound = |bound: &Option<Bound>, inclusive: bool| {
            bound.as_ref().filter(|bound| bound.inclusive == inclusive).map(|bound| bound.version.clone())
        };
        // A single version is a range of itself: it is compared in order and needs no quoting.
        let criteria = if low.is_none() && high.is_none() { cpe.into() } else { with_version(cpe, "*") };
        CpeMatch {
            vulnerable: true,
            criteria,
            start_including: bound(low, true),
            start_excluding: bound(low, false),
            end_including: bound(high, true),
            end_excluding: bound(high, false),
        }
    }

    /// The configuration of its CPE names.
    fn configuration(&self) -> Option<Configuration> {
        let everything = [Interval::default()];
        // Without versions the name alone says which.
        let intervals =
            if self.versions.is_empty() { everything.to_vec() } else { self.intervals(Dialect::Generic).ok()? };
        let names = self.cpes.iter().filter(|cpe| cpe.starts_with("cpe:"));
        let matches: Vec<CpeMatch> =
            names.flat_map(|cpe| intervals.iter().map(|interval| Self::criterion(cpe, interval))).collect();
        (!matches.is_empty()).then(|| Configuration {
            operator: Operator::Or,
            negate: false,
            nodes: vec![Node { operator: Operator::Or, negate: false, matches, children: Vec::new() }],
        })
    }

    /// The package it is about: that of a registry, or the words for vendor and product.
    fn package(&self) -> Option<PackageKey> {
        if let Some(ecosystem) = registry(&self.collection).filter(|_| !self.package_name.is_empty()) {
            return Some(PackageKey::new(ecosystem, "", &self.package_name));
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("_");
        let (vendor, product) = (words(&self.vendor), words(&self.product));
        let named = !is_no_version(&vendor) && !is_no_version(&product) && vendor.len() + product.len() <= 200;
        named.then(|| PackageKey::new(Ecosystem::Generic, "", &format!("{vendor}:{product}")))
    }

    /// The statement about its package; not one in words where its CPE names say the same already.
    fn statement(&self, configured: Configured) -> Option<Affected> {
        let package =
            self.package().filter(|package| configured == Configured::No || package.ecosystem != Ecosystem::Generic)?;
        let semver = self.entries().any(|version| version.version_type.eq_ignore_ascii_case("semver"));
        let order = if semver { Dialect::Semver } else { Dialect::Generic };
        let dialect = package.ecosystem.dialect().unwrap_or(order);
        let mut statement = common::statement(package, NameKind::Binary, VendorState::Affected);
        let all =
            |intervals: Vec<Interval>| -> Option<Vec<Vec<Event>>> { intervals.iter().map(Interval::events).collect() };
        let stated = self.intervals(dialect).and_then(|intervals| {
            let words: Vec<String> = intervals.iter().take(20).map(Interval::words).collect();
            all(intervals).ok_or_else(|| common::cut(&format!("affected: {}", words.join(", ")), 500).to_string())
        });
        let mut any = false;
        match stated {
            Ok(ranges) => {
                any |= !ranges.is_empty();
                statement.ranges.extend(ranges.into_iter().map(|events| Range::Events { semver, events }));
            }
            Err(words) => {
                any = true;
                statement.conditions.push(Condition::Unevaluated(words.into()));
            }
        }
        for version in self.versions.iter().filter(|version| version.is_git()) {
            for (commits, _) in versions::parts(version).iter().filter(|(_, status)| *status == Status::Affected) {
                let events = commits.events().unwrap_or_default();
                statement.ranges.push(Range::Git { repo: common::cut(&self.repo, 300), events });
                any = true;
            }
        }
        if !any {
            return None;
        }
        if !self.platforms.is_empty() {
            let words = self.platforms.iter().map(|platform| platform.trim()).collect::<Vec<_>>().join(", ");
            statement.conditions.push(Condition::Unevaluated(common::cut(&format!("platform: {words}"), 300)));
        }
        Some(statement)
    }
}

/// The name with another version and no update.
fn with_version(cpe: &str, version: &str) -> Text {
    let Ok(name) = bartizan_matching::cpe::Cpe::parse(cpe) else { return cpe.into() };
    if name.version().literal().is_none() {
        return cpe.into();
    }
    // A formatted string is thirteen parts; the version is the sixth, and no escape can hold a bare colon.
    let formatted = name.to_formatted();
    let mut parts: Vec<&str> = Vec::new();
    let mut start = 0;
    let bytes = formatted.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b':' && (at == 0 || bytes[at - 1] != b'\\') {
            parts.push(&formatted[start..at]);
            start = at + 1;
        }
    }
    parts.push(&formatted[start..]);
    if let Some(part) = parts.get_mut(5) {
        *part = version;
    }
    parts.join(":").into()
}

fn convert(record: CveRecord<'_>) -> Result<(Advisory, Signals)> {
    let meta = record.cve_metadata;
    if !meta.cve_id.starts_with("CVE-") {
        return Err(FeedError::record(meta.cve_id.to_string(), "a CVE record is about a CVE"));
    }
    let mut advisory = common::advisory(&meta.cve_id, "cve");
    let mut signals = Signals::default();
    advisory.published = common::time(&meta.date_published);
    common::revise(&mut advisory, &meta.date_updated);
    if meta.state.eq_ignore_ascii_case("REJECTED") {
        advisory.head.withdrawn =
            common::time(&meta.date_rejected).or(advisory.modified).or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    for container in record.containers.cna.into_iter().chain(record.containers.adp) {
        let asserter = container.provider_metadata.short_name;
        if advisory.summary.is_empty()
            && !container.title.contains("CISA ADP")
            && !container.title.contains("CVE Program")
        {
            advisory.summary = common::line(&container.title);
        }
        if advisory.details.is_empty() {
            let texts =
                if container.descriptions.is_empty() { &container.rejected_reasons } else { &container.descriptions };
            advisory.details = common::details(nvd::english(texts));
        }
        for metric in container.metrics {
            for cvss in [metric.v40, metric.v31, metric.v30, metric.v20].into_iter().flatten() {
                advisory.head.severities.extend(cvss.severity(&asserter));
            }
            if let Some(other) = metric.other {
                read_other(&other, &asserter, &mut signals);
            }
        }
        for problem in container.problem_types.iter().flat_map(|problem| &problem.descriptions) {
            let cwe = common::cwe(&problem.cwe_id)
                .or_else(|| common::cwe(problem.description.split_whitespace().next().unwrap_or("")));
            if let Some(cwe) = cwe.filter(|cwe| !advisory.cwes.contains(cwe)) {
                advisory.cwes.push(cwe);
            }
        }
        for reference in &container.references {
            let known = advisory.references.iter().any(|known| known.url == *reference.url);
            if !known && advisory.references.len() < MAX_REFERENCES {
                advisory.references.extend(common::reference(nvd::reference_kind(&reference.tags), &reference.url));
            }
        }
        for product in &container.affected {
            let configuration = product.configuration();
            let configured = if configuration.is_some() { Configured::Yes } else { Configured::No };
            advisory.affected.extend(product.statement(configured));
            advisory.configurations.extend(configuration);
        }
        for configuration in container.cpe_applicability {
            advisory.configurations.push(configuration.into_model()?);
        }
    }
    Ok((advisory, signals))
}

fn read_other(other: &Other<'_>, asserter: &str, signals: &mut Signals) {
    match &*other.kind {
        "ssvc" => {
            let option = |key: &str| {
                let options = other.content.get("options").and_then(Value::as_array).into_iter().flatten();
                let value = options.filter_map(|option| option.get(key)?.as_str()).next().unwrap_or("");
                common::cut(&value.to_lowercase(), 20)
            };
            signals.ssvc = Some(Ssvc {
                exploitation: option("Exploitation"),
                automatable: option("Automatable"),
                technical_impact: option("Technical Impact"),
            });
        }
        "kev" => {
            // Kept apart from CISA's own catalogue by the asserter, because it may be older than the catalogue.
            signals.kev.push(Kev {
                asserter: common::cut(&asserter.to_lowercase(), 40),
                added: other.content.get("dateAdded").and_then(Value::as_str).and_then(common::date),
                due: None,
                ransomware: false,
            });
        }
        _ => {}
    }
}

/// Records one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| {
        let record: std::result::Result<CveRecord<'_>, _> = serde_json::from_slice(bytes);
        let record = record.map_err(|error| FeedError::record(common::id_in(bytes, "cveId"), error));
        match record.and_then(convert) {
            Ok((advisory, signals)) => {
                if signals != Signals::default() {
                    out.extra(Record::Signals { id: advisory.head.id.clone(), signals })?;
                }
                out.take(Ok(Record::Advisory(Box::new(advisory))))
            }
            Err(error) => out.take(Err(error)),
        }
    })
}
