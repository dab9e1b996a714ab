//! Records, handshake messages and what stands in them.

/// Most bytes of a server's flight that are read.
pub const MAX_FLIGHT: usize = 256 * 1024;
/// Largest record payload a peer may send (RFC 5246, section 6.2.3).
const MAX_RECORD: usize = 16 * 1024 + 2048;
/// Most certificates of a chain that are kept.
const MAX_CHAIN: usize = 16;
/// The random value that marks a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The bytes are not what TLS allows; says what they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Reads from the front of a slice; `None` when it is too short.
#[derive(Debug, Clone)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    /// A number of one byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A number of two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Bytes after their length in one byte.
    pub fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u8()?);
        self.take(length)
    }

    /// Bytes after their length in two bytes.
    pub fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }

    /// Bytes after their length in three bytes.
    pub fn vector24(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(3)?;
        self.take(usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]))
    }
}

/// One record as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Content type: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application data.
    pub kind: u8,
    /// Version in the header.
    pub version: u16,
    /// What it carries, encrypted or not.
    pub payload: Vec<u8>,
}

/// Cuts what arrives into records. Holds at most one record that is not complete.
#[derive(Debug, Default)]
pub struct Records {
    input: Vec<u8>,
}

impl Records {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next complete record.
    ///
    /// # Errors
    /// If what comes next is no record of TLS.
    pub fn next_record(&mut self) -> Result<Option<Record>, Malformed> {
        if let Some(kind) = self.input.first()
            && !(20..=23).contains(kind)
        {
            return Err(Malformed(format!("the answer is not TLS: it starts with byte 0x{kind:02x}")));
        }
        if self.input.get(1).is_some_and(|major| *major != 3) {
            return Err(Malformed("the answer is not TLS: no version in the record".to_owned()));
        }
        let Some(&[kind, major, minor, high, low]) = self.input.first_chunk::<5>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_RECORD {
            return Err(Malformed(format!("a record of {length} bytes, more than TLS allows")));
        }
        if self.input.len() < 5 + length {
            return Ok(None);
        }
        let payload = self.input[5..5 + length].to_vec();
        self.input.drain(..5 + length);
        Ok(Some(Record { kind, version: u16::from_be_bytes([major, minor]), payload }))
    }
}

/// One handshake message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Type: 2 server_hello, 11 certificate, 12 server_key_exchange, 14 server_hello_done.
    pub kind: u8,
    /// The message with its header, as it enters the hash of the handshake.
    pub bytes: Vec<u8>,
}

impl Message {
    /// The message without its header.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(4..).unwrap_or_default()
    }
}

/// Joins the payloads of handshake records to messages.
#[derive(Debug, Default)]
pub struct Messages {
    pending: Vec<u8>,
}

impl Messages {
    /// Takes the payload of a handshake record.
    pub fn push(&mut self, payload: &[u8]) {
        self.pending.extend_from_slice(payload);
    }

    /// Whether no message has been begun.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// The next complete message.
    ///
    /// # Errors
    /// If it claims to be longer than [`MAX_FLIGHT`].
    pub fn next_message(&mut self) -> Result<Option<Message>, Malformed> {
        let Some(&[kind, a, b, c]) = self.pending.first_chunk::<4>() else { return Ok(None) };
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if length > MAX_FLIGHT {
            return Err(Malformed(format!("a handshake message of {length} bytes")));
        }
        if self.pending.len() < 4 + length {
            return Ok(None);
        }
        let bytes: Vec<u8> = self.pending.drain(..4 + length).collect();
        Ok(Some(Message { kind, bytes }))
    }
}

/// What a server hello says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The chosen version's number; that of the extension where TLS 1.3 has it.
    pub version: u16,
    /// The server's random value.
    pub random: [u8; 32],
    /// The chosen suite.
    pub suite: u16,
    /// The chosen compression method.
    pub compression: u8,
    /// TLS 1.3: the group of the key share or of the retry request.
    pub group: Option<u16>,
    /// Whether the server knows secure renegotiation (RFC 5746).
    pub secure_renegotiation: bool,
    /// Whether the master secret covers the handshake (RFC 7627).
    pub extended_master_secret: bool,
    /// The application protocol the server chose.
    pub alpn: Option<Vec<u8>>,
}

impl ServerHello {
    /// Reads the body of the message.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut input = Cursor(body);
        let version = input.u16()?;
        let random: [u8; 32] = input.take(32)?.try_into().ok()?;
        let retry = random == RETRY_RANDOM;
        input.vector8()?;
        let (suite, compression) = (input.u16()?, input.u8()?);
        let mut hello = Self {
            version,
            random,
            suite,
            compression,
            group: None,
            secure_renegotiation: false,
            extended_master_secret: false,
            alpn: None,
        };
        if input.0.is_empty() {
            return Some(hello);
        }
        let mut extensions = Cursor(input.vector16()?);
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            let mut value = Cursor(extensions.vector16()?);
            match kind {
                16 => {
                    let chosen = value.vector16().and_then(|list| Cursor(list).vector8());
                    hello.alpn = chosen.map(<[u8]>::to_vec);
                }
                23 => hello.extended_master_secret = true,
                43 => hello.version = value.u16()?,
                51 => {
                    // A retry request names the group alone, a hello the group and a key.
                    let group = value.u16()?;
                    if retry || value.vector16().is_some() {
                        hello.group = Some(group);
                    }
                }
                0xff01 => hello.secure_renegotiation = true,
                _ => {}
            }
        }
        Some(hello)
    }

    /// Whether the random value carries the downgrade marker of RFC 8446, section 4.1.3.
    #[must_use]
    pub fn downgrade_marker(&self) -> bool {
        self.random[24..31] == *b"DOWNGRD"
    }
}

