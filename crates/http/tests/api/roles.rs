use bartizan_test_support::api_tests;
use bartizan_test_support::app::{PASSWORD, TestApp};
use serde_json::{Value, json};

api_tests!(a_role_is_made_given_changed_and_removed, nobody_gives_what_they_do_not_hold);

fn user(name: &str, role: &str) -> Value {
    json!({"username": name, "email": format!("{name}@example.test"), "password": PASSWORD, "role": role})
}

async fn a_role_is_made_given_changed_and_removed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"name": "scan_operator", "description": "Starts scans",
        "permissions": ["assets.view", "scans:view", "scans.run", "scans.run"]});
    let created = admin.post("/api/roles", &body).await.expect(201);
    assert_eq!(created.header("location"), "/api/roles/scan_operator");
    assert_eq!(created.json()["permissions"], json!(["assets.view", "scans.view", "scans.run"]));
    let _ = admin.post("/api/roles", &body).await.expect(409);
    for name in ["admin", "viewer"] {
        let taken = json!({"name": name, "permissions": ["assets.view"]});
        let _ = admin.post("/api/roles", &taken).await.expect(409);
    }
    let bad = json!({"name": "x", "permissions": ["assets.fly"]});
    assert_eq!(admin.post("/api/roles", &bad).await.expect(422).fields(), ["body -> permissions"]);
    let names: Vec<Value> = admin.get("/api/roles").await.expect(200).json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].clone())
        .collect();
    assert_eq!(names, ["admin", "analyst", "auditor", "read_only", "scan_operator"]);

    let _ = admin.post("/api/users", &user("operator", "scan_operator")).await.expect(201);
    let operator = app.sign_in("operator", PASSWORD).await;
    let me = operator.get("/api/auth/me").await.expect(200).json();
    assert_eq!(
        (&me["role"], &me["permissions"]),
        (&json!("scan_operator"), &json!(["assets.view", "scans.view", "scans.run"]))
    );
    let _ = operator.get("/api/findings").await.expect(403);
    let grown = json!({"permissions": ["assets.view", "findings.view"]});
    let _ = admin.patch("/api/roles/scan_operator", &grown).await.expect(200);
    let _ = operator.get("/api/findings").await.expect(200);
    let _ = operator.get("/api/scans").await.expect(403);

    let _ = admin.delete("/api/roles/scan_operator").await.expect(409);
    let path = format!("/api/members/{}", operator.user_id());
    let _ = admin.patch(&path, &json!({"role": "auditor"})).await.expect(200);
    let _ = admin.delete("/api/roles/scan_operator").await.expect(204);
    let _ = admin.get("/api/roles/scan_operator").await.expect(404);
    let _ = admin.patch("/api/roles/admin", &grown).await.expect(409);
    let _ = admin.delete("/api/roles/viewer").await.expect(409);
}

async fn nobody_gives_what_they_do_not_hold() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let role = json!({"name": "team_lead", "permissions": ["assets.view", "members.manage", "users.manage"]});
    let _ = admin.post("/api/roles", &role).await.expect(201);
    let _ = admin.post("/api/users", &user("lead", "team_lead")).await.expect(201);
    let lead = app.sign_in("lead", PASSWORD).await;
    let own = format!("/api/members/{}", lead.user_id());
    let _ = lead.patch(&own, &json!({"role": "admin"})).await.expect(403);
    let _ = lead.post("/api/users", &user("accomplice", "admin")).await.expect(403);
    let _ = lead.post("/api/roles", &json!({"name": "more", "permissions": ["config.manage"]})).await.expect(403);
    let more = json!({"permissions": ["assets.view", "members.manage", "config.manage"]});
    let _ = lead.patch("/api/roles/team_lead", &more).await.expect(403);
    // Nor do they change or remove somebody who may do more.
    let of_admin = format!("/api/members/{}", admin.user_id());
    let _ = lead.patch(&of_admin, &json!({"is_active": false})).await.expect(403);
    let _ = lead.delete(&of_admin).await.expect(403);
    let _ = lead.delete(&format!("/api/users/{}", admin.user_id())).await.expect(403);
    let less = json!({"name": "watcher", "permissions": ["assets.view"]});
    let _ = lead.post("/api/roles", &less).await.expect(201);
    let _ = lead.post("/api/users", &user("watcher1", "watcher")).await.expect(201);
}
