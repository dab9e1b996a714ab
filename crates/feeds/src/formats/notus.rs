//! Notus: Greenbone's lists of fixed packages a product.
//!
//! Source of the rules: the Notus scanner's `products_schema`. A package is fixed from `full_version` on (`specifier` `>=`);
//! a `range` is vulnerable from `start` to before `end`. Names are those of binary packages. Advisories are told by OID;
//! files are divided by product, and the store joins what they say of one OID.
//!
//! Not supported: specifiers other than `>=` (`=`, `<`, `>`): such a package is left out and counted as rejected. No CVE
//! ids are in this format. Linear; memory of one file's product line and one advisory.

use bartizan_matching::model::{Ecosystem, Event, NameKind, PackageKey, Range, VendorState};
use serde::Deserialize;

use super::Output;
use super::common::{self, Str, nullable};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

#[derive(Deserialize)]
struct Advisory<'a> {
    #[serde(borrow)]
    oid: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    fixed_packages: Vec<Package<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    full_version: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    specifier: Str<'a>,
    #[serde(borrow, default)]
    range: Option<Span<'a>>,
}

#[derive(Deserialize)]
struct Span<'a> {
    #[serde(borrow, default)]
    start: Str<'a>,
    #[serde(borrow, default)]
    end: Str<'a>,
}

fn convert(bytes: &[u8], ecosystem: &Ecosystem, release: &str, out: &mut Output<'_>) -> Result<()> {
    let read: Advisory<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let mut advisory = common::advisory(&common::cut(&read.oid, 80), "notus");
    for package in &read.fixed_packages {
        let range = match (&package.range, &*package.specifier) {
            (Some(span), _) => Range::Events {
                semver: false,
                events: vec![Event::Introduced(span.start.trim().into()), Event::Fixed(span.end.trim().into())],
            },
            (None, ">=" | "") => common::before(package.full_version.trim()),
            (None, other) => {
                out.reject(&FeedError::record(&*read.oid, format!("the specifier `{other}` is not supported")));
                continue;
            }
        };
        let key = PackageKey::new(ecosystem.clone(), release, &package.name);
        let mut statement = common::statement(key, NameKind::Binary, VendorState::Affected);
        statement.ranges.push(range);
        advisory.affected.push(statement);
    }
    out.take(Ok(Record::Advisory(Box::new(advisory))))
}

/// The file of one product. `product_name` comes before the advisories, as the scanner needs it to.
pub(super) fn product(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    let mut place: Option<(Ecosystem, String)> = None;
    stream.object(|stream, key| match key {
        "product_name" => {
            let name: String = stream.read()?;
            place = common::platform(&name);
            match place {
                Some(_) => Ok(()),
                None => {
                    Err(FeedError::Syntax { at: stream.offset(), rule: format!("the product `{name}` is not known") })
                }
            }
        }
        "advisories" => {
            let Some((ecosystem, release)) = &place else {
                return Err(FeedError::Syntax {
                    at: stream.offset(),
                    rule: "the product's name comes before its advisories".to_owned(),
                });
            };
            stream.array(|stream| match convert(stream.value()?, ecosystem, release, out) {
                Err(error) if error.is_of_one_record() => out.take(Err(error)),
                other => other,
            })
        }
        _ => stream.skip(),
    })?;
    stream.finish()
}
