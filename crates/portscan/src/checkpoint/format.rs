//! What a state file looks like: a head that never changes, then what the run did, then a checksum. Numbers are
//! little-endian, lists have their length in front.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::net::IpAddr;
use std::time::Duration;

use siphasher::sip::SipHasher24;

use super::{MAX_PAIRS, Position};
use crate::collect::Tally;
use crate::job::Prepared;
use crate::{Count, Finding, HostReason, HostReport, MAX_TARGETS, Presence, Protocol, Reason, State};

const MAGIC: &[u8; 16] = b"bartizan-scan 4\n";
/// Settings in words are shorter.
const MAX_MANNERS: usize = 4096;
/// Names are shorter (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 1024;
/// Marks in [`Contents::presences`] a host that is finished, and of which the presence is all there is to tell.
const FINISHED: u8 = 0x80;

/// Counts of hosts, by number.
type Tallies = Vec<(usize, Tally)>;

/// What tells jobs apart, but for their targets.
#[derive(Debug)]
pub struct Manner {
    /// A number for the ports.
    ports: u64,
    /// The settings that decide what is asked, a line each.
    settings: String,
    ports_each: u64,
}

impl Manner {
    pub fn of(prepared: &Prepared) -> Self {
        let mut hasher = SipHasher24::new_with_keys(0x6261_7274_697a_616e, 1);
        for ports in [&prepared.tcp_ports, &prepared.udp_ports] {
            hasher.write_usize(ports.len());
            ports.iter().for_each(|port| hasher.write_u16(*port));
        }
        let settings = prepared.manners.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        Self { ports: hasher.finish(), settings, ports_each: prepared.ports_each() }
    }
}

/// What a state file holds, but for the counts of the hosts that are not finished.
#[derive(Debug)]
pub struct Contents {
    /// The beginning of the file, up to the names.
    head: Vec<u8>,
    pub seed: u64,
    pub targets: Vec<IpAddr>,
    /// Which of these were the addresses of names.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    pub bits: Vec<u64>,
    pub positions: Vec<Position>,
    /// Of each host what is known of its presence: 0 is nothing, else [`Presence`] by its place, plus 1.
    presences: Vec<u8>,
    pub found: Vec<Finding>,
    /// Those of hosts that are not finished that accepted a second time: numbers of host and port.
    pub confirmed: BTreeSet<(u32, u32)>,
    reports: Vec<HostReport>,
}

impl Contents {
    pub fn new(manner: &Manner, seed: u64, targets: Vec<IpAddr>, names: BTreeMap<String, Vec<IpAddr>>) -> Self {
        let hosts = targets.len();
        let words = usize::try_from((hosts as u64 * manner.ports_each).div_ceil(64)).unwrap_or(usize::MAX);
        Self {
            head: head(manner, seed, &targets, &names),
            seed,
            targets,
            names,
            bits: vec![0; words],
            positions: vec![Position::default(); hosts],
            presences: vec![0; hosts],
            found: Vec::new(),
            confirmed: BTreeSet::new(),
            reports: Vec::new(),
        }
    }

    /// A host is finished.
    pub fn ended(&mut self, host: u32, report: HostReport) {
        let HostReport { presence, rtt, mac, counts, accepts_everything, unconfirmed, .. } = &report;
        let is_plain =
            rtt.is_none() && mac.is_none() && counts.is_empty() && !accepts_everything && unconfirmed.is_empty();
        let place = self.presences.get_mut(host as usize);
        match (place, presence_number(*presence)) {
            // Of most of a large network this is all there is to tell.
            (Some(known), number) if is_plain => *known = (number + 1) | FINISHED,
            _ => self.reports.push(report),
        }
    }

    /// Hosts that are finished: numbers and reports.
    pub fn reports(&self) -> impl Iterator<Item = (usize, HostReport)> {
        let full = self.reports.iter().filter_map(|report| Some((self.number(report.address)?, report.clone())));
        let plain = self.presences.iter().enumerate().filter(|(_, known)| **known & FINISHED != 0);
        let plain = plain.filter_map(|(host, known)| {
            let presence = presence_of((known & !FINISHED).checked_sub(1)?).ok()?;
            let address = *self.targets.get(host)?;
            let report = HostReport {
                address,
                presence,
                rtt: None,
                mac: None,
                counts: Vec::new(),
                accepts_everything: false,
                unconfirmed: Vec::new(),
            };
            Some((host, report))
        });
        full.chain(plain)
    }

