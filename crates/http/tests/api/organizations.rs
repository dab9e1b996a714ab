use bartizan_domain::Role;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::TestApp;
use serde_json::{Value, json};

api_tests!(one_switches_between_ones_own_organisations, an_organisation_is_renamed_and_added);

async fn one_switches_between_ones_own_organisations() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let there = app.join(&admin, "Another", Role::ReadOnly).await;
    let _ = admin.post("/api/assets", &json!({"target_value": "here.example.com"})).await.expect(201);
    let own = admin.get("/api/organizations").await.expect(200).json();
    let shown: Vec<_> = own["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| (o["name"].clone(), o["role"].clone(), o["current"].clone()))
        .collect();
    assert_eq!(
        shown,
        [(json!("Another"), json!("read_only"), json!(false)), (json!("Example"), json!("admin"), json!(true))]
    );

    let first = |user: &Value| user["organization"]["first"].clone();
    assert_eq!(first(&admin.get("/api/auth/me").await.expect(200).json()), json!(true));
    let body = json!({"organization_id": there});
    let switched = admin.post("/api/auth/switch", &body).await.expect(200).json();
    assert_eq!(first(&switched["user"]), json!(false), "a tenant's administrators do not command the installation");
    assert_eq!(
        (&switched["user"]["role"], &switched["user"]["organization"]["name"]),
        (&json!("read_only"), &json!("Another"))
    );
    let reader = app.bearer(switched["access_token"].as_str().unwrap());
    assert_eq!(reader.get("/api/assets").await.expect(200).json()["total"], 0);
    let _ = reader.post("/api/assets", &json!({"target_value": "there.example.com"})).await.expect(403);
    // The token from before still speaks for the organisation it was made for.
    assert_eq!(admin.get("/api/assets").await.expect(200).json()["total"], 1);
    let stranger = app.analyst().await;
    let _ = stranger.post("/api/auth/switch", &body).await.expect(404);
}

async fn an_organisation_is_renamed_and_added() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let renamed = admin.patch("/api/organization", &json!({"name": " Sherwood "})).await.expect(200).json();
    assert_eq!(renamed["name"], "Sherwood");
    assert_eq!(app.read_only().await.get("/api/organization").await.expect(200).json(), renamed);
    let _ = app.analyst().await.patch("/api/organization", &json!({"name": "Mine"})).await.expect(403);
    assert_eq!(admin.patch("/api/organization", &json!({"name": " "})).await.expect(422).fields(), ["body -> name"]);
    let added = admin.post("/api/organizations", &json!({"name": "Locksley"})).await.expect(201).json();
    let switched = admin.post("/api/auth/switch", &json!({"organization_id": added["id"]})).await.expect(200).json();
    assert_eq!(switched["user"]["role"], "admin");
    let _ = app.analyst().await.post("/api/organizations", &json!({"name": "Mine"})).await.expect(403);
}
