use bartizan_domain::Role;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{PASSWORD, TestApp};
use serde_json::json;

use crate::redacted;

api_tests!(
    a_user_is_added_read_changed_and_deactivated,
    a_user_without_a_password_sets_one_with_a_link,
    bad_users_name_the_field,
    the_last_administrator_stays,
    an_address_of_somebody_with_other_places_stays,
);

async fn a_user_is_added_read_changed_and_deactivated() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"username": "analyst1", "email": "analyst1@example.test", "password": PASSWORD,
        "role": "analyst"});
    let created = admin.post("/api/users", &body).await.expect(201);
    let path = created.header("location").to_owned();
    insta::assert_json_snapshot!("user", redacted(created.json()));
    assert_eq!(admin.get(&path).await.expect(200).json(), created.json());
    let twice = json!({"username": "ANALYST1", "email": "other@example.test", "password": PASSWORD});
    let _ = admin.post("/api/users", &twice).await.expect(409);

    let analyst = app.sign_in("analyst1", PASSWORD).await;
    let _ = analyst.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let changed = admin.patch(&path, &json!({"role": "viewer", "email": "new@example.test"})).await.expect(200).json();
    assert_eq!((&changed["role"], &changed["email"]), (&json!("read_only"), &json!("new@example.test")));
    // The change acts on the next request, with the token from before.
    let _ = analyst.post("/api/assets", &json!({"target_value": "b.example.com"})).await.expect(403);
    let _ = analyst.get("/api/assets").await.expect(200);

    let listed = admin.get("/api/users?search=NEW@&page_size=1").await.expect(200).json();
    assert_eq!((&listed["total"], &listed["data"][0]["username"]), (&json!(1), &json!("analyst1")));
    let gone = admin.delete(&path).await.expect(200).json();
    assert_eq!(gone["is_active"], false);
    let _ = analyst.get("/api/assets").await.expect(401);
    let login = json!({"username": "analyst1", "password": PASSWORD});
    let _ = app.anonymous().post("/api/auth/login", &login).await.expect(401);
    let _ = admin.patch(&path, &json!({"is_active": true})).await.expect(200);
    let _ = app.anonymous().post("/api/auth/login", &login).await.expect(200);
}

async fn a_user_without_a_password_sets_one_with_a_link() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"username": "ada", "email": "ada@example.test"});
    let user = admin.post("/api/users", &body).await.expect(201).json();
    for password in ["", "null", "ada"] {
        let login = json!({"username": "ada", "password": password});
        let _ = app.anonymous().post("/api/auth/login", &login).await.expect(401);
    }
    let path = format!("/api/users/{}/password-link", user["id"].as_str().unwrap());
    let link =
        admin.post(&path, &serde_json::Value::Null).await.expect(200).json()["link"].as_str().unwrap().to_owned();
    let reset = json!({"token": link.split_once("#token=").unwrap().1, "new_password": PASSWORD});
    let _ = app.anonymous().post("/api/auth/password/reset", &reset).await.expect(204);
    let _ = app.sign_in("ada", PASSWORD).await;
}

async fn bad_users_name_the_field() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let bad = json!({"username": "a b", "email": "nobody", "password": "password"});
    let answer = admin.post("/api/users", &bad).await.expect(422);
    assert_eq!(answer.fields(), ["body -> username", "body -> email", "body -> password"]);
    let unknown = json!({"username": "x", "email": "x@example.test", "password": PASSWORD, "role": "no_such"});
    assert_eq!(admin.post("/api/users", &unknown).await.expect(422).fields(), ["body -> role"]);
    let wrong = json!({"username": "x", "email": "x@example.test", "password": PASSWORD, "role": "Not a role"});
    assert_eq!(admin.post("/api/users", &wrong).await.expect(422).fields(), ["body -> role"]);
    assert_eq!(admin.get("/api/users").await.expect(200).json()["total"], 1);
    let _ = app.analyst().await.get("/api/users").await.expect(403);
}

async fn the_last_administrator_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let own = format!("/api/users/{}", admin.user_id());
    let _ = admin.patch(&own, &json!({"role": "analyst"})).await.expect(409);
    let _ = admin.delete(&own).await.expect(409);
    let _ = admin.delete(&format!("/api/members/{}", admin.user_id())).await.expect(409);
    let body = json!({"username": "second", "email": "second@example.test", "password": PASSWORD, "role": "admin"});
    let _ = admin.post("/api/users", &body).await.expect(201);
    let _ = admin.patch(&own, &json!({"role": "analyst"})).await.expect(200);
    let _ = admin.get("/api/users").await.expect(403);
}

async fn an_address_of_somebody_with_other_places_stays() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let outsider = app.outsider().await;
    app.join(&outsider, "Example", Role::ReadOnly).await;
    let path = format!("/api/users/{}", outsider.user_id());
    let _ = admin.get(&path).await.expect(200);
    let _ = admin.patch(&path, &json!({"email": "mine@example.test"})).await.expect(409);
    // Deactivated here, the user still works elsewhere.
    let _ = admin.delete(&path).await.expect(200);
    let _ = outsider.get("/api/assets").await.expect(200);
}
