//! Echo requests without privilege: datagram sockets of ICMP (ping sockets), which Linux lets a process have whose groups
//! `net.ipv4.ping_group_range` names (icmp(7)).
//!
//! The kernel gives each socket a number of its own in the identifier field, computes the checksum, and hands it the replies to
//! that number alone. Each request carries a keyed mark of the host it went to, so that a reply counts for who was asked and for
//! nobody else.
//!
//! A request to an address of the link that nobody answers for waits some three seconds in the kernel for a neighbour, and takes
//! up room of its socket meanwhile: a few hundred fill one. So there are several, and a request without room waits.

use std::collections::{HashSet, VecDeque};
use std::hash::Hasher as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use siphasher::sip::SipHasher13;

use crate::collect::Traffic;
use crate::connect::answers::bind_device;
use crate::descriptors::available;
use crate::limits::Ceilings;
use crate::links::Links;
use crate::{Control, Never, Rates, zone};

/// How long replies are waited for after each of the rounds.
const ROUNDS: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(500)];
/// Requests a second, if the caller sets no lower ceiling.
const RATE: u32 = 10_000;
/// Requests between two looks at the replies.
const BURST: usize = 32;
/// Sockets of a family at most.
const SOCKETS: usize = 64;
/// How long room for a request is waited for while nothing can be sent: longer than the kernel keeps one for a neighbour.
const STUCK: Duration = Duration::from_secs(6);

/// What to ask and how.
pub struct Plan<'a> {
    pub targets: &'a [IpAddr],
    pub never: &'a Never,
    pub control: &'a Control,
    pub links: &'a Links,
    pub rates: Rates,
    pub interface: Option<&'a str>,
    pub traffic: &'a Traffic,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// Hosts that replied.
    pub up: HashSet<IpAddr>,
    /// Whether this process may not have such sockets.
    pub refused: bool,
    /// Hosts that were never sent a request, for want of room.
    pub unasked: usize,
}

/// The sockets, those of the families that there are targets of.
struct Sockets<'a> {
    four: Vec<OwnedFd>,
    six: Vec<OwnedFd>,
    interface: Option<&'a str>,
    /// Sockets of a family at most.
    most: usize,
}

fn open(four: bool, interface: Option<&str>) -> Result<OwnedFd, Errno> {
    let (family, protocol) =
        if four { (AddressFamily::INET, ipproto::ICMP) } else { (AddressFamily::INET6, ipproto::ICMPV6) };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, flags, Some(protocol))?;
    if let Some(name) = interface {
        bind_device(&socket, name)?;
    }
    // Bound at once, so that both have their number before the first request.
    let any: IpAddr = if four { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    rustix::net::bind(&socket, &SocketAddr::new(any, 0))?;
    Ok(socket)
}

impl Sockets<'_> {
    const fn of(&self, four: bool) -> &Vec<OwnedFd> {
        if four { &self.four } else { &self.six }
    }

    /// Opens one more socket of a family.
    fn add(&mut self, four: bool) -> Result<(), Errno> {
        let socket = open(four, self.interface)?;
        if four { &mut self.four } else { &mut self.six }.push(socket);
        Ok(())
    }

    /// Sends a request from whichever socket has room; `AGAIN` if none has.
    fn send(&mut self, target: IpAddr, bytes: &[u8]) -> Result<(), Errno> {
        let (four, to) = (target.is_ipv4(), zone::endpoint(target, 0));
        let is_full = |error: Errno| matches!(error, Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM);
        // The last one has been in use for the shortest time.
        for socket in self.of(four).iter().rev() {
            match rustix::net::sendto(socket, bytes, SendFlags::empty(), &to) {
                Err(error) if is_full(error) => {}
                sent => return sent.map(drop),
            }
        }
        if self.of(four).len() >= self.most || self.add(four).is_err() {
            return Err(Errno::AGAIN);
        }
        let Some(socket) = self.of(four).last() else { return Err(Errno::AGAIN) };
        match rustix::net::sendto(socket, bytes, SendFlags::empty(), &to) {
            Err(error) if is_full(error) => Err(Errno::AGAIN),
            sent => sent.map(drop),
        }
    }

    /// Hands over what has come, and from whom.
    fn read(&self, mut take: impl FnMut(IpAddr, &[u8])) {
        let mut buffer = [0_u8; 128];
        for socket in self.four.iter().chain(&self.six) {
            while let Ok((length, _, from)) = rustix::net::recvfrom(socket, &mut buffer, RecvFlags::empty()) {
                let from = from.and_then(|from| SocketAddr::try_from(from).ok());
                if let (Some(from), Some(bytes)) = (from, buffer.get(..length)) {
                    take(zone::host_of(from), bytes);
                }
            }
        }
    }

    fn wait(&self, time: Duration) {
        let sockets = self.four.iter().chain(&self.six);
        let mut polls: Vec<PollFd<'_>> = sockets.map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        // An interrupted wait only means to look sooner.
        let _ = poll(&mut polls, Some(&time));
    }
}

/// A request to a host: type, code, room for checksum and identifier, number, mark.
fn request(four: bool, number: u8, mark: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = if four { 8 } else { 128 };
    bytes[7] = number;
    bytes[8..].copy_from_slice(&mark.to_be_bytes());
    bytes
}

