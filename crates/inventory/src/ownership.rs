//! Whose files a language package of a bill of materials consists of.
//!
//! A scanner of images lists `urllib3 1.24.2` beside the RPM `python3-urllib3 1.24.2-5.el8` that contains it, and the
//! vendor has fixed the one without a new version of the other. What tells that they are the same, from strong to weak:
//!
//! 1. the document says so (Syft's SPDX relationship `ownership-by-file-overlap`);
//! 2. a package of the distribution is named after it, as the distribution's packaging policy demands, and has the same
//!    upstream version ([Debian Python Policy] section 4.3, [Fedora Python], [Fedora Ruby], [Debian Java Policy]);
//! 3. its files lie where only packages of the distribution put files (`/usr/lib/python3/dist-packages`,
//!    `/usr/share/java`; what users install goes to `/usr/local`, Filesystem Hierarchy Standard 3.0, section 4.9).
//!
//! Files below `/usr/local`, `/opt`, `/srv`, `/home` and folders of applications are nobody's but their own. Where
//! nothing is stated, or the folder is shared by both kinds of installers, it stays unclear. A document without packages
//! of a distribution (of a repository, of an application) is left alone.
//!
//! Not supported: lists of the files of installed packages (`/var/lib/dpkg/info`), which documents do not carry.
//!
//! [Debian Python Policy]: https://www.debian.org/doc/packaging-manuals/python-policy/
//! [Fedora Python]: https://docs.fedoraproject.org/en-US/packaging-guidelines/Python/
//! [Fedora Ruby]: https://docs.fedoraproject.org/en-US/packaging-guidelines/Ruby/
//! [Debian Java Policy]: https://www.debian.org/doc/packaging-manuals/java-policy/

use std::collections::HashMap;

use bartizan_matching::model::{Authority, Ecosystem, Owner, Ownership, Package, Text};

/// A package of a document, and what the document says of its place.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The package.
    pub package: Package,
    /// Absolute paths of its files in the system that the document is about, as far as stated.
    pub paths: Vec<String>,
    /// Index of the package that the document names as its owner.
    pub owner: Option<usize>,
}

/// Folders in which only packages of a distribution place files.
const DISTRIBUTION_FOLDERS: [&str; 12] = [
    "/usr/lib/python3/dist-packages/",
    "/usr/lib/python2.7/dist-packages/",
    "/usr/share/python-wheels/",
    "/usr/share/python3-wheels/",
    "/usr/share/java/",
    "/usr/share/maven-repo/",
    "/usr/lib/java/",
    "/usr/share/gems/",
    "/usr/share/rubygems-integration/",
    "/usr/share/nodejs/",
    "/usr/share/php/",
    "/usr/share/cargo/registry/",
];
/// Folders in which installers of languages place files as well, run by an administrator.
const SHARED_FOLDERS: [&str; 6] =
    ["/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/usr/share/", "/lib/", "/var/lib/gems/"];
/// Folders of programs: a compiled program may have come either way.
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Apart,
    Shared,
    Distribution,
}

fn place(path: &str) -> Place {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let within = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    if within(&DISTRIBUTION_FOLDERS) {
        Place::Distribution
    } else if within(&SHARED_FOLDERS) || within(&PROGRAM_FOLDERS) {
        Place::Shared
    } else {
        Place::Apart
    }
}

/// Says of each language package whose files it consists of. Linear in the number of packages and paths.
pub fn settle(all: &mut [Placed]) {
    let is_distribution = |placed: &Placed| placed.package.ecosystem.authority() == Authority::Vendor;
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, placed) in all.iter().enumerate().filter(|(_, placed)| is_distribution(placed)) {
        for stem in stems(&placed.package.name) {
            by_name.entry(stem).or_default().push(at);
        }
    }
    let Some(any) = all.iter().position(is_distribution) else { return };
    let owner_of = |at: usize| {
        let package: &Package = &all[at].package;
        Owner {
            ecosystem: package.ecosystem.clone(),
            release: package.release.clone(),
            name: package.name.clone(),
            version: package.version.clone(),
        }
    };
    let settled: Vec<Ownership> = all
        .iter()
        .map(|placed| {
            if placed.package.ecosystem.authority() != Authority::Ecosystem {
                return Ownership::Own;
            }
            // One copy that lies apart is enough to make the ecosystem's advisories speak.
            let place = placed.paths.iter().map(|path| place(path)).min();
            let stated = placed.owner.filter(|at| all.get(*at).is_some_and(is_distribution));
            let named = || {
                let names = names(&placed.package);
                names
                    .iter()
                    .filter_map(|name| by_name.get(name))
                    .flatten()
                    .copied()
                    .find(|at| same_version(&placed.package, &all[*at].package.version))
            };
            match (place, stated) {
                (_, Some(owner)) => Ownership::Distribution(Box::new(owner_of(owner))),
                (Some(Place::Apart), None) => Ownership::Own,
                (place, None) => match named() {
                    Some(owner) => Ownership::Distribution(Box::new(owner_of(owner))),
                    None if place == Some(Place::Distribution) => {
                        let unnamed = Owner { name: Text::default(), version: Text::default(), ..owner_of(any) };
                        Ownership::Distribution(Box::new(unnamed))
                    }
                    None => Ownership::Unclear,
                },
            }
        })
        .collect();
    for (placed, ownership) in all.iter_mut().zip(settled) {
        placed.package.ownership = ownership;
    }
}

