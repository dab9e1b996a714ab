//! The use cases on both real databases, from setup to findings.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod assets;
mod auth;
mod findings;
mod log_level;
mod scans;
mod schedules;
mod secrets;
mod support;
mod workers;
