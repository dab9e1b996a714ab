//! What a run tells its caller: results, reports of hosts, progress, and how it ended.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::Engine;

/// Transport protocol of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

/// State of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Accepts connections, or answered a datagram.
    Open,
    /// Answers that nothing listens.
    Closed,
    /// Does not answer, or a device in between forbids it.
    Filtered,
    /// A UDP port that stays silent: a service that did not like the question, or a filter.
    OpenFiltered,
    /// A router, or this machine for want of a route or a neighbour, says that the host cannot be reached.
    Unreachable,
    /// Trouble on this machine; says nothing about the port.
    Error,
}

impl State {
    /// The usual text: `open`, `closed`, `filtered`, `open|filtered`, `unreachable`, `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
            Self::OpenFiltered => "open|filtered",
            Self::Unreachable => "unreachable",
            Self::Error => "error",
        }
    }
}

/// What a state was concluded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The port accepted: the handshake completed, or a SYN-ACK came.
    SynAck,
    /// The handshake completed and the peer reset the connection at once.
    ResetAfterAccept,
    /// The peer reset the attempt.
    ConnRefused,
    /// A datagram came back.
    UdpResponse,
    /// ICMP says that the port is unreachable.
    PortUnreachable,
    /// ICMP says that a filter forbids it.
    AdminProhibited,
    /// No answer to any attempt.
    NoResponse,
    /// No answer, from a host that had answered and answered nothing any more while the scan ran: it went away, or it bans
    /// this machine. What became of the port is unknown.
    FellSilent,
    /// No answer, from a host or over a path that let some more answers through with every repetition up to the last: how often
    /// it may be asked is limited, and the port may be open or closed.
    AnswersLimited,
    /// No answer, from a host that tells of closed ports only so often: the silence may be that of a closed port.
    RateLimited,
    /// The host is unreachable, by ICMP.
    HostUnreachable,
    /// Nobody on the link answers for the address (ARP or neighbour discovery), or for that of the router.
    NoNeighbour,
    /// The network is unreachable, by ICMP.
    NetUnreachable,
    /// This machine has no route to the address.
    NoRoute,
    /// A device or a route of this machine went away while the scan ran, and did not come back.
    NetworkDown,
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
    /// Answers were lost on this machine before they could be read.
    AnswersLost,
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
            Self::UdpResponse => "udp-response",
            Self::PortUnreachable => "port-unreachable",
            Self::AdminProhibited => "admin-prohibited",
            Self::NoResponse => "no-response",
            Self::FellSilent => "host-fell-silent",
            Self::AnswersLimited => "answers-limited",
            Self::RateLimited => "icmp-rate-limited",
            Self::HostUnreachable => "host-unreachable",
            Self::NoNeighbour => "no-neighbour",
            Self::NetUnreachable => "net-unreachable",
            Self::NoRoute => "no-route",
            Self::NetworkDown => "network-down",
            Self::NoDescriptors => "emfile",
            Self::NoLocalPort => "eaddrnotavail",
            Self::NoBuffers => "enobufs",
            Self::LocalPolicy => "local-policy",
            Self::SelfConnect => "self-connect",
            Self::AnswersLost => "answers-lost",
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
    /// Time to live (hop limit) of the answer as it arrived; only raw engines see it.
    pub ttl: Option<u8>,
    /// How many times the port was asked.
    pub attempts: u8,
}

/// Whether a host is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presence {
    /// It answered something.
    Up(HostReason),
    /// It was looked for and did not answer; its ports were not asked.
    Down(HostReason),
    /// It was not looked for, and none of its ports answered.
    Unknown,
}

/// Why a host counts as there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostReason {
    /// It answered ARP or neighbour discovery.
    Neighbour,
    /// It answered an ICMP echo request.
    Echo,
    /// One of its TCP or UDP ports answered.
    Port,
    /// No neighbour answers for the address on the link.
    NoNeighbour,
    /// There is no route to it.
    NoRoute,
    /// Nobody on the link answers for the router that leads there.
    NoRouter,
    /// The address is the broadcast address of a network of this machine, or that of a group. It is asked nothing.
    NoHost,
    /// Nothing answered.
    NoResponse,
}

impl HostReason {
    /// A stable short text: `neighbour`, `echo-reply`, `port-response`, `no-neighbour`, `no-route`, `no-router`,
    /// `no-host`, `no-response`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neighbour => "neighbour",
            Self::Echo => "echo-reply",
            Self::Port => "port-response",
            Self::NoNeighbour => "no-neighbour",
            Self::NoRoute => "no-route",
            Self::NoRouter => "no-router",
            Self::NoHost => "no-host",
            Self::NoResponse => "no-response",
        }
    }
}

