//! How far a scan is, in real counts.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_domain::{AssetRef, CheckId, Outcome, Severity, Verdict};
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

    /// Counts all of `other` too.
    const fn merge(&mut self, other: &Self) {
        self.critical += other.critical;
        self.high += other.high;
        self.medium += other.medium;
        self.low += other.low;
        self.info += other.info;
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
    /// Checks that have spoken, against checks times assets. Those of an asset in flight count as soon as one of its
    /// services has answered them, and all of them once it is finished.
    pub checks: Count,
    /// Found so far, on assets in flight too.
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
    /// Probes after identification, the basis of an estimate when there are few hosts.
    probes_done: AtomicU64,
    probes_total: AtomicU64,
    earlier: Earlier,
    state: Mutex<State>,
}

/// What earlier runs of the same scan finished: part of every count, and of no estimate.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Earlier {
    pub(crate) hosts: u64,
    pub(crate) ports: u64,
}

#[derive(Debug, Default)]
struct State {
    findings: FindingCounts,
    current: Option<String>,
    in_flight: HashMap<AssetRef, Preview>,
    estimates: Estimates,
}

/// What was estimated in the last few seconds. An estimate is told once it has stood still for as long: one that moves
/// away as time goes by is no estimate.
#[derive(Debug, Default)]
struct Estimates(VecDeque<(Duration, Duration)>);

impl Estimates {
    /// Takes in that at `now` the end was expected at `end`, and says in how many seconds it is to be told, if it is.
    fn add(&mut self, now: Duration, end: Duration) -> Option<u64> {
        self.0.push_back((now, end));
        while self.0.front().is_some_and(|(at, _)| now.saturating_sub(*at) > STANDS + TICK) {
            self.0.pop_front();
        }
        let stood = self.0.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= STANDS);
        let latest = self.0.iter().map(|(_, end)| *end).max()?;
        let earliest = self.0.iter().map(|(_, end)| *end).min()?;
        let left = end.saturating_sub(now);
        let steady = latest.saturating_sub(earliest) <= (left / 4).max(TICK);
        (stood && steady).then(|| left.as_millis().div_ceil(1000).max(1)).and_then(|left| u64::try_from(left).ok())
    }
}

/// What is known of an asset before all of it is gathered.
#[derive(Debug, Default)]
struct Preview {
    checks: BTreeSet<CheckId>,
    findings: FindingCounts,
}

impl Preview {
    fn add(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            match verdict.outcome {
                Outcome::Fail => self.findings.add(verdict.severity.unwrap_or(Severity::Info)),
                Outcome::Pass => {}
                // What the rest of the asset may still change.
                Outcome::Error | Outcome::NotApplicable | Outcome::NotTested => continue,
            }
            self.checks.insert(verdict.check_id.clone());
        }
    }
}

