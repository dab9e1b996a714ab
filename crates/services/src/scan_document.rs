//! The native document of a stored scan, put together from its hosts, coverage records and sightings.

use std::collections::HashMap;

use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{FindingRecord, SCAN_SCHEMA, ScanDocument, ScanSummary, VerdictRecord, sort_findings};
use bartizan_domain::id::FindingId;
use bartizan_domain::score::{AssetScore, scan_score};
use bartizan_domain::{Error, Result};
use bartizan_storage::findings::{self, Finding};
use bartizan_storage::observations::{self, Seen};
use bartizan_storage::scan_hosts;
use bartizan_storage::scans::Scan;

use crate::scan_finish::WALK;
use crate::{Services, scan_targets};

pub(crate) async fn build(services: &Services, scan: &Scan) -> Result<ScanDocument> {
    let db = services.store.read();
    let organization = scan.organization_id;
    let mut hosts = Vec::new();
    let mut verdicts = Vec::new();
    let mut scores = Vec::new();
    let mut counts = OutcomeCounts::default();
    let mut after: Option<String> = None;
    loop {
        let page = scan_hosts::after(db, organization, scan.id, after.as_deref(), WALK).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.asset.clone());
        for host in page {
            let coverage = bartizan_evidence::coverage::decode(&host.coverage).map_err(Error::internal)?;
            for entry in coverage.entries {
                counts.add(entry.outcome);
                verdicts.push(VerdictRecord {
                    check_id: entry.check_id,
                    asset: host.asset.clone(),
                    location: entry.location,
                    verdict: entry.outcome,
                    reason: entry.reason,
                });
            }
            scores.push(AssetScore { asset: host.result.asset.clone(), value: host.result.score });
            hosts.push(host.result);
        }
    }
    hosts.sort_by(|a, b| a.asset.cmp(&b.asset));
    scores.sort_by(|a, b| a.asset.cmp(&b.asset));
    verdicts.sort_by(|a, b| (&a.asset, &a.check_id, &a.location).cmp(&(&b.asset, &b.check_id, &b.location)));
    let mut score = scan_score(scores, counts);
    // The stored value is weighted by criticality.
    score.value = scan.score.or(score.value);
    Ok(ScanDocument {
        schema: SCAN_SCHEMA.to_owned(),
        scan: summary(scan)?,
        hosts,
        findings: found(services, scan).await?,
        verdicts,
        score,
        coverage: counts,
    })
}

async fn found(services: &Services, scan: &Scan) -> Result<Vec<FindingRecord>> {
    let db = services.store.read();
    let mut records = Vec::new();
    let mut after: Option<FindingId> = None;
    loop {
        let seen = observations::of_scan(db, scan.organization_id, scan.id, after, WALK).await?;
        let Some(last) = seen.last() else { break };
        after = Some(last.finding_id);
        let ids: Vec<FindingId> = seen.iter().map(|seen| seen.finding_id).collect();
        let rows = findings::many(db, scan.organization_id, &ids).await?;
        let mut rows: HashMap<FindingId, Finding> = rows.into_iter().map(|row| (row.id, row)).collect();
        for seen in seen {
            if let Some(row) = rows.remove(&seen.finding_id) {
                records.push(record(services, row, seen));
            }
        }
    }
    sort_findings(&mut records);
    Ok(records)
}

fn record(services: &Services, row: Finding, seen: Seen) -> FindingRecord {
    let meta = services.catalog.check(row.check_id.as_str());
    FindingRecord {
        fingerprint: row.fingerprint,
        severity: seen.severity,
        status: row.status,
        confidence: seen.confidence,
        asset: row.asset,
        location: row.location,
        title: row.title,
        category: row.category,
        evidence: seen.evidence,
        remediation: meta.map(|meta| meta.remediation.clone()).unwrap_or_default(),
        controls: services.catalog.controls_of(&row.check_id),
        check_id: row.check_id,
    }
}

fn summary(scan: &Scan) -> Result<ScanSummary> {
    Ok(ScanSummary {
        id: Some(scan.id.0),
        targets: scan_targets::stored(&scan.targets)?.into_iter().map(|target| target.text).collect(),
        profile: scan.profile,
        status: scan.status,
        partial: scan.partial || !scan.status.is_final(),
        partial_reasons: scan.partial_reasons.clone(),
        started_at: scan.started_at.unwrap_or(scan.created_at),
        finished_at: scan.finished_at,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: scan.catalogue.clone(),
        demo: scan.demo,
    })
}
