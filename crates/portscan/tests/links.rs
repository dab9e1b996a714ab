//! Devices that lose their carrier while a scan runs, next hops of the other family, routers that are not there. Needs root
//! and `ip`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener};

use bartizan_portscan::{
    Control, Discovery, Engine, Error, Event, Finding, HostReason, Job, Presence, Protocol, Reason, State, run,
};

mod support;

use support::{Lab, addresses, command, ip, listen, work};

/// What becomes of the device while a scan runs.
#[derive(Clone, Copy, PartialEq)]
enum Carrier {
    ComesBack,
    StaysAway,
}

/// Takes the carrier away with the first open port, and gives it back, if at all, when the scan has stood still for a while.
fn scan_over_a_failing_link(lab: &Lab, job: &Job, carrier: Carrier) -> BTreeMap<(IpAddr, Protocol, u16), Finding> {
    let mut findings = BTreeMap::new();
    let (mut fell, mut is_down, mut still, mut done) = (false, false, 0, 0);
    let device = |state: &str| ip(&format!("-n {} link set v1 {state}", lab.far));
    lab.at_near(|| {
        run(job, &Control::new(), |event| match event {
            Event::Found(finding) => {
                if finding.state == State::Open && !fell {
                    device("down");
                    (fell, is_down) = (true, true);
                }
                if finding.state != State::Closed {
                    findings.insert((finding.address, finding.protocol, finding.port), finding);
                }
            }
            Event::Progress(progress) if is_down && carrier == Carrier::ComesBack => {
                still = if progress.done == done { still + 1 } else { 0 };
                done = progress.done;
                if still == 5 {
                    device("up");
                    is_down = false;
                }
            }
            _ => {}
        })
        .unwrap()
    });
    findings
}

fn slow_job(engine: Engine, truth: &BTreeSet<u16>) -> Job {
    let ports = truth.iter().copied().chain(1..=8000).collect();
    let mut job = Job::new(addresses(&["10.98.0.1"]), ports);
    job.settings.engine = engine;
    job.settings.rates.global = Some(4000);
    job
}

fn listeners(lab: &Lab) -> (Vec<TcpListener>, BTreeSet<u16>) {
    let ports: BTreeSet<u16> = (1..=40).map(|n| n * 199).collect();
    let listen = |port: &u16| TcpListener::bind(("10.98.0.1", *port)).unwrap();
    (lab.at_far(|| ports.iter().map(listen).collect()), ports)
}

#[test]
fn a_link_that_fails_for_a_moment_costs_no_port() {
    std::thread::scope(|scope| {
        for engine in [Engine::Syn, Engine::Connect] {
            scope.spawn(move || {
                let Some(lab) = Lab::new() else { return };
                let (_listeners, truth) = listeners(&lab);
                let found = scan_over_a_failing_link(&lab, &slow_job(engine, &truth), Carrier::ComesBack);
                let open: BTreeSet<u16> =
                    found.values().filter(|found| found.state == State::Open).map(|found| found.port).collect();
                assert_eq!(open, truth, "{engine:?}");
                assert_eq!(found.len(), truth.len(), "{engine:?}: every other port is closed");
            });
        }
    });
}

#[test]
fn a_link_that_stays_away_is_trouble_of_this_machine_and_no_silence() {
    std::thread::scope(|scope| {
        for engine in [Engine::Syn, Engine::Connect] {
            scope.spawn(move || {
                let Some(lab) = Lab::new() else { return };
                let (_listeners, truth) = listeners(&lab);
                let mut job = slow_job(engine, &truth);
                job.udp_ports = (9000..9040).collect();
                // Datagrams go first; they are refused slowly.
                job.settings.rates.global = Some(2000);
                job.settings.udp_patience = std::time::Duration::ZERO;
                let found = scan_over_a_failing_link(&lab, &job, Carrier::StaysAway);
                let tcp = || found.values().filter(|finding| finding.protocol == Protocol::Tcp);
                assert!(tcp().all(|f| matches!(f.state, State::Open | State::Error)), "{engine:?}");
                let errors = tcp().filter(|f| f.state == State::Error);
                assert!(errors.clone().count() > 4000, "{engine:?}: {}", errors.count());
                let down = |f: &&Finding| f.state != State::Error || f.reason == Reason::NetworkDown;
                let other: Vec<_> = tcp().filter(|f| !down(f)).collect();
                assert!(other.is_empty(), "{engine:?}: {other:?}");
                // Gone from the start: nobody is down, nobody is silent.
                for discovery in [Discovery::On, Discovery::Off] {
                    let mut job = Job::new(addresses(&["10.98.0.1", "10.99.0.1"]), vec![199, 1]);
                    job.udp_ports = vec![9000];
                    job.settings.engine = engine;
                    job.settings.discovery = discovery;
                    let (results, _) = lab.at_near(|| work(&job));
                    for finding in results.findings.values() {
                        let told = (finding.state, finding.reason);
                        assert_eq!(told, (State::Error, Reason::NetworkDown), "{engine:?} {discovery:?} {finding:?}");
                    }
                    assert_eq!(results.findings.len(), 6, "{engine:?} {discovery:?}");
                }
            });
        }
    });
}