/// Hosts that must be finished before their pace says anything.
const HOSTS_BASIS: u64 = 3;
/// Time that must have passed before any pace says anything.
const TIME_BASIS: Duration = Duration::from_secs(3);
/// How long an estimate must have stood still.
const STANDS: Duration = Duration::from_secs(3);
/// What it may move by whatever it says.
const TICK: Duration = Duration::from_secs(1);

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
            earlier: Earlier::default(),
            state: Mutex::new(State::default()),
        }
    }

    /// The same after earlier runs.
    pub(crate) const fn after(mut self, earlier: Earlier) -> Self {
        self.earlier = earlier;
        self
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

    /// Part of an asset was judged by itself: one service, or its names.
    pub(crate) fn part_judged(&self, asset: &AssetRef, verdicts: &[Verdict]) {
        self.lock().in_flight.entry(asset.clone()).or_default().add(verdicts);
    }

    pub(crate) fn host_done(&self, asset: &AssetRef, verdicts: &[Verdict]) {
        let mut state = self.lock();
        state.in_flight.remove(asset);
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
        let mut state = self.lock();
        let end = self.expected_end(hosts_done, elapsed);
        let eta_seconds = end.and_then(|end| state.estimates.add(elapsed, end));
        let (mut checks_done, mut findings) = (hosts_done * self.checks_per_host, state.findings);
        for preview in state.in_flight.values() {
            checks_done += (preview.checks.len() as u64).min(self.checks_per_host);
            findings.merge(&preview.findings);
        }
        let earlier = self.earlier;
        let checks_earlier = earlier.hosts * self.checks_per_host;
        Progress {
            hosts: Count { done: earlier.hosts + hosts_done, total: earlier.hosts + self.hosts_total },
            ports: Count {
                done: earlier.ports + self.ports_done.load(Ordering::Relaxed),
                total: earlier.ports + self.ports_total.load(Ordering::Relaxed),
            },
            checks: Count {
                done: checks_earlier + checks_done,
                total: checks_earlier + self.hosts_total * self.checks_per_host,
            },
            findings,
            current: state.current.clone(),
            elapsed_seconds: elapsed.as_secs(),
            eta_seconds,
        }
    }

    /// Finished hosts are the only honest measure of hosts to come, since what is open on them is not known. Where
    /// there are too few for that, the share of the probes that are done is one, once there are some.
    fn expected_end(&self, hosts_done: u64, elapsed: Duration) -> Option<Duration> {
        if elapsed < TIME_BASIS || hosts_done >= self.hosts_total {
            return None;
        }
        let (done, total) = if hosts_done >= HOSTS_BASIS {
            (hosts_done, self.hosts_total)
        } else if self.hosts_total <= HOSTS_BASIS {
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
        Some(Duration::from_millis(millis.checked_mul(total)? / done))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while holding the lock leaves counts that are still counts.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bartizan_domain::Location;

    use super::*;

    fn asset() -> AssetRef {
        AssetRef::Ip([192, 0, 2, 1].into())
    }

    #[tokio::test]
    async fn what_is_known_of_a_host_in_flight_is_told_and_replaced_by_its_result() {
        let tracker = Tracker::new(2, 5, 100);
        let verdict = |check: &str, outcome, severity| Verdict {
            check_id: CheckId::parse(check).unwrap(),
            asset: asset(),
            location: Location::host(),
            outcome,
            reason: None,
            severity,
            confidence: None,
            evidence: serde_json::Value::Null,
        };
        let part = [
            verdict("hsts.missing", Outcome::Fail, Some(Severity::Medium)),
            verdict("tls.v10", Outcome::Pass, None),
            verdict("dns.axfr", Outcome::NotTested, None),
        ];
        tracker.part_judged(&asset(), &part);
        tracker.part_judged(&asset(), &part);
        let told = tracker.snapshot();
        assert_eq!((told.hosts.done, told.checks, told.findings.medium), (0, Count { done: 2, total: 10 }, 2));
        tracker.host_done(&asset(), &part);
        let told = tracker.snapshot();
        assert_eq!((told.hosts.done, told.checks, told.findings.medium), (1, Count { done: 5, total: 10 }, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_estimate_before_there_is_a_basis() {
        let tracker = Tracker::new(10, 5, 100);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(tracker.snapshot().eta_seconds, None, "no host is finished");
        for _ in 0..3 {
            tracker.host_done(&asset(), &[]);
        }
        assert_eq!(tracker.snapshot().eta_seconds, None, "the first estimate has not stood yet");
        tokio::time::advance(STANDS).await;
        assert_eq!(tracker.snapshot().eta_seconds, Some(77), "three hosts in 33 s, seven to go");
        assert_eq!(tracker.snapshot().checks, Count { done: 15, total: 50 });
        for _ in 0..7 {
            tracker.host_done(&asset(), &[]);
        }
        assert_eq!(tracker.snapshot().eta_seconds, None, "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_single_host_is_estimated_by_its_probes_while_they_keep_their_pace() {
        let tracker = Tracker::new(1, 5, 100);
        tokio::time::advance(Duration::from_secs(20)).await;
        (0..40).for_each(|_| tracker.probe_planned());
        (0..20).for_each(|_| tracker.probe_done());
        assert_eq!(tracker.snapshot().eta_seconds, None);
        let mut told = None;
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(1)).await;
            tracker.probe_done();
            told = tracker.snapshot().eta_seconds;
        }
        assert_eq!(told, Some(17));
        for _ in 0..4 {
            tokio::time::advance(Duration::from_secs(1)).await;
            told = tracker.snapshot().eta_seconds;
        }
        assert_eq!(told, None, "the end moves away");
    }

    #[tokio::test(start_paused = true)]
    async fn ports_follow_what_is_known() {
        let tracker = Tracker::new(2, 5, 200);
        tracker.ports_known(100, 300);
        tracker.ports_known(100, 0);
        tracker.ports_advanced(40);
        assert_eq!(tracker.snapshot().ports, Count { done: 40, total: 300 });
        let resumed = Tracker::new(2, 5, 200).after(Earlier { hosts: 3, ports: 30 });
        resumed.ports_advanced(1);
        let told = resumed.snapshot();
        assert_eq!((told.hosts, told.ports), (Count { done: 3, total: 5 }, Count { done: 31, total: 230 }));
        assert_eq!((told.checks, told.eta_seconds), (Count { done: 15, total: 25 }, None));
    }
}