/// The certificates in the body of a certificate message of TLS 1.2 and older, DER, the server's own first.
#[must_use]
pub fn certificates(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = Cursor(Cursor(body).vector24()?);
    let mut chain = Vec::new();
    while !list.0.is_empty() && chain.len() < MAX_CHAIN {
        chain.push(list.vector24()?.to_vec());
    }
    Some(chain)
}

/// Parameters of a key exchange on a named curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcParameters<'a> {
    /// The curve's number.
    pub group: u16,
    /// The server's public key, as the curve encodes it.
    pub point: &'a [u8],
}

impl<'a> EcParameters<'a> {
    /// Reads them off the front of a server key exchange message. `None` for anything but a named curve, which is the
    /// only form that RFC 8422 leaves.
    #[must_use]
    pub fn read(input: &mut Cursor<'a>) -> Option<Self> {
        if input.u8()? != 3 {
            return None;
        }
        Some(Self { group: input.u16()?, point: input.vector8()? })
    }
}

/// Parameters of a finite-field Diffie-Hellman key exchange, numbers with the highest byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DhParameters<'a> {
    /// The prime.
    pub prime: &'a [u8],
    /// The generator.
    pub generator: &'a [u8],
    /// The server's public key.
    pub public: &'a [u8],
}

impl<'a> DhParameters<'a> {
    /// Reads them off the front of a server key exchange message.
    #[must_use]
    pub fn read(input: &mut Cursor<'a>) -> Option<Self> {
        Some(Self { prime: input.vector16()?, generator: input.vector16()?, public: input.vector16()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::hello::{put24, vector16};
    use super::*;

    fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![kind, 3, 1];
        vector16(&mut out, payload);
        out
    }

    proptest! {
        #[test]
        fn records_and_messages_come_out_however_they_were_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
            cut in 1_usize..90,
            piece in 1_usize..200,
        ) {
            let mut flight = Vec::new();
            for body in &bodies {
                flight.push(11);
                put24(&mut flight, body.len());
                flight.extend_from_slice(body);
            }
            let bytes: Vec<u8> = flight.chunks(cut).flat_map(|chunk| record(22, chunk)).collect();
            let (mut records, mut messages, mut seen) = (Records::default(), Messages::default(), Vec::new());
            for part in bytes.chunks(piece) {
                records.push(part);
                while let Some(found) = records.next_record().unwrap() {
                    prop_assert_eq!((found.kind, found.version), (22, 0x0301));
                    messages.push(&found.payload);
                }
                while let Some(message) = messages.next_message().unwrap() {
                    seen.push(message.body().to_vec());
                }
            }
            prop_assert_eq!(seen, bodies);
            prop_assert!(messages.is_empty());
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut records = Records::default();
            records.push(&bytes);
            while let Ok(Some(_)) = records.next_record() {}
            let mut messages = Messages::default();
            messages.push(&bytes);
            while let Ok(Some(_)) = messages.next_message() {}
            let _ = (ServerHello::read(&bytes), certificates(&bytes));
            let _ = (EcParameters::read(&mut Cursor(&bytes)), DhParameters::read(&mut Cursor(&bytes)));
        }

        #[test]
        fn a_changed_hello_is_read_or_refused(position in 0_usize..60, value in any::<u8>(), cut in 1_usize..70) {
            let mut body = vec![3, 3];
            body.extend_from_slice(&[9; 32]);
            body.extend_from_slice(&[0, 0x00, 0x33, 0]);
            body.extend_from_slice(&[0, 18, 0xff, 1, 0, 1, 0, 0, 23, 0, 0, 0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
            let hello = ServerHello::read(&body).unwrap();
            prop_assert!(hello.secure_renegotiation && hello.extended_master_secret);
            prop_assert_eq!(hello.alpn.as_deref(), Some(&b"h2"[..]));
            let length = body.len();
            body[position % length] = value;
            body.truncate(cut.min(length));
            let _ = ServerHello::read(&body);
        }
    }

    #[test]
    fn what_is_longer_than_tls_allows_is_refused_before_it_is_kept() {
        let mut records = Records::default();
        records.push(&[22, 3, 1, 0xff, 0xff]);
        assert!(records.next_record().is_err());
        let mut messages = Messages::default();
        messages.push(&[11, 0xff, 0, 0]);
        assert!(messages.next_message().is_err());
    }
}
