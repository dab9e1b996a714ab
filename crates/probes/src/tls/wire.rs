//! Hellos of SSL 2.0 and what servers answer to any hello, as far as it is in the clear.
//!
//! Bytes and messages themselves are `outbound::tls_wire`. Parsers here read what a hostile peer sends: every length is
//! checked, everything kept is bounded, nothing panics. Source of SSL 2.0: its draft.

use bartizan_domain::evidence::tls::{KeyExchange, KeyParameters, TlsVersion};
pub use bartizan_outbound::tls_wire::{Compression, Extent, Hello, KeyShare};
use bartizan_outbound::tls_wire::{
    Cursor, DhParameters, EcParameters, MAX_FLIGHT, Malformed, Messages, Record, Records, ServerHello, certificates,
    put16,
};
use sha2::{Digest, Sha256};

use super::dh;
use super::names::{self, Exchange};

/// A hello of SSL 2.0 with every cipher of that protocol.
#[must_use]
pub fn ssl2_hello(challenge: &[u8; 16]) -> Vec<u8> {
    const CIPHERS: [[u8; 3]; 7] =
        [[1, 0, 0x80], [2, 0, 0x80], [3, 0, 0x80], [4, 0, 0x80], [5, 0, 0x80], [6, 0, 0x40], [7, 0, 0xc0]];
    let mut body = vec![1, 0, 2];
    put16(&mut body, 21);
    put16(&mut body, 0);
    put16(&mut body, 16);
    body.extend(CIPHERS.iter().flatten());
    body.extend_from_slice(challenge);
    let mut record = Vec::new();
    put16(&mut record, 0x8000 | u16::try_from(body.len()).unwrap_or(u16::MAX));
    record.extend_from_slice(&body);
    record
}

/// What the first bytes of an answer to an SSL 2.0 hello are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ssl2Answer {
    /// More bytes are needed.
    More,
    /// A server hello of SSL 2.0 with at least one cipher.
    Accepted,
    /// An SSL 2.0 error, an SSL 2.0 hello without a common cipher, or a fatal alert of a newer version.
    Refused,
    /// Neither.
    Other,
}

/// Reads the answer to an SSL 2.0 hello.
#[must_use]
pub fn ssl2_answer(bytes: &[u8]) -> Ssl2Answer {
    match bytes {
        [21, 3, ..] => Ssl2Answer::Refused,
        [high, _, kind, rest @ ..] if high & 0x80 != 0 => match (kind, rest) {
            (0, _) => Ssl2Answer::Refused,
            // session-id-hit, certificate type, version, lengths of certificate and ciphers
            (4, [_, _, 0, 2, _, _, c1, c2, ..]) if u16::from_be_bytes([*c1, *c2]) >= 3 => Ssl2Answer::Accepted,
            (4, [_, _, 0, 2, _, _, _, _, ..]) => Ssl2Answer::Refused,
            (4, rest) if rest.len() < 8 => Ssl2Answer::More,
            _ => Ssl2Answer::Other,
        },
        short if short.len() < 3 => Ssl2Answer::More,
        _ => Ssl2Answer::Other,
    }
}

/// What a server said in the clear in answer to a hello.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flight {
    /// The chosen version's number.
    pub version: u16,
    /// The chosen suite.
    pub suite: u16,
    /// The chosen compression method.
    pub compression: u8,
    /// Whether the server knows secure renegotiation.
    pub secure_renegotiation: bool,
    /// Whether the random value carries the downgrade marker of RFC 8446, section 4.1.3.
    pub downgrade_marker: bool,
    /// TLS 1.3: the group of the key share or of the retry request.
    pub group: Option<u16>,
    /// The certificates as sent, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Whether an OCSP response was stapled.
    pub ocsp_stapled: bool,
    /// Key exchange parameters.
    pub key_exchange: Option<KeyExchange>,
}

impl Flight {
    /// The beginning of a flight.
    fn of(hello: &ServerHello) -> Self {
        Self {
            version: hello.version,
            suite: hello.suite,
            compression: hello.compression,
            secure_renegotiation: hello.secure_renegotiation,
            downgrade_marker: hello.downgrade_marker(),
            group: hello.group,
            ..Self::default()
        }
    }
}

/// How far an answer has been read.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The flight is complete as far as it is in the clear.
    Done,
    /// A fatal alert with this number.
    Alert(u8),
    /// The bytes are not TLS; says what they are.
    Malformed(String),
}

/// Reads an answer piece by piece.
#[derive(Debug, Default)]
pub struct Reader {
    records: Records,
    messages: Messages,
    total: usize,
    flight: Option<Flight>,
}

