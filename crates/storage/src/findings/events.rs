//! The history of a finding: what happened to it, when, and by whom.

use bartizan_domain::id::{FindingEventId, FindingId, OrganizationId, ScanId, UserId};
use bartizan_domain::{FindingStatus, ResolutionReason};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::error::parse;
use crate::{BATCH, Db, Result, codes};

/// One entry of a finding's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingEvent {
    /// Id.
    pub id: FindingEventId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Which finding.
    pub finding_id: FindingId,
    /// When.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// Status before; `None` when it was created.
    pub from_status: Option<FindingStatus>,
    /// Status after.
    pub to_status: FindingStatus,
    /// Resolution, if resolved.
    pub resolution_reason: Option<ResolutionReason>,
    /// Note of the person.
    pub note: Option<String>,
    /// The scan that caused it.
    pub scan_id: Option<ScanId>,
    /// The person who did it.
    pub actor_id: Option<UserId>,
    /// Name at that time; `scan` or `system` where it was nobody.
    pub actor_name: String,
}

/// What happened to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// First seen.
    Created,
    /// Seen again after it was resolved.
    Reopened,
    /// A later scan proved it gone.
    AutoResolved,
    /// A person changed the status.
    StatusChanged,
    /// The acceptance of the risk ran out.
    AcceptanceExpired,
    /// The asset was deleted.
    AssetRemoved,
}

impl EventKind {
    /// The stored and wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Reopened => "reopened",
            Self::AutoResolved => "auto_resolved",
            Self::StatusChanged => "status_changed",
            Self::AcceptanceExpired => "acceptance_expired",
            Self::AssetRemoved => "asset_removed",
        }
    }
}

impl std::str::FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::Created,
            Self::Reopened,
            Self::AutoResolved,
            Self::StatusChanged,
            Self::AcceptanceExpired,
            Self::AssetRemoved,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("unknown finding event `{text}`"))
    }
}

mod event {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "finding_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub finding_id: Uuid,
        pub at: DateTimeUtc,
        pub kind: String,
        pub from_status: Option<i32>,
        pub to_status: i32,
        pub resolution_reason: Option<String>,
        pub note: Option<String>,
        pub scan_id: Option<i64>,
        pub actor_id: Option<Uuid>,
        pub actor_name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Appends to the history.
///
/// # Errors
/// If the database fails.
pub async fn append_events(db: Db<'_>, events: &[FindingEvent]) -> Result<()> {
    for chunk in events.chunks(BATCH) {
        let rows = chunk.iter().map(|event| event::ActiveModel {
            id: Set(event.id.0),
            organization_id: Set(event.organization_id.0),
            finding_id: Set(event.finding_id.0),
            at: Set(event.at),
            kind: Set(event.kind.as_str().to_owned()),
            from_status: Set(event.from_status.map(codes::status)),
            to_status: Set(codes::status(event.to_status)),
            resolution_reason: Set(event.resolution_reason.map(|reason| reason.as_str().to_owned())),
            note: Set(event.note.clone()),
            scan_id: Set(event.scan_id.map(|scan| scan.0)),
            actor_id: Set(event.actor_id.map(|id| id.0)),
            actor_name: Set(event.actor_name.clone()),
        });
        event::Entity::insert_many(rows).exec_without_returning(&db.conn()).await?;
    }
    Ok(())
}

/// The history of a finding, newest first, at most 500 entries.
///
/// # Errors
/// If the database fails.
pub async fn history(db: Db<'_>, organization: OrganizationId, id: FindingId) -> Result<Vec<FindingEvent>> {
    let rows = event::Entity::find()
        .filter(event::Column::OrganizationId.eq(organization.0))
        .filter(event::Column::FindingId.eq(id.0))
        .order_by_desc(event::Column::At)
        .order_by_desc(event::Column::Id)
        .limit(500)
        .all(&db.conn())
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(FindingEvent {
                id: row.id.into(),
                organization_id: row.organization_id.into(),
                finding_id: row.finding_id.into(),
                at: row.at,
                kind: parse(&row.kind)?,
                from_status: row.from_status.map(codes::to_status).transpose()?,
                to_status: codes::to_status(row.to_status)?,
                resolution_reason: row.resolution_reason.as_deref().map(parse).transpose()?,
                note: row.note,
                scan_id: row.scan_id.map(ScanId),
                actor_id: row.actor_id.map(Into::into),
                actor_name: row.actor_name,
            })
        })
        .collect()
}
