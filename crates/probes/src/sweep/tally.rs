//! What the engine tells, gathered by address: which ports are listed, which are counted, and which addresses are told of at
//! all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bartizan_domain::Transport;
use bartizan_domain::evidence::ports::{PortState, PortSummary};
use bartizan_domain::port_document::{ACCEPTS_EVERYTHING, PortRecord, PortsHost};
use bartizan_portscan::{Finding, HostReason, HostReport, Presence, Protocol, Reason, State, Unfinished, zone};

use super::{Gap, LIST_AT_MOST, SILENT_AT_MOST, SILENT_IN_ALL, Services, Sweep, micros, record_of, transport};
use crate::ports::summary_state;

/// Silence that proves less than that of a filter.
const DOUBTFUL: [(Reason, &str); 3] = [
    (Reason::RateLimited, "tells of closed UDP ports only so often: silent ones may be closed"),
    (Reason::AnswersLimited, "may be asked only so often: silent ports may be open or closed"),
    (Reason::FellSilent, "answered nothing any more while it was scanned: silent ports may be open or closed"),
];

/// Findings so far, by address. Of an address that does not answer and was not named singly only its number is left.
#[derive(Default)]
pub struct Tally {
    hosts: BTreeMap<IpAddr, Ports>,
    /// Those that there is no way to: why, how many, the first of them.
    away: Vec<(HostReason, usize, IpAddr)>,
    /// Those that were to be looked for alone, and could not be.
    not_looked_for: usize,
    /// Ports of addresses that are left out that have no state for trouble on this machine.
    pub errors: u64,
    /// Silent UDP ports that are to be asked at addresses that nobody named and nothing answered from.
    silent_asked: u32,
    /// Such addresses whose silent ports are too many in all to be asked.
    silent_skipped: usize,
}

#[derive(Default)]
struct Ports {
    listed: Vec<Finding>,
    /// UDP ports that were silent.
    silent: Vec<Finding>,
    report: Option<HostReport>,
}

impl Tally {
    /// Takes a finding.
    pub fn add(&mut self, finding: Finding) {
        let ports = self.hosts.entry(finding.address).or_default();
        if finding.protocol == Protocol::Udp && finding.state == State::OpenFiltered {
            ports.silent.push(finding);
        } else {
            ports.listed.push(finding);
        }
    }

    /// Takes a host's report; returns its ports that are worth asking what speaks there: open ones, and those of UDP that
    /// were silent at a datagram that may not have been to their taste.
    pub fn report(&mut self, report: HostReport, sweep: &Sweep) -> Vec<PortRecord> {
        if self.is_nobody(&report, sweep) {
            self.leave_out(&report, sweep);
            return Vec::new();
        }
        let ports = self.hosts.entry(report.address).or_default();
        if report.accepts_everything {
            ports.leave_out_masked();
        }
        let open = ports.listed.iter().filter(|port| port.state == State::Open);
        let worth = open.chain(&ports.silent).map(|port| marked(record_of(port, true), &report)).collect();
        ports.report = Some(report);
        worth
    }

    /// Takes what is known of a host that was not finished; returns the same of it.
    pub fn unfinished(&mut self, host: Unfinished, sweep: &Sweep) -> Vec<PortRecord> {
        let answered = host.counts.iter().any(|count| matches!(count.state, State::Open | State::Closed));
        let report = HostReport {
            address: host.address,
            presence: if answered { Presence::Up(HostReason::Port) } else { Presence::Unknown },
            rtt: None,
            mac: None,
            counts: host.counts,
            accepts_everything: host.accepts_everything,
            unconfirmed: Vec::new(),
        };
        self.report(report, sweep)
    }

