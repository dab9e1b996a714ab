//! A worker for the soak test: a process of its own that claims jobs with the product's runner and has one effect each.
//!
//! The effect of a job is a row under its number and one more in a sum, in one transaction that begins by making sure
//! that the job is still this worker's. Whoever is killed before has done nothing, whoever is killed after is told by the
//! row that it was done.

#![expect(clippy::unwrap_used, reason = "a worker that fails is to end loudly")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bartizan_domain::Clock;
use bartizan_domain::id::JobId;
use bartizan_jobs::{Control, Handler, Job, Outcome, Process, ProcessKind, Queue, Runner, Timing};
use bartizan_storage::Store;
use bartizan_storage::jobs::{Attempt, holds};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Now;

impl Clock for Now {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

struct Effect {
    store: Store,
    owner: String,
}

#[async_trait]
impl Handler for Effect {
    fn kind(&self) -> &'static str {
        "soak"
    }

    fn concurrency(&self) -> usize {
        12
    }

    async fn run(&self, job: &Job, _: &Control) -> Outcome {
        // The middle of the job, where most kills are to land.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let number = job.payload["number"].as_i64().unwrap();
        let tx = self.store.begin().await.unwrap();
        let attempt = Attempt { job: job.id, owner: &self.owner, number: job.attempts };
        if !holds(tx.db(), attempt).await.unwrap() {
            return Outcome::Released;
        }
        let text = format!(
            "WITH done AS (INSERT INTO soak_effects (number) VALUES ({number}) ON CONFLICT DO NOTHING RETURNING number)
             INSERT INTO soak_sum (amount) SELECT 1 FROM done"
        );
        tx.damage(&text).await.unwrap();
        tx.commit().await.unwrap();
        Outcome::Done
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let store = Store::postgres(&url).await.unwrap();
    let owner = format!("soak:{}", std::process::id());
    let new_id = Arc::new(|| JobId(Uuid::now_v7()));
    let timing = Timing { lease: Duration::from_secs(1), look_every: Duration::from_millis(200) };
    let effect = Effect { store: store.clone(), owner: owner.clone() };
    let process = Process {
        name: owner,
        kind: ProcessKind::Worker,
        host: "soak".to_owned(),
        id: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let runner = Runner::new(store, Queue::default(), Arc::new(Now), new_id, process);
    // Until it is killed.
    runner.handler(Arc::new(effect)).timing(timing).run(CancellationToken::new()).await.unwrap();
}
