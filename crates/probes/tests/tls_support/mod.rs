//! What the TLS tests share: a context that may reach loopback, and the checks over its evidence.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bartizan_catalog::{Catalog, Category};
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::tls::{TlsEvidence, TlsVersion};
use bartizan_domain::evidence::{AtEndpoint, Endpoint, HostEvidence, Observation, Section, StartTls};
use bartizan_domain::{AssetRef, Outcome, Verdict};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::certificates::Authority;
use bartizan_test_support::lab::tls::Server;
use chrono::{DateTime, Utc};

/// The name of the lab's good server.
pub const HOST: &str = "good.lab.example";

/// An authority whose root is trusted.
pub struct Lab {
    pub authority: Authority,
    pub settings: JudgeSettings,
}

impl Lab {
    pub fn new() -> Self {
        let authority = Authority::new();
        let settings = JudgeSettings { extra_roots: vec![authority.root_der()], ..JudgeSettings::default() };
        Self { authority, settings }
    }

    /// All verdicts of the TLS and certificate checks on one endpoint.
    pub fn verdicts(&self, asset: AssetRef, evidence: TlsEvidence) -> Vec<Verdict> {
        let catalog = Catalog::builtin();
        let selection =
            Selection::filter(catalog, |meta| matches!(meta.category, Category::Tls | Category::Certificate));
        judge(catalog, &selection, &host(asset, evidence), &self.settings)
    }

    /// Those that fail; none may be left open.
    pub fn failures(&self, asset: &str, evidence: TlsEvidence) -> Vec<Verdict> {
        let mut verdicts = self.verdicts(AssetRef::from_canonical(asset), evidence);
        let open: Vec<&Verdict> =
            verdicts.iter().filter(|v| matches!(v.outcome, Outcome::Error | Outcome::NotTested)).collect();
        let anonymous = open.iter().all(|v| v.check_id.group() == "cert");
        assert!(open.is_empty() || anonymous, "left open: {open:?}");
        verdicts.retain(|verdict| verdict.outcome == Outcome::Fail);
        verdicts
    }

    /// The ids of those that fail, sorted.
    pub fn findings(&self, asset: &str, evidence: TlsEvidence) -> Vec<String> {
        self.failures(asset, evidence).into_iter().map(|verdict| verdict.check_id.to_string()).collect()
    }
}

pub fn host(asset: AssetRef, evidence: TlsEvidence) -> HostEvidence {
    let now: DateTime<Utc> = SystemTime::now().into();
    let mut host = HostEvidence::new(asset, now);
    let endpoint = Endpoint::tcp(std::net::Ipv4Addr::LOCALHOST.into(), 443);
    host.addresses = Observation::Observed(vec![endpoint.address]);
    host.tls = Section::complete(vec![AtEndpoint { endpoint, observation: Observation::Observed(evidence) }]);
    host
}

pub fn endpoint(address: std::net::SocketAddr) -> Endpoint {
    Endpoint::tcp(address.ip(), address.port())
}

pub async fn probe(endpoint: &Endpoint, sni: Option<&str>, timeout: Duration) -> Observation<TlsEvidence> {
    with(endpoint, sni, None, timeout).await
}

pub async fn probe_starttls(
    endpoint: &Endpoint,
    sni: Option<&str>,
    protocol: StartTls,
    timeout: Duration,
) -> Observation<TlsEvidence> {
    with(endpoint, sni, Some(protocol), timeout).await
}

async fn with(
    endpoint: &Endpoint,
    sni: Option<&str>,
    starttls: Option<StartTls>,
    timeout: Duration,
) -> Observation<TlsEvidence> {
    let settings = Settings { policy: Policy { allow_private: true }, ..Settings::default() };
    let clock = Arc::new(FixedClock::at(DateTime::UNIX_EPOCH));
    let mut cx = ProbeContext::new(Outbound::new(settings), clock);
    cx.timeout = timeout;
    bartizan_probes::tls::gather(&cx, endpoint, sni, starttls).await
}

pub async fn gather(server: &Server, sni: Option<&str>) -> TlsEvidence {
    match probe(&endpoint(server.address), sni, Duration::from_secs(20)).await {
        Observation::Observed(evidence) => evidence,
        other => panic!("{other:?}: {}", server.output()),
    }
}

pub fn accepted(evidence: &TlsEvidence) -> Vec<TlsVersion> {
    evidence.accepted().map(|result| result.version).collect()
}