    /// The findings as hosts, and what was left out. An address without any was not asked (the run was stopped).
    pub fn hosts(self, sweep: &Sweep) -> (Vec<PortsHost>, Vec<Gap>) {
        let mut gaps = self.cut_off();
        if self.not_looked_for > 0 {
            let count = self.not_looked_for;
            gaps.push(Gap::Unfinished(format!("{count} addresses could not be looked for: trouble on this machine")));
        }
        if self.silent_skipped > 0 {
            let count = self.silent_skipped;
            gaps.push(Gap::Doubt(format!(
                "the silent UDP ports of {count} addresses that nothing answered from were not asked what speaks there; \
                 {SILENT_IN_ALL} such ports are in one scan"
            )));
        }
        let hosts = self.hosts.into_iter().map(|(address, ports)| {
            let named = zone::text(address);
            for (reason, text) in DOUBTFUL {
                let counts = ports.report.iter().flat_map(|report| &report.counts);
                let silent: u32 = counts.filter(|count| count.reason == reason).map(|count| count.ports).sum();
                if silent > 0 {
                    gaps.push(Gap::Doubt(format!("{named} {text} ({silent} ports)")));
                }
            }
            if let (Services::Identify { .. }, skipped @ 1..) = (sweep.services, ports.silent_skipped()) {
                gaps.push(Gap::Doubt(format!(
                    "{skipped} silent UDP ports of {named} were not asked what speaks there, {SILENT_AT_MOST} were"
                )));
            }
            ports.host(address, sweep)
        });
        let hosts = hosts.collect();
        (hosts, gaps)
    }
}

impl Tally {
    /// Whether nothing is to be told of a finished host one by one: it did not answer, nobody named it, and nothing more is asked.
    fn is_nobody(&mut self, report: &HostReport, sweep: &Sweep) -> bool {
        !answered(report) && !sweep.singles.contains(&report.address) && !self.takes_silent(report, sweep)
    }

    /// Whether the silent UDP ports of an address that nothing answered from are asked all the same. Those of a whole network
    /// without hosts would take days and all memory.
    fn takes_silent(&mut self, report: &HostReport, sweep: &Sweep) -> bool {
        let silent = report.counts.iter().filter(|count| count.state == State::OpenFiltered);
        let silent: u32 = silent.map(|count| count.ports).sum();
        if silent == 0 || sweep.services == Services::Skip {
            return false;
        }
        let asked = self.silent_asked.saturating_add(silent.min(SILENT_AT_MOST));
        if asked > SILENT_IN_ALL {
            self.silent_skipped += 1;
            return false;
        }
        self.silent_asked = asked;
        true
    }

    fn leave_out(&mut self, report: &HostReport, sweep: &Sweep) {
        self.hosts.remove(&report.address);
        let in_trouble = report.counts.iter().filter(|count| count.state == State::Error);
        self.errors += in_trouble.map(|count| u64::from(count.ports)).sum::<u64>();
        if sweep.is_discovery() && report.presence == Presence::Unknown {
            self.not_looked_for += 1;
        }
        if let Presence::Down(reason @ (HostReason::NoRoute | HostReason::NoRouter)) = report.presence {
            match self.away.iter_mut().find(|(known, ..)| *known == reason) {
                Some((_, count, first)) => {
                    *count += 1;
                    *first = report.address.min(*first);
                }
                None => self.away.push((reason, 1, report.address)),
            }
        }
    }

    /// The addresses of networks that could not be asked for want of a way to them, a sentence for each reason. Those that
    /// were named singly are told of one by one.
    fn cut_off(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (reason, why) in [
            (HostReason::NoRoute, "this machine has no route there"),
            (HostReason::NoRouter, "the router on the way does not answer"),
        ] {
            for (_, count, first) in self.away.iter().filter(|(known, ..)| *known == reason) {
                let first = zone::text(*first);
                gaps.push(Gap::Unfinished(match count {
                    1 => format!("{first} was not reached: {why}"),
                    _ => format!("{count} addresses were not reached, {first} the first of them: {why}"),
                }));
            }
        }
        gaps
    }
}

fn answered(report: &HostReport) -> bool {
    let answers = |state: State| matches!(state, State::Open | State::Closed);
    matches!(report.presence, Presence::Up(_)) || report.counts.iter().any(|count| answers(count.state))
}

