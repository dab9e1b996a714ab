use bartizan_domain::Role;
use bartizan_http::HttpConfig;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Options, PASSWORD, TestApp};
use hyper::Method;
use serde_json::json;

api_tests!(
    sessions_are_listed_and_ended,
    a_password_is_changed_and_other_sessions_end,
    an_account_waits_after_failures_and_others_do_not,
    strangers_cannot_keep_the_owner_out,
    guessing_from_everywhere_is_slowed_down_and_the_owner_is_not,
    how_the_interface_looks_is_ones_own,
    made_up_refresh_tokens_are_counted_by_address,
    a_session_ends_for_good_after_a_month,
    an_administrator_ends_the_sessions_of_a_member,
    keys_go_with_a_changed_password_if_so_wished,
);

async fn sessions_are_listed_and_ended() {
    let app = TestApp::start().await;
    let first = app.admin().await;
    let second = app.sign_in("admin-example", PASSWORD).await;
    let third = app.sign_in("admin-example", PASSWORD).await;
    let listed = first.get("/api/auth/sessions").await.expect(200).json();
    assert_eq!(listed["total"], 3);
    let page = first.get("/api/auth/sessions?page=2&page_size=2").await.expect(200).json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["total_pages"]), (1, &json!(2)));
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
    let seconds = second.get("/api/auth/sessions").await.expect(200).json();
    let own = seconds["data"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap().clone();
    let path = format!("/api/auth/sessions/{}", own["id"].as_str().unwrap());
    let _ = app.analyst().await.delete(&path).await.expect(404);
    let _ = first.delete(&path).await.expect(204);
    let _ = second.get("/api/auth/me").await.expect(401);
    let _ = first.delete(&path).await.expect(404);
    let _ = first.delete("/api/auth/sessions").await.expect(204);
    let _ = third.get("/api/auth/me").await.expect(401);
    let _ = first.get("/api/auth/me").await.expect(200);
}

async fn a_password_is_changed_and_other_sessions_end() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let other = app.sign_in("admin-example", PASSWORD).await;
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let wrong = admin.post("/api/auth/password", &change("wrong", "another sentence")).await.expect(422);
    assert_eq!(wrong.fields(), ["body -> current_password"]);
    let weak = admin.post("/api/auth/password", &change(PASSWORD, "password")).await.expect(422);
    assert_eq!(weak.fields(), ["body -> new_password"]);
    let _ = admin.post("/api/auth/password", &change(PASSWORD, "another sentence")).await.expect(204);
    let _ = admin.get("/api/auth/me").await.expect(200);
    let _ = other.get("/api/auth/me").await.expect(401);
    let login = json!({"username": "admin-example", "password": PASSWORD});
    let _ = app.anonymous().post("/api/auth/login", &login).await.expect(401);
    let _ = app.sign_in("admin-example", "another sentence").await;
}

async fn an_account_waits_after_failures_and_others_do_not() {
    let app = TestApp::start().await;
    let _ = (app.admin().await, app.analyst().await);
    let attempt = |name: &str, password: &str| {
        let (anyone, body) = (app.anonymous(), json!({"username": name, "password": password}));
        async move { anyone.post("/api/auth/login", &body).await }
    };
    for name in ["admin-example", "nobody-at-all"] {
        for _ in 0..5 {
            let _ = attempt(name, "wrong password").await.expect(401);
        }
        // The right password does not help while the account waits, and an account that is none waits alike.
        let waits = attempt(name, PASSWORD).await.expect(429);
        assert_eq!(waits.header("retry-after"), "30", "{name}");
    }
    let _ = attempt("analyst-example", PASSWORD).await.expect(200);
    app.clock.advance(chrono::Duration::seconds(30));
    let _ = attempt("admin-example", "wrong password").await.expect(401);
    assert_eq!(attempt("admin-example", PASSWORD).await.expect(429).header("retry-after"), "60");
    app.clock.advance(chrono::Duration::seconds(60));
    let _ = attempt("admin-example", PASSWORD).await.expect(200);
    let _ = attempt("admin-example", "wrong password").await.expect(401);
    let _ = attempt("admin-example", PASSWORD).await.expect(200);
}

