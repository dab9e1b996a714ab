//! The job that runs a scan: engine events in, committed hosts out, and an end.
//!
//! Taken up again after a crash, it leaves out the hosts that are committed. Stopped with the process, it gives the job
//! back; stopped by a person, it keeps what was found and ends the scan as cancelled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bartizan_domain::id::{OrganizationId, ScanId};
use bartizan_domain::{AssetRef, Error, Result, ScanStatus};
use bartizan_engine::{
    EngineDeps, HostFinished, ScanEvent, ScanOutcome, ScanRequest, ScanSettings, SettingsError, Settled,
};
use bartizan_jobs::{Control, Handler, Job, NewJob, Outcome, StopReason};
use bartizan_storage::scan_hosts::{self, HostStatus};
use bartizan_storage::scans::{self, Scan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use crate::counted_probes::Counted;
use crate::live::Changed;
use crate::scan_commit::{HostPlace, HostRecord, commit_host};
use crate::scan_finish::{Ending, finish};
use crate::scan_targets::{self, AssetsOfHosts};
use crate::{OpContext, Reach, Services, settings};

/// Kind of the job.
pub(crate) const KIND: &str = "scan";

/// A scan may be interrupted often: each attempt goes on where the last one stopped.
const ATTEMPTS: i32 = 100;
/// Scans of one process at a time.
const ABREAST: usize = 2;
/// How often progress is stored.
const STORE_PROGRESS_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Payload {
    organization_id: OrganizationId,
    scan_id: ScanId,
}

/// The job of a scan.
pub(crate) fn job_of(organization_id: OrganizationId, scan_id: ScanId) -> NewJob {
    NewJob {
        organization_id: Some(organization_id),
        dedupe_key: Some(key_of(scan_id)),
        max_attempts: ATTEMPTS,
        ..NewJob::new(KIND, json!(Payload { organization_id, scan_id }))
    }
}

/// The dedupe key of a scan's job.
pub(crate) fn key_of(scan: ScanId) -> String {
    scan.to_string()
}

/// The scan of a job, if it is the job of one.
pub(crate) fn scan_of(job: &Job) -> Option<ScanId> {
    let payload = (job.kind == KIND).then(|| serde_json::from_value::<Payload>(job.payload.clone()).ok()).flatten();
    payload.map(|payload| payload.scan_id)
}

/// Runs scans.
pub(crate) struct ScanHandler {
    services: Services,
}

impl ScanHandler {
    pub(crate) const fn new(services: Services) -> Self {
        Self { services }
    }

    async fn scan(&self, job: &Job, control: &Control) -> Result<Outcome> {
        let payload: Payload = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
        let cx = self.services.system("scan", payload.organization_id);
        let db = self.services.store.read();
        let Some(scan) = scans::get(db, payload.organization_id, payload.scan_id).await? else {
            return Ok(Outcome::Done);
        };
        if scan.status.is_final() {
            return Ok(Outcome::Done);
        }
        if scan.cancel_requested_at.is_some() {
            finish(&cx, &self.services, &scan, cancelled(Vec::new())).await?;
            return Ok(Outcome::Cancelled);
        }
        let from = [ScanStatus::Pending, ScanStatus::Running];
        let tx = self.services.store.begin().await?;
        scans::transition(tx.db(), payload.organization_id, scan.id, (&from, ScanStatus::Running), cx.now()).await?;
        tx.commit().await?;
        self.services.live.tell(Changed { organization: payload.organization_id, scan: scan.id });

        let run = Run { services: &self.services, cx: &cx, scan: &scan, control };
        let ended = run.run().await?;
        match control.stop_reason() {
            Some(StopReason::LeaseLost) => Ok(Outcome::Released),
            Some(StopReason::Shutdown) => {
                let back = (&[ScanStatus::Running][..], ScanStatus::Pending);
                let tx = self.services.store.begin().await?;
                scans::transition(tx.db(), payload.organization_id, scan.id, back, cx.now()).await?;
                tx.commit().await?;
                Ok(Outcome::Released)
            }
            Some(StopReason::Cancelled) => {
                let reasons = ended.map(|outcome| outcome.partial_reasons).unwrap_or_default();
                finish(&cx, &self.services, &scan, cancelled(reasons)).await?;
                Ok(Outcome::Cancelled)
            }
            None => match ended {
                Ok(outcome) => {
                    let ending =
                        Ending { status: outcome.status, partial_reasons: outcome.partial_reasons, error: None };
                    finish(&cx, &self.services, &scan, ending).await?;
                    Ok(Outcome::Done)
                }
                Err(error) => {
                    finish(&cx, &self.services, &scan, failed(error.to_string())).await?;
                    Ok(Outcome::Failed(error.to_string()))
                }
            },
        }
    }

    async fn give_up(&self, job: &Job, why: &str) -> Result<()> {
        let payload: Payload = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
        let cx = self.services.system("scan", payload.organization_id);
        let found = scans::get(self.services.store.read(), payload.organization_id, payload.scan_id).await?;
        match found {
            Some(scan) if !scan.status.is_final() => finish(&cx, &self.services, &scan, failed(why.to_owned())).await,
            _ => Ok(()),
        }
    }
}

fn cancelled(mut reasons: Vec<String>) -> Ending {
    if reasons.is_empty() {
        reasons.push("the scan was cancelled".to_owned());
    }
    Ending { status: ScanStatus::Cancelled, partial_reasons: reasons, error: None }
}

pub(crate) fn failed(why: String) -> Ending {
    Ending { status: ScanStatus::Failed, partial_reasons: vec![format!("the scan failed: {why}")], error: Some(why) }
}

#[async_trait]
impl Handler for ScanHandler {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn concurrency(&self) -> usize {
        ABREAST
    }

    async fn run(&self, job: &Job, control: &Control) -> Outcome {
        match self.scan(job, control).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let detail = error.internal_context().map_or_else(|| error.to_string(), str::to_owned);
                tracing::error!(job = %job.id, error = detail, "a scan stopped");
                if job.attempts >= job.max_attempts
                    && let Err(error) = self.give_up(job, &error.to_string()).await
                {
                    tracing::error!(job = %job.id, error = ?error, "a failed scan could not be ended");
                }
                Outcome::Retry(error.to_string())
            }
        }
    }
}

