//! What the use cases work with.

use std::fmt;
use std::sync::Arc;

use bartizan_auth::ldap::Directories;
use bartizan_auth::oidc::{Oidc, Transport};
use bartizan_auth::{KeyRing, Passwords};
use bartizan_catalog::Catalog;
use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Clock, Result, Role};
use bartizan_engine::{Probes, ScanSettings};
use bartizan_jobs::{Process, Queue, Runner, Timing};
use bartizan_storage::Store;
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::auth_config::FromFile;
use crate::context::{Actor, OpContext, Origin, Random};
use crate::housekeeping::{self, Housekeeper};
use crate::live::Live;
use crate::log_level::{self, LogControl};
use crate::mail::GivenMail;
use crate::mail_jobs::Mailer;
use crate::maintenance::{Gate, Remembered};
use crate::scan_job::ScanHandler;
use crate::schedule_fires::Scheduler;
use crate::system::Numbers;

/// The way to the scanned network: makes the probes of one scan. Implemented where the program is put together.
pub trait Network: Send + Sync {
    /// Probes for a scan with these settings. `reach` says which addresses may be contacted.
    ///
    /// # Errors
    /// If this machine cannot scan, for instance because no resolver is configured.
    fn probes(&self, settings: &ScanSettings, reach: Reach) -> Result<Arc<dyn Probes>>;
}

/// Which addresses a scan may contact. Cloud metadata addresses it never may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// Private, loopback and link-local addresses as well.
    Private,
}

/// What is decided once, at start.
#[derive(Debug, Clone, Default)]
pub struct ServicesConfig {
    /// The one-time token that setup asks for; `None` where the server is bound to loopback.
    pub setup_token: Option<SecretString>,
    /// The keys secrets are sealed with; without them, secrets can be neither stored nor used.
    pub secret_keys: Option<KeyRing>,
    /// The mail server, where the operator gives one; then Settings do not.
    pub mail: Option<GivenMail>,
    /// The log of this process, where its level can be changed.
    pub log: Option<Arc<dyn LogControl>>,
    /// How the job runner measures time.
    pub jobs: Timing,
    /// Identity providers that the configuration file describes.
    pub sign_in: FromFile,
}

/// What the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub(crate) store: Store,
    pub(crate) catalog: &'static Catalog,
    pub(crate) passwords: Passwords,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) queue: Queue,
    pub(crate) live: Arc<Live>,
    pub(crate) config: Arc<ServicesConfig>,
    pub(crate) maintenance: Arc<Remembered>,
    pub(crate) numbers: Arc<Numbers>,
    pub(crate) oidc: Arc<Oidc>,
    pub(crate) directories: Directories,
    /// Tells the sealer of the audit log that something was committed.
    pub(crate) sealing: Arc<Notify>,
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
        passwords: Passwords,
        network: Arc<dyn Network>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        config: ServicesConfig,
    ) -> Self {
        Self {
            store,
            catalog,
            passwords,
            network,
            queue: Queue::default(),
            live: Arc::default(),
            config: Arc::new(config),
            maintenance: Arc::default(),
            numbers: Arc::default(),
            oidc: Arc::new(Oidc::new(Transport::new())),
            directories: Directories::new(),
            sealing: Arc::default(),
            clock,
            random,
        }
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

    /// Timers of the program itself, which [`Self::worker`] sets: that of housekeeping.
    pub(crate) const TIMERS: u64 = 1;

    /// The kinds of jobs there are: those [`Self::worker`] has a handler for.
    pub(crate) const fn job_kinds() -> [&'static str; 3] {
        [crate::scan_job::KIND, housekeeping::KIND, crate::mail_jobs::KIND]
    }

    /// The context of who runs the program, at the command line of the machine it is on. What is done so is in the audit
    /// log of the first organisation, once there is one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn administrator(&self) -> Result<OpContext> {
        let organization = bartizan_storage::organizations::first(self.store.read()).await?.map(|first| first.id);
        let origin = Origin { request_id: "admin".to_owned(), ..Origin::default() };
        let permissions = Role::Admin.permissions();
        Ok(OpContext::new(Actor::System("admin"), organization, permissions, origin, self.sources()))
    }

    /// The worker of this process: runs scans and housekeeping until its token fires.
    ///
    /// # Errors
    /// If a timer of ours cannot be parsed, which is a defect.
    pub fn worker(&self, process: Process) -> Result<Runner> {
        let sources = self.clone();
        let new_id = Arc::new(move || sources.anonymous(Origin::default()).new_id());
        let runner = Runner::new(self.store.clone(), self.queue.clone(), Arc::clone(&self.clock), new_id, process)
            .handler(Arc::new(ScanHandler::new(self.clone())))
            .handler(Arc::new(Housekeeper::new(self.clone())))
            .handler(Arc::new(Mailer::new(self.clone())))
            .ticker(Arc::new(Gate::new(self.clone())))
            .ticker(Arc::new(log_level::Follower::new(self.clone())))
            .ticker(Arc::new(Scheduler::new(self.clone())))
            .timing(self.config.jobs)
            .timer(housekeeping::timer()?);
        Ok(runner)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`bartizan_domain::Error::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// Closes the database.
    ///
    /// # Errors
    /// If it cannot be closed in an orderly way.
    pub async fn close(&self) -> Result<()> {
        Ok(self.store.close().await?)
    }

    pub(crate) fn sources(&self) -> (Arc<dyn Clock>, Arc<dyn Random>) {
        (Arc::clone(&self.clock), Arc::clone(&self.random))
    }
}
