//! The verifying TLS client, for services of our own configuration (RDAP, feeds, identity providers).
//!
//! Scan targets are met with the recording client of [`crate::tls`] instead: there a bad certificate is a finding and
//! no reason to look away.

use std::sync::{Arc, OnceLock};

use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::io_failure;

/// Whom to believe.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Anyone; for scan targets.
    Record,
    /// Chains to these roots, for the name asked for; for services of our own configuration.
    Roots(Arc<RootCertStore>),
}

impl Trust {
    /// The public roots that the program carries.
    #[must_use]
    pub fn public_roots() -> Self {
        static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
        Self::Roots(Arc::clone(ROOTS.get_or_init(|| Arc::new(with_extra_roots(&[])))))
    }

    /// The public roots, those of this machine and these DER certificates: for services inside a company, whose
    /// authority is installed where the program runs.
    #[must_use]
    pub fn system_roots_and(extra: &[Vec<u8>]) -> Self {
        static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
        let system = SYSTEM.get_or_init(|| {
            let mut store = with_extra_roots(&[]);
            let found = rustls_native_certs::load_native_certs();
            for error in found.errors {
                tracing::warn!(%error, "a certificate store of this machine cannot be read");
            }
            store.add_parsable_certificates(found.certs);
            Arc::new(store)
        });
        if extra.is_empty() {
            return Self::Roots(Arc::clone(system));
        }
        let mut store = system.as_ref().clone();
        store.add_parsable_certificates(extra.iter().map(|der| CertificateDer::from(der.as_slice()).into_owned()));
        Self::Roots(Arc::new(store))
    }

    /// The public roots and these DER certificates beside them; what is no certificate is left out.
    #[must_use]
    pub fn public_roots_and(extra: &[Vec<u8>]) -> Self {
        Self::Roots(Arc::new(with_extra_roots(extra)))
    }
}

/// The certificates in a PEM text, as DER.
///
/// # Errors
/// What is wrong, if there is none or one that cannot be used as a root.
pub fn certificates_of(pem: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("it is no PEM text: {error}"))?;
        let mut store = RootCertStore::empty();
        store.add(certificate.clone()).map_err(|error| format!("a certificate cannot be used as a root: {error}"))?;
        found.push(certificate.to_vec());
    }
    if found.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(found) }
}

fn with_extra_roots(extra: &[Vec<u8>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    store.add_parsable_certificates(extra.iter().map(|der| CertificateDer::from(der.as_slice()).into_owned()));
    store
}

/// How a client of ours shakes hands with a server that must chain to `roots`: current versions, the *ring* provider.
///
/// # Errors
/// [`FailureKind::Local`] if TLS cannot be set up.
pub fn client_config(roots: &Arc<RootCertStore>) -> Result<ClientConfig, ProbeFailure> {
    Ok(ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("TLS set-up: {error}")))?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth())
}

/// Completes a handshake as `name` (a DNS name or an address) with a web server that must prove to be `name`.
///
/// # Errors
/// As [`connect_for`].
pub async fn connect(
    stream: TcpStream,
    name: &str,
    roots: &Arc<RootCertStore>,
) -> Result<TlsStream<TcpStream>, ProbeFailure> {
    connect_for(stream, name, roots, &[b"http/1.1"]).await
}

/// Completes a handshake as `name` (a DNS name or an address) with a server that must prove to be `name`, offering
/// these application protocols: none for protocols that are older than the offer.
///
/// # Errors
/// [`FailureKind::Protocol`] if the name cannot be asked for or the certificate does not convince, otherwise how the
/// connection failed.
pub async fn connect_for(
    stream: TcpStream,
    name: &str,
    roots: &Arc<RootCertStore>,
    protocols: &[&[u8]],
) -> Result<TlsStream<TcpStream>, ProbeFailure> {
    let server = ServerName::try_from(name.to_owned()).map_err(|error| {
        ProbeFailure::new(FailureKind::Protocol, format!("`{name}` cannot be asked for by TLS: {error}"))
    })?;
    let mut config = client_config(roots)?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
        .connect(server, stream)
        .await
        .map_err(|error| io_failure(&error, "TLS handshake"))
}

/// The certificates of a text in PEM, in DER; what else is in it is passed over.
///
/// # Errors
/// If it is no PEM, or has no certificate in it.
pub fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, String> {
    let found: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| format!("this is no PEM: {error}"))?;
    if found.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store.add(certificate.clone()).map_err(|error| format!("a certificate cannot be used: {error}"))?;
    }
    Ok(found.into_iter().map(|certificate| certificate.to_vec()).collect())
}
