//! Ceilings on how fast connections to targets are opened: whoever opens one waits for its turn.
//!
//! The turn of the address is waited for first, then that of its subnet, and a moment of the common ceiling is taken last, when
//! the other two have come: those who wait for one address keep nobody from others.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

/// Moments of addresses that are kept; beyond, those that are over are forgotten.
const REMEMBERED: usize = 4096;

/// Openings a second at most; `None` means no ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ceilings {
    /// Over all targets.
    pub global: Option<u32>,
    /// For each address.
    pub per_host: Option<u32>,
    /// For each /24 of IPv4 or /64 of IPv6.
    pub per_subnet: Option<u32>,
}

/// What addresses of one /24 of IPv4 or /64 of IPv6 have in common.
#[must_use]
pub const fn subnet_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => (address.to_bits() >> 8) as u128,
        IpAddr::V6(address) => (address.to_bits() >> 64) | 1 << 127,
    }
}

/// When the next opening is free. Whoever holds it is the next one; the others wait in the order in which they came.
type Gate = Arc<tokio::sync::Mutex<Instant>>;

/// The gates of all targets.
#[derive(Debug)]
pub struct Pace {
    ceilings: Ceilings,
    all: Mutex<Instant>,
    hosts: Mutex<HashMap<IpAddr, Gate>>,
    subnets: Mutex<HashMap<u128, Gate>>,
}

impl Pace {
    pub fn new(ceilings: Ceilings) -> Self {
        Self { ceilings, all: Mutex::new(Instant::now()), hosts: Mutex::default(), subnets: Mutex::default() }
    }

    /// Waits until `address` may be contacted. Who stops waiting for its address or subnet has taken nothing; one
    /// whose moment of the common ceiling is already taken loses it.
    pub async fn turn(&self, address: IpAddr) {
        let host = wait_at(&self.hosts, address, self.ceilings.per_host).await;
        let subnet = wait_at(&self.subnets, subnet_of(address), self.ceilings.per_subnet).await;
        let now = Instant::now();
        let at = match self.ceilings.global {
            None => now,
            Some(rate) => {
                let mut free = self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let at = now.max(*free);
                *free = at + between(rate);
                at
            }
        };
        for (mut free, rate) in [host, subnet].into_iter().flatten() {
            *free = at + between(rate);
        }
        sleep_until(at).await;
    }
}

fn between(rate: u32) -> Duration {
    Duration::from_secs(1) / rate.max(1)
}

/// Waits until the gate of `whom` is free; it stays with the caller until that says when it is free again.
async fn wait_at<K: Eq + Hash + Copy>(
    gates: &Mutex<HashMap<K, Gate>>,
    whom: K,
    rate: Option<u32>,
) -> Option<(OwnedMutexGuard<Instant>, u32)> {
    let rate = rate?;
    let gate = {
        let mut gates = gates.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        if gates.len() > REMEMBERED {
            // One that somebody holds or waits at is in use.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || gate.try_lock().is_ok_and(|free| *free > now));
        }
        Arc::clone(gates.entry(whom).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(now))))
    };
    let free = gate.lock_owned().await;
    sleep_until(*free).await;
    Some((free, rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When so many openings of each address came to their turn, in milliseconds; all of one address stand before the next.
    async fn turns(ceilings: Ceilings, addresses: &[IpAddr], each: usize) -> Vec<(u64, IpAddr)> {
        let (pace, began) = (Pace::new(ceilings), Instant::now());
        let all = addresses.iter().flat_map(|address| std::iter::repeat_n(*address, each)).map(|address| {
            let pace = &pace;
            async move {
                pace.turn(address).await;
                (u64::try_from(began.elapsed().as_millis()).unwrap(), address)
            }
        });
        let mut turns = futures::future::join_all(all).await;
        turns.sort_unstable();
        turns
    }

    fn apart(turns: &[(u64, IpAddr)], of: impl Fn(IpAddr) -> bool, least: u64) -> bool {
        let times: Vec<u64> = turns.iter().filter(|(_, address)| of(*address)).map(|(at, _)| *at).collect();
        times.windows(2).all(|pair| pair[1] - pair[0] >= least)
    }

    #[tokio::test(start_paused = true)]
    async fn openings_keep_their_distance_under_each_ceiling() {
        let [one, two]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let global = turns(Ceilings { global: Some(10), ..Ceilings::default() }, &[one, two], 2).await;
        assert_eq!(global.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 100, 200, 300]);
        let host = turns(Ceilings { per_host: Some(10), ..Ceilings::default() }, &[one, two], 2).await;
        assert_eq!(host, [(0, one), (0, two), (100, one), (100, two)]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_openings_of_one_address_do_not_keep_the_others_waiting() {
        let addresses: Vec<IpAddr> = (1..=20).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        for shared in [
            Ceilings { per_host: Some(10), per_subnet: Some(100), global: None },
            Ceilings { per_host: Some(10), per_subnet: None, global: Some(100) },
            Ceilings { per_host: Some(10), per_subnet: Some(100), global: Some(100) },
        ] {
            let turns = turns(shared, &addresses, 20).await;
            let took = turns.last().unwrap().0;
            assert!((3990..=4200).contains(&took), "400 openings at 100 a second take {took} ms with {shared:?}");
            assert!(apart(&turns, |_| true, 10), "{shared:?}");
            assert!(addresses.iter().all(|address| apart(&turns, |of| of == *address, 100)), "{shared:?}");
        }
    }
}
