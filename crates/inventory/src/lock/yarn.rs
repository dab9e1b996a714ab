//! `yarn.lock`: the classic format of yarn 1, and the YAML of yarn 2 and later ("berry").
//!
//! Rules: classic is read as yarn's own `lockfile/parse.js` does: an unindented line of comma-separated patterns ending
//! in a colon, properties two blanks deep. A pattern is `name@range`; `alias@npm:real@range` names another package.
//! Berry has `resolution: "name@npm:version"`, which is what was installed (yarn's documentation of lock files).
//!
//! Not supported: conditions of berry (`conditions: os=linux`), and whether a package is for development: neither
//! format says.

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, Origin, Package};
use serde::Deserialize;

use super::npm;
use crate::component::{Collector, ReadError, Reading, With as _, utf8};
use crate::yaml;

/// Reads a `yarn.lock` of either format. Linear in its size.
///
/// # Errors
/// If it is neither.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let text = utf8(bytes)?;
    let is_berry = text.lines().any(|line| line.starts_with("__metadata:"));
    if is_berry {
        return berry(text);
    }
    if !text.contains("# yarn lockfile v1") && !text.lines().any(|line| line.starts_with("  version ")) {
        // An empty lock file still has its first line.
        return Err(ReadError::Syntax("it is neither a classic nor a berry lock file".to_owned()));
    }
    classic(text)
}

#[derive(Default)]
struct Entry {
    name: String,
    version: Option<String>,
    resolved: Option<String>,
}

fn classic(text: &str) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    let mut open: Option<Entry> = None;
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            close(open.take(), &mut collector);
            let header = line.trim_end().trim_end_matches(':');
            let first = first_pattern(header);
            open = Some(Entry { name: name_of(first).to_owned(), ..Entry::default() });
        } else if let (Some(entry), Some(property)) =
            (&mut open, line.strip_prefix("  ").filter(|p| !p.starts_with(' ')))
            && let Some((key, value)) = property.split_once(' ')
        {
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim_matches('"') {
                "version" => entry.version = Some(value),
                "resolved" => entry.resolved = Some(value),
                _ => {}
            }
        }
    }
    close(open, &mut collector);
    collector.finish()
}

fn close(entry: Option<Entry>, collector: &mut Collector) {
    let Some(entry) = entry else { return };
    let origin = entry.resolved.as_deref().map_or(Origin::Registry, npm::origin);
    match entry.version {
        // A linked folder has no `resolved`, and yarn gives it the version 0.0.0 or its own.
        Some(version) => collector.push(Package::new(Ecosystem::Npm, entry.name, version).taken_from(origin)),
        None => collector.gap(entry.name, "no version is stated"),
    }
}

/// The first of `"a@1", b@2`; commas inside quotes belong to a range.
fn first_pattern(header: &str) -> &str {
    match header.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => header.split(',').next().unwrap_or(header).trim(),
    }
}

/// The package of a pattern `name@range`, with `@scope/name` and aliases.
fn name_of(pattern: &str) -> &str {
    let (name, range) = split_at_version(pattern);
    match range.strip_prefix("npm:") {
        // `npm:1.0.0` is a range, `npm:real@1.0.0` another package.
        Some(real) if !split_at_version(real).0.is_empty() && real.get(1..).is_some_and(|r| r.contains('@')) => {
            split_at_version(real).0
        }
        _ => name,
    }
}

