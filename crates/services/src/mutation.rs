//! The one way to change something: a transaction that cannot be committed without its audit entry.

use std::sync::Arc;

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Permission, Result};
use bartizan_storage::audit::{self, AuditEntry};
use bartizan_storage::{Db, Tx};
use serde_json::Value;
use tokio::sync::Notify;

use crate::audit_actions::ACTIONS;
use crate::{OpContext, Services};

/// What was done, for the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    action: &'static str,
    noun: &'static str,
    noun_id: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// `action` (`asset.create`) was done to the `noun` (`asset`) with this id.
    pub fn new(action: &'static str, noun: &'static str, noun_id: impl std::fmt::Display) -> Self {
        debug_assert!(ACTIONS.contains(&action), "{action} is to be listed among the actions");
        Self { action, noun, noun_id: noun_id.to_string(), before: None, after: None }
    }

    /// The thing before. Secrets are the caller's to leave out.
    #[must_use]
    pub fn before(mut self, before: Value) -> Self {
        self.before = Some(before);
        self
    }

    /// The thing after. Secrets are the caller's to leave out.
    #[must_use]
    pub fn after(mut self, after: Value) -> Self {
        self.after = Some(after);
        self
    }
}

/// An open change. Dropped, it undoes itself; committed, it leaves an audit entry in the same transaction.
#[derive(Debug)]
pub struct Mutation<'a> {
    cx: &'a OpContext,
    organization: Option<OrganizationId>,
    tx: Tx,
    sealing: Arc<Notify>,
}

impl<'a> Mutation<'a> {
    /// Begins a change that needs `permission`.
    ///
    /// # Errors
    /// If the caller may not, or no transaction is to be had.
    pub(crate) async fn begin(
        cx: &'a OpContext,
        services: &Services,
        permission: Permission,
    ) -> Result<(OrganizationId, Self)> {
        let organization = cx.require(permission)?;
        let tx = services.store.begin().await?;
        let sealing = Arc::clone(&services.sealing);
        Ok((organization, Self { cx, organization: Some(organization), tx, sealing }))
    }

    /// Begins a change that anybody may attempt and that decides by itself: setup, sign-in, one's own session.
    ///
    /// # Errors
    /// If no transaction is to be had.
    pub(crate) async fn begin_open(
        cx: &'a OpContext,
        services: &Services,
        organization: Option<OrganizationId>,
    ) -> Result<Self> {
        let sealing = Arc::clone(&services.sealing);
        Ok(Self { cx, organization, tx: services.store.begin().await?, sealing })
    }

    /// For queries inside the change.
    pub(crate) const fn db(&self) -> Db<'_> {
        self.tx.db()
    }

    /// Puts what the change does besides on record, in the log of the organisation it is done in.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn record(&self, organization: Option<OrganizationId>, change: Change) -> Result<()> {
        let entry = AuditEntry {
            id: self.cx.new_id(),
            organization_id: organization,
            at: self.cx.now(),
            actor_kind: self.cx.actor().kind().to_owned(),
            actor_id: self.cx.actor().user_id(),
            actor_name: self.cx.actor().name().to_owned(),
            ip: self.cx.origin().ip.clone(),
            request_id: self.cx.origin().request_id.clone(),
            action: change.action.to_owned(),
            noun: change.noun.to_owned(),
            noun_id: change.noun_id,
            before: change.before,
            after: change.after,
        };
        Ok(audit::append(self.tx.db(), &entry).await?)
    }

    /// Makes the change last, with its audit entry.
    ///
    /// # Errors
    /// If the database refuses, or the request's `Idempotency-Key` was taken over; then nothing of it lasts.
    pub(crate) async fn commit(self, change: Change) -> Result<()> {
        if let Some(claim) = self.cx.claim() {
            claim.apply(self.tx.db(), &format!("{} {}", change.action, change.noun_id)).await?;
        }
        self.record(self.organization, change).await?;
        self.tx.commit().await?;
        self.sealing.notify_one();
        Ok(())
    }
}
