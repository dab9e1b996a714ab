//! What is sent by mail, as durable jobs: queued in the transaction that causes the letter, tried again with back-off
//! while the mail server is away, and given up at once when it refuses for good.
//!
//! A link's token stands in its job only sealed, with the key that seals other secrets. A job is the same letter however
//! often it is tried: the same link, and the same message id, so that a mailbox can tell a repetition.
//!
//! Whoever asks for a new password learns nothing: the request does the same work whatever address it names, and the
//! job finds out afterwards whether there is an account.

use async_trait::async_trait;
use bartizan_domain::id::{InvitationId, JobId, OrganizationId, UserId};
use bartizan_domain::{Error, Result};
use bartizan_jobs::{Control, Handler, Job, NewJob, Outcome, StopReason, enqueue};
use bartizan_notify::{Letter, Subject};
use bartizan_storage::invitations::{self, MailState};
use bartizan_storage::{Db, organizations, passwords as resets, users};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::auth::token_hash;
use crate::invitations::InvitationStatus;
use crate::mail::{self, SendError};
use crate::{OpContext, Origin, Services, passwords, secrets};

/// Kind of the job.
pub(crate) const KIND: &str = "mail";
/// How often a letter is tried: with the queue's back-off, for about four hours.
const ATTEMPTS: i32 = 30;
/// Letters on their way at a time in one process: a slow mail server must not hold up every other one.
const AT_ONCE: usize = 2;

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
enum Payload {
    /// The link of an invitation.
    Invitation { organization_id: OrganizationId, invitation_id: InvitationId, token: String },
    /// Somebody asked for a new password for the account with this address, if there is one.
    PasswordForgotten { email: String, ip: Option<String>, request_id: String },
    /// The link for a new password.
    PasswordReset { user_id: UserId, token: String },
    /// Word that a password was changed.
    PasswordChanged { user_id: UserId, at: DateTime<Utc>, ip: Option<String> },
}

/// Has the link of an invitation sent, in the caller's transaction.
pub(crate) async fn invitation(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    invitation: &invitations::Invitation,
    token: &SecretString,
) -> Result<()> {
    let id: JobId = cx.new_id();
    let payload = Payload::Invitation {
        organization_id: invitation.organization_id,
        invitation_id: invitation.id,
        token: secrets::seal_text(services, token, &place(id))?,
    };
    queue(cx, db, id, &payload, Queued { organization: Some(invitation.organization_id), key: None }).await
}

/// Has the link for a new password sent, in the caller's transaction. The job is the organisation's, since what a mail
/// server answers may name the address.
pub(crate) async fn password_reset(
    cx: &OpContext,
    services: &Services,
    db: Db<'_>,
    (organization, user): (Option<OrganizationId>, UserId),
    token: &SecretString,
) -> Result<()> {
    let id: JobId = cx.new_id();
    let payload = Payload::PasswordReset { user_id: user, token: secrets::seal_text(services, token, &place(id))? };
    queue(cx, db, id, &payload, Queued { organization, key: None }).await
}

/// Has word sent that a password was changed, in the caller's transaction.
pub(crate) async fn password_changed(
    cx: &OpContext,
    db: Db<'_>,
    (organization, user): (Option<OrganizationId>, UserId),
) -> Result<()> {
    let payload = Payload::PasswordChanged { user_id: user, at: cx.now(), ip: cx.origin().ip.clone() };
    queue(cx, db, cx.new_id(), &payload, Queued { organization, key: None }).await
}

/// Has it looked up whether there is an account with this address, and a link sent if so. While one request for the
/// address waits, further ones are the same. A record of nobody's: who asked is not known, and what is asked for changes
/// nothing yet.
pub(crate) async fn password_forgotten(cx: &OpContext, services: &Services, email: &str) -> Result<()> {
    let email = email.trim().to_lowercase();
    let id: JobId = cx.new_id();
    let key = Some(format!("forgotten:{}", hex::encode(Sha256::digest(email.as_bytes()))));
    let payload = Payload::PasswordForgotten {
        email: secrets::seal_text(services, &email.into(), &place(id))?,
        ip: cx.origin().ip.clone(),
        request_id: cx.origin().request_id.clone(),
    };
    let tx = services.store.begin().await?;
    queue(cx, tx.db(), id, &payload, Queued { organization: None, key }).await?;
    tx.commit().await?;
    services.queue.wake();
    Ok(())
}

#[derive(Debug)]
struct Queued {
    organization: Option<OrganizationId>,
    key: Option<String>,
}

async fn queue(cx: &OpContext, db: Db<'_>, id: JobId, payload: &Payload, how: Queued) -> Result<()> {
    let payload = serde_json::to_value(payload).map_err(Error::internal)?;
    let job = NewJob {
        organization_id: how.organization,
        dedupe_key: how.key,
        max_attempts: ATTEMPTS,
        ..NewJob::new(KIND, payload)
    };
    enqueue(db, id, job, cx.now()).await?;
    Ok(())
}

/// What is sealed in letters that may still be sent.
pub(crate) async fn sealed(db: Db<'_>) -> Result<Vec<String>> {
    let letters = bartizan_storage::jobs::payloads(db, KIND).await?;
    let sealed = |letter| match serde_json::from_value(letter) {
        Ok(Payload::Invitation { token, .. } | Payload::PasswordReset { token, .. }) => Some(token),
        Ok(Payload::PasswordForgotten { email, .. }) => Some(email),
        Ok(Payload::PasswordChanged { .. }) | Err(_) => None,
    };
    Ok(letters.into_iter().filter_map(sealed).collect())
}

/// Where a job's secret is sealed for.
fn place(id: JobId) -> String {
    format!("jobs/{id}")
}

