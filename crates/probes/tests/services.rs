//! Identification of real servers, on ports that say nothing about them, in plain and inside TLS, and what the checks
//! make of each: exactly the expected findings and no other.
//!
//! With `BARTIZAN_RECORD=<folder of the fixtures>` the evidence of chosen servers is written there as well.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::service::{Access, ServiceDetails, Upgrade};
use bartizan_domain::evidence::{AtEndpoint, Endpoint, HostEvidence, Observation, Section, StartTls};
use bartizan_domain::{AssetRef, Outcome, PortSet, Severity};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ports::{self, PortPlan};
use bartizan_probes::{ProbeContext, services, ssh};
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::services::data::{self, Access as Let};
use bartizan_test_support::lab::services::mail::{self, Encryption};
use bartizan_test_support::lab::services::remote::{self, Ssh};
use bartizan_test_support::lab::services::web::{self, Site};
use bartizan_test_support::lab::services::{Server, forward, in_tls, stub};

fn context() -> ProbeContext {
    let policy = Policy { allow_private: true };
    let outbound = Outbound::new(Settings { policy, max_sockets: 400, ..Settings::default() });
    ProbeContext::new(outbound, Arc::new(FixedClock::at("2026-11-22T00:00:00Z".parse().unwrap())))
}

/// What a server is known to be.
struct Known {
    address: SocketAddr,
    what: &'static str,
    service: Option<&'static str>,
    tls: bool,
    product: Option<&'static str>,
    /// `open`, `auth` or `unknown`.
    access: &'static str,
    upgrade: Upgrade,
    starttls: Option<StartTls>,
    /// Findings of the `svc` and `ssh` groups: id and severity.
    findings: &'static [(&'static str, Severity)],
    _guards: Vec<Server>,
}

fn known(
    what: &'static str,
    service: &'static str,
    product: &'static str,
    access: &'static str,
    server: Server,
) -> Known {
    Known {
        address: server.address,
        what,
        service: Some(service),
        tls: false,
        product: (!product.is_empty()).then_some(product),
        access,
        upgrade: Upgrade::None,
        starttls: None,
        findings: &[],
        _guards: vec![server],
    }
}

const UNAUTHENTICATED: &[(&str, Severity)] = &[("svc.unauthenticated", Severity::Critical)];
const DATASTORE: &[(&str, Severity)] = &[("svc.datastore_exposed", Severity::High)];
const PLAINTEXT: &[(&str, Severity)] = &[("svc.plaintext", Severity::Medium)];

impl Known {
    fn yields(mut self, findings: &'static [(&'static str, Severity)]) -> Self {
        self.findings = findings;
        self
    }

    fn refuses_tls(mut self) -> Self {
        self.upgrade = Upgrade::NotOffered;
        self
    }

    fn offers(mut self, protocol: StartTls) -> Self {
        self.upgrade = Upgrade::Offered;
        self.starttls = Some(protocol);
        self
    }

    fn in_tls(mut self) -> Self {
        self.tls = true;
        self
    }
}

fn behind_tls(
    what: &'static str,
    service: &'static str,
    product: &'static str,
    access: &'static str,
    server: Server,
) -> Known {
    let (outer, inner) = in_tls(server);
    let mut known = known(what, service, product, access, outer).in_tls();
    known._guards.push(inner);
    known
}

fn mailboxes(encryption: Encryption) -> Vec<Known> {
    let mailbox = mail::dovecot(encryption);
    let (imap, pop3) = (mailbox.imap.address, mailbox.pop3);
    let mut found = known("dovecot imap", "imap", "Dovecot", "unknown", mailbox.imap);
    found.address = imap;
    let pop =
        Known { address: pop3, what: "dovecot pop3", service: Some("pop3"), _guards: Vec::new(), ..known_copy(&found) };
    let set = |known: Known, protocol| match encryption {
        Encryption::None => known.refuses_tls().yields(PLAINTEXT),
        Encryption::StartTls => known.offers(protocol),
        Encryption::Tls => known.in_tls(),
    };
    vec![set(found, StartTls::Imap), set(pop, StartTls::Pop3)]
}

fn known_copy(known: &Known) -> Known {
    Known { upgrade: known.upgrade.clone(), _guards: Vec::new(), ..*known }
}

