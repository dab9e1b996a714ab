//! Sealed secrets. What they are and how they are opened is no business of this crate.

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::{Db, Result};

/// Whose a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretScope {
    /// Of the whole installation.
    Installation,
    /// Of an organisation; it goes with it.
    Organization(OrganizationId),
}

impl SecretScope {
    /// The stored form: `installation`, or the id of the organisation.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Installation => "installation".to_owned(),
            Self::Organization(id) => id.to_string(),
        }
    }

    const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Installation => None,
            Self::Organization(id) => Some(id),
        }
    }
}

/// A sealed secret and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// [`SecretScope::key`] of its scope.
    pub scope: String,
    /// Name within the scope: `mail.password`.
    pub name: String,
    /// Id of the key it is sealed with.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "secrets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub organization_id: Option<Uuid>,
        pub key_id: String,
        pub sealed: Vec<u8>,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// Stores a secret in place of the one that may be there.
///
/// # Errors
/// If the database fails.
pub async fn put(
    db: Db<'_>,
    scope: SecretScope,
    name: &str,
    (key_id, sealed): (&str, &[u8]),
    now: DateTime<Utc>,
) -> Result<()> {
    let row = entity::ActiveModel {
        scope: Set(scope.key()),
        name: Set(name.to_owned()),
        organization_id: Set(scope.organization().map(|id| id.0)),
        key_id: Set(key_id.to_owned()),
        sealed: Set(sealed.to_vec()),
        updated_at: Set(now),
    };
    entity::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::Scope, Column::Name])
                .update_columns([Column::KeyId, Column::Sealed, Column::UpdatedAt])
                .to_owned(),
        )
        .exec_without_returning(&db.conn())
        .await?;
    Ok(())
}

/// The sealed bytes of a secret, if it is set.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, scope: SecretScope, name: &str) -> Result<Option<Vec<u8>>> {
    let row = entity::Entity::find_by_id((scope.key(), name.to_owned())).one(&db.conn()).await?;
    Ok(row.map(|row| row.sealed))
}

/// Removes a secret. Says whether it was set.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, scope: SecretScope, name: &str) -> Result<bool> {
    let done = entity::Entity::delete_by_id((scope.key(), name.to_owned())).exec(&db.conn()).await?;
    Ok(done.rows_affected == 1)
}

/// Secrets that are sealed with another key than this one, at most `limit`, after the given place in order.
///
/// # Errors
/// If the database fails.
pub async fn sealed_otherwise(
    db: Db<'_>,
    key_id: &str,
    after: Option<(&str, &str)>,
    limit: u64,
) -> Result<Vec<SealedSecret>> {
    let mut query = entity::Entity::find().filter(Column::KeyId.ne(key_id));
    if let Some((scope, name)) = after {
        let later = Column::Scope.gt(scope);
        query = query.filter(
            sea_orm::Condition::any()
                .add(later)
                .add(sea_orm::Condition::all().add(Column::Scope.eq(scope)).add(Column::Name.gt(name))),
        );
    }
    let rows = query.order_by_asc(Column::Scope).order_by_asc(Column::Name).limit(limit).all(&db.conn()).await?;
    Ok(rows
        .into_iter()
        .map(|row| SealedSecret { scope: row.scope, name: row.name, key_id: row.key_id, sealed: row.sealed })
        .collect())
}

/// Replaces the sealed form of a secret that is still as it was read. Says whether it was.
///
/// # Errors
/// If the database fails.
pub async fn reseal(db: Db<'_>, before: &SealedSecret, (key_id, sealed): (&str, &[u8])) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::KeyId, Expr::value(key_id))
        .col_expr(Column::Sealed, Expr::value(sealed.to_vec()))
        .filter(Column::Scope.eq(before.scope.as_str()))
        .filter(Column::Name.eq(before.name.as_str()))
        .filter(Column::Sealed.eq(before.sealed.clone()))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}
