//! Products that show themselves to everybody who asks their web server for `/`: build servers, registries, dashboards,
//! gateways, hypervisors (`content/services/sites.toml`).
//!
//! Most are known by the answer to `/` alone. Others give a hint there, and one public path of theirs, read without
//! credentials, settles it; the number of such requests to one server is bounded.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::ServiceEvidence;
use bartizan_domain::evidence::service::Access;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use tokio::time::Instant;

use super::http::{self, Read, Response, lookup};
use super::wire::Dialer;
use super::{evidence, exchanges, signatures};

/// Most requests to one server on a hint.
const MAX_ASKED: usize = 4;
/// How many timeouts they may take in all.
const PATIENCE: u32 = 2;
/// Bytes of a page that are searched.
const MAX_BODY: usize = 48 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    site: Vec<Site>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Site {
    #[serde(default = "plain")]
    service: String,
    product: String,
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default)]
    part: Part,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    marks: Vec<Mark>,
    #[serde(default)]
    hints: Vec<Mark>,
    #[serde(default)]
    page_version: Option<Pattern>,
    #[serde(default)]
    asks: Vec<Ask>,
    #[serde(default)]
    read: Option<Read>,
    #[serde(default)]
    place: Place,
    /// What is spoken here in truth, where the page only says so.
    #[serde(default)]
    native: Option<exchanges::Protocol>,
}

/// Whether a product is what the site is, or stands before one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    #[default]
    Itself,
    /// Named only where the site names no product of its own.
    Before,
}

/// The part of a CPE name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// An application.
    #[default]
    A,
    /// Firmware or an operating system.
    O,
}

fn plain() -> String {
    "http".to_owned()
}

/// A pattern in one place of an answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// A header in lower case, `cookie` for the name of a cookie, or `body`.
    field: String,
    pattern: Pattern,
}

/// A request whose answer settles what a hint suggests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    path: String,
    /// A SOAP message to post.
    #[serde(default)]
    soap: Option<String>,
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    json: Vec<String>,
    #[serde(default)]
    marks: Vec<Mark>,
    /// The key of the version in JSON.
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    version_pattern: Option<Pattern>,
    #[serde(default)]
    access: Option<Proof>,
}

/// What an answer proves about access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    Open,
    Denied,
}

/// A regular expression; groups named `version` and `build` give those.
struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        RegexBuilder::new(&text).size_limit(1 << 20).build().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Pattern {
    /// Whether it matches, and with which version.
    fn find(&self, text: &str) -> Option<Option<String>> {
        let captures = self.0.captures(text)?;
        let group = |name: &str| captures.name(name).map(|found| found.as_str().to_owned());
        let version = group("version").filter(|version| !version.is_empty());
        Some(match (version, group("build")) {
            (Some(version), Some(build)) => Some(format!("{version} build-{build}")),
            (version, _) => version,
        })
    }
}

impl Mark {
    fn find(&self, answer: &Response) -> Option<Option<String>> {
        match self.field.as_str() {
            "body" => self.pattern.find(&page(answer)),
            "cookie" => answer.cookies.iter().find_map(|name| self.pattern.find(name)),
            header => self.pattern.find(answer.headers.get(header)?),
        }
    }
}

fn page(answer: &Response) -> String {
    String::from_utf8_lossy(answer.body.get(..answer.body.len().min(MAX_BODY)).unwrap_or_default()).into_owned()
}

impl Ask {
    /// Whether an answer settles it, and with which version.
    fn settles(&self, answer: &Response) -> Option<Option<String>> {
        let status = if self.status.is_empty() { answer.status == 200 } else { self.status.contains(&answer.status) };
        let has = |key: &String| answer.json.as_ref().is_some_and(|value| lookup(value, key).is_some());
        if !status || !self.json.iter().all(has) {
            return None;
        }
        let mut version = None;
        for mark in &self.marks {
            version = mark.find(answer)?.or(version);
        }
        if let Some(key) = &self.version {
            let stated = answer.json.as_ref().and_then(|value| lookup(value, key)).and_then(|value| value.as_str());
            version = stated.map(|text| text.trim_start_matches('v').to_owned()).or(version);
        }
        if let Some(pattern) = &self.version_pattern {
            pattern.find(version.as_deref()?)?;
        }
        Some(version)
    }
}

