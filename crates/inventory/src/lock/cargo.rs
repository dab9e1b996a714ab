//! `Cargo.lock`, every version (1 to 4).
//!
//! Rules: the Cargo book, "Cargo.toml vs Cargo.lock", and the encoding in Cargo's `resolver/encode.rs`: a package with
//! no `source` is a folder of the project; `registry+` and `sparse+` name a registry, `git+` a repository.
//!
//! Not supported: what is locked but never built for a target (Cargo locks for all platforms), and features.

use bartizan_matching::model::{Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// Names of the public registry: the index in git, and the sparse index.
const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
    /// Version 1 kept the package of the folder itself apart.
    root: Option<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

/// Reads a `Cargo.lock`. Linear in its size.
///
/// # Errors
/// If it is not TOML of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = toml::from_str(utf8(bytes)?).map_err(|error| ReadError::syntax(error.message()))?;
    let mut collector = Collector::default();
    for package in lock.package.into_iter().chain(lock.root) {
        let origin = match package.source.as_deref() {
            None => Origin::Local,
            Some(source) if CRATES_IO.contains(&source) => Origin::Registry,
            Some(source) => match source.split_once('+') {
                Some(("git", _)) => Origin::Vcs,
                Some(("path", _)) => Origin::Local,
                _ => Origin::ThirdParty,
            },
        };
        collector.push(Package::new(Ecosystem::CratesIo, package.name, package.version).taken_from(origin));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "ours"
version = "0.1.0"
dependencies = ["time 0.1.45"]
[[package]]
name = "time"
version = "0.1.45"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "1b797afad3f312d1c66a56d11d0316f916356d11bd158fbc6ca6389ff6bf805a"
[[package]]
name = "forked"
version = "1.0.0"
source = "git+https://git.example/forked?branch=main#0123456789abcdef"
[[package]]
name = "inner"
version = "2.0.0"
source = "sparse+https://crates.example/index/"
"#;

    #[test]
    fn sources_are_told_apart() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let origins: Vec<(&str, &Origin)> = reading.packages.iter().map(|c| (c.name.as_str(), &c.origin)).collect();
        assert_eq!(
            origins,
            [
                ("forked", &Origin::Vcs),
                ("inner", &Origin::ThirdParty),
                ("ours", &Origin::Local),
                ("time", &Origin::Registry),
            ]
        );
    }

    #[test]
    fn version_1_has_a_root_package() {
        let text = "[root]\nname = \"ours\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"libc\"\nversion = \"0.2.1\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[metadata]\n\"checksum libc\" = \"x\"\n";
        let reading = read(text.as_bytes()).unwrap();
        assert_eq!(reading.packages.len(), 2);
    }

    #[test]
    fn what_is_not_a_lock_file_is_an_error() {
        assert!(read(b"[[package]]\nname = 3\n").is_err());
        assert!(read(b"\xff\xfe").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..LOCK.len(), byte in any::<u8>()) {
            let mut bytes = LOCK.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..at]);
        }
    }
}
