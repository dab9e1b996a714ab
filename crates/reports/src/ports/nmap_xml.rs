//! Ports as `nmaprun`, the XML that nmap writes, for the many tools that read it.
//!
//! Structure and attributes follow the published document type (`nmap.dtd`, output version 1.05). What a reader should
//! know: `scanner` has the one value the document type allows, `args` begins with `bartizan`; `unreachable` is written
//! as `filtered` and `error` as `unknown`, because readers know no other states; hosts without an answer are `down`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::net::IpAddr;

use bartizan_domain::Transport;
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsDocument, PortsHost, PortsStatus, PortsSummary};

use super::names::registered;
use crate::ReportError;

/// Version of nmap's XML output that this follows.
const OUTPUT_VERSION: &str = "1.05";
/// How dates are spelled beside their Unix time.
const DATE: &str = "%a %b %e %H:%M:%S %Y";

pub(super) fn render(document: &PortsDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let scan = &document.scan;
    let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE nmaprun>\n"));
    xml.line(
        "nmaprun",
        &[
            ("scanner", "nmap"),
            ("args", &command_line(document)),
            ("start", &scan.started_at.timestamp().to_string()),
            ("startstr", &scan.started_at.format(DATE).to_string()),
            ("version", &scan.tool_version),
            ("xmloutputversion", OUTPUT_VERSION),
        ],
        Tag::Open,
    );
    let tcp = if scan.engine == "syn" { "syn" } else { "connect" };
    for (kind, protocol, ports) in [(tcp, "tcp", &scan.tcp_ports), ("udp", "udp", &scan.udp_ports)] {
        if !ports.is_empty() {
            xml.line(
                "scaninfo",
                &[
                    ("type", kind),
                    ("protocol", protocol),
                    ("numservices", &ports.len().to_string()),
                    ("services", &ports.to_string()),
                ],
                Tag::Whole,
            );
        }
    }
    xml.line("verbose", &[("level", "0")], Tag::Whole);
    xml.line("debugging", &[("level", "0")], Tag::Whole);
    out.write_all(xml.0.as_bytes())?;
    for one in &document.hosts {
        let mut xml = Xml(String::new());
        host(document, one, &mut xml);
        out.write_all(xml.0.as_bytes())?;
    }
    out.write_all(run_statistics(document).as_bytes())?;
    Ok(())
}

fn host(document: &PortsDocument, host: &PortsHost, xml: &mut Xml) {
    let scan = &document.scan;
    xml.line(
        "host",
        &[
            ("starttime", &scan.started_at.timestamp().to_string()),
            ("endtime", &scan.finished_at.timestamp().to_string()),
        ],
        Tag::Open,
    );
    let first = host.ports.iter().find(|port| matches!(port.state, PortState::Open | PortState::Closed));
    let by_port = first.map(|port| reason_name(scan, &port.reason)).or_else(|| {
        let answer = host.summarised.iter().find(|sum| matches!(sum.state, PortState::Open | PortState::Closed));
        answer.map(|sum| reason_name(scan, &sum.reason))
    });
    let four = matches!(host.address, IpAddr::V4(_));
    // In nmap's words, where it has one.
    let seen_by = match host.reason.as_deref() {
        Some("neighbour") => Some(if four { "arp-response" } else { "nd-response" }),
        Some("port-response") => by_port,
        other => other.or(by_port),
    };
    let status = if host.answered { ("state", "up") } else { ("state", "down") };
    let ttl = if host.reason.as_deref() == Some("neighbour") { None } else { first.and_then(|port| port.ttl) };
    let ttl = ttl.unwrap_or(0).to_string();
    xml.line("status", &[status, ("reason", seen_by.unwrap_or("no-response")), ("reason_ttl", &ttl)], Tag::Whole);
    let kind = if four { "ipv4" } else { "ipv6" };
    xml.line("address", &[("addr", &host.address.to_string()), ("addrtype", kind)], Tag::Whole);
    if let Some(mac) = &host.mac {
        xml.line("address", &[("addr", &mac.to_uppercase()), ("addrtype", "mac")], Tag::Whole);
    }
    xml.line("hostnames", &[], Tag::Open);
    // Readers take an address without a zone alone; with it, it is what a user named the host by.
    let zoned = host.zone.as_ref().map(|_| host.address_text());
    for name in host.names.iter().chain(&zoned) {
        xml.line("hostname", &[("name", name), ("type", "user")], Tag::Whole);
    }
    xml.line("hostnames", &[], Tag::Close);
    if !document.is_discovery() {
        ports(scan, host, xml);
    }
    if host.everything_open {
        let output = "Every port answers as open: a proxy or tarpit stands in front of this host.";
        xml.line("hostscript", &[], Tag::Open);
        xml.line("script", &[("id", "bartizan-everything-open"), ("output", output)], Tag::Whole);
        xml.line("hostscript", &[], Tag::Close);
    }
    if let Some(rtt) = host.rtt_us.or_else(|| host.ports.iter().filter_map(|port| port.rtt_us).min()) {
        // As after one measurement (RFC 6298, section 2.2), with the shortest wait that nmap writes.
        let (variance, wait) = (rtt / 2, (3 * rtt).max(100_000));
        let [rtt, variance, wait] = [rtt, variance, wait].map(|us| us.to_string());
        xml.line("times", &[("srtt", &rtt), ("rttvar", &variance), ("to", &wait)], Tag::Whole);
    }
    xml.line("host", &[], Tag::Close);
}

