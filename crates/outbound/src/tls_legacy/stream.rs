//! A session over a byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::LegacyError;
use super::engine::{Engine, Offer};

/// Bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Bytes waiting to be sent beyond which writing waits.
const MAX_WAITING: usize = 64 * 1024;

/// Application data through an old version of TLS.
///
/// The end of the connection without a farewell is an ordinary end: old servers leave it out.
#[derive(Debug)]
pub struct LegacyStream<S> {
    inner: S,
    engine: Engine,
    chunk: Box<[u8]>,
}

/// Completes a handshake on `inner`. The engine is handed back as far as it came, beside the failure.
pub(super) async fn handshake<S>(mut inner: S, offer: &Offer<'_>) -> Result<LegacyStream<S>, (LegacyError, Engine)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut engine = Engine::new(offer);
    let mut chunk = vec![0; CHUNK].into_boxed_slice();
    match drive(&mut inner, &mut engine, &mut chunk).await {
        Ok(()) => Ok(LegacyStream { inner, engine, chunk }),
        Err(error) => Err((error, engine)),
    }
}

async fn drive<S>(inner: &mut S, engine: &mut Engine, chunk: &mut [u8]) -> Result<(), LegacyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        if !engine.outgoing().is_empty() {
            let bytes = std::mem::take(engine.outgoing());
            inner.write_all(&bytes).await?;
            inner.flush().await?;
        }
        if engine.is_established() {
            return Ok(());
        }
        let count = inner.read(chunk).await?;
        if count == 0 {
            return Err(LegacyError::Closed);
        }
        engine.feed(&chunk[..count])?;
    }
}

impl<S> LegacyStream<S> {
    /// The session's state.
    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl<S: AsyncWrite + Unpin> LegacyStream<S> {
    /// Hands what waits to be sent to the stream below.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.engine.outgoing().is_empty() {
            let sent = ready!(Pin::new(&mut self.inner).poll_write(cx, self.engine.outgoing()))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.engine.outgoing().drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for LegacyStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let incoming = this.engine.incoming();
            if !incoming.is_empty() {
                let count = incoming.len().min(out.remaining());
                out.put_slice(&incoming[..count]);
                incoming.drain(..count);
                return Poll::Ready(Ok(()));
            }
            if this.engine.is_closed() || out.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.engine.feed(buffer.filled())?;
            // An answer of our own to what came; if it has to wait, the next write takes it along.
            if let Poll::Ready(result) = this.poll_drain(cx) {
                result?;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for LegacyStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.poll_drain(cx) {
            Poll::Pending if this.engine.outgoing().len() > MAX_WAITING => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            _ => {}
        }
        let taken = this.engine.write(data)?;
        if let Poll::Ready(result) = this.poll_drain(cx) {
            result?;
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.engine.close();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}
