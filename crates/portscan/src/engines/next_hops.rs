//! Whether anybody is there to carry the connect engine's questions: routers and hosts on the link, by what the kernel
//! learned when it wanted to send to them.
//!
//! A socket hears of a next hop that does not resolve only if it waits longer than the kernel asks (three requests, a second
//! apart; RFC 4861 section 10 has the same numbers), and then not always. The kernel's neighbour table tells it of
//! every next hop and without waiting for a socket. So what stays silent is looked up there, and while an entry is being
//! asked for, that is waited for: silence of a port means something only if the question left the link. An old entry is
//! given much longer to prove itself; meanwhile its hosts are asked, and their silence is held back ([`Undecided`]).

use super::connecting::Asking;
use super::*;
use crate::connect::{Pairs, Silence};
use crate::raw::netlink::{Netlink, Resolution};

/// How long the kernel may take for an address it never knew, and for one whose entry is old: that is given five seconds
/// to prove itself before it is asked.
const PATIENCE: Duration = Duration::from_millis(3_600);
const PATIENCE_OLD: Duration = Duration::from_millis(8_600);
/// Between two looks, while nothing else is done and while a scan runs.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOK_AT_TIMES: Duration = Duration::from_millis(200);
/// How long the one question waits that makes the kernel look for a next hop.
const KNOCK: Duration = Duration::from_millis(500);
/// Hosts looked at together.
const AT_ONCE: usize = 1 << 15;

/// A next hop: index of the interface and address.
pub(super) type Hop = (u32, IpAddr);

/// Hosts that cannot be reached.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Because nobody answers for their router.
    pub no_router: Vec<u32>,
    /// Because nobody answers for them on the link.
    pub no_neighbour: Vec<u32>,
}

/// What is done about a next hop with an old entry, which takes long to prove itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    WaitedFor,
    /// Its hosts are asked meanwhile.
    LeftOpen,
}

/// Next hops for which nobody answers, and those that have yet to prove themselves.
#[derive(Debug, Default)]
struct Judged {
    dead: Vec<Hop>,
    doubted: Vec<Hop>,
}

/// Silent ports of hosts whose next hop has yet to prove that it is still there. The kernel gives an old entry five seconds
/// before it asks, and a scan does not stand still for so long: it goes on, and its silence is told when the next hop is
/// known to be there, or is told as what it was. That bounds what is held back: to the silence of nine seconds.
#[derive(Debug)]
pub(super) struct Undecided {
    since: Instant,
    looked: Option<Instant>,
    hop_of: HashMap<u32, Hop>,
    held: HashMap<Hop, Vec<Record>>,
    dead: HashSet<Hop>,
}

impl Undecided {
    /// Of hosts by the numbers that their records will have; `None` if there is no doubt about any.
    pub fn new(shares: &Shares, ids: &[u32]) -> Option<Self> {
        let (since, doubted) = shares.doubted.as_ref()?;
        let hop_of: HashMap<u32, Hop> = (0..)
            .zip(ids)
            .filter_map(|(number, id)| Some((number, shares.next_hop(*id).filter(|hop| doubted.contains(hop))?)))
            .collect();
        let held: HashMap<Hop, Vec<Record>> = hop_of.values().map(|hop| (*hop, Vec::new())).collect();
        let (looked, dead) = (None, HashSet::new());
        (!held.is_empty()).then_some(Self { since: *since, looked, hop_of, held, dead })
    }

    /// Takes results in; returns those that can be told.
    pub fn sift(&mut self, records: Vec<Record>) -> Vec<Record> {
        let mut told = Vec::with_capacity(records.len());
        if !self.held.is_empty() && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_AT_TIMES) {
            self.look(&mut told);
        }
        for record in records {
            let Some(hop) = self.hop_of.get(&record.host) else {
                told.push(record);
                continue;
            };
            if record.reason == Reason::NoResponse {
                match self.held.get_mut(hop) {
                    Some(held) => held.push(record),
                    None if self.dead.contains(hop) => told.push(lost(record)),
                    None => told.push(record),
                }
            } else {
                if record.state != State::Error && record.reason != Reason::NoNeighbour {
                    told.extend(self.held.remove(hop).unwrap_or_default());
                }
                told.push(record);
            }
        }
        told
    }

    /// What is left when all is asked; waits until it is decided, or the run is cancelled.
    pub fn rest(mut self, control: &Control) -> Vec<Record> {
        let mut told = Vec::new();
        self.held.retain(|_, held| !held.is_empty());
        while !self.held.is_empty() && !control.is_cancelled() {
            self.look(&mut told);
            if !self.held.is_empty() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        told
    }

    /// Looks at the neighbour table, and adds to `told` what was held back for next hops that are decided now.
    fn look(&mut self, told: &mut Vec<Record>) {
        self.looked = Some(Instant::now());
        // Who may not look there knows nothing, and who waited long enough will not know more.
        let table = Netlink::open().and_then(|mut netlink| netlink.resolutions()).unwrap_or_default();
        let is_late = self.since.elapsed() >= PATIENCE_OLD;
        let dead = &mut self.dead;
        self.held.retain(|hop, held| match table.get(hop) {
            Some(Resolution::Failed) => {
                dead.insert(*hop);
                told.extend(held.drain(..).map(lost));
                false
            }
            Some(Resolution::Doubted | Resolution::Asking) if !is_late => true,
            _ => {
                told.append(held);
                false
            }
        });
    }
}

