//! Which engine takes which target, and one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::checkpoint::Earlier;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::job::Prepared;
use crate::order::Order;
use crate::raw::routes::{Routes, Way, look_up};
use crate::{
    Choice, Control, Discovery, Engine, Error, HostReason, Job, Presence, Reason, Settings, State, Verification,
    connect, raw, udp,
};

mod connecting;
mod discovery;

/// Whether so many open ports of those asked look like a proxy or tarpit that accepts whatever comes.
pub const fn is_suspicious(open: usize, asked: usize, many: usize) -> bool {
    open > many || (asked >= 8 && open * 10 >= asked * 9) || (asked >= 3 && open >= asked)
}

/// A job in work.
pub struct Engines<'a> {
    pub job: &'a Job,
    pub prepared: &'a Prepared,
    pub control: &'a Control,
    pub messenger: &'a Messenger,
    pub earlier: &'a Earlier,
    pub seed: u64,
}

/// Who takes what.
#[derive(Default)]
struct Shares {
    raw: Vec<u32>,
    connect: Vec<u32>,
    nowhere: Vec<u32>,
    routes: Option<Routes>,
    why_connect: String,
    /// What discovery learned of the hosts of the raw engine.
    here: HashMap<u32, raw::Here>,
    /// Hosts of the connect engine that answered to discovery.
    answered: BTreeSet<u32>,
}

impl Shares {
    /// What discovery says of a host.
    fn presence(&self, host: u32) -> Option<Presence> {
        let seen = self.here.get(&host).and_then(|here| here.presence);
        seen.or_else(|| self.answered.contains(&host).then_some(Presence::Up(HostReason::Port)))
    }
}

impl Engines<'_> {
    /// Runs the whole job.
    pub fn run(&self) -> Result<(), Error> {
        if self.prepared.total == 0 {
            return Ok(());
        }
        let mut shares = self.share()?;
        if self.job.settings.discovery == Discovery::On {
            self.discover(&mut shares)?;
        }
        if !self.prepared.udp_ports.is_empty() {
            self.udp(&shares)?;
        }
        self.nowhere(&shares.nowhere);
        if self.prepared.tcp_ports.is_empty() {
            self.end_all(&shares);
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
            (Engine::Auto, Err(why)) => {
                (shares.connect, shares.why_connect) = (ids, why.clone());
                self.check_interface()?;
                return Ok(shares);
            }
            (Engine::Connect, _) => {
                (shares.connect, shares.why_connect) = (ids, "asked for".to_owned());
                self.check_interface()?;
                return Ok(shares);
            }
            _ => {}
        }
        let Some(routes) = look_up(&self.prepared.targets, settings.interface.as_deref())? else {
            return Err(Error::NoInterface(settings.interface.clone().unwrap_or_default()));
        };
        for id in ids {
            match routes.ways.get(id as usize) {
                Some(Way::Raw { .. }) => shares.raw.push(id),
                Some(Way::Kernel) => shares.connect.push(id),
                _ => shares.nowhere.push(id),
            }
        }
        shares.routes = Some(routes);
        shares.why_connect = "this machine itself, or a kind of device without raw packets".to_owned();
        Ok(shares)
    }

    /// A named interface that is not there is an error of the caller whatever the engine.
    fn check_interface(&self) -> Result<(), Error> {
        let Some(name) = self.job.settings.interface.as_deref() else { return Ok(()) };
        match look_up(&[], Some(name))? {
            Some(_) => Ok(()),
            None => Err(Error::NoInterface(name.to_owned())),
        }
    }

    /// Loopback addresses are on the loopback device only; another one that was asked for cannot lead there.
    fn check_loopback(&self) -> Result<(), Error> {
        let Some(name) = self.job.settings.interface.as_deref() else { return Ok(()) };
        let Some(target) = self.prepared.targets.iter().find(|target| target.is_loopback()) else { return Ok(()) };
        let interfaces = raw::netlink::Netlink::open()?.interfaces()?;
        if interfaces.iter().any(|interface| interface.name == name && !interface.is_loopback()) {
            return Err(Error::WrongInterface { target: *target, interface: name.to_owned() });
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
        shares.raw.retain(|id| !not_opened.left.contains(id));
        for id in &not_opened.left {
            if shares.here.get(id).is_some_and(|here| here.presence.is_some()) {
                shares.answered.insert(*id);
            }
        }
        shares.connect.extend(not_opened.left);
        shares.connect.sort_unstable();
        shares.why_connect = why;
        Ok(())
    }

    /// Targets without a route.
    fn nowhere(&self, ids: &[u32]) {
        for id in ids {
            let presence = Presence::Down(HostReason::NoRoute);
            if self.job.settings.discovery == Discovery::Off {
                let ports = u32::try_from(self.prepared.tcp_ports.len()).unwrap_or(0);
                let record = |port| Record {
                    host: *id,
                    port,
                    state: State::Unreachable,
                    reason: Reason::NetUnreachable,
                    rtt_us: 0,
                    ttl: 0,
                    attempts: 0,
                };
                let left = (0..ports).filter(|port| !self.earlier.is_done(*id, *port));
                self.messenger.records(left.map(record).collect());
                self.messenger.tell(Message::Host(Box::new(HostEnd { host: *id, ..HostEnd::default() })));
            } else {
                let end = HostEnd { host: *id, presence: Some(presence), ..HostEnd::default() };
                self.messenger.tell(Message::Host(Box::new(end)));
            }
        }
    }

    /// Ends hosts of which only UDP ports were asked.
    fn end_all(&self, shares: &Shares) {
        if self.control.is_cancelled() {
            return;
        }
        for host in shares.raw.iter().chain(&shares.connect).copied() {
            let presence = shares.presence(host);
            let mac = shares.here.get(&host).and_then(raw::Here::mac);
            self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, mac, ..HostEnd::default() })));
        }
    }

    fn udp(&self, shares: &Shares) -> Result<(), Error> {
        let first_index = u32::try_from(self.prepared.tcp_ports.len()).unwrap_or(0);
        let nowhere = shares.nowhere.iter().filter(|_| self.job.settings.discovery == Discovery::Off);
        let targets = shares.raw.iter().chain(&shares.connect).chain(nowhere);
        let targets = targets.filter_map(|id| Some((*id, *self.prepared.targets.get(*id as usize)?))).collect();
        let plan = udp::Plan {
            targets,
            ports: &self.prepared.udp_ports,
            first_index,
            payloads: &self.job.udp_payloads,
            settings: &self.job.settings,
            never: &self.job.never,
            skip: &|host, port| self.earlier.is_done(host, port),
            messenger: self.messenger,
            interface: self.job.settings.interface.as_deref(),
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
