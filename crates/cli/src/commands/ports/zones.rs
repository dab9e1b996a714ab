//! Zones of link-local addresses, `fe80::1%eth0` (RFC 4007 section 11): read in targets and exclusions, written in results. In between an
//! address carries the number of its interface, as `bartizan_portscan::zone` describes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use bartizan_domain::Target;
use bartizan_domain::port_document::{PortRecord, PortsHost};
use bartizan_portscan::{MAX_TARGETS, zone};
use ipnet::{IpNet, Ipv6Net};

/// Bits that tell link-local addresses of one link apart begin here; those between the prefix and here are zero.
const HOST_BITS: u8 = 64;

/// What is said of other addresses with a zone.
pub const ONLY_LINK_LOCAL: &str = "only link-local addresses (fe80::/10) have a zone (RFC 4007 section 11)";

/// Takes the zone out of an address, also in brackets or with a prefix length (`fe80::%eth0/120`): the text without it, and
/// the index of the interface.
///
/// # Errors
/// If the zone is no interface of this machine.
pub fn take(text: &str) -> Result<(String, Option<u32>), String> {
    let Some((before, after)) = text.split_once('%') else { return Ok((text.to_owned(), None)) };
    let Ok(written) = before.trim_start_matches('[').parse::<Ipv6Addr>() else { return Ok((text.to_owned(), None)) };
    no_bits(text, IpAddr::V6(written))?;
    let end = after.find([']', '/']).unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    let missing = || format!("`{text}`: there is no interface `{name}` on this machine for the zone to name");
    let asked = |error: std::io::Error| format!("`{text}`: the interfaces of this machine cannot be listed: {error}");
    let index = match name.parse::<u32>() {
        Ok(number) => zone::name_of(number).map_err(asked)?.map(|_| number),
        Err(_) => zone::index_of(name).map_err(asked)?,
    };
    Ok((format!("{before}{rest}"), Some(index.ok_or_else(missing)?)))
}

/// Refuses what has something where the zone is kept in between.
fn no_bits(text: &str, written: IpAddr) -> Result<(), String> {
    if zone::split(written).1 == 0 {
        return Ok(());
    }
    Err(format!("`{text}`: bits 10 to 63 of a link-local address are zero (RFC 4291 section 2.5.6)"))
}

/// A target, which may have a zone. A link-local one must, unless `interface` says which link is meant.
///
/// # Errors
/// Names the value and the rule it breaks.
pub fn target(text: &str, interface: Option<&str>) -> Result<Target, String> {
    let text = text.trim();
    let (bare, named) = take(text)?;
    let alone = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&bare);
    let target = match alone.parse::<IpAddr>() {
        Ok(address) => Target::Ip { address: address.to_canonical(), port: None },
        Err(_) => match bare.parse::<Target>() {
            Ok(target) => target,
            Err(why) => wider(&bare)?.or_else(|| single_label(&bare)).ok_or(why)?,
        },
    };
    match &target {
        Target::Ip { address, .. } => no_bits(text, *address)?,
        Target::Cidr(net) => no_bits(text, net.network())?,
        Target::Range(first, last) => {
            no_bits(text, *first)?;
            no_bits(text, *last)?;
        }
        Target::Domain { .. } => {}
    }
    let is_link_local = match &target {
        Target::Ip { address, .. } | Target::Range(address, _) => zone::is_link_local(*address),
        Target::Cidr(net) => zone::is_link_local(net.network()),
        Target::Domain { .. } => false,
    };
    let link = match interface {
        Some(name) if is_link_local => zone::index_of(name).unwrap_or_default(),
        _ => None,
    };
    match (named.or(link), is_link_local) {
        (Some(_), true) if named.is_some() && interface.is_some() && named != link => Err(format!(
            "`{text}` is on another link than the interface {}, which --interface names",
            interface.unwrap_or_default()
        )),
        (Some(index), true) => Ok(within(target, index)),
        (None, false) => Ok(target),
        (Some(_), false) => Err(format!("`{text}`: {ONLY_LINK_LOCAL}; --interface names the interface to send from")),
        (None, true) => Err(format!(
            "`{text}` is a link-local address, which is another host on each link: write it with its zone (RFC 4007 section 11), as in `fe80::1%eth0`, or name the link with --interface"
        )),
    }
}

