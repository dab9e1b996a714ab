//! The end of each host of the connect engine: what is left to do there once its ports have results, and that it is told of
//! as soon as that is done, whatever the others still take.
//!
//! Results come here in batches. A host with suspiciously many open ports is asked guards ([`crate::masking`]) at once, so
//! that ports that prove nothing are not listed any longer; open ports of others are asked a second time. Both are
//! *errands*: the workers of the engine fetch them here and do them between their own questions.

use std::collections::VecDeque;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::connect::limited::Losses;
use crate::connect::{Errand, ErrandOutcome, Errands, VERIFY_ATTEMPTS};
use crate::masking::{GUARDS, GUARDS_OPEN, MANY, PILOT, draw, is_suspected};
use crate::timing::Rtt;

/// Open ports of a host that are asked a second time; one with more is hardly what it seems.
const VERIFY_AT_MOST: usize = 2000;
/// From the answer to the second question: whatever accepts once and never again is known by it, so it need not be long.
const VERIFY_AFTER: Duration = Duration::from_millis(20);
/// So many of them as soon as they are due; between two of the others so much time goes by, whatever the host.
const VERIFY_AT_ONCE: usize = 8;
const VERIFY_EVERY: Duration = Duration::from_micros(500);
/// What was not asked while nobody had time for it is caught up with for so long.
const CREDIT: Duration = Duration::from_millis(10);

/// The hosts of a part of the job, by index.
pub(super) struct Finishing<'a> {
    engines: &'a Engines<'a>,
    shares: &'a Shares,
    ids: &'a [u32],
    state: Mutex<Hosts>,
    /// Errands that nobody fetched yet.
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Hosts {
    all: Vec<Host>,
    guards: VecDeque<(u32, u16)>,
    /// Open ports to be asked a second time: from when on, host, index of the port. The first of each host, and the others.
    first: VecDeque<(Instant, u32, u32)>,
    verify: VecDeque<(Instant, u32, u32)>,
    next_verify: Instant,
}

/// What came of a host's ports so far.
#[derive(Debug, Default)]
struct Host {
    /// Ports without a result.
    left: u32,
    open: usize,
    rtt: Rtt,
    /// Nobody on the link answers for it, or not for its router.
    no_neighbour: bool,
    guard: Guard,
    /// Whether guards were asked while other ports were.
    guarded_early: bool,
    /// Open ports that are not asked a second time before the guards are in.
    held: Vec<u32>,
    /// How many were or will be asked a second time, and how many of these answers are due.
    asked_again: usize,
    verifying: usize,
    /// Those that were refused then, and those that were silent.
    refuted: Vec<u16>,
    silent: Vec<u16>,
    losses: Losses,
    ended: bool,
}

/// Whether a host accepts everything.
#[derive(Debug, Default)]
enum Guard {
    #[default]
    NotAsked,
    Asking {
        ports: Vec<u16>,
        out: usize,
        accepted: usize,
    },
    Everything,
    /// It is what it seems.
    Real,
}

impl Guard {
    const fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }
}

impl<'a> Finishing<'a> {
    /// The hosts with these numbers, with what an earlier run had learned of them.
    pub(super) fn new(engines: &'a Engines<'a>, shares: &'a Shares, ids: &'a [u32]) -> Self {
        let now = Instant::now();
        let ports = u32::try_from(engines.prepared.tcp_ports.len()).unwrap_or(u32::MAX);
        let left = |id: &u32| ports - engines.earlier.done_of(*id, ports);
        let all = ids.iter().map(|id| Host { left: left(id), ..Host::default() }).collect();
        let (guards, first, verify) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        let hosts = Hosts { all, guards, first, verify, next_verify: now };
        let finishing = Self { engines, shares, ids, state: Mutex::new(hosts), waiting: AtomicUsize::new(0) };
        let mut hosts = finishing.lock();
        for (at, id) in (0..).zip(ids) {
            if let (Some(begun), Some(host)) = (engines.earlier.begun(*id), hosts.all.get_mut(at as usize)) {
                host.open = (begun.open as usize).saturating_sub(begun.unconfirmed.len());
                host.asked_again = begun.confirmed.len();
                for port in &begun.unconfirmed {
                    finishing.opened(&mut hosts, at, *port, now);
                }
            }
        }
        drop(hosts);
        finishing
    }

