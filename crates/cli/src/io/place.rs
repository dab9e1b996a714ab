//! What a path leads to, so that two paths to one file are known as such.

use std::fs;
use std::path::{Path, PathBuf};

/// Links that are followed from one path.
const MAX_LINKS: usize = 40;

/// Where a path leads, whether anything is there yet or not.
#[derive(Debug)]
pub struct Place {
    /// The folder as the system names it, and the name in it.
    path: PathBuf,
    /// What is there, if two names of it would be one file.
    id: Option<(u64, u64)>,
}

impl Place {
    /// Where `path` leads.
    pub fn of(path: &Path) -> Self {
        // Asked of the system: what `/dev/stdout` leads to may have no other name.
        let id = fs::metadata(path).ok().and_then(|found| id(&found));
        let path = target(path);
        let folder = folder(&path).canonicalize().ok();
        let whole = folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
        Self { path: whole.unwrap_or(path), id }
    }

    /// What standard output is.
    pub fn of_stdout() -> Self {
        let found = standard_stream(1).and_then(|file| file.ok()?.metadata().ok());
        Self { path: PathBuf::new(), id: found.as_ref().and_then(id) }
    }

    /// Whether both are one.
    pub fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.id.is_some() && self.id == other.id)
    }
}

/// The folder a path is in.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path behind the links at the end of `path`, also if nothing is there; the last of them if there is no end to them.
/// What an open descriptor leads to has no path of its own (see [`descriptor`]).
pub fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if descriptor(&path).is_some() {
            break;
        }
        let Ok(next) = fs::read_link(&path) else { break };
        path = folder(&path).join(next);
    }
    path
}

/// The open descriptor that a path such as `/proc/self/fd/1` names, and whether it is one of this process.
pub fn descriptor(path: &Path) -> Option<(u32, bool)> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = folder(path).canonicalize().ok()?;
    let mut parts = folder.strip_prefix("/proc").ok()?.iter();
    let process = parts.next()?;
    let is_ours = process.to_str() == Some(std::process::id().to_string().as_str());
    (parts.next_back()? == "fd").then_some((number, is_ours))
}

/// What is open as standard output or standard error, to be written to in its own place.
#[cfg(unix)]
pub fn standard_stream(number: u32) -> Option<std::io::Result<fs::File>> {
    use std::os::fd::AsFd as _;
    let copy = match number {
        1 => std::io::stdout().as_fd().try_clone_to_owned(),
        2 => std::io::stderr().as_fd().try_clone_to_owned(),
        _ => return None,
    };
    Some(copy.map(fs::File::from))
}

#[cfg(not(unix))]
pub fn standard_stream(_: u32) -> Option<std::io::Result<fs::File>> {
    None
}

/// Files and pipes are told apart by device and number. Other things, such as `/dev/null` or a terminal, may be named
/// twice.
#[cfg(unix)]
fn id(found: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    (found.is_file() || found.file_type().is_fifo()).then(|| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_one_file_are_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").unwrap();
        fs::hard_link(at("a"), at("same")).unwrap();
        fs::create_dir(at("sub")).unwrap();
        for (link, to) in [("link", "a"), ("sub/up", "../a"), ("new", "none"), ("round", "round"), ("down", "sub")] {
            std::os::unix::fs::symlink(to, at(link)).unwrap();
        }
        for (one, other, is_one) in [
            ("a", "./a", true),
            ("a", "sub/../a", true),
            ("a", "same", true),
            ("a", "link", true),
            ("a", "sub/up", true),
            ("none", "new", true),
            ("sub/x", "down/x", true),
            ("round", "round", true),
            ("a", "none", false),
            ("none", "sub/none", false),
            ("nowhere/x", "x", false),
        ] {
            assert_eq!(Place::of(&at(one)).is(&Place::of(&at(other))), is_one, "{one} {other}");
        }
        assert!(!Place::of(Path::new("/dev/null")).is(&Place::of(Path::new("/dev/zero"))));
    }

    #[test]
    fn links_to_what_is_open_end_at_the_descriptor() {
        let of = |path: &str| descriptor(&target(Path::new(path)));
        for (path, found) in [
            ("/dev/stdout", Some((1, true))),
            ("/dev/stderr", Some((2, true))),
            ("/dev/fd/1", Some((1, true))),
            ("/proc/self/fd/7", Some((7, true))),
            ("/proc/thread-self/fd/1", Some((1, true))),
            ("/proc/1/fd/1", None),
            ("/proc/self/fdinfo/1", None),
            ("/dev/null", None),
            ("1", None),
        ] {
            // Of other processes the folder can be read or not, but it is never ours.
            assert_eq!(of(path).filter(|(_, is_ours)| *is_ours), found, "{path}");
        }
    }
}
