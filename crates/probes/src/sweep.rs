//! A port scan of many addresses at once: one run of the engine over all of them and, if asked, identification of what
//! speaks on the open ports of each host as soon as the host is finished. This is `bartizan ports`; a surface scan goes
//! asset by asset (`ports`).
//!
//! Memory grows with open ports and with addresses, not with ports asked: states that many ports of an address share
//! are counted and not listed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsHost};
use bartizan_domain::{PortSet, Transport};
use bartizan_portscan::{
    AtEnd, Choice, Control, Event, Finding, Job, Progress, Protocol, Report, Settings, State, TakenUp, Verification,
};

use crate::ProbeContext;
use crate::ports::{summary_state, udp};
use identify::{Identified, Identifier};
use saved::Saved;
use tally::Tally;

pub use saved::Remembered;

mod identify;
mod saved;
mod shares;
mod tally;

/// Ports of an address in one state other than open are listed one by one up to this number, and counted beyond.
const LIST_AT_MOST: u32 = 25;
/// Silent UDP ports of an address that are asked in the protocols we know.
const SILENT_AT_MOST: u32 = 300;
/// The same for all addresses together that nobody named and nothing answered from: each costs seconds.
const SILENT_IN_ALL: u32 = 3000;

/// What to ask of which addresses.
#[derive(Clone)]
pub struct Sweep {
    /// Addresses, in order. Link-local ones carry their zone ([`bartizan_portscan::zone`]), here and
    /// in what a sweep tells.
    pub addresses: Vec<IpAddr>,
    /// The names that lead to them, where any do.
    pub names: BTreeMap<IpAddr, Vec<String>>,
    /// Names that lead to none of them, unresolved or excluded. A sweep that is taken up again has the addresses that its names
    /// had when it was begun.
    pub nowhere: BTreeSet<String>,
    /// Addresses that were named singly, also by a name: they are asked although discovery finds nobody.
    pub singles: BTreeSet<IpAddr>,
    /// Names that were given singly.
    pub single_names: BTreeSet<String>,
    /// TCP ports. Without ports of either protocol the sweep looks which hosts are there, if the settings allow that.
    pub tcp: PortSet,
    /// UDP ports.
    pub udp: PortSet,
    /// Addresses for which this is true are never contacted, even when they are among those above.
    pub never: bartizan_portscan::Never,
    /// Engine and manners; which results come as events is decided here.
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
    /// A sentence about the manner of the run.
    Note(String),
    /// Where the port scan stands.
    Ports(Progress),
    /// Where identification stands: ports done, ports found so far.
    Services(usize, usize),
    /// An open port, complete: with its service if that was asked for, else as soon as it was asked a second time. Once
    /// for each port.
    Open(PortRecord),
}

/// What is missing from results, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Something that was asked for was not done: no way to an address, a name without an address, trouble on this machine.
    Unfinished(String),
    /// It was done, and what came of it leaves a doubt: a host that is silent, one that answers only so often.
    Doubt(String),
}

impl Sweep {
    /// Addresses by name, those that lead nowhere included.
    fn addresses_of_names(&self) -> BTreeMap<String, Vec<IpAddr>> {
        let mut names: BTreeMap<String, Vec<IpAddr>> =
            self.nowhere.iter().map(|name| (name.clone(), Vec::new())).collect();
        for (address, of_address) in &self.names {
            for name in of_address {
                names.entry(name.clone()).or_default().push(*address);
            }
        }
        names
    }

    /// The same sweep with the addresses that its names had when it was begun.
    fn taken_up(&self, before: &TakenUp) -> Self {
        let mut sweep = Self { names: BTreeMap::new(), ..self.clone() };
        for (name, addresses) in &before.names {
            for address in addresses {
                sweep.names.entry(*address).or_default().push(name.clone());
                if self.single_names.contains(name) {
                    sweep.singles.insert(*address);
                }
            }
        }
        sweep
    }

    /// Whether it only looks which hosts are there: no ports are asked.
    #[must_use]
    pub fn is_discovery(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty()
    }
}

impl Gap {
    /// The sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Unfinished(text) | Self::Doubt(text) => text,
        }
    }
}

