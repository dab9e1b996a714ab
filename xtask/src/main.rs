//! Development tasks, run as `cargo xtask <task>`.
//!
//! `tidy` proves the invariants of ARCHITECTURE.md on the source tree; `generate` writes what is derived from other
//! files (`--check` only compares); `new-check` scaffolds a check. No task touches the network.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool for developers")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod conformance;
mod generate;
mod new_check;
mod tidy;

/// Development tasks of Bartizan.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the invariants of ARCHITECTURE.md and the text rules.
    Tidy,
    /// Write generated files (docs/checks, the OpenAPI document, TypeScript types).
    Generate {
        /// Compare only; fail if anything is stale.
        #[arg(long)]
        check: bool,
    },
    /// Scaffold a declarative check with its fixtures.
    NewCheck {
        /// Id such as `http.nosniff`.
        id: String,
        /// Category: tls, certificate, web, dns, mail, registration, service or ssh.
        #[arg(long)]
        category: String,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Tidy => tidy::run(&root()),
        Task::Generate { check } => {
            generate::run(&root(), if check { generate::Mode::Check } else { generate::Mode::Write })
        }
        Task::NewCheck { id, category } => new_check::run(&root(), &id, &category),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace root: the parent of this package, wherever the repository was cloned to.
fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}