    /// Ends the hosts of which an earlier run had everything.
    pub(super) fn begin(&self) {
        let mut hosts = self.lock();
        for (at, _) in (0..).zip(self.ids) {
            self.settle(&mut hosts, at);
        }
        self.count(&hosts);
    }

    /// Takes results, numbered by index of host and port, and hands them on.
    pub(super) fn take(&self, records: &[Record]) {
        let named = |record: &Record| Record { host: self.id(record.host), ..*record };
        // First, so that all results of a host are on their way when the last of them is counted.
        self.engines.messenger.records(records.iter().map(named).collect());
        let now = Instant::now();
        let mut hosts = self.lock();
        for record in records {
            let Some(host) = hosts.all.get_mut(record.host as usize) else { continue };
            host.left = host.left.saturating_sub(1);
            host.no_neighbour |= record.reason == Reason::NoNeighbour;
            if matches!(record.state, State::Open | State::Closed) {
                host.losses.answered(record.attempts.saturating_sub(1));
            }
            if record.rtt_us > 0 {
                host.rtt.observe(Duration::from_micros(u64::from(record.rtt_us)));
            }
            let is_last = host.left == 0;
            if record.state == State::Open {
                self.opened(&mut hosts, record.host, record.port, now);
            }
            if is_last || record.state == State::Open {
                self.settle(&mut hosts, record.host);
            }
        }
        self.count(&hosts);
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn count(&self, hosts: &Hosts) {
        self.waiting.store(hosts.guards.len() + hosts.first.len() + hosts.verify.len(), Ordering::Release);
    }

    fn id(&self, at: u32) -> u32 {
        self.ids.get(at as usize).copied().unwrap_or(u32::MAX)
    }

    fn verifies(&self) -> bool {
        self.engines.job.settings.verification == Verification::On
    }

    /// A port is open.
    fn opened(&self, hosts: &mut Hosts, at: u32, port: u32, now: Instant) {
        let Some(host) = hosts.all.get_mut(at as usize) else { return };
        host.open += 1;
        if !self.verifies() || host.guard.is_everything() || host.asked_again >= VERIFY_AT_MOST {
            return;
        }
        host.asked_again += 1;
        if matches!(host.guard, Guard::Real) || (host.open <= MANY && matches!(host.guard, Guard::NotAsked)) {
            host.verifying += 1;
            let queue = if host.asked_again <= VERIFY_AT_ONCE { &mut hosts.first } else { &mut hosts.verify };
            queue.push_back((now + VERIFY_AFTER, at, port));
        } else {
            host.held.push(port);
        }
    }

    /// Takes the next step at a host: guards, what they say, its end.
    fn settle(&self, hosts: &mut Hosts, at: u32) {
        let Hosts { all, guards, verify, .. } = hosts;
        let Some(host) = all.get_mut(at as usize).filter(|host| !host.ended) else { return };
        let asked = self.engines.prepared.tcp_ports.len();
        let suspected = host.open > MANY || (host.left == 0 && is_suspected(host.open, asked));
        match &mut host.guard {
            Guard::NotAsked if suspected && self.verifies() => {
                let ports = self.draw(PILOT, &[]);
                host.guarded_early = host.left > 0;
                guards.extend(ports.iter().map(|port| (at, *port)));
                host.guard = Guard::Asking { out: ports.len(), ports, accepted: 0 };
            }
            Guard::Asking { ports, out: out @ 0, accepted } if ports.len() == PILOT && *accepted == PILOT => {
                let more = self.draw(GUARDS - PILOT, ports);
                guards.extend(more.iter().map(|port| (at, *port)));
                *out = more.len();
                ports.extend(more);
            }
            Guard::Asking { ports, out: 0, accepted } => {
                if ports.len() == GUARDS && *accepted >= GUARDS_OPEN {
                    host.guard = Guard::Everything;
                    host.held = Vec::new();
                    self.engines.messenger.tell(Message::Masked(self.id(at)));
                } else {
                    host.guard = Guard::Real;
                    host.verifying += host.held.len();
                    let now = Instant::now();
                    verify.extend(std::mem::take(&mut host.held).into_iter().map(|port| (now, at, port)));
                }
            }
            _ => {}
        }
        // Guards among all the other questions may have been silent because those overwhelmed whoever accepts: once they are
        // over, others are asked.
        if host.left == 0 && suspected && matches!(host.guard, Guard::Real) && std::mem::take(&mut host.guarded_early) {
            host.guard = Guard::NotAsked;
            return self.settle(hosts, at);
        }
        let decided = !matches!(host.guard, Guard::Asking { .. });
        // Nothing can be learned from a second answer of a host that accepts everything.
        if host.left == 0 && decided && (host.verifying == 0 || host.guard.is_everything()) {
            host.ended = true;
            self.end(self.id(at), host);
        }
    }

    fn draw(&self, count: usize, known: &[u16]) -> Vec<u16> {
        let ports = &self.engines.prepared.tcp_ports;
        let is_asked = |port: u16| ports.binary_search(&port).is_ok();
        draw(count, known, ports.len(), is_asked, |below| rand::random_range(0..below))
    }

    fn end(&self, id: u32, host: &mut Host) {
        let no_router = host.no_neighbour && self.shares.is_routed(id);
        let accepts_everything = host.guard.is_everything();
        let mut unconfirmed = std::mem::take(&mut host.refuted);
        // Where much gets lost, silence says nothing against a port that accepted once.
        if !host.losses.explain_silence(VERIFY_ATTEMPTS) {
            unconfirmed.append(&mut host.silent);
        }
        if accepts_everything {
            unconfirmed.clear();
        }
        let end = HostEnd {
            host: id,
            presence: self.shares.presence(id).or(no_router.then_some(Presence::Down(HostReason::NoRouter))),
            rtt_us: host.rtt.smoothed_us(),
            accepts_everything,
            unconfirmed,
            ..HostEnd::default()
        };
        self.engines.messenger.tell(Message::Host(Box::new(end)));
    }
}

impl Errands for Finishing<'_> {
    fn are_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn next(&self, now: Instant) -> Option<Errand> {
        let mut hosts = self.lock();
        let Hosts { all, guards, first, verify, next_verify } = &mut *hosts;
        let pointless = |host: u32| {
            let host = all.get(host as usize);
            host.is_none_or(|host| host.ended || host.guard.is_everything())
        };
        let mut errand = guards.pop_front().map(|(host, port)| Errand::Guard { host, port });
        for (queue, is_paced) in [(first, false), (verify, true)] {
            while let (None, Some((due, host, port))) = (errand, queue.front().copied()) {
                if !pointless(host) {
                    if due > now || (is_paced && *next_verify > now) {
                        break;
                    }
                    if is_paced {
                        *next_verify = (*next_verify).max(now.checked_sub(CREDIT).unwrap_or(now)) + VERIFY_EVERY;
                    }
                    errand = Some(Errand::Verify { host, port });
                }
                queue.pop_front();
            }
        }
        self.count(&hosts);
        errand
    }

