//! One asset: which probes run in which order, and what is said about those that do not.
//!
//! Addresses, then ports, then each open port on its own: identification, and as soon as it is known what speaks there,
//! TLS, web and SSH probes. Names (DNS, mail, registration) are looked up beside all that. Whatever is not done leaves
//! its reason, because a check turns that reason into "not tested".

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use bartizan_domain::evidence::ports::PortState;
use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    AtEndpoint, Endpoint, EvidenceKind, FailureKind, HostEvidence, Observation, PortsEvidence, ProbeFailure, Section,
    ServiceEvidence, SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::{AssetRef, PortSet, Transport};
use chrono::{DateTime, Utc};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::plan::{PlannedAsset, WEB_PORTS};
use crate::probes::{HostScope, PathProbes, Probes};
use crate::progress::Tracker;
use crate::settings::ScanSettings;

/// Addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 16;
/// Open ports of one asset that are identified.
const MAX_SERVICES: usize = 512;
/// How long a probe may take to notice that the scan was stopped.
const GRACE: Duration = Duration::from_secs(2);

const NO_PORT_SCAN: &str = "the port scan is switched off";
const NO_WEB: &str = "web checks are switched off";
const NOT_NEEDED: &str = "no selected check needs it";

/// What gathering one asset works with.
pub(crate) struct Gatherer<'a> {
    pub(crate) probes: &'a dyn Probes,
    pub(crate) settings: &'a ScanSettings,
    pub(crate) needs: &'a BTreeSet<EvidenceKind>,
    pub(crate) permits: &'a Semaphore,
    pub(crate) tracker: &'a Tracker,
    pub(crate) cancel: &'a CancellationToken,
    /// Takes evidence of a part of the asset, everything else absent, so that what is found can be told at once.
    pub(crate) judge_part: &'a (dyn Fn(&HostEvidence) + Send + Sync),
}

/// What was found at one open port.
struct AtPort {
    endpoint: Endpoint,
    service: Observation<ServiceEvidence>,
    tls: Option<Observation<TlsEvidence>>,
    web: Option<Observation<WebEvidence>>,
    ssh: Option<Observation<SshEvidence>>,
}

impl AtPort {
    /// Evidence of this port alone.
    fn part(&self, asset: &AssetRef, now: DateTime<Utc>) -> HostEvidence {
        let mut part = HostEvidence::new(asset.clone(), now);
        push(&mut part.services, &self.endpoint, Some(self.service.clone()));
        push(&mut part.tls, &self.endpoint, self.tls.clone());
        push(&mut part.web, &self.endpoint, self.web.clone());
        push(&mut part.ssh, &self.endpoint, self.ssh.clone());
        part
    }
}

