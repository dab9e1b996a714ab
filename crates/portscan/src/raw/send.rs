//! The sending thread: decides which question goes out next, and when a host is finished.
//!
//! Each host walks through its ports in an order of its own, in passes. The first pass asks every port; where ports
//! answer, one that stays silent is asked again at once (which also shows loss early). Later passes ask whatever still
//! has no answer, as often as the loss that was seen demands. Hosts take turns, so that none is hit in a burst. Nothing
//! is declared filtered before the host is finished, so a late answer always counts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::{Duration, Instant};

use super::cookie::Use;
use super::packet::{self, Link, Syn};
use super::shared::{Bits, Shared};
use super::wheel::{Flight, Wheel};
use crate::checkpoint::Position;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::congestion::{Epoch, Pace, Window, could_be_chance, is_enough, loss};
use crate::limits::Ceiling;
use crate::links::{Links, PATIENCE};
use crate::masking::{GUARDS, GUARDS_OPEN, MANY, PILOT, draw, is_suspected};
use crate::order::{Order, shuffle};
use crate::sys::packet::{BATCH, Batch, LONGEST, Sender};
use crate::{Control, HostReason, Presence, Reason, Settings, State, Verification};

mod finish;
mod hops;
mod learn;
mod out;
pub mod second;
mod verify;

pub use hops::Hop;
use out::{Outgoing, Refusals};
use second::Second;
use verify::Guard;

/// Questions that may be out before anything is known of a path: about as many bytes as TCP begins with (RFC 6928, section 2:
/// 14,600, which are 331 SYNs of 44).
const START: f32 = 320.0;
/// Shortest and longest wait for an answer.
const RTO_LEAST_US: u32 = 30_000;
const RTO_MOST_US: u32 = 8_000_000;
/// Beyond the usual round trip at least this much is waited: schedulers and queues are never quite even.
const SLACK_US: u32 = 20_000;
/// Wait for the answer of a host of which nothing is known yet.
const RTO_BLIND_US: u32 = 250_000;
/// Answers that overtake each other do so within this, or a quarter of the round trip if that is more.
const REORDER_US: u32 = 5000;
/// With no more questions out at the end of a pass than this, twice a round trip is waited for the last of them: asking so
/// few again costs little (the probe time-out of RFC 8985, section 7.2).
const TAIL: u32 = 64;
/// Questions so shortly before the last one count as the last: less than what answers may overtake each other by.
const LAST_US: u64 = 2000;
/// Early repetitions a host may have waiting; what is beyond waits for the next pass.
const EARLY_AT_MOST: usize = 4096;
/// Early repetitions are paid for: each question of the first pass earns this much, each repetition that alone was
/// answered a little more than it cost. So loss of any size is made good at once, and a path that is only slow now and
/// then costs no second packet for what was on its way.
const EARLY_PER_QUESTION: f32 = 1.0 / 32.0;
const EARLY_PER_LATE: f32 = 1.5;
const EARLY_AT_START: f32 = 16.0;
/// Silent ports of a host that are asked once more at the end.
const SAMPLE: usize = 8;
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
    /// The number of its next hop among the [`Hop`]s, if that has a hardware address.
    pub hop: Option<usize>,
    pub mac: Option<[u8; 6]>,
    pub presence: Option<Presence>,
    pub position: Position,
    /// Whether a port of it answered in an earlier run.
    pub answered: bool,
    /// Index of its subnet, for ceilings.
    pub subnet: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Asking.
    Asking,
    /// All asked; waiting for what is out.
    Waiting,
    /// Every port has a result; waiting until all of them are told.
    Closing,
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
    /// Those that wait until they are paid for.
    unpaid: Vec<u32>,
    early_credit: f32,
    early_incomplete: bool,
    /// Attempts that every silent port has had.
    made: u8,
    /// The chance that an answering port was silent in all passes that are over.
    missed: f32,
    /// Canaries, back and lost, and answers when the pass began.
    pass_from: (u32, u32, u32),
    /// Answers that the pass before this one brought.
    fresh_before: Option<u32>,
    /// Whether the passes ended although they still brought answers.
    is_limited: bool,
    /// The hand-over that the end of the host waits for.
    handing_over: Option<u64>,
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
    /// When each port had been asked once; 0 until then.
    all_asked_us: u64,
    /// The time of the last question to the microsecond, where the other is the beginning of a round.
    last_sent_exact_us: u64,
    /// Canaries that are out: when they went, their numbers, and how many questions went out since the one before.
    canaries: VecDeque<(u64, u8, u32)>,
    canary_number: u8,
    canary_next_us: u64,
    /// Questions since the last canary.
    since_canary: u32,
    canaries_good: u32,
    canaries_lost: u32,
    /// Canaries lost in a row, with no answer to anything between them.
    lost_in_row: u32,
    /// Whether a host that had answered answers nothing any more.
    fell_silent: bool,
    /// Questions of this pass that went out with canaries that came back, and with such that were lost.
    stood_for: (u32, u32),
    deaf_canaries: u32,
    ceiling: Option<Ceiling>,
    verifying: u32,
    /// Whether silent ports were sampled, and how many there were then.
    sampled: bool,
    undone_at_sample: u32,
    /// Open ports that were refused when they were asked a second time, and those that were silent then.
    refuted: Vec<u16>,
    silent_again: Vec<u16>,
    guard: Guard,
    refusals: Refusals,
    /// Trouble that concerns all of its ports.
    local: Option<Reason>,
}

