//! From paths to packages: walks folders, finds the files a reader knows, reads them.
//!
//! What cannot be read is reported and never taken for empty. Nothing outside of a folder that is audited is read: how links
//! are treated says [`walk`].

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use bartizan_matching::model::{Ecosystem, Package};

use crate::component::{ReadError, Reading};
use crate::format::Format;
use crate::lock::requirements::Included;
use crate::os::{self, Os};
use crate::{lock, sbom};

mod walk;

/// Bounds of a walk.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Levels of folders.
    pub depth: usize,
    /// Entries of all folders together.
    pub entries: usize,
    /// Files that are read.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 128, entries: 20_000_000, files: 200_000 }
    }
}

/// Where the package databases of a system lie, below its root.
const DATABASES: [&str; 9] = [
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/share/rpm/rpmdb.sqlite",
];
/// Bytes that are looked at to tell a format.
const SNIFF: u64 = 64 * 1024;

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path as it is shown: as given, with `/`.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// The system a package database belongs to, and how that is known.
    pub os: Option<(Os, OsOrigin)>,
    /// What it yields, or why it could not be read.
    pub reading: Result<Reading, ReadError>,
}

/// How the operating system of a package database is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OsOrigin {
    /// The `os-release` file of the same root.
    OsRelease,
    /// The caller said so.
    Stated,
    /// The version of its base packages.
    BasePackages,
    /// It is not: nothing can be said about its packages.
    Unknown,
}

/// Something that was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its path as it is shown.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The files read, by path.
    pub sources: Vec<Source>,
    /// What was not read although something may be lost by it, by path.
    pub skipped: Vec<Skipped>,
    /// Links that were not followed, by path: what they lead to is read where it lies, or is a folder outside of what is
    /// audited.
    pub passed_over: Vec<Skipped>,
}

/// Why nothing can be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A path that was named cannot be read.
    #[error("cannot read `{path}`: {why}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        why: String,
    },
    /// A file that was named is of no known format.
    #[error("`{path}` is neither a lock file, nor an SBOM, nor a package database that is known")]
    UnknownFormat {
        /// The path.
        path: String,
    },
}

/// Collects inventories.
#[derive(Debug)]
pub struct Collector {
    limits: Limits,
    stated: Option<Os>,
    inventory: Inventory,
    entries: usize,
    /// The folder that is being walked, without links.
    root: Option<PathBuf>,
}

impl Collector {
    /// A collector. `stated` is the system of package databases that lie without an `os-release`.
    #[must_use]
    pub fn new(limits: Limits, stated: Option<Os>) -> Self {
        Self { limits, stated, inventory: Inventory::default(), entries: 0, root: None }
    }

    /// Reads a file, or a folder and what is below it.
    ///
    /// # Errors
    /// If the path does not exist, cannot be opened, or is a file of no known format. What is below a folder fails no walk.
    pub fn add(&mut self, path: &Path) -> Result<(), CollectError> {
        let unreadable = |error: std::io::Error| CollectError::Unreadable {
            path: path.display().to_string(),
            why: error.to_string(),
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            fs::read_dir(path).map_err(unreadable)?;
            let real = fs::canonicalize(path).map_err(unreadable)?;
            self.root = Some(real.clone());
            self.walk(path, &real);
            self.root = None;
            return Ok(());
        }
        fs::File::open(path).map_err(unreadable)?;
        let format = Format::of_path(path).or_else(|| sniff(path));
        let Some(format) = format else {
            return Err(CollectError::UnknownFormat { path: path.display().to_string() });
        };
        self.read(path, format);
        Ok(())
    }

    /// Reads the package databases of the system whose root folder is `root`, and nothing else.
    pub fn add_system(&mut self, root: &Path) {
        for place in DATABASES {
            let path = root.join(place);
            let is_there = fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
            // `/var/lib/rpm` and `/lib` may be links to their place below `/usr`: each database is read once.
            let is_new = is_there && {
                let real = fs::canonicalize(&path).ok();
                !self.inventory.sources.iter().any(|source| fs::canonicalize(&source.path).ok() == real)
            };
            if let (true, Some(format)) = (is_new, Format::of_path(&path)) {
                self.read(&path, format);
            }
        }
        if let Ok(files) = fs::read_dir(root.join("var/lib/dpkg/status.d")) {
            let mut paths: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            for path in paths.iter().filter(|path| Format::of_path(path) == Some(Format::DpkgStatus)) {
                self.read(path, Format::DpkgStatus);
            }
        }
    }

    /// The result, in the order of paths.
    #[must_use]
    pub fn finish(mut self) -> Inventory {
        self.inventory.sources.sort_by(|a, b| a.path.cmp(&b.path));
        self.inventory.sources.dedup_by(|a, b| a.path == b.path && a.format == b.format);
        self.inventory.skipped.sort();
        self.inventory.skipped.dedup();
        self.inventory.passed_over.sort();
        self.inventory.passed_over.dedup();
        self.inventory
    }

