//! The raw engine over paths that delay, lose and mix up packets, through next hops that move, and to hosts that go away. Needs
//! root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::{IpAddr, TcpListener};
use std::sync::mpsc::channel;
use std::time::Duration;

use bartizan_portscan::lab::Link;
use bartizan_portscan::{Control, Discovery, Engine, Event, Job, Presence, Reason, Report, State, Verification, run};

mod support;

use support::{Lab, Relay, addresses, ip, listen, work, work_and};

const PATH: Link = Link {
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(4),
    loss: 0.02,
    rate: 0.0,
    queue: 1000.0,
    seed: 1,
};

#[test]
fn a_path_that_delays_loses_and_mixes_up_costs_no_port_and_invents_none() {
    for (seed, delay, jitter, loss) in [(1, 10, 4, 0.02), (2, 1, 8, 0.05), (3, 60, 30, 0.02)] {
        let (delay, jitter) = (Duration::from_millis(delay), Duration::from_millis(jitter));
        let Some(lab) = Lab::over(Link { delay, jitter, loss, seed, ..PATH }) else { return };
        lab.rules(
            "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
             tcp dport 3000-3499 drop\n }\n }\n",
        );
        let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1", "fd99::1", "10.98.0.3"], 40));
        let open = truth.iter().map(|(_, port)| *port);
        let mut job =
            Job::new(addresses(&["10.99.0.1", "fd99::1", "10.98.0.3"]), (1..3500).chain(open).collect::<Vec<u16>>());
        job.settings.engine = Engine::Syn;
        job.settings.seed = Some(seed);
        job.settings.discovery = if seed == 1 { Discovery::On } else { Discovery::Off };
        let (results, outcome) = lab.at_near(|| work(&job));
        assert_eq!(results.open(), truth, "{delay:?} {jitter:?} {loss}: {:?}", outcome.progress);
        for address in ["10.99.0.1", "fd99::1", "10.98.0.3"] {
            assert_eq!(results.count(address, State::Filtered), 500, "{address} {delay:?} {jitter:?} {loss}");
            assert_eq!(results.count(address, State::Error), 0);
            let report = &results.hosts[&address.parse().unwrap()];
            assert_eq!(report.unconfirmed, [0_u16; 0], "{address}");
        }
    }
}

#[test]
fn a_host_as_far_away_as_the_caller_would_wait_is_found() {
    let Some(lab) = Lab::over(Link { delay: Duration::from_millis(900), loss: 0.0, ..PATH }) else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.98.0.1"], 2));
    let mut job = Job::new(addresses(&["10.98.0.1"]), truth.iter().map(|(_, port)| *port).chain([7, 9]).collect());
    job.settings.engine = Engine::Syn;
    job.settings.discovery = Discovery::On;
    job.settings.timeout = Duration::from_secs(3);
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open(), truth, "{:?}", results.hosts);
    assert_eq!(results.count("10.98.0.1", State::Closed), 2);
}

/// Each fifth acceptance gets lost. A guard that is asked again is accepted, too, and not reset for the half-open connection
/// that the first question left.
#[test]
fn a_proxy_is_unmasked_although_acceptances_get_lost() {
    let Some(lab) = Lab::new() else { return };
    lab.accept_everything(
        "chain output { type filter hook output priority 0; policy accept;\n\
         tcp flags & (syn|ack) == (syn|ack) numgen inc mod 5 == 0 drop\n }",
    );
    for ports in [(1..=200).collect(), vec![22, 80, 443], vec![80, 443], vec![443]] {
        let mut job = Job::new(addresses(&["10.99.0.1"]), ports);
        job.settings.engine = Engine::Syn;
        let asked = job.tcp_ports.len();
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.count("10.99.0.1", State::Open), asked);
        assert!(results.hosts.values().all(|report| report.accepts_everything), "{asked} ports");
    }
}

