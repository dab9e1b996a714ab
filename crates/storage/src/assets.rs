//! Assets: what can be scanned or inventoried. The pattern of the other nouns: row type, entity, filter and sort,
//! queries.

use std::collections::BTreeMap;

use bartizan_domain::id::{AssetId, OrganizationId, ScanId};
use bartizan_domain::{AssetKind, RiskZone};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _, OnConflict, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};

use crate::error::parse;
use crate::{BATCH, Db, Listed, Page, Result, SortDir, page};

/// One asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Id.
    pub id: AssetId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Name as shown.
    pub name: String,
    /// Kind of target.
    pub target_type: AssetKind,
    /// Canonical target text, unique in the organisation together with its kind.
    pub target_value: String,
    /// Host name, where one is known apart from the target.
    pub hostname: Option<String>,
    /// Operating system distribution, from inventory.
    pub os_distro: Option<String>,
    /// Operating system version, from inventory.
    pub os_version: Option<String>,
    /// Where it stands.
    pub risk_zone: RiskZone,
    /// 1 (least) to 5 (most important).
    pub criticality: i32,
    /// When somebody confirmed that it may be scanned.
    pub scope_confirmed_at: Option<DateTime<Utc>>,
    /// When it last answered a scan.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// The last scan that looked at it.
    pub last_scan_id: Option<ScanId>,
    /// Its score in that scan; for a network, the lowest of its addresses.
    pub score: Option<i32>,
    /// Whether it belongs to the demonstration data.
    pub demo: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Last change by a person.
    pub updated_at: DateTime<Utc>,
    /// Tags, sorted.
    pub tags: Vec<String>,
}

/// Which assets a list shows. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetFilter {
    /// Part of the name, the target or the host name, whatever the case.
    pub q: Option<String>,
    /// Of one of these kinds; empty for any.
    pub target_types: Vec<AssetKind>,
    /// In one of these zones; empty for any.
    pub risk_zones: Vec<RiskZone>,
    /// Has one of these tags; empty for any.
    pub tags: Vec<String>,
    /// Part of the host name or the target, whatever the case.
    pub hostname: Option<String>,
    /// Operating system distribution.
    pub os_distro: Option<String>,
    /// Operating system version.
    pub os_version: Option<String>,
    /// Not seen since an instant (or never), or seen since.
    pub seen: Option<Seen>,
    /// Demonstration data, or real.
    pub demo: Option<bool>,
    /// One of these ids, at most [`BATCH`].
    pub ids: Option<Vec<AssetId>>,
}

/// Whether an asset has been seen lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// At the instant or later, or added since and not seen yet.
    Since(DateTime<Utc>),
    /// Before the instant, or never although it was there then.
    NotSince(DateTime<Utc>),
}

/// What a list of assets may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AssetSort {
    /// Name.
    #[default]
    Name,
    /// Kind of target.
    TargetType,
    /// Target.
    TargetValue,
    /// Zone.
    RiskZone,
    /// Importance.
    Criticality,
    /// Last answer.
    LastSeen,
    /// Score.
    Score,
    /// When it was added.
    CreatedAt,
}

