//! Ecosystems: where a package name means something, and who decides about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::Dialect;

/// Ecosystems that advisories are written about and whose order of versions is not implemented, as OSV spells them;
/// package URLs spell them in lower case.
const WITHOUT_ORDER: [&str; 9] =
    ["CRAN", "Hackage", "GHC", "Julia", "Bioconductor", "opam", "OSS-Fuzz", "VSCode", "WordPress"];

macro_rules! ecosystems {
    ($($(#[$doc:meta])* $variant:ident => $name:literal, $purl:literal, $dialect:expr, $authority:ident;)*) => {
        /// A name space of packages. The written form is the OSV name without its release (`Debian`, `PyPI`); an
        /// ecosystem that is not known is kept as it was written and never matched by guess.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(from = "Text", into = "Text")]
        #[non_exhaustive]
        pub enum Ecosystem {
            $($(#[$doc])* $variant,)*
            /// Any other, by its name.
            Other(Text),
        }

        impl Ecosystem {
            /// Every known ecosystem.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)*];

            /// The ecosystem of a written name without release; exact spelling first, then without regard to case.
            #[must_use]
            pub fn of_name(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => Self::KNOWN
                        .iter()
                        .find(|known| known.as_str().eq_ignore_ascii_case(name))
                        .cloned()
                        .unwrap_or_else(|| {
                            let known = WITHOUT_ORDER.iter().find(|known| known.eq_ignore_ascii_case(name));
                            Self::Other(known.copied().unwrap_or(name).into())
                        }),
                }
            }

            /// The written name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }

            /// The package-URL type (`deb`, `pypi`), empty where the ecosystem has none.
            #[must_use]
            pub fn purl_type(&self) -> &'static str {
                match self {
                    $(Self::$variant => $purl,)*
                    Self::Other(_) => "",
                }
            }

            /// The order of its versions, if it is known.
            #[must_use]
            pub fn dialect(&self) -> Option<Dialect> {
                match self {
                    $(Self::$variant => $dialect,)*
                    Self::Other(_) => None,
                }
            }

            /// Who decides whether a package of it is affected.
            #[must_use]
            pub fn authority(&self) -> Authority {
                match self {
                    $(Self::$variant => Authority::$authority,)*
                    Self::Other(_) => Authority::Ecosystem,
                }
            }
        }
    };
}

/// Who decides about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The distribution's own advisories for its own release, and nobody else: it backports fixes.
    Vendor,
    /// The advisories of the package ecosystem (OSV, GHSA).
    Ecosystem,
    /// Neither speaks: CPE names of the CVE record.
    Cpe,
}

ecosystems! {
    /// Debian.
    Debian => "Debian", "deb", Some(Dialect::Dpkg), Vendor;
    /// Ubuntu.
    Ubuntu => "Ubuntu", "deb", Some(Dialect::Dpkg), Vendor;
    /// Red Hat Enterprise Linux and other Red Hat products.
    RedHat => "Red Hat", "rpm", Some(Dialect::Rpm), Vendor;
    /// AlmaLinux.
    AlmaLinux => "AlmaLinux", "rpm", Some(Dialect::Rpm), Vendor;
    /// Rocky Linux.
    RockyLinux => "Rocky Linux", "rpm", Some(Dialect::Rpm), Vendor;
    /// CentOS: judged by Red Hat's advisories of the same major release.
    CentOs => "CentOS", "rpm", Some(Dialect::Rpm), Vendor;
    /// Oracle Linux.
    OracleLinux => "Oracle Linux", "rpm", Some(Dialect::Rpm), Vendor;
    /// Amazon Linux.
    AmazonLinux => "Amazon Linux", "rpm", Some(Dialect::Rpm), Vendor;
    /// Fedora.
    Fedora => "Fedora", "rpm", Some(Dialect::Rpm), Vendor;
    /// SUSE Linux Enterprise.
    Suse => "SUSE", "rpm", Some(Dialect::Rpm), Vendor;
    /// openSUSE.
    OpenSuse => "openSUSE", "rpm", Some(Dialect::Rpm), Vendor;
    /// Mageia.
    Mageia => "Mageia", "rpm", Some(Dialect::Rpm), Vendor;
    /// openEuler.
    OpenEuler => "openEuler", "rpm", Some(Dialect::Rpm), Vendor;
    /// Photon OS.
    Photon => "Photon OS", "rpm", Some(Dialect::Rpm), Vendor;
    /// Azure Linux.
    AzureLinux => "Azure Linux", "rpm", Some(Dialect::Rpm), Vendor;
    /// Alpine.
    Alpine => "Alpine", "apk", Some(Dialect::Apk), Vendor;
    /// Wolfi.
    Wolfi => "Wolfi", "apk", Some(Dialect::Apk), Vendor;
    /// Chainguard.
    Chainguard => "Chainguard", "apk", Some(Dialect::Apk), Vendor;
    /// MinimOS.
    MinimOs => "MinimOS", "apk", Some(Dialect::Apk), Vendor;
    /// Alpaquita.
    Alpaquita => "Alpaquita", "apk", Some(Dialect::Apk), Vendor;
    /// BellSoft Hardened Containers.
    BellSoft => "BellSoft Hardened Containers", "apk", Some(Dialect::Apk), Vendor;
    /// Echo.
    Echo => "Echo", "deb", Some(Dialect::Dpkg), Vendor;
    /// Arch Linux.
    Arch => "Arch Linux", "alpm", Some(Dialect::Pacman), Vendor;
    /// Rust crates.
    CratesIo => "crates.io", "cargo", Some(Dialect::Semver), Ecosystem;
    /// npm packages.
    Npm => "npm", "npm", Some(Dialect::Npm), Ecosystem;
    /// Python packages.
    PyPi => "PyPI", "pypi", Some(Dialect::Pep440), Ecosystem;
    /// Maven artifacts, `group:artifact`.
    Maven => "Maven", "maven", Some(Dialect::Maven), Ecosystem;
    /// Go modules; `stdlib` and `toolchain` are the standard library and the tools.
    Go => "Go", "golang", Some(Dialect::Go), Ecosystem;
    /// Ruby gems.
    RubyGems => "RubyGems", "gem", Some(Dialect::Gem), Ecosystem;
    /// NuGet packages.
    NuGet => "NuGet", "nuget", Some(Dialect::Nuget), Ecosystem;
    /// Composer packages, `vendor/name`.
    Packagist => "Packagist", "composer", Some(Dialect::Composer), Ecosystem;
    /// Hex packages (Erlang, Elixir).
    Hex => "Hex", "hex", Some(Dialect::Hex), Ecosystem;
    /// Dart packages.
    Pub => "Pub", "pub", Some(Dialect::Pub), Ecosystem;
    /// Swift packages by repository address.
    SwiftUrl => "SwiftURL", "swift", Some(Dialect::Tag), Ecosystem;
    /// GitHub Actions.
    GitHubActions => "GitHub Actions", "githubactions", Some(Dialect::Tag), Ecosystem;
    /// Applications packaged by Bitnami.
    Bitnami => "Bitnami", "bitnami", Some(Dialect::Bitnami), Ecosystem;
    /// Conan packages.
    Conan => "ConanCenter", "conan", Some(Dialect::Conan), Ecosystem;
    /// Installed software known by vendor, product and version only (Windows programs, appliances, banners).
    Generic => "Generic", "generic", None, Cpe;
}

impl Ecosystem {
    /// The normal form of a package name: the form in which names are compared and indexed. PyPI by PEP 503; npm,
    /// Packagist, Hex, NuGet, Pub, GitHub Actions and Bitnami in lower case; Swift without scheme and `.git`; all
    /// others as written (Go paths and Maven coordinates are case-sensitive). Linear.
    #[must_use]
    pub fn normalise(&self, name: &str) -> String {
        let name = name.trim();
        match self {
            Self::PyPi => {
                let mut normal = String::with_capacity(name.len());
                for character in name.chars() {
                    if matches!(character, '-' | '_' | '.') {
                        if !normal.ends_with('-') {
                            normal.push('-');
                        }
                    } else {
                        normal.push(character.to_ascii_lowercase());
                    }
                }
                normal
            }
            Self::Npm
            | Self::Packagist
            | Self::Hex
            | Self::NuGet
            | Self::Pub
            | Self::GitHubActions
            | Self::Bitnami
            | Self::Generic => name.to_lowercase(),
            Self::SwiftUrl => {
                let bare = name.split_once("://").map_or(name, |(_, rest)| rest);
                bare.trim_end_matches('/').trim_end_matches(".git").to_lowercase()
            }
            _ => name.to_owned(),
        }
    }
}

impl From<Text> for Ecosystem {
    fn from(name: Text) -> Self {
        Self::of_name(&name)
    }
}

impl From<Ecosystem> for Text {
    fn from(ecosystem: Ecosystem) -> Self {
        ecosystem.as_str().into()
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An ecosystem together with the release of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The release in normal form (`12`, `22.04`, `3.18`, `8`, `15-SP5`), empty where the ecosystem has none or all
    /// releases are meant.
    pub release: Text,
    /// The pocket, subscription or repository the statement is limited to (`pro`, `fips`, an address), empty for the archive
    /// or registry everybody has.
    pub pocket: Text,
}

impl Scope {
    /// Reads an OSV ecosystem string: `Debian:12`, `Ubuntu:Pro:18.04:LTS`, `Alpine:v3.18`, `Rocky Linux:8`,
    /// `Red Hat:enterprise_linux:8::baseos`, `SUSE:Linux Enterprise Server 15 SP5`, `PyPI`. Of Red Hat's products only
    /// Enterprise Linux gives a bare release; any other keeps its name in it (`rhel_eus:8.8`, `ceph_storage:8`).
    #[must_use]
    pub fn of_osv(text: &str) -> Self {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let ecosystem = Ecosystem::of_name(name.trim());
        let (release, pocket) = match &ecosystem {
            // What follows the colon of an unknown ecosystem may be part of its name (`Root:Debian:12`).
            Ecosystem::Other(_) => {
                return Self { ecosystem: Ecosystem::of_name(text), release: Text::default(), pocket: Text::default() };
            }
            Ecosystem::Ubuntu => {
                let mut pocket = Vec::new();
                let mut release = "";
                for part in rest.split(':') {
                    if part.starts_with(|c: char| c.is_ascii_digit()) {
                        release = part;
                    } else if !part.eq_ignore_ascii_case("lts") && !part.is_empty() {
                        pocket.push(part.to_ascii_lowercase());
                    }
                }
                (release.to_owned(), pocket.join(":"))
            }
            // A repository beside the ecosystem's own (`Maven:https://repo.jenkins-ci.org`) is no release.
            other if !other.has_releases() => (String::new(), rest.to_owned()),
            other => (other.normalise_release(rest), String::new()),
        };
        Self { ecosystem, release: release.into(), pocket: pocket.into() }
    }
}

/// `enterprise_linux:8::baseos` is release 8 of the operating system, and so is `8.6` of os-release. Every other product
/// is one of its own, also where it runs on Enterprise Linux: `rhel_eus:8.8::baseos` is `rhel_eus:8.8` (extended
/// support), `jboss_enterprise_application_platform:8.0::el8` is `jboss_enterprise_application_platform:8.0`.
fn red_hat_release(release: &str) -> String {
    let major = |text: &str| text.split('.').next().unwrap_or(text).to_owned();
    let Some((product, rest)) = release.split_once(':') else {
        return if release.starts_with(|c: char| c.is_ascii_digit()) { major(release) } else { release.to_owned() };
    };
    let number = rest.split(':').next().unwrap_or("");
    match product {
        "enterprise_linux" | "" => major(number),
        _ if number.is_empty() => product.to_ascii_lowercase(),
        _ => format!("{}:{number}", product.to_ascii_lowercase()),
    }
}

impl Ecosystem {
    /// Whether its advisories are for releases; a rolling distribution has none.
    #[must_use]
    pub fn has_releases(&self) -> bool {
        self.authority() == Authority::Vendor
            && !matches!(self, Self::Arch | Self::Wolfi | Self::Chainguard | Self::MinimOs | Self::Echo)
    }

    /// The ecosystem whose advisories speak for this one: CentOS rebuilds Red Hat's packages under the same versions.
    #[must_use]
    pub fn advised_by(&self) -> &Self {
        match self {
            Self::CentOs => &Self::RedHat,
            other => other,
        }
    }

    /// The normal form of a release, from OSV's form or from `VERSION_ID` of os-release. RPM rebuilds and Debian are
    /// known by their major number, Alpine by major and minor, SUSE as `15-SP5`.
    #[must_use]
    pub fn normalise_release(&self, release: &str) -> String {
        let release = release.trim();
        let major = |text: &str| text.split('.').next().unwrap_or(text).to_owned();
        match self {
            Self::Debian => match release.to_ascii_lowercase().as_str() {
                "buzz" => "1.1".into(),
                "jessie" => "8".into(),
                "stretch" => "9".into(),
                "buster" => "10".into(),
                "bullseye" => "11".into(),
                "bookworm" => "12".into(),
                "trixie" => "13".into(),
                "forky" => "14".into(),
                "wheezy" => "7".into(),
                "squeeze" => "6".into(),
                "lenny" => "5".into(),
                "etch" => "4".into(),
                "sid" => "unstable".into(),
                other if other.starts_with(|c: char| c.is_ascii_digit()) => major(other),
                other => other.to_owned(),
            },
            Self::Ubuntu => {
                let mut numbers = release.split('.');
                match (numbers.next(), numbers.next()) {
                    (Some(year), Some(month)) => format!("{year}.{month}"),
                    _ => release.to_ascii_lowercase(),
                }
            }
            Self::RedHat => red_hat_release(release),
            Self::AlmaLinux | Self::RockyLinux | Self::CentOs | Self::OracleLinux => major(release),
            Self::Alpine => {
                let bare = release.strip_prefix('v').unwrap_or(release);
                // The development branch calls itself after the release it will become.
                if bare.contains("_alpha") {
                    return "edge".into();
                }
                let mut numbers = bare.split('.');
                match (numbers.next(), numbers.next()) {
                    (Some(first), Some(second)) if first.bytes().all(|byte| byte.is_ascii_digit()) => {
                        let second: String = second.chars().take_while(char::is_ascii_digit).collect();
                        format!("{first}.{second}")
                    }
                    _ => bare.to_ascii_lowercase(),
                }
            }
            Self::Suse | Self::OpenSuse => suse_release(release),
            Self::AzureLinux => major(release),
            // `22.03 (LTS-SP3)` of os-release, `22.03-LTS-SP3` of advisories.
            Self::OpenEuler => {
                let words = release.split([' ', '(', ')', '-']).filter(|word| !word.is_empty());
                words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
            }
            _ => release.to_ascii_lowercase(),
        }
    }
}

/// `Linux Enterprise Server 15 SP5` and `15.5` are `15-SP5`; `Leap 15.5` is `15.5`. Modules and extensions of SUSE keep
/// their release number: their packages are installed on the server of that number.
fn suse_release(release: &str) -> String {
    let lower = release.to_ascii_lowercase();
    if lower.contains("tumbleweed") {
        return "tumbleweed".into();
    }
    let leap = lower.starts_with("leap");
    let words: Vec<&str> = lower.split([' ', '-']).collect();
    let number = words.iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).copied().unwrap_or("");
    let pack = words.iter().find_map(|word| word.strip_prefix("sp").filter(|digits| digits.parse::<u8>().is_ok()));
    match (pack, number.split_once('.')) {
        _ if leap => number.to_owned(),
        (Some(pack), _) => format!("{number}-SP{pack}"),
        (None, Some((major, minor))) if matches!(major, "11" | "12" | "15") => format!("{major}-SP{minor}"),
        (None, _) if number.is_empty() => lower,
        (None, _) => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn osv_names_give_ecosystem_release_and_pocket() {
        let read = |text: &str| {
            let scope = Scope::of_osv(text);
            (scope.ecosystem.as_str().to_owned(), scope.release.to_string(), scope.pocket.to_string())
        };
        let is =
            |text: &str, a: &str, b: &str, c: &str| assert_eq!(read(text), (a.into(), b.into(), c.into()), "{text}");
        is("Debian:12", "Debian", "12", "");
        is("Debian:bookworm", "Debian", "12", "");
        is("Ubuntu:22.04:LTS", "Ubuntu", "22.04", "");
        is("Ubuntu:Pro:18.04:LTS", "Ubuntu", "18.04", "pro");
        is("Ubuntu:Pro:FIPS-updates:18.04:LTS", "Ubuntu", "18.04", "pro:fips-updates");
        is("Alpine:v3.18", "Alpine", "3.18", "");
        is("AlmaLinux:8", "AlmaLinux", "8", "");
        is("Rocky Linux:9", "Rocky Linux", "9", "");
        is("Red Hat:enterprise_linux:8::baseos", "Red Hat", "8", "");
        is("Red Hat:rhel_eus:8.8::baseos", "Red Hat", "rhel_eus:8.8", "");
        is("Red Hat:ceph_storage:8::el9", "Red Hat", "ceph_storage:8", "");
        is("SUSE:Linux Enterprise Server 15 SP5", "SUSE", "15-SP5", "");
        is("openSUSE:Leap 15.5", "openSUSE", "15.5", "");
        is("openEuler:22.03-LTS-SP3", "openEuler", "22.03-lts-sp3", "");
        is("Azure Linux:3", "Azure Linux", "3", "");
        is("Alpine:edge", "Alpine", "edge", "");
        is("cran", "CRAN", "", "");
        is("PyPI", "PyPI", "", "");
        is("Maven:https://repo.example/a/", "Maven", "", "https://repo.example/a/");
        is("Packagist:https://packages.drupal.org/8", "Packagist", "", "https://packages.drupal.org/8");
        is("Root:Debian:12", "Root:Debian:12", "", "");
    }

    #[test]
    fn only_enterprise_linux_is_the_operating_system() {
        let release = |text: &str| Ecosystem::RedHat.normalise_release(text);
        for own in ["8", "8.6", "enterprise_linux:8", "enterprise_linux:8.2::baseos"] {
            assert_eq!(release(own), "8", "{own}");
        }
        assert_eq!(
            release("jboss_enterprise_application_platform:8.0::el8"),
            "jboss_enterprise_application_platform:8.0"
        );
        // What is normal stays so.
        for text in ["rhel_eus:8.6", "ceph_storage:8", "8", "rhel_extras"] {
            assert_eq!(release(text), text);
            assert_eq!(release(&release(text)), text);
        }
    }

    #[test]
    fn names_have_one_normal_form() {
        assert_eq!(Ecosystem::PyPi.normalise("Zope.Interface__x"), "zope-interface-x");
        assert_eq!(Ecosystem::Npm.normalise("@Babel/Core"), "@babel/core");
        assert_eq!(Ecosystem::Go.normalise("github.com/BurntSushi/toml"), "github.com/BurntSushi/toml");
        assert_eq!(
            Ecosystem::SwiftUrl.normalise("https://github.com/Apple/swift-nio.git"),
            "github.com/apple/swift-nio"
        );
    }
}
