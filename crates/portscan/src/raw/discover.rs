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
use super::trouble::{is_full, reason};
use crate::collect::Traffic;
use crate::limits::Ceilings;
use crate::links::Links;
use crate::order::shuffle;
use crate::sys::packet::{Batch, LONGEST, Ring, Sender};
use crate::{Control, HostReason, Rates, Reason};

/// How long answers are waited for after each of the rounds; after the last one at least as long as the caller would wait.
const ROUNDS: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];
/// Rounds that are repeated because answers were lost on this machine.
const REPAIRS: u8 = 3;
/// How long a device without room is waited for.
const STUCK: Duration = Duration::from_secs(1);
/// Between two looks while nothing may be sent.
const HELD: Duration = Duration::from_millis(20);
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

impl Asker {
    /// Writes the question for the hardware address of a neighbour; returns its length, 0 if the families differ.
    pub fn question(&self, neighbour: IpAddr, buffer: &mut [u8; LONGEST]) -> usize {
        match (self.source, neighbour) {
            (IpAddr::V4(source), IpAddr::V4(target)) => packet::arp_request(buffer, self.own, source, target),
            (IpAddr::V6(source), IpAddr::V6(target)) => {
                packet::neighbour_solicitation(buffer, self.own, source, target)
            }
            _ => 0,
        }
    }
}

/// Hardware addresses by interface and address.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// Of those that answered, or are in the kernel's table for good reason.
    pub known: HashMap<(u32, IpAddr), Mac>,
    /// Of routers that did not, from an old entry of the kernel's table.
    pub remembered: HashMap<(u32, IpAddr), Mac>,
    /// Those that could not be asked for trouble on this machine.
    pub trouble: HashMap<(u32, IpAddr), Reason>,
}

/// A packet that came, when, and over which interface.
#[derive(Debug, Clone, Copy)]
struct Heard {
    answer: Answer,
    at_us: u64,
    interface: u32,
}

/// Which packet to write: the number of the round, repeated ones counted, and that of the packet among those for one item.
#[derive(Debug, Clone, Copy)]
struct Step {
    round: u8,
    packet: u8,
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
    /// TCP ports that are asked beside [`PORTS`] to see whether a host is there.
    pub ports: &'a [u16],
    /// How long the caller would wait for an answer.
    pub timeout: Duration,
    /// Packets lost for want of room in the rings so far.
    pub dropped: u64,
    /// Since when there has been no room for any packet.
    pub stuck_since: Option<Instant>,
}

