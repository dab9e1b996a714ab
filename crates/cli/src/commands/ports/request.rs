//! From arguments to what is asked: targets and exclusions read and bounded, ports, engine settings.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bartizan_domain::evidence::{Observation, ProbeFailure};
use bartizan_domain::{PortSet, Target};
use bartizan_outbound::{Ceilings, Policy};
use bartizan_portscan::{Choice, Discovery, Engine, Never, Rates, Settings, zone};
use bartizan_probes::services::recog::Recog;
use bartizan_probes::sweep::Gap;
use bartizan_probes::{Caution, ProbeContext, resolve};
use futures::{Stream, StreamExt as _};

use super::document::Several;
use super::exclusions::Exclusions;
use super::roles;
use super::spec::{self, Bare};
use super::zones;
use crate::args::{EngineChoice, PortsArgs, ScanLetter};
use crate::network::{self, Private};
use crate::targets::{self, Given};

/// Addresses of one scan at most: what one run of the engine takes.
const MAX_ADDRESSES: u128 = bartizan_portscan::MAX_TARGETS as u128;

/// Addresses and names of one scan at most that count as named singly, and are asked although nobody was found there. More
/// of them are a list, which is looked through first as a network is.
const SINGLES_AT_MOST: usize = 64;
/// Names that are resolved at the same time.
const NAMES_AT_ONCE: usize = 32;

/// A scan as asked for.
pub struct Request {
    /// What to scan.
    pub targets: Vec<Given>,
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
    caution: Caution,
}

