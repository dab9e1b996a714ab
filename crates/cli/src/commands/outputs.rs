//! The outputs of a scan or conversion: opened together, fed while results arrive, completed together.

use anyhow::{Context as _, Result};
use bartizan_catalog::Catalog;
use bartizan_domain::Verdict;
use bartizan_domain::coverage::Coverage;
use bartizan_domain::coverage::OutcomeCounts;
use bartizan_domain::document::{HostResult, SCAN_SCHEMA, ScanDocument, ScanSummary, VerdictRecord};
use bartizan_domain::score::Score;
use bartizan_engine::document;
use bartizan_evidence::Blob;
use bartizan_evidence::file::{Header, Writer};
use bartizan_reports::{Format, JsonLine, json_line, render};

use crate::args::ResultArgs;
use crate::io::{OutputFormat, OutputSpec, Sink, settle};
use crate::terminal::{Destination, render_options};

/// Everything `-o` asked for.
pub struct Outputs<'c> {
    catalog: &'c Catalog,
    rendered: Vec<(OutputSpec, Sink)>,
    lines: Vec<(OutputSpec, Sink)>,
    evidence: Vec<(OutputSpec, Writer<Sink>)>,
    document: Option<document::Builder<'c>>,
    color: crate::args::ColorMode,
}

/// How the results ended.
pub struct Ending<'e> {
    /// The head in its final state.
    pub scan: ScanSummary,
    /// The score.
    pub score: &'e Score,
    /// Verdict counts.
    pub coverage: &'e OutcomeCounts,
}

impl<'c> Outputs<'c> {
    /// Opens every destination; if one cannot be opened, none is touched.
    pub fn open(args: &ResultArgs, catalog: &'c Catalog) -> Result<(Self, Vec<(OutputSpec, Sink)>)> {
        let mut outputs = Self {
            catalog,
            rendered: Vec::new(),
            lines: Vec::new(),
            evidence: Vec::new(),
            document: None,
            color: args.color,
        };
        let mut evidence: Vec<(OutputSpec, Sink)> = Vec::new();
        for output in settle(&args.output)? {
            let sink = match Sink::open(&output) {
                Ok(sink) => sink,
                Err(error) => {
                    evidence.into_iter().for_each(|(_, sink)| sink.discard());
                    return Err(error);
                }
            };
            match output.format {
                OutputFormat::Evidence => evidence.push((output, sink)),
                OutputFormat::Report(Format::Jsonl) => outputs.lines.push((output, sink)),
                OutputFormat::Report(_) => outputs.rendered.push((output, sink)),
            }
        }
        if !outputs.rendered.is_empty() {
            outputs.document = Some(document::Builder::new(catalog));
        }
        Ok((outputs, evidence))
    }

    /// Writes what can be written before the first result.
    pub fn begin(&mut self, scan: &ScanSummary, header: &Header, evidence: Vec<(OutputSpec, Sink)>) -> Result<()> {
        for (output, sink) in evidence {
            let writer = Writer::new(sink, header).with_context(|| format!("writing -o {output}"))?;
            self.evidence.push((output, writer));
        }
        for (_, sink) in &mut self.lines {
            json_line(&JsonLine::Scan { schema: SCAN_SCHEMA, scan }, sink)?;
            std::io::Write::flush(sink)?;
        }
        Ok(())
    }

    /// Takes one finished asset.
    pub fn host(&mut self, host: HostResult, verdicts: &[Verdict]) -> Result<()> {
        for (_, sink) in &mut self.lines {
            json_line(&JsonLine::Host(&host), sink)?;
            for finding in verdicts.iter().filter_map(|verdict| document::finding(self.catalog, verdict)) {
                json_line(&JsonLine::Finding(&finding), sink)?;
            }
            for verdict in verdicts {
                json_line(&JsonLine::Verdict(&VerdictRecord::from(verdict)), sink)?;
            }
            std::io::Write::flush(sink)?;
        }
        if let Some(document) = &mut self.document {
            document.add_result(host, verdicts);
        }
        Ok(())
    }

    /// Takes the stored form of one finished asset.
    pub fn record(&mut self, blob: &Blob, coverage: &Coverage) -> Result<()> {
        for (output, writer) in &mut self.evidence {
            writer.append(blob, coverage).with_context(|| format!("writing -o {output}"))?;
        }
        Ok(())
    }

    /// Completes every output.
    pub fn finish(self, ending: &Ending<'_>) -> Result<()> {
        let document = self.document.map(|document| document.finish(ending.scan.clone()));
        for (_, mut sink) in self.lines {
            let line = JsonLine::Summary { scan: &ending.scan, score: ending.score, coverage: ending.coverage };
            json_line(&line, &mut sink)?;
            sink.commit()?;
        }
        for (output, writer) in self.evidence {
            let sink = writer.finish(ending.scan.clone()).with_context(|| format!("writing -o {output}"))?;
            sink.commit()?;
        }
        if let Some(document) = document {
            write_rendered(self.rendered, &document, self.catalog, self.color)?;
        }
        Ok(())
    }
}

/// Renders a whole document to every output of `args`.
pub fn write_document(args: &ResultArgs, document: &ScanDocument, catalog: &Catalog) -> Result<()> {
    let outputs = settle(&args.output)?;
    let mut opened = Vec::new();
    for output in outputs {
        if output.format == OutputFormat::Evidence {
            anyhow::bail!("-o {output}: evidence cannot be made from a result document; it is written by the scan");
        }
        let sink = Sink::open(&output)?;
        opened.push((output, sink));
    }
    write_rendered(opened, document, catalog, args.color)
}

fn write_rendered(
    outputs: Vec<(OutputSpec, Sink)>,
    document: &ScanDocument,
    catalog: &Catalog,
    color: crate::args::ColorMode,
) -> Result<()> {
    for (output, mut sink) in outputs {
        let OutputFormat::Report(format) = output.format else { continue };
        let destination = if output.file.is_none() { Destination::Stdout } else { Destination::File };
        render(format, document, catalog, render_options(color, destination), &mut sink)?;
        sink.commit()?;
    }
    Ok(())
}
