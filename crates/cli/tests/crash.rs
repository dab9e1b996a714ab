//! Kill -9 at random moments while scans run, assets are imported and schedules are run: nothing that was acknowledged is
//! lost, nothing is done twice, the audit log stays whole, and scans end with the findings of an undisturbed run - with
//! its gaps as well.
//!
//! `BARTIZAN_TEST_LONG=1` kills fifty times on each database instead of four. The seed of the random moments is printed;
//! `BARTIZAN_TEST_SEED` repeats them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;
#[path = "common/served.rs"]
mod served;
#[path = "common/sites.rs"]
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bartizan_test_support::TestDatabase;
use serde_json::{Value, json};
use served::{Client, Sent, Served, wait_for, wait_longer_for};
use sites::SlowSites;

/// Assets of one import.
const IMPORTED: usize = 20;
/// Scans that wait or run at once; more would only make the end later.
const ABREAST: usize = 2;

/// Small, and the same for the same seed: xorshift64*.
struct Dice(u64);

impl Dice {
    #[allow(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
    fn new() -> Self {
        let given = std::env::var("BARTIZAN_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1;
        eprintln!("BARTIZAN_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

fn kills() -> u64 {
    if std::env::var_os("BARTIZAN_TEST_LONG").is_some() { 50 } else { 4 }
}

/// What the clients were told, and what they attempted.
#[derive(Default)]
struct Told {
    scans: BTreeSet<i64>,
    runs: BTreeSet<i64>,
    created: BTreeSet<String>,
    imported: BTreeSet<String>,
    /// Scan jobs that the server had at the moment of a kill: the kill, and which attempt it was.
    at_kills: Vec<(u64, String, u64)>,
}

/// Goes on until the server is gone; returns what it acknowledged.
fn load(
    client: Client,
    mut send: impl FnMut(&Client, u64) -> std::io::Result<String> + Send + 'static,
) -> JoinHandle<BTreeSet<String>> {
    std::thread::spawn(move || {
        let mut told = BTreeSet::new();
        for number in 0.. {
            // Scans are to come to their turn as well.
            std::thread::park_timeout(Duration::from_millis(30));
            match send(&client, number) {
                Ok(what) => told.insert(what),
                // The server was killed.
                Err(_) => break,
            };
        }
        told
    })
}

fn creating(client: Client, round: u64) -> JoinHandle<BTreeSet<String>> {
    load(client, move |client, number| {
        let value = format!("{number}.round-{round}.created.example");
        let (status, body) =
            client.send("POST", "/api/assets", &Sent::Json(&json!({ "target_value": value })), None)?;
        assert_eq!(status, 201, "{body}");
        Ok(value)
    })
}

fn importing(client: Client, round: u64) -> JoinHandle<BTreeSet<String>> {
    load(client, move |client, number| {
        let batch = format!("{number}.round-{round}.imported.example");
        let mut file = "target_type,target_value\n".to_owned();
        for row in 0..IMPORTED {
            file.push_str(&format!("domain,{row}.{batch}\n"));
        }
        let (status, body) = client.send("POST", "/api/assets/import", &Sent::File(&file), None)?;
        assert_eq!((status, body["created"].as_u64()), (200, Some(IMPORTED as u64)), "{body}");
        Ok(batch)
    })
}

fn findings(client: &Client, scan: i64) -> BTreeSet<String> {
    let document = client.get(&format!("/api/scans/{scan}/download"));
    let found = document["findings"].as_array().unwrap().iter();
    found.map(|one| format!("{} {} {}", one["check_id"], one["asset"], one["location"])).collect()
}

fn wait_for_end(client: &Client, scan: i64) -> Value {
    wait_longer_for(&format!("the end of scan {scan}"), Duration::from_secs(300), || {
        let body = client.get(&format!("/api/scans/{scan}"));
        matches!(body["status"].as_str(), Some("completed" | "failed" | "cancelled")).then_some(body)
    })
}

fn audit_log_is_intact(data: &Path, postgres: Option<&str>) {
    let mut command = common::bartizan();
    if let Some(url) = postgres {
        command.env("DATABASE_URL", url);
    }
    let output = command.args(["admin", "verify-audit-log", "--data-dir", data.to_str().unwrap()]).output().unwrap();
    let text = common::stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", common::stderr(&output));
    assert!(text.contains("Example: intact;"), "{text}");
}

fn storm(postgres: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let sites = SlowSites::answering_after(Duration::from_millis(15));
    let more = ["--job-lease", "1", "--writes-per-minute", "1000000"];
    let start = || Served::on(&data, postgres, &more);
    let mut dice = Dice::new();
    let mut told = Told::default();

    // The undisturbed run.
    let server = start();
    let client = server.begin();
    let token = client.token.clone().unwrap();
    let calm = client.post("/api/scans", &sites.scan())["id"].as_i64().unwrap();
    let begin = Instant::now();
    assert_eq!(wait_for_end(&client, calm)["status"], "completed");
    say(&format!("an undisturbed scan takes {:?}", begin.elapsed()));
    let expected = findings(&client, calm);
    assert!(expected.len() as u64 >= SlowSites::HOSTS, "every host has findings: {expected:?}");
    let schedule = json!({ "name": "Storm", "cron": "* * * * *", "overlap": "allow", "scan": sites.scan() });
    let schedule = client.post("/api/schedules", &schedule);
    let schedule = format!("/api/schedules/{}", schedule["id"].as_str().unwrap());
    server.kill();

    for round in 0..kills() {
        // The session goes on: its token is as good as before.
        let server = start();
        audit_log_is_intact(&data, postgres);
        let client = server.client(&token);
        let deadline = Instant::now() + Duration::from_millis(300 + dice.below(3200));
        let threads = (creating(client.clone(), round), importing(client.clone(), round));
        let mut launched = 0;
        loop {
            let active = client.get("/api/scans?status=running,pending")["total"].as_u64().unwrap();
            if active < ABREAST as u64 {
                launched += 1;
                if launched % 3 == 2 {
                    told.runs.extend(client.post(&format!("{schedule}/run"), &Value::Null)["scan_id"].as_i64());
                } else {
                    told.scans.extend(client.post("/api/scans", &sites.scan())["id"].as_i64());
                }
            }
            let ours = format!(":{}:", server.child.id());
            let jobs = client.get("/api/jobs?kind=scan&status=running");
            let held = jobs["data"].as_array().unwrap().iter();
            let held: Vec<(u64, String, u64)> = held
                .filter(|job| job["worker"].as_str().is_some_and(|worker| worker.contains(&ours)))
                .map(|job| (round, job["subject"].as_str().unwrap().to_owned(), job["attempts"].as_u64().unwrap()))
                .collect();
            if Instant::now() >= deadline {
                server.kill();
                told.at_kills.extend(held);
                break;
            }
        }
        told.created.extend(threads.0.join().unwrap());
        told.imported.extend(threads.1.join().unwrap());
    }

    let server = start();
    audit_log_is_intact(&data, postgres);
    let client = server.client(&token);
    let scans_ended = || (client.get("/api/scans?status=running,pending")["total"] == 0).then_some(());
    wait_longer_for("the end of every scan", Duration::from_secs(600), scans_ended);
    let scans = client.all("/api/scans");
    scans_are_whole(&client, &told, &scans, &expected);
    assets_are_as_told(&client, &told);
    runs_are_as_told(&client, &told, &schedule, &scans);
    drop(server);
    audit_log_is_intact(&data, postgres);
}

fn scans_are_whole(client: &Client, told: &Told, scans: &[Value], expected: &BTreeSet<String>) {
    let numbers: BTreeSet<i64> = scans.iter().map(|scan| scan["id"].as_i64().unwrap()).collect();
    for scan in told.scans.union(&told.runs) {
        assert!(numbers.contains(scan), "scan {scan} was acknowledged and is lost");
    }
    // One job for each scan, and none given up.
    let mut attempts: BTreeMap<String, u64> = BTreeMap::new();
    for job in client.all("/api/jobs?kind=scan") {
        assert_eq!(job["status"], "done", "{job}");
        let twice = attempts.insert(job["subject"].as_str().unwrap().to_owned(), job["attempts"].as_u64().unwrap());
        assert_eq!(twice, None, "{job}");
    }
    assert_eq!(attempts.len(), scans.len());
    // An attempt that was followed by another one was ended by the kill.
    let killed: Vec<&(u64, String, u64)> =
        told.at_kills.iter().filter(|(_, scan, attempt)| attempts[scan] > *attempt).collect();
    let rounds: BTreeSet<u64> = killed.iter().map(|(round, ..)| *round).collect();
    let enough = if kills() >= 50 { 20 } else { 1 };
    assert!(rounds.len() >= enough, "{} kills in the middle of a scan", rounds.len());

    let mut whole = BTreeSet::new();
    for scan in scans {
        let complete = scan["status"] == "completed" && scan["hosts_finished"] == SlowSites::HOSTS;
        let number = scan["id"].as_i64().unwrap();
        if complete && findings(client, number) == *expected {
            whole.insert(number.to_string());
        }
    }
    let victims: BTreeSet<&String> = killed.iter().map(|(_, scan, _)| scan).collect();
    let survived = victims.iter().filter(|scan| whole.contains(**scan)).count();
    say(&format!(
        "{} scans, {} of {} kills in the middle of one; of {} scans killed {survived} ended with the findings of an undisturbed run, of all {}",
        scans.len(),
        rounds.len(),
        kills(),
        victims.len(),
        whole.len()
    ));
    assert!(survived * 100 >= victims.len() * 80, "{survived} of {} killed scans are whole", victims.len());

    // A host that was committed is counted once, however often its scan was taken up.
    for finding in client.all("/api/findings") {
        let seen = finding["occurrences"].as_u64().unwrap() as usize;
        let all = scans.len();
        assert!(seen <= all && (whole.len() < all || seen == all), "seen by {seen} of {all} scans: {finding}");
    }
}

fn assets_are_as_told(client: &Client, told: &Told) {
    let mut created = BTreeSet::new();
    let mut imported: BTreeMap<String, usize> = BTreeMap::new();
    for asset in client.all("/api/assets") {
        let value = asset["target_value"].as_str().unwrap().to_owned();
        match value.split_once('.') {
            Some((_, batch)) if value.ends_with(".imported.example") => {
                *imported.entry(batch.to_owned()).or_default() += 1;
            }
            _ => assert!(created.insert(value), "twice: {asset}"),
        }
    }
    let lost: Vec<&String> = told.created.difference(&created).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let lost: Vec<&String> = told.imported.iter().filter(|batch| !imported.contains_key(*batch)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for (batch, rows) in &imported {
        assert_eq!(*rows, IMPORTED, "{batch} is there in part");
    }
    // What was changed and its entry in the audit log exist together or not at all.
    let entries = |action: &str| client.get(&format!("/api/audit?action={action}"))["total"].as_u64().unwrap();
    assert_eq!(entries("asset.create"), created.len() as u64);
    assert_eq!(entries("asset.import"), imported.len() as u64);
    say(&format!(
        "{} assets created of which {} were acknowledged, {} imports of which {}",
        created.len(),
        told.created.len(),
        imported.len(),
        told.imported.len()
    ));
}

fn runs_are_as_told(client: &Client, told: &Told, schedule: &str, scans: &[Value]) {
    let runs = client.all(&format!("{schedule}/runs"));
    let launched: Vec<i64> = runs.iter().filter_map(|run| run["scan_id"].as_i64()).collect();
    let distinct: BTreeSet<i64> = launched.iter().copied().collect();
    assert_eq!(distinct.len(), launched.len(), "a scan of its own for each run: {runs:?}");
    for run in &told.runs {
        assert!(distinct.contains(run), "the run with scan {run} is lost: {runs:?}");
    }
    let numbers: BTreeSet<i64> = scans.iter().map(|scan| scan["id"].as_i64().unwrap()).collect();
    assert!(distinct.is_subset(&numbers), "runs with scans that are not there: {runs:?}");
    let fired: Vec<String> =
        runs.iter().filter(|run| run["cause"] != "manual").map(|run| run["fire_at"].to_string()).collect();
    assert_eq!(fired.iter().collect::<BTreeSet<_>>().len(), fired.len(), "an instant fires once: {fired:?}");
    say(&format!("{} runs of the schedule, {} of them by the clock", runs.len(), fired.len()));
}

#[allow(clippy::print_stderr, reason = "the figures of a long run")]
fn say(text: &str) {
    eprintln!("{text}");
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

/// Hosts that end at once and leave gaps, before hosts that take their time.
fn with_gaps(sites: &SlowSites) -> Value {
    let mut scan = sites.scan();
    let slow = scan["targets"][0].clone();
    // A name that nobody resolves, and a port that nobody listens on.
    scan["targets"] = json!(["gone.example.com", "127.0.9.1:1", slow]);
    scan["concurrency"] = json!(2);
    scan["timeout_seconds"] = json!(2);
    scan
}

/// The native document without what differs from one scan to the next: its number and its times.
fn document(client: &Client, scan: i64) -> Value {
    let mut document = client.get(&format!("/api/scans/{scan}/download"));
    for differing in ["id", "started_at", "finished_at"] {
        assert!(!document["scan"][differing].is_null(), "{differing}");
        document["scan"][differing] = Value::Null;
    }
    document
}

fn gaps_survive(postgres: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let sites = SlowSites::answering_after(Duration::from_millis(60));
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap().to_string();
    let start = || Served::on(&data, postgres, &["--job-lease", "1", "--resolver", &resolver]);
    let server = start();
    let client = server.begin();
    let token = client.token.clone().unwrap();

    let calm = client.post("/api/scans", &with_gaps(&sites))["id"].as_i64().unwrap();
    let end = wait_for_end(&client, calm);
    assert_eq!((&end["status"], &end["partial"]), (&json!("completed"), &json!(true)));
    let expected = document(&client, calm);
    let reasons = expected["scan"]["partial_reasons"].to_string();
    assert!(reasons.contains("gone.example.com") && reasons.contains("127.0.9.1 port 1"), "{reasons}");
    assert_eq!(expected["hosts"].as_array().unwrap().len() as u64, SlowSites::HOSTS + 2);

    let killed = client.post("/api/scans", &with_gaps(&sites))["id"].as_i64().unwrap();
    let settled = wait_for("the hosts with gaps to be committed while others are not", || {
        assert_ne!(client.get(&format!("/api/scans/{killed}"))["status"], "completed", "it ended before the kill");
        let hosts = client.get(&format!("/api/scans/{killed}/results"));
        let hosts: BTreeSet<&str> =
            hosts["data"].as_array().unwrap().iter().filter_map(|host| host["asset"].as_str()).collect();
        (hosts.contains("gone.example.com") && hosts.contains("127.0.9.1")).then_some(hosts.len())
    });
    server.kill();
    assert!((settled as u64) < SlowSites::HOSTS + 2, "nothing was left to do");

    let server = start();
    let client = server.client(&token);
    let resumed = wait_for_end(&client, killed);
    for same in
        ["status", "partial", "partial_reasons", "score", "coverage", "outcomes", "hosts_finished", "hosts_total"]
    {
        assert_eq!(resumed[same], end[same], "{same}");
    }
    assert_eq!(document(&client, killed), expected);
    let jobs = client.all("/api/jobs?kind=scan");
    let subject = killed.to_string();
    let attempts = jobs.iter().find(|job| job["subject"] == *subject).unwrap()["attempts"].as_u64().unwrap();
    assert!(attempts > 1, "the kill ended no attempt");
}

#[test]
fn gaps_of_a_killed_scan_survive_on_sqlite() {
    gaps_survive(None);
}

#[test]
fn gaps_of_a_killed_scan_survive_on_postgresql() {
    let database = TestDatabase::postgres();
    gaps_survive(database.postgres_url());
}
