//! UDP ports: one connected socket and one ordinary request each, with what ICMP brings back.
//!
//! A host may tell of closed ports only so often (Linux: six at once, then one a second). Silence next to refusals
//! therefore does not mean much: the silent ports of such a host are asked again one by one, slower than that, for a
//! bounded time. Connected sockets take answers from the host and port that was asked and from nobody else, and need no
//! privilege.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::collect::{Messenger, Record};
use crate::connect::answers::{Answer, HostIs, Why, bind_device, family_of, own_address, read_told, told_by_filter};
use crate::limits::{Ceiling, subnets};
use crate::links::Links;
use crate::order::{Order, shuffle};
use crate::sys::errors::{keep_errors, next_told};
use crate::timing::{Attempt, Rtt};
use crate::{Control, Error, Never, Reason, Settings, State, descriptors, zone};

/// Questions out at one host and in all. A host that is silent throughout, so that nothing is known of limits, gets more
/// of them with time.
const HOST_AT_ONCE: u32 = 32;
const HOST_AT_MOST: u32 = 256;
const AT_ONCE: usize = 4000;
/// Between two questions at a host that limits its refusals.
const SLOW: Duration = Duration::from_millis(1050);
/// Tries after trouble on this machine, with pauses that grow between them; where it does not pass for one port of a host, and
/// nothing goes out to it meanwhile, its other ports do not wait for it as well.
const LOCAL_TRIES: u8 = 10;
/// Questions that wait for trouble to pass, at most.
const HELD_AT_MOST: usize = 1 << 14;
const NAP: Duration = Duration::from_millis(20);

/// What to ask.
pub struct Plan<'a> {
    /// Numbers and addresses of the targets.
    pub targets: Vec<(u32, IpAddr)>,
    pub ports: &'a [u16],
    /// Index of the first port in the job.
    pub first_index: u32,
    pub payloads: &'a BTreeMap<u16, Vec<Vec<u8>>>,
    pub settings: &'a Settings,
    pub never: &'a Never,
    pub skip: &'a dyn Fn(u32, u32) -> bool,
    pub messenger: &'a Messenger,
    pub interface: Option<&'a str>,
    /// The devices that lead to the targets.
    pub links: &'a Links,
    /// Of the order of hosts and ports.
    pub seed: u64,
}

/// Whether a payload is a TFTP read request: its opcode, a name, and one of the modes (RFC 1350 section 5).
fn is_tftp_request(payload: &[u8]) -> bool {
    let Some(rest) = payload.strip_prefix(&[0, 1]) else { return false };
    let mut words = rest.split(|byte| *byte == 0).skip(1);
    words.next().is_some_and(|mode| [&b"octet"[..], b"netascii"].iter().any(|known| mode.eq_ignore_ascii_case(known)))
}

/// Whether a datagram is data, an error or an acknowledgement of options of TFTP (RFC 1350, RFC 2347).
const fn is_tftp_answer(datagram: &[u8]) -> bool {
    matches!(datagram, [0, 3 | 5, _, _, ..] | [0, 6, ..])
}

#[derive(Debug, Clone, Copy)]
struct Question {
    host: usize,
    port: usize,
    asked: u8,
    local: u8,
    /// Whether it was put alone, as a host wants it that limits its refusals.
    alone: bool,
}

struct Flight {
    socket: OwnedFd,
    question: Question,
    sent: Instant,
    /// How often a device had fallen when it went out.
    falls: u32,
}

struct Host {
    /// How many ports had their first question, and at which place of the order this host begins.
    next: usize,
    turn: usize,
    again: VecDeque<Question>,
    /// Questions that wait for trouble on this machine to pass, and whether it did not pass for one of them.
    held: u32,
    hopeless: bool,
    out: u32,
    refused: u32,
    answered: bool,
    silent: u32,
    rtt: Rtt,
    slow_left: u32,
    slow_next: Instant,
    ceiling: Option<Ceiling>,
}

