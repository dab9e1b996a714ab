//! `bartizan ports`: which ports of which addresses are open, and what speaks there.
//!
//! What is here: arguments to a sweep, the sweep's results to outputs and an exit code. Asking is done by
//! `bartizan-portscan` and `bartizan-probes`, rendering by `bartizan-reports`.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bartizan_domain::Clock as _;
use bartizan_probes::ProbeContext;
use bartizan_probes::sweep::{self, Remembered, Services, Sweep, SweepEvent, SweepOutcome};

use crate::args::PortsArgs;
use crate::exit::Exit;
use crate::io::{complain, remove_unfinished};
use crate::terminal::SystemClock;
use document::document;
use outputs::{Delivery, Outputs};
use reporter::Reporter;
use request::{Plan, Request};
use watch::{Ended, Watch};

mod document;
mod exclusions;
mod outputs;
mod reporter;
mod request;
mod roles;
mod spec;
mod watch;
mod zones;

/// Runs the command.
pub fn run(args: &PortsArgs) -> Result<Exit> {
    let request = Request::read(args)?;
    if request.targets.is_empty() {
        complain("no target: nothing to scan");
        return Ok(Exit::Nothing);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(scan(args, request));
    // A second interrupt leaves probes behind; they are not waited for.
    runtime.shutdown_background();
    result
}

async fn scan(args: &PortsArgs, request: Request) -> Result<Exit> {
    let clock = SystemClock;
    let (started_at, begin) = (clock.now(), Instant::now());
    let mut reporter = Reporter::new(args.progress, args.quiet);
    let cx = request.context(args);
    // Before a file is made that would have to be taken away, and before names take their time.
    let watch = Watch::begin(&cx.cancel, args.max_time, &reporter)?;
    let mut outputs = match opened(args, &cx).await {
        Ok(outputs) => outputs,
        Err(error) => return stopped_before_it_began(&watch, args, error),
    };
    if let Some(note) = request.recog_note() {
        reporter.say(&note);
    }
    let mut plan = match request.resolve(&cx).await {
        Ok(plan) => plan,
        Err(error) => return stopped_before_it_began(&watch, args, error),
    };
    for gap in document::unresolved(&plan, None).iter().chain(&plan.gaps) {
        reporter.say(&format!("warning: {}", gap.text()));
    }
    // A scan that is taken up has the addresses that its names had.
    let goes_on = args.resume.as_ref().is_some_and(|file| std::fs::metadata(file).is_ok_and(|found| found.len() > 0));
    let is_empty = plan.addresses.is_empty() && (!goes_on || plan.nowhere.is_empty());
    if is_empty {
        complain("no address is left to scan");
        if plan.gaps.is_empty() && plan.unresolved.is_empty() {
            return Ok(Exit::Nothing);
        }
    }
    let sweep = sweep_of(&request, &mut plan, args);
    let addresses = sweep.addresses.len();
    let mut unread = false;
    // A scan that was stopped while names were resolved does not know all of its targets, and leaves no state that says so.
    let outcome = if is_empty || !plan.is_whole {
        nothing()
    } else {
        reporter.planned(addresses, request.tcp.len() + request.udp.len());
        let mut on_event = |event: SweepEvent| {
            if let SweepEvent::Open(port) = &event
                && !unread
            {
                reporter.beside(|| outputs.open_port(port.clone()));
                if outputs.is_lost() {
                    unread = true;
                    cx.cancel.cancel();
                }
            }
            reporter.event(&event);
        };
        sweep::run(&cx, &sweep, &mut on_event).await?
    };
    // What came when everything was done has ended nothing.
    let ending = match watch.so_far() {
        _ if !outcome.stopped && plan.is_whole => Ended::ByItself,
        Ended::ByItself if unread => Ended::Unread,
        ending => ending,
    };
    let mut outcome = outcome;
    let remembered = outcome.remembered.take();
    let document = document((&request, &plan, addresses), outcome, ending, (started_at, clock.now()), args);
    reporter.finished(&document, begin.elapsed());
    if ending != Ended::ByItself {
        reporter.say(&how_to_go_on(args, remembered.is_some()));
    }
    let delivery = outputs.finish(args, &document);
    for failure in &delivery.failures {
        complain(&format!("{failure:#}"));
    }
    settle_state(args, remembered, &delivery);
    Ok(match ending {
        _ if !delivery.failures.is_empty() => Exit::Failure,
        Ended::Interrupted => Exit::Interrupted,
        _ if document.scan.partial => incomplete(args),
        _ => Exit::Done,
    })
}

/// The outputs. A named pipe is not open before somebody reads it, and that is not waited for when the scan is to end.
async fn opened(args: &PortsArgs, cx: &ProbeContext) -> Result<Outputs> {
    let asked = args.output.clone();
    let mut opening = tokio::task::spawn_blocking(move || Outputs::open(&asked));
    tokio::select! {
        biased;
        outputs = &mut opening => outputs.context("the outputs were not opened")?,
        () = cx.cancel.cancelled() => {
            remove_unfinished();
            bail!("not every output could be opened before the end: a named pipe waits for who reads it; nothing was asked")
        }
    }
}

/// What remembers a scan goes when its results are where they were to go, and not before.
fn settle_state(args: &PortsArgs, remembered: Option<Remembered>, delivery: &Delivery) {
    let (Some(remembered), Some(file)) = (remembered, &args.resume) else { return };
    if !delivery.is_whole() {
        complain(&format!(
            "not every result was taken; the state is kept in {}: the same command tells the results again and asks nothing",
            file.display()
        ));
    } else if let Err(error) = remembered.forget() {
        complain(&format!("the state of the scan, which is done, cannot be removed from {}: {error}", file.display()));
    }
}

/// What a scan without addresses comes to.
const fn nothing() -> SweepOutcome {
    SweepOutcome {
        hosts: Vec::new(),
        singles: BTreeSet::new(),
        errors: 0,
        stopped: false,
        engines: Vec::new(),
        gaps: Vec::new(),
        taken_up: None,
        remembered: None,
    }
}

/// An error while outputs were opened or names resolved, which may be that the scan was stopped.
fn stopped_before_it_began(watch: &Watch, args: &PortsArgs, error: anyhow::Error) -> Result<Exit> {
    match watch.so_far() {
        Ended::ByItself | Ended::Unread => Err(error),
        ending => {
            complain(&format!("{error:#}"));
            Ok(if ending == Ended::Interrupted { Exit::Interrupted } else { incomplete(args) })
        }
    }
}

fn sweep_of(request: &Request, plan: &mut Plan, args: &PortsArgs) -> Sweep {
    Sweep {
        addresses: std::mem::take(&mut plan.addresses),
        names: std::mem::take(&mut plan.names),
        nowhere: plan.nowhere.clone(),
        singles: plan.singles.clone(),
        single_names: plan.single_names.clone(),
        tcp: request.tcp.clone(),
        udp: request.udp.clone(),
        never: plan.never(),
        settings: request.settings.clone(),
        services: if request.service_detection {
            Services::Identify { at_once: args.concurrency as usize }
        } else {
            Services::Skip
        },
    }
}

/// What a user can do whose scan was stopped before its end.
fn how_to_go_on(args: &PortsArgs, is_done: bool) -> String {
    match &args.resume {
        Some(_) if is_done => "every port had its state already".to_owned(),
        Some(file) if file.exists() => {
            format!("the state is in {}: the same command goes on from there", file.display())
        }
        Some(_) => "nothing was asked yet".to_owned(),
        None => "nothing remembers where it stood; with --resume FILE a stopped scan can be taken up again".to_owned(),
    }
}

const fn incomplete(args: &PortsArgs) -> Exit {
    if args.allow_partial { Exit::Done } else { Exit::Incomplete }
}
