//! HTTP: recognition by one `GET /`, and the applications behind it that are services of their own
//! (`content/services/http.toml`): search engines, container and cluster APIs.
//!
//! This is not the web probe. It speaks just enough HTTP/1.1 to say what listens; sites are examined elsewhere.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::service::{Access, ServiceDetails};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::signatures::Field;
use super::wire::{Dialer, banner};
use super::{evidence, signatures, sites};
use message::complete;
pub use message::{Response, parse};

mod message;

/// Most bytes read of what an application answers: lists of a large installation are long.
const MAX_LIST: usize = 1 << 20;
/// How many timeouts all questions after the first may take.
const PATIENCE: u32 = 2;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    application: Vec<Application>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    service: String,
    product: String,
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    version_header: Option<String>,
    #[serde(default)]
    version_path: Option<String>,
    #[serde(default)]
    signs: Vec<Sign>,
    rules: Vec<Rule>,
    #[serde(default)]
    read: Option<Read>,
}

/// A header of the root that makes it worth asking an application's other paths, although the root is a page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    header: String,
    contains: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    path: String,
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    json: Vec<String>,
    #[serde(default)]
    contains: Option<String>,
    #[serde(default)]
    header: Option<String>,
    #[serde(default)]
    header_contains: Option<String>,
    #[serde(default)]
    denied: bool,
    #[serde(default)]
    own_port: bool,
}

/// A harmless read that proves whether strangers are let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Read {
    pub(super) path: String,
    #[serde(default)]
    post: Option<String>,
    kind: JsonKind,
    #[serde(default)]
    json: Option<String>,
    #[serde(default)]
    count: Option<String>,
    #[serde(default)]
    denied_text: Option<String>,
    what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JsonKind {
    Array,
    Object,
}

/// `GET /`, and what follows from the answer. What is asked afterwards has its own bound of time, so that a slow server
/// is HTTP all the same.
pub async fn http(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let Some(root) = fetch(dialer, "/", None).await? else { return Ok(None) };
    let site = Site { dialer, until: Instant::now() + dialer.wait * PATIENCE };
    if let Some(found) = sites::recognise(dialer, &root).await {
        return Ok(Some(found));
    }
    let mut answers = BTreeMap::from([("/".to_owned(), Some(root.clone()))]);
    for application in applications() {
        let is_own_port = application.ports.contains(&dialer.address.port());
        let is_likely = is_own_port || !root.is_page() || application.signs.iter().any(|sign| sign.is_in(&root));
        for rule in &application.rules {
            if (rule.path != "/" && !is_likely) || (rule.own_port && !is_own_port) {
                continue;
            }
            if !answers.contains_key(&rule.path) {
                let answer = site.fetch(&rule.path, None).await.ok();
                answers.insert(rule.path.clone(), answer);
            }
            if let Some(Some(answer)) = answers.get(&rule.path)
                && rule.holds(answer)
            {
                return Ok(Some(application.evidence(&site, rule, answer).await));
            }
        }
    }
    let mut found = plain_evidence(&root);
    if found.product.is_none() || found.version.is_none() {
        // Error pages tell what others do not; a server that hides its version on pages hides it here as well.
        if let Ok(error) = site.fetch(NOT_THERE, None).await {
            recognise(&mut found, &error);
        }
        recognise(&mut found, &root);
    }
    sites::before(&mut found, &root);
    Ok(Some(found))
}

/// A server that speaks HTTP, with the time until which it is asked.
struct Site<'s, 'c> {
    dialer: &'s Dialer<'c>,
    until: Instant,
}

impl Site<'_, '_> {
    /// The answer, or why there is none.
    async fn fetch(&self, path: &str, post: Option<&str>) -> Result<Response, String> {
        match tokio::time::timeout_at(self.until, fetch(self.dialer, path, post)).await {
            Ok(Ok(Some(response))) => Ok(response),
            Ok(Ok(None)) => Err(format!("{path} gave no HTTP answer")),
            Ok(Err(failure)) => Err(failure.to_string()),
            Err(_) => Err(format!("{path} was not answered in time")),
        }
    }
}

