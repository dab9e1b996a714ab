//! Observations: which finding was seen in which scan, with the facts of that time.

use bartizan_domain::id::{FindingId, OrganizationId, ScanId};
use bartizan_domain::{Confidence, Severity};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::OnConflict,
};
use serde_json::Value;

use crate::{BATCH, Db, Result, StorageError, codes};

/// One sighting.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Whose.
    pub organization_id: OrganizationId,
    /// In which scan.
    pub scan_id: ScanId,
    /// Which finding.
    pub finding_id: FindingId,
    /// Severity then.
    pub severity: Severity,
    /// Confidence then.
    pub confidence: Confidence,
    /// Facts then.
    pub evidence: Value,
    /// When.
    pub seen_at: DateTime<Utc>,
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "observations")]
    pub struct Model {
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub scan_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub finding_id: Uuid,
        pub severity: i32,
        pub confidence: i32,
        pub evidence: Json,
        pub seen_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Records sightings; one that is recorded already stays as it is.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, seen: &[Seen]) -> Result<()> {
    for chunk in seen.chunks(BATCH) {
        let rows = chunk.iter().map(|seen| entity::ActiveModel {
            organization_id: Set(seen.organization_id.0),
            scan_id: Set(seen.scan_id.0),
            finding_id: Set(seen.finding_id.0),
            severity: Set(codes::severity(seen.severity)),
            confidence: Set(codes::confidence(seen.confidence)),
            evidence: Set(seen.evidence.clone()),
            seen_at: Set(seen.seen_at),
        });
        entity::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([entity::Column::ScanId, entity::Column::FindingId]).do_nothing().to_owned(),
            )
            .exec_without_returning(&db.conn())
            .await?;
    }
    Ok(())
}

/// The sightings of a finding, newest scan first, at most `limit`.
///
/// # Errors
/// If the database fails.
pub async fn of_finding(db: Db<'_>, organization: OrganizationId, finding: FindingId, limit: u64) -> Result<Vec<Seen>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::OrganizationId.eq(organization.0))
        .filter(entity::Column::FindingId.eq(finding.0))
        .order_by_desc(entity::Column::ScanId)
        .limit(limit)
        .all(&db.conn())
        .await?;
    rows.into_iter().map(Seen::try_from).collect()
}

/// The sightings of a scan after `finding` in order of finding id, at most `limit`: for walking over all of them in
/// bounded memory.
///
/// # Errors
/// If the database fails.
pub async fn of_scan(
    db: Db<'_>,
    organization: OrganizationId,
    scan: ScanId,
    after: Option<FindingId>,
    limit: u64,
) -> Result<Vec<Seen>> {
    let mut seen = entity::Entity::find()
        .filter(entity::Column::OrganizationId.eq(organization.0))
        .filter(entity::Column::ScanId.eq(scan.0));
    if let Some(after) = after {
        seen = seen.filter(entity::Column::FindingId.gt(after.0));
    }
    let rows = seen.order_by_asc(entity::Column::FindingId).limit(limit).all(&db.conn()).await?;
    rows.into_iter().map(Seen::try_from).collect()
}

impl TryFrom<entity::Model> for Seen {
    type Error = StorageError;

    fn try_from(row: entity::Model) -> Result<Self> {
        Ok(Self {
            organization_id: row.organization_id.into(),
            scan_id: ScanId(row.scan_id),
            finding_id: row.finding_id.into(),
            severity: codes::to_severity(row.severity)?,
            confidence: codes::to_confidence(row.confidence)?,
            evidence: row.evidence,
            seen_at: row.seen_at,
        })
    }
}
