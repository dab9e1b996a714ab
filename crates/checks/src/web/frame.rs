//! `frame.unprotected`: whether other sites may show a page inside theirs.

use bartizan_domain::evidence::web::WebResponse;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::{csp, site};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// What keeps strangers from framing `page`; `None` if nothing does.
///
/// `frame-ancestors` decides where it is there, and `X-Frame-Options` is ignored then (CSP3, section 6.4.2.2). A
/// list that any site matches (`*`, `https:`) protects nothing.
#[must_use]
pub fn protection(page: &WebResponse) -> Option<&'static str> {
    let policies = csp::Policies::of(page);
    let mut lists = policies.header.iter().filter_map(|policy| policy.get("frame-ancestors")).peekable();
    if lists.peek().is_some() {
        return lists.any(is_closed).then_some("frame-ancestors");
    }
    let fields: Vec<String> = page
        .header_values("x-frame-options")
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .filter(|value| !value.is_empty())
        .collect();
    let strict = |value: &String| value == "deny" || value == "sameorigin";
    // Of several values that disagree, browsers take the whole as a prohibition if any of them is known (HTML,
    // section 7.7); a single unknown value means nothing.
    fields.iter().any(strict).then_some("x-frame-options")
}

fn is_closed(list: &[String]) -> bool {
    !list.iter().any(|source| {
        let source = source.to_ascii_lowercase();
        matches!(source.as_str(), "*" | "http://*" | "https://*")
            || (source.ends_with(':') && !source.starts_with('\''))
    })
}

/// `frame.unprotected`.
#[derive(Debug)]
pub struct Unprotected;

impl Check for Unprotected {
    fn id(&self) -> &'static str {
        "frame.unprotected"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_page(evidence, out, |site, page, out| {
            if protection(page).is_some() {
                return out.pass(site.location());
            }
            let facts = json!({
                "url": page.url,
                "x_frame_options": page.header("x-frame-options"),
                "content_security_policy": page.header("content-security-policy"),
            });
            out.fail(site.location(), Fail::new(facts));
        });
    }
}

#[cfg(test)]
mod tests {
    use bartizan_domain::evidence::web::{BodyFacts, Header};

    use super::*;

    fn page(headers: &[(&str, &str)]) -> WebResponse {
        WebResponse {
            url: "https://site.test/".into(),
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| Header { name: (*name).into(), value: (*value).into() })
                .collect(),
            content_type: Some("text/html".into()),
            is_html: true,
            body: BodyFacts::default(),
            cookies: Vec::new(),
            document: None,
            signature: None,
        }
    }

    #[test]
    fn the_header_that_decides_decides() {
        let of = |headers: &[(&str, &str)]| protection(&page(headers)).is_some();
        assert!(of(&[("x-frame-options", "SameOrigin")]));
        assert!(of(&[("x-frame-options", "DENY"), ("x-frame-options", "sameorigin")]));
        assert!(of(&[("content-security-policy", "frame-ancestors 'none'")]));
        assert!(of(&[("content-security-policy", "frame-ancestors https://partner.test")]));
        assert!(!of(&[]));
        assert!(!of(&[("x-frame-options", "ALLOWALL")]));
        assert!(!of(&[("x-frame-options", "ALLOW-FROM https://partner.test")]));
        assert!(!of(&[("content-security-policy", "frame-ancestors *"), ("x-frame-options", "DENY")]));
        assert!(!of(&[("content-security-policy-report-only", "frame-ancestors 'none'")]));
        assert!(!of(&[("content-security-policy", "default-src 'none'")]));
    }
}
