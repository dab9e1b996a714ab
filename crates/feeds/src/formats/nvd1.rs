//! NVD's retired JSON 1.1 feeds, which mirrors and old backups still hold.
//!
//! Source of the rules: `nvd_cve_feed_json_1.1.schema`. `configurations.nodes` are alternatives; a node with `children`
//! joins them by its operator. They become the configurations of API 2.0: a node with children is a configuration of
//! its own, a node without is a configuration of one node. Rejected records say so in the description.
//!
//! Not supported: `cpe_name` lists (they repeat the criteria). Linear; memory of one record.

use bartizan_matching::cpe::{Configuration, Node, Operator};
use bartizan_matching::model::Advisory;
use serde::Deserialize;

use super::common::{self, MAX_REFERENCES, Str, nullable};
use super::cvss::CvssData;
use super::nvd::{self, Join, LangText, MatchJson, ReferenceJson};
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;
use crate::store::max_node_depth;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    cve: Cve<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    configurations: Configurations<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    impact: Impact<'a>,
    #[serde(borrow, default)]
    published_date: Str<'a>,
    #[serde(borrow, default)]
    last_modified_date: Str<'a>,
}

#[derive(Deserialize)]
struct Cve<'a> {
    #[serde(borrow, rename = "CVE_data_meta")]
    meta: Meta<'a>,
    #[serde(borrow, default)]
    problemtype: ProblemType<'a>,
    #[serde(borrow, default)]
    references: References<'a>,
    #[serde(borrow, default)]
    description: Description<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "ID")]
    id: Str<'a>,
}

#[derive(Deserialize, Default)]
struct ProblemType<'a> {
    #[serde(borrow, default)]
    problemtype_data: Vec<Weakness<'a>>,
}

#[derive(Deserialize)]
struct Weakness<'a> {
    #[serde(borrow, default)]
    description: Vec<LangText<'a>>,
}

#[derive(Deserialize, Default)]
struct References<'a> {
    #[serde(borrow, default)]
    reference_data: Vec<ReferenceJson<'a>>,
}

#[derive(Deserialize, Default)]
struct Description<'a> {
    #[serde(borrow, default)]
    description_data: Vec<LangText<'a>>,
}

#[derive(Deserialize, Default)]
struct Configurations<'a> {
    #[serde(borrow, default)]
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Deserialize)]
struct NodeJson<'a> {
    #[serde(default)]
    operator: Option<Join>,
    #[serde(default)]
    negate: Option<bool>,
    #[serde(borrow, default)]
    children: Vec<NodeJson<'a>>,
    #[serde(borrow, default)]
    cpe_match: Vec<MatchJson<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Impact<'a> {
    #[serde(borrow, default)]
    base_metric_v3: Option<MetricV3<'a>>,
    #[serde(borrow, default)]
    base_metric_v2: Option<MetricV2<'a>>,
}

#[derive(Deserialize)]
struct MetricV3<'a> {
    #[serde(borrow, default, rename = "cvssV3")]
    cvss: CvssData<'a>,
}

#[derive(Deserialize)]
struct MetricV2<'a> {
    #[serde(borrow, default, rename = "cvssV2")]
    cvss: CvssData<'a>,
    #[serde(borrow, default)]
    severity: Str<'a>,
}

impl NodeJson<'_> {
    fn into_node(self, depth: usize) -> Result<Node> {
        if depth >= max_node_depth() {
            return Err(FeedError::Limit { what: "the nesting of CPE nodes", limit: max_node_depth() as u64 });
        }
        Ok(Node {
            operator: self.operator.map_or_else(Operator::default, Operator::from),
            negate: self.negate.unwrap_or(false),
            matches: self.cpe_match.into_iter().map(MatchJson::into_model).collect(),
            children: self.children.into_iter().map(|child| child.into_node(depth + 1)).collect::<Result<_>>()?,
        })
    }

    fn into_configuration(self) -> Result<Configuration> {
        if self.children.is_empty() || !self.cpe_match.is_empty() {
            return Ok(Configuration { operator: Operator::default(), negate: false, nodes: vec![self.into_node(0)?] });
        }
        Ok(Configuration {
            operator: self.operator.map_or_else(Operator::default, Operator::from),
            negate: self.negate.unwrap_or(false),
            nodes: self.children.into_iter().map(|child| child.into_node(0)).collect::<Result<_>>()?,
        })
    }
}

fn convert(item: Item<'_>) -> Result<Advisory> {
    let id = &item.cve.meta.id;
    if !id.starts_with("CVE-") {
        return Err(FeedError::record(id.to_string(), "an NVD record is about a CVE"));
    }
    let mut advisory = common::advisory(id, nvd::SOURCE);
    advisory.published = common::time(&item.published_date);
    common::revise(&mut advisory, &item.last_modified_date);
    let description = nvd::english(&item.cve.description.description_data);
    if description.starts_with("** REJECT **") {
        advisory.head.withdrawn = advisory.modified.or(Some(chrono::DateTime::UNIX_EPOCH));
    }
    advisory.details = common::details(description);
    if let Some(metric) = &item.impact.base_metric_v3 {
        advisory.head.severities.extend(metric.cvss.severity("nvd@nist.gov"));
    }
    if let Some(metric) = &item.impact.base_metric_v2 {
        let severity = metric.cvss.severity("nvd@nist.gov").map(|mut severity| {
            severity.label = common::cut(&metric.severity, 20);
            severity
        });
        advisory.head.severities.extend(severity);
    }
    for text in item.cve.problemtype.problemtype_data.iter().flat_map(|weakness| &weakness.description) {
        if let Some(cwe) = common::cwe(&text.value).filter(|cwe| !advisory.cwes.contains(cwe)) {
            advisory.cwes.push(cwe);
        }
    }
    advisory.references = item
        .cve
        .references
        .reference_data
        .iter()
        .filter_map(|reference| common::reference(nvd::reference_kind(&reference.tags), &reference.url))
        .take(MAX_REFERENCES)
        .collect();
    advisory.configurations =
        item.configurations.nodes.into_iter().map(NodeJson::into_configuration).collect::<Result<_>>()?;
    Ok(advisory)
}

fn item(bytes: &[u8]) -> Parsed {
    let item: Item<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    Ok(Record::Advisory(Box::new(convert(item)?)))
}

/// A feed.
pub(super) fn feed(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.object(|stream, key| match key {
        "CVE_Items" => stream.array(|stream| out.take(item(stream.value()?))),
        _ => stream.skip(),
    })?;
    stream.finish()
}

/// Records of a feed, one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| out.take(item(bytes)))
}
