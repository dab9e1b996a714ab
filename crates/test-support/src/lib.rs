//! What tests share, and nothing that ships: a fixed clock, databases, and a loopback lab of real servers.
//!
//! Servers of the lab listen on port 0 of a loopback address, are waited for by a condition and end with their guard.
//! A missing Debian or PyPI package is a clear panic that names it, never a skipped test; `scripts/test-deps.txt` and
//! `scripts/test-deps-pip.txt` list what `make test` installs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[cfg(feature = "app")]
pub mod app;
pub mod clock;
pub mod database;
pub mod lab;
pub mod smtp;

pub use clock::FixedClock;
pub use database::TestDatabase;
