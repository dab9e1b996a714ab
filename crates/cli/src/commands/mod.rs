//! The commands, one file each.

use anyhow::Result;

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
mod man;
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
            clap_complete::generate(shell, &mut crate::args::command(), "bartizan", &mut script);
            io::print(&String::from_utf8(script)?)?;
            Ok(Exit::Done)
        }
        Command::Man(man) => man::run(&man),
    }
}