fn ports(scan: &PortsSummary, host: &PortsHost, xml: &mut Xml) {
    xml.line("ports", &[], Tag::Open);
    let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for sum in &host.summarised {
        groups.entry(state_name(sum.state)).or_default().push(sum);
    }
    for (state, sums) in groups {
        let count: u64 = sums.iter().map(|sum| u64::from(sum.count)).sum();
        xml.line("extraports", &[("state", state), ("count", &count.to_string())], Tag::Open);
        for sum in sums {
            xml.line(
                "extrareasons",
                &[
                    ("reason", reason_name(scan, &sum.reason)),
                    ("count", &sum.count.to_string()),
                    ("proto", sum.protocol.as_str()),
                ],
                Tag::Whole,
            );
        }
        xml.line("extraports", &[], Tag::Close);
    }
    // nmap's order: by protocol, then by number.
    for protocol in [Transport::Tcp, Transport::Udp] {
        host.ports.iter().filter(|port| port.protocol == protocol).for_each(|one| port(scan, one, xml));
    }
    xml.line("ports", &[], Tag::Close);
}

fn port(scan: &PortsSummary, port: &PortRecord, xml: &mut Xml) {
    xml.line("port", &[("protocol", port.protocol.as_str()), ("portid", &port.port.to_string())], Tag::Open);
    let ttl = port.ttl.unwrap_or(0).to_string();
    let reason = reason_name(scan, &port.reason);
    xml.line("state", &[("state", state_name(port.state)), ("reason", reason), ("reason_ttl", &ttl)], Tag::Whole);
    if port.service.is_some() || port.tls {
        let mut attributes = vec![("name", port.service.as_deref().unwrap_or("unknown"))];
        for (name, value) in [("product", &port.product), ("version", &port.version)] {
            if let Some(value) = value {
                attributes.push((name, value));
            }
        }
        if port.tls {
            attributes.push(("tunnel", "ssl"));
        }
        attributes.extend([("method", "probed"), ("conf", "10")]);
        match port.cpe.as_deref().and_then(cpe_uri) {
            Some(cpe) => {
                xml.line("service", &attributes, Tag::Open);
                let _ = writeln!(xml.0, "<cpe>{}</cpe>", escaped(&cpe));
                xml.line("service", &[], Tag::Close);
            }
            None => xml.line("service", &attributes, Tag::Whole),
        }
    }
    // What nobody asked for, or nobody found out, is what the port is registered for, and marked as such.
    if let (None, false, Some(name)) = (&port.service, port.tls, registered(port.protocol, port.port)) {
        xml.line("service", &[("name", name), ("method", "table"), ("conf", "3")], Tag::Whole);
    }
    for (flag, id, output) in [
        (port.everything_open, "bartizan-everything-open", "every port of this host answers as open"),
        (port.unconfirmed, "bartizan-unconfirmed", "did not accept when it was asked a second time"),
    ] {
        if flag {
            xml.line("script", &[("id", id), ("output", output)], Tag::Whole);
        }
    }
    xml.line("port", &[], Tag::Close);
}

/// The command as it was written; documents of other origin have only the targets.
fn command_line(document: &PortsDocument) -> String {
    let scan = &document.scan;
    let written = scan.command.join(" ");
    if written.is_empty() { format!("bartizan ports {}", scan.targets.join(" ")) } else { written }
}