/// A network or range with more addresses than other commands take, up to what one run of the engine does.
fn wider(text: &str) -> Result<Option<Target>, String> {
    let range = || {
        let (first, last) = text.split_once('-')?;
        let (first, last) = (first.parse::<IpAddr>().ok()?, last.parse::<IpAddr>().ok()?);
        (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(Target::Range(first, last))
    };
    let Some(target) = text.parse::<IpNet>().ok().map(|net| Target::Cidr(net.trunc())).or_else(range) else {
        return Ok(None);
    };
    match target.count() {
        count if count > MAX_TARGETS as u128 => Err(format!(
            "`{text}` covers {count} addresses: at most {MAX_TARGETS} (an IPv4 /10, an IPv6 /106) are allowed"
        )),
        _ => Ok(Some(target)),
    }
}

/// A name without a dot (`nas`, `router`), which is for this machine's resolver to complete.
pub fn single_label(text: &str) -> Option<Target> {
    let looks_like_a_number = text.starts_with("0x") || text.starts_with("0X") || !text.contains(char::is_alphabetic);
    if looks_like_a_number || text.contains('.') {
        return None;
    }
    let whole = bartizan_domain::target::parse_domain(&format!("{text}.invalid")).ok()?;
    let name = whole.strip_suffix(".invalid")?.to_owned();
    Some(Target::Domain { name, port: None })
}

fn within(target: Target, index: u32) -> Target {
    match target {
        Target::Ip { address, port } => Target::Ip { address: zone::within(address, index), port },
        Target::Cidr(net) => Target::Cidr(net_within(net, index)),
        Target::Range(first, last) => Target::Range(zone::within(first, index), zone::within(last, index)),
        other @ Target::Domain { .. } => other,
    }
}

/// The part of a network of link-local addresses that is on a link.
pub fn net_within(net: IpNet, index: u32) -> IpNet {
    match (zone::within(net.network(), index), net) {
        (IpAddr::V6(first), IpNet::V6(_)) if zone::is_link_local(net.network()) => {
            Ipv6Net::new(first, net.prefix_len().max(HOST_BITS)).map_or(net, |part| IpNet::V6(part.trunc()))
        }
        _ => net,
    }
}

/// A target as people write it.
pub fn target_text(target: &Target) -> String {
    match target {
        Target::Ip { address, port: None } => zone::text(*address),
        Target::Cidr(net) if zone::split(net.network()).1 > 0 => {
            format!("{}/{}", zone::text(net.network()), net.prefix_len())
        }
        Target::Range(first, last) => format!("{}-{}", zone::text(*first), zone::split(*last).0),
        other => other.to_string(),
    }
}

/// Takes zones out of addresses and puts them beside them.
#[derive(Debug, Default)]
pub struct Names {
    known: BTreeMap<u32, String>,
}

impl Names {
    fn apart(&mut self, address: &mut IpAddr, zone: &mut Option<String>) {
        let (bare, index) = zone::split(*address);
        if index > 0 {
            *address = bare;
            *zone = Some(self.known.entry(index).or_insert_with(|| zone::name_or_number(index)).clone());
        }
    }

    /// For a port.
    pub fn port(&mut self, port: &mut PortRecord) {
        self.apart(&mut port.address, &mut port.zone);
    }

    /// For a host with all its ports.
    pub fn host(&mut self, host: &mut PortsHost) {
        self.apart(&mut host.address, &mut host.zone);
        host.ports.iter_mut().for_each(|port| self.port(port));
        for sum in &mut host.summarised {
            sum.address = zone::split(sum.address).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lo() -> u32 {
        zone::index_of("lo").unwrap().unwrap()
    }

    #[test]
    fn zones_are_read_by_name_and_by_number_and_written_by_name() {
        let with = zone::within("fe80::1".parse().unwrap(), lo());
        for text in ["fe80::1%lo", "[fe80::1%lo]", &format!("fe80::1%{}", lo()), "  fe80::1%lo "] {
            assert_eq!(target(text, None), Ok(Target::Ip { address: with, port: None }), "{text}");
        }
        assert_eq!(target("fe80::1", Some("lo")), target("fe80::1%lo", Some("lo")));
        for (text, written) in [
            ("fe80::1%lo", "fe80::1%lo"),
            ("fe80::8%lo/125", "fe80::8%lo/125"),
            ("192.0.2.1-9", "192.0.2.1-192.0.2.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("example.com", "example.com"),
        ] {
            assert_eq!(target_text(&target(text, None).unwrap()), written);
        }
        let range = target("fe80::1-fe80::3", Some("lo")).unwrap();
        assert_eq!((target_text(&range).as_str(), range.count()), ("fe80::1%lo-fe80::3", 3));
        let part = net_within("fe80::/10".parse().unwrap(), lo());
        assert!(part.contains(&with) && !part.contains(&"fe80::1".parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn names_without_a_dot_and_large_networks_are_targets_of_a_port_scan() {
        let name = |text: &str| Target::Domain { name: text.to_owned(), port: None };
        for (text, meant) in
            [("nas", "nas"), ("Router", "router"), ("fritz-box2", "fritz-box2"), ("böse", "xn--bse-sna")]
        {
            assert_eq!(target(text, None), Ok(name(meant)), "{text}");
        }
        for text in ["-x", "x-", "a b", "0x7f", "127", "a/b", "foo!", "", "a".repeat(64).as_str()] {
            assert!(target(text, None).is_err(), "{text}");
        }
        for (text, count) in [
            ("10.0.0.0/10", 1 << 22),
            ("10.0.0.0-10.63.255.255", 1 << 22),
            ("2001:db8::/106", 1 << 22),
            ("10.0.0.0/12", 1 << 20),
        ] {
            assert_eq!(target(text, None).unwrap().count(), count, "{text}");
        }
        for text in ["10.0.0.0/9", "10.0.0.0-10.64.0.0", "2001:db8::/105", "0.0.0.0/0", "::/0"] {
            let error = target(text, None).unwrap_err();
            assert!(error.contains(text) && error.contains("at most 4194304"), "{error}");
        }
    }

    #[test]
    fn what_needs_a_zone_or_may_not_have_one_is_refused_with_the_rule() {
        for (text, interface, part) in [
            ("fe80::1", None, "RFC 4007 section 11"),
            ("fe80::1", None, "--interface"),
            ("[fe80::1]", None, "RFC 4007"),
            ("fe80::/120", None, "RFC 4007"),
            ("fe80::1-fe80::9", None, "RFC 4007"),
            ("fe80::1%no-such-device", None, "`no-such-device`"),
            ("fe80::1%4294967295", None, "`4294967295`"),
            ("fe80::1%", None, "no interface ``"),
            ("2001:db8::1%lo", None, "only link-local"),
            ("fe80::1%lo", Some("other"), "another link"),
            ("fe80::1%lo:80", None, "`lo:80`"),
            ("fe80:0:5::1%lo", None, "RFC 4291 section 2.5.6"),
            ("fe80:0:5::1", Some("lo"), "RFC 4291 section 2.5.6"),
        ] {
            let error = target(text, interface).unwrap_err();
            assert!(error.contains(part) && error.contains(text), "{text}: {error}");
        }
        assert!(target("example.com%lo", None).is_err(), "no address, so no zone");
    }
}