/// `ip route add … via inet6 …`: the next hop is asked for by neighbour discovery.
#[test]
fn an_ipv4_route_over_an_ipv6_next_hop_is_taken() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.98.0.1"], 5));
    // Until the kernel has seen that nobody else has it, it does not answer for an address.
    let settled = |name: &str, device: &str| loop {
        let show = ["-n", name, "-6", "-o", "address", "show", "dev", device, "scope", "link", "-tentative"];
        let text = command("ip", &show, "");
        if let Some(address) = text.split_whitespace().find(|word| word.starts_with("fe80:")) {
            return address.split('/').next().unwrap().to_owned();
        }
    };
    settled(&lab.near, "v0");
    let link_local = settled(&lab.far, "v1");
    for next_hop in [link_local.as_str(), "fd99::1"] {
        for engine in [Engine::Syn, Engine::Connect] {
            for discovery in [Discovery::On, Discovery::Off] {
                ip(&format!("-n {} route replace 10.98.0.0/24 via inet6 {next_hop} dev v0", lab.near));
                ip(&format!("-n {} neigh flush all", lab.near));
                let ports = truth.iter().map(|(_, port)| *port).chain(1..50).collect();
                let mut job = Job::new(addresses(&["10.98.0.1"]), ports);
                job.settings.engine = engine;
                job.settings.discovery = discovery;
                let (results, _) = lab.at_near(|| work(&job));
                assert_eq!(results.engines, [engine], "{engine:?} {discovery:?} {next_hop}: {:?}", results.hosts);
                assert_eq!(results.open(), truth, "{engine:?} {next_hop}: {:?}", results.hosts);
            }
        }
    }
}

#[test]
fn a_missing_route_and_a_silent_router_are_told_apart() {
    let Some(lab) = Lab::new() else { return };
    ip(&format!("-n {} route add 10.97.0.0/24 via 10.99.0.77", lab.near));
    let cases = [("10.97.0.1", HostReason::NoRouter), ("192.0.2.1", HostReason::NoRoute)];
    for engine in [Engine::Syn, Engine::Connect] {
        for discovery in [Discovery::On, Discovery::Off] {
            let mut job = Job::new(addresses(&cases.map(|(address, _)| address)), vec![80, 443]);
            job.udp_ports = vec![53];
            job.settings.engine = engine;
            job.settings.discovery = discovery;
            let (results, outcome) = lab.at_near(|| work(&job));
            assert_eq!(outcome.progress.done, 6);
            for (address, reason) in cases {
                let report = &results.hosts[&address.parse().unwrap()];
                assert_eq!(report.presence, Presence::Down(reason), "{engine:?} {discovery:?} {address}");
                let told = report.counts.iter().filter(|count| count.protocol == Protocol::Tcp);
                assert!(told.clone().all(|count| count.state == State::Unreachable), "{engine:?} {report:?}");
            }
        }
    }
}

