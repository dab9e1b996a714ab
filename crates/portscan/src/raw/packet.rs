//! Packets: writing questions, reading answers. Pure functions over bytes; nothing here trusts a length.
//!
//! Formats: IPv4 RFC 791, ICMP RFC 792, ARP RFC 826, TCP RFC 9293, IPv6 RFC 8200, ICMPv6 RFC 4443, neighbour discovery
//! RFC 4861.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::icmp::{Unreachable, unreachable, unreachable6};
use crate::sys::packet::LONGEST;
use crate::zone;

/// A hardware address.
pub type Mac = [u8; 6];

pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

const TCP: u8 = 6;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;
const TTL: u8 = 64;

/// Where a packet goes on the link: own and next hop's hardware address, or nothing on a layer-3 device.
pub type Link = Option<(Mac, Mac)>;

/// A TCP question.
#[derive(Debug, Clone, Copy)]
pub struct Syn {
    pub source: IpAddr,
    pub target: IpAddr,
    pub source_port: u16,
    pub port: u16,
    pub sequence: u32,
}

/// Writes into the fixed buffer of a batch from front to back.
struct Writer<'a> {
    into: &'a mut [u8; LONGEST],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        self.into[self.at..end].copy_from_slice(bytes);
        self.at = end;
    }

    fn ethernet(&mut self, link: Link, protocol: u16) {
        if let Some((own, next)) = link {
            self.put(&next);
            self.put(&own);
            self.put(&protocol.to_be_bytes());
        }
    }
}

fn sum(bytes: &[u8], mut start: u32) -> u32 {
    let mut pairs = bytes.chunks_exact(2);
    for pair in &mut pairs {
        start += u32::from(pair[0]) << 8 | u32::from(pair[1]);
    }
    if let [last] = pairs.remainder() {
        start += u32::from(*last) << 8;
    }
    start
}

const fn fold(mut total: u32) -> [u8; 2] {
    while total > 0xffff {
        total = (total >> 16) + (total & 0xffff);
    }
    let [_, _, high, low] = (!total).to_be_bytes();
    [high, low]
}

/// Writes the IP header; `None` if the families differ, which no caller lets happen.
fn internet(
    w: &mut Writer<'_>,
    link: Link,
    ends: (IpAddr, IpAddr),
    protocol: u8,
    payload: u16,
    id: u16,
) -> Option<u32> {
    match ends {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            w.ethernet(link, 0x0800);
            let start = w.at;
            w.put(&[0x45, 0]);
            w.put(&(payload + 20).to_be_bytes());
            w.put(&id.to_be_bytes());
            w.put(&[0x40, 0, TTL, protocol, 0, 0]); // do not fragment
            w.put(&source.octets());
            w.put(&target.octets());
            let checksum = fold(sum(&w.into[start..w.at], 0));
            w.into[start + 10..start + 12].copy_from_slice(&checksum);
            Some(sum(&w.into[start + 12..w.at], u32::from(protocol) + u32::from(payload)))
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            w.ethernet(link, 0x86dd);
            w.put(&[0x60, 0, 0, 0]);
            w.put(&payload.to_be_bytes());
            w.put(&[protocol, TTL]);
            let addresses = w.at;
            w.put(&zone::bare6(source).octets());
            w.put(&zone::bare6(target).octets());
            Some(sum(&w.into[addresses..w.at], u32::from(protocol) + u32::from(payload)))
        }
        _ => None,
    }
}

