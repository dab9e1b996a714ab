//! The SSH transport as far as the probe goes: identification, unencrypted packets, and sealed packets for the one
//! question after the key exchange (RFC 4253, `PROTOCOL.chacha20poly1305` of OpenSSH, RFC 5647).

use bartizan_domain::evidence::ssh::SshAlgorithms;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_outbound::{Connection, io_failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::login::Sealed;
use super::{cut_short, parse_kexinit};

pub const KEXINIT: u8 = 20;
pub const NEWKEYS: u8 = 21;
/// What this client says it is.
pub const CLIENT_VERSION: &str = "SSH-2.0-Bartizan";

const DISCONNECT: u8 = 1;
/// Largest packet accepted.
const MAX_PACKET: usize = 256 * 1024;
/// Lines and bytes before the identification.
const MAX_PREAMBLE: usize = 4096;

/// A connection that has exchanged identifications.
pub struct Transport {
    connection: Connection,
    server_version: String,
    buffer: Vec<u8>,
    /// The server's KEXINIT payload, which the exchange hash covers.
    pub server_kexinit: Vec<u8>,
    sent: u32,
    received: u32,
    pub sealed: Option<Sealed>,
}

/// A failure of the kind "the peer does not speak the protocol correctly".
pub fn protocol(detail: &str) -> ProbeFailure {
    ProbeFailure::new(FailureKind::Protocol, detail)
}

impl Transport {
    /// Exchanges identification lines. A server may send other lines before its own.
    pub async fn identify(mut connection: Connection) -> Result<Self, ProbeFailure> {
        let greeting = format!("{CLIENT_VERSION}\r\n");
        connection.stream.write_all(greeting.as_bytes()).await.map_err(|error| io_failure(&error, "greeting"))?;
        let mut wire = Self {
            connection,
            server_version: String::new(),
            buffer: Vec::new(),
            server_kexinit: Vec::new(),
            sent: 0,
            received: 0,
            sealed: None,
        };
        loop {
            while let Some(end) = wire.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = wire.buffer.drain(..=end).collect();
                let line = line.strip_suffix(b"\n").map_or(&line[..], |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
                if line.starts_with(b"SSH-") {
                    let printable = line.len() <= 255 && line.iter().all(|byte| (0x20..0x7f).contains(byte));
                    if !printable {
                        return Err(protocol("the identification line is not printable"));
                    }
                    wire.server_version = String::from_utf8_lossy(line).into_owned();
                    return Ok(wire);
                }
            }
            if wire.buffer.len() > MAX_PREAMBLE {
                return Err(protocol("no SSH identification among the first bytes"));
            }
            wire.fill("reading the identification").await?;
        }
    }

    /// The server's identification line.
    pub fn server_version(&self) -> &str {
        &self.server_version
    }

    /// Reads the server's key-exchange lists.
    pub async fn read_kexinit(&mut self) -> Result<SshAlgorithms, ProbeFailure> {
        let payload = self.receive(KEXINIT).await?;
        let offer = parse_kexinit(&payload).ok_or_else(|| protocol("the key-exchange lists cannot be read"))?;
        self.server_kexinit = payload;
        Ok(offer)
    }

    /// Sends a packet.
    pub async fn send(&mut self, payload: &[u8]) -> Result<(), ProbeFailure> {
        let packet = match &mut self.sealed {
            Some(sealed) => sealed.seal(self.sent, payload)?,
            None => frame(payload, 8, 4),
        };
        self.sent = self.sent.wrapping_add(1);
        self.connection.stream.write_all(&packet).await.map_err(|error| io_failure(&error, "sending an SSH packet"))
    }

    /// Receives the next packet whose message number is `wanted`, past those that may come at any time.
    pub async fn receive(&mut self, wanted: u8) -> Result<Vec<u8>, ProbeFailure> {
        self.receive_any(&[wanted]).await
    }

    /// Receives the next packet whose message number is among `wanted`.
    pub async fn receive_any(&mut self, wanted: &[u8]) -> Result<Vec<u8>, ProbeFailure> {
        // Banner and extension messages come in small numbers; a server that sends more than this stalls.
        for _ in 0..32 {
            let payload = self.packet().await?;
            match payload.first() {
                Some(number) if wanted.contains(number) => return Ok(payload),
                Some(number) if *number == DISCONNECT => return Err(protocol("the server disconnected")),
                // Ignore, unimplemented, debug; extension information; the login banner.
                Some(2..=4 | 7 | 53) => {}
                _ => return Err(protocol("the server sent an unexpected message")),
            }
        }
        Err(protocol("the server sends messages without end"))
    }

    async fn packet(&mut self) -> Result<Vec<u8>, ProbeFailure> {
        self.need(4).await?;
        let head: [u8; 4] = self.buffer.get(..4).and_then(|head| head.try_into().ok()).unwrap_or_default();
        let (length, tag) = match &self.sealed {
            Some(sealed) => (sealed.length(self.received, head), 16),
            None => (u32::from_be_bytes(head), 0),
        };
        let length = usize::try_from(length).ok().filter(|length| (2..=MAX_PACKET).contains(length));
        let length = length.ok_or_else(|| protocol("a packet of impossible length"))?;
        self.need(4 + length + tag).await?;
        let mut packet: Vec<u8> = self.buffer.drain(..4 + length + tag).collect();
        let plain = match &mut self.sealed {
            Some(sealed) => sealed.open(self.received, &mut packet)?,
            None => packet.get(4..).unwrap_or_default().to_vec(),
        };
        self.received = self.received.wrapping_add(1);
        let padding = plain.first().copied().map_or(0, usize::from);
        plain
            .len()
            .checked_sub(padding)
            .and_then(|end| plain.get(1..end))
            .filter(|payload| !payload.is_empty())
            .map(<[u8]>::to_vec)
            .ok_or_else(|| protocol("a packet with impossible padding"))
    }

    async fn need(&mut self, count: usize) -> Result<(), ProbeFailure> {
        while self.buffer.len() < count {
            self.fill("reading an SSH packet").await?;
        }
        Ok(())
    }

    async fn fill(&mut self, doing: &str) -> Result<(), ProbeFailure> {
        let mut chunk = [0_u8; 4096];
        match self.connection.stream.read(&mut chunk).await {
            Ok(0) => Err(cut_short(doing)),
            Ok(count) => {
                self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) => Err(io_failure(&error, doing)),
        }
    }
}

/// A packet with length and padding: `block` is the multiple to fill up to, `counted` how many of the four length
/// bytes count for it.
pub fn frame(payload: &[u8], block: usize, counted: usize) -> Vec<u8> {
    let unpadded = counted + 1 + payload.len();
    let mut padding = block - unpadded % block;
    if padding < 4 {
        padding += block;
    }
    let length = u32::try_from(1 + payload.len() + padding).unwrap_or_default();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap_or_default());
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// Reads SSH data types off a hostile buffer.
pub struct Reader<'b>(pub &'b [u8]);

