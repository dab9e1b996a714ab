//! CSV tables: CISA KEV, EPSS, ExploitDB, and the index of proofs of concept.
//!
//! Sources of the rules: the header lines of the files themselves; RFC 4180. Columns are found by name, so that added
//! columns do no harm; a missing one is an error. EPSS (`first.org/epss`): a comment line gives the day, then
//! `cve,epss,percentile`; it is split by hand because it is large and has no quotes. ExploitDB
//! (`gitlab.com/exploit-database`): CVE ids stand in `codes`.
//!
//! Linear; memory of one line.

use std::io::{BufRead, BufReader, Read};

use bartizan_matching::model::{Epss, ExploitIndex, Kev, Signals, Text};
use chrono::NaiveDate;

use super::Output;
use super::common::{self, is_cve};
use crate::error::{FeedError, Result};
use crate::input::damaged;
use crate::limits::Limits;
use crate::record::Record;

const MAX_EPSS_LINE: usize = 4096;

/// A CSV reader that stops at lines longer than a record may be.
struct Rows<'r> {
    reader: csv::Reader<BoundedLines<'r>>,
    columns: csv::StringRecord,
}

/// Fails when no line ends within the bound, so that one endless line cannot fill the memory.
struct BoundedLines<'r> {
    inner: &'r mut dyn Read,
    since_newline: usize,
    bound: usize,
}

impl Read for BoundedLines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match memchr::memrchr(b'\n', &buffer[..read]) {
            Some(at) => self.since_newline = read - at - 1,
            None => self.since_newline += read,
        }
        if self.since_newline > self.bound {
            return Err(std::io::Error::other(format!("a line is longer than {} bytes", self.bound)));
        }
        Ok(read)
    }
}

impl<'r> Rows<'r> {
    fn new(reader: &'r mut dyn Read, limits: &Limits) -> Result<Self> {
        let inner = BoundedLines { inner: reader, since_newline: 0, bound: limits.max_record.min(1 << 20) };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(inner);
        let columns = reader.headers().map_err(csv_error)?.clone();
        Ok(Self { reader, columns })
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.columns
            .iter()
            .position(|column| column.trim_start_matches('\u{feff}').trim() == name)
            .ok_or_else(|| FeedError::Syntax { at: 0, rule: format!("the table has no column `{name}`") })
    }

    fn each(
        mut self,
        out: &mut Output<'_>,
        mut each: impl FnMut(&mut Output<'_>, &csv::StringRecord) -> Result<()>,
    ) -> Result<()> {
        let mut row = csv::StringRecord::new();
        let width = self.columns.len();
        while self.reader.read_record(&mut row).map_err(csv_error)? {
            if row.len() < width {
                // The last line of a file that was cut lacks columns.
                return Err(FeedError::Truncated("within a line of a table"));
            }
            each(out, &row)?;
        }
        out.stats.unterminated |= self.reader.get_ref().since_newline > 0;
        Ok(())
    }
}

fn csv_error(error: csv::Error) -> FeedError {
    let at = error.position().map_or(0, csv::Position::byte);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => damaged("plain", &error),
        kind => FeedError::Syntax { at, rule: format!("{kind:?}").chars().take(200).collect() },
    }
}

fn id(text: &str) -> Option<Text> {
    let text = text.trim();
    if is_cve(text) {
        return Some(text.into());
    }
    let upper = text.to_ascii_uppercase();
    is_cve(&upper).then(|| upper.into())
}

/// CISA's catalogue of exploited vulnerabilities.
pub(super) fn kev(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let rows = Rows::new(reader, limits)?;
    let (cve, added) = (rows.column("cveID")?, rows.column("dateAdded")?);
    let (due, ransomware) = (rows.column("dueDate").ok(), rows.column("knownRansomwareCampaignUse").ok());
    rows.each(out, |out, row| {
        let field = |column: Option<usize>| column.and_then(|column| row.get(column)).unwrap_or("");
        out.take(kev_entry(field(Some(cve)), field(Some(added)), field(due), field(ransomware)))
    })
}

