//! Where the results of all engines meet: counts them by host, hands events to the caller, writes the checkpoint.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::checkpoint::{Checkpoint, Position};
use crate::job::{AtEnd, Prepared, Report};
use crate::{
    Choice, Count, Error, Event, Finding, HostReason, HostReport, Phase, Presence, Progress, Protocol, Reason,
    Settings, State, Unfinished, masking,
};

/// Between two progress events.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Results on their way above which engines hold back.
const BACKLOG: usize = 200_000;

/// A result in the numbers of the job: index of the target, index of the port with TCP ports first.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub host: u32,
    pub port: u32,
    pub state: State,
    pub reason: Reason,
    /// 0 if nothing answered.
    pub rtt_us: u32,
    /// 0 if not seen.
    pub ttl: u8,
    pub attempts: u8,
}

/// A host is finished; what is not told here follows from its results.
#[derive(Debug, Clone, Default)]
pub struct HostEnd {
    pub host: u32,
    pub presence: Option<Presence>,
    pub rtt_us: u32,
    pub mac: Option<[u8; 6]>,
    pub accepts_everything: bool,
    pub unconfirmed: Vec<u16>,
}

/// From an engine to the collector.
#[derive(Debug)]
pub enum Message {
    Records(Vec<Record>),
    Host(Box<HostEnd>),
    Engine(Choice),
    Positions(Vec<(u32, Position)>),
    /// Open TCP ports (host, port) that accepted a second time.
    Confirmed(Vec<(u32, u32)>),
    /// A host that accepts everything, which is told again at its end.
    Masked(u32),
    /// Hosts that were found to be there.
    Up(Vec<(u32, HostReason)>),
    Note(String),
}

/// The engines' end of the line.
#[derive(Debug, Clone)]
pub struct Messenger {
    sender: Sender<Message>,
    backlog: Arc<AtomicUsize>,
    pub traffic: Arc<Traffic>,
}

/// Counted by the engines, read for progress.
#[derive(Debug, Default)]
pub struct Traffic {
    pub attempts: AtomicU64,
    pub sent: AtomicU64,
    pub received: AtomicU64,
    pub dropped: AtomicU64,
    /// Whether hosts are being looked for, at how many addresses, and how many answered.
    pub looking: AtomicBool,
    pub hosts: AtomicU64,
    pub hosts_found: AtomicU64,
}

impl Messenger {
    pub fn new() -> (Self, Receiver<Message>) {
        let (sender, receiver) = channel();
        (Self { sender, backlog: Arc::default(), traffic: Arc::default() }, receiver)
    }

    pub fn records(&self, records: Vec<Record>) {
        self.backlog.fetch_add(records.len(), Relaxed);
        self.tell(Message::Records(records));
    }

    pub fn tell(&self, message: Message) {
        // The collector outlives the engines; if it panicked, nobody is interested any more.
        let _ = self.sender.send(message);
    }

    /// Whether the caller is too slow for the results, so that no more should be produced.
    pub fn is_congested(&self) -> bool {
        self.backlog.load(Relaxed) > BACKLOG
    }
}

/// Runs an engine whose results are for another one and not for the caller: `take` gets each, on a thread of its own, so that
/// the engine never waits for a reader that comes after it.
///
/// # Errors
/// If there is no thread to be had, or what `work` says.
pub fn aside(
    traffic: &Arc<Traffic>,
    mut take: impl FnMut(&Record) + Send,
    work: impl FnOnce(&Messenger) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut messenger, messages) = Messenger::new();
    messenger.traffic = Arc::clone(traffic);
    let backlog = Arc::clone(&messenger.backlog);
    std::thread::scope(move |scope| {
        let read = move || {
            for message in messages {
                if let Message::Records(records) = message {
                    records.iter().for_each(&mut take);
                    backlog.fetch_sub(records.len(), Relaxed);
                }
            }
        };
        std::thread::Builder::new().name("portscan-aside".into()).spawn_scoped(scope, read)?;
        // The reader ends when the messenger is gone.
        let messenger = messenger;
        work(&messenger)
    })
}

/// Puts counts into the order in which they are told: the most ports first.
fn order(counts: &mut [Count]) {
    counts.sort_by_key(|count| (count.protocol, std::cmp::Reverse(count.ports), count.state, count.reason));
}

/// The results of one host so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub counts: Vec<Count>,
    pub ended: bool,
    /// Whether it accepts everything.
    pub masked: bool,
}

