//! What to scan and how: the job, its settings, and the rules a job must obey.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Error, Protocol, zone};

/// Targets of one run at most. Beyond it a caller splits the work; an IPv6 prefix is not something to enumerate.
pub const MAX_TARGETS: usize = 1 << 22;
/// Attempts at one port at most: each is made from a source port of its own, and there are so many for them.
pub const MAX_ATTEMPTS: u8 = 12;
/// The longest wait for an answer that can be asked for.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(8);
/// Pairs of target and port of one run at most.
pub const MAX_PAIRS: u64 = 1 << 38;

/// How ports are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Engine {
    /// Raw SYN where this process has CAP_NET_RAW and the way to the target leads over a device that can take it, else
    /// connect.
    #[default]
    Auto,
    /// Packets of our own making: SYN out, SYN-ACK or RST in. Loopback targets still go through [`Self::Connect`].
    Syn,
    /// Ordinary non-blocking `connect`, which needs no privilege and works on every kind of interface.
    Connect,
}

impl Engine {
    /// `auto`, `syn` or `connect`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Syn => "syn",
            Self::Connect => "connect",
        }
    }
}

/// Whether hosts are looked for before their ports are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Discovery {
    /// Every target is taken to be there.
    #[default]
    Off,
    /// Only hosts that answer are scanned: ARP or neighbour discovery on the link; elsewhere ICMP echo and TCP probes.
    /// Without privilege that is TCP, and ICMP echo where `net.ipv4.ping_group_range` lets this process.
    On,
}

/// Which results come as single events. [`crate::HostReport`] counts all of them in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Report {
    /// Every one.
    #[default]
    Every,
    /// Only open ports: for large networks, where one event a closed port is too much. Here and with [`Self::Few`], most of
    /// those of a host that accepts everything are counted only ([`crate::masking`]).
    Open,
    /// Open ports, and of each other state of a host and protocol so many as are named here.
    Few {
        /// Of each state but the next.
        each: u32,
        /// UDP ports that stay silent.
        silent_udp: u32,
    },
}

/// What becomes of the checkpoint when the run is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// It is removed.
    #[default]
    Remove,
    /// It stays, for a caller who has more to do with the results and removes it afterwards. A run that takes it up hands
    /// over all open ports and reports again, and asks nothing.
    Keep,
}

/// Whether open ports are asked a second time, and hosts with many of them for a port that nobody offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verification {
    /// They are.
    #[default]
    On,
    /// They are not.
    Off,
}

/// Ceilings in attempts a second, each on top of what congestion control allows; `None` means no ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Over all targets.
    pub global: Option<u32>,
    /// For each target.
    pub per_host: Option<u32>,
    /// For each /24 of IPv4 or /64 of IPv6.
    pub per_subnet: Option<u32>,
}

/// Says of an address whether it must never be contacted.
pub type Never = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What to scan and how.
#[derive(Clone)]
pub struct Job {
    /// Addresses; repetitions are scanned once. Link-local ones carry their zone ([`crate::zone`]).
    pub targets: Vec<IpAddr>,
    /// TCP ports; repetitions and 0 are dropped. Without any port at all the run looks, with [`Discovery::On`], for hosts.
    pub tcp_ports: Vec<u16>,
    /// UDP ports; repetitions and 0 are dropped.
    pub udp_ports: Vec<u16>,
    /// What to say to a UDP port so that its service answers; ports without an entry get an empty datagram.
    /// Where there are several, the attempts at a port take turns. A TFTP request is answered from another port (RFC 1350
    /// section 4); what comes from the address asked and is TFTP counts for the port that was asked.
    pub udp_payloads: Arc<BTreeMap<u16, Vec<Vec<u8>>>>,
    /// Addresses for which this is true are never contacted, even when they are among the targets.
    pub never: Never,
    /// Targets that are taken to be there: with [`Discovery::On`] their ports are asked although nothing answered. Only
    /// when nobody on the link answers for the address they are not.
    pub certain: BTreeSet<IpAddr>,
    /// Which targets are addresses of names; a name without any is one that could not be resolved this time. A run that goes on
    /// from a checkpoint keeps the addresses that its names had when it was begun, whatever they lead to now.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// How.
    pub settings: Settings,
}

