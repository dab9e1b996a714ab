//! The connect engine: non-blocking `connect` on a few threads, each with its own epoll set.
//!
//! A worker takes positions of the common [`Order`] in small lots, keeps as many attempts in flight as its
//! [`Window`] allows, and hands results over in batches. Nothing is stored for a pair that has no attempt in flight
//! and no repetition due, so memory does not grow with the job.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::collect::{Record, Traffic};
use crate::limits::{Ceiling, subnets};
use crate::order::Order;
use crate::timing::{Attempt, Rtt};
use crate::window::{Repeated, Window};
use crate::{Control, Error, Never, Reason, Settings, State, descriptors};

/// Positions a worker takes from the order at a time.
const LOT: u64 = 64;
/// Attempts started between two looks at the answers.
const BURST: usize = 256;
/// Results a worker collects before it hands them over.
const BATCH: usize = 256;
/// Longest sleep of a worker, so that cancelling is prompt.
const NAP: Duration = Duration::from_millis(50);
/// Questions put off at most, before new ones are taken.
const MOST_WAITING: usize = 20_000;
/// Repetitions after local trouble, before it is reported.
const LOCAL_TRIES: u8 = 10;

/// What to ask and where the answers go.
pub struct Plan<'a> {
    pub order: Order,
    pub targets: Vec<IpAddr>,
    pub ports: Vec<u16>,
    pub settings: &'a Settings,
    /// The last word on addresses that must not be contacted.
    pub never: &'a Never,
    /// Pairs, by index, that have a result already.
    pub skip: &'a (dyn Fn(usize, usize) -> bool + Sync),
    /// Takes results, numbered by index of target and port.
    pub take: &'a (dyn Fn(Vec<Record>) + Sync),
    pub traffic: &'a Traffic,
    /// Whether the results are taken too slowly for more of them.
    pub congested: &'a (dyn Fn() -> bool + Sync),
}

/// Ceilings for each host and each subnet, shared by the workers.
struct Limits {
    hosts: Vec<Ceiling>,
    subnets: Vec<Ceiling>,
    subnet_of: Vec<usize>,
}

impl Limits {
    fn new(plan: &Plan<'_>) -> Option<Mutex<Self>> {
        let rates = plan.settings.rates;
        if rates.per_host.is_none() && rates.per_subnet.is_none() {
            return None;
        }
        let (subnet_of, subnets) = subnets(&plan.targets);
        Some(Mutex::new(Self {
            hosts: rates.per_host.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); plan.targets.len()]),
            subnets: rates.per_subnet.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); subnets]),
            subnet_of,
        }))
    }

    /// Whether the host may be asked now; if so, that counts as asked.
    fn take(&mut self, host: usize, now_us: u64) -> bool {
        let subnet = self.subnet_of.get(host).copied().unwrap_or(usize::MAX);
        let ready = self.hosts.get(host).is_none_or(|one| one.ready(now_us))
            && self.subnets.get(subnet).is_none_or(|one| one.ready(now_us));
        if ready {
            if let Some(one) = self.hosts.get_mut(host) {
                one.sent(now_us);
            }
            if let Some(one) = self.subnets.get_mut(subnet) {
                one.sent(now_us);
            }
        }
        ready
    }
}

/// Runs the plan to its end or until it is cancelled.
pub fn run(plan: &Plan<'_>, control: &Control) -> Result<(), Error> {
    if plan.order.is_empty() {
        return Ok(());
    }
    let most = usize::try_from(plan.order.len().div_ceil(LOT)).unwrap_or(usize::MAX);
    let threads = plan.settings.threads.clamp(1, 8).min(most);
    let in_flight = plan.settings.max_in_flight.min(descriptors::available()).max(threads) / threads;
    let next = AtomicU64::new(0);
    let limits = Limits::new(plan);
    let mut workers = Vec::new();
    for _ in 0..threads {
        workers.push(Worker::new(plan, control, &next, limits.as_ref(), in_flight, threads)?);
    }
    std::thread::scope(|scope| {
        let mut started = Ok(());
        for worker in workers {
            let thread = std::thread::Builder::new().name("portscan-connect".into());
            if let Err(error) = thread.spawn_scoped(scope, || worker.work()) {
                // The threads that did start must end before the scope does.
                control.cancel();
                started = Err(error.into());
            }
        }
        started
    })
}

