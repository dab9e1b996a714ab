//! UDP ports: one connected socket and one ordinary request each, with what ICMP brings back.
//!
//! A host may tell of closed ports only so often (Linux: six at once, then one a second). Silence next to refusals
//! therefore does not mean much: the silent ports of such a host are asked again one by one, slower than that, for a
//! bounded time. Connected sockets take answers from the host and port that was asked and from nobody else, and need no
//! privilege. Which hosts are worked on at a time is decided in [`hosts`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::collect::{Messenger, Record};
use crate::connect::answers::{Answer, Why, bind_device, family_of, own_address, read_told, told_by_filter};
use crate::limits::{Ceiling, subnets};
use crate::links::Links;
use crate::order::shuffle;
use crate::sys::errors::{keep_errors, next_told};
use crate::timing::{Attempt, Rtt};
use crate::{Control, Error, Never, Reason, Settings, State, descriptors, zone};
use hosts::{Host, Hosts, Manner, Question};

mod hosts;
mod tftp;

/// Questions out in all.
const AT_ONCE: usize = 4000;
/// Questions between two looks at the answers.
const BURST: usize = 256;
/// Tries after trouble on this machine, with pauses that grow between them; where it does not pass for one port of a host, and
/// nothing goes out to it meanwhile, its other ports do not wait for it as well.
const LOCAL_TRIES: u8 = 10;
/// Questions that wait for trouble to pass, at most.
const HELD_AT_MOST: usize = 1 << 14;
const NAP: Duration = Duration::from_millis(20);

/// What to ask.
pub struct Plan<'a> {
    /// Numbers of the targets, and the addresses of all targets of the job.
    pub ids: Vec<u32>,
    pub addresses: &'a [IpAddr],
    pub ports: &'a [u16],
    /// Index of the first port in the job.
    pub first_index: u32,
    pub payloads: &'a BTreeMap<u16, Vec<Vec<u8>>>,
    pub settings: &'a Settings,
    pub never: &'a Never,
    pub skip: &'a dyn Fn(u32, u32) -> bool,
    pub messenger: &'a Messenger,
    /// Is told of each host, once all results of its ports are on their way, with its smoothed round trip in microseconds.
    pub finished: &'a dyn Fn(u32, u32),
    pub interface: Option<&'a str>,
    /// The devices that lead to the targets.
    pub links: &'a Links,
    /// Of the order of hosts and ports.
    pub seed: u64,
}

struct Flight {
    socket: OwnedFd,
    question: Question,
    sent: Instant,
    /// How often a device had fallen when it went out.
    falls: u32,
}

struct Work<'a> {
    plan: &'a Plan<'a>,
    hosts: Hosts,
    /// By number of the target, where there is a ceiling for subnets.
    subnet_of: HashMap<u32, usize>,
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
    let Settings { rates, udp_patience, .. } = plan.settings;
    let (mut subnet_of, mut of_subnets) = (HashMap::new(), Vec::new());
    if let Some(rate) = rates.per_subnet {
        let addresses: Vec<IpAddr> =
            plan.ids.iter().filter_map(|id| plan.addresses.get(*id as usize).copied()).collect();
        let (numbers, count) = subnets(&addresses);
        subnet_of = plan.ids.iter().copied().zip(numbers).collect();
        of_subnets = vec![Ceiling::new(rate); count];
    }
    let mut ids = plan.ids.clone();
    shuffle(&mut ids, plan.seed);
    let manner = Manner { ports: plan.ports.len(), patience: *udp_patience, rate: rates.per_host, seed: plan.seed };
    let mut work = Work {
        plan,
        hosts: Hosts::new(ids, manner),
        subnet_of,
        subnets: of_subnets,
        ceiling: rates.global.map(Ceiling::new),
        epoll,
        flights: HashMap::new(),
        deadlines: BinaryHeap::new(),
        held: BTreeMap::new(),
        rtt: Rtt::default(),
        number: 0,
        began: Instant::now(),
        records: Vec::new(),
    };
    work.go(control)
}