struct Work<'a> {
    plan: &'a Plan<'a>,
    hosts: Vec<Host>,
    order: Order,
    subnet_of: Vec<usize>,
    subnets: Vec<Ceiling>,
    ceiling: Option<Ceiling>,
    epoll: OwnedFd,
    flights: HashMap<u64, Flight>,
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Questions that wait for trouble on this machine to pass: when each is asked again, and its number.
    held: BTreeMap<(Instant, u64), Question>,
    /// Round trips of all hosts.
    rtt: Rtt,
    number: u64,
    began: Instant,
    records: Vec<Record>,
}

/// Runs the plan to its end or until it is cancelled.
pub fn run(plan: &Plan<'_>, control: &Control) -> Result<(), Error> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(std::io::Error::from)?;
    let rates = plan.settings.rates;
    let now = Instant::now();
    let (subnet_of, count) = subnets(&plan.targets.iter().map(|(_, address)| *address).collect::<Vec<_>>());
    let host = |(number, _): (usize, &(u32, IpAddr))| Host {
        next: 0,
        turn: usize::try_from(plan.seed % 65_521).unwrap_or(0).wrapping_mul(number + 1) % plan.ports.len().max(1),
        again: VecDeque::new(),
        held: 0,
        hopeless: false,
        out: 0,
        refused: 0,
        answered: false,
        silent: 0,
        rtt: Rtt::default(),
        slow_left: u32::try_from(plan.settings.udp_patience.as_millis() / SLOW.as_millis()).unwrap_or(u32::MAX),
        slow_next: now,
        ceiling: rates.per_host.map(Ceiling::new),
    };
    let mut work = Work {
        plan,
        hosts: plan.targets.iter().enumerate().map(host).collect(),
        order: Order::new(1, plan.ports.len(), plan.seed).unwrap_or_else(|| unreachable!("at most 65535 ports")),
        subnet_of,
        subnets: rates.per_subnet.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); count]),
        ceiling: rates.global.map(Ceiling::new),
        epoll,
        flights: HashMap::new(),
        deadlines: BinaryHeap::new(),
        held: BTreeMap::new(),
        rtt: Rtt::default(),
        number: 0,
        began: now,
        records: Vec::new(),
    };
    work.go(control)
}

impl Host {
    fn is(&self) -> HostIs {
        if self.answered || self.refused > 0 { HostIs::Answering } else { HostIs::Silent }
    }

    /// Questions that may be out.
    fn at_once(&self) -> u32 {
        if self.refused > 0 { HOST_AT_ONCE } else { (HOST_AT_ONCE + self.silent / 2).min(HOST_AT_MOST) }
    }
}

