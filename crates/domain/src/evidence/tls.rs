//! A TLS endpoint: versions, suites, groups, certificates.
//!
//! Everything here is what the server said on the wire, obtained with hellos of our own and not with the view of one
//! TLS library. Start reading at [`TlsEvidence`]. Judgements (what is weak, who is trusted) are in `checks`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Observation, ProbeFailure};

/// A protocol that turns a plain connection into TLS on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartTls {
    /// SMTP `STARTTLS` (RFC 3207).
    Smtp,
    /// IMAP `STARTTLS` (RFC 9051).
    Imap,
    /// POP3 `STLS` (RFC 2595).
    Pop3,
    /// FTP `AUTH TLS` (RFC 4217).
    Ftp,
    /// LDAP StartTLS extended operation (RFC 4511).
    Ldap,
    /// PostgreSQL `SSLRequest`.
    Postgres,
    /// MySQL `SSLRequest`.
    Mysql,
    /// XMPP `starttls` (RFC 6120).
    Xmpp,
}

impl StartTls {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Xmpp => "xmpp",
        }
    }
}

impl fmt::Display for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A protocol version, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    /// SSL 2.0.
    #[serde(rename = "SSLv2")]
    Ssl2,
    /// SSL 3.0.
    #[serde(rename = "SSLv3")]
    Ssl3,
    /// TLS 1.0.
    #[serde(rename = "TLSv1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "TLSv1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLSv1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

impl TlsVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [Self::Ssl2, Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// The wire form, as above.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSLv2",
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    /// The number in a hello: `0x0303` for TLS 1.2.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Ssl2 => 0x0002,
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }

    /// The version with that number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.code() == code)
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A TLS endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TlsEvidence {
    /// The server name sent in every hello; `None` for assets that are addresses, for which none may be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// How the connection was turned into TLS, if it did not start so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// One result for each version that was tried, oldest first.
    pub versions: Vec<VersionResult>,
    /// The distinct certificate chains that were served for the name, in the order they were met. Servers with an RSA
    /// and an ECDSA certificate have two. `Failed` says why no chain could be read.
    pub chains: Observation<Vec<ServedChain>>,
    /// The leaf served to a client that names no server, as base64 DER.
    #[serde(default)]
    pub leaf_without_sni: Observation<String>,
    /// Issuers that were not sent and were looked up at the address in the certificate (caIssuers).
    #[serde(default)]
    pub fetched_issuers: Vec<FetchedIssuer>,
    /// Key exchange groups the server accepts, over all versions.
    #[serde(default)]
    pub groups: Observation<Vec<Group>>,
    /// The application protocol chosen from `h2` and `http/1.1`; `None` when the server chose none.
    #[serde(default)]
    pub alpn: Observation<Option<String>>,
    /// Whether TLS compression was chosen when DEFLATE was offered (TLS 1.2 and older).
    #[serde(default)]
    pub compression: Observation<bool>,
    /// Whether the server knows secure renegotiation, RFC 5746 (TLS 1.2 and older).
    #[serde(default)]
    pub secure_renegotiation: Observation<bool>,
    /// How the server answered a hello that claims to be a fallback to a lower version (RFC 7507).
    #[serde(default)]
    pub fallback: Observation<Fallback>,
    /// Whether an OCSP response was stapled when one was asked for.
    #[serde(default)]
    pub ocsp_stapled: Observation<bool>,
}

impl TlsEvidence {
    /// The result for `version`, if it was tried.
    #[must_use]
    pub fn version(&self, version: TlsVersion) -> Option<&VersionResult> {
        self.versions.iter().find(|result| result.version == version)
    }

    /// Versions that were accepted, oldest first.
    pub fn accepted(&self) -> impl DoubleEndedIterator<Item = &VersionResult> {
        self.versions.iter().filter(|result| result.support == Support::Accepted)
    }

    /// The newest version on offer.
    #[must_use]
    pub fn best(&self) -> Option<TlsVersion> {
        self.accepted().next_back().map(|result| result.version)
    }
}

