//! Twenty thousand short jobs through two workers that are killed again and again: each has its effect exactly once, and
//! nobody's memory grows.
//!
//! An ordinary run does two thousand; `BARTIZAN_TEST_LONG=1` does all.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bartizan_domain::id::JobId;
use bartizan_jobs::{NewJob, enqueue};
use bartizan_storage::Store;
use bartizan_test_support::TestDatabase;
use chrono::Utc;
use serde_json::json;
use uuid::Uuid;

/// Jobs added in one transaction.
const BATCH: u64 = 250;
/// More are added while fewer wait: there is always work, and the queue stays short.
const WAITING: u64 = 750;
/// Share of the jobs that are to be killed in their middle, in percent.
const KILLED: u64 = 5;
/// More resident memory than this, in MiB, no worker may have.
const MEMORY: u64 = 120;
/// More than this, in MiB, a worker may not grow after its begin.
const GROWTH: u64 = 30;

struct Worker {
    child: Child,
    /// Resident memory once it had worked for a while.
    first: Option<u64>,
    begun: Instant,
}

impl Worker {
    fn start(url: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_soak-worker"));
        let child = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, first: None, begun: Instant::now() }
    }

    /// Resident memory, and how much it grew, in MiB.
    fn memory(&mut self) -> (u64, u64) {
        assert_eq!(self.child.try_wait().unwrap(), None, "a worker ended by itself");
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let now = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024;
        if self.begun.elapsed() > Duration::from_secs(1) {
            self.first.get_or_insert(now);
        }
        (now, self.first.map_or(0, |first| now.saturating_sub(first)))
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Killed already in the ordinary case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn number(store: &Store, sql: &str) -> u64 {
    u64::try_from(store.number(sql).await.unwrap()).unwrap()
}

async fn jobs(store: &Store, which: &str) -> u64 {
    number(store, &format!("SELECT count(*) FROM jobs WHERE kind = 'soak' AND {which}")).await
}

/// Adds the jobs with these numbers, all or none. Says which comes next.
async fn add(store: &Store, numbers: Range<u64>) -> u64 {
    let tx = store.begin().await.unwrap();
    for number in numbers.clone() {
        let new = NewJob { max_attempts: 1_000, ..NewJob::new("soak", json!({ "number": number })) };
        assert!(enqueue(tx.db(), JobId(Uuid::now_v7()), new, Utc::now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    numbers.end
}

#[tokio::test(flavor = "multi_thread")]
async fn every_job_has_its_effect_exactly_once() {
    let all: u64 = if std::env::var_os("BARTIZAN_TEST_LONG").is_some() { 20_000 } else { 2_000 };
    let database = TestDatabase::postgres();
    let url = database.postgres_url().unwrap();
    let store = Store::postgres(url).await.unwrap();
    store.damage("CREATE TABLE soak_effects (number BIGINT PRIMARY KEY)").await.unwrap();
    store.damage("CREATE TABLE soak_sum (amount BIGINT NOT NULL)").await.unwrap();
    let begin = Instant::now();
    let mut workers = [Worker::start(url), Worker::start(url)];
    let (mut kills, mut most, mut growth) = (0_usize, 0, 0);
    let mut enqueued = 0;
    let (interrupted, done) = loop {
        if enqueued < all && jobs(&store, "status = 'queued'").await < WAITING {
            enqueued = add(&store, enqueued..all.min(enqueued + BATCH)).await;
        }
        let interrupted = jobs(&store, "attempts > 1").await;
        let done = jobs(&store, "status = 'done'").await;
        for worker in &mut workers {
            let (now, grown) = worker.memory();
            (most, growth) = (most.max(now), growth.max(grown));
        }
        if done == all {
            break (interrupted, done);
        }
        // Both, when it is time: one that works on alone would have done everything before enough were killed.
        for worker in &mut workers {
            let held = format!("status = 'running' AND owner = 'soak:{}'", worker.child.id());
            if interrupted * 100 < enqueued * KILLED && jobs(&store, &held).await >= 6 {
                worker.kill();
                *worker = Worker::start(url);
                kills += 1;
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(1_200), "{done} of {all} jobs are done");
        tokio::time::sleep(Duration::from_millis(30)).await;
    };
    say(&format!(
        "{done} jobs in {:?}; {kills} kills, {interrupted} jobs killed in their middle; {most} MiB at most, {growth} MiB of growth",
        begin.elapsed()
    ));
    assert!(interrupted * 100 >= all * KILLED, "{interrupted} jobs were killed in their middle");
    assert_eq!(number(&store, "SELECT count(*) FROM soak_effects").await, all);
    assert_eq!(number(&store, "SELECT COALESCE(sum(amount), 0)::bigint FROM soak_sum").await, all, "done once each");
    assert_eq!(jobs(&store, "status <> 'done'").await, 0);
    assert!(most <= MEMORY, "a worker took {most} MiB");
    assert!(growth <= GROWTH, "a worker grew by {growth} MiB");
}

#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn say(text: &str) {
    eprintln!("{text}");
}
