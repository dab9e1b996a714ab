//! What the sending and the receiving thread share: four bits a pair, and a few counters a host, all atomic.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use std::thread::Thread;

use super::clock::Clock;
use super::cookie::Cookies;
use crate::checkpoint::Begun;

/// A fixed number of bits.
#[derive(Debug)]
pub struct Bits(Box<[AtomicU64]>);

impl Bits {
    pub fn new(count: usize) -> Self {
        Self((0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word.load(Relaxed) >> (at % 64) & 1 == 1)
    }

    /// Sets a bit; whether it was clear.
    pub fn set(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word.fetch_or(1 << (at % 64), AcqRel) >> (at % 64) & 1 == 0)
    }

    /// Clears a bit; whether it was set.
    pub fn clear(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word.fetch_and(!(1 << (at % 64)), Relaxed) >> (at % 64) & 1 == 1)
    }
}

/// Counters of a host. The receiving thread writes what it hears, the sending thread what it sends.
#[derive(Debug)]
#[repr(align(64))]
pub struct Host {
    /// Questions out without an answer, and not yet given up.
    pub in_flight: AtomicU32,
    /// Pairs without a result.
    pub undone: AtomicU32,
    /// TCP answers to questions of the passes.
    pub answered: AtomicU32,
    /// Of these, to a repetition.
    pub late: AtomicU32,
    /// Open ports.
    pub open: AtomicU32,
    pub smoothed_us: AtomicU32,
    pub variation_us: AtomicU32,
    pub shortest_us: AtomicU32,
    /// Shortest round trip since the sending thread last took it.
    pub recent_us: AtomicU32,
    /// When the newest question that was answered had been sent, in microseconds since the start.
    pub newest_us: AtomicU64,
    /// Canaries that came back, by number.
    pub canaries: AtomicU32,
    /// Index of a port that answered, plus 1.
    pub canary_port: AtomicU32,
    /// Last unreachable message about the host as a whole: 1 of the host, 2 of its network.
    pub unreachable: AtomicU32,
    /// Whether it answered an echo request.
    pub echoed: AtomicBool,
    /// Whether the host is asked at a pace and not through the window.
    pub paced: AtomicBool,
}

impl Host {
    pub fn new(undone: u32) -> Self {
        let zero = || AtomicU32::new(0);
        Self {
            in_flight: zero(),
            undone: AtomicU32::new(undone),
            answered: zero(),
            late: zero(),
            open: zero(),
            smoothed_us: zero(),
            variation_us: zero(),
            shortest_us: AtomicU32::new(u32::MAX),
            recent_us: AtomicU32::new(u32::MAX),
            newest_us: AtomicU64::new(0),
            canaries: zero(),
            canary_port: zero(),
            unreachable: zero(),
            echoed: AtomicBool::new(false),
            paced: AtomicBool::new(false),
        }
    }
}

/// What the receiving thread tells the sending one about open ports; rare, so a lock will do.
#[derive(Debug, Default)]
pub struct Notes {
    /// Open ports found: host and port index.
    pub opened: Vec<(u32, u32)>,
    /// Answers to the second question at an open port: host, port index, whether it accepted.
    pub verified: Vec<(u32, u32, bool)>,
    /// Answers from ports chosen by chance: host, port, whether it accepted.
    pub guards: Vec<(u32, u16, bool)>,
    /// What next hops tell of themselves: number, hardware address, and to whom, if to one alone.
    pub neighbours: Vec<(usize, [u8; 6], Option<IpAddr>)>,
}

/// All of it.
pub struct Shared {
    pub hosts: Vec<Host>,
    /// Next hops by interface and address, with their numbers.
    pub hops: HashMap<(u32, IpAddr), usize>,
    /// Addresses in order, with the number of their host.
    pub lookup: Vec<(IpAddr, u32)>,
    pub ports: Vec<u16>,
    /// For each port number its index plus 1, 0 for ports that are not asked.
    pub port_index: Box<[u32]>,
    /// Pairs with a result.
    pub done: Bits,
    /// Pairs of which a router said that host or network cannot be reached. That may pass, so it is settled at the end.
    pub unreachable: Bits,
    /// Those among them of which it was the network.
    pub by_network: Bits,
    /// Pairs with a question out.
    pub flying: Bits,
    pub cookies: Cookies,
    /// Questions out at hosts that are asked through the window. Moves of hosts between the two ways are not atomic
    /// with answers, so it may be off by a few and even below 0.
    pub in_flight: AtomicI64,
    pub answered: AtomicU32,
    pub late: AtomicU32,
    /// Shortest excess of a round trip over the host's shortest since the sending thread last took it.
    pub excess_us: AtomicU32,
    /// A round trip seen anywhere, smoothed.
    pub smoothed_us: AtomicU32,
    pub received: AtomicU64,
    pub dropped: AtomicU64,
    /// How often the receiving thread began to read, and how often it had handed over the results of that: odd in between.
    pub hand_overs: AtomicU64,
    /// Up to when, on the clock of the sending thread, the receiving thread has read everything. Nothing is given up that
    /// may lie unread.
    pub read_until_us: AtomicU64,
    pub clock: Clock,
    pub notes: Mutex<Notes>,
    /// Whether there is something in the notes.
    pub noted: AtomicBool,
    pub stop: AtomicBool,
    /// The sending thread, while it waits for answers.
    pub waiting: AtomicBool,
    pub sender: Mutex<Option<Thread>>,
}