/// What the report of a host says of one of its ports.
fn marked(mut record: PortRecord, report: &HostReport) -> PortRecord {
    let tcp_open = record.state == PortState::Open && record.protocol == Transport::Tcp;
    record.everything_open = tcp_open && report.accepts_everything;
    record.unconfirmed = tcp_open && report.unconfirmed.contains(&record.port);
    record
}

impl Ports {
    /// Silent UDP ports of which only the number is known.
    fn silent_skipped(&self) -> u32 {
        let counts = self.report.iter().flat_map(|report| &report.counts);
        let silent = counts.filter(|count| count.protocol == Protocol::Udp && count.state == State::OpenFiltered);
        let total: u32 = silent.map(|count| count.ports).sum();
        total.saturating_sub(u32::try_from(self.silent.len()).unwrap_or(u32::MAX))
    }

    /// Of a host that accepts everything, open ports are listed only where they are few, as those of any other state are.
    fn leave_out_masked(&mut self) {
        let is_masked = |port: &Finding| port.state == State::Open && port.protocol == Protocol::Tcp;
        if self.listed.iter().filter(|port| is_masked(port)).count() > LIST_AT_MOST as usize {
            self.listed.retain(|port| !is_masked(port));
        }
    }

    fn host(mut self, address: IpAddr, sweep: &Sweep) -> PortsHost {
        let names = sweep.names.get(&address).cloned().unwrap_or_default();
        self.listed.append(&mut self.silent);
        self.listed.sort_by_key(|port| (port.protocol, port.port));
        self.listed.dedup_by_key(|port| (port.protocol, port.port));
        // The engine's own counts hold also what did not come as an event; without a report there are only the events.
        let mut counts: BTreeMap<(Protocol, State), Vec<(Reason, u32)>> = BTreeMap::new();
        match &self.report {
            Some(report) => {
                for count in &report.counts {
                    counts.entry((count.protocol, count.state)).or_default().push((count.reason, count.ports));
                }
            }
            None => {
                for port in &self.listed {
                    let reasons = counts.entry((port.protocol, port.state)).or_default();
                    match reasons.iter_mut().find(|(reason, _)| *reason == port.reason) {
                        Some((_, ports)) => *ports += 1,
                        None => reasons.push((port.reason, 1)),
                    }
                }
            }
        }
        let answered = matches!(&self.report, Some(HostReport { presence: Presence::Up(_), .. }))
            || counts.keys().any(|(_, state)| matches!(state, State::Open | State::Closed));
        let mut whole: BTreeSet<(Protocol, State)> = BTreeSet::new();
        let mut summarised = Vec::new();
        for (kind, reasons) in counts {
            let total: u32 = reasons.iter().map(|(_, ports)| ports).sum();
            let listed = self.listed.iter().filter(|port| (port.protocol, port.state) == kind).count();
            let masked = kind == (Protocol::Tcp, State::Open)
                && self.report.as_ref().is_some_and(|report| report.accepts_everything);
            if (kind.1 == State::Open && !masked) || (total <= LIST_AT_MOST && listed == total as usize) {
                whole.insert(kind);
            } else {
                summarised.extend(reasons.into_iter().map(|(reason, count)| PortSummary {
                    address,
                    protocol: transport(kind.0),
                    state: summary_state(kind.1, answered),
                    reason: if masked { ACCEPTS_EVERYTHING.to_owned() } else { reason.text() },
                    count,
                }));
            }
        }
        if let (true, false, Some(Presence::Down(reason))) =
            (whole.is_empty(), sweep.is_discovery(), self.report.as_ref().map(|r| r.presence))
            && summarised.is_empty()
            && matches!(reason, HostReason::NoRoute | HostReason::NoRouter | HostReason::NoNeighbour)
        {
            // Its ports were not asked one by one, because there is no way to any of them.
            for (protocol, ports) in [(Transport::Tcp, &sweep.tcp), (Transport::Udp, &sweep.udp)] {
                if let (Ok(count), false) = (u32::try_from(ports.len()), ports.is_empty()) {
                    let (state, reason) = (PortState::Unreachable, reason.as_str().to_owned());
                    summarised.push(PortSummary { address, protocol, state, reason, count });
                }
            }
        }
        summarised.sort_by(|a, b| (a.protocol, a.state, &a.reason).cmp(&(b.protocol, b.state, &b.reason)));
        let ports = (self.listed.iter())
            .filter(|port| whole.contains(&(port.protocol, port.state)))
            .map(|port| {
                let record = record_of(port, answered);
                self.report.iter().fold(record, marked)
            })
            .collect();
        let report = self.report.as_ref();
        PortsHost {
            address,
            zone: None,
            names,
            answered,
            reason: report.and_then(|report| match report.presence {
                Presence::Up(reason) | Presence::Down(reason) => Some(reason.as_str().to_owned()),
                _ => None,
            }),
            mac: report.and_then(|report| report.mac).map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":")),
            rtt_us: report.and_then(|report| report.rtt).map(micros),
            ports,
            summarised,
            everything_open: report.is_some_and(|report| report.accepts_everything),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(singles: &[&str]) -> Sweep {
        Sweep {
            singles: singles.iter().map(|text| text.parse().unwrap()).collect(),
            tcp: "22,80".parse().unwrap(),
            udp: "53".parse().unwrap(),
            ..crate::sweep::tests::sweep_of_nothing()
        }
    }

