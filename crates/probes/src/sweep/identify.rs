//! What speaks on the ports that were found, a number of them at a time, remembered beside the state of the scan.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::evidence::{Endpoint, Observation, ServiceEvidence};
use bartizan_domain::port_document::{PortRecord, PortsHost};
use bartizan_portscan::{Error, Reason};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::{Key, Sweep};
use crate::{ProbeContext, services};

/// Longest line that is read back.
const MAX_LINE: usize = 64 << 10;

/// Turns that a port needs in each second while it is asked.
const TURNS: usize = 2;

type Answer<'a> = Pin<Box<dyn Future<Output = (PortRecord, Observation<ServiceEvidence>)> + Send + 'a>>;

/// Identified ports, one JSON object a line, in a file beside that of the scan's state (`FILE.services`). A line that a
/// killed run left unfinished is asked again.
#[derive(Debug)]
pub struct Saved {
    state: PathBuf,
    path: PathBuf,
    file: File,
    known: BTreeMap<Key, PortRecord>,
}

impl Saved {
    /// Opens the file that belongs to a state file, and locks it for as long as this is there: a second run of the same job must not
    /// take it away. What it holds counts only if the state file is there.
    pub fn open(state: &Path) -> Result<Self, Error> {
        let mut path = state.as_os_str().to_owned();
        path.push(".services");
        let path = PathBuf::from(path);
        let failed = |error: std::io::Error| Error::Checkpoint { path: path.clone(), why: error.to_string() };
        let mut before_lock = None;
        let before = match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {
                before_lock = Some(open_locked(&path).map_err(failed)?);
                read(&path).map_err(failed)?
            }
            Ok(_) => return Err(failed(ErrorKind::InvalidInput.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let known = if state.exists() { before } else { Vec::new() };
        let known: BTreeMap<Key, PortRecord> = known.into_iter().map(|record| (key(&record), record)).collect();
        // Whole before it takes the place of the one that was there.
        let mut staged = path.clone().into_os_string();
        staged.push(".new");
        let mut file = create_new(Path::new(&staged)).map_err(failed)?;
        for record in known.values() {
            write(&mut file, record).map_err(failed)?;
        }
        lock(&file).and_then(|()| std::fs::rename(&staged, &path)).map_err(failed)?;
        // Until here nobody else could take either of the two for his own.
        drop(before_lock);
        Ok(Self { state: state.to_owned(), file, known, path })
    }

    fn keep(&mut self, record: &PortRecord) -> Result<(), Error> {
        write(&mut self.file, record).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::Checkpoint { path: self.path.clone(), why: error.to_string() }
    }

    /// Everything is known and handed over: neither file is needed any more.
    fn remove(self) -> Result<(), Error> {
        for path in [&self.state, &self.path] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(self.failed(&error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A file that nobody else has, through no link; one that a killed run left is taken away first.
fn create_new(path: &Path) -> std::io::Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => std::fs::remove_file(path)?,
        Ok(_) => {
            return Err(std::io::Error::new(
                ErrorKind::AlreadyExists,
                "something that is no regular file is in the way",
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Follows no link, and fails where somebody was faster.
    File::create_new(path)
}

/// Locks a file for as long as it is open.
fn lock(file: &File) -> std::io::Result<()> {
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(std::io::Error::other("another run is using it")),
        // A file system without locks is no obstacle.
        _ => Ok(()),
    }
}

/// Opens a file that is there and locks it, unless a run put another one in its place meanwhile.
fn open_locked(path: &Path) -> std::io::Result<File> {
    let file = File::open(path)?;
    lock(&file)?;
    let (opened, now) = (file.metadata()?, std::fs::metadata(path)?);
    if (opened.dev(), opened.ino()) != (now.dev(), now.ino()) {
        return Err(std::io::Error::other("another run is using it"));
    }
    Ok(file)
}

/// The ports in a file that an earlier run left.
///
/// # Errors
/// If it cannot be read, or begins with something else: then it is somebody's, and is left as it is.
fn read(path: &Path) -> std::io::Result<Vec<PortRecord>> {
    let mut reader = BufReader::new(File::open(path)?);
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

fn key(record: &PortRecord) -> Key {
    (record.address, record.protocol, record.port)
}

/// How many ports may be asked at a time: under a rate, only so many as get their turns before their time is over.
fn within(sweep: &Sweep, at_once: usize) -> usize {
    let hosts = sweep.addresses.len().max(1);
    let wide = |rate: u32| usize::try_from(rate).unwrap_or(usize::MAX);
    let rates = sweep.settings.rates;
    let bounds = [
        rates.global.map(wide),
        rates.per_host.map(|rate| wide(rate).saturating_mul(hosts)),
        rates.per_subnet.map(|rate| wide(rate).saturating_mul(hosts)),
    ];
    bounds.into_iter().flatten().fold(at_once, |least, rate| least.min(rate / TURNS))
}

/// Identification in progress.
pub struct Identifier<'a> {
    cx: &'a ProbeContext,
    sweep: &'a Sweep,
    at_once: usize,
    saved: Option<Saved>,
    /// Whether it goes on beside the scan.
    running: bool,
    waiting: VecDeque<PortRecord>,
    asking: FuturesUnordered<Answer<'a>>,
    /// What is to be told although nobody had to be asked.
    ready: VecDeque<PortRecord>,
    results: BTreeMap<Key, PortRecord>,
    total: usize,
    failed: Option<Error>,
}

impl<'a> Identifier<'a> {
    pub fn new(cx: &'a ProbeContext, sweep: &'a Sweep, at_once: usize, saved: Option<Saved>, together: bool) -> Self {
        Self {
            cx,
            sweep,
            at_once: within(sweep, at_once).max(1),
            saved,
            running: together,
            waiting: VecDeque::new(),
            asking: FuturesUnordered::new(),
            ready: VecDeque::new(),
            results: BTreeMap::new(),
            total: 0,
            failed: None,
        }
    }

    /// Takes the ports of a host.
    pub fn add(&mut self, ports: Vec<PortRecord>) {
        self.total += ports.len();
        for port in ports {
            let known = self.saved.as_mut().and_then(|saved| saved.known.remove(&key(&port)));
            match known {
                Some(known) => self.ready.push_back(known),
                None => self.waiting.push_back(port),
            }
        }
    }

    /// The scan is over: whatever waited for that may begin.
    pub fn scan_ended(&mut self) {
        self.running = true;
    }

    /// Whether there is something to be asked or told now.
    pub fn is_busy(&self) -> bool {
        !self.asking.is_empty() || !self.ready.is_empty() || (self.running && !self.waiting.is_empty())
    }

    /// Ports done and ports in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.results.len(), self.total)
    }

    /// The next port that is done. Dropping the future in between loses nothing.
    pub async fn next(&mut self) -> Option<PortRecord> {
        if let Some(record) = self.ready.pop_front() {
            self.results.insert(key(&record), record.clone());
            return Some(record);
        }
        while self.running && self.asking.len() < self.at_once {
            let Some(port) = self.waiting.pop_front() else { break };
            let (cx, sweep) = (self.cx, self.sweep);
            self.asking.push(Box::pin(async move {
                let name = sweep.names.get(&port.address).and_then(|names| names.first());
                let endpoint = Endpoint { address: port.address, transport: port.protocol, port: port.port };
                let answer = services::identify(cx, &endpoint, name.map(String::as_str)).await;
                (port, answer)
            }));
        }
        let (mut record, observation) = self.asking.next().await?;
        if let Some(found) = observation.observed() {
            record.service.clone_from(&found.service);
            record.tls = found.tls;
            record.starttls = found.starttls;
            record.product.clone_from(&found.product);
            record.version.clone_from(&found.version);
            record.cpe.clone_from(&found.cpe);
            record.banner.clone_from(&found.banner);
            if found.service.is_some() && record.state == PortState::OpenFiltered {
                // The question of the right protocol was answered.
                record.state = PortState::Open;
                record.reason = Reason::UdpResponse.text();
            }
        }
        // An answer that came only because the scan is being stopped says nothing.
        if !self.cx.cancel.is_cancelled()
            && let Some(saved) = &mut self.saved
            && let Err(error) = saved.keep(&record)
        {
            self.failed.get_or_insert(error);
        }
        self.results.insert(key(&record), record.clone());
        Some(record)
    }

    /// Writes what was learned into the hosts. Returns the open ports that nobody has been told of, because the run was
    /// stopped before their turn.
    pub fn finish(self, hosts: &mut [PortsHost], stopped: bool) -> Result<Vec<PortRecord>, Error> {
        let in_trouble = hosts.iter().any(|host| {
            let listed = host.ports.iter().map(|port| port.state);
            listed.chain(host.summarised.iter().map(|sum| sum.state)).any(|state| state == PortState::Error)
        });
        let mut left = Vec::new();
        for host in hosts {
            for record in &mut host.ports {
                match self.results.get(&key(record)) {
                    Some(known) => *record = known.clone(),
                    // A host that accepts everything is told of when it is finished.
                    None if record.state == PortState::Open && !host.everything_open => left.push(record.clone()),
                    None => {}
                }
            }
            // Silent ports that were only counted, and turned out to be open.
            let (silent, udp) = (PortState::OpenFiltered, bartizan_domain::Transport::Udp);
            let of_host = (host.address, udp, 0)..=(host.address, udp, u16::MAX);
            for (_, record) in self.results.range(of_host).filter(|(_, record)| record.state == PortState::Open) {
                if host.ports.iter().any(|port| key(port) == key(record)) {
                    continue;
                }
                host.ports.push(record.clone());
                if let Some(sum) =
                    host.summarised.iter_mut().find(|sum| (sum.protocol, sum.state) == (udp, silent) && sum.count > 0)
                {
                    sum.count -= 1;
                }
            }
            host.summarised.retain(|sum| sum.count > 0);
            host.ports.sort_by_key(|port| (port.protocol, port.port));
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        // Ports in trouble are asked again by the next run.
        match self.saved {
            Some(saved) if !stopped && !in_trouble => saved.remove()?,
            _ => {}
        }
        Ok(left)
    }
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
        saved.remove().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
