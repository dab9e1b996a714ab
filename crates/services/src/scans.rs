//! Scans: start, watch, cancel, read, delete. Running one is the business of the scan job.

use bartizan_domain::document::ScanDocument;
use bartizan_domain::id::{AssetId, OrganizationId, ScanId};
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::{AssetKind, Error, Permission, Result, ScanKind, ScanProfile, ScanStatus, Target};
pub use bartizan_engine::{Count, Progress};
use bartizan_engine::{Plan, ScanOptions, ScanSettings, SettingsError};
use bartizan_jobs::{CancelOutcome, NewJob, enqueue};
use bartizan_outbound::policy::Policy;
pub use bartizan_reports::Format;
use bartizan_reports::RenderOptions;
pub use bartizan_storage::scan_hosts::{HostFilter, HostSort, HostStatus, ScanHost};
pub use bartizan_storage::scans::{Scan, ScanFilter, ScanSort};
use bartizan_storage::{Db, Listed, Page, SortDir, assets, scan_hosts};
use bartizan_storage::{evidence, scans as storage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::compliance::{self, MatrixRow};
use crate::live::Changed;
use crate::mutation::{Change, Mutation};
use crate::scan_finish::{Ending, finish};
pub use crate::scan_targets::ScanTarget;
use crate::{OpContext, Services, auth, scan_document, scan_job, scan_targets, settings};

/// Most targets of one scan, assets and ad-hoc targets together.
pub const TARGET_LIMIT: usize = 1_000;

/// How long a subscriber waits for a change before it looks for itself: changes made by another process are not
/// announced in this one.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// A scan to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewScan {
    /// Assets to look at.
    pub asset_ids: Vec<AssetId>,
    /// Targets that need not be assets, in any form that [`Target`] reads.
    pub targets: Vec<String>,
    /// Profile (`scan_type`).
    pub profile: ScanProfile,
    /// What is switched on.
    pub toggles: FeatureToggles,
    /// TCP ports; the profile's if left out.
    pub ports: Option<String>,
    /// UDP ports; the profile's if left out.
    pub udp_ports: Option<String>,
    /// These checks and no others.
    pub checks: Vec<String>,
    /// Leave these checks out.
    pub skip: Vec<String>,
    /// Probes in flight, 1 to 200.
    pub concurrency: Option<u32>,
    /// Seconds one probe may take, 1 to 120.
    pub timeout_seconds: Option<u32>,
    /// Seconds the whole scan may take.
    pub max_time_seconds: Option<u32>,
    /// Hosts to scan at most; 0 for all.
    pub max_hosts: u32,
}

/// A scan with its stored parts read.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanView {
    /// The scan.
    pub scan: Scan,
    /// Its targets.
    pub targets: Vec<ScanTarget>,
    /// Its resolved settings.
    pub settings: ScanSettings,
    /// How far it is.
    pub progress: ScanProgress,
    /// Its compliance matrix, empty before it has ended.
    pub matrix: Vec<MatrixRow>,
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanProgress {
    /// Which scan.
    pub scan_id: ScanId,
    /// Its state.
    pub status: ScanStatus,
    /// Whether results have gaps.
    pub partial: bool,
    /// Counts, the present step and an estimate.
    pub progress: Progress,
    /// Hosts whose results are stored.
    pub hosts_stored: u64,
}

/// Starts a scan: stores it and queues its job.
///
/// # Errors
/// [`Error::Invalid`] for input that breaks a rule, [`Error::NotFound`] for an asset that is not the organisation's.
pub async fn create(cx: &OpContext, services: &Services, new: NewScan) -> Result<ScanView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ScansRun).await?;
    let scan = launch(cx, services, change.db(), organization, &new, Launch::asked()).await?;
    change.commit(entry_of(&scan)?).await?;
    announce(services, &scan);
    view(services, scan)
}

/// How a scan comes to be launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    /// Who is shown as the one who started it, if not the caller.
    pub(crate) started_by: Option<String>,
    /// Priority of its job.
    pub(crate) priority: i32,
}

