//! Port states: from the engine's results to evidence. The engine asks open ports a second time and unmasks hosts that
//! accept everything (`bartizan_portscan::masking`); what it says of them is carried over.
//!
//! Everything goes through `bartizan-portscan`, which gets only addresses that the outbound policy allows, and for UDP
//! ports a request of their own protocol (`content/ports/udp.toml`). Which ports are worth asking is [`named_set`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use bartizan_domain::evidence::ports::{PortObservation, PortState, PortSummary, PortsEvidence};
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure};
use bartizan_domain::{PortSet, Transport};
use bartizan_portscan::{
    Control, Event, Finding, HostReason, HostReport, Job, Presence, Protocol, Settings, State, zone,
};
use tokio::sync::mpsc;

use crate::ProbeContext;

mod sets;
pub(crate) mod udp;

pub use sets::{default_udp, named_set};

/// Ports in other states than open are listed one by one up to this number an address, and counted beyond.
const LIST_AT_MOST: usize = 32;
/// Longest wait for the answer of one TCP port.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);
/// Attempts in flight for one asset.
const IN_FLIGHT: usize = 1000;
/// Reports of progress that wait to be taken.
const PROGRESS_WAITING: usize = 16;

/// Which ports to ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortPlan {
    /// TCP ports.
    pub tcp: PortSet,
    /// UDP ports.
    pub udp: PortSet,
}

/// Where a port scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortProgress {
    /// Pairs of address and port in the plan.
    pub total: u64,
    /// Pairs with a state.
    pub done: u64,
    /// Of these, open.
    pub open: u64,
}

/// Finds the state of every planned port on every address. Addresses that the policy forbids are left out, and the
/// evidence says so.
pub async fn gather(
    cx: &ProbeContext,
    addresses: &[IpAddr],
    plan: &PortPlan,
    progress: &(dyn Fn(PortProgress) + Send + Sync),
) -> Observation<PortsEvidence> {
    if plan.tcp.is_empty() && plan.udp.is_empty() {
        return Observation::not_attempted("no port was asked for");
    }
    let policy = cx.outbound.settings().policy;
    let mut allowed: BTreeSet<IpAddr> = BTreeSet::new();
    let mut denied: Option<ProbeFailure> = None;
    for address in addresses {
        // Whatever a name resolves to has no zone, and the engine takes no link-local address without one.
        if zone::is_link_local(*address) {
            let detail = format!("{address} is not contacted: it is a link-local address, and its link is not known");
            denied = Some(ProbeFailure::new(FailureKind::Local, detail));
            continue;
        }
        match policy.vet(*address) {
            Ok(()) => drop(allowed.insert(address.to_canonical())),
            Err(failure) => denied = Some(failure),
        }
    }
    if allowed.is_empty() {
        return match denied {
            Some(failure) => Observation::Failed(failure),
            None => Observation::not_attempted("the asset has no address"),
        };
    }
    let addresses: Vec<IpAddr> = allowed.into_iter().collect();
    let mut states = States::default();
    let ports = Ports { tcp: plan.tcp.iter().collect(), udp: plan.udp.iter().collect() };
    let Asked { findings, reports, cancelled } = match scan(cx, &addresses, ports, progress).await {
        Ok(result) => result,
        Err(failure) => return Observation::Failed(failure),
    };
    for finding in findings {
        states.add(finding);
    }
    let unmasked = reports.values().filter(|report| report.accepts_everything).map(|report| report.address);
    let mut evidence = PortsEvidence {
        requested: plan.tcp.clone(),
        requested_udp: plan.udp.clone(),
        everything_open: unmasked.collect(),
        incomplete: denied.map(|failure| failure.detail),
        ..PortsEvidence::default()
    };
    let is_nobody = |report: &&HostReport| report.presence == Presence::Down(HostReason::NoHost);
    if let Some(nobody) = reports.values().find(is_nobody) {
        let address = nobody.address;
        evidence.incomplete = Some(format!("{address} belongs to no host (a broadcast address) and was not asked"));
    }
    if cancelled {
        evidence.incomplete = Some("the scan was stopped before every port had a state".to_owned());
    }
    states.write(&mut evidence, &reports);
    evidence.listed.sort_by_key(|port| (port.address, port.protocol, port.port));
    Observation::Observed(evidence)
}

/// What the engine is to ask.
struct Ports {
    tcp: Vec<u16>,
    udp: Vec<u16>,
}

