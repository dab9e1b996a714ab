//! The connect engine: non-blocking `connect` on a few threads, each with its own epoll set.
//!
//! Workers take positions of the common order in small lots, keep as many attempts in flight as their [`flow`] allows,
//! and hand results over in batches. Of a pair nothing is stored unless an attempt is in flight, a repetition is due, or
//! it is one of a bounded number that stayed silent ([`silence`]), so memory does not grow with the job. What comes up while
//! they are at it are [`Errands`].

use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::checkpoint::Begun;
use crate::collect::{Record, Traffic};
use crate::links::Links;
use crate::order::Order;
use crate::{Control, Error, Never, Settings, descriptors};
use turns::Limits;
use worker::Worker;

pub mod answers;
mod flow;
pub mod limited;
mod patience;
mod silence;
mod sockets;
mod turns;
mod worker;

/// Attempts at an open port that is asked a second time.
pub const VERIFY_ATTEMPTS: u8 = 3;
/// Attempts at a guard: whoever accepts everything may just be overwhelmed by all the questions before.
pub const GUARD_ATTEMPTS: u8 = 5;
/// Positions a worker takes from the order at a time.
const LOT: u64 = 64;
/// Between a question and the same once more: what loses packets often does so for a moment.
pub const APART: Duration = Duration::from_millis(200);
/// How often and how soon it is tried again to start the engine where the system has no descriptor for it.
const START_TRIES: u32 = 20;
const START_AGAIN: Duration = Duration::from_millis(100);

/// What to ask and where the answers go.
pub struct Plan<'a> {
    pub pairs: Pairs,
    pub targets: Vec<IpAddr>,
    pub ports: Vec<u16>,
    pub settings: &'a Settings,
    pub silence: Silence,
    /// The last word on addresses that must not be contacted.
    pub never: &'a Never,
    /// Pairs, by index, that have a result already.
    pub skip: &'a (dyn Fn(usize, usize) -> bool + Sync),
    /// What an earlier run had learned of targets, by index.
    pub begun: &'a [(usize, &'a Begun)],
    /// Takes results, numbered by index of target and port.
    pub take: &'a (dyn Fn(Vec<Record>) + Sync),
    /// What else there is to ask, as it comes up.
    pub errands: Option<&'a dyn Errands>,
    pub traffic: &'a Traffic,
    /// The devices that lead to the targets.
    pub links: &'a Links,
    /// Whether the results are taken too slowly for more of them.
    pub congested: &'a (dyn Fn() -> bool + Sync),
}

/// A question that comes up while others are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// An open port a second time.
    Verify {
        /// Index of the host.
        host: u32,
        /// Index of the port.
        port: u32,
    },
    /// A port that nobody asked for.
    Guard {
        /// Index of the host.
        host: u32,
        /// The port.
        port: u16,
    },
}

/// Where errands come from, and what came of them goes to. Who fetched one does it: it is not told who is done.
pub trait Errands: Sync {
    /// Whether there are any, now or soon. Cheap.
    fn are_waiting(&self) -> bool;
    /// One to do now.
    fn next(&self, now: Instant) -> Option<Errand>;
    /// What came of it.
    fn done(&self, errand: Errand, outcome: ErrandOutcome);
}

/// What came of an errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrandOutcome {
    /// The port accepted.
    Accepted,
    /// It did not: it was refused, or somebody on the way said that it is not to be had.
    Refused,
    /// Nothing came back.
    Silent,
    /// It could not be asked.
    NotAsked,
}

/// Which pairs of target and port are asked, by their indices, in which order.
#[derive(Debug, Clone)]
pub enum Pairs {
    /// All of them: so many hosts at a time in one mixture, the last of them in one of their own.
    All {
        /// Hosts of a mixture.
        together: usize,
        /// The order within a mixture, and within the last.
        orders: Box<[Order; 2]>,
        /// Mixtures before the last.
        full: u64,
    },
    /// These.
    These(Vec<(u32, u32)>),
}

impl Pairs {
    /// Every pair of so many hosts and ports; `None` if they are too many to count.
    pub fn all(hosts: usize, ports: usize, together: usize, seed: u64) -> Option<Self> {
        // Mixtures of about the same size.
        let mixtures = hosts.div_ceil(together.max(1)).max(1);
        let together = hosts.div_ceil(mixtures).max(1);
        let full = hosts.saturating_sub(1) / together;
        Order::new(hosts, ports, seed)?;
        let orders = Box::new([Order::new(together, ports, seed)?, Order::new(hosts - full * together, ports, seed)?]);
        Some(Self::All { together, orders, full: full as u64 })
    }

    fn len(&self) -> u64 {
        match self {
            Self::All { orders, full, .. } => orders[0].len() * full + orders[1].len(),
            Self::These(pairs) => pairs.len() as u64,
        }
    }

