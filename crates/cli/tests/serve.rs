//! The server as one process: start, setup, a scan that survives a kill, an orderly end.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;
#[path = "common/served.rs"]
mod served;

use common::Peer;
use serde_json::{Value, json};
use served::{PASSWORD, Served};

#[test]
fn a_killed_server_takes_its_scan_up_again_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let silent = Peer::silent();
    let mut first = Served::start(&data, &[]);
    assert_eq!(first.call("GET", "/health", None, &Value::Null).1["status"], "ok");
    let setup = json!({ "username": "admin", "email": "admin@example.com", "password": PASSWORD,
        "organization_name": "Example", "allow_private": true });
    let (status, body) = first.call("POST", "/api/auth/setup", None, &setup);
    assert!(status < 300, "{status} {body}");
    let token = first.sign_in();
    let (status, body) =
        first.call("POST", "/api/scans", Some(&token), &json!({ "targets": [silent.target()], "timeout_seconds": 2 }));
    assert!(status < 300, "{status} {body}");
    silent.wait_for_a_connection();
    first.child.kill().unwrap();
    first.child.wait().unwrap();

    let mut second = Served::start(&data, &[]);
    let token = second.sign_in();
    let scan = second.wait_for_scan(&token, "completed");
    assert_eq!(scan["hosts_finished"], 1, "{scan}");
    common::interrupt(&second.child);
    assert_eq!(second.child.wait().unwrap().code(), Some(0));
    assert!(!data.join("bartizan.db-wal").exists(), "the database was closed");
}

#[test]
fn demo_data_waits_for_the_organisation_and_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&folder.path().join("data"), &["--demo"]);
    let setup = json!({ "username": "admin", "email": "admin@example.com", "password": PASSWORD,
        "organization_name": "Example", "allow_private": true });
    let (status, body) = served.call("POST", "/api/auth/setup", None, &setup);
    assert!(status < 300, "{status} {body}");
    let token = served.sign_in();
    let scan = served.wait_for_scan(&token, "completed");
    assert_eq!(scan["demo"], true, "{scan}");
}

