//! `csp.missing`, `csp.weak`: what a Content Security Policy really allows (CSP Level 3).
//!
//! Several policies are enforced together, so a weakness counts only if every enforced policy has it.

use std::collections::BTreeSet;

use bartizan_domain::Severity;
use bartizan_domain::evidence::web::WebResponse;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::{frame, site};
use crate::{Check, Fail, JudgeSettings, Verdicts};

const NEEDS: &[EvidenceKind] = &[EvidenceKind::Web];

/// Hosts that serve anybody's scripts, or answer with script of the caller's choosing (JSONP), so that allowing them
/// allows everything. Collected from the published bypass lists of Google's CSP Evaluator.
const BYPASS_HOSTS: &[&str] = &[
    "accounts.google.com",
    "ajax.googleapis.com",
    "cdn.jsdelivr.net",
    "cdnjs.cloudflare.com",
    "clients1.google.com",
    "code.angularjs.org",
    "esm.sh",
    "gist.githubusercontent.com",
    "gitcdn.xyz",
    "raw.githubusercontent.com",
    "rawgit.com",
    "cdn.rawgit.com",
    "jsdelivr.net",
    "storage.googleapis.com",
    "translate.google.com",
    "unpkg.com",
    "www.google.com",
    "www.googleapis.com",
    "yandex.st",
    "yastatic.net",
];
/// Platforms on which anyone gets a subdomain: a wildcard over them allows everyone.
const SHARED_PARENTS: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azureedge.net",
    "azurewebsites.net",
    "blob.core.windows.net",
    "cloudfront.net",
    "firebaseapp.com",
    "github.io",
    "googleapis.com",
    "herokuapp.com",
    "netlify.app",
    "pages.dev",
    "s3.amazonaws.com",
    "vercel.app",
    "workers.dev",
];

/// One policy: directive names in lower case with their sources, in order of appearance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    directives: Vec<(String, Vec<String>)>,
}

impl Policy {
    /// Reads one serialised policy. A directive given again is ignored (CSP3, section 2.2.1).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut policy = Self::default();
        for part in text.split(';') {
            let mut words = part.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let name = name.to_ascii_lowercase();
            if policy.get(&name).is_none() {
                policy.directives.push((name, words.map(str::to_owned).collect()));
            }
        }
        policy
    }

    /// Reads a header value, which may hold several policies separated by commas.
    #[must_use]
    pub fn parse_list(value: &str) -> Vec<Self> {
        value.split(',').map(Self::parse).filter(|policy| !policy.directives.is_empty()).collect()
    }

    /// The sources of a directive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.directives.iter().find(|(known, _)| known == name).map(|(_, sources)| sources.as_slice())
    }

    /// The sources of the first directive of `names` that is there: fallback, as in `script-src-elem`, `script-src`,
    /// `default-src`.
    fn first_of(&self, names: &[&str]) -> Option<&[String]> {
        names.iter().find_map(|name| self.get(name))
    }
}

/// A weakness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Issue {
    /// There is only a policy that reports and enforces nothing.
    ReportOnly,
    /// Neither `script-src` nor `default-src`.
    NoScriptSrc,
    /// `'unsafe-inline'` for scripts, and nothing (nonce, hash, strict-dynamic) that switches it off.
    UnsafeInline,
    /// `'unsafe-eval'`.
    UnsafeEval,
    /// `*` as a script source.
    Wildcard,
    /// A whole scheme (`https:`) as a script source.
    SchemeSource,
    /// `data:` as a script source.
    DataSource,
    /// A host that serves anybody's scripts.
    BypassHost,
    /// Neither `object-src` nor `default-src`.
    NoObjectSrc,
    /// No `base-uri` although scripts may run.
    NoBaseUri,
    /// No `form-action`.
    NoFormAction,
    /// No `frame-ancestors`, and no `X-Frame-Options` in its stead.
    NoFrameAncestors,
}

