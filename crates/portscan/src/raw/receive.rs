//! The receiving thread: empties the rings, checks each packet against the cookies, decides who was first.

use std::net::IpAddr;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::cookie::Use;
use super::packet::{self, ACK, Answer, RST, SYN};
use super::shared::{Host, Shared};
use crate::collect::{Messenger, Record};
use crate::congestion::smooth;
use crate::icmp::Unreachable;
use crate::sys::packet::{Frame, Ring};
use crate::{Reason, State};

/// A target whose SYN-ACK gets no answer repeats it after a second (RFC 6298, section 2.1). One that comes so much later
/// than the quickest answer measures that second and not the path.
const REPEATED_US: u32 = 900_000;
/// Hardware addresses of next hops that wait for the sending thread, at most.
const NEIGHBOURS: usize = 64;
/// Longest sleep, so that the end of the run is seen and losses of the ring are counted.
const NAP_MS: i64 = 4;

/// Runs until the shared flag says stop; gives the rings back.
pub fn receive(shared: &Shared, ids: &[u32], rings: &mut [Ring], messenger: &Messenger) {
    while !shared.stop.load(Relaxed) {
        look(shared, ids, rings, messenger);
        shared.wake();
    }
}

/// Waits for a moment and takes in what has come.
fn look(shared: &Shared, ids: &[u32], rings: &mut [Ring], messenger: &Messenger) {
    {
        let fds: Vec<_> = rings.iter().map(Ring::fd).collect();
        let mut polls: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        let wait = Timespec { tv_sec: 0, tv_nsec: NAP_MS * 1_000_000 };
        // An interrupted or failed poll only means to look at the rings sooner.
        let _ = poll(&mut polls, Some(&wait));
        for (ring, polled) in fds.iter().zip(&polls) {
            if polled.revents().contains(PollFlags::ERR) {
                // The device went down. Until the error is taken there is no waiting on its ring.
                let _ = rustix::net::sockopt::socket_error(ring);
            }
        }
    }
    let mut records: Vec<Record> = Vec::new();
    shared.hand_overs.fetch_add(1, AcqRel);
    // The kernel closes a block of its ring a millisecond after the first packet in it.
    let looked_us = shared.now_us().saturating_sub(2000);
    let offset = shared.clock.offset();
    for ring in rings.iter_mut() {
        ring.drain(|frame| {
            let at_us = offset.of_day(frame.at_us);
            take(shared, ids, Frame { at_us, ..frame }, &mut records);
        });
    }
    if !records.is_empty() {
        messenger.records(records);
    }
    shared.hand_overs.fetch_add(1, AcqRel);
    // Before it is said up to when everything was read: what was lost until then is known by then, however busy it is.
    let drops: u64 = rings.iter().map(|ring| u64::from(ring.drops())).sum();
    if drops > 0 {
        shared.dropped.fetch_add(drops, Relaxed);
    }
    shared.read_until_us.store(looked_us, Release);
}

/// Takes in a packet that came at a time of our clock.
fn take(shared: &Shared, ids: &[u32], frame: Frame<'_>, records: &mut Vec<Record>) {
    let Some(answer) = packet::read(frame.bytes).map(|answer| answer.within(frame.interface)) else { return };
    match answer {
        Answer::Tcp { source, source_port, port, acknowledged, flags, ttl, .. } => {
            let accepted = flags & (SYN | ACK | RST) == SYN | ACK;
            if !accepted && flags & RST == 0 {
                return;
            }
            let Some(what) = shared.cookies.use_of(source_port) else { return };
            let Some(number) = shared.host_of(source) else { return };
            let sequence = acknowledged.wrapping_sub(1);
            let Some(trip) = shared.cookies.round_trip(source, source_port, port, sequence, frame.at_us) else {
                return;
            };
            shared.received.fetch_add(1, Relaxed);
            let sent_us = frame.at_us.saturating_sub(u64::from(trip));
            let heard = Heard { number, port, what, trip, sent_us, ttl, accepted };
            heard_tcp(shared, ids, &heard, records);
        }
        Answer::Error { from, target, source_port, port, sequence, why, ttl, .. } => {
            let Some(what) = shared.cookies.use_of(source_port) else { return };
            let Some(number) = shared.host_of(target) else { return };
            let trip = shared.cookies.round_trip(target, source_port, port, sequence, frame.at_us);
            let (Some(trip), Some(host)) = (trip, shared.hosts.get(number as usize)) else { return };
            shared.received.fetch_add(1, Relaxed);
            let reason = match why {
                Unreachable::Port => Reason::PortUnreachable,
                Unreachable::Prohibited => Reason::AdminProhibited,
                // These may pass, so they are remembered and not final.
                Unreachable::Host | Unreachable::Network => {
                    host.unreachable.store(if why == Unreachable::Host { 1 } else { 2 }, Relaxed);
                    if let Some(index) = index_of(shared, port) {
                        let pair = shared.pair(number, index);
                        if why == Unreachable::Network {
                            shared.by_network.set(pair);
                        }
                        shared.unreachable.set(pair);
                    }
                    return;
                }
            };
            // Of a router's refusal the round trip is another one.
            if from == target {
                timed(shared, host, trip);
            }
            if let (Use::Pass(_) | Use::Early | Use::Sample, Some(index)) = (what, index_of(shared, port)) {
                finish(shared, ids, number, index, State::Filtered, reason, trip, ttl, attempt(what), records);
            }
        }
        Answer::Echo { from, identifier, number, data, .. } => {
            heard_echo(shared, from, identifier, number, data, frame.at_us);
        }
        Answer::Neighbour { address, mac, to } => {
            if let Some(hop) = shared.hops.get(&(frame.interface, address)) {
                note(shared, |notes| {
                    // Whoever tells it all the time is heard often enough.
                    if notes.neighbours.len() < NEIGHBOURS {
                        notes.neighbours.push((*hop, mac, to));
                    }
                });
            }
        }
    }
}

