//! What a sweep remembers beside the state of the engine: identified ports, and when both are no longer needed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use bartizan_domain::port_document::PortRecord;
use bartizan_portscan::Error;
use bartizan_portscan::exclusive_file::{create_beside, lock, open_locked};

use super::{Key, key_of};

/// Longest line that is read back.
const MAX_LINE: usize = 64 << 10;

/// The files of a run that has nothing left to do. Until they are removed, the same run begun again hands over the same
/// results and asks nothing.
#[derive(Debug)]
pub struct Remembered {
    state: PathBuf,
    services: Option<Saved>,
}

impl Remembered {
    pub(super) fn new(state: &Path, services: Option<Saved>) -> Self {
        Self { state: state.to_owned(), services }
    }

    /// Removes the files: the results are where they are safe. A state file that another run is using meanwhile is left to
    /// it.
    ///
    /// # Errors
    /// If one is there and cannot be removed.
    pub fn forget(self) -> std::io::Result<()> {
        let taken = match File::open(&self.state) {
            Ok(file) => matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if !taken {
            remove(&self.state)?;
        }
        self.services.map_or(Ok(()), |services| remove(&services.path))
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Identified ports, one JSON object a line, in a file beside that of the scan's state (`FILE.services`). A line that a
/// killed run left unfinished is asked again.
#[derive(Debug)]
pub struct Saved {
    state: PathBuf,
    path: PathBuf,
    file: File,
    known: BTreeMap<Key, PortRecord>,
    /// Whether there was none before.
    is_new: bool,
}

impl Saved {
    /// Opens the file that belongs to a state file, and locks it for as long as this is there: a second run of the same job must not
    /// take it away. What it holds counts only if the state file is there.
    pub fn open(state: &Path) -> Result<Self, Error> {
        let mut path = state.as_os_str().to_owned();
        path.push(".services");
        let path = PathBuf::from(path);
        let failed = |error: std::io::Error| Error::Checkpoint { path: path.clone(), why: error.to_string() };
        let locked = open_locked(&path).map_err(failed)?;
        let is_new = locked.is_none();
        let before = locked.as_ref().map_or(Ok(Vec::new()), read).map_err(failed)?;
        let known = if state.exists() { before } else { Vec::new() };
        let known: BTreeMap<Key, PortRecord> = known.into_iter().map(|record| (key_of(&record), record)).collect();
        // Whole before it takes the place of the one that was there.
        let mut staged = path.clone().into_os_string();
        staged.push(".new");
        let mut file = create_beside(Path::new(&staged)).map_err(failed)?;
        lock(&file).map_err(failed)?;
        for record in known.values() {
            write(&mut file, record).map_err(failed)?;
        }
        std::fs::rename(&staged, &path).map_err(failed)?;
        // Until here nobody else could take either of the two for his own.
        drop(locked);
        Ok(Self { state: state.to_owned(), path, file, known, is_new })
    }

    /// What an earlier run found out about a port; once.
    pub fn take(&mut self, key: &Key) -> Option<PortRecord> {
        self.known.remove(key)
    }

    /// Remembers a port.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self, record: &PortRecord) -> std::io::Result<()> {
        write(&mut self.file, record)
    }

    /// One whose disk is full, for tests of what becomes of results then.
    #[cfg(test)]
    pub fn on_a_full_disk() -> Self {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).unwrap();
        Self { state: PathBuf::from("state"), path, file, known: BTreeMap::new(), is_new: false }
    }

    /// The run did nothing: what was there before stays, and nothing else.
    pub fn discard(self) {
        if self.is_new || !self.state.exists() {
            // What cannot be removed stays, and is empty.
            let _ = remove(&self.path);
        }
    }
}

/// The ports in a file that an earlier run left.
///
/// # Errors
/// If it cannot be read, or begins with something else: then it is somebody's, and is left as it is.
fn read(file: &File) -> std::io::Result<Vec<PortRecord>> {
    let mut reader = BufReader::new(file);
    let mut known = Vec::new();
    let mut line = Vec::new();
    for number in 0.. {
        line.clear();
        let taken = reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        let whole = line.ends_with(b"\n");
        match serde_json::from_slice::<PortRecord>(&line) {
            Ok(record) => known.push(record),
            Err(_) if taken == 0 => break,
            Err(_) if number == 0 && (whole || !line.starts_with(b"{")) => {
                return Err(std::io::Error::new(
                    ErrorKind::InvalidData,
                    "it is not a list of services that a scan left",
                ));
            }
            // The last line of a killed run.
            Err(_) => {}
        }
    }
    Ok(known)
}

fn write(file: &mut File, record: &PortRecord) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_identified_is_read_back_and_a_broken_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        std::fs::write(&state, "state").unwrap();
        let record: PortRecord = serde_json::from_str(
            r#"{"address":"192.0.2.1","port":22,"protocol":"tcp","state":"open","reason":"syn-ack","service":"ssh"}"#,
        )
        .unwrap();
        let mut saved = Saved::open(&state).unwrap();
        saved.keep(&record).unwrap();
        saved.file.write_all(b"{\"address\":\"192.0.2.1\",\"po").unwrap();
        let second = Saved::open(&state).unwrap_err().to_string();
        assert!(second.contains("another run"), "{second}");
        drop(saved);
        let saved = Saved::open(&state).unwrap();
        assert_eq!(saved.known.values().collect::<Vec<_>>(), [&record]);
        drop(saved);
        let (elsewhere, beside) = (folder.path().join("elsewhere"), folder.path().join("state.services.new"));
        std::os::unix::fs::symlink(&elsewhere, &beside).unwrap();
        assert!(Saved::open(&state).is_err() && !elsewhere.exists(), "nothing is written through a link");
        std::fs::remove_file(&beside).unwrap();
        std::fs::write(&beside, "half").unwrap();
        std::fs::remove_file(&state).unwrap();
        let saved = Saved::open(&state).unwrap();
        assert!(saved.known.is_empty(), "services of another scan");
        std::fs::write(&state, "state").unwrap();
        Remembered::new(&state, Some(saved)).forget().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        Saved::open(&state).unwrap().discard();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a run that did nothing leaves nothing");
        let in_use = File::create(&state).unwrap();
        in_use.lock().unwrap();
        Remembered::new(&state, None).forget().unwrap();
        assert!(state.exists(), "it is somebody else's now");
    }
}