impl Job {
    /// A job for TCP ports with default settings and nothing forbidden.
    #[must_use]
    pub fn new(targets: Vec<IpAddr>, tcp_ports: Vec<u16>) -> Self {
        Self {
            targets,
            tcp_ports,
            udp_ports: Vec::new(),
            udp_payloads: Arc::default(),
            never: Arc::new(|_| false),
            certain: BTreeSet::new(),
            names: BTreeMap::new(),
            settings: Settings::default(),
        }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("targets", &self.targets.len())
            .field("tcp_ports", &self.tcp_ports.len())
            .field("udp_ports", &self.udp_ports.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Bounds and manners of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which engine.
    pub engine: Engine,
    /// The longest wait for an answer to one attempt, [`MAX_TIMEOUT`] at most. Hosts that answer are waited for by their own
    /// round-trip time, within this.
    pub timeout: Duration,
    /// How often a silent port is asked in all; 1 to [`MAX_ATTEMPTS`]. From 2 on, more are made where attempts are seen to
    /// get lost; 1 means that nothing is repeated. The kernel repeats the questions of the connect engine where an answer takes longer
    /// than a second: such repetitions count as attempts, for ceilings too, and where nothing is to be repeated an answer is
    /// waited for no longer than 0.8 seconds.
    pub attempts: u8,
    /// Sockets open at the same time; further bounded by the descriptor limit of the process. Only sockets count, the
    /// raw engine needs none for a probe.
    pub max_in_flight: usize,
    /// How long silent UDP ports of one host may be asked one by one, where that host tells of closed ports only so often.
    /// What is left then is reported as [`crate::Reason::RateLimited`].
    pub udp_patience: Duration,
    /// Ceilings.
    pub rates: Rates,
    /// Worker threads of the connect engine, 1 to 8.
    pub threads: usize,
    /// Whether hosts are looked for first.
    pub discovery: Discovery,
    /// Whether open ports are verified.
    pub verification: Verification,
    /// Which results come as events.
    pub report: Report,
    /// The interface to send from; `None` follows the routes. A target that the routes send elsewhere is then
    /// [`crate::State::Unreachable`].
    pub interface: Option<String>,
    /// A file that remembers where the run stands, written all the time, so that a killed run can go on. If it is there
    /// and belongs to the same job, the run takes up from it: it has the targets of the earlier one, without those that
    /// [`Job::never`] forbids now, results that are final are not asked again, and what was found before comes as events
    /// again: with [`Report::Few`] whatever was listed, else open ports and silent UDP ports. Ports whose state is [`crate::State::Error`] are asked again, so the file
    /// of a run with such ports stays when it ends.
    pub checkpoint: Option<PathBuf>,
    /// What becomes of that file when the run is complete.
    pub at_end: AtEnd,
    /// Seed of the order of probes; `None` draws one for each run. The same job with the same seed asks in the same order. A
    /// run that goes on from a checkpoint has the seed of the earlier one.
    pub seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Engine::Auto,
            timeout: Duration::from_millis(1500),
            attempts: 2,
            max_in_flight: 16_000,
            udp_patience: Duration::from_secs(60),
            rates: Rates::default(),
            threads: 2,
            discovery: Discovery::Off,
            verification: Verification::On,
            report: Report::Every,
            interface: None,
            checkpoint: None,
            at_end: AtEnd::Remove,
            seed: None,
        }
    }
}

/// A job made ready: sorted, no repetitions, nothing forbidden, within the bounds.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub targets: Vec<IpAddr>,
    pub tcp_ports: Vec<u16>,
    pub udp_ports: Vec<u16>,
    pub refused: Vec<IpAddr>,
    pub certain: BTreeSet<IpAddr>,
    /// Targets by name, in order.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    /// The settings that decide what is asked, by name.
    pub manners: Vec<(&'static str, String)>,
    pub total: u64,
}

impl Prepared {
    pub fn new(job: &Job) -> Result<Self, Error> {
        // A list this long is refused before it is copied.
        if job.targets.len() > MAX_TARGETS {
            return Err(Error::TooManyTargets { targets: job.targets.len() });
        }
        if job.settings.attempts > MAX_ATTEMPTS {
            return Err(Error::TooManyAttempts { attempts: job.settings.attempts });
        }
        if job.settings.timeout > MAX_TIMEOUT {
            return Err(Error::TooLongWait { timeout: job.settings.timeout });
        }
        let mut targets: Vec<IpAddr> = job.targets.iter().map(IpAddr::to_canonical).collect();
        targets.sort_unstable();
        targets.dedup();
        let needs_zone = |address: &&IpAddr| zone::is_link_local(**address) && zone::split(**address).1 == 0;
        if let Some(target) = targets.iter().find(needs_zone) {
            return Err(Error::NoZone { target: *target });
        }
        let (refused, targets): (Vec<_>, Vec<_>) = targets.into_iter().partition(|address| (job.never)(*address));
        let (tcp_ports, udp_ports) = (ports(&job.tcp_ports), ports(&job.udp_ports));
        let pairs = targets.len() as u64 * (tcp_ports.len() + udp_ports.len()) as u64;
        if pairs > MAX_PAIRS {
            return Err(Error::TooLarge { targets: targets.len(), ports: tcp_ports.len() + udp_ports.len() });
        }
        let certain = job.certain.iter().map(IpAddr::to_canonical).collect();
        let mut names = job.names.clone();
        for addresses in names.values_mut() {
            addresses.iter_mut().for_each(|address| *address = address.to_canonical());
            addresses.retain(|address| targets.binary_search(address).is_ok());
            addresses.sort_unstable();
            addresses.dedup();
        }
        let settings = &job.settings;
        let on = |yes| if yes { "on" } else { "off" }.to_owned();
        let manners = vec![
            ("engine", settings.engine.as_str().to_owned()),
            ("discovery", on(settings.discovery == Discovery::On)),
            ("attempts", settings.attempts.to_string()),
            ("interface", settings.interface.clone().unwrap_or_else(|| "by the routes".to_owned())),
            ("verification", on(settings.verification == Verification::On)),
        ];
        Ok(Self { targets, tcp_ports, udp_ports, refused, certain, names, manners, total: pairs })
    }

    /// The port with this index; TCP ports come first.
    pub fn port(&self, index: usize) -> Option<(Protocol, u16)> {
        match self.tcp_ports.get(index) {
            Some(port) => Some((Protocol::Tcp, *port)),
            None => Some((Protocol::Udp, *self.udp_ports.get(index - self.tcp_ports.len())?)),
        }
    }

    /// Ports asked of each target.
    pub fn ports_each(&self) -> u64 {
        (self.tcp_ports.len() + self.udp_ports.len()) as u64
    }
}

fn ports(ports: &[u16]) -> Vec<u16> {
    let mut ports: Vec<u16> = ports.iter().copied().filter(|port| *port != 0).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
