//! The vocabulary every layer of Bartizan speaks.
//!
//! What is here: identifiers, targets, evidence and verdict types, findings and their lifecycle, score,
//! permissions, the one [`Error`]. What is deliberately not here: I/O, async, clocks, randomness, SQL and
//! HTTP. Time arrives as an argument, usually from a [`Clock`] that the composition root provides.
//!
//! Start reading at [`evidence`] (what a probe gathers) and [`verdict`] (what a check says about it).

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod asset;
pub mod coverage;
pub mod dmarc;
pub mod document;
pub mod error;
pub mod evidence;
pub mod finding;
pub mod fingerprint;
pub mod id;
pub mod location;
pub mod permission;
pub mod port_document;
pub mod port_set;
pub mod scan;
pub mod schedule;
pub mod score;
pub mod severity;
pub mod spf;
pub mod target;
pub mod verdict;

pub use asset::{AssetKind, AssetRef, RiskZone};
pub use error::{Error, FieldError, Result};
pub use finding::{FindingStatus, ResolutionReason};
pub use fingerprint::Fingerprint;
pub use location::{Location, Transport};
pub use permission::{Permission, Role, RoleName};
pub use port_set::PortSet;
pub use scan::{ScanKind, ScanProfile, ScanStatus};
pub use severity::Severity;
pub use target::Target;
pub use verdict::{CheckId, Confidence, Outcome, Verdict};

use chrono::{DateTime, Utc};

/// Where the current time comes from. Implemented by the composition root (the binary, the test harness), so
/// that no library reads a clock on its own.
pub trait Clock: Send + Sync {
    /// The current instant, UTC.
    fn now(&self) -> DateTime<Utc>;
}
