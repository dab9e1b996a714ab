//! OpenVEX, as Ubuntu publishes its vulnerability data in it.
//!
//! Source of the rules: OpenVEX 0.2.0, and the notes of `canonical/ubuntu-security-notices` about its `vex/` folder.
//! Products are package URLs; of `deb` packages only the source packages (`arch=source`) are read, since all binaries share
//! their state. `distro` names release and pocket.
//!
//! | status | becomes |
//! |---|---|
//! | `fixed` | affected before the version of the package URL |
//! | `not_affected` | not affected |
//! | `affected` | no fix yet; will not be fixed where the statement says so |
//! | `under_investigation` | under investigation |
//!
//! Not supported: products that are no package URL of a known ecosystem; subcomponents. A document about one's own
//! inventory is input of `bartizan audit`, not a source. Linear; memory of one document.

use bartizan_matching::model::{Affected, Ecosystem, NameKind, PackageKey, VendorState};
use serde::Deserialize;

use super::Output;
use super::common::{self, Str, nullable};
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default, rename = "timestamp", deserialize_with = "nullable")]
    time: Str<'a>,
    #[serde(borrow)]
    statements: Vec<Statement<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default, deserialize_with = "nullable")]
    timestamp: Str<'a>,
}

#[derive(Deserialize)]
struct Statement<'a> {
    #[serde(borrow)]
    vulnerability: Vulnerability<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    products: Vec<Product<'a>>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    status_notes: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    action_statement: Str<'a>,
}

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    description: Str<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    aliases: Vec<Str<'a>>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(borrow, rename = "@id")]
    id: Str<'a>,
}

fn statement(purl: &str, statement: &Statement<'_>) -> Option<Affected> {
    let rest = purl.strip_prefix("pkg:deb/ubuntu/")?;
    let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, version) = path.split_once('@').unwrap_or((path, ""));
    let qualifier = |key: &str| {
        qualifiers.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, v)| v)
    };
    if qualifier("arch") != Some("source") {
        return None;
    }
    let (release, pocket) = common::ubuntu_target(&decode(qualifier("distro")?))?;
    let key = PackageKey::new(Ecosystem::Ubuntu, release, &decode(name));
    let notes = format!("{} {}", &*statement.status_notes, &*statement.action_statement).to_ascii_lowercase();
    let state = match &*statement.status {
        "fixed" => VendorState::Affected,
        "not_affected" => VendorState::NotAffected,
        "under_investigation" => VendorState::UnderInvestigation,
        "affected" if notes.contains("end of life") || notes.contains("end-of-life") => VendorState::EndOfLife,
        "affected" if notes.contains("will not be fixed") || notes.contains("ignored") => VendorState::WillNotFix,
        "affected" => VendorState::NoFixYet,
        _ => return None,
    };
    let mut affected = common::statement(key, NameKind::Source, state);
    if state == VendorState::Affected {
        if version.is_empty() {
            return None;
        }
        affected.ranges.push(common::before(&decode(version)));
    }
    affected.conditions.extend(common::pocket(&pocket));
    Some(affected)
}

/// Undoes percent encoding; what is not encoded rightly stays as it is.
pub(super) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn convert(bytes: &[u8], out: &mut Output<'_>) -> Result<()> {
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let time = document.metadata.map_or(document.time, |metadata| metadata.timestamp);
    // A document has a few vulnerabilities, mostly one, in several statements.
    let mut advisories: Vec<bartizan_matching::model::Advisory> = Vec::new();
    for vex in &document.statements {
        let name = common::cut(&vex.vulnerability.name, 60);
        let position = advisories.iter().position(|advisory| advisory.head.id == name).unwrap_or_else(|| {
            let mut advisory = common::advisory(&name, "ubuntu");
            advisory.details = common::details(&vex.vulnerability.description);
            common::revise(&mut advisory, &time);
            let others: Vec<bartizan_matching::model::Text> =
                vex.vulnerability.aliases.iter().filter(|id| common::is_cve(id)).map(|id| (&**id).into()).collect();
            if name.starts_with("CVE-") {
                advisory.head.aliases = others;
            } else {
                advisory.head.addresses = others;
            }
            advisories.push(advisory);
            advisories.len() - 1
        });
        let advisory = &mut advisories[position];
        for product in &vex.products {
            let new = statement(&product.id, vex).filter(|new| !advisory.affected.contains(new));
            advisory.affected.extend(new);
        }
    }
    for advisory in advisories {
        out.take(Ok(Record::Advisory(Box::new(advisory))))?;
    }
    Ok(())
}

/// Documents one after the other.
pub(super) fn documents(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| match convert(bytes, out) {
        Err(error) if error.is_of_one_record() => out.take(Err(error)),
        other => other,
    })
}
