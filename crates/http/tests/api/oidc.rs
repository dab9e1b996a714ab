//! Sign-in with a real OpenID provider.

use std::collections::BTreeMap;

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Answer, TestApp};
use bartizan_test_support::lab::identity::{CLIENT_SECRET, Claims, IdentityProvider, REDIRECT_URI};
use chrono::{Duration, Utc};
use hyper::Method;
use serde_json::{Value, json};

api_tests!(
    a_sign_in_makes_an_account_and_the_next_one_finds_it,
    a_state_is_good_once_for_ten_minutes_and_for_the_browser_that_began,
    groups_decide_the_role_at_every_sign_in,
    an_account_of_the_same_address_is_not_taken_over,
    who_is_switched_off_here_stays_out,
    a_provider_that_is_away_is_a_bad_gateway_and_new_keys_are_found,
    settings_are_tried_out_before_they_are_saved,
);

fn people() -> Value {
    json!({
        "ada-1": {"preferred_username": "ada", "name": "Ada", "email": "ada@corp.example", "email_verified": true,
            "groups": ["staff", "analysts"]},
        "eve-2": {"preferred_username": "eve@corp.example", "email": "admin-example@example.test", "groups": []},
        "mal-3": {"preferred_username": "admin-example", "email": "mal@corp.example", "email_verified": false, "groups": []},
    })
}

/// A server and a provider that know each other. The clock is the provider's.
pub async fn with_provider(claims: Claims) -> (TestApp, IdentityProvider, Actor) {
    let provider = IdentityProvider::start(&people(), claims);
    let app = TestApp::start().await;
    app.clock.set(Utc::now());
    let admin = app.admin().await;
    let body = json!({"oidc": {"enabled": true, "issuer": provider.issuer(), "client_id": "bartizan",
        "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI, "scopes": ["profile", "email", "groups"],
        "label": "Example login"}});
    let _ = admin.patch("/api/config/auth", &body).await.expect(200);
    (app, provider, admin)
}

/// The cookie of a browser that begins, and what it is told.
async fn begin(app: &TestApp) -> (String, Value) {
    let answer = app.anonymous().get("/api/auth/oidc/authorize?return_to=/ui/findings").await.expect(200);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    (cookie, answer.json())
}

async fn finish(app: &TestApp, cookie: &str, back: &BTreeMap<String, String>) -> Answer {
    let body = json!({"code": back["code"], "state": back["state"]});
    app.anonymous().request(Method::POST, "/api/auth/oidc/callback").header("cookie", cookie).json(&body).send().await
}

async fn sign_in(app: &TestApp, provider: &IdentityProvider, login: &str) -> Answer {
    let (cookie, start) = begin(app).await;
    let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), login).await;
    assert_eq!(back["state"], start["state"]);
    finish(app, &cookie, &back).await
}

/// Entries of the audit log with this action, the newest first.
pub async fn entries(admin: &Actor, action: &str) -> Vec<Value> {
    let log = admin.get(&format!("/api/audit?action={action}&page_size=50")).await.expect(200).json();
    log["data"].as_array().unwrap().clone()
}

async fn a_sign_in_makes_an_account_and_the_next_one_finds_it() {
    for claims in [Claims::InToken, Claims::AtUserinfo] {
        let (app, provider, admin) = with_provider(claims).await;
        let providers = app.anonymous().get("/api/auth/providers").await.expect(200).json();
        assert_eq!((&providers["oidc_enabled"], &providers["oidc_label"]), (&json!(true), &json!("Example login")));
        let (cookie, start) = begin(&app).await;
        let url = start["authorization_url"].as_str().unwrap();
        for part in ["code_challenge_method=S256", "response_type=code", "scope=openid+profile+email+groups"] {
            assert!(url.contains(part), "{url}");
        }
        let back = provider.sign_in(url, "ada-1").await;
        let first = finish(&app, &cookie, &back).await.expect(200);
        assert!(first.header("set-cookie").contains("Max-Age=0"));
        let first = first.json();
        assert_eq!(first["user"]["username"], "ada");
        assert_eq!(first["user"]["email"], "ada@corp.example");
        assert_eq!(first["user"]["role"], "read_only");
        assert_eq!(first["user"]["auth_provider"], "oidc");
        assert_eq!(first["return_to"], "/ui/findings");
        let ada = app.bearer(first["access_token"].as_str().unwrap());
        assert_eq!(ada.get("/api/auth/me").await.expect(200).json()["id"], first["user"]["id"]);
        let again = sign_in(&app, &provider, "ada-1").await.expect(200).json();
        assert_eq!(again["user"]["id"], first["user"]["id"]);
        let made = entries(&admin, "user.create").await;
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["new_value"]["subject"], "ada-1");
        assert_eq!(entries(&admin, "auth.login").await[0]["new_value"]["method"], "oidc");
        // There is no password here to change, to confirm with, or to sign in with.
        let change = json!({"current_password": "x", "new_password": "something long enough"});
        let _ = ada.post("/api/auth/password", &change).await.expect(409);
        let _ = ada.post("/api/auth/second-factor", &json!({"current_password": "x"})).await.expect(409);
        let _ = app.anonymous().post("/api/auth/login", &json!({"username": "ada", "password": ""})).await.expect(401);
    }
}

