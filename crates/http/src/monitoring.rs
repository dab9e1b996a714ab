//! `/metrics` for Prometheus, and the listener for monitoring.
//!
//! Names and units are part of the interface: dashboards and alert rules in `packaging/` are tested against
//! the list `METRICS`. Labels are bounded: no ids, no hosts, no organisations.

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bartizan_domain::Error;
use bartizan_services::system;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::AppState;
use crate::caller::Caller;
use crate::error::ApiError;

/// Every metric there is, and what it says.
const METRICS: [(&str, Kind, &str); 9] = [
    ("bartizan_http_request_duration_seconds", Kind::Histogram, "Time from a request's head to its answer's"),
    ("bartizan_job_duration_seconds", Kind::Histogram, "Time that an attempt at a job took"),
    ("bartizan_scan_duration_seconds", Kind::Histogram, "Time from the begin of a scan to its end"),
    ("bartizan_probe_requests_total", Kind::Counter, "Questions that probes asked of targets"),
    ("bartizan_jobs_queue_depth", Kind::Gauge, "Jobs that wait, by kind"),
    ("bartizan_scans_running", Kind::Gauge, "Scans that run now"),
    ("bartizan_findings", Kind::Gauge, "Findings, by severity and status"),
    ("bartizan_db_pool_in_use", Kind::Gauge, "Connections to the database that are in use"),
    ("bartizan_build_info", Kind::Gauge, "Always 1; the labels tell the version"),
];

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Tells the recorder what each metric says, for its `# HELP` lines.
pub(crate) fn describe() {
    for (name, kind, text) in METRICS {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, text),
            Kind::Gauge => metrics::describe_gauge!(name, text),
            Kind::Histogram => metrics::describe_histogram!(name, text),
        }
    }
}

/// On the listener of the API: with the token for monitoring, or for callers with `system.view` in the first organisation.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(guarded))
}

/// On the listener for monitoring, where whoever reaches it may read.
pub(crate) fn open_router() -> Router<AppState> {
    Router::new()
        .route("/metrics", get(|State(state): State<AppState>| async move { render(&state).await }))
        .route("/livez", get(|| async { "ok" }))
        .route(
            "/readyz",
            get(|State(state): State<AppState>| async move {
                match state.services().ping().await {
                    Ok(()) => (StatusCode::OK, "ok"),
                    Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database is down"),
                }
            }),
        )
}

async fn guarded(State(state): State<AppState>, request: Request) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    // Compared by digest, so that the time it takes tells nothing about the token.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let known = match (&state.config().metrics_token, token) {
        (Some(known), Some(token)) => digest(known.expose_secret()) == digest(token),
        _ => false,
    };
    if !known {
        let (mut parts, _) = request.into_parts();
        let caller = match Caller::from_request_parts(&mut parts, &state).await {
            Ok(caller) => caller,
            Err(error) => return error.into_response(),
        };
        if let Err(error) = system::may_measure(&caller.cx, state.services()).await {
            return ApiError::from(error).into_response();
        }
    }
    render(&state).await
}

async fn render(state: &AppState) -> Response {
    let Some(handle) = &state.config().metrics else {
        return ApiError::from(Error::internal("no recorder of metrics is installed")).into_response();
    };
    let gauges = match system::gauges(state.services()).await {
        Ok(gauges) => gauges,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let number = |count: u64| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from);
    for (kind, waiting) in gauges.queues {
        metrics::gauge!("bartizan_jobs_queue_depth", "queue" => kind).set(number(waiting));
    }
    metrics::gauge!("bartizan_scans_running").set(number(gauges.scans_running));
    for (severity, status, count) in gauges.findings {
        metrics::gauge!("bartizan_findings", "severity" => severity.as_str(), "status" => status.as_str())
            .set(number(count));
    }
    metrics::gauge!("bartizan_db_pool_in_use").set(number(gauges.connections_in_use));
    metrics::gauge!("bartizan_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}

#[cfg(test)]
mod tests {
    use super::METRICS;

    /// Names of ours in a text.
    fn names_in(text: &str) -> Vec<String> {
        let mut found: Vec<String> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("bartizan_"))
            .map(|word| {
                ["_bucket", "_count", "_sum"].iter().fold(word, |word, end| word.trim_end_matches(end)).to_owned()
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn the_dashboard_and_the_alerts_name_what_there_is() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/monitoring");
        for file in ["grafana-dashboard.json", "alerts.yml"] {
            let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
            let names = names_in(&text);
            assert!(names.len() > 2, "{file}: {names:?}");
            for name in names {
                assert!(METRICS.iter().any(|(known, ..)| *known == name), "{file} names {name}, which does not exist");
            }
        }
        let dashboard = std::fs::read_to_string(format!("{folder}/grafana-dashboard.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
        let operations = include_str!("../../../docs/operations.md");
        for (name, ..) in METRICS {
            assert!(operations.contains(name), "docs/operations.md does not explain {name}");
        }
    }
}