/// A change of an asset's own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetChange {
    /// Name as shown.
    pub name: String,
    /// Zone.
    pub risk_zone: RiskZone,
    /// 1 to 5.
    pub criticality: i32,
    /// Confirmation of the scope.
    pub scope_confirmed_at: Option<DateTime<Utc>>,
    /// When.
    pub updated_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "assets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub name: String,
        pub target_type: String,
        pub target_value: String,
        pub hostname: Option<String>,
        pub os_distro: Option<String>,
        pub os_version: Option<String>,
        pub risk_zone: String,
        pub criticality: i32,
        pub scope_confirmed_at: Option<DateTimeUtc>,
        pub last_seen_at: Option<DateTimeUtc>,
        pub last_scan_id: Option<i64>,
        pub score: Option<i32>,
        pub demo: bool,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod tag {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "asset_tags")]
    pub struct Model {
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub asset_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

fn asset_of(row: entity::Model, tags: Vec<String>) -> Result<Asset> {
    Ok(Asset {
        id: row.id.into(),
        organization_id: row.organization_id.into(),
        name: row.name,
        target_type: parse(&row.target_type)?,
        target_value: row.target_value,
        hostname: row.hostname,
        os_distro: row.os_distro,
        os_version: row.os_version,
        risk_zone: parse(&row.risk_zone)?,
        criticality: row.criticality,
        scope_confirmed_at: row.scope_confirmed_at,
        last_seen_at: row.last_seen_at,
        last_scan_id: row.last_scan_id.map(ScanId),
        score: row.score,
        demo: row.demo,
        created_at: row.created_at,
        updated_at: row.updated_at,
        tags,
    })
}

fn active(asset: &Asset) -> entity::ActiveModel {
    entity::ActiveModel {
        id: Set(asset.id.0),
        organization_id: Set(asset.organization_id.0),
        name: Set(asset.name.clone()),
        target_type: Set(asset.target_type.as_str().to_owned()),
        target_value: Set(asset.target_value.clone()),
        hostname: Set(asset.hostname.clone()),
        os_distro: Set(asset.os_distro.clone()),
        os_version: Set(asset.os_version.clone()),
        risk_zone: Set(asset.risk_zone.as_str().to_owned()),
        criticality: Set(asset.criticality),
        scope_confirmed_at: Set(asset.scope_confirmed_at),
        last_seen_at: Set(asset.last_seen_at),
        last_scan_id: Set(asset.last_scan_id.map(|scan| scan.0)),
        score: Set(asset.score),
        demo: Set(asset.demo),
        created_at: Set(asset.created_at),
        updated_at: Set(asset.updated_at),
    }
}

fn select(organization: OrganizationId, filter: &AssetFilter) -> Select<entity::Entity> {
    let mut all = Condition::all().add(Column::OrganizationId.eq(organization.0));
    if let Some(q) = &filter.q {
        all = all.add(
            Condition::any()
                .add(page::contains(Column::Name, q))
                .add(page::contains(Column::TargetValue, q))
                .add(page::contains(Column::Hostname, q)),
        );
    }
    if !filter.target_types.is_empty() {
        all = all.add(Column::TargetType.is_in(filter.target_types.iter().map(|kind| kind.as_str())));
    }
    if !filter.risk_zones.is_empty() {
        all = all.add(Column::RiskZone.is_in(filter.risk_zones.iter().map(|zone| zone.as_str())));
    }
    if !filter.tags.is_empty() {
        all = all.add(filter.tags.iter().fold(Condition::any(), |any, tag| any.add(has_tag(organization, tag))));
    }
    if let Some(hostname) = &filter.hostname {
        all = all.add(
            Condition::any()
                .add(page::contains(Column::Hostname, hostname))
                .add(page::contains(Column::TargetValue, hostname)),
        );
    }
    if let Some(distro) = &filter.os_distro {
        all = all.add(Column::OsDistro.eq(distro.as_str()));
    }
    if let Some(version) = &filter.os_version {
        all = all.add(Column::OsVersion.eq(version.as_str()));
    }
    if let Some(demo) = filter.demo {
        all = all.add(Column::Demo.eq(demo));
    }
    match filter.seen {
        // What was never seen counts from when it was added.
        Some(Seen::Since(at)) => {
            let added = Column::LastSeenAt.is_null().and(Column::CreatedAt.gte(at));
            all = all.add(Condition::any().add(added).add(Column::LastSeenAt.gte(at)));
        }
        Some(Seen::NotSince(at)) => {
            let never = Column::LastSeenAt.is_null().and(Column::CreatedAt.lt(at));
            all = all.add(Condition::any().add(never).add(Column::LastSeenAt.lt(at)));
        }
        None => {}
    }
    if let Some(ids) = &filter.ids {
        all = all.add(Column::Id.is_in(ids.iter().map(|id| id.0)));
    }
    entity::Entity::find().filter(all)
}

fn has_tag(organization: OrganizationId, text: &str) -> SimpleExpr {
    Expr::exists(
        Query::select()
            .expr(Expr::val(1))
            .from(tag::Entity)
            .and_where(tag::Column::OrganizationId.eq(organization.0))
            .and_where(tag::Column::Tag.eq(text))
            .and_where(Expr::col((tag::Entity, tag::Column::AssetId)).equals((entity::Entity, Column::Id)))
            .take(),
    )
}

fn sort_column(sort: AssetSort) -> SimpleExpr {
    match sort {
        AssetSort::Name => Column::Name,
        AssetSort::TargetType => Column::TargetType,
        AssetSort::TargetValue => Column::TargetValue,
        AssetSort::RiskZone => Column::RiskZone,
        AssetSort::Criticality => Column::Criticality,
        AssetSort::LastSeen => Column::LastSeenAt,
        AssetSort::Score => Column::Score,
        AssetSort::CreatedAt => Column::CreatedAt,
    }
    .into_simple_expr()
}

/// One page of the assets that `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &AssetFilter,
    sort: (AssetSort, SortDir),
    page: Page,
) -> Result<Listed<Asset>> {
    let sort = (sort_column(sort.0), sort.1);
    let listed = page::page(&db.conn(), select(organization, filter), sort, Column::Id, page).await?;
    Ok(Listed { total: listed.total, rows: with_tags(db, listed.rows).await? })
}

