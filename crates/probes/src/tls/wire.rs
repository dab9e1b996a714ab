//! Hellos as bytes and answers from bytes: SSL 2.0 to TLS 1.3, without cryptography.
//!
//! Parsers here read what a hostile peer sends: every length is checked, everything kept is bounded, nothing panics.
//! Sources: RFC 6101 (SSL 3.0), RFC 2246/4346/5246 (TLS 1.0 to 1.2), RFC 8446 (TLS 1.3), the SSL 2.0 draft.

use bartizan_domain::evidence::tls::{KeyExchange, KeyParameters, TlsVersion};
use sha2::{Digest, Sha256};

use super::dh;
use super::names::{self, Exchange};

/// Most bytes of a server's flight that are read.
const MAX_FLIGHT: usize = 256 * 1024;
/// Largest record payload a peer may send (RFC 5246, section 6.2.3).
const MAX_RECORD: usize = 16 * 1024 + 2048;
/// Most certificates of a chain that are kept.
const MAX_CHAIN: usize = 16;
/// The random value that marks a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a hello offers. It is limited to exactly one version.
#[derive(Debug, Clone)]
pub struct Hello<'a> {
    /// The version.
    pub version: TlsVersion,
    /// The server name; sent from TLS 1.0 on.
    pub sni: Option<&'a str>,
    /// Suites in order.
    pub suites: &'a [u16],
    /// Groups in order.
    pub groups: &'a [u16],
    /// What the TLS 1.3 key share contains.
    pub key_share: KeyShare,
    /// Whether DEFLATE is offered beside no compression.
    pub compression: Compression,
    /// How much beside the bare minimum is said.
    pub extent: Extent,
}

/// The key share of a TLS 1.3 hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyShare {
    /// An x25519 key: any 32 bytes are one. The server answers with its hello, or asks for another group.
    X25519,
    /// None: the server has to name the group it wants.
    Empty,
}

/// Compression methods of a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// DEFLATE, then none.
    Deflate,
    /// None alone.
    Null,
}

/// How many extensions a hello carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// As a current client would.
    Full,
    /// Only what the version cannot do without, for servers that stumble over what they do not know.
    Bare,
}

