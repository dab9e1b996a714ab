//! Rate ceilings set by the caller, and what a subnet is.

use std::collections::HashMap;
use std::net::IpAddr;

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

    pub fn sent(&mut self, now_us: u64) {
        // The first second counts like every other, so credit is small.
        self.next_us = self.next_us.max(as_f64(now_us) - 1000.0) + self.interval_us;
    }
}

/// The number of each target's /24 or /64, and how many there are.
pub fn subnets(targets: &[IpAddr]) -> (Vec<usize>, usize) {
    let mut known = HashMap::new();
    let numbers = targets.iter().map(|target| {
        let prefix = match target {
            IpAddr::V4(address) => u128::from(u32::from(*address) >> 8),
            IpAddr::V6(address) => (u128::from(*address) >> 64) | 1 << 127,
        };
        let next = known.len();
        *known.entry(prefix).or_insert(next)
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
}
