//! The notation of `-p`: ports and ranges, services by name, named sets, and protocols as prefixes.

use anyhow::{Context as _, Result, bail};
use bartizan_domain::{PortSet, Transport};
use bartizan_probes::ports::{default_udp, named_set};
use bartizan_reports::ports_of_service;

/// TCP ports asked where none are named.
const DEFAULT_TCP: &str = "top:1000";

/// What ports without `T:` or `U:` before them are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Both, as where scans of both were asked for.
    Both,
}

impl Bare {
    const fn is(self, protocol: Transport) -> bool {
        match protocol {
            Transport::Tcp => matches!(self, Self::Tcp | Self::Both),
            Transport::Udp => matches!(self, Self::Udp | Self::Both),
        }
    }
}

/// Reads `-p`. Ports without `T:` or `U:` before them are of `bare`. The notation is nmap's with named sets
/// (`top:100`, `common` for UDP) added; a prefix holds until the next one.
///
/// # Errors
/// Names the token and the rule it breaks.
pub fn read(spec: Option<&str>, bare: Bare) -> Result<(PortSet, PortSet)> {
    let Some(spec) = spec else {
        let tcp =
            if bare.is(Transport::Tcp) { named_set(DEFAULT_TCP).map_err(anyhow::Error::msg)? } else { PortSet::new() };
        return Ok((tcp, if bare.is(Transport::Udp) { default_udp() } else { PortSet::new() }));
    };
    let mut of = bare;
    let (mut tcp, mut udp) = (Vec::new(), Vec::new());
    for token in spec.split(',') {
        let token = token.trim();
        let rest = match token.split_once(':') {
            Some(("T" | "t", rest)) => {
                of = Bare::Tcp;
                rest.trim()
            }
            Some(("U" | "u", rest)) => {
                of = Bare::Udp;
                rest.trim()
            }
            _ => token,
        };
        for (protocol, ports) in [(Transport::Tcp, &mut tcp), (Transport::Udp, &mut udp)] {
            // A list of the ports of one protocol says nothing about the other, where both are meant.
            let is_list = rest == "common" || rest.starts_with("top:");
            let listed_by = if rest == "common" { Transport::Udp } else { Transport::Tcp };
            if !of.is(protocol) || (of == Bare::Both && is_list && protocol != listed_by) {
                continue;
            }
            let set = match (protocol, rest) {
                (Transport::Udp, "common") => default_udp(),
                (Transport::Udp, text) if text.starts_with("top:") => {
                    bail!("bad ports `{text}`: top:N is a list of TCP ports; for UDP write `common` or the ports")
                }
                (_, name) if is_service(name) => of_service(spec, name, protocol, of)?,
                (_, text) => named_set(text).map_err(|why| anyhow::anyhow!("-p {spec}: {why}"))?,
            };
            ports.extend(set.iter());
        }
    }
    Ok((tcp.into_iter().collect(), udp.into_iter().collect()))
}

/// Whether a token is the name of a service, or a pattern of such names.
fn is_service(token: &str) -> bool {
    let begins = token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*' || c == '?');
    let is_set = token == "all" || token == "common" || token.contains(':');
    begins && !is_set
}

/// The ports of a service. Where both protocols are asked, it may be known of one of them.
fn of_service(spec: &str, name: &str, protocol: Transport, of: Bare) -> Result<PortSet> {
    let ports = ports_of_service(protocol, name);
    let other = if protocol == Transport::Tcp { Transport::Udp } else { Transport::Tcp };
    let elsewhere = !ports_of_service(other, name).is_empty();
    if ports.is_empty() && !(of == Bare::Both && elsewhere) {
        let letter = if other == Transport::Tcp { 'T' } else { 'U' };
        let hint = if elsewhere { format!("; over {other} it is one: {letter}:{name}") } else { String::new() };
        bail!("-p {spec}: `{name}` is no service over {protocol} that is known here by name{hint}");
    }
    Ok(ports.into_iter().collect())
}

