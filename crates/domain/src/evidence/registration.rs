//! Registration of a domain, from RDAP (RFC 9083) or, where the registry has none, from WHOIS (RFC 3912).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Registration data of the registered domain an asset belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistrationEvidence {
    /// The registered domain (for `www.example.com`, `example.com`).
    pub domain: String,
    /// The protocol that answered.
    pub source: RegistrationSource,
    /// The server that answered: URL for RDAP, `host:port` for WHOIS.
    pub server: String,
    /// Registrar name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// When the registration began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    /// When it ends; `None` where the registry does not publish it, which says nothing about the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// Last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<DateTime<Utc>>,
    /// Status values in the words of RDAP (`client transfer prohibited`), lower case, sorted; EPP names of WHOIS are
    /// translated by RFC 8056. `None` where the source publishes no status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Vec<String>>,
    /// Name servers on record, lower case, no trailing dot, sorted.
    #[serde(default)]
    pub nameservers: Vec<String>,
    /// Whether the registry holds DS records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation_signed: Option<bool>,
}

/// Where registration data came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationSource {
    /// Registration Data Access Protocol.
    Rdap,
    /// WHOIS on TCP port 43.
    Whois,
}
