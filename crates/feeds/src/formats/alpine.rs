//! Alpine's secdb, and those of the distributions that took over its form (Wolfi, Chainguard).
//!
//! Source of the rules: `secdb.alpinelinux.org` and the archived `alpine-secdb` repository: for each package the versions
//! that fixed something, and what. Version `0` says that the package never was affected. Names are those of source
//! packages (`origin`). Entries are ids with remarks between; every word that is an id counts.
//!
//! YAML (old) and JSON (today) have one shape; YAML is read with a budget of nodes and without aliases. Records are about
//! one package each; the store joins those of one vulnerability. Not supported: `archs` (a fix is for all of them).
//! Linear; memory of one file, at most [`crate::Limits::max_record`].

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, NameKind, PackageKey, VendorState};
use serde::Deserialize;

use super::Output;
use super::common;
use crate::error::{FeedError, Result};
use crate::record::Record;

#[derive(Deserialize)]
pub(super) struct Secdb {
    #[serde(default)]
    distroversion: Option<String>,
    #[serde(default)]
    urlprefix: Option<String>,
    #[serde(default)]
    packages: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

/// Whether a word names a vulnerability.
fn is_id(word: &str) -> bool {
    let known = ["CVE-", "XSA-", "GHSA-", "CGA-", "ALPINE-", "VSV", "ZBX-", "TS-", "GNUTLS-", "RUSTSEC-", "GO-", "SA-"];
    word.len() <= 60 && known.iter().any(|prefix| word.starts_with(prefix))
}

/// One database.
pub(super) fn database(secdb: Secdb, out: &mut Output<'_>) -> Result<()> {
    let prefix = secdb.urlprefix.unwrap_or_default();
    let (ecosystem, source) = match (&secdb.distroversion, &prefix) {
        (Some(_), _) => (Ecosystem::Alpine, "alpine"),
        (None, prefix) if prefix.contains("wolfi") => (Ecosystem::Wolfi, "wolfi"),
        (None, prefix) if prefix.contains("chainguard") || prefix.contains("cgr.dev") => {
            (Ecosystem::Chainguard, "chainguard")
        }
        _ => return Err(FeedError::record("", "the database names neither a release nor a known distribution")),
    };
    let release = secdb.distroversion.unwrap_or_default();
    for Entry { pkg } in secdb.packages.unwrap_or_default() {
        for (version, ids) in pkg.secfixes.unwrap_or_default() {
            for entry in ids.unwrap_or_default() {
                for id in entry.split([' ', ',', '(', ')', ';', '/']).filter(|word| is_id(word)) {
                    let mut advisory = common::advisory(id, source);
                    let key = PackageKey::new(ecosystem.clone(), &release, &pkg.name);
                    let never = version.trim() == "0";
                    let state = if never { VendorState::NotAffected } else { VendorState::Affected };
                    let mut statement = common::statement(key, NameKind::Source, state);
                    if !never {
                        statement.ranges.push(common::before(version.trim()));
                    }
                    advisory.affected.push(statement);
                    out.take(Ok(Record::Advisory(Box::new(advisory))))?;
                }
            }
        }
    }
    Ok(())
}
