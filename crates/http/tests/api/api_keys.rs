use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, TestApp};
use serde_json::{Value, json};

use crate::redacted;

api_tests!(
    a_key_works_is_noted_and_revoked,
    a_key_never_exceeds_its_owner_nor_its_scope,
    a_key_ends_and_cannot_guard_accounts,
    keys_are_seen_by_their_owner_and_by_who_manages_members,
);

async fn key(owner: &Actor, body: Value) -> (Value, String) {
    let made = owner.post("/api/api-keys", &body).await.expect(201).json();
    let text = made["key"].as_str().unwrap().to_owned();
    (made, text)
}

async fn a_key_works_is_noted_and_revoked() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let (made, text) = key(&analyst, json!({"name": "pipeline"})).await;
    assert!(text.starts_with(made["prefix"].as_str().unwrap()) && text.len() == 68);
    let path = format!("/api/api-keys/{}", made["id"].as_str().unwrap());
    let program = app.key(&text);
    let _ = program.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let mut shown = analyst.get(&path).await.expect(200).json();
    assert_eq!(shown["last_used_ip"], "127.0.0.1");
    assert!(!shown.to_string().contains(&text));
    shown["prefix"] = json!("[prefix]");
    insta::assert_json_snapshot!("api_key", redacted(shown));
    // A bearer token that is not accepted is not made up for by a key.
    let both = program.request(hyper::Method::GET, "/api/assets").header("authorization", "Bearer rubbish");
    let _ = both.send().await.expect(401);
    let _ = analyst.delete(&path).await.expect(204);
    let _ = program.get("/api/assets").await.expect(401);
    let _ = analyst.get(&path).await.expect(404);
    for bad in ["", "btz_", &text[..67], "btz_ü"] {
        let call = app.anonymous().request(hyper::Method::GET, "/api/assets");
        let call = if bad.is_ascii() { call.header("x-api-key", bad) } else { call };
        let _ = call.send().await.expect(401);
    }
}

async fn a_key_never_exceeds_its_owner_nor_its_scope() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let (_, whole) = key(&analyst, json!({"name": "whole"})).await;
    let (_, narrow) = key(&analyst, json!({"name": "narrow", "permissions": ["assets.view", "assets.manage"]})).await;
    let beyond = json!({"name": "beyond", "permissions": ["members.manage"]});
    let _ = analyst.post("/api/api-keys", &beyond).await.expect(403);
    let (whole, narrow) = (app.key(&whole), app.key(&narrow));
    let _ = whole.get("/api/findings").await.expect(200);
    let _ = narrow.get("/api/findings").await.expect(403);
    let _ = narrow.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let me = narrow.get("/api/auth/me").await.expect(200).json();
    assert_eq!(me["permissions"], json!(["assets.view", "assets.manage"]));

    let place = format!("/api/members/{}", analyst.user_id());
    let _ = admin.patch(&place, &json!({"role": "read_only"})).await.expect(200);
    let _ = narrow.post("/api/assets", &json!({"target_value": "b.example.com"})).await.expect(403);
    let _ = narrow.get("/api/assets").await.expect(200);
    // What the owner gains, the narrowed key does not.
    let _ = admin.patch(&place, &json!({"role": "admin"})).await.expect(200);
    let _ = whole.get("/api/users").await.expect(200);
    let _ = narrow.get("/api/users").await.expect(403);
    let _ = admin.patch(&place, &json!({"is_active": false})).await.expect(200);
    let _ = whole.get("/api/assets").await.expect(401);
}

async fn a_key_ends_and_cannot_guard_accounts() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let past = json!({"name": " ", "expires_at": "2020-01-01T00:00:00Z", "permissions": []});
    assert_eq!(
        analyst.post("/api/api-keys", &past).await.expect(422).fields(),
        ["body -> name", "body -> expires_at", "body -> permissions"]
    );
    let (made, text) = key(&analyst, json!({"name": "short", "expires_at": "2026-11-22T10:00:00Z"})).await;
    let program = app.key(&text);
    let _ = program.post("/api/api-keys", &json!({"name": "child"})).await.expect(403);
    let _ = program.delete(&format!("/api/api-keys/{}", made["id"].as_str().unwrap())).await.expect(403);
    let _ = program.get("/api/auth/sessions").await.expect(403);
    let change = json!({"current_password": "x", "new_password": "another sentence"});
    let _ = program.post("/api/auth/password", &change).await.expect(403);
    let _ = program.post("/api/auth/second-factor", &json!({"current_password": "x"})).await.expect(403);
    let _ = program.get("/api/api-keys").await.expect(200);
    app.clock.advance(chrono::Duration::hours(1));
    let _ = program.get("/api/assets").await.expect(401);
}

async fn keys_are_seen_by_their_owner_and_by_who_manages_members() {
    let app = TestApp::start().await;
    let (admin, analyst, auditor) = (app.admin().await, app.analyst().await, app.auditor().await);
    let (made, _) = key(&analyst, json!({"name": "analysts"})).await;
    let path = format!("/api/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(analyst.get("/api/api-keys").await.expect(200).json()["total"], 1);
    assert_eq!(auditor.get("/api/api-keys").await.expect(200).json()["total"], 0);
    let _ = auditor.get("/api/api-keys?all=true").await.expect(403);
    let _ = auditor.get(&path).await.expect(404);
    let _ = auditor.delete(&path).await.expect(404);
    let all = admin.get("/api/api-keys?all=true").await.expect(200).json();
    assert_eq!(all["data"][0]["owner"]["username"], "analyst-example");
    let _ = admin.delete(&path).await.expect(204);
}
