//! What the kernel knows of routes, neighbours and interfaces, asked over rtnetlink.
//!
//! Formats: rtnetlink(7), netlink(7). Replies come from the kernel; they are read with the same care as packets.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::packet::Mac;
use crate::zone;

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTM_NEWNEIGH: u16 = 28;
const RTM_GETNEIGH: u16 = 30;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PREFSRC: u16 = 7;
const RTA_VIA: u16 = 18;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;

/// The multicast group that tells of devices.
const RTMGRP_LINK: u32 = 1;

const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;
const RTN_BROADCAST: u8 = 3;
const RTN_ANYCAST: u8 = 4;
const RTN_MULTICAST: u8 = 5;
/// Neighbour states whose hardware address was confirmed lately or set by hand: reachable, noarp, permanent.
const NUD_FRESH: u16 = 0x02 | 0x40 | 0x80;
/// States in which it was confirmed once: stale, delay, probe.
const NUD_OLD: u16 = NUD_STALE | NUD_DOUBTED;
const NUD_STALE: u16 = 0x04;
const NUD_DOUBTED: u16 = 0x08 | 0x10;
const NUD_INCOMPLETE: u16 = 0x01;
const NUD_FAILED: u16 = 0x20;

/// The way to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Out of an interface.
    Out {
        /// Index of the interface.
        interface: u32,
        /// The next hop, if it is not the address itself.
        gateway: Option<IpAddr>,
        /// The source address to use.
        source: Option<IpAddr>,
    },
    /// The address is one of this machine.
    Local,
    /// It belongs to no host: the broadcast address of a network, or a group.
    NoHost,
    /// A rule of this machine forbids to send there.
    Forbidden,
    /// There is none.
    None,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub index: u32,
    pub name: String,
    /// `ARPHRD_` number: 1 is Ethernet, 772 loopback.
    pub kind: u16,
    /// `IFF_` flags.
    pub flags: u32,
    pub mac: Option<Mac>,
}

impl Interface {
    pub const fn is_loopback(&self) -> bool {
        self.flags & 0x8 != 0
    }

    pub const fn is_up(&self) -> bool {
        self.flags & 0x1 != 0
    }

    /// Whether it is up and has a carrier (`IFF_LOWER_UP`).
    pub const fn carries(&self) -> bool {
        self.is_up() && self.flags & 0x1_0000 != 0
    }

    /// Whether the kernel resolves no hardware addresses on it (`IFF_NOARP`).
    pub const fn resolves_nothing(&self) -> bool {
        self.flags & 0x80 != 0
    }
}

/// An entry of the neighbour table that has a hardware address. A link-local address has its zone, here and in what is told of
/// [`Resolution`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    pub interface: u32,
    pub address: IpAddr,
    pub mac: Mac,
    /// Whether it was confirmed lately or set by hand.
    pub is_fresh: bool,
}

/// What the kernel knows of a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It answered lately, or was set by hand.
    Fresh,
    /// It answered once, and nothing was sent there since.
    Old,
    /// It answered once; something was sent there, and it is given time to prove itself before it is asked again.
    Doubted,
    /// It is being asked for the first time.
    Asking,
    /// Nobody answered.
    Failed,
}

/// A conversation with the kernel.
#[derive(Debug)]
pub struct Netlink {
    fd: OwnedFd,
    number: u32,
}

/// Aligns to four bytes.
const fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_ne_bytes)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The attributes that follow a fixed header of `skip` bytes.
fn attributes(body: &[u8], skip: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body.get(aligned(skip)..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        // The high bits tell nesting and byte order.
        Some((kind & 0x3fff, value))
    })
}

/// The messages of a datagram: type and body.
fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(rest, 0)?).ok()?;
        let (kind, body) = (u16_at(rest, 4)?, rest.get(16..length)?);
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some((kind, body))
    })
}

/// The error number of an error message, 0 for an acknowledgement.
fn error_number(body: &[u8]) -> i32 {
    body.get(..4).and_then(|b| b.try_into().ok()).map_or(0, i32::from_ne_bytes).saturating_neg()
}

fn read_route(body: &[u8]) -> Option<Route> {
    let kind = *body.get(7)?;
    match kind {
        // An anycast address that is answered for here, such as that of a network's routers on a router.
        RTN_LOCAL | RTN_ANYCAST => return Some(Route::Local),
        RTN_BROADCAST | RTN_MULTICAST => return Some(Route::NoHost),
        RTN_UNICAST => {}
        _ => return Some(Route::None),
    }
    let (mut interface, mut gateway, mut source) = (None, None, None);
    for (kind, value) in attributes(body, 12) {
        match kind {
            RTA_OIF => interface = u32_at(value, 0),
            RTA_GATEWAY => gateway = address(value),
            // A next hop of the other family: its family, then the address.
            RTA_VIA => gateway = value.get(2..).and_then(address),
            RTA_PREFSRC => source = address(value),
            _ => {}
        }
    }
    Some(Route::Out { interface: interface?, gateway, source })
}

