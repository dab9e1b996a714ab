//! Which hosts are there, once for the whole job: only those are asked, over TCP and over UDP.
//!
//! A host counts as there if it answers anything: ARP, an echo request, one of the usual TCP ports, one of the job's own
//! ports, and as a last resort a datagram to one of the job's UDP ports.

use std::sync::atomic::Ordering::Relaxed;

use super::connecting::Asking;
use super::next_hops::Doubt;
use super::*;
use crate::collect;

/// TCP ports that are open, or at least refused and not dropped, on many hosts; likely ones first.
const USUAL: [u16; 24] = [
    443, 80, 22, 3389, 445, 25, 135, 8080, 8443, 53, 21, 23, 110, 143, 139, 993, 3306, 5900, 587, 111, 5432, 6379,
    8000, 1723,
];
/// So many of them are asked whatever the job is about.
const USUAL_EVERYWHERE: usize = 16;
/// Ports of the job itself that are asked, of each protocol.
const OWN_TCP: usize = 8;
const OWN_UDP: usize = 4;
/// Hosts that are looked for at the same time, with packets of our own and without: as many as take some ten seconds, for
/// a killed run does those of one part again.
const AT_ONCE: usize = 1 << 15;
const AT_ONCE_BY_CONNECT: usize = 1 << 13;

/// What came of asking hosts for a TCP port.
#[derive(Debug, Default)]
struct Heard {
    /// Those that answered.
    up: BTreeSet<u32>,
    /// Those for which nobody on the link answers, or not for their router.
    no_neighbour: BTreeSet<u32>,
    /// Those that could not be asked for trouble on this machine.
    in_trouble: BTreeSet<u32>,
}

