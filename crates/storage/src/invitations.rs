//! Invitations to an organisation. Only the hash of an invitation's token is stored.

use std::str::FromStr;

use bartizan_domain::RoleName;
use bartizan_domain::id::{InvitationId, OrganizationId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, EntityTrait as _, IntoSimpleExpr as _, QueryFilter as _,
};

use crate::error::parse;
use crate::users::key;
use crate::{Db, Listed, Page, Result, SortDir, page};

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Id.
    pub id: InvitationId,
    /// Where to.
    pub organization_id: OrganizationId,
    /// Whom.
    pub email: String,
    /// As what.
    pub role: RoleName,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// By whom.
    pub invited_by: Option<UserId>,
    /// Name of that person at that time.
    pub invited_by_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// By which user.
    pub accepted_by: Option<UserId>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// What became of its mail; `None` if none was to be sent.
    pub mail: Option<MailState>,
    /// Why its mail was not delivered.
    pub mail_error: Option<String>,
}

/// What became of the mail of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// It is on its way.
    Queued,
    /// The mail server took it.
    Sent,
    /// It was given up.
    Failed,
}

impl MailState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for MailState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Queued, Self::Sent, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("unknown state of a mail `{text}`"))
    }
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invitations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub organization_id: Uuid,
        pub email: String,
        pub email_key: String,
        pub role: String,
        pub token_hash: Vec<u8>,
        pub invited_by: Option<Uuid>,
        pub invited_by_name: String,
        pub created_at: DateTimeUtc,
        pub expires_at: DateTimeUtc,
        pub accepted_at: Option<DateTimeUtc>,
        pub accepted_by: Option<Uuid>,
        pub revoked_at: Option<DateTimeUtc>,
        pub mail: Option<String>,
        pub mail_error: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

fn invitation_of(row: entity::Model) -> Result<Invitation> {
    Ok(Invitation {
        id: row.id.into(),
        organization_id: row.organization_id.into(),
        email: row.email,
        role: parse(&row.role)?,
        token_hash: row.token_hash,
        invited_by: row.invited_by.map(Into::into),
        invited_by_name: row.invited_by_name,
        created_at: row.created_at,
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        accepted_by: row.accepted_by.map(Into::into),
        revoked_at: row.revoked_at,
        mail: row.mail.as_deref().map(parse).transpose()?,
        mail_error: row.mail_error,
    })
}

/// Adds an invitation.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: Db<'_>, invitation: &Invitation) -> Result<()> {
    let row = entity::ActiveModel {
        id: Set(invitation.id.0),
        organization_id: Set(invitation.organization_id.0),
        email: Set(invitation.email.clone()),
        email_key: Set(key(&invitation.email)),
        role: Set(invitation.role.as_str().to_owned()),
        token_hash: Set(invitation.token_hash.clone()),
        invited_by: Set(invitation.invited_by.map(|id| id.0)),
        invited_by_name: Set(invitation.invited_by_name.clone()),
        created_at: Set(invitation.created_at),
        expires_at: Set(invitation.expires_at),
        accepted_at: Set(invitation.accepted_at),
        accepted_by: Set(invitation.accepted_by.map(|id| id.0)),
        revoked_at: Set(invitation.revoked_at),
        mail: Set(invitation.mail.map(|state| state.as_str().to_owned())),
        mail_error: Set(invitation.mail_error.clone()),
    };
    row.insert(&db.conn()).await?;
    Ok(())
}

/// One page of the organisation's invitations, newest first.
///
/// # Errors
/// If the database fails.
pub async fn list(db: Db<'_>, organization: OrganizationId, page: Page) -> Result<Listed<Invitation>> {
    let select = entity::Entity::find().filter(Column::OrganizationId.eq(organization.0));
    let sort = (Column::CreatedAt.into_simple_expr(), SortDir::Desc);
    let listed = page::page(&db.conn(), select, sort, Column::Id, page).await?;
    let rows: Result<Vec<Invitation>> = listed.rows.into_iter().map(invitation_of).collect();
    Ok(Listed { rows: rows?, total: listed.total })
}