/// The result of a question that did not get beyond the link.
const fn lost(record: Record) -> Record {
    Record { state: State::Unreachable, reason: Reason::NoNeighbour, ..record }
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
    pub(super) fn lost(&self, shares: &mut Shares, silent: &[u32], up: &BTreeSet<u32>, doubt: Doubt) -> Lost {
        let alive: HashSet<Hop> = up.iter().filter_map(|id| shares.next_hop(*id)).collect();
        let mut hosts = shares.by_next_hop(silent);
        hosts.retain(|hop, _| !alive.contains(hop));
        let judged = self.judge(hosts.keys().copied().collect(), doubt);
        if !judged.doubted.is_empty() {
            let (_, doubted) = shares.doubted.get_or_insert_with(|| (Instant::now(), HashSet::new()));
            doubted.extend(judged.doubted);
        }
        let mut lost = Lost::default();
        for hop in judged.dead {
            let (routed, on_link) =
                hosts.remove(&hop).unwrap_or_default().into_iter().partition::<Vec<u32>, _>(|id| shares.is_routed(*id));
            lost.no_router.extend(routed);
            lost.no_neighbour.extend(on_link);
        }
        lost
    }

    /// For which next hops nobody answers; waits for those that the kernel is still asking for.
    fn judge(&self, mut hops: Vec<Hop>, doubt: Doubt) -> Judged {
        let began = Instant::now();
        let Judged { mut dead, mut doubted } = Judged::default();
        while !hops.is_empty() && !self.control.is_cancelled() {
            // Who may not look there knows nothing.
            let Ok(table) = Netlink::open().and_then(|mut netlink| netlink.resolutions()) else { break };
            let waited = began.elapsed();
            hops.retain(|hop| {
                let (is_dead, patience) = match table.get(hop) {
                    Some(Resolution::Failed) => (true, Duration::ZERO),
                    Some(Resolution::Asking) => (waited >= PATIENCE, PATIENCE),
                    Some(Resolution::Doubted) if doubt == Doubt::LeftOpen => {
                        doubted.push(*hop);
                        (false, Duration::ZERO)
                    }
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
        Judged { dead, doubted }
    }

    /// Where no hosts are looked for: takes those away that have a next hop nobody answers for, and reports their ports.
    pub(super) fn leave_out_lost(&self, shares: &mut Shares) -> Result<(), Error> {
        // The raw engine looks for next hops itself, but only after the datagrams, whose silence would say nothing of it.
        if !self.prepared.udp_ports.is_empty() && !shares.raw.is_empty() {
            self.leave_out_lost_of_raw(shares)?;
        }
        let ids = std::mem::take(&mut shares.connect);
        let (reachable, lost) = self.reachable(shares, &ids)?;
        shares.connect = reachable;
        self.all_unreachable(lost);
        Ok(())
    }

    /// The same for the hosts of the raw engine. What is learned of the others is kept for it.
    fn leave_out_lost_of_raw(&self, shares: &mut Shares) -> Result<(), Error> {
        let Some(routes) = shares.routes.as_ref() else { return Ok(()) };
        let (found, not_opened) = raw::find_next_hops(&self.raw_run(), routes, &shares.raw)?;
        let gone: HashSet<u32> = found.no_router.iter().chain(&found.no_neighbour).copied().collect();
        shares.raw.retain(|id| !gone.contains(id));
        shares.here.extend(found.here);
        self.all_unreachable(Lost { no_router: found.no_router, no_neighbour: found.no_neighbour });
        not_opened.map_or(Ok(()), |not_opened| self.fall_back(shares, not_opened))
    }

    fn all_unreachable(&self, lost: Lost) {
        for id in lost.no_router {
            self.unreachable(id, Some(Presence::Down(HostReason::NoRouter)), Reason::NoNeighbour);
        }
        for id in lost.no_neighbour {
            self.unreachable(id, None, Reason::NoNeighbour);
        }
    }

    /// Divides hosts into those that can be reached, as far as is known, and those with a next hop that nobody answers for. To
    /// learn it, one host behind each next hop that was not heard of lately is asked for one of the job's ports.
    pub(super) fn reachable(&self, shares: &mut Shares, ids: &[u32]) -> Result<(Vec<u32>, Lost), Error> {
        let (mut reachable, mut all_lost) = (Vec::new(), Lost::default());
        // Datagrams are not held back, and a scan with them takes its time anyway.
        let doubt = if self.prepared.udp_ports.is_empty() { Doubt::LeftOpen } else { Doubt::WaitedFor };
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
            let lost = self.lost(shares, &silent, &up, doubt);
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
