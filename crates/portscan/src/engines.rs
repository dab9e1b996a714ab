//! Which engine takes which target, and one after the other.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;

use crate::checkpoint::Earlier;
use crate::collect::{HostEnd, Message, Messenger, Record};
use crate::job::Prepared;
use crate::order::Order;
use crate::raw::routes::{Routes, Way, look_up};
use crate::{
    Choice, Control, Discovery, Engine, Error, HostReason, Job, Presence, Reason, Settings, State, Verification,
    connect, raw, udp,
};

/// Open ports on a host from which it is suspected to accept everything.
const SUSPICIOUS: usize = 48;
/// Ports asked to find that out, and how many of them must accept.
const GUARDS: usize = 10;
const GUARDS_OPEN: usize = 9;
/// TCP ports asked to see whether a host is there, without the privilege to send anything else.
const DISCOVERY_PORTS: [u16; 8] = [22, 80, 135, 443, 445, 3389, 8080, 8443];

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
struct Shares {
    raw: Vec<u32>,
    connect: Vec<u32>,
    nowhere: Vec<u32>,
    routes: Option<Routes>,
    why_connect: String,
}

impl Engines<'_> {
    /// Runs the whole job.
    pub fn run(&self) -> Result<(), Error> {
        if self.prepared.total == 0 {
            return Ok(());
        }
        let mut shares = self.share()?;
        if !self.prepared.udp_ports.is_empty() {
            self.udp(&shares)?;
        }
        self.nowhere(&shares.nowhere);
        if self.prepared.tcp_ports.is_empty() {
            self.end_all(shares.raw.iter().chain(&shares.connect).copied());
            return Ok(());
        }
        if !shares.raw.is_empty() {
            let routes = shares.routes.take();
            self.raw(&shares.raw, routes.as_ref())?;
        }
        if !shares.connect.is_empty() {
            self.connect(&shares.connect, &shares.why_connect)?;
        }
        Ok(())
    }

    /// Divides the targets that are not finished yet among the engines.
    fn share(&self) -> Result<Shares, Error> {
        let settings = &self.job.settings;
        let ids: Vec<u32> = (0..).take(self.prepared.targets.len()).filter(|id| !self.earlier.is_ended(*id)).collect();
        let mut shares = Shares {
            raw: Vec::new(),
            connect: Vec::new(),
            nowhere: Vec::new(),
            routes: None,
            why_connect: String::new(),
        };
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

    fn raw(&self, ids: &[u32], routes: Option<&Routes>) -> Result<(), Error> {
        let Some(routes) = routes else { return Ok(()) };
        let devices: BTreeSet<&str> = ids
            .iter()
            .filter_map(|id| match routes.ways.get(*id as usize) {
                Some(Way::Raw { interface, .. }) => routes.interfaces.get(interface).map(|device| device.name.as_str()),
                _ => None,
            })
            .collect();
        let why = format!("CAP_NET_RAW is there, over {}", devices.into_iter().collect::<Vec<_>>().join(", "));
        self.messenger.tell(Message::Engine(Choice { engine: Engine::Syn, targets: ids.len(), why }));
        let run = raw::Run {
            prepared: self.prepared,
            settings: &self.job.settings,
            never: &self.job.never,
            control: self.control,
            messenger: self.messenger,
            earlier: self.earlier,
            seed: self.seed,
        };
        raw::run(&run, routes, ids)
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
                self.end_all([*id]);
            } else {
                let end = HostEnd { host: *id, presence: Some(presence), ..HostEnd::default() };
                self.messenger.tell(Message::Host(Box::new(end)));
            }
        }
    }

    fn end_all(&self, ids: impl IntoIterator<Item = u32>) {
        if self.control.is_cancelled() {
            return;
        }
        for host in ids {
            self.messenger.tell(Message::Host(Box::new(HostEnd { host, ..HostEnd::default() })));
        }
    }

    fn udp(&self, shares: &Shares) -> Result<(), Error> {
        let first_index = u32::try_from(self.prepared.tcp_ports.len()).unwrap_or(0);
        let targets = shares.raw.iter().chain(&shares.connect).chain(&shares.nowhere);
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

    fn connect(&self, ids: &[u32], why: &str) -> Result<(), Error> {
        let choice = Choice { engine: Engine::Connect, targets: ids.len(), why: why.to_owned() };
        self.messenger.tell(Message::Engine(choice));
        let mut ids = ids.to_vec();
        if self.job.settings.discovery == Discovery::On {
            ids = self.discover(ids)?;
        }
        let targets: Vec<IpAddr> =
            ids.iter().filter_map(|id| self.prepared.targets.get(*id as usize).copied()).collect();
        let open = Mutex::new(vec![0_usize; targets.len()]);
        let take = |mut records: Vec<Record>| {
            {
                let mut open = open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for record in &records {
                    if let (State::Open, Some(count)) = (record.state, open.get_mut(record.host as usize)) {
                        *count += 1;
                    }
                }
            }
            for record in &mut records {
                record.host = ids.get(record.host as usize).copied().unwrap_or(u32::MAX);
            }
            self.messenger.records(records);
        };
        let skip = |host: usize, port: usize| {
            self.earlier.exists()
                && ids.get(host).is_some_and(|id| self.earlier.is_done(*id, u32::try_from(port).unwrap_or(u32::MAX)))
        };
        self.connect_plan(targets.clone(), self.prepared.tcp_ports.clone(), &self.job.settings, &skip, &take)?;
        let open = open.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let masked = self.masked(&targets, &open)?;
        if self.control.is_cancelled() {
            return Ok(());
        }
        for (at, host) in ids.into_iter().enumerate() {
            let end = HostEnd { host, accepts_everything: masked.contains(&at), ..HostEnd::default() };
            self.messenger.tell(Message::Host(Box::new(end)));
        }
        Ok(())
    }

    fn connect_plan(
        &self,
        targets: Vec<IpAddr>,
        ports: Vec<u16>,
        settings: &Settings,
        skip: &(dyn Fn(usize, usize) -> bool + Sync),
        take: &(dyn Fn(Vec<Record>) + Sync),
    ) -> Result<(), Error> {
        let order = Order::new(targets.len(), ports.len(), self.seed)
            .ok_or(Error::TooLarge { targets: targets.len(), ports: ports.len() })?;
        let plan = connect::Plan {
            order,
            targets,
            ports,
            settings,
            never: &self.job.never,
            skip,
            take,
            traffic: &self.messenger.traffic,
            congested: &|| self.messenger.is_congested(),
        };
        connect::run(&plan, self.control)
    }

    /// Hosts of which a TCP port answers.
    fn discover(&self, ids: Vec<u32>) -> Result<Vec<u32>, Error> {
        let targets: Vec<IpAddr> =
            ids.iter().filter_map(|id| self.prepared.targets.get(*id as usize).copied()).collect();
        let up = Mutex::new(BTreeSet::new());
        let take = |records: Vec<Record>| {
            let mut up = up.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            up.extend(records.iter().filter(|r| matches!(r.state, State::Open | State::Closed)).map(|r| r.host));
        };
        self.connect_plan(targets, DISCOVERY_PORTS.to_vec(), &self.job.settings, &|_, _| false, &take)?;
        let up = up.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (here, gone): (Vec<_>, Vec<_>) = (0..).zip(ids).partition(|(at, _)| up.contains(at));
        if !self.control.is_cancelled() {
            for (_, host) in gone {
                let presence = Some(Presence::Down(HostReason::NoResponse));
                self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
            }
        }
        Ok(here.into_iter().map(|(_, id)| id).collect())
    }

    /// Hosts with very many open ports that accept on ports chosen by chance as well.
    fn masked(&self, targets: &[IpAddr], open: &[usize]) -> Result<BTreeSet<usize>, Error> {
        let ports = &self.prepared.tcp_ports;
        let suspicious: Vec<usize> = (0..targets.len())
            .filter(|at| open[*at] > SUSPICIOUS || (ports.len() >= 8 && open[*at] * 10 >= ports.len() * 9))
            .collect();
        if suspicious.is_empty() || self.job.settings.verification == Verification::Off || self.control.is_cancelled() {
            return Ok(BTreeSet::new());
        }
        let mut guards = Vec::new();
        while guards.len() < GUARDS {
            let port: u16 = rand::random_range(20_000..65_000);
            let spare = ports.len() < 20_000;
            let asked = spare && ports.binary_search(&port).is_ok();
            if !asked && !guards.contains(&port) {
                guards.push(port);
            }
        }
        let accepted = Mutex::new(vec![0_usize; suspicious.len()]);
        let take = |records: Vec<Record>| {
            let mut accepted = accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for record in records.iter().filter(|record| record.state == State::Open) {
                if let Some(count) = accepted.get_mut(record.host as usize) {
                    *count += 1;
                }
            }
        };
        let some = suspicious.iter().map(|at| targets[*at]).collect();
        self.connect_plan(some, guards, &self.job.settings, &|_, _| false, &take)?;
        let accepted = accepted.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(suspicious.into_iter().zip(accepted).filter(|(_, count)| *count >= GUARDS_OPEN).map(|(at, _)| at).collect())
    }
}
