//! Alpine's secdb, and those of the distributions that took over its form (Wolfi, Chainguard).
//!
//! Source of the rules: `secdb.alpinelinux.org` and the archived `alpine-secdb` repository: for each package the versions
//! that fixed something, and what. Version `0` says that the package never was affected. Names are those of source
//! packages (`origin`). Entries are ids with remarks between; every word that is an id counts.
//!
//! YAML (old) and JSON (today) have one shape; YAML is read with a budget of nodes and without aliases. Records are about
//! one package each; a database is one repository of a release. The store joins those of one vulnerability. Not supported: `archs` (a fix is for all of them).
//! Linear; memory of one file, at most [`crate::Limits::max_record`].

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, NameKind, PackageKey, Text, VendorState};
use serde::Deserialize;

use super::Output;
use super::common;
use crate::coverage;
use crate::error::{FeedError, Result};
use crate::record::Record;

#[derive(Deserialize)]
pub(super) struct Secdb {
    #[serde(default)]
    distroversion: Option<String>,
    #[serde(default)]
    urlprefix: Option<String>,
    #[serde(default)]
    reponame: Option<String>,
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

/// The vulnerabilities of an entry, and further names of the vulnerability if it is one: with one CVE id stand its names in
/// other collections, with several it cannot be told whose they are. Bulletins (`XSA-`) are no names.
fn names(mut words: Vec<&str>) -> (Vec<&str>, Vec<&str>) {
    words.dedup();
    let is_alias = |word: &&str| ["GHSA-", "CGA-", "RUSTSEC-", "GO-"].iter().any(|prefix| word.starts_with(prefix));
    if words.iter().filter(|word| word.starts_with("CVE-")).count() != 1 {
        return (words, Vec::new());
    }
    let (aliases, ids): (Vec<&str>, Vec<&str>) = words.into_iter().partition(is_alias);
    // The aliases are those of the CVE; what else stands there is a record of its own, without them.
    if ids.len() == 1 { (ids, aliases) } else { (ids.into_iter().chain(aliases).collect(), Vec::new()) }
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
    if let Some(repository) = secdb.reponame.filter(|name| ecosystem == Ecosystem::Alpine && name.len() <= 60) {
        out.stats.parts.insert(coverage::part(ecosystem.as_str(), &ecosystem.normalise_release(&release), &repository));
    }
    for Entry { pkg } in secdb.packages.unwrap_or_default() {
        for (version, ids) in pkg.secfixes.unwrap_or_default() {
            for entry in ids.unwrap_or_default() {
                let words = entry.split([' ', ',', '(', ')', ';', '/']).filter(|word| is_id(word));
                let (ids, aliases) = names(words.collect());
                for id in ids {
                    let mut advisory = common::advisory(id, source);
                    advisory.head.aliases = aliases.iter().map(|alias| Text::from(*alias)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_one_vulnerability_or_several() {
        let of = |words: &[&'static str]| names(words.to_vec());
        assert_eq!(of(&["CVE-2031-1", "GHSA-a"]), (vec!["CVE-2031-1"], vec!["GHSA-a"]));
        assert_eq!(of(&["CVE-2031-1", "CVE-2031-2"]), (vec!["CVE-2031-1", "CVE-2031-2"], vec![]));
        assert_eq!(of(&["CVE-2031-1", "XSA-9"]), (vec!["CVE-2031-1", "XSA-9"], vec![]));
        assert_eq!(of(&["GHSA-a"]), (vec!["GHSA-a"], vec![]));
    }
}
