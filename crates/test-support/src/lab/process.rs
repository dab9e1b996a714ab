//! Children of a test: started without a shell, watched, and ended by their own process id.

use std::fs::File;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen. Generous: test machines are slow and busy.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long a server with children may take to end them.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A running server. Dropping it ends the process and waits for its end.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    what: String,
    /// Whether it has children of its own, which it ends when it is asked to end.
    is_asked: bool,
}

impl Process {
    /// Starts `command` with its output in `log`.
    ///
    /// # Panics
    /// If the program cannot be started; the message names the package to install.
    #[must_use]
    pub fn spawn(what: &str, package: &str, mut command: Command, log: &Path) -> Self {
        let out = File::create(log).unwrap();
        let err = out.try_clone().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
        Self { child, log: log.to_owned(), what: what.to_owned(), is_asked: false }
    }

    /// Starts `command` with a pipe to its input that stays open, for servers that end with it.
    ///
    /// # Panics
    /// As [`Self::spawn`].
    #[must_use]
    pub fn spawn_with_input(what: &str, package: &str, mut command: Command, log: &Path) -> Self {
        let out = File::create(log).unwrap();
        let err = out.try_clone().unwrap();
        let child = command
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{what} cannot be started ({error}): install the package {package}"));
        Self { child, log: log.to_owned(), what: what.to_owned(), is_asked: false }
    }

    /// Waits until something accepts connections at `address`.
    ///
    /// # Panics
    /// If the process ends before, or nothing listens in time; the message carries the process's output.
    pub fn wait_for_port(&mut self, address: SocketAddr) {
        let begin = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended with {status} before it listened: {}", self.what, self.output());
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok() {
                return;
            }
            assert!(begin.elapsed() < START_LIMIT, "{} does not listen on {address}: {}", self.what, self.output());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Has the process asked to end before it is killed, for servers whose children would outlive them.
    #[must_use]
    pub const fn asked_to_end(mut self) -> Self {
        self.is_asked = true;
        self
    }

    /// Waits until the process has written this, for servers that must not be connected to before the test does.
    ///
    /// # Panics
    /// If it ends before, or does not write it in time.
    pub fn wait_for_output(&mut self, text: &str) {
        let begin = Instant::now();
        while !self.output().contains(text) {
            self.assert_running();
            assert!(begin.elapsed() < START_LIMIT, "{} does not write {text:?}: {}", self.what, self.output());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Asserts that the process has not ended.
    ///
    /// # Panics
    /// If it has; the message carries its output.
    pub fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{} ended with {status}: {}", self.what, self.output());
        }
    }

    /// What the process has written so far.
    #[must_use]
    pub fn output(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.log) {
            let _ = file.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_asked && Command::new("kill").arg(self.child.id().to_string()).status().is_ok() {
            let begin = Instant::now();
            while begin.elapsed() < END_LIMIT && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::park_timeout(Duration::from_millis(10));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that is free now, for servers that cannot be told to pick one. The port is bound and released, so
/// another process could take it in between; the system hands out other ports first.
///
/// # Panics
/// If no port is free.
#[must_use]
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    // Below the range the kernel takes the ports of outgoing connections from (32768 and up), and in a block of this
    // process: tests run as processes of their own, whose numbers follow one another.
    const FIRST: u32 = 10_000;
    const BLOCKS: u32 = 220;
    const BLOCK: u32 = 100;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let block = FIRST + std::process::id() % BLOCKS * BLOCK;
    (0..BLOCK)
        .map(|_| block + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCK)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap_or_else(|| TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port())
}
