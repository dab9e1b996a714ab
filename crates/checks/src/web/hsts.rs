//! `hsts.*`: HTTP Strict Transport Security (RFC 6797).

use bartizan_domain::Confidence;
use bartizan_domain::evidence::web::WebResponse;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Scheme};
use serde_json::json;

use super::site::{self, Site};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Seconds in 180 days, below which a policy is short.
const SHORT: u64 = 180 * 24 * 60 * 60;
/// Seconds the preload list asks for (hstspreload.org).
const PRELOAD: u64 = 31_536_000;

/// A policy as a browser understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `max-age` in seconds.
    pub max_age: u64,
    /// `includeSubDomains`.
    pub include_subdomains: bool,
    /// `preload`, which no RFC knows and the preload list asks for.
    pub preload: bool,
}

/// Reads a `Strict-Transport-Security` value; `None` if a browser must ignore it (RFC 6797, section 6.1: no or bad
/// `max-age`, a directive given twice).
#[must_use]
pub fn parse(value: &str) -> Option<Policy> {
    let (mut max_age, mut include_subdomains, mut preload) = (None, false, false);
    let mut seen: Vec<String> = Vec::new();
    for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value.trim())));
        let name = name.trim().to_ascii_lowercase();
        if seen.contains(&name) {
            return None;
        }
        match name.as_str() {
            "max-age" => max_age = Some(seconds(value?)?),
            "includesubdomains" => include_subdomains = true,
            "preload" => preload = true,
            _ => {}
        }
        seen.push(name);
    }
    max_age.map(|max_age| Policy { max_age, include_subdomains, preload })
}

fn seconds(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// The rules, one check each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `hsts.missing`.
    Missing,
    /// `hsts.zero`.
    Zero,
    /// `hsts.short`.
    Short,
    /// `hsts.no_subdomains`.
    NoSubdomains,
    /// `hsts.preload`.
    Preload,
}

impl Check for Rule {
    fn id(&self) -> &'static str {
        match self {
            Self::Missing => "hsts.missing",
            Self::Zero => "hsts.zero",
            Self::Short => "hsts.short",
            Self::NoSubdomains => "hsts.no_subdomains",
            Self::Preload => "hsts.preload",
        }
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each(evidence, out, |site, out| {
            if site.web.scheme == Scheme::Http {
                return out.not_applicable(site.location(), "HSTS is only heard over HTTPS");
            }
            self.judge_site(site, out);
        });
    }
}

impl Rule {
    fn judge_site(self, site: &Site<'_>, out: &mut Verdicts<'_>) {
        let location = site.location();
        let heard: Vec<(&WebResponse, Option<&str>, Option<Policy>)> = site
            .web
            .own_responses()
            .map(|response| {
                // Of several fields only the first counts (RFC 6797, section 8.1).
                let value = response.header("strict-transport-security");
                (response, value, value.and_then(parse))
            })
            .collect();
        if heard.is_empty() {
            return out.error(location, "the evidence holds no response of this endpoint");
        }
        // Browsers do not apply HSTS to an address; the server behind it is judged because it is reached by names we
        // do not know.
        let confidence = if site.by_address() { Confidence::Hint } else { Confidence::Confirmed };
        if let Some((response, value, _)) = heard.iter().find(|(_, _, policy)| policy.is_none()) {
            return if self == Self::Missing {
                let facts = json!({"url": response.url, "status": response.status, "header": value});
                out.fail(location, Fail::new(facts).confidence(confidence));
            } else {
                out.not_applicable(location, "no valid HSTS header on every response");
            };
        }
        // The last response of the chain is what the browser remembers.
        let Some((response, value, Some(policy))) = heard.last() else {
            unreachable!("the list is not empty and every policy is there");
        };
        if policy.max_age == 0 && !matches!(self, Self::Missing | Self::Zero) {
            return out.not_applicable(location, "the policy switches HSTS off");
        }
        let missing = self.preload_gaps(*policy);
        let broken = match self {
            Self::Missing => false,
            Self::Zero => policy.max_age == 0,
            Self::Short => policy.max_age < SHORT,
            Self::NoSubdomains if site.by_address() => {
                return out.not_applicable(location, "an address has no subdomains");
            }
            Self::NoSubdomains => !policy.include_subdomains,
            Self::Preload if !policy.preload => {
                return out.not_applicable(location, "the policy does not ask for preloading");
            }
            Self::Preload => !missing.is_empty(),
        };
        if broken {
            let mut facts = json!({"url": response.url, "header": value, "max_age": policy.max_age});
            if self == Self::Preload {
                facts["unmet"] = json!(missing);
            }
            out.fail(location, Fail::new(facts).confidence(confidence));
        } else {
            out.pass(location);
        }
    }

    fn preload_gaps(self, policy: Policy) -> Vec<&'static str> {
        let mut gaps = Vec::new();
        if policy.max_age < PRELOAD {
            gaps.push("max-age of at least 31536000");
        }
        if !policy.include_subdomains {
            gaps.push("includeSubDomains");
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_as_browsers_do() {
        let policy = |max_age, include_subdomains, preload| Some(Policy { max_age, include_subdomains, preload });
        assert_eq!(parse("max-age=31536000; includeSubDomains; preload"), policy(31_536_000, true, true));
        assert_eq!(parse("MAX-AGE=\"10\" ;IncludeSubDomains;; x=y"), policy(10, true, false));
        assert_eq!(parse("max-age=99999999999999999999999"), policy(u64::MAX, false, false));
        for ignored in
            ["", "includeSubDomains", "max-age", "max-age=", "max-age=-1", "max-age=1d", "max-age=1; max-age=2"]
        {
            assert_eq!(parse(ignored), None, "{ignored}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,100}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_is_read(age in any::<u64>(), subdomains: bool) {
            let text = format!("max-age={age}{}", if subdomains { "; includeSubDomains" } else { "" });
            prop_assert_eq!(parse(&text), Some(Policy { max_age: age, include_subdomains: subdomains, preload: false }));
        }
    }
}
