//! The kernel repeats the questions of the connect engine after a second: that is neither more than was asked for nor faster than
//! is allowed, and a host that is farther away than a second is found all the same. Packets are counted where they arrive.
//! Needs root, `ip`, `nft` and `python3`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::{Duration, Instant};

use bartizan_portscan::{Engine, Job, State};

mod support;

use support::{Lab, Relay, addresses, listen, work, work_and};

/// A host that answers nothing, and a counter of the questions that reach it.
fn dark(lab: &Lab) {
    lab.rules(
        "table inet lab { counter questions { }\n chain input { type filter hook input priority 0;\n\
         ip daddr { 10.98.0.2, 10.98.0.3 } tcp flags & (syn | ack) == syn counter name questions drop\n }\n }\n",
    );
}

fn job(targets: &[&str], ports: u16) -> Job {
    let mut job = Job::new(addresses(targets), (1..=ports).collect());
    job.settings.engine = Engine::Connect;
    job
}

#[test]
fn a_dark_host_gets_as_many_questions_as_were_asked_for() {
    let Some(lab) = Lab::new() else { return };
    dark(&lab);
    let mut before = 0;
    for (attempts, timeout) in [(1, 1500), (1, 4000), (2, 1500), (3, 1500), (2, 4000)] {
        let mut job = job(&["10.98.0.2"], 300);
        job.settings.attempts = attempts;
        job.settings.timeout = Duration::from_millis(timeout);
        let (results, outcome) = lab.at_near(|| work(&job));
        assert_eq!(results.count("10.98.0.2", State::Filtered), 300);
        let asked = lab.counted("questions") - before;
        before += asked;
        let wanted = 300 * u64::from(attempts);
        // Where the next hop was not heard of lately, one more finds out whether it is there.
        // On a machine that has no time for this process, a socket is closed too late now and then.
        let more = u64::from(attempts > 1) + 15;
        assert!((wanted..=wanted + more).contains(&asked), "{attempts} attempts of {timeout} ms: {asked} questions");
        assert!(outcome.progress.sent.abs_diff(asked) <= 15, "what the kernel repeats is counted: {outcome:?} {asked}");
        let told = results.findings.values().filter(|finding| finding.attempts == attempts).count();
        assert!(told >= 285, "{attempts}: {told} {:?}", results.findings.values().next());
    }
}

#[test]
fn ceilings_hold_for_what_the_kernel_repeats() {
    let Some(lab) = Lab::new() else { return };
    dark(&lab);
    for which in 0..3 {
        let mut job = job(&["10.98.0.2", "10.98.0.3"], 150);
        let rates = &mut job.settings.rates;
        let each = if which == 1 { 100 } else { 200 };
        *[&mut rates.global, &mut rates.per_host, &mut rates.per_subnet][which] = Some(each);
        let before = lab.counted("questions");
        let started = Instant::now();
        let (mut looked, mut seen, mut most) = (started, before, 0.0_f64);
        lab.at_near(|| {
            work_and(&job, |_| {
                let past = looked.elapsed();
                if past >= Duration::from_millis(500) {
                    let now = lab.counted("questions");
                    most = most.max((now - seen) as f64 / looked.elapsed().as_secs_f64());
                    (looked, seen) = (Instant::now(), now);
                }
            })
        });
        let asked = lab.counted("questions") - before;
        let average = asked as f64 / started.elapsed().as_secs_f64();
        // On a machine that has no time for this process, a socket is closed too late now and then.
        assert!((600..=630).contains(&asked), "ceiling {which}: {asked}");
        assert!(average <= 200.0 && most <= 230.0, "ceiling {which}: {average} a second, {most} in half a second");
        assert!(average > 80.0, "ceiling {which}: {average} a second is much less than is allowed");
    }
}

#[test]
fn a_host_farther_away_than_a_second_is_found() {
    let Some(lab) = Lab::new() else { return };
    let _relay = Relay::slow(&lab, Duration::from_millis(600), "all");
    let (_listeners, truth) = lab.at_far(|| listen(&["10.97.0.1"], 5));
    let mut job = job(&["10.97.0.1"], 100);
    job.tcp_ports.extend(truth.iter().map(|(_, port)| *port));
    let (results, _) = lab.at_near(|| work(&job));
    assert_eq!(results.open(), truth);
    assert_eq!(results.count("10.97.0.1", State::Closed), 100);
    assert!(results.hosts.values().all(|report| report.unconfirmed.is_empty()), "{:?}", results.hosts);
}
