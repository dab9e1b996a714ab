//! The session against another implementation in memory, and against hostile bytes.

use std::sync::Arc;

use proptest::prelude::*;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::engine::Engine;
use super::*;
use crate::tls_wire::{put24, vector16};

fn offer(version: TlsVersion) -> Offer<'static> {
    Offer { version, sni: Some("host.example"), alpn: &[b"http/1.1"], extent: Extent::Full }
}

fn server_config() -> Arc<ServerConfig> {
    let identity = rcgen::generate_simple_self_signed(vec!["host.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Bytes from the client to the server and back until neither has any.
fn exchange(engine: &mut Engine, server: &mut ServerConnection) -> Result<(), LegacyError> {
    loop {
        let sent = std::mem::take(engine.outgoing());
        let mut rest = sent.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets().unwrap();
        }
        let mut answer = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut answer).unwrap();
        }
        if sent.is_empty() && answer.is_empty() {
            return Ok(());
        }
        engine.feed(&answer)?;
    }
}

#[tokio::test]
async fn a_long_conversation_passes_unharmed_and_ends_with_a_farewell() {
    let (ours, theirs) = tokio::io::duplex(10_000);
    let acceptor = TlsAcceptor::from(server_config());
    let server = tokio::spawn(async move {
        let mut stream = acceptor.accept(theirs).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let offer = offer(TlsVersion::Tls12);
    let Ok(mut stream) = stream::handshake(ours, &offer).await else { panic!("the handshake failed") };
    assert_eq!(stream.engine().agreed(), Some((TlsVersion::Tls12, 0xc02b)));
    assert_eq!(stream.engine().alpn(), Some(&b"http/1.1"[..]));
    assert_eq!(stream.engine().chain().len(), 1);
    let said: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    stream.write_all(&said).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert!(heard == said, "{} bytes came back", heard.len());
    server.await.unwrap();
}

#[test]
fn a_session_carries_data_and_ends_at_a_repeated_record() {
    let mut engine = Engine::new(&offer(TlsVersion::Tls12));
    assert!(engine.write(b"too early").is_err());
    let mut server = ServerConnection::new(server_config()).unwrap();
    exchange(&mut engine, &mut server).unwrap();
    assert!(engine.is_established() && !server.is_handshaking());
    std::io::Write::write_all(&mut server.writer(), b"hello").unwrap();
    let mut answer = Vec::new();
    server.write_tls(&mut answer).unwrap();
    engine.feed(&answer).unwrap();
    assert_eq!(engine.incoming(), b"hello");
    // The same record again is another one, since records are numbered.
    assert!(matches!(engine.feed(&answer), Err(LegacyError::BadRecord)));
}

#[test]
fn what_must_not_come_is_refused() {
    let hello = |version: u16, suite: u16, compression: u8| {
        let mut body = version.to_be_bytes().to_vec();
        body.extend_from_slice(&[9; 32]);
        body.push(0);
        body.extend_from_slice(&suite.to_be_bytes());
        body.push(compression);
        record(22, &message(2, &body))
    };
    let fed = |version: TlsVersion, bytes: &[u8]| Engine::new(&offer(version)).feed(bytes).unwrap_err();
    assert!(matches!(fed(TlsVersion::Tls12, &hello(0x0300, 0x002f, 0)), LegacyError::Version(0x0300)));
    assert!(matches!(fed(TlsVersion::Tls12, &hello(0x0304, 0x1301, 0)), LegacyError::Version(0x0304)));
    assert!(matches!(fed(TlsVersion::Tls10, &hello(0x0302, 0x002f, 0)), LegacyError::Version(0x0302)));
    assert!(matches!(fed(TlsVersion::Tls12, &hello(0x0301, 0xc02f, 0)), LegacyError::Unsupported(_)));
    assert!(matches!(fed(TlsVersion::Tls12, &hello(0x0303, 0x1301, 0)), LegacyError::Unsupported(_)));
    assert!(matches!(fed(TlsVersion::Tls12, &hello(0x0303, 0x002f, 1)), LegacyError::Unsupported(_)));
    assert!(matches!(fed(TlsVersion::Tls12, &record(20, &[1])), LegacyError::Unexpected(_)));
    assert!(matches!(fed(TlsVersion::Tls12, &record(23, b"data")), LegacyError::Unexpected(_)));
    assert!(matches!(fed(TlsVersion::Tls12, &record(21, &[2, 40])), LegacyError::Alert(40)));
    assert!(matches!(fed(TlsVersion::Tls12, &record(21, &[1, 0])), LegacyError::Closed));
    assert!(matches!(fed(TlsVersion::Tls12, b"HTTP/1.1 400"), LegacyError::Malformed(_)));
    // Done before there was a certificate.
    let mut done = hello(0x0303, 0x002f, 0);
    done.extend(record(22, &message(14, &[])));
    assert!(matches!(fed(TlsVersion::Tls12, &done), LegacyError::Unexpected(_)));
    // A change of the cipher before there are keys.
    let mut early = hello(0x0303, 0x002f, 0);
    early.extend(record(20, &[1]));
    assert!(matches!(fed(TlsVersion::Tls12, &early), LegacyError::Unexpected(_)));
    // A handshake that never ends.
    let mut endless = hello(0x0303, 0x002f, 0);
    for _ in 0..30_000 {
        endless.extend(record(22, &message(13, &[0; 4])));
    }
    assert!(matches!(fed(TlsVersion::Tls12, &endless), LegacyError::Unexpected(_)));
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    put24(&mut out, body.len());
    out.extend_from_slice(body);
    out
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, 3];
    vector16(&mut out, payload);
    out
}

proptest! {
    #[test]
    fn no_bytes_make_the_engine_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), piece in 1_usize..100) {
        let mut engine = Engine::new(&offer(TlsVersion::Tls12));
        for part in bytes.chunks(piece) {
            if engine.feed(part).is_err() {
                break;
            }
        }
        prop_assert!(!engine.is_established());
    }

    #[test]
    fn no_messages_after_a_hello_make_the_engine_panic(
        suite in prop::sample::select(vec![0x002f_u16, 0x0033, 0xc013, 0xc030, 0x0005, 0x000a, 0xc018]),
        version in 0x0301_u16..=0x0303,
        messages in prop::collection::vec((0_u8..24, prop::collection::vec(any::<u8>(), 0..200)), 0..8),
    ) {
        let mut hello = version.to_be_bytes().to_vec();
        hello.extend_from_slice(&[9; 32]);
        hello.push(0);
        hello.extend_from_slice(&suite.to_be_bytes());
        hello.push(0);
        let mut bytes = record(22, &message(2, &hello));
        for (kind, body) in messages {
            bytes.extend(record(22, &message(kind, &body)));
        }
        bytes.extend(record(22, &message(14, &[])));
        bytes.extend(record(20, &[1]));
        let mut engine = Engine::new(&offer(TlsVersion::Tls12));
        let _ = engine.feed(&bytes);
        prop_assert!(!engine.is_established());
    }

    #[test]
    fn a_changed_byte_on_the_way_never_gives_a_session(
        flight in 0_usize..2,
        position in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let mut engine = Engine::new(&offer(TlsVersion::Tls12));
        let mut server = ServerConnection::new(server_config()).unwrap();
        for number in 0..4 {
            let mut answer = answered(&mut engine, &mut server);
            prop_assert!(number > flight || !answer.is_empty());
            if number == flight {
                let places = contents(&answer);
                answer[places[position.index(places.len())]] ^= change;
            }
            if engine.feed(&answer).is_err() {
                break;
            }
        }
        prop_assert!(!engine.is_established());
    }
}

/// Where the bytes are that are not the headers of records.
fn contents(mut flight: &[u8]) -> Vec<usize> {
    let (mut places, mut begin) = (Vec::new(), 0);
    while let Some(&[_, _, _, high, low]) = flight.first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        places.extend(begin + 5..begin + 5 + length);
        begin += 5 + length;
        flight = &flight[5 + length..];
    }
    places
}

/// What the server answers to what the engine has to say; nothing if it refuses that.
fn answered(engine: &mut Engine, server: &mut ServerConnection) -> Vec<u8> {
    let sent = std::mem::take(engine.outgoing());
    let mut rest = sent.as_slice();
    while !rest.is_empty() {
        if server.read_tls(&mut rest).is_err() || server.process_new_packets().is_err() {
            return Vec::new();
        }
    }
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).unwrap();
    }
    answer
}
