//! What the use cases work with.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bartizan_catalog::Catalog;
use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Clock, Result, Role};
use bartizan_storage::Store;
use secrecy::SecretString;

use crate::context::{Actor, OpContext, Origin, Random};

/// Hashes passwords and compares them, slowly on purpose and never on the caller's thread.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// A PHC string of `password`.
    ///
    /// # Errors
    /// If hashing fails, which is a defect or a lack of memory.
    async fn hash(&self, password: SecretString) -> Result<String>;

    /// Whether `password` belongs to `hash`. With `None` it takes the same time and says no, so that the time does not
    /// tell whether a user exists.
    ///
    /// # Errors
    /// If hashing fails, which is a defect or a lack of memory.
    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool>;
}

/// What is decided once, at start.
#[derive(Debug, Clone, Default)]
pub struct ServicesConfig {
    /// The one-time token that setup asks for; `None` where the server is bound to loopback.
    pub setup_token: Option<SecretString>,
}

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub(crate) store: Store,
    pub(crate) catalog: &'static Catalog,
    pub(crate) passwords: Arc<dyn Passwords>,
    pub(crate) config: Arc<ServicesConfig>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Services {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(
        store: Store,
        catalog: &'static Catalog,
        passwords: Arc<dyn Passwords>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        config: ServicesConfig,
    ) -> Self {
        Self { store, catalog, passwords, config: Arc::new(config), clock, random }
    }

    /// The check catalogue.
    #[must_use]
    pub const fn catalog(&self) -> &'static Catalog {
        self.catalog
    }

    /// The context of a request by nobody in particular: setup, sign-in, health.
    #[must_use]
    pub fn anonymous(&self, origin: Origin) -> OpContext {
        OpContext::new(Actor::Anonymous, None, [], origin, self.sources())
    }

    /// The context of work the program does of itself for an organisation.
    #[must_use]
    pub fn system(&self, name: &'static str, organization: OrganizationId) -> OpContext {
        let origin = Origin { request_id: name.to_owned(), ..Origin::default() };
        OpContext::new(Actor::System(name), Some(organization), Role::Admin.permissions(), origin, self.sources())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`bartizan_domain::Error::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    pub(crate) fn sources(&self) -> (Arc<dyn Clock>, Arc<dyn Random>) {
        (Arc::clone(&self.clock), Arc::clone(&self.random))
    }
}
