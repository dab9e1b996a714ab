//! Metadata and texts of a check: `content/checks/<category>/<id with dots as hyphens>.toml`.

use std::collections::BTreeMap;
use std::fmt;

use bartizan_domain::evidence::EvidenceKind;
use bartizan_domain::{CheckId, Severity};
use serde::{Deserialize, Serialize};

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// TLS protocol versions, suites, groups.
    Tls,
    /// X.509 certificates and their trust.
    Certificate,
    /// HTTP responses, headers, cookies, exposed files.
    Web,
    /// Zones, delegation, DNSSEC, CAA.
    Dns,
    /// Mail policy.
    Mail,
    /// Domain registration.
    Registration,
    /// Ports and services.
    Service,
    /// SSH servers.
    Ssh,
}

impl Category {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Web => "web",
            Self::Dns => "dns",
            Self::Mail => "mail",
            Self::Registration => "registration",
            Self::Service => "service",
            Self::Ssh => "ssh",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much a check does to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Public data only: DNS, RDAP.
    Passive,
    /// Ordinary client behaviour.
    Safe,
    /// Exploit-shaped probes; opt-in, on attested assets only.
    Intrusive,
}

impl Mode {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::Safe => "safe",
            Self::Intrusive => "intrusive",
        }
    }
}

/// How settled a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maturity {
    /// New; may change or go.
    Preview,
    /// Settled.
    Stable,
    /// Going away.
    Deprecated,
}

/// A copyable command or configuration excerpt that fixes the finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixExample {
    /// Where it goes: `nginx`, `OpenSSH`.
    pub label: String,
    /// The text.
    pub text: String,
}

/// The predicate of a check that needs no Rust. Expressions are CEL over the evidence of one endpoint (or of the
/// asset, for kinds without endpoints), bound to the variable `it`, with the whole host evidence as `host`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Which evidence is judged.
    pub evidence: EvidenceKind,
    /// Whether the rule concerns this evidence; `false` gives `not_applicable`. Left out: always.
    #[serde(default)]
    pub applies: Option<String>,
    /// Reason given when `applies` is false.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// `true` gives `fail`, `false` gives `pass`. A missing fact is an error verdict and never a pass.
    pub fail: String,
    /// Facts shown as evidence of a failure: name to expression.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

/// A check as people read about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckMeta {
    /// Stable id.
    pub id: CheckId,
    /// What is wrong when it fails, as a sentence without a full stop.
    pub title: String,
    /// Default severity.
    pub severity: Severity,
    /// Subject.
    pub category: Category,
    /// What it does to the target.
    pub mode: Mode,
    /// How settled it is.
    pub maturity: Maturity,
    /// Version that introduced it.
    pub since: String,
    /// What is checked, exactly.
    pub description: String,
    /// Why it matters.
    pub risk: String,
    /// What to do, step by step.
    pub remediation: Vec<String>,
    /// Copyable excerpts.
    #[serde(default)]
    pub examples: Vec<FixExample>,
    /// Sources of the rule.
    pub references: Vec<String>,
    /// CWE numbers.
    #[serde(default)]
    pub cwe: Vec<u32>,
    /// Checks that explain this one at the same location: one cause, one finding.
    #[serde(default)]
    pub excluded_by: Vec<CheckId>,
    /// Former ids.
    #[serde(default)]
    pub redirects: Vec<String>,
    /// The predicate, for checks without Rust.
    #[serde(default)]
    pub declaration: Option<Declaration>,
}

pub(crate) fn parse(file: &str, text: &str) -> Result<CheckMeta, String> {
    let meta: CheckMeta = toml::from_str(text).map_err(|error| error.to_string())?;
    let id = CheckId::parse(meta.id.as_str())?;
    let expected = format!("checks/{}/{}.toml", meta.category, id.as_str().replace('.', "-"));
    if file != expected {
        return Err(format!("check {id} of category {} belongs in {expected}", meta.category));
    }
    for (field, value) in [("title", &meta.title), ("description", &meta.description), ("risk", &meta.risk)] {
        if value.trim().is_empty() {
            return Err(format!("{field} is empty"));
        }
    }
    if meta.title.ends_with('.') || meta.title.len() > 100 {
        return Err("title must be at most 100 characters without a full stop".to_owned());
    }
    if meta.remediation.is_empty() || meta.references.is_empty() {
        return Err("remediation and references must not be empty".to_owned());
    }
    if let Some(reference) = meta.references.iter().find(|reference| !reference.starts_with("https://")) {
        return Err(format!("reference `{reference}` is not an https URL"));
    }
    Ok(meta)
}
