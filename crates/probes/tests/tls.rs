//! The TLS probe on real servers of the lab: OpenSSL, tlslite-ng and GnuTLS.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use bartizan_domain::evidence::tls::{TlsEvidence, TlsVersion};
use bartizan_domain::evidence::{Endpoint, Observation};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::certificates::{Authority, Key, Leaf};
use bartizan_test_support::lab::tls::{Plan, Server, Version};

fn context() -> ProbeContext {
    let settings = Settings { policy: Policy { allow_private: true }, ..Settings::default() };
    let mut cx = ProbeContext::new(Outbound::new(settings), Arc::new(FixedClock::at(chrono::DateTime::UNIX_EPOCH)));
    cx.timeout = Duration::from_secs(10);
    cx
}

async fn gather(server: &Server, sni: Option<&str>) -> TlsEvidence {
    let endpoint = Endpoint::tcp(server.address.ip(), server.address.port());
    match bartizan_probes::tls::gather(&context(), &endpoint, sni, None).await {
        Observation::Observed(evidence) => evidence,
        other => panic!("{other:?}: {}", server.output()),
    }
}

fn accepted(evidence: &TlsEvidence) -> Vec<TlsVersion> {
    evidence.accepted().map(|result| result.version).collect()
}

#[tokio::test]
async fn each_version_is_found_exactly() {
    let authority = Authority::new();
    let identity = authority.leaf(&Leaf { key: Key::Rsa(2048), ..Leaf::good("good.lab.example") });
    for (version, expected) in [
        (Version::Ssl3, TlsVersion::Ssl3),
        (Version::Tls10, TlsVersion::Tls10),
        (Version::Tls11, TlsVersion::Tls11),
        (Version::Tls12, TlsVersion::Tls12),
        (Version::Tls13, TlsVersion::Tls13),
    ] {
        let server = Server::start(&Plan::only(identity.clone(), version));
        let evidence = gather(&server, Some("good.lab.example")).await;
        assert_eq!(accepted(&evidence), [expected], "{evidence:?}");
    }
}
