//! Assets: add, list, change, remove, tag. The pattern of the other nouns.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_domain::finding::FindingStatus;
use bartizan_domain::id::{AssetId, OrganizationId};
use bartizan_domain::{AssetKind, Error, Permission, ResolutionReason, Result, RiskZone, Target};
use bartizan_storage::assets::{self as storage, AssetChange};
pub use bartizan_storage::assets::{Asset, AssetFilter, AssetSort, Seen};
use bartizan_storage::findings::{self, EventKind, FindingEvent};
use bartizan_storage::{Db, Listed, Page, SeverityCounts, SortDir, StorageError};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::mutation::{Change, Mutation};
use crate::validate::{self, Fields};
use crate::{OpContext, Services};

/// An asset that did not answer for this long is stale.
pub const STALE_AFTER: TimeDelta = TimeDelta::days(30);

/// Most assets of one bulk change.
pub const BULK_LIMIT: usize = 10_000;

/// Importance from least to greatest, and the default.
pub const CRITICALITY: (i32, i32, i32) = (1, 5, 3);

/// An asset with what is known about it beyond its own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetView {
    /// The asset.
    pub asset: Asset,
    /// Whether it has not answered for [`STALE_AFTER`], counted from when it was added if it never did.
    pub stale: bool,
    /// Unresolved findings on it, accepted risks left out.
    pub open_findings: SeverityCounts,
}

/// An asset to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAsset {
    /// Name as shown; the target if left out.
    pub name: Option<String>,
    /// `domain`, `ip` or `cidr`; read from the target if left out.
    pub target_type: Option<AssetKind>,
    /// The target, in any form that [`Target`] reads.
    pub target_value: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Zone; the default if left out.
    pub risk_zone: Option<RiskZone>,
    /// 1 to 5; 3 if left out.
    pub criticality: Option<i32>,
}

/// A change of an asset. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetPatch {
    /// Name as shown.
    pub name: Option<String>,
    /// All tags.
    pub tags: Option<Vec<String>>,
    /// Zone.
    pub risk_zone: Option<RiskZone>,
    /// 1 to 5.
    pub criticality: Option<i32>,
}

/// A change of many assets at once. What is `None` or empty stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkChange {
    /// Which, 1 to [`BULK_LIMIT`].
    pub asset_ids: Vec<AssetId>,
    /// Zone to move them to.
    pub risk_zone: Option<RiskZone>,
    /// Tags they get.
    pub add_tags: Vec<String>,
    /// Tags they lose.
    pub remove_tags: Vec<String>,
}

/// What a bulk change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkOutcome {
    /// Assets that were found, and so now are as asked.
    pub updated: Vec<AssetId>,
    /// Ids of no asset of the organisation.
    pub not_found: Vec<AssetId>,
}

/// The filter for `stale=true|false`.
#[must_use]
pub fn seen(cx: &OpContext, stale: bool) -> Seen {
    let cutoff = cx.now() - STALE_AFTER;
    if stale { Seen::NotSince(cutoff) } else { Seen::Since(cutoff) }
}

/// One page of assets.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn list(
    cx: &OpContext,
    services: &Services,
    filter: &AssetFilter,
    sort: (AssetSort, SortDir),
    page: Page,
) -> Result<Listed<AssetView>> {
    let organization = cx.require(Permission::AssetsView)?;
    let db = services.store.read();
    let listed = storage::list(db, organization, filter, sort, page).await?;
    Ok(Listed { total: listed.total, rows: views(cx, db, organization, listed.rows).await? })
}

/// One asset.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such asset.
pub async fn get(cx: &OpContext, services: &Services, id: AssetId) -> Result<AssetView> {
    let organization = cx.require(Permission::AssetsView)?;
    let db = services.store.read();
    let asset = found(db, organization, id).await?;
    views(cx, db, organization, vec![asset]).await?.pop().ok_or_else(|| Error::not_found("asset", id))
}