/// The kernel asks for a second or three whom the connect engine waits for much shorter.
#[test]
fn a_router_that_went_away_is_no_filter_however_short_the_wait() {
    let Some(lab) = Lab::new() else { return };
    ip(&format!("-n {} route add 10.97.0.0/24 via 10.99.0.77", lab.near));
    for (discovery, old_entry) in [(Discovery::On, false), (Discovery::Off, false), (Discovery::Off, true)] {
        ip(&format!("-n {} neigh flush all", lab.near));
        if old_entry {
            ip(&format!("-n {} neigh replace 10.99.0.77 lladdr 02:00:00:00:00:99 dev v0 nud stale", lab.near));
        }
        let mut job = Job::new(addresses(&["10.97.0.1", "10.97.0.2", "10.99.0.78", "10.98.0.1"]), vec![80, 443]);
        job.settings.engine = Engine::Connect;
        job.settings.discovery = discovery;
        job.settings.timeout = std::time::Duration::from_millis(100);
        let (results, _) = lab.at_near(|| work(&job));
        for address in ["10.97.0.1", "10.97.0.2"] {
            let report = &results.hosts[&address.parse().unwrap()];
            assert_eq!(report.presence, Presence::Down(HostReason::NoRouter), "{discovery:?} {old_entry}");
            let away = if discovery == Discovery::Off { 2 } else { 0 };
            assert_eq!(results.count(address, State::Unreachable), away, "{report:?}");
        }
        let neighbour = &results.hosts[&"10.99.0.78".parse().unwrap()];
        if discovery == Discovery::On {
            assert_eq!(neighbour.presence, Presence::Down(HostReason::NoNeighbour));
        } else {
            assert_eq!(results.count("10.99.0.78", State::Unreachable), 2, "{neighbour:?}");
        }
        assert_eq!(results.count("10.98.0.1", State::Closed), 2, "its router is there");
    }
}

#[test]
fn silence_behind_a_router_that_is_there_is_a_filter() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         ip daddr { 10.98.0.5, 10.99.0.1 } drop\n }\n }\n",
    );
    let mac = command("ip", &["netns", "exec", &lab.far, "cat", "/sys/class/net/v1/address"], "");
    for engine in [Engine::Syn, Engine::Connect] {
        for state in ["unknown", "stale"] {
            ip(&format!("-n {} neigh flush all", lab.near));
            if state == "stale" {
                ip(&format!("-n {} neigh replace 10.99.0.1 lladdr {} dev v0 nud stale", lab.near, mac.trim()));
            }
            for discovery in [Discovery::Off, Discovery::On] {
                let mut job = Job::new(addresses(&["10.98.0.5", "10.99.0.1"]), vec![80, 443]);
                job.settings.engine = engine;
                job.settings.discovery = discovery;
                job.settings.timeout = std::time::Duration::from_millis(200);
                let (results, _) = lab.at_near(|| work(&job));
                let report = &results.hosts[&"10.98.0.5".parse().unwrap()];
                if discovery == Discovery::Off {
                    assert_eq!(results.count("10.98.0.5", State::Filtered), 2, "{engine:?} {state} {report:?}");
                    assert_eq!(results.count("10.99.0.1", State::Filtered), 2, "{engine:?} {state}: it answers ARP");
                    assert_eq!(report.presence, Presence::Unknown);
                } else {
                    assert_eq!(report.presence, Presence::Down(HostReason::NoResponse), "{engine:?} {state}");
                }
            }
        }
    }
}

#[test]
fn a_device_without_address_resolution_is_left_to_the_kernel() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 3));
    ip(&format!("-n {} link set v0 arp off", lab.near));
    // Neither side can ask the other then.
    for (there, device, here, address, own) in
        [(&lab.far, "v1", &lab.near, "10.99.0.1", "v0"), (&lab.near, "v0", &lab.far, "10.99.0.2", "v1")]
    {
        let file = format!("/sys/class/net/{device}/address");
        let mac = command("ip", &["netns", "exec", there, "cat", &file], "");
        ip(&format!("-n {here} neigh replace {address} lladdr {} dev {own} nud permanent", mac.trim()));
    }
    let mut job = Job::new(addresses(&["10.99.0.1"]), truth.iter().map(|(_, port)| *port).chain(1..50).collect());
    job.settings.engine = Engine::Auto;
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!((results.open(), results.engines), (truth, vec![Engine::Connect]));
}

#[test]
fn the_loopback_device_leads_to_nobody_else() {
    for engine in [Engine::Auto, Engine::Connect] {
        let mut job = Job::new(addresses(&["192.0.2.1"]), vec![80]);
        job.settings.engine = engine;
        job.settings.interface = Some("lo".to_owned());
        let error = run(&job, &Control::new(), |_| {}).unwrap_err();
        assert!(matches!(error, Error::OnlyThisMachine { .. }), "{error}");
        assert!(error.to_string().contains("192.0.2.1") && error.to_string().contains("lo"), "{error}");
    }
}