impl Issue {
    /// Whether injected script can run because of it.
    const fn opens_scripts(self) -> bool {
        matches!(
            self,
            Self::ReportOnly
                | Self::NoScriptSrc
                | Self::UnsafeInline
                | Self::Wildcard
                | Self::SchemeSource
                | Self::DataSource
        )
    }
}

/// The weaknesses of one enforced policy. `frame-ancestors` is judged apart, see [`Weak`].
#[must_use]
pub fn issues(policy: &Policy) -> BTreeSet<Issue> {
    let mut found = BTreeSet::new();
    let sandboxed = policy.get("sandbox");
    let no_scripts_at_all =
        sandboxed.is_some_and(|tokens| !tokens.iter().any(|token| token.eq_ignore_ascii_case("allow-scripts")));
    let element = policy.first_of(&["script-src-elem", "script-src", "default-src"]);
    let attribute = policy.first_of(&["script-src-attr", "script-src", "default-src"]);
    let eval = policy.first_of(&["script-src", "default-src"]);
    let mut scripts_run = false;
    if !no_scripts_at_all {
        for list in [element, attribute] {
            match list {
                None => {
                    found.insert(Issue::NoScriptSrc);
                    scripts_run = true;
                }
                Some(list) => {
                    script_list(list, &mut found);
                    scripts_run |= !is_none(list);
                }
            }
        }
        if eval.is_some_and(|list| has(list, "'unsafe-eval'")) {
            found.insert(Issue::UnsafeEval);
        }
    }
    if policy.first_of(&["object-src", "default-src"]).is_none() {
        found.insert(Issue::NoObjectSrc);
    }
    if policy.get("base-uri").is_none() && scripts_run {
        found.insert(Issue::NoBaseUri);
    }
    let no_forms =
        sandboxed.is_some_and(|tokens| !tokens.iter().any(|token| token.eq_ignore_ascii_case("allow-forms")));
    if policy.get("form-action").is_none() && !no_forms {
        found.insert(Issue::NoFormAction);
    }
    found
}

fn script_list(list: &[String], found: &mut BTreeSet<Issue>) {
    let strict_dynamic = has(list, "'strict-dynamic'");
    let vouched = list.iter().any(|source| {
        let source = source.to_ascii_lowercase();
        ["'nonce-", "'sha256-", "'sha384-", "'sha512-"].iter().any(|prefix| source.starts_with(prefix))
    });
    if has(list, "'unsafe-inline'") && !vouched && !strict_dynamic {
        found.insert(Issue::UnsafeInline);
    }
    // With 'strict-dynamic' browsers ignore hosts and schemes (CSP3, section 6.7.2.4).
    if strict_dynamic {
        return;
    }
    for source in list.iter().map(|source| source.to_ascii_lowercase()) {
        match source.as_str() {
            "*" | "http://*" | "https://*" | "*:*" => {
                found.insert(Issue::Wildcard);
            }
            "data:" => {
                found.insert(Issue::DataSource);
            }
            scheme if scheme.ends_with(':') && !scheme.starts_with('\'') => {
                found.insert(Issue::SchemeSource);
            }
            keyword if keyword.starts_with('\'') => {}
            host if is_bypass(host) => {
                found.insert(Issue::BypassHost);
            }
            _ => {}
        }
    }
}

