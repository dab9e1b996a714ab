//! Second factors: that a user has one, which time step was used last, and the hashes of recovery codes. The secret
//! itself is among the sealed secrets.

use bartizan_domain::id::UserId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result, page};

/// A user's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user_id: UserId,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Since when it is asked for; `None` until the first code proved that the user can make codes.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// The last time step whose code was used: it and earlier ones are worth nothing.
    pub last_step: i64,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "second_factors")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub created_at: DateTimeUtc,
        pub confirmed_at: Option<DateTimeUtc>,
        pub last_step: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod code {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "recovery_codes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub used_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The second factor of a user, confirmed or not.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, user: UserId) -> Result<Option<SecondFactor>> {
    let row = entity::Entity::find_by_id(user.0).one(&db.conn()).await?;
    Ok(row.map(|row| SecondFactor {
        user_id: row.user_id.into(),
        created_at: row.created_at,
        confirmed_at: row.confirmed_at,
        last_step: row.last_step,
    }))
}

/// Stores a user's second factor in place of the one there may be.
///
/// # Errors
/// If the database fails.
pub async fn put(db: Db<'_>, factor: &SecondFactor) -> Result<()> {
    let row = entity::ActiveModel {
        user_id: Set(factor.user_id.0),
        created_at: Set(factor.created_at),
        confirmed_at: Set(factor.confirmed_at),
        last_step: Set(factor.last_step),
    };
    let replace = OnConflict::column(entity::Column::UserId)
        .update_columns([entity::Column::CreatedAt, entity::Column::ConfirmedAt, entity::Column::LastStep])
        .to_owned();
    entity::Entity::insert(row).on_conflict(replace).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// Uses the code of a time step that is later than the last used. Says whether it was: a code is good once.
///
/// # Errors
/// If the database fails.
pub async fn use_step(db: Db<'_>, user: UserId, step: i64) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(entity::Column::LastStep, Expr::value(step))
        .filter(entity::Column::UserId.eq(user.0))
        .filter(entity::Column::LastStep.lt(step))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Removes a user's second factor and recovery codes.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, user: UserId) -> Result<()> {
    entity::Entity::delete_by_id(user.0).exec(&db.conn()).await?;
    code::Entity::delete_many().filter(code::Column::UserId.eq(user.0)).exec(&db.conn()).await?;
    Ok(())
}

/// Replaces a user's recovery codes.
///
/// # Errors
/// If the database fails.
pub async fn replace_codes(db: Db<'_>, user: UserId, hashes: &[Vec<u8>]) -> Result<()> {
    code::Entity::delete_many().filter(code::Column::UserId.eq(user.0)).exec(&db.conn()).await?;
    let rows = hashes.iter().map(|hash| code::ActiveModel {
        user_id: Set(user.0),
        hash: Set(hash.clone()),
        used_at: Set(None),
    });
    code::Entity::insert_many(rows).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// Uses an unused recovery code. Says whether it was one.
///
/// # Errors
/// If the database fails.
pub async fn use_code(db: Db<'_>, user: UserId, hash: &[u8], now: DateTime<Utc>) -> Result<bool> {
    let done = code::Entity::update_many()
        .col_expr(code::Column::UsedAt, Expr::value(now))
        .filter(code::Column::UserId.eq(user.0))
        .filter(code::Column::Hash.eq(hash.to_vec()))
        .filter(code::Column::UsedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Recovery codes that are left.
///
/// # Errors
/// If the database fails.
pub async fn count_codes(db: Db<'_>, user: UserId) -> Result<u64> {
    let select = code::Entity::find().filter(code::Column::UserId.eq(user.0)).filter(code::Column::UsedAt.is_null());
    page::count(&db.conn(), &select).await
}
