//! `package-lock.json` and `npm-shrinkwrap.json`, lock file versions 1, 2 and 3, and `node_modules/.package-lock.json`.
//!
//! Rules: npm's documentation of package-lock.json. Versions 2 and 3 list places (`packages`, keys are folders); version 1
//! nests `dependencies`. A place may hold another package than its folder says (an alias): `name` then tells which.
//! `link` is a folder of the project, an entry without `resolved` and without `node_modules/` in its key as well.
//!
//! Not supported: the ranges in `requires` (only what was resolved counts).

use std::collections::BTreeMap;

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// Levels of nested `dependencies` in version 1; serde_json stops at 128 levels of JSON, two for each of these.
const MAX_DEPTH: usize = 60;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, Place>,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    #[serde(rename = "lockfileVersion")]
    lockfile_version: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    name: Option<String>,
    version: Option<String>,
    resolved: Option<Text>,
    link: bool,
    dev: bool,
    #[serde(rename = "devOptional")]
    dev_optional: bool,
    extraneous: bool,
}

/// npm writes `resolved: true` for some bundled packages, and `bundled: true` for others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl Text {
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(default)]
    version: String,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
}

/// Reads a lock file of npm. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape, or names no packages at all although it is no lock file.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    if lock.lockfile_version.is_none() && lock.packages.is_empty() && lock.dependencies.is_empty() {
        return Err(ReadError::Syntax("it has no lockfileVersion, packages or dependencies".to_owned()));
    }
    let mut collector = Collector::default();
    if lock.packages.is_empty() {
        nested(&lock.dependencies, 0, &mut collector);
    } else {
        for (folder, place) in lock.packages {
            if !place.extraneous {
                listed(&folder, place, &mut collector);
            }
        }
    }
    collector.finish()
}

fn listed(folder: &str, place: Place, collector: &mut Collector) {
    let Some((_, within)) = folder.rsplit_once("node_modules/") else {
        // The project itself, or a workspace of it.
        if let (Some(name), Some(version)) = (place.name, place.version) {
            collector.push(Package::new(Ecosystem::Npm, name, version).taken_from(Origin::Local));
        }
        return;
    };
    if place.link {
        return;
    }
    let name = place.name.unwrap_or_else(|| within.to_owned());
    let scope = match (place.dev, place.dev_optional) {
        (true, _) => DependencyScope::Development,
        // Needed to develop, and an optional dependency of what runs: `npm install --omit=dev` installs it.
        (false, true) => DependencyScope::Optional,
        (false, false) => DependencyScope::Runtime,
    };
    let origin = place.resolved.as_ref().and_then(Text::as_str).map_or(Origin::Registry, origin);
    match place.version {
        Some(version) => {
            collector.push(Package::new(Ecosystem::Npm, name, version).taken_from(origin).needed_for(scope));
        }
        None => collector.gap(name, "no version is stated"),
    }
}

/// Where `resolved` (or, in version 1, `version`) points to. A tarball of any host counts as a registry, because
/// mirrors keep names and versions; a tarball of a code host does not.
pub(super) fn origin(text: &str) -> Origin {
    // What follows is the commit, or the hash of the tarball.
    let text = text.split('#').next().unwrap_or(text);
    if ["git", "ssh:", "bitbucket:", "gist:"].iter().any(|begin| text.starts_with(begin))
        || text.ends_with(".git")
        || is_of_code_host(text)
    {
        Origin::Vcs
    } else if text.starts_with("file:") || text.starts_with("link:") || text.starts_with("portal:") {
        Origin::Local
    } else if text.starts_with("http") && !is_registry_tarball(text) {
        Origin::ThirdParty
    } else {
        Origin::Registry
    }
}

/// The host of an address, without user and port, and what follows it.
fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    Some((host.split(':').next().unwrap_or(host), path))
}

/// Whether an address is one of a place where code is kept. Such hosts have registries too: GitHub under a name of its
/// own, GitLab below `/api/`.
fn is_of_code_host(url: &str) -> bool {
    let hosts = ["github.com", "codeload.github.com", "raw.githubusercontent.com", "gitlab.com", "bitbucket.org"];
    host_and_path(url).is_some_and(|(host, path)| {
        hosts.iter().any(|known| host.trim_start_matches("www.") == *known) && !path.starts_with("/api/")
    })
}

/// Registries serve `…/-/name-version.tgz`; the public one of GitHub `…/download/…`, others are called so.
fn is_registry_tarball(url: &str) -> bool {
    let Some((host, path)) = host_and_path(url) else { return false };
    path.contains("/-/") || path.contains("/download/") || host.contains("registry")
}