    #[test]
    fn addresses_without_a_way_to_them_are_told_of() {
        let sweep = sweep(&["192.0.2.3"]);
        let mut tally = Tally::default();
        for (last, reason) in [(1, HostReason::NoRoute), (2, HostReason::NoRoute), (3, HostReason::NoRouter)] {
            let mut report = report(&[]);
            (report.address, report.presence) = ([192, 0, 2, last].into(), Presence::Down(reason));
            tally.report(report, &sweep);
        }
        let (hosts, gaps) = tally.hosts(&sweep);
        assert_eq!(
            gaps,
            [Gap::Unfinished(
                "2 addresses were not reached, 192.0.2.1 the first of them: this machine has no route there".to_owned()
            )]
        );
        let sums: Vec<_> = hosts[0].summarised.iter().map(|sum| (sum.protocol, sum.state, sum.count)).collect();
        let unreachable = PortState::Unreachable;
        assert_eq!(sums, [(Transport::Tcp, unreachable, 2), (Transport::Udp, unreachable, 1)]);
        assert!(
            hosts[0].summarised.iter().all(|sum| sum.reason == "no-router") && !hosts[0].answered && hosts.len() == 1
        );
    }

    fn finding(port: u16, protocol: Protocol, state: State) -> Finding {
        let reason = if state == State::Open { Reason::SynAck } else { Reason::NoResponse };
        let address = "192.0.2.1".parse().unwrap();
        Finding { address, protocol, port, state, reason, rtt: None, ttl: None, attempts: 1 }
    }

    fn report(counts: &[(Protocol, State, u32)]) -> HostReport {
        HostReport {
            address: "192.0.2.1".parse().unwrap(),
            presence: Presence::Up(bartizan_portscan::HostReason::Neighbour),
            rtt: Some(std::time::Duration::from_micros(250)),
            mac: Some([2, 0, 0x5e, 0x10, 0, 1]),
            counts: counts
                .iter()
                .map(|(protocol, state, ports)| {
                    let reason = finding(1, *protocol, *state).reason;
                    bartizan_portscan::Count { protocol: *protocol, state: *state, reason, ports: *ports }
                })
                .collect(),
            accepts_everything: false,
            unconfirmed: vec![7],
        }
    }

