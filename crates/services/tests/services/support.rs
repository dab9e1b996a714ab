//! The services over a test database, with a fixed clock, counted randomness and a scripted network.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bartizan_auth::{Identity, Passwords};
use bartizan_catalog::Catalog;
use bartizan_domain::evidence::ports::{PortObservation, PortState};
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    AtEndpoint, DnsEvidence, Endpoint, FailureKind, HostEvidence, MailEvidence, Observation, PortsEvidence,
    ProbeFailure, RegistrationEvidence, Section, ServiceEvidence, SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::id::ScanId;
use bartizan_domain::scan::FeatureToggles;
use bartizan_domain::{AssetRef, PortSet, Result, Transport};
use bartizan_engine::{HostScope, PathProbes, PortsDone, RecordedProbes};
use bartizan_services::auth::{Setup, SignedIn};
use bartizan_services::scans::{NewScan, ScanProgress};
use bartizan_services::settings::ScanSettings as ScanPolicy;
use bartizan_services::workers::{Process, ProcessKind};
use bartizan_services::{
    Network, OpContext, Origin, Probes, Random, Reach, ScanSettings, Services, ServicesConfig, Timing, auth, scans,
};
use bartizan_storage::Store;
use bartizan_test_support::{FixedClock, TestDatabase};
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Bytes that repeat from run to run and never within one.
pub struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (index, byte) in bytes.iter_mut().rev().enumerate() {
            *byte = count.get(7_usize.wrapping_sub(index)).copied().unwrap_or(0);
        }
    }
}

/// Replays evidence; can be told to hang on a host, and counts how often each host was asked.
#[derive(Default)]
pub struct Script {
    recorded: Mutex<RecordedProbes>,
    pub asked: Mutex<BTreeMap<String, u32>>,
    pub hangs_on: Mutex<Option<String>>,
    pub hanging: Notify,
}

impl Script {
    pub fn record(&self, hosts: impl IntoIterator<Item = HostEvidence>) {
        *self.recorded.lock().unwrap() = hosts.into_iter().collect();
    }

    fn recorded(&self) -> RecordedProbes {
        self.recorded.lock().unwrap().clone()
    }
}

pub struct ScriptedNetwork(pub Arc<Script>);

impl Network for ScriptedNetwork {
    fn probes(&self, _: &ScanSettings, _: Reach) -> Result<Arc<dyn Probes>> {
        Ok(Arc::new(ScriptedProbes(Arc::clone(&self.0))))
    }
}

struct ScriptedProbes(Arc<Script>);

#[async_trait]
impl Probes for ScriptedProbes {
    async fn addresses(&self, at: HostScope<'_>, name: &str) -> Observation<Vec<IpAddr>> {
        self.0.recorded().addresses(at, name).await
    }

    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence> {
        let asset = at.asset.to_string();
        *self.0.asked.lock().unwrap().entry(asset.clone()).or_default() += 1;
        let hangs = self.0.hangs_on.lock().unwrap().as_deref() == Some(asset.as_str());
        if hangs {
            self.0.hanging.notify_one();
            at.cancel.cancelled().await;
            return Observation::Failed(ProbeFailure::new(FailureKind::Cancelled, "the scan was stopped"));
        }
        self.0.recorded().ports(at, addresses, tcp, udp, done).await
    }

    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence> {
        self.0.recorded().service(at, endpoint).await
    }

    async fn tls(&self, at: HostScope<'_>, endpoint: &Endpoint, up: Option<StartTls>) -> Observation<TlsEvidence> {
        self.0.recorded().tls(at, endpoint, up).await
    }

    async fn web(&self, at: HostScope<'_>, to: &Endpoint, by: Scheme, paths: PathProbes) -> Observation<WebEvidence> {
        self.0.recorded().web(at, to, by, paths).await
    }

    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence> {
        self.0.recorded().ssh(at, endpoint).await
    }

    async fn dns(&self, at: HostScope<'_>, domain: &str) -> Observation<DnsEvidence> {
        self.0.recorded().dns(at, domain).await
    }

    async fn mail(&self, at: HostScope<'_>, domain: &str) -> Observation<MailEvidence> {
        self.0.recorded().mail(at, domain).await
    }

    async fn registration(&self, at: HostScope<'_>, domain: &str) -> Observation<RegistrationEvidence> {
        self.0.recorded().registration(at, domain).await
    }
}

