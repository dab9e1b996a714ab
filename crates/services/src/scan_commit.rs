//! Commits one finished host: evidence, coverage, host row, findings, history and counts, in one transaction. The
//! transaction is the checkpoint: a scan that is killed goes on with the first host that has none.
//!
//! Rules of a finding's life are in `domain::finding::Lifecycle`; here it is decided which outcome a stored finding is
//! judged by when the scan says nothing about exactly its place.

use std::collections::HashMap;

use bartizan_domain::coverage::{Coverage, OutcomeCounts};
use bartizan_domain::document::HostResult;
use bartizan_domain::finding::{Lifecycle, Transition};
use bartizan_domain::id::{AssetId, OrganizationId, ScanId};
use bartizan_domain::score::score_of_open;
use bartizan_domain::{
    CheckId, Confidence, Error, FindingStatus, Fingerprint, Location, Outcome, ResolutionReason, Result, Severity,
    Verdict,
};
use bartizan_evidence::Blob;
use bartizan_storage::assets::{self, AssetSeen};
use bartizan_storage::evidence::{self, EvidenceBlob};
use bartizan_storage::findings::{self, EventKind, Finding, FindingEvent};
use bartizan_storage::observations::{self, Seen};
use bartizan_storage::scan_hosts::{self, HostStatus, ScanHost};
use bartizan_storage::{SeverityCounts, Tx, scans};
use chrono::{DateTime, Utc};

use crate::{OpContext, Services};

/// Where a host belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostPlace {
    pub(crate) scan: ScanId,
    pub(crate) asset_id: Option<AssetId>,
    pub(crate) position: u64,
    pub(crate) status: HostStatus,
    pub(crate) demo: bool,
    /// When the host was looked at: the time of the sightings.
    pub(crate) seen_at: DateTime<Utc>,
}

/// What was found on it.
#[derive(Debug)]
pub(crate) struct HostRecord<'a> {
    pub(crate) blob: Blob,
    pub(crate) coverage: &'a Coverage,
    pub(crate) verdicts: &'a [Verdict],
    pub(crate) result: HostResult,
}

/// Commits a host. Says whether it was new; one that was committed before changes nothing.
///
/// What a scan writes is recorded by the scan itself, so there is no audit entry a host.
pub(crate) async fn commit_host(
    cx: &OpContext,
    services: &Services,
    place: HostPlace,
    record: HostRecord<'_>,
) -> Result<bool> {
    let organization = cx.organization()?;
    let tx = services.store.begin().await?;
    let asset = record.result.asset.to_string();
    findings::lock_asset(tx.db(), organization, &asset).await?;
    let hash = record.blob.hash.to_string();
    let blob = EvidenceBlob {
        hash: hash.clone(),
        retention: record.blob.retention.as_str().to_owned(),
        document_size: record.blob.document_size,
        bytes: record.blob.bytes,
        created_at: cx.now(),
    };
    evidence::insert(tx.db(), organization, blob).await?;
    let failed: SeverityCounts = record
        .verdicts
        .iter()
        .filter(|verdict| verdict.outcome == Outcome::Fail)
        .map(|verdict| verdict.severity.unwrap_or(Severity::Info))
        .collect();
    let reached = record.result.reached;
    let scanned = record.result.score;
    let host = ScanHost {
        organization_id: organization,
        scan_id: place.scan,
        position: place.position,
        asset: asset.clone(),
        asset_id: place.asset_id,
        status: place.status,
        result: record.result,
        outcomes: record.verdicts.iter().map(|verdict| verdict.outcome).collect::<OutcomeCounts>(),
        findings: failed,
        evidence_hash: hash,
        coverage: bartizan_evidence::coverage::encode(record.coverage).map_err(Error::internal)?,
        finished_at: cx.now(),
    };
    if !scan_hosts::insert(tx.db(), &host).await? {
        return Ok(false);
    }
    update_findings(cx, services, &tx, place, (&asset, record.coverage, record.verdicts)).await?;
    if let Some(id) = place.asset_id {
        let score = match scanned {
            // A narrow scan must not hide what an earlier, wider one left open.
            Some(scanned) => Some(i32::from(scanned.min(score_of_what_is_open(&tx, organization, &asset).await?))),
            None => None,
        };
        let seen = AssetSeen { scan: place.scan, seen_at: reached.then_some(place.seen_at), score };
        assets::note_scan(tx.db(), organization, id, seen).await?;
    }
    scans::add_host(tx.db(), organization, place.scan, failed, cx.now()).await?;
    tx.commit().await?;
    Ok(true)
}