impl Launch {
    /// A person asked for it.
    pub(crate) const fn asked() -> Self {
        Self { started_by: None, priority: 0 }
    }

    /// A schedule did; people go first.
    pub(crate) fn scheduled(schedule: &str) -> Self {
        Self { started_by: Some(format!("Schedule: {schedule}")), priority: -10 }
    }
}

/// Checks the input of a scan as far as the present state allows, without starting it.
pub(crate) async fn check(
    services: &Services,
    db: Db<'_>,
    organization: OrganizationId,
    new: &NewScan,
) -> Result<(Vec<ScanTarget>, ScanSettings, u64)> {
    if new.asset_ids.is_empty() && new.targets.is_empty() {
        return Err(Error::invalid("body -> asset_ids", "nothing to scan: give asset_ids or targets"));
    }
    let count = new.asset_ids.len() + new.targets.len();
    if count > TARGET_LIMIT {
        return Err(Error::invalid("body -> targets", format!("{count} targets: at most {TARGET_LIMIT} in one scan")));
    }
    let (targets, parsed) = targets_of(db, organization, new).await?;
    let allow_private = settings::private_allowed(db, organization).await?;
    check_reach(&parsed, allow_private)?;
    let settings = ScanSettings::resolve(services.catalog, &options_of(new)).map_err(invalid)?;
    let plan = Plan::new(services.catalog, &parsed, &settings).map_err(invalid)?;
    Ok((targets, settings, plan.assets.len() as u64))
}

/// Stores a scan and queues its job in the caller's transaction. After the commit, call [`announce`].
pub(crate) async fn launch(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    organization: OrganizationId,
    new: &NewScan,
    how: Launch,
) -> Result<Scan> {
    let (targets, settings, hosts_total) = check(services, db, organization, new).await?;
    let now = cx.now();
    let asset_ids: Vec<AssetId> = targets.iter().filter_map(|target| target.asset_id).collect();
    let mut scan = Scan {
        id: ScanId(0),
        organization_id: organization,
        kind: ScanKind::Surface,
        profile: new.profile,
        status: ScanStatus::Pending,
        targets: value(&targets)?,
        options: value(&settings)?,
        partial: false,
        partial_reasons: Vec::new(),
        error: None,
        progress: Value::Null,
        hosts_total,
        hosts_finished: 0,
        outcomes: Value::Null,
        findings: crate::SeverityCounts::default(),
        score: None,
        score_detail: None,
        compliance_matrix: None,
        catalogue: services.catalog.version().to_owned(),
        created_at: now,
        started_at: None,
        finished_at: None,
        heartbeat_at: None,
        cancel_requested_at: None,
        started_by: cx.actor().user_id(),
        started_by_name: how.started_by.unwrap_or_else(|| cx.actor().name().to_owned()),
        demo: false,
    };
    scan.id = storage::insert(db, &scan, &asset_ids).await?;
    let job = NewJob { priority: how.priority, ..scan_job::job_of(organization, scan.id) };
    enqueue(db, cx.new_id(), job, now).await?;
    Ok(scan)
}

/// The audit entry of a launch.
fn entry_of(scan: &Scan) -> Result<Change> {
    let targets = scan_targets::stored(&scan.targets)?;
    let texts: Vec<&str> = targets.iter().map(|target| target.text.as_str()).collect();
    let after = json!({ "targets": texts, "profile": scan.profile, "settings": scan.options });
    Ok(Change::new("scan.create", "scan", scan.id).after(after))
}

/// Tells whoever waits that there is a new scan.
pub(crate) fn announce(services: &Services, scan: &Scan) {
    services.queue.wake();
    services.live.tell(Changed { organization: scan.organization_id, scan: scan.id });
}