impl Tally {
    /// Counts a result; returns how many there are of its protocol and state.
    fn add(&mut self, protocol: Protocol, state: State, reason: Reason) -> u32 {
        let known = self.counts.iter_mut().find(|c| (c.protocol, c.state, c.reason) == (protocol, state, reason));
        match known {
            Some(count) => count.ports += 1,
            None => self.counts.push(Count { protocol, state, reason, ports: 1 }),
        }
        let same = self.counts.iter().filter(|count| (count.protocol, count.state) == (protocol, state));
        same.map(|count| count.ports).sum()
    }
}

/// Collects until every engine has hung up.
pub struct Collector<'a> {
    prepared: &'a Prepared,
    report: Report,
    at_end: AtEnd,
    /// Results that say nothing about a port, which another run is to ask again.
    errors: u64,
    pub tallies: Vec<Tally>,
    pub progress: Progress,
    pub engines: Vec<Choice>,
    /// What went wrong, one sentence each.
    pub gaps: Vec<String>,
    /// Pairs that an earlier run had done.
    replayed: u64,
    checkpoint: Option<Checkpoint>,
    /// Why the checkpoint could not be written the last time, and whether the caller knows.
    unsaved: Option<Error>,
    told_unsaved: bool,
    // Not the whole messenger: whoever holds its sender keeps the line open.
    backlog: Arc<AtomicUsize>,
    traffic: Arc<Traffic>,
}

impl<'a> Collector<'a> {
    pub fn new(
        prepared: &'a Prepared,
        settings: &Settings,
        messenger: &Messenger,
        checkpoint: Option<Checkpoint>,
    ) -> Self {
        Self {
            prepared,
            report: settings.report,
            at_end: settings.at_end,
            errors: 0,
            tallies: vec![Tally::default(); prepared.targets.len()],
            progress: Progress { total: prepared.total, ..Progress::default() },
            engines: Vec::new(),
            gaps: Vec::new(),
            replayed: 0,
            checkpoint,
            unsaved: None,
            told_unsaved: false,
            backlog: Arc::clone(&messenger.backlog),
            traffic: Arc::clone(&messenger.traffic),
        }
    }

    /// Hands over what an earlier run of the same job had found.
    pub fn replay(&mut self, sink: &mut dyn FnMut(Event)) {
        let Some(mut checkpoint) = self.checkpoint.take() else { return };
        let (taken_up, notes) = checkpoint.taken_up();
        if let Some(taken_up) = taken_up {
            sink(Event::TakenUp(Box::new(taken_up)));
        }
        notes.into_iter().for_each(|note| sink(Event::Note(note)));
        for (host, tally) in checkpoint.tallies() {
            if let Some(own) = self.tallies.get_mut(host) {
                if !checkpoint.is_withheld(host) {
                    self.progress.done += tally.counts.iter().map(|count| u64::from(count.ports)).sum::<u64>();
                }
                *own = tally;
            }
        }
        // Pairs that are not to be asked any more are done.
        self.progress.done += checkpoint.withheld() as u64 * self.prepared.ports_each();
        for finding in checkpoint.found() {
            self.progress.open += u64::from(finding.state == State::Open);
            sink(Event::Found(*finding));
        }
        for (address, port) in checkpoint.confirmed_before(self.prepared) {
            sink(Event::Confirmed { address, port });
        }
        for (host, (tally, ended)) in self.tallies.iter_mut().zip(checkpoint.ended_before()).enumerate() {
            tally.ended |= *ended || checkpoint.is_withheld(host);
        }
        for report in checkpoint.reports() {
            self.progress.done += self.prepared.ports_each();
            sink(Event::Host(Box::new(report)));
        }
        self.replayed = self.progress.done;
        self.checkpoint = Some(checkpoint);
    }

    /// Reads messages until every engine has hung up.
    pub fn collect(&mut self, receiver: &Receiver<Message>, sink: &mut dyn FnMut(Event)) {
        let mut last = Instant::now();
        self.tick();
        sink(Event::Progress(self.progress));
        loop {
            let wait = match &self.checkpoint {
                Some(checkpoint) => checkpoint.due().min(PROGRESS_EVERY),
                None => PROGRESS_EVERY,
            };
            match receiver.recv_timeout(wait) {
                Ok(message) => self.take(message, sink),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.due().is_zero()) {
                self.save(sink);
            }
            if last.elapsed() >= PROGRESS_EVERY {
                last = Instant::now();
                self.tick();
                sink(Event::Progress(self.progress));
            }
        }
        self.tick();
        sink(Event::Progress(self.progress));
    }

