//! Files that one run has to itself: what is kept of a scan, and must be neither read nor replaced by two at a time.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Locks a file for as long as it is open.
///
/// # Errors
/// If another run has it.
pub fn lock(file: &File) -> std::io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(std::io::Error::other("another run is using it")),
        // A file system without locks is no obstacle.
        _ => Ok(()),
    }
}

/// Opens the file and locks it; `None` if there is none. Nothing that has to be waited for is opened, such as a pipe.
///
/// # Errors
/// If it cannot be opened, is no regular file, or another run has it.
pub fn open_locked(path: &Path) -> std::io::Result<Option<File>> {
    // A run that goes on may put a new file in its place at any moment; that is locked as well.
    for _ in 0..100 {
        let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let opened = file.metadata()?;
        if !opened.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        lock(&file)?;
        if std::fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino())) {
            return Ok(Some(file));
        }
    }
    Err(std::io::Error::other("another run is using it"))
}

/// Creates a file that nobody else has, through no link; one that a killed run left is taken away first.
///
/// # Errors
/// If that is not possible, or something else is in the way.
pub fn create_beside(path: &Path) -> std::io::Result<File> {
    let create = || OpenOptions::new().write(true).create_new(true).custom_flags(libc::O_NOFOLLOW).open(path);
    match create() {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            if !std::fs::symlink_metadata(path)?.is_file() {
                return Err(std::io::Error::other("it is in the way, and no regular file"));
            }
            let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
            lock(&OpenOptions::new().read(true).custom_flags(flags).open(path)?)?;
            std::fs::remove_file(path)?;
            create()
        }
        other => other,
    }
}
