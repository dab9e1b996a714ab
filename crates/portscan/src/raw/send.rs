//! The sending thread: decides which question goes out next, and when a host is finished.
//!
//! Each host walks through its ports in an order of its own, in passes. The first pass asks every port; where ports
//! answer, one that stays silent is asked again at once (which also shows loss early). Later passes ask whatever still
//! has no answer, as often as the loss that was seen demands. Hosts take turns, so that none is hit in a burst. Nothing
//! is declared filtered before the host is finished, so a late answer always counts.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::congestion::{Epoch, Pace, Window, is_enough, loss};
use super::cookie::Use;
use super::packet::{self, Link, Syn};
use super::shared::Shared;
use super::sys::{BATCH, Batch, Sender};
use super::wheel::{Flight, Wheel};
use crate::checkpoint::Position;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::limits::Ceiling;
use crate::order::Order;
use crate::{Control, HostReason, Presence, Reason, Settings, State, Verification};

/// Shortest and longest wait for an answer.
const RTO_LEAST_US: u32 = 30_000;
const RTO_MOST_US: u32 = 2_000_000;
/// Beyond the usual round trip at least this much is waited: schedulers and queues are never quite even.
const SLACK_US: u32 = 20_000;
/// Wait for the answer of a host of which nothing is known yet.
const RTO_BLIND_US: u32 = 250_000;
/// Early repetitions a host may have waiting; what is beyond waits for the next pass.
const EARLY_AT_MOST: usize = 4096;
/// Open ports of a host that are asked again.
const VERIFY_AT_MOST: usize = 64;
/// Open ports from which a host is suspected to accept everything.
const SUSPICIOUS: u32 = 48;
/// Ports asked to find that out, and how many of them must accept.
const GUARDS: usize = 10;
const GUARDS_OPEN: usize = 9;
/// Passes that are repeated because answers were lost on this machine.
const REPAIRS: u8 = 3;

/// A target as the raw engine needs it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its number in the job.
    pub id: u32,
    pub address: IpAddr,
    pub source: IpAddr,
    /// Number of the sender.
    pub way: usize,
    pub link: Link,
    pub mac: Option<[u8; 6]>,
    pub presence: Option<Presence>,
    pub position: Position,
    /// Index of its subnet, for ceilings.
    pub subnet: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Asking.
    Asking,
    /// All asked; waiting for what is out.
    Waiting,
    Finished,
}

struct HostPlan {
    target: Target,
    order: Order,
    phase: Phase,
    pass: u8,
    cursor: u32,
    /// What was out some time ago is settled by now: the place from which a killed run goes on.
    settled: Position,
    candidate: (Position, u64),
    early: Vec<u32>,
    early_incomplete: bool,
    /// Attempts that every silent port has had.
    made: u8,
    /// The chance that an answering port was silent in all passes that are over.
    missed: f32,
    /// Canaries, back and lost, when the pass began.
    pass_from: (u32, u32),
    repairs: u8,
    drops_at_start: u64,
    window: Window,
    pace: Pace,
    seen: u32,
    epoch: EpochStart,
    /// Flights given up since the share of answers was last looked at, and the answers then.
    given_up: u32,
    share_from: u32,
    last_answer_us: u64,
    last_sent_us: u64,
    canaries: VecDeque<(u64, u8)>,
    canary_number: u8,
    canary_next_us: u64,
    canaries_good: u32,
    canaries_lost: u32,
    deaf_canaries: u32,
    ceiling: Option<Ceiling>,
    verifying: u32,
    verified: usize,
    unconfirmed: Vec<u16>,
    guard: Guard,
    local: Option<Reason>,
}

#[derive(Debug, Clone, Copy, Default)]
struct EpochStart {
    at_us: u64,
    answered: u32,
    late: u32,
    good: u32,
    lost: u32,
}

#[derive(Debug, Default)]
struct Guard {
    asked: Vec<u16>,
    answers: Vec<(u16, bool)>,
    tries: u8,
    due_us: u64,
}

impl Guard {
    fn is_open(&self) -> bool {
        self.answers.iter().filter(|(_, open)| *open).count() >= GUARDS_OPEN
    }

    fn is_decided(&self) -> bool {
        self.asked.is_empty()
            || self.is_open()
            || self.answers.iter().filter(|(_, open)| !open).count() > GUARDS - GUARDS_OPEN
            || self.tries >= 3
    }
}