/// Writes a SYN with a maximum segment size, as every stack sends one; returns its length.
pub fn syn(into: &mut [u8; LONGEST], link: Link, question: &Syn) -> usize {
    let mut w = Writer { into, at: 0 };
    let [high, low, ..] = question.sequence.rotate_left(7).to_be_bytes();
    let id = u16::from_be_bytes([high, low]);
    let mss: u16 = if question.target.is_ipv4() { 1460 } else { 1440 };
    let Some(pseudo) = internet(&mut w, link, (question.source, question.target), TCP, 24, id) else { return 0 };
    let start = w.at;
    w.put(&question.source_port.to_be_bytes());
    w.put(&question.port.to_be_bytes());
    w.put(&question.sequence.to_be_bytes());
    w.put(&[0, 0, 0, 0, 0x60, SYN, 0x04, 0x00, 0, 0, 0, 0, 2, 4]);
    w.put(&mss.to_be_bytes());
    let checksum = fold(sum(&w.into[start..w.at], pseudo));
    w.into[start + 16..start + 18].copy_from_slice(&checksum);
    w.at
}

/// Writes an echo request; returns its length.
pub fn echo(
    into: &mut [u8; LONGEST],
    link: Link,
    ends: (IpAddr, IpAddr),
    identifier: u16,
    number: u16,
    data: u64,
) -> usize {
    let mut w = Writer { into, at: 0 };
    let (protocol, kind) = if ends.1.is_ipv4() { (ICMP, 8) } else { (ICMP6, 128) };
    let Some(pseudo) = internet(&mut w, link, ends, protocol, 16, number) else { return 0 };
    let start = w.at;
    w.put(&[kind, 0, 0, 0]);
    w.put(&identifier.to_be_bytes());
    w.put(&number.to_be_bytes());
    w.put(&data.to_be_bytes());
    let checksum = fold(sum(&w.into[start..w.at], if protocol == ICMP6 { pseudo } else { 0 }));
    w.into[start + 2..start + 4].copy_from_slice(&checksum);
    w.at
}

/// Writes an ARP request; returns its length.
pub fn arp_request(into: &mut [u8; LONGEST], own: Mac, source: Ipv4Addr, target: Ipv4Addr) -> usize {
    let mut w = Writer { into, at: 0 };
    w.ethernet(Some((own, [0xff; 6])), 0x0806);
    w.put(&[0, 1, 8, 0, 6, 4, 0, 1]);
    w.put(&own);
    w.put(&source.octets());
    w.put(&[0; 6]);
    w.put(&target.octets());
    w.at
}

/// Writes a neighbour solicitation to the target's solicited-node group; returns its length.
pub fn neighbour_solicitation(into: &mut [u8; LONGEST], own: Mac, source: Ipv6Addr, target: Ipv6Addr) -> usize {
    let [.., a, b, c] = target.octets();
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let mut w = Writer { into, at: 0 };
    let link = Some((own, [0x33, 0x33, 0xff, a, b, c]));
    let Some(pseudo) = internet(&mut w, link, (source.into(), group.into()), ICMP6, 32, 0) else { return 0 };
    // The hop limit proves that the packet was not forwarded (RFC 4861 section 7.1.1).
    w.into[14 + 7] = 255;
    let start = w.at;
    w.put(&[135, 0, 0, 0, 0, 0, 0, 0]);
    w.put(&zone::bare6(target).octets());
    w.put(&[1, 1]);
    w.put(&own);
    let checksum = fold(sum(&w.into[start..w.at], pseudo));
    w.into[start + 2..start + 4].copy_from_slice(&checksum);
    w.at
}

/// A packet that may be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A TCP segment.
    Tcp { source: IpAddr, target: IpAddr, source_port: u16, port: u16, acknowledged: u32, flags: u8, ttl: u8 },
    /// An ICMP error about a TCP segment of ours: addresses, ports and sequence number are those of our segment.
    Error {
        from: IpAddr,
        source: IpAddr,
        target: IpAddr,
        source_port: u16,
        port: u16,
        sequence: u32,
        why: Unreachable,
        ttl: u8,
    },
    /// An echo reply.
    Echo { from: IpAddr, identifier: u16, number: u16, data: u64, ttl: u8 },
    /// A neighbour tells its hardware address: to who asked for it, or unasked to everybody.
    Neighbour { address: IpAddr, mac: Mac, to: Option<IpAddr> },
}

