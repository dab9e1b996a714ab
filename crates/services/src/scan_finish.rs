//! Ends a scan: score, counts and matrix over everything that was committed, in whatever number of runs.

use std::collections::HashMap;

use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::id::{AssetId, OrganizationId};
use bartizan_domain::score::{AssetScore, Score, scan_score};
use bartizan_domain::{Error, Result, ScanStatus};
use bartizan_storage::findings;
use bartizan_storage::scan_hosts::{self, ScanHost};
use bartizan_storage::scans::{self, Scan, ScanEnd};
use bartizan_storage::{Db, assets};

use crate::assets::CRITICALITY;
use crate::compliance::{self, CheckOutcomes};
use crate::live::Changed;
use crate::scan_targets;
use crate::{OpContext, Services};

/// Hosts read at a time.
pub(crate) const WALK: u64 = 500;

/// Asset scores stored with a scan, lowest first; each host row has its own as well.
const SCORES_LISTED: usize = 100;

/// How a scan ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) status: ScanStatus,
    pub(crate) partial_reasons: Vec<String>,
    pub(crate) error: Option<String>,
}

/// Ends a scan that has not ended.
pub(crate) async fn finish(cx: &OpContext, services: &Services, scan: &Scan, ending: Ending) -> Result<()> {
    let organization = scan.organization_id;
    let sums = Sums::over(services.store.read(), organization, scan).await?;
    let tx = services.store.begin().await?;
    let briefs = findings::briefs_of_scan(tx.db(), organization, scan.id).await?;
    let matrix = compliance::build(services.catalog, &sums.checks, &briefs);
    let mut score = sums.score;
    let value = score.value;
    score.assets.sort_by_key(|asset| (asset.value.is_none(), asset.value));
    score.assets.truncate(SCORES_LISTED);
    let status = ending.status;
    let end = ScanEnd {
        status,
        partial: !ending.partial_reasons.is_empty() || ending.status != ScanStatus::Completed,
        partial_reasons: ending.partial_reasons,
        error: ending.error,
        outcomes: serde_json::to_value(sums.counts).map_err(Error::internal)?,
        score: value,
        score_detail: serde_json::to_value(&score).map_err(Error::internal)?,
        compliance_matrix: serde_json::to_value(&matrix).map_err(Error::internal)?,
        finished_at: cx.now(),
    };
    scans::end(tx.db(), organization, scan.id, end).await?;
    tx.commit().await?;
    let began = scan.started_at.unwrap_or(scan.created_at);
    if let Ok(took) = (cx.now() - began).to_std() {
        let (profile, outcome) = (scan.profile.as_str(), status.as_str());
        metrics::histogram!("bartizan_scan_duration_seconds", "profile" => profile, "outcome" => outcome).record(took);
    }
    services.live.end(Changed { organization, scan: scan.id });
    Ok(())
}

struct Sums {
    counts: OutcomeCounts,
    checks: CheckOutcomes,
    score: Score,
}

impl Sums {
    async fn over(db: Db<'_>, organization: OrganizationId, scan: &Scan) -> Result<Self> {
        let weights = weights(db, organization, scan).await?;
        let mut counts = OutcomeCounts::default();
        let mut checks = CheckOutcomes::default();
        let mut scores = Vec::new();
        let (mut weighted, mut weight) = (0.0, 0.0);
        let mut after: Option<String> = None;
        loop {
            let hosts = scan_hosts::after(db, organization, scan.id, after.as_deref(), WALK).await?;
            let Some(last) = hosts.last() else { break };
            after = Some(last.asset.clone());
            for host in &hosts {
                checks.add(&bartizan_evidence::coverage::decode(&host.coverage).map_err(Error::internal)?);
                add(&mut counts, host.outcomes);
                if let Some(value) = host.result.score {
                    let its = host.asset_id.and_then(|id| weights.get(&id)).copied().unwrap_or(CRITICALITY.2);
                    weighted += f64::from(value) * f64::from(its);
                    weight += f64::from(its);
                }
                scores.push(score_of(host));
            }
        }
        let mut score = scan_score(scores, counts);
        // The mean of the domain knows no assets; here each counts by its criticality.
        score.value = (weight > 0.0).then(|| (weighted / weight * 10.0).round() / 10.0);
        Ok(Self { counts, checks, score })
    }
}

fn score_of(host: &ScanHost) -> AssetScore {
    AssetScore { asset: host.result.asset.clone(), value: host.result.score }
}

async fn weights(db: Db<'_>, organization: OrganizationId, scan: &Scan) -> Result<HashMap<AssetId, i32>> {
    let targets = scan_targets::stored(&scan.targets)?;
    let ids: Vec<AssetId> = targets.iter().filter_map(|target| target.asset_id).collect();
    let assets = assets::many(db, organization, &ids).await?;
    Ok(assets.into_iter().map(|asset| (asset.id, asset.criticality)).collect())
}

const fn add(sum: &mut OutcomeCounts, counts: OutcomeCounts) {
    sum.planned += counts.planned;
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.error += counts.error;
    sum.not_applicable += counts.not_applicable;
    sum.not_tested += counts.not_tested;
}
