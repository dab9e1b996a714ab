//! The TLS probe on real servers of the lab (OpenSSL, tlslite-ng, GnuTLS), and what the checks make of its evidence.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::time::Duration;

use bartizan_domain::evidence::tls::{Fallback, Refusal, Support, TlsVersion};
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure};
use bartizan_domain::{AssetRef, Severity};
use bartizan_test_support::lab::certificates::{Authority, Issuer, Key, Leaf, Sends};
use bartizan_test_support::lab::tls::{Authentication, Plan, Server, Stack, Version, WeakDh, handshake};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

mod tls_support;

use tls_support::{HOST, Lab, accepted, endpoint, gather, probe};

fn rsa(authority: &Authority) -> bartizan_test_support::lab::certificates::Identity {
    authority.leaf(&Leaf { key: Key::Rsa(2048), ..Leaf::good(HOST) })
}

#[tokio::test]
async fn each_version_is_found_exactly() {
    let lab = Lab::new();
    let identity = rsa(&lab.authority);
    for (version, expected, findings) in [
        (Version::Ssl3, TlsVersion::Ssl3, &["tls.sslv3"][..]),
        (Version::Tls10, TlsVersion::Tls10, &["tls.v10"]),
        (Version::Tls11, TlsVersion::Tls11, &["tls.v11"]),
        (Version::Tls12, TlsVersion::Tls12, &["tls.no13"]),
        (Version::Tls13, TlsVersion::Tls13, &[]),
    ] {
        let server = Server::start(&Plan::only(identity.clone(), version));
        handshake(server.address, version).unwrap();
        let evidence = gather(&server, Some(HOST)).await;
        assert_eq!(accepted(&evidence), [expected], "{evidence:?}");
        assert_eq!(lab.findings(HOST, evidence), findings, "{version:?}");
    }
}

#[tokio::test]
async fn one_address_with_many_certificates_told_apart_by_name() {
    let lab = Lab::new();
    let good = Leaf::good(HOST);
    let days = chrono::Duration::days;
    let cases: Vec<(&str, Leaf, &[&str])> = vec![
        (HOST, good.clone(), &[]),
        ("rsa.lab.example", Leaf { key: Key::Rsa(2048), ..Leaf::good("rsa.lab.example") }, &[]),
        ("wild.cards.lab.example", Leaf::good("*.cards.lab.example"), &[]),
        ("wrong.lab.example", Leaf::good("other.lab.example"), &["cert.name_mismatch"]),
        (
            "expired.lab.example",
            Leaf { begins: days(-90), ends: days(-1), ..Leaf::good("expired.lab.example") },
            &["cert.expired"],
        ),
        ("early.lab.example", Leaf { begins: days(2), ..Leaf::good("early.lab.example") }, &["cert.not_yet"]),
        (
            "soon.lab.example",
            Leaf { begins: days(-85), ends: days(5), ..Leaf::good("soon.lab.example") },
            &["cert.expiring"],
        ),
        ("self.lab.example", Leaf { issuer: Issuer::Itself, ..Leaf::good("self.lab.example") }, &["cert.self_signed"]),
        (
            "incomplete.lab.example",
            Leaf { sends: Sends::LeafOnly, ..Leaf::good("incomplete.lab.example") },
            &["cert.chain_incomplete"],
        ),
        (
            "stranger.lab.example",
            Leaf { issuer: Issuer::Stranger, sends: Sends::WholeChain, ..Leaf::good("stranger.lab.example") },
            &["cert.untrusted"],
        ),
        ("sha1.lab.example", Leaf { digest: "sha1", ..Leaf::good("sha1.lab.example") }, &["cert.sig_weak"]),
        ("short.lab.example", Leaf { key: Key::Rsa(1024), ..Leaf::good("short.lab.example") }, &["cert.key_weak"]),
    ];
    let certificates =
        cases.iter().map(|(name, leaf, _)| (lab.authority.leaf(leaf), vec![(*name).to_owned()])).collect();
    let server = Server::start(&Plan { certificates, ..Plan::good(lab.authority.leaf(&good)) });
    for (name, _, expected) in &cases {
        let evidence = gather(&server, Some(name)).await;
        assert_eq!(evidence.sni.as_deref(), Some(*name));
        assert_eq!(lab.findings(name, evidence), *expected, "{name}");
    }
}

