//! The program `bartizan`.
//!
//! What is here: arguments, the terminal, files, signals, exit codes, and the wiring of the layers. What is not: any
//! judgement, any connection to a target, any SQL. Start reading at [`args`], then the command's file in `commands/`.
//! Results go to standard output and nothing else does; progress, logs and errors go to standard error.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::process::ExitCode;

mod args;
mod clock;
mod commands;
mod compose;
mod config;
mod exit;
mod io;
mod network;
mod progress;
mod signals;
mod targets;
mod terminal;

use exit::Exit;

fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        // Only possible if something installed one before; ours is the first statement.
        io::complain("another TLS provider was installed first");
    }
    let exit = match parse() {
        Ok(args) => run(args),
        Err(exit) => exit,
    };
    ExitCode::from(exit.code())
}

fn parse() -> Result<args::Cli, Exit> {
    let settled = |error: clap::Error| {
        // Help and version are answers on standard output; everything else is a usage error.
        let asked = !error.use_stderr();
        let printed = error.print();
        match (asked, printed) {
            (true, Err(error)) if error.kind() != std::io::ErrorKind::BrokenPipe => Exit::Failure,
            (true, _) => Exit::Done,
            (false, _) => Exit::Failure,
        }
    };
    let command = config::apply(args::command(), std::env::args_os()).map_err(|error| {
        io::complain(&format!("{error:#}"));
        Exit::Failure
    })?;
    let matches = command.try_get_matches_from(args::nmap::translate(std::env::args_os())).map_err(settled)?;
    args::Cli::from_matches(&matches).map_err(settled)
}

fn run(args: args::Cli) -> Exit {
    // Servers and workers set their log up themselves.
    if !matches!(args.command, args::Command::Serve(_) | args::Command::Worker(_)) {
        terminal::set_up_logging(args.verbose);
    }
    match commands::run(args) {
        Ok(exit) => exit,
        Err(error) if io::is_broken_pipe(&error) => Exit::Done,
        Err(error) => {
            io::complain(&format!("{error:#}"));
            Exit::Failure
        }
    }
}
