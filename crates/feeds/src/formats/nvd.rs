//! NVD: records of the API 2.0, in pages or one by one, and overrides of the same shape.
//!
//! Source of the rules: NVD's schema `cve_api_json_2.0` (`nvd.nist.gov/developers/vulnerabilities`). A page is an object
//! with `vulnerabilities`, each holding a `cve`; a record may also stand alone, and so may an override
//! (`{"_annotation", "cve": {"configurations"}}`). `vulnStatus` *Rejected* is withdrawn. `configurations` are kept as the
//! tree they are; a record without any matches nothing.
//!
//! Not supported: CPE dictionary, match strings and change history (no records about vulnerabilities); `evaluator*`
//! remarks. Linear in the bytes; memory of one record.

use bartizan_matching::cpe::{Configuration, CpeMatch, Node, Operator};
use bartizan_matching::model::{Advisory, ReferenceKind};
use serde::Deserialize;

use super::common::{self, MAX_REFERENCES, Str, nullable};
use super::cvss::CvssData;
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;
use crate::store::max_node_depth;

pub(super) const SOURCE: &str = "nvd";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve<'a> {
    #[serde(borrow)]
    id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    last_modified: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    vuln_status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    descriptions: Vec<LangText<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    metrics: Metrics<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    weaknesses: Vec<Weakness<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    configurations: Vec<ConfigurationJson<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<ReferenceJson<'a>>,
}

/// A text in a language.
#[derive(Deserialize)]
pub(super) struct LangText<'a> {
    #[serde(borrow, default)]
    pub lang: Str<'a>,
    #[serde(borrow, default)]
    pub value: Str<'a>,
}

/// The English text, or the first.
pub(super) fn english<'t>(texts: &'t [LangText<'_>]) -> &'t str {
    texts.iter().find(|text| text.lang.starts_with("en")).or_else(|| texts.first()).map_or("", |text| &text.value)
}

#[derive(Deserialize, Default)]
struct Metrics<'a> {
    #[serde(borrow, default, rename = "cvssMetricV40", deserialize_with = "nullable")]
    v40: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV31", deserialize_with = "nullable")]
    v31: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV30", deserialize_with = "nullable")]
    v30: Vec<Metric<'a>>,
    #[serde(borrow, default, rename = "cvssMetricV2", deserialize_with = "nullable")]
    v2: Vec<Metric<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric<'a> {
    #[serde(borrow, default)]
    source: Str<'a>,
    #[serde(borrow, default)]
    cvss_data: CvssData<'a>,
}

#[derive(Deserialize)]
struct Weakness<'a> {
    #[serde(borrow, default)]
    description: Vec<LangText<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ReferenceJson<'a> {
    #[serde(borrow, default)]
    pub url: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub tags: Vec<Str<'a>>,
}

/// A configuration, as the API and CVE 5 write it.
#[derive(Deserialize)]
pub(super) struct ConfigurationJson<'a> {
    #[serde(default)]
    operator: Option<Join>,
    #[serde(default)]
    negate: Option<bool>,
    #[serde(borrow, default)]
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Deserialize)]
struct NodeJson<'a> {
    #[serde(default)]
    operator: Option<Join>,
    #[serde(default)]
    negate: Option<bool>,
    #[serde(borrow, default, rename = "cpeMatch")]
    cpe_match: Vec<MatchJson<'a>>,
    #[serde(borrow, default)]
    children: Vec<NodeJson<'a>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    #[serde(rename = "AND", alias = "and", alias = "And")]
    And,
    #[serde(rename = "OR", alias = "or", alias = "Or")]
    Or,
}

impl From<Join> for Operator {
    fn from(join: Join) -> Self {
        match join {
            Join::And => Self::And,
            Join::Or => Self::Or,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatchJson<'a> {
    vulnerable: bool,
    // `cpe23Uri` in the feeds of version 1.1.
    #[serde(borrow, alias = "cpe23Uri")]
    criteria: Str<'a>,
    #[serde(borrow, default)]
    version_start_including: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_start_excluding: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_end_including: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_end_excluding: Option<Str<'a>>,
}

impl ConfigurationJson<'_> {
    /// As the core evaluates it.
    pub(super) fn into_model(self) -> Result<Configuration> {
        Ok(Configuration {
            operator: self.operator.map_or_else(Operator::default, Operator::from),
            negate: self.negate.unwrap_or(false),
            nodes: self.nodes.into_iter().map(|node| node.into_model(0)).collect::<Result<_>>()?,
        })
    }
}

impl NodeJson<'_> {
    fn into_model(self, depth: usize) -> Result<Node> {
        if depth >= max_node_depth() {
            return Err(FeedError::Limit { what: "the nesting of CPE nodes", limit: max_node_depth() as u64 });
        }
        Ok(Node {
            operator: self.operator.map_or_else(Operator::default, Operator::from),
            negate: self.negate.unwrap_or(false),
            matches: self.cpe_match.into_iter().map(MatchJson::into_model).collect(),
            children: self.children.into_iter().map(|child| child.into_model(depth + 1)).collect::<Result<_>>()?,
        })
    }
}

/// A bound of a version range; white space round it is a slip of the source.
pub(super) fn bound(text: Option<Str<'_>>) -> Option<bartizan_matching::model::Text> {
    text.map(|text| text.trim().into()).filter(|text: &bartizan_matching::model::Text| !text.is_empty())
}