#[tokio::test]
async fn an_address_is_asked_without_a_name_and_judged_by_its_ip_names() {
    let lab = Lab::new();
    let with_address = Leaf { addresses: vec!["127.0.0.1".parse().unwrap()], ..Leaf::good(HOST) };
    for (leaf, expected) in [(with_address, &[][..]), (Leaf::good(HOST), &["cert.name_mismatch"])] {
        let server = Server::start(&Plan::good(lab.authority.leaf(&leaf)));
        let evidence = gather(&server, None).await;
        assert_eq!(evidence.sni, None);
        assert!(matches!(evidence.leaf_without_sni, Observation::NotApplicable { .. }));
        assert_eq!(lab.findings("127.0.0.1", evidence), expected);
    }
}

#[tokio::test]
async fn a_missing_intermediate_is_looked_up_and_confirmed() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let intermediate = lab.authority.intermediate_der();
    let issuer = tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let length = connection.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /intermediate.cer HTTP/1.0\r\n"));
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-cert\r\n\r\n").await.unwrap();
            connection.write_all(&intermediate).await.unwrap();
        }
    });
    let url = format!("http://127.0.0.1:{port}/intermediate.cer");
    let leaf = Leaf { sends: Sends::LeafOnly, issuer_url: Some(url.clone()), ..Leaf::good(HOST) };
    let server = Server::start(&Plan::good(lab.authority.leaf(&leaf)));
    let evidence = gather(&server, Some(HOST)).await;
    assert_eq!(evidence.fetched_issuers.len(), 1);
    assert_eq!(evidence.fetched_issuers[0].url, url);
    let verdicts = lab.failures(HOST, evidence);
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    assert_eq!(verdicts[0].check_id.as_str(), "cert.chain_incomplete");
    assert_eq!(verdicts[0].confidence, Some(bartizan_domain::Confidence::Confirmed));
    issuer.abort();
}

#[tokio::test]
async fn weak_suites_and_keys_are_found() {
    let lab = Lab::new();
    let identity = rsa(&lab.authority);
    let base = Plan { maximum: Version::Tls12, ..Plan::good(identity.clone()) };
    let tlslite = |settings, authentication| Plan { stack: Stack::Tlslite, settings, authentication, ..base.clone() };
    let openssl = |ciphers: &str| Plan { ciphers: Some(ciphers.to_owned()), ..base.clone() };
    let cases: Vec<(&str, Plan, &[&str])> = vec![
        (
            "3DES and static RSA",
            tlslite(json!({"cipherNames": ["3des"], "keyExchangeNames": ["rsa"]}), Authentication::Certificate),
            &["tls.no13", "tls.suite.cbc_only", "tls.suite.no_pfs", "tls.suite.rc4_des"],
        ),
        (
            "RC4",
            tlslite(
                json!({"cipherNames": ["rc4", "aes128gcm"], "macNames": ["sha", "aead"], "keyExchangeNames": ["ecdhe_rsa"]}),
                Authentication::Certificate,
            ),
            &["tls.no13", "tls.suite.rc4_des"],
        ),
        (
            "anonymous",
            tlslite(json!({"cipherNames": ["aes128"], "keyExchangeNames": ["ecdh_anon"]}), Authentication::Anonymous),
            &["tls.no13", "tls.suite.cbc_only", "tls.suite.null_anon_export"],
        ),
        (
            "SHA-1 signatures",
            tlslite(
                json!({"cipherNames": ["aes128gcm"], "keyExchangeNames": ["ecdhe_rsa"], "rsaSigHashes": ["sha1"], "rsaSchemes": ["pkcs1"]}),
                Authentication::Certificate,
            ),
            &["tls.no13", "tls.sigalg.sha1"],
        ),
        (
            "NULL",
            openssl("ECDHE-RSA-NULL-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"),
            &["tls.no13", "tls.suite.null_anon_export"],
        ),
        ("static RSA", openssl("AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"), &["tls.no13", "tls.suite.no_pfs"]),
        ("CBC only", openssl("ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA"), &["tls.no13", "tls.suite.cbc_only"]),
        (
            "DHE 1024",
            Plan { weak_dh: WeakDh::Loaded, ..openssl("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0") },
            &["tls.dh.weak", "tls.no13"],
        ),
        (
            "DHE 2048",
            tlslite(
                json!({"cipherNames": ["aes128gcm"], "keyExchangeNames": ["dhe_rsa"]}),
                Authentication::Certificate,
            ),
            &["tls.no13"],
        ),
    ];
    for (what, plan, expected) in cases {
        let server = Server::start(&plan);
        let evidence = gather(&server, Some(HOST)).await;
        assert_eq!(lab.findings(HOST, evidence), expected, "{what}: {}", server.output());
    }
}