    /// Each costs seconds, and a network without hosts has millions of them.
    #[test]
    fn silent_datagrams_of_addresses_that_nobody_named_are_asked_up_to_a_bound_in_all() {
        let sweep = Sweep { services: Services::Identify { at_once: 1 }, ..sweep(&["192.0.2.1"]) };
        let mut tally = Tally::default();
        let mut silent = |last: u8| {
            let address = IpAddr::from([192, 0, 2, last]);
            let mut report = report(&[(Protocol::Udp, State::OpenFiltered, 300)]);
            (report.address, report.presence) = (address, Presence::Unknown);
            for port in 1..=300 {
                tally.add(Finding { address, ..finding(port, Protocol::Udp, State::OpenFiltered) });
            }
            tally.report(report, &sweep).len()
        };
        let asked: Vec<usize> = (1..=13).map(&mut silent).collect();
        // Ten of those that were found in a network, and the one that was named.
        assert_eq!(asked, [[300; 11].as_slice(), &[0; 2]].concat());
        let (hosts, gaps) = tally.hosts(&sweep);
        assert_eq!(hosts.len(), 11);
        assert!(matches!(&gaps[..], [Gap::Doubt(text)] if text.contains("2 addresses")), "{gaps:?}");
    }

    #[test]
    fn open_ports_of_a_host_that_accepts_everything_are_counted_and_those_of_a_real_one_listed() {
        for (masked, open, listed) in [(true, 1000_u16, 0), (true, 2, 2), (false, 300, 300)] {
            let mut tally = Tally::default();
            // The engine stops to list the ports of a masked host as soon as it knows.
            (1..=open.min(if masked { 60 } else { open }))
                .for_each(|port| tally.add(finding(port, Protocol::Tcp, State::Open)));
            tally.add(finding(7, Protocol::Udp, State::Open));
            let counts = [(Protocol::Tcp, State::Open, u32::from(open)), (Protocol::Udp, State::Open, 1)];
            let worth = tally.report(HostReport { accepts_everything: masked, ..report(&counts) }, &sweep(&[]));
            assert_eq!(worth.len(), listed + 1, "{masked} {open}");
            let host = tally.hosts.into_values().next().unwrap().host("192.0.2.1".parse().unwrap(), &sweep(&[]));
            let tcp = host.ports.iter().filter(|port| port.protocol == Transport::Tcp);
            assert_eq!(tcp.count(), listed, "{masked} {open}");
            assert_eq!(host.ports.len(), listed + 1, "UDP stands for itself");
            let sums: Vec<_> = host.summarised.iter().map(|sum| (sum.reason.as_str(), sum.count)).collect();
            let counted = (masked && open > 25).then_some(("accepts-everything", u32::from(open)));
            assert_eq!(sums, counted.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn states_that_many_ports_share_are_counted_and_silent_datagrams_are_still_asked() {
        let mut tally = Tally::default();
        for port in 1..=100 {
            tally.add(finding(port, Protocol::Tcp, State::Open));
        }
        for port in 101..=125 {
            tally.add(finding(port, Protocol::Tcp, State::Closed));
        }
        for port in 1..=90 {
            tally.add(finding(port, Protocol::Udp, State::OpenFiltered));
        }
        let worth = tally.report(
            report(&[
                (Protocol::Tcp, State::Open, 100),
                (Protocol::Tcp, State::Closed, 25),
                (Protocol::Tcp, State::Filtered, 1000),
                (Protocol::Udp, State::OpenFiltered, 90),
            ]),
            &sweep(&[]),
        );
        assert_eq!(worth.len(), 190);
        assert_eq!(worth.iter().filter(|port| port.unconfirmed).map(|port| port.port).collect::<Vec<_>>(), [7]);
        let ports = tally.hosts.into_values().next().unwrap();
        assert_eq!(ports.silent_skipped(), 0);
        let host = ports.host("192.0.2.1".parse().unwrap(), &sweep(&[]));
        assert!(host.answered && host.mac.as_deref() == Some("02:00:5e:10:00:01") && host.rtt_us == Some(250));
        assert_eq!(host.reason.as_deref(), Some("neighbour"));
        assert_eq!(host.ports.len(), 125);
        let sums: Vec<_> = host.summarised.iter().map(|sum| (sum.state, sum.count)).collect();
        assert_eq!(sums, [(PortState::Filtered, 1000), (PortState::OpenFiltered, 90)]);
    }
}
