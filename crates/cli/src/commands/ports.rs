//! `bartizan ports`: which ports of which addresses are open, and what speaks there.
//!
//! What is here: arguments to a sweep, the sweep's results to outputs and an exit code. Asking is done by
//! `bartizan-portscan` and `bartizan-probes`, rendering by `bartizan-reports`.

use std::io::Write as _;
use std::time::Instant;

use anyhow::Result;
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::port_document::{PORTS_SCHEMA, PortsDocument, PortsHost, PortsSummary};
use bartizan_domain::{Clock as _, ScanStatus};
use bartizan_portscan::zone;
use bartizan_probes::sweep::{self, Services, Sweep, SweepEvent, SweepOutcome};
use bartizan_reports::{PortsFormat, counted_lines, port_line, render_ports};

use crate::args::PortsArgs;
use crate::exit::Exit;
use crate::io::{OutputSpec, Sink, settle};
use crate::signals::Interrupts;
use crate::terminal::{Destination, SystemClock, render_options};
use reporter::Reporter;
use request::Request;

mod exclusions;
mod reporter;
mod request;
mod spec;
mod zones;

/// Runs the command.
pub fn run(args: &PortsArgs) -> Result<Exit> {
    let request = Request::read(args)?;
    if request.targets.is_empty() {
        crate::io::complain("no target: nothing to scan");
        return Ok(Exit::Nothing);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(scan(args, request));
    // A second interrupt leaves probes behind; they are not waited for.
    runtime.shutdown_background();
    result
}

async fn scan(args: &PortsArgs, request: Request) -> Result<Exit> {
    let mut outputs = Outputs::open(args)?;
    let mut reporter = Reporter::new(args.progress, args.quiet);
    if let Some(note) = request.recog_note() {
        reporter.say(&note);
    }
    let cx = request.context(args);
    let clock = SystemClock;
    let (started_at, begin) = (clock.now(), Instant::now());
    let mut plan = request.resolve(&cx).await?;
    for gap in &plan.gaps {
        reporter.say(&format!("warning: {gap}"));
    }
    if plan.addresses.is_empty() {
        crate::io::complain("no address is left to scan");
        return Ok(if plan.gaps.is_empty() { Exit::Nothing } else { incomplete(args) });
    }
    let sweep = Sweep {
        addresses: std::mem::take(&mut plan.addresses),
        names: std::mem::take(&mut plan.names),
        singles: plan.singles.clone(),
        tcp: request.tcp.clone(),
        udp: request.udp.clone(),
        never: plan.never(),
        settings: request.settings.clone(),
        services: if request.service_detection {
            Services::Identify { at_once: args.concurrency as usize }
        } else {
            Services::Skip
        },
    };
    let addresses = sweep.addresses.len();
    reporter.planned(addresses, request.tcp.len() + request.udp.len());
    let stopped = watch(&cx.cancel, args.max_time, &reporter)?;
    let mut failed = None;
    let outcome = {
        let mut on_event = |event: SweepEvent| {
            if let SweepEvent::Open(port) = &event
                && failed.is_none()
                && let Err(error) = reporter.beside(|| outputs.open_port(port.clone()))
            {
                // The reader went away or the disk is full: nothing more can be delivered.
                failed = Some(error);
                cx.cancel.cancel();
            }
            reporter.event(&event);
        };
        sweep::run(&cx, &sweep, &mut on_event).await?
    };
    if let Some(error) = failed {
        return Err(error);
    }
    let ending = stopped.end();
    let was_stopped = !matches!(ending, Ended::ByItself);
    let document = document((&request, &plan, addresses), outcome, &ending, (started_at, clock.now()), args);
    let exit = match ending {
        Ended::Interrupted => Exit::Interrupted,
        _ if document.scan.partial => incomplete(args),
        _ => Exit::Done,
    };
    reporter.finished(&document, begin.elapsed());
    if was_stopped {
        reporter.say(&how_to_go_on(args));
    }
    outputs.finish(args, &document)?;
    Ok(exit)
}

/// What a user can do whose scan was stopped before its end.
fn how_to_go_on(args: &PortsArgs) -> String {
    match &args.resume {
        Some(file) if file.exists() => {
            format!("the state is in {}: the same command goes on from there", file.display())
        }
        Some(_) => "every port had its state already".to_owned(),
        None => "nothing remembers where it stood; with --resume FILE a stopped scan can be taken up again".to_owned(),
    }
}

const fn incomplete(args: &PortsArgs) -> Exit {
    if args.allow_partial { Exit::Done } else { Exit::Incomplete }
}

/// Why a scan ended.
enum Ended {
    ByItself,
    OutOfTime,
    Interrupted,
}

/// Watches for interrupts and the time limit while the scan runs.
struct Watch {
    task: tokio::task::JoinHandle<()>,
    interrupted: std::sync::Arc<std::sync::atomic::AtomicBool>,
    out_of_time: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

fn watch(
    cancel: &tokio_util::sync::CancellationToken,
    limit: Option<std::time::Duration>,
    reporter: &Reporter,
) -> Result<Watch> {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (interrupted, out_of_time) = (std::sync::Arc::new(AtomicBool::new(false)), std::sync::Arc::default());
    let mut signals = Interrupts::listen()?;
    let notes = reporter.notes();
    let task = {
        let cancel = cancel.clone();
        let interrupted = std::sync::Arc::clone(&interrupted);
        let out_of_time: std::sync::Arc<AtomicBool> = std::sync::Arc::clone(&out_of_time);
        tokio::spawn(async move {
            let time_is_up = async {
                match limit {
                    Some(limit) => tokio::time::sleep(limit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::pin!(time_is_up);
            let mut timed = limit.is_some();
            loop {
                tokio::select! {
                    () = &mut time_is_up, if timed => {
                        timed = false;
                        out_of_time.store(true, Ordering::SeqCst);
                        cancel.cancel();
                    }
                    () = signals.next() => {
                        if interrupted.swap(true, Ordering::SeqCst) {
                            notes.say("stopped; nothing more is written");
                            std::process::exit(i32::from(Exit::Interrupted.code()));
                        }
                        notes.say("stopping: writing what was found; interrupt again to stop at once");
                        cancel.cancel();
                    }
                }
            }
        })
    };
    Ok(Watch { task, interrupted, out_of_time })
}

impl Watch {
    fn end(self) -> Ended {
        use std::sync::atomic::Ordering;
        self.task.abort();
        match () {
            () if self.interrupted.load(Ordering::SeqCst) => Ended::Interrupted,
            () if self.out_of_time.load(Ordering::SeqCst) => Ended::OutOfTime,
            () => Ended::ByItself,
        }
    }
}

fn document(
    (request, plan, addresses): (&Request, &request::Plan, usize),
    outcome: SweepOutcome,
    ending: &Ended,
    (started_at, finished_at): (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>),
    args: &PortsArgs,
) -> PortsDocument {
    let mut reasons = plan.gaps.clone();
    reasons.extend(outcome.gaps);
    match ending {
        Ended::ByItself => {}
        Ended::OutOfTime => reasons.push("the time limit ended the scan before every port had a state".to_owned()),
        Ended::Interrupted => reasons.push("interrupted before every port had a state".to_owned()),
    }
    let errors: u64 = outcome.errors + outcome.hosts.iter().map(errors_of).sum::<u64>();
    if errors > 0 {
        reasons.push(format!("{errors} ports have no state because of trouble on this machine"));
    }
    if outcome.stopped && matches!(ending, Ended::ByItself) {
        reasons.push("the scan was stopped before every port had a state".to_owned());
    }
    let (mut hosts, mut names) = (Vec::new(), zones::Names::default());
    for mut host in outcome.hosts {
        let single = plan.singles.contains(&host.address);
        if !host.answered && single && !outcome.stopped {
            reasons.push(format!("{} {}", zone::text(host.address), why_silent(host.reason.as_deref())));
        }
        if args.open {
            host.ports.retain(|port| port.state == PortState::Open);
        }
        if host.answered || single || host.ports.iter().any(|port| port.state == PortState::Open) {
            names.host(&mut host);
            hosts.push(host);
        }
    }
    PortsDocument {
        schema: PORTS_SCHEMA.to_owned(),
        scan: PortsSummary {
            targets: request.targets.iter().map(zones::target_text).collect(),
            addresses: addresses as u64,
            tcp_ports: request.tcp.clone(),
            udp_ports: request.udp.clone(),
            engine: request::engine_name(&outcome.engines).to_owned(),
            service_detection: request.service_detection,
            command: command_line(),
            only_open: args.open,
            status: if matches!(ending, Ended::Interrupted) { ScanStatus::Cancelled } else { ScanStatus::Completed },
            partial: !reasons.is_empty(),
            partial_reasons: reasons,
            started_at,
            finished_at,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        hosts,
    }
}

/// What is to say of a host that was named singly and did not answer.
fn why_silent(reason: Option<&str>) -> &'static str {
    match reason {
        Some("no-route") => "was not reached: this machine has no route there",
        Some("no-router") => "was not reached: the router on the way does not answer",
        Some("no-neighbour") => "is not there: nobody on the link answers for it",
        _ => "did not answer on any port",
    }
}

/// The command as it was written.
fn command_line() -> Vec<String> {
    let written = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("bartizan".to_owned()).chain(written).collect()
}

fn errors_of(host: &PortsHost) -> u64 {
    let listed = host.ports.iter().filter(|port| port.state == PortState::Error).count() as u64;
    let counted = host.summarised.iter().filter(|sum| sum.state == PortState::Error).map(|sum| u64::from(sum.count));
    listed + counted.sum::<u64>()
}

/// Everything `-o` asked for.
struct Outputs {
    lines: Vec<Sink>,
    rendered: Vec<(OutputSpec<PortsFormat>, Sink)>,
    zones: zones::Names,
}

impl Outputs {
    /// Opens every destination; if one cannot be opened, none is touched.
    fn open(args: &PortsArgs) -> Result<Self> {
        let mut outputs = Self { lines: Vec::new(), rendered: Vec::new(), zones: zones::Names::default() };
        for output in settle(&args.output)? {
            let sink = Sink::open(&output)?;
            match output.format {
                PortsFormat::Jsonl => outputs.lines.push(sink),
                _ => outputs.rendered.push((output, sink)),
            }
        }
        Ok(outputs)
    }

    /// Open ports go out as JSON Lines as soon as they are known.
    fn open_port(&mut self, mut port: bartizan_domain::port_document::PortRecord) -> Result<()> {
        self.zones.port(&mut port);
        for sink in &mut self.lines {
            port_line(&port, sink)?;
            sink.flush()?;
        }
        Ok(())
    }

    fn finish(self, args: &PortsArgs, document: &PortsDocument) -> Result<()> {
        for mut sink in self.lines {
            let others = document.hosts.iter().flat_map(|host| &host.ports).filter(|p| p.state != PortState::Open);
            for port in others {
                port_line(port, &mut sink)?;
            }
            for host in &document.hosts {
                counted_lines(host, document.scan.only_open, &mut sink)?;
            }
            sink.commit()?;
        }
        for (output, mut sink) in self.rendered {
            let destination = if output.file.is_none() { Destination::Stdout } else { Destination::File };
            render_ports(output.format, document, render_options(args.color, destination), &mut sink)?;
            sink.commit()?;
        }
        Ok(())
    }
}