fn run_statistics(document: &PortsDocument) -> String {
    let scan = &document.scan;
    let seconds = (scan.finished_at - scan.started_at).num_milliseconds();
    let elapsed = format!("{}.{:02}", seconds / 1000, seconds % 1000 / 10);
    let up = document.answered();
    let reasons = scan.partial_reasons.join("; ");
    let doubts = if scan.partial { format!("; INCOMPLETE: {reasons}") } else { String::new() };
    let summary = format!(
        "Bartizan done at {}; {} addresses ({up} hosts up) scanned in {elapsed} seconds{doubts}",
        scan.finished_at.format(DATE),
        scan.addresses
    );
    let mut xml = Xml(String::new());
    xml.line("runstats", &[], Tag::Open);
    let time = scan.finished_at.timestamp().to_string();
    let date = scan.finished_at.format(DATE).to_string();
    let mut finished: Vec<(&str, &str)> =
        vec![("time", &time), ("timestr", &date), ("elapsed", &elapsed), ("summary", &summary)];
    // A host that is silent leaves a doubt, and for nmap the run is a success all the same.
    if scan.status != PortsStatus::Completed {
        finished.extend([("exit", "error"), ("errormsg", reasons.as_str())]);
    } else {
        finished.push(("exit", "success"));
    }
    xml.line("finished", &finished, Tag::Whole);
    let down = scan.addresses.saturating_sub(up);
    xml.line(
        "hosts",
        &[("up", &up.to_string()), ("down", &down.to_string()), ("total", &scan.addresses.to_string())],
        Tag::Whole,
    );
    xml.line("runstats", &[], Tag::Close);
    xml.line("nmaprun", &[], Tag::Close);
    xml.0
}

/// A reason in nmap's word, where it has one for the same.
fn reason_name<'a>(scan: &PortsSummary, reason: &'a str) -> &'a str {
    match reason {
        "conn-refused" if scan.engine == "syn" => "reset",
        "port-unreachable" => "port-unreach",
        "host-unreachable" | "no-neighbour" | "no-router" => "host-unreach",
        "net-unreachable" | "no-route" => "net-unreach",
        other => other,
    }
}

const fn state_name(state: PortState) -> &'static str {
    match state {
        PortState::Unreachable => "filtered",
        PortState::Error => "unknown",
        other => other.as_str(),
    }
}

/// `cpe:2.3:a:vendor:product:version:update:…` as the older URI form, `cpe:/a:vendor:product:version:update`, which is
/// what nmap writes (NISTIR 7695 section 6.1).
fn cpe_uri(name: &str) -> Option<String> {
    let rest = name.strip_prefix("cpe:2.3:")?;
    let mut parts = vec![String::new()];
    let mut escape = false;
    for c in rest.chars() {
        match (escape, c) {
            (false, '\\') => escape = true,
            (false, ':') => parts.push(String::new()),
            (quoted, c) => {
                let last = parts.last_mut()?;
                if quoted && !c.is_ascii_alphanumeric() {
                    let mut buffer = [0; 4];
                    for byte in c.encode_utf8(&mut buffer).bytes() {
                        let _ = write!(last, "%{byte:02x}");
                    }
                } else {
                    last.push(c);
                }
                escape = false;
            }
        }
    }
    parts.truncate(5);
    while parts.last().is_some_and(|part| part == "*") {
        parts.pop();
    }
    for part in &mut parts {
        if part == "*" {
            part.clear();
        }
    }
    (parts.len() >= 3).then(|| format!("cpe:/{}", parts.join(":")))
}

enum Tag {
    Open,
    Close,
    Whole,
}

struct Xml(String);

impl Xml {
    fn line(&mut self, name: &str, attributes: &[(&str, &str)], tag: Tag) {
        self.0.push_str(if matches!(tag, Tag::Close) { "</" } else { "<" });
        self.0.push_str(name);
        for (attribute, value) in attributes {
            // Writing to a string does not fail.
            let _ = write!(self.0, " {attribute}=\"{}\"", escaped(value));
        }
        self.0.push_str(if matches!(tag, Tag::Whole) { "/>\n" } else { ">\n" });
    }
}

/// Text as XML 1.0 allows it: markup escaped, characters that no XML document may have left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpe_names_take_the_older_form() {
        for (name, uri) in [
            ("cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*", Some("cpe:/a:openbsd:openssh:9.2:p1")),
            ("cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*", Some("cpe:/a:f5:nginx")),
            (r"cpe:2.3:a:x:a\+b:1:*:*:*:*:*:*:*", Some("cpe:/a:x:a%2bb:1")),
            ("cpe:2.3:a", None),
            ("nonsense", None),
        ] {
            assert_eq!(cpe_uri(name).as_deref(), uri, "{name}");
        }
    }
}
