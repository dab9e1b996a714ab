//! The hosts that are worked on, and what each of them is asked next.
//!
//! A job's hosts are begun one after the other: so many together that a mixture of hosts is asked, and more whenever those
//! that are worked on leave room. So the first hosts are finished long before the last are begun, little is kept of any, and a
//! host that limits its refusals, which takes a minute and next to no room, holds up nobody.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::connect::answers::HostIs;
use crate::limits::Ceiling;
use crate::order::Order;
use crate::timing::Rtt;

/// Questions out at one host. One that is silent throughout, so that nothing is known of limits, gets more of them with time.
const HOST_AT_ONCE: u32 = 32;
const HOST_AT_MOST: u32 = 256;
/// Between two questions at a host that limits its refusals.
const SLOW: Duration = Duration::from_millis(1050);
/// Hosts that are worked on together, by their ports and at most; beyond that others are begun only where there is room.
const PAIRS_TOGETHER: usize = 1 << 18;
const HOSTS_TOGETHER: usize = 1 << 12;
/// Hosts that are worked on at the same time at most, and fewer where that could be more ports than these that wait.
const HOSTS_AT_MOST: usize = 1 << 16;
const WAITING_AT_MOST: usize = 1 << 20;
/// So many hosts are worked on whatever may come to wait: with fewer there are not enough questions to be out.
const HOSTS_AT_LEAST: usize = 128;
/// Silent ports of a host wait until all its ports were asked once, but no more than so many of them, and fewer where many
/// hosts are worked on: what waits has no result, so a killed run asks it from the beginning.
const EARLY_AT_MOST: usize = 128;
const EARLY_AT_LEAST: usize = 8;
const EARLY_OF_ALL: usize = 1 << 15;

/// A port that is asked again; small, for there are many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its index.
    pub port: u16,
    /// Attempts that stayed silent.
    pub asked: u8,
    /// Attempts that failed on this machine.
    pub local: u8,
}

/// A port that is asked now.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The place of the host.
    pub host: usize,
    pub port: Waiting,
    /// Whether it was put alone, as a host wants it that limits its refusals.
    pub alone: bool,
}

/// A host that is worked on.
#[derive(Debug)]
pub struct Host {
    /// Number of the target, and its address.
    pub id: u32,
    pub address: IpAddr,
    /// How many ports had their first question, and at which place of the order this host begins.
    next: usize,
    turn: usize,
    again: VecDeque<Waiting>,
    /// Questions that wait for trouble on this machine to pass, and whether it did not pass for one of them.
    pub held: u32,
    pub hopeless: bool,
    pub out: u32,
    pub refused: u32,
    pub answered: bool,
    pub silent: u32,
    pub rtt: Rtt,
    slow_left: u32,
    slow_next: Instant,
    pub ceiling: Option<Ceiling>,
}

impl Host {
    pub fn is(&self) -> HostIs {
        if self.answered || self.refused > 0 { HostIs::Answering } else { HostIs::Silent }
    }

    /// Questions that may be out.
    pub fn at_once(&self) -> u32 {
        if self.refused > 0 { HOST_AT_ONCE } else { (HOST_AT_ONCE + self.silent / 2).min(HOST_AT_MOST) }
    }

    /// Whether silent ports are asked one by one, because refusals are limited.
    const fn is_slow(&self) -> bool {
        self.refused > 0 && self.slow_left > 0
    }

    /// A question went out.
    pub fn sent(&mut self, now: Instant) {
        self.hopeless = false;
        self.out += 1;
        // The one that is put alone needs its distance from the last of the others as well.
        self.slow_next = now + SLOW;
    }

    /// A port is to be asked again.
    pub fn put_back(&mut self, port: Waiting) {
        self.again.push_back(port);
    }