/// One entry of the catalogue, whichever form it came in.
pub(super) fn kev_entry(cve: &str, added: &str, due: &str, ransomware: &str) -> super::Parsed {
    let id = id(cve).ok_or_else(|| FeedError::record(cve, "an entry names a CVE"))?;
    let entry = Kev {
        asserter: "cisa".into(),
        added: common::date(added),
        due: common::date(due),
        ransomware: ransomware.trim().eq_ignore_ascii_case("known"),
    };
    Ok(Record::Signals { id, signals: Signals { kev: vec![entry], ..Signals::default() } })
}

/// EPSS of one day.
pub(super) fn epss(reader: &mut dyn Read, out: &mut Output<'_>) -> Result<()> {
    let mut reader = BufReader::with_capacity(256 << 10, reader);
    let mut line = Vec::new();
    let mut date: Option<NaiveDate> = None;
    let mut columns: Option<(usize, usize, usize)> = None;
    let mut offset = 0_u64;
    loop {
        line.clear();
        let read = (&mut reader)
            .take(MAX_EPSS_LINE as u64)
            .read_until(b'\n', &mut line)
            .map_err(|error| damaged("plain", &error))?;
        if read == 0 {
            break;
        }
        if read == MAX_EPSS_LINE && line.last() != Some(&b'\n') {
            return Err(FeedError::Limit { what: "the length of a line", limit: MAX_EPSS_LINE as u64 });
        }
        out.stats.unterminated |= line.last() != Some(&b'\n');
        let at = offset;
        let syntax = |rule: &str| FeedError::Syntax { at, rule: rule.to_owned() };
        let text = std::str::from_utf8(&line).map_err(|_| syntax("a table is UTF-8 text"))?;
        let text = text.trim_start_matches('\u{feff}').trim_end();
        offset += read as u64;
        if let Some(comment) = text.strip_prefix('#') {
            if let Some((_, day)) = comment.split_once("score_date:") {
                date = common::date(day);
                out.stats.day = out.stats.day.max(date);
            }
            continue;
        }
        if text.is_empty() {
            continue;
        }
        let Some((cve, score, percentile)) = columns else {
            let names: Vec<&str> = text.split(',').map(str::trim).collect();
            let find = |name: &str| {
                names
                    .iter()
                    .position(|column| *column == name)
                    .ok_or_else(|| syntax("the table lacks a column of EPSS"))
            };
            columns = Some((find("cve")?, find("epss")?, find("percentile")?));
            continue;
        };
        let field = |column: usize| text.split(',').nth(column).map(str::trim);
        let (Some(cve), Some(score), Some(percentile)) = (field(cve), field(score), field(percentile)) else {
            return Err(FeedError::Truncated("within a line of a table"));
        };
        let share = |text: &str| text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
        let parsed = match (is_cve(cve), share(score), share(percentile)) {
            (true, Some(score), Some(percentile)) => {
                let signals = Signals { epss: Some(Epss { score, percentile, date }), ..Signals::default() };
                Ok(Record::Signals { id: cve.into(), signals })
            }
            _ => Err(FeedError::record(cve, "a line holds a CVE and two numbers from 0 to 1")),
        };
        out.take(parsed)?;
    }
    Ok(())
}

/// ExploitDB's list of exploits.
pub(super) fn exploit_db(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let rows = Rows::new(reader, limits)?;
    let codes = rows.column("codes")?;
    rows.each(out, |out, row| {
        out.count()?;
        for id in common::cves_in(row.get(codes).unwrap_or("")) {
            out.extra(listed(id, ExploitIndex::ExploitDb))?;
        }
        Ok(())
    })
}

/// The index of proofs of concept: `cve_id`, counts, first address. A row with both counts zero says nothing.
pub(super) fn poc(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let rows = Rows::new(reader, limits)?;
    let cve = rows.column("cve_id")?;
    let counts = [rows.column("n_reference_pocs")?, rows.column("n_github_pocs")?];
    rows.each(out, |out, row| {
        let named = row.get(cve).unwrap_or("");
        let Some(id) = id(named) else { return out.take(Err(FeedError::record(named, "a row names a CVE"))) };
        let some = counts.iter().any(|column| row.get(*column).is_some_and(|count| count.trim() != "0"));
        if some { out.take(Ok(listed(id, ExploitIndex::Poc))) } else { out.count() }
    })
}

/// That an index lists the vulnerability.
pub(super) fn listed(id: Text, index: ExploitIndex) -> Record {
    Record::Signals { id, signals: Signals { exploits: vec![index], ..Signals::default() } }
}