impl MatchJson<'_> {
    pub(super) fn into_model(self) -> CpeMatch {
        CpeMatch {
            vulnerable: self.vulnerable,
            criteria: self.criteria.trim().into(),
            start_including: bound(self.version_start_including),
            start_excluding: bound(self.version_start_excluding),
            end_including: bound(self.version_end_including),
            end_excluding: bound(self.version_end_excluding),
        }
    }
}

/// What NVD's tags say about a link.
pub(super) fn reference_kind(tags: &[Str<'_>]) -> ReferenceKind {
    let has = |word: &str| tags.iter().any(|tag| tag.eq_ignore_ascii_case(word));
    if has("Exploit") {
        ReferenceKind::Exploit
    } else if has("Patch") {
        ReferenceKind::Fix
    } else if has("Vendor Advisory") || has("vendor-advisory") || has("Third Party Advisory") {
        ReferenceKind::Advisory
    } else if has("Issue Tracking") || has("issue-tracking") || has("Mailing List") {
        ReferenceKind::Report
    } else {
        ReferenceKind::Web
    }
}

fn convert(cve: Cve<'_>) -> Result<Advisory> {
    if !cve.id.starts_with("CVE-") {
        return Err(FeedError::record(cve.id.to_string(), "an NVD record is about a CVE"));
    }
    let mut advisory = common::advisory(&cve.id, SOURCE);
    advisory.published = common::time(&cve.published);
    common::revise(&mut advisory, &cve.last_modified);
    if cve.vuln_status.eq_ignore_ascii_case("rejected") {
        advisory.head.withdrawn = advisory.modified.or(advisory.published).or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    advisory.details = common::details(english(&cve.descriptions));
    let metrics = cve.metrics;
    advisory.head.severities = [metrics.v40, metrics.v31, metrics.v30, metrics.v2]
        .into_iter()
        .flatten()
        .filter_map(|metric| metric.cvss_data.severity(&metric.source))
        .collect();
    for weakness in cve.weaknesses.iter().flat_map(|weakness| &weakness.description) {
        if let Some(cwe) = common::cwe(&weakness.value).filter(|cwe| !advisory.cwes.contains(cwe)) {
            advisory.cwes.push(cwe);
        }
    }
    advisory.references = cve
        .references
        .iter()
        .filter_map(|reference| common::reference(reference_kind(&reference.tags), &reference.url))
        .take(MAX_REFERENCES)
        .collect();
    advisory.configurations =
        cve.configurations.into_iter().map(ConfigurationJson::into_model).collect::<Result<_>>()?;
    Ok(advisory)
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
}

/// One record: the `cve` object itself, or the object that holds it.
fn record(bytes: &[u8]) -> Parsed {
    let direct: std::result::Result<Cve<'_>, _> = serde_json::from_slice(bytes);
    let cve = match direct {
        Ok(cve) => cve,
        Err(direct) => match serde_json::from_slice::<Wrapped<'_>>(bytes) {
            Ok(wrapped) => wrapped.cve,
            Err(wrapped) => {
                // Which of the two it was meant to be is told by the key.
                let error =
                    if bytes.windows(6).take(4096).any(|window| window == b"\"cve\":") { wrapped } else { direct };
                return Err(FeedError::record("", error));
            }
        },
    };
    Ok(Record::Advisory(Box::new(convert(cve)?)))
}

/// Pages of the API.
pub(super) fn pages(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    while stream.peek()?.is_some() {
        stream.object(|stream, key| match key {
            "vulnerabilities" => stream.array(|stream| {
                let parsed = wrapped_record(stream.value()?);
                out.take(parsed)
            }),
            _ => stream.skip(),
        })?;
    }
    Ok(())
}

fn wrapped_record(bytes: &[u8]) -> Parsed {
    let wrapped: Wrapped<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    Ok(Record::Advisory(Box::new(convert(wrapped.cve)?)))
}

/// Records one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(record(bytes)))
}

#[derive(Deserialize)]
struct Override<'a> {
    #[serde(borrow, rename = "_annotation")]
    annotation: Annotation<'a>,
    #[serde(borrow)]
    cve: OverrideCve<'a>,
}

#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow)]
    cve_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    modified: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    published: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    references: Vec<Str<'a>>,
}

#[derive(Deserialize)]
struct OverrideCve<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    configurations: Vec<ConfigurationJson<'a>>,
}

fn override_record(bytes: &[u8]) -> Parsed {
    let Override { annotation, cve } = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let mut advisory = common::advisory(&annotation.cve_id, "nvd-overrides");
    advisory.published = common::time(&annotation.published);
    common::revise(&mut advisory, &annotation.modified);
    advisory.details = common::details(&annotation.description);
    advisory.references = annotation
        .references
        .iter()
        .filter_map(|url| common::reference(ReferenceKind::Web, url))
        .take(MAX_REFERENCES)
        .collect();
    advisory.configurations =
        cve.configurations.into_iter().map(ConfigurationJson::into_model).collect::<Result<_>>()?;
    Ok(Record::Advisory(Box::new(advisory)))
}

/// Overrides for records that NVD did not analyse.
pub(super) fn overrides(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(override_record(bytes)))
}
