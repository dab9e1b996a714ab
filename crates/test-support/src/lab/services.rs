//! Real servers of many protocols, each on a free loopback port with its files in a temporary folder.
//!
//! Every function starts one server and returns when it listens; start them in parallel. A server runs as
//! the user of the test, or as its package's user where it refuses to run as root. Two protocols have no server in
//! Debian, PyPI or npm that can be started without downloading one from elsewhere (Elasticsearch, MongoDB); [`stub`]
//! speaks the part of them that the probes use.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, free_port};

pub mod data;
pub mod exchanges;
pub mod mail;
pub mod remote;
pub mod stub;
pub mod web;

/// A running server. Dropping it ends its processes and removes its files.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    processes: Vec<Process>,
    stub: Option<stub::Running>,
    dir: Option<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Processes first: they write into the folder.
        self.processes.clear();
        drop(self.stub.take());
        drop(self.dir.take());
    }
}

/// What a server is started from: a folder, a port, and the processes so far.
struct Setup {
    dir: TempDir,
    port: u16,
    processes: Vec<Process>,
}

impl Setup {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("bartizan-lab-").tempdir().unwrap();
        // Servers that drop privileges must be able to reach their files.
        open_to_all(dir.path());
        Self { dir, port: free_port(), processes: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn folder(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        open_to_all(&path);
        path.to_str().unwrap().to_owned()
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Starts the server and waits until it listens on the port of the set-up.
    fn start(mut self, what: &str, package: &str, command: Command) -> Server {
        let log = self.path(&format!("{what}.log"));
        let mut process = Process::spawn(what, package, command, &log);
        process.wait_for_port(self.address());
        self.processes.push(process);
        Server { address: self.address(), processes: self.processes, stub: None, dir: Some(self.dir) }
    }

    /// Runs a preparing command to its end.
    fn prepare(what: &str, package: &str, mut command: Command) {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
        assert!(
            output.status.success(),
            "{what} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// A self-signed certificate and its key.
    fn certificate(&self) -> (String, String) {
        let (certificate, key) = (self.text("tls.crt"), self.text("tls.key"));
        Self::prepare(
            "openssl",
            "openssl",
            command(
                "openssl",
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "30",
                    "-subj",
                    "/CN=lab.test",
                    "-keyout",
                    &key,
                    "-out",
                    &certificate,
                ],
            ),
        );
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        (certificate, key)
    }
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
}

fn command(program: &str, arguments: &[&str]) -> Command {
    // A fixed PATH: what the machine's owner installed beside Debian (another python3) must not be taken.
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    let found = path.split(':').map(|dir| Path::new(dir).join(program)).find(|file| file.exists());
    let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from(program)));
    command.args(arguments).env("PATH", path).env("LC_ALL", "C.UTF-8");
    command
}

/// Whether the tests run as root.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// User and group id of a system user, from the user database.
fn user_ids(name: &str, package: &str) -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.split(':').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no user {name}: install the package {package}"));
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    (fields.next().unwrap(), fields.next().unwrap())
}

/// Lets `command` run as `user` if the tests run as root, for servers that refuse root.
fn as_user(command: &mut Command, user: &str, package: &str) {
    if is_root() {
        let (uid, gid) = user_ids(user, package);
        command.uid(uid).gid(gid);
    }
}

/// The server `inner` behind stunnel: the same protocol inside TLS.
///
/// # Panics
/// If stunnel cannot be started.
#[must_use]
pub fn in_tls(inner: Server) -> (Server, Server) {
    let setup = Setup::new();
    let (certificate, key) = setup.certificate();
    let conf = setup.write(
        "stunnel.conf",
        &format!(
            "foreground = yes\nsyslog = no\npid =\n[lab]\naccept = 127.0.0.1:{}\nconnect = {}\ncert = {certificate}\nkey = {key}\n",
            setup.port, inner.address
        ),
    );
    let outer = setup.start("stunnel", "stunnel4", command("stunnel", &[&conf]));
    (outer, inner)
}

/// The same server at another address: every connection to `at` is passed on to `inner`. For ports that a server would
/// need privileges for, and for addresses that it does not bind.
///
/// # Panics
/// If `at` cannot be bound.
#[must_use]
pub fn forward(at: SocketAddr, inner: SocketAddr) -> Server {
    use std::io::Write as _;
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn pass(mut from: TcpStream, mut to: TcpStream) {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.flush();
        let _ = to.shutdown(Shutdown::Write);
    }
    let listener = TcpListener::bind(at).unwrap_or_else(|error| panic!("{at} cannot be bound: {error}"));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        for outer in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            let (Ok(outer), Ok(inner)) = (outer, TcpStream::connect(inner)) else { continue };
            let (Ok(outer_again), Ok(inner_again)) = (outer.try_clone(), inner.try_clone()) else { continue };
            std::thread::spawn(move || pass(outer, inner));
            std::thread::spawn(move || pass(inner_again, outer_again));
        }
    });
    let running = stub::Running::new(at, stop, thread);
    Server { address: at, processes: Vec::new(), stub: Some(running), dir: None }
}
