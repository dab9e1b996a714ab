//! From arguments to what is asked: targets and exclusions read and bounded, ports, engine settings.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bartizan_domain::evidence::Observation;
use bartizan_domain::{PortSet, Target};
use bartizan_outbound::{Ceilings, Policy};
use bartizan_portscan::{Choice, Discovery, Engine, Never, Rates, Settings, zone};
use bartizan_probes::services::recog::Recog;
use bartizan_probes::{ProbeContext, resolve};

use super::exclusions::Exclusions;
use super::spec::{self, Bare};
use super::zones;
use crate::args::{EngineChoice, PortsArgs, ScanLetter};
use crate::network::{self, Private};
use crate::targets;

/// Addresses of one scan at most.
const MAX_ADDRESSES: u128 = 1 << 20;

/// A scan as asked for.
pub struct Request {
    /// What to scan.
    pub targets: Vec<Target>,
    excluded: Exclusions,
    /// TCP ports.
    pub tcp: PortSet,
    /// UDP ports.
    pub udp: PortSet,
    /// Engine and manners.
    pub settings: Settings,
    /// Whether open ports are asked what speaks there.
    pub service_detection: bool,
    policy: Policy,
    recog: Option<Arc<Recog>>,
}

/// A scan with every name resolved.
pub struct Plan {
    /// Addresses, in order, exclusions taken away.
    pub addresses: Vec<IpAddr>,
    /// The names that lead to them, where any do.
    pub names: BTreeMap<IpAddr, Vec<String>>,
    /// Addresses that were named singly, or by a name.
    pub singles: BTreeSet<IpAddr>,
    /// What could not be planned, one sentence each.
    pub gaps: Vec<String>,
    excluded: Arc<Exclusions>,
    policy: Policy,
}

impl Request {
    /// Reads and checks the arguments.
    ///
    /// # Errors
    /// The first that breaks a rule, naming value and rule.
    pub fn read(args: &PortsArgs) -> Result<Self> {
        let (udp, syn, connect) = (args.has(ScanLetter::Udp), args.has(ScanLetter::Syn), args.has(ScanLetter::Connect));
        let bare = match (args.udp || udp, syn || connect) {
            (true, true) => Bare::Both,
            (true, false) => Bare::Udp,
            (false, _) => Bare::Tcp,
        };
        let (tcp, udp_ports) = spec::read(args.ports.as_deref(), bare)?;
        refuse_second_use_of_input(args)?;
        let interface = args.interface.as_deref();
        let targets = targets::read_by(&args.targets, &|text| zones::target(text, interface))?;
        network::refuse_unscannable(&targets)?;
        for target in &targets {
            if let Some(port) = target.port() {
                bail!("`{target}`: ports are named with -p; write the target without :{port} and add -p {port}");
            }
        }
        let count = targets.iter().fold(0_u128, |sum, target| sum.saturating_add(target.count()));
        if count > MAX_ADDRESSES {
            bail!("the targets cover {count} addresses: at most {MAX_ADDRESSES} are allowed in one scan");
        }
        let mut excluded = Exclusions::default();
        for text in &args.exclude {
            excluded.read(text).context("--exclude")?;
        }
        for file in &args.exclude_file {
            let name = file.display().to_string();
            // As with --exclude, and as other scanners take it, a line may hold several.
            let read = |line: &str| {
                let mut named = line.split([',', ' ', '\t']).filter(|text| !text.is_empty());
                named.try_for_each(|text| excluded.read(text))
            };
            targets::for_each_line(&name, read).context("--exclude-file")?;
        }
        let engine = match (args.engine, syn, connect) {
            (_, true, true) => bail!("-sS and -sT: only one engine can be asked for"),
            (EngineChoice::Syn, ..) | (_, true, _) => Engine::Syn,
            (EngineChoice::Connect, ..) | (_, _, true) => Engine::Connect,
            (EngineChoice::Auto, ..) => Engine::Auto,
        };
        Ok(Self {
            targets,
            excluded,
            tcp,
            udp: udp_ports,
            settings: settings(args, engine),
            service_detection: args.service_detection || args.has(ScanLetter::Services),
            policy: Policy { allow_private: !args.public_only },
            recog: args.recog.as_deref().map(Recog::load).transpose().context("--recog")?.map(Arc::new),
        })
    }

    /// What was loaded from the folder of Recog fingerprints, in words.
    pub fn recog_note(&self) -> Option<String> {
        let recog = self.recog.as_ref()?;
        Some(format!(
            "{} Recog fingerprints loaded, {} need an expression engine we do not have",
            recog.loaded, recog.skipped
        ))
    }

    /// What the probes are handed.
    pub fn context(&self, args: &PortsArgs) -> ProbeContext {
        let timeout = Duration::from_secs(u64::from(args.timeout));
        let private = if args.public_only { Private::Refused } else { Private::Allowed };
        // A service is asked in several protocols at the same time; a silent datagram port in a dozen.
        let mut cx = network::probe_context(&args.network, private, timeout, args.concurrency as usize * 16);
        cx.outbound =
            cx.outbound.paced(Ceilings { global: args.rate, per_host: args.rate_host, per_subnet: args.rate_subnet });
        cx.recog.clone_from(&self.recog);
        cx
    }

