use bartizan_services::audit;
use bartizan_test_support::api_tests;
use bartizan_test_support::app::{PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::redacted;

api_tests!(
    what_was_done_is_listed_filtered_and_exported,
    sign_ins_and_refusals_are_on_record,
    secrets_never_are,
    the_chain_is_sealed_and_verified,
    a_changed_removed_or_cut_entry_is_found,
    a_log_that_was_emptied_is_found,
    days_that_no_database_knows_are_refused,
    a_tail_cut_off_with_its_head_is_found_by_a_link_noted_down,
    what_belongs_to_no_organisation_is_verified_where_it_is_shown,
    another_organisation_reads_its_own,
);

async fn entries(actor: &bartizan_test_support::app::Actor, query: &str) -> Vec<Value> {
    let listed = actor.get(&format!("/api/audit?page_size=500&{query}")).await.expect(200).json();
    listed["data"].as_array().unwrap().clone()
}

async fn what_was_done_is_listed_filtered_and_exported() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let user = json!({"username": "=cmd", "email": "a@example.test", "password": PASSWORD, "role": "analyst"});
    let created = admin.post("/api/users", &user).await.expect(201).json();
    let path = format!("/api/users/{}", created["id"].as_str().unwrap());
    app.clock.advance(chrono::Duration::days(1));
    let admin = app.admin().await;
    let _ = admin.patch(&path, &json!({"role": "auditor"})).await.expect(200);

    let found = entries(&admin, "action=user.create").await;
    assert_eq!(found.len(), 1);
    let mut shown = found[0].clone();
    shown["position"] = json!(null);
    shown["hash"] = json!(null);
    insta::assert_json_snapshot!("audit_entry", redacted(shown));
    let changed = entries(&admin, &format!("target_id={}&date_from=2026-11-23", created["id"].as_str().unwrap())).await;
    assert_eq!(changed.len(), 1);
    assert_eq!(
        (&changed[0]["old_value"]["role"], &changed[0]["new_value"]["role"]),
        (&json!("analyst"), &json!("auditor"))
    );
    assert_eq!(entries(&admin, "action=user.").await.len(), 2);
    assert_eq!(entries(&admin, "action=user.&date_to=2026-11-22").await.len(), 1);
    assert_eq!(entries(&admin, "actor=nobody").await.len(), 0);
    assert!(entries(&admin, "actor=admin-example&target_type=session").await.len() >= 2);
    let bad = admin.get("/api/audit?date_from=yesterday").await.expect(422);
    assert_eq!(bad.fields(), ["query -> date_from"]);

    let file = app.auditor().await.get("/api/audit/export?action=user.").await.expect(200);
    assert!(file.header("content-disposition").contains("audit-log.csv"));
    assert_eq!(file.text().lines().count(), 3);
    let lines = admin.get("/api/audit/export?format=jsonl&action=export.run").await.expect(200).text();
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&line["action"], &line["target_type"]), (&json!("export.run"), &json!("audit_log")));
}

async fn sign_ins_and_refusals_are_on_record() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let reader = app.read_only().await;
    let _ = reader.get("/api/users").await.expect(403);
    let _ = reader.get("/api/audit").await.expect(403);
    let denied = entries(&admin, "action=auth.denied").await;
    assert_eq!(denied.len(), 2);
    let first = denied.iter().find(|entry| entry["target_id"] == "GET /api/users").unwrap();
    assert_eq!((&first["actor"], &first["ip"]), (&json!("read_only-example"), &json!("127.0.0.1")));
    assert_eq!(first["new_value"]["reason"], "Missing permission users.manage");

    let wrong = json!({"username": "admin-example", "password": "wrong password"});
    let answer = app.anonymous().post("/api/auth/login", &wrong).await.expect(401);
    let unknown = json!({"username": "my secret pass phrase", "password": "wrong password"});
    let _ = app.anonymous().post("/api/auth/login", &unknown).await.expect(401);
    let failed = entries(&admin, "action=auth.login_failed").await;
    assert_eq!(failed.len(), 2, "the first organisation sees what belongs to none");
    let own = failed.iter().find(|entry| entry["new_value"]["username"] == "admin-example").unwrap();
    assert_eq!(own["request_id"].as_str().unwrap(), answer.header("x-request-id"));
    assert!(!format!("{failed:?}").contains("secret pass phrase"));
    let key = admin.post("/api/api-keys", &json!({"name": "k"})).await.expect(201).json();
    let program = app.key(key["key"].as_str().unwrap());
    let _ = program.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    assert_eq!(entries(&admin, "action=asset.create").await[0]["actor_kind"], "api_key");
}

