//! The audit log: append-only, one row for every change, written in the transaction it describes.

use bartizan_domain::id::{OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{Db, Listed, Page, Result, SortDir, page};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Id.
    pub id: Uuid,
    /// Whose data changed; `None` before there is an organisation to name.
    pub organization_id: Option<OrganizationId>,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, `system` or `anonymous`.
    pub actor_kind: String,
    /// Which user.
    pub actor_id: Option<UserId>,
    /// Name of the actor at that time.
    pub actor_name: String,
    /// Where the request came from.
    pub ip: Option<String>,
    /// Which request.
    pub request_id: String,
    /// What was done: `asset.create`.
    pub action: String,
    /// Kind of thing: `asset`.
    pub noun: String,
    /// Which one, or how many for a bulk change.
    pub noun_id: String,
    /// The thing before, secrets left out.
    pub before: Option<Value>,
    /// The thing after, secrets left out.
    pub after: Option<Value>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_log")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Option<Uuid>,
        pub at: DateTimeUtc,
        pub actor_kind: String,
        pub actor_id: Option<Uuid>,
        pub actor_name: String,
        pub ip: Option<String>,
        pub request_id: String,
        pub action: String,
        pub noun: String,
        pub noun_id: String,
        pub before: Option<Json>,
        pub after: Option<Json>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Appends an entry.
///
/// # Errors
/// If the database fails.
pub async fn append(db: Db<'_>, entry: &AuditEntry) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(entry.id),
        organization_id: Set(entry.organization_id.map(|id| id.0)),
        at: Set(entry.at),
        actor_kind: Set(entry.actor_kind.clone()),
        actor_id: Set(entry.actor_id.map(|id| id.0)),
        actor_name: Set(entry.actor_name.clone()),
        ip: Set(entry.ip.clone()),
        request_id: Set(entry.request_id.clone()),
        action: Set(entry.action.clone()),
        noun: Set(entry.noun.clone()),
        noun_id: Set(entry.noun_id.clone()),
        before: Set(entry.before.clone()),
        after: Set(entry.after.clone()),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// One page of an organisation's entries, newest first.
///
/// # Errors
/// If the database fails.
pub async fn list(db: Db<'_>, organization: OrganizationId, page: Page) -> Result<Listed<AuditEntry>> {
    let select = entity::Entity::find().filter(entity::Column::OrganizationId.eq(organization.0));
    let sort = (entity::Column::At.into_simple_expr(), SortDir::Desc);
    let listed = page::page(&db.conn(), select, sort, entity::Column::Id, page).await?;
    Ok(listed.map(|row: entity::Model| AuditEntry {
        id: row.id,
        organization_id: row.organization_id.map(Into::into),
        at: row.at,
        actor_kind: row.actor_kind,
        actor_id: row.actor_id.map(Into::into),
        actor_name: row.actor_name,
        ip: row.ip,
        request_id: row.request_id,
        action: row.action,
        noun: row.noun,
        noun_id: row.noun_id,
        before: row.before,
        after: row.after,
    }))
}