impl Gatherer<'_> {
    /// Everything about one asset.
    pub(crate) async fn gather(&self, planned: &PlannedAsset, now: DateTime<Utc>) -> HostEvidence {
        let network = self.network(planned, HostEvidence::new(planned.asset.clone(), now));
        let names = async {
            let names = self.names(&planned.asset).await;
            if planned.asset.domain().is_some() {
                let mut part = HostEvidence::new(planned.asset.clone(), now);
                (part.dns, part.mail, part.registration) = names;
                (self.judge_part)(&part);
                return (part.dns, part.mail, part.registration);
            }
            names
        };
        let (mut evidence, names) = tokio::join!(network, names);
        (evidence.dns, evidence.mail, evidence.registration) = names;
        evidence
    }

    async fn network(&self, planned: &PlannedAsset, mut evidence: HostEvidence) -> HostEvidence {
        let estimated = planned.tcp_ports(self.settings).len() as u64;
        self.tracker.doing(format!("resolving {}", planned.asset));
        evidence.addresses = self.addresses(&planned.asset).await;
        let Some(addresses) = evidence.addresses.observed().cloned() else {
            self.tracker.ports_known(estimated, 0);
            without_addresses(&mut evidence);
            return evidence;
        };
        if let Err(reason) = self.wants_network() {
            self.tracker.ports_known(estimated, 0);
            self.leave_out(&mut evidence, reason);
            return evidence;
        }
        if addresses.is_empty() {
            self.tracker.ports_known(estimated, 0);
            no_address(&mut evidence);
            return evidence;
        }
        evidence.ports = self.ports(planned, &addresses).await;
        self.at_ports(planned, &mut evidence).await;
        if addresses.len() >= MAX_ADDRESSES {
            self.mark(&mut evidence, &format!("only the first {MAX_ADDRESSES} addresses of the name were looked at"));
        }
        if self.cancel.is_cancelled() {
            self.mark(&mut evidence, "the scan was stopped");
        }
        self.leave_out_by_toggle(&mut evidence);
        evidence
    }

    async fn addresses(&self, asset: &AssetRef) -> Observation<Vec<IpAddr>> {
        let name = match asset {
            AssetRef::Ip(address) => return Observation::Observed(vec![*address]),
            AssetRef::Domain(name) => name,
        };
        let found = self.probe("resolving the name", asset, |at| self.probes.addresses(at, name)).await;
        match found {
            Observation::Observed(mut addresses) => {
                let mut seen = BTreeSet::new();
                addresses.retain(|address| seen.insert(*address));
                addresses.truncate(MAX_ADDRESSES);
                Observation::Observed(addresses)
            }
            other => other,
        }
    }

    async fn ports(&self, planned: &PlannedAsset, addresses: &[IpAddr]) -> Observation<PortsEvidence> {
        let tcp = planned.tcp_ports(self.settings);
        let narrowed = planned.only_ports.is_some() || !self.settings.toggles.port_scan;
        let udp = if narrowed { PortSet::new() } else { self.settings.udp_ports.clone() };
        self.tracker.ports_known(tcp.len() as u64, ((tcp.len() + udp.len()) * addresses.len()) as u64);
        self.tracker.doing(format!("scanning ports of {}", planned.asset));
        let reported = std::sync::Mutex::new(0_u64);
        let done = |count: u64, _total: u64| {
            let mut reported = reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            self.tracker.ports_advanced(count.saturating_sub(*reported));
            *reported = count.max(*reported);
        };
        let found = self
            .probe("scanning ports", &planned.asset, |at| self.probes.ports(at, addresses, &tcp, &udp, &done))
            .await;
        done(((tcp.len() + udp.len()) * addresses.len()) as u64, 0);
        found
    }

    async fn at_ports(&self, planned: &PlannedAsset, evidence: &mut HostEvidence) {
        let ports = match &evidence.ports {
            Observation::Observed(ports) => ports,
            Observation::Failed(failure) => {
                let reason = format!("the ports could not be scanned: {failure}");
                return self.mark(evidence, &reason);
            }
            Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
                let reason = reason.clone();
                return self.mark(evidence, &reason);
            }
        };
        let (endpoints, gaps) = self.candidates(planned, ports);
        let mut found: Vec<AtPort> = endpoints
            .into_iter()
            .map(|endpoint| self.at_port(&planned.asset, endpoint))
            .collect::<FuturesUnordered<_>>()
            .inspect(|port| (self.judge_part)(&port.part(&planned.asset, evidence.gathered_at)))
            .collect()
            .await;
        found.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
        evidence.services = Section::complete(Vec::new());
        evidence.tls = Section::complete(Vec::new());
        evidence.web = Section::complete(Vec::new());
        evidence.ssh = Section::complete(Vec::new());
        let mut unidentified = Vec::new();
        let mut unknown_inside = Vec::new();
        for port in found {
            match port.service.observed() {
                None => unidentified.push(port.endpoint.location().to_string()),
                Some(facts) if facts.tls && facts.service.is_none() => {
                    let why = match &facts.access {
                        Access::Unknown { reason } => format!(" ({reason})"),
                        Access::Open { .. } | Access::AuthRequired { .. } => String::new(),
                    };
                    unknown_inside.push(format!("{}{why}", port.endpoint.location()));
                }
                Some(_) => {}
            }
            push(&mut evidence.tls, &port.endpoint, port.tls);
            push(&mut evidence.web, &port.endpoint, port.web);
            push(&mut evidence.ssh, &port.endpoint, port.ssh);
            push(&mut evidence.services, &port.endpoint, Some(port.service));
        }
        for gap in gaps {
            self.mark(evidence, &gap);
        }
        if !unknown_inside.is_empty() {
            let reason = format!("it could not be found out what speaks inside TLS on {}", unknown_inside.join(", "));
            add_gap(&mut evidence.web.incomplete, &reason);
        }
        if !unidentified.is_empty() {
            let reason = format!("it could not be found out what speaks on {}", unidentified.join(", "));
            add_gap(&mut evidence.tls.incomplete, &reason);
            add_gap(&mut evidence.web.incomplete, &reason);
            add_gap(&mut evidence.ssh.incomplete, &reason);
        }
    }

    /// The open TCP ports to look at, and why there may be others.
    fn candidates(&self, planned: &PlannedAsset, ports: &PortsEvidence) -> (Vec<Endpoint>, Vec<String>) {
        let mut gaps = Vec::new();
        gaps.extend(ports.incomplete.clone());
        let silent = |state| !matches!(state, PortState::Open | PortState::Closed);
        if !ports.any_answer() {
            let reason = ports.summarised.first().map(|sum| sum.reason.as_str());
            let reason = reason.or_else(|| ports.listed.first().map(|port| port.reason.as_str()));
            gaps.push(format!("nothing answered on any port ({})", reason.unwrap_or("no-response")));
        } else if ports.listed.iter().any(|port| port.state == PortState::Error)
            || ports.summarised.iter().any(|sum| silent(sum.state) && sum.state == PortState::Error)
        {
            gaps.push("some ports could not be asked for want of resources on the scanning machine".to_owned());
        }
        for port in ports.open().filter(|port| port.unconfirmed) {
            gaps.push(format!("port {} of {} accepted once and not a second time", port.port, port.address));
        }
        for address in &ports.everything_open {
            gaps.push(format!("every port of {address} answers, so that only well-known web ports were looked at"));
        }
        let behind_edge = |address: &IpAddr| ports.everything_open.contains(address);
        let mut endpoints: Vec<Endpoint> = ports
            .open()
            .filter(|port| port.protocol == Transport::Tcp && !behind_edge(&port.address))
            .map(|port| Endpoint::tcp(port.address, port.port))
            .collect();
        // Behind an edge an open port says nothing, so the few ports worth asking are asked themselves.
        let worth_asking: PortSet = match &planned.only_ports {
            Some(ports) => ports.clone(),
            None => WEB_PORTS.into_iter().filter(|port| ports.requested.contains(*port)).collect(),
        };
        endpoints.extend(
            ports
                .everything_open
                .iter()
                .flat_map(|address| worth_asking.iter().map(|port| Endpoint::tcp(*address, port))),
        );
        endpoints.sort();
        endpoints.dedup();
        if endpoints.len() > MAX_SERVICES {
            gaps.push(format!("{} ports are open; the first {MAX_SERVICES} were looked at", endpoints.len()));
            endpoints.truncate(MAX_SERVICES);
        }
        (endpoints, gaps)
    }

    async fn at_port(&self, asset: &AssetRef, endpoint: Endpoint) -> AtPort {
        self.tracker.doing(format!("identifying the service on {} of {asset}", endpoint.location()));
        let service = self.probe("identifying the service", asset, |at| self.probes.service(at, &endpoint)).await;
        let Some(facts) = service.observed() else {
            return AtPort { endpoint, service, tls: None, web: None, ssh: None };
        };
        let name = facts.service.as_deref();
        let wants_web = self.settings.toggles.web_checks;
        let encrypted = facts.tls || facts.starttls.is_some();
        let starttls: Option<StartTls> = if facts.tls { None } else { facts.starttls };
        let tls = async {
            if wants_web && encrypted && self.needs.contains(&EvidenceKind::Tls) {
                self.tracker.doing(format!("examining TLS on {} of {asset}", endpoint.location()));
                Some(self.probe("examining TLS", asset, |at| self.probes.tls(at, &endpoint, starttls)).await)
            } else {
                None
            }
        };
        let web = async {
            if wants_web && name == Some("http") && self.needs.contains(&EvidenceKind::Web) {
                self.tracker.doing(format!("examining the web site on {} of {asset}", endpoint.location()));
                let scheme = if facts.tls { Scheme::Https } else { Scheme::Http };
                let paths = if self.settings.path_probes { PathProbes::Paths } else { PathProbes::RootOnly };
                Some(
                    self.probe("examining the web site", asset, |at| self.probes.web(at, &endpoint, scheme, paths))
                        .await,
                )
            } else {
                None
            }
        };
        let ssh = async {
            if self.settings.toggles.port_scan && name == Some("ssh") && self.needs.contains(&EvidenceKind::Ssh) {
                Some(self.probe("examining SSH", asset, |at| self.probes.ssh(at, &endpoint)).await)
            } else {
                None
            }
        };
        // One after the other: a server that handles one client at a time would keep the second probe waiting until it
        // gave up, and that time-out would say nothing about the server.
        let (tls, web, ssh) = (tls.await, web.await, ssh.await);
        AtPort { endpoint, service, tls, web, ssh }
    }

    async fn names(&self, asset: &AssetRef) -> Names {
        let Some(domain) = asset.domain() else {
            let reason = "the asset is an address, and this is about domain names";
            let absent = || reason.to_owned();
            return (
                Observation::NotApplicable { reason: absent() },
                Observation::NotApplicable { reason: absent() },
                Observation::NotApplicable { reason: absent() },
            );
        };
        let toggles = self.settings.toggles;
        let reason = |on: bool, kind, off: &'static str| match (on, self.needs.contains(&kind)) {
            (false, _) => Some(off),
            (true, false) => Some(NOT_NEEDED),
            (true, true) => None,
        };
        let dns = async {
            match reason(toggles.dns_checks, EvidenceKind::Dns, "DNS checks are switched off") {
                Some(reason) => Observation::not_attempted(reason),
                None => self.probe("asking the DNS", asset, |at| self.probes.dns(at, domain)).await,
            }
        };
        let mail = async {
            match reason(toggles.dns_checks, EvidenceKind::Mail, "DNS checks are switched off") {
                Some(reason) => Observation::not_attempted(reason),
                None => self.probe("reading the mail policy", asset, |at| self.probes.mail(at, domain)).await,
            }
        };
        let registration = async {
            match reason(toggles.whois_checks, EvidenceKind::Registration, "registration checks are switched off") {
                Some(reason) => Observation::not_attempted(reason),
                None => {
                    self.probe("looking up the registration", asset, |at| self.probes.registration(at, domain)).await
                }
            }
        };
        tokio::join!(dns, mail, registration)
    }

    /// Runs one probe within the scan's bounds. A probe that does not notice the end of the scan is left behind.
    async fn probe<'p, T, F>(
        &'p self,
        doing: &str,
        asset: &'p AssetRef,
        work: impl FnOnce(HostScope<'p>) -> F,
    ) -> Observation<T>
    where
        F: Future<Output = Observation<T>>,
    {
        let stopped =
            || Observation::Failed(ProbeFailure::new(FailureKind::Cancelled, format!("{doing}: the scan was stopped")));
        self.tracker.probe_planned();
        let permit = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return stopped(),
            permit = self.permits.acquire() => permit,
        };
        // The semaphore is never closed; without a permit the scan is over.
        let Ok(_permit) = permit else { return stopped() };
        let observation = tokio::select! {
            observation = work(HostScope { asset, cancel: self.cancel }) => observation,
            () = async { self.cancel.cancelled().await; tokio::time::sleep(GRACE).await } => stopped(),
        };
        self.tracker.probe_done();
        observation
    }

    /// Whether the asset's ports are to be touched at all.
    fn wants_network(&self) -> Result<(), &'static str> {
        let toggles = self.settings.toggles;
        let any = |kinds: &[EvidenceKind]| kinds.iter().any(|kind| self.needs.contains(kind));
        use EvidenceKind::{Ports, Services, Ssh, Tls, Web};
        match (toggles.port_scan, toggles.web_checks) {
            (true, _) if any(&[Ports, Services, Ssh]) => Ok(()),
            (_, true) if any(&[Tls, Web]) => Ok(()),
            (false, false) => Err("the port scan and web checks are switched off"),
            _ => Err(NOT_NEEDED),
        }
    }

    /// Nothing of the network is gathered.
    fn leave_out(&self, evidence: &mut HostEvidence, reason: &str) {
        evidence.ports = Observation::not_attempted(reason);
        evidence.services = Section::not_attempted(reason);
        evidence.ssh = Section::not_attempted(reason);
        evidence.tls = Section::not_attempted(reason);
        evidence.web = Section::not_attempted(reason);
        self.leave_out_by_toggle(evidence);
    }

    /// Says of each section that was not filled why.
    fn leave_out_by_toggle(&self, evidence: &mut HostEvidence) {
        let toggles = self.settings.toggles;
        if !toggles.port_scan {
            evidence.services = Section::not_attempted(NO_PORT_SCAN);
            evidence.ssh = Section::not_attempted(NO_PORT_SCAN);
        } else if !self.needs.contains(&EvidenceKind::Ssh) {
            evidence.ssh = Section::not_attempted(NOT_NEEDED);
        }
        if !toggles.web_checks {
            evidence.tls = Section::not_attempted(NO_WEB);
            evidence.web = Section::not_attempted(NO_WEB);
        } else {
            if !self.needs.contains(&EvidenceKind::Tls) {
                evidence.tls = Section::not_attempted(NOT_NEEDED);
            }
            if !self.needs.contains(&EvidenceKind::Web) {
                evidence.web = Section::not_attempted(NOT_NEEDED);
            }
        }
    }

    /// Adds a gap to every section that depends on the ports.
    #[expect(clippy::unused_self, reason = "reads as one of the steps")]
    fn mark(&self, evidence: &mut HostEvidence, reason: &str) {
        unfilled(&mut evidence.services);
        unfilled(&mut evidence.tls);
        unfilled(&mut evidence.web);
        unfilled(&mut evidence.ssh);
        add_gap(&mut evidence.services.incomplete, reason);
        add_gap(&mut evidence.tls.incomplete, reason);
        add_gap(&mut evidence.web.incomplete, reason);
        add_gap(&mut evidence.ssh.incomplete, reason);
    }
}

