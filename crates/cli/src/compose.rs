//! Where the layers are put together, for every command that needs the database: it is opened here, and clock,
//! randomness, keys and the way to the network are made.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bartizan_auth::{KeyRing, Passwords};
use bartizan_catalog::Catalog;
use bartizan_domain::Clock;
use bartizan_engine::{NetworkProbes, Probes, ScanSettings};
use bartizan_http::AppState;
use bartizan_services::key_check::{self, ForeignKeys, KeyCheck};
use bartizan_services::workers::{Process, ProcessKind};
use bartizan_services::{Network, Random, Reach, Services, ServicesConfig, Timing, audit};
use bartizan_storage::Store;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::{JobArgs, LogFormat, MonitoringArgs, NetworkArgs, ServerArgs};
use crate::clock;
use crate::network::{self, Private};
use crate::terminal::say;

/// The use cases on an open database.
pub async fn services(store: Store, network: &NetworkArgs, config: ServicesConfig) -> Result<Services> {
    let sources: (Arc<dyn Clock>, Arc<dyn Random>) = (clock::of(&store).await?, Arc::new(SystemRandom));
    let way_out = Arc::new(WayOut { args: network.clone() });
    Ok(Services::new(store, Catalog::builtin(), Passwords::new(), way_out, sources, config))
}

/// The keys that secrets are sealed with: of the environment, or of a file.
pub fn secret_keys(args: &ServerArgs) -> Result<KeyRing> {
    match (&args.secret_key, &args.secret_key_file) {
        (Some(_), Some(_)) => bail!("give BARTIZAN_SECRET_KEY or BARTIZAN_SECRET_KEY_FILE, not both"),
        (Some(text), None) => KeyRing::from_text(&text.0).context("BARTIZAN_SECRET_KEY"),
        (None, Some(file)) => Ok(KeyRing::load_or_create(file)?),
        (None, None) => Ok(KeyRing::load_or_create(&args.data_dir.join("secret.key"))?),
    }
}

/// Refuses to work with keys that are not those of the servers on this database. `signing_key` is the fingerprint of the
/// key of a server that others must be able to check tokens of.
pub async fn check_keys(services: &Services, signing_key: Option<&str>, foreign: ForeignKeys) -> Result<()> {
    let checked = async {
        let cx = services.administrator().await?;
        key_check::check(&cx, services, signing_key, foreign).await
    };
    let failed = |error: bartizan_domain::Error| {
        anyhow::anyhow!("checking the keys: {}", error.internal_context().unwrap_or("failed"))
    };
    match checked.await.map_err(failed)? {
        KeyCheck::Known => Ok(()),
        KeyCheck::ForeignSecretKey(id) => bail!(
            "the secrets in the database are sealed with the key {id}, which is not at hand: put the `secret.key` of its \
             servers into the data folder (or set BARTIZAN_SECRET_KEY_FILE or BARTIZAN_SECRET_KEY); if that key is lost, \
             start once with `serve --accept-new-keys` and enter the secrets again"
        ),
        KeyCheck::ForeignSigningKey => bail!(
            "the servers on this database sign with another key: put their `signing.key` into the data folder; to sign \
             with this one from now on, stop them and start once with `serve --accept-new-keys`"
        ),
    }
}

/// The way out of a command that contacts nobody.
pub const fn no_network() -> NetworkArgs {
    NetworkArgs { resolver: None, authoritative_port: 53, rdap_bootstrap: None, whois_server: None }
}

/// Takes the folder for this process: the owner of its SQLite file finds jobs that nobody else can be running.
pub fn lock_folder(folder: &Path) -> Result<std::fs::File> {
    let path = folder.join("lock");
    let file = std::fs::File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("the data folder `{}` is in use by another server", folder.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock the data folder `{}`", folder.display()))
        }
    }
}

/// Seals the audit entries that a process wrote at its end.
pub async fn seal_the_rest(services: &Services) {
    if let Err(error) = audit::seal(services).await {
        tracing::warn!(%error, "the last audit entries are left to be sealed by the next process");
    }
}

/// Answers who watches this process, where that is wanted, until `stop`.
pub async fn serve_monitoring(
    args: &MonitoringArgs,
    format: LogFormat,
    state: &AppState,
    stop: &CancellationToken,
) -> Result<()> {
    if let Some(address) = args.metrics_listen {
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        say(format, &format!("monitoring on http://{}/metrics", listener.local_addr()?));
        tokio::spawn(bartizan_http::serve_monitoring(listener, state.clone(), stop.clone().cancelled_owned()));
    }
    Ok(())
}

/// How jobs are shared.
pub fn timing(args: &JobArgs) -> Timing {
    Timing { lease: Duration::from_secs(args.job_lease), ..Timing::default() }
}

/// This process, under a name of its own for the leases of its jobs.
pub fn process(kind: ProcessKind) -> Process {
    let mut random = [0; 4];
    SystemRandom.fill(&mut random);
    let (host, id) = (host_name(), std::process::id());
    // Processes of containers often have the same number, and sometimes the same host name.
    let name = format!("{host}:{id}:{:08x}", u32::from_be_bytes(random));
    Process { name, kind, host, id, version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// SQLite in the data folder, or the PostgreSQL that `DATABASE_URL` names.
pub async fn open_store(args: &ServerArgs) -> Result<Store> {
    match &args.database_url {
        // The URL may hold a password, so it is not shown.
        Some(url) => Store::postgres(url.0.expose_secret()).await.context("the database of DATABASE_URL"),
        None => {
            let file = args.data_dir.join("bartizan.db");
            Store::sqlite(&file).await.with_context(|| format!("the database {}", file.display()))
        }
    }
}

/// The same, without making or migrating anything.
pub async fn open_as_it_is(args: &ServerArgs) -> Result<Store> {
    let file = args.data_dir.join("bartizan.db");
    match &args.database_url {
        Some(url) => Store::postgres_as_it_is(url.0.expose_secret()).await.context("the database of DATABASE_URL"),
        None if !file.exists() => bail!("there is no database in the data folder `{}`", args.data_dir.display()),
        None => Store::sqlite_as_it_is(&file).await.with_context(|| format!("the database {}", file.display())),
    }
}

/// Tells processes of several machines on one database apart.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// The folder holds credentials' digests and findings: nobody else is to read it, nor any file that is made from now on.
pub fn make_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let context = || format!("cannot use the data folder `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(context)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let owner_only = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder, owner_only).with_context(context)?;
    }
    tempfile::tempfile_in(folder).with_context(context)?;
    Ok(())
}

/// Probes for the scans of the server.
struct WayOut {
    args: NetworkArgs,
}

impl Network for WayOut {
    fn probes(&self, settings: &ScanSettings, reach: Reach) -> bartizan_domain::Result<Arc<dyn Probes>> {
        let private = match reach {
            Reach::Public => Private::Refused,
            Reach::Private => Private::Allowed,
        };
        Ok(Arc::new(NetworkProbes::new(network::context(&self.args, settings, private))))
    }
}

/// The system's source of randomness.
struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if rustls::crypto::ring::default_provider().secure_random.fill(bytes).is_err() {
            // Ids and tokens must not be made without it.
            unreachable!("the system has no source of randomness");
        }
    }
}
