//! `pnpm-lock.yaml` and its ancestor `shrinkwrap.yaml`: lock file versions 3 to 9.
//!
//! Rules: pnpm's `lockfile-types` and `dependency-path`. The keys of `packages` are dependency paths, and their form
//! changed: `/name/1.0.0_peer@2` until 5.x, `/name@1.0.0(peer@2)` in 6, `name@1.0.0` in 9 (peers moved to `snapshots`); a
//! path may begin with the host of a registry. Entries from elsewhere carry `name` and `version` themselves.
//!
//! Not supported: workspaces' own packages (`importers` have no versions), and in version 9 whether a package is for
//! development only (the file does not say).

use std::collections::BTreeMap;

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};
use crate::yaml;

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "lockfileVersion", alias = "shrinkwrapVersion")]
    version: Option<yaml::Scalar>,
    #[serde(default)]
    packages: Option<BTreeMap<String, Locked>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Locked {
    name: Option<String>,
    version: Option<yaml::Scalar>,
    resolution: Resolution,
    dev: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resolution {
    tarball: Option<String>,
    repo: Option<String>,
    directory: Option<String>,
}

/// Reads a lock file of pnpm. Linear in its size.
///
/// # Errors
/// If it is not YAML of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = yaml::read(documents(utf8(bytes)?))?;
    if lock.version.is_none() {
        return Err(ReadError::Syntax("it has no lockfileVersion".to_owned()));
    }
    let mut collector = Collector::default();
    for (path, locked) in lock.packages.unwrap_or_default() {
        let scope = if locked.dev { DependencyScope::Development } else { DependencyScope::Runtime };
        let origin = locked.resolution.origin(&path);
        let (name, version) = match (locked.name, locked.version) {
            (Some(name), Some(version)) => (name, version.into_text()),
            (name, version) => match split(&path) {
                Some((from_path, version_in_path)) => (
                    name.unwrap_or_else(|| from_path.to_owned()),
                    version.map_or_else(|| version_in_path.to_owned(), yaml::Scalar::into_text),
                ),
                None if origin == Origin::Local => continue,
                None => {
                    collector.gap(path, "its dependency path names no version");
                    continue;
                }
            },
        };
        collector.push(Package::new(Ecosystem::Npm, name, version).taken_from(origin).needed_for(scope));
    }
    collector.finish()
}

/// pnpm 11 may write a document for its own settings before the lock file; the lock file is the last document.
fn documents(text: &str) -> &str {
    text.rsplit_once("\n---\n").map_or(text, |(_, last)| last)
}

impl Resolution {
    fn origin(&self, path: &str) -> Origin {
        if self.directory.is_some() || path.starts_with("file:") || path.starts_with("link:") {
            Origin::Local
        } else if self.repo.is_some() {
            Origin::Vcs
        } else {
            match &self.tarball {
                Some(tarball) => super::npm::origin(tarball),
                None => Origin::Registry,
            }
        }
    }
}

/// Name and version of a dependency path of any version.
fn split(path: &str) -> Option<(&str, &str)> {
    // Peers: `(a@1)(b@2)` since 6.
    let bare = path.split('(').next().unwrap_or(path);
    let bare = match bare.strip_prefix('/') {
        Some(rest) => rest,
        // `registry.example/name/1.0.0`: a host has a dot before the first slash, a name has not.
        None => match bare.split_once('/') {
            Some((host, rest)) if host.contains('.') && !host.contains('@') && !host.starts_with('@') => rest,
            _ => bare,
        },
    };
    let scope_end = if bare.starts_with('@') { bare.find('/')? + 1 } else { 0 };
    let (name_end, version) = match bare[scope_end..].find(['@', '/']) {
        Some(at) => (scope_end + at, &bare[scope_end + at + 1..]),
        None => return None,
    };
    // Peers until 5: `1.0.0_peer@2` and, before that, `1.0.0/peer@2`.
    let version = version.split(['_', '/']).next().unwrap_or(version);
    (name_end > 0 && version.starts_with(|c: char| c.is_ascii_digit())).then(|| (&bare[..name_end], version))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V5: &str = "lockfileVersion: 5.4\n\nspecifiers:\n  a: ^1.0.0\n\npackages:\n\n  /a/1.10.0:\n    resolution: {integrity: sha512-x}\n    dev: true\n\n  /@s/b/2.0.0_c@3.0.0:\n    resolution: {integrity: sha512-y}\n    dev: false\n\n  github.com/x/forked/abcdef:\n    resolution: {tarball: https://codeload.github.com/x/forked/tar.gz/abcdef}\n    name: forked\n    version: 0.1.0\n    dev: false\n";
    const V6: &str = "lockfileVersion: '6.0'\n\nsettings:\n  autoInstallPeers: true\n\npackages:\n\n  /a@1.10.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n\n  /@s/b@2.0.0(c@3.0.0)(@d/e@1.0.0):\n    resolution: {integrity: sha512-y}\n    dev: false\n";
    const V9: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.10.0\n\npackages:\n\n  a@1.10.0:\n    resolution: {integrity: sha512-x}\n    engines: {node: '>=18'}\n\n  '@s/b@2.0.0':\n    resolution: {integrity: sha512-y}\n\n  local@file:packages/local:\n    resolution: {directory: packages/local, type: directory}\n\nsnapshots:\n\n  a@1.10.0: {}\n\n  '@s/b@2.0.0(c@3.0.0)': {}\n";

    fn listed(text: &str) -> Vec<String> {
        let reading = read(text.as_bytes()).unwrap();
        reading
            .packages
            .iter()
            .filter(|p| p.origin == Origin::Registry)
            .map(|p| format!("{}@{}", p.name, p.version))
            .collect()
    }

    #[test]
    fn every_version_of_the_format() {
        for text in [V5, V6, V9] {
            assert_eq!(listed(text), ["@s/b@2.0.0", "a@1.10.0"], "{text}");
        }
        let reading = read(V5.as_bytes()).unwrap();
        let forked = reading.packages.iter().find(|p| &*p.name == "forked").unwrap();
        assert_eq!((&*forked.version, forked.origin), ("0.1.0", Origin::Vcs));
        assert_eq!(reading.packages.iter().find(|p| &*p.name == "a").unwrap().scope, DependencyScope::Development);
    }

    #[test]
    fn dependency_paths() {
        for (path, expected) in [
            ("/a/1.0.0", Some(("a", "1.0.0"))),
            ("/@s/a/1.0.0_x@1", Some(("@s/a", "1.0.0"))),
            ("/a/1.0.0/peer@2.0.0", Some(("a", "1.0.0"))),
            ("registry.npmjs.org/a/1.0.0", Some(("a", "1.0.0"))),
            ("registry.example/@s/a/1.0.0", Some(("@s/a", "1.0.0"))),
            ("a@1.0.0-rc.1", Some(("a", "1.0.0-rc.1"))),
            ("lodash.merge@4.6.2", Some(("lodash.merge", "4.6.2"))),
            ("/a@1.0.0(b@1(c@2))", Some(("a", "1.0.0"))),
            ("a@file:x", None),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn other_yaml_is_refused() {
        assert!(read(b"a: 1\n").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..V9.len(), byte in any::<u8>()) {
            let mut bytes = V9.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..at]);
        }

        #[test]
        fn no_path_panics(path in "[@/a-z0-9._()é]{0,30}") {
            let _ = split(&path);
        }
    }
}
