//! Who is there: hardware addresses on the link, and hosts that answer at all.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::clock::Clock;
use super::cookie::{Cookies, Use};
use super::netlink::Netlink;
use super::packet::{self, Answer, Link, Mac, Syn};
use crate::collect::Traffic;
use crate::limits::Ceilings;
use crate::links::Links;
use crate::order::shuffle;
use crate::sys::packet::{Batch, Ring, Sender};
use crate::{Control, HostReason, Rates};

/// How long answers are waited for after each of the rounds.
const ROUNDS: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];
/// Packets a second, if the caller sets no lower ceiling.
const RATE: u32 = 50_000;
/// TCP ports asked to see whether a host is there: what most filters let through.
const PORTS: [u16; 4] = [443, 80, 22, 3389];

/// A neighbour to be resolved: interface, own address there, own hardware address, number of the sender.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    pub source: IpAddr,
    pub own: Mac,
    pub way: usize,
    /// Whether it is the way to others and not a target itself.
    pub is_router: bool,
}

/// Hardware addresses by interface and address.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// Of those that answered, or are in the kernel's table for good reason.
    pub known: HashMap<(u32, IpAddr), Mac>,
    /// Of routers that did not, from an old entry of the kernel's table.
    pub remembered: HashMap<(u32, IpAddr), Mac>,
}

/// What both searches need.
pub struct Search<'a> {
    pub control: &'a Control,
    pub links: &'a Links,
    pub rings: &'a mut [Ring],
    pub senders: &'a [Sender],
    pub traffic: &'a Traffic,
    pub clock: Clock,
    pub rates: Rates,
    /// Of the order of hosts.
    pub seed: u64,
    /// TCP ports of the job that are asked beside the usual ones to see whether a host is there.
    pub ports: &'a [u16],
}

