//! Who belongs to which organisation, and as what.

use bartizan_domain::RoleName;
use bartizan_domain::id::{OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoSimpleExpr as _, JoinType,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, RelationTrait as _,
};

use crate::error::parse;
use crate::users::{self, User};
use crate::{Db, Listed, Page, Result, SortDir, page};

/// A user's place in an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub organization_id: OrganizationId,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: RoleName,
    /// Whether the user may work in the organisation.
    pub is_active: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A member: the place and the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The place.
    pub membership: Membership,
    /// The person.
    pub user: User,
}

/// Which members are wanted; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// Part of the name or the mail address.
    pub search: Option<String>,
    /// With this role.
    pub role: Option<RoleName>,
    /// Active, or deactivated.
    pub is_active: Option<bool>,
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub role: String,
        pub is_active: bool,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::users::entity::Entity",
            from = "Column::UserId",
            to = "crate::users::entity::Column::Id"
        )]
        User,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn membership_of(row: &entity::Model) -> Result<Membership> {
    Ok(Membership {
        organization_id: row.organization_id.into(),
        user_id: row.user_id.into(),
        role: parse(&row.role)?,
        is_active: row.is_active,
        created_at: row.created_at,
    })
}

/// Makes a user a member.
///
/// # Errors
/// [`crate::StorageError::Unique`] if the user is one already.
pub async fn insert(db: Db<'_>, membership: &Membership) -> Result<()> {
    let row = entity::ActiveModel {
        organization_id: Set(membership.organization_id.0),
        user_id: Set(membership.user_id.0),
        role: Set(membership.role.as_str().to_owned()),
        is_active: Set(membership.is_active),
        created_at: Set(membership.created_at),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// The memberships of a user in all organisations, oldest first.
///
/// # Errors
/// If the database fails.
pub async fn of_user(db: Db<'_>, id: UserId) -> Result<Vec<Membership>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::UserId.eq(id.0))
        .order_by_asc(entity::Column::CreatedAt)
        .order_by_asc(entity::Column::OrganizationId)
        .all(&db.conn())
        .await?;
    rows.iter().map(membership_of).collect()
}

/// A user's membership in one organisation.
///
/// # Errors
/// If the database fails.
pub async fn membership(db: Db<'_>, organization: OrganizationId, id: UserId) -> Result<Option<Membership>> {
    let row = entity::Entity::find_by_id((organization.0, id.0)).one(&db.conn()).await?;
    row.as_ref().map(membership_of).transpose()
}

/// One member of the organisation.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: UserId) -> Result<Option<Member>> {
    let Some(membership) = membership(db, organization, id).await? else { return Ok(None) };
    Ok(users::get(db, id).await?.map(|user| Member { membership, user }))
}

/// One page of the members, by name.
///
/// # Errors
/// If the database fails.
pub async fn list(
    db: Db<'_>,
    organization: OrganizationId,
    filter: &MemberFilter,
    page: Page,
) -> Result<Listed<Member>> {
    let mut select = entity::Entity::find()
        .join(JoinType::InnerJoin, entity::Relation::User.def())
        .filter(entity::Column::OrganizationId.eq(organization.0));
    if let Some(search) = &filter.search {
        let found = sea_orm::Condition::any()
            .add(page::contains(users::entity::Column::UsernameKey, search))
            .add(page::contains(users::entity::Column::EmailKey, search));
        select = select.filter(found);
    }
    if let Some(role) = &filter.role {
        select = select.filter(entity::Column::Role.eq(role.as_str()));
    }
    if let Some(active) = filter.is_active {
        select = select.filter(entity::Column::IsActive.eq(active));
    }
    let sort = (users::entity::Column::UsernameKey.into_simple_expr(), SortDir::Asc);
    let listed = page::page(&db.conn(), select, sort, entity::Column::UserId, page).await?;
    let ids: Vec<UserId> = listed.rows.iter().map(|row: &entity::Model| row.user_id.into()).collect();
    let people = users::many(db, &ids).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for row in &listed.rows {
        let membership = membership_of(row)?;
        if let Some(user) = people.iter().find(|user| user.id == membership.user_id) {
            rows.push(Member { membership, user: user.clone() });
        }
    }
    Ok(Listed { rows, total: listed.total })
}

/// Active members with this role.
///
/// # Errors
/// If the database fails.
pub async fn count_active(db: Db<'_>, organization: OrganizationId, role: &RoleName) -> Result<u64> {
    let select = entity::Entity::find()
        .filter(entity::Column::OrganizationId.eq(organization.0))
        .filter(entity::Column::Role.eq(role.as_str()))
        .filter(entity::Column::IsActive.eq(true));
    page::count(&db.conn(), &select).await
}

/// Members with this role, deactivated ones as well.
///
/// # Errors
/// If the database fails.
pub async fn count_with(db: Db<'_>, organization: OrganizationId, role: &RoleName) -> Result<u64> {
    let select = entity::Entity::find()
        .filter(entity::Column::OrganizationId.eq(organization.0))
        .filter(entity::Column::Role.eq(role.as_str()));
    page::count(&db.conn(), &select).await
}

/// Changes a member's role and whether the member is active.
///
/// # Errors
/// If the database fails.
pub async fn update(db: Db<'_>, membership: &Membership) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(entity::Column::Role, Expr::value(membership.role.as_str()))
        .col_expr(entity::Column::IsActive, Expr::value(membership.is_active))
        .filter(entity::Column::OrganizationId.eq(membership.organization_id.0))
        .filter(entity::Column::UserId.eq(membership.user_id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Ends a membership.
///
/// # Errors
/// If the database fails.
pub async fn remove(db: Db<'_>, organization: OrganizationId, id: UserId) -> Result<()> {
    entity::Entity::delete_by_id((organization.0, id.0)).exec(&db.conn()).await?;
    Ok(())
}

/// Keeps other transactions from changing the members of the organisation until this one ends.
///
/// # Errors
/// If the database fails.
pub async fn lock(db: Db<'_>, organization: OrganizationId) -> Result<()> {
    db.lock(&format!("members:{organization}")).await
}
