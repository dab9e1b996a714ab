//! Upper bounds on what a host costs in storage.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the shared records serve several test binaries")]

mod common;

use bartizan_evidence::coverage;

/// A /16 of silent addresses under 150 checks must stay below 16 MiB: 256 bytes a host.
const SILENT_HOST: usize = 256;
/// A host with six services under 150 checks.
const BUSY_HOST: usize = 2048;

#[test]
fn coverage_of_a_host_stays_small() {
    let silent = coverage::encode(&common::silent_host(7)).unwrap().len();
    assert!(silent <= SILENT_HOST, "a silent host takes {silent} bytes");
    let busy = coverage::encode(&common::busy_host(7)).unwrap().len();
    assert!(busy <= BUSY_HOST, "a busy host takes {busy} bytes");
    // The bound means something: the plain form of the same records is far above it.
    let plain = serde_json::to_vec(&common::silent_host(7)).unwrap().len();
    assert!(plain > 40 * SILENT_HOST, "{plain}");
}