#[test]
fn an_address_in_use_and_a_bad_data_folder_are_errors() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = taken.local_addr().unwrap().to_string();
    let output = common::run(&["serve", "--listen", &address, "--data-dir", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(common::stderr(&output).contains(&format!("cannot listen on {address}")), "{}", common::stderr(&output));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = common::run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(common::stderr(&output).contains("cannot use the data folder"), "{}", common::stderr(&output));
}

#[test]
fn the_audit_log_is_verified_beside_the_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let served = Served::start(&data, &[]);
    let body = json!({"username": "robin", "email": "robin@example.test", "password": "sherwood forest 1193",
        "organization_name": "Sherwood"});
    assert_eq!(served.call("POST", "/api/auth/setup", None, &body).0, 201);
    let begin = std::time::Instant::now();
    loop {
        let output = common::run(&["admin", "verify-audit-log", "--data-dir", data.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
        let text = common::stdout(&output);
        assert!(text.contains("Sherwood: intact;"), "{text}");
        // The server seals by itself, soon after the commit.
        if text.contains("1 sealed, 0 not sealed yet") {
            break;
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(60), "{text}");
    }
}

#[test]
fn a_key_is_rotated_beside_the_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let served = Served::start(&data, &[]);
    let ring = || std::fs::read_to_string(data.join("secret.key")).unwrap();
    let before = ring();
    let output = common::run(&["admin", "rotate-key", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    assert!(common::stdout(&output).contains("0 secrets sealed anew"), "{}", common::stdout(&output));
    let after = ring();
    assert_eq!(after.lines().count(), 2);
    assert_eq!(after.lines().nth(1), before.lines().next());
    assert!(!common::stdout(&output).contains(before.trim()));
    assert_eq!(served.call("GET", "/health", None, &Value::Null).1["status"], "ok");
}

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other, file) = (folder.path().join("data"), folder.path().join("other"), folder.path().join("b.db"));
    let (data, other, file) = (data.to_str().unwrap(), other.to_str().unwrap(), file.to_str().unwrap());
    let served = Served::start(data.as_ref(), &[]);
    served.set_up();
    let token = served.sign_in();
    let (status, _) = served.call("POST", "/api/assets", Some(&token), &json!({ "target_value": "192.0.2.7" }));
    assert_eq!(status, 201);
    let (status, made) = served.call("POST", "/api/api-keys", Some(&token), &json!({ "name": "robot" }));
    assert_eq!(status, 201, "{made}");
    let output = common::run(&["admin", "backup", file, "--data-dir", data]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let again = common::run(&["admin", "backup", file, "--data-dir", data]);
    assert!(common::stderr(&again).contains("never replaces"), "{}", common::stderr(&again));
    let busy = common::run(&["admin", "restore", file, "--replace", "--data-dir", data]);
    assert!(common::stderr(&busy).contains("in use by another server"), "{}", common::stderr(&busy));
    let second = common::run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data]);
    assert_eq!(second.status.code(), Some(2), "one server a folder");
    // Written after the backup, so not in it.
    let (status, _) = served.call("POST", "/api/assets", Some(&token), &json!({ "target_value": "192.0.2.8" }));
    assert_eq!(status, 201);

    let output = common::run(&["admin", "restore", file, "--data-dir", other]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    assert!(common::stdout(&output).contains("ended: 2 sessions, 1 API keys"), "{}", common::stdout(&output));
    let without_keys = common::run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", other]);
    assert_eq!(without_keys.status.code(), Some(2));
    assert!(common::stderr(&without_keys).contains("--accept-new-keys"), "{}", common::stderr(&without_keys));
    std::fs::copy(format!("{data}/secret.key"), format!("{other}/secret.key")).unwrap();
    std::fs::copy(format!("{data}/signing.key"), format!("{other}/signing.key")).unwrap();
    let restored = Served::start(other.as_ref(), &[]);
    // What was given before the backup may have been taken away after it: sessions (of setup and of the sign-in), keys.
    let (status, _) = restored.call("GET", "/api/auth/me", Some(&token), &Value::Null);
    assert_eq!(status, 401, "sessions of the backup are over");
    let token = restored.sign_in();
    let (_, assets) = restored.call("GET", "/api/assets", Some(&token), &Value::Null);
    assert_eq!((&assets["total"], &assets["data"][0]["target_value"]), (&json!(1), &json!("192.0.2.7")));
    drop(restored);
    let refused = common::run(&["admin", "restore", file, "--data-dir", other]);
    assert!(common::stderr(&refused).contains("--replace"), "{}", common::stderr(&refused));
    // What is replaced need not be readable, and nothing that was set aside is overwritten.
    let kept = |number: u32| std::path::Path::new(other).join(format!("bartizan.db.replaced-{number}"));
    for number in [1, 2] {
        std::fs::write(std::path::Path::new(other).join("bartizan.db"), "no database at all").unwrap();
        let output = common::run(&["admin", "restore", file, "--replace", "--data-dir", other]);
        assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
        assert_eq!(std::fs::read_to_string(kept(number)).unwrap(), "no database at all");
    }
    std::fs::write(file, "SQLite format 3\0 and then nothing of it").unwrap();
    let damaged = common::run(&["admin", "restore", file, "--replace", "--data-dir", other]);
    assert_eq!(damaged.status.code(), Some(2), "{}", common::stderr(&damaged));
    assert!(Served::start(other.as_ref(), &[]).sign_in().len() > 20, "what was there still is");
}

/// A server that is expected to end by itself.
fn serve_on(data: &std::path::Path, database: &bartizan_test_support::TestDatabase) -> std::process::Output {
    let mut command = common::bartizan();
    command.env("DATABASE_URL", database.postgres_url().unwrap());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()]).output().unwrap()
}

