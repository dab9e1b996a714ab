//! A TLS session by whichever client a server can talk to.
//!
//! Current TLS is tried first. Only when a server is there and cannot agree with it (it refuses, or closes the
//! connection on the hello) is [`crate::tls_legacy`] tried, on a connection of its own, and the answer says so.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_domain::evidence::ProbeFailure;
use bartizan_domain::evidence::tls::TlsVersion;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::Outbound;
use crate::tls::{self, Offer};
use crate::tls_legacy::{self, LegacyStream};

/// The stream of either client.
#[derive(Debug)]
pub enum Stream {
    /// Of the current one.
    Modern(Box<TlsStream<TcpStream>>),
    /// Of the one for old servers.
    Legacy(Box<LegacyStream<TcpStream>>),
}

/// What had to be done to talk to a server that current TLS cannot agree with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legacy {
    /// The negotiated version.
    pub version: TlsVersion,
    /// The negotiated suite's number.
    pub suite: u16,
    /// How the handshake of current TLS failed.
    pub refused: ProbeFailure,
}

/// An established session.
#[derive(Debug)]
pub struct Reached {
    /// The stream, ready for application data.
    pub stream: Stream,
    /// Present if only the client for old servers got through.
    pub legacy: Option<Legacy>,
    permit: OwnedSemaphorePermit,
}

impl Reached {
    /// Splits off the permit, for clients that need to own the bare stream; keep it alive as long as the stream.
    pub fn into_parts(self) -> (Stream, OwnedSemaphorePermit) {
        (self.stream, self.permit)
    }
}

/// Connects to `address` and completes a handshake. `sni` is the name sent, a DNS name in A-labels; `None` sends none.
/// `alpn` are the application protocols offered. `known` is what an earlier session with the same server needed: then
/// current TLS is not tried again.
///
/// # Errors
/// How the handshake of current TLS failed, with how that of old TLS failed if it was tried; all within `limit`.
pub async fn connect(
    outbound: &Outbound,
    address: SocketAddr,
    sni: Option<&str>,
    alpn: &[&[u8]],
    known: Option<&Legacy>,
    limit: Duration,
) -> Result<Reached, ProbeFailure> {
    let until = Instant::now() + limit;
    let refused = match known {
        Some(legacy) => legacy.refused.clone(),
        None => {
            let connection = outbound.connect(address).await?;
            // The future holds the buffers of a handshake; boxing keeps the callers' futures small.
            match Box::pin(tls::connect(connection, sni, alpn, Offer::Modern, limit)).await {
                Ok(session) => {
                    let (stream, permit) = session.into_parts();
                    return Ok(Reached { stream: Stream::Modern(Box::new(stream)), legacy: None, permit });
                }
                Err(error) if error.may_be_old() => error.failure,
                Err(error) => return Err(error.failure),
            }
        }
    };
    let left = until.saturating_duration_since(Instant::now());
    match Box::pin(tls_legacy::connect(outbound, address, sni, alpn, left)).await {
        Ok(session) => {
            let legacy = Legacy { version: session.version, suite: session.suite, refused };
            let (stream, permit) = session.into_parts();
            Ok(Reached { stream: Stream::Legacy(Box::new(stream)), legacy: Some(legacy), permit })
        }
        Err(old) => Err(ProbeFailure::new(refused.kind, format!("{}; TLS 1.0 to 1.2: {}", refused.detail, old.detail))),
    }
}

/// Hands a call on to the stream of either client.
macro_rules! either {
    ($this:expr, $stream:ident => $call:expr) => {
        match $this.get_mut() {
            Stream::Modern($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
            Stream::Legacy($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, out))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, data))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }
}
