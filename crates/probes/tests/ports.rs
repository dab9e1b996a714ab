//! Port evidence from real sockets on loopback addresses.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one test speaks to another, and one that cannot run says so"
)]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_domain::evidence::ports::{PortState, PortsEvidence};
use bartizan_domain::evidence::{FailureKind, Observation};
use bartizan_domain::{PortSet, Transport};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use bartizan_probes::ports::{PortPlan, gather};
use bartizan_test_support::FixedClock;

fn context(allow_private: bool) -> ProbeContext {
    let outbound = Outbound::new(Settings { policy: Policy { allow_private }, ..Settings::default() });
    ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-22T00:00:00Z".parse().unwrap())))
}

/// A loopback address of its own for each test, so that listeners of other tests are not seen.
const fn own(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 86, 18, last))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_and_closed_ports_over_tcp_and_udp() {
    let listener = TcpListener::bind((own(1), 0)).unwrap();
    let tcp = listener.local_addr().unwrap().port();
    let udp = UdpSocket::bind((own(1), 0)).unwrap();
    let answering = udp.local_addr().unwrap().port();
    let answer = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let (_, peer) = udp.recv_from(&mut buffer).unwrap();
        udp.send_to(b"here", peer).unwrap();
        // Kept until the end of the scan: a closed socket would answer the next question with a refusal.
        udp
    });
    let closed = UdpSocket::bind((own(1), 0)).unwrap().local_addr().unwrap().port();
    let plan = PortPlan { tcp: [tcp, 1].into_iter().collect(), udp: [answering, closed].into_iter().collect() };
    let last = AtomicU64::new(0);
    let report = |progress: bartizan_probes::ports::PortProgress| {
        assert_eq!(progress.total, 4);
        last.store(progress.done, Ordering::SeqCst);
    };
    let Observation::Observed(evidence) = gather(&context(true), &[own(1)], &plan, &report).await else {
        panic!("no evidence");
    };
    let states: Vec<_> = evidence.listed.iter().map(|port| (port.protocol, port.port, port.state)).collect();
    let mut expected = vec![(Transport::Tcp, 1, PortState::Closed), (Transport::Tcp, tcp, PortState::Open)];
    expected.push((Transport::Udp, answering, PortState::Open));
    expected.push((Transport::Udp, closed, PortState::Closed));
    expected.sort_by_key(|(transport, port, _)| (*transport, *port));
    assert_eq!(states, expected);
    assert_eq!(last.load(Ordering::SeqCst), 4);
    assert_eq!((evidence.incomplete, evidence.everything_open.len()), (None, 0));
    drop(answer.join().unwrap());
}

/// Not a test of its own: the two below run it in a network of its own, where a filter decides what accepts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_network_of_its_own() {
    if std::env::var_os("PROBES_TEST_PORTS").is_none() {
        return;
    }
    let _server = TcpListener::bind("127.0.0.1:8000").unwrap();
    let plan = PortPlan { tcp: (1..=60).collect(), udp: PortSet::new() };
    // The broadcast address of the loopback network belongs to no host.
    let nobody = gather(&context(true), &["127.255.255.255".parse().unwrap()], &plan, &|_| {}).await;
    let incomplete = nobody.observed().and_then(|evidence| evidence.incomplete.clone()).unwrap();
    assert!(incomplete.contains("belongs to no host"), "{incomplete}");
    let Observation::Observed(evidence) = gather(&context(true), &[own(2)], &plan, &|_| {}).await else {
        panic!("no evidence");
    };
    println!("{}", serde_json::to_string(&evidence).unwrap());
}

