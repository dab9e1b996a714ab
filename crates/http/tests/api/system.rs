use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use serde_json::json;

api_tests!(health_has_the_members_of_the_reference, the_status_counts_jobs, checks_and_profiles_are_listed,);

async fn health_has_the_members_of_the_reference() {
    let app = TestApp::blank().await;
    let mut health = app.anonymous().get("/health").await.expect(200).json();
    assert!(health["uptime_seconds"].as_f64().unwrap() >= 0.0);
    health["uptime_seconds"] = "[seconds]".into();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        health,
        json!({"status": "ok", "version": version, "database": "connected", "redis": "not_configured",
            "scheduler_jobs": 0, "uptime_seconds": "[seconds]"})
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
    assert_eq!(app.anonymous().get("/health").await.json()["scheduler_jobs"], 1);
}

async fn checks_and_profiles_are_listed() {
    let app = TestApp::start().await;
    let reader = app.read_only().await;
    let profiles = reader.get("/api/profiles").await.expect(200).json();
    let names: Vec<_> = profiles.as_array().unwrap().iter().map(|profile| profile["name"].clone()).collect();
    assert_eq!(names, ["quick", "full", "custom"]);
    let checks =
        reader.get("/api/checks?category=dns&sort=severity&sort_dir=desc&page_size=500").await.expect(200).json();
    assert!(checks["data"].as_array().unwrap().iter().all(|check| check["category"] == "dns"));
    let check = reader.get("/api/checks/dns.caa_missing").await.expect(200).json();
    assert_eq!(check["id"], "dns.caa_missing");
    let _ = reader.get("/api/checks/no.such_check").await.expect(404);
}
