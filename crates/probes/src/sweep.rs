//! A port scan of many addresses at once: one run of the engine over all of them, then, if asked, identification of
//! what speaks on the open ports. This is `bartizan ports`; a surface scan goes asset by asset (`ports`).
//!
//! Memory grows with open ports and with addresses, not with ports asked: states that many ports of an address share
//! are counted and not listed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use bartizan_domain::evidence::Endpoint;
use bartizan_domain::evidence::ports::{PortState, PortSummary};
use bartizan_domain::port_document::{PortRecord, PortsHost};
use bartizan_domain::{PortSet, Transport};
use bartizan_portscan::{
    Choice, Control, Event, Finding, HostReport, Job, Presence, Progress, Protocol, Reason, Settings, State,
};
use futures::StreamExt;
use futures::stream;

use crate::ports::{summary_state, udp};
use crate::{ProbeContext, services};

/// Ports of an address in one state other than open are listed one by one up to this number, and counted beyond.
const LIST_AT_MOST: usize = 25;

/// What to ask of which addresses.
#[derive(Clone)]
pub struct Sweep {
    /// Addresses, each with the names that lead to it.
    pub hosts: BTreeMap<IpAddr, Vec<String>>,
    /// TCP ports.
    pub tcp: PortSet,
    /// UDP ports.
    pub udp: PortSet,
    /// Addresses for which this is true are never contacted, even when they are among the hosts.
    pub never: bartizan_portscan::Never,
    /// Engine and manners.
    pub settings: Settings,
    /// Whether open ports are asked what speaks there.
    pub services: Services,
}

/// Whether open ports are asked what speaks there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Services {
    /// No.
    Skip,
    /// Yes, so many ports at a time.
    Identify {
        /// Ports at a time.
        at_once: usize,
    },
}

/// What a sweep tells while it goes on.
#[derive(Debug, Clone)]
pub enum SweepEvent {
    /// An engine starts on part of the addresses.
    Engine(Choice),
    /// Where the port scan stands.
    Ports(Progress),
    /// Where identification stands: ports done, ports in all.
    Services(usize, usize),
    /// An open port, complete: with its service if that was asked for.
    Open(PortRecord),
}

/// What came of a sweep.
#[derive(Debug, Clone)]
pub struct SweepOutcome {
    /// Every address that was asked, in order.
    pub hosts: Vec<PortsHost>,
    /// Whether it was stopped before every port had a state and every open port was identified.
    pub stopped: bool,
    /// The engines that asked TCP ports.
    pub engines: Vec<Choice>,
}

/// Runs a sweep until it ends or `cx.cancel` fires; what was found until then is in the outcome.
///
/// # Errors
/// If the engine cannot run the job at all.
pub async fn run(
    cx: &ProbeContext,
    sweep: &Sweep,
    on_event: &mut (dyn FnMut(SweepEvent) + Send),
) -> Result<SweepOutcome, bartizan_portscan::Error> {
    let mut tally = Tally::default();
    let (engines, mut stopped) = ask(cx, sweep, &mut tally, on_event).await?;
    let mut hosts = tally.hosts(sweep);
    match sweep.services {
        Services::Identify { at_once } if !stopped => stopped = identify(cx, &mut hosts, at_once, on_event).await,
        _ => {
            let open = hosts.iter().flat_map(|host| &host.ports).filter(|port| port.state == PortState::Open);
            open.cloned().for_each(|port| on_event(SweepEvent::Open(port)));
        }
    }
    Ok(SweepOutcome { hosts, stopped, engines })
}

/// Runs the engine; returns which engines there were and whether the run was stopped early.
async fn ask(
    cx: &ProbeContext,
    sweep: &Sweep,
    tally: &mut Tally,
    on_event: &mut (dyn FnMut(SweepEvent) + Send),
) -> Result<(Vec<Choice>, bool), bartizan_portscan::Error> {
    bartizan_portscan::descriptors::raise_limit();
    let job = Job {
        udp_ports: sweep.udp.iter().collect(),
        udp_payloads: Arc::new(udp::payloads()),
        never: Arc::clone(&sweep.never),
        settings: sweep.settings.clone(),
        ..Job::new(sweep.hosts.keys().copied().collect(), sweep.tcp.iter().collect())
    };
    let control = Control::new();
    let mut scan = bartizan_portscan::scan(job, &control)?;
    loop {
        tokio::select! {
            () = cx.cancel.cancelled(), if !control.is_cancelled() => control.cancel(),
            event = scan.next() => match event {
                Some(Event::Found(finding)) => tally.add(finding),
                Some(Event::Host(report)) => tally.report(*report),
                Some(Event::Progress(progress)) => on_event(SweepEvent::Ports(progress)),
                Some(Event::Engine(choice)) => on_event(SweepEvent::Engine(choice)),
                Some(_) => {}
                None => break,
            },
        }
    }
    let outcome = scan.outcome().await?;
    Ok((outcome.engines, outcome.cancelled))
}

