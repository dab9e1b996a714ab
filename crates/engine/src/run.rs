//! Runs a scan: assets side by side within bounds, events on a channel, an outcome at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bartizan_catalog::Catalog;
use bartizan_checks::judge;
use bartizan_domain::coverage::{Coverage, OutcomeCounts};
use bartizan_domain::document::HostResult;
use bartizan_domain::evidence::HostEvidence;
use bartizan_domain::score::{AssetScore, Score, scan_score};
use bartizan_domain::{AssetRef, Clock, ScanStatus, Severity, Target, Verdict};
use bartizan_evidence::Blob;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::document::host_result;
use crate::gaps::{Gaps, NamedPorts, Names, Settled, hosts};
use crate::gather::Gatherer;
use crate::plan::{Plan, PlannedAsset};
use crate::probes::Probes;
use crate::progress::{Earlier, FindingCounts, Progress, Tracker};
use crate::settings::{ScanSettings, SettingsError};

/// How often progress is reported.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What to scan.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// The targets.
    pub targets: Vec<Target>,
    /// How.
    pub settings: ScanSettings,
    /// Assets that are finished already, by an earlier run of the same scan.
    pub finished: HashMap<AssetRef, Settled>,
}

/// What a scan needs from its surroundings.
#[derive(Clone)]
pub struct EngineDeps {
    /// The network, or a recording of it.
    pub probes: Arc<dyn Probes>,
    /// The catalogue that judges.
    pub catalog: &'static Catalog,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fires to stop: assets in flight are finished with what they have, no new ones are begun.
    pub cancel: CancellationToken,
}

/// What a running scan tells.
#[derive(Debug)]
pub enum ScanEvent {
    /// The plan is made; always the first event.
    Planned {
        /// Assets to scan.
        assets: usize,
        /// Checks on each.
        checks: usize,
    },
    /// Counts changed. Sent a few times a second, and dropped when nobody takes them.
    Progress(Progress),
    /// An asset is done.
    HostFinished(Box<HostFinished>),
}

/// One finished asset: everything to store, in one piece.
#[derive(Debug)]
pub struct HostFinished {
    /// What was gathered.
    pub evidence: HostEvidence,
    /// The same in its stored form.
    pub blob: Blob,
    /// Every planned check at every location.
    pub verdicts: Vec<Verdict>,
    /// How each ended, for storage.
    pub coverage: Coverage,
    /// The asset as results show it.
    pub result: HostResult,
    /// Whether the scan was stopped before the asset was done: what is here is true but not all, and a resumed scan
    /// scans the asset again.
    pub interrupted: bool,
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanOutcome {
    /// `Completed` or `Cancelled`.
    pub status: ScanStatus,
    /// Whether results have gaps.
    pub partial: bool,
    /// One sentence per gap.
    pub partial_reasons: Vec<String>,
    /// Assets planned, those finished earlier included.
    pub hosts_total: usize,
    /// Assets finished whole in this run.
    pub hosts_done: usize,
    /// Verdicts of this run by outcome.
    pub counts: OutcomeCounts,
    /// Findings of this run by severity.
    pub findings: FindingCounts,
    /// Score over the assets of this run.
    pub score: Score,
}

impl ScanOutcome {
    /// The greatest severity found, if anything was.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| self.findings.of(*severity) > 0)
    }
}

/// Runs a scan to its end. Every finished asset is sent on `events` and not kept; if the receiver goes away, the scan
/// stops.
///
/// # Errors
/// If the targets cannot be planned. Nothing was sent anywhere then.
pub async fn run(
    request: ScanRequest,
    deps: EngineDeps,
    events: mpsc::Sender<ScanEvent>,
) -> Result<ScanOutcome, SettingsError> {
    let plan = Plan::new(deps.catalog, &request.targets, &request.settings)?;
    let todo: Vec<PlannedAsset> =
        plan.assets.iter().filter(|planned| !request.finished.contains_key(&planned.asset)).cloned().collect();
    let checks = request.settings.selection.len();
    let ports_of = |planned: &PlannedAsset| planned.tcp_ports(&request.settings).len() as u64;
    let ports = todo.iter().map(ports_of).sum();
    let done_earlier = || plan.assets.iter().filter(|planned| request.finished.contains_key(&planned.asset));
    let earlier = Earlier { hosts: done_earlier().count() as u64, ports: done_earlier().map(ports_of).sum() };
    let stop = deps.cancel.child_token();
    let shared = Arc::new(Shared {
        tracker: Tracker::new(todo.len() as u64, checks as u64, ports).after(earlier),
        permits: Semaphore::new(request.settings.concurrency as usize),
        settings: request.settings,
        needs: plan.needs,
        named_ports: NamedPorts::new(&request.targets),
        deps,
        stop: stop.clone(),
    });
    let planned = ScanEvent::Planned { assets: todo.len(), checks };
    let mut tally = Tally::new(plan.assets.len(), &request.targets, plan.left_out);
    for planned in plan.assets.iter().filter(|planned| request.finished.contains_key(&planned.asset)) {
        if let Some(settled) = request.finished.get(&planned.asset) {
            tally.settled(planned, settled);
        }
        tally.earlier += 1;
    }
    if events.send(planned).await.is_err() {
        stop.cancel();
    }
    let limit = shared.settings.max_time_seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    tokio::select! {
        () = shared.all(todo, &events, &mut tally) => {}
        () = expire(limit, &stop) => {}
    }
    let _ = events.send(ScanEvent::Progress(shared.tracker.snapshot())).await;
    Ok(tally.outcome(&shared))
}

