//! The rpm database: `rpmdb.sqlite` (rpm 4.16 and later) and `Packages.db` (ndb, SUSE).
//!
//! Both hold one header per package; the readers find the headers, [`header`] reads them. The database files are read as
//! bytes and not through a database engine: a hostile file then is only data, no statement is needed, and a file of
//! a stopped system is read with its write-ahead log.
//!
//! Not supported: the Berkeley DB of rpm before 4.16 (`Packages`), which is reported as such.

use bartizan_matching::model::{Ecosystem, Origin, Package, SourcePackage};

use super::Os;
use crate::component::{Collector, ReadError, Reading};

pub mod header;
pub mod ndb;
pub mod sqlite;

use header::Header;

/// Reads a database of either form. `wal` is the content of `rpmdb.sqlite-wal`, if there is one. Linear in its size.
///
/// # Errors
/// If it is neither form, or damaged.
pub fn read(bytes: &[u8], wal: Option<&[u8]>, os: &Os) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    let mut take = |blob: &[u8]| match Header::read(blob) {
        Ok(header) => take(&header, os, &mut collector),
        Err(error) => collector.gap("a package of the database", format!("its header cannot be read: {error}")),
    };
    if bytes.starts_with(sqlite::MAGIC) {
        sqlite::blobs(bytes, wal, &mut take)?;
    } else if bytes.starts_with(ndb::MAGIC) {
        ndb::blobs(bytes, &mut take)?;
    } else if bytes.len() > 16 && [&b"\x61\x15\x06\x00"[..], b"\x00\x06\x15\x61"].contains(&&bytes[12..16]) {
        return Err(ReadError::Unsupported(
            "it is a Berkeley DB: run `rpmdb --rebuilddb` with rpm 4.16 or later, or give an SBOM".to_owned(),
        ));
    } else {
        return Err(ReadError::Syntax("it is no rpm database".to_owned()));
    }
    collector.finish()
}

fn take(header: &Header<'_>, os: &Os, collector: &mut Collector) {
    // Keys are kept in the database as if they were packages.
    if header.name == "gpg-pubkey" || header.name.is_empty() {
        return;
    }
    let mut package = Package::new(os.ecosystem.clone(), header.name, header.evr());
    package.release = os.release.clone();
    package.arch = header.arch.into();
    package.module = module_stream(header.modularity).into();
    package.source = source(header);
    if is_foreign(header.vendor, &os.ecosystem) {
        package.origin = Origin::ThirdParty;
    }
    collector.push(package);
}

/// `openssl-1.1.1k-6.el8_5.src.rpm`, with the epoch of the binary, which the file name leaves out.
fn source(header: &Header<'_>) -> Option<SourcePackage> {
    let stem = header.source_rpm.strip_suffix(".rpm")?;
    let stem = stem.strip_suffix(".src").or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let version = match header.epoch {
        Some(epoch) if epoch > 0 => format!("{epoch}:{version}-{release}"),
        _ => format!("{version}-{release}"),
    };
    Some(SourcePackage { name: name.into(), version: version.into() })
}

/// `nodejs:18:8080020230718:f5ef1c44` is stream 18 of module nodejs.
fn module_stream(label: &str) -> String {
    label.split(':').take(2).collect::<Vec<_>>().join(":")
}

/// Whether the vendor of a package is known to be another than the distribution. A package without a vendor was built
/// by somebody at home; of a distribution that is not in the list nothing is known.
fn is_foreign(vendor: &str, ecosystem: &Ecosystem) -> bool {
    let own: &[&str] = match ecosystem {
        Ecosystem::RedHat => &["Red Hat"],
        Ecosystem::AlmaLinux => &["AlmaLinux"],
        Ecosystem::RockyLinux => &["Rocky"],
        Ecosystem::CentOs => &["CentOS"],
        Ecosystem::OracleLinux => &["Oracle"],
        Ecosystem::AmazonLinux => &["Amazon"],
        Ecosystem::Fedora => &["Fedora"],
        Ecosystem::Suse | Ecosystem::OpenSuse => &["SUSE", "openSUSE"],
        _ => return false,
    };
    !own.iter().any(|name| vendor.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_modules_and_vendors() {
        let header = Header {
            name: "openssl-libs",
            version: "1.1.1k",
            release: "6.el8_5",
            epoch: Some(1),
            arch: "x86_64",
            source_rpm: "openssl-1.1.1k-6.el8_5.src.rpm",
            vendor: "AlmaLinux",
            modularity: "",
        };
        assert_eq!(header.evr(), "1:1.1.1k-6.el8_5");
        let source = source(&header).unwrap();
        assert_eq!((&*source.name, &*source.version), ("openssl", "1:1.1.1k-6.el8_5"));
        assert_eq!(module_stream("nodejs:18:8080020230718:f5ef1c44"), "nodejs:18");
        assert_eq!(module_stream(""), "");
        assert!(!is_foreign("AlmaLinux", &Ecosystem::AlmaLinux));
        assert!(is_foreign("Fedora Project", &Ecosystem::AlmaLinux), "EPEL");
        assert!(!is_foreign("", &Ecosystem::Mageia));
    }

    #[test]
    fn other_databases_are_named() {
        let mut berkeley = vec![0_u8; 4096];
        berkeley[12..16].copy_from_slice(b"\x61\x15\x06\x00");
        let os = Os::of_id("centos", "7");
        assert!(matches!(read(&berkeley, None, &os), Err(ReadError::Unsupported(_))));
        assert!(matches!(read(b"nothing", None, &os), Err(ReadError::Syntax(_))));
    }
}