    fn at(&self, position: u64) -> Option<(usize, usize)> {
        match self {
            Self::All { together, orders, full } => {
                let mixture = position.checked_div(orders[0].len())?.min(*full);
                let within = position - mixture * orders[0].len();
                let (host, port) = orders[usize::from(mixture == *full)].pair(within)?;
                Some((usize::try_from(mixture).ok()? * together + host, port))
            }
            Self::These(pairs) => {
                let (host, port) = *pairs.get(usize::try_from(position).ok()?)?;
                Some((host as usize, port as usize))
            }
        }
    }

    /// From this position on there is no pair of the host any more.
    fn end_of(&self, host: usize) -> u64 {
        match self {
            Self::All { together, orders, .. } => {
                let mixtures = (host / together) as u64 + 1;
                (mixtures * orders[0].len()).min(self.len())
            }
            Self::These(_) => self.len(),
        }
    }
}

/// What silence of a port counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It is doubted: ports are asked again where questions get lost, and a sample of them once more.
    Doubted,
    /// It is taken for what it is after the attempts that the caller wants.
    Taken,
}

/// Runs the plan to its end or until it is cancelled.
pub fn run(plan: &Plan<'_>, control: &Control) -> Result<(), Error> {
    if plan.pairs.len() == 0 && !plan.errands.is_some_and(|errands| errands.are_waiting()) {
        return Ok(());
    }
    let most = usize::try_from(plan.pairs.len().div_ceil(LOT)).unwrap_or(usize::MAX).max(1);
    let threads = plan.settings.threads.clamp(1, 8).min(most);
    let in_flight = plan.settings.max_in_flight.min(descriptors::available()).max(threads) / threads;
    let next = AtomicU64::new(0);
    let limits = Limits::new(plan.settings.rates, &plan.targets);
    let mut workers =
        vec![first_worker(|| Worker::new(plan, control, &next, limits.as_ref(), in_flight, threads), control)?];
    // Fewer do as well, if the system has no more of what they need.
    while workers.len() < threads
        && let Ok(worker) = Worker::new(plan, control, &next, limits.as_ref(), in_flight, threads)
    {
        workers.push(worker);
    }
    std::thread::scope(|scope| {
        let here = workers.pop();
        let mut started = Vec::new();
        for worker in workers {
            let thread = std::thread::Builder::new().name("portscan-connect".into());
            // The others take its share of the questions.
            started.extend(thread.spawn_scoped(scope, || worker.work()));
        }
        // This thread has nothing else to do, and there is no lack of it.
        here.into_iter().for_each(Worker::work);
        for thread in started {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    Ok(())
}

/// The one worker that there has to be: descriptors that are missing now may be there in a moment.
fn first_worker<T>(make: impl Fn() -> Result<T, Error>, control: &Control) -> Result<T, Error> {
    let mut tries = 0;
    loop {
        match make() {
            Err(_) if tries < START_TRIES && !control.is_cancelled() => tries += 1,
            other => return other,
        }
        std::thread::sleep(START_AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn mixtures_hold_every_pair_once_and_come_one_after_the_other(
            hosts in 1_usize..50, ports in 1_usize..40, together in 1_usize..60, seed: u64,
        ) {
            let pairs = Pairs::all(hosts, ports, together, seed).unwrap();
            prop_assert_eq!(pairs.len(), (hosts * ports) as u64);
            prop_assert!(pairs.at(pairs.len()).is_none());
            let mut seen = HashSet::new();
            let mut last = vec![0; hosts];
            for position in 0..pairs.len() {
                let (host, port) = pairs.at(position).unwrap();
                prop_assert!(host < hosts && port < ports && seen.insert((host, port)));
                last[host] = position;
            }
            prop_assert!((0..hosts).all(|host| last[host] < pairs.end_of(host)));
            let Pairs::All { together: size, .. } = pairs else { unreachable!("all pairs") };
            prop_assert!(size <= together);
            for (host, at) in last.iter().enumerate() {
                let mixture = (host / size * size)..(host / size * size + size).min(hosts);
                prop_assert!(*at < (mixture.end * ports) as u64 && *at >= (mixture.start * ports) as u64);
            }
        }
    }

    #[test]
    fn the_first_worker_is_waited_for_a_while() {
        let tries = AtomicU64::new(0);
        let make = || match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0..3 => Err(Error::Start(std::io::Error::from_raw_os_error(24))),
            other => Ok(other),
        };
        assert_eq!(first_worker(make, &Control::new()).unwrap(), 3);
        let cancelled = Control::new();
        cancelled.cancel();
        assert!(
            first_worker(|| Err::<(), _>(Error::Start(std::io::Error::from_raw_os_error(24))), &cancelled).is_err()
        );
    }
}
