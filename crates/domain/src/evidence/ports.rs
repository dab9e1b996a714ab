//! Port states of an asset.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{PortSet, Transport};

/// State of a port as seen from the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortState {
    /// Accepts connections.
    Open,
    /// Answers that nothing listens.
    Closed,
    /// Does not answer, or a filter answers for it.
    Filtered,
    /// UDP: no answer, which an open and a filtered port have in common.
    #[serde(rename = "open|filtered")]
    OpenFiltered,
    /// The host cannot be reached.
    Unreachable,
    /// Trouble on this machine; says nothing about the port.
    Error,
}

impl PortState {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
            Self::OpenFiltered => "open|filtered",
            Self::Unreachable => "unreachable",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for PortState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One port of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortObservation {
    /// The address probed.
    pub address: IpAddr,
    /// Transport protocol.
    pub protocol: Transport,
    /// Port number.
    pub port: u16,
    /// What was seen.
    pub state: PortState,
    /// What it was seen by: `syn-ack`, `conn-refused`, `no-response`, `icmp-admin-prohibited`, `emfile` …
    pub reason: String,
    /// Round-trip time in microseconds, if the port answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// Whether a TCP port that had accepted did not accept when it was asked a second time: its state is open, and doubtful.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
}

/// Ports that share a state and are not listed one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortSummary {
    /// The address probed.
    pub address: IpAddr,
    /// Transport protocol.
    pub protocol: Transport,
    /// Common state.
    pub state: PortState,
    /// Common reason.
    pub reason: String,
    /// How many ports.
    pub count: u32,
}

/// All port states of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PortsEvidence {
    /// The TCP ports that were asked for.
    pub requested: PortSet,
    /// The UDP ports that were asked for.
    #[serde(default)]
    pub requested_udp: PortSet,
    /// Ports listed one by one: all open ones, and the others where there are few.
    pub listed: Vec<PortObservation>,
    /// The rest, counted.
    #[serde(default)]
    pub summarised: Vec<PortSummary>,
    /// Addresses on which every port answered as open, ports chosen at random included: a proxy or tarpit stands in
    /// front, and open ports say nothing about services.
    #[serde(default)]
    pub everything_open: Vec<IpAddr>,
    /// Why the list may be incomplete (time ran out, cancelled); `None` if every requested port has a state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

impl PortsEvidence {
    /// Whether any port gave an answer, a refusal included.
    #[must_use]
    pub fn any_answer(&self) -> bool {
        let answers = |state| matches!(state, PortState::Open | PortState::Closed);
        self.listed.iter().any(|port| answers(port.state)) || self.summarised.iter().any(|sum| answers(sum.state))
    }

    /// TCP ports that answered as closed on every address: those requested, less every port listed with another
    /// state. Where ports of an address are summarised in another state than closed (or have none, because the scan
    /// was cut short), it is not known which they are; then only ports listed as closed on that address count.
    #[must_use]
    pub fn closed_on_every_address(&self) -> PortSet {
        let tcp_sums = || self.summarised.iter().filter(|sum| sum.protocol == Transport::Tcp);
        let tcp_listed = || self.listed.iter().filter(|port| port.protocol == Transport::Tcp);
        let addresses: BTreeSet<IpAddr> =
            tcp_listed().map(|port| port.address).chain(tcp_sums().map(|sum| sum.address)).collect();
        if addresses.is_empty() {
            return PortSet::new();
        }
        let unclear: Vec<IpAddr> = addresses
            .into_iter()
            .filter(|address| {
                self.incomplete.is_some()
                    || tcp_sums().any(|sum| sum.address == *address && sum.state != PortState::Closed)
            })
            .collect();
        let closed: HashSet<(IpAddr, u16)> =
            tcp_listed().filter(|port| port.state == PortState::Closed).map(|port| (port.address, port.port)).collect();
        let otherwise: HashSet<u16> =
            tcp_listed().filter(|port| port.state != PortState::Closed).map(|port| port.port).collect();
        self.requested
            .iter()
            .filter(|port| {
                !otherwise.contains(port) && unclear.iter().all(|address| closed.contains(&(*address, *port)))
            })
            .collect()
    }

    /// The open ports.
    pub fn open(&self) -> impl Iterator<Item = &PortObservation> {
        self.listed.iter().filter(|port| port.state == PortState::Open)
    }

    /// Of these, the ones that nothing speaks against: those that did not accept a second time are left out.
    pub fn confirmed(&self) -> impl Iterator<Item = &PortObservation> {
        self.open().filter(|port| !port.unconfirmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(address: &str, port: u16, state: PortState) -> PortObservation {
        PortObservation {
            unconfirmed: false,
            address: address.parse().unwrap(),
            protocol: Transport::Tcp,
            port,
            state,
            reason: "test".into(),
            rtt_us: None,
        }
    }

    fn summary(address: &str, state: PortState, count: u32) -> PortSummary {
        PortSummary { address: address.parse().unwrap(), protocol: Transport::Tcp, state, reason: "test".into(), count }
    }

    #[test]
    fn a_port_counts_as_closed_only_where_every_address_says_so() {
        let mut ports = PortsEvidence {
            requested: "22,80,443".parse().unwrap(),
            listed: vec![listed("192.0.2.1", 22, PortState::Open)],
            summarised: vec![summary("192.0.2.1", PortState::Closed, 2), summary("192.0.2.2", PortState::Closed, 3)],
            ..PortsEvidence::default()
        };
        assert_eq!(ports.closed_on_every_address().to_string(), "80,443");
        ports.summarised[1].state = PortState::Filtered;
        assert_eq!(ports.closed_on_every_address().to_string(), "");
        ports.listed.push(listed("192.0.2.2", 80, PortState::Closed));
        assert_eq!(ports.closed_on_every_address().to_string(), "80");
        ports.incomplete = Some("cancelled".into());
        assert_eq!(ports.closed_on_every_address().to_string(), "");
        assert!(
            PortsEvidence { requested: PortSet::all(), ..PortsEvidence::default() }
                .closed_on_every_address()
                .is_empty()
        );
    }
}