/// However many acceptances of it are lost, an open port is never called closed.
#[test]
fn an_open_port_whose_acceptances_get_lost_is_not_closed() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 8));
    let open: BTreeSet<u16> = truth.iter().map(|(_, port)| *port).collect();
    for lost in 1..=8 {
        // With its header an acceptance has 44 bytes.
        let bytes = 44 * lost + 1;
        let rule =
            |port| format!("tcp sport {port} tcp flags & (syn|ack) == (syn|ack) quota until {bytes} bytes drop\n");
        let rules: String = open.iter().map(rule).collect();
        lab.rules(&format!(
            "table ip lab {{ }}\n delete table ip lab\n table ip lab {{ chain output {{ type filter hook output priority 0;\n\
             {rules} }}\n }}\n"
        ));
        let mut job = Job::new(addresses(&["10.99.0.1"]), (1..1000).chain(open.iter().copied()).collect());
        job.settings.engine = Engine::Syn;
        // Long enough for early repetitions.
        job.settings.rates.global = Some(5000);
        let (results, _) = lab.at_near(|| work(&job));
        for finding in results.findings.values().filter(|finding| open.contains(&finding.port)) {
            assert_ne!(finding.state, State::Closed, "{lost} lost: {finding:?}");
            assert!(lost > 2 || finding.state == State::Open, "{lost} lost: {finding:?}");
        }
    }
}

/// Another router takes over the address of the first while a scan runs.
#[test]
fn a_next_hop_that_gets_another_hardware_address_costs_no_port() {
    for is_told in [false, true] {
        let Some(lab) = Lab::new() else { return };
        let ports: BTreeSet<u16> = (1..=40).map(|n| n * 199).collect();
        let bind = |port: &u16| TcpListener::bind(("10.98.0.1", *port)).unwrap();
        let _listeners: Vec<TcpListener> = lab.at_far(|| ports.iter().map(bind).collect());
        let setting = format!("net.ipv4.conf.v1.arp_notify={}", u8::from(is_told));
        support::command("ip", &["netns", "exec", &lab.far, "sysctl", "-qw", &setting], "");
        let mut job = Job::new(addresses(&["10.98.0.1"]), (1..=8000).collect());
        job.settings.engine = Engine::Syn;
        job.settings.rates.global = Some(4000);
        let (mut moved, mut told) = (false, false);
        let (results, _) = lab.at_near(|| {
            work_and(&job, |event| match event {
                Event::Found(finding) if finding.state == State::Open && !moved => {
                    ip(&format!("-n {} link set v1 address 02:00:00:00:00:98", lab.far));
                    moved = true;
                }
                Event::Note(note) => told |= note.contains("10.99.0.1") && note.contains("02:00:00:00:00:98"),
                _ => {}
            })
        });
        let open: BTreeSet<u16> = results.open().into_iter().map(|(_, port)| port).collect();
        assert_eq!(open, ports, "announced: {is_told}");
        assert_eq!(results.count("10.98.0.1", State::Closed), 8000 - 40, "announced: {is_told}");
        assert!(told, "announced: {is_told}");
    }
}

/// On two links, two routers with one address.
#[test]
fn next_hops_of_the_same_address_on_two_links_are_told_apart() {
    let Some(mut lab) = Lab::new() else { return };
    let other = format!("{}2", lab.far);
    lab.others.push(other.clone());
    ip(&format!("netns add {other}"));
    ip(&format!("link add x0 netns {} type veth peer name x1 netns {other}", lab.near));
    for (name, device) in [(&lab.near, "x0"), (&other, "x1"), (&other, "lo")] {
        ip(&format!("-n {name} link set {device} up"));
    }
    ip(&format!("-n {} address add 10.95.0.2/24 dev x0", lab.near));
    ip(&format!("-n {other} address add 10.95.0.1/24 dev x1"));
    ip(&format!("-n {other} address add 10.99.0.1/32 dev x1"));
    ip(&format!("-n {other} route add local 10.96.0.0/29 dev lo"));
    ip(&format!("-n {} route add 10.96.0.0/24 via 10.99.0.1 dev x0 onlink src 10.95.0.2", lab.near));
    for discovery in [Discovery::On, Discovery::Off] {
        ip(&format!("-n {} neigh flush all", lab.near));
        let mut job = Job::new(addresses(&["10.96.0.1", "10.98.0.1"]), (1..50).collect());
        job.settings.engine = Engine::Syn;
        job.settings.discovery = discovery;
        let (results, _) = lab.at_near(|| work(&job));
        for address in ["10.96.0.1", "10.98.0.1"] {
            assert_eq!(results.count(address, State::Closed), 49, "{discovery:?} {address} {:?}", results.hosts);
        }
    }
}