/// How many assets `filter` lets through.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>, organization: OrganizationId, filter: &AssetFilter) -> Result<u64> {
    page::count(&db.conn(), &select(organization, filter)).await
}

/// One asset.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: AssetId) -> Result<Option<Asset>> {
    Ok(many(db, organization, &[id]).await?.into_iter().next())
}

/// The assets with these ids, in order of id; unknown and foreign ones are left out.
///
/// # Errors
/// If the database fails.
pub async fn many(db: Db<'_>, organization: OrganizationId, ids: &[AssetId]) -> Result<Vec<Asset>> {
    let mut assets = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(BATCH) {
        let rows = entity::Entity::find()
            .filter(Column::OrganizationId.eq(organization.0))
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.0)))
            .order_by_asc(Column::Id)
            .all(&db.conn())
            .await?;
        assets.extend(with_tags(db, rows).await?);
    }
    Ok(assets)
}

/// Which of these targets exist already, with their ids.
///
/// # Errors
/// If the database fails.
pub async fn by_targets(
    db: Db<'_>,
    organization: OrganizationId,
    targets: &[(AssetKind, String)],
) -> Result<BTreeMap<(String, String), AssetId>> {
    let mut found = BTreeMap::new();
    for chunk in targets.chunks(BATCH) {
        let rows: Vec<(uuid::Uuid, String, String)> = entity::Entity::find()
            .select_only()
            .column(Column::Id)
            .column(Column::TargetType)
            .column(Column::TargetValue)
            .filter(Column::OrganizationId.eq(organization.0))
            .filter(Column::TargetValue.is_in(chunk.iter().map(|(_, value)| value.as_str())))
            .into_tuple()
            .all(&db.conn())
            .await?;
        found.extend(rows.into_iter().map(|(id, kind, value)| ((kind, value), id.into())));
    }
    Ok(found)
}

/// Adds assets with their tags.
///
/// # Errors
/// [`crate::StorageError::Unique`] if a target exists already; then none is added.
pub async fn insert(db: Db<'_>, assets: &[Asset]) -> Result<()> {
    for chunk in assets.chunks(BATCH) {
        entity::Entity::insert_many(chunk.iter().map(active)).exec_without_returning(&db.conn()).await?;
    }
    let tags: Vec<_> =
        assets.iter().flat_map(|asset| asset.tags.iter().map(|tag| (asset.organization_id, asset.id, tag))).collect();
    insert_tags(db, &tags).await
}