impl Reader {
    /// What was read of the server's flight; there is none before its hello.
    #[must_use]
    pub fn into_flight(self) -> Option<Flight> {
        self.flight
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Progress {
        self.total += bytes.len();
        if self.total > MAX_FLIGHT {
            return Progress::Malformed(format!("the answer is longer than {MAX_FLIGHT} bytes"));
        }
        self.records.push(bytes);
        loop {
            let Record { kind, payload, .. } = match self.records.next_record() {
                Ok(Some(record)) => record,
                Ok(None) => return Progress::More,
                Err(Malformed(reason)) => return Progress::Malformed(reason),
            };
            match kind {
                21 => match payload.as_slice() {
                    // A warning, such as unrecognized_name, does not end the handshake; close_notify does.
                    [1, code] if *code != 0 => {}
                    [_, code] => return Progress::Alert(*code),
                    _ => return Progress::Malformed("an alert of the wrong size".to_owned()),
                },
                22 => {
                    self.messages.push(&payload);
                    match self.messages() {
                        Progress::More => {}
                        end => return end,
                    }
                }
                // TLS 1.3 servers send a meaningless change_cipher_spec for the sake of middleboxes.
                20 => {}
                _ if self.flight.is_some() => return Progress::Done,
                other => return Progress::Malformed(format!("a record of type {other} before the server hello")),
            }
        }
    }

    fn messages(&mut self) -> Progress {
        loop {
            let message = match self.messages.next_message() {
                Ok(Some(message)) => message,
                Ok(None) => return Progress::More,
                Err(Malformed(reason)) => return Progress::Malformed(reason),
            };
            let body = message.body();
            match (message.kind, &mut self.flight) {
                (2, None) => match ServerHello::read(body) {
                    Some(hello) => {
                        let tls13 = hello.version >= TlsVersion::Tls13.code();
                        self.flight = Some(Flight::of(&hello));
                        if tls13 {
                            return Progress::Done;
                        }
                    }
                    None => return Progress::Malformed("a server hello that cannot be read".to_owned()),
                },
                (0, _) => {}
                (kind, None) => {
                    return Progress::Malformed(format!("handshake message {kind} before the server hello"));
                }
                (11, Some(flight)) => flight.certificates = certificates(body).unwrap_or_default(),
                (12, Some(flight)) => flight.key_exchange = key_exchange(body, flight.suite, flight.version),
                (22, Some(flight)) => flight.ocsp_stapled = body.first() == Some(&1) && body.len() > 4,
                (14, Some(_)) => return Progress::Done,
                _ => {}
            }
        }
    }
}

fn key_exchange(body: &[u8], suite: u16, version: u16) -> Option<KeyExchange> {
    let mut input = Cursor(body);
    let (layout, signed) = names::exchange_of(suite);
    let parameters = match layout {
        Exchange::Other => return None,
        Exchange::Ec => KeyParameters::Ec { group: EcParameters::read(&mut input)?.group },
        Exchange::Dh => dh_parameters(DhParameters::read(&mut input)?.prime),
    };
    let signature =
        if signed && version >= TlsVersion::Tls12.code() { Some(names::signature_scheme(input.u16()?)) } else { None };
    Some(KeyExchange { parameters, signature })
}

fn dh_parameters(prime: &[u8]) -> KeyParameters {
    let start = prime.iter().position(|byte| *byte != 0).unwrap_or(prime.len());
    let significant = &prime[start..];
    let bits = significant.first().map_or(0, |first| {
        u32::try_from(significant.len()).unwrap_or(u32::MAX).saturating_mul(8) - first.leading_zeros()
    });
    let digest = Sha256::digest(significant);
    let prime_sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let known_as = dh::name_of(&prime_sha256).map(str::to_owned);
    KeyParameters::Dh { bits, prime_sha256, known_as }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_outbound::tls_wire::{put24, vector16};
    use proptest::prelude::*;

    fn hello(version: TlsVersion, suites: &[u16]) -> Vec<u8> {
        Hello {
            version,
            sni: Some("host.example"),
            suites,
            groups: &[29, 23],
            key_share: KeyShare::X25519,
            alpn: &[],
            compression: Compression::Deflate,
            extent: Extent::Full,
        }
        .encode(&[7; 64])
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

    fn server_flight() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[9; 32]);
        body.extend_from_slice(&[0, 0x00, 0x33, 0]);
        body.extend_from_slice(&[0, 5, 0xff, 1, 0, 1, 0]);
        let mut flight = message(2, &body);
        flight.extend(message(11, &[0, 0, 7, 0, 0, 4, 1, 2, 3, 4]));
        let mut exchange = Vec::new();
        vector16(&mut exchange, &[0x00, 0x80, 0x01]);
        vector16(&mut exchange, &[2]);
        vector16(&mut exchange, &[5]);
        exchange.extend_from_slice(&[2, 1, 0, 1, 0xee]);
        flight.extend(message(12, &exchange));
        flight.extend(message(14, &[]));
        flight
    }

