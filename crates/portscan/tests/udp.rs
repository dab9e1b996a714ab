//! UDP ports of hosts that stay silent, or for whose addresses nobody answers. Needs root, `ip` and `nft`; without root the
//! tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::IpAddr;
use std::time::Duration;

use bartizan_portscan::{Control, Engine, Event, HostReason, Job, Presence, Protocol, Reason, State, run};

mod support;

use support::{Lab, addresses, ip, work, work_and};

/// Silent ports have their results while other ports of the same hosts were not asked at all yet.
#[test]
fn a_run_that_was_stopped_early_repeats_little() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter datagrams { }\n chain prerouting { type filter hook prerouting priority -300;\n\
         meta l4proto udp counter name datagrams drop\n }\n }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let mut job = Job::new((100..120).map(|n| IpAddr::from([10, 98, 0, n])).collect(), Vec::new());
    job.udp_ports = (1..=1000).collect();
    job.settings.timeout = Duration::from_millis(40);
    job.settings.max_in_flight = 400;
    job.settings.checkpoint = Some(folder.path().join("state"));
    let control = Control::new();
    let stopped = lab.at_near(|| {
        run(&job, &control, |event| {
            if matches!(event, Event::Progress(progress) if progress.attempts >= 8000) {
                control.cancel();
            }
        })
        .unwrap()
    });
    assert!(stopped.cancelled && lab.counted("datagrams") < 20_000, "{:?}", stopped.progress);
    let (results, outcome) = lab.at_near(|| work(&job));
    assert_eq!((outcome.progress.done, results.hosts.len()), (20_000, 20));
    for report in results.hosts.values() {
        let counts: Vec<_> = report.counts.iter().map(|count| (count.state, count.reason, count.ports)).collect();
        assert_eq!(counts, [(State::OpenFiltered, Reason::NoResponse, 1000)]);
    }
    // Each port is asked twice. Of each host 128 ports may have waited for the second time, and 400 questions were out, some
    // of them for the second time.
    let repeated = lab.counted("datagrams") - 40_000;
    assert!(repeated <= 20 * 128 + 2 * 400, "{repeated} datagrams for nothing");
}

/// A host that limits its refusals takes its time, and the others are told of meanwhile.
#[test]
fn hosts_of_which_only_datagrams_are_asked_end_one_by_one() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { chain prerouting { type filter hook prerouting priority -300;\n\
         ip daddr 10.98.0.0/24 drop\n }\n }\n",
    );
    let mut job = Job::new(addresses(&["10.99.0.1", "10.98.0.101", "10.98.0.102", "10.98.0.103"]), Vec::new());
    job.udp_ports = (3000..3030).collect();
    job.settings.timeout = Duration::from_millis(100);
    job.settings.udp_patience = Duration::from_millis(3200);
    let (mut ended, mut findings) = (Vec::new(), 0);
    let (results, _) = lab.at_near(|| {
        work_and(&job, |event| match event {
            Event::Found(_) => findings += 1,
            Event::Host(report) => ended.push((report.address, findings)),
            _ => {}
        })
    });
    assert_eq!(ended.len(), 4);
    for (at, (address, findings)) in ended.iter().enumerate() {
        let is_slow = *address == IpAddr::from([10, 99, 0, 1]);
        assert_eq!((is_slow, *findings == 120), (at == 3, at == 3), "{ended:?}");
    }
    let report = &results.hosts[&IpAddr::from([10, 99, 0, 1])];
    assert!(report.rtt.is_some() && report.presence != Presence::Unknown, "{report:?}");
}

/// The kernel looks for a neighbour for longer than a datagram is waited for, so that silence says nothing.
#[test]
fn whoever_has_no_neighbour_is_unreachable_for_datagrams_too() {
    let Some(lab) = Lab::new() else { return };
    ip(&format!("-n {} route add 10.96.0.0/24 via 10.99.0.72", lab.near));
    for engine in [Engine::Syn, Engine::Connect] {
        for tcp_ports in [vec![80], Vec::new()] {
            let mut job = Job::new(addresses(&["10.99.0.1", "10.99.0.70", "fd99::71", "10.96.0.7"]), tcp_ports.clone());
            job.udp_ports = vec![53, 123];
            job.settings.engine = engine;
            let (results, outcome) = lab.at_near(|| work(&job));
            let each = 2 + tcp_ports.len();
            assert_eq!((results.findings.len(), results.hosts.len()), (4 * each, 4), "{engine:?}");
            for finding in results.findings.values().filter(|finding| finding.address != job.targets[0]) {
                let told = (finding.state, finding.reason);
                assert_eq!(told, (State::Unreachable, Reason::NoNeighbour), "{engine:?} {finding:?}");
            }
            let there = (job.targets[0], Protocol::Udp, 53);
            assert_eq!(results.findings[&there].state, State::Closed, "{engine:?}");
            let no_router = &results.hosts[&"10.96.0.7".parse().unwrap()];
            assert_eq!(no_router.presence, Presence::Down(HostReason::NoRouter), "{engine:?}");
            assert!(!outcome.cancelled && outcome.gaps.is_empty(), "{outcome:?}");
        }
    }
}
