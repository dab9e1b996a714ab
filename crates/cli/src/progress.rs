//! Progress on standard error: bars on a terminal, lines elsewhere, JSON Lines on request.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use bartizan_domain::Severity;
use bartizan_engine::{FindingCounts, HostFinished, Progress, ScanOutcome};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::args::ProgressMode;

/// Seconds between two lines of counts in plain progress.
const PLAIN_EVERY: u64 = 5;
/// Above this many hosts, plain progress reports tenths instead of hosts.
const FEW_HOSTS: usize = 50;

/// Shows how far the scan is. Trouble with standard error is ignored: results matter more.
#[derive(Debug)]
pub enum Reporter {
    /// A bar and a line below it.
    Bar(ProgressBar),
    /// One line per phase.
    Plain { hosts: usize, done: usize, tenths: usize, told: u64 },
    /// One JSON object a line.
    Json { last: Progress },
    /// Nothing.
    None,
}

impl Reporter {
    /// The reporter for `mode`; `quiet` silences it.
    pub fn new(mode: ProgressMode, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        match mode {
            _ if quiet => Self::None,
            ProgressMode::None => Self::None,
            ProgressMode::Json => Self::Json { last: Progress::default() },
            ProgressMode::Plain => Self::Plain { hosts: 0, done: 0, tenths: 0, told: 0 },
            ProgressMode::Auto if !terminal => Self::Plain { hosts: 0, done: 0, tenths: 0, told: 0 },
            ProgressMode::Auto | ProgressMode::Bar => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
                let style = ProgressStyle::with_template("{bar:30} {prefix}\n{wide_msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                Self::Bar(bar)
            }
        }
    }

    /// The plan is made.
    pub fn planned(&mut self, assets: usize, checks: usize) {
        match self {
            Self::Bar(bar) => bar.set_length(assets as u64 * 100),
            Self::Plain { hosts, .. } => {
                *hosts = assets;
                line(&format!("scanning {} with {checks} checks", plural(assets, "host")));
            }
            Self::Json { .. } => event(&json!({ "event": "planned", "hosts": assets, "checks": checks })),
            Self::None => {}
        }
    }

    /// Counts changed.
    pub fn progress(&mut self, progress: &Progress) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(position(progress));
                bar.set_prefix(counts(progress));
                let current = progress.current.as_deref().unwrap_or_default();
                bar.set_message(format!("found {}  {current}", found(&progress.findings)));
            }
            Self::Json { last } => {
                // Unchanged counts are repeated once a second, as a sign of life.
                if last == progress {
                    return;
                }
                last.clone_from(progress);
                let mut object = json!({ "event": "progress" });
                if let (Some(target), Ok(serde_json::Value::Object(source))) =
                    (object.as_object_mut(), serde_json::to_value(progress))
                {
                    target.extend(source);
                }
                event(&object);
            }
            Self::Plain { told, .. } => {
                if progress.elapsed_seconds >= *told + PLAIN_EVERY {
                    *told = progress.elapsed_seconds;
                    line(&format!("{}  found {}", counts(progress), found(&progress.findings)));
                }
            }
            Self::None => {}
        }
    }

    /// A host is done.
    pub fn host(&mut self, host: &HostFinished) {
        let mut counts = FindingCounts::default();
        for verdict in host.verdicts.iter().filter(|verdict| verdict.outcome == bartizan_domain::Outcome::Fail) {
            counts.add(verdict.severity.unwrap_or(Severity::Info));
        }
        let name = &host.result.asset;
        match self {
            Self::Plain { hosts, done, tenths, .. } => {
                *done += 1;
                if *hosts <= FEW_HOSTS {
                    let state = match (host.interrupted, host.result.reached) {
                        (true, _) => "stopped",
                        (false, false) => "not reached",
                        (false, true) => "done",
                    };
                    line(&format!("[{done}/{hosts}] {name} {state}: {}", found(&counts)));
                } else if *done * 10 / *hosts > *tenths {
                    *tenths = *done * 10 / *hosts;
                    line(&format!("{done} of {hosts} hosts done"));
                }
            }
            Self::Json { .. } => event(&json!({
                "event": "host_finished", "asset": name.to_string(), "reached": host.result.reached,
                "interrupted": host.interrupted, "score": host.result.score, "findings": counts,
            })),
            Self::Bar(_) | Self::None => {}
        }
    }

    /// A sentence for the user.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| line(text)),
            Self::Plain { .. } => line(text),
            Self::Json { .. } => event(&json!({ "event": "note", "text": text })),
            Self::None => {}
        }
    }

    /// The scan ended.
    pub fn finished(&self, outcome: &ScanOutcome, took: Duration) {
        match self {
            Self::Bar(bar) => {
                bar.finish_and_clear();
                line(&summary(outcome, took));
            }
            Self::Plain { .. } => line(&summary(outcome, took)),
            Self::Json { .. } => event(&json!({
                "event": "finished", "status": outcome.status, "partial": outcome.partial,
                "partial_reasons": outcome.partial_reasons, "findings": outcome.findings,
                "coverage": outcome.counts, "score": outcome.score.value, "elapsed_seconds": took.as_secs(),
            })),
            Self::None => {}
        }
    }
}

/// What is done of what, for how long, and how long it may still take where that is known.
fn counts(progress: &Progress) -> String {
    let eta = progress.eta_seconds.map_or_else(String::new, |left| format!(", about {} left", span(left)));
    format!(
        "hosts {}/{}  ports {}/{}  checks {}/{}  {}{eta}",
        progress.hosts.done,
        progress.hosts.total,
        progress.ports.done,
        progress.ports.total,
        progress.checks.done,
        progress.checks.total,
        span(progress.elapsed_seconds),
    )
}

fn summary(outcome: &ScanOutcome, took: Duration) -> String {
    let score = outcome.score.value.map_or_else(|| "none".to_owned(), |value| format!("{value}"));
    let coverage = outcome.counts.percent().map_or_else(|| "none".to_owned(), |percent| format!("{percent} %"));
    let mut text = format!(
        "{} in {}: {}; score {score}, coverage {coverage}",
        outcome.status,
        span(took.as_secs()),
        found(&outcome.findings),
    );
    for reason in &outcome.partial_reasons {
        text.push_str("\nincomplete: ");
        text.push_str(reason);
    }
    text
}

/// Hundredths of hosts, with the ports of the hosts in flight as a fraction below one.
fn position(progress: &Progress) -> u64 {
    let whole = progress.hosts.done * 100;
    if progress.hosts.done < progress.hosts.total && progress.ports.total > 0 {
        let by_ports = progress.ports.done * progress.hosts.total * 100 / progress.ports.total;
        // Scanned ports are at most the first half of what a host takes.
        return whole.max(whole + by_ports.saturating_sub(whole) / 2);
    }
    whole
}

fn found(counts: &FindingCounts) -> String {
    if counts.total() == 0 {
        return "no findings".to_owned();
    }
    let parts: Vec<String> = Severity::ALL
        .into_iter()
        .filter(|severity| counts.of(*severity) > 0)
        .map(|severity| format!("{} {severity}", counts.of(severity)))
        .collect();
    parts.join(", ")
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn event(value: &serde_json::Value) {
    let _ = writeln!(std::io::stderr(), "{value}");
}
