//! An HTTP site at one endpoint: responses, headers, cookies, structure of pages and of well-known paths.
//!
//! Values that can carry secrets never get here. Cookies are kept by name and attributes; the values of headers
//! are kept for the names that judging needs and withheld for the rest; URLs lose user information, query,
//! fragment and path parameters; of an environment file only the variable names are kept, of a repository only
//! which of its files have the right shape.
//!
//! Start reading at [`WebEvidence`]; [`WebEvidence::page`] is what most rules look at.

use serde::{Deserialize, Serialize};

use super::Observation;
use super::tls::{Suite, TlsVersion};

mod security_txt;

pub use security_txt::{SecurityTxt, SecurityTxtAnswer, SecurityTxtEvidence, SignatureForm};

/// What stands in the place of a value that is not kept.
pub const WITHHELD: &str = "[withheld]";

/// Scheme of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// HTTP without TLS.
    Http,
    /// HTTP inside TLS.
    Https,
}

impl Scheme {
    /// The wire form, `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port a URL of this scheme means when it names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// An HTTP site as seen at one endpoint under one host name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebEvidence {
    /// Scheme spoken at the endpoint.
    pub scheme: Scheme,
    /// Host asked for: the asset's name, or its address without brackets. Never with a port.
    pub host: String,
    /// The root page and where it leads, first response first; never empty.
    pub chain: Vec<Hop>,
    /// Whether the same host offers HTTPS; looked for only from a plain-HTTP endpoint.
    #[serde(default)]
    pub https: Observation<HttpsSibling>,
    /// How the site answers when a page asks it from another origin.
    #[serde(default)]
    pub cors: Observation<CorsFacts>,
    /// How the site answers paths that cannot exist. Every judgement about a path needs this.
    #[serde(default)]
    pub baseline: Observation<Baseline>,
    /// Paths that were asked for, in the order asked.
    #[serde(default)]
    pub paths: Observation<Vec<PathProbe>>,
    /// The security contact file (RFC 9116).
    #[serde(default)]
    pub security_txt: Observation<SecurityTxtEvidence>,
    /// Request methods beyond the ordinary.
    #[serde(default)]
    pub methods: Observation<MethodFacts>,
    /// Requests spent at this endpoint.
    #[serde(default)]
    pub requests: u32,
    /// Present if no session of current TLS came about and the site was read by the client for old servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_tls: Option<LegacyTls>,
}

/// The session in which a site was read that current TLS could not agree with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyTls {
    /// The version negotiated by the client for old servers.
    pub version: TlsVersion,
    /// The suite negotiated.
    pub suite: Suite,
    /// How the handshake of current TLS failed.
    pub refused: String,
}

impl WebEvidence {
    /// The first response of the endpoint to `GET /`.
    #[must_use]
    pub fn first(&self) -> Option<&WebResponse> {
        self.chain.first().map(|hop| &hop.response)
    }

    /// Responses that this endpoint itself gave under its own host name, redirects included.
    pub fn own_responses(&self) -> impl Iterator<Item = &WebResponse> {
        self.chain.iter().filter(|hop| hop.own).map(|hop| &hop.response)
    }

    /// The page a visitor of the root ends at, if this endpoint serves it: the last response of the chain, unless it
    /// is a redirect or was served elsewhere.
    #[must_use]
    pub fn page(&self) -> Option<&WebResponse> {
        self.chain.last().filter(|hop| hop.own && hop.redirect.is_none()).map(|hop| &hop.response)
    }

    /// The redirect at `GET /`, if the first response is one.
    #[must_use]
    pub fn first_redirect(&self) -> Option<&Redirect> {
        self.chain.first().and_then(|hop| hop.redirect.as_ref())
    }

    /// Everything a browser would have been told to store by this endpoint, in order of appearance.
    pub fn own_cookies(&self) -> impl Iterator<Item = &SetCookie> {
        self.own_responses().flat_map(|response| &response.cookies)
    }
}

