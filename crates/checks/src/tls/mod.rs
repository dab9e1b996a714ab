//! Checks of the `tls` group: versions, suites, keys and handshake properties of every TLS endpoint.
//!
//! A version, suite or property that the probe could not find out about is an error, never a pass. Certificates are in
//! [`crate::certificate`].

use bartizan_domain::evidence::tls::TlsEvidence;
use bartizan_domain::evidence::{Endpoint, HostEvidence};

use crate::{Check, Verdicts};

mod handshake;
mod keys;
mod suites;
mod versions;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[
    &versions::Deprecated::SSLV2,
    &versions::Deprecated::SSLV3,
    &versions::Deprecated::TLS10,
    &versions::Deprecated::TLS11,
    &versions::No13,
    &suites::NULL_ANON_EXPORT,
    &suites::RC4_DES,
    &suites::NO_PFS,
    &suites::CbcOnly,
    &keys::WeakDh,
    &keys::WeakGroup,
    &keys::Sha1Signature,
    &handshake::Renegotiation,
    &handshake::Compression,
    &handshake::Fallback,
];

/// Judges every endpoint with which a version could be agreed on; without one there is nothing to say about it.
fn each_session(
    evidence: &HostEvidence,
    out: &mut Verdicts<'_>,
    mut rule: impl FnMut(&Endpoint, &TlsEvidence, &mut Verdicts<'_>),
) {
    out.each_endpoint(&evidence.tls, "no TLS endpoint", |endpoint, tls, out| {
        if tls.best().is_some() {
            rule(endpoint, tls, out);
        } else {
            out.error(endpoint.location(), "the server agreed to no version of TLS");
        }
    });
}
