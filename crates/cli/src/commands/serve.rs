//! `bartizan serve`: API, web interface, worker and scheduler in one process.
//!
//! This file is where the layers are put together and nothing else: it opens the database, makes clock, randomness,
//! keys and the way to the network, starts worker and listener, and ends them in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_auth::{AccessTokens, OpaqueToken, Passwords, SigningKey};
use bartizan_catalog::Catalog;
use bartizan_domain::Clock;
use bartizan_engine::{NetworkProbes, Probes, ScanSettings};
use bartizan_http::{AppState, HttpConfig};
use bartizan_services::{Network, Origin, Random, Reach, Services, ServicesConfig, auth, demo};
use bartizan_storage::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::{NetworkArgs, ServeArgs};
use crate::exit::Exit;
use crate::network::{self, Private};
use crate::signals::Interrupts;
use crate::terminal::SystemClock;

/// How long requests and scans in flight may take to end before the process ends without them.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How often it is asked whether setup is done, when demo data waits for it.
const SETUP_POLL: Duration = Duration::from_secs(1);

/// Runs the command.
pub fn run(args: &ServeArgs) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve(args));
    // A probe that does not end is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(args: &ServeArgs) -> Result<Exit> {
    let mut interrupts = Interrupts::listen()?;
    make_folder(&args.data_dir)?;
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let store = open_store(args).await?;
    let key = SigningKey::load_or_create(&args.data_dir.join("signing.key")).context("the signing key")?;
    let loopback = address.ip().is_loopback();
    let token = (!loopback).then(OpaqueToken::generate);
    let config = ServicesConfig { setup_token: token.as_ref().map(|token| token.expose().to_owned().into()) };
    let sources: (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let way_out = Arc::new(WayOut { args: args.network.clone() });
    let services = Services::new(store.clone(), Catalog::builtin(), Passwords::new(), way_out, sources, config);
    let state = AppState::new(
        services.clone(),
        AccessTokens::new(&key),
        HttpConfig { loopback_only: loopback, ..HttpConfig::default() },
    );

    let stop = CancellationToken::new();
    let owner = format!("{}:{}", host_name(), std::process::id());
    let worker = tokio::spawn(services.worker(owner)?.run(stop.clone()));
    let http = tokio::spawn(bartizan_http::serve(listener, state, stop.clone().cancelled_owned()));
    if args.demo {
        tokio::spawn(load_demo(services.clone(), store.clone(), stop.clone()));
    }
    announce(&services, address, token.as_ref()).await?;

    interrupts.next().await;
    tracing::info!("stopping: finishing what is in flight");
    stop.cancel();
    let ended = async {
        let http = http.await.context("the listener broke off")?;
        http.context("serving")?;
        worker.await.context("the worker broke off")??;
        anyhow::Ok(())
    };
    tokio::select! {
        ended = tokio::time::timeout(LAST_WORDS, ended) => match ended {
            Ok(ended) => ended?,
            Err(_) => tracing::warn!("some requests or scans did not end in time; scans are taken up again at the next start"),
        },
        () = interrupts.next() => tracing::warn!("stopped at once"),
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// SQLite in the data folder, or the PostgreSQL that `DATABASE_URL` names.
async fn open_store(args: &ServeArgs) -> Result<Store> {
    match &args.database_url {
        // The URL may hold a password, so it is not shown.
        Some(url) => Store::postgres(url).await.context("the database of DATABASE_URL"),
        None => {
            let file = args.data_dir.join("bartizan.db");
            Store::sqlite(&file).await.with_context(|| format!("the database {}", file.display()))
        }
    }
}

/// Tells people at a terminal where to go.
async fn announce(services: &Services, address: SocketAddr, token: Option<&OpaqueToken>) -> Result<()> {
    use std::io::Write as _;
    let mut text = format!("bartizan {} serves http://{address}/ui\n", env!("CARGO_PKG_VERSION"));
    let needed = auth::setup_state(&services.anonymous(Origin::default()), services).await?.needed;
    match (needed, token) {
        (true, Some(token)) => {
            text.push_str(&format!("setup token, valid until the first user is made: {}\n", token.expose()));
        }
        (true, None) => text.push_str("open it in a browser on this machine to make the first user\n"),
        (false, _) => {}
    }
    // Without a terminal there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
    Ok(())
}

/// Loads the demo data into the first organisation, once there is one.
async fn load_demo(services: Services, store: Store, stop: CancellationToken) {
    let organization = loop {
        match bartizan_storage::organizations::all(store.read()).await {
            Ok(list) => {
                if let Some(first) = list.into_iter().next() {
                    break first.id;
                }
            }
            Err(error) => return tracing::error!(%error, "demo data"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SETUP_POLL) => {}
        }
    };
    match demo::load(&services.system("demo", organization), &services).await {
        Ok(scan) => tracing::info!(%scan, "demo data is loaded"),
        Err(error) => tracing::error!(%error, internal = error.internal_context(), "demo data"),
    }
}

/// Tells processes of several machines on one database apart.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// The folder holds credentials' digests and findings: nobody else is to read it.
fn make_folder(folder: &Path) -> Result<()> {
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
