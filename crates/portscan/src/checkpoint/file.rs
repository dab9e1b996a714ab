//! The state file on the disk: locked while a run uses it, replaced as a whole, and written only so often.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Error;
use crate::exclusive_file::{create_beside, lock, open_locked};

/// A larger file is not one of ours.
const MAX_FILE: u64 = 4 << 30;
/// Between two writings at least.
const SOONEST: Duration = Duration::from_millis(8);
/// Bytes a second at most, over the whole run: a disk has other users, and a flash memory has only so many writings.
const BYTES_A_SECOND: u64 = 4 << 20;
/// Until it is tried again where it could not be written.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// A state from this size on is written by a thread of its own, so that nobody waits for the disk.
const ASIDE: usize = 1 << 20;
/// Between two looks whether that thread is done.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What came of writing: the file, locked; or which file there was trouble with.
type Written = Result<File, (PathBuf, std::io::Error)>;

/// The file of a run.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// The file itself, locked.
    lock: Option<File>,
    next: Instant,
    /// A writing that is under way.
    aside: Option<JoinHandle<(Written, Duration)>>,
}

/// How long to wait after a writing: it never costs more than a twentieth of a processor, a fifth of a disk, and so many
/// bytes a second.
fn pause(bytes: usize, encoding: Duration, writing: Duration) -> Duration {
    let by_bytes = Duration::from_micros((bytes as u64 * 1_000_000).div_ceil(BYTES_A_SECOND));
    SOONEST.max(encoding * 20).max(writing * 4).max(by_bytes)
}

impl StateFile {
    /// Opens and locks the file; `None` for its bytes if there is none.
    ///
    /// # Errors
    /// If it cannot be read, is no regular file or used by another run.
    pub fn open(path: &Path) -> Result<(Self, Option<Vec<u8>>), Error> {
        let unusable = |error| Error::StateFile { path: path.to_owned(), error };
        let lock = open_locked(path).map_err(unusable)?;
        let mut bytes = None;
        if let Some(file) = &lock {
            let mut whole = Vec::new();
            file.take(MAX_FILE).read_to_end(&mut whole).map_err(unusable)?;
            // An empty one was made by whoever wanted a name of his own (mktemp(1)), and says nothing.
            bytes = Some(whole).filter(|whole| !whole.is_empty());
        }
        Ok((Self { path: path.to_owned(), lock, next: Instant::now(), aside: None }, bytes))
    }

    /// How long until it is to be written again.
    pub fn due(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Begins to write what `encode` gives, and returns what came of an earlier writing, or of this one if it is small.
    ///
    /// # Errors
    /// If that failed; the file that was there still is.
    pub fn write(&mut self, encode: impl FnOnce() -> Vec<u8>) -> Result<(), Error> {
        if let Some(aside) = self.aside.take_if(|aside| aside.is_finished()) {
            self.joined(aside)?;
            return Ok(());
        }
        let started = Instant::now();
        if self.aside.is_some() {
            self.next = started + LOOK_AGAIN;
            return Ok(());
        }
        let bytes = encode();
        let encoding = started.elapsed();
        if bytes.len() < ASIDE {
            return self.write_here(&bytes, encoding);
        }
        self.next = Instant::now() + pause(bytes.len(), encoding, Duration::ZERO);
        let path = self.path.clone();
        let bytes = std::sync::Arc::new(bytes);
        let work = {
            let bytes = std::sync::Arc::clone(&bytes);
            move || {
                let started = Instant::now();
                (replace(&path, &bytes), started.elapsed())
            }
        };
        match std::thread::Builder::new().name("portscan-state".into()).spawn(work) {
            Ok(thread) => {
                self.aside = Some(thread);
                Ok(())
            }
            Err(_) => self.write_here(&bytes, encoding),
        }
    }

    /// Writes these bytes and waits until they are on the disk.
    ///
    /// # Errors
    /// If they are not; the file that was there still is.
    pub fn write_and_wait(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(aside) = self.aside.take() {
            // It is superseded, but the lock of the file that is there now is its.
            let _ = self.joined(aside);
        }
        self.write_here(bytes, Duration::ZERO)
    }

    fn write_here(&mut self, bytes: &[u8], encoding: Duration) -> Result<(), Error> {
        let started = Instant::now();
        let written = replace(&self.path, bytes);
        let writing = started.elapsed();
        self.next = Instant::now() + pause(bytes.len(), encoding, writing);
        self.took(written)
    }

    fn joined(&mut self, aside: JoinHandle<(Written, Duration)>) -> Result<(), Error> {
        let (written, writing) = aside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        self.next = self.next.max(Instant::now() + writing * 4);
        self.took(written)
    }

    fn took(&mut self, written: Written) -> Result<(), Error> {
        match written {
            Ok(file) => {
                self.lock = Some(file);
                Ok(())
            }
            Err((path, error)) => {
                self.next = self.next.max(Instant::now() + AFTER_TROUBLE);
                Err(Error::StateFile { path, error })
            }
        }
    }

    /// Removes the file.
    ///
    /// # Errors
    /// If it is there and stays.
    pub fn remove(&mut self) -> Result<(), Error> {
        if let Some(aside) = self.aside.take() {
            // Whatever came of it: the file goes now.
            let _ = self.joined(aside);
        }
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::StateFile { path: self.path.clone(), error })
            }
            _ => Ok(()),
        }
    }

    /// Gives up the lock, as the end of the process does.
    #[cfg(test)]
    pub fn unlock(&mut self) {
        self.lock = None;
    }
}