/// Asks every open port what speaks there, and silent ports of UDP. Returns whether it was stopped before the end.
async fn identify(
    cx: &ProbeContext,
    hosts: &mut [PortsHost],
    at_once: usize,
    on_event: &mut (dyn FnMut(SweepEvent) + Send),
) -> bool {
    let mut open = Vec::new();
    for (host_index, host) in hosts.iter().enumerate().filter(|(_, host)| !host.everything_open) {
        for (port_index, port) in host.ports.iter().enumerate().filter(|(_, port)| may_answer(port)) {
            let endpoint = Endpoint { address: port.address, transport: port.protocol, port: port.port };
            open.push((host_index, port_index, endpoint, host.names.first().cloned()));
        }
    }
    let total = open.len();
    let mut answers = stream::iter(open)
        .map(|(host, port, endpoint, name)| async move {
            (host, port, Box::pin(services::identify(cx, &endpoint, name.as_deref())).await)
        })
        .buffer_unordered(at_once.max(1));
    let mut done = 0;
    loop {
        let answer = tokio::select! {
            biased;
            () = cx.cancel.cancelled() => break,
            answer = answers.next() => answer,
        };
        let Some((host, port, observation)) = answer else { break };
        done += 1;
        let Some(record) = hosts.get_mut(host).and_then(|host| host.ports.get_mut(port)) else { continue };
        if let Some(found) = observation.observed() {
            record.service.clone_from(&found.service);
            record.tls = found.tls;
            record.starttls = found.starttls;
            record.product.clone_from(&found.product);
            record.version.clone_from(&found.version);
            record.cpe.clone_from(&found.cpe);
            record.banner.clone_from(&found.banner);
            if found.service.is_some() && record.state == PortState::OpenFiltered {
                // The question of the right protocol was answered.
                record.state = PortState::Open;
                record.reason = bartizan_portscan::Reason::UdpResponse.text();
            }
        }
        if record.state == PortState::Open {
            on_event(SweepEvent::Open(record.clone()));
        }
        on_event(SweepEvent::Services(done, total));
    }
    drop(answers);
    done < total
}

/// Whether a port is worth asking what speaks there: an open one, or one of UDP that was silent at a datagram that may not
/// have been to its taste.
fn may_answer(port: &PortRecord) -> bool {
    port.state == PortState::Open || (port.state == PortState::OpenFiltered && port.protocol == Transport::Udp)
}

fn record(address: IpAddr, protocol: Transport, port: u16, state: PortState, reason: String) -> PortRecord {
    PortRecord {
        address,
        port,
        protocol,
        state,
        reason,
        rtt_us: None,
        service: None,
        tls: false,
        starttls: None,
        product: None,
        version: None,
        cpe: None,
        banner: None,
    }
}

/// Findings so far, by address.
#[derive(Default)]
struct Tally(BTreeMap<IpAddr, Ports>);

#[derive(Default)]
struct Ports {
    listed: Vec<Finding>,
    counted: Vec<(Protocol, State, Reason, u32)>,
    report: Option<HostReport>,
}

impl Tally {
    fn add(&mut self, finding: Finding) {
        self.0.entry(finding.address).or_default().add(finding);
    }

    fn report(&mut self, report: HostReport) {
        let address = report.address;
        self.0.entry(address).or_default().report = Some(report);
    }

    /// The findings as hosts; an address without any was not asked (the run was stopped) and is left out.
    fn hosts(self, sweep: &Sweep) -> Vec<PortsHost> {
        self.0
            .into_iter()
            .map(|(address, ports)| ports.host(address, sweep.hosts.get(&address).cloned().unwrap_or_default()))
            .collect()
    }
}

impl Ports {
    fn add(&mut self, finding: Finding) {
        let kind = (finding.protocol, finding.state);
        if finding.state != State::Open {
            let counted = self.counted.iter().any(|(protocol, state, ..)| (*protocol, *state) == kind);
            let same = self.listed.iter().filter(|listed| (listed.protocol, listed.state) == kind);
            if counted || same.count() >= LIST_AT_MOST {
                self.count(finding);
                if !counted {
                    // One too many: those listed until now join the count.
                    let (moved, kept) = std::mem::take(&mut self.listed)
                        .into_iter()
                        .partition(|listed: &Finding| (listed.protocol, listed.state) == kind);
                    self.listed = kept;
                    moved.into_iter().for_each(|listed| self.count(listed));
                }
                return;
            }
        }
        self.listed.push(finding);
    }

