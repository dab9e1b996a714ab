use bartizan_domain::Role;
use bartizan_http::HttpConfig;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, Answer, Options, TestApp};
use hyper::Method;
use serde_json::json;

use crate::documents::operations;

api_tests!(
    the_same_key_and_body_replay_the_answer,
    the_same_key_with_another_body_is_refused,
    a_key_belongs_to_its_principal_and_lasts_a_day,
    a_refused_request_leaves_its_key_free,
    of_requests_at_once_one_does_the_work,
    a_request_that_died_without_effect_may_be_sent_again_after_a_while,
    a_request_whose_answer_was_lost_is_not_carried_out_again,
    what_is_shown_once_is_shown_again_and_stored_sealed,
    an_answer_is_repeated_to_its_principal_only_and_while_it_may,
    repetitions_count_as_writes,
    what_cannot_be_opened_any_more_is_not_done_again,
    a_form_is_the_same_whatever_its_boundary,
);

/// POSTs that do not read the header, and why they need not.
const WITHOUT: &[(&str, &str)] = &[
    ("/api/auth/setup", "works once: the second time there is a user"),
    ("/api/auth/login", "nobody is signed in yet, and each sign-in is a session of its own"),
    ("/api/auth/refresh", "a refresh token is used once, and its reuse ends the session on purpose"),
    ("/api/auth/logout", "repeating it changes nothing"),
    ("/api/auth/switch", "stores nothing but where the session is"),
    ("/api/auth/password", "asks for the present password, which is another one the second time"),
    ("/api/auth/password/forgot", "nobody is signed in; requests for one address are one while they wait"),
    ("/api/auth/password/reset", "the link's token is used once"),
    ("/api/auth/second-factor", "replaces what was begun and not confirmed"),
    ("/api/auth/second-factor/confirm", "a code is used once"),
    ("/api/auth/second-factor/disable", "the second time there is none"),
    ("/api/auth/second-factor/recovery-codes", "replaces the codes; the last answer stands"),
    ("/api/auth/invitation", "the invitation's token is used once"),
    ("/api/auth/invitation/preview", "changes nothing"),
    ("/api/invitations/join", "the invitation's token is used once"),
    ("/api/auth/oidc/callback", "nobody is signed in yet, and the state is used once"),
    ("/api/users/{user_id}/password-link", "replaces the link; the last answer stands"),
    ("/api/config/auth/test", "launches nothing that lasts; each test is asked for anew"),
    ("/api/jobs/{job_id}/cancel", "repeating it changes nothing"),
    ("/api/scans/{scan_id}/cancel", "repeating it changes nothing"),
    ("/api/findings/bulk", "sets what it names; repeating it sets the same"),
    ("/api/config/mail/test", "launches nothing that lasts; each test is asked for anew"),
    ("/api/branding/assets/{asset_type}", "replaces the picture"),
];

#[test]
fn every_post_reads_the_header_or_says_why_not() {
    let mut posts = Vec::new();
    for (_, path, operation) in operations().into_iter().filter(|(method, ..)| *method == Method::POST) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let reads = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        let excused = WITHOUT.iter().find(|(without, _)| *without == path);
        assert!(
            reads != excused.is_some(),
            "POST {path}: document `params(IdempotencyHeader)`, or say in WITHOUT why repeating it is harmless"
        );
        if reads {
            for status in ["409", "422"] {
                assert!(!operation["responses"][status].is_null(), "POST {path}: {status} is not documented");
            }
        }
        posts.push(path);
    }
    for (path, reason) in WITHOUT {
        assert!(posts.iter().any(|post| post == path) && !reason.is_empty(), "{path} is no POST");
    }
}

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

async fn a_request_that_died_without_effect_may_be_sent_again_after_a_while() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
    // As if the process had died before its transaction was committed.
    app.damage("DELETE FROM assets").await;
    app.damage("UPDATE idempotency_keys SET response_status = NULL, response_body = NULL, applied = NULL").await;
    let running = create(&analyst, "k-1", "a.example.com").await.expect(409).json();
    assert!(running["detail"].as_str().unwrap().ends_with("is still running"), "{running}");
    app.clock.advance(chrono::Duration::minutes(5));
    let other = create(&analyst, "k-1", "b.example.com").await.expect(422);
    assert_eq!(other.fields(), ["header -> Idempotency-Key"]);
    let again = create(&analyst, "k-1", "a.example.com").await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "");
    assert_eq!(create(&analyst, "k-1", "a.example.com").await.expect(201).header("idempotent-replayed"), "true");
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
}

