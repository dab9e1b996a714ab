//! The HTTP API of Bartizan and the pages embedded in the program.
//!
//! What is here: the router, wire types, extractors, the mapping of errors to status codes, the OpenAPI document,
//! server-sent events, static files. What is deliberately not here: decisions and SQL. A handler takes its input,
//! calls one function of `services` and wraps what it gets; neither `storage` nor `engine` is named in this crate.
//!
//! One file a noun, the same name as in `services` and `storage`. Start reading at [`router`], then at [`assets`],
//! which is the pattern of the other nouns; [`error`] is where an error becomes a status.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use bartizan_auth::AccessTokens;
use bartizan_domain::id::UserId;
use bartizan_services::Services;
use ipnet::IpNet;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::normalize_path::NormalizePath;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

pub mod api_keys;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod auth_config;
pub mod branding;
mod caller;
pub mod checks;
pub mod compliance;
mod docs;
pub mod error;
pub mod extract;
pub mod findings;
mod idempotency;
pub mod invitations;
pub mod jobs;
mod limits;
pub mod mail;
pub mod members;
mod middleware;
mod monitoring;
pub mod oidc;
pub mod organizations;
pub mod passwords;
mod proxies;
pub mod roles;
pub mod scans;
pub mod schedules;
pub mod second_factors;
mod server;
pub mod sessions;
pub mod settings;
mod streams;
pub mod summary;
pub mod system;
mod ui;
pub mod users;
pub mod wire;
pub mod workers;

use error::ApiError;
pub use limits::{BadRedisUrl, SharedLimits};
use limits::{Limiter, Limits};
pub use metrics_exporter_prometheus::PrometheusHandle;
use proxies::TrustedProxies;
pub use server::ConnectionLimits;
use streams::Streams;

/// What the composition root decides about the API.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Whether the server listens on loopback only. Setup then needs no token, but a request that names this machine.
    pub loopback_only: bool,
    /// What connections may cost.
    pub connections: ConnectionLimits,
    /// Networks of proxies that are believed when they name the client of a request.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether people reach the server by `https:`, so that browsers are told to use nothing else.
    pub https: bool,
    /// Sign-in and setup attempts a minute and address.
    pub sign_ins_per_minute: u32,
    /// Exchanges of refresh tokens a minute and address. Many people may come from one address, each every half hour.
    pub refreshes_per_minute: u32,
    /// Writes a minute and user.
    pub writes_per_minute: u32,
    /// Exports and downloads a minute and user.
    pub exports_per_minute: u32,
    /// The Redis that limits are counted in together with other servers.
    pub shared_limits: Option<SharedLimits>,
    /// What answers `GET /metrics` with.
    pub metrics: Option<PrometheusHandle>,
    /// With this token as bearer, `GET /metrics` needs no user.
    pub metrics_token: Option<SecretString>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            loopback_only: true,
            connections: ConnectionLimits::default(),
            trusted_proxies: Vec::new(),
            https: false,
            sign_ins_per_minute: 10,
            refreshes_per_minute: 120,
            writes_per_minute: 600,
            exports_per_minute: 60,
            shared_limits: None,
            metrics: None,
            metrics_token: None,
        }
    }
}

/// Refusals for want of a permission that are put on record, a minute and user: reads have no limit, and whoever
/// repeats a refused one must not be able to fill the log.
const REFUSALS_PER_MINUTE: u32 = 60;

/// What handlers share.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    services: Services,
    tokens: AccessTokens,
    config: HttpConfig,
    limits: Limits,
    refusal_limit: Limiter<UserId>,
    streams: Streams,
    started: Instant,
    stopping: CancellationToken,
}

impl AppState {
    /// Joins the use cases, the key access tokens are signed with, and the configuration.
    #[must_use]
    pub fn new(services: Services, tokens: AccessTokens, config: HttpConfig) -> Self {
        let limits = Limits::new(&config);
        Self(Arc::new(Inner {
            services,
            tokens,
            config,
            limits,
            refusal_limit: Limiter::new(REFUSALS_PER_MINUTE),
            streams: Streams::default(),
            started: Instant::now(),
            stopping: CancellationToken::new(),
        }))
    }

    pub(crate) fn services(&self) -> &Services {
        &self.0.services
    }

    pub(crate) fn tokens(&self) -> &AccessTokens {
        &self.0.tokens
    }

