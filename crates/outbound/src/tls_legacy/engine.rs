//! The handshake and the records of one session, without input or output: bytes in, bytes out.

use bartizan_domain::evidence::tls::TlsVersion;
use subtle::ConstantTimeEq;

use super::LegacyError;
use super::exchange::{self, Agreed};
use super::prf::Prf;
use super::protection::{Chaining, Keys, MAX_CONTENT, Protection, random};
use super::suites::{Exchange, SUITES, Suite};
use crate::tls_wire::{
    Compression, Cursor, DhParameters, EcParameters, Extent, Hello, KeyShare, MAX_FLIGHT, Message, Messages, Record,
    Records, ServerHello, certificates, put16, put24, vector16,
};

/// Content type of a change of the cipher.
const CHANGE_CIPHER: u8 = 20;
/// Content type of an alert.
const ALERT: u8 = 21;
/// Content type of handshake messages.
const HANDSHAKE: u8 = 22;
/// Content type of application data.
const APPLICATION: u8 = 23;
/// Bytes of the check at the end of a handshake.
const VERIFY: usize = 12;
/// Bytes waiting to be sent beyond which nothing is answered on our own account.
const MAX_OWN: usize = 1024;

/// What a hello offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The newest version; a server may choose an older one.
    pub version: TlsVersion,
    /// The server name sent.
    pub sni: Option<&'a str>,
    /// Application protocols, best first.
    pub alpn: &'a [&'a [u8]],
    /// How much is said beside what the version needs.
    pub extent: Extent,
}

/// How far the handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The server hello is awaited.
    Hello,
    /// The rest of the server's flight is awaited.
    Flight,
    /// Our side is done; the server's change of the cipher is awaited.
    Change,
    /// The server's finished message is awaited.
    Finished,
    /// Application data flow.
    Established,
}

/// What has been agreed on, from the server hello on.
#[derive(Debug)]
struct Chosen {
    hello: ServerHello,
    version: TlsVersion,
    suite: Suite,
    prf: Prf,
}

/// One session.
#[derive(Debug)]
pub struct Engine {
    offered: u16,
    random: [u8; 32],
    stage: Stage,
    records: Records,
    messages: Messages,
    transcript: Vec<u8>,
    chosen: Option<Chosen>,
    chain: Vec<Vec<u8>>,
    parameters: Option<Vec<u8>>,
    certificate_wanted: bool,
    master: Vec<u8>,
    sending: Option<Protection>,
    receiving: Option<Protection>,
    /// In force from the server's change of the cipher on.
    awaiting: Option<Protection>,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    handshake_bytes: usize,
    closed: bool,
}

impl Engine {
    /// A session whose hello waits to be sent.
    pub fn new(offer: &Offer<'_>) -> Self {
        let mut bytes = [0; 64];
        random(&mut bytes);
        let suites: Vec<u16> = SUITES
            .iter()
            .filter(|suite| offer.version >= TlsVersion::Tls12 || !suite.needs_tls12())
            .map(|suite| suite.id)
            .collect();
        let hello = Hello {
            version: offer.version,
            sni: offer.sni,
            suites: &suites,
            groups: &exchange::GROUPS,
            key_share: KeyShare::Empty,
            alpn: offer.alpn,
            compression: Compression::Null,
            extent: offer.extent,
        };
        let outgoing = hello.encode(&bytes);
        let mut random = [0; 32];
        random.copy_from_slice(&bytes[..32]);
        Self {
            offered: offer.version.code(),
            random,
            stage: Stage::Hello,
            records: Records::default(),
            messages: Messages::default(),
            // A hello is one record, whose header is no part of the handshake.
            transcript: outgoing.get(5..).unwrap_or_default().to_vec(),
            chosen: None,
            chain: Vec::new(),
            parameters: None,
            certificate_wanted: false,
            master: Vec::new(),
            sending: None,
            receiving: None,
            awaiting: None,
            outgoing,
            incoming: Vec::new(),
            handshake_bytes: 0,
            closed: false,
        }
    }

    /// Whether application data may flow.
    pub fn is_established(&self) -> bool {
        self.stage == Stage::Established
    }

