//! Targets that may be asked only so often: what is dropped by a limit on the way is neither silent nor real. Needs root, `ip`
//! and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::TcpListener;

use bartizan_portscan::{Engine, Job, State};

mod support;

use support::{Lab, Results, addresses, work};

/// A chain of the far side that lets so many questions through a second.
fn policer(rate: u32, burst: u32) -> String {
    format!(
        "chain policer {{ type filter hook prerouting priority -300; policy accept;\n\
         tcp flags & (syn | ack) == syn limit rate over {rate}/second burst {burst} packets drop\n }}"
    )
}

/// That the second question at an open port was dropped says nothing against it.
fn assert_none_refuted(results: &Results) {
    assert!(results.hosts.values().all(|report| report.unconfirmed.is_empty()), "{:?}", results.hosts);
}

#[test]
fn no_port_is_lost_behind_a_limit_on_questions() {
    std::thread::scope(|scope| {
        for engine in [Engine::Syn, Engine::Connect] {
            scope.spawn(move || {
                let Some(lab) = Lab::new() else { return };
                let open: BTreeSet<u16> = (1..=25).map(|n| n * 192).collect();
                let listen = |port: &u16| TcpListener::bind(("10.99.0.1", *port)).unwrap();
                let _listeners: Vec<TcpListener> = lab.at_far(|| open.iter().map(listen).collect());
                lab.rules(&format!("table inet lab {{ {}\n }}\n", policer(250, 250)));
                let mut job = Job::new(addresses(&["10.99.0.1"]), (1..=5000).collect());
                job.settings.engine = engine;
                let (results, outcome) = lab.at_near(|| work(&job));
                let found: BTreeSet<u16> = results.open().into_iter().map(|(_, port)| port).collect();
                assert_eq!(found, open, "{engine:?}");
                assert_none_refuted(&results);
                assert_eq!(results.count("10.99.0.1", State::Closed), 5000 - 25, "{engine:?}: {outcome:?}");
            });
        }
    });
}

/// So narrow that repetitions which go out together are of no use, and come to an end before it lets all of them through.
#[test]
fn no_port_is_lost_by_connections_behind_a_narrow_limit() {
    let Some(lab) = Lab::new() else { return };
    let open: BTreeSet<u16> = (1..=4).map(|n| n * 101).collect();
    let listen = |port: &u16| TcpListener::bind(("10.99.0.1", *port)).unwrap();
    let _listeners: Vec<TcpListener> = lab.at_far(|| open.iter().map(listen).collect());
    lab.rules(&format!("table inet lab {{ {}\n }}\n", policer(20, 50)));
    let mut job = Job::new(addresses(&["10.99.0.1"]), (1..=500).collect());
    job.settings.engine = Engine::Connect;
    let (results, outcome) = lab.at_near(|| work(&job));
    let found: BTreeSet<u16> = results.open().into_iter().map(|(_, port)| port).collect();
    assert_eq!(found, open);
    assert_none_refuted(&results);
    assert_eq!(results.count("10.99.0.1", State::Closed), 500 - 4, "{outcome:?}");
}

#[test]
fn a_proxy_is_unmasked_behind_a_limit_on_questions() {
    std::thread::scope(|scope| {
        for engine in [Engine::Syn, Engine::Connect] {
            scope.spawn(move || {
                let Some(lab) = Lab::new() else { return };
                lab.accept_everything(&policer(400, 60));
                let mut job = Job::new(addresses(&["10.99.0.1"]), (1..=2000).collect());
                job.settings.engine = engine;
                let (results, _) = lab.at_near(|| work(&job));
                assert!(results.hosts.values().all(|report| report.accepts_everything), "{engine:?}");
            });
        }
    });
}
