//! Sign-in sessions. A session is one family of refresh tokens: each token is used once, to get the next, which it
//! remembers; only hashes of tokens are stored.

use bartizan_domain::id::{OrganizationId, SessionId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use crate::page::SortBy;
use crate::{Db, Listed, Page, Result, SortDir};

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: SessionId,
    /// The organisation signed in to.
    pub organization_id: OrganizationId,
    /// Whose.
    pub user_id: UserId,
    /// What the client calls itself.
    pub user_agent: String,
    /// Where it was opened from.
    pub ip: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When its newest refresh token ends.
    pub expires_at: DateTime<Utc>,
    /// When it was ended, if it was.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was ended: `logout`, `refresh_token_reused`, `revoked`, `restored`.
    pub ended_because: Option<String>,
}

impl Session {
    /// Whether it still holds: nobody ended it, and its time has not run out.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }
}

/// A refresh token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// Its session.
    pub session_id: SessionId,
    /// When it was handed out.
    pub issued_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was first exchanged for the next one.
    pub used_at: Option<DateTime<Utc>>,
    /// SHA-256 of the token that was last handed out for it.
    pub successor: Option<Vec<u8>>,
    /// When another token was handed out in its place, before it was used.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl RefreshToken {
    /// Whether it may still be exchanged: nobody has, and no other one has taken its place.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.used_at.is_none() && self.withdrawn_at.is_none()
    }
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub user_id: Uuid,
        pub user_agent: String,
        pub ip: String,
        pub created_at: DateTimeUtc,
        pub last_used_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub ended_at: Option<DateTimeUtc>,
        pub ended_because: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: Vec<u8>,
        pub session_id: Uuid,
        pub issued_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub used_at: Option<DateTimeUtc>,
        pub successor: Option<Vec<u8>>,
        pub withdrawn_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<entity::Model> for Session {
    fn from(row: entity::Model) -> Self {
        Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            user_id: row.user_id.into(),
            user_agent: row.user_agent,
            ip: row.ip,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            ended_because: row.ended_because,
        }
    }
}

/// Opens a session.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, session: &Session) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(session.id.0),
        organization_id: Set(session.organization_id.0),
        user_id: Set(session.user_id.0),
        user_agent: Set(session.user_agent.clone()),
        ip: Set(session.ip.clone()),
        created_at: Set(session.created_at),
        last_used_at: Set(session.last_used_at),
        expires_at: Set(session.expires_at),
        ended_at: Set(session.ended_at),
        ended_because: Set(session.ended_because.clone()),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// Stores a new refresh token of a session.