/// A pair that is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    host: usize,
    /// Index of the port.
    index: u32,
    /// Attempts that went out and stayed without a final answer.
    asked: u8,
    /// Attempts that failed on this machine.
    local: u8,
}

/// What a worker is to do next.
enum Next {
    Ask(Question),
    /// Nothing this moment.
    Later,
    /// All pairs are taken.
    Nothing,
}

/// An attempt in flight.
struct Flight {
    socket: OwnedFd,
    question: Question,
    started: Instant,
    number: u32,
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Final(State, Reason),
    /// Nothing, or an unreachable that may be passing: ask again, and settle for this at the end.
    AskAgain(State, Reason),
    /// Trouble on this machine.
    Local(Reason),
}

struct Worker<'p> {
    plan: &'p Plan<'p>,
    control: &'p Control,
    next: &'p AtomicU64,
    limits: Option<&'p Mutex<Limits>>,
    began: Instant,
    lot: std::ops::Range<u64>,
    epoll: OwnedFd,
    window: Window,
    /// Seconds between two attempts under a rate ceiling.
    pace: Option<Duration>,
    next_start: Instant,
    flights: Vec<Option<Flight>>,
    free: Vec<usize>,
    in_flight: usize,
    number: u32,
    deadlines: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    again: BinaryHeap<Reverse<(Instant, Question)>>,
    rtts: Vec<Rtt>,
    batch: Vec<Record>,
    attempts: u64,
    last_flush: Instant,
}