impl Answer {
    /// The same with the zones of link-local addresses, for a packet that came in on this interface.
    pub const fn within(self, interface: u32) -> Self {
        let mut told = self;
        match &mut told {
            Self::Tcp { source, target, .. } => {
                *source = zone::within(*source, interface);
                *target = zone::within(*target, interface);
            }
            Self::Error { from, source, target, .. } => {
                *from = zone::within(*from, interface);
                *source = zone::within(*source, interface);
                *target = zone::within(*target, interface);
            }
            Self::Echo { from, .. } => *from = zone::within(*from, interface),
            Self::Neighbour { address, to, .. } => {
                *address = zone::within(*address, interface);
                if let Some(to) = to {
                    *to = zone::within(*to, interface);
                }
            }
        }
        told
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// An IP header read: both ends, protocol, time to live, and what follows the header.
struct Internet<'a> {
    source: IpAddr,
    target: IpAddr,
    protocol: u8,
    ttl: u8,
    payload: &'a [u8],
}

fn read_internet(bytes: &[u8]) -> Option<Internet<'_>> {
    match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes[0] & 15) * 4;
            if header < 20 || u16_at(bytes, 6)? & 0x1fff != 0 {
                return None;
            }
            Some(Internet {
                source: IpAddr::from(array::<4>(bytes, 12)?),
                target: IpAddr::from(array::<4>(bytes, 16)?),
                protocol: *bytes.get(9)?,
                ttl: *bytes.get(8)?,
                payload: bytes.get(header..)?,
            })
        }
        6 => {
            let (protocol, payload) = after_extensions(*bytes.get(6)?, bytes.get(40..)?)?;
            Some(Internet {
                source: IpAddr::from(array::<16>(bytes, 8)?),
                target: IpAddr::from(array::<16>(bytes, 24)?),
                protocol,
                ttl: *bytes.get(7)?,
                payload,
            })
        }
        _ => None,
    }
}

/// What follows the extension headers of IPv6 (RFC 8200 section 4): hop-by-hop and destination options, routing, and the
/// first fragment. A packet has room for a handful.
fn after_extensions(mut next: u8, mut rest: &[u8]) -> Option<(u8, &[u8])> {
    for _ in 0..8 {
        let length = match next {
            0 | 43 | 60 => (usize::from(*rest.get(1)?) + 1) * 8,
            // Of a later fragment nothing can be read.
            44 if u16_at(rest, 2)? & 0xfff8 == 0 => 8,
            44 => return None,
            _ => return Some((next, rest)),
        };
        (next, rest) = (*rest.first()?, rest.get(length..)?);
    }
    None
}

/// Reads a packet from its network header on; `None` if it is nothing that can be an answer.
pub fn read(bytes: &[u8]) -> Option<Answer> {
    // ARP begins with hardware type 1 and protocol type 0x0800, which no IP header does.
    if bytes.starts_with(&[0, 1, 8, 0, 6, 4, 0]) {
        return read_arp(bytes);
    }
    let ip = read_internet(bytes)?;
    let body = ip.payload;
    match ip.protocol {
        TCP => Some(Answer::Tcp {
            source: ip.source,
            target: ip.target,
            port: u16_at(body, 0)?,
            source_port: u16_at(body, 2)?,
            acknowledged: u32_at(body, 8)?,
            flags: *body.get(13)?,
            ttl: ip.ttl,
        }),
        ICMP if ip.source.is_ipv4() => match *body.first()? {
            0 => read_echo(&ip),
            3 => read_error(&ip, unreachable(*body.get(1)?)?),
            _ => None,
        },
        ICMP6 if ip.source.is_ipv6() => match *body.first()? {
            129 => read_echo(&ip),
            1 => read_error(&ip, unreachable6(*body.get(1)?)),
            136 if ip.ttl == 255 => read_advertisement(&ip),
            _ => None,
        },
        _ => None,
    }
}

