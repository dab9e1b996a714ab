//! The native audit document, `bartizan.audit/1`, and its other formats. Pure, like the rest of the crate.
//!
//! [`document`] says what an audit found; a file a format renders it. Matches are in the order in which to fix them,
//! and every format keeps that order.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use crate::{RenderOptions, ReportError};

mod csv;
mod cyclonedx;
pub mod document;
mod openvex;
mod sarif;
mod table;

pub use document::{
    AUDIT_SCHEMA, AuditDocument, AuditEpss, AuditEvidence, AuditKev, AuditMatch, AuditSource, Baseline, Decision,
    DecisionNote, EndOfLife, Gone, GoneReason, NotCovered, PassedOver, ScorePart, StoreSource, Suppressed, VexStatus,
};

/// An output format of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditFormat {
    /// For people at a terminal.
    Table,
    /// The native document, lossless.
    Json,
    /// Matches, one a row (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// SARIF 2.1.0 for code-scanning pipelines.
    Sarif,
    /// CycloneDX 1.5 with vulnerabilities and their analysis.
    CyclonedxVex,
    /// OpenVEX 0.2.0.
    Openvex,
}

impl AuditFormat {
    /// Every format, in the order of the help text.
    pub const ALL: [Self; 6] = [Self::Table, Self::Json, Self::Csv, Self::Sarif, Self::CyclonedxVex, Self::Openvex];

    /// The name used on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::CyclonedxVex => "cyclonedx-vex",
            Self::Openvex => "openvex",
        }
    }
}

impl fmt::Display for AuditFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AuditFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| {
            format!("unknown format `{text}`: expected table, json, csv, sarif, cyclonedx-vex or openvex")
        })
    }
}

/// Writes `document` in `format`.
///
/// # Errors
/// [`ReportError::Io`] if `out` fails; a broken pipe keeps its kind.
pub fn render(
    format: AuditFormat,
    document: &AuditDocument,
    options: RenderOptions,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    match format {
        AuditFormat::Table => table::render(document, options, out),
        AuditFormat::Json => pretty(document, out),
        AuditFormat::Csv => csv::render(document, out),
        AuditFormat::Sarif => pretty(&sarif::document(document), out),
        AuditFormat::CyclonedxVex => pretty(&cyclonedx::document(document), out),
        AuditFormat::Openvex => pretty(&openvex::document(document), out),
    }
}

fn pretty<T: serde::Serialize>(value: &T, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")?;
    Ok(())
}