/// One page of scans.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(
    cx: &OpContext,
    services: &Services,
    filter: &ScanFilter,
    sort: (ScanSort, SortDir),
    page: Page,
) -> Result<Listed<ScanView>> {
    let organization = cx.require(Permission::ScansView)?;
    let listed = storage::list(services.store.read(), organization, filter, sort, page).await?;
    let rows = listed.rows.into_iter().map(|scan| view(services, scan)).collect::<Result<_>>()?;
    Ok(Listed { rows, total: listed.total })
}

/// One scan.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn get(cx: &OpContext, services: &Services, id: ScanId) -> Result<ScanView> {
    let organization = cx.require(Permission::ScansView)?;
    view(services, found(services.store.read(), organization, id).await?)
}

/// How far a scan is.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn progress(cx: &OpContext, services: &Services, id: ScanId) -> Result<ScanProgress> {
    let organization = cx.require(Permission::ScansView)?;
    let scan = found(services.store.read(), organization, id).await?;
    Ok(progress_of(services, &scan))
}

/// One page of what a scan found on each host.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn hosts(
    cx: &OpContext,
    services: &Services,
    id: ScanId,
    filter: &HostFilter,
    sort: (HostSort, SortDir),
    page: Page,
) -> Result<Listed<ScanHost>> {
    let organization = cx.require(Permission::ScansView)?;
    let db = services.store.read();
    found(db, organization, id).await?;
    Ok(scan_hosts::list(db, organization, id, filter, sort, page).await?)
}

/// Everything a scan found, as the document that every format is rendered from.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn document(cx: &OpContext, services: &Services, id: ScanId) -> Result<ScanDocument> {
    let organization = cx.require(Permission::ScansView)?;
    let scan = found(services.store.read(), organization, id).await?;
    scan_document::build(services, &scan).await
}

/// Everything a scan found, rendered.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn download(cx: &OpContext, services: &Services, id: ScanId, format: Format) -> Result<Vec<u8>> {
    cx.require(Permission::ExportsRun)?;
    let document = document(cx, services, id).await?;
    let catalog = services.catalog;
    let brand = crate::branding::of_reports(services, cx.organization()?).await?;
    // A large scan takes long enough to render that other requests would notice.
    let rendered = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        match format {
            Format::Html => bartizan_reports::render_html(&document, catalog, &brand, &mut out),
            _ => bartizan_reports::render(format, &document, catalog, RenderOptions::default(), &mut out),
        }
        .map(|()| out)
    });
    let bytes = rendered.await.map_err(Error::internal)?.map_err(Error::internal)?;
    crate::audit::exported(cx, services, ("scan", &id.to_string()), json!({"bytes": bytes.len()})).await?;
    Ok(bytes)
}

/// Asks a scan to stop. What it found so far is kept. A scan nobody runs ends at once.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] if it has ended.
pub async fn cancel(cx: &OpContext, services: &Services, id: ScanId) -> Result<ScanView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ScansCancel).await?;
    let scan = found(change.db(), organization, id).await?;
    if scan.status.is_final() {
        return Err(Error::Conflict(format!("Scan {id} has ended already: it is {}", scan.status)));
    }
    storage::request_cancel(change.db(), organization, id, cx.now()).await?;
    let key = scan_job::key_of(id);
    let asked = services.queue.request_cancel(change.db(), scan_job::KIND, &key, cx.now()).await?;
    change.commit(Change::new("scan.cancel", "scan", id)).await?;
    match asked {
        CancelOutcome::Running => services.queue.stop_here(scan_job::KIND, &key),
        CancelOutcome::WasWaiting | CancelOutcome::NoJob => {
            let reason = "the scan was cancelled".to_owned();
            let ending = Ending { status: ScanStatus::Cancelled, partial_reasons: vec![reason], error: None };
            finish(cx, services, &scan, ending).await?;
        }
    }
    services.live.tell(Changed { organization, scan: id });
    view(services, found(services.store.read(), organization, id).await?)
}

