//! What a user may point a scan at, and how it is read.
//!
//! Forms: `example.com`, `https://example.com/`, `192.0.2.1`, `2001:db8::1`, `192.0.2.0/24`,
//! `192.0.2.1-192.0.2.9`, `192.0.2.1-9`, `example.com:8443`, `192.0.2.1:22`, `[2001:db8::1]:22`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::scan::bounds::MAX_EXPANSION;
use crate::{AssetKind, AssetRef};

/// A parsed target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A DNS name, optionally narrowed to one port.
    Domain {
        /// Lower case, A-labels, no trailing dot.
        name: String,
        /// From `host:port` or a URL.
        port: Option<u16>,
    },
    /// One address, optionally narrowed to one port.
    Ip {
        /// The address.
        address: IpAddr,
        /// From `host:port` or a URL.
        port: Option<u16>,
    },
    /// A network; every address of it is scanned, the network and broadcast addresses of IPv4 included.
    Cidr(IpNet),
    /// An inclusive range of addresses of one family.
    Range(IpAddr, IpAddr),
}

impl Target {
    /// How many assets the target expands to.
    #[must_use]
    pub fn count(&self) -> u128 {
        match self {
            Self::Domain { .. } | Self::Ip { .. } => 1,
            Self::Cidr(net) => distance(net.network(), last_of(net)),
            Self::Range(first, last) => distance(*first, *last),
        }
    }

    /// The port the target is narrowed to.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Domain { port, .. } | Self::Ip { port, .. } => *port,
            Self::Cidr(_) | Self::Range(..) => None,
        }
    }

    /// The kind of asset that stands for this target; a range has none.
    #[must_use]
    pub const fn kind(&self) -> Option<AssetKind> {
        match self {
            Self::Domain { .. } => Some(AssetKind::Domain),
            Self::Ip { .. } => Some(AssetKind::Ip),
            Self::Cidr(_) => Some(AssetKind::Cidr),
            Self::Range(..) => None,
        }
    }

    /// The assets the target stands for, lazily and in address order.
    pub fn assets(&self) -> Box<dyn Iterator<Item = AssetRef> + Send> {
        match self {
            Self::Domain { name, .. } => Box::new(std::iter::once(AssetRef::Domain(name.clone()))),
            Self::Ip { address, .. } => Box::new(std::iter::once(AssetRef::Ip(*address))),
            Self::Cidr(net) => Box::new(addresses(net.network(), last_of(net)).map(AssetRef::Ip)),
            Self::Range(first, last) => Box::new(addresses(*first, *last).map(AssetRef::Ip)),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    /// Parses one target. The error names the value and the rule.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() {
            return Err("empty target: expected a domain, URL, address, CIDR, range or host:port".to_owned());
        }
        if text.len() > 2048 {
            return Err(format!("target of {} characters: at most 2048 are allowed", text.len()));
        }
        if text.contains("://") {
            return parse_url(text);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            if matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
                return Err(format!(
                    "`{text}` is a link-local address: it means something on one link only; use a global or unique local address"
                ));
            }
            return Ok(Self::Ip { address: canonical(address), port: None });
        }
        if let Some((address, zone)) = text.split_once('%')
            && address.parse::<Ipv6Addr>().is_ok()
        {
            return Err(format!(
                "`{text}`: addresses with a zone (`%{zone}`) cannot be scanned, they mean something on this link only; use a global or unique local address"
            ));
        }
        if text.contains('/') {
            return parse_cidr(text);
        }
        if let Some(rest) = text.strip_prefix('[') {
            return parse_bracketed(text, rest);
        }
        if let Some((first, last)) = text.split_once('-')
            && let Ok(first_address) = first.parse::<IpAddr>()
        {
            return parse_range(text, first_address, last);
        }
        if text.matches(':').count() > 1 {
            return Err(format!(
                "`{text}` is not an IPv6 address; with a port it is written [2001:db8::1]:443, and a host name has at most one colon"
            ));
        }
        if let Some((host, port)) = text.rsplit_once(':') {
            let port = parse_port(text, port)?;
            return match host.parse::<IpAddr>() {
                Ok(address) => Ok(Self::Ip { address, port: Some(port) }),
                Err(_) => parse_domain(host).map(|name| Self::Domain { name, port: Some(port) }),
            };
        }
        parse_domain(text).map(|name| Self::Domain { name, port: None })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain { name, port: None } => f.write_str(name),
            Self::Domain { name, port: Some(port) } => write!(f, "{name}:{port}"),
            Self::Ip { address, port: None } => write!(f, "{address}"),
            Self::Ip { address: IpAddr::V4(v4), port: Some(port) } => write!(f, "{v4}:{port}"),
            Self::Ip { address: IpAddr::V6(v6), port: Some(port) } => write!(f, "[{v6}]:{port}"),
            Self::Cidr(net) => write!(f, "{net}"),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// Normalises a DNS name: IDNA A-labels, lower case, no trailing dot.