    /// What to ask next, and whether it is put alone. Repetitions come after all first questions, unless more than `early` of
    /// them wait; those that are to be put alone stay until then in any case.
    fn next(
        &mut self,
        now: Instant,
        early: usize,
        order: &Order,
        is_done: impl Fn(usize) -> bool,
    ) -> Option<(Waiting, bool)> {
        let kept = if self.is_slow() { self.slow_left as usize } else { 0 };
        if self.again.len() > early.saturating_add(kept) {
            return self.again.pop_front().map(|port| (port, false));
        }
        let ports = usize::try_from(order.len()).unwrap_or(usize::MAX);
        while self.next < ports {
            let (_, port) = order.pair((self.next + self.turn) as u64 % order.len())?;
            self.next += 1;
            if let (false, Ok(port)) = (is_done(port), u16::try_from(port)) {
                return Some((Waiting { port, asked: 0, local: 0 }, false));
            }
        }
        if !self.is_slow() {
            return self.again.pop_front().map(|port| (port, false));
        }
        if self.out > 0 || now < self.slow_next {
            return None;
        }
        let port = self.again.pop_front()?;
        self.slow_left -= 1;
        Some((port, true))
    }

    /// How many questions it could have out beside those that are.
    fn room(&self, ports: usize) -> usize {
        let first = ports.saturating_sub(self.next);
        let left = if self.is_slow() { first } else { first + self.again.len() };
        left.min(self.at_once().saturating_sub(self.out) as usize)
    }

    fn is_done(&self, ports: usize) -> bool {
        self.next >= ports && self.again.is_empty() && self.out == 0 && self.held == 0
    }
}

/// What decides how many hosts are worked on, and how.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub ports: usize,
    /// How long silent ports of one host may be asked one by one.
    pub patience: Duration,
    /// Questions a second at one host.
    pub rate: Option<u32>,
    pub seed: u64,
}

impl Manner {
    fn slow_at_most(&self) -> u32 {
        u32::try_from(self.patience.as_millis() / SLOW.as_millis()).unwrap_or(u32::MAX)
    }

    /// Hosts that are worked on whether or not there is room, and at most.
    fn hosts(&self) -> (usize, usize) {
        let ports = self.ports.max(1);
        let together = (PAIRS_TOGETHER / ports).clamp(1, HOSTS_TOGETHER);
        let waiting = ports.min((self.slow_at_most() as usize).saturating_add(EARLY_AT_MOST));
        (together, (WAITING_AT_MOST / waiting).clamp(HOSTS_AT_LEAST, HOSTS_AT_MOST).max(together))
    }
}

/// All hosts of a job: those that are worked on have places, those before them are finished and forgotten, and of those after
/// them nothing is kept but their numbers.
#[derive(Debug)]
pub struct Hosts {
    manner: Manner,
    order: Order,
    /// In the order in which they are begun, and how many of them were.
    ids: Vec<u32>,
    begun: usize,
    places: Vec<Host>,
    free: Vec<usize>,
    /// Places that are taken, in the order of their turns.
    active: VecDeque<usize>,
}

impl Hosts {
    pub fn new(ids: Vec<u32>, manner: Manner) -> Self {
        let order = Order::new(1, manner.ports, manner.seed).unwrap_or_else(|| unreachable!("at most 65535 ports"));
        let (places, free, active) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { manner, order, ids, begun: 0, places, free, active }
    }