    #[test]
    fn a_flight_is_read_however_it_is_cut() {
        let flight = server_flight();
        let mut bytes = record(21, &[1, 112]);
        let (first, second) = flight.split_at(50);
        bytes.extend(record(22, first));
        bytes.extend(record(22, second));
        for size in [1, 2, 7, bytes.len()] {
            let mut reader = Reader::default();
            let mut last = Progress::More;
            for piece in bytes.chunks(size) {
                assert_eq!(last, Progress::More);
                last = reader.feed(piece);
            }
            assert_eq!(last, Progress::Done);
            let flight = reader.into_flight().unwrap();
            assert_eq!((flight.version, flight.suite, flight.secure_renegotiation), (0x0303, 0x0033, true));
            assert_eq!(flight.certificates, [vec![1, 2, 3, 4]]);
            let exchange = flight.key_exchange.unwrap();
            assert!(matches!(exchange.parameters, KeyParameters::Dh { bits: 16, .. }));
            assert_eq!(exchange.signature.unwrap().name, "rsa_pkcs1_sha1");
        }
    }

    #[test]
    fn hellos_are_never_of_the_length_that_hangs_load_balancers() {
        for count in 1..200 {
            let suites: Vec<u16> = (0..count).collect();
            for version in [TlsVersion::Tls10, TlsVersion::Tls12, TlsVersion::Tls13] {
                let bytes = hello(version, &suites);
                let length = bytes.len() - 5;
                assert!(!(256..512).contains(&length), "{version} {length}");
                assert_eq!(usize::from(u16::from_be_bytes([bytes[3], bytes[4]])), length);
            }
        }
    }

    #[test]
    fn our_hellos_are_read_by_another_parser() {
        for version in [TlsVersion::Ssl3, TlsVersion::Tls10, TlsVersion::Tls12, TlsVersion::Tls13] {
            let suites = names::suites_for(version);
            let bytes = hello(version, &suites);
            let (rest, record) = tls_parser::parse_tls_plaintext(&bytes).unwrap();
            assert!(rest.is_empty());
            let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(parsed)) =
                &record.msg[0]
            else {
                panic!("no client hello");
            };
            let offered: Vec<u16> = parsed.ciphers.iter().map(|id| id.0).filter(|id| *id != 0x00ff).collect();
            assert_eq!(offered, suites);
            if version > TlsVersion::Ssl3 {
                let (rest, extensions) = tls_parser::parse_tls_client_hello_extensions(parsed.ext.unwrap()).unwrap();
                assert!(rest.is_empty() && extensions.len() >= 4);
            } else {
                assert!(parsed.ext.is_none());
            }
        }
    }

    #[test]
    fn answers_to_an_old_hello_are_told_apart() {
        assert_eq!(ssl2_answer(&[0x80]), Ssl2Answer::More);
        assert_eq!(ssl2_answer(&[0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 3, 0, 16]), Ssl2Answer::Accepted);
        assert_eq!(ssl2_answer(&[0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 16]), Ssl2Answer::Refused);
        assert_eq!(ssl2_answer(&[0x80, 3, 0, 0, 1]), Ssl2Answer::Refused);
        assert_eq!(ssl2_answer(&[21, 3, 1, 0, 2, 2, 40]), Ssl2Answer::Refused);
        assert_eq!(ssl2_answer(b"HTTP/1.1"), Ssl2Answer::Other);
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut reader = Reader::default();
            let _ = reader.feed(&bytes);
            let _ = ssl2_answer(&bytes);
        }

        #[test]
        fn no_message_makes_the_reader_panic(
            kind in 0_u8..24,
            suite in prop::sample::select(vec![0x0033_u16, 0xc02f, 0x002f, 0x1301, 0x0018, 0xc018]),
            body in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut hello = vec![3, 3];
            hello.extend_from_slice(&[9; 32]);
            hello.push(0);
            hello.extend_from_slice(&suite.to_be_bytes());
            hello.push(0);
            let mut reader = Reader::default();
            let _ = reader.feed(&record(22, &message(2, &body)));
            let mut reader = Reader::default();
            prop_assert_eq!(reader.feed(&record(22, &message(2, &hello))), Progress::More);
            let _ = reader.feed(&record(22, &message(kind, &body)));
        }

        #[test]
        fn a_changed_byte_never_panics(position in 0_usize..120, value in any::<u8>(), cut in 1_usize..130) {
            let mut bytes = record(22, &server_flight());
            let length = bytes.len();
            bytes[position % length] = value;
            bytes.truncate(cut.min(length));
            let _ = Reader::default().feed(&bytes);
        }
    }
}
