//! Size and speed of what a scan of a /16 under 150 checks leaves behind.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![allow(dead_code, reason = "the shared records serve several binaries")]
#![allow(clippy::print_stdout, reason = "the sizes are the result")]

#[path = "../tests/common/mod.rs"]
mod common;

use bartizan_evidence::{coverage, decode, encode};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    let silent = coverage::encode(&common::silent_host(7)).unwrap().len();
    let busy = coverage::encode(&common::busy_host(7)).unwrap().len();
    let blob = encode(&common::evidence(7)).unwrap();
    println!("coverage, silent host: {silent} bytes; a /16 of them: {:.1} MiB", mebibytes(silent * 65_536));
    println!("coverage, busy host:   {busy} bytes; a /16 of them: {:.1} MiB", mebibytes(busy * 65_536));
    println!("evidence, two ports:   {} bytes of {}", blob.bytes.len(), blob.document_size);
    divan::main();
}

#[expect(clippy::cast_precision_loss, reason = "a display value")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[divan::bench]
fn encode_coverage(bencher: Bencher<'_, '_>) {
    let record = common::silent_host(7);
    bencher.bench(|| coverage::encode(&record).unwrap());
}

#[divan::bench]
fn decode_coverage(bencher: Bencher<'_, '_>) {
    let bytes = coverage::encode(&common::silent_host(7)).unwrap();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| coverage::decode(&bytes).unwrap());
}

#[divan::bench]
fn encode_evidence(bencher: Bencher<'_, '_>) {
    let evidence = common::evidence(7);
    bencher.bench(|| encode(&evidence).unwrap());
}

#[divan::bench]
fn decode_evidence(bencher: Bencher<'_, '_>) {
    let blob = encode(&common::evidence(7)).unwrap();
    bencher.counter(BytesCount::new(blob.document_size)).bench(|| decode(&blob.bytes).unwrap());
}