struct Heard {
    number: u32,
    port: u16,
    what: Use,
    trip: u32,
    sent_us: u64,
    ttl: u8,
    accepted: bool,
}

fn heard_tcp(shared: &Shared, ids: &[u32], heard: &Heard, records: &mut Vec<Record>) {
    let Some(host) = shared.hosts.get(heard.number as usize) else { return };
    let is_repeated = heard.accepted && heard.trip > host.shortest_us.load(Relaxed).saturating_add(REPEATED_US);
    match heard.what {
        Use::Pass(_) | Use::Early | Use::Sample => {
            host.newest_us.fetch_max(heard.sent_us, Relaxed);
            let Some(index) = index_of(shared, heard.port) else { return };
            let (state, reason) =
                if heard.accepted { (State::Open, Reason::SynAck) } else { (State::Closed, Reason::ConnRefused) };
            let attempts = attempt(heard.what);
            if !finish(shared, ids, heard.number, index, state, reason, heard.trip, heard.ttl, attempts, records) {
                // An answer that nobody waits for does not tell how long to wait either.
                return;
            }
            host.answered.fetch_add(1, Relaxed);
            shared.answered.fetch_add(1, Relaxed);
            host.canary_port.store(index + 1, Relaxed);
            if attempts > 1 {
                host.late.fetch_add(1, Relaxed);
                shared.late.fetch_add(1, Relaxed);
            }
            if heard.accepted {
                host.open.fetch_add(1, Relaxed);
                note(shared, |notes| notes.opened.push((heard.number, index)));
            }
        }
        Use::Verify(_) => {
            if let Some(index) = index_of(shared, heard.port) {
                note(shared, |notes| notes.verified.push((heard.number, index, heard.accepted)));
            }
        }
        Use::Guard(_) => note(shared, |notes| notes.guards.push((heard.number, heard.port, heard.accepted))),
        Use::Canary(number) => {
            host.canaries.fetch_or(1 << number, Relaxed);
        }
    }
    if !is_repeated {
        timed(shared, host, heard.trip);
    }
}

fn heard_echo(shared: &Shared, from: IpAddr, identifier: u16, number: u16, data: u64, at_us: u64) {
    let Some(at) = shared.host_of(from) else { return };
    let Some(host) = shared.hosts.get(at as usize) else { return };
    let sequence = u32::try_from(data >> 32).unwrap_or(0);
    if identifier != shared.cookies.first_port || number >= u16::from(Use::CANARIES) {
        return;
    }
    let Some(trip) = shared.cookies.round_trip(from, identifier, number, sequence, at_us) else { return };
    shared.received.fetch_add(1, Relaxed);
    host.echoed.store(true, Relaxed);
    host.canaries.fetch_or(1 << number, Relaxed);
    timed(shared, host, trip);
}

/// Takes in a round trip.
fn timed(shared: &Shared, host: &Host, trip: u32) {
    let (smoothed, variation) = smooth(host.smoothed_us.load(Relaxed), host.variation_us.load(Relaxed), trip);
    host.smoothed_us.store(smoothed, Relaxed);
    host.variation_us.store(variation, Relaxed);
    host.recent_us.fetch_min(trip, Relaxed);
    let shortest = host.shortest_us.load(Relaxed).min(trip);
    host.shortest_us.store(shortest, Relaxed);
    shared.excess_us.fetch_min(trip - shortest, Relaxed);
    let (everywhere, _) = smooth(shared.smoothed_us.load(Relaxed), 0, trip);
    shared.smoothed_us.store(everywhere, Relaxed);
}

