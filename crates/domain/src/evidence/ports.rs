//! Port states of an asset.

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
    /// state; empty as soon as any address has ports in a summarised state other than closed, since it is not known
    /// which they are.
    #[must_use]
    pub fn closed_on_every_address(&self) -> PortSet {
        let tcp_only = |protocol| protocol == Transport::Tcp;
        let undetermined = self.summarised.iter().any(|sum| tcp_only(sum.protocol) && sum.state != PortState::Closed);
        if undetermined || self.incomplete.is_some() {
            let closed: PortSet = self
                .listed
                .iter()
                .filter(|port| tcp_only(port.protocol) && port.state == PortState::Closed)
                .map(|port| port.port)
                .collect();
            return closed.iter().filter(|port| !self.listed_otherwise(*port)).collect();
        }
        self.requested.iter().filter(|port| !self.listed_otherwise(*port)).collect()
    }

    fn listed_otherwise(&self, number: u16) -> bool {
        self.listed
            .iter()
            .any(|port| port.protocol == Transport::Tcp && port.port == number && port.state != PortState::Closed)
    }

    /// The open ports.
    pub fn open(&self) -> impl Iterator<Item = &PortObservation> {
        self.listed.iter().filter(|port| port.state == PortState::Open)
    }
}
