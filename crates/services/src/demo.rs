//! Demonstration data: recorded evidence, judged by the real checks, marked as demonstration everywhere.

use std::io::Read;

use bartizan_catalog::Catalog;
use bartizan_checks::judge;
use bartizan_domain::document::HostResult;
use bartizan_domain::id::{AssetId, OrganizationId, ScanId};
use bartizan_domain::{AssetKind, AssetRef, Error, Permission, Result, RiskZone, ScanKind, ScanProfile, ScanStatus};
use bartizan_engine::{ScanOptions, ScanSettings};
use bartizan_evidence::file::{Ending as FileEnding, Reader};
use bartizan_storage::assets::{self, Asset};
use bartizan_storage::scan_hosts::HostStatus;
use bartizan_storage::scans::{self, Scan, ScanFilter, ScanSort};
use bartizan_storage::{Page, SortDir, evidence, findings};
use serde_json::{Value, json};

use crate::mutation::{Change, Mutation};
use crate::scan_commit::{HostPlace, HostRecord, commit_host};
use crate::scan_finish::{Ending, finish};
use crate::scan_targets::ScanTarget;
use crate::{OpContext, Services, SeverityCounts};

/// The recording that ships, below `content/`.
const RECORDING: &str = "demo/demo.evidence";

/// Loads the recording that ships: its assets, one scan, its findings. Loading it again gives the scan that is there.
///
/// # Errors
/// [`Error::NotFound`] if the program ships none.
pub async fn load(cx: &OpContext, services: &Services) -> Result<ScanId> {
    cx.require(Permission::ScansRun)?;
    cx.require(Permission::AssetsManage)?;
    let bytes = Catalog::bytes(RECORDING).ok_or_else(|| Error::not_found("recording", RECORDING))?;
    load_from(cx, services, bytes).await
}

/// Loads an evidence file as demonstration data.
///
/// # Errors
/// If the caller may not, or the file is damaged.
pub async fn load_from(cx: &OpContext, services: &Services, file: impl Read) -> Result<ScanId> {
    cx.require(Permission::ScansRun)?;
    let organization = cx.require(Permission::AssetsManage)?;
    if let Some(scan) = loaded(services, organization).await? {
        return Ok(scan);
    }
    let mut reader = Reader::new(file).map_err(Error::internal)?;
    let recorded: ScanSettings = serde_json::from_value(reader.header().settings.clone()).map_err(Error::internal)?;
    let mut hosts = Vec::new();
    while let Some(record) = reader.next_record().map_err(Error::internal)? {
        hosts.push(record.evidence);
    }
    if let Some(FileEnding::Truncated { why, .. }) = reader.ending() {
        return Err(Error::internal(format!("the recording is cut off: {why}")));
    }

    // Today's checks, with the trust anchors of the network that was recorded.
    let options = ScanOptions { profile: ScanProfile::Full, judge: recorded.judge, ..ScanOptions::default() };
    let settings = ScanSettings::resolve(services.catalog, &options).map_err(Error::internal)?;
    let named: Vec<&AssetRef> = hosts.iter().map(|host| &host.asset).collect();
    let (scan, targets) = start(cx, services, organization, &named, &settings).await?;
    for (index, evidence) in hosts.iter().enumerate() {
        let verdicts = judge::judge(services.catalog, &settings.selection, evidence, &settings.judge);
        let coverage = judge::coverage(services.catalog, evidence, &verdicts);
        let result: HostResult = bartizan_engine::document::host_result(evidence, &verdicts);
        let place = HostPlace {
            scan: scan.id,
            asset_id: targets[index].asset_id,
            position: index as u64 + 1,
            status: HostStatus::Finished,
            demo: true,
            seen_at: cx.now(),
        };
        let blob = bartizan_evidence::encode(evidence).map_err(Error::internal)?;
        let record = HostRecord { blob, coverage: &coverage, verdicts: &verdicts, result };
        commit_host(cx, services, place, record).await?;
    }
    let ending = Ending { status: ScanStatus::Completed, partial_reasons: Vec::new(), error: None };
    finish(cx, services, &scan, ending).await?;
    Ok(scan.id)
}

