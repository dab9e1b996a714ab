//! `pnpm-lock.yaml` and its ancestor `shrinkwrap.yaml`: lock file versions 3 to 9.
//!
//! Rules: pnpm's `lockfile-types` and `dependency-path`. The keys of `packages` are dependency paths, and their form
//! changed: `/name/1.0.0_peer@2` until 5.x, `/name@1.0.0(peer@2)` in 6, `name@1.0.0` in 9 (peers moved to `snapshots`); a
//! path may begin with the host of a registry. Where a package comes from elsewhere, the path names the place instead of a
//! version, and the entry states `version` (and, before version 9, `name`) itself:
//!
//! | dependency | path until 8 | path in 9 | counts as |
//! |---|---|---|---|
//! | tarball of a URL | `@url` or `host/path` | `name@https://…` | third party, or version control for tarballs of code hosts |
//! | Git | `host/owner/repo/commit`, `git@url` | `name@git+https://…#commit`, `name@https://codeload…` | version control |
//! | local tarball | `file:x.tgz` | `name@file:x.tgz` | local |
//! | folder (`file:`, injected workspace) | `file:folder` | `name@file:folder` | local, left out where no version is stated |
//!
//! Not supported: what is linked (`link:`, workspaces), which stands in `importers` alone, without a version: it is part of
//! the project, and its own dependencies are listed like all others. In version 9, whether a package is for development
//! only (the file does not say).

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
        let (of_path, version_of_path) = parts(&path);
        let version = locked.version.map(yaml::Scalar::into_text).or_else(|| version_of_path.map(str::to_owned));
        let (name, version) = match (locked.name.or_else(|| of_path.map(str::to_owned)), version) {
            (Some(name), Some(version)) => (name, version),
            // A folder of the project.
            _ if origin == Origin::Local => continue,
            (None, _) => {
                collector.gap(path, "its dependency path names no package");
                continue;
            }
            (Some(name), None) => {
                let reason = match origin {
                    Origin::Registry => "its dependency path names no version",
                    Origin::Vcs => "it is taken from version control, and no version is stated",
                    _ => "it is a tarball from elsewhere, and no version is stated",
                };
                collector.gap(name, reason);
                continue;
            }
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
        let place = place(path);
        let is_local = |text: &str| ["file:", "link:"].iter().any(|scheme| text.starts_with(scheme));
        if self.directory.is_some() || is_local(path) || place.is_some_and(is_local) {
            Origin::Local
        } else if self.repo.is_some()
            || place.is_some_and(|place| place.starts_with("git"))
            || (path.starts_with("git@") && parts(path).1.is_none())
        {
            Origin::Vcs
        } else {
            match self.tarball.as_deref().or(place) {
                Some(tarball) => super::npm::origin(tarball),
                None => Origin::Registry,
            }
        }
    }
}

/// A dependency path without peers, the slash it begins with and the host of a registry.
fn bare(path: &str) -> &str {
    // Peers: `(a@1)(b@2)` since 6.
    let bare = path.split('(').next().unwrap_or(path);
    match bare.strip_prefix('/') {
        Some(rest) => rest,
        // `registry.example/name/1.0.0`, `localhost+4873/name/1.0.0`: a host has a dot or a port before the first slash, a
        // name has not.
        None => match bare.split_once('/') {
            Some((host, rest)) if host.contains(['.', '+']) && !host.contains(['@', ':']) => rest,
            _ => bare,
        },
    }
}

/// Where the name in a path ends: at the first `@` or `/` behind the scope.
fn name_end(bare: &str) -> Option<usize> {
    let scope_end = if bare.starts_with('@') { bare.find('/')? + 1 } else { 0 };
    let end = scope_end + bare[scope_end..].find(['@', '/'])?;
    (end > scope_end).then_some(end)
}

/// The place that a path of version 6 or later names instead of a version: `file:x`, `https://…`, `git+ssh://…`.
fn place(path: &str) -> Option<&str> {
    let bare = bare(path);
    let place = bare[name_end(bare)?..].strip_prefix('@')?;
    place.contains(':').then_some(place)
}