impl Shared {
    /// Whether all results that were taken in before the first call with this memory are handed over to the collector.
    pub fn is_handed_over(&self, waits_for: &mut Option<u64>) -> bool {
        let now = self.hand_overs.load(Acquire);
        now.is_multiple_of(2) || *waits_for.get_or_insert(now) != now
    }

    /// For hosts, by number, and ports of which nothing is known yet.
    pub fn new(hosts: &[IpAddr], ports: Vec<u16>, cookies: Cookies) -> Self {
        let pairs = hosts.len() * ports.len();
        let mut port_index = vec![0_u32; 1 << 16].into_boxed_slice();
        for (number, port) in (1..).zip(&ports) {
            port_index[usize::from(*port)] = number;
        }
        let mut lookup: Vec<(IpAddr, u32)> = hosts.iter().copied().zip(0..).collect();
        lookup.sort_unstable();
        let each = u32::try_from(ports.len()).unwrap_or(0);
        Self {
            hosts: hosts.iter().map(|_| Host::new(each)).collect(),
            hops: HashMap::new(),
            lookup,
            ports,
            port_index,
            done: Bits::new(pairs),
            unreachable: Bits::new(pairs),
            by_network: Bits::new(pairs),
            flying: Bits::new(pairs),
            cookies,
            in_flight: AtomicI64::new(0),
            answered: AtomicU32::new(0),
            late: AtomicU32::new(0),
            excess_us: AtomicU32::new(u32::MAX),
            smoothed_us: AtomicU32::new(0),
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            hand_overs: AtomicU64::new(0),
            read_until_us: AtomicU64::new(0),
            clock: Clock::start(),
            notes: Mutex::default(),
            noted: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            sender: Mutex::new(None),
        }
    }

    /// Microseconds since the start.
    pub fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    pub fn host_of(&self, address: IpAddr) -> Option<u32> {
        let at = self.lookup.binary_search_by(|(known, _)| known.cmp(&address)).ok()?;
        self.lookup.get(at).map(|(_, host)| *host)
    }

    /// Takes over what an earlier run had learned of a host: open ports that it had no time to ask again are asked again now.
    pub fn begun(&self, number: u32, begun: &Begun) {
        let Some(host) = self.hosts.get(number as usize) else { return };
        host.open.store(begun.open, Relaxed);
        if let Some((port, _)) = begun.answering {
            host.canary_port.store(port + 1, Relaxed);
        }
        let mut notes = self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        notes.opened.extend(begun.unconfirmed.iter().map(|port| (number, *port)));
        self.noted.store(true, Relaxed);
    }

    pub fn pair(&self, host: u32, port: u32) -> usize {
        host as usize * self.ports.len() + port as usize
    }

    /// A question is out no more, answered or given up; whether it was.
    pub fn landed(&self, host: &Host, pair: usize) -> bool {
        let was_flying = self.flying.clear(pair);
        if was_flying {
            host.in_flight.fetch_sub(1, Relaxed);
            if !host.paced.load(Relaxed) {
                self.in_flight.fetch_sub(1, Relaxed);
            }
        }
        was_flying
    }

    /// Wakes the sending thread if it waits for answers.
    pub fn wake(&self) {
        if self.waiting.swap(false, Relaxed)
            && let Ok(sender) = self.sender.lock()
            && let Some(thread) = sender.as_ref()
        {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_tell_who_was_first() {
        let bits = Bits::new(130);
        assert!(bits.set(129) && !bits.set(129) && bits.get(129) && !bits.get(128));
        assert!(bits.clear(129) && !bits.clear(129) && !bits.get(129));
        assert!(!bits.set(100_000) && !bits.get(100_000));
    }
}
