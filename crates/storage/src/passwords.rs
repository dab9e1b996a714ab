//! What guards a password: tokens for resetting it, and failed attempts to sign in with it.

use bartizan_domain::id::UserId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result, page};

/// A token for setting a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordReset {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Whose password.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

/// Attempts to sign in that failed in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// The account, known or not, in a form of the caller's choice.
    pub account: String,
    /// How many.
    pub failures: i32,
    /// The last one.
    pub last_at: DateTime<Utc>,
    /// Until when no attempt is looked at.
    pub blocked_until: Option<DateTime<Utc>>,
}

mod reset {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "password_resets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        pub user_id: Uuid,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod failure {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_failures")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account: String,
        pub failures: i32,
        pub last_at: DateTimeUtc,
        pub blocked_until: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Stores a token for a new password.
///
/// # Errors
/// If the database fails.
pub async fn insert_reset(db: Db<'_>, reset: &PasswordReset) -> Result<()> {
    let row = reset::ActiveModel {
        token_hash: Set(reset.token_hash.clone()),
        user_id: Set(reset.user_id.0),
        created_at: Set(reset.created_at),
        expires_at: Set(reset.expires_at),
        used_at: Set(reset.used_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// The token with this hash.
///
/// # Errors
/// If the database fails.
pub async fn reset(db: Db<'_>, hash: &[u8]) -> Result<Option<PasswordReset>> {
    let row = reset::Entity::find_by_id(hash.to_vec()).one(&db.conn()).await?;
    Ok(row.map(|row| PasswordReset {
        token_hash: row.token_hash,
        user_id: row.user_id.into(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
    }))
}

/// Tokens of a user made since an instant.
///
/// # Errors
/// If the database fails.
pub async fn count_resets(db: Db<'_>, user: UserId, since: DateTime<Utc>) -> Result<u64> {
    let select =
        reset::Entity::find().filter(reset::Column::UserId.eq(user.0)).filter(reset::Column::CreatedAt.gte(since));
    page::count(&db.conn(), &select).await
}

/// Uses a token up that is good. Says whether it was: of two who use one, one is told no.
///
/// # Errors
/// If the database fails.
pub async fn use_reset(db: Db<'_>, hash: &[u8], now: DateTime<Utc>) -> Result<bool> {
    let done = reset::Entity::update_many()
        .col_expr(reset::Column::UsedAt, Expr::value(now))
        .filter(reset::Column::TokenHash.eq(hash.to_vec()))
        .filter(reset::Column::UsedAt.is_null())
        .filter(reset::Column::ExpiresAt.gt(now))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Uses up every token of a user.
///
/// # Errors
/// If the database fails.
pub async fn use_resets(db: Db<'_>, user: UserId, now: DateTime<Utc>) -> Result<()> {
    reset::Entity::update_many()
        .col_expr(reset::Column::UsedAt, Expr::value(now))
        .filter(reset::Column::UserId.eq(user.0))
        .filter(reset::Column::UsedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Uses up every token of everybody. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn use_every_reset(db: Db<'_>, now: DateTime<Utc>) -> Result<u64> {
    let done = reset::Entity::update_many()
        .col_expr(reset::Column::UsedAt, Expr::value(now))
        .filter(reset::Column::UsedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}

/// The failures of an account.
///
/// # Errors
/// If the database fails.
pub async fn failures(db: Db<'_>, account: &str) -> Result<Option<Failures>> {
    let row = failure::Entity::find_by_id(account.to_owned()).one(&db.conn()).await?;
    Ok(row.map(|row| Failures {
        account: row.account,
        failures: row.failures,
        last_at: row.last_at,
        blocked_until: row.blocked_until,
    }))
}

/// Keeps other transactions from counting failures of the account until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock_failures(db: Db<'_>, account: &str) -> Result<()> {
    db.lock(&format!("sign-in:{account}")).await
}

/// Stores the failures of an account.
///
/// # Errors
/// If the database fails.
pub async fn put_failures(db: Db<'_>, failures: &Failures) -> Result<()> {
    let row = failure::ActiveModel {
        account: Set(failures.account.clone()),
        failures: Set(failures.failures),
        last_at: Set(failures.last_at),
        blocked_until: Set(failures.blocked_until),
    };
    let replace = OnConflict::column(failure::Column::Account)
        .update_columns([failure::Column::Failures, failure::Column::LastAt, failure::Column::BlockedUntil])
        .to_owned();
    failure::Entity::insert(row).on_conflict(replace).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// Forgets the failures of an account.
///
/// # Errors
/// If the database fails.
pub async fn clear_failures(db: Db<'_>, account: &str) -> Result<()> {
    failure::Entity::delete_by_id(account.to_owned()).exec(&db.conn()).await?;
    Ok(())
}

/// Forgets the failures of an account and those counted under names that begin with it and an `@`.
///
/// # Errors
/// If the database fails.
pub async fn clear_all_failures(db: Db<'_>, account: &str) -> Result<()> {
    clear_failures(db, account).await?;
    let column = failure::Column::Account;
    failure::Entity::delete_many().filter(column.starts_with(format!("{account}@"))).exec(&db.conn()).await?;
    Ok(())
}

/// Removes tokens that ended, and failures that happened, before `cutoff`.
///
/// # Errors
/// If the database fails.
pub async fn remove_old(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<()> {
    reset::Entity::delete_many().filter(reset::Column::ExpiresAt.lt(cutoff)).exec(&db.conn()).await?;
    failure::Entity::delete_many().filter(failure::Column::LastAt.lt(cutoff)).exec(&db.conn()).await?;
    Ok(())
}