/// What came of it.
struct Asked {
    findings: Vec<Finding>,
    /// What the engine says of each address that it finished.
    reports: BTreeMap<IpAddr, HostReport>,
    cancelled: bool,
}

/// Runs the engine on a blocking thread and brings its events back.
async fn scan(
    cx: &ProbeContext,
    addresses: &[IpAddr],
    ports: Ports,
    progress: &(dyn Fn(PortProgress) + Send + Sync),
) -> Result<Asked, ProbeFailure> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| {
        bartizan_portscan::descriptors::raise_limit();
    });

    let outbound = cx.outbound.settings();
    let policy = outbound.policy;
    let job = Job {
        never: Arc::new(move |address| policy.vet(address).is_err()),
        settings: Settings {
            engine: cx.port_engine,
            timeout: outbound.connect_timeout.min(LONGEST_WAIT),
            max_in_flight: IN_FLIGHT,
            ..Settings::default()
        },
        udp_ports: ports.udp,
        udp_payloads: Arc::new(udp::payloads()),
        ..Job::new(addresses.to_vec(), ports.tcp)
    };
    let control = Control::new();
    let on_engine = cx.on_engine.clone();
    let (sender, mut receiver) = mpsc::channel(PROGRESS_WAITING);
    let engine = {
        let control = control.clone();
        tokio::task::spawn_blocking(move || {
            let (mut findings, mut reports) = (Vec::new(), BTreeMap::new());
            let outcome = bartizan_portscan::run(&job, &control, |event| match event {
                Event::Found(finding) => findings.push(finding),
                Event::Host(report) => drop(reports.insert(report.address, *report)),
                // Progress that nobody takes is dropped, the next one says more.
                Event::Progress(progress) => drop(sender.try_send(progress)),
                Event::Engine(choice) => {
                    if let Some(tell) = &on_engine {
                        tell(&choice);
                    }
                }
                _ => {}
            });
            (findings, reports, outcome)
        })
    };
    // Dropping this future (the caller gave up) must end the engine too.
    let _stop = StopOnDrop(control.clone());
    loop {
        tokio::select! {
            () = cx.cancel.cancelled(), if !control.is_cancelled() => control.cancel(),
            event = receiver.recv() => match event {
                Some(event) => progress(PortProgress { total: event.total, done: event.done, open: event.open }),
                None => break,
            },
        }
    }
    let (findings, reports, outcome) = engine
        .await
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("the port scan broke off: {error}")))?;
    let outcome = outcome.map_err(|error| ProbeFailure::new(FailureKind::Local, error.to_string()))?;
    Ok(Asked { findings, reports, cancelled: outcome.cancelled })
}

struct StopOnDrop(Control);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[derive(Default)]
struct States {
    by_address: BTreeMap<IpAddr, Vec<Finding>>,
    udp: Vec<Finding>,
}

impl States {
    fn add(&mut self, finding: Finding) {
        if finding.protocol == Protocol::Udp {
            self.udp.push(finding);
        } else {
            self.by_address.entry(finding.address).or_default().push(finding);
        }
    }

    fn write(&self, evidence: &mut PortsEvidence, reports: &BTreeMap<IpAddr, HostReport>) {
        for (address, ports) in &self.by_address {
            let answers = ports.iter().any(|port| matches!(port.state, State::Open | State::Closed));
            let hide_open = evidence.everything_open.contains(address);
            let is_listed = |port: &Finding| port.state == State::Open && !hide_open;
            let others = ports.iter().filter(|port| !is_listed(port)).count();
            let refuted = reports.get(address).map_or(&[][..], |report| &report.unconfirmed);
            let mut counts: BTreeMap<(PortState, String), u32> = BTreeMap::new();
            for port in ports {
                let (state, reason) = translate(port, answers);
                if is_listed(port) || (others <= LIST_AT_MOST && !hide_open) {
                    let unconfirmed = port.state == State::Open && refuted.contains(&port.port);
                    let seen = observation(port, Transport::Tcp, state, reason);
                    evidence.listed.push(PortObservation { unconfirmed, ..seen });
                } else {
                    *counts.entry((state, reason)).or_default() += 1;
                }
            }
            evidence.summarised.extend(counts.into_iter().map(|((state, reason), count)| PortSummary {
                address: *address,
                protocol: Transport::Tcp,
                state,
                reason,
                count,
            }));
        }
        // Few are asked, and silence is their rule: each stands for itself.
        evidence.listed.extend(self.udp.iter().map(|port| {
            let (state, reason) = translate(port, false);
            observation(port, Transport::Udp, state, reason)
        }));
    }
}

