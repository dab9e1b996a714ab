//! Hosts that accept on every port, and real ones with many services: both engines against a second network stack. Needs
//! root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::time::Duration;

use bartizan_portscan::{Engine, Job, Report, State};

mod support;

use support::{Lab, addresses, command, listen, work};

#[test]
fn a_proxy_that_accepts_everything_is_unmasked_by_both_engines() {
    let Some(lab) = Lab::new() else { return };
    lab.accept_everything("");
    for engine in [Engine::Syn, Engine::Connect] {
        // Nearly all, a thousand, a few and a single one: each port that is asked is open.
        for ports in [(1..=100).collect(), (1..=1000).collect(), vec![22, 80, 443], vec![80, 443], vec![443]] {
            let mut job = Job::new(addresses(&["10.99.0.1"]), ports);
            job.settings.engine = engine;
            let asked = job.tcp_ports.len();
            let (results, _) = lab.at_near(|| work(&job));
            assert_eq!(results.count("10.99.0.1", State::Open), asked);
            assert!(results.hosts.values().all(|report| report.accepts_everything), "{engine:?} {asked} ports");
            // Who wants open ports alone gets few of those that prove nothing, and the number of all.
            job.settings.report = Report::Open;
            let (results, _) = lab.at_near(|| work(&job));
            let report = results.hosts.values().next().unwrap();
            let counted = report.counts.iter().filter(|count| count.state == State::Open).map(|count| count.ports);
            assert_eq!((counted.sum::<u32>() as usize, report.accepts_everything), (asked, true), "{engine:?}");
            if asked == 1000 && engine == Engine::Syn {
                let listed = results.open().len();
                assert!(listed < 1000, "{listed} are listed although the host is known to accept everything");
            }
        }
    }
}

#[test]
fn a_host_with_many_real_services_is_no_proxy_however_few_ports_are_asked() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 300));
    let all: Vec<u16> = truth.iter().map(|(_, port)| *port).collect();
    // Where closed ports are refused, and where they are silent.
    for silent in [false, true] {
        if silent {
            let open = all.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            lab.rules(&format!(
                "table inet lab {{ chain input {{ type filter hook input priority 0; policy accept;\n\
                 meta l4proto tcp tcp dport != {{ {open} }} drop\n }}\n }}\n"
            ));
        }
        for engine in [Engine::Syn, Engine::Connect] {
            let with_closed: Vec<u16> = all.iter().copied().chain(1..700).collect();
            for ports in [with_closed, all.clone(), all[..3].to_vec(), all[..2].to_vec(), all[..1].to_vec()] {
                let mut job = Job::new(addresses(&["10.99.0.1"]), ports);
                job.settings.engine = engine;
                job.settings.timeout = Duration::from_millis(300);
                let asked: BTreeSet<u16> = job.tcp_ports.iter().copied().collect();
                let (results, _) = lab.at_near(|| work(&job));
                let open: BTreeSet<u16> = results.open().into_iter().map(|(_, port)| port).collect();
                assert_eq!(open, asked.iter().copied().filter(|port| all.contains(port)).collect(), "{engine:?}");
                let report = &results.hosts[&"10.99.0.1".parse().unwrap()];
                assert!(!report.accepts_everything, "{engine:?} {} ports, silent: {silent}", asked.len());
                assert!(report.unconfirmed.is_empty(), "{engine:?} {:?}", report.unconfirmed);
            }
        }
    }
}

/// The kernel's own SYN proxy answers each SYN before anybody looks whether something listens.
#[test]
fn the_kernel_s_syn_proxy_is_unmasked() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 1));
    let (_, port) = *truth.first().unwrap();
    command("ip", &["netns", "exec", &lab.far, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0"], "");
    lab.rules(
        "table ip lab { chain raw { type filter hook prerouting priority raw; policy accept;\n\
         tcp flags & (syn|ack) == syn notrack\n }\n\
         chain input { type filter hook input priority 0; policy accept;\n\
         ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm\n ct state invalid drop\n }\n }\n",
    );
    for engine in [Engine::Syn, Engine::Connect] {
        for ports in [vec![80, 443], (1..=1000).chain([port]).collect()] {
            let mut job = Job::new(addresses(&["10.99.0.1"]), ports);
            job.settings.engine = engine;
            let (results, _) = lab.at_near(|| work(&job));
            let report = results.hosts.values().next().unwrap();
            assert!(report.accepts_everything, "{engine:?} {:?}", report.counts);
        }
    }
}
