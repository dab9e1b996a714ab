//! Downloads: bodies too large for memory, written as they arrive.
//!
//! The same rules as [`super::get`]: every hop's address is vetted, https is never left for http, redirects are counted.
//! A body that ends before its announced length is a failure, so what was written is either all of it or nothing of use.

use std::io::Write;
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use url::Url;

use super::{Client, Request, Resolve, Trust, failure, origin_text, origins};
use crate::Outbound;

/// Options of [`download`].
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    /// Whom to believe over TLS.
    pub trust: Trust,
    /// Header fields beside the usual ones, on every hop of the same origin as the URL.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Redirects to follow at most.
    pub max_redirects: u32,
    /// Bytes of the body at most.
    pub max_body: u64,
    /// Time for connecting and for the head of the answer.
    pub deadline: Duration,
    /// Longest silence within the body.
    pub idle: Duration,
    /// Time for the whole.
    pub total: Duration,
}

impl Default for DownloadOptions {
    /// Public roots, five redirects, four gigabytes, 30 seconds of silence, one hour.
    fn default() -> Self {
        Self {
            trust: Trust::public_roots(),
            headers: Vec::new(),
            max_redirects: 5,
            max_body: 4 << 30,
            deadline: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(3600),
        }
    }
}

/// What came of a download.
#[derive(Debug, Clone)]
pub struct Download {
    /// Status of the last hop.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Bytes written: the body of a 200, none of any other status.
    pub bytes: u64,
}

/// Fetches `url` and writes the body of a 200 to `sink`; `progress` is told the bytes so far and the length if it is
/// known.
///
/// # Errors
/// How resolving, connecting or the exchange failed; [`FailureKind::Limit`] for too many redirects or too long a body;
/// [`FailureKind::Reset`] for a body that ends early; [`FailureKind::Local`] if the sink fails.
pub async fn download(
    outbound: &Outbound,
    url: &Url,
    resolve: &Resolve<'_>,
    options: &DownloadOptions,
    sink: &mut (dyn Write + Send),
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<Download, ProbeFailure> {
    let until = Instant::now() + options.total;
    let first = url.origin();
    let mut url = url.clone();
    for _ in 0..=options.max_redirects {
        let (origins, path) = origins(&url, resolve, &options.trust).await?;
        let mut request = Request::get(path, 0);
        if url.origin() == first {
            request.headers.clone_from(&options.headers);
        }
        let mut last = ProbeFailure::new(FailureKind::Resolution, format!("{} has no address", origin_text(&url)));
        let mut answer = None;
        for origin in origins {
            let mut client = Client::new(outbound.clone(), origin, options.deadline);
            let head = tokio::time::timeout(options.deadline, client.head(&request)).await.unwrap_or_else(|_| {
                Err(ProbeFailure::new(
                    FailureKind::Timeout,
                    format!("no answer from {} within {:?}", origin_text(&url), options.deadline),
                ))
            });
            match head {
                // The client owns the connection, so it is kept until the body is read.
                Ok(head) => {
                    answer = Some((client, head));
                    break;
                }
                Err(failure) => last = failure,
            }
        }
        let Some((_client, response)) = answer else { return Err(last) };
        let (parts, body) = response.into_parts();
        if parts.status.is_redirection()
            && let Some(location) = parts.headers.get(header::LOCATION)
            && let Ok(target) = url.join(&String::from_utf8_lossy(location.as_bytes()))
        {
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(ProbeFailure::new(
                    FailureKind::Denied,
                    format!("{} redirects from https to {}", origin_text(&url), target.scheme()),
                ));
            }
            url = target;
            continue;
        }
        let bytes = if parts.status == StatusCode::OK {
            let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            read(body, length, options, until, sink, progress).await?
        } else {
            0
        };
        return Ok(Download { status: parts.status, headers: parts.headers, bytes });
    }
    Err(ProbeFailure::new(FailureKind::Limit, format!("more than {} redirects", options.max_redirects)))
}

async fn read(
    mut body: hyper::body::Incoming,
    length: Option<u64>,
    options: &DownloadOptions,
    until: Instant,
    sink: &mut (dyn Write + Send),
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<u64, ProbeFailure> {
    let too_long =
        || ProbeFailure::new(FailureKind::Limit, format!("the body is longer than {} bytes", options.max_body));
    if length.is_some_and(|length| length > options.max_body) {
        return Err(too_long());
    }
    let mut bytes = 0_u64;
    loop {
        let idle = (Instant::now() + options.idle).min(until);
        let frame = tokio::time::timeout_at(idle, body.frame())
            .await
            .map_err(|_| ProbeFailure::new(FailureKind::Timeout, format!("the body stopped after {bytes} bytes")))?;
        let Some(frame) = frame else { return Ok(bytes) };
        let Ok(data) = frame.map_err(|error| failure(&error))?.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > options.max_body {
            return Err(too_long());
        }
        sink.write_all(&data)
            .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("writing what was downloaded: {error}")))?;
        progress(bytes, length);
    }
}
