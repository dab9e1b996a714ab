//! A new password with a link from a mail.

use bartizan_domain::Role;
use bartizan_http::HttpConfig;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Options, PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::mail::{until, with_mail};

api_tests!(
    a_forgotten_password_is_replaced_with_the_link_of_a_mail,
    nobody_learns_which_accounts_exist,
    a_link_is_good_once_and_for_an_hour,
    users_of_a_directory_and_inactive_users_get_no_link,
    an_account_is_sent_few_links,
    an_address_is_limited,
    without_mail_an_administrator_hands_the_link_over,
    where_mail_is_sent_the_link_of_an_administrator_goes_to_the_member,
    whoever_had_the_account_keeps_no_api_key,
    a_change_of_password_is_told_by_mail,
);

const NEW: &str = "a long new sentence";

async fn forgot(app: &TestApp, email: &str) -> String {
    app.anonymous().post("/api/auth/password/forgot", &json!({"email": email})).await.expect(202).text()
}

fn token_of(link: &str) -> Value {
    json!(link.strip_prefix("https://bartizan.example.test/ui/reset-password#token=").unwrap())
}

async fn a_forgotten_password_is_replaced_with_the_link_of_a_mail() {
    let (app, mut sink) = with_mail().await;
    let analyst = app.analyst().await;
    let _ = forgot(&app, "Analyst-Example@example.test").await;
    let link = sink.link().await;
    let token = token_of(&link);
    assert!(!app.queued().await.contains(token.as_str().unwrap()), "a token is stored in clear");
    let weak = json!({"token": token, "new_password": "password"});
    let weak = app.anonymous().post("/api/auth/password/reset", &weak).await.expect(422);
    assert_eq!(weak.fields(), ["body -> new_password"], "the token is still good");
    let _ = analyst.get("/api/auth/me").await.expect(200);
    let reset = json!({"token": token, "new_password": NEW});
    let _ = app.anonymous().post("/api/auth/password/reset", &reset).await.expect(204);
    let _ = analyst.get("/api/auth/me").await.expect(401);
    let old = json!({"username": "analyst-example", "password": PASSWORD});
    let _ = app.anonymous().post("/api/auth/login", &old).await.expect(401);
    let _ = app.sign_in("analyst-example", NEW).await;
    let notice = sink.letter().await;
    assert_eq!(notice["to"], json!(["analyst-example@example.test"]));
    let text = notice["text"].as_str().unwrap();
    assert!(text.contains("was changed on 22 November 2026") && text.contains("127.0.0.1"), "{text}");
    let log = app.admin().await.get("/api/audit?page_size=100").await.expect(200).text();
    for action in ["auth.password_reset_request", "auth.password_reset\""] {
        assert!(log.contains(action), "{action} in {log}");
    }
    assert!(!log.contains(token.as_str().unwrap()) && !log.contains(NEW));
}

async fn nobody_learns_which_accounts_exist() {
    let app = TestApp::start().await;
    let _ = app.analyst().await;
    let without_mail = forgot(&app, "analyst-example@example.test").await;
    let (app, mut sink) = with_mail().await;
    let _ = app.analyst().await;
    let unknown = forgot(&app, "nobody@example.test").await;
    let known = forgot(&app, "analyst-example@example.test").await;
    assert_eq!(unknown, known);
    assert_eq!(without_mail, known);
    // Both were a job, of which one sent a letter.
    assert_eq!(sink.letter().await["to"], json!(["analyst-example@example.test"]));
    let bad = app.anonymous().post("/api/auth/password/forgot", &json!({"email": "nobody"})).await.expect(422);
    assert_eq!(bad.fields(), ["body -> email"]);
}

