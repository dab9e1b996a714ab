//! A small bounded HTTP/1.1 client.
//!
//! The address contacted, the TLS server name, the `Host` and the path are separate inputs, so that what is asked is
//! exactly what was vetted. There are no automatic redirects, no cookies, no proxy and no decompression (we do not
//! offer any encoding; a body that comes encoded anyway is handed over as it is). Size and time of everything that
//! comes back are bounded.
//!
//! [`Client`] speaks to one origin and keeps its connection alive; [`get`] fetches one URL with redirects, each hop
//! resolved by the caller and vetted here.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use url::Url;

pub use crate::tls_reach::Legacy;
pub use crate::tls_verified::Trust;
use crate::{Outbound, io_failure, tls_reach, tls_verified};

/// How we introduce ourselves.
pub const USER_AGENT: &str = concat!("Bartizan/", env!("CARGO_PKG_VERSION"), " (+security scan)");

/// Header fields of one response at most.
const MAX_HEADERS: usize = 100;
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;
/// Bytes of a request body at most.
pub const MAX_SENT: usize = 1024 * 1024;
/// Bytes of a response head at most.
const MAX_HEAD: usize = 64 * 1024;

/// Where to send requests.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address contacted.
    pub address: SocketAddr,
    /// TLS, for https.
    pub tls: Option<TlsOrigin>,
    /// `Host` header, with the port where it is not the scheme's own.
    pub host: String,
}

/// The TLS side of an origin.
#[derive(Debug, Clone)]
pub struct TlsOrigin {
    /// Name asked for: sent as SNI if it is a DNS name.
    pub server_name: String,
    /// Whom to believe.
    pub trust: Trust,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Further header fields. `Host`, `User-Agent` and `Accept` are there already.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent, at most [`MAX_SENT`] bytes; nothing for most requests. Say of which media type in `headers`.
    pub body: Bytes,
    /// Bytes of the body to read at most.
    pub max_body: usize,
}

impl Request {
    /// A GET of `path`.
    #[must_use]
    pub fn get(path: impl Into<String>, max_body: usize) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: Bytes::new(), max_body }
    }

    /// The same with another method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The same with something to send, of this media type.
    #[must_use]
    pub fn sending(mut self, media: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE, media)
    }

    /// Whether asking twice is asking once: only then may a request be repeated on a new connection.
    fn is_repeatable(&self) -> bool {
        self.method.is_safe() && self.body.is_empty()
    }

    /// The same with a header field more.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// One response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Header fields in order of arrival (fields of one name stand together).
    pub headers: HeaderMap,
    /// The body, up to the limit.
    pub body: Vec<u8>,
    /// Whether the body went on: beyond the limit, or beyond the deadline.
    pub truncated: bool,
}

/// Talks to one origin, one request after the other, on one connection where the peer allows it.
#[derive(Debug)]
pub struct Client {
    outbound: Outbound,
    origin: Origin,
    deadline: Duration,
    live: Option<Live>,
    legacy: Option<Legacy>,
}

#[derive(Debug)]
struct Live {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    /// A client for `origin`; every exchange ends within `deadline`, connecting included. Nothing is contacted yet.
    #[must_use]
    pub const fn new(outbound: Outbound, origin: Origin, deadline: Duration) -> Self {
        Self { outbound, origin, deadline, live: None, legacy: None }
    }

    /// Where the client sends its requests.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What had to be done to talk to a server that current TLS cannot agree with; `None` as long as nothing had to.
    #[must_use]
    pub const fn legacy(&self) -> Option<&Legacy> {
        self.legacy.as_ref()
    }