    /// Resolves names, expands networks, takes exclusions away.
    ///
    /// # Errors
    /// If an exclusion cannot be resolved: a scan that may touch what it must not is not begun.
    pub async fn resolve(&self, cx: &ProbeContext) -> Result<Plan> {
        let mut excluded = self.excluded.clone();
        for name in excluded.take_names() {
            match resolve::every_address(cx, &name).await {
                Ok(addresses) => addresses.into_iter().for_each(|a| excluded.add(a, a)),
                Err(failure) => bail!(
                    "not every address of the exclusion `{name}` is known ({}), so nothing is scanned",
                    failure.detail
                ),
            }
        }
        excluded.settle();
        let mut plan = Plan {
            addresses: Vec::new(),
            names: BTreeMap::new(),
            singles: BTreeSet::new(),
            gaps: Vec::new(),
            excluded: Arc::new(excluded),
            policy: self.policy,
        };
        for target in &self.targets {
            match target {
                Target::Domain { name, .. } => match resolve::addresses(cx, name).await {
                    Observation::Observed(addresses) => {
                        for address in addresses {
                            plan.add(address, Some(name));
                        }
                    }
                    other => plan.gaps.push(format!("{name} was not scanned: {}", why(&other))),
                },
                Target::Ip { address, .. } => {
                    plan.add(*address, None);
                }
                Target::Cidr(_) | Target::Range(..) => {
                    for asset in target.assets() {
                        if let bartizan_domain::AssetRef::Ip(address) = asset {
                            plan.add_of_network(address);
                        }
                    }
                }
            }
        }
        plan.addresses.sort_unstable();
        plan.addresses.dedup();
        plan.addresses.shrink_to_fit();
        Ok(plan)
    }
}

impl Plan {
    fn add(&mut self, address: IpAddr, name: Option<&String>) {
        let address = address.to_canonical();
        if self.excluded.contain(address) {
            return;
        }
        // Whatever bits a record has: it does not choose one of our interfaces.
        if let (true, Some(name)) = (zone::is_link_local(address), name) {
            self.gaps.push(format!("{name} leads to {address}, a link-local address of which the link is not known"));
            return;
        }
        if let Err(failure) = self.policy.vet(zone::split(address).0) {
            self.gaps.push(failure.detail);
            return;
        }
        self.singles.insert(address);
        self.addresses.push(address);
        if let Some(name) = name {
            let names = self.names.entry(address).or_default();
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }

    /// An address of a network is left out in silence where the policy forbids it: nobody asked for it by name.
    fn add_of_network(&mut self, address: IpAddr) {
        if !self.excluded.contain(address) && self.policy.vet(address).is_ok() {
            self.addresses.push(address);
        }
    }

    /// Says of an address whether it must never be contacted.
    pub fn never(&self) -> Never {
        let (excluded, policy) = (Arc::clone(&self.excluded), self.policy);
        Arc::new(move |address| excluded.contain(address.to_canonical()) || policy.vet(address).is_err())
    }
}

/// Standard input can be read once: who named it twice would get nothing the second time, and no exclusions from it.
fn refuse_second_use_of_input(args: &PortsArgs) -> Result<()> {
    let names_input =
        |path: &Path| ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|one| path == Path::new(one));
    let targets = args.targets.iter().filter_map(|target| target.strip_prefix('@'));
    let uses = targets.filter(|path| names_input(Path::new(path))).count()
        + args.exclude_file.iter().filter(|path| names_input(path)).count();
    if uses > 1 {
        bail!(
            "standard input is named {uses} times (@- and --exclude-file -): it can be read once; put one of the lists into a file"
        );
    }
    Ok(())
}

fn why<T>(observation: &Observation<T>) -> String {
    match observation {
        Observation::Failed(failure) => failure.detail.clone(),
        _ => "it has no address".to_owned(),
    }
}

/// The name in documents of the engines that ran: `syn` where it took any part.
pub fn engine_name(engines: &[Choice]) -> &'static str {
    let syn = engines.iter().any(|choice| choice.engine == Engine::Syn);
    if syn { Engine::Syn.as_str() } else { Engine::Connect.as_str() }
}

fn settings(args: &PortsArgs, engine: Engine) -> Settings {
    Settings {
        engine,
        timeout: Duration::from_millis(u64::from(args.wait)),
        attempts: args.retries.saturating_add(1),
        rates: Rates { global: args.rate, per_host: args.rate_host, per_subnet: args.rate_subnet },
        discovery: if args.no_discovery { Discovery::Off } else { Discovery::On },
        interface: args.interface.clone(),
        checkpoint: args.resume.clone(),
        ..Settings::default()
    }
}