/// Ports to look for hosts with: the usual ones, and some of the job.
fn ports_to_look_at(asked: &[u16]) -> Vec<u16> {
    let usual = USUAL.iter().filter(|port| asked.binary_search(port).is_ok());
    let others = asked.iter().filter(|port| !USUAL.contains(port));
    let own = usual.chain(others).take(OWN_TCP);
    let mut ports: Vec<u16> = own.chain(USUAL.iter().take(USUAL_EVERYWHERE)).copied().collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

impl Engines<'_> {
    /// Leaves in `shares` only the hosts that are there. The others get their end here.
    pub(super) fn discover(&self, shares: &mut Shares) -> Result<(), Error> {
        let traffic = &self.messenger.traffic;
        traffic.hosts.store((shares.raw.len() + shares.connect.len()) as u64, Relaxed);
        traffic.looking.store(true, Relaxed);
        let looked = self.look(shares);
        traffic.looking.store(false, Relaxed);
        looked
    }

    /// Part by part: of each is told who is there and who is not before the next is looked at, so that a killed run has to
    /// look again at those of one part alone.
    fn look(&self, shares: &mut Shares) -> Result<(), Error> {
        let (mut raw, mut others) = (std::mem::take(&mut shares.raw), std::mem::take(&mut shares.connect));
        // Whom an earlier run found is there; a lost packet must not take him away now.
        raw.retain(|id| {
            let is_known = self.earlier.is_up(*id).is_some();
            shares.raw.extend(is_known.then_some(*id));
            !is_known
        });
        self.found(shares.raw.len());
        for part in raw.chunks(AT_ONCE) {
            if self.control.is_cancelled() {
                return Ok(());
            }
            self.look_raw(shares, part)?;
        }
        others.append(&mut shares.connect);
        others.retain(|id| {
            let known = self.earlier.is_up(*id);
            if let Some(reason) = known {
                shares.connect.push(*id);
                shares.answered.insert(*id, reason);
            }
            known.is_none()
        });
        self.found(shares.connect.len());
        for part in others.chunks(AT_ONCE_BY_CONNECT) {
            if self.control.is_cancelled() {
                return Ok(());
            }
            self.look_by_connect(shares, part)?;
        }
        // Those that answered late are not to come last.
        for list in [&mut shares.raw, &mut shares.connect] {
            shuffle(list, self.seed);
        }
        Ok(())
    }

    /// A host that has results from an earlier run was there.
    fn has_begun(&self, id: u32) -> bool {
        let ports = u32::try_from(self.prepared.ports_each()).unwrap_or(0);
        self.earlier.done_of(id, ports) > 0
    }

    fn look_raw(&self, shares: &mut Shares, ids: &[u32]) -> Result<(), Error> {
        let Some(routes) = shares.routes.as_ref() else { return Ok(()) };
        let (found, not_opened) = raw::find(&self.raw_run(), routes, ids, &ports_to_look_at(&self.prepared.tcp_ports))?;
        let mut silent = found.silent;
        let begun: Vec<u32> = silent.keys().copied().filter(|id| self.has_begun(*id)).collect();
        let mut here = found.here;
        here.extend(begun.into_iter().filter_map(|id| silent.remove_entry(&id)));
        self.down(found.no_neighbour, HostReason::NoNeighbour);
        self.down(found.no_router, HostReason::NoRouter);
        let ids_of_silent: Vec<u32> = silent.keys().copied().collect();
        for id in self.answering_udp(&ids_of_silent, &self.own_udp(), &self.job.settings)? {
            if let Some(known) = silent.remove(&id) {
                here.insert(id, raw::Here { presence: Some(Presence::Up(HostReason::Port)), ..known });
            }
        }
        self.down(silent.into_keys(), HostReason::NoResponse);
        let reason = |(id, here): (&u32, &raw::Here)| match here.presence {
            Some(Presence::Up(reason)) => Some((*id, reason)),
            _ => None,
        };
        self.messenger.tell(Message::Up(here.iter().filter_map(reason).collect()));
        shares.raw.extend(ids.iter().filter(|id| here.contains_key(id)));
        shares.here.extend(here);
        match not_opened {
            Some(not_opened) => self.fall_back(shares, not_opened),
            None => Ok(()),
        }
    }

    fn look_by_connect(&self, shares: &mut Shares, ids: &[u32]) -> Result<(), Error> {
        let (sure, unsure): (Vec<u32>, Vec<u32>) = ids.iter().copied().partition(|id| {
            let address = self.prepared.targets.get(*id as usize);
            address.is_some_and(|address| self.prepared.certain.contains(address)) || self.has_begun(*id)
        });
        let (sure, cut_off) = self.reachable(shares, &sure)?;
        self.down(cut_off.no_router, HostReason::NoRouter);
        self.down(cut_off.no_neighbour, HostReason::NoNeighbour);
        shares.connect.extend(sure);
        let echoed = self.answering_echo(shares, &unsure);
        let (echoed, unsure): (Vec<u32>, Vec<u32>) = unsure.into_iter().partition(|id| echoed.contains(id));
        self.found(echoed.len());
        let mut up: Vec<(u32, HostReason)> = echoed.into_iter().map(|id| (id, HostReason::Echo)).collect();
        let heard = self.answering_tcp(&unsure)?;
        let (mut no_router, mut no_neighbour, mut unheard) = (Vec::new(), Vec::new(), Vec::new());
        for id in unsure {
            if heard.up.contains(&id) {
                up.push((id, HostReason::Port));
            } else if heard.in_trouble.contains(&id) {
                // Who could not be asked gets that as the state of his ports.
                shares.connect.push(id);
            } else if heard.no_neighbour.contains(&id) {
                let list = if shares.is_routed(id) { &mut no_router } else { &mut no_neighbour };
                list.push(id);
            } else {
                unheard.push(id);
            }
        }
        shares.answered.extend(up.iter().copied());
        let answered: BTreeSet<u32> = shares.answered.keys().copied().collect();
        let lost = self.lost(shares, &unheard, &answered, Doubt::WaitedFor);
        let gone: BTreeSet<u32> = lost.no_router.iter().chain(&lost.no_neighbour).copied().collect();
        no_router.extend(lost.no_router);
        no_neighbour.extend(lost.no_neighbour);
        self.down(no_router, HostReason::NoRouter);
        self.down(no_neighbour, HostReason::NoNeighbour);
        unheard.retain(|id| !gone.contains(id));
        let by_datagram = self.answering_udp(&unheard, &self.own_udp(), &self.job.settings)?;
        unheard.retain(|id| !by_datagram.contains(id));
        self.down(unheard, HostReason::NoResponse);
        up.extend(by_datagram.into_iter().map(|id| (id, HostReason::Port)));
        shares.connect.extend(up.iter().map(|(id, _)| *id));
        shares.answered.extend(up.iter().copied());
        self.messenger.tell(Message::Up(up));
        Ok(())
    }

    /// Ends hosts that are not there.
    pub(super) fn down(&self, ids: impl IntoIterator<Item = u32>, reason: HostReason) {
        if self.control.is_cancelled() {
            return;
        }
        for host in ids {
            let presence = Some(Presence::Down(reason));
            self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
        }
    }

    /// Which hosts answer an echo request, where this process may send them. This machine itself is not asked.
    fn answering_echo(&self, shares: &Shares, ids: &[u32]) -> BTreeSet<u32> {
        let way = |id: &u32| shares.routes.as_ref().and_then(|routes| routes.ways.get(*id as usize));
        let ids: Vec<u32> = ids.iter().copied().filter(|id| way(id) != Some(&Way::Kernel)).collect();
        let targets = self.addresses(&ids);
        let heard = ping::echo(&ping::Plan {
            targets: &targets,
            never: &self.job.never,
            control: self.control,
            links: self.links,
            rates: self.job.settings.rates,
            interface: self.job.settings.interface.as_deref(),
            traffic: &self.messenger.traffic,
        });
        if heard.unasked > 0 {
            self.messenger.tell(Message::Note(format!(
                "{} hosts were not sent an echo request, because the kernel had no room for more; they are looked for over TCP alone",
                heard.unasked
            )));
        }
        if heard.refused {
            self.messenger.tell(Message::Note(
                "hosts are looked for over TCP alone: for echo requests without privilege, net.ipv4.ping_group_range has to \
                 name a group of this process"
                    .to_owned(),
            ));
        }
        ids.into_iter().zip(targets).filter(|(_, target)| heard.up.contains(target)).map(|(id, _)| id).collect()
    }

    /// So many more hosts are there.
    fn found(&self, hosts: usize) {
        self.messenger.traffic.hosts_found.fetch_add(hosts as u64, Relaxed);
    }

    /// Which hosts answer on a TCP port, and why others cannot.
    fn answering_tcp(&self, ids: &[u32]) -> Result<Heard, Error> {
        let ports = ports_to_look_at(&self.prepared.tcp_ports);
        let heard = Mutex::new(Heard::default());
        let take = |records: Vec<Record>| {
            let mut heard = heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let before = heard.up.len();
            for record in records {
                let list = match (record.state, record.reason) {
                    (State::Open | State::Closed, _) => &mut heard.up,
                    (State::Error, _) => &mut heard.in_trouble,
                    (_, Reason::NoNeighbour) => &mut heard.no_neighbour,
                    _ => continue,
                };
                list.extend(ids.get(record.host as usize));
            }
            self.found(heard.up.len() - before);
        };
        // What is known to be there needs no second answer.
        let skip = |host: usize, _: usize| {
            let heard = heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            ids.get(host).is_some_and(|id| heard.up.contains(id))
        };
        let asking = Asking {
            pairs: self.all_pairs(ids.len(), ports.len())?,
            targets: self.addresses(ids),
            ports,
            settings: &self.job.settings,
            silence: connect::Silence::Taken,
            begun: &[],
        };
        self.ask(asking, &skip, &take, None)?;
        Ok(heard.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// UDP ports of the job to look for hosts with: those with something to say to them first.
    fn own_udp(&self) -> Vec<u16> {
        let has_payload = |port: &&u16| self.job.udp_payloads.contains_key(port);
        let (likely, others): (Vec<&u16>, Vec<&u16>) = self.prepared.udp_ports.iter().partition(has_payload);
        likely.into_iter().chain(others).copied().take(OWN_UDP).collect()
    }

    /// Hosts of which one of these UDP ports answers or refuses.
    pub(super) fn answering_udp(
        &self,
        ids: &[u32],
        ports: &[u16],
        settings: &Settings,
    ) -> Result<BTreeSet<u32>, Error> {
        if ids.is_empty() || ports.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut up = BTreeSet::new();
        for part in ids.chunks(AT_ONCE) {
            if self.control.is_cancelled() {
                break;
            }
            let take = |record: &Record| {
                if matches!(record.state, State::Open | State::Closed) && up.insert(record.host) {
                    self.found(1);
                }
            };
            collect::aside(&self.messenger.traffic, take, |messenger| {
                let plan = udp::Plan {
                    ids: part.to_vec(),
                    addresses: &self.prepared.targets,
                    ports,
                    first_index: 0,
                    payloads: &self.job.udp_payloads,
                    settings,
                    never: &self.job.never,
                    skip: &|_, _| false,
                    messenger,
                    finished: &|_, _| {},
                    interface: self.job.settings.interface.as_deref(),
                    links: self.links,
                    seed: self.seed,
                };
                udp::run(&plan, self.control)
            })?;
        }
        Ok(up)
    }

    pub(super) fn address(&self, id: u32) -> Option<IpAddr> {
        self.prepared.targets.get(id as usize).copied()
    }

    pub(super) fn addresses(&self, ids: &[u32]) -> Vec<IpAddr> {
        ids.iter().filter_map(|id| self.prepared.targets.get(*id as usize).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_ports_of_the_job_are_asked_beside_the_usual_ones() {
        let mut usual = USUAL[..USUAL_EVERYWHERE].to_vec();
        usual.sort_unstable();
        assert_eq!(ports_to_look_at(&[]), usual);
        let of_job = ports_to_look_at(&[25, 111, 2525]);
        assert!(of_job.len() == USUAL_EVERYWHERE + 2 && of_job.contains(&111) && of_job.contains(&2525));
        let all: Vec<u16> = (1..=1000).collect();
        assert_eq!(ports_to_look_at(&all), usual, "those of the job are among them");
    }

    /// More answers than an engine may have waiting: they are read while it asks.
    #[test]
    fn a_large_network_is_looked_through_with_datagrams_to_its_end() {
        let targets: Vec<IpAddr> = (0..70_000_u32).map(|n| IpAddr::from((0x7f56_0000 + n).to_be_bytes())).collect();
        let mut job = Job::new(targets, Vec::new());
        job.udp_ports = vec![9, 10, 11];
        job.settings.timeout = Duration::from_millis(50);
        job.settings.attempts = 1;
        let prepared = Prepared::new(&job).unwrap();
        let (control, (messenger, _messages), earlier) = (Control::new(), Messenger::new(), Earlier::default());
        let links = Links::new(Vec::new());
        let engines = Engines {
            job: &job,
            prepared: &prepared,
            control: &control,
            messenger: &messenger,
            earlier: &earlier,
            links: &links,
            seed: 1,
        };
        let ids: Vec<u32> = (0..70_000).collect();
        // A watchdog, so that it fails and does not hang.
        let (done, waiting) = std::sync::mpsc::channel();
        let watched = control.clone();
        let watchdog = std::thread::spawn(move || {
            if waiting.recv_timeout(Duration::from_secs(120)).is_err() {
                watched.cancel();
            }
        });
        let up = engines.answering_udp(&ids, &engines.own_udp(), &job.settings).unwrap();
        done.send(()).unwrap();
        watchdog.join().unwrap();
        assert!(!control.is_cancelled(), "it does not end");
        assert_eq!(up.len(), 70_000);
    }
}
