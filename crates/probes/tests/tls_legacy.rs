//! The client for old TLS on real servers (OpenSSL, tlslite-ng, GnuTLS): every version and every kind of suite they have
//! completes a handshake and carries a page.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::SocketAddr;
use std::time::Duration;

use bartizan_domain::evidence::tls::TlsVersion;
use bartizan_outbound::tls_legacy::{self, Session};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_test_support::lab::certificates::{Authority, Key, Leaf};
use bartizan_test_support::lab::tls::{Authentication, Plan, Server, Stack, Version};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HOST: &str = "good.lab.example";

async fn session(address: SocketAddr) -> Result<Session, String> {
    let outbound = Outbound::new(Settings { policy: Policy { allow_private: true }, ..Settings::default() });
    tls_legacy::connect(&outbound, address, Some(HOST), &[], Duration::from_secs(20))
        .await
        .map_err(|failure| failure.to_string())
}

/// Fetches the page of a lab server, and says in which version and suite.
async fn fetched(server: &Server) -> (TlsVersion, u16) {
    let mut session = match session(server.address).await {
        Ok(session) => session,
        Err(failure) => panic!("{failure}: {}", server.output()),
    };
    session.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut page = Vec::new();
    session.stream.read_to_end(&mut page).await.unwrap();
    assert!(page.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&page));
    (session.version, session.suite)
}

fn rsa(authority: &Authority, bits: u32) -> bartizan_test_support::lab::certificates::Identity {
    authority.leaf(&Leaf { key: Key::Rsa(bits), ..Leaf::good(HOST) })
}

const VERSIONS: [(Version, TlsVersion); 3] =
    [(Version::Tls10, TlsVersion::Tls10), (Version::Tls11, TlsVersion::Tls11), (Version::Tls12, TlsVersion::Tls12)];

#[tokio::test]
async fn tlslite_in_every_version_key_exchange_and_cipher() {
    let authority = Authority::new();
    let identity = rsa(&authority, 2048);
    for (version, expected) in VERSIONS {
        for (exchange, cipher, mac, suite) in [
            ("rsa", "3des", "sha", 0x000a),
            ("rsa", "aes128", "sha", 0x002f),
            ("rsa", "aes256", "sha", 0x0035),
            ("rsa", "rc4", "md5", 0x0004),
            ("rsa", "rc4", "sha", 0x0005),
            ("rsa", "null", "sha", 0x0002),
            ("dhe_rsa", "3des", "sha", 0x0016),
            ("dhe_rsa", "aes256", "sha", 0x0039),
            ("ecdhe_rsa", "3des", "sha", 0xc012),
            ("ecdhe_rsa", "aes128", "sha", 0xc013),
            ("rsa", "aes128", "sha256", 0x003c),
            ("dhe_rsa", "aes256", "sha256", 0x006b),
            ("ecdhe_rsa", "aes256", "sha384", 0xc028),
            ("rsa", "aes128gcm", "aead", 0x009c),
            ("rsa", "aes256gcm", "aead", 0x009d),
            ("dhe_rsa", "aes256gcm", "aead", 0x009f),
            ("ecdhe_rsa", "aes256gcm", "aead", 0xc030),
        ] {
            if version != Version::Tls12 && !matches!(mac, "sha" | "md5") {
                continue;
            }
            let settings = json!({"cipherNames": [cipher], "keyExchangeNames": [exchange], "macNames": [mac]});
            let plan = Plan {
                stack: Stack::Tlslite,
                settings,
                minimum: version,
                maximum: version,
                ..Plan::good(identity.clone())
            };
            let server = Server::start(&plan);
            assert_eq!(fetched(&server).await, (expected, suite), "{exchange} {cipher} {mac}");
        }
    }
}

