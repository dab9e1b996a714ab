use bartizan_http::HttpConfig;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Options, PASSWORD, TestApp};
use hyper::Method;
use serde_json::json;

api_tests!(
    health_has_the_members_of_the_reference,
    the_status_counts_jobs,
    workers_are_listed,
    checks_and_profiles_are_listed,
    maintenance_refuses_writes_and_lets_reads_and_running_work_go_on,
    the_log_level_is_changed_at_run_time,
    what_guards_accounts_goes_on_in_maintenance,
    numbers_fall_to_zero_when_what_they_count_is_gone,
    limits_answer_with_when_to_come_back,
);

async fn health_has_the_members_of_the_reference() {
    let app = TestApp::blank().await;
    let mut health = app.anonymous().get("/health").await.expect(200).json();
    assert!(health["uptime_seconds"].as_f64().unwrap() >= 0.0);
    health["uptime_seconds"] = "[seconds]".into();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        health,
        json!({"status": "ok", "version": version, "database": "connected", "redis": "not_configured",
            "scheduler_jobs": 1, "uptime_seconds": "[seconds]"})
    );
    assert_eq!(app.anonymous().get("/livez").await.expect(200).text(), "ok");
    assert_eq!(app.anonymous().get("/readyz").await.expect(200).text(), "ok");
}

async fn the_status_counts_jobs() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let _ = auditor.post("/api/scans", &json!({"targets": ["a.example.com"]})).await.expect(202);
    let status = auditor.get("/api/system/status").await.expect(200).json();
    assert_eq!(
        (&status["database"], &status["jobs"]["waiting"], &status["demo"]),
        (&json!(app.database()), &json!(1), &json!(false))
    );
    app.clock.advance(chrono::Duration::minutes(5));
    let _ = auditor.post("/api/scans", &json!({"targets": ["b.example.com"]})).await.expect(202);
    let _ = app.outsider().await.post("/api/scans", &json!({"targets": ["c.example.com"]})).await.expect(202);
    let jobs = auditor.get("/api/system/status").await.expect(200).json()["jobs"].clone();
    let of_scans = jobs["by_kind"].as_array().unwrap().iter().find(|queue| queue["kind"] == "scan").unwrap().clone();
    assert_eq!(
        of_scans,
        json!({"kind": "scan", "waiting": 3, "running": 0, "failed": 0, "waiting_since": "2026-11-22T09:00:00Z",
            "next_due_at": "2026-11-22T09:00:00Z"}),
        "those of the whole installation, for its first organisation"
    );
    assert_eq!(jobs["waiting"], 3);
    let tenants = app.outsider().await.get("/api/system/status").await.expect(200).json()["jobs"].clone();
    assert_eq!(
        tenants,
        json!({"waiting": 1, "running": 0, "failed": 0, "by_kind": [{"kind": "scan", "waiting": 1, "running": 0,
            "failed": 0, "waiting_since": "2026-11-22T09:05:00Z", "next_due_at": "2026-11-22T09:05:00Z"}]})
    );
    let admin = app.admin().await;
    for enabled in [true, false] {
        let schedule = json!({"name": format!("Weekly {enabled}"), "cron": "0 2 * * 1", "time_zone": "Europe/Berlin",
            "enabled": enabled, "scan": {"targets": ["a.example.com"], "scan_type": "full"}});
        let _ = admin.post("/api/schedules", &schedule).await.expect(201);
    }
    assert_eq!(app.anonymous().get("/health").await.json()["scheduler_jobs"], 2);
}

async fn checks_and_profiles_are_listed() {
    let app = TestApp::start().await;
    let reader = app.read_only().await;
    let profiles = reader.get("/api/profiles").await.expect(200).json();
    let names: Vec<_> = profiles["data"].as_array().unwrap().iter().map(|profile| profile["name"].clone()).collect();
    assert_eq!(names, ["quick", "full", "custom"]);
    let checks =
        reader.get("/api/checks?category=dns&sort=severity&sort_dir=desc&page_size=500").await.expect(200).json();
    assert!(checks["data"].as_array().unwrap().iter().all(|check| check["category"] == "dns"));
    let check = reader.get("/api/checks/dns.caa_missing").await.expect(200).json();
    assert_eq!(check["id"], "dns.caa_missing");
    let _ = reader.get("/api/checks/no.such_check").await.expect(404);
}

async fn workers_are_listed() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    assert_eq!(auditor.get("/api/system/workers").await.expect(200).json()["total"], 0);
    app.start_worker();
    let found = crate::mail::until(&auditor, "/api/system/workers", |workers| workers["total"] == 1).await;
    let worker = found["data"][0].clone();
    assert_eq!((&worker["id"], &worker["kind"], &worker["alive"]), (&json!("test"), &json!("worker"), &json!(true)));
    assert!(worker["slots"].as_u64().unwrap() > worker["running_jobs"].as_u64().unwrap(), "{worker}");
    let bad = auditor.get("/api/system/workers?host=test").await.expect(422);
    assert_eq!(bad.fields(), ["query -> host"]);
    let _ = app.anonymous().get("/api/system/workers").await.expect(401);
}