impl Sign {
    fn is_in(&self, root: &Response) -> bool {
        root.headers.get(&self.header).is_some_and(|value| value.contains(&self.contains))
    }
}

/// A path that no site has.
const NOT_THERE: &str = "/bartizan-was-here-and-found-nothing";

fn plain_evidence(root: &Response) -> ServiceEvidence {
    let mut found = evidence("http");
    recognise(&mut found, root);
    root.describe(&mut found);
    found
}

/// Product and version from everything in a response that names them.
fn recognise(found: &mut ServiceEvidence, answer: &Response) {
    for (header, field) in [("server", Field::Banner), ("via", Field::Via), ("x-powered-by", Field::PoweredBy)] {
        if let Some(value) = answer.headers.get(header) {
            signatures::apply_to(found, field, value);
        }
    }
    // Most pages are of sites and not of servers: only errors are a server's own words, and pages of a product that is
    // known already.
    if answer.status >= 400 || found.product.is_some() {
        signatures::apply_to(found, Field::Body, &String::from_utf8_lossy(&answer.body));
    }
}

impl Response {
    /// Whether the server shows people a page here, and so is a web site and not an interface of a service.
    fn is_page(&self) -> bool {
        self.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
            || (300..400).contains(&self.status)
    }

    pub(super) fn describe(&self, found: &mut ServiceEvidence) {
        let server = self.headers.get("server").map_or(String::new(), |server| format!(" Server: {server}"));
        found.banner = banner(format!("HTTP {}{server}", self.status).as_bytes());
        let schemes = self.headers.get("www-authenticate").map_or(Vec::new(), |text| auth_schemes(text));
        if self.status == 401 && matches!(found.access, Access::Unknown { .. }) {
            found.access = Access::AuthRequired { proof: "GET / answered: 401".to_owned() };
        }
        found.details = ServiceDetails::Http { status: self.status, auth_schemes: schemes };
    }
}

/// Scheme names in `WWW-Authenticate`: a token that begins the value or follows a comma and is not a parameter.
fn auth_schemes(text: &str) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for part in text.split(',') {
        let word = part.trim().split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let is_token = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if is_token && word.len() <= 30 && schemes.len() < 8 && !schemes.contains(&word) {
            schemes.push(word);
        }
    }
    schemes
}

impl Rule {
    fn holds(&self, answer: &Response) -> bool {
        let status = if self.status.is_empty() {
            answer.status == 200 || !self.json.is_empty() || self.header.is_some()
        } else {
            self.status.contains(&answer.status)
        };
        let json = || {
            self.json.is_empty()
                || answer.json.as_ref().is_some_and(|value| self.json.iter().all(|key| lookup(value, key).is_some()))
        };
        let contains =
            || self.contains.as_deref().is_none_or(|text| String::from_utf8_lossy(&answer.body).contains(text));
        let header = || match &self.header {
            None => true,
            Some(name) => answer
                .headers
                .get(name)
                .is_some_and(|value| self.header_contains.as_deref().is_none_or(|text| value.contains(text))),
        };
        status && header() && json() && contains()
    }
}

impl Application {
    fn version_in(&self, answer: &Response) -> Option<String> {
        let stated = self.version.as_deref().and_then(|key| lookup(answer.json.as_ref()?, key)?.as_str());
        let header = || self.version_header.as_deref().and_then(|name| answer.headers.get(name)).map(String::as_str);
        stated.or_else(header).map(|text| text.trim_start_matches('v').to_owned())
    }

