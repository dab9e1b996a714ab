//! Which engine takes which target, and one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::checkpoint::Earlier;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::job::Prepared;
use crate::links::Links;
use crate::order::shuffle;
use crate::raw::netlink::Route;
use crate::raw::routes::{Routes, Way, look_up};
use crate::{
    Choice, Control, Discovery, Engine, Error, HostReason, Job, Presence, Reason, Settings, State, Verification,
    connect, ping, raw, udp,
};

mod connecting;
mod discovery;
mod finishing;
mod next_hops;

/// A job in work.
pub struct Engines<'a> {
    pub job: &'a Job,
    pub prepared: &'a Prepared,
    pub control: &'a Control,
    pub messenger: &'a Messenger,
    pub earlier: &'a Earlier,
    /// The devices that lead to the targets.
    pub links: &'a Links,
    pub seed: u64,
}

/// Who takes what.
#[derive(Default)]
struct Shares {
    raw: Vec<u32>,
    connect: Vec<u32>,
    nowhere: Vec<u32>,
    /// Addresses that belong to no host.
    no_host: Vec<u32>,
    routes: Option<Routes>,
    why_connect: String,
    /// What discovery learned of the hosts of the raw engine.
    here: HashMap<u32, raw::Here>,
    /// What came of the first port of hosts that were asked for it beforehand, if that was all there is to ask.
    knocked: HashMap<u32, Record>,
    /// Next hops of the connect engine that have yet to prove that they are still there, and since when.
    doubted: Option<(Instant, HashSet<next_hops::Hop>)>,
    /// Hosts of the connect engine that answered to discovery, and how.
    answered: BTreeMap<u32, HostReason>,
}

impl Shares {
    /// What discovery says of a host.
    fn presence(&self, host: u32) -> Option<Presence> {
        let seen = self.here.get(&host).and_then(|here| here.presence);
        seen.or_else(|| self.answered.get(&host).copied().map(Presence::Up))
    }

    /// Whether a router is on the way to a host.
    fn is_routed(&self, host: u32) -> bool {
        self.routes.as_ref().and_then(|routes| routes.routed.get(host as usize)).copied().unwrap_or(false)
    }
}

impl<'a> Engines<'a> {
    /// Runs the whole job.
    pub fn run(&self) -> Result<(), Error> {
        // Without ports there is still the question which hosts are there.
        let nothing_to_ask = self.prepared.total == 0 && self.job.settings.discovery == Discovery::Off;
        if self.prepared.targets.is_empty() || nothing_to_ask {
            return Ok(());
        }
        let shares = self.share()?;
        let links = Links::new(shares.routes.as_ref().map_or_else(Vec::new, |routes| routes.devices.clone()));
        let engines = Engines { links: &links, ..*self };
        links.watched(|| engines.work(shares))
    }

    fn work(&self, mut shares: Shares) -> Result<(), Error> {
        if self.job.settings.discovery == Discovery::On {
            self.discover(&mut shares)?;
        } else {
            self.leave_out_lost(&mut shares)?;
        }
        self.nowhere(&shares.nowhere);
        self.down(std::mem::take(&mut shares.no_host), HostReason::NoHost);
        if !self.prepared.udp_ports.is_empty() {
            self.udp(&shares)?;
        }
        if self.prepared.tcp_ports.is_empty() {
            if self.prepared.udp_ports.is_empty() {
                self.end_all(&shares);
            }
            return Ok(());
        }
        if !shares.raw.is_empty() {
            self.raw(&mut shares)?;
        }
        if !shares.connect.is_empty() {
            self.connect(&shares)?;
        }
        Ok(())
    }

