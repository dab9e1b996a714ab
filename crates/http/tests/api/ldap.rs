//! Sign-in with a real directory.

use bartizan_test_support::api_tests;
use bartizan_test_support::app::{Actor, TestApp};
use bartizan_test_support::lab::directory::{Directory, PERSON_PASSWORD, SERVICE, SERVICE_PASSWORD};
use serde_json::{Value, json};

use crate::oidc::entries;

api_tests!(
    people_of_the_directory_sign_in_and_groups_decide_their_roles,
    what_is_wrong_is_refused_and_nothing_leaves_its_place_in_the_filter,
    a_directory_that_is_away_is_no_failed_attempt,
    certificates_are_checked_and_settings_tried_out,
    nobody_is_locked_out,
);

async fn with_directory() -> (TestApp, Directory, Actor) {
    let directory = Directory::start(&[("analysts", &["grace"]), ("others", &["linus"])]);
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({"ldap": {"enabled": true, "url": directory.url(), "start_tls": true, "bind_dn": SERVICE,
        "bind_password": SERVICE_PASSWORD, "user_base": "ou=people,dc=lab,dc=test",
        "user_filter": "(&(objectClass=person)(|(uid={username})(mail={username})))",
        "group_base": "ou=groups,dc=lab,dc=test", "label": "Lab",
        "role_mapping": [{"group": "Analysts", "role": "analyst"},
            {"group": "CN=bosses, OU=groups,dc=lab,dc=test", "role": "admin"}],
        "ca_certificates": directory.authority}});
    let _ = admin.patch("/api/config/auth", &body).await.expect(200);
    (app, directory, admin)
}

async fn attempt(app: &TestApp, username: &str, password: &str) -> bartizan_test_support::app::Answer {
    app.anonymous().post("/api/auth/login", &json!({"username": username, "password": password})).await
}

async fn people_of_the_directory_sign_in_and_groups_decide_their_roles() {
    let (app, mut directory, admin) = with_directory().await;
    let providers = app.anonymous().get("/api/auth/providers").await.expect(200).json();
    assert_eq!((&providers["ldap_enabled"], &providers["ldap_label"]), (&json!(true), &json!("Lab")));
    let grace = attempt(&app, "grace", PERSON_PASSWORD).await.expect(200).json();
    assert_eq!(grace["user"]["auth_provider"], "ldap");
    assert_eq!(grace["user"]["role"], "analyst");
    assert_eq!(grace["user"]["email"], "grace@corp.example");
    let made = entries(&admin, "user.create").await;
    assert_eq!(made[0]["new_value"]["name"], "uid=grace,ou=people,dc=lab,dc=test");
    assert_eq!(made[0]["new_value"]["subject"], "00000000-0000-4000-8000-000000000000");
    let linus = attempt(&app, "LINUS@corp.example", PERSON_PASSWORD).await.expect(200).json();
    assert_eq!(linus["user"]["role"], "read_only");
    directory.set_groups(&[("bosses", &["grace"])]);
    let body = json!({"username": "grace", "password": PERSON_PASSWORD, "method": "ldap"});
    let again = app.anonymous().post("/api/auth/login", &body).await.expect(200).json();
    assert_eq!((&again["user"]["role"], &again["user"]["id"]), (&json!("admin"), &grace["user"]["id"]));
    // The password is kept by the directory.
    let grace = app.bearer(again["access_token"].as_str().unwrap());
    let change = json!({"current_password": PERSON_PASSWORD, "new_password": "something long enough"});
    let _ = grace.post("/api/auth/password", &change).await.expect(409);
    let user = format!("/api/users/{}", linus["user"]["id"].as_str().unwrap());
    let _ = admin.patch(&user, &json!({"is_active": false})).await.expect(200);
    let _ = attempt(&app, "linus", PERSON_PASSWORD).await.expect(403);
    assert_eq!(entries(&admin, "auth.login_failed").await[0]["new_value"]["reason"], "deactivated");
}

async fn what_is_wrong_is_refused_and_nothing_leaves_its_place_in_the_filter() {
    let (app, _directory, admin) = with_directory().await;
    // The server takes an empty password for no password and binds all the same: it is not asked.
    for (username, password) in [("grace", "wrong"), ("grace", ""), ("nobody", PERSON_PASSWORD)] {
        let _ = attempt(&app, username, password).await.expect(401);
    }
    let injections = ["*", "gr*", "grace)(uid=*", "*)(|(uid=grace", "gra\nce", "grace\\2a", "(grace)", ""];
    for username in injections {
        let body = json!({"username": username, "password": PERSON_PASSWORD, "method": "ldap"});
        let _ = app.anonymous().post("/api/auth/login", &body).await.expect(401);
    }
    // Two entries have this address.
    let _ = attempt(&app, "grace@corp.example", PERSON_PASSWORD).await.expect(401);
    assert_eq!(entries(&admin, "auth.login_failed").await.len(), 12);
    assert!(entries(&admin, "user.create").await.is_empty());
    // Failures are counted, also for a name that is only known to the directory.
    for _ in 0..3 {
        let _ = attempt(&app, "grace", "wrong").await.expect(401);
    }
    let _ = attempt(&app, "grace", PERSON_PASSWORD).await.expect(429);
}

