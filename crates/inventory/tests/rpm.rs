//! Databases that Debian's `rpm` wrote (`fixtures/rpm`): four packages, one of which has a text that needs overflow pages;
//! the write-ahead log deletes one package and copies another.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_inventory::ReadError;
use bartizan_inventory::os::{Os, rpm};
use proptest::prelude::*;

fn unpacked(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/rpm/{name}.zst", env!("CARGO_MANIFEST_DIR"));
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

fn rows(database: &[u8], wal: Option<&[u8]>) -> Result<Vec<String>, ReadError> {
    let reading = rpm::read(database, wal, &Os::of_id("almalinux", "9.3"))?;
    Ok(reading
        .packages
        .iter()
        .map(|p| {
            // A damaged header may have lost its source package.
            let source = p.source.as_ref().map_or_else(|| "-".to_owned(), |s| format!("{} {}", s.name, s.version));
            format!("{}:{} {} {} <- {source} {:?}", p.ecosystem, p.release, p.name, p.version, p.origin)
        })
        .collect())
}

#[test]
fn a_database_of_rpm_is_read() {
    assert_eq!(
        rows(&unpacked("rpmdb.sqlite"), None).unwrap(),
        [
            "AlmaLinux:9 bash 5.1.8-4.el9 <- bash 5.1.8-4.el9 Registry",
            "AlmaLinux:9 glibc-common 2.34-60.el9 <- glibc-common 2.34-60.el9 Registry",
            "AlmaLinux:9 kernel-doc 5.14.0-362.el9 <- kernel-doc 5.14.0-362.el9 Registry",
            "AlmaLinux:9 openssl-libs 1:1.1.1k-6.el8_5 <- openssl-libs 1:1.1.1k-6.el8_5 Registry",
        ]
    );
}

#[test]
fn committed_frames_of_the_log_count() {
    let database = unpacked("rpmdb.sqlite");
    let wal = unpacked("walled.sqlite-wal");
    let names = |wal: Option<&[u8]>| -> Vec<String> {
        rows(&database, wal).unwrap().iter().map(|row| row.split(' ').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(names(Some(&wal)), ["bash", "glibc-common", "kernel-doc"], "openssl-libs was deleted in the log");
    // Cut within the last frame, nothing is committed.
    assert_eq!(names(Some(&wal[..wal.len() - 1])).len(), 4);
    assert_eq!(names(Some(b"no log")).len(), 4);
}

#[test]
fn a_cut_database_is_an_error_and_never_a_shorter_list() {
    let database = unpacked("rpmdb.sqlite");
    let whole = rows(&database, None).unwrap().len();
    for keep in (0..database.len()).step_by(4096) {
        if let Ok(found) = rows(&database[..keep], None) {
            assert_eq!(found.len(), whole, "cut after {keep} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_databases_never_panic(damage in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..40)) {
        let mut database = unpacked("rpmdb.sqlite");
        let mut wal = unpacked("walled.sqlite-wal");
        for (at, byte) in damage {
            let length = database.len();
            database[at as usize % length] = byte;
            let length = wal.len();
            wal[at as usize % length] = byte;
        }
        let _ = rows(&database, None);
        let _ = rows(&unpacked("rpmdb.sqlite"), Some(&wal));
    }
}
