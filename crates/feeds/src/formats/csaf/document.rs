//! The members of a CSAF document that are read, in the words of the specification.

use serde::Deserialize;

use crate::formats::common::{Str, nullable};
use crate::formats::cvss::CvssData;

#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) document: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_tree: ProductTree<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) vulnerabilities: Vec<Vulnerability<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) category: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) title: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) aggregate_severity: Severity<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) notes: Vec<Note<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) publisher: Publisher<'a>,
    #[serde(borrow)]
    pub(super) tracking: Tracking<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) references: Vec<ReferenceJson<'a>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Severity<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) text: Str<'a>,
}

#[derive(Deserialize)]
pub(super) struct Note<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) category: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) text: Str<'a>,
}

#[derive(Deserialize, Default)]
pub(super) struct Publisher<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) name: Str<'a>,
}

#[derive(Deserialize)]
pub(super) struct Tracking<'a> {
    #[serde(borrow)]
    pub(super) id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) current_release_date: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) initial_release_date: Str<'a>,
}

#[derive(Deserialize)]
pub(super) struct ReferenceJson<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) category: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) url: Str<'a>,
}

#[derive(Deserialize, Default)]
pub(super) struct ProductTree<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) branches: Vec<Branch<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) full_product_names: Vec<Product<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) relationships: Vec<Relationship<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_groups: Vec<ProductGroup<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ProductGroup<'a> {
    #[serde(borrow)]
    pub(super) group_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_ids: Vec<Str<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Branch<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) category: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) name: Str<'a>,
    #[serde(borrow, default)]
    pub(super) product: Option<Product<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) branches: Vec<Branch<'a>>,
}

#[derive(Deserialize, Clone)]
pub(super) struct Product<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) name: Str<'a>,
    #[serde(borrow)]
    pub(super) product_id: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_identification_helper: Helper<'a>,
}

#[derive(Deserialize, Default, Clone)]
pub(super) struct Helper<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cpe: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) purl: Str<'a>,
}

#[derive(Deserialize)]
pub(super) struct Relationship<'a> {
    #[serde(borrow)]
    pub(super) product_reference: Str<'a>,
    #[serde(borrow)]
    pub(super) relates_to_product_reference: Str<'a>,
    #[serde(borrow)]
    pub(super) full_product_name: Product<'a>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cve: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) cwe: Weakness<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) title: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) notes: Vec<Note<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_status: Status<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) remediations: Vec<Remediation<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) scores: Vec<Score<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) references: Vec<ReferenceJson<'a>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Weakness<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) id: Str<'a>,
}

#[derive(Deserialize, Default)]
pub(super) struct Status<'a> {
    #[serde(borrow, default)]
    pub(super) fixed: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) first_fixed: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) recommended: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) known_affected: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) first_affected: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) last_affected: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) known_not_affected: Vec<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) under_investigation: Vec<Str<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Remediation<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) category: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) details: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) product_ids: Vec<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    pub(super) group_ids: Vec<Str<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Score<'a> {
    #[serde(borrow, default)]
    pub(super) cvss_v3: Option<CvssData<'a>>,
    #[serde(borrow, default)]
    pub(super) cvss_v2: Option<CvssData<'a>>,
    #[serde(borrow, default)]
    pub(super) cvss_v4: Option<CvssData<'a>>,
}
