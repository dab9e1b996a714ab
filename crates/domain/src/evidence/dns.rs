//! DNS facts of a domain: its zone and servers, CAA, zone transfer, and the raw material of the DNSSEC chain.
//!
//! DNSSEC is kept as records and not as a verdict: the chain is validated by the check, against the trust anchors and
//! the time of gathering, so that old evidence can be judged again.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Observation, ProbeFailure};

/// DNS facts of a domain that exists in the DNS.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DnsEvidence {
    /// The name asked about: lower case, A-labels, no trailing dot.
    pub name: String,
    /// The resolver that answered, `address:port`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resolver: String,
    /// The zone that holds the name, and its servers.
    #[serde(default)]
    pub zone: Observation<ZoneFacts>,
    /// CAA records, climbing from the name towards the root until a set is found (RFC 8659 section 3).
    #[serde(default)]
    pub caa: Observation<CaaClimb>,
    /// One transfer attempt for every address of every name server of the zone.
    #[serde(default)]
    pub transfers: Observation<Vec<TransferAttempt>>,
    /// The records of the DNSSEC chain from the root to the zone.
    #[serde(default)]
    pub dnssec: Observation<DnssecChain>,
}

/// A zone as its resolver shows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ZoneFacts {
    /// Name of the apex; `""` is never used, the root is `.`.
    pub apex: String,
    /// Primary server named in the SOA record.
    pub primary: String,
    /// Serial of the SOA record.
    pub serial: u32,
    /// Name servers of the zone, ordered by name.
    pub servers: Vec<NameServer>,
}

/// A name server and its addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NameServer {
    /// Host name, lower case, no trailing dot.
    pub name: String,
    /// IPv4 and IPv6 addresses, in order.
    pub addresses: Observation<Vec<IpAddr>>,
}

/// The climb in search of CAA records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaaClimb {
    /// Names asked, in order; the records are those of the last one, if any.
    pub asked: Vec<String>,
    /// The relevant record set; empty when the climb reached the top without finding one.
    pub records: Vec<CaaRecord>,
    /// Why the climb ended below the top-level domain: the public suffix above the domain could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// One CAA record (RFC 8659 section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaaRecord {
    /// Whether an issuer that does not understand the tag must refuse.
    pub critical: bool,
    /// Tag, lower case: `issue`, `issuewild`, `iodef` …
    pub tag: String,
    /// Value as text; bytes that are not UTF-8 are replaced.
    pub value: String,
}

/// One attempt to transfer the zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferAttempt {
    /// Name of the server.
    pub server: String,
    /// Address asked.
    pub address: IpAddr,
    /// How it ended.
    pub outcome: TransferOutcome,
}

/// How a transfer attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The server sent zone content. Reading stops once that is proven; only names are kept, and few of them.
    Transferred {
        /// Serial of the SOA record the transfer began with.
        serial: u32,
        /// Records read before we stopped, the SOA included.
        records: u32,
        /// Whether the closing SOA was seen, so that `records` is the whole zone.
        complete: bool,
        /// The first few owner names.
        sample: Vec<String>,
    },
    /// The server answered that it does not.
    Refused {
        /// Response code: `REFUSED`, `NOTAUTH` …, or `closed` when it ended the connection without an answer.
        code: String,
    },
    /// Nothing listens for TCP at that address, so nothing can be transferred.
    NoTcp,
    /// The attempt failed without an answer; it says nothing about the server's policy.
    Failed {
        /// Why.
        failure: ProbeFailure,
    },
}

/// A record exactly as it was received: enough to verify a signature over it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RawRecord {
    /// Owner name in presentation form with the trailing dot.
    pub name: String,
    /// Record type number (IANA "Resource Record (RR) TYPEs").
    pub kind: u16,
    /// Time to live.
    pub ttl: u32,
    /// RDATA, uncompressed, hexadecimal.
    pub rdata: String,
}

/// An answer with its signatures and proofs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SignedAnswer {
    /// Response code number: 0 no error, 3 no such name.
    pub code: u16,
    /// Answer section.
    #[serde(default)]
    pub answer: Vec<RawRecord>,
    /// Authority section: the SOA and the NSEC or NSEC3 records of a negative answer.
    #[serde(default)]
    pub authority: Vec<RawRecord>,
}

/// The DNSSEC records from the root to the zone of the name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DnssecChain {
    /// The zones, the root first and the zone that holds the name last.
    pub zones: Vec<ZoneKeys>,
    /// Signed data of the zone itself: its SOA, its NSEC3PARAM and the addresses of the name.
    pub data: Vec<SignedData>,
}

/// Keys of one zone and how its parent vouches for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneKeys {
    /// Name of the zone with the trailing dot; `.` is the root.
    pub zone: String,
    /// DS records, from the parent; `NotApplicable` for the root.
    pub ds: Observation<SignedAnswer>,
    /// DNSKEY records, from the zone.
    pub dnskey: Observation<SignedAnswer>,
}

/// One query for signed data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedData {
    /// Name asked, with the trailing dot.
    pub name: String,
    /// Type asked.
    pub kind: u16,
    /// The answer.
    pub answer: Observation<SignedAnswer>,
}
