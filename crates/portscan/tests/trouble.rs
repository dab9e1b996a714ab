//! Trouble on this machine is told as such, of the ports it concerns and of no others, and what passes costs nothing. Needs
//! root, `ip`, `nft` and `python3`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::Duration;

use bartizan_portscan::{Discovery, Engine, Finding, HostReason, Job, Presence, Protocol, Reason, State};

mod support;

use support::{Lab, Relay, addresses, work};

/// Over a layer-3 device the packets of the raw engine meet the rules of this machine.
#[test]
fn a_rule_of_this_machine_against_one_port_says_nothing_about_the_others() {
    let Some(lab) = Lab::new() else { return };
    let _relay = Relay::new(&lab);
    // The second rule passes after two packets of 44 bytes, or of 64: what a full table of connections does.
    lab.rules_of_near(
        "table inet lab { chain output { type filter hook output priority 0; policy accept;\n\
         tcp dport 25 drop\n ip version 4 tcp dport 26 quota until 100 bytes drop\n\
         ip6 version 6 tcp dport 26 quota until 140 bytes drop\n }\n }\n",
    );
    lab.rules(
        "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
         tcp dport 1000-1009 drop\n }\n }\n",
    );
    for address in ["10.97.0.1", "fd97::1"] {
        let _listener = lab.at_far(|| TcpListener::bind((address, 26)).unwrap());
        let mut job = Job::new(addresses(&[address]), (20..300).chain(1000..1010).collect());
        job.settings.engine = Engine::Syn;
        let (results, _) = lab.at_near(|| work(&job));
        assert_eq!(results.engines, [Engine::Syn]);
        let of = |state: State| -> BTreeSet<(u16, Reason)> {
            let found = results.findings.values().filter(|finding| finding.state == state);
            found.map(|finding| (finding.port, finding.reason)).collect()
        };
        assert_eq!(of(State::Error), [(25, Reason::LocalPolicy)].into(), "{address}");
        assert_eq!(of(State::Open), [(26, Reason::SynAck)].into(), "{address}");
        assert_eq!(of(State::Filtered), (1000..1010).map(|port| (port, Reason::NoResponse)).collect(), "{address}");
        assert_eq!(of(State::Closed).len(), 280 - 2, "{address}");
    }
}

#[test]
fn who_cannot_be_looked_for_is_not_taken_to_be_down() {
    let Some(lab) = Lab::new() else { return };
    let _relay = Relay::new(&lab);
    lab.rules_of_near(
        "table inet lab { chain output { type filter hook output priority 0; policy accept;\n\
         ip daddr 10.97.0.5 drop\n }\n }\n",
    );
    let mut job = Job::new(addresses(&["10.97.0.1", "10.97.0.5", "10.97.0.6"]), vec![80, 81]);
    job.settings.engine = Engine::Syn;
    job.settings.discovery = Discovery::On;
    let (results, _) = lab.at_near(|| work(&job));
    let told: Vec<&Finding> = results.findings.values().filter(|f| f.address == job.targets[1]).collect();
    assert_eq!(told.len(), 2, "{:?}", results.hosts);
    assert!(told.iter().all(|f| (f.state, f.reason) == (State::Error, Reason::LocalPolicy)), "{told:?}");
    assert_eq!(results.hosts[&job.targets[2]].presence, Presence::Down(HostReason::NoResponse));
    assert_eq!(results.count("10.97.0.1", State::Closed), 2);
}

#[test]
fn a_datagram_that_is_refused_for_a_moment_goes_out_later() {
    let Some(lab) = Lab::new() else { return };
    // An empty datagram has 28 bytes.
    lab.rules_of_near(
        "table inet lab { chain output { type filter hook output priority 0; policy accept;\n\
         udp dport 9 quota until 100 bytes drop\n udp dport 10 drop\n }\n }\n",
    );
    let mut job = Job::new(addresses(&["10.99.0.1"]), Vec::new());
    job.udp_ports = vec![9, 10];
    job.settings.timeout = Duration::from_millis(300);
    let (results, _) = lab.at_near(|| work(&job));
    let state = |port| {
        let finding = &results.findings[&(job.targets[0], Protocol::Udp, port)];
        (finding.state, finding.reason)
    };
    assert_eq!(state(9), (State::Closed, Reason::PortUnreachable));
    assert_eq!(state(10), (State::Error, Reason::LocalPolicy));
}
