//! Every format: its fixtures give what the snapshot says, and no damage to them makes a parser panic.
//!
//! A fixture lies in `fixtures/<slug of the format>/`; adding one adds it to all of these tests.

#![allow(clippy::unwrap_used, reason = "a test: a failed unwrap is a failure")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bartizan_feeds::formats::{Format, Output, Stats, parse, recognise};
use bartizan_feeds::{FeedError, Limits, Record};
use proptest::prelude::*;
use serde_json::{Value, json};

fn fixtures() -> Vec<(Format, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for format in Format::ALL {
        let folder = root.join(format.slug());
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{} has no fixtures in {}: {error}", format, folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        found.extend(files.into_iter().map(|file| (*format, file)));
    }
    found
}

fn read(format: Format, name: &str, bytes: &[u8], limits: &Limits) -> (Vec<Record>, Stats, Result<(), FeedError>) {
    let mut records = Vec::new();
    let mut sink = |record| {
        records.push(record);
        Ok(())
    };
    let mut output = Output::new(&mut sink, limits);
    let mut reader = bytes;
    let outcome = parse(format, name, &mut reader, limits, &mut output);
    let stats = std::mem::take(&mut output.stats);
    (records, stats, outcome)
}

fn shown(record: &Record) -> Value {
    match record {
        Record::Advisory(advisory) => serde_json::to_value(advisory).unwrap(),
        Record::Signals { id, signals } => json!({ "id": id, "signals": signals }),
        Record::Lifecycle(lifecycle) => json!({ "lifecycle": lifecycle }),
        Record::Names(names) => json!({ "names": names }),
    }
}

#[test]
fn every_fixture_is_recognised_and_read() {
    for (format, file) in fixtures() {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(recognise(&bytes), Some(format), "{}", file.display());
        let name = file.file_name().unwrap().to_string_lossy();
        let (records, stats, outcome) = read(format, &name, &bytes, &Limits::default());
        outcome.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let shown: Vec<Value> = records.iter().map(shown).collect();
        let snapshot = json!({ "records": shown, "read": stats.records, "rejected": stats.reasons });
        insta::assert_json_snapshot!(format!("{}-{name}", format.slug()), snapshot);
    }
}

#[test]
fn negated_tests_and_architectures_of_oval() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oval/rhel-9.oval.xml");
    let plain = std::fs::read_to_string(path).unwrap();
    let of = |text: &str| {
        let (records, stats, outcome) = read(Format::Oval, "x.xml", text.as_bytes(), &Limits::default());
        outcome.unwrap();
        let ids: Vec<String> = records.iter().map(|record| shown(record)["id"].as_str().unwrap().to_owned()).collect();
        (ids, stats, records)
    };
    let curl = "<criterion comment=\"curl is earlier";
    assert!(plain.contains(curl));
    for negated in [
        plain.replace(curl, &curl.replace("criterion", "criterion negate=\"true\"")),
        plain.replace("<criteria operator=\"OR\">", "<criteria operator=\"OR\" negate=\"true\">"),
    ] {
        let (ids, stats, _) = of(&negated);
        assert_eq!((ids, stats.records, stats.rejected), (vec!["CVE-2031-20051".to_owned()], 2, 1));
        assert!(stats.reasons[0].contains("negated"), "{:?}", stats.reasons);
    }
    // A negated test of anything else restricts, as a plain one does.
    let other = plain.replace("<criterion comment=\"Red Hat", "<criterion negate=\"true\" comment=\"Red Hat");
    assert_eq!(of(&other).0.len(), 2);
    let state = "<red-def:rpminfo_state id=\"s:curl\">";
    for (pattern, expected) in [
        ("aarch64|x86_64", json!([{"kind": "arch", "value": ["aarch64", "x86_64"]}])),
        ("x86.*", json!([{"kind": "unevaluated", "value": "architecture x86.*"}])),
    ] {
        let text =
            plain.replace(state, &format!("{state}<red-def:arch operation=\"pattern match\">{pattern}</red-def:arch>"));
        let (_, _, records) = of(&text);
        let affected = shown(&records[0])["affected"].as_array().unwrap().clone();
        let curl = affected.iter().find(|one| one["package"]["name"] == "curl").unwrap();
        assert_eq!(curl["conditions"], expected);
    }
}

