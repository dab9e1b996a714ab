//! What an engine has to know of the run that was killed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Checkpoint;
use crate::job::Prepared;
use crate::{HostReason, Protocol, State};

/// How far the raw engine is at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The pass over all ports it is in.
    pub pass: u8,
    /// Places of the pass whose questions are answered or given up.
    pub cursor: u32,
}

/// What an engine has to know of the earlier run.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    done: Option<Arc<Vec<u64>>>,
    ended: Arc<Vec<bool>>,
    positions: Arc<Vec<Position>>,
    begun: Arc<HashMap<u32, Begun>>,
    up: Arc<HashMap<u32, HostReason>>,
    ports_each: u64,
}

/// What was learned of a host that was begun and not finished: it decides what the silence of its other ports means, whether it
/// accepts everything, and which of its ports are to be asked a second time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Begun {
    /// Whether a TCP port accepted or refused.
    pub answered: bool,
    /// Open TCP ports, those included that were counted only.
    pub open: u32,
    /// A TCP port that answered, by index, and whether it accepted.
    pub answering: Option<(u32, bool)>,
    /// Open TCP ports that accepted a second time, by index.
    pub confirmed: Vec<u32>,
    /// Open TCP ports that did not yet.
    pub unconfirmed: Vec<u32>,
}

impl Earlier {
    /// What a state file says.
    pub(super) fn of(checkpoint: &Checkpoint, prepared: &Prepared) -> Self {
        Self {
            done: Some(Arc::new(checkpoint.contents.bits.clone())),
            ended: Arc::new(checkpoint.ended.iter().zip(&checkpoint.withheld).map(|(a, b)| *a || *b).collect()),
            positions: Arc::new(checkpoint.contents.positions.clone()),
            up: Arc::new(checkpoint.contents.up().collect()),
            begun: Arc::new(begun(checkpoint, prepared)),
            ports_each: checkpoint.ports_each,
        }
    }

    /// Whether the pair had a result.
    pub fn is_done(&self, host: u32, port: u32) -> bool {
        self.done.as_ref().is_some_and(|bits| {
            let at = u64::from(host) * self.ports_each + u64::from(port);
            bits.get(usize::try_from(at / 64).unwrap_or(usize::MAX)).is_some_and(|word| word >> (at % 64) & 1 == 1)
        })
    }

    /// How many of the first so many ports of a host had a result.
    pub fn done_of(&self, host: u32, ports: u32) -> u32 {
        let Some(bits) = &self.done else { return 0 };
        let first = u64::from(host) * self.ports_each;
        let end = first + u64::from(ports);
        let word = |index: u64| usize::try_from(index).ok().and_then(|index| bits.get(index)).copied().unwrap_or(0);
        let mut count = 0;
        let mut at = first;
        while at < end {
            // Of each word those bits that are of the host.
            let next = ((at / 64 + 1) * 64).min(end);
            let kept = (word(at / 64) >> (at % 64)) << (64 - (next - at));
            count += kept.count_ones();
            at = next;
        }
        count
    }

    /// By what a host that was not finished was found to be there.
    pub fn is_up(&self, host: u32) -> Option<HostReason> {
        self.up.get(&host).copied()
    }

    /// Whether the host was finished, or is not to be asked any more.
    pub fn is_ended(&self, host: u32) -> bool {
        self.ended.get(host as usize).copied().unwrap_or(false)
    }

    /// Where the raw engine was.
    pub fn position(&self, host: u32) -> Position {
        self.positions.get(host as usize).copied().unwrap_or_default()
    }

    /// What was learned of a host that was not finished.
    pub fn begun(&self, host: u32) -> Option<&Begun> {
        self.begun.get(&host)
    }

    /// Whether there was an earlier run at all.
    pub const fn exists(&self) -> bool {
        self.done.is_some()
    }
}

fn begun(checkpoint: &Checkpoint, prepared: &Prepared) -> HashMap<u32, Begun> {
    let mut hosts = HashMap::<u32, Begun>::new();
    for (host, tally) in &checkpoint.old_tallies {
        let Ok(host) = u32::try_from(*host) else { continue };
        let tcp = tally.counts.iter().filter(|count| count.protocol == Protocol::Tcp);
        let (mut open, mut answered) = (0, false);
        for count in tcp {
            answered |= matches!(count.state, State::Open | State::Closed);
            open += if count.state == State::Open { count.ports } else { 0 };
        }
        if answered {
            hosts.insert(host, Begun { answered, open, ..Begun::default() });
        }
    }
    for finding in checkpoint.contents.found.iter().filter(|finding| finding.protocol == Protocol::Tcp) {
        let accepts = finding.state == State::Open;
        let Some(host) = number_of(&prepared.targets, finding.address) else { continue };
        let Some(port) = number_of(&prepared.tcp_ports, finding.port) else { continue };
        if checkpoint.ended.get(host as usize) == Some(&true) || !(accepts || finding.state == State::Closed) {
            continue;
        }
        let host_begun = hosts.entry(host).or_default();
        host_begun.answered = true;
        // One that refuses is bothered less by being asked again.
        if host_begun.answering.is_none_or(|(_, known)| known) {
            host_begun.answering = Some((port, accepts));
        }
        if accepts {
            let list = if checkpoint.contents.confirmed.contains(&(host, port)) {
                &mut host_begun.confirmed
            } else {
                &mut host_begun.unconfirmed
            };
            list.push(port);
        }
    }
    hosts
}

fn number_of<T: Ord>(list: &[T], one: T) -> Option<u32> {
    list.binary_search(&one).ok().and_then(|at| u32::try_from(at).ok())
}

/// Takes what was kept of one host out of a list of pairs.
pub(super) fn forget(pairs: &mut BTreeSet<(u32, u32)>, host: u32) {
    let mut later = pairs.split_off(&(host, 0));
    let mut rest = match host.checked_add(1) {
        Some(next) => later.split_off(&(next, 0)),
        None => BTreeSet::new(),
    };
    pairs.append(&mut rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_done_of_a_host_is_counted(bits: [u64; 8], ports_each in 1_u32..200, host in 0_u32..4, part in 0_u32..200) {
            let ports = part.min(ports_each);
            let earlier =
                Earlier { done: Some(Arc::new(bits.to_vec())), ports_each: u64::from(ports_each), ..Earlier::default() };
            let wanted = (0..ports).filter(|port| earlier.is_done(host, *port)).count();
            prop_assert_eq!(earlier.done_of(host, ports) as usize, wanted);
        }
    }

    #[test]
    fn a_finished_host_is_forgotten_alone() {
        let mut pairs = BTreeSet::from([(0, 3), (1, 0), (1, u32::MAX), (2, 0), (u32::MAX, 7)]);
        forget(&mut pairs, 1);
        forget(&mut pairs, u32::MAX);
        assert_eq!(pairs, BTreeSet::from([(0, 3), (2, 0)]));
    }
}
