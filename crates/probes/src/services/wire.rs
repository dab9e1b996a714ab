//! Talking to an unknown peer: bounded reads on plain and TLS connections, and making answers printable.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bartizan_domain::evidence::service::MAX_BANNER;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_outbound::tls_reach::{self, Reached};
use bartizan_outbound::{Connection, io_failure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::ProbeContext;

/// Most bytes read of one answer, unless a question asks for more.
pub const MAX_ANSWER: usize = 64 * 1024;
/// Most bytes kept of what a peer says first.
const MAX_HEARD: usize = 4096;

/// What a peer said first on the connections of one question, whoever understands it.
#[derive(Debug, Clone, Default)]
pub struct Ear(Arc<Mutex<Vec<u8>>>);

impl Ear {
    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_HEARD.saturating_sub(heard.len()).min(bytes.len());
        heard.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// What was heard; nothing is an empty answer.
    pub fn heard(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How a new connection to the endpoint is made.
#[derive(Clone)]
pub struct Dialer<'c> {
    pub cx: &'c ProbeContext,
    pub address: SocketAddr,
    pub layer: Layer,
    /// The asset's name, for SNI and `Host`.
    pub name: Option<&'c str>,
    /// How long to wait for an answer to a request.
    pub wait: Duration,
    /// Where the first words of the peer are kept.
    pub ear: Ear,
}

/// What lies between TCP and the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    Plain,
    Tls,
}

impl Dialer<'_> {
    /// A fresh connection, through TLS if that is the layer.
    pub async fn open(&self) -> Result<Channel, ProbeFailure> {
        let outbound = &self.cx.outbound;
        let stream = match self.layer {
            Layer::Plain => Stream::Plain(outbound.connect(self.address).await?),
            Layer::Tls => {
                let connecting = tls_reach::connect(outbound, self.address, self.name, &[], None, self.cx.timeout);
                Stream::Tls(Box::new(Box::pin(connecting).await?))
            }
        };
        // The first connection on which something is said is the one that is listened to.
        let ear = self.ear.is_empty().then(|| self.ear.clone());
        Ok(Channel { stream, wait: self.wait, most: MAX_ANSWER, ear })
    }

    /// The same way for a question with a patience of its own, whose connections are listened to on their own.
    pub fn for_question(&self, wait: Duration) -> Self {
        Self { wait, ear: Ear::default(), ..self.clone() }
    }

    /// The value of a `Host` header.
    pub fn host(&self) -> String {
        match (self.name, self.address) {
            (Some(name), address) => format!("{name}:{}", address.port()),
            // A zone means nothing to the host (RFC 6874 section 4).
            (None, address) => SocketAddr::new(address.ip(), address.port()).to_string(),
        }
    }
}

enum Stream {
    Plain(Connection),
    Tls(Box<Reached>),
}

/// An open connection.
pub struct Channel {
    stream: Stream,
    wait: Duration,
    most: usize,
    ear: Option<Ear>,
}

/// Whether more of an answer is to be awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enough {
    Yes,
    NotYet,
}

impl Enough {
    /// [`Enough::Yes`] if `complete`.
    pub const fn when(complete: bool) -> Self {
        if complete { Self::Yes } else { Self::NotYet }
    }
}

impl Channel {
    /// Sends `request` and reads the answer; see [`Self::read`].
    pub async fn ask(&mut self, request: &[u8], enough: impl Fn(&[u8]) -> Enough) -> Result<Vec<u8>, ProbeFailure> {
        self.send(request).await?;
        self.read(enough).await
    }

