//! What probes gather: typed facts about one asset, with the failures kept.
//!
//! A probe never judges and a check never does I/O; this module is the whole contract between them. Every fact is
//! wrapped so that "we looked and it was not there", "we looked and failed" and "we did not look" stay apart
//! ([`Observation`], [`Section`]). Secrets (cookie values, credentials, response bodies that matched a secret
//! pattern) are redacted by the probe before they enter a structure here.
//!
//! The types are versioned as a whole by [`EVIDENCE_VERSION`]; the `evidence` crate stores them and upgrades
//! documents of earlier versions. Adding an optional field with `#[serde(default)]` is compatible; anything else
//! needs a new version and an upgrade step.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AssetRef, Location, Transport};

pub mod dns;
pub mod mail;
pub mod ports;
pub mod registration;
pub mod service;
pub mod ssh;
pub mod tls;
pub mod web;

pub use dns::DnsEvidence;
pub use mail::MailEvidence;
pub use ports::PortsEvidence;
pub use registration::RegistrationEvidence;
pub use service::ServiceEvidence;
pub use ssh::SshEvidence;
pub use tls::{StartTls, TlsEvidence};
pub use web::{Scheme, WebEvidence};

/// Version of the evidence types below, written into every stored document.
pub const EVIDENCE_VERSION: u32 = 1;

/// Which part of [`HostEvidence`] a check reads, and therefore which probe a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Port states.
    Ports,
    /// Service identification of open ports.
    Services,
    /// TLS endpoints and their certificates.
    Tls,
    /// HTTP sites.
    Web,
    /// SSH servers.
    Ssh,
    /// DNS zone, delegation, DNSSEC, CAA.
    Dns,
    /// Mail policy records.
    Mail,
    /// Domain registration.
    Registration,
}

/// One fact that was looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", content = "value", rename_all = "snake_case")]
pub enum Observation<T> {
    /// Looked and found (which includes finding that a thing is absent, where `T` can say so).
    Observed(T),
    /// Looked and failed.
    Failed(ProbeFailure),
    /// Did not look.
    NotAttempted {
        /// One sentence: `web checks are switched off`.
        reason: String,
    },
    /// Looking makes no sense here, for instance the mail policy of an address.
    NotApplicable {
        /// One sentence.
        reason: String,
    },
}

impl<T> Observation<T> {
    /// Nobody looked, because of `reason`.
    pub fn not_attempted(reason: impl Into<String>) -> Self {
        Self::NotAttempted { reason: reason.into() }
    }