struct Run<'a> {
    services: &'a Services,
    cx: &'a OpContext,
    scan: &'a Scan,
    control: &'a Control,
}

impl Run<'_> {
    async fn run(&self) -> Result<Result<ScanOutcome, SettingsError>> {
        let organization = self.scan.organization_id;
        let db = self.services.store.read();
        let targets = scan_targets::stored(&self.scan.targets)?;
        let assets = AssetsOfHosts::new(&targets)?;
        let settings: ScanSettings = serde_json::from_value(self.scan.options.clone()).map_err(Error::internal)?;
        let reach = match settings::private_allowed(db, organization).await? {
            true => Reach::Private,
            false => Reach::Public,
        };
        let finished: HashMap<AssetRef, Settled> = scan_hosts::finished(db, organization, self.scan.id)
            .await?
            .iter()
            .map(|result| (result.asset.clone(), Settled::from(result)))
            .collect();
        let mut position = scan_hosts::last_position(db, organization, self.scan.id).await?;
        // A scan that is taken up again has been going since it was first begun.
        let before = self.scan.started_at.map_or(0, |at| (self.cx.now() - at).num_seconds().max(0));
        let before = u64::try_from(before).unwrap_or(0);
        let (clock, _) = self.services.sources();
        let deps = EngineDeps {
            probes: Arc::new(Counted(self.services.network.probes(&settings, reach)?)),
            catalog: self.services.catalog,
            clock,
            cancel: self.control.token().clone(),
        };
        let request = ScanRequest {
            targets: targets.iter().map(|target| scan_targets::parse(&target.text)).collect::<Result<_>>()?,
            settings,
            finished,
        };
        let (sender, mut events) = mpsc::channel(64);
        // Dropping the receiver on an error below stops the engine.
        let engine = tokio::spawn(bartizan_engine::run(request, deps, sender));
        let mut stored = self.cx.now();
        let mut last = None;
        while let Some(event) = events.recv().await {
            match event {
                ScanEvent::Planned { .. } => {}
                ScanEvent::Progress(mut progress) => {
                    progress.elapsed_seconds += before;
                    let value = serde_json::to_value(&progress).map_err(Error::internal)?;
                    self.services.live.set(self.changed(), progress);
                    let now = self.cx.now();
                    last = Some(value.clone());
                    if (now - stored).to_std().is_ok_and(|passed| passed >= STORE_PROGRESS_EVERY) {
                        stored = now;
                        let tx = self.services.store.begin().await?;
                        scans::progress(tx.db(), organization, self.scan.id, &value, now).await?;
                        tx.commit().await?;
                    }
                }
                ScanEvent::HostFinished(host) => {
                    position += 1;
                    self.host(*host, &assets, position).await?;
                }
            }
        }
        if let Some(value) = last {
            let tx = self.services.store.begin().await?;
            scans::progress(tx.db(), organization, self.scan.id, &value, self.cx.now()).await?;
            tx.commit().await?;
        }
        engine.await.map_err(|error| Error::internal(format!("the engine's task failed: {error}")))
    }

    async fn host(&self, host: HostFinished, assets: &AssetsOfHosts, position: u64) -> Result<()> {
        let stopped = self.control.stop_reason();
        if stopped == Some(StopReason::LeaseLost) || (host.interrupted && stopped == Some(StopReason::Shutdown)) {
            // Whoever takes the scan up scans this host again.
            return Ok(());
        }
        let place = HostPlace {
            scan: self.scan.id,
            asset_id: assets.of(&host.result.asset),
            position,
            status: if host.interrupted { HostStatus::Interrupted } else { HostStatus::Finished },
            demo: self.scan.demo,
            seen_at: self.cx.now(),
        };
        let record =
            HostRecord { blob: host.blob, coverage: &host.coverage, verdicts: &host.verdicts, result: host.result };
        commit_host(self.cx, self.services, place, record).await?;
        self.services.live.tell(self.changed());
        Ok(())
    }

    const fn changed(&self) -> Changed {
        Changed { organization: self.scan.organization_id, scan: self.scan.id }
    }
}
