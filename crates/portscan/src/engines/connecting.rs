//! The hosts of the connect engine: which ports of which hosts are asked together.

use super::finishing::Finishing;
use super::next_hops::Undecided;
use super::*;
use crate::checkpoint::Begun;
use crate::connect::{Errands, Pairs, Plan, Silence};

/// With less room for sockets than this, the limit of open files is what makes a scan slow.
const SLOW_BELOW: usize = 512;
/// Hosts that are worked on at the same time; a larger job is done in parts.
const HOSTS_AT_ONCE: usize = 1 << 15;
/// Pairs of these that are asked in one mixture, so that the first hosts are finished long before the last are begun. Where
/// those of a large network all ended together, an interrupted run would have finished none.
const PAIRS_AT_ONCE: usize = 1 << 20;
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
        let finishing = Finishing::new(self, shares, ids);
        let undecided = Undecided::new(shares, ids).map(Mutex::new);
        let sift = |records: Vec<Record>| match &undecided {
            Some(undecided) => undecided.lock().unwrap_or_else(std::sync::PoisonError::into_inner).sift(records),
            None => records,
        };
        let take = |records: Vec<Record>| finishing.take(&sift(records));
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
        finishing.begin();
        let asking = Asking {
            pairs: self.all_pairs(targets.len(), self.prepared.tcp_ports.len())?,
            targets,
            ports: self.prepared.tcp_ports.clone(),
            settings: &self.job.settings,
            silence: Silence::Doubted,
            begun: &begun,
        };
        self.ask(asking, &skip, &take, Some(&finishing))?;
        if let Some(undecided) = undecided {
            let undecided = undecided.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            finishing.take(&undecided.rest(self.control));
        }
        // What was held back may have been the last of a host.
        let asking = Asking {
            pairs: Pairs::These(Vec::new()),
            targets: self.addresses(ids),
            ports: self.prepared.tcp_ports.clone(),
            settings: &self.job.settings,
            silence: Silence::Taken,
            begun: &[],
        };
        self.ask(asking, &|_, _| false, &|_| {}, Some(&finishing))
    }

    /// Every pair of so many hosts and ports.
    pub(super) fn all_pairs(&self, targets: usize, ports: usize) -> Result<Pairs, Error> {
        // Where a host or a subnet is asked only so fast, the more of them there are at the same time the better.
        let rates = self.job.settings.rates;
        let is_slowed = rates.per_host.is_some() || rates.per_subnet.is_some();
        let together = if is_slowed { targets } else { PAIRS_AT_ONCE.div_ceil(ports.max(1)) };
        Pairs::all(targets, ports, together, self.seed).ok_or(Error::TooLarge { targets, ports })
    }

    /// Asks, and does the errands.
    pub(super) fn ask(
        &self,
        asking: Asking<'_>,
        skip: &(dyn Fn(usize, usize) -> bool + Sync),
        take: &(dyn Fn(Vec<Record>) + Sync),
        errands: Option<&dyn Errands>,
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
            errands,
            traffic: &self.messenger.traffic,
            links: self.links,
            congested: &|| self.messenger.is_congested(),
        };
        connect::run(&plan, self.control)
    }
}