/// Stops the scan when its time is up; itself never ends.
async fn expire(limit: Option<Duration>, stop: &CancellationToken) {
    if let Some(limit) = limit {
        tokio::time::sleep(limit).await;
        stop.cancel();
    }
    std::future::pending::<()>().await;
}

struct Shared {
    tracker: Tracker,
    permits: Semaphore,
    settings: ScanSettings,
    needs: std::collections::BTreeSet<bartizan_domain::evidence::EvidenceKind>,
    named_ports: NamedPorts,
    deps: EngineDeps,
    stop: CancellationToken,
}

impl Shared {
    async fn all(self: &Arc<Self>, todo: Vec<PlannedAsset>, events: &mpsc::Sender<ScanEvent>, tally: &mut Tally) {
        // Enough assets in flight to use every permit, few enough to bound memory.
        let abreast = (self.settings.concurrency as usize).clamp(1, 64);
        let mut running: JoinSet<(PlannedAsset, HostFinished)> = JoinSet::new();
        let mut todo = todo.into_iter();
        let mut ticker = tokio::time::interval(PROGRESS_EVERY);
        ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            while running.len() < abreast && !self.stop.is_cancelled() {
                let Some(planned) = todo.next() else { break };
                let shared = Arc::clone(self);
                running.spawn(async move {
                    let finished = shared.host(&planned).await;
                    (planned, finished)
                });
            }
            tokio::select! {
                joined = running.join_next() => match joined {
                    None => break,
                    Some(Ok((planned, finished))) => {
                        tally.host(&planned, &finished);
                        if events.send(ScanEvent::HostFinished(Box::new(finished))).await.is_err() {
                            // Nobody listens any more.
                            self.stop.cancel();
                        }
                    }
                    Some(Err(error)) => {
                        tracing::error!(%error, "an asset's task failed");
                        tally.failed_tasks += 1;
                    }
                },
                _ = ticker.tick() => {
                    // Progress that nobody takes is dropped, the next one says more.
                    let _ = events.try_send(ScanEvent::Progress(self.tracker.snapshot()));
                }
            }
        }
    }

    async fn host(self: &Arc<Self>, planned: &PlannedAsset) -> HostFinished {
        let judge_part = |part: &HostEvidence| {
            let verdicts = judge::judge(self.deps.catalog, &self.settings.selection, part, &self.settings.judge);
            self.tracker.part_judged(&planned.asset, &verdicts);
        };
        let gatherer = Gatherer {
            probes: &*self.deps.probes,
            settings: &self.settings,
            needs: &self.needs,
            permits: &self.permits,
            tracker: &self.tracker,
            cancel: &self.stop,
            judge_part: &judge_part,
        };
        let evidence = gatherer.gather(planned, self.deps.clock.now()).await;
        let interrupted = self.stop.is_cancelled();
        self.tracker.doing(format!("judging {}", planned.asset));
        let shared = Arc::clone(self);
        let judged = tokio::task::spawn_blocking(move || shared.judge(evidence, interrupted)).await;
        let finished = match judged {
            Ok(finished) => finished,
            // A panic in a check belongs to the task of its asset, which the caller counts as failed.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        self.tracker.host_done(&planned.asset, &finished.verdicts);
        finished
    }

    fn judge(&self, mut evidence: HostEvidence, interrupted: bool) -> HostFinished {
        let blob = match bartizan_evidence::encode(&evidence) {
            Ok(blob) => blob,
            Err(_) => {
                let dropped = bartizan_evidence::fit(&mut evidence);
                tracing::warn!(asset = %evidence.asset, ?dropped, "evidence exceeded its size and was cut");
                bartizan_evidence::encode(&evidence)
                    .unwrap_or_else(|error| unreachable!("evidence without its parts is small: {error}"))
            }
        };
        let catalog = self.deps.catalog;
        let verdicts = judge::judge(catalog, &self.settings.selection, &evidence, &self.settings.judge);
        let coverage = judge::coverage(catalog, &evidence, &verdicts);
        let mut result = host_result(&evidence, &verdicts);
        if interrupted {
            // What was judged before the stop is kept, and says too little for a number.
            result.score = None;
        } else {
            result.gaps.extend(self.named_ports.gap(&result));
        }
        HostFinished { evidence, blob, verdicts, coverage, result, interrupted }
    }
}

