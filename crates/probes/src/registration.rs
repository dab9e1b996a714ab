//! Registration evidence of a domain: RDAP by the IANA bootstrap, WHOIS where the registry has no RDAP.
//!
//! Start reading at [`gather`].

use std::net::{IpAddr, SocketAddr};

use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure, RegistrationEvidence};
use bartizan_outbound::{Outbound, Purpose, http, io_failure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use crate::settings::RegistrationSettings;
use crate::{ProbeContext, resolve};

pub mod rdap;
pub mod whois;

/// Bytes of a WHOIS answer.
const MAX_WHOIS: u64 = 256 * 1024;
/// Bytes of the bootstrap file (it has about 100 KiB) and of an RDAP answer.
const MAX_JSON: usize = 2 * 1024 * 1024;
/// WHOIS referrals followed: IANA, registry, registrar.
const MAX_REFERRALS: usize = 3;

/// Top-level domains that are never registered (RFC 6761, RFC 6762, RFC 8375, RFC 9476, and `internal`, reserved by
/// ICANN). Asked about only when registration services of a private network are configured.
const SPECIAL_USE: [&str; 9] = ["test", "localhost", "invalid", "example", "local", "onion", "alt", "internal", "arpa"];

/// Gathers the registration of the registered domain that `domain` belongs to.
///
/// `NotApplicable` for names that are not registered with anyone; `NotAttempted` where neither RDAP nor WHOIS exists
/// for the top-level domain; `Failed` if one exists and did not answer usably.
pub async fn gather(cx: &ProbeContext, domain: &str) -> Observation<RegistrationEvidence> {
    let name = domain.trim_end_matches('.').to_ascii_lowercase();
    let Some(registered) = registered_domain(&name) else {
        return Observation::NotApplicable { reason: format!("{name} is not below a domain that is registered") };
    };
    let top = registered.rsplit('.').next().unwrap_or(registered);
    if SPECIAL_USE.contains(&top) && cx.registration.is_public() {
        return Observation::NotApplicable { reason: format!("names below .{top} are not registered with anyone") };
    }
    if let Some(known) = cx.registration.cache.domain(registered) {
        return Observation::Observed(known);
    }
    let doing = format!("looking up the registration of {registered}");
    let work = async {
        match over_rdap(cx, registered).await {
            Ok(Some(evidence)) => Ok(Some(evidence)),
            Ok(None) => over_whois(cx, registered).await,
            // The registry's RDAP server is there and failed: its WHOIS may still answer, and if it does not, the
            // first failure says more.
            Err(rdap) => match over_whois(cx, registered).await {
                Ok(Some(evidence)) => Ok(Some(evidence)),
                Ok(None) | Err(_) => Err(rdap),
            },
        }
    };
    match cx.within(cx.timeout.saturating_mul(6), &doing, work).await {
        Ok(Some(evidence)) => {
            cx.registration.cache.keep_domain(&evidence);
            Observation::Observed(evidence)
        }
        Ok(None) => Observation::not_attempted(format!("no registration service is known for .{top}")),
        Err(failure) => Observation::Failed(failure),
    }
}

/// The domain that is registered with a registry: one label below the public suffix, suffixes that companies run below
/// their own domains (the private part of the list) not counted. `None` for a public suffix itself.
#[must_use]
pub fn registered_domain(name: &str) -> Option<&str> {
    let is_suffix = |candidate: &str| {
        psl::suffix(candidate.as_bytes())
            .is_some_and(|suffix| suffix == candidate && suffix.typ() != Some(psl::Type::Private))
    };
    let ancestors = crate::dns::ancestors(name);
    ancestors.into_iter().find(|candidate| candidate.contains('.') && !is_suffix(candidate))
}

/// The way out to registration services: those of a configuration of our own may be private.
fn way_out(cx: &ProbeContext) -> Outbound {
    if cx.registration.rdap_bootstrap == RegistrationSettings::IANA_BOOTSTRAP {
        cx.outbound.clone()
    } else {
        cx.outbound.for_services()
    }
}

/// `None`: the bootstrap file knows no RDAP server for the top-level domain.
async fn over_rdap(cx: &ProbeContext, domain: &str) -> Result<Option<RegistrationEvidence>, ProbeFailure> {
    let outbound = way_out(cx);
    let settings = &cx.registration;
    let body = match settings.cache.bootstrap(&settings.rdap_bootstrap) {
        Some(body) => body,
        None => {
            let fetched = get_json(cx, &outbound, &parse_url(&settings.rdap_bootstrap)?).await?;
            let body: std::sync::Arc<[u8]> = fetched.into();
            settings.cache.keep_bootstrap(&settings.rdap_bootstrap, std::sync::Arc::clone(&body));
            body
        }
    };
    let allow_http = cx.registration.rdap_bootstrap != RegistrationSettings::IANA_BOOTSTRAP;
    let Some(base) = rdap::server_for(&body, domain, allow_http)? else { return Ok(None) };
    let url = parse_url(&format!("{}/domain/{domain}", base.trim_end_matches('/')))?;
    let body = get_json(cx, &outbound, &url).await?;
    rdap::parse(&body, domain, &base).map(Some)
}

fn parse_url(text: &str) -> Result<Url, ProbeFailure> {
    Url::parse(text).map_err(|error| ProbeFailure::new(FailureKind::Local, format!("`{text}` is not a URL: {error}")))
}

async fn get_json(cx: &ProbeContext, outbound: &Outbound, url: &Url) -> Result<Vec<u8>, ProbeFailure> {
    let options = http::GetOptions {
        accept: "application/rdap+json, application/json",
        max_body: MAX_JSON,
        deadline: cx.timeout,
        ..http::GetOptions::default()
    };
    let response =
        http::get(outbound, url, &|host| Box::pin(async move { host_addresses(cx, &host).await }), &options).await?;
    match response.status.as_u16() {
        200 => Ok(response.body),
        404 => Err(ProbeFailure::new(FailureKind::Resolution, format!("{url} knows no such object"))),
        429 => Err(ProbeFailure::new(FailureKind::Refused, format!("{url} limits how often it may be asked"))),
        status => Err(ProbeFailure::new(FailureKind::Protocol, format!("{url} answered {status}"))),
    }
}

async fn host_addresses(cx: &ProbeContext, host: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    match resolve::addresses(cx, host).await {
        Observation::Observed(found) => Ok(found),
        Observation::Failed(failure) => Err(failure),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
            Err(ProbeFailure::new(FailureKind::Resolution, reason))
        }
    }
}