    /// A host that is not finished is there.
    pub fn is_up(&mut self, host: u32, reason: HostReason) {
        if let Some(known) = self.presences.get_mut(host as usize).filter(|known| **known & FINISHED == 0) {
            *known = presence_number(Presence::Up(reason)) + 1;
        }
    }

    /// What is known of the presence of a host that is not finished.
    pub fn presence(&self, host: u32) -> Option<Presence> {
        let known = self.presences.get(host as usize).filter(|known| **known & FINISHED == 0)?;
        presence_of(known.checked_sub(1)?).ok()
    }

    /// Hosts that were found to be there, and are not finished.
    pub fn up(&self) -> impl Iterator<Item = (u32, HostReason)> {
        let hosts = (0..).take(self.presences.len());
        hosts.filter_map(|host| match self.presence(host) {
            Some(Presence::Up(reason)) => Some((host, reason)),
            _ => None,
        })
    }

    /// The number of a target.
    pub fn number(&self, address: IpAddr) -> Option<usize> {
        self.targets.binary_search(&address).ok()
    }

    pub fn encode(&self, tallies: &[Tally]) -> Vec<u8> {
        let length = self.head.len() + self.bits.len() * 8 + self.positions.len() * 6 + self.found.len() * 40;
        let mut out = Vec::with_capacity(length + 64);
        out.extend(&self.head);
        for word in &self.bits {
            out.extend(word.to_le_bytes());
        }
        for position in &self.positions {
            out.push(position.pass);
            out.extend(position.cursor.to_le_bytes());
        }
        out.extend(&self.presences);
        out.extend(count_of(self.found.len()));
        for finding in &self.found {
            put_address(&mut out, finding.address);
            put_kind(&mut out, finding.protocol, finding.state, finding.reason);
            out.extend(finding.port.to_le_bytes());
            out.extend(finding.rtt.map_or(0, micros).to_le_bytes());
            out.extend([finding.ttl.unwrap_or(0), finding.attempts]);
        }
        out.extend(count_of(self.confirmed.len()));
        for (host, port) in &self.confirmed {
            out.extend(host.to_le_bytes());
            out.extend(port.to_le_bytes());
        }
        // Ports in trouble are asked again, so they do not count.
        let counts = |tally: &Tally| -> Vec<Count> {
            tally.counts.iter().filter(|count| count.state != State::Error).copied().collect()
        };
        let open: Vec<_> = tallies.iter().map(counts).enumerate().filter(|(_, counts)| !counts.is_empty()).collect();
        out.extend(count_of(open.len()));
        for (host, counts) in open {
            out.extend(count_of(host));
            put_counts(&mut out, &counts);
        }
        out.extend(count_of(self.reports.len()));
        for report in &self.reports {
            put_address(&mut out, report.address);
            out.push(presence_number(report.presence));
            out.extend(report.rtt.map_or(0, micros).to_le_bytes());
            out.push(u8::from(report.mac.is_some()));
            out.extend(report.mac.unwrap_or_default());
            out.push(u8::from(report.accepts_everything));
            put_counts(&mut out, &report.counts);
            out.extend(count_of(report.unconfirmed.len()));
            report.unconfirmed.iter().for_each(|port| out.extend(port.to_le_bytes()));
        }
        let sum = checksum(&out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// Reads what [`Self::encode`] wrote for a job of this manner, whatever its targets; with it come the counts, by number of
    /// host.
    ///
    /// # Errors
    /// What is wrong with it, or what differs.
    pub fn decode(bytes: &[u8], manner: &Manner) -> Result<(Self, Tallies), Cow<'static, str>> {
        let (body, sum) = bytes.split_at_checked(bytes.len().saturating_sub(8)).ok_or("it is too short")?;
        if !body.starts_with(MAGIC) {
            return Err("it is of another kind or version".into());
        }
        if checksum(body).to_le_bytes() != sum {
            return Err("it is damaged".into());
        }
        let mut reader = Reader(body.get(MAGIC.len()..).unwrap_or_default());
        if reader.u64()? != manner.ports {
            return Err("its ports are others".into());
        }
        let settings = reader.text(MAX_MANNERS)?;
        if settings != manner.settings {
            return Err(differences(&settings, &manner.settings).into());
        }
        let seed = reader.u64()?;
        let targets = reader.targets()?;
        let mut names = BTreeMap::new();
        for _ in 0..reader.u32()? {
            let name = reader.text(MAX_NAME)?;
            let mut addresses = Vec::new();
            for _ in 0..reader.u32()? {
                addresses.push(reader.address()?);
            }
            names.insert(name, addresses);
        }
        // Nothing is made room for that the file does not hold.
        let pairs = targets.len() as u64 * manner.ports_each;
        if pairs > MAX_PAIRS || pairs / 8 + targets.len() as u64 * 6 > reader.0.len() as u64 {
            return Err("it ends too soon".into());
        }
        let mut contents = Self::new(manner, seed, targets, names);
        for word in &mut contents.bits {
            *word = reader.u64()?;
        }
        for position in &mut contents.positions {
            *position = Position { pass: reader.u8()?, cursor: reader.u32()? };
        }
        for presence in &mut contents.presences {
            *presence = reader.u8()?;
        }
        for _ in 0..reader.u32()? {
            let address = reader.address()?;
            let (protocol, state, reason) = reader.kind()?;
            let (port, rtt, ttl, attempts) = (reader.u16()?, reader.rtt()?, reader.u8()?, reader.u8()?);
            let ttl = (ttl > 0).then_some(ttl);
            contents.found.push(Finding { address, protocol, port, state, reason, rtt, ttl, attempts });
        }
        for _ in 0..reader.u32()? {
            contents.confirmed.insert((reader.u32()?, reader.u32()?));
        }
        let mut tallies = Vec::new();
        for _ in 0..reader.u32()? {
            let host = reader.u32()? as usize;
            let counts = reader.counts()?;
            tallies.push((host, Tally { counts, ..Tally::default() }));
        }
        for _ in 0..reader.u32()? {
            let address = reader.address()?;
            let presence = presence_of(reader.u8()?)?;
            let rtt = reader.rtt()?;
            let (has_mac, mac) = (reader.u8()?, reader.array::<6>()?);
            let accepts_everything = reader.u8()? == 1;
            let counts = reader.counts()?;
            let mut unconfirmed = Vec::new();
            for _ in 0..reader.u32()? {
                unconfirmed.push(reader.u16()?);
            }
            let mac = (has_mac == 1).then_some(mac);
            contents.reports.push(HostReport { address, presence, rtt, mac, counts, accepts_everything, unconfirmed });
        }
        Ok((contents, tallies))
    }
}

fn head(manner: &Manner, seed: u64, targets: &[IpAddr], names: &BTreeMap<String, Vec<IpAddr>>) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(manner.ports.to_le_bytes());
    put_text(&mut out, &manner.settings, MAX_MANNERS);
    out.extend(seed.to_le_bytes());
    // Neighbours follow each other in most jobs.
    let mut runs: Vec<(IpAddr, usize)> = Vec::new();
    for target in targets {
        match runs.last_mut() {
            Some((first, length)) if after(*first, *length) == Some(*target) => *length += 1,
            _ => runs.push((*target, 1)),
        }
    }
    out.extend(count_of(runs.len()));
    for (first, length) in runs {
        put_address(&mut out, first);
        out.extend(count_of(length));
    }
    out.extend(count_of(names.len()));
    for (name, addresses) in names {
        put_text(&mut out, name, MAX_NAME);
        out.extend(count_of(addresses.len()));
        addresses.iter().for_each(|address| put_address(&mut out, *address));
    }
    out
}