fn lab() -> Vec<Known> {
    type Start = Box<dyn FnOnce() -> Vec<Known> + Send>;
    fn one(start: impl FnOnce() -> Known + Send + 'static) -> Start {
        Box::new(|| vec![start()])
    }
    let starts: Vec<Start> = vec![
        one(|| known("redis open", "redis", "Redis", "open", data::redis(Let::Open)).yields(UNAUTHENTICATED)),
        one(|| known("redis password", "redis", "", "auth", data::redis(Let::Password)).yields(DATASTORE)),
        one(|| behind_tls("redis in tls", "redis", "Redis", "open", data::redis(Let::Open)).yields(UNAUTHENTICATED)),
        one(|| known("memcached", "memcached", "Memcached", "open", data::memcached()).yields(UNAUTHENTICATED)),
        one(|| {
            known("postgres trust", "postgresql", "PostgreSQL", "open", data::postgres(Let::Open))
                .refuses_tls()
                .yields(UNAUTHENTICATED)
        }),
        one(|| {
            known("postgres scram", "postgresql", "PostgreSQL", "auth", data::postgres(Let::Password))
                .refuses_tls()
                .yields(DATASTORE)
        }),
        one(|| known("mariadb", "mysql", "MariaDB", "unknown", data::mariadb()).refuses_tls().yields(DATASTORE)),
        one(|| {
            known("mosquitto open", "mqtt", "Eclipse Mosquitto", "open", data::mosquitto(Let::Open))
                .yields(UNAUTHENTICATED)
        }),
        one(|| known("mosquitto password", "mqtt", "", "auth", data::mosquitto(Let::Password)).yields(DATASTORE)),
        one(|| {
            behind_tls("mosquitto in tls", "mqtt", "", "auth", data::mosquitto(Let::Password))
                .yields(&[("svc.datastore_exposed", Severity::Low)])
        }),
        one(|| known("rabbitmq", "amqp", "RabbitMQ", "unknown", data::rabbitmq()).yields(DATASTORE)),
        one(|| known("etcd", "etcd", "etcd", "open", data::etcd()).yields(UNAUTHENTICATED)),
        one(|| known("slapd plain", "ldap", "OpenLDAP", "unknown", data::slapd(false)).refuses_tls().yields(PLAINTEXT)),
        one(|| known("slapd starttls", "ldap", "OpenLDAP", "unknown", data::slapd(true)).offers(StartTls::Ldap)),
        one(|| known("smtp plain", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::None)).refuses_tls()),
        one(|| {
            known("smtp starttls", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::StartTls))
                .offers(StartTls::Smtp)
        }),
        one(|| known("smtps", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::Tls)).in_tls()),
        Box::new(|| mailboxes(Encryption::None)),
        Box::new(|| mailboxes(Encryption::StartTls)),
        Box::new(|| mailboxes(Encryption::Tls)),
        one(|| {
            // Dropbear offers SHA-1 in key exchange and host key signatures to this day.
            known("dropbear", "ssh", "Dropbear", "unknown", remote::dropbear()).yields(&[
                ("ssh.password_login", Severity::Info),
                ("ssh.weak_hostkey", Severity::Low),
                ("ssh.weak_kex", Severity::Medium),
            ])
        }),
        one(|| known("influxdb", "influxdb", "InfluxDB", "open", data::influxdb()).yields(UNAUTHENTICATED)),
        one(|| {
            known("registry", "docker-registry", "Container registry", "open", web::registry()).yields(UNAUTHENTICATED)
        }),
        one(|| known("sshd keys only", "ssh", "OpenSSH", "unknown", remote::sshd(Ssh::KeysOnly))),
        one(|| {
            known("sshd weak", "ssh", "OpenSSH", "unknown", remote::sshd(Ssh::Weak)).yields(&[
                ("ssh.weak_cipher", Severity::Medium),
                ("ssh.weak_hostkey", Severity::High),
                ("ssh.weak_kex", Severity::High),
                ("ssh.weak_mac", Severity::Medium),
            ])
        }),
        one(|| {
            known("sshd", "ssh", "OpenSSH", "unknown", remote::sshd(Ssh::Default))
                .yields(&[("ssh.password_login", Severity::Info)])
        }),
        one(|| known("ftp plain", "ftp", "vsftpd", "unknown", remote::ftp(false)).refuses_tls().yields(PLAINTEXT)),
        one(|| known("ftp auth tls", "ftp", "vsftpd", "unknown", remote::ftp(true)).offers(StartTls::Ftp)),
        one(|| {
            known("samba", "smb", "Samba", "unknown", remote::samba(false))
                .yields(&[("svc.file_sharing_exposed", Severity::High)])
        }),
        one(|| {
            known("samba smb1", "smb", "Samba", "unknown", remote::samba(true))
                .yields(&[("svc.file_sharing_exposed", Severity::Critical)])
        }),
        one(|| {
            known("xrdp", "rdp", "xrdp", "unknown", remote::xrdp())
                .yields(&[("svc.management_exposed", Severity::High)])
        }),
        one(|| known("vnc none", "vnc", "", "open", remote::vnc(false)).yields(UNAUTHENTICATED)),
        one(|| {
            known("vnc password", "vnc", "", "auth", remote::vnc(true))
                .yields(&[("svc.management_exposed", Severity::High)])
        }),
        one(|| {
            known("rsync", "rsync", "rsync", "unknown", remote::rsync())
                .yields(&[("svc.file_sharing_exposed", Severity::High)])
        }),
        one(|| known("unbound", "dns", "Unbound", "unknown", remote::unbound())),
        one(|| {
            known("telnetd", "telnet", "", "unknown", remote::telnetd()).yields(&[("svc.plaintext", Severity::High)])
        }),
        one(|| known("nginx", "http", "nginx", "unknown", web::nginx(Site::Plain))),
        one(|| known("nginx tls", "http", "nginx", "unknown", web::nginx(Site::Tls)).in_tls()),
        one(|| known("nginx basic auth", "http", "nginx", "auth", web::nginx(Site::BasicAuth)).yields(PLAINTEXT)),
        one(|| known("podman", "docker", "Podman", "open", web::podman()).yields(UNAUTHENTICATED)),
        one(|| {
            known("elasticsearch stub open", "elasticsearch", "Elasticsearch", "open", stub::elasticsearch(Let::Open))
                .yields(UNAUTHENTICATED)
        }),
        one(|| {
            known(
                "elasticsearch stub password",
                "elasticsearch",
                "Elasticsearch",
                "auth",
                stub::elasticsearch(Let::Password),
            )
            .yields(DATASTORE)
        }),
        one(|| {
            known("mongodb stub open", "mongodb", "MongoDB", "open", stub::mongodb(Let::Open)).yields(UNAUTHENTICATED)
        }),
        one(|| {
            known("mongodb stub password", "mongodb", "MongoDB", "auth", stub::mongodb(Let::Password)).yields(DATASTORE)
        }),
        one(|| Known { service: None, ..known("silent", "", "", "unknown", stub::silent()) }),
        one(|| Known { service: None, ..known("echo", "", "", "unknown", stub::echo()) }),
    ];
    let threads: Vec<_> = starts.into_iter().map(std::thread::spawn).collect();
    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

