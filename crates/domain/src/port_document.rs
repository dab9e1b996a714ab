//! The result of a port scan as one document, `bartizan.ports/1`: what `bartizan ports -o json` writes and what its
//! other formats are rendered from. The schema is documented in `docs/formats.md`.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::StartTls;
use crate::evidence::ports::{PortState, PortSummary};
use crate::{PortSet, Transport};

/// Name and version of the document.
pub const PORTS_SCHEMA: &str = "bartizan.ports/1";

/// Reason of the open ports, counted, of a host on which every port is open.
pub const ACCEPTS_EVERYTHING: &str = "accepts-everything";

/// A whole port scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortsDocument {
    /// [`PORTS_SCHEMA`].
    pub schema: String,
    /// What was asked for and how it went.
    pub scan: PortsSummary,
    /// Hosts that answered on any port, and silent ones that were named singly; in order of address.
    pub hosts: Vec<PortsHost>,
}

/// Head of a port scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortsSummary {
    /// Targets as the user wrote them.
    pub targets: Vec<String>,
    /// How many addresses they come to, exclusions taken away.
    pub addresses: u64,
    /// TCP ports asked.
    pub tcp_ports: PortSet,
    /// UDP ports asked.
    pub udp_ports: PortSet,
    /// Engine that asked the TCP ports: `syn` or `connect`.
    pub engine: String,
    /// Whether open ports were asked what speaks there.
    pub service_detection: bool,
    /// Options as the user wrote them, the program's name first; empty where nobody wrote any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Whether only open ports were asked for: ports in other states are then counted, and hosts without an open port left
    /// out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_open: bool,
    /// How many of the addresses answered. Those that are listed among the hosts may be fewer (`only_open`).
    #[serde(default)]
    pub answered: u64,
    /// How it ended.
    pub status: PortsStatus,
    /// Whether results have gaps.
    pub partial: bool,
    /// One sentence per gap.
    #[serde(default)]
    pub partial_reasons: Vec<String>,
    /// Start, UTC.
    pub started_at: DateTime<Utc>,
    /// End, UTC.
    pub finished_at: DateTime<Utc>,
    /// Version of the program.
    pub tool_version: String,
}

/// How a port scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortsStatus {
    /// Everything that was asked for was done; `partial` beside it says whether that leaves doubts.
    Completed,
    /// It ended before that: time ran out, a name had no address, there was no way to an address, this machine was in
    /// trouble, or nobody took the results.
    Incomplete,
    /// A person stopped it.
    Cancelled,
}

impl PortsStatus {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for PortsStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortsHost {
    /// The address.
    pub address: IpAddr,
    /// The interface of the link that a link-local address is on (RFC 4007).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Names among the targets that lead to it.
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether it answered anything; a refusal is an answer.
    pub answered: bool,
    /// What it was seen to be there by: `neighbour` (ARP or neighbour discovery), `echo-reply`, `port-response`; or why it
    /// counts as absent: `no-neighbour`, `no-route`, `no-router`, `no-response`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hardware address as `02:00:5e:10:00:01`, if it is on the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Smoothed round-trip time in microseconds, if anything answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// Ports one by one, in order of protocol and number: all open ones, and those of the other states that few ports
    /// have. Of a host with `everything_open` the open TCP ports too are listed only if they are few.
    pub ports: Vec<PortRecord>,
    /// The rest, counted.
    #[serde(default)]
    pub summarised: Vec<PortSummary>,
    /// Every port answers as open, ports chosen at random included: a proxy or tarpit stands in front, and open ports
    /// say nothing about services.
    #[serde(default, skip_serializing_if = "is_false")]
    pub everything_open: bool,
}

/// One port of one address; also a line of the JSON Lines form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRecord {
    /// The address.
    pub address: IpAddr,
    /// As with [`PortsHost::zone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Port number.
    pub port: u16,
    /// Transport.
    pub protocol: Transport,
    /// State.
    pub state: PortState,
    /// What the state was seen by: `syn-ack`, `conn-refused`, `no-response` …
    pub reason: String,
    /// Round-trip time in microseconds, if the port answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// Time to live (hop limit) of the answer as it arrived; the connect engine does not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u8>,
    /// It was open, and did not accept when it was asked a second time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unconfirmed: bool,
    /// It is open on a host that accepts on every port, so this proves nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub everything_open: bool,
    /// Protocol spoken, by its answer and not by its number; null where nothing we know answered, and where nobody
    /// asked.
    #[serde(default)]
    pub service: Option<String>,
    /// Whether it is spoken inside TLS from the first byte.
    #[serde(default)]
    pub tls: bool,
    /// The upgrade to TLS that is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<StartTls>,
    /// Product name.
    #[serde(default)]
    pub product: Option<String>,
    /// Product version.
    #[serde(default)]
    pub version: Option<String>,
    /// CPE 2.3 name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
    /// The beginning of what the server says, printable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
}