impl<'b> Reader<'b> {
    pub fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub fn string(&mut self) -> Option<&'b [u8]> {
        let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }

    /// A name list of at most 300 names that are printable and at most 100 characters long; others are left out.
    pub fn name_list(&mut self) -> Option<Vec<String>> {
        let text = self.string()?;
        let names = text
            .split(|byte| *byte == b',')
            .filter(|name| !name.is_empty() && name.len() <= 100 && name.iter().all(u8::is_ascii_graphic))
            .take(300);
        Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }
}

/// Appends an SSH string.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends a positive multiple-precision integer.
pub fn put_mpint(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let mut number = bytes.get(start..).unwrap_or_default().to_vec();
    if number.first().is_some_and(|byte| byte & 0x80 != 0) {
        number.insert(0, 0);
    }
    put_string(out, &number);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_padded_to_the_block() {
        for size in 0..40 {
            let packet = frame(&vec![1; size], 8, 4);
            assert_eq!(packet.len() % 8, 0);
            assert!(packet[4] >= 4);
            let aead = frame(&vec![1; size], 16, 0);
            assert_eq!((aead.len() - 4) % 16, 0);
        }
    }

    #[test]
    fn integers_are_positive_and_short() {
        let mut out = Vec::new();
        put_mpint(&mut out, &[0, 0, 0x80]);
        assert_eq!(out, [0, 0, 0, 2, 0, 0x80]);
    }
}
