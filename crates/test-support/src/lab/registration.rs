//! RDAP and WHOIS servers of the lab. Debian has no such servers; both protocols are one question and one answer, so the
//! answers of real registries, with names changed, are served by a few lines each.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// A server of one question and one answer. Dropping it ends it.
#[derive(Debug)]
pub struct AnswerServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AnswerServer {
    fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away in the middle is no concern of the lab.
                let _ = stream.and_then(|stream| serve(stream, &answer));
            }
        });
        Self { address, stop, thread: Some(thread) }
    }

    /// WHOIS: the answer for each domain; anything else is not found.
    #[must_use]
    pub fn whois(answers: BTreeMap<String, String>) -> Self {
        Self::start(move |question| {
            let domain = question.trim().to_ascii_lowercase();
            answers.get(&domain).cloned().unwrap_or_else(|| format!("No match for \"{domain}\".\r\n"))
        })
    }

    /// HTTP: a JSON document for each path; anything else is 404.
    #[must_use]
    pub fn json(documents: BTreeMap<String, Value>) -> Self {
        Self::start(move |question| {
            let path = question.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match documents.get(path) {
                Some(document) => ("200 OK", document.to_string()),
                None => ("404 Not Found", json!({ "errorCode": 404 }).to_string()),
            };
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/rdap+json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for AnswerServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread out of accept.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, answer: &impl Fn(&str) -> String) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream);
    let mut question = String::new();
    reader.read_line(&mut question)?;
    // The rest of an HTTP request is read, so that closing does not reset the connection before the answer arrives.
    if question.contains(" HTTP/") {
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
    }
    reader.get_mut().write_all(answer(&question).as_bytes())
}

/// An RDAP server for `test` with these domain objects, and the bootstrap file that names it at `/dns.json`.
#[derive(Debug)]
pub struct RdapLab {
    server: AnswerServer,
    bootstrap: AnswerServer,
}

impl RdapLab {
    /// Serves `domains`, by name.
    #[must_use]
    pub fn start(domains: &BTreeMap<String, Value>) -> Self {
        let objects = domains.iter().map(|(name, object)| (format!("/rdap/domain/{name}"), object.clone()));
        let server = AnswerServer::json(objects.collect());
        let base = format!("http://{}/rdap/", server.address());
        let file = json!({ "version": "1.0", "services": [[["test"], [base]]] });
        let bootstrap = AnswerServer::json(BTreeMap::from([("/dns.json".to_owned(), file)]));
        Self { server, bootstrap }
    }

    /// URL of the bootstrap file.
    #[must_use]
    pub fn bootstrap_url(&self) -> String {
        format!("http://{}/dns.json", self.bootstrap.address())
    }

    /// Where the RDAP server listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// A domain object as a registry gives it, expiring at `expires` (RFC 3339) if the registry publishes that.
#[must_use]
pub fn rdap_domain(name: &str, expires: Option<&str>, statuses: &[&str]) -> Value {
    let mut events = vec![json!({ "eventAction": "registration", "eventDate": "2015-03-01T10:00:00Z" })];
    events.extend(expires.map(|date| json!({ "eventAction": "expiration", "eventDate": date })));
    json!({
        "rdapConformance": ["rdap_level_0"], "objectClassName": "domain", "ldhName": name.to_uppercase(), "status": statuses,
        "events": events, "secureDNS": { "delegationSigned": true },
        "nameservers": [{ "objectClassName": "nameserver", "ldhName": format!("NS1.{}", name.to_uppercase()) }],
        "entities": [{ "objectClassName": "entity", "handle": "9999", "roles": ["registrar"],
            "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Lab Registrar"]]] }],
    })
}
