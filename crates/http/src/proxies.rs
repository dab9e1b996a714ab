//! Whom a request is from when it came through proxies.
//!
//! What a proxy says about the client is believed only of proxies the operator named. Each proxy adds the address it was
//! reached from at the end of the list, so the client is the last address that is no proxy of ours; what stands before it
//! was written by the client, who may write anything.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::server::Client;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Hops that are looked at, from the last one on.
const HOPS: usize = 32;

/// Networks of proxies whose word counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether the address is a proxy of ours.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whom a request from `peer` is from.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return Client { address: peer, secure: false };
        }
        let forwarded = Forwarded::of(headers);
        let for_of = |hops: &[Option<IpAddr>]| self.last_stranger(peer, hops);
        let listed = for_of(&addresses(headers));
        let standard = for_of(&forwarded.addresses);
        let address = match (listed, standard) {
            // A proxy writes one of the headers and passes the other on as the client wrote it: which is which cannot
            // be told, so that neither is believed where they differ.
            (Some(listed), Some(standard)) if listed != standard => peer,
            (listed, standard) => listed.or(standard).unwrap_or(peer),
        };
        let scheme = last(headers, &X_FORWARDED_PROTO).or(forwarded.scheme);
        Client { address, secure: scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) }
    }

    /// The last hop that is no proxy of ours; `None` if there are no hops. A hop that is no address (`unknown`) hides
    /// who was before it, and the proxy that wrote it stands for them.
    fn last_stranger(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> Option<IpAddr> {
        let mut nearest = peer;
        for hop in hops.iter().rev().take(HOPS) {
            let Some(address) = hop else { return Some(nearest) };
            if !self.trusts(*address) {
                return Some(*address);
            }
            nearest = *address;
        }
        (!hops.is_empty()).then_some(nearest)
    }
}

/// The elements of a header that is a list, over all its lines, outside quotes.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter();
    // What is not text is no address either; it must not vanish, since it may stand for a hop.
    let lines = lines.map(|value| value.to_str().unwrap_or("?"));
    lines.flat_map(|line| split(line, ',')).map(str::trim).filter(|element| !element.is_empty()).collect()
}

/// Parts of a text between separators that stand outside quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .collect()
}

fn last(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    elements(headers, name).last().map(|element| (*element).to_owned())
}

fn addresses(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers, &X_FORWARDED_FOR).into_iter().map(address).collect()
}

/// What RFC 7239 says, of each hop.
struct Forwarded {
    addresses: Vec<Option<IpAddr>>,
    scheme: Option<String>,
}

impl Forwarded {
    fn of(headers: &HeaderMap) -> Self {
        let elements = elements(headers, &header::FORWARDED);
        let parameter = |element: &str, wanted: &str| {
            split(element, ';').into_iter().find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let addresses = elements.iter().map(|element| address(&parameter(element, "for")?)).collect();
        Self { addresses, scheme: elements.last().and_then(|element| parameter(element, "proto")) }
    }
}

/// An address as headers write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let proxies = TrustedProxies::new(&["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let client = proxies.client(peer.parse().unwrap(), &headers);
        (client.address.to_string(), client.secure)
    }

    fn address_of(peer: &str, lines: &[(&'static str, &str)]) -> String {
        client(peer, lines).0
    }

    #[test]
    fn only_the_word_of_trusted_proxies_counts() {
        let spoofed = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1;proto=https")];
        assert_eq!(client("198.51.100.7", &spoofed), ("198.51.100.7".to_owned(), false));
        assert_eq!(client("10.0.0.1", &spoofed), ("192.0.2.1".to_owned(), true));
        assert_eq!(address_of("::ffff:10.0.0.1", &spoofed), "192.0.2.1");
        assert_eq!(address_of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_last_stranger_is_the_client_whatever_it_wrote_itself() {
        let list = |text: &str| address_of("10.0.0.1", &[("x-forwarded-for", text)]);
        assert_eq!(list("203.0.113.9, 192.0.2.1, 10.9.9.9"), "192.0.2.1");
        assert_eq!(list("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(list("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(list("2001:db8::1, fd00::2"), "2001:db8::1");
        assert_eq!(list("10.0.0.3, 10.0.0.2"), "10.0.0.3");
        // Who hides is the proxy's client, not the one it claims to be.
        assert_eq!(list("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2");
        assert_eq!(list("192.0.2.1, rubbish"), "10.0.0.1");
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(address_of("10.0.0.1", &lines), "192.0.2.1");
    }

    #[test]
    fn the_standard_header_is_read_and_a_contradiction_is_not_believed() {
        let standard = |text: &str| address_of("10.0.0.1", &[("forwarded", text)]);
        assert_eq!(standard("for=203.0.113.9, for=192.0.2.1;by=10.0.0.1"), "192.0.2.1");
        assert_eq!(standard("proto=https;For=\"[2001:db8::1]:4711\""), "2001:db8::1");
        assert_eq!(standard("for=192.0.2.1, for=_hidden"), "10.0.0.1");
        let both = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(address_of("10.0.0.1", &both), "10.0.0.1");
    }
}