/// What is remembered of finished assets: small, however large the scan.
struct Tally {
    planned: usize,
    /// Finished by earlier runs.
    earlier: usize,
    left_out: usize,
    done: usize,
    interrupted: usize,
    failed_tasks: usize,
    gaps: Gaps,
    targets: Vec<(String, bool)>,
    why_unreached: Vec<Option<String>>,
    counts: OutcomeCounts,
    scores: Vec<AssetScore>,
}

impl Tally {
    fn new(planned: usize, targets: &[Target], left_out: usize) -> Self {
        Self {
            planned,
            earlier: 0,
            left_out,
            done: 0,
            interrupted: 0,
            failed_tasks: 0,
            gaps: Gaps::default(),
            targets: targets.iter().map(|target| (target.to_string(), false)).collect(),
            why_unreached: vec![None; targets.len()],
            counts: OutcomeCounts::default(),
            scores: Vec::new(),
        }
    }

    /// Takes in how an asset ended, in this run or an earlier one.
    fn settled(&mut self, planned: &PlannedAsset, settled: &Settled) {
        if settled.reached {
            if let Some((_, reached)) = self.targets.get_mut(planned.target) {
                *reached = true;
            }
        } else if let Some(why) = self.why_unreached.get_mut(planned.target) {
            why.clone_from(&settled.why_unreached);
        }
        self.gaps.add(&planned.asset, &settled.gaps);
    }

    fn host(&mut self, planned: &PlannedAsset, finished: &HostFinished) {
        if finished.interrupted {
            self.interrupted += 1;
        } else {
            self.done += 1;
        }
        self.settled(planned, &Settled::from(&finished.result));
        for verdict in &finished.verdicts {
            self.counts.add(verdict.outcome);
        }
        let value = finished.result.score;
        self.scores.push(AssetScore { asset: finished.result.asset.clone(), value });
    }

    fn outcome(self, shared: &Shared) -> ScanOutcome {
        let cancelled = shared.deps.cancel.is_cancelled();
        let stopped = shared.stop.is_cancelled();
        let mut reasons = Vec::new();
        let seen = self.earlier + self.scores.len() + self.failed_tasks;
        if cancelled {
            reasons.push("the scan was cancelled".to_owned());
        } else if stopped {
            let limit = shared.settings.max_time_seconds.unwrap_or_default();
            reasons.push(format!("the time limit of {limit} s was reached"));
        }
        if self.interrupted > 0 {
            let were = if self.interrupted == 1 { "was" } else { "were" };
            reasons.push(format!("{} {were} stopped in the middle", hosts(self.interrupted)));
        }
        if stopped && seen < self.planned {
            reasons.push(format!("{seen} of {} hosts were begun", self.planned));
        }
        if self.failed_tasks > 0 {
            let failed = hosts(self.failed_tasks);
            reasons.push(format!("{failed} failed by a defect of the scanner; see its log"));
        }
        reasons.extend(self.gaps.reasons());
        if self.left_out > 0 {
            let were = if self.left_out == 1 { "was" } else { "were" };
            reasons.push(format!("{} {were} left out, as max_hosts asked", hosts(self.left_out)));
        }
        if !stopped {
            reasons.extend(self.unreached());
        }
        ScanOutcome {
            status: if cancelled { ScanStatus::Cancelled } else { ScanStatus::Completed },
            partial: !reasons.is_empty(),
            partial_reasons: reasons,
            hosts_total: self.planned,
            hosts_done: self.done,
            counts: self.counts,
            findings: shared.tracker.findings(),
            score: scan_score(self.scores, self.counts),
        }
    }

    /// A network is reached if any of its addresses is; dead addresses in it are no gap.
    fn unreached(&self) -> Option<String> {
        let mut names = Names::default();
        for ((name, reached), why) in self.targets.iter().zip(&self.why_unreached) {
            if let (false, Some(why)) = (reached, why) {
                names.add(|| format!("{name} ({why})"));
            }
        }
        (!names.is_empty()).then(|| format!("not reached: {names}"))
    }
}
