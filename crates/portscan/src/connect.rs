//! The connect engine: non-blocking `connect` on a few threads, each with its own epoll set.
//!
//! Workers take positions of the common order in small lots, keep as many attempts in flight as their [`flow`] allows,
//! and hand results over in batches. Of a pair nothing is stored unless an attempt is in flight, a repetition is due, or
//! it is one of a bounded number that stayed silent ([`silence`]), so memory does not grow with the job.

use std::net::IpAddr;
use std::sync::atomic::AtomicU64;

use crate::checkpoint::Begun;
use crate::collect::{Record, Traffic};
use crate::links::Links;
use crate::order::Order;
use crate::{Control, Error, Never, Settings, descriptors};
use turns::Limits;
use worker::Worker;

pub mod answers;
mod flow;
mod silence;
mod turns;
mod worker;

/// Attempts at an open port that is asked a second time.
pub const VERIFY_ATTEMPTS: u8 = 3;
/// Positions a worker takes from the order at a time.
const LOT: u64 = 64;

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
    /// Takes what came of asking an open port a second time (host, port, whether it accepted again). If it is there, the
    /// first open ports of each host are asked so at once; there may be many more where something accepts everything.
    pub verified: Option<&'a Verified<'a>>,
    pub traffic: &'a Traffic,
    /// The devices that lead to the targets.
    pub links: &'a Links,
    /// Whether the results are taken too slowly for more of them.
    pub congested: &'a (dyn Fn() -> bool + Sync),
}

/// Takes host, port and whether the port accepted a second time.
pub type Verified<'a> = dyn Fn(u32, u32, bool) + Sync + 'a;

/// Which pairs of target and port are asked, by their indices, in which order.
#[derive(Debug, Clone)]
pub enum Pairs {
    /// All of them.
    All(Order),
    /// These.
    These(Vec<(u32, u32)>),
}

impl Pairs {
    fn len(&self) -> u64 {
        match self {
            Self::All(order) => order.len(),
            Self::These(pairs) => pairs.len() as u64,
        }
    }

    fn at(&self, position: u64) -> Option<(usize, usize)> {
        match self {
            Self::All(order) => order.pair(position),
            Self::These(pairs) => {
                let (host, port) = *pairs.get(usize::try_from(position).ok()?)?;
                Some((host as usize, port as usize))
            }
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
    if plan.pairs.len() == 0 {
        return Ok(());
    }
    let most = usize::try_from(plan.pairs.len().div_ceil(LOT)).unwrap_or(usize::MAX);
    let threads = plan.settings.threads.clamp(1, 8).min(most);
    let in_flight = plan.settings.max_in_flight.min(descriptors::available()).max(threads) / threads;
    let next = AtomicU64::new(0);
    let limits = Limits::new(plan.settings.rates, &plan.targets);
    let mut workers = Vec::new();
    for _ in 0..threads {
        workers.push(Worker::new(plan, control, &next, limits.as_ref(), in_flight, threads)?);
    }
    std::thread::scope(|scope| {
        let (mut started, mut threads) = (Ok(()), Vec::new());
        for worker in workers {
            let thread = std::thread::Builder::new().name("portscan-connect".into());
            match thread.spawn_scoped(scope, || worker.work()) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    // The threads that did start must end before the scope does.
                    control.cancel();
                    started = Err(error.into());
                }
            }
        }
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        started
    })
}
