//! The small file from which a killed run goes on.
//!
//! It holds which targets the run has ([`targets`]), which pairs have a result (one bit each), what was found and which of it
//! was confirmed, the counts and reports of hosts, which hosts were found to be there, and how far the raw engine's passes
//! had come at each host ([`format`]). It is written beside itself and renamed, so that there is always a whole one ([`file`]);
//! how often follows from how large it is and how long that takes. What a run did after the last writing is done again.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use crate::collect::Tally;
use crate::job::Prepared;
use crate::{Error, Finding, HostReason, HostReport, Never, Presence, TakenUp};
use file::StateFile;
use format::{Contents, Manner};

mod earlier;
mod file;
mod format;
mod targets;

pub use earlier::{Begun, Earlier, Position};

/// Pairs of a job that can have a checkpoint: half a gibibyte of bits.
const MAX_PAIRS: u64 = 1 << 32;

/// The file and what goes into it.
#[derive(Debug)]
pub struct Checkpoint {
    file: StateFile,
    contents: Contents,
    ports_each: u64,
    ended: Vec<bool>,
    /// Targets of the earlier run that must not be contacted any more, by number.
    withheld: Vec<bool>,
    old_tallies: Vec<(usize, Tally)>,
    taken_up: Option<TakenUp>,
    /// What is to be told of the targets.
    notes: Vec<String>,
}

impl Checkpoint {
    /// Opens the file, or begins anew if there is none. Where there is one, `prepared` gets the targets of the earlier run.
    /// Returns it with the seed to use.
    pub fn open(path: &Path, prepared: &mut Prepared, never: &Never, seed: u64) -> Result<(Self, u64, Earlier), Error> {
        if prepared.total > MAX_PAIRS {
            return Err(Error::StateTooLarge { pairs: prepared.total, most: MAX_PAIRS });
        }
        let manner = Manner::of(prepared);
        let (file, bytes) = StateFile::open(path)?;
        let ports_each = prepared.ports_each();
        let Some(bytes) = bytes else {
            let contents = Contents::new(&manner, seed, prepared.targets.clone(), prepared.names.clone());
            let mut checkpoint = Self::of(file, contents, ports_each);
            // A path that cannot be written is better known before the first packet.
            checkpoint.write_and_wait(&[])?;
            return Ok((checkpoint, seed, Earlier::default()));
        };
        let wrong = |why: String| Error::Checkpoint { path: path.to_owned(), why };
        let (contents, old_tallies) = Contents::decode(&bytes, &manner).map_err(|why| wrong(why.into_owned()))?;
        drop(bytes);
        let taken = targets::take_up(prepared, &contents.targets, &contents.names, never).map_err(wrong)?;
        let mut checkpoint = Self::of(file, contents, ports_each);
        let ended: Vec<usize> = checkpoint.contents.reports().map(|(host, _)| host).collect();
        for host in ended {
            if let Some(ended) = checkpoint.ended.get_mut(host) {
                *ended = true;
            }
        }
        (checkpoint.old_tallies, checkpoint.notes) = (old_tallies, taken.notes);
        checkpoint.withheld = taken.withheld;
        let names = checkpoint.contents.names.clone();
        checkpoint.taken_up = Some(TakenUp { targets: prepared.targets.len(), names });
        let earlier = Earlier::of(&checkpoint, prepared);
        // What was counted before stays in it: this run may be killed before it writes again.
        let counted = checkpoint.counted();
        checkpoint.write_and_wait(&counted)?;
        let seed = checkpoint.contents.seed;
        Ok((checkpoint, seed, earlier))
    }

    fn of(file: StateFile, contents: Contents, ports_each: u64) -> Self {
        let hosts = contents.targets.len();
        Self {
            file,
            contents,
            ports_each,
            ended: vec![false; hosts],
            withheld: vec![false; hosts],
            old_tallies: Vec::new(),
            taken_up: None,
            notes: Vec::new(),
        }
    }

