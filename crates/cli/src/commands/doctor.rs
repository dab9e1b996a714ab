//! `bartizan doctor`: what this machine allows and lacks.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bartizan_catalog::Catalog;
use bartizan_domain::Clock as _;
use bartizan_domain::evidence::Observation;
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use chrono::Datelike as _;

use super::profiles::{plain_table, trimmed};
use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::io;
use crate::terminal::SystemClock;

/// Open files a scan at the greatest concurrency can use.
const FILES_WANTED: u64 = 4096;
/// `CAP_NET_RAW` in the capability masks of Linux.
const CAP_NET_RAW: u64 = 13;
/// A name that exists as long as the DNS does (RFC 8806 lists it).
const WELL_KNOWN_NAME: &str = "a.root-servers.net";

enum State {
    Ok,
    Note,
    Bad,
}

/// Runs the command.
pub fn run(args: &DoctorArgs) -> Result<Exit> {
    let findings = [
        ("version", State::Ok, version()),
        named("raw sockets", raw_sockets()),
        named("open files", open_files()),
        named("clock", clock()),
        named("resolver", resolver(args.resolver)?),
        named("data folder", data_folder(&args.data_dir)),
    ];
    let mut table = plain_table(["", "WHAT", "FOUND"]);
    let mut bad = false;
    for (what, state, text) in findings {
        let mark = match state {
            State::Ok => "ok",
            State::Note => "note",
            State::Bad => "BAD",
        };
        bad |= matches!(state, State::Bad);
        table.add_row([mark, what, &text]);
    }
    io::print(&trimmed(&table))?;
    Ok(if bad { Exit::Failure } else { Exit::Done })
}

fn named(what: &'static str, (state, text): (State, String)) -> (&'static str, State, String) {
    (what, state, text)
}

fn version() -> String {
    let catalog = Catalog::builtin();
    format!(
        "bartizan {}, catalogue {} with {} checks",
        env!("CARGO_PKG_VERSION"),
        catalog.version(),
        catalog.checks().count()
    )
}

fn raw_sockets() -> (State, String) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    match mask {
        Some(mask) if mask >> CAP_NET_RAW & 1 == 1 => (State::Ok, "allowed".to_owned()),
        Some(_) => (State::Note, "not allowed (no CAP_NET_RAW): ports are scanned by ordinary connections".to_owned()),
        None => (State::Note, "it cannot be found out on this system".to_owned()),
    }
}

fn open_files() -> (State, String) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if most >= FILES_WANTED {
        (State::Ok, format!("{now}, may be raised to {most}"))
    } else {
        (State::Note, format!("at most {most}: scans at high concurrency will be slower; {FILES_WANTED} are enough"))
    }
}

fn clock() -> (State, String) {
    let now = SystemClock.now();
    let text = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    // Certificates cannot be judged by a clock that stands before the program was written.
    if (2026..2100).contains(&now.year()) {
        (State::Ok, text)
    } else {
        (State::Bad, format!("{text} cannot be right; certificates and registrations would be misjudged"))
    }
}

fn resolver(resolver: Option<SocketAddr>) -> Result<(State, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, ..Settings::default() });
    let mut context = ProbeContext::new(outbound, Arc::new(SystemClock));
    context.timeout = Duration::from_secs(5);
    context.dns.resolver = resolver;
    let name = resolver.map_or_else(|| "the system's resolver".to_owned(), |address| address.to_string());
    let found = runtime.block_on(bartizan_probes::resolve::addresses(&context, WELL_KNOWN_NAME));
    Ok(match found {
        Observation::Observed(addresses) if !addresses.is_empty() => (State::Ok, format!("{name} answers")),
        Observation::Failed(failure) => {
            let text = format!(
                "{name} resolves no names ({}): only addresses can be scanned, or name a resolver with --resolver",
                failure.detail
            );
            (State::Note, text)
        }
        _ => (State::Note, format!("{name} answers, but does not know {WELL_KNOWN_NAME}: a private network?")),
    })
}

fn data_folder(folder: &Path) -> (State, String) {
    let shown = folder.display();
    let existing = folder.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    match tempfile::tempfile_in(existing) {
        Ok(_) if existing == folder => (State::Ok, format!("{shown} is writable")),
        Ok(_) => (State::Ok, format!("{shown} can be created")),
        Err(error) => (State::Bad, format!("{shown} cannot be written: {error}")),
    }
}
