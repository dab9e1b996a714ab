//! Organisations: the tenants.

use bartizan_domain::id::OrganizationId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};

use crate::{Db, Result, page};

/// One organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Id.
    pub id: OrganizationId,
    /// Name as shown.
    pub name: String,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
}

/// Which organisation the installation belongs to: one row.
mod first_organization {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "first_organization")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub one: i32,
        pub organization_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organizations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<entity::Model> for Organization {
    fn from(row: entity::Model) -> Self {
        Self { id: row.id.into(), name: row.name, created_at: row.created_at }
    }
}

/// Adds an organisation. The first one that is added is the installation's for good.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, organization: &Organization) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(organization.id.0),
        name: Set(organization.name.clone()),
        created_at: Set(organization.created_at),
    };
    row.insert(&db.conn()).await?;
    let first = first_organization::ActiveModel { one: Set(1), organization_id: Set(organization.id.0) };
    first_organization::Entity::insert(first)
        .on_conflict(OnConflict::column(first_organization::Column::One).do_nothing().to_owned())
        .exec_without_returning(&db.conn())
        .await?;
    Ok(())
}

/// One organisation.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, id: OrganizationId) -> Result<Option<Organization>> {
    Ok(entity::Entity::find_by_id(id.0).one(&db.conn()).await?.map(Into::into))
}

/// Every organisation, oldest first: for housekeeping that walks over all of them.
///
/// # Errors
/// If the database fails.
pub async fn all(db: Db<'_>) -> Result<Vec<Organization>> {
    let rows = entity::Entity::find().order_by_asc(entity::Column::Id).all(&db.conn()).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many there are.
///
/// # Errors
/// If the database fails.
pub async fn count(db: Db<'_>) -> Result<u64> {
    page::count(&db.conn(), &entity::Entity::find()).await
}

/// Those of these organisations that exist, by name.
///
/// # Errors
/// If the database fails.
pub async fn many(db: Db<'_>, ids: &[OrganizationId]) -> Result<Vec<Organization>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(entity::Column::Name)
        .order_by_asc(entity::Column::Id)
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The organisation that setup made: how people sign in and how mail is sent are its settings.
///
/// # Errors
/// If the database fails.
pub async fn first(db: Db<'_>) -> Result<Option<Organization>> {
    let first =
        Query::select().column(first_organization::Column::OrganizationId).from(first_organization::Entity).take();
    let found = entity::Entity::find().filter(entity::Column::Id.in_subquery(first)).one(&db.conn()).await?;
    Ok(found.map(Into::into))
}

/// Renames an organisation.
///
/// # Errors
/// If the database fails.
pub async fn rename(db: Db<'_>, id: OrganizationId, name: &str) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Name, Expr::value(name))
        .filter(entity::Column::Id.eq(id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}
