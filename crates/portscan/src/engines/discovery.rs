//! Which hosts are there, once for the whole job: only those are asked, over TCP and over UDP.
//!
//! A host counts as there if it answers anything: ARP, an echo request, one of the usual TCP ports, one of the job's own
//! ports, and as a last resort a datagram to one of the job's UDP ports.

use super::connecting::Asking;
use super::*;

/// TCP ports that are open, or at least refused and not dropped, on many hosts; likely ones first.
const USUAL: [u16; 24] = [
    443, 80, 22, 3389, 445, 25, 135, 8080, 8443, 53, 21, 23, 110, 143, 139, 993, 3306, 5900, 587, 111, 5432, 6379,
    8000, 1723,
];
/// So many of them without the privilege to send anything else.
const USUAL_BY_CONNECT: usize = 16;
/// Ports of the job itself that are asked, of each protocol.
const OWN_TCP: usize = 8;
const OWN_UDP: usize = 4;

/// Ports of the job to look for hosts with: the usual ones among them first.
fn own_tcp(asked: &[u16]) -> Vec<u16> {
    let usual = USUAL.iter().filter(|port| asked.binary_search(port).is_ok());
    let others = asked.iter().filter(|port| !USUAL.contains(port));
    usual.chain(others).copied().take(OWN_TCP).collect()
}

impl Engines<'_> {
    /// Leaves in `shares` only the hosts that are there. The others get their end here.
    pub(super) fn discover(&self, shares: &mut Shares) -> Result<(), Error> {
        let mut silent: BTreeMap<u32, Option<raw::Here>> = BTreeMap::new();
        // A host that has results from an earlier run was there; a lost packet must not take it away now.
        let began = |id: &u32| {
            let ports = u32::try_from(self.prepared.ports_each()).unwrap_or(0);
            self.earlier.exists() && (0..ports).any(|port| self.earlier.is_done(*id, port))
        };
        if let (false, Some(routes)) = (shares.raw.is_empty(), shares.routes.as_ref()) {
            let (found, not_opened) =
                raw::find(&self.raw_run(), routes, &shares.raw, &own_tcp(&self.prepared.tcp_ports))?;
            let ids = std::mem::take(&mut shares.raw);
            shares.here = found.here;
            for (id, here) in found.silent {
                if began(&id) {
                    shares.here.insert(id, here);
                } else {
                    silent.insert(id, Some(here));
                }
            }
            shares.raw = ids.into_iter().filter(|id| shares.here.contains_key(id)).collect();
            self.down(found.no_neighbour, HostReason::NoNeighbour);
            if let Some(not_opened) = not_opened {
                self.fall_back(shares, not_opened)?;
            }
        }
        let ids = std::mem::take(&mut shares.connect);
        let (sure, unsure): (Vec<u32>, Vec<u32>) = ids.into_iter().partition(|id| {
            let address = self.prepared.targets.get(*id as usize);
            address.is_some_and(|address| self.prepared.certain.contains(address)) || began(id)
        });
        shares.connect = sure;
        let answering = self.answering_tcp(&unsure)?;
        for id in unsure {
            if answering.contains(&id) {
                shares.connect.push(id);
                shares.answered.insert(id);
            } else {
                silent.insert(id, None);
            }
        }
        let ids: Vec<u32> = silent.keys().copied().collect();
        for id in self.answering_udp(&ids)? {
            match silent.remove(&id) {
                Some(Some(here)) => {
                    let presence = Some(Presence::Up(HostReason::Port));
                    shares.here.insert(id, raw::Here { presence, ..here });
                    shares.raw.push(id);
                }
                Some(None) => {
                    shares.answered.insert(id);
                    shares.connect.push(id);
                }
                None => {}
            }
        }
        shares.raw.sort_unstable();
        shares.connect.sort_unstable();
        self.down(silent.into_keys(), HostReason::NoResponse);
        Ok(())
    }

    fn down(&self, ids: impl IntoIterator<Item = u32>, reason: HostReason) {
        if self.control.is_cancelled() {
            return;
        }
        for host in ids {
            let presence = Some(Presence::Down(reason));
            self.messenger.tell(Message::Host(Box::new(HostEnd { host, presence, ..HostEnd::default() })));
        }
    }

    /// Hosts of which a TCP port answers.
    fn answering_tcp(&self, ids: &[u32]) -> Result<BTreeSet<u32>, Error> {
        let mut ports = own_tcp(&self.prepared.tcp_ports);
        ports.extend(USUAL.iter().take(USUAL_BY_CONNECT));
        ports.sort_unstable();
        ports.dedup();
        let up = Mutex::new(BTreeSet::new());
        let take = |records: Vec<Record>| {
            let mut up = up.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let answers = records.iter().filter(|record| matches!(record.state, State::Open | State::Closed));
            up.extend(answers.filter_map(|record| ids.get(record.host as usize)).copied());
        };
        // What is known to be there needs no second answer.
        let skip = |host: usize, _: usize| {
            let up = up.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            ids.get(host).is_some_and(|id| up.contains(id))
        };
        let asking = Asking {
            pairs: self.all_pairs(ids.len(), ports.len())?,
            targets: self.addresses(ids),
            ports,
            settings: &self.job.settings,
            silence: connect::Silence::Taken,
        };
        self.connect_plan(asking, &skip, &take)?;
        Ok(up.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Hosts of which a UDP port answers or refuses.
    fn answering_udp(&self, ids: &[u32]) -> Result<BTreeSet<u32>, Error> {
        if ids.is_empty() || self.prepared.udp_ports.is_empty() {
            return Ok(BTreeSet::new());
        }
        let has_payload = |port: &&u16| self.job.udp_payloads.contains_key(port);
        let (likely, others): (Vec<&u16>, Vec<&u16>) = self.prepared.udp_ports.iter().partition(has_payload);
        let ports: Vec<u16> = likely.into_iter().chain(others).copied().take(OWN_UDP).collect();
        let (mut messenger, records) = Messenger::new();
        messenger.traffic = Arc::clone(&self.messenger.traffic);
        let plan = udp::Plan {
            targets: ids.iter().copied().zip(self.addresses(ids)).collect(),
            ports: &ports,
            first_index: 0,
            payloads: &self.job.udp_payloads,
            settings: &self.job.settings,
            never: &self.job.never,
            skip: &|_, _| false,
            messenger: &messenger,
            interface: self.job.settings.interface.as_deref(),
        };
        udp::run(&plan, self.control)?;
        let mut up = BTreeSet::new();
        for message in records.try_iter() {
            if let Message::Records(records) = message {
                let answers = records.iter().filter(|record| matches!(record.state, State::Open | State::Closed));
                up.extend(answers.map(|record| record.host));
            }
        }
        Ok(up)
    }

    pub(super) fn addresses(&self, ids: &[u32]) -> Vec<IpAddr> {
        ids.iter().filter_map(|id| self.prepared.targets.get(*id as usize).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_ports_are_few_and_the_likely_ones_come_first() {
        assert_eq!(own_tcp(&[25, 2525]), [25, 2525]);
        assert_eq!(own_tcp(&[]), [0_u16; 0]);
        let all: Vec<u16> = (1..=1000).collect();
        assert_eq!(own_tcp(&all), [443, 80, 22, 445, 25, 135, 53, 21]);
    }
}
