//! The settings of the mail server, and invitations by mail, with a real mail server.

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, PASSWORD, TestApp};
use bartizan_test_support::smtp::{SinkOptions, SmtpSink};
use hyper::Method;
use serde_json::{Value, json};

api_tests!(
    settings_are_changed_and_the_password_stays_inside,
    settings_that_break_a_rule_are_refused,
    settings_are_of_the_first_organisation,
    a_test_says_how_far_it_came,
    an_invitation_travels_by_mail,
    a_letter_waits_for_the_mail_server,
    a_refusal_for_good_is_not_repeated,
);

/// Settings for a sink.
pub fn settings(sink: &SmtpSink) -> Value {
    json!({"enabled": true, "host": "localhost", "port": sink.port, "security": "starttls", "username": "postman",
        "password": "correct horse&battery", "from_address": "bartizan@example.test", "from_name": "Bartizan",
        "base_url": "https://bartizan.example.test/", "ca_certificate": sink.authority})
}

/// A server that sends mail, its worker running.
pub async fn with_mail() -> (TestApp, SmtpSink) {
    let app = TestApp::start().await;
    let sink = SmtpSink::start(SinkOptions::default()).await;
    let _ = app.admin().await.patch("/api/config/mail", &settings(&sink)).await.expect(200);
    app.start_worker();
    (app, sink)
}

