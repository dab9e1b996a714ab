//! Every CPE name that the shipped signatures give is one that vulnerability data is filed under: a name that nobody else uses
//! matches nothing, silently.
//!
//! Compared with excerpts of the NVD, of CVE records and of Recog in the folder `BARTIZAN_CORPUS`; without that folder there is
//! nothing to compare with, and the test says so. What the excerpts lack is in `cpe_names.txt`, with its proof.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test; a skip is said")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

/// `vendor:product` of every name in compressed files.
fn names_in(files: &[&Path]) -> BTreeSet<String> {
    let mut unpack = Command::new("zstd").arg("-dc").args(files).stdout(Stdio::piped()).spawn().unwrap();
    let found = Command::new("grep")
        .args(["-aoE", r"cpe:(2\.3:|/)[ao]:[^:]+:[^:]+"])
        .env("LC_ALL", "C")
        .stdin(unpack.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(unpack.wait().unwrap().success(), "zstd cannot unpack {files:?}");
    let name = |line: &str| Some(line.splitn(if line.starts_with("cpe:/") { 3 } else { 4 }, ':').last()?.to_owned());
    String::from_utf8_lossy(&found.stdout).lines().filter_map(name).map(|name| name.replace("\\\\", "\\")).collect()
}

/// Names in content files and in the readers of protocols that state their product in a field.
fn given() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_content = Regex::new(r#"(?m)^\s*cpe = ["']([^"']+)["']"#).unwrap();
    let in_code = Regex::new(r#"Some\("([a-z0-9_.-]+:[a-z0-9_.-]+)"\)"#).unwrap();
    let mut names = BTreeSet::new();
    for (folder, pattern) in [
        (root.join("../../content/services"), &in_content),
        (root.join("src/services"), &in_code),
        (root.join("src/services/exchanges"), &in_code),
        (root.join("src/services/udp"), &in_code),
    ] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            // Names in tests are made up.
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            names.extend(pattern.captures_iter(text).map(|found| (found[1].to_owned(), file.clone())));
        }
    }
    names
}

#[test]
fn names_of_products_are_those_of_the_dictionary() {
    let given = given();
    assert!(given.len() > 90, "{} names: are the files read?", given.len());
    let proven: BTreeSet<&str> = include_str!("cpe_names.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, cve) = line.split_once(' ').unwrap();
            assert!(cve.starts_with("CVE-"), "{line}");
            name
        })
        .collect();
    for name in &proven {
        assert!(given.iter().any(|(given, _)| given == name), "cpe_names.txt: nothing gives {name} any more");
    }
    let Some(corpus) = std::env::var_os("BARTIZAN_CORPUS").map(std::path::PathBuf::from) else {
        eprintln!("BARTIZAN_CORPUS is not set: the names are compared with nothing");
        return;
    };
    let files = [
        "nvd/nvd-api2-shape-2022.jsonl.zst",
        "nvd/nvd-overrides-upto2025.jsonl.zst",
        "fingerprints/recog-xml.tar.zst",
        "cve5/vulnrichment-shared.jsonl.zst",
    ]
    .map(|file| corpus.join(file));
    let known = names_in(&files.each_ref().map(std::path::PathBuf::as_path));
    assert!(known.len() > 10_000, "{} names: is the corpus read?", known.len());
    let unknown: Vec<_> =
        given.iter().filter(|(name, _)| !known.contains(name) && !proven.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "names that no vulnerability is filed under: {unknown:#?}");
}
