//! What an HTTP site answers: the root and its redirects, random paths, well-known paths, methods, CORS.
//!
//! One call looks at one endpoint under one host name, with a budget of requests. The probe reads structure and
//! keeps no secret: cookie values, environment values and the like are dropped where they are parsed, and a last
//! sweep removes cookie values that the server repeats elsewhere.
//!
//! Start reading at [`gather`].

mod cookies;
mod document;
mod extras;
mod paths;
mod redact;
mod response;
mod security_txt;
mod session;
mod shapes;

use bartizan_domain::evidence::web::{Hop, RedirectDecision};
use bartizan_domain::evidence::{Endpoint, FailureKind, Observation, ProbeFailure, Scheme, WebEvidence};
use url::Url;

use crate::ProbeContext;
use session::Session;

/// What is asked of a site beyond its root, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebOptions {
    /// Whether paths below the root and unusual methods are asked for: exposed files, `security.txt`, `OPTIONS`,
    /// `TRACE`, with the random-path baseline they need.
    pub path_probes: bool,
    /// Redirects followed from the root at most.
    pub max_redirects: u32,
    /// Requests spent on one endpoint at most, everything included.
    pub max_requests: u32,
    /// Bytes of a page read at most.
    pub max_page: usize,
}

impl Default for WebOptions {
    fn default() -> Self {
        Self { path_probes: true, max_redirects: 10, max_requests: 60, max_page: 512 * 1024 }
    }
}

/// Looks at the site that `endpoint` serves for `host` (the asset's name, or its address): `Host` and, for https, SNI
/// are `host`; an address is never sent as SNI.
///
/// The observation fails if the root gives no HTTP response. Each further part is an observation of its own.
pub async fn gather(
    cx: &ProbeContext,
    endpoint: &Endpoint,
    scheme: Scheme,
    host: &str,
    options: &WebOptions,
) -> Observation<WebEvidence> {
    // The evidence is large; boxing keeps the future of the caller small.
    Box::pin(gather_all(cx, endpoint, scheme, host, options)).await.into()
}

async fn gather_all(
    cx: &ProbeContext,
    endpoint: &Endpoint,
    scheme: Scheme,
    host: &str,
    options: &WebOptions,
) -> Result<WebEvidence, ProbeFailure> {
    let mut session = Session::new(cx, endpoint, scheme, host, options)?;
    let root = session.root().clone();
    let walk = session.walk(&root, options.max_page, options.max_redirects).await?;
    let chain: Vec<Hop> = walk
        .iter()
        .map(|step| Hop {
            own: step.own,
            response: response::describe(&step.url, &step.response),
            redirect: step.redirect.clone(),
        })
        .collect();

    let https = match scheme {
        Scheme::Http => extras::https(&mut session, &chain).await,
        Scheme::Https => Observation::NotApplicable { reason: "the endpoint itself speaks HTTPS".to_owned() },
    };
    let cors = extras::cors(&mut session).await;
    let mut evidence = WebEvidence {
        scheme,
        host: session.host().to_owned(),
        chain,
        https,
        cors,
        baseline: Observation::default(),
        paths: Observation::default(),
        security_txt: Observation::default(),
        methods: Observation::default(),
        requests: 0,
        legacy_tls: None,
    };
    if options.path_probes {
        paths::probe(&mut session, &mut evidence).await;
        evidence.methods = Observation::Observed(extras::methods(&mut session).await);
    } else {
        let reason = "paths below the root are not part of this scan";
        evidence.baseline = Observation::not_attempted(reason);
        evidence.paths = Observation::not_attempted(reason);
        evidence.security_txt = Observation::not_attempted(reason);
        evidence.methods = Observation::not_attempted("unusual methods are not part of this scan");
    }
    evidence.requests = session.spent();
    evidence.legacy_tls = session.legacy_tls();
    swept(&session, evidence)
}

/// The evidence without any cookie value the server may have repeated in a URL, a title or another header.
fn swept(session: &Session<'_>, evidence: WebEvidence) -> Result<WebEvidence, ProbeFailure> {
    let shape = |error: serde_json::Error| {
        ProbeFailure::new(FailureKind::Local, format!("web evidence cannot be cleaned of cookie values: {error}"))
    };
    let mut value = serde_json::to_value(evidence).map_err(shape)?;
    session.secrets().sweep(&mut value);
    serde_json::from_value(value).map_err(shape)
}

/// Why a redirect that was not followed is no failure of the probe.
fn refused(failure: &ProbeFailure) -> RedirectDecision {
    match failure.kind {
        FailureKind::Denied => RedirectDecision::Refused { reason: failure.detail.clone() },
        _ => RedirectDecision::Unresolved { reason: failure.to_string() },
    }
}

/// The root URL of a host at a port.
fn root_url(scheme: Scheme, host: &str, port: u16) -> Result<Url, ProbeFailure> {
    let host_part = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Url::parse(&format!("{}://{host_part}:{port}/", scheme.as_str()))
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("`{host}` cannot stand in a URL: {error}")))
}
