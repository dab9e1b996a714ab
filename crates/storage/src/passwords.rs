//! What guards a password: failed attempts to sign in with it.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result};

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

/// Removes failures from before `cutoff`.
///
/// # Errors
/// If the database fails.
pub async fn remove_old(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<()> {
    failure::Entity::delete_many().filter(failure::Column::LastAt.lt(cutoff)).exec(&db.conn()).await?;
    Ok(())
}
