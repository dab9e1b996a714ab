//! What an engine has to know of the run that was killed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Checkpoint;
use crate::job::Prepared;
use crate::{Protocol, State};

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
            done: Some(Arc::new(checkpoint.bits.clone())),
            ended: Arc::new(checkpoint.ended.clone()),
            positions: Arc::new(checkpoint.positions.clone()),
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

    /// Whether the host was finished.
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
    for finding in checkpoint.found.iter().filter(|finding| finding.protocol == Protocol::Tcp) {
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
            let list = if checkpoint.confirmed.contains(&(host, port)) {
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
    use super::*;

    #[test]
    fn a_finished_host_is_forgotten_alone() {
        let mut pairs = BTreeSet::from([(0, 3), (1, 0), (1, u32::MAX), (2, 0), (u32::MAX, 7)]);
        forget(&mut pairs, 1);
        forget(&mut pairs, u32::MAX);
        assert_eq!(pairs, BTreeSet::from([(0, 3), (2, 0)]));
    }
}