fn read_echo(ip: &Internet<'_>) -> Option<Answer> {
    let body = ip.payload;
    Some(Answer::Echo {
        from: ip.source,
        identifier: u16_at(body, 4)?,
        number: u16_at(body, 6)?,
        data: u64::from_be_bytes(array(body, 8)?),
        ttl: ip.ttl,
    })
}

fn read_error(ip: &Internet<'_>, why: Unreachable) -> Option<Answer> {
    let ours = read_internet(ip.payload.get(8..)?)?;
    if ours.protocol != TCP || ours.target.is_ipv4() != ip.source.is_ipv4() {
        return None;
    }
    Some(Answer::Error {
        from: ip.source,
        source: ours.source,
        target: ours.target,
        source_port: u16_at(ours.payload, 0)?,
        port: u16_at(ours.payload, 2)?,
        sequence: u32_at(ours.payload, 4)?,
        why,
        ttl: ip.ttl,
    })
}

/// Reads a reply, or an announcement: who speaks asks for or tells about itself, in a request or a reply (RFC 5227 section 3).
fn read_arp(bytes: &[u8]) -> Option<Answer> {
    let (address, target) = (array::<4>(bytes, 14)?, array::<4>(bytes, 24)?);
    let to = match bytes.get(7)? {
        1 | 2 if address == target => None,
        2 => Some(IpAddr::from(target)),
        _ => return None,
    };
    Some(Answer::Neighbour { address: IpAddr::from(address), mac: array(bytes, 8)?, to })
}

fn read_advertisement(ip: &Internet<'_>) -> Option<Answer> {
    let body = ip.payload;
    let address = IpAddr::from(array::<16>(body, 8)?);
    // The flag "solicited" (RFC 4861 section 4.4).
    let to = (body.get(4)? & 0x40 != 0).then_some(ip.target);
    let mut at = 24;
    // Options: type, length in units of eight bytes, value. A packet has room for a handful.
    for _ in 0..16 {
        let length = usize::from(*body.get(at + 1)?) * 8;
        if length == 0 {
            return None;
        }
        if body[at] == 2 {
            return Some(Answer::Neighbour { address, mac: array(body, at + 2)?, to });
        }
        at += length;
    }
    None
}

#[cfg(test)]
mod zone_tests {
    use super::*;