/// One response of the redirect chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// Whether the response came from the endpoint and host name the evidence is about.
    pub own: bool,
    /// The response.
    pub response: WebResponse,
    /// Where it sends the visitor, if it is a redirect (3xx with a `Location`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
}

/// A redirect and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The resolved target without secrets; absent if `Location` is no usable URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Scheme of the target, if it is http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// Host of the target, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port of the target, explicit or by scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What was done with it.
    #[serde(flatten)]
    pub decision: RedirectDecision,
}

/// What the probe did with a redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum RedirectDecision {
    /// The target's address was vetted and the target was asked; its response is the next hop.
    Followed,
    /// The address policy forbids the target; it was not contacted.
    Refused {
        /// The rule.
        reason: String,
    },
    /// The target was not asked, or asking it failed.
    Unresolved {
        /// Why: not a web URL, too many redirects, no address, connection failed.
        reason: String,
    },
}

/// One HTTP response, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebResponse {
    /// URL asked for, without user information, query, fragment and path parameters.
    pub url: String,
    /// Status code.
    pub status: u16,
    /// Header fields in order of arrival, names in lower case. Values of names that judging does not need are
    /// [`WITHHELD`]; `set-cookie` is `name=[withheld]; attributes`.
    pub headers: Vec<Header>,
    /// Media type without parameters, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Whether a browser would render the response as a document: `text/html` or XHTML, or no type and a body
    /// that starts like HTML.
    pub is_html: bool,
    /// The body.
    pub body: BodyFacts,
    /// Cookies set, parsed.
    #[serde(default)]
    pub cookies: Vec<SetCookie>,
    /// Structure of the page, for HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentFacts>,
    /// Product and version that the body of an error page names: `nginx/1.26.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl WebResponse {
    /// The value of the first header field called `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    /// The values of all header fields called `name` (lower case), in order.
    pub fn header_values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> + 'r {
        self.headers.iter().filter(move |header| header.name == name).map(|header| header.value.as_str())
    }
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Name, lower case.
    pub name: String,
    /// Value, possibly [`WITHHELD`], at most a few kilobytes.
    pub value: String,
}

/// Facts about a body that is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BodyFacts {
    /// Bytes read.
    pub size: u64,
    /// Whether the body went on beyond the limit.
    #[serde(default)]
    pub truncated: bool,
    /// SHA-256 of the bytes read, hex.
    pub sha256: String,
    /// `Content-Encoding` other than identity, if the server compressed although that was not asked for; such a
    /// body was not looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// A cookie as set, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SetCookie {
    /// Name, exactly as sent.
    pub name: String,
    /// `Secure` attribute.
    pub secure: bool,
    /// `HttpOnly` attribute.
    pub http_only: bool,
    /// `SameSite` attribute as sent; absent if the attribute is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_site: Option<String>,
    /// `Domain` attribute, lower case without the leading dot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// `Path` attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `Max-Age` in seconds, if it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// `Expires` as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `Partitioned` attribute.
    #[serde(default)]
    pub partitioned: bool,
    /// Whether the value is empty.
    #[serde(default)]
    pub empty: bool,
}

/// Structure of an HTML page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// Text of `<title>`, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `<meta name="generator">`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
    /// Policies in `<meta http-equiv="Content-Security-Policy">`.
    #[serde(default)]
    pub meta_csp: Vec<String>,
    /// The program whose directory index the page is: `nginx`, `apache`, `python` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<String>,
    /// The program whose welcome page the page is: `nginx`, `apache` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_page: Option<String>,
    /// Forms, at most 20.
    #[serde(default)]
    pub forms: Vec<FormFacts>,
    /// Scripts and style sheets loaded from files, at most 100.
    #[serde(default)]
    pub resources: Vec<ResourceFacts>,
    /// Whether the page looks like a place to log in: a password field, or a title that says so.
    #[serde(default)]
    pub login_hint: bool,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFacts {
    /// Resolved target without secrets.
    pub action: String,
    /// Scheme of the target, if it is http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// `get` or `post`.
    pub method: String,
    /// Whether the form has a password field.
    pub password: bool,
}

