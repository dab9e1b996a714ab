//! `go.sum`: checksums of modules, read where `go.mod` does not list every module (Go before 1.17), or is missing.
//!
//! Rules: the Go Modules Reference. A line is `module version hash`; `version/go.mod` is the checksum of the module's
//! `go.mod` alone, which is fetched to select versions and proves no use. Minimal version selection takes the highest
//! version required, so of several versions with content only the highest can be in the build.
//!
//! Not supported: telling whether a version with content is still in the build (`go mod tidy` keeps the file small).

use std::collections::BTreeMap;

use bartizan_matching::Dialect;
use bartizan_matching::model::{Ecosystem, Package};

use crate::component::{Collector, MAX_PACKAGES, ReadError, Reading, utf8};

/// Reads a `go.sum`, leaving out the modules of `named`. Linear in its size.
///
/// # Errors
/// If it is not text, or a line has not three words.
pub fn read(bytes: &[u8], named: &[String]) -> Result<Reading, ReadError> {
    let mut highest: BTreeMap<&str, &str> = BTreeMap::new();
    for (number, line) in utf8(bytes)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let (Some(module), Some(version), Some(_hash)) = (words.next(), words.next(), words.next()) else {
            return Err(ReadError::Syntax(format!("line {}: expected module, version and checksum", number + 1)));
        };
        if version.ends_with("/go.mod") || named.iter().any(|known| known == module) {
            continue;
        }
        if highest.len() >= MAX_PACKAGES {
            return Err(ReadError::TooMany);
        }
        let kept = highest.entry(module).or_insert(version);
        if Dialect::Go.compare(version, kept).is_ok_and(std::cmp::Ordering::is_gt) {
            *kept = version;
        }
    }
    let mut collector = Collector::default();
    for (module, version) in highest {
        collector.push(Package::new(Ecosystem::Go, module, version));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "github.com/a/b v1.2.3 h1:x=\ngithub.com/a/b v1.2.3/go.mod h1:y=\ngithub.com/a/b v1.10.0 h1:x=\n\
        github.com/c/d v1.0.0/go.mod h1:z=\ngithub.com/e/f v1.0.0 h1:w=\n";

    #[test]
    fn the_highest_version_with_content_counts() {
        let rows = |named: &[String]| -> Vec<String> {
            let reading = read(FILE.as_bytes(), named).unwrap();
            reading.packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect()
        };
        assert_eq!(rows(&[]), ["github.com/a/b v1.10.0", "github.com/e/f v1.0.0"]);
        assert_eq!(rows(&["github.com/a/b".to_owned()]), ["github.com/e/f v1.0.0"]);
        assert!(read(b"only two\n", &[]).is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..FILE.len(), byte in any::<u8>()) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes, &[]);
        }
    }
}
