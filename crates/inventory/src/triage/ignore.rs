//! Ignore files: which matches somebody has decided to leave as they are, why, and until when.
//!
//! ```toml
//! [[ignore]]
//! id = "CVE-2024-1234"            # any name of the vulnerability; or
//! package = "lodash"              # every vulnerability of a package; or both
//! where = "frontend/**"           # only below this path; `*` stops at a slash, `**` does not
//! reason = "build tool only, never sees input"
//! expires = 2026-12-31            # the last day it holds
//! ```
//!
//! A reason is mandatory. An entry without `id` and `package` is refused, and so are keys that are not known: a misspelt key
//! must not make an entry wider than it was meant.

use bartizan_matching::model::{Package, Text};
use chrono::NaiveDate;
use serde::Deserialize;

use crate::component::{ReadError, utf8};

/// Entries of one file.
const MAX_ENTRIES: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    ignore: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: Option<String>,
    package: Option<String>,
    #[serde(rename = "where")]
    place: Option<String>,
    reason: Option<String>,
    expires: Option<toml::value::Datetime>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A name of the vulnerability; `None` is any.
    pub id: Option<String>,
    /// A name of a package; `None` is any.
    pub package: Option<String>,
    /// A pattern of paths; `None` is anywhere.
    pub place: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day it holds; `None` is for good.
    pub expires: Option<NaiveDate>,
}

/// Reads an ignore file.
///
/// # Errors
/// If it is not TOML of that shape, or an entry has no reason or is about everything.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, ReadError> {
    let file: File = toml::from_str(utf8(bytes)?).map_err(|error| ReadError::syntax(error.message()))?;
    if file.ignore.len() > MAX_ENTRIES {
        return Err(ReadError::Unsupported(format!("it has more than {MAX_ENTRIES} entries")));
    }
    file.ignore.into_iter().enumerate().map(|(index, raw)| raw.entry(index + 1)).collect()
}

impl RawEntry {
    fn entry(self, number: usize) -> Result<Entry, ReadError> {
        let rule = |rule: &str| ReadError::Syntax(format!("entry {number}: {rule}"));
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (id, package) = (filled(self.id), filled(self.package));
        if id.is_none() && package.is_none() {
            return Err(rule("`id` or `package` is needed"));
        }
        let reason = filled(self.reason).ok_or_else(|| rule("`reason` is needed"))?;
        let expires = match self.expires.map(|expires| expires.date) {
            None => None,
            Some(Some(date)) => Some(
                NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
                    .ok_or_else(|| rule("`expires` is no date"))?,
            ),
            Some(None) => return Err(rule("`expires` is no date")),
        };
        Ok(Entry { id, package, place: filled(self.place), reason, expires })
    }
}

impl Entry {
    /// Whether it is about this match. Its end does not matter here.
    #[must_use]
    pub fn speaks_of(&self, package: &Package, ids: &[Text]) -> bool {
        let ecosystem = &package.ecosystem;
        self.id.as_deref().is_none_or(|id| ids.iter().any(|known| known.eq_ignore_ascii_case(id)))
            && self
                .package
                .as_deref()
                .is_none_or(|name| ecosystem.normalise(name) == ecosystem.normalise(&package.name))
            && self.place.as_deref().is_none_or(|pattern| glob(pattern, &package.location))
    }

    /// Whether it holds on that day.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.expires.is_none_or(|last| day <= last)
    }

    /// The entry in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        let parts = [&self.id, &self.package, &self.place];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a path fits a pattern: `**` any text, `*` any without a slash, `?` one character that is no slash. Quadratic
/// at worst.
fn glob(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut reached = vec![false; pattern.len() + 1];
    let close = |reached: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            if reached[at] && pattern[at] == '*' {
                reached[at + 1] = true;
            }
        }
    };
    reached[0] = true;
    close(&mut reached);
    for character in path.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, wanted) in pattern.iter().enumerate().filter(|(at, _)| reached[*at]) {
            let is_double = pattern.get(at + 1) == Some(&'*') || (at > 0 && pattern[at - 1] == '*');
            match wanted {
                '*' if is_double || character != '/' => next[at] = true,
                '?' if character != '/' => next[at + 1] = true,
                other if *other == character && *other != '*' => next[at + 1] = true,
                _ => {}
            }
        }
        close(&mut next);
        reached = next;
    }
    reached[pattern.len()]
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ecosystem;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_need_a_reason_and_a_subject() {
        for (text, rule) in [
            ("[[ignore]]\nid = \"CVE-1\"\n", "`reason`"),
            ("[[ignore]]\nid = \"CVE-1\"\nreason = \" \"\n", "`reason`"),
            ("[[ignore]]\nreason = \"x\"\n", "`id` or `package`"),
            ("[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nwehre = \"a\"\n", "wehre"),
            ("[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nexpires = 10:00:00\n", "`expires`"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(rule), "{text}: {error}");
        }
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn entries_are_compared_with_matches() {
        let text = "[[ignore]]\nid = \"GHSA-a\"\npackage = \"Lodash\"\nwhere = \"front/**\"\nreason = \"x\"\nexpires = 2026-12-31\n";
        let entry = &read(text.as_bytes()).unwrap()[0];
        let mut package = Package::new(Ecosystem::Npm, "lodash", "4");
        package.location = "front/a/package-lock.json".into();
        assert!(entry.speaks_of(&package, &["CVE-1".into(), "GHSA-a".into()]));
        assert!(!entry.speaks_of(&package, &["CVE-1".into()]));
        package.location = "back/package-lock.json".into();
        assert!(!entry.speaks_of(&package, &["GHSA-a".into()]));
        let day = |d| NaiveDate::from_ymd_opt(2026, 12, d).unwrap();
        assert!(entry.holds_on(day(31)));
        assert!(!entry.holds_on(day(31).succ_opt().unwrap()));
    }

    #[test]
    fn patterns() {
        for (pattern, path, fits) in [
            ("a/*.lock", "a/Cargo.lock", true),
            ("a/*.lock", "a/b/Cargo.lock", false),
            ("a/**", "a/b/Cargo.lock", true),
            ("**/Cargo.lock", "a/b/Cargo.lock", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(glob(pattern, path), fits, "{pattern} {path}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[*?a/]{0,20}", path in "[a/b]{0,20}") {
            let _ = glob(&pattern, &path);
        }
    }
}
