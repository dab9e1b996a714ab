use bartizan_test_support::api_tests;
use bartizan_test_support::app::{PASSWORD, TestApp};
use hyper::Method;
use serde_json::{Value, json};

api_tests!(
    a_schedule_is_made_read_changed_run_and_removed,
    an_expression_is_explained_or_refused_by_field,
    who_may_not_scan_does_not_schedule_scans,
);

fn body(asset: &Value) -> Value {
    json!({"name": "Weekly", "cron": "0 2 * * 1", "time_zone": "Europe/Berlin",
        "scan": {"asset_ids": [asset], "scan_type": "full"}})
}

async fn asset(app: &TestApp) -> Value {
    let new = json!({"target_value": "a.example.com"});
    app.analyst().await.post("/api/assets", &new).await.expect(201).json()["id"].clone()
}

async fn a_schedule_is_made_read_changed_run_and_removed() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let asset = asset(&app).await;
    let made = analyst.post("/api/schedules", &body(&asset)).await.expect(201);
    let path = made.header("location");
    let made = made.json();
    assert_eq!(path, format!("/api/schedules/{}", made["id"].as_str().unwrap()));
    // The clock stands at Sunday, 2026-11-22; Berlin is at UTC+1.
    assert_eq!(made["next_run_at"], "2026-11-23T01:00:00Z");
    assert_eq!(
        (&made["catch_up"], &made["overlap"], &made["day_rule"]),
        (&json!("once"), &json!("skip"), &json!("or"))
    );
    assert_eq!(made["scan"]["asset_ids"], json!([asset]));
    assert!(made["cadence"].as_str().unwrap().contains("Monday"), "{made}");
    assert_eq!(analyst.get(path).await.expect(200).json(), made);

    let paused = analyst.patch(path, &json!({"enabled": false})).await.expect(200).json();
    assert_eq!((&paused["enabled"], &paused["next_run_at"]), (&json!(false), &Value::Null));
    assert_eq!(analyst.get("/api/schedules?enabled=false&sort=next_run_at").await.expect(200).json()["total"], 1);
    assert_eq!(analyst.get("/api/schedules?search=nothing").await.expect(200).json()["total"], 0);

    let run = analyst.request(Method::POST, &format!("{path}/run")).header("idempotency-key", "r1").send().await;
    let launched = run.expect(202);
    assert_eq!(launched.header("location"), format!("/api/scans/{}", launched.json()["scan_id"]));
    let again = analyst.request(Method::POST, &format!("{path}/run")).header("idempotency-key", "r1").send().await;
    assert_eq!(again.expect(202).header("idempotent-replayed"), "true");
    let runs = analyst.get(&format!("{path}/runs")).await.expect(200).json();
    assert_eq!((&runs["total"], &runs["data"][0]["cause"]), (&json!(1), &json!("manual")));

    let jobs = app.admin().await.get("/api/jobs?kind=scan&status=queued").await.expect(200).json();
    assert_eq!(
        (&jobs["total"], &jobs["data"][0]["subject"]),
        (&json!(1), &json!(launched.json()["scan_id"].to_string()))
    );
    let job = format!("/api/jobs/{}", jobs["data"][0]["id"].as_str().unwrap());
    let cancelled = app.admin().await.post(&format!("{job}/cancel"), &Value::Null).await.expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    let scan = analyst.get(launched.header("location")).await.expect(200).json();
    assert_eq!(scan["status"], "cancelled", "the scan ends with its job");
    let _ = app.admin().await.post(&format!("{job}/cancel"), &Value::Null).await.expect(409);
    let _ = app.admin().await.post(&format!("{job}/retry"), &Value::Null).await.expect(409);
    let _ = app.outsider().await.get(&job).await.expect(404);

    let _ = app.outsider().await.get(path).await.expect(404);
    let _ = app.read_only().await.delete(path).await.expect(403);
    let _ = analyst.delete(path).await.expect(204);
    let _ = analyst.get(path).await.expect(404);
}

async fn who_may_not_scan_does_not_schedule_scans() {
    let app = TestApp::start().await;
    let (admin, asset) = (app.admin().await, asset(&app).await);
    let role =
        json!({"name": "planner", "permissions": ["assets.view", "scans.view", "schedules.view", "schedules.manage"]});
    let _ = admin.post("/api/roles", &role).await.expect(201);
    let user = json!({"username": "planner", "email": "p@example.test", "password": PASSWORD, "role": "planner"});
    let _ = admin.post("/api/users", &user).await.expect(201);
    let planner = app.sign_in("planner", PASSWORD).await;
    let _ = planner.post("/api/schedules", &body(&asset)).await.expect(403);
    let mut paused = body(&asset);
    paused["enabled"] = json!(false);
    let made = planner.post("/api/schedules", &paused).await.expect(201);
    let path = made.header("location");
    let _ = planner.patch(path, &json!({"enabled": true})).await.expect(403);
    let _ = planner.patch(path, &json!({"name": "Nightly"})).await.expect(200);
    let _ = app.analyst().await.patch(path, &json!({"enabled": true})).await.expect(200);
    // Stopping is no launch.
    let _ = planner.patch(path, &json!({"enabled": false})).await.expect(200);
}

async fn an_expression_is_explained_or_refused_by_field() {
    let app = TestApp::start().await;
    let reader = app.read_only().await;
    let preview = reader.get("/api/schedules/preview?cron=0%200%2013%20*%205&day_rule=and&count=2").await;
    let preview = preview.expect(200).json();
    assert_eq!(preview["next"], json!(["2027-08-13T00:00:00Z", "2028-10-13T00:00:00Z"]));
    for (query, field) in [
        ("cron=x", "query -> cron"),
        ("cron=*%20*%20*%20*%20*&time_zone=Moon", "query -> time_zone"),
        ("cron=*%20*%20*%20*%20*&count=51", "query -> count"),
    ] {
        let answer = reader.get(&format!("/api/schedules/preview?{query}")).await.expect(422);
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let asset = asset(&app).await;
    let mut bad = body(&asset);
    bad["scan"]["ports"] = json!("99999");
    let answer = app.analyst().await.post("/api/schedules", &bad).await.expect(422);
    assert_eq!(answer.fields(), ["body -> scan -> ports"]);
    let foreign = body(&json!("01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"));
    let _ = app.analyst().await.post("/api/schedules", &foreign).await.expect(404);
}
