//! The evidence file: whole, cut and damaged.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the shared records serve several test binaries")]

mod common;

use bartizan_domain::ScanStatus;
use bartizan_evidence::file::{Ending, Header, Reader, Record, Writer};
use bartizan_evidence::{CodecError, encode};
use serde_json::json;

fn sample() -> Vec<u8> {
    let header = Header::new(common::summary(ScanStatus::Running), json!({ "checks": ["tls.v10"] }));
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for last in 1..=3 {
        writer.append(&encode(&common::evidence(last)).unwrap(), &common::silent_host(last)).unwrap();
    }
    writer.finish(common::summary(ScanStatus::Completed)).unwrap()
}

fn read(bytes: &[u8]) -> (Vec<Record>, Ending) {
    let mut reader = Reader::new(bytes).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(record);
    }
    (records, reader.ending().unwrap().clone())
}

#[test]
fn a_whole_file_gives_everything_back() {
    let bytes = sample();
    let reader = Reader::new(bytes.as_slice()).unwrap();
    assert_eq!(reader.header().settings["checks"][0], "tls.v10");
    let (records, ending) = read(&bytes);
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].evidence, common::evidence(2));
    assert_eq!(records[1].coverage, common::silent_host(2));
    assert!(
        matches!(ending, Ending::Complete(trailer) if trailer.records == 3 && trailer.scan.status == ScanStatus::Completed)
    );
}

#[test]
fn a_file_cut_at_any_byte_keeps_every_record_before_the_cut() {
    let bytes = sample();
    let header_end = {
        let mut writer = Vec::new();
        let header = Header::new(common::summary(ScanStatus::Running), json!({ "checks": ["tls.v10"] }));
        Writer::new(&mut writer, &header).unwrap();
        writer.len()
    };
    let mut best = 0;
    for cut in header_end..bytes.len() {
        let (records, ending) = read(&bytes[..cut]);
        assert!(records.len() >= best, "fewer records at {cut} than before");
        best = best.max(records.len());
        let Ending::Truncated { good_bytes, .. } = ending else { panic!("cut at {cut} went unnoticed") };
        assert!(good_bytes <= cut as u64);
        assert_eq!(read(&bytes[..usize::try_from(good_bytes).unwrap()]).0.len(), records.len());
    }
    assert_eq!(best, 3);
    for cut in 0..header_end {
        assert!(Reader::new(&bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_flipped_bit_is_noticed_and_what_stands_before_it_is_kept() {
    let clean = sample();
    for at in (clean.len() - 200)..clean.len() {
        let mut bytes = clean.clone();
        bytes[at] ^= 4;
        let (records, ending) = read(&bytes);
        assert!(records.len() >= 2, "{at}");
        assert!(matches!(ending, Ending::Truncated { .. }), "{at}");
    }
}

#[test]
fn a_later_version_and_another_file_are_refused() {
    let mut header = Header::new(common::summary(ScanStatus::Running), json!({}));
    header.schema = "bartizan.evidence/2".to_owned();
    let bytes = Writer::new(Vec::new(), &header).unwrap().finish(common::summary(ScanStatus::Completed)).unwrap();
    assert!(matches!(Reader::new(bytes.as_slice()), Err(CodecError::Newer { found: 2, .. })));
    assert!(Reader::new(br#"{"schema":"bartizan.scan/1"}"#.as_slice()).is_err());
}