/// A host that bans whoever asks too much is left in time, and said to be silent and not filtered; others are not kept waiting.
#[test]
fn a_host_that_falls_silent_is_told_of_and_costs_no_hour() {
    let Some(lab) = Lab::new() else { return };
    // With its header a question has 44 bytes.
    lab.rules(
        "table ip lab { chain prerouting { type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.1 quota over 220000 bytes drop\n }\n }\n",
    );
    let mut job = Job::new(addresses(&["10.98.0.1", "10.98.0.2"]), (1..=20_000).collect());
    job.settings.engine = Engine::Syn;
    let control = Control::new();
    // A watchdog, so that it fails and does not go on for an hour.
    let ((done, waiting), watched) = (channel::<()>(), control.clone());
    let watchdog = std::thread::spawn(move || {
        if waiting.recv_timeout(Duration::from_secs(60)).is_err() {
            watched.cancel();
        }
    });
    let (mut silent, mut closed, mut other) = (0, [0, 0], Vec::new());
    lab.at_near(|| {
        run(&job, &control, |event| {
            if let Event::Found(finding) = event {
                let at = usize::from(finding.address != job.targets[0]);
                match (finding.state, finding.reason) {
                    (State::Closed, _) => closed[at] += 1,
                    (State::Filtered, Reason::FellSilent) if at == 0 => silent += 1,
                    _ => other.push(finding),
                }
            }
        })
        .unwrap()
    });
    let _ = done.send(());
    watchdog.join().unwrap();
    assert!(!control.is_cancelled(), "after a minute {} had a result", silent + closed[0] + closed[1]);
    assert!(other.is_empty(), "{} others, such as {:?}", other.len(), other[0]);
    assert_eq!((closed[0] + silent, closed[1]), (20_000, 20_000));
    assert!(closed[0] > 1000 && silent > 1000, "{closed:?} {silent}");
}

/// Once means once, whatever was seen of the path.
#[test]
fn a_single_attempt_is_a_single_packet() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter asked { }\n chain prerouting { type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.1 meta l4proto tcp counter name asked\n\
         ip daddr 10.98.0.1 tcp dport 300-5000 drop\n }\n }\n",
    );
    let mut job = Job::new(addresses(&["10.98.0.1"]), (1..=5000).collect());
    job.settings.engine = Engine::Syn;
    job.settings.attempts = 1;
    job.settings.verification = Verification::Off;
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.count("10.98.0.1", State::Closed), 299);
    assert_eq!(results.count("10.98.0.1", State::Filtered), 4701);
    assert_eq!(lab.counted("asked"), 5000);
}

