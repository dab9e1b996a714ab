//! Setup, sign-in, sessions.

use bartizan_domain::{Error, Role, RoleName};
use bartizan_services::auth::{self, Setup};
use bartizan_services::sessions;
use bartizan_services::{Page, ServicesConfig};
use bartizan_storage::audit;
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;

use crate::support::{App, identity_of, origin, setup};

on_both_databases!(
    setup_works_once_and_is_audited,
    two_setups_at_once_make_one_organisation,
    setup_names_every_bad_field,
    setup_may_need_the_token_of_the_start,
    sign_in_by_name_or_address,
    a_refresh_token_works_once,
    a_replayed_refresh_token_ends_its_session,
    refresh_tokens_expire,
    sessions_end_by_logout,
);

async fn setup_works_once_and_is_audited(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.anonymous();
    assert!(auth::setup_state(&cx, &app.services).await.unwrap().needed);
    let signed_in = app.set_up().await;
    assert_eq!(
        (signed_in.profile.role.clone(), signed_in.profile.username.as_str()),
        (RoleName::from(Role::Admin), "Ada")
    );
    assert!(!auth::setup_state(&cx, &app.services).await.unwrap().needed);
    assert!(matches!(auth::setup(&cx, &app.services, setup()).await, Err(Error::Conflict(_))));
    let log = audit::list(app.store.read(), signed_in.profile.organization_id, Page::first(10)).await.unwrap();
    assert_eq!(log.rows.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["auth.setup"]);
    let text = format!("{:?}", log.rows);
    assert!(!text.contains("correct horse") && !text.contains("argon2"), "{text}");
}

async fn two_setups_at_once_make_one_organisation(database: &TestDatabase) {
    let app = App::new(database).await;
    let other = Setup { username: "Eve".to_owned(), email: "eve@example.org".to_owned(), ..setup() };
    let (cx, services) = (app.anonymous(), &app.services);
    let (one, two) = tokio::join!(auth::setup(&cx, services, setup()), auth::setup(&cx, services, other));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1);
    let refused = one.err().or(two.err()).unwrap();
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
    assert_eq!(bartizan_storage::organizations::count(app.store.read()).await.unwrap(), 1);
}

async fn setup_names_every_bad_field(database: &TestDatabase) {
    let app = App::new(database).await;
    let bad = Setup { username: " ".to_owned(), email: "nobody".to_owned(), password: "short".into(), ..setup() };
    let Err(Error::Invalid(fields)) = auth::setup(&app.anonymous(), &app.services, bad).await else {
        panic!("bad fields were accepted")
    };
    let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!(names, ["body -> username", "body -> email", "body -> password"]);
    for email in ["a@b@c", "a b@c.d", "@c.d", "a@", "a@.d"] {
        let bad = Setup { email: email.to_owned(), ..setup() };
        assert!(auth::setup(&app.anonymous(), &app.services, bad).await.is_err(), "{email}");
    }
    assert!(auth::setup_state(&app.anonymous(), &app.services).await.unwrap().needed);
}

async fn setup_may_need_the_token_of_the_start(database: &TestDatabase) {
    let app =
        App::with(database, ServicesConfig { setup_token: Some("open sesame".into()), ..ServicesConfig::default() }, 0)
            .await;
    let cx = app.anonymous();
    assert!(auth::setup_state(&cx, &app.services).await.unwrap().token_required);
    for token in [None, Some("open barley".into())] {
        let refused = auth::setup(&cx, &app.services, Setup { token, ..setup() }).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    }
    auth::setup(&cx, &app.services, Setup { token: Some("open sesame".into()), ..setup() }).await.unwrap();
}

async fn sign_in_by_name_or_address(database: &TestDatabase) {
    let app = App::new(database).await;
    app.set_up().await;
    let cx = app.anonymous();
    for login in ["ada", "ADA", "Ada@Example.org"] {
        let signed_in = auth::login(&cx, &app.services, login, "correct horse battery".into(), None).await.unwrap();
        assert_eq!(signed_in.profile.username, "Ada");
    }
    for (login, password) in [("ada", "wrong"), ("nobody", "correct horse battery"), ("", "")] {
        let Err(Error::Unauthenticated(text)) = auth::login(&cx, &app.services, login, password.into(), None).await
        else {
            panic!("{login} was let in")
        };
        assert_eq!(text, "Invalid username or password");
    }
}

async fn a_refresh_token_works_once(database: &TestDatabase) {
    let app = App::new(database).await;
    let first = app.set_up().await;
    app.clock.advance(TimeDelta::minutes(20));
    let second = auth::refresh(&app.anonymous(), &app.services, &first.refresh_token).await.unwrap();
    assert_eq!(second.session, first.session);
    assert_ne!(second.refresh_token.expose_secret(), first.refresh_token.expose_secret());
    let third = auth::refresh(&app.anonymous(), &app.services, &second.refresh_token).await.unwrap();
    app.context_of(&third).await;
}

async fn a_replayed_refresh_token_ends_its_session(database: &TestDatabase) {
    let app = App::new(database).await;
    let stolen = app.set_up().await;
    let kept = auth::login(&app.anonymous(), &app.services, "ada", "correct horse battery".into(), None).await.unwrap();
    let next = auth::refresh(&app.anonymous(), &app.services, &stolen.refresh_token).await.unwrap();
    let refused = |result: Result<_, Error>| matches!(result, Err(Error::Unauthenticated(_)));
    assert!(refused(auth::refresh(&app.anonymous(), &app.services, &stolen.refresh_token).await.map(drop)));
    assert!(refused(auth::refresh(&app.anonymous(), &app.services, &next.refresh_token).await.map(drop)));
    let access = auth::authenticate(&app.services, origin(), &identity_of(&next)).await;
    assert!(refused(access.map(drop)), "access ends with the session");
    // Another session of the same user goes on.
    auth::refresh(&app.anonymous(), &app.services, &kept.refresh_token).await.unwrap();
}

async fn refresh_tokens_expire(database: &TestDatabase) {
    let app = App::new(database).await;
    let signed_in = app.set_up().await;
    app.clock.advance(auth::REFRESH_LIFETIME);
    let late = auth::refresh(&app.anonymous(), &app.services, &signed_in.refresh_token).await;
    assert!(matches!(late, Err(Error::Unauthenticated(_))));
    assert!(auth::refresh(&app.anonymous(), &app.services, &"made up".into()).await.is_err());
}

async fn sessions_end_by_logout(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let other =
        auth::login(&app.anonymous(), &app.services, "ada", "correct horse battery".into(), None).await.unwrap();
    assert_eq!(sessions::list(&cx, &app.services).await.unwrap().len(), 2);
    auth::logout(&cx, &app.services).await.unwrap();
    assert_eq!(sessions::list(&cx, &app.services).await.unwrap().len(), 1);
    sessions::revoke(&cx, &app.services, other.session).await.unwrap();
    assert!(matches!(sessions::revoke(&cx, &app.services, other.session).await, Err(Error::NotFound { .. })));
    assert!(matches!(auth::logout(&app.anonymous(), &app.services).await, Err(Error::Unauthenticated(_))));
}