/// How an attempt ended.
enum Attempt {
    /// The letter is delivered, or has no sense any more.
    Done,
    /// The mail server is away or busy.
    Again(SendError),
    /// It will never work.
    Never(String),
}

/// Sends queued letters.
pub(crate) struct Mailer {
    services: Services,
}

impl Mailer {
    pub(crate) const fn new(services: Services) -> Self {
        Self { services }
    }

    async fn attempt(&self, job: &Job) -> Result<Attempt> {
        let payload: Payload = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
        match payload {
            Payload::PasswordForgotten { email, ip, request_id } => {
                let email = self.opened(job, &email)?;
                let cx = self.services.anonymous(Origin { request_id, ip, user_agent: None });
                passwords::issue_reset(&cx, &self.services, email.expose_secret()).await?;
                Ok(Attempt::Done)
            }
            Payload::Invitation { organization_id, invitation_id, token } => {
                self.invite(job, (organization_id, invitation_id), &self.opened(job, &token)?).await
            }
            Payload::PasswordReset { user_id, token } => self.reset(job, user_id, &self.opened(job, &token)?).await,
            Payload::PasswordChanged { user_id, at, ip } => {
                let Some(user) = users::get(self.services.store.read(), user_id).await? else {
                    return Ok(Attempt::Done);
                };
                let username = user.username.as_str();
                let letter = Letter::new(&Subject::PasswordChanged { username, at, from: ip.as_deref() });
                self.send(job, &user.email, |_| letter).await
            }
        }
    }

    fn opened(&self, job: &Job, sealed: &str) -> Result<SecretString> {
        secrets::open_text(&self.services, sealed, &place(job.id))
    }

    async fn invite(
        &self,
        job: &Job,
        (organization, id): (OrganizationId, InvitationId),
        token: &SecretString,
    ) -> Result<Attempt> {
        let db = self.services.store.read();
        let hash = token_hash(token.expose_secret());
        let cx = self.services.anonymous(Origin::default());
        let found = invitations::get(db, organization, id).await?;
        let found = found.filter(|found| {
            found.token_hash == hash && crate::invitations::status(&cx, found) == InvitationStatus::Pending
        });
        let (Some(found), Some(place)) = (found, organizations::get(db, organization).await?) else {
            return Ok(Attempt::Done);
        };
        let attempt = self
            .send(job, &found.email, |post| {
                Letter::new(&Subject::Invitation {
                    organization: &place.name,
                    by: &found.invited_by_name,
                    role: found.role.as_str(),
                    link: &post.link(&format!("/ui/invitation#{}", token.expose_secret())),
                    until: found.expires_at,
                })
            })
            .await?;
        let (state, error) = match &attempt {
            Attempt::Done => (MailState::Sent, None),
            Attempt::Again(error) if job.attempts < job.max_attempts => (MailState::Queued, Some(error.to_string())),
            Attempt::Again(error) => (MailState::Failed, Some(error.to_string())),
            Attempt::Never(why) => (MailState::Failed, Some(why.clone())),
        };
        let tx = self.services.store.begin().await?;
        invitations::note_mail(tx.db(), &hash, state, error.as_deref()).await?;
        tx.commit().await?;
        Ok(attempt)
    }

    async fn reset(&self, job: &Job, user: UserId, token: &SecretString) -> Result<Attempt> {
        let db = self.services.store.read();
        let now = self.services.anonymous(Origin::default()).now();
        let found = resets::reset(db, &token_hash(token.expose_secret())).await?;
        let found = found.filter(|found| found.used_at.is_none() && found.expires_at > now);
        let (Some(found), Some(user)) = (found, users::get(db, user).await?) else { return Ok(Attempt::Done) };
        self.send(job, &user.email, |post| {
            Letter::new(&Subject::PasswordReset {
                username: &user.username,
                link: &post.link(&format!("/ui/reset-password#token={}", token.expose_secret())),
                until: found.expires_at,
            })
        })
        .await
    }

    async fn send(&self, job: &Job, to: &str, letter: impl FnOnce(&mail::Post) -> Letter) -> Result<Attempt> {
        let Some(post) = mail::post_if_on(&self.services).await? else {
            return Ok(Attempt::Never("mail was switched off before the letter was sent".to_owned()));
        };
        let sent = post.send(to, letter(&post), &job.id.to_string(), job.created_at).await;
        Ok(match sent {
            Ok(()) => Attempt::Done,
            Err(error) if error.permanent => Attempt::Never(error.to_string()),
            Err(error) => Attempt::Again(error),
        })
    }
}

#[async_trait]
impl Handler for Mailer {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn concurrency(&self) -> usize {
        AT_ONCE
    }

    async fn run(&self, job: &Job, control: &Control) -> Outcome {
        let attempt = tokio::select! {
            attempt = self.attempt(job) => attempt,
            () = control.token().cancelled() => {
                let asked = control.stop_reason() == Some(StopReason::Cancelled);
                return if asked { Outcome::Cancelled } else { Outcome::Released };
            }
        };
        match attempt {
            Ok(Attempt::Done) => Outcome::Done,
            Ok(Attempt::Never(why)) => {
                tracing::warn!(job = %job.id, why, "a letter cannot be delivered");
                Outcome::Failed(why)
            }
            Ok(Attempt::Again(error)) => {
                tracing::warn!(job = %job.id, %error, "a letter was not delivered and will be tried again");
                Outcome::Retry(error.to_string())
            }
            Err(error) => {
                let detail = error.internal_context().map_or_else(|| error.to_string(), str::to_owned);
                tracing::error!(job = %job.id, error = detail, "a letter could not be written");
                Outcome::Retry(error.to_string())
            }
        }
    }
}
