//! Sites that take their time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// One port on every address of the loopback network, with a page that lacks every protection behind it. It answers
/// slowly, so that a scan takes its time.
pub struct SlowSites {
    port: u16,
}

impl SlowSites {
    pub fn answering_after(delay: Duration) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let begin = Instant::now();
                    while begin.elapsed() < delay {
                        std::thread::park_timeout(delay.saturating_sub(begin.elapsed()));
                    }
                    answer(&stream);
                });
            }
        });
        Self { port }
    }

    /// A scan of four of the addresses.
    pub fn scan(&self) -> Value {
        json!({ "targets": ["127.0.0.8/30"], "ports": self.port.to_string(), "scan_type": "custom",
            "timeout_seconds": 5, "concurrency": 4, "features": { "port_scan": true, "web_checks": true,
            "dns_checks": false, "whois_checks": false } })
    }

    /// Hosts of such a scan.
    pub const HOSTS: u64 = 4;
}

fn answer(mut stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    // A client that says something else than HTTP, or nothing, is left without an answer.
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    if line == "\r\n" {
        let page = "<html><p>Welcome</p></html>\n";
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
        // A client that was killed hears nothing.
        let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
    }
}
