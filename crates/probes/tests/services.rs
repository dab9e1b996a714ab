//! Identification of real servers, on ports that say nothing about them, in plain and inside TLS.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::sync::Arc;

use bartizan_domain::evidence::service::{Access, ServiceDetails, Upgrade};
use bartizan_domain::evidence::{Endpoint, Observation, ServiceEvidence, StartTls};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{ProbeContext, services};
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::services::data::{self, Access as Let};
use bartizan_test_support::lab::services::mail::{self, Encryption};
use bartizan_test_support::lab::services::remote::{self, Ssh};
use bartizan_test_support::lab::services::web::{self, Site};
use bartizan_test_support::lab::services::{Server, in_tls, stub};

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
        _guards: vec![server],
    }
}

impl Known {
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
        Encryption::None => known.refuses_tls(),
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
        one(|| known("redis open", "redis", "Redis", "open", data::redis(Let::Open))),
        one(|| known("redis password", "redis", "", "auth", data::redis(Let::Password))),
        one(|| behind_tls("redis in tls", "redis", "Redis", "open", data::redis(Let::Open))),
        one(|| known("memcached", "memcached", "Memcached", "open", data::memcached())),
        one(|| known("postgres trust", "postgresql", "PostgreSQL", "open", data::postgres(Let::Open)).refuses_tls()),
        one(|| {
            known("postgres scram", "postgresql", "PostgreSQL", "auth", data::postgres(Let::Password)).refuses_tls()
        }),
        one(|| known("mariadb", "mysql", "MariaDB", "unknown", data::mariadb()).refuses_tls()),
        one(|| known("mosquitto open", "mqtt", "Eclipse Mosquitto", "open", data::mosquitto(Let::Open))),
        one(|| known("mosquitto password", "mqtt", "", "auth", data::mosquitto(Let::Password))),
        one(|| behind_tls("mosquitto in tls", "mqtt", "", "auth", data::mosquitto(Let::Password))),
        one(|| known("etcd", "etcd", "etcd", "open", data::etcd())),
        one(|| known("slapd plain", "ldap", "", "unknown", data::slapd(false)).refuses_tls()),
        one(|| known("slapd starttls", "ldap", "", "unknown", data::slapd(true)).offers(StartTls::Ldap)),
        one(|| known("smtp plain", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::None)).refuses_tls()),
        one(|| {
            known("smtp starttls", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::StartTls))
                .offers(StartTls::Smtp)
        }),
        one(|| known("smtps", "smtp", "aiosmtpd", "unknown", mail::smtp(Encryption::Tls)).in_tls()),
        Box::new(|| mailboxes(Encryption::None)),
        Box::new(|| mailboxes(Encryption::StartTls)),
        Box::new(|| mailboxes(Encryption::Tls)),
        one(|| known("sshd", "ssh", "OpenSSH", "unknown", remote::sshd(Ssh::Default))),
        one(|| known("ftp plain", "ftp", "vsftpd", "unknown", remote::ftp(false)).refuses_tls()),
        one(|| known("ftp auth tls", "ftp", "vsftpd", "unknown", remote::ftp(true)).offers(StartTls::Ftp)),
        one(|| known("samba", "smb", "", "unknown", remote::samba(false))),
        one(|| known("samba smb1", "smb", "", "unknown", remote::samba(true))),
        one(|| known("xrdp", "rdp", "", "unknown", remote::xrdp())),
        one(|| known("vnc none", "vnc", "", "open", remote::vnc(false))),
        one(|| known("vnc password", "vnc", "", "auth", remote::vnc(true))),
        one(|| known("rsync", "rsync", "rsync", "unknown", remote::rsync())),
        one(|| known("unbound", "dns", "Unbound", "unknown", remote::unbound())),
        one(|| known("telnetd", "telnet", "", "unknown", remote::telnetd())),
        one(|| known("nginx", "http", "nginx", "unknown", web::nginx(Site::Plain))),
        one(|| known("nginx tls", "http", "nginx", "unknown", web::nginx(Site::Tls)).in_tls()),
        one(|| known("nginx basic auth", "http", "nginx", "auth", web::nginx(Site::BasicAuth))),
        one(|| known("podman", "docker", "Podman", "open", web::podman())),
        one(|| {
            known("elasticsearch stub open", "elasticsearch", "Elasticsearch", "open", stub::elasticsearch(Let::Open))
        }),
        one(|| {
            known(
                "elasticsearch stub password",
                "elasticsearch",
                "Elasticsearch",
                "auth",
                stub::elasticsearch(Let::Password),
            )
        }),
        one(|| known("mongodb stub open", "mongodb", "MongoDB", "open", stub::mongodb(Let::Open))),
        one(|| known("mongodb stub password", "mongodb", "MongoDB", "auth", stub::mongodb(Let::Password))),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_servers_on_unrelated_ports_are_what_they_are() {
    let servers = tokio::task::spawn_blocking(lab).await.unwrap();
    let cx = context();
    let mut wrong = Vec::new();
    let mut running = Vec::new();
    for server in &servers {
        let (cx, endpoint) = (cx.clone(), Endpoint::tcp(server.address.ip(), server.address.port()));
        running.push(tokio::spawn(async move { services::identify(&cx, &endpoint, None).await }));
    }
    let mut by_name: Vec<(&'static str, ServiceEvidence)> = Vec::new();
    for (server, identified) in servers.iter().zip(running) {
        let found = match identified.await.unwrap() {
            Observation::Observed(found) => found,
            other => {
                wrong.push(format!("{}: {other:?}", server.what));
                continue;
            }
        };
        let is = (
            found.service.as_deref(),
            found.tls,
            found.product.as_deref(),
            access_kind(&found.access),
            &found.upgrade,
            found.starttls,
        );
        let expected = (server.service, server.tls, server.product, server.access, &server.upgrade, server.starttls);
        if is != expected {
            wrong.push(format!("{}: expected {expected:?}, found {is:?}\n    {found:?}", server.what));
        }
        assert!(found.banner.iter().all(|banner| banner.chars().count() <= 256));
        by_name.push((server.what, found));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));

    let details = |name: &str| by_name.iter().find(|(what, _)| *what == name).unwrap().1.details.clone();
    assert!(
        matches!(details("samba"), ServiceDetails::Smb { smb1: Some(false), dialect: Some(dialect), .. } if dialect == "3.1.1")
    );
    assert!(matches!(details("samba smb1"), ServiceDetails::Smb { smb1: Some(true), .. }));
    assert!(
        matches!(details("xrdp"), ServiceDetails::Rdp { nla: Some(false), tls: Some(true), .. }),
        "{:?}",
        details("xrdp")
    );
    assert_eq!(details("vnc password"), ServiceDetails::Vnc { security_types: vec![2] });
    assert_eq!(details("rsync"), ServiceDetails::Rsync { modules: vec!["backup".to_owned()] });
    assert!(
        matches!(details("nginx basic auth"), ServiceDetails::Http { status: 401, auth_schemes } if auth_schemes == ["basic"])
    );
    for (name, evidence) in &by_name {
        let text = serde_json::to_string(evidence).unwrap();
        assert!(!text.contains("lab-password"), "{name} leaks: {text}");
    }
}