    /// Divides the targets that are not finished yet among the engines.
    fn share(&self) -> Result<Shares, Error> {
        let settings = &self.job.settings;
        let ids: Vec<u32> = (0..).take(self.prepared.targets.len()).filter(|id| !self.earlier.is_ended(*id)).collect();
        let mut shares = Shares::default();
        self.check_loopback()?;
        let may_run = raw::may_run();
        match (settings.engine, &may_run) {
            (Engine::Syn, Err(why)) => return Err(Error::NoRawEngine(why.clone())),
            (Engine::Auto, Err(why)) => shares.why_connect = why.clone(),
            (Engine::Connect, _) => shares.why_connect = "asked for".to_owned(),
            _ => {}
        }
        let all_connect = !shares.why_connect.is_empty();
        let routes = match look_up(&self.prepared.targets, settings.interface.as_deref(), self.control) {
            Ok(Some(routes)) => routes,
            Ok(None) => return Err(Error::NoInterface(settings.interface.clone().unwrap_or_default())),
            // Where nobody may ask for routes, the kernel finds them when it connects.
            Err(_) if all_connect => {
                shares.connect = ids;
                return Ok(shares);
            }
            Err(error) => return Err(error.into()),
        };
        for id in ids {
            match routes.ways.get(id as usize) {
                Some(Way::Raw { .. }) if !all_connect => shares.raw.push(id),
                Some(Way::Raw { .. } | Way::Kernel) => shares.connect.push(id),
                Some(Way::NoHost) => shares.no_host.push(id),
                Some(Way::None) | None => shares.nowhere.push(id),
            }
        }
        shares.routes = Some(routes);
        let named = |id: &&u32| self.address(**id).is_some_and(|address| self.prepared.certain.contains(&address));
        if let Some(target) = shares.no_host.iter().find(named).and_then(|id| self.address(*id)) {
            return Err(Error::NoHost { target });
        }
        // Neighbouring addresses are not asked one after the other, nor in the same part of a large job.
        for list in [&mut shares.raw, &mut shares.connect] {
            shuffle(list, self.seed);
        }
        if !all_connect {
            shares.why_connect = "this machine itself, or a kind of device without raw packets".to_owned();
        }
        Ok(shares)
    }

    /// Loopback addresses are on the loopback device only, and nothing but addresses of this machine is.
    fn check_loopback(&self) -> Result<(), Error> {
        let Some(name) = self.job.settings.interface.as_deref() else { return Ok(()) };
        let mut netlink = raw::netlink::Netlink::open()?;
        let interfaces = netlink.interfaces()?;
        let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else { return Ok(()) };
        for target in &self.prepared.targets {
            if !interface.is_loopback() && target.is_loopback() {
                return Err(Error::WrongInterface { target: *target, interface: name.to_owned() });
            }
            if interface.is_loopback() && !target.is_loopback() && netlink.route(*target, None)? != Route::Local {
                return Err(Error::OnlyThisMachine { target: *target, interface: name.to_owned() });
            }
        }
        Ok(())
    }