fn index_of(shared: &Shared, port: u16) -> Option<u32> {
    shared.port_index.get(usize::from(port))?.checked_sub(1)
}

/// How many questions had gone out when this one was answered, at least.
const fn attempt(what: Use) -> u8 {
    match what {
        Use::Pass(pass) => pass + 1,
        Use::Early | Use::Sample => 2,
        _ => 1,
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of a record")]
fn finish(
    shared: &Shared,
    ids: &[u32],
    number: u32,
    index: u32,
    state: State,
    reason: Reason,
    rtt_us: u32,
    ttl: u8,
    attempts: u8,
    records: &mut Vec<Record>,
) -> bool {
    let (Some(host), Some(id)) = (shared.hosts.get(number as usize), ids.get(number as usize)) else { return false };
    let pair = shared.pair(number, index);
    if !shared.done.set(pair) {
        return false;
    }
    shared.landed(host, pair);
    host.undone.fetch_sub(1, Release);
    records.push(Record { host: *id, port: index, state, reason, rtt_us, ttl, attempts });
    true
}

fn note(shared: &Shared, write: impl FnOnce(&mut super::shared::Notes)) {
    let mut notes = shared.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    write(&mut notes);
    shared.noted.store(true, Relaxed);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cookie::Cookies;
    use super::*;
    use crate::sys::packet::{Batch, Medium, Sender};

    #[test]
    fn a_repeated_acceptance_does_not_make_a_host_look_far_away() {
        let address = "192.0.2.1".parse().unwrap();
        let shared = Shared::new(&[address], (1..=100).collect(), Cookies::new([1, 2, 3], Duration::ZERO));
        let mut records = Vec::new();
        let mut hear = |port, what, trip, accepted| {
            let heard = Heard { number: 0, port, what, trip, sent_us: 0, ttl: 64, accepted };
            heard_tcp(&shared, &[0], &heard, &mut records);
        };
        for port in 1..=50 {
            hear(port, Use::Pass(0), 20_000, port % 10 == 0);
        }
        // The one whose acceptance got lost was asked again, and nobody told the host that it was answered.
        hear(51, Use::Early, 20_000, true);
        let known = |host: &Host| (host.smoothed_us.load(Relaxed), host.variation_us.load(Relaxed));
        let before = known(&shared.hosts[0]);
        hear(51, Use::Pass(0), 1_020_000, true);
        hear(10, Use::Verify(0), 1_030_000, true);
        hear(10, Use::Canary(0), 1_030_000, true);
        hear(52, Use::Pass(0), 1_020_000, true);
        assert_eq!(known(&shared.hosts[0]), before);
        hear(53, Use::Pass(0), 1_020_000, false);
        assert!(shared.hosts[0].smoothed_us.load(Relaxed) > before.0, "a refusal is not repeated");
        assert_eq!(records.len(), 53);
    }

    /// More than the ring holds comes before anybody looks; what was lost is known with the first look, although there is
    /// much to read. Needs CAP_NET_RAW.
    #[test]
    fn what_the_ring_dropped_is_known_before_it_is_said_that_all_was_read() {
        if super::super::may_run().is_err() {
            return;
        }
        let cookies = Cookies::new([1, 2, 3], Duration::ZERO);
        let program = super::super::filter::program(cookies.first_port, cookies.first_port + 63);
        let mut rings = [Ring::open(1, &program).unwrap()];
        let sender = Sender::open(1, "lo", Medium::Ethernet).unwrap();
        let mut batch = Batch::new();
        let address = "192.0.2.1".parse().unwrap();
        while !batch.is_full() {
            batch.push(address, |buffer| {
                let length = packet::arp_request(buffer, [2; 6], [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
                buffer[21] = 2;
                length
            });
        }
        for _ in 0..1500 {
            let mut first = 0;
            while first < batch.len() {
                first += batch.send(&sender, first).unwrap_or(1);
            }
        }
        let shared = Shared::new(&[address], vec![80], cookies);
        let (messenger, _messages) = Messenger::new();
        while shared.now_us() < 3000 {
            std::hint::spin_loop();
        }
        look(&shared, &[0], &mut rings, &messenger);
        assert!(shared.read_until_us.load(Relaxed) > 0);
        assert!(shared.dropped.load(Relaxed) > 0);
    }
}
