//! What a reader yields: packages, and what it saw but cannot say anything about.

use std::borrow::Cow;
use std::fmt;

use bartizan_matching::model::{DependencyScope, Origin, Package};

/// Longest name or version that is taken, in bytes. Registries allow far less; the text may come from anywhere.
const MAX_TEXT: usize = 512;
/// Packages of one file. The largest real lock files hold some ten thousand.
pub const MAX_PACKAGES: usize = 1_000_000;
/// CPE names of the platform that are kept of one file.
const MAX_PLATFORM: usize = 10_000;
/// Gaps of one file that are kept one by one; the rest is counted.
const MAX_GAPS: usize = 2_000;

/// Builds a package in the manner of readers: everything optional is said by name.
pub(crate) trait With: Sized {
    /// Taken from there.
    fn taken_from(self, origin: Origin) -> Self;
    /// Needed for that.
    fn needed_for(self, scope: DependencyScope) -> Self;
}

impl With for Package {
    fn taken_from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    fn needed_for(mut self, scope: DependencyScope) -> Self {
        self.scope = scope;
        self
    }
}

/// Something a file names that cannot be matched, and why. Never silent: what is not covered is shown as such.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The package, or what stands in its place.
    pub subject: String,
    /// Why nothing can be said about it.
    pub reason: Cow<'static, str>,
}

/// What one file yields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The packages, sorted, each once.
    pub packages: Vec<Package>,
    /// What cannot be matched, sorted, each once.
    pub gaps: Vec<Gap>,
    /// Gaps beyond those listed.
    pub more_gaps: usize,
    /// CPE names of what the packages run on or beside (operating system, hardware, products without a version), sorted,
    /// each once: restricting members of CPE configurations are looked up here.
    pub platform: Vec<String>,
    /// What the document says it is about, by any name (package URL, CPE name, serial number, name); empty if it says
    /// nothing, as lock files do.
    pub about: Vec<String>,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is larger than its kind may be.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// It names more packages than [`MAX_PACKAGES`].
    #[error("it names more than {MAX_PACKAGES} packages")]
    TooMany,
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It breaks the rules of its format.
    #[error("{0}")]
    Syntax(String),
    /// A form of the format that is not read.
    #[error("{0}")]
    Unsupported(String),
    /// The file system says no.
    #[error("{0}")]
    Io(String),
}

impl ReadError {
    /// A broken rule, cut to one line of readable length.
    pub(crate) fn syntax(what: impl fmt::Display) -> Self {
        Self::Syntax(one_line(&what.to_string()))
    }
}

/// The first line, bounded, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let line: String =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Gathers packages and gaps, and keeps both within bounds.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    reading: Reading,
    overflow: bool,
}

impl Collector {
    /// Takes a package. One whose name or version is empty or unreadable becomes a gap.
    pub(crate) fn push(&mut self, package: Package) {
        if !readable(&package.name) {
            return self.gap(shortened(&package.name), "its name cannot be read");
        }
        if is_no_version(&package.version) {
            return self.gap(&*package.name, "no version is stated");
        }
        if !readable(&package.version) {
            return self.gap(&*package.name, "its version cannot be read");
        }
        if self.reading.packages.len() >= MAX_PACKAGES {
            self.overflow = true;
            return;
        }
        self.reading.packages.push(package);
    }

    /// Takes something that cannot be matched.
    pub(crate) fn gap(&mut self, subject: impl AsRef<str>, reason: impl Into<Cow<'static, str>>) {
        if self.reading.gaps.len() >= MAX_GAPS {
            self.reading.more_gaps += 1;
            return;
        }
        self.reading.gaps.push(Gap { subject: shortened(subject.as_ref()), reason: reason.into() });
    }

    /// Takes the CPE name of something that is no package to be judged and may be what a configuration asks for besides.
    pub(crate) fn platform(&mut self, cpe: &str) {
        if self.reading.platform.len() < MAX_PLATFORM && readable(cpe) {
            self.reading.platform.push(cpe.to_owned());
        }
    }

    /// The result, in order.
    pub(crate) fn finish(mut self) -> Result<Reading, ReadError> {
        if self.overflow {
            return Err(ReadError::TooMany);
        }
        self.reading.packages.sort();
        // The same release twice, once for development only, is needed to run: `Runtime` sorts first.
        self.reading.packages.dedup_by(|later, first| {
            let scope = later.scope;
            later.scope = first.scope;
            let same = later == first;
            later.scope = scope;
            same
        });
        self.reading.gaps.sort();
        self.reading.gaps.dedup();
        self.reading.platform.sort();
        self.reading.platform.dedup();
        Ok(self.reading)
    }
}

/// Whether a text in the place of a version says that there is none (`NOASSERTION`), or names whichever is newest.
pub(crate) fn is_no_version(text: &str) -> bool {
    let words = ["noassertion", "none", "unknown", "(unknown)", "undefined", "null", "n/a", "latest", "release"];
    text.trim().is_empty() || words.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

fn readable(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control)
}

fn shortened(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
    if clean.is_empty() { "(no name)".to_owned() } else { clean }
}

/// The bytes as text, without a byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ecosystem;

    use super::*;

    fn npm(name: &str, version: &str) -> Package {
        Package::new(Ecosystem::Npm, name, version)
    }

    #[test]
    fn unreadable_and_missing_values_become_gaps() {
        let mut collector = Collector::default();
        collector.push(npm("", "1"));
        collector.push(npm("a", ""));
        collector.push(npm("b\u{1b}[2J", "1"));
        collector.push(npm("c", &"1".repeat(MAX_TEXT + 1)));
        collector.push(npm("d", "1"));
        for (at, word) in ["NOASSERTION", "none", "unknown", "LATEST", "RELEASE", " "].iter().enumerate() {
            collector.push(npm(&format!("w{at}"), word));
        }
        let reading = collector.finish().unwrap();
        assert_eq!(reading.packages.len(), 1);
        assert_eq!(reading.gaps.len(), 10);
        assert!(reading.gaps.iter().all(|gap| !gap.subject.contains('\u{1b}')));
    }

    #[test]
    fn needed_to_run_wins_over_needed_to_develop() {
        let mut collector = Collector::default();
        collector.push(npm("a", "1").needed_for(DependencyScope::Development));
        collector.push(npm("a", "1"));
        let reading = collector.finish().unwrap();
        assert_eq!(reading.packages.len(), 1);
        assert_eq!(reading.packages[0].scope, DependencyScope::Runtime);
    }

    #[test]
    fn gaps_are_bounded_and_counted() {
        let mut collector = Collector::default();
        for number in 0..MAX_GAPS + 5 {
            collector.gap(number.to_string(), "no version is stated");
        }
        let reading = collector.finish().unwrap();
        assert_eq!((reading.gaps.len(), reading.more_gaps), (MAX_GAPS, 5));
    }
}
