//! Which sources speak for the whole of an ecosystem.
//!
//! That a source says something about an ecosystem does not mean that it says everything: a CVE record names an npm
//! package in passing, a file of samples holds three records of Debian. Only where a source claims an ecosystem may
//! silence about a package be read as "nothing is known against it". A source claims one if its format is one in which
//! that ecosystem's records are published as a whole and it holds at least as many records as the smallest real edition
//! does (the counts below, rounded down generously), or if whoever imports it says so.
//!
//! Where nothing claims an ecosystem, [`remedy`] says what to import.
//!
//! Not here: what the store answers from these claims ([`crate::store::Snapshot`]).

use std::collections::{BTreeMap, BTreeSet};

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
        Format::NvdPage | Format::NvdRecord | Format::Nvd1 | Format::Nvd1Record => Kind::Products,
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

/// Alpine publishes a release in two repositories, each a database of its own.
pub const ALPINE_REPOSITORIES: [&str; 2] = ["main", "community"];

/// One repository of a release, as [`claimed`] writes it: `Alpine:3.18#main`.
#[must_use]
pub fn part(ecosystem: &str, release: &str, repository: &str) -> String {
    format!("{}#{repository}", scope(ecosystem, release))
}

/// What is claimed where the documents of a source are of these repositories only: a release of which one is missing is
/// claimed in part, so that it counts once another source has the other. A release whose documents name no repository
/// is claimed as it is.
#[must_use]
pub fn in_parts(claimed: Vec<String>, parts: &BTreeSet<String>) -> Vec<String> {
    let mut result = Vec::new();
    for scope in claimed {
        let of_scope = |repository: &&str| parts.contains(&format!("{scope}#{repository}"));
        let held: Vec<&str> = ALPINE_REPOSITORIES.into_iter().filter(of_scope).collect();
        let any = parts.iter().any(|part| part.strip_prefix(&*scope).is_some_and(|rest| rest.starts_with('#')));
        if !any || held.len() == ALPINE_REPOSITORIES.len() {
            result.push(scope);
        } else {
            result.extend(held.into_iter().map(|repository| format!("{scope}#{repository}")));
        }
    }
    result
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

/// What closes a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What to import, with the format that `bartizan feeds import` recognises it as.
    pub import: String,
    /// Sources that `bartizan feeds fetch` knows for it.
    pub fetch: Vec<String>,
}

