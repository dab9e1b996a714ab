//! Plans a scan, runs the probes, judges what they gathered, and emits progress and results on a channel.
//!
//! One asset at a time is the unit: resolved, gathered, judged, emitted whole and forgotten, so that a /16 streams
//! through in bounded memory and every emitted asset is a checkpoint. The engine knows no database and no terminal; the
//! command line and the server's scan job consume the same [`ScanEvent`]s. The network is behind the trait [`Probes`]:
//! [`NetworkProbes`] is the real one, [`RecordedProbes`] replays evidence for tests and mock scans.
//!
//! Start reading at [`run`], then [`ScanSettings`], then `gather.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod document;
mod gaps;
mod gather;
mod network;
mod plan;
mod probes;
mod progress;
mod recorded;
mod run;
mod settings;

pub use gaps::{NamedPorts, Settled};
pub use network::NetworkProbes;
pub use plan::{MAX_ASSETS, Plan, PlannedAsset};
pub use probes::{HostScope, PathProbes, PortsDone, Probes};
pub use progress::{Count, FindingCounts, Progress};
pub use recorded::RecordedProbes;
pub use run::{EngineDeps, HostFinished, ScanEvent, ScanOutcome, ScanRequest, run};
pub use settings::{ScanOptions, ScanSettings, SettingsError};