async fn a_state_is_good_once_for_ten_minutes_and_for_the_browser_that_began() {
    let (app, provider, admin) = with_provider(Claims::InToken).await;
    // A replayed state, and so a replayed code.
    let (cookie, start) = begin(&app).await;
    let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), "ada-1").await;
    let _ = finish(&app, &cookie, &back).await.expect(200);
    let _ = finish(&app, &cookie, &back).await.expect(401);
    // The code of one sign-in under the state of another: the provider refuses it.
    let (cookie, start) = begin(&app).await;
    let mut mixed = back.clone();
    mixed.insert("state".into(), start["state"].as_str().unwrap().into());
    let _ = finish(&app, &cookie, &mixed).await.expect(401);
    // Another browser, with the code of a stranger: without the cookie, or with one of its own.
    for others_cookie in ["", "bartizan_sign_in=0000"] {
        let (_, start) = begin(&app).await;
        let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), "ada-1").await;
        let _ = finish(&app, others_cookie, &back).await.expect(401);
    }
    // The body of a page that keeps state and nonce by itself, without cookies.
    let with = async |nonce: Option<&str>, expected: &str| {
        let (_, start) = begin(&app).await;
        let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), "ada-1").await;
        let expected = if expected.is_empty() { start["state"].as_str().unwrap() } else { expected };
        let nonce = nonce.unwrap_or_else(|| start["nonce"].as_str().unwrap());
        let body = json!({"code": back["code"], "state": back["state"], "expected_state": expected, "nonce": nonce});
        app.anonymous().post("/api/auth/oidc/callback", &body).await.status
    };
    assert_eq!(with(None, "").await, 200);
    assert_eq!(with(Some("of-somebody-else"), "").await, 401);
    assert_eq!(with(None, "of-somebody-else").await, 401);
    // Too late.
    let (cookie, start) = begin(&app).await;
    let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), "ada-1").await;
    app.clock.advance(Duration::minutes(10));
    let _ = finish(&app, &cookie, &back).await.expect(401);
    let failed = entries(&admin, "auth.login_failed").await;
    let mut reasons: Vec<&str> = failed.iter().map(|entry| entry["new_value"]["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    let expected = [
        "another_browser",
        "another_browser",
        "another_browser",
        "not_proven",
        "state_expired",
        "state_mismatch",
        "state_unknown",
    ];
    assert_eq!(reasons, expected);
    let _ = app.anonymous().get("/api/auth/oidc/authorize?return_to=//evil.example").await.expect(422);
}

async fn groups_decide_the_role_at_every_sign_in() {
    let (app, mut provider, admin) = with_provider(Claims::InToken).await;
    let mapping = json!([{"group": "nobody-is-here", "role": "admin"}, {"group": "analysts", "role": "analyst"},
        {"group": "staff", "role": "auditor"}]);
    let _ = admin.patch("/api/config/auth", &json!({"oidc": {"role_mapping": mapping}})).await.expect(200);
    let role = async |provider: &IdentityProvider| {
        let answer = sign_in(&app, provider, "ada-1").await.expect(200).json();
        answer["user"]["role"].as_str().unwrap().to_owned()
    };
    assert_eq!(role(&provider).await, "analyst");
    let with = |groups: Value| json!({"preferred_username": "ada", "email": "ada@corp.example", "groups": groups});
    provider.set_account("ada-1", with(json!(["staff"])));
    assert_eq!(role(&provider).await, "auditor");
    let changed = &entries(&admin, "user.update").await[0];
    assert_eq!((&changed["old_value"]["role"], &changed["new_value"]["role"]), (&json!("analyst"), &json!("auditor")));
    // In no group: the default, and without one nothing.
    provider.set_account("ada-1", with(json!([])));
    assert_eq!(role(&provider).await, "read_only");
    let _ = admin.patch("/api/config/auth", &json!({"oidc": {"default_role": null}})).await.expect(200);
    let _ = sign_in(&app, &provider, "ada-1").await.expect(403);
    let _ = sign_in(&app, &provider, "mal-3").await.expect(403);
    let failed = entries(&admin, "auth.login_failed").await;
    assert_eq!(
        (&failed[0]["new_value"]["reason"], &failed[1]["new_value"]["reason"]),
        (&json!("no_role"), &json!("no_role"))
    );
    // The last administrator stays one.
    provider.set_account("ada-1", with(json!(["bosses"])));
    let mapping = json!([{"group": "bosses", "role": "admin"}]);
    let body = json!({"oidc": {"role_mapping": mapping, "default_role": "read_only"}});
    let _ = admin.patch("/api/config/auth", &body).await.expect(200);
    let boss = sign_in(&app, &provider, "ada-1").await.expect(200).json();
    assert_eq!(boss["user"]["role"], "admin");
    let boss = app.bearer(boss["access_token"].as_str().unwrap());
    let _ = boss.patch(&format!("/api/users/{}", admin.user_id()), &json!({"role": "auditor"})).await.expect(200);
    provider.set_account("ada-1", with(json!([])));
    assert_eq!(role(&provider).await, "admin");
    // A role that may do more than the caller is not the caller's to map.
    let _ = admin.patch("/api/config/auth", &json!({"oidc": {"label": "x"}})).await.expect(403);
}

