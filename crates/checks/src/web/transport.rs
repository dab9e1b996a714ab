//! `http.no_https`, `http.no_redirect`: plain HTTP where HTTPS should be.
//!
//! Both look at endpoints that speak HTTP without TLS, whatever their port. With no HTTPS anywhere on the host the
//! content itself is the finding; with HTTPS, or with nothing but a redirect, that visitors are not led to HTTPS.

use bartizan_domain::evidence::{EvidenceKind, FailureKind, HostEvidence, Observation, Scheme};
use bartizan_domain::{Confidence, Location};
use serde_json::json;

use super::site::{self, Site};
use crate::{Check, Fail, JudgeSettings, Verdicts};

const NEEDS: &[EvidenceKind] = &[EvidenceKind::Web];

/// `http.no_https`.
#[derive(Debug)]
pub struct NoHttps;

impl Check for NoHttps {
    fn id(&self) -> &'static str {
        "http.no_https"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_plain(evidence, out, |site, out| {
            let location = site.location();
            match (leads_to_https(site), https(site)) {
                (Some(true), _) | (_, Https::Available(_)) => out.pass(location),
                (_, Https::Unknown(reason)) => out.error(location, reason),
                (Some(false), Https::Absent { .. }) => {
                    out.not_applicable(location, "serves nothing of its own, only a redirect");
                }
                (None, Https::Absent { port, .. }) if speaks_tls(evidence, port) => {
                    out.error(location, format!("port {port} speaks TLS, but what it serves could not be read"));
                }
                (None, Https::Absent { port, detail, silent }) => {
                    let confidence = if silent { Confidence::Probable } else { Confidence::Confirmed };
                    let first = site.web.first();
                    let facts = json!({
                        "url": first.map(|response| &response.url),
                        "status": first.map(|response| response.status),
                        "title": first.and_then(|r| r.document.as_ref()).and_then(|d| d.title.as_ref()),
                        "https_port_tried": port,
                        "https": detail,
                    });
                    out.fail(location, Fail::new(facts).confidence(confidence));
                }
            }
        });
    }
}

/// Whether TLS was seen on a port, be it in a version that no current client completes: then there is HTTPS of a kind,
/// and the findings about its versions say what is wrong with it.
fn speaks_tls(evidence: &HostEvidence, port: u16) -> bool {
    evidence.tls.items.iter().any(|item| item.endpoint.port == port && item.observation.observed().is_some())
}

/// `http.no_redirect`.
#[derive(Debug)]
pub struct NoRedirect;

impl Check for NoRedirect {
    fn id(&self) -> &'static str {
        "http.no_redirect"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_plain(evidence, out, |site, out| {
            let location = site.location();
            if site.web.first().is_some_and(|first| first.status == 401 && !first.is_html) {
                return out.not_applicable(location, "answers with status 401 and no page");
            }
            let redirect = site.web.first_redirect();
            let to_https = redirect.is_some_and(|redirect| redirect.scheme == Some(Scheme::Https));
            // A browser takes up HSTS for the host it asked for only if that host itself is reached by HTTPS. An
            // address cannot carry HSTS (RFC 6797, section 8.1.1), so any HTTPS target will do there.
            let same_host = redirect.is_some_and(|redirect| redirect.host.as_deref() == Some(&site.web.host));
            if to_https && (same_host || site.by_address()) {
                return out.pass(location);
            }
            match https(site) {
                Https::Unknown(reason) => out.error(location, reason),
                Https::Absent { .. } if to_https => out.fail(location, Fail::new(facts(site, None))),
                // Its own content would be the finding of `http.no_https`; without any, that visitors are led elsewhere
                // in the clear is this one's.
                Https::Absent { .. } if leads_to_https(site) == Some(false) => {
                    out.fail(location, Fail::new(facts(site, None)));
                }
                Https::Absent { .. } => out.not_applicable(location, "the host offers no HTTPS to redirect to"),
                Https::Available(at) => out.fail(location, Fail::new(facts(site, Some(&at)))),
            }
        });
    }
}

fn facts(site: &Site<'_>, https: Option<&str>) -> serde_json::Value {
    json!({
        "url": site.web.first().map(|response| &response.url),
        "status": site.web.first().map(|response| response.status),
        "redirects_to": site.web.first_redirect().and_then(|redirect| redirect.target.as_ref()),
        "https": https,
    })
}

/// Every plain-HTTP site with something to protect. An API that answers its root with an error serves nothing here.
fn each_plain<'e>(
    evidence: &'e HostEvidence,
    out: &mut Verdicts<'_>,
    mut judge: impl FnMut(&Site<'e>, &mut Verdicts<'_>),
) {
    site::each(evidence, out, |site, out| {
        let Some(first) = site.web.first() else {
            return out.error(site.location(), "the evidence holds no response");
        };
        if site.web.scheme == Scheme::Https {
            out.not_applicable(site.location(), "served over HTTPS");
        } else if first.status >= 400 && first.status != 401 && !first.is_html {
            out.not_applicable(site.location(), format!("answers with status {} and no page", first.status));
        } else {
            judge(site, out);
        }
    });
}

/// Whether the root redirects, and if so to HTTPS.
fn leads_to_https(site: &Site<'_>) -> Option<bool> {
    // Content served after a redirect within the endpoint is content of the endpoint.
    let https = site.web.first_redirect()?.scheme == Some(Scheme::Https);
    if https || site.web.page().is_none() { Some(https) } else { None }
}

/// HTTPS on the host of a plain-HTTP site.
#[derive(Debug)]
pub(super) enum Https {
    /// There, in words.
    Available(String),
    /// Not there.
    Absent {
        /// Port tried.
        port: u16,
        /// What happened.
        detail: String,
        /// Nothing answered, which a filter can also do.
        silent: bool,
    },
    /// Cannot be said.
    Unknown(String),
}

/// What all evidence together says about HTTPS on the host.
pub(super) fn https(site: &Site<'_>) -> Https {
    let host = site.host;
    let web = host.web.items.iter().find(|item| match &item.observation {
        Observation::Observed(web) => web.scheme == Scheme::Https,
        _ => false,
    });
    let service = host.services.items.iter().find(|item| {
        item.observation.observed().is_some_and(|service| {
            service.tls && service.service.as_deref().is_some_and(|name| name.starts_with("http"))
        })
    });
    let at = |location: Location| Https::Available(format!("HTTPS on {location}"));
    if let Some(item) = web {
        return at(item.endpoint.location());
    }
    if let Some(item) = service {
        return at(item.endpoint.location());
    }
    match &site.web.https {
        Observation::Observed(sibling) if sibling.available => Https::Available(sibling.detail.clone()),
        Observation::Observed(sibling) => {
            Https::Absent { port: sibling.port, detail: sibling.detail.clone(), silent: false }
        }
        Observation::Failed(failure) if matches!(failure.kind, FailureKind::Timeout | FailureKind::Unreachable) => {
            Https::Absent { port: Scheme::Https.default_port(), detail: failure.to_string(), silent: true }
        }
        Observation::Failed(failure) => Https::Unknown(format!("HTTPS could not be looked for: {failure}")),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => Https::Unknown(reason.clone()),
    }
}
