//! Hosts of the connect engine are finished one by one, whatever the others still take, and unmasked while they are asked. Needs
//! root, `ip` and `nft`; without root the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use bartizan_portscan::{Control, Count, Engine, Event, Job, Report, State, run};

mod support;

use support::{Lab, addresses, listen, work};

const FAST: &str = "10.98.0.1";
const DARK: &str = "10.98.0.2";

/// A host that refuses at once beside one that answers nothing.
fn fast_and_dark(lab: &Lab) -> Job {
    lab.rules(&format!(
        "table inet lab {{ counter fast {{ }}\n chain input {{ type filter hook input priority 0;\n\
         ip daddr {FAST} tcp flags & (syn | ack) == syn counter name fast\n ip daddr {DARK} drop\n }}\n }}\n"
    ));
    let mut job = Job::new(addresses(&[FAST, DARK]), (1..=500).collect());
    job.settings.engine = Engine::Connect;
    job
}

#[test]
fn the_first_host_is_told_of_while_a_slow_one_is_still_asked() {
    let Some(lab) = Lab::new() else { return };
    let (_listeners, truth) = lab.at_far(|| listen(&[FAST], 5));
    let mut job = fast_and_dark(&lab);
    job.tcp_ports.extend(truth.iter().map(|(_, port)| *port));
    let dark: IpAddr = DARK.parse().unwrap();
    let (mut of_dark, mut when_told) = (0, None);
    let outcome = lab.at_near(|| {
        run(&job, &Control::new(), |event| match event {
            Event::Found(finding) if finding.address == dark => of_dark += 1,
            Event::Host(report) if report.address != dark => {
                let open = report.counts.iter().filter(|count| count.state == State::Open).map(|count| count.ports);
                assert!(report.unconfirmed.is_empty() && open.sum::<u32>() == 5, "{report:?}");
                when_told = Some(of_dark);
            }
            _ => {}
        })
        .unwrap()
    });
    assert!(!outcome.cancelled && outcome.unfinished.is_empty() && outcome.gaps.is_empty(), "{outcome:?}");
    assert_eq!(
        (of_dark, when_told),
        (505, Some(0)),
        "the fast host is finished before the slow one has a single result"
    );
}

/// An interrupt leaves what is finished finished: the next run asks nothing of it. Of what is not, the counts are handed over.
#[test]
fn an_interrupted_run_has_finished_hosts_and_the_counts_of_the_others() {
    let Some(lab) = Lab::new() else { return };
    let mut job = fast_and_dark(&lab);
    let folder = tempfile::tempdir().unwrap();
    job.settings.checkpoint = Some(folder.path().join("state"));
    job.settings.report = Report::Few { each: 2, silent_udp: 2 };
    let control = Control::new();
    let mut told = Vec::new();
    let outcome = lab.at_near(|| {
        run(&job, &control, |event| {
            if let Event::Host(report) = event {
                told.push(report.address.to_string());
                control.cancel();
            }
        })
        .unwrap()
    });
    assert!(outcome.cancelled && outcome.progress.done < outcome.progress.total, "{outcome:?}");
    assert_eq!(told, [FAST]);
    let asked = lab.counted("fast");
    job.settings.report = Report::Every;
    let (results, outcome) = lab.at_near(|| work(&job));
    assert_eq!((outcome.progress.done, results.hosts.len()), (1000, 2), "{outcome:?}");
    assert_eq!(lab.counted("fast"), asked, "what is finished is asked nothing more");
    assert_eq!(results.count(DARK, State::Filtered), 500);
}

#[test]
fn the_counts_of_unfinished_hosts_are_true_however_few_ports_are_listed() {
    let job = |addresses: Vec<IpAddr>| {
        let mut job = Job::new(addresses, (1..=2000).collect());
        job.settings.engine = Engine::Connect;
        job.settings.report = Report::Few { each: 26, silent_udp: 26 };
        job.settings.rates.global = Some(2000);
        job
    };
    let targets = addresses(&["127.86.18.1", "127.86.18.2"]);
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(targets);
    job.settings.checkpoint = Some(folder.path().join("state"));
    // Twice, so that the counts of an earlier run are among them.
    for least in [400, 900] {
        let control = Control::new();
        let mut listed: BTreeMap<IpAddr, u32> = BTreeMap::new();
        let outcome = run(&job, &control, |event| match event {
            Event::Found(finding) => *listed.entry(finding.address).or_default() += 1,
            Event::Progress(progress) if progress.done >= least => control.cancel(),
            _ => {}
        })
        .unwrap();
        assert!(outcome.cancelled && outcome.unfinished.len() == 2, "{outcome:?}");
        let sum: u64 =
            outcome.unfinished.iter().flat_map(|host| &host.counts).map(|count| u64::from(count.ports)).sum();
        assert_eq!(sum, outcome.progress.done, "every result is counted once");
        assert!(sum >= least && listed.values().all(|listed| *listed <= 26), "{sum} {listed:?}");
        for host in &outcome.unfinished {
            assert!(!host.accepts_everything && host.counts.len() == 1, "{host:?}");
            assert!(matches!(host.counts[0], Count { state: State::Closed, ports: 27.., .. }), "{host:?}");
        }
    }
}

/// Open ports that prove nothing are not piled up: who sees a host accept on many finds out at once.
#[test]
fn a_proxy_is_unmasked_while_it_is_asked() {
    let Some(lab) = Lab::new() else { return };
    lab.accept_everything("");
    let mut job = Job::new(addresses(&["10.99.0.1"]), (1..=15_000).collect());
    job.settings.engine = Engine::Connect;
    job.settings.report = Report::Open;
    let (mut listed, mut confirmed, mut late) = (0, 0, 0);
    let outcome = lab.at_near(|| {
        let mut half = false;
        run(&job, &Control::new(), |event| match event {
            Event::Found(_) => {
                listed += 1;
                late += u32::from(half);
            }
            Event::Confirmed { .. } => confirmed += 1,
            Event::Progress(progress) => half = progress.done > 7500,
            Event::Host(report) => assert!(report.accepts_everything && report.unconfirmed.is_empty(), "{report:?}"),
            _ => {}
        })
        .unwrap()
    });
    assert_eq!((outcome.progress.done, outcome.progress.open), (15_000, 15_000));
    assert!(listed < 5000 && late == 0, "{listed} are listed, {late} of them when half of the ports were asked");
    assert!(confirmed < 100, "{confirmed} are asked again although it proves nothing");
}

/// A large job is no single mixture: hosts are finished all the way through it.
#[test]
fn hosts_are_finished_long_before_the_end_of_a_large_job() {
    if std::env::var_os("BARTIZAN_TEST_LONG").is_none() {
        return;
    }
    let mut job = Job::new((1..=48).map(|last| IpAddr::from([127, 86, 19, last])).collect(), (1..=65_535).collect());
    job.settings.engine = Engine::Connect;
    job.settings.report = Report::Open;
    let (mut finished, mut at_half) = (0, None);
    let outcome = run(&job, &Control::new(), |event| match event {
        Event::Host(_) => finished += 1,
        Event::Progress(progress) if progress.done * 2 >= progress.total => drop(at_half.get_or_insert(finished)),
        _ => {}
    })
    .unwrap();
    assert!(finished == 48 && at_half.unwrap() >= 15, "{at_half:?} {outcome:?}");
}