    /// Makes one exchange. A body that does not end before the deadline is cut there; a head that does not arrive
    /// before it is a time-out.
    ///
    /// # Errors
    /// How the connection, the handshake or the exchange failed.
    pub async fn send(&mut self, request: &Request) -> Result<Response, ProbeFailure> {
        let until = Instant::now() + self.deadline;
        let Ok(head) = tokio::time::timeout_at(until, self.head(request)).await else {
            self.live = None;
            return Err(ProbeFailure::new(
                FailureKind::Timeout,
                format!("no answer to {} {} within {:?}", request.method, request.path, self.deadline),
            ));
        };
        let (parts, body) = head?.into_parts();
        let (body, truncated) = match read_body(body, request.max_body, until).await {
            Ok(read) => read,
            Err(failure) => {
                self.live = None;
                return Err(failure);
            }
        };
        if truncated {
            // The rest of the body is still in flight, so the connection cannot be used again.
            self.live = None;
        }
        Ok(Response { status: parts.status, headers: parts.headers, body, truncated })
    }

    async fn head(&mut self, request: &Request) -> Result<http::Response<hyper::body::Incoming>, ProbeFailure> {
        // A kept-alive connection may have been closed by the peer in the meantime: then, and only then, once more.
        if let Some(mut live) = self.live.take()
            && live.sender.ready().await.is_ok()
        {
            match live.sender.send_request(self.build(request)?).await {
                Ok(response) => {
                    self.live = Some(live);
                    return Ok(response);
                }
                Err(error) if !request.is_repeatable() => return Err(failure(&error)),
                Err(_) => {}
            }
        }
        let mut live = self.open().await?;
        let response = live.sender.send_request(self.build(request)?).await.map_err(|error| failure(&error))?;
        self.live = Some(live);
        Ok(response)
    }

    /// Opens the connection ahead of the first request.
    async fn connect(&mut self) -> Result<(), ProbeFailure> {
        let Ok(live) = tokio::time::timeout(self.deadline, self.open()).await else {
            let text = format!("no connection to {} within {:?}", self.origin.address, self.deadline);
            return Err(ProbeFailure::new(FailureKind::Timeout, text));
        };
        self.live = Some(live?);
        Ok(())
    }

    async fn open(&mut self) -> Result<Live, ProbeFailure> {
        let Some(tls) = &self.origin.tls else {
            let (stream, permit) = self.outbound.connect(self.origin.address).await?.into_parts();
            return drive(stream, permit).await;
        };
        match &tls.trust {
            Trust::Record => {
                // An address literal is never sent as a server name (RFC 6066, section 3).
                let sni = tls.server_name.parse::<IpAddr>().is_err().then_some(tls.server_name.as_str());
                let (outbound, address) = (&self.outbound, self.origin.address);
                let alpn: &[&[u8]] = &[b"http/1.1"];
                let known = self.legacy.as_ref();
                let reached = tls_reach::connect(outbound, address, sni, alpn, known, self.deadline).await?;
                self.legacy.clone_from(&reached.legacy);
                let (stream, permit) = reached.into_parts();
                drive(stream, permit).await
            }
            Trust::Roots(roots) => {
                let (stream, permit) = self.outbound.connect(self.origin.address).await?.into_parts();
                drive(tls_verified::connect(stream, &tls.server_name, roots).await?, permit).await
            }
        }
    }

    fn build(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, ProbeFailure> {
        if request.body.len() > MAX_SENT {
            let text = format!("a request body of {} bytes: at most {MAX_SENT} are sent", request.body.len());
            return Err(ProbeFailure::new(FailureKind::Limit, text));
        }
        let mut builder = http::Request::builder()
            .method(request.method.clone())
            .uri(&request.path)
            .header(header::HOST, &self.origin.host)
            .header(header::USER_AGENT, USER_AGENT);
        if !request.headers.iter().any(|(name, _)| name == header::ACCEPT) {
            builder = builder.header(header::ACCEPT, "*/*");
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        builder.body(Full::new(request.body.clone())).map_err(|error| {
            ProbeFailure::new(FailureKind::Local, format!("`{}` cannot be asked for: {error}", request.path))
        })
    }
}

async fn drive<S>(stream: S, permit: OwnedSemaphorePermit) -> Result<Live, ProbeFailure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failure(&error))?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "an HTTP connection ended");
        }
    })
    .abort_handle();
    Ok(Live { sender, driver, _permit: permit })
}