/// A scan with every name resolved.
pub struct Plan {
    /// Addresses, in order, exclusions taken away.
    pub addresses: Vec<IpAddr>,
    /// The names that lead to them, where any do.
    pub names: BTreeMap<IpAddr, Vec<String>>,
    /// Addresses that were named singly, or by a name that was.
    pub singles: BTreeSet<IpAddr>,
    /// Names that were given singly.
    pub single_names: BTreeSet<String>,
    /// Names that lead to none of the addresses: not resolved, excluded, or left out.
    pub nowhere: BTreeSet<String>,
    /// Names that were not resolved, and why.
    pub unresolved: Vec<(String, String)>,
    /// What else could not be planned.
    pub gaps: Vec<Gap>,
    /// Whether every name was asked for.
    pub is_whole: bool,
    left_out: Several,
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
        if let (Some(ports), Some(count)) = (&args.ports, args.top_ports) {
            bail!(
                "--top-ports {count} and --ports {ports}: only one list of ports can be asked for; -p takes top:{count} too"
            );
        }
        let mut asked = match (args.top_ports, bare) {
            (None, _) => spec::read(args.ports.as_deref(), bare)?,
            (Some(count), Bare::Udp) => {
                bail!("--top-ports {count} is a list of TCP ports; for UDP name the ports with -p, or leave it out")
            }
            (Some(count), Bare::Tcp) => spec::read(Some(&format!("top:{count}")), bare)?,
            (Some(count), Bare::Both) => spec::read(Some(&format!("T:top:{count},U:common")), bare)?,
        };
        if let Some(excluded) = &args.exclude_ports {
            asked = spec::without(excluded, asked)?;
        }
        let discover_only = args.discover_only || args.has(ScanLetter::Discover);
        if discover_only {
            refuse_questions(args)?;
            asked = (PortSet::new(), PortSet::new());
        }
        let (tcp, udp_ports) = asked;
        refuse_second_use_of_input(args)?;
        roles::refuse_second_role(args)?;
        let interface = args.interface.as_deref();
        let targets = targets::read_by(&args.targets, &|text| zones::target(text, interface))?;
        network::refuse_unscannable(targets.iter().map(|given| &given.target))?;
        for Given { target, .. } in &targets {
            if let Some(port) = target.port() {
                bail!("`{target}`: ports are named with -p; write the target without :{port} and add -p {port}");
            }
        }
        let count = targets.iter().fold(0_u128, |sum, given| sum.saturating_add(given.target.count()));
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
            (EngineChoice::Syn, _, true) => bail!("--engine syn and -sT: only one engine can be asked for"),
            (EngineChoice::Connect, true, _) => bail!("--engine connect and -sS: only one engine can be asked for"),
            (EngineChoice::Syn, ..) | (_, true, _) => Engine::Syn,
            (EngineChoice::Connect, ..) | (_, _, true) => Engine::Connect,
            (EngineChoice::Auto, ..) => Engine::Auto,
        };
        let service_detection = args.service_detection || args.has(ScanLetter::Services);
        if args.ask_everything && !service_detection {
            bail!("--ask-everything: nothing is asked what speaks there without -sV; add that, or leave this out");
        }
        Ok(Self {
            targets,
            excluded,
            tcp,
            udp: udp_ports,
            settings: settings(args, engine),
            service_detection,
            caution: if args.ask_everything { Caution::AskEverything } else { Caution::Spare },
            policy: Policy { allow_private: !args.public_only },
            recog: args.recog.as_deref().map(Recog::load).transpose().context("--recog")?.map(Arc::new),
        })
    }

    /// What was loaded from the folder of Recog fingerprints, in words.
    pub fn recog_note(&self) -> Option<String> {
        let recog = self.recog.as_ref()?;
        let unused = if self.service_detection { "" } else { "; without -sV they are not used" };
        Some(format!(
            "{} Recog fingerprints loaded, {} need an expression engine we do not have{unused}",
            recog.loaded, recog.skipped
        ))
    }

    /// What the probes are handed.
    pub fn context(&self, args: &PortsArgs) -> ProbeContext {
        let timeout = Duration::from_secs(u64::from(args.timeout));
        let private = if args.public_only { Private::Refused } else { Private::Allowed };
        // A service is asked in several protocols at the same time; a silent datagram port in a dozen.
        let mut cx = network::probe_context(&args.network, private, timeout, args.concurrency as usize * 16);
        cx.outbound = (cx.outbound.over(args.interface.as_deref())).paced(Ceilings {
            global: args.rate,
            per_host: args.rate_host,
            per_subnet: args.rate_subnet,
        });
        cx.recog.clone_from(&self.recog);
        cx.caution = self.caution;
        cx
    }

    /// Resolves names, expands networks, takes exclusions away.
    ///
    /// # Errors
    /// If an exclusion cannot be resolved: a scan that may touch what it must not is not begun.
    pub async fn resolve(&self, cx: &ProbeContext) -> Result<Plan> {
        let mut excluded = self.excluded.clone();
        for name in excluded.take_names() {
            match every_address(cx, &name).await {
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
            single_names: BTreeSet::new(),
            nowhere: BTreeSet::new(),
            unresolved: Vec::new(),
            gaps: Vec::new(),
            is_whole: true,
            left_out: Several::new("addresses were left out"),
            excluded: Arc::new(excluded),
            policy: self.policy,
        };
        let (given, listed) = self.singly();
        let mut found = self.addresses_of_names(cx);
        for Given { target, in_list } in &self.targets {
            let named = if if *in_list { listed } else { given } { Named::Singly } else { Named::InAList };
            match target {
                Target::Domain { name, .. } => {
                    let before = plan.addresses.len();
                    match found.next().await {
                        Some(Observation::Observed(addresses)) => {
                            for address in addresses {
                                plan.add(address, Some(name), named);
                            }
                        }
                        other => {
                            plan.is_whole &= !cx.cancel.is_cancelled();
                            plan.unresolved.push((name.clone(), other.map_or_else(String::new, why)));
                        }
                    }
                    if plan.addresses.len() == before {
                        plan.nowhere.insert(name.clone());
                    }
                    if named == Named::Singly {
                        plan.single_names.insert(name.clone());
                    }
                }
                Target::Ip { address, .. } => {
                    plan.add(*address, None, named);
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
        let left_out = std::mem::replace(&mut plan.left_out, Several::new(""));
        plan.gaps.extend(left_out.into_sentences().map(Gap::Unfinished));
        plan.addresses.sort_unstable();
        plan.addresses.dedup();
        plan.addresses.shrink_to_fit();
        Ok(plan)
    }

    /// Whether what stands on the command line counts as named singly, and whether what stands in lists does.
    fn singly(&self) -> (bool, bool) {
        let singles = |in_list: bool| {
            let is_single = |target: &Target| matches!(target, Target::Ip { .. } | Target::Domain { .. });
            self.targets.iter().filter(|given| given.in_list == in_list && is_single(&given.target)).count()
        };
        let (given, listed) = (singles(false), singles(true));
        (given <= SINGLES_AT_MOST, given + listed <= SINGLES_AT_MOST)
    }

    /// What the names among the targets lead to, in their order.
    fn addresses_of_names<'r>(
        &'r self,
        cx: &'r ProbeContext,
    ) -> impl Stream<Item = Observation<Vec<IpAddr>>> + Unpin + 'r {
        let names = self.targets.iter().filter_map(|given| match &given.target {
            Target::Domain { name, .. } => Some(name),
            _ => None,
        });
        let asked = names.map(move |name| addresses_of(cx, name));
        Box::pin(futures::stream::iter(asked).buffered(NAMES_AT_ONCE))
    }
}

/// What a name leads to. One without a dot means what it means to every program on this machine, search domains included,
/// unless a resolver was named.
async fn addresses_of(cx: &ProbeContext, name: &str) -> Observation<Vec<IpAddr>> {
    if is_complete(cx, name) { resolve::addresses(cx, name).await } else { by_the_system(cx, name).await.into() }
}

/// The same for a name that must not be missed.
async fn every_address(cx: &ProbeContext, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    if is_complete(cx, name) { resolve::every_address(cx, name).await } else { by_the_system(cx, name).await }
}

fn is_complete(cx: &ProbeContext, name: &str) -> bool {
    name.contains('.') || name == "localhost" || cx.dns.resolver.is_some()
}

async fn by_the_system(cx: &ProbeContext, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    let asked = bartizan_outbound::names::resolve(name.to_owned());
    cx.within(cx.timeout.saturating_mul(3), &format!("resolving {name}"), asked).await
}

/// How an address came to be a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Singly,
    InAList,
}

