use std::time::Duration;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Options, PASSWORD, TestApp};
use serde_json::json;

use crate::redacted;

api_tests!(
    setup_makes_an_administrator_who_is_signed_in_and_works_once,
    setup_names_every_bad_field,
    setup_beyond_loopback_needs_the_one_time_token,
    on_loopback_setup_answers_to_this_machine_only_and_to_json_only,
    login_does_not_tell_an_unknown_user_from_a_wrong_password,
    sign_in_attempts_are_limited_by_address,
    a_refresh_token_is_good_once_and_its_reuse_ends_the_session,
    tokens_end_after_their_time,
    logout_ends_the_session_at_once,
    forged_and_malformed_credentials_are_refused,
);

fn setup_body() -> serde_json::Value {
    json!({"username": "robin", "email": "robin@example.test", "password": PASSWORD})
}

async fn setup_makes_an_administrator_who_is_signed_in_and_works_once() {
    let app = TestApp::blank().await;
    let anyone = app.anonymous();
    let providers = anyone.get("/api/auth/providers").await.expect(200).json();
    assert_eq!(
        (providers["setup_required"].clone(), providers["setup_token_required"].clone()),
        (json!(true), json!(false))
    );

    let answer = anyone.post("/api/auth/setup", &setup_body()).await.expect(201).json();
    insta::assert_json_snapshot!("setup", redacted(answer.clone()));
    let admin = app.bearer(answer["access_token"].as_str().unwrap());
    assert_eq!(admin.get("/api/auth/me").await.expect(200).json(), answer["user"]);
    let settings = admin.get("/api/config/scanning").await.expect(200).json();
    assert_eq!(settings["allow_private"], true, "preselected on loopback");

    let again = anyone.post("/api/auth/setup", &setup_body()).await.expect(409).json();
    assert!(again["detail"].as_str().unwrap().contains("already"));
    assert_eq!(anyone.get("/api/auth/providers").await.json()["setup_required"], false);
}

async fn setup_names_every_bad_field() {
    let app = TestApp::blank().await;
    let body = json!({"username": " ", "email": "robin", "password": "password"});
    let answer = app.anonymous().post("/api/auth/setup", &body).await.expect(422);
    assert_eq!(answer.fields(), ["body -> username", "body -> email", "body -> password"]);
    assert!(!answer.text().contains("\"password\":\"password\""));
    insta::assert_json_snapshot!("setup_invalid", redacted(answer.json()));
    let unknown = json!({"username": "r", "email": "r@example.test", "password": PASSWORD, "role": "admin"});
    assert_eq!(app.anonymous().post("/api/auth/setup", &unknown).await.expect(422).fields(), ["body -> role"]);
}

async fn setup_beyond_loopback_needs_the_one_time_token() {
    let mut options = Options { setup_token: Some("one-time"), ..Options::default() };
    options.http.loopback_only = false;
    let app = TestApp::with(options).await;
    let anyone = app.anonymous();
    assert_eq!(anyone.get("/api/auth/providers").await.json()["setup_token_required"], true);
    let _ = anyone.post("/api/auth/setup", &setup_body()).await.expect(403);
    let mut wrong = setup_body();
    wrong["setup_token"] = json!("one-tims");
    let _ = anyone.post("/api/auth/setup", &wrong).await.expect(403);
    let call = anyone.request(hyper::Method::POST, "/api/auth/setup").json(&setup_body());
    let answer = call.header("x-setup-token", "one-time").send().await.expect(201).json();
    let admin = app.bearer(answer["access_token"].as_str().unwrap());
    assert_eq!(admin.get("/api/config/scanning").await.json()["allow_private"], false);
}

async fn on_loopback_setup_answers_to_this_machine_only_and_to_json_only() {
    let app = TestApp::blank().await;
    let call = || app.anonymous().request(hyper::Method::POST, "/api/auth/setup");
    let _ = call().json(&setup_body()).header("host", "rebound.example").send().await.expect(421);
    // What a page of another origin may send without asking first.
    let _ = call().body("text/plain", setup_body().to_string()).send().await.expect(415);
    assert_eq!(app.anonymous().get("/api/auth/providers").await.json()["setup_required"], true);
}

