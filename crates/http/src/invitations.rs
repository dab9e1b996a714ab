//! Invitations to the organisation.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bartizan_domain::id::{InvitationId, OrganizationId};
use bartizan_domain::{Role, RoleName};
use bartizan_services::{OpContext, invitations};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::auth::{LoginResponse, login_response};
use crate::caller::{Caller, SignInAttempt};
use crate::error::{ApiResult, ChangeErrors, CreateErrors, ItemErrors, Problem, PublicErrors, ReadErrors};
use crate::extract::{Body, Listing, NoFilter, PageParams, Path, Query};
use crate::wire::{PageOf, Person, location};

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(get_invitation, delete_invitation))
        .routes(routes!(resend_invitation))
        .routes(routes!(preview_invitation))
        .routes(routes!(accept_invitation))
        .routes(routes!(join_organization))
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

/// What became of the mail of an invitation.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationMail {
    /// It is on its way.
    Queued,
    /// The mail server took it.
    Sent,
    /// It was given up; `mail_error` says why.
    Failed,
}

impl From<invitations::MailState> for InvitationMail {
    fn from(state: invitations::MailState) -> Self {
        match state {
            invitations::MailState::Queued => Self::Queued,
            invitations::MailState::Sent => Self::Sent,
            invitations::MailState::Failed => Self::Failed,
        }
    }
}

impl From<invitations::InvitationStatus> for InvitationStatus {
    fn from(status: invitations::InvitationStatus) -> Self {
        match status {
            invitations::InvitationStatus::Pending => Self::Pending,
            invitations::InvitationStatus::Accepted => Self::Accepted,
            invitations::InvitationStatus::Revoked => Self::Revoked,
            invitations::InvitationStatus::Expired => Self::Expired,
        }
    }
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55", "email": "ada@example.com",
    "role": "analyst", "status": "pending",
    "invited_by": {"id": "550e8400-e29b-41d4-a716-446655440000", "username": "admin"},
    "created_at": "2026-11-20T08:00:00Z", "expires_at": "2026-11-27T08:00:00Z", "accepted_at": null,
    "mail": "sent", "mail_error": null}))]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: RoleName,
    /// Where it stands.
    pub status: InvitationStatus,
    /// By whom.
    pub invited_by: Person,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When its link ends.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// What became of its mail; `null` if its link was handed over.
    pub mail: Option<InvitationMail>,
    /// Why its mail was not delivered, so far or at all.
    pub mail_error: Option<String>,
}

/// An invitation with its link, if it is not on its way by mail: then it is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationIssued {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// What proves it, for `POST /api/auth/invitation`; `null` if it is sent by mail.
    #[schema(example = "6f1c…")]
    pub token: Option<String>,
    /// Page of the web interface that accepts it; put the server's address in front. `null` if it is sent by mail.
    #[schema(example = "/ui/invitation#6f1c…")]
    pub link: Option<String>,
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "role": "analyst"}))]
pub struct InvitationCreate {
    /// E-mail address.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
    /// Role in the organisation. Left out: `read_only`.
    #[serde(default = "least")]
    #[schema(value_type = String, required = false, default = "read_only")]
    pub role: RoleName,
    /// Whether the link is sent by mail, where a mail server is set. Left out: it is.
    #[serde(default = "by_mail")]
    #[schema(required = false, default = true)]
    pub send_mail: bool,
}

/// How the new link gets to whom it is for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResendParams {
    /// Whether the link is sent by mail, where a mail server is set. Left out: it is.
    #[serde(default = "by_mail")]
    #[param(required = false, default = true)]
    pub send_mail: bool,
}

const fn by_mail() -> bool {
    true
}

const fn way(send_mail: bool) -> invitations::By {
    if send_mail { invitations::By::Mail } else { invitations::By::Hand }
}

fn least() -> RoleName {
    Role::ReadOnly.into()
}

/// The token of a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "6f1c"}))]
pub struct InvitationToken {
    /// The part of the link after `#`.
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
}