fn is_bypass(source: &str) -> bool {
    let rest = source.split_once("://").map_or(source, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.split(':').next().unwrap_or_default();
    // A source that names one file allows that file and no other.
    if !path.is_empty() && !path.ends_with('/') {
        return false;
    }
    match host.strip_prefix("*.") {
        Some(parent) => SHARED_PARENTS
            .iter()
            .chain(BYPASS_HOSTS)
            .any(|known| *known == parent || known.strip_suffix(parent).is_some_and(|head| head.ends_with('.'))),
        None => BYPASS_HOSTS.contains(&host),
    }
}

fn has(list: &[String], keyword: &str) -> bool {
    list.iter().any(|source| source.eq_ignore_ascii_case(keyword))
}

/// `'none'`, or the empty list that means the same.
pub(super) fn is_none(list: &[String]) -> bool {
    list.iter().all(|source| source.eq_ignore_ascii_case("'none'"))
}

/// The policies a page is under, and those that only report.
#[derive(Debug, Default)]
pub struct Policies {
    /// From header fields.
    pub header: Vec<Policy>,
    /// From `<meta>`, where `frame-ancestors` and `sandbox` do not count.
    pub meta: Vec<Policy>,
    /// Report-only.
    pub report_only: Vec<Policy>,
}

impl Policies {
    /// All policies of a page.
    #[must_use]
    pub fn of(page: &WebResponse) -> Self {
        let read = |name: &str| page.header_values(name).flat_map(Policy::parse_list).collect();
        let meta = page.document.iter().flat_map(|document| &document.meta_csp).map(|text| Policy::parse(text));
        Self {
            header: read("content-security-policy"),
            meta: meta
                .map(|mut policy| {
                    policy.directives.retain(|(name, _)| name != "frame-ancestors" && name != "sandbox");
                    policy
                })
                .filter(|policy| !policy.directives.is_empty())
                .collect(),
            report_only: read("content-security-policy-report-only"),
        }
    }

    /// The policies that are enforced.
    pub fn enforced(&self) -> impl Iterator<Item = &Policy> {
        self.header.iter().chain(&self.meta)
    }

    /// What every enforced policy allows; [`Issue::ReportOnly`] alone if none is enforced.
    #[must_use]
    pub fn issues(&self) -> BTreeSet<Issue> {
        self.enforced()
            .map(issues)
            .reduce(|all, one| all.intersection(&one).copied().collect())
            .unwrap_or_else(|| BTreeSet::from([Issue::ReportOnly]))
    }
}

/// `csp.missing`.
#[derive(Debug)]
pub struct Missing;

impl Check for Missing {
    fn id(&self) -> &'static str {
        "csp.missing"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_page(evidence, out, |site, page, out| {
            let policies = Policies::of(page);
            if policies.enforced().next().is_some() {
                out.pass(site.location());
            } else if policies.report_only.is_empty() {
                out.fail(site.location(), Fail::new(json!({"url": page.url, "content_type": page.content_type})));
            } else {
                out.not_applicable(site.location(), "there is a policy, but it only reports: see csp.weak");
            }
        });
    }
}

/// `csp.weak`.
#[derive(Debug)]
pub struct Weak;

impl Check for Weak {
    fn id(&self) -> &'static str {
        "csp.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_page(evidence, out, |site, page, out| {
            let policies = Policies::of(page);
            if policies.enforced().next().is_none() && policies.report_only.is_empty() {
                return out.not_applicable(site.location(), "there is no policy: see csp.missing");
            }
            let mut issues = policies.issues();
            if issues.is_empty() {
                return out.pass(site.location());
            }
            // Framing has a check of its own; here its gap only completes the list.
            if frame::protection(page).is_none() {
                issues.insert(Issue::NoFrameAncestors);
            }
            let severity =
                if issues.iter().any(|issue| issue.opens_scripts()) { Severity::Medium } else { Severity::Low };
            let shown: Vec<&str> = ["content-security-policy", "content-security-policy-report-only"]
                .into_iter()
                .flat_map(|name| page.header_values(name))
                .collect();
            let facts = json!({"url": page.url, "issues": issues, "policies": shown,
                "meta_policies": page.document.as_ref().map(|document| &document.meta_csp)});
            out.fail(site.location(), Fail::new(facts).severity(severity));
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REST: &str = "; object-src 'none'; base-uri 'none'; form-action 'self'";

    fn of(text: &str) -> Vec<Issue> {
        issues(&Policy::parse(text)).into_iter().collect()
    }

    fn scripts(list: &str) -> Vec<Issue> {
        of(&format!("script-src {list}{REST}"))
    }