async fn login_does_not_tell_an_unknown_user_from_a_wrong_password() {
    let app = TestApp::start().await;
    let _ = app.admin().await;
    let login = |name: &'static str, password: &'static str| {
        let anyone = app.anonymous();
        async move { anyone.post("/api/auth/login", &json!({"username": name, "password": password})).await }
    };
    let answer = login("admin-example", PASSWORD).await.expect(200).json();
    insta::assert_json_snapshot!("login", redacted(answer));
    let _ = login("ADMIN-example@EXAMPLE.test", PASSWORD).await.expect(200);
    let wrong = login("admin-example", "wrong password").await.expect(401);
    let unknown = login("nobody", "wrong password").await.expect(401);
    assert_eq!(wrong.json()["detail"], unknown.json()["detail"]);
    assert_eq!(wrong.header("www-authenticate"), "Bearer");
}

async fn sign_in_attempts_are_limited_by_address() {
    let mut options = Options::default();
    options.http.sign_ins_per_minute = 10;
    let app = TestApp::with(options).await;
    let body = json!({"username": "nobody", "password": "wrong password"});
    for number in 0..10 {
        // One account would have to wait after fewer.
        let body = json!({"username": format!("nobody-{number}"), "password": "wrong password"});
        let _ = app.anonymous().post("/api/auth/login", &body).await.expect(401);
    }
    let limited = app.anonymous().post("/api/auth/login", &body).await.expect(429);
    assert_eq!(limited.header("retry-after"), "60");
    insta::assert_json_snapshot!("login_limited", redacted(limited.json()));
    let _ = app.anonymous().post("/api/auth/setup", &setup_body()).await.expect(429);
    let _ = app.anonymous().get("/api/auth/providers").await.expect(200);
    app.clock.advance(chrono::Duration::seconds(60));
    let _ = app.anonymous().post("/api/auth/login", &body).await.expect(401);
}

async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let app = TestApp::start().await;
    let _ = app.admin().await;
    let login = json!({"username": "admin-example", "password": PASSWORD});
    let first = app.anonymous().post("/api/auth/login", &login).await.expect(200).json();
    let refresh = |token: &serde_json::Value| {
        let anyone = app.anonymous();
        let body = json!({"refresh_token": token});
        async move { anyone.post("/api/auth/refresh", &body).await }
    };
    let second = refresh(&first["refresh_token"]).await.expect(200).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["expires_in"], 1800);
    // Presented again before anybody used the next one: its answer was lost.
    let second = refresh(&first["refresh_token"]).await.expect(200).json();
    let third = refresh(&second["refresh_token"]).await.expect(200).json();
    let session = app.bearer(third["access_token"].as_str().unwrap());
    let _ = session.get("/api/auth/me").await.expect(200);
    let _ = refresh(&first["refresh_token"]).await.expect(401);
    let _ = refresh(&third["refresh_token"]).await.expect(401);
    let _ = session.get("/api/auth/me").await.expect(401);
    let _ = refresh(&json!("rubbish")).await.expect(401);
}

async fn tokens_end_after_their_time() {
    let app = TestApp::start().await;
    let _ = app.admin().await;
    let login = json!({"username": "admin-example", "password": PASSWORD});
    let tokens = app.anonymous().post("/api/auth/login", &login).await.expect(200).json();
    let admin = app.bearer(tokens["access_token"].as_str().unwrap());
    app.clock.advance(chrono::Duration::from_std(Duration::from_secs(30 * 60 - 1)).unwrap());
    let _ = admin.get("/api/auth/me").await.expect(200);
    app.clock.advance(chrono::Duration::seconds(1));
    let expired = admin.get("/api/auth/me").await.expect(401).json();
    assert_eq!(expired["detail"], "access token expired");
    app.clock.advance(chrono::Duration::days(7));
    let late = json!({"refresh_token": tokens["refresh_token"]});
    let _ = app.anonymous().post("/api/auth/refresh", &late).await.expect(401);
}

async fn logout_ends_the_session_at_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let _ = admin.request(hyper::Method::POST, "/api/auth/logout").send().await.expect(204);
    let _ = admin.get("/api/auth/me").await.expect(401);
    let _ = app.admin().await.get("/api/auth/me").await.expect(200);
}

async fn forged_and_malformed_credentials_are_refused() {
    let app = TestApp::start().await;
    let real = app.admin().await.token().to_owned();
    let parts: Vec<&str> = real.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for token in [
        String::new(),
        "rubbish".to_owned(),
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].chars().rev().collect::<String>()),
        "x".repeat(5000),
    ] {
        let answer = app.bearer(&token).get("/api/auth/me").await.expect(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let call = || app.anonymous().request(hyper::Method::GET, "/api/auth/me");
    let _ = call().header("authorization", &format!("Basic {real}")).send().await.expect(401);
    let _ = call().header("authorization", "Bearer").send().await.expect(401);
    let _ = call().header("authorization", &format!("bearer {real}")).send().await.expect(200);
}
