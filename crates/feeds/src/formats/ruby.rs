//! ruby-advisory-db: one YAML file an advisory.
//!
//! Source of the rules: the README of `rubysec/ruby-advisory-db`. A version is affected unless it satisfies one of
//! `patched_versions` or `unaffected_versions` (RubyGems requirements); with neither, every version is. The id is the CVE,
//! else the GHSA, else the OSVDB number; the others are aliases. Advisories of interpreters (`engine`) are about the
//! gem-less package `ruby-engine:<engine>`.
//!
//! Not supported: `platform`, which is kept as a condition in words. Linear; memory of one file.

use bartizan_matching::model::{Condition, Ecosystem, NameKind, PackageKey, Range, ReferenceKind, Text, VendorState};
use serde::Deserialize;
use serde_json::Value;

use super::Output;
use super::common;
use crate::error::{FeedError, Result};
use crate::record::Record;

#[derive(Deserialize)]
struct Advisory {
    #[serde(default)]
    gem: Option<String>,
    #[serde(default)]
    engine: Option<String>,
    #[serde(default)]
    platform: Option<String>,
    #[serde(default)]
    cve: Value,
    #[serde(default)]
    ghsa: Value,
    #[serde(default)]
    osvdb: Value,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    date: Value,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    cvss_v2: Value,
    #[serde(default)]
    cvss_v3: Value,
    #[serde(default)]
    cvss_v4: Value,
    #[serde(default)]
    patched_versions: Option<Vec<String>>,
    #[serde(default)]
    unaffected_versions: Option<Vec<String>>,
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// One file.
pub(super) fn file(json: Value, out: &mut Output<'_>) -> Result<()> {
    let read: Advisory = match serde_json::from_value(json) {
        Ok(read) => read,
        Err(error) => return out.take(Err(FeedError::record("", error))),
    };
    let prefixed = |prefix: &str, value: &Value| {
        word(value).map(|id| if id.starts_with(prefix) { id } else { format!("{prefix}{id}") })
    };
    let mut ids = [prefixed("CVE-", &read.cve), prefixed("GHSA-", &read.ghsa), prefixed("OSVDB-", &read.osvdb)]
        .into_iter()
        .flatten();
    let package = match (&read.gem, &read.engine) {
        (Some(gem), _) => gem.clone(),
        (None, Some(engine)) => format!("ruby-engine:{engine}"),
        (None, None) => return out.take(Err(FeedError::record("", "an advisory names a gem or an engine"))),
    };
    // A few have no id of any kind; their name and title are all there is to tell them by.
    let id = ids.next().unwrap_or_else(|| {
        let title = read.title.as_deref().unwrap_or("");
        let day = word(&read.date).unwrap_or_default();
        format!(
            "RUBYSEC-{package}-{day}-{}",
            title.chars().filter(char::is_ascii_alphanumeric).take(24).collect::<String>()
        )
    });
    let mut advisory = common::advisory(&common::cut(&id, 120), "ruby-advisory-db");
    advisory.head.aliases = ids.map(Text::from).collect();
    advisory.published = word(&read.date).and_then(|day| common::time(&day));
    advisory.summary = common::line(read.title.as_deref().unwrap_or(""));
    advisory.details = common::details(read.description.as_deref().unwrap_or(""));
    for (value, system) in [
        (&read.cvss_v4, bartizan_matching::model::ScoreSystem::CvssV4),
        (&read.cvss_v3, bartizan_matching::model::ScoreSystem::CvssV31),
        (&read.cvss_v2, bartizan_matching::model::ScoreSystem::CvssV2),
    ] {
        #[expect(clippy::cast_possible_truncation, reason = "a score from 0 to 10 with one decimal")]
        let score = word(value).and_then(|text| text.parse::<f64>().ok()).map(|score| score as f32);
        if let Some(score) = score.filter(|score| (0.0..=10.0).contains(score)) {
            advisory.head.severities.push(bartizan_matching::model::SeverityScore {
                system,
                vector: Text::default(),
                score: Some(score),
                label: Text::default(),
                asserter: "ruby-advisory-db".into(),
            });
        }
    }
    advisory.references.extend(common::reference(ReferenceKind::Advisory, read.url.as_deref().unwrap_or("")));
    let mut statement =
        common::statement(PackageKey::new(Ecosystem::RubyGems, "", &package), NameKind::Binary, VendorState::Affected);
    // `>= 1.2.3` and `~> 1.2.3` name the version that brought the fix.
    for requirement in read.patched_versions.iter().flatten() {
        let version = ["~>", ">="].iter().find_map(|operator| requirement.trim().strip_prefix(operator));
        let version = version.and_then(|rest| rest.split(',').next()).map(str::trim).filter(|text| !text.is_empty());
        statement.fixed.extend(version.map(|version| common::cut(version, 100)));
    }
    let good: Vec<Text> = read
        .patched_versions
        .into_iter()
        .chain(read.unaffected_versions)
        .flatten()
        .map(|requirement| common::cut(requirement.trim(), 200))
        .filter(|requirement| !requirement.is_empty())
        .collect();
    if !good.is_empty() {
        statement.ranges.push(Range::Except { texts: good });
    }
    if let Some(platform) = &read.platform {
        statement.conditions.push(Condition::Unevaluated(common::cut(&format!("platform: {platform}"), 100)));
    }
    advisory.affected.push(statement);
    out.take(Ok(Record::Advisory(Box::new(advisory))))
}