#[test]
fn every_format_has_a_name_of_its_own() {
    let slugs: BTreeSet<&str> = Format::ALL.iter().map(|format| format.slug()).collect();
    assert_eq!(slugs.len(), Format::ALL.len());
}

#[test]
fn a_document_that_is_cut_is_no_document() {
    // Lists, tables and lines end where they end: a cut between two of their records cannot be told from the end.
    let framed = |format: Format, name: &str| {
        !matches!(
            format,
            Format::DebianCves
                | Format::DebianList
                | Format::UbuntuTracker
                | Format::Ruby
                | Format::SecdbYaml
                | Format::OsvYaml
                | Format::EolPage
                | Format::Epss
                | Format::KevCsv
                | Format::ExploitDb
                | Format::PocIndex
        ) && !name.ends_with(".jsonl")
    };
    for (format, file) in fixtures() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !framed(format, &name) || name == "cves.json" {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        let whole = bytes.trim_ascii_end().len();
        for cut in [whole - 1, whole / 2, whole / 3] {
            let (.., outcome) = read(format, &name, &bytes[..cut], &Limits::default());
            assert!(matches!(outcome, Err(FeedError::Truncated(_))), "{} cut at {cut}: {outcome:?}", file.display());
        }
    }
}

#[test]
fn bounds_hold_in_every_format() {
    for (format, file) in fixtures() {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy();
        let one = Limits { max_records: 1, ..Limits::default() };
        let (records, stats, outcome) = read(format, &name, &bytes, &one);
        assert!(stats.records <= 2, "{}", file.display());
        if stats.records > 1 {
            assert!(matches!(outcome, Err(FeedError::Limit { .. })), "{}: {outcome:?}", file.display());
        }
        drop(records);
        let tiny = Limits { max_record: 16, ..Limits::default() };
        let (.., outcome) = read(format, &name, &bytes, &tiny);
        assert!(outcome.is_err() || bytes.len() < 4096, "{}", file.display());
    }
}

#[test]
fn deep_nesting_is_refused() {
    for format in Format::ALL {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("- ", ""), ("<a>", "</a>")] {
            let deep = open.repeat(100_000) + &close.repeat(100_000);
            let _ = read(*format, "deep", deep.as_bytes(), &Limits::default());
        }
    }
}

#[test]
fn numbers_and_words_where_objects_belong_are_refused() {
    for format in Format::ALL {
        for text in
            ["0", "null", "\"x\"", "[0]", "[null]", "{}", "[]", "{\"vulnerabilities\":0}", "-", "---\n", "\u{0}", ","]
        {
            let _ = read(*format, "odd", text.as_bytes(), &Limits::default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// One change at one place of every fixture, or a cut there.
    #[test]
    fn damage_never_makes_a_parser_panic(at: prop::sample::Index, byte: u8, cut: bool, twice: prop::sample::Index) {
        for (format, file) in fixtures() {
            let mut bytes = std::fs::read(&file).unwrap();
            let position = at.index(bytes.len());
            if cut {
                bytes.truncate(position);
            } else {
                bytes[position] = byte;
                let again = twice.index(bytes.len());
                bytes.insert(again, byte);
            }
            let _ = recognise(&bytes);
            let _ = read(format, "document", &bytes, &Limits::default());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, format in prop::sample::select(Format::ALL)) {
        let _ = read(format, "document", &bytes, &Limits::default());
    }

    /// Text made of what documents are made of finds more corners than random bytes.
    #[test]
    fn any_likely_text_is_read_or_refused(
        words in prop::collection::vec(
            prop::sample::select(&[
                "{", "}", "[", "]", ",", ":", "\"id\"", "\"CVE-2031-1\"", "\"affected\"", "\"versions\"", "null", "1e999", "\"\\ud800\"",
                "\n", "- ", "  ", "gem: x", "cve: 1", "Candidate: CVE-1", "jammy_x: released (1)", "[1 Jan 2031] DSA-1-1 x", "<definition id=\"1\">",
                "</definition>", "&amp;", "&x;", "<!DOCTYPE x>", "cve,epss,percentile", "CVE-2031-1234,0.1,0.2", "\"", ",,,", "\u{e4}",
            ][..]),
            0..40,
        ),
        format in prop::sample::select(Format::ALL),
    ) {
        let text = words.concat();
        let _ = recognise(text.as_bytes());
        let _ = read(format, "document", text.as_bytes(), &Limits::default());
    }
}
