//! Rate ceilings set by the caller, and what a subnet is.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::Rates;

/// A ceiling set by the caller.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling {
    interval_us: f64,
    next_us: f64,
}

impl Ceiling {
    pub fn new(rate: u32) -> Self {
        Self { interval_us: 1_000_000.0 / f64::from(rate.max(1)), next_us: 0.0 }
    }

    pub fn ready(&self, now_us: u64) -> bool {
        self.next_us <= as_f64(now_us)
    }

    /// The next time at which something may be sent, now at the earliest.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time since the start of a run")]
    pub fn free_at(&self, now_us: u64) -> u64 {
        self.next_us.max(as_f64(now_us)).ceil() as u64
    }

    /// Something will be sent at that time, which was free.
    pub fn taken_at(&mut self, at_us: u64) {
        self.next_us = as_f64(at_us) + self.interval_us;
    }

    /// So many more will be sent at some time after what was taken last.
    pub fn reserve(&mut self, times: u8) {
        self.next_us += self.interval_us * f64::from(times);
    }

    /// So many of those will not be sent.
    pub fn give_back(&mut self, times: u8) {
        self.next_us -= self.interval_us * f64::from(times);
    }

    pub fn sent(&mut self, now_us: u64) {
        // The first second counts like every other, so credit is small.
        self.next_us = self.next_us.max(as_f64(now_us) - 1000.0) + self.interval_us;
    }
}

/// The ceilings of a caller by address, for work that goes over many addresses and sends little to each.
#[derive(Debug)]
pub struct Ceilings {
    rates: Rates,
    global: Ceiling,
    hosts: HashMap<IpAddr, Ceiling>,
    subnets: HashMap<u128, Ceiling>,
}

impl Ceilings {
    /// Over all addresses at most `most` a second, whatever the caller allows.
    pub fn new(rates: Rates, most: u32) -> Self {
        let global = Ceiling::new(rates.global.unwrap_or(most).min(most));
        Self { rates, global, hosts: HashMap::new(), subnets: HashMap::new() }
    }

    /// Whether anybody may be sent something.
    pub fn ready(&self, now_us: u64) -> bool {
        self.global.ready(now_us)
    }

    /// Whether this address may be sent something, as far as the ceilings of host and subnet go.
    pub fn ready_for(&self, address: IpAddr, now_us: u64) -> bool {
        self.hosts.get(&address).is_none_or(|one| one.ready(now_us))
            && self.subnets.get(&prefix(address)).is_none_or(|one| one.ready(now_us))
    }

    /// So many packets go to this address.
    pub fn sent(&mut self, address: IpAddr, packets: usize, now_us: u64) {
        let host = self.rates.per_host.map(|rate| self.hosts.entry(address).or_insert_with(|| Ceiling::new(rate)));
        let subnet =
            self.rates.per_subnet.map(|rate| self.subnets.entry(prefix(address)).or_insert_with(|| Ceiling::new(rate)));
        for ceiling in [Some(&mut self.global), host, subnet].into_iter().flatten() {
            (0..packets).for_each(|_| ceiling.sent(now_us));
        }
    }
}

/// A number for the /24 or /64 of an address.
fn prefix(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address) >> 8),
        IpAddr::V6(address) => (u128::from(address) >> 64) | 1 << 127,
    }
}

/// The number of each target's /24 or /64, and how many there are.
pub fn subnets(targets: &[IpAddr]) -> (Vec<usize>, usize) {
    let mut known = HashMap::new();
    let numbers = targets.iter().map(|target| {
        let next = known.len();
        *known.entry(prefix(*target)).or_insert(next)
    });
    let numbers: Vec<usize> = numbers.collect();
    let count = known.len();
    (numbers, count)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since the start of a run")]
const fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_holds_from_the_first_second_on() {
        let mut ceiling = Ceiling::new(1000);
        let mut sent = 0;
        for now in (0..2_000_000).step_by(100) {
            while ceiling.ready(now) {
                ceiling.sent(now);
                sent += 1;
            }
        }
        assert!((1990..=2010).contains(&sent), "{sent}");
    }

    #[test]
    fn times_that_are_reserved_keep_their_distance() {
        let mut ceiling = Ceiling::new(10);
        let reserve = |ceiling: &mut Ceiling, now_us| {
            let at = ceiling.free_at(now_us);
            ceiling.taken_at(at);
            at
        };
        let times: Vec<u64> = (0..4).map(|_| reserve(&mut ceiling, 5)).collect();
        assert_eq!(times, [5, 100_005, 200_005, 300_005]);
        assert_eq!(reserve(&mut ceiling, 9_000_000), 9_000_000, "what was not used is lost");
    }
}
