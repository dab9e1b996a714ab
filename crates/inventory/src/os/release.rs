//! `os-release`: which distribution and release it is.
//!
//! Rules: os-release(5): lines of `KEY=value` in shell quoting. `ID` and `VERSION_ID` are mapped to the ecosystem and
//! release names advisories use; a Debian without a number is known by its code name. Mint, Pop!_OS and others built
//! from Ubuntu's archive say so with `UBUNTU_CODENAME` and are judged by Ubuntu's advisories.
//!
//! Not supported: derivatives that rebuild packages under versions of their own (Kali, Raspbian, Devuan …): they keep
//! their own name and are reported as not covered.

use bartizan_matching::model::{Ecosystem, Package, Text};

use crate::component::{ReadError, utf8};

/// An operating system, as advisories name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The release in normal form; empty if it is not known.
    pub release: Text,
    /// What it calls itself.
    pub pretty: String,
}

impl Os {
    /// A system whose release is not known: its packages will be "not covered".
    #[must_use]
    pub fn unknown(ecosystem: Ecosystem) -> Self {
        Self { pretty: format!("{ecosystem}, release not known"), ecosystem, release: Text::default() }
    }

    /// The system of a distribution's id (`ID` of os-release, `distro` of a package URL) and version.
    #[must_use]
    pub fn of_id(id: &str, version: &str) -> Self {
        let id = id.trim().to_ascii_lowercase();
        let version = version.trim();
        let (ecosystem, version) = match id.as_str() {
            "debian" => (Ecosystem::Debian, version.to_owned()),
            "ubuntu" => (Ecosystem::Ubuntu, ubuntu_release(version).unwrap_or(version).to_owned()),
            "rhel" | "redhat" | "red hat" => (Ecosystem::RedHat, version.to_owned()),
            "almalinux" | "alma" => (Ecosystem::AlmaLinux, version.to_owned()),
            "rocky" | "rockylinux" => (Ecosystem::RockyLinux, version.to_owned()),
            "centos" => (Ecosystem::CentOs, version.to_owned()),
            "ol" | "oracle" | "oraclelinux" => (Ecosystem::OracleLinux, version.to_owned()),
            "amzn" | "amazon" | "amazonlinux" => (Ecosystem::AmazonLinux, version.to_owned()),
            "fedora" => (Ecosystem::Fedora, version.to_owned()),
            "sles" | "sled" | "sles_sap" | "sle_hpc" | "sle-micro" | "suse" => (Ecosystem::Suse, version.to_owned()),
            "opensuse-leap" | "opensuse.leap" | "opensuse" => (Ecosystem::OpenSuse, format!("Leap {version}")),
            "opensuse-tumbleweed" | "opensuse.tumbleweed" => (Ecosystem::OpenSuse, "Tumbleweed".to_owned()),
            "mageia" => (Ecosystem::Mageia, version.to_owned()),
            "openeuler" => (Ecosystem::OpenEuler, version.to_owned()),
            "photon" => (Ecosystem::Photon, version.to_owned()),
            "azurelinux" | "mariner" => (Ecosystem::AzureLinux, version.to_owned()),
            "alpine" => (Ecosystem::Alpine, version.to_owned()),
            "wolfi" => (Ecosystem::Wolfi, String::new()),
            "chainguard" => (Ecosystem::Chainguard, String::new()),
            "minimos" => (Ecosystem::MinimOs, String::new()),
            "alpaquita" => (Ecosystem::Alpaquita, version.to_owned()),
            "bellsoft-hardened-containers" | "bellsoft" => (Ecosystem::BellSoft, version.to_owned()),
            "echo" => (Ecosystem::Echo, String::new()),
            "arch" | "archlinux" => (Ecosystem::Arch, String::new()),
            other => (Ecosystem::Other(other.into()), version.to_owned()),
        };
        let release = ecosystem.normalise_release(&version);
        let pretty = [ecosystem.as_str(), &release].join(" ").trim().to_owned();
        Self { ecosystem, release: release.into(), pretty }
    }

