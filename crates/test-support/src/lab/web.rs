//! Web sites with known faults, over HTTP and over TLS, on ports the system picks.
//!
//! [`serve`] runs a tiny HTTP/1.1 server that sends exactly the bytes a case asks for (real web servers correct or
//! add headers); [`sites`] holds the cases. nginx and Apache themselves are in [`super::web_servers`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub mod sites;

/// A request as the server got it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields, names in lower case.
    pub headers: HashMap<String, String>,
    /// The whole head, for servers that echo it.
    pub head: String,
}

/// An answer, sent as it stands with `Content-Length` added.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A bare status.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A body with a content type and status 200.
    #[must_use]
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![("Content-Type".into(), content_type.into())], body: body.into() }
    }

    /// An HTML page.
    #[must_use]
    pub fn html(body: &str) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    /// A plain text.
    #[must_use]
    pub fn text(body: &str) -> Self {
        Self::new("text/plain; charset=utf-8", body)
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).with("Location", location)
    }

    /// The same with a header field more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with several header fields more.
    #[must_use]
    pub fn with_all(mut self, fields: &[(&str, &str)]) -> Self {
        self.headers.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// The same with another status.
    #[must_use]
    pub const fn and_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// Plain HTTP or HTTP inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// No TLS.
    Plain,
    /// TLS 1.2 and 1.3 with a self-signed certificate.
    Tls,
}

/// A running site. Dropping it ends it.
#[derive(Debug)]
pub struct WebSite {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl WebSite {
    /// Every request so far, as `METHOD path`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for WebSite {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves `handler` on a free loopback port. Must be called inside a Tokio runtime.
///
/// # Panics
/// If the port or the certificate cannot be had.
pub async fn serve(over: Over, handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> WebSite {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve_on(listener, over, handler)
}

/// As [`serve`], on a port bound before, for sites that must know each other's port.
///
/// # Panics
/// As [`serve`].
pub fn serve_on(
    listener: TcpListener,
    over: Over,
    handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> WebSite {
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, handler) = (Arc::clone(&asked), Arc::new(handler));
    let acceptor = (over == Over::Tls).then(acceptor);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (log, handler, acceptor) = (Arc::clone(&log), Arc::clone(&handler), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    None => converse(stream, &log, handler.as_ref()).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            converse(stream, &log, handler.as_ref()).await;
                        }
                    }
                }
            });
        }
    });
    WebSite { address, asked, task }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    log: &Mutex<Vec<String>>,
    handler: &(dyn Fn(&Request) -> Answer + Send + Sync),
) {
    let mut pending = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(read) => pending.extend_from_slice(&chunk[..read]),
            }
        };
        let head = String::from_utf8_lossy(&pending[..end]).into_owned();
        pending.drain(..end);
        let mut words = head.lines().next().unwrap_or_default().split(' ');
        let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {path}"));
        let answer = handler(&Request { method, path, headers, head });
        let mut bytes = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&answer.body);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

fn acceptor() -> TlsAcceptor {
    let identity = rcgen::generate_simple_self_signed(vec![sites::HOST.to_owned(), "localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
