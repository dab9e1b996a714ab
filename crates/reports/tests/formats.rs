//! One document through every format.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_catalog::Catalog;
use bartizan_domain::document::ScanDocument;
use bartizan_domain::{Outcome, ScanStatus};
use bartizan_reports::{Colour, Format, LinesError, RenderOptions, from_json_lines, is_json_lines, neutralise, render};

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
fn json_lines_read_back_to_the_document() {
    let mut expected = document();
    expected.sort();
    let text = rendered(Format::Jsonl, &expected);
    assert!(is_json_lines(text.as_bytes()) && !is_json_lines(rendered(Format::Json, &expected).as_bytes()));
    let read = from_json_lines(text.as_bytes()).unwrap();
    assert_eq!((read.document, read.cut), (expected.clone(), None));
    // In whatever order hosts finished, with empty lines, and with records of a kind to come.
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.len() - 1;
    lines[1..last].reverse();
    lines.insert(1, "{\"type\":\"news\",\"of\":[1,2]}");
    let shuffled = lines.join("\n\n");
    assert_eq!(from_json_lines(shuffled.as_bytes()).unwrap().document, expected);

    let whole: Vec<&str> = text.lines().collect();
    let read = from_json_lines((whole[..last].join("\n") + "\n").as_bytes()).unwrap();
    assert!(read.cut.unwrap().contains("summary"));
    assert!(read.document.scan.partial && read.document.scan.status == ScanStatus::Failed);
    assert_eq!(read.document.findings, expected.findings);
    assert_eq!(read.document.coverage.failed as usize, count(&expected, Outcome::Fail));
    let read = from_json_lines(&text.as_bytes()[..text.len() - 40]).unwrap();
    assert!(read.cut.unwrap().contains("breaks off"));

    let bad = format!("{}\nnothing\n{}\n", whole[0], whole[last]);
    assert!(matches!(from_json_lines(bad.as_bytes()), Err(LinesError::Line { number: 2, .. })));
    let other = whole[0].replace("bartizan.scan/1", "bartizan.scan/9");
    assert!(matches!(from_json_lines(other.as_bytes()), Err(LinesError::Schema(schema)) if schema.ends_with("/9")));
    for text in ["", "{}\n", "nothing"] {
        assert!(matches!(from_json_lines(text.as_bytes()), Err(LinesError::NoHead)), "{text}");
    }
}

fn count(document: &ScanDocument, outcome: Outcome) -> usize {
    document.verdicts.iter().filter(|verdict| verdict.verdict == outcome).count()
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
fn html_tells_of_a_check_once_and_draws_the_evidence_of_each_place() {
    let mut document = document();
    let mut second = document.findings[1].clone();
    second.asset = "192.0.2.9".to_owned();
    second.severity = bartizan_domain::Severity::Low;
    second.evidence = serde_json::json!({
        "not_after": "2026-10-01T00:00:00Z",
        "certificates": [{"subject": "CN=a", "issuer": "CN=b"}, {"subject": "CN=b", "issuer": "CN=b"}],
    });
    document.findings.push(second);
    let text = rendered(Format::Html, &document);
    for label in ["What is checked", "Why it matters", "How to fix it", "Where it was found", "About the check"] {
        assert!(text.contains(&format!("<h4>{label}")), "{label}");
    }
    assert_eq!(text.matches("<h3>The certificate has expired</h3>").count(), 1);
    assert!(text.contains("2 places"));
    assert!(text.contains("<dt>Not after</dt>") && text.contains(">2026-10-01 00:00:00 UTC</time>"));
    assert!(text.contains("<th scope=\"col\">Subject</th>") && text.contains("<span class=\"raw\">CN=a</span>"));
    assert!(text.contains("● low</span></h5>"), "a place of another severity says so");
    assert!(!text.contains('\u{1b}'), "a control character of a target is shown, not sent");
    assert!(!text.contains("<details class=\"rest\">"));

    let many = document.findings[1].clone();
    document.findings.extend((0..12).map(|_| many.clone()));
    let text = rendered(Format::Html, &document);
    assert!(text.contains("<details class=\"rest\"><summary>Show the other 4 places</summary>"));
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
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
