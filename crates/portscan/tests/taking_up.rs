//! State files: on a disk that fills up, with targets that moved or were excluded since, and of runs that were stopped while they
//! looked for hosts. Parts of it need root, `ip`, `nft` and `mount`; without root they say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bartizan_portscan::{
    AtEnd, Control, Discovery, Engine, Error, Event, HostReason, Job, Outcome, Phase, Presence, Report, run,
};

mod support;

use support::{Lab, addresses, command, work_and};

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn new(at: &Path) -> Self {
        let at = at.join("disk");
        std::fs::create_dir(&at).unwrap();
        command("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", at.to_str().unwrap()], "");
        Self(at)
    }

    fn fill(&self) {
        // As far as it goes.
        let _ = std::fs::write(self.0.join("filler"), vec![0; 2 << 20]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

fn slow_job(state: &Path) -> Job {
    let mut job = Job::new(addresses(&["127.86.20.1"]), (1..=3000).collect());
    job.settings.engine = Engine::Connect;
    job.settings.report = Report::Open;
    job.settings.rates.global = Some(2000);
    job.settings.checkpoint = Some(state.to_owned());
    job
}

#[test]
fn a_disk_that_fills_up_ends_no_scan_and_keeps_the_last_good_state() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    let state = disk.0.join("state");
    let mut job = slow_job(&state);
    job.settings.at_end = AtEnd::Keep;
    let (mut full, mut notes, mut left) = (false, Vec::new(), Vec::new());
    let outcome = run(&job, &Control::new(), |event| match event {
        Event::Progress(progress) if progress.done > 300 && !full => {
            full = true;
            disk.fill();
        }
        Event::Progress(_) if full => left.push(disk.0.join("state.new").exists()),
        Event::Note(text) => notes.push(text),
        _ => {}
    })
    .unwrap();
    assert!(!outcome.cancelled && outcome.progress.done == 3000, "the scan goes on: {outcome:?}");
    let told =
        |text: &String| text.contains("state") && text.contains("No space left") && !text.contains("of this job");
    assert!(outcome.gaps.len() == 1 && told(&outcome.gaps[0]), "{:?}", outcome.gaps);
    assert!(notes.len() == 1 && told(&notes[0]), "once: {notes:?}");
    assert!(!disk.0.join("state.new").exists(), "half a file stays");

    // The state is an older one, and a good one.
    std::fs::remove_file(disk.0.join("filler")).unwrap();
    job.settings.rates.global = None;
    let mut before = None;
    let outcome = run(&job, &Control::new(), |event| {
        if let Event::Progress(progress) = event {
            before.get_or_insert(progress.done);
        }
    })
    .unwrap();
    assert!(!outcome.cancelled && outcome.progress.done == 3000 && outcome.gaps.is_empty(), "{outcome:?}");
    assert!((200..3000).contains(&before.unwrap()), "{before:?}");
}

#[test]
fn trouble_that_passes_leaves_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let job = slow_job(&inside.join("state"));
    let control = Control::new();
    let (mut gone, mut notes) = (false, 0);
    let outcome = run(&job, &control, |event| match event {
        Event::Progress(progress) if progress.done > 300 && !gone => {
            gone = true;
            std::fs::remove_dir_all(&inside).unwrap();
        }
        Event::Note(text) if text.contains("state") => {
            notes += 1;
            std::fs::create_dir(&inside).unwrap();
            control.cancel();
        }
        _ => {}
    })
    .unwrap();
    assert!(outcome.cancelled && notes == 1 && outcome.gaps.is_empty(), "the last word was written: {outcome:?}");
    assert!(inside.join("state").exists());
}

/// The ports of all hosts with a report.
fn counted(results: &support::Results) -> u32 {
    results.hosts.values().flat_map(|report| &report.counts).map(|count| count.ports).sum()
}

/// What a run of these targets and names finds that is stopped half-way.
fn stopped(job: &Job, done: u64) -> Outcome {
    let control = Control::new();
    let outcome = run(job, &control, |event| {
        if let Event::Progress(progress) = event
            && progress.done >= done
        {
            control.cancel();
        }
    })
    .unwrap();
    assert!(outcome.cancelled, "{outcome:?}");
    outcome
}