/// Reads `--exclude-ports`: ports without a prefix are left out of both protocols.
///
/// # Errors
/// As [`read`], and if no port is left to ask.
pub fn without(excluded: &str, (tcp, udp): (PortSet, PortSet)) -> Result<(PortSet, PortSet)> {
    let (no_tcp, no_udp) = read(Some(excluded), Bare::Both).context("--exclude-ports")?;
    let left =
        |ports: PortSet, without: &PortSet| -> PortSet { ports.iter().filter(|p| !without.contains(*p)).collect() };
    let (tcp, udp) = (left(tcp, &no_tcp), left(udp, &no_udp));
    if tcp.is_empty() && udp.is_empty() {
        bail!("--exclude-ports {excluded} leaves no port to ask");
    }
    Ok((tcp, udp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(spec: &str, bare: Bare) -> (String, String) {
        let (tcp, udp) = read(Some(spec), bare).unwrap();
        (tcp.to_string(), udp.to_string())
    }

    #[test]
    fn protocols_and_sets_are_read() {
        let pair = |tcp: &str, udp: &str| (tcp.to_owned(), udp.to_owned());
        assert_eq!(text("22,80-82", Bare::Tcp), pair("22,80-82", ""));
        assert_eq!(text("53", Bare::Udp), pair("", "53"));
        assert_eq!(text("53,80", Bare::Both), pair("53,80", "53,80"));
        assert_eq!(text("53,U:161,T:22", Bare::Both), pair("22,53", "53,161"));
        assert_eq!(read(Some("top:10"), Bare::Both).unwrap(), read(Some("top:10"), Bare::Tcp).unwrap());
        let (tcp, udp) = read(None, Bare::Both).unwrap();
        assert_eq!((tcp.len(), udp), (1000, default_udp()));
        assert_eq!(text("U:53,161,T:22,80", Bare::Tcp), pair("22,80", "53,161"));
        assert_eq!(text("22,U:53", Bare::Tcp), pair("22", "53"));
        assert_eq!(text("-", Bare::Tcp), pair("1-65535", ""));
        assert_eq!(text("65000-", Bare::Tcp), pair("65000-65535", ""));
        assert_eq!(read(Some("top:10,65000"), Bare::Tcp).unwrap().0.len(), 11);
        assert!(read(None, Bare::Udp).unwrap().1.contains(53));
        assert_eq!(read(None, Bare::Tcp).unwrap().0.len(), 1000);
    }

    #[test]
    fn services_are_read_by_name_of_the_protocols_that_are_asked() {
        let pair = |tcp: &str, udp: &str| (tcp.to_owned(), udp.to_owned());
        assert_eq!(text("http,ssh,1000-1002", Bare::Tcp), pair("22,80,1000-1002", ""));
        assert_eq!(text("dns,U:snmp,ntp", Bare::Tcp), pair("53", "123,161"));
        assert_eq!(text("snmp,ssh,dns", Bare::Both), pair("22,53", "53,161"));
        assert_eq!(text("imap*", Bare::Tcp), pair("143,993", ""));
        assert_eq!(read(Some("all"), Bare::Tcp).unwrap().0.len(), 65_535);
    }

    #[test]
    fn excluded_ports_are_left_out_of_both_protocols_unless_one_is_named() {
        let ports = |spec: &str| read(Some(spec), Bare::Tcp).unwrap();
        let left = |spec: &str, excluded: &str| {
            let (tcp, udp) = without(excluded, ports(spec)).unwrap();
            (tcp.to_string(), udp.to_string())
        };
        let pair = |tcp: &str, udp: &str| (tcp.to_owned(), udp.to_owned());
        assert_eq!(left("20-25,U:50-53", "22-23,53"), pair("20-21,24-25", "50-52"));
        assert_eq!(left("20-25,U:20-25", "T:22,ssh"), pair("20-21,23-25", "20-25"));
        assert_eq!(left("20-25,U:20-25", "U:20-24"), pair("20-25", "25"));
        assert!(without("20-25", ports("22")).unwrap_err().to_string().contains("leaves no port"));
        assert!(format!("{:#}", without("x:1", ports("22")).unwrap_err()).contains("--exclude-ports"));
    }

    #[test]
    fn bad_tokens_are_named_with_the_rule() {
        for (spec, part) in [
            ("0", "`0`"),
            ("70000", "`70000`"),
            ("5-2", "`5-2`"),
            ("", "empty"),
            ("22,", "empty"),
            ("U:", "empty"),
            ("X:22", "`X:22`"),
            ("T:top:0", "`top:0`"),
            ("U:top:10", "top:N"),
            ("no-such-service", "`no-such-service`"),
            ("22,snmp", "U:snmp"),
            ("U:ssh", "T:ssh"),
        ] {
            let error = read(Some(spec), Bare::Tcp).unwrap_err().to_string();
            assert!(error.contains(part), "{spec}: {error}");
        }
    }
}