/// Removes a scan and its results. Findings stay, with their history.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Conflict`] while it is running.
pub async fn delete(cx: &OpContext, services: &Services, id: ScanId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ScansDelete).await?;
    let scan = found(change.db(), organization, id).await?;
    if !scan.status.is_final() {
        return Err(Error::Conflict(format!("Scan {id} is {}: cancel it first", scan.status)));
    }
    storage::remove(change.db(), organization, id).await?;
    evidence::remove_unused(change.db(), organization).await?;
    let entry = Change::new("scan.delete", "scan", id);
    change.commit(entry.before(json!({ "targets": scan.targets, "created_at": scan.created_at }))).await
}

/// Follows one scan, from now to its end.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such scan.
pub async fn subscribe(cx: &OpContext, services: &Services, id: ScanId) -> Result<Subscription> {
    let organization = cx.require(Permission::ScansView)?;
    let changes = services.live.subscribe();
    found(services.store.read(), organization, id).await?;
    Ok(Subscription { cx: cx.clone(), services: services.clone(), organization, id, changes, last: None })
}

/// A follower of one scan.
#[derive(Debug)]
pub struct Subscription {
    cx: OpContext,
    services: Services,
    organization: OrganizationId,
    id: ScanId,
    changes: Receiver<Changed>,
    last: Option<ScanProgress>,
}

impl Subscription {
    /// Waits for the scan to be other than it was last time (the first call returns at once). `None` after its end was
    /// told, or when it was deleted.
    ///
    /// # Errors
    /// If who follows may do so no longer, or the database fails.
    pub async fn next(&mut self) -> Result<Option<ScanProgress>> {
        loop {
            if self.last.as_ref().is_some_and(|last| last.status.is_final()) {
                return Ok(None);
            }
            if self.last.is_some() {
                self.changed().await;
            }
            // The one who follows may have been shut out meanwhile.
            auth::still(&self.cx, &self.services, Permission::ScansView).await?;
            let db = self.services.store.read();
            let Some(scan) = storage::get(db, self.organization, self.id).await? else { return Ok(None) };
            let now = progress_of(&self.services, &scan);
            if self.last.as_ref() != Some(&now) {
                self.last = Some(now.clone());
                return Ok(Some(now));
            }
        }
    }