///
/// # Errors
/// Names the value and the rule it breaks (RFC 1035 lengths, RFC 5890 labels, at least two labels or `localhost`).
pub fn parse_domain(text: &str) -> Result<String, String> {
    let bare = text.strip_suffix('.').unwrap_or(text);
    // No top-level domain is a number (RFC 3696 section 2), and `127.1` or `0x7f.1` would be an address to a browser
    // and a name to a resolver.
    if ends_in_a_number(bare) {
        return Err(format!(
            "`{text}` is not an address: an IPv4 address has four decimal parts from 0 to 255, and a name does not end in a number"
        ));
    }
    let name = idna::domain_to_ascii_cow(bare.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map_err(|_| format!("`{text}` is not a domain name: a label breaks the rules of IDNA"))?
        .to_ascii_lowercase();
    if name.is_empty() || name.len() > 253 {
        return Err(format!("`{text}` is not a domain name: 1 to 253 characters are allowed"));
    }
    for label in name.split('.') {
        let characters_ok = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if label.is_empty() || label.len() > 63 || !characters_ok || label.starts_with('-') || label.ends_with('-') {
            return Err(format!(
                "`{text}` is not a domain name: label `{label}` must have 1 to 63 letters, digits, hyphens or underscores and no hyphen at its ends"
            ));
        }
    }
    if !name.contains('.') && name != "localhost" {
        return Err(format!(
            "`{text}` is not a target: expected a domain with a dot, a URL, an address, CIDR, range, host:port or @file"
        ));
    }
    Ok(name)
}

/// As the URL standard defines it ("ends in a number checker"): the last label is all digits, or hexadecimal with `0x`.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = |digits: &str| digits.chars().all(|c| c.is_ascii_hexdigit());
    !last.is_empty()
        && (last.chars().all(|c| c.is_ascii_digit())
            || last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")).is_some_and(hexadecimal))
}

fn parse_url(text: &str) -> Result<Target, String> {
    let url = url::Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{text}`: only http and https URLs can be scanned, not {}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a target URL must not carry credentials".to_owned());
    }
    // A URL names an origin; the well-known port is left out so that the whole host is looked at.
    let port = url.port();
    match url.host() {
        Some(url::Host::Domain(name)) => parse_domain(name).map(|name| Target::Domain { name, port }),
        Some(url::Host::Ipv4(address)) => Ok(Target::Ip { address: address.into(), port }),
        Some(url::Host::Ipv6(address)) => Ok(Target::Ip { address: canonical(address.into()), port }),
        None => Err(format!("`{text}` is not a target: the URL has no host")),
    }
}

fn parse_cidr(text: &str) -> Result<Target, String> {
    let net: IpNet = text.parse().map_err(|_| match text.split_once('/') {
        Some((host, _)) if host.parse::<IpAddr>().is_err() && parse_domain(host).is_ok() => {
            format!("`{text}` is not a target: a URL begins with its scheme, as in https://{text}")
        }
        _ => format!("`{text}` is not a CIDR: expected address/prefix such as 192.0.2.0/24"),
    })?;
    let target = Target::Cidr(net.trunc());
    check_size(text, &target)?;
    Ok(target)
}

fn parse_range(text: &str, first: IpAddr, last: &str) -> Result<Target, String> {
    let last_address = match (first, last.parse::<IpAddr>()) {
        (_, Ok(address)) => address,
        (IpAddr::V4(v4), Err(_)) => {
            let octet = last
                .parse::<u8>()
                .map_err(|_| format!("`{text}` is not a range: expected 192.0.2.1-192.0.2.9 or 192.0.2.1-9"))?;
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, octet).into()
        }
        (IpAddr::V6(_), Err(_)) => return Err(format!("`{text}` is not a range: write both IPv6 addresses in full")),
    };
    if first.is_ipv4() != last_address.is_ipv4() {
        return Err(format!("`{text}` is not a range: both ends must be of one address family"));
    }
    if first > last_address {
        return Err(format!("`{text}` is not a range: the first address is greater than the last"));
    }
    let target = Target::Range(first, last_address);
    check_size(text, &target)?;
    Ok(target)
}

fn parse_bracketed(text: &str, rest: &str) -> Result<Target, String> {
    let rule = || format!("`{text}` is not a target: an IPv6 address with a port is written [2001:db8::1]:443");
    let (address, port) = rest.split_once(']').ok_or_else(rule)?;
    let address: Ipv6Addr = address.parse().map_err(|_| rule())?;
    let port = match port.strip_prefix(':') {
        Some(port) => Some(parse_port(text, port)?),
        None if port.is_empty() => None,
        None => return Err(rule()),
    };
    Ok(Target::Ip { address: canonical(address.into()), port })
}

fn parse_port(text: &str, port: &str) -> Result<u16, String> {
    match port.parse::<u16>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("bad port `{port}` in `{text}`: a port is a number from 1 to 65535")),
    }
}

fn check_size(text: &str, target: &Target) -> Result<(), String> {
    let count = target.count();
    if count > u128::from(MAX_EXPANSION) {
        return Err(format!(
            "`{text}` covers {count} addresses: at most {MAX_EXPANSION} (an IPv4 /16, an IPv6 /112) are allowed"
        ));
    }
    Ok(())
}

/// IPv4-mapped IPv6 addresses are the IPv4 address they carry, so that one machine is one asset.
const fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn last_of(net: &IpNet) -> IpAddr {
    net.broadcast()
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn distance(first: IpAddr, last: IpAddr) -> u128 {
    // Saturates on ::/0, which is refused anyway.
    (number(last) - number(first)).saturating_add(1)
}

fn addresses(first: IpAddr, last: IpAddr) -> impl Iterator<Item = IpAddr> + Send {
    let v4 = first.is_ipv4();
    (number(first)..=number(last)).map(move |value| {
        if v4 {
            // The range started from IPv4 addresses, so the value fits.
            IpAddr::V4(Ipv4Addr::from(u32::try_from(value).unwrap_or(u32::MAX)))
        } else {
            IpAddr::V6(Ipv6Addr::from(value))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, canonical) in [
            ("Example.COM.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("https://example.com/login?x=1", "example.com"),
            ("https://example.com:8443/", "example.com:8443"),
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]:22", "[2001:db8::1]:22"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.1-9", "192.0.2.1-192.0.2.9"),
            ("192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"),
            ("example.com:22", "example.com:22"),
            ("127.0.0.1:6379", "127.0.0.1:6379"),
            ("localhost", "localhost"),
            ("my-host.example", "my-host.example"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn bad_forms_name_the_value_and_the_rule() {
        for text in [
            "",
            "foo",
            "http://",
            "ftp://example.com",
            "https://user:pw@example.com",
            "256.1.1.1",
            "10.0.0.0/33",
            "10.0.0.0/8",
            "2001:db8::/64",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-2001:db8::1",
            "example.com:0",
            "example.com:70000",
            "-x.example",
            "a..b",
            "[2001:db8::1]x",
            "exa mple.com",
            "0x7f.1",
            "127.1",
            "0x7f000001",
            "example.0x1",
            "fe80::1",
            "fe80::1%eth0",
            "2001:db8::1:70000",
            "a:b:1",
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.len() > 10, "{text}: {error}");
        }
        assert!(!"https://user:hunter2@example.com".parse::<Target>().unwrap_err().contains("hunter2"));
    }

    #[test]
    fn networks_expand_in_order_and_are_bounded() {
        let net: Target = "192.0.2.0/30".parse().unwrap();
        let all: Vec<String> = net.assets().map(|asset| asset.to_string()).collect();
        assert_eq!(all, ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        assert_eq!("10.0.0.0/16".parse::<Target>().unwrap().count(), 65_536);
    }
}