async fn secrets_never_are() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let secret = "a very secret sentence";
    let user = json!({"username": "ada", "email": "ada@example.test", "password": secret});
    let _ = admin.post("/api/users", &user).await.expect(201);
    let key = admin.post("/api/api-keys", &json!({"name": "k"})).await.expect(201).json();
    let invited = admin.post("/api/invitations", &json!({"email": "b@example.test"})).await.expect(201).json();
    let ada = app.sign_in("ada", secret).await;
    let begun = ada.post("/api/auth/second-factor", &json!({"current_password": secret})).await.expect(200).json();
    let change = json!({"current_password": secret, "new_password": "another secret sentence"});
    let _ = ada.post("/api/auth/password", &change).await.expect(204);
    let all = admin.get("/api/audit/export?format=jsonl").await.expect(200).text();
    assert!(all.contains("api_key.create") && all.contains("invitation.create") && all.contains("password_change"));
    let secrets = [&json!(secret), &change["new_password"], &key["key"], &invited["token"], &begun["secret"]];
    for secret in secrets {
        assert!(!all.contains(secret.as_str().unwrap()), "{secret}");
    }
    assert!(!all.contains("$argon2"));
}

async fn the_chain_is_sealed_and_verified() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let verify = || async { auditor.get("/api/audit/verify").await.expect(200).json() };
    let before = verify().await;
    assert_eq!((&before["intact"], &before["sealed"], &before["unsealed"]), (&json!(true), &json!(0), &json!(1)));
    assert!(audit::seal(&app.services).await.unwrap() >= 1);
    let sealed = verify().await;
    assert_eq!((&sealed["intact"], &sealed["sealed"], &sealed["unsealed"]), (&json!(true), &json!(1), &json!(0)));
    assert_eq!(sealed["head_hash"].as_str().unwrap().len(), 64);
    let analyst = app.analyst().await;
    for number in 0..20 {
        let body = json!({"target_value": format!("h{number}.example.com"), "tags": ["z", "a"]});
        let _ = analyst.post("/api/assets", &body).await.expect(201);
    }
    let tail = verify().await;
    assert_eq!((&tail["intact"], &tail["sealed"], &tail["unsealed"]), (&json!(true), &json!(1), &json!(21)));
    // Two that seal at once do it once.
    let (one, two) = tokio::join!(audit::seal(&app.services), audit::seal(&app.services));
    assert_eq!(one.unwrap() + two.unwrap(), 21);
    let all = verify().await;
    assert_eq!((&all["intact"], &all["head_position"], &all["unsealed"]), (&json!(true), &json!(22), &json!(0)));
    assert!(audit::verify_all(&app.services).await.unwrap().iter().all(|chain| chain.broken.is_none()));
    assert_eq!(entries(&auditor, "action=asset.create").await.len(), 20);
    let _ = app.read_only().await.get("/api/audit/verify").await.expect(403);
}

async fn a_changed_removed_or_cut_entry_is_found() {
    for (damage, at) in [
        ("UPDATE audit_log SET actor_name = 'somebody else' WHERE position = 3", 3),
        ("DELETE FROM audit_log WHERE position = 2", 2),
        ("DELETE FROM audit_log WHERE position = 5", 5),
        ("UPDATE audit_log SET position = 9 WHERE position = 4", 4),
    ] {
        let app = TestApp::start().await;
        let admin = app.admin().await;
        for number in 0..4 {
            let body = json!({"target_value": format!("h{number}.example.com")});
            let _ = admin.post("/api/assets", &body).await.expect(201);
        }
        assert_eq!(audit::seal(&app.services).await.unwrap(), 5);
        app.damage(damage).await;
        let found = admin.get("/api/audit/verify").await.expect(200).json();
        assert_eq!((&found["intact"], &found["broken_at"]), (&json!(false), &json!(at)), "{damage}: {found}");
    }
}

async fn a_log_that_was_emptied_is_found() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let _ = admin.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let _ = audit::seal(&app.services).await.unwrap();
    app.damage("DELETE FROM audit_log").await;
    app.damage("DELETE FROM audit_heads").await;
    let found = admin.get("/api/audit/verify").await.expect(200).json();
    assert_eq!((&found["intact"], &found["broken_at"]), (&json!(false), &json!(1)), "{found}");
}

