//! Packets out: writing and batching them, ceilings, and what becomes of those that the kernel refuses.
//!
//! A refused packet says nothing about its port and little about others: one rule of this machine may forbid one port, and a
//! full table of connections passes. So each refused pair is remembered by itself, asked again with pauses that grow, and
//! reported as trouble of this machine only if it stays at that. It never left, so the same attempt is made again.

use super::second::{Load, Second};
use super::*;
use crate::raw::trouble::{is_down, is_full, is_of_device, reason};

/// Round trips up to which the processor and not the path is what questions wait for.
const NEAR_US: u32 = 5000;
/// How long a device without room is waited for.
const STUCK: Duration = Duration::from_secs(5);
/// Times the refused pairs of a host are asked again.
const LOCAL_TRIES: u8 = 10;
/// So many refusals of as good as all that was asked again end such a round: the cause has not passed.
const ALL_REFUSED: u32 = 64;

/// What a packet is for, as far as its refusal matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Asks the port with this index.
    Question(u32),
    Canary(u8),
    Other,
}

/// Packets for one sender.
pub struct Packets {
    pub batch: Batch,
    /// The host of each, if it is for one.
    purposes: Vec<(Option<usize>, Purpose)>,
}

impl Packets {
    pub fn new() -> Self {
        Self { batch: Batch::new(), purposes: Vec::new() }
    }

    fn clear(&mut self) {
        self.batch.clear();
        self.purposes.clear();
    }
}

/// What waits for one sender.
pub(super) struct Outgoing {
    packets: Packets,
    /// Since when the device has refused every packet.
    stuck_since: Option<Instant>,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self { packets: Packets::new(), stuck_since: None }
    }
}

/// A packet that the kernel refused: its host, if it was for one, what it was for, and why.
type Refused = (Option<usize>, Purpose, io::Error);

/// The refused pairs of a host.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// How many there are now.
    pub(super) count: u32,
    /// What was last said of one of them.
    pub(super) reason: Option<Reason>,
    /// Whether they are being asked again.
    pub(super) asking: bool,
    tries: u8,
    due_us: u64,
    cursor: u32,
    /// Of the round that goes on: questions, and how many of them were refused.
    asked: u32,
    again: u32,
}

/// The next refused port of a host, while those are asked again.
pub(super) fn next_refused(host: &mut HostPlan, refused: &Bits, shared: &Shared, number: u32) -> Option<u32> {
    let refusals = &mut host.refusals;
    let hopeless = refusals.again >= ALL_REFUSED && refusals.again >= refusals.asked / 10 * 9;
    while !hopeless && u64::from(refusals.cursor) < host.order.len() {
        let (_, index) = host.order.pair(u64::from(refusals.cursor))?;
        refusals.cursor += 1;
        let port = u32::try_from(index).ok()?;
        if refused.get(shared.pair(number, port)) {
            refusals.asked += 1;
            return Some(port);
        }
    }
    refusals.asking = false;
    None
}

/// Sends packets from number `first` on. A device without room is waited for; what the kernel refuses after that is returned.
fn send_all(
    cx: &Sending<'_>,
    sender: &Sender,
    (packets, mut first): (&mut Packets, usize),
    stuck_since: &mut Option<Instant>,
) -> Vec<Refused> {
    let mut refused = Vec::new();
    while first < packets.batch.len() {
        match packets.batch.send(sender, first) {
            Ok(sent) => {
                first += sent.max(1);
                *stuck_since = None;
            }
            Err(error) => {
                let (full, down) = (is_full(&error), is_down(&error));
                if full || down {
                    let since = stuck_since.get_or_insert_with(Instant::now).elapsed();
                    // A device that fell may be back in a moment; how long that is waited for its watcher knows as well.
                    let patience = if down || cx.links.is_down() { PATIENCE } else { STUCK };
                    if since < patience && !cx.control.is_cancelled() {
                        std::thread::sleep(Duration::from_micros(if down { 5000 } else { 200 }));
                        continue;
                    }
                }
                if let Some((at, purpose)) = packets.purposes.get(first).copied() {
                    refused.push((at, purpose, error));
                }
                first += 1;
            }
        }
    }
    refused
}

