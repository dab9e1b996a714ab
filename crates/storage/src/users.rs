//! People who sign in. Where they are members, and as what, is in [`crate::members`].

use bartizan_domain::id::UserId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};

use crate::{Db, Result, page};

/// One person or service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Name used to sign in, as it was chosen; unique whatever the case.
    pub username: String,
    /// Mail address; unique whatever the case.
    pub email: String,
    /// PHC string; `None` for users of an outside identity provider.
    pub password_hash: Option<String>,
    /// `internal`, `ldap` or `oidc`.
    pub auth_provider: String,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// `light`, `dark` or `system`.
    pub theme_preference: String,
    /// When the user was added.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// Last sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
}

pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub username: String,
        pub username_key: String,
        pub email: String,
        pub email_key: String,
        pub password_hash: Option<String>,
        pub auth_provider: String,
        pub is_active: bool,
        pub theme_preference: String,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub last_login_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<entity::Model> for User {
    fn from(row: entity::Model) -> Self {
        Self {
            id: row.id.into(),
            username: row.username,
            email: row.email,
            password_hash: row.password_hash,
            auth_provider: row.auth_provider,
            is_active: row.is_active,
            theme_preference: row.theme_preference,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_login_at: row.last_login_at,
        }
    }
}

pub(crate) fn key(text: &str) -> String {
    text.trim().to_lowercase()
}

/// How many users there are in all organisations: setup is open while it is none.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>) -> Result<u64> {
    page::count(&db.conn(), &entity::Entity::find()).await
}

/// Adds a user.
///
/// # Errors
/// [`crate::StorageError::Unique`] if the name or the address is taken.
pub async fn insert(db: Db<'_>, user: &User) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(user.id.0),
        username: Set(user.username.clone()),
        username_key: Set(key(&user.username)),
        email: Set(user.email.clone()),
        email_key: Set(key(&user.email)),
        password_hash: Set(user.password_hash.clone()),
        auth_provider: Set(user.auth_provider.clone()),
        is_active: Set(user.is_active),
        theme_preference: Set(user.theme_preference.clone()),
        created_at: Set(user.created_at),
        updated_at: Set(user.updated_at),
        last_login_at: Set(user.last_login_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// One user.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, id: UserId) -> Result<Option<User>> {
    Ok(entity::Entity::find_by_id(id.0).one(&db.conn()).await?.map(Into::into))
}

/// Those of these users that exist.
///
/// # Errors
/// If the database fails.
pub async fn many(db: Db<'_>, ids: &[UserId]) -> Result<Vec<User>> {
    let rows =
        entity::Entity::find().filter(entity::Column::Id.is_in(ids.iter().map(|id| id.0))).all(&db.conn()).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The user whose name or mail address is `login`, whatever the case. A name wins over an address.
///
/// # Errors
/// If the database fails.
pub async fn by_login(db: Db<'_>, login: &str) -> Result<Option<User>> {
    let key = key(login);
    let rows = entity::Entity::find()
        .filter(
            Condition::any()
                .add(entity::Column::UsernameKey.eq(key.clone()))
                .add(entity::Column::EmailKey.eq(key.clone())),
        )
        .limit(2)
        .all(&db.conn())
        .await?;
    let mut users: Vec<entity::Model> = rows;
    users.sort_by_key(|user| user.username_key != key);
    Ok(users.into_iter().next().map(Into::into))
}

/// Notes a sign-in.
///
/// # Errors
/// If the database fails.
pub async fn note_login(db: Db<'_>, id: UserId, at: DateTime<Utc>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::LastLoginAt, Expr::value(at))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Changes a user's mail address.
///
/// # Errors
/// [`crate::StorageError::Unique`] if the address is taken.
pub async fn set_email(db: Db<'_>, id: UserId, email: &str, at: DateTime<Utc>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Email, Expr::value(email))
        .col_expr(entity::Column::EmailKey, Expr::value(key(email)))
        .col_expr(entity::Column::UpdatedAt, Expr::value(at))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Changes a user's password.
///
/// # Errors
/// If the database fails.
pub async fn set_password(db: Db<'_>, id: UserId, hash: &str, at: DateTime<Utc>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::PasswordHash, Expr::value(hash))
        .col_expr(entity::Column::UpdatedAt, Expr::value(at))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Changes how the web interface looks to a user.
///
/// # Errors
/// If the database fails.
pub async fn set_theme(db: Db<'_>, id: UserId, theme: &str, at: DateTime<Utc>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::ThemePreference, Expr::value(theme))
        .col_expr(entity::Column::UpdatedAt, Expr::value(at))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// The user with this mail address, whatever the case.
///
/// # Errors
/// If the database fails.
pub async fn by_email(db: Db<'_>, email: &str) -> Result<Option<User>> {
    let found = entity::Entity::find().filter(entity::Column::EmailKey.eq(key(email))).one(&db.conn()).await?;
    Ok(found.map(Into::into))
}

/// Keeps other transactions from adding the first user until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock_setup(db: Db<'_>) -> Result<()> {
    db.lock("setup").await
}