    fn raw_run(&self) -> raw::Run<'_> {
        raw::Run {
            prepared: self.prepared,
            settings: &self.job.settings,
            never: &self.job.never,
            control: self.control,
            messenger: self.messenger,
            earlier: self.earlier,
            links: self.links,
            seed: self.seed,
        }
    }

    fn raw(&self, shares: &mut Shares) -> Result<(), Error> {
        let Some(routes) = shares.routes.as_ref() else { return Ok(()) };
        let devices: BTreeSet<&str> = (shares.raw.iter())
            .filter_map(|id| match routes.ways.get(*id as usize) {
                Some(Way::Raw { interface, .. }) => routes.interfaces.get(interface).map(|device| device.name.as_str()),
                _ => None,
            })
            .collect();
        let why = format!("CAP_NET_RAW is there, over {}", devices.into_iter().collect::<Vec<_>>().join(", "));
        self.messenger.tell(Message::Engine(Choice { engine: Engine::Syn, targets: shares.raw.len(), why }));
        match raw::run(&self.raw_run(), routes, &shares.raw, &shares.here)? {
            Some(not_opened) => self.fall_back(shares, not_opened),
            None => Ok(()),
        }
    }

    /// The raw engine cannot have its devices: whoever left the choice to us gets the other engine.
    fn fall_back(&self, shares: &mut Shares, not_opened: raw::NotOpened) -> Result<(), Error> {
        let why = format!("the raw engine cannot open its devices: {}", not_opened.error);
        if self.job.settings.engine == Engine::Syn {
            return Err(Error::NoRawEngine(why));
        }
        let left: HashSet<u32> = not_opened.left.iter().copied().collect();
        shares.raw.retain(|id| !left.contains(id));
        for id in &not_opened.left {
            if shares.here.get(id).is_some_and(|here| here.presence.is_some()) {
                shares.answered.insert(*id, HostReason::Port);
            }
        }
        shares.connect.extend(not_opened.left);
        shares.why_connect = why;
        Ok(())
    }

    /// Targets without a route.
    fn nowhere(&self, ids: &[u32]) {
        for id in ids {
            if self.control.is_cancelled() {
                return;
            }
            let presence = Some(Presence::Down(HostReason::NoRoute));
            if self.job.settings.discovery == Discovery::Off {
                self.unreachable(*id, presence, Reason::NoRoute);
            } else {
                self.messenger.tell(Message::Host(Box::new(HostEnd { host: *id, presence, ..HostEnd::default() })));
            }
        }
    }

    /// A host that cannot be reached, with all its ports.
    fn unreachable(&self, host: u32, presence: Option<Presence>, reason: Reason) {
        if self.control.is_cancelled() {
            return;
        }
        let ports = u32::try_from(self.prepared.ports_each()).unwrap_or(0);
        let state = State::Unreachable;
        let record = |port| Record { host, port, state, reason, rtt_us: 0, ttl: 0, attempts: 0 };
        let left = (0..ports).filter(|port| !self.earlier.is_done(host, *port));
        self.messenger.records(left.map(record).collect());
        while self.messenger.is_congested() && !self.control.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
    }

    /// Ends hosts that were only looked for.
    fn end_all(&self, shares: &Shares) {
        if self.control.is_cancelled() {
            return;
        }
        for host in shares.raw.iter().chain(&shares.connect) {
            self.end(shares, *host, 0);
        }
    }

    /// Ends a host of which no TCP port is asked.
    fn end(&self, shares: &Shares, host: u32, rtt_us: u32) {
        let presence = shares.presence(host);
        let mac = shares.here.get(&host).and_then(raw::Here::mac);
        self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, rtt_us, mac, ..HostEnd::default() })));
    }

    fn udp(&self, shares: &Shares) -> Result<(), Error> {
        let first_index = u32::try_from(self.prepared.tcp_ports.len()).unwrap_or(0);
        let plan = udp::Plan {
            ids: shares.raw.iter().chain(&shares.connect).copied().collect(),
            addresses: &self.prepared.targets,
            ports: &self.prepared.udp_ports,
            first_index,
            payloads: &self.job.udp_payloads,
            settings: &self.job.settings,
            never: &self.job.never,
            skip: &|host, port| self.earlier.is_done(host, port),
            messenger: self.messenger,
            finished: &|host, rtt_us| {
                if self.prepared.tcp_ports.is_empty() {
                    self.end(shares, host, rtt_us);
                }
            },
            interface: self.job.settings.interface.as_deref(),
            links: self.links,
            seed: self.seed,
        };
        udp::run(&plan, self.control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_engine_without_devices_gives_way_unless_it_was_asked_for_by_name() {
        for engine in [Engine::Auto, Engine::Syn] {
            let mut job = Job::new(vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()], vec![80]);
            job.settings.engine = engine;
            let prepared = Prepared::new(&job).unwrap();
            let (control, (messenger, _messages), earlier) = (Control::new(), Messenger::new(), Earlier::default());
            let engines = Engines {
                job: &job,
                prepared: &prepared,
                control: &control,
                messenger: &messenger,
                earlier: &earlier,
                links: &Links::new(Vec::new()),
                seed: 1,
            };
            let mut shares = Shares { raw: vec![0, 1], ..Shares::default() };
            let error = std::io::Error::from_raw_os_error(12);
            let done = engines.fall_back(&mut shares, raw::NotOpened { error, left: vec![1] });
            if engine == Engine::Auto {
                done.unwrap();
                assert_eq!((&shares.raw[..], &shares.connect[..]), (&[0][..], &[1][..]));
                assert!(shares.why_connect.contains("memory"), "{}", shares.why_connect);
            } else {
                assert!(matches!(done, Err(Error::NoRawEngine(why)) if why.contains("memory")));
            }
        }
    }
}
