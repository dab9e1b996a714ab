//! Next hops that become others while a scan runs: a second router takes over the address of the first, a host moves.
//!
//! What anybody announces unasked is not believed. It is a reason to ask, as is a host that no longer answers what it used to;
//! and of those who answer then, with a reply to us, the first is believed, as at the beginning of the run. Whoever forges such
//! replies on the link could have done so then. What was out when the next hop changed counts as lost on this side.

use super::*;
use crate::raw::discover::Asker;
use crate::zone;

/// Between two questions for the same next hop.
const ASK_EVERY_US: u64 = 1_000_000;
/// How long an answer may take.
const ANSWER_WITHIN_US: u64 = 3_000_000;

/// Whom packets are handed to on a link.
#[derive(Debug, Clone, Copy)]
pub struct Hop {
    pub interface: u32,
    pub address: IpAddr,
    pub asker: Asker,
    pub mac: [u8; 6],
    /// When its hardware address was last asked for, if the answer is still missing.
    pub asked_us: Option<u64>,
    pub ask_next_us: u64,
    /// How often it changed.
    pub moves: u32,
}

impl Hop {
    pub const fn new(interface: u32, address: IpAddr, asker: Asker, mac: [u8; 6]) -> Self {
        Self { interface, address, asker, mac, asked_us: None, ask_next_us: 0, moves: 0 }
    }
}

impl Transmitter<'_> {
    /// Asks anew who the next hop of a host is.
    pub(super) fn doubt_hop_of(&mut self, at: usize) {
        if let Some(hop) = self.hosts[at].target.hop {
            self.doubt(hop);
        }
    }

    fn doubt(&mut self, number: usize) {
        let now = self.now_us;
        let Some(hop) = self.hops.get_mut(number).filter(|hop| now >= hop.ask_next_us) else { return };
        hop.ask_next_us = now + ASK_EVERY_US;
        hop.asked_us = Some(now);
        self.ask_neighbour(number);
    }

    /// Somebody tells the hardware address of a next hop: to us, or unasked to everybody.
    pub(super) fn heard_neighbour(&mut self, number: usize, mac: [u8; 6], to: Option<IpAddr>) {
        let now = self.now_us;
        let Some(hop) = self.hops.get_mut(number) else { return };
        let is_reply = to.is_some() && to == Some(zone::within(hop.asker.source, hop.interface));
        if !is_reply {
            if mac != hop.mac {
                self.doubt(number);
            }
            return;
        }
        let is_awaited = hop.asked_us.take().is_some_and(|asked| now <= asked + ANSWER_WITHIN_US);
        if !is_awaited || mac == hop.mac {
            return;
        }
        (hop.mac, hop.moves) = (mac, hop.moves + 1);
        let (address, own) = (hop.address, hop.asker.own);
        for host in self.hosts.iter_mut().filter(|host| host.target.hop == Some(number)) {
            host.target.link = Some((own, mac));
            if host.target.mac.is_some() {
                host.target.mac = Some(mac);
            }
            (host.lost_in_row, host.fell_silent) = (0, false);
        }
        let written: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        self.cx.messenger.tell(Message::Note(format!(
            "{} has another hardware address since a moment ago, {}; what was on its way is asked again",
            zone::split(address).0,
            written.join(":")
        )));
    }
}
