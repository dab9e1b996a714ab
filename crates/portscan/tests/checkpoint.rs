//! Runs that are killed, or left incomplete for trouble on this machine, and taken up again from their state file. Needs
//! root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener};
use std::process::{Command, Stdio};

use bartizan_portscan::{Control, Engine, Event, Job, Reason, Report, State, run};

mod support;

use support::{Lab, addresses, ip, work, work_and};

/// Not a test of its own: what the test below kills. Prints each open port it finds.
#[test]
fn child_of_the_kill_test() {
    let Ok(state) = std::env::var("PORTSCAN_TEST_CHECKPOINT") else { return };
    let job = long_job(&state, engine_of(&std::env::var("PORTSCAN_TEST_ENGINE").unwrap()));
    run(&job, &Control::new(), |event| {
        if let Event::Found(finding) = event {
            let mut out = std::io::stdout().lock();
            writeln!(out, "open {} {}", finding.address, finding.port).unwrap();
            out.flush().unwrap();
        }
    })
    .unwrap();
}

fn engine_of(name: &str) -> Engine {
    if name == "syn" { Engine::Syn } else { Engine::Connect }
}

fn long_job(state: &str, engine: Engine) -> Job {
    let mut job = Job::new(addresses(&["10.98.0.1", "10.98.0.2"]), (1..=20_000).collect());
    job.settings.engine = engine;
    job.settings.report = Report::Open;
    job.settings.checkpoint = Some(state.into());
    // Slow enough to be killed in the middle.
    job.settings.rates.global = Some(10_000);
    job
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    kill_and_go_on("syn");
}

#[test]
fn a_killed_run_of_the_connect_engine_goes_on_where_it_was() {
    kill_and_go_on("connect");
}

fn kill_and_go_on(engine: &str) {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter questions { }\n chain input { type filter hook input priority 0;\n\
         tcp flags & (syn | ack) == syn counter name questions\n }\n }\n",
    );
    let ports: Vec<u16> = (1..=40).map(|n| n * 499).collect();
    let truth: BTreeSet<(IpAddr, u16)> =
        (1..=2).flat_map(|host| ports.iter().map(move |port| (IpAddr::from([10, 98, 0, host]), *port))).collect();
    let _listeners: Vec<TcpListener> =
        lab.at_far(|| truth.iter().map(|(address, port)| TcpListener::bind((*address, *port)).unwrap()).collect());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut child = Command::new("ip")
        .args(["netns", "exec", &lab.near])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child_of_the_kill_test", "--nocapture"])
        .env("PORTSCAN_TEST_CHECKPOINT", &state)
        .env("PORTSCAN_TEST_ENGINE", engine)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut before = 0;
    while before < 30 {
        let line = lines.next().expect("the child ends too soon").unwrap();
        before += usize::from(line.contains("open "));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let asked = lab.counted("questions");
    assert!(asked < 36_000, "it was killed too late: {asked}");

    let job = long_job(state.to_str().unwrap(), engine_of(engine));
    let mut remembered = None;
    let (results, outcome) = lab.at_near(|| {
        work_and(&job, |event| {
            if let Event::Progress(progress) = event {
                remembered.get_or_insert(progress.done);
            }
        })
    });
    assert!(!outcome.cancelled && outcome.progress.done == 40_000, "{outcome:?}");
    assert_eq!(results.open(), truth);
    let counts: u32 = results.hosts.values().flat_map(|report| &report.counts).map(|count| count.ports).sum();
    assert_eq!(counts, 40_000);
    // What the file remembered is not asked again, and what it did not is asked once. 80 open ports are asked a second time
    // for verification, and some that look lost on a busy machine are repeated.
    let remembered = remembered.unwrap();
    let again = lab.counted("questions") - asked;
    assert!(
        again < 40_000 - remembered + 1500,
        "{again} questions for the {} ports that were left",
        40_000 - remembered
    );
    // The file is never old: at this rate a second is 10,000 questions. How much less it is depends on the disk.
    assert!(remembered + 10_000 > asked, "{remembered} remembered of {asked}");
    assert!(!state.exists(), "a complete run leaves no checkpoint");
}