impl<'p> Worker<'p> {
    fn new(
        plan: &'p Plan<'p>,
        control: &'p Control,
        next: &'p AtomicU64,
        limits: Option<&'p Mutex<Limits>>,
        in_flight: usize,
        threads: usize,
    ) -> Result<Self, Error> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(std::io::Error::from)?;
        let pace = plan.settings.rates.global.map(|rate| {
            let share = u32::try_from(threads).unwrap_or(1);
            Duration::from_secs(1) * share / rate.max(1)
        });
        let now = Instant::now();
        Ok(Self {
            plan,
            control,
            next,
            limits,
            began: now,
            lot: 0..0,
            epoll,
            window: Window::new(in_flight),
            pace,
            next_start: now,
            flights: Vec::new(),
            free: Vec::new(),
            in_flight: 0,
            number: 0,
            deadlines: BinaryHeap::new(),
            again: BinaryHeap::new(),
            rtts: vec![Rtt::default(); plan.targets.len()],
            batch: Vec::new(),
            attempts: 0,
            last_flush: now,
        })
    }

    fn work(mut self) {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(BURST);
        loop {
            if self.control.is_cancelled() {
                break;
            }
            let exhausted = self.start_some();
            if exhausted && self.in_flight == 0 && self.again.is_empty() {
                break;
            }
            events.clear();
            let nap = self.nap();
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(nap.subsec_nanos()) };
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait)) {
                Ok(_) | Err(Errno::INTR) => {}
                // Any other failure of epoll is a mistake in this file; without it no answer can be read, and the
                // pairs without result make the run incomplete.
                Err(_) => break,
            }
            for event in &events {
                let slot = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                if let Some(flight) = self.land(slot) {
                    let answer = answer_of(&flight.socket, sockopt::socket_error(&flight.socket));
                    self.conclude(flight.question, flight.started, answer);
                }
            }
            self.expire();
            if self.last_flush.elapsed() >= NAP {
                self.flush();
            }
        }
        self.flush();
    }

    /// Starts what window and pace allow; returns whether the order is exhausted.
    fn start_some(&mut self) -> bool {
        if self.control.is_paused() || (self.plan.congested)() {
            return false;
        }
        for _ in 0..BURST {
            if self.in_flight >= self.window.size() {
                return false;
            }
            let now = Instant::now();
            if let Some(pace) = self.pace {
                if now < self.next_start {
                    return false;
                }
                // Credit for at most a few milliseconds, so that a pause is not followed by a burst.
                let earliest = now.checked_sub(Duration::from_millis(5)).unwrap_or(now);
                self.next_start = self.next_start.max(earliest) + pace;
            }
            match self.next_question(now) {
                Next::Ask(question) => self.start(question, now),
                Next::Later => {}
                Next::Nothing => return true,
            }
        }
        false
    }

    fn next_question(&mut self, now: Instant) -> Next {
        if let Some(Reverse((due, question))) = self.again.peek().copied()
            && due <= now
        {
            self.again.pop();
            return self.within_limits(question, now);
        }
        if self.again.len() > MOST_WAITING {
            return Next::Later;
        }
        if self.lot.is_empty() {
            let first = self.next.fetch_add(LOT, Ordering::Relaxed).min(self.plan.order.len());
            self.lot = first..(first + LOT).min(self.plan.order.len());
        }
        let Some((host, port)) = self.lot.next().and_then(|position| self.plan.order.pair(position)) else {
            return Next::Nothing;
        };
        let Ok(index) = u32::try_from(port) else { return Next::Nothing };
        if (self.plan.skip)(host, port) {
            return Next::Later;
        }
        self.within_limits(Question { host, index, asked: 0, local: 0 }, now)
    }

    /// Puts a question off if a ceiling says so.
    fn within_limits(&mut self, question: Question, now: Instant) -> Next {
        let now_us = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
        let free = self.limits.is_none_or(|limits| {
            limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(question.host, now_us)
        });
        if free {
            return Next::Ask(question);
        }
        self.ask_again(question, now + Duration::from_millis(2));
        Next::Later
    }

    fn start(&mut self, question: Question, now: Instant) {
        let Some(address) = self.plan.targets.get(question.host) else { return };
        let Some(port) = self.plan.ports.get(question.index as usize) else { return };
        if (self.plan.never)(*address) {
            return;
        }
        self.attempts += 1;
        let target = SocketAddr::new(*address, *port);
        let socket = match open_socket(target, self.plan.settings.interface.as_deref()) {
            Ok(socket) => socket,
            Err(errno) => return self.conclude(question, now, classify(errno)),
        };
        match rustix::net::connect(&socket, &target) {
            Err(Errno::INPROGRESS) => {}
            Ok(()) => {
                let answer = answer_of(&socket, Ok(Ok(())));
                return self.conclude(question, now, answer);
            }
            Err(errno) => return self.conclude(question, now, classify(errno)),
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() - 1
        });
        let data = epoll::EventData::new_u64(slot as u64);
        let flags = epoll::EventFlags::OUT | epoll::EventFlags::ONESHOT;
        if let Err(errno) = epoll::add(&self.epoll, &socket, data, flags) {
            self.free.push(slot);
            return self.conclude(question, now, classify(errno));
        }
        let is_last = if question.asked + 1 >= self.plan.settings.attempts { Attempt::Last } else { Attempt::Earlier };
        let wait = self.rtts.get(question.host).copied().unwrap_or_default().wait(is_last, self.plan.settings.timeout);
        self.number = self.number.wrapping_add(1);
        self.deadlines.push(Reverse((now + wait, slot, self.number)));
        self.flights[slot] = Some(Flight { socket, question, started: now, number: self.number });
        self.in_flight += 1;
    }

    /// Takes an attempt out of the air.
    fn land(&mut self, slot: usize) -> Option<Flight> {
        let flight = self.flights.get_mut(slot)?.take()?;
        self.free.push(slot);
        self.in_flight -= 1;
        Some(flight)
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((due, slot, number))) = self.deadlines.peek().copied() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            let current = self.flights.get(slot).and_then(Option::as_ref).is_some_and(|f| f.number == number);
            if current && let Some(flight) = self.land(slot) {
                // The answer may have come while this thread had no processor: look before calling it silence.
                let answer = match sockopt::socket_error(&flight.socket) {
                    Ok(Ok(())) if rustix::net::getpeername(&flight.socket).is_ok() => {
                        answer_of(&flight.socket, Ok(Ok(())))
                    }
                    Ok(Ok(())) => Answer::AskAgain(State::Filtered, Reason::NoResponse),
                    error => answer_of(&flight.socket, error),
                };
                self.conclude(flight.question, flight.started, answer);
            }
        }
    }

    fn conclude(&mut self, mut question: Question, started: Instant, answer: Answer) {
        let now = Instant::now();
        match answer {
            Answer::Final(state, reason) => {
                let answered = matches!(state, State::Open | State::Closed);
                let rtt = answered.then(|| now.saturating_duration_since(started));
                if answered {
                    self.window.answer(if question.asked > 0 { Repeated::Yes } else { Repeated::No });
                }
                if let (Some(rtt), Some(estimate)) = (rtt, self.rtts.get_mut(question.host)) {
                    estimate.observe(rtt);
                }
                question.asked += 1;
                self.report(question, state, reason, rtt);
            }
            Answer::AskAgain(state, reason) => {
                self.window.silence();
                question.asked += 1;
                if question.asked >= self.plan.settings.attempts.max(1) {
                    self.report(question, state, reason, None);
                } else {
                    self.ask_again(question, now);
                }
            }
            Answer::Local(reason) => {
                self.window.local_trouble();
                question.local += 1;
                if question.local >= LOCAL_TRIES {
                    self.report(question, State::Error, reason, None);
                } else {
                    let backoff = Duration::from_millis(5 << question.local.min(7));
                    self.ask_again(question, now + backoff);
                }
            }
        }
    }

    fn ask_again(&mut self, question: Question, due: Instant) {
        self.again.push(Reverse((due, question)));
    }

    fn report(&mut self, question: Question, state: State, reason: Reason, rtt: Option<Duration>) {
        let Ok(host) = u32::try_from(question.host) else { return };
        let attempts = question.asked.saturating_add(question.local);
        let rtt_us = rtt.map_or(0, |rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).max(1));
        self.batch.push(Record { host, port: question.index, state, reason, rtt_us, ttl: 0, attempts });
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.last_flush = Instant::now();
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
        let mut nap = NAP;
        if let Some(Reverse((due, ..))) = self.deadlines.peek() {
            nap = nap.min(until(*due) + Duration::from_micros(500));
        }
        let may_start = !self.control.is_paused() && self.in_flight < self.window.size();
        if may_start && let Some(Reverse((due, ..))) = self.again.peek() {
            nap = nap.min(until(*due) + Duration::from_micros(500));
        }
        if may_start && (!self.lot.is_empty() || self.next.load(Ordering::Relaxed) < self.plan.order.len()) {
            let pace = if self.pace.is_some() { until(self.next_start) } else { Duration::ZERO };
            nap = nap.min(pace);
        }
        nap
    }
}

