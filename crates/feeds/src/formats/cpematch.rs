//! NVD: CPE match strings, which list the names of the dictionary that a criterion stands for.
//!
//! Source of the rules: NVD's schema `cpematch_api_json_2.0` (`nvd.nist.gov/developers/products`, "Match Criteria API")
//! and the feed `nvdcpematch-1.0` that came before it. A page is an object with `matchStrings`, each holding a
//! `matchString`; a match string may also stand alone. It is known by its criterion and bounds, which `matchCriteriaId`
//! stands for one to one: so it serves every source that uses the same criterion, and no id has to be kept. One whose
//! `status` is not *Active*, or that lists nothing, takes its list away.
//!
//! Not supported: `cpeNameId` and the
//! times, which nothing asks for; the dictionary of names itself. Linear in the bytes; memory of one match string.

use bartizan_matching::cpe::{Cpe, CpeMatch};
use bartizan_matching::model::Text;
use serde::Deserialize;

use super::common::{Str, nullable};
use super::nvd::bound;
use super::{Output, Parsed};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::{CpeNames, Record};

/// Names of one criterion at most; the longest real lists have some thousand.
const MAX_NAMES: usize = 100_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MatchString<'a> {
    #[serde(borrow, alias = "cpe23Uri")]
    criteria: Str<'a>,
    #[serde(borrow, default)]
    version_start_including: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_start_excluding: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_end_including: Option<Str<'a>>,
    #[serde(borrow, default)]
    version_end_excluding: Option<Str<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default, alias = "cpe_name", deserialize_with = "nullable")]
    matches: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow, rename = "cpeName", alias = "cpe23Uri")]
    name: Str<'a>,
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, rename = "matchString")]
    inner: MatchString<'a>,
}

fn convert(found: MatchString<'_>) -> Parsed {
    let criteria: Text = found.criteria.trim().into();
    let refused = |rule: String| FeedError::record(criteria.to_string(), rule);
    let cpe = Cpe::parse(&criteria).map_err(|error| refused(error.to_string()))?;
    if found.matches.len() > MAX_NAMES {
        return Err(refused(format!("it lists {} names; {MAX_NAMES} are read", found.matches.len())));
    }
    let criterion = CpeMatch {
        vulnerable: true,
        criteria: criteria.clone(),
        start_including: bound(found.version_start_including),
        start_excluding: bound(found.version_start_excluding),
        end_including: bound(found.version_end_including),
        end_excluding: bound(found.version_end_excluding),
    };
    let active = found.status.is_empty() || found.status.eq_ignore_ascii_case("active");
    let mut names = Vec::new();
    for listed in found.matches.iter().filter(|_| active) {
        let name = listed.name.trim();
        let of_it = Cpe::parse(name).is_ok_and(|name| {
            name.part == cpe.part && name.vendor() == cpe.vendor() && name.product() == cpe.product()
        });
        if !of_it {
            return Err(refused(format!("it lists `{}`, which is another product", name.escape_debug())));
        }
        names.push(name.into());
    }
    Ok(Record::Names(Box::new(CpeNames { criterion: criterion.text().into(), names })))
}

fn take(out: &mut Output<'_>, found: std::result::Result<MatchString<'_>, serde_json::Error>) -> Result<()> {
    out.take(found.map_err(|error| FeedError::record("", error)).and_then(convert))
}

/// Pages of the API.
pub(super) fn pages(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    while stream.peek()?.is_some() {
        stream.object(|stream, key| match key {
            "matchStrings" => stream.array(|stream| {
                let found = serde_json::from_slice::<Wrapped<'_>>(stream.value()?);
                take(out, found.map(|wrapped| wrapped.inner))
            }),
            _ => stream.skip(),
        })?;
    }
    Ok(())
}

/// Match strings one after the other.
pub(super) fn records(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| match serde_json::from_slice::<MatchString<'_>>(bytes) {
        Err(direct) => {
            take(out, serde_json::from_slice::<Wrapped<'_>>(bytes).map(|found| found.inner).map_err(|_| direct))
        }
        found => take(out, found),
    })
}

/// The feed of version 1.0: `{"matches": [...]}`, or the bare list.
pub(super) fn feed(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    if stream.peek()? != Some(b'{') {
        return records(stream, out);
    }
    while stream.peek()?.is_some() {
        stream.object(|stream, key| match key {
            "matches" => stream.array(|stream| take(out, serde_json::from_slice(stream.value()?))),
            _ => stream.skip(),
        })?;
    }
    Ok(())
}