/// What a distribution's package name says it packages: the name itself and what is left without the language's prefix.
fn stems(name: &str) -> Vec<String> {
    let name = folded(name);
    let mut stems = Vec::new();
    let bare = name.strip_prefix("platform-").unwrap_or(&name);
    for prefix in ["python", "py3-", "rubygem-", "ruby", "nodejs-", "node-", "golang-", "rust-", "php-"] {
        let Some(rest) = bare.strip_prefix(prefix) else { continue };
        // `python3.11-requests`, `ruby2.5-json`: the version of the language stands between.
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        if !rest.is_empty() {
            stems.push(rest.to_owned());
        }
    }
    if let Some(library) = name.strip_prefix("lib").and_then(|rest| rest.strip_suffix("-java")) {
        stems.push(library.to_owned());
    }
    // `guava20`, `jackson2`: an older line that is kept beside the newest.
    let unnumbered = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if unnumbered.len() < name.len() && unnumbered.len() > 2 {
        stems.push(unnumbered.trim_end_matches('-').to_owned());
    }
    stems.push(name);
    stems
}

/// The names under which a distribution may package a language package.
fn names(package: &Package) -> Vec<String> {
    let last = |separator: char| folded(package.name.rsplit(separator).next().unwrap_or(&package.name));
    match package.ecosystem {
        Ecosystem::Maven => vec![last(':')],
        Ecosystem::Npm => vec![folded(package.name.trim_start_matches('@')), last('/')],
        Ecosystem::Go => {
            // `github.com/x/y/v2` is `y`.
            let is_major = |part: &&str| part.strip_prefix('v').is_none_or(|n| n.parse::<u32>().is_err());
            let last = package.name.split('/').rev().find(is_major).unwrap_or_default();
            vec![folded(&package.name), folded(last)]
        }
        Ecosystem::PyPi => {
            let name = folded(&package.name);
            // Debian drops it: PyYAML is `python3-yaml`, python-dateutil `python3-dateutil`.
            let short = name.strip_prefix("python-").or_else(|| name.strip_prefix("py"));
            let short = short.filter(|short| short.len() > 2).map(str::to_owned);
            std::iter::once(name.clone()).chain(short).collect()
        }
        _ => vec![folded(&package.name)],
    }
}

