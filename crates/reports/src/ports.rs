//! Renders the result of a port scan (`bartizan.ports/1`): table, JSON, JSON Lines, CSV, and XML that tools reading
//! nmap's output take. Pure: the same document gives the same bytes.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::str::FromStr;

use bartizan_domain::Transport;
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{ACCEPTS_EVERYTHING, PortRecord, PortsDocument, PortsHost};
use serde::Serialize;

use crate::{RenderOptions, ReportError};

pub use names::ports_of_service;

mod csv;
mod names;
mod nmap_xml;
mod table;

/// An output format of a port scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortsFormat {
    /// For people at a terminal.
    Table,
    /// The native document, lossless.
    Json,
    /// One port a line, and a line for each state and reason of ports that are only counted.
    Jsonl,
    /// One port a row (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// `nmaprun`, for tools that read nmap's XML.
    Xml,
}

impl PortsFormat {
    /// Every format, in the order of the help text.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Xml];

    /// The name used on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Xml => "xml",
        }
    }
}

impl fmt::Display for PortsFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PortsFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("unknown format `{text}`: expected table, json, jsonl, csv or xml"))
    }
}

/// Writes `document` in `format`.
///
/// # Errors
/// [`ReportError::Io`] if `out` fails; a broken pipe keeps its kind.
pub fn render_ports(
    format: PortsFormat,
    document: &PortsDocument,
    options: RenderOptions,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    match format {
        PortsFormat::Table => table::render(document, options, out),
        PortsFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, document)?;
            out.write_all(b"\n")?;
            Ok(())
        }
        PortsFormat::Jsonl if document.is_discovery() => {
            document.hosts.iter().try_for_each(|host| host_line(host, out))
        }
        PortsFormat::Jsonl => {
            document.hosts.iter().flat_map(|host| &host.ports).try_for_each(|port| port_line(port, out))?;
            document.hosts.iter().try_for_each(|host| counted_lines(host, document.scan.only_open, out))
        }
        PortsFormat::Csv => csv::render(document, out),
        PortsFormat::Xml => nmap_xml::render(document, out),
    }
}

