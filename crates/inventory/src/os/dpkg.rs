//! The dpkg database: `/var/lib/dpkg/status`, and `status.d/*` of images built without dpkg.
//!
//! Rules: deb822(5) and dpkg's database format: stanzas separated by empty lines, fields continued by lines that begin
//! with white space. A package counts if its `Status` says that its files are there (third word not `not-installed` or
//! `config-files`), or if it has none, as in `status.d`. `Source` is `name` or `name (version)`; without it the source has the
//! binary's name and version.
//!
//! Which archive a package came from is not in the database; versions that only third parties use (Sury, PPAs,
//! NodeSource, PGDG …) are recognised by their text.
//!
//! Not supported: `available`, the history in `dpkg.log`, held-back or diverted files.

use bartizan_matching::model::{Origin, Package, SourcePackage};

use super::Os;
use crate::component::{Collector, ReadError, Reading};

/// Reads a status file. Linear in its size.
///
/// # Errors
/// If a line is neither a field, nor a continuation, nor empty.
pub fn read(bytes: &[u8], os: &Os) -> Result<Reading, ReadError> {
    // Descriptions may be in any encoding; names and versions are ASCII.
    let text = String::from_utf8_lossy(bytes);
    let mut collector = Collector::default();
    let mut stanza = Stanza::default();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            std::mem::take(&mut stanza).close(os, &mut collector);
        } else if !line.starts_with([' ', '\t']) {
            let Some((field, value)) = line.split_once(':') else {
                return Err(ReadError::Syntax(format!("line {}: expected a field", number + 1)));
            };
            stanza.take(field, value.trim());
        }
    }
    stanza.close(os, &mut collector);
    collector.finish()
}

#[derive(Default)]
struct Stanza<'t> {
    package: &'t str,
    version: &'t str,
    arch: &'t str,
    source: &'t str,
    status: Option<&'t str>,
    maintainer: &'t str,
}

impl<'t> Stanza<'t> {
    fn take(&mut self, field: &str, value: &'t str) {
        // Field names are compared without regard to case (deb822).
        for (name, place) in [
            ("package", &mut self.package),
            ("version", &mut self.version),
            ("architecture", &mut self.arch),
            ("source", &mut self.source),
            ("maintainer", &mut self.maintainer),
        ] {
            if field.eq_ignore_ascii_case(name) {
                *place = value;
            }
        }
        if field.eq_ignore_ascii_case("status") {
            self.status = Some(value);
        }
    }

    fn close(self, os: &Os, collector: &mut Collector) {
        let state = self.status.map(|status| status.split_whitespace().nth(2).unwrap_or("installed"));
        if self.package.is_empty() || matches!(state, Some("not-installed" | "config-files")) {
            return;
        }
        let (source, source_version) = match self.source.split_once('(') {
            Some((name, version)) => (name.trim(), version.trim_end_matches(')').trim()),
            None if self.source.is_empty() => (self.package, self.version),
            None => (self.source, self.version),
        };
        let mut package = Package::new(os.ecosystem.clone(), self.package, self.version);
        package.release = os.release.clone();
        package.arch = self.arch.into();
        package.source = Some(SourcePackage { name: source.into(), version: source_version.into() });
        package.origin =
            if self.maintainer.starts_with("Launchpad PPA") { Origin::ThirdParty } else { package.true_origin() };
        collector.push(package);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUS: &str = "Package: openssl\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u2\nDescription: TLS\n long text: with colon\n .\n more\n\n\
        Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc\nVersion: 2.36-9+deb12u4\n\n\
        Package: libgcc-s1\nStatus: hold ok installed\nArchitecture: amd64\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14+b1\n\n\
        Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n\
        Package: php8.2\nStatus: install ok installed\nArchitecture: amd64\nVersion: 8.2.10-1+0~20230831.23+debian12~1.gbp6a0d5d+sury\n";

    fn debian() -> Os {
        Os::of_id("debian", "12")
    }

    #[test]
    fn installed_packages_and_their_sources() {
        let reading = read(STATUS.as_bytes(), &debian()).unwrap();
        let rows: Vec<String> = reading
            .packages
            .iter()
            .map(|p| {
                let source = p.source.as_ref().unwrap();
                format!("{} {} {} {} {:?}", p.name, p.version, source.name, source.version, p.origin)
            })
            .collect();
        assert_eq!(
            rows,
            [
                "libc6 2.36-9+deb12u4 glibc 2.36-9+deb12u4 Registry",
                "libgcc-s1 12.2.0-14+b1 gcc-12 12.2.0-14 Registry",
                "openssl 3.0.11-1~deb12u2 openssl 3.0.11-1~deb12u2 Registry",
                "php8.2 8.2.10-1+0~20230831.23+debian12~1.gbp6a0d5d+sury php8.2 8.2.10-1+0~20230831.23+debian12~1.gbp6a0d5d+sury ThirdParty",
            ]
        );
        assert!(reading.packages.iter().all(|p| &*p.release == "12"));
    }

    #[test]
    fn stanzas_without_status_are_installed() {
        let reading = read(b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n", &debian()).unwrap();
        assert_eq!(reading.packages.len(), 1);
        assert!(read(b"no field here\n", &debian()).is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..STATUS.len(), byte in any::<u8>()) {
            let mut bytes = STATUS.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes, &debian());
        }
    }
}
