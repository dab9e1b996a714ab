//! What speaks on the ports that were found, a number of them at a time, remembered beside the state of the scan.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use bartizan_domain::Transport;
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::evidence::{Endpoint, FailureKind, Observation, ServiceEvidence};
use bartizan_domain::port_document::{PortRecord, PortsHost};
use bartizan_portscan::{HostReason, Reason, zone};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::Instant;

use super::saved::Saved;
use super::shares::Shares;
use super::{Gap, Key, Sweep, key_of};
use crate::{ProbeContext, services};

/// Waiting ports among which one is looked for whose address may be asked.
const LOOK_AHEAD: usize = 1024;
/// How often a port is asked where this machine was in trouble.
const TRIES: u32 = 5;
/// How long is waited for that to pass, more each time.
const PAUSE: Duration = Duration::from_millis(500);

/// A port to be asked.
#[derive(Debug, Clone)]
struct Task {
    port: PortRecord,
    /// How often it was asked already.
    tries: u32,
}

type Answer<'a> = Pin<Box<dyn Future<Output = (Task, Observation<ServiceEvidence>)> + Send + 'a>>;

/// Identification in progress.
pub struct Identifier<'a> {
    cx: &'a ProbeContext,
    sweep: &'a Sweep,
    at_once: usize,
    /// Of what ceilings leave for each address and subnet.
    shares: Shares,
    /// When that was halved the last time.
    slowed: Option<Instant>,
    saved: Option<Saved>,
    /// Whether it goes on beside the scan.
    running: bool,
    waiting: VecDeque<Task>,
    asking: FuturesUnordered<Answer<'a>>,
    /// What is to be told although nobody had to be asked.
    ready: VecDeque<PortRecord>,
    results: BTreeMap<Key, PortRecord>,
    total: usize,
    /// Ports that could not be asked for trouble on this machine, and what the first of them met.
    unasked: Option<(usize, String)>,
    /// Ports that were not asked to the end, because ceilings let them ask too little in their time.
    hurried: usize,
    /// Why nothing more is remembered.
    forgetful: Option<String>,
    /// Whether a port was not asked to the end because the scan is being stopped.
    cut_short: bool,
}

/// What came of identification, beside what is in the hosts.
pub struct Identified {
    /// Open ports that nobody has been told of, because the run was stopped before their turn.
    pub untold: Vec<PortRecord>,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// What is remembered.
    pub saved: Option<Saved>,
    /// Whether another run would have something to do.
    pub left: bool,
}

impl<'a> Identifier<'a> {
    pub fn new(cx: &'a ProbeContext, sweep: &'a Sweep, at_once: usize, saved: Option<Saved>, together: bool) -> Self {
        let shares = Shares::new(sweep.settings.rates);
        Self {
            cx,
            sweep,
            at_once: at_once.min(shares.in_all()).max(1),
            shares,
            slowed: None,
            saved,
            running: together,
            waiting: VecDeque::new(),
            asking: FuturesUnordered::new(),
            ready: VecDeque::new(),
            results: BTreeMap::new(),
            total: 0,
            unasked: None,
            hurried: 0,
            forgetful: None,
            cut_short: false,
        }
    }

    /// Takes the ports of a host.
    pub fn add(&mut self, ports: Vec<PortRecord>) {
        self.total += ports.len();
        for port in ports {
            match self.saved.as_mut().and_then(|saved| saved.take(&key_of(&port))) {
                Some(known) => self.ready.push_back(known),
                None => self.waiting.push_back(Task { port, tries: 0 }),
            }
        }
    }

    /// The scan is over: whatever waited for that may begin.
    pub fn scan_ended(&mut self) {
        self.running = true;
    }

    /// The scan did nothing, and nothing is left of it.
    pub fn discard(self) {
        if let Some(saved) = self.saved {
            saved.discard();
        }
    }

    /// Whether there is something to be asked or told now.
    pub fn is_busy(&self) -> bool {
        !self.asking.is_empty() || !self.ready.is_empty() || (self.running && !self.waiting.is_empty())
    }

    /// Whether ports are left that were not asked, or not to the end.
    pub fn is_unfinished(&self) -> bool {
        self.is_busy() || self.cut_short || !self.waiting.is_empty()
    }

