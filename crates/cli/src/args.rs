//! Arguments: the one registry of settings.
//!
//! Help, man page, completions, environment variables (`BARTIZAN_…`) and the keys of the configuration file are all
//! derived from these structures. Precedence: flag, environment, file, default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bartizan_domain::{ScanProfile, Severity};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use secrecy::SecretString;

use crate::io::OutputSpec;

pub use audit::{AuditArgs, AuditOutput, ExplainArgs, InventoryArgs};
pub use feeds::{FeedsArgs, FeedsCommand, FetchArgs, ImportArgs};
pub use mail::MailArgs;
use ports::HELP as PORTS_HELP;
pub use ports::{EngineChoice, PortsArgs, ScanLetter};
pub use sign_in::SignInArgs;

mod audit;
mod feeds;
mod mail;
mod ports;
mod sign_in;

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
    #[arg(long, env = "BARTIZAN_ALLOW_PARTIAL", conflicts_with = "strict", help_heading = "Results")]
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
    #[arg(long, help_heading = "Results", conflicts_with_all = ["rejudge", "output"])]
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
pub struct ServeArgs {
    /// Address and port to listen on; anything but loopback asks for a one-time token at setup
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8000", env = "BARTIZAN_LISTEN")]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub server: ServerArgs,

    #[command(flatten)]
    pub jobs: JobArgs,

    #[command(flatten)]
    pub log: LogArgs,

    /// Redis or Valkey to count rate limits in together with other servers: redis://[:PASSWORD@]HOST:PORT (from the environment only)
    #[arg(long, hide = true, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<Secret>,

    /// Attempts to sign in a minute and address
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_SIGN_INS_PER_MINUTE", help_heading = "Limits")]
    pub sign_ins_per_minute: u32,

    /// Writes a minute and user
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_WRITES_PER_MINUTE", help_heading = "Limits")]
    pub writes_per_minute: u32,

    /// Exports and downloads a minute and user
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_EXPORTS_PER_MINUTE", help_heading = "Limits")]
    pub exports_per_minute: u32,

    /// Networks of reverse proxies that are believed when they say whom a request is from (X-Forwarded-For, Forwarded)
    #[arg(long = "trusted-proxy", value_name = "CIDR,…", value_delimiter = ',', value_parser = network, env = "BARTIZAN_TRUSTED_PROXY", help_heading = "Limits")]
    pub trusted_proxies: Vec<ipnet::IpNet>,

    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(16..=1_000_000), env = "BARTIZAN_CONNECTIONS", help_heading = "Limits")]
    pub connections: u32,

    /// Connections at once of one address, trusted proxies excepted
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), env = "BARTIZAN_CONNECTIONS_PER_ADDRESS", help_heading = "Limits")]
    pub connections_per_address: u32,

    /// A second address for monitoring only: /metrics, /livez and /readyz, without credentials
    #[arg(long, value_name = "ADDR:PORT", env = "BARTIZAN_METRICS_LISTEN", help_heading = "Monitoring")]
    pub metrics_listen: Option<SocketAddr>,

    /// Bearer token that reads /metrics on the main address (from the environment only)
    #[arg(long, hide = true, env = "BARTIZAN_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<Secret>,

    #[command(flatten)]
    pub mail: MailArgs,

    /// Load demo data: recorded hosts, marked as demo everywhere
    #[arg(long, env = "BARTIZAN_DEMO")]
    pub demo: bool,

    #[command(flatten)]
    pub sign_in: SignInArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// How servers and workers log, to standard error.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Lines for people or JSON objects
    #[arg(long, value_enum, default_value = "text", env = "BARTIZAN_LOG_FORMAT", help_heading = "Monitoring")]
    pub log_format: LogFormat,

    /// How much of what the program does is logged; changed at run time by PUT /api/system/log-level
    #[arg(long, value_enum, default_value = "info", env = "BARTIZAN_LOG_LEVEL", help_heading = "Monitoring")]
    pub log_level: LogLevel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    /// One object a line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// How background jobs are shared between processes.
#[derive(Debug, Clone, Args)]
pub struct JobArgs {
    /// Seconds after which the jobs of a worker that gave no sign of life are handed on
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600), env = "BARTIZAN_JOB_LEASE")]
    pub job_lease: u64,
}

/// Where the database and the keys are.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Folder of the database and keys
    #[arg(long, value_name = "DIR", default_value = "./bartizan-data", env = "BARTIZAN_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: PathBuf,

    /// PostgreSQL to use in place of SQLite: postgres://USER:PASSWORD@HOST/NAME (from the environment only)
    #[arg(long, hide = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,

    /// File of the keys that stored secrets are sealed with, made where it is missing [default: secret.key in the data folder]
    #[arg(long, value_name = "FILE", env = "BARTIZAN_SECRET_KEY_FILE", value_hint = ValueHint::FilePath)]
    pub secret_key_file: Option<PathBuf>,

    /// The keys themselves, base64 of 32 bytes each, divided by commas, the one that seals first (from the environment only)
    #[arg(long, hide = true, env = "BARTIZAN_SECRET_KEY", hide_env_values = true)]
    pub secret_key: Option<Secret>,
}