    /// The value, if there is one.
    pub const fn observed(&self) -> Option<&T> {
        match self {
            Self::Observed(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> Default for Observation<T> {
    fn default() -> Self {
        Self::not_attempted("the probe did not run")
    }
}

impl<T> From<Result<T, ProbeFailure>> for Observation<T> {
    fn from(result: Result<T, ProbeFailure>) -> Self {
        match result {
            Ok(value) => Self::Observed(value),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// Why a probe did not yield what it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", kind.as_str())]
pub struct ProbeFailure {
    /// Class of failure.
    pub kind: FailureKind,
    /// One sentence for the reader, without secrets.
    pub detail: String,
}

impl ProbeFailure {
    /// A failure of `kind`, explained.
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// Class of a probe failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No answer in time.
    Timeout,
    /// The peer refused the connection.
    Refused,
    /// The peer closed or reset in the middle.
    Reset,
    /// No route, host down.
    Unreachable,
    /// The peer spoke, but not the protocol or not correctly.
    Protocol,
    /// The name could not be resolved.
    Resolution,
    /// A bound of ours was hit (size, count, depth).
    Limit,
    /// Our own policy forbids contacting this address.
    Denied,
    /// The scan was cancelled or ran out of time.
    Cancelled,
    /// A failure on this machine (descriptors, buffers, permissions). Says nothing about the peer.
    Local,
}

impl FailureKind {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Unreachable => "unreachable",
            Self::Protocol => "protocol",
            Self::Resolution => "resolution",
            Self::Limit => "limit",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Local => "local",
        }
    }
}

/// A network endpoint of the asset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address contacted.
    pub address: IpAddr,
    /// Transport protocol.
    pub transport: Transport,
    /// Port number.
    pub port: u16,
}

impl Endpoint {
    /// A TCP endpoint.
    #[must_use]
    pub const fn tcp(address: IpAddr, port: u16) -> Self {
        Self { address, transport: Transport::Tcp, port }
    }

    /// The location key of this endpoint; the address is left out on purpose (see [`Location`]).
    #[must_use]
    pub fn location(&self) -> Location {
        Location::port(self.transport, self.port)
    }
}

/// What was observed at one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtEndpoint<T> {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub observation: Observation<T>,
}

/// Observations of one kind at any number of endpoints, with a statement about completeness: an empty complete
/// section means "there is none", an empty incomplete one means "we do not know".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section<T> {
    /// `None`: every endpoint that qualifies is listed. `Some(reason)`: the list may lack endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// The endpoints, in order of address and port.
    pub items: Vec<AtEndpoint<T>>,
}

impl<T> Section<T> {
    /// A section nobody filled.
    pub fn not_attempted(reason: impl Into<String>) -> Self {
        Self { incomplete: Some(reason.into()), items: Vec::new() }
    }

    /// A section that lists everything there is.
    #[must_use]
    pub const fn complete(items: Vec<AtEndpoint<T>>) -> Self {
        Self { incomplete: None, items }
    }
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self::not_attempted("the probe did not run")
    }
}

/// Everything one scan gathered about one asset. Immutable once written; checks are pure functions of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostEvidence {
    /// The asset.
    pub asset: AssetRef,
    /// When gathering began. Judgements about dates use this instant and no other clock, so that judging the same
    /// evidence twice gives the same verdicts.
    pub gathered_at: DateTime<Utc>,
    /// Addresses of the asset: what its name resolved to, or the address itself.
    pub addresses: Observation<Vec<IpAddr>>,
    /// Port states.
    #[serde(default)]
    pub ports: Observation<PortsEvidence>,
    /// What speaks on the open ports.
    #[serde(default)]
    pub services: Section<ServiceEvidence>,
    /// TLS endpoints.
    #[serde(default)]
    pub tls: Section<TlsEvidence>,
    /// HTTP sites.
    #[serde(default)]
    pub web: Section<WebEvidence>,
    /// SSH servers.
    #[serde(default)]
    pub ssh: Section<SshEvidence>,
    /// DNS facts; `NotApplicable` for addresses.
    #[serde(default)]
    pub dns: Observation<DnsEvidence>,
    /// Mail policy; `NotApplicable` for addresses.
    #[serde(default)]
    pub mail: Observation<MailEvidence>,
    /// Registration data; `NotApplicable` for addresses.
    #[serde(default)]
    pub registration: Observation<RegistrationEvidence>,
}

impl HostEvidence {
    /// Evidence about `asset` with nothing gathered yet.
    #[must_use]
    pub fn new(asset: AssetRef, gathered_at: DateTime<Utc>) -> Self {
        Self {
            asset,
            gathered_at,
            addresses: Observation::default(),
            ports: Observation::default(),
            services: Section::default(),
            tls: Section::default(),
            web: Section::default(),
            ssh: Section::default(),
            dns: Observation::default(),
            mail: Observation::default(),
            registration: Observation::default(),
        }
    }

    /// Whether anything at all answered: an open or closed port (a reset is an answer), or a DNS answer about the
    /// zone. An asset that is not reached has no score.
    #[must_use]
    pub fn reached(&self) -> bool {
        let port_answered = self.ports.observed().is_some_and(PortsEvidence::any_answer);
        port_answered
            || !self.tls.items.is_empty()
            || !self.web.items.is_empty()
            || self.dns.observed().is_some()
            || self.registration.observed().is_some()
    }
}
