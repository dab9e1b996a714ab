//! The raw engine: SYN packets of our own making, answers from a ring shared with the kernel.
//!
//! Read in this order: [`routes`] (which way), [`discover`] (hardware addresses, hosts that are there), [`send`] (what
//! to ask next), [`receive`] (what an answer means), [`crate::congestion`] (how fast). [`cookie`] ties answers to questions,
//! [`packet`] writes and reads bytes, [`filter`] is what the kernel runs, [`crate::sys`] holds all `unsafe`.
//!
//! The kernel does not know of our connections and resets each SYN-ACK on its own; we send nothing for a SYN-ACK and
//! nothing for a reset.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::checkpoint::Earlier;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::job::Prepared;
use crate::limits::subnets;
use crate::links::Links;
use crate::order::shuffle;
use crate::sys::packet::{self as device, Medium, Ring, Sender};
use crate::sys::release::release;
use crate::{Control, Error, HostReason, Never, Presence, Rates, Reason, Settings, State};
use clock::Clock;
use cookie::{Cookies, SOURCE_PORTS};
use discover::{Asker, Search};
use netlink::{Netlink, Route};
use packet::Link;
use routes::{Routes, Way};
use send::{Hop, Sending, Target, Transmitter, second};
use shared::Shared;

mod clock;
mod cookie;
mod discover;
mod filter;
pub mod netlink;
mod packet;
mod receive;
pub mod routes;
mod send;
mod shared;
mod trouble;
mod wheel;

/// Hosts and pairs that are worked on at the same time; a larger job is done in parts.
const HOSTS_AT_ONCE: usize = 1 << 15;
const PAIRS_AT_ONCE: usize = 1 << 26;