/// Names of assets, for lists that name an asset beside something else. Unknown ids are left out.
///
/// # Errors
/// If the caller may not see findings, or the database fails.
pub async fn names(cx: &OpContext, services: &Services, ids: &[AssetId]) -> Result<BTreeMap<AssetId, String>> {
    let organization = cx.require(Permission::FindingsView)?;
    let assets = storage::many(services.store.read(), organization, ids).await?;
    Ok(assets.into_iter().map(|asset| (asset.id, asset.name)).collect())
}

/// One page of the tags in use that begin with a text, and how many assets have each; most used first.
///
/// # Errors
/// If the caller may not see assets, or the database fails.
pub async fn tags(cx: &OpContext, services: &Services, begin: &str, page: Page) -> Result<Listed<(String, u64)>> {
    let organization = cx.require(Permission::AssetsView)?;
    Ok(storage::tags(services.store.read(), organization, begin, page).await?)
}

/// Adds an asset. Adding it states that it may be scanned: its scope is confirmed by the person who adds it.
///
/// # Errors
/// [`Error::Invalid`] for fields that break a rule, [`Error::Conflict`] if the target is an asset already.
pub async fn create(cx: &OpContext, services: &Services, new: NewAsset) -> Result<AssetView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::AssetsManage).await?;
    let asset = checked(cx, organization, &new)?;
    match storage::insert(change.db(), std::slice::from_ref(&asset)).await {
        Err(StorageError::Unique(_)) => {
            return Err(Error::Conflict(format!("{} {} is an asset already", asset.target_type, asset.target_value)));
        }
        other => other?,
    }
    change.commit(Change::new("asset.create", "asset", asset.id).after(recorded(&asset))).await?;
    Ok(AssetView { stale: false, open_findings: SeverityCounts::default(), asset })
}

/// Changes an asset.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Invalid`] for fields that break a rule.
pub async fn update(cx: &OpContext, services: &Services, id: AssetId, patch: AssetPatch) -> Result<AssetView> {
    let (organization, change) = Mutation::begin(cx, services, Permission::AssetsManage).await?;
    let before = found(change.db(), organization, id).await?;
    let mut after = before.clone();
    let mut fields = Fields::default();
    if let Some(name) = &patch.name {
        after.name = fields.text("name", name, NAME_LENGTH);
    }
    if let Some(zone) = patch.risk_zone {
        after.risk_zone = zone;
    }
    if let Some(criticality) = patch.criticality {
        after.criticality = criticality;
        check_criticality(&mut fields, criticality);
    }
    if let Some(tags) = &patch.tags {
        match validate::tags(tags) {
            Ok(tags) => after.tags = tags,
            Err(message) => fields.error("tags", message),
        }
    }
    fields.finish()?;
    after.updated_at = cx.now();
    storage::update(change.db(), organization, id, &change_of(&after)).await?;
    if after.tags != before.tags {
        storage::replace_tags(change.db(), organization, &[(id, after.tags.clone())]).await?;
    }
    let entry = Change::new("asset.update", "asset", id).before(recorded(&before)).after(recorded(&after));
    change.commit(entry).await?;
    views(cx, services.store.read(), organization, vec![after])
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("asset", id))
}

