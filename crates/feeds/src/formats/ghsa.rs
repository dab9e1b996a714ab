//! GitHub's advisories as its REST interface gives them (`/advisories`, `/repos/…/security-advisories`).
//!
//! Source of the rules: GitHub's OpenAPI description, schemas `global-advisory` and `repository-advisory`
//! (`docs.github.com/rest/security-advisories`). The record is the one that OSV's form has under the same id, so that of
//! both the newer decides. `vulnerable_version_range` is a list of comparators; where it can be, it is kept as the events
//! that the OSV form has for it, and a strict lower bound as a requirement. `type` *malware* sets the kind; `withdrawn_at`
//! withdraws.
//!
//! Ranges may be absent (the schemas allow null), and the owners of a repository write what they like into them. Then the
//! record stands with what remains: where a fixed version is stated, what is below it is a lead; else the package is one
//! of which nothing can be said, and the audit says that.
//!
//! Not supported: drafts of repositories (they have no range until they are published); `credits`, `epss` (of the day of
//! the request; FIRST's own file is read). Linear in the bytes; memory of one record.

use bartizan_matching::model::{
    AdvisoryKind, Affected, Condition, Ecosystem, Event, NameKind, PackageKey, Range, ReferenceKind, Text, VendorState,
};
use serde::Deserialize;
use serde_json::Value;

use super::common::{self, MAX_REFERENCES, Str, nullable};
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

const SOURCE: &str = "ghsa";
/// Comparators of one range at most; GitHub's own have two.
const MAX_COMPARATORS: usize = 16;
const MAX_FUNCTIONS: usize = 50;

#[derive(Deserialize)]
struct Advisory<'a> {
    #[serde(borrow)]
    ghsa_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cve_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    html_url: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    summary: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, rename = "type", default, deserialize_with = "nullable")]
    kind: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    severity: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    identifiers: Vec<Identifier<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<Link<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published_at: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    updated_at: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    withdrawn_at: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerabilities: Vec<Vulnerability<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cvss: Cvss<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cvss_severities: CvssSeverities<'a>,
    #[serde(default)]
    cwes: Value,
}

#[derive(Deserialize)]
struct Identifier<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    value: Str<'a>,
}

/// A link; earlier versions of the interface wrap it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Link<'a> {
    Plain(#[serde(borrow)] Str<'a>),
    Wrapped {
        #[serde(borrow, default)]
        url: Str<'a>,
    },
}

#[derive(Deserialize, Default)]
struct Cvss<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    vector_string: Str<'a>,
    #[serde(default)]
    score: Option<f32>,
}

#[derive(Deserialize, Default)]
struct CvssSeverities<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    cvss_v3: Cvss<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    cvss_v4: Cvss<'a>,
}

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    package: Option<Package<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerable_version_range: Str<'a>,
    /// A version, an object around one, or nothing.
    #[serde(default)]
    first_patched_version: Value,
    /// What the advisories of a repository have instead.
    #[serde(borrow, default, deserialize_with = "nullable")]
    patched_versions: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vulnerable_functions: Vec<Str<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    ecosystem: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    name: Str<'a>,
}

/// GitHub's names of ecosystems.
fn ecosystem(name: &str) -> Ecosystem {
    match name.to_ascii_lowercase().as_str() {
        "rubygems" => Ecosystem::RubyGems,
        "npm" => Ecosystem::Npm,
        "pip" => Ecosystem::PyPi,
        "maven" => Ecosystem::Maven,
        "nuget" => Ecosystem::NuGet,
        "composer" => Ecosystem::Packagist,
        "go" => Ecosystem::Go,
        "rust" => Ecosystem::CratesIo,
        "erlang" => Ecosystem::Hex,
        "actions" => Ecosystem::GitHubActions,
        "pub" => Ecosystem::Pub,
        "swift" => Ecosystem::SwiftUrl,
        other => Ecosystem::of_name(other),
    }
}

