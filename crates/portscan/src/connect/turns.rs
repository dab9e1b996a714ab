//! Ceilings for each host and each subnet, shared by the workers, and the questions of one worker that wait for them.
//!
//! A question waits for its host first, in a queue of that host, and takes a moment of the subnet only when the host may be
//! asked. So the many that wait for one host keep nobody from asking its neighbours, and both ceilings are reached.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;

use crate::Rates;
use crate::limits::{Ceiling, subnets};

/// Ceilings for each host and each subnet.
pub struct Limits {
    hosts: Vec<Ceiling>,
    subnets: Vec<Ceiling>,
    subnet_of: Vec<usize>,
}

impl Limits {
    /// `None` if the caller set neither.
    pub fn new(rates: Rates, targets: &[IpAddr]) -> Option<Mutex<Self>> {
        if rates.per_host.is_none() && rates.per_subnet.is_none() {
            return None;
        }
        let (subnet_of, subnets) = subnets(targets);
        Some(Mutex::new(Self {
            hosts: rates.per_host.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); targets.len()]),
            subnets: rates.per_subnet.map_or_else(Vec::new, |rate| vec![Ceiling::new(rate); subnets]),
            subnet_of,
        }))
    }

    /// Takes the next moment at which a host may be asked, if its own turn has come, and room for so many repetitions.
    ///
    /// # Errors
    /// When its turn comes; nothing is taken then.
    fn take(&mut self, host: usize, repetitions: u8, now_us: u64) -> Result<u64, u64> {
        let subnet = self.subnet_of.get(host).copied().unwrap_or(usize::MAX);
        let mut own = self.hosts.get_mut(host);
        let turn = own.as_ref().map_or(now_us, |ceiling| ceiling.free_at(now_us));
        if turn > now_us {
            return Err(turn);
        }
        let mut shared = self.subnets.get_mut(subnet);
        let at_us = shared.as_ref().map_or(now_us, |ceiling| ceiling.free_at(now_us));
        for ceiling in [&mut own, &mut shared].into_iter().flatten() {
            ceiling.taken_at(at_us);
            ceiling.reserve(repetitions);
        }
        Ok(at_us)
    }

    /// So many repetitions of a question to a host may follow.
    pub fn reserve(&mut self, host: usize, times: u8) {
        self.of(host).into_iter().flatten().for_each(|ceiling| ceiling.reserve(times));
    }

    /// So many of those are not sent.
    pub fn give_back(&mut self, host: usize, times: u8) {
        self.of(host).into_iter().flatten().for_each(|ceiling| ceiling.give_back(times));
    }

    fn of(&mut self, host: usize) -> [Option<&mut Ceiling>; 2] {
        let subnet = self.subnet_of.get(host).copied().unwrap_or(usize::MAX);
        [self.hosts.get_mut(host), self.subnets.get_mut(subnet)]
    }
}

/// Questions that wait for the turn of their host.
#[derive(Debug)]
pub struct Turns<Q> {
    waiting: HashMap<usize, VecDeque<Q>>,
    /// When to look at the first question of a host: one entry for each host with questions.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    count: usize,
}

impl<Q> Turns<Q> {
    pub fn new() -> Self {
        Self { waiting: HashMap::new(), due: BinaryHeap::new(), count: 0 }
    }

    /// Has a question wait.
    pub fn put(&mut self, host: usize, question: Q, now_us: u64) {
        let queue = self.waiting.entry(host).or_default();
        if queue.is_empty() {
            self.due.push(Reverse((now_us, host)));
        }
        queue.push_back(question);
        self.count += 1;
    }

    /// A question whose host may be asked, and when it may go out: now or, for its subnet, later. `repetitions` says how often
    /// the kernel may repeat it, for which room is made as well.
    pub fn next(
        &mut self,
        limits: &Mutex<Limits>,
        now_us: u64,
        mut repetitions: impl FnMut(&Q) -> u8,
    ) -> Option<(u64, Q)> {
        if self.due_us().is_none_or(|due_us| due_us > now_us) {
            return None;
        }
        let mut limits = limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while let Some(Reverse((due_us, host))) = self.due.peek().copied()
            && due_us <= now_us
        {
            self.due.pop();
            let first = self.waiting.get(&host).and_then(VecDeque::front);
            match limits.take(host, first.map_or(0, &mut repetitions), now_us) {
                Err(turn_us) => self.due.push(Reverse((turn_us, host))),
                Ok(at_us) => {
                    let Some(queue) = self.waiting.get_mut(&host) else { continue };
                    let question = queue.pop_front();
                    if queue.is_empty() {
                        self.waiting.remove(&host);
                    } else {
                        self.due.push(Reverse((at_us, host)));
                    }
                    if let Some(question) = question {
                        self.count -= 1;
                        return Some((at_us, question));
                    }
                }
            }
        }
        None
    }

    /// When to look next.
    pub fn due_us(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((due_us, _))| *due_us)
    }

    /// How many wait.
    pub const fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When questions go out in five seconds of a clock of our own, two workers together: times by host.
    fn sent(rates: Rates, hosts: usize) -> Vec<(u64, usize)> {
        let targets: Vec<IpAddr> =
            (0..hosts).map(|host| IpAddr::from([192, 0, 2, u8::try_from(host).unwrap()])).collect();
        let limits = Limits::new(rates, &targets).unwrap();
        let mut workers = [Turns::new(), Turns::new()];
        // All of one host before the first of the next, as badly as it can be.
        for host in 0..hosts {
            (0..1000).for_each(|number| workers[number % 2].put(host, host, 0));
        }
        let mut sent = Vec::new();
        for now_us in (0..5_000_000).step_by(500) {
            for worker in &mut workers {
                while let Some((at_us, host)) = worker.next(&limits, now_us, |_| 0) {
                    assert!(at_us >= now_us);
                    sent.push((at_us, host));
                }
            }
        }
        sent.retain(|(at_us, _)| *at_us < 5_000_000);
        sent.sort_unstable();
        sent
    }

    #[test]
    fn both_ceilings_are_reached_together_and_neither_is_exceeded() {
        for (hosts, per_host, per_subnet, allowed) in [
            (20, Some(10), Some(100), 100),
            (4, Some(10), Some(100), 40),
            (200, Some(1), Some(150), 150),
            (3, None, Some(50), 50),
        ] {
            let sent = sent(Rates { global: None, per_host, per_subnet }, hosts);
            let total = sent.len();
            // A moment goes by between two looks at the clock.
            assert!(
                total * 100 >= allowed * 5 * 97 && total <= allowed * 5 + hosts,
                "{hosts} hosts: {total} in 5 s of {allowed} a second"
            );
            let apart = |times: &[u64], rate: u32| {
                times.windows(2).all(|pair| pair[1] - pair[0] + 1 >= 1_000_000 / u64::from(rate))
            };
            let all: Vec<u64> = sent.iter().map(|(at_us, _)| *at_us).collect();
            assert!(per_subnet.is_none_or(|rate| apart(&all, rate)), "{hosts} hosts: their subnet is asked too fast");
            for host in 0..hosts {
                let own: Vec<u64> = sent.iter().filter(|(_, of)| *of == host).map(|(at_us, _)| *at_us).collect();
                assert!(
                    per_host.is_none_or(|rate| apart(&own, rate)),
                    "host {host} of {hosts} is asked too fast: {own:?}"
                );
            }
        }
    }
}
