//! Answers to requests that carried an `Idempotency-Key`, kept so that a repeated request gets the same answer.
//!
//! A key is claimed by an attempt, which is known by the instant of its claim. What an attempt does to the key it does
//! only as long as the key is still its own.

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Statement,
};
use serde_json::Value;

use crate::{Db, Result};

/// Which request: the key is the caller's, and counts for one principal on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose.
    pub organization_id: OrganizationId,
    /// User or API key.
    pub principal: String,
    /// Method and path.
    pub path: String,
    /// As sent.
    pub key: String,
}

/// A stored answer.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// What the request body is known by, in a form of the caller's choice.
    pub request_hash: Vec<u8>,
    /// Status code, headers worth repeating, body; `None` while the first request is running, or if it died.
    pub response: Option<StoredResponse>,
    /// When the first request came.
    pub created_at: DateTime<Utc>,
    /// When the present attempt claimed the key.
    pub leased_at: DateTime<Utc>,
    /// What was carried out, once it was.
    pub applied: Option<String>,
}

/// The answer proper.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResponse {
    /// Status code.
    pub status: i32,
    /// Headers as an object of strings.
    pub headers: Value,
    /// Body.
    pub body: Vec<u8>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub principal: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub path: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub request_hash: Vec<u8>,
        pub response_status: Option<i32>,
        pub response_headers: Option<Json>,
        pub response_body: Option<Vec<u8>>,
        pub created_at: DateTimeUtc,
        pub leased_at: Option<DateTimeUtc>,
        pub applied: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

fn only(key: &IdempotencyKey) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::OrganizationId.eq(key.organization_id.0))
        .add(Column::Principal.eq(key.principal.as_str()))
        .add(Column::Path.eq(key.path.as_str()))
        .add(Column::Key.eq(key.key.as_str()))
}

fn held(key: &IdempotencyKey, leased_at: DateTime<Utc>) -> sea_orm::Condition {
    only(key).add(Column::LeasedAt.eq(leased_at))
}

/// Claims a key for a first request. Says whether it was free.
///
/// # Errors
/// If the database fails.
pub async fn claim(db: Db<'_>, key: &IdempotencyKey, request_hash: &[u8], at: DateTime<Utc>) -> Result<bool> {
    let row = entity::ActiveModel {
        organization_id: Set(key.organization_id.0),
        principal: Set(key.principal.clone()),
        path: Set(key.path.clone()),
        key: Set(key.key.clone()),
        request_hash: Set(request_hash.to_vec()),
        response_status: Set(None),
        response_headers: Set(None),
        response_body: Set(None),
        created_at: Set(at),
        leased_at: Set(Some(at)),
        applied: Set(None),
    };
    let written = entity::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::OrganizationId, Column::Principal, Column::Path, Column::Key])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&db.conn())
        .await?;
    Ok(written == 1)
}

/// The first `length` bytes of everything that is kept in the caller's form, each once.
///
/// # Errors
/// If the database fails.
pub async fn beginnings(db: Db<'_>, length: u32) -> Result<Vec<Vec<u8>>> {
    let sql = format!(
        "SELECT substr(request_hash, 1, {length}) AS beginning FROM idempotency_keys \
        UNION SELECT substr(response_body, 1, {length}) FROM idempotency_keys WHERE response_body IS NOT NULL"
    );
    let conn = db.conn();
    let rows = conn.query_all_raw(Statement::from_string(conn.get_database_backend(), sql)).await?;
    rows.into_iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

/// What is known of a key.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, key: &IdempotencyKey) -> Result<Option<StoredAnswer>> {
    let row = entity::Entity::find().filter(only(key)).one(&db.conn()).await?;
    Ok(row.map(|row| StoredAnswer {
        request_hash: row.request_hash,
        response: row.response_status.map(|status| StoredResponse {
            status,
            headers: row.response_headers.unwrap_or_default(),
            body: row.response_body.unwrap_or_default(),
        }),
        created_at: row.created_at,
        leased_at: row.leased_at.unwrap_or(row.created_at),
        applied: row.applied,
    }))
}

/// Takes a key over from an attempt that died before it carried anything out. Says whether it could: of two who try, one
/// is told no, and so are both if the attempt was alive after all and got there first.
///
/// # Errors
/// If the database fails.
pub async fn take_over(db: Db<'_>, key: &IdempotencyKey, from: DateTime<Utc>, at: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::LeasedAt, Expr::value(at))
        .filter(held(key, from))
        .filter(Column::Applied.is_null())
        .filter(Column::ResponseStatus.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes in the transaction of an attempt's work what it did. Says whether the key is still the attempt's; if not, the
/// work must not be committed.
///
/// # Errors
/// If the database fails.
pub async fn apply(db: Db<'_>, key: &IdempotencyKey, leased_at: DateTime<Utc>, what: &str) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::Applied, Expr::value(what))
        .filter(held(key, leased_at))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Stores the answer to a key that is still the attempt's.
///
/// # Errors
/// If the database fails.
pub async fn complete(
    db: Db<'_>,
    key: &IdempotencyKey,
    leased_at: DateTime<Utc>,
    response: &StoredResponse,
) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::ResponseStatus, Expr::value(response.status))
        .col_expr(Column::ResponseHeaders, Expr::value(response.headers.clone()))
        .col_expr(Column::ResponseBody, Expr::value(response.body.clone()))
        .filter(held(key, leased_at))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Gives a key back, because its request failed without effect and it is still the attempt's.
///
/// # Errors
/// If the database fails.
pub async fn release(db: Db<'_>, key: &IdempotencyKey, leased_at: DateTime<Utc>) -> Result<()> {
    entity::Entity::delete_many()
        .filter(held(key, leased_at))
        .filter(Column::Applied.is_null())
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Forgets a key whose time is over.
///
/// # Errors
/// If the database fails.
pub async fn forget(db: Db<'_>, key: &IdempotencyKey) -> Result<()> {
    entity::Entity::delete_many().filter(only(key)).exec(&db.conn()).await?;
    Ok(())
}

/// Removes keys older than `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_old(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(entity::Entity::delete_many().filter(Column::CreatedAt.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