/// What a link is to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"organization": "Example Ltd", "email": "ada@example.com", "role": "analyst",
    "has_account": false}))]
pub struct InvitationPreview {
    /// Name of the organisation.
    pub organization: String,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: RoleName,
    /// Whether there is an account with the address: then its owner signs in and calls `POST /api/invitations/join`.
    pub has_account: bool,
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "6f1c", "username": "ada", "password": "correct horse battery"}))]
pub struct InvitationAccept {
    /// The part of the link after `#`.
    #[schema(value_type = String, max_length = 200)]
    pub token: SecretString,
    /// Name to sign in with, without spaces and `@`.
    #[schema(min_length = 1, max_length = 64)]
    pub username: String,
    /// Password: at least 8 characters, not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 1024)]
    pub password: SecretString,
}

/// Where one joined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"organization_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"}))]
pub struct Joined {
    /// The organisation; `POST /api/auth/switch` goes there.
    pub organization_id: OrganizationId,
}

fn shown(cx: &OpContext, found: invitations::Invitation) -> Invitation {
    Invitation {
        status: invitations::status(cx, &found).into(),
        id: found.id,
        email: found.email,
        role: found.role,
        invited_by: Person { id: found.invited_by, username: found.invited_by_name },
        created_at: found.created_at,
        expires_at: found.expires_at,
        accepted_at: found.accepted_at,
        mail: found.mail.map(Into::into),
        mail_error: found.mail_error,
    }
}

fn issued(cx: &OpContext, issued: invitations::Issued) -> InvitationIssued {
    let by_hand = issued.invitation.mail.is_none();
    let token = by_hand.then(|| issued.token.expose_secret().to_owned());
    // After the hash sign: browsers keep that part to themselves, so that it stands in no server's log.
    InvitationIssued {
        invitation: shown(cx, issued.invitation),
        link: token.as_ref().map(|token| format!("/ui/invitation#{token}")),
        token,
    }
}

/// Lists invitations, newest first.
///
/// Needs `members.manage`.
#[utoipa::path(get, path = "/api/invitations", operation_id = "list_invitations", tag = "members",
    params(PageParams), responses((status = 200, body = PageOf<Invitation>), ReadErrors))]
async fn list_invitations(
    State(state): State<AppState>,
    caller: Caller,
    list: Listing<NoFilter>,
) -> ApiResult<Json<PageOf<Invitation>>> {
    let found = invitations::list(&caller.cx, state.services(), list.page.into()).await?;
    Ok(Json(PageOf::of(found, list.page, |invitation| shown(&caller.cx, invitation))))
}

/// Invites somebody by e-mail address.
///
/// Needs `members.manage`, and every permission of the role. Where a mail server is set, the link is sent
/// by mail and `mail` tells what becomes of it; else the answer holds the link, this once: hand it on.
#[utoipa::path(post, path = "/api/invitations", operation_id = "create_invitation", tag = "members",
    params(crate::idempotency::IdempotencyHeader), request_body = InvitationCreate,
    responses((status = 201, body = InvitationIssued, headers(("Location" = String, description = "The invitation."))),
        CreateErrors))]
async fn create_invitation(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<InvitationCreate>,
) -> ApiResult<(StatusCode, HeaderMap, Json<InvitationIssued>)> {
    let new = invitations::create(&caller.cx, state.services(), &body.email, body.role, way(body.send_mail)).await?;
    let headers = location(&format!("/api/invitations/{}", new.invitation.id));
    Ok((StatusCode::CREATED, headers, Json(issued(&caller.cx, new))))
}

/// Reads an invitation.
///
/// Needs `members.manage`.
#[utoipa::path(get, path = "/api/invitations/{invitation_id}", operation_id = "get_invitation", tag = "members",
    params(("invitation_id" = InvitationId, Path, description = "The invitation.")),
    responses((status = 200, body = Invitation), ItemErrors))]