impl Search<'_> {
    /// Sends what `write` makes of each item and listens, until `answered` says that nothing is missing or the rounds
    /// are over. `heard` is handed every answer with the time it came.
    fn rounds<T: Copy>(
        &mut self,
        items: &[T],
        address: impl Fn(T) -> IpAddr,
        mut write: impl FnMut(T, &mut Batch) -> usize,
        mut is_missing: impl FnMut(T, Option<(Answer, u64)>) -> bool,
    ) {
        let mut missing: Vec<T> = items.to_vec();
        let mut ceilings = Ceilings::new(self.rates, RATE);
        let started = Instant::now();
        let mut batch = Batch::new();
        for wait in ROUNDS {
            let mut queue = VecDeque::from(std::mem::take(&mut missing));
            let mut held_back = 0;
            while let Some(item) = queue.pop_front() {
                if self.control.is_cancelled() {
                    return;
                }
                let now_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                let ready = ceilings.ready(now_us);
                if !ready
                    || self.control.is_paused()
                    || self.links.is_down()
                    || !ceilings.ready_for(address(item), now_us)
                {
                    // Another one may be asked meanwhile, unless it is all of them that have to wait.
                    queue.push_back(item);
                    held_back += 1;
                    if !ready || held_back >= queue.len() {
                        held_back = 0;
                        self.listen(Duration::from_micros(500), &mut |answer, at| {
                            is_missing(item, Some((answer, at)));
                        });
                    }
                    continue;
                }
                held_back = 0;
                if is_missing(item, None) {
                    let way = write(item, &mut batch);
                    let count = batch.len() as u64;
                    if let Some(sender) = self.senders.get(way) {
                        // Trouble in sending shows as silence, and silence is asked again.
                        let _ = batch.send(sender, 0);
                    }
                    ceilings.sent(address(item), batch.len(), now_us);
                    self.traffic.sent.fetch_add(count, Relaxed);
                    self.traffic.attempts.fetch_add(count, Relaxed);
                    batch.clear();
                    missing.push(item);
                }
            }
            let until = Instant::now() + wait;
            while !missing.is_empty() && Instant::now() < until && !self.control.is_cancelled() {
                let first = missing[0];
                self.listen(Duration::from_millis(5), &mut |answer, at| {
                    is_missing(first, Some((answer, at)));
                });
                missing.retain(|item| is_missing(*item, None));
            }
            if missing.is_empty() {
                return;
            }
        }
    }

    fn listen(&mut self, wait: Duration, heard: &mut dyn FnMut(Answer, u64)) {
        {
            let fds: Vec<_> = self.rings.iter().map(Ring::fd).collect();
            let mut polls: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
            let _ = poll(&mut polls, Some(&wait));
        }
        let offset = self.clock.offset();
        for ring in self.rings.iter_mut() {
            ring.drain(|frame| {
                if let Some(answer) = packet::read(frame.bytes) {
                    heard(answer.within(frame.interface), offset.of_day(frame.at_us));
                }
            });
        }
    }

    /// Finds the hardware addresses of neighbours (interface and address). The kernel's table is believed where it has
    /// had a recent answer; all others are asked by ARP and neighbour discovery. What the kernel remembers from earlier is
    /// used only for a router that does not answer us: an old entry says nothing about who is there now.
    pub fn neighbours(&mut self, wanted: &HashMap<(u32, IpAddr), Asker>) -> io::Result<Neighbours> {
        let mut known: HashMap<(u32, IpAddr), Mac> = HashMap::new();
        let mut remembered: HashMap<(u32, IpAddr), Mac> = HashMap::new();
        for neighbour in Netlink::open()?.neighbours()? {
            let key = (neighbour.interface, neighbour.address);
            match wanted.get(&key) {
                Some(_) if neighbour.is_fresh => drop(known.insert(key, neighbour.mac)),
                Some(asker) if asker.is_router => drop(remembered.insert(key, neighbour.mac)),
                _ => {}
            }
        }
        let askable = |((_, address), asker): &(&(u32, IpAddr), &Asker)| asker.source.is_ipv4() == address.is_ipv4();
        let mut items: Vec<((u32, IpAddr), Asker)> = (wanted.iter())
            .filter(|(key, _)| !known.contains_key(*key))
            .filter(askable)
            .map(|(key, asker)| (*key, *asker))
            .collect();
        items.sort_by_key(|(key, _)| *key);
        shuffle(&mut items, self.seed);
        let mut heard: HashMap<IpAddr, Mac> = HashMap::new();
        self.rounds(
            &items,
            |((_, address), _)| address,
            |((_, address), asker), batch| {
                batch.push(address, |buffer| match (asker.source, address) {
                    (IpAddr::V4(source), IpAddr::V4(target)) => packet::arp_request(buffer, asker.own, source, target),
                    (IpAddr::V6(source), IpAddr::V6(target)) => {
                        packet::neighbour_solicitation(buffer, asker.own, source, target)
                    }
                    _ => 0,
                });
                asker.way
            },
            |((_, address), _), answer| {
                if let Some((Answer::Neighbour { address, mac }, _)) = answer {
                    heard.insert(address, mac);
                }
                !heard.contains_key(&address)
            },
        );
        for (key, _) in items {
            if let Some(mac) = heard.get(&key.1) {
                known.insert(key, *mac);
            }
        }
        Ok(Neighbours { known, remembered })
    }

    /// Finds out which of the hosts answer an echo request or one of a few TCP ports.
    pub fn hosts(&mut self, cookies: &Cookies, hosts: &[(IpAddr, IpAddr, Link, usize)]) -> HashMap<IpAddr, HostReason> {
        let mut present: HashMap<IpAddr, HostReason> = HashMap::new();
        let asked: HashSet<IpAddr> = hosts.iter().map(|(target, ..)| *target).collect();
        let mut tries: HashMap<IpAddr, u8> = HashMap::new();
        let number = u16::from(Use::CANARIES);
        let (own_ports, clock, traffic) = (self.ports, self.clock, self.traffic);
        self.rounds(
            hosts,
            |(target, ..)| target,
            |(target, source, link, way), batch| {
                let now = clock.now_us();
                let data = u64::from(cookies.sequence(target, cookies.first_port, number, now)) << 32;
                let ends = (source, target);
                batch.push(target, |buffer| packet::echo(buffer, link, ends, cookies.first_port, number, data));
                let round = tries.entry(target).or_default();
                let source_port = cookies.source_port(Use::Verify(*round));
                // The first round is the cheap one: most hosts answer it.
                let asked = if *round == 0 { &[][..] } else { own_ports };
                *round += 1;
                for port in PORTS.iter().chain(asked.iter().filter(|port| !PORTS.contains(port))).copied() {
                    let sequence = cookies.sequence(target, source_port, port, now);
                    let question = Syn { source, target, source_port, port, sequence };
                    batch.push(target, |buffer| packet::syn(buffer, link, &question));
                }
                way
            },
            |(target, ..), answer| {
                let before = present.len();
                match answer {
                    Some((Answer::Tcp { source, source_port, port, acknowledged, .. }, at))
                        if asked.contains(&source)
                            && cookies
                                .round_trip(source, source_port, port, acknowledged.wrapping_sub(1), at)
                                .is_some() =>
                    {
                        present.insert(source, HostReason::Port);
                    }
                    Some((Answer::Echo { from, identifier, number, data, .. }, at))
                        if asked.contains(&from)
                            && identifier == cookies.first_port
                            && cookies
                                .round_trip(from, identifier, number, u32::try_from(data >> 32).unwrap_or(0), at)
                                .is_some() =>
                    {
                        present.entry(from).or_insert(HostReason::Echo);
                    }
                    // The host itself says that a port is closed to us.
                    Some((Answer::Error { from, target, source_port, port, sequence, .. }, at))
                        if from == target
                            && asked.contains(&from)
                            && cookies.round_trip(target, source_port, port, sequence, at).is_some() =>
                    {
                        present.entry(from).or_insert(HostReason::Port);
                    }
                    _ => {}
                }
                traffic.hosts_found.fetch_add((present.len() - before) as u64, Relaxed);
                !present.contains_key(&target)
            },
        );
        present
    }
}
