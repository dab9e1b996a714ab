//! A mail server that keeps what it is sent, with STARTTLS and a name and password.

use std::process::Stdio;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const SCRIPT: &str = include_str!("smtp_sink.py");
/// How long a letter, or the start, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a sink is made.
#[derive(Debug, Clone, Copy)]
pub struct SinkOptions {
    /// `starttls`, `tls` or `none`.
    pub security: &'static str,
    /// Name and password that it asks for; empty for none.
    pub credentials: (&'static str, &'static str),
    /// Port; 0 for any.
    pub port: u16,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self { security: "starttls", credentials: ("postman", "correct horse&battery"), port: 0 }
    }
}

/// A running mail server for `localhost`. Dropped, it ends.
#[derive(Debug)]
pub struct SmtpSink {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The authority that signed its certificate, in PEM.
    pub authority: String,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
    _folder: TempDir,
}

impl SmtpSink {
    /// Starts one.
    ///
    /// # Panics
    /// If the Debian package `python3-aiosmtpd` is missing, or the port is taken.
    pub async fn start(options: SinkOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        let place = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let asked = json!({
            "port": options.port,
            "security": options.security,
            "user": options.credentials.0,
            "password": options.credentials.1,
            "certificate": place("certificate.pem", &certificate.pem()),
            "key": place("key.pem", &key.serialize_pem()),
        });
        // Debian's Python, for which Debian's package is.
        let mut process = Command::new("/usr/bin/python3")
            .args(["-c", SCRIPT, &asked.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut sink = Self { port: 0, authority: authority_pem, lines, _process: process, _folder: folder };
        sink.port = sink.line().await["port"].as_u64().unwrap().try_into().unwrap();
        sink
    }

    /// The next letter: `from`, `to`, `hello`, `tls`, `authenticated`, `headers` (pairs), `text`, `html`.
    ///
    /// # Panics
    /// If none comes for half a minute.
    pub async fn letter(&mut self) -> Value {
        self.line().await
    }

    /// The next letter's link.
    ///
    /// # Panics
    /// As [`Self::letter`], or if it has none.
    pub async fn link(&mut self) -> String {
        let letter = self.letter().await;
        let text = letter["text"].as_str().unwrap();
        text.lines().find(|line| line.starts_with("http")).unwrap_or_else(|| panic!("no link in {text}")).to_owned()
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("the mail server says nothing").unwrap();
        let line = line.expect("the mail server ended; is the Debian package python3-aiosmtpd installed?");
        serde_json::from_str(&line).unwrap()
    }
}
