//! Another organisation's rows do not exist: every operation with an id, with ids of real rows that their owner reads.

use std::collections::BTreeMap;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, TestApp};
use hyper::Method;
use serde_json::{Value, json};

use crate::documents::operations;
use crate::scans::{scanned, shop, with_shop};

api_tests!(another_organisations_rows_do_not_exist, the_installation_belongs_to_the_first_organisation);

/// Parameters of paths that name something of the product, the same for everybody.
const OF_THE_PRODUCT: &[&str] = &["check_id", "asset_type"];

/// Ids of real rows of the actor's organisation, by the name of the path parameter.
pub async fn rows(app: &TestApp, owner: &Actor) -> BTreeMap<&'static str, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let asset = owner.post("/api/assets", &json!({"target_value": "shop.example.com"})).await.expect(201).json();
    let scan = scanned(owner, &shop()).await;
    let findings = owner.get("/api/findings?page_size=1").await.expect(200).json();
    let jobs = owner.get("/api/jobs?kind=scan").await.expect(200).json();
    let schedule = json!({"name": "Weekly", "cron": "0 2 * * 1", "time_zone": "Europe/Berlin",
        "scan": {"asset_ids": [asset["id"]], "scan_type": "full"}});
    let schedule = owner.post("/api/schedules", &schedule).await.expect(201).json();
    let role = json!({"name": "their_role", "permissions": ["scans.view"]});
    let role = owner.post("/api/roles", &role).await.expect(201).json();
    let key = owner.post("/api/api-keys", &json!({"name": "theirs"})).await.expect(201).json();
    let invitation = owner.post("/api/invitations", &json!({"email": "b@example.test"})).await.expect(201).json();
    let sessions = owner.get("/api/auth/sessions").await.expect(200).json();
    let colleague = json!({"username": "colleague", "email": "colleague@example.test",
        "password": bartizan_test_support::app::PASSWORD});
    let user = owner.post("/api/users", &colleague).await.expect(201).json();
    let _ = app;
    BTreeMap::from([
        ("asset_id", text(&asset["id"])),
        ("job_id", text(&jobs["data"][0]["id"])),
        ("schedule_id", text(&schedule["id"])),
        ("scan_id", text(&scan["id"])),
        ("finding_id", text(&findings["data"][0]["id"])),
        ("invitation_id", text(&invitation["id"])),
        ("role", text(&role["name"])),
        ("api_key_id", text(&key["id"])),
        ("session_id", text(&sessions["data"][0]["id"])),
        ("user_id", text(&user["id"])),
    ])
}

/// The path with its parameters filled in; `None` if it has none that name a row.
fn concrete(path: &str, rows: &BTreeMap<&'static str, String>) -> Option<String> {
    let mut named = false;
    let parts: Vec<String> = path
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if OF_THE_PRODUCT.contains(&name) => "x".to_owned(),
            Some(name) => {
                named = true;
                rows.get(name).unwrap_or_else(|| panic!("{path}: make a row for {{{name}}} in this test")).clone()
            }
            None => part.to_owned(),
        })
        .collect();
    named.then(|| parts.join("/"))
}

async fn another_organisations_rows_do_not_exist() {
    let app = with_shop().await;
    let intruder = app.admin().await;
    let owner = app.outsider().await;
    let rows = rows(&app, &owner).await;
    let mut read = Vec::new();
    for (method, path, _) in operations() {
        if method == Method::GET
            && let Some(path) = concrete(&path, &rows)
        {
            let _ = owner.request(Method::GET, &path).send().await.expect(200);
            let _ = intruder.request(Method::GET, &path).send().await.expect(404);
            read.push(path);
        }
    }
    assert!(read.len() >= 10, "{read:?}");
    let mut before = Vec::new();
    for path in &read {
        before.push(owner.get(path).await.expect(200).text());
    }
    for (method, path, operation) in operations() {
        if let Some(path) = concrete(&path, &rows)
            && method != Method::GET
        {
            let call = intruder.request(method.clone(), &path);
            let call = match crate::permissions::example_body(&operation) {
                Some(body) => call.json(&body),
                None => call,
            };
            let answer = call.send().await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
        }
    }
    for (path, before) in read.iter().zip(before) {
        assert_eq!(owner.get(path).await.expect(200).text(), before, "{path} was changed from outside");
    }
}

