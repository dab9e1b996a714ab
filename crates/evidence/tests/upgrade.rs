//! Every sample of every version is read by today's program.
//!
//! Samples are evidence files under `fixtures/v<evidence version>/`. They are written once, by
//! `cargo test -p bartizan-evidence --test upgrade -- --ignored`, for the current version only, and stay for ever.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(dead_code, reason = "the shared records serve several test binaries")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use bartizan_domain::ScanStatus;
use bartizan_domain::evidence::EVIDENCE_VERSION;
use bartizan_evidence::file::{Ending, Header, Reader, Writer};
use bartizan_evidence::{decode, encode};
use serde_json::json;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn every_sample_of_every_version_is_read() {
    for version in 1..=EVIDENCE_VERSION {
        let folder = fixtures().join(format!("v{version}"));
        let samples: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!samples.is_empty(), "no sample of version {version}");
        for sample in samples {
            let bytes = fs::read(&sample).unwrap();
            let mut reader = Reader::new(bytes.as_slice()).unwrap();
            let mut records = 0;
            while let Some(record) = reader.next_record().unwrap() {
                assert_eq!(record.evidence.asset, record.coverage.asset, "{}", sample.display());
                assert_eq!(decode(&encode(&record.evidence).unwrap().bytes).unwrap(), record.evidence);
                assert!(!record.coverage.entries.is_empty());
                records += 1;
            }
            let Some(Ending::Complete(trailer)) = reader.ending() else { panic!("{} is cut", sample.display()) };
            assert_eq!(trailer.records, records);
            assert!(records > 0);
        }
    }
}

#[test]
#[ignore = "writes the sample of the current version; run by hand when the version rises"]
fn write_the_sample_of_the_current_version() {
    let folder = fixtures().join(format!("v{EVIDENCE_VERSION}"));
    fs::create_dir_all(&folder).unwrap();
    let header = Header::new(common::summary(ScanStatus::Running), json!({}));
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    writer.append(&encode(&common::evidence(1)).unwrap(), &common::busy_host(1)).unwrap();
    writer.append(&encode(&common::evidence(2)).unwrap(), &common::silent_host(2)).unwrap();
    let bytes = writer.finish(common::summary(ScanStatus::Completed)).unwrap();
    fs::write(folder.join("ports.evidence"), bytes).unwrap();
}