/// A thread that still writes ends before the next run may look at the file.
impl Drop for StateFile {
    fn drop(&mut self) {
        if let Some(aside) = self.aside.take() {
            // A panic of it was told of on standard error.
            let _ = aside.join();
        }
    }
}

/// Puts a new file in the place of the one that is there: whole, on the disk, and locked before anybody sees it.
fn replace(path: &Path, bytes: &[u8]) -> Written {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = create_beside(&beside).map_err(|error| (beside.clone(), error))?;
    let written = lock(&file).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_data());
    if let Err(error) = written.and_then(|()| std::fs::rename(&beside, path)) {
        // Half a file helps nobody, least of all where there is no room. What cannot be removed now the next writing removes.
        let _ = std::fs::remove_file(&beside);
        return Err((path.to_owned(), error));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // That the new one stands under its name has to be on the disk as well. Where a file system cannot do that for a
    // folder, a loss of power leaves the older one, which is whole.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_not_written_to_all_the_time() {
        let ms = Duration::from_millis;
        assert_eq!(pause(100, ms(0), ms(0)), SOONEST, "a small state is never old");
        assert_eq!(pause(2 << 20, ms(1), ms(1)), ms(500));
        assert_eq!(pause(512 << 20, ms(0), ms(0)), ms(128_000));
        assert_eq!(pause(100, ms(10), ms(1)), ms(200));
        assert_eq!(pause(100, ms(1), ms(100)), ms(400));
        // Small and large ones for a minute of a clock of our own.
        for bytes in [300, 40_000, 1 << 20, 5 << 20, 100 << 20] {
            let (mut at, mut written) = (Duration::ZERO, 0);
            while at < Duration::from_secs(60) {
                written += bytes as u64;
                at += pause(bytes, ms(0), ms(0));
            }
            assert!(written <= BYTES_A_SECOND * 60 + bytes as u64, "{bytes}: {written}");
        }
    }

    /// Whoever calls as often as he may: what reaches the disk in a second is bounded, and nobody waits for it.
    #[test]
    fn a_large_state_is_written_aside_and_within_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut file, before) = StateFile::open(&path).unwrap();
        assert!(before.is_none());
        let started = Instant::now();
        let mut number = 0_u8;
        while started.elapsed() < Duration::from_millis(1200) {
            if file.due().is_zero() {
                file.write(|| {
                    number += 1;
                    vec![number; 2 << 20]
                })
                .unwrap();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let seconds = started.elapsed().as_secs_f64();
        let most = BYTES_A_SECOND as f64 * seconds + f64::from(2 << 20);
        let written = f64::from(number) * f64::from(2 << 20);
        assert!(number >= 2 && written <= most, "{number} times in {seconds} s");
        file.write_and_wait(&[7; 3]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [7; 3], "the last word is the last");
        assert!(!folder.path().join("state.new").exists());
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there_and_no_half_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (mut file, _) = StateFile::open(&path).unwrap();
        file.write_and_wait(b"good").unwrap();
        // Nothing can be put in the place of a folder that is not empty.
        std::fs::rename(&path, folder.path().join("kept")).unwrap();
        std::fs::create_dir_all(path.join("inside")).unwrap();
        let error = file.write(|| b"newer".to_vec()).unwrap_err();
        assert!(matches!(&error, Error::StateFile { path: told, .. } if *told == path), "{error}");
        assert!(!error.to_string().contains("of this job"), "{error}");
        assert!(!folder.path().join("state.new").exists() && file.due() > Duration::from_secs(4));
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::rename(folder.path().join("kept"), &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"good");
        // A large one is told of when its thread is done.
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir_all(path.join("inside")).unwrap();
        file.write(|| vec![0; ASIDE]).unwrap();
        let told = loop {
            if let Err(error) = file.write(Vec::new) {
                break error;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(matches!(told, Error::StateFile { .. }) && !folder.path().join("state.new").exists());
    }
}
