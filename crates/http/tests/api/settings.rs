use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use hyper::Method;
use serde_json::json;

api_tests!(settings_change_only_from_the_state_the_caller_saw,);

async fn settings_change_only_from_the_state_the_caller_saw() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let read = admin.get("/api/config/scanning").await.expect(200);
    let seen = read.header("etag").to_owned();
    let call = || admin.request(Method::PATCH, "/api/config/scanning").json(&json!({"allow_private": true}));
    let changed = call().header("if-match", &seen).send().await.expect(200);
    assert_eq!(changed.json()["allow_private"], true);
    assert_ne!(changed.header("etag"), seen);
    let late = call().header("if-match", &seen).send().await.expect(412).json();
    assert_eq!(late["type"], "urn:bartizan:problem:precondition_failed");
    let _ = call().send().await.expect(200);
    assert_eq!(app.admin().await.get("/api/config/scanning").await.json()["allow_private"], true);
    assert_eq!(app.outsider().await.get("/api/config/scanning").await.json()["allow_private"], false);
}
