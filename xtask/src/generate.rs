//! Writes what is derived: `docs/checks/*.md` from the catalogue, `ui/openapi.json` from the program,
//! `docs/conformance.md` from its list.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use bartizan_catalog::{Catalog, CheckMeta};

/// Whether to write or to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write what differs and remove what is left over.
    Write,
    /// Fail if anything differs.
    Check,
}

/// Generates everything.
///
/// # Errors
/// In [`Mode::Check`] if a file is stale; otherwise if a file cannot be written.
pub fn run(root: &Path, mode: Mode) -> Result<()> {
    let mut files = check_pages(Catalog::builtin());
    files.insert(PathBuf::from("ui/openapi.json"), openapi(root)?);
    files.insert(PathBuf::from("docs/conformance.md"), crate::conformance::page(root)?);
    let mut stale = Vec::new();
    for (path, text) in &files {
        let target = root.join(path);
        if fs::read_to_string(&target).is_ok_and(|present| present == *text) {
            continue;
        }
        match mode {
            Mode::Check => stale.push(path.display().to_string()),
            Mode::Write => {
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(&target, text).with_context(|| target.display().to_string())?;
                println!("wrote {}", path.display());
            }
        }
    }
    for left_over in left_overs(root, &files)? {
        match mode {
            Mode::Check => stale.push(left_over.display().to_string()),
            Mode::Write => fs::remove_file(root.join(&left_over))?,
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `cargo xtask generate`", stale.join(", "));
    }
    println!("generate: {} files are up to date", files.len());
    Ok(())
}

fn openapi(root: &Path) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "bartizan-cli", "--", "openapi"])
        .current_dir(root)
        .output()
        .context("running bartizan openapi")?;
    if !output.status.success() {
        bail!("bartizan openapi failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("the OpenAPI document is not UTF-8")
}

fn left_overs(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let folder = root.join("docs/checks");
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            let path = PathBuf::from("docs/checks").join(entry?.file_name());
            if !files.contains_key(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn check_pages(catalog: &Catalog) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut index = String::from(
        "# Checks\n\nGenerated from `content/checks/`; do not edit.\n\n| id | severity | category | mode | what is wrong |\n|---|---|---|---|---|\n",
    );
    for meta in catalog.checks() {
        index.push_str(&format!(
            "| [{0}]({0}.md) | {1} | {2} | {3} | {4} |\n",
            meta.id,
            meta.severity,
            meta.category,
            meta.mode.as_str(),
            meta.title
        ));
        files.insert(
            PathBuf::from(format!("docs/checks/{}.md", meta.id)),
            check_page(meta, &catalog.controls_of(&meta.id)),
        );
    }
    files.insert(PathBuf::from("docs/checks/README.md"), index);
    files
}

fn check_page(meta: &CheckMeta, controls: &[String]) -> String {
    let mut page = format!(
        "# {}\n\n`{}` · {} · {} · {}\n\n{}\n\n## Why it matters\n\n{}\n\n## What to do\n\n",
        meta.title,
        meta.id,
        meta.severity,
        meta.category,
        meta.mode.as_str(),
        meta.description.trim(),
        meta.risk.trim()
    );
    for step in &meta.remediation {
        page.push_str(&format!("1. {step}\n"));
    }
    for example in &meta.examples {
        page.push_str(&format!("\n{}:\n\n```\n{}\n```\n", example.label, example.text.trim_end()));
    }
    if !controls.is_empty() {
        page.push_str(&format!(
            "\n## Controls\n\n{}\n",
            controls.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    page.push_str("\n## References\n\n");
    for reference in &meta.references {
        page.push_str(&format!("- <{reference}>\n"));
    }
    page
}
