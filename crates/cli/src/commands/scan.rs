//! `bartizan scan`: targets in, results out, no server and no database.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bartizan_catalog::Catalog;
use bartizan_checks::JudgeSettings;
use bartizan_domain::document::ScanSummary;
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::{Clock as _, ScanStatus, Severity, Target};
use bartizan_engine::{
    EngineDeps, NetworkProbes, Plan, ScanEvent, ScanOptions, ScanOutcome, ScanRequest, ScanSettings,
};
use bartizan_evidence::file::Header;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::outputs::{Ending, Outputs};
use crate::args::{EngineChoice, ScanArgs};
use crate::exit::Exit;
use crate::io::{Needed, read_bounded, read_text};
use crate::network::{self, Private};
use crate::progress::Reporter;
use crate::signals::Interrupts;
use crate::targets;
use crate::terminal::SystemClock;

/// Bytes of a certificate or trust-anchor file.
const MAX_INPUT: u64 = 4 * 1024 * 1024;

/// Runs the command.
pub fn run(args: &ScanArgs) -> Result<Exit> {
    let catalog = Catalog::builtin();
    Needed::lists(&args.targets).iter().try_for_each(|list| list.refuse_as_output(&args.results.output))?;
    let targets = targets::read(&args.targets)?;
    network::refuse_unscannable(&targets)?;
    if targets.is_empty() {
        crate::io::complain("no target: nothing to scan");
        return Ok(Exit::Nothing);
    }
    if args.engine == EngineChoice::Syn
        && let Err(why) = bartizan_portscan::raw_available()
    {
        bail!("--engine syn: {why}");
    }
    let settings = ScanSettings::resolve(catalog, &options(args)?)?;
    let plan = Plan::new(catalog, &targets, &settings)?;
    if plan.assets.is_empty() {
        crate::io::complain("the targets name no host: nothing to scan");
        return Ok(Exit::Nothing);
    }
    drop(plan);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(scan(args, catalog, targets, settings));
    // A second interrupt leaves probes behind; they are not waited for.
    runtime.shutdown_background();
    result
}

async fn scan(
    args: &ScanArgs,
    catalog: &'static Catalog,
    targets: Vec<Target>,
    settings: ScanSettings,
) -> Result<Exit> {
    let (mut outputs, evidence) = Outputs::open(&args.results, catalog)?;
    let clock = Arc::new(SystemClock);
    let started = Instant::now();
    let mut summary = ScanSummary {
        id: None,
        targets: targets.iter().map(ToString::to_string).collect(),
        profile: settings.profile,
        status: ScanStatus::Running,
        partial: false,
        partial_reasons: Vec::new(),
        started_at: clock.now(),
        finished_at: None,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        catalogue: catalog.version().to_owned(),
        demo: false,
    };
    let header = Header::new(summary.clone(), serde_json::to_value(&settings)?);
    outputs.begin(&summary, &header, evidence)?;
    let cancel = CancellationToken::new();
    let private = if args.public_only { Private::Refused } else { Private::Allowed };
    let mut context = network::context(&args.network, &settings, private);
    context.port_engine = args.engine.into();
    let (engine_sender, mut engines) = mpsc::unbounded_channel();
    context.on_engine = Some(Arc::new(move |choice| {
        // After the end nobody wants to know.
        let _ = engine_sender.send(format!("port engine {}: {}", choice.engine.as_str(), choice.why));
    }));
    let deps = EngineDeps {
        probes: Arc::new(NetworkProbes::new(context)),
        catalog,
        clock: clock.clone(),
        cancel: cancel.clone(),
    };
    let request = ScanRequest { targets, settings, finished: HashMap::new() };
    let (sender, mut events) = mpsc::channel(64);
    let engine = tokio::spawn(bartizan_engine::run(request, deps, sender));
    let mut reporter = Reporter::new(args.progress, args.quiet);
    let mut interrupts = Interrupts::listen()?;
    let mut interrupted = false;
    // Each asset chooses anew; what is the same for all is said once.
    let mut told = HashSet::new();
    loop {
        tokio::select! {
            biased;
            () = interrupts.next() => {
                if interrupted {
                    reporter.say("ended; nothing more is written");
                    return Ok(Exit::Interrupted);
                }
                interrupted = true;
                reporter.say("stopping: writing what was found so far; interrupt again to end without writing");
                cancel.cancel();
            }
            event = events.recv() => match event {
                None => break,
                Some(ScanEvent::Planned { assets, checks }) => reporter.planned(assets, checks),
                Some(ScanEvent::Progress(progress)) => reporter.progress(&progress),
                Some(ScanEvent::HostFinished(host)) => {
                    reporter.host(&host);
                    outputs.record(&host.blob, &host.coverage)?;
                    outputs.host(host.result, &host.verdicts)?;
                }
            },
            Some(text) = engines.recv() => if told.insert(text.clone()) {
                reporter.say(&text);
            },
        }
    }
    while let Ok(text) = engines.try_recv() {
        if told.insert(text.clone()) {
            reporter.say(&text);
        }
    }
    let outcome = engine.await.context("the scan broke off")??;
    summary.status = outcome.status;
    summary.partial = outcome.partial;
    summary.partial_reasons.clone_from(&outcome.partial_reasons);
    summary.finished_at = Some(clock.now());
    reporter.finished(&outcome, started.elapsed());
    outputs.finish(&Ending { scan: summary, score: &outcome.score, coverage: &outcome.counts })?;
    Ok(exit(args, &outcome, interrupted))
}