#[tokio::test]
async fn openssl_and_gnutls_in_every_version() {
    let authority = Authority::new();
    let identity = rsa(&authority, 2048);
    for (version, expected) in VERSIONS {
        for ciphers in ["AES128-SHA:AES256-SHA:@SECLEVEL=0", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0", "NULL-SHA:@SECLEVEL=0"]
        {
            let plan = Plan {
                ciphers: Some(ciphers.to_owned()),
                minimum: version,
                maximum: version,
                ..Plan::good(identity.clone())
            };
            assert_eq!(fetched(&Server::start(&plan)).await.0, expected, "{ciphers}");
        }
        let flag = ["-tls1", "-tls1_1", "-tls1_2"][version as usize - 1];
        for ciphers in ["AES128-SHA:@SECLEVEL=0", "DHE-RSA-AES128-SHA:@SECLEVEL=0", "ALL:@SECLEVEL=0"] {
            let server = Server::start_s_server(&identity, &[flag, "-cipher", ciphers]);
            assert_eq!(fetched(&server).await.0, expected, "{ciphers}");
        }
        for suites in ["+RSA:-CIPHER-ALL:+3DES-CBC", "-KX-ALL:+DHE-RSA:-CIPHER-ALL:+AES-128-CBC", "-KX-ALL:+ECDHE-RSA"]
        {
            let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS1.{}:{suites}", version as u8 - 1);
            assert_eq!(fetched(&Server::start_gnutls(&identity, &priority)).await.0, expected, "{priority}");
        }
    }
}

#[tokio::test]
async fn small_keys_and_ecdsa_keys_and_no_keys_at_all() {
    let authority = Authority::new();
    for bits in [512, 1024] {
        let identity = rsa(&authority, bits);
        for (version, expected) in VERSIONS {
            let settings =
                json!({"minKeySize": 512, "cipherNames": ["aes128"], "macNames": ["sha"], "keyExchangeNames": ["rsa"]});
            let plan = Plan {
                stack: Stack::Tlslite,
                settings,
                minimum: version,
                maximum: version,
                ..Plan::good(identity.clone())
            };
            assert_eq!(fetched(&Server::start(&plan)).await, (expected, 0x002f), "{bits}");
        }
        let plan = Plan {
            ciphers: Some("AES128-SHA:@SECLEVEL=0".to_owned()),
            maximum: Version::Tls12,
            ..Plan::good(identity)
        };
        assert_eq!(fetched(&Server::start(&plan)).await, (TlsVersion::Tls12, 0x002f), "{bits}");
    }
    let ecdsa = authority.leaf(&Leaf::good(HOST));
    for (version, expected) in VERSIONS {
        let ciphers = Some("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0".to_owned());
        let plan = Plan { ciphers, minimum: version, maximum: version, ..Plan::good(ecdsa.clone()) };
        assert_eq!(fetched(&Server::start(&plan)).await, (expected, 0xc009));
    }
    let settings = json!({"cipherNames": ["aes128"], "macNames": ["sha"], "keyExchangeNames": ["ecdh_anon"]});
    let plan = Plan {
        stack: Stack::Tlslite,
        settings,
        authentication: Authentication::Anonymous,
        maximum: Version::Tls12,
        ..Plan::good(ecdsa)
    };
    assert_eq!(fetched(&Server::start(&plan)).await, (TlsVersion::Tls12, 0xc018));
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_and_can_do_without_is_read() {
    let authority = Authority::new();
    let identity = rsa(&authority, 2048);
    let server = Server::start_s_server(&identity, &["-tls1", "-verify", "1", "-cipher", "AES128-SHA:@SECLEVEL=0"]);
    assert_eq!(fetched(&server).await, (TlsVersion::Tls10, 0x002f));
}

#[tokio::test]
async fn what_is_not_spoken_here_is_named() {
    let authority = Authority::new();
    let identity = rsa(&authority, 2048);
    let failure = session(Server::start(&Plan::only(identity.clone(), Version::Ssl3)).address).await.unwrap_err();
    assert!(failure.contains("SSLv3"), "{failure}");
    let failure = session(Server::start(&Plan::only(identity, Version::Tls13)).address).await.unwrap_err();
    assert!(failure.contains("protocol_version"), "{failure}");
}
