//! Settings that hold for the whole installation, whatever the organisation: one JSON value a key.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde_json::Value;

use crate::{Db, Result};

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct InstallationSetting {
    /// Name: `maintenance`.
    pub key: String,
    /// Value.
    pub value: Value,
    /// 1 for the first value, one more for each change.
    pub version: i64,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by_name: String,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "installation_settings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub value: Json,
        pub version: i64,
        pub updated_at: DateTimeUtc,
        pub updated_by_name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One setting, if it was ever set.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, key: &str) -> Result<Option<InstallationSetting>> {
    let row = entity::Entity::find_by_id(key.to_owned()).one(&db.conn()).await?;
    Ok(row.map(|row| InstallationSetting {
        key: row.key,
        value: row.value,
        version: row.version,
        updated_at: row.updated_at,
        updated_by_name: row.updated_by_name,
    }))
}

/// Sets a setting that is at version `setting.version - 1` (0: never set). Says whether it was; if not, somebody else
/// changed it meanwhile.
///
/// # Errors
/// If the database fails.
pub async fn put(db: Db<'_>, setting: &InstallationSetting) -> Result<bool> {
    if setting.version <= 1 {
        let row = entity::ActiveModel {
            key: Set(setting.key.clone()),
            value: Set(setting.value.clone()),
            version: Set(1),
            updated_at: Set(setting.updated_at),
            updated_by_name: Set(setting.updated_by_name.clone()),
        };
        let written = entity::Entity::insert(row)
            .on_conflict(OnConflict::column(entity::Column::Key).do_nothing().to_owned())
            .exec_without_returning(&db.conn())
            .await?;
        return Ok(written == 1);
    }
    let done = entity::Entity::update_many()
        .col_expr(entity::Column::Value, Expr::value(setting.value.clone()))
        .col_expr(entity::Column::Version, Expr::value(setting.version))
        .col_expr(entity::Column::UpdatedAt, Expr::value(setting.updated_at))
        .col_expr(entity::Column::UpdatedByName, Expr::value(setting.updated_by_name.as_str()))
        .filter(entity::Column::Key.eq(setting.key.as_str()))
        .filter(entity::Column::Version.eq(setting.version - 1))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}
