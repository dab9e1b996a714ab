//! `requirements.txt` and files like it, as pip reads them.
//!
//! Rules: pip's "Requirements File Format" and PEP 508/440. Only a pin (`==` with a full version, or `===`) tells a
//! version; every other requirement is reported as a gap. Continuation lines, comments, hashes, extras and markers are
//! understood.
//!
//! Files named by `-r` are read in their place, at most [`MAX_FILES`] of them, each once; one that cannot be read is a gap.
//!
//! Not supported: `-c` (constraints install nothing; what they pin is a gap where it is required without a version),
//! addresses in `-r`, environment variables in lines.

use std::collections::BTreeSet;

use bartizan_matching::model::{Ecosystem, Package};

use crate::component::{Collector, ReadError, Reading, utf8};

/// Longest joined line, in bytes: a package with hundreds of hashes stays far below.
const MAX_LINE: usize = 256 * 1024;

/// Most files that one names by `-r`, directly or through others.
pub const MAX_FILES: usize = 100;

/// Another file of requirements, by its path relative to the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Included {
    /// Its content.
    Content(Vec<u8>),
    /// It is an inventory of its own and is read where it lies.
    Elsewhere,
    /// It cannot be read.
    Missing,
}

/// Finds the file that `-r` names.
pub type LoadIncluded<'l> = &'l mut dyn FnMut(&str) -> Included;

/// Reads a requirements file and those it names. Linear in their size.
///
/// # Errors
/// If it is not text.
pub fn read(bytes: &[u8], load: LoadIncluded<'_>) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    let mut seen = BTreeSet::new();
    let mut waiting = lines(utf8(bytes)?, "", &mut collector);
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if seen.len() > MAX_FILES {
            collector.gap(path, format!("more than {MAX_FILES} files are named by `-r`"));
            break;
        }
        match load(&path) {
            Included::Elsewhere => {}
            Included::Missing => collector.gap(path, "named by `-r` and cannot be read"),
            Included::Content(bytes) => match utf8(&bytes) {
                Ok(text) => waiting.extend(lines(text, folder(&path), &mut collector)),
                Err(_) => collector.gap(path, "named by `-r` and no text"),
            },
        }
    }
    collector.finish()
}

/// The folder of a path, with the `/` behind it, or nothing.
fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// Takes the requirements of a file; its `-r` are returned, relative to the first file.
fn lines(text: &str, folder: &str, collector: &mut Collector) -> Vec<String> {
    let mut included = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        let line = without_comment(line);
        if let Some(begun) = line.strip_suffix('\\') {
            if joined.len() + begun.len() <= MAX_LINE {
                joined.push_str(begun);
            }
            continue;
        }
        joined.push_str(line);
        requirement(joined.trim(), folder, collector, &mut included);
        joined.clear();
    }
    requirement(joined.trim(), folder, collector, &mut included);
    included
}

/// A comment begins at the start of a line or after white space.
fn without_comment(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    let begin =
        line.char_indices().zip(line.chars().skip(1)).find(|((_, blank), c)| blank.is_whitespace() && *c == '#');
    begin.map_or(line, |((at, _), _)| &line[..at]).trim_end()
}