/// Asks the configured WHOIS server and whoever it refers to. `None`: nobody is responsible for the domain.
async fn over_whois(cx: &ProbeContext, domain: &str) -> Result<Option<RegistrationEvidence>, ProbeFailure> {
    let configured = cx.registration.whois_server != RegistrationSettings::IANA_WHOIS;
    let outbound = if configured { cx.outbound.for_services() } else { cx.outbound.clone() };
    let purpose = if configured { Purpose::Service } else { Purpose::Target };
    let mut server = cx.registration.whois_server.clone();
    let mut asked: Vec<String> = Vec::new();
    let mut best: Option<RegistrationEvidence> = None;
    for _ in 0..MAX_REFERRALS {
        let text = match whois_exchange(cx, &outbound, purpose, &server, domain).await {
            Ok(text) => text,
            // A registrar's server that is down does not undo what the registry said.
            Err(_) if best.is_some() => break,
            Err(failure) => return Err(failure),
        };
        asked.push(server.clone());
        if let Some(found) = whois::parse(&text, domain, &server) {
            best = Some(match best {
                Some(first) => whois::complete(first, found),
                None => found,
            });
        }
        match whois::referral(&text).filter(|next| !asked.contains(next)) {
            Some(next) => server = next,
            None => break,
        }
    }
    match best {
        Some(evidence) => Ok(Some(evidence)),
        // The first server is a directory; if it referred us nowhere, nobody is responsible.
        None if asked.len() <= 1 => Ok(None),
        None => Err(ProbeFailure::new(FailureKind::Resolution, format!("{server} has no registration of {domain}"))),
    }
}

async fn whois_exchange(
    cx: &ProbeContext,
    outbound: &Outbound,
    purpose: Purpose,
    server: &str,
    domain: &str,
) -> Result<String, ProbeFailure> {
    let (host, port) = whois::host_and_port(server)
        .ok_or_else(|| ProbeFailure::new(FailureKind::Local, format!("`{server}` is not host or host:port")))?;
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => host_addresses(cx, host).await?,
    };
    let mut last = ProbeFailure::new(FailureKind::Resolution, format!("{host} has no address"));
    for address in addresses.into_iter().take(4) {
        let peer = SocketAddr::new(address, port);
        let exchange = async {
            let mut connection = outbound.connect_as(purpose, peer).await?;
            let query = format!("{domain}\r\n");
            let doing = format!("asking {server} by WHOIS");
            connection.stream.write_all(query.as_bytes()).await.map_err(|error| io_failure(&error, &doing))?;
            let mut bytes = Vec::new();
            let mut bounded = (&mut connection.stream).take(MAX_WHOIS);
            bounded.read_to_end(&mut bytes).await.map_err(|error| io_failure(&error, &doing))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        match cx.within(cx.timeout, &format!("asking {server} by WHOIS"), exchange).await {
            Ok(text) => return Ok(text),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_domain_is_below_the_registry_suffix() {
        assert_eq!(registered_domain("www.example.com"), Some("example.com"));
        assert_eq!(registered_domain("a.b.example.co.uk"), Some("example.co.uk"));
        assert_eq!(registered_domain("project.github.io"), Some("github.io"));
        assert_eq!(registered_domain("www.lab.test"), Some("lab.test"));
        assert_eq!(registered_domain("com"), None);
        assert_eq!(registered_domain("co.uk"), None);
        assert_eq!(registered_domain("localhost"), None);
    }
}
