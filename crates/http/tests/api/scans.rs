use std::collections::BTreeSet;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Options, TestApp};
use hyper::Method;
use serde_json::{Value, json};

use crate::redacted;

api_tests!(
    a_scan_is_queued_followed_and_read,
    every_format_is_downloaded_as_a_file,
    a_waiting_scan_is_cancelled_and_then_deleted,
    bad_scans_name_the_field_and_nothing_is_queued,
    a_launch_with_a_key_happens_once,
    what_is_named_twice_is_scanned_once,
    another_organisations_scan_does_not_exist,
    the_list_filters_and_sorts,
    a_stream_ends_with_the_access_of_who_follows,
);

const SHOP: &str = include_str!("data/shop.json");

/// A server whose scans find one recorded host, `shop.example.com`.
pub async fn with_shop() -> TestApp {
    let app = TestApp::with(Options { hosts: vec![SHOP], ..Options::default() }).await;
    app.start_worker();
    app
}

/// Launches a scan and follows it to its end.
pub async fn scanned(actor: &Actor, body: &Value) -> Value {
    let launched = actor.post("/api/scans", body).await.expect(202);
    let path = launched.header("location").to_owned();
    let stream = actor.request(Method::GET, &format!("{path}/events")).open().await;
    assert_eq!(stream.status, 200);
    let _ = stream.rest().await;
    actor.get(&path).await.expect(200).json()
}

pub fn shop() -> Value {
    json!({"targets": ["shop.example.com"], "scan_type": "full"})
}

async fn a_scan_is_queued_followed_and_read() {
    let app = with_shop().await;
    let auditor = app.auditor().await;
    let launched = auditor.post("/api/scans", &shop()).await.expect(202);
    assert_eq!(launched.header("location"), "/api/scans/1");
    assert_eq!(launched.json(), json!({"id": 1, "scan_id": 1, "status": "pending"}));

    let stream = auditor.request(Method::GET, "/api/scans/1/events").open().await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let text = stream.rest().await;
    let last = text.trim_end().rsplit("\n\n").find(|event| event.contains("event:")).unwrap();
    assert!(last.contains("event: finished"), "{text}");
    let data: Value = serde_json::from_str(last.split("data: ").nth(1).unwrap()).unwrap();
    assert_eq!(data["status"], "completed");
    assert_eq!(data, auditor.get("/api/scans/1/progress").await.expect(200).json());

    let mut scan = auditor.get("/api/scans/1").await.expect(200).json();
    assert_eq!((&scan["hosts_total"], &scan["hosts_finished"]), (&json!(1), &json!(1)));
    assert_eq!(scan["compliance_matrix"].as_array().unwrap().len(), 10);
    for changing in [
        "catalogue",
        "compliance_matrix",
        "outcomes",
        "findings",
        "coverage",
        "score",
        "check_count",
        "ports",
        "udp_ports",
    ] {
        assert!(!scan[changing].is_null(), "{changing} in {scan}");
        scan[changing] = "[depends on the checks]".into();
    }
    insta::assert_json_snapshot!("scan", redacted(scan));

    let hosts = auditor.get("/api/scans/1/results").await.expect(200).json();
    assert_eq!(hosts["total"], 1);
    assert_eq!(hosts["data"][0]["asset"], "shop.example.com");
    let ports = hosts["data"][0]["ports"].as_array().unwrap();
    assert!(ports.iter().any(|port| port["port"] == 443 && port["state"] == "open"), "{ports:?}");
    let matrix = auditor.get("/api/compliance/matrix").await.expect(200).json();
    assert_eq!((&matrix["scan_id"], matrix["rows"].as_array().unwrap().len()), (&json!(1), 10));
}