impl Work<'_> {
    fn go(&mut self, control: &Control) -> Result<(), Error> {
        let at_once = AT_ONCE.min(self.plan.settings.max_in_flight).min(descriptors::available());
        let mut active: Vec<usize> = (0..self.hosts.len()).collect();
        shuffle(&mut active, self.plan.seed);
        let mut events: Vec<epoll::Event> = Vec::with_capacity(256);
        while !active.is_empty() && !control.is_cancelled() {
            let mut started = 0;
            if !control.is_paused() && !self.plan.links.is_down() && !self.plan.messenger.is_congested() {
                for at in &active {
                    if self.flights.len() >= at_once || started >= 256 {
                        break;
                    }
                    if let Some(question) = self.next_question(*at) {
                        self.ask(question);
                        started += 1;
                    }
                }
                // Hosts take turns.
                let turn = started.min(active.len());
                active.rotate_left(turn);
            }
            events.clear();
            let nap = if started > 0 { Duration::from_millis(1) } else { NAP };
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(nap.subsec_nanos()) };
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::Start(errno.into())),
            }
            for event in &events {
                let number = event.data.u64();
                if let Some(flight) = self.flights.remove(&number) {
                    self.read(number, flight);
                }
            }
            self.expire();
            let ports = self.plan.ports.len();
            active.retain(|at| {
                let host = &self.hosts[*at];
                host.next < ports || !host.again.is_empty() || host.out > 0 || host.held > 0
            });
            if !self.records.is_empty() {
                self.plan.messenger.records(std::mem::take(&mut self.records));
            }
        }
        Ok(())
    }

    fn next_question(&mut self, at: usize) -> Option<Question> {
        let now = Instant::now();
        let now_us = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
        let subnet = self.subnet_of.get(at).copied().unwrap_or(usize::MAX);
        let host = &self.hosts[at];
        let free = self.ceiling.as_ref().is_none_or(|one| one.ready(now_us))
            && host.ceiling.as_ref().is_none_or(|one| one.ready(now_us))
            && self.subnets.get(subnet).is_none_or(|one| one.ready(now_us));
        if !free || host.out >= host.at_once() || self.held.len() >= HELD_AT_MOST {
            return None;
        }
        let host = &mut self.hosts[at];
        let mut question = None;
        while host.next < self.plan.ports.len() && question.is_none() {
            let (_, port) = self.order.pair((host.next + host.turn) as u64 % self.order.len())?;
            host.next += 1;
            let index = self.plan.first_index + u32::try_from(port).ok()?;
            if !(self.plan.skip)(self.plan.targets[at].0, index) {
                question = Some(Question { host: at, port, asked: 0, local: 0, alone: false });
            }
        }
        if question.is_none() && host.next >= self.plan.ports.len() {
            // Repetitions come after all first questions. Where refusals are limited they come one by one.
            let limited = host.refused > 0 && host.slow_left > 0;
            if limited && (host.out > 0 || now < host.slow_next) {
                return None;
            }
            question = host.again.pop_front();
            if limited && let Some(question) = &mut question {
                question.alone = true;
                host.slow_left -= 1;
            }
        }
        question?;
        if let Some(one) = &mut self.ceiling {
            one.sent(now_us);
        }
        if let Some(one) = &mut self.hosts[at].ceiling {
            one.sent(now_us);
        }
        if let Some(one) = self.subnets.get_mut(subnet) {
            one.sent(now_us);
        }
        question
    }

    fn ask(&mut self, question: Question) {
        let address = self.plan.targets[question.host].1;
        if (self.plan.never)(address) {
            return;
        }
        if self.plan.links.is_lost(address) {
            return self.record(question, State::Error, Reason::NetworkDown, None);
        }
        self.plan.messenger.traffic.attempts.fetch_add(1, Relaxed);
        let falls = self.plan.links.falls();
        match self.send(address, question) {
            Ok(socket) => {
                self.number += 1;
                let data = epoll::EventData::new_u64(self.number);
                let flags = epoll::EventFlags::IN | epoll::EventFlags::ERR;
                if let Err(errno) = epoll::add(&self.epoll, &socket, data, flags) {
                    return self.local(question, errno);
                }
                self.plan.messenger.traffic.sent.fetch_add(1, Relaxed);
                let now = Instant::now();
                let is_last = question.asked + 1 >= self.plan.settings.attempts.max(1);
                let attempt = if is_last { Attempt::Last } else { Attempt::Earlier };
                let limit = self.plan.settings.timeout;
                let host = &mut self.hosts[question.host];
                host.hopeless = false;
                // Some services think long before they answer: the last wait is the whole.
                let wait = if is_last { limit } else { host.rtt.wait(attempt, &self.rtt, limit) };
                host.out += 1;
                // The one that is put alone needs its distance from the last of the others as well.
                host.slow_next = now + SLOW;
                self.deadlines.push(Reverse((now + wait, self.number)));
                self.flights.insert(self.number, Flight { socket, question, sent: now, falls });
            }
            Err(errno) => self.failed(question, errno, None),
        }
    }

    fn send(&self, address: IpAddr, question: Question) -> Result<OwnedFd, Errno> {
        let port = self.plan.ports.get(question.port).copied().unwrap_or(0);
        let target = zone::endpoint(address, port);
        let (family, errors) = family_of(address);
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
        keep_errors(socket.as_fd(), errors).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
        if let Some(name) = self.plan.interface {
            bind_device(&socket, name)?;
        }
        let payload = self.payload(question);
        if is_tftp_request(payload) {
            // The answer comes from another port, which a connected socket would not take it from.
            rustix::net::sendto(&socket, payload, SendFlags::NOSIGNAL, &target)?;
        } else {
            rustix::net::connect(&socket, &target)?;
            rustix::net::send(&socket, payload, SendFlags::NOSIGNAL)?;
        }
        Ok(socket)
    }

    /// What this attempt at a port says.
    fn payload(&self, question: Question) -> &[u8] {
        let port = self.plan.ports.get(question.port).copied().unwrap_or(0);
        let Some(payloads) = self.plan.payloads.get(&port).filter(|payloads| !payloads.is_empty()) else { return &[] };
        payloads.get(usize::from(question.asked) % payloads.len()).map_or(&[], Vec::as_slice)
    }

    /// Whether a datagram answers a question. The kernel has seen to its sender, unless the socket takes any.
    fn answers(&self, question: Question, datagram: &[u8], from: Option<IpAddr>) -> bool {
        let address = self.plan.targets.get(question.host).map(|(_, address)| *address);
        !is_tftp_request(self.payload(question)) || (from.is_some() && from == address && is_tftp_answer(datagram))
    }

    fn read(&mut self, number: u64, flight: Flight) {
        let mut buffer = [0_u8; 64];
        match rustix::net::recvfrom(&flight.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((length, _, from)) => {
                let from = from.and_then(|from| SocketAddr::try_from(from).ok()).map(zone::host_of);
                if !self.answers(flight.question, buffer.get(..length).unwrap_or_default(), from) {
                    // A stranger's: go on waiting.
                    self.flights.insert(number, flight);
                    return;
                }
                self.timed(&flight);
                self.hosts[flight.question.host].out -= 1;
                self.hosts[flight.question.host].answered = true;
                self.record(flight.question, State::Open, Reason::UdpResponse, Some(flight.sent));
            }
            Err(Errno::AGAIN) => {
                // Nothing after all, for instance a datagram with a wrong checksum: go on waiting.
                self.flights.insert(number, flight);
            }
            Err(errno) => {
                self.hosts[flight.question.host].out -= 1;
                let target = self.plan.targets[flight.question.host].1;
                match next_told(flight.socket.as_fd()) {
                    Some(told) => match read_told(&told, own_address(&flight.socket)) {
                        // The host itself says that nothing listens; from another it is the word of a filter.
                        Some(Answer::Final(..))
                            if told.from == Some(zone::split(target).0) && told.is_port_unreachable() =>
                        {
                            self.timed(&flight);
                            self.failed(flight.question, Errno::CONNREFUSED, Some(flight.sent));
                        }
                        Some(Answer::Final(state, reason)) => {
                            self.record(flight.question, state, reason, Some(flight.sent));
                        }
                        Some(Answer::Silent(why)) => self.silent(flight.question, why),
                        Some(Answer::Local(_)) | None => self.failed(flight.question, errno, Some(flight.sent)),
                    },
                    None => self.failed(flight.question, errno, Some(flight.sent)),
                }
            }
        }
    }

    /// Takes in how long the host took.
    fn timed(&mut self, flight: &Flight) {
        let took = flight.sent.elapsed();
        self.hosts[flight.question.host].rtt.observe(took);
        self.rtt.observe(took);
    }

    fn failed(&mut self, question: Question, errno: Errno, sent: Option<Instant>) {
        match errno {
            Errno::CONNREFUSED => {
                self.hosts[question.host].refused += 1;
                self.record(question, State::Closed, Reason::PortUnreachable, sent);
            }
            Errno::HOSTUNREACH | Errno::HOSTDOWN => self.silent(question, Why::Host),
            // There was a route when the run began: told at once, it means that it went away.
            Errno::NETUNREACH | Errno::NETDOWN if sent.is_some() => self.silent(question, Why::Network),
            // What comes after the datagram has gone out was told by ICMP.
            other => match told_by_filter(other).filter(|_| sent.is_some()) {
                Some(reason) => self.record(question, State::Filtered, reason, sent),
                None => self.local(question, other),
            },
        }
    }

    /// Trouble on this machine: tried again, then told.
    fn local(&mut self, mut question: Question, errno: Errno) {
        question.local += 1;
        let passing = matches!(
            errno,
            Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
                | Errno::AGAIN
                | Errno::ADDRNOTAVAIL
                | Errno::NOSPC
                | Errno::NETDOWN
                | Errno::NETUNREACH
                // A rule of this machine, or a full table of its connections, which passes.
                | Errno::PERM
                | Errno::ACCESS
        );
        let host = &mut self.hosts[question.host];
        host.hopeless |= question.local >= LOCAL_TRIES;
        if passing && !host.hopeless {
            host.held += 1;
            self.number += 1;
            let due = Instant::now() + Duration::from_millis(5 << question.local.min(7));
            self.held.insert((due, self.number), question);
            return;
        }
        let reason = match errno {
            Errno::MFILE | Errno::NFILE => Reason::NoDescriptors,
            Errno::ADDRNOTAVAIL | Errno::AGAIN => Reason::NoLocalPort,
            Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => Reason::NoBuffers,
            Errno::PERM | Errno::ACCESS => Reason::LocalPolicy,
            Errno::NETDOWN | Errno::NETUNREACH | Errno::NODEV => Reason::NetworkDown,
            other => Reason::System(other.raw_os_error()),
        };
        self.record(question, State::Error, reason, None);
    }

    fn silent(&mut self, mut question: Question, why: Why) {
        if question.asked + 1 < self.plan.settings.attempts.max(1) {
            question.asked += 1;
            self.hosts[question.host].again.push_back(question);
            return;
        }
        let host = &mut self.hosts[question.host];
        host.silent += 1;
        let limited = host.refused > 0 && !question.alone;
        let (state, reason) = match why {
            Why::NoResponse if limited => (State::OpenFiltered, Reason::RateLimited),
            Why::NoResponse => (State::OpenFiltered, Reason::NoResponse),
            why => why.state(host.is()),
        };
        self.record(question, state, reason, None);
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= now) {
            let question = entry.remove();
            let host = &mut self.hosts[question.host];
            host.held -= 1;
            host.again.push_back(question);
        }
        while let Some(Reverse((due, number))) = self.deadlines.peek().copied()
            && due <= now
        {
            self.deadlines.pop();
            if let Some(flight) = self.flights.remove(&number) {
                self.hosts[flight.question.host].out -= 1;
                if flight.falls == self.plan.links.falls() {
                    self.silent(flight.question, Why::NoResponse);
                } else {
                    // Silence while a device was down says nothing.
                    self.local(flight.question, Errno::NETDOWN);
                }
            }
        }
    }

    fn record(&mut self, question: Question, state: State, reason: Reason, sent: Option<Instant>) {
        let (Some((host, _)), Ok(port)) = (self.plan.targets.get(question.host), u32::try_from(question.port)) else {
            return;
        };
        let rtt_us = sent.map_or(0, |sent| u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX).max(1));
        if rtt_us > 0 {
            self.plan.messenger.traffic.received.fetch_add(1, Relaxed);
        }
        let port = self.plan.first_index + port;
        let attempts = question.asked + 1;
        self.records.push(Record { host: *host, port, state, reason, rtt_us, ttl: 0, attempts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tftp_is_recognised_by_its_request_and_its_answers() {
        assert!(is_tftp_request(b"\0\x01a-file\0octet\0") && is_tftp_request(b"\0\x01x\0NETASCII\0blksize\x00512\0"));
        for other in [&b""[..], b"\0", b"\0\x01", b"\0\x01octet", b"\0\x01octet\0", b"\0\x02a\0octet\0", b"\x23\0\0\0"]
        {
            assert!(!is_tftp_request(other), "{other:?}");
        }
        assert!(is_tftp_answer(&[0, 5, 0, 1]) && is_tftp_answer(&[0, 3, 0, 1, 9]) && is_tftp_answer(&[0, 6]));
        assert!(!is_tftp_answer(&[0, 5]) && !is_tftp_answer(&[0, 1, 0, 0]) && !is_tftp_answer(&[]));
    }
}