/// What came of a sweep.
#[derive(Debug)]
pub struct SweepOutcome {
    /// The addresses that answered or were named singly, in order.
    pub hosts: Vec<PortsHost>,
    /// The addresses that count as named singly, those of the names as they were when the sweep was begun.
    pub singles: BTreeSet<IpAddr>,
    /// Ports of other addresses that have no state for trouble on this machine.
    pub errors: u64,
    /// Whether it was stopped before every port had a state and every open port was identified.
    pub stopped: bool,
    /// The engines that asked TCP ports.
    pub engines: Vec<Choice>,
    /// What is missing although nobody stopped it.
    pub gaps: Vec<Gap>,
    /// What it went on with, if it was taken up from a state file; targets that are forbidden now are not counted.
    pub taken_up: Option<TakenUp>,
    /// The files that remember where it stood, if there is nothing left that a later run could do: whoever has brought the
    /// results to where they are safe removes them ([`Remembered::forget`]). Otherwise they stay.
    pub remembered: Option<Remembered>,
}

/// Runs a sweep until it ends or `cx.cancel` fires; what was found until then is in the outcome, also if the engine breaks
/// off.
///
/// # Errors
/// If the engine cannot run the job at all, or the state file cannot be used.
pub async fn run(
    cx: &ProbeContext,
    sweep: &Sweep,
    on_event: &mut (dyn FnMut(SweepEvent) + Send),
) -> Result<SweepOutcome, bartizan_portscan::Error> {
    bartizan_portscan::descriptors::raise_limit();
    let mut settings = sweep.settings.clone();
    settings.report = Report::Few { each: LIST_AT_MOST + 1, silent_udp: SILENT_AT_MOST };
    // The state of the ports is needed until their services are known and everything is written down.
    settings.at_end = AtEnd::Keep;
    // Two at the same time would be twice as fast as the caller allows.
    let together = settings.rates == bartizan_portscan::Rates::default();
    let mut saved = match (sweep.services, &settings.checkpoint) {
        (Services::Identify { .. }, Some(state)) => Some(Saved::open(state)?),
        _ => None,
    };
    let job = Job {
        udp_ports: sweep.udp.iter().collect(),
        udp_payloads: Arc::new(udp::payloads()),
        never: Arc::clone(&sweep.never),
        // Whether they are there is the question, where no port is asked.
        names: sweep.addresses_of_names(),
        certain: if sweep.is_discovery() { BTreeSet::new() } else { sweep.singles.clone() },
        settings,
        ..Job::new(sweep.addresses.clone(), sweep.tcp.iter().collect())
    };
    let control = Control::new();
    let mut scan = bartizan_portscan::scan(job, &control)?;
    // The first event, if it comes.
    let mut next = scan.next().await;
    let mut taken_up = None;
    let mut sweep = Cow::Borrowed(sweep);
    if let Some(Event::TakenUp(before)) = next {
        sweep = Cow::Owned(sweep.taken_up(&before));
        taken_up = Some(*before);
        next = scan.next().await;
    }
    let sweep = sweep.as_ref();
    let mut identifier = match sweep.services {
        Services::Identify { at_once } => Some(Identifier::new(cx, sweep, at_once, saved.take(), together)),
        Services::Skip => None,
    };
    let mut tally = Tally::default();
    let mut untold = Untold { verified: sweep.settings.verification == Verification::On, ..Untold::default() };
    let (mut scanning, mut reports) = (true, 0);
    loop {
        let identifying = identifier.as_ref().is_some_and(Identifier::is_busy);
        if !scanning && (!identifying || cx.cancel.is_cancelled()) {
            break;
        }
        tokio::select! {
            () = cx.cancel.cancelled(), if !control.is_cancelled() => control.cancel(),
            event = async { match next.take() { Some(event) => Some(event), None => scan.next().await } }, if scanning => match event {
                Some(Event::Found(finding)) => {
                    if identifier.is_none() && let Some(port) = untold.found(&finding) {
                        on_event(SweepEvent::Open(port));
                    }
                    tally.add(finding);
                }
                Some(Event::Confirmed { address, port }) => {
                    if let Some(port) = untold.confirmed(&(address, Transport::Tcp, port)) {
                        on_event(SweepEvent::Open(port));
                    }
                }
                Some(Event::Host(report)) => {
                    reports += 1;
                    let (masked, address) = (report.accepts_everything, report.address);
                    let ports = tally.report(*report, sweep);
                    match &mut identifier {
                        Some(identifier) => {
                            // What accepts everything says nothing; UDP stands for itself.
                            let (behind, asked) = ports.into_iter().partition(|port| masked && is_open_tcp(port));
                            tell(behind, on_event);
                            identifier.add(asked);
                        }
                        None => {
                            tell(ports.into_iter().filter(|port| untold.take(&key_of(port)).is_some()).collect(), on_event);
                            // What is left of a host that accepts everything is counted.
                            untold.forget(address);
                        }
                    }
                }
                Some(Event::Progress(progress)) => on_event(SweepEvent::Ports(progress)),
                Some(Event::Engine(choice)) => on_event(SweepEvent::Engine(choice)),
                Some(Event::Note(text)) => on_event(SweepEvent::Note(text)),
                Some(_) => {}
                None => {
                    scanning = false;
                    if let Some(identifier) = &mut identifier {
                        identifier.scan_ended();
                    }
                }
            },
            Some(port) = async { identifier.as_mut()?.next().await }, if identifying => {
                let (done, total) = identifier.as_ref().map_or((0, 0), Identifier::progress);
                if port.state == PortState::Open {
                    on_event(SweepEvent::Open(port));
                }
                on_event(SweepEvent::Services(done, total));
            }
        }
    }
    let outcome = match scan.outcome().await {
        Ok(outcome) => outcome,
        // Nothing was done, so there is nothing to go on from.
        Err(error) => {
            if let Some(identifier) = identifier {
                identifier.discard();
            }
            return Err(error);
        }
    };
    let mut stopped = outcome.cancelled;
    // Those that are forbidden now are none any more.
    if let Some(before) = &mut taken_up {
        before.targets = before.targets.saturating_sub(outcome.refused.len());
    }
    // A run that was stopped has hosts that are not finished.
    for host in outcome.unfinished {
        let (masked, address) = (host.accepts_everything, host.address);
        let ports = tally.unfinished(host, sweep).into_iter().filter(|port| masked && is_open_tcp(port));
        match &identifier {
            Some(_) => tell(ports.collect(), on_event),
            None if masked => {
                tell(ports.filter(|port| untold.take(&key_of(port)).is_some()).collect(), on_event);
                untold.forget(address);
            }
            None => {}
        }
    }
    // Without ports there are no pairs that tell.
    stopped |= sweep.is_discovery() && reports < sweep.addresses.len() && cx.cancel.is_cancelled();
    untold.ports.into_values().for_each(|port| on_event(SweepEvent::Open(port)));
    let errors = tally.errors;
    let (mut hosts, mut gaps) = tally.hosts(sweep);
    gaps.extend(outcome.gaps.into_iter().map(Gap::Unfinished));
    let mut left_to_do = false;
    let mut services = None;
    if let Some(identifier) = identifier {
        stopped |= identifier.is_unfinished();
        let Identified { untold, gaps: missing, saved, left } = identifier.finish(&mut hosts);
        untold.into_iter().for_each(|port| on_event(SweepEvent::Open(port)));
        gaps.extend(missing);
        left_to_do = left;
        services = saved;
    }
    // Ports in trouble are asked again by the next run.
    let in_trouble = errors > 0 || hosts.iter().any(is_in_trouble);
    let remembered = match &sweep.settings.checkpoint {
        Some(state) if !stopped && !in_trouble && !left_to_do => Some(Remembered::new(state, services)),
        _ => None,
    };
    let singles = sweep.singles.clone();
    Ok(SweepOutcome { hosts, singles, errors, stopped, engines: outcome.engines, gaps, taken_up, remembered })
}