    /// Whether the server has said anything yet that is TLS.
    pub const fn was_answered(&self) -> bool {
        self.chosen.is_some()
    }

    /// Whether the peer has ended the session.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The version and the suite's number, once the server has chosen.
    pub fn agreed(&self) -> Option<(TlsVersion, u16)> {
        self.chosen.as_ref().map(|chosen| (chosen.version, chosen.suite.id))
    }

    /// The application protocol the server chose.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.chosen.as_ref()?.hello.alpn.as_deref()
    }

    /// The certificates as sent, the server's own first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// What waits to be sent. Take away what was.
    pub const fn outgoing(&mut self) -> &mut Vec<u8> {
        &mut self.outgoing
    }

    /// Application data that arrived. Take away what was read.
    pub const fn incoming(&mut self) -> &mut Vec<u8> {
        &mut self.incoming
    }

    /// Protects the beginning of `data` for sending and returns how much of it that was.
    ///
    /// # Errors
    /// If the handshake is not complete.
    pub fn write(&mut self, data: &[u8]) -> Result<usize, LegacyError> {
        let (Stage::Established, Some(sending)) = (self.stage, &mut self.sending) else {
            return Err(LegacyError::Unexpected("application data before the handshake is complete".to_owned()));
        };
        let piece = &data[..data.len().min(MAX_CONTENT)];
        sending.seal(APPLICATION, piece, &mut self.outgoing);
        Ok(piece.len())
    }

    /// Says that we are done.
    pub fn close(&mut self) {
        self.alert(1, 0);
    }

    /// Takes what the server sent.
    ///
    /// # Errors
    /// If the session cannot go on.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), LegacyError> {
        if !self.is_established() {
            self.handshake_bytes += bytes.len();
            if self.handshake_bytes > MAX_FLIGHT {
                return Err(LegacyError::Unexpected(format!("a handshake of more than {MAX_FLIGHT} bytes")));
            }
        }
        self.records.push(bytes);
        while let Some(record) = self.records.next_record()? {
            if self.closed {
                break;
            }
            self.take(record)?;
        }
        Ok(())
    }

    fn take(&mut self, record: Record) -> Result<(), LegacyError> {
        let Record { kind, payload, .. } = record;
        let content = match &mut self.receiving {
            Some(receiving) => receiving.open(kind, payload).map_err(|_| LegacyError::BadRecord)?,
            None => payload,
        };
        match (kind, self.stage) {
            (ALERT, stage) => self.alerted(&content, stage),
            (CHANGE_CIPHER, Stage::Change) if content == [1] && self.messages.is_empty() => self.change_cipher(),
            (HANDSHAKE, _) => {
                self.messages.push(&content);
                while let Some(message) = self.messages.next_message()? {
                    self.message(&message)?;
                }
                Ok(())
            }
            (APPLICATION, Stage::Established) => {
                self.incoming.extend_from_slice(&content);
                Ok(())
            }
            (kind, _) => Err(LegacyError::Unexpected(format!("a record of type {kind}"))),
        }
    }

    fn alerted(&mut self, content: &[u8], stage: Stage) -> Result<(), LegacyError> {
        match content {
            [_, 0] if stage == Stage::Established => {
                self.closed = true;
                Ok(())
            }
            [_, 0] => Err(LegacyError::Closed),
            // A warning, such as unrecognized_name, ends nothing.
            [1, _] => Ok(()),
            [_, code] => Err(LegacyError::Alert(*code)),
            _ => Err(LegacyError::Unexpected("an alert of the wrong size".to_owned())),
        }
    }

    fn message(&mut self, message: &Message) -> Result<(), LegacyError> {
        const HELLO_REQUEST: u8 = 0;
        match (self.stage, message.kind) {
            (Stage::Established, HELLO_REQUEST) => {
                // no_renegotiation (RFC 5246, section 7.2.2): the server decides whether to go on.
                if self.outgoing.len() < MAX_OWN {
                    self.alert(1, 100);
                }
                return Ok(());
            }
            (_, HELLO_REQUEST) => return Ok(()),
            (Stage::Finished, 20) => return self.finished(message),
            _ => {}
        }
        self.transcript.extend_from_slice(&message.bytes);
        let body = message.body();
        match (self.stage, message.kind) {
            (Stage::Hello, 2) => self.hello(body),
            (Stage::Flight, 11) if self.chain.is_empty() => {
                self.chain = certificates(body).ok_or_else(|| unreadable("certificate"))?;
                Ok(())
            }
            (Stage::Flight, 12) if self.parameters.is_none() => {
                self.parameters = Some(body.to_vec());
                Ok(())
            }
            (Stage::Flight, 13) => {
                self.certificate_wanted = true;
                Ok(())
            }
            // A stapled OCSP response, and (once we are done) a session ticket: nothing that concerns us.
            (Stage::Flight, 22) | (Stage::Change, 4) => Ok(()),
            (Stage::Flight, 14) => self.answer(),
            (_, kind) => Err(LegacyError::Unexpected(format!("handshake message {kind}"))),
        }
    }

    fn hello(&mut self, body: &[u8]) -> Result<(), LegacyError> {
        let hello = ServerHello::read(body).ok_or_else(|| unreadable("hello"))?;
        let version = match TlsVersion::from_code(hello.version) {
            Some(version @ (TlsVersion::Tls10 | TlsVersion::Tls11 | TlsVersion::Tls12))
                if hello.version <= self.offered =>
            {
                version
            }
            _ => return Err(LegacyError::Version(hello.version)),
        };
        let suite = Suite::find(hello.suite)
            .filter(|suite| version == TlsVersion::Tls12 || !suite.needs_tls12())
            .ok_or_else(|| {
                LegacyError::Unsupported(format!("the server chose suite 0x{:04x}, which was not offered", hello.suite))
            })?;
        if hello.compression != 0 {
            return Err(LegacyError::Unsupported("the server chose compression, which was not offered".to_owned()));
        }
        let prf = if version == TlsVersion::Tls12 { Prf::One(suite.prf) } else { Prf::Md5Sha1 };
        self.chosen = Some(Chosen { hello, version, suite, prf });
        self.stage = Stage::Flight;
        Ok(())
    }

    /// The server has said everything: our keys, and the proof that we have them.
    fn answer(&mut self) -> Result<(), LegacyError> {
        let Some(chosen) = &self.chosen else { return Err(unreadable("hello")) };
        let (version, suite, prf) = (chosen.version.code(), chosen.suite, chosen.prf);
        let (extended, server_random) = (chosen.hello.extended_master_secret, chosen.hello.random);
        let agreed = self.exchange(suite.exchange)?;
        let mut flight = Vec::new();
        if self.certificate_wanted {
            // We have none to show; the server decides whether to go on.
            flight.extend([11, 0, 0, 3, 0, 0, 0]);
        }
        flight.push(16);
        put24(&mut flight, agreed.message.len());
        flight.extend(agreed.message);
        self.transcript.extend_from_slice(&flight);
        self.plain_record(version, HANDSHAKE, &flight);
        self.plain_record(version, CHANGE_CIPHER, &[1]);

        self.master = if extended {
            let session = prf.transcript(&self.transcript);
            prf.derive(&agreed.premaster, b"extended master secret", &[&session], 48)
        } else {
            prf.derive(&agreed.premaster, b"master secret", &[&self.random, &server_random], 48)
        };
        let (sending, receiving) = self.keys(suite, version, prf, &server_random);
        self.sending = Some(sending);
        let verify = self.verify_data(prf, b"client finished");
        let mut finished = vec![20];
        put24(&mut finished, verify.len());
        finished.extend(verify);
        self.transcript.extend_from_slice(&finished);
        self.send(HANDSHAKE, &finished);
        self.awaiting = Some(receiving);
        self.stage = Stage::Change;
        Ok(())
    }

    fn exchange(&self, exchange: Exchange) -> Result<Agreed, LegacyError> {
        let parameters = || self.parameters.as_deref().map(Cursor);
        match exchange {
            Exchange::Rsa => {
                let leaf = self.chain.first().ok_or_else(|| unreadable("certificate"))?;
                exchange::rsa(leaf, self.offered)
            }
            Exchange::Dhe => {
                let read = parameters().and_then(|mut input| DhParameters::read(&mut input));
                exchange::dhe(&read.ok_or_else(|| unreadable("key exchange"))?)
            }
            Exchange::Ecdhe => {
                let read = parameters().and_then(|mut input| EcParameters::read(&mut input));
                exchange::ecdhe(&read.ok_or_else(|| unreadable("key exchange"))?)
            }
        }
    }

    fn change_cipher(&mut self) -> Result<(), LegacyError> {
        self.receiving = self.awaiting.take();
        self.stage = Stage::Finished;
        Ok(())
    }

    /// The server's proof that it saw the same handshake and has the same keys.
    fn finished(&mut self, message: &Message) -> Result<(), LegacyError> {
        let Some(chosen) = &self.chosen else { return Err(unreadable("hello")) };
        let expected = self.verify_data(chosen.prf, b"server finished");
        if !bool::from(expected.ct_eq(message.body())) {
            return Err(LegacyError::Finished);
        }
        self.stage = Stage::Established;
        // The handshake is over, and nothing of it is needed again.
        self.transcript = Vec::new();
        self.parameters = None;
        Ok(())
    }

    fn verify_data(&self, prf: Prf, label: &[u8]) -> Vec<u8> {
        prf.derive(&self.master, label, &[&prf.transcript(&self.transcript)], VERIFY)
    }

    fn alert(&mut self, level: u8, code: u8) {
        self.send(ALERT, &[level, code]);
    }

    /// Sends `content`, protected if our side of the session is.
    fn send(&mut self, kind: u8, content: &[u8]) {
        match &mut self.sending {
            Some(sending) => sending.seal(kind, content, &mut self.outgoing),
            None => self.plain_record(self.offered, kind, content),
        }
    }

    fn plain_record(&mut self, version: u16, kind: u8, content: &[u8]) {
        for piece in content.chunks(MAX_CONTENT) {
            self.outgoing.push(kind);
            put16(&mut self.outgoing, version);
            vector16(&mut self.outgoing, piece);
        }
    }

    /// Protection of both directions from the master secret (RFC 5246, section 6.3).
    fn keys(&self, suite: Suite, version: u16, prf: Prf, server_random: &[u8; 32]) -> (Protection, Protection) {
        let (mac, key, iv) = (suite.mac_length(), suite.cipher.key_length(), suite.cipher.iv_length());
        let block = prf.derive(&self.master, b"key expansion", &[server_random, &self.random], 2 * (mac + key + iv));
        let (macs, rest) = block.split_at(2 * mac);
        let (keys, ivs) = rest.split_at(2 * key);
        let of = |number: usize| Keys {
            mac: &macs[number * mac..][..mac],
            cipher: &keys[number * key..][..key],
            iv: &ivs[number * iv..][..iv],
        };
        let chaining = if version == TlsVersion::Tls10.code() { Chaining::Continued } else { Chaining::Explicit };
        let sending = Protection::sending(&suite, version, chaining, &of(0));
        (sending, Protection::receiving(&suite, version, chaining, &of(1)))
    }
}

fn unreadable(what: &str) -> LegacyError {
    LegacyError::Unexpected(format!("a {what} that is missing or cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_start_anew_is_declined_a_few_times_and_the_session_goes_on() {
        let offer = Offer { version: TlsVersion::Tls12, sni: None, alpn: &[], extent: Extent::Full };
        let mut engine = Engine::new(&offer);
        engine.outgoing.clear();
        engine.stage = Stage::Established;
        let request = [HANDSHAKE, 3, 3, 0, 4, 0, 0, 0, 0];
        engine.feed(&request).unwrap();
        assert_eq!(engine.outgoing, [ALERT, 3, 3, 0, 2, 1, 100]);
        engine.feed(&request.repeat(10_000)).unwrap();
        assert!(engine.outgoing.len() < MAX_OWN + 100 && engine.is_established());
        engine.feed(&[ALERT, 3, 3, 0, 2, 1, 0]).unwrap();
        assert!(engine.is_closed());
    }
}
