//! Progress of a port scan on standard error: a bar on a terminal, lines elsewhere, JSON Lines on request.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsDocument};
use bartizan_portscan::{Phase, Progress};
use bartizan_probes::sweep::SweepEvent;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::args::ProgressMode;

/// Between two lines of counts in plain progress.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Between two counts in JSON progress.
const JSON_EVERY: Duration = Duration::from_millis(500);

/// Shows how far the scan is. Trouble with standard error is ignored: results matter more.
#[derive(Debug)]
pub struct Reporter {
    notes: Notes,
    begin: Instant,
    told: Instant,
}

/// Says sentences between the progress, also from other tasks.
#[derive(Debug, Clone)]
pub enum Notes {
    /// Above a bar.
    Bar(ProgressBar),
    /// As lines.
    Plain,
    /// As JSON objects.
    Json,
    /// Nowhere.
    None,
}

impl Notes {
    /// A sentence for the user.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| line(text)),
            Self::Plain => line(text),
            Self::Json => event(&json!({ "event": "note", "text": text })),
            Self::None => {}
        }
    }
}

impl Reporter {
    /// The reporter for `mode`; `quiet` silences it.
    pub fn new(mode: ProgressMode, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let notes = match mode {
            _ if quiet => Notes::None,
            ProgressMode::None => Notes::None,
            ProgressMode::Json => Notes::Json,
            ProgressMode::Plain => Notes::Plain,
            ProgressMode::Auto if !terminal => Notes::Plain,
            ProgressMode::Auto | ProgressMode::Bar => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
                let style = ProgressStyle::with_template("{bar:30} {percent}%  {msg}  {elapsed}, {eta} left");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                Notes::Bar(bar)
            }
        };
        let now = Instant::now();
        Self { notes, begin: now, told: now }
    }

    /// What other tasks say sentences with.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// A sentence for the user.
    pub fn say(&self, text: &str) {
        self.notes.say(text);
    }

    /// The plan is made.
    pub fn planned(&self, addresses: usize, ports: usize) {
        match &self.notes {
            Notes::Bar(bar) => bar.set_length((addresses * ports) as u64),
            Notes::Plain if ports == 0 => line(&format!("looking for hosts at {}", count(addresses, "address"))),
            Notes::Plain => line(&format!("scanning {} of {}", count(ports, "port"), count(addresses, "address"))),
            Notes::Json => event(&json!({ "event": "planned", "addresses": addresses, "ports": ports })),
            Notes::None => {}
        }
    }

    /// Something happened.
    pub fn event(&mut self, what: &SweepEvent) {
        let notes = self.notes.clone();
        match what {
            SweepEvent::Engine(choice) => {
                self.say(&format!(
                    "engine {} for {}: {}",
                    choice.engine.as_str(),
                    count(choice.targets, "address"),
                    choice.why
                ));
            }
            SweepEvent::Note(text) => self.say(text),
            SweepEvent::Ports(at) if at.phase == Phase::Discovery => match &notes {
                Notes::Bar(bar) => {
                    bar.set_length(at.total);
                    bar.set_message(format!(
                        "looking for hosts, {} found at {}, {} packets",
                        at.hosts_found, at.hosts, at.attempts
                    ));
                }
                Notes::Plain if self.due(PLAIN_EVERY) => {
                    line(&format!(
                        "looking for hosts: {} found at {}  {} packets  {} s",
                        at.hosts_found,
                        count(usize::try_from(at.hosts).unwrap_or(usize::MAX), "address"),
                        at.attempts,
                        self.begin.elapsed().as_secs()
                    ));
                }
                Notes::Json if self.due(JSON_EVERY) => self.progress(at),
                _ => {}
            },
            SweepEvent::Ports(at) => match &notes {
                Notes::Bar(bar) => {
                    bar.set_length(at.total);
                    bar.set_position(at.done);
                    bar.set_message(format!("ports {}/{}, {} open", at.done, at.total, at.open));
                }
                Notes::Plain if self.due(PLAIN_EVERY) => {
                    line(&format!(
                        "ports {}/{}  open {}  {} s",
                        at.done,
                        at.total,
                        at.open,
                        self.begin.elapsed().as_secs()
                    ));
                }
                Notes::Json if self.due(JSON_EVERY) => self.progress(at),
                _ => {}
            },
            SweepEvent::Services(done, total) => match &notes {
                Notes::Bar(bar) => {
                    bar.set_length(*total as u64);
                    bar.set_position(*done as u64);
                    bar.set_message(format!("services {done}/{total}"));
                }
                Notes::Plain if self.due(PLAIN_EVERY) => line(&format!("services {done}/{total}")),
                Notes::Json if self.due(JSON_EVERY) => {
                    event(&json!({ "event": "progress", "services": { "done": done, "total": total } }));
                }
                _ => {}
            },
            SweepEvent::Open(_) => {}
        }
    }

    fn progress(&self, at: &Progress) {
        event(&json!({
            "event": "progress", "phase": at.phase.as_str(), "hosts": { "found": at.hosts_found, "total": at.hosts },
            "ports": { "done": at.done, "total": at.total }, "open": at.open, "attempts": at.attempts,
            "elapsed_seconds": self.begin.elapsed().as_secs(),
        }));
    }

    /// Does what writes to standard output while the bar, if there is one, is out of the way.
    pub fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.notes {
            Notes::Bar(bar) => bar.suspend(write),
            _ => write(),
        }
    }

    fn due(&mut self, every: Duration) -> bool {
        let due = self.told.elapsed() >= every;
        if due {
            self.told = Instant::now();
        }
        due
    }

    /// The scan ended.
    pub fn finished(&self, document: &PortsDocument, took: Duration) {
        // Those of a host that accepts everything prove nothing.
        let is_open = |port: &&PortRecord| port.state == PortState::Open && !port.everything_open;
        let open = document.hosts.iter().flat_map(|host| &host.ports).filter(is_open).count();
        let answered = document.answered();
        let summary = || {
            let mut text = format!(
                "{} in {:.1} s: {} on {answered} of {}",
                document.scan.status,
                took.as_secs_f64(),
                count(open, "open port"),
                count(usize::try_from(document.scan.addresses).unwrap_or(usize::MAX), "address"),
            );
            for reason in &document.scan.partial_reasons {
                text.push_str("\nincomplete: ");
                text.push_str(reason);
            }
            text
        };
        match &self.notes {
            Notes::Bar(bar) => {
                bar.finish_and_clear();
                line(&summary());
            }
            Notes::Plain => line(&summary()),
            Notes::Json => event(&json!({
                "event": "finished", "status": document.scan.status, "partial": document.scan.partial,
                "partial_reasons": document.scan.partial_reasons, "open": open, "hosts": answered,
                "elapsed_seconds": took.as_secs(),
            })),
            Notes::None => {}
        }
    }
}

fn count(number: usize, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (number, "address") => format!("{number} addresses"),
        (number, noun) => format!("{number} {noun}s"),
    }
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn event(value: &serde_json::Value) {
    let _ = writeln!(std::io::stderr(), "{value}");
}