/// Neither who is looked for nor who is suspected to accept everything gets packets in bursts.
#[test]
fn ceilings_hold_from_packet_to_packet() {
    let Some(lab) = Lab::new() else { return };
    let (listeners, _) = lab.at_far(|| listen(&["10.98.0.1"], 1));
    let port = listeners[0].local_addr().unwrap().port();
    let listener = listeners.into_iter().next().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    // Twenty a second are one in fifty milliseconds; more than four within forty are a burst.
    lab.rules(&format!(
        "table ip proxy {{ counter bursts {{ }}\n chain first {{ type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.9 limit rate over 100/second burst 3 packets counter name bursts\n\
         ip daddr 10.98.0.1 tcp flags & (syn|rst) == syn limit rate over 100/second burst 3 packets counter name bursts\n }}\n\
         chain prerouting {{ type nat hook prerouting priority -100;\n ip daddr 10.98.0.1 tcp dport 1-65535 dnat to 10.98.0.1:{port}\n }}\n }}\n"
    ));
    let targets: Vec<IpAddr> = addresses(&["10.98.0.1", "10.98.0.9"]);
    let mut job = Job::new(targets.clone(), vec![443]);
    job.settings.engine = Engine::Syn;
    job.settings.discovery = Discovery::On;
    job.settings.rates.per_host = Some(20);
    job.settings.report = Report::Open;
    let (results, _) = lab.at_near(|| work(&job));
    assert!(results.hosts[&targets[0]].accepts_everything);
    assert!(matches!(results.hosts[&targets[1]].presence, Presence::Down(_)));
    let text =
        support::command("ip", &["netns", "exec", &lab.far, "nft", "list", "counter", "ip", "proxy", "bursts"], "");
    assert!(text.contains("packets 0 "), "{text}");
}

/// Not by ARP, not by neighbour discovery, not by anything.
#[test]
fn an_excluded_address_of_the_link_appears_in_no_frame() {
    let Some(lab) = Lab::new() else { return };
    let excluded = addresses(&["10.99.0.3", "fd99::3"]);
    let targets = addresses(&["10.99.0.1", "10.99.0.3", "10.99.0.4", "fd99::1", "fd99::3", "fd99::4"]);
    for engine in [Engine::Syn, Engine::Connect] {
        for discovery in [Discovery::On, Discovery::Off] {
            ip(&format!("-n {} neigh flush all", lab.near));
            let mut capture = lab.at_far(support::Capture::new);
            let never = excluded.clone();
            let mut job = Job::new(targets.clone(), vec![80, 443]);
            job.udp_ports = vec![9];
            job.never = std::sync::Arc::new(move |address| never.contains(&address));
            job.settings.engine = engine;
            job.settings.discovery = discovery;
            job.settings.timeout = Duration::from_millis(200);
            let (results, outcome) = lab.at_near(|| work(&job));
            assert_eq!((outcome.refused.len(), results.hosts.len()), (2, 4));
            let frames = capture.frames();
            let with = |address: &str| {
                let bytes = match address.parse().unwrap() {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                frames.iter().filter(|frame| frame.windows(bytes.len()).any(|window| window == bytes)).count()
            };
            for other in ["10.99.0.4", "fd99::4"] {
                assert!(with(other) > 0, "{engine:?} {discovery:?}: {other} is looked for");
            }
            assert_eq!((with("10.99.0.3"), with("fd99::3")), (0, 0), "{engine:?} {discovery:?}");
        }
    }
}

/// Somebody on the way refuses ports, or answers echo requests, at once; who accepts is far behind him.
#[test]
fn who_accepts_late_is_not_missed_for_an_early_answer_of_another() {
    std::thread::scope(|scope| {
        for (packets, delay) in [("acceptances", 800), ("tcp", 300)] {
            scope.spawn(move || {
                let Some(lab) = Lab::new() else { return };
                let _relay = Relay::slow(&lab, Duration::from_millis(delay), packets);
                let (_listeners, truth) = lab.at_far(|| listen(&["10.97.0.1"], 5));
                let mut job = Job::new(addresses(&["10.97.0.1"]), (1..=100).collect());
                job.tcp_ports.extend(truth.iter().map(|(_, port)| *port));
                job.settings.engine = Engine::Syn;
                let (results, _) = lab.at_near(|| work(&job));
                assert_eq!(results.open(), truth, "{packets}: {:?}", results.hosts);
            });
        }
    });
}
