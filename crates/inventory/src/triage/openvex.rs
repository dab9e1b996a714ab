//! OpenVEX, 0.0.1 and 0.2.0.
//!
//! Rules: the OpenVEX specification. A statement has a vulnerability (a text before 0.2, then an object with `name` and
//! `aliases`), products, and a status. Where a product has subcomponents, the statement is about these in that
//! product and no other ([`super::product`]). A `not_affected` without justification and impact statement
//! breaks the specification ("Status Justifications") and is not used.
//!
//! Not supported: supersession between documents (of several statements about a match the newest counts).

use serde_json::Value;

use super::{Product, Statement, Status, Subject, Vex, list, subject_of_purl, text, time};

pub(super) fn read(document: &Value) -> Vex {
    let mut vex = Vex::default();
    for statement in list(document, "statements") {
        let Some(status) = text(statement, "status").and_then(status) else {
            vex.unusable("statement", "its status is missing or not known");
            continue;
        };
        let ids = ids(statement.get("vulnerability").unwrap_or(&Value::Null));
        if ids.is_empty() {
            vex.unusable("statement", "it names no vulnerability");
            continue;
        }
        let is_reasoned = ["justification", "impact_statement"].iter().any(|key| text(statement, key).is_some());
        if status == Status::NotAffected && !is_reasoned {
            vex.unusable(&ids[0], "it says `not_affected` and gives neither a justification nor an impact statement");
            continue;
        }
        for product in list(statement, "products") {
            let parts: Vec<&Value> = list(product, "subcomponents").collect();
            let within = (!parts.is_empty()).then(|| names(product));
            for item in if parts.is_empty() { vec![product] } else { parts } {
                let Some(subject) = subject(item) else {
                    vex.unusable(identifier(item), "it names no package");
                    continue;
                };
                vex.push(Statement {
                    ids: ids.clone(),
                    subject,
                    within: within.clone(),
                    status,
                    justification: text(statement, "justification").map(str::to_owned),
                    note: text(statement, "impact_statement")
                        .or_else(|| text(statement, "action_statement"))
                        .map(str::to_owned),
                    timestamp: time(statement, "last_updated")
                        .or_else(|| time(statement, "timestamp"))
                        .or_else(|| time(document, "last_updated"))
                        .or_else(|| time(document, "timestamp")),
                });
            }
        }
    }
    vex
}

fn status(text: &str) -> Option<Status> {
    [Status::NotAffected, Status::Fixed, Status::Affected, Status::UnderInvestigation]
        .into_iter()
        .find(|status| status.as_str() == text)
}

fn ids(vulnerability: &Value) -> Vec<String> {
    match vulnerability {
        Value::String(id) => vec![id.clone()],
        other => {
            let names = text(other, "name").into_iter();
            names.chain(list(other, "aliases").filter_map(Value::as_str)).map(str::to_owned).collect()
        }
    }
}

fn identifier(item: &Value) -> &str {
    item.as_str().or_else(|| text(item, "@id")).unwrap_or("product")
}

fn names(product: &Value) -> Product {
    let identifiers = product.get("identifiers").and_then(Value::as_object).into_iter().flatten();
    let identifiers = identifiers.filter_map(|(_, value)| value.as_str());
    Product::of(product.as_str().or_else(|| text(product, "@id")).into_iter().chain(identifiers))
}

fn subject(item: &Value) -> Option<Subject> {
    let purl = item.pointer("/identifiers/purl").and_then(Value::as_str);
    let cpe = item.pointer("/identifiers/cpe23").and_then(Value::as_str);
    purl.and_then(subject_of_purl)
        .or_else(|| subject_of_purl(identifier(item)))
        .or_else(|| cpe.map(|name| Subject::Cpe(name.to_owned())))
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::{Ecosystem, Package};
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://x.example/1","author":"x","timestamp":"2024-01-02T03:04:05Z","version":1,
        "statements":[
        {"vulnerability":{"name":"CVE-2021-1","aliases":["GHSA-a"]},"products":[{"@id":"pkg:oci/app","subcomponents":[{"@id":"pkg:npm/lodash@4.17.20"}]}],
         "status":"not_affected","justification":"vulnerable_code_not_present","impact_statement":"never called"},
        {"vulnerability":"CVE-2021-2","products":["pkg:cargo/time"],"status":"fixed","timestamp":"2024-02-01T00:00:00Z"},
        {"vulnerability":{"name":"CVE-2021-3"},"products":[{"@id":"https://x.example/app"}],"status":"affected"},
        {"vulnerability":{"name":"CVE-2021-4"},"products":[{"@id":"pkg:npm/x"}],"status":"odd"},
        {"vulnerability":{"name":"CVE-2021-5"},"products":[{"@id":"pkg:npm/x"}],"status":"not_affected"}]}"#;

    #[test]
    fn statements_of_both_versions() {
        let vex = Vex::read(DOCUMENT.as_bytes()).unwrap();
        assert_eq!(vex.statements.len(), 2);
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4.17.20");
        let first = &vex.statements[0];
        assert!(first.speaks_of(&lodash, &["GHSA-a".into()]) && first.status.clears());
        assert_eq!(first.justification.as_deref(), Some("vulnerable_code_not_present"));
        let time = Package::new(Ecosystem::CratesIo, "time", "0.1.45");
        assert!(vex.statements[1].speaks_of(&time, &["CVE-2021-2".into()]));
        assert!(!vex.statements[1].speaks_of(&time, &["CVE-2021-1".into()]));
        assert_eq!(vex.unusable.len(), 3);
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
