//! What has to be done regularly and belongs to nobody's request: expired acceptances, abandoned scans, old rows.

use async_trait::async_trait;
use bartizan_domain::id::ApiKeyId;
use bartizan_domain::{Error, Result, ScanStatus};
use bartizan_jobs::{Control, Handler, Job, NewJob, Outcome, Timer};
use bartizan_storage::oidc::{self, Begun};
use bartizan_storage::scans::{self, ScanFilter, ScanSort};
use bartizan_storage::{
    Page, SortDir, api_keys, evidence, idempotency, jobs, organizations, schedules, sessions, workers,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{OpContext, Services, findings, scan_finish, scan_job};

pub(crate) const KIND: &str = "housekeeping";
/// A scan whose worker gave no sign of life for this long, and that has no job any more, has failed.
const SILENT_FOR: TimeDelta = TimeDelta::minutes(10);
/// How long ended jobs, sessions and fires of timers are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long the runs of schedules are kept.
const HISTORY_KEPT: TimeDelta = TimeDelta::days(400);

/// At the start and every five minutes.
pub(crate) fn timer() -> Result<Timer> {
    let job = NewJob { dedupe_key: Some(KIND.to_owned()), max_attempts: 1, ..NewJob::new(KIND, Value::Null) };
    Ok(Timer::new(KIND, "*/5 * * * *", job).map_err(Error::internal)?.at_start())
}

/// Does it.
pub(crate) struct Housekeeper {
    services: Services,
}

impl Housekeeper {
    pub(crate) const fn new(services: Services) -> Self {
        Self { services }
    }
}

#[async_trait]
impl Handler for Housekeeper {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, _: &Job, _: &Control) -> Outcome {
        match run(&self.services).await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                let detail = error.internal_context().map_or_else(|| error.to_string(), str::to_owned);
                tracing::error!(error = detail, "housekeeping failed");
                Outcome::Failed(error.to_string())
            }
        }
    }
}

pub(crate) async fn run(services: &Services) -> Result<()> {
    let now = services.anonymous(crate::Origin::default()).now();
    for organization in organizations::all(services.store.read()).await? {
        let cx = services.system(KIND, organization.id);
        findings::reopen_expired(&cx, services).await?;
        fail_abandoned(&cx, services).await?;
        let tx = services.store.begin().await?;
        evidence::remove_unused(tx.db(), organization.id).await?;
        tx.commit().await?;
    }
    let tx = services.store.begin().await?;
    bartizan_storage::findings::compact(tx.db()).await?;
    tx.commit().await?;
    let tx = services.store.begin().await?;
    jobs::remove_ended(tx.db(), now - KEPT).await?;
    jobs::remove_fires(tx.db(), now - KEPT).await?;
    workers::remove_dead(tx.db(), now - crate::workers::SHOWN).await?;
    schedules::remove_runs(tx.db(), now - HISTORY_KEPT).await?;
    sessions::remove_old(tx.db(), now - KEPT).await?;
    crate::passwords::remove_old(tx.db(), now).await?;
    crate::oidc::remove_old(tx.db(), now).await?;
    idempotency::remove_old(tx.db(), now - crate::idempotency::KEPT).await?;
    Ok(tx.commit().await?)
}

/// Notes when an API key was used, unless a use since `quiet_since` is noted: a record of the program's own, and no
/// change by somebody.
pub(crate) async fn note_key_use(
    services: &Services,
    key: ApiKeyId,
    at: (DateTime<Utc>, Option<&str>),
    quiet_since: DateTime<Utc>,
) -> Result<()> {
    let tx = services.store.begin().await?;
    api_keys::note_use(tx.db(), key, at, quiet_since).await?;
    Ok(tx.commit().await?)
}

/// Remembers a sign-in that an OpenID provider will finish: a record of the program's own, since nobody is there yet.
pub(crate) async fn note_sign_in(services: &Services, begun: &Begun, now: DateTime<Utc>) -> Result<()> {
    let tx = services.store.begin().await?;
    oidc::remove_expired(tx.db(), now).await?;
    if oidc::count(tx.db()).await? >= crate::oidc::MOST {
        return Err(Error::RateLimited { retry_after: 60 });
    }
    oidc::insert(tx.db(), begun).await?;
    Ok(tx.commit().await?)
}

/// Takes such a sign-in: of several that try, one gets it.
pub(crate) async fn take_sign_in(services: &Services, state_hash: &[u8]) -> Result<Option<Begun>> {
    let tx = services.store.begin().await?;
    let Some(begun) = oidc::get(tx.db(), state_hash).await? else { return Ok(None) };
    if !oidc::remove(tx.db(), state_hash).await? {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(begun))
}

/// Links audit entries into their chains: a record of the program's own.
pub(crate) async fn seal_batch(services: &Services, limit: u64) -> Result<u64> {
    let now = services.anonymous(crate::Origin::default()).now();
    let tx = services.store.begin().await?;
    let sealed = crate::audit::seal_in(tx.db(), now, limit).await?;
    tx.commit().await?;
    Ok(sealed)
}

async fn fail_abandoned(cx: &OpContext, services: &Services) -> Result<()> {
    let organization = cx.organization()?;
    let db = services.store.read();
    let active = ScanFilter { statuses: vec![ScanStatus::Pending, ScanStatus::Running], ..ScanFilter::default() };
    let sort = (ScanSort::Id, SortDir::Asc);
    for scan in scans::list(db, organization, &active, sort, Page::first(500)).await?.rows {
        let last_sign = scan.heartbeat_at.unwrap_or(scan.created_at);
        if last_sign + SILENT_FOR > cx.now() || jobs::is_live(db, scan_job::KIND, &scan_job::key_of(scan.id)).await? {
            continue;
        }
        let ending = scan_job::failed("its worker was lost".to_owned());
        scan_finish::finish(cx, services, &scan, ending).await?;
    }
    Ok(())
}