impl Hello<'_> {
    /// The hello in one record. `random` is 32 bytes for the random value and 32 for session id or key.
    ///
    /// SSL 2.0 has another form: [`ssl2_hello`].
    #[must_use]
    pub fn encode(&self, random: &[u8; 64]) -> Vec<u8> {
        let tls13 = self.version == TlsVersion::Tls13;
        let mut body = Vec::with_capacity(1024);
        let legacy = if tls13 { TlsVersion::Tls12 } else { self.version };
        put16(&mut body, legacy.code());
        body.extend_from_slice(&random[..32]);
        if tls13 {
            // The compatibility mode of RFC 8446, appendix D.4, which middleboxes expect.
            body.push(32);
            body.extend_from_slice(&random[32..]);
        } else {
            body.push(0);
        }
        let mut suites = Vec::with_capacity(self.suites.len() * 2 + 2);
        for suite in self.suites {
            put16(&mut suites, *suite);
        }
        if !tls13 {
            put16(&mut suites, names::SCSV_RENEGOTIATION);
        }
        vector16(&mut body, &suites);
        match self.compression {
            Compression::Deflate if !tls13 => body.extend_from_slice(&[2, 1, 0]),
            _ => body.extend_from_slice(&[1, 0]),
        }
        if self.version > TlsVersion::Ssl3 {
            let extensions = self.extensions(random, body.len());
            vector16(&mut body, &extensions);
        }
        let mut message = vec![1];
        put24(&mut message, body.len());
        message.extend_from_slice(&body);
        let record_version = if self.version == TlsVersion::Ssl3 { TlsVersion::Ssl3 } else { TlsVersion::Tls10 };
        let mut record = vec![22];
        put16(&mut record, record_version.code());
        vector16(&mut record, &message);
        record
    }

    fn extensions(&self, random: &[u8; 64], before: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let tls13 = self.version == TlsVersion::Tls13;
        let full = self.extent == Extent::Full;
        if let Some(name) = self.sni {
            let mut entry = vec![0];
            vector16(&mut entry, name.as_bytes());
            let mut list = Vec::new();
            vector16(&mut list, &entry);
            extension(&mut out, 0, &list);
        }
        if !self.groups.is_empty() {
            let mut list = Vec::new();
            for group in self.groups {
                put16(&mut list, *group);
            }
            let mut body = Vec::new();
            vector16(&mut body, &list);
            extension(&mut out, 10, &body);
            if !tls13 {
                extension(&mut out, 11, &[1, 0]);
            }
        }
        if self.version >= TlsVersion::Tls12 {
            let mut list = Vec::new();
            for (scheme, _) in names::SIGNATURE_SCHEMES {
                put16(&mut list, scheme);
            }
            let mut body = Vec::new();
            vector16(&mut body, &list);
            extension(&mut out, 13, &body);
        }
        if full {
            // status_request for OCSP, no responder ids, no extensions (RFC 6066).
            extension(&mut out, 5, &[1, 0, 0, 0, 0]);
            if !tls13 {
                extension(&mut out, 23, &[]);
            }
        }
        if tls13 {
            extension(&mut out, 43, &[2, 3, 4]);
            extension(&mut out, 45, &[1, 1]);
            let mut shares = Vec::new();
            if self.key_share == KeyShare::X25519 {
                put16(&mut shares, 29);
                vector16(&mut shares, &random[32..]);
            }
            let mut body = Vec::new();
            vector16(&mut body, &shares);
            extension(&mut out, 51, &body);
        }
        // Some load balancers hang on hellos of 256 to 511 bytes; padding past them is the remedy of RFC 7685.
        let length = before + 4 + 2 + out.len();
        if full && (256..512).contains(&length) {
            extension(&mut out, 21, &vec![0; (512 - length).saturating_sub(4)]);
        }
        out
    }
}

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
    input: Vec<u8>,
    handshake: Vec<u8>,
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
        self.input.extend_from_slice(bytes);
        loop {
            let Some((kind, payload)) = (match self.record() {
                Ok(record) => record,
                Err(reason) => return Progress::Malformed(reason),
            }) else {
                return Progress::More;
            };
            match kind {
                21 => match payload.as_slice() {
                    // A warning, such as unrecognized_name, does not end the handshake; close_notify does.
                    [1, code] if *code != 0 => {}
                    [_, code] => return Progress::Alert(*code),
                    _ => return Progress::Malformed("an alert of the wrong size".to_owned()),
                },
                22 => {
                    self.handshake.extend_from_slice(&payload);
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

    fn record(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        if let Some(kind) = self.input.first()
            && !(20..=23).contains(kind)
        {
            return Err(format!("the answer is not TLS: it starts with byte 0x{kind:02x}"));
        }
        if self.input.get(1).is_some_and(|major| *major != 3) {
            return Err("the answer is not TLS: no version in the record".to_owned());
        }
        let Some(&[kind, _, _, high, low]) = self.input.first_chunk::<5>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_RECORD {
            return Err(format!("a record of {length} bytes, more than TLS allows"));
        }
        if self.input.len() < 5 + length {
            return Ok(None);
        }
        let payload = self.input[5..5 + length].to_vec();
        self.input.drain(..5 + length);
        Ok(Some((kind, payload)))
    }

    fn messages(&mut self) -> Progress {
        loop {
            let Some(&[kind, a, b, c]) = self.handshake.first_chunk::<4>() else { return Progress::More };
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            if length > MAX_FLIGHT {
                return Progress::Malformed(format!("a handshake message of {length} bytes"));
            }
            if self.handshake.len() < 4 + length {
                return Progress::More;
            }
            let body: Vec<u8> = self.handshake[4..4 + length].to_vec();
            self.handshake.drain(..4 + length);
            match (kind, &mut self.flight) {
                (2, None) => match server_hello(&body) {
                    Some(flight) => {
                        let tls13 = flight.version >= TlsVersion::Tls13.code();
                        self.flight = Some(flight);
                        if tls13 {
                            return Progress::Done;
                        }
                    }
                    None => return Progress::Malformed("a server hello that cannot be read".to_owned()),
                },
                (0, _) => {}
                (_, None) => return Progress::Malformed(format!("handshake message {kind} before the server hello")),
                (11, Some(flight)) => flight.certificates = certificates(&body).unwrap_or_default(),
                (12, Some(flight)) => flight.key_exchange = key_exchange(&body, flight.suite, flight.version),
                (22, Some(flight)) => flight.ocsp_stapled = body.first() == Some(&1) && body.len() > 4,
                (14, Some(_)) => return Progress::Done,
                _ => {}
            }
        }
    }
}

fn server_hello(body: &[u8]) -> Option<Flight> {
    let mut input = Cursor(body);
    let mut flight = Flight { version: input.u16()?, ..Flight::default() };
    let random = input.take(32)?;
    let retry = random == RETRY_RANDOM;
    flight.downgrade_marker = random[24..31] == *b"DOWNGRD";
    input.vector8()?;
    flight.suite = input.u16()?;
    flight.compression = input.u8()?;
    if input.0.is_empty() {
        return Some(flight);
    }
    let mut extensions = Cursor(input.vector16()?);
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let mut value = Cursor(extensions.vector16()?);
        match kind {
            43 => flight.version = value.u16()?,
            51 => {
                // A retry request names the group alone, a hello the group and a key.
                let group = value.u16()?;
                if retry || value.vector16().is_some() {
                    flight.group = Some(group);
                }
            }
            0xff01 => flight.secure_renegotiation = true,
            _ => {}
        }
    }
    Some(flight)
}

fn certificates(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = Cursor(Cursor(body).vector24()?);
    let mut chain = Vec::new();
    while !list.0.is_empty() && chain.len() < MAX_CHAIN {
        chain.push(list.vector24()?.to_vec());
    }
    Some(chain)
}

fn key_exchange(body: &[u8], suite: u16, version: u16) -> Option<KeyExchange> {
    let mut input = Cursor(body);
    let (layout, signed) = names::exchange_of(suite);
    let parameters = match layout {
        Exchange::Other => return None,
        Exchange::Ec => {
            // named_curve is the only form RFC 8422 leaves.
            if input.u8()? != 3 {
                return None;
            }
            let group = input.u16()?;
            input.vector8()?;
            KeyParameters::Ec { group }
        }
        Exchange::Dh => {
            let prime = input.vector16()?;
            input.vector16()?;
            input.vector16()?;
            dh_parameters(prime)
        }
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

/// Reads from the front of a slice; `None` when it is too short.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u8()?);
        self.take(length)
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    fn vector24(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(3)?;
        self.take(usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]))
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put24(out: &mut Vec<u8>, value: usize) {
    let bytes = u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&bytes[1..]);
}

/// Appends `value` with its length in two bytes. Everything we write is far below 64 KiB.
fn vector16(out: &mut Vec<u8>, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    put16(out, length);
    out.extend_from_slice(&value[..usize::from(length)]);
}

fn extension(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    put16(out, kind);
    vector16(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(version: TlsVersion, suites: &[u16]) -> Vec<u8> {
        Hello {
            version,
            sni: Some("host.example"),
            suites,
            groups: &[29, 23],
            key_share: KeyShare::X25519,
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