impl HostPlan {
    /// The next port that is to be repeated early, and whether it is paid for.
    fn next_early(&mut self) -> Option<(u32, bool)> {
        let paid = self.early.pop().map(|port| (port, true));
        paid.or_else(|| if self.early_credit < 1.0 { None } else { self.unpaid.pop().map(|port| (port, false)) })
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct EpochStart {
    at_us: u64,
    answered: u32,
    late: u32,
    good: u32,
    lost: u32,
}

/// What a run of the sending thread needs.
pub struct Sending<'a> {
    pub shared: &'a Shared,
    pub control: &'a Control,
    pub links: &'a Links,
    pub settings: &'a Settings,
    pub messenger: &'a Messenger,
    pub senders: &'a [Sender],
    /// Whether positions are wanted for a checkpoint.
    pub positions: bool,
}

/// Where in the order of the ports the question `cursor` of a pass is. Each pass begins elsewhere: what is lost is often
/// lost at the beginning, while the pace is being found, and must not be the same ports every time.
fn place_in_pass(cursor: u32, pass: u8, ports: u64) -> Option<u64> {
    // By the golden ratio, so that the beginnings of any number of passes lie far apart.
    let begin = u64::from(pass) * (ports * 618 / 1000);
    (u64::from(cursor) < ports).then(|| (begin + u64::from(cursor)) % ports)
}

pub struct Transmitter<'a> {
    cx: Sending<'a>,
    hosts: Vec<HostPlan>,
    active: Vec<usize>,
    turn: usize,
    wheel: Wheel,
    now_us: u64,
    outgoing: Vec<Outgoing>,
    /// What sends as well, where there is one.
    second: Option<Second>,
    window: Window,
    pace: Pace,
    global_epoch: EpochStart,
    seen: u32,
    ceiling: Option<Ceiling>,
    subnets: Vec<Ceiling>,
    /// Open ports to be asked a second time: when, host, port, and how often they were.
    verify: BinaryHeap<Reverse<(u64, u32, u32, u8)>>,
    verify_open: HashMap<(u32, u32), u8>,
    verify_next_us: u64,
    positions_next_us: u64,
    recount_next_us: u64,
    /// Pairs of which the kernel refused the last question; made when that first happens.
    refused: Option<Bits>,
    hops: Vec<Hop>,
    random: u64,
}