async fn read_body(
    mut body: hyper::body::Incoming,
    limit: usize,
    until: Instant,
) -> Result<(Vec<u8>, bool), ProbeFailure> {
    let mut bytes = Vec::new();
    loop {
        match tokio::time::timeout_at(until, body.frame()).await {
            Err(_) => return Ok((bytes, true)),
            Ok(None) => return Ok((bytes, false)),
            Ok(Some(Err(error))) => return Err(failure(&error)),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                let room = limit - bytes.len();
                if data.len() > room {
                    bytes.extend_from_slice(&data[..room]);
                    return Ok((bytes, true));
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

/// Translates hyper's error. The text of a parse error names the rule, never the bytes.
fn failure(error: &hyper::Error) -> ProbeFailure {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return io_failure(io, "HTTP exchange");
        }
        source = cause.source();
    }
    // hyper has no predicate for its "message head is too large"; the buffer bound is ours, so it is a limit.
    let kind = if error.is_parse() && error.to_string().contains("too large") {
        FailureKind::Limit
    } else if error.is_parse() {
        FailureKind::Protocol
    } else if error.is_timeout() {
        FailureKind::Timeout
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        FailureKind::Reset
    } else {
        FailureKind::Protocol
    };
    ProbeFailure::new(kind, format!("HTTP exchange: {error}"))
}

/// Options of [`get`].
#[derive(Debug, Clone)]
pub struct GetOptions {
    /// Whom to believe over TLS.
    pub trust: Trust,
    /// `Accept` header.
    pub accept: &'static str,
    /// Redirects to follow at most.
    pub max_redirects: u32,
    /// Bytes of the body at most; a longer one is a failure, since half a document is none.
    pub max_body: usize,
    /// Time for each exchange.
    pub deadline: Duration,
}

impl Default for GetOptions {
    /// Public roots, anything accepted, five redirects, one megabyte, ten seconds.
    fn default() -> Self {
        Self {
            trust: Trust::public_roots(),
            accept: "*/*",
            max_redirects: 5,
            max_body: 1024 * 1024,
            deadline: Duration::from_secs(10),
        }
    }
}

/// Turns a host name into addresses. The name is owned and the future boxed, so that the futures built on it are known
/// to be `Send` whatever they borrow.
pub type Resolve<'r> =
    dyn Fn(String) -> Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, ProbeFailure>> + Send + 'r>> + Send + Sync + 'r;

/// Fetches `url` (http or https), following redirects. `resolve` turns a host name into addresses, once for each hop,
/// and what it gives is what is contacted; an address in the URL is used as it is. Every address is vetted when it is
/// contacted, the hops' included, https is never left for http, and a URL with a user name in it is refused: whoever
/// needs to send credentials says so in a header, and a redirect must not choose them.
///
/// # Errors
/// How resolving, connecting or the exchange failed; [`FailureKind::Limit`] for too many redirects or too long a
/// body. A response with an error status is a response.
pub async fn get(
    outbound: &Outbound,
    url: &Url,
    resolve: &Resolve<'_>,
    options: &GetOptions,
) -> Result<Response, ProbeFailure> {
    let mut url = url.clone();
    for _ in 0..=options.max_redirects {
        let response = get_once(outbound, &url, resolve, options).await?;
        let target = response
            .status
            .is_redirection()
            .then(|| response.headers.get(header::LOCATION))
            .flatten()
            .and_then(|location| url.join(&String::from_utf8_lossy(location.as_bytes())).ok());
        match target {
            None if response.truncated => {
                return Err(ProbeFailure::new(
                    FailureKind::Limit,
                    format!("the answer of {} is cut at {} bytes", origin_text(&url), response.body.len()),
                ));
            }
            None => return Ok(response),
            Some(target) if url.scheme() == "https" && target.scheme() != "https" => {
                return Err(ProbeFailure::new(
                    FailureKind::Denied,
                    format!("{} redirects from https to {}", origin_text(&url), target.scheme()),
                ));
            }
            Some(target) => url = target,
        }
    }
    Err(ProbeFailure::new(FailureKind::Limit, format!("more than {} redirects", options.max_redirects)))
}

async fn get_once(
    outbound: &Outbound,
    url: &Url,
    resolve: &Resolve<'_>,
    options: &GetOptions,
) -> Result<Response, ProbeFailure> {
    let (origins, path) = origins(url, resolve, &options.trust).await?;
    let request = Request::get(path, options.max_body).header(header::ACCEPT, HeaderValue::from_static(options.accept));
    let mut last = ProbeFailure::new(FailureKind::Resolution, format!("{} has no address", origin_text(url)));
    for origin in origins {
        match Client::new(outbound.clone(), origin, options.deadline).send(&request).await {
            Ok(response) => return Ok(response),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// Sends `request` to `url` (its own path is of no account) and hands over whatever comes back: redirects are not
/// followed, since what was meant for one server is not for another. Where the name has several addresses the next is
/// tried only if no connection came about, so that nothing is sent twice.
///
/// # Errors
/// As [`get`].
pub async fn send(
    outbound: &Outbound,
    url: &Url,
    resolve: &Resolve<'_>,
    request: Request,
    (trust, deadline): (&Trust, Duration),
) -> Result<Response, ProbeFailure> {
    let (origins, path) = origins(url, resolve, trust).await?;
    let request = Request { path, ..request };
    let mut last = ProbeFailure::new(FailureKind::Resolution, format!("{} has no address", origin_text(url)));
    for origin in origins {
        let mut client = Client::new(outbound.clone(), origin, deadline);
        if let Err(failure) = client.connect().await {
            last = failure;
            continue;
        }
        let response = client.send(&request).await?;
        if response.truncated {
            return Err(ProbeFailure::new(
                FailureKind::Limit,
                format!("the answer of {} is cut at {} bytes", origin_text(url), response.body.len()),
            ));
        }
        return Ok(response);
    }
    Err(last)
}

/// Where a URL can be asked for, a few addresses at most, and its path with query.
async fn origins(url: &Url, resolve: &Resolve<'_>, trust: &Trust) -> Result<(Vec<Origin>, String), ProbeFailure> {
    if !url.username().is_empty() || url.password().is_some() {
        let text = format!("a URL of {} with a user name is not fetched", origin_text(url));
        return Err(ProbeFailure::new(FailureKind::Denied, text));
    }
    let (addresses, name) = match url.host() {
        Some(url::Host::Ipv4(v4)) => (vec![IpAddr::V4(v4)], v4.to_string()),
        Some(url::Host::Ipv6(v6)) => (vec![IpAddr::V6(v6)], v6.to_string()),
        Some(url::Host::Domain(name)) => (resolve(name.to_owned()).await?, name.to_owned()),
        None => return Err(ProbeFailure::new(FailureKind::Local, format!("`{}:` URL without a host", url.scheme()))),
    };
    let port = match (url.scheme(), url.port_or_known_default()) {
        ("http" | "https", Some(port)) => port,
        (scheme, _) => {
            return Err(ProbeFailure::new(FailureKind::Denied, format!("`{scheme}:` URLs are not fetched")));
        }
    };
    let tls = (url.scheme() == "https").then(|| TlsOrigin { server_name: name, trust: trust.clone() });
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let origin = |address| Origin { address: (address, port).into(), tls: tls.clone(), host: host_header(url) };
    Ok((addresses.into_iter().take(MAX_ADDRESSES).map(origin).collect(), path))
}

/// The `Host` header of a URL: the host, with the port if it is not the scheme's own.
#[must_use]
pub fn host_header(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

fn origin_text(url: &Url) -> String {
    url.origin().ascii_serialization()
}

mod download;

pub use download::{Download, DownloadOptions, download};

#[cfg(test)]
mod tests;
