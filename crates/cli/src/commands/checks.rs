//! `bartizan checks`: the catalogue for readers.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use bartizan_catalog::{Catalog, CheckMeta};
use serde_json::json;

use crate::args::{ChecksCommand, ListFormat};
use crate::exit::Exit;
use crate::io;

/// Runs the command.
pub fn run(command: &ChecksCommand) -> Result<Exit> {
    let catalog = Catalog::builtin();
    match command {
        ChecksCommand::List { list, category } => io::print(&listing(catalog, list.format, category.as_deref())?)?,
        ChecksCommand::Explain { id } => match catalog.check(id) {
            Some(check) => io::print(&explanation(catalog, check))?,
            None => bail!("unknown check `{id}`: see `bartizan checks list`"),
        },
    }
    Ok(Exit::Done)
}

fn listing(catalog: &Catalog, format: ListFormat, category: Option<&str>) -> Result<String> {
    let checks: Vec<&CheckMeta> =
        catalog.checks().filter(|check| category.is_none_or(|wanted| check.category.as_str() == wanted)).collect();
    if let (Some(category), true) = (category, checks.is_empty()) {
        bail!("no check is in category `{category}`: see `bartizan checks list`");
    }
    if format == ListFormat::Json {
        let items: Vec<_> = checks
            .iter()
            .map(|check| {
                json!({
                    "id": check.id, "title": check.title, "severity": check.severity, "category": check.category,
                    "mode": check.mode, "maturity": check.maturity, "controls": catalog.controls_of(&check.id),
                })
            })
            .collect();
        return Ok(serde_json::to_string_pretty(&items)? + "\n");
    }
    let mut table = super::profiles::plain_table(["ID", "SEVERITY", "CATEGORY", "TITLE"]);
    for check in checks {
        table.add_row([
            check.id.to_string(),
            check.severity.to_string(),
            check.category.to_string(),
            check.title.clone(),
        ]);
    }
    Ok(super::profiles::trimmed(&table))
}

fn explanation(catalog: &Catalog, check: &CheckMeta) -> String {
    let mut text = String::new();
    let controls = catalog.controls_of(&check.id);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}: {}\n", check.id, check.title);
    let _ = writeln!(text, "Severity  {}", check.severity);
    let _ = writeln!(text, "Category  {}", check.category);
    if !controls.is_empty() {
        let _ = writeln!(text, "Controls  {}", controls.join(", "));
    }
    if !check.cwe.is_empty() {
        let numbers: Vec<String> = check.cwe.iter().map(|number| format!("CWE-{number}")).collect();
        let _ = writeln!(text, "Weakness  {}", numbers.join(", "));
    }
    let _ = writeln!(text, "\nWhat is checked\n{}", indented(&check.description));
    let _ = writeln!(text, "\nWhy it matters\n{}", indented(&check.risk));
    let _ = writeln!(text, "\nHow to fix it");
    for (index, step) in check.remediation.iter().enumerate() {
        let _ = writeln!(text, "  {}. {}", index + 1, step.trim());
    }
    for example in &check.examples {
        let _ = writeln!(text, "\n  {}:\n{}", example.label, indented(&indented(&example.text)));
    }
    let _ = writeln!(text, "\nReferences");
    for reference in &check.references {
        let _ = writeln!(text, "  {reference}");
    }
    text
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
