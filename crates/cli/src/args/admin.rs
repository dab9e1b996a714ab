//! Arguments of `bartizan admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::ServerArgs;
use super::values::link;

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
    /// Every session of the user ends, and the API keys are revoked. The way back in for an administrator who lost the
    /// password where no mail is sent.
    ResetPassword {
        /// Name or e-mail address of the user
        #[arg(value_name = "USER")]
        user: String,
        /// Remove the user's second factor as well
        #[arg(long)]
        remove_second_factor: bool,
        /// Leave the user's API keys as they are
        #[arg(long)]
        keep_api_keys: bool,
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
        /// Leave sessions, API keys and links as the backup has them, those taken back since it was made included
        #[arg(long)]
        keep_access: bool,
        #[command(flatten)]
        server: ServerArgs,
    },
}