const fn is_open_tcp(port: &PortRecord) -> bool {
    matches!((port.state, port.protocol), (PortState::Open, Transport::Tcp))
}

/// Tells of those among the ports that are open.
fn tell(ports: Vec<PortRecord>, on_event: &mut (dyn FnMut(SweepEvent) + Send)) {
    let open = ports.into_iter().filter(|port| port.state == PortState::Open);
    open.for_each(|port| on_event(SweepEvent::Open(port)));
}

/// Whether a port of a host has no state for trouble on this machine.
fn is_in_trouble(host: &PortsHost) -> bool {
    let listed = host.ports.iter().map(|port| port.state);
    listed.chain(host.summarised.iter().map(|sum| sum.state)).any(|state| state == PortState::Error)
}

/// Open ports that nobody was told of yet, because the engine still asks them a second time.
#[derive(Default)]
struct Untold {
    ports: BTreeMap<Key, PortRecord>,
    told: HashSet<Key>,
    /// How many ports of a host that is not finished were told of.
    early: BTreeMap<IpAddr, u32>,
    verified: bool,
}

impl Untold {
    /// Takes a finding; returns the port if it is open and nothing more will be known of it.
    fn found(&mut self, finding: &Finding) -> Option<PortRecord> {
        if finding.state != State::Open || !self.told.insert(key(finding)) {
            return None;
        }
        let record = record_of(finding, true);
        if finding.protocol == Protocol::Tcp && self.verified {
            self.ports.insert(key(finding), record);
            return None;
        }
        Some(record)
    }