/// Operations that command or show the whole installation: an administrator of a second organisation is a tenant.
const OF_THE_INSTALLATION: &[(Method, &str)] = &[
    (Method::PATCH, "/api/system/maintenance"),
    (Method::GET, "/api/system/log-level"),
    (Method::PUT, "/api/system/log-level"),
    (Method::GET, "/api/system/workers"),
    (Method::POST, "/api/organizations"),
    (Method::GET, "/metrics"),
    (Method::GET, "/api/config/mail"),
    (Method::PATCH, "/api/config/mail"),
    (Method::POST, "/api/config/mail/test"),
    (Method::GET, "/api/config/auth"),
    (Method::PATCH, "/api/config/auth"),
    (Method::POST, "/api/config/auth/test"),
];

async fn the_installation_belongs_to_the_first_organisation() {
    let app = with_shop().await;
    let (admin, tenant) = (app.admin().await, app.outsider().await);
    for (method, path) in OF_THE_INSTALLATION {
        let operation = operations().into_iter().find(|(m, p, _)| m == method && p == path);
        let call = tenant.request(method.clone(), path);
        let call = match operation.and_then(|(_, _, operation)| crate::permissions::example_body(&operation)) {
            Some(body) => call.json(&body),
            None => call,
        };
        let answer = call.send().await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
    // Nothing was changed, and what the first organisation does is in its own log.
    assert_eq!(admin.get("/api/system/status").await.expect(200).json()["maintenance"]["enabled"], false);
    let on = json!({"enabled": true, "reason": "Moving house"});
    let _ = admin.patch("/api/system/maintenance", &on).await.expect(200);
    let told = tenant.get("/api/system/status").await.expect(200).json();
    assert_eq!((&told["maintenance"]["enabled"], &told["maintenance"]["by"]), (&json!(true), &json!(null)));
    let _ = admin.patch("/api/system/maintenance", &json!({"enabled": false})).await.expect(200);
    assert_eq!(admin.get("/api/audit?action=system.maintenance").await.expect(200).json()["total"], 2);

    // Jobs of nobody in particular are the installation's, and so are their numbers.
    let _ = scanned(&admin, &shop()).await;
    app.damage("UPDATE jobs SET organization_id = NULL, status = 'failed', finished_at = created_at").await;
    let job = admin.get("/api/jobs?kind=scan").await.expect(200).json()["data"][0]["id"].clone();
    let path = format!("/api/jobs/{}", job.as_str().unwrap());
    let _ = admin.get(&path).await.expect(200);
    assert_eq!(tenant.get("/api/jobs").await.expect(200).json()["total"], 0);
    let _ = tenant.get(&path).await.expect(404);
    for deed in ["cancel", "retry"] {
        let _ = tenant.post(&format!("{path}/{deed}"), &Value::Null).await.expect(404);
    }
    let jobs = async |actor: &Actor| actor.get("/api/system/status").await.expect(200).json()["jobs"]["failed"].clone();
    assert!(jobs(&admin).await.as_u64().unwrap() > 0);
    assert_eq!(jobs(&tenant).await, 0);

    // The private network is that of the installation.
    let _ = tenant.patch("/api/config/scanning", &json!({"allow_private": true})).await.expect(403);
    let _ = admin.patch("/api/config/scanning", &json!({"allow_private": true})).await.expect(200);
    let _ = tenant.patch("/api/config/scanning", &json!({"allow_private": true})).await.expect(200);
    let private = json!({"targets": ["10.0.0.1"]});
    let _ = tenant.post("/api/scans", &private).await.expect(202);
    let _ = admin.patch("/api/config/scanning", &json!({"allow_private": false})).await.expect(200);
    let _ = tenant.post("/api/scans", &private).await.expect(422);
}