async fn an_account_of_the_same_address_is_not_taken_over() {
    let (app, provider, admin) = with_provider(Claims::InToken).await;
    let _ = sign_in(&app, &provider, "eve-2").await.expect(409);
    assert_eq!(entries(&admin, "auth.login_failed").await[0]["new_value"]["reason"], "email_taken");
    // The same name is another account with another name, and an address that is not verified is none.
    let mal = sign_in(&app, &provider, "mal-3").await.expect(200).json();
    assert_eq!(mal["user"]["username"], "admin-example-oidc");
    assert_eq!(mal["user"]["email"], "admin-example-oidc@no-address.invalid");
    assert_ne!(mal["user"]["id"], json!(admin.user_id()));
    assert_eq!(mal["user"]["role"], "read_only");
}

async fn who_is_switched_off_here_stays_out() {
    let (app, provider, admin) = with_provider(Claims::InToken).await;
    let ada = sign_in(&app, &provider, "ada-1").await.expect(200).json();
    let user = format!("/api/users/{}", ada["user"]["id"].as_str().unwrap());
    let _ = admin.patch(&user, &json!({"is_active": false})).await.expect(200);
    let _ = sign_in(&app, &provider, "ada-1").await.expect(403);
    assert_eq!(entries(&admin, "auth.login_failed").await[0]["new_value"]["reason"], "deactivated");
    let _ = admin.patch(&user, &json!({"is_active": true})).await.expect(200);
    let _ = sign_in(&app, &provider, "ada-1").await.expect(200);
    let member = format!("/api/members/{}", ada["user"]["id"].as_str().unwrap());
    let _ = admin.delete(&member).await.expect(204);
    let _ = sign_in(&app, &provider, "ada-1").await.expect(403);
    assert_eq!(entries(&admin, "auth.login_failed").await[0]["new_value"]["reason"], "not_a_member");
    // During maintenance people can sign in.
    let _ = admin.patch("/api/system/maintenance", &json!({"enabled": true})).await.expect(200);
    let _ = sign_in(&app, &provider, "mal-3").await.expect(200);
    let _ = admin.patch("/api/system/maintenance", &json!({"enabled": false})).await.expect(200);
    let _ = admin.patch("/api/config/auth", &json!({"oidc": {"enabled": false}})).await.expect(200);
    let _ = app.anonymous().get("/api/auth/oidc/authorize").await.expect(409);
}

async fn a_provider_that_is_away_is_a_bad_gateway_and_new_keys_are_found() {
    let (app, mut provider, _) = with_provider(Claims::InToken).await;
    let _ = sign_in(&app, &provider, "ada-1").await.expect(200);
    // It signs with a key that was made after its keys were read.
    provider.restart();
    let _ = sign_in(&app, &provider, "ada-1").await.expect(200);
    let (cookie, start) = begin(&app).await;
    let back = provider.sign_in(start["authorization_url"].as_str().unwrap(), "ada-1").await;
    provider.stop();
    let answer = finish(&app, &cookie, &back).await.expect(502);
    assert_eq!(answer.json()["detail"], "Internal server error");
    app.clock.advance(Duration::hours(2));
    let _ = app.anonymous().get("/api/auth/oidc/authorize").await.expect(502);
}

async fn settings_are_tried_out_before_they_are_saved() {
    let (_app, mut provider, admin) = with_provider(Claims::InToken).await;
    let try_out = async |oidc: Value| {
        let body = json!({"method": "oidc", "oidc": oidc});
        admin.post("/api/config/auth/test", &body).await.expect(200).json()
    };
    let good = try_out(json!({})).await;
    assert_eq!(good["ok"], true, "{good}");
    let names: Vec<&str> =
        good["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["discovery", "keys", "client"]);
    let wrong = try_out(json!({"client_secret": "wrong"})).await;
    assert_eq!((&wrong["ok"], &wrong["steps"][2]["ok"]), (&json!(false), &json!(false)), "{wrong}");
    let other = try_out(json!({"issuer": format!("{}/", provider.issuer())})).await;
    assert!(other["steps"][0]["detail"].as_str().unwrap().contains("issuer"), "{other}");
    provider.stop();
    assert_eq!(try_out(json!({})).await["steps"][0]["ok"], false);
    let shown = admin.get("/api/config/auth").await.expect(200);
    assert_eq!(shown.json()["oidc"]["client_secret_set"], true);
    let log = admin.get("/api/audit?page_size=100").await.expect(200).text();
    for text in [shown.text(), log] {
        assert!(!text.contains(CLIENT_SECRET));
    }
}