#[test]
fn a_backup_of_postgresql_is_restored() {
    use bartizan_test_support::TestDatabase;
    let (from, to) = (TestDatabase::postgres(), TestDatabase::postgres());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.dump");
    let file = file.to_str().unwrap();
    let data = folder.path().join("data");
    let served = Served::on(&data, from.postgres_url(), &[]);
    served.set_up();
    let admin = |arguments: &[&str], database: &TestDatabase| {
        let mut command = common::bartizan();
        command.env("DATABASE_URL", database.postgres_url().unwrap()).arg("admin").args(arguments);
        command.args(["--data-dir", data.to_str().unwrap()]).output().unwrap()
    };
    let output = admin(&["backup", file], &from);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let running = admin(&["restore", file, "--replace"], &from);
    assert!(common::stderr(&running).contains("servers or workers are running"), "{}", common::stderr(&running));
    let refused = admin(&["restore", file], &from);
    assert!(common::stderr(&refused).contains("--replace"), "{}", common::stderr(&refused));
    let output = admin(&["restore", file], &to);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let restored = Served::on(&folder.path().join("other"), to.postgres_url(), &["--accept-new-keys"]);
    assert!(restored.sign_in().len() > 20);
    // From now on those are the keys.
    let foreign = serve_on(&data, &to);
    assert_eq!(foreign.status.code(), Some(2));
    assert!(common::stderr(&foreign).contains("sealed with the key"), "{}", common::stderr(&foreign));
    std::fs::copy(folder.path().join("other/secret.key"), data.join("secret.key")).unwrap();
    let unsigned = serve_on(&data, &to);
    assert!(common::stderr(&unsigned).contains("sign with another key"), "{}", common::stderr(&unsigned));
    drop(restored);

    // What a later version added goes, though the backup knows nothing of it and it holds on to what the backup replaces.
    let psql = |sql: &str| {
        let url = to.postgres_url().unwrap();
        let mut command = std::process::Command::new("psql");
        let output = command.args(["--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql, url]).output().unwrap();
        assert!(output.status.success(), "{}", common::stderr(&output));
        common::stdout(&output).trim().to_owned()
    };
    psql(
        "CREATE TABLE of_later (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            organization_id UUID REFERENCES organizations (id));
        CREATE VIEW seen_later AS SELECT name FROM organizations;
        CREATE FUNCTION f_later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER t_later AFTER INSERT ON assets FOR EACH STATEMENT EXECUTE FUNCTION f_later();
        INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0);
        UPDATE organizations SET name = 'Changed'",
    );
    let cut = folder.path().join("cut.dump");
    let whole = std::fs::read(file).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - whole.len() / 4]).unwrap();
    let failed = admin(&["restore", cut.to_str().unwrap(), "--replace"], &to);
    assert_eq!(failed.status.code(), Some(2), "{}", common::stderr(&failed));
    assert_eq!(psql("SELECT name FROM seen_later"), "Changed", "half a backup changes nothing");
    let output = admin(&["restore", file, "--replace"], &to);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let left = "SELECT count(*) FROM pg_class WHERE relname IN ('of_later', 'seen_later')";
    assert_eq!(psql(left), "0");
    assert_eq!(psql("SELECT count(*) FROM pg_proc WHERE proname = 'f_later'"), "0");
    assert_eq!(psql("SELECT name FROM organizations"), "Example");
    assert!(Served::on(&folder.path().join("other"), to.postgres_url(), &["--accept-new-keys"]).sign_in().len() > 20);
}