impl Plan {
    fn add(&mut self, address: IpAddr, name: Option<&String>, named: Named) {
        let address = address.to_canonical();
        if self.excluded.contain(address) {
            return;
        }
        // Whatever bits a record has: it does not choose one of our interfaces.
        if let (true, Some(name)) = (zone::is_link_local(address), name) {
            self.left_out
                .push(format!("{name} leads to {address}, a link-local address of which the link is not known"));
            return;
        }
        if let Err(failure) = self.policy.vet(zone::split(address).0) {
            self.left_out.push(failure.detail);
            return;
        }
        if named == Named::Singly {
            self.singles.insert(address);
        }
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

/// Who asks only which hosts are there asks no ports.
fn refuse_questions(args: &PortsArgs) -> Result<()> {
    let others = [ScanLetter::Services, ScanLetter::Udp, ScanLetter::Syn, ScanLetter::Connect];
    let ports = [args.ports.is_some(), args.top_ports.is_some(), args.exclude_ports.is_some(), args.udp];
    if ports.contains(&true) || args.service_detection || others.iter().any(|letter| args.has(*letter)) {
        bail!("--discover-only (-sn) asks no ports: leave out what says which ports to ask, and how");
    }
    if args.no_discovery {
        bail!("--discover-only (-sn) and --no-discovery (-Pn): nothing would be left to do");
    }
    Ok(())
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

fn why<T>(observation: Observation<T>) -> String {
    match observation {
        Observation::Failed(failure) => failure.detail,
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