/// What a run of the sending thread needs.
pub struct Sending<'a> {
    pub shared: &'a Shared,
    pub control: &'a Control,
    pub settings: &'a Settings,
    pub messenger: &'a Messenger,
    pub senders: &'a [Sender],
    /// Whether positions are wanted for a checkpoint.
    pub positions: bool,
}

struct Outgoing {
    batch: Batch,
    hosts: Vec<usize>,
}

pub struct Transmitter<'a> {
    cx: Sending<'a>,
    hosts: Vec<HostPlan>,
    active: Vec<usize>,
    turn: usize,
    wheel: Wheel,
    now_us: u64,
    outgoing: Vec<Outgoing>,
    window: Window,
    pace: Pace,
    global_epoch: EpochStart,
    seen: u32,
    ceiling: Option<Ceiling>,
    subnets: Vec<Ceiling>,
    verify: VecDeque<(u64, u32, u32, u8)>,
    verify_open: HashMap<(u32, u32), u8>,
    verify_next_us: u64,
    positions_next_us: u64,
    /// Since when the network device has refused every packet.
    stuck_since: Option<Instant>,
    random: u64,
}

impl<'a> Transmitter<'a> {
    pub fn new(cx: Sending<'a>, targets: Vec<Target>, subnets: usize, seed: u64) -> Self {
        let ports = cx.shared.ports.len();
        let count = u16::try_from(targets.len()).unwrap_or(u16::MAX);
        let start = (2048.0 / f32::from(count.max(1))).clamp(8.0, 128.0);
        let hosts: Vec<HostPlan> = targets
            .into_iter()
            .map(|target| {
                let order = Order::new(1, ports, seed ^ u64::from(target.id).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    .unwrap_or_else(|| unreachable!("at most 65535 ports"));
                HostPlan {
                    order,
                    phase: Phase::Asking,
                    pass: target.position.pass,
                    cursor: target.position.cursor,
                    settled: target.position,
                    candidate: (target.position, 0),
                    early: Vec::new(),
                    early_incomplete: target.position != Position::default(),
                    made: target.position.pass,
                    missed: 1.0,
                    pass_from: (0, 0),
                    repairs: 0,
                    drops_at_start: 0,
                    window: Window::new(start, 32_768.0),
                    pace: Pace::new(10_000.0, 160_000.0),
                    seen: 0,
                    epoch: EpochStart::default(),
                    given_up: 0,
                    share_from: 0,
                    last_answer_us: 0,
                    last_sent_us: 0,
                    canaries: VecDeque::new(),
                    canary_number: 0,
                    canary_next_us: 0,
                    canaries_good: 0,
                    canaries_lost: 0,
                    deaf_canaries: 0,
                    ceiling: cx.settings.rates.per_host.map(Ceiling::new),
                    verifying: 0,
                    verified: 0,
                    unconfirmed: Vec::new(),
                    guard: Guard::default(),
                    local: None,
                    target,
                }
            })
            .collect();
        let outgoing = cx.senders.iter().map(|_| Outgoing { batch: Batch::new(), hosts: Vec::new() }).collect();
        let per_subnet = cx.settings.rates.per_subnet;
        Self {
            active: (0..hosts.len()).collect(),
            hosts,
            turn: 0,
            wheel: Wheel::new(),
            now_us: 0,
            outgoing,
            window: Window::new(256.0, 65_536.0),
            pace: Pace::new(20_000.0, 200_000.0),
            global_epoch: EpochStart::default(),
            seen: 0,
            ceiling: cx.settings.rates.global.map(Ceiling::new),
            subnets: per_subnet.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); subnets]),
            verify: VecDeque::new(),
            verify_open: HashMap::new(),
            verify_next_us: 0,
            positions_next_us: 0,
            stuck_since: None,
            random: seed | 1,
            cx,
        }
    }

    /// Runs until every host is finished or the run is cancelled.
    pub fn run(&mut self) {
        if let Ok(mut sender) = self.cx.shared.sender.lock() {
            *sender = Some(std::thread::current());
        }
        while !self.active.is_empty() && !self.cx.control.is_cancelled() {
            self.tick();
            self.land();
            self.read_notes();
            let mut sent = 0;
            if !self.cx.control.is_paused() && !self.cx.messenger.is_congested() {
                self.global_epoch();
                sent = self.ask_round();
                sent += self.verify_some();
                self.flush_all();
            }
            self.publish_positions();
            if sent == 0 {
                self.wait();
            }
        }
        self.count_traffic();
    }

    fn tick(&mut self) {
        self.now_us = self.cx.shared.now_us();
    }

    fn wait(&mut self) {
        self.count_traffic();
        self.cx.shared.waiting.store(true, Relaxed);
        std::thread::park_timeout(Duration::from_micros(if self.cx.control.is_paused() { 20_000 } else { 300 }));
        self.cx.shared.waiting.store(false, Relaxed);
    }

    fn count_traffic(&self) {
        let traffic = &self.cx.messenger.traffic;
        traffic.received.fetch_add(self.cx.shared.received.swap(0, Relaxed), Relaxed);
        traffic.dropped.fetch_max(self.cx.shared.dropped.load(Relaxed), Relaxed);
    }

    /// How long an answer of the host may take.
    fn patience(&self, at: usize) -> u32 {
        let host = &self.cx.shared.hosts[at];
        let longest = u32::try_from(self.cx.settings.timeout.as_micros()).unwrap_or(u32::MAX).min(RTO_MOST_US);
        let smoothed = host.smoothed_us.load(Relaxed);
        if smoothed == 0 {
            let elsewhere = self.cx.shared.smoothed_us.load(Relaxed).saturating_mul(4);
            return RTO_BLIND_US.max(elsewhere).min(longest);
        }
        let variation = host.variation_us.load(Relaxed).saturating_mul(4);
        let wait = smoothed.saturating_add(variation.max(SLACK_US));
        wait.max(RTO_LEAST_US).min(longest)
    }

    /// Gives up the flights that are overdue.
    fn land(&mut self) {
        let read_until = self.now_us.min(self.cx.shared.read_until_us.load(Relaxed));
        while let Some(flight) = self.wheel.due(read_until) {
            let at = flight.host as usize;
            let (Some(shared), Some(host)) = (self.cx.shared.hosts.get(at), self.hosts.get_mut(at)) else { continue };
            let pair = self.cx.shared.pair(flight.host, flight.port);
            if !self.cx.shared.landed(shared, pair) {
                continue;
            }
            host.given_up += 1;
            if flight.first && host.pass == 0 && !self.cx.shared.done.get(pair) {
                if shared.paced.load(Relaxed) || host.early.len() >= EARLY_AT_MOST {
                    host.early_incomplete = true;
                } else {
                    host.early.push(flight.port);
                }
            }
        }
    }

    /// Adapts the window and pace that all hosts share.
    fn global_epoch(&mut self) {
        let shared = self.cx.shared;
        let answered = shared.answered.load(Relaxed);
        let fresh = answered.wrapping_sub(self.seen);
        self.seen = answered;
        if fresh > 0 && shared.in_flight.load(Relaxed) + i64::from(fresh) >= i64::from(self.window.size() / 2) {
            self.window.answered(fresh);
        }
        let length = u64::from(shared.smoothed_us.load(Relaxed)).max(20_000);
        if self.now_us < self.global_epoch.at_us + length {
            return;
        }
        let late = shared.late.load(Relaxed);
        let excess = shared.excess_us.swap(u32::MAX, Relaxed);
        let epoch = Epoch {
            answered: answered.wrapping_sub(self.global_epoch.answered),
            late: late.wrapping_sub(self.global_epoch.late),
            shortest_us: 0,
            recent_us: excess,
        };
        self.window.epoch(&epoch);
        let (good, lost) = (self.global_epoch.good, self.global_epoch.lost);
        self.pace.epoch(&epoch, good + epoch.answered, lost + epoch.late);
        self.global_epoch = EpochStart { at_us: self.now_us, answered, late, good: 0, lost: 0 };
    }

    /// Lets hosts ask in turn until a batch is out or nobody may; returns how many packets there were.
    fn ask_round(&mut self) -> usize {
        let mut sent = 0;
        let mut idle = 0;
        while sent < BATCH && idle < self.active.len() {
            if self.turn >= self.active.len() {
                self.turn = 0;
            }
            let at = self.active[self.turn];
            let asked = self.visit(at);
            if self.hosts[at].phase == Phase::Finished {
                self.active.swap_remove(self.turn);
                idle = 0;
                continue;
            }
            self.turn += 1;
            if asked {
                (sent, idle) = (sent + 1, 0);
            } else {
                idle += 1;
            }
        }
        sent
    }

    /// Gives a host its turn; whether it sent something.
    fn visit(&mut self, at: usize) -> bool {
        self.learn(at);
        if self.hosts[at].phase == Phase::Waiting {
            self.finish_pass(at);
        }
        if self.hosts[at].phase != Phase::Asking || !self.below_ceilings(at) {
            return false;
        }
        let paced = self.cx.shared.hosts[at].paced.load(Relaxed);
        if paced {
            if self.send_canary(at) {
                return true;
            }
            if !self.pace.ready(self.now_us) || !self.hosts[at].pace.ready(self.now_us) {
                return false;
            }
        } else {
            let global = self.cx.shared.in_flight.load(Relaxed) >= i64::from(self.window.size());
            if global || self.cx.shared.hosts[at].in_flight.load(Relaxed) >= self.hosts[at].window.size() {
                self.notice_silence(at);
                return false;
            }
        }
        let Some((port, what)) = self.next_question(at) else {
            self.hosts[at].phase = Phase::Waiting;
            return false;
        };
        self.ask(at, port, what);
        if paced {
            self.pace.sent(self.now_us);
            self.hosts[at].pace.sent(self.now_us);
        }
        true
    }

    /// The port to ask next, and as what.
    fn next_question(&mut self, at: usize) -> Option<(u32, Use)> {
        let shared = self.cx.shared;
        let number = u32::try_from(at).ok()?;
        let host = self.hosts.get_mut(at)?;
        while let Some(port) = host.early.pop() {
            if !shared.done.get(shared.pair(number, port)) {
                return Some((port, Use::Early));
            }
        }
        while let Some((_, index)) = host.order.pair(u64::from(host.cursor)) {
            host.cursor += 1;
            let port = u32::try_from(index).ok()?;
            if !shared.done.get(shared.pair(number, port)) {
                return Some((port, Use::Pass(host.pass)));
            }
        }
        None
    }

    fn ask(&mut self, at: usize, port: u32, what: Use) {
        let shared = self.cx.shared;
        let Ok(number) = u32::try_from(at) else { return };
        let Some(number_of_port) = shared.ports.get(port as usize).copied() else { return };
        let wait = u64::from(self.patience(at));
        shared.flying.set(shared.pair(number, port));
        shared.hosts[at].in_flight.fetch_add(1, Relaxed);
        if !shared.hosts[at].paced.load(Relaxed) {
            shared.in_flight.fetch_add(1, Relaxed);
        }
        self.wheel.add(self.now_us + wait, Flight { host: number, port, first: matches!(what, Use::Pass(_)) });
        self.hosts[at].last_sent_us = self.now_us;
        self.syn(at, number_of_port, what);
    }

    fn syn(&mut self, at: usize, port: u16, what: Use) {
        let cookies = self.cx.shared.cookies;
        let target = &self.hosts[at].target;
        let source_port = cookies.source_port(what);
        let sequence = cookies.sequence(target.address, source_port, port, wall_us());
        let question = Syn { source: target.source, target: target.address, source_port, port, sequence };
        let (to, link, way) = (target.address, target.link, target.way);
        self.put(at, way, to, |buffer| packet::syn(buffer, link, &question));
    }

    fn put(&mut self, at: usize, way: usize, to: IpAddr, write: impl FnOnce(&mut [u8; super::sys::LONGEST]) -> usize) {
        let now = self.now_us;
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.sent(now);
        }
        if let Some(ceiling) = &mut self.hosts[at].ceiling {
            ceiling.sent(now);
        }
        let subnet = self.hosts[at].target.subnet;
        if let Some(ceiling) = self.subnets.get_mut(subnet) {
            ceiling.sent(now);
        }
        if let Some(outgoing) = self.outgoing.get_mut(way) {
            outgoing.batch.push(to, write);
            outgoing.hosts.push(at);
            if outgoing.batch.is_full() {
                self.flush(way);
            }
        }
    }

    fn below_ceilings(&self, at: usize) -> bool {
        let now = self.now_us;
        let host = &self.hosts[at];
        self.ceiling.as_ref().is_none_or(|ceiling| ceiling.ready(now))
            && host.ceiling.as_ref().is_none_or(|ceiling| ceiling.ready(now))
            && self.subnets.get(host.target.subnet).is_none_or(|ceiling| ceiling.ready(now))
    }

    /// Takes in what came back from a host since its last turn.
    fn learn(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        let now = self.now_us;
        let answered = shared.answered.load(Relaxed);
        let fresh = answered.wrapping_sub(self.hosts[at].seen);
        if fresh > 0 {
            let host = &mut self.hosts[at];
            host.seen = answered;
            host.last_answer_us = now;
            if shared.in_flight.load(Relaxed) + fresh >= host.window.size() / 2 {
                host.window.answered(fresh);
            }
        }
        let length = u64::from(shared.smoothed_us.load(Relaxed)).max(20_000);
        if now < self.hosts[at].epoch.at_us + length {
            return;
        }
        self.check_canaries(at);
        let late = shared.late.load(Relaxed);
        let host = &mut self.hosts[at];
        let epoch = Epoch {
            answered: answered.wrapping_sub(host.epoch.answered),
            late: late.wrapping_sub(host.epoch.late),
            shortest_us: shared.shortest_us.load(Relaxed),
            recent_us: shared.recent_us.swap(u32::MAX, Relaxed),
        };
        let good = host.canaries_good - host.epoch.good;
        let lost = host.canaries_lost - host.epoch.lost;
        if shared.paced.load(Relaxed) {
            host.pace.epoch(&epoch, good + epoch.answered - epoch.late.min(epoch.answered), lost + epoch.late);
        } else {
            host.window.epoch(&epoch);
        }
        self.global_epoch.good += good;
        self.global_epoch.lost += lost;
        let (good, lost) = (host.canaries_good, host.canaries_lost);
        host.epoch = EpochStart { at_us: now, answered, late, good, lost };
        self.choose_manner(at);
    }

    /// Window or pace, by the share of questions that are answered.
    fn choose_manner(&mut self, at: usize) {
        let patience = self.patience(at);
        let (shared, host) = (&self.cx.shared.hosts[at], &mut self.hosts[at]);
        let answered = host.seen.wrapping_sub(host.share_from);
        let total = answered + host.given_up;
        if total < 64 {
            return;
        }
        let paced = shared.paced.load(Relaxed);
        if !paced && answered * 10 < total {
            self.switch_to_pace(at);
        } else if paced && answered * 2 > total {
            let size = host.pace.rate() * f32::from(u16::try_from(patience / 1000).unwrap_or(u16::MAX)) / 1000.0;
            host.window.restart(size.max(64.0));
            self.cx.shared.in_flight.fetch_add(i64::from(shared.in_flight.load(Relaxed)), Relaxed);
            shared.paced.store(false, Relaxed);
        }
        let host = &mut self.hosts[at];
        (host.share_from, host.given_up) = (host.seen, 0);
    }

    /// The window is full and nothing has come back for as long as an answer takes: ask at a pace instead.
    fn notice_silence(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        if shared.in_flight.load(Relaxed) < self.hosts[at].window.size() {
            return;
        }
        let quiet_since = self.hosts[at].last_answer_us.max(self.hosts[at].last_sent_us);
        if shared.smoothed_us.load(Relaxed) == 0 && self.now_us > quiet_since + 20_000 {
            // An echo may tell the round trip, and that nothing is wrong with the path.
            self.send_canary(at);
        }
        if self.now_us > quiet_since + u64::from(self.patience(at).min(RTO_BLIND_US)) {
            self.switch_to_pace(at);
        }
    }

    fn switch_to_pace(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        shared.paced.store(true, Relaxed);
        self.cx.shared.in_flight.fetch_sub(i64::from(shared.in_flight.load(Relaxed)), Relaxed);
    }

    /// Asks something that is known to answer, to see how the path does; whether a packet went out.
    fn send_canary(&mut self, at: usize) -> bool {
        let host = &self.hosts[at];
        if self.now_us < host.canary_next_us || host.canaries.len() >= usize::from(Use::CANARIES) - 1 {
            return false;
        }
        let shared = &self.cx.shared.hosts[at];
        let port = shared.canary_port.load(Relaxed).checked_sub(1);
        let number = host.canary_number;
        let what = Use::Canary(number);
        if let Some(port) = port.and_then(|index| self.cx.shared.ports.get(index as usize)).copied() {
            self.syn(at, port, what);
        } else {
            let cookies = self.cx.shared.cookies;
            let target = &host.target;
            let (ends, link, way) = ((target.source, target.address), target.link, target.way);
            let (identifier, sequence) = (cookies.first_port, u16::from(number));
            let data = u64::from(cookies.sequence(target.address, identifier, sequence, wall_us())) << 32;
            self.put(at, way, ends.1, |buffer| packet::echo(buffer, link, ends, identifier, sequence, data));
        }
        let host = &mut self.hosts[at];
        shared.canaries.fetch_and(!(1 << number), Relaxed);
        host.canaries.push_back((self.now_us, number));
        host.canary_number = (number + 1) % Use::CANARIES;
        // One for 64 questions, but not more than two hundred a second, and few where none ever came back.
        let deaf = host.canaries_good == 0 && host.deaf_canaries >= 4;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are positive and bounded")]
        let between = (64_000_000.0 / host.pace.rate().max(1.0)) as u64;
        host.canary_next_us = self.now_us + if deaf { 500_000 } else { between.clamp(5_000, 200_000) };
        true
    }

    fn check_canaries(&mut self, at: usize) {
        let patience = u64::from(self.patience(at));
        let read_until = self.now_us.min(self.cx.shared.read_until_us.load(Relaxed));
        let shared = &self.cx.shared.hosts[at];
        let host = &mut self.hosts[at];
        let back = shared.canaries.load(Relaxed);
        while let Some((sent, number)) = host.canaries.front().copied() {
            let came_back = back >> number & 1 == 1;
            if !came_back && read_until < sent + patience {
                break;
            }
            host.canaries.pop_front();
            if came_back {
                host.canaries_good += 1;
            } else if host.canaries_good > 0 || shared.canary_port.load(Relaxed) > 0 {
                host.canaries_lost += 1;
            } else {
                // It never answered an echo: that says nothing about the path.
                host.deaf_canaries += 1;
                continue;
            }
            host.pace.canary(came_back);
            self.pace.canary(came_back);
        }
    }

    /// All ports were asked in this pass: once the answers are in, decide whether another one follows.
    fn finish_pass(&mut self, at: usize) {
        let shared = &self.cx.shared.hosts[at];
        if !self.hosts[at].early.is_empty() {
            self.hosts[at].phase = Phase::Asking;
            return;
        }
        let undone = shared.undone.load(Relaxed);
        if undone > 0 {
            if shared.in_flight.load(Relaxed) > 0 {
                return;
            }
            if self.another_pass(at, undone) {
                return;
            }
            // The last answers get more time than the others: nothing waits for them but the end.
            let patience = u64::from(self.patience(at));
            let blind = u64::try_from(self.cx.settings.timeout.as_micros()).unwrap_or(u64::MAX);
            let grace = if shared.smoothed_us.load(Relaxed) == 0 { blind } else { (patience * 2).max(100_000) };
            if self.now_us < self.hosts[at].last_sent_us + grace {
                return;
            }
        }
        if self.hosts[at].verifying == 0 && self.guard(at) {
            self.finish(at);
        }
    }

    /// Whether silent ports are to be asked again; starts the pass if so.
    fn another_pass(&mut self, at: usize, undone: u32) -> bool {
        let all = self.cx.shared;
        let shared = &all.hosts[at];
        let dropped = all.dropped.load(Relaxed);
        let host = &mut self.hosts[at];
        if host.phase != Phase::Waiting {
            return false;
        }
        let made = if host.pass == 0 && !host.early_incomplete { 2 } else { host.made.max(host.pass) + 1 };
        let answered = shared.answered.load(Relaxed);
        // How much was lost in this pass tell the canaries; without them, answers that came only to a repetition.
        let (good, lost) = (host.canaries_good - host.pass_from.0, host.canaries_lost - host.pass_from.1);
        let (late, late_everywhere) = (shared.late.load(Relaxed), all.late.load(Relaxed));
        let share = if good + lost >= 20 {
            loss(lost, good + lost)
        } else {
            let own = loss(late + host.canaries_lost, answered + host.canaries_good + host.canaries_lost);
            own.max(loss(late_everywhere, all.answered.load(Relaxed)))
        };
        let mut missed = host.missed * share;
        if host.pass == 0 && !host.early_incomplete {
            missed *= share;
        }
        let enough = is_enough(missed, all.answered.load(Relaxed));
        let mut needed = self.cx.settings.attempts.max(1);
        if undone <= 512 && answered > undone {
            // A few that are silent among many that answer were probably lost, and cost nearly nothing.
            needed = needed.max(if late > 0 || host.canaries_lost > 0 { 5 } else { 3 });
        }
        let repair = dropped > host.drops_at_start && host.repairs < REPAIRS;
        if (made >= needed && enough && !repair) || host.pass + 1 >= Use::PASSES || host.local.is_some() {
            return false;
        }
        if repair {
            host.repairs += 1;
        }
        host.missed = missed;
        host.pass_from = (host.canaries_good, host.canaries_lost);
        host.made = made;
        host.pass += 1;
        host.cursor = 0;
        host.drops_at_start = dropped;
        host.phase = Phase::Asking;
        true
    }

    /// Asks ports chosen by chance at a host with very many open ones; whether that is decided.
    fn guard(&mut self, at: usize) -> bool {
        let open = self.cx.shared.hosts[at].open.load(Relaxed);
        let ports = u32::try_from(self.cx.shared.ports.len()).unwrap_or(u32::MAX);
        let suspicious = open > SUSPICIOUS || (ports >= 8 && u64::from(open) * 10 >= u64::from(ports) * 9);
        if !suspicious || self.cx.settings.verification == Verification::Off {
            return true;
        }
        if self.hosts[at].guard.asked.is_empty() {
            let spare = ports < 20_000;
            let mut chosen = Vec::new();
            while chosen.len() < GUARDS {
                self.random =
                    self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let port = 20_000 + u16::try_from((self.random >> 33) % 45_000).unwrap_or(0);
                let asked = self.cx.shared.port_index.get(usize::from(port)).is_some_and(|index| *index > 0);
                let avoid = spare && asked;
                if !avoid && !chosen.contains(&port) {
                    chosen.push(port);
                }
            }
            self.hosts[at].guard.asked = chosen;
        }
        if self.hosts[at].guard.is_decided() {
            return true;
        }
        if self.now_us >= self.hosts[at].guard.due_us && self.below_ceilings(at) {
            let guard = &mut self.hosts[at].guard;
            guard.tries += 1;
            let left: Vec<u16> = guard
                .asked
                .iter()
                .copied()
                .filter(|port| guard.answers.iter().all(|(known, _)| known != port))
                .collect();
            self.hosts[at].guard.due_us = self.now_us + u64::from(self.patience(at));
            for port in left {
                self.syn(at, port, Use::Guard);
            }
        }
        false
    }

    /// Every port has a result now: what never answered is told.
    fn finish(&mut self, at: usize) {
        let all = self.cx.shared;
        let shared = &all.hosts[at];
        let Ok(number) = u32::try_from(at) else { return };
        let dropped = all.dropped.load(Relaxed) > self.hosts[at].drops_at_start;
        let host = &mut self.hosts[at];
        host.phase = Phase::Finished;
        let answered = shared.answered.load(Relaxed) > 0;
        let (state, reason) = match (host.local, shared.unreachable.load(Relaxed)) {
            (Some(reason), _) => (State::Error, reason),
            (None, _) if dropped => (State::Error, Reason::AnswersLost),
            (None, 1) if !answered => (State::Unreachable, Reason::HostUnreachable),
            (None, 2) if !answered => (State::Unreachable, Reason::NetUnreachable),
            _ => (State::Filtered, Reason::NoResponse),
        };
        let attempts = host.made.max(host.pass).saturating_add(1);
        let mut records = Vec::new();
        if shared.undone.load(Relaxed) > 0 {
            for port in 0..u32::try_from(all.ports.len()).unwrap_or(0) {
                if all.done.set(all.pair(number, port)) {
                    shared.undone.fetch_sub(1, Relaxed);
                    records.push(Record { host: host.target.id, port, state, reason, rtt_us: 0, ttl: 0, attempts });
                }
                if records.len() >= 4096 {
                    self.cx.messenger.records(std::mem::take(&mut records));
                }
            }
        }
        self.cx.messenger.records(records);
        let echoed = shared.echoed.load(Relaxed).then_some(Presence::Up(HostReason::Echo));
        let port = answered.then_some(Presence::Up(HostReason::Port));
        self.cx.messenger.tell(Message::Host(Box::new(HostEnd {
            host: host.target.id,
            presence: host.target.presence.or(port).or(echoed),
            rtt_us: shared.smoothed_us.load(Relaxed),
            mac: host.target.mac,
            accepts_everything: host.guard.is_open(),
            unconfirmed: std::mem::take(&mut host.unconfirmed),
        })));
    }

    fn read_notes(&mut self) {
        if !self.cx.shared.noted.swap(false, Relaxed) {
            return;
        }
        let notes =
            std::mem::take(&mut *self.cx.shared.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for (number, port) in notes.opened {
            let Some(host) = self.hosts.get_mut(number as usize) else { continue };
            if self.cx.settings.verification == Verification::On && host.verified < VERIFY_AT_MOST {
                host.verified += 1;
                host.verifying += 1;
                self.verify_open.insert((number, port), 0);
                self.verify.push_back((self.now_us, number, port, 0));
            }
            if self.cx.shared.hosts[number as usize].open.load(Relaxed) > SUSPICIOUS {
                self.guard(number as usize);
            }
        }
        for (number, port, accepted) in notes.verified {
            if self.verify_open.remove(&(number, port)).is_some() {
                self.verify_ended(number, port, accepted);
            }
        }
        for (number, port, open) in notes.guards {
            if let Some(host) = self.hosts.get_mut(number as usize)
                && host.guard.asked.contains(&port)
                && host.guard.answers.iter().all(|(known, _)| *known != port)
            {
                host.guard.answers.push((port, open));
            }
        }
    }

    fn verify_ended(&mut self, number: u32, port: u32, confirmed: bool) {
        let Some(host) = self.hosts.get_mut(number as usize) else { return };
        host.verifying = host.verifying.saturating_sub(1);
        if !confirmed && let Some(port) = self.cx.shared.ports.get(port as usize) {
            host.unconfirmed.push(*port);
        }
    }

    /// Asks open ports a second time, a few thousand a second at most; returns how many packets went out.
    fn verify_some(&mut self) -> usize {
        let mut sent = 0;
        while let Some((due, number, port, tries)) = self.verify.front().copied() {
            if due > self.now_us || self.verify_next_us > self.now_us || sent >= 8 {
                break;
            }
            let at = number as usize;
            if self.verify_open.contains_key(&(number, port)) {
                if tries >= Use::VERIFICATIONS {
                    self.verify.pop_front();
                    self.verify_open.remove(&(number, port));
                    self.verify_ended(number, port, false);
                    continue;
                }
                if !self.below_ceilings(at) {
                    break;
                }
                self.verify.pop_front();
                let again = self.now_us + u64::from(self.patience(at)) * u64::from(tries + 1);
                self.verify.push_back((again, number, port, tries + 1));
                if let Some(port) = self.cx.shared.ports.get(port as usize).copied() {
                    self.syn(at, port, Use::Verify(tries));
                }
                self.verify_next_us = self.verify_next_us.max(self.now_us.saturating_sub(2000)) + 250;
                sent += 1;
            } else {
                self.verify.pop_front();
            }
        }
        sent
    }

    fn flush_all(&mut self) {
        for way in 0..self.outgoing.len() {
            self.flush(way);
        }
    }

    /// Sends a batch. A device without room is waited for; what the kernel refuses for good is an error of the host.
    fn flush(&mut self, way: usize) {
        let (Some(outgoing), Some(sender)) = (self.outgoing.get_mut(way), self.cx.senders.get(way)) else { return };
        let total = outgoing.batch.len();
        let mut first = 0;
        while first < total {
            match outgoing.batch.send(sender, first) {
                Ok(sent) => {
                    first += sent.max(1);
                    self.stuck_since = None;
                }
                Err(error) => {
                    let number = error.raw_os_error().unwrap_or(0);
                    let full = matches!(number, libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EINTR);
                    let since = *self.stuck_since.get_or_insert_with(Instant::now);
                    if full && since.elapsed() < Duration::from_secs(5) && !self.cx.control.is_cancelled() {
                        std::thread::sleep(Duration::from_micros(200));
                        continue;
                    }
                    let reason = match number {
                        libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM => Reason::NoBuffers,
                        libc::EPERM | libc::EACCES => Reason::LocalPolicy,
                        other => Reason::System(other),
                    };
                    if let Some(host) = outgoing.hosts.get(first).and_then(|at| self.hosts.get_mut(*at)) {
                        host.local = Some(reason);
                    }
                    first += 1;
                }
            }
        }
        outgoing.batch.clear();
        outgoing.hosts.clear();
        let traffic = &self.cx.messenger.traffic;
        traffic.sent.fetch_add(total as u64, Relaxed);
        traffic.attempts.fetch_add(total as u64, Relaxed);
    }

    /// Tells the checkpoint how far each host is, late enough that what was out then is answered or given up.
    fn publish_positions(&mut self) {
        if !self.cx.positions || self.now_us < self.positions_next_us {
            return;
        }
        self.positions_next_us = self.now_us + 50_000;
        let mut changed = Vec::new();
        for at in &self.active {
            let patience = u64::from(self.patience(*at));
            let host = &mut self.hosts[*at];
            if self.now_us < host.candidate.1 + patience {
                continue;
            }
            if host.candidate.0 != host.settled {
                host.settled = host.candidate.0;
                changed.push((host.target.id, host.settled));
            }
            host.candidate = (Position { pass: host.pass, cursor: host.cursor }, self.now_us);
        }
        if !changed.is_empty() {
            self.cx.messenger.tell(Message::Positions(changed));
        }
    }
}

/// The wall clock in microseconds, the clock of the rings' time stamps.
fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(0)
}
