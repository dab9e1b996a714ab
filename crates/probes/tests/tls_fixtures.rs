//! Writes the fixtures of the TLS and certificate checks from the lab. Run by hand after the evidence changes:
//! `cargo test -p bartizan-probes --test tls_fixtures -- --ignored`, then look at the difference.
//!
//! What no server of today does (SSL 2.0, compression, fallback, tiny curves) is put into the evidence of a real one,
//! and so are the two chains that `cert.lifetime` needs, since the lab has no public authority: built-in roots served
//! as the server's own certificate.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::PathBuf;

use bartizan_domain::AssetRef;
use bartizan_domain::evidence::tls::{Fallback, Group, Support, TlsEvidence, TlsVersion};
use bartizan_domain::evidence::{FailureKind, HostEvidence, Observation, ProbeFailure, Section};
use bartizan_test_support::lab::certificates::{Issuer, Key, Leaf, Sends};
use bartizan_test_support::lab::tls::{Plan, Server, Stack, Version, WeakDh};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

mod tls_support;

use tls_support::{HOST, Lab, gather, host};

fn write(check: &str, name: &str, evidence: &HostEvidence) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../checks/fixtures").join(check);
    fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string(evidence).unwrap() + "\n";
    fs::write(folder.join(format!("{name}.json")), text).unwrap();
}

fn put(checks: &[&str], name: &str, evidence: &TlsEvidence) {
    for check in checks {
        write(check, name, &host(AssetRef::Domain(HOST.to_owned()), evidence.clone()));
    }
}

const GOOD: [&str; 23] = [
    "tls.sslv2",
    "tls.sslv3",
    "tls.v10",
    "tls.v11",
    "tls.no13",
    "tls.suite.null_anon_export",
    "tls.suite.rc4_des",
    "tls.suite.no_pfs",
    "tls.suite.cbc_only",
    "tls.group.weak",
    "tls.sigalg.sha1",
    "tls.reneg",
    "tls.compression",
    "tls.scsv",
    "cert.name_mismatch",
    "cert.expired",
    "cert.not_yet",
    "cert.expiring",
    "cert.self_signed",
    "cert.chain_incomplete",
    "cert.untrusted",
    "cert.key_weak",
    "cert.sig_weak",
];

fn with_root(evidence: &TlsEvidence, begins: std::ops::Range<i64>) -> TlsEvidence {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let root = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .find(|der| {
            let (_, root) = X509Certificate::from_der(der).unwrap();
            begins.contains(&root.validity().not_before.timestamp())
        })
        .unwrap();
    let mut changed = evidence.clone();
    if let Observation::Observed(chains) = &mut changed.chains {
        chains.truncate(1);
        chains[0].certificates = vec![STANDARD.encode(root)];
    }
    changed
}

