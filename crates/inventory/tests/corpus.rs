//! The readers on real files: every inventory of the corpus (`BARTIZAN_CORPUS`) is read, and the number of packages agrees
//! with what a search of the text for the format's own marks finds.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; a skip is said")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bartizan_inventory::{Collector, Format, Inventory, Limits};
use bartizan_matching::model::Origin;

/// The unpacked inventories, or `None` (said on standard error) without a corpus.
fn corpus() -> Option<tempfile::TempDir> {
    let Some(root) = std::env::var_os("BARTIZAN_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: BARTIZAN_CORPUS is not set");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    for archive in ["lockfiles-and-dpkg", "lockfiles-older-revisions"] {
        let file = std::fs::File::open(root.join(format!("inventory/{archive}.tar.zst"))).unwrap();
        let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
        archive.unpack(folder.path()).unwrap();
    }
    Some(folder)
}

fn collected(folder: &Path) -> Inventory {
    let mut collector = Collector::new(Limits::default(), None);
    collector.add(folder).unwrap();
    collector.finish()
}

#[test]
fn every_file_of_the_corpus_is_read() {
    let Some(folder) = corpus() else { return };
    let inventory = collected(folder.path());
    for source in &inventory.sources {
        let reading = source.reading.as_ref().unwrap_or_else(|error| panic!("{}: {error}", source.path));
        // A parent of other projects may have no dependency of its own.
        let may_be_empty = source.format == Format::Pom;
        let is_empty = reading.packages.is_empty() && reading.gaps.is_empty();
        assert!(may_be_empty || !is_empty, "{} yields nothing", source.path);
    }
    assert_eq!(inventory.skipped, []);
    let counts: BTreeMap<&str, usize> =
        inventory.formats().into_iter().map(|(format, count)| (format.as_str(), count)).collect();
    eprintln!("{counts:?}, {} packages", inventory.packages().len());
    // 106 files, of which five `go.sum` lie beside a `go.mod` that is complete without them.
    assert_eq!(inventory.sources.len(), 101, "{counts:?}");
}

#[test]
fn counts_agree_with_the_marks_of_the_formats() {
    let Some(folder) = corpus() else { return };
    let inventory = collected(folder.path());
    let mut checked = 0;
    for source in &inventory.sources {
        let text = std::fs::read_to_string(&source.path).unwrap();
        let lines = |begin: &str| text.lines().filter(|line| line.starts_with(begin)).count();
        let reading = source.reading.as_ref().unwrap();
        let from_registry = reading.packages.iter().filter(|package| package.origin == Origin::Registry).count();
        let expected = match source.format {
            Format::CargoLock => {
                let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
                assert_eq!(from_registry, lines(registry), "{}", source.path);
                // Old lock files end with checksums that repeat names.
                continue;
            }
            Format::PoetryLock => lines("[[package]]"),
            // The project itself may have no version.
            Format::UvLock => lines("version = \""),
            // Several ranges may resolve to one release, which yarn may list twice.
            Format::YarnLock => {
                assert!(reading.packages.len() <= lines("  version "), "{}", source.path);
                assert!(reading.packages.len() * 10 >= lines("  version ") * 9, "{}", source.path);
                checked += 1;
                continue;
            }
            Format::DpkgStatus => lines("Status: install ok installed"),
            _ => continue,
        };
        assert_eq!(reading.packages.len() + reading.gaps.len(), expected, "{}", source.path);
        checked += 1;
    }
    assert!(checked >= 14, "{checked}");
}

#[test]
fn damaged_files_of_the_corpus_never_panic() {
    let Some(folder) = corpus() else { return };
    let inventory = collected(folder.path());
    // One small file of each format, cut and overwritten at a hundred places each.
    let mut smallest: BTreeMap<Format, (u64, PathBuf)> = BTreeMap::new();
    for source in &inventory.sources {
        let size = std::fs::metadata(&source.path).unwrap().len();
        let entry = smallest.entry(source.format).or_insert((size, source.path.clone().into()));
        if size < entry.0 {
            *entry = (size, source.path.clone().into());
        }
    }
    let work = tempfile::tempdir().unwrap();
    for (_, path) in smallest.values() {
        let bytes = std::fs::read(path).unwrap();
        for step in 0..100 {
            let mut damaged = bytes.clone();
            let at = bytes.len() * step / 100;
            if step % 2 == 0 {
                damaged.truncate(at);
            } else {
                damaged[at] = damaged[at].wrapping_add(u8::try_from(step).unwrap());
            }
            let name = path.file_name().unwrap();
            let file = work.path().join("dpkg").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, damaged).unwrap();
            let _ = Collector::new(Limits::default(), None).add(&file);
        }
    }
}
