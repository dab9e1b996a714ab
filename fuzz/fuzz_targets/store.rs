//! A segment of any bytes is read or refused.
#![no_main]

use bartizan_feeds::store::segment::Segment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("segment");
    std::fs::write(&path, data).expect("a temporary file");
    if let Ok(segment) = Segment::open(&path) {
        let _ = segment.each_record(|_| Ok(()));
    }
});