fn nested(dependencies: &BTreeMap<String, Dependency>, depth: usize, collector: &mut Collector) {
    if depth > MAX_DEPTH {
        return collector.gap("dependencies", "they are nested too deeply");
    }
    for (name, dependency) in dependencies {
        let scope = if dependency.dev { DependencyScope::Development } else { DependencyScope::Runtime };
        let (name, version, origin) = match dependency.version.strip_prefix("npm:") {
            // An alias says the real name here.
            Some(alias) => match alias.rsplit_once('@') {
                Some((real, version)) if !real.is_empty() => (real, version, Origin::Registry),
                _ => (name.as_str(), alias, Origin::Registry),
            },
            None if dependency.version.starts_with(|c: char| c.is_ascii_digit()) => {
                (name.as_str(), dependency.version.as_str(), Origin::Registry)
            }
            None => (name.as_str(), dependency.version.as_str(), origin(&dependency.version)),
        };
        match origin {
            Origin::Local => {}
            origin => collector.push(Package::new(Ecosystem::Npm, name, version).taken_from(origin).needed_for(scope)),
        }
        nested(&dependency.dependencies, depth + 1, collector);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V3: &str = r#"{"name":"ours","version":"1.0.0","lockfileVersion":3,"packages":{
        "":{"name":"ours","version":"1.0.0","dependencies":{"lodash":"^4"}},
        "node_modules/lodash":{"version":"4.17.20","resolved":"https://registry.npmjs.org/lodash/-/lodash-4.17.20.tgz"},
        "node_modules/a/node_modules/@s/b":{"version":"2.0.0","dev":true,"resolved":"https://npm.example/@s/b/-/b-2.0.0.tgz"},
        "node_modules/alias":{"name":"real","version":"3.0.0","resolved":"https://registry.npmjs.org/real/-/real-3.0.0.tgz"},
        "node_modules/fork":{"version":"1.1.1","resolved":"git+ssh://git@github.com/x/fork.git#abc"},
        "node_modules/ws":{"resolved":"packages/ws","link":true},
        "packages/ws":{"name":"ws-local","version":"0.0.1"},
        "node_modules/bundled":{"version":"0.3.0","inBundle":true}}}"#;
    const V1: &str = r#"{"name":"ours","version":"1.0.0","lockfileVersion":1,"dependencies":{
        "lodash":{"version":"4.17.20","dev":true,"requires":{"x":"^1"},"dependencies":{"deep":{"version":"1.0.0"}}},
        "aliased":{"version":"npm:@scope/real@2.0.0"},
        "forked":{"version":"github:x/forked#abc"},
        "folder":{"version":"file:../folder"}}}"#;

    fn names(text: &str) -> Vec<String> {
        let reading = read(text.as_bytes()).unwrap();
        let named = |c: &Package| format!("{} {} {:?}", c.name, c.version, c.scope);
        reading.packages.iter().filter(|c| c.origin == Origin::Registry).map(named).collect()
    }

    #[test]
    fn places_of_version_3() {
        assert_eq!(
            names(V3),
            ["@s/b 2.0.0 Development", "bundled 0.3.0 Runtime", "lodash 4.17.20 Runtime", "real 3.0.0 Runtime"]
        );
        let reading = read(V3.as_bytes()).unwrap();
        assert!(reading.packages.iter().any(|c| c.name == "fork" && c.origin == Origin::Vcs));
        assert!(reading.packages.iter().any(|c| c.name == "ws-local" && c.origin == Origin::Local));
    }

    #[test]
    fn where_packages_come_from() {
        for (text, expected) in [
            ("ssh://git@github.com/x/fork.git#abc", Origin::Vcs),
            ("ssh://git@code.example/x/fork#abc", Origin::Vcs),
            ("https://code.example/x/fork.git#abc", Origin::Vcs),
            ("https://github.com/x/registry/archive/1.0.tar.gz", Origin::Vcs),
            ("https://github.com/x/y/releases/download/v1/y.tgz", Origin::Vcs),
            ("https://codeload.github.com/x/y/tar.gz/abc", Origin::Vcs),
            ("bitbucket:x/y#abc", Origin::Vcs),
            ("https://files.example/registry/y-1.0.0.tgz", Origin::ThirdParty),
            ("https://registry.npmjs.org/y/-/y-1.0.0.tgz#0123", Origin::Registry),
            ("https://npm.pkg.github.com/download/@s/y/1.0.0/abc", Origin::Registry),
            ("https://gitlab.com/api/v4/projects/1/packages/npm/@s/y/-/@s/y-1.0.0.tgz", Origin::Registry),
            ("https://registry.npmmirror.com/y/download/y-1.0.0.tgz", Origin::Registry),
            ("file:../y", Origin::Local),
            ("1.0.0", Origin::Registry),
        ] {
            assert_eq!(origin(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_optional_for_production_is_not_for_development_only() {
        let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","devOptional":true},
            "node_modules/b":{"version":"1.0.0","dev":true,"optional":true}}}"#;
        assert_eq!(names(lock), ["a 1.0.0 Optional", "b 1.0.0 Development"]);
    }

    #[test]
    fn nesting_of_version_1() {
        assert_eq!(names(V1), ["@scope/real 2.0.0 Runtime", "deep 1.0.0 Runtime", "lodash 4.17.20 Development"]);
    }

    #[test]
    fn other_json_is_refused() {
        assert!(read(b"{}").is_err());
        assert!(read(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..V3.len(), byte in any::<u8>()) {
            let mut bytes = V3.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..at]);
        }
    }
}