/// Kind of a page's resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// `<script src>`.
    Script,
    /// `<link rel="stylesheet">`.
    Style,
    /// `<link rel="modulepreload">`.
    ModulePreload,
}

/// A script or style sheet that a page loads from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceFacts {
    /// What it is.
    pub kind: ResourceKind,
    /// Resolved URL without secrets.
    pub url: String,
    /// Host of the URL, lower case; absent for `data:` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Scheme, if it is http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// Whether an `integrity` attribute with at least one usable hash is there.
    pub integrity: bool,
}

/// HTTPS on the host of a plain-HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpsSibling {
    /// The port tried.
    pub port: u16,
    /// Whether HTTP over TLS answered there.
    pub available: bool,
    /// What happened, in words.
    pub detail: String,
}

/// Answers to requests from foreign origins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CorsFacts {
    /// An arbitrary `Origin` came back in `Access-Control-Allow-Origin`.
    pub reflects_origin: bool,
    /// `Origin: null` came back.
    pub allows_null: bool,
    /// With a reflected arbitrary origin: `Access-Control-Allow-Credentials: true`.
    pub reflected_with_credentials: bool,
    /// With a reflected `null` origin: `Access-Control-Allow-Credentials: true`.
    pub null_with_credentials: bool,
}

/// Answers to random paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// One entry for each path asked, a plain one and one like a hidden file.
    pub answers: Vec<BaselineAnswer>,
    /// A path that cannot exist is answered with success, or with a redirect: status codes say nothing here.
    pub soft_404: bool,
    /// Product and version that an error page names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Answer to one random path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineAnswer {
    /// Shape of the path: `/<random>` or `/.<random>/<random>`.
    pub kind: String,
    /// Status code.
    pub status: u16,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body, with the random path cut out before hashing.
    pub body: BodyFacts,
}

/// One path that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathProbe {
    /// The path, absolute.
    pub path: String,
    /// The answer.
    pub answer: Observation<PathAnswer>,
}

/// Answer to a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathAnswer {
    /// Status code.
    pub status: u16,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body; its hash is left out (empty) where the content could be secret.
    pub body: BodyFacts,
    /// Whether the answer is what the site says to paths that do not exist.
    pub equals_baseline: bool,
    /// What the body is by its structure.
    pub shape: PathShape,
}

/// What a body is, by structure and never by status or name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PathShape {
    /// Nothing that was looked for.
    Other,
    /// An HTML page.
    Html,
    /// `.git/HEAD`: a symbolic reference or an object id.
    GitHead,
    /// `.git/config`: sections with a `[core]` that has `repositoryformatversion` or `bare`.
    GitConfig {
        /// Number of remotes.
        remotes: u32,
        /// Whether a remote's URL carries a password.
        credentials: bool,
    },
    /// A reference file: one object id.
    GitRef,
    /// A loose object or a list of packs: the repository's content can be fetched.
    GitObject,
    /// A Subversion working copy (`entries`, or the `wc.db` database).
    Svn,
    /// A Mercurial repository (`requires`).
    Hg,
    /// `KEY=VALUE` lines.
    Env {
        /// Lines that assign.
        assignments: u32,
        /// Names assigned, at most 50, sorted.
        names: Vec<String>,
        /// Names that are assigned something and say that it is a secret.
        secrets: u32,
    },
}

/// Request methods beyond GET, HEAD and POST.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MethodFacts {
    /// Answer to `OPTIONS /`.
    pub options: Observation<OptionsFacts>,
    /// Answer to `TRACE /`.
    pub trace: Observation<TraceFacts>,
}

/// Answer to `OPTIONS /`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OptionsFacts {
    /// Status code.
    pub status: u16,
    /// Methods named by `Allow` (and `Public`), upper case, sorted.
    pub allow: Vec<String>,
    /// `DAV` header: the site speaks WebDAV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dav: Option<String>,
}

/// Answer to `TRACE /`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TraceFacts {
    /// Status code.
    pub status: u16,
    /// Whether the body is our own request, its marker header included.
    pub echoed: bool,
}