fn read_neighbour(body: &[u8]) -> Option<Neighbour> {
    let (interface, state) = (u32_at(body, 4)?, u16_at(body, 8)?);
    if state & (NUD_FRESH | NUD_OLD) == 0 {
        return None;
    }
    let (mut at, mut mac) = (None, None);
    for (kind, value) in attributes(body, 12) {
        match kind {
            NDA_DST => at = address(value),
            NDA_LLADDR => mac = Mac::try_from(value).ok(),
            _ => {}
        }
    }
    Some(Neighbour { interface, address: zone::within(at?, interface), mac: mac?, is_fresh: state & NUD_FRESH != 0 })
}

fn read_resolution(body: &[u8]) -> Option<((u32, IpAddr), Resolution)> {
    let (interface, state) = (u32_at(body, 4)?, u16_at(body, 8)?);
    let resolution = match state {
        _ if state & NUD_FRESH != 0 => Resolution::Fresh,
        _ if state & NUD_STALE != 0 => Resolution::Old,
        _ if state & NUD_DOUBTED != 0 => Resolution::Doubted,
        _ if state & NUD_INCOMPLETE != 0 => Resolution::Asking,
        _ if state & NUD_FAILED != 0 => Resolution::Failed,
        _ => return None,
    };
    let at = attributes(body, 12).find(|(kind, _)| *kind == NDA_DST).and_then(|(_, value)| address(value))?;
    Some(((interface, zone::within(at, interface)), resolution))
}

fn read_interface(body: &[u8]) -> Option<Interface> {
    let (mut name, mut mac) = (String::new(), None);
    for (kind, value) in attributes(body, 16) {
        match kind {
            IFLA_IFNAME => name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned(),
            IFLA_ADDRESS => mac = Mac::try_from(value).ok(),
            _ => {}
        }
    }
    Some(Interface { index: u32_at(body, 4)?, name, kind: u16_at(body, 2)?, flags: u32_at(body, 8)?, mac })
}

impl Netlink {
    pub fn open() -> io::Result<Self> {
        // Protocol 0 of this family is rtnetlink.
        let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        rustix::net::sockopt::set_socket_timeout(
            &fd,
            rustix::net::sockopt::Timeout::Recv,
            Some(std::time::Duration::from_secs(2)),
        )?;
        Ok(Self { fd, number: 0 })
    }

    /// A listener to what is told of devices.
    pub fn of_devices() -> io::Result<Self> {
        let netlink = Self::open()?;
        rustix::net::bind(&netlink.fd, &rustix::net::netlink::SocketAddrNetlink::new(0, RTMGRP_LINK))?;
        Ok(netlink)
    }

    /// For polling.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Hands the devices that the next datagram of a listener tells of to `take`, and whether they are still there.
    ///
    /// # Errors
    /// If the kernel had more to tell than there was room for.
    pub fn told(&mut self, mut take: impl FnMut(Interface, bool)) -> io::Result<()> {
        let mut buffer = vec![0_u8; 64 << 10];
        let (length, _) = rustix::net::recv(&self.fd, &mut buffer, RecvFlags::empty())?;
        for (kind, body) in messages(buffer.get(..length).unwrap_or_default()) {
            if let (RTM_NEWLINK | RTM_DELLINK, Some(interface)) = (kind, read_interface(body)) {
                take(interface, kind == RTM_NEWLINK);
            }
        }
        Ok(())
    }

