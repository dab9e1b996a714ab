//! `bartizan worker`: runs jobs and schedules, and answers nobody. Any number of them share a PostgreSQL with servers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bartizan_auth::{AccessTokens, SigningKey};
use bartizan_http::{AppState, HttpConfig};
use bartizan_services::key_check::ForeignKeys;
use bartizan_services::log_level::LogControl;
use bartizan_services::workers::ProcessKind;
use bartizan_services::{ServicesConfig, audit};
use tokio_util::sync::CancellationToken;

use crate::args::WorkerArgs;
use crate::compose;
use crate::exit::Exit;
use crate::signals::Interrupts;

/// How long jobs in flight may take to stop before the process ends without them.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs the command.
pub fn run(args: &WorkerArgs) -> Result<Exit> {
    if args.server.database_url.is_none() {
        bail!("a worker needs the PostgreSQL of its servers: set DATABASE_URL (on SQLite, the server is the worker)");
    }
    let log = crate::terminal::set_up_server_logging(&args.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work(args, log));
    // A probe that does not end is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn work(args: &WorkerArgs, log: Arc<dyn LogControl>) -> Result<Exit> {
    let mut interrupts = Interrupts::listen()?;
    compose::make_folder(&args.server.data_dir)?;
    let store = compose::open_store(&args.server).await?;
    let _presence = store.work_on().await?;
    let config = ServicesConfig {
        secret_keys: Some(compose::secret_keys(&args.server)?),
        mail: args.mail.given()?,
        jobs: compose::timing(&args.jobs),
        log: Some(log),
        ..ServicesConfig::default()
    };
    let services = compose::services(store.clone(), &args.network, config).await?;
    compose::check_keys(&services, None, ForeignKeys::Refused).await?;
    let stop = CancellationToken::new();
    // It answers nobody but who watches it, so nothing is signed with this key.
    let http = HttpConfig { metrics: Some(bartizan_http::record_metrics()?), ..HttpConfig::default() };
    let state = AppState::new(services.clone(), AccessTokens::new(&SigningKey::random()), http);
    compose::serve_monitoring(&args.monitoring, args.log.log_format, &state, &stop).await?;
    let process = compose::process(ProcessKind::Worker);
    let name = process.name.clone();
    let mut runner = tokio::spawn(services.worker(process)?.run(stop.clone()));
    // What a worker does is put on record as well, and there may be no server up to seal it.
    tokio::spawn(audit::keep_sealing(services.clone(), stop.clone()));
    let message = format!("bartizan {} works as {name}", env!("CARGO_PKG_VERSION"));
    crate::terminal::say(args.log.log_format, &message);
    tokio::select! {
        () = interrupts.next() => {}
        ended = &mut runner => {
            ended.context("the worker broke off")??;
            return Ok(Exit::Done);
        }
    }
    tracing::info!("stopping: handing jobs back");
    stop.cancel();
    tokio::select! {
        ended = tokio::time::timeout(LAST_WORDS, runner) => match ended {
            Ok(ended) => {
                ended.context("the worker broke off")??;
                compose::seal_the_rest(&services).await;
            }
            Err(_) => tracing::warn!("some jobs did not stop in time; another worker takes them up after their lease"),
        },
        () = interrupts.next() => tracing::warn!("stopped at once"),
    }
    store.close().await?;
    Ok(Exit::Done)
}