/// Whether this process may send and receive raw packets; if not, why.
pub fn may_run() -> Result<(), String> {
    device::may_capture().map_err(|error| match error.kind() {
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
    pub links: &'a Links,
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

/// Nobody waits until they are closed, which takes the kernel some ten milliseconds for each. Where it cannot do that alone,
/// all are closed at the same time.
impl Drop for Devices {
    fn drop(&mut self) {
        let rings = std::mem::take(&mut self.rings).into_iter().map(OwnedFd::from);
        let senders = std::mem::take(&mut self.senders).into_iter().map(OwnedFd::from);
        let Err(descriptors) = release(rings.chain(senders).collect()) else { return };
        std::thread::scope(|scope| {
            for descriptor in descriptors {
                let closer = std::thread::Builder::new().name("portscan-close".into());
                // Without a thread the descriptor is closed here.
                let _ = closer.spawn_scoped(scope, move || drop(descriptor));
            }
        });
    }
}

/// What is known of a host before its ports are asked.
#[derive(Debug, Clone, Copy)]
pub struct Here {
    /// Hardware addresses of ours and of the next hop.
    pub link: Link,
    /// By what it was seen.
    pub presence: Option<Presence>,
}

impl Here {
    /// The hardware address of the host itself, if it is on the link.
    pub fn mac(&self) -> Option<[u8; 6]> {
        let is_neighbour = self.presence == Some(Presence::Up(HostReason::Neighbour));
        self.link.map(|(_, mac)| mac).filter(|_| is_neighbour)
    }
}

/// What came of looking for hosts.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that are there, or have to be taken to be.
    pub here: HashMap<u32, Here>,
    /// Those that answered nothing.
    pub silent: HashMap<u32, Here>,
    /// Those that nobody on the link answers for.
    pub no_neighbour: Vec<u32>,
    /// Those for whose router nobody answers.
    pub no_router: Vec<u32>,
}

/// The devices cannot be opened.
#[derive(Debug)]
pub struct NotOpened {
    pub error: io::Error,
    /// Targets for which nothing was done.
    pub left: Vec<u32>,
}

impl NotOpened {
    fn at(error: io::Error, ids: &[u32], done: usize) -> Self {
        Self { error, left: ids.get(done..).unwrap_or_default().to_vec() }
    }
}

/// What is opened anew for each part of the targets.
struct Part {
    cookies: Cookies,
    ways: BTreeMap<u32, Way>,
    devices: Devices,
}

impl Part {
    fn open(routes: &Routes, ids: &[u32], longest: Duration) -> io::Result<Self> {
        let cookies = Cookies::new([rand::random(), rand::random(), rand::random()], longest);
        let ways: BTreeMap<u32, Way> =
            ids.iter().filter_map(|id| Some((*id, *routes.ways.get(*id as usize)?))).collect();
        let devices = Devices::open(routes, &ways, &cookies)?;
        Ok(Self { cookies, ways, devices })
    }
}

/// Looks which of the targets with these numbers are there; `ports` are asked beside the usual ones.
pub fn find(run: &Run<'_>, routes: &Routes, ids: &[u32], ports: &[u16]) -> Result<(Found, Option<NotOpened>), Error> {
    let mut found = Found::default();
    for (part, ids_of_part) in ids.chunks(HOSTS_AT_ONCE).enumerate() {
        if run.control.is_cancelled() {
            break;
        }
        let Part { cookies, ways, mut devices } = match Part::open(routes, ids_of_part, run.settings.timeout) {
            Ok(part) => part,
            Err(error) => return Ok((found, Some(NotOpened::at(error, ids, part * HOSTS_AT_ONCE)))),
        };
        let Resolved { targets, lost, .. } = resolve(run, routes, &ways, &mut devices, &HashMap::new())?;
        for (id, why) in lost {
            match why {
                // Its datagrams are not asked for later either.
                Lost::InTrouble(reason) => in_trouble(run, id, run.prepared.ports_each(), reason),
                Lost::NoNeighbour => found.no_neighbour.push(id),
                Lost::NoRouter => found.no_router.push(id),
            }
        }
        let on_link = targets.iter().filter(|target| target.presence.is_some()).count();
        run.messenger.traffic.hosts_found.fetch_add(on_link as u64, Relaxed);
        let is_sure = |target: &Target| target.presence.is_some() || run.prepared.certain.contains(&target.address);
        let mut far: Vec<_> = (targets.iter().filter(|target| !is_sure(target)))
            .map(|target| (target.address, target.source, target.link, target.way))
            .collect();
        shuffle(&mut far, run.seed);
        let mut search = search(run, &mut devices, ports);
        let (present, in_trouble) = search.hosts(&cookies, &far);
        for target in targets {
            let presence = target.presence.or_else(|| present.get(&target.address).copied().map(Presence::Up));
            let here = Here { link: target.link, presence };
            // Who cannot be asked for trouble on this machine gets that as the state of his ports.
            let unasked = in_trouble.contains(&target.address) || run.links.is_lost(target.address);
            let asked = presence.is_some() || is_sure(&target) || unasked;
            let list = if asked { &mut found.here } else { &mut found.silent };
            list.insert(target.id, here);
        }
    }
    Ok((found, None))
}

/// Finds the next hops of the targets with these numbers and asks nobody else anything. Those of which this machine's trouble
/// kept it from learning anything are in no list.
pub fn find_next_hops(run: &Run<'_>, routes: &Routes, ids: &[u32]) -> Result<(Found, Option<NotOpened>), Error> {
    let mut found = Found::default();
    for (part, ids_of_part) in ids.chunks(HOSTS_AT_ONCE).enumerate() {
        if run.control.is_cancelled() {
            break;
        }
        let Part { ways, mut devices, .. } = match Part::open(routes, ids_of_part, run.settings.timeout) {
            Ok(part) => part,
            Err(error) => return Ok((found, Some(NotOpened::at(error, ids, part * HOSTS_AT_ONCE)))),
        };
        let Resolved { targets, lost, .. } = resolve(run, routes, &ways, &mut devices, &HashMap::new())?;
        for (id, why) in lost {
            match why {
                Lost::InTrouble(_) => {}
                Lost::NoNeighbour => found.no_neighbour.push(id),
                Lost::NoRouter => found.no_router.push(id),
            }
        }
        let here = |target: &Target| (target.id, Here { link: target.link, presence: target.presence });
        found.here.extend(targets.iter().map(here));
    }
    Ok((found, None))
}

/// Asks the TCP ports of the targets with these numbers; `routes` holds the ways to all targets of the job, `here` what
/// [`find`] said of them.
pub fn run(run: &Run<'_>, routes: &Routes, ids: &[u32], here: &HashMap<u32, Here>) -> Result<Option<NotOpened>, Error> {
    let ports = run.prepared.tcp_ports.len().max(1);
    let at_once = (PAIRS_AT_ONCE / ports).clamp(1, HOSTS_AT_ONCE);
    for (part, ids_of_part) in ids.chunks(at_once).enumerate() {
        if run.control.is_cancelled() {
            break;
        }
        let Part { cookies, ways, mut devices } = match Part::open(routes, ids_of_part, run.settings.timeout) {
            Ok(part) => part,
            Err(error) => return Ok(Some(NotOpened::at(error, ids, part * at_once))),
        };
        let Resolved { targets, hops, lost } = resolve(run, routes, &ways, &mut devices, here)?;
        for (id, why) in lost {
            match why {
                Lost::InTrouble(reason) => in_trouble(run, id, run.prepared.tcp_ports.len() as u64, reason),
                Lost::NoNeighbour => nobody_there(run, id, true),
                Lost::NoRouter => nobody_there(run, id, false),
            }
        }
        if !targets.is_empty() && !run.control.is_cancelled() {
            ask(run, (targets, hops), devices, cookies)?;
        }
    }
    Ok(None)
}

fn search<'a>(run: &'a Run<'_>, devices: &'a mut Devices, ports: &'a [u16]) -> Search<'a> {
    Search {
        control: run.control,
        links: run.links,
        rings: &mut devices.rings,
        senders: &devices.senders,
        traffic: &run.messenger.traffic,
        clock: Clock::start(),
        rates: run.settings.rates,
        seed: run.seed,
        ports,
        timeout: run.settings.timeout,
        dropped: 0,
        stuck_since: None,
    }
}

/// Why a target cannot be asked.
#[derive(Debug, Clone, Copy)]
enum Lost {
    /// Nobody on the link answers for it.
    NoNeighbour,
    /// Nobody on the link answers for its router.
    NoRouter,
    /// This machine could not ask for either.
    InTrouble(Reason),
}

/// What came of looking for next hops.
struct Resolved {
    /// The targets that can be asked.
    targets: Vec<Target>,
    /// The next hops that they name by number.
    hops: Vec<Hop>,
    lost: Vec<(u32, Lost)>,
}

/// From which address the kernel would speak to a neighbour on an interface.
fn own_address(neighbour: IpAddr, interface: u32) -> Result<Option<IpAddr>, Error> {
    match Netlink::open()?.route(neighbour, Some(interface))? {
        Route::Out { source, .. } => Ok(source.filter(|source| source.is_ipv4() == neighbour.is_ipv4())),
        _ => Ok(None),
    }
}

/// Who asks for the next hops of these ways, by interface and address.
fn askers(
    run: &Run<'_>,
    routes: &Routes,
    ways: &BTreeMap<u32, Way>,
    devices: &Devices,
) -> Result<HashMap<(u32, IpAddr), Asker>, Error> {
    let mut askers: HashMap<(u32, IpAddr), Asker> = HashMap::new();
    for (id, way) in ways {
        if let Way::Raw { interface, source, next_hop: Some(next_hop) } = way
            && let Some(own) = routes.interfaces.get(interface).and_then(|device| device.mac)
            && let Some(number) = devices.number.get(&(*interface, source.is_ipv4()))
        {
            let asker = match askers.entry((*interface, *next_hop)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    // A next hop of the other family is asked from an address of that family.
                    let source = if source.is_ipv4() == next_hop.is_ipv4() {
                        *source
                    } else {
                        own_address(*next_hop, *interface)?.unwrap_or(*source)
                    };
                    free.insert(Asker { source, own, way: *number, is_router: false })
                }
            };
            asker.is_router |= run.prepared.targets.get(*id as usize) != Some(next_hop);
        }
    }
    Ok(askers)
}

/// Finds the hardware addresses of the ways that are not known yet.
fn resolve(
    run: &Run<'_>,
    routes: &Routes,
    ways: &BTreeMap<u32, Way>,
    devices: &mut Devices,
    here: &HashMap<u32, Here>,
) -> Result<Resolved, Error> {
    let askers = askers(run, routes, ways, devices)?;
    let unknown = ways.iter().filter(|(id, _)| !here.contains_key(id)).filter_map(|(_, way)| match way {
        Way::Raw { interface, next_hop, .. } => next_hop.map(|hop| (*interface, hop)),
        _ => None,
    });
    let wanted = unknown.filter_map(|key| Some((key, *askers.get(&key)?))).collect();
    let neighbours = search(run, devices, &[]).neighbours(&wanted)?;
    let (mut targets, mut lost, mut hops) = (Vec::new(), Vec::new(), Vec::new());
    let mut number_of_hop: HashMap<(u32, IpAddr), usize> = HashMap::new();
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
        let on_link = next_hop == Some(address);
        let (link, presence) = if let Some(here) = here.get(id) {
            (here.link, here.presence)
        } else if let Some(hop) = next_hop {
            let own = routes.interfaces.get(&interface).and_then(|device| device.mac);
            let known = neighbours.known.get(&(interface, hop)).copied();
            let mac = known.or_else(|| neighbours.remembered.get(&(interface, hop)).copied().filter(|_| !on_link));
            let (Some(own), Some(mac)) = (own, mac) else {
                // A device without carrier has no room either.
                let cut_off = is_cut_off(run, *id).then_some(Reason::NetworkDown);
                let why = match cut_off.or_else(|| neighbours.trouble.get(&(interface, hop)).copied()) {
                    Some(reason) => Lost::InTrouble(reason),
                    None if on_link => Lost::NoNeighbour,
                    None => Lost::NoRouter,
                };
                lost.push((*id, why));
                continue;
            };
            (Some((own, mac)), on_link.then_some(Presence::Up(HostReason::Neighbour)))
        } else {
            (None, None)
        };
        let hop = next_hop.zip(link).and_then(|(hop, (_, mac))| {
            let key = (interface, hop);
            let asker = askers.get(&key)?;
            Some(*number_of_hop.entry(key).or_insert_with(|| {
                hops.push(Hop::new(interface, hop, *asker, mac));
                hops.len() - 1
            }))
        });
        targets.push(Target {
            id: *id,
            address,
            source,
            way: number,
            link,
            hop,
            mac: link.map(|(_, mac)| mac).filter(|_| on_link),
            presence,
            position: run.earlier.position(*id),
            answered: run.earlier.begun(*id).is_some_and(|begun| begun.answered),
            subnet: 0,
        });
    }
    let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
    for (target, subnet) in targets.iter_mut().zip(subnets(&addresses).0) {
        target.subnet = subnet;
    }
    Ok(Resolved { targets, hops, lost })
}