#[test]
fn what_is_excluded_after_an_interrupt_gets_no_packet_and_is_not_told_of() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table netdev lab { counter excluded { }\n counter others { }\n\
         chain ingress { type filter hook ingress device v1 priority 0; policy accept;\n\
         ip daddr 10.98.0.2 counter name excluded\n ip daddr { 10.98.0.1, 10.98.0.3 } counter name others\n }\n }\n",
    );
    for (engine, discovery) in [
        (Engine::Connect, Discovery::Off),
        (Engine::Connect, Discovery::On),
        (Engine::Syn, Discovery::Off),
        (Engine::Syn, Discovery::On),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut job = Job::new(addresses(&["10.98.0.1", "10.98.0.2", "10.98.0.3"]), (1..=1000).collect());
        job.settings.engine = engine;
        job.settings.discovery = discovery;
        job.settings.rates.global = Some(3000);
        job.settings.checkpoint = Some(folder.path().join("state"));
        lab.at_near(|| stopped(&job, 600));
        let excluded: IpAddr = "10.98.0.2".parse().unwrap();
        let all = job.targets.clone();
        job.never = Arc::new(move |address| address == excluded);
        // The caller may or may not have taken it away himself.
        if discovery == Discovery::On {
            job.targets.retain(|target| *target != excluded);
        }
        job.settings.at_end = AtEnd::Keep;
        let before = (lab.counted_in("netdev", "excluded"), lab.counted_in("netdev", "others"));
        let (results, outcome) = lab.at_near(|| work_and(&job, |_| {}));
        assert_eq!(lab.counted_in("netdev", "excluded"), before.0, "{engine:?} {discovery:?}");
        assert!(lab.counted_in("netdev", "others") > before.1 + 500, "the counter counts");
        assert_eq!((outcome.progress.done, outcome.cancelled), (3000, false), "{outcome:?}");
        assert_eq!((&outcome.refused[..], results.hosts.len()), (&[excluded][..], 2));
        assert!(results.findings.keys().all(|(address, ..)| *address != excluded));
        assert_eq!(counted(&results), 2000, "{engine:?} {discovery:?}");

        // Without the exclusion its ports are asked after all, those that are left.
        job.never = Arc::new(|_| false);
        job.targets = all;
        let (results, outcome) = lab.at_near(|| work_and(&job, |_| {}));
        assert_eq!((outcome.progress.done, results.hosts.len()), (3000, 3), "{outcome:?}");
        let asked = lab.counted_in("netdev", "excluded") - before.0;
        assert!(asked > 300 && asked < 1000 + 50, "{engine:?} {discovery:?}: {asked}");
    }
}

#[test]
fn names_keep_their_addresses_and_other_targets_are_another_job() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let job = |named: &[&str], literal: &[&str]| {
        let mut job = Job::new(addresses(literal), (1..=500).collect());
        job.targets.extend(addresses(named));
        job.names = BTreeMap::from([("a.example".to_owned(), addresses(named))]);
        job.settings.engine = Engine::Connect;
        job.settings.checkpoint = Some(state.clone());
        job.settings.rates.global = Some(2000);
        job
    };
    let first = job(&["127.86.21.1", "127.86.21.2"], &["127.86.21.9"]);
    stopped(&first, 300);
    for (named, literal, why) in [
        (&["127.86.21.1"][..], &["127.86.21.8", "127.86.21.9"][..], "begun without 127.86.21.8"),
        (&["127.86.21.1"], &[], "begun with 127.86.21.9"),
    ] {
        let error = run(&job(named, literal), &Control::new(), |_| {}).unwrap_err();
        assert!(matches!(&error, Error::Checkpoint { why: told, .. } if told.contains(why)), "{error}");
    }
    let mut without = job(&[], &["127.86.21.1", "127.86.21.9"]);
    without.names.clear();
    let error = run(&without, &Control::new(), |_| {}).unwrap_err();
    assert!(error.to_string().contains("the name a.example"), "{error}");

    // The name server gives one of the two and another one.
    let mut second = job(&["127.86.21.2", "127.86.21.3"], &["127.86.21.9"]);
    second.settings.rates.global = None;
    let (mut taken_up, mut notes) = (None, Vec::new());
    let (results, outcome) = work_and(&second, |event| match event {
        Event::TakenUp(what) => taken_up = Some(what.clone()),
        Event::Note(text) => notes.push(text.clone()),
        _ => {}
    });
    assert_eq!((outcome.progress.done, outcome.progress.total, outcome.cancelled), (1500, 1500, false));
    let asked: BTreeSet<IpAddr> = results.hosts.keys().copied().collect();
    assert_eq!(asked, addresses(&["127.86.21.1", "127.86.21.2", "127.86.21.9"]).into_iter().collect());
    assert_eq!(counted(&results), 1500);
    let taken_up = taken_up.unwrap();
    assert_eq!((taken_up.targets, &taken_up.names), (3, &first.names));
    assert!(notes.iter().any(|note| note.contains("127.86.21.3 is not asked")), "{notes:?}");
    assert!(!state.exists(), "it is complete");
}

