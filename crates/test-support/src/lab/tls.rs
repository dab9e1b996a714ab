//! TLS servers with known properties, each a stack that is not ours: OpenSSL (through Python), tlslite-ng, GnuTLS.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificates::Identity;
use super::process::{Process, free_port};

const SCRIPT: &str = include_str!("tls_server.py");

/// Diffie-Hellman parameters of 1024 bits: the prime of RFC 2409, group 2.
const DH_1024: &str = "-----BEGIN DH PARAMETERS-----\n\
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR\n\
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL\n\
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC\n\
-----END DH PARAMETERS-----\n";

/// A protocol version of the lab's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// SSL 3.0, with tlslite-ng only.
    Ssl3,
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// The stack a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// OpenSSL through Python's `ssl`; certificates are chosen by server name.
    OpenSsl,
    /// tlslite-ng, for what OpenSSL refuses; one certificate.
    Tlslite,
}

/// What a server is like. [`Plan::good`] is right in every respect.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Address to listen on.
    pub address: IpAddr,
    /// The stack.
    pub stack: Stack,
    /// Oldest version.
    pub minimum: Version,
    /// Newest version.
    pub maximum: Version,
    /// Certificates with the server names that get them. The first is the default.
    pub certificates: Vec<(Identity, Vec<String>)>,
    /// OpenSSL cipher string of TLS 1.2 and older; `None`: forward-secret AEAD suites only.
    pub ciphers: Option<String>,
    /// Whether the weak 1024-bit Diffie-Hellman parameters are loaded (OpenSSL).
    pub weak_dh: WeakDh,
    /// Attributes of tlslite-ng's `HandshakeSettings`.
    pub settings: Value,
    /// Whether tlslite-ng serves anonymous suites and no certificate.
    pub authentication: Authentication,
    /// A plain HTTP server whose answers are handed on; `None`: a tiny answer of the server's own.
    pub backend: Option<SocketAddr>,
}

/// Diffie-Hellman parameters of an OpenSSL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakDh {
    /// 1024 bits.
    Loaded,
    /// None.
    Absent,
}

/// How a tlslite-ng server proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// With its certificate.
    Certificate,
    /// Not at all.
    Anonymous,
}

impl Plan {
    /// TLS 1.2 and 1.3 with forward-secret AEAD suites, one certificate for every name.
    #[must_use]
    pub fn good(identity: Identity) -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            stack: Stack::OpenSsl,
            minimum: Version::Tls12,
            maximum: Version::Tls13,
            certificates: vec![(identity, Vec::new())],
            ciphers: None,
            weak_dh: WeakDh::Absent,
            settings: json!({}),
            authentication: Authentication::Certificate,
            backend: None,
        }
    }

    /// The same, limited to one version; every suite of it that OpenSSL has with forward secrecy.
    #[must_use]
    pub fn only(identity: Identity, version: Version) -> Self {
        let ciphers = (version < Version::Tls12).then(|| "ECDHE:!aNULL:!eNULL:@SECLEVEL=0".to_owned());
        let stack = if version == Version::Ssl3 { Stack::Tlslite } else { Stack::OpenSsl };
        let settings = if version == Version::Ssl3 {
            json!({"cipherNames": ["aes128"], "keyExchangeNames": ["dhe_rsa"]})
        } else {
            json!({})
        };
        Self { stack, ciphers, settings, minimum: version, maximum: version, ..Self::good(identity) }
    }
}