async fn a_link_is_good_once_and_for_an_hour() {
    let (app, mut sink) = with_mail().await;
    let _ = app.analyst().await;
    let reset = async |token: &Value, password: &str| {
        let body = json!({"token": token, "new_password": password});
        app.anonymous().post("/api/auth/password/reset", &body).await
    };
    let _ = forgot(&app, "analyst-example@example.test").await;
    let first = token_of(&sink.link().await);
    app.clock.advance(chrono::Duration::minutes(30));
    let _ = forgot(&app, "analyst-example@example.test").await;
    let second = token_of(&sink.link().await);
    app.clock.advance(chrono::Duration::minutes(30));
    assert_eq!(reset(&first, NEW).await.expect(422).fields(), ["body -> token"], "an hour is over");
    let _ = reset(&second, NEW).await.expect(204);
    assert_eq!(reset(&second, "another long sentence").await.expect(422).fields(), ["body -> token"]);
    assert_eq!(reset(&json!("made up"), NEW).await.expect(422).fields(), ["body -> token"]);
    let _ = app.sign_in("analyst-example", NEW).await;
}

fn idle(status: &Value) -> bool {
    status["jobs"]["waiting"] == 0 && status["jobs"]["running"] == 0
}

async fn users_of_a_directory_and_inactive_users_get_no_link() {
    let (app, mut sink) = with_mail().await;
    let (admin, _, auditor) = (app.admin().await, app.analyst().await, app.auditor().await);
    app.damage("UPDATE users SET auth_provider = 'ldap', password_hash = NULL WHERE username = 'analyst-example'")
        .await;
    app.damage("UPDATE users SET is_active = (1 = 0) WHERE username = 'auditor-example'").await;
    let _ = auditor;
    for email in ["analyst-example@example.test", "auditor-example@example.test", "admin-example@example.test"] {
        let _ = forgot(&app, email).await;
        // One after the other, so that the last letter is the only one.
        let _ = until(&admin, "/api/system/status", idle).await;
    }
    assert_eq!(sink.letter().await["to"], json!(["admin-example@example.test"]));
}

async fn an_account_is_sent_few_links() {
    let (app, mut sink) = with_mail().await;
    let admin = app.admin().await;
    let _ = app.analyst().await;
    for _ in 0..3 {
        let _ = forgot(&app, "analyst-example@example.test").await;
        assert_eq!(sink.letter().await["to"], json!(["analyst-example@example.test"]));
    }
    let _ = forgot(&app, "analyst-example@example.test").await;
    let _ = until(&admin, "/api/system/status", idle).await;
    let _ = forgot(&app, "admin-example@example.test").await;
    assert_eq!(sink.letter().await["to"], json!(["admin-example@example.test"]), "the fourth was not sent");
}

async fn an_address_is_limited() {
    let http = HttpConfig { sign_ins_per_minute: 2, ..HttpConfig::default() };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    for _ in 0..2 {
        let _ = forgot(&app, "nobody@example.test").await;
    }
    let body = json!({"email": "nobody@example.test"});
    let _ = app.anonymous().post("/api/auth/password/forgot", &body).await.expect(429);
    let body = json!({"token": "x", "new_password": NEW});
    let _ = app.anonymous().post("/api/auth/password/reset", &body).await.expect(429);
}

async fn a_change_of_password_is_told_by_mail() {
    let (app, mut sink) = with_mail().await;
    let analyst = app.analyst().await;
    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    let _ = analyst.post("/api/auth/password", &change).await.expect(204);
    let notice = sink.letter().await;
    assert_eq!(notice["to"], json!(["analyst-example@example.test"]));
    assert!(notice["headers"].to_string().contains("Your Bartizan password was changed"), "{notice}");
}

async fn without_mail_an_administrator_hands_the_link_over() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let path = format!("/api/users/{}/password-link", analyst.user_id());
    let _ = analyst.post(&path, &Value::Null).await.expect(403);
    let _ = app.outsider().await.post(&path, &Value::Null).await.expect(404);
    let first = admin.post(&path, &Value::Null).await.expect(200).json();
    assert!(first["expires_at"].is_string(), "{first}");
    let made = admin.post(&path, &Value::Null).await.expect(200).json();
    let token = |made: &Value| {
        let link = made["link"].as_str().unwrap().to_owned();
        link.strip_prefix("/ui/reset-password#token=").unwrap().to_owned()
    };
    let reset = async |token: &str| {
        app.anonymous().post("/api/auth/password/reset", &json!({"token": token, "new_password": NEW})).await
    };
    let _ = reset(&token(&first)).await.expect(422);
    let _ = reset(&token(&made)).await.expect(204);
    let _ = reset(&token(&made)).await.expect(422);
    let _ = app.sign_in("analyst-example", NEW).await;
    let log = admin.get("/api/audit?action=user.password_link").await.expect(200);
    assert_eq!(log.json()["total"], 2);
    assert!(!log.text().contains(&token(&made)));
    let _ = app.join(&analyst, "Another", Role::ReadOnly).await;
    let _ = admin.post(&path, &Value::Null).await.expect(409);
}