    pub(crate) fn config(&self) -> &HttpConfig {
        &self.0.config
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn refusal_limit(&self) -> &Limiter<UserId> {
        &self.0.refusal_limit
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// Waits for the server to stop.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.stopping.clone().cancelled_owned()
    }

    /// Seconds since the state was made, which is the start of the server.
    pub(crate) fn uptime(&self) -> f64 {
        self.0.started.elapsed().as_secs_f64()
    }
}

fn operations() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(docs::ApiDoc::openapi())
        .merge(system::router())
        .merge(auth::router())
        .merge(oidc::router())
        .merge(sessions::router())
        .merge(passwords::router())
        .merge(second_factors::router())
        .merge(api_keys::router())
        .merge(organizations::router())
        .merge(members::router())
        .merge(users::router())
        .merge(roles::router())
        .merge(invitations::router())
        .merge(audit::router())
        .merge(summary::router())
        .merge(assets::router())
        .merge(scans::router())
        .merge(schedules::router())
        .merge(jobs::router())
        .merge(workers::router())
        .merge(findings::router())
        .merge(checks::router())
        .merge(compliance::router())
        .merge(settings::router())
        .merge(auth_config::router())
        .merge(branding::router())
        .merge(mail::router())
}

/// The OpenAPI document, as served and as checked in.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = operations().into_openapi();
    docs::require_what_is_always_sent(&mut document);
    document
}

/// The OpenAPI document as indented JSON with a newline at its end: the form that is checked in.
///
/// # Panics
/// Never: the document is made of strings, numbers and maps with string keys.
#[must_use]
pub fn openapi_json() -> String {
    match openapi().to_pretty_json() {
        Ok(json) => json + "\n",
        Err(error) => unreachable!("the document is plain JSON: {error}"),
    }
}

/// The whole service: API, documentation, pages.
pub fn router(state: AppState) -> Router {
    let (operations, document) = operations().split_for_parts();
    let idempotent = (state.clone(), idempotency::paths(&document));
    let https = middleware::Https(state.config().https);
    let inner = operations
        .merge(docs::router(openapi_json()))
        .merge(monitoring::router())
        .merge(ui::router())
        .fallback(|| async { ApiError::NoRoute })
        .layer(axum::middleware::from_fn_with_state(idempotent, idempotency::replay))
        .layer(axum::middleware::from_fn_with_state(state.clone(), middleware::maintenance))
        .layer(axum::middleware::from_fn(middleware::note_route))
        .layer(axum::middleware::from_fn_with_state(state.clone(), middleware::record_refusals))
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
        .with_state(state);
    // Normalised before routing, so that each path answers with and without a slash at its end.
    let inner = NormalizePath::trim_trailing_slash(inner);
    Router::new()
        .fallback_service(inner)
        .layer(CatchPanicLayer::custom(middleware::on_panic))
        .layer(axum::middleware::from_fn_with_state(https, middleware::finish))
        .layer(CompressionLayer::new())
}

/// What a listener of its own for monitoring serves: `/livez`, `/readyz` and, without credentials, `/metrics`.
pub fn monitoring_router(state: AppState) -> Router {
    let https = middleware::Https(false);
    monitoring::open_router().layer(axum::middleware::from_fn_with_state(https, middleware::finish)).with_state(state)
}

/// Serves [`monitoring_router`] until `shutdown` is done.
///
/// Its connections are few, and no client is asked for a proxy's word.
pub async fn serve_monitoring(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let limits = ConnectionLimits { most: 64, ..state.config().connections };
    let stop = CancellationToken::new();
    let guard = stop.clone();
    tokio::spawn(async move {
        shutdown.await;
        guard.cancel();
    });
    server::run(listener, monitoring_router(state), limits, TrustedProxies::default(), stop).await;
}

/// A process measures itself in one place only.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be recorded: {0}")]
pub struct NoMetrics(String);

/// Begins to record what the program measures, for [`HttpConfig::metrics`].
///
/// # Errors
/// If the process records metrics already.
pub fn record_metrics() -> Result<PrometheusHandle, NoMetrics> {
    // Requests take milliseconds, scans take hours.
    const BUCKETS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0, 21600.0];
    let builder = metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&BUCKETS);
    let recorder =
        builder.and_then(|builder| builder.install_recorder()).map_err(|error| NoMetrics(error.to_string()))?;
    monitoring::describe();
    Ok(recorder)
}

/// Serves until `shutdown` is done, then lets requests in flight finish.
///
/// Connections that cannot be accepted are tried again, so that it ends in no other way.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()> + Send + 'static) {
    let stopping = state.0.stopping.clone();
    let guard = stopping.clone();
    tokio::spawn(async move {
        shutdown.await;
        guard.cancel();
    });
    let config = state.config();
    let (limits, proxies) = (config.connections, TrustedProxies::new(&config.trusted_proxies));
    server::run(listener, router(state), limits, proxies, stopping).await;
}
