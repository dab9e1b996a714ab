//! Ports as CSV (RFC 4180), one a row; ports that are only counted share one, with how many they are.

use std::io::Write;

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsDocument};

use crate::ReportError;
use crate::csv::{csv_error, neutralise};

const COLUMNS: [&str; 15] = [
    "address", "names", "port", "protocol", "state", "reason", "service", "tls", "product", "version", "cpe", "rtt_us",
    "ttl", "notes", "count",
];

pub(super) fn render(document: &PortsDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS).map_err(csv_error)?;
    for host in &document.hosts {
        if document.is_discovery() {
            let mut cells = [const { String::new() }; COLUMNS.len()];
            cells[0] = host.address_text();
            cells[1] = host.names.join("; ");
            cells[4] = if host.answered { "up" } else { "down" }.to_owned();
            cells[5] = host.reason.clone().unwrap_or_else(|| "no-response".to_owned());
            cells[11] = host.rtt_us.map_or_else(String::new, |rtt| rtt.to_string());
            writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
        }
        for port in &host.ports {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let cells = [
                port.address_text(),
                host.names.join("; "),
                port.port.to_string(),
                port.protocol.to_string(),
                port.state.as_str().to_owned(),
                port.reason.clone(),
                text(&port.service),
                port.tls.to_string(),
                text(&port.product),
                text(&port.version),
                text(&port.cpe),
                port.rtt_us.map_or_else(String::new, |rtt| rtt.to_string()),
                port.ttl.map_or_else(String::new, |ttl| ttl.to_string()),
                notes(port),
                "1".to_owned(),
            ];
            writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
        }
        // Ports that are only counted: a row for each state and reason, without a port number.
        for sum in host.summarised.iter().filter(|sum| !document.scan.only_open || sum.state == PortState::Open) {
            let mut cells = [const { String::new() }; COLUMNS.len()];
            cells[0] = host.address_text();
            cells[1] = host.names.join("; ");
            cells[3] = sum.protocol.to_string();
            cells[4] = sum.state.as_str().to_owned();
            cells[5].clone_from(&sum.reason);
            cells[14] = sum.count.to_string();
            writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
        }
    }
    writer.flush()?;
    Ok(())
}

/// What is to be known of an open port before it is believed.
fn notes(port: &PortRecord) -> String {
    let flags = [(port.everything_open, "everything-open"), (port.unconfirmed, "unconfirmed")];
    flags.into_iter().filter(|(flag, _)| *flag).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}
