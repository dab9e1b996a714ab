//! HTTPS beside plain HTTP, cross-origin answers, unusual methods.

use bartizan_domain::evidence::web::{
    CorsFacts, Hop, HttpsSibling, MethodFacts, OptionsFacts, RedirectDecision, TraceFacts,
};
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure, Scheme};
use bartizan_outbound::http::{Request, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method};

use super::redact::shortened;
use super::root_url;
use super::session::Session;

/// Whether the host of a plain-HTTP endpoint speaks HTTPS: where its redirect leads, or else on the port of https (and
/// on 8443 beside 8080). A port that refuses or speaks something else is an observation; silence is a failure to
/// observe.
pub async fn https(session: &mut Session<'_>, chain: &[Hop]) -> Observation<HttpsSibling> {
    let redirect = chain.first().and_then(|hop| hop.redirect.as_ref());
    let redirected = redirect
        .filter(|redirect| redirect.scheme == Some(Scheme::Https) && redirect.host.as_deref() == Some(session.host()));
    let mut ports = vec![Scheme::Https.default_port()];
    if let Some(redirect) = redirected {
        let port = redirect.port.unwrap_or(Scheme::Https.default_port());
        if redirect.decision == RedirectDecision::Followed {
            return Observation::Observed(HttpsSibling {
                port,
                available: true,
                detail: "the redirect from plain HTTP was followed there".to_owned(),
            });
        }
        ports = vec![port];
    } else if session.root().port() == Some(8080) {
        ports.push(8443);
    }
    let mut result = Observation::not_attempted("no port to try");
    for port in ports {
        result = https_at(session, port).await;
        if matches!(&result, Observation::Observed(sibling) if sibling.available) {
            return result;
        }
    }
    result
}

async fn https_at(session: &mut Session<'_>, port: u16) -> Observation<HttpsSibling> {
    let url = match root_url(Scheme::Https, session.host(), port) {
        Ok(url) => url,
        Err(failure) => return Observation::Failed(failure),
    };
    let address = session.address();
    let sibling = |available, detail: String| Observation::Observed(HttpsSibling { port, available, detail });
    match session.ask_at(&url, address, 1024).await {
        Ok(response) => sibling(true, format!("HTTPS answered with status {}", response.status.as_u16())),
        // A fatal alert is spoken by TLS: there is a server, and it does not like versions or suites of ours.
        Err(failure) if failure.detail.contains("fatal alert") => sibling(true, failure.to_string()),
        Err(failure) if matches!(failure.kind, FailureKind::Refused | FailureKind::Reset | FailureKind::Protocol) => {
            sibling(false, failure.to_string())
        }
        Err(failure) => Observation::Failed(failure),
    }
}

/// Asks the root as a page of another origin would.
pub async fn cors(session: &mut Session<'_>) -> Observation<CorsFacts> {
    cors_facts(session).await.into()
}

async fn cors_facts(session: &mut Session<'_>) -> Result<CorsFacts, ProbeFailure> {
    let mut facts = CorsFacts::default();
    let foreign = format!("https://{:016x}.example", rand::random::<u64>());
    let (reflected, credentials) = asked_from(session, &foreign).await?;
    (facts.reflects_origin, facts.reflected_with_credentials) = (reflected, reflected && credentials);
    let (null, credentials) = asked_from(session, "null").await?;
    (facts.allows_null, facts.null_with_credentials) = (null, null && credentials);
    Ok(facts)
}

async fn asked_from(session: &mut Session<'_>, origin: &str) -> Result<(bool, bool), ProbeFailure> {
    let value = HeaderValue::from_str(origin)
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("`{origin}` as a header: {error}")))?;
    // The body is of no interest, but reading it keeps the connection.
    let response = session.ask(&Request::get("/", 64 * 1024).header(header::ORIGIN, value)).await?;
    let text = |name: &HeaderName| {
        response.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
    };
    let echoed = text(&header::ACCESS_CONTROL_ALLOW_ORIGIN).is_some_and(|allowed| allowed == origin);
    let credentials = text(&header::ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some_and(|allowed| allowed == "true");
    Ok((echoed, credentials))
}

/// Asks which methods there are, and whether requests are echoed. No method that could change anything is tried.
pub async fn methods(session: &mut Session<'_>) -> MethodFacts {
    let options =
        session.ask(&Request::get("/", 4096).method(Method::OPTIONS)).await.map(|response| options(&response));
    let trace = trace(session).await;
    MethodFacts { options: options.into(), trace: trace.into() }
}

fn options(response: &Response) -> OptionsFacts {
    let mut allow: Vec<String> = ["allow", "public"]
        .iter()
        .flat_map(|name| tokens(&response.headers, name))
        .map(|method| shortened(&method.to_ascii_uppercase(), 20))
        .take(40)
        .collect();
    allow.sort();
    allow.dedup();
    let dav = tokens(&response.headers, "dav").collect::<Vec<_>>().join(", ");
    OptionsFacts { status: response.status.as_u16(), allow, dav: (!dav.is_empty()).then(|| shortened(&dav, 200)) }
}

fn tokens<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = String> + 'h {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| String::from_utf8_lossy(value.as_bytes()).split(',').map(str::to_owned).collect::<Vec<_>>())
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

async fn trace(session: &mut Session<'_>) -> Result<TraceFacts, ProbeFailure> {
    let marker = format!("{:016x}", rand::random::<u64>());
    let value = HeaderValue::from_str(&marker)
        .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("a marker as a header: {error}")))?;
    let name = HeaderName::from_static("x-bartizan-trace");
    let response = session.ask(&Request::get("/", 8192).method(Method::TRACE).header(name, value)).await?;
    let body = String::from_utf8_lossy(&response.body).to_ascii_lowercase();
    // The request line proves that this is the request that came back, and not a page showing request headers.
    let echoed = response.status.is_success() && body.starts_with("trace /") && body.contains(&marker);
    Ok(TraceFacts { status: response.status.as_u16(), echoed })
}
