//! Who counts as there, what filters answer, and which devices are used: both engines against a second network stack.
//! Needs root, `ip`, `nft` and `python3`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{IpAddr, TcpListener};
use std::time::{Duration, Instant};

use bartizan_portscan::{Control, Discovery, Engine, Error, HostReason, Job, Presence, Protocol, Reason, State, run};

mod support;

use support::{Lab, Relay, Results, addresses, command, ip, listen, work};

fn state(results: &Results, address: &str, protocol: Protocol, port: u16) -> (State, Reason) {
    let finding = &results.findings[&(address.parse().unwrap(), protocol, port)];
    (finding.state, finding.reason)
}

#[test]
fn a_host_is_found_by_the_ports_of_the_job_and_one_named_singly_is_always_asked() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         ip daddr 10.98.0.3 tcp dport { 26, 2525, 30040 } accept\n ip daddr 10.98.0.3 drop\n }\n }\n",
    );
    let _listeners: Vec<TcpListener> =
        lab.at_far(|| [26, 30_040].map(|port| TcpListener::bind(("10.98.0.3", port)).unwrap()).into());
    for engine in [Engine::Syn, Engine::Connect] {
        let mut job = Job::new(addresses(&["10.98.0.3", "10.98.0.9"]), vec![26, 2525]);
        job.settings.engine = engine;
        job.settings.discovery = Discovery::On;
        job.settings.timeout = Duration::from_millis(300);
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(state(&results, "10.98.0.3", Protocol::Tcp, 26), (State::Open, Reason::SynAck), "{engine:?}");
        assert_eq!(state(&results, "10.98.0.3", Protocol::Tcp, 2525).0, State::Closed);
        let dead = &results.hosts[&"10.98.0.9".parse().unwrap()];
        assert_eq!(dead.presence, Presence::Down(HostReason::NoResponse), "{engine:?}");

        job.tcp_ports = (30_000..=30_050).collect();
        let (results, _) = lab.at_near(|| work(&job));
        assert!(results.findings.is_empty(), "{engine:?}: too many ports to look for hosts with all of them");
        job.certain.insert("10.98.0.3".parse().unwrap());
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.open().len(), 1, "{engine:?}: {:?}", results.hosts);
    }
}

#[test]
fn old_entries_of_the_neighbour_table_are_not_believed() {
    let Some(lab) = Lab::new() else { return };
    for stale in ["10.99.0.1", "10.99.0.77", "fd99::1", "fd99::77"] {
        ip(&format!("-n {} neigh replace {stale} lladdr 02:00:00:00:00:99 dev v0 nud stale", lab.near));
    }
    for discovery in [Discovery::Off, Discovery::On] {
        let mut job = Job::new(addresses(&["10.99.0.1", "10.99.0.77", "fd99::1", "fd99::77"]), vec![80]);
        job.settings.engine = Engine::Syn;
        job.settings.discovery = discovery;
        let (results, _) = lab.at_near(|| work(&job));
        for (alive, dead) in [("10.99.0.1", "10.99.0.77"), ("fd99::1", "fd99::77")] {
            assert_eq!(state(&results, alive, Protocol::Tcp, 80), (State::Closed, Reason::ConnRefused));
            let report = &results.hosts[&dead.parse().unwrap()];
            if discovery == Discovery::On {
                assert_eq!(report.presence, Presence::Down(HostReason::NoNeighbour));
            } else {
                assert_eq!(report.presence, Presence::Unknown);
                assert_eq!(state(&results, dead, Protocol::Tcp, 80), (State::Unreachable, Reason::NoNeighbour));
            }
        }
    }
}

#[test]
fn what_a_filter_answers_is_no_trouble_of_this_machine() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         meta l4proto { tcp, udp } th dport 2000 reject with icmpx admin-prohibited\n\
         meta l4proto { tcp, udp } th dport 2001 reject with icmpx host-unreachable\n\
         ip protocol tcp tcp dport 2002 reject with icmp prot-unreachable\n\
         meta nfproto ipv6 tcp dport 2002 reject with icmpv6 no-route\n }\n }\n",
    );
    for limit in ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"] {
        command("ip", &["netns", "exec", &lab.far, "sysctl", "-qw", limit], "");
    }
    for engine in [Engine::Syn, Engine::Connect] {
        let mut job = Job::new(addresses(&["10.99.0.1", "fd99::1"]), vec![1999, 2000, 2001, 2002]);
        job.udp_ports = vec![2000, 2001];
        job.settings.engine = engine;
        job.settings.timeout = Duration::from_millis(300);
        let (results, _) = lab.at_near(|| work(&job));
        for address in ["10.99.0.1", "fd99::1"] {
            let all = || results.findings.values().filter(|f| f.address == address.parse::<IpAddr>().unwrap());
            assert_eq!(results.count(address, State::Error), 0, "{engine:?} {:?}", all().collect::<Vec<_>>());
            assert_eq!(state(&results, address, Protocol::Tcp, 1999).0, State::Closed);
            for port in [2000, 2001, 2002] {
                let (state, reason) = state(&results, address, Protocol::Tcp, port);
                assert!(matches!(state, State::Filtered | State::Unreachable), "{engine:?} {address} {port} {state:?}");
                assert_ne!(reason, Reason::NoResponse, "{engine:?} {address} {port}");
            }
        }
        let prohibited = (State::Filtered, Reason::AdminProhibited);
        assert_eq!(state(&results, "fd99::1", Protocol::Tcp, 2000), prohibited, "{engine:?}");
        assert_eq!(state(&results, "fd99::1", Protocol::Udp, 2000), prohibited, "{engine:?}");
        if engine == Engine::Syn {
            // The host answers elsewhere, so what was told of the one port belongs to that port.
            let unreachable = (State::Filtered, Reason::HostUnreachable);
            assert_eq!(state(&results, "10.99.0.1", Protocol::Tcp, 2001), unreachable);
        }
    }
}

