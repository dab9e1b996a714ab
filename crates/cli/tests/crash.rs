//! Kill -9 at random moments while scans run, assets are imported and schedules are run: nothing that was acknowledged is
//! lost, nothing is done twice, and scans end with the findings of an undisturbed run.
//!
//! `BARTIZAN_TEST_LONG=1` kills fifty times on each database instead of four. The seed of the random moments is printed;
//! `BARTIZAN_TEST_SEED` repeats them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;
#[path = "common/served.rs"]
mod served;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use bartizan_test_support::TestDatabase;
use serde_json::{Value, json};
use served::Served;

/// Every address of the loopback network has this port open, and nobody says anything there: each host takes its time.
struct Silence {
    port: u16,
}

impl Silence {
    fn new() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut kept = std::collections::VecDeque::new();
            for stream in listener.incoming().flatten() {
                kept.push_back(stream);
                if kept.len() > 400 {
                    kept.pop_front();
                }
            }
        });
        Self { port }
    }

    fn scan(&self) -> Value {
        json!({ "targets": ["127.0.0.8/29"], "ports": self.port.to_string(), "scan_type": "custom", "timeout_seconds": 1,
            "concurrency": 4, "features": { "port_scan": true, "web_checks": true, "dns_checks": false,
            "whois_checks": false } })
    }
}

/// Small, and the same for the same seed: xorshift64*.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = std::env::var("BARTIZAN_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let clock = || u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let seed = seed.unwrap_or_else(clock) | 1;
        // Shown when the test fails.
        eprintln_seed(seed);
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

#[allow(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
fn eprintln_seed(seed: u64) {
    eprintln!("BARTIZAN_TEST_SEED={seed}");
}

/// What the clients were told.
#[derive(Default)]
struct Acknowledged {
    scans: BTreeSet<i64>,
    assets: BTreeSet<String>,
    runs: BTreeSet<i64>,
    killed_in_scan: usize,
}

fn findings(server: &Served, token: &str, scan: i64) -> BTreeSet<String> {
    let (status, document) = server.call("GET", &format!("/api/scans/{scan}/download"), Some(token), &Value::Null);
    assert_eq!(status, 200, "{document}");
    let mut found = BTreeSet::new();
    for finding in document["findings"].as_array().unwrap() {
        found.insert(format!("{} {} {}", finding["check_id"], finding["asset"], finding["location"]));
    }
    found
}