/// One invitation.
///
/// # Errors
/// If the database fails.
pub async fn get(db: Db<'_>, organization: OrganizationId, id: InvitationId) -> Result<Option<Invitation>> {
    let row =
        entity::Entity::find_by_id(id.0).filter(Column::OrganizationId.eq(organization.0)).one(&db.conn()).await?;
    row.map(invitation_of).transpose()
}

/// The invitation whose token has this hash, whatever organisation it is to.
///
/// # Errors
/// If the database fails.
pub async fn by_token(db: Db<'_>, hash: &[u8]) -> Result<Option<Invitation>> {
    let row = entity::Entity::find().filter(Column::TokenHash.eq(hash.to_vec())).one(&db.conn()).await?;
    row.map(invitation_of).transpose()
}

/// The open invitation of this address to the organisation.
///
/// # Errors
/// If the database fails.
pub async fn open_of(
    db: Db<'_>,
    organization: OrganizationId,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>> {
    let row = open(organization, now).filter(Column::EmailKey.eq(key(email))).one(&db.conn()).await?;
    row.map(invitation_of).transpose()
}

/// Open invitations with this role.
///
/// # Errors
/// If the database fails.
pub async fn count_open_with(
    db: Db<'_>,
    organization: OrganizationId,
    role: &RoleName,
    now: DateTime<Utc>,
) -> Result<u64> {
    page::count(&db.conn(), &open(organization, now).filter(Column::Role.eq(role.as_str()))).await
}

fn open(organization: OrganizationId, now: DateTime<Utc>) -> sea_orm::Select<entity::Entity> {
    entity::Entity::find()
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
}

/// Gives an invitation the token, the end and the state of its mail that it has now; the old token is worth nothing any
/// more.
///
/// # Errors
/// If the database fails.
pub async fn renew(db: Db<'_>, invitation: &Invitation) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::TokenHash, Expr::value(invitation.token_hash.clone()))
        .col_expr(Column::ExpiresAt, Expr::value(invitation.expires_at))
        .col_expr(Column::Mail, Expr::value(invitation.mail.map(MailState::as_str)))
        .col_expr(Column::MailError, Expr::value(invitation.mail_error.clone()))
        .filter(Column::Id.eq(invitation.id.0))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Notes what became of the mail with the token of this hash, unless the invitation has another one by now.
///
/// # Errors
/// If the database fails.
pub async fn note_mail(db: Db<'_>, hash: &[u8], state: MailState, error: Option<&str>) -> Result<()> {
    entity::Entity::update_many()
        .col_expr(Column::Mail, Expr::value(state.as_str()))
        .col_expr(Column::MailError, Expr::value(error))
        .filter(Column::TokenHash.eq(hash.to_vec()))
        .exec(&db.conn())
        .await?;
    Ok(())
}

/// Marks an open invitation as accepted. Says whether it was open: of two who accept one is told no.
///
/// # Errors
/// If the database fails.
pub async fn accept(db: Db<'_>, id: InvitationId, by: UserId, now: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::AcceptedAt, Expr::value(now))
        .col_expr(Column::AcceptedBy, Expr::value(by.0))
        .filter(Column::Id.eq(id.0))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Takes an invitation back that was not accepted. Says whether it could be.
///
/// # Errors
/// If the database fails.
pub async fn revoke(db: Db<'_>, organization: OrganizationId, id: InvitationId, now: DateTime<Utc>) -> Result<bool> {
    let done = entity::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .filter(Column::OrganizationId.eq(organization.0))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Takes back every invitation of every organisation that was not accepted. Says how many.
///
/// # Errors
/// If the database fails.
pub async fn revoke_every(db: Db<'_>, now: DateTime<Utc>) -> Result<u64> {
    let done = entity::Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::AcceptedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .exec(&db.conn())
        .await?;
    Ok(done.rows_affected)
}
