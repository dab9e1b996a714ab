//! Runs the built program, and gives it loopback peers.

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

/// A TCP peer that accepts and says nothing.
pub struct Silent {
    port: u16,
    accepted: Receiver<()>,
}

impl Silent {
    /// Keeps every connection open.
    pub fn start() -> Self {
        Self::serve(Some(Vec::new()))
    }

    /// Closes every connection at once.
    pub fn closing() -> Self {
        Self::serve(None)
    }

    fn serve(mut kept: Option<Vec<TcpStream>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, accepted): (Sender<()>, _) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(kept) = &mut kept {
                    kept.push(stream);
                }
                if sender.send(()).is_err() {
                    return;
                }
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
