//! How far a scan is, in real counts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_domain::{Outcome, Severity, Verdict};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Something counted against what is known of its total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Count {
    /// Finished.
    pub done: u64,
    /// Known so far; ports grow when a name turns out to have several addresses.
    pub total: u64,
}

/// Findings by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FindingCounts {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Medium.
    pub medium: u64,
    /// Low.
    pub low: u64,
    /// Info.
    pub info: u64,
}

impl FindingCounts {
    /// Counts one finding.
    pub const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Critical => self.critical += 1,
            Severity::High => self.high += 1,
            Severity::Medium => self.medium += 1,
            Severity::Low => self.low += 1,
            Severity::Info => self.info += 1,
        }
    }

    /// How many findings of `severity`.
    #[must_use]
    pub const fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }
}

/// A snapshot of a running scan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Assets.
    pub hosts: Count,
    /// Ports asked, over the assets begun so far and an estimate of one address for those not begun.
    pub ports: Count,
    /// Checks judged, against checks times assets.
    pub checks: Count,
    /// Found so far.
    pub findings: FindingCounts,
    /// What is being done at the moment: `identifying services on shop.example.com`.
    pub current: Option<String>,
    /// Seconds since the start.
    pub elapsed_seconds: u64,
    /// Seconds left by the pace so far; `None` while there is no basis for a statement.
    pub eta_seconds: Option<u64>,
}

/// Collects counts from the tasks of a scan.
#[derive(Debug)]
pub(crate) struct Tracker {
    started: Instant,
    hosts_done: AtomicU64,
    hosts_total: u64,
    checks_per_host: u64,
    ports_done: AtomicU64,
    ports_total: AtomicU64,
    /// Probes after identification, the basis of an estimate when there is only one host.
    probes_done: AtomicU64,
    probes_total: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    findings: FindingCounts,
    current: Option<String>,
}

/// Hosts that must be finished before their pace says anything.
const HOSTS_BASIS: u64 = 3;
/// Time that must have passed before any pace says anything.
const TIME_BASIS: Duration = Duration::from_secs(3);

impl Tracker {
    pub(crate) fn new(hosts: u64, checks_per_host: u64, ports: u64) -> Self {
        Self {
            started: Instant::now(),
            hosts_done: AtomicU64::new(0),
            hosts_total: hosts,
            checks_per_host,
            ports_done: AtomicU64::new(0),
            ports_total: AtomicU64::new(ports),
            probes_done: AtomicU64::new(0),
            probes_total: AtomicU64::new(0),
            state: Mutex::new(State::default()),
        }
    }

    pub(crate) fn doing(&self, what: String) {
        self.lock().current = Some(what);
    }

    /// Ports of a host turned out to be other than estimated.
    pub(crate) fn ports_known(&self, estimated: u64, known: u64) {
        if known >= estimated {
            self.ports_total.fetch_add(known - estimated, Ordering::Relaxed);
        } else {
            self.ports_total.fetch_sub(estimated - known, Ordering::Relaxed);
        }
    }

    pub(crate) fn ports_advanced(&self, by: u64) {
        self.ports_done.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn probe_planned(&self) {
        self.probes_total.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn probe_done(&self) {
        self.probes_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn host_done(&self, verdicts: &[Verdict]) {
        let mut state = self.lock();
        for verdict in verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Fail) {
            state.findings.add(verdict.severity.unwrap_or(Severity::Info));
        }
        drop(state);
        self.hosts_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn findings(&self) -> FindingCounts {
        self.lock().findings
    }

    pub(crate) fn snapshot(&self) -> Progress {
        let elapsed = self.started.elapsed();
        let hosts_done = self.hosts_done.load(Ordering::Relaxed);
        let state = self.lock();
        Progress {
            hosts: Count { done: hosts_done, total: self.hosts_total },
            ports: Count {
                done: self.ports_done.load(Ordering::Relaxed),
                total: self.ports_total.load(Ordering::Relaxed),
            },
            checks: Count { done: hosts_done * self.checks_per_host, total: self.hosts_total * self.checks_per_host },
            findings: state.findings,
            current: state.current.clone(),
            elapsed_seconds: elapsed.as_secs(),
            eta_seconds: self.eta(hosts_done, elapsed),
        }
    }

    /// Finished hosts are the only honest measure of hosts to come, since what is open on them is not known. For the
    /// last host alone, the share of its probes that are done is one, once there are some.
    fn eta(&self, hosts_done: u64, elapsed: Duration) -> Option<u64> {
        if elapsed < TIME_BASIS || hosts_done >= self.hosts_total {
            return None;
        }
        let (done, total) = if hosts_done >= HOSTS_BASIS {
            (hosts_done, self.hosts_total)
        } else if self.hosts_total == 1 {
            let total = self.probes_total.load(Ordering::Relaxed);
            let done = self.probes_done.load(Ordering::Relaxed);
            if done * 4 < total || done < 4 {
                return None;
            }
            (done, total)
        } else {
            return None;
        };
        let millis = u64::try_from(elapsed.as_millis()).ok()?;
        Some((millis.checked_mul(total.saturating_sub(done))? / done).div_ceil(1000))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while holding the lock leaves counts that are still counts.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_estimate_before_there_is_a_basis() {
        let tracker = Tracker::new(10, 5, 100);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(tracker.snapshot().eta_seconds, None, "no host is finished");
        for _ in 0..3 {
            tracker.host_done(&[]);
        }
        assert_eq!(tracker.snapshot().eta_seconds, Some(70), "three hosts in 30 s, seven to go");
        assert_eq!(tracker.snapshot().checks, Count { done: 15, total: 50 });
        for _ in 0..7 {
            tracker.host_done(&[]);
        }
        assert_eq!(tracker.snapshot().eta_seconds, None, "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_host_is_estimated_by_its_probes() {
        let tracker = Tracker::new(1, 5, 100);
        tokio::time::advance(Duration::from_secs(20)).await;
        (0..8).for_each(|_| tracker.probe_planned());
        (0..3).for_each(|_| tracker.probe_done());
        assert_eq!(tracker.snapshot().eta_seconds, None);
        tracker.probe_done();
        assert_eq!(tracker.snapshot().eta_seconds, Some(20));
    }

    #[tokio::test(start_paused = true)]
    async fn ports_follow_what_is_known() {
        let tracker = Tracker::new(2, 5, 200);
        tracker.ports_known(100, 300);
        tracker.ports_known(100, 0);
        tracker.ports_advanced(40);
        assert_eq!(tracker.snapshot().ports, Count { done: 40, total: 300 });
    }
}