    fn done(&self, errand: Errand, outcome: ErrandOutcome) {
        let mut hosts = self.lock();
        let (Errand::Verify { host: at, .. } | Errand::Guard { host: at, .. }) = errand;
        let Some(host) = hosts.all.get_mut(at as usize).filter(|host| !host.ended) else { return };
        match (errand, &mut host.guard) {
            (Errand::Guard { .. }, Guard::Asking { out, accepted: all, .. }) => {
                *out = out.saturating_sub(1);
                *all += usize::from(outcome == ErrandOutcome::Accepted);
            }
            (Errand::Guard { .. }, _) => {}
            (Errand::Verify { port, .. }, _) => {
                host.verifying = host.verifying.saturating_sub(1);
                let number = self.engines.prepared.tcp_ports.get(port as usize);
                match outcome {
                    ErrandOutcome::Accepted => {
                        self.engines.messenger.tell(Message::Confirmed(vec![(self.id(at), port)]));
                    }
                    ErrandOutcome::Refused => host.refuted.extend(number),
                    ErrandOutcome::Silent => host.silent.extend(number),
                    // Trouble on this machine says nothing against the first answer.
                    ErrandOutcome::NotAsked => {}
                }
            }
        }
        self.settle(&mut hosts, at);
        self.count(&hosts);
    }
}