async fn days_that_no_database_knows_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for at in ["-9999-01-01", "-9999-01-01T00:00:00Z", "%2B12026-01-01", "0000-06-01"] {
        for field in ["date_from", "date_to"] {
            for path in ["/api/audit", "/api/audit/export"] {
                let refused = admin.get(&format!("{path}?{field}={at}")).await.expect(422);
                assert_eq!(refused.fields(), [format!("query -> {field}")], "{path} {at}");
            }
        }
        for path in ["/api/findings", "/api/findings/stats"] {
            let refused = admin.get(&format!("{path}?first_seen_from={at}")).await.expect(422);
            assert_eq!(refused.fields(), ["query -> first_seen_from"], "{path} {at}");
        }
    }
    let _ = admin.get("/api/audit?date_from=0001-01-01&date_to=9999-12-30").await.expect(200);
}

async fn another_organisation_reads_its_own() {
    let app = TestApp::start().await;
    let (admin, outsider) = (app.admin().await, app.outsider().await);
    let _ = admin.post("/api/assets", &json!({"target_value": "a.example.com"})).await.expect(201);
    let unknown = json!({"username": "nobody", "password": "wrong password"});
    let _ = app.anonymous().post("/api/auth/login", &unknown).await.expect(401);
    assert_eq!(entries(&outsider, "action=asset.create").await.len(), 0);
    assert_eq!(entries(&outsider, "action=auth.login_failed").await.len(), 0);
    assert_eq!(entries(&outsider, "action=auth.login").await.len(), 1);
}

async fn a_tail_cut_off_with_its_head_is_found_by_a_link_noted_down() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for number in 0..4 {
        let body = json!({"target_value": format!("h{number}.example.com")});
        let _ = admin.post("/api/assets", &body).await.expect(201);
    }
    audit::seal(&app.services).await.unwrap();
    let listed = entries(&admin, "").await;
    let link = |position: i64| {
        let entry = listed.iter().find(|entry| entry["position"] == position).unwrap();
        format!("/api/audit/verify?position={position}&hash={}", entry["hash"].as_str().unwrap())
    };
    let (early, late) = (link(2), link(5));
    for path in [&early, &late] {
        assert_eq!(admin.get(path).await.expect(200).json()["intact"], true, "{path}");
    }
    // Whoever can write the database takes the last entries out and makes the chain end before them.
    app.damage("DELETE FROM audit_log WHERE position > 3").await;
    app.damage("UPDATE audit_heads SET position = 3, hash = (SELECT hash FROM audit_log WHERE position = 3)").await;
    assert_eq!(admin.get("/api/audit/verify").await.expect(200).json()["intact"], true);
    assert_eq!(admin.get(&early).await.expect(200).json()["intact"], true);
    let found = admin.get(&late).await.expect(200).json();
    assert_eq!((&found["intact"], &found["broken_at"]), (&json!(false), &json!(5)), "{found}");
    for (query, field) in [
        ("position=1", "query -> hash"),
        ("hash=00", "query -> position"),
        ("position=1&hash=zz", "query -> hash"),
        ("position=0&hash=00", "query -> position"),
    ] {
        assert_eq!(admin.get(&format!("/api/audit/verify?{query}")).await.expect(422).fields(), [field], "{query}");
    }
}

async fn what_belongs_to_no_organisation_is_verified_where_it_is_shown() {
    let app = TestApp::start().await;
    let (admin, outsider) = (app.admin().await, app.outsider().await);
    let unknown = json!({"username": "nobody-at-all", "password": "wrong password"});
    let _ = app.anonymous().post("/api/auth/login", &unknown).await.expect(401);
    audit::seal(&app.services).await.unwrap();
    let other = admin.get("/api/audit/verify").await.expect(200).json()["without_organization"].clone();
    assert_eq!((&other["intact"], &other["sealed"]), (&json!(true), &json!(1)));
    assert_eq!(outsider.get("/api/audit/verify").await.expect(200).json()["without_organization"], Value::Null);
    app.damage("UPDATE audit_log SET actor_name = 'somebody' WHERE organization_id IS NULL").await;
    let verified = admin.get("/api/audit/verify").await.expect(200).json();
    assert_eq!((&verified["intact"], &verified["without_organization"]["intact"]), (&json!(true), &json!(false)));
}
