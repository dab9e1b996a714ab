//! The log level: one process is told, all of them follow.

use std::sync::{Arc, Mutex};

use bartizan_domain::ScanStatus;
use bartizan_services::log_level::{self, LogControl, LogLevel};
use bartizan_services::{ServicesConfig, scans};
use bartizan_test_support::{TestDatabase, on_both_databases};

use crate::support::App;

on_both_databases!(processes_that_run_follow_and_later_ones_do_not);

#[derive(Debug)]
struct Log(Mutex<LogLevel>);

impl LogControl for Log {
    fn level(&self) -> LogLevel {
        *self.0.lock().unwrap()
    }

    fn set_level(&self, level: LogLevel) {
        *self.0.lock().unwrap() = level;
    }
}

async fn process(database: &TestDatabase, seed: u64) -> (App, Arc<Log>) {
    let log = Arc::new(Log(Mutex::new(LogLevel::Info)));
    let config = ServicesConfig { log: Some(Arc::clone(&log) as _), ..ServicesConfig::default() };
    (App::with(database, config, seed).await, log)
}

async fn processes_that_run_follow_and_later_ones_do_not(database: &TestDatabase) {
    let (server, own) = process(database, 0).await;
    let (worker, other) = process(database, 1_000).await;
    let admin = server.admin().await;
    let running = worker.work("worker");
    log_level::set(&admin, &server.services, LogLevel::Debug).await.unwrap();
    assert_eq!(own.level(), LogLevel::Debug);
    worker.until(async || (other.level() == LogLevel::Debug).then_some(())).await;
    log_level::set(&admin, &server.services, LogLevel::Error).await.unwrap();
    worker.until(async || (other.level() == LogLevel::Error).then_some(())).await;

    running.stopped().await;

    let (late, its_own) = process(database, 2_000).await;
    late.clock.advance(chrono::TimeDelta::seconds(1));
    let begun_later = late.work("late");
    // Who works has looked at what is set before.
    let scan = server.scan(&admin, &["a.example.com"]).await;
    let ended = async || scans::get(&admin, &server.services, scan).await.unwrap().scan.status == ScanStatus::Completed;
    late.until(async || ended().await.then_some(())).await;
    assert_eq!(its_own.level(), LogLevel::Info);
    begun_later.stopped().await;
}
