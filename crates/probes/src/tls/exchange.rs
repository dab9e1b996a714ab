//! One hello on a fresh connection, and what came back; with the bounds of a whole endpoint.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bartizan_domain::evidence::{Endpoint, FailureKind, ProbeFailure, StartTls};
use bartizan_outbound::{Connection, io_failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::starttls;
use super::wire::{Flight, Hello, Progress, Reader, Ssl2Answer, ssl2_answer, ssl2_hello};
use crate::ProbeContext;

/// Connections to one endpoint at the same time. A server that handles one client after the other answers the second
/// only when the first is gone, and a time-out there would say nothing about the server.
const AT_ONCE: usize = 1;
/// Handshakes with one endpoint in all. An OpenSSL server with every suite switched on needs about 170.
const MAX_HANDSHAKES: u32 = 260;
/// Handshakes without an answer in time, after which an endpoint is not asked any more.
const MAX_SILENCES: u32 = 4;

/// How a server answered a hello.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// With a server hello and what followed in the clear.
    Flight(Box<Flight>),
    /// With a fatal alert.
    Alert(u8),
    /// By closing or resetting the connection.
    Closed,
}

/// Asks one endpoint, within its bounds.
pub struct Talker<'a> {
    /// What every probe is handed.
    pub cx: &'a ProbeContext,
    /// Whom we ask.
    pub endpoint: &'a Endpoint,
    /// The name sent.
    pub sni: Option<&'a str>,
    /// How TLS begins.
    pub starttls: Option<StartTls>,
    slots: Semaphore,
    handshakes: AtomicU32,
    silences: AtomicU32,
    deadline: Instant,
}

impl<'a> Talker<'a> {
    /// A talker that gives up `limit` from now.
    pub fn new(
        cx: &'a ProbeContext,
        endpoint: &'a Endpoint,
        sni: Option<&'a str>,
        starttls: Option<StartTls>,
        limit: Duration,
    ) -> Self {
        Self {
            cx,
            endpoint,
            sni,
            starttls,
            slots: Semaphore::new(AT_ONCE),
            handshakes: AtomicU32::new(0),
            silences: AtomicU32::new(0),
            deadline: Instant::now() + limit,
        }
    }

    /// Sends `hello` on a new connection and reads the answer as far as it is in the clear.
    ///
    /// # Errors
    /// When the connection, the upgrade to TLS or the time failed, or the answer is not TLS.
    pub async fn ask(&self, hello: &Hello<'_>) -> Result<Reply, ProbeFailure> {
        let mut random = [0_u8; 64];
        rand::fill(&mut random);
        let bytes = hello.encode(&random);
        let doing = format!("{} hello", hello.version);
        self.bounded(&doing, async {
            let mut connection = self.open_inner().await?;
            exchange(&mut connection, &bytes, &doing).await
        })
        .await
    }

    /// Whether the server answers an SSL 2.0 hello in kind. `None`: it closed the connection.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_ssl2(&self) -> Result<Option<Ssl2Answer>, ProbeFailure> {
        let mut challenge = [0_u8; 16];
        rand::fill(&mut challenge);
        let doing = "SSLv2 hello";
        self.bounded(doing, async {
            let mut connection = self.open_inner().await?;
            if connection.stream.write_all(&ssl2_hello(&challenge)).await.is_err() {
                return Ok(None);
            }
            let mut seen = Vec::new();
            loop {
                let mut buffer = [0_u8; 512];
                match connection.stream.read(&mut buffer).await {
                    Ok(0) => return Ok(None),
                    Ok(count) => seen.extend_from_slice(&buffer[..count]),
                    Err(error) => {
                        let failure = io_failure(&error, doing);
                        return if failure.kind == FailureKind::Reset { Ok(None) } else { Err(failure) };
                    }
                }
                match ssl2_answer(&seen) {
                    Ssl2Answer::More => {}
                    answer => return Ok(Some(answer)),
                }
            }
        })
        .await
    }

    /// A connection on which TLS may begin, for a client that does the handshake itself.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn open(&self) -> Result<Connection, ProbeFailure> {
        self.bounded("TLS session", self.open_inner()).await
    }

    async fn open_inner(&self) -> Result<Connection, ProbeFailure> {
        let address = (self.endpoint.address, self.endpoint.port).into();
        let mut connection = self.cx.outbound.connect(address).await?;
        if let Some(protocol) = self.starttls {
            starttls::upgrade(&mut connection.stream, protocol, self.sni).await?;
        }
        Ok(connection)
    }

    async fn bounded<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, ProbeFailure>>,
    ) -> Result<T, ProbeFailure> {
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|_| ProbeFailure::new(FailureKind::Cancelled, "the scan was stopped"))?;
        if self.silences.load(Ordering::Relaxed) >= MAX_SILENCES {
            return Err(ProbeFailure::new(
                FailureKind::Timeout,
                format!("{doing}: not sent, since {MAX_SILENCES} earlier hellos got no answer"),
            ));
        }
        if self.handshakes.fetch_add(1, Ordering::Relaxed) >= MAX_HANDSHAKES {
            return Err(ProbeFailure::new(
                FailureKind::Limit,
                format!("{doing}: not sent, {MAX_HANDSHAKES} handshakes with one endpoint are the bound"),
            ));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ProbeFailure::new(
                FailureKind::Timeout,
                format!("{doing}: the time for this endpoint is over"),
            ));
        }
        let result = self.cx.within(self.cx.timeout.min(left), doing, work).await;
        if let Err(failure) = &result
            && failure.kind == FailureKind::Timeout
        {
            self.silences.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

async fn exchange(connection: &mut Connection, hello: &[u8], doing: &str) -> Result<Reply, ProbeFailure> {
    // A server that resets at once can make the write fail; that is its answer to the hello.
    if connection.stream.write_all(hello).await.is_err() {
        return Ok(Reply::Closed);
    }
    let mut reader = Reader::default();
    let mut buffer = vec![0_u8; 8192];
    let end = loop {
        match connection.stream.read(&mut buffer).await {
            Ok(0) => break Reply::Closed,
            Ok(count) => match reader.feed(&buffer[..count]) {
                Progress::More => {}
                Progress::Done => break Reply::Closed,
                Progress::Alert(code) => break Reply::Alert(code),
                Progress::Malformed(reason) => {
                    return match reader.into_flight() {
                        Some(flight) => Ok(Reply::Flight(Box::new(flight))),
                        None => Err(ProbeFailure::new(FailureKind::Protocol, format!("{doing}: {reason}"))),
                    };
                }
            },
            Err(error) => {
                let failure = io_failure(&error, doing);
                if failure.kind == FailureKind::Reset {
                    break Reply::Closed;
                }
                return Err(failure);
            }
        }
    };
    // Whatever ended the flight, a server hello that was read stands.
    Ok(reader.into_flight().map_or(end, |flight| Reply::Flight(Box::new(flight))))
}