/// A range as the model has it: into `statement`. None if it is no list of comparators.
fn range(text: &str, ecosystem: &Ecosystem, statement: &mut Affected) -> Option<()> {
    if matches!(text.trim().to_ascii_lowercase().as_str(), "*" | "all" | "all versions") {
        statement.ranges.push(Range::Events { semver: false, events: vec![Event::Introduced("0".into())] });
        return Some(());
    }
    let (mut low, mut high) = (None, None);
    let mut comparators = Vec::new();
    for comparator in text.split(',').map(str::trim).filter(|comparator| !comparator.is_empty()) {
        let length = comparator.bytes().take_while(|byte| b"<>=!".contains(byte)).count();
        let (operator, version) = comparator.split_at(length);
        let version = version.trim();
        if !version.starts_with(|c: char| c.is_alphanumeric())
            || version.len() > 200
            || comparators.len() == MAX_COMPARATORS
        {
            return None;
        }
        comparators.push((operator, version));
    }
    if let [("=", version)] = comparators[..] {
        statement.versions.push(version.into());
        return Some(());
    }
    let mut plain = !comparators.is_empty();
    for (operator, version) in &comparators {
        let (slot, event): (&mut Option<Event>, _) = match *operator {
            ">=" => (&mut low, Event::Introduced((*version).into())),
            "<" => (&mut high, Event::Fixed((*version).into())),
            "<=" => (&mut high, Event::LastAffected((*version).into())),
            ">" | "=" | "!=" => {
                plain = false;
                continue;
            }
            _ => return None,
        };
        plain &= slot.replace(event).is_none();
    }
    statement.ranges.push(if plain {
        let events = [Some(low.unwrap_or_else(|| Event::Introduced("0".into()))), high].into_iter().flatten().collect();
        Range::Events { semver: false, events }
    } else if comparators.is_empty() {
        return None;
    } else {
        // Each ecosystem joins comparators in its own way.
        let join = match ecosystem {
            Ecosystem::Npm => " ",
            Ecosystem::Hex => " and ",
            _ => ", ",
        };
        let all = comparators.iter().map(|(operator, version)| {
            let operator = if *ecosystem == Ecosystem::PyPi && *operator == "=" { "==" } else { operator };
            format!("{operator}{version}")
        });
        Range::Requirement { text: all.collect::<Vec<_>>().join(join).into() }
    });
    Some(())
}

impl Vulnerability<'_> {
    /// None if it names no package.
    fn statement(&self) -> Option<Affected> {
        let package = self.package.as_ref().filter(|package| !package.name.trim().is_empty())?;
        let ecosystem = ecosystem(&package.ecosystem);
        let key = PackageKey::new(ecosystem.clone(), "", package.name.trim());
        let mut statement = common::statement(key, NameKind::Binary, VendorState::Affected);
        let text = self.vulnerable_version_range.trim();
        let stated = range(text, &ecosystem, &mut statement).is_some();
        let fixed = self.first_patched_version.as_str().or_else(|| self.first_patched_version["identifier"].as_str());
        let fixed = fixed.unwrap_or(&self.patched_versions);
        for version in fixed.split(',').map(|version| version.trim().trim_start_matches(['>', '=', ' '])) {
            let repeated = statement.ranges.iter().any(|range| match range {
                Range::Events { events, .. } => events.contains(&Event::Fixed(version.into())),
                _ => false,
            });
            if !version.is_empty() && version.len() <= 200 && !version.contains(['<', ' ', '|']) && !repeated {
                statement.fixed.push(version.into());
            }
        }
        if !stated {
            statement.ranges.clear();
            match statement.fixed.as_slice() {
                [only] => {
                    statement.ranges.push(common::before(only));
                    let text = if text.is_empty() {
                        "no range of versions is stated, only a fixed version".to_owned()
                    } else {
                        format!("the range is words: `{}`", common::cut(text, 100).escape_debug())
                    };
                    statement.conditions.push(Condition::Unevaluated(text.into()));
                }
                // A bound that no version can be compared with: a gap.
                _ => statement.ranges.push(common::before("")),
            }
        }
        let functions: Vec<Text> =
            self.vulnerable_functions.iter().take(MAX_FUNCTIONS).map(|name| common::cut(name, 200)).collect();
        if !functions.is_empty() {
            statement.conditions.push(Condition::Functions(functions));
        }
        Some(statement)
    }
}

fn convert(bytes: &[u8]) -> Parsed {
    let read: Advisory<'_> =
        serde_json::from_slice(bytes).map_err(|error| FeedError::record(common::id_in(bytes, "ghsa_id"), error))?;
    if !read.ghsa_id.starts_with("GHSA-") {
        return Err(FeedError::record(read.ghsa_id.to_string(), "an advisory of GitHub is called GHSA-…"));
    }
    let mut advisory = common::advisory(&read.ghsa_id, SOURCE);
    advisory.published = common::time(&read.published_at);
    common::revise(&mut advisory, &read.updated_at);
    advisory.head.withdrawn = common::time(&read.withdrawn_at);
    if read.kind.eq_ignore_ascii_case("malware") {
        advisory.head.kind = AdvisoryKind::Malicious;
    }
    advisory.summary = common::line(&read.summary);
    advisory.details = common::details(&read.description);
    for id in read.identifiers.iter().map(|identifier| &identifier.value).chain([&read.cve_id]) {
        let id: Text = id.trim().into();
        if common::is_cve(&id) && !advisory.head.aliases.contains(&id) {
            advisory.head.aliases.push(id);
        }
    }
    for cvss in [&read.cvss_severities.cvss_v4, &read.cvss_severities.cvss_v3, &read.cvss] {
        // GitHub writes 0.0 where there is no vector.
        if let Some(severity) = common::vector(&cvss.vector_string, cvss.score, "github")
            && !advisory.head.severities.iter().any(|known| known.vector == severity.vector)
        {
            advisory.head.severities.push(severity);
        }
    }
    let word = Some(&*read.severity).filter(|word| !word.eq_ignore_ascii_case("unknown"));
    advisory.head.severities.extend(word.and_then(|word| common::label(word, "github")));
    advisory.cwes = read
        .cwes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|cwe| common::cwe(cwe["cwe_id"].as_str().or_else(|| cwe.as_str())?))
        .take(50)
        .collect();
    advisory.references.extend(common::reference(ReferenceKind::Advisory, &read.html_url));
    for link in &read.references {
        let (Link::Plain(url) | Link::Wrapped { url }) = link;
        let known = advisory.references.iter().any(|known| *known.url == **url);
        advisory.references.extend(common::reference(ReferenceKind::Web, url).filter(|_| !known));
    }
    advisory.references.truncate(MAX_REFERENCES);
    for vulnerability in &read.vulnerabilities {
        advisory.affected.extend(vulnerability.statement());
    }
    Ok(Record::Advisory(Box::new(advisory)))
}

