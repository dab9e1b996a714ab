//! What is missing from the results of an asset, and how a scan tells of it: missing evidence is never a pass.

use std::collections::HashMap;

use bartizan_domain::document::{Gap, HostResult};
use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::evidence::{FailureKind, HostEvidence, Observation};
use bartizan_domain::score::asset_score;
use bartizan_domain::{AssetRef, Outcome, PortSet, Target, Transport, Verdict};

/// Names listed in a reason before they are only counted.
const NAMES_IN_REASON: usize = 5;

/// How a finished asset ended, as far as the end of the scan depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Whether anything answered.
    pub reached: bool,
    /// Why nothing answered.
    pub why_unreached: Option<String>,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

impl From<&HostResult> for Settled {
    fn from(result: &HostResult) -> Self {
        Self { reached: result.reached, why_unreached: result.why_unreached.clone(), gaps: result.gaps.clone() }
    }
}

/// The gaps that the evidence of a reached asset shows by itself.
pub(crate) fn of(evidence: &HostEvidence, verdicts: &[Verdict]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if local_trouble(evidence) {
        gaps.push(Gap::LocalResources);
    }
    if asset_score(verdicts, true).is_none() && verdicts.iter().any(|verdict| verdict.outcome == Outcome::Error) {
        gaps.push(Gap::NothingJudged);
    }
    gaps
}

/// The ports that targets name (`host:port`), by asset.
#[derive(Debug)]
pub struct NamedPorts(HashMap<AssetRef, PortSet>);

impl NamedPorts {
    /// Collects them.
    #[must_use]
    pub fn new(targets: &[Target]) -> Self {
        let mut named: HashMap<AssetRef, PortSet> = HashMap::new();
        for target in targets {
            let Some(port) = target.port() else { continue };
            for asset in target.assets() {
                let ports = named.entry(asset).or_default();
                *ports = ports.iter().chain([port]).collect();
            }
        }
        Self(named)
    }

    /// The gap that is left if ports that were named are not open.
    #[must_use]
    pub fn gap(&self, result: &HostResult) -> Option<Gap> {
        let open = |wanted: u16| {
            (result.ports.iter())
                .any(|port| port.port == wanted && port.protocol == Transport::Tcp && port.state == PortState::Open)
        };
        let ports: PortSet = self.0.get(&result.asset)?.iter().filter(|port| !open(*port)).collect();
        (result.reached && !ports.is_empty()).then_some(Gap::NamedPortsNotOpen { ports })
    }
}

/// What a scan remembers of the gaps of its assets: a bounded number of names, and counts.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    local_resources: usize,
    unjudged: Names,
    not_open: Names,
}

impl Gaps {
    pub(crate) fn add(&mut self, asset: &AssetRef, gaps: &[Gap]) {
        for gap in gaps {
            match gap {
                Gap::LocalResources => self.local_resources += 1,
                Gap::NothingJudged => self.unjudged.add(|| asset.to_string()),
                Gap::NamedPortsNotOpen { ports } => self.not_open.add(|| format!("{asset} port {ports}")),
            }
        }
    }

    /// One sentence for each kind of gap.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.local_resources > 0 {
            reasons.push(format!(
                "on {} something could not be asked for want of resources on the scanning machine",
                hosts(self.local_resources)
            ));
        }
        if self.unjudged.count > 0 {
            reasons.push(format!("nothing could be judged on {}", self.unjudged));
        }
        if self.not_open.count > 0 {
            reasons.push(format!("not open: {}", self.not_open));
        }
        reasons
    }
}

/// The first few names of something, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Names {
    listed: Vec<String>,
    count: usize,
}

impl Names {
    pub(crate) fn add(&mut self, name: impl FnOnce() -> String) {
        if self.listed.len() < NAMES_IN_REASON {
            self.listed.push(name());
        }
        self.count += 1;
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.listed.join(", "))?;
        match self.count - self.listed.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// `1 host`, `2 hosts`.
pub(crate) fn hosts(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}

/// Why an asset gave no answer.
pub(crate) fn why_unreached(evidence: &HostEvidence) -> Option<String> {
    fn failure<T>(observation: &Observation<T>) -> Option<String> {
        match observation {
            Observation::Failed(failure) => Some(failure.detail.clone()),
            _ => None,
        }
    }
    failure(&evidence.addresses)
        .or_else(|| failure(&evidence.ports))
        .or_else(|| evidence.ports.observed().map(|_| "no port answered".to_owned()))
        .or_else(|| failure(&evidence.dns))
        .or_else(|| failure(&evidence.registration))
        .or_else(|| Some("nothing was asked of it".to_owned()))
}

/// Whether something failed on this machine and not on the target.
fn local_trouble(evidence: &HostEvidence) -> bool {
    fn local<T>(observation: &Observation<T>) -> bool {
        matches!(observation, Observation::Failed(failure) if failure.kind == FailureKind::Local)
    }
    let ports_error = evidence.ports.observed().is_some_and(|ports| {
        ports.listed.iter().any(|port| port.state == PortState::Error)
            || ports.summarised.iter().any(|sum| sum.state == PortState::Error)
    });
    ports_error
        || local(&evidence.addresses)
        || local(&evidence.ports)
        || evidence.services.items.iter().any(|item| local(&item.observation))
        || evidence.tls.items.iter().any(|item| local(&item.observation))
        || evidence.web.items.iter().any(|item| local(&item.observation))
}
