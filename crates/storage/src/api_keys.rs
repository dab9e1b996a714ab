//! API keys. Only the hash of a key is stored; its first characters stay readable, so that people can tell keys apart.

use bartizan_domain::Permission;
use bartizan_domain::id::{ApiKeyId, OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, IntoSimpleExpr as _,
    QueryFilter as _,
};

use crate::{Db, Listed, Page, Result, SortDir, page, roles};

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Id.
    pub id: ApiKeyId,
    /// Where it is good.
    pub organization_id: OrganizationId,
    /// Whose permissions it has.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// The permissions it is narrowed to; `None` for all of its owner's.
    pub permissions: Option<Vec<Permission>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// From where.
    pub last_used_ip: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub user_id: Uuid,
        pub name: String,
        pub prefix: String,
        pub hash: Vec<u8>,
        pub permissions: Option<Json>,
        pub created_at: DateTimeUtc,
        pub expires_at: Option<DateTimeUtc>,
        pub last_used_at: Option<DateTimeUtc>,
        pub last_used_ip: Option<String>,
        pub revoked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl From<entity::Model> for ApiKey {
    fn from(row: entity::Model) -> Self {
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            user_id: row.user_id.into(),
            name: row.name,
            prefix: row.prefix,
            hash: row.hash,
            permissions: row.permissions.as_ref().map(roles::from_json),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_used_ip: row.last_used_ip,
            revoked_at: row.revoked_at,
        }
    }
}

/// Adds a key.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, key: &ApiKey) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(key.id.0),
        organization_id: Set(key.organization_id.0),
        user_id: Set(key.user_id.0),
        name: Set(key.name.clone()),
        prefix: Set(key.prefix.clone()),
        hash: Set(key.hash.clone()),
        permissions: Set(key.permissions.as_deref().map(roles::to_json)),
        created_at: Set(key.created_at),
        expires_at: Set(key.expires_at),
        last_used_at: Set(key.last_used_at),
        last_used_ip: Set(key.last_used_ip.clone()),
        revoked_at: Set(key.revoked_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// One page of the organisation's keys that were not revoked, newest first; with `owner`, those of one user.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    owner: Option<UserId>,
    page: Page,
) -> Result<Listed<ApiKey>> {
    let mut select =
        entity::Entity::find().filter(Column::OrganizationId.eq(organization.0)).filter(Column::RevokedAt.is_null());
    if let Some(owner) = owner {
        select = select.filter(Column::UserId.eq(owner.0));
    }
    let sort = (Column::CreatedAt.into_simple_expr(), SortDir::Desc);
    let listed = page::page(&db.conn(), select, sort, Column::Id, page).await?;
    Ok(listed.map(|row: entity::Model| row.into()))
}

/// Keys of a user in the organisation that were not revoked.
///
/// # Errors
/// If the database fails.
pub async fn count_of(db: Db<'_>, organization: OrganizationId, owner: UserId) -> Result<u64> {
    let select = entity::Entity::find()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::UserId.eq(owner.0))
        .filter(Column::RevokedAt.is_null());
    page::count(&db.conn(), &select).await
}

/// One key that was not revoked.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row = entity::Entity::find_by_id(id.0)
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::RevokedAt.is_null())
        .one(&db.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// The key with this hash that was not revoked, whatever organisation it is good in.
///
/// # Errors
/// If the database fails.
pub async fn by_hash(db: Db<'_>, hash: &[u8]) -> Result<Option<ApiKey>> {
    let row = entity::Entity::find()
        .filter(Column::Hash.eq(hash.to_vec()))
        .filter(Column::RevokedAt.is_null())
        .one(&db.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// Notes a use, unless one since `quiet_since` is noted already.
///
/// # Errors
/// If the database fails.
pub async fn note_use(
    db: Db<'_>,
    id: ApiKeyId,
    (at, ip): (DateTime<Utc>, Option<&str>),
    quiet_since: DateTime<Utc>,
) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(at))
        .col_expr(Column::LastUsedIp, Expr::value(ip))
        .filter(Column::Id.eq(id.0))
        .filter(Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(quiet_since)))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Revokes a key. Says whether there was one to revoke.
///
/// # Errors
/// If the database fails.
pub async fn revoke(db: Db<'_>, organization: OrganizationId, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::RevokedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Revokes the keys of a user, those in one organisation or all of them. Says which.
///
/// # Errors
/// If the database fails.
pub async fn revoke_all(
    db: Db<'_>,
    owner: UserId,
    organization: Option<OrganizationId>,
    now: DateTime<Utc>,
) -> Result<Vec<ApiKey>> {
    let mut select = entity::Entity::find().filter(Column::UserId.eq(owner.0)).filter(Column::RevokedAt.is_null());
    if let Some(organization) = organization {
        select = select.filter(Column::OrganizationId.eq(organization.0));
    }
    let mut revoked = Vec::new();
    for key in select.all(&db.conn()).await?.into_iter().map(ApiKey::from) {
        // One by one: what is revoked meanwhile by somebody else is theirs.
        if revoke(db, key.organization_id, key.id, now).await? {
            revoked.push(key);
        }
    }
    Ok(revoked)
}

/// Revokes every key of every organisation. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn revoke_every(db: Db<'_>, now: DateTime<Utc>) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::RevokedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}