/// Changes an asset's own fields. Says whether it exists.
///
/// # Errors
/// If the database fails.
pub async fn update(db: Db<'_>, organization: OrganizationId, id: AssetId, change: &AssetChange) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Name, Expr::value(change.name.as_str()))
        .col_expr(Column::RiskZone, Expr::value(change.risk_zone.as_str()))
        .col_expr(Column::Criticality, Expr::value(change.criticality))
        .col_expr(Column::ScopeConfirmedAt, Expr::value(change.scope_confirmed_at))
        .col_expr(Column::UpdatedAt, Expr::value(change.updated_at))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Replaces the tags of assets. The caller has read the assets in the same transaction, so that they are the
/// organisation's.
///
/// # Errors
/// If the database fails.
pub async fn replace_tags(db: Db<'_>, organization: OrganizationId, tags: &[(AssetId, Vec<String>)]) -> Result<()> {
    for chunk in tags.chunks(BATCH) {
        tag::Entity::delete_many()
            .filter(tag::Column::OrganizationId.eq(organization.0))
            .filter(tag::Column::AssetId.is_in(chunk.iter().map(|(id, _)| id.0)))
            .exec(&db.conn())
            .await?;
    }
    let rows: Vec<_> =
        tags.iter().flat_map(|(id, list)| list.iter().map(move |tag| (organization, *id, tag))).collect();
    insert_tags(db, &rows).await
}

/// Moves assets into a zone. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn set_zone(
    db: Db<'_>,
    organization: OrganizationId,
    ids: &[AssetId],
    zone: RiskZone,
    at: DateTime<Utc>,
) -> Result<u64> {
    let mut changed = 0;
    for chunk in ids.chunks(BATCH) {
        let done = entity::Entity::update_many()
            .col_expr(Column::RiskZone, Expr::value(zone.as_str()))
            .col_expr(Column::UpdatedAt, Expr::value(at))
            .filter(Column::OrganizationId.eq(organization.0))
            .filter(Column::Id.is_in(chunk.iter().map(|id| id.0)))
            .exec(&db.conn())
            .await?;
        changed += done.rows_affected;
    }
    Ok(changed)
}

/// What a scan learnt about an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetSeen {
    /// Which scan.
    pub scan: ScanId,
    /// When it answered; `None` if it did not.
    pub seen_at: Option<DateTime<Utc>>,
    /// Score of the host.
    pub score: Option<i32>,
}

/// Notes what a scan learnt about an asset. Where a scan looks at several hosts of one asset (a network), the lowest
/// score stands.
///
/// # Errors
/// If the database fails.
pub async fn note_scan(db: Db<'_>, organization: OrganizationId, id: AssetId, seen: AssetSeen) -> Result<()> {
    let same_scan = Expr::col(Column::LastScanId).eq(seen.scan.0);
    let score: SimpleExpr = match seen.score {
        // A second host of the same asset: the lower score stands.
        Some(score) => Expr::case(
            Condition::all().add(same_scan).add(Expr::col(Column::Score).lt(score)),
            Expr::col(Column::Score),
        )
        .finally(Expr::value(score))
        .into(),
        None => Expr::case(Condition::all().add(same_scan), Expr::col(Column::Score))
            .finally(Expr::value(Option::<i32>::None))
            .into(),
    };
    let mut update = entity::Entity::update_many()
        .col_expr(Column::Score, score)
        .col_expr(Column::LastScanId, Expr::value(seen.scan.0));
    if let Some(at) = seen.seen_at {
        update = update.col_expr(Column::LastSeenAt, Expr::value(at));
    }
    update.filter(Column::OrganizationId.eq(organization.0)).filter(Column::Id.eq(id.0)).exec(&db.conn()).await?;
    Ok(())
}

/// Removes an asset. Says whether it existed.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, id: AssetId) -> Result<bool> {
    let done = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// One page of the tags in use that begin with a text, in whatever case, and how many assets have each; most used first.
