//! The raw engine against another network stack: a second network namespace at the far end of a veth pair, with
//! listeners that are known. Needs root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bartizan_portscan::{Discovery, Engine, Finding, HostReason, Job, Presence, Protocol, Reason, State};

mod support;

use support::{Lab, addresses, listen, work};

#[test]
fn every_port_of_a_neighbour_has_its_state_over_both_families() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         tcp dport 1000-1999 drop\n tcp dport 2000-2004 reject with icmpx admin-prohibited\n }\n }\n",
    );
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1", "fd99::1"], 30));
    let mut job = Job::new(addresses(&["10.99.0.1", "fd99::1"]), (1..=u16::MAX).collect());
    job.settings.engine = Engine::Syn;
    let (results, outcome) = lab.at_near(|| work(&job));

    assert!(!outcome.cancelled && results.engines == [Engine::Syn], "{outcome:?}");
    assert_eq!(outcome.progress.done, 2 * 65_535);
    assert_eq!(results.open(), truth);
    assert_eq!(results.findings.len(), 2 * 65_535);
    for address in ["10.99.0.1", "fd99::1"] {
        assert_eq!(results.count(address, State::Filtered), 1005, "{address}");
        assert_eq!(results.count(address, State::Closed), 65_535 - 1005 - 30, "{address}");
        let report = &results.hosts[&address.parse().unwrap()];
        assert_eq!(report.presence, Presence::Up(HostReason::Neighbour));
        assert!(report.mac.is_some() && report.rtt.is_some() && !report.accepts_everything);
        assert_eq!(report.unconfirmed, [0_u16; 0]);
        let total: u32 = report.counts.iter().map(|count| count.ports).sum();
        assert_eq!(total, 65_535);
    }
    let prohibited = |f: &&Finding| f.reason == Reason::AdminProhibited;
    assert!(results.findings.values().filter(prohibited).all(|f| (2000..=2004).contains(&f.port)));
    assert!(results.findings.values().any(|f| f.reason == Reason::AdminProhibited));
    assert!(results.findings.values().filter(|f| f.state == State::Open).all(|f| f.ttl == Some(64) && f.rtt.is_some()));
}

#[test]
fn discovery_finds_who_is_there_and_exclusions_get_no_packet() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter excluded { }\n chain prerouting { type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.3 counter name excluded\n }\n }\n",
    );
    let (_listeners, truth) = lab.at_far(|| listen(&["10.98.0.1", "10.98.0.6"], 3));
    let excluded: IpAddr = "10.98.0.3".parse().unwrap();
    let targets: Vec<IpAddr> = (0..16).map(|n| IpAddr::from([10, 98, 0, n])).collect();
    let ports: Vec<u16> = truth.iter().map(|(_, port)| *port).chain([1, 2]).collect();
    for engine in [Engine::Syn, Engine::Connect] {
        let mut job = Job::new(targets.clone(), ports.clone());
        job.udp_ports = vec![9];
        job.never = Arc::new(move |address| address == excluded);
        job.settings.engine = engine;
        job.settings.discovery = Discovery::On;
        job.settings.timeout = Duration::from_millis(300);
        let (results, outcome) = lab.at_near(|| work(&job));
        assert_eq!(results.open(), truth, "{engine:?}");
        assert_eq!(outcome.refused, [excluded]);
        assert_eq!(results.hosts.len(), 15);
        for (address, report) in &results.hosts {
            let IpAddr::V4(four) = address else { panic!() };
            let here = four.octets()[3] < 8;
            assert_eq!(matches!(report.presence, Presence::Up(_)), here, "{engine:?} {address} {:?}", report.presence);
        }
    }
    assert_eq!(lab.counted("excluded"), 0);
}

#[test]
fn who_is_not_on_the_link_or_has_no_route_is_unreachable() {
    let Some(lab) = Lab::new() else { return };
    let job = Job::new(addresses(&["10.99.0.77", "192.0.2.1", "fd99::77"]), vec![80]);
    let (results, _) = lab.at_near(|| work(&job));
    let reason = |address: &str| {
        let finding = &results.findings[&(address.parse().unwrap(), Protocol::Tcp, 80)];
        (finding.state, finding.reason)
    };
    assert_eq!(reason("10.99.0.77"), (State::Unreachable, Reason::NoNeighbour));
    assert_eq!(reason("fd99::77"), (State::Unreachable, Reason::NoNeighbour));
    assert_eq!(reason("192.0.2.1"), (State::Unreachable, Reason::NoRoute));
}

#[test]
fn every_open_port_is_asked_again_and_one_that_is_silent_then_is_told() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 70));
    // Each port takes the first question and drops what comes after it.
    let rules: String = truth.iter().map(|(_, port)| format!("tcp dport {port} quota over 50 bytes drop\n")).collect();
    lab.rules(&format!("table inet lab {{ chain input {{ type filter hook input priority 0;\n{rules} }}\n }}\n"));
    let mut job = Job::new(addresses(&["10.99.0.1"]), truth.iter().map(|(_, port)| *port).chain(1..500).collect());
    job.settings.engine = Engine::Syn;
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open(), truth);
    let mut unconfirmed = results.hosts[&"10.99.0.1".parse().unwrap()].unconfirmed.clone();
    unconfirmed.sort_unstable();
    assert_eq!(unconfirmed, truth.iter().map(|(_, port)| *port).collect::<Vec<_>>());
}

