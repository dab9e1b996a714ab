//! The raw engine: SYN packets of our own making, answers from a ring shared with the kernel.
//!
//! Read in this order: [`routes`] (which way), [`discover`] (hardware addresses, hosts that are there), [`send`] (what
//! to ask next), [`receive`] (what an answer means), [`congestion`] (how fast). [`cookie`] ties answers to questions,
//! [`packet`] writes and reads bytes, [`filter`] is what the kernel runs, [`sys`] holds all `unsafe`.
//!
//! The kernel does not know of our connections and resets each SYN-ACK on its own; we send nothing for a SYN-ACK and
//! nothing for a reset.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use std::time::Instant;

use crate::checkpoint::Earlier;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::job::Prepared;
use crate::limits::subnets;
use crate::{Control, Discovery, Error, HostReason, Never, Presence, Reason, Settings, State};
use cookie::{Cookies, SOURCE_PORTS};
use discover::{Asker, Search};
use routes::{Routes, Way};
use send::{Sending, Target, Transmitter};
use shared::{Bits, Host, Shared};
use sys::{Medium, Ring, Sender};

mod congestion;
mod cookie;
mod discover;
mod filter;
pub mod netlink;
mod packet;
mod receive;
pub mod routes;
mod send;
mod shared;
pub mod sys;
mod wheel;

/// Hosts and pairs that are worked on at the same time; a larger job is done in parts.
const HOSTS_AT_ONCE: usize = 1 << 15;
const PAIRS_AT_ONCE: usize = 1 << 26;

/// Whether this process may send and receive raw packets; if not, why.
pub fn may_run() -> Result<(), String> {
    sys::may_capture().map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => "CAP_NET_RAW is missing".to_owned(),
        _ => format!("no packet socket: {error}"),
    })
}

/// What a run needs.
pub struct Run<'a> {
    pub prepared: &'a Prepared,
    pub settings: &'a Settings,
    pub never: &'a Never,
    pub control: &'a Control,
    pub messenger: &'a Messenger,
    pub earlier: &'a Earlier,
    pub seed: u64,
}

/// The senders and rings of a run, and which way is which.
struct Devices {
    rings: Vec<Ring>,
    senders: Vec<Sender>,
    number: HashMap<(u32, bool), usize>,
}

impl Devices {
    fn open(routes: &Routes, ways: &BTreeMap<u32, Way>, cookies: &Cookies) -> io::Result<Self> {
        let program = filter::program(cookies.first_port, cookies.first_port + (SOURCE_PORTS - 1));
        let mut devices = Self { rings: Vec::new(), senders: Vec::new(), number: HashMap::new() };
        let mut with_ring = Vec::new();
        for way in ways.values() {
            let Way::Raw { interface, source, next_hop } = way else { continue };
            let key = (*interface, source.is_ipv4());
            if devices.number.contains_key(&key) {
                continue;
            }
            let medium = match (next_hop, source) {
                (Some(_), _) => Medium::Ethernet,
                (None, IpAddr::V4(_)) => Medium::Ip4,
                (None, IpAddr::V6(_)) => Medium::Ip6,
            };
            let name = routes.interfaces.get(interface).map_or("", |device| device.name.as_str());
            devices.number.insert(key, devices.senders.len());
            devices.senders.push(Sender::open(*interface, name, medium)?);
            if !with_ring.contains(interface) {
                with_ring.push(*interface);
                devices.rings.push(Ring::open(*interface, &program)?);
            }
        }
        Ok(devices)
    }
}

/// Asks the TCP ports of the targets with these numbers; `routes` holds the ways to all targets of the job.
pub fn run(run: &Run<'_>, routes: &Routes, ids: &[u32]) -> Result<(), Error> {
    let ports = run.prepared.tcp_ports.len().max(1);
    let at_once = (PAIRS_AT_ONCE / ports).clamp(1, HOSTS_AT_ONCE);
    for part in ids.chunks(at_once) {
        if run.control.is_cancelled() {
            break;
        }
        run_part(run, routes, part)?;
    }
    Ok(())
}

fn run_part(run: &Run<'_>, routes: &Routes, ids: &[u32]) -> Result<(), Error> {
    let cookies = Cookies::new([rand::random(), rand::random(), rand::random()]);
    let mut ways = BTreeMap::new();
    for id in ids {
        if let Some(way) = routes.ways.get(*id as usize) {
            ways.insert(*id, *way);
        }
    }
    let mut devices = Devices::open(routes, &ways, &cookies)?;
    let targets = find_targets(run, routes, &ways, &mut devices, &cookies)?;
    if targets.is_empty() || run.control.is_cancelled() {
        return Ok(());
    }
    ask(run, targets, devices, cookies)
}