/// Ports that could not be asked for trouble on this machine leave the state file behind; the next run asks them, and
/// nobody else.
#[test]
fn ports_in_trouble_are_asked_by_the_next_run_and_the_others_are_not() {
    let Some(lab) = Lab::new() else { return };
    lab.rules(
        "table inet lab { counter questions { }\n chain input { type filter hook input priority 0;\n\
         tcp flags & (syn | ack) == syn counter name questions\n meta l4proto udp counter name questions\n }\n }\n",
    );
    let _listener = lab.at_far(|| TcpListener::bind(("10.98.0.2", 77)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut job = Job::new(addresses(&["10.98.0.1", "10.98.0.2"]), (1..=200).collect());
    job.settings.engine = Engine::Connect;
    job.settings.checkpoint = Some(folder.path().join("state"));
    // The kernel refuses to send there, as it does where a policy of this machine forbids it.
    ip(&format!("-n {} route add prohibit 10.98.0.2/32", lab.near));
    let (results, outcome) = lab.at_near(|| work(&job));
    assert!(!outcome.cancelled && results.findings.len() == 400, "{outcome:?}");
    assert_eq!((results.count("10.98.0.2", State::Error), results.count("10.98.0.1", State::Closed)), (200, 200));
    assert!(results.findings.values().all(|f| f.state != State::Error || f.reason == Reason::LocalPolicy));
    assert!(folder.path().join("state").exists());
    let before = lab.counted("questions");

    ip(&format!("-n {} route del prohibit 10.98.0.2/32", lab.near));
    let (results, outcome) = lab.at_near(|| work(&job));
    assert_eq!(outcome.progress.done, 400);
    assert_eq!((results.open().len(), results.count("10.98.0.2", State::Closed)), (1, 199));
    let asked = lab.counted("questions") - before;
    assert!((201..=203).contains(&asked), "{asked} questions for 200 ports and one to confirm");
    assert!(!folder.path().join("state").exists());
}

/// What is listed singly in the end is the same whether or not the run was stopped on its way.
#[test]
fn a_run_that_goes_on_lists_what_was_listed_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = Job::new(addresses(&["127.86.17.21"]), (1..=24).collect());
    job.settings.engine = Engine::Connect;
    job.settings.report = Report::Few { each: 26, silent_udp: 26 };
    job.settings.rates.global = Some(100);
    job.settings.checkpoint = Some(folder.path().join("state"));
    let mut listed = BTreeSet::new();
    let control = Control::new();
    let outcome = run(&job, &control, |event| {
        if let Event::Found(finding) = event {
            listed.insert(finding.port);
            if listed.len() == 10 {
                control.cancel();
            }
        }
    })
    .unwrap();
    assert!(outcome.cancelled && listed.len() >= 10);
    job.settings.rates.global = None;
    let (results, _) = work(&job);
    assert_eq!(results.findings.len(), 24);
    assert!(results.findings.values().all(|finding| finding.state == State::Closed));
}

#[test]
fn two_runs_do_not_share_a_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = Job::new(addresses(&["127.86.17.23"]), (1..=200).collect());
    job.settings.engine = Engine::Connect;
    job.settings.checkpoint = Some(folder.path().join("state"));
    job.settings.rates.global = Some(1000);
    let control = Control::new();
    let mut second = None;
    let outcome = run(&job, &control, |event| {
        if let (Event::Found(_), None) = (event, &second) {
            second = Some(run(&job, &Control::new(), |_| {}).unwrap_err().to_string());
        }
    })
    .unwrap();
    assert!(!outcome.cancelled);
    assert!(second.as_ref().unwrap().contains("another run"), "{second:?}");
    // Nor is anything written through a link, or waited for at a pipe.
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("state.new")).unwrap();
    let error = run(&job, &Control::new(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("state.new") && !elsewhere.exists(), "{error}");
    std::fs::remove_file(folder.path().join("state.new")).unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    job.settings.checkpoint = Some(pipe);
    let error = run(&job, &Control::new(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("no regular file"), "{error}");
    // What a killed run left beside its file is in nobody's way.
    job.settings.checkpoint = Some(folder.path().join("state"));
    std::fs::write(folder.path().join("state.new"), "half").unwrap();
    assert_eq!(run(&job, &Control::new(), |_| {}).unwrap().progress.done, 200);
}