    fn count(&mut self, finding: Finding) {
        let kind = (finding.protocol, finding.state, finding.reason);
        match self.counted.iter_mut().find(|(protocol, state, why, _)| (*protocol, *state, *why) == kind) {
            Some((.., count)) => *count += 1,
            None => self.counted.push((finding.protocol, finding.state, finding.reason, 1)),
        }
    }

    /// The engine's own counts hold also what did not come as an event (a run taken up again); where there are some they
    /// replace ours, and states that were not listed in full are counted instead.
    fn settle(&mut self) {
        let Some(report) = &self.report else { return };
        let mut whole = Vec::new();
        let mut counted: Vec<(Protocol, State, Reason, u32)> = Vec::new();
        let kinds: BTreeSet<(Protocol, State)> =
            report.counts.iter().filter(|count| count.state != State::Open).map(|c| (c.protocol, c.state)).collect();
        for kind in kinds {
            let of_kind = || report.counts.iter().filter(|count| (count.protocol, count.state) == kind);
            let total: usize = of_kind().map(|count| count.ports as usize).sum();
            if self.listed.iter().filter(|port| (port.protocol, port.state) == kind).count() == total {
                whole.push(kind);
            } else {
                counted.extend(of_kind().map(|count| (count.protocol, count.state, count.reason, count.ports)));
            }
        }
        self.listed.retain(|port| port.state == State::Open || whole.contains(&(port.protocol, port.state)));
        self.counted = counted;
    }

    fn host(mut self, address: IpAddr, names: Vec<String>) -> PortsHost {
        let is_answer = |state: State| matches!(state, State::Open | State::Closed);
        self.settle();
        let up = self.report.as_ref().is_some_and(|report| matches!(report.presence, Presence::Up(_)));
        let answered = up
            || self.listed.iter().any(|port| is_answer(port.state))
            || self.counted.iter().any(|(_, state, ..)| is_answer(*state));
        let everything_open = self.report.as_ref().is_some_and(|report| report.accepts_everything);
        self.listed.sort_by_key(|port| (port.protocol, port.port));
        self.listed.dedup_by_key(|port| (port.protocol, port.port));
        let ports = self
            .listed
            .into_iter()
            .map(|port| PortRecord {
                rtt_us: port.rtt.map(|rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX)),
                ..record(
                    address,
                    transport(port.protocol),
                    port.port,
                    summary_state(port.state, answered),
                    port.reason.text(),
                )
            })
            .collect();
        let mut summarised: Vec<PortSummary> = self
            .counted
            .into_iter()
            .map(|(protocol, state, reason, count)| PortSummary {
                address,
                protocol: transport(protocol),
                state: summary_state(state, answered),
                reason: reason.text(),
                count,
            })
            .collect();
        summarised.sort_by(|a, b| (a.protocol, a.state, &a.reason).cmp(&(b.protocol, b.state, &b.reason)));
        PortsHost { address, names, answered, ports, summarised, everything_open }
    }
}

const fn transport(protocol: Protocol) -> Transport {
    match protocol {
        Protocol::Udp => Transport::Udp,
        _ => Transport::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(port: u16, state: State) -> Finding {
        let reason = if state == State::Filtered { Reason::NoResponse } else { Reason::SynAck };
        let address = "192.0.2.1".parse().unwrap();
        Finding { address, protocol: Protocol::Tcp, port, state, reason, rtt: None, ttl: None, attempts: 1 }
    }

    #[test]
    fn states_that_many_ports_share_are_counted() {
        let mut ports = Ports::default();
        for port in 1..=100 {
            ports.add(finding(port, State::Open));
        }
        for port in 101..=125 {
            ports.add(finding(port, State::Closed));
        }
        for port in 201..=1200 {
            ports.add(finding(port, State::Filtered));
        }
        let host = ports.host("192.0.2.1".parse().unwrap(), Vec::new());
        assert!(host.answered);
        assert_eq!(host.ports.len(), 125);
        assert_eq!(host.summarised.len(), 1);
        assert_eq!((host.summarised[0].state, host.summarised[0].count), (PortState::Filtered, 1000));
    }
}