#[test]
fn the_connect_engine_keeps_to_its_interface() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 1));
    ip(&format!("-n {} link add other type veth peer name rehto", lab.near));
    for device in ["other", "rehto"] {
        ip(&format!("-n {} link set {device} up", lab.near));
    }
    let (address, port) = *truth.first().unwrap();
    for (interface, open) in [("v0", 1), ("other", 0)] {
        let mut job = Job::new(vec![address], vec![port]);
        job.settings.engine = Engine::Connect;
        job.settings.interface = Some(interface.to_owned());
        job.settings.timeout = Duration::from_millis(300);
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.open().len(), open, "{interface}: {:?}", results.findings);
    }
    for engine in [Engine::Auto, Engine::Connect] {
        let mut job = Job::new(addresses(&["127.0.0.1"]), vec![port]);
        job.settings.engine = engine;
        job.settings.interface = Some("v0".to_owned());
        let error = lab.at_near(|| run(&job, &Control::new(), |_| {})).unwrap_err();
        assert!(matches!(error, Error::WrongInterface { .. }), "{error}");
        job.settings.interface = Some("lo".to_owned());
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.count("127.0.0.1", State::Closed), 1);
    }
}

#[test]
fn silence_of_a_host_that_limits_its_refusals_is_called_by_its_name() {
    let Some(lab) = Lab::new() else { return };
    let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
    job.udp_ports = (3000..3060).collect();
    job.settings.timeout = Duration::from_millis(300);
    job.settings.udp_patience = Duration::from_millis(3200);
    let (results, _) = lab.at_near(|| work(&job));
    let limited = results.findings.values().filter(|finding| finding.reason == Reason::RateLimited).count();
    let closed = results.count("10.99.0.1", State::Closed);
    assert!(limited > 20 && closed > 6 && limited + closed == 60, "{limited} limited, {closed} closed");
}

#[test]
fn discovery_keeps_to_the_ceilings() {
    let Some(lab) = Lab::new() else { return };
    for which in 0..2 {
        let mut job = Job::new(addresses(&["10.98.0.9", "10.98.0.10", "10.98.0.11", "10.98.0.12"]), vec![81]);
        job.settings.engine = Engine::Syn;
        job.settings.discovery = Discovery::On;
        let rates = &mut job.settings.rates;
        *[&mut rates.global, &mut rates.per_subnet][which] = Some(20);
        let started = Instant::now();
        let (results, outcome) = lab.at_near(|| work(&job));
        let rate = outcome.progress.sent as f64 / started.elapsed().as_secs_f64();
        assert!(outcome.progress.sent >= 60 && rate < 21.0, "ceiling {which}: {rate} a second");
        assert!(results.findings.is_empty());
    }
}

#[test]
fn datagrams_go_to_hosts_that_are_there() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter datagrams { }\n chain prerouting { type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.8/29 meta l4proto udp counter name datagrams\n\
         ip daddr 10.98.0.2 meta l4proto tcp drop\n ip daddr 10.98.0.2 meta l4proto icmp drop\n }\n }\n",
    );
    for engine in [Engine::Syn, Engine::Connect] {
        let mut targets: Vec<IpAddr> = (8..16).map(|n| IpAddr::from([10, 98, 0, n])).collect();
        targets.extend(addresses(&["10.98.0.1", "10.98.0.2"]));
        let mut job = Job::new(targets, Vec::new());
        job.udp_ports = (1000..1006).collect();
        job.settings.engine = engine;
        job.settings.discovery = Discovery::On;
        job.settings.timeout = Duration::from_millis(200);
        job.settings.udp_patience = Duration::ZERO;
        let (results, _) = lab.at_near(|| work(&job));
        for (address, report) in &results.hosts {
            // 10.98.0.2 answers nothing but datagrams.
            let here = *address == IpAddr::from([10, 98, 0, 1]) || *address == IpAddr::from([10, 98, 0, 2]);
            assert_eq!(matches!(report.presence, Presence::Up(_)), here, "{engine:?} {address} {:?}", report.presence);
        }
        assert_eq!((results.hosts.len(), results.findings.len()), (10, 12));
    }
    // Four ports, twice, of eight hosts, in two runs; and not six of them, with every further port on top.
    assert!(lab.counted("datagrams") <= 4 * 2 * 8 * 2, "{}", lab.counted("datagrams"));
}

#[test]
fn a_layer_3_device_carries_the_questions_of_the_raw_engine() {
    let Some(lab) = Lab::new() else { return };
    let _relay = Relay::new(&lab);
    let (_listeners, truth) = lab.at_far(|| listen(&["10.97.0.1", "fd97::1"], 5));
    let mut ports: Vec<u16> = truth.iter().map(|(_, port)| *port).collect();
    ports.extend(1..200);
    let mut job = Job::new(addresses(&["10.97.0.1", "fd97::1"]), ports);
    job.settings.engine = Engine::Syn;
    let (results, outcome) = lab.at_near(|| work(&job));
    assert_eq!(results.engines, [Engine::Syn]);
    assert_eq!(results.open(), truth);
    assert!(results.findings.values().all(|finding| matches!(finding.state, State::Open | State::Closed)));
    assert!(outcome.progress.sent >= 2 * 199 && outcome.progress.received >= 2 * 199, "{:?}", outcome.progress);
}
