//! Secrets at rest, and taking a new key into use.

use bartizan_auth::KeyRing;
use bartizan_auth::keyring::sealed_with;
use bartizan_domain::Error;
use bartizan_services::secrets::{self, SecretScope};
use bartizan_services::{Page, ServicesConfig};
use bartizan_storage::secrets as storage;
use bartizan_test_support::{TestDatabase, on_both_databases};
use secrecy::ExposeSecret as _;

use crate::support::App;

on_both_databases!(
    a_secret_comes_back_and_its_row_does_not_tell_it,
    a_new_key_seals_everything_and_the_old_one_goes_with_the_next,
    keys_of_what_ends_by_itself_stay_in_the_ring,
    without_the_key_nothing_is_told,
);

async fn app(database: &TestDatabase, ring: KeyRing) -> App {
    App::with(database, ServicesConfig { secret_keys: Some(ring), ..ServicesConfig::default() }, 0).await
}

async fn put(app: &App, scope: SecretScope, name: &str, text: &str) {
    let cx = app.anonymous();
    let tx = app.store.begin().await.unwrap();
    secrets::put(&cx, &app.services, tx.db(), (scope, name), &text.into()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn get(app: &App, scope: SecretScope, name: &str) -> Option<String> {
    let secret = secrets::get(&app.services, app.store.read(), scope, name).await.unwrap();
    secret.map(|secret| secret.expose_secret().to_owned())
}

async fn a_secret_comes_back_and_its_row_does_not_tell_it(database: &TestDatabase) {
    let app = app(database, KeyRing::random().unwrap()).await;
    let organization = app.set_up().await.profile.organization_id;
    let (all, ours) = (SecretScope::Installation, SecretScope::Organization(organization));
    put(&app, all, "mail.password", "one").await;
    put(&app, ours, "mail.password", "two").await;
    assert_eq!(get(&app, all, "mail.password").await.as_deref(), Some("one"));
    assert_eq!(get(&app, ours, "mail.password").await.as_deref(), Some("two"));
    assert_eq!(get(&app, all, "other").await, None);
    put(&app, all, "mail.password", "three").await;
    assert_eq!(get(&app, all, "mail.password").await.as_deref(), Some("three"));
    let sealed = storage::get(app.store.read(), all, "mail.password").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("three"));

    // Moved to another row, it does not open.
    let tx = app.store.begin().await.unwrap();
    storage::put(tx.db(), ours, "stolen", (&sealed_with(&sealed).unwrap(), &sealed), app.anonymous().now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(secrets::get(&app.services, app.store.read(), ours, "stolen").await.is_err());
    let tx = app.store.begin().await.unwrap();
    assert!(secrets::remove(tx.db(), all, "mail.password").await.unwrap());
    tx.commit().await.unwrap();
    assert!(!secrets::is_set(app.store.read(), all, "mail.password").await.unwrap());
}

async fn a_new_key_seals_everything_and_the_old_one_goes_with_the_next(database: &TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.key");
    let server = app(database, KeyRing::load_or_create(&file).unwrap()).await;
    let organization = server.set_up().await.profile.organization_id;
    // More than one batch.
    for number in 0..250 {
        put(&server, SecretScope::Installation, &format!("s{number}"), &format!("v{number}")).await;
    }
    let admin_ring = KeyRing::load_or_create(&file).unwrap();
    let first = admin_ring.current().unwrap();
    let admin =
        App::with(database, ServicesConfig { secret_keys: Some(admin_ring), ..ServicesConfig::default() }, 1 << 32)
            .await;
    let cx = admin.services.system("admin", organization);
    let rotation = secrets::rotate(&cx, &admin.services).await.unwrap();
    assert_eq!(rotation.resealed, 250);
    assert_eq!(rotation.keys, [rotation.key_id.clone(), first.clone()]);
    for number in [0, 99, 249] {
        assert_eq!(get(&server, SecretScope::Installation, &format!("s{number}")).await, Some(format!("v{number}")));
    }
    let left = storage::sealed_otherwise(server.store.read(), &rotation.key_id, None, 10).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    put(&server, SecretScope::Installation, "new", "value").await;
    let sealed = storage::get(server.store.read(), SecretScope::Installation, "new").await.unwrap().unwrap();
    assert_eq!(sealed_with(&sealed), Some(rotation.key_id.clone()));

    let again = secrets::rotate(&cx, &admin.services).await.unwrap();
    assert_eq!(again.keys, [again.key_id.clone(), rotation.key_id]);
    assert!(!again.keys.contains(&first));
    assert_eq!(get(&server, SecretScope::Installation, "s7").await.as_deref(), Some("v7"));
    let log = bartizan_storage::audit::list(server.store.read(), organization, Page::first(50)).await.unwrap();
    assert!(!format!("{log:?}").contains("v7"));
    assert!(format!("{log:?}").contains("secret_key.rotate"), "it is in the log of an organisation");
}

async fn keys_of_what_ends_by_itself_stay_in_the_ring(database: &TestDatabase) {
    use bartizan_services::idempotency::{Attempt, StoredResponse, begin};
    let folder = tempfile::tempdir().unwrap();
    let server = app(database, KeyRing::load_or_create(&folder.path().join("secret.key")).unwrap()).await;
    let organization = server.set_up().await.profile.organization_id;
    let cx = server.services.system("admin", organization);
    let answer = StoredResponse { status: 201, headers: serde_json::json!({}), body: b"shown once".to_vec() };
    match begin(&cx, &server.services, "POST /x", "k-1", b"").await.unwrap() {
        Attempt::First(ticket) => ticket.complete(&server.services, &answer).await.unwrap(),
        Attempt::Replay(_) => panic!("it is the first"),
    }
    for _ in 0..3 {
        secrets::rotate(&cx, &server.services).await.unwrap();
    }
    match begin(&cx, &server.services, "POST /x", "k-1", b"").await.unwrap() {
        Attempt::Replay(again) => assert_eq!(again.body, answer.body),
        Attempt::First(_) => panic!("the answer was lost"),
    }
}

async fn without_the_key_nothing_is_told(database: &TestDatabase) {
    let first = app(database, KeyRing::random().unwrap()).await;
    put(&first, SecretScope::Installation, "token", "hidden").await;
    let second = App::with(
        database,
        ServicesConfig { secret_keys: Some(KeyRing::random().unwrap()), ..ServicesConfig::default() },
        1 << 32,
    )
    .await;
    let error = secrets::get(&second.services, second.store.read(), SecretScope::Installation, "token").await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Internal(_)));
    assert_eq!(error.to_string(), "Internal server error");
    assert!(error.internal_context().unwrap().contains("not in the ring"), "{error:?}");
    assert!(secrets::rotate(&second.anonymous(), &second.services).await.is_err());
}
