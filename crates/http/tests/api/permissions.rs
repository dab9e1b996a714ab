//! Who may call what: every operation of the document by every role, as one reviewed file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Streamed, TestApp};
use hyper::Method;
use serde_json::Value;

use crate::documents::{is_public, operations};

api_tests!(nobody_reads_or_changes_anything_without_signing_in, the_permission_matrix_is_the_reviewed_one,);

/// A path with ids that belong to nobody.
pub fn concrete(path: &str) -> String {
    path.replace("{scan_id}", "999999999")
        .replace("{check_id}", "no.such_check")
        .replace("{role}", "no_such_role")
        .replace("{asset_type}", "favicon")
        .split('/')
        .map(|part| if part.starts_with('{') { "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Operations whose documented example is understood and refused, whoever sends it: they ask for the caller's own
/// password, which the example cannot know.
const OWN_PASSWORD: [&str; 2] = ["/api/auth/password", "/api/auth/second-factor"];

/// Calls an operation with the body its documentation shows, about ids that belong to nobody.
async fn attempt(actor: &Actor, method: &Method, path: &str, operation: &Value) -> Streamed {
    let call = actor.request(method.clone(), &concrete(path));
    let call = match example_body(operation) {
        Some(_) if path.ends_with("/import") => call.file("target_type,target_value\n"),
        Some(_) if path.ends_with("/{asset_type}") => call.file(crate::branding::DOT),
        Some(body) => call.json(&body),
        None => call,
    };
    call.open().await
}

pub fn example_body(operation: &Value) -> Option<Value> {
    let content = operation["requestBody"]["content"].as_object()?;
    let Some(json) = content.get("application/json") else { return Some(Value::Null) };
    let name = json["schema"]["$ref"].as_str().unwrap();
    let document: Value = serde_json::from_str(&bartizan_http::openapi_json()).unwrap();
    Some(document.pointer(&name[1..]).unwrap()["example"].clone())
}

async fn nobody_reads_or_changes_anything_without_signing_in() {
    let app = TestApp::start().await;
    let _ = app.admin().await;
    for (method, path, operation) in operations() {
        let status = attempt(&app.anonymous(), &method, &path, &operation).await.status;
        if matches!(path.as_str(), "/api/auth/login" | "/api/auth/refresh") {
            // Public, but the credentials of the example are nobody's.
            assert_eq!(status, 401, "{method} {path}");
        } else if is_public(&operation) {
            assert_ne!(status, 401, "{method} {path}");
        } else {
            assert_eq!(status, 401, "{method} {path}");
        }
    }
}

async fn the_permission_matrix_is_the_reviewed_one() {
    let app = TestApp::start().await;
    let actors = [
        ("admin", app.admin().await),
        ("analyst", app.analyst().await),
        ("auditor", app.auditor().await),
        ("read_only", app.read_only().await),
    ];
    let mut rows: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (method, path, operation) in operations() {
        if is_public(&operation) || path == "/api/auth/logout" {
            continue;
        }
        let mut row = Vec::new();
        for (_, actor) in &actors {
            let answer = attempt(actor, &method, &path, &operation).await;
            let status = answer.status;
            let refused = status == 422 && OWN_PASSWORD.contains(&path.as_str());
            let understood = status < 500 && !matches!(status, 401 | 415 | 422);
            assert!(understood || refused, "{method} {path}: {status}");
            row.push(if status == 403 { "-" } else { "yes" });
        }
        rows.insert((path, method.to_string()), row);
    }
    let mut table = format!("{:<8} {:<46}", "method", "path");
    for (name, _) in &actors {
        write!(table, " {name:<9}").unwrap();
    }
    for ((path, method), row) in rows {
        write!(table, "\n{method:<8} {path:<46}").unwrap();
        for cell in row {
            write!(table, " {cell:<9}").unwrap();
        }
    }
    let table = table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("permission_matrix", table);
}
