//! Ceilings on how fast connections to targets are opened: whoever opens one takes the next free moment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whom {
    All,
    Host(IpAddr),
    Subnet(u128),
}

/// When the next opening is free.
#[derive(Debug)]
pub struct Pace {
    ceilings: Ceilings,
    free: Mutex<HashMap<Whom, Instant>>,
}

impl Pace {
    pub fn new(ceilings: Ceilings) -> Self {
        Self { ceilings, free: Mutex::default() }
    }

    /// Takes the next moment at which `address` may be contacted.
    pub fn reserve(&self, address: IpAddr, now: Instant) -> Instant {
        let subnet = match address {
            IpAddr::V4(address) => u128::from(u32::from(address) >> 8),
            IpAddr::V6(address) => (u128::from(address) >> 64) | 1 << 127,
        };
        let bounds = [
            (Whom::All, self.ceilings.global),
            (Whom::Host(address), self.ceilings.per_host),
            (Whom::Subnet(subnet), self.ceilings.per_subnet),
        ];
        let mut free = self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if free.len() > REMEMBERED {
            free.retain(|_, moment| *moment > now);
        }
        let known = bounds.iter().filter(|(_, rate)| rate.is_some()).filter_map(|(whom, _)| free.get(whom).copied());
        let moment = known.fold(now, Instant::max);
        for (whom, rate) in bounds {
            if let Some(rate) = rate {
                free.insert(whom, moment + Duration::from_secs(1) / rate.max(1));
            }
        }
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_keep_their_distance_under_each_ceiling() {
        let now = Instant::now();
        let [one, two]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let wait = |pace: &Pace, address| (pace.reserve(address, now) - now).as_millis();
        let pace = Pace::new(Ceilings { global: Some(10), ..Ceilings::default() });
        assert_eq!([wait(&pace, one), wait(&pace, two), wait(&pace, one)], [0, 100, 200]);
        let pace = Pace::new(Ceilings { per_host: Some(10), ..Ceilings::default() });
        assert_eq!([wait(&pace, one), wait(&pace, two), wait(&pace, one)], [0, 0, 100]);
        let pace = Pace::new(Ceilings { per_host: Some(10), per_subnet: Some(100), ..Ceilings::default() });
        assert_eq!([wait(&pace, one), wait(&pace, two), wait(&pace, one)], [0, 10, 100]);
    }
}
