//! The list of processes that run background work.

use bartizan_domain::Error;
use bartizan_services::{Page, ServicesConfig, Timing, workers};
use bartizan_storage::workers as storage;
use bartizan_test_support::{TestDatabase, on_both_databases};
use chrono::TimeDelta;

use crate::support::App;

on_both_databases!(a_worker_is_listed_while_it_runs, a_lost_worker_is_shown_as_such_and_forgotten);

async fn a_worker_is_listed_while_it_runs(database: &TestDatabase) {
    let app = App::new(database).await;
    let cx = app.admin().await;
    let list = async || workers::list(&cx, &app.services, Page::first(10)).await.unwrap().rows;
    assert_eq!(list().await, []);
    let worker = app.work("one");
    // It begins with the housekeeping that is due.
    let found = app.until(async || list().await.pop().filter(|worker| worker.running_jobs == 0)).await;
    assert_eq!((found.name.as_str(), found.alive, found.running_jobs), ("one", true, 0));
    assert_eq!(found.process_id, std::process::id());
    assert!(found.slots >= 3, "scans, housekeeping and mail: {found:?}");
    assert!(found.alive_until > found.last_heartbeat_at);
    worker.stopped().await;
    assert_eq!(list().await, [], "it ended in order");
    let nobody = workers::list(&app.anonymous(), &app.services, Page::first(10)).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated(_))));
}

async fn a_lost_worker_is_shown_as_such_and_forgotten(database: &TestDatabase) {
    // Only the signs of life that the test gives.
    let never = Timing { lease: std::time::Duration::from_secs(100_000), ..Timing::default() };
    let app = App::with(database, ServicesConfig { jobs: never, ..ServicesConfig::default() }, 0).await;
    let cx = app.admin().await;
    let list = async || workers::list(&cx, &app.services, Page::first(10)).await.unwrap().rows;
    let beat = async |name: &str| {
        let worker = storage::Worker {
            name: name.to_owned(),
            kind: "server".to_owned(),
            host: "a".to_owned(),
            process_id: 7,
            version: "1".to_owned(),
            slots: 4,
            started_at: cx.now(),
            heartbeat_at: cx.now(),
            lease_until: cx.now() + TimeDelta::seconds(60),
        };
        let tx = app.store.begin().await.unwrap();
        storage::beat(tx.db(), &worker).await.unwrap();
        tx.commit().await.unwrap();
    };
    beat("lost").await;
    beat("well").await;
    app.clock.advance(TimeDelta::seconds(59));
    beat("well").await;
    let names = async || list().await.into_iter().map(|one| (one.name, one.alive)).collect::<Vec<_>>();
    let is = |name: &str, alive: bool| (name.to_owned(), alive);
    assert_eq!(names().await, [is("lost", true), is("well", true)]);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(names().await, [is("well", true), is("lost", false)]);
    let well = list().await.remove(0);
    assert_eq!(well.last_heartbeat_at - well.started_at, TimeDelta::seconds(59), "it began once");

    app.clock.advance(TimeDelta::hours(25));
    beat("well").await;
    let housekeeper = app.work("housekeeper");
    app.until(async || {
        let names = names().await;
        (names.contains(&is("housekeeper", true)) && !names.contains(&is("lost", false))).then_some(())
    })
    .await;
    housekeeper.stopped().await;
}