/// A value that is not shown, not even in debug output.
#[derive(Debug, Clone)]
pub struct Secret(pub SecretString);

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

#[derive(Debug, Args)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    #[command(flatten)]
    pub jobs: JobArgs,

    #[command(flatten)]
    pub mail: MailArgs,

    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    pub command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Verify the chain of the audit log of every organisation; exits with 1 if it is broken
    VerifyAuditLog {
        /// A link noted down earlier, which must still be there; as printed after `head`
        #[arg(long, value_name = "POSITION:HASH", value_parser = link)]
        expect: Vec<(i64, Vec<u8>)>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Take a new key for stored secrets into use and seal every secret with it; the server may be running
    RotateKey {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Migrate the database to the schema of this version and end, as every start of a server does
    Migrate {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Add a user to the first organisation; the password is read from standard input, one line
    CreateUser {
        /// Name to sign in with
        #[arg(long, value_name = "NAME")]
        username: String,
        /// E-mail address
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Role: admin, analyst, auditor, read_only, or one made in Settings
        #[arg(long, value_name = "ROLE", default_value = "read_only")]
        role: String,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Set a new password of a user, whatever the organisation; it is read from standard input, one line
    ///
    /// Every session of the user ends. The way back in for an administrator who lost the password where no mail is sent.
    ResetPassword {
        /// Name or e-mail address of the user
        #[arg(value_name = "USER")]
        user: String,
        /// Remove the user's second factor as well
        #[arg(long)]
        remove_second_factor: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Turn sign-in with passwords of this program on again, when the other methods let nobody in
    EnablePasswordSignIn {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Write a backup of the database to a file while the server goes on; the keys are not in it
    ///
    /// SQLite: a copy of the database file. PostgreSQL: an archive of pg_dump, which must be installed. Keep signing.key and
    /// secret.key of the data folder as well, at another place: without secret.key, stored secrets cannot be opened.
    Backup {
        /// The file to write; it must not exist
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Put the database of a backup in place; servers and workers must be stopped
    Restore {
        /// A file that `admin backup` wrote
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Replace a database that has data in it
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        server: ServerArgs,
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

/// The whole command tree.
pub fn command() -> clap::Command {
    Cli::command()
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    text.parse::<SocketAddr>()
        .or_else(|_| bare.parse().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| "expected an address with or without a port, such as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

/// An address of the web, kept as it was written.
fn web_address(text: &str) -> Result<String, String> {
    let web = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    match url::Url::parse(text) {
        Ok(url) if web(&url) => Ok(text.to_owned()),
        _ => Err("expected an http or https URL, such as https://rdap.example/dns.json".to_owned()),
    }
}

/// A host with or without a port, kept as it was written; it may be a name of the local network, without a dot.
fn host_port(text: &str) -> Result<String, String> {
    let rule = || "expected a host with or without a port, such as whois.example or 192.0.2.43:4343".to_owned();
    let url = url::Url::parse(&format!("http://{text}/")).map_err(|_| rule())?;
    let bare = url.path() == "/" && url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    if url.has_host() && bare && !text.contains(['/', '@', ' ']) { Ok(text.to_owned()) } else { Err(rule()) }
}

/// A whole number; its bounds belong to the setting.
fn whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a whole number".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let rule = || "expected a number of seconds, or a number with s, m or h, greater than 0".to_owned();
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(rule()),
    };
    let seconds: u32 = number.parse().map_err(|_| rule())?;
    match seconds.checked_mul(factor) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(u64::from(seconds))),
        _ => Err(rule()),
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let text = text.trim();
    let network = text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from));
    network.ok_or_else(|| format!("`{text}` is neither an address nor a network such as 10.0.0.0/8"))
}

/// A link of the audit log: its position and its hash.
fn link(text: &str) -> Result<(i64, Vec<u8>), String> {
    let expected = || format!("`{text}` is not a position, a colon and 64 hexadecimal digits");
    let (position, hash) = text.split_once(':').ok_or_else(expected)?;
    let position = position.parse().ok().filter(|position| *position > 0).ok_or_else(expected)?;
    let hash = hex::decode(hash).ok().filter(|hash| hash.len() == 32).ok_or_else(expected)?;
    Ok((position, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn resolvers_and_times_are_read_in_every_form() {
        for (text, expected) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            assert_eq!(resolver(text).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(resolver("dns.example").is_err());
        for text in ["whois.example", "whois:4343", "192.0.2.43", "[2001:db8::43]:43"] {
            assert_eq!(host_port(text).unwrap(), text);
        }
        for text in ["", "a b", "a/b", "whois.example:port", "me@whois.example", "2001:db8::43"] {
            assert!(host_port(text).is_err(), "{text}");
        }
        assert!(web_address("https://rdap.example/dns.json").is_ok());
        for text in ["", "foo", "ftp://rdap.example/", "file:///etc/passwd"] {
            assert!(web_address(text).is_err(), "{text}");
        }
        for (text, seconds) in [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "0", "5d", "-1", "m", "99999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
