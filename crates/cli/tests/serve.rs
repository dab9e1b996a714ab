//! The server as one process: start, setup, a scan that survives a kill, an orderly end.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the helpers serve several test binaries")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use common::{Peer, bartizan};
use serde_json::{Value, json};

const PASSWORD: &str = "sherwood forest 1193";

struct Served {
    child: Child,
    address: String,
    _stderr: BufReader<ChildStderr>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already in the ordinary case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = bartizan()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
            .args(more)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut told = String::new();
        // Jobs that a process before left may be told of first.
        while !told.contains("http://") {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "no address in `{told}`");
        }
        let address = told.split("http://").nth(1).unwrap_or_default();
        let address = address.trim().trim_end_matches("/ui").to_owned();
        Self { child, address, _stderr: stderr }
    }

    fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{authorization}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = body.trim();
        // A body in chunks is framed by lengths of its own; the JSON is between the braces.
        let json = body.find(['{', '[']).and_then(|from| body.rfind(['}', ']']).map(|to| &body[from..=to]));
        (status, json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null))
    }

    fn sign_in(&self) -> String {
        let (status, body) =
            self.call("POST", "/api/auth/login", None, &json!({ "username": "admin", "password": PASSWORD }));
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn wait_for_scan(&self, token: &str, status: &str) -> Value {
        let begin = Instant::now();
        loop {
            let (_, scans) = self.call("GET", "/api/scans", Some(token), &Value::Null);
            if scans["data"][0]["status"] == status {
                return scans["data"][0].clone();
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "no scan became {status}: {scans}");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

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
