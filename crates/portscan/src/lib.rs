//! A port-scan engine: addresses and ports in, one state with a reason for each pair out.
//!
//! The crate knows nothing of the product that uses it: the caller hands it addresses that were vetted already and a
//! predicate for addresses that must never be touched. What it promises:
//!
//! * every pair of target and port gets exactly one result, in an order that spreads each host over the whole run
//!   ([`order`]), unless the run is cancelled, and then the outcome says so;
//! * trouble on this machine (no descriptors, no local ports, no buffers) is retried and then reported as
//!   [`State::Error`]; it is never mistaken for a closed port;
//! * silence is asked again before it counts as [`State::Filtered`];
//! * descriptors stay within the process limit, and no connection lingers in `TIME_WAIT`.
//!
//! Engines differ in how they ask; they share [`Job`], [`Event`], [`Control`] and the states. Today there is the
//! unprivileged one, [`Engine::Connect`]. Start reading at [`run`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

mod connect;
pub mod descriptors;
pub mod order;
mod timing;
mod window;

/// How ports are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Engine {
    /// The best engine this process may use.
    #[default]
    Auto,
    /// Ordinary non-blocking `connect`, which needs no privilege and works on every kind of interface.
    Connect,
}

/// Transport protocol of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol; no engine here asks it yet, the variant keeps results of both in one stream.
    Udp,
}

/// State of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Accepts connections.
    Open,
    /// Answers that nothing listens.
    Closed,
    /// Does not answer.
    Filtered,
    /// A router, or this machine for want of a route, says that the host cannot be reached.
    Unreachable,
    /// Trouble on this machine; says nothing about the port.
    Error,
}

/// What a state was concluded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The handshake completed.
    SynAck,
    /// The handshake completed and the peer reset the connection at once.
    ResetAfterAccept,
    /// The peer reset the attempt.
    ConnRefused,
    /// No answer to any attempt.
    NoResponse,
    /// The host is unreachable, by ICMP or by failed neighbour resolution.
    HostUnreachable,
    /// The network is unreachable, by ICMP or for want of a route.
    NetUnreachable,
    /// The process or the system has no descriptor left.
    NoDescriptors,
    /// No local port was left for the connection.
    NoLocalPort,
    /// The kernel had no buffers.
    NoBuffers,
    /// A rule on this machine forbids the connection.
    LocalPolicy,
    /// The kernel kept connecting the socket to itself.
    SelfConnect,
    /// Another system error, by its number.
    System(i32),
}

impl Reason {
    /// A stable short text: `syn-ack`, `conn-refused`, `no-response`, `emfile` …
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::SynAck => "syn-ack",
            Self::ResetAfterAccept => "reset-after-accept",
            Self::ConnRefused => "conn-refused",
            Self::NoResponse => "no-response",
            Self::HostUnreachable => "host-unreachable",
            Self::NetUnreachable => "net-unreachable",
            Self::NoDescriptors => "emfile",
            Self::NoLocalPort => "eaddrnotavail",
            Self::NoBuffers => "enobufs",
            Self::LocalPolicy => "local-policy",
            Self::SelfConnect => "self-connect",
            Self::System(number) => return format!("errno-{number}"),
        }
        .to_owned()
    }
}

/// The result for one address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The address asked.
    pub address: IpAddr,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port number.
    pub port: u16,
    /// State.
    pub state: State,
    /// What the state was concluded from.
    pub reason: Reason,
    /// Round-trip time of the answer, if there was one.
    pub rtt: Option<Duration>,
    /// How many times the port was asked.
    pub attempts: u8,
}

/// Counts of a run in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Pairs of address and port in the job.
    pub total: u64,
    /// Pairs with a result.
    pub done: u64,
    /// Of these, open.
    pub open: u64,
    /// Attempts made, repetitions included.
    pub attempts: u64,
}

/// What a run tells its caller while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A result.
    Found(Finding),
    /// Where the run stands; several times a second.
    Progress(Progress),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Final counts.
    pub progress: Progress,
    /// Whether the run was cancelled before every pair had a result.
    pub cancelled: bool,
    /// Targets that were left out because the caller forbids them.
    pub refused: Vec<IpAddr>,
    /// The engine that ran.
    pub engine: Engine,
}