    async fn evidence(&self, site: &Site<'_, '_>, rule: &Rule, answer: &Response) -> ServiceEvidence {
        let mut found = evidence(&self.service);
        let mut version = self.version_in(answer);
        if version.is_none()
            && let Some(path) = &self.version_path
            && let Ok(answer) = site.fetch(path, None).await
        {
            version = self.version_in(&answer);
        }
        signatures::set(&mut found, &self.product, version.as_deref(), self.cpe.as_deref());
        answer.describe(&mut found);
        if rule.denied {
            found.access = Access::AuthRequired { proof: format!("GET {} answered: {}", rule.path, answer.status) };
        } else if let Some(read) = &self.read {
            found.access = match site.fetch(&read.path, read.post.as_deref()).await {
                Ok(answer) => read.judge(&answer),
                Err(reason) => Access::Unknown { reason },
            };
        }
        found
    }
}

impl Read {
    pub(super) fn judge(&self, answer: &Response) -> Access {
        let method = if self.post.is_some() { "POST" } else { "GET" };
        let asked = format!("{method} {} without credentials", self.path);
        let refused_in_words =
            self.denied_text.as_deref().is_some_and(|text| String::from_utf8_lossy(&answer.body).contains(text));
        if matches!(answer.status, 401 | 403) || refused_in_words {
            return Access::AuthRequired { proof: format!("{asked} answered: {}", answer.status) };
        }
        let fits = match (&answer.json, self.kind) {
            (Some(Value::Array(_)), JsonKind::Array) | (Some(Value::Object(_)), JsonKind::Object) => self
                .json
                .as_deref()
                .is_none_or(|key| answer.json.as_ref().and_then(|value| lookup(value, key)).is_some()),
            _ => false,
        };
        if answer.status != 200 || !fits {
            return Access::Unknown {
                reason: format!("{asked} answered: {} and nothing that could be read", answer.status),
            };
        }
        let counted = match &self.count {
            Some(key) => answer.json.as_ref().and_then(|value| lookup(value, key)),
            None => answer.json.as_ref(),
        };
        let at_least = if answer.is_cut { "at least " } else { "" };
        let count = match counted {
            Some(Value::Array(list)) => format!(", {at_least}{} entries", list.len()),
            _ => String::new(),
        };
        Access::Open { proof: format!("{asked} answered: 200 with {}{count}", self.what) }
    }
}

pub(super) fn lookup<'v>(value: &'v Value, dotted: &str) -> Option<&'v Value> {
    dotted.split('.').try_fold(value, |value, key| value.get(key))
}

pub(super) async fn fetch(
    dialer: &Dialer<'_>,
    path: &str,
    post: Option<&str>,
) -> Result<Option<Response>, ProbeFailure> {
    let (method, body) = post.map_or(("GET", ""), |body| ("POST", body));
    let length = match post {
        Some(body) => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        None => String::new(),
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (compatible; Bartizan)\r\n\
         Accept: */*\r\n{length}Connection: close\r\n\r\n{body}",
        dialer.host()
    );
    let mut channel = dialer.open().await?;
    if path != "/" {
        channel.take_up_to(MAX_LIST);
    }
    let answer = channel.ask(request.as_bytes(), complete).await?;
    Ok(parse(&answer))
}

/// Posts an XML message.
pub(super) async fn post_xml(dialer: &Dialer<'_>, path: &str, message: &str) -> Result<Option<Response>, ProbeFailure> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (compatible; Bartizan)\r\nAccept: */*\r\n\
         Content-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{message}",
        dialer.host(),
        message.len()
    );
    let mut channel = dialer.open().await?;
    let answer = channel.ask(request.as_bytes(), complete).await?;
    Ok(parse(&answer))
}

