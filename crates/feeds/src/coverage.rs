//! Which sources speak for the whole of an ecosystem.
//!
//! That a source says something about an ecosystem does not mean that it says everything: a CVE record names an npm
//! package in passing, a file of samples holds three records of Debian. Only where a source claims an ecosystem may
//! silence about a package be read as "nothing is known against it". A source claims one if its format is one in which
//! that ecosystem's records are published as a whole and it holds at least as many records as the smallest real edition
//! does (the counts below, rounded down generously), or if whoever imports it says so.
//!
//! Not here: what the store answers from these claims ([`crate::store::Snapshot`]).

use std::collections::BTreeMap;

use bartizan_matching::model::{Authority, Ecosystem};

use crate::formats::Format;
use crate::store::segment::Summary;

/// Ecosystems whose OSV export is smaller than [`OTHERS`], with the least number of records of a whole one.
const SMALL: [(Ecosystem, u64); 14] = [
    (Ecosystem::CratesIo, 500),
    (Ecosystem::RubyGems, 400),
    (Ecosystem::NuGet, 300),
    (Ecosystem::Hex, 10),
    (Ecosystem::Pub, 5),
    (Ecosystem::SwiftUrl, 15),
    (Ecosystem::GitHubActions, 15),
    (Ecosystem::Alpaquita, 300),
    (Ecosystem::BellSoft, 300),
    (Ecosystem::Echo, 300),
    (Ecosystem::MinimOs, 300),
    (Ecosystem::Wolfi, 300),
    (Ecosystem::Chainguard, 300),
    (Ecosystem::RockyLinux, 500),
];
/// Least number of records of any other whole OSV export.
const OTHERS: u64 = 1000;
/// Least number of records of a distribution's own tracker, list of notices, OVAL or CSAF.
const DISTRIBUTION: u64 = 200;
/// Least number of records about one release of a distribution in a source that is whole for the distribution: a release
/// that is spoken of in passing has fewer.
const RELEASE: u64 = 50;
/// Least number of records of a whole year of NVD.
const NVD: u64 = 1000;

/// What documents of a format can be the whole of.
enum Kind {
    /// OSV: any ecosystem it has enough records of.
    Osv,
    /// A distribution's own: the distributions it speaks of.
    Distribution,
    /// One language's own.
    Language(Ecosystem),
    /// Applicability by CPE name.
    Products,
    /// Nothing.
    Nothing,
}

const fn kind(format: Format) -> Kind {
    match format {
        Format::Osv | Format::OsvYaml | Format::Ghsa => Kind::Osv,
        Format::DebianTracker
        | Format::DebianCves
        | Format::UbuntuTracker
        | Format::UbuntuNotices
        | Format::UbuntuCves
        | Format::UbuntuDatabase
        | Format::OpenVex
        | Format::SecdbYaml
        | Format::SecdbJson
        | Format::Csaf
        | Format::Oval
        | Format::Notus => Kind::Distribution,
        Format::Ruby => Kind::Language(Ecosystem::RubyGems),
        Format::NvdPage | Format::NvdRecord | Format::Nvd1 => Kind::Products,
        // CVE records name packages in passing; the working group's records of npm ended in 2021; Debian's lists of DSA
        // and DLA leave out what is not fixed yet or not worth a bulletin.
        _ => Kind::Nothing,
    }
}

/// The ecosystem, or the release of a distribution, as [`claimed`] writes it: `npm`, `Debian:12`.
#[must_use]
pub fn scope(ecosystem: &str, release: &str) -> String {
    if release.is_empty() { ecosystem.to_owned() } else { format!("{ecosystem}:{release}") }
}

/// The ecosystems and releases, as [`scope`] writes them, that a source of this format and content speaks for. `stated`
/// says that whoever imports it calls it complete: then that holds for everything its format can be complete for.
#[must_use]
pub fn claimed(format: Format, summary: &Summary, stated: bool) -> Vec<String> {
    let mut records: BTreeMap<&str, u64> = BTreeMap::new();
    for ((ecosystem, _), count) in &summary.scopes {
        *records.entry(ecosystem).or_default() += count;
    }
    let least = |ecosystem: &Ecosystem| -> Option<u64> {
        match kind(format) {
            Kind::Osv => Some(SMALL.iter().find(|(small, _)| small == ecosystem).map_or(OTHERS, |(_, least)| *least)),
            Kind::Distribution => (ecosystem.authority() == Authority::Vendor).then_some(DISTRIBUTION),
            Kind::Language(own) => (own == *ecosystem).then_some(DISTRIBUTION),
            Kind::Products | Kind::Nothing => None,
        }
    };
    let mut claimed: Vec<String> = summary
        .scopes
        .iter()
        .filter(|((name, release), count)| {
            let all = records.get(name.as_str()).copied().unwrap_or(0);
            let of_release = if release.is_empty() { 0 } else { RELEASE };
            least(&Ecosystem::of_name(name))
                .is_some_and(|least| **count > 0 && (stated || all >= least && **count >= of_release))
        })
        .map(|((name, release), _)| scope(name, release))
        .collect();
    let products = matches!(kind(format), Kind::Products) && summary.advisories > 0;
    if products && (stated || summary.advisories >= NVD) {
        claimed.push(Ecosystem::Generic.as_str().to_owned());
    }
    claimed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(scopes: &[(&str, &str, u64)]) -> Summary {
        Summary {
            advisories: scopes.iter().map(|(.., count)| count).sum(),
            scopes: scopes.iter().map(|(name, release, count)| (((*name).into(), (*release).into()), *count)).collect(),
            ..Summary::default()
        }
    }

    #[test]
    fn a_sample_claims_nothing_and_a_whole_export_its_ecosystem() {
        let sample = summary(&[("npm", "", 1), ("Debian", "12", 1)]);
        assert_eq!(claimed(Format::Osv, &sample, false), [""; 0]);
        assert_eq!(claimed(Format::Osv, &sample, true), ["Debian:12", "npm"]);
        assert_eq!(claimed(Format::Cve5, &summary(&[("npm", "", 100_000)]), true), [""; 0]);
        let whole = summary(&[("crates.io", "", 700), ("npm", "", 30)]);
        assert_eq!(claimed(Format::Osv, &whole, false), ["crates.io"]);
        // Releases of one distribution count together, and each is claimed by itself.
        let tracker = summary(&[("Debian", "11", 150), ("Debian", "12", 150), ("npm", "", 9000)]);
        assert_eq!(claimed(Format::DebianTracker, &tracker, false), ["Debian:11", "Debian:12"]);
        let passing = summary(&[("Debian", "11", 1000), ("Debian", "12", 1)]);
        assert_eq!(claimed(Format::Osv, &passing, false), ["Debian:11"]);
        assert_eq!(claimed(Format::DebianList, &tracker, true), [""; 0]);
        assert_eq!(claimed(Format::NvdPage, &summary(&[("x", "", 2000)]), false), ["Generic"]);
        assert_eq!(claimed(Format::NodePackage, &summary(&[("npm", "", 638)]), false), [""; 0]);
    }
}
