//! The commands, one file each.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::io;

mod admin;
mod audit;
mod backup;
mod checks;
mod convert;
mod doctor;
mod feeds;
mod outputs;
mod ports;
mod profiles;
mod scan;
mod serve;
mod worker;

/// Runs the command.
pub fn run(args: Cli) -> Result<Exit> {
    match args.command {
        Command::Scan(scan) => scan::run(&scan),
        Command::Ports(ports) => ports::run(&ports),
        Command::Audit(audit) => audit::run(&audit),
        Command::Explain(explain) => audit::explain::run(&explain),
        Command::Convert(convert) => convert::run(&convert),
        Command::Checks(checks) => checks::run(&checks.command),
        Command::Profiles(list) => profiles::run(&list),
        Command::Feeds(feeds) => feeds::run(&feeds.command),
        Command::Doctor(doctor) => doctor::run(&doctor),
        Command::Serve(serve) => serve::run(&serve),
        Command::Worker(worker) => worker::run(&worker),
        Command::Admin(admin) => admin::run(admin.command),
        Command::Openapi => {
            io::print(&bartizan_http::openapi_json())?;
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "bartizan", &mut script);
            io::print(&String::from_utf8(script)?)?;
            Ok(Exit::Done)
        }
        Command::Man => {
            io::print(&manual()?)?;
            Ok(Exit::Done)
        }
    }
}

/// One page for the program and all its commands.
fn manual() -> Result<String> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let man = clap_mangen::Man::new(sub.clone());
        page.extend_from_slice(format!(".SH \"COMMAND {}\"\n", sub.get_name().to_uppercase()).as_bytes());
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    Ok(String::from_utf8(page)?)
}
