//! One thread of the connect engine.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::epoll;

use super::answers::{self, Answer, Why};
use super::flow::{Flow, Repeated};
use super::patience::{Patience, Schedule};
use super::silence::{self, Host, Seen, Silent, Verdict};
use super::sockets::Sockets;
use super::turns::{Limits, Turns};
use super::{APART, Errand, ErrandOutcome, LOT, Plan, Silence, VERIFY_ATTEMPTS};
use crate::collect::Record;
use crate::timing::{Attempt, Rtt};
use crate::{Control, Error, Reason, State, Verification, zone};

mod ceilings;
mod hedges;
mod judging;
mod repetitions;

use hedges::Hedges;
use repetitions::Repetitions;

/// Attempts started between two looks at the answers.
const BURST: usize = 128;
/// Results a worker collects before it hands them over.
const BATCH: usize = 256;
/// Longest sleep of a worker, so that cancelling is prompt.
const NAP: Duration = Duration::from_millis(50);
/// Results are handed over at least as often.
const TELL_EVERY: Duration = Duration::from_millis(20);
/// Open ports wait for each other at most so long: each is to be asked a second time, which the end of a host waits for.
const TELL_OPEN_EVERY: Duration = Duration::from_millis(2);
/// Shortest sleep between attempts that are spread out.
const LEAST_NAP: Duration = Duration::from_micros(500);
/// Questions put off at most, before new ones are taken.
const MOST_WAITING: usize = 1 << 16;
/// Repetitions after local trouble, before it is reported.
const LOCAL_TRIES: u8 = 10;
/// Errands that a worker fetches at a time, and how long they may wait for it.
const ERRANDS: usize = 32;
const ERRANDS_NAP: Duration = Duration::from_millis(5);
/// A time that was reserved and missed by more than this is reserved anew.
const LATE: Duration = Duration::from_millis(50);

/// A pair that is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    host: usize,
    /// Index of the port; of a guard, the port.
    index: u32,
    /// Attempts that went out and stayed without a final answer.
    asked: u8,
    /// Attempts that failed on this machine.
    local: u8,
    kind: Kind,
    /// Repetitions by the kernel for which the ceilings of host and subnet have room already.
    reserved: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// For its state.
    State,
    /// A silent port once more, on behalf of others.
    Sample,
    /// A port known to answer, to see how the path does.
    Canary,
    /// An open port a second time.
    Verify,
    /// A port that nobody asked for.
    Guard,
}

impl Question {
    fn errand(&self) -> Option<Errand> {
        let host = u32::try_from(self.host).ok()?;
        match self.kind {
            Kind::Verify => Some(Errand::Verify { host, port: self.index }),
            Kind::Guard => Some(Errand::Guard { host, port: u16::try_from(self.index).ok()? }),
            Kind::State | Kind::Sample | Kind::Canary => None,
        }
    }
}

impl From<Errand> for Question {
    fn from(errand: Errand) -> Self {
        let (host, index, kind) = match errand {
            Errand::Verify { host, port } => (host, port, Kind::Verify),
            Errand::Guard { host, port } => (host, u32::from(port), Kind::Guard),
        };
        Self { host: host as usize, index, asked: 0, local: 0, kind, reserved: 0 }
    }
}

/// Whether the ceilings were asked already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ticket {
    None,
    Taken,
}

/// What a worker is to do next.
enum Next {
    Ask(Question),
    /// Nothing this moment, but there may be in the next.
    Later,
    /// Nothing before something changes.
    Wait,
    /// All pairs are taken.
    Nothing,
}

/// An attempt in flight.
struct Flight {
    question: Question,
    started: Instant,
    number: u32,
    /// How often a device had fallen when it began.
    falls: u32,
    /// Repetitions by the kernel that the ceilings made room for.
    reserved: u8,
}

