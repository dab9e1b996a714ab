//! The connect engine against a second network stack: what ICMP says, silence that is not what it seems, open ports that
//! are not confirmed, ceilings, exclusions. Needs root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bartizan_portscan::{Discovery, Engine, Job, Protocol, Reason, State, Verification};

mod support;

use support::{Lab, Relay, Results, addresses, command, listen, work};

fn job(targets: &[&str], ports: impl IntoIterator<Item = u16>) -> Job {
    let mut job = Job::new(addresses(targets), ports.into_iter().collect());
    job.settings.engine = Engine::Connect;
    job
}

fn state(results: &Results, address: &str, protocol: Protocol, port: u16) -> (State, Reason) {
    let finding = &results.findings[&(address.parse().unwrap(), protocol, port)];
    (finding.state, finding.reason)
}

/// Each message of ICMP and ICMPv6 that a filter or a router can answer with, and the same for both engines and for UDP.
#[test]
fn unreachables_of_both_families_are_told_apart_by_every_engine() {
    let Some(lab) = Lab::new() else { return };
    let four = [
        ("net-unreachable", State::Filtered, Reason::NetUnreachable),
        ("host-unreachable", State::Filtered, Reason::HostUnreachable),
        ("prot-unreachable", State::Filtered, Reason::PortUnreachable),
        ("port-unreachable", State::Filtered, Reason::PortUnreachable),
        ("net-prohibited", State::Filtered, Reason::AdminProhibited),
        ("host-prohibited", State::Filtered, Reason::AdminProhibited),
        ("admin-prohibited", State::Filtered, Reason::AdminProhibited),
    ];
    let six = [
        ("no-route", State::Filtered, Reason::NetUnreachable),
        ("admin-prohibited", State::Filtered, Reason::AdminProhibited),
        ("addr-unreachable", State::Filtered, Reason::HostUnreachable),
        ("port-unreachable", State::Filtered, Reason::PortUnreachable),
        ("policy-fail", State::Filtered, Reason::AdminProhibited),
        ("reject-route", State::Filtered, Reason::AdminProhibited),
    ];
    let rule = |family: &str, (at, (what, ..)): (usize, &(&str, State, Reason))| {
        let name = if family == "ipv4" { "icmp" } else { "icmpv6" };
        format!(
            "meta nfproto {family} meta l4proto {{ tcp, udp }} th dport {} reject with {name} type {what}\n",
            2000 + at
        )
    };
    let rules: String = (four.iter().enumerate().map(|one| rule("ipv4", one)))
        .chain(six.iter().enumerate().map(|one| rule("ipv6", one)))
        .collect();
    lab.rules(&format!("table inet lab {{ chain input {{ type filter hook input priority 0;\n{rules} }}\n }}\n"));
    for limit in ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"] {
        command("ip", &["netns", "exec", &lab.far, "sysctl", "-qw", limit], "");
    }
    for engine in [Engine::Connect, Engine::Syn] {
        for (address, table) in [("10.99.0.1", &four[..]), ("fd99::1", &six[..])] {
            let mut job = job(&[address], 1990..2007);
            job.udp_ports = (2000..2007).collect();
            job.settings.engine = engine;
            job.settings.timeout = Duration::from_millis(300);
            let (results, _) = lab.at_near(|| work(&job));
            for (port, (what, wanted, reason)) in (2000..).zip(table) {
                let told = state(&results, address, Protocol::Tcp, port);
                assert_eq!(told, (*wanted, *reason), "{engine:?} {address} tcp {what}");
                // UDP: the word of the host itself that nothing listens is what a closed port looks like.
                let closed = matches!(*what, "port-unreachable");
                let wanted = if closed { (State::Closed, Reason::PortUnreachable) } else { (*wanted, *reason) };
                assert_eq!(state(&results, address, Protocol::Udp, port), wanted, "{engine:?} {address} udp {what}");
            }
            assert_eq!(state(&results, address, Protocol::Tcp, 1999).0, State::Closed);
            assert_eq!(results.count(address, State::Error), 0);
        }
    }
}

#[test]
fn a_host_that_only_a_router_speaks_for_is_unreachable() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0;\n\
         ip daddr 10.98.0.2 reject with icmp type host-unreachable\n }\n }\n",
    );
    let mut job = job(&["10.98.0.2", "10.99.0.77", "fd99::77"], [80, 443]);
    job.udp_ports = vec![53];
    job.settings.timeout = Duration::from_millis(3500);
    let (results, _) = lab.at_near(|| work(&job));
    for (protocol, port) in [(Protocol::Tcp, 80), (Protocol::Tcp, 443), (Protocol::Udp, 53)] {
        let told = state(&results, "10.98.0.2", protocol, port);
        assert_eq!(told, (State::Unreachable, Reason::HostUnreachable), "{protocol:?} {port}");
        // The kernel looks for a neighbour for three seconds, longer than a datagram is waited for.
        for nobody in ["10.99.0.77", "fd99::77"].iter().filter(|_| protocol == Protocol::Tcp) {
            let told = state(&results, nobody, protocol, port);
            assert_eq!(told, (State::Unreachable, Reason::NoNeighbour), "{nobody} {protocol:?} {port}");
        }
    }
}

