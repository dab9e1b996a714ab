//! Port evidence from real sockets on loopback addresses.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::evidence::{FailureKind, Observation};
use bartizan_domain::{PortSet, Transport};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use bartizan_probes::ports::{PortPlan, gather, guard_ports};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_accepts_everything_is_unmasked() {
    let listeners: Vec<TcpListener> = (0..30).map(|_| TcpListener::bind((own(2), 0)).unwrap()).collect();
    let requested: PortSet = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
    // Which ports are asked to unmask it follows from the clock, which stands still here.
    let guards: Vec<TcpListener> =
        guard_ports(0, own(2), &requested).into_iter().map(|port| TcpListener::bind((own(2), port)).unwrap()).collect();
    let plan = PortPlan { tcp: requested, udp: PortSet::new() };
    let Observation::Observed(evidence) = gather(&context(true), &[own(2)], &plan, &|_| {}).await else {
        panic!("no evidence");
    };
    assert_eq!(evidence.everything_open, [own(2)]);
    assert!(evidence.listed.is_empty());
    assert_eq!((evidence.summarised[0].state, evidence.summarised[0].count), (PortState::Open, 30));

    drop(guards);
    let Observation::Observed(evidence) = gather(&context(true), &[own(2)], &plan, &|_| {}).await else {
        panic!("no evidence");
    };
    assert_eq!((evidence.everything_open.len(), evidence.open().count()), (0, 30), "many services are no proxy");
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
