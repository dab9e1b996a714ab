//! Two network namespaces with a veth pair between them.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stderr, reason = "a test that cannot run says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bartizan_portscan::lab::{Link, carry};
use bartizan_portscan::{
    Control, Engine, Event, Finding, HostReport, Job, Outcome, Protocol, State, raw_available, run,
};

/// Two namespaces: `near`, from which is scanned (10.99.N.2, fd99:N::2), and `far` (10.99.N.1, fd99:N::1, and all of
/// 10.98.N.0/29, which is reached through it).
pub struct Lab {
    pub near: String,
    pub far: String,
    /// Further namespaces, and what carries packets between the two, until told to stop.
    pub others: Vec<String>,
    carrier: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
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
        Self::wired(None)
    }

    /// The same with a link between the two that delays, loses and lets overtake.
    pub fn over(link: Link) -> Option<Self> {
        Self::wired(Some(link))
    }

    fn wired(link: Option<Link>) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() || raw_available().is_err() {
            eprintln!("NOT RUN: the raw engine is tested in network namespaces, which needs root with CAP_NET_RAW");
            return None;
        }
        let tag = format!("bzps{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut lab = Self { near: format!("{tag}n"), far: format!("{tag}f"), others: Vec::new(), carrier: None };
        for name in [&lab.near, &lab.far] {
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
        }
        if let Some(link) = link {
            lab.carry(format!("{tag}m"), link);
        } else {
            ip(&format!("link add v0 netns {} type veth peer name v1 netns {}", lab.near, lab.far));
        }
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

    /// Puts a third namespace with the link in the middle.
    fn carry(&mut self, middle: String, link: Link) {
        ip(&format!("netns add {middle}"));
        ip(&format!("link add v0 netns {} type veth peer name w0 netns {middle}", self.near));
        ip(&format!("link add v1 netns {} type veth peer name w1 netns {middle}", self.far));
        for device in ["w0", "w1"] {
            ip(&format!("-n {middle} link set {device} up"));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (name, told) = (middle.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || inside(&name, || carry("w0", "w1", link, &told).unwrap()));
        self.others.push(middle);
        self.carrier = Some((stop, thread));
    }

    /// Rules of the far side.
    pub fn rules(&self, chain: &str) {
        command("ip", &["netns", "exec", &self.far, "nft", "-f", "-"], chain);
    }

    /// Has the far side accept connections to all its TCP ports, as a proxy does. `more` are further chains of the table.
    pub fn accept_everything(&self, more: &str) {
        let listener = self.at_far(|| TcpListener::bind("10.99.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        // A queue that nobody empties is full after a hundred connections.
        std::thread::spawn(move || listener.incoming().for_each(drop));
        self.rules(&format!(
            "table ip proxy {{ chain prerouting {{ type nat hook prerouting priority -100;\n \
             tcp dport 1-65535 redirect to :{port}\n }}\n {more}\n }}\n"
        ));
    }

    /// Rules of the side that scans.
    pub fn rules_of_near(&self, chain: &str) {
        command("ip", &["netns", "exec", &self.near, "nft", "-f", "-"], chain);
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
        if let Some((stop, thread)) = self.carrier.take() {
            stop.store(true, Ordering::Relaxed);
            // What went wrong with it shows in the test.
            let _ = thread.join();
        }
        for name in [&self.near, &self.far].into_iter().chain(&self.others) {
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

/// Carries packets between two TUN devices, one in each namespace, and takes its time for some of them: seconds, the third
/// argument, for all, for TCP, or for acceptances, as the fourth says.
const RELAY: &str = "
import ctypes, fcntl, heapq, os, select, struct, sys, time
libc = ctypes.CDLL(None)
def tun(space):
    inside = os.open('/var/run/netns/' + space, os.O_RDONLY)
    assert libc.setns(inside, 0x40000000) == 0
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, 0x400454ca, struct.pack('16sH22x', b't0', 0x1001))
    return device
one, two = tun(sys.argv[1]), tun(sys.argv[2])
def is_slow(packet):
    tcp = packet[0] >> 4 == 4 and packet[9] == 6
    flags = packet[(packet[0] & 15) * 4 + 13] if tcp else 0
    return {'all': True, 'tcp': tcp, 'acceptances': flags & 0x12 == 0x12}[sys.argv[4]]
late, number = [], 0
print('ready', flush=True)
while True:
    wait = max(0, late[0][0] - time.monotonic()) if late else None
    for device in select.select([one, two], [], [], wait)[0]:
        packet, number = os.read(device, 65536), number + 1
        due = time.monotonic() + (float(sys.argv[3]) if is_slow(packet) else 0)
        heapq.heappush(late, (due, number, two if device == one else one, packet))
    while late and late[0][0] <= time.monotonic():
        _, _, device, packet = heapq.heappop(late)
        try:
            os.write(device, packet)
        except OSError:
            pass
";

/// A layer-3 device in each namespace and what carries packets between them, until it is dropped: 10.97.0.2 and fd97::2 near,
/// 10.97.0.1 and fd97::1 far.
pub struct Relay(Child);

impl Relay {
    pub fn new(lab: &Lab) -> Self {
        Self::slow(lab, Duration::ZERO, "all")
    }

    /// One on which packets take `delay` to the other side: `all`, those of `tcp`, or `acceptances` alone.
    pub fn slow(lab: &Lab, delay: Duration, packets: &str) -> Self {
        let delay = delay.as_secs_f64().to_string();
        let mut command = Command::new("python3");
        command.args(["-c", RELAY, &lab.near, &lab.far, &delay, packets]).stdout(Stdio::piped());
        let mut relay = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(relay.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        for (name, host) in [(&lab.near, 2), (&lab.far, 1)] {
            ip(&format!("-n {name} address add 10.97.0.{host}/24 dev t0"));
            ip(&format!("-n {name} address add fd97::{host}/64 dev t0 nodad"));
            ip(&format!("-n {name} link set t0 up"));
        }
        Self(relay)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All frames that come in over a device, kept by the kernel until they are read.
pub struct Capture(socket2::Socket);

impl Capture {
    /// To be opened inside the namespace.
    pub fn new() -> Self {
        const EVERYTHING: u16 = 3;
        let protocol = socket2::Protocol::from(i32::from(EVERYTHING.to_be()));
        let socket = socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, Some(protocol)).unwrap();
        socket.set_recv_buffer_size(8 << 20).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    /// What came so far.
    pub fn frames(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let mut buffer = [0; 2048];
        while let Ok(length) = self.0.read(&mut buffer) {
            frames.push(buffer[..length].to_vec());
        }
        frames
    }
}