fn observation(finding: &Finding, protocol: Transport, state: PortState, reason: String) -> PortObservation {
    let rtt_us = finding.rtt.map(|rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
    PortObservation {
        address: finding.address,
        protocol,
        port: finding.port,
        state,
        reason,
        rtt_us,
        unconfirmed: false,
    }
}

/// The evidence's state and reason for an engine's result. An unreachable port on a host that answers elsewhere is
/// filtered: some device says for it that it cannot be reached.
fn translate(finding: &Finding, host_answers: bool) -> (PortState, String) {
    (summary_state(finding.state, host_answers), finding.reason.text())
}

/// The evidence's state for an engine's state; see [`translate`].
pub(crate) const fn summary_state(state: State, host_answers: bool) -> PortState {
    match state {
        State::Open => PortState::Open,
        State::Closed => PortState::Closed,
        State::Filtered => PortState::Filtered,
        State::OpenFiltered => PortState::OpenFiltered,
        State::Unreachable if host_answers => PortState::Filtered,
        State::Unreachable => PortState::Unreachable,
        State::Error => PortState::Error,
    }
}

#[cfg(test)]
mod tests {
    use bartizan_portscan::Reason;

    use super::*;

    fn finding(address: &str, port: u16, state: State, reason: Reason) -> Finding {
        let address = address.parse().unwrap();
        Finding { address, protocol: Protocol::Tcp, port, state, reason, rtt: None, ttl: None, attempts: 1 }
    }

    #[test]
    fn open_ports_are_listed_and_the_rest_counted() {
        let mut states = States::default();
        for port in 1..=100 {
            let (state, reason) =
                if port == 80 { (State::Open, Reason::SynAck) } else { (State::Closed, Reason::ConnRefused) };
            states.add(finding("192.0.2.1", port, state, reason));
        }
        states.add(finding("192.0.2.2", 80, State::Filtered, Reason::NoResponse));
        let mut evidence = PortsEvidence::default();
        states.write(&mut evidence, &BTreeMap::new());
        let listed: Vec<_> = evidence.listed.iter().map(|port| (port.port, port.state)).collect();
        assert_eq!(listed, [(80, PortState::Open), (80, PortState::Filtered)]);
        assert_eq!((evidence.summarised.len(), evidence.summarised[0].count), (1, 99));
    }

    #[test]
    fn unreachable_is_filtered_on_a_host_that_answers() {
        let port = finding("192.0.2.1", 80, State::Unreachable, Reason::HostUnreachable);
        assert_eq!(translate(&port, true).0, PortState::Filtered);
        assert_eq!(translate(&port, false).0, PortState::Unreachable);
    }

    #[test]
    fn a_host_that_accepts_everything_lists_nothing() {
        let mut states = States::default();
        for port in 1..=100 {
            states.add(finding("192.0.2.1", port, State::Open, Reason::SynAck));
        }
        let mut evidence =
            PortsEvidence { everything_open: vec!["192.0.2.1".parse().unwrap()], ..PortsEvidence::default() };
        states.write(&mut evidence, &BTreeMap::new());
        assert!(evidence.listed.is_empty());
        assert_eq!((evidence.summarised[0].state, evidence.summarised[0].count), (PortState::Open, 100));
    }

    #[test]
    fn an_open_port_that_was_refuted_is_marked() {
        let mut states = States::default();
        for port in [22, 80] {
            states.add(finding("192.0.2.1", port, State::Open, Reason::SynAck));
        }
        let report = HostReport {
            address: "192.0.2.1".parse().unwrap(),
            presence: bartizan_portscan::Presence::Unknown,
            rtt: None,
            mac: None,
            counts: Vec::new(),
            accepts_everything: false,
            unconfirmed: vec![80],
        };
        let mut evidence = PortsEvidence::default();
        states.write(&mut evidence, &BTreeMap::from([(report.address, report)]));
        let marked: Vec<_> = evidence.listed.iter().map(|port| (port.port, port.unconfirmed)).collect();
        assert_eq!(marked, [(22, false), (80, true)]);
        assert_eq!(evidence.confirmed().map(|port| port.port).collect::<Vec<_>>(), [22]);
    }
}
