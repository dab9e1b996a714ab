//! A durable job queue and cron runner on the database. It knows no business noun.
//!
//! A job is added in the transaction of the write that causes it ([`enqueue`]), so that neither can exist without the
//! other. A [`Runner`] claims due jobs with a lease, renews it while the [`Handler`] works, and ends or retries the job.
//! A process that dies leaves its leases to run out; where one process owns the database they are given back at its
//! start. A handler may be run more than once for the same job and must be able to take up where it was stopped.
//!
//! Start reading at [`Handler`], then [`Runner`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod cron;
mod process;
mod queue;
mod runner;

pub use bartizan_storage::jobs::{CancelOutcome, Job, JobFilter, JobStatus};
pub use cron::{BadSchedule, CronSchedule, Timer, time_zone};
pub use process::{Process, ProcessKind};
pub use queue::{NewJob, Pause, Queue, enqueue};
pub use runner::{Control, Handler, Outcome, Runner, StopReason, Ticker, Timing};
