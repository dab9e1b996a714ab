//! Web sites behind TLS that no current client speaks: they are read all the same, and the checks find on them exactly
//! what they find on a current server with the same site.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bartizan_catalog::{Catalog, Category};
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::tls::TlsVersion;
use bartizan_domain::evidence::{AtEndpoint, Endpoint, HostEvidence, Observation, Scheme, Section, WebEvidence};
use bartizan_domain::{AssetRef, Outcome};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::web::WebOptions;
use bartizan_probes::{ProbeContext, services};
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::certificates::{Authority, Identity, Key, Leaf};
use bartizan_test_support::lab::tls::{Plan, Server, Stack, Version};
use bartizan_test_support::lab::web::sites::{self, HOST};
use bartizan_test_support::lab::web::{Over, serve};
use chrono::{DateTime, Utc};
use serde_json::json;

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-22T03:00:00Z").unwrap().to_utc()
}

fn context() -> ProbeContext {
    let settings = Settings { policy: Policy { allow_private: true }, ..Settings::default() };
    ProbeContext::new(Outbound::new(settings), Arc::new(FixedClock::at(now())))
}

async fn gather(address: SocketAddr) -> Observation<WebEvidence> {
    gather_with(address, &WebOptions::default()).await
}

async fn gather_with(address: SocketAddr, options: &WebOptions) -> Observation<WebEvidence> {
    let endpoint = Endpoint::tcp(address.ip(), address.port());
    bartizan_probes::web::gather(&context(), &endpoint, Scheme::Https, HOST, options).await
}

/// Every web check with its outcome where it looked.
fn judged(observation: Observation<WebEvidence>) -> BTreeSet<(String, Outcome)> {
    let mut host = HostEvidence::new(AssetRef::Domain(HOST.to_owned()), now());
    let endpoint = Endpoint::tcp([127, 0, 0, 1].into(), 443);
    host.web = Section::complete(vec![AtEndpoint { endpoint, observation }]);
    let catalog = Catalog::builtin();
    let selection = Selection::filter(catalog, |meta| meta.category == Category::Web);
    judge(catalog, &selection, &host, &JudgeSettings::default())
        .into_iter()
        .map(|verdict| (verdict.check_id.to_string(), verdict.outcome))
        .collect()
}

fn failed(verdicts: &BTreeSet<(String, Outcome)>) -> Vec<&str> {
    verdicts.iter().filter(|(_, outcome)| *outcome == Outcome::Fail).map(|(id, _)| id.as_str()).collect()
}

fn rsa(bits: u32) -> (Authority, Identity) {
    let authority = Authority::new();
    let identity = authority.leaf(&Leaf { key: Key::Rsa(bits), ..Leaf::good(HOST) });
    (authority, identity)
}

fn tlslite(identity: &Identity, version: Version, cipher: &str, exchange: &str, backend: SocketAddr) -> Plan {
    Plan {
        stack: Stack::Tlslite,
        settings: json!({"minKeySize": 512, "cipherNames": [cipher], "keyExchangeNames": [exchange], "macNames": ["sha"]}),
        minimum: version,
        maximum: version,
        backend: Some(backend),
        ..Plan::good(identity.clone())
    }
}

fn openssl(identity: &Identity, version: Version, ciphers: &str, backend: SocketAddr) -> Plan {
    let ciphers = Some(format!("{ciphers}:@SECLEVEL=0"));
    Plan { ciphers, minimum: version, maximum: version, backend: Some(backend), ..Plan::good(identity.clone()) }
}

#[tokio::test]
async fn every_site_is_judged_on_an_old_server_as_on_a_current_one() {
    let (_authority, identity) = rsa(2048);
    for case in sites::cases() {
        if case.over != Over::Tls {
            continue;
        }
        let site = serve(Over::Plain, case.handler).await;
        let server = Server::start(&openssl(&identity, Version::Tls10, "AES128-SHA", site.address));
        let old = gather(server.address).await;
        assert!(old.observed().is_some(), "{}: {old:?}: {}", case.name, server.output());
        assert_eq!(old.observed().unwrap().legacy_tls.as_ref().unwrap().version, TlsVersion::Tls10);
        let old = judged(old);
        assert_eq!(failed(&old), case.expected, "{}", case.name);
        let current = Server::start(&Plan { backend: Some(site.address), ..Plan::good(identity.clone()) });
        let current = gather(current.address).await;
        assert_eq!(current.observed().unwrap().legacy_tls, None);
        assert_eq!(old, judged(current), "{}", case.name);
    }
}

