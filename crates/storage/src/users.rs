//! People who sign in, and their memberships in organisations.

use bartizan_domain::Role;
use bartizan_domain::id::{OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use crate::error::parse;
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

/// A user's place in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub organization_id: OrganizationId,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

mod entity {
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

mod membership {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub role: String,
        pub created_at: DateTimeUtc,
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

fn membership_of(row: &membership::Model) -> Result<Membership> {
    Ok(Membership {
        organization_id: row.organization_id.into(),
        user_id: row.user_id.into(),
        role: parse(&row.role)?,
        created_at: row.created_at,
    })
}

fn key(text: &str) -> String {
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

/// Makes a user a member.
///
/// # Errors
/// [`crate::StorageError::Unique`] if the user is one already.
pub async fn insert_membership(db: Db<'_>, membership: &Membership) -> Result<()> {
    let row = membership::ActiveModel {
        organization_id: Set(membership.organization_id.0),
        user_id: Set(membership.user_id.0),
        role: Set(membership.role.as_str().to_owned()),
        created_at: Set(membership.created_at),
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

/// The memberships of a user, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn memberships(db: Db<'_>, id: UserId) -> Result<Vec<Membership>> {
    let rows = membership::Entity::find()
        .filter(membership::Column::UserId.eq(id.0))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::OrganizationId)
        .all(&db.conn())
        .await?;
    rows.iter().map(membership_of).collect()
}

/// A user's membership in one organisation.
///
/// # Errors
/// If the database fails.
pub async fn membership(db: Db<'_>, organization: OrganizationId, id: UserId) -> Result<Option<Membership>> {
    let row = membership::Entity::find_by_id((organization.0, id.0)).one(&db.conn()).await?;
    row.as_ref().map(membership_of).transpose()
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

/// Keeps other transactions from adding the first user until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock_setup(db: Db<'_>) -> Result<()> {
    db.lock("setup").await
}
