//! Pictures of an organisation's appearance.

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::{Db, Result};

/// A stored picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandingAsset {
    /// Which: `logo_light`.
    pub kind: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub hash: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// When it was stored.
    pub updated_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "branding_assets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        pub hash: String,
        pub bytes: Vec<u8>,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// A picture, if there is one.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, kind: &str) -> Result<Option<BrandingAsset>> {
    let row = entity::Entity::find_by_id((organization.0, kind.to_owned())).one(&db.conn()).await?;
    Ok(row.map(|row| BrandingAsset { kind: row.kind, hash: row.hash, bytes: row.bytes, updated_at: row.updated_at }))
}

/// Kind and hash of each picture there is, in order of kind.
///
/// # Errors
/// If the database fails.
pub async fn hashes(db: Db<'_>, organization: OrganizationId) -> Result<Vec<(String, String)>> {
    Ok(entity::Entity::find()
        .select_only()
        .column(Column::Kind)
        .column(Column::Hash)
        .filter(Column::OrganizationId.eq(organization.0))
        .order_by_asc(Column::Kind)
        .into_tuple()
        .all(&db.conn())
        .await?)
}

/// Stores a picture in place of the one that may be there.
///
/// # Errors
/// If the database fails.
pub async fn put(db: Db<'_>, organization: OrganizationId, asset: &BrandingAsset) -> Result<()> {
    let row = entity::ActiveModel {
        organization_id: Set(organization.0),
        kind: Set(asset.kind.clone()),
        hash: Set(asset.hash.clone()),
        bytes: Set(asset.bytes.clone()),
        updated_at: Set(asset.updated_at),
    };
    entity::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::OrganizationId, Column::Kind])
                .update_columns([Column::Hash, Column::Bytes, Column::UpdatedAt])
                .to_owned(),
        )
        .exec_without_returning(&db.conn())
        .await?;
    Ok(())
}

/// Removes a picture. Says whether there was one.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, kind: &str) -> Result<bool> {
    let done = entity::Entity::delete_by_id((organization.0, kind.to_owned())).exec(&db.conn()).await?;
    Ok(done.rows_affected == 1)
}
