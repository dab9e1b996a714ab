//! The OpenAPI document: complete, checked in, and true.

use std::collections::BTreeSet;
use std::path::Path;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use hyper::Method;
use serde_json::Value;

api_tests!(the_served_document_is_the_checked_in_one,);

/// Each operation of the document: method, path, description.
pub fn operations() -> Vec<(Method, String, Value)> {
    let document: Value = serde_json::from_str(&bartizan_http::openapi_json()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase().parse().unwrap(), path.clone(), operation.clone()));
        }
    }
    operations
}

/// Whether anybody may call an operation.
pub fn is_public(operation: &Value) -> bool {
    operation["security"]
        .as_array()
        .is_some_and(|schemes| schemes.iter().all(|scheme| scheme == &serde_json::json!({})))
}

#[test]
fn the_checked_in_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/openapi.json");
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(
        checked_in == bartizan_http::openapi_json(),
        "ui/openapi.json is stale: cargo run -p bartizan-http --example openapi > ui/openapi.json, then in ui/ npm run generate:api"
    );
}

async fn the_served_document_is_the_checked_in_one() {
    let app = TestApp::blank().await;
    let served = app.anonymous().get("/api/openapi.json").await.expect(200);
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.text(), bartizan_http::openapi_json());
    assert_eq!(served.json()["openapi"], "3.1.0");
}

#[test]
fn every_operation_is_named_described_and_shown() {
    let document: Value = serde_json::from_str(&bartizan_http::openapi_json()).unwrap();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let verbs = [
            "get",
            "list",
            "create",
            "update",
            "delete",
            "bulk",
            "import",
            "cancel",
            "download",
            "stream",
            "login",
            "logout",
            "refresh",
            "setup",
            "load",
            "switch",
            "confirm",
            "accept",
            "join",
            "resend",
            "preview",
            "reset",
            "request",
            "test",
            "verify",
            "authorize",
            "exchange",
            "run",
            "retry",
        ];
        assert!(id.split_once('_').is_some_and(|(verb, _)| verbs.contains(&verb)), "{what}: operationId `{id}`");
        assert!(ids.insert(id.clone()), "{what}: operationId `{id}` is used twice");
        for member in ["summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {member}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{what}: no success");
        if path.starts_with("/api/") && !is_public(&operation) {
            for status in ["401", "403", "422", "500"] {
                assert!(responses.contains_key(status), "{what}: {status} is not documented");
            }
        }
        let body = &operation["requestBody"];
        let success: Vec<&Value> =
            responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, r)| r).collect();
        let empty = body.is_null() && success.iter().all(|response| response["content"].is_null());
        let file = id.starts_with("download");
        let shown =
            success.iter().any(|response| has_example(&document, response, 0)) || has_example(&document, body, 0);
        assert!(empty || file || shown, "{what}: no example");
    }
}

#[test]
fn every_list_comes_in_pages() {
    let document: Value = serde_json::from_str(&bartizan_http::openapi_json()).unwrap();
    let mut lists = 0;
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let mut schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if let Some(name) = schema["$ref"].as_str() {
            schema = document.pointer(name.trim_start_matches('#')).unwrap();
        }
        assert_ne!(schema["type"], "array", "{method} {path}: a list without pages");
        if method == Method::GET && id.starts_with("list_") {
            lists += 1;
            for member in ["data", "total", "page", "page_size", "total_pages"] {
                assert!(schema["properties"][member].is_object(), "{path}: the answer has no `{member}`");
            }
            let parameters = operation["parameters"].as_array().unwrap();
            for name in ["page", "page_size"] {
                assert!(parameters.iter().any(|it| it["name"] == name), "{path}: there is no parameter `{name}`");
            }
        }
    }
    assert!(lists > 15, "{lists} lists");
}

fn has_example(document: &Value, value: &Value, depth: usize) -> bool {
    if depth > 12 {
        return false;
    }
    match value {
        Value::Object(members) => {
            members.contains_key("example")
                || members.contains_key("examples")
                || members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .is_some_and(|target| has_example(document, document.pointer(&target[1..]).unwrap(), depth + 1))
                || members.values().any(|member| has_example(document, member, depth + 1))
        }
        Value::Array(items) => items.iter().any(|item| has_example(document, item, depth + 1)),
        _ => false,
    }
}
