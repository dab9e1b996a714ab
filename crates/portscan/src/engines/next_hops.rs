//! Whether anybody is there to carry the connect engine's questions: routers and hosts on the link, by what the kernel
//! learned when it wanted to send to them.
//!
//! A socket hears of a next hop that does not resolve only if it waits longer than the kernel asks (three requests, a second
//! apart; RFC 4861 section 10 has the same numbers), and then not always. The kernel's neighbour table tells it of
//! every next hop and without waiting for a socket. So what stays silent is looked up there, and while an entry is being
//! asked for, that is waited for: silence of a port means something only if the question left the link.

use std::time::Instant;

use super::connecting::Asking;
use super::*;
use crate::connect::{Pairs, Silence};
use crate::raw::netlink::{Netlink, Resolution};

/// How long the kernel may take for an address it never knew, and for one whose entry is old: that is given five seconds
/// to prove itself before it is asked.
const PATIENCE: Duration = Duration::from_millis(3_600);
const PATIENCE_OLD: Duration = Duration::from_millis(8_600);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the one question waits that makes the kernel look for a next hop.
const KNOCK: Duration = Duration::from_millis(500);
/// Hosts looked at together.
const AT_ONCE: usize = 1 << 15;

/// A next hop: index of the interface and address.
type Hop = (u32, IpAddr);

/// Hosts that cannot be reached.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Because nobody answers for their router.
    pub no_router: Vec<u32>,
    /// Because nobody answers for them on the link.
    pub no_neighbour: Vec<u32>,
}

impl Shares {
    /// Whom the kernel has to find on a link to reach a host.
    fn next_hop(&self, host: u32) -> Option<Hop> {
        match self.routes.as_ref()?.ways.get(host as usize)? {
            Way::Raw { interface, next_hop, .. } => next_hop.map(|hop| (*interface, hop)),
            Way::Kernel | Way::NoHost | Way::None => None,
        }
    }

    fn by_next_hop(&self, ids: &[u32]) -> BTreeMap<Hop, Vec<u32>> {
        let mut hosts = BTreeMap::<Hop, Vec<u32>>::new();
        for id in ids {
            if let Some(hop) = self.next_hop(*id) {
                hosts.entry(hop).or_default().push(*id);
            }
        }
        hosts
    }
}