async fn score_of_what_is_open(tx: &Tx, organization: OrganizationId, asset: &str) -> Result<u8> {
    let known = findings::of_asset(tx.db(), organization, asset).await?;
    let counted = |status| !matches!(status, FindingStatus::Resolved | FindingStatus::AcceptedRisk);
    let open = known.iter().filter(|finding| counted(finding.status));
    Ok(score_of_open(open.map(|finding| (&finding.check_id, finding.severity))))
}

async fn update_findings(
    cx: &OpContext,
    services: &Services,
    tx: &Tx,
    place: HostPlace,
    (asset, coverage, verdicts): (&str, &Coverage, &[Verdict]),
) -> Result<()> {
    let organization = cx.organization()?;
    let known = findings::of_asset(tx.db(), organization, asset).await?;
    let judged: HashMap<Fingerprint, &Verdict> = verdicts
        .iter()
        .map(|verdict| (Fingerprint::of(&verdict.check_id, &verdict.asset, &verdict.location), verdict))
        .collect();
    let mut changes =
        Changes { cx, services, organization, place, rows: Vec::new(), events: Vec::new(), seen: Vec::new() };
    let mut unknown: HashMap<&Fingerprint, &Verdict> =
        judged.iter().map(|(print, verdict)| (print, *verdict)).collect();
    for finding in known {
        unknown.remove(&finding.fingerprint);
        match judged.get(&finding.fingerprint) {
            Some(verdict) => changes.observe(finding, verdict.outcome, Some(verdict)),
            None => {
                let implied = match place.status {
                    HostStatus::Finished => implied_outcome(&finding.check_id, &finding.location, coverage),
                    // What was not said may just not have been asked yet.
                    HostStatus::Interrupted => None,
                };
                if let Some(outcome) = implied {
                    changes.observe(finding, outcome, None);
                }
            }
        }
    }
    let mut fresh: Vec<(&Fingerprint, &Verdict)> = unknown.into_iter().collect();
    fresh.sort_by_key(|(_, verdict)| (&verdict.check_id, &verdict.location));
    for (fingerprint, verdict) in fresh {
        if Lifecycle::observe(None, verdict.outcome) == Transition::Create {
            changes.create(fingerprint.clone(), verdict);
        }
    }
    findings::upsert(tx.db(), &changes.rows).await?;
    observations::insert(tx.db(), &changes.seen).await?;
    Ok(findings::append_events(tx.db(), &changes.events).await?)
}

/// What a scan implies about a check at a place it gave no verdict for; `None` if it implies nothing.
///
/// - The port is known to be closed on every address: whatever was there is gone.
/// - The place lies below one where the same check came to a conclusion (a path below a port, a name below the zone):
///   the check looked there and did not report this place again.
pub(crate) fn implied_outcome(check: &CheckId, location: &Location, coverage: &Coverage) -> Option<Outcome> {
    let on_tcp = location.as_str().starts_with("tcp/");
    if on_tcp && location.port_number().is_some_and(|port| coverage.closed_ports.contains(port)) {
        return Some(Outcome::NotApplicable);
    }
    let parent = parent_of(location.as_str())?;
    let mut outcomes = coverage
        .entries
        .iter()
        .filter(|entry| entry.check_id == *check && is_at_or_below(entry.location.as_str(), parent))
        .map(|entry| entry.outcome)
        .peekable();
    outcomes.peek()?;
    outcomes.all(Outcome::is_conclusive).then_some(Outcome::Pass)
}

fn parent_of(location: &str) -> Option<&str> {
    let mut slashes = location.match_indices('/').map(|(index, _)| index);
    if location.starts_with("tcp/") || location.starts_with("udp/") {
        slashes.next();
    }
    slashes.next().map(|end| &location[..end])
}