/// Changes the zone and the tags of many assets.
///
/// # Errors
/// [`Error::BadRequest`] without ids or without a change, [`Error::Invalid`] for a bad tag.
pub async fn bulk(cx: &OpContext, services: &Services, bulk: BulkChange) -> Result<BulkOutcome> {
    cx.require(Permission::AssetsManage)?;
    if bulk.asset_ids.is_empty() {
        return Err(Error::BadRequest("No asset_ids provided".to_owned()));
    }
    if bulk.risk_zone.is_none() && bulk.add_tags.is_empty() && bulk.remove_tags.is_empty() {
        return Err(Error::BadRequest("No update fields provided".to_owned()));
    }
    let ids: BTreeSet<AssetId> = bulk.asset_ids.iter().copied().collect();
    if ids.len() > BULK_LIMIT {
        return Err(Error::invalid("body -> asset_ids", format!("{} ids: at most {BULK_LIMIT}", ids.len())));
    }
    let add = validate::tags(&bulk.add_tags).map_err(|message| Error::invalid("body -> add_tags", message))?;
    let remove: BTreeSet<String> = bulk.remove_tags.iter().map(|tag| tag.trim().to_owned()).collect();

    let (organization, change) = Mutation::begin(cx, services, Permission::AssetsManage).await?;
    let ids: Vec<AssetId> = ids.into_iter().collect();
    let assets = storage::many(change.db(), organization, &ids).await?;
    let updated: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    if let Some(zone) = bulk.risk_zone {
        storage::set_zone(change.db(), organization, &updated, zone, cx.now()).await?;
    }
    let mut retagged = Vec::new();
    for asset in assets {
        let wanted: BTreeSet<String> =
            asset.tags.iter().filter(|tag| !remove.contains(*tag)).chain(&add).cloned().collect();
        if wanted.len() > validate::TAGS {
            let message = format!("{} would have {} tags: at most {}", asset.name, wanted.len(), validate::TAGS);
            return Err(Error::invalid("body -> add_tags", message));
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        if wanted != asset.tags {
            retagged.push((asset.id, wanted));
        }
    }
    storage::replace_tags(change.db(), organization, &retagged).await?;
    let entry = Change::new("asset.bulk_update", "asset", format!("{} assets", updated.len())).after(json!({
        "asset_ids": updated, "risk_zone": bulk.risk_zone, "add_tags": add, "remove_tags": remove,
    }));
    change.commit(entry).await?;
    let known: BTreeSet<AssetId> = updated.iter().copied().collect();
    let not_found = ids.into_iter().filter(|id| !known.contains(id)).collect();
    Ok(BulkOutcome { updated, not_found })
}

/// Removes an asset. Its scans stay; its unresolved findings are resolved because the asset was removed.
///
/// # Errors
/// [`Error::NotFound`] if the organisation has no such asset.
pub async fn delete(cx: &OpContext, services: &Services, id: AssetId) -> Result<()> {
    let (organization, change) = Mutation::begin(cx, services, Permission::AssetsManage).await?;
    let asset = found(change.db(), organization, id).await?;
    resolve_findings(cx, change.db(), organization, id).await?;
    storage::remove(change.db(), organization, id).await?;
    change.commit(Change::new("asset.delete", "asset", id).before(recorded(&asset))).await
}

async fn resolve_findings(cx: &OpContext, db: Db<'_>, organization: OrganizationId, id: AssetId) -> Result<()> {
    let now = cx.now();
    let mut resolved = findings::unresolved_of(db, organization, id).await?;
    let mut events = Vec::with_capacity(resolved.len());
    for finding in &mut resolved {
        events.push(FindingEvent {
            id: cx.new_id(),
            organization_id: organization,
            finding_id: finding.id,
            at: now,
            kind: EventKind::AssetRemoved,
            from_status: Some(finding.status),
            to_status: FindingStatus::Resolved,
            resolution_reason: Some(ResolutionReason::AssetRemoved),
            note: None,
            scan_id: None,
            actor_id: cx.actor().user_id(),
            actor_name: cx.actor().name().to_owned(),
        });
        finding.status = FindingStatus::Resolved;
        finding.resolution_reason = Some(ResolutionReason::AssetRemoved);
        finding.status_changed_at = now;
        finding.resolved_at = Some(now);
        finding.resolved_scan_id = None;
        finding.accepted_until = None;
        finding.accepted_by = None;
        finding.updated_at = now;
    }
    findings::upsert(db, &resolved).await?;
    Ok(findings::append_events(db, &events).await?)
}

const NAME_LENGTH: usize = 200;

/// Turns input into an asset, or says which rules it breaks.
pub(crate) fn checked(cx: &OpContext, organization: OrganizationId, new: &NewAsset) -> Result<Asset> {
    let mut fields = Fields::default();
    let target = target_of(new.target_type, &new.target_value);
    let (target_type, target_value) = match target {
        Ok(target) => target,
        Err((field, message)) => {
            fields.error(field, message);
            (AssetKind::Domain, String::new())
        }
    };
    let name = match new.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => fields.text("name", name, NAME_LENGTH),
        None => target_value.chars().take(NAME_LENGTH).collect(),
    };
    let criticality = new.criticality.unwrap_or(CRITICALITY.2);
    check_criticality(&mut fields, criticality);
    let tags = validate::tags(&new.tags).unwrap_or_else(|message| {
        fields.error("tags", message);
        Vec::new()
    });
    fields.finish()?;
    let now = cx.now();
    Ok(Asset {
        id: cx.new_id(),
        organization_id: organization,
        name,
        hostname: (target_type == AssetKind::Domain).then(|| target_value.clone()),
        target_type,
        target_value,
        os_distro: None,
        os_version: None,
        risk_zone: new.risk_zone.unwrap_or_default(),
        criticality,
        scope_confirmed_at: Some(now),
        last_seen_at: None,
        last_scan_id: None,
        score: None,
        demo: false,
        created_at: now,
        updated_at: now,
        tags,
    })
}