fn applications() -> &'static [Application] {
    static APPLICATIONS: OnceLock<Vec<Application>> = OnceLock::new();
    APPLICATIONS.get_or_init(|| match toml::from_str::<File>(Catalog::file("services/http.toml").unwrap_or_default()) {
        Ok(file) => file.application,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: &str, headers: &str, body: &str) -> Response {
        parse(format!("HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}").as_bytes()).unwrap()
    }

    fn recognised(path: &str, response: &Response) -> Option<&'static str> {
        applications()
            .iter()
            .find(|application| application.rules.iter().any(|rule| rule.path == path && rule.holds(response)))
            .map(|application| application.service.as_str())
    }

    #[test]
    fn applications_are_recognised_and_pages_are_not() {
        let json = "Content-Type: application/json";
        for (path, status, body, service) in [
            (
                "/",
                "200 OK",
                r#"{"cluster_name":"c","version":{"number":"8.15.0"},"tagline":"You Know, for Search"}"#,
                Some("elasticsearch"),
            ),
            (
                "/",
                "200 OK",
                r#"{"cluster_name":"c","version":{"number":"2.1.0","distribution":"opensearch"},"tagline":"x"}"#,
                Some("opensearch"),
            ),
            (
                "/",
                "401 Unauthorized",
                r#"{"error":{"reason":"missing authentication credentials for REST request [/]"}}"#,
                Some("elasticsearch"),
            ),
            (
                "/version",
                "200 OK",
                r#"{"ApiVersion":"1.41","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64","Version":"20.10"}"#,
                Some("docker"),
            ),
            ("/version", "200 OK", r#"{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}"#, Some("etcd")),
            ("/version", "200 OK", r#"{"version":"1.0"}"#, None),
            ("/", "200 OK", r#"{"hello":"world"}"#, None),
        ] {
            assert_eq!(recognised(path, &answer(status, json, body)), service, "{body}");
        }
        assert_eq!(recognised("/", &answer("200 OK", "Content-Type: text/html", "<p>You Know, for Search</p>")), None);
    }

    #[test]
    fn schemes_of_authentication_are_read() {
        let response = answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"a, b\"", "");
        assert_eq!(auth_schemes(response.headers.get("www-authenticate").unwrap())[0], "basic");
        assert_eq!(auth_schemes("Negotiate, NTLM, Basic realm=\"x\""), ["negotiate", "ntlm", "basic"]);
    }

    #[test]
    fn only_a_successful_read_is_open() {
        let elastic = applications().iter().find(|application| application.service == "elasticsearch").unwrap();
        let read = elastic.read.as_ref().unwrap();
        let json = "Content-Type: application/json";
        assert!(matches!(read.judge(&answer("200 OK", json, r#"[{"index":"a"}]"#)), Access::Open { .. }));
        assert!(matches!(read.judge(&answer("401 no", json, "{}")), Access::AuthRequired { .. }));
        for (status, body) in [("200 OK", "{}"), ("200 OK", "<html>"), ("500 oops", "[]"), ("404 x", "[]")] {
            assert!(matches!(read.judge(&answer(status, json, body)), Access::Unknown { .. }), "{status} {body}");
        }
    }

    #[test]
    fn lists_that_are_cut_off_are_read_as_far_as_they_go() {
        let pods = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"a":{"b":1}},{"a":{"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{pods}");
        let kubelet = applications().iter().find(|application| application.service == "kubelet").unwrap();
        let answer = parse(head.as_bytes()).unwrap();
        assert!(answer.is_cut && kubelet.rules.iter().any(|rule| rule.path == "/pods" && rule.holds(&answer)));
        match kubelet.read.as_ref().unwrap().judge(&answer) {
            Access::Open { proof } => assert!(proof.contains("at least 1 entries"), "{proof}"),
            other => panic!("{other:?}"),
        }
        // Broken and not cut off is no list.
        let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{pods}", pods.len());
        assert_eq!(parse(whole.as_bytes()).unwrap().json, None);
    }

    proptest! {
        #[test]
        fn hostile_headers_break_nothing(text in "\\PC{0,200}") {
            prop_assert!(auth_schemes(&text).len() <= 8);
        }
    }
}
