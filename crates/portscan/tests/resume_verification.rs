//! What a killed run had no time for, the next one does: open ports asked a second time, hosts that accept everything
//! unmasked, silence judged by what the host had answered before. Needs root, `ip` and `nft`; without root the tests say so
//! and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use bartizan_portscan::{Control, Engine, Event, Job, Outcome, Reason, State, run};

mod support;

use support::{Lab, Results, addresses, listen, work};

/// Runs a job until it is at so many of its pairs, and leaves the state file as a kill at that moment would.
fn killed_at(job: &Job, done: u64, folder: &Path) -> Job {
    let (state, killed) = (folder.join("state"), folder.join("killed"));
    let mut job = job.clone();
    job.settings.checkpoint = Some(state.clone());
    let control = Control::new();
    let outcome = run(&job, &control, |event| {
        if let Event::Progress(progress) = event
            && progress.done >= done
            && !killed.exists()
        {
            std::fs::copy(&state, &killed).unwrap();
            control.cancel();
        }
    })
    .unwrap();
    assert!(outcome.cancelled && killed.exists(), "{outcome:?}");
    job.settings.checkpoint = Some(killed);
    job.settings.rates.global = None;
    job
}

fn resumed(lab: &Lab, job: &Job, done: u64) -> (Results, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let job = lab.at_near(|| killed_at(job, done, folder.path()));
    let (results, outcome) = lab.at_near(|| work(&job));
    assert!(!outcome.cancelled && outcome.progress.done == outcome.progress.total, "{outcome:?}");
    (results, outcome)
}

#[test]
fn a_host_that_accepts_everything_is_unmasked_although_the_run_was_killed() {
    let Some(lab) = Lab::new() else { return };
    lab.accept_everything("");
    for engine in [Engine::Syn, Engine::Connect] {
        let mut job = Job::new(addresses(&["10.99.0.1"]), (1..=400).collect());
        job.settings.engine = engine;
        job.settings.rates.global = Some(200);
        // What is left then is too little to suspect a host.
        let (results, _) = resumed(&lab, &job, 355);
        let report = &results.hosts[&"10.99.0.1".parse().unwrap()];
        assert!(report.accepts_everything, "{engine:?} {:?}", report.counts);
    }
}

#[test]
fn open_ports_that_were_not_asked_again_before_the_kill_are_asked_by_the_next_run() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&["10.99.0.1"], 70));
    let open: Vec<u16> = truth.iter().map(|(_, port)| *port).collect();
    for engine in [Engine::Syn, Engine::Connect] {
        // Each port takes the first question and drops what comes after it.
        let rules: String = open
            .iter()
            .map(|port| {
                format!(
                    "tcp dport {port} tcp flags syn meter m{port} {{ ip daddr limit rate over 1/hour burst 1 packets }} drop\n"
                )
            })
            .collect();
        lab.rules(&format!(
            "table inet lab {{}}\n delete table inet lab\n\
             table inet lab {{ chain input {{ type filter hook input priority 0;\n{rules} }}\n }}\n"
        ));
        let mut job = Job::new(addresses(&["10.99.0.1"]), open.iter().copied().chain(1..2000).collect());
        job.settings.engine = engine;
        job.settings.timeout = Duration::from_millis(300);
        job.settings.rates.global = Some(1000);
        let (results, _) = resumed(&lab, &job, 1700);
        // A few may have had their one question after the state was written.
        let open: Vec<u16> = results.open().into_iter().map(|(_, port)| port).collect();
        assert!(open.len() > 55, "{engine:?}: {}", open.len());
        let mut unconfirmed = results.hosts[&"10.99.0.1".parse().unwrap()].unconfirmed.clone();
        unconfirmed.sort_unstable();
        assert_eq!(unconfirmed, open, "{engine:?}");
    }
}

#[test]
fn a_host_that_answered_before_the_kill_is_one_that_answers() {
    let Some(lab) = Lab::new() else { return };
    let _listener: TcpListener = lab.at_far(|| TcpListener::bind(("10.98.0.1", 5)).unwrap());
    for engine in [Engine::Syn, Engine::Connect] {
        let mut job = Job::new(addresses(&["10.98.0.1"]), (1..=1000).collect());
        job.settings.engine = engine;
        job.settings.timeout = Duration::from_millis(300);
        job.settings.rates.global = Some(1000);
        let folder = tempfile::tempdir().unwrap();
        let job = lab.at_near(|| killed_at(&job, 600, folder.path()));
        // From now on a router says that there is no such host.
        lab.rules(
            "table inet lab { chain input { type filter hook input priority 0; policy accept;\n\
             ip daddr 10.98.0.1 tcp flags syn reject with icmp host-unreachable\n }\n }\n",
        );
        let (results, _) = lab.at_near(|| work(&job));
        lab.rules("delete table inet lab\n");
        let left = results.findings.values().filter(|finding| finding.state != State::Closed && finding.port != 5);
        let states: Vec<(State, Reason)> = left.map(|finding| (finding.state, finding.reason)).collect();
        assert!(!states.is_empty(), "{engine:?}");
        assert!(states.iter().all(|(state, _)| *state == State::Filtered), "{engine:?}: {states:?}");
    }
}