/// The mark that a reply repeats; `None` if it is none.
fn mark_of(four: bool, bytes: &[u8]) -> Option<u64> {
    let kind = if four { 0 } else { 129 };
    (bytes.first() == Some(&kind)).then_some(())?;
    Some(u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?))
}

fn mark(keys: (u64, u64), target: IpAddr) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(keys.0, keys.1);
    match target {
        IpAddr::V4(a) => hasher.write(&a.octets()),
        IpAddr::V6(a) => hasher.write(&a.octets()),
    }
    hasher.finish()
}

/// Asks every target, those that stay silent twice.
pub fn echo(plan: &Plan<'_>) -> Heard {
    let mut heard = Heard::default();
    let most = (available() / 4).clamp(1, SOCKETS);
    let mut sockets = Sockets { four: Vec::new(), six: Vec::new(), interface: plan.interface, most };
    for four in [true, false] {
        if plan.targets.iter().all(|target| target.is_ipv4() != four) {
            continue;
        }
        match sockets.add(four) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::PERM) => heard.refused = true,
            // A family that the machine lacks, or no room: TCP asks as well, and tells of it.
            Err(_) => {}
        }
    }
    let keys = (rand::random(), rand::random());
    let began = Instant::now();
    let mut ceilings = Ceilings::new(plan.rates, RATE);
    let is_asked = |target: &IpAddr| !sockets.of(target.is_ipv4()).is_empty() && !(plan.never)(*target);
    let mut missing: Vec<IpAddr> = plan.targets.iter().copied().filter(is_asked).collect();
    let wanted: HashSet<IpAddr> = missing.iter().copied().collect();
    let listen = |sockets: &Sockets<'_>, heard: &mut Heard| {
        sockets.read(|from, bytes| {
            if mark_of(from.is_ipv4(), bytes) == Some(mark(keys, from)) && wanted.contains(&from) {
                plan.traffic.received.fetch_add(1, Relaxed);
                heard.up.insert(from);
            }
        });
    };
    for (number, wait) in (1..).zip(ROUNDS) {
        let mut queue: VecDeque<IpAddr> = missing.iter().copied().collect();
        let (mut held_back, mut burst) = (0, 0);
        let mut last_sent = Instant::now();
        while let Some(target) = queue.pop_front() {
            if plan.control.is_cancelled() {
                return heard;
            }
            let now_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let ready = ceilings.ready(now_us) && !plan.control.is_paused() && !plan.links.is_down();
            if !ready || !ceilings.ready_for(target, now_us) {
                // Another one may be asked meanwhile, unless it is all of them that have to wait.
                queue.push_back(target);
                held_back += 1;
                if !ready || held_back >= queue.len() {
                    held_back = 0;
                    sockets.wait(Duration::from_micros(500));
                    listen(&sockets, &mut heard);
                    last_sent = Instant::now();
                }
                continue;
            }
            held_back = 0;
            let bytes = request(target.is_ipv4(), number, mark(keys, target));
            match sockets.send(target, &bytes) {
                Err(Errno::AGAIN) if last_sent.elapsed() < STUCK => {
                    queue.push_back(target);
                    sockets.wait(Duration::from_micros(500));
                    listen(&sockets, &mut heard);
                    continue;
                }
                Err(Errno::AGAIN) => {
                    // Those that were asked in the first round were asked.
                    heard.unasked += if number == 1 { 1 + queue.len() } else { 0 };
                    break;
                }
                // Other trouble in sending shows as silence, and silence is asked again over TCP.
                sent => {
                    ceilings.sent(target, 1, now_us);
                    plan.traffic.sent.fetch_add(u64::from(sent.is_ok()), Relaxed);
                    last_sent = Instant::now();
                }
            }
            burst += 1;
            if burst % BURST == 0 {
                listen(&sockets, &mut heard);
            }
        }
        let until = Instant::now() + wait;
        loop {
            listen(&sockets, &mut heard);
            missing.retain(|target| !heard.up.contains(target));
            if missing.is_empty() || Instant::now() >= until || plan.control.is_cancelled() {
                break;
            }
            sockets.wait(Duration::from_millis(5));
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reply_of_anything_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..40), four in any::<bool>()) {
            if let Some(mark) = mark_of(four, &bytes) {
                prop_assert!(bytes.len() >= 16 && mark.to_be_bytes() == bytes[8..16]);
            }
        }
    }

    #[test]
    fn a_mark_belongs_to_a_host_and_a_run() {
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_ne!(mark((1, 2), one), mark((1, 2), other));
        assert_ne!(mark((1, 2), one), mark((1, 3), one));
        let mut reply = request(true, 1, 0x0102_0304_0506_0708);
        assert_eq!(mark_of(true, &reply), None, "a request is no reply");
        reply[0] = 0;
        assert_eq!(mark_of(true, &reply), Some(0x0102_0304_0506_0708));
        assert_eq!(mark_of(false, &reply), None, "nor is one of the other family");
        assert_eq!(mark_of(true, &reply[..15]), None);
    }
}