/// The services, and what the test holds in its hands.
pub struct App {
    pub services: Services,
    pub store: Store,
    pub clock: Arc<FixedClock>,
    pub script: Arc<Script>,
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub async fn open(database: &TestDatabase) -> Store {
    match database.sqlite_file() {
        Some(file) => Store::sqlite(&file).await.unwrap(),
        None => Store::postgres(database.postgres_url().unwrap()).await.unwrap(),
    }
}

/// Two checks of one service each at its port, and a framework row for them.
pub fn catalog() -> &'static Catalog {
    let check = |id: &str, severity: &str, fail: &str| {
        let text = format!(
            r#"
id = "svc.{id}"
title = "The service is {id}"
severity = "{severity}"
category = "service"
mode = "safe"
maturity = "stable"
since = "0.1.0"
description = "d"
risk = "r"
remediation = ["Fix it."]
references = ["https://example.org/"]
[declaration]
evidence = "services"
fail = "{fail}"
facts = {{ version = "it.version" }}
"#
        );
        (format!("checks/service/svc-{id}.toml"), text)
    };
    let framework = r#"{"id":"nis2","name":"NIS2","version":"1","source":"https://example.org/","controls":[
        {"id":"21.2.a","title":"Policies","automation":"organisational"},
        {"id":"21.2.e","title":"Vulnerabilities","automation":"technical","checks":["svc.old"],"related":["eu:6.6"]},
        {"id":"21.2.i","title":"Access","automation":"partial","checks":["svc.telnet"]}]}"#;
    let mut files = vec![
        check("telnet", "high", "it.service == 'telnet'"),
        check("old", "medium", "it.version == '1.0'"),
        ("frameworks/nis2.json".to_owned(), framework.to_owned()),
    ];
    for profile in ["quick", "full", "custom"] {
        let path = format!("profiles/{profile}.toml");
        let text = format!(
            "name = \"{profile}\"\norder = 1\ndescription = \"d\"\nmodes = [\"safe\"]\nports = \"22,23\"\npath_probes = false\n"
        );
        files.push((path, text));
    }
    Box::leak(Box::new(Catalog::parse(&files).unwrap()))
}

impl App {
    pub async fn new(database: &TestDatabase) -> Self {
        Self::with(database, ServicesConfig::default(), 0).await
    }

    /// A second process on the same database: `seed` keeps its ids apart.
    pub async fn with(database: &TestDatabase, config: ServicesConfig, seed: u64) -> Self {
        // Looks are what fires schedules: many a second, so that tests need not wait.
        let jobs = Timing { look_every: Duration::from_millis(20), ..config.jobs };
        let config = ServicesConfig { jobs, ..config };
        let store = open(database).await;
        let clock = Arc::new(FixedClock::at(start()));
        let script = Arc::new(Script::default());
        let services = Services::new(
            store.clone(),
            catalog(),
            Passwords::fast_for_tests(),
            Arc::new(ScriptedNetwork(Arc::clone(&script))),
            (Arc::clone(&clock) as _, Arc::new(Counted(AtomicU64::new(seed)))),
            config,
        );
        Self { services, store, clock, script }
    }

    pub fn anonymous(&self) -> OpContext {
        self.services.anonymous(origin())
    }

    pub async fn set_up(&self) -> SignedIn {
        auth::setup(&self.anonymous(), &self.services, setup()).await.unwrap()
    }

    /// Sets up, and returns the administrator's context.
    pub async fn admin(&self) -> OpContext {
        let signed_in = self.set_up().await;
        self.context_of(&signed_in).await
    }

    pub async fn context_of(&self, signed_in: &SignedIn) -> OpContext {
        auth::authenticate(&self.services, origin(), &identity_of(signed_in)).await.unwrap().0
    }

    /// Runs a worker until dropped or stopped.
    pub fn work(&self, owner: &str) -> Worker {
        let stop = CancellationToken::new();
        let process = Process {
            name: owner.to_owned(),
            kind: ProcessKind::Worker,
            host: "test".to_owned(),
            id: std::process::id(),
            version: "0.0.0".to_owned(),
        };
        let runner = self.services.worker(process).unwrap();
        let task = tokio::spawn(runner.run(stop.clone()));
        Worker { stop, task: Some(task) }
    }