async fn how_the_interface_looks_is_ones_own() {
    let app = TestApp::start().await;
    let reader = app.read_only().await;
    let me = reader.patch("/api/auth/me", &json!({"theme_preference": "dark"})).await.expect(200).json();
    assert_eq!(me["theme_preference"], "dark");
    assert_eq!(reader.get("/api/auth/me").await.expect(200).json(), me);
    let bad = reader.patch("/api/auth/me", &json!({"theme_preference": "pink"})).await.expect(422);
    assert_eq!(bad.fields(), ["body -> theme_preference"]);
    let _ = reader.request(Method::PATCH, "/api/auth/me").json(&json!({"role": "admin"})).send().await.expect(422);
}

async fn made_up_refresh_tokens_are_counted_by_address() {
    let http = HttpConfig { refreshes_per_minute: 3, ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    for _ in 0..3 {
        let _ = app.anonymous().post("/api/auth/refresh", &json!({"refresh_token": "rubbish"})).await.expect(401);
    }
    let refused = app.anonymous().post("/api/auth/refresh", &json!({"refresh_token": "rubbish"})).await.expect(429);
    assert_eq!(refused.header("retry-after"), "60");
}

/// A server behind a proxy, so that a test can come from anywhere.
async fn behind_a_proxy() -> TestApp {
    let http = HttpConfig { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..Options::default().http };
    TestApp::with(Options { http, ..Options::default() }).await
}

async fn attempt_from(app: &TestApp, from: &str, password: &str) -> u16 {
    let body = json!({"username": "admin-example", "password": password});
    let call = app.anonymous().request(Method::POST, "/api/auth/login").json(&body);
    call.header("x-forwarded-for", from).send().await.status
}

async fn strangers_cannot_keep_the_owner_out() {
    let app = behind_a_proxy().await;
    let _ = app.actor("Example", bartizan_domain::Role::Admin).await;
    for _ in 0..5 {
        assert_eq!(attempt_from(&app, "198.51.100.7", "wrong password").await, 401);
    }
    // Neighbours of the guesser wait with it, nobody else does.
    assert_eq!(attempt_from(&app, "198.51.100.99", PASSWORD).await, 429);
    assert_eq!(attempt_from(&app, "192.0.2.1", PASSWORD).await, 200);
    // The owner's success elsewhere does not give the guesser new attempts.
    assert_eq!(attempt_from(&app, "198.51.100.7", PASSWORD).await, 429);
}

async fn guessing_from_everywhere_is_slowed_down_and_the_owner_is_not() {
    let app = behind_a_proxy().await;
    let _ = app.actor("Example", bartizan_domain::Role::Admin).await;
    assert_eq!(attempt_from(&app, "192.0.2.1", PASSWORD).await, 200);
    for number in 0..100 {
        assert_eq!(attempt_from(&app, &format!("10.1.{number}.1"), "wrong password").await, 401, "{number}");
    }
    assert_eq!(attempt_from(&app, "10.1.200.1", PASSWORD).await, 429);
    assert_eq!(attempt_from(&app, "192.0.2.200", PASSWORD).await, 200, "the account is used from there");
}

async fn a_session_ends_for_good_after_a_month() {
    let app = TestApp::start().await;
    let _ = app.admin().await;
    let body = json!({"username": "admin-example", "password": PASSWORD});
    let mut tokens = app.anonymous().post("/api/auth/login", &body).await.expect(200).json();
    for _ in 0..5 {
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        tokens = app.anonymous().post("/api/auth/refresh", &refresh).await.expect(200).json();
        let _ = app.bearer(tokens["access_token"].as_str().unwrap()).get("/api/auth/me").await.expect(200);
        app.clock.advance(chrono::Duration::days(6));
    }
    let _ = app.bearer(tokens["access_token"].as_str().unwrap()).get("/api/auth/me").await.expect(401);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let _ = app.anonymous().post("/api/auth/refresh", &refresh).await.expect(401);
}

async fn key_of(app: &TestApp, owner: &Actor) -> Actor {
    let key = owner.post("/api/api-keys", &json!({"name": "pipeline"})).await.expect(201).json();
    app.key(key["key"].as_str().unwrap())
}

async fn an_administrator_ends_the_sessions_of_a_member() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let other = app.sign_in("analyst-example", PASSWORD).await;
    let program = key_of(&app, &analyst).await;
    let path = format!("/api/users/{}/sessions", analyst.user_id());
    let _ = analyst.delete(&path).await.expect(403);
    let _ = app.outsider().await.delete(&path).await.expect(404);
    assert_eq!(admin.delete(&format!("{path}?api_keys=all")).await.expect(422).fields(), ["query -> api_keys"]);
    let _ = analyst.get("/api/auth/me").await.expect(200);

    let _ = admin.delete(&path).await.expect(204);
    let _ = analyst.get("/api/auth/me").await.expect(401);
    let _ = other.get("/api/auth/me").await.expect(401);
    let _ = program.get("/api/assets").await.expect(200);
    let _ = admin.get("/api/auth/me").await.expect(200);
    // The account is as it was.
    app.clock.advance(chrono::Duration::seconds(1));
    let again = app.sign_in("analyst-example", PASSWORD).await;
    let _ = admin.delete(&format!("{path}?api_keys=revoke")).await.expect(204);
    let _ = again.get("/api/auth/me").await.expect(401);
    let _ = program.get("/api/assets").await.expect(401);

    let log = admin.get("/api/audit?action=user.sessions_end").await.expect(200).json();
    let noted = |entry: usize| log["data"][entry]["new_value"].clone();
    assert_eq!(noted(0), json!({"username": "analyst-example", "sessions_ended": 1, "api_keys_revoked": 1}));
    assert_eq!(noted(1), json!({"username": "analyst-example", "sessions_ended": 2, "api_keys_revoked": 0}));
    assert_eq!(admin.get("/api/audit?action=api_key.revoke").await.expect(200).json()["total"], 1);

    // Sessions and keys of another organisation are not this administrator's to end.
    let place = app.join(&analyst, "Another", Role::ReadOnly).await;
    let here = app.sign_in("analyst-example", PASSWORD).await;
    let there = app.sign_in("analyst-example", PASSWORD).await;
    let switched = there.post("/api/auth/switch", &json!({"organization_id": place})).await.expect(200).json();
    let there = app.bearer(switched["access_token"].as_str().unwrap());
    let program = key_of(&app, &there).await;
    let _ = admin.delete(&format!("{path}?api_keys=revoke")).await.expect(204);
    let _ = here.get("/api/auth/me").await.expect(401);
    let _ = there.get("/api/auth/me").await.expect(200);
    let _ = program.get("/api/assets").await.expect(200);

    // Who may do more than the caller is not the caller's to sign out, and maintenance is no reason to wait.
    let desk = json!({"name": "desk", "description": "", "permissions": ["users.manage"]});
    let _ = admin.post("/api/roles", &desk).await.expect(201);
    let desk = json!({"username": "desk", "email": "desk@example.test", "password": PASSWORD, "role": "desk"});
    let _ = admin.post("/api/users", &desk).await.expect(201);
    let desk = app.sign_in("desk", PASSWORD).await;
    let _ = desk.delete(&format!("/api/users/{}/sessions", admin.user_id())).await.expect(403);
    let _ = admin.patch("/api/system/maintenance", &json!({"enabled": true})).await.expect(200);
    let _ = admin.delete(&path).await.expect(204);
}

async fn keys_go_with_a_changed_password_if_so_wished() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let program = key_of(&app, &admin).await;
    let change = json!({"current_password": PASSWORD, "new_password": "another sentence"});
    let _ = admin.post("/api/auth/password", &change).await.expect(204);
    let _ = program.get("/api/assets").await.expect(200);
    let change = json!({"current_password": "another sentence", "new_password": PASSWORD, "api_keys": "revoke"});
    let _ = admin.post("/api/auth/password", &change).await.expect(204);
    let _ = program.get("/api/assets").await.expect(401);
    let _ = admin.get("/api/auth/me").await.expect(200);
    let log = admin.get("/api/audit?action=auth.password_change").await.expect(200).json();
    assert_eq!(log["data"][0]["new_value"]["api_keys_revoked"], 1);
}
