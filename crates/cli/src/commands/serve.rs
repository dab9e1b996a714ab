//! `bartizan serve`: API, web interface, worker and scheduler in one process.
//!
//! Starts worker and listener on what [`compose`] puts together, and ends them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_auth::{AccessTokens, OpaqueToken, SigningKey};
use bartizan_http::{AppState, ConnectionLimits, HttpConfig, SharedLimits};
use bartizan_services::key_check::ForeignKeys;
use bartizan_services::log_level::LogControl;
use bartizan_services::workers::ProcessKind;
use bartizan_services::{Origin, Services, ServicesConfig, audit, auth, demo};
use bartizan_storage::Store;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::{LogFormat, ServeArgs};
use crate::compose;
use crate::exit::Exit;
use crate::signals::Interrupts;
use crate::terminal::say;

/// How long requests and scans in flight may take to end before the process ends without them.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How often it is asked whether setup is done, when demo data waits for it.
const SETUP_POLL: Duration = Duration::from_secs(1);

/// Runs the command.
pub fn run(args: &ServeArgs) -> Result<Exit> {
    let log = crate::terminal::set_up_server_logging(&args.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve(args, log));
    // A probe that does not end is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(args: &ServeArgs, log: Arc<dyn LogControl>) -> Result<Exit> {
    let mut interrupts = Interrupts::listen()?;
    let descriptors = bartizan_portscan::descriptors::raise_limit();
    compose::make_folder(&args.server.data_dir)?;
    // Held until the process ends: a SQLite file has one owner.
    let _lock = match args.server.database_url {
        None => Some(compose::lock_folder(&args.server.data_dir)?),
        Some(_) => None,
    };
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let store = compose::open_store(&args.server).await?;
    let _presence = store.work_on().await?;
    let key = SigningKey::load_or_create(&args.server.data_dir.join("signing.key")).context("the signing key")?;
    let loopback = address.ip().is_loopback();
    let token = (!loopback).then(OpaqueToken::generate);
    let config = ServicesConfig {
        setup_token: token.as_ref().map(|token| token.expose().to_owned().into()),
        secret_keys: Some(compose::secret_keys(&args.server)?),
        mail: args.mail.given()?,
        jobs: compose::timing(&args.jobs),
        log: Some(log),
        sign_in: args.sign_in.providers()?,
    };
    let services = compose::services(store.clone(), &args.network, config).await?;
    // On SQLite there is no other server, and a new signing key only ends the access tokens of some minutes.
    let fingerprint = args.server.database_url.is_some().then(|| key.fingerprint());
    let foreign = if args.accept_new_keys { ForeignKeys::Accepted } else { ForeignKeys::Refused };
    compose::check_keys(&services, fingerprint.as_deref(), foreign).await?;
    let state = AppState::new(services.clone(), AccessTokens::new(&key), http_config(args, loopback, descriptors)?);

    let stop = CancellationToken::new();
    let worker = tokio::spawn(services.worker(compose::process(ProcessKind::Server))?.run(stop.clone()));
    compose::serve_monitoring(&args.monitoring, args.log.log_format, &state, &stop).await?;
    let http = tokio::spawn(bartizan_http::serve(listener, state, stop.clone().cancelled_owned()));
    tokio::spawn(audit::keep_sealing(services.clone(), stop.clone()));
    if args.demo {
        tokio::spawn(load_demo(services.clone(), store.clone(), stop.clone()));
    }
    announce(&services, args.log.log_format, address, token.as_ref()).await?;

    interrupts.next().await;
    tracing::info!("stopping: finishing what is in flight");
    stop.cancel();
    let ended = async {
        http.await.context("the listener broke off")?;
        worker.await.context("the worker broke off")??;
        compose::seal_the_rest(&services).await;
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

/// `descriptors` is how many files this process may have open: half of them are left to scans, the database and the rest.
fn http_config(args: &ServeArgs, loopback_only: bool, descriptors: usize) -> Result<HttpConfig> {
    let wanted = usize::try_from(args.connections).unwrap_or(usize::MAX);
    let most = wanted.min(descriptors / 2).max(1);
    if most < wanted {
        tracing::warn!(most, descriptors, "fewer connections at once than configured: the limit of open files is low");
    }
    let per_address = usize::try_from(args.connections_per_address).unwrap_or(usize::MAX).min(most / 2).max(1);
    let shared = args.redis_url.as_ref().map(|url| SharedLimits::new(url.0.expose_secret())).transpose()?;
    Ok(HttpConfig {
        loopback_only,
        connections: ConnectionLimits { most, per_address, ..ConnectionLimits::default() },
        trusted_proxies: args.trusted_proxies.clone(),
        https: args.mail.base_url.as_deref().is_some_and(|url| url.to_ascii_lowercase().starts_with("https:")),
        sign_ins_per_minute: args.sign_ins_per_minute,
        refreshes_per_minute: HttpConfig::default().refreshes_per_minute,
        writes_per_minute: args.writes_per_minute,
        exports_per_minute: args.exports_per_minute,
        shared_limits: shared,
        metrics: Some(bartizan_http::record_metrics()?),
        metrics_token: args.metrics_token.as_ref().map(|token| token.0.clone()),
    })
}

/// Tells people where to go.
async fn announce(
    services: &Services,
    format: LogFormat,
    address: SocketAddr,
    token: Option<&OpaqueToken>,
) -> Result<()> {
    say(format, &format!("bartizan {} serves http://{address}/ui", env!("CARGO_PKG_VERSION")));
    let needed = auth::setup_state(&services.anonymous(Origin::default()), services).await?.needed;
    match (needed, token) {
        (true, Some(token)) => {
            say(format, &format!("setup token, valid until the first user is made: {}", token.expose()));
        }
        (true, None) => say(format, "open it in a browser on this machine to make the first user"),
        (false, _) => {}
    }
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