#[tokio::test]
async fn a_bad_site_gives_the_same_ids_on_every_stack_version_and_suite() {
    let (_authority, identity) = rsa(2048);
    let (_other, short) = rsa(1024);
    let (_tiny_authority, tiny) = rsa(512);
    let site = serve(Over::Plain, |request| {
        let mut answer = sites::good(request);
        answer.headers.retain(|(name, _)| name != "Strict-Transport-Security" && name != "Content-Security-Policy");
        answer
    })
    .await;
    let at = site.address;
    let current = Server::start(&Plan { backend: Some(at), ..Plan::good(identity.clone()) });
    let expected = judged(gather(current.address).await);
    assert_eq!(failed(&expected), ["csp.missing", "frame.unprotected", "hsts.missing"]);
    let versions =
        [(Version::Tls10, TlsVersion::Tls10), (Version::Tls11, TlsVersion::Tls11), (Version::Tls12, TlsVersion::Tls12)];
    for (version, spoken) in versions {
        for plan in [
            tlslite(&identity, version, "3des", "rsa", at),
            tlslite(&identity, version, "aes256", "rsa", at),
            tlslite(&identity, version, "aes128", "dhe_rsa", at),
            tlslite(&short, version, "aes128", "rsa", at),
            tlslite(&tiny, version, "aes128", "rsa", at),
            openssl(&identity, version, "AES256-SHA", at),
            openssl(&identity, version, "ECDHE-RSA-AES128-SHA", at),
        ] {
            let server = Server::start(&plan);
            let observation = gather(server.address).await;
            let Some(web) = observation.observed() else {
                panic!("{version:?} {plan:?}: {observation:?}: {}", server.output());
            };
            let legacy = web.legacy_tls.as_ref().unwrap();
            assert_eq!(legacy.version, spoken);
            assert!(legacy.refused.contains("TLS handshake"), "{legacy:?}");
            assert_eq!(judged(observation), expected, "{version:?} {plan:?}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_stacks_are_judged_alike_in_every_version() {
    let (_authority, identity) = rsa(2048);
    // These servers let methods that they do not know wait for ever.
    let options = WebOptions { path_probes: false, ..WebOptions::default() };
    let gnutls = |priority: &str| Server::start_gnutls(&identity, priority);
    let s_server = |arguments: &[&str]| Server::start_s_server(&identity, arguments);
    for (what, current, old) in [
        (
            "gnutls-serv",
            gnutls("NORMAL"),
            [
                gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+RSA:-CIPHER-ALL:+3DES-CBC"),
                gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.1:-KX-ALL:+DHE-RSA"),
                gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC"),
            ],
        ),
        (
            "openssl s_server",
            s_server(&["-tls1_2"]),
            [
                s_server(&["-tls1", "-cipher", "ALL:@SECLEVEL=0"]),
                s_server(&["-tls1_1", "-cipher", "AES256-SHA:@SECLEVEL=0"]),
                s_server(&["-tls1_2", "-cipher", "DHE-RSA-AES256-SHA256:AES128-SHA256:@SECLEVEL=0"]),
            ],
        ),
    ] {
        let expected = judged(gather_with(current.address, &options).await);
        assert!(failed(&expected).contains(&"hsts.missing"), "{what}: {expected:?}");
        for server in old {
            let observation = gather_with(server.address, &options).await;
            assert!(observation.observed().unwrap().legacy_tls.is_some(), "{what}");
            assert_eq!(judged(observation), expected, "{what}");
        }
    }
}

#[tokio::test]
async fn what_speaks_inside_old_tls_is_identified() {
    let (_authority, identity) = rsa(2048);
    let site = serve(Over::Plain, sites::good).await;
    let server = Server::start(&tlslite(&identity, Version::Tls10, "3des", "rsa", site.address));
    let endpoint = Endpoint::tcp(server.address.ip(), server.address.port());
    let found = services::identify(&context(), &endpoint, Some(HOST)).await;
    let found = found.observed().unwrap();
    assert_eq!((found.service.as_deref(), found.tls), (Some("http"), true));
}

#[tokio::test]
async fn ssl3_is_not_read_and_says_so() {
    let (_authority, identity) = rsa(2048);
    let server = Server::start(&Plan::only(identity, Version::Ssl3));
    match gather(server.address).await {
        Observation::Failed(failure) => assert!(failure.detail.contains("SSLv3"), "{failure}"),
        other => panic!("{other:?}"),
    }
    let endpoint = Endpoint::tcp(server.address.ip(), server.address.port());
    let found = services::identify(&context(), &endpoint, Some(HOST)).await;
    let found = found.observed().unwrap();
    assert_eq!((found.service.as_deref(), found.tls), (None, true));
    assert!(matches!(&found.access, Access::Unknown { reason } if reason.contains("SSLv3")), "{found:?}");
}
