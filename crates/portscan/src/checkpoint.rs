//! The small file from which a killed run goes on.
//!
//! It holds which pairs have a result (one bit each), what was found and which of it was confirmed, the counts and reports of hosts, and how far the
//! raw engine's passes had come at each host. It is written beside itself and renamed, so that there is always a whole
//! one; how often follows from how long that takes, so that it never costs more than a twentieth of a processor nor a fifth
//! of a disk. What a run did in the few milliseconds after the last writing is done again. The file is locked while a run
//! uses it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use siphasher::sip::SipHasher24;

use crate::collect::Tally;
use crate::job::Prepared;
use crate::{Count, Error, Finding, HostReason, HostReport, Presence, Protocol, Reason, State};

mod earlier;

pub use earlier::{Begun, Earlier, Position};

const MAGIC: &[u8; 16] = b"bartizan-scan 3\n";
/// Settings in words are shorter.
const MAX_MANNERS: usize = 4096;
/// A larger file is not one of ours.
const MAX_FILE: u64 = 4 << 30;
/// Pairs of a job that can have a checkpoint: half a gibibyte of bits.
const MAX_PAIRS: u64 = 1 << 32;
const SOONEST: Duration = Duration::from_millis(8);

/// The file and what goes into it.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    digest: u64,
    manners: String,
    seed: u64,
    ports_each: u64,
    bits: Vec<u64>,
    positions: Vec<Position>,
    found: Vec<Finding>,
    /// Those of hosts that are not finished that accepted a second time: numbers of host and port.
    confirmed: BTreeSet<(u32, u32)>,
    reports: Vec<HostReport>,
    ended: Vec<bool>,
    old_tallies: Vec<(usize, Tally)>,
    next: Instant,
    /// The file itself, locked.
    lock: Option<File>,
}

/// A number that tells jobs apart: what is asked of whom.
fn digest(prepared: &Prepared) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(0x6261_7274_697a_616e, 1);
    for target in &prepared.targets {
        match target {
            IpAddr::V4(address) => hasher.write_u32(u32::from(*address)),
            IpAddr::V6(address) => hasher.write_u128(u128::from(*address)),
        }
    }
    for ports in [&prepared.tcp_ports, &prepared.udp_ports] {
        hasher.write_usize(ports.len());
        ports.iter().for_each(|port| hasher.write_u16(*port));
    }
    hasher.finish()
}