/// Whether the device that leads to a host has been down for too long.
fn is_cut_off(run: &Run<'_>, host: u32) -> bool {
    run.prepared.targets.get(host as usize).is_some_and(|address| run.links.is_lost(*address))
}

/// Nobody answers for the host's address, or for its router's: its ports are unreachable.
fn nobody_there(run: &Run<'_>, host: u32, on_link: bool) {
    let presence = (!on_link).then_some(Presence::Down(HostReason::NoRouter));
    let ports = run.prepared.tcp_ports.len() as u64;
    all_ports(run, (host, presence), ports, State::Unreachable, Reason::NoNeighbour);
}

/// The host was not asked for trouble on this machine.
fn in_trouble(run: &Run<'_>, host: u32, ports: u64, reason: Reason) {
    all_ports(run, (host, None), ports, State::Error, reason);
}

/// Results on the way of a host that none of its ports were asked of: told piece by piece, so that there are never more
/// waiting than an engine may have.
const PIECE: usize = 4096;

fn all_ports(run: &Run<'_>, (host, presence): (u32, Option<Presence>), ports: u64, state: State, reason: Reason) {
    let ports = u32::try_from(ports).unwrap_or(0);
    let mut records = (0..ports).filter(|port| !run.earlier.is_done(host, *port)).map(|port| Record {
        host,
        port,
        state,
        reason,
        rtt_us: 0,
        ttl: 0,
        attempts: 0,
    });
    loop {
        while run.messenger.is_congested() && !run.control.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if run.control.is_cancelled() {
            return;
        }
        let piece: Vec<Record> = records.by_ref().take(PIECE).collect();
        if piece.is_empty() {
            break;
        }
        run.messenger.records(piece);
    }
    run.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
}