/// Asks until the answer is as it should be; the sooner, the sooner it goes on.
pub async fn until(actor: &Actor, path: &str, good: impl Fn(&Value) -> bool) -> Value {
    let asked = async {
        loop {
            let found = actor.get(path).await.expect(200).json();
            if good(&found) {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(std::time::Duration::from_secs(30), asked).await {
        Ok(found) => found,
        Err(_) => panic!("{path} did not become so: {}", actor.get(path).await.text()),
    }
}

async fn settings_are_changed_and_the_password_stays_inside() {
    let app = TestApp::start().await;
    let sink = SmtpSink::start(SinkOptions::default()).await;
    let admin = app.admin().await;
    let blank = admin.get("/api/config/mail").await.expect(200);
    assert_eq!(
        blank.json(),
        json!({"enabled": false, "host": "", "port": 587, "security": "starttls", "username": "",
            "password_set": false, "from_address": "", "from_name": "Bartizan", "base_url": "", "ca_certificate": "",
            "source": null})
    );
    let set = admin.patch("/api/config/mail", &settings(&sink)).await.expect(200);
    assert_ne!(set.header("etag"), blank.header("etag"));
    let shown = set.json();
    assert_eq!(
        (&shown["password_set"], &shown["source"], &shown["base_url"]),
        (&json!(true), &json!("settings"), &json!("https://bartizan.example.test"))
    );
    let stale = admin.request(Method::PATCH, "/api/config/mail").json(&json!({"port": 25}));
    let _ = stale.header("if-match", blank.header("etag")).send().await.expect(412);
    let log = admin.get("/api/audit?action=settings.update").await.expect(200).text();
    for answer in [set.text(), admin.get("/api/config/mail").await.text(), log.clone()] {
        assert!(!answer.contains("battery"), "{answer}");
    }
    assert!(log.contains("password_changed"), "{log}");
    // The password is for the server it was entered for.
    for elsewhere in [json!({"host": "mail.example.test"}), json!({"port": 2525}), json!({"ca_certificate": ""})] {
        let refused = admin.patch("/api/config/mail", &elsewhere).await.expect(422);
        assert_eq!(refused.fields(), ["body -> password"], "{elsewhere}");
    }
    // Left out it stays, empty it goes.
    let kept = admin.patch("/api/config/mail", &json!({"from_name": "Watch"})).await.expect(200).json();
    assert_eq!((&kept["password_set"], &kept["from_name"]), (&json!(true), &json!("Watch")));
    let gone = admin.patch("/api/config/mail", &json!({"password": ""})).await.expect(200).json();
    assert_eq!(gone["password_set"], false);
}

async fn settings_that_break_a_rule_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (body, fields) in [
        (json!({"enabled": true}), vec!["body -> host", "body -> from_address", "body -> base_url"]),
        (json!({"host": "mail server"}), vec!["body -> host"]),
        (json!({"port": 0}), vec!["body -> port"]),
        (json!({"security": "ssl"}), vec!["body -> security"]),
        (json!({"security": "none", "password": "x"}), vec!["body -> security"]),
        (json!({"from_address": "nobody"}), vec!["body -> from_address"]),
        (json!({"from_name": "a\r\nBcc: eve@example.test"}), vec!["body -> from_name"]),
        (json!({"base_url": "javascript:alert(1)"}), vec!["body -> base_url"]),
        (json!({"base_url": "https://a.example?x=1"}), vec!["body -> base_url"]),
        (json!({"ca_certificate": "no certificate"}), vec!["body -> ca_certificate"]),
    ] {
        assert_eq!(admin.patch("/api/config/mail", &body).await.expect(422).fields(), fields, "{body}");
    }
    assert_eq!(admin.get("/api/config/mail").await.json()["source"], Value::Null, "nothing was stored");
}

async fn settings_are_of_the_first_organisation() {
    let app = TestApp::start().await;
    let (auditor, outsider) = (app.auditor().await, app.outsider().await);
    let _ = auditor.get("/api/config/mail").await.expect(200);
    let _ = auditor.patch("/api/config/mail", &json!({"port": 25})).await.expect(403);
    let _ = outsider.get("/api/config/mail").await.expect(403);
    let _ = outsider.patch("/api/config/mail", &json!({"port": 25})).await.expect(403);
    let _ = outsider.post("/api/config/mail/test", &json!({})).await.expect(403);
}

async fn a_test_says_how_far_it_came() {
    let app = TestApp::start().await;
    let mut sink = SmtpSink::start(SinkOptions::default()).await;
    let admin = app.admin().await;
    let _ = admin.post("/api/config/mail/test", &json!({})).await.expect(409);
    let mut with = settings(&sink);
    with["enabled"] = json!(false);
    let _ = admin.patch("/api/config/mail", &with).await.expect(200);
    let test = async |mut change: Value, to: &str| {
        // Another server is told the password anew.
        let change_of = change.as_object_mut().unwrap();
        if ["host", "port", "ca_certificate"].iter().any(|field| change_of.contains_key(*field)) {
            change_of.entry("password").or_insert(json!("correct horse&battery"));
        }
        let _ = admin.patch("/api/config/mail", &change).await.expect(200);
        admin.post("/api/config/mail/test", &json!({"to": to})).await.expect(200).json()
    };
    let good = test(json!({}), "ada@example.test").await;
    assert_eq!((&good["ok"], &good["stage"]), (&json!(true), &Value::Null), "{good}");
    let letter = sink.letter().await;
    assert_eq!(
        (&letter["to"], &letter["from"], &letter["tls"], &letter["authenticated"], &letter["hello"]),
        (
            &json!(["ada@example.test"]),
            &json!("bartizan@example.test"),
            &json!(true),
            &json!(true),
            &json!("bartizan.example.test")
        )
    );
    let refused = test(json!({}), "ada@refused.test").await;
    assert_eq!((&refused["ok"], &refused["stage"]), (&json!(false), &json!("send")), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("550 5.1.1 no such mailbox"), "{refused}");
    let untrusted = test(json!({"ca_certificate": ""}), "ada@example.test").await;
    assert_eq!(untrusted["stage"], "tls", "{untrusted}");
    let named_otherwise =
        test(json!({"ca_certificate": sink.authority, "host": "127.0.0.1"}), "ada@example.test").await;
    assert_eq!(named_otherwise["stage"], "tls", "{named_otherwise}");
    let wrong = test(json!({"host": "localhost", "password": "a wrong one"}), "ada@example.test").await;
    assert_eq!(wrong["stage"], "auth", "{wrong}");
    assert!(!wrong.to_string().contains("a wrong one"), "the server repeats the password, we do not: {wrong}");
    let unknown = test(json!({"host": "no-such-host.invalid"}), "ada@example.test").await;
    assert_eq!(unknown["stage"], "resolve", "{unknown}");
    let metadata = test(json!({"host": "169.254.169.254"}), "ada@example.test").await;
    assert_eq!(metadata["stage"], "connect", "{metadata}");
    assert!(metadata["detail"].as_str().unwrap().contains("never contacted"), "{metadata}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = test(json!({"host": "127.0.0.1", "port": closed}), "ada@example.test").await;
    assert_eq!(closed["stage"], "connect", "{closed}");
    let plain = SmtpSink::start(SinkOptions { security: "none", credentials: ("", ""), port: 0 }).await;
    let no_tls = test(json!({"host": "localhost", "port": plain.port}), "ada@example.test").await;
    assert_eq!((&no_tls["stage"], &no_tls["detail"]), (&json!("tls"), &json!("the server does not offer STARTTLS")));
    let direct = SmtpSink::start(SinkOptions { security: "tls", ..SinkOptions::default() }).await;
    let change = json!({"port": direct.port, "security": "tls", "ca_certificate": direct.authority,
        "password": "correct horse&battery"});
    let good = test(change, "ada@example.test").await;
    assert_eq!(good["ok"], true, "{good}");
    let open = json!({"port": plain.port, "security": "none", "username": "", "password": ""});
    let good = test(open, "ada@example.test").await;
    assert_eq!(good["ok"], true, "{good}");
    let bad = admin.post("/api/config/mail/test", &json!({"to": "a\r\nb@example.test"})).await.expect(422);
    assert_eq!(bad.fields(), ["body -> to"]);
}

async fn an_invitation_travels_by_mail() {
    let (app, mut sink) = with_mail().await;
    let admin = app.admin().await;
    let body = json!({"email": "ada@example.test", "role": "auditor"});
    let made = admin.post("/api/invitations", &body).await.expect(201);
    let path = made.header("location").to_owned();
    let shown = made.json();
    assert_eq!((&shown["mail"], &shown["link"], &shown["token"]), (&json!("queued"), &Value::Null, &Value::Null));
    let letter = sink.letter().await;
    assert_eq!(letter["to"], json!(["ada@example.test"]));
    let text = letter["text"].as_str().unwrap();
    let link = text.lines().find(|line| line.starts_with("http")).unwrap();
    let token = link.strip_prefix("https://bartizan.example.test/ui/invitation#").unwrap().to_owned();
    assert!(letter["html"].as_str().unwrap().contains(&token));
    let _ = until(&admin, &path, |invitation| invitation["mail"] == "sent").await;
    let accept = json!({"token": token, "username": "ada", "password": PASSWORD});
    let joined = app.anonymous().post("/api/auth/invitation", &accept).await.expect(201).json();
    assert_eq!(joined["user"]["email"], "ada@example.test");
    // The token stands nowhere in clear, while the job is kept.
    assert!(!app.queued().await.contains(&token), "a token is stored in clear");
    // By hand, on demand.
    let body = json!({"email": "ben@example.test", "send_mail": false});
    let by_hand = admin.post("/api/invitations", &body).await.expect(201).json();
    assert_eq!(by_hand["mail"], Value::Null);
    assert!(by_hand["link"].as_str().unwrap().starts_with("/ui/invitation#"));
    let again = format!("/api/invitations/{}/resend", by_hand["id"].as_str().unwrap());
    let resent = admin.request(Method::POST, &again).send().await.expect(200).json();
    assert_eq!((&resent["mail"], &resent["link"]), (&json!("queued"), &Value::Null));
    assert_eq!(sink.letter().await["to"], json!(["ben@example.test"]));
    let by_hand = admin.request(Method::POST, &format!("{again}?send_mail=false")).send().await.expect(200).json();
    assert!(by_hand["link"].is_string());
}

async fn a_letter_waits_for_the_mail_server() {
    let (app, sink) = with_mail().await;
    let admin = app.admin().await;
    assert_eq!(app.anonymous().get("/api/auth/providers").await.expect(200).json()["password_reset"], true);
    let (port, authority) = (sink.port, sink.authority.clone());
    drop(sink);
    let made = admin.post("/api/invitations", &json!({"email": "ada@example.test"})).await.expect(201);
    let path = made.header("location").to_owned();
    let waiting = until(&admin, &path, |invitation| invitation["mail_error"].is_string()).await;
    assert_eq!(waiting["mail"], "queued");
    assert!(waiting["mail_error"].as_str().unwrap().starts_with("connect: "), "{waiting}");
    let mut sink = SmtpSink::start(SinkOptions { port, ..SinkOptions::default() }).await;
    assert_ne!(sink.authority, authority, "each sink has an authority of its own");
    let anew = json!({"ca_certificate": sink.authority, "password": "correct horse&battery"});
    let _ = admin.patch("/api/config/mail", &anew).await.expect(200);
    app.clock.advance(chrono::Duration::minutes(1));
    assert_eq!(sink.letter().await["to"], json!(["ada@example.test"]));
    let sent = until(&app.admin().await, &path, |invitation| invitation["mail"] == "sent").await;
    assert_eq!(sent["mail_error"], Value::Null);
    // A server that is busy for now is asked again as well.
    let admin = app.admin().await;
    let made = admin.post("/api/invitations", &json!({"email": "ada@busy.test"})).await.expect(201);
    let path = made.header("location").to_owned();
    let _ = until(&admin, &path, |invitation| invitation["mail_error"].is_string()).await;
    app.clock.advance(chrono::Duration::minutes(1));
    assert_eq!(sink.letter().await["to"], json!(["ada@busy.test"]));
}

async fn a_refusal_for_good_is_not_repeated() {
    let (app, _sink) = with_mail().await;
    let admin = app.admin().await;
    let made = admin.post("/api/invitations", &json!({"email": "ada@refused.test"})).await.expect(201);
    let path = made.header("location").to_owned();
    let failed = until(&admin, &path, |invitation| invitation["mail"] == "failed").await;
    assert!(failed["mail_error"].as_str().unwrap().contains("550"), "{failed}");
    let jobs = until(&admin, "/api/jobs?kind=mail", |jobs| jobs["data"][0]["status"] == "failed").await;
    assert_eq!((&jobs["total"], &jobs["data"][0]["attempts"]), (&json!(1), &json!(1)));
    // The administrator still gets a link.
    let by_hand =
        admin.request(Method::POST, &format!("{path}/resend?send_mail=false")).send().await.expect(200).json();
    assert_eq!((&by_hand["mail"], &by_hand["mail_error"]), (&Value::Null, &Value::Null));
    let token = json!({"token": by_hand["token"]});
    let _ = app.anonymous().post("/api/auth/invitation/preview", &token).await.expect(200);
}
