//! Which sites a rule looks at.
//!
//! A host often serves one site at several ports (80 and 443 and 8080). Rules about what is served judge it once, at
//! the most telling endpoint; the others are *not applicable*, saying where it was judged. Rules about the transport
//! (HTTPS, redirects, HSTS) look at every endpoint.

use bartizan_domain::Location;
use bartizan_domain::evidence::web::{BodyFacts, PathShape, SecurityTxt, SetCookie, WebResponse};
use bartizan_domain::evidence::{AtEndpoint, Endpoint, HostEvidence, Observation, Scheme, WebEvidence};

use crate::Verdicts;

/// One web site at one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Site<'e> {
    /// All evidence about the asset.
    pub host: &'e HostEvidence,
    /// Where.
    pub endpoint: &'e Endpoint,
    /// What was observed there.
    pub web: &'e WebEvidence,
}

impl Site<'_> {
    /// The location of verdicts about the site.
    #[must_use]
    pub fn location(&self) -> Location {
        self.endpoint.location()
    }

    /// Whether the site is asked for by address and not by name. Browsers treat addresses differently in several
    /// rules (HSTS, cookies, registrable domains).
    #[must_use]
    pub fn by_address(&self) -> bool {
        self.web.host.parse::<std::net::IpAddr>().is_ok()
    }
}

/// Judges every observed site, and states the right verdict for those that were not observed.
pub fn each<'e>(host: &'e HostEvidence, out: &mut Verdicts<'_>, mut judge: impl FnMut(&Site<'e>, &mut Verdicts<'_>)) {
    // `each_endpoint` hands out endpoint and value for as long as the call; the list itself lives longer.
    let mut items = host.web.items.iter().filter(|item| item.observation.observed().is_some());
    out.each_endpoint(&host.web, "no web site", |_, _, out| {
        if let Some(AtEndpoint { endpoint, observation: Observation::Observed(web) }) = items.next() {
            judge(&Site { host, endpoint, web }, out);
        }
    });
}

/// As [`each`], with sites that serve the same as another one left out.
pub fn each_distinct<'e>(
    host: &'e HostEvidence,
    out: &mut Verdicts<'_>,
    mut judge: impl FnMut(&Site<'e>, &mut Verdicts<'_>),
) {
    each(host, out, |site, out| match duplicate_of(host, site.endpoint, site.web) {
        Some(other) => out.not_applicable(site.location(), format!("serves the same as {other}, where it is judged")),
        None => judge(site, out),
    });
}

/// As [`each_distinct`], for rules about the page a visitor sees: an HTML document served with success. Anything else
/// is stated.
pub fn each_page<'e>(
    host: &'e HostEvidence,
    out: &mut Verdicts<'_>,
    mut judge: impl FnMut(&Site<'e>, &'e WebResponse, &mut Verdicts<'_>),
) {
    each_distinct(host, out, |site, out| match page(site.web) {
        Ok(page) => judge(site, page, out),
        Err(NoPage::Unknown(reason)) => out.error(site.location(), reason),
        Err(NoPage::None(reason)) => out.not_applicable(site.location(), reason),
    });
}

/// Why there is no page to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPage {
    /// The site serves none.
    None(String),
    /// It could not be obtained.
    Unknown(String),
}

