//! Downloading a source through `outbound`.
//!
//! A download is conditional (`If-None-Match`, `If-Modified-Since`: RFC 9110, section 13.1) where the store remembers
//! validators, goes to a temporary file, and is tried again after a pause where trying again can help: no answer, a reset
//! connection, 429 and the 5xx statuses; `Retry-After` is honoured up to a bound. Addresses, also those of redirects, are
//! vetted by `outbound`. How to wait is the caller's, since this crate has no clock.

use std::pin::Pin;
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_outbound::Outbound;
use bartizan_outbound::http::{DownloadOptions, Resolve, Trust, download};

use crate::error::{FeedError, Result};
use crate::sources::Source;
use crate::store::manifest::HttpState;

/// Tries of one download.
const TRIES: u32 = 4;
/// Longest pause that a server may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(120);
/// Longest validator that is remembered and sent.
const MAX_VALIDATOR: usize = 512;

/// How to wait.
pub type Pause<'p> = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'p>> + Send + Sync + 'p;

/// The way to the servers.
pub struct Way<'w> {
    /// Connections.
    pub outbound: &'w Outbound,
    /// Names.
    pub resolve: &'w Resolve<'w>,
    /// Whom to believe over TLS.
    pub trust: Trust,
    /// Waiting.
    pub pause: &'w Pause<'w>,
}

/// What came of it.
#[derive(Debug)]
pub enum Fetched {
    /// The server has nothing newer.
    NotModified,
    /// The body, complete, and what to ask with next time.
    Body {
        /// The file, removed when dropped.
        file: tempfile::NamedTempFile,
        /// Its length.
        bytes: u64,
        /// Validators.
        http: HttpState,
    },
}

/// Downloads `source` into a temporary file in `folder`.
///
/// # Errors
/// [`FeedError::Implausible`] with the reason if the server does not give it; [`FeedError::Io`] if it cannot be stored.
pub async fn fetch(
    source: &Source,
    known: Option<&HttpState>,
    way: &Way<'_>,
    folder: &std::path::Path,
    progress: &mut (dyn FnMut(u64, Option<u64>) + Send),
) -> Result<Fetched> {
    let refused = |why: String| FeedError::Implausible(format!("{}: {why}", source.slug));
    let url = url::Url::parse(&source.url).map_err(|error| refused(format!("`{}`: {error}", source.url)))?;
    let mut headers = Vec::new();
    for (name, value) in [
        (http::header::IF_NONE_MATCH, known.and_then(|known| known.etag.as_deref())),
        (http::header::IF_MODIFIED_SINCE, known.and_then(|known| known.last_modified.as_deref())),
    ] {
        if let Some(value) = value.and_then(|value| http::HeaderValue::from_str(value).ok()) {
            headers.push((name, value));
        }
    }
    let options =
        DownloadOptions { trust: way.trust.clone(), headers, max_body: source.max_bytes, ..DownloadOptions::default() };
    let mut pause = Duration::from_secs(2);
    for left in (0..TRIES).rev() {
        let mut file = tempfile::NamedTempFile::new_in(folder)
            .map_err(|error| FeedError::io("creating a file in", folder, error))?;
        let outcome = download(way.outbound, &url, way.resolve, &options, file.as_file_mut(), progress).await;
        let (why, wait) = match outcome {
            Ok(answer) => match answer.status.as_u16() {
                200 if answer.bytes == 0 => return Err(refused("the server sent an empty document".to_owned())),
                200 => {
                    let header = |name: http::HeaderName| {
                        let value = answer.headers.get(name)?.to_str().ok()?;
                        (value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
                    };
                    let http = HttpState {
                        etag: header(http::header::ETAG),
                        last_modified: header(http::header::LAST_MODIFIED),
                    };
                    return Ok(Fetched::Body { file, bytes: answer.bytes, http });
                }
                304 if known.is_some() => return Ok(Fetched::NotModified),
                status @ (408 | 425 | 429 | 500..=599) => {
                    let asked = answer.headers.get(http::header::RETRY_AFTER);
                    let seconds = asked.and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
                    (format!("the server answered {status}"), seconds)
                }
                status => return Err(refused(format!("the server answered {status}"))),
            },
            Err(failure) if may_pass(&failure) => (failure.detail, None),
            Err(failure) => return Err(refused(failure.detail)),
        };
        if left == 0 {
            return Err(refused(format!("{why}, {TRIES} times")));
        }
        (way.pause)(wait.unwrap_or(pause).min(MAX_PAUSE)).await;
        pause *= 3;
    }
    unreachable!("the last try returns")
}

/// Whether trying again can help.
const fn may_pass(failure: &ProbeFailure) -> bool {
    matches!(failure.kind, FailureKind::Timeout | FailureKind::Reset | FailureKind::Refused | FailureKind::Unreachable)
}