async fn every_format_is_downloaded_as_a_file() {
    let app = with_shop().await;
    let auditor = app.auditor().await;
    let _ = scanned(&auditor, &shop()).await;
    for (format, media, file, holds) in [
        ("json", "application/json", "scan-1.json", "bartizan.scan/1"),
        ("jsonl", "application/jsonl", "scan-1.jsonl", "dns.caa_missing"),
        ("csv", "text/csv; charset=utf-8", "scan-1.csv", "dns.caa_missing"),
        ("sarif", "application/sarif+json", "scan-1.sarif", "2.1.0"),
        ("html", "text/html; charset=utf-8", "scan-1.html", "<!doctype html"),
        ("table", "text/plain; charset=utf-8", "scan-1.txt", "shop.example.com"),
    ] {
        let answer = auditor.get(&format!("/api/scans/1/download?format={format}")).await.expect(200);
        assert_eq!(answer.header("content-type"), media);
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{file}\""));
        assert!(answer.text().to_lowercase().contains(&holds.to_lowercase()), "{format}");
    }
    let pdf = auditor.get("/api/scans/1/download?format=pdf").await.expect(422);
    assert_eq!(pdf.fields(), ["query -> format"]);
}

async fn a_waiting_scan_is_cancelled_and_then_deleted() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let _ = auditor.post("/api/scans", &shop()).await.expect(202);
    let admin = app.admin().await;
    let running = admin.delete("/api/scans/1").await.expect(409);
    assert!(running.json()["detail"].as_str().unwrap().contains("cancel"));
    let cancelled = auditor.request(Method::POST, "/api/scans/1/cancel").send().await.expect(202).json();
    assert_eq!((&cancelled["status"], &cancelled["partial"]), (&json!("cancelled"), &json!(true)));
    let _ = auditor.request(Method::POST, "/api/scans/1/cancel").send().await.expect(409);
    let _ = auditor.delete("/api/scans/1").await.expect(403);
    let _ = admin.delete("/api/scans/1").await.expect(204);
    for path in [
        "/api/scans/1",
        "/api/scans/1/progress",
        "/api/scans/1/events",
        "/api/scans/1/results",
        "/api/scans/1/download",
    ] {
        let _ = admin.get(path).await.expect(404);
    }
}

async fn bad_scans_name_the_field_and_nothing_is_queued() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    for (body, field) in [
        (json!({}), "body -> asset_ids"),
        (json!({"targets": ["300.1.1.1"]}), "body -> targets"),
        (json!({"targets": ["10.0.0.0/8"]}), "body -> targets"),
        (json!({"targets": ["127.0.0.1"]}), "body -> targets"),
        (json!({"targets": ["169.254.169.254"]}), "body -> targets"),
        (json!({"targets": ["a.example.com"], "ports": "0"}), "body -> ports"),
        (json!({"targets": ["a.example.com"], "checks": ["no.such"]}), "body -> checks"),
        (json!({"targets": ["a.example.com"], "concurrency": 201}), "body -> concurrency"),
        (json!({"targets": ["a.example.com"], "timeout_seconds": 0}), "body -> timeout_seconds"),
        (json!({"targets": ["a.example.com"], "scan_type": "deep"}), "body -> scan_type"),
        (json!({"targets": ["a.example.com"], "kind": "cloud"}), "body -> kind"),
        (json!({"targets": ["a.example.com"], "features": {"portscan": true}}), "body -> features -> portscan"),
        (json!({"targets": ["a.example.com"], "scanType": "full"}), "body -> scanType"),
    ] {
        assert_eq!(auditor.post("/api/scans", &body).await.expect(422).fields(), [field], "{body}");
    }
    let unknown = json!({"asset_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"]});
    let _ = auditor.post("/api/scans", &unknown).await.expect(404);
    assert_eq!(auditor.get("/api/scans").await.expect(200).json()["total"], 0);
}

async fn a_launch_with_a_key_happens_once() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let call = || auditor.request(Method::POST, "/api/scans").json(&shop()).header("idempotency-key", "launch-1");
    let first = call().send().await.expect(202);
    let again = call().send().await.expect(202);
    assert_eq!((first.body, again.header("idempotent-replayed")), (again.body.clone(), "true"));
    assert_eq!(auditor.get("/api/scans").await.json()["total"], 1);
}

