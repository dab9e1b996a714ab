//! Requests of one probe: budget, redirects with every hop vetted, cookie values remembered for redaction.

use std::net::IpAddr;
use std::time::Duration;

use bartizan_domain::evidence::web::{LegacyTls, Redirect, RedirectDecision};
use bartizan_domain::evidence::{Endpoint, FailureKind, Observation, ProbeFailure, Scheme};
use bartizan_outbound::http::{Client, Origin, Request, Response, TlsOrigin, Trust, host_header};
use url::{Host, Url};

use super::redact::{self, Secrets};
use super::{WebOptions, refused, root_url};
use crate::ProbeContext;

/// One step of a walk along redirects.
pub struct Step {
    /// URL asked for.
    pub url: Url,
    /// Whether it was the endpoint itself, under its own name, that answered.
    pub own: bool,
    /// The answer.
    pub response: Response,
    /// Where it leads.
    pub redirect: Option<Redirect>,
}

/// Requests to one endpoint and to where it redirects.
pub struct Session<'a> {
    cx: &'a ProbeContext,
    endpoint: &'a Endpoint,
    host: String,
    root: Url,
    client: Client,
    left: u32,
    spent: u32,
    secrets: Secrets,
}

impl<'a> Session<'a> {
    /// A session that has asked nothing yet.
    pub fn new(
        cx: &'a ProbeContext,
        endpoint: &'a Endpoint,
        scheme: Scheme,
        host: &str,
        options: &WebOptions,
    ) -> Result<Self, ProbeFailure> {
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
        let root = root_url(scheme, &host, endpoint.port)?;
        let client = client(cx, &root, endpoint.address);
        Ok(Self { cx, endpoint, host, root, client, left: options.max_requests, spent: 0, secrets: Secrets::default() })
    }

    /// URL of the root.
    pub const fn root(&self) -> &Url {
        &self.root
    }

    /// The host asked for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Requests made so far.
    pub const fn spent(&self) -> u32 {
        self.spent
    }

    /// Cookie values seen so far.
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The session that was needed to reach the endpoint, if current TLS did not do.
    pub fn legacy_tls(&self) -> Option<LegacyTls> {
        self.client.legacy().map(|legacy| LegacyTls {
            version: legacy.version,
            suite: crate::tls::suite(legacy.suite),
            refused: legacy.refused.to_string(),
        })
    }

    /// The endpoint's address.
    pub const fn address(&self) -> IpAddr {
        self.endpoint.address
    }

    /// One request to the endpoint itself.
    pub async fn ask(&mut self, request: &Request) -> Result<Response, ProbeFailure> {
        self.pay(1)?;
        let doing = format!("{} {}", request.method, request.path);
        let limit = self.cx.timeout + Duration::from_secs(1);
        let response = self.cx.within(limit, &doing, self.client.send(request)).await?;
        self.secrets.learn(&response.headers);
        Ok(response)
    }

    /// One request to another URL, at an address the caller vouches for (the connection vets it all the same).
    pub async fn ask_at(&mut self, url: &Url, address: IpAddr, max_body: usize) -> Result<Response, ProbeFailure> {
        self.pay(1)?;
        let mut other = client(self.cx, url, address);
        let request = Request::get(path_of(url), max_body);
        let limit = self.cx.timeout + Duration::from_secs(1);
        let response = self.cx.within(limit, &format!("GET {}", redact::url(url)), other.send(&request)).await?;
        self.secrets.learn(&response.headers);
        Ok(response)
    }

    /// Gets `start` and follows redirects, at most `max_redirects`. Fails only if the first request does; a redirect
    /// that cannot be followed ends the walk and says why.
    pub async fn walk(&mut self, start: &Url, max_body: usize, max_redirects: u32) -> Result<Vec<Step>, ProbeFailure> {
        let mut steps: Vec<Step> = Vec::new();
        let mut url = start.clone();
        let mut response = self.ask(&Request::get(path_of(start), max_body)).await?;
        let mut own = true;
        loop {
            let Some(location) = location_of(&response) else {
                steps.push(Step { url, own, response, redirect: None });
                return Ok(steps);
            };
            let target = url.join(&location);
            let mut redirect = describe(target.as_ref().ok());
            let next = match target {
                Err(error) => Err(RedirectDecision::Unresolved { reason: format!("not a URL: {error}") }),
                Ok(target) if steps.iter().any(|step| step.url == target) || target == url => {
                    Err(RedirectDecision::Unresolved { reason: "the redirects go in a circle".to_owned() })
                }
                Ok(_) if steps.len() >= max_redirects as usize => {
                    Err(RedirectDecision::Unresolved { reason: format!("more than {max_redirects} redirects") })
                }
                Ok(target) => self.follow(&target, max_body).await.map(|(own, response)| (target, own, response)),
            };
            match next {
                Err(decision) => {
                    redirect.decision = decision;
                    steps.push(Step { url, own, response, redirect: Some(redirect) });
                    return Ok(steps);
                }
                Ok((target, next_own, next_response)) => {
                    steps.push(Step { url, own, response, redirect: Some(redirect) });
                    (url, own, response) = (target, next_own, next_response);
                }
            }
        }
    }