fn wait_for_end(server: &Served, token: &str, scan: i64) -> Value {
    let begin = Instant::now();
    loop {
        let (status, body) = server.call("GET", &format!("/api/scans/{scan}"), Some(token), &Value::Null);
        assert_eq!(status, 200, "scan {scan} was acknowledged: {body}");
        if matches!(body["status"].as_str(), Some("completed" | "failed" | "cancelled")) {
            return body;
        }
        assert!(begin.elapsed() < Duration::from_secs(240), "scan {scan} does not end: {body}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

fn kills() -> u64 {
    if std::env::var_os("BARTIZAN_TEST_LONG").is_some() { 50 } else { 4 }
}

fn storm(postgres: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let silence = Silence::new();
    let more = ["--job-lease", "2", "--writes-per-minute", "100000", "--sign-ins-per-minute", "100000"];
    let start = || Served::on(&data, postgres, &more);
    let mut dice = Dice::new();
    let mut told = Acknowledged::default();

    // The undisturbed run.
    let server = start();
    server.set_up();
    let token = server.sign_in();
    let (status, body) = server.call("POST", "/api/scans", Some(&token), &silence.scan());
    assert_eq!(status, 202, "{body}");
    let calm = body["id"].as_i64().unwrap();
    assert_eq!(wait_for_end(&server, &token, calm)["status"], "completed");
    let expected = findings(&server, &token, calm);
    let schedule = json!({ "name": "Storm", "cron": "* * * * *", "overlap": "allow", "scan": silence.scan() });
    let (status, schedule) = server.call("POST", "/api/schedules", Some(&token), &schedule);
    assert_eq!(status, 201, "{schedule}");
    let schedule = format!("/api/schedules/{}", schedule["id"].as_str().unwrap());
    drop(server);

    for round in 0..kills() {
        let mut server = start();
        let token = server.sign_in();
        let deadline = Instant::now() + Duration::from_millis(400 + dice.below(2600));
        let mut last = None;
        let mut number = 0;
        while Instant::now() < deadline {
            let key = format!("Idempotency-Key: storm-{round}-{number}\r\n");
            if number == 0 {
                let (status, body) = server.call_with("POST", "/api/scans", Some(&token), &silence.scan(), &key);
                assert_eq!(status, 202, "{body}");
                last = body["id"].as_i64();
                told.scans.extend(last);
            } else if number == 3 {
                let (status, body) =
                    server.call_with("POST", &format!("{schedule}/run"), Some(&token), &Value::Null, &key);
                assert_eq!(status, 202, "{body}");
                told.runs.extend(body["scan_id"].as_i64());
            } else {
                let target = format!("198.51.{}.{}", round % 250, number % 250);
                let body = json!({ "target_value": target });
                let (status, body) = server.call_with("POST", "/api/assets", Some(&token), &body, &key);
                assert!(status == 201 || status == 409, "{status} {body}");
                told.assets.insert(target);
            }
            number += 1;
        }
        if let Some(scan) = last {
            let (_, body) = server.call("GET", &format!("/api/scans/{scan}"), Some(&token), &Value::Null);
            told.killed_in_scan += usize::from(body["status"] == "running");
        }
        // SIGKILL: no handler runs, nothing is flushed.
        server.child.kill().unwrap();
        server.child.wait().unwrap();
    }

    let server = start();
    let token = server.sign_in();
    let mut whole = 0;
    for scan in told.scans.union(&told.runs) {
        let body = wait_for_end(&server, &token, *scan);
        let complete = body["status"] == "completed" && body["hosts_finished"] == body["hosts_total"];
        whole += usize::from(complete && findings(&server, &token, *scan) == expected);
    }
    let all = told.scans.len() + told.runs.len();
    assert!(whole * 100 >= all * 80, "{whole} of {all} scans completed with the findings of the undisturbed one");
    let enough = if kills() >= 50 { 20 } else { 1 };
    assert!(told.killed_in_scan >= enough, "{} kills in the middle of a scan", told.killed_in_scan);

    let mut stored = BTreeSet::new();
    for page in 1.. {
        let (_, list) =
            server.call("GET", &format!("/api/assets?page_size=500&page={page}"), Some(&token), &Value::Null);
        let rows = list["data"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        for row in rows {
            assert!(stored.insert(row["target_value"].as_str().unwrap().to_owned()), "twice: {row}");
        }
    }
    let lost: Vec<&String> = told.assets.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");

    // Each run of the schedule is in its history once, and launched a scan of its own.
    let (_, runs) = server.call("GET", &format!("{schedule}/runs?page_size=500"), Some(&token), &Value::Null);
    let runs = runs["data"].as_array().unwrap();
    let launched: Vec<i64> = runs.iter().filter_map(|run| run["scan_id"].as_i64()).collect();
    assert_eq!(launched.iter().collect::<BTreeSet<_>>().len(), launched.len());
    for run in &told.runs {
        assert!(launched.contains(run), "run with scan {run} is lost: {runs:?}");
    }
    let fired: Vec<&Value> = runs.iter().filter(|run| run["cause"] != "manual").map(|run| &run["fire_at"]).collect();
    assert_eq!(fired.iter().map(|at| at.to_string()).collect::<BTreeSet<_>>().len(), fired.len(), "{fired:?}");
    let (_, failed) = server.call("GET", "/api/jobs?status=failed", Some(&token), &Value::Null);
    assert_eq!(failed["total"], 0, "{failed}");
}

#[test]
fn kills_lose_nothing_on_sqlite() {
    storm(None);
}

#[test]
fn kills_lose_nothing_on_postgresql() {
    let database = TestDatabase::postgres();
    storm(database.postgres_url());
}

#[test]
fn a_killed_worker_hands_its_scan_to_another_process() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let silence = Silence::new();
    let server = Served::on(&data, database.postgres_url(), &["--job-lease", "2"]);
    let second = Served::on(&data, database.postgres_url(), &["--job-lease", "2"]);
    server.set_up();
    let token = server.sign_in();
    let mut workers: Vec<std::process::Child> = (0..2)
        .map(|_| {
            let mut command = common::bartizan();
            command.env("DATABASE_URL", database.postgres_url().unwrap()).stderr(std::process::Stdio::null());
            command.args(["worker", "--job-lease", "2", "--data-dir", data.to_str().unwrap()]).spawn().unwrap()
        })
        .collect();
    // Scans until one is run by a worker: servers work as well.
    let begin = Instant::now();
    let (scan, victim) = loop {
        let (status, body) = server.call("POST", "/api/scans", Some(&token), &silence.scan());
        assert_eq!(status, 202, "{body}");
        let scan = body["id"].as_i64().unwrap();
        let path = "/api/jobs?kind=scan&status=running&page_size=50";
        let (_, jobs) = second.call("GET", path, Some(&token), &Value::Null);
        let taken = jobs["data"].as_array().unwrap().iter().find_map(|job| {
            let owner = job["worker"].as_str()?.split(':').nth(1)?.parse::<u32>().ok()?;
            let index = workers.iter().position(|worker| worker.id() == owner)?;
            Some((job["subject"].as_str()?.parse::<i64>().ok()?, index))
        });
        if let Some(taken) = taken {
            break taken;
        }
        assert!(scan > 0 && begin.elapsed() < Duration::from_secs(60), "no worker took a scan: {jobs}");
        std::thread::park_timeout(Duration::from_millis(100));
    };
    workers[victim].kill().unwrap();
    workers[victim].wait().unwrap();
    let ended = wait_for_end(&second, &token, scan);
    assert_eq!((&ended["status"], &ended["hosts_finished"]), (&json!("completed"), &ended["hosts_total"]), "{ended}");
    let (_, jobs) = server.call("GET", "/api/jobs?kind=scan&page_size=100", Some(&token), &Value::Null);
    let job = jobs["data"].as_array().unwrap().iter().find(|job| job["subject"] == scan.to_string()).unwrap();
    assert_eq!((&job["status"], &job["attempts"]), (&json!("done"), &json!(2)), "{job}");
    for mut worker in workers {
        common::interrupt(&worker);
        // The killed one is gone already.
        let _ = worker.wait();
    }
}
