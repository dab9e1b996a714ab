//! Arguments of `bartizan feeds`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::ListArgs;

#[derive(Debug, Args)]
pub struct FeedsArgs {
    #[command(subcommand)]
    pub command: FeedsCommand,
}

#[derive(Debug, Subcommand)]
pub enum FeedsCommand {
    /// Read files and folders of vulnerability data into the store; what they are is recognised by their content
    Import(ImportArgs),
    /// Download sources into the store; those that have not changed are left alone
    Fetch(FetchArgs),
    /// List the sources in the store
    List {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Say what is old, failed or missing; ends with 3 if something is
    Status {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        list: ListArgs,
        /// Hours after which a source is old
        #[arg(long, value_name = "HOURS", default_value_t = 48)]
        max_age: u32,
    },
    /// List the sources that can be fetched
    Sources {
        #[command(flatten)]
        list: ListArgs,
        /// Sources in place of the built-in ones (TOML as content/feeds/sources.toml)
        #[arg(long, value_name = "FILE", env = "BARTIZAN_FEED_SOURCES", value_hint = ValueHint::FilePath)]
        sources: Option<PathBuf>,
    },
    /// Remove sources from the store
    Remove {
        /// Names as `feeds list` shows them
        #[arg(required = true, value_name = "SOURCE")]
        sources: Vec<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// Where the vulnerability data is.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Folder of the vulnerability data
    #[arg(long, value_name = "DIR", default_value = "./bartizan-data/feeds", env = "BARTIZAN_STORE", value_hint = ValueHint::DirPath)]
    pub store: PathBuf,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files (plain, .gz, .zst, .bz2, .xz, .tar.*, .zip) and folders
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub store: StoreArgs,

    /// Name of the source in the store [default: by format and file name]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// Add to what the source has and replace records of the same id, instead of replacing the source
    #[arg(long)]
    pub update: bool,

    /// Accept a source that has fewer than half of the records it had, or data of an earlier day (EPSS)
    #[arg(long)]
    pub accept_shrinking: bool,

    /// The sources are complete for the ecosystems they speak of, however few records they have
    #[arg(long)]
    pub complete: bool,

    /// No progress on standard error
    #[arg(short, long, env = "BARTIZAN_QUIET")]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Sources or groups of them, see `feeds sources` [default: those marked as default]
    #[arg(value_name = "SOURCE")]
    pub names: Vec<String>,

    #[command(flatten)]
    pub store: StoreArgs,

    /// Sources in place of the built-in ones (TOML as content/feeds/sources.toml)
    #[arg(long, value_name = "FILE", env = "BARTIZAN_FEED_SOURCES", value_hint = ValueHint::FilePath)]
    pub sources: Option<PathBuf>,

    /// Accept a source that has fewer than half of the records it had, or data of an earlier day (EPSS)
    #[arg(long)]
    pub accept_shrinking: bool,

    /// Allow addresses of private networks, for a mirror of one's own
    #[arg(long, env = "BARTIZAN_FEEDS_ALLOW_PRIVATE")]
    pub allow_private: bool,

    /// Root certificates to trust beside the built-in ones (PEM)
    #[arg(long, value_name = "FILE", env = "BARTIZAN_CA_FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,

    /// No progress on standard error
    #[arg(short, long, env = "BARTIZAN_QUIET")]
    pub quiet: bool,
}