    /// Whether `url` leads back to the endpoint under its own name.
    pub fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.root.origin()
    }

    async fn follow(&mut self, target: &Url, max_body: usize) -> Result<(bool, Response), RedirectDecision> {
        if self.is_own(target) {
            let request = Request::get(path_of(target), max_body);
            return self.ask(&request).await.map(|response| (true, response)).map_err(|failure| refused(&failure));
        }
        if !matches!(target.scheme(), "http" | "https") {
            return Err(RedirectDecision::Unresolved { reason: format!("`{}:` is not fetched", target.scheme()) });
        }
        let addresses = self.addresses(target).await.map_err(|failure| refused(&failure))?;
        let policy = self.cx.outbound.settings().policy;
        let mut last = RedirectDecision::Unresolved { reason: "the name has no address".to_owned() };
        // All addresses are vetted before any is contacted: a name that mixes a permitted and a forbidden address
        // is refused as a whole.
        for address in &addresses {
            policy.vet(*address).map_err(|failure| refused(&failure))?;
        }
        for address in addresses.into_iter().take(2) {
            match self.ask_at(target, address, max_body).await {
                Ok(response) => return Ok((false, response)),
                Err(failure) => last = refused(&failure),
            }
        }
        Err(last)
    }

    async fn addresses(&self, target: &Url) -> Result<Vec<IpAddr>, ProbeFailure> {
        match target.host() {
            Some(Host::Ipv4(v4)) => Ok(vec![IpAddr::V4(v4)]),
            Some(Host::Ipv6(v6)) => Ok(vec![IpAddr::V6(v6)]),
            Some(Host::Domain(name)) if name == self.host => Ok(vec![self.endpoint.address]),
            Some(Host::Domain(name)) => match crate::resolve::addresses(self.cx, name).await {
                Observation::Observed(addresses) => Ok(addresses),
                Observation::Failed(failure) => Err(failure),
                Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
                    Err(ProbeFailure::new(FailureKind::Resolution, reason))
                }
            },
            None => Err(ProbeFailure::new(FailureKind::Protocol, "the redirect names no host")),
        }
    }

    fn pay(&mut self, requests: u32) -> Result<(), ProbeFailure> {
        match self.left.checked_sub(requests) {
            Some(left) => {
                self.left = left;
                self.spent += requests;
                Ok(())
            }
            None => Err(ProbeFailure::new(
                FailureKind::Limit,
                format!("the budget of {} requests for one endpoint is spent", self.spent),
            )),
        }
    }
}

fn client(cx: &ProbeContext, url: &Url, address: IpAddr) -> Client {
    let server_name = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(v4)) => v4.to_string(),
        Some(Host::Ipv6(v6)) => v6.to_string(),
        None => String::new(),
    };
    let origin = Origin {
        address: (address, url.port_or_known_default().unwrap_or_default()).into(),
        tls: (url.scheme() == "https").then_some(TlsOrigin { server_name, trust: Trust::Record }),
        host: host_header(url),
    };
    Client::new(cx.outbound.clone(), origin, cx.timeout)
}

fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// The `Location` of a redirect. 304 and 300 are none that a browser follows by itself.
fn location_of(response: &Response) -> Option<String> {
    matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| response.headers.get(http::header::LOCATION))
        .flatten()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn describe(target: Option<&Url>) -> Redirect {
    Redirect {
        target: target.map(redact::url),
        scheme: target.and_then(|url| match url.scheme() {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            _ => None,
        }),
        host: target.and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase()),
        port: target.and_then(Url::port_or_known_default),
        decision: RedirectDecision::Followed,
    }
}
