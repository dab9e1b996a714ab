//! Assets from and to CSV.

use std::collections::BTreeSet;

use bartizan_domain::{AssetKind, Error, Permission, Result};
use bartizan_storage::assets as storage;
use bartizan_storage::assets::{Asset, AssetFilter, AssetSort};
use bartizan_storage::{Page, SortDir};
use serde_json::json;

use crate::assets::{NewAsset, checked};
use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services};

/// Most data rows of one file.
pub const ROW_LIMIT: usize = 10_000;

/// Columns that are understood, by name, in any order. The first may be left out, the last three as well.
const COLUMNS: [&str; 6] = ["name", "target_type", "target_value", "tags", "risk_zone", "criticality"];

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Data rows in the file.
    pub total: usize,
    /// Assets added.
    pub created: usize,
    /// Rows whose target was an asset already, or stood in an earlier row.
    pub duplicates: usize,
    /// Rows that break a rule.
    pub invalid: usize,
    /// Every row that was not added, in order.
    pub problems: Vec<RowProblem>,
}

/// A row that was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Line of the file, from 1; the header is line 1.
    pub line: u64,
    /// What kind of problem.
    pub kind: RowProblemKind,
    /// Column at fault, where it is one.
    pub column: Option<String>,
    /// What is wrong, naming the value and the rule.
    pub message: String,
}

/// Kind of problem of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowProblemKind {
    /// The target exists.
    Duplicate,
    /// A rule is broken.
    Invalid,
}

impl RowProblemKind {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
        }
    }
}

/// Adds every good row of a CSV file, and reports on the others. A cell that a spreadsheet would run as a
/// formula is a mistake unless it is marked as text by an apostrophe, as in what [`export_csv`] writes.
///
/// # Errors
/// [`Error::Invalid`] if the file as a whole is not usable: not UTF-8, no header, unknown columns, too many rows. Then
/// nothing is added.
pub async fn import_csv(cx: &OpContext, services: &Services, file: &[u8]) -> Result<ImportReport> {
    let organization = cx.require(Permission::AssetsManage)?;
    let rows = parse(file)?;
    let mut report = ImportReport { total: rows.len(), ..ImportReport::default() };
    let mut good: Vec<(u64, Asset)> = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        match row.and_then(|new| checked(cx, organization, &new).map_err(first_problem)) {
            Ok(asset) => good.push((line, asset)),
            Err((column, message)) => {
                report.invalid += 1;
                report.problems.push(RowProblem { line, kind: RowProblemKind::Invalid, column, message });
            }
        }
    }

    let (organization, change) = Mutation::begin(cx, services, Permission::AssetsManage).await?;
    let targets: Vec<(AssetKind, String)> =
        good.iter().map(|(_, asset)| (asset.target_type, asset.target_value.clone())).collect();
    let existing = storage::by_targets(change.db(), organization, &targets).await?;
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut fresh = Vec::with_capacity(good.len());
    for (line, asset) in good {
        let key = (asset.target_type.as_str().to_owned(), asset.target_value.clone());
        let message = if existing.contains_key(&key) {
            format!("{} {} is an asset already", asset.target_type, asset.target_value)
        } else if !seen.insert(key) {
            format!("{} {} stands in an earlier row", asset.target_type, asset.target_value)
        } else {
            fresh.push(asset);
            continue;
        };
        report.duplicates += 1;
        let column = Some("target_value".to_owned());
        report.problems.push(RowProblem { line, kind: RowProblemKind::Duplicate, column, message });
    }
    report.problems.sort_by_key(|problem| problem.line);
    report.created = fresh.len();
    if fresh.is_empty() {
        return Ok(report);
    }
    storage::insert(change.db(), &fresh).await?;
    let entry = Change::new("asset.import", "asset", format!("{} assets", fresh.len())).after(json!({
        "rows": report.total, "created": report.created, "duplicates": report.duplicates, "invalid": report.invalid,
    }));
    change.commit(entry).await?;
    Ok(report)
}

