//! The configuration file: lends defaults to arguments.
//!
//! `[scan]` with `profile = "full"`, `checks = ["tls.*"]`, `no-whois = true` and so on: a table is a command, a key a
//! flag. Because a value becomes the argument's *default*, environment and command line win by clap's own rules.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Command;
use toml::{Table, Value};

use crate::io::read_text;

/// Bytes of a configuration file.
const MAX_SIZE: u64 = 1024 * 1024;

/// The command tree with the defaults of the configuration file named by `--config` or `BARTIZAN_CONFIG`, if any.
pub fn apply(mut command: Command, arguments: impl Iterator<Item = OsString>) -> Result<Command> {
    let Some(path) = file_named(arguments) else { return Ok(command) };
    let name = path.display();
    let text = read_text(&path, "configuration file", MAX_SIZE)?;
    let tables: Table = text.parse().with_context(|| format!("the configuration file {name}"))?;
    for (section, value) in tables {
        let Value::Table(table) = value else {
            bail!("the configuration file {name}: `{section}` is outside a table such as [scan]");
        };
        let Some(sub) = command.find_subcommand(&section) else {
            bail!("the configuration file {name}: [{section}] is not a command");
        };
        let mut sub = sub.clone();
        for (key, value) in table {
            sub = with_default(sub, &section, &key, value).with_context(|| format!("the configuration file {name}"))?;
        }
        command = command.mut_subcommand(section, |_| sub);
    }
    Ok(command)
}

fn with_default(command: Command, section: &str, key: &str, value: Value) -> Result<Command> {
    let id = command.get_arguments().find(|argument| argument.get_long() == Some(key)).map(|a| a.get_id().clone());
    let Some(id) = id else { bail!("[{section}] has no setting `{key}`") };
    let values = match value {
        Value::Array(items) => items.into_iter().map(scalar).collect::<Option<Vec<_>>>(),
        single => scalar(single).map(|text| vec![text]),
    };
    let Some(values) = values else { bail!("[{section}] `{key}` must be text, a number, true, false or a list") };
    Ok(command.mut_arg(id, |argument| argument.default_values(values)))
}

fn scalar(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// `--config` must be known before the arguments can be parsed.
fn file_named(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--config") => return arguments.next().map(PathBuf::from),
            Some("--") => break,
            Some(text) => {
                if let Some(path) = text.strip_prefix("--config=") {
                    return Some(PathBuf::from(path));
                }
            }
            None => {}
        }
    }
    std::env::var_os("BARTIZAN_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from)
}