async fn a_request_whose_answer_was_lost_is_not_carried_out_again() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let made = create(&analyst, "k-1", "a.example.com").await.expect(201).json();
    // As if the process had died between its commit and its answer.
    app.damage("UPDATE idempotency_keys SET response_status = NULL, response_body = NULL").await;
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(409);
    app.clock.advance(chrono::Duration::minutes(6));
    let lost = create(&analyst, "k-1", "a.example.com").await.expect(409).json();
    let detail = lost["detail"].as_str().unwrap();
    assert!(detail.contains("its answer was lost"), "{detail}");
    assert!(detail.contains(&format!("asset.create {}", made["id"].as_str().unwrap())), "{detail}");
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
    app.clock.advance(chrono::Duration::hours(24));
    let _ = create(&app.analyst().await, "k-1", "b.example.com").await.expect(201);
}

async fn what_is_shown_once_is_shown_again_and_stored_sealed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let make = async || {
        let call = admin.request(Method::POST, "/api/api-keys").json(&json!({"name": "pipeline"}));
        call.header("idempotency-key", "k-1").send().await.expect(201)
    };
    let (first, again) = (make().await, make().await);
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let key = first.json()["key"].as_str().unwrap().to_owned();
    let _ = app.key(&key).get("/api/assets").await.expect(200);
    let kept = app.kept_answers().await;
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].contains(&key), "{}", kept[0]);
}

async fn an_answer_is_repeated_to_its_principal_only_and_while_it_may() {
    let app = TestApp::start().await;
    let (admin, analyst) = (app.admin().await, app.analyst().await);
    let narrow = json!({"name": "narrow", "permissions": ["scans.view"]});
    let narrow = admin.post("/api/api-keys", &narrow).await.expect(201).json();
    let narrow = app.key(narrow["key"].as_str().unwrap());
    let make = async |actor: &Actor| {
        let call = actor.request(Method::POST, "/api/api-keys").json(&json!({"name": "pipeline"}));
        call.header("idempotency-key", "k-1").send().await
    };
    let _ = make(&admin).await.expect(201);
    let refused = make(&narrow).await.expect(403);
    assert!(!refused.text().contains("btz_"), "{}", refused.text());
    assert_eq!(make(&admin).await.expect(201).header("idempotent-replayed"), "true");

    let _ = create(&analyst, "k-2", "a.example.com").await.expect(201);
    let place = format!("/api/members/{}", analyst.user_id());
    let _ = admin.patch(&place, &json!({"role": "read_only"})).await.expect(200);
    let _ = create(&analyst, "k-2", "a.example.com").await.expect(403);
    let denied = admin.get("/api/audit?action=auth.denied").await.expect(200);
    assert!(denied.text().contains("POST /api/assets"), "{}", denied.text());
    let _ = admin.patch(&place, &json!({"role": "analyst"})).await.expect(200);
    assert_eq!(create(&analyst, "k-2", "a.example.com").await.expect(201).header("idempotent-replayed"), "true");
}

async fn repetitions_count_as_writes() {
    let http = HttpConfig { writes_per_minute: 3, ..Options::default().http };
    let app = TestApp::with(Options { http, ..Options::default() }).await;
    let analyst = app.actor("Example", Role::Analyst).await;
    for _ in 0..3 {
        let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
    }
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(429);
    app.clock.advance(chrono::Duration::minutes(1));
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
}

async fn what_cannot_be_opened_any_more_is_not_done_again() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let _ = create(&analyst, "k-1", "a.example.com").await.expect(201);
    // As if sealed with a key that is gone.
    let unknown = format!("01{}", "f".repeat(128));
    let unknown = match app.database() {
        "sqlite" => format!("x'{}'", unknown.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()),
        _ => format!("'{unknown}'"),
    };
    for column in ["response_body", "request_hash"] {
        app.damage(&format!("UPDATE idempotency_keys SET {column} = {unknown}")).await;
        let refused = create(&analyst, "k-1", "a.example.com").await.expect(409).json();
        assert!(refused["detail"].as_str().unwrap().contains("cannot be opened"), "{refused}");
    }
    assert_eq!(analyst.get("/api/assets").await.json()["total"], 1);
}

async fn a_form_is_the_same_whatever_its_boundary() {
    let app = TestApp::start().await;
    let analyst = app.analyst().await;
    let import = async |boundary: &str, host: &str| {
        let form = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
             target_type,target_value\ndomain,{host}\n\r\n--{boundary}--\r\n"
        );
        let call = analyst.request(Method::POST, "/api/assets/import").header("idempotency-key", "import");
        call.body(&format!("multipart/form-data; boundary={boundary}"), form).send().await
    };
    assert_eq!(import("first-one", "a.example.com").await.expect(200).json()["created"], 1);
    let again = import("another", "a.example.com").await.expect(200);
    assert_eq!((again.header("idempotent-replayed"), &again.json()["created"]), ("true", &json!(1)));
    let other = import("another", "b.example.com").await.expect(422);
    assert_eq!(other.fields(), ["header -> Idempotency-Key"]);
}