    /// Whether all are finished.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty() && self.begun >= self.ids.len()
    }

    /// The place of the host whose turn comes after so many others.
    pub fn at(&self, turn: usize) -> Option<usize> {
        self.active.get(turn).copied()
    }

    /// So many had their turn.
    pub fn turned(&mut self, turns: usize) {
        let turns = turns.min(self.active.len());
        self.active.rotate_left(turns);
    }

    pub fn get(&self, place: usize) -> &Host {
        &self.places[place]
    }

    pub fn get_mut(&mut self, place: usize) -> &mut Host {
        &mut self.places[place]
    }

    /// Begins the next host. `room` says whether those that are worked on leave room for more questions than they have.
    pub fn begin(&mut self, room: bool, addresses: &[IpAddr], now: Instant) -> bool {
        let (together, most) = self.manner.hosts();
        if self.active.len() >= if room { most } else { together } {
            return false;
        }
        let address = |id: &u32| addresses.get(*id as usize).copied();
        let Some((id, address)) = self.ids.get(self.begun).and_then(|id| Some((*id, address(id)?))) else {
            return false;
        };
        self.begun += 1;
        let turn = usize::try_from(self.manner.seed % 65_521).unwrap_or(0).wrapping_mul(id as usize + 1);
        let host = Host {
            id,
            address,
            next: 0,
            turn: turn % self.manner.ports.max(1),
            again: VecDeque::new(),
            held: 0,
            hopeless: false,
            out: 0,
            refused: 0,
            answered: false,
            silent: 0,
            rtt: Rtt::default(),
            slow_left: self.manner.slow_at_most(),
            slow_next: now,
            ceiling: self.manner.rate.map(Ceiling::new),
        };
        let place = self.free.pop().unwrap_or(self.places.len());
        match self.places.get_mut(place) {
            Some(free) => *free = host,
            None => self.places.push(host),
        }
        self.active.push_back(place);
        true
    }

    /// What to ask a host next. `is_done` says whether a port has a result from before, by its index.
    pub fn next(&mut self, place: usize, now: Instant, is_done: impl Fn(u32, usize) -> bool) -> Option<Question> {
        let early = (EARLY_OF_ALL / self.active.len().max(1)).clamp(EARLY_AT_LEAST, EARLY_AT_MOST);
        let host = &mut self.places[place];
        let id = host.id;
        let (port, alone) = host.next(now, early, &self.order, |port| is_done(id, port))?;
        Some(Question { host: place, port, alone })
    }

    /// How many questions a host could have out beside those that are.
    pub fn room(&self, place: usize) -> usize {
        self.places[place].room(self.manner.ports)
    }

    /// Takes those away that are finished, and hands over their numbers and smoothed round trips.
    pub fn finished(&mut self) -> Vec<(u32, u32)> {
        let Self { places, free, active, manner, .. } = self;
        let mut finished = Vec::new();
        active.retain(|place| {
            let host = &mut places[*place];
            let is_done = host.is_done(manner.ports);
            if is_done {
                finished.push((host.id, host.rtt.smoothed_us()));
                host.again = VecDeque::new();
                free.push(*place);
            }
            !is_done
        });
        finished
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn manner(ports: usize) -> Manner {
        Manner { ports, patience: Duration::from_secs(60), rate: None, seed: 7 }
    }

    fn addresses(count: u32) -> Vec<IpAddr> {
        (0..count).map(|n| IpAddr::from((0x0a00_0000 + n).to_be_bytes())).collect()
    }

    /// Asks silent hosts twice for each port, with so many questions out at the same time; tells after each question how
    /// many ports wait, and which hosts were begun and are finished.
    fn scan_of_silence(
        hosts: &mut Hosts,
        addresses: &[IpAddr],
        at_once: usize,
        mut told: impl FnMut(usize, &Hosts, usize),
    ) {
        let (mut out, mut finished) = (VecDeque::new(), 0);
        let now = Instant::now();
        while !hosts.is_empty() {
            let (mut turns, mut room) = (0, 0);
            while out.len() < at_once {
                let Some(place) = hosts.at(turns) else {
                    if !hosts.begin(out.len() + room < at_once, addresses, now) {
                        break;
                    }
                    continue;
                };
                turns += 1;
                if hosts.get(place).out < hosts.get(place).at_once()
                    && let Some(question) = hosts.next(place, now, |_, _| false)
                {
                    hosts.get_mut(place).sent(now);
                    out.push_back(question);
                    room += hosts.room(place);
                }
            }
            hosts.turned(turns);
            for Question { host, mut port, .. } in out.drain(..out.len().div_ceil(50)) {
                port.asked += 1;
                let host = hosts.get_mut(host);
                host.out -= 1;
                if port.asked < 2 {
                    host.put_back(port);
                } else {
                    host.silent += 1;
                }
            }
            let waiting = hosts.active.iter().map(|place| hosts.get(*place).again.len()).sum();
            finished += hosts.finished().len();
            told(waiting, hosts, finished);
        }
    }

    #[test]
    fn little_waits_and_hosts_are_begun_as_others_are_finished() {
        let addresses = addresses(500);
        let mut hosts = Hosts::new((0..500).collect(), manner(2000));
        let (mut most_waiting, mut most_active, mut begun_at_first_end) = (0, 0, None);
        scan_of_silence(&mut hosts, &addresses, 4000, |waiting, hosts, finished| {
            most_waiting = most_waiting.max(waiting);
            most_active = most_active.max(hosts.active.len());
            if finished > 0 {
                begun_at_first_end.get_or_insert(hosts.begun);
            }
        });
        // Of 1,000,000 pairs. The questions that were out may come on top.
        assert!(most_waiting <= EARLY_OF_ALL + 4000, "{most_waiting} wait");
        assert!((131..300).contains(&most_active), "{most_active} at a time");
        assert!(begun_at_first_end.is_some_and(|begun| begun < 300), "{begun_at_first_end:?} begun");
        assert!(hosts.places.len() < 300, "the places of those that are finished are taken again");
    }

    #[test]
    fn every_port_of_every_host_is_asked_once_and_again_if_it_is_silent() {
        let addresses = addresses(30);
        let mut hosts = Hosts::new((0..30).collect(), manner(300));
        let mut asked = BTreeMap::new();
        let now = Instant::now();
        while !hosts.is_empty() {
            while hosts.begin(true, &addresses, now) {}
            for turn in 0..hosts.active.len() {
                let place = hosts.at(turn).unwrap();
                while let Some(mut question) = hosts.next(place, now, |id, port| id == 3 && port < 100) {
                    let id = hosts.get(place).id;
                    *asked.entry((id, question.port.port)).or_insert(0) += 1;
                    question.port.asked += 1;
                    if question.port.asked < 2 {
                        hosts.get_mut(place).put_back(question.port);
                    }
                }
            }
            hosts.finished();
        }
        assert_eq!(asked.len(), 30 * 300 - 100);
        assert!(asked.values().all(|times| *times == 2));
    }

    #[test]
    fn hosts_that_leave_room_hold_up_nobody_and_the_memory_is_bounded() {
        let addresses = addresses(1 << 17);
        for (ports, together, most) in
            [(1, 4096, 65_536), (10, 4096, 65_536), (100, 2621, 10_485), (1000, 262, 5667), (65_535, 4, 5667)]
        {
            let mut hosts = Hosts::new((0..1 << 17).collect(), manner(ports));
            let now = Instant::now();
            let begun = |hosts: &mut Hosts, room| {
                std::iter::repeat_with(|| hosts.begin(room, &addresses, now)).take_while(|begun| *begun).count()
            };
            assert_eq!(begun(&mut hosts, false), together, "{ports} ports");
            assert_eq!(begun(&mut hosts, true), most - together, "{ports} ports");
        }
        let endless = Manner { patience: Duration::MAX, ..manner(65_535) };
        assert_eq!(endless.hosts(), (4, HOSTS_AT_LEAST));
    }

    #[test]
    fn where_refusals_are_limited_repetitions_come_last_and_alone() {
        let addresses = addresses(1);
        let mut hosts = Hosts::new(vec![0], Manner { patience: Duration::from_millis(2200), ..manner(400) });
        let now = Instant::now();
        assert!(hosts.begin(true, &addresses, now) && !hosts.begin(true, &addresses, now));
        let place = hosts.at(0).unwrap();
        hosts.get_mut(place).refused = 1;
        // Two may be put alone and are kept for it; of what else waits no more than 128.
        let (mut first, mut again) = (0, 0);
        while first < 400 {
            let mut question = hosts.next(place, now, |_, _| false).unwrap();
            assert!(!question.alone);
            if question.port.asked > 0 {
                again += 1;
                continue;
            }
            first += 1;
            question.port.asked = 1;
            hosts.get_mut(place).put_back(question.port);
        }
        assert_eq!(hosts.get(place).again.len() + again, 400);
        assert_eq!(again, 400 - EARLY_AT_MOST - 2 - 1, "the last is asked next");
        assert!(!hosts.next(place, now, |_, _| false).unwrap().alone);
        hosts.get_mut(place).sent(now);
        let later = now + SLOW;
        assert!(hosts.next(place, later, |_, _| false).is_none(), "not while another is out");
        hosts.get_mut(place).out = 0;
        assert!(hosts.next(place, now, |_, _| false).is_none(), "nor so soon");
        assert_eq!(hosts.room(place), 0);
        for _ in 0..2 {
            assert!(hosts.next(place, later, |_, _| false).unwrap().alone);
        }
        // Then patience is at its end.
        let rest = std::iter::from_fn(|| hosts.next(place, now, |_, _| false)).map(|question| question.alone);
        assert_eq!(rest.collect::<Vec<_>>(), [false; EARLY_AT_MOST]);
        assert_eq!(hosts.finished(), [(0, 0)]);
    }
}