/// What became of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionResult {
    /// The version.
    pub version: TlsVersion,
    /// Whether the server speaks it.
    pub support: Support,
    /// The suites accepted in this version, found by offering all and removing the one that was chosen. Not attempted
    /// for versions that are not accepted, and for SSL 2.0.
    #[serde(default)]
    pub suites: Observation<SuiteList>,
    /// Handshake parameters the server signed or sent in the clear, one entry for each distinct kind that was seen
    /// (TLS 1.2 and older).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_exchanges: Vec<KeyExchange>,
}

/// Whether a server speaks a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "value", rename_all = "snake_case")]
pub enum Support {
    /// A hello limited to the version was answered with a server hello of that version.
    Accepted,
    /// The server declined.
    Refused(Refusal),
    /// Not known: no answer in time, connection trouble, or an answer that is not TLS.
    Failed(ProbeFailure),
}

/// How a server declines a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// With a fatal alert.
    Alert {
        /// The alert's number.
        code: u8,
        /// Its name: `protocol_version`.
        name: String,
    },
    /// With a server hello of another version.
    OtherVersion {
        /// The number of that version.
        code: u16,
    },
    /// By closing or resetting the connection, again when asked a second time, while it answers hellos of another
    /// version.
    Closed,
}

/// Suites of one version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SuiteList {
    /// The suites in the order the server chose them from a list of all: its preference if it has one.
    pub accepted: Vec<Suite>,
    /// Whether the server's order decides and not the client's; `None` if that was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_order: Option<bool>,
    /// Why the list may be too short (a bound was hit, a handshake failed); `None` if enumeration ended with a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

/// A cipher suite.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suite {
    /// The number in the IANA registry.
    pub id: u16,
    /// The name there: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
    pub name: String,
}

/// Parameters of a key exchange as the server sent them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyExchange {
    /// The ephemeral key.
    pub parameters: KeyParameters,
    /// The signature over them; `None` for anonymous suites and before TLS 1.2, where the protocol fixes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureScheme>,
}

/// An ephemeral server key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyParameters {
    /// Finite-field Diffie-Hellman.
    Dh {
        /// Size of the prime.
        bits: u32,
        /// SHA-256 of the prime (big-endian, no leading zeros), lower-case hex.
        prime_sha256: String,
        /// The well-known group it is: `rfc2409 group 2`, `ffdhe2048` …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_as: Option<String>,
    },
    /// A named elliptic curve.
    Ec {
        /// The group's number.
        group: u16,
    },
}

/// A signature scheme of TLS 1.2 and newer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SignatureScheme {
    /// The number in the IANA registry.
    pub id: u16,
    /// The name: `rsa_pkcs1_sha1`; the number in hex for one that has none.
    pub name: String,
}

/// A key exchange group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Group {
    /// The number in the IANA registry.
    pub id: u16,
    /// The name there: `x25519`, `X25519MLKEM768`.
    pub name: String,
    /// The newest version it was accepted in.
    pub version: TlsVersion,
}

/// A certificate chain as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedChain {
    /// The version it was served in.
    pub version: TlsVersion,
    /// The suite it was served with.
    pub suite: Suite,
    /// The certificates in the order sent, base64 DER; the first is the server's own.
    pub certificates: Vec<String>,
}

/// The issuer of a certificate, looked up outside the handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FetchedIssuer {
    /// The address named in the certificate.
    pub url: String,
    /// The certificate found there, base64 DER, or why there is none.
    pub certificate: Observation<String>,
}

/// Answer to a hello one version below the best, marked as a fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Refused with `inappropriate_fallback`.
    Refused,
    /// Accepted, with the downgrade marker of RFC 8446 in the server's random value.
    Marked,
    /// Accepted as if nothing were wrong.
    Accepted,
    /// Only one version is on offer, so there is nothing to fall back to.
    SingleVersion,
}
