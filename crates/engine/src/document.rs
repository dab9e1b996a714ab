//! Assembles the native result document (`bartizan.scan/1`) from what was gathered and judged.

use crate::gaps;
use bartizan_catalog::Catalog;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{
    FindingRecord, HostResult, PortResult, SCAN_SCHEMA, ScanDocument, ScanSummary, VerdictRecord, names_of,
};
use bartizan_domain::evidence::{Endpoint, HostEvidence, ServiceEvidence};
use bartizan_domain::score::{AssetScore, asset_score, scan_score};
use bartizan_domain::{Confidence, FindingStatus, Fingerprint, Outcome, Severity, Verdict};

/// Collects assets one by one.
#[derive(Debug)]
pub struct Builder<'c> {
    catalog: &'c Catalog,
    hosts: Vec<HostResult>,
    findings: Vec<FindingRecord>,
    verdicts: Vec<VerdictRecord>,
    scores: Vec<AssetScore>,
    counts: OutcomeCounts,
}

impl<'c> Builder<'c> {
    /// An empty document over `catalog`, which lends titles, fixes and control references.
    #[must_use]
    pub const fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            hosts: Vec::new(),
            findings: Vec::new(),
            verdicts: Vec::new(),
            scores: Vec::new(),
            counts: OutcomeCounts { planned: 0, passed: 0, failed: 0, error: 0, not_applicable: 0, not_tested: 0 },
        }
    }

    /// Adds one judged asset.
    pub fn add(&mut self, evidence: &HostEvidence, verdicts: &[Verdict]) {
        self.add_result(host_result(evidence, verdicts), verdicts);
    }

    /// Adds one judged asset whose result is known already.
    pub fn add_result(&mut self, host: HostResult, verdicts: &[Verdict]) {
        self.scores.push(AssetScore { asset: host.asset.clone(), value: host.score });
        self.hosts.push(host);
        for verdict in verdicts {
            self.counts.add(verdict.outcome);
            self.findings.extend(finding(self.catalog, verdict));
            self.verdicts.push(VerdictRecord::from(verdict));
        }
    }

    /// The document. Assets are in canonical order, whatever order they were finished in, so that the same results
    /// give the same bytes.
    #[must_use]
    pub fn finish(mut self, scan: ScanSummary) -> ScanDocument {
        self.scores.sort_by(|a, b| a.asset.cmp(&b.asset));
        let mut document = ScanDocument {
            schema: SCAN_SCHEMA.to_owned(),
            scan,
            hosts: self.hosts,
            findings: self.findings,
            verdicts: self.verdicts,
            score: scan_score(self.scores, self.counts),
            coverage: self.counts,
        };
        document.sort();
        document
    }
}

/// The document of a scan whose assets are all at hand.
#[must_use]
pub fn build<'a>(
    catalog: &Catalog,
    scan: ScanSummary,
    hosts: impl IntoIterator<Item = (&'a HostEvidence, &'a [Verdict])>,
) -> ScanDocument {
    let mut builder = Builder::new(catalog);
    for (evidence, verdicts) in hosts {
        builder.add(evidence, verdicts);
    }
    builder.finish(scan)
}

/// One asset as results show it.
#[must_use]
pub fn host_result(evidence: &HostEvidence, verdicts: &[Verdict]) -> HostResult {
    let addresses = evidence.addresses.observed().cloned().unwrap_or_default();
    let reached = evidence.reached();
    HostResult {
        asset: evidence.asset.clone(),
        address: addresses.first().copied(),
        addresses,
        names: names_of(&evidence.asset),
        reached,
        ports: ports(evidence),
        summarised: evidence.ports.observed().map(|ports| ports.summarised.clone()).unwrap_or_default(),
        why_unreached: if reached { None } else { gaps::why_unreached(evidence) },
        gaps: if reached { gaps::of(evidence, verdicts) } else { Vec::new() },
        score: asset_score(verdicts, reached),
    }
}

/// A failed verdict as a finding; `None` for any other verdict.
#[must_use]
pub fn finding(catalog: &Catalog, verdict: &Verdict) -> Option<FindingRecord> {
    if verdict.outcome != Outcome::Fail {
        return None;
    }
    let meta = catalog.check(verdict.check_id.as_str());
    Some(FindingRecord {
        fingerprint: Fingerprint::of(&verdict.check_id, &verdict.asset, &verdict.location),
        check_id: verdict.check_id.clone(),
        severity: verdict.severity.unwrap_or(Severity::Info),
        status: FindingStatus::Open,
        confidence: verdict.confidence.unwrap_or(Confidence::Confirmed),
        asset: verdict.asset.to_string(),
        location: verdict.location.clone(),
        title: meta.map_or_else(|| verdict.check_id.to_string(), |meta| meta.title.clone()),
        category: meta.map(|meta| meta.category.to_string()).unwrap_or_default(),
        evidence: verdict.evidence.clone(),
        remediation: meta.map(|meta| meta.remediation.clone()).unwrap_or_default(),
        controls: catalog.controls_of(&verdict.check_id),
    })
}

fn ports(evidence: &HostEvidence) -> Vec<PortResult> {
    let Some(ports) = evidence.ports.observed() else { return Vec::new() };
    let mut listed: Vec<PortResult> = ports
        .listed
        .iter()
        .map(|port| {
            let endpoint = Endpoint { address: port.address, transport: port.protocol, port: port.port };
            let service = service_at(evidence, &endpoint);
            PortResult {
                address: port.address,
                port: port.port,
                protocol: port.protocol,
                state: port.state,
                reason: port.reason.clone(),
                service: service.and_then(|service| service.service.clone()),
                product: service.and_then(|service| service.product.clone()),
                version: service.and_then(|service| service.version.clone()),
                tls: service.is_some_and(|service| service.tls),
            }
        })
        .collect();
    listed.sort_by_key(|port| (port.address, port.protocol, port.port));
    listed
}

fn service_at<'e>(evidence: &'e HostEvidence, endpoint: &Endpoint) -> Option<&'e ServiceEvidence> {
    evidence.services.items.iter().find(|item| item.endpoint == *endpoint)?.observation.observed()
}