fn requirement(line: &str, folder: &str, collector: &mut Collector, included: &mut Vec<String>) {
    if line.is_empty() {
        return;
    }
    if line.starts_with('-') {
        let other = ["--requirement", "-r"].iter().find_map(|option| line.strip_prefix(option));
        if let Some(path) = other.map(|rest| rest.trim_start_matches(['=', ' ', '\t']).trim_matches('"')) {
            if path.contains("://") {
                collector.gap(path, "requirements at an address are not read");
            } else if path.starts_with('/') {
                included.push(path.to_owned());
            } else if !path.is_empty() {
                included.push(format!("{folder}{path}"));
            }
            return;
        }
        if let Some(target) = line.strip_prefix("-e").or_else(|| line.strip_prefix("--editable")) {
            collector.gap(target.trim_start_matches(['=', ' ']), "an editable install names no version");
        }
        return;
    }
    // Per-requirement options follow the marker: `x==1 ; marker --hash=…`.
    let line = line.split(" --").next().unwrap_or(line);
    let line = line.split(';').next().unwrap_or(line).trim();
    let name_end =
        line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(name_end);
    if name.is_empty() || rest.starts_with([':', '/', '\\', '+']) {
        return collector.gap(line, "not a requirement by name");
    }
    rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']').map_or("", |(_, after)| after).trim_start();
    }
    if rest.starts_with('@') {
        return collector.gap(name, "taken from an address, which names no version");
    }
    let specifiers = rest.trim_start_matches('(').trim_end_matches(')');
    let pin = specifiers.split(',').find_map(|specifier| {
        let specifier = specifier.trim();
        specifier.strip_prefix("===").or_else(|| specifier.strip_prefix("==")).map(str::trim)
    });
    match pin {
        Some(version) if !version.is_empty() && !version.contains('*') && !version.contains(char::is_whitespace) => {
            collector.push(Package::new(Ecosystem::PyPi, name, version));
        }
        _ => collector.gap(name, "not pinned to one version"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "# comment\n-r other.txt\n--index-url https://pypi.example/simple\n\
        Django==4.2.1  # pinned\nrequests[security,socks] == 2.20.0 ; python_version < '3.12'\n\
        urllib3>=1.26,<2\nflask\npyyaml==5.*\n\
        cryptography==41.0.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n\
        odd===1.0-custom\nforked @ git+https://git.example/forked.git@main#egg=forked\n\
        git+https://git.example/other.git\n./local\n-e ./editable\nlast==1.0";

    /// Reads without any other file.
    fn alone(bytes: &[u8]) -> Result<Reading, ReadError> {
        read(bytes, &mut |_| Included::Elsewhere)
    }

    #[test]
    fn files_named_by_others_are_read_once() {
        let mut asked = Vec::new();
        let reading = read(b"-r base.txt\n--requirement=sub/dev.txt\n-r there.txt\na==1", &mut |path| {
            asked.push(path.to_owned());
            match path {
                "base.txt" => Included::Content(b"Django==4.2\n-r base.txt\n-r https://x.example/r.txt".to_vec()),
                "sub/dev.txt" => Included::Content(b"-r more.txt\nb==2".to_vec()),
                "there.txt" => Included::Elsewhere,
                _ => Included::Missing,
            }
        })
        .unwrap();
        asked.sort();
        assert_eq!(asked, ["base.txt", "sub/dev.txt", "sub/more.txt", "there.txt"]);
        let names: Vec<&str> = reading.packages.iter().map(|p| &*p.name).collect();
        assert_eq!(names, ["Django", "a", "b"]);
        let gaps: Vec<&str> = reading.gaps.iter().map(|gap| gap.subject.as_str()).collect();
        assert_eq!(gaps, ["https://x.example/r.txt", "sub/more.txt"]);
    }

    #[test]
    fn pins_are_packages_and_the_rest_is_gaps() {
        let reading = alone(FILE.as_bytes()).unwrap();
        let rows: Vec<String> = reading.packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
        assert_eq!(rows, ["Django 4.2.1", "cryptography 41.0.0", "last 1.0", "odd 1.0-custom", "requests 2.20.0"]);
        let gaps: Vec<&str> = reading.gaps.iter().map(|gap| gap.subject.as_str()).collect();
        assert_eq!(
            gaps,
            ["./editable", "./local", "flask", "forked", "git+https://git.example/other.git", "pyyaml", "urllib3"]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = alone(text.as_bytes());
        }

        #[test]
        fn damaged_input_never_panics(at in 0..FILE.len(), byte in any::<u8>()) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = alone(&bytes);
        }
    }
}