/// The address so many places after another one of its family.
fn after(first: IpAddr, places: usize) -> Option<IpAddr> {
    match first {
        IpAddr::V4(first) => {
            u32::from(first).checked_add(u32::try_from(places).ok()?).map(|address| IpAddr::V4(address.into()))
        }
        IpAddr::V6(first) => u128::from(first).checked_add(places as u128).map(|address| IpAddr::V6(address.into())),
    }
}

/// What the settings were and are now.
fn differences(before: &str, now: &str) -> String {
    let differ = before.lines().zip(now.lines()).filter(|(before, now)| before != now);
    let differ: Vec<String> =
        differ.map(|(before, now)| format!("it was begun with {before}, and now it is {now}")).collect();
    if differ.is_empty() { "its settings are others".to_owned() } else { differ.join("; ") }
}

pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(1, 2);
    hasher.write(bytes);
    hasher.finish()
}

fn count_of(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

fn put_text(out: &mut Vec<u8>, text: &str, most: usize) {
    let bytes = text.as_bytes().get(..most).unwrap_or(text.as_bytes());
    out.extend(count_of(bytes.len()));
    out.extend(bytes);
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            out.push(4);
            out.extend(address.octets());
        }
        IpAddr::V6(address) => {
            out.push(6);
            out.extend(address.octets());
        }
    }
}

const STATES: [State; 6] =
    [State::Open, State::Closed, State::Filtered, State::OpenFiltered, State::Unreachable, State::Error];