impl Transmitter<'_> {
    pub(super) fn syn(&mut self, at: usize, port: u16, what: Use) {
        let cookies = self.cx.shared.cookies;
        let target = &self.hosts[at].target;
        let source_port = cookies.source_port(what);
        let sequence = cookies.sequence(target.address, source_port, port, self.cx.shared.now_us());
        let question = Syn { source: target.source, target: target.address, source_port, port, sequence };
        let link = target.link;
        let purpose = match what {
            Use::Pass(_) | Use::Early | Use::Sample => {
                let index = self.cx.shared.port_index.get(usize::from(port)).and_then(|index| index.checked_sub(1));
                index.map_or(Purpose::Other, Purpose::Question)
            }
            Use::Canary(number) => Purpose::Canary(number),
            Use::Verify(_) | Use::Guard(_) => Purpose::Other,
        };
        self.put(at, purpose, |buffer| packet::syn(buffer, link, &question));
    }

    /// An echo request in the place of a canary.
    pub(super) fn echo(&mut self, at: usize, number: u8) {
        let cookies = self.cx.shared.cookies;
        let target = &self.hosts[at].target;
        let (ends, link) = ((target.source, target.address), target.link);
        let (identifier, sequence) = (cookies.first_port, u16::from(number));
        let data = u64::from(cookies.sequence(target.address, identifier, sequence, self.cx.shared.now_us())) << 32;
        self.put(at, Purpose::Canary(number), |buffer| packet::echo(buffer, link, ends, identifier, sequence, data));
    }

    fn put(&mut self, at: usize, purpose: Purpose, write: impl FnOnce(&mut [u8; LONGEST]) -> usize) {
        let now = self.now_us;
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.sent(now);
        }
        if let Some(ceiling) = &mut self.hosts[at].ceiling {
            ceiling.sent(now);
        }
        let target = &self.hosts[at].target;
        if let Some(ceiling) = self.subnets.get_mut(target.subnet) {
            ceiling.sent(now);
        }
        let (way, to) = (target.way, target.address);
        self.push(way, to, (Some(at), purpose), write);
    }

    /// Asks for the hardware address of a next hop.
    pub(super) fn ask_neighbour(&mut self, number: usize) {
        let Some(hop) = self.hops.get(number) else { return };
        let (asker, address) = (hop.asker, hop.address);
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.sent(self.now_us);
        }
        self.push(asker.way, address, (None, Purpose::Other), |buffer| asker.question(address, buffer));
    }

    fn push(
        &mut self,
        way: usize,
        to: IpAddr,
        purpose: (Option<usize>, Purpose),
        write: impl FnOnce(&mut [u8; LONGEST]) -> usize,
    ) {
        if let Some(outgoing) = self.outgoing.get_mut(way) {
            outgoing.packets.batch.push(to, write);
            outgoing.packets.purposes.push(purpose);
            if outgoing.packets.batch.is_full() {
                self.take_back();
                let (trip, in_flight) =
                    (self.cx.shared.smoothed_us.load(Relaxed), self.cx.shared.in_flight.load(Relaxed));
                // Where ports are silent it is the pace that questions wait for.
                let is_busy = (1..NEAR_US).contains(&trip) && in_flight > 0;
                let outgoing = self.outgoing.get_mut(way);
                let is_taken = (self.second.as_mut().filter(|_| is_busy).zip(outgoing))
                    .is_some_and(|(second, outgoing)| second.take(way, &mut outgoing.packets));
                if !is_taken {
                    self.flush(way);
                }
            }
        }
    }

    pub(super) fn below_ceilings(&self, at: usize) -> bool {
        let now = self.now_us;
        let host = &self.hosts[at];
        self.ceiling.as_ref().is_none_or(|ceiling| ceiling.ready(now))
            && host.ceiling.as_ref().is_none_or(|ceiling| ceiling.ready(now))
            && self.subnets.get(host.target.subnet).is_none_or(|ceiling| ceiling.ready(now))
    }

    pub(super) fn flush_all(&mut self) {
        for way in 0..self.outgoing.len() {
            self.flush(way);
        }
    }

    /// Sends a batch from here.
    fn flush(&mut self, way: usize) {
        let (Some(outgoing), Some(sender)) = (self.outgoing.get_mut(way), self.cx.senders.get(way)) else { return };
        let Outgoing { packets, stuck_since } = outgoing;
        let total = packets.batch.len();
        let refused = send_all(&self.cx, sender, (packets, 0), stuck_since);
        packets.clear();
        self.went_out(total, refused);
    }

    /// Takes back what the second thread has done with; what was refused there is sent from here.
    pub(super) fn take_back(&mut self) {
        let load = self.second.as_mut().filter(|second| second.is_busy()).and_then(Second::done);
        self.took_back(load);
    }

    /// Waits for what the second thread still has, and lets it end.
    pub(super) fn end_second(&mut self) {
        let load = self.second.as_mut().and_then(Second::wait);
        self.took_back(load);
        self.second = None;
    }

    fn took_back(&mut self, load: Option<Load>) {
        let Some(Load { way, mut packets, sent }) = load else { return };
        let total = packets.batch.len();
        let refused = match (self.outgoing.get_mut(way), self.cx.senders.get(way)) {
            (Some(outgoing), Some(sender)) if sent < total => {
                send_all(&self.cx, sender, (&mut packets, sent), &mut outgoing.stuck_since)
            }
            _ => Vec::new(),
        };
        packets.clear();
        if let Some(second) = &mut self.second {
            second.give_back(packets);
        }
        self.went_out(total, refused);
    }

    fn went_out(&mut self, total: usize, refused: Vec<Refused>) {
        let traffic = &self.cx.messenger.traffic;
        traffic.sent.fetch_add((total - refused.len()) as u64, Relaxed);
        traffic.attempts.fetch_add(total as u64, Relaxed);
        for (at, purpose, error) in refused {
            if let Some(at) = at {
                self.refused(at, purpose, &error);
            }
        }
    }

    /// Takes in that a packet was refused.
    fn refused(&mut self, at: usize, purpose: Purpose, error: &io::Error) {
        let all = self.cx.shared;
        let (Some(host), Some(shared)) = (self.hosts.get_mut(at), all.hosts.get(at)) else { return };
        if is_of_device(error) {
            host.local = Some(reason(error));
            return;
        }
        match purpose {
            Purpose::Question(port) => {
                let Ok(number) = u32::try_from(at) else { return };
                let pair = all.pair(number, port);
                all.landed(shared, pair);
                let bits = self.refused.get_or_insert_with(|| Bits::new(all.hosts.len() * all.ports.len()));
                if !all.done.get(pair) && bits.set(pair) {
                    host.refusals.count += 1;
                }
                host.refusals.reason = Some(reason(error));
                host.refusals.again += 1;
            }
            // It was not lost on the way.
            Purpose::Canary(number) => host.canaries.retain(|(_, known, _)| *known != number),
            Purpose::Other => {}
        }
    }

    /// At the end of a pass: whether refused pairs of a host are to be asked again before anything else is decided.
    pub(super) fn ask_refused(&mut self, at: usize) -> bool {
        let now = self.now_us;
        let host = &mut self.hosts[at];
        let refusals = &mut host.refusals;
        if refusals.count == 0 {
            refusals.tries = 0;
            return false;
        }
        if refusals.tries >= LOCAL_TRIES || host.local.is_some() {
            return false;
        }
        if refusals.due_us == 0 {
            refusals.tries += 1;
            refusals.due_us = now + (5_000 << refusals.tries.min(7));
        }
        if now >= refusals.due_us {
            (refusals.due_us, refusals.cursor, refusals.asked, refusals.again) = (0, 0, 0, 0);
            refusals.asking = true;
            host.phase = Phase::Asking;
        }
        true
    }

    /// What to report of a pair whose last question was refused.
    pub(super) fn refusal(&self, at: usize, pair: usize) -> Option<Reason> {
        let is_refused = self.refused.as_ref().is_some_and(|refused| refused.get(pair));
        if is_refused { self.hosts.get(at)?.refusals.reason } else { None }
    }
}