async fn get_invitation(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<InvitationId>,
) -> ApiResult<Json<Invitation>> {
    Ok(Json(shown(&caller.cx, invitations::get(&caller.cx, state.services(), id).await?)))
}

/// Takes an invitation back.
///
/// Needs `members.manage`. Its link is worth nothing any more.
#[utoipa::path(delete, path = "/api/invitations/{invitation_id}", operation_id = "delete_invitation", tag = "members",
    params(("invitation_id" = InvitationId, Path, description = "The invitation.")),
    responses((status = 204, description = "Taken back."), ChangeErrors))]
async fn delete_invitation(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<InvitationId>,
) -> ApiResult<StatusCode> {
    invitations::revoke(&caller.cx, state.services(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new link for an invitation.
///
/// Needs `members.manage`. The old link is worth nothing any more. The new one is sent by mail where a mail server is
/// set and `send_mail` is not `false`; else the answer holds it, this once.
#[utoipa::path(post, path = "/api/invitations/{invitation_id}/resend", operation_id = "resend_invitation",
    tag = "members", params(crate::idempotency::IdempotencyHeader, ("invitation_id" = InvitationId, Path, description = "The invitation."), ResendParams),
    responses((status = 200, body = InvitationIssued), ChangeErrors))]
async fn resend_invitation(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<InvitationId>,
    Query(params): Query<ResendParams>,
) -> ApiResult<Json<InvitationIssued>> {
    let new = invitations::resend(&caller.cx, state.services(), id, way(params.send_mail)).await?;
    Ok(Json(issued(&caller.cx, new)))
}

/// Says what the link of an invitation is to.
///
/// Public, and counted like a sign-in.
#[utoipa::path(post, path = "/api/auth/invitation/preview", operation_id = "preview_invitation", tag = "auth",
    security(()), request_body = InvitationToken,
    responses((status = 200, body = InvitationPreview),
        (status = 404, body = Problem, description = "The link is not good: unknown, used, taken back or too old."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        PublicErrors))]
async fn preview_invitation(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Body(body): Body<InvitationToken>,
) -> ApiResult<Json<InvitationPreview>> {
    let found = invitations::preview(&cx, state.services(), &body.token).await?;
    Ok(Json(InvitationPreview {
        organization: found.organization,
        email: found.email,
        role: found.role,
        has_account: found.has_account,
    }))
}

/// Accepts an invitation with a new account, and signs it in.
///
/// Public, and counted like a sign-in. Somebody with an account signs in and joins instead.
#[utoipa::path(post, path = "/api/auth/invitation", operation_id = "accept_invitation", tag = "auth", security(()),
    request_body = InvitationAccept,
    responses((status = 201, body = LoginResponse),
        (status = 404, body = Problem, description = "The link is not good: unknown, used, taken back or too old."),
        (status = 409, body = Problem, description = "The name is taken, or the address has an account."),
        (status = 413, body = Problem, description = "The body is too large."),
        (status = 415, body = Problem, description = "The body is not JSON."),
        PublicErrors))]
async fn accept_invitation(
    State(state): State<AppState>,
    SignInAttempt(cx): SignInAttempt,
    Body(body): Body<InvitationAccept>,
) -> ApiResult<(StatusCode, Json<LoginResponse>)> {
    let accepted = invitations::accept(&cx, state.services(), &body.token, &body.username, body.password).await?;
    Ok((StatusCode::CREATED, Json(login_response(&state, &cx, accepted).await?)))
}

/// Joins an organisation with an invitation to one's own address.
///
/// Any signed-in user may. Not for API keys.
#[utoipa::path(post, path = "/api/invitations/join", operation_id = "join_organization", tag = "members",
    request_body = InvitationToken, responses((status = 200, body = Joined), ChangeErrors))]
async fn join_organization(
    State(state): State<AppState>,
    caller: Caller,
    Body(body): Body<InvitationToken>,
) -> ApiResult<Json<Joined>> {
    let organization_id = invitations::join(&caller.cx, state.services(), &body.token).await?;
    Ok(Json(Joined { organization_id }))
}
