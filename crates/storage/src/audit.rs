//! The audit log: append-only, one row for every change, written in the transaction it describes.
//!
//! Rows are written without their place in the chain, so that writers never wait for one another; a sealer gives each
//! committed row its position and hash afterwards. Each organisation has a chain of its own, and so has what belongs to
//! none.

use bartizan_domain::id::{OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
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
    /// `user`, `api_key`, `system` or `anonymous`.
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

/// The place of an entry in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// From 1, without gaps.
    pub position: i64,
    /// SHA-256 over the entry and the hash before it.
    pub hash: Vec<u8>,
}

/// The last link of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its place, and its hash.
    pub seal: Seal,
    /// When it was sealed.
    pub sealed_at: DateTime<Utc>,
}

/// Which entries are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By whom: the name at that time, whole.
    pub actor: Option<String>,
    /// What: the whole action (`user.create`), or its first part and a dot (`user.`).
    pub action: Option<String>,
    /// Kind of thing.
    pub noun: Option<String>,
    /// Which one.
    pub noun_id: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
}

/// Whose entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of one organisation.
    Organization(OrganizationId),
    /// Those of one organisation, and those that belong to none: for who runs the installation.
    OrganizationAndNone(OrganizationId),
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
        pub position: Option<i64>,
        pub hash: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_heads")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub chain: String,
        pub position: i64,
        pub hash: Vec<u8>,
        pub sealed_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

fn split(row: entity::Model) -> (AuditEntry, Option<Seal>) {
    let seal = match (row.position, row.hash) {
        (Some(position), Some(hash)) => Some(Seal { position, hash }),
        _ => None,
    };
    let entry = AuditEntry {
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
    };
    (entry, seal)
}

/// Name of the chain of an organisation, or of what belongs to none.
#[must_use]
pub fn chain_of(organization: Option<OrganizationId>) -> String {
    organization.map_or_else(Uuid::nil, |id| id.0).simple().to_string()
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
        position: Set(None),
        hash: Set(None),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// One page of an organisation's entries, newest first.
///
/// # Errors
/// If the database fails.
pub async fn list(db: Db<'_>, organization: OrganizationId, page: Page) -> Result<Listed<AuditEntry>> {
    let found = search(db, Scope::Organization(organization), &AuditFilter::default(), page).await?;
    Ok(found.map(|(entry, _)| entry))
}

/// One page of the entries that are wanted, newest first, with their places in the chain.
///
/// # Errors
/// If the database fails.
pub async fn search(
    db: Db<'_>,
    scope: Scope,
    filter: &AuditFilter,
    page: Page,
) -> Result<Listed<(AuditEntry, Option<Seal>)>> {
    let sort = page::SortBy::never_null(Column::At.into_simple_expr(), SortDir::Desc);
    let listed = page::page(&db.conn(), select(scope, filter), sort, Column::Id, page).await?;
    Ok(listed.map(split))
}

fn select(scope: Scope, filter: &AuditFilter) -> Select<entity::Entity> {
    let mut select = entity::Entity::find().filter(match scope {
        Scope::Organization(id) => Condition::all().add(Column::OrganizationId.eq(id.0)),
        Scope::OrganizationAndNone(id) => {
            Condition::any().add(Column::OrganizationId.eq(id.0)).add(Column::OrganizationId.is_null())
        }
    });
    if let Some(actor) = &filter.actor {
        select = select.filter(Column::ActorName.eq(actor.as_str()));
    }
    if let Some(action) = &filter.action {
        // Actions are words and dots, so that a prefix holds no wildcard.
        select = select.filter(match action.strip_suffix('.') {
            Some(first) => Column::Action.starts_with(format!("{}.", first.replace(['%', '_', '\\'], ""))),
            None => Column::Action.eq(action.as_str()),
        });
    }
    if let Some(noun) = &filter.noun {
        select = select.filter(Column::Noun.eq(noun.as_str()));
    }
    if let Some(noun_id) = &filter.noun_id {
        select = select.filter(Column::NounId.eq(noun_id.as_str()));
    }
    if let Some(from) = filter.from {
        select = select.filter(Column::At.gte(from));
    }
    if let Some(to) = filter.to {
        select = select.filter(Column::At.lt(to));
    }
    select
}

/// Keeps other transactions from sealing until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock_chains(db: Db<'_>) -> Result<()> {
    db.lock("audit-seal").await
}

/// The oldest entries without a place in a chain, of all organisations.
///
/// # Errors
/// If the database fails.
pub async fn unsealed(db: Db<'_>, limit: u64) -> Result<Vec<AuditEntry>> {
    let rows = entity::Entity::find()
        .filter(Column::Position.is_null())
        .order_by_asc(Column::At)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(|row| split(row).0).collect())
}

/// Entries of a chain without a place in it.
///
/// # Errors
/// If the database fails.
pub async fn count_unsealed(db: Db<'_>, organization: Option<OrganizationId>) -> Result<u64> {
    page::count(&db.conn(), &of_chain(organization).filter(Column::Position.is_null())).await
}

/// Entries of a chain that have a place in it.
///
/// # Errors
/// If the database fails.
pub async fn count_sealed(db: Db<'_>, organization: Option<OrganizationId>) -> Result<u64> {
    page::count(&db.conn(), &of_chain(organization).filter(Column::Position.is_not_null())).await
}

fn of_chain(organization: Option<OrganizationId>) -> Select<entity::Entity> {
    match organization {
        Some(id) => entity::Entity::find().filter(Column::OrganizationId.eq(id.0)),
        None => entity::Entity::find().filter(Column::OrganizationId.is_null()),
    }
}

/// The sealed entries of a chain after a position, in order.
///
/// # Errors
/// If the database fails.
pub async fn sealed_after(
    db: Db<'_>,
    organization: Option<OrganizationId>,
    position: i64,
    limit: u64,
) -> Result<Vec<(AuditEntry, Seal)>> {
    let rows = of_chain(organization)
        .filter(Column::Position.gt(position))
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(&db.conn())
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let (entry, seal) = split(row);
            Some((entry, seal?))
        })
        .collect())
}

/// Gives an entry its place. Says whether it had none.
///
/// # Errors
/// If the database fails.
pub async fn seal(db: Db<'_>, id: Uuid, seal: &Seal) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Position, Expr::value(seal.position))
        .col_expr(Column::Hash, Expr::value(seal.hash.clone()))
        .filter(Column::Id.eq(id))
        .filter(Column::Position.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// The last link of a chain, if it has any.
///
/// # Errors
/// If the database fails.
pub async fn head(db: Db<'_>, chain: &str) -> Result<Option<Head>> {
    let row = head::Entity::find_by_id(chain.to_owned()).one(&db.conn()).await?;
    Ok(row.map(|row| Head { seal: Seal { position: row.position, hash: row.hash }, sealed_at: row.sealed_at }))
}

/// Sets the last link of a chain.
///
/// # Errors
/// If the database fails.
pub async fn put_head(db: Db<'_>, chain: &str, last: &Head) -> Result<()> {
    let row = head::ActiveModel {
        chain: Set(chain.to_owned()),
        position: Set(last.seal.position),
        hash: Set(last.seal.hash.clone()),
        sealed_at: Set(last.sealed_at),
    };
    let replace = OnConflict::column(head::Column::Chain)
        .update_columns([head::Column::Position, head::Column::Hash, head::Column::SealedAt])
        .to_owned();
    head::Entity::insert(row).on_conflict(replace).exec_without_returning(&db.conn()).await?;
    Ok(())
}
