//! From paths to packages: walks folders, finds the files a reader knows, reads them.
//!
//! Symbolic links are not followed inside a folder, so that there are no loops and nothing outside is read; a link that
//! bears the name of a known file is reported. What cannot be read is reported and never taken for empty.

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

/// Bytes that are looked at to tell a format.
const SNIFF: u64 = 64 * 1024;
/// Folders that hold copies of what the lock files beside them list, or no files of a project at all.
const SKIPPED_FOLDERS: [&str; 5] = [".git", ".hg", ".svn", "node_modules", "__pycache__"];
/// Folders of the kernel in the root of a system.
const KERNEL_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// How a folder says that it holds a cache (<https://bford.info/cachedir/>); Cargo's `target` does.
const CACHE_TAG: &str = "CACHEDIR.TAG";

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
    /// What was not read, by path.
    pub skipped: Vec<Skipped>,
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
    /// The folder that is being walked.
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
            self.root = Some(path.to_path_buf());
            self.walk(path);
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
        for place in [
            "var/lib/dpkg/status",
            "lib/apk/db/installed",
            "usr/lib/apk/db/installed",
            "var/lib/rpm/rpmdb.sqlite",
            "var/lib/rpm/Packages.db",
            "var/lib/rpm/Packages",
            "usr/lib/sysimage/rpm/rpmdb.sqlite",
            "usr/lib/sysimage/rpm/Packages.db",
        ] {
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
        self.inventory
    }

    fn skip(&mut self, path: &Path, reason: impl Into<String>) {
        self.inventory.skipped.push(Skipped { path: shown(path), reason: reason.into() });
    }

    fn walk(&mut self, root: &Path) {
        let mut open = vec![(root.to_owned(), 0)];
        while let Some((folder, depth)) = open.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.skip(&folder, format!("the folder cannot be read: {error}"));
                    continue;
                }
            };
            let mut names: Vec<(PathBuf, fs::FileType)> = Vec::new();
            for entry in entries {
                self.entries += 1;
                if self.entries > self.limits.entries {
                    return self
                        .skip(&folder, format!("more than {} entries: the walk ends here", self.limits.entries));
                }
                match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                    Ok(entry) => names.push(entry),
                    Err(error) => self.skip(&folder, format!("an entry cannot be read: {error}")),
                }
            }
            if depth > 0 && names.iter().any(|(path, kind)| kind.is_file() && path.ends_with(CACHE_TAG)) {
                continue;
            }
            names.sort_by(|a, b| a.0.cmp(&b.0));
            for (path, kind) in names {
                if self.inventory.sources.len() >= self.limits.files {
                    return self.skip(&folder, format!("more than {} files: the walk ends here", self.limits.files));
                }
                if kind.is_dir() {
                    self.descend(path, depth, &mut open);
                } else if kind.is_symlink() {
                    if Format::of_path(&path).is_some() {
                        self.skip(&path, "a symbolic link: not followed");
                    }
                } else if kind.is_file() {
                    let format =
                        Format::of_path(&path).or_else(|| Format::is_candidate(&path).then(|| sniff(&path)).flatten());
                    if let Some(format) = format {
                        self.read(&path, format);
                    }
                }
            }
        }
    }

    fn descend(&mut self, path: PathBuf, depth: usize, open: &mut Vec<(PathBuf, usize)>) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if SKIPPED_FOLDERS.contains(&name) || KERNEL_FOLDERS.iter().any(|kernel| path == Path::new(kernel)) {
            return;
        }
        if depth >= self.limits.depth {
            return self.skip(&path, format!("more than {} folders deep: not entered", self.limits.depth));
        }
        open.push((path, depth + 1));
    }

    fn read(&mut self, path: &Path, format: Format) {
        // `go.sum` completes an old `go.mod`; beside a new one it says nothing more.
        let mut named = Vec::new();
        if format == Format::GoSum
            && let Ok(bytes) = bytes(&path.with_file_name("go.mod"), Format::GoMod.limit())
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
            Format::Pom => (pom(path, &bytes), None),
            Format::Requirements => (requirements(path, &bytes, self.root.as_deref()), None),
            other => (document(other, &bytes), None),
        };
        self.inventory.sources.push(Source { path: shown(path), format, os, reading });
    }

    fn database(&self, path: &Path, format: Format, bytes: &[u8]) -> (Result<Reading, ReadError>, (Os, OsOrigin)) {
        let read = |os: &Os| match format {
            Format::DpkgStatus => os::dpkg::read(bytes, os),
            Format::ApkInstalled => os::apk::read(bytes, os),
            _ => {
                let mut wal = path.as_os_str().to_owned();
                wal.push("-wal");
                let wal = self::bytes(Path::new(&wal), Format::RpmDatabase.limit()).ok();
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
        if !other.starts_with(root.unwrap_or(&folder)) || !fs::symlink_metadata(&other).is_ok_and(|m| m.is_file()) {
            return Included::Missing;
        }
        if root.is_some() && Format::of_path(&other) == Some(Format::Requirements) {
            return Included::Elsewhere;
        }
        self::bytes(&other, Format::Requirements.limit()).map_or(Included::Missing, Included::Content)
    })
}

