//! Which reader a file is for: by its name where the format prescribes one, else by how it begins.

use std::path::Path;

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `Cargo.lock`.
    CargoLock,
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    NpmLock,
    /// `yarn.lock`.
    YarnLock,
    /// `pnpm-lock.yaml`, `shrinkwrap.yaml`.
    PnpmLock,
    /// `poetry.lock`, `pdm.lock`.
    PoetryLock,
    /// `uv.lock`, `pylock.toml`.
    UvLock,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `requirements*.txt`.
    Requirements,
    /// `go.mod`.
    GoMod,
    /// `go.sum`.
    GoSum,
    /// `Gemfile.lock`, `gems.locked`.
    GemfileLock,
    /// `composer.lock`.
    ComposerLock,
    /// `pom.xml`.
    Pom,
    /// `gradle.lockfile` and others of Gradle.
    GradleLock,
    /// `packages.lock.json`.
    NugetLock,
    /// `mix.lock`.
    MixLock,
    /// `conan.lock`.
    ConanLock,
    /// CycloneDX, JSON.
    CycloneDxJson,
    /// CycloneDX, XML.
    CycloneDxXml,
    /// SPDX, JSON.
    SpdxJson,
    /// SPDX, tag-value.
    SpdxTagValue,
    /// dpkg's `status`, or a file of `status.d`.
    DpkgStatus,
    /// apk's `installed`.
    ApkInstalled,
    /// The rpm database.
    RpmDatabase,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 24] = [
        Self::CargoLock,
        Self::NpmLock,
        Self::YarnLock,
        Self::PnpmLock,
        Self::PoetryLock,
        Self::UvLock,
        Self::PipfileLock,
        Self::Requirements,
        Self::GoMod,
        Self::GoSum,
        Self::GemfileLock,
        Self::ComposerLock,
        Self::Pom,
        Self::GradleLock,
        Self::NugetLock,
        Self::MixLock,
        Self::ConanLock,
        Self::CycloneDxJson,
        Self::CycloneDxXml,
        Self::SpdxJson,
        Self::SpdxTagValue,
        Self::DpkgStatus,
        Self::ApkInstalled,
        Self::RpmDatabase,
    ];

    /// The name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CargoLock => "cargo-lock",
            Self::NpmLock => "npm-lock",
            Self::YarnLock => "yarn-lock",
            Self::PnpmLock => "pnpm-lock",
            Self::PoetryLock => "poetry-lock",
            Self::UvLock => "uv-lock",
            Self::PipfileLock => "pipfile-lock",
            Self::Requirements => "requirements",
            Self::GoMod => "go-mod",
            Self::GoSum => "go-sum",
            Self::GemfileLock => "gemfile-lock",
            Self::ComposerLock => "composer-lock",
            Self::Pom => "maven-pom",
            Self::GradleLock => "gradle-lock",
            Self::NugetLock => "nuget-lock",
            Self::MixLock => "mix-lock",
            Self::ConanLock => "conan-lock",
            Self::CycloneDxJson => "cyclonedx-json",
            Self::CycloneDxXml => "cyclonedx-xml",
            Self::SpdxJson => "spdx-json",
            Self::SpdxTagValue => "spdx-tag-value",
            Self::DpkgStatus => "dpkg-status",
            Self::ApkInstalled => "apk-installed",
            Self::RpmDatabase => "rpm-database",
        }
    }

    /// Most bytes of a file of this format.
    #[must_use]
    pub const fn limit(self) -> u64 {
        const MIB: u64 = 1024 * 1024;
        match self {
            Self::RpmDatabase => 2048 * MIB,
            Self::CycloneDxJson | Self::CycloneDxXml | Self::SpdxJson | Self::SpdxTagValue => 512 * MIB,
            _ => 128 * MIB,
        }
    }

    /// The format of a file of that path, if its name tells. Names that only some files of a format bear (`status`,
    /// `installed`) count with their folder.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder =
            |depth: usize| path.ancestors().nth(depth).and_then(Path::file_name).and_then(|name| name.to_str());
        Some(match name {
            "Cargo.lock" => Self::CargoLock,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::NpmLock,
            "yarn.lock" => Self::YarnLock,
            "pnpm-lock.yaml" | "shrinkwrap.yaml" => Self::PnpmLock,
            "poetry.lock" | "pdm.lock" => Self::PoetryLock,
            "uv.lock" | "pylock.toml" => Self::UvLock,
            "Pipfile.lock" => Self::PipfileLock,
            "go.mod" => Self::GoMod,
            "go.sum" => Self::GoSum,
            "Gemfile.lock" | "gems.locked" => Self::GemfileLock,
            "composer.lock" => Self::ComposerLock,
            "pom.xml" => Self::Pom,
            "gradle.lockfile" | "buildscript-gradle.lockfile" => Self::GradleLock,
            "packages.lock.json" => Self::NugetLock,
            "mix.lock" => Self::MixLock,
            "conan.lock" => Self::ConanLock,
            "bom.json" | "sbom.json" => return None,
            "bom.xml" => Self::CycloneDxXml,
            "status" if folder(1) == Some("dpkg") => Self::DpkgStatus,
            "installed" if folder(1) == Some("db") && folder(2) == Some("apk") => Self::ApkInstalled,
            "rpmdb.sqlite" => Self::RpmDatabase,
            "Packages.db" | "Packages" if matches!(folder(1), Some("rpm" | "RPM")) => Self::RpmDatabase,
            _ if folder(1) == Some("status.d") && folder(2) == Some("dpkg") && !name.ends_with(".md5sums") => {
                Self::DpkgStatus
            }
            _ if name.ends_with(".lockfile") && folder(1) == Some("dependency-locks") => Self::GradleLock,
            _ if name.starts_with("requirements") && name.ends_with(".txt") => Self::Requirements,
            _ if name.ends_with(".txt") && folder(1) == Some("requirements") => Self::Requirements,
            _ if name.starts_with("pylock.") && name.ends_with(".toml") => Self::UvLock,
            _ if name.ends_with(".cdx.json") => Self::CycloneDxJson,
            _ if name.ends_with(".cdx.xml") => Self::CycloneDxXml,
            _ if name.ends_with(".spdx.json") => Self::SpdxJson,
            _ if name.ends_with(".spdx") => Self::SpdxTagValue,
            _ => return None,
        })
    }

    /// Whether a name is worth a look inside although it does not tell the format.
    #[must_use]
    pub fn is_candidate(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        matches!(name, "bom.json" | "sbom.json" | "status")
            || name.ends_with(".sbom.json")
            || name.ends_with(".bom.json")
    }

    /// The format of a file by how it begins. `begin` is its first few kilobytes.
    #[must_use]
    pub fn of_content(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(crate::os::rpm::sqlite::MAGIC) || begin.starts_with(crate::os::rpm::ndb::MAGIC) {
            return Some(Self::RpmDatabase);
        }
        let text = String::from_utf8_lossy(begin);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let has = |part: &str| text.contains(part);
        let line = |begin: &str| text.starts_with(begin) || has(&format!("\n{begin}"));
        Some(match text.chars().next()? {
            '{' if has("\"bomFormat\"") || has("cyclonedx.org/schema") => Self::CycloneDxJson,
            '{' if has("\"spdxVersion\"") || has("spdx.org/rdf/3") => Self::SpdxJson,
            '{' if has("\"lockfileVersion\"") => Self::NpmLock,
            '{' if has("\"pipfile-spec\"") => Self::PipfileLock,
            '{' if has("\"content-hash\"") => Self::ComposerLock,
            '{' if has("\"graph_lock\"") || (has("\"build_requires\"") && has("\"python_requires\"")) => {
                Self::ConanLock
            }
            '<' if has("cyclonedx.org/schema/bom") => Self::CycloneDxXml,
            '<' if has("maven.apache.org/POM") || has("<project") => Self::Pom,
            '%' if text.starts_with("%{") => Self::MixLock,
            _ if line("SPDXVersion:") => Self::SpdxTagValue,
            _ if line("Package:") && (line("Status:") || line("Version:")) => Self::DpkgStatus,
            _ if line("C:Q1") && line("P:") && line("V:") => Self::ApkInstalled,
            _ if has("# yarn lockfile v1") || line("__metadata:") => Self::YarnLock,
            _ if line("lockfileVersion:") => Self::PnpmLock,
            _ if has("@generated by Cargo") || has("registry+https://github.com/rust-lang/crates.io-index") => {
                Self::CargoLock
            }
            _ if has("@generated by Poetry") || has("@generated by PDM") => Self::PoetryLock,
            _ if has("requires-python = ") && has("[[package]]") => Self::UvLock,
            _ if has("lock-version = ") && has("[[packages]]") => Self::UvLock,
            _ if has("Gradle generated file for dependency locking") => Self::GradleLock,
            _ if line("GEM\n") || line("PATH\n") => Self::GemfileLock,
            _ if line("module ") => Self::GoMod,
            _ if has(" h1:") && has("/go.mod h1:") => Self::GoSum,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for (path, expected) in [
            ("a/Cargo.lock", Some(Format::CargoLock)),
            ("root/var/lib/dpkg/status", Some(Format::DpkgStatus)),
            ("root/var/lib/dpkg/status.d/base", Some(Format::DpkgStatus)),
            ("root/var/lib/dpkg/status.d/base.md5sums", None),
            ("status", None),
            ("lib/apk/db/installed", Some(Format::ApkInstalled)),
            ("installed", None),
            ("usr/lib/sysimage/rpm/Packages.db", Some(Format::RpmDatabase)),
            ("Packages", None),
            ("requirements-dev.txt", Some(Format::Requirements)),
            ("requirements/base.txt", Some(Format::Requirements)),
            ("notes.txt", None),
            ("image.cdx.json", Some(Format::CycloneDxJson)),
            ("gradle/dependency-locks/compile.lockfile", Some(Format::GradleLock)),
        ] {
            assert_eq!(Format::of_path(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn contents_tell_formats() {
        for (begin, expected) in [
            ("{\n \"bomFormat\": \"CycloneDX\"", Some(Format::CycloneDxJson)),
            ("{\"spdxVersion\":\"SPDX-2.3\"", Some(Format::SpdxJson)),
            ("\u{feff}SPDXVersion: SPDX-2.3\n", Some(Format::SpdxTagValue)),
            ("Package: adduser\nStatus: install ok installed\n", Some(Format::DpkgStatus)),
            ("# comment\n# yarn lockfile v1\n", Some(Format::YarnLock)),
            ("lockfileVersion: '9.0'\n", Some(Format::PnpmLock)),
            ("<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">", Some(Format::CycloneDxXml)),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(Format::of_content(begin.as_bytes()), expected, "{begin}");
        }
        assert_eq!(Format::of_content(b"SQLite format 3\0"), Some(Format::RpmDatabase));
    }

    #[test]
    fn names_of_formats_are_distinct() {
        let mut names: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Format::ALL.len());
    }
}