/// Ends the receiving thread, also where the sending one breaks off.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
    }
}

fn ask(
    run: &Run<'_>,
    (targets, hops): (Vec<Target>, Vec<Hop>),
    mut devices: Devices,
    cookies: Cookies,
) -> Result<(), Error> {
    let addresses: Vec<IpAddr> = targets.iter().map(|target| target.address).collect();
    let mut shared = Shared::new(&addresses, run.prepared.tcp_ports.clone(), cookies);
    shared.hops = (0..).zip(&hops).map(|(number, hop)| ((hop.interface, hop.address), number)).collect();
    let each = u32::try_from(shared.ports.len()).unwrap_or(0);
    if run.earlier.exists() {
        for (number, target) in (0..).zip(&targets) {
            for port in (0..each).filter(|port| run.earlier.is_done(target.id, *port)) {
                if shared.done.set(shared.pair(number, port)) {
                    shared.hosts[number as usize].undone.fetch_sub(1, Relaxed);
                }
            }
            if let Some(begun) = run.earlier.begun(target.id) {
                shared.begun(number, begun);
            }
        }
    }
    let ids: Vec<u32> = targets.iter().map(|target| target.id).collect();
    let Devices { rings, senders, .. } = &mut devices;
    let count = targets.iter().map(|target| target.subnet + 1).max().unwrap_or(0);
    let sending = Sending {
        shared: &shared,
        control: run.control,
        links: run.links,
        settings: run.settings,
        messenger: run.messenger,
        senders,
        positions: run.settings.checkpoint.is_some(),
    };
    let mut transmitter = Transmitter::new(sending, targets, hops, count, run.seed);
    std::thread::scope(|scope| -> Result<(), Error> {
        let receiver = std::thread::Builder::new()
            .name("portscan-receive".into())
            .spawn_scoped(scope, || receive::receive(&shared, &ids, rings, run.messenger))?;
        if is_worth_a_second_thread(run, shared.hosts.len() * shared.ports.len()) {
            let (second, work) = second::pair();
            let thread = std::thread::Builder::new().name("portscan-send".into());
            // Without it everything goes out from here.
            if thread.spawn_scoped(scope, || work.run(senders)).is_ok() {
                transmitter.helped_by(second);
            }
        }
        let ending = Ending(&shared);
        // It goes with whatever breaks off, and the second thread with it.
        let mut transmitter = transmitter;
        transmitter.run();
        drop(ending);
        receiver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(())
    })
}