const REASONS: [Reason; 21] = [
    Reason::SynAck,
    Reason::ResetAfterAccept,
    Reason::ConnRefused,
    Reason::UdpResponse,
    Reason::PortUnreachable,
    Reason::AdminProhibited,
    Reason::NoResponse,
    Reason::HostUnreachable,
    Reason::NoNeighbour,
    Reason::NetUnreachable,
    Reason::NoDescriptors,
    Reason::NoLocalPort,
    Reason::NoBuffers,
    Reason::LocalPolicy,
    Reason::SelfConnect,
    Reason::AnswersLost,
    Reason::RateLimited,
    Reason::NoRoute,
    Reason::NetworkDown,
    Reason::FellSilent,
    Reason::AnswersLimited,
];
const PRESENCES: [Presence; 11] = [
    Presence::Unknown,
    Presence::Up(HostReason::Neighbour),
    Presence::Up(HostReason::Echo),
    Presence::Up(HostReason::Port),
    Presence::Down(HostReason::NoNeighbour),
    Presence::Down(HostReason::NoRoute),
    Presence::Down(HostReason::NoResponse),
    Presence::Down(HostReason::Echo),
    Presence::Down(HostReason::Port),
    Presence::Down(HostReason::NoRouter),
    Presence::Down(HostReason::NoHost),
];

/// The place of a value in its list; 255 for a system error, whose number follows.
fn place<T: PartialEq>(list: &[T], value: &T) -> u8 {
    list.iter().position(|one| one == value).and_then(|at| u8::try_from(at).ok()).unwrap_or(255)
}

fn put_kind(out: &mut Vec<u8>, protocol: Protocol, state: State, reason: Reason) {
    out.extend([u8::from(protocol == Protocol::Udp), place(&STATES, &state), place(&REASONS, &reason)]);
    if let Reason::System(number) = reason {
        out.extend(number.to_le_bytes());
    }
}

fn put_counts(out: &mut Vec<u8>, counts: &[Count]) {
    out.extend(count_of(counts.len()));
    for count in counts {
        put_kind(out, count.protocol, count.state, count.reason);
        out.extend(count.ports.to_le_bytes());
    }
}

fn presence_number(presence: Presence) -> u8 {
    place(&PRESENCES, &presence)
}

fn presence_of(number: u8) -> Result<Presence, &'static str> {
    PRESENCES.get(usize::from(number)).copied().ok_or("it holds an unknown presence")
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or("it ends too soon")?;
        self.0 = tail;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, &'static str> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, &'static str> {
        self.array().map(u64::from_le_bytes)
    }

    /// A text of so many bytes at most.
    fn text(&mut self, most: usize) -> Result<String, &'static str> {
        let length = self.u32()? as usize;
        let (text, rest) = self.0.split_at_checked(length).filter(|_| length <= most).ok_or("it ends too soon")?;
        self.0 = rest;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn rtt(&mut self) -> Result<Option<Duration>, &'static str> {
        self.u32().map(|rtt| (rtt > 0).then(|| Duration::from_micros(u64::from(rtt))))
    }

    fn targets(&mut self) -> Result<Vec<IpAddr>, &'static str> {
        const DISORDER: &str = "its targets are in disorder";
        let mut targets: Vec<IpAddr> = Vec::new();
        for _ in 0..self.u32()? {
            let (first, length) = (self.address()?, self.u32()? as usize);
            if targets.len().saturating_add(length) > MAX_TARGETS || targets.last().is_some_and(|last| *last >= first) {
                return Err(DISORDER);
            }
            for place in 0..length {
                targets.push(after(first, place).ok_or(DISORDER)?);
            }
        }
        Ok(targets)
    }

    fn address(&mut self) -> Result<IpAddr, &'static str> {
        match self.u8()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => Err("it holds an unknown kind of address"),
        }
    }

    fn kind(&mut self) -> Result<(Protocol, State, Reason), &'static str> {
        let protocol = if self.u8()? == 1 { Protocol::Udp } else { Protocol::Tcp };
        let state = STATES.get(usize::from(self.u8()?)).copied().ok_or("it holds an unknown state")?;
        let reason = match self.u8()? {
            255 => Reason::System(i32::from_le_bytes(self.array()?)),
            at => REASONS.get(usize::from(at)).copied().ok_or("it holds an unknown reason")?,
        };
        Ok((protocol, state, reason))
    }

    fn counts(&mut self) -> Result<Vec<Count>, &'static str> {
        let mut counts = Vec::new();
        for _ in 0..self.u32()? {
            let (protocol, state, reason) = self.kind()?;
            counts.push(Count { protocol, state, reason, ports: self.u32()? });
        }
        Ok(counts)
    }
}
