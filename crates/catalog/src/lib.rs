//! What the product ships as data: check texts, frameworks, profiles, port lists, service signatures.
//!
//! The crate parses and validates `content/`; it decides nothing. The same loader reads the built-in content and
//! any other folder of that shape. Start reading at [`Catalog`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bartizan_domain::CheckId;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

pub mod check;
pub mod framework;
pub mod profile;

pub use check::{Category, CheckMeta, Declaration, Maturity, Mode};
pub use framework::{Control, Framework};
pub use profile::Profile;

static CONTENT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../content");

/// A content file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct ContentError {
    /// Path below `content/`.
    pub file: String,
    /// The rule that is broken.
    pub message: String,
}

/// Everything in `content/`, parsed.
#[derive(Debug)]
pub struct Catalog {
    checks: BTreeMap<CheckId, CheckMeta>,
    redirects: BTreeMap<String, CheckId>,
    frameworks: Vec<Framework>,
    profiles: Vec<Profile>,
    version: String,
}

impl Catalog {
    /// The content built into the program. Its validity is a test of this crate, so that it cannot fail in use.
    ///
    /// # Panics
    /// If the embedded content is invalid, which the test `the_shipped_content_is_valid` rules out.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(|| match Self::parse_builtin() {
            Ok(catalog) => catalog,
            Err(error) => unreachable!("the embedded content is tested: {error}"),
        })
    }

    /// Parses the embedded content.
    ///
    /// # Errors
    /// The first file that breaks a rule.
    pub fn parse_builtin() -> Result<Self, ContentError> {
        let mut files: Vec<(String, String)> = Vec::new();
        collect(&CONTENT, &mut files);
        Self::parse(&files)
    }

    /// Parses a set of files, given as path below `content/` and text.
    ///
    /// # Errors
    /// The first file that breaks a rule.
    pub fn parse(files: &[(String, String)]) -> Result<Self, ContentError> {
        let mut checks = BTreeMap::new();
        let mut redirects = BTreeMap::new();
        let mut frameworks = Vec::new();
        let mut profiles = Vec::new();
        for (file, text) in files {
            let fail = |message: String| ContentError { file: file.clone(), message };
            if file.starts_with("checks/") && file.ends_with(".toml") {
                let meta = check::parse(file, text).map_err(fail)?;
                for old in &meta.redirects {
                    redirects.insert(old.clone(), meta.id.clone());
                }
                if let Some(twin) = checks.insert(meta.id.clone(), meta) {
                    return Err(fail(format!("check {} is defined twice", twin.id)));
                }
            } else if file.starts_with("frameworks/") && file.ends_with(".json") {
                frameworks.push(serde_json::from_str::<Framework>(text).map_err(|error| fail(error.to_string()))?);
            } else if file.starts_with("profiles/") && file.ends_with(".toml") {
                profiles.push(toml::from_str::<Profile>(text).map_err(|error| fail(error.to_string()))?);
            }
        }
        profiles.sort_by_key(|profile: &Profile| profile.order);
        frameworks.sort_by_key(|framework: &Framework| framework.order);
        let catalog = Self { checks, redirects, frameworks, profiles, version: version_of(files) };
        catalog.validate()?;
        Ok(catalog)
    }

    /// A short digest over all content, recorded in every coverage record.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Every check, by id.
    pub fn checks(&self) -> impl Iterator<Item = &CheckMeta> {
        self.checks.values()
    }

    /// One check by its id or a former id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckMeta> {
        let current = self.redirects.get(id).map_or(id, CheckId::as_str);
        CheckId::parse(current).ok().and_then(|id| self.checks.get(&id))
    }

    /// Every framework.
    #[must_use]
    pub fn frameworks(&self) -> &[Framework] {
        &self.frameworks
    }

    /// Every profile, in listing order.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Control references of a check over all frameworks: `nis2:21.2.h`, `eu-2024-2690:9.2`.
    #[must_use]
    pub fn controls_of(&self, check: &CheckId) -> Vec<String> {
        let mut controls: Vec<String> = Vec::new();
        for framework in &self.frameworks {
            for control in framework.controls.iter().filter(|control| control.selects(check)) {
                controls.push(format!("{}:{}", framework.id, control.id));
            }
        }
        controls
    }

    /// A raw content file, for the crates that own its meaning (`ports/…`, `services/…`).
    #[must_use]
    pub fn file(path: &str) -> Option<&'static str> {
        CONTENT.get_file(path).and_then(|file| file.contents_utf8())
    }

    /// A raw binary content file.
    #[must_use]
    pub fn bytes(path: &str) -> Option<&'static [u8]> {
        CONTENT.get_file(path).map(include_dir::File::contents)
    }

    /// Selectors of frameworks that match no check: `(framework, control, selector)`. Not an error when loading, since
    /// an uploaded framework may know checks that this version does not; the shipped ones must have none.
    pub fn dangling_selectors(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.frameworks
            .iter()
            .flat_map(|framework| framework.controls.iter().map(move |control| (framework, control)))
            .flat_map(|(framework, control)| {
                let unmatched = control
                    .checks
                    .iter()
                    .filter(|selector| !self.checks.keys().any(|id| framework::matches(selector, id)));
                unmatched.map(move |selector| (framework.id.as_str(), control.id.as_str(), selector.as_str()))
            })
    }

    fn validate(&self) -> Result<(), ContentError> {
        for meta in self.checks.values() {
            for other in &meta.excluded_by {
                if !self.checks.contains_key(other) {
                    return Err(ContentError {
                        file: format!("checks/…/{}", meta.id),
                        message: format!("excluded_by names the unknown check {other}"),
                    });
                }
            }
        }
        Ok(())
    }
}

fn collect(dir: &'static Dir<'static>, files: &mut Vec<(String, String)>) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((file.path().to_string_lossy().into_owned(), text.to_owned()));
        }
    }
    for sub in dir.dirs() {
        collect(sub, files);
    }
}

fn version_of(files: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort();
    let mut hash = Sha256::new();
    for (path, text) in sorted {
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path.as_bytes());
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_content_is_valid() {
        let catalog = Catalog::parse_builtin().unwrap();
        assert_eq!(catalog.profiles().len(), 3);
        assert_eq!(catalog.version().len(), 12);
    }
}