/// Reads a `pom.xml` with the parents that lie beside or above it.
fn pom(path: &Path, bytes: &[u8]) -> Result<Reading, ReadError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    lock::pom::read(bytes, &mut |relative| {
        let relative = Path::new(relative);
        // A parent is named by a relative path; an absolute one would read a file of the machine.
        if relative.components().any(|part| matches!(part, Component::RootDir | Component::Prefix(_))) {
            return None;
        }
        let parent = folder.join(relative);
        let is_file = fs::symlink_metadata(&parent).is_ok_and(|metadata| metadata.is_file());
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
    for place in [
        "var/lib/dpkg/status",
        "lib/apk/db/installed",
        "usr/lib/apk/db/installed",
        "var/lib/rpm/rpmdb.sqlite",
        "var/lib/rpm/Packages.db",
        "var/lib/rpm/Packages",
        "usr/lib/sysimage/rpm/rpmdb.sqlite",
        "usr/lib/sysimage/rpm/Packages.db",
        "usr/share/rpm/rpmdb.sqlite",
    ] {
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
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn collected(folder: &Path, limits: Limits) -> Inventory {
        let mut collector = Collector::new(limits, None);
        collector.add(folder).unwrap();
        collector.finish()
    }

    fn paths(inventory: &Inventory, folder: &Path) -> Vec<String> {
        let root = format!("{}/", folder.display());
        inventory.sources.iter().map(|source| source.path.replace(&root, "")).collect()
    }

    #[test]
    fn a_folder_is_walked_without_links_caches_and_copies() {
        let folder = tree(&[
            ("a/requirements.txt", "x==1\n"),
            ("a/node_modules/b/package-lock.json", "{}"),
            ("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55"),
            ("target/Cargo.lock", ""),
            (".git/Cargo.lock", ""),
            ("broken/Cargo.lock", "not toml ["),
        ]);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a/Cargo.lock")).unwrap();
        }
        let inventory = collected(folder.path(), Limits::default());
        assert_eq!(paths(&inventory, folder.path()), ["a/requirements.txt", "broken/Cargo.lock"]);
        assert!(inventory.sources[1].reading.is_err(), "a damaged file is no empty one");
        assert_eq!(inventory.skipped.len(), 1);
        assert!(inventory.skipped[0].reason.contains("symbolic link"));
        assert_eq!(inventory.packages().len(), 1);
    }

    #[test]
    fn limits_end_a_walk_and_say_so() {
        let folder = tree(&[("a/b/c/requirements.txt", "x==1\n"), ("requirements.txt", "x==1\n")]);
        let shallow = collected(folder.path(), Limits { depth: 1, ..Limits::default() });
        assert_eq!(shallow.sources.len(), 1);
        assert!(shallow.skipped[0].reason.contains("deep"));
        let few = collected(folder.path(), Limits { entries: 1, ..Limits::default() });
        assert!(few.skipped[0].reason.contains("entries"));
    }

    #[test]
    fn databases_find_their_system() {
        let status = "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\n";
        let base = "Package: base-files\nStatus: install ok installed\nVersion: 12.4+deb12u1\n";
        let folder = tree(&[
            ("image/var/lib/dpkg/status", status),
            ("image/usr/lib/os-release", "ID=debian\nVERSION_ID=11\n"),
            ("alone/status", base),
            ("unknown/status", status),
        ]);
        let inventory = collected(folder.path(), Limits::default());
        let systems: Vec<_> = inventory
            .sources
            .iter()
            .map(|source| source.os.as_ref().map(|(os, origin)| (os.ecosystem_and_release(), *origin)).unwrap())
            .collect();
        assert_eq!(
            systems,
            [
                ("Debian:12".to_owned(), OsOrigin::BasePackages),
                ("Debian:11".to_owned(), OsOrigin::OsRelease),
                ("Debian".to_owned(), OsOrigin::Unknown),
            ]
        );
        let mut collector = Collector::new(Limits::default(), Some(Os::of_id("ubuntu", "22.04")));
        collector.add(&folder.path().join("unknown/status")).unwrap();
        let stated = collector.finish();
        assert_eq!(&*stated.packages()[0].release, "22.04");
    }

    #[test]
    fn an_old_go_mod_is_completed_by_go_sum_and_a_new_one_is_not() {
        let sum = "example.org/a v1.0.0 h1:x=\nexample.org/b v1.0.0 h1:x=\n";
        let folder = tree(&[
            ("old/go.mod", "module m\ngo 1.16\nrequire example.org/a v1.0.0\n"),
            ("old/go.sum", sum),
            ("new/go.mod", "module m\ngo 1.17\nrequire example.org/a v1.0.0\n"),
            ("new/go.sum", sum),
        ]);
        let inventory = collected(folder.path(), Limits::default());
        assert_eq!(paths(&inventory, folder.path()), ["new/go.mod", "old/go.mod", "old/go.sum"]);
        assert_eq!(inventory.packages().len(), 3);
    }

    #[test]
    fn parents_of_a_pom_are_found() {
        let folder = tree(&[
            (
                "pom.xml",
                "<project><groupId>g</groupId><artifactId>p</artifactId><version>1</version><properties><v>2</v></properties></project>",
            ),
            (
                "m/pom.xml",
                "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent><artifactId>c</artifactId><dependencies><dependency><groupId>x</groupId><artifactId>y</artifactId><version>${v}</version></dependency></dependencies></project>",
            ),
        ]);
        let packages = collected(folder.path(), Limits::default()).packages();
        assert_eq!((&*packages[0].name, &*packages[0].version), ("x:y", "2"));
    }

    #[test]
    fn a_file_is_known_by_its_content_or_refused() {
        let folder = tree(&[("x.json", "{\"bomFormat\":\"CycloneDX\",\"components\":[]}"), ("y", "hello")]);
        let mut collector = Collector::new(Limits::default(), None);
        collector.add(&folder.path().join("x.json")).unwrap();
        assert!(matches!(collector.add(&folder.path().join("y")), Err(CollectError::UnknownFormat { .. })));
        assert!(matches!(collector.add(&folder.path().join("z")), Err(CollectError::Unreadable { .. })));
        assert_eq!(collector.finish().sources[0].format, Format::CycloneDxJson);
    }
}
