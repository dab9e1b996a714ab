//! Two network namespaces with a veth pair between them.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bartizan_portscan::{
    Control, Engine, Event, Finding, HostReport, Job, Outcome, Protocol, State, raw_available, run,
};

/// Two namespaces: `near`, from which is scanned (10.99.N.2, fd99:N::2), and `far` (10.99.N.1, fd99:N::1, and all of
/// 10.98.N.0/29, which is reached through it).
pub struct Lab {
    pub near: String,
    pub far: String,
}

pub fn command(program: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`{program}` is needed: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn ip(arguments: &str) {
    command("ip", &arguments.split_whitespace().collect::<Vec<_>>(), "");
}

impl Lab {
    /// `None` without the privilege, and then it says so.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() || raw_available().is_err() {
            eprintln!("NOT RUN: the raw engine is tested in network namespaces, which needs root with CAP_NET_RAW");
            return None;
        }
        let tag = format!("bzps{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let lab = Self { near: format!("{tag}n"), far: format!("{tag}f") };
        for name in [&lab.near, &lab.far] {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        ip(&format!("link add v0 netns {} type veth peer name v1 netns {}", lab.near, lab.far));
        for (name, device, host) in [(&lab.near, "v0", 2), (&lab.far, "v1", 1)] {
            ip(&format!("-n {name} address add 10.99.0.{host}/24 dev {device}"));
            ip(&format!("-n {name} address add fd99::{host}/64 dev {device} nodad"));
            ip(&format!("-n {name} link set {device} up"));
        }
        ip(&format!("-n {} route add 10.98.0.0/24 via 10.99.0.1", lab.near));
        ip(&format!("-n {} route add local 10.98.0.0/29 dev lo", lab.far));
        lab.wait_for_ip6();
        Some(lab)
    }

    /// The kernel takes notice of a carrier up to a second later, and answers for no IPv6 address until then.
    fn wait_for_ip6(&self) {
        let limit = Instant::now() + Duration::from_secs(30);
        for (name, address) in [(&self.near, "fd99::2"), (&self.far, "fd99::1")] {
            let route = ["-n", name, "-6", "route", "show", "table", "local", address];
            while command("ip", &route, "").trim().is_empty() {
                assert!(Instant::now() < limit, "{name} does not take on {address}");
            }
        }
    }

    pub fn rules(&self, chain: &str) {
        command("ip", &["netns", "exec", &self.far, "nft", "-f", "-"], chain);
    }

    /// Packets counted by the counter `name` of the table `inet lab`.
    pub fn counted(&self, name: &str) -> u64 {
        self.counted_in("inet", name)
    }

    /// Packets counted by the counter `name` of the table `lab` of a family.
    pub fn counted_in(&self, family: &str, name: &str) -> u64 {
        let text = command("ip", &["netns", "exec", &self.far, "nft", "list", "counter", family, "lab", name], "");
        let (_, rest) = text.split_once("packets ").unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    pub fn at_far<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.far, work)
    }

    pub fn at_near<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.near, work)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "delete", name]).status();
        }
    }
}

/// Runs on a thread of its own inside a namespace; threads that it starts are inside too.
pub fn inside<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let namespace = std::fs::File::open(format!("/var/run/netns/{name}")).unwrap();
            let kind = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind).unwrap();
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Everything that a run told.
#[derive(Default)]
pub struct Results {
    pub findings: BTreeMap<(IpAddr, Protocol, u16), Finding>,
    pub hosts: BTreeMap<IpAddr, HostReport>,
    pub engines: Vec<Engine>,
}

impl Results {
    pub fn open(&self) -> BTreeSet<(IpAddr, u16)> {
        self.findings.values().filter(|f| f.state == State::Open).map(|f| (f.address, f.port)).collect()
    }

    pub fn count(&self, address: &str, state: State) -> usize {
        let address: IpAddr = address.parse().unwrap();
        self.findings.values().filter(|f| f.address == address && f.state == state).count()
    }
}

pub fn work(job: &Job) -> (Results, Outcome) {
    work_and(job, |_| {})
}

/// Runs a job and hands each event to `also`.
pub fn work_and(job: &Job, mut also: impl FnMut(&Event)) -> (Results, Outcome) {
    let mut results = Results::default();
    let outcome = run(job, &Control::new(), |event| {
        also(&event);
        match event {
            Event::Found(finding) => {
                let key = (finding.address, finding.protocol, finding.port);
                assert_eq!(results.findings.insert(key, finding), None, "a second result for {key:?}");
            }
            Event::Host(report) => {
                let address = report.address;
                assert!(results.hosts.insert(address, *report).is_none(), "a second report of {address}");
            }
            Event::Engine(choice) => results.engines.push(choice.engine),
            _ => {}
        }
    })
    .unwrap();
    (results, outcome)
}

pub fn listen(addresses: &[&str], count: usize) -> (Vec<TcpListener>, BTreeSet<(IpAddr, u16)>) {
    let listeners: Vec<TcpListener> = addresses
        .iter()
        .flat_map(|address| (0..count).map(move |_| TcpListener::bind((*address, 0)).unwrap()))
        .collect();
    let pairs = listeners.iter().map(|l| l.local_addr().unwrap()).map(|a| (a.ip(), a.port())).collect();
    (listeners, pairs)
}

pub fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}