impl PortsDocument {
    /// Whether the scan only looked which hosts are there, and asked no ports.
    #[must_use]
    pub fn is_discovery(&self) -> bool {
        self.scan.tcp_ports.is_empty() && self.scan.udp_ports.is_empty()
    }

    /// How many addresses answered, also in documents that name only the listed ones.
    #[must_use]
    pub fn answered(&self) -> u64 {
        let listed = self.hosts.iter().filter(|host| host.answered).count() as u64;
        self.scan.answered.max(listed)
    }
}

impl PortsHost {
    /// Counts ports of other states than open that are listed: of them only how many there are is kept.
    pub fn keep_open(&mut self) {
        let (open, others) =
            std::mem::take(&mut self.ports).into_iter().partition(|port| port.state == PortState::Open);
        self.ports = open;
        let others: Vec<PortRecord> = others;
        for PortRecord { protocol, state, reason, .. } in others {
            let same = |sum: &&mut PortSummary| (sum.protocol, sum.state, &sum.reason) == (protocol, state, &reason);
            match self.summarised.iter_mut().find(same) {
                Some(sum) => sum.count += 1,
                None => self.summarised.push(PortSummary { address: self.address, protocol, state, reason, count: 1 }),
            }
        }
        self.summarised.sort_by(|a, b| (a.protocol, a.state, &a.reason).cmp(&(b.protocol, b.state, &b.reason)));
    }

    /// Whether a port of it is open.
    #[must_use]
    pub fn has_open(&self) -> bool {
        let listed = self.ports.iter().map(|port| port.state);
        listed.chain(self.summarised.iter().map(|sum| sum.state)).any(|state| state == PortState::Open)
    }

    /// The address with its zone, as RFC 4007 section 11 writes it: `fe80::1%eth0`.
    #[must_use]
    pub fn address_text(&self) -> String {
        address_text(self.address, self.zone.as_deref())
    }
}

impl PortRecord {
    /// The address with its zone, as [`PortsHost::address_text`].
    #[must_use]
    pub fn address_text(&self) -> String {
        address_text(self.address, self.zone.as_deref())
    }
}

fn address_text(address: IpAddr, zone: Option<&str>) -> String {
    zone.map_or_else(|| address.to_string(), |zone| format!("{address}%{zone}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_are_not_wanted_one_by_one_join_those_that_are_counted() {
        let port = |port: u16, state: &str, reason: &str| {
            format!(r#"{{"address":"192.0.2.1","port":{port},"protocol":"tcp","state":"{state}","reason":"{reason}"}}"#)
        };
        let ports = [
            port(22, "open", "syn-ack"),
            port(23, "closed", "conn-refused"),
            port(24, "closed", "conn-refused"),
            port(25, "filtered", "no-response"),
        ];
        let text = format!(
            r#"{{"address":"192.0.2.1","answered":true,"ports":[{}],"summarised":[
                {{"address":"192.0.2.1","protocol":"tcp","state":"filtered","reason":"no-response","count":40}}]}}"#,
            ports.join(",")
        );
        let mut host: PortsHost = serde_json::from_str(&text).unwrap();
        host.keep_open();
        assert_eq!(host.ports.iter().map(|port| port.port).collect::<Vec<_>>(), [22]);
        let counts: Vec<_> = host.summarised.iter().map(|sum| (sum.state, sum.count)).collect();
        assert_eq!(counts, [(PortState::Closed, 2), (PortState::Filtered, 41)]);
        assert!(host.has_open());
        host.ports.clear();
        assert!(!host.has_open());
    }
}