/// What to import so that an ecosystem, or a release of a distribution, is covered.
#[must_use]
pub fn remedy(ecosystem: &Ecosystem, release: &str) -> Remedy {
    let name = ecosystem.as_str();
    let slug = name.to_lowercase().replace(' ', "-");
    let osv = || format!("OSV's export `{name}/all.zip` (format {})", Format::Osv.slug());
    let fetch = |slugs: &[&str]| slugs.iter().map(|slug| (*slug).to_owned()).collect();
    let (import, fetch): (String, Vec<String>) = match ecosystem {
        Ecosystem::CratesIo
        | Ecosystem::Go
        | Ecosystem::PyPi
        | Ecosystem::Npm
        | Ecosystem::Maven
        | Ecosystem::RubyGems
        | Ecosystem::NuGet
        | Ecosystem::Packagist
        | Ecosystem::Hex
        | Ecosystem::Pub
        | Ecosystem::SwiftUrl
        | Ecosystem::Bitnami
        | Ecosystem::Wolfi
        | Ecosystem::Chainguard
        | Ecosystem::Mageia
        | Ecosystem::OpenEuler => (osv(), vec![format!("osv-{slug}")]),
        Ecosystem::GitHubActions => {
            (format!("GitHub's advisory database (format {})", Format::Osv.slug()), fetch(&["osv-ghsa"]))
        }
        Ecosystem::Debian => (
            format!(
                "the JSON of Debian's tracker (format {}), or its `data/CVE/list` (format {}) with the lists of DSA and DLA",
                Format::DebianTracker.slug(),
                Format::DebianCves.slug()
            ),
            fetch(&["debian-tracker"]),
        ),
        Ecosystem::Ubuntu => (
            format!(
                "Ubuntu's OSV export (format {}), its VEX documents (format {}) or its CVE tracker (format {})",
                Format::Osv.slug(),
                Format::OpenVex.slug(),
                Format::UbuntuTracker.slug()
            ),
            fetch(&["osv-ubuntu"]),
        ),
        Ecosystem::RedHat | Ecosystem::CentOs => {
            let mut slugs = vec!["osv-red-hat".to_owned()];
            slugs.extend(["7", "8", "9"].contains(&release).then(|| format!("oval-rhel-{release}")));
            let text = format!(
                "Red Hat's CSAF or VEX documents (format {}), its OVAL of the release (format {}) or its OSV export (format {})",
                Format::Csaf.slug(),
                Format::Oval.slug(),
                Format::Osv.slug()
            );
            (text, slugs)
        }
        Ecosystem::AlmaLinux => (osv(), fetch(&["osv-almalinux"])),
        Ecosystem::RockyLinux => (osv(), fetch(&["osv-rocky-linux"])),
        Ecosystem::Suse | Ecosystem::OpenSuse => (
            format!("{} or SUSE's CSAF documents (format {})", osv(), Format::Csaf.slug()),
            fetch(&[if *ecosystem == Ecosystem::Suse { "osv-suse" } else { "osv-opensuse" }]),
        ),
        Ecosystem::Alpine => {
            let place = if release.is_empty() { "its release".to_owned() } else { format!("v{release}") };
            let slugs = ["main", "community"].map(|part| format!("secdb-alpine-v{release}-{part}"));
            let known = crate::sources::builtin(2026);
            let fetch = slugs.into_iter().filter(|slug| known.iter().any(|source| source.slug == *slug)).collect();
            let text = format!(
                "Alpine's secdb of {place}, main and community (formats {} and {}), or {}",
                Format::SecdbJson.slug(),
                Format::SecdbYaml.slug(),
                osv()
            );
            (text, fetch)
        }
        Ecosystem::OracleLinux => (format!("Oracle's OVAL (format {})", Format::Oval.slug()), Vec::new()),
        Ecosystem::Generic => (
            format!(
                "NVD's pages or yearly feeds (formats {}, {}); records of CVE 5 (format {}) add leads",
                Format::NvdPage.slug(),
                Format::Nvd1.slug(),
                Format::Cve5.slug()
            ),
            fetch(&["nvd"]),
        ),
        Ecosystem::Other(_) => {
            (format!("records in OSV's form with the ecosystem `{name}` (format {})", Format::Osv.slug()), Vec::new())
        }
        _ => (
            format!(
                "records about {name} in OSV's form (format {}) or as OVAL (format {})",
                Format::Osv.slug(),
                Format::Oval.slug()
            ),
            Vec::new(),
        ),
    };
    Remedy { import, fetch }
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
    fn one_repository_of_two_is_a_part() {
        let parts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let claimed = || vec!["Alpine:3.18".to_owned(), "Wolfi".to_owned()];
        assert_eq!(in_parts(claimed(), &parts(&[])), ["Alpine:3.18", "Wolfi"]);
        assert_eq!(in_parts(claimed(), &parts(&["Alpine:3.18#main"])), ["Alpine:3.18#main", "Wolfi"]);
        assert_eq!(in_parts(claimed(), &parts(&["Alpine:3.18#testing"])), ["Wolfi"]);
        assert_eq!(
            in_parts(claimed(), &parts(&["Alpine:3.18#main", "Alpine:3.18#community"])),
            ["Alpine:3.18", "Wolfi"]
        );
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

    #[test]
    fn every_ecosystem_has_a_remedy_that_exists() {
        let known = crate::sources::builtin(2026);
        let others = [Ecosystem::Other("CRAN".into())];
        for ecosystem in Ecosystem::KNOWN.iter().chain(&others) {
            for release in ["", "8", "3.20", "99"] {
                let remedy = remedy(ecosystem, release);
                assert!(remedy.import.contains("format"), "{ecosystem}: {remedy:?}");
                for name in &remedy.fetch {
                    let exists = known.iter().any(|source| source.slug == *name || source.group == *name);
                    assert!(exists, "{ecosystem}: `{name}` cannot be fetched");
                }
            }
        }
        assert_eq!(remedy(&Ecosystem::Npm, "").fetch, ["osv-npm"]);
        assert_eq!(
            remedy(&Ecosystem::Alpine, "3.20").fetch,
            ["secdb-alpine-v3.20-main", "secdb-alpine-v3.20-community"]
        );
        assert_eq!(remedy(&Ecosystem::Alpine, "3.2").fetch, [""; 0]);
        assert_eq!(remedy(&Ecosystem::RedHat, "9").fetch, ["osv-red-hat", "oval-rhel-9"]);
    }
}