#[test]
fn an_open_port_is_found_that_accepts_long_after_others_refuse() {
    let Some(lab) = Lab::new() else { return };
    let _relay = Relay::slow(&lab, Duration::from_millis(650), "acceptances");
    let (_listeners, truth) = lab.at_far(|| listen(&["10.97.0.1"], 20));
    let job = job(&["10.97.0.1"], truth.iter().map(|(_, port)| *port).chain(1..1000));
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open(), truth);
    assert_eq!(results.count("10.97.0.1", State::Closed), 999);
}

#[test]
fn every_open_port_is_asked_again_and_one_that_is_silent_or_closed_then_is_told() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1", "fd99::1"], 20));
    // One question of each of these is let through, what comes after it is dropped or refused.
    let (mut rules, mut doubtful) = (String::new(), BTreeSet::new());
    for (at, (address, port)) in truth.iter().enumerate().filter(|(at, _)| at % 4 < 2) {
        let what = if at % 4 == 0 { "drop" } else { "reject with tcp reset" };
        let family = if address.is_ipv4() { "ip" } else { "ip6" };
        let quota = if address.is_ipv4() { 60 } else { 80 };
        rules.push_str(&format!(
            "{family} daddr {address} tcp dport {port} tcp flags syn quota over {quota} bytes {what}\n"
        ));
        doubtful.insert((*address, *port));
    }
    lab.rules(&format!("table inet lab {{ chain input {{ type filter hook input priority 0;\n{rules} }}\n }}\n"));
    let mut job = job(&["10.99.0.1", "fd99::1"], truth.iter().map(|(_, port)| *port).chain(1..500));
    job.settings.timeout = Duration::from_millis(300);
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open(), truth);
    let told: BTreeSet<(IpAddr, u16)> = (results.hosts.iter())
        .flat_map(|(address, report)| report.unconfirmed.iter().map(|port| (*address, *port)))
        .collect();
    assert_eq!(told, doubtful);
}

/// A filter that swallows the first questions at some ports, as many as are asked where nothing is seen to get lost. They
/// are found out by the sample, and asked again.
#[test]
fn a_sample_of_the_silent_ports_finds_out_that_silence_was_not_what_it_seemed() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 3));
    let ports: BTreeSet<u16> = truth.iter().map(|(_, port)| *port).chain(1..3000).collect();
    let table = |rule: &str| {
        format!(
            "table inet lab {{}}\n delete table inet lab\n table inet lab {{\n\
             set asked {{ type inet_service; size 65535; flags dynamic; }}\n\
             counter swallowed {{ }}\n chain input {{ type filter hook input priority 0;\n\
             tcp dport < 30000 accept\n tcp flags & (syn | ack) != syn accept\n {rule}\n\
             counter name swallowed drop\n }}\n }}\n"
        )
    };
    for engine in [Engine::Connect, Engine::Syn] {
        let mut job = job(&["10.99.0.1"], ports.clone());
        job.settings.engine = engine;
        job.settings.timeout = Duration::from_millis(300);
        job.settings.verification = Verification::Off;
        // What looks lost on a busy machine is asked more often; the least of a few runs is what is asked without that.
        let asked = (0..3).map(|_| {
            lab.rules(&table(""));
            let (results, _) = lab.at_near(|| work(&job));
            assert_eq!(results.count("10.99.0.1", State::Filtered), 3, "{engine:?}");
            lab.counted("swallowed") / 3
        });
        let each = asked.min().unwrap();
        assert!((2..=6).contains(&each), "{engine:?} asks {each} times");

        let limit = format!("update @asked {{ tcp dport limit rate over 1/hour burst {each} packets }} accept");
        lab.rules(&table(&limit));
        job.settings.verification = Verification::On;
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.open(), truth, "{engine:?}, which asks {each} times");
        assert_eq!(results.count("10.99.0.1", State::Filtered), 0, "{engine:?}");
    }
}

#[test]
fn silent_ports_are_asked_as_often_as_wanted_and_no_more() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter silent { }\n chain input { type filter hook input priority 0;\n\
         tcp dport 1-300 tcp flags & (syn | ack) == syn counter name silent drop\n }\n }\n",
    );
    let mut job = job(&["10.99.0.1"], (1..=300).chain(5000..7000));
    job.settings.attempts = 1;
    job.settings.timeout = Duration::from_millis(200);
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.count("10.99.0.1", State::Filtered), 300);
    assert_eq!(lab.counted("silent"), 300, "once means once");
    job.settings.attempts = 2;
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.count("10.99.0.1", State::Filtered), 300);
    let asked = lab.counted("silent") - 300;
    assert!((601..=640).contains(&asked), "twice, and a sample of a few: {asked}");
}