/// Requests to one server, each made once.
struct Asked<'d, 'c> {
    dialer: &'d Dialer<'c>,
    until: Instant,
    answers: BTreeMap<String, Option<Response>>,
}

impl Asked<'_, '_> {
    async fn ask(&mut self, ask: &Ask) -> Option<&Response> {
        if !self.answers.contains_key(&ask.path) {
            if self.answers.len() >= MAX_ASKED {
                return None;
            }
            let answering = async {
                match &ask.soap {
                    Some(message) => http::post_xml(self.dialer, &ask.path, message).await,
                    None => http::fetch(self.dialer, &ask.path, None).await,
                }
            };
            let answer = tokio::time::timeout_at(self.until, answering).await;
            self.answers.insert(ask.path.clone(), answer.ok().and_then(Result::ok).flatten());
        }
        self.answers.get(&ask.path)?.as_ref()
    }
}

/// The product behind the answer to `/`, if it is one of the content file.
pub async fn recognise(dialer: &Dialer<'_>, root: &Response) -> Option<ServiceEvidence> {
    let mut asked = Asked { dialer, until: Instant::now() + dialer.wait * PATIENCE, answers: BTreeMap::new() };
    for site in sites().iter().filter(|site| site.place == Place::Itself) {
        let marked = site.marks.iter().find_map(|mark| mark.find(root));
        let hinted =
            site.ports.contains(&dialer.address.port()) || site.hints.iter().any(|hint| hint.find(root).is_some());
        let mut version = match &marked {
            Some(version) => {
                let on_page = || site.page_version.as_ref().and_then(|pattern| pattern.find(&page(root))).flatten();
                version.clone().or_else(on_page)
            }
            None if hinted => None,
            None => continue,
        };
        let mut settled = None;
        if version.is_none() {
            for ask in &site.asks {
                if let Some(answer) = asked.ask(ask).await
                    && let Some(stated) = ask.settles(answer)
                {
                    version = stated;
                    settled = Some((ask, answer.status));
                    break;
                }
            }
        }
        if marked.is_some() || settled.is_some() {
            if let Some(protocol) = site.native
                && let Ok(Some(found)) = exchanges::ask(protocol, dialer).await
            {
                return Some(found);
            }
            let mut found = site.named(root, version.as_deref());
            match (settled, &site.read) {
                (Some((Ask { path, access: Some(proof), .. }, status)), _) => {
                    let proof_text = format!("GET {path} without credentials answered: {status}");
                    found.access = match proof {
                        Proof::Open => Access::Open { proof: proof_text },
                        Proof::Denied => Access::AuthRequired { proof: proof_text },
                    };
                }
                (_, Some(read)) => {
                    let answer = tokio::time::timeout(dialer.wait, http::fetch(dialer, &read.path, None)).await;
                    found.access = match answer {
                        Ok(Ok(Some(answer))) => read.judge(&answer),
                        _ => Access::Unknown { reason: format!("{} gave no HTTP answer", read.path) },
                    };
                }
                (_, None) => {}
            }
            return Some(found);
        }
    }
    None
}

/// Names what stands before a site that names no product of its own.
pub fn before(found: &mut ServiceEvidence, root: &Response) {
    if found.product.is_some() {
        return;
    }
    let site = sites()
        .iter()
        .find(|site| site.place == Place::Before && site.marks.iter().any(|mark| mark.find(root).is_some()));
    if let Some(site) = site {
        site.name(found, None);
    }
}

impl Site {
    fn named(&self, root: &Response, version: Option<&str>) -> ServiceEvidence {
        let mut found = evidence(&self.service);
        self.name(&mut found, version);
        root.describe(&mut found);
        found
    }

    fn name(&self, found: &mut ServiceEvidence, version: Option<&str>) {
        match (self.cpe.as_deref(), self.part) {
            (Some(cpe), Part::O) => exchanges::set_system(found, &self.product, version, cpe),
            (cpe, _) => signatures::set(found, &self.product, version, cpe),
        }
    }
}

fn sites() -> &'static [Site] {
    static SITES: OnceLock<Vec<Site>> = OnceLock::new();
    SITES.get_or_init(|| match toml::from_str::<File>(Catalog::file("services/sites.toml").unwrap_or_default()) {
        Ok(file) => file.site,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

#[cfg(test)]
#[path = "sites_tests.rs"]
mod tests;