/// The assets that `filter` lets through as CSV, at most [`ROW_LIMIT`] rows. Cells that a spreadsheet would run as a
/// formula are written with an apostrophe in front.
///
/// # Errors
/// If the caller may not export, or the database fails.
pub async fn export_csv(cx: &OpContext, services: &Services, filter: &AssetFilter) -> Result<Vec<u8>> {
    cx.require(Permission::ExportsRun)?;
    let organization = cx.require(Permission::AssetsView)?;
    let page = Page::first(ROW_LIMIT as u64);
    let sort = (AssetSort::Name, SortDir::Asc);
    let assets = storage::list(services.store.read(), organization, filter, sort, page).await?.rows;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(Error::internal)?;
    for asset in assets {
        let cells = [
            asset.name,
            asset.target_type.to_string(),
            asset.target_value,
            asset.tags.join(";"),
            asset.risk_zone.as_str().to_owned(),
            asset.criticality.to_string(),
        ];
        writer.write_record(cells.map(neutral)).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// What a spreadsheet takes for the begin of a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet takes for a formula.
fn neutral(cell: String) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell }
}

/// The text that a cell stands for; none if it is a formula.
fn text_of(cell: &str) -> Option<&str> {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(FORMULA) => Some(text),
        _ => (!cell.starts_with(FORMULA)).then_some(cell),
    }
}

type Row = Result<NewAsset, (Option<String>, String)>;

fn parse(file: &[u8]) -> Result<Vec<(u64, Row)>> {
    let bad = |message: String| Error::invalid("body -> file", message);
    let text = std::str::from_utf8(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file))
        .map_err(|error| bad(format!("the file is not UTF-8 (at byte {})", error.valid_up_to())))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| bad(format!("the header cannot be read: {error}")))?.clone();
    let mut positions = [None; COLUMNS.len()];
    for (index, name) in header.iter().enumerate() {
        let known = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(name));
        let Some(column) = known else {
            return Err(bad(format!("unknown column `{name}`: expected {}", COLUMNS.join(", "))));
        };
        if positions[column].replace(index).is_some() {
            return Err(bad(format!("column `{name}` stands in the header twice")));
        }
    }
    for required in [1, 2] {
        if positions[required].is_none() {
            return Err(bad(format!("column `{}` is missing: the first line names the columns", COLUMNS[required])));
        }
    }
    let mut rows = Vec::new();
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| bad(format!("the file is not CSV: {error}")))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() == ROW_LIMIT {
            return Err(bad(format!("more than {ROW_LIMIT} rows: split the file")));
        }
        lines.advance(record.position().map_or(0, csv::Position::byte));
        rows.push((lines.line, row_of(&record, header.len(), &positions)));
    }
    Ok(rows)
}

/// Counts lines up to where a record starts. The reader's own count is one short after CRLF, since it takes the LF for
/// the beginning of the next record.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn advance(&mut self, byte: u64) {
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        while self.text.get(to).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            to += 1;
        }
        let between = self.text.get(self.at..to).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = self.at.max(to);
    }
}