/// The evidence of a scan of ports 1 to 60 of an address, where these rules hold. Needs root, `ip` and `nft`; without, it
/// says so.
fn evidence_under(rules: &str) -> Option<PortsEvidence> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let name = format!("bzpp{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let run = |arguments: &[&str]| Command::new("ip").args(arguments).output().unwrap();
    if !run(&["netns", "add", &name]).status.success() {
        eprintln!("NOT RUN: network namespaces need root");
        return None;
    }
    assert!(run(&["-n", &name, "link", "set", "lo", "up"]).status.success());
    let mut nft =
        Command::new("ip").args(["netns", "exec", &name, "nft", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
    assert!(nft.wait().unwrap().success());
    let output = Command::new("ip")
        .args(["netns", "exec", &name])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "in_a_network_of_its_own", "--nocapture"])
        .env("PROBES_TEST_PORTS", "1")
        .output()
        .unwrap();
    run(&["netns", "delete", &name]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.find("{\"requested\"").map(|at| &line[at..]));
    Some(serde_json::from_str(line.unwrap_or_else(|| panic!("{output:?}"))).unwrap())
}

#[test]
fn an_address_that_accepts_everything_is_unmasked() {
    let proxy = |ports: &str| {
        format!(
            "table ip proxy {{ chain output {{ type nat hook output priority -100;\n\
             ip daddr 127.86.18.2 tcp dport {ports} redirect to :8000\n }}\n }}\n"
        )
    };
    let Some(evidence) = evidence_under(&proxy("1-65535")) else { return };
    assert_eq!(evidence.everything_open, [own(2)]);
    assert!(evidence.listed.is_empty());
    assert_eq!((evidence.summarised[0].state, evidence.summarised[0].count), (PortState::Open, 60));

    let evidence = evidence_under(&proxy("1-60")).unwrap();
    assert_eq!((evidence.everything_open.len(), evidence.open().count()), (0, 60), "many services are no proxy");
    assert_eq!(evidence.confirmed().count(), 60);
}

#[test]
fn a_port_that_accepts_once_is_not_plainly_open() {
    let once = |port: u16| {
        format!(
            "tcp dport {port} tcp flags syn meter m{port} {{ ip daddr limit rate over 1/hour burst 1 packets }} drop\n"
        )
    };
    let rules = format!(
        "table ip lab {{ chain first {{ type filter hook output priority -300;\n{}{} }}\n\
         chain output {{ type nat hook output priority -100;\n\
         ip daddr 127.86.18.2 tcp dport {{ 7, 9, 11 }} redirect to :8000\n }}\n }}\n",
        once(7),
        once(9),
    );
    let Some(evidence) = evidence_under(&rules) else { return };
    let open: Vec<(u16, bool)> = evidence.open().map(|port| (port.port, port.unconfirmed)).collect();
    assert_eq!(open, [(7, true), (9, true), (11, false)]);
    assert_eq!(evidence.confirmed().map(|port| port.port).collect::<Vec<_>>(), [11]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_local_address_of_a_name_does_not_take_the_others_with_it() {
    let listener = TcpListener::bind((own(5), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let plan = PortPlan { tcp: [port].into_iter().collect(), udp: PortSet::new() };
    let addresses = [own(5), "fe80::1".parse().unwrap(), "fe80:0:3::1".parse().unwrap()];
    let Observation::Observed(evidence) = gather(&context(true), &addresses, &plan, &|_| {}).await else {
        panic!("no evidence");
    };
    let open: Vec<_> = evidence.open().map(|port| (port.address, port.port)).collect();
    assert_eq!(open, [(own(5), port)]);
    assert!(evidence.incomplete.unwrap().contains("link-local"));
}

#[tokio::test]
async fn forbidden_addresses_and_empty_plans_are_not_contacted() {
    let plan = PortPlan { tcp: PortSet::all(), udp: PortSet::new() };
    let denied = gather(&context(false), &[own(3)], &plan, &|_| {}).await;
    assert!(matches!(denied, Observation::Failed(failure) if failure.kind == FailureKind::Denied));
    let nothing = gather(&context(true), &[own(3)], &PortPlan::default(), &|_| {}).await;
    assert!(matches!(nothing, Observation::NotAttempted { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_scan_says_that_it_is_incomplete() {
    let cx = context(true);
    cx.cancel.cancel();
    let plan = PortPlan { tcp: PortSet::all(), udp: PortSet::new() };
    let Observation::Observed(evidence) = gather(&cx, &[own(4)], &plan, &|_| {}).await else {
        panic!("no evidence");
    };
    assert!(evidence.incomplete.is_some());
    assert!(evidence.closed_on_every_address().len() < 65_535);
}
