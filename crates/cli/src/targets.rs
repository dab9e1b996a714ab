//! Targets as given on the command line: each argument, and each line of an `@FILE`.

use std::io::{BufRead as _, BufReader, Read as _};

use anyhow::{Context as _, Result, bail};
use bartizan_domain::Target;

/// Bytes read from one target file.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Targets in all.
const MAX_TARGETS: usize = 100_000;

/// Reads targets. A target file has one a line; `#` begins a comment, empty lines are skipped, and it names no
/// further files.
///
/// # Errors
/// The first bad target, with file and line if it stands in one.
pub fn read(arguments: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some("") => bail!("`@` names no file"),
            Some(path) => read_file(path, &mut targets)?,
            None => targets.push(argument.parse::<Target>().map_err(anyhow::Error::msg)?),
        }
        if targets.len() > MAX_TARGETS {
            bail!("{} targets: at most {MAX_TARGETS} are allowed", targets.len());
        }
    }
    Ok(targets)
}

fn read_file(path: &str, targets: &mut Vec<Target>) -> Result<()> {
    for_each_line(path, |text| {
        targets.push(text.parse().map_err(anyhow::Error::msg)?);
        if targets.len() > MAX_TARGETS {
            bail!("more than the {MAX_TARGETS} targets allowed");
        }
        Ok(())
    })
}

/// Hands over each line of a target file that says something; an error gets file and line put before it.
pub fn for_each_line(path: &str, mut line_is: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read the target file `{path}`"))?;
    let mut bounded = BufReader::new(file.take(MAX_FILE + 1));
    let mut line = String::new();
    let (mut number, mut size) = (0, 0);
    loop {
        line.clear();
        let read = bounded.read_line(&mut line).with_context(|| format!("cannot read the target file `{path}`"))?;
        if read == 0 {
            return Ok(());
        }
        number += 1;
        size += read as u64;
        if size > MAX_FILE {
            bail!("the target file `{path}` is larger than the {MAX_FILE} bytes allowed");
        }
        let text = line.split('#').next().unwrap_or_default().trim().trim_start_matches('\u{feff}');
        if !text.is_empty() {
            line_is(text).map_err(|error| anyhow::anyhow!("{path}:{number}: {error:#}"))?;
        }
    }
}
