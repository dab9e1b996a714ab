//! Two servers and two workers on one PostgreSQL: work is handed on, what one decides holds on the other, and nothing
//! depends on one of them being up.
//!
//! With `BARTIZAN_TEST_LONG=1` schedules are waited for as well, which fire at whole minutes.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;
#[path = "common/served.rs"]
mod served;
#[path = "common/sites.rs"]
mod sites;

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bartizan_test_support::TestDatabase;
use serde_json::{Value, json};
use served::{Client, PASSWORD, Sent, Served, wait_for, wait_longer_for};
use sites::SlowSites;

/// A worker, which ends with this.
struct Worker(Child);

impl Worker {
    fn on(data: &Path, database: &TestDatabase) -> Self {
        Self::with(data, database, &[])
    }

    /// The same with something in its environment.
    fn with(data: &Path, database: &TestDatabase, environment: &[(&str, &str)]) -> Self {
        let mut command = common::bartizan();
        command.envs(environment.iter().copied());
        command.env("DATABASE_URL", database.postgres_url().unwrap()).stderr(Stdio::null()).stdout(Stdio::null());
        Self(command.args(["worker", "--job-lease", "2", "--data-dir", data.to_str().unwrap()]).spawn().unwrap())
    }

    fn has(&self, job: &Value) -> bool {
        job["worker"].as_str().is_some_and(|worker| worker.contains(&format!(":{}:", self.0.id())))
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn ends_in_order(mut self) {
        common::interrupt(&self.0);
        assert_eq!(self.0.wait().unwrap().code(), Some(0), "a worker ends in order");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Ended already in the ordinary case.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(data: &Path, database: &TestDatabase) -> Served {
    Served::on(data, database.postgres_url(), &["--job-lease", "2"])
}

fn admin(data: &Path, database: &TestDatabase, arguments: &[&str]) -> String {
    let mut command = common::bartizan();
    command.env("DATABASE_URL", database.postgres_url().unwrap()).arg("admin").args(arguments);
    let output = command.args(["--data-dir", data.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", common::stdout(&output), common::stderr(&output));
    common::stdout(&output)
}

#[test]
fn a_killed_worker_hands_its_scan_on_within_the_lease() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let sites = SlowSites::answering_after(Duration::from_millis(150));
    let (one, two) = (serve(&data, &database), serve(&data, &database));
    let here = one.begin();
    let there = two.client(here.token.as_ref().unwrap());
    let mut workers = vec![Worker::on(&data, &database), Worker::on(&data, &database)];
    // Each process runs two scans at a time: with seven launched, every one of the four has to do.
    for _ in 0..7 {
        here.post("/api/scans", &sites.scan());
    }
    let (job, victim) = wait_for("a scan of a worker", || {
        let jobs = there.get("/api/jobs?kind=scan&status=running");
        let jobs = jobs["data"].as_array().unwrap().clone();
        jobs.into_iter().find_map(|job| workers.iter().position(|worker| worker.has(&job)).map(|index| (job, index)))
    });
    let processes = |alive: bool| -> BTreeSet<String> {
        let workers = there.all("/api/system/workers");
        workers.iter().filter(|one| one["alive"] == alive).map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    wait_for("two servers and two workers on the list", || (processes(true).len() == 4).then_some(()));
    workers.swap_remove(victim).kill();
    let path = format!("/api/jobs/{}", job["id"].as_str().unwrap());
    // The lease is 2 s, and every process looks once a second.
    let again = wait_longer_for("the job in other hands", Duration::from_secs(15), || {
        let now = there.get(&path);
        (now["attempts"].as_u64() > job["attempts"].as_u64()).then_some(now)
    });
    assert_ne!(again["worker"], job["worker"], "{again}");
    let lost = BTreeSet::from([job["worker"].as_str().unwrap().to_owned()]);
    wait_for("the loss on the list", || (processes(false) == lost).then_some(()));
    wait_longer_for("the end of every scan", Duration::from_secs(150), || {
        (here.get("/api/scans?status=running,pending")["total"] == 0).then_some(())
    });
    for scan in there.all("/api/scans") {
        assert_eq!(
            (&scan["status"], &scan["hosts_finished"]),
            (&json!("completed"), &json!(SlowSites::HOSTS)),
            "{scan}"
        );
    }
    let jobs = there.all("/api/jobs?kind=scan");
    assert!(jobs.iter().all(|job| job["status"] == "done"), "{jobs:?}");
    for worker in workers {
        worker.ends_in_order();
    }
    assert_eq!((processes(true).len(), processes(false)), (2, lost), "who ends in order leaves the list");
}

/// What makes a program see another time of day, `FAKETIME` aside.
fn false_clock() -> [(&'static str, String); 2] {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let library = folders
        .map(|folder| folder.unwrap().path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime (Debian package libfaketime) is installed");
    [("LD_PRELOAD", library.to_str().unwrap().to_owned()), ("DONT_FAKE_MONOTONIC", "1".to_owned())]
}

#[test]
fn machines_with_wrong_clocks_neither_steal_nor_lose_work() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let sites = SlowSites::answering_after(Duration::from_millis(150));
    let preload = false_clock();
    let [late, early] = ["-10m", "+10m"].map(|shift| {
        let preload = preload.iter().map(|(name, value)| (*name, value.as_str()));
        preload.chain([("FAKETIME", shift)]).collect::<Vec<_>>()
    });
    let server = Served::with(&data, database.postgres_url(), &["--job-lease", "2"], &late);
    let client = server.begin();
    let worker = Worker::with(&data, &database, &early);
    // Two for each process at a time, with leases that run out many times before they end.
    for _ in 0..6 {
        client.post("/api/scans", &sites.scan());
    }
    let jobs = wait_longer_for("the end of every scan", Duration::from_secs(150), || {
        let alive = client.all("/api/system/workers").iter().filter(|one| one["alive"] == true).count();
        assert!(alive <= 2);
        let jobs = client.all("/api/jobs?kind=scan");
        jobs.iter().all(|job| job["status"] == "done").then_some(jobs)
    });
    assert_eq!(jobs.len(), 6);
    assert!(jobs.iter().all(|job| job["attempts"] == 1), "{jobs:?}");
    let now = chrono::Utc::now();
    for job in &jobs {
        for time in ["created_at", "started_at", "finished_at"] {
            let at: chrono::DateTime<chrono::Utc> = job[time].as_str().unwrap().parse().unwrap();
            assert!((now - at).abs() < chrono::TimeDelta::minutes(5), "{time} is by the database's clock: {job}");
        }
    }
    let processes = client.all("/api/system/workers");
    assert_eq!(processes.iter().filter(|one| one["alive"] == true).count(), 2, "{processes:?}");

    // A worker that is lost hands its work on within the lease all the same, though its clock is ahead.
    for _ in 0..4 {
        client.post("/api/scans", &sites.scan());
    }
    let job = wait_for("a scan of the worker", || {
        client.all("/api/jobs?kind=scan&status=running").into_iter().find(|job| worker.has(job))
    });
    worker.kill();
    let path = format!("/api/jobs/{}", job["id"].as_str().unwrap());
    wait_longer_for("the job in other hands", Duration::from_secs(60), || {
        (client.get(&path)["attempts"].as_u64() > job["attempts"].as_u64()).then_some(())
    });
}

#[test]
fn what_one_server_decides_holds_on_the_other_at_once() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (one, two) = (serve(&data, &database), serve(&data, &database));
    let admin = one.begin();
    let user = json!({ "username": "ann", "email": "ann@example.com", "password": PASSWORD, "role": "analyst" });
    let user = admin.post("/api/users", &user);
    let ann = json!({ "username": "ann", "password": PASSWORD });
    let token = two.call("POST", "/api/auth/login", None, &ann).1["access_token"].as_str().unwrap().to_owned();
    let clients = [one.client(&token), two.client(&token)];
    let add = |client: &Client, number: u32| {
        let body = json!({ "target_value": format!("192.0.2.{number}") });
        client.send("POST", "/api/assets", &Sent::Json(&body), None).unwrap().0
    };
    assert_eq!([add(&clients[0], 1), add(&clients[1], 2)], [201; 2]);
    let member = format!("/api/members/{}", user["id"].as_str().unwrap());
    for (role, expected, from) in [("read_only", 403, 3), ("analyst", 201, 5)] {
        let body = json!({ "role": role });
        let (status, body) = admin.send("PATCH", &member, &Sent::Json(&body), None).unwrap();
        assert_eq!(status, 200, "{body}");
        assert_eq!([add(&clients[1], from), add(&clients[0], from + 1)], [expected; 2], "as {role}");
    }

    // Ended at the one, a session is over at the other; what is another session of the same person goes on.
    let other = one.call("POST", "/api/auth/login", None, &ann).1["access_token"].as_str().unwrap().to_owned();
    let sessions = clients[1].get("/api/auth/sessions");
    let current =
        sessions["data"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap().clone();
    let path = format!("/api/auth/sessions/{}", current["id"].as_str().unwrap());
    assert_eq!(one.client(&other).send("DELETE", &path, &Sent::Nothing, None).unwrap().0, 204);
    let me = |client: &Client| client.send("GET", "/api/auth/me", &Sent::Nothing, None).unwrap().0;
    assert_eq!([me(&clients[1]), me(&clients[0])], [401; 2]);
    assert_eq!([me(&two.client(&other)), me(&one.client(&other))], [200; 2]);
    let (status, _) = admin.send("PATCH", &member, &Sent::Json(&json!({ "is_active": false })), None).unwrap();
    assert_eq!(status, 200);
    assert_eq!([me(&two.client(&other)), me(&one.client(&other))], [401; 2]);
}

#[test]
fn a_worker_seals_what_no_server_is_left_to_seal() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data, &database);
    server.set_up();
    server.kill();
    // Puts itself on record and is gone before anybody seals it.
    admin(&data, &database, &["rotate-key"]);
    let sealed = |text: &str| !text.lines().any(|line| !line.contains(", 0 not sealed yet,"));
    let before = admin(&data, &database, &["verify-audit-log"]);
    assert!(!sealed(&before), "{before}");
    let workers = [Worker::on(&data, &database), Worker::on(&data, &database)];
    wait_for("a sealed log", || sealed(&admin(&data, &database, &["verify-audit-log"])).then_some(()));
    let text = admin(&data, &database, &["verify-audit-log"]);
    assert!(text.contains("Example: intact; ") && !text.contains("BROKEN"), "{text}");
    for worker in workers {
        worker.ends_in_order();
    }
}

#[test]
fn servers_count_sign_ins_together_in_redis() {
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let (data, socket) = (folder.path().join("data"), folder.path().join("redis.sock"));
    let redis = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(&socket)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn();
    let _redis = Worker(redis.expect("redis-server (Debian package redis-server) starts"));
    wait_for("Redis", || UnixStream::connect(&socket).ok());
    let url = format!("redis+unix://{}", socket.display());
    let start = || {
        let environment = [("REDIS_URL", url.as_str())];
        Served::with(&data, database.postgres_url(), &["--sign-ins-per-minute", "3"], &environment)
    };
    let servers = [start(), start()];
    assert_eq!(servers[0].call("GET", "/health", None, &Value::Null).1["redis"], "connected");
    let attempt = |server: &Served| {
        let nobody = json!({ "username": "nobody", "password": "wrong" });
        server.call("POST", "/api/auth/login", None, &nobody).0
    };
    let first = [attempt(&servers[0]), attempt(&servers[1]), attempt(&servers[0])];
    assert_eq!(first, [401; 3]);
    assert_eq!([attempt(&servers[1]), attempt(&servers[0])], [429; 2]);
}

#[test]
fn a_schedule_fires_once_on_two_servers_and_two_workers() {
    if std::env::var_os("BARTIZAN_TEST_LONG").is_none() {
        // In the ordinary run, `services` does this with a clock that needs no waiting.
        return;
    }
    let database = TestDatabase::postgres();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let sites = SlowSites::answering_after(Duration::from_millis(5));
    let (one, two) = (serve(&data, &database), serve(&data, &database));
    let workers = [Worker::on(&data, &database), Worker::on(&data, &database)];
    let client = one.begin();
    let mut paths = Vec::new();
    for number in 0..20 {
        let schedule =
            json!({ "name": format!("S{number}"), "cron": "* * * * *", "overlap": "allow", "scan": sites.scan() });
        let schedule = client.post("/api/schedules", &schedule);
        paths.push(format!("/api/schedules/{}/runs", schedule["id"].as_str().unwrap()));
    }
    let fired = |client: &Client, least: usize| {
        wait_longer_for("the minute", Duration::from_secs(200), || {
            let runs: Vec<Vec<Value>> = paths.iter().map(|path| client.all(path)).collect();
            runs.iter().all(|runs| runs.len() >= least).then_some(runs)
        })
    };
    let runs = fired(&client, 2);
    let once = |runs: &[Vec<Value>]| {
        for runs in runs {
            let instants: BTreeSet<String> = runs.iter().map(|run| run["fire_at"].to_string()).collect();
            assert_eq!(instants.len(), runs.len(), "{runs:?}");
            assert!(runs.iter().all(|run| run["outcome"] == "started" && run["scan_id"].is_i64()), "{runs:?}");
        }
    };
    once(&runs);
    // With both servers gone the workers go on, and seal what they put on record.
    let token = client.token.unwrap();
    let least = runs.iter().map(Vec::len).max().unwrap() + 1;
    one.kill();
    two.kill();
    let executed = |text: &str| text.lines().find(|line| line.starts_with("Example: ")).unwrap().to_owned();
    let position = |line: &str| line.split("; ").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap();
    let before = position(&executed(&admin(&data, &database, &["verify-audit-log"])));
    wait_longer_for("sealed fires of the workers", Duration::from_secs(150), || {
        let line = executed(&admin(&data, &database, &["verify-audit-log"]));
        (position(&line) >= before + 20 && line.contains("intact") && line.contains(", 0 not sealed yet")).then_some(())
    });
    let server = serve(&data, &database);
    once(&fired(&server.client(&token), least));
    let scans = wait_longer_for("the end of every scan", Duration::from_secs(200), || {
        let client = server.client(&token);
        (client.get("/api/scans?status=running,pending")["total"] == 0).then(|| client.all("/api/scans"))
    });
    let runs: usize = paths.iter().map(|path| server.client(&token).all(path).len()).sum();
    assert!(runs >= scans.len(), "{runs} runs, {} scans", scans.len());
    for worker in workers {
        worker.ends_in_order();
    }
}
