//! DMARC records and the search for the organisational domain: RFC 7489, and the tree walk of its successor
//! (DMARCbis). Reading only; which record counts for a domain is decided by the checks.

use serde::{Deserialize, Serialize};

/// What receivers are asked to do with mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing.
    None,
    /// Treat as suspicious.
    Quarantine,
    /// Reject.
    Reject,
}

impl Policy {
    /// The value as written in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject].into_iter().find(|p| text.eq_ignore_ascii_case(p.as_str()))
    }
}

/// A DMARC record. Unknown tags are ignored, as the standard asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcRecord {
    /// `p`; `None` if it is missing or has an unknown value.
    pub policy: Option<Policy>,
    /// `sp`, for subdomains.
    pub subdomains: Option<Policy>,
    /// `np`, for subdomains that do not exist.
    pub nonexistent: Option<Policy>,
    /// `pct`: share of failing mail the policy is asked for; 100 unless given.
    pub percent: u8,
    /// `t=y`: the policy is being tested and not to be applied.
    pub testing: bool,
    /// `psd`: `Some(true)` for a public suffix, `Some(false)` for an organisational domain by its own word.
    pub public_suffix: Option<bool>,
    /// Receivers of aggregate reports, the `mailto:` URIs of `rua`.
    pub reports: Vec<ReportAddress>,
}

/// A receiver of aggregate reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAddress {
    /// The mail address.
    pub address: String,
    /// Its domain, lower case.
    pub domain: String,
}

/// Whether a TXT record claims to be DMARC.
#[must_use]
pub fn is_record(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(tag, value)| tag.trim().eq_ignore_ascii_case("v") && value.trim() == "DMARC1")
}

/// Reads a record.
///
/// Returns `None` if the text is not a DMARC record, or has no usable policy: RFC 7489 section 6.6.3 has receivers
/// treat a record with a broken `p` as `p=none` if it asks for reports and ignore it if it does not.
#[must_use]
pub fn parse(text: &str) -> Option<DmarcRecord> {
    if !is_record(text) {
        return None;
    }
    let mut record = DmarcRecord {
        policy: None,
        subdomains: None,
        nonexistent: None,
        percent: 100,
        testing: false,
        public_suffix: None,
        reports: Vec::new(),
    };
    for part in text.split(';').skip(1) {
        let Some((tag, value)) = part.split_once('=') else { continue };
        let value = value.trim();
        match tag.trim().to_ascii_lowercase().as_str() {
            "p" => record.policy = Policy::parse(value),
            "sp" => record.subdomains = Policy::parse(value),
            "np" => record.nonexistent = Policy::parse(value),
            "pct" => record.percent = value.parse::<u8>().ok().filter(|p| *p <= 100).unwrap_or(100),
            "t" => record.testing = value.eq_ignore_ascii_case("y"),
            "psd" => {
                record.public_suffix = match value.to_ascii_lowercase().as_str() {
                    "y" => Some(true),
                    "n" => Some(false),
                    _ => None,
                }
            }
            "rua" => record.reports = value.split(',').filter_map(report_address).take(20).collect(),
            _ => {}
        }
    }
    if record.policy.is_none() && record.reports.is_empty() {
        return None;
    }
    Some(record)
}

fn report_address(uri: &str) -> Option<ReportAddress> {
    let uri = uri.trim();
    let scheme = uri.get(..7)?;
    if !scheme.eq_ignore_ascii_case("mailto:") {
        return None;
    }
    // A size limit follows an exclamation mark (RFC 7489 section 6.2), a query a question mark.
    let address = uri.get(7..)?.split(['!', '?']).next()?;
    let (local, domain) = address.rsplit_once('@')?;
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let valid = !local.is_empty()
        && domain.contains('.')
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    valid.then(|| ReportAddress { address: address.to_owned(), domain })
}