/// How many ports of a host ended in one state for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Transport protocol.
    pub protocol: Protocol,
    /// State.
    pub state: State,
    /// Reason.
    pub reason: Reason,
    /// How many ports.
    pub ports: u32,
}

/// What is to say of a host once all its ports have a result. Comes once for each target that was not refused, also
/// for those that are down; not after a cancelled run for hosts that were not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReport {
    /// The address.
    pub address: IpAddr,
    /// Whether it is there.
    pub presence: Presence,
    /// Smoothed round-trip time, if anything answered.
    pub rtt: Option<Duration>,
    /// Its hardware address, if it is on the link and had to be resolved.
    pub mac: Option<[u8; 6]>,
    /// All results by state and reason, whether or not they came as [`Event::Found`].
    pub counts: Vec<Count>,
    /// Ports chosen by chance were open as well: a proxy or tarpit accepts on behalf of the host, and its open ports
    /// prove nothing.
    pub accepts_everything: bool,
    /// Open ports that did not accept a second time when the verification pass asked again. Silence then counts only
    /// where the loss on the way does not explain it.
    pub unconfirmed: Vec<u16>,
}

/// What is known of a host that an interrupted run did not finish, so that it has no [`HostReport`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The address.
    pub address: IpAddr,
    /// Results so far by state and reason, those of an earlier run that was taken up included, whether or not they came as
    /// [`Event::Found`]. Their sum falls short of the ports of the job by those that have no result.
    pub counts: Vec<Count>,
    /// Whether it was found out already that the host accepts everything, so that its open ports prove nothing.
    pub accepts_everything: bool,
}

/// A run goes on from a checkpoint, with the targets of the run that began it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenUp {
    /// How many targets that are, those included that are left out now ([`Outcome::refused`]).
    pub targets: usize,
    /// Which of them were the addresses of names then; the names are those of the job.
    pub names: BTreeMap<String, Vec<IpAddr>>,
}

/// What a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// It looks for hosts; no port has a result yet.
    Discovery,
    /// It asks ports.
    #[default]
    Ports,
}

impl Phase {
    /// `discovery` or `ports`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Ports => "ports",
        }
    }
}

/// Counts of a run in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// What it is about now.
    pub phase: Phase,
    /// Addresses at which hosts are or were looked for; 0 if they are not.
    pub hosts: u64,
    /// Of these, so many answered so far.
    pub hosts_found: u64,
    /// Pairs of address and port in the job, both protocols.
    pub total: u64,
    /// Pairs with a result, and those of hosts that are down.
    pub done: u64,
    /// Of these, open.
    pub open: u64,
    /// Attempts made, repetitions included.
    pub attempts: u64,
    /// Packets sent; equal to `attempts` where the kernel sends on our behalf and does not tell.
    pub sent: u64,
    /// Packets received and understood.
    pub received: u64,
    /// Answers lost on this machine for want of room, as the kernel counts them.
    pub dropped: u64,
}

/// Which engine took which part of the job, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The engine: never [`Engine::Auto`].
    pub engine: Engine,
    /// How many targets it takes.
    pub targets: usize,
    /// Why, as a phrase for people: "CAP_NET_RAW is there; eth0".
    pub why: String,
}

/// What a run tells its caller while it goes on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The run goes on from a checkpoint. The first event, if it comes.
    TakenUp(Box<TakenUp>),
    /// An engine starts on part of the job.
    Engine(Choice),
    /// A result.
    Found(Finding),
    /// An open TCP port accepted a second time, with [`crate::Verification::On`]. Comes after its [`Self::Found`] and before
    /// the report of its host, which names those that did not.
    Confirmed {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// Something about the manner of the run that is good to know, as a sentence for people.
    Note(String),
    /// All ports of a host have a result.
    Host(Box<HostReport>),
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
    /// The engines that ran.
    pub engines: Vec<Choice>,
    /// The hosts that have some results and no report, in the order of their addresses: the run was interrupted.
    pub unfinished: Vec<Unfinished>,
    /// What went wrong on this machine after the run had begun, one sentence each: an engine that could not go on, so that
    /// ports have no result, or a state file that could not be written, so that a later run finds an older state there than
    /// this run reached. What was found stands. Each also came as [`Event::Note`].
    pub gaps: Vec<String>,
}
