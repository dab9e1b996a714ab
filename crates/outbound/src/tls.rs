//! A TLS client that records the certificate chain and verifies nothing.
//!
//! Certificates are facts here; whether they are valid is judged by `checks` from the recorded chain, so the client
//! must reach servers whose certificates are wrong in any way. Nothing secret is ever sent over such a connection. The
//! server name and the address are separate inputs: assets that are addresses send no name at all.
//!
//! This client speaks TLS 1.2 and 1.3 with current suites. Which others a server has is found out by the TLS probe with
//! hellos of its own; pages of servers that have only others are read through [`crate::tls_legacy`].

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure, tls::TlsVersion};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls_wire::alert_name;
use crate::{Connection, io_failure};

/// Most bytes of one certificate that are kept.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// Most certificates of a chain that are kept.
const MAX_CHAIN: usize = 16;

/// Versions the client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// TLS 1.2 and 1.3.
    Modern,
    /// TLS 1.3 alone.
    Only13,
}

/// An established TLS session. It gives its place among the sockets in flight back when dropped.
#[derive(Debug)]
pub struct Session {
    /// The stream, ready for application data.
    pub stream: TlsStream<TcpStream>,
    /// The address really contacted.
    pub peer: SocketAddr,
    /// The certificates as sent, DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// The negotiated version.
    pub version: TlsVersion,
    /// The negotiated suite's number.
    pub suite: u16,
    /// The application protocol the server chose, `None` if it chose none.
    pub alpn: Option<Vec<u8>>,
    /// Whether the server stapled an OCSP response.
    pub ocsp_stapled: bool,
    permit: OwnedSemaphorePermit,
}

impl Session {
    /// Splits off the permit, for clients that need to own the bare stream; keep it alive as long as the stream.
    pub fn into_parts(self) -> (TlsStream<TcpStream>, OwnedSemaphorePermit) {
        (self.stream, self.permit)
    }
}

/// A handshake that did not succeed, with what the server had shown until then.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub struct HandshakeError {
    /// Why it failed.
    pub failure: ProbeFailure,
    /// The fatal alert the server sent, if it did: `120` is `no_application_protocol`.
    pub alert: Option<u8>,
    /// Whether a server is there that speaks TLS, but not a version or suite of ours.
    disagreed: bool,
}

impl HandshakeError {
    /// Whether another client may have more luck: the server refuses what this one offers, or breaks off over it.
    #[must_use]
    pub fn may_be_old(&self) -> bool {
        self.disagreed || self.failure.kind == FailureKind::Reset
    }
}

impl From<ProbeFailure> for HandshakeError {
    fn from(failure: ProbeFailure) -> Self {
        Self { failure, alert: None, disagreed: false }
    }
}

impl From<HandshakeError> for ProbeFailure {
    fn from(error: HandshakeError) -> Self {
        error.failure
    }
}

/// Speaks TLS on an open connection. `sni` is the name sent, a DNS name in A-labels; `None` sends none. `alpn` are the
/// application protocols offered, best first.
///
/// # Errors
/// [`FailureKind::Timeout`] when the handshake takes longer than `limit`, [`FailureKind::Protocol`] when the peer does
/// not speak a version or suite that this client has, the class of the I/O error otherwise.
pub async fn connect(
    connection: Connection,
    sni: Option<&str>,
    alpn: &[&[u8]],
    offer: Offer,
    limit: Duration,
) -> Result<Session, HandshakeError> {
    let peer = connection.peer;
    let name = match sni {
        Some(name) => ServerName::try_from(name.to_owned()).map_err(|error| {
            ProbeFailure::new(FailureKind::Protocol, format!("`{name}` cannot be sent as a server name: {error}"))
        })?,
        None => ServerName::IpAddress(peer.ip().into()),
    };
    let recorder = Arc::new(Recorder::default());
    let mut config = client_config(offer, &recorder).map_err(HandshakeError::from)?;
    config.enable_sni = sni.is_some();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();

    let (tcp, permit) = connection.into_parts();
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let stream = tokio::time::timeout(limit, handshake)
        .await
        .map_err(|_| {
            let detail = format!("TLS handshake with {peer}: no answer within {limit:?}");
            ProbeFailure::new(FailureKind::Timeout, detail)
        })?
        .map_err(|error| handshake_error(&error, peer))?;

    let (_, session) = stream.get_ref();
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
        _ => TlsVersion::Tls12,
    };
    let suite = session.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite()));
    let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
    let record = recorder.take();
    Ok(Session { stream, peer, chain: record.chain, version, suite, alpn, ocsp_stapled: record.ocsp, permit })
}

fn handshake_error(error: &std::io::Error, peer: SocketAddr) -> HandshakeError {
    let doing = format!("TLS handshake with {peer}");
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => HandshakeError {
            failure: ProbeFailure::new(
                FailureKind::Protocol,
                format!("{doing}: the server sent the fatal alert {}", alert_name(u8::from(*alert))),
            ),
            alert: Some(u8::from(*alert)),
            disagreed: true,
        },
        Some(other) => HandshakeError {
            failure: ProbeFailure::new(FailureKind::Protocol, format!("{doing}: {other}")),
            alert: None,
            disagreed: is_disagreement(other),
        },
        None => io_failure(error, &doing).into(),
    }
}

/// Whether rustls met TLS that it does not have, and not something that is no TLS at all.
const fn is_disagreement(error: &rustls::Error) -> bool {
    use rustls::{Error, InvalidMessage};
    match error {
        Error::PeerIncompatible(_) | Error::PeerMisbehaved(_) | Error::NoCertificatesPresented => true,
        Error::InvalidMessage(message) => !matches!(message, InvalidMessage::InvalidContentType),
        _ => false,
    }
}

fn client_config(offer: Offer, recorder: &Arc<Recorder>) -> Result<ClientConfig, ProbeFailure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match offer {
        Offer::Modern => &[&rustls::version::TLS13, &rustls::version::TLS12],
        Offer::Only13 => &[&rustls::version::TLS13],
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("the TLS client cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Keeps the chain and accepts it, whatever it is.
#[derive(Debug, Default)]
struct Recorder {
    seen: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    chain: Vec<Vec<u8>>,
    ocsp: bool,
}

impl Recorder {
    fn take(&self) -> Record {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity)
            .chain(intermediates)
            .filter(|certificate| certificate.len() <= MAX_CERTIFICATE)
            .take(MAX_CHAIN)
            .map(|certificate| certificate.to_vec())
            .collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Record { chain, ocsp: !ocsp_response.is_empty() };
        Ok(ServerCertVerified::assertion())
    }

    // The handshake signature proves that the peer holds the key of the certificate it shows. A scanner sends nothing
    // secret and has to talk to servers with keys and schemes that no verifier should accept.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}
