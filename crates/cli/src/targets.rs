//! Targets as given on the command line: each argument, and each line of an `@FILE` or of standard input (`@-`).

use std::io::{BufRead as _, BufReader};

use anyhow::{Context as _, Result, bail};
use bartizan_domain::Target;

/// Bytes read from one target file.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Targets in all.
const MAX_TARGETS: usize = 100_000;

/// A target, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The target.
    pub target: Target,
    /// Whether it stands in a file or on standard input, as one of a list.
    pub in_list: bool,
}

/// How one target is read.
type Parse<'a> = &'a dyn Fn(&str) -> Result<Target, String>;

/// Reads targets. A target file has one a line; `#` begins a comment, empty lines are skipped, and it names no
/// further files.
///
/// # Errors
/// The first bad target, with file and line if it stands in one.
pub fn read(arguments: &[String]) -> Result<Vec<Target>> {
    let given = read_by(arguments, &|text| text.parse())?;
    Ok(given.into_iter().map(|given| given.target).collect())
}

/// The same, each target read by `parse`.
///
/// # Errors
/// As [`read`].
pub fn read_by(arguments: &[String], parse: Parse<'_>) -> Result<Vec<Given>> {
    let mut targets = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some("") => bail!("`@` names no file: @FILE reads targets from a file, @- from standard input"),
            Some(path) => read_file(path, &mut targets, parse)?,
            None if argument == "-" => bail!("`-` is not a target: targets are read from standard input with @-"),
            None => targets.push(Given { target: named(argument, parse)?, in_list: false }),
        }
        if targets.len() > MAX_TARGETS {
            bail!("{} targets: at most {MAX_TARGETS} are allowed", targets.len());
        }
    }
    Ok(targets)
}

/// A target, with a word to whoever forgot the `@` before the name of a file.
fn named(argument: &str, parse: Parse<'_>) -> Result<Target> {
    let is_file = || std::path::Path::new(argument).is_file();
    match parse(argument) {
        Ok(target) => {
            if matches!(target, Target::Domain { port: None, .. }) && is_file() {
                crate::io::say(&format!("`{argument}` is also a file here: to read targets from it, give @{argument}"));
            }
            Ok(target)
        }
        Err(_) if is_file() => bail!("`{argument}` is a file: to read targets from it, give @{argument}"),
        Err(message) => Err(anyhow::Error::msg(message)),
    }
}

fn read_file(path: &str, targets: &mut Vec<Given>, parse: Parse<'_>) -> Result<()> {
    for_each_line(path, |text| {
        targets.push(Given { target: parse(text).map_err(anyhow::Error::msg)?, in_list: true });
        if targets.len() > MAX_TARGETS {
            bail!("more than the {MAX_TARGETS} targets allowed");
        }
        Ok(())
    })
}

/// Hands over each line of a target file that says something; an error gets file and line put before it. The path `-`
/// is standard input.
pub fn for_each_line(path: &str, line_is: impl FnMut(&str) -> Result<()>) -> Result<()> {
    if path == "-" {
        return lines_of("standard input", std::io::stdin().lock(), line_is);
    }
    let file = std::fs::File::open(path).with_context(|| format!("cannot read the target file `{path}`"))?;
    lines_of(path, file, line_is)
}

fn lines_of(name: &str, input: impl std::io::Read, mut line_is: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let mut bounded = BufReader::new(input.take(MAX_FILE + 1));
    let mut line = String::new();
    let (mut number, mut size) = (0, 0);
    loop {
        line.clear();
        let read = bounded.read_line(&mut line).with_context(|| format!("cannot read targets from `{name}`"))?;
        if read == 0 {
            return Ok(());
        }
        number += 1;
        size += read as u64;
        if size > MAX_FILE {
            bail!("`{name}` is larger than the {MAX_FILE} bytes allowed");
        }
        let text = line.split('#').next().unwrap_or_default().trim().trim_start_matches('\u{feff}');
        if !text.is_empty() {
            line_is(text).map_err(|error| anyhow::anyhow!("{name}:{number}: {error:#}"))?;
        }
    }
}
