//! The part of SMTP before `STARTTLS`, and the stream on which the rest is spoken.
//!
//! The dialogue before the handshake is ours so that nothing of it survives the handshake: what a stranger on the line
//! puts behind the server's consent is noticed and refused, in place of being read as if it had come encrypted
//! (response injection, RFC 3207 section 6).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Bytes of one answer of a server.
const MAX_ANSWER: usize = 16 * 1024;

/// Why TLS was not begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The server did not greet as a mail server does.
    #[error("the server does not speak SMTP: {0}")]
    Greeting(String),
    /// It does not offer it, or refused.
    #[error("{0}")]
    NoTls(String),
}

/// Asks the server for TLS. Afterwards the next byte is the handshake's.
pub(crate) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), hello: &str) -> Result<(), Refusal> {
    let (code, text) = answer(stream).await?;
    if code != 220 {
        return Err(Refusal::Greeting(format!("it greets with {code} {text}")));
    }
    let (code, text) = command(stream, &format!("EHLO {hello}")).await?;
    if code != 250 {
        return Err(Refusal::Greeting(format!("it answers EHLO with {code} {text}")));
    }
    if !text.lines().skip(1).any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(Refusal::NoTls("the server does not offer STARTTLS".to_owned()));
    }
    let (code, text) = command(stream, "STARTTLS").await?;
    if code != 220 {
        return Err(Refusal::NoTls(format!("the server refuses STARTTLS: {code} {text}")));
    }
    Ok(())
}

async fn command(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), line: &str) -> Result<(u16, String), Refusal> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await?;
    answer(stream).await
}

/// One answer of one or more lines: its code and its text without codes.
///
/// It is read byte by byte, since what follows the last line is not ours to take; it is a few hundred bytes.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<(u16, String), Refusal> {
    let odd = || Refusal::Greeting("an answer is not of the form of RFC 5321".to_owned());
    let mut text = String::new();
    let mut read = 0;
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            line.push(stream.read_u8().await?);
            read += 1;
            if read > MAX_ANSWER {
                return Err(Refusal::Greeting(format!("an answer is longer than {MAX_ANSWER} bytes")));
            }
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        let code: u16 = line.get(..3).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line.get(4..).unwrap_or_default());
        match line.as_bytes().get(3) {
            Some(b'-') => {}
            None | Some(b' ') => return Ok((code, text)),
            Some(_) => return Err(odd()),
        }
    }
}

/// A stream for `lettre`, which waits for a greeting: after `STARTTLS` a server does not greet again, so one is put
/// before what it says.
#[derive(Debug)]
pub(crate) struct Line<S> {
    stream: S,
    greeting: &'static [u8],
    peer: SocketAddr,
}

impl<S> Line<S> {
    /// A server that will greet.
    pub(crate) const fn fresh(stream: S, peer: SocketAddr) -> Self {
        Self { stream, greeting: b"", peer }
    }

    /// A server that greeted before the handshake.
    pub(crate) const fn greeted(stream: S, peer: SocketAddr) -> Self {
        Self { stream, greeting: b"220 ready\r\n", peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let (now, later) = self.greeting.split_at(self.greeting.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream for Line<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    async fn ask_server(says: &'static [u8]) -> Result<(), String> {
        let (mut ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(says).await.unwrap();
        let asked = tokio::spawn(async move { ask(&mut ours, "client.example").await });
        let mut heard = Vec::new();
        theirs.shutdown().await.unwrap();
        theirs.read_to_end(&mut heard).await.unwrap();
        asked.await.unwrap().map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn tls_is_asked_for_where_it_is_offered() {
        let good = b"220 mail.example ESMTP\r\n250-mail.example\r\n250-SIZE 100\r\n250 starttls\r\n220 go on\r\n";
        assert_eq!(ask_server(good).await, Ok(()));
        let without = b"220 mail.example\r\n250 mail.example\r\n";
        assert_eq!(ask_server(without).await.unwrap_err(), "the server does not offer STARTTLS");
        let refusing = b"220 a\r\n250-a\r\n250 STARTTLS\r\n454 TLS not available\r\n";
        assert_eq!(ask_server(refusing).await.unwrap_err(), "the server refuses STARTTLS: 454 TLS not available");
        let named_so = b"220 a\r\n250 STARTTLS\r\n";
        assert!(ask_server(named_so).await.is_err(), "the first line is the server's name");
    }

    #[tokio::test]
    async fn what_is_no_mail_server_is_told_apart() {
        for other in [b"SSH-2.0-OpenSSH\r\n".as_slice(), b"HTTP/1.1 400 Bad Request\r\n", b"\xff\xfe\r\n", b"220", b""]
        {
            assert!(ask_server(other).await.is_err(), "{other:?}");
        }
        assert!(ask_server(b"554 go away\r\n").await.unwrap_err().contains("it greets with 554 go away"));
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_off() {
        let (mut ours, mut theirs) = duplex(1024);
        let writer = tokio::spawn(async move { while theirs.write_all(b"220-more\r\n").await.is_ok() {} });
        assert!(ask(&mut ours, "client.example").await.unwrap_err().to_string().contains("longer than"));
        drop(ours);
        writer.await.unwrap();
    }

    #[tokio::test]
    async fn the_greeting_comes_once_and_in_any_portion() {
        let mut line = Line::greeted(b"250 hello\r\n".as_slice(), ([127, 0, 0, 1], 25).into());
        let mut text = Vec::new();
        while let Ok(byte) = line.read_u8().await {
            text.push(byte);
        }
        assert_eq!(text, b"220 ready\r\n250 hello\r\n");
    }
}
