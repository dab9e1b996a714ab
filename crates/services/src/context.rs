//! Who asks for what, when: the first argument of every use case.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bartizan_domain::id::{ApiKeyId, OrganizationId, SessionId, UserId};
use bartizan_domain::{Clock, Error, Permission, Result};
use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use crate::idempotency::Claim;

/// Where random bytes come from. Implemented by the composition root, so that tests can repeat themselves.
pub trait Random: Send + Sync {
    /// Fills `bytes` with bytes nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// On whose behalf something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is signed in.
    Anonymous,
    /// A person or service account.
    User {
        /// Who.
        id: UserId,
        /// Name as shown.
        username: String,
        /// The session of the request; `None` for requests by key.
        session: Option<SessionId>,
        /// The API key of the request; `None` for requests of a session.
        key: Option<ApiKeyId>,
    },
    /// The program itself: `scan`, `housekeeping`.
    System(&'static str),
}

impl Actor {
    /// The kind as recorded: `anonymous`, `user`, `api_key`, `system`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User { key: Some(_), .. } => "api_key",
            Self::User { .. } => "user",
            Self::System(_) => "system",
        }
    }

    /// The user, if it is one.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The name as shown and recorded.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User { username, .. } => username,
            Self::System(name) => name,
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the request, in logs and in the audit trail.
    pub request_id: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// Who asks, for which organisation, with which permissions, and the clock and randomness of the request.
#[derive(Clone)]
pub struct OpContext {
    actor: Actor,
    organization: Option<OrganizationId>,
    permissions: BTreeSet<Permission>,
    origin: Origin,
    claim: Option<Claim>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for OpContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpContext")
            .field("actor", &self.actor)
            .field("organization", &self.organization)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl OpContext {
    pub(crate) fn new(
        actor: Actor,
        organization: Option<OrganizationId>,
        permissions: impl IntoIterator<Item = Permission>,
        origin: Origin,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        Self { actor, organization, permissions: permissions.into_iter().collect(), origin, claim: None, clock, random }
    }

    /// The same context under the claim of an `Idempotency-Key`: what is changed notes that in its transaction.
    #[must_use]
    pub fn under(self, claim: Claim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    pub(crate) const fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// Who asks.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Where the request came from.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether the caller holds `permission`.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        let may = self.permissions.contains(&permission);
        if may && let Some(claim) = &self.claim {
            claim.needs(permission);
        }
        may
    }

    /// The permissions of the caller, in order.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        self.permissions.iter().copied()
    }

    /// The caller's organisation, if it holds `permission` there.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody, [`Error::Forbidden`] without the permission.
    pub fn require(&self, permission: Permission) -> Result<OrganizationId> {
        let organization = self.organization()?;
        if self.may(permission) {
            Ok(organization)
        } else {
            Err(Error::Forbidden(format!("Missing permission {permission}")))
        }
    }

    /// The caller's organisation, whatever the caller may do there.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody.
    pub fn organization(&self) -> Result<OrganizationId> {
        self.organization.ok_or_else(|| Error::Unauthenticated("Not authenticated".to_owned()))
    }

    /// The user who asks, in person or by key.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if it is no user.
    pub fn user(&self) -> Result<UserId> {
        self.actor.user_id().ok_or_else(|| Error::Unauthenticated("Not authenticated".to_owned()))
    }

    /// The user who asks in person, signed in with a session. What guards an account is not for keys: one that leaks
    /// must not be able to outlive its revocation.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if it is no user, [`Error::Forbidden`] for an API key.
    pub fn person(&self) -> Result<(UserId, SessionId)> {
        match &self.actor {
            Actor::User { id, session: Some(session), .. } => Ok((*id, *session)),
            Actor::User { .. } => Err(Error::Forbidden("This is not for API keys; sign in to do it".to_owned())),
            _ => Err(Error::Unauthenticated("Not authenticated".to_owned())),
        }
    }

    pub(crate) const fn organization_if_any(&self) -> Option<OrganizationId> {
        self.organization
    }

    /// The current instant in whole microseconds, which is what both databases keep.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// A new UUID, version 7: it sorts by time.
    #[must_use]
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into()
    }

    /// Random bytes.
    #[must_use]
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}