/// The settings that decide what is asked, a line each.
fn manners(prepared: &Prepared) -> String {
    prepared.manners.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

impl Checkpoint {
    /// Opens the file, or begins anew if there is none. Returns it with the seed to use.
    pub fn open(path: &Path, prepared: &Prepared, seed: u64) -> Result<(Self, u64, Earlier), Error> {
        let wrong = |why: String| Error::Checkpoint { path: path.to_owned(), why };
        if prepared.total > MAX_PAIRS {
            return Err(wrong(format!("{} pairs are more than the {MAX_PAIRS} a checkpoint can hold", prepared.total)));
        }
        let words = usize::try_from(prepared.total.div_ceil(64)).map_err(|error| wrong(error.to_string()))?;
        let hosts = prepared.targets.len();
        let mut checkpoint = Self {
            path: path.to_owned(),
            digest: digest(prepared),
            manners: manners(prepared),
            seed,
            ports_each: prepared.ports_each(),
            bits: vec![0; words],
            positions: vec![Position::default(); hosts],
            found: Vec::new(),
            confirmed: BTreeSet::new(),
            reports: Vec::new(),
            ended: vec![false; hosts],
            old_tallies: Vec::new(),
            next: Instant::now(),
            lock: None,
        };
        let earlier = match open_locked(path).map_err(|error| wrong(error.to_string()))? {
            None => Earlier::default(),
            Some(file) => {
                let mut bytes = Vec::new();
                (&file).take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
                checkpoint.lock = Some(file);
                checkpoint.read(&bytes, &prepared.targets).map_err(|why| wrong(why.into_owned()))?;
                Earlier::of(&checkpoint, prepared)
            }
        };
        let seed = checkpoint.seed;
        // A path that cannot be written is better known before the first packet.
        // What was counted before stays in it: this run may be killed before it writes again.
        let counted = checkpoint.counted(hosts);
        checkpoint.write(&counted)?;
        Ok((checkpoint, seed, earlier))
    }

    /// The counts of the earlier run, in the order of the targets.
    fn counted(&self, hosts: usize) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); hosts];
        for (host, tally) in &self.old_tallies {
            if let Some(own) = tallies.get_mut(*host) {
                own.clone_from(tally);
            }
        }
        tallies
    }

    /// What was found before.
    pub fn found(&self) -> &[Finding] {
        &self.found
    }

    /// Open ports of hosts that were not finished that had accepted a second time.
    pub fn confirmed_before(&self, prepared: &Prepared) -> Vec<(IpAddr, u16)> {
        let pair = |(host, port): &(u32, u32)| {
            Some((*prepared.targets.get(*host as usize)?, *prepared.tcp_ports.get(*port as usize)?))
        };
        self.confirmed.iter().filter_map(pair).collect()
    }

    /// Hosts that were finished before.
    pub fn reports(&self) -> &[HostReport] {
        &self.reports
    }

    /// The counts of hosts from before; once.
    pub fn tallies(&mut self) -> Vec<(usize, Tally)> {
        std::mem::take(&mut self.old_tallies)
    }

    pub fn done(&mut self, host: u32, port: u32, finding: Option<Finding>) {
        let at = u64::from(host) * self.ports_each + u64::from(port);
        if let Some(word) = usize::try_from(at / 64).ok().and_then(|index| self.bits.get_mut(index)) {
            *word |= 1 << (at % 64);
        }
        self.found.extend(finding);
    }

    /// An open port accepted a second time.
    pub fn confirmed(&mut self, host: u32, port: u32) {
        self.confirmed.insert((host, port));
    }

    pub fn positions(&mut self, positions: Vec<(u32, Position)>) {
        for (host, position) in positions {
            if let Some(known) = self.positions.get_mut(host as usize) {
                *known = position;
            }
        }
    }

    pub fn ended(&mut self, host: u32, report: HostReport) {
        if let Some(ended) = self.ended.get_mut(host as usize) {
            *ended = true;
        }
        // Its report says which did not.
        earlier::forget(&mut self.confirmed, host);
        self.reports.push(report);
    }

    /// Which hosts were finished before.
    pub fn ended_before(&self) -> &[bool] {
        &self.ended
    }

    /// How long until it is to be written again.
    pub fn due(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Writes the file.
    pub fn write(&mut self, tallies: &[Tally]) -> Result<(), Error> {
        let started = Instant::now();
        let bytes = self.encode(tallies);
        let encoded = Instant::now();
        let written = self.replace(&bytes);
        let now = Instant::now();
        self.next = now + SOONEST.max((encoded - started) * 20).max((now - encoded) * 4);
        self.lock = Some(written.map_err(|(path, error)| Error::Checkpoint { path, why: error.to_string() })?);
        Ok(())
    }

    /// Puts a new file in the place of the one that is there: whole, on the disk, and locked before anybody sees it.
    fn replace(&self, bytes: &[u8]) -> Result<File, (PathBuf, std::io::Error)> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let mut file = create_beside(&beside).map_err(|error| (beside.clone(), error))?;
        let written = lock(&file).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_data());
        let renamed = written.and_then(|()| std::fs::rename(&beside, &self.path));
        renamed.map(|()| file).map_err(|error| (self.path.clone(), error))
    }

    /// Removes the file.
    pub fn remove(&self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Checkpoint { path: self.path.clone(), why: error.to_string() })
            }
            _ => Ok(()),
        }
    }

    fn encode(&self, tallies: &[Tally]) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.bits.len() * 8 + self.positions.len() * 5 + self.found.len() * 40);
        out.extend(MAGIC);
        out.extend(self.digest.to_le_bytes());
        out.extend(count_of(self.manners.len()));
        out.extend(self.manners.as_bytes());
        out.extend(self.seed.to_le_bytes());
        for word in &self.bits {
            out.extend(word.to_le_bytes());
        }
        for position in &self.positions {
            out.push(position.pass);
            out.extend(position.cursor.to_le_bytes());
        }
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

    fn read(&mut self, bytes: &[u8], targets: &[IpAddr]) -> Result<(), Cow<'static, str>> {
        let (body, sum) = bytes.split_at_checked(bytes.len().saturating_sub(8)).ok_or("it is too short")?;
        if !body.starts_with(MAGIC) {
            return Err("it is of another kind or version".into());
        }
        if checksum(body).to_le_bytes() != sum {
            return Err("it is damaged".into());
        }
        let mut reader = Reader(body.get(MAGIC.len()..).unwrap_or_default());
        if reader.u64()? != self.digest {
            return Err("its targets or ports are others".into());
        }
        let length = reader.u32()? as usize;
        let (text, rest) = reader.0.split_at_checked(length.min(MAX_MANNERS)).ok_or("it ends too soon")?;
        reader.0 = rest;
        let before = String::from_utf8_lossy(text);
        let differences: Vec<String> = (before.lines().zip(self.manners.lines()))
            .filter(|(before, now)| before != now)
            .map(|(before, now)| format!("it was begun with {before}, and now it is {now}"))
            .collect();
        if before != self.manners {
            return Err(differences.join("; ").into());
        }
        self.seed = reader.u64()?;
        for word in &mut self.bits {
            *word = reader.u64()?;
        }
        for position in &mut self.positions {
            *position = Position { pass: reader.u8()?, cursor: reader.u32()? };
        }
        for _ in 0..reader.u32()? {
            let address = reader.address()?;
            let (protocol, state, reason) = reader.kind()?;
            let (port, rtt, ttl, attempts) = (reader.u16()?, reader.u32()?, reader.u8()?, reader.u8()?);
            let rtt = (rtt > 0).then(|| Duration::from_micros(u64::from(rtt)));
            let ttl = (ttl > 0).then_some(ttl);
            self.found.push(Finding { address, protocol, port, state, reason, rtt, ttl, attempts });
        }
        for _ in 0..reader.u32()? {
            self.confirmed.insert((reader.u32()?, reader.u32()?));
        }
        for _ in 0..reader.u32()? {
            let host = reader.u32()? as usize;
            let counts = reader.counts()?;
            self.old_tallies.push((host, Tally { counts, ..Tally::default() }));
        }
        for _ in 0..reader.u32()? {
            let address = reader.address()?;
            let presence = presence_of(reader.u8()?)?;
            let rtt = reader.u32()?;
            let (has_mac, mac) = (reader.u8()?, reader.array::<6>()?);
            let accepts_everything = reader.u8()? == 1;
            let counts = reader.counts()?;
            let mut unconfirmed = Vec::new();
            for _ in 0..reader.u32()? {
                unconfirmed.push(reader.u16()?);
            }
            let rtt = (rtt > 0).then(|| Duration::from_micros(u64::from(rtt)));
            let mac = (has_mac == 1).then_some(mac);
            self.reports.push(HostReport { address, presence, rtt, mac, counts, accepts_everything, unconfirmed });
        }
        for report in &self.reports {
            if let Some(ended) = targets.binary_search(&report.address).ok().and_then(|at| self.ended.get_mut(at)) {
                *ended = true;
            }
        }
        Ok(())
    }
}