#[test]
fn exclusions_get_no_packet_from_any_phase() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table netdev lab { counter excluded { }\n counter allowed { }\n\
         chain ingress { type filter hook ingress device v1 priority 0; policy accept;\n\
         ip daddr 10.98.0.3 counter name excluded\n ip daddr 10.98.0.2 counter name allowed\n\
         ip6 daddr { fd99::3, ff02::1:ff00:3 } counter name excluded\n }\n }\n",
    );
    let never: BTreeSet<IpAddr> = addresses(&["10.98.0.3", "fd99::3"]).into_iter().collect();
    for engine in [Engine::Connect, Engine::Syn] {
        for discovery in [Discovery::Off, Discovery::On] {
            let mut job = job(&["10.98.0.2", "10.98.0.3", "fd99::1", "fd99::3"], 1..200);
            job.udp_ports = vec![53, 161];
            job.settings.engine = engine;
            job.settings.discovery = discovery;
            job.settings.timeout = Duration::from_millis(200);
            job.settings.udp_patience = Duration::ZERO;
            let never = never.clone();
            job.never = Arc::new(move |address| never.contains(&address));
            let (results, outcome) = lab.at_near(|| work(&job));
            assert_eq!(outcome.refused.len(), 2);
            assert_eq!(results.hosts.len(), 2, "{engine:?} {discovery:?}");
        }
    }
    assert_eq!(lab.counted_in("netdev", "excluded"), 0);
    assert!(lab.counted_in("netdev", "allowed") > 800, "the counter counts");
}

#[test]
fn a_ceiling_for_each_host_is_kept_without_holding_up_the_others() {
    let Some(lab) = Lab::new() else { return };
    let mut job = job(&["10.98.0.1", "10.98.0.2", "10.98.0.3", "10.98.0.4"], 1..=100);
    job.settings.rates.per_host = Some(100);
    let started = Instant::now();
    let (results, _) = lab.at_near(|| work(&job));
    let took = started.elapsed();
    assert_eq!(results.findings.len(), 400);
    assert!(took >= Duration::from_millis(980) && took < Duration::from_millis(2500), "{took:?}");
    job.settings.rates.per_host = None;
    job.settings.rates.per_subnet = Some(400);
    let started = Instant::now();
    lab.at_near(|| work(&job));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(980) && took < Duration::from_millis(2500), "{took:?}");
}

#[test]
fn a_silent_host_is_done_in_seconds() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0;\n\
         tcp dport < 40000 drop\n }\n }\n",
    );
    let listener = lab.at_far(|| TcpListener::bind(("10.99.0.1", 50_000)).unwrap());
    let job = job(&["10.99.0.1"], (1..=10_000).chain([listener.local_addr().unwrap().port()]));
    let started = Instant::now();
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open().len(), 1);
    assert_eq!(results.count("10.99.0.1", State::Filtered), 10_000);
    // Ten thousand ports, each waited for twice for 0.2 s and more: one after the other that is an hour.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

/// The last questions at a port go out beside each other: what answers first counts, once, and silence of all is silence.
#[test]
fn a_path_that_loses_costs_no_port_and_tells_none_twice() {
    // In hundredths, each way.
    for loss in [1, 4] {
        let Some(lab) = Lab::new() else { return };
        lab.rules(&format!(
            "table inet lab {{ chain input {{ type filter hook input priority 0; policy accept;\n\
             tcp dport 3000-3019 drop\n tcp flags syn numgen random mod 100 < {loss} drop\n }}\n\
             chain output {{ type filter hook output priority 0; policy accept;\n\
             tcp flags & (rst|syn) != 0 numgen random mod 100 < {loss} drop\n }}\n }}\n"
        ));
        let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1", "fd99::1"], 40));
        let open = truth.iter().map(|(_, port)| *port);
        let mut job = job(&["10.99.0.1", "fd99::1"], (1..3020).chain(open));
        job.settings.discovery = Discovery::Off;
        let (results, outcome) = lab.at_near(|| work(&job));
        assert_eq!(results.open(), truth, "{loss}: {:?}", outcome.progress);
        assert_eq!(outcome.progress.done, outcome.progress.total);
        for address in ["10.99.0.1", "fd99::1"] {
            assert_eq!(results.count(address, State::Filtered), 20, "{address} {loss}");
            assert_eq!(results.count(address, State::Error), 0);
        }
    }
}