fn open_socket(target: SocketAddr, interface: Option<&str>) -> Result<OwnedFd, Errno> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    // Closing resets instead of waiting out TIME_WAIT, which would use up local ports.
    sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
    if let Some(name) = interface {
        bind_device(&socket, name)?;
    }
    Ok(socket)
}

/// Sends over this device alone, whatever the routes say.
pub fn bind_device(socket: &OwnedFd, name: &str) -> Result<(), Errno> {
    let bound = socket2::SockRef::from(socket).bind_device(Some(name.as_bytes()));
    bound.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NODEV))
}

/// Reads the end of an attempt off its socket.
fn answer_of(socket: &OwnedFd, error: rustix::io::Result<Result<(), Errno>>) -> Answer {
    match error {
        Ok(Ok(())) => {
            // Connecting to a free local port may pick that very port as source: TCP then connects the socket to
            // itself, and nothing listens there.
            let itself = match (rustix::net::getsockname(socket), rustix::net::getpeername(socket)) {
                (Ok(local), Ok(Some(peer))) => local == peer,
                _ => false,
            };
            if itself { Answer::Local(Reason::SelfConnect) } else { Answer::Final(State::Open, Reason::SynAck) }
        }
        Ok(Err(errno)) => classify_told(errno),
        Err(errno) => classify(errno),
    }
}

