//! Arguments: the one registry of settings.
//!
//! Help, man page, completions, environment variables (`BARTIZAN_…`) and the keys of the configuration file are all
//! derived from these structures. Precedence: flag, environment, file, default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bartizan_domain::{ScanProfile, Severity};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint};

use crate::io::OutputSpec;

pub use admin::{AdminArgs, AdminCommand};
pub use audit::{AuditArgs, AuditOutput, ExplainArgs, InventoryArgs};
pub use feeds::{FeedsArgs, FeedsCommand, FetchArgs, ImportArgs};
pub use mail::MailArgs;
use ports::HELP as PORTS_HELP;
pub use ports::{EngineChoice, PortsArgs, ScanLetter};
use precedence::drop_leniency_or_strictness;
pub use server::{JobArgs, LogArgs, LogFormat, LogLevel, MonitoringArgs, Secret, ServeArgs, ServerArgs, WorkerArgs};
pub use sign_in::SignInArgs;
use values::{duration, host_port, resolver, web_address, whole};

mod admin;
mod audit;
mod feeds;
mod mail;
pub mod nmap;
mod ports;
mod precedence;
mod server;
mod sign_in;
mod values;

/// Finds what an attacker can reach, and says how to fix it.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, max_term_width = 110, after_help = crate::exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// Read settings from this TOML file: one table per command, keys as the flags without `--`
    #[arg(long, global = true, value_name = "FILE", env = "BARTIZAN_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Log more to standard error; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan targets from here, with no server and no database
    #[command(after_help = crate::exit::HELP)]
    Scan(Box<ScanArgs>),
    /// Find open ports, and what speaks on them
    #[command(after_help = PORTS_HELP)]
    Ports(Box<PortsArgs>),
    /// Find vulnerable packages in lock files, SBOM documents and package databases
    #[command(after_help = crate::exit::HELP)]
    Audit(Box<AuditArgs>),
    /// Say why a vulnerability holds for a package, or why not
    Explain(Box<ExplainArgs>),
    /// Render a saved scan to other formats, or judge it again
    Convert(ConvertArgs),
    /// List and explain the checks
    Checks(ChecksArgs),
    /// List the scan profiles
    Profiles(ListArgs),
    /// Import, fetch and list vulnerability data
    Feeds(FeedsArgs),
    /// Examine this machine: privileges, limits, resolver, clock, data folder
    Doctor(DoctorArgs),
    /// Run the server: web interface, API, worker and scheduler in one process
    Serve(Box<ServeArgs>),
    /// Run only the worker and scheduler, beside servers on the same PostgreSQL
    Worker(Box<WorkerArgs>),
    /// Look after a server's data, on the machine it is on
    Admin(AdminArgs),
    /// Print the OpenAPI document of the server
    Openapi,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page, or write them all to a folder
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Domains, https:// URLs, addresses, CIDRs, ranges, host:port; @FILE reads more, one a line, # begins a comment; @-
    /// reads them from standard input
    #[arg(required = true, value_name = "TARGET", value_hint = ValueHint::Hostname)]
    pub targets: Vec<String>,

    /// How deep: quick, full or custom
    #[arg(
        long,
        value_name = "PROFILE",
        default_value = "quick",
        env = "BARTIZAN_PROFILE",
        help_heading = "What to scan"
    )]
    pub profile: ScanProfile,

    /// TCP ports: 22,80,8000-8100, top:100, or - for all
    #[arg(
        short,
        long,
        value_name = "SPEC",
        env = "BARTIZAN_PORTS",
        allow_hyphen_values = true,
        help_heading = "What to scan"
    )]
    pub ports: Option<String>,

    /// UDP ports: a list, or common for those with a known request
    #[arg(long, value_name = "SPEC", env = "BARTIZAN_UDP_PORTS", help_heading = "What to scan")]
    pub udp_ports: Option<String>,

    /// Run only these checks: ids or groups such as tls.*; replaces the profile's choice
    #[arg(long, value_name = "ID,…", value_delimiter = ',', env = "BARTIZAN_CHECKS", help_heading = "What to scan")]
    pub checks: Vec<String>,

    /// Leave these checks out
    #[arg(long, value_name = "ID,…", value_delimiter = ',', env = "BARTIZAN_SKIP", help_heading = "What to scan")]
    pub skip: Vec<String>,

    /// Do not scan ports; web checks then try 80, 443, 8080 and 8443
    #[arg(long, env = "BARTIZAN_NO_PORT_SCAN", help_heading = "What to scan")]
    pub no_port_scan: bool,

    /// No TLS, certificate and web checks
    #[arg(long, env = "BARTIZAN_NO_WEB", help_heading = "What to scan")]
    pub no_web: bool,

    /// No DNS and mail-policy checks
    #[arg(long, env = "BARTIZAN_NO_DNS", help_heading = "What to scan")]
    pub no_dns: bool,

    /// No registration look-ups by RDAP and WHOIS
    #[arg(long, env = "BARTIZAN_NO_WHOIS", help_heading = "What to scan")]
    pub no_whois: bool,

    /// Refuse private, loopback and link-local addresses (cloud metadata services are refused always)
    #[arg(long, env = "BARTIZAN_PUBLIC_ONLY", help_heading = "What to scan")]
    pub public_only: bool,

    /// Scan at most this many hosts; 0 means all
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole, env = "BARTIZAN_MAX_HOSTS", help_heading = "What to scan")]
    pub max_hosts: u32,

    #[command(flatten)]
    pub results: ResultArgs,

    /// End with 0 although the scan has gaps
    #[arg(long, env = "BARTIZAN_ALLOW_PARTIAL", help_heading = "Results")]
    pub allow_partial: bool,

    /// Gaps count more than findings: end with 3 rather than 1
    #[arg(long, env = "BARTIZAN_STRICT", help_heading = "Results")]
    pub strict: bool,

    /// How TCP ports are asked: syn needs CAP_NET_RAW, connect nothing, auto takes the best there is
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_ENGINE", help_heading = "Pace")]
    pub engine: EngineChoice,

    /// Probes in flight, 1 to 200 [default: 20]
    #[arg(long, value_name = "N", value_parser = whole, env = "BARTIZAN_CONCURRENCY", help_heading = "Pace")]
    pub concurrency: Option<u32>,

    /// Seconds one probe may take, 1 to 120 [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = whole, env = "BARTIZAN_TIMEOUT", help_heading = "Pace")]
    pub timeout: Option<u32>,

    /// Time the whole scan may take: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", value_parser = duration, env = "BARTIZAN_MAX_TIME", help_heading = "Pace")]
    pub max_time: Option<Duration>,

    /// Progress on standard error
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_PROGRESS", help_heading = "Pace")]
    pub progress: ProgressMode,

    /// No progress and no summary on standard error
    #[arg(short, long, env = "BARTIZAN_QUIET", help_heading = "Pace")]
    pub quiet: bool,

    /// DNSSEC root anchors to trust in place of IANA's: DS or DNSKEY records, one a line
    #[arg(long, value_name = "FILE", env = "BARTIZAN_TRUST_ANCHOR", value_hint = ValueHint::FilePath, help_heading = "Private networks")]
    pub trust_anchor: Option<PathBuf>,

    /// Root certificates to trust beside the built-in ones (PEM)
    #[arg(long, value_name = "FILE", env = "BARTIZAN_CA_FILE", value_hint = ValueHint::FilePath, help_heading = "Private networks")]
    pub ca_file: Option<PathBuf>,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Where the public data sources are, for networks that have their own.
