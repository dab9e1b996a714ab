//! Decompression, archives and recognition: see `entries.rs`.
#![no_main]

#[allow(dead_code, reason = "shared by all targets")]
#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::input(data));