#[tokio::test]
#[ignore = "rewrites crates/checks/fixtures"]
async fn write_tls_fixtures() {
    let lab = Lab::new();
    let roots = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../checks/fixtures/roots.pem");
    fs::create_dir_all(roots.parent().unwrap()).unwrap();
    fs::copy(lab.authority.root_file(), roots).unwrap();
    let days = chrono::Duration::days;
    let leaf = |leaf: Leaf| lab.authority.leaf(&leaf);
    let identity = leaf(Leaf { key: Key::Rsa(2048), ..Leaf::good(HOST) });
    let serve = |plan: Plan| {
        let server = Server::start(&plan);
        async move { gather(&server, Some(HOST)).await }
    };
    let tls12 = |ciphers: &str| Plan {
        maximum: Version::Tls12,
        ciphers: Some(ciphers.to_owned()),
        ..Plan::good(identity.clone())
    };

    let good = serve(Plan::good(identity.clone())).await;
    put(&GOOD, "pass", &good);
    put(&["cert.lifetime"], "pass", &with_root(&good, 0..1_400_000_000));
    put(&["cert.lifetime"], "fail", &with_root(&good, 1_430_000_000..i64::MAX));

    for (version, check) in [
        (Version::Ssl3, "tls.sslv3"),
        (Version::Tls10, "tls.v10"),
        (Version::Tls11, "tls.v11"),
        (Version::Tls12, "tls.no13"),
    ] {
        put(&[check], "fail", &serve(Plan::only(identity.clone(), version)).await);
    }
    let mut changed = good.clone();
    changed.versions[0].support = Support::Accepted;
    put(&["tls.sslv2"], "fail", &changed);

    put(&["tls.suite.null_anon_export"], "fail", &serve(tls12("ECDHE-RSA-NULL-SHA:@SECLEVEL=0")).await);
    put(&["tls.suite.no_pfs"], "fail", &serve(tls12("AES128-GCM-SHA256")).await);
    put(&["tls.suite.cbc_only"], "fail", &serve(tls12("ECDHE-RSA-AES128-SHA256")).await);
    let weak_dh = Plan { weak_dh: WeakDh::Loaded, ..tls12("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0") };
    put(&["tls.dh.weak"], "fail", &serve(weak_dh).await);
    let tlslite = |settings| Plan { stack: Stack::Tlslite, settings, ..tls12("") };
    let strong_dh = json!({"cipherNames": ["aes128gcm"], "keyExchangeNames": ["dhe_rsa"]});
    put(&["tls.dh.weak"], "pass", &serve(tlslite(strong_dh)).await);
    for (ciphers, name) in [("3des", "fail-3des"), ("rc4", "fail-rc4")] {
        let settings = json!({"cipherNames": [ciphers], "keyExchangeNames": ["ecdhe_rsa"], "macNames": ["sha"]});
        put(&["tls.suite.rc4_des"], name, &serve(tlslite(settings)).await);
    }
    let sha1 = json!({
        "cipherNames": ["aes128gcm"], "keyExchangeNames": ["ecdhe_rsa"], "rsaSigHashes": ["sha1"], "rsaSchemes": ["pkcs1"]
    });
    put(&["tls.sigalg.sha1"], "fail", &serve(tlslite(sha1)).await);
    let server = Server::start_gnutls(&identity, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-RSA:%DISABLE_SAFE_RENEGOTIATION");
    put(&["tls.reneg"], "fail", &gather(&server, Some(HOST)).await);

    let mut changed = good.clone();
    changed.compression = Observation::Observed(true);
    put(&["tls.compression"], "fail", &changed);
    changed.compression = Observation::Observed(false);
    changed.fallback = Observation::Observed(Fallback::Accepted);
    put(&["tls.scsv"], "fail", &changed);
    let tiny = Group { id: 1, name: "sect163k1".to_owned(), version: TlsVersion::Tls12 };
    changed.fallback = Observation::Observed(Fallback::Refused);
    changed.groups = Observation::Observed(vec![tiny]);
    put(&["tls.group.weak"], "fail", &changed);

    for (check, name, broken) in [
        ("cert.name_mismatch", "fail", Leaf::good("other.lab.example")),
        ("cert.expired", "fail", Leaf { begins: days(-90), ends: days(-1), ..Leaf::good(HOST) }),
        ("cert.not_yet", "fail", Leaf { begins: days(2), ..Leaf::good(HOST) }),
        ("cert.expiring", "fail-medium", Leaf { begins: days(-80), ends: days(10), ..Leaf::good(HOST) }),
        ("cert.expiring", "fail-high", Leaf { begins: days(-85), ends: days(5), ..Leaf::good(HOST) }),
        ("cert.self_signed", "fail", Leaf { issuer: Issuer::Itself, ..Leaf::good(HOST) }),
        ("cert.chain_incomplete", "fail", Leaf { sends: Sends::LeafOnly, ..Leaf::good(HOST) }),
        ("cert.untrusted", "fail", Leaf { issuer: Issuer::Stranger, ..Leaf::good(HOST) }),
        ("cert.key_weak", "fail", Leaf { key: Key::Rsa(1024), ..Leaf::good(HOST) }),
        ("cert.sig_weak", "fail", Leaf { digest: "sha1", ..Leaf::good(HOST) }),
        (
            "cert.must_staple",
            "fail",
            Leaf { extensions: vec!["tlsfeature=status_request".to_owned()], ..Leaf::good(HOST) },
        ),
    ] {
        let mut evidence = serve(Plan::good(leaf(broken))).await;
        put(&[check], name, &evidence);
        if check == "cert.must_staple" {
            evidence.ocsp_stapled = Observation::Observed(true);
            put(&[check], "pass", &evidence);
        }
    }

    let mut unanswered = host(AssetRef::Domain(HOST.to_owned()), good.clone());
    let mut untried = unanswered.clone();
    let failure = ProbeFailure::new(FailureKind::Timeout, "TLSv1.2 hello: no answer within 10s");
    unanswered.tls.items[0].observation = Observation::Failed(failure);
    untried.tls = Section::not_attempted("the TLS checks are switched off");
    for check in GOOD.iter().chain(&["tls.dh.weak", "cert.lifetime", "cert.must_staple"]) {
        write(check, "inconclusive-timeout", &unanswered);
        write(check, "inconclusive-not-tried", &untried);
    }
}
