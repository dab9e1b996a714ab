//! `uv.lock` and `pylock.toml` (PEP 751).
//!
//! Rules: uv's documentation of its lock file: `[[package]]` with a `source` that is one of `registry`, `git`, `url`,
//! `path`, `directory`, `editable`, `virtual`; the project itself is `editable` or `virtual`. PEP 751: `[[packages]]` with
//! `vcs`, `directory` or `archive` for what is not from an index; a missing version is allowed there.
//!
//! Not supported: markers and extras (what a platform leaves out counts as installed); groups.

use bartizan_matching::model::{Ecosystem, Origin, Package};
use serde::Deserialize;
use toml::Table;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
    #[serde(default)]
    packages: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    source: Table,
    vcs: Option<toml::Value>,
    directory: Option<toml::Value>,
    archive: Option<toml::Value>,
}

/// Reads a lock file of uv or a standard one. Linear in its size.
///
/// # Errors
/// If it is not TOML of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = toml::from_str(utf8(bytes)?).map_err(|error| ReadError::syntax(error.message()))?;
    let mut collector = Collector::default();
    for locked in lock.package.into_iter().chain(lock.packages) {
        let origin = locked.origin();
        if origin == Origin::Local && locked.version.is_empty() {
            continue;
        }
        collector.push(Package::new(Ecosystem::PyPi, locked.name, locked.version).taken_from(origin));
    }
    collector.finish()
}

impl Locked {
    fn origin(&self) -> Origin {
        let has = |key: &str| self.source.contains_key(key);
        if has("editable") || has("virtual") || has("directory") || self.directory.is_some() {
            Origin::Local
        } else if has("git") || self.vcs.is_some() {
            Origin::Vcs
        } else if has("url") || has("path") || self.archive.is_some() {
            Origin::ThirdParty
        } else {
            Origin::Registry
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"
version = 1
revision = 3
requires-python = ">=3.12"
[[package]]
name = "ours"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "idna" }]
[[package]]
name = "dynamic"
source = { virtual = "." }
[[package]]
name = "idna"
version = "3.4"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/idna-3.4.tar.gz", hash = "sha256:0", size = 183077 }
[[package]]
name = "forked"
version = "1.0"
source = { git = "https://git.example/forked?rev=main#abc" }
"#;

    #[test]
    fn packages_and_sources() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.origin)).collect();
        assert_eq!(
            rows,
            [("forked", "1.0", Origin::Vcs), ("idna", "3.4", Origin::Registry), ("ours", "0.1.0", Origin::Local)]
        );
    }

    #[test]
    fn the_standard_lock_file() {
        let text = "lock-version = \"1.0\"\ncreated-by = \"pip\"\n[[packages]]\nname = \"attrs\"\nversion = \"25.1.0\"\n\
                    [[packages.wheels]]\nname = \"attrs.whl\"\nhashes = {sha256 = \"0\"}\n[[packages]]\nname = \"tree\"\n\
                    [packages.vcs]\ntype = \"git\"\ncommit-id = \"abc\"\n";
        let reading = read(text.as_bytes()).unwrap();
        assert_eq!(reading.packages.len(), 1);
        assert_eq!(reading.gaps[0].subject, "tree");
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