type Names = (
    Observation<bartizan_domain::evidence::DnsEvidence>,
    Observation<bartizan_domain::evidence::MailEvidence>,
    Observation<bartizan_domain::evidence::RegistrationEvidence>,
);

fn push<T>(section: &mut Section<T>, endpoint: &Endpoint, observation: Option<Observation<T>>) {
    if let Some(observation) = observation {
        section.items.push(AtEndpoint { endpoint: endpoint.clone(), observation });
    }
}

/// Takes the default statement of a section nobody filled away, before a better one is added.
fn unfilled<T>(section: &mut Section<T>) {
    let default = Section::<T>::default().incomplete;
    if section.items.is_empty() && section.incomplete == default {
        section.incomplete = None;
    }
}

fn add_gap(incomplete: &mut Option<String>, reason: &str) {
    match incomplete {
        Some(known) if known.contains(reason) => {}
        Some(known) => {
            known.push_str("; ");
            known.push_str(reason);
        }
        None => *incomplete = Some(reason.to_owned()),
    }
}

/// The name could not be resolved: nothing is known about its ports.
fn without_addresses(evidence: &mut HostEvidence) {
    let (ports, reason) = match &evidence.addresses {
        Observation::Failed(failure) => {
            (Observation::Failed(failure.clone()), format!("the name could not be resolved: {}", failure.detail))
        }
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
            (Observation::not_attempted(reason.clone()), reason.clone())
        }
        Observation::Observed(_) => return,
    };
    evidence.ports = ports;
    evidence.services = Section::not_attempted(reason.clone());
    evidence.tls = Section::not_attempted(reason.clone());
    evidence.web = Section::not_attempted(reason.clone());
    evidence.ssh = Section::not_attempted(reason);
}

/// The name exists and has no address: there is no host, and that is an answer.
fn no_address(evidence: &mut HostEvidence) {
    evidence.ports = Observation::NotApplicable { reason: "the name has no address".to_owned() };
    evidence.services = Section::complete(Vec::new());
    evidence.tls = Section::complete(Vec::new());
    evidence.web = Section::complete(Vec::new());
    evidence.ssh = Section::complete(Vec::new());
}
