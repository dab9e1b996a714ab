//! A bare scanner around the library, for benchmarks:
//! `scan [--engine auto|syn|connect] [--attempts N] [--threads N] [--in-flight N] [--discovery] [--states]
//! [--checkpoint FILE] [--seed N] [--timeout MS] [--rate N] [--udp] ADDRESS[/PREFIX] PORTS`. Prints open ports as `address port`,
//! with `--states` one line a host with the counts of all states, and on stderr one line of JSON.

#![expect(clippy::print_stderr, reason = "a command")]

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bartizan_portscan::{Control, Discovery, Engine, Event, Job, Report, State, descriptors, run};

fn addresses(text: &str) -> Option<Vec<IpAddr>> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix: u32 = prefix.map_or(Some(bits), |p| p.parse().ok())?;
    let free = bits.checked_sub(prefix).filter(|free| *free <= 22)?;
    Some(match address {
        IpAddr::V4(a) => {
            (0..1_u32 << free).map(|n| IpAddr::V4((((u32::from(a) >> free) << free) | n).into())).collect()
        }
        IpAddr::V6(a) => {
            (0..1_u128 << free).map(|n| IpAddr::V6((((u128::from(a) >> free) << free) | n).into())).collect()
        }
    })
}

fn ports(text: &str) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        ports.extend(first.parse::<u16>().ok()?..=last.parse::<u16>().ok()?);
    }
    Some(ports)
}

fn job() -> Option<(Job, bool)> {
    let mut arguments = std::env::args().skip(1);
    let mut plain = Vec::new();
    let mut job = Job::new(Vec::new(), Vec::new());
    job.settings.report = Report::Open;
    let (mut states, mut udp) = (false, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--engine" => {
                job.settings.engine = match arguments.next()?.as_str() {
                    "syn" => Engine::Syn,
                    "connect" => Engine::Connect,
                    _ => Engine::Auto,
                }
            }
            "--attempts" => job.settings.attempts = arguments.next()?.parse().ok()?,
            "--threads" => job.settings.threads = arguments.next()?.parse().ok()?,
            "--in-flight" => job.settings.max_in_flight = arguments.next()?.parse().ok()?,
            "--rate" => job.settings.rates.global = arguments.next()?.parse().ok(),
            "--seed" => job.settings.seed = Some(arguments.next()?.parse().ok()?),
            "--timeout" => job.settings.timeout = Duration::from_millis(arguments.next()?.parse().ok()?),
            "--checkpoint" => job.settings.checkpoint = Some(arguments.next()?.into()),
            "--discovery" => job.settings.discovery = Discovery::On,
            "--states" => states = true,
            "--udp" => udp = true,
            _ => plain.push(argument),
        }
    }
    let [target, spec] = plain.as_slice() else { return None };
    job.targets = addresses(target)?;
    *(if udp { &mut job.udp_ports } else { &mut job.tcp_ports }) = ports(spec)?;
    Some((job, states))
}

fn main() -> ExitCode {
    let Some((job, states)) = job() else {
        eprintln!("usage: scan [options] ADDRESS[/PREFIX] PORTS");
        return ExitCode::FAILURE;
    };
    descriptors::raise_limit();
    let started = Instant::now();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let outcome = run(&job, &Control::new(), |event| match event {
        Event::Found(finding) if finding.state == State::Open => {
            // A closed pipe ends the output, and with it the use of going on.
            let _ = writeln!(out, "{} {}", finding.address, finding.port);
        }
        Event::Host(report) if states => {
            let counts: Vec<String> = report
                .counts
                .iter()
                .map(|c| format!("{}({})={}", c.state.as_str(), c.reason.text(), c.ports))
                .collect();
            let _ = writeln!(
                out,
                "# {} {:?} {} everything={} unconfirmed={:?}",
                report.address,
                report.presence,
                counts.join(" "),
                report.accepts_everything,
                report.unconfirmed
            );
        }
        _ => {}
    });
    let _ = out.flush();
    match outcome {
        Ok(outcome) => {
            let p = outcome.progress;
            eprintln!(
                r#"{{"wall":{:.3},"sent":{},"received":{},"dropped":{},"done":{},"total":{},"engines":"{}"}}"#,
                started.elapsed().as_secs_f64(),
                p.sent,
                p.received,
                p.dropped,
                p.done,
                p.total,
                outcome.engines.iter().map(|e| e.engine.as_str()).collect::<Vec<_>>().join("+")
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
