//! Arguments of `bartizan serve` and `bartizan worker`, and where their data and keys are.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use secrecy::SecretString;

use super::values::network;
use super::{MailArgs, NetworkArgs, SignInArgs};

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

    #[command(flatten)]
    pub monitoring: MonitoringArgs,

    /// Bearer token that reads /metrics on the main address (from the environment only)
    #[arg(long, hide = true, env = "BARTIZAN_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<Secret>,

    #[command(flatten)]
    pub mail: MailArgs,

    /// Work with the keys at hand even if the database was used with others, which are lost: secrets that only those open
    /// must be entered again
    #[arg(long)]
    pub accept_new_keys: bool,
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
    pub monitoring: MonitoringArgs,

    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// How the process is watched.
#[derive(Debug, Args)]
pub struct MonitoringArgs {
    /// An address for monitoring only: /metrics, /livez and /readyz, without credentials
    #[arg(long, value_name = "ADDR:PORT", env = "BARTIZAN_METRICS_LISTEN", help_heading = "Monitoring")]
    pub metrics_listen: Option<SocketAddr>,
}
