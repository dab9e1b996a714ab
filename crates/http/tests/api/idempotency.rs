use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Answer, TestApp};
use hyper::Method;
use serde_json::json;

api_tests!(
    the_same_key_and_body_replay_the_answer,
    the_same_key_with_another_body_is_refused,
    a_key_belongs_to_its_principal_and_lasts_a_day,
    a_refused_request_leaves_its_key_free,
    of_requests_at_once_one_does_the_work,
);

async fn create(actor: &Actor, key: &str, target: &str) -> Answer {
    let call = actor.request(Method::POST, "/api/assets").json(&json!({"target_value": target}));
    call.header("idempotency-key", key).send().await
}

async fn the_same_key_and_body_replay_the_answer() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let first = create(&analyst, "k-1", "a.example.com").await.expect(201);
    let again = create(&analyst, "k-1", "a.example.com").await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
    // A signed-in person is one principal, whatever the session.
    assert_eq!(create(&app.analyst().await, "k-1", "a.example.com").await.header("idempotent-replayed"), "true");
}

async fn the_same_key_with_another_body_is_refused() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
    let other = create(&analyst, "k-1", "b.example.com").await.expect(422);
    assert_eq!(other.fields(), ["header -> Idempotency-Key"]);
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
}

async fn a_key_belongs_to_its_principal_and_lasts_a_day() {
    let app = TestApp::start().await;
    let _ = create(&app.analyst().await, "k-1", "a.example.com").await.expect(201);
    let other = create(&app.admin().await, "k-1", "b.example.com").await.expect(201);
    assert_eq!(other.header("idempotent-replayed"), "");
    app.clock.advance(chrono::Duration::hours(24));
    let _ = create(&app.analyst().await, "k-1", "c.example.com").await.expect(201);
}

async fn a_refused_request_leaves_its_key_free() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let _ = create(&analyst, "k-1", "300.1.1.1").await.expect(422);
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
    let _ = create(&app.read_only().await, "k-1", "a.example.com").await.expect(403);
    let _ = create(&app.anonymous(), "k-1", "a.example.com").await.expect(401);
    for bad in ["", &"k".repeat(256), "two words"] {
        let answer = create(&analyst, bad, "b.example.com").await.expect(422);
        assert_eq!(answer.fields(), ["header -> Idempotency-Key"], "{bad:?}");
    }
}

async fn of_requests_at_once_one_does_the_work() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let answers = futures::future::join_all((0..8).map(|_| create(&analyst, "k-1", "a.example.com"))).await;
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 409), "{}", answer.text());
    }
    assert_eq!(answers.iter().filter(|a| a.status == 201 && a.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
}