    /// The counts of the earlier run, in the order of the targets.
    fn counted(&self) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.contents.targets.len()];
        for (host, tally) in &self.old_tallies {
            if let Some(own) = tallies.get_mut(*host) {
                own.clone_from(tally);
            }
        }
        tallies
    }

    /// What to tell of the earlier run and its targets; once.
    pub fn taken_up(&mut self) -> (Option<TakenUp>, Vec<String>) {
        (self.taken_up.take(), std::mem::take(&mut self.notes))
    }

    /// Whether a host must not be contacted any more. Then nothing is told of it either.
    pub fn is_withheld(&self, host: usize) -> bool {
        self.withheld.get(host).copied().unwrap_or(false)
    }

    /// How many hosts must not be contacted any more.
    pub fn withheld(&self) -> usize {
        self.withheld.iter().filter(|withheld| **withheld).count()
    }

    fn is_told(&self, address: IpAddr) -> bool {
        self.contents.number(address).is_none_or(|host| !self.is_withheld(host))
    }

    /// What was found before.
    pub fn found(&self) -> impl Iterator<Item = &Finding> {
        self.contents.found.iter().filter(|finding| self.is_told(finding.address))
    }

    /// Open ports of hosts that were not finished that had accepted a second time.
    pub fn confirmed_before(&self, prepared: &Prepared) -> Vec<(IpAddr, u16)> {
        let pair = |(host, port): &(u32, u32)| {
            Some((*prepared.targets.get(*host as usize)?, *prepared.tcp_ports.get(*port as usize)?))
        };
        self.contents.confirmed.iter().filter_map(pair).filter(|(address, _)| self.is_told(*address)).collect()
    }

    /// Hosts that were finished before.
    pub fn reports(&self) -> impl Iterator<Item = HostReport> {
        self.contents.reports().filter(|(host, _)| !self.is_withheld(*host)).map(|(_, report)| report)
    }

    /// The counts of hosts from before; once.
    pub fn tallies(&mut self) -> Vec<(usize, Tally)> {
        std::mem::take(&mut self.old_tallies)
    }

    pub fn done(&mut self, host: u32, port: u32, finding: Option<Finding>) {
        let at = u64::from(host) * self.ports_each + u64::from(port);
        if let Some(word) = usize::try_from(at / 64).ok().and_then(|index| self.contents.bits.get_mut(index)) {
            *word |= 1 << (at % 64);
        }
        self.contents.found.extend(finding);
    }

    /// An open port accepted a second time.
    pub fn confirmed(&mut self, host: u32, port: u32) {
        self.contents.confirmed.insert((host, port));
    }

    pub fn positions(&mut self, positions: Vec<(u32, Position)>) {
        for (host, position) in positions {
            if let Some(known) = self.contents.positions.get_mut(host as usize) {
                *known = position;
            }
        }
    }

    /// By what a host that is not finished was found to be there.
    pub fn presence(&self, host: u32) -> Option<Presence> {
        self.contents.presence(host)
    }

    /// Hosts are there.
    pub fn up(&mut self, hosts: Vec<(u32, HostReason)>) {
        for (host, reason) in hosts {
            self.contents.is_up(host, reason);
        }
    }

    pub fn ended(&mut self, host: u32, report: HostReport) {
        if let Some(ended) = self.ended.get_mut(host as usize) {
            *ended = true;
        }
        // Its report says which did not.
        earlier::forget(&mut self.contents.confirmed, host);
        self.contents.ended(host, report);
    }

    /// Which hosts were finished before.
    pub fn ended_before(&self) -> &[bool] {
        &self.ended
    }

    /// How long until it is to be written again.
    pub fn due(&self) -> Duration {
        self.file.due()
    }

    /// Writes the file; a large one aside, and then what came of it is known at one of the next calls.
    pub fn write(&mut self, tallies: &[Tally]) -> Result<(), Error> {
        let contents = &self.contents;
        self.file.write(|| contents.encode(tallies))
    }

    /// Writes the file and waits until it is there.
    pub fn write_and_wait(&mut self, tallies: &[Tally]) -> Result<(), Error> {
        self.file.write_and_wait(&self.contents.encode(tallies))
    }

    /// Removes the file.
    pub fn remove(&mut self) -> Result<(), Error> {
        self.file.remove()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Count, Job, Protocol, Reason, State};

    fn opened(path: &Path, prepared: &Prepared, seed: u64) -> Result<(Checkpoint, u64, Earlier), Error> {
        let mut prepared = prepared.clone();
        Checkpoint::open(path, &mut prepared, &Job::new(Vec::new(), Vec::new()).never, seed)
    }

    fn prepared() -> Prepared {
        let targets = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|a| a.parse().unwrap()).to_vec();
        Prepared::new(&Job::new(targets, (1..=100).collect())).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_another_job_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let prepared = prepared();
        let (mut checkpoint, seed, earlier) = opened(&path, &prepared, 7).unwrap();
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
        checkpoint.write_and_wait(&tallies).unwrap();

        assert!(opened(&path, &prepared, 8).unwrap_err().to_string().contains("another run"));
        drop(checkpoint);
        let (again, seed, earlier) = opened(&path, &prepared, 8).unwrap();
        assert_eq!(seed, 7, "the order of the earlier run goes on");
        assert_eq!(again.found().copied().collect::<Vec<_>>(), [finding, Finding { port: 81, ..finding }]);
        assert_eq!(again.reports().collect::<Vec<_>>(), [report]);
        let begun =
            Begun { answered: true, answering: Some((80, true)), confirmed: vec![79], unconfirmed: vec![80], open: 0 };
        assert_eq!(
            (earlier.begun(2), earlier.begun(0)),
            (Some(&begun), None),
            "of a finished host the report is enough"
        );
        assert_eq!(again.contents.confirmed.len(), 1);
        assert!(earlier.begun(1).is_some_and(|begun| begun.answered && begun.answering.is_none()));
        assert!(earlier.is_done(2, 79) && earlier.is_done(0, 5) && !earlier.is_done(2, 78) && !earlier.is_done(9, 9));
        assert!(earlier.is_ended(0) && !earlier.is_ended(1));
        assert_eq!(earlier.position(1), Position { pass: 1, cursor: 40 });
        // Killed again before it wrote anything: the next one knows as much.
        drop(again);
        let (mut again, _, earlier) = opened(&path, &prepared, 8).unwrap();
        assert_eq!(earlier.begun(2), Some(&begun));
        assert!(earlier.begun(1).is_some_and(|begun| begun.answered));
        let old = again.tallies();
        assert_eq!((old.len(), old[0].0, old[0].1.counts.len()), (1, 1, 1), "ports in trouble are asked again");

        again.file.unlock();
        let other = Prepared::new(&Job::new(prepared.targets, vec![80])).unwrap();
        assert!(opened(&path, &other, 7).unwrap_err().to_string().contains("others"));
        let mut job = Job::new(other.targets, (1..=100).collect());
        job.settings.attempts = 5;
        job.settings.interface = Some("eth7".to_owned());
        let error = opened(&path, &Prepared::new(&job).unwrap(), 7).unwrap_err().to_string();
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
            let (mut checkpoint, ..) = opened(&path, &prepared, 7).unwrap();
            checkpoint.write_and_wait(&[]).unwrap();
            checkpoint.file.unlock();
            let mut bytes = std::fs::read(&path).unwrap();
            let length = bytes.len();
            bytes[at % length] ^= 1 << bit;
            bytes.truncate(length.min(length.saturating_sub(cut % 50)));
            std::fs::write(&path, &bytes).unwrap();
            let error = opened(&path, &prepared, 7).unwrap_err().to_string();
            prop_assert!(!error.contains("another run"), "{error}");
            // Without the checksum, which only guards against accidents, nothing goes wrong either.
            let sum = format::checksum(&bytes[..bytes.len() - 8]);
            let at = bytes.len() - 8;
            bytes[at..].copy_from_slice(&sum.to_le_bytes());
            let _ = Contents::decode(&bytes, &Manner::of(&prepared));
        }
    }
}
