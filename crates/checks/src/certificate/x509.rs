//! Certificates of an endpoint, parsed, and the facts about them that findings show.

use bartizan_domain::evidence::tls::{ServedChain, TlsEvidence};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Most characters of a text from a certificate that a finding shows.
const MAX_TEXT: usize = 200;

/// The bytes of a chain, kept beside what is parsed from them.
#[derive(Debug, Clone, Default)]
pub struct ChainBytes {
    /// What the server sent, its own certificate first.
    pub sent: Vec<Vec<u8>>,
    /// Issuers that were looked up.
    pub fetched: Vec<Vec<u8>>,
}

impl ChainBytes {
    /// Decodes one served chain and the issuers looked up for the endpoint. Entries that are no base64 are left out,
    /// which can only make a chain worse.
    #[must_use]
    pub fn decode(chain: &ServedChain, tls: &TlsEvidence) -> Self {
        let decode = |text: &String| STANDARD.decode(text).ok();
        Self {
            sent: chain.certificates.iter().filter_map(decode).collect(),
            fetched: tls
                .fetched_issuers
                .iter()
                .filter_map(|issuer| issuer.certificate.observed())
                .filter_map(decode)
                .collect(),
        }
    }

    /// Parses everything.
    ///
    /// # Errors
    /// If the server's own certificate cannot be read; others that cannot are left out.
    pub fn parse(&self) -> Result<Chain<'_>, String> {
        let leaf = self.sent.first().ok_or("the server sent no certificate")?;
        let leaf = Cert::parse(leaf).ok_or("the server's certificate cannot be parsed")?;
        Ok(Chain { leaf, sent: parse_all(&self.sent[1..]), fetched: parse_all(&self.fetched) })
    }
}

fn parse_all(list: &[Vec<u8>]) -> Vec<Cert<'_>> {
    list.iter().filter_map(|der| Cert::parse(der)).collect()
}

/// A parsed chain.
#[derive(Debug)]
pub struct Chain<'a> {
    /// The server's own certificate.
    pub leaf: Cert<'a>,
    /// What else was sent, in order.
    pub sent: Vec<Cert<'a>>,
    /// Issuers that were looked up.
    pub fetched: Vec<Cert<'a>>,
}

/// A parsed certificate.
#[derive(Debug, Clone)]
pub struct Cert<'a> {
    /// Its bytes.
    pub der: &'a [u8],
    /// Its content.
    pub x509: X509Certificate<'a>,
}

impl<'a> Cert<'a> {
    /// Parses DER; nothing may follow it.
    #[must_use]
    pub fn parse(der: &'a [u8]) -> Option<Self> {
        match X509Certificate::from_der(der) {
            Ok(([], x509)) => Some(Self { der, x509 }),
            _ => None,
        }
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn self_issued(&self) -> bool {
        self.x509.subject().as_raw() == self.x509.issuer().as_raw()
    }

    /// First and last second of validity, seconds since 1970.
    #[must_use]
    pub fn validity(&self) -> (i64, i64) {
        let validity = self.x509.validity();
        (validity.not_before.timestamp(), validity.not_after.timestamp())
    }

    /// The subjectAltName entries; empty without the extension.
    #[must_use]
    pub fn alternative_names(&self) -> Vec<&GeneralName<'a>> {
        match self.x509.subject_alternative_name() {
            Ok(Some(extension)) => extension.value.general_names.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// What a reader needs to recognise the certificate.
    #[must_use]
    pub fn facts(&self) -> Value {
        let (begin, end) = self.validity();
        json!({
            "subject": shorten(&self.x509.subject().to_string()),
            "issuer": shorten(&self.x509.issuer().to_string()),
            "serial": shorten(&self.x509.raw_serial_as_string()),
            "not_before": date(begin),
            "not_after": date(end),
            "sha256": Sha256::digest(self.der).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        })
    }

    /// The key's kind and size in bits; `None` for kinds that are not known.
    #[must_use]
    pub fn key(&self) -> Option<(KeyKind, u32)> {
        let spki = self.x509.public_key();
        match spki.algorithm.algorithm.to_id_string().as_str() {
            // Edwards curves of fixed size (RFC 8410).
            "1.3.101.112" => return Some((KeyKind::Ec, 255)),
            "1.3.101.113" => return Some((KeyKind::Ec, 448)),
            _ => {}
        }
        match spki.parsed().ok()? {
            PublicKey::RSA(rsa) => Some((KeyKind::Rsa, bit_length(rsa.modulus))),
            PublicKey::EC(_) => curve_bits(spki).map(|bits| (KeyKind::Ec, bits)),
            PublicKey::DSA(_) => {
                let prime = spki.algorithm.parameters.as_ref().and_then(|any| dsa_prime(any.data))?;
                Some((KeyKind::Dsa, bit_length(prime)))
            }
            _ => None,
        }
    }
}

/// Kind of a certificate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// Elliptic curve.
    Ec,
    /// DSA.
    Dsa,
}

impl KeyKind {
    /// For the reader.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Dsa => "DSA",
        }
    }
}

/// Size of a named curve in bits, by its OID (RFC 5480, RFC 5639, SEC 2).
fn curve_bits(spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>) -> Option<u32> {
    let oid = spki.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
    Some(match oid.as_str() {
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" | "1.3.36.3.3.2.8.1.1.7" | "1.2.156.10197.1.301" => 256,
        "1.3.132.0.34" | "1.3.36.3.3.2.8.1.1.11" => 384,
        "1.3.132.0.35" => 521,
        "1.3.36.3.3.2.8.1.1.13" => 512,
        "1.3.132.0.32" | "1.3.132.0.33" | "1.3.36.3.3.2.8.1.1.5" => 224,
        "1.2.840.10045.3.1.1" | "1.3.132.0.31" | "1.3.36.3.3.2.8.1.1.3" => 192,
        "1.3.132.0.8" | "1.3.132.0.9" | "1.3.132.0.30" | "1.3.36.3.3.2.8.1.1.1" => 160,
        _ => return None,
    })
}

/// The first INTEGER in the parameters of a DSA key.
fn dsa_prime(parameters: &[u8]) -> Option<&[u8]> {
    use x509_parser::asn1_rs::{FromDer as _, Integer};
    let (rest, _) = Integer::from_der(parameters).ok()?;
    let length = parameters.len() - rest.len();
    let header = match parameters.get(1)? {
        short if *short < 0x80 => 2,
        long => 2 + usize::from(*long & 0x7f),
    };
    parameters.get(header..length)
}

/// Bits of a big-endian number.
#[must_use]
pub fn bit_length(number: &[u8]) -> u32 {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let significant = &number[start..];
    significant.first().map_or(0, |first| {
        u32::try_from(significant.len()).unwrap_or(u32::MAX / 8).saturating_mul(8) - first.leading_zeros()
    })
}

/// A point in time as findings show it; the number for one that no calendar has.
#[must_use]
pub fn date(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| seconds.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The beginning of a text from outside, printable.
#[must_use]
pub fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_without_leading_zeros() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[0, 0x80, 0]), 16);
        assert_eq!(bit_length(&[1, 0]), 9);
    }

    #[test]
    fn built_in_roots_are_read() {
        for root in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
            let cert = Cert::parse(root).unwrap();
            let (kind, bits) = cert.key().unwrap();
            assert!(bits >= if kind == KeyKind::Rsa { 2048 } else { 256 }, "{}", cert.facts());
        }
    }
}
