//! Findings: list, read, triage.

use std::collections::BTreeSet;

use bartizan_catalog::CheckMeta;
use bartizan_domain::id::{FindingId, OrganizationId};
use bartizan_domain::{Error, FieldError, FindingStatus, Permission, ResolutionReason, Result};
use bartizan_storage::findings as storage;
pub use bartizan_storage::findings::{EventKind, Finding, FindingEvent, FindingFilter, FindingSort};
pub use bartizan_storage::observations::Seen;
use bartizan_storage::{Db, Listed, Page, SeverityCounts, SortDir, observations};
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::validate::check_text;
use crate::{OpContext, Services};

/// Most findings of one bulk change.
pub const BULK_LIMIT: usize = 500;
/// Most characters of a note.
pub const NOTE_LENGTH: usize = 2_000;
/// Sightings listed with a finding.
const SIGHTINGS: u64 = 50;

/// A finding with everything that is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingDetail {
    /// The finding.
    pub finding: Finding,
    /// Texts of its check; `None` if the check is not in the catalogue any more.
    pub check: Option<&'static CheckMeta>,
    /// Control references: `nis2:21.2.h`.
    pub controls: Vec<String>,
    /// What happened to it, newest first.
    pub history: Vec<FindingEvent>,
    /// The scans that saw it, newest first, at most 50.
    pub sightings: Vec<Seen>,
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The new status.
    pub status: FindingStatus,
    /// What the person says about it; required for `accepted_risk`.
    pub note: Option<String>,
    /// Why it is resolved; `fixed` if left out.
    pub resolution_reason: Option<ResolutionReason>,
    /// Until when the risk is accepted; in the future.
    pub accepted_until: Option<DateTime<Utc>>,
}

/// Which findings a bulk change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, 1 to [`BULK_LIMIT`].
    Ids(Vec<FindingId>),
    /// All that a filter lets through, if they are as many as the caller saw.
    Filter {
        /// The filter.
        filter: Box<FindingFilter>,
        /// How many the caller saw.
        expected: u64,
    },
}

/// What a bulk change did to one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkItem {
    /// Which.
    pub id: FindingId,
    /// What.
    pub result: BulkResult,
}

/// What a bulk change did to one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkResult {
    /// It has the new status now.
    Updated,
    /// It had that status already, with nothing else to change.
    Unchanged,
    /// The organisation has no such finding.
    NotFound,
}

impl BulkResult {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::NotFound => "not_found",
        }
    }
}

/// How findings divide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// All that the filter lets through.
    pub total: u64,
    /// By severity.
    pub by_severity: SeverityCounts,
    /// By status: wire form and count.
    pub by_status: Vec<(String, u64)>,
    /// By category, greatest first.
    pub by_category: Vec<(String, u64)>,
    /// By check, greatest first, at most 200.
    pub by_check: Vec<(String, u64)>,
}

/// One page of findings.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(
    cx: &OpContext,
    services: &Services,
    filter: &FindingFilter,
    sort: (FindingSort, SortDir),
    page: Page,
) -> Result<Listed<Finding>> {
    let organization = cx.require(Permission::FindingsView)?;
    known_checks(services, filter)?;
    Ok(storage::list(services.store.read(), organization, filter, sort, page).await?)
}

/// The findings that follow `after` in the order of a list: quick however long the list is.
///
/// # Errors
/// [`Error::Invalid`] if the organisation has no finding `after`; else as [`list`].
pub async fn list_after(
    cx: &OpContext,
    services: &Services,
    filter: &FindingFilter,
    sort: (FindingSort, SortDir),
    (after, size): (FindingId, u64),
) -> Result<Listed<Finding>> {
    let organization = cx.require(Permission::FindingsView)?;
    known_checks(services, filter)?;
    let db = services.store.read();
    let Some(after) = storage::get(db, organization, after).await? else {
        return Err(Error::invalid("query -> after", "there is no such finding; begin with the first page again"));
    };
    Ok(storage::list_after(db, organization, filter, sort, (&after, size)).await?)
}

/// A mistyped check id would otherwise look like a clean result.
fn known_checks(services: &Services, filter: &FindingFilter) -> Result<()> {
    match filter.checks.iter().find(|id| services.catalog.check(id.as_str()).is_none()) {
        Some(id) => Err(Error::invalid("query -> check_id", format!("`{id}` is not a check of the catalogue"))),
        None => Ok(()),
    }
}