/// A running TLS server. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    process: Process,
    _dir: TempDir,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// # Panics
    /// If Python or tlslite-ng is missing, or the server does not start; the message carries its output.
    #[must_use]
    pub fn start(plan: &Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dh = (plan.weak_dh == WeakDh::Loaded).then(|| {
            let file = dir.path().join("dh.pem");
            std::fs::write(&file, DH_1024).unwrap();
            file
        });
        let certificates: BTreeMap<String, Value> = plan
            .certificates
            .iter()
            .enumerate()
            .map(|(number, (identity, names))| (format!("c{number}"), json!([identity.chain, identity.key, names])))
            .collect();
        let config = json!({
            "address": plan.address,
            "stack": match plan.stack { Stack::OpenSsl => "openssl", Stack::Tlslite => "tlslite" },
            "minimum": plan.minimum as u8,
            "maximum": plan.maximum as u8,
            "default": "c0",
            "certificates": certificates,
            "ciphers": plan.ciphers,
            "dh": dh,
            "settings": plan.settings,
            "anonymous": plan.authentication == Authentication::Anonymous,
            "backend": plan.backend.map(|address| (address.ip().to_string(), address.port())),
        });
        let mut command = Command::new("python3");
        // The system's OpenSSL configuration must not decide what the lab can serve.
        command.env("OPENSSL_CONF", "/dev/null").arg("-c").arg(SCRIPT).arg(config.to_string());
        let log = dir.path().join("log");
        let mut process = Process::spawn_with_input("a TLS server of the lab", "python3", command, &log);
        let port = listening_port(&mut process);
        Self { address: SocketAddr::new(plan.address, port), process, _dir: dir }
    }

    /// Starts `gnutls-serv` with a priority string and waits until it listens.
    ///
    /// # Panics
    /// If GnuTLS is missing or does not start.
    #[must_use]
    pub fn start_gnutls(identity: &Identity, priority: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let mut command = Command::new("gnutls-serv");
        command.args(["--http", "--disable-client-cert", "--port", &port.to_string(), "--priority", priority]);
        command.arg("--x509certfile").arg(&identity.chain).arg("--x509keyfile").arg(&identity.key);
        let log: PathBuf = dir.path().join("log");
        let mut process = Process::spawn_with_input("gnutls-serv", "gnutls-bin", command, &log);
        process.wait_for_port(address);
        Self { address, process, _dir: dir }
    }

    /// Starts `openssl s_server` with `arguments`, answering with its page of statistics, and waits until it listens. It
    /// handles one client after the other.
    ///
    /// # Panics
    /// If OpenSSL is missing or does not start.
    #[must_use]
    pub fn start_s_server(identity: &Identity, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let mut command = Command::new("openssl");
        command.env("OPENSSL_CONF", "/dev/null").args(["s_server", "-www", "-accept", &address.to_string()]);
        command.arg("-cert").arg(&identity.certificate).arg("-cert_chain").arg(&identity.chain);
        command.arg("-key").arg(&identity.key).args(arguments);
        let log: PathBuf = dir.path().join("log");
        let mut process = Process::spawn_with_input("openssl s_server", "openssl", command, &log);
        process.wait_for_port(address);
        Self { address, process, _dir: dir }
    }

    /// What the server has written so far: why handshakes failed.
    #[must_use]
    pub fn output(&self) -> String {
        self.process.output()
    }
}

/// Completes a handshake limited to `version` with tlslite-ng and exchanges data, which proves that a server really
/// speaks the version and not only its first message.
///
/// # Errors
/// What the client wrote.
///
/// # Panics
/// If Python is missing.
pub fn handshake(address: SocketAddr, version: Version) -> Result<(), String> {
    let minor = (version as u8).to_string();
    let output = Command::new("python3")
        .args(["-c", include_str!("tls_client.py"), &address.ip().to_string(), &address.port().to_string(), &minor])
        .output()
        .unwrap_or_else(|error| panic!("python3 cannot be started ({error}): install the package python3"));
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.trim() == minor {
        return Ok(());
    }
    Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

fn listening_port(process: &mut Process) -> u16 {
    let begin = Instant::now();
    loop {
        let output = process.output();
        if let Some(port) =
            output.lines().find_map(|line| line.strip_prefix("listening ")).and_then(|port| port.parse().ok())
        {
            return port;
        }
        process.assert_running();
        assert!(begin.elapsed() < Duration::from_secs(30), "the TLS server does not start: {output}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
