//! A TLS client for servers that no current client can talk to: TLS 1.0 to 1.2 with the suites of their time.
//!
//! It exists to read public pages of such servers, and for nothing else. What it speaks is broken in known ways, and it
//! proves nothing about the peer: certificates are recorded and not trusted, signatures are not looked at, as in
//! [`crate::tls`]. Nothing secret may be sent through it. Servers that current TLS can talk to are met with
//! [`crate::tls`]; [`crate::tls_reach`] decides. SSL 3.0 is not spoken.
//!
//! Key exchange by RSA, DHE and ECDHE (x25519, P-256, P-384), with or without a certificate; AES-GCM, AES-CBC,
//! 3DES-CBC, RC4 or no encryption. No resumption, no renegotiation, no compression, no client certificate. Primitives
//! come from RustCrypto and ring; the protocol is ours, since no kept library has it. Start at [`connect`]; the
//! protocol itself is `engine`.

mod engine;
mod exchange;
mod prf;
mod protection;
mod stream;
mod suites;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bartizan_domain::evidence::tls::TlsVersion;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::tls_wire::{Extent, Malformed, alert_name};
use crate::{Outbound, io_failure};
use engine::Offer;
pub use stream::LegacyStream;

/// Why a session could not be had, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// The server ended it with this fatal alert.
    #[error("the server sent the fatal alert {}", alert_name(*.0))]
    Alert(u8),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server answered in a version that this client does not speak.
    #[error("the server answers in {}, which is not spoken here", version_name(*.0))]
    Version(u16),
    /// The server chose something this client cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// Something came that must not come there.
    #[error("the server sent {0}")]
    Unexpected(String),
    /// The bytes are not TLS.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A record does not come from the holder of the keys.
    #[error("a record is damaged or was made with other keys")]
    BadRecord,
    /// The server saw another handshake than we did.
    #[error("the end of the handshake does not match its beginning")]
    Finished,
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn version_name(code: u16) -> String {
    TlsVersion::from_code(code).map_or_else(|| format!("version 0x{code:04x}"), |version| version.to_string())
}

impl From<LegacyError> for io::Error {
    fn from(error: LegacyError) -> Self {
        match error {
            LegacyError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

impl LegacyError {
    fn failure(&self, peer: SocketAddr) -> ProbeFailure {
        let doing = format!("handshake of old TLS with {peer}");
        match self {
            Self::Io(error) => io_failure(error, &doing),
            Self::Closed => ProbeFailure::new(FailureKind::Reset, format!("{doing}: {self}")),
            other => ProbeFailure::new(FailureKind::Protocol, format!("{doing}: {other}")),
        }
    }
}

/// An established session. It gives its place among the sockets in flight back when dropped.
#[derive(Debug)]
pub struct Session {
    /// The stream, ready for application data.
    pub stream: LegacyStream<TcpStream>,
    /// The address really contacted.
    pub peer: SocketAddr,
    /// The certificates as sent, DER, the server's own first; none if the server is anonymous.
    pub chain: Vec<Vec<u8>>,
    /// The negotiated version.
    pub version: TlsVersion,
    /// The negotiated suite's number.
    pub suite: u16,
    /// The application protocol the server chose, `None` if it chose none.
    pub alpn: Option<Vec<u8>>,
    permit: OwnedSemaphorePermit,
}

impl Session {
    /// Splits off the permit, for clients that need to own the bare stream; keep it alive as long as the stream.
    pub fn into_parts(self) -> (LegacyStream<TcpStream>, OwnedSemaphorePermit) {
        (self.stream, self.permit)
    }
}

/// Connects to `address` and completes a handshake. `sni` is the name sent, a DNS name in A-labels; `None` sends none.
///
/// A hello of TLS 1.2 comes first, to which a server may answer in an older version. Servers that stumble over it are
/// asked again with the small hello of TLS 1.1 and then of 1.0, each on a connection of its own.
///
/// # Errors
/// How the last handshake failed that says something about the server, [`FailureKind::Timeout`] if `limit` passed over
/// all of them.
pub async fn connect(
    outbound: &Outbound,
    address: SocketAddr,
    sni: Option<&str>,
    alpn: &[&[u8]],
    limit: Duration,
) -> Result<Session, ProbeFailure> {
    let until = Instant::now() + limit;
    let mut first = None;
    for (version, extent) in
        [(TlsVersion::Tls12, Extent::Full), (TlsVersion::Tls11, Extent::Bare), (TlsVersion::Tls10, Extent::Bare)]
    {
        let connection = outbound.connect(address).await?;
        let (tcp, permit) = connection.into_parts();
        // A server that stumbles over a hello may do so over anything in it.
        let alpn = if extent == Extent::Full { alpn } else { &[] };
        let offer = Offer { version, sni, alpn, extent };
        // The future holds the buffers of a handshake; boxing keeps the callers' futures small.
        let shaking = Box::pin(stream::handshake(tcp, &offer));
        let Ok(result) = tokio::time::timeout_at(until, shaking).await else {
            let detail = format!("handshake of old TLS with {address}: no answer within {limit:?}");
            return Err(ProbeFailure::new(FailureKind::Timeout, detail));
        };
        let (error, engine) = match result {
            Ok(stream) => return Ok(established(stream, address, permit)),
            Err(failed) => failed,
        };
        let considered =
            engine.was_answered() || !matches!(error, LegacyError::Alert(_) | LegacyError::Closed | LegacyError::Io(_));
        let failure = error.failure(address);
        if considered {
            return Err(failure);
        }
        // The answer to the fullest hello says most.
        first.get_or_insert(failure);
    }
    Err(first.unwrap_or_else(|| ProbeFailure::new(FailureKind::Protocol, "no handshake of old TLS was tried")))
}

fn established(stream: LegacyStream<TcpStream>, peer: SocketAddr, permit: OwnedSemaphorePermit) -> Session {
    let engine = stream.engine();
    let (version, suite) = engine.agreed().unwrap_or((TlsVersion::Tls10, 0));
    let (chain, alpn) = (engine.chain().to_vec(), engine.alpn().map(<[u8]>::to_vec));
    Session { stream, peer, chain, version, suite, alpn, permit }
}