    /// Waits this long for what is read from now on.
    pub const fn wait_for(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// Reads answers of up to this many bytes from now on.
    pub const fn take_up_to(&mut self, most: usize) {
        self.most = most;
    }

    /// Sends `request`.
    pub async fn send(&mut self, request: &[u8]) -> Result<(), ProbeFailure> {
        let wait = self.wait;
        let sending = async {
            match &mut self.stream {
                Stream::Plain(connection) => write(&mut connection.stream, request).await,
                Stream::Tls(session) => write(&mut session.stream, request).await,
            }
        };
        match tokio::time::timeout(wait, sending).await {
            Ok(result) => result.map_err(|error| io_failure(&error, "sending a request")),
            Err(_) => Err(ProbeFailure::new(FailureKind::Timeout, "the peer takes nothing in")),
        }
    }

    /// Reads until the answer is `enough`, the peer ends it, the wait is over or the bound is reached. Nothing read
    /// within the wait is an empty answer, not a failure: silence is what many protocols greet with.
    pub async fn read(&mut self, enough: impl Fn(&[u8]) -> Enough) -> Result<Vec<u8>, ProbeFailure> {
        self.read_on(Vec::new(), enough).await
    }

    /// [`Self::read`] of an answer whose beginning was read before.
    pub async fn read_on(
        &mut self,
        mut answer: Vec<u8>,
        enough: impl Fn(&[u8]) -> Enough,
    ) -> Result<Vec<u8>, ProbeFailure> {
        let deadline = Instant::now() + self.wait;
        let mut chunk = [0_u8; 4096];
        while answer.len() < self.most {
            let reading = async {
                match &mut self.stream {
                    Stream::Plain(connection) => some(&mut connection.stream, &mut chunk).await,
                    Stream::Tls(session) => some(&mut session.stream, &mut chunk).await,
                }
            };
            match tokio::time::timeout_at(deadline, reading).await {
                Err(_) | Ok(Ok(0)) => break,
                Ok(Ok(count)) => {
                    let part = chunk.get(..count).unwrap_or_default();
                    if let Some(ear) = &self.ear {
                        ear.hear(part);
                    }
                    answer.extend_from_slice(part);
                }
                // A reset after an answer does not take the answer back.
                Ok(Err(_)) if !answer.is_empty() => break,
                Ok(Err(error)) => return Err(io_failure(&error, "reading an answer")),
            }
            if enough(&answer) == Enough::Yes {
                break;
            }
        }
        answer.truncate(self.most);
        Ok(answer)
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn some(stream: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> std::io::Result<usize> {
    stream.read(buffer).await
}

/// Enough when a line is complete.
pub fn line(answer: &[u8]) -> Enough {
    Enough::when(answer.contains(&b'\n'))
}

/// Enough at the first byte: what decides is whether anything comes.
pub fn anything(answer: &[u8]) -> Enough {
    Enough::when(!answer.is_empty())
}

/// Printable text of at most `limit` characters: line ends become spaces, other control characters and bytes that
/// are no text are left out.
pub fn printable(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(limit * 8)).unwrap_or_default());
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\r' | '\n' | '\t' | ' ' => {
                if !out.ends_with(' ') && !out.is_empty() {
                    out.push(' ');
                }
            }
            '\u{fffd}' => {}
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
        if out.chars().count() >= limit {
            break;
        }
    }
    out.trim_end().to_owned()
}

/// Characters that show nothing or turn the direction of text, with which a banner could mislead its reader.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}

/// [`printable`] as a banner; `None` if nothing is left.
pub fn banner(bytes: &[u8]) -> Option<String> {
    let text = printable(bytes, MAX_BANNER);
    (!text.is_empty()).then_some(text)
}

/// Reads numbers and strings off a hostile buffer; every method is `None` past the end.
pub struct Cursor<'b>(pub &'b [u8]);

impl<'b> Cursor<'b> {
    pub fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn be16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    pub fn be32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn le16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub fn le32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes up to a NUL, which is consumed.
    pub fn c_string(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printable_text_is_printable_and_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let text = printable(&bytes, 100);
            prop_assert!(text.chars().count() <= 100);
            prop_assert!(text.chars().all(|c| !c.is_control() && !is_invisible(c)));
        }
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(printable(b"220 mail\r\n\r\n250\tok\x07\x1b[31m", 80), "220 mail 250 ok[31m");
    }
}