/// The names the tree walk of DMARCbis asks, the domain itself first and its top-level domain last: at most eight,
/// long names being cut to their last seven labels after the first query.
#[must_use]
pub fn tree_walk(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').filter(|label| !label.is_empty()).collect();
    let mut names = vec![labels.join(".")];
    let next = if labels.len() > 8 { labels.len() - 7 } else { 1 };
    for from in next..labels.len() {
        names.push(labels.get(from..).unwrap_or_default().join("."));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The organisational domain by the tree walk, given the record found at each step (`None` where there is none).
/// `None` if no step has a record; then the domain stands alone.
#[must_use]
pub fn organisational_by_walk<'n>(steps: &[(&'n str, Option<&DmarcRecord>)]) -> Option<&'n str> {
    let with_records: Vec<(usize, &'n str, &DmarcRecord)> =
        steps.iter().enumerate().filter_map(|(at, (name, record))| record.map(|record| (at, *name, record))).collect();
    for (at, name, record) in &with_records {
        match record.public_suffix {
            Some(false) => return Some(name),
            // One label below the suffix; the suffix itself if the walk started there.
            Some(true) => return Some(steps.get(at.saturating_sub(1)).map_or(*name, |(below, _)| below)),
            None => {}
        }
    }
    with_records.last().map(|(_, name, _)| *name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_read_with_its_defaults() {
        let record = parse(
            "v=DMARC1; p=Reject; sp=quarantine; pct=50; rua=mailto:a@example.com!10m, mailto:b@example.net; x=1;",
        )
        .unwrap();
        assert_eq!(record.policy, Some(Policy::Reject));
        assert_eq!(record.subdomains, Some(Policy::Quarantine));
        assert_eq!(record.percent, 50);
        let domains: Vec<&str> = record.reports.iter().map(|r| r.domain.as_str()).collect();
        assert_eq!(domains, ["example.com", "example.net"]);
        assert_eq!(parse("v=DMARC1;p=none").unwrap().percent, 100);
    }

    #[test]
    fn what_receivers_ignore_is_no_record() {
        for text in ["", "v=DMARC1", "v=DMARC1; p=rejekt", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC12; p=none"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("v=DMARC1; p=x; rua=mailto:a@example.com").unwrap().policy, None);
    }

    #[test]
    fn the_walk_is_bounded_and_stops_at_the_top() {
        assert_eq!(tree_walk("a.example.com"), ["a.example.com", "example.com", "com"]);
        let long = tree_walk("a.b.c.d.e.f.g.h.i.j.example.com");
        assert_eq!(long.first().unwrap(), "a.b.c.d.e.f.g.h.i.j.example.com");
        assert_eq!(long.get(1).unwrap(), "f.g.h.i.j.example.com");
        assert_eq!(long.len(), 8);
    }

    #[test]
    fn the_organisation_is_found_by_flag_or_by_the_topmost_record() {
        let plain = parse("v=DMARC1; p=none").unwrap();
        let suffix = parse("v=DMARC1; p=none; psd=y").unwrap();
        let own = parse("v=DMARC1; p=none; psd=n").unwrap();
        let walk = |records: [Option<&DmarcRecord>; 3]| {
            let names = ["a.example.com", "example.com", "com"];
            let steps: Vec<_> = names.into_iter().zip(records).collect();
            organisational_by_walk(&steps).map(str::to_owned)
        };
        assert_eq!(walk([Some(&plain), Some(&plain), None]).as_deref(), Some("example.com"));
        assert_eq!(walk([Some(&plain), None, Some(&suffix)]).as_deref(), Some("example.com"));
        assert_eq!(walk([Some(&own), Some(&plain), None]).as_deref(), Some("a.example.com"));
        assert_eq!(walk([None, None, None]), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
            let _ = parse(&format!("v=DMARC1;{text}"));
            let _ = parse(&format!("v=DMARC1;p=none;rua={text}"));
            let _ = tree_walk(&text);
        }
    }
}
