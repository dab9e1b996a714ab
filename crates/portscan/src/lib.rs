//! A port-scan engine: addresses and ports in, one state with a reason for each pair out.
//!
//! The crate knows nothing of the product that uses it: the caller hands it addresses that were vetted already and a
//! predicate for addresses that must never be touched. What it promises:
//!
//! * every pair of target and port gets exactly one result, in an order that mixes the ports of many hosts ([`order`]),
//!   unless the run is cancelled, and then the outcome says so, or the host is down; each host is told of as soon as it is
//!   finished;
//! * trouble on this machine (no descriptors, no local ports, no buffers) is retried and then reported as
//!   [`State::Error`]; it is never mistaken for a closed port;
//! * silence is asked again before it counts as [`State::Filtered`];
//! * descriptors stay within the process limit, and no connection lingers in `TIME_WAIT`.
//!
//! Two engines ask TCP ports: raw SYN, which needs CAP_NET_RAW, and `connect`, which needs nothing; a third asks UDP
//! ports. They share [`Job`], [`Event`], [`Control`] and the states. Start reading at [`scan`] (asynchronous) or [`run`]
//! (blocking), then `engines` (who takes which target) and `raw`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::path::PathBuf;

mod checkpoint;
mod collect;
mod congestion;
mod connect;
mod control;
pub mod descriptors;
mod engines;
pub mod exclusive_file;
mod icmp;
mod job;
#[cfg(feature = "lab")]
pub mod lab;
mod limits;
mod links;
pub mod masking;
pub mod order;
mod ping;
mod raw;
mod result;
mod scan;
mod sys;
mod timing;
mod udp;
pub mod zone;

pub use control::Control;
pub use job::{
    AtEnd, Discovery, Engine, Job, MAX_ATTEMPTS, MAX_PAIRS, MAX_TARGETS, MAX_TIMEOUT, Never, Rates, Report, Settings,
    Verification,
};
pub use result::{
    Choice, Count, Event, Finding, HostReason, HostReport, Outcome, Phase, Presence, Progress, Protocol, Reason, State,
    TakenUp, Unfinished,
};
pub use scan::{Scan, scan};

/// A job that cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More targets than a run takes.
    #[error("{targets} targets are more than the {MAX_TARGETS} one run can take")]
    TooManyTargets {
        /// How many targets.
        targets: usize,
    },
    /// Targets x ports is more than a run takes.
    #[error("{targets} targets x {ports} ports is more than the {MAX_PAIRS} pairs one run can take")]
    TooLarge {
        /// How many targets.
        targets: usize,
        /// How many ports.
        ports: usize,
    },
    /// More attempts than an engine can make.
    #[error("{attempts} attempts at a port are more than the {MAX_ATTEMPTS} there are source ports for")]
    TooManyAttempts {
        /// How many.
        attempts: u8,
    },
    /// A longer wait than answers can be told apart for.
    #[error(
        "a wait of {timeout:?} for an answer is longer than the {MAX_TIMEOUT:?} an engine can tell answers apart for"
    )]
    TooLongWait {
        /// How long.
        timeout: std::time::Duration,
    },
    /// A link-local address without the link it is on.
    #[error(
        "{target} is a link-local address, which is another host on each link: it needs the zone of its link (RFC 4007 section 11)"
    )]
    NoZone {
        /// The address.
        target: std::net::IpAddr,
    },
    /// The raw engine was asked for by name and cannot run here.
    #[error("the raw engine cannot run: {0}")]
    NoRawEngine(String),
    /// The interface asked for is not there.
    #[error("there is no usable interface {0:?}")]
    NoInterface(String),
    /// The interface asked for does not lead to a loopback address.
    #[error("{target} is a loopback address of this machine, and {interface} does not lead there")]
    WrongInterface {
        /// The address.
        target: std::net::IpAddr,
        /// The interface.
        interface: String,
    },
    /// The address named is that of a broadcast or a group.
    #[error("{target} belongs to no host: it is the broadcast address of a network of this machine, or a group")]
    NoHost {
        /// The address.
        target: std::net::IpAddr,
    },
    /// The interface asked for leads to this machine alone.
    #[error("{target} is no address of this machine, and {interface} leads to nothing else")]
    OnlyThisMachine {
        /// The address.
        target: std::net::IpAddr,
        /// The interface.
        interface: String,
    },
    /// The checkpoint belongs to another job or is damaged.
    #[error("{path:?} is not a checkpoint of this job: {why}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// The checkpoint cannot be read or written, or another run is using it.
    #[error("the state file {path:?} cannot be used: {error}")]
    StateFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A checkpoint would have to hold more than it can.
    #[error("{pairs} pairs of target and port are more than the {most} a state file can hold")]
    StateTooLarge {
        /// How many pairs the job has.
        pairs: u64,
        /// How many a state file can hold.
        most: u64,
    },
    /// The machine gave no poll descriptor or thread, so nothing can be asked.
    #[error("the engine cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// Whether this process may use [`Engine::Syn`]; if not, why.