    /// Reads an os-release file. Linear in its size.
    ///
    /// # Errors
    /// If it is not text, or has no `ID`.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let text = utf8(bytes)?;
        let value = |key: &str| {
            text.lines().rev().find_map(|line| {
                let (name, value) = line.trim().split_once('=')?;
                (name == key).then(|| unquoted(value))
            })
        };
        let Some(id) = value("ID").filter(|id| !id.is_empty()) else {
            return Err(ReadError::Syntax("it has no ID".to_owned()));
        };
        let codename = value("VERSION_CODENAME").unwrap_or_default();
        let version = value("VERSION_ID").filter(|version| !version.is_empty()).unwrap_or_else(|| codename.clone());
        let mut os = match value("UBUNTU_CODENAME").as_deref().and_then(ubuntu_release) {
            Some(release) if id != "ubuntu" => Self::of_id("ubuntu", release),
            // `22.03 (LTS-SP3)`: its service pack stands only there.
            _ if id.eq_ignore_ascii_case("openeuler") => {
                let written = value("VERSION").filter(|written| written.starts_with(&version));
                Self::of_id(&id, written.as_deref().unwrap_or(&version))
            }
            _ if id == "debian" && version.is_empty() => Self::of_id("debian", "sid"),
            _ => Self::of_id(&id, &version),
        };
        if let Some(pretty) = value("PRETTY_NAME").filter(|pretty| !pretty.is_empty()) {
            os.pretty = crate::component::one_line(&pretty);
        }
        Ok(os)
    }

    /// The release as the version of the base packages tells it, for a dpkg database that lies alone: `base-files` of
    /// Debian is numbered after the release, Ubuntu's releases have each their own.
    #[must_use]
    pub fn of_base_files(packages: &[Package]) -> Option<Self> {
        let version = &packages.iter().find(|package| &*package.name == "base-files")?.version;
        let (upstream, ubuntu) = version.split_once("ubuntu").unwrap_or((version, ""));
        if ubuntu.is_empty() {
            let major = upstream.split(['.', '+', '~']).next()?;
            return major.bytes().all(|byte| byte.is_ascii_digit()).then(|| Self::of_id("debian", major));
        }
        // Packages of Ubuntu, by launchpad's publication history of base-files.
        let release = match upstream {
            "6.5" => "12.04",
            "7.2" => "14.04",
            "9.4" => "16.04",
            "10.1" => "18.04",
            "11" if ubuntu.starts_with('5') => "20.04",
            "12" if ubuntu.starts_with('4') => "22.04",
            "13" if ubuntu.starts_with("10") => "24.04",
            _ => return None,
        };
        Some(Self::of_id("ubuntu", release))
    }

    /// Its CPE 2.3 name as NVD's dictionary writes it, of systems that are known by one.
    #[must_use]
    pub fn cpe(&self) -> Option<String> {
        let (vendor, product) = match self.ecosystem {
            Ecosystem::Debian => ("debian", "debian_linux"),
            Ecosystem::Ubuntu => ("canonical", "ubuntu_linux"),
            Ecosystem::Alpine => ("alpinelinux", "alpine_linux"),
            Ecosystem::RedHat => ("redhat", "enterprise_linux"),
            Ecosystem::CentOs => ("centos", "centos"),
            Ecosystem::AlmaLinux => ("almalinux", "almalinux"),
            Ecosystem::RockyLinux => ("rocky_linux", "rocky_linux"),
            Ecosystem::OracleLinux => ("oracle", "linux"),
            Ecosystem::AmazonLinux => ("amazon", "linux"),
            Ecosystem::Fedora => ("fedoraproject", "fedora"),
            _ => return None,
        };
        let is_number = self.release.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let release = if is_number && !self.release.is_empty() { &*self.release } else { "*" };
        Some(format!("cpe:2.3:o:{vendor}:{product}:{release}:*:*:*:*:*:*:*"))
    }

    /// The OSV form: `Debian:12`.
    #[must_use]
    pub fn ecosystem_and_release(&self) -> String {
        if self.release.is_empty() {
            self.ecosystem.to_string()
        } else {
            format!("{}:{}", self.ecosystem, self.release)
        }
    }
}