#[derive(Debug, Clone, Args)]
pub struct NetworkArgs {
    /// Resolver to ask, ADDRESS or ADDRESS:PORT [default: the system's]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = resolver, env = "BARTIZAN_RESOLVER", help_heading = "Private networks")]
    pub resolver: Option<SocketAddr>,

    /// Port of authoritative name servers, for zone transfers
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 53,
        hide = true,
        env = "BARTIZAN_AUTHORITATIVE_PORT",
        help_heading = "Private networks"
    )]
    pub authoritative_port: u16,

    /// Bootstrap file of registration data, in place of IANA's
    #[arg(long, value_name = "URL", value_parser = web_address, env = "BARTIZAN_RDAP_BOOTSTRAP", value_hint = ValueHint::Url, help_heading = "Private networks")]
    pub rdap_bootstrap: Option<String>,

    /// WHOIS server asked first, in place of IANA's
    #[arg(long, value_name = "HOST[:PORT]", value_parser = host_port, env = "BARTIZAN_WHOIS_SERVER", help_heading = "Private networks")]
    pub whois_server: Option<String>,
}

/// Where results go and what they mean for the exit code.
#[derive(Debug, Args)]
pub struct ResultArgs {
    /// Write results as table, json, jsonl, csv, sarif, html or evidence, to a file or standard output; may be repeated
    /// [default: table]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", env = "BARTIZAN_OUTPUT", help_heading = "Results")]
    pub output: Vec<OutputSpec>,