impl Work<'_> {
    fn go(&mut self, control: &Control) -> Result<(), Error> {
        let at_once = AT_ONCE.min(self.plan.settings.max_in_flight).min(descriptors::available());
        let mut events: Vec<epoll::Event> = Vec::with_capacity(BURST);
        while !self.hosts.is_empty() && !control.is_cancelled() {
            let is_held_back = control.is_paused() || self.plan.links.is_down() || self.plan.messenger.is_congested();
            let started = if is_held_back { 0 } else { self.ask_in_turn(at_once) };
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
            if !self.records.is_empty() {
                self.plan.messenger.records(std::mem::take(&mut self.records));
            }
            for (id, rtt_us) in self.hosts.finished() {
                (self.plan.finished)(id, rtt_us);
            }
        }
        Ok(())
    }

    /// One question to each host whose turn it is; begins others while those that are worked on have no use for all the room
    /// there is. Returns how many went out.
    fn ask_in_turn(&mut self, at_once: usize) -> usize {
        let (mut started, mut turns, mut room) = (0, 0, 0);
        while started < BURST && self.flights.len() < at_once && self.held.len() < HELD_AT_MOST {
            let now = Instant::now();
            let now_us = u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
            if self.ceiling.as_ref().is_some_and(|one| !one.ready(now_us)) {
                break;
            }
            let Some(place) = self.hosts.at(turns) else {
                let has_room = self.flights.len() + room < at_once;
                if !self.hosts.begin(has_room, self.plan.addresses, now) {
                    break;
                }
                continue;
            };
            turns += 1;
            if let Some(question) = self.next_question(place, now, now_us) {
                self.ask(question);
                started += 1;
                room += self.hosts.room(place);
            }
        }
        self.hosts.turned(turns);
        started
    }

    fn next_question(&mut self, place: usize, now: Instant, now_us: u64) -> Option<Question> {
        let host = self.hosts.get(place);
        let subnet = self.subnet_of.get(&host.id).copied().unwrap_or(usize::MAX);
        let is_free = host.ceiling.as_ref().is_none_or(|one| one.ready(now_us))
            && self.subnets.get(subnet).is_none_or(|one| one.ready(now_us));
        if !is_free || host.out >= host.at_once() {
            return None;
        }
        let (skip, first) = (self.plan.skip, self.plan.first_index);
        let question =
            self.hosts.next(place, now, |id, port| u32::try_from(port).is_ok_and(|port| skip(id, first + port)))?;
        let host = self.hosts.get_mut(place).ceiling.as_mut();
        for ceiling in [self.ceiling.as_mut(), host, self.subnets.get_mut(subnet)].into_iter().flatten() {
            ceiling.sent(now_us);
        }
        Some(question)
    }

    fn host(&mut self, question: Question) -> &mut Host {
        self.hosts.get_mut(question.host)
    }

    /// The number of the port that is asked.
    fn port(&self, question: Question) -> u16 {
        self.plan.ports.get(usize::from(question.port.port)).copied().unwrap_or(0)
    }

    fn ask(&mut self, question: Question) {
        let address = self.hosts.get(question.host).address;
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
                let is_last = question.port.asked + 1 >= self.plan.settings.attempts.max(1);
                let attempt = if is_last { Attempt::Last } else { Attempt::Earlier };
                let limit = self.plan.settings.timeout;
                let elsewhere = self.rtt;
                let host = self.host(question);
                host.sent(now);
                // Some services think long before they answer: the last wait is the whole.
                let wait = if is_last { limit } else { host.rtt.wait(attempt, &elsewhere, limit) };
                self.deadlines.push(Reverse((now + wait, self.number)));
                self.flights.insert(self.number, Flight { socket, question, sent: now, falls });
            }
            Err(errno) => self.failed(question, errno, None),
        }
    }

    fn send(&self, address: IpAddr, question: Question) -> Result<OwnedFd, Errno> {
        let port = self.port(question);
        let target = zone::endpoint(address, port);
        let (family, errors) = family_of(address);
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
        keep_errors(socket.as_fd(), errors).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
        if let Some(name) = self.plan.interface {
            bind_device(&socket, name)?;
        }
        let payload = self.payload(question);
        if tftp::is_request(payload) {
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
        let Some(payloads) = self.plan.payloads.get(&self.port(question)).filter(|payloads| !payloads.is_empty())
        else {
            return &[];
        };
        payloads.get(usize::from(question.port.asked) % payloads.len()).map_or(&[], Vec::as_slice)
    }

    /// Whether a datagram answers a question. The kernel has seen to its sender, unless the socket takes any.
    fn answers(&self, question: Question, datagram: &[u8], from: Option<IpAddr>) -> bool {
        let address = self.hosts.get(question.host).address;
        !tftp::is_request(self.payload(question)) || (from == Some(address) && tftp::is_answer(datagram))
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
                self.host(flight.question).out -= 1;
                self.host(flight.question).answered = true;
                self.record(flight.question, State::Open, Reason::UdpResponse, Some(flight.sent));
            }
            Err(Errno::AGAIN) => {
                // Nothing after all, for instance a datagram with a wrong checksum: go on waiting.
                self.flights.insert(number, flight);
            }
            Err(errno) => {
                self.host(flight.question).out -= 1;
                let target = self.hosts.get(flight.question.host).address;
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
        self.host(flight.question).rtt.observe(took);
        self.rtt.observe(took);
    }

    fn failed(&mut self, question: Question, errno: Errno, sent: Option<Instant>) {
        match errno {
            Errno::CONNREFUSED => {
                self.host(question).refused += 1;
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
        question.port.local += 1;
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
        let host = self.host(question);
        host.hopeless |= question.port.local >= LOCAL_TRIES;
        if passing && !host.hopeless {
            host.held += 1;
            self.number += 1;
            let due = Instant::now() + Duration::from_millis(5 << question.port.local.min(7));
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
        if question.port.asked + 1 < self.plan.settings.attempts.max(1) {
            question.port.asked += 1;
            self.host(question).put_back(question.port);
            return;
        }
        let host = self.host(question);
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
            let host = self.host(question);
            host.held -= 1;
            host.put_back(question.port);
        }
        while let Some(Reverse((due, number))) = self.deadlines.peek().copied()
            && due <= now
        {
            self.deadlines.pop();
            if let Some(flight) = self.flights.remove(&number) {
                self.host(flight.question).out -= 1;
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
        let host = self.hosts.get(question.host).id;
        let rtt_us = sent.map_or(0, |sent| u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX).max(1));
        if rtt_us > 0 {
            self.plan.messenger.traffic.received.fetch_add(1, Relaxed);
        }
        let port = self.plan.first_index + u32::from(question.port.port);
        let attempts = question.port.asked + 1;
        self.records.push(Record { host, port, state, reason, rtt_us, ttl: 0, attempts });
    }
}