fn access_kind(access: &Access) -> &'static str {
    match access {
        Access::Open { .. } => "open",
        Access::AuthRequired { .. } => "auth",
        Access::Unknown { .. } => "unknown",
    }
}

/// All evidence of the service and SSH probes about one port, as a scan would gather it.
async fn gather(cx: &ProbeContext, address: SocketAddr) -> HostEvidence {
    let asset = AssetRef::Ip(address.ip());
    let mut evidence = HostEvidence::new(asset, cx.clock.now());
    let plan = PortPlan { tcp: [address.port()].into_iter().collect(), udp: PortSet::new() };
    evidence.ports = ports::gather(cx, &[address.ip()], &plan, &|_| {}).await;
    let endpoint = Endpoint::tcp(address.ip(), address.port());
    let observation = services::identify(cx, &endpoint, None).await;
    let is_ssh = observation.observed().is_some_and(|found| found.service.as_deref() == Some("ssh"));
    evidence.services = Section::complete(vec![AtEndpoint { endpoint: endpoint.clone(), observation }]);
    let ssh = if is_ssh {
        let observation = ssh::gather(cx, &endpoint).await;
        vec![AtEndpoint { endpoint, observation }]
    } else {
        Vec::new()
    };
    evidence.ssh = Section::complete(ssh);
    evidence
}

