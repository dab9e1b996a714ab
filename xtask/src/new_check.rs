//! Scaffolds a declarative check: its content file and a folder for its fixtures.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use bartizan_domain::CheckId;

const CATEGORIES: [&str; 8] = ["tls", "certificate", "web", "dns", "mail", "registration", "service", "ssh"];

/// Writes the files of a new check.
///
/// # Errors
/// If the id or category is wrong or the check exists.
pub fn run(root: &Path, id: &str, category: &str) -> Result<()> {
    let id = CheckId::parse(id).map_err(|error| anyhow!(error))?;
    if !CATEGORIES.contains(&category) {
        bail!("unknown category `{category}`: expected one of {}", CATEGORIES.join(", "));
    }
    let file = root.join("content/checks").join(category).join(format!("{}.toml", id.as_str().replace('.', "-")));
    if file.exists() {
        bail!("{} exists", file.display());
    }
    let evidence = match category {
        "certificate" => "tls",
        "service" => "services",
        other => other,
    };
    fs::create_dir_all(root.join("content/checks").join(category))?;
    fs::write(&file, template(&id, category, evidence))?;
    let fixtures = root.join("crates/checks/fixtures").join(id.as_str());
    fs::create_dir_all(&fixtures)?;
    println!("wrote {}", file.display());
    println!(
        "next: fill in the texts and the predicate, then put fail.json, pass.json and inconclusive.json into {}",
        fixtures.display()
    );
    println!("      (docs/adding-a-check.md shows how to record them), and run `cargo nextest run -p bartizan-checks`");
    Ok(())
}

fn template(id: &CheckId, category: &str, evidence: &str) -> String {
    format!(
        r#"id = "{id}"
title = "Say what is wrong, in one line"
severity = "low"
category = "{category}"
mode = "safe"
maturity = "preview"
since = "{version}"
description = """
Say exactly what is checked."""
risk = """
Say what an attacker gains, or what breaks."""
remediation = ["Say what to do first."]
references = ["https://www.rfc-editor.org/"]
cwe = []

[declaration]
evidence = "{evidence}"
# CEL. `it` is the evidence of one endpoint, `host` all evidence of the asset.
# applies = "..."
# otherwise = "why the rule does not concern this endpoint"
fail = "false"

[declaration.facts]
# name = "CEL expression shown as evidence"
"#,
        version = env!("CARGO_PKG_VERSION"),
    )
}
