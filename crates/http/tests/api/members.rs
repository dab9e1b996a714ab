use bartizan_domain::Role;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use serde_json::json;

use crate::redacted;

api_tests!(members_are_listed_changed_and_removed);

async fn members_are_listed_changed_and_removed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let auditor = app.auditor().await;
    let listed = admin.get("/api/members").await.expect(200).json();
    insta::assert_json_snapshot!("members", redacted(listed));
    let only = admin.get("/api/members?role=auditor&is_active=true").await.expect(200).json();
    assert_eq!(only["total"], 1);
    let path = format!("/api/members/{}", auditor.user_id());
    let _ = admin.patch(&path, &json!({"is_active": false})).await.expect(200);
    let _ = auditor.get("/api/assets").await.expect(401);
    assert_eq!(admin.get("/api/members?is_active=false").await.expect(200).json()["total"], 1);
    let _ = admin.delete(&path).await.expect(204);
    let _ = admin.get(&path).await.expect(404);
    let _ = admin.delete(&path).await.expect(404);

    // A place elsewhere is not touched by the end of this one.
    let outsider = app.outsider().await;
    app.join(&outsider, "Example", Role::Analyst).await;
    let _ = admin.delete(&format!("/api/members/{}", outsider.user_id())).await.expect(204);
    let _ = outsider.get("/api/assets").await.expect(200);
}
