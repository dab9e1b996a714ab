//! What the source is called that a document belongs to.

use std::fs;
use std::path::Path;

use super::{File, member_label};
use crate::formats::{Files, Format};

/// Names of archives and folders that say nothing about what is in them.
const NAMELESS: [&str; 8] = ["all", "osv", "data", "main", "master", "advisories", "vulnerabilities", "vulns"];

/// The source of a document that begins with `head`.
///
/// `told` keeps, for the other documents of the file, what the file is called by whose own name says nothing: the ecosystem
/// that its first document names, or its folder.
pub(super) fn source(format: Format, file: &File, archived: bool, head: &[u8], told: &mut Option<String>) -> String {
    let is_secdb = matches!(format, Format::SecdbJson | Format::SecdbYaml);
    if let Some(repository) = repository(head).filter(|_| is_secdb && !archived) {
        return format!("{}-{repository}", format.source());
    }
    let told = told.get_or_insert_with(|| told_by_content(head).unwrap_or_else(|| folder_name(file)));
    by_file(format, file, archived, told)
}

/// The source that a document belongs to by its format and its file.
///
/// `told` is what a file is called by whose own name says nothing.
fn by_file(format: Format, file: &File, archived: bool, told: &str) -> String {
    let file_name = member_label(file);
    let stem = stem(&file_name);
    let label = match format.files() {
        Files::Whole => return format.source().to_owned(),
        Files::Part => stem,
        Files::Single => {
            // A loose plain file in a folder is one record of the folder.
            let loose = !archived && !is_wrapped(&file_name);
            match file.folder.as_deref().filter(|_| loose) {
                Some(folder) => clean(folder),
                None if NAMELESS.contains(&&*stem) && !told.is_empty() => clean(told),
                None => stem,
            }
        }
    };
    let source = format.source();
    if label.is_empty() || label == source {
        source.to_owned()
    } else if let Some(rest) = label.strip_prefix(source).filter(|rest| rest.starts_with('-')) {
        format!("{source}{rest}")
    } else {
        let mut name = format!("{source}-{label}");
        name.truncate(100);
        name
    }
}

/// The ecosystem that the first record of an OSV document names, without its release.
fn told_by_content(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let rest = text.split_once("\"ecosystem\"")?.1.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let name = rest.split(['"', ':']).next()?;
    (rest.len() > name.len() && !name.is_empty() && name.len() <= 60).then(|| name.to_owned())
}

/// What a folder that the caller named is called; one whose name says nothing by the first one above it whose does.
pub(super) fn given_name(folder: &Path) -> String {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let names: Vec<String> =
        real.ancestors().filter_map(Path::file_name).map(|name| name.to_string_lossy().into_owned()).collect();
    let telling = names.iter().find(|name| !NAMELESS.contains(&&*name.to_ascii_lowercase()));
    telling.or(names.first()).cloned().unwrap_or_default()
}

/// Release and repository that the beginning of a secdb names: `v3.18-main`.
fn repository(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let field = |name: &str| {
        // Addresses are written with the same words as place holders.
        let value = text
            .match_indices(name)
            .find_map(|(at, _)| text[at + name.len()..].trim_start_matches(['"', '\'', ' ']).strip_prefix(':'))?;
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))?;
        (1..=40).contains(&end).then(|| value[..end].to_owned())
    };
    Some(clean(&format!("{}-{}", field("distroversion")?, field("reponame")?)))
}

/// The name of the folder a file lies in.
fn folder_name(file: &File) -> String {
    let folder = file.path.parent().and_then(Path::file_name);
    folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Whether the name is that of a compressed file, an archive or a file of many records.
fn is_wrapped(name: &str) -> bool {
    [".zst", ".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".jsonl", ".ndjson"].iter().any(|end| name.ends_with(end))
}

/// The name of a file without what says how it is packed, and without a day at its end.
fn stem(name: &str) -> String {
    let mut stem = name;
    while let Some((rest, _)) = stem.rsplit_once('.').filter(|(rest, end)| {
        !rest.is_empty()
            && matches!(
                *end,
                "zst"
                    | "gz"
                    | "bz2"
                    | "xz"
                    | "zip"
                    | "tar"
                    | "tgz"
                    | "json"
                    | "jsonl"
                    | "ndjson"
                    | "csv"
                    | "xml"
                    | "yaml"
                    | "yml"
                    | "md"
                    | "txt"
                    | "notus"
                    | "oval"
            )
    }) {
        stem = rest;
    }
    let undated = stem.len().checked_sub(11).and_then(|at| stem.split_at_checked(at)).filter(|(rest, day)| {
        !rest.is_empty()
            && day.starts_with(['-', '_', '.'])
            && chrono::NaiveDate::parse_from_str(&day[1..], "%Y-%m-%d").is_ok()
    });
    clean(undated.map_or(stem, |(rest, _)| rest))
}

/// What may stand in the name of a source.
fn clean(text: &str) -> String {
    let clean: String =
        text.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+') {
                    c.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .take(80)
            .collect();
    clean.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_known_by_its_content() {
        let json = br#"{"apkurl":"{{urlprefix}}/{{distroversion}}/{{reponame}}/x","archs":["x86"],"reponame":"main",
            "urlprefix":"https://x","distroversion":"v3.18","packages":["#;
        assert_eq!(repository(json).as_deref(), Some("v3.18-main"));
        assert_eq!(repository(b"---\ndistroversion: v3.10\nreponame: community\n").as_deref(), Some("v3.10-community"));
        assert_eq!(repository(br#"{"reponame":"os"}"#), None);
    }

    #[test]
    fn sources_are_named_after_what_they_are() {
        let file = |path: &str, folder: Option<&str>| File {
            path: path.into(),
            folder: folder.map(|folder| given_name(Path::new(folder)).into()),
        };
        let is = |format: Format, path: &str, folder: Option<&str>, archived: bool, expected: &str| {
            assert_eq!(by_file(format, &file(path, folder), archived, "PyPI"), expected, "{path}");
        };
        is(Format::KevJson, "kev/kev-2025-08-25.json", None, false, "kev");
        is(Format::Epss, "x/epss_scores-2026-08-16.csv.zst", None, false, "epss");
        is(Format::Osv, "osv/go.jsonl.zst", Some("osv"), false, "osv-go");
        is(Format::Osv, "a/db/GO-1.json", Some("a"), false, "osv-a");
        is(Format::Osv, "a/advisories/x/y/GHSA-1.json", Some("a/advisories"), false, "osv-a");
        is(Format::Osv, "a/all.zip", None, true, "osv-pypi");
        is(Format::Osv, "a/PyPI.zip", None, true, "osv-pypi");
        is(Format::Nvd1, "nvdcve-1.1-2022.json.gz", None, false, "nvd-nvdcve-1.1-2022");
        is(Format::Ruby, "ruby-advisory-db.tar.zst", None, true, "ruby-advisory-db");
        is(Format::SecdbYaml, "alpine-secdb-2020-06.tar.zst", None, true, "secdb-alpine-secdb-2020-06");
        is(Format::Csaf, "../../We Ird\u{e9}.json", None, false, "csaf-we-ird");
    }
}