    /// End with 1 if anything of this severity or worse is found: critical, high, medium, low, info
    #[arg(long, value_name = "SEVERITY", env = "BARTIZAN_FAIL_ON", help_heading = "Results")]
    pub fail_on: Option<Severity>,

    /// Colours in the table; NO_COLOR is honoured
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_COLOR", help_heading = "Results")]
    pub color: ColorMode,
}

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// A scan saved with -o json, -o jsonl or -o evidence; - reads standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    #[command(flatten)]
    pub results: ResultArgs,

    /// Judge the evidence again with this program's checks; needs an evidence file
    #[arg(long, help_heading = "Results")]
    pub rejudge: bool,

    /// Print the evidence of each host as JSON instead of results: what fixtures of checks are made from
    #[arg(long, help_heading = "Results", conflicts_with = "rejudge")]
    pub print_evidence: bool,
}

#[derive(Debug, Args)]
pub struct ChecksArgs {
    #[command(subcommand)]
    pub command: ChecksCommand,
}

#[derive(Debug, Subcommand)]
pub enum ChecksCommand {
    /// List the checks
    List {
        #[command(flatten)]
        list: ListArgs,
        /// Only this category: tls, certificate, web, dns, mail, registration, service, ssh
        #[arg(long, value_name = "CATEGORY")]
        category: Option<String>,
    },
    /// Explain one check: what it looks at, why it matters, how to fix it
    Explain {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// How to print the list
    #[arg(long, value_enum, default_value = "table")]
    pub format: ListFormat,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Command to print the page of, such as scan or checks list [default: the program]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,

    /// Write one page per command to this folder, made where it is missing; `man -l DIR/bartizan.1` reads one
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Folder the server would keep its data in
    #[arg(long, value_name = "DIR", default_value = "./bartizan-data", env = "BARTIZAN_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: PathBuf,

    /// Resolver to ask, ADDRESS or ADDRESS:PORT [default: the system's]
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = resolver, env = "BARTIZAN_RESOLVER")]
    pub resolver: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// Bars on a terminal, plain lines otherwise
    Auto,
    Bar,
    /// One line per phase
    Plain,
    /// JSON Lines
    Json,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorMode {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// The arguments that were parsed, without what others overrule.
    pub fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let Some((_, matches)) = matches.subcommand() else { return Ok(cli) };
        match &mut cli.command {
            Command::Ports(args) => args.drop_overruled(matches),
            Command::Convert(args) => args.drop_overruled(matches)?,
            Command::Scan(args) => drop_leniency_or_strictness(&mut args.allow_partial, &mut args.strict, matches)?,
            Command::Audit(args) => drop_leniency_or_strictness(&mut args.allow_partial, &mut args.strict, matches)?,
            _ => {}
        }
        Ok(cli)
    }
}

/// The whole command tree.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        command().debug_assert();
    }
}