    #[test]
    fn inline_is_unsafe_only_if_nothing_switches_it_off() {
        assert_eq!(scripts("'self' 'unsafe-inline'"), [Issue::UnsafeInline]);
        assert_eq!(scripts("'self' 'UNSAFE-INLINE' 'nonce-abc'"), []);
        assert_eq!(scripts("'unsafe-inline' 'sha256-abc'"), []);
        assert_eq!(scripts("'unsafe-inline' 'strict-dynamic' 'nonce-x' https: http:"), []);
        assert_eq!(of(&format!("default-src 'self' 'unsafe-inline'{REST}")), [Issue::UnsafeInline]);
        assert_eq!(of(&format!("default-src 'unsafe-inline'; script-src 'self'{REST}")), []);
        assert_eq!(of(&format!("script-src 'self'; script-src-attr 'unsafe-inline'{REST}")), [Issue::UnsafeInline]);
        assert_eq!(of(&format!("default-src 'self'; style-src 'unsafe-inline'{REST}")), []);
    }

    #[test]
    fn sources_that_let_everyone_in() {
        assert_eq!(scripts("*"), [Issue::Wildcard]);
        assert_eq!(scripts("https:"), [Issue::SchemeSource]);
        assert_eq!(scripts("'self' data:"), [Issue::DataSource]);
        assert_eq!(scripts("'self' 'unsafe-eval'"), [Issue::UnsafeEval]);
        assert_eq!(scripts("'self' 'wasm-unsafe-eval'"), []);
        assert_eq!(scripts("https://cdnjs.cloudflare.com"), [Issue::BypassHost]);
        assert_eq!(scripts("https://cdnjs.cloudflare.com/ajax/libs/x/1.0/x.min.js"), []);
        assert_eq!(scripts("*.cloudfront.net"), [Issue::BypassHost]);
        assert_eq!(scripts("https://static.site.test"), []);
        assert_eq!(scripts("*.site.test"), []);
    }

    #[test]
    fn gaps_count_where_they_matter() {
        assert_eq!(of("default-src 'self'"), [Issue::NoBaseUri, Issue::NoFormAction]);
        assert_eq!(of("default-src 'none'"), [Issue::NoFormAction]);
        assert_eq!(of("sandbox; default-src 'none'"), []);
        assert_eq!(
            of("img-src 'self'"),
            [Issue::NoScriptSrc, Issue::NoObjectSrc, Issue::NoBaseUri, Issue::NoFormAction]
        );
        assert_eq!(of("default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"), []);
        assert_eq!(of(&format!("script-src 'self'; script-src *{REST}")), []);
    }

    #[test]
    fn together_policies_are_as_strong_as_the_strongest() {
        let policies = Policies {
            header: Policy::parse_list("script-src 'self', script-src * 'unsafe-inline'; object-src 'none'"),
            meta: vec![Policy::parse("base-uri 'none'; form-action 'none'")],
            ..Policies::default()
        };
        assert!(policies.issues().is_empty(), "{:?}", policies.issues());
        assert_eq!(Policies::default().issues().into_iter().collect::<Vec<_>>(), [Issue::ReportOnly]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            for policy in Policy::parse_list(&text) {
                let _ = issues(&policy);
            }
        }

        #[test]
        fn a_further_policy_never_weakens(a in "(default-src|script-src|object-src|base-uri|form-action)( ('self'|\\*|'unsafe-inline'|data:|'nonce-a')){0,3}",
                                          b in "(default-src|script-src|object-src|base-uri|form-action)( ('self'|\\*|'unsafe-inline'|data:|'nonce-a')){0,3}") {
            let one = Policies { header: vec![Policy::parse(&a)], ..Policies::default() }.issues();
            let both = Policies { header: vec![Policy::parse(&a), Policy::parse(&b)], ..Policies::default() }.issues();
            prop_assert!(both.is_subset(&one));
        }
    }
}
