//! A server as its clients see it.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::bartizan;

pub const PASSWORD: &str = "sherwood forest 1193";
/// How long something that certainly comes may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A running server, which ends with this.
pub struct Served {
    pub child: Child,
    pub address: String,
    log: Option<JoinHandle<String>>,
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
        Self::with(data, postgres, more, &[])
    }

    /// The same with something in its environment.
    pub fn with(data: &Path, postgres: Option<&str>, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = bartizan();
        command.envs(environment.iter().copied());
        if let Some(url) = postgres {
            command.env("DATABASE_URL", url);
        }
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()])
            .args(more)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, announced) = channel();
        // Read until the end, or a talkative server would wait for us.
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            loop {
                let from = log.len();
                if stderr.read_line(&mut log).unwrap_or(0) == 0 {
                    return log;
                }
                // Jobs that a process before left may be told of first.
                if let Some((address, _)) =
                    log[from..].split_once("serves http://").and_then(|(_, rest)| rest.split_once("/ui"))
                {
                    // Whoever started the server may have gone.
                    let _ = sender.send(address.to_owned());
                }
            }
        });
        match announced.recv_timeout(PATIENCE) {
            Ok(address) => Self { child, address, log: Some(log) },
            Err(_) => {
                child.kill().unwrap();
                panic!("no address in `{}`", log.join().unwrap())
            }
        }
    }

    /// SIGKILL: no handler runs and nothing is flushed.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What the server said on standard error until it ended.
    pub fn rest(&mut self) -> String {
        self.log.take().unwrap().join().unwrap()
    }

    /// Makes the first user.
    pub fn set_up(&self) {
        let setup = json!({ "username": "admin", "email": "admin@example.com", "password": PASSWORD,
            "organization_name": "Example", "allow_private": true });
        let (status, body) = self.call("POST", "/api/auth/setup", None, &setup);
        assert!(status < 300, "{status} {body}");
    }

    /// Makes the first user, and signs in.
    pub fn begin(&self) -> Client {
        self.set_up();
        self.client(&self.sign_in())
    }

    /// Whoever holds this token, at this server.
    pub fn client(&self, token: &str) -> Client {
        Client { address: self.address.clone(), token: Some(token.to_owned()) }
    }

    fn anyone(&self, token: Option<&str>) -> Client {
        Client { address: self.address.clone(), token: token.map(str::to_owned) }
    }

    /// The whole answer as text, headers included.
    pub fn text(&self, method: &str, path: &str, token: Option<&str>) -> String {
        self.anyone(token).exchange(method, path, &Sent::Nothing, None).unwrap()
    }

    pub fn call(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.anyone(token).send(method, path, &Sent::of(body), None).unwrap()
    }

    pub fn sign_in(&self) -> String {
        let (status, body) =
            self.call("POST", "/api/auth/login", None, &json!({ "username": "admin", "password": PASSWORD }));
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub fn wait_for_scan(&self, token: &str, status: &str) -> Value {
        let list = || self.call("GET", "/api/scans", Some(token), &Value::Null).1;
        wait_for("a scan in the state", || Some(list()["data"][0].clone()).filter(|scan| scan["status"] == status))
    }
}

/// A client of a server that may die.
#[derive(Clone)]
pub struct Client {
    pub address: String,
    pub token: Option<String>,
}

/// What a request carries.
pub enum Sent<'a> {
    Nothing,
    Json(&'a Value),
    /// A form with the one part `file`.
    File(&'a str),
}

impl<'a> Sent<'a> {
    pub fn of(body: &'a Value) -> Self {
        if body.is_null() { Self::Nothing } else { Self::Json(body) }
    }
}

impl Client {
    fn exchange(&self, method: &str, path: &str, sent: &Sent<'_>, key: Option<&str>) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (kind, body) = match sent {
            Sent::Nothing => ("application/json", String::new()),
            Sent::Json(body) => ("application/json", body.to_string()),
            Sent::File(text) => (
                "multipart/form-data; boundary=part",
                format!(
                    "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
                     Content-Type: text/csv\r\n\r\n{text}\r\n--part--\r\n"
                ),
            ),
        };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nConnection: close\r\n",
            self.address
        );
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        if let Some(key) = key {
            head.push_str(&format!("Idempotency-Key: {key}\r\n"));
        }
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The answer, if a whole one came.
    pub fn send(&self, method: &str, path: &str, sent: &Sent<'_>, key: Option<&str>) -> std::io::Result<(u16, Value)> {
        let answer = self.exchange(method, path, sent, key)?;
        let cut = || std::io::Error::from(ErrorKind::UnexpectedEof);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(cut)?;
        let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if length.is_some_and(|length| length != body.len()) || (length.is_none() && !body.ends_with("0\r\n\r\n")) {
            return if status == 204 { Ok((status, Value::Null)) } else { Err(cut()) };
        }
        // A body in chunks is framed by lengths of its own; the JSON is between the braces.
        let json = body.find(['{', '[']).and_then(|from| body.rfind(['}', ']']).map(|to| &body[from..=to]));
        Ok((status, json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null)))
    }

    /// Reads from a server that lives.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &Sent::Nothing, None).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Every row of a list.
    pub fn all(&self, path: &str) -> Vec<Value> {
        let and = if path.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        for page in 1.. {
            let list = self.get(&format!("{path}{and}page_size=500&page={page}"));
            rows.extend(list["data"].as_array().unwrap().iter().cloned());
            if rows.len() as u64 >= list["total"].as_u64().unwrap() {
                break;
            }
        }
        rows
    }

    /// Sends to a server that lives, and expects success.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send("POST", path, &Sent::of(body), None).unwrap();
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }
}

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    wait_longer_for(what, PATIENCE, ask)
}

/// Asks until there is an answer, for as long as this.
pub fn wait_longer_for<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begin.elapsed() < patience, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