    /// Writes the checkpoint. A disk that is full ends no scan: the caller is told of it once, the last good state stays, and
    /// it is tried again.
    fn save(&mut self, sink: &mut dyn FnMut(Event)) {
        let Some(checkpoint) = &mut self.checkpoint else { return };
        let written = checkpoint.write(&self.tallies);
        self.saved(written, sink);
    }

    fn saved(&mut self, written: Result<(), Error>, sink: &mut dyn FnMut(Event)) {
        match written {
            Ok(()) => self.unsaved = None,
            Err(error) => {
                if !std::mem::replace(&mut self.told_unsaved, true) {
                    sink(Event::Note(format!("{error}; the scan goes on, and the state there is an older one")));
                }
                self.unsaved = Some(error);
            }
        }
    }

    /// The run is over: a complete one needs no checkpoint any more, another one leaves an exact one.
    pub fn close(&mut self, sink: &mut dyn FnMut(Event)) {
        let complete = self.progress.done >= self.progress.total && self.errors == 0;
        let Some(checkpoint) = &mut self.checkpoint else { return };
        if complete && self.at_end == AtEnd::Remove {
            if let Err(error) = checkpoint.remove() {
                self.gap(error.to_string(), sink);
            }
        } else {
            let written = checkpoint.write_and_wait(&self.tallies);
            self.saved(written, sink);
        }
        // The caller was told of it when it happened.
        self.gaps.extend(self.unsaved.take().map(|error| error.to_string()));
    }

    /// Something went wrong, and what was found stands.
    pub fn gap(&mut self, text: String, sink: &mut dyn FnMut(Event)) {
        sink(Event::Note(text.clone()));
        self.gaps.push(text);
    }

    /// Whether this run asked anybody anything, or has results of its own.
    pub const fn has_begun(&self) -> bool {
        self.progress.attempts > 0 || self.progress.done > self.replayed
    }

    /// The run did nothing: no checkpoint of it is left.
    pub fn discard(&mut self) -> Result<(), Error> {
        self.checkpoint.as_mut().map_or(Ok(()), Checkpoint::remove)
    }

    fn tick(&mut self) {
        let traffic = &self.traffic;
        self.progress.phase = if traffic.looking.load(Relaxed) { Phase::Discovery } else { Phase::Ports };
        self.progress.hosts = traffic.hosts.load(Relaxed);
        self.progress.hosts_found = traffic.hosts_found.load(Relaxed);
        self.progress.attempts = traffic.attempts.load(Relaxed);
        self.progress.sent = traffic.sent.load(Relaxed);
        self.progress.received = traffic.received.load(Relaxed);
        self.progress.dropped = traffic.dropped.load(Relaxed);
    }

    fn take(&mut self, message: Message, sink: &mut dyn FnMut(Event)) {
        match message {
            Message::Records(records) => {
                for record in &records {
                    self.record(record, sink);
                }
                self.backlog.fetch_sub(records.len(), Relaxed);
            }
            Message::Host(end) => self.end(*end, sink),
            Message::Engine(choice) => {
                self.engines.push(choice.clone());
                sink(Event::Engine(choice));
            }
            Message::Confirmed(pairs) => {
                for (host, port) in pairs {
                    if let Some(checkpoint) = &mut self.checkpoint {
                        checkpoint.confirmed(host, port);
                    }
                    if let (Some(address), Some((_, port))) = (self.address(host), self.prepared.port(port as usize)) {
                        sink(Event::Confirmed { address, port });
                    }
                }
            }
            Message::Up(hosts) => {
                if let Some(checkpoint) = &mut self.checkpoint {
                    checkpoint.up(hosts);
                }
            }
            Message::Note(text) => sink(Event::Note(text)),
            Message::Masked(host) => {
                if let Some(tally) = self.tallies.get_mut(host as usize) {
                    tally.masked = true;
                }
            }
            Message::Positions(positions) => {
                if let Some(checkpoint) = &mut self.checkpoint {
                    checkpoint.positions(positions);
                }
            }
        }
    }

