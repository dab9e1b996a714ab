//! The mail server, where the operator gives one in place of the web interface's settings.

use std::path::PathBuf;

use anyhow::{Result, bail};
use bartizan_services::mail::{self, GivenMail, MailSettings, Security};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::Secret;
use crate::io::read_text;

/// Bytes of a file with a password or with certificates.
const MAX_FILE: u64 = 64 * 1024;

/// Mail: given here, it is not changed in Settings.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail (else it is set in Settings)")]
pub struct MailArgs {
    /// Mail server that invitations and links for new passwords are sent by
    #[arg(long, value_name = "HOST", env = "BARTIZAN_MAIL_HOST")]
    pub mail_host: Option<String>,

    /// Its port
    #[arg(long, value_name = "PORT", default_value_t = 587, value_parser = clap::value_parser!(u16).range(1..), env = "BARTIZAN_MAIL_PORT")]
    pub mail_port: u16,

    /// How the connection is protected
    #[arg(long, value_enum, default_value = "starttls", env = "BARTIZAN_MAIL_SECURITY")]
    pub mail_security: MailSecurity,

    /// Name to sign in with
    #[arg(long, value_name = "NAME", env = "BARTIZAN_MAIL_USERNAME")]
    pub mail_username: Option<String>,

    /// Password (from the environment only)
    #[arg(long, hide = true, env = "BARTIZAN_MAIL_PASSWORD", hide_env_values = true)]
    pub mail_password: Option<Secret>,

    /// File with the password
    #[arg(long, value_name = "FILE", env = "BARTIZAN_MAIL_PASSWORD_FILE")]
    pub mail_password_file: Option<PathBuf>,

    /// Address of the sender of every mail
    #[arg(long, value_name = "ADDRESS", env = "BARTIZAN_MAIL_FROM")]
    pub mail_from: Option<String>,

    /// Name of the sender
    #[arg(long, value_name = "NAME", default_value = "Bartizan", env = "BARTIZAN_MAIL_FROM_NAME")]
    pub mail_from_name: String,

    /// Certificates in PEM to be believed beside the public ones, for a mail server of a private authority
    #[arg(long, value_name = "FILE", env = "BARTIZAN_MAIL_CA_FILE")]
    pub mail_ca_file: Option<PathBuf>,

    /// Address of this server as people reach it: links in mails begin with it
    #[arg(long, value_name = "URL", env = "BARTIZAN_BASE_URL")]
    pub base_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MailSecurity {
    /// TLS after STARTTLS, without which nothing is sent
    Starttls,
    /// TLS from the first byte
    Tls,
    /// None; a name and password are not sent then
    None,
}

impl From<MailSecurity> for Security {
    fn from(security: MailSecurity) -> Self {
        match security {
            MailSecurity::Starttls => Self::Starttls,
            MailSecurity::Tls => Self::Tls,
            MailSecurity::None => Self::None,
        }
    }
}

impl MailArgs {
    /// The mail server, if one is given.
    ///
    /// # Errors
    /// If what is given cannot be used.
    pub fn given(&self) -> Result<Option<GivenMail>> {
        let Some(host) = self.mail_host.clone().filter(|host| !host.is_empty()) else { return Ok(None) };
        let password = match (&self.mail_password, &self.mail_password_file) {
            (Some(_), Some(_)) => bail!("give BARTIZAN_MAIL_PASSWORD or --mail-password-file, not both"),
            (Some(password), None) => Some(password.0.clone()),
            (None, Some(file)) => {
                let text = read_text(file, "password file", MAX_FILE)?;
                Some(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, None) => None,
        };
        let ca_certificate = match &self.mail_ca_file {
            Some(file) => read_text(file, "certificate file", MAX_FILE)?,
            None => String::new(),
        };
        let settings = MailSettings {
            enabled: true,
            host,
            port: self.mail_port,
            security: self.mail_security.into(),
            username: self.mail_username.clone().unwrap_or_default(),
            from_address: self.mail_from.clone().unwrap_or_default(),
            from_name: self.mail_from_name.clone(),
            base_url: self.base_url.as_deref().unwrap_or_default().trim_end_matches('/').to_owned(),
            ca_certificate,
        };
        match mail::check(&settings, password.is_some()) {
            Ok(()) => Ok(Some(GivenMail { settings, password })),
            Err(bartizan_domain::Error::Invalid(fields)) => {
                let list: Vec<String> =
                    fields.iter().map(|error| format!("{}: {}", flag_of(&error.field), error.message)).collect();
                bail!("the mail server cannot be used as given: {}", list.join("; "))
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// The flag that gives a field.
fn flag_of(field: &str) -> String {
    match field.trim_start_matches("body -> ") {
        "from_address" => "--mail-from".to_owned(),
        "base_url" => "--base-url".to_owned(),
        "ca_certificate" => "--mail-ca-file".to_owned(),
        other => format!("--mail-{}", other.replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use clap::Parser;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        mail: MailArgs,
    }

    fn given(arguments: &[&str]) -> Result<Option<GivenMail>> {
        Line::try_parse_from([&["test"], arguments].concat()).unwrap().mail.given()
    }

    #[test]
    fn a_mail_server_is_given_as_a_whole_or_not_at_all() {
        assert!(given(&[]).unwrap().is_none());
        let lacking = given(&["--mail-host", "mail.example.com"]).unwrap_err().to_string();
        assert!(lacking.contains("--mail-from: ") && lacking.contains("--base-url: "), "{lacking}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "s3cret \n").unwrap();
        let rest = ["--mail-from", "b@example.com", "--base-url", "https://b.example.com/", "--mail-username", "b"];
        let whole = [&["--mail-host", "mail.example.com", "--mail-password-file", file.to_str().unwrap()], &rest[..]];
        let mail = given(&whole.concat()).unwrap().unwrap();
        assert_eq!((mail.settings.port, mail.settings.base_url.as_str()), (587, "https://b.example.com"));
        assert_eq!(mail.password.unwrap().expose_secret(), "s3cret ");
        let plain = [&["--mail-host", "mail.example.com", "--mail-security", "none"], &rest[..]].concat();
        assert!(given(&plain).unwrap_err().to_string().contains("--mail-security: "));
    }
}