fn exit(args: &ScanArgs, outcome: &ScanOutcome, interrupted: bool) -> Exit {
    let found = args.results.fail_on.is_some_and(|least| outcome.worst() >= Some(least));
    let incomplete = outcome.partial && !args.allow_partial;
    match (interrupted, incomplete, found) {
        (true, ..) => Exit::Interrupted,
        (_, true, true) if !args.strict => Exit::Findings,
        (_, true, _) => Exit::Incomplete,
        (_, false, true) => Exit::Findings,
        (_, false, false) => Exit::Done,
    }
}

/// Whether anything in `severities` is at or above `least`.
pub fn reaches(least: Option<Severity>, mut severities: impl Iterator<Item = Severity>) -> bool {
    least.is_some_and(|least| severities.any(|severity| severity >= least))
}

fn options(args: &ScanArgs) -> Result<ScanOptions> {
    Ok(ScanOptions {
        profile: args.profile,
        toggles: FeatureToggles {
            port_scan: !args.no_port_scan,
            web_checks: !args.no_web,
            dns_checks: !args.no_dns,
            whois_checks: !args.no_whois,
        },
        ports: args.ports.clone(),
        udp_ports: args.udp_ports.clone(),
        checks: args.checks.clone(),
        skip: args.skip.clone(),
        concurrency: args.concurrency,
        timeout_seconds: args.timeout,
        max_time_seconds: args.max_time.map(|limit| u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)),
        max_hosts: args.max_hosts,
        judge: JudgeSettings {
            extra_roots: args.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default(),
            trust_anchors: args.trust_anchor.as_deref().map(anchors).transpose()?.unwrap_or_default(),
        },
    })
}

/// The certificates of a PEM file as DER.
pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>> {
    let pem = read_bounded(path, "certificate file", MAX_INPUT)?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| anyhow::anyhow!("the certificate file `{}` is not PEM: {error}", path.display()))?;
    if certificates.is_empty() {
        bail!("the certificate file `{}` has no certificate: expected PEM", path.display());
    }
    Ok(certificates)
}

/// The records of a trust-anchor file, comments taken away.
fn anchors(path: &Path) -> Result<Vec<String>> {
    let text = read_text(path, "trust-anchor file", MAX_INPUT)?;
    let records: Vec<String> = text
        .lines()
        .map(|line| line.split(';').next().unwrap_or_default().trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    for record in &records {
        bartizan_checks::dns::TrustAnchor::parse(record)
            .map_err(|why| anyhow::anyhow!("the trust-anchor file `{}`: {why} in `{record}`", path.display()))?;
    }
    if records.is_empty() {
        bail!("the trust-anchor file `{}` has no record: expected DS or DNSKEY records, one a line", path.display());
    }
    Ok(records)
}