impl Search<'_> {
    /// Sends what `write` makes of each item, packet by packet until it has no more, and listens, until `is_missing` says
    /// that nothing is missing or the rounds are over. `is_missing` is handed everything that comes. Returns the items that
    /// are missing although or because this machine was in trouble: their silence says nothing.
    fn rounds<T: Copy>(
        &mut self,
        items: &[T],
        address: impl Fn(T) -> IpAddr,
        mut write: impl FnMut(T, Step, &mut Batch) -> Option<usize>,
        mut is_missing: impl FnMut(T, Option<Heard>) -> bool,
    ) -> Vec<(T, Reason)> {
        let mut missing: Vec<usize> = (0..items.len()).collect();
        let mut trouble: HashMap<usize, Reason> = HashMap::new();
        let mut ceilings = Ceilings::new(self.rates, RATE);
        let (mut round, mut stage, mut repairs) = (0, 0, 0);
        let started = Instant::now();
        while let (Some(wait), Some(any)) = (ROUNDS.get(stage).copied(), items.first().copied()) {
            let lost_before = self.lost_here();
            self.send_round(
                (items, &mut missing, &mut trouble),
                (&mut ceilings, started, round),
                &address,
                &mut write,
                &mut is_missing,
            );
            let wait = if stage + 1 == ROUNDS.len() { wait.max(self.timeout) } else { wait };
            let until = Instant::now() + wait;
            while !missing.is_empty() && Instant::now() < until && !self.control.is_cancelled() {
                self.listen(Duration::from_millis(5), &mut |heard| {
                    is_missing(any, Some(heard));
                });
                missing.retain(|item| is_missing(items[*item], None));
            }
            if missing.is_empty() || self.control.is_cancelled() {
                return Vec::new();
            }
            round += 1;
            if self.lost_here() == lost_before {
                stage += 1;
            } else if repairs < REPAIRS {
                repairs += 1;
            } else {
                // However often it is tried: what is silent may have answered.
                for item in &missing {
                    trouble.entry(*item).or_insert(Reason::AnswersLost);
                }
                break;
            }
        }
        missing.into_iter().filter_map(|item| Some((items[item], *trouble.get(&item)?))).collect()
    }

    /// One round: asks every missing item.
    fn send_round<T: Copy>(
        &mut self,
        (items, missing, trouble): (&[T], &mut Vec<usize>, &mut HashMap<usize, Reason>),
        (ceilings, started, round): (&mut Ceilings, Instant, u8),
        address: &impl Fn(T) -> IpAddr,
        write: &mut impl FnMut(T, Step, &mut Batch) -> Option<usize>,
        is_missing: &mut impl FnMut(T, Option<Heard>) -> bool,
    ) {
        // Under a ceiling packets go one by one; without one, all for an item at once, which costs less.
        let Rates { global, per_host, per_subnet } = self.rates;
        let one_by_one = global.or(per_host).or(per_subnet).is_some();
        let mut batch = Batch::new();
        let mut queue: VecDeque<(usize, u8)> = missing.iter().map(|item| (*item, 0)).collect();
        let mut held_back = 0;
        while let Some((at, packet)) = queue.pop_front() {
            if self.control.is_cancelled() {
                return;
            }
            let item = items[at];
            let mut hear = |heard| {
                is_missing(item, Some(heard));
            };
            if self.control.is_paused() || self.links.is_down() {
                queue.push_front((at, packet));
                self.listen(HELD, &mut hear);
                continue;
            }
            let now_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            let ready = ceilings.ready(now_us);
            if !ready || !ceilings.ready_for(address(item), now_us) {
                // Another one may be asked meanwhile, unless it is all of them that have to wait.
                queue.push_back((at, packet));
                held_back += 1;
                if !ready || held_back >= queue.len() {
                    held_back = 0;
                    self.listen(Duration::from_micros(500), &mut hear);
                }
                continue;
            }
            held_back = 0;
            if !is_missing(item, None) {
                continue;
            }
            let mut way = None;
            let mut next = packet;
            while !batch.is_full()
                && let Some(number) = write(item, Step { round, packet: next }, &mut batch)
            {
                (way, next) = (Some(number), next + 1);
                if one_by_one {
                    break;
                }
            }
            let Some(way) = way else { continue };
            ceilings.sent(address(item), batch.len(), now_us);
            match self.send(way, &mut batch) {
                Ok(()) => drop(trouble.remove(&at)),
                // Where something went out to it in this round it was asked.
                Err(reason) if packet == 0 => drop(trouble.insert(at, reason)),
                Err(_) => {}
            }
            batch.clear();
            if one_by_one {
                queue.push_back((at, next));
            }
        }
        missing.retain(|item| is_missing(items[*item], None));
    }

    /// Sends a batch to its end. A device without room is waited for.
    ///
    /// # Errors
    /// If none of the packets went out, why.
    fn send(&mut self, way: usize, batch: &mut Batch) -> Result<(), Reason> {
        let Some(sender) = self.senders.get(way) else { return Err(Reason::NetworkDown) };
        let (mut first, mut sent, mut refused) = (0, 0, None);
        while first < batch.len() {
            match batch.send(sender, first) {
                Ok(count) => {
                    (first, sent) = (first + count.max(1), sent + count);
                    self.stuck_since = None;
                }
                Err(error) => {
                    let is_waited_for = is_full(&error)
                        && self.stuck_since.get_or_insert_with(Instant::now).elapsed() < STUCK
                        && !self.control.is_cancelled();
                    if is_waited_for {
                        std::thread::sleep(Duration::from_micros(200));
                    } else {
                        (first, refused) = (first + 1, Some(reason(&error)));
                    }
                }
            }
        }
        self.traffic.sent.fetch_add(sent as u64, Relaxed);
        self.traffic.attempts.fetch_add(batch.len() as u64, Relaxed);
        match refused {
            Some(reason) if sent == 0 => Err(reason),
            _ => Ok(()),
        }
    }

    /// How often answers were lost on this machine, for want of room or because a device was down.
    fn lost_here(&mut self) -> u64 {
        let dropped: u64 = self.rings.iter().map(|ring| u64::from(ring.drops())).sum();
        self.dropped += dropped;
        self.traffic.dropped.fetch_add(dropped, Relaxed);
        self.dropped + u64::from(self.links.falls())
    }

    fn listen(&mut self, wait: Duration, hear: &mut dyn FnMut(Heard)) {
        {
            let fds: Vec<_> = self.rings.iter().map(Ring::fd).collect();
            let mut polls: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
            let _ = poll(&mut polls, Some(&wait));
            for (ring, polled) in fds.iter().zip(&polls) {
                if polled.revents().contains(PollFlags::ERR) {
                    // The device went down. Until the error is taken there is no waiting on its ring.
                    let _ = rustix::net::sockopt::socket_error(ring);
                }
            }
        }
        let offset = self.clock.offset();
        for ring in self.rings.iter_mut() {
            ring.drain(|frame| {
                if let Some(answer) = packet::read(frame.bytes) {
                    let (interface, at_us) = (frame.interface, offset.of_day(frame.at_us));
                    hear(Heard { answer: answer.within(interface), at_us, interface });
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
        // The same address may be that of different neighbours on different links.
        let mut answered: HashMap<(u32, IpAddr), Mac> = HashMap::new();
        let trouble = self.rounds(
            &items,
            |((_, address), _)| address,
            |((_, address), asker), step, batch| {
                if step.packet > 0 {
                    return None;
                }
                batch.push(address, |buffer| asker.question(address, buffer));
                Some(asker.way)
            },
            |(key, _), heard| {
                if let Some(Heard { answer: Answer::Neighbour { address, mac, .. }, interface, .. }) = heard
                    && wanted.contains_key(&(interface, address))
                {
                    answered.entry((interface, address)).or_insert(mac);
                }
                !answered.contains_key(&key)
            },
        );
        let trouble = trouble.into_iter().map(|((key, _), reason)| (key, reason)).collect();
        known.extend(answered);
        Ok(Neighbours { known, remembered, trouble })
    }

    /// Finds out which of the hosts answer an echo request or one of a few TCP ports, and which could not be asked for
    /// trouble on this machine.
    pub fn hosts(
        &mut self,
        cookies: &Cookies,
        hosts: &[(IpAddr, IpAddr, Link, usize)],
    ) -> (HashMap<IpAddr, HostReason>, HashSet<IpAddr>) {
        let mut present: HashMap<IpAddr, HostReason> = HashMap::new();
        let asked: HashSet<IpAddr> = hosts.iter().map(|(target, ..)| *target).collect();
        let number = u16::from(Use::CANARIES);
        let (clock, traffic) = (self.clock, self.traffic);
        let own_ports = self.ports.iter().filter(|port| !PORTS.contains(port));
        let ports: Vec<u16> = PORTS.iter().chain(own_ports).copied().collect();
        let trouble = self.rounds(
            hosts,
            |(target, ..)| target,
            |(target, source, link, way), step, batch| {
                let now = clock.now_us();
                let Some(which) = usize::from(step.packet).checked_sub(1) else {
                    let data = u64::from(cookies.sequence(target, cookies.first_port, number, now)) << 32;
                    let ends = (source, target);
                    batch.push(target, |buffer| packet::echo(buffer, link, ends, cookies.first_port, number, data));
                    return Some(way);
                };
                // The first round is the cheap one: most hosts answer it.
                let ports = if step.round == 0 { &ports[..PORTS.len()] } else { &ports[..] };
                let port = *ports.get(which)?;
                let source_port = cookies.source_port(Use::Pass(step.round));
                let sequence = cookies.sequence(target, source_port, port, now);
                let question = Syn { source, target, source_port, port, sequence };
                batch.push(target, |buffer| packet::syn(buffer, link, &question));
                Some(way)
            },
            |(target, ..), heard| {
                let before = present.len();
                match heard.map(|heard| (heard.answer, heard.at_us)) {
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
        (present, trouble.into_iter().map(|((target, ..), _)| target).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search<'a>(control: &'a Control, links: &'a Links, traffic: &'a Traffic) -> Search<'a> {
        Search {
            control,
            links,
            rings: &mut [],
            senders: &[],
            traffic,
            clock: Clock::start(),
            rates: Rates::default(),
            seed: 1,
            ports: &[],
            timeout: Duration::ZERO,
            dropped: 0,
            stuck_since: None,
        }
    }

    /// Runs the rounds for one silent host; `fall` is told the number of each. Returns how many there were.
    fn rounds_of_a_silent_host(links: &Links, mut fall: impl FnMut(u8)) -> (usize, Vec<(IpAddr, Reason)>) {
        let (control, traffic) = (Control::new(), Traffic::default());
        let target: IpAddr = "192.0.2.1".parse().unwrap();
        let mut rounds = 0;
        let trouble = search(&control, links, &traffic).rounds(
            &[target],
            |target| target,
            |target, step, batch| {
                if step.packet > 0 {
                    return None;
                }
                rounds += 1;
                fall(step.round);
                batch.push(target, |_| 1);
                Some(0)
            },
            |_, _| true,
        );
        (rounds, trouble)
    }

    #[test]
    fn a_round_in_which_a_device_fell_is_repeated() {
        let calm = Links::new(vec![("192.0.2.1".parse().unwrap(), 3)]);
        assert_eq!(rounds_of_a_silent_host(&calm, |_| {}).0, ROUNDS.len());
        let once = Links::new(vec![("192.0.2.1".parse().unwrap(), 3)]);
        let fall = |links: &Links| {
            links.take(3, false);
            links.take(3, true);
        };
        let (rounds, _) = rounds_of_a_silent_host(&once, |round| {
            if round == 1 {
                fall(&once);
            }
        });
        assert_eq!(rounds, ROUNDS.len() + 1);
        // If it falls each time, that is told.
        let always = Links::new(vec![("192.0.2.1".parse().unwrap(), 3)]);
        let (rounds, trouble) = rounds_of_a_silent_host(&always, |_| fall(&always));
        assert_eq!(rounds, 1 + usize::from(REPAIRS));
        assert_eq!(trouble.len(), 1);
    }

    #[test]
    fn a_host_to_which_nothing_went_out_is_in_trouble_and_not_down() {
        let (_, trouble) = rounds_of_a_silent_host(&Links::new(Vec::new()), |_| {});
        assert_eq!(trouble, [("192.0.2.1".parse().unwrap(), Reason::NetworkDown)], "there is no sender");
    }
}
