//! Which user an outside identity belongs to.

use bartizan_domain::id::UserId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result};

/// An outside identity of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// `oidc` or `ldap`.
    pub provider: String,
    /// Who vouches for it.
    pub issuer: String,
    /// What the issuer calls the person for good.
    pub subject: String,
    /// Whose it is.
    pub user_id: UserId,
    /// What the issuer called the person last: a name, a distinguished name.
    pub name: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "external_identities")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub provider: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub issuer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject: String,
        pub user_id: Uuid,
        pub name: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// The identity of this issuer and subject, if somebody has it.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, provider: &str, issuer: &str, subject: &str) -> Result<Option<ExternalIdentity>> {
    let key = (provider.to_owned(), issuer.to_owned(), subject.to_owned());
    let row = entity::Entity::find_by_id(key).one(&db.conn()).await?;
    Ok(row.map(|row| ExternalIdentity {
        provider: row.provider,
        issuer: row.issuer,
        subject: row.subject,
        user_id: row.user_id.into(),
        name: row.name,
        created_at: row.created_at,
    }))
}

/// Gives an identity to a user.
///
/// # Errors
/// [`crate::StorageError::Unique`] if somebody has it.
pub async fn insert(db: Db<'_>, identity: &ExternalIdentity) -> Result<()> {
    let row = entity::ActiveModel {
        provider: Set(identity.provider.clone()),
        issuer: Set(identity.issuer.clone()),
        subject: Set(identity.subject.clone()),
        user_id: Set(identity.user_id.0),
        name: Set(identity.name.clone()),
        created_at: Set(identity.created_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// Notes what the issuer calls the person now.
///
/// # Errors
/// If the database fails.
pub async fn set_name(db: Db<'_>, identity: &ExternalIdentity, name: &str) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .filter(Column::Provider.eq(identity.provider.as_str()))
        .filter(Column::Issuer.eq(identity.issuer.as_str()))
        .filter(Column::Subject.eq(identity.subject.as_str()))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Keeps other transactions from making an account for this identity until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock(db: Db<'_>, provider: &str, issuer: &str, subject: &str) -> Result<()> {
    db.lock(&format!("identity:{provider}:{issuer}:{subject}")).await
}