/// Locks a file for as long as it is open.
fn lock(file: &File) -> std::io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(std::io::Error::other("another run is using it")),
        // A file system without locks is no obstacle.
        _ => Ok(()),
    }
}

/// Opens the file and locks it; `None` if there is none. Nothing that has to be waited for is opened, such as a pipe.
fn open_locked(path: &Path) -> std::io::Result<Option<File>> {
    // A run that goes on may put a new file in its place at any moment; that is locked as well.
    for _ in 0..100 {
        let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let opened = file.metadata()?;
        if !opened.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        lock(&file)?;
        if std::fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino())) {
            return Ok(Some(file));
        }
    }
    Err(std::io::Error::other("another run is using it"))
}

/// Creates a file that nobody else has, through no link; one that a killed run left is taken away first.
fn create_beside(path: &Path) -> std::io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).custom_flags(libc::O_NOFOLLOW).open(path);
    match create() {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            if !std::fs::symlink_metadata(path)?.is_file() {
                return Err(std::io::Error::other("it is in the way, and no regular file"));
            }
            let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
            lock(&OpenOptions::new().read(true).custom_flags(flags).open(path)?)?;
            std::fs::remove_file(path)?;
            create()
        }
        other => other,
    }
}

fn checksum(bytes: &[u8]) -> u64 {
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
const REASONS: [Reason; 20] = [
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Job;

    fn prepared() -> Prepared {
        let targets = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|a| a.parse().unwrap()).to_vec();
        Prepared::new(&Job::new(targets, (1..=100).collect())).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_another_job_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let prepared = prepared();
        let (mut checkpoint, seed, earlier) = Checkpoint::open(&path, &prepared, 7).unwrap();
        assert!(seed == 7 && !earlier.exists());
        let finding = Finding {
            address: "2001:db8::1".parse().unwrap(),
            protocol: Protocol::Tcp,
            port: 80,
            state: State::Open,
            reason: Reason::SynAck,
            rtt: Some(Duration::from_micros(900)),
            ttl: Some(64),
            attempts: 2,
        };
        checkpoint.done(2, 79, Some(finding));
        checkpoint.done(0, 5, None);
        for (host, port) in [(2, 79), (0, 5)] {
            checkpoint.confirmed(host, port);
        }
        checkpoint.positions(vec![(1, Position { pass: 1, cursor: 40 })]);
        let counts = vec![
            Count { protocol: Protocol::Tcp, state: State::Error, reason: Reason::System(71), ports: 1 },
            Count { protocol: Protocol::Tcp, state: State::Closed, reason: Reason::ConnRefused, ports: 99 },
        ];
        let report = HostReport {
            address: "192.0.2.1".parse().unwrap(),
            presence: Presence::Up(HostReason::Echo),
            rtt: None,
            mac: Some([1, 2, 3, 4, 5, 6]),
            counts: counts.clone(),
            accepts_everything: true,
            unconfirmed: vec![80, 81],
        };
        checkpoint.ended(0, report.clone());
        let tallies = [Tally::default(), Tally { counts, ..Tally::default() }, Tally::default()];
        checkpoint.done(2, 80, Some(Finding { port: 81, ..finding }));
        checkpoint.write(&tallies).unwrap();

        assert!(Checkpoint::open(&path, &prepared, 8).unwrap_err().to_string().contains("another run"));
        drop(checkpoint);
        let (again, seed, earlier) = Checkpoint::open(&path, &prepared, 8).unwrap();
        assert_eq!(seed, 7, "the order of the earlier run goes on");
        assert_eq!((again.found(), again.reports()), (&[finding, Finding { port: 81, ..finding }][..], &[report][..]));
        let begun =
            Begun { answered: true, answering: Some((80, true)), confirmed: vec![79], unconfirmed: vec![80], open: 0 };
        assert_eq!(
            (earlier.begun(2), earlier.begun(0)),
            (Some(&begun), None),
            "of a finished host the report is enough"
        );
        assert_eq!(again.confirmed.len(), 1);
        assert!(earlier.begun(1).is_some_and(|begun| begun.answered && begun.answering.is_none()));
        assert!(earlier.is_done(2, 79) && earlier.is_done(0, 5) && !earlier.is_done(2, 78) && !earlier.is_done(9, 9));
        assert!(earlier.is_ended(0) && !earlier.is_ended(1));
        assert_eq!(earlier.position(1), Position { pass: 1, cursor: 40 });
        // Killed again before it wrote anything: the next one knows as much.
        drop(again);
        let (mut again, _, earlier) = Checkpoint::open(&path, &prepared, 8).unwrap();
        assert_eq!(earlier.begun(2), Some(&begun));
        assert!(earlier.begun(1).is_some_and(|begun| begun.answered));
        let old = again.tallies();
        assert_eq!((old.len(), old[0].0, old[0].1.counts.len()), (1, 1, 1), "ports in trouble are asked again");

        again.lock = None;
        let other = Prepared::new(&Job::new(prepared.targets, vec![80])).unwrap();
        assert!(Checkpoint::open(&path, &other, 7).unwrap_err().to_string().contains("others"));
        let mut job = Job::new(other.targets, (1..=100).collect());
        job.settings.attempts = 5;
        job.settings.interface = Some("eth7".to_owned());
        let error = Checkpoint::open(&path, &Prepared::new(&job).unwrap(), 7).unwrap_err().to_string();
        assert!(
            error.contains("begun with attempts: 2, and now it is attempts: 5") && error.contains("eth7"),
            "{error}"
        );
        again.remove().unwrap();
        again.remove().unwrap();
        assert!(!path.exists());
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_refused_and_does_no_harm(at in 0_usize..600, bit in 0_u8..8, cut in 0_usize..600) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state");
            let prepared = prepared();
            let (mut checkpoint, ..) = Checkpoint::open(&path, &prepared, 7).unwrap();
            checkpoint.write(&[]).unwrap();
            checkpoint.lock = None;
            let mut bytes = std::fs::read(&path).unwrap();
            let length = bytes.len();
            bytes[at % length] ^= 1 << bit;
            bytes.truncate(length.min(length.saturating_sub(cut % 50)));
            std::fs::write(&path, &bytes).unwrap();
            let error = Checkpoint::open(&path, &prepared, 7).unwrap_err().to_string();
            prop_assert!(!error.contains("another run"), "{error}");
            // Without the checksum, which only guards against accidents, nothing goes wrong either.
            let mut body = bytes[16..].to_vec();
            body.splice(0..8, checkpoint.digest.to_le_bytes());
            let mut forged = MAGIC.to_vec();
            forged.extend(body);
            let sum = checksum(&forged);
            forged.extend(sum.to_le_bytes());
            let _ = checkpoint.read(&forged, &prepared.targets);
        }
    }
}