async fn where_mail_is_sent_the_link_of_an_administrator_goes_to_the_member() {
    let (app, mut sink) = with_mail().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let path = format!("/api/users/{}/password-link", analyst.user_id());
    let made = admin.post(&path, &Value::Null).await.expect(200);
    assert_eq!((&made.json()["link"], made.json()["expires_at"].is_string()), (&Value::Null, true));
    let first = token_of(&sink.link().await);
    // Somebody with other places too: what is sent is in nobody's hands but the member's.
    let _ = app.join(&analyst, "Another", Role::ReadOnly).await;
    let _ = admin.post(&path, &Value::Null).await.expect(200);
    let second = token_of(&sink.link().await);
    let reset = async |token: &Value| {
        app.anonymous().post("/api/auth/password/reset", &json!({"token": token, "new_password": NEW})).await
    };
    assert_eq!(reset(&first).await.expect(422).fields(), ["body -> token"], "the earlier link is worth nothing");
    let _ = reset(&second).await.expect(204);
    let _ = app.sign_in("analyst-example", NEW).await;
    let _ = admin.post(&path, &Value::Null).await.expect(200);
    let refused = admin.post(&path, &Value::Null).await.expect(429);
    assert_eq!(refused.header("retry-after"), "3600");
    let log = admin.get("/api/audit?action=user.password_link").await.expect(200);
    assert_eq!((&log.json()["total"], &log.json()["data"][0]["new_value"]["by_mail"]), (&json!(3), &json!(true)));
    assert!(!log.text().contains(second.as_str().unwrap()));
    app.damage("UPDATE users SET auth_provider = 'ldap', password_hash = NULL WHERE username = 'analyst-example'")
        .await;
    let _ = admin.post(&path, &Value::Null).await.expect(409);
}

async fn whoever_had_the_account_keeps_no_api_key() {
    let (app, mut sink) = with_mail().await;
    let (admin, analyst, outsider) = (app.admin().await, app.analyst().await, app.outsider().await);
    let place = app.join(&analyst, "Another", Role::ReadOnly).await;
    let key = async |who: &Actor| {
        let made = who.post("/api/api-keys", &json!({"name": "pipeline"})).await.expect(201).json();
        app.key(made["key"].as_str().unwrap())
    };
    let here = key(&analyst).await;
    let switched = analyst.post("/api/auth/switch", &json!({"organization_id": place})).await.expect(200).json();
    let there = key(&app.bearer(switched["access_token"].as_str().unwrap())).await;
    let _ = forgot(&app, "analyst-example@example.test").await;
    let token = token_of(&sink.link().await);
    let reset = async |token: &Value, keys: &str| {
        let body = json!({"token": token, "new_password": NEW, "api_keys": keys});
        app.anonymous().post("/api/auth/password/reset", &body).await
    };
    assert_eq!(reset(&token, "some").await.expect(422).fields(), ["body -> api_keys"]);
    let _ = reset(&token, "keep").await.expect(204);
    for program in [&here, &there] {
        let _ = program.get("/api/assets").await.expect(200);
    }
    // The letter about the change.
    let _ = sink.letter().await;
    let _ = forgot(&app, "analyst-example@example.test").await;
    let token = token_of(&sink.link().await);
    let body = json!({"token": token, "new_password": NEW});
    let _ = app.anonymous().post("/api/auth/password/reset", &body).await.expect(204);
    for program in [here, there] {
        let _ = program.get("/api/assets").await.expect(401);
    }
    // Each is on record in the log of the organisation where it was good.
    for administrator in [admin, outsider] {
        let log = administrator.get("/api/audit?action=api_key.revoke").await.expect(200).json();
        assert_eq!((&log["total"], &log["data"][0]["old_value"]["name"]), (&json!(1), &json!("pipeline")), "{log}");
    }
}
