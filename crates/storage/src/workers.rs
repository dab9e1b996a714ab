//! The processes that run background work, as they report themselves. A sign of life holds for as long as the lease of a
//! job: whoever gave none since is gone or cut off. They belong to the installation, to no organisation.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Listed, Page, Result, SortDir};

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name, which is also the owner of the jobs it runs.
    pub name: String,
    /// What it is: `server`, `worker`.
    pub kind: String,
    /// Name of its machine.
    pub host: String,
    /// Its number there.
    pub process_id: u32,
    /// Version of the program.
    pub version: String,
    /// How many jobs it runs at a time, of all kinds together.
    pub slots: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Its last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// Until when that sign holds.
    pub lease_until: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "workers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub kind: String,
        pub host: String,
        pub process_id: i64,
        pub version: String,
        pub slots: i64,
        pub started_at: DateTimeUtc,
        pub heartbeat_at: DateTimeUtc,
        pub lease_until: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

impl From<entity::Model> for Worker {
    fn from(row: entity::Model) -> Self {
        Self {
            name: row.name,
            kind: row.kind,
            host: row.host,
            process_id: u32::try_from(row.process_id).unwrap_or(0),
            version: row.version,
            slots: u32::try_from(row.slots).unwrap_or(0),
            started_at: row.started_at,
            heartbeat_at: row.heartbeat_at,
            lease_until: row.lease_until,
        }
    }
}

/// Notes a sign of life, the first one or another.
///
/// # Errors
/// If the database fails.
pub async fn beat(db: Db<'_>, worker: &Worker) -> Result<()> {
    let row = entity::ActiveModel {
        name: Set(worker.name.clone()),
        kind: Set(worker.kind.clone()),
        host: Set(worker.host.clone()),
        process_id: Set(i64::from(worker.process_id)),
        version: Set(worker.version.clone()),
        slots: Set(i64::from(worker.slots)),
        started_at: Set(worker.started_at),
        heartbeat_at: Set(worker.heartbeat_at),
        lease_until: Set(worker.lease_until),
    };
    let again = OnConflict::column(Column::Name).update_columns([Column::HeartbeatAt, Column::LeaseUntil]).to_owned();
    entity::Entity::insert(row).on_conflict(again).exec_without_returning(&db.conn()).await?;
    Ok(())
}

/// One page of the processes: those that live at `now` first, then by name.
///
/// # Errors
/// If the database fails.
pub async fn list(db: Db<'_>, now: DateTime<Utc>, page: Page) -> Result<Listed<Worker>> {
    let alive = Expr::case(Column::LeaseUntil.gt(now), 0).finally(1);
    let sort = crate::page::SortBy::never_null(alive.into(), SortDir::Asc);
    Ok(crate::page::page(&db.conn(), entity::Entity::find(), sort, Column::Name, page).await?.map(Worker::from))
}

/// Removes a process that ends in order.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, name: &str) -> Result<()> {
    entity::Entity::delete_by_id(name.to_owned()).exec(&db.conn()).await?;
    Ok(())
}

/// Removes every process: for the start of the only one that works on this database.
///
/// # Errors
/// If the database fails.
pub async fn remove_all(db: Db<'_>) -> Result<()> {
    entity::Entity::delete_many().exec(&db.conn()).await?;
    Ok(())
}

/// Removes processes whose last sign of life had run out before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_dead(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(entity::Entity::delete_many().filter(Column::LeaseUntil.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
