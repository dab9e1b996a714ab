//! VEX in CSAF 2.0 and 2.1 (profile `csaf_vex`, and the product status of any other profile).
//!
//! Rules: the CSAF standard. The product tree gives product ids their package URL or CPE name; a relationship makes a
//! component part of a product under an id of its own, and a statement about that id is one about the component in that
//! product ([`super::product`]).
//!
//! Not supported: product groups in remediations, and ids without a package URL or CPE name.

use std::collections::HashMap;

use serde_json::Value;

use super::{Product, Statement, Status, Subject, Vex, list, subject_of_purl, text, time};

/// Levels of the product tree; the standard's own branches are at most 30 deep.
const MAX_DEPTH: usize = 100;

const STATUSES: [(&str, Status); 7] = [
    ("known_not_affected", Status::NotAffected),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
    ("under_investigation", Status::UnderInvestigation),
];

pub(super) fn read(document: &Value) -> Vex {
    let mut subjects: HashMap<&str, Subject> = HashMap::new();
    let mut within: HashMap<&str, Product> = HashMap::new();
    if let Some(tree) = document.get("product_tree") {
        branches(tree, 0, &mut subjects);
        for product in list(tree, "full_product_names") {
            product_name(product, &mut subjects);
        }
        for relationship in list(tree, "relationships") {
            let combined = relationship.get("full_product_name").unwrap_or(&Value::Null);
            product_name(combined, &mut subjects);
            let id = text(combined, "product_id");
            if let (Some(id), Some(whole)) = (id, text(relationship, "relates_to_product_reference")) {
                within.insert(id, names(tree, whole));
            }
            let component = text(relationship, "product_reference").and_then(|id| subjects.get(id)).cloned();
            if let (Some(id), Some(component)) = (id, component) {
                subjects.entry(id).or_insert(component);
            }
        }
    }
    let when = document.pointer("/document/tracking").and_then(|tracking| time(tracking, "current_release_date"));
    let mut vex = Vex::default();
    for vulnerability in list(document, "vulnerabilities") {
        let ids: Vec<String> = text(vulnerability, "cve")
            .into_iter()
            .chain(list(vulnerability, "ids").filter_map(|id| text(id, "text")))
            .map(str::to_owned)
            .collect();
        for (key, status) in STATUSES {
            for id in vulnerability.get("product_status").into_iter().flat_map(|products| list(products, key)) {
                let id = id.as_str().unwrap_or_default();
                let Some(subject) = subjects.get(id).cloned() else {
                    vex.unusable(id, "its product has no package URL and no CPE name");
                    continue;
                };
                let note = about(vulnerability, "threats", "details", id)
                    .or_else(|| about(vulnerability, "remediations", "details", id));
                vex.push(Statement {
                    ids: ids.clone(),
                    subject,
                    within: within.get(id).cloned(),
                    status,
                    justification: about(vulnerability, "flags", "label", id).map(str::to_owned),
                    note: note.map(str::to_owned),
                    timestamp: when,
                });
            }
        }
    }
    vex
}

/// The names of a product, by its id: the id itself, its name, package URL and CPE name.
fn names(tree: &Value, id: &str) -> Product {
    fn find<'v>(parent: &'v Value, id: &str, depth: usize) -> Option<&'v Value> {
        let is_it = |product: &&Value| text(product, "product_id") == Some(id);
        list(parent, "branches").find_map(|branch| {
            let deeper = || if depth < MAX_DEPTH { find(branch, id, depth + 1) } else { None };
            branch.get("product").filter(is_it).or_else(deeper)
        })
    }
    let named = list(tree, "full_product_names").find(|product| text(product, "product_id") == Some(id));
    let product = named.or_else(|| find(tree, id, 0)).unwrap_or(&Value::Null);
    let helper = product.get("product_identification_helper").unwrap_or(&Value::Null);
    let known = [text(helper, "purl"), text(helper, "cpe"), text(product, "name"), Some(id)];
    Product::of(known.into_iter().flatten().chain(list(helper, "purls").filter_map(Value::as_str)))
}

/// What a list of the vulnerability says about a product.
fn about<'v>(vulnerability: &'v Value, key: &str, what: &str, product: &str) -> Option<&'v str> {
    list(vulnerability, key)
        .find(|entry| list(entry, "product_ids").any(|id| id.as_str() == Some(product)))
        .and_then(|entry| text(entry, what))
}

fn branches<'v>(parent: &'v Value, depth: usize, subjects: &mut HashMap<&'v str, Subject>) {
    for branch in list(parent, "branches") {
        if let Some(product) = branch.get("product") {
            product_name(product, subjects);
        }
        if depth < MAX_DEPTH {
            branches(branch, depth + 1, subjects);
        }
    }
}

fn product_name<'v>(product: &'v Value, subjects: &mut HashMap<&'v str, Subject>) {
    let Some(helper) = product.get("product_identification_helper") else { return };
    // 2.1 allows several package URLs.
    let purl = text(helper, "purl").or_else(|| list(helper, "purls").find_map(Value::as_str));
    let subject =
        purl.and_then(subject_of_purl).or_else(|| text(helper, "cpe").map(|name| Subject::Cpe(name.to_owned())));
    if let (Some(id), Some(subject)) = (text(product, "product_id"), subject) {
        subjects.insert(id, subject);
    }
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::{Ecosystem, Package};
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"document":{"category":"csaf_vex","csaf_version":"2.0","tracking":{"current_release_date":"2024-01-01T00:00:00Z"}},
        "product_tree":{"branches":[{"category":"vendor","name":"x","branches":[{"category":"product_version","name":"4.17.20",
          "product":{"product_id":"P1","name":"lodash","product_identification_helper":{"purl":"pkg:npm/lodash@4.17.20"}}}]}],
          "relationships":[{"category":"default_component_of","product_reference":"P1","relates_to_product_reference":"APP",
            "full_product_name":{"product_id":"APP:P1","name":"lodash in app"}}]},
        "vulnerabilities":[{"cve":"CVE-2021-1","ids":[{"system_name":"GitHub","text":"GHSA-a"}],
          "product_status":{"known_not_affected":["APP:P1"],"known_affected":["P9"]},
          "flags":[{"label":"vulnerable_code_not_in_execute_path","product_ids":["APP:P1"]}],
          "threats":[{"category":"impact","details":"never called","product_ids":["APP:P1"]}]}]}"#;

    #[test]
    fn product_ids_lead_to_packages() {
        let vex = Vex::read(DOCUMENT.as_bytes()).unwrap();
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4.17.20");
        let statement = &vex.statements[0];
        assert!(statement.speaks_of(&lodash, &["GHSA-a".into()]));
        assert_eq!(statement.justification.as_deref(), Some("vulnerable_code_not_in_execute_path"));
        assert_eq!(statement.note.as_deref(), Some("never called"));
        assert_eq!(vex.unusable[0].subject, "P9");
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..DOCUMENT.len(), byte in any::<u8>()) {
            let mut bytes = DOCUMENT.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Vex::read(&bytes);
        }
    }
}
