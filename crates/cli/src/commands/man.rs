//! `bartizan man`: manual pages, made of the arguments. Each command has one, named as the others refer to it.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap_mangen::Man;

use crate::args::{self, ManArgs};
use crate::exit::Exit;
use crate::io;

/// Runs the command.
pub fn run(args: &ManArgs) -> Result<Exit> {
    // `help` is a command of every command and would want a page of each.
    let mut program = args::command().disable_help_subcommand(true);
    program.build();
    match &args.dir {
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot write to `{}`", folder.display()))?;
            let pages = write_all(&program, folder)?;
            io::say(&format!("wrote {pages} pages to {}", folder.display()));
        }
        None => {
            let command = find(&program, &args.command)?;
            io::print(&String::from_utf8(page(&Man::new(command.clone()))?)?)?;
        }
    }
    Ok(Exit::Done)
}

fn find<'c>(program: &'c clap::Command, path: &[String]) -> Result<&'c clap::Command> {
    let mut command = program;
    for name in path {
        let Some(next) = command.find_subcommand(name) else {
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let of = command.get_bin_name().unwrap_or_else(|| command.get_name());
            if known.is_empty() {
                bail!("`{of}` has no command `{name}`: it has none");
            }
            bail!("`{of}` has no command `{name}`: expected {}", known.join(", "));
        };
        command = next;
    }
    Ok(command)
}

fn write_all(command: &clap::Command, folder: &Path) -> Result<usize> {
    let man = Man::new(command.clone());
    let path = folder.join(man.get_filename());
    std::fs::write(&path, page(&man)?).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut pages = 1;
    for sub in command.get_subcommands() {
        pages += write_all(sub, folder)?;
    }
    Ok(pages)
}

fn page(man: &Man) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(page)
}