/// Name and version of a dependency path of any version; a path that names a place names no version, and a name only
/// where it stands before the place.
fn parts(path: &str) -> (Option<&str>, Option<&str>) {
    let bare = bare(path);
    let Some(end) = name_end(bare) else { return (None, None) };
    let (name, rest) = (&bare[..end], &bare[end + 1..]);
    // Peers until 5: `1.0.0_peer@2` and, before that, `1.0.0/peer@2`.
    let version = rest.split(['_', '/']).next().unwrap_or(rest);
    if version.starts_with(|c: char| c.is_ascii_digit()) {
        // `github.com/owner/repo/commit` may have a commit that begins with a digit in the place of a version.
        return (Some(name), Some(version));
    }
    (place(path).map(|_| name), None)
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
            ("localhost+4873/a/1.0.0", Some(("a", "1.0.0"))),
            ("a@file:x", None),
            ("@", None),
            ("", None),
        ] {
            let found = match parts(path) {
                (Some(name), Some(version)) => Some((name, version)),
                _ => None,
            };
            assert_eq!(found, expected, "{path}");
        }
        for (path, name, place_of_it) in [
            ("a@file:x.tgz", Some("a"), Some("file:x.tgz")),
            (
                "@s/a@https://codeload.github.com/o/a/tar.gz/0123",
                Some("@s/a"),
                Some("https://codeload.github.com/o/a/tar.gz/0123"),
            ),
            (
                "a@git+ssh://git@example.org/o/a.git#0123(b@1.0.0)",
                Some("a"),
                Some("git+ssh://git@example.org/o/a.git#0123"),
            ),
            ("file:x.tgz", None, None),
            ("@https://example.org/a.tgz", None, None),
        ] {
            assert_eq!((parts(path).0, place(path)), (name, place_of_it), "{path}");
        }
    }

    #[test]
    fn what_comes_from_elsewhere_is_listed_with_where() {
        let v9 = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      own:\n        specifier: workspace:*\n        version: link:packages/own\n\npackages:\n\n  tar@https://example.org/x/tar-1.2.3.tgz:\n    resolution: {integrity: sha512-x, tarball: https://example.org/x/tar-1.2.3.tgz}\n    version: 1.2.3\n\n  hub@https://codeload.github.com/o/hub/tar.gz/0123456789:\n    resolution: {tarball: https://codeload.github.com/o/hub/tar.gz/0123456789}\n    version: 2.0.0\n\n  git@git+ssh://git@example.org/o/git.git#abcdef:\n    resolution: {commit: abcdef, repo: ssh://git@example.org/o/git.git, type: git}\n    version: 3.0.0\n\n  '@s/local@file:vendor/local.tgz':\n    resolution: {integrity: sha512-x, tarball: file:vendor/local.tgz}\n    version: 4.0.0\n\n  folder@file:packages/folder:\n    resolution: {directory: packages/folder, type: directory}\n\n  bare@https://codeload.github.com/o/bare/tar.gz/abc:\n    resolution: {tarball: https://codeload.github.com/o/bare/tar.gz/abc}\n";
        let v6 = "lockfileVersion: '6.0'\n\npackages:\n\n  file:vendor/local.tgz:\n    resolution: {integrity: sha512-x, tarball: file:vendor/local.tgz}\n    name: '@s/local'\n    version: 4.0.0\n    dev: false\n\n  '@example.org/x/tar-1.2.3.tgz':\n    resolution: {integrity: sha512-x, tarball: https://example.org/x/tar-1.2.3.tgz}\n    name: tar\n    version: 1.2.3\n    dev: false\n\n  github.com/o/hub/0123456789:\n    resolution: {tarball: https://codeload.github.com/o/hub/tar.gz/0123456789}\n    name: hub\n    version: 2.0.0\n    dev: false\n\n  git@example.org+o/git/abcdef:\n    resolution: {commit: abcdef, repo: git@example.org:o/git.git, type: git}\n    name: git\n    version: 3.0.0\n    dev: false\n";
        let expected = [
            ("@s/local", "4.0.0", Origin::Local),
            ("git", "3.0.0", Origin::Vcs),
            ("hub", "2.0.0", Origin::Vcs),
            ("tar", "1.2.3", Origin::ThirdParty),
        ];
        for text in [v9, v6] {
            let reading = read(text.as_bytes()).unwrap();
            let found: Vec<(&str, &str, Origin)> =
                reading.packages.iter().map(|p| (&*p.name, &*p.version, p.origin)).collect();
            assert_eq!(found, expected, "{text}");
        }
        let gaps = read(v9.as_bytes()).unwrap().gaps;
        assert_eq!(gaps.len(), 1);
        assert_eq!(
            (gaps[0].subject.as_str(), &*gaps[0].reason),
            ("bare", "it is taken from version control, and no version is stated")
        );
    }

    /// `git` is a package of the registry too, and `git@` the user of a repository's address.
    #[test]
    fn a_package_called_git_is_of_the_registry() {
        let resolution = Resolution::default();
        assert_eq!(resolution.origin("git@0.1.5"), Origin::Registry);
        assert_eq!(resolution.origin("git@example.org+o/r/abcdef"), Origin::Vcs);
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
            let _ = (parts(&path), place(&path));
        }
    }
}
