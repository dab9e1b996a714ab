//! Stand-ins for servers that neither Debian nor PyPI nor npm can serve: Elasticsearch and MongoDB.
//!
//! They answer the requests that the probes make with the bytes that the real servers document, and close the
//! connection on anything else. They prove that the probes read those answers rightly; they do not prove that a server
//! sends them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Server;
use super::data::Access;

/// A thread that serves until it is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) const fn new(address: SocketAddr, stop: Arc<AtomicBool>, thread: JoinHandle<()>) -> Self {
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from its wait for a connection.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A server that answers each chunk it reads with what `answer` makes of it; `None` closes the connection.
pub fn serve(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let answer = Arc::new(answer);
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let (Ok(stream), answer) = (stream, Arc::clone(&answer)) else { continue };
            // A connection ends with its client or after this time, so no thread outlives the test for long.
            std::thread::spawn(move || talk(stream, answer.as_ref()));
        }
    });
    Server { address, processes: Vec::new(), stub: Some(Running::new(address, stop, thread)), dir: None }
}

fn talk(mut stream: TcpStream, answer: &(dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync)) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut buffer = [0_u8; 8192];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        match answer(&buffer[..count]) {
            Some(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            None => return,
        }
    }
}

/// A server that speaks first, and says nothing more.
///
/// # Panics
/// If it cannot listen.
#[must_use]
pub fn greet(greeting: Vec<u8>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let greeting = Arc::new(greeting);
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let (Ok(mut stream), greeting) = (stream, Arc::clone(&greeting)) else { continue };
            std::thread::spawn(move || {
                if stream.write_all(&greeting).is_ok() {
                    talk(stream, &|_| Some(Vec::new()));
                }
            });
        }
    });
    Server { address, processes: Vec::new(), stub: Some(Running::new(address, stop, thread)), dir: None }
}

/// A port that accepts and says nothing, whatever it is sent.
#[must_use]
pub fn silent() -> Server {
    serve(|_| Some(Vec::new()))
}

/// A port that sends back what it is sent.
#[must_use]
pub fn echo() -> Server {
    serve(|bytes| Some(bytes.to_vec()))
}

/// Elasticsearch 8, by its REST reference ("Root API", "cat indices", security error responses).
#[must_use]
pub fn elasticsearch(access: Access) -> Server {
    serve(move |request| {
        let line = request.split(|byte| *byte == b'\r').next()?;
        let text = std::str::from_utf8(line).ok()?;
        let path = text.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let (status, body) = match (access, path) {
            (Access::Password, _) => (
                "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"security\" charset=\"UTF-8\"",
                r#"{"error":{"root_cause":[{"type":"security_exception","reason":"missing authentication credentials for REST request [/]"}],"type":"security_exception","reason":"missing authentication credentials for REST request [/]"},"status":401}"#,
            ),
            (Access::Open, "/") => (
                "200 OK",
                r#"{"name":"node-1","cluster_name":"elasticsearch","cluster_uuid":"x","version":{"number":"8.15.3","build_flavor":"default"},"tagline":"You Know, for Search"}"#,
            ),
            (Access::Open, "/_cat/indices?format=json&h=index") => {
                ("200 OK", r#"[{"index":"customers"},{"index":"orders"}]"#)
            }
            (Access::Open, _) => ("404 Not Found", r#"{"error":"no handler found"}"#),
        };
        Some(
            format!(
                "HTTP/1.1 {status}\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    })
}

/// MongoDB 7, by its wire protocol reference (`OP_QUERY`, `OP_REPLY`, `OP_MSG`).
#[must_use]
pub fn mongodb(access: Access) -> Server {
    serve(move |request| {
        let number = |at: usize| Some(u32::from_le_bytes(request.get(at..at + 4)?.try_into().ok()?));
        let (id, operation) = (number(4)?, number(12)?);
        let has = |name: &str| request.windows(name.len()).any(|part| part == name.as_bytes());
        let document = if has("isMaster") {
            bson(&[("ismaster", &[8, 1]), ("maxWireVersion", &[0x10, 21, 0, 0, 0]), OK])
        } else if has("buildInfo") {
            bson(&[("version", b"\x02\x07\0\0\x007.0.14\0"), ("gitVersion", b"\x02\x05\0\0\0ce59\0"), OK])
        } else if has("listDatabases") && access == Access::Open {
            let one = bson(&[("name", b"\x02\x06\0\0\0admin\0")]);
            let list = bson(&[("0", &[&[3], &one[..]].concat()), ("1", &[&[3], &one[..]].concat())]);
            bson(&[("databases", &[&[4], &list[..]].concat()), OK])
        } else if has("listDatabases") {
            bson(&[
                ("ok", &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
                ("errmsg", b"\x02\x32\0\0\0Command listDatabases requires authentication....\0"),
                ("code", &[0x10, 13, 0, 0, 0]),
            ])
        } else {
            return None;
        };
        let (operation, mut body): (u32, Vec<u8>) = match operation {
            2004 => (1, vec![8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
            2013 => (2013, vec![0; 5]),
            _ => return None,
        };
        body.extend(document);
        let mut reply = Vec::new();
        for field in [u32::try_from(16 + body.len()).ok()?, 1, id, operation] {
            reply.extend_from_slice(&field.to_le_bytes());
        }
        reply.extend(body);
        Some(reply)
    })
}

const OK: (&str, &[u8]) = ("ok", &[1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);

/// A BSON document; each value is its type byte and its bytes.
fn bson(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let Some((kind, bytes)) = value.split_first() else { continue };
        body.push(*kind);
        body.extend_from_slice(name.as_bytes());
        body.push(0);
        body.extend_from_slice(bytes);
    }
    body.push(0);
    let mut out = u32::try_from(body.len() + 4).unwrap().to_le_bytes().to_vec();
    out.extend(body);
    out
}
