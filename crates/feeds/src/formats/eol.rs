//! endoflife.date: how long the releases of a product are supported.
//!
//! Sources of the rules: the product pages of `endoflife-date/endoflife.date` (Markdown with a YAML head), its API
//! (`/api/<product>.json`, a list of cycles; `/api/v1/products/<product>`, an object with `result`), and the release data
//! beside it. `eol`, `eoas` (or `support`), `eoes` (or `extendedSupport`) are a day or a boolean: `true` means that it has
//! ended, `false` that it has not; `support: true` of the old API means the same as there.
//!
//! Not supported: custom fields; the list of products. Linear; memory of one product.

use serde::Deserialize;
use serde_json::Value;

use super::Output;
use super::common;
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::{Cycle, Ends, Lifecycle, Record};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    permalink: Option<String>,
    #[serde(default)]
    identifiers: Value,
    #[serde(default)]
    releases: Vec<Value>,
}

fn text(value: Option<&Value>) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    common::cut(text.trim(), 200).to_string()
}

fn ends(value: Option<&Value>) -> Ends {
    match value {
        Some(Value::Bool(true)) => Ends::Ended,
        Some(Value::Bool(false)) => Ends::NotYet,
        Some(Value::String(day)) => common::date(day).map_or(Ends::Unknown, Ends::On),
        _ => Ends::Unknown,
    }
}

/// One cycle, whichever form it came in: the fields have the same meaning under two or three names.
fn cycle(name: Option<&str>, value: &Value) -> Option<Cycle> {
    let any = |keys: &[&str]| keys.iter().find_map(|key| value.get(*key)).filter(|value| !value.is_null());
    let written = text(any(&["releaseCycle", "cycle", "name"]));
    let name = if written.is_empty() { name.unwrap_or("").to_owned() } else { written };
    if name.is_empty() {
        return None;
    }
    let latest = any(&["latest"]);
    let (latest, latest_released) = match latest {
        Some(Value::Object(fields)) => (text(fields.get("name")), text(fields.get("date"))),
        other => (text(other), text(any(&["latestReleaseDate"]))),
    };
    Some(Cycle {
        name,
        label: text(any(&["codename", "releaseLabel", "label"])),
        released: common::date(&text(any(&["releaseDate", "date"]))),
        active_support: ends(any(&["eoas", "support", "eoasFrom"])),
        end_of_life: ends(any(&["eolFrom", "eol", "isEol"])),
        extended_support: ends(any(&["eoesFrom", "eoes", "extendedSupport"])),
        latest,
        latest_released: common::date(&latest_released),
        long_term: matches!(any(&["lts", "isLts"]), Some(Value::Bool(true) | Value::String(_))),
    })
}

/// The name of a product by its file: `products/nodejs.md`, `nodejs.json`.
fn product_of(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    common::cut(stem, 100).to_string()
}

/// A product page, by its YAML head.
pub(super) fn page(name: &str, head: Value, out: &mut Output<'_>) -> Result<()> {
    let page: Page = match serde_json::from_value(head) {
        Ok(page) => page,
        Err(error) => return out.take(Err(FeedError::record(name, error))),
    };
    let permalink = page.permalink.unwrap_or_default();
    let product = match permalink.trim_matches('/') {
        "" => product_of(name),
        permalink => common::cut(permalink, 100).to_string(),
    };
    let identifiers = page.identifiers.as_array().into_iter().flatten().filter_map(|identifier| {
        let (_, value) = identifier.as_object()?.iter().next()?;
        value.as_str().map(|text| common::cut(text, 200).to_string())
    });
    let lifecycle = Lifecycle {
        product,
        label: common::line(&page.title.unwrap_or_default()).to_string(),
        category: page.category.unwrap_or_default(),
        identifiers: identifiers.take(50).collect(),
        cycles: page.releases.iter().filter_map(|value| cycle(None, value)).collect(),
    };
    out.take(Ok(Record::Lifecycle(Box::new(lifecycle))))
}

fn named(name: &str, cycles: Vec<Cycle>, out: &mut Output<'_>) -> Result<()> {
    let lifecycle = Lifecycle { product: product_of(name), cycles, ..Lifecycle::default() };
    out.take(Ok(Record::Lifecycle(Box::new(lifecycle))))
}

/// The API's list of cycles of the product the file is named after.
pub(super) fn api(name: &str, stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    let mut cycles = Vec::new();
    stream.array(|stream| {
        let value: Value = stream.read()?;
        cycles.extend(cycle(None, &value));
        Ok(())
    })?;
    stream.finish()?;
    named(name, cycles, out)
}

/// The second API: `{"schema_version", "result": {"name", "releases": […]}}`.
pub(super) fn api_v1(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    let document: Value = stream.read()?;
    stream.finish()?;
    let product = document.get("result").unwrap_or(&Value::Null);
    let identifiers = product.get("identifiers").and_then(Value::as_array).into_iter().flatten();
    let cycles = product.get("releases").and_then(Value::as_array).into_iter().flatten();
    let lifecycle = Lifecycle {
        product: text(product.get("name")),
        label: text(product.get("label")),
        category: text(product.get("category")),
        identifiers: identifiers.map(|identifier| text(identifier.get("id"))).take(50).collect(),
        cycles: cycles.filter_map(|value| cycle(None, value)).collect(),
    };
    if lifecycle.product.is_empty() {
        return out.take(Err(FeedError::record("", "a product has a name")));
    }
    out.take(Ok(Record::Lifecycle(Box::new(lifecycle))))
}

/// The release data: `releases` by name, beside single versions, which are not kept. A product whose data names versions
/// alone has no cycles and is left out.
pub(super) fn release_data(name: &str, stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    let mut cycles = Vec::new();
    stream.object(|stream, key| match key {
        "releases" => stream.object(|stream, name| {
            let value: Value = stream.read()?;
            cycles.extend(cycle(Some(name), &value));
            Ok(())
        }),
        _ => stream.skip(),
    })?;
    stream.finish()?;
    if cycles.is_empty() { out.count() } else { named(name, cycles, out) }
}