async fn maintenance_refuses_writes_and_lets_reads_and_running_work_go_on() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let on = json!({"enabled": true, "reason": "Moving house"});
    let _ = analyst.patch("/api/system/maintenance", &on).await.expect(403);
    let answer = admin.patch("/api/system/maintenance", &on).await.expect(200).json();
    assert_eq!((&answer["enabled"], &answer["by"]), (&json!(true), &json!("admin-example")));
    let refused = analyst.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(503);
    let problem = refused.json();
    assert_eq!((&problem["detail"], &problem["title"]), (&json!("Moving house"), &json!("Maintenance")));
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(analyst.get("/api/assets").await.expect(200).json()["total"], 0);
    assert_eq!(admin.get("/api/system/status").await.expect(200).json()["maintenance"]["reason"], "Moving house");
    // Who has no session yet can still sign in to switch it off.
    let _ = app.admin().await.patch("/api/system/maintenance", &json!({"enabled": false})).await.expect(200);
    let _ = analyst.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let bad = admin.patch("/api/system/maintenance", &json!({"enabled": true, "reason": ""})).await.expect(422);
    assert_eq!(bad.fields(), ["body -> reason"]);
}

async fn the_log_level_is_changed_at_run_time() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let _ = app.read_only().await.get("/api/system/log-level").await.expect(403);
    assert_eq!(admin.get("/api/system/log-level").await.expect(200).json(), json!({"level": "info"}));
    let changed = admin.request(Method::PUT, "/api/system/log-level").json(&json!({"level": "debug"})).send().await;
    assert_eq!(changed.expect(200).json(), json!({"level": "debug"}));
    assert_eq!(admin.get("/api/system/log-level").await.json(), json!({"level": "debug"}));
    let bad = admin.request(Method::PUT, "/api/system/log-level").json(&json!({"level": "loud"})).send().await;
    assert_eq!(bad.expect(422).fields(), ["body -> level"]);
}

async fn limits_answer_with_when_to_come_back() {
    let http = HttpConfig { writes_per_minute: 3, exports_per_minute: 1, ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    let analyst = app.analyst().await;
    for number in 0..3 {
        let _ =
            analyst.post("/api/assets", &json!({"target_value": format!("h{number}.example.com")})).await.expect(201);
    }
    let refused = analyst.post("/api/assets", &json!({"target_value": "h9.example.com"})).await.expect(429);
    assert_eq!((refused.header("retry-after"), &refused.json()["retry_after"]), ("60", &json!(60)));
    let _ = app.admin().await.post("/api/assets", &json!({"target_value": "h9.example.com"})).await.expect(201);
    assert_eq!(analyst.get("/api/assets").await.expect(200).json()["total"], 4, "reading is not limited");
    let _ = analyst.get("/api/scans/1/download").await.expect(404);
    let _ = analyst.get("/api/scans/1/download").await.expect(429);
    app.clock.advance(chrono::Duration::seconds(60));
    let _ = analyst.post("/api/assets", &json!({"target_value": "h8.example.com"})).await.expect(201);
}

async fn what_guards_accounts_goes_on_in_maintenance() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let key = analyst.post("/api/api-keys", &json!({"name": "leaked"})).await.expect(201).json();
    let place = app.join(&analyst, "Another", bartizan_domain::Role::ReadOnly).await;
    let _ = admin.patch("/api/system/maintenance", &json!({"enabled": true})).await.expect(200);
    let _ = analyst.post("/api/api-keys", &json!({"name": "another"})).await.expect(503);
    let _ = analyst.patch("/api/auth/me", &json!({"theme_preference": "dark"})).await.expect(503);
    let _ = analyst.delete(&format!("/api/api-keys/{}", key["id"].as_str().unwrap())).await.expect(204);
    let _ = app.key(key["key"].as_str().unwrap()).get("/api/assets").await.expect(401);
    let change = json!({"current_password": PASSWORD, "new_password": "robin of loxley 1160"});
    let _ = analyst.post("/api/auth/password", &change).await.expect(204);
    let _ = analyst.delete("/api/auth/sessions").await.expect(204);
    let _ = analyst.post("/api/auth/switch", &json!({"organization_id": place})).await.expect(200);
}

async fn numbers_fall_to_zero_when_what_they_count_is_gone() {
    let http = HttpConfig { metrics: Some(bartizan_http::record_metrics().unwrap()), ..Options::default().http };
    let app = TestApp::with(Options { http, hosts: vec![include_str!("data/shop.json")], ..Options::default() }).await;
    app.start_worker();
    let admin = app.actor("Example", bartizan_domain::Role::Admin).await;
    let _ = crate::scans::scanned(&admin, &crate::scans::shop()).await;
    let sum = async || {
        let text = admin.get("/metrics").await.expect(200).text();
        assert!(text.contains("bartizan_jobs_queue_depth{queue=\"mail\"} 0"), "{text}");
        let probes = "bartizan_probe_requests_total{kind=\"ports\",outcome=\"observed\"} 1";
        assert!(text.contains(probes), "{text}");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("bartizan_findings{")).collect();
        assert_eq!(lines.len(), 25, "every pair of severity and status: {text}");
        lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    assert!(sum().await > 0);
    app.damage("DELETE FROM findings").await;
    app.clock.advance(chrono::Duration::minutes(2));
    assert_eq!(sum().await, 0);
}
