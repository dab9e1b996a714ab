//! A system that has no descriptors left in the middle of a run. Alone in its process, because it takes them away.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::IpAddr;

use bartizan_portscan::{Control, Discovery, Engine, Event, Job, Outcome, Report, run};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn soft_limit(files: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: files, maximum }).unwrap();
}

#[test]
fn what_was_found_stays_although_the_next_phase_cannot_begin() {
    let before = getrlimit(Resource::Nofile).current;
    let mut job = Job::new((0..300_u32).map(|n| IpAddr::from((0x7f58_0000 + n).to_be_bytes())).collect(), vec![9]);
    job.settings.engine = Engine::Connect;
    job.settings.discovery = Discovery::On;
    job.settings.report = Report::Open;
    job.settings.rates.global = Some(2000);
    let mut notes = Vec::new();
    let outcome: Outcome = run(&job, &Control::new(), |event| match event {
        Event::Progress(progress) if progress.hosts_found > 0 => soft_limit(Some(3)),
        Event::Note(text) => notes.push(text),
        _ => {}
    })
    .unwrap();
    soft_limit(before);
    assert!(outcome.cancelled && outcome.progress.hosts_found > 0, "{outcome:?}");
    assert!(outcome.gaps.len() == 1 && outcome.gaps[0].contains("could not go on"), "{outcome:?}");
    assert_eq!(notes.last(), outcome.gaps.last());
}