    #[test]
    fn a_zone_is_never_on_the_wire_and_an_answer_gets_that_of_its_interface() {
        let (own, host): (IpAddr, IpAddr) = ("fe80::2".parse().unwrap(), "fe80::1".parse().unwrap());
        let (mut bare, mut zoned) = ([0; LONGEST], [0; LONGEST]);
        let question = |target| Syn { source: own, target, source_port: 7, port: 80, sequence: 9 };
        let length = syn(&mut bare, None, &question(host));
        assert_eq!(syn(&mut zoned, None, &question(zone::within(host, 5))), length);
        assert_eq!(bare, zoned, "the checksum included");
        for (interface, told) in [(5, "fe80:0:5::1"), (6, "fe80:0:6::1")] {
            let answer = Answer::Neighbour { address: host, mac: [2; 6], to: Some(host) }.within(interface);
            let told_address: IpAddr = told.parse().unwrap();
            assert_eq!(answer, Answer::Neighbour { address: told_address, mac: [2; 6], to: Some(told_address) });
            // Whoever puts a zone into a packet does not choose it.
            let forged = Answer::Echo { from: zone::within(host, 9), identifier: 1, number: 1, data: 1, ttl: 64 };
            assert!(
                matches!(forged.within(interface), Answer::Echo { from, .. } if from == told.parse::<IpAddr>().unwrap())
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const NEXT: Mac = [2, 0, 0, 0, 0, 2];

    /// The sum over a correct segment and its pseudo header is all ones.
    fn is_summed(ip: &[u8]) -> bool {
        let read = read_internet(ip).unwrap();
        let length = u32::try_from(read.payload.len()).unwrap();
        let octets = |address| match address {
            IpAddr::V4(a) => a.octets().to_vec(),
            IpAddr::V6(a) => a.octets().to_vec(),
        };
        let mut total = sum(read.payload, 0);
        if read.protocol != ICMP {
            total += sum(&octets(read.source), 0) + sum(&octets(read.target), 0) + u32::from(read.protocol) + length;
        }
        let header = read.source.is_ipv6() || fold(sum(&ip[..20], 0)) == [0, 0];
        header && fold(total) == [0, 0]
    }

    fn question() -> impl Strategy<Value = Syn> {
        let ends = prop_oneof![
            (any::<Ipv4Addr>(), any::<Ipv4Addr>()).prop_map(|(a, b)| (IpAddr::V4(a), IpAddr::V4(b))),
            (any::<Ipv6Addr>(), any::<Ipv6Addr>())
                .prop_map(|(a, b)| (IpAddr::V6(zone::bare6(a)), IpAddr::V6(zone::bare6(b)))),
        ];
        (ends, any::<u16>(), any::<u16>(), any::<u32>()).prop_map(|((source, target), source_port, port, sequence)| {
            Syn { source, target, source_port, port, sequence }
        })
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn anything_that_starts_like_a_packet_is_read_without_harm(
            start in prop::sample::select(vec![
                vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6], vec![0x4f, 0, 0, 40, 0, 0, 0, 0, 64, 1],
                vec![0x60, 0, 0, 0, 0, 40, 6, 64], vec![0x60, 0, 0, 0, 0, 40, 0, 64], vec![0x60, 0, 0, 0, 0, 40, 44, 64], vec![0x60, 0, 0, 0, 0, 40, 58, 255], vec![0, 1, 8, 0, 6, 4, 0, 2],
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..150),
        ) {
            let _ = read(&[start, rest].concat());
        }

        #[test]
        fn a_question_is_well_formed_and_its_error_is_read(question in question(), code in 0_u8..16) {
            let mut buffer = [0; LONGEST];
            let length = syn(&mut buffer, None, &question);
            let ip = buffer[..length].to_vec();
            prop_assert!(is_summed(&ip));
            let Some(Answer::Tcp { source, target, source_port, port, flags, .. }) = read(&ip) else { panic!() };
            // Read as an answer, the port asked is where it comes from.
            prop_assert_eq!((source, target, source_port, port, flags),
                (question.source, question.target, question.port, question.source_port, SYN));
            let framed = syn(&mut buffer, Some((OWN, NEXT)), &question);
            prop_assert_eq!(framed, length + 14);
            prop_assert_eq!(&buffer[14..framed], &ip[..]);

            let icmp = match question.target {
                IpAddr::V4(_) => {
                    let mut p = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 61, ICMP, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, code];
                    p.extend([0; 6]);
                    p
                }
                IpAddr::V6(_) => {
                    let mut p = vec![0x60, 0, 0, 0, 0, 0, ICMP6, 61];
                    p.extend([0x20; 32]);
                    p.extend([1, code, 0, 0, 0, 0, 0, 0]);
                    p
                }
            };
            let length = (question.target.is_ipv4() as usize) * 28 + (question.target.is_ipv6() as usize) * 48;
            let answer = read(&[icmp, ip[..length].to_vec()].concat());
            if question.target.is_ipv4() && code == 4 {
                prop_assert_eq!(answer, None);
            } else {
                let Some(Answer::Error { target, source_port, port, sequence, .. }) = answer else { panic!("{answer:?}") };
                prop_assert_eq!((target, source_port, port, sequence),
                    (question.target, question.source_port, question.port, question.sequence));
            }
        }

        #[test]
        fn an_echo_request_is_well_formed(question in question(), identifier: u16, number: u16, data: u64) {
            let mut buffer = [0; LONGEST];
            let length = echo(&mut buffer, None, (question.source, question.target), identifier, number, data);
            prop_assert!(is_summed(&buffer[..length]));
            let at = if question.target.is_ipv4() { 20 } else { 40 };
            buffer[at] = if question.target.is_ipv4() { 0 } else { 129 };
            let Some(Answer::Echo { from, identifier: i, number: n, data: d, .. }) = read(&buffer[..length]) else { panic!() };
            prop_assert_eq!((from, i, n, d), (question.source, identifier, number, data));
        }
    }

    #[test]
    fn an_answer_behind_extension_headers_is_read() {
        let question = Syn {
            source: "fd00::1".parse().unwrap(),
            target: "fd00::2".parse().unwrap(),
            source_port: 40_000,
            port: 443,
            sequence: 7,
        };
        let mut buffer = [0; LONGEST];
        let length = syn(&mut buffer, None, &question);
        let plain = read(&buffer[..length]);
        let with = |first: u8, headers: &[u8]| {
            let mut packet = buffer[..40].to_vec();
            packet[6] = first;
            packet.extend(headers);
            packet.extend(&buffer[40..length]);
            read(&packet)
        };
        // Hop-by-hop options, then a routing header of two units, then destination options.
        let all = [&[43, 0, 1, 4, 0, 0, 0, 0][..], &[60, 1], &[0; 14], &[6, 0, 1, 4, 0, 0, 0, 0]].concat();
        assert!(plain.is_some());
        assert_eq!(with(0, &all), plain);
        assert_eq!(with(44, &[6, 0, 0, 1, 0, 0, 0, 9]), plain, "the first fragment");
        assert_eq!(with(44, &[6, 0, 0, 8, 0, 0, 0, 9]), None, "a later fragment");
        assert_eq!(with(0, &[0, 0, 1, 4, 0, 0, 0, 0].repeat(9)), None, "headers without end");
        assert_eq!(with(60, &[6, 200, 0, 0, 0, 0, 0, 0]), None, "longer than the packet");
    }

    #[test]
    fn neighbours_are_asked_and_understood() {
        let mut buffer = [0; LONGEST];
        let (own, other) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let length = arp_request(&mut buffer, OWN, own, other);
        assert_eq!((length, &buffer[..6]), (42, &[0xff; 6][..]));
        assert_eq!(read(&buffer[14..length]), None, "a request is no answer");
        buffer[21] = 2;
        let to = Some(other.into());
        assert_eq!(read(&buffer[14..length]), Some(Answer::Neighbour { address: own.into(), mac: OWN, to }));
        // An announcement, as a request or as a reply.
        for kind in [1, 2] {
            let length = arp_request(&mut buffer, OWN, own, own);
            buffer[21] = kind;
            let announced = Answer::Neighbour { address: own.into(), mac: OWN, to: None };
            assert_eq!(read(&buffer[14..length]), Some(announced));
        }

        let (own, other): (Ipv6Addr, Ipv6Addr) = ("fe80::1".parse().unwrap(), "fe80::12:3456".parse().unwrap());
        let length = neighbour_solicitation(&mut buffer, OWN, own, other);
        assert_eq!(buffer[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        assert!(is_summed(&buffer[14..length]));
        assert_eq!(read(&buffer[14..length]), None);
        // Turn it into an advertisement: another type, and the option names the target's address.
        (buffer[14 + 40], buffer[14 + 64]) = (136, 2);
        let announced = Answer::Neighbour { address: other.into(), mac: OWN, to: None };
        assert_eq!(read(&buffer[14..length]), Some(announced));
        // With the flag that says that somebody asked, it is for whom it was sent to.
        buffer[14 + 44] = 0x60;
        let Some(Answer::Neighbour { to: Some(IpAddr::V6(to)), .. }) = read(&buffer[14..length]) else { panic!() };
        assert_eq!(to.octets()[..2], [0xff, 2]);
        buffer[14 + 7] = 254;
        assert_eq!(read(&buffer[14..length]), None, "forwarded, so not from the link");
    }
}
