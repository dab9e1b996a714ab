//! Who may call what: every operation of the document by every role, as one reviewed file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use bartizan_domain::Role;
use bartizan_http::HttpConfig;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Options, Streamed, TestApp};
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
    // Made once: it is large, and every operation is tried by many.
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&bartizan_http::openapi_json()).unwrap());
    Some(DOCUMENT.pointer(&name[1..]).unwrap()["example"].clone())
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

/// Routes that are not in the document, since they are no part of the API, and whether anybody may call them.
const OUTSIDE: &[(&str, bool)] =
    &[("/metrics", false), ("/api/docs", true), ("/api/redoc", true), ("/api/openapi.json", true)];

/// Routes as their files write them; those of the listener for monitoring are its own.
#[test]
fn every_route_is_in_the_document_or_has_a_row_of_its_own() {
    let documented: Vec<String> = operations().into_iter().map(|(_, path, _)| path).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = if file.is_file() { std::fs::read_to_string(&file).unwrap() } else { continue };
        for route in text.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            let known = documented.iter().any(|known| known == path) || OUTSIDE.iter().any(|(known, _)| *known == path);
            // Files of the pages and of the documentation, which anybody may have.
            let page = (file.ends_with("ui.rs") || file.ends_with("docs.rs")) && !route.contains("Caller");
            assert!(known || page, "{path} of {}: give it a row in OUTSIDE", file.display());
        }
    }
}

async fn the_permission_matrix_is_the_reviewed_one() {
    let http = HttpConfig { metrics: Some(bartizan_http::record_metrics().unwrap()), ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    let admin = app.actor("Example", Role::Admin).await;
    let key = admin.post("/api/api-keys", &serde_json::json!({"name": "matrix"})).await.expect(201).json();
    let key = app.key(key["key"].as_str().unwrap());
    let actors = async || {
        [
            ("admin", app.admin().await),
            ("analyst", app.analyst().await),
            ("auditor", app.auditor().await),
            ("read_only", app.read_only().await),
            // Of an administrator, not narrowed.
            ("api_key", key.clone()),
            // The administrator of an organisation that is not the first one.
            ("tenant", app.outsider().await),
            ("anybody", app.anonymous()),
        ]
    };
    let standing = actors().await;
    let mut rows: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (method, path, operation) in operations() {
        let public = is_public(&operation);
        // Whoever signs out needs a session to spare.
        let spare = if path == "/api/auth/logout" { Some(actors().await) } else { None };
        let mut row = Vec::new();
        for (name, actor) in spare.as_ref().unwrap_or(&standing) {
            let status = attempt(actor, &method, &path, &operation).await.status;
            row.push(if public {
                // The credentials, tokens and links of the examples are nobody's.
                assert!(status < 500 && !matches!(status, 403 | 415), "{method} {path} by {name}: {status}");
                "yes"
            } else if *name == "anybody" {
                assert_eq!(status, 401, "{method} {path} by {name}");
                "-"
            } else {
                let refused = status == 422 && OWN_PASSWORD.contains(&path.as_str());
                let understood = status < 500 && !matches!(status, 401 | 415 | 422);
                assert!(understood || refused, "{method} {path} by {name}: {status}");
                if status == 403 { "-" } else { "yes" }
            });
        }
        rows.insert((path, method.to_string()), row);
    }
    for (path, public) in OUTSIDE {
        let mut row = Vec::new();
        for (name, actor) in &standing {
            let status = actor.get(path).await.status;
            let expected = if *name == "anybody" && !public { 401 } else { 403 };
            assert!(status == 200 || (!public && status == expected), "{path} by {name}: {status}");
            row.push(if status == 200 { "yes" } else { "-" });
        }
        rows.insert(((*path).to_owned(), "GET".to_owned()), row);
    }
    let mut table = format!("{:<8} {:<46}", "method", "path");
    for (name, _) in &standing {
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
