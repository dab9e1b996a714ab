//! The hosts of the connect engine: their ports, then the open ones a second time, and ports that nobody offers at hosts
//! with very many open ones.

use super::next_hops::Undecided;
use super::*;
use crate::checkpoint::Begun;
use crate::connect::{Pairs, Plan, Silence, VERIFY_ATTEMPTS, Verified};
use crate::masking::{GUARDS, GUARDS_OPEN, PILOT, draw, is_suspected};
use crate::timing::Rtt;

/// With less room for sockets than this, the limit of open files is what makes a scan slow.
const SLOW_BELOW: usize = 512;
/// Hosts that are worked on at the same time; a larger job is done in parts.
const HOSTS_AT_ONCE: usize = 1 << 15;
/// Open ports of a host that are asked a second time; one with more is hardly what it seems.
const VERIFY_AT_MOST: usize = 2000;
/// Attempts a second at that.
const VERIFY_RATE: u32 = 2000;

/// What to ask.
pub(super) struct Asking<'a> {
    pub pairs: Pairs,
    pub targets: Vec<IpAddr>,
    pub ports: Vec<u16>,
    pub settings: &'a Settings,
    pub silence: Silence,
    /// What an earlier run had learned of targets, by index.
    pub begun: &'a [(usize, &'a Begun)],
}

/// What came of a host's ports.
#[derive(Debug, Clone, Default)]
struct Seen {
    open: usize,
    /// The first of the open ones, by index.
    listed: Vec<u32>,
    rtt: Rtt,
    /// Nobody on the link answers for it, or not for its router.
    no_neighbour: bool,
}

impl Seen {
    fn take(&mut self, record: &Record) {
        if record.state == State::Open {
            self.open += 1;
            if self.listed.len() < VERIFY_AT_MOST {
                self.listed.push(record.port);
            }
        }
        self.no_neighbour |= record.reason == Reason::NoNeighbour;
        if record.rtt_us > 0 {
            self.rtt.observe(Duration::from_micros(u64::from(record.rtt_us)));
        }
    }
}

/// Open ports that were asked a second time while others were still asked the first time.
#[derive(Debug, Default)]
struct Early {
    done: HashSet<(u32, u32)>,
    refuted: Vec<(u32, u32)>,
}

impl Early {
    fn take(&mut self, host: u32, port: u32, accepted: bool) {
        self.done.insert((host, port));
        if !accepted {
            self.refuted.push((host, port));
        }
    }
}