pub struct Worker<'p> {
    plan: &'p Plan<'p>,
    control: &'p Control,
    next: &'p AtomicU64,
    limits: Option<&'p Mutex<Limits>>,
    began: Instant,
    lot: std::ops::Range<u64>,
    sockets: Sockets,
    flow: Flow,
    schedule: Schedule,
    /// Between two attempts under a rate ceiling.
    pace: Option<Duration>,
    next_start: Instant,
    /// By slot of their socket.
    flights: Vec<Option<Flight>>,
    in_flight: usize,
    number: u32,
    deadlines: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    again: BinaryHeap<Reverse<(Instant, Ticket, Question)>>,
    /// Ports that are asked by several sockets at the same time.
    hedges: Hedges,
    /// Questions that wait for the ceilings of their hosts.
    turns: Turns<Question>,
    /// Repetitions to hosts that may be asked only so often, and when the next to each is due.
    held: HashMap<usize, ceilings::Held>,
    held_due: BinaryHeap<Reverse<(Instant, usize)>>,
    hosts: Vec<Host>,
    /// What the kernel may still repeat of this worker's questions to each, where that counts.
    repetitions: Vec<Repetitions>,
    /// Of all hosts together.
    everywhere: (Seen, Rtt),
    silent_at_most: usize,
    /// Hosts with silent ports that nothing was decided about.
    unjudged: Vec<usize>,
    random: u64,
    batch: Vec<Record>,
    attempts: u64,
    /// Whether one of them is an open port.
    has_open: bool,
    last_flush: Instant,
    last_judged: Instant,
}

impl<'p> Worker<'p> {
    pub fn new(
        plan: &'p Plan<'p>,
        control: &'p Control,
        next: &'p AtomicU64,
        limits: Option<&'p Mutex<Limits>>,
        in_flight: usize,
        threads: usize,
    ) -> Result<Self, Error> {
        let sockets = Sockets::new(in_flight)?;
        let share = u32::try_from(threads.max(1)).unwrap_or(1);
        let pace = plan.settings.rates.global.map(|rate| Duration::from_secs(1) * share / rate.max(1));
        let now = Instant::now();
        let mut hosts = Vec::new();
        hosts.resize_with(plan.targets.len(), || Host::new(threads));
        for (at, begun) in plan.begun {
            if let Some(host) = hosts.get_mut(*at) {
                host.begun(begun);
            }
        }
        let counts = limits.is_some() || pace.is_some();
        let repetitions = vec![Repetitions::default(); if counts { hosts.len() } else { 0 }];
        Ok(Self {
            plan,
            control,
            next,
            limits,
            began: now,
            lot: 0..0,
            sockets,
            flow: Flow::new(in_flight),
            schedule: Schedule::read(),
            pace,
            next_start: now,
            flights: Vec::new(),
            in_flight: 0,
            number: 0,
            deadlines: BinaryHeap::new(),
            again: BinaryHeap::new(),
            hedges: Hedges::default(),
            turns: Turns::new(),
            held: HashMap::new(),
            held_due: BinaryHeap::new(),
            silent_at_most: silence::lot(hosts.len(), threads),
            unjudged: Vec::new(),
            repetitions,
            hosts,
            everywhere: (Seen::default(), Rtt::default()),
            random: rand::random::<u64>() | 1,
            batch: Vec::new(),
            attempts: 0,
            has_open: false,
            last_flush: now,
            last_judged: now,
        })
    }

