//! Does a certificate speak for a name or address? RFC 9525 with the subjectAltName alone; the common name never counts.

use std::net::IpAddr;

use bartizan_domain::AssetRef;
use x509_parser::prelude::GeneralName;

use super::x509::Cert;

/// Whether a certificate's subjectAltName names the asset.
#[must_use]
pub fn covers(certificate: &Cert<'_>, asset: &AssetRef) -> bool {
    certificate.alternative_names().iter().any(|name| match (name, asset) {
        (GeneralName::DNSName(pattern), AssetRef::Domain(name)) => dns_matches(pattern, name),
        (GeneralName::IPAddress(bytes), AssetRef::Ip(address)) => ip_matches(bytes, *address),
        _ => false,
    })
}

/// The names a certificate speaks for, for the reader; at most `limit`.
#[must_use]
pub fn listed(certificate: &Cert<'_>, limit: usize) -> Vec<String> {
    certificate
        .alternative_names()
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(super::x509::shorten(name)),
            GeneralName::IPAddress(bytes) => address_of(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .take(limit)
        .collect()
}

/// Matches a dNSName against a host name (RFC 9525, section 6.3). A wildcard is the whole leftmost label and stands for
/// exactly one label; at least two labels follow it, so that `*.com` names nobody.
#[must_use]
pub fn dns_matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim_end_matches('.');
    let name = name.trim_end_matches('.');
    if pattern.is_empty() || name.is_empty() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        None => !pattern.contains('*') && pattern.eq_ignore_ascii_case(name),
        Some(parent) => {
            let Some((label, rest)) = name.split_once('.') else { return false };
            !label.is_empty() && parent.contains('.') && !parent.contains('*') && parent.eq_ignore_ascii_case(rest)
        }
    }
}

fn ip_matches(bytes: &[u8], address: IpAddr) -> bool {
    address_of(bytes) == Some(address)
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_label() {
        for (pattern, name, expected) in [
            ("www.example.org", "www.example.org", true),
            ("WWW.Example.ORG", "www.example.org", true),
            ("www.example.org.", "www.example.org", true),
            ("*.example.org", "www.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", "a.b.example.org", false),
            ("*.org", "example.org", false),
            ("*", "example.org", false),
            ("w*.example.org", "www.example.org", false),
            ("www.*.org", "www.example.org", false),
            ("*.*.org", "www.example.org", false),
            ("", "example.org", false),
            ("example.org", "www.example.org", false),
        ] {
            assert_eq!(dns_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn addresses_match_by_their_bytes() {
        assert!(ip_matches(&[127, 0, 0, 1], "127.0.0.1".parse().unwrap()));
        assert!(!ip_matches(&[127, 0, 0, 2], "127.0.0.1".parse().unwrap()));
        assert!(ip_matches(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1".parse().unwrap()));
        assert!(!ip_matches(b"127.0.0.1", "127.0.0.1".parse().unwrap()));
    }
}
