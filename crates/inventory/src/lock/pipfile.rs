//! `Pipfile.lock`: `default` and `develop` map names to `{"version": "==1.2.3"}`.
//!
//! Rules: Pipenv's documentation and the pipfile specification; an entry with `git`, `path` or `file` is not from an index.
//!
//! Not supported: markers (what a platform leaves out counts as installed).

use std::collections::BTreeMap;

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "_meta")]
    meta: serde_json::Value,
    /// The meta data and the groups: pipenv 2022 and later allow more than `default` and `develop`.
    #[serde(flatten)]
    groups: BTreeMap<String, BTreeMap<String, Locked>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Locked {
    version: String,
    git: Option<String>,
    path: Option<String>,
    file: Option<String>,
}

/// Reads a `Pipfile.lock`. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    if !lock.meta.is_object() {
        return Err(ReadError::Syntax("its _meta is not an object".to_owned()));
    }
    let mut collector = Collector::default();
    for (group, packages) in lock.groups {
        let scope = if group == "default" { DependencyScope::Runtime } else { DependencyScope::Development };
        for (name, locked) in packages {
            let origin = if locked.git.is_some() {
                Origin::Vcs
            } else if locked.path.is_some() {
                Origin::Local
            } else if locked.file.is_some() {
                Origin::ThirdParty
            } else {
                Origin::Registry
            };
            if origin == Origin::Local && locked.version.is_empty() {
                continue;
            }
            match locked.version.strip_prefix("===").or_else(|| locked.version.strip_prefix("==")) {
                Some(version) => collector
                    .push(Package::new(Ecosystem::PyPi, name, version.trim()).taken_from(origin).needed_for(scope)),
                None => collector.gap(name, "no version is stated"),
            }
        }
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"{"_meta":{"hash":{"sha256":"0"},"pipfile-spec":6,"requires":{},"sources":[]},
        "default":{"django":{"hashes":["sha256:0"],"index":"pypi","version":"==2.0.1"},
            "forked":{"git":"https://git.example/forked.git","ref":"abc"}},
        "develop":{"pytest":{"version":"==5.0.0","markers":"python_version >= '3.5'"}}}"#;

    #[test]
    fn groups_and_sources() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.scope)).collect();
        assert_eq!(
            rows,
            [("django", "2.0.1", DependencyScope::Runtime), ("pytest", "5.0.0", DependencyScope::Development)]
        );
        assert_eq!(reading.gaps[0].subject, "forked");
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
