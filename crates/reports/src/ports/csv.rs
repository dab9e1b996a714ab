//! Ports as CSV (RFC 4180), one a row.

use std::io::Write;

use bartizan_domain::port_document::PortsDocument;

use crate::ReportError;
use crate::csv::{csv_error, neutralise};

const COLUMNS: [&str; 12] = [
    "address", "names", "port", "protocol", "state", "reason", "service", "tls", "product", "version", "cpe", "rtt_us",
];

pub(super) fn render(document: &PortsDocument, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS).map_err(csv_error)?;
    for host in &document.hosts {
        for port in &host.ports {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let cells = [
                port.address.to_string(),
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
            ];
            writer.write_record(cells.iter().map(|cell| neutralise(cell).into_owned())).map_err(csv_error)?;
        }
    }
    writer.flush()?;
    Ok(())
}
