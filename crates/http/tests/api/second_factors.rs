use bartizan_auth::Totp;
use bartizan_domain::Clock as _;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Answer, PASSWORD, TestApp};
use serde_json::{Value, json};

api_tests!(
    a_second_factor_is_begun_confirmed_asked_for_and_removed,
    codes_are_good_once,
    guesses_at_codes_are_counted_and_recorded,
    an_administrator_helps_who_lost_it,
);

async fn login(app: &TestApp, code: Option<&str>) -> Answer {
    let body = json!({"username": "analyst-example", "password": PASSWORD, "code": code});
    app.anonymous().post("/api/auth/login", &body).await
}

/// Turns the analyst's second factor on; returns the authenticator and the recovery codes.
async fn enrolled(app: &TestApp) -> (Totp, Vec<String>) {
    let analyst = app.analyst().await;
    let password = json!({"current_password": PASSWORD});
    let begun = analyst.post("/api/auth/second-factor", &password).await.expect(200).json();
    let totp = Totp::from_base32(&begun["secret"].as_str().unwrap().into()).unwrap();
    let code = json!({"code": totp.code(app.clock.now())});
    let codes = analyst.post("/api/auth/second-factor/confirm", &code).await.expect(200).json();
    let codes = codes["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned());
    (totp, codes.collect())
}

async fn a_second_factor_is_begun_confirmed_asked_for_and_removed() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let wrong = json!({"current_password": "wrong"});
    assert_eq!(
        analyst.post("/api/auth/second-factor", &wrong).await.expect(422).fields(),
        ["body -> current_password"]
    );
    let _ = analyst.post("/api/auth/second-factor/confirm", &json!({"code": "123456"})).await.expect(409);
    let (totp, codes) = enrolled(&app).await;
    assert_eq!(codes.len(), 10);
    let state = analyst.get("/api/auth/second-factor").await.expect(200).json();
    assert_eq!((&state["enabled"], &state["recovery_codes_left"]), (&json!(true), &json!(10)));

    let asked = login(&app, None).await.expect(401).json();
    assert_eq!(asked["type"], "urn:bartizan:problem:second_factor_required");
    let refused = login(&app, Some("000000")).await.expect(401).json();
    assert_eq!(refused["type"], "urn:bartizan:problem:unauthenticated");
    app.clock.advance(chrono::Duration::seconds(30));
    let _ = login(&app, Some(&totp.code(app.clock.now()))).await.expect(200);

    let password = json!({"current_password": PASSWORD});
    let _ = analyst.post("/api/auth/second-factor", &password).await.expect(409);
    let _ = analyst.post("/api/auth/second-factor/disable", &password).await.expect(204);
    let _ = login(&app, None).await.expect(200);
    let _ = analyst.post("/api/auth/second-factor/disable", &password).await.expect(409);
}

async fn codes_are_good_once() {
    let app = TestApp::start().await;
    let (totp, codes) = enrolled(&app).await;
    // The code that confirmed it is used up.
    let _ = login(&app, Some(&totp.code(app.clock.now()))).await.expect(401);
    app.clock.advance(chrono::Duration::seconds(30));
    let code = totp.code(app.clock.now());
    let _ = login(&app, Some(&code)).await.expect(200);
    let _ = login(&app, Some(&code)).await.expect(401);
    let _ = login(&app, Some(&codes[3].to_uppercase())).await.expect(200);
    let _ = login(&app, Some(&codes[3])).await.expect(401);
    let signed_in = login(&app, Some(&codes[4])).await.expect(200).json();
    let analyst = app.bearer(signed_in["access_token"].as_str().unwrap());
    let left: Value = analyst.get("/api/auth/second-factor").await.expect(200).json();
    assert_eq!(left["recovery_codes_left"], 8);
    app.clock.advance(chrono::Duration::seconds(30));
    let code = json!({"code": totp.code(app.clock.now())});
    let renewed = analyst.post("/api/auth/second-factor/recovery-codes", &code).await.expect(200).json();
    assert_eq!(renewed["recovery_codes"].as_array().unwrap().len(), 10);
    let _ = login(&app, Some(&codes[5])).await.expect(401);
}

async fn an_administrator_helps_who_lost_it() {
    let app = TestApp::start().await;
    let _ = enrolled(&app).await;
    let admin = app.admin().await;
    let analyst = app.analyst_id().await;
    let _ = login(&app, None).await.expect(401);
    let path = format!("/api/users/{analyst}/second-factor");
    let _ = admin.delete(&path).await.expect(204);
    let _ = login(&app, None).await.expect(200);
    let _ = admin.delete(&path).await.expect(409);
}

async fn guesses_at_codes_are_counted_and_recorded() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let begun = json!({"current_password": PASSWORD});
    let _ = analyst.post("/api/auth/second-factor", &begun).await.expect(200);
    let wrong = json!({"code": "000000"});
    for _ in 0..5 {
        let _ = analyst.post("/api/auth/second-factor/confirm", &wrong).await.expect(422);
    }
    let waits = analyst.post("/api/auth/second-factor/confirm", &wrong).await.expect(429);
    assert_eq!(waits.header("retry-after"), "30");
    let log = admin.get("/api/audit?action=auth.login_failed").await.expect(200).json();
    assert_eq!((&log["total"], &log["data"][0]["new_value"]["method"]), (&json!(5), &json!("second_factor")));
}