/// Writes one port as a line of JSON, newline included.
///
/// # Errors
/// If `out` fails.
pub fn port_line(port: &PortRecord, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer(&mut *out, port)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Writes a host of a scan that asked no ports as a line of JSON: what the document says of it, without ports.
///
/// # Errors
/// If `out` fails.
pub fn host_line(host: &PortsHost, out: &mut dyn Write) -> Result<(), ReportError> {
    let line = HostLine {
        address: host.address,
        zone: host.zone.as_deref(),
        names: &host.names,
        answered: host.answered,
        reason: host.reason.as_deref(),
        mac: host.mac.as_deref(),
        rtt_us: host.rtt_us,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// A host without ports.
#[derive(Serialize)]
struct HostLine<'a> {
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    names: &'a [String],
    answered: bool,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_us: Option<u32>,
}

/// Writes what is only counted of a host, a line of JSON for each state and reason: the keys of a port with `port` null,
/// and `count`. With `only_open` none but open ones.
///
/// # Errors
/// If `out` fails.
pub fn counted_lines(host: &PortsHost, only_open: bool, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut put = |line: &CountedLine<'_>| -> Result<(), ReportError> {
        serde_json::to_writer(&mut *out, line)?;
        out.write_all(b"\n")?;
        Ok(())
    };
    for sum in host.summarised.iter().filter(|sum| !only_open || sum.state == PortState::Open) {
        put(&CountedLine {
            address: sum.address,
            zone: host.zone.as_deref(),
            port: None,
            protocol: sum.protocol,
            state: sum.state,
            reason: &sum.reason,
            service: None,
            count: u64::from(sum.count),
        })?;
    }
    // Where they are many, they are counted above.
    let listed = host.ports.iter().filter(|port| port.everything_open).count() as u64;
    if host.everything_open && listed > 0 {
        put(&CountedLine {
            address: host.address,
            zone: host.zone.as_deref(),
            port: None,
            protocol: Transport::Tcp,
            state: PortState::Open,
            reason: ACCEPTS_EVERYTHING,
            service: None,
            count: listed,
        })?;
    }
    Ok(())
}

/// The keys of a port, for ports of which only the number is told.
#[derive(Serialize)]
struct CountedLine<'a> {
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    port: Option<u16>,
    protocol: Transport,
    state: PortState,
    reason: &'a str,
    service: Option<&'a str>,
    count: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A host with a service and every state, a host with hostile text, a silent one.
    pub(crate) fn sample() -> PortsDocument {
        let text = r#"{
            "schema": "bartizan.ports/1",
            "scan": {
                "targets": ["192.0.2.0/30", "shop.example.com"], "addresses": 4, "tcp_ports": "22,80-81,443",
                "udp_ports": "53,161", "engine": "syn", "answered": 1, "command": ["bartizan", "ports", "192.0.2.0/30", "-sV"], "service_detection": true, "status": "completed",
                "partial": false, "partial_reasons": [], "started_at": "2026-11-22T10:00:00Z",
                "finished_at": "2026-11-22T10:00:02.500Z", "tool_version": "0.1.0"
            },
            "hosts": [
                {
                    "address": "192.0.2.1", "names": ["shop.example.com"], "answered": true,
                    "reason": "neighbour", "mac": "02:00:5e:10:00:01", "rtt_us": 240, "everything_open": true,
                    "ports": [
                        {"address": "192.0.2.1", "port": 22, "protocol": "tcp", "state": "open", "reason": "syn-ack",
                         "rtt_us": 230, "ttl": 63, "unconfirmed": true, "everything_open": true, "service": "ssh", "tls": false, "product": "OpenSSH", "version": "9.2p1",
                         "cpe": "cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*", "banner": "SSH-2.0-OpenSSH_9.2p1"},
                        {"address": "192.0.2.1", "port": 80, "protocol": "tcp", "state": "filtered",
                         "reason": "no-response"},
                        {"address": "192.0.2.1", "port": 443, "protocol": "tcp", "state": "open", "reason": "syn-ack",
                         "everything_open": true, "service": "http", "tls": true, "product": "a <b> & \"c\" =cmd", "version": "=1+1"},
                        {"address": "192.0.2.1", "port": 53, "protocol": "udp", "state": "open|filtered",
                         "reason": "no-response"},
                        {"address": "192.0.2.1", "port": 161, "protocol": "udp", "state": "error",
                         "reason": "enobufs"}
                    ],
                    "summarised": [{"address": "192.0.2.1", "protocol": "tcp", "state": "closed",
                                    "reason": "conn-refused", "count": 1}]
                },
                {"address": "2001:db8::9", "names": [], "answered": false, "ports": [],
                 "summarised": [{"address": "2001:db8::9", "protocol": "tcp", "state": "filtered",
                                 "reason": "no-response", "count": 4}]}
            ]
        }"#;
        serde_json::from_str(text).unwrap()
    }

    fn rendered(format: PortsFormat, document: &PortsDocument) -> String {
        let mut out = Vec::new();
        render_ports(format, document, RenderOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format_is_stable() {
        for format in PortsFormat::ALL {
            insta::assert_snapshot!(format!("ports_{format}"), rendered(format, &sample()));
            assert_eq!(format.as_str().parse(), Ok(format));
        }
    }

    #[test]
    fn a_scan_that_asked_no_ports_tells_of_hosts() {
        let mut document = sample();
        document.scan.tcp_ports = bartizan_domain::PortSet::new();
        document.scan.udp_ports = bartizan_domain::PortSet::new();
        for host in &mut document.hosts {
            host.ports.clear();
            host.summarised.clear();
            host.everything_open = false;
        }
        assert_eq!(
            rendered(PortsFormat::Jsonl, &document),
            "{\"address\":\"192.0.2.1\",\"names\":[\"shop.example.com\"],\"answered\":true,\"reason\":\"neighbour\",\
             \"mac\":\"02:00:5e:10:00:01\",\"rtt_us\":240}\n\
             {\"address\":\"2001:db8::9\",\"names\":[],\"answered\":false,\"reason\":null}\n"
        );
        let csv = rendered(PortsFormat::Csv, &document);
        assert!(csv.contains("192.0.2.1,shop.example.com,,,up,neighbour,"), "{csv}");
        assert!(csv.contains("2001:db8::9,,,,down,no-response,"), "{csv}");
        let table = rendered(PortsFormat::Table, &document);
        assert!(table.contains("192.0.2.1 (shop.example.com): up, neighbour, 02:00:5e:10:00:01"), "{table}");
        assert!(table.contains("2001:db8::9: no answer"), "{table}");
        assert!(table.contains("\n1 of 4 addresses answered, in 2.5 s"), "{table}");
        let xml = rendered(PortsFormat::Xml, &document);
        assert!(!xml.contains("<ports>") && !xml.contains("<scaninfo"), "{xml}");
    }

    #[test]
    fn the_native_document_round_trips() {
        let read: PortsDocument = serde_json::from_str(&rendered(PortsFormat::Json, &sample())).unwrap();
        assert_eq!(read, sample());
        let mut counted = 0;
        for line in rendered(PortsFormat::Jsonl, &sample()).lines() {
            if line.contains("\"count\"") {
                counted += 1;
            } else {
                assert!(serde_json::from_str::<PortRecord>(line).is_ok(), "{line}");
            }
        }
        assert_eq!(counted, 3, "two kinds of ports that are only counted, and a host that accepts everything");
    }

    #[test]
    fn text_of_a_target_breaks_no_format() {
        let mut document = sample();
        document.hosts[0].ports[0].product = Some("</service>\u{0}\u{1b}[2J\u{fffe}\r\n<x a='b'/>]]>".into());
        let xml = rendered(PortsFormat::Xml, &document);
        assert!(!xml.contains("<x") && !xml.contains('\u{0}') && !xml.contains('\u{1b}') && !xml.contains('\u{fffe}'));
        assert!(!rendered(PortsFormat::Table, &document).contains('\u{1b}'));
        document.hosts[0].ports[0] = PortRecord {
            product: None,
            version: None,
            banner: Some(format!("hello\u{1b}[2J {}", "é".repeat(60))),
            ..document.hosts[0].ports[0].clone()
        };
        let table = rendered(PortsFormat::Table, &document);
        let shown = format!("“hello [2J {}…”", "é".repeat(38));
        assert!(table.contains(&shown) && !table.contains('\u{1b}'), "the beginning of an unknown banner: {table}");
        for row in rendered(PortsFormat::Csv, &sample()).lines() {
            assert!(!row.contains(",=1+1"), "{row}");
        }
    }
}