/// Advisories: one, a list, or one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(convert(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_what_the_other_form_has() {
        let of = |text: &str, ecosystem: &Ecosystem| {
            let key = PackageKey::new(ecosystem.clone(), "", "x");
            let mut statement = common::statement(key, NameKind::Binary, VendorState::Affected);
            range(text, ecosystem, &mut statement).map(|()| (statement.ranges, statement.versions))
        };
        let events = |events: Vec<Event>| Some((vec![Range::Events { semver: false, events }], vec![]));
        let from = |version: &str| Event::Introduced(version.into());
        assert_eq!(of("< 2.0", &Ecosystem::Npm), events(vec![from("0"), Event::Fixed("2.0".into())]));
        assert_eq!(of(">= 1, <= 2", &Ecosystem::Go), events(vec![from("1"), Event::LastAffected("2".into())]));
        assert_eq!(of(">= 3.1", &Ecosystem::PyPi), events(vec![from("3.1")]));
        assert_eq!(of("= 1.2.3", &Ecosystem::Npm), Some((vec![], vec!["1.2.3".into()])));
        let requirement = |text: &str| Some((vec![Range::Requirement { text: text.into() }], vec![]));
        assert_eq!(of("> 1.0, < 2.0", &Ecosystem::Npm), requirement(">1.0 <2.0"));
        assert_eq!(of("> 1.0, < 2.0", &Ecosystem::Maven), requirement(">1.0, <2.0"));
        assert_eq!(of("> 1.0, != 1.5", &Ecosystem::Hex), requirement(">1.0 and !=1.5"));
        for all in ["*", "ALL", "All versions"] {
            assert_eq!(of(all, &Ecosystem::Npm), events(vec![from("0")]), "{all}");
        }
        for bad in ["", "<", "2", "~> 2", ">= 1, =< 2"] {
            assert_eq!(of(bad, &Ecosystem::Npm), None, "{bad}");
        }
        for ecosystem in [Ecosystem::Npm, Ecosystem::Maven, Ecosystem::Hex, Ecosystem::PyPi, Ecosystem::Go] {
            let Some((ranges, _)) = of("> 1.0.0, < 2.0.0", &ecosystem) else { panic!("it is a range") };
            let Range::Requirement { text } = &ranges[0] else { panic!("it is a requirement") };
            let dialect = ecosystem.dialect().unwrap();
            let read = bartizan_matching::range::Requirement::parse(dialect, text).unwrap();
            let inside = |version: &str| read.contains(&dialect.key(version).unwrap());
            assert!(!inside("1.0.0") && inside("1.0.1") && !inside("2.0.0"), "{ecosystem}");
        }
    }

    /// The global form allows null; the one of repositories has what their owners wrote.
    #[test]
    fn a_range_of_words_drops_no_record() {
        let text = r#"{"ghsa_id":"GHSA-aaaa-bbbb-cccc","summary":"x","vulnerabilities":[
            {"package":{"ecosystem":"npm","name":"nothing"},"vulnerable_version_range":null,"first_patched_version":null},
            {"package":{"ecosystem":"npm","name":"patched"},"vulnerable_version_range":null,"first_patched_version":"1.2.0"},
            {"package":{"ecosystem":"pip","name":"words"},"vulnerable_version_range":"all before the rewrite","patched_versions":"2.0"},
            {"package":{"ecosystem":"npm","name":null},"vulnerable_version_range":"< 1"},
            {"package":{"ecosystem":"go","name":"plain"},"vulnerable_version_range":">= 1.0.1, <= 1.9.6"}]}"#;
        let Record::Advisory(advisory) = convert(text.as_bytes()).unwrap() else { panic!("it is an advisory") };
        let shown: Vec<(&str, &[Range], usize)> = advisory
            .affected
            .iter()
            .map(|one| (one.package.name.as_str(), one.ranges.as_slice(), one.conditions.len()))
            .collect();
        let through = Range::Events {
            semver: false,
            events: vec![Event::Introduced("1.0.1".into()), Event::LastAffected("1.9.6".into())],
        };
        assert_eq!(
            shown,
            [
                ("nothing", &[common::before("")][..], 0),
                ("patched", &[common::before("1.2.0")][..], 1),
                ("words", &[common::before("2.0")][..], 1),
                ("plain", &[through][..], 0),
            ]
        );
    }
}