/// Resolves hardware addresses and, if asked for, looks which hosts are there. Hosts that are not get their end here.
fn find_targets(
    run: &Run<'_>,
    routes: &Routes,
    ways: &BTreeMap<u32, Way>,
    devices: &mut Devices,
    cookies: &Cookies,
) -> Result<Vec<Target>, Error> {
    let mut wanted = HashMap::new();
    for way in ways.values() {
        if let Way::Raw { interface, source, next_hop: Some(next_hop) } = way
            && let Some(own) = routes.interfaces.get(interface).and_then(|device| device.mac)
            && let Some(number) = devices.number.get(&(*interface, source.is_ipv4()))
        {
            // A next hop of the other family is asked from an address of that family, which only the kernel knows;
            // what is in its table will do.
            let source = if source.is_ipv4() == next_hop.is_ipv4() { *source } else { netlink::unspecified(*next_hop) };
            wanted.entry((*interface, *next_hop)).or_insert(Asker { source, own, way: *number });
        }
    }
    let mut search = Search {
        control: run.control,
        rings: &mut devices.rings,
        senders: &devices.senders,
        traffic: &run.messenger.traffic,
        rate: run.settings.rates.global,
    };
    let neighbours = search.neighbours(&wanted)?;
    let mut targets = Vec::new();
    for (id, way) in ways {
        let (Some(address), Way::Raw { interface, source, next_hop }) =
            (run.prepared.targets.get(*id as usize).copied(), *way)
        else {
            continue;
        };
        // The last look before a host can be asked at all.
        if (run.never)(address) {
            continue;
        }
        let Some(number) = devices.number.get(&(interface, source.is_ipv4())).copied() else { continue };
        let own = routes.interfaces.get(&interface).and_then(|device| device.mac);
        let mac = next_hop.and_then(|hop| neighbours.get(&(interface, hop)).copied());
        let link = match (next_hop, own, mac) {
            (None, ..) => None,
            (Some(_), Some(own), Some(mac)) => Some((own, mac)),
            _ => {
                nobody_there(run, *id, next_hop == Some(address));
                continue;
            }
        };
        let on_link = next_hop == Some(address);
        targets.push(Target {
            id: *id,
            address,
            source,
            way: number,
            link,
            mac: mac.filter(|_| on_link),
            presence: on_link.then_some(Presence::Up(HostReason::Neighbour)),
            position: run.earlier.position(*id),
            subnet: 0,
        });
    }
    if run.settings.discovery == Discovery::On {
        let far: Vec<_> = (targets.iter().filter(|target| target.presence.is_none()))
            .map(|target| (target.address, target.source, target.link, target.way))
            .collect();
        let present = search.hosts(cookies, &far);
        targets.retain_mut(|target| {
            target.presence = target.presence.or_else(|| present.get(&target.address).copied().map(Presence::Up));
            if target.presence.is_none() && !run.control.is_cancelled() {
                let presence = Some(Presence::Down(HostReason::NoResponse));
                run.messenger.tell(Message::Host(Box::new(HostEnd {
                    host: target.id,
                    presence,
                    ..HostEnd::default()
                })));
            }
            target.presence.is_some()
        });
    }
    let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
    for (target, subnet) in targets.iter_mut().zip(subnets(&addresses).0) {
        target.subnet = subnet;
    }
    Ok(targets)
}

/// Nobody answers for the host's address, or for its router's.
fn nobody_there(run: &Run<'_>, host: u32, on_link: bool) {
    if run.control.is_cancelled() {
        return;
    }
    let mut presence = None;
    if on_link && run.settings.discovery == Discovery::On {
        presence = Some(Presence::Down(HostReason::NoNeighbour));
    } else {
        let ports = u32::try_from(run.prepared.tcp_ports.len()).unwrap_or(0);
        let records = (0..ports).filter(|port| !run.earlier.is_done(host, *port)).map(|port| Record {
            host,
            port,
            state: State::Unreachable,
            reason: Reason::NoNeighbour,
            rtt_us: 0,
            ttl: 0,
            attempts: 0,
        });
        run.messenger.records(records.collect());
    }
    run.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
}

fn ask(run: &Run<'_>, targets: Vec<Target>, devices: Devices, cookies: Cookies) -> Result<(), Error> {
    let ports = run.prepared.tcp_ports.clone();
    let pairs = targets.len() * ports.len();
    let mut port_index = vec![0_u32; 1 << 16].into_boxed_slice();
    for (number, port) in (1..).zip(&ports) {
        port_index[usize::from(*port)] = number;
    }
    let mut lookup: Vec<(IpAddr, u32)> = (0..).zip(&targets).map(|(number, target)| (target.address, number)).collect();
    lookup.sort_unstable();
    let each = u32::try_from(ports.len()).unwrap_or(0);
    let shared = Shared {
        hosts: targets.iter().map(|_| Host::new(each)).collect(),
        lookup,
        port_index,
        done: Bits::new(pairs),
        flying: Bits::new(pairs),
        cookies,
        in_flight: AtomicI64::new(0),
        answered: AtomicU32::new(0),
        late: AtomicU32::new(0),
        excess_us: AtomicU32::new(u32::MAX),
        smoothed_us: AtomicU32::new(0),
        received: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
        read_until_us: AtomicU64::new(0),
        began: Instant::now(),
        notes: Mutex::default(),
        noted: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        waiting: AtomicBool::new(false),
        sender: Mutex::new(None),
        ports,
    };
    if run.earlier.exists() {
        for (number, target) in (0..).zip(&targets) {
            for port in (0..each).filter(|port| run.earlier.is_done(target.id, *port)) {
                if shared.done.set(shared.pair(number, port)) {
                    shared.hosts[number as usize].undone.fetch_sub(1, Relaxed);
                }
            }
        }
    }
    let ids: Vec<u32> = targets.iter().map(|target| target.id).collect();
    let Devices { mut rings, senders, .. } = devices;
    let count = targets.iter().map(|target| target.subnet + 1).max().unwrap_or(0);
    let sending = Sending {
        shared: &shared,
        control: run.control,
        settings: run.settings,
        messenger: run.messenger,
        senders: &senders,
        positions: run.settings.checkpoint.is_some(),
    };
    let mut transmitter = Transmitter::new(sending, targets, count, run.seed);
    std::thread::scope(|scope| -> Result<(), Error> {
        let receiver = std::thread::Builder::new()
            .name("portscan-receive".into())
            .spawn_scoped(scope, || receive::receive(&shared, &ids, &mut rings, run.messenger))?;
        transmitter.run();
        shared.stop.store(true, Relaxed);
        // A panic of the receiver goes on in the scope.
        drop(receiver);
        Ok(())
    })
}