///
/// # Errors
/// If the database fails.
pub async fn tags(db: Db<'_>, organization: OrganizationId, begin: &str, page: Page) -> Result<Listed<(String, u64)>> {
    let mut used = tag::Entity::find().select_only().filter(tag::Column::OrganizationId.eq(organization.0));
    if !begin.is_empty() {
        used = used.filter(crate::page::begins(tag::Column::Tag, begin));
    }
    let total: Option<i64> =
        used.clone().expr(Expr::col(tag::Column::Tag).count_distinct()).into_tuple().one(&db.conn()).await?;
    let rows: Vec<(String, i64)> = used
        .column(tag::Column::Tag)
        .expr(Expr::col(tag::Column::AssetId).count())
        .group_by(tag::Column::Tag)
        .order_by_desc(Expr::col(tag::Column::AssetId).count())
        .order_by_asc(tag::Column::Tag)
        .limit(page.size)
        .offset(page.offset())
        .into_tuple()
        .all(&db.conn())
        .await?;
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let rows = rows.into_iter().map(|(tag, count)| (tag, number(count))).collect();
    Ok(Listed { rows, total: number(total.unwrap_or(0)) })
}

async fn with_tags(db: Db<'_>, rows: Vec<entity::Model>) -> Result<Vec<Asset>> {
    let mut tags: BTreeMap<uuid::Uuid, Vec<String>> = BTreeMap::new();
    for chunk in rows.chunks(BATCH) {
        let found = tag::Entity::find()
            .filter(tag::Column::AssetId.is_in(chunk.iter().map(|row| row.id)))
            .order_by_asc(tag::Column::Tag)
            .all(&db.conn())
            .await?;
        for row in found {
            tags.entry(row.asset_id).or_default().push(row.tag);
        }
    }
    rows.into_iter()
        .map(|row| {
            let tags = tags.remove(&row.id).unwrap_or_default();
            asset_of(row, tags)
        })
        .collect()
}

async fn insert_tags(db: Db<'_>, tags: &[(OrganizationId, AssetId, &String)]) -> Result<()> {
    for chunk in tags.chunks(BATCH) {
        let rows = chunk.iter().map(|(organization, asset, text)| tag::ActiveModel {
            organization_id: Set(organization.0),
            asset_id: Set(asset.0),
            tag: Set((*text).clone()),
        });
        tag::Entity::insert_many(rows)
            .on_conflict(OnConflict::columns([tag::Column::AssetId, tag::Column::Tag]).do_nothing().to_owned())
            .exec_without_returning(&db.conn())
            .await?;
    }
    Ok(())
}

/// How the scores of an organisation's assets add up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    /// Assets with a score.
    pub scored: u64,
    /// Mean of the scores, weighted by importance, 0 to 100; `None` without a scored asset.
    pub mean: Option<f64>,
}

/// Adds up the scores of all assets that have one.
///
/// # Errors
/// If the database fails.
pub async fn scores(db: Db<'_>, organization: OrganizationId, demo: bool) -> Result<Scores> {
    let weighted = Expr::col(Column::Score).mul(Expr::col(Column::Criticality));
    let row: Option<(i64, Option<i64>, Option<i64>)> = entity::Entity::find()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Demo.eq(demo))
        .filter(Column::Score.is_not_null())
        .select_only()
        .expr(Expr::col(Asterisk).count())
        .expr(weighted.sum().cast_as("bigint"))
        .expr(Expr::col(Column::Criticality).sum().cast_as("bigint"))
        .into_tuple()
        .one(&db.conn())
        .await?;
    let (scored, sum, weight) = row.unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "sums of small numbers over far fewer than 2^45 assets")]
    let mean = match (sum, weight) {
        (Some(sum), Some(weight)) if weight > 0 => Some((sum as f64 / weight as f64 * 10.0).round() / 10.0),
        _ => None,
    };
    Ok(Scores { scored: u64::try_from(scored).unwrap_or(0), mean })
}

/// Removes the assets that are demonstration data. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_demo(db: Db<'_>, organization: OrganizationId) -> Result<u64> {
    let removed = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Demo.eq(true))
        .exec(&db.conn())
        .await?;
    Ok(removed.rows_affected)
}