/// Says of an address whether it must never be contacted.
pub type Never = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What to scan and how.
#[derive(Clone)]
pub struct Job {
    /// Addresses; repetitions are scanned once.
    pub targets: Vec<IpAddr>,
    /// TCP ports; repetitions and 0 are dropped.
    pub tcp_ports: Vec<u16>,
    /// Addresses for which this is true are never contacted, even when they are among the targets.
    pub never: Never,
    /// How.
    pub settings: Settings,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("targets", &self.targets.len())
            .field("tcp_ports", &self.tcp_ports.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Bounds and manners of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which engine.
    pub engine: Engine,
    /// The longest wait for an answer to one attempt. Hosts that answer are waited for by their own round-trip time,
    /// within this.
    pub timeout: Duration,
    /// How often a silent port is asked in all; at least 1.
    pub attempts: u8,
    /// Sockets open at the same time; further bounded by the descriptor limit of the process.
    pub max_in_flight: usize,
    /// Attempts a second over all targets; `None` leaves it to the adaptive window.
    pub max_rate: Option<u32>,
    /// Worker threads, 1 to 8.
    pub threads: usize,
    /// Seed of the order of probes. The same job with the same seed asks in the same order.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Engine::Auto,
            timeout: Duration::from_millis(1500),
            attempts: 2,
            max_in_flight: 4000,
            max_rate: None,
            threads: 2,
            seed: 0x0062_6172_7469_7a61,
        }
    }
}

/// A job that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Targets x ports does not fit the counters.
    #[error("{targets} targets x {ports} ports is more than one run can take")]
    TooLarge {
        /// How many targets.
        targets: usize,
        /// How many ports.
        ports: usize,
    },
    /// The machine gave no poll descriptor or thread, so nothing can be asked.
    #[error("the engine cannot start: {0}")]
    Start(#[from] std::io::Error),
}

const RUNNING: u8 = 0;
const PAUSED: u8 = 1;
const CANCELLED: u8 = 2;

/// Steers a run from another thread. Clones steer the same run.
#[derive(Debug, Clone, Default)]
pub struct Control(Arc<AtomicU8>);

impl Control {
    /// A control in the running state.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run soon; results so far stand. Final.
    pub fn cancel(&self) {
        self.0.store(CANCELLED, Ordering::Relaxed);
    }

    /// Starts no new attempts until [`Self::resume`].
    pub fn pause(&self) {
        let _ = self.0.compare_exchange(RUNNING, PAUSED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Goes on after [`Self::pause`].
    pub fn resume(&self) {
        let _ = self.0.compare_exchange(PAUSED, RUNNING, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Whether the run was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CANCELLED
    }

    fn is_paused(&self) -> bool {
        self.0.load(Ordering::Relaxed) == PAUSED
    }
}

/// Runs a job on the calling thread until it ends, handing events to `sink`. Blocks; asynchronous callers use a
/// blocking thread.
///
/// # Errors
/// If the job is too large to count or the engine cannot start. Trouble with single ports is a result, not an error.
pub fn run(job: &Job, control: &Control, mut sink: impl FnMut(Event)) -> Result<Outcome, Error> {
    let mut targets: Vec<IpAddr> = job.targets.iter().map(IpAddr::to_canonical).collect();
    targets.sort_unstable();
    targets.dedup();
    let (refused, targets): (Vec<_>, Vec<_>) = targets.into_iter().partition(|address| (job.never)(*address));
    let mut ports: Vec<u16> = job.tcp_ports.iter().copied().filter(|port| *port != 0).collect();
    ports.sort_unstable();
    ports.dedup();
    let plan = connect::Plan {
        order: order::Order::new(targets.len(), ports.len(), job.settings.seed)
            .ok_or(Error::TooLarge { targets: targets.len(), ports: ports.len() })?,
        targets,
        ports,
        settings: job.settings.clone(),
    };
    let (progress, cancelled) = connect::run(&plan, control, &mut sink)?;
    Ok(Outcome { progress, cancelled, refused, engine: Engine::Connect })
}
