//! What every endpoint does alike.

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Options, TestApp};
use hyper::Method;
use serde_json::json;

use crate::redacted;

api_tests!(
    errors_have_one_body_in_the_media_type_asked_for,
    paths_answer_with_and_without_a_slash,
    bodies_are_bounded,
    writes_are_limited_by_user_and_reads_are_not,
    answers_carry_the_headers_of_a_careful_server,
);

async fn errors_have_one_body_in_the_media_type_asked_for() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let missing = admin.get("/api/nothing").await.expect(404);
    assert_eq!(missing.header("content-type"), "application/json");
    assert_eq!(missing.header("x-request-id"), missing.json()["request_id"]);
    insta::assert_json_snapshot!("no_route", redacted(missing.json()));
    let call = admin.request(Method::GET, "/api/nothing").header("accept", "application/problem+json");
    assert_eq!(call.send().await.header("content-type"), "application/problem+json");
    let wrong = admin.request(Method::PUT, "/api/assets").send().await.expect(405);
    assert_eq!(wrong.json()["type"], "urn:bartizan:problem:method_not_allowed");
    assert!(wrong.header("allow").contains("POST"));
    let bad = admin.request(Method::POST, "/api/assets").body("application/json", "{").send().await.expect(422);
    assert_eq!(bad.json()["errors"][0]["type"], "json_invalid");
}

async fn paths_answer_with_and_without_a_slash() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for path in ["/api/assets", "/api/auth/me", "/api/config/scanning", "/livez"] {
        let plain = admin.get(path).await.expect(200);
        assert_eq!(admin.get(&format!("{path}/")).await.expect(200).body, plain.body, "{path}");
    }
    assert_eq!(admin.get("/api/assets/?page_size=1").await.expect(200).json()["page_size"], 1);
}

async fn bodies_are_bounded() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let huge = json!({"target_value": "x".repeat(1024 * 1024)});
    let _ = analyst.post("/api/assets", &huge).await.expect(413);
    let call = analyst.request(Method::POST, "/api/assets").json(&huge).header("idempotency-key", "k");
    let _ = call.send().await.expect(413);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let _ = analyst.request(Method::POST, "/api/assets").body("application/json", deep).send().await.expect(422);
    let broken = [b'{', b'"', 0xff, b'"', b':', b'1', b'}'];
    let call = analyst.request(Method::POST, "/api/assets").body("application/json", broken.to_vec());
    let _ = call.send().await.expect(422);
}

async fn writes_are_limited_by_user_and_reads_are_not() {
    let mut options = Options::default();
    options.http.writes_per_minute = 3;
    let app = TestApp::with(options).await;
    let analyst = app.analyst().await;
    for number in 0..3 {
        let body = json!({"target_value": format!("h{number}.example.com")});
        let _ = analyst.post("/api/assets", &body).await.expect(201);
    }
    let limited = analyst.post("/api/assets", &json!({"target_value": "h3.example.com"})).await.expect(429);
    assert_eq!(limited.json()["retry_after"], 60);
    for _ in 0..10 {
        let _ = analyst.get("/api/assets").await.expect(200);
    }
    let _ = app.admin().await.post("/api/assets", &json!({"target_value": "h3.example.com"})).await.expect(201);
    app.clock.advance(chrono::Duration::minutes(1));
    let _ = analyst.post("/api/assets", &json!({"target_value": "h4.example.com"})).await.expect(201);
}

async fn answers_carry_the_headers_of_a_careful_server() {
    let app = TestApp::start().await;
    for path in ["/api/assets", "/livez", "/api/docs", "/ui/", "/nothing"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{path}: {policy}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    assert_eq!(app.anonymous().get("/api/auth/providers").await.header("cache-control"), "no-store");
    assert_eq!(app.anonymous().get("/api/auth/providers").await.header("access-control-allow-origin"), "");
}