fn check_criticality(fields: &mut Fields, criticality: i32) {
    let (least, most, _) = CRITICALITY;
    if !(least..=most).contains(&criticality) {
        fields.error("criticality", format!("criticality {criticality} is not between {least} and {most}"));
    }
}

/// The kind and canonical text of a target, or the field at fault and the rule.
fn target_of(kind: Option<AssetKind>, text: &str) -> Result<(AssetKind, String), (&'static str, String)> {
    if kind == Some(AssetKind::Host) {
        return Err(("target_type", "hosts come from inventory: expected domain, ip or cidr".to_owned()));
    }
    let target: Target = text.parse().map_err(|message| ("target_value", message))?;
    if let Some(port) = target.port() {
        return Err(("target_value", format!("`{}` names port {port}: an asset is a whole host", text.trim())));
    }
    let found = target.kind().ok_or_else(|| {
        ("target_value", format!("`{}` is a range: an asset is a domain, an address or a CIDR", text.trim()))
    })?;
    match kind {
        Some(asked) if asked != found => {
            Err(("target_value", format!("`{}` is of type {found}, not {asked}", text.trim())))
        }
        _ => Ok((found, target.to_string())),
    }
}

async fn found(db: Db<'_>, organization: OrganizationId, id: AssetId) -> Result<Asset> {
    storage::get(db, organization, id).await?.ok_or_else(|| Error::not_found("asset", id))
}

async fn views(cx: &OpContext, db: Db<'_>, organization: OrganizationId, assets: Vec<Asset>) -> Result<Vec<AssetView>> {
    let ids: Vec<AssetId> = assets.iter().map(|asset| asset.id).collect();
    let mut open = findings::open_by_asset(db, organization, &ids).await?;
    let cutoff = cx.now() - STALE_AFTER;
    let view = |asset: Asset| AssetView {
        stale: is_stale(&asset, cutoff),
        open_findings: open.remove(&asset.id).unwrap_or_default(),
        asset,
    };
    Ok(assets.into_iter().map(view).collect())
}

fn is_stale(asset: &Asset, cutoff: DateTime<Utc>) -> bool {
    asset.last_seen_at.unwrap_or(asset.created_at) < cutoff
}

fn change_of(asset: &Asset) -> AssetChange {
    AssetChange {
        name: asset.name.clone(),
        risk_zone: asset.risk_zone,
        criticality: asset.criticality,
        scope_confirmed_at: asset.scope_confirmed_at,
        updated_at: asset.updated_at,
    }
}

/// What the audit log keeps of an asset.
fn recorded(asset: &Asset) -> Value {
    json!({
        "name": asset.name, "target_type": asset.target_type, "target_value": asset.target_value,
        "risk_zone": asset.risk_zone, "criticality": asset.criticality, "tags": asset.tags,
    })
}