#[tokio::test]
async fn gnutls_without_safe_renegotiation_and_with_old_versions() {
    let lab = Lab::new();
    let identity = rsa(&lab.authority);
    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-128-GCM:%DISABLE_SAFE_RENEGOTIATION";
    let server = Server::start_gnutls(&identity, priority);
    assert_eq!(lab.findings(HOST, gather(&server, Some(HOST)).await), ["tls.no13", "tls.reneg"]);

    let priority = "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+VERS-TLS1.3:+3DES-CBC";
    let server = Server::start_gnutls(&identity, priority);
    let evidence = gather(&server, Some(HOST)).await;
    assert_eq!(
        accepted(&evidence),
        [TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13],
        "{evidence:?}"
    );
    assert_eq!(evidence.fallback, Observation::Observed(Fallback::Refused));
    let failures = lab.failures(HOST, evidence);
    let found: BTreeSet<&str> = failures.iter().map(|verdict| verdict.check_id.as_str()).collect();
    assert_eq!(found, BTreeSet::from(["tls.suite.no_pfs", "tls.suite.rc4_des", "tls.v10", "tls.v11"]));
    assert!(failures.iter().all(|verdict| verdict.severity == Some(Severity::Medium)), "{failures:?}");
}

#[tokio::test]
async fn the_order_of_suites_and_the_groups_are_the_servers() {
    let lab = Lab::new();
    let server = Server::start(&Plan::good(rsa(&lab.authority)));
    let evidence = gather(&server, Some(HOST)).await;
    let list = evidence.version(TlsVersion::Tls12).unwrap().suites.observed().unwrap();
    let names: Vec<&str> = list.accepted.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        ]
    );
    assert_eq!(list.server_order, Some(true));
    let groups: Vec<&str> = evidence.groups.observed().unwrap().iter().map(|group| group.name.as_str()).collect();
    assert!(groups.contains(&"x25519") && groups.contains(&"secp256r1") && groups.contains(&"ffdhe2048"), "{groups:?}");
    assert_eq!(evidence.alpn, Observation::Observed(None));
    assert_eq!(evidence.secure_renegotiation, Observation::Observed(true));
    assert_eq!(evidence.compression, Observation::Observed(false));
    assert_eq!(evidence.fallback, Observation::Observed(Fallback::Refused));
}

/// Serves `answer` to everybody, forever, after the first bytes of the client.
async fn odd_server(answer: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut hello = [0; 2048];
                let _ = connection.read(&mut hello).await;
                let _ = connection.write_all(answer).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn what_is_not_tls_is_a_failure_and_never_a_refusal() {
    for (answer, kind) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], FailureKind::Protocol),
        (b"", FailureKind::Reset),
        (b"\x16\x03\x01\xff\xff", FailureKind::Protocol),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", FailureKind::Protocol),
    ] {
        let address = odd_server(answer).await;
        match probe(&endpoint(address), None, Duration::from_secs(5)).await {
            Observation::Failed(failure) => assert_eq!(failure.kind, kind, "{answer:?}: {failure}"),
            other => panic!("{answer:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_everything_with_an_alert_is_no_pass() {
    let address = odd_server(b"\x15\x03\x01\x00\x02\x02\x28").await;
    let Observation::Observed(evidence) = probe(&endpoint(address), None, Duration::from_secs(5)).await else {
        panic!("an alert is TLS");
    };
    assert!(accepted(&evidence).is_empty());
    let support = &evidence.version(TlsVersion::Tls12).unwrap().support;
    assert_eq!(support, &Support::Refused(Refusal::Alert { code: 40, name: "handshake_failure".to_owned() }));
    let lab = Lab::new();
    let verdicts = lab.verdicts(AssetRef::Ip(address.ip()), evidence);
    assert!(
        verdicts
            .iter()
            .all(|verdict| !matches!(verdict.outcome, bartizan_domain::Outcome::Pass | bartizan_domain::Outcome::Fail)),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = endpoint(listener.local_addr().unwrap());
    match probe(&endpoint, None, Duration::from_millis(200)).await {
        Observation::Failed(ProbeFailure { kind: FailureKind::Timeout, .. }) => {}
        other => panic!("{other:?}"),
    }
}
