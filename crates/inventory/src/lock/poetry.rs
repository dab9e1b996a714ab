//! `poetry.lock` (all versions) and `pdm.lock`: `[[package]]` tables with `name` and `version`.
//!
//! Rules: Poetry's documentation of the lock file and its `packages/locker.py`; `source.type` is `legacy` (another
//! index), `git`, `url`, `file` or `directory`. `category` (until 1.4) and `groups` (since 2.0) tell development packages;
//! pdm has `groups` too, and `git`, `url` and `path` keys beside them.
//!
//! Not supported: markers (what a platform leaves out counts as installed).

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    #[serde(default)]
    version: String,
    category: Option<String>,
    groups: Option<Vec<String>>,
    source: Option<Source>,
    git: Option<toml::Value>,
    url: Option<toml::Value>,
    path: Option<toml::Value>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Reads a lock file of Poetry or PDM. Linear in its size.
///
/// # Errors
/// If it is not TOML of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = toml::from_str(utf8(bytes)?).map_err(|error| ReadError::syntax(error.message()))?;
    let mut collector = Collector::default();
    for locked in lock.package {
        let origin = match locked.source.as_ref().map(|source| source.kind.as_str()) {
            Some("git") => Origin::Vcs,
            Some("directory") => Origin::Local,
            Some("url" | "file") => Origin::ThirdParty,
            _ if locked.git.is_some() => Origin::Vcs,
            _ if locked.path.is_some() => Origin::Local,
            _ if locked.url.is_some() => Origin::ThirdParty,
            // `legacy` is an index of one's own, as a rule a mirror.
            _ => Origin::Registry,
        };
        let for_development = locked.category.as_deref() == Some("dev")
            || locked
                .groups
                .is_some_and(|groups| !groups.is_empty() && groups.iter().all(|group| is_development(group)));
        let scope = if for_development { DependencyScope::Development } else { DependencyScope::Runtime };
        collector.push(Package::new(Ecosystem::PyPi, locked.name, locked.version).taken_from(origin).needed_for(scope));
    }
    collector.finish()
}

fn is_development(group: &str) -> bool {
    matches!(group, "dev" | "develop" | "development" | "test" | "tests" | "lint" | "docs" | "doc" | "typing")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "Django"
version = "4.2.1"
category = "main"
optional = false
python-versions = ">=3.8"
files = [{file = "django.whl", hash = "sha256:0"}]
[package.dependencies]
asgiref = ">=3.6.0,<4"
[[package]]
name = "pytest"
version = "7.0.0"
groups = ["dev"]
[[package]]
name = "forked"
version = "1.0"
[package.source]
type = "git"
url = "https://git.example/forked.git"
reference = "main"
resolved_reference = "abc"
[metadata]
lock-version = "2.1"
"#;

    #[test]
    fn packages_groups_and_sources() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.scope, p.origin)).collect();
        assert_eq!(
            rows,
            [
                ("Django", "4.2.1", DependencyScope::Runtime, Origin::Registry),
                ("forked", "1.0", DependencyScope::Runtime, Origin::Vcs),
                ("pytest", "7.0.0", DependencyScope::Development, Origin::Registry),
            ]
        );
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