/// Lower case, with `-` for what names of packages use between words.
fn folded(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | '.' | '/' | ':') { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Whether a distribution's version is built from that version of the language package.
fn same_version(package: &Package, distribution: &str) -> bool {
    let upstream = distribution.split_once(':').map_or(distribution, |(_, rest)| rest);
    let upstream = upstream.rsplit_once('-').map_or(upstream, |(version, _)| version);
    // `1.2+dfsg`, `1.2~ds1`: repacked sources of the same version.
    let upstream = upstream.split(['+', '~']).next().unwrap_or(upstream);
    let version = package.version.trim_start_matches('v');
    if upstream == version {
        return true;
    }
    let Some(dialect) = package.ecosystem.dialect() else { return false };
    match (dialect.key(version), dialect.key(upstream)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(ecosystem: Ecosystem, name: &str, version: &str, paths: &[&str]) -> Placed {
        let mut package = Package::new(ecosystem, name, version);
        if package.ecosystem.has_releases() {
            package.release = "8".into();
        }
        Placed { package, paths: paths.iter().map(|path| (*path).to_owned()).collect(), owner: None }
    }

    fn owner(name: &str, version: &str) -> Ownership {
        Ownership::Distribution(Box::new(Owner {
            ecosystem: Ecosystem::AlmaLinux,
            release: "8".into(),
            name: name.into(),
            version: version.into(),
        }))
    }

    /// What is concluded of one language package beside these of a distribution.
    fn settled(beside: &[(&str, &str)], one: Placed) -> Ownership {
        let mut all: Vec<Placed> =
            beside.iter().map(|(name, version)| placed(Ecosystem::AlmaLinux, name, version, &[])).collect();
        all.push(one);
        settle(&mut all);
        all.pop().unwrap().package.ownership
    }

    #[test]
    fn names_and_versions_tell_the_owner() {
        let urllib3 = || placed(Ecosystem::PyPi, "urllib3", "1.24.2", &[]);
        let rows = [
            (("python3-urllib3", "1.24.2-5.el8"), urllib3()),
            (("platform-python-urllib3", "0:1.24.2-5.el8"), urllib3()),
            (("python3.11-urllib3", "1.24.2-1"), urllib3()),
            (("python3-yaml", "3.10-4"), placed(Ecosystem::PyPi, "PyYAML", "3.10", &[])),
            (("rubygem-rdoc", "6.0.1.1-110.module+el8"), placed(Ecosystem::RubyGems, "rdoc", "6.0.1.1", &[])),
            (("guava20", "20.0-8.module+el8"), placed(Ecosystem::Maven, "com.google.guava:guava", "20.0", &[])),
            (("libjsoup-java", "1.11.3-1"), placed(Ecosystem::Maven, "org.jsoup:jsoup", "1.11.3", &[])),
            (("node-semver", "5.7.1+dfsg-2"), placed(Ecosystem::Npm, "semver", "5.7.1", &[])),
            (("containerd", "1.3.4-1"), placed(Ecosystem::Go, "github.com/containerd/containerd", "v1.3.4", &[])),
            (("py3-requests", "2.31-r0"), placed(Ecosystem::PyPi, "requests", "2.31.0", &[])),
        ];
        for ((name, version), one) in rows {
            let label = one.package.name.clone();
            assert_eq!(settled(&[("bash", "5-1"), (name, version)], one), owner(name, version), "{label}");
        }
    }

    #[test]
    fn another_version_or_name_is_no_owner() {
        let urllib3 = || placed(Ecosystem::PyPi, "urllib3", "1.24.2", &[]);
        assert_eq!(settled(&[("python3-urllib3", "1.25-1")], urllib3()), Ownership::Unclear);
        assert_eq!(settled(&[("python3-urllib", "1.24.2-1")], urllib3()), Ownership::Unclear);
        assert_eq!(settled(&[], urllib3()), Ownership::Own);
    }

    #[test]
    fn the_place_tells_and_one_copy_apart_is_its_own() {
        let beside = [("python3-urllib3", "1.24.2-5.el8")];
        let at = |paths: &[&str]| placed(Ecosystem::PyPi, "urllib3", "1.24.2", paths);
        let distribution = "/usr/lib/python3.6/site-packages/urllib3-1.24.2.egg-info/PKG-INFO";
        let own = "/opt/app/venv/lib/python3.6/site-packages/urllib3-1.24.2.dist-info/METADATA";
        assert_eq!(settled(&beside, at(&[distribution])), owner("python3-urllib3", "1.24.2-5.el8"));
        assert_eq!(settled(&beside, at(&[own])), Ownership::Own);
        assert_eq!(settled(&beside, at(&[distribution, own])), Ownership::Own);
        assert_eq!(settled(&beside, at(&["/usr/local/lib/python3.6/site-packages/x"])), Ownership::Own);
        assert_eq!(settled(&[("bash", "5-1")], at(&[distribution])), Ownership::Unclear);
        let debian = "usr/lib/python3/dist-packages/urllib3/__init__.py";
        assert_eq!(settled(&[("bash", "5-1")], at(&[debian])), owner("", ""));
    }

    #[test]
    fn the_document_may_name_the_owner() {
        let mut all = vec![
            placed(Ecosystem::AlmaLinux, "platform-thing", "9-1", &[]),
            placed(Ecosystem::PyPi, "urllib3", "1.24.2", &["/opt/x"]),
            placed(Ecosystem::Npm, "not-a-distribution", "1", &["/app/x"]),
        ];
        all[1].owner = Some(0);
        all[2].owner = Some(1);
        settle(&mut all);
        assert_eq!(all[1].package.ownership, owner("platform-thing", "9-1"));
        assert_eq!(all[2].package.ownership, Ownership::Own);
        assert_eq!(all[0].package.ownership, Ownership::Own);
    }
}
