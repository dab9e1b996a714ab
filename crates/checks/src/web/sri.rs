//! `sri.missing`: scripts and style sheets of other sites without an integrity hash.

use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::site;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// `sri.missing`.
#[derive(Debug)]
pub struct Missing;

impl Check for Missing {
    fn id(&self) -> &'static str {
        "sri.missing"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_page(evidence, out, |site, page, out| {
            let Some(document) = &page.document else {
                return out.error(site.location(), "the page was not read");
            };
            let foreign: Vec<_> = document
                .resources
                .iter()
                .filter(|resource| resource.host.as_deref().is_some_and(|host| !same_site(host, &site.web.host)))
                .collect();
            if foreign.is_empty() {
                return out.not_applicable(site.location(), "loads no scripts or style sheets of other sites");
            }
            let bare: Vec<_> = foreign.iter().filter(|resource| !resource.integrity).collect();
            if bare.is_empty() {
                return out.pass(site.location());
            }
            let list: Vec<_> =
                bare.iter().map(|resource| json!({"kind": resource.kind, "url": resource.url})).collect();
            out.fail(site.location(), Fail::new(json!({"url": page.url, "resources": list})));
        });
    }
}

/// Whether two hosts belong to one registrable domain (public suffix list), or are the same address.
fn same_site(a: &str, b: &str) -> bool {
    let site = |host: &str| psl::domain_str(host.trim_end_matches('.')).map(str::to_owned);
    a == b || (a.parse::<std::net::IpAddr>().is_err() && site(a).is_some_and(|domain| site(b) == Some(domain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_registrable_domains() {
        assert!(same_site("cdn.shop.co.uk", "www.shop.co.uk"));
        assert!(!same_site("evil-shop.co.uk", "shop.co.uk"));
        assert!(!same_site("shop.co.uk.evil.test", "shop.co.uk"));
        assert!(!same_site("a.github.io", "b.github.io"));
        assert!(same_site("127.0.0.1", "127.0.0.1") && !same_site("127.0.0.1", "127.0.0.2"));
    }
}