    /// Sends a request and hands each message of the reply to `take` until it returns false or the reply ends.
    fn ask(&mut self, kind: u16, flags: u16, body: &[u8], mut take: impl FnMut(u16, &[u8]) -> bool) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        let mut request = Vec::with_capacity(64);
        request.extend(u32::try_from(16 + body.len()).unwrap_or(0).to_ne_bytes());
        request.extend(kind.to_ne_bytes());
        request.extend((flags | NLM_F_REQUEST).to_ne_bytes());
        request.extend(self.number.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(body);
        rustix::net::send(&self.fd, &request, SendFlags::empty())?;
        let mut buffer = vec![0_u8; 64 << 10];
        loop {
            let (length, _) = rustix::net::recv(&self.fd, &mut buffer, RecvFlags::empty())?;
            let datagram = buffer.get(..length).unwrap_or_default();
            // A late reply to an earlier request is not ours.
            if u32_at(datagram, 8) != Some(self.number) {
                continue;
            }
            for (kind, body) in messages(datagram) {
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => {
                        let number = error_number(body);
                        return if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(number)) };
                    }
                    _ if !take(kind, body) => return Ok(()),
                    _ => {}
                }
            }
        }
    }

    /// The way to an address, over `interface` alone if one is given. A link-local address leads to its link.
    pub fn route(&mut self, to: IpAddr, interface: Option<u32>) -> io::Result<Route> {
        let (to, zone) = zone::split(to);
        if zone > 0 && interface.is_some_and(|interface| interface != zone) {
            return Ok(Route::None);
        }
        let interface = interface.or((zone > 0).then_some(zone));
        let (family, octets) = match to {
            IpAddr::V4(a) => (libc::AF_INET, a.octets().to_vec()),
            IpAddr::V6(a) => (libc::AF_INET6, a.octets().to_vec()),
        };
        let mut body = vec![0_u8; 12];
        body[0] = u8::try_from(family).unwrap_or(0);
        body[1] = u8::try_from(octets.len() * 8).unwrap_or(0);
        body.extend(attribute(RTA_DST, &octets));
        if let Some(interface) = interface {
            body.extend(attribute(RTA_OIF, &interface.to_ne_bytes()));
        }
        let mut route = Route::None;
        let asked = self.ask(RTM_GETROUTE, 0, &body, |kind, body| {
            if kind == RTM_NEWROUTE {
                route = read_route(body).unwrap_or(Route::None);
            }
            false
        });
        match asked {
            Ok(()) => Ok(route),
            Err(error) => match error.raw_os_error() {
                // What a route of the kind "prohibit" is answered with.
                Some(libc::EACCES) => Ok(Route::Forbidden),
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL) => Ok(Route::None),
                _ => Err(error),
            },
        }
    }

    /// The neighbours whose hardware address is known.
    pub fn neighbours(&mut self) -> io::Result<Vec<Neighbour>> {
        self.neighbour_table(read_neighbour)
    }

    /// How far the kernel is with each next hop (interface and address) that it has to do with.
    pub fn resolutions(&mut self) -> io::Result<HashMap<(u32, IpAddr), Resolution>> {
        self.neighbour_table(read_resolution)
    }

    fn neighbour_table<T, Found: Default + Extend<T>>(&mut self, read: fn(&[u8]) -> Option<T>) -> io::Result<Found> {
        let mut found = Found::default();
        self.ask(RTM_GETNEIGH, NLM_F_DUMP, &[0; 12], |kind, body| {
            if kind == RTM_NEWNEIGH {
                found.extend(read(body));
            }
            true
        })?;
        Ok(found)
    }

    /// All interfaces.
    pub fn interfaces(&mut self) -> io::Result<Vec<Interface>> {
        let mut found = Vec::new();
        self.ask(RTM_GETLINK, NLM_F_DUMP, &[0; 16], |kind, body| {
            if kind == RTM_NEWLINK {
                found.extend(read_interface(body));
            }
            true
        })?;
        Ok(found)
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + value.len());
    bytes.extend(u16::try_from(4 + value.len()).unwrap_or(0).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_reply_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            for (_, body) in messages(&bytes).take(100) {
                let _ = (read_route(body), read_neighbour(body), read_resolution(body), read_interface(body), error_number(body));
            }
            let _ = (read_route(&bytes), read_neighbour(&bytes), read_interface(&bytes));
        }
    }

    #[test]
    fn states_of_neighbours_are_told_apart() {
        let entry = |state: u16| {
            let mut body = vec![2, 0, 0, 0, 7, 0, 0, 0];
            body.extend(state.to_ne_bytes());
            body.extend([0, 1]);
            body.extend(attribute(NDA_DST, &[192, 0, 2, 1]));
            read_resolution(&body)
        };
        let told = |resolution| Some(((7, IpAddr::from([192, 0, 2, 1])), resolution));
        for (state, resolution) in [
            (0x02, Resolution::Fresh),
            (0x80, Resolution::Fresh),
            (0x04, Resolution::Old),
            (0x08, Resolution::Doubted),
            (0x10, Resolution::Doubted),
            (0x01, Resolution::Asking),
            (0x20, Resolution::Failed),
        ] {
            assert_eq!(entry(state), told(resolution), "{state:#x}");
        }
        assert_eq!(entry(0), None);
    }

    #[test]
    fn this_machine_is_local_and_has_a_loopback_interface() {
        let mut netlink = Netlink::open().unwrap();
        assert_eq!(netlink.route("127.0.0.1".parse().unwrap(), None).unwrap(), Route::Local);
        assert_eq!(netlink.route("127.86.1.9".parse().unwrap(), None).unwrap(), Route::Local);
        let interfaces = netlink.interfaces().unwrap();
        assert!(interfaces.iter().any(|i| i.is_loopback() && i.is_up() && i.name == "lo"), "{interfaces:?}");
        netlink.neighbours().unwrap();
        netlink.resolutions().unwrap();
        let elsewhere = crate::zone::within("fe80::1".parse().unwrap(), 1);
        assert_eq!(netlink.route(elsewhere, Some(2)).unwrap(), Route::None, "another link than the one asked for");
    }
}
