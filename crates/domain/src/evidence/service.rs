//! What speaks on an open port, found by talking to it and not by its number.
//!
//! The protocol is decided by the peer's answer alone. Everything textual is printable, bounded and free of secrets;
//! the probe sees to that. What each protocol's exposure means is not said here but in `content/services/classes.toml`
//! and in the checks.

use serde::{Deserialize, Serialize};

use super::StartTls;

/// Longest banner kept, in characters.
pub const MAX_BANNER: usize = 256;

/// Identification of one open port.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceEvidence {
    /// Protocol name: `http`, `ssh`, `smtp`, `redis` …; `None` when nothing that we know answered. The names are the
    /// keys of `content/services/classes.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Whether the protocol runs inside TLS from the first byte. With `service` absent: TLS answers, and what runs
    /// inside is not known.
    #[serde(default)]
    pub tls: bool,
    /// The upgrade to TLS that the server offers; see also [`Self::upgrade`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// What became of asking for an upgrade to TLS.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// Product name as the vendor writes it: `OpenSSH`, `nginx`, `PostgreSQL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Product version as the server states it, distribution suffix included where it states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// CPE 2.3 name: `cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
    /// The beginning of what the server says, printable, at most [`MAX_BANNER`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// Whether the service can be used without credentials.
    #[serde(default)]
    pub access: Access,
    /// Facts of one protocol that its checks need.
    #[serde(default)]
    pub details: ServiceDetails,
}

impl ServiceEvidence {
    /// Whether HTTP is spoken here, be it a web site or a service with an HTTP interface.
    #[must_use]
    pub const fn speaks_http(&self) -> bool {
        matches!(self.details, ServiceDetails::Http { .. })
    }
}

/// What became of asking for an upgrade to TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Upgrade {
    /// The protocol has no upgrade, or runs inside TLS already.
    #[default]
    None,
    /// Offered.
    Offered,
    /// The server says that it does not do it.
    NotOffered,
    /// It could not be found out.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

/// Whether a service can be used without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Access {
    /// The server refused a harmless read for want of credentials, or says that it demands them.
    AuthRequired {
        /// What it answered.
        proof: String,
    },
    /// A harmless read succeeded without credentials.
    Open {
        /// What was asked and what came back, in one line, without the content of any record.
        proof: String,
    },
    /// It could not be found out, or there is nothing to find out.
    Unknown {
        /// One sentence.
        reason: String,
    },
}

impl Default for Access {
    fn default() -> Self {
        Self::Unknown { reason: "anonymous access was not tried".to_owned() }
    }
}

/// Facts that only some protocols have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServiceDetails {
    /// Nothing beside the common facts.
    #[default]
    None,
    /// The answer to one `GET /`.
    Http {
        /// Status code.
        status: u16,
        /// Scheme names of `WWW-Authenticate`, lower case: `basic`, `digest`, `negotiate`.
        #[serde(default)]
        auth_schemes: Vec<String>,
    },
    /// SMTP, IMAP or POP3.
    Mail {
        /// Login mechanisms offered before any upgrade to TLS: `PLAIN`, `LOGIN`, `USER`.
        #[serde(default)]
        clear_auth: Vec<String>,
    },
    /// VNC security types in the server's order (RFC 6143 section 7.1.2): 1 None, 2 VNC authentication, 19 VeNCrypt.
    Vnc {
        /// The types.
        security_types: Vec<u8>,
    },
    /// Remote Desktop: what the server accepts in the protocol negotiation ([MS-RDPBCGR] 2.2.1.1).
    Rdp {
        /// Standard RDP security (RC4 at best, no server authentication); `None` if it could not be found out.
        standard: Option<bool>,
        /// TLS without Network Level Authentication.
        tls: Option<bool>,
        /// CredSSP, that is Network Level Authentication.
        nla: Option<bool>,
    },
    /// SMB negotiation.
    Smb {
        /// Highest SMB 2/3 dialect accepted: `3.1.1`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dialect: Option<String>,
        /// Whether SMB 1 is spoken; `None` if it could not be found out.
        smb1: Option<bool>,
        /// Whether the server demands signing.
        signing_required: Option<bool>,
    },
    /// rsync modules that the server lists to anybody.
    Rsync {
        /// Names, at most 20.
        modules: Vec<String>,
    },
    /// DNS over TCP.
    Dns {
        /// Whether recursion is available to us.
        recursion: bool,
    },
}
