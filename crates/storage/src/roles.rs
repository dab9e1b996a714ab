//! Roles that an organisation made of permissions. Built-in roles have no row.

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Permission, RoleName};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use serde_json::Value;

use crate::error::parse;
use crate::{Db, Result};

/// One role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// Whose.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organisation.
    pub name: RoleName,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "roles")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub description: String,
        pub permissions: Json,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The stored form of a set of permissions.
pub(crate) fn to_json(permissions: &[Permission]) -> Value {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

/// Reads a stored set; a permission that this program no longer knows is left out.
pub(crate) fn from_json(value: &Value) -> Vec<Permission> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str()?.parse().ok()).collect()
}

fn role_of(row: &entity::Model) -> Result<CustomRole> {
    Ok(CustomRole {
        organization_id: row.organization_id.into(),
        name: parse(&row.name)?,
        description: row.description.clone(),
        permissions: from_json(&row.permissions),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The roles of the organisation, by name.
///
/// # Errors
/// If the database fails.
pub async fn all(db: Db<'_>, organization: OrganizationId) -> Result<Vec<CustomRole>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::OrganizationId.eq(organization.0))
        .order_by_asc(entity::Column::Name)
        .all(&db.conn())
        .await?;
    rows.iter().map(role_of).collect()
}

/// One role.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, name: &RoleName) -> Result<Option<CustomRole>> {
    let row = entity::Entity::find_by_id((organization.0, name.as_str().to_owned())).one(&db.conn()).await?;
    row.as_ref().map(role_of).transpose()
}

/// Adds a role.
///
/// # Errors
/// [`crate::StorageError::Unique`] if the name is taken.
pub async fn insert(db: Db<'_>, role: &CustomRole) -> Result<()> {
    let row = entity::ActiveModel {
        organization_id: Set(role.organization_id.0),
        name: Set(role.name.as_str().to_owned()),
        description: Set(role.description.clone()),
        permissions: Set(to_json(&role.permissions)),
        created_at: Set(role.created_at),
        updated_at: Set(role.updated_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// Changes what a role is for and may do.
///
/// # Errors
/// If the database fails.
pub async fn update(db: Db<'_>, role: &CustomRole) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Description, Expr::value(role.description.as_str()))
        .col_expr(entity::Column::Permissions, Expr::value(to_json(&role.permissions)))
        .col_expr(entity::Column::UpdatedAt, Expr::value(role.updated_at))
        .filter(entity::Column::OrganizationId.eq(role.organization_id.0))
        .filter(entity::Column::Name.eq(role.name.as_str()))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Removes a role.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, name: &RoleName) -> Result<()> {
    entity::Entity::delete_by_id((organization.0, name.as_str().to_owned())).exec(&db.conn()).await?;
    Ok(())
}
