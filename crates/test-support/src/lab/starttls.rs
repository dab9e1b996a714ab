//! Servers that turn a plain connection into TLS on request and are no part of the other labs: PostgreSQL, MariaDB and
//! Prosody with a certificate. They share nothing with services of the same kind that the machine may run.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::certificates::Identity;
use super::process::{Process, free_port};

/// A running server. Dropping it ends its process and removes its files.
#[derive(Debug)]
pub struct Upgradable {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
    _dir: TempDir,
}

struct Setup {
    dir: TempDir,
    port: u16,
    /// The account a server drops to when the test runs as root, which these servers refuse.
    account: Option<(String, u32, u32)>,
}

impl Setup {
    fn new(account: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("bartizan-lab-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let account = root.then(|| {
            let passwd = fs::read_to_string("/etc/passwd").unwrap();
            let line = passwd
                .lines()
                .find(|line| line.split(':').next() == Some(account))
                .unwrap_or_else(|| panic!("no user {account}: install the package of the server"));
            let fields: Vec<&str> = line.split(':').collect();
            (account.to_owned(), fields[2].parse().unwrap(), fields[3].parse().unwrap())
        });
        Self { dir, port: free_port(), account }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn give(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if let Some((_, user, group)) = &self.account {
            chown(path, Some(*user), Some(*group)).unwrap();
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        self.give(&path, 0o700);
        path
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        self.give(&path, 0o600);
        path
    }

    /// Copies of certificate and key that only the server's account may read, as servers demand.
    fn identity(&self, identity: &Identity) -> (PathBuf, PathBuf) {
        let chain = self.file("server.crt", &fs::read(&identity.chain).unwrap());
        (chain, self.file("server.key", &fs::read(&identity.key).unwrap()))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((_, user, group)) = &self.account {
            use std::os::unix::process::CommandExt as _;
            command.uid(*user).gid(*group);
        }
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    fn prepare(&self, what: &str, package: &str, mut command: Command) {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
        assert!(output.status.success(), "{what} failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(self, what: &str, package: &str, command: Command) -> Upgradable {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let mut process = Process::spawn(what, package, command, &self.path("log"));
        process.wait_for_port(address);
        Upgradable { address, _process: process, _dir: self.dir }
    }
}

/// PostgreSQL with `ssl = on`.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn postgres(identity: &Identity) -> Upgradable {
    let setup = Setup::new("postgres");
    let bin = fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| versions.filter_map(Result::ok).map(|entry| entry.path().join("bin")).max())
        .unwrap_or_else(|| panic!("no PostgreSQL: install the package postgresql"));
    let data = setup.folder("data");
    let mut initdb = setup.command(&bin.join("initdb"));
    initdb.args(["-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--no-instructions", "--pwfile"]);
    initdb.arg(setup.file("password", b"lab-password\n")).arg("-D").arg(&data);
    setup.prepare("initdb", "postgresql", initdb);
    let (certificate, key) = setup.identity(identity);
    let mut server = setup.command(&bin.join("postgres"));
    server.arg("-D").arg(&data).args(["-p", &setup.port.to_string(), "-h", "127.0.0.1", "-F", "-k", ""]);
    server.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", certificate.display())]);
    server.args(["-c", &format!("ssl_key_file={}", key.display())]);
    setup.start("postgres", "postgresql", server)
}

/// MariaDB with a certificate.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn mariadb(identity: &Identity) -> Upgradable {
    let setup = Setup::new("mysql");
    let data = setup.folder("data");
    let datadir = format!("--datadir={}", data.display());
    let mut install = setup.command(Path::new("mariadb-install-db"));
    install.args(["--no-defaults", &datadir, "--auth-root-authentication-method=normal", "--skip-test-db"]);
    setup.prepare("mariadb-install-db", "mariadb-server", install);
    let (certificate, key) = setup.identity(identity);
    let mut server = setup.command(Path::new("/usr/sbin/mariadbd"));
    server.args(["--no-defaults", &datadir, "--bind-address=127.0.0.1", &format!("--port={}", setup.port)]);
    server.arg(format!("--socket={}", data.join("s").display()));
    server.arg(format!("--ssl-cert={}", certificate.display())).arg(format!("--ssl-key={}", key.display()));
    setup.start("mariadbd", "mariadb-server", server)
}

/// The XMPP server Prosody for the host `name`.
///
/// # Panics
/// If it is not installed or does not start.
#[must_use]
pub fn prosody(identity: &Identity, name: &str) -> Upgradable {
    let setup = Setup::new("prosody");
    let data = setup.folder("data");
    let (certificate, key) = setup.identity(identity);
    let config = format!(
        "pidfile = \"{data}/pid\"\ndata_path = \"{data}\"\nlog = {{ info = \"*console\" }}\n\
         interfaces = {{ \"127.0.0.1\" }}\nc2s_ports = {{ {port} }}\ns2s_ports = {{}}\nhttp_ports = {{}}\nhttps_ports = {{}}\n\
         modules_enabled = {{ \"saslauth\", \"tls\" }}\nmodules_disabled = {{ \"s2s\", \"http\" }}\n\
         ssl = {{ certificate = \"{certificate}\"; key = \"{key}\"; }}\nVirtualHost \"{name}\"\n",
        data = data.display(),
        port = setup.port,
        certificate = certificate.display(),
        key = key.display(),
    );
    let config = setup.file("prosody.cfg.lua", config.as_bytes());
    let mut server = setup.command(Path::new("prosody"));
    server.arg("-F").arg("--config").arg(config);
    setup.start("prosody", "prosody", server)
}