fn findings(evidence: &HostEvidence) -> Vec<(String, Severity)> {
    let catalog = Catalog::builtin();
    let selection = Selection::resolve(catalog, &["svc.*".to_owned(), "ssh.*".to_owned()]).unwrap();
    judge(catalog, &selection, evidence, &JudgeSettings::default())
        .into_iter()
        .filter(|verdict| verdict.outcome == Outcome::Fail)
        .map(|verdict| (verdict.check_id.to_string(), verdict.severity.unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_servers_on_unrelated_ports_are_what_they_are() {
    let servers = tokio::task::spawn_blocking(lab).await.unwrap();
    let cx = context();
    let mut wrong = Vec::new();
    let mut running = Vec::new();
    for server in &servers {
        let (cx, address) = (cx.clone(), server.address);
        running.push(tokio::spawn(async move { gather(&cx, address).await }));
    }
    let mut by_name: Vec<(&'static str, HostEvidence)> = Vec::new();
    for (server, gathered) in servers.iter().zip(running) {
        let evidence = gathered.await.unwrap();
        let found = match &evidence.services.items[0].observation {
            Observation::Observed(found) => found,
            other => {
                wrong.push(format!("{}: {other:?}", server.what));
                continue;
            }
        };
        let access = access_kind(&found.access);
        let is =
            (found.service.as_deref(), found.tls, found.product.as_deref(), access, &found.upgrade, found.starttls);
        let expected = (server.service, server.tls, server.product, server.access, &server.upgrade, server.starttls);
        if is != expected {
            wrong.push(format!("{}: expected {expected:?}, found {is:?}\n    {found:?}", server.what));
        }
        let (judged, known): (Vec<_>, Vec<_>) =
            (findings(&evidence), server.findings.iter().map(|(id, severity)| ((*id).to_owned(), *severity)).collect());
        if judged != known {
            wrong.push(format!("{}: expected findings {known:?}, got {judged:?}\n    {evidence:?}", server.what));
        }
        assert!(found.banner.iter().all(|banner| banner.chars().count() <= 256));
        by_name.push((server.what, evidence));
    }
    wrong.extend(on_their_own_ports(&cx, &servers).await);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    record(&by_name);

    let of = |name: &str| &by_name.iter().find(|(what, _)| *what == name).unwrap().1;
    let details = |name: &str| of(name).services.items[0].observation.observed().unwrap().details.clone();
    let smb1 = |name: &str| match details(name) {
        ServiceDetails::Smb { smb1, dialect, .. } => (smb1, dialect),
        other => panic!("{other:?}"),
    };
    assert_eq!(smb1("samba"), (Some(false), Some("3.1.1".to_owned())));
    assert_eq!(smb1("samba smb1").0, Some(true));
    let rdp = details("xrdp");
    assert!(matches!(rdp, ServiceDetails::Rdp { nla: Some(false), tls: Some(true), .. }), "{rdp:?}");
    assert_eq!(details("vnc password"), ServiceDetails::Vnc { security_types: vec![2] });
    assert_eq!(details("rsync"), ServiceDetails::Rsync { modules: vec!["backup".to_owned()] });
    assert_eq!(
        details("nginx basic auth"),
        ServiceDetails::Http { status: 401, auth_schemes: vec!["basic".to_owned()] }
    );
    let ssh = |name: &str| of(name).ssh.items[0].observation.observed().unwrap().clone();
    let default = ssh("sshd");
    let methods = default.auth_methods.observed().unwrap();
    assert!(methods.contains(&"password".to_owned()), "{methods:?}");
    assert_eq!(*ssh("sshd keys only").auth_methods.observed().unwrap(), ["publickey"]);
    let keys = |name: &str| -> Vec<(String, Option<u32>)> {
        let found = ssh(name);
        found.host_keys.observed().unwrap().iter().map(|key| (key.algorithm.clone(), key.bits)).collect()
    };
    let key = |name: &str, bits| (name.to_owned(), Some(bits));
    assert_eq!(keys("sshd"), [key("ecdsa-sha2-nistp256", 256), key("ssh-ed25519", 256), key("ssh-rsa", 3072)]);
    assert_eq!(keys("sshd weak"), [key("ssh-dss", 1024), key("ssh-rsa", 1024)]);
    for (name, evidence) in &by_name {
        let text = serde_json::to_string(evidence).unwrap();
        assert!(!text.contains("lab-password"), "{name} leaks: {text}");
    }
}

/// The same servers where they are expected, and where something else is: on each of these ports the answer decides.
async fn on_their_own_ports(cx: &ProbeContext, servers: &[Known]) -> Vec<String> {
    let places = [
        ("redis open", 6379),
        ("memcached", 11_211),
        ("postgres scram", 5432),
        ("mariadb", 3306),
        ("mongodb stub open", 27_017),
        ("elasticsearch stub open", 9200),
        ("mosquitto open", 1883),
        ("podman", 2375),
        ("etcd", 2379),
        ("vnc password", 5900),
        ("xrdp", 3389),
        ("sshd", 2222),
        ("nginx", 8080),
        ("nginx tls", 8443),
        ("smtp starttls", 2525),
        ("mosquitto in tls", 8883),
        // Not what the port promises.
        ("nginx tls", 8000),
        ("nginx", 6380),
        ("redis open", 8888),
        ("sshd", 5433),
        ("redis in tls", 9443),
        ("smtp plain", 27_018),
    ];
    // An address of its own, on which no other test and no service of the machine listens.
    let own = Ipv4Addr::new(127, 86, 19, 1);
    let mut running = Vec::new();
    for (what, port) in places {
        let server = servers.iter().find(|server| server.what == what).unwrap();
        let at = SocketAddr::from((own, port));
        let (cx, guard) = (cx.clone(), forward(at, server.address));
        let identified = tokio::spawn(async move {
            let found = services::identify(&cx, &Endpoint::tcp(at.ip(), port), None).await;
            (found, guard)
        });
        running.push((server, port, identified));
    }
    let mut wrong = Vec::new();
    for (server, port, identified) in running {
        let (found, _guard) = identified.await.unwrap();
        let is = found.observed().map(|found| (found.service.as_deref(), found.tls, found.product.as_deref()));
        if is != Some((server.service, server.tls, server.product)) {
            wrong.push(format!("{} on port {port}: {found:?}", server.what));
        }
    }
    wrong
}

/// Writes evidence as fixtures of the checks, if asked to.
fn record(by_name: &[(&'static str, HostEvidence)]) {
    let Some(folder) = std::env::var_os("BARTIZAN_RECORD").map(std::path::PathBuf::from) else { return };
    for (check, kind, server) in [
        ("svc.unauthenticated", "fail", "redis open"),
        ("svc.unauthenticated", "fail", "memcached"),
        ("svc.unauthenticated", "fail", "podman"),
        ("svc.unauthenticated", "fail", "vnc none"),
        ("svc.unauthenticated", "pass", "redis password"),
        ("svc.unauthenticated", "pass", "postgres scram"),
        ("svc.unauthenticated", "inconclusive", "mariadb"),
        ("svc.unauthenticated", "inconclusive", "silent"),
        ("svc.datastore_exposed", "fail", "redis password"),
        ("svc.datastore_exposed", "fail", "mariadb"),
        ("svc.datastore_exposed", "pass", "nginx"),
        ("svc.datastore_exposed", "inconclusive", "silent"),
        ("svc.orchestration_exposed", "fail", "podman"),
        ("svc.orchestration_exposed", "pass", "nginx"),
        ("svc.orchestration_exposed", "inconclusive", "silent"),
        ("svc.management_exposed", "fail", "xrdp"),
        ("svc.management_exposed", "fail", "vnc password"),
        ("svc.management_exposed", "pass", "sshd"),
        ("svc.management_exposed", "inconclusive", "silent"),
        ("svc.file_sharing_exposed", "fail", "samba"),
        ("svc.file_sharing_exposed", "fail", "samba smb1"),
        ("svc.file_sharing_exposed", "fail", "rsync"),
        ("svc.file_sharing_exposed", "pass", "nginx"),
        ("svc.file_sharing_exposed", "inconclusive", "silent"),
        ("svc.plaintext", "fail", "telnetd"),
        ("svc.plaintext", "fail", "ftp plain"),
        ("svc.plaintext", "fail", "nginx basic auth"),
        ("svc.plaintext", "pass", "ftp auth tls"),
        ("svc.plaintext", "pass", "smtps"),
        ("svc.plaintext", "inconclusive", "silent"),
        ("svc.everything_open", "pass", "nginx"),
        ("ssh.weak_kex", "fail", "sshd weak"),
        ("ssh.weak_kex", "pass", "sshd"),
        ("ssh.weak_cipher", "fail", "sshd weak"),
        ("ssh.weak_cipher", "pass", "sshd"),
        ("ssh.weak_mac", "fail", "sshd weak"),
        ("ssh.weak_mac", "pass", "sshd"),
        ("ssh.weak_hostkey", "fail", "sshd weak"),
        ("ssh.weak_hostkey", "pass", "sshd"),
        ("ssh.terrapin", "pass", "sshd"),
        ("ssh.v1", "pass", "sshd"),
        ("ssh.password_login", "fail", "sshd"),
        ("ssh.password_login", "pass", "sshd keys only"),
        ("ssh.password_login", "inconclusive", "sshd weak"),
    ] {
        let evidence = &by_name.iter().find(|(name, _)| *name == server).unwrap().1;
        let file = folder.join(check).join(format!("{kind}-{}.json", server.replace(' ', "-")));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = serde_json::to_string_pretty(evidence).unwrap() + "\n";
        std::fs::write(file, text).unwrap();
    }
}
