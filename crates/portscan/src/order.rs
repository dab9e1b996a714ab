//! The order of probes: a keyed permutation of all pairs of host and port, computed and not stored.
//!
//! A balanced Feistel network over the next even number of bits, walked until the image falls into the range
//! (Black and Rogaway, *Ciphers with Arbitrary Finite Domains*, 2002). It is a bijection whatever the round function
//! is; the round function only has to mix well, it guards no secret.

/// A permutation of the pairs `(host index, port index)`.
#[derive(Debug, Clone)]
pub struct Order {
    hosts: u64,
    len: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Order {
    /// The order for `hosts` x `ports` pairs under `seed`; `None` if their number exceeds 2^62.
    #[must_use]
    pub fn new(hosts: usize, ports: usize, seed: u64) -> Option<Self> {
        let hosts = u64::try_from(hosts).ok()?;
        let len = hosts.checked_mul(u64::try_from(ports).ok()?).filter(|len| *len <= 1 << 62)?;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        let half_bits = bits.div_ceil(2).max(1);
        let keys = [1, 2, 3, 4].map(|round| mix(seed ^ mix(round)));
        Some(Self { hosts, len, half_bits, keys })
    }

    /// How many pairs.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pair at `position` as host index and port index; `None` past the end.
    #[must_use]
    pub fn pair(&self, position: u64) -> Option<(usize, usize)> {
        if position >= self.len {
            return None;
        }
        let mut image = self.feistel(position);
        while image >= self.len {
            image = self.feistel(image);
        }
        Some((usize::try_from(image % self.hosts).ok()?, usize::try_from(image / self.hosts).ok()?))
    }

    const fn feistel(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        let mut round = 0;
        while round < self.keys.len() {
            let next = left ^ (mix(right ^ self.keys[round]) & mask);
            left = right;
            right = next;
            round += 1;
        }
        left << self.half_bits | right
    }
}

/// Puts the items into an order of the seed's.
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    // Fisher and Yates, as in Knuth, volume 2, algorithm P.
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = mix(state);
        let choice = usize::try_from(state % (last as u64 + 1)).unwrap_or(0);
        items.swap(last, choice);
    }
}

/// The finaliser of `SplitMix64`.
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pair_comes_exactly_once(hosts in 1_usize..40, ports in 1_usize..400, seed: u64) {
            let order = Order::new(hosts, ports, seed).unwrap();
            let seen: HashSet<_> = (0..order.len()).filter_map(|position| order.pair(position)).collect();
            prop_assert_eq!(seen.len(), hosts * ports);
            prop_assert!(seen.iter().all(|(host, port)| *host < hosts && *port < ports));
            prop_assert_eq!(order.pair(order.len()), None);
        }
    }

    #[test]
    fn one_host_is_not_hit_in_a_burst() {
        let order = Order::new(256, 1000, 7).unwrap();
        let first: HashSet<_> = (0..256).filter_map(|position| order.pair(position)).map(|(host, _)| host).collect();
        assert!(first.len() > 120, "the first 256 probes go to {} hosts only", first.len());
    }

    #[test]
    fn hosts_are_shuffled_by_the_seed() {
        let shuffled = |seed| {
            let mut hosts: Vec<u32> = (0..256).collect();
            shuffle(&mut hosts, seed);
            hosts
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        let mut sorted = shuffled(3);
        let in_order = sorted.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
        assert!(in_order < 8, "{in_order} neighbours follow each other");
        sorted.sort_unstable();
        assert_eq!(sorted, (0..256).collect::<Vec<u32>>());
        shuffle(&mut [0_u8; 0], 1);
    }

    #[test]
    fn nothing_and_too_much() {
        assert!(Order::new(0, 10, 1).unwrap().is_empty());
        assert!(Order::new(0, 0, 1).unwrap().pair(0).is_none());
        assert!(Order::new(usize::MAX, 65_535, 1).is_none());
    }
}
