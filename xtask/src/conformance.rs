//! `docs/conformance.md`: how much of what the reference documents name is there, from `docs/conformance.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The list, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    item: Vec<Item>,
}

/// One thing that is named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    source: Source,
    kind: Kind,
    what: String,
    state: State,
    /// File of the test that shows it.
    #[serde(rename = "where")]
    place: Option<String>,
    #[serde(default, rename = "query")]
    _query: Vec<String>,
    #[serde(default, rename = "sort")]
    _sort: Vec<String>,
    #[serde(default, rename = "values")]
    _values: Vec<String>,
    /// Parameters, columns and values of an endpoint that are still to come.
    #[serde(default)]
    missing: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Surface,
    Ports,
    Api,
    Posture,
}

impl Source {
    const fn title(self) -> &'static str {
        match self {
            Self::Surface => "Attack surface scanner",
            Self::Ports => "Port tests",
            Self::Api => "API reference of vulnerability management",
            Self::Posture => "Cloud posture",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Endpoint,
    Page,
    Behaviour,
    Format,
    Check,
    Integration,
    Command,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Page => "page",
            Self::Behaviour => "behaviour",
            Self::Format => "format",
            Self::Check => "check",
            Self::Integration => "integration",
            Self::Command => "command",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Done,
    Missing,
}

/// The page.
///
/// # Errors
/// If the list cannot be read, or what is done names no test.
pub fn page(root: &Path) -> Result<String> {
    let path = root.join("docs/conformance.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let list: List = toml::from_str(&text).context("docs/conformance.toml")?;
    let mut by_source: BTreeMap<Source, Vec<&Item>> = BTreeMap::new();
    for item in &list.item {
        match (item.state, &item.place) {
            (State::Done, Some(place)) if root.join(place).is_file() => {}
            (State::Done, place) => bail!("docs/conformance.toml: `{}` is done: {place:?} is no test", item.what),
            (State::Missing, None) if item.missing.is_empty() => {}
            (State::Missing, _) => bail!("docs/conformance.toml: `{}` is missing as a whole, nowhere", item.what),
        }
        by_source.entry(item.source).or_default().push(item);
    }
    let mut page = String::from(
        "# What the reference documents name\n\nGenerated from [conformance.toml](conformance.toml), which says where each is \
         tested; do not edit.\n\n| document | done | missing |\n|---|---|---|\n",
    );
    for (source, items) in &by_source {
        let done = items.iter().filter(|item| item.state == State::Done).count();
        page.push_str(&format!("| {} | {done} | {} |\n", source.title(), items.len() - done));
    }
    for (source, items) in &by_source {
        let lacking: Vec<&&Item> =
            items.iter().filter(|item| item.state == State::Missing || !item.missing.is_empty()).collect();
        if lacking.is_empty() {
            continue;
        }
        page.push_str(&format!("\n## {}: what is missing\n\n", source.title()));
        for item in lacking {
            page.push_str(&format!("- {} {}", item.kind.name(), shown(item)));
            if !item.missing.is_empty() {
                page.push_str(&format!(": `{}`", item.missing.join("`, `")));
            }
            page.push('\n');
        }
    }
    Ok(page)
}

fn shown(item: &Item) -> String {
    if item.kind == Kind::Endpoint { format!("`{}`", item.what) } else { item.what.clone() }
}
