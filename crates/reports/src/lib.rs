//! Renders the native scan document to every other format, and reads it back from those that hold all of it. Pure: the
//! same document gives the same bytes.
//!
//! Nothing is judged, sorted anew or looked up elsewhere; texts of checks come from the catalogue. Start reading
//! at [`render`]; one file a format.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use bartizan_catalog::Catalog;
use bartizan_domain::document::ScanDocument;

pub mod audit;
mod csv;
mod evidence;
mod html;
mod json;
mod ports;
mod sarif;
mod table;
mod view;

pub use self::csv::neutralise;
pub use html::{Brand, render_html};
pub use json::{FromLines, JsonLine, LinesError, from_json_lines, is_json_lines, json_line};
pub use ports::{PortsFormat, counted_lines, host_line, port_line, ports_of_service, render_ports};

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal.
    Table,
    /// The native document, `bartizan.scan/1`, lossless.
    Json,
    /// The same as JSON Lines, one record a line.
    Jsonl,
    /// Findings, one a row (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// SARIF 2.1.0 for code-scanning pipelines.
    Sarif,
    /// One self-contained page, no script, no network.
    Html,
}

impl Format {
    /// Every format, in the order of the help text.
    pub const ALL: [Self; 6] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Sarif, Self::Html];

    /// The name used on the command line and in `?format=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Html => "html",
        }
    }

    /// The media type for a download.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain; charset=utf-8",
            Self::Json => "application/json",
            Self::Jsonl => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Sarif => "application/sarif+json",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    /// The file extension, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Table => "txt",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("unknown format `{text}`: expected table, json, jsonl, csv, sarif or html"))
    }
}

/// Whether the table may use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// Plain text.
    #[default]
    Never,
    /// ANSI colours; severity is still spelled out.
    Ansi,
}

/// What depends on where the output goes; only the table looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RenderOptions {
    /// Colour of the table.
    pub colour: Colour,
    /// Width of the terminal in columns; `None` means 120.
    pub width: Option<u16>,
}

/// Why a document could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The destination failed.
    #[error("writing the report: {0}")]
    Io(#[from] io::Error),
    /// The document could not be put into the format.
    #[error("rendering the report: {0}")]
    Render(String),
}

impl From<serde_json::Error> for ReportError {
    fn from(error: serde_json::Error) -> Self {
        // serde_json wraps failures of the writer; a closed pipe must stay recognisable as one.
        if error.is_io() { Self::Io(error.into()) } else { Self::Render(error.to_string()) }
    }
}

/// Writes `document` in `format`.
///
/// # Errors
/// [`ReportError::Io`] if `out` fails; a broken pipe keeps its kind.
pub fn render(
    format: Format,
    document: &ScanDocument,
    catalog: &Catalog,
    options: RenderOptions,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    match format {
        Format::Table => table::render(document, options, out),
        Format::Json => json::render(document, out),
        Format::Jsonl => json::render_lines(document, out),
        Format::Csv => csv::render(document, out),
        Format::Sarif => sarif::render(document, catalog, out),
        Format::Html => render_html(document, catalog, &Brand::default(), out),
    }
}