/// Splits at the first `@` that does not begin a scope.
fn split_at_version(text: &str) -> (&str, &str) {
    match text.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

#[derive(Deserialize)]
struct Locked {
    #[serde(default)]
    version: yaml::Scalar,
    resolution: Option<String>,
}

fn berry(text: &str) -> Result<Reading, ReadError> {
    let packages: BTreeMap<String, Locked> = yaml::read(text)?;
    let mut collector = Collector::default();
    for (patterns, package) in packages.into_iter().filter(|(key, _)| key != "__metadata") {
        let Some(resolution) = package.resolution else {
            collector.gap(first_pattern(&patterns), "no resolution is stated");
            continue;
        };
        let (name, reference) = split_at_version(&resolution);
        let (name, origin) = match reference.split_once(':') {
            Some(("npm", rest)) => {
                // `npm:real@1.0.0` under another name.
                let (real, version) = split_at_version(rest);
                (if version.is_empty() { name } else { real }, Origin::Registry)
            }
            // A release with changes on top: `patch:name@npm%3A1.0.0#…`.
            Some(("patch", _)) => (name, Origin::Registry),
            Some(("workspace" | "link" | "portal" | "file", _)) => (name, Origin::Local),
            _ => (name, npm::origin(reference)),
        };
        collector.push(Package::new(Ecosystem::Npm, name, package.version.into_text()).taken_from(origin));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLASSIC: &str = "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n\
        \"@babel/core@^7.0.0, @babel/core@^7.1.0\":\n  version \"7.1.0\"\n  resolved \"https://registry.yarnpkg.com/@babel/core/-/core-7.1.0.tgz#aa\"\n  dependencies:\n    \"version\" \"9\"\n\n\
        alias@npm:real@^1.0.0:\n  version \"1.2.0\"\n  resolved \"https://registry.yarnpkg.com/real/-/real-1.2.0.tgz#bb\"\n\n\
        \"forked@git+https://git.example/forked.git\":\n  version \"0.1.0\"\n  resolved \"git+https://git.example/forked.git#cc\"\n\n\
        ms@2.0.0, ms@^2.0.0:\n  version \"2.0.0\"\n";
    const BERRY: &str = "__metadata:\n  version: 8\n  cacheKey: 10\n\n\"ms@npm:^2.0.0, ms@npm:2.0.0\":\n  version: 2.0.0\n  resolution: \"ms@npm:2.0.0\"\n  languageName: node\n  linkType: hard\n\n\
        \"alias@npm:real@^1\":\n  version: 1.2.0\n  resolution: \"real@npm:1.2.0\"\n  linkType: hard\n\n\
        \"typescript@patch:typescript@npm%3A5.0.0#optional!builtin<compat/typescript>\":\n  version: 5.0.0\n  resolution: \"typescript@patch:typescript@npm%3A5.0.0#optional!builtin<compat/typescript>::version=5.0.0\"\n  linkType: hard\n\n\
        \"ours@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"ours@workspace:.\"\n  linkType: soft\n";

    fn registry(text: &str) -> Vec<String> {
        let reading = read(text.as_bytes()).unwrap();
        let taken = reading.packages.iter().filter(|c| c.origin == Origin::Registry);
        taken.map(|c| format!("{}@{}", c.name, c.version)).collect()
    }

    #[test]
    fn classic_patterns_scopes_and_aliases() {
        assert_eq!(registry(CLASSIC), ["@babel/core@7.1.0", "ms@2.0.0", "real@1.2.0"]);
        let reading = read(CLASSIC.as_bytes()).unwrap();
        assert!(reading.packages.iter().any(|c| c.name == "forked" && c.origin == Origin::Vcs));
    }

    #[test]
    fn berry_resolutions() {
        assert_eq!(registry(BERRY), ["ms@2.0.0", "real@1.2.0", "typescript@5.0.0"]);
    }

    #[test]
    fn patterns_name_packages() {
        for (pattern, name) in [
            ("ms@2", "ms"),
            ("@a/b@^1", "@a/b"),
            ("x@npm:@a/b@^1", "@a/b"),
            ("x@npm:^1.0.0", "x"),
            ("x", "x"),
            ("", ""),
            ("@", "@"),
        ] {
            assert_eq!(name_of(pattern), name, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..CLASSIC.len(), byte in any::<u8>()) {
            for text in [CLASSIC, BERRY] {
                let mut bytes = text.as_bytes().to_vec();
                let at = at % bytes.len();
                bytes[at] = byte;
                let _ = read(&bytes);
                let _ = read(&bytes[..at]);
            }
        }

        #[test]
        fn no_pattern_panics(pattern in "\\PC{0,40}") {
            let _ = name_of(&pattern);
            let _ = first_pattern(&pattern);
        }
    }
}
