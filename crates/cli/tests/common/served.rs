//! A server as its clients see it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::bartizan;

pub const PASSWORD: &str = "sherwood forest 1193";

/// A running server, which ends with this.
pub struct Served {
    pub child: Child,
    pub address: String,
    stderr: BufReader<ChildStderr>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already in the ordinary case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// On SQLite.
    pub fn start(data: &Path, more: &[&str]) -> Self {
        Self::on(data, None, more)
    }

    /// On SQLite, or on PostgreSQL.
    pub fn on(data: &Path, postgres: Option<&str>, more: &[&str]) -> Self {
        let mut command = bartizan();
        if let Some(url) = postgres {
            command.env("DATABASE_URL", url);
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
            .args(more)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("no address in `{line}`"));
        let address = address.trim().trim_end_matches("/ui").to_owned();
        Self { child, address, stderr }
    }

    fn exchange(&self, method: &str, path: &str, token: Option<&str>, body: &Value, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{authorization}{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The whole answer as text, headers included.
    pub fn text(&self, method: &str, path: &str, token: Option<&str>) -> String {
        self.exchange(method, path, token, &Value::Null, "")
    }

    /// What the server says on standard error until it ends.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Makes the first user.
    pub fn set_up(&self) {
        let setup = json!({ "username": "admin", "email": "admin@example.com", "password": PASSWORD,
            "organization_name": "Example", "allow_private": true });
        let (status, body) = self.call("POST", "/api/auth/setup", None, &setup);
        assert!(status < 300, "{status} {body}");
    }

    pub fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.call_with(method, path, token, body, "")
    }

    pub fn call_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
        headers: &str,
    ) -> (u16, Value) {
        let answer = self.exchange(method, path, token, body, headers);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = body.trim();
        // A body in chunks is framed by lengths of its own; the JSON is between the braces.
        let json = body.find(['{', '[']).and_then(|from| body.rfind(['}', ']']).map(|to| &body[from..=to]));
        (status, json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null))
    }

    pub fn sign_in(&self) -> String {
        let (status, body) =
            self.call("POST", "/api/auth/login", None, &json!({ "username": "admin", "password": PASSWORD }));
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub fn wait_for_scan(&self, token: &str, status: &str) -> Value {
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