    pub async fn scan(&self, cx: &OpContext, targets: &[&str]) -> ScanId {
        scans::create(cx, &self.services, new_scan(targets)).await.unwrap().scan.id
    }

    /// Asks again and again until there is an answer.
    pub async fn until<T>(&self, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let asking = async {
            loop {
                if let Some(answer) = ask().await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap()
    }

    /// Waits for the end of a scan.
    pub async fn ended(&self, cx: &OpContext, id: ScanId) -> ScanProgress {
        let mut subscription = scans::subscribe(cx, &self.services, id).await.unwrap();
        let follow = async {
            let mut last = None;
            while let Some(progress) = subscription.next().await.unwrap() {
                last = Some(progress);
            }
            last.unwrap()
        };
        tokio::time::timeout(Duration::from_secs(60), follow).await.unwrap()
    }

    /// Scans to the end.
    pub async fn scanned(&self, cx: &OpContext, targets: &[&str]) -> ScanId {
        let id = self.scan(cx, targets).await;
        self.ended(cx, id).await;
        id
    }
}

pub struct Worker {
    pub stop: CancellationToken,
    task: Option<tokio::task::JoinHandle<Result<(), bartizan_storage::StorageError>>>,
}

impl Worker {
    pub async fn stopped(mut self) {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap().unwrap();
    }
}

pub fn identity_of(signed_in: &SignedIn) -> Identity {
    let profile = &signed_in.profile;
    Identity { user: profile.user_id, session: signed_in.session, organization: profile.organization_id }
}

pub fn origin() -> Origin {
    Origin { request_id: "r1".to_owned(), ip: Some("127.0.0.1".to_owned()), user_agent: Some("test".to_owned()) }
}

pub fn setup() -> Setup {
    Setup {
        token: None,
        username: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        password: "correct horse battery".into(),
        organization_name: None,
        scan: ScanPolicy { allow_private: true },
    }
}

pub fn new_scan(targets: &[&str]) -> NewScan {
    NewScan {
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        toggles: FeatureToggles::default(),
        ..NewScan::default()
    }
}

/// A host with one service on port 23 of an address.
pub fn host(asset: &str, address: &str, service: &str, version: &str) -> HostEvidence {
    let address: IpAddr = address.parse().unwrap();
    let mut evidence = closed(asset, &address.to_string());
    if let Observation::Observed(ports) = &mut evidence.ports {
        ports.listed = vec![PortObservation {
            unconfirmed: false,
            address,
            protocol: Transport::Tcp,
            port: 23,
            state: PortState::Open,
            reason: "syn-ack".to_owned(),
            rtt_us: None,
        }];
    }
    let speaks = ServiceEvidence {
        service: Some(service.to_owned()),
        version: Some(version.to_owned()),
        ..ServiceEvidence::default()
    };
    evidence.services = Section::complete(vec![AtEndpoint {
        endpoint: Endpoint::tcp(address, 23),
        observation: Observation::Observed(speaks),
    }]);
    evidence
}

/// The same with a service that does not answer in time.
pub fn silent(asset: &str, address: &str) -> HostEvidence {
    let mut evidence = host(asset, address, "telnet", "1.0");
    evidence.services.items[0].observation =
        Observation::Failed(ProbeFailure::new(FailureKind::Timeout, "no answer within 10 s"));
    evidence
}

/// The same with every port closed.
pub fn closed(asset: &str, address: &str) -> HostEvidence {
    let address: IpAddr = address.parse().unwrap();
    let mut evidence = HostEvidence::new(AssetRef::from_canonical(asset), start());
    evidence.addresses = Observation::Observed(vec![address]);
    evidence.ports = Observation::Observed(PortsEvidence {
        requested: "22,23".parse().unwrap(),
        summarised: vec![bartizan_domain::evidence::ports::PortSummary {
            address,
            protocol: Transport::Tcp,
            state: PortState::Closed,
            reason: "conn-refused".to_owned(),
            count: 1,
        }],
        ..PortsEvidence::default()
    });
    evidence
}

/// The same where nothing could be learnt about the ports.
pub fn unreachable(asset: &str) -> HostEvidence {
    let mut evidence = HostEvidence::new(AssetRef::from_canonical(asset), start());
    evidence.addresses = Observation::Observed(vec!["192.0.2.1".parse().unwrap()]);
    evidence.ports = Observation::Failed(ProbeFailure::new(FailureKind::Timeout, "no port answered"));
    evidence
}
