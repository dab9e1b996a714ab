//! A peer that knows nothing of us reads the OpenAPI document, makes thousands of requests of it, sensible ones and
//! others, and holds the answers against it: no 5xx, no undocumented status, media type, header or body.
//!
//! An ordinary run takes the examples and the corners of each schema; with `BARTIZAN_TEST_LONG=1` random data comes on
//! top, on both databases. The scans that it launches find recorded hosts and contact nobody.

use std::fmt::Write as _;
use std::process::Command;

use bartizan_test_support::app::{On, Options, TestApp, on};
use serde_json::json;

use crate::isolation::rows;

/// What would end the session the requests are made with, or stop everything (`logout`, maintenance mode), what streams
/// for ever, and what makes us contact a service of others, which the generated data would name.
const LEFT_OUT: &str =
    "^(stream_.*|logout_user|update_maintenance|update_mail_.*|update_auth_.*|test_.*|authorize_.*|exchange_.*)$";
/// What removes the rows that the other operations are about: in a run of its own, after theirs.
const REMOVING: &str = "^delete_.*$";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance";

fn long() -> bool {
    std::env::var_os("BARTIZAN_TEST_LONG").is_some()
}

#[tokio::test]
async fn a_peer_finds_no_answer_that_is_not_in_the_document() {
    on(On::Sqlite, Box::pin(the_document_is_true())).await;
}

#[tokio::test]
async fn a_peer_finds_none_on_postgresql_either() {
    if long() {
        on(On::Postgres, Box::pin(the_document_is_true())).await;
    }
}

async fn the_document_is_true() {
    let mut options = Options { hosts: vec![include_str!("data/shop.json")], ..Options::default() };
    options.http.exports_per_minute = 1_000_000;
    options.http.writes_per_minute = 1_000_000;
    options.http.sign_ins_per_minute = 1_000_000;
    let app = TestApp::with(options).await;
    app.start_worker();
    let admin = app.admin().await;
    let mut parameters = String::from("[parameters]\n");
    for (name, value) in rows(&app, &admin).await {
        if name == "session_id" {
            continue;
        }
        let value = if value.parse::<i64>().is_ok() { value } else { format!("{value:?}") };
        writeln!(parameters, "\"path.{name}\" = {value}").unwrap();
    }
    let _ = admin.request(hyper::Method::POST, "/api/branding/assets/favicon").file(crate::branding::DOT).send().await;
    let _ = admin.patch("/api/branding", &json!({"product_name": "Perimeter"})).await.expect(200);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("openapi.json"), bartizan_http::openapi_json()).unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), parameters).unwrap();
    let phases = if long() { "examples,coverage,fuzzing" } else { "examples,coverage" };
    let (most, seconds) = if long() { ("100", "1500") } else { ("10", "90") };
    for (what, which) in [("--exclude-operation-id-regex", None), ("--include-operation-id-regex", Some(REMOVING))] {
        let which = which.map_or_else(|| format!("{LEFT_OUT}|{REMOVING}"), str::to_owned);
        let mut command = Command::new("schemathesis");
        command
            .args(["run", "openapi.json", "--url", &format!("http://{}", app.address)])
            .args(["--header", &format!("Authorization: Bearer {}", admin.token())])
            .args(["--phases", phases, "--max-examples", most, "--max-time", seconds, "--checks", CHECKS])
            .args(["--continue-on-failure", "--warnings", "off", "--no-color", "--request-timeout", "30"])
            .args(["--suppress-health-check", "all", what, &which])
            .current_dir(folder.path());
        if !long() {
            // The same requests in every ordinary run.
            command.args(["--seed", "1"]);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
        let output = output.expect("schemathesis runs; `make test-deps` installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let cases = text.lines().find(|line| line.contains(" generated,")).unwrap_or_default();
        let cases: u64 = cases.trim().split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        assert!(cases >= 100, "{text}");
    }
    // Nothing that was sent ended the session or switched anybody off.
    let _ = admin.get("/api/auth/me").await.expect(200);
    let _ = app.anonymous().get("/health").await.expect(200);
}