/// Whom a stopped run found need not be found again, and who was not there is not looked for again.
#[test]
fn a_run_that_was_stopped_while_it_looked_for_hosts_does_not_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    // More than are looked for at the same time; all of them refuse.
    let targets: Vec<IpAddr> = (0..12_000_u32).map(|n| IpAddr::from((0x7f57_0000 + n).to_be_bytes())).collect();
    let mut job = Job::new(targets, vec![9]);
    job.settings.engine = Engine::Connect;
    job.settings.discovery = Discovery::On;
    job.settings.report = Report::Open;
    job.settings.rates.global = Some(10_000);
    job.settings.checkpoint = Some(folder.path().join("state"));
    let control = Control::new();
    let outcome = run(&job, &control, |event| match event {
        Event::Progress(at) if at.hosts_found > 8400 && !control.is_cancelled() => {
            assert_eq!(at.phase, Phase::Discovery, "{at:?}");
            control.cancel();
        }
        _ => {}
    })
    .unwrap();
    assert!(outcome.cancelled && outcome.progress.hosts_found < 12_000, "{outcome:?}");
    let before = outcome.progress.attempts;
    let (results, outcome) = work_and(&job, |_| {});
    assert_eq!((results.hosts.len(), outcome.progress.done, outcome.progress.hosts_found), (12_000, 12_000, 12_000));
    assert!(results.hosts.values().all(|report| report.presence == Presence::Up(HostReason::Port)), "all are there");
    let mut fresh = job;
    fresh.settings.checkpoint = None;
    let (_, whole) = work_and(&fresh, |_| {});
    let (whole, rest) = (whole.progress.attempts, outcome.progress.attempts);
    assert!(rest + before < whole + 6000 && rest + 7000 < whole, "{before} and {rest} are {whole} in one run");
}

#[test]
fn both_engines_remember_who_is_there_and_who_is_not() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter dead { }\n chain input { type filter hook input priority 0;\n\
         ip daddr 10.98.0.3 counter name dead drop\n }\n }\n",
    );
    for engine in [Engine::Syn, Engine::Connect] {
        let folder = tempfile::tempdir().unwrap();
        let mut job = Job::new(addresses(&["10.98.0.1", "10.98.0.3", "10.99.0.1"]), (1..=2000).collect());
        job.settings.engine = engine;
        job.settings.discovery = Discovery::On;
        job.settings.timeout = Duration::from_millis(300);
        job.settings.rates.global = Some(2000);
        job.settings.checkpoint = Some(folder.path().join("state"));
        let presences = |results: &support::Results| -> BTreeMap<IpAddr, Presence> {
            results.hosts.iter().map(|(address, report)| (*address, report.presence)).collect()
        };
        // The dead one is done when its presence is known; a few ports of the others on top.
        lab.at_near(|| stopped(&job, 2100));
        let dead = lab.counted("dead");
        let (results, outcome) = lab.at_near(|| work_and(&job, |_| {}));
        assert_eq!((lab.counted("dead"), outcome.progress.done), (dead, 6000), "{engine:?}");
        assert!(dead > 0 && counted(&results) == 4000);
        job.settings.checkpoint = None;
        job.settings.rates.global = None;
        let (fresh, _) = lab.at_near(|| work_and(&job, |_| {}));
        assert_eq!(presences(&results), presences(&fresh), "{engine:?}: the same as without an interrupt");
    }
}