///
/// # Errors
/// If the database fails.
pub async fn insert_token(db: Db<'_>, token: &RefreshToken) -> Result<()> {
    let row = token::ActiveModel {
        hash: Set(token.hash.clone()),
        session_id: Set(token.session_id.0),
        issued_at: Set(token.issued_at),
        expires_at: Set(token.expires_at),
        used_at: Set(token.used_at),
        successor: Set(token.successor.clone()),
        withdrawn_at: Set(token.withdrawn_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

impl From<token::Model> for RefreshToken {
    fn from(row: token::Model) -> Self {
        Self {
            hash: row.hash,
            session_id: row.session_id.into(),
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            successor: row.successor,
            withdrawn_at: row.withdrawn_at,
        }
    }
}

/// The token with this hash and its session.
///
/// # Errors
/// If the database fails.
pub async fn by_token(db: Db<'_>, hash: &[u8]) -> Result<Option<(RefreshToken, Session)>> {
    let Some(token) = token(db, hash).await? else { return Ok(None) };
    Ok(get(db, token.session_id).await?.map(|session| (token, session)))
}

/// The token with this hash.
///
/// # Errors
/// If the database fails.
pub async fn token(db: Db<'_>, hash: &[u8]) -> Result<Option<RefreshToken>> {
    Ok(token::Entity::find_by_id(hash.to_vec()).one(&db.conn()).await?.map(Into::into))
}

/// Holds the tokens of a session until the end of the transaction: what was read before may have changed while waiting.
///
/// # Errors
/// If the database fails.
pub async fn lock_tokens(db: Db<'_>, session: SessionId) -> Result<()> {
    db.lock(&format!("refresh:{session}")).await
}

/// Notes that a token was exchanged for another one, the first time or again; the time of the first stays.
///
/// # Errors
/// If the database fails.
pub async fn exchange(db: Db<'_>, hash: &[u8], successor: &[u8], at: DateTime<Utc>) -> Result<()> {
    let first = Func::coalesce([Expr::col(token::Column::UsedAt), Expr::value(at)]);
    token::Entity::update_many()
        .col_expr(token::Column::UsedAt, first.into())
        .col_expr(token::Column::Successor, Expr::value(successor.to_vec()))
        .filter(token::Column::Hash.eq(hash.to_vec()))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Withdraws a token that nobody has used: another one takes its place.
///
/// # Errors
/// If the database fails.
pub async fn withdraw(db: Db<'_>, hash: &[u8], at: DateTime<Utc>) -> Result<()> {
    token::Entity::update_many()
        .col_expr(token::Column::WithdrawnAt, Expr::value(at))
        .filter(token::Column::Hash.eq(hash.to_vec()))
        .filter(token::Column::UsedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Notes that a session was refreshed and lives on until `expires_at`.
///
/// # Errors
/// If the database fails.
pub async fn touch(db: Db<'_>, id: SessionId, at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::LastUsedAt, Expr::value(at))
        .col_expr(entity::Column::ExpiresAt, Expr::value(expires_at))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Ends a session that is still open. Says whether it was.
///
/// # Errors
/// If the database fails.
pub async fn end(db: Db<'_>, user: UserId, id: SessionId, at: DateTime<Utc>, because: &str) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(entity::Column::EndedAt, Expr::value(at))
        .col_expr(entity::Column::EndedBecause, Expr::value(because))
        .filter(entity::Column::Id.eq(id.0))
        .filter(entity::Column::UserId.eq(user.0))
        .filter(entity::Column::EndedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Ends the open sessions of a user, those in one organisation or all of them, except the one to be kept. Says how
/// many.
///
/// # Errors
/// If the database fails.
pub async fn end_all(
    db: Db<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
    keep: Option<SessionId>,
    (at, because): (DateTime<Utc>, &str),
) -> Result<u64> {
    let mut update = entity::Entity::update_many()
        .col_expr(entity::Column::EndedAt, Expr::value(at))
        .col_expr(entity::Column::EndedBecause, Expr::value(because))
        .filter(entity::Column::UserId.eq(user.0))
        .filter(entity::Column::EndedAt.is_null());
    if let Some(organization) = organization {
        update = update.filter(entity::Column::OrganizationId.eq(organization.0));
    }
    if let Some(keep) = keep {
        update = update.filter(entity::Column::Id.ne(keep.0));
    }
    Ok(update.exec(&db.conn()).await?.rows_affected)
}

/// Ends every open session of everybody. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn end_every(db: Db<'_>, at: DateTime<Utc>, because: &str) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(entity::Column::EndedAt, Expr::value(at))
        .col_expr(entity::Column::EndedBecause, Expr::value(because))
        .filter(entity::Column::EndedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}

/// Moves an open session to another organisation.
///
/// # Errors
/// If the database fails.
pub async fn set_organization(db: Db<'_>, id: SessionId, organization: OrganizationId) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::OrganizationId, Expr::value(organization.0))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// One session.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, id: SessionId) -> Result<Option<Session>> {
    Ok(entity::Entity::find_by_id(id.0).one(&db.conn()).await?.map(Into::into))
}

/// One page of the open sessions of a user, last used first.
///
/// # Errors
/// If the database fails.
pub async fn open_of(db: Db<'_>, user: UserId, now: DateTime<Utc>, page: Page) -> Result<Listed<Session>> {
    let open = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.0))
        .filter(entity::Column::EndedAt.is_null())
        .filter(entity::Column::ExpiresAt.gt(now));
    let sort = SortBy::never_null(entity::Column::LastUsedAt.into_simple_expr(), SortDir::Desc);
    Ok(crate::page::page(&db.conn(), open, sort, entity::Column::Id, page).await?.map(Session::from))
}

/// The sessions of a user that were used since an instant, whether they are open or not, last used first, at most 100.
///
/// # Errors
/// If the database fails.
pub async fn of_lately(db: Db<'_>, user: UserId, since: DateTime<Utc>) -> Result<Vec<Session>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::UserId.eq(user.0))
        .filter(entity::Column::LastUsedAt.gte(since))
        .order_by_desc(entity::Column::LastUsedAt)
        .order_by_desc(entity::Column::Id)
        .limit(100)
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Removes sessions that ended or expired before `cutoff`, with their tokens. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_old(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    let done = entity::Entity::delete_many().filter(entity::Column::ExpiresAt.lt(cutoff)).exec(&db.conn()).await?;
    Ok(done.rows_affected)
}
