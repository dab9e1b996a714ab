//! TLS after an upgrade, on the real server of each protocol.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::time::Duration;

use bartizan_domain::evidence::tls::TlsVersion;
use bartizan_domain::evidence::{FailureKind, Observation, StartTls};
use bartizan_test_support::lab::certificates::{Identity, Key, Leaf};
use bartizan_test_support::lab::starttls;
use bartizan_test_support::lab::tls::{Plan, Server};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

mod tls_support;

use tls_support::{HOST, Lab, accepted, endpoint, probe_starttls};

fn leaf_of(identity: &Identity) -> Vec<u8> {
    let text = std::fs::read(&identity.certificate).unwrap();
    x509_parser::pem::parse_x509_pem(&text).unwrap().1.contents
}

async fn upgraded(address: SocketAddr, protocol: StartTls, identity: &Identity) {
    match probe_starttls(&endpoint(address), Some(HOST), protocol, Duration::from_secs(20)).await {
        Observation::Observed(evidence) => {
            assert_eq!(evidence.starttls, Some(protocol));
            let versions = accepted(&evidence);
            assert!(versions.contains(&TlsVersion::Tls12) && versions.contains(&TlsVersion::Tls13), "{versions:?}");
            let chains = evidence.chains.observed().unwrap();
            assert_eq!(chains[0].certificates[0], STANDARD.encode(leaf_of(identity)), "{protocol}");
        }
        other => panic!("{protocol}: {other:?}"),
    }
}

fn identity(lab: &Lab) -> Identity {
    lab.authority.leaf(&Leaf { key: Key::Rsa(2048), ..Leaf::good(HOST) })
}

#[tokio::test]
async fn postgres_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::postgres(&identity);
    upgraded(server.address, StartTls::Postgres, &identity).await;
}

#[tokio::test]
async fn mariadb_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::mariadb(&identity);
    upgraded(server.address, StartTls::Mysql, &identity).await;
}

#[tokio::test]
async fn prosody_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::prosody(&identity, HOST);
    upgraded(server.address, StartTls::Xmpp, &identity).await;
}

#[tokio::test]
async fn postfix_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::smtp(&identity);
    upgraded(server.address, StartTls::Smtp, &identity).await;
}

#[tokio::test]
async fn dovecot_is_upgraded_in_both_protocols() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let (imap, pop3) = starttls::dovecot(&identity);
    upgraded(imap.address, StartTls::Imap, &identity).await;
    upgraded(pop3, StartTls::Pop3, &identity).await;
}

#[tokio::test]
async fn vsftpd_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::ftp(&identity);
    upgraded(server.address, StartTls::Ftp, &identity).await;
}

#[tokio::test]
async fn openldap_is_upgraded() {
    let lab = Lab::new();
    let identity = identity(&lab);
    let server = starttls::slapd(&identity);
    upgraded(server.address, StartTls::Ldap, &identity).await;
}

#[tokio::test]
async fn a_server_of_another_protocol_is_a_failure() {
    let lab = Lab::new();
    let server = Server::start(&Plan::good(identity(&lab)));
    for protocol in [StartTls::Postgres, StartTls::Xmpp, StartTls::Ldap] {
        match probe_starttls(&endpoint(server.address), Some(HOST), protocol, Duration::from_secs(2)).await {
            Observation::Failed(failure) => {
                assert!(matches!(failure.kind, FailureKind::Protocol | FailureKind::Reset), "{protocol}: {failure}");
            }
            other => panic!("{protocol}: {other:?}"),
        }
    }
}
