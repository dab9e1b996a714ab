//! A port-scan engine: addresses and ports in, one state with a reason for each pair out.
//!
//! The crate knows nothing of the product that uses it: the caller hands it addresses that were vetted already and a
//! predicate for addresses that must never be touched. What it promises:
//!
//! * every pair of target and port gets exactly one result, in an order that spreads each host over the whole run
//!   ([`order`]), unless the run is cancelled, and then the outcome says so, or the host is down;
//! * trouble on this machine (no descriptors, no local ports, no buffers) is retried and then reported as
//!   [`State::Error`]; it is never mistaken for a closed port;
//! * silence is asked again before it counts as [`State::Filtered`];
//! * descriptors stay within the process limit, and no connection lingers in `TIME_WAIT`.
//!
//! Engines differ in how they ask; they share [`Job`], [`Event`], [`Control`] and the states. Start reading at
//! [`scan`] (asynchronous) or [`run`] (blocking).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::path::PathBuf;

mod connect;
mod control;
pub mod descriptors;
mod job;
pub mod order;
mod result;
mod scan;
mod timing;
mod window;

pub use control::Control;
pub use job::{Discovery, Engine, Job, MAX_PAIRS, MAX_TARGETS, Never, Rates, Report, Settings, Verification};
pub use result::{
    Choice, Count, Event, Finding, HostReason, HostReport, Outcome, Presence, Progress, Protocol, Reason, State,
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
    /// The raw engine was asked for by name and cannot run here.
    #[error("the raw engine cannot run: {0}")]
    NoRawEngine(String),
    /// The interface asked for is not there.
    #[error("there is no usable interface {0:?}")]
    NoInterface(String),
    /// The checkpoint belongs to another job or is damaged.
    #[error("{path:?} is not a checkpoint of this job: {why}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// The machine gave no poll descriptor or thread, so nothing can be asked.
    #[error("the engine cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// Runs a job on the calling thread until it ends, handing events to `sink`. Blocks; asynchronous callers use
/// [`scan`].
///
/// # Errors
/// If the job is too large to count or the engine cannot start. Trouble with single ports is a result, not an error.
pub fn run(job: &Job, control: &Control, mut sink: impl FnMut(Event)) -> Result<Outcome, Error> {
    let prepared = job::Prepared::new(job)?;
    if !prepared.udp_ports.is_empty() && prepared.total > 0 {
        return Err(Error::Start(std::io::Error::other("no engine here asks UDP ports yet")));
    }
    let targets = prepared.targets.len();
    let choice = Choice { engine: Engine::Connect, targets, why: "the only engine there is".into() };
    sink(Event::Engine(choice.clone()));
    let plan = connect::Plan {
        order: order::Order::new(targets, prepared.tcp_ports.len(), job.settings.seed)
            .ok_or(Error::TooLarge { targets, ports: prepared.tcp_ports.len() })?,
        targets: prepared.targets,
        ports: prepared.tcp_ports,
        settings: job.settings.clone(),
    };
    let (progress, cancelled) = connect::run(&plan, control, &mut sink)?;
    Ok(Outcome { progress, cancelled, refused: prepared.refused, engines: vec![choice] })
}