/// How the findings that `filter` lets through divide: the counts beside the filters of a list. Each count leaves its
/// own filter out, so that it says what choosing another value would show.
///
/// # Errors
/// If the caller may not see findings, or the database fails.
pub async fn stats(cx: &OpContext, services: &Services, filter: &FindingFilter) -> Result<Stats> {
    let organization = cx.require(Permission::FindingsView)?;
    known_checks(services, filter)?;
    let db = services.store.read();
    let without = |change: fn(&mut FindingFilter)| {
        let mut filter = filter.clone();
        change(&mut filter);
        filter
    };
    let severities = without(|filter| filter.severities.clear());
    let statuses = without(|filter| filter.statuses.clear());
    let categories = without(|filter| filter.categories.clear());
    let checks = without(|filter| filter.checks.clear());
    Ok(Stats {
        total: storage::count(db, organization, filter).await?,
        by_severity: storage::by_severity(db, organization, &severities).await?,
        by_status: storage::facet(db, organization, &statuses, storage::Facet::Status).await?,
        by_category: storage::facet(db, organization, &categories, storage::Facet::Category).await?,
        by_check: storage::facet(db, organization, &checks, storage::Facet::Check).await?,
    })
}

/// One finding with its check, history and sightings.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such finding.
pub async fn get(cx: &OpContext, services: &Services, id: FindingId) -> Result<FindingDetail> {
    let organization = cx.require(Permission::FindingsView)?;
    detail(services, services.store.read(), organization, id).await
}

/// Changes the status of a finding.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Invalid`] for a change that breaks a rule.
pub async fn update(cx: &OpContext, services: &Services, id: FindingId, wanted: StatusChange) -> Result<FindingDetail> {
    let wanted = checked(cx, wanted)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::FindingsTriage).await?;
    let before = storage::get(change.db(), organization, id).await?.ok_or_else(|| Error::not_found("finding", id))?;
    let (after, event) = changed(cx, before.clone(), &wanted);
    storage::upsert(change.db(), std::slice::from_ref(&after)).await?;
    storage::append_events(change.db(), std::slice::from_ref(&event)).await?;
    let entry = Change::new("finding.update", "finding", id).before(recorded(&before)).after(recorded(&after));
    change.commit(entry).await?;
    detail(services, services.store.read(), organization, id).await
}

/// Changes the status of many findings at once. All or none are changed; ids that are not the organisation's are
/// reported and change nothing.
///
/// # Errors
/// [`Error::Invalid`] for a change or a selection that breaks a rule, [`Error::Conflict`] if a filter lets through
/// another number than the caller saw.
pub async fn bulk(
    cx: &OpContext,
    services: &Services,
    selection: Selection,
    wanted: StatusChange,
) -> Result<Vec<BulkItem>> {
    cx.require(Permission::FindingsTriage)?;
    let wanted = checked(cx, wanted)?;
    let (organization, change) = Mutation::begin(cx, services, Permission::FindingsTriage).await?;
    let ids = selected(change.db(), organization, selection).await?;
    let found = storage::many(change.db(), organization, &ids).await?;
    let known: BTreeSet<FindingId> = found.iter().map(|finding| finding.id).collect();
    let mut items = Vec::with_capacity(ids.len());
    let (mut rows, mut events) = (Vec::new(), Vec::new());
    for finding in found {
        let id = finding.id;
        if is_already(&finding, &wanted) {
            items.push(BulkItem { id, result: BulkResult::Unchanged });
            continue;
        }
        let (after, event) = changed(cx, finding, &wanted);
        rows.push(after);
        events.push(event);
        items.push(BulkItem { id, result: BulkResult::Updated });
    }
    let missing = ids.iter().filter(|id| !known.contains(id));
    items.extend(missing.map(|id| BulkItem { id: *id, result: BulkResult::NotFound }));
    if rows.is_empty() {
        return Ok(items);
    }
    storage::upsert(change.db(), &rows).await?;
    storage::append_events(change.db(), &events).await?;
    let changed_ids: Vec<FindingId> = rows.iter().map(|row| row.id).collect();
    let entry = Change::new("finding.bulk_update", "finding", format!("{} findings", rows.len())).after(json!({
        "finding_ids": changed_ids, "status": wanted.status, "status_note": wanted.note,
        "resolution_reason": wanted.resolution_reason, "accepted_until": wanted.accepted_until,
    }));
    change.commit(entry).await?;
    Ok(items)
}

/// Reopens findings whose accepted risk ran out. Says how many.
pub(crate) async fn reopen_expired(cx: &OpContext, services: &Services) -> Result<usize> {
    let organization = cx.require(Permission::FindingsTriage)?;
    let expired = FindingFilter {
        statuses: vec![FindingStatus::AcceptedRisk],
        accepted_until_before: Some(cx.now()),
        ..FindingFilter::default()
    };
    let mut reopened = 0;
    loop {
        let (organization, change) = (organization, Mutation::begin(cx, services, Permission::FindingsTriage).await?.1);
        let ids = storage::ids(change.db(), organization, &expired, BULK_LIMIT as u64).await?;
        if ids.is_empty() {
            return Ok(reopened);
        }
        let open =
            StatusChange { status: FindingStatus::Open, note: None, resolution_reason: None, accepted_until: None };
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        for finding in storage::many(change.db(), organization, &ids).await? {
            let (after, event) = changed(cx, finding, &open);
            rows.push(after);
            events.push(FindingEvent { kind: EventKind::AcceptanceExpired, ..event });
        }
        storage::upsert(change.db(), &rows).await?;
        storage::append_events(change.db(), &events).await?;
        reopened += rows.len();
        let entry = Change::new("finding.acceptance_expired", "finding", format!("{} findings", rows.len()));
        change.commit(entry.after(json!({ "finding_ids": ids }))).await?;
    }
}