///
/// # Errors
/// The reason, as a phrase for people.
pub fn raw_available() -> Result<(), String> {
    raw::may_run()
}

/// Runs a job on the calling thread until it ends, handing events to `sink`. Blocks; asynchronous callers use
/// [`scan`].
///
/// # Errors
/// If the job is too large to count or the engine cannot start. Trouble with single ports is a result, not an error.
pub fn run(job: &Job, control: &Control, mut sink: impl FnMut(Event)) -> Result<Outcome, Error> {
    let mut prepared = job::Prepared::new(job)?;
    let mut seed = job.settings.seed.unwrap_or_else(rand::random);
    let mut earlier = checkpoint::Earlier::default();
    let mut state = None;
    if let Some(path) = &job.settings.checkpoint {
        let opened = checkpoint::Checkpoint::open(path, &mut prepared, &job.never, seed)?;
        (seed, earlier) = (opened.1, opened.2);
        state = Some(opened.0);
    }
    let prepared = prepared;
    let (messenger, messages) = collect::Messenger::new();
    let mut collector = collect::Collector::new(&prepared, &job.settings, &messenger, state);
    collector.replay(&mut sink);
    let ended = std::thread::scope(|scope| -> Result<(), Error> {
        let (prepared, earlier) = (&prepared, &earlier);
        let work = move || {
            // Moved in, so that the line is hung up when the engines are done.
            let messenger = messenger;
            // What leads where is looked up first.
            let links = &links::Links::new(Vec::new());
            engines::Engines { job, prepared, control, messenger: &messenger, earlier, links, seed }.run()
        };
        let thread = std::thread::Builder::new().name("portscan-engines".into()).spawn_scoped(scope, work)?;
        collector.collect(&messages, &mut sink);
        // Nothing more will be read: an engine that still writes must not wait for a reader.
        drop(messages);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    match ended {
        // What was found stands, whatever kept an engine from going on.
        Err(error) if collector.has_begun() => {
            collector.gap(format!("the scan could not go on: {error}"), &mut sink);
        }
        Err(error) => {
            // A job that was refused has done nothing; the corrected one must not meet its file.
            if !earlier.exists() {
                collector.discard()?;
            }
            return Err(error);
        }
        Ok(()) => {}
    }
    collector.close(&mut sink);
    let progress = collector.progress;
    let cancelled = progress.done < progress.total;
    let unfinished = collector.unfinished();
    let refused = prepared.refused.clone();
    Ok(Outcome { progress, cancelled, refused, engines: collector.engines, unfinished, gaps: collector.gaps })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn sources(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else {
                into.push(path);
            }
        }
    }

    /// The lint that denies it can be lifted anywhere; this cannot.
    #[test]
    fn one_module_alone_leaves_the_safe_language() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        // In two parts, so that this file is none of them.
        let word = concat!("un", "safe ");
        let found = files.iter().filter(|file| std::fs::read_to_string(file).unwrap().contains(word));
        let mut found: Vec<&Path> = found.map(|file| file.strip_prefix(&root).unwrap()).collect();
        found.sort();
        assert_eq!(found, ["sys/errors.rs", "sys/packet.rs", "sys/release.rs", "sys.rs"].map(Path::new));
    }
}