    pub fn work(mut self) {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(BURST * 2);
        loop {
            if self.control.is_cancelled() {
                break;
            }
            self.fetch_errands();
            let exhausted = self.start_some();
            if exhausted && self.in_flight == 0 && self.put_off() == 0 && !self.judge_all() {
                // The last results may bring errands, and who brings them is there for them.
                self.flush();
                if !self.plan.errands.is_some_and(|errands| errands.are_waiting()) {
                    break;
                }
            }
            // Without the set no answer can be read, and the pairs without result make the run incomplete.
            if self.sockets.wait(self.nap(), &mut events).is_err() {
                break;
            }
            for event in &events {
                let slot = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                if let Some(answer) = self.sockets.read(slot) {
                    self.landed(slot, answer);
                }
            }
            self.expire();
            self.hedge(Instant::now());
            self.flow.tick(self.now_us(Instant::now()), self.everywhere.1.smoothed_us());
            if self.last_judged.elapsed() >= TELL_EVERY {
                self.last_judged = Instant::now();
                self.judge_finished();
            }
            if self.last_flush.elapsed() >= self.flush_every() {
                self.flush();
            }
        }
        self.flush();
    }

    /// Takes on errands, which come before new questions.
    fn fetch_errands(&mut self) {
        let Some(errands) = self.plan.errands.filter(|errands| errands.are_waiting()) else { return };
        if !self.may_start() || self.again.len() + self.turns.len() > MOST_WAITING {
            return;
        }
        let now = Instant::now();
        for _ in 0..ERRANDS {
            let Some(errand) = errands.next(now) else { break };
            self.ask_again(errand.into(), now);
        }
    }

    /// Whether attempts may be started at all.
    fn may_start(&self) -> bool {
        !self.control.is_paused() && !self.plan.links.is_down() && !(self.plan.congested)()
    }