async fn a_directory_that_is_away_is_no_failed_attempt() {
    let (app, mut directory, admin) = with_directory().await;
    directory.stop();
    for _ in 0..8 {
        let answer = attempt(&app, "grace", PERSON_PASSWORD).await.expect(503);
        assert_eq!(answer.json()["detail"], "Internal server error");
    }
    assert_eq!(entries(&admin, "auth.login_failed").await[0]["new_value"]["reason"], "provider");
    // Who has a password here is not kept out.
    let _ = attempt(&app, "admin-example", bartizan_test_support::app::PASSWORD).await.expect(200);
    directory.restart();
    let _ = attempt(&app, "grace", PERSON_PASSWORD).await.expect(200);
}

async fn certificates_are_checked_and_settings_tried_out() {
    let (app, _directory, admin) = with_directory().await;
    let steps = async |body: Value| {
        let tried = admin.post("/api/config/auth/test", &body).await.expect(200).json();
        let failed = tried["steps"].as_array().unwrap().iter().find(|step| step["ok"] == false);
        failed
            .map_or_else(|| "none".to_owned(), |step| format!("{}: {}", step["name"].as_str().unwrap(), step["detail"]))
    };
    let who = |password: &str| json!({"method": "ldap", "username": "grace", "password": password});
    assert_eq!(steps(json!({"method": "ldap"})).await, "none");
    assert_eq!(steps(who(PERSON_PASSWORD)).await, "none");
    assert!(steps(who("wrong")).await.starts_with("password: "));
    assert!(steps(who("")).await.starts_with("user: "));
    let bind = json!({"method": "ldap", "ldap": {"bind_password": "wrong"}});
    assert!(steps(bind).await.starts_with("bind: "));
    let unknown = json!({"method": "ldap", "ldap": {"ca_certificates": ""}});
    let failed = steps(unknown).await;
    assert!(failed.starts_with("connect: ") && failed.contains("certificate"), "{failed}");
    // The stored password is not sent to another server.
    let moved = json!({"method": "ldap", "ldap": {"url": "ldap://localhost:1"}});
    assert!(steps(moved).await.starts_with("connect: "));
    let moved = json!({"ldap": {"url": "ldap://localhost:1"}});
    assert_eq!(
        admin.patch("/api/config/auth", &moved).await.expect(422).json()["errors"][0]["field"],
        "body -> ldap.bind_password"
    );
    let _ = admin.patch("/api/config/auth", &json!({"ldap": {"ca_certificates": ""}})).await.expect(200);
    let _ = attempt(&app, "grace", PERSON_PASSWORD).await.expect(503);
    for bad in [
        json!({"url": "ldap://ldap.example", "start_tls": false, "bind_password": "x"}),
        json!({"url": "http://ldap.example", "bind_password": "x"}),
        json!({"user_filter": "(uid=everybody)"}),
        json!({"user_filter": "(uid={username}"}),
        json!({"ca_certificates": "no certificate"}),
        json!({"role_mapping": [{"group": "x", "role": "no_such_role"}]}),
    ] {
        let _ = admin.patch("/api/config/auth", &json!({"ldap": bad})).await.expect(422);
    }
}

async fn nobody_is_locked_out() {
    let (app, mut directory, admin) = with_directory().await;
    let off = json!({"internal": {"enabled": false}});
    let _ = admin.patch("/api/config/auth", &off).await.expect(409);
    directory.set_groups(&[("bosses", &["grace"])]);
    let grace = attempt(&app, "grace", PERSON_PASSWORD).await.expect(200).json();
    let grace = app.bearer(grace["access_token"].as_str().unwrap());
    let _ = grace.patch("/api/config/auth", &off).await.expect(200);
    assert_eq!(app.anonymous().get("/api/auth/providers").await.expect(200).json()["internal_enabled"], false);
    let _ = attempt(&app, "admin-example", bartizan_test_support::app::PASSWORD).await.expect(401);
    // Now the directory cannot be switched off, not even by somebody of the directory.
    for actor in [&admin, &grace] {
        let _ = actor.patch("/api/config/auth", &json!({"ldap": {"enabled": false}})).await.expect(409);
    }
    let cx = app.services.anonymous(bartizan_services::Origin::default());
    bartizan_services::auth_config::enable_passwords(&cx, &app.services).await.unwrap();
    let _ = attempt(&app, "admin-example", bartizan_test_support::app::PASSWORD).await.expect(200);
    // Other organisations have no say in how this server is signed in to.
    let outsider = app.outsider().await;
    let _ = outsider.get("/api/config/auth").await.expect(403);
    let _ = outsider.patch("/api/config/auth", &off).await.expect(403);
    let _ = outsider.post("/api/config/auth/test", &json!({"method": "oidc"})).await.expect(403);
}
