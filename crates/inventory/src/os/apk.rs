//! The apk database: `/lib/apk/db/installed` (and `/usr/lib/apk/db/installed` of newer systems).
//!
//! Rules: apk-tools' `database.c`: records separated by empty lines, fields of one letter and a colon: `P` name, `V` version,
//! `A` architecture, `o` origin (the source package). Lower-case file fields (`F`, `R`, `a`, `Z` …) do not matter here.
//!
//! Not supported: the repositories a package came from (apk does not record them), so a package of another repository
//! counts as the distribution's.

use bartizan_matching::model::{Package, SourcePackage};

use super::Os;
use crate::component::{Collector, ReadError, Reading};

/// Reads an installed database. Linear in its size.
///
/// # Errors
/// If a line has another form.
pub fn read(bytes: &[u8], os: &Os) -> Result<Reading, ReadError> {
    let text = String::from_utf8_lossy(bytes);
    let mut collector = Collector::default();
    let mut record = Record::default();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            std::mem::take(&mut record).close(os, &mut collector);
            continue;
        }
        let Some((field, value)) = line.split_once(':').filter(|(field, _)| field.len() == 1) else {
            return Err(ReadError::Syntax(format!("line {}: expected a field of one letter", number + 1)));
        };
        match field {
            "P" => record.name = value,
            "V" => record.version = value,
            "A" => record.arch = value,
            "o" => record.origin = value,
            _ => {}
        }
    }
    record.close(os, &mut collector);
    collector.finish()
}

#[derive(Default)]
struct Record<'t> {
    name: &'t str,
    version: &'t str,
    arch: &'t str,
    origin: &'t str,
}

impl Record<'_> {
    fn close(self, os: &Os, collector: &mut Collector) {
        // A virtual package (`.build-deps`) has no content and a date as version.
        if self.name.is_empty() || self.name.starts_with('.') {
            return;
        }
        let mut package = Package::new(os.ecosystem.clone(), self.name, self.version);
        package.release = os.release.clone();
        package.arch = self.arch.into();
        let source = if self.origin.is_empty() { self.name } else { self.origin };
        package.source = Some(SourcePackage { name: source.into(), version: self.version.into() });
        collector.push(package);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INSTALLED: &str = "C:Q1abc=\nP:musl\nV:1.2.4-r1\nA:x86_64\nS:1\nT:the musl c library\no:musl\nF:lib\nR:ld-musl.so.1\na:0:0:755\nZ:Q1x=\n\n\
        C:Q1def=\nP:libcrypto3\nV:3.1.2-r0\nA:x86_64\no:openssl\n\nP:.build-deps\nV:20230101.000000\nA:noarch\n\n";

    #[test]
    fn packages_and_origins() {
        let reading = read(INSTALLED.as_bytes(), &Os::of_id("alpine", "3.18.4")).unwrap();
        let rows: Vec<String> = reading
            .packages
            .iter()
            .map(|p| format!("{} {} {} {}", p.name, p.version, p.source.as_ref().unwrap().name, p.release))
            .collect();
        assert_eq!(rows, ["libcrypto3 3.1.2-r0 openssl 3.18", "musl 1.2.4-r1 musl 3.18"]);
        assert!(read(b"Package: x\n", &Os::of_id("alpine", "3.18")).is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..INSTALLED.len(), byte in any::<u8>()) {
            let mut bytes = INSTALLED.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes, &Os::of_id("alpine", "3.18"));
        }
    }
}