async fn what_is_named_twice_is_scanned_once() {
    let app = with_shop().await;
    let admin = app.admin().await;
    let asset = admin.post("/api/assets", &json!({"target_value": "shop.example.com"})).await.expect(201).json();
    let id = &asset["id"];
    // By its id twice, by its name in two spellings, and narrowed to a port that it is scanned on anyway.
    for body in [
        json!({"asset_ids": [id, id]}),
        json!({"targets": ["shop.example.com", "SHOP.example.com.", "https://shop.example.com/"]}),
        json!({"asset_ids": [id, id], "targets": ["shop.example.com", "shop.example.com:443"]}),
    ] {
        let mut body = body;
        body["scan_type"] = "full".into();
        let scan = scanned(&admin, &body).await;
        assert_eq!(scan["status"], "completed", "{body}");
        assert_eq!((&scan["hosts_total"], &scan["hosts_finished"]), (&json!(1), &json!(1)), "{body}");
        let number = &scan["id"];
        let hosts = admin.get(&format!("/api/scans/{number}/results")).await.expect(200).json();
        assert_eq!((&hosts["total"], &hosts["data"][0]["asset_id"]), (&json!(1), id), "{body}");
        let document = admin.get(&format!("/api/scans/{number}/download")).await.expect(200).json();
        assert_eq!(document["hosts"].as_array().unwrap().len(), 1, "{body}");
        let fingerprints: BTreeSet<&str> =
            document["findings"].as_array().unwrap().iter().filter_map(|one| one["fingerprint"].as_str()).collect();
        let listed = admin.get("/api/findings?page_size=500").await.expect(200).json();
        assert_eq!(document["findings"].as_array().unwrap().len(), fingerprints.len(), "{body}");
        assert_eq!(listed["total"], fingerprints.len(), "{body}");
        // Each scan saw each finding once.
        for finding in listed["data"].as_array().unwrap() {
            assert_eq!(finding["occurrences"], *number, "{body}: {finding}");
        }
    }
    assert_eq!(admin.get("/api/assets").await.expect(200).json()["total"], 1);
}

async fn another_organisations_scan_does_not_exist() {
    let app = TestApp::start().await;
    let _ = app.auditor().await.post("/api/scans", &shop()).await.expect(202);
    let outsider = app.outsider().await;
    for path in ["", "/progress", "/events", "/results", "/download"] {
        let _ = outsider.get(&format!("/api/scans/1{path}")).await.expect(404);
    }
    let _ = outsider.request(Method::POST, "/api/scans/1/cancel").send().await.expect(404);
    let _ = outsider.delete("/api/scans/1").await.expect(404);
    assert_eq!(outsider.get("/api/scans").await.json()["total"], 0);
    assert_eq!(app.auditor().await.get("/api/scans/1").await.json()["status"], "pending");
}

async fn the_list_filters_and_sorts() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let _ = auditor.post("/api/scans", &shop()).await.expect(202);
    let quick = json!({"targets": ["other.example.com"], "scan_type": "quick"});
    let _ = auditor.post("/api/scans", &quick).await.expect(202);
    let _ = auditor.request(Method::POST, "/api/scans/2/cancel").send().await.expect(202);
    let ids = |query: &str| {
        let (auditor, path) = (auditor.clone(), format!("/api/scans?{query}"));
        async move {
            let page = auditor.get(&path).await.expect(200).json();
            page["data"].as_array().unwrap().iter().map(|scan| scan["id"].as_i64().unwrap()).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids("").await, [2, 1]);
    assert_eq!(ids("sort=id").await, [1, 2]);
    assert_eq!(ids("status=pending").await, [1]);
    assert_eq!(ids("scan_type=quick,custom").await, [2]);
    assert_eq!(ids("search=shop").await, [1]);
}

async fn a_stream_ends_with_the_access_of_who_follows() {
    // Nobody works, so that the scan waits.
    let app = TestApp::start().await;
    let (admin, auditor) = (app.admin().await, app.auditor().await);
    let _ = admin.post("/api/scans", &shop()).await.expect(202);
    let path = "/api/scans/1/events";
    let key = auditor.post("/api/api-keys", &json!({"name": "watch"})).await.expect(201).json();
    let program = app.key(key["key"].as_str().unwrap());
    let (by_session, by_key) =
        (auditor.request(Method::GET, path).open().await, program.request(Method::GET, path).open().await);
    let member = format!("/api/members/{}", auditor.user_id());
    let _ = admin.patch(&member, &json!({"is_active": false})).await.expect(200);
    for stream in [by_session, by_key] {
        assert_eq!(stream.status, 200);
        let text = stream.rest().await;
        assert!(!text.contains("event: finished"), "{text}");
    }
    let _ = auditor.get(path).await.expect(401);
}