impl<'a> Transmitter<'a> {
    pub fn new(cx: Sending<'a>, targets: Vec<Target>, hops: Vec<Hop>, subnets: usize, seed: u64) -> Self {
        let ports = cx.shared.ports.len();
        let count = u16::try_from(targets.len()).unwrap_or(u16::MAX);
        let start = (2048.0 / f32::from(count.max(1))).clamp(8.0, START);
        // What was lost while nobody had been asked anything concerns none of them.
        let lost_before = cx.shared.dropped.load(Relaxed) + u64::from(cx.links.falls());
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
                    unpaid: Vec::new(),
                    early_credit: EARLY_AT_START,
                    early_incomplete: target.position != Position::default(),
                    made: target.position.pass,
                    missed: 1.0,
                    pass_from: (0, 0, 0),
                    fresh_before: None,
                    is_limited: false,
                    handing_over: None,
                    repairs: 0,
                    drops_at_start: lost_before,
                    window: Window::new(start, 32_768.0),
                    pace: Pace::new(10_000.0, 160_000.0),
                    seen: 0,
                    epoch: EpochStart::default(),
                    given_up: 0,
                    share_from: 0,
                    last_answer_us: 0,
                    last_sent_us: 0,
                    all_asked_us: 0,
                    last_sent_exact_us: 0,
                    canaries: VecDeque::new(),
                    canary_number: 0,
                    canary_next_us: 0,
                    since_canary: 64,
                    canaries_good: 0,
                    canaries_lost: 0,
                    lost_in_row: 0,
                    fell_silent: false,
                    stood_for: (0, 0),
                    deaf_canaries: 0,
                    ceiling: cx.settings.rates.per_host.map(Ceiling::new),
                    verifying: 0,
                    sampled: false,
                    undone_at_sample: 0,
                    refuted: Vec::new(),
                    silent_again: Vec::new(),
                    guard: Guard::default(),
                    refusals: Refusals::default(),
                    local: None,
                    target,
                }
            })
            .collect();
        let outgoing = cx.senders.iter().map(|_| Outgoing::new()).collect();
        let per_subnet = cx.settings.rates.per_subnet;
        let mut active: Vec<usize> = (0..hosts.len()).collect();
        shuffle(&mut active, seed);
        Self {
            active,
            hosts,
            turn: 0,
            wheel: Wheel::new(),
            now_us: 0,
            outgoing,
            second: None,
            window: Window::new(START, 65_536.0),
            pace: Pace::new(20_000.0, 200_000.0),
            global_epoch: EpochStart::default(),
            seen: 0,
            ceiling: cx.settings.rates.global.map(Ceiling::new),
            subnets: per_subnet.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); subnets]),
            verify: BinaryHeap::new(),
            verify_open: HashMap::new(),
            verify_next_us: 0,
            positions_next_us: 0,
            recount_next_us: 0,
            refused: None,
            hops,
            random: seed | 1,
            cx,
        }
    }

    /// Has a second thread send as well.
    pub fn helped_by(&mut self, second: Second) {
        self.second = Some(second);
    }

    /// Runs until every host is finished or the run is cancelled.
    pub fn run(&mut self) {
        if let Ok(mut sender) = self.cx.shared.sender.lock() {
            *sender = Some(std::thread::current());
        }
        while !self.active.is_empty() && !self.cx.control.is_cancelled() {
            self.tick();
            self.take_back();
            self.land();
            self.read_notes();
            self.recount();
            let mut sent = 0;
            if !self.cx.control.is_paused() && !self.cx.links.is_down() && !self.cx.messenger.is_congested() {
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
        self.end_second();
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

    /// How often answers of a host may have been lost on this side, for want of room, because a device was down, or because its
    /// next hop had become another one.
    fn lost_here(&self, at: usize) -> u64 {
        let hop = self.hosts[at].target.hop.and_then(|hop| self.hops.get(hop));
        let moves = hop.map_or(0, |hop| hop.moves);
        self.cx.shared.dropped.load(Relaxed) + u64::from(self.cx.links.falls()) + u64::from(moves)
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
        let blind = match host.smoothed_us.load(Relaxed) {
            0 => RTO_BLIND_US.max(self.cx.shared.smoothed_us.load(Relaxed).saturating_mul(4)),
            _ if !self.has_answered(at) => RTO_BLIND_US,
            _ => 0,
        };
        self.usual_wait(at).max(blind).min(longest)
    }

    /// How long answers of the host take where nothing holds them up.
    fn usual_wait(&self, at: usize) -> u32 {
        let host = &self.cx.shared.hosts[at];
        let variation = host.variation_us.load(Relaxed).saturating_mul(4);
        host.smoothed_us.load(Relaxed).saturating_add(variation.max(SLACK_US)).max(RTO_LEAST_US)
    }

    /// Gives up the flights that are overdue.
    fn land(&mut self) {
        let read_until = self.now_us.min(self.cx.shared.read_until_us.load(Acquire));
        while let Some(flight) = self.wheel.due(read_until) {
            let at = flight.host as usize;
            let (Some(shared), Some(host)) = (self.cx.shared.hosts.get(at), self.hosts.get_mut(at)) else { continue };
            let pair = self.cx.shared.pair(flight.host, flight.port);
            if flight.pass != host.pass {
                continue;
            }
            if !self.cx.shared.landed(shared, pair) {
                continue;
            }
            host.given_up += 1;
            if flight.first && host.pass == 0 && !self.cx.shared.done.get(pair) {
                let once = self.cx.settings.attempts <= 1;
                let unpaid = host.early_credit < 1.0;
                if once || shared.paced.load(Relaxed) || host.early.len() + host.unpaid.len() >= EARLY_AT_MOST {
                    host.early_incomplete = true;
                } else if unpaid {
                    host.unpaid.push(flight.port);
                } else {
                    host.early.push(flight.port);
                    host.early_credit -= 1.0;
                }
            }
        }
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
                // A host may end with a result for each of its ports at once. Nothing else is there to say stop when many
                // hosts end together.
                if self.cx.messenger.is_congested() {
                    break;
                }
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
        if self.hosts[at].phase == Phase::Closing {
            self.close(at);
            return false;
        }
        if self.cx.links.is_lost(self.hosts[at].target.address) {
            self.hosts[at].local = Some(Reason::NetworkDown);
            self.give_up(at);
            self.close(at);
            return false;
        }
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
        while let Some((port, is_paid)) = host.next_early() {
            if !shared.done.get(shared.pair(number, port)) {
                // One that was answered while it waited costs nothing.
                host.early_credit -= if is_paid { 0.0 } else { 1.0 };
                return Some((port, if host.sampled { Use::Sample } else { Use::Early }));
            }
        }
        if host.refusals.asking {
            let port = out::next_refused(host, self.refused.as_ref()?, shared, number);
            return port.map(|port| (port, Use::Pass(host.pass)));
        }
        while let Some(position) = place_in_pass(host.cursor, host.pass, host.order.len()) {
            host.cursor += 1;
            let (_, index) = host.order.pair(position)?;
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
        if let Some(refused) = &self.refused
            && refused.clear(shared.pair(number, port))
        {
            self.hosts[at].refusals.count -= 1;
        }
        shared.hosts[at].in_flight.fetch_add(1, Relaxed);
        if !shared.hosts[at].paced.load(Relaxed) {
            shared.in_flight.fetch_add(1, Relaxed);
        }
        let pass = self.hosts[at].pass;
        self.wheel.add(self.now_us + wait, Flight { host: number, port, pass, first: matches!(what, Use::Pass(_)) });
        if what == Use::Pass(0) {
            self.hosts[at].early_credit += EARLY_PER_QUESTION;
        }
        // The sample is asked while the last answers are awaited, and does not prolong that.
        if what != Use::Sample {
            self.hosts[at].last_sent_us = self.now_us;
        }
        self.hosts[at].last_sent_exact_us = self.cx.shared.now_us();
        self.hosts[at].since_canary = self.hosts[at].since_canary.saturating_add(1);
        self.syn(at, number_of_port, what);
    }
}

#[cfg(test)]
mod tests {
    use super::super::cookie::Cookies;
    use super::*;

    fn target(number: u8) -> Target {
        Target {
            id: u32::from(number),
            address: IpAddr::from([192, 0, 2, number]),
            source: IpAddr::from([192, 0, 2, 254]),
            way: 0,
            link: None,
            hop: None,
            mac: None,
            presence: None,
            position: Position::default(),
            answered: false,
            subnet: 0,
        }
    }

    fn sending<'a>(
        shared: &'a Shared,
        control: &'a Control,
        links: &'a Links,
        settings: &'a Settings,
        messenger: &'a Messenger,
    ) -> Sending<'a> {
        Sending { shared, control, links, settings, messenger, senders: &[], positions: false }
    }

    /// Nobody reads, so not all hosts that are done tell their results.
    #[test]
    fn silent_hosts_that_end_together_do_not_fill_the_memory() {
        let targets: Vec<Target> = (0..20).map(target).collect();
        let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
        let ports: Vec<u16> = (1..=u16::MAX).collect();
        let shared = Shared::new(&addresses, ports, Cookies::new([1, 2, 3], Duration::ZERO));
        let settings = Settings { attempts: 1, timeout: Duration::from_millis(1), ..Settings::default() };
        let (messenger, messages) = Messenger::new();
        let (control, links) = (Control::new(), Links::new(Vec::new()));
        let cx = sending(&shared, &control, &links, &settings, &messenger);
        let mut transmitter = Transmitter::new(cx, targets, Vec::new(), 1, 1);
        transmitter.now_us = 10_000_000;
        transmitter.hosts.iter_mut().for_each(|host| host.phase = Phase::Waiting);
        transmitter.ask_round();
        let told = messages.try_iter().map(|message| match message {
            Message::Records(records) => records.len(),
            _ => 0,
        });
        let told: usize = told.sum();
        assert!((200_000..200_000 + 2 * 65_535).contains(&told), "{told}");
        assert_eq!(transmitter.active.len(), 20 - told / 65_535);
    }

    /// The receiving thread has taken in the last answer of a host and not handed it over: the host's end waits for that, and
    /// for the second question at a port that turned out to be open with it.
    #[test]
    fn the_end_of_a_host_comes_after_all_of_its_results() {
        let target = target(1);
        let shared = Shared::new(&[target.address], vec![80, 81], Cookies::new([1, 2, 3], Duration::ZERO));
        let (messenger, messages) = Messenger::new();
        let (control, links, settings) = (Control::new(), Links::new(Vec::new()), Settings::default());
        let cx = sending(&shared, &control, &links, &settings, &messenger);
        let mut transmitter = Transmitter::new(cx, vec![target], Vec::new(), 1, 1);
        transmitter.now_us = 10_000_000;
        transmitter.hosts[0].phase = Phase::Waiting;
        let ends = || messages.try_iter().filter(|message| matches!(message, Message::Host(_))).count();
        shared.hand_overs.fetch_add(1, Relaxed);
        for port in 0..2 {
            assert!(shared.done.set(shared.pair(0, port)));
            shared.hosts[0].undone.fetch_sub(1, Relaxed);
        }
        shared.notes.lock().unwrap().opened.push((0, 0));
        shared.noted.store(true, Relaxed);
        for _ in 0..3 {
            transmitter.ask_round();
        }
        assert_eq!(ends(), 0, "results are on their way");
        shared.hand_overs.fetch_add(1, Relaxed);
        transmitter.ask_round();
        assert_eq!((ends(), transmitter.hosts[0].verifying), (0, 1), "an open port is asked a second time");
        // Meanwhile the thread may read on.
        shared.hand_overs.fetch_add(1, Relaxed);
        transmitter.verify_open.clear();
        transmitter.verify_ended(0, 0, verify::SecondAnswer::Accepted);
        transmitter.ask_round();
        assert_eq!((ends(), transmitter.active.len()), (1, 0));
    }

    #[test]
    fn every_pass_asks_every_port_once_and_begins_elsewhere() {
        for ports in [1, 2, 7, 1_000, 65_535] {
            let mut begins = Vec::new();
            for pass in 0..6 {
                let mut places: Vec<u64> = (0..).map_while(|cursor| place_in_pass(cursor, pass, ports)).collect();
                begins.push(places[0]);
                places.sort_unstable();
                assert!(places.into_iter().eq(0..ports), "{ports} ports, pass {pass}");
            }
            begins.sort_unstable();
            let closest = begins.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
            assert!(ports < 1_000 || closest > ports / 20, "{begins:?}");
        }
    }
}
