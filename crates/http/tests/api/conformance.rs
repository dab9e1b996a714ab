//! The list of what the reference documents name (`docs/conformance.toml`) tells the truth about endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::documents::operations;

#[derive(Debug, Deserialize)]
struct List {
    item: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    source: String,
    kind: String,
    what: String,
    state: String,
    #[serde(rename = "where")]
    place: Option<String>,
    #[serde(default)]
    query: Vec<String>,
    #[serde(default)]
    sort: Vec<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
}

/// Endpoints that each document names: a row that disappears is noticed.
const NAMED: [(&str, usize); 3] = [("api", 115), ("ports", 6), ("posture", 8)];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn list() -> Vec<Item> {
    let text = std::fs::read_to_string(root().join("docs/conformance.toml")).unwrap();
    toml::from_str::<List>(&text).unwrap().item
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// An operation with everything it refers to, as text.
fn whole(document: &Value, operation: &Value) -> String {
    let (mut text, mut seen) = (operation.to_string(), BTreeSet::new());
    loop {
        let referred: Vec<String> = text
            .split("\"#/components/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(|name| format!("/components/{name}"))
            .filter(|name| seen.insert(name.clone()))
            .collect();
        if referred.is_empty() {
            return text;
        }
        for pointer in referred {
            text.push_str(&document.pointer(&pointer).unwrap().to_string());
        }
    }
}

#[test]
fn endpoints_are_served_as_the_list_says() {
    let document: Value = serde_json::from_str(&bartizan_http::openapi_json()).unwrap();
    let served: BTreeMap<(Method, String), Value> =
        operations().into_iter().map(|(method, path, operation)| ((method, shape(&path)), operation)).collect();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    let mut once = BTreeSet::new();
    for item in list().into_iter().filter(|item| item.kind == "endpoint") {
        let what = item.what.as_str();
        assert!(once.insert(item.what.clone()), "{what} is listed twice");
        *named.entry(item.source.clone()).or_default() += 1;
        let (method, path) = what.split_once(' ').unwrap();
        let operation = served.get(&(method.parse().unwrap(), shape(path)));
        assert_eq!(operation.is_some(), item.state == "done", "{what}: is it served?");
        let Some(operation) = operation else { continue };
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let parameter = |name: &str| parameters.iter().find(|parameter| parameter["name"] == name);
        let columns = parameter("sort").map_or_else(String::new, |sort| whole(&document, sort));
        let text = whole(&document, operation);
        let quoted = |text: &str, word: &str| text.contains(&format!("\"{word}\""));
        let present = item.query.iter().map(|name| (name, parameter(name).is_some()));
        let present = present.chain(item.sort.iter().map(|name| (name, quoted(&columns, name))));
        let present: Vec<_> = present.chain(item.values.iter().map(|name| (name, quoted(&text, name)))).collect();
        for (name, present) in &present {
            assert_eq!(*present, !item.missing.contains(name), "{what}: `{name}`: is it there?");
        }
        for name in &item.missing {
            assert!(present.iter().any(|(known, _)| *known == name), "{what}: `{name}` is missing, of what?");
        }
    }
    for (source, count) in NAMED {
        assert_eq!(named.get(source), Some(&count), "endpoints of the document `{source}`");
    }
}

#[test]
fn what_is_done_names_its_test() {
    for item in list() {
        let place = item.place.as_deref().map(|place| root().join(place).is_file());
        let right = if item.state == "done" { Some(true) } else { None };
        assert_eq!(place, right, "{}: {:?}", item.what, item.place);
    }
}
