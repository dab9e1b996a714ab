//! NVD: the dictionary of CPE names, of which the names that are no longer used are kept, with what they are called now.
//!
//! Source of the rules: NVD's schema `cpe_api_json_2.0` (`nvd.nist.gov/developers/products`, "CPE API"). A page is an object
//! with `products`, each holding a `cpe`; a `cpe` may also stand alone, and so do the chunks of the feed `nvdcpe-2.0`. NVD
//! moves the criteria of its records to the new name: who audits a list that has the old one finds nothing without this.
//! An entry with `deprecatedBy` says what its own name is called now, one with `deprecates` which names it has replaced (a part
//! of the dictionary may hold one side only); every other entry is counted and says nothing.
//!
//! Not supported: titles and references; the XML of version 2.3.
//! Linear in the bytes; memory of one entry.

use bartizan_matching::cpe::Cpe;
use bartizan_matching::model::Text;
use serde::Deserialize;

use super::Output;
use super::common::{Str, nullable};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::{CpeNames, Record};

/// Successors of one name that are kept; NVD names one or two.
pub(crate) const MAX_SUCCESSORS: usize = 20;
/// Names that one name has replaced, as far as they are kept.
const MAX_REPLACED: usize = 1000;
/// What tells these names from criteria in the store; no criterion begins so. The one that the old name says itself, with all
/// its successors, and the one that a successor says.
const PREFIXES: [&str; 2] = ["deprecated ", "replaced "];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    cpe_name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    deprecated_by: Vec<Named<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    deprecates: Vec<Named<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(borrow)]
    cpe_name: Str<'a>,
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    cpe: Entry<'a>,
}

/// Under what the successors of a name are kept, the fuller list first.
#[must_use]
pub(crate) fn keys(name: &Cpe) -> [String; 2] {
    PREFIXES.map(|prefix| format!("{prefix}{}", name.to_formatted()))
}

/// Whether what several entries say under such a key adds up: each successor speaks for itself.
pub(crate) fn adds_up(key: &[u8]) -> bool {
    key.starts_with(PREFIXES[1].as_bytes())
}

fn take(out: &mut Output<'_>, found: std::result::Result<Entry<'_>, serde_json::Error>) -> Result<()> {
    let entry = match found {
        Ok(entry) if entry.deprecated_by.is_empty() && entry.deprecates.is_empty() => return out.count(),
        Ok(entry) => entry,
        Err(error) => return out.take(Err(FeedError::record("", error))),
    };
    let records = match convert(&entry) {
        Ok(records) => records,
        Err(error) => return out.take(Err(error)),
    };
    out.count()?;
    records.into_iter().try_for_each(|record| out.extra(record))
}

fn convert(entry: &Entry<'_>) -> Result<Vec<Record>> {
    let read =
        |text: &str| Cpe::parse(text).map_err(|error| FeedError::record(entry.cpe_name.trim().to_owned(), error));
    let record =
        |criterion: String, names: Vec<Text>| Record::Names(Box::new(CpeNames { criterion: criterion.into(), names }));
    let name = read(&entry.cpe_name)?;
    let mut records = Vec::new();
    if !entry.deprecated_by.is_empty() {
        let successors = entry.deprecated_by.iter().take(MAX_SUCCESSORS);
        let names =
            successors.map(|successor| Ok(read(&successor.cpe_name)?.to_formatted().into())).collect::<Result<_>>()?;
        let [own, _] = keys(&name);
        records.push(record(own, names));
    }
    for old in entry.deprecates.iter().take(MAX_REPLACED) {
        let [_, said_by_other] = keys(&read(&old.cpe_name)?);
        records.push(record(said_by_other, vec![name.to_formatted().into()]));
    }
    Ok(records)
}

/// Pages of the API, and chunks of the feed.
pub(super) fn pages(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    while stream.peek()?.is_some() {
        stream.object(|stream, key| match key {
            "products" => stream.array(|stream| {
                let found = serde_json::from_slice::<Wrapped<'_>>(stream.value()?);
                take(out, found.map(|wrapped| wrapped.cpe))
            }),
            _ => stream.skip(),
        })?;
    }
    Ok(())
}

/// Entries one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| match serde_json::from_slice::<Entry<'_>>(bytes) {
        Err(direct) => {
            take(out, serde_json::from_slice::<Wrapped<'_>>(bytes).map(|found| found.cpe).map_err(|_| direct))
        }
        found => take(out, found),
    })
}