impl Engines<'_> {
    /// Which of these hosts, that were asked a moment ago and did not answer, have a next hop that nobody answers for; `up` are
    /// hosts that did answer, so their next hops are there.
    pub(super) fn lost(&self, shares: &Shares, silent: &[u32], up: &BTreeSet<u32>) -> Lost {
        let alive: HashSet<Hop> = up.iter().filter_map(|id| shares.next_hop(*id)).collect();
        let mut hosts = shares.by_next_hop(silent);
        hosts.retain(|hop, _| !alive.contains(hop));
        let mut lost = Lost::default();
        for hop in self.dead(hosts.keys().copied().collect()) {
            let (routed, on_link) =
                hosts.remove(&hop).unwrap_or_default().into_iter().partition::<Vec<u32>, _>(|id| shares.is_routed(*id));
            lost.no_router.extend(routed);
            lost.no_neighbour.extend(on_link);
        }
        lost
    }

    /// Next hops for which nobody answers; waits for those that the kernel is still asking for.
    fn dead(&self, mut hops: Vec<Hop>) -> Vec<Hop> {
        let began = Instant::now();
        let mut dead = Vec::new();
        while !hops.is_empty() && !self.control.is_cancelled() {
            // Who may not look there knows nothing.
            let Ok(table) = Netlink::open().and_then(|mut netlink| netlink.resolutions()) else { break };
            let waited = began.elapsed();
            hops.retain(|hop| {
                let (is_dead, patience) = match table.get(hop) {
                    Some(Resolution::Failed) => (true, Duration::ZERO),
                    Some(Resolution::Asking) => (waited >= PATIENCE, PATIENCE),
                    Some(Resolution::Doubted) => (false, PATIENCE_OLD),
                    // An old entry is doubted as soon as something is sent; a missing one was driven out of a full table.
                    Some(Resolution::Fresh | Resolution::Old) | None => (false, Duration::ZERO),
                };
                if is_dead {
                    dead.push(*hop);
                }
                !is_dead && waited < patience
            });
            if !hops.is_empty() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        dead
    }

    /// Where no hosts are looked for: takes those away that have a next hop nobody answers for, and reports their ports.
    pub(super) fn leave_out_lost(&self, shares: &mut Shares) -> Result<(), Error> {
        let ids = std::mem::take(&mut shares.connect);
        let (reachable, lost) = self.reachable(shares, &ids)?;
        shares.connect = reachable;
        for id in lost.no_router {
            self.unreachable(id, Some(Presence::Down(HostReason::NoRouter)), Reason::NoNeighbour);
        }
        for id in lost.no_neighbour {
            self.unreachable(id, None, Reason::NoNeighbour);
        }
        Ok(())
    }

    /// Divides hosts into those that can be reached, as far as is known, and those with a next hop that nobody answers for. To
    /// learn it, one host behind each next hop that was not heard of lately is asked for one of the job's ports.
    pub(super) fn reachable(&self, shares: &mut Shares, ids: &[u32]) -> Result<(Vec<u32>, Lost), Error> {
        let (mut reachable, mut all_lost) = (Vec::new(), Lost::default());
        let once = self.job.settings.attempts <= 1;
        for part in ids.chunks(AT_ONCE) {
            let known = Netlink::open().and_then(|mut netlink| netlink.resolutions()).unwrap_or_default();
            let hosts = shares.by_next_hop(part);
            let asked: Vec<u32> = (hosts.iter())
                .filter(|(hop, _)| known.get(hop) != Some(&Resolution::Fresh))
                .filter_map(|(_, ids)| ids.first().copied())
                .collect();
            let (up, records) = self.knock(&asked)?;
            let silent: Vec<u32> = (asked.iter().filter(|id| !up.contains(id)))
                .filter_map(|id| hosts.get(&shares.next_hop(*id)?))
                .flatten()
                .copied()
                .collect();
            let lost = self.lost(shares, &silent, &up);
            let gone: HashSet<u32> = lost.no_router.iter().chain(&lost.no_neighbour).copied().collect();
            let kept = records.into_iter().filter(|record| once && !gone.contains(&record.host));
            shares.knocked.extend(kept.map(|record| (record.host, record)));
            reachable.extend(part.iter().filter(|id| !gone.contains(id)));
            all_lost.no_router.extend(lost.no_router);
            all_lost.no_neighbour.extend(lost.no_neighbour);
        }
        Ok((reachable, all_lost))
    }

    /// Asks one port of each host. Returns those that answered, or could not be asked for trouble on this machine, which
    /// says nothing about their next hops; and, of TCP, what came of it.
    fn knock(&self, ids: &[u32]) -> Result<(BTreeSet<u32>, Vec<Record>), Error> {
        let once = self.job.settings.attempts <= 1;
        let mut settings = self.job.settings.clone();
        settings.attempts = 1;
        settings.udp_patience = Duration::ZERO;
        if !once {
            settings.timeout = settings.timeout.min(KNOCK);
        }
        let Some(port) = self.prepared.tcp_ports.first() else {
            // Once means once: then nobody is asked, and what the kernel remembers from earlier proves nothing.
            if once {
                return Ok((ids.iter().copied().collect(), Vec::new()));
            }
            let port = self.prepared.udp_ports.get(..1).unwrap_or_default();
            return Ok((self.answering_udp(ids, port, &settings)?, Vec::new()));
        };
        let told = Mutex::new(Vec::new());
        let take = |records: Vec<Record>| {
            let named = |mut record: Record| {
                record.host = *ids.get(record.host as usize)?;
                Some(record)
            };
            told.lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .extend(records.into_iter().filter_map(named));
        };
        let asking = Asking {
            pairs: Pairs::These((0..).take(ids.len()).map(|host| (host, 0)).collect()),
            targets: self.addresses(ids),
            ports: vec![*port],
            settings: &settings,
            silence: Silence::Taken,
            begun: &[],
        };
        // What an earlier run knows needs no second answer.
        let skip = |host: usize, _| once && ids.get(host).is_some_and(|id| self.earlier.is_done(*id, 0));
        self.ask(asking, &skip, &take, None)?;
        let told = told.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answers = told.iter().filter(|record| matches!(record.state, State::Open | State::Closed | State::Error));
        let mut up: BTreeSet<u32> = answers.map(|record| record.host).collect();
        // Nor does it of those who were not asked again.
        up.extend(ids.iter().filter(|id| told.iter().all(|record| record.host != **id)));
        Ok((up, told))
    }
}
