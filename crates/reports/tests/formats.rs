//! One document through every format.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_catalog::Catalog;
use bartizan_domain::document::ScanDocument;
use bartizan_reports::{Colour, Format, RenderOptions, neutralise, render};

fn document() -> ScanDocument {
    serde_json::from_str(include_str!("fixtures/scan.json")).unwrap()
}

fn rendered(format: Format, document: &ScanDocument) -> String {
    let mut out = Vec::new();
    render(format, document, Catalog::builtin(), RenderOptions { colour: Colour::Never, width: Some(110) }, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn json_is_lossless() {
    let document = document();
    let again: ScanDocument = serde_json::from_str(&rendered(Format::Json, &document)).unwrap();
    assert_eq!(again, document);
}

#[test]
fn json_lines_start_with_the_scan_and_end_with_the_summary() {
    let document = document();
    let text = rendered(Format::Jsonl, &document);
    let kinds: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("scan"));
    assert_eq!(kinds.last().map(String::as_str), Some("summary"));
    assert_eq!(kinds.iter().filter(|kind| *kind == "finding").count(), document.findings.len());
}

#[test]
fn table_reads_well_and_neutralises_control_characters() {
    let text = rendered(Format::Table, &document());
    assert!(!text.contains('\u{1b}'), "an escape sequence of the target reached the terminal");
    insta::assert_snapshot!(text);
}

#[test]
fn csv_cells_cannot_become_formulas() {
    let text = rendered(Format::Csv, &document());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), document().findings.len());
    for cell in rows.iter().flat_map(|row| row.iter()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    assert_eq!(neutralise("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
    assert_eq!(neutralise("plain"), "plain");
}

#[test]
fn sarif_validates_against_the_schema_of_the_standard() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("schemas/sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for document in [document(), empty()] {
        let sarif: serde_json::Value = serde_json::from_str(&rendered(Format::Sarif, &document)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn html_escapes_what_targets_say_and_loads_nothing() {
    let text = rendered(Format::Html, &document());
    assert!(!text.contains("<script"), "text of a target became markup");
    assert!(text.contains("&lt;script&gt;"));
    assert!(!text.contains("src=") && !text.contains("@import") && !text.contains("<link"));
    assert_eq!(text, rendered(Format::Html, &document()), "the same document gives the same bytes");
}

#[test]
fn nothing_assessed_is_never_a_clean_result() {
    let document = empty();
    assert!(rendered(Format::Table, &document).contains("not assessed"));
    let html = rendered(Format::Html, &document);
    assert!(html.contains("Nothing could be assessed") && !html.contains("No open technical finding"));
}

fn empty() -> ScanDocument {
    let mut document = document();
    document.findings.clear();
    document.verdicts.clear();
    document.score.value = None;
    document.coverage = bartizan_domain::coverage::OutcomeCounts::default();
    document
}