#[test]
fn udp_ports_answer_refuse_or_stay_silent() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n udp dport 7 drop\n }\n }\n",
    );
    let server = lab.at_far(|| UdpSocket::bind(("10.99.0.1", 5353)).unwrap());
    let echo = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let (length, peer) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"who is there");
        server.send_to(b"me", peer).unwrap();
        server
    });
    let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
    job.udp_ports = vec![7, 9, 5353];
    job.udp_payloads = Arc::new(BTreeMap::from([(5353, vec![b"who is there".to_vec()])]));
    job.settings.timeout = Duration::from_millis(300);
    let (results, outcome) = lab.at_near(|| work(&job));
    let state = |port| results.findings[&("10.99.0.1".parse().unwrap(), Protocol::Udp, port)].state;
    assert_eq!((state(7), state(9), state(5353)), (State::OpenFiltered, State::Closed, State::Open));
    assert_eq!((outcome.progress.done, results.hosts.len()), (3, 1));
    drop(echo.join().unwrap());
}

#[test]
fn ceilings_hold_for_the_raw_engine() {
    let Some(lab) = Lab::new() else { return };
    for which in 0..3 {
        let mut job = Job::new(addresses(&["10.98.0.1"]), (1..=400).collect());
        job.settings.engine = Engine::Syn;
        let rates = &mut job.settings.rates;
        *[&mut rates.global, &mut rates.per_host, &mut rates.per_subnet][which] = Some(1000);
        let started = Instant::now();
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.count("10.98.0.1", State::Closed), 400);
        assert!(started.elapsed() >= Duration::from_millis(380), "ceiling {which}: {:?}", started.elapsed());
    }
}

/// A TFTP server answers from a port of its own (RFC 1350 section 4). What comes from elsewhere, or is no TFTP, is nobody's.
#[test]
fn an_answer_of_tftp_from_another_port_counts_for_the_port_that_was_asked() {
    let Some(lab) = Lab::new() else { return };
    let request = b"\0\x01none\0octet\0";
    let sockets = lab.at_far(|| {
        let at = |address: &str, port: u16| UdpSocket::bind((address, port)).unwrap();
        [at("10.99.0.1", 6900), at("10.99.0.1", 6901), at("10.98.0.2", 0), at("10.99.0.1", 0)]
    });
    let [good, bad, stranger, transfer] = sockets;
    let servers = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        for (socket, answers) in [(&good, true), (&bad, false)] {
            // The second one is asked twice, because what it gets back is no answer.
            for _ in 0..if answers { 1 } else { 2 } {
                let (_, peer) = socket.recv_from(&mut buffer).unwrap();
                stranger.send_to(b"\0\x05\0\x01no\0", peer).unwrap();
                transfer.send_to(if answers { b"\0\x05\0\x01no\0" } else { b"nothing" }, peer).unwrap();
            }
        }
    });
    for ports in [vec![6900], vec![6901]] {
        let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
        job.udp_payloads = Arc::new(ports.iter().map(|port| (*port, vec![request.to_vec()])).collect());
        job.udp_ports.clone_from(&ports);
        job.settings.timeout = Duration::from_millis(500);
        let (results, _) = lab.at_near(|| work(&job));
        let state = results.findings[&("10.99.0.1".parse().unwrap(), Protocol::Udp, ports[0])].state;
        assert_eq!(state, if ports == [6900] { State::Open } else { State::OpenFiltered });
    }
    servers.join().unwrap();
    // Nobody listens there: that is told as well.
    let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
    job.udp_payloads = Arc::new([(6902, vec![request.to_vec()])].into());
    job.udp_ports = vec![6902];
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.count("10.99.0.1", State::Closed), 1);
}

#[test]
fn attempts_at_a_datagram_port_take_turns_in_what_they_say() {
    let Some(lab) = Lab::new() else { return };
    let server = lab.at_far(|| UdpSocket::bind(("10.99.0.1", 6161)).unwrap());
    let answering = std::thread::spawn(move || {
        let mut buffer = [0; 64];
        loop {
            let (length, peer) = server.recv_from(&mut buffer).unwrap();
            if &buffer[..length] == b"second" {
                server.send_to(b"yes", peer).unwrap();
                return;
            }
        }
    });
    let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
    job.udp_payloads = Arc::new([(6161, vec![b"first".to_vec(), b"second".to_vec()])].into());
    job.udp_ports = vec![6161];
    job.settings.timeout = Duration::from_millis(300);
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.count("10.99.0.1", State::Open), 1);
    answering.join().unwrap();
}