fn is_at_or_below(location: &str, parent: &str) -> bool {
    location.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

struct Changes<'a> {
    cx: &'a OpContext,
    services: &'a Services,
    organization: OrganizationId,
    place: HostPlace,
    rows: Vec<Finding>,
    events: Vec<FindingEvent>,
    seen: Vec<Seen>,
}

impl Changes<'_> {
    fn observe(&mut self, mut finding: Finding, outcome: Outcome, verdict: Option<&Verdict>) {
        let before = Lifecycle { status: finding.status, resolution: finding.resolution_reason };
        match Lifecycle::observe(Some(before), outcome) {
            Transition::Create => unreachable!("the record exists"),
            Transition::Keep => return,
            Transition::SeenAgain => self.sighted(&mut finding, verdict),
            Transition::Reopen => {
                self.sighted(&mut finding, verdict);
                finding.reopened += 1;
                self.set_status(&mut finding, FindingStatus::Open, None, EventKind::Reopened);
            }
            Transition::Resolve => {
                let fixed = Some(ResolutionReason::Fixed);
                self.set_status(&mut finding, FindingStatus::Resolved, fixed, EventKind::AutoResolved);
            }
        }
        finding.updated_at = self.cx.now();
        self.rows.push(finding);
    }

    fn sighted(&mut self, finding: &mut Finding, verdict: Option<&Verdict>) {
        let Some(verdict) = verdict else { return };
        // The same host of the same scan may come twice: interrupted first, then whole.
        if finding.last_scan_id != self.place.scan {
            finding.occurrences += 1;
        }
        finding.last_scan_id = self.place.scan;
        finding.last_seen_at = finding.last_seen_at.max(self.place.seen_at);
        finding.severity = verdict.severity.unwrap_or(Severity::Info);
        finding.confidence = verdict.confidence.unwrap_or_default();
        finding.evidence = verdict.evidence.clone();
        finding.title = self.title(verdict);
        finding.category = self.category(verdict);
        if self.place.asset_id.is_some() {
            finding.asset_id = self.place.asset_id;
        }
        // Seen by a real scan, it is no longer only a demonstration.
        finding.demo &= self.place.demo;
        self.note_sighting(finding, verdict);
    }

    fn create(&mut self, fingerprint: Fingerprint, verdict: &Verdict) {
        let now = self.cx.now();
        let finding = Finding {
            id: self.cx.new_id(),
            organization_id: self.organization,
            fingerprint,
            check_id: verdict.check_id.clone(),
            category: self.category(verdict),
            title: self.title(verdict),
            severity: verdict.severity.unwrap_or(Severity::Info),
            confidence: verdict.confidence.unwrap_or(Confidence::Confirmed),
            asset: verdict.asset.to_string(),
            asset_id: self.place.asset_id,
            location: verdict.location.clone(),
            status: FindingStatus::Open,
            resolution_reason: None,
            status_note: None,
            status_changed_at: now,
            accepted_until: None,
            accepted_by: None,
            evidence: verdict.evidence.clone(),
            first_seen_at: self.place.seen_at,
            last_seen_at: self.place.seen_at,
            first_scan_id: self.place.scan,
            last_scan_id: self.place.scan,
            occurrences: 1,
            reopened: 0,
            resolved_at: None,
            resolved_scan_id: None,
            demo: self.place.demo,
            updated_at: now,
        };
        self.event(&finding, None, EventKind::Created);
        self.note_sighting(&finding, verdict);
        self.rows.push(finding);
    }

    fn set_status(
        &mut self,
        finding: &mut Finding,
        status: FindingStatus,
        resolution: Option<ResolutionReason>,
        kind: EventKind,
    ) {
        let before = finding.status;
        finding.status = status;
        finding.resolution_reason = resolution;
        finding.status_note = None;
        finding.status_changed_at = self.cx.now();
        finding.accepted_until = None;
        finding.accepted_by = None;
        let resolved = status == FindingStatus::Resolved;
        finding.resolved_at = resolved.then(|| self.cx.now());
        finding.resolved_scan_id = resolved.then_some(self.place.scan);
        self.event(finding, Some(before), kind);
    }

    fn event(&mut self, finding: &Finding, from_status: Option<FindingStatus>, kind: EventKind) {
        self.events.push(FindingEvent {
            id: self.cx.new_id(),
            organization_id: self.organization,
            finding_id: finding.id,
            at: self.cx.now(),
            kind,
            from_status,
            to_status: finding.status,
            resolution_reason: finding.resolution_reason,
            note: None,
            scan_id: Some(self.place.scan),
            actor_id: None,
            actor_name: "scan".to_owned(),
        });
    }

    fn note_sighting(&mut self, finding: &Finding, verdict: &Verdict) {
        self.seen.push(Seen {
            organization_id: self.organization,
            scan_id: self.place.scan,
            finding_id: finding.id,
            severity: finding.severity,
            confidence: finding.confidence,
            evidence: verdict.evidence.clone(),
            seen_at: self.place.seen_at,
        });
    }

    fn title(&self, verdict: &Verdict) -> String {
        let meta = self.services.catalog.check(verdict.check_id.as_str());
        meta.map_or_else(|| verdict.check_id.to_string(), |meta| meta.title.clone())
    }

    fn category(&self, verdict: &Verdict) -> String {
        let meta = self.services.catalog.check(verdict.check_id.as_str());
        meta.map(|meta| meta.category.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use bartizan_domain::coverage::CoverageEntry;
    use bartizan_domain::{AssetRef, PortSet};

    use super::*;

    fn coverage(closed: &str, entries: &[(&str, &str, Outcome)]) -> Coverage {
        Coverage {
            asset: AssetRef::Domain("a.example".to_owned()),
            catalogue: "test".to_owned(),
            closed_ports: closed.parse::<PortSet>().unwrap_or_default(),
            entries: entries
                .iter()
                .map(|(check, location, outcome)| CoverageEntry {
                    check_id: CheckId::parse(check).unwrap(),
                    location: Location::from_stored(*location),
                    outcome: *outcome,
                    reason: None,
                })
                .collect(),
        }
    }

    fn implied(location: &str, coverage: &Coverage) -> Option<Outcome> {
        implied_outcome(&CheckId::parse("exposed.vcs").unwrap(), &Location::from_stored(location), coverage)
    }

    #[test]
    fn a_closed_port_resolves_and_an_unmentioned_one_says_nothing() {
        let closed = coverage("8443", &[]);
        assert_eq!(implied("tcp/8443", &closed), Some(Outcome::NotApplicable));
        assert_eq!(implied("tcp/8443/.git/HEAD", &closed), Some(Outcome::NotApplicable));
        assert_eq!(implied("udp/8443", &closed), None);
        assert_eq!(implied("tcp/443", &closed), None);
        assert_eq!(implied("host", &closed), None);
    }

    #[test]
    fn a_conclusion_about_the_port_covers_its_paths() {
        let passed = coverage("", &[("exposed.vcs", "tcp/443", Outcome::Pass)]);
        assert_eq!(implied("tcp/443/.git/HEAD", &passed), Some(Outcome::Pass));
        assert_eq!(implied("tcp/4433/.git/HEAD", &passed), None);
        let sibling = coverage("", &[("exposed.vcs", "tcp/443/.svn/entries", Outcome::Fail)]);
        assert_eq!(implied("tcp/443/.git/HEAD", &sibling), Some(Outcome::Pass));
        let errored = coverage(
            "",
            &[("exposed.vcs", "tcp/443", Outcome::Error), ("exposed.vcs", "tcp/443/.svn/entries", Outcome::Fail)],
        );
        assert_eq!(implied("tcp/443/.git/HEAD", &errored), None);
        let other = coverage("", &[("exposed.env", "tcp/443", Outcome::Pass)]);
        assert_eq!(implied("tcp/443/.git/HEAD", &other), None);
    }

    #[test]
    fn names_lie_below_the_zone() {
        assert_eq!(parent_of("dns/mail.a.example"), Some("dns"));
        assert_eq!(parent_of("dns"), None);
        assert_eq!(parent_of("tcp/443"), None);
        assert_eq!(parent_of("tcp/443/a/b"), Some("tcp/443"));
    }
}