    fn record(&mut self, record: &Record, sink: &mut dyn FnMut(Event)) {
        let (Some(address), Some((protocol, port))) =
            (self.address(record.host), self.prepared.port(record.port as usize))
        else {
            return;
        };
        let (mut of_state, mut proves_nothing) = (0, false);
        if let Some(tally) = self.tallies.get_mut(record.host as usize) {
            of_state = tally.add(protocol, record.state, record.reason);
            let masked = tally.masked && protocol == Protocol::Tcp && of_state > masking::LISTED;
            proves_nothing = masked && record.state == State::Open && self.report != Report::Every;
        }
        self.errors += u64::from(record.state == State::Error);
        self.progress.done += 1;
        self.progress.open += u64::from(record.state == State::Open);
        let silent_datagram = protocol == Protocol::Udp && record.state == State::OpenFiltered;
        let listed = match (record.state, self.report) {
            (State::Open, _) => !proves_nothing,
            (_, Report::Every) => true,
            (_, Report::Open) => false,
            (_, Report::Few { silent_udp, .. }) if silent_datagram => of_state <= silent_udp,
            (_, Report::Few { each, .. }) => of_state <= each,
        };
        let finding = Finding {
            address,
            protocol,
            port,
            state: record.state,
            reason: record.reason,
            rtt: (record.rtt_us > 0).then(|| Duration::from_micros(u64::from(record.rtt_us))),
            ttl: (record.ttl > 0).then_some(record.ttl),
            attempts: record.attempts,
        };
        if let Some(checkpoint) = &mut self.checkpoint {
            // What a caller wants to have listed he wants from the whole run. Where that is everything, the counts have to be
            // enough of the states that most ports have.
            let few = matches!(self.report, Report::Few { .. });
            let kept = listed && (record.state == State::Open || few || silent_datagram);
            if record.state != State::Error {
                checkpoint.done(record.host, record.port, kept.then_some(finding));
            }
        }
        if listed {
            sink(Event::Found(finding));
        }
    }

    fn end(&mut self, end: HostEnd, sink: &mut dyn FnMut(Event)) {
        let Some(address) = self.address(end.host) else { return };
        let Some(tally) = self.tallies.get_mut(end.host as usize).filter(|tally| !tally.ended) else { return };
        tally.ended = true;
        let mut counts = std::mem::take(&mut tally.counts);
        order(&mut counts);
        let answers = |count: &Count| matches!(count.state, State::Open | State::Closed);
        let answered = counts.iter().any(answers);
        // Whom an earlier run looked for was not looked for again.
        let known = self.checkpoint.as_ref().and_then(|checkpoint| checkpoint.presence(end.host));
        let presence = match end.presence.or(known) {
            Some(Presence::Down(_)) | None if answered => Presence::Up(HostReason::Port),
            other => other.unwrap_or(Presence::Unknown),
        };
        // The ports of a host that is down were not asked and are done nevertheless.
        let asked: u64 = counts.iter().map(|count| u64::from(count.ports)).sum();
        self.progress.done += self.prepared.ports_each().saturating_sub(asked);
        let report = HostReport {
            address,
            presence,
            rtt: (end.rtt_us > 0).then(|| Duration::from_micros(u64::from(end.rtt_us))),
            mac: end.mac,
            counts,
            accepts_everything: end.accepts_everything,
            unconfirmed: end.unconfirmed,
        };
        if let Some(checkpoint) = &mut self.checkpoint {
            let counts = report.counts.iter().filter(|count| count.state != State::Error);
            if counts.clone().count() == report.counts.len() {
                checkpoint.ended(end.host, report.clone());
            } else {
                // Not finished in the eyes of a later run, which asks the rest from the beginning.
                tally.counts = counts.copied().collect();
                checkpoint.positions(vec![(end.host, Position::default())]);
            }
        }
        sink(Event::Host(Box::new(report)));
    }

    /// The hosts that have results and no report.
    pub fn unfinished(&mut self) -> Vec<Unfinished> {
        let begun = |(_, tally): &(&IpAddr, &mut Tally)| !tally.ended && !tally.counts.is_empty();
        let hosts = self.prepared.targets.iter().zip(&mut self.tallies).filter(begun);
        let left = hosts.map(|(address, tally)| {
            let mut counts = std::mem::take(&mut tally.counts);
            order(&mut counts);
            Unfinished { address: *address, counts, accepts_everything: tally.masked }
        });
        left.collect()
    }

    fn address(&self, host: u32) -> Option<IpAddr> {
        self.prepared.targets.get(host as usize).copied()
    }
}