#[test]
fn logs_are_json_with_request_ids_and_metrics_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--log-format", "json", "--log-level", "debug"];
    let mut served = Served::start(&folder.path().join("data"), &arguments);
    served.set_up();
    let token = served.sign_in();
    let (status, _) = served.call("GET", "/metrics", None, &Value::Null);
    assert_eq!(status, 401);
    let metrics = served.text("GET", "/metrics", Some(&token));
    for name in
        ["bartizan_build_info", "bartizan_jobs_queue_depth", "route=\"/api/auth/login\"", "bartizan_db_pool_in_use"]
    {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    common::interrupt(&served.child);
    let log = served.rest();
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line["message"].is_string()), "{line}");
    }
    let line = log.lines().find(|line| line.contains("/api/auth/login")).unwrap_or_else(|| panic!("{log}"));
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["request_id"].as_str().map(str::len), Some(36), "{line}");
    assert!(!log.contains(PASSWORD));
}

/// Runs `bartizan admin` with a line on its standard input.
fn admin_told(line: &str, arguments: &[&str]) -> std::process::Output {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut command = common::bartizan();
    command.arg("admin").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn who_runs_the_program_adds_users_and_sets_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    let output = common::run(&["admin", "migrate", "--data-dir", path]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let served = Served::start(&data, &[]);
    served.set_up();
    let who = ["create-user", "--username", "robin", "--email", "robin@example.test", "--role", "auditor"];
    let output = admin_told("sherwood forest 1193\n", &[&who[..], &["--data-dir", path]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    let sign_in = |password: &str| {
        let body = json!({ "username": "robin", "password": password });
        served.call("POST", "/api/auth/login", None, &body)
    };
    let (status, signed_in) = sign_in("sherwood forest 1193");
    assert_eq!((status, &signed_in["user"]["role"]), (200, &json!("auditor")));
    let weak = admin_told("password\n", &["reset-password", "robin", "--data-dir", path]);
    assert_eq!(weak.status.code(), Some(2), "{}", common::stdout(&weak));
    let token = signed_in["access_token"].as_str();
    assert_eq!(served.call("POST", "/api/api-keys", token, &json!({"name": "pipeline"})).0, 201);
    let keys = |password: &str| {
        let (status, signed_in) = sign_in(password);
        assert_eq!(status, 200, "{signed_in}");
        let token = signed_in["access_token"].as_str();
        served.call("GET", "/api/api-keys", token, &Value::Null).1["total"].clone()
    };
    let keeping = ["reset-password", "robin", "--keep-api-keys", "--data-dir", path];
    let output = admin_told("locksley manor 1160\n", &keeping);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    assert_eq!(keys("locksley manor 1160"), 1);
    let output = admin_told("nottingham castle 1068\n", &["reset-password", "robin", "--data-dir", path]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stderr(&output));
    assert_eq!(served.call("GET", "/api/auth/me", token, &Value::Null).0, 401, "sessions end");
    assert_eq!(sign_in("sherwood forest 1193").0, 401);
    assert_eq!(keys("nottingham castle 1068"), 0, "keys end");
    let token = served.sign_in();
    let (_, log) = served.call("GET", "/api/audit?action=user.", Some(&token), &Value::Null);
    let deeds: Vec<_> = log["data"].as_array().unwrap().iter().map(|entry| entry["actor_kind"].clone()).collect();
    assert_eq!(deeds, ["system", "system", "system"], "{log}");

    // A link noted down is looked for in every chain.
    let noted = format!("1:{}", "0".repeat(64));
    let output = common::run(&["admin", "verify-audit-log", "--expect", &noted, "--data-dir", path]);
    assert_eq!(output.status.code(), Some(1), "{}", common::stdout(&output));
    let verify = || common::stdout(&common::run(&["admin", "verify-audit-log", "--data-dir", path]));
    let head = served::wait_for("a sealed entry", || {
        verify().split("head ").nth(1)?.split_whitespace().next().filter(|head| head.contains(':')).map(str::to_owned)
    });
    let output = common::run(&["admin", "verify-audit-log", "--expect", &head, "--data-dir", path]);
    assert_eq!(output.status.code(), Some(0), "{}", common::stdout(&output));
}
