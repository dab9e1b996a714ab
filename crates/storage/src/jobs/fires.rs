//! Which instants of which timers were served, so that each is served once however many servers run.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::{Db, Result};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cron_fires")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub fire_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Records that the timer `name` fired for the instant. Says whether nobody had recorded it before.
///
/// # Errors
/// If the database fails.
pub async fn record_fire(db: Db<'_>, name: &str, fire_at: DateTime<Utc>) -> Result<bool> {
    let row = entity::ActiveModel { name: Set(name.to_owned()), fire_at: Set(fire_at) };
    let written = entity::Entity::insert(row)
        .on_conflict(OnConflict::columns([entity::Column::Name, entity::Column::FireAt]).do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    Ok(written == 1)
}

/// Forgets fires before `cutoff`. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_fires(db: Db<'_>, cutoff: DateTime<Utc>) -> Result<u64> {
    Ok(entity::Entity::delete_many().filter(entity::Column::FireAt.lt(cutoff)).exec(&db.conn()).await?.rows_affected)
}