/// Removes all demonstration data: assets, scans, findings. What is real stays.
///
/// # Errors
/// If the caller may not, or the database fails.
pub async fn remove(cx: &OpContext, services: &Services) -> Result<()> {
    cx.require(Permission::AssetsManage)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::ScansDelete).await?;
    let found = findings::remove_demo(change.db(), organization).await?;
    let scanned = scans::remove_demo(change.db(), organization).await?;
    let known = assets::remove_demo(change.db(), organization).await?;
    evidence::remove_unused(change.db(), organization).await?;
    let entry = Change::new("demo.remove", "demo", RECORDING);
    change.commit(entry.before(json!({ "assets": known, "scans": scanned, "findings": found }))).await
}

async fn loaded(services: &Services, organization: OrganizationId) -> Result<Option<ScanId>> {
    let sort = (ScanSort::Id, SortDir::Asc);
    let scans =
        scans::list(services.store.read(), organization, &ScanFilter::default(), sort, Page::first(500)).await?;
    Ok(scans.rows.into_iter().find(|scan| scan.demo).map(|scan| scan.id))
}

async fn start(
    cx: &OpContext,
    services: &Services,
    organization: OrganizationId,
    hosts: &[&AssetRef],
    settings: &ScanSettings,
) -> Result<(Scan, Vec<ScanTarget>)> {
    let now = cx.now();
    let change = Mutation::begin(cx, services, Permission::AssetsManage).await?.1;
    let keys: Vec<(AssetKind, String)> = hosts.iter().map(|host| (kind_of(host), host.to_string())).collect();
    let known = assets::by_targets(change.db(), organization, &keys).await?;
    let mut fresh = Vec::new();
    let mut targets = Vec::with_capacity(hosts.len());
    for (kind, text) in keys {
        let id = match known.get(&(kind.as_str().to_owned(), text.clone())) {
            Some(id) => *id,
            None => {
                let asset = demo_asset(cx, organization, kind, &text);
                let id: AssetId = asset.id;
                fresh.push(asset);
                id
            }
        };
        targets.push(ScanTarget { text, asset_id: Some(id) });
    }
    assets::insert(change.db(), &fresh).await?;
    let mut scan = Scan {
        id: ScanId(0),
        organization_id: organization,
        kind: ScanKind::Surface,
        profile: settings.profile,
        status: ScanStatus::Running,
        targets: serde_json::to_value(&targets).map_err(Error::internal)?,
        options: serde_json::to_value(settings).map_err(Error::internal)?,
        partial: false,
        partial_reasons: Vec::new(),
        error: None,
        progress: Value::Null,
        hosts_total: hosts.len() as u64,
        hosts_finished: 0,
        outcomes: Value::Null,
        findings: SeverityCounts::default(),
        score: None,
        score_detail: None,
        compliance_matrix: None,
        catalogue: services.catalog.version().to_owned(),
        created_at: now,
        started_at: Some(now),
        finished_at: None,
        heartbeat_at: Some(now),
        cancel_requested_at: None,
        started_by: cx.actor().user_id(),
        started_by_name: cx.actor().name().to_owned(),
        demo: true,
    };
    let ids: Vec<AssetId> = targets.iter().filter_map(|target| target.asset_id).collect();
    scan.id = scans::insert(change.db(), &scan, &ids).await?;
    let entry = Change::new("demo.load", "scan", scan.id).after(json!({ "assets": fresh.len() }));
    change.commit(entry).await?;
    Ok((scan, targets))
}

fn demo_asset(cx: &OpContext, organization: OrganizationId, kind: AssetKind, text: &str) -> Asset {
    let now = cx.now();
    Asset {
        id: cx.new_id(),
        organization_id: organization,
        name: text.to_owned(),
        target_type: kind,
        target_value: text.to_owned(),
        hostname: (kind == AssetKind::Domain).then(|| text.to_owned()),
        os_distro: None,
        os_version: None,
        risk_zone: RiskZone::Production,
        criticality: crate::assets::CRITICALITY.2,
        scope_confirmed_at: None,
        last_seen_at: None,
        last_scan_id: None,
        score: None,
        demo: true,
        created_at: now,
        updated_at: now,
        tags: vec!["demo".to_owned()],
    }
}

const fn kind_of(host: &AssetRef) -> AssetKind {
    match host {
        AssetRef::Domain(_) => AssetKind::Domain,
        AssetRef::Ip(_) => AssetKind::Ip,
    }
}