async fn selected(db: Db<'_>, organization: OrganizationId, selection: Selection) -> Result<Vec<FindingId>> {
    match selection {
        Selection::Ids(ids) => {
            let ids: BTreeSet<FindingId> = ids.into_iter().collect();
            if ids.is_empty() || ids.len() > BULK_LIMIT {
                let message = format!("{} ids: 1 to {BULK_LIMIT} are allowed", ids.len());
                return Err(Error::invalid("body -> finding_ids", message));
            }
            Ok(ids.into_iter().collect())
        }
        Selection::Filter { filter, expected } => {
            let count = storage::count(db, organization, &filter).await?;
            if count != expected {
                return Err(Error::Conflict(format!(
                    "The filter now selects {count} findings, not {expected}; look at the list again"
                )));
            }
            if count > BULK_LIMIT as u64 {
                let message = format!("the filter selects {count} findings: at most {BULK_LIMIT} are allowed");
                return Err(Error::invalid("body -> filter", message));
            }
            Ok(storage::ids(db, organization, &filter, BULK_LIMIT as u64).await?)
        }
    }
}

fn checked(cx: &OpContext, mut wanted: StatusChange) -> Result<StatusChange> {
    wanted.note = wanted.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    let mut errors = Vec::new();
    if let Err(error) = wanted.status.check_change(wanted.note.as_deref(), wanted.resolution_reason) {
        errors.push(error);
    }
    if let Some(note) = &wanted.note {
        // Notes may have several lines.
        let flat: String = note.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
        if let Err(message) = check_text("status_note", &flat, NOTE_LENGTH) {
            errors.push(FieldError::new("body -> status_note", message));
        }
    }
    if let Some(until) = wanted.accepted_until {
        if wanted.status != FindingStatus::AcceptedRisk {
            errors
                .push(FieldError::new("body -> accepted_until", "accepted_until goes with status accepted_risk only"));
        } else if until <= cx.now() {
            errors.push(FieldError::new("body -> accepted_until", "accepted_until must lie in the future"));
        }
    }
    if wanted.status == FindingStatus::Resolved {
        wanted.resolution_reason.get_or_insert(ResolutionReason::Fixed);
    }
    if errors.is_empty() { Ok(wanted) } else { Err(Error::Invalid(errors)) }
}

fn is_already(finding: &Finding, wanted: &StatusChange) -> bool {
    finding.status == wanted.status
        && finding.resolution_reason == wanted.resolution_reason
        && finding.accepted_until == wanted.accepted_until
        && wanted.note.as_ref().is_none_or(|note| finding.status_note.as_ref() == Some(note))
}

fn changed(cx: &OpContext, mut finding: Finding, wanted: &StatusChange) -> (Finding, FindingEvent) {
    let now = cx.now();
    let from = finding.status;
    finding.status = wanted.status;
    finding.resolution_reason = wanted.resolution_reason;
    finding.status_note = wanted.note.clone();
    finding.status_changed_at = now;
    finding.accepted_until = wanted.accepted_until;
    finding.accepted_by = if wanted.status == FindingStatus::AcceptedRisk { cx.actor().user_id() } else { None };
    finding.resolved_at = (wanted.status == FindingStatus::Resolved).then_some(now);
    finding.resolved_scan_id = None;
    finding.updated_at = now;
    let event = FindingEvent {
        id: cx.new_id(),
        organization_id: finding.organization_id,
        finding_id: finding.id,
        at: now,
        kind: EventKind::StatusChanged,
        from_status: Some(from),
        to_status: finding.status,
        resolution_reason: finding.resolution_reason,
        note: wanted.note.clone(),
        scan_id: None,
        actor_id: cx.actor().user_id(),
        actor_name: cx.actor().name().to_owned(),
    };
    (finding, event)
}

async fn detail(services: &Services, db: Db<'_>, organization: OrganizationId, id: FindingId) -> Result<FindingDetail> {
    let finding = storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("finding", id))?;
    Ok(FindingDetail {
        check: services.catalog.check(finding.check_id.as_str()),
        controls: services.catalog.controls_of(&finding.check_id),
        history: storage::history(db, organization, id).await?,
        sightings: observations::of_finding(db, organization, id, SIGHTINGS).await?,
        finding,
    })
}

fn recorded(finding: &Finding) -> serde_json::Value {
    json!({
        "check_id": finding.check_id, "asset": finding.asset, "location": finding.location,
        "status": finding.status, "status_note": finding.status_note,
        "resolution_reason": finding.resolution_reason, "accepted_until": finding.accepted_until,
    })
}
