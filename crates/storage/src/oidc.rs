//! Sign-ins by OpenID Connect that were begun and whose browser has not come back.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result, page};

/// One sign-in that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Digest of the `state` that goes round with the browser.
    pub state_hash: Vec<u8>,
    /// Digest of what only the browser that began knows.
    pub browser_hash: Vec<u8>,
    /// What the ID token must name.
    pub nonce: String,
    /// What the code is exchanged with.
    pub verifier: String,
    /// Path of the web interface to go to afterwards.
    pub return_to: Option<String>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "oidc_sign_ins")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub state_hash: Vec<u8>,
        pub browser_hash: Vec<u8>,
        pub nonce: String,
        pub verifier: String,
        pub return_to: Option<String>,
        pub expires_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Remembers a sign-in that was begun.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, begun: &Begun) -> Result<()> {
    let row = entity::ActiveModel {
        state_hash: Set(begun.state_hash.clone()),
        browser_hash: Set(begun.browser_hash.clone()),
        nonce: Set(begun.nonce.clone()),
        verifier: Set(begun.verifier.clone()),
        return_to: Set(begun.return_to.clone()),
        expires_at: Set(begun.expires_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// How many are remembered.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>) -> Result<u64> {
    page::count(&db.conn(), &entity::Entity::find()).await
}

/// The sign-in with this digest of its state.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, state_hash: &[u8]) -> Result<Option<Begun>> {
    let row = entity::Entity::find_by_id(state_hash.to_vec()).one(&db.conn()).await?;
    Ok(row.map(|row| Begun {
        state_hash: row.state_hash,
        browser_hash: row.browser_hash,
        nonce: row.nonce,
        verifier: row.verifier,
        return_to: row.return_to,
        expires_at: row.expires_at,
    }))
}

/// Forgets a sign-in. Says whether it was there: of several that try at once, one is told so.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, state_hash: &[u8]) -> Result<bool> {
    let done = entity::Entity::delete_by_id(state_hash.to_vec()).exec(&db.conn()).await?;
    Ok(done.rows_affected == 1)
}

/// Forgets what expired before `now`.
///
/// # Errors
/// If the database fails.
pub async fn remove_expired(db: Db<'_>, now: DateTime<Utc>) -> Result<()> {
    entity::Entity::delete_many().filter(entity::Column::ExpiresAt.lt(now)).exec(&db.conn()).await?;
    Ok(())
}