    fn skip(&mut self, path: &Path, reason: impl Into<String>) {
        self.inventory.skipped.push(Skipped { path: shown(path), reason: reason.into() });
    }

    fn read(&mut self, path: &Path, format: Format) {
        // `go.sum` completes an old `go.mod`; beside a new one it says nothing more.
        let mut named = Vec::new();
        let module = path.with_file_name("go.mod");
        if format == Format::GoSum
            && self.may_read(&module)
            && let Ok(bytes) = bytes(&module, Format::GoMod.limit())
            && let Ok(module) = lock::gomod::read(&bytes)
        {
            if !module.direct_only {
                return;
            }
            named = module.named;
        }
        let bytes = match bytes(path, format.limit()) {
            Ok(bytes) => bytes,
            Err(error) => {
                let source = Source { path: shown(path), format, os: None, reading: Err(error) };
                return self.inventory.sources.push(source);
            }
        };
        let (reading, os) = match format {
            Format::DpkgStatus | Format::ApkInstalled | Format::RpmDatabase => {
                let (reading, os) = self.database(path, format, &bytes);
                (reading, Some(os))
            }
            Format::GoSum => (lock::gosum::read(&bytes, &named), None),
            Format::Pom => (pom(path, &bytes, self.root.as_deref()), None),
            Format::Requirements => (requirements(path, &bytes, self.root.as_deref()), None),
            other => (document(other, &bytes), None),
        };
        self.inventory.sources.push(Source { path: shown(path), format, os, reading });
    }

    /// Whether a file beside one that is read lies within the folder that is walked.
    fn may_read(&self, path: &Path) -> bool {
        self.root.as_deref().is_none_or(|root| walk::is_file_within(root, path))
    }

    fn database(&self, path: &Path, format: Format, bytes: &[u8]) -> (Result<Reading, ReadError>, (Os, OsOrigin)) {
        let read = |os: &Os| match format {
            Format::DpkgStatus => os::dpkg::read(bytes, os),
            Format::ApkInstalled => os::apk::read(bytes, os),
            _ => {
                let mut wal = path.as_os_str().to_owned();
                wal.push("-wal");
                let wal = Path::new(&wal);
                let wal = self.may_read(wal).then(|| self::bytes(wal, Format::RpmDatabase.limit()).ok()).flatten();
                os::rpm::read(bytes, wal.as_deref(), os)
            }
        };
        let found = root_of(path).and_then(|root| release_of(&root));
        if let Some(os) = found {
            return (read(&os), (os, OsOrigin::OsRelease));
        }
        if let Some(os) = &self.stated {
            return (read(os), (os.clone(), OsOrigin::Stated));
        }
        let unknown = Os::unknown(match format {
            Format::DpkgStatus => Ecosystem::Debian,
            Format::ApkInstalled => Ecosystem::Alpine,
            _ => Ecosystem::Other("rpm".into()),
        });
        let reading = read(&unknown);
        let packages: &[Package] = reading.as_ref().map_or(&[], |reading| &reading.packages);
        match Os::of_base_files(packages) {
            Some(os) if format == Format::DpkgStatus => (read(&os), (os, OsOrigin::BasePackages)),
            _ => (reading, (unknown, OsOrigin::Unknown)),
        }
    }
}

/// Reads a document whose meaning does not depend on where it lies.
fn document(format: Format, bytes: &[u8]) -> Result<Reading, ReadError> {
    match format {
        Format::CargoLock => lock::cargo::read(bytes),
        Format::NpmLock => lock::npm::read(bytes),
        Format::YarnLock => lock::yarn::read(bytes),
        Format::PnpmLock => lock::pnpm::read(bytes),
        Format::PoetryLock => lock::poetry::read(bytes),
        Format::UvLock => lock::uv::read(bytes),
        Format::PipfileLock => lock::pipfile::read(bytes),
        Format::Requirements => lock::requirements::read(bytes, &mut |_| Included::Missing),
        Format::GoMod => lock::gomod::read(bytes).map(|module| module.reading),
        Format::GoSum => lock::gosum::read(bytes, &[]),
        Format::GemfileLock => lock::gemfile::read(bytes),
        Format::ComposerLock => lock::composer::read(bytes),
        Format::Pom => lock::pom::read(bytes, &mut |_| None),
        Format::GradleLock => lock::gradle::read(bytes),
        Format::NugetLock => lock::nuget::read(bytes),
        Format::MixLock => lock::mix::read(bytes),
        Format::ConanLock => lock::conan::read(bytes),
        Format::CycloneDxJson => sbom::cyclonedx::read_json(bytes),
        Format::CycloneDxXml => sbom::cyclonedx::read_xml(bytes),
        Format::SpdxJson => sbom::spdx::read(bytes),
        Format::SpdxTagValue => sbom::spdx_tag::read(bytes),
        Format::DpkgStatus => os::dpkg::read(bytes, &Os::unknown(Ecosystem::Debian)),
        Format::ApkInstalled => os::apk::read(bytes, &Os::unknown(Ecosystem::Alpine)),
        Format::RpmDatabase => os::rpm::read(bytes, None, &Os::unknown(Ecosystem::Other("rpm".into()))),
    }
}