    fn now_us(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_micros()).unwrap_or(u64::MAX)
    }

    /// Starts what window and pace allow; returns whether the order is exhausted.
    fn start_some(&mut self) -> bool {
        if !self.may_start() {
            return false;
        }
        for _ in 0..BURST {
            if self.in_flight >= self.flow.size() {
                return false;
            }
            let now = Instant::now();
            let pace = self.gap();
            if pace.is_some() && now < self.next_start {
                return false;
            }
            match self.next_question(now) {
                Next::Ask(question) => {
                    if let Some(pace) = pace {
                        // Credit for at most a few milliseconds, so that a pause is not followed by a burst.
                        let earliest = now.checked_sub(Duration::from_millis(5)).unwrap_or(now);
                        self.next_start = self.next_start.max(earliest) + pace;
                    }
                    self.start(question, now);
                }
                Next::Later => {}
                Next::Wait => return false,
                Next::Nothing => return true,
            }
        }
        false
    }

    fn next_question(&mut self, now: Instant) -> Next {
        self.release(now);
        if let Some(Reverse((due, ticket, question))) = self.again.peek().copied()
            && due <= now
        {
            self.again.pop();
            if ticket == Ticket::Taken && now - due <= LATE {
                return Next::Ask(question);
            }
            return self.within_limits(question, now);
        }
        let now_us = self.now_us(now);
        if let Some((at_us, question)) = self.next_turn(now_us) {
            if at_us <= now_us {
                return Next::Ask(question);
            }
            self.again.push(Reverse((now + Duration::from_micros(at_us - now_us), Ticket::Taken, question)));
            return Next::Later;
        }
        if self.again.len() + self.turns.len() > MOST_WAITING {
            return Next::Wait;
        }
        if self.lot.is_empty() {
            let length = self.plan.pairs.len();
            let first = self.next.fetch_add(LOT, Ordering::Relaxed).min(length);
            self.lot = first..(first + LOT).min(length);
        }
        let Some((host, port)) = self.lot.next().and_then(|position| self.plan.pairs.at(position)) else {
            return Next::Nothing;
        };
        let Ok(index) = u32::try_from(port) else { return Next::Nothing };
        if (self.plan.skip)(host, port) {
            return Next::Later;
        }
        self.out(host, 1);
        self.within_limits(Question { host, index, asked: 0, local: 0, kind: Kind::State, reserved: 0 }, now)
    }

    fn start(&mut self, question: Question, now: Instant) {
        let Some(address) = self.plan.targets.get(question.host) else { return };
        let port = match question.kind {
            Kind::Guard => u16::try_from(question.index).ok(),
            _ => self.plan.ports.get(question.index as usize).copied(),
        };
        let Some(port) = port else { return };
        if (self.plan.never)(*address) || self.is_answered_meanwhile(&question) {
            return;
        }
        if self.plan.links.is_lost(*address) {
            return self.conclude(question, now, Answer::Final(State::Error, Reason::NetworkDown));
        }
        self.attempts += 1;
        let target = zone::endpoint(*address, port);
        let slot = match self.sockets.connect(target, self.plan.settings.interface.as_deref()) {
            Ok(slot) => slot,
            Err(answer) => return self.conclude(question, now, answer),
        };
        let patience = self.patience(&question);
        let Patience { wait, repetitions } = patience;
        self.began(&question, repetitions, now);
        let falls = self.plan.links.falls();
        self.number = self.number.wrapping_add(1);
        self.deadlines.push(Reverse((now + wait, slot, self.number)));
        if self.flights.len() <= slot {
            self.flights.resize_with(slot + 1, || None);
        }
        let flight = Flight { question, started: now, number: self.number, falls, reserved: repetitions };
        self.flights[slot] = Some(flight);
        self.in_flight += 1;
        self.perhaps_hedge(&question, slot, patience, now);
        self.perhaps_a_canary(question, now);
    }

    /// Where ports are silent, one that is known to answer is asked now and then.
    fn perhaps_a_canary(&mut self, after: Question, now: Instant) {
        if !self.flow.needs_canaries() || after.kind != Kind::State || self.plan.settings.attempts <= 1 {
            return;
        }
        let Some(index) = self.hosts.get_mut(after.host).and_then(Host::canary) else { return };
        let canary = Question { index, asked: 0, local: 0, kind: Kind::Canary, reserved: 0, ..after };
        self.again.push(Reverse((now, Ticket::None, canary)));
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((due, slot, number))) = self.deadlines.peek().copied() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            let current = self.flights.get(slot).and_then(Option::as_ref).is_some_and(|f| f.number == number);
            if current && let Some(answer) = self.sockets.read_late(slot) {
                self.landed(slot, answer);
            }
        }
    }

    /// An attempt ended.
    fn landed(&mut self, slot: usize, answer: Answer) {
        let Some(flight) = self.flights.get_mut(slot).and_then(Option::take) else { return };
        self.in_flight -= 1;
        let open = flight.started.elapsed();
        self.flow.ended(open);
        let repeated = self.schedule.sent_in(open);
        self.attempts += u64::from(repeated);
        self.ended(flight.question.host, flight.reserved, repeated);
        let question = Question { asked: flight.question.asked.saturating_add(repeated), ..flight.question };
        let fell = flight.falls != self.plan.links.falls();
        let answer = match answer {
            // Silence while a device was down says nothing.
            Answer::Silent(_) if fell => Answer::Local(Reason::NetworkDown),
            answer => answer,
        };
        // An answer counts the repetitions itself.
        let question = if matches!(answer, Answer::Silent(_)) { question } else { flight.question };
        if let Some(question) = self.unless_beside(question, Some(slot), &answer) {
            self.came_to(question, flight.started, answer);
        }
    }

    /// A question came to this without having gone out.
    fn conclude(&mut self, question: Question, now: Instant, answer: Answer) {
        if let Some(question) = self.unless_beside(question, None, &answer) {
            self.came_to(question, now, answer);
        }
    }

    fn came_to(&mut self, question: Question, started: Instant, answer: Answer) {
        match answer {
            Answer::Final(state, reason) => self.answered(question, started, state, reason),
            Answer::Silent(why) => self.silent(question, started, why),
            Answer::Local(reason) => self.in_trouble(question, reason),
        }
    }

    /// When a question that stayed silent is to be asked again.
    fn again_at(&self, question: &Question, started: Instant) -> Instant {
        let apart = APART.min(self.plan.settings.timeout);
        let now = Instant::now();
        // Where nearly all is answered, waiting was time enough.
        let seldom = self.hosts.get(question.host).is_some_and(Host::is_seldom_silent);
        if seldom && !self.flow.needs_canaries() { now.max(started + apart) } else { now + apart }
    }

    fn answered(&mut self, mut question: Question, started: Instant, state: State, reason: Reason) {
        if let Some(errand) = question.errand() {
            let outcome = match state {
                State::Open => ErrandOutcome::Accepted,
                State::Error => ErrandOutcome::NotAsked,
                _ => ErrandOutcome::Refused,
            };
            return self.errand_done(errand, outcome);
        }
        let Some(host) = self.hosts.get_mut(question.host) else { return };
        let by_host = matches!(state, State::Open | State::Closed);
        let mut rtt = None;
        if by_host {
            let took = Instant::now().saturating_duration_since(started);
            // An answer after a repetition may be to either question (RFC 6298 section 3, Karn's algorithm).
            let repeated = self.schedule.sent_in(took);
            let mut excess = 0;
            if repeated == 0 {
                excess = host.rtt.observe(took);
                self.everywhere.1.observe(took);
                rtt = Some(took);
            }
            if question.kind == Kind::Canary {
                host.seen.good += 1;
                self.everywhere.0.good += 1;
                self.flow.canary(Some(excess));
            } else {
                let late = question.asked > 0;
                for seen in [&mut host.seen, &mut self.everywhere.0] {
                    seen.answered += 1;
                    seen.late += u32::from(late);
                }
                host.answers(question.index, state == State::Open);
                host.allowance.answered(question.asked, question.asked >= self.plan.settings.attempts);
                self.flow.answer(if late { Repeated::Yes } else { Repeated::No }, excess, self.in_flight);
            }
            question.asked = question.asked.saturating_add(repeated);
        } else {
            self.flow.silence();
        }
        question.asked += 1;
        match question.kind {
            Kind::Canary | Kind::Verify | Kind::Guard => {}
            Kind::State => {
                self.out(question.host, -1);
                self.report(question, state, reason, rtt);
            }
            Kind::Sample => {
                let verdict = host.sample(question.index, true);
                self.report(question, state, reason, rtt);
                self.carry_out(question.host, verdict);
            }
        }
    }

    fn errand_done(&self, errand: Errand, outcome: ErrandOutcome) {
        if let Some(errands) = self.plan.errands {
            errands.done(errand, outcome);
        }
    }

    /// So many more questions of this worker are out for the state of ports of a host.
    fn out(&mut self, host: usize, more: i32) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.out += more;
        }
    }

    fn silent(&mut self, mut question: Question, started: Instant, why: Why) {
        if let Some(errand) = question.errand() {
            question.asked += 1;
            let most = if question.kind == Kind::Verify { VERIFY_ATTEMPTS } else { self.guard_attempts() };
            if question.asked < most {
                return self.ask_again(question, self.again_at(&question, started));
            }
            return self.errand_done(errand, ErrandOutcome::Silent);
        }
        let Some(host) = self.hosts.get_mut(question.host) else { return };
        if question.kind == Kind::Canary {
            host.seen.lost += 1;
            self.everywhere.0.lost += 1;
            self.flow.canary(None);
            return;
        }
        self.flow.silence();
        host.allowance.silent(Instant::now());
        host.in_vain += u32::from(question.kind == Kind::State);
        if why != Why::NoResponse {
            host.unreachable = Some(why);
        }
        if question.kind == Kind::Sample {
            let verdict = host.sample(question.index, false);
            return self.carry_out(question.host, verdict);
        }
        question.asked += 1;
        if question.asked < self.plan.settings.attempts {
            return self.ask_again(question, self.again_at(&question, started));
        }
        let silent = Silent { index: question.index, asked: question.asked, why };
        self.out(question.host, -1);
        if self.plan.silence == Silence::Taken || self.plan.settings.attempts <= 1 {
            return self.settle(question.host, silent);
        }
        let Some(host) = self.hosts.get_mut(question.host) else { return };
        if !std::mem::replace(&mut host.is_listed, true) {
            self.unjudged.push(question.host);
        }
        host.silent.push(silent);
        if host.silent.len() >= self.silent_at_most {
            self.judge(question.host);
        }
    }

    fn in_trouble(&mut self, mut question: Question, reason: Reason) {
        self.flow.local_trouble();
        question.local += 1;
        if question.local < LOCAL_TRIES {
            let backoff = Duration::from_millis(5 << question.local.min(7));
            return self.ask_again(question, Instant::now() + backoff);
        }
        match question.kind {
            Kind::Canary => {}
            Kind::Verify | Kind::Guard => {
                if let Some(errand) = question.errand() {
                    self.errand_done(errand, ErrandOutcome::NotAsked);
                }
            }
            Kind::State => {
                self.out(question.host, -1);
                self.report(question, State::Error, reason, None);
            }
            Kind::Sample => {
                let Some(host) = self.hosts.get_mut(question.host) else { return };
                let verdict = host.sample(question.index, false);
                self.carry_out(question.host, verdict);
            }
        }
    }

    fn ask_again(&mut self, question: Question, due: Instant) {
        self.again.push(Reverse((due, Ticket::None, Question { reserved: 0, ..question })));
    }

    fn report(&mut self, question: Question, state: State, reason: Reason, rtt: Option<Duration>) {
        let Ok(host) = u32::try_from(question.host) else { return };
        let attempts = question.asked.saturating_add(question.local);
        let rtt_us = rtt.map_or(0, |rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1));
        self.batch.push(Record { host, port: question.index, state, reason, rtt_us, ttl: 0, attempts });
        self.has_open |= state == State::Open;
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    /// How long results wait at most.
    const fn flush_every(&self) -> Duration {
        if self.has_open { TELL_OPEN_EVERY } else { TELL_EVERY }
    }

    fn flush(&mut self) {
        self.last_flush = Instant::now();
        self.has_open = false;
        let attempts = std::mem::take(&mut self.attempts);
        self.plan.traffic.attempts.fetch_add(attempts, Ordering::Relaxed);
        self.plan.traffic.sent.fetch_add(attempts, Ordering::Relaxed);
        if !self.batch.is_empty() {
            (self.plan.take)(std::mem::take(&mut self.batch));
        }
    }

    /// How long to wait for answers: until the next thing is due.
    fn nap(&self) -> Duration {
        let now = Instant::now();
        let until = |due: Instant| due.saturating_duration_since(now);
        let mut nap = if self.has_open { TELL_OPEN_EVERY } else { NAP };
        if let Some(Reverse((due, ..))) = self.deadlines.peek() {
            nap = nap.min(until(*due) + Duration::from_micros(500));
        }
        if self.may_start() && self.plan.errands.is_some_and(|errands| errands.are_waiting()) {
            nap = nap.min(ERRANDS_NAP);
        }
        let may_start = self.may_start() && self.in_flight < self.flow.size();
        let turn = self.turns.due_us().map(|due_us| self.began + Duration::from_micros(due_us));
        let again = self.again.peek().map(|Reverse((due, ..))| *due);
        let held = self.held_due.peek().map(|Reverse((due, _))| *due);
        for due in [again, turn, held, self.hedge_due()].into_iter().flatten().filter(|_| may_start) {
            nap = nap.min(until(due) + Duration::from_micros(500));
        }
        let is_left = !self.lot.is_empty() || self.next.load(Ordering::Relaxed) < self.plan.pairs.len();
        if may_start && is_left && self.again.len() + self.turns.len() <= MOST_WAITING {
            // What falls due within the least sleep goes out together.
            let pace = if self.gap().is_some() { until(self.next_start).max(LEAST_NAP) } else { Duration::ZERO };
            nap = nap.min(pace);
        }
        nap
    }
}