    /// Ports done and ports in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.results.len(), self.total)
    }

    /// The next port that is done. Dropping the future in between loses nothing.
    pub async fn next(&mut self) -> Option<PortRecord> {
        if let Some(record) = self.ready.pop_front() {
            self.results.insert(key_of(&record), record.clone());
            return Some(record);
        }
        loop {
            self.ask();
            let (task, observation) = self.asking.next().await?;
            self.shares.give_back(task.port.address);
            if let Some(record) = self.take(task, observation) {
                self.results.insert(key_of(&record), record.clone());
                return Some(record);
            }
        }
    }

    /// Asks as many ports at a time as may be.
    fn ask(&mut self) {
        while self.running && self.asking.len() < self.at_once {
            let next = self.waiting.iter().take(LOOK_AHEAD).position(|task| self.shares.may(task.port.address));
            let Some(task) = next.and_then(|at| self.waiting.remove(at)) else { break };
            self.shares.take(task.port.address);
            let (cx, sweep) = (self.cx, self.sweep);
            self.asking.push(Box::pin(async move {
                tokio::time::sleep(PAUSE * task.tries).await;
                let port = &task.port;
                let name = sweep.names.get(&port.address).and_then(|names| names.first());
                let endpoint = Endpoint { address: port.address, transport: port.protocol, port: port.port };
                let answer = services::identify(cx, &endpoint, name.map(String::as_str)).await;
                (task, answer)
            }));
        }
    }

    /// Takes what came of a port; nothing if it is to be asked again.
    fn take(&mut self, task: Task, observation: Observation<ServiceEvidence>) -> Option<PortRecord> {
        let Task { port: mut record, tries } = task;
        let found = match observation {
            Observation::Observed(found) => found,
            // An answer that came only because the scan is being stopped says nothing.
            _ if self.cx.cancel.is_cancelled() => {
                self.cut_short = true;
                return Some(record);
            }
            Observation::Failed(failure) => {
                // Not the port was slow, perhaps, but its turns were.
                let is_hurried = failure.kind == FailureKind::Timeout && self.cx.outbound.is_paced();
                let (again, keep) = match failure.kind {
                    // It says nothing about the port.
                    FailureKind::Local | FailureKind::Cancelled => (TRIES, false),
                    // It was there a moment ago: too much at a time for somebody on the way, perhaps.
                    FailureKind::Timeout if is_hurried => (2, false),
                    FailureKind::Timeout | FailureKind::Unreachable if record.protocol == Transport::Tcp => (2, false),
                    _ => (1, true),
                };
                if tries + 1 < again {
                    if again == TRIES {
                        self.slow_down();
                    }
                    self.waiting.push_back(Task { port: record, tries: tries + 1 });
                    return None;
                }
                if again == TRIES {
                    self.unasked.get_or_insert((0, failure.detail)).0 += 1;
                }
                self.hurried += usize::from(is_hurried);
                if keep {
                    self.keep(&record);
                }
                return Some(record);
            }
            Observation::NotAttempted { .. } | Observation::NotApplicable { .. } => return Some(record),
        };
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
            record.reason = Reason::UdpResponse.text();
        }
        if !self.cx.cancel.is_cancelled() {
            self.keep(&record);
        }
        Some(record)
    }

    /// Asks half as many ports at a time from now on. Those that fail together are one trouble, and one reason.
    fn slow_down(&mut self) {
        let now = Instant::now();
        if self.slowed.is_none_or(|last| now.duration_since(last) >= PAUSE) {
            self.slowed = Some(now);
            self.at_once = (self.at_once / 2).max(1);
        }
    }

    /// Remembers a port for a later run, for as long as that is possible.
    fn keep(&mut self, record: &PortRecord) {
        if let (Some(saved), None) = (&mut self.saved, &self.forgetful)
            && let Err(error) = saved.keep(record)
        {
            self.forgetful = Some(format!("from {}:{} on ({error})", zone::text(record.address), record.port));
        }
    }

    /// Writes what was learned into the hosts.
    pub fn finish(self, hosts: &mut [PortsHost]) -> Identified {
        let mut untold = Vec::new();
        for host in hosts {
            for record in &mut host.ports {
                match self.results.get(&key_of(record)) {
                    Some(known) => *record = known.clone(),
                    // What accepts everything was told of when its host was finished.
                    None if record.state == PortState::Open && !record.everything_open => untold.push(record.clone()),
                    None => {}
                }
            }
            // Silent ports that were only counted, and turned out to be open.
            let (silent, udp) = (PortState::OpenFiltered, Transport::Udp);
            let of_host = (host.address, udp, 0)..=(host.address, udp, u16::MAX);
            for (_, record) in self.results.range(of_host).filter(|(_, record)| record.state == PortState::Open) {
                if host.ports.iter().any(|port| key_of(port) == key_of(record)) {
                    continue;
                }
                host.ports.push(record.clone());
                if let Some(sum) =
                    host.summarised.iter_mut().find(|sum| (sum.protocol, sum.state) == (udp, silent) && sum.count > 0)
                {
                    sum.count -= 1;
                }
            }
            // A host that was silent until it was asked in the right protocol.
            if !host.answered && host.has_open() {
                (host.answered, host.reason) = (true, Some(HostReason::Port.as_str().to_owned()));
            }
            host.summarised.retain(|sum| sum.count > 0);
            host.ports.sort_by_key(|port| (port.protocol, port.port));
        }
        let mut gaps = Vec::new();
        if let Some((ports, why)) = &self.unasked {
            gaps.push(Gap::Unfinished(format!(
                "what speaks on {ports} {} is not known because of trouble on this machine: {why}",
                if *ports == 1 { "port" } else { "ports" }
            )));
        }
        if self.hurried > 0 {
            gaps.push(Gap::Doubt(format!(
                "{} not asked to the end what speaks there: the ceilings on the rate leave too little for it",
                if self.hurried == 1 { "1 port was".to_owned() } else { format!("{} ports were", self.hurried) }
            )));
        }
        if let Some(since) = &self.forgetful {
            gaps.push(Gap::Doubt(format!("what was identified {since} could not be remembered for a later run")));
        }
        Identified { untold, gaps, saved: self.saved, left: self.unasked.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_domain::evidence::ProbeFailure;
    use bartizan_outbound::{Outbound, Settings};
    use bartizan_test_support::FixedClock;

    use super::*;
    use crate::sweep::tests::sweep_of_nothing;

    fn record(port: u16, protocol: &str) -> PortRecord {
        let text = format!(
            r#"{{"address":"192.0.2.1","port":{port},"protocol":"{protocol}","state":"open","reason":"syn-ack"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn trouble_of_this_machine_is_tried_again_and_then_told_and_never_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::write(&state, "state").unwrap();
        let clock = std::sync::Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let cx = ProbeContext::new(Outbound::new(Settings::default()), clock);
        let sweep = sweep_of_nothing();
        let mut identifier = Identifier::new(&cx, &sweep, 16, Some(Saved::open(&state).unwrap()), true);
        let failed = |kind| Observation::Failed(ProbeFailure::new(kind, "opening a socket: too many open files"));
        for (port, protocol, kind, tries) in [
            (1, "tcp", FailureKind::Local, 5),
            (2, "udp", FailureKind::Local, 5),
            (3, "tcp", FailureKind::Timeout, 2),
            (4, "udp", FailureKind::Timeout, 1),
            (5, "tcp", FailureKind::Refused, 1),
        ] {
            let mut task = Task { port: record(port, protocol), tries: 0 };
            for attempt in 1..=tries {
                let done = identifier.take(task.clone(), failed(kind));
                assert_eq!(done.is_some(), attempt == tries, "{port} {kind:?} {attempt}");
                if attempt < tries {
                    task = identifier.waiting.pop_back().unwrap();
                }
            }
        }
        assert_eq!(identifier.at_once, 8, "fewer at a time where this machine is in trouble, once for each trouble");
        let Identified { gaps, left, saved, .. } = identifier.finish(&mut []);
        assert!(left && gaps.len() == 1, "{gaps:?}");
        assert!(gaps[0].text().starts_with("what speaks on 2 ports") && gaps[0].text().contains("too many open files"));
        drop(saved);
        let mut again = Saved::open(&state).unwrap();
        let known = [1, 2, 3, 4, 5].map(|port| {
            let protocol = if matches!(port, 2 | 4) { Transport::Udp } else { Transport::Tcp };
            again.take(&("192.0.2.1".parse().unwrap(), protocol, port)).is_some()
        });
        assert_eq!(known, [false, false, false, true, true]);
    }

    #[test]
    fn ports_whose_turns_came_too_late_are_told_of_and_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::write(&state, "state").unwrap();
        let clock = std::sync::Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let ceilings = bartizan_outbound::Ceilings { global: Some(1), ..Default::default() };
        let cx = ProbeContext::new(Outbound::new(Settings::default()).paced(ceilings), clock);
        let sweep = sweep_of_nothing();
        let mut identifier = Identifier::new(&cx, &sweep, 1, Some(Saved::open(&state).unwrap()), true);
        let failed = || Observation::Failed(ProbeFailure::new(FailureKind::Timeout, "no answer"));
        assert!(identifier.take(Task { port: record(53, "udp"), tries: 0 }, failed()).is_none(), "it is asked again");
        let again = identifier.waiting.pop_back().unwrap();
        assert!(identifier.take(again, failed()).is_some());
        let Identified { gaps, saved, .. } = identifier.finish(&mut []);
        assert!(matches!(&gaps[..], [Gap::Doubt(text)] if text.starts_with("1 port was not asked")), "{gaps:?}");
        drop(saved);
        let key = ("192.0.2.1".parse().unwrap(), Transport::Udp, 53);
        assert!(Saved::open(&state).unwrap().take(&key).is_none());
    }

    #[test]
    fn what_cannot_be_remembered_is_told_all_the_same_and_named() {
        let clock = std::sync::Arc::new(FixedClock::at("2026-11-22T10:00:00Z".parse().unwrap()));
        let cx = ProbeContext::new(Outbound::new(Settings::default()), clock);
        let sweep = sweep_of_nothing();
        let mut identifier = Identifier::new(&cx, &sweep, 16, Some(Saved::on_a_full_disk()), true);
        for port in [22, 23] {
            let found = ServiceEvidence { service: Some("ssh".to_owned()), ..ServiceEvidence::default() };
            let task = Task { port: record(port, "tcp"), tries: 0 };
            let told = identifier.take(task, Observation::Observed(found)).unwrap();
            assert_eq!(told.service.as_deref(), Some("ssh"));
        }
        let Identified { gaps, left, .. } = identifier.finish(&mut []);
        assert!(!left, "nothing is left to be asked");
        assert!(
            matches!(&gaps[..], [Gap::Doubt(text)] if text.contains("192.0.2.1:22") && text.contains("could not be remembered")),
            "{gaps:?}"
        );
    }
}
