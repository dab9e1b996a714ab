//! Evidence blobs, stored once under the hash of their content.

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, sea_query::Expr,
};

use crate::{Db, Result, scan_hosts};

/// One blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceBlob {
    /// Hash of the document, its name.
    pub hash: String,
    /// How long it is worth keeping: `empty`, `standard`, `held`.
    pub retention: String,
    /// Size of the document before compression, in bytes.
    pub document_size: u64,
    /// The compressed document.
    pub bytes: Vec<u8>,
    /// When it was stored first.
    pub created_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evidence")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub retention: String,
        pub size: i64,
        pub bytes: Vec<u8>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// Stores a blob; one that is there already stays as it is.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, organization: OrganizationId, blob: EvidenceBlob) -> Result<()> {
    let row = entity::ActiveModel {
        organization_id: Set(organization.0),
        hash: Set(blob.hash),
        retention: Set(blob.retention),
        size: Set(crate::counts::signed(blob.document_size)),
        bytes: Set(blob.bytes),
        created_at: Set(blob.created_at),
    };
    entity::Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::OrganizationId, Column::Hash]).do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    Ok(())
}

/// The bytes of a blob.
///
/// # Errors
/// If the database fails.
pub async fn bytes(db: Db<'_>, organization: OrganizationId, hash: &str) -> Result<Option<Vec<u8>>> {
    Ok(entity::Entity::find()
        .select_only()
        .column(Column::Bytes)
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Hash.eq(hash))
        .into_tuple()
        .one(&db.conn())
        .await?)
}

/// Removes blobs that no host of any scan names any more, except those set aside. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn remove_unused(db: Db<'_>, organization: OrganizationId) -> Result<u64> {
    let used = Query::select()
        .expr(Expr::val(1))
        .from(scan_hosts::entity::Entity)
        .and_where(scan_hosts::entity::Column::OrganizationId.eq(organization.0))
        .and_where(
            Expr::col((scan_hosts::entity::Entity, scan_hosts::entity::Column::EvidenceHash))
                .equals((entity::Entity, Column::Hash)),
        )
        .take();
    let done = entity::Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::Retention.ne("held"))
        .filter(Expr::exists(used).not())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}
