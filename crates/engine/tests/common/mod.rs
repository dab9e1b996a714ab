//! A small catalogue, recorded hosts and probes that can be watched and held up.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bartizan_catalog::Catalog;
use bartizan_domain::evidence::ports::{PortObservation, PortState};
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    AtEndpoint, DnsEvidence, Endpoint, HostEvidence, MailEvidence, Observation, PortsEvidence, RegistrationEvidence,
    Section, ServiceEvidence, SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::{AssetRef, Clock, PortSet, Target, Transport};
use bartizan_engine::{
    EngineDeps, HostFinished, HostScope, PathProbes, PortsDone, Probes, Progress, RecordedProbes, ScanEvent,
    ScanOptions, ScanOutcome, ScanRequest, ScanSettings, run,
};
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        "2026-11-01T10:00:00Z".parse().unwrap()
    }
}

/// Two declared checks and the quick profile.
pub fn catalog() -> &'static Catalog {
    let check = |id: &str, evidence: &str, fail: &str| {
        (
            format!("checks/service/{}.toml", id.replace('.', "-")),
            format!(
                "id = '{id}'\ntitle = 'A title'\nseverity = 'high'\ncategory = 'service'\nmode = 'safe'\n\
                 maturity = 'stable'\nsince = '0.1.0'\ndescription = 'd'\nrisk = 'r'\nremediation = ['fix it']\n\
                 references = ['https://example.test/']\n[declaration]\nevidence = '{evidence}'\nfail = '''{fail}'''\n"
            ),
        )
    };
    let profile = "name = 'quick'\norder = 1\ndescription = 'd'\nmodes = ['passive', 'safe']\nports = '22,80,443,6379'\n\
                   path_probes = false\n";
    let files = vec![
        check("svc.redis", "services", "it.service == 'redis'"),
        check("web.plain", "web", "it.scheme == 'http'"),
        ("profiles/quick.toml".to_owned(), profile.to_owned()),
    ];
    Box::leak(Box::new(Catalog::parse(&files).unwrap()))
}

/// An address with Redis on 6379 and a closed port 22.
pub fn redis_host(asset: &str) -> HostEvidence {
    let address: IpAddr = asset.parse().unwrap_or([192, 0, 2, 1].into());
    let mut host = HostEvidence::new(AssetRef::from_canonical(asset), FixedClock.now());
    let port = |number, state| PortObservation {
        unconfirmed: false,
        address,
        protocol: Transport::Tcp,
        port: number,
        state,
        reason: "recorded".to_owned(),
        rtt_us: None,
    };
    host.addresses = Observation::Observed(vec![address]);
    host.ports = Observation::Observed(PortsEvidence {
        requested: [22, 6379].into_iter().collect(),
        listed: vec![port(22, PortState::Closed), port(6379, PortState::Open)],
        ..PortsEvidence::default()
    });
    let service = ServiceEvidence { service: Some("redis".to_owned()), ..ServiceEvidence::default() };
    host.services = Section::complete(vec![AtEndpoint {
        endpoint: Endpoint::tcp(address, 6379),
        observation: Observation::Observed(service),
    }]);
    host
}

/// Recorded probes that count and can be made to hang.
#[derive(Default)]
pub struct Watched {
    pub recorded: RecordedProbes,
    pub calls: Mutex<Vec<String>>,
    pub in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
    pub hang: Hang,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub enum Hang {
    #[default]
    Never,
    /// Identification never ends, not even when cancelled.
    AtServices,
}

impl Watched {
    pub fn new(hosts: impl IntoIterator<Item = HostEvidence>) -> Self {
        Self { recorded: hosts.into_iter().collect(), ..Self::default() }
    }

    pub fn called(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    async fn call(&self, what: String) {
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(now, Ordering::SeqCst);
        self.calls.lock().unwrap().push(what);
        // Lets the others in, so that bounds show.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Probes for Watched {
    async fn addresses(&self, at: HostScope<'_>, name: &str) -> Observation<Vec<IpAddr>> {
        self.call(format!("addresses {name}")).await;
        self.recorded.addresses(at, name).await
    }

    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence> {
        self.call(format!("ports {} {tcp}", at.asset)).await;
        self.recorded.ports(at, addresses, tcp, udp, done).await
    }

    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence> {
        self.call(format!("service {} {}", at.asset, endpoint.location())).await;
        if self.hang == Hang::AtServices {
            std::future::pending::<()>().await;
        }
        self.recorded.service(at, endpoint).await
    }

    async fn tls(&self, at: HostScope<'_>, endpoint: &Endpoint, how: Option<StartTls>) -> Observation<TlsEvidence> {
        self.call(format!("tls {} {}", at.asset, endpoint.location())).await;
        self.recorded.tls(at, endpoint, how).await
    }

    async fn web(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        scheme: Scheme,
        paths: PathProbes,
    ) -> Observation<WebEvidence> {
        self.call(format!("web {} {} {}", at.asset, endpoint.location(), scheme.as_str())).await;
        self.recorded.web(at, endpoint, scheme, paths).await
    }

    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence> {
        self.call(format!("ssh {} {}", at.asset, endpoint.location())).await;
        self.recorded.ssh(at, endpoint).await
    }

    async fn dns(&self, at: HostScope<'_>, domain: &str) -> Observation<DnsEvidence> {
        self.call(format!("dns {domain}")).await;
        self.recorded.dns(at, domain).await
    }

    async fn mail(&self, at: HostScope<'_>, domain: &str) -> Observation<MailEvidence> {
        self.call(format!("mail {domain}")).await;
        self.recorded.mail(at, domain).await
    }

    async fn registration(&self, at: HostScope<'_>, domain: &str) -> Observation<RegistrationEvidence> {
        self.call(format!("registration {domain}")).await;
        self.recorded.registration(at, domain).await
    }
}

/// Everything a scan told.
pub struct Told {
    pub outcome: ScanOutcome,
    pub hosts: Vec<HostFinished>,
    pub progress: Vec<Progress>,
    pub planned: (usize, usize),
}

pub fn settings(change: impl FnOnce(&mut ScanOptions)) -> ScanSettings {
    let mut options = ScanOptions::default();
    change(&mut options);
    ScanSettings::resolve(catalog(), &options).unwrap()
}

pub fn request(targets: &[&str], settings: ScanSettings) -> ScanRequest {
    let targets = targets.iter().map(|text| text.parse::<Target>().unwrap()).collect();
    ScanRequest { targets, settings, finished: std::collections::HashMap::new() }
}

pub async fn scan(request: ScanRequest, probes: Arc<Watched>, cancel: CancellationToken) -> Told {
    let deps = EngineDeps { probes, catalog: catalog(), clock: Arc::new(FixedClock), cancel };
    let (sender, mut receiver) = mpsc::channel(8);
    let running = tokio::spawn(run(request, deps, sender));
    let (mut hosts, mut progress, mut planned) = (Vec::new(), Vec::new(), (0, 0));
    while let Some(event) = receiver.recv().await {
        match event {
            ScanEvent::Planned { assets, checks } => planned = (assets, checks),
            ScanEvent::Progress(snapshot) => progress.push(snapshot),
            ScanEvent::HostFinished(host) => hosts.push(*host),
        }
    }
    Told { outcome: running.await.unwrap().unwrap(), hosts, progress, planned }
}
