//! How many ports may be asked at a time where ceilings are set: of each address, subnet and in all only so many as get
//! their turns before their time is over.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use bartizan_outbound::subnet_of;
use bartizan_portscan::Rates;

/// Turns that a port needs in each second while it is asked.
const TURNS: u32 = 2;

/// What is asked now, by address and subnet.
#[derive(Debug)]
pub struct Shares {
    rates: Rates,
    hosts: HashMap<IpAddr, usize>,
    subnets: HashMap<u128, usize>,
}

/// Ports at a time under a ceiling.
fn share(rate: Option<u32>) -> usize {
    rate.map_or(usize::MAX, |rate| usize::try_from(rate / TURNS).unwrap_or(usize::MAX).max(1))
}

impl Shares {
    pub fn new(rates: Rates) -> Self {
        Self { rates, hosts: HashMap::new(), subnets: HashMap::new() }
    }

    /// Ports of all addresses together.
    pub fn in_all(&self) -> usize {
        share(self.rates.global)
    }

    /// Whether one more port of the address may be asked.
    pub fn may(&self, address: IpAddr) -> bool {
        let asked = |count: Option<&usize>| count.copied().unwrap_or(0);
        asked(self.hosts.get(&address)) < share(self.rates.per_host)
            && asked(self.subnets.get(&subnet_of(address))) < share(self.rates.per_subnet)
    }

    /// A port of the address is asked.
    pub fn take(&mut self, address: IpAddr) {
        *self.hosts.entry(address).or_default() += 1;
        *self.subnets.entry(subnet_of(address)).or_default() += 1;
    }

    /// A port of the address was asked.
    pub fn give_back(&mut self, address: IpAddr) {
        one_less(&mut self.hosts, address);
        one_less(&mut self.subnets, subnet_of(address));
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_what_their_subnet_may_have() {
        let address = |third: u8, last: u8| IpAddr::from([192, 0, third, last]);
        let mut shares = Shares::new(Rates { global: Some(100), per_host: Some(4), per_subnet: Some(6) });
        assert_eq!(shares.in_all(), 50);
        for address in [address(2, 1), address(2, 1), address(2, 2)] {
            assert!(shares.may(address));
            shares.take(address);
        }
        assert!(!shares.may(address(2, 1)), "two ports of one address at a time");
        assert!(!shares.may(address(2, 3)), "three of one subnet, however many addresses it has");
        assert!(shares.may(address(3, 1)), "another subnet");
        shares.give_back(address(2, 1));
        assert!(shares.may(address(2, 3)) && shares.may(address(2, 1)));
        for address in [address(2, 1), address(2, 2)] {
            shares.give_back(address);
        }
        assert!(shares.hosts.is_empty() && shares.subnets.is_empty());
        let mut slowest = Shares::new(Rates { global: Some(1), per_host: Some(1), per_subnet: None });
        assert!(slowest.in_all() == 1 && slowest.may(address(2, 1)), "one at a time is always allowed");
        slowest.take(address(2, 1));
        assert!(!slowest.may(address(2, 1)) && slowest.may(address(2, 2)));
        assert!(Shares::new(Rates::default()).may(address(2, 1)));
    }
}
