//! Ports for people at a terminal.

use std::io::Write;

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsDocument, PortsHost};
use comfy_table::{Attribute, Cell, Color};

use crate::table::{new_table, printable};
use crate::{Colour, RenderOptions, ReportError};

/// Characters of a banner that are shown where no product is known.
const BANNER: usize = 48;

pub(super) fn render(document: &PortsDocument, options: RenderOptions, out: &mut dyn Write) -> Result<(), ReportError> {
    if document.is_discovery() {
        document.hosts.iter().try_for_each(|host| presence(host, out))?;
        return summary(document, out);
    }
    for host in &document.hosts {
        heading(host, out)?;
        if !host.ports.is_empty() {
            let mut table = new_table(options);
            if document.scan.service_detection {
                table.set_header(["Port", "State", "Reason", "Service", "Product"]);
            } else {
                table.set_header(["Port", "State", "Reason"]);
            }
            for port in &host.ports {
                table.add_row(row(port, document.scan.service_detection, options.colour));
            }
            writeln!(out, "{table}")?;
        }
        let doubtful: Vec<String> = (host.ports.iter().filter(|port| port.unconfirmed))
            .map(|port| format!("{}/{}", port.port, port.protocol))
            .collect();
        if !doubtful.is_empty() {
            writeln!(out, "Did not accept a second time: {}", doubtful.join(", "))?;
        }
        if host.everything_open {
            writeln!(out, "Every port answers as open: a proxy or tarpit stands in front of this host.")?;
        }
        let rest: Vec<String> = host
            .summarised
            .iter()
            .map(|sum| format!("{} {} {} ({})", sum.count, sum.protocol, sum.state, printable(&sum.reason)))
            .collect();
        if !rest.is_empty() {
            writeln!(out, "Not shown: {}", rest.join(", "))?;
        }
        writeln!(out)?;
    }
    summary(document, out)
}

/// A host whose ports were not asked.
fn presence(host: &PortsHost, out: &mut dyn Write) -> Result<(), ReportError> {
    let names = names(host);
    let seen = [host.reason.as_deref(), host.mac.as_deref()];
    let seen: String = seen.into_iter().flatten().map(|text| format!(", {}", printable(text))).collect();
    let state = match (host.answered, host.reason.as_deref()) {
        (true, _) => format!(": up{seen}"),
        (false, Some(_)) => silent(host).to_owned(),
        (false, None) => ": no answer".to_owned(),
    };
    writeln!(out, "{}{names}{state}", printable(&host.address_text()))?;
    Ok(())
}

fn names(host: &PortsHost) -> String {
    let names = host.names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
    if names.is_empty() { String::new() } else { format!(" ({names})") }
}

fn heading(host: &PortsHost, out: &mut dyn Write) -> Result<(), ReportError> {
    let silent = match (host.answered, host.reason.as_deref()) {
        (true, _) => "",
        (false, Some("no-response") | None) => ": no port answered",
        (false, Some(_)) => silent(host),
    };
    writeln!(out, "{}{}{silent}", printable(&host.address_text()), names(host))?;
    Ok(())
}

/// Why nothing came from a host.
fn silent(host: &PortsHost) -> &'static str {
    match host.reason.as_deref() {
        Some("no-route") => ": not reached, this machine has no route there",
        Some("no-router") => ": not reached, the router on the way does not answer",
        Some("no-neighbour") => ": nobody on the link answers for it",
        _ => ": no answer",
    }
}

fn row(port: &PortRecord, services: bool, colour: Colour) -> Vec<Cell> {
    let state = Cell::new(port.state);
    let state = match (colour, port.state) {
        (Colour::Never, _) => state,
        (Colour::Ansi, PortState::Open) => state.fg(Color::Green).add_attribute(Attribute::Bold),
        (Colour::Ansi, PortState::Error) => state.fg(Color::Red),
        (Colour::Ansi, _) => state.add_attribute(Attribute::Dim),
    };
    let mut cells =
        vec![Cell::new(format!("{}/{}", port.port, port.protocol)), state, Cell::new(printable(&port.reason))];
    if services {
        let service = match (port.service.as_deref(), port.tls) {
            (Some(service), true) => format!("{service} over TLS"),
            (Some(service), false) => service.to_owned(),
            (None, true) => "unknown over TLS".to_owned(),
            (None, false) if port.state == PortState::Open => "unknown".to_owned(),
            (None, false) => String::new(),
        };
        cells.push(Cell::new(printable(&service)));
        cells.push(Cell::new(product(port)));
    }
    cells
}

/// Product and version; where neither is known, the beginning of what the port said, for people to judge.
fn product(port: &PortRecord) -> String {
    let known: Vec<&str> = [&port.product, &port.version].into_iter().filter_map(|text| text.as_deref()).collect();
    match (known.is_empty(), port.banner.as_deref()) {
        (true, Some(banner)) => {
            let banner = printable(banner);
            let cut: String = banner.chars().take(BANNER).collect();
            let more = if cut.len() < banner.len() { "…" } else { "" };
            format!("“{}{more}”", cut.trim_end())
        }
        _ => printable(&known.join(" ")),
    }
}

fn summary(document: &PortsDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let scan = &document.scan;
    // Those of a host that accepts everything prove nothing.
    let is_open = |port: &&PortRecord| port.state == PortState::Open && !port.everything_open;
    let open = document.hosts.iter().flat_map(|host| &host.ports).filter(is_open).count();
    let answered = document.answered();
    let took = (scan.finished_at - scan.started_at).num_milliseconds();
    let ports = match (document.is_discovery(), open) {
        (true, _) => String::new(),
        (false, 1) => "1 open port; ".to_owned(),
        (false, open) => format!("{open} open ports; "),
    };
    writeln!(
        out,
        "{ports}{answered} of {} {} answered, in {}.{} s",
        scan.addresses,
        if scan.addresses == 1 { "address" } else { "addresses" },
        took / 1000,
        took % 1000 / 100,
    )?;
    if scan.partial {
        writeln!(out, "INCOMPLETE: {}", scan.partial_reasons.join("; "))?;
    }
    Ok(())
}