fn row_of(record: &csv::StringRecord, width: usize, positions: &[Option<usize>; COLUMNS.len()]) -> Row {
    if record.len() > width {
        return Err((None, format!("{} cells, but the header names {width}: quote cells with commas", record.len())));
    }
    let cell = |column: usize| positions[column].and_then(|index| record.get(index)).filter(|cell| !cell.is_empty());
    let fail = |column: usize, message: String| (Some(COLUMNS[column].to_owned()), message);
    let target_type = match cell(1) {
        Some(text) => Some(text.to_ascii_lowercase().parse::<AssetKind>().map_err(|message| fail(1, message))?),
        None => return Err(fail(1, "target_type is empty: expected domain, ip or cidr".to_owned())),
    };
    let risk_zone = match cell(4) {
        Some(text) => Some(text.to_ascii_lowercase().parse().map_err(|message| fail(4, message))?),
        None => None,
    };
    let criticality = match cell(5) {
        Some(text) => Some(text.parse().map_err(|_| fail(5, format!("criticality `{text}` is not a number")))?),
        None => None,
    };
    let text = |column: usize, cell: &str| match text_of(cell) {
        Some(text) => Ok(text.to_owned()),
        None => Err(fail(column, format!("`{cell}` is a formula; with an apostrophe in front it is a text"))),
    };
    let tags = text(3, cell(3).unwrap_or_default())?;
    Ok(NewAsset {
        name: cell(0).map(|cell| text(0, cell)).transpose()?,
        target_type,
        target_value: cell(2).unwrap_or_default().to_owned(),
        tags: tags.split(';').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        risk_zone,
        criticality,
    })
}

fn first_problem(error: Error) -> (Option<String>, String) {
    match error {
        Error::Invalid(mut fields) if !fields.is_empty() => {
            let field = fields.swap_remove(0);
            (field.field.strip_prefix("body -> ").map(str::to_owned), field.message)
        }
        other => (None, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Row)> {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn bom_quotes_and_semicolons_are_read() {
        let rows = rows("\u{feff}name,target_type,target_value,tags\n\"Shop, main\",domain,shop.example,web; pci ;\n");
        let (line, row) = &rows[0];
        let new = row.clone().unwrap();
        assert_eq!((*line, new.name.as_deref()), (2, Some("Shop, main")));
        assert_eq!(new.tags, ["web", "pci"]);
    }

    #[test]
    fn a_file_that_is_not_usable_is_refused_as_a_whole() {
        for (text, says) in [
            ("", "target_type"),
            ("name,target_value\n", "target_type"),
            ("name,target_type,target_value,colour\n", "colour"),
            ("target_type,target_type,target_value\n", "twice"),
        ] {
            let Error::Invalid(fields) = parse(text.as_bytes()).unwrap_err() else { panic!("{text}") };
            assert!(fields[0].message.contains(says), "{}", fields[0].message);
        }
        assert!(parse(b"name,target_type,target_value\n\xff,domain,a.example\n").is_err());
        let mut many = "target_type,target_value\n".to_owned();
        many.extend((0..=ROW_LIMIT).map(|n| format!("domain,h{n}.example\n")));
        assert!(parse(many.as_bytes()).is_err());
    }

    #[test]
    fn cells_that_look_like_formulas_are_made_text() {
        for cell in ["=1+1", "+1", "-1", "@x", "\t=1"] {
            assert!(neutral(cell.to_owned()).starts_with('\''));
        }
        assert_eq!(neutral("a=1".to_owned()), "a=1");
    }

    #[test]
    fn formulas_are_read_as_text_only_where_they_are_marked() {
        let header = "name,target_type,target_value,tags\n";
        for cell in ["=cmd|' /c calc'!A1", "+1", "-1", "@x"] {
            let named = rows(&format!("{header}{cell},domain,a.example,\n")).remove(0).1.unwrap_err();
            assert_eq!(named.0.as_deref(), Some("name"), "{cell}");
            let tagged = rows(&format!("{header}a,domain,a.example,{cell}\n")).remove(0).1.unwrap_err();
            assert_eq!(tagged.0.as_deref(), Some("tags"), "{cell}");
            let marked = rows(&format!("{header}'{cell},domain,a.example,\n")).remove(0).1.unwrap();
            assert_eq!(marked.name.as_deref(), Some(cell));
            assert_eq!(text_of(&neutral(cell.to_owned())), Some(cell), "what is written is read again");
        }
        let plain = rows(&format!("{header}'tis,domain,a.example,b=1\n")).remove(0).1.unwrap();
        assert_eq!((plain.name.as_deref(), plain.tags), (Some("'tis"), vec!["b=1".to_owned()]));
    }
}