    async fn changed(&mut self) {
        let ours = async {
            loop {
                match self.changes.recv().await {
                    Ok(changed) if changed.scan != self.id => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Looking for oneself is the ordinary way to learn what another process did.
        let _ = tokio::time::timeout(LOOK_EVERY, ours).await;
    }
}

async fn found(db: Db<'_>, organization: OrganizationId, id: ScanId) -> Result<Scan> {
    storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("scan", id))
}

fn view(services: &Services, scan: Scan) -> Result<ScanView> {
    Ok(ScanView {
        targets: scan_targets::stored(&scan.targets)?,
        settings: serde_json::from_value(scan.options.clone()).map_err(Error::internal)?,
        progress: progress_of(services, &scan),
        matrix: compliance::rows_of(scan.compliance_matrix.as_ref())?,
        scan,
    })
}

/// What is told live while it runs here, else what was stored, else what the counts say.
fn progress_of(services: &Services, scan: &Scan) -> ScanProgress {
    let live = if scan.status == ScanStatus::Running { services.live.progress(scan.id) } else { None };
    let is_live = live.is_some();
    let mut progress = live
        .or_else(|| serde_json::from_value(scan.progress.clone()).ok())
        .unwrap_or_else(|| Progress { hosts: Count { done: 0, total: scan.hosts_total }, ..Progress::default() });
    if scan.status != ScanStatus::Running {
        progress.hosts = Count { done: scan.hosts_finished, total: scan.hosts_total };
        progress.current = None;
        progress.eta_seconds = None;
    }
    // Live counts know of findings on hosts in flight; without them, what was committed is the truth.
    if !is_live {
        progress.findings = bartizan_engine::FindingCounts {
            critical: scan.findings.critical,
            high: scan.findings.high,
            medium: scan.findings.medium,
            low: scan.findings.low,
            info: scan.findings.info,
        };
    }
    ScanProgress {
        scan_id: scan.id,
        status: scan.status,
        partial: scan.partial,
        progress,
        hosts_stored: scan.hosts_finished,
    }
}

async fn targets_of(db: Db<'_>, organization: OrganizationId, new: &NewScan) -> Result<(Vec<ScanTarget>, Vec<Target>)> {
    let mut targets = Vec::with_capacity(new.asset_ids.len() + new.targets.len());
    let mut parsed = Vec::with_capacity(targets.capacity());
    let assets = assets::many(db, organization, &new.asset_ids).await?;
    for id in &new.asset_ids {
        let asset = assets.iter().find(|asset| asset.id == *id).ok_or_else(|| Error::not_found("asset", id))?;
        if asset.target_type == AssetKind::Host {
            let message = format!("{} comes from inventory and is no scan target", asset.name);
            return Err(Error::invalid("body -> asset_ids", message));
        }
        if asset.scope_confirmed_at.is_none() {
            let message = format!("nobody has confirmed yet that {} may be scanned", asset.name);
            return Err(Error::invalid("body -> asset_ids", message));
        }
        parsed.push(scan_targets::parse(&asset.target_value)?);
        targets.push(ScanTarget { text: asset.target_value.clone(), asset_id: Some(*id) });
    }
    let mut ad_hoc = Vec::with_capacity(new.targets.len());
    for text in &new.targets {
        let target: Target = text.parse().map_err(|message: String| Error::invalid("body -> targets", message))?;
        ad_hoc.push(target);
    }
    // A target that is an asset counts as that asset, however it was named.
    let keys: Vec<(AssetKind, String)> = ad_hoc.iter().filter_map(key_of).collect();
    let known = assets::by_targets(db, organization, &keys).await?;
    for target in ad_hoc {
        let asset_id = key_of(&target).and_then(|(kind, value)| known.get(&(kind.to_string(), value)).copied());
        targets.push(ScanTarget { text: target.to_string(), asset_id });
        parsed.push(target);
    }
    Ok((targets, parsed))
}

fn key_of(target: &Target) -> Option<(AssetKind, String)> {
    let value = match target {
        Target::Domain { name, .. } => name.clone(),
        Target::Ip { address, .. } => address.to_string(),
        Target::Cidr(net) => net.to_string(),
        Target::Range(..) => return None,
    };
    target.kind().map(|kind| (kind, value))
}

/// Refuses at once what the probes would refuse later, where the target itself says so. Names are judged when they are
/// resolved.
fn check_reach(targets: &[Target], allow_private: bool) -> Result<()> {
    let policy = Policy { allow_private };
    for target in targets {
        let address = match target {
            Target::Ip { address, .. } => *address,
            Target::Cidr(net) => net.network(),
            Target::Range(first, _) => *first,
            Target::Domain { .. } => continue,
        };
        if let Err(failure) = policy.vet(address) {
            let message = format!("`{target}` may not be scanned: {}", failure.detail);
            return Err(Error::invalid("body -> targets", message));
        }
    }
    Ok(())
}

fn options_of(new: &NewScan) -> ScanOptions {
    ScanOptions {
        profile: new.profile,
        toggles: new.toggles,
        ports: new.ports.clone(),
        udp_ports: new.udp_ports.clone(),
        checks: new.checks.clone(),
        skip: new.skip.clone(),
        concurrency: new.concurrency,
        timeout_seconds: new.timeout_seconds,
        max_time_seconds: new.max_time_seconds,
        max_hosts: new.max_hosts,
        ..ScanOptions::default()
    }
}

fn invalid(error: SettingsError) -> Error {
    // The engine names the knob; the API names its unit as well.
    let field = if error.field == "timeout" { "timeout_seconds" } else { error.field };
    Error::invalid(format!("body -> {field}"), error.message)
}

fn value(of: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(of).map_err(Error::internal)
}