impl Engines<'_> {
    pub(super) fn connect(&self, shares: &Shares) -> Result<(), Error> {
        let ids = &shares.connect;
        let mut why = shares.why_connect.clone();
        let room = crate::descriptors::available();
        if room < SLOW_BELOW {
            why.push_str(&format!("; slowly, for this process may open {room} sockets at a time (see `ulimit -n`)"));
        }
        let choice = Choice { engine: Engine::Connect, targets: ids.len(), why };
        self.messenger.tell(Message::Engine(choice));
        for part in ids.chunks(HOSTS_AT_ONCE) {
            if self.control.is_cancelled() {
                break;
            }
            self.connect_part(part, shares)?;
        }
        Ok(())
    }

    fn connect_part(&self, ids: &[u32], shares: &Shares) -> Result<(), Error> {
        let targets = self.addresses(ids);
        let begun: Vec<(usize, &Begun)> =
            ids.iter().enumerate().filter_map(|(at, id)| Some((at, self.earlier.begun(*id)?))).collect();
        let mut seen = vec![Seen::default(); targets.len()];
        let mut early = Early::default();
        for (at, begun) in &begun {
            if let (Some(seen), Ok(host)) = (seen.get_mut(*at), u32::try_from(*at)) {
                seen.open = begun.open as usize;
                seen.listed = begun.unconfirmed.iter().take(VERIFY_AT_MOST).copied().collect();
                early.done.extend(begun.confirmed.iter().map(|port| (host, *port)));
            }
        }
        let seen = Mutex::new(seen);
        let tell = |mut records: Vec<Record>| {
            {
                let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for record in &records {
                    if let Some(host) = seen.get_mut(record.host as usize) {
                        host.take(record);
                    }
                }
            }
            for record in &mut records {
                record.host = ids.get(record.host as usize).copied().unwrap_or(u32::MAX);
            }
            self.messenger.records(records);
        };
        let undecided = Undecided::new(shares, ids).map(Mutex::new);
        let sift = |records: Vec<Record>| match &undecided {
            Some(undecided) => undecided.lock().unwrap_or_else(std::sync::PoisonError::into_inner).sift(records),
            None => records,
        };
        let take = |records: Vec<Record>| tell(sift(records));
        let knocked = |id: &u32| shares.knocked.contains_key(id);
        let skip = |host: usize, port: usize| {
            (port == 0 && ids.get(host).is_some_and(knocked))
                || self.earlier.exists()
                    && ids
                        .get(host)
                        .is_some_and(|id| self.earlier.is_done(*id, u32::try_from(port).unwrap_or(u32::MAX)))
        };
        let record = |(host, id)| Some(Record { host, ..*shares.knocked.get(id)? });
        take((0..).zip(ids).filter_map(record).collect());
        let asking = Asking {
            pairs: self.all_pairs(targets.len(), self.prepared.tcp_ports.len())?,
            targets: targets.clone(),
            ports: self.prepared.tcp_ports.clone(),
            settings: &self.job.settings,
            silence: Silence::Doubted,
            begun: &begun,
        };
        let early = Mutex::new(early);
        let verified = |host: u32, port: u32, accepted: bool| {
            early.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(host, port, accepted);
            if let (true, Some(id)) = (accepted, ids.get(host as usize)) {
                self.messenger.tell(Message::Confirmed(vec![(*id, port)]));
            }
        };
        let verify = self.job.settings.verification == Verification::On;
        self.ask(asking, &skip, &take, verify.then_some(&verified))?;
        if let Some(undecided) = undecided {
            tell(undecided.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).rest(self.control));
        }
        let early = early.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let masked = self.masked(&targets, &seen)?;
        let mut unconfirmed = self.unconfirmed(ids, targets, &seen, &masked, early)?;
        if self.control.is_cancelled() {
            return Ok(());
        }
        for (at, (host, seen)) in ids.iter().copied().zip(seen).enumerate() {
            let no_router = seen.no_neighbour && shares.is_routed(host);
            let end = HostEnd {
                host,
                presence: shares.presence(host).or(no_router.then_some(Presence::Down(HostReason::NoRouter))),
                rtt_us: seen.rtt.smoothed_us(),
                accepts_everything: masked.contains(&at),
                unconfirmed: unconfirmed.remove(&at).unwrap_or_default(),
                ..HostEnd::default()
            };
            self.messenger.tell(Message::Host(Box::new(end)));
        }
        Ok(())
    }

    /// Every pair of so many hosts and ports.
    pub(super) fn all_pairs(&self, targets: usize, ports: usize) -> Result<Pairs, Error> {
        Order::new(targets, ports, self.seed).map(Pairs::All).ok_or(Error::TooLarge { targets, ports })
    }

    /// Asks; with `verified`, the first open ports of each host a second time at once.
    pub(super) fn ask(
        &self,
        asking: Asking<'_>,
        skip: &(dyn Fn(usize, usize) -> bool + Sync),
        take: &(dyn Fn(Vec<Record>) + Sync),
        verified: Option<&Verified<'_>>,
    ) -> Result<(), Error> {
        let Asking { pairs, targets, ports, settings, silence, begun } = asking;
        let plan = Plan {
            pairs,
            targets,
            ports,
            settings,
            silence,
            never: &self.job.never,
            skip,
            begun,
            take,
            verified,
            traffic: &self.messenger.traffic,
            links: self.links,
            congested: &|| self.messenger.is_congested(),
        };
        connect::run(&plan, self.control)
    }

    /// Hosts that accept on ports chosen by chance as well ([`crate::masking`]).
    fn masked(&self, targets: &[IpAddr], seen: &[Seen]) -> Result<BTreeSet<usize>, Error> {
        let ports = &self.prepared.tcp_ports;
        let mut suspected: Vec<usize> =
            (0..targets.len()).filter(|at| is_suspected(seen[*at].open, ports.len())).collect();
        if self.job.settings.verification == Verification::Off {
            return Ok(BTreeSet::new());
        }
        let is_asked = |port: u16| ports.binary_search(&port).is_ok();
        let mut guards = draw(GUARDS, &[], ports.len(), is_asked, |below| rand::random_range(0..below));
        let rest = guards.split_off(PILOT);
        let mut accepted = vec![0; targets.len()];
        for (guards, needed) in [(guards, PILOT), (rest, GUARDS_OPEN)] {
            if suspected.is_empty() || self.control.is_cancelled() {
                return Ok(BTreeSet::new());
            }
            for (at, count) in suspected.iter().zip(self.accepting(targets, &suspected, guards)?) {
                accepted[*at] += count;
            }
            suspected.retain(|at| accepted[*at] >= needed);
        }
        Ok(suspected.into_iter().collect())
    }

    /// On how many of these ports each of some of the targets accepts.
    fn accepting(&self, targets: &[IpAddr], which: &[usize], ports: Vec<u16>) -> Result<Vec<usize>, Error> {
        let accepted = Mutex::new(vec![0_usize; which.len()]);
        let take = |records: Vec<Record>| {
            let mut accepted = accepted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            for record in records.iter().filter(|record| record.state == State::Open) {
                if let Some(count) = accepted.get_mut(record.host as usize) {
                    *count += 1;
                }
            }
        };
        let asking = Asking {
            pairs: self.all_pairs(which.len(), ports.len())?,
            targets: which.iter().map(|at| targets[*at]).collect(),
            ports,
            settings: &self.job.settings,
            silence: Silence::Taken,
            begun: &[],
        };
        self.ask(asking, &|_, _| false, &take, None)?;
        Ok(accepted.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Asks the open ports of hosts that are not masked a second time, at a low rate, if that was not done early; returns
    /// those of each host that do not accept then.
    fn unconfirmed(
        &self,
        ids: &[u32],
        targets: Vec<IpAddr>,
        seen: &[Seen],
        masked: &BTreeSet<usize>,
        early: Early,
    ) -> Result<BTreeMap<usize, Vec<u16>>, Error> {
        let mut unconfirmed = BTreeMap::<usize, Vec<u16>>::new();
        for (host, port) in early.refuted {
            if let Some((_, port)) = self.prepared.port(port as usize).filter(|_| !masked.contains(&(host as usize))) {
                unconfirmed.entry(host as usize).or_default().push(port);
            }
        }
        let mut pairs = Vec::new();
        for (at, host) in seen.iter().enumerate().filter(|(at, _)| !masked.contains(at)) {
            let Ok(number) = u32::try_from(at) else { continue };
            pairs.extend(host.listed.iter().map(|port| (number, *port)).filter(|pair| !early.done.contains(pair)));
        }
        if pairs.is_empty() || self.job.settings.verification == Verification::Off || self.control.is_cancelled() {
            return Ok(unconfirmed);
        }
        // Hosts take turns, in the order in which their ports were found.
        let mut turn = vec![0_u32; seen.len()];
        pairs.sort_by_cached_key(|(host, _)| {
            let turn = turn.get_mut(*host as usize).map_or(0, |turn| {
                *turn += 1;
                *turn
            });
            (turn, *host)
        });
        let mut settings = self.job.settings.clone();
        settings.attempts = VERIFY_ATTEMPTS;
        settings.rates.global = Some(settings.rates.global.unwrap_or(VERIFY_RATE).min(VERIFY_RATE));
        let unconfirmed = Mutex::new(unconfirmed);
        let take = |records: Vec<Record>| {
            let confirmed = records.iter().filter(|record| record.state == State::Open);
            let confirmed = confirmed.filter_map(|record| Some((*ids.get(record.host as usize)?, record.port)));
            self.messenger.tell(Message::Confirmed(confirmed.collect()));
            let mut unconfirmed = unconfirmed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Trouble on this machine says nothing against the first answer.
            for record in records.iter().filter(|record| !matches!(record.state, State::Open | State::Error)) {
                if let Some((_, port)) = self.prepared.port(record.port as usize) {
                    unconfirmed.entry(record.host as usize).or_default().push(port);
                }
            }
        };
        let asking = Asking {
            pairs: Pairs::These(pairs),
            targets,
            ports: self.prepared.tcp_ports.clone(),
            settings: &settings,
            silence: Silence::Taken,
            begun: &[],
        };
        self.ask(asking, &|_, _| false, &take, None)?;
        Ok(unconfirmed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