/// The number of a code name of Ubuntu.
fn ubuntu_release(codename: &str) -> Option<&'static str> {
    Some(match codename {
        "precise" => "12.04",
        "trusty" => "14.04",
        "xenial" => "16.04",
        "bionic" => "18.04",
        "focal" => "20.04",
        "jammy" => "22.04",
        "noble" => "24.04",
        "plucky" => "25.04",
        "questing" => "25.10",
        "resolute" => "26.04",
        _ => return None,
    })
}

/// A value in shell quoting: os-release(5) allows quotes and backslashes, and no expansion.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inside =
        ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value);
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> String {
        Os::read(text.as_bytes()).unwrap().ecosystem_and_release()
    }

    #[test]
    fn distributions_and_releases() {
        for (text, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n", "Debian:12"),
            ("ID=debian\nVERSION_CODENAME=trixie\n", "Debian:13"),
            ("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux forky/sid\"\n", "Debian:unstable"),
            ("ID=ubuntu\nVERSION_ID='22.04'\nUBUNTU_CODENAME=jammy\n", "Ubuntu:22.04"),
            ("ID=linuxmint\nVERSION_ID=21.2\nUBUNTU_CODENAME=jammy\n", "Ubuntu:22.04"),
            ("ID=\"rhel\"\nVERSION_ID=\"8.6\"\n", "Red Hat:8"),
            ("ID=\"almalinux\"\nVERSION_ID=\"9.3\"\n", "AlmaLinux:9"),
            ("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n", "Rocky Linux:9"),
            ("ID=alpine\nVERSION_ID=3.18.4\n", "Alpine:3.18"),
            ("ID=\"sles\"\nVERSION_ID=\"15.5\"\n", "SUSE:15-SP5"),
            ("ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n", "openSUSE:15.5"),
            ("ID=\"amzn\"\nVERSION_ID=\"2023\"\n", "Amazon Linux:2023"),
            ("ID=alpine\nVERSION_ID=3.22.0_alpha20250108\n", "Alpine:edge"),
            ("ID=azurelinux\nVERSION_ID=\"3.0\"\n", "Azure Linux:3"),
            ("ID=mariner\nVERSION_ID=\"2.0\"\n", "Azure Linux:2"),
            ("ID=\"openEuler\"\nVERSION=\"22.03 (LTS-SP3)\"\nVERSION_ID=\"22.03\"\n", "openEuler:22.03-lts-sp3"),
            ("ID=echo\nVERSION_ID=13\n", "Echo"),
            ("ID=bellsoft-hardened-containers\nVERSION_ID=23\n", "BellSoft Hardened Containers:23"),
            ("ID=wolfi\nVERSION_ID=20230201\n", "Wolfi"),
            ("ID=kali\nVERSION_ID=2024.1\nID_LIKE=debian\n", "kali:2024.1"),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        assert!(Os::read(b"NAME=x\n").is_err());
    }

    #[test]
    fn base_files_tell_a_release() {
        let with = |version: &str| {
            let package = Package::new(Ecosystem::Debian, "base-files", version);
            Os::of_base_files(&[package]).map(|os| os.ecosystem_and_release())
        };
        assert_eq!(with("12.4+deb12u5").as_deref(), Some("Debian:12"));
        assert_eq!(with("7.2ubuntu5.5").as_deref(), Some("Ubuntu:14.04"));
        assert_eq!(with("12ubuntu4.4").as_deref(), Some("Ubuntu:22.04"));
        assert_eq!(with("99ubuntu1"), None);
        assert_eq!(Os::of_base_files(&[]), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,120}") {
            let _ = Os::read(text.as_bytes());
            let _ = unquoted(&text);
        }
    }
}