/// Whether so many questions may keep a processor busy, and there is another one. Two processors that share a socket and a ring
/// need a little more time together than one alone, and a third less by the clock.
fn is_worth_a_second_thread(run: &Run<'_>, questions: usize) -> bool {
    const MANY: usize = 1 << 15;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    questions >= MANY && processors > 1 && run.settings.rates == Rates::default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::{Job, collect};

    /// Nobody reads, so no more is told than an engine may have waiting.
    #[test]
    fn hosts_that_cannot_be_reached_do_not_fill_the_memory() {
        let targets: Vec<IpAddr> = (0..40).map(|n| IpAddr::from([192, 0, 2, n])).collect();
        let job = Job::new(targets, (1..=u16::MAX).collect());
        let prepared = Prepared::new(&job).unwrap();
        let (control, earlier, links) = (Control::new(), Earlier::default(), Links::new(Vec::new()));
        let (go_on, wait) = channel::<()>();
        let count = AtomicU64::new(0);
        let wait = std::sync::Mutex::new(wait);
        let take = |_: &Record| {
            if count.fetch_add(1, Relaxed) == 0 {
                wait.lock().unwrap().recv().unwrap();
            }
        };
        collect::aside(&Arc::default(), take, |messenger| {
            std::thread::scope(|scope| {
                let run = Run {
                    prepared: &prepared,
                    settings: &job.settings,
                    never: &job.never,
                    control: &control,
                    messenger,
                    earlier: &earlier,
                    links: &links,
                    seed: 1,
                };
                let teller = scope.spawn(move || (0..40).for_each(|host| nobody_there(&run, host, true)));
                while !messenger.is_congested() {
                    std::thread::yield_now();
                }
                control.cancel();
                teller.join().unwrap();
                go_on.send(()).unwrap();
            });
            Ok(())
        })
        .unwrap();
        let told = count.load(Relaxed);
        assert!((200_000..=200_000 + 2 * PIECE as u64).contains(&told), "{told}");
    }
}