    /// The port accepted a second time; returns it if it may be told of. A host with very many open ports may turn out to
    /// accept everything, so that most of its ports wait for its end.
    fn confirmed(&mut self, key: &Key) -> Option<PortRecord> {
        let early = self.early.entry(key.0).or_default();
        if *early >= LIST_AT_MOST {
            return None;
        }
        let port = self.ports.remove(key)?;
        *early += 1;
        Some(port)
    }

    /// The port, if nobody was told of it.
    fn take(&mut self, key: &Key) -> Option<PortRecord> {
        self.ports.remove(key)
    }

    /// The host is finished: nobody is to be told of what is left of it.
    fn forget(&mut self, address: IpAddr) {
        self.early.remove(&address);
        let of_host = (address, Transport::Tcp, 0)..=(address, Transport::Udp, u16::MAX);
        let rest: Vec<Key> = self.ports.range(of_host).map(|(key, _)| *key).collect();
        for key in rest {
            self.ports.remove(&key);
        }
    }
}

/// What tells ports apart.
type Key = (IpAddr, Transport, u16);

fn key(finding: &Finding) -> Key {
    (finding.address, transport(finding.protocol), finding.port)
}

const fn key_of(record: &PortRecord) -> Key {
    (record.address, record.protocol, record.port)
}

fn record_of(finding: &Finding, answered: bool) -> PortRecord {
    PortRecord {
        address: finding.address,
        zone: None,
        port: finding.port,
        protocol: transport(finding.protocol),
        state: summary_state(finding.state, answered),
        reason: finding.reason.text(),
        rtt_us: finding.rtt.map(micros),
        ttl: finding.ttl,
        unconfirmed: false,
        everything_open: false,
        service: None,
        tls: false,
        starttls: None,
        product: None,
        version: None,
        cpe: None,
        banner: None,
    }
}

fn micros(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

const fn transport(protocol: Protocol) -> Transport {
    match protocol {
        Protocol::Udp => Transport::Udp,
        _ => Transport::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use bartizan_portscan::Reason;

    use super::*;

    pub fn sweep_of_nothing() -> Sweep {
        Sweep {
            addresses: Vec::new(),
            names: BTreeMap::new(),
            nowhere: BTreeSet::new(),
            singles: BTreeSet::new(),
            single_names: BTreeSet::new(),
            tcp: PortSet::new(),
            udp: PortSet::new(),
            never: Arc::new(|_| false),
            settings: Settings::default(),
            services: Services::Skip,
        }
    }

    #[test]
    fn a_sweep_that_is_taken_up_has_the_addresses_that_its_names_had() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let name = |text: &str| vec![text.to_owned()];
        let sweep = Sweep {
            names: [(address(1), name("a.test")), (address(2), name("b.test"))].into(),
            nowhere: ["c.test".to_owned()].into(),
            singles: [address(1)].into(),
            single_names: ["a.test".to_owned(), "c.test".to_owned()].into(),
            ..sweep_of_nothing()
        };
        let names = sweep.addresses_of_names();
        assert_eq!(names.values().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0]);
        let before =
            [("a.test", vec![address(7), address(8)]), ("b.test", vec![address(9)]), ("c.test", vec![address(5)])];
        let names = before.into_iter().map(|(name, addresses)| (name.to_owned(), addresses)).collect();
        let taken_up = sweep.taken_up(&TakenUp { targets: 4, names });
        let expected = [(5, "c.test"), (7, "a.test"), (8, "a.test"), (9, "b.test")];
        assert_eq!(taken_up.names, expected.map(|(last, text)| (address(last), name(text))).into());
        assert_eq!(taken_up.singles, [1, 5, 7, 8].map(address).into(), "whether its name leads anywhere today or not");
    }

    #[test]
    fn of_a_host_that_accepts_everything_nothing_is_left_to_be_told() {
        let mut untold = Untold { verified: true, ..Untold::default() };
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for (last, ports) in [(1, 100), (2, 1)] {
            for port in 1..=ports {
                let address = IpAddr::from([192, 0, 2, last]);
                let (protocol, state, reason) = (Protocol::Tcp, State::Open, Reason::SynAck);
                let finding = Finding { address, protocol, port, state, reason, rtt: None, ttl: None, attempts: 1 };
                assert!(untold.found(&finding).is_none(), "it is asked a second time");
            }
        }
        let told = (1..=100).filter(|port| untold.confirmed(&(address, Transport::Tcp, *port)).is_some()).count();
        assert_eq!(told, LIST_AT_MOST as usize, "the others wait for the end of the host");
        untold.forget(address);
        assert_eq!(untold.ports.into_keys().collect::<Vec<_>>(), [("192.0.2.2".parse().unwrap(), Transport::Tcp, 1)]);
    }
}
