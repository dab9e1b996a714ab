//! The engine against this machine: every port of a loopback address, with listeners that are known.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bartizan_portscan::{Control, Event, Finding, Job, Reason, State, descriptors, run};

fn job(targets: &[IpAddr], ports: impl IntoIterator<Item = u16>) -> Job {
    Job::new(targets.to_vec(), ports.into_iter().collect())
}

fn scan(job: &Job) -> (Vec<Finding>, bartizan_portscan::Outcome) {
    let mut findings = Vec::new();
    let outcome = run(job, &Control::new(), |event| {
        if let Event::Found(finding) = event {
            findings.push(finding);
        }
    })
    .unwrap();
    (findings, outcome)
}

/// Ports on which anybody on this machine listens on `address`, by the kernel's own table.
fn listening(address: Ipv4Addr) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    for (table, wildcard) in [("/proc/net/tcp", "00000000"), ("/proc/net/tcp6", "00000000000000000000000000000000")] {
        let own = format!("{:08X}", u32::from_le_bytes(address.octets()));
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let mut columns = line.split_whitespace().skip(1);
            let (local, state) = (columns.next().unwrap(), columns.nth(1).unwrap());
            let (host, port) = local.split_once(':').unwrap();
            if state == "0A" && (host == wildcard || host == own) {
                ports.insert(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    ports
}

#[test]
fn all_65535_ports_with_known_listeners() {
    descriptors::raise_limit();
    // An address of its own keeps other tests' loopback listeners out of the picture; what listens on every address
    // is in the kernel's table.
    let address = Ipv4Addr::new(127, 86, 17, 3);
    let listeners: Vec<TcpListener> = (0..40).map(|_| TcpListener::bind((address, 0)).unwrap()).collect();
    let ours: BTreeSet<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    let before = listening(address);
    let (findings, outcome) = scan(&job(&[address.into()], 1..=u16::MAX));
    let after = listening(address);

    assert!(!outcome.cancelled);
    assert_eq!(outcome.progress.done, 65_535);
    let mut states: BTreeMap<u16, State> = BTreeMap::new();
    for finding in &findings {
        assert_eq!(states.insert(finding.port, finding.state), None, "two results for port {}", finding.port);
    }
    assert_eq!(states.len(), 65_535);
    let open: BTreeSet<u16> =
        states.iter().filter(|(_, state)| **state == State::Open).map(|(port, _)| *port).collect();
    assert!(open.is_superset(&ours), "missed {:?}", ours.difference(&open).collect::<Vec<_>>());
    let possible: BTreeSet<u16> = before.union(&after).copied().collect();
    assert!(open.is_subset(&possible), "invented {:?}", open.difference(&possible).collect::<Vec<_>>());
    assert!(states.values().all(|state| matches!(state, State::Open | State::Closed)));
}

#[test]
fn both_address_families_and_forbidden_targets() {
    let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
    let v6 = TcpListener::bind("[::1]:0").unwrap();
    let ports = [v4.local_addr().unwrap().port(), v6.local_addr().unwrap().port()];
    let forbidden: IpAddr = "127.0.0.9".parse().unwrap();
    let mut job = job(
        &["127.0.0.1".parse().unwrap(), "::1".parse().unwrap(), "::ffff:127.0.0.1".parse().unwrap(), forbidden],
        ports.into_iter().chain(ports).chain([0]),
    );
    job.never = Arc::new(move |address| address == forbidden);
    let (findings, outcome) = scan(&job);
    assert_eq!(outcome.refused, [forbidden]);
    assert_eq!(findings.len(), 4, "two addresses x two ports, each once: {findings:?}");
    let open: BTreeSet<(IpAddr, u16)> =
        findings.iter().filter(|f| f.state == State::Open).map(|f| (f.address, f.port)).collect();
    assert!(open.contains(&("127.0.0.1".parse().unwrap(), ports[0])));
    assert!(open.contains(&("::1".parse().unwrap(), ports[1])));
    assert!(findings.iter().filter(|f| f.state == State::Open).all(|f| f.rtt.is_some() && f.reason == Reason::SynAck));
}

#[test]
fn silence_is_asked_twice_and_then_filtered() {
    // A listener whose accept queue is full drops what follows, which is what a filter looks like from outside.
    let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 64, "the queue never fills");
    }
    let mut job = job(&[address.ip()], [address.port()]);
    job.settings.timeout = Duration::from_millis(100);
    let (findings, _) = scan(&job);
    assert_eq!((findings[0].state, findings[0].reason, findings[0].attempts), (State::Filtered, Reason::NoResponse, 2));
}

#[test]
fn a_cancelled_run_says_so_and_a_paused_one_waits() {
    let control = Control::new();
    control.pause();
    let job = job(&[IpAddr::from([127, 86, 17, 4])], 1..=u16::MAX);
    let other = control.clone();
    let mut first_progress = true;
    let outcome = run(&job, &control, |event| match event {
        Event::Progress(progress) if first_progress => {
            assert_eq!(progress.done, 0);
            first_progress = false;
        }
        Event::Progress(progress) if progress.done == 0 && !other.is_cancelled() => other.resume(),
        Event::Found(_) => other.cancel(),
        _ => {}
    })
    .unwrap();
    assert!(outcome.cancelled && outcome.progress.done < 65_535, "{outcome:?}");
}

#[test]
fn a_rate_ceiling_is_kept() {
    let mut job = job(&[IpAddr::from([127, 86, 17, 5])], 1..=200);
    job.settings.rates.global = Some(1000);
    let started = Instant::now();
    let (findings, _) = scan(&job);
    assert_eq!(findings.len(), 200);
    assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());
}

#[test]
fn an_empty_job_is_done_at_once() {
    assert_eq!(scan(&job(&[], [80])).1.progress.total, 0);
    assert_eq!(scan(&job(&[IpAddr::from([127, 0, 0, 1])], [])).1.progress.total, 0);
}