/// The HTML document a visitor of the root ends at, if this endpoint serves it.
///
/// # Errors
/// Why there is none.
pub fn page(web: &WebEvidence) -> Result<&WebResponse, NoPage> {
    use bartizan_domain::evidence::web::RedirectDecision;
    let Some(last) = web.chain.last() else {
        return Err(NoPage::Unknown("the evidence holds no response".to_owned()));
    };
    let none = |reason: String| Err(NoPage::None(reason));
    if let Some(redirect) = &last.redirect {
        let target = redirect.target.as_deref().unwrap_or("an unusable address");
        return match &redirect.decision {
            RedirectDecision::Unresolved { reason }
                if last.own && redirect.scheme == Some(web.scheme) && redirect.host.as_deref() == Some(&web.host) =>
            {
                Err(NoPage::Unknown(format!("the redirect to {target} could not be followed: {reason}")))
            }
            _ => none(format!("only redirects, to {target}")),
        };
    }
    if !last.own {
        return none(format!("only redirects, to {}", last.response.url));
    }
    let response = &last.response;
    if response.status >= 400 {
        return none(format!("answers with status {}", response.status));
    }
    if let Some(encoding) = &response.body.encoding
        && matches!(response.content_type.as_deref(), None | Some("text/html" | "application/xhtml+xml"))
    {
        return Err(NoPage::Unknown(format!("the page came encoded as {encoding} and was not read")));
    }
    if !response.is_html {
        return none("serves no HTML page".to_owned());
    }
    Ok(response)
}

/// The endpoint whose site is the same as the one at `endpoint` and is judged in its stead.
#[must_use]
pub fn duplicate_of(host: &HostEvidence, endpoint: &Endpoint, web: &WebEvidence) -> Option<Location> {
    let rank = |endpoint: &Endpoint, web: &WebEvidence| {
        (web.scheme == Scheme::Http, endpoint.port != web.scheme.default_port(), endpoint.port)
    };
    let (own_rank, own) = (rank(endpoint, web), fingerprint(web)?);
    host.web
        .items
        .iter()
        .filter_map(|item| Some((&item.endpoint, item.observation.observed()?)))
        .filter(|(other, theirs)| other.port != endpoint.port && rank(other, theirs) < own_rank)
        .filter(|(_, theirs)| fingerprint(theirs).as_ref() == Some(&own))
        .min_by_key(|(other, theirs)| rank(other, theirs))
        .map(|(other, _)| other.location())
}

/// Everything about a site that rules judge. Two sites with equal fingerprints get equal verdicts.
#[derive(PartialEq)]
struct Fingerprint<'e> {
    host: &'e str,
    status: u16,
    content_type: Option<&'e str>,
    body: &'e BodyFacts,
    headers: Vec<(&'e str, &'e str)>,
    cookies: Vec<&'e SetCookie>,
    baseline: Option<Vec<(u16, Option<&'e str>)>>,
    shapes: Option<Vec<Option<(u16, &'e PathShape)>>>,
    contact: Option<[Option<&'e SecurityTxt>; 2]>,
    methods: Option<&'e bartizan_domain::evidence::web::MethodFacts>,
    cors: Option<&'e bartizan_domain::evidence::web::CorsFacts>,
}

/// Headers that rules judge.
const JUDGED: [&str; 11] = [
    "content-security-policy",
    "content-security-policy-report-only",
    "referrer-policy",
    "server",
    "www-authenticate",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-content-type-options",
    "x-frame-options",
    "x-generator",
    "x-powered-by",
];

/// `None` for sites that serve nothing of their own: they are never the same as another.
fn fingerprint(web: &WebEvidence) -> Option<Fingerprint<'_>> {
    let page = web.page()?;
    let headers = page
        .headers
        .iter()
        .filter(|header| JUDGED.contains(&header.name.as_str()))
        .map(|header| (header.name.as_str(), header.value.as_str()))
        .collect();
    Some(Fingerprint {
        host: &web.host,
        status: page.status,
        content_type: page.content_type.as_deref(),
        body: &page.body,
        headers,
        cookies: web.own_cookies().collect(),
        baseline: web.baseline.observed().map(|baseline| {
            baseline.answers.iter().map(|answer| (answer.status, answer.content_type.as_deref())).collect()
        }),
        shapes: web.paths.observed().map(|paths| {
            paths.iter().map(|probe| probe.answer.observed().map(|answer| (answer.status, &answer.shape))).collect()
        }),
        contact: web.security_txt.observed().map(|files| {
            [&files.well_known, &files.legacy].map(|place| place.observed().and_then(|answer| answer.file.as_ref()))
        }),
        methods: web.methods.observed(),
        cors: web.cors.observed(),
    })
}
