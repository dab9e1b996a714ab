//! Where the results of `bartizan ports` go. A destination that takes nothing more is given up alone; the others are
//! completed.

use std::io::Write as _;

use anyhow::{Error, Result};
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PortRecord, PortsDocument};
use bartizan_reports::{PortsFormat, counted_lines, host_line, port_line, render_ports};

use super::zones;
use crate::args::PortsArgs;
use crate::io::{OutputSpec, Sink, is_broken_pipe, settle};
use crate::terminal::{Destination, render_options};

type Output = (OutputSpec<PortsFormat>, Sink);

/// Everything `-o` asked for.
pub struct Outputs {
    lines: Vec<Output>,
    rendered: Vec<Output>,
    zones: zones::Names,
    delivery: Delivery,
}

/// What became of the results.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Whether somebody stopped to read standard output or a pipe, which is his good right.
    pub reader_left: bool,
    /// What could not be written.
    pub failures: Vec<Error>,
}

impl Delivery {
    /// Whether everything is where it was to go.
    pub const fn is_whole(&self) -> bool {
        !self.reader_left && self.failures.is_empty()
    }

    fn lose(&mut self, error: Error) {
        if is_broken_pipe(&error) {
            self.reader_left = true;
        } else {
            self.failures.push(error);
        }
    }
}

impl Outputs {
    /// Opens every destination; if one cannot be opened, none is touched.
    pub fn open(asked: &[OutputSpec<PortsFormat>]) -> Result<Self> {
        let mut outputs = Self {
            lines: Vec::new(),
            rendered: Vec::new(),
            zones: zones::Names::default(),
            delivery: Delivery::default(),
        };
        for output in settle(asked)? {
            let sink = Sink::open(&output)?;
            match output.format {
                PortsFormat::Jsonl => outputs.lines.push((output, sink)),
                _ => outputs.rendered.push((output, sink)),
            }
        }
        Ok(outputs)
    }

    /// Open ports go out as JSON Lines as soon as they are known.
    pub fn open_port(&mut self, mut port: PortRecord) {
        if self.lines.is_empty() {
            return;
        }
        self.zones.port(&mut port);
        for (output, mut sink) in std::mem::take(&mut self.lines) {
            let written = port_line(&port, &mut sink).map_err(Error::from);
            match written.and_then(|()| Ok(sink.flush()?)) {
                Ok(()) => self.lines.push((output, sink)),
                Err(error) => self.delivery.lose(error.context(format!("writing -o {output}"))),
            }
        }
    }

    /// Whether nobody takes results any more.
    pub const fn is_lost(&self) -> bool {
        self.lines.is_empty() && self.rendered.is_empty()
    }

    /// Writes and completes all of them.
    pub fn finish(mut self, args: &PortsArgs, document: &PortsDocument) -> Delivery {
        for (output, sink) in self.lines {
            if let Err(error) = finish_lines(sink, document) {
                self.delivery.lose(error.context(format!("writing -o {output}")));
            }
        }
        for (output, mut sink) in self.rendered {
            let destination = if output.file.is_none() { Destination::Stdout } else { Destination::File };
            let options = render_options(args.color, destination);
            let rendered = render_ports(output.format, document, options, &mut sink).map_err(Error::from);
            if let Err(error) = rendered.and_then(|()| sink.commit()) {
                self.delivery.lose(error.context(format!("writing -o {output}")));
            }
        }
        self.delivery
    }
}

/// What was not told while the scan went on.
fn finish_lines(mut sink: Sink, document: &PortsDocument) -> Result<()> {
    if document.is_discovery() {
        document.hosts.iter().try_for_each(|host| host_line(host, &mut sink))?;
        return sink.commit();
    }
    let others = document.hosts.iter().flat_map(|host| &host.ports).filter(|port| port.state != PortState::Open);
    for port in others {
        port_line(port, &mut sink)?;
    }
    for host in &document.hosts {
        counted_lines(host, document.scan.only_open, &mut sink)?;
    }
    sink.commit()
}