/// What an error means that a socket was told of after its packet had gone out: it came by ICMP, so these are no trouble
/// of this machine. The kernel gives EACCES for "administratively prohibited", "source address failed policy" and
/// "reject route" of ICMPv6, ENOPROTOOPT for "protocol unreachable", EPROTO for "parameter problem".
fn classify_told(errno: Errno) -> Answer {
    match told_by_filter(errno) {
        Some(reason) => Answer::Final(State::Filtered, reason),
        None => classify(errno),
    }
}

/// The reason, if the error number is how the kernel passes on an ICMP message of a filter.
pub const fn told_by_filter(errno: Errno) -> Option<Reason> {
    match errno {
        Errno::ACCESS | Errno::NONET | Errno::OPNOTSUPP => Some(Reason::AdminProhibited),
        Errno::NOPROTOOPT | Errno::PROTO => Some(Reason::PortUnreachable),
        _ => None,
    }
}

fn classify(errno: Errno) -> Answer {
    match errno {
        Errno::CONNREFUSED => Answer::Final(State::Closed, Reason::ConnRefused),
        Errno::CONNRESET | Errno::PIPE => Answer::Final(State::Open, Reason::ResetAfterAccept),
        Errno::TIMEDOUT => Answer::AskAgain(State::Filtered, Reason::NoResponse),
        Errno::HOSTUNREACH | Errno::HOSTDOWN => Answer::AskAgain(State::Unreachable, Reason::HostUnreachable),
        Errno::NETUNREACH | Errno::NETDOWN => Answer::AskAgain(State::Unreachable, Reason::NetUnreachable),
        Errno::MFILE | Errno::NFILE => Answer::Local(Reason::NoDescriptors),
        Errno::ADDRNOTAVAIL | Errno::AGAIN | Errno::ADDRINUSE => Answer::Local(Reason::NoLocalPort),
        Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => Answer::Local(Reason::NoBuffers),
        Errno::PERM | Errno::ACCESS => Answer::Final(State::Error, Reason::LocalPolicy),
        other => Answer::Final(State::Error, Reason::System(other.raw_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_trouble_is_never_a_closed_port() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::AGAIN, Errno::NOBUFS, Errno::NOMEM] {
            assert!(matches!(classify(errno), Answer::Local(_)), "{errno:?}");
        }
        for errno in [Errno::PERM, Errno::ACCESS, Errno::INVAL, Errno::AFNOSUPPORT] {
            assert!(matches!(classify(errno), Answer::Final(State::Error, _)), "{errno:?}");
        }
        // The same number, told by ICMP, is a filter's.
        let told = classify_told(Errno::ACCESS);
        assert!(matches!(told, Answer::Final(State::Filtered, Reason::AdminProhibited)), "{told:?}");
        assert!(matches!(classify_told(Errno::NOPROTOOPT), Answer::Final(State::Filtered, _)));
        assert!(matches!(classify_told(Errno::MFILE), Answer::Local(_)));
        assert!(matches!(classify(Errno::CONNREFUSED), Answer::Final(State::Closed, Reason::ConnRefused)));
        assert!(matches!(classify(Errno::HOSTUNREACH), Answer::AskAgain(State::Unreachable, _)));
    }
}
