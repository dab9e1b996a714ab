use bartizan_test_support::api_tests;
use bartizan_test_support::app::{PASSWORD, TestApp};
use serde_json::json;

use crate::redacted;

api_tests!(
    somebody_new_accepts_an_invitation_once,
    somebody_with_an_account_joins,
    an_invitation_is_sent_again_taken_back_and_ends,
    bad_invitations_are_refused,
);

async fn somebody_new_accepts_an_invitation_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"email": "ada@example.test", "role": "auditor"});
    let made = admin.post("/api/invitations", &body).await.expect(201);
    let (path, made) = (made.header("location").to_owned(), made.json());
    let token = made["token"].clone();
    assert_eq!(made["link"], format!("/ui/invitation#{}", token.as_str().unwrap()));
    let shown = admin.get(&path).await.expect(200);
    assert!(!shown.text().contains(token.as_str().unwrap()));
    insta::assert_json_snapshot!("invitation", redacted(shown.json()));

    let anyone = app.anonymous();
    let preview = anyone.post("/api/auth/invitation/preview", &json!({"token": token})).await.expect(200).json();
    assert_eq!(
        preview,
        json!({"organization": "Example", "email": "ada@example.test", "role": "auditor", "has_account": false})
    );
    let weak = json!({"token": token, "username": "ada", "password": "password"});
    assert_eq!(anyone.post("/api/auth/invitation", &weak).await.expect(422).fields(), ["body -> password"]);
    let accept = json!({"token": token, "username": "ada", "password": PASSWORD});
    let signed_in = anyone.post("/api/auth/invitation", &accept).await.expect(201).json();
    assert_eq!(
        (&signed_in["user"]["email"], &signed_in["user"]["role"]),
        (&json!("ada@example.test"), &json!("auditor"))
    );
    let ada = app.bearer(signed_in["access_token"].as_str().unwrap());
    let _ = ada.get("/api/assets").await.expect(200);
    let _ = anyone.post("/api/auth/invitation", &accept).await.expect(404);
    assert_eq!(admin.get(&path).await.expect(200).json()["status"], "accepted");
    let _ = admin.delete(&path).await.expect(409);
    let _ = admin.post("/api/invitations", &body).await.expect(409);
}

async fn somebody_with_an_account_joins() {
    let app = TestApp::start().await;
    let (admin, outsider) = (app.admin().await, app.outsider().await);
    let invite = |email: &str| json!({"email": email, "role": "analyst"});
    let made = admin.post("/api/invitations", &invite("ADMIN-another@example.test")).await.expect(201).json();
    let token = json!({"token": made["token"]});
    let preview = app.anonymous().post("/api/auth/invitation/preview", &token).await.expect(200).json();
    assert_eq!(preview["has_account"], true);
    let accept = json!({"token": made["token"], "username": "new", "password": PASSWORD});
    let _ = app.anonymous().post("/api/auth/invitation", &accept).await.expect(409);
    // It is to one address: nobody else joins with the link.
    let _ =
        app.actor("Third", bartizan_domain::Role::Admin).await.post("/api/invitations/join", &token).await.expect(404);
    let joined = outsider.post("/api/invitations/join", &token).await.expect(200).json();
    let switched = outsider.post("/api/auth/switch", &joined).await.expect(200).json();
    assert_eq!(
        (&switched["user"]["role"], &switched["user"]["organization"]["name"]),
        (&json!("analyst"), &json!("Example"))
    );
    let _ = outsider.post("/api/invitations/join", &token).await.expect(404);
    let _ = admin.post("/api/invitations", &invite("admin-another@example.test")).await.expect(409);
}

async fn an_invitation_is_sent_again_taken_back_and_ends() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let preview = |token: &serde_json::Value| {
        let (anyone, body) = (app.anonymous(), json!({"token": token}));
        async move { anyone.post("/api/auth/invitation/preview", &body).await }
    };
    let made = admin.post("/api/invitations", &json!({"email": "ada@example.test"})).await.expect(201);
    let (path, first) = (made.header("location").to_owned(), made.json());
    assert_eq!(first["role"], "read_only");
    let _ = admin.post("/api/invitations", &json!({"email": "Ada@Example.test"})).await.expect(409);
    let second = admin.request(hyper::Method::POST, &format!("{path}/resend")).send().await.expect(200).json();
    let _ = preview(&first["token"]).await.expect(404);
    let _ = preview(&second["token"]).await.expect(200);
    app.clock.advance(chrono::Duration::days(7));
    let _ = preview(&second["token"]).await.expect(404);
    let admin = app.admin().await;
    assert_eq!(admin.get(&path).await.expect(200).json()["status"], "expired");
    let third = admin.request(hyper::Method::POST, &format!("{path}/resend")).send().await.expect(200).json();
    let _ = preview(&third["token"]).await.expect(200);
    let _ = admin.delete(&path).await.expect(204);
    let _ = preview(&third["token"]).await.expect(404);
    let _ = admin.request(hyper::Method::POST, &format!("{path}/resend")).send().await.expect(409);
    assert_eq!(admin.get("/api/invitations").await.expect(200).json()["data"][0]["status"], "revoked");
}

async fn bad_invitations_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let bad = admin.post("/api/invitations", &json!({"email": "nobody"})).await.expect(422);
    assert_eq!(bad.fields(), ["body -> email"]);
    let unknown = json!({"email": "ada@example.test", "role": "no_such_role"});
    assert_eq!(admin.post("/api/invitations", &unknown).await.expect(422).fields(), ["body -> role"]);
    let member = json!({"email": "admin-example@example.test"});
    let _ = admin.post("/api/invitations", &member).await.expect(409);
    let _ = app.analyst().await.post("/api/invitations", &json!({"email": "ada@example.test"})).await.expect(403);
    let role = json!({"name": "recruiter", "permissions": ["members.manage"]});
    let _ = admin.post("/api/roles", &role).await.expect(201);
    let user = json!({"username": "rec", "email": "rec@example.test", "password": PASSWORD, "role": "recruiter"});
    let _ = admin.post("/api/users", &user).await.expect(201);
    let recruiter = app.sign_in("rec", PASSWORD).await;
    let more = json!({"email": "friend@example.test", "role": "admin"});
    let _ = recruiter.post("/api/invitations", &more).await.expect(403);
}
