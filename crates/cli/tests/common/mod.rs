//! Runs the built program, and gives it loopback peers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// The program with no settings from the surroundings.
pub fn bartizan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BARTIZAN_") {
            command.env_remove(name);
        }
    }
    command.env_remove("NO_COLOR").env_remove("COLUMNS");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    bartizan().args(arguments).output().unwrap()
}

pub fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    bartizan().current_dir(folder).args(arguments).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What Ctrl-C sends.
pub fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// A TCP peer on loopback.
pub struct Peer {
    port: u16,
    accepted: Receiver<()>,
}

enum Manner {
    Silent,
    Closing,
    Site,
}

/// A page that lacks every protection.
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 28\r\nConnection: close\r\n\r\n\
                    <html><p>Welcome</p></html>\n";

impl Peer {
    /// Accepts, keeps every connection open and says nothing.
    pub fn silent() -> Self {
        Self::serve(Manner::Silent)
    }

    /// Closes every connection at once.
    pub fn closing() -> Self {
        Self::serve(Manner::Closing)
    }

    /// Answers every HTTP request with the same page.
    pub fn site() -> Self {
        Self::serve(Manner::Site)
    }

    fn serve(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, accepted): (Sender<()>, _) = channel();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming().flatten() {
                match manner {
                    Manner::Silent => kept.push(stream),
                    Manner::Closing => drop(stream),
                    Manner::Site => drop(std::thread::spawn(move || answer(stream))),
                }
                // Nobody needs to count.
                let _ = sender.send(());
            }
        });
        Self { port, accepted }
    }

    pub fn target(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits until the scan is under way.
    pub fn wait_for_a_connection(&self) {
        self.accepted.recv_timeout(Duration::from_secs(30)).expect("the scan connects");
    }
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    // A client that says something else than HTTP, or nothing, is left without an answer.
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    if line == "\r\n" {
        let _ = stream.write_all(PAGE.as_bytes());
    }
}