/// Reads requirements with the files they name. A walk of `root` finds those that are inventories by their name itself.
fn requirements(path: &Path, bytes: &[u8], root: Option<&Path>) -> Result<Reading, ReadError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    lock::requirements::read(bytes, &mut |relative| {
        let mut other = folder.clone();
        for part in Path::new(relative).components() {
            match part {
                Component::Normal(name) => other.push(name),
                Component::CurDir => {}
                Component::ParentDir if other.pop() => {}
                _ => return Included::Missing,
            }
        }
        // Beyond the audited folder lie files of the machine.
        let boundary = root.map(Path::to_owned).or_else(|| fs::canonicalize(rooted(&folder)).ok());
        if !boundary.is_some_and(|boundary| walk::is_file_within(&boundary, &other)) {
            return Included::Missing;
        }
        if root.is_some() && Format::of_path(&other) == Some(Format::Requirements) {
            return Included::Elsewhere;
        }
        self::bytes(&other, Format::Requirements.limit()).map_or(Included::Missing, Included::Content)
    })
}

/// Reads a `pom.xml` with the parents that lie beside or above it: in a walk of `root`, those below that.
fn pom(path: &Path, bytes: &[u8], root: Option<&Path>) -> Result<Reading, ReadError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    lock::pom::read(bytes, &mut |relative| {
        let relative = Path::new(relative);
        // A parent is named by a relative path; an absolute one would read a file of the machine.
        if relative.components().any(|part| matches!(part, Component::RootDir | Component::Prefix(_))) {
            return None;
        }
        let parent = folder.join(relative);
        let is_file = match root {
            Some(root) => walk::is_file_within(root, &parent),
            None => fs::symlink_metadata(&parent).is_ok_and(|metadata| metadata.is_file()),
        };
        is_file.then(|| self::bytes(&parent, Format::Pom.limit()).ok()).flatten()
    })
}

fn sniff(path: &Path) -> Option<Format> {
    let mut begin = Vec::new();
    fs::File::open(path).ok()?.take(SNIFF).read_to_end(&mut begin).ok()?;
    Format::of_content(&begin)
}

/// The content of a regular file, if it is not longer than `limit`.
fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let io = |error: std::io::Error| ReadError::Io(error.to_string());
    let file = fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    // The size may change while it is read.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
}

/// The root folder of the system a package database belongs to.
fn root_of(path: &Path) -> Option<PathBuf> {
    for place in DATABASES {
        if path.ends_with(place) {
            return path.ancestors().nth(Path::new(place).components().count()).map(rooted);
        }
    }
    let is_status_d = path.parent().is_some_and(|folder| folder.ends_with("var/lib/dpkg/status.d"));
    is_status_d.then(|| path.ancestors().nth(5).map(rooted)).flatten()
}

/// The ancestor of a relative path may be empty, which means the current folder.
fn rooted(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

/// `/etc/os-release` is as a rule a link to the one below `/usr/lib`; inside an image the link may lead out, so the latter
/// is read first.
fn release_of(root: &Path) -> Option<Os> {
    ["usr/lib/os-release", "etc/os-release"].into_iter().find_map(|place| {
        let path = root.join(place);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        let bytes = is_file.then(|| bytes(&path, 64 * 1024).ok()).flatten()?;
        Os::read(&bytes).ok()
    })
}

/// A path as it is shown: `/` as separator, no leading `./`.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let bare = text.strip_prefix("./").unwrap_or(&text);
    if bare.is_empty() { ".".to_owned() } else { bare.to_owned() }
}

impl Inventory {
    /// CPE names of what the packages run on: as documents state it, and the operating systems of package databases.
    #[must_use]
    pub fn platform(&self) -> Vec<String> {
        let stated =
            self.sources.iter().flat_map(|source| source.reading.iter().flat_map(|read| read.platform.clone()));
        let systems = self.sources.iter().filter_map(|source| source.os.as_ref()?.0.cpe());
        let mut platform: Vec<String> = stated.chain(systems).collect();
        platform.sort();
        platform.dedup();
        platform
    }

    /// Every package with the path it was found at as its location, and how many there are of each format.
    #[must_use]
    pub fn packages(&self) -> Vec<Package> {
        let mut packages = Vec::new();
        for source in &self.sources {
            let location: bartizan_matching::model::Text = source.path.as_str().into();
            for package in source.reading.iter().flat_map(|reading| &reading.packages) {
                let mut package = package.clone();
                package.location = location.clone();
                packages.push(package);
            }
        }
        packages
    }

    /// How many files of each format were read.
    #[must_use]
    pub fn formats(&self) -> BTreeMap<Format, usize> {
        let mut counts = BTreeMap::new();
        for source in &self.sources {
            *counts.entry(source.format).or_insert(0) += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests;
