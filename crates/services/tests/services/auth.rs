//! Setup, sign-in, sessions.

use bartizan_domain::{Error, Role, RoleName};
use bartizan_services::auth::{self, Setup, SignedIn};
use bartizan_services::sessions;
use bartizan_services::{Page, ServicesConfig};
use bartizan_storage::audit;
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::support::{App, identity_of, origin, setup};

on_both_databases!(
    setup_works_once_and_is_audited,
    two_setups_at_once_make_one_organisation,
    setup_names_every_bad_field,
    setup_may_need_the_token_of_the_start,
    sign_in_by_name_or_address,
    a_refresh_token_works_once,
    a_replayed_refresh_token_ends_its_session,
    an_answer_that_was_lost_is_given_again,
    the_time_for_that_is_short_and_cannot_be_drawn_out,
    a_thief_who_comes_after_the_owner_went_on_ends_the_session,
    of_a_thief_and_the_owner_the_second_to_go_on_ends_the_session,
    two_at_once_leave_one_good_token,
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

async fn refreshed(app: &App, token: &SignedIn) -> Option<SignedIn> {
    match auth::refresh(&app.anonymous(), &app.services, &token.refresh_token).await {
        Ok(next) => Some(next),
        Err(Error::Unauthenticated(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn is_over(app: &App, signed_in: &SignedIn) -> bool {
    matches!(auth::authenticate(&app.services, origin(), &identity_of(signed_in)).await, Err(Error::Unauthenticated(_)))
}

/// Action, kind of actor and name of each entry about refresh tokens, oldest first.
async fn refreshes_on_record(app: &App, of: &SignedIn) -> Vec<(String, String, String)> {
    let log = audit::list(app.store.read(), of.profile.organization_id, Page::first(50)).await.unwrap();
    let mut rows: Vec<_> = log.rows.into_iter().filter(|entry| entry.action.starts_with("auth.refresh")).collect();
    rows.sort_by_key(|entry| entry.id);
    assert!(rows.iter().all(|entry| entry.actor_id == Some(of.profile.user_id)), "{rows:?}");
    rows.into_iter().map(|entry| (entry.action, entry.actor_kind, entry.actor_name)).collect()
}

async fn a_replayed_refresh_token_ends_its_session(database: &TestDatabase) {
    let app = App::new(database).await;
    let stolen = app.set_up().await;
    let kept = auth::login(&app.anonymous(), &app.services, "ada", "correct horse battery".into(), None).await.unwrap();
    let next = refreshed(&app, &stolen).await.unwrap();
    app.clock.advance(auth::REPLAY_GRACE + TimeDelta::seconds(1));
    assert!(refreshed(&app, &stolen).await.is_none());
    assert!(refreshed(&app, &next).await.is_none());
    assert!(is_over(&app, &next).await, "access ends with the session");
    let entry = |action: &str| (action.to_owned(), "user".to_owned(), "Ada".to_owned());
    let expected = [entry("auth.refresh"), entry("auth.refresh_token_reused")];
    assert_eq!(refreshes_on_record(&app, &next).await, expected);
    // Another session of the same user goes on.
    refreshed(&app, &kept).await.unwrap();
}

async fn an_answer_that_was_lost_is_given_again(database: &TestDatabase) {
    let app = App::new(database).await;
    let first = app.set_up().await;
    let mut lost = Vec::new();
    for _ in 0..3 {
        lost.push(refreshed(&app, &first).await.unwrap());
        app.clock.advance(TimeDelta::seconds(9));
    }
    let arrived = refreshed(&app, &first).await.unwrap();
    assert_eq!(arrived.session, first.session);
    let next = refreshed(&app, &arrived).await.unwrap();
    assert!(!is_over(&app, &next).await);
    // What was withdrawn is good for nothing, and who has it is not who went on.
    assert!(refreshed(&app, &lost[1]).await.is_none());
    assert!(is_over(&app, &next).await);
}

async fn the_time_for_that_is_short_and_cannot_be_drawn_out(database: &TestDatabase) {
    let app = App::new(database).await;
    let first = app.set_up().await;
    refreshed(&app, &first).await.unwrap();
    app.clock.advance(auth::REPLAY_GRACE);
    let last = refreshed(&app, &first).await.unwrap();
    app.clock.advance(TimeDelta::seconds(1));
    assert!(refreshed(&app, &first).await.is_none());
    assert!(is_over(&app, &last).await);
}

async fn a_thief_who_comes_after_the_owner_went_on_ends_the_session(database: &TestDatabase) {
    let app = App::new(database).await;
    let stolen = app.set_up().await;
    let second = refreshed(&app, &stolen).await.unwrap();
    let third = refreshed(&app, &second).await.unwrap();
    assert!(refreshed(&app, &stolen).await.is_none(), "its successor was used, however short ago");
    assert!(is_over(&app, &third).await);
    assert!(refreshed(&app, &third).await.is_none());
}

async fn of_a_thief_and_the_owner_the_second_to_go_on_ends_the_session(database: &TestDatabase) {
    let app = App::new(database).await;
    app.set_up().await;
    for thief_goes_on_first in [false, true] {
        let cx = app.anonymous();
        let stolen = auth::login(&cx, &app.services, "ada", "correct horse battery".into(), None).await.unwrap();
        let owner = refreshed(&app, &stolen).await.unwrap();
        let thief = refreshed(&app, &stolen).await.unwrap();
        let mut last = thief.clone();
        if thief_goes_on_first {
            last = refreshed(&app, &thief).await.unwrap();
        }
        assert!(refreshed(&app, &owner).await.is_none());
        assert!(is_over(&app, &thief).await);
        assert!(refreshed(&app, &last).await.is_none(), "the thief has nothing either");
    }
}

async fn two_at_once_leave_one_good_token(database: &TestDatabase) {
    let app = App::new(database).await;
    let first = app.set_up().await;
    let (one, two) = tokio::join!(refreshed(&app, &first), refreshed(&app, &first));
    let tokens = [one.unwrap(), two.unwrap()];
    let mut good = 0;
    for token in &tokens {
        let hash = Sha256::digest(token.refresh_token.expose_secret().as_bytes());
        let stored = bartizan_storage::sessions::token(app.store.read(), &hash).await.unwrap().unwrap();
        good += usize::from(stored.is_fresh());
    }
    assert_eq!(good, 1);
    assert!(!is_over(&app, &tokens[0]).await);
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
    assert_eq!(sessions::list(&cx, &app.services, Page::first(10)).await.unwrap().total, 2);
    auth::logout(&cx, &app.services).await.unwrap();
    assert_eq!(sessions::list(&cx, &app.services, Page::first(10)).await.unwrap().total, 1);
    sessions::revoke(&cx, &app.services, other.session).await.unwrap();
    assert!(matches!(sessions::revoke(&cx, &app.services, other.session).await, Err(Error::NotFound { .. })));
    assert!(matches!(auth::logout(&app.anonymous(), &app.services).await, Err(Error::Unauthenticated(_))));
}
